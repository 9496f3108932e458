// Arguments: what is taken, and how what is not is refused.

import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  Account,
  Amount,
  Bank,
  Client,
  Currency,
  FundsRequest,
  Iban,
  InvalidRequestError,
  Issuer,
  PendingConsent,
  Secret,
  Tokens,
} from 'cbpii'

import { bareClient, check, failure, PERSONAS, someTokens } from './support.mjs'

const code =
  (wanted, message = /./) =>
  (error) => {
    assert.equal(error.code, wanted, error.stack)
    assert.match(error.message, message)
    return true
  }

test('amounts are exact', () => {
  assert.equal(String(new Amount('12.50', 'EUR')), '12.50 EUR')
  assert.equal(String(new Amount(1250n, 'JPY')), '1250 JPY')
  assert.deepEqual(JSON.parse(JSON.stringify(new Amount('0.01', 'EUR'))), { value: '0.01', currency: 'EUR' })
  assert.deepEqual({ ...new Currency('JPY') }, { code: 'JPY', decimals: 0 })
  assert.throws(
    () => new Amount(12.5, 'EUR'),
    code('request.amount', /is a number, and most decimal amounts do not exist as one/),
  )
  assert.throws(() => new FundsRequest(check({ amount: 1 })), code('request.amount', /give text such as "12.50"/))
  for (const wrong of ['12.505', '0', '-1', '1e3', '12,50', '', ' 1', 'NaN', '12345678901234', -1n]) {
    assert.throws(() => new Amount(wrong, 'EUR'), code('request.amount'))
  }
  for (const wrong of ['eur', 'EURO', '']) {
    assert.throws(() => new Amount('1', wrong), code('request.currency'))
  }
})

test('a request takes an amount with a currency, or an Amount', () => {
  assert.equal(String(new FundsRequest(check({ amount: new Amount('5', 'USD'), currency: undefined })).amount), '5 USD')
  assert.equal(String(new FundsRequest(check({ amount: new Amount('5', 'EUR') })).amount), '5 EUR')
  assert.throws(() => new FundsRequest(check({ amount: new Amount('5', 'USD') })), code('request.currency', /differs/))
  assert.throws(() => new FundsRequest(check({ currency: undefined })), code('request.currency', /no currency/))
})

test('accounts', () => {
  const iban = new Iban('fr76 1751 5900 0008 0035 8074 006')
  assert.deepEqual([iban.unmasked, iban.country, iban.bankCode], [PERSONAS.CLAIRE, 'FR', '17515'])
  assert.equal(new Iban('DE89370400440532013000').bankCode, undefined)
  const account = new Account(iban, { currency: 'EUR', workspace: 'pro' })
  assert.deepEqual([account.iban.unmasked, account.currency, account.workspace], [PERSONAS.CLAIRE, 'EUR', 'pro'])
  const card = Account.other({ identification: '4970100000000014', scheme: 'CPAN', issuer: 'Visa' })
  assert.deepEqual(
    [card.iban, card.scheme, card.issuer, card.identification],
    [undefined, 'CPAN', 'Visa', '4970100000000014'],
  )
  assert.deepEqual(JSON.parse(JSON.stringify(card)), { scheme: 'CPAN', issuer: 'Visa' })
  assert.throws(() => Account.other({ identification: '1', scheme: 'ABCD' }), code('request.account'))
  assert.throws(() => Account.other({ identification: '1' }), code('request.argument', /needs scheme/))
  assert.throws(
    () => new FundsRequest(check({ account: new Account(PERSONAS.CLAIRE, { currency: 'USD' }) })),
    code('request.currency'),
  )
})

test('a call takes a request or its options', async () => {
  const request = new FundsRequest(check({ payee: 'A shop', requestId: 'id-1', psu: { ipAddress: '192.0.2.17' } }))
  assert.deepEqual([request.reference, request.payee, request.requestId], ['ORDER-1', 'A shop', 'id-1'])
  assert.deepEqual(request.psu, { ipAddress: '192.0.2.17' })
  assert.ok(Object.isFrozen(request))
  const client = bareClient()
  assert.equal((await client.confirmFunds(someTokens(), request)).requestId, 'id-1')
  assert.equal((await client.confirmFunds(someTokens(), check())).available, true)
  assert.match(String(client.explain(check())), /POST https:/)
})

test('mistyped options are refused by name', async () => {
  for (const work of [
    () => new FundsRequest(check({ payeee: 'x' })),
    () => new FundsRequest(check({ psu: { ip: '192.0.2.17' } })),
    () => bareClient({ timeout: 1000 }),
    () => bareClient().confirmFunds(someTokens(), check(), { timeout: 1000 }),
    () => bareClient().beginConsent({ validFor: 1 }),
    () => new Issuer({ clientId: 'a', redirectUri: 'https://a.example', transports: undefined }),
    () => new Account(PERSONAS.CLAIRE, { curency: 'EUR' }),
    () => someTokens({ expires: new Date() }),
  ]) {
    const error = await failure(async () => work())
    assert.ok(error instanceof InvalidRequestError)
    code('request.argument', /has no option \w+; there are /)(error)
  }
})

test('wrong types are named', async () => {
  const client = bareClient()
  for (const [work, message] of [
    [() => new Iban(42), /iban is not a string, but a number/],
    [() => new Iban(null), /null/],
    [() => new FundsRequest(check({ account: {} })), /iban is not an Iban or the text of one, but an object/],
    [() => new FundsRequest(check({ reference: 1 })), /reference is not a string/],
    [() => new FundsRequest(undefined), /needs reference/],
    [() => new FundsRequest([]), /an object of options, but an object of Array/],
    [() => client.confirmFunds('token', check()), /tokens is not Tokens, but a string/],
    [() => client.confirmFunds(someTokens(), check(), { timeoutMs: '1' }), /timeoutMs is not a number of milliseconds/],
    [() => client.confirmFunds(someTokens(), check(), { signal: {} }), /signal is not an AbortSignal/],
    [() => client.exchangeCode({}, 'code'), /pending is not a PendingConsent/],
    [() => client.exchangeCode(client.beginConsent(), 'code'), /code is not an AuthorizationCode/],
    [
      () => client.completeConsent(client.beginConsent(), new URL('https://a.example')),
      /callbackUrl is not a string, but an object of URL/,
    ],
    [() => client.warmUp('1'), /connections is not a number/],
    [() => new Client({ bank: {}, issuer: {} }), /bank is not a Bank/],
    [() => new Client({ bank: Bank.bpce('17515', 'sandbox'), issuer: {} }), /issuer is not an Issuer/],
    [() => someTokens({ obtainedAt: 5 }), /obtainedAt is not a Date, but a number/],
    [() => someTokens({ obtainedAt: new Date('') }), /obtainedAt is an invalid Date/],
    [() => new Tokens({}), /needs accessToken/],
    [() => new Secret(5), /secret is not a string or a Secret/],
    [() => Bank.bpce(17515, 'sandbox'), /code is not a string/],
    [() => new FundsRequest(check({ payee: '\ud800' })), /half of a surrogate pair/],
    [
      () => new Issuer({ clientId: 'a', redirectUri: 'https://a.example', transport: {} }),
      /transport is not a TransportIdentity/,
    ],
    [() => new Issuer({ clientId: 'a', redirectUri: 'https://a.example', seal: {} }), /seal is not a SealIdentity/],
  ]) {
    code('request.argument', message)(await failure(async () => work()))
  }
})

test('numbers outside their range are refused', async () => {
  for (const changes of [
    { timeoutMs: 0 },
    { timeoutMs: -1 },
    { timeoutMs: Number.NaN },
    { timeoutMs: 3_600_001 },
    { connectTimeoutMs: Number.POSITIVE_INFINITY },
    { retries: 6 },
    { retries: 1.5 },
    { maxInFlight: 0 },
    { maxInFlight: 1025 },
    { maxIdleConnections: -1 },
    { maxIdleConnections: 2 ** 33 },
  ]) {
    code('configuration.option')(await failure(async () => bareClient(changes)))
  }
  code('configuration.option', /256/)(await failure(bareClient().warmUp(257)))
  code('configuration.option')(await failure(async () => bareClient().beginConsent({ validForMs: 0 })))
})

test('saved forms are read back, or refused', () => {
  for (const wrong of ['', 'hello', '{}', '[]', Buffer.from([0xff, 0xfe])]) {
    assert.throws(() => Tokens.deserialize(wrong), code('request.saved_state'))
    assert.throws(() => PendingConsent.deserialize(wrong), code('request.saved_state'))
  }
  assert.throws(() => Tokens.deserialize({}), code('request.argument'))
  assert.throws(() => new PendingConsent(), /./)
})

test('an object of another class is refused, also one that looks like it', async () => {
  const impostor = Object.create(Tokens.prototype)
  code('request.argument', /tokens/)(await failure(bareClient().confirmFunds(impostor, check())))
  for (const Class of [Amount, Account, Iban]) {
    const name = Class === Amount ? 'amount' : 'account'
    const question = check({ [name]: Object.create(Class.prototype, { value: { value: '1' } }) })
    code('request.argument')(await failure(async () => new FundsRequest(question)))
  }
})
