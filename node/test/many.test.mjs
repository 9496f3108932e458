// Many checks at once, as a stream.

import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'

import { CbpiiError, SessionPool } from 'cbpii'

import {
  atBest,
  bareClient,
  check,
  failure,
  lasting,
  PERSONAS,
  saying,
  sealed,
  someTokens,
  useSandbox,
} from './support.mjs'

const bank = useSandbox()

async function poolOf(client, ...ids) {
  const pool = new SessionPool({ client, store: await sealed() })
  await Promise.all(ids.map((id) => pool.keep(id, someTokens())))
  return pool
}

async function walked(stream) {
  const all = []
  for await (const one of stream) {
    all.push(one)
  }
  return all
}

test('each check comes back with its outcome', async () => {
  const pool = new SessionPool({ client: bank().client(), store: await sealed() })
  const claire = await pool.keep('claire', await bank().tokens('CLAIRE'))
  await pool.keep('georges', await bank().tokens('GEORGES'))
  await pool.keep('alice', await bank().tokens('ALICE'))
  const checks = [
    { consent: claire, request: check(), context: 1 },
    { consent: 'georges', request: check({ account: PERSONAS.GEORGES }), context: 2 },
    { consent: 'alice', request: check({ account: PERSONAS.ALICE }), context: 3 },
    { consent: 'nobody', request: check(), context: 4 },
    { consent: 'claire', request: check({ amount: '0' }), context: 5 },
  ]
  const stream = pool.confirmMany(checks, { maxInFlight: 2 })
  const outcomes = await walked(stream)
  outcomes.sort((a, b) => a.check.context - b.check.context)
  assert.deepEqual(
    outcomes.map(({ check }) => check),
    checks,
  )
  assert.deepEqual(
    outcomes.map(({ confirmation, error }) => confirmation?.available ?? error.code),
    [true, false, outcomes[2].error.code, 'consent.unknown', 'request.amount'],
  )
  assert.ok(outcomes[2].error.code.startsWith('bank.'))
  assert.ok(outcomes.every(({ error }) => error === undefined || error instanceof CbpiiError))
  const { done, yes, no, errors, elapsedMs } = stream.progress
  assert.deepEqual([done, yes, no, errors], [5, 1, 1, 3])
  assert.ok(elapsedMs > 0)
})

test('checks come from whatever iterates, and are asked for as they are needed', async () => {
  const pool = await poolOf(bareClient(), 'claire')
  const one = { consent: 'claire', request: check() }
  async function* slowly() {
    for (let number = 0; number < 5; number += 1) {
      await new Promise(setImmediate)
      yield one
    }
  }
  for (const source of [new Set([one, { ...one }]), slowly(), [].values()]) {
    const outcomes = await walked(pool.confirmMany(source))
    assert.ok(outcomes.every(({ confirmation }) => confirmation.available))
  }
  for (const wrong of [undefined, null, 5, 'claire', {}]) {
    assert.throws(() => pool.confirmMany(wrong), { code: 'request.argument' })
  }
})

test('a stream without end is walked in bounded memory, and left when its reader leaves', async () => {
  const [pool, session] = [await poolOf(bareClient()), undefined]
  const claire = await pool.keep('claire', someTokens())
  let [asked, closed] = [0, false]
  function* endless() {
    try {
      for (;;) {
        asked += 1
        yield { consent: session ?? claire, request: check(), context: asked }
      }
    } finally {
      closed = true
    }
  }
  let answered = 0
  const stream = pool.confirmMany(endless(), { maxInFlight: 4 })
  for await (const { confirmation } of stream) {
    assert.equal(confirmation.available, true)
    answered += 1
    assert.ok(asked - answered <= 6 * 4 + 1, `${asked - answered} are ahead`)
    if (answered === 500) {
      break
    }
  }
  assert.equal(closed, true)
  assert.deepEqual(await walked(stream), [], 'a stream is walked once')
})

test('a slow reader does not keep answers from coming in order of their end', async () => {
  const order = []
  const transport = async (request) => {
    const { instructedAmount } = JSON.parse(request.body)
    await new Promise((resolve) => setTimeout(resolve, instructedAmount.amount === '1.00' ? 100 : 0))
    return saying()(request)
  }
  const pool = await poolOf(bareClient({ transport }), 'claire')
  const checks = ['1.00', '2.00', '3.00'].map((amount) => ({
    consent: 'claire',
    request: check({ amount }),
    context: amount,
  }))
  for await (const { check } of pool.confirmMany(checks)) {
    order.push(check.context)
  }
  assert.equal(order.at(-1), '1.00')
})

test('closing or aborting a stream ends its calls at the bank', async () => {
  const sandbox = bank()
  await sandbox.fault('funds', 'stall', { times: null })
  const pool = new SessionPool({ client: sandbox.client({ retries: 0 }), store: await sealed() })
  const session = await pool.keep('claire', await sandbox.tokens())
  const checks = Array.from({ length: 20 }, () => ({ consent: session, request: check() }))
  const reason = new Error('enough')

  /** Starts a stream, waits until its checks are under way, and says how long its end takes. */
  async function ending(start) {
    const seen = (await sandbox.requests()).length
    const end = start()
    await sandbox.requests(seen + 16)
    return lasting(end)
  }

  const aborted = await atBest(50, () =>
    ending(() => {
      const controller = new AbortController()
      const outcome = failure(walked(pool.confirmMany(checks, { signal: controller.signal })))
      return async () => {
        controller.abort(reason)
        const error = await outcome
        assert.deepEqual([error.code, error.cause], ['cancelled', reason])
        assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
      }
    }),
  )
  assert.ok(aborted < 50, `it took ${aborted} ms`)

  const closed = await atBest(50, () =>
    ending(() => {
      const stream = pool.confirmMany(checks)
      const rest = walked(stream)
      return () => Promise.all([stream.close(), rest])
    }),
  )
  assert.ok(closed < 50, `it took ${closed} ms`)
  assert.equal((await failure(walked(pool.confirmMany(checks, { signal: AbortSignal.abort() })))).code, 'cancelled')
  await pool.confirmMany(checks)[Symbol.asyncDispose]()
})

test('what the source throws ends the stream', async () => {
  const pool = await poolOf(bareClient(), 'claire')
  const torn = new Error('the file is torn')
  function* broken() {
    yield { consent: 'claire', request: check() }
    throw torn
  }
  assert.equal(await failure(walked(pool.confirmMany(broken()))), torn)
  for (const wrong of [undefined, {}, { consent: 'claire' }, { consent: {}, request: check() }]) {
    const [{ error }] = await walked(pool.confirmMany([wrong]))
    assert.equal(error.code, 'request.argument')
  }
})

test('a bank that asks for a pause is left alone', async () => {
  let calls = 0
  const transport = (request) => {
    calls += 1
    return calls === 1 ? { status: 429, headers: { 'retry-after': '1' }, body: Buffer.from('{}') } : saying()(request)
  }
  let now = Date.now()
  const client = bareClient({ transport, clock: () => new Date(now), retries: 0 })
  const pool = await poolOf(client, 'claire')
  const outcomes = walked(pool.confirmMany([{ consent: 'claire', request: check() }]))
  while (calls < 1) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal(calls, 1, 'the pause is kept by the clock')
  now += 1001
  assert.equal((await outcomes)[0].confirmation.available, true)

  calls = 0
  const impatient = await walked(pool.confirmMany([{ consent: 'claire', request: check() }], { maxPauseMs: 10 }))
  assert.equal(impatient[0].error.code, 'bank.rate_limited')
})

test('options are checked', async () => {
  const pool = await poolOf(bareClient())
  for (const [options, code] of [
    [{ maxInFlight: 0 }, 'configuration.option'],
    [{ maxInFlight: 257 }, 'configuration.option'],
    [{ maxPauseMs: -1 }, 'configuration.option'],
    [{ inFlight: 1 }, 'request.argument'],
    [{ signal: 1 }, 'request.argument'],
  ]) {
    assert.throws(() => pool.confirmMany([], options), { code })
  }
  await pool.client.close()
  assert.throws(() => pool.confirmMany([]), { code: 'configuration.option' })
})
