/** How calls run: so many at a time, within their time, and ended by a signal. */

import { optionalMillis, options, wrongType } from './check.js'
import { CbpiiError, errorOf, isFailure } from './errors.js'
import { native } from './loader.js'
import type { CancelToken, Failure, Soon } from './native.js'
import { soon } from './settling.js'

/** The limits of one call. */
export interface CallOptions {
  /**
   * The time the whole call may take, in milliseconds, counted from now on: waiting for its turn, retries and a refresh
   * included. The client's own when it is not given.
   */
  readonly timeoutMs?: number | undefined
  /** Ends the call when it is aborted: it fails with a {@link CallCancelledError} whose `cause` is the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** @internal Starts a call under its number, with the time that is left when it was kept waiting, and a way to end it. */
export type Start<T> = (call: number, timeoutMs: number | undefined, cancel: CancelToken | undefined) => Soon<T>

/** @internal The options of a call, checked. */
export function callOptions(given: unknown, of: string): CallOptions {
  const { timeoutMs, signal } = options<CallOptions>(given, of, ['timeoutMs', 'signal'])
  return { timeoutMs: optionalMillis(timeoutMs, 'timeoutMs'), signal: optionalSignal(signal) }
}

/** @internal */
export function optionalSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal === null) {
    return undefined
  }
  const given = signal as Partial<AbortSignal>
  if (typeof given.aborted !== 'boolean' || typeof given.addEventListener !== 'function') {
    throw wrongType(signal, 'signal', 'an AbortSignal')
  }
  return given as AbortSignal
}

/** @internal */
export function cancelled(signal: AbortSignal, message: string): CbpiiError {
  return CbpiiError.of('cancelled', message, { cause: signal.reason, requestSent: 'no' })
}

/** What is to be told that a signal was aborted; one listener serves all. */
const listening = new WeakMap<AbortSignal, Set<() => void>>()

/** @internal Calls `tell` when the signal is aborted, until the function that comes back is called. */
export function onAbort(signal: AbortSignal, tell: () => void): () => void {
  let told = listening.get(signal)
  if (told === undefined) {
    told = new Set()
    listening.set(signal, told)
  }
  const all = told
  if (all.size === 0) {
    signal.addEventListener('abort', abort)
  }
  all.add(tell)
  return () => {
    if (all.delete(tell) && all.size === 0) {
      signal.removeEventListener('abort', abort)
    }
  }
}

function abort(this: AbortSignal): void {
  for (const tell of listening.get(this) ?? []) {
    tell()
  }
}

/** A call that waits for its turn. */
interface Waiting {
  go(): void
  fail(error: CbpiiError): void
}

/** @internal Lets so many calls through at a time; the others wait, no longer than their own time. */
export class Gate {
  readonly #limit: number
  readonly #timeoutMs: number
  readonly #waiting = new Set<Waiting>()
  readonly #left = new Set<() => void>()
  #under_way = 0
  #closed = false

  constructor(limit: number, timeoutMs: number) {
    this.#limit = limit
    this.#timeoutMs = timeoutMs
  }

  /**
   * Makes a call when it is its turn. Whoever waits for its outcome makes an error of it: the stack then leads to them. Most
   * calls neither wait nor have a signal, and need no promise but the one of their outcome.
   */
  run<T>(limits: CallOptions, start: Start<T>): Promise<T | Failure> {
    const { signal, timeoutMs } = limits
    this.check()
    if (signal?.aborted) {
      throw cancelled(signal, 'The call was cancelled before it began; nothing was sent.')
    }
    if (this.isFull) {
      return this.#inTurn(limits, start)
    }
    this.#under_way += 1
    return this.#make(timeoutMs, signal, start)
  }

  async #inTurn<T>(limits: CallOptions, start: Start<T>): Promise<T | Failure> {
    const left = await this.#turn(limits)
    return this.#make(left, limits.signal, start)
  }

  /** Makes a call that has its place, and gives the place up in the end. */
  #make<T>(timeoutMs: number | undefined, signal: AbortSignal | undefined, start: Start<T>): Promise<T | Failure> {
    if (signal !== undefined) {
      return called(timeoutMs, signal, start, this.#leave)
    }
    return soon((call) => start(call, timeoutMs, undefined), this.#leave)
  }

  /** Whether a call that begins now waits for its turn. */
  get isFull(): boolean {
    return this.#under_way >= this.#limit
  }

  /** Throws when no call is made any more. */
  check(): void {
    if (this.#closed) {
      throw CbpiiError.of('configuration.option', 'The client is closed; make another one.')
    }
  }

  /** Lets no further call through, and waits for those that are under way. */
  async close(): Promise<void> {
    this.#closed = true
    for (const waiting of this.#waiting) {
      waiting.fail(CbpiiError.of('cancelled', 'The client was closed before the call began; nothing was sent.'))
    }
    while (this.#under_way > 0) {
      await new Promise<void>((resolve) => this.#left.add(resolve))
    }
  }

  /** Waits for a turn; gives back the time that is left then. */
  #turn({ timeoutMs = this.#timeoutMs, signal }: CallOptions): Promise<number> {
    const began = performance.now()
    return new Promise((resolve, reject) => {
      const settle = () => {
        this.#waiting.delete(waiting)
        clearTimeout(timer)
        ignore?.()
      }
      const waiting: Waiting = {
        go: () => {
          settle()
          resolve(Math.max(0, timeoutMs - (performance.now() - began)))
        },
        fail: (error) => {
          settle()
          reject(error)
        },
      }
      const timer = setTimeout(() => waiting.fail(crowded(this.#limit)), Math.min(timeoutMs, 0x7fff_ffff))
      const ignore =
        signal &&
        onAbort(signal, () =>
          waiting.fail(cancelled(signal, 'The call was cancelled while it waited for its turn; nothing was sent.')),
        )
      this.#waiting.add(waiting)
    })
  }

  /** One call has ended: the next one takes its place. */
  readonly #leave = (): void => {
    if (this.#waiting.size > 0) {
      const [next] = this.#waiting
      next?.go()
      return
    }
    this.#under_way -= 1
    if (this.#under_way === 0) {
      for (const left of this.#left) {
        left()
      }
      this.#left.clear()
    }
  }
}

function crowded(limit: number): CbpiiError {
  const message =
    `The time ran out while the call waited for its turn: ${limit} others were under way all the time (maxInFlight). ` +
    'Nothing was sent, and this is not a "no": try again.'
  return CbpiiError.of('timeout.total', message, { requestSent: 'no' })
}

/** Makes a call that a signal may end. */
async function called<T>(
  timeoutMs: number | undefined,
  signal: AbortSignal,
  start: Start<T>,
  ended: () => void,
): Promise<T> {
  const cancel = new native.CancelToken()
  const ignore = onAbort(signal, () => cancel.cancel())
  try {
    return settled(await soon((call) => start(call, timeoutMs, cancel), ended), signal)
  } finally {
    ignore()
  }
}

/** The value of an outcome. The reason of the signal is the cause of an error by which the call was cancelled. */
function settled<T>(outcome: T | Failure, signal: AbortSignal): T {
  if (!isFailure(outcome)) {
    return outcome
  }
  const byCaller = outcome.failure.code === 'cancelled' && signal.aborted
  throw errorOf(outcome.failure, byCaller ? { thrown: signal.reason } : undefined)
}
