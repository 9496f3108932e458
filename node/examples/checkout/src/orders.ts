/** What shoppers ordered, and how each order was paid. Kept in memory: a shop has a database for it. */

import { randomBytes } from 'node:crypto'

import type { Cents } from './money.js'
import type { Notice } from './notices.js'

/** Something the shop sells. */
export interface Article {
  readonly id: string
  readonly name: string
  readonly about: string
  readonly price: Cents
}

export const ARTICLES: readonly Article[] = [
  { id: 'lamp', name: 'Reading lamp', about: 'Brass, with a linen shade', price: 59_90 },
  { id: 'armchair', name: 'Armchair', about: 'Oak and wool, made to order', price: 458_99 },
  { id: 'desk', name: 'Writing desk', about: 'Solid walnut, two drawers', price: 459_00 },
  { id: 'cups', name: 'Espresso cups', about: 'Stoneware, set of four', price: 24_90 },
]

/** How an order stands. */
export type OrderState =
  | { readonly is: 'open' }
  /** The card pays: the bank said yes, or it said nothing and the amount is small enough to go without its word. */
  | { readonly is: 'paid'; readonly because: 'bank_said_yes' | 'small_without_answer' }
  /** The shopper pays when the goods arrive. */
  | { readonly is: 'on_delivery' }
  /** The card does not pay, at least not now; the shopper may try again. */
  | { readonly is: 'unpaid'; readonly notice: Notice }

export interface Order {
  /** 24 characters nobody guesses; also what the bank is given as reference. */
  readonly id: string
  /** Whose it is: the id of a browser's session. */
  readonly shopper: string
  readonly article: Article
  readonly placedAt: Date
  state: OrderState
  /** How often the card was asked and gave an outcome. The next attempt has the number after it. */
  attempts: number
}

/** Whether nothing is to be done about this order any more. */
export function isSettled(order: Order): boolean {
  return order.state.is === 'paid' || order.state.is === 'on_delivery'
}

/** The newest orders, so many of them. */
export class Orders {
  readonly #orders = new Map<string, Order>()
  readonly #limit: number

  constructor(limit = 10_000) {
    this.#limit = limit
  }

  place(shopper: string, article: Article): Order {
    const id = randomBytes(12).toString('hex')
    const order: Order = { id, shopper, article, placedAt: new Date(), state: { is: 'open' }, attempts: 0 }
    this.#orders.set(id, order)
    for (const oldest of this.#orders.keys()) {
      if (this.#orders.size <= this.#limit) {
        break
      }
      this.#orders.delete(oldest)
    }
    return order
  }

  /** The order, if it is this shopper's. */
  of(shopper: string | undefined, id: string): Order | undefined {
    const order = this.#orders.get(id)
    return order?.shopper === shopper ? order : undefined
  }
}
