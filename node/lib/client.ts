/** One issuer at one bank. */

import { inspect } from 'node:util'

import { type Bank, recordOf } from './bank.js'
import { type CallOptions, callOptions, Gate, type Start } from './call.js'
import {
  needed,
  optionalBoolean,
  optionalCount,
  optionalFunction,
  optionalMillis,
  optionalText,
  options,
  text,
  wrongType,
} from './check.js'
import { Ticker } from './clock.js'
import {
  type AuthorizationCode,
  nativeCode,
  nativePending,
  nativeTokens,
  type PendingConsent,
  pendingOf,
  type Tokens,
  tokensOf,
} from './consent.js'
import { taken } from './errors.js'
import { asked, type FundsRequest, type FundsRequestOptions, nativeRequest } from './funds.js'
import { type Issuer, nativeIssuer } from './identity.js'
import { native } from './loader.js'
import type * as Native from './native.js'
import {
  confirmation,
  type Event,
  Explanation,
  eventOf,
  type FundsConfirmation,
  type TransportStatistics,
} from './results.js'
import { settler } from './settling.js'
import { exchanging, type Transport } from './transport.js'

/** What a client is made of. Only bank and issuer are needed. */
export interface ClientOptions {
  /** The bank. */
  readonly bank: Bank
  /** The issuer. */
  readonly issuer: Issuer
  /** The time a whole call may take, retries included, in milliseconds: 10 000 by default, from 1 to one hour. */
  readonly timeoutMs?: number | undefined
  /** The time one connection, TLS handshake included, may take: 5000 by default, likewise. */
  readonly connectTimeoutMs?: number | undefined
  /**
   * How many calls are under way at most, each on a thread of this client's own: 64 by default, 1 to 1024. Further ones
   * wait for their turn.
   */
  readonly maxInFlight?: number | undefined
  /** How many unused connections are kept open per host: 32 by default, 0 keeps none. */
  readonly maxIdleConnections?: number | undefined
  /** How long an unused connection is kept open, in milliseconds: 60 000 by default. */
  readonly maxIdleAgeMs?: number | undefined
  /**
   * How often a funds check is sent again after a failure of the connection or a 502, 503 or 504: 1 by default, 0 to 5.
   * It never applies to a code exchange.
   */
  readonly retries?: number | undefined
  /** An http proxy that offers CONNECT, `http://user:password@host:3128`. The environment's is never used. */
  readonly proxy?: string | undefined
  /**
   * Another source of the present. It is read when a call begins, and every 20 ms while calls are under way. What it throws
   * when a call begins, the call fails with.
   */
  readonly clock?: (() => Date) | undefined
  /** Another way to send a request. */
  readonly transport?: Transport | undefined
  /** Told of every HTTP exchange, soon after its end. What it throws is a warning of the process. */
  readonly onEvent?: ((event: Event) => void) | undefined
  /** Whether certificates that make the issuer ineligible keep the client from being built; true by default. */
  readonly checkEligibility?: boolean | undefined
}

const KNOWN = [
  'bank',
  'issuer',
  'timeoutMs',
  'connectTimeoutMs',
  'maxInFlight',
  'maxIdleConnections',
  'maxIdleAgeMs',
  'retries',
  'proxy',
  'clock',
  'transport',
  'onEvent',
  'checkEligibility',
] as const

/** @internal What a client is inside; its sessions use it, too. */
export class Inside {
  readonly native: Native.Client
  readonly #gate: Gate
  readonly #ticker: Ticker

  constructor(client: Native.Client, gate: Gate, ticker: Ticker) {
    this.native = client
    this.#gate = gate
    this.#ticker = ticker
    ticker.drive((now) => client.setClock(now))
  }

  /** For what is done at once: the client is open, and its clock shows the present. */
  begin(): Native.Client {
    this.#gate.check()
    this.#ticker.tick()
    return this.native
  }

  /** The same for what may be done with a closed client, too. */
  tick(): void {
    this.#ticker.tick()
  }

  /** Makes a call when it is its turn. */
  run<T>(limits: CallOptions, start: Start<T>): Promise<T | Native.Failure> {
    return this.#ticker.during(() => this.#gate.run(limits, start))
  }

  /** The question of a call: checked at once when the call waits for its turn, else by the thread that asks it. */
  question(request: unknown): Native.Asked {
    return this.#gate.isFull ? nativeRequest(request) : asked(request)
  }

  /** Does something with a clock that goes on. */
  during<T>(work: () => Promise<T>): Promise<T> {
    return this.#ticker.during(work)
  }

  close(): Promise<void> {
    return this.#gate.close()
  }
}

/** @internal */
export let insideOf: (client: unknown) => Inside

/**
 * One issuer at one bank. It does no I/O until it is asked to.
 *
 * It keeps connections open and resumes TLS sessions, so make one and keep it. Calls wait on threads of its own, never on
 * the event loop and never on the threads that `fs` and `dns` share.
 *
 * Throws errors of the kinds `configuration` and `eligibility`.
 */
export class Client {
  static {
    insideOf = (client) => {
      if (typeof client === 'object' && client !== null && #inside in client) {
        return client.#inside
      }
      throw wrongType(client, 'client', 'a Client')
    }
  }

  readonly #inside: Inside
  /** The bank. */
  readonly bank: Bank
  /** The issuer. */
  readonly issuer: Issuer

  constructor(client: ClientOptions) {
    const given = needed<ClientOptions>(client, 'A Client', KNOWN, ['bank', 'issuer'])
    this.bank = given.bank as Bank
    this.issuer = given.issuer as Issuer
    this.#inside = assembled(given)
    Object.freeze(this)
  }

  /** What the connections have done so far. */
  get statistics(): TransportStatistics {
    return Object.freeze(taken(this.#inside.native.statistics()))
  }

  /**
   * Begins a consent: builds the URL to send the cardholder to. No I/O.
   *
   * `validForMs` is how long the cardholder may take at the bank, 15 minutes by default; some banks never send the cardholder
   * back.
   */
  beginConsent(given: { readonly validForMs?: number | undefined } = {}): PendingConsent {
    const { validForMs } = options<{ validForMs: number }>(given, 'beginConsent', ['validForMs'])
    const valid = optionalMillis(validForMs, 'validForMs')
    return pendingOf(taken(this.#inside.begin().beginConsent(valid)))
  }

  /**
   * Reads the callback and exchanges its code for tokens, in one step.
   *
   * Fails with what {@link PendingConsent.complete} and {@link exchangeCode} fail with.
   */
  async completeConsent(pending: PendingConsent, callbackUrl: string, limits?: CallOptions): Promise<Tokens> {
    const [begun, url, within] = [
      nativePending(pending),
      text(callbackUrl, 'callbackUrl'),
      callOptions(limits, 'completeConsent'),
    ]
    const inside = this.#inside
    const made = inside.run(within, (call, left, cancel) =>
      inside.native.completeConsent(call, begun, url, left, cancel),
    )
    return tokensOf(taken(await made))
  }

  /**
   * Exchanges the code for tokens. A code works once, so this is never re-sent: after a time-out or a broken connection ask
   * the cardholder again.
   *
   * Fails with `consent.code_refused`, `bank.client_refused`, and any error of network, TLS, time and protocol.
   */
  async exchangeCode(pending: PendingConsent, code: AuthorizationCode, limits?: CallOptions): Promise<Tokens> {
    const [begun, own, within] = [nativePending(pending), nativeCode(code), callOptions(limits, 'exchangeCode')]
    const inside = this.#inside
    const made = inside.run(within, (call, left, cancel) => inside.native.exchangeCode(call, begun, own, left, cancel))
    return tokensOf(taken(await made))
  }

  /**
   * Refreshes the tokens. What the bank leaves out of its answer stays as it was. A {@link Session} does this by itself.
   *
   * Fails with `consent.lost`, `consent.no_refresh_token`, and any error of network, TLS, time and protocol.
   */
  async refresh(tokens: Tokens, limits?: CallOptions): Promise<Tokens> {
    const [old, within] = [nativeTokens(tokens), callOptions(limits, 'refresh')]
    const inside = this.#inside
    const made = inside.run(within, (call, left, cancel) => inside.native.refresh(call, old, left, cancel))
    return tokensOf(taken(await made))
  }

  /**
   * Asks the bank whether the account covers the amount. Nothing is reserved.
   *
   * **No answer is not "no funds"**: anything but a well-formed yes or no to exactly this request is an error.
   * `consent.access_token_refused` when the access token is no longer good, `bank.…` when the bank refuses, and any error of
   * network, TLS, time and protocol.
   */
  async confirmFunds(
    tokens: Tokens,
    request: FundsRequest | FundsRequestOptions,
    limits?: CallOptions,
  ): Promise<FundsConfirmation> {
    const inside = this.#inside
    const own = nativeTokens(tokens)
    const question = inside.question(request)
    const within = callOptions(limits, 'confirmFunds')
    const made = inside.run(within, (call, left, cancel) =>
      inside.native.confirmFunds(call, own, question, left, cancel),
    )
    return confirmation(taken(await made))
  }

  /** What {@link confirmFunds} would send, header by header, with the exact signing string. Nothing is sent. */
  explain(request: FundsRequest | FundsRequestOptions): Explanation {
    const question = nativeRequest(request)
    return new Explanation(taken(this.#inside.begin().explain(question)))
  }

  /**
   * Opens connections (at most 256) to the bank ahead, so that the first calls cost what later ones do.
   *
   * Gives back how many are ready. Fails when not one could be opened.
   */
  async warmUp(connections = 1): Promise<number> {
    const count = optionalCount(connections, 'connections') ?? 1
    const inside = this.#inside
    return taken(await inside.run({}, (call) => inside.native.warmUp(call, count)))
  }

  /**
   * Lets no further call begin, and waits for those under way. Connections close when client and sessions are collected.
   * Leaving an `await using` does this.
   */
  close(): Promise<void> {
    return this.#inside.close()
  }

  /** Closes the client. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** What may be shown. */
  toJSON(): Record<string, unknown> {
    return { bank: this.bank.id, clientId: this.issuer.clientId }
  }

  /** @internal */
  [inspect.custom](_: number, given: object): string {
    return `Client ${inspect(this.toJSON(), given)}`
  }
}

/** Tells a listener of events; one that throws does not disturb the calls. */
function telling(listener: (event: Event) => void): (facts: Native.Event) => void {
  return (facts) => {
    try {
      listener(eventOf(facts))
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error))
      process.emitWarning(`The onEvent of a cbpii Client threw ${reason.stack ?? reason.message}`, 'CbpiiWarning')
    }
  }
}

const TIMEOUT_MS = 10_000
const MAX_IN_FLIGHT = 64

function assembled(given: Partial<ClientOptions>): Inside {
  const ticker = new Ticker(optionalFunction<() => unknown>(given.clock, 'clock'))
  const transport = optionalFunction<Transport>(given.transport, 'transport')
  const listener = optionalFunction<(event: Event) => void>(given.onEvent, 'onEvent')
  const maxInFlight = optionalCount(given.maxInFlight, 'maxInFlight') ?? MAX_IN_FLIGHT
  const timeoutMs = optionalMillis(given.timeoutMs, 'timeoutMs') ?? TIMEOUT_MS
  const settings: Record<string, unknown> = {
    timeoutMs,
    connectTimeoutMs: optionalMillis(given.connectTimeoutMs, 'connectTimeoutMs'),
    maxIdleConnections: optionalCount(given.maxIdleConnections, 'maxIdleConnections'),
    maxIdleAgeMs: optionalMillis(given.maxIdleAgeMs, 'maxIdleAgeMs'),
    retries: optionalCount(given.retries, 'retries'),
    proxy: optionalText(given.proxy, 'proxy'),
    checkEligibility: optionalBoolean(given.checkEligibility, 'checkEligibility'),
    maxInFlight,
    now: ticker.read(),
  }
  const client = taken(
    native.client(
      settler,
      recordOf(given.bank, 'bank'),
      nativeIssuer(given.issuer),
      settings as unknown as Native.ClientOptions,
      transport && exchanging(transport),
      listener && telling(listener),
    ),
  )
  return new Inside(client, new Gate(maxInFlight, timeoutMs), ticker)
}
