/** Checks what callers give, before anything is done with it. */

// By their nature, not by their class: test runners have several realms in one process.
import { types } from 'node:util'

import { CbpiiError } from './errors.js'

/** What a value is, for a message. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) {
    return String(value)
  }
  if (typeof value !== 'object') {
    return `a ${typeof value}`
  }
  const name = (value as { constructor?: { name?: unknown } }).constructor?.name
  return typeof name === 'string' && name !== '' && name !== 'Object' ? `an object of ${name}` : 'an object'
}

/** The error of an argument that is not what the call takes. */
export function wrongType(value: unknown, name: string, wanted: string): CbpiiError {
  return CbpiiError.of('request.argument', `The argument ${name} is not ${wanted}, but ${kindOf(value)}.`)
}

/** A text. */
export function text(value: unknown, name: string): string {
  if (typeof value !== 'string') {
    throw wrongType(value, name, 'a string')
  }
  if (!value.isWellFormed()) {
    const message = `The argument ${name} has half of a surrogate pair, which no encoding can carry; give whole characters.`
    throw CbpiiError.of('request.argument', message)
  }
  return value
}

/** A text, or nothing. */
export function optionalText(value: unknown, name: string): string | undefined {
  return value === undefined || value === null ? undefined : text(value, name)
}

/** A switch, or nothing. */
export function optionalBoolean(value: unknown, name: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') {
    return value
  }
  throw wrongType(value, name, 'a boolean')
}

/** A function, or nothing. */
export function optionalFunction<F>(value: unknown, name: string): F | undefined {
  if (value === undefined || value === null) {
    return undefined
  }
  if (typeof value !== 'function') {
    throw wrongType(value, name, 'a function')
  }
  return value as F
}

/** Milliseconds, or nothing. */
export function optionalMillis(value: unknown, name: string): number | undefined {
  if (value === undefined) {
    return undefined
  }
  if (typeof value !== 'number') {
    throw wrongType(value, name, 'a number of milliseconds')
  }
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) {
    throw CbpiiError.of('configuration.option', `The option ${name} is ${value}; give milliseconds, from zero on.`)
  }
  return value
}

/** A whole number from zero on, or nothing. */
export function optionalCount(value: unknown, name: string): number | undefined {
  if (value === undefined) {
    return undefined
  }
  if (typeof value !== 'number') {
    throw wrongType(value, name, 'a number')
  }
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw CbpiiError.of('configuration.option', `The option ${name} is ${value}; give a whole number, from zero on.`)
  }
  return value
}

/** A moment in milliseconds since 1970. */
export function moment(value: unknown, name: string): number {
  if (!types.isDate(value)) {
    throw wrongType(value, name, 'a Date')
  }
  const millis = value.getTime()
  if (Number.isNaN(millis)) {
    throw CbpiiError.of('request.argument', `The argument ${name} is an invalid Date; give one that is a moment.`)
  }
  return millis
}

/** A moment, or nothing. */
export function optionalMoment(value: unknown, name: string): number | undefined {
  return value === undefined || value === null ? undefined : moment(value, name)
}

/** Bytes. */
export function bytes(value: unknown, name: string): Uint8Array {
  if (!types.isUint8Array(value)) {
    throw wrongType(value, name, 'a Buffer or Uint8Array')
  }
  return value
}

/** Text of JSON, as a string or its bytes in UTF-8; what is not UTF-8 is an error of this code. */
export function jsonText(value: unknown, name: string, code: string): string {
  if (types.isUint8Array(value)) {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(value)
    } catch (cause) {
      throw CbpiiError.of(code, `The ${name} is not UTF-8.`, { cause })
    }
  }
  return text(value, name)
}

/** An object of options, none of which is unknown: a mistyped name is not passed over. */
export function options<T extends object>(
  value: unknown,
  of: string,
  known: ReadonlyArray<keyof T & string>,
): Partial<T> {
  if (value === undefined || value === null) {
    return {}
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw wrongType(value, of, 'an object of options')
  }
  for (const name of Object.keys(value)) {
    if (!(known as readonly string[]).includes(name)) {
      const message = `${of} has no option ${name}; there are ${known.join(', ')}.`
      throw CbpiiError.of('request.argument', message)
    }
  }
  return value as Partial<T>
}

/** An object of which some members are needed. */
export function needed<T extends object>(
  value: unknown,
  of: string,
  known: ReadonlyArray<keyof T & string>,
  wanted: ReadonlyArray<keyof T & string>,
): Partial<T> {
  const given = options<T>(value, of, known)
  for (const name of wanted) {
    if (given[name] === undefined || given[name] === null) {
      throw CbpiiError.of('request.argument', `${of} needs ${name}.`)
    }
  }
  return given
}
