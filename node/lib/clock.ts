/** Clocks written in JavaScript. */

import { moment } from './check.js'

/** How often a clock is read while calls are under way. */
const EVERY_MS = 20

/** @internal Keeps the addon's clock at what the caller's shows; does nothing when there is none. */
export class Ticker {
  readonly #clock: (() => unknown) | undefined
  #set: (now: number) => void = () => {}
  #under_way = 0
  #timer: NodeJS.Timeout | undefined

  constructor(clock: (() => unknown) | undefined) {
    this.#clock = clock
  }

  /** What the clock shows, when there is one. What it throws comes out here. */
  read(): number | undefined {
    return this.#clock && moment(this.#clock(), 'that the clock gave')
  }

  /** Sets the addon's clock from now on. */
  drive(set: (now: number) => void): void {
    this.#set = set
  }

  /** Sets the addon's clock now. */
  tick(): void {
    const now = this.read()
    if (now !== undefined) {
      this.#set(now)
    }
  }

  /** Does something with a clock that goes on. */
  during<T>(work: () => Promise<T>): Promise<T> {
    return this.#clock === undefined ? work() : this.#ticking(work)
  }

  async #ticking<T>(work: () => Promise<T>): Promise<T> {
    this.tick()
    this.#under_way += 1
    this.#timer ??= setInterval(() => this.#tickQuietly(), EVERY_MS).unref()
    try {
      return await work()
    } finally {
      this.#under_way -= 1
      if (this.#under_way === 0) {
        clearInterval(this.#timer)
        this.#timer = undefined
      }
    }
  }

  #tickQuietly(): void {
    try {
      this.tick()
    } catch {
      // It stands still until the next call, which says so.
    }
  }
}
