/** Secret texts. */

import { inspect } from 'node:util'

import { text, wrongType } from './check.js'
import { native } from './loader.js'
import type * as Native from './native.js'

/** @internal */
export let nativeSecret: (given: unknown, name: string) => Native.Secret

/** @internal */
export let secretOf: (given: Native.Secret) => Secret

/**
 * A secret text: a token, a client secret, a password. It shows only that there is one, in `util.inspect`,
 * `JSON.stringify` and `String()` alike, and leaves by {@link expose}.
 */
export class Secret {
  static {
    nativeSecret = (given, name) => {
      if (typeof given === 'string') {
        return new native.Secret(text(given, name))
      }
      if (typeof given === 'object' && given !== null && #native in given) {
        return given.#native
      }
      throw wrongType(given, name, 'a string or a Secret')
    }
    secretOf = (given) => new Secret(given as never)
  }

  readonly #native: Native.Secret

  constructor(secret: string) {
    this.#native = (secret as unknown) instanceof native.Secret ? (secret as never) : nativeSecret(secret, 'secret')
  }

  /** The secret itself. Never log what this returns. */
  expose(): string {
    return this.#native.expose()
  }

  /** A form that may be shown: the first four characters of a long secret, then an ellipsis. */
  get masked(): string {
    return this.#native.masked()
  }

  /** Whether both are the same secret; takes as long whether they are or not. */
  equals(other: Secret): boolean {
    return this.#native.equals(nativeSecret(other, 'other'))
  }

  /** The masked form. */
  toString(): string {
    return this.masked
  }

  /** The masked form. */
  toJSON(): string {
    return this.masked
  }

  /** @internal */
  [inspect.custom](): string {
    return `Secret(${inspect(this.masked)})`
  }
}

/** @internal A secret that need not be given. */
export function optionalSecret(given: unknown, name: string): Native.Secret | undefined {
  return given === undefined || given === null ? undefined : nativeSecret(given, name)
}
