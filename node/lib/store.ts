/** Where consents are kept. */

import { inspect } from 'node:util'

import { answer } from './callbacks.js'
import { bytes, moment, needed, optionalBoolean, optionalMillis, text, wrongType } from './check.js'
import { taken } from './errors.js'
import { native } from './loader.js'
import type * as Native from './native.js'
import { settler, soon } from './settling.js'

/** A record as a store gives it back. */
export interface StoredRecord {
  /** The sealed bytes, as they were saved. */
  readonly sealed: Uint8Array
  /** When the record falls due, as it was saved. */
  readonly dueAt: Date
  /**
   * Which writing of the record this is, a whole number. The versions a store gives only grow, also for an id that was
   * deleted and came back.
   */
  readonly version: number
}

/** One line of the index by due moment. */
export interface DueRecord {
  /** The consent's id. */
  readonly id: string
  /** When it falls due. */
  readonly dueAt: Date
}

/**
 * Where records are kept, for a store of your own: a database, a key-value server. Its methods may give back promises.
 *
 * It keeps opaque bytes and never sees a token: {@link SealedStore} seals them. It is asked several things at once. What a
 * method throws becomes the error of the call: a {@link CbpiiError} as it is, anything else as `store.failed` with what was
 * thrown as `cause`.
 */
export interface ConsentStore {
  /** The record of this id, or none. */
  load(id: string): Awaitable<StoredRecord | null | undefined>
  /**
   * Saves a record durably, if it is still at the version `expected` (null: if there is no record of this id).
   *
   * Gives back the new version, or null when the record is not at the expected version (any more), and then changes nothing.
   * Comparison and writing must be one step for everybody who uses the store.
   */
  save(id: string, sealed: Buffer, dueAt: Date, expected: number | null): Awaitable<number | null>
  /** Removes a record; false when there was none. */
  delete(id: string): Awaitable<boolean>
  /**
   * At most `limit` records that fall due before `dueBefore`, in the order of `dueAt`, then of the id's UTF-8 bytes, from the
   * one behind `after` on.
   */
  list(dueBefore: Date, after: DueRecord | null, limit: number): Awaitable<readonly DueRecord[]>
}

/** A value, or a promise of it. */
export type Awaitable<T> = T | PromiseLike<T>

/** How a store is opened. */
export interface SealedStoreOptions {
  /** 32 random bytes from a key store, never a password. */
  readonly key: Uint8Array
  /** Keys that only open what was sealed before. */
  readonly oldKeys?: readonly Uint8Array[] | undefined
  /** How long a SQLite file that another process writes to is waited for, in milliseconds: 5000 by default. */
  readonly busyTimeoutMs?: number | undefined
  /** Whether a SQLite file is only read from. */
  readonly readOnly?: boolean | undefined
}

/** A consent to renew. */
export interface RenewalDue {
  /** The id it is kept under. */
  readonly id: string
  /** Its bank ({@link Bank.id}). */
  readonly bankId: string
  /** When it ends or ended. */
  readonly consentExpiresAt: Date
  /** Why it is on the list: it ends before the moment asked for, the bank refuses checks, or its refresh token. */
  readonly reason: 'ending' | 'refused' | 'lost'
}

/** @internal */
export let nativeStore: (store: unknown) => Native.SealedStore

/**
 * A store of consents and the key that seals them (XChaCha20-Poly1305). Opened with {@link SealedStore.open}.
 */
export class SealedStore {
  static {
    nativeStore = (store) => {
      if (typeof store === 'object' && store !== null && #native in store) {
        return store.#native
      }
      throw wrongType(store, 'store', 'a SealedStore')
    }
  }

  readonly #native: Native.SealedStore
  readonly #shown: string

  private constructor(store: Native.SealedStore, shown: string) {
    this.#native = store
    this.#shown = shown
  }

  /**
   * Opens a store: the path of a SQLite file (made when it is missing), `memory`, a URL (`sqlite:///path`), or a
   * {@link ConsentStore} of your own. A text that is `memory`, has `://` or begins with `sqlite:` is never a path.
   *
   * Fails with errors of the kind `store`, such as `store.key`, `store.url`, `store.unreachable`.
   */
  static async open(store: string | ConsentStore, given: SealedStoreOptions): Promise<SealedStore> {
    const known = ['key', 'oldKeys', 'busyTimeoutMs', 'readOnly'] as const
    const { key, oldKeys, ...sqlite } = needed<SealedStoreOptions>(given, 'A SealedStore', known, ['key'])
    const own = bytes(key, 'key')
    const old = [...(oldKeys ?? [])].map((one) => bytes(one, 'oldKeys'))
    const busyTimeoutMs = optionalMillis(sqlite.busyTimeoutMs, 'busyTimeoutMs')
    const readOnly = optionalBoolean(sqlite.readOnly, 'readOnly') ?? false
    if (typeof store !== 'string') {
      return new SealedStore(taken(native.ownSealedStore(settler, storing(ownStore(store)), own, old)), 'of your own')
    }
    const name = text(store, 'store')
    const isUrl = name === '' || name === 'memory' || name.startsWith('sqlite:') || name.includes('://')
    const opened = await soon((call) =>
      native.openSealedStore(call, settler, name, isUrl, own, old, busyTimeoutMs, readOnly),
    )
    return new SealedStore(taken(opened), name)
  }

  /**
   * Seals every record that is still sealed with an old key with the current one, and gives back how many those were.
   *
   * Fails with `store.key` when a record needs a key that was not given, `store.corrupt` when one cannot be opened.
   */
  async reseal(): Promise<number> {
    return taken(await soon((call) => this.#native.reseal(call)))
  }

  /**
   * The consents of every bank that end before `before`, or are lost or refused since before it, the earliest first. Ask for
   * the present plus two weeks every night. A record that cannot be opened ends it with the error.
   */
  renewalsDue(before: Date): AsyncGenerator<RenewalDue, void, undefined> {
    return renewals(this.#native.renewalsDue(moment(before, 'before')))
  }

  /** What may be shown. */
  toJSON(): Record<string, unknown> {
    return { store: this.#shown }
  }

  /** @internal */
  [inspect.custom](): string {
    return `SealedStore(${inspect(this.#shown)})`
  }
}

async function* renewals(due: Native.RenewalsDue): AsyncGenerator<RenewalDue, void, undefined> {
  for (;;) {
    const one = taken(await soon((call) => due.next(call)))
    if (one === null) {
      return
    }
    const { id, bankId, consentExpiresAt, reason } = one
    const at = new Date(consentExpiresAt)
    yield Object.freeze({ id, bankId, consentExpiresAt: at, reason: reason as RenewalDue['reason'] })
  }
}

function ownStore(store: unknown): ConsentStore {
  const methods = ['load', 'save', 'delete', 'list'] as const
  const given = store as Partial<ConsentStore> | null
  if (typeof given !== 'object' || given === null || methods.some((name) => typeof given[name] !== 'function')) {
    throw wrongType(store, 'store', 'a path, "memory", a URL, or an object with load, save, delete and list')
  }
  return given as ConsentStore
}

/** The function that answers the addon's questions with a store. */
function storing(store: ConsentStore): (question: Native.Storing) => unknown {
  return (question) => {
    const { id, ...given } = question.arguments()
    const respond = <T>(ask: () => T, give: (answer: Awaited<T>) => void) =>
      answer(question, 'consent store', ask, give)
    switch (question.operation()) {
      case 'load':
        return respond(
          () => store.load(id),
          (record) => giveRecord(question, record),
        )
      case 'save': {
        const [sealed, dueAt] = [given.sealed as Buffer, new Date(given.dueAt as number)]
        return respond(
          () => store.save(id, sealed, dueAt, given.expected ?? null),
          (saved) => question.saved(saved === null || saved === undefined ? undefined : version(saved)),
        )
      }
      case 'delete':
        return respond(
          () => store.delete(id),
          (wasThere) => question.deleted(optionalBoolean(wasThere, 'that the store gave for delete') ?? false),
        )
      case 'list': {
        const after = given.after ? { id: given.after.id, dueAt: new Date(given.after.dueAt) } : null
        return respond(
          () => store.list(new Date(given.dueBefore as number), after, given.limit as number),
          (lines) => question.listed([...lines].map(dueLine)),
        )
      }
    }
  }
}

function giveRecord(question: Native.Storing, record: StoredRecord | null | undefined): void {
  if (record === null || record === undefined) {
    question.notThere()
    return
  }
  const dueAt = moment(record.dueAt, 'dueAt that the store gave')
  question.loaded(bytes(record.sealed, 'sealed that the store gave'), dueAt, version(record.version))
}

function dueLine({ id, dueAt }: DueRecord): Native.DueLine {
  return { id: text(id, 'id that the store gave'), dueAt: moment(dueAt, 'dueAt that the store gave') }
}

/** A version that a store gave. */
function version(given: unknown): number {
  if (typeof given !== 'number' || !Number.isSafeInteger(given) || given < 0) {
    throw wrongType(given, 'version that the store gave', 'a whole number')
  }
  return given
}
