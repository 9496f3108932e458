// Nothing that is shown, logged or serialised by accident holds a secret.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { format, inspect } from 'node:util'

import * as cbpii from 'cbpii'

import { bareClient, check, failure, PERSONAS, saying, sealed, someTokens, useSandbox } from './support.mjs'

const bank = useSandbox()

/** Every way in which a value gets into a log. */
function shownBy(value) {
  const ways = [
    inspect(value, { depth: 10, showHidden: true, getters: true }),
    inspect({ value }),
    format('%s %o %O %j', value, value, value, value),
  ]
  return [...ways, JSON.stringify(value), JSON.stringify({ value }), String(value), `${[value]}`].join('\n')
}

function hides(value, ...secrets) {
  const shown = shownBy(value)
  for (const secret of secrets) {
    assert.ok(secret.length > 7, 'a secret worth looking for')
    assert.ok(!shown.includes(secret), `${secret} shows in ${shown}`)
  }
  return shown
}

test('secrets show that they are there', () => {
  const secret = new cbpii.Secret('2YotnFZFEjr1zCsicMWpAA')
  hides(secret, '2YotnFZFEjr1zCsicMWpAA')
  assert.equal(inspect(secret), "Secret('2Yot…')")
  assert.deepEqual([String(secret), JSON.stringify(secret), secret.masked], ['2Yot…', '"2Yot…"', '2Yot…'])
  assert.equal(secret.expose(), '2YotnFZFEjr1zCsicMWpAA')
  assert.ok(secret.equals(new cbpii.Secret('2YotnFZFEjr1zCsicMWpAA')))
  assert.ok(!secret.equals(new cbpii.Secret('other')))
})

test('tokens leave by explicit calls only', () => {
  const tokens = someTokens()
  const shown = hides(tokens, 'secret-access-token', 'secret-refresh-token')
  assert.match(shown, /Tokens \{/)
  assert.match(JSON.stringify(tokens), /"accessToken":"secr…"/)
  assert.deepEqual(Object.keys(tokens), ['tokenType', 'scope', 'obtainedAt', 'expiresAt', 'consentExpiresAt'])
  assert.equal(tokens.accessToken.expose(), 'secret-access-token')
  const copy = cbpii.Tokens.deserialize(tokens.serialize())
  assert.ok(copy.equals(tokens) && cbpii.Tokens.deserialize(Buffer.from(tokens.serialize())).equals(tokens))
  assert.ok(!copy.equals(someTokens({ accessToken: 'other' })))
  assert.deepEqual([tokens.isExpired(), someTokens({ expiresAt: new Date(0) }).isExpired()], [false, true])
  assert.equal(someTokens({ refreshToken: undefined }).refreshToken, undefined)
})

test('codes, pending consents and their verifiers', () => {
  const code = new cbpii.AuthorizationCode('SplxlOBeZQQYbYS6WxSbIA')
  hides(code, 'SplxlOBeZQQYbYS6WxSbIA')
  assert.equal(code.expose(), 'SplxlOBeZQQYbYS6WxSbIA')
  const pending = bareClient().beginConsent()
  const { code_verifier: verifier, state } = JSON.parse(pending.serialize())
  assert.equal(state, pending.state)
  const secrets = [state, ...(verifier ? [verifier] : [])]
  hides(pending, ...secrets)
  const copy = cbpii.PendingConsent.deserialize(pending.serialize())
  assert.deepEqual([copy.url, copy.state, copy.createdAt], [pending.url, pending.state, pending.createdAt])
})

test('account numbers are masked', () => {
  const number = PERSONAS.CLAIRE
  const iban = new cbpii.Iban(number)
  assert.equal(inspect(iban), "Iban('FR76…4006')")
  const request = new cbpii.FundsRequest(check({ psu: { ipAddress: '192.0.2.17' } }))
  const card = cbpii.Account.other({ identification: '4970100000000014', scheme: 'CPAN' })
  for (const value of [iban, new cbpii.Account(number), request, card, bareClient().explain(request)]) {
    hides(value, number, number.slice(4, 20), '4970100000000014', '192.0.2.17')
  }
  assert.deepEqual([iban.unmasked, card.identification], [number, '4970100000000014'])
})

test('issuers, identities, clients, pools and stores', async () => {
  const issuer = bank().ownIssuer({ clientSecret: 'a-client-secret' })
  const client = bank().client({ issuer, proxy: 'http://user:a-proxy-password@127.0.0.1:1' })
  const store = await sealed()
  const session = await new cbpii.SessionPool({ client, store }).keep('claire', someTokens())
  const key = readFileSync(bank().issuer.qwac.key, 'utf8').split('\n')[1]
  const secrets = ['a-client-secret', 'a-proxy-password', 'secret-access-token', key]
  for (const value of [
    issuer,
    issuer.transport,
    issuer.seal,
    client,
    session,
    new cbpii.SessionPool({ client, store }),
    store,
  ]) {
    hides(value, ...secrets)
  }
  assert.match(inspect(client), /^Client \{ bank: 'bpce-17515', clientId: 'PSDFR-ACPR-12345' \}$/)
})

test('errors, their explanations and what led to them', async () => {
  const tokens = await bank().tokens('ALICE')
  const error = await failure(
    bank()
      .client()
      .confirmFunds(tokens, check({ account: PERSONAS.ALICE })),
  )
  const everything = [shownBy(error), shownBy(error.explanation), error.stack].join('\n')
  for (const secret of [PERSONAS.ALICE, tokens.accessToken.expose()]) {
    assert.ok(!everything.includes(secret))
  }
  assert.match(everything, /FR76…0185/)
  for (const wrong of [
    () => someTokens({ accessToken: 'a secret token' }),
    () => new cbpii.Iban('FR7617515900000800358074007'),
    () => cbpii.Tokens.deserialize('{"version":1,"access_token":"a-secret-token"}'),
    () => new cbpii.AuthorizationCode('a secret code'),
  ]) {
    hides(await failure(async () => wrong()), 'secret token', 'secret-token', 'secret code', '7515900000800358074007')
  }
})

test('answers hold no secret', async () => {
  const answer = await bareClient({ transport: saying(false) }).confirmFunds(someTokens(), check())
  hides(answer, PERSONAS.CLAIRE, 'secret-access-token')
  assert.ok(Object.isFrozen(answer))
})
