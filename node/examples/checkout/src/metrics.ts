/** What is counted and timed, for Prometheus. Nothing in it is about a person. */

import type { Event } from 'cbpii'
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client'

/** How a funds check ended. */
export type CheckOutcome = 'yes' | 'no' | 'no_answer' | 'consent_over' | 'refused' | 'cancelled' | 'failed'

/** How far a registration came. */
export type RegistrationOutcome = 'begun' | 'registered' | 'refused' | 'failed'

const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.5, 1, 2.5, 5, 10]

export class Metrics {
  readonly registry = new Registry()
  readonly #checks = new Histogram({
    name: 'checkout_funds_check_seconds',
    help: 'Time the shopper waited for a funds check, by its outcome',
    labelNames: ['outcome'],
    buckets: SECONDS,
    registers: [this.registry],
  })
  readonly #withoutAnswer = new Counter({
    name: 'checkout_accepted_without_answer_total',
    help: "Orders that were accepted although the bank gave no answer: the shop's own risk",
    registers: [this.registry],
  })
  readonly #registrations = new Counter({
    name: 'checkout_registrations_total',
    help: 'Registrations of a card, by how far they came',
    labelNames: ['outcome'],
    registers: [this.registry],
  })
  readonly #exchanges = new Histogram({
    name: 'checkout_bank_exchange_seconds',
    help: 'Time of single HTTP exchanges with the bank, by what was done and how it ended (a status, or a code of cbpii)',
    labelNames: ['operation', 'result'],
    buckets: SECONDS,
    registers: [this.registry],
  })

  constructor() {
    collectDefaultMetrics({ register: this.registry })
  }

  check(outcome: CheckOutcome, seconds: number): void {
    this.#checks.observe({ outcome }, seconds)
  }

  acceptedWithoutAnswer(): void {
    this.#withoutAnswer.inc()
  }

  registration(outcome: RegistrationOutcome): void {
    this.#registrations.inc({ outcome })
  }

  /** An `onEvent` of a client. */
  readonly exchange = ({ operation, httpStatus, error, durationMs }: Event): void => {
    this.#exchanges.observe({ operation, result: error ?? String(httpStatus) }, durationMs / 1000)
  }
}
