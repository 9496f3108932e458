// Sessions, and where they are kept.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { CbpiiError, SealedStore, SessionPool, StoreError } from 'cbpii'

import {
  bareClient,
  check,
  FOREVER,
  failure,
  KEY,
  OwnStore,
  PERSONAS,
  sealed,
  someTokens,
  useSandbox,
} from './support.mjs'

const bank = useSandbox()
const folder = mkdtempSync(join(tmpdir(), 'cbpii-sessions-'))
after(() => rmSync(folder, { recursive: true }))

const DAY = 24 * 3600 * 1000
const file = (name) => join(folder, name)

async function walked(iterable) {
  const all = []
  for await (const one of iterable) {
    all.push(one)
  }
  return all
}

const STORES = {
  'in memory': () => 'memory',
  'in a SQLite file': () => file('a.db'),
  'by its URL': () => `sqlite://${file('b.db')}`,
  'written in JavaScript': () => new OwnStore(),
}

for (const [where, make] of Object.entries(STORES)) {
  test(`a consent is kept ${where}, refreshed once, and renewed`, async () => {
    const store = await sealed(make())
    const pool = new SessionPool({ client: bank().client(), store })
    const tokens = await bank().tokens()
    const session = await pool.keep('claire', tokens)
    assert.equal(session.id, 'claire')
    assert.deepEqual(session.consentExpiresAt, FOREVER)
    await bank().expireTokens()
    const answers = await Promise.all(Array.from({ length: 20 }, () => session.confirmFunds(check())))
    assert.ok(answers.every((answer) => answer.available))
    assert.equal((await bank().requests()).filter(({ endpoint }) => endpoint === 'token').length, 1)
    assert.deepEqual(
      session.history().map(({ event }) => event),
      ['kept', 'refresh_started', 'refreshed'],
    )
    assert.equal(session.hasUnsavedTokens, false)

    // Another pool of the same store sees it.
    const other = await new SessionPool({ client: bank().client(), store }).open('claire')
    assert.equal((await other.confirmFunds(check())).available, true)
    const due = await walked(pool.renewalsDue(new Date('2200-01-01')))
    assert.deepEqual(due, [{ id: 'claire', bankId: 'bpce-17515', consentExpiresAt: FOREVER, reason: 'ending' }])
    assert.deepEqual(await walked(store.renewalsDue(new Date())), [])
    await pool.keep('claire', await bank().tokens())
    assert.equal(await pool.forget('claire'), true)
    assert.equal((await failure(pool.open('claire'))).code, 'consent.unknown')
  })
}

test('the list of renewals is read page by page', async () => {
  for (const where of ['memory', new OwnStore()]) {
    const pool = new SessionPool({ client: bareClient(), store: await sealed(where) })
    const ids = Array.from({ length: 600 }, (_, number) => `consent-${String(number).padStart(3, '0')}`)
    await Promise.all(
      ids.map((id, number) =>
        pool.keep(id, someTokens({ consentExpiresAt: new Date(FOREVER.getTime() + (number % 7) * DAY) })),
      ),
    )
    const due = await walked(pool.renewalsDue(new Date('2200-01-01')))
    assert.deepEqual(due.map(({ id }) => id).sort(), ids)
    assert.deepEqual(
      due.map(({ consentExpiresAt }) => consentExpiresAt.getTime()),
      due.map(({ consentExpiresAt }) => consentExpiresAt.getTime()).sort((a, b) => a - b),
    )
  }
})

test('a store keeps nothing in clear, and its key can be changed', async () => {
  const [own, next] = [new OwnStore(), randomBytes(32)]
  const client = bareClient()
  await new SessionPool({ client, store: await sealed(own) }).keep('claire', someTokens())
  assert.ok(!own.records.get('claire').sealed.includes('secret-'))
  assert.equal(await (await SealedStore.open(own, { key: next, oldKeys: [KEY] })).reseal(), 1)
  const pool = new SessionPool({ client, store: await sealed(own) })
  assert.equal((await failure(pool.open('claire'))).code, 'store.key')
  const resealed = new SessionPool({ client, store: await SealedStore.open(own, { key: next }) })
  assert.equal((await (await resealed.open('claire')).confirmFunds(check())).available, true)

  await new SessionPool({ client, store: await sealed(file('clear.db')) }).keep('claire', someTokens())
  const bytes = readdirSync(folder)
    .filter((name) => name.startsWith('clear'))
    .map((name) => readFileSync(file(name)))
  assert.ok(bytes.length > 0 && bytes.every((content) => !content.includes('secret-')))
})

test('a store that fails is named, and what it threw is the cause', async () => {
  const away = new Error('the database is away')
  const own = CbpiiError.of('store.full', 'There is no room.')
  let thrown = away
  class Failing extends OwnStore {
    async load() {
      throw thrown
    }
  }
  const pool = new SessionPool({ client: bareClient(), store: await sealed(new Failing()) })
  let error = await failure(pool.open('claire'))
  assert.ok(error instanceof StoreError)
  assert.deepEqual([error.code, error.cause], ['store.failed', away])
  thrown = own
  error = await failure(pool.keep('claire', someTokens()))
  assert.deepEqual([error.code, error.message, error.cause], ['store.full', 'There is no room.', own])
})

test('what led to the failure of a refresh is the cause, too', async () => {
  const away = new Error('the database is away')
  class Failing extends OwnStore {
    broken = false
    async save(...given) {
      if (this.broken) {
        throw away
      }
      return super.save(...given)
    }
  }
  const store = new Failing()
  const client = bank().client()
  const expired = someTokens({ obtainedAt: new Date(0), expiresAt: new Date(0) })
  const session = await new SessionPool({ client, store: await sealed(store) }).keep('claire', expired)
  store.broken = true
  const error = await failure(session.confirmFunds(check()))
  assert.deepEqual([error.code, error.cause], ['store.failed', away])
})

test('what a store gives back is checked', async () => {
  const record = { sealed: Buffer.alloc(10), dueAt: new Date(), version: 1 }
  for (const [wrong, message] of [
    [{ ...record, version: 1.5 }, /version/],
    [{ ...record, version: -1 }, /version/],
    [{ ...record, dueAt: '2026-01-01' }, /dueAt/],
    [{ ...record, sealed: 'a text' }, /sealed/],
  ]) {
    const store = Object.assign(new OwnStore(), { load: () => wrong })
    const error = await failure(new SessionPool({ client: bareClient(), store: await sealed(store) }).open('claire'))
    assert.equal(error.code, 'store.failed')
    assert.ok(error.cause instanceof TypeError)
    assert.match(error.cause.message, message)
  }
  const torn = Object.assign(new OwnStore(), { load: () => record })
  const pool = new SessionPool({ client: bareClient(), store: await sealed(torn) })
  assert.equal((await failure(pool.open('claire'))).kind, 'store')
})

test('how a consent stands is told while its store is busy', async () => {
  let release
  const busy = new Promise((resolve) => {
    release = resolve
  })
  class Slow extends OwnStore {
    saves = 0
    async save(...given) {
      this.saves += 1
      if (this.saves > 1) {
        await busy
      }
      return super.save(...given)
    }
  }
  const store = new Slow()
  const pool = new SessionPool({ client: bank().client(), store: await sealed(store) })
  const tokens = await bank().tokens('CLAIRE', 'aisp')
  const session = await pool.keep('claire', tokens)
  // The bank's verdict about the consent is being recorded.
  const outcome = failure(session.confirmFunds(check()))
  while (store.saves < 2) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.equal(session.state, 'refused')
  assert.equal(session.history().at(-1).event, 'refused')
  release()
  assert.equal((await outcome).code, 'bank.wrong_role')
})

test('the clock of a consent', async () => {
  const client = bareClient()
  const pool = new SessionPool({ client, store: await sealed(), renewBeforeMs: 20 * DAY })
  const session = await pool.keep('claire', someTokens({ consentExpiresAt: new Date(Date.now() + 30.5 * DAY) }))
  const status = session.status()
  assert.deepEqual([status.state, status.daysLeft, status.nextAction], ['active', 30, 'none'])
  assert.equal(status.consentExpiresAt - status.renewFrom, 20 * DAY)
  assert.deepEqual(
    [session.state, session.daysLeft, session.nextAction, session.renewFrom],
    [status.state, status.daysLeft, status.nextAction, status.renewFrom],
  )
})

test('options of pools and stores are checked', async () => {
  const [client, store] = [bareClient(), await sealed()]
  for (const [work, code] of [
    [() => new SessionPool({ client, store, refreshMarginMs: 2 * 3600 * 1000 }), 'configuration.option'],
    [() => new SessionPool({ client, store, refreshTimeoutMs: 1 }), 'configuration.option'],
    [() => new SessionPool({ client, store, margin: 1 }), 'request.argument'],
    [() => new SessionPool({ client }), 'request.argument'],
    [() => new SessionPool({ client: {}, store }), 'request.argument'],
    [() => new SessionPool({ client, store: {} }), 'request.argument'],
    [() => SealedStore.open('memory', {}), 'request.argument'],
    [() => SealedStore.open('memory', { key: 'a text' }), 'request.argument'],
    [() => SealedStore.open({ load() {} }, { key: KEY }), 'request.argument'],
    [() => SealedStore.open(42, { key: KEY }), 'request.argument'],
    [() => SealedStore.open('', { key: KEY }), 'store.url'],
    [() => SealedStore.open('memory', { key: KEY, path: 'a' }), 'request.argument'],
  ]) {
    assert.equal((await failure(async () => work())).code, code)
  }
})

test('a persona of another account is another consent', async () => {
  const pool = new SessionPool({ client: bank().client(), store: await sealed() })
  const session = await pool.keep('georges', await bank().tokens('GEORGES'))
  assert.equal((await session.confirmFunds(check({ account: PERSONAS.GEORGES, amount: '0.01' }))).available, false)
})
