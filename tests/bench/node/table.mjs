// What was measured, as a table for people and as JSON for machines; of the same form as the one `cbpii-bench` prints.

export const atMost = (limit) => ({ text: `<= ${shown(limit)}`, AtMost: limit, isMet: (figure) => figure <= limit })
export const atLeast = (limit) => ({ text: `>= ${shown(limit)}`, AtLeast: limit, isMet: (figure) => figure >= limit })

/** The figures of both sides, round by round; the target is about their ratio, the package over the baseline. */
export class Row {
  constructor(what, unit, baseline, cbpii, target) {
    Object.assign(this, { what, unit, baseline, cbpii, target })
    this.ratios = cbpii.map((figure, round) => figure / baseline[round])
  }

  get met() {
    return this.target ? this.target.isMet(median(this.ratios)) : null
  }

  cells() {
    const [low, high] = middleHalf(this.ratios)
    const ratio = `${median(this.ratios).toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`
    const verdict = this.met === null ? '' : this.met ? 'ok' : 'over'
    const figures = [shown(median(this.baseline)), shown(median(this.cbpii))]
    return [this.what, this.unit, ...figures, ratio, this.target?.text ?? '', verdict]
  }

  toJSON() {
    const { what, unit, baseline, cbpii, ratios, target, met } = this
    const { text: _, ...limit } = target ?? {}
    return {
      what,
      unit,
      baseline: median(baseline),
      cbpii: median(cbpii),
      ratio: [median(ratios), ...middleHalf(ratios)],
      target: target ? limit : null,
      met,
      rounds: { baseline, library: cbpii },
    }
  }
}

export function table(rows) {
  const lines = [
    ['what', 'unit', 'baseline', 'cbpii', 'ratio (middle half)', 'target', ''],
    ...rows.map((row) => row.cells()),
  ]
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)))
  const isFigure = (column) => column === 2 || column === 3
  const texts = lines.map((line) =>
    line
      .map((cell, column) => (isFigure(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
      .join('  ')
      .trimEnd(),
  )
  const rule = '-'.repeat(widths.reduce((sum, width) => sum + width, 12))
  return [texts[0], rule, ...texts.slice(1)].join('\n')
}

/** With as many decimals as its size deserves. */
function shown(figure) {
  const size = Math.abs(figure)
  if (size >= 1000) {
    return Math.round(figure).toLocaleString('en').replaceAll(',', ' ')
  }
  if (size >= 100 || Number.isInteger(figure)) {
    return figure.toFixed(0)
  }
  return figure.toFixed(size >= 10 ? 1 : 2)
}

const sorted = (figures) => [...figures].sort((one, other) => one - other)

function median(figures) {
  const ordered = sorted(figures)
  const middle = Math.floor(ordered.length / 2)
  return ordered.length % 2 ? ordered[middle] : (ordered[middle - 1] + ordered[middle]) / 2
}

/** First and third quartile. */
function middleHalf(figures) {
  const ordered = sorted(figures)
  return [1, 3].map((quarter) => ordered[Math.floor(((ordered.length - 1) * quarter) / 4)])
}
