/** Amounts in euro, kept as whole cents: a `number` of cents is exact where a `number` of euro is not. */

/** Cents, a whole number that is not negative. */
export type Cents = number

/** The amount as the bank is asked about it: `458.99`. */
export function decimal(cents: Cents): string {
  return `${Math.trunc(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
}

/** The amount as text such as `30` or `30.00` says it. Throws a `RangeError`. */
export function cents(text: string): Cents {
  const [, euro, rest = ''] = /^(\d{1,9})(?:\.(\d{1,2}))?$/.exec(text) ?? []
  if (euro === undefined) {
    throw new RangeError(`${JSON.stringify(text)} is not an amount in euro; write it like 30 or 30.00`)
  }
  return Number(euro) * 100 + Number(rest.padEnd(2, '0'))
}

const SHOWN = new Intl.NumberFormat('en-IE', { style: 'currency', currency: 'EUR' })

/** The amount as a person reads it: `€458.99`. */
export function shown(cents: Cents): string {
  return SHOWN.format(cents / 100)
}
