// Signals, time-outs, turns: how calls end before their answer.

import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'

import { CallCancelledError, CallTimeoutError, SessionPool } from 'cbpii'

import { atBest, bareClient, check, failure, lasting, saying, sealed, someTokens, useSandbox } from './support.mjs'

const bank = useSandbox()
const listeners = (signal) => getEventListeners(signal, 'abort')

/** A client and a call that the bank does not answer. */
async function stalled(start, changes) {
  const sandbox = bank()
  await sandbox.fault('funds', 'stall', { times: null })
  const client = sandbox.client({ retries: 0, ...changes })
  const call = start(client, await sandbox.tokens())
  await sandbox.requests(1)
  return call
}

const ways = {
  'a call of a client': (client, tokens, limits) => client.confirmFunds(tokens, check(), limits),
  'a call of a session': async (client, tokens, limits) => {
    const pool = new SessionPool({ client, store: await sealed() })
    return (await pool.keep('claire', tokens)).confirmFunds(check(), limits)
  },
}

for (const [way, start] of Object.entries(ways)) {
  test(`abort ends ${way} within 50 ms, and its wait for the network`, async () => {
    const sandbox = bank()
    const [client, tokens, reason] = [
      sandbox.client({ maxInFlight: 1 }),
      await sandbox.tokens(),
      new Error('the shopper left'),
    ]

    async function abortedCall() {
      await sandbox.fault('funds', 'stall', { times: null })
      const controller = new AbortController()
      const heard = []
      controller.signal.addEventListener('abort', () => heard.push('listener'))
      controller.signal.onabort = () => heard.push('onabort')
      const seen = (await sandbox.requests()).length
      const outcome = failure(start(client, tokens, { signal: controller.signal }))
      await sandbox.requests(seen + 1)
      let error
      const took = await lasting(async () => {
        controller.abort(reason)
        error = await outcome
      })
      assert.ok(error instanceof CallCancelledError)
      assert.deepEqual([error.code, error.cause, error.requestSent], ['cancelled', reason, 'unknown'])
      assert.deepEqual(heard, ['listener', 'onabort'])
      assert.equal(listeners(controller.signal).length, 2, 'the listeners left are the caller’s own')

      // The only thread is free again: it really waits no more.
      await sandbox.clearFaults()
      const answer = await client.confirmFunds(tokens, check(), { timeoutMs: 2000 })
      assert.equal(answer.available, true)
      return took
    }

    const took = await atBest(50, abortedCall)
    assert.ok(took < 50, `it took ${took} ms`)
  })
}

test('a signal that was aborted before ends a call before it begins', async () => {
  const error = await failure(
    bank()
      .client()
      .confirmFunds(await bank().tokens(), check(), { signal: AbortSignal.abort('no') }),
  )
  assert.ok(error instanceof CallCancelledError)
  assert.deepEqual([error.cause, error.requestSent], ['no', 'no'])
  assert.deepEqual(await bank().requests(), [])
})

test('a signal of many calls has one listener, and none when they are over', async () => {
  const heard = []
  process.on('warning', (warning) => heard.push(warning.name))
  const [client, tokens, { signal }] = [bareClient({ maxInFlight: 4 }), someTokens(), new AbortController()]
  const calls = Array.from({ length: 40 }, () => client.confirmFunds(tokens, check(), { signal }))
  assert.equal(listeners(signal).length, 1)
  await Promise.all(calls)
  assert.equal(listeners(signal).length, 0)
  await new Promise(setImmediate)
  assert.deepEqual(heard, [])
})

test('a call that was answered is not disturbed by its signal', async () => {
  const controller = new AbortController()
  const answer = await bareClient().confirmFunds(someTokens(), check(), { signal: controller.signal })
  controller.abort()
  assert.equal(answer.available, true)
})

test('a time-out is not a no, and is kept', async () => {
  let error
  const took = await lasting(async () => {
    error = await failure(stalled((client, tokens) => client.confirmFunds(tokens, check(), { timeoutMs: 150 })))
  })
  assert.ok(error instanceof CallTimeoutError)
  assert.deepEqual([error.code, error.advice, error.requestSent], ['timeout.total', 'retry', 'unknown'])
  assert.ok(took < 1500, `it took ${took} ms`)
})

/** A client all of whose turns are taken, until `release` is called. */
function crowded(maxInFlight, changes = {}) {
  let release
  const released = new Promise((resolve) => {
    release = resolve
  })
  const heard = []
  const transport = async (request) => {
    await released
    return saying(true, heard)(request)
  }
  const client = bareClient({ maxInFlight, transport, retries: 0, ...changes })
  const first = Array.from({ length: maxInFlight }, () => client.confirmFunds(someTokens(), check()))
  return { client, first, release, heard }
}

test('a call that waits for its turn keeps its own time, and its signal', async () => {
  const { client, first, release, heard } = crowded(2)
  const controller = new AbortController()
  const [late, left] = [
    failure(client.confirmFunds(someTokens(), check(), { timeoutMs: 30 })),
    failure(client.confirmFunds(someTokens(), check(), { signal: controller.signal })),
  ]
  const patient = client.confirmFunds(someTokens(), check(), { timeoutMs: 5000 })
  const error = await late
  assert.deepEqual([error.code, error.requestSent], ['timeout.total', 'no'])
  assert.match(error.message, /2 others were under way/)
  controller.abort()
  assert.equal((await left).requestSent, 'no')
  release()
  assert.equal((await patient).available, true)
  await Promise.all(first)
  assert.equal(heard.length, 3)
  assert.ok(heard[2].timeoutMs < 5000, 'the time of its turn is what was left')
})

test('a wrong question does not wait for its turn', async () => {
  const { client, first, release } = crowded(1)
  const wrong = check({ amount: '-1.00' })
  const error = await failure(client.confirmFunds(someTokens(), wrong, { timeoutMs: 5000 }))
  assert.deepEqual([error.code, error.requestSent], ['request.amount', 'no'])
  release()
  assert.equal((await first[0]).available, true)
})

test('a closed client lets calls under way end, and no other begin', async () => {
  const { client, first, release } = crowded(1)
  const waiting = failure(client.confirmFunds(someTokens(), check()))
  let closed = false
  const closing = client.close().then(() => {
    closed = true
  })
  assert.equal((await waiting).code, 'cancelled')
  await new Promise(setImmediate)
  assert.equal(closed, false)
  release()
  assert.equal((await first[0]).available, true)
  await closing
  for (const call of [
    () => client.confirmFunds(someTokens(), check()),
    () => client.beginConsent(),
    () => client.warmUp(),
  ]) {
    assert.equal((await failure(async () => call())).code, 'configuration.option')
  }
  await client[Symbol.asyncDispose]()
})

test('no more calls are under way than the client allows', async () => {
  let [now, most] = [0, 0]
  let release
  const full = new Promise((resolve) => {
    release = resolve
  })
  const transport = async (request) => {
    now += 1
    most = Math.max(most, now)
    if (now === 3) {
      release()
    }
    await full
    await new Promise(setImmediate)
    now -= 1
    return saying()(request)
  }
  const client = bareClient({ maxInFlight: 3, transport })
  await Promise.all(Array.from({ length: 30 }, () => client.confirmFunds(someTokens(), check())))
  assert.equal(most, 3)
})
