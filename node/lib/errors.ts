/** The errors of this package: one base, and one class for each of the fifteen kinds. */

import { native } from './loader.js'
import type { ErrorFacts, Failure } from './native.js'
import { Explanation } from './results.js'

/** What went wrong, in fifteen groups; there is one class of error for each. */
export type ErrorKind =
  | 'configuration'
  | 'eligibility'
  | 'invalid_request'
  | 'consent_refused'
  | 'consent_required'
  | 'bank_refused'
  | 'rate_limited'
  | 'bank_unavailable'
  | 'timeout'
  | 'network'
  | 'tls'
  | 'protocol'
  | 'store'
  | 'cancelled'
  | 'internal'

/**
 * What to do about an error.
 *
 * - `retry`: try again; it may well work.
 * - `retry_after`: try again after {@link CbpiiError.retryAfterMs}, or a pause of your choice when the bank named none.
 * - `renew_consent`: send the cardholder to the bank for a new consent.
 * - `fix_request`: change what was passed to this call.
 * - `fix_configuration`: change the set-up: bank record, certificates, keys, options.
 * - `contact_bank`: ask the bank, with the request id and the explanation at hand.
 */
export type Advice = 'retry' | 'retry_after' | 'renew_consent' | 'fix_request' | 'fix_configuration' | 'contact_bank'

/**
 * Whether a failed request reached the bank: `no` (no byte left this machine), `yes` (the bank answered it), or
 * `unknown` (it left, and no answer came).
 */
export type RequestSent = 'no' | 'yes' | 'unknown'

/** One cause of errors. Code and number are stable. */
export interface CatalogueEntry {
  /** The stable text, e.g. `consent.state_mismatch`. */
  readonly code: string
  /** The stable number; divided by 1000 it is the kind's place, counted from one. */
  readonly number: number
  /** The group this cause belongs to. */
  readonly kind: ErrorKind
  /** What to do about it. */
  readonly advice: Advice
  /** What it means, in one sentence. */
  readonly summary: string
}

/** Every cause there is, by its code, in order of number. */
export const CATALOGUE: ReadonlyMap<string, CatalogueEntry> = new Map(
  native.catalogue().map((entry) => [entry.code, Object.freeze(entry) as CatalogueEntry]),
)

/** What is known of an error besides its code and message. */
export interface CbpiiErrorOptions {
  /** What led to it. */
  readonly cause?: unknown
  /** How long the bank asks to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined
  /** The status of the bank's answer. */
  readonly httpStatus?: number | undefined
  /** The bank's code. */
  readonly bankCode?: string | undefined
  /** What the bank wrote. */
  readonly bankMessage?: string | undefined
  /** The `X-Request-ID` of the request. */
  readonly requestId?: string | undefined
  /** The bank's own `X-CorrelationID`. */
  readonly correlationId?: string | undefined
  /** Whether the request reached the bank; when it is not stated, whoever raised it decides. */
  readonly requestSent?: RequestSent | undefined
  /** What was sent. */
  readonly explanation?: Explanation | undefined
}

const FACTS = ['retryAfterMs', 'httpStatus', 'bankCode', 'bankMessage', 'requestId', 'correlationId'] as const

/** The class of each kind; filled in below. */
const CLASSES = new Map<ErrorKind, typeof CbpiiError>()

/** @internal Whether an error states that its request was sent. */
export let statedRequestSent: (error: CbpiiError) => RequestSent | undefined

/**
 * What every call of this package fails with: one sentence for a person, and all the facts for a program. It holds no
 * secret; account numbers and tokens in it are masked.
 *
 * Use a class to decide the flow of a program (`error instanceof ConsentRequiredError`), and {@link code} for the exact
 * cause. **No answer is never "no funds"**: whatever is not a well-formed yes or no of the bank is an error.
 *
 * Those who write a signer, a transport or a store make one with {@link CbpiiError.of}.
 */
export class CbpiiError extends Error {
  static {
    statedRequestSent = (error) => error.#stated
  }

  /** The exact cause: a key of {@link CATALOGUE}. */
  readonly code: string
  /** The group of the cause. */
  readonly kind: ErrorKind
  /** What to do about it. */
  readonly advice: Advice
  /** Whether the failed request reached the bank: what decides if it may be repeated blindly. */
  readonly requestSent: RequestSent
  /** How long the bank asks to wait before the next call (`Retry-After`), in milliseconds. */
  declare readonly retryAfterMs: number | undefined
  /** The status of the bank's answer, when there was one. */
  declare readonly httpStatus: number | undefined
  /** The bank's business code (`AC01` …) or OAuth error code (`invalid_grant` …), when it gave one. */
  declare readonly bankCode: string | undefined
  /** What the bank wrote, masked and cut to at most 512 characters. */
  declare readonly bankMessage: string | undefined
  /** The `X-Request-ID` of the failed request: what the bank's support asks for first. */
  declare readonly requestId: string | undefined
  /** The bank's own `X-CorrelationID`, when it gave one. */
  declare readonly correlationId: string | undefined
  /** What was sent, header by header, secrets masked: made to be pasted in a ticket to the bank. */
  declare readonly explanation: Explanation | undefined
  readonly #stated: RequestSent | undefined

  /** Throws a `TypeError` when `code` is not in the catalogue, or of another class. */
  constructor(code: string, message: string, options: CbpiiErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    const entry = CATALOGUE.get(code)
    if (entry === undefined) {
      throw new TypeError(`${JSON.stringify(code)} is not a code of the CATALOGUE of cbpii`)
    }
    const wanted = CLASSES.get(entry.kind)
    if (wanted !== undefined && !(this instanceof wanted)) {
      throw new TypeError(
        `${JSON.stringify(code)} is a code of ${wanted.name}: make it with CbpiiError.of(code, message)`,
      )
    }
    this.code = code
    this.kind = entry.kind
    this.advice = entry.advice === 'retry' && options.retryAfterMs !== undefined ? 'retry_after' : entry.advice
    this.requestSent = options.requestSent ?? 'no'
    this.#stated = options.requestSent
    for (const name of FACTS) {
      // What is not known is not there, and does not fill the log.
      if (options[name] !== undefined) {
        Object.defineProperty(this, name, { value: options[name], enumerable: true })
      }
    }
    // Whole pages: there for who asks, and not in every log line.
    Object.defineProperty(this, 'explanation', { value: options.explanation, enumerable: false })
  }

  /** Makes an error of the class that belongs to the code. A code that is not in the catalogue is a `TypeError`. */
  static of(code: string, message: string, options: CbpiiErrorOptions = {}): CbpiiError {
    const entry = CATALOGUE.get(code)
    const Class = (entry && CLASSES.get(entry.kind)) ?? CbpiiError
    return new Class(code, message, options)
  }

  /** The facts, for a log. */
  toJSON(): Record<string, unknown> {
    const { name, code, kind, message, advice, requestSent, retryAfterMs, httpStatus } = this
    const { bankCode, bankMessage, requestId, correlationId } = this
    const bank = { httpStatus, bankCode, bankMessage, requestId, correlationId }
    return { name, code, kind, message, advice, requestSent, retryAfterMs, ...bank }
  }
}

// What does not change is kept off the instances.
Object.defineProperty(CbpiiError.prototype, 'name', { value: 'CbpiiError', configurable: true, writable: true })

function kind(Class: typeof CbpiiError, kind: ErrorKind): void {
  CLASSES.set(kind, Class)
  Object.defineProperty(Class.prototype, 'name', { value: Class.name, configurable: true, writable: true })
}

/** Something given at set-up (bank record, key, certificate, option) cannot be used. */
export class ConfigurationError extends CbpiiError {}
kind(ConfigurationError, 'configuration')

/** The issuer's certificates do not entitle it to this product. */
export class EligibilityError extends CbpiiError {}
kind(EligibilityError, 'eligibility')

/** A value given for this call is not acceptable; nothing was sent. */
export class InvalidRequestError extends CbpiiError {}
kind(InvalidRequestError, 'invalid_request')

/** The cardholder or the bank said no to the consent. */
export class ConsentRefusedError extends CbpiiError {}
kind(ConsentRefusedError, 'consent_refused')

/** There is no usable consent (any more): the cardholder must go to the bank again. */
export class ConsentRequiredError extends CbpiiError {}
kind(ConsentRequiredError, 'consent_required')

/** The bank understood the request and refused it. */
export class BankRefusedError extends CbpiiError {}
kind(BankRefusedError, 'bank_refused')

/** The bank wants fewer calls; see {@link CbpiiError.retryAfterMs}. */
export class RateLimitedError extends CbpiiError {}
kind(RateLimitedError, 'rate_limited')

/** The bank has a problem of its own. */
export class BankUnavailableError extends CbpiiError {}
kind(BankUnavailableError, 'bank_unavailable')

/** The time budget ran out. **This is not a "no".** */
export class CallTimeoutError extends CbpiiError {}
kind(CallTimeoutError, 'timeout')

/** The bank could not be reached, or the connection broke. */
export class NetworkError extends CbpiiError {}
kind(NetworkError, 'network')

/** The secure channel could not be made. */
export class TlsError extends CbpiiError {}
kind(TlsError, 'tls')

/** The bank answered with something that is not a valid answer. */
export class ProtocolError extends CbpiiError {}
kind(ProtocolError, 'protocol')

/** The consent store failed. */
export class StoreError extends CbpiiError {}
kind(StoreError, 'store')

/** The caller cancelled the call; the signal's reason is its `cause`. */
export class CallCancelledError extends CbpiiError {}
kind(CallCancelledError, 'cancelled')

/** A defect of this library; please report it. */
export class InternalError extends CbpiiError {}
kind(InternalError, 'internal')

/** @internal The error of what the compiled part gave back. `cause` is what the caller knows of it. */
export function errorOf(facts: ErrorFacts, cause?: { thrown: unknown }): CbpiiError {
  const { code, message, explanation, requestSent, cause: own, ...rest } = facts
  const known = own ?? cause
  return CbpiiError.of(code, message, {
    ...rest,
    requestSent: requestSent as RequestSent,
    explanation: explanation && new Explanation(explanation),
    ...(known && { cause: known.thrown }),
  })
}

/** @internal */
export function isFailure(outcome: unknown): outcome is Failure {
  return typeof outcome === 'object' && outcome !== null && 'failure' in outcome
}

/** @internal The value of an outcome; throws its error when there is none. */
export function taken<T>(outcome: T | Failure): T {
  if (isFailure(outcome)) {
    throw errorOf(outcome.failure)
  }
  return outcome
}
