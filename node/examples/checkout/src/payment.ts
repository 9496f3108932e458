/** Paying with the card: the bank is asked whether the funds are there, within a budget of time. */

import { CallCancelledError, CbpiiError, type FundsConfirmation, type PsuContext, type SessionPool } from 'cbpii'
import type { FastifyBaseLogger } from 'fastify'

import type { CheckOutcome, Metrics } from './metrics.js'
import { type Cents, decimal } from './money.js'
import { isNoAnswer, noticeOfPayment } from './notices.js'
import { isSettled, type Order, type OrderState } from './orders.js'
import type { Card } from './session.js'
import { SharedWork } from './shared-work.js'

/** The rules of the shop. */
export interface PaymentRules {
  /** What the bank's cardholder sees as merchant. */
  readonly payee: string
  /** How long the bank may take, in milliseconds. */
  readonly budgetMs: number
  /** Up to this amount an order is accepted when the bank gives no answer; 0 accepts none. */
  readonly acceptWithoutAnswerUpTo: Cents
}

/** One press of the button. */
export interface Attempt {
  /** The number the form carries: the same form sent twice is one attempt. */
  readonly number: number
  readonly card: Card
  readonly psu: PsuContext
  /** Aborted when the shopper does not wait any more. */
  readonly leaving: AbortSignal
  readonly log: FastifyBaseLogger
}

export class Payment {
  readonly #pool: SessionPool
  readonly #metrics: Metrics
  readonly #rules: PaymentRules
  readonly #checks = new SharedWork<void>()

  constructor(pool: SessionPool, metrics: Metrics, rules: PaymentRules) {
    this.#pool = pool
    this.#metrics = metrics
    this.#rules = rules
  }

  /** Tries to pay an order; how it stands then is its state. Never fails. An attempt that is over is not made again. */
  async pay(order: Order, attempt: Attempt): Promise<void> {
    if (isSettled(order) || attempt.number !== order.attempts + 1) {
      return
    }
    const name = `${order.id} ${attempt.number}`
    await this.#checks.join(name, attempt.leaving, (cancelled) => this.#attempt(order, attempt, cancelled))
  }

  async #attempt(order: Order, attempt: Attempt, cancelled: AbortSignal): Promise<void> {
    const began = performance.now()
    const [outcome, state] = await this.#state(order, attempt, cancelled)
    this.#metrics.check(outcome, (performance.now() - began) / 1000)
    // Meanwhile the shopper may have chosen another way to pay.
    if (outcome !== 'cancelled' && !isSettled(order)) {
      order.attempts = attempt.number
      order.state = state
    }
  }

  async #state(order: Order, attempt: Attempt, cancelled: AbortSignal): Promise<[CheckOutcome, OrderState]> {
    try {
      const { available } = await this.#ask(order, attempt, cancelled)
      return available
        ? ['yes', { is: 'paid', because: 'bank_said_yes' }]
        : ['no', { is: 'unpaid', notice: 'not_covered' }]
    } catch (error) {
      const outcome = outcomeOf(error)
      attempt.log.warn({ err: error, order: order.id, outcome }, 'a funds check has no yes or no')
      if (isNoAnswer(error) && order.article.price <= this.#rules.acceptWithoutAnswerUpTo) {
        this.#metrics.acceptedWithoutAnswer()
        return [outcome, { is: 'paid', because: 'small_without_answer' }]
      }
      return [outcome, { is: 'unpaid', notice: noticeOfPayment(error) }]
    }
  }

  async #ask(order: Order, { card, psu }: Attempt, cancelled: AbortSignal): Promise<FundsConfirmation> {
    const until = performance.now() + this.#rules.budgetMs
    const consent = await this.#pool.open(card.consent)
    const question = {
      reference: order.id,
      account: card.iban,
      amount: decimal(order.article.price),
      currency: 'EUR',
      payee: this.#rules.payee,
      psu,
    }
    const timeoutMs = Math.max(1, Math.round(until - performance.now()))
    return consent.confirmFunds(question, { timeoutMs, signal: cancelled })
  }
}

function outcomeOf(error: unknown): CheckOutcome {
  if (error instanceof CallCancelledError) {
    return 'cancelled'
  }
  if (isNoAnswer(error)) {
    return 'no_answer'
  }
  switch (error instanceof CbpiiError ? error.kind : undefined) {
    case 'consent_required':
      return 'consent_over'
    case 'bank_refused':
      return 'refused'
    default:
      return 'failed'
  }
}
