// A panic of the compiled part is the error `internal`, and the process goes on.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import { InternalError } from 'cbpii'

import errors from '../dist/errors.js'
import loader from '../dist/loader.js'
import settling from '../dist/settling.js'
import { bareClient, check, failure, saying, someTokens } from './support.mjs'

const { native } = loader
const { taken } = errors
const { settler, soon } = settling

/** A client of the addon itself. */
function nativeClient() {
  const issuer = taken(native.issuer('PSDFR-ACPR-12345', 'https://issuer.example/callback'))
  const bank = JSON.stringify({ ...JSON.parse(taken(native.bankBpce('17515', 'sandbox'))), signature: null })
  return taken(native.client(settler, bank, issuer, { maxInFlight: 1 }))
}

test('a panic in a call is a rejected promise, and the next call goes well', async () => {
  const client = nativeClient()
  for (const panicking of [(call) => client.panicSoon(call), (call) => client.panicLate(call)]) {
    const error = await failure(async () => taken(await soon(panicking)))
    assert.ok(error instanceof InternalError)
    assert.equal(error.code, 'internal')
    assert.match(error.message, /panic/)
    assert.equal(error.advice, 'contact_bank')
  }
  assert.equal(await soon((call) => client.warmUp(call, 0)), 0)
})

test('a panic at once is thrown', () => {
  assert.throws(() => taken(native.panicAtOnce()), InternalError)
  // Outside what the core does, napi catches it.
  assert.throws(() => native.panicOutside(), /panic/i)
})

test('a listener or transport that throws is no panic', async () => {
  const broken = () => {
    throw new Error('on purpose')
  }
  const client = bareClient({ transport: broken, retries: 0 })
  assert.equal((await failure(client.confirmFunds(someTokens(), check()))).code, 'network.transport_failed')
  assert.equal((await bareClient({ transport: saying() }).confirmFunds(someTokens(), check())).available, true)
})
