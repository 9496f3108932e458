/** Where the addon's calls end: it tells each outcome once, by the number of the call. */

import { native } from './loader.js'
import type { Failure, Outcome, Soon } from './native.js'

const underWay = new Map<number, (outcome: never) => void>()
let last = 0

/** Keeps the process alive while calls are under way: the addon's threads do not. */
const alive = setInterval(() => {}, 0x7fff_ffff).unref()

/** @internal What the addon tells the outcomes to. */
export const settler = new native.Settler((call, outcome) => {
  const settle = underWay.get(call)
  underWay.delete(call)
  if (underWay.size === 0) {
    alive.unref()
  }
  settle?.(outcome as never)
})

/** @internal Starts a call under a number of its own, and promises its outcome. */
export function soon<T>(start: (call: number) => Soon<T>): Promise<T | Failure> {
  return new Promise<Outcome<T>>((resolve) => {
    last = (last + 1) >>> 0
    start(last)
    if (underWay.size === 0) {
      alive.ref()
    }
    underWay.set(last, resolve)
  })
}
