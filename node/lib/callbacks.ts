/** What callers write themselves, asked by a thread of the addon. */

import { CbpiiError, statedRequestSent } from './errors.js'
import type { Thrown } from './native.js'

/** @internal A question of the addon that can fail. */
interface Question {
  failed(thrown: Thrown): void
}

/** What a callback threw, for the addon. An error of this package stays what it is; any other is told of in a sentence. */
function thrownBy(what: string, thrown: unknown): Thrown {
  const cause = { thrown }
  if (thrown instanceof CbpiiError) {
    const requestSent = statedRequestSent(thrown)
    return { code: thrown.code, message: thrown.message, ...(requestSent && { requestSent }), cause }
  }
  const kind = thrown instanceof Error ? thrown.name : `a ${typeof thrown}`
  return { message: `The ${what} failed with ${kind}; see the cause of this error.`, cause }
}

/**
 * @internal Has a question answered: `give` is handed what the caller's `ask` comes to, and refuses it when it is wrong.
 * Whatever goes wrong is the answer, so that nobody waits for it.
 */
export async function answer<T>(
  question: Question,
  what: string,
  ask: () => T,
  give: (answer: Awaited<T>) => void,
): Promise<void> {
  try {
    const given = await ask()
    try {
      give(given)
    } catch (wrong) {
      throw wrong instanceof CbpiiError ? new TypeError(wrong.message) : wrong
    }
  } catch (thrown) {
    question.failed(thrownBy(what, thrown))
  }
}
