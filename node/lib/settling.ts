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

/** @internal Starts a call under a number of its own, and promises its outcome; `ended` is told that it is there. */
export function soon<T>(start: (call: number) => Soon<T>, ended?: () => void): Promise<T | Failure> {
  return new Promise<Outcome<T>>((resolve, reject) => {
    last = (last + 1) >>> 0
    try {
      start(last)
    } catch (error) {
      reject(error)
      ended?.()
      return
    }
    if (underWay.size === 0) {
      alive.ref()
    }
    underWay.set(last, (outcome) => {
      resolve(outcome)
      ended?.()
    })
  })
}
