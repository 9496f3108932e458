// All sides in turns, so that a noisy moment hits each of them; every measurement is a process of its own.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Whose calls a process makes. `line` gives the command line of a work of works.cjs. */
const program = (name, file, environment = {}) => ({
  name,
  environment,
  line: (work) => [process.execPath, fileURLToPath(new URL(file, import.meta.url)), ...work],
})

export const CBPII = program('cbpii', 'with_cbpii.cjs')
export const UNDICI = program('undici', 'by_hand_undici.cjs')
export const UNDICI_ASYNC = program('undici, signing on threads', 'by_hand_undici.cjs', { BENCH_SIGN_ASYNC: '1' })
export const FETCH = program('fetch', 'by_hand_fetch.cjs')
export const AXIOS = program('axios', 'by_hand_axios.cjs')
export const NOTHING = program('Node alone', 'nothing.cjs')

/** The library in Rust, by `cbpii-bench`. */
export const rustCore = (cbpiiBench, setupFile) => ({
  name: 'the Rust core',
  environment: {},
  line: ([work, calls]) => {
    if (work !== 'kept-alive') {
      throw new Error(`not compared with the Rust core: ${work}`)
    }
    return [cbpiiBench, 'work', setupFile, 'cbpii', 'kept', '1', String(calls)]
  },
})

/** For a trial: figures of so few rounds say little. */
const MOST_ROUNDS = Number(process.env.BENCH_ROUNDS ?? 1000)

export class Runner {
  #setup

  constructor(setup) {
    this.#setup = JSON.stringify(setup)
  }

  /** What one process told, and how long it lived, in seconds. */
  run(side, ...work) {
    const [command, ...rest] = side.line(work.map(String))
    const environment = { ...process.env, BENCH_SETUP: this.#setup, ...side.environment }
    const started = performance.now()
    const ended = spawnSync(command, rest, { env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
    const lived = (performance.now() - started) / 1e3
    if (ended.status !== 0) {
      throw new Error(`${side.name}, ${work.join(' ')}: the process ended with ${ended.status ?? ended.signal}`)
    }
    return { ...JSON.parse(ended.stdout), lived }
  }

  /** The runs of each side, round by round; who goes first changes. `check` is told of each run. */
  async rounds(count, sides, work, check = async () => {}) {
    const runs = new Map(sides.map((side) => [side, []]))
    for (let place = 0; place < Math.min(count, MOST_ROUNDS); place += 1) {
      const first = place % sides.length
      for (const side of [...sides.slice(first), ...sides.slice(0, first)]) {
        const run = this.run(side, ...work)
        await check(side, run)
        runs.get(side).push(run)
      }
    }
    return runs
  }
}
