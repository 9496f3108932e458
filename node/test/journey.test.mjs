// From the consent to the answer, against the sandbox bank.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as cbpii from 'cbpii'

import { check, failure, PERSONAS, sealed, useSandbox } from './support.mjs'

const bank = useSandbox()

test('from the consent to a yes, a no, a refusal and fresh tokens', async () => {
  const sandbox = bank()
  const client = sandbox.client()
  const pending = client.beginConsent()
  assert.equal(pending.bankId, 'bpce-17515')
  assert.equal(pending.expiresAt - pending.createdAt, 15 * 60 * 1000)

  // A web server keeps it in the browser's session.
  const kept = cbpii.PendingConsent.deserialize(pending.serialize())
  const tokens = await client.completeConsent(kept, await sandbox.approve(pending.url))
  assert.equal(tokens.tokenType, 'Bearer')
  assert.ok(tokens.consentExpiresAt > new Date(Date.now() + 170 * 24 * 3600 * 1000))

  const answer = await client.confirmFunds(tokens, check({ amount: '458.99' }))
  assert.equal(answer.available, true)
  assert.equal(answer.reference, 'ORDER-1')
  assert.equal(answer.bankId, 'bpce-17515')
  assert.match(answer.requestId, /^[0-9a-f-]{36}$/)
  assert.ok(Math.abs(answer.checkedAt - Date.now()) < 5000)
  assert.ok(answer.durationMs > 0)
  assert.equal((await client.confirmFunds(tokens, check({ amount: '459.00' }))).available, false)

  const refused = await failure(client.confirmFunds(tokens, check({ account: PERSONAS.ALICE })))
  assert.ok(refused instanceof cbpii.BankRefusedError || refused instanceof cbpii.ConsentRequiredError, refused)

  const fresh = await client.refresh(tokens)
  assert.ok(!fresh.accessToken.equals(tokens.accessToken))
  const request = new cbpii.FundsRequest(check({ requestId: 'my-request-1' }))
  assert.equal((await client.confirmFunds(fresh, request)).requestId, 'my-request-1')
  assert.ok(client.statistics.connections >= 1)
  await client.close()
})

test('a session keeps the consent alive', async () => {
  const sandbox = bank()
  const client = sandbox.client()
  const pool = new cbpii.SessionPool({ client, store: await sealed() })
  const session = await pool.keep('customer-42', await sandbox.tokens('LEA'))
  assert.equal(session.state, 'active')
  await sandbox.expireTokens()
  assert.equal((await session.confirmFunds(check({ account: PERSONAS.LEA }))).available, true)
  assert.deepEqual(
    session.history().map((moment) => moment.event),
    ['kept', 'refresh_started', 'refreshed'],
  )
  assert.equal((await (await pool.open('customer-42')).reload()).nextAction, 'none')
  assert.equal(await pool.forget('customer-42'), true)
  assert.equal(await pool.forget('customer-42'), false)
  assert.equal((await failure(session.confirmFunds(check()))).code, 'consent.unknown')
})

test('a refusing cardholder is a consent refused', async () => {
  const sandbox = bank()
  const client = sandbox.client()
  const pending = client.beginConsent()
  const refused = await failure(client.completeConsent(pending, await sandbox.approve(pending.url, 'CLAIRE', 'refuse')))
  assert.ok(refused instanceof cbpii.ConsentRefusedError)
  assert.equal(refused.code, 'consent.access_denied')
  assert.equal(refused.advice, 'renew_consent')
})
