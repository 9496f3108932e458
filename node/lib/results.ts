/** What calls give back: plain objects that do not change. */

import { inspect } from 'node:util'

import type * as Native from './native.js'

/**
 * What is known of the signature of the bank's answer: `verified` (by the bank, over the body), `absent`, or
 * `unverified` (signed, but the bank's certificate is not in its record). A wrong one is an error.
 */
export type ResponseSignature = 'verified' | 'absent' | 'unverified'

/**
 * The bank's yes or no. Nothing is reserved by it, and it is true only for the moment.
 *
 * **Ask for {@link available}**: the object itself is true in a condition, like every object.
 */
export interface FundsConfirmation {
  /** Whether the account covers the amount. */
  readonly available: boolean
  /** The issuer's own reference, as asked. */
  readonly reference: string
  /** The `X-Request-ID` that was sent: what the bank's support asks for first. None at a bank that takes none. */
  readonly requestId: string | undefined
  /** The bank's own `X-CorrelationID`, when it gave one. */
  readonly correlationId: string | undefined
  /** The bank that answered ({@link Bank.id}). */
  readonly bankId: string
  /** When the answer came. */
  readonly checkedAt: Date
  /** How long the call took, retries included, in milliseconds. */
  readonly durationMs: number
  /** What is known of the answer's signature. */
  readonly responseSignature: ResponseSignature
  /** The bank's announcement that this version of its API will end (HTTP `Warning: 299`). */
  readonly deprecationWarning: string | undefined
}

/** @internal */
export function confirmation(facts: Native.Confirmation): FundsConfirmation {
  return Object.freeze({
    available: facts[0],
    reference: facts[1],
    requestId: facts[2],
    correlationId: facts[3],
    bankId: facts[4],
    checkedAt: new Date(facts[5]),
    durationMs: facts[6],
    responseSignature: facts[7] as ResponseSignature,
    deprecationWarning: facts[8],
  })
}

/**
 * A request laid open: header by header, with the exact signing string. Tokens and account numbers are masked, so it can
 * be pasted anywhere; `String(explanation)` writes it for that.
 */
export class Explanation {
  /** The method: `POST`. */
  readonly method: string
  /** The whole URL. */
  readonly url: string
  /** Names and (masked) values in the order of sending. */
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  /** The body, account numbers masked. */
  readonly body: string
  /** The input of the digest in words: how many bytes, and their SHA-256 in base64. */
  readonly digestInput: string | undefined
  /** The exact lines that were signed (secrets masked), joined by line feeds. */
  readonly signingString: string | undefined
  /** The keyId as written. */
  readonly keyId: string | undefined
  /** Where the keyId comes from: `seal` when the issuer stated it, else the source the bank's record names. */
  readonly keyIdSource: string | undefined
  readonly #text: string

  /** @internal */
  constructor(facts: Native.Explanation) {
    this.method = facts.method
    this.url = facts.url
    this.headers = facts.headers as unknown as ReadonlyArray<readonly [string, string]>
    this.body = facts.body
    this.digestInput = facts.digestInput
    this.signingString = facts.signingString
    this.keyId = facts.keyId
    this.keyIdSource = facts.keyIdSource
    this.#text = facts.text
    Object.freeze(this)
  }

  /** The whole, for a person. */
  toString(): string {
    return this.#text
  }
}

/** What a client's connections have done so far; counters only grow. */
export interface TransportStatistics {
  /** TCP connections opened. */
  readonly connections: number
  /** Of these, how many resumed an earlier TLS session. */
  readonly resumed: number
  /** Host names looked up. */
  readonly nameLookups: number
}

/** What was being done in an exchange with a bank. */
export type Operation = 'exchange_code' | 'refresh' | 'confirm_funds'

/** One HTTP exchange that ended, well or not. A call that was retried tells more than one. Nothing in it is secret. */
export interface Event {
  /** What was being done. */
  readonly operation: Operation
  /** At which bank. */
  readonly bankId: string
  /** The `X-Request-ID`, when the request had one. */
  readonly requestId: string | undefined
  /** Counts the attempts of one call, from one. */
  readonly attempt: number
  /** How long this exchange took, in milliseconds. */
  readonly durationMs: number
  /** The status, when an answer came. */
  readonly httpStatus: number | undefined
  /** The code of the error, when it failed. */
  readonly error: string | undefined
}

/** @internal */
export function eventOf(facts: Native.Event): Event {
  const { operation, bankId, requestId, attempt, durationMs, httpStatus, error } = facts
  return Object.freeze({ operation: operation as Operation, bankId, requestId, attempt, durationMs, httpStatus, error })
}

/** @internal What `util.inspect` shows of an object with a secret: its class and what may be shown. */
export function shown(name: string, facts: object, options: object): string {
  return `${name} ${inspect(facts, options)}`
}
