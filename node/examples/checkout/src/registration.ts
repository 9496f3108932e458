/** Registering a card: to the bank for the cardholder's consent, and back. */

import { randomUUID } from 'node:crypto'

import { CbpiiError, type Client, Iban, PendingConsent, type SessionPool } from 'cbpii'
import type { FastifyBaseLogger } from 'fastify'

import type { Metrics } from './metrics.js'
import { type Notice, noticeOfRegistration } from './notices.js'
import type { Card, Registering } from './session.js'

/** A card, or why there is none. `over` says that this registration cannot go on. */
export type Registered = { readonly card: Card } | { readonly notice: Notice; readonly over: boolean }

export class Registration {
  readonly #client: Client
  readonly #pool: SessionPool
  readonly #metrics: Metrics
  readonly #validForMs: number
  /** Outcomes by state, until the registration would have ended: a page that is loaded again must not send the code again. */
  readonly #outcomes = new Map<string, { readonly outcome: Promise<Registered>; readonly until: number }>()

  constructor(pool: SessionPool, metrics: Metrics, validForMs: number) {
    this.#client = pool.client
    this.#pool = pool
    this.#metrics = metrics
    this.#validForMs = validForMs
  }

  /** What to keep in the browser's session, and where to send it. Throws `request.iban`. */
  begin(iban: string): { readonly registering: Registering; readonly url: string } {
    const account = new Iban(iban)
    const pending = this.#client.beginConsent({ validForMs: this.#validForMs })
    this.#metrics.registration('begun')
    return { registering: { pending: pending.serialize(), iban: account.unmasked }, url: pending.url }
  }

  /** What came of the registration that the browser is sent back from. A card that was there is renewed. */
  complete(
    registering: Registering,
    callback: string,
    card: Card | undefined,
    log: FastifyBaseLogger,
  ): Promise<Registered> {
    const pending = PendingConsent.deserialize(registering.pending)
    const known = this.#outcomes.get(pending.state)
    if (known !== undefined) {
      return known.outcome
    }
    const outcome = this.#complete(pending, registering.iban, callback, card?.consent ?? randomUUID(), log)
    this.#remember(pending, outcome)
    return outcome
  }

  async #complete(
    pending: PendingConsent,
    iban: string,
    callback: string,
    consent: string,
    log: FastifyBaseLogger,
  ): Promise<Registered> {
    try {
      const tokens = await this.#client.completeConsent(pending, callback)
      await this.#pool.keep(consent, tokens)
      this.#metrics.registration('registered')
      return { card: { consent, iban } }
    } catch (error) {
      log.warn({ err: error }, 'a card was not registered')
      const notice = noticeOfRegistration(error)
      this.#metrics.registration(notice === 'refused' ? 'refused' : 'failed')
      // A callback that is not this registration's may be somebody's attack: the real one can still come.
      const foreign = error instanceof CbpiiError && error.code === 'consent.state_mismatch'
      if (foreign) {
        this.#outcomes.delete(pending.state)
      }
      return { notice, over: !foreign }
    }
  }

  #remember(pending: PendingConsent, outcome: Promise<Registered>): void {
    const now = Date.now()
    for (const [state, { until }] of this.#outcomes) {
      if (until < now) {
        this.#outcomes.delete(state)
      }
    }
    this.#outcomes.set(pending.state, { outcome, until: pending.expiresAt.getTime() })
  }
}
