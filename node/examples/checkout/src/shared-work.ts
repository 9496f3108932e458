/** Work that several requests may wait for. */

interface Work<T> {
  readonly outcome: Promise<T>
  readonly cancel: AbortController
  waiting: number
  /** Cancels it, unless somebody comes back in time. */
  abandoned: NodeJS.Timeout | undefined
}

/** A double click drops its first request just before its second one arrives. */
const COME_BACK_MS = 100

/**
 * Does a piece of work once, however many ask for it while it is under way: a form that is sent twice is one payment. When
 * nobody waits for it any more, it is cancelled.
 */
export class SharedWork<T> {
  readonly #underWay = new Map<string, Work<T>>()

  /** The outcome of the work of this name; `leaving` tells that whoever asked does not wait any more. */
  async join(name: string, leaving: AbortSignal, start: (cancelled: AbortSignal) => Promise<T>): Promise<T> {
    const work = this.#underWay.get(name) ?? this.#begin(name, start)
    work.waiting += 1
    clearTimeout(work.abandoned)
    const leave = () => {
      work.waiting -= 1
      if (work.waiting === 0) {
        work.abandoned = setTimeout(() => this.#cancel(name, work, leaving.reason), COME_BACK_MS)
      }
    }
    leaving.addEventListener('abort', leave)
    if (leaving.aborted) {
      leave()
    }
    try {
      return await work.outcome
    } finally {
      leaving.removeEventListener('abort', leave)
    }
  }

  #cancel(name: string, work: Work<T>, reason: unknown): void {
    this.#underWay.delete(name)
    work.cancel.abort(reason)
  }

  #begin(name: string, start: (cancelled: AbortSignal) => Promise<T>): Work<T> {
    const cancel = new AbortController()
    const outcome = start(cancel.signal)
    const work: Work<T> = { outcome, cancel, waiting: 0, abandoned: undefined }
    this.#underWay.set(name, work)
    const ended = () => {
      clearTimeout(work.abandoned)
      if (this.#underWay.get(name) === work) {
        this.#underWay.delete(name)
      }
    }
    outcome.then(ended, ended)
    return work
  }
}
