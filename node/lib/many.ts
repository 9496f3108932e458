/** Many checks at once. */

import { cancelled, onAbort, optionalSignal } from './call.js'
import { needed, optionalCount, optionalMillis, options, wrongType } from './check.js'
import type { Inside } from './client.js'
import { CbpiiError, errorOf, taken } from './errors.js'
import { type FundsRequest, type FundsRequestOptions, nativeRequest } from './funds.js'
import { native } from './loader.js'
import type * as Native from './native.js'
import { confirmation, type FundsConfirmation } from './results.js'
import type { Session } from './session.js'
import { settler, soon } from './settling.js'

/** One check of many. It comes back with its outcome. */
export interface FundsCheck<T = undefined> {
  /** The consent to ask with: the id it is kept under in the pool, or its session. */
  readonly consent: string | Session
  /** The question. */
  readonly request: FundsRequest | FundsRequestOptions
  /** Anything of the caller's, to match the answer by: a row, a primary key. */
  readonly context?: T
}

/** Where the checks of {@link SessionPool.confirmMany} come from. */
export type Checks<T = undefined> = Iterable<FundsCheck<T>> | AsyncIterable<FundsCheck<T>>

/** A check of many with its answer: either a confirmation or an error. */
export interface CheckOutcome<T = undefined> {
  /** What was asked. */
  readonly check: FundsCheck<T>
  /** The bank's yes or no; undefined when there was an error. */
  readonly confirmation: FundsConfirmation | undefined
  /** Why there is no answer. **This is not a "no".** */
  readonly error: CbpiiError | undefined
}

/** The limits of a stream of checks. */
export interface ConfirmManyOptions {
  /** How many checks are under way at most: 16 by default, 1 to 256. */
  readonly maxInFlight?: number | undefined
  /** The time each check may take, in milliseconds; the client's own by default. Pauses do not count. */
  readonly timeoutMs?: number | undefined
  /**
   * The longest pause that is waited for, in milliseconds: five minutes by default. While a bank asks for a longer one, its
   * checks fail with `bank.rate_limited` without being sent.
   */
  readonly maxPauseMs?: number | undefined
  /** Ends the stream when it is aborted. */
  readonly signal?: AbortSignal | undefined
}

/** How far a stream of checks has come. */
export interface Progress {
  /** Checks that ended, well or not. */
  readonly done: number
  /** … with "the funds are there". */
  readonly yes: number
  /** … with "they are not". */
  readonly no: number
  /** … with an error. */
  readonly errors: number
  /** From the start to the last check that ended, in milliseconds. */
  readonly elapsedMs: number
}

/** How many checks may be ahead of the answers, for each one under way: a bank's pause does not keep the others waiting. */
const AHEAD = 6

type Open = (consent: string | Session) => Promise<Native.Session>

/** The stream of {@link SessionPool.confirmMany}: to be walked once, with `for await`. */
export class ConfirmMany<T = undefined> implements AsyncIterable<CheckOutcome<T>> {
  readonly #walk: AsyncGenerator<CheckOutcome<T>, void, undefined>
  readonly #stream: Native.Checks
  #closed = false
  #unstarted = 0

  /** @internal */
  constructor(checks: Checks<T>, given: ConfirmManyOptions, open: Open, client: Inside) {
    const known = ['maxInFlight', 'timeoutMs', 'maxPauseMs', 'signal'] as const
    const how = options<ConfirmManyOptions>(given, 'confirmMany', known)
    const [maxInFlight, signal] = [optionalCount(how.maxInFlight, 'maxInFlight') ?? 16, optionalSignal(how.signal)]
    const pause = optionalMillis(how.maxPauseMs, 'maxPauseMs') ?? 300_000
    const source = walked(checks)
    client.begin()
    this.#stream = taken(native.checks(settler, maxInFlight, optionalMillis(how.timeoutMs, 'timeoutMs'), pause))
    this.#walk = this.#outcomes(source, AHEAD * maxInFlight, open, client, signal)
  }

  /** How far it has come. */
  get progress(): Progress {
    const { done, yes, no, errors, elapsedMs } = this.#stream.progress()
    return Object.freeze({ done: done + this.#unstarted, yes, no, errors: errors + this.#unstarted, elapsedMs })
  }

  /** Ends the stream: checks under way are cancelled, and no further one is made. */
  async close(): Promise<void> {
    this.#closed = true
    this.#stream.cancel()
    await this.#walk.return()
  }

  /** Ends the stream. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The outcomes. What the source of checks throws comes out here, and ends the stream. */
  [Symbol.asyncIterator](): AsyncGenerator<CheckOutcome<T>, void, undefined> {
    return this.#walk
  }

  async *#outcomes(
    source: Source<T>,
    ahead: number,
    open: Open,
    client: Inside,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<CheckOutcome<T>, void, undefined> {
    const underWay = new Map<number, FundsCheck<T>>()
    const ignore = signal && onAbort(signal, () => this.#stream.cancel())
    let [sent, ended] = [0, false]
    try {
      while (!this.#closed) {
        throwIfAborted(signal)
        // The source is not asked while an answer waits.
        const answers = this.#stream.progress().done - (sent - underWay.size)
        if (!ended && underWay.size < ahead && answers <= 0) {
          const next = await source.next()
          if (next.done) {
            ended = true
            this.#stream.finish()
            continue
          }
          const failed = await this.#send(next.value, sent, open)
          if (failed) {
            yield failed
          } else {
            underWay.set(sent, next.value)
            sent += 1
          }
          continue
        }
        if (underWay.size === 0) {
          return
        }
        const one = taken(await client.during(() => soon((call) => this.#stream.next(call))))
        throwIfAborted(signal)
        if (one === null) {
          return
        }
        const check = underWay.get(one.number) as FundsCheck<T>
        underWay.delete(one.number)
        yield outcome(check, one.confirmation && confirmation(one.confirmation), one.error && errorOf(one.error))
      }
    } finally {
      ignore?.()
      this.#closed = true
      this.#stream.cancel()
      if (!ended) {
        await source.return?.()
      }
    }
  }

  /** Sends a check; gives back its outcome when it cannot be sent. */
  async #send(check: FundsCheck<T>, number: number, open: Open): Promise<CheckOutcome<T> | undefined> {
    try {
      needed<FundsCheck<T>>(check, 'A check', ['consent', 'request', 'context'], ['consent', 'request'])
      const session = await open(check.consent)
      this.#stream.send(session, nativeRequest(check.request), number)
      return undefined
    } catch (error) {
      if (!(error instanceof CbpiiError)) {
        throw error
      }
      this.#unstarted += 1
      return outcome(check, undefined, error)
    }
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw cancelled(signal, 'The stream of checks was cancelled.')
  }
}

function outcome<T>(
  check: FundsCheck<T>,
  confirmation: FundsConfirmation | undefined,
  error: CbpiiError | undefined,
): CheckOutcome<T> {
  return Object.freeze({ check, confirmation, error })
}

type Source<T> = AsyncIterator<FundsCheck<T>> | Iterator<FundsCheck<T>>

function walked<T>(checks: Checks<T>): Source<T> {
  const given = checks as Partial<AsyncIterable<FundsCheck<T>> & Iterable<FundsCheck<T>>> | null | undefined
  if (typeof given === 'object' || typeof given === 'function') {
    const source: Source<T> | undefined = given?.[Symbol.asyncIterator]?.() ?? given?.[Symbol.iterator]?.()
    if (source !== undefined) {
      return source
    }
  }
  throw wrongType(checks, 'checks', 'an iterable or asynchronous iterable of checks')
}
