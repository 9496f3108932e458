/** Consents kept alive. */

import { inspect } from 'node:util'

import { type CallOptions, callOptions, type Start } from './call.js'
import { needed, optionalMillis, text, wrongType } from './check.js'
import { type Client, type Inside, insideOf } from './client.js'
import { nativeTokens, type Tokens } from './consent.js'
import { taken } from './errors.js'
import type { FundsRequest, FundsRequestOptions } from './funds.js'
import { native } from './loader.js'
import { type Checks, ConfirmMany, type ConfirmManyOptions } from './many.js'
import type * as Native from './native.js'
import { confirmation, type FundsConfirmation, shown } from './results.js'
import { nativeStore, type RenewalDue, type SealedStore } from './store.js'

/**
 * How a consent stands. What a bank says about the account is not a state of the consent.
 *
 * - `active`: good, and its end is not near.
 * - `renew_soon`: good, and {@link ConsentStatus.renewFrom} has passed.
 * - `expired`: its days are over, or its access token has ended and the bank gave no refresh token. Checks fail at once.
 * - `refused`: the bank said last that this consent does not allow the check. Checks still ask the bank.
 * - `lost`: the bank does not accept the refresh token any more. Checks fail without asking the bank.
 */
export type ConsentState = 'active' | 'renew_soon' | 'expired' | 'refused' | 'lost'

/** What is to be done next about a consent; the next check sees to a `refresh` itself. */
export type NextAction = 'none' | 'refresh' | 'renew_consent'

/** How a consent stands at one moment. */
export interface ConsentStatus {
  /** In one word. */
  readonly state: ConsentState
  /** When the consent ends. Refreshing does not move it. At this very second it has ended. */
  readonly consentExpiresAt: Date
  /** From this second on it should be renewed. */
  readonly renewFrom: Date
  /** The whole days (24 hours) that are left, rounded down: 0 on the last day and after the end. */
  readonly daysLeft: number
  /** What is to be done. */
  readonly nextAction: NextAction
}

/** What happened to a consent. */
export type ConsentEvent =
  | 'kept'
  | 'refresh_started'
  | 'refreshed'
  | 'refresh_failed'
  | 'outcome_unknown'
  | 'refused'
  | 'answered'
  | 'lost'

/** One moment of a consent's history. */
export interface ConsentMoment {
  /** When, by the clock of who recorded it. */
  readonly at: Date
  /** What happened. */
  readonly event: ConsentEvent
  /** The code of the error that goes with it, if there is one. */
  readonly cause: string | undefined
}

function statusOf(facts: Native.Status): ConsentStatus {
  return Object.freeze({
    state: facts.state as ConsentState,
    consentExpiresAt: new Date(facts.consentExpiresAt),
    renewFrom: new Date(facts.renewFrom),
    daysLeft: facts.daysLeft,
    nextAction: facts.nextAction as NextAction,
  })
}

/** @internal */
export let nativeSession: (session: unknown) => Native.Session

/** @internal */
let sessionOf: (session: Native.Session, client: Inside) => Session

/**
 * One cardholder's consent at one bank, kept alive: access tokens are refreshed in time, exactly once across threads and
 * processes. Made by a {@link SessionPool}.
 */
export class Session {
  static {
    nativeSession = (session) => {
      if (typeof session === 'object' && session !== null && #native in session) {
        return session.#native
      }
      throw wrongType(session, 'consent', 'the id of a consent, or a Session')
    }
    sessionOf = (session, client) => new Session(session, client)
  }

  readonly #native: Native.Session
  readonly #client: Inside
  /** The id the consent is kept under. */
  readonly id: string

  private constructor(session: Native.Session, client: Inside) {
    this.#native = session
    this.#client = client
    this.id = session.id()
    Object.freeze(this)
  }

  /**
   * Asks the bank whether the account covers the amount, with an access token that is refreshed before its end, or once
   * after the bank refuses it. The time-out covers everything; a refresh that is under way is not cut short by it, nor by a
   * signal.
   *
   * **No answer is not "no funds"**: fails with what {@link Client.confirmFunds} and {@link Client.refresh} fail with;
   * `consent.expired`, `consent.lost`, `consent.refresh_answer_lost`, `consent.no_refresh_token` or `consent.unknown` when
   * the cardholder has to go to the bank again; and `store.…`.
   */
  async confirmFunds(request: FundsRequest | FundsRequestOptions, limits?: CallOptions): Promise<FundsConfirmation> {
    const [question, within] = [this.#client.question(request), callOptions(limits, 'confirmFunds')]
    const made = this.#client.run(within, (call, left, cancel) =>
      this.#native.confirmFunds(call, question, left, cancel),
    )
    return confirmation(taken(await made))
  }

  /** How the consent stands now, as far as this process knows; no I/O. */
  status(): ConsentStatus {
    this.#client.tick()
    return statusOf(taken(this.#native.status()))
  }

  /** How the consent stands now, in one word. */
  get state(): ConsentState {
    return this.status().state
  }

  /** When the consent ends. */
  get consentExpiresAt(): Date {
    return this.status().consentExpiresAt
  }

  /** From when on the consent should be renewed. */
  get renewFrom(): Date {
    return this.status().renewFrom
  }

  /** The whole days that are left, rounded down. */
  get daysLeft(): number {
    return this.status().daysLeft
  }

  /** What is to be done next. */
  get nextAction(): NextAction {
    return this.status().nextAction
  }

  /** What happened to the consent, oldest first: its last 16 moments. */
  history(): ConsentMoment[] {
    return taken(this.#native.history()).map(({ at, event, cause }) =>
      Object.freeze({ at: new Date(at), event: event as ConsentEvent, cause }),
    )
  }

  /**
   * Reads the consent from the store again, to see what other processes did to it.
   *
   * Fails with `consent.unknown` when it is there no more; `store.…`.
   */
  async reload(): Promise<ConsentStatus> {
    return statusOf(taken(await this.#client.run({}, (call) => this.#native.reload(call))))
  }

  /** Whether fresh tokens wait in memory because the store could not take them: the process should not end yet. */
  get hasUnsavedTokens(): boolean {
    return taken(this.#native.hasUnsavedTokens())
  }

  /** What may be shown. */
  toJSON(): Record<string, unknown> {
    return { id: this.id, ...this.status() }
  }

  /** @internal */
  [inspect.custom](_: number, options: object): string {
    const { state, daysLeft } = this.status()
    return shown('Session', { id: this.id, state, daysLeft }, options)
  }
}

/** What a pool is made of. Only client and store are needed. */
export interface SessionPoolOptions {
  /** The client. */
  readonly client: Client
  /** The store. */
  readonly store: SealedStore
  /**
   * How long before its end an access token is refreshed, in milliseconds: 60 000 by default, at most one hour; at most half
   * of the token's life is used.
   */
  readonly refreshMarginMs?: number | undefined
  /** How long before its end a consent should be renewed: two weeks by default, at most 3650 days. */
  readonly renewBeforeMs?: number | undefined
  /** The time a refresh may take, whatever time the check that caused it has: 10 000 by default, one second to five minutes. */
  readonly refreshTimeoutMs?: number | undefined
}

const DAY_MS = 24 * 60 * 60 * 1000

/**
 * The sessions of one client: its cardholders' consents in one store.
 *
 * Throws `configuration.option` when an option is outside its range.
 */
export class SessionPool {
  readonly #native: Native.Pool
  readonly #inside: Inside
  /** The client. */
  readonly client: Client
  /** The store. */
  readonly store: SealedStore

  constructor(pool: SessionPoolOptions) {
    const known = ['client', 'store', 'refreshMarginMs', 'renewBeforeMs', 'refreshTimeoutMs'] as const
    const given = needed<SessionPoolOptions>(pool, 'A SessionPool', known, ['client', 'store'])
    this.client = given.client as Client
    this.store = given.store as SealedStore
    this.#inside = insideOf(given.client)
    this.#native = taken(
      native.pool(
        this.#inside.native,
        nativeStore(given.store),
        optionalMillis(given.refreshMarginMs, 'refreshMarginMs') ?? 60_000,
        optionalMillis(given.renewBeforeMs, 'renewBeforeMs') ?? 14 * DAY_MS,
        optionalMillis(given.refreshTimeoutMs, 'refreshTimeoutMs') ?? 10_000,
      ),
    )
    Object.freeze(this)
  }

  /**
   * Keeps the tokens of a consent that was just given under `id` (1 to 255 bytes of UTF-8, stored in clear).
   *
   * A consent that was there is replaced: this is also how one is renewed. Sessions that are open go on with the new tokens.
   * Fails with `request.consent_id`; of kind `store`, and then nothing was kept.
   */
  async keep(id: string, tokens: Tokens): Promise<Session> {
    const [under, own] = [text(id, 'id'), nativeTokens(tokens)]
    return this.#session((call) => this.#native.keep(call, under, own))
  }

  /**
   * The consent that is kept under `id`. Reads the store, unless a session of this id is open that was not forgotten.
   *
   * Fails with `consent.unknown` when there is none; `store.bank` when it was kept for another bank; `request.consent_id`; of
   * kind `store`.
   */
  async open(id: string): Promise<Session> {
    const under = text(id, 'id')
    return this.#session((call) => this.#native.open(call, under))
  }

  /**
   * Forgets a consent; false when there was none. Open sessions of it fail with `consent.unknown` from now on.
   *
   * Fails with `request.consent_id`; of kind `store`.
   */
  async forget(id: string): Promise<boolean> {
    const under = text(id, 'id')
    return taken(await this.#inside.run({}, (call) => this.#native.forget(call, under)))
  }

  /** The consents to renew; see {@link SealedStore.renewalsDue}. */
  renewalsDue(before: Date): AsyncGenerator<RenewalDue, void, undefined> {
    return this.store.renewalsDue(before)
  }

  /**
   * Asks many questions: a stream of each check with its outcome, in the order in which they end.
   *
   * `checks` is anything that iterates, also asynchronously, and may never end: it is asked for checks a few times
   * `maxInFlight` ahead of the answers. A consent that cannot be opened is the error of its check. A bank that answers 429 is
   * left alone for as long as it says. Leaving the `for await` before its end cancels the rest.
   */
  confirmMany<T = undefined>(checks: Checks<T>, options: ConfirmManyOptions = {}): ConfirmMany<T> {
    const open = async (consent: string | Session) =>
      nativeSession(typeof consent === 'string' ? await this.open(consent) : consent)
    return new ConfirmMany<T>(checks, options, open, this.#inside)
  }

  /** What may be shown. */
  toJSON(): Record<string, unknown> {
    return { client: this.client.toJSON(), store: this.store.toJSON() }
  }

  async #session(start: Start<Native.Session>): Promise<Session> {
    return sessionOf(taken(await this.#inside.run({}, start)), this.#inside)
  }
}
