// Signers, transports, clocks and listeners written in JavaScript.

import assert from 'node:assert/strict'
import { constants, createPrivateKey, sign as signWith } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent, request as httpsRequest } from 'node:https'
import { test } from 'node:test'
import { inspect } from 'node:util'

import * as cbpii from 'cbpii'

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

/** A signer as an HSM's would be: it has the key, the package does not. */
function signerOf(path, algorithms, asked = []) {
  const key = createPrivateKey(readFileSync(path))
  return {
    algorithms,
    async sign(algorithm, message) {
      asked.push(algorithm)
      await new Promise(setImmediate)
      const padding = algorithm.includes('-pss-') ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING
      return signWith('sha256', message, { key, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST })
    },
  }
}

const qsealc = () => readFileSync(bank().issuer.qsealc.chain)
const sealOf = (signer) => new cbpii.SealIdentity({ certificate: qsealc(), signer })

test('signers for both identities, asynchronous and many at once', async () => {
  const asked = []
  const { qwac, qsealc } = bank().issuer
  const transport = new cbpii.TransportIdentity({
    certificate: readFileSync(qwac.chain),
    signer: signerOf(qwac.key, ['rsa-pss-sha256', 'rsa-pkcs1-sha256'], asked),
  })
  const seal = new cbpii.SealIdentity({
    certificate: readFileSync(qsealc.chain),
    signer: signerOf(qsealc.key, ['rsa-pkcs1-sha256'], asked),
  })
  const client = bank().client({ issuer: bank().ownIssuer({ transport, seal }) })
  const tokens = await bank().tokens()
  const answers = await Promise.all(Array.from({ length: 30 }, () => client.confirmFunds(tokens, check())))
  assert.ok(answers.every((answer) => answer.available))
  assert.ok(asked.includes('rsa-pss-sha256') && asked.includes('rsa-pkcs1-sha256'))
})

test('a signer that fails is named, and what it threw is the cause', async () => {
  const locked = new RangeError('the token is locked')
  const own = cbpii.CbpiiError.of('configuration.signer_failed', 'The HSM is locked; unlock it.')
  for (const [sign, cause, text] of [
    [() => Promise.reject(locked), locked, /RangeError/],
    [
      () => {
        throw locked
      },
      locked,
      /RangeError/,
    ],
    [() => Promise.reject('a text'), 'a text', /a string/],
    [() => Promise.reject(undefined), undefined, /an? undefined/],
    [() => Promise.reject(own), own, /The HSM is locked/],
  ]) {
    const client = bank().client({
      issuer: bank().ownIssuer({ seal: sealOf({ algorithms: ['rsa-pkcs1-sha256'], sign }) }),
    })
    const error = await failure(client.confirmFunds(someTokens(), check()))
    assert.ok(error instanceof cbpii.ConfigurationError)
    assert.equal(error.code, 'configuration.signer_failed')
    assert.match(error.message, text)
    assert.ok('cause' in error)
    assert.equal(error.cause, cause)
    assert.equal(error.requestSent, 'no')
  }
  assert.deepEqual(await bank().requests(), [])
})

test('a signer that returns something else has failed, too', async () => {
  const seal = sealOf({ algorithms: ['rsa-pkcs1-sha256'], sign: () => 'a text' })
  const error = await failure(
    bank()
      .client({ issuer: bank().ownIssuer({ seal }) })
      .confirmFunds(someTokens(), check()),
  )
  assert.equal(error.code, 'configuration.signer_failed')
  assert.ok(error.cause instanceof TypeError)
  assert.match(error.cause.message, /signer returned is not a Buffer or Uint8Array, but a string/)
})

test('a signer that never answers does not outlast the call', async () => {
  const seal = sealOf({ algorithms: ['rsa-pkcs1-sha256'], sign: () => new Promise(() => {}) })
  const client = bank().client({ issuer: bank().ownIssuer({ seal }) })
  const late = await failure(client.confirmFunds(someTokens(), check(), { timeoutMs: 100 }))
  assert.equal(late.code, 'timeout.total')
  const took = await atBest(50, async () => {
    const controller = new AbortController()
    const left = failure(client.confirmFunds(someTokens(), check(), { signal: controller.signal }))
    await new Promise((resolve) => setTimeout(resolve, 20))
    return lasting(async () => {
      controller.abort()
      assert.equal((await left).code, 'cancelled')
    })
  })
  assert.ok(took < 50, `it took ${took} ms`)
})

test('a signer offers known algorithms, and is one', () => {
  const certificate = qsealc()
  for (const [signer, code] of [
    [{ algorithms: [], sign() {} }, 'configuration.option'],
    [{ algorithms: ['rot13'], sign() {} }, 'configuration.option'],
    [{ algorithms: ['rsa-pkcs1-sha256'] }, 'request.argument'],
    [() => {}, 'request.argument'],
  ]) {
    assert.throws(() => new cbpii.SealIdentity({ certificate, signer }), { code })
  }
  // TLS 1.3 takes nothing but RSASSA-PSS from an RSA key.
  const signer = { algorithms: ['rsa-pkcs1-sha256'], sign() {} }
  const identity = () => new cbpii.TransportIdentity({ certificate: readFileSync(bank().issuer.qwac.chain), signer })
  assert.throws(identity, cbpii.ConfigurationError)
})

test('a transport on node:https', async () => {
  const { ca, qwac } = bank().issuer
  const [cert, key] = [readFileSync(qwac.chain), readFileSync(qwac.key)]
  const agent = new Agent({ ca: readFileSync(ca), cert, key, keepAlive: true })
  const transport = ({ method, url, headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const sent = httpsRequest(url, {
        method,
        agent,
        signal,
        headers: [...headers, ['content-length', body.length]].flat(),
      })
      sent.once('error', reject)
      sent.once('response', async (answer) => {
        const chunks = await answer.toArray()
        const pairs = answer.rawHeaders.flatMap((name, at, all) => (at % 2 ? [] : [[name, all[at + 1]]]))
        resolve({ status: answer.statusCode, headers: pairs, body: Buffer.concat(chunks) })
      })
      sent.end(body)
    })
  const client = bank().client({ transport })
  const pending = client.beginConsent()
  const tokens = await client.completeConsent(pending, await bank().approve(pending.url))
  assert.equal((await client.confirmFunds(tokens, check())).available, true)
  assert.ok(await client.refresh(tokens))
  agent.destroy()
})

test('a transport sees everything and shows little', async () => {
  const heard = []
  const client = bareClient({ transport: saying(true, heard) })
  const answer = await client.confirmFunds(someTokens(), check({ requestId: 'id-1' }), { timeoutMs: 3000 })
  assert.equal(answer.available, true)
  const [request] = heard
  assert.equal(request.method, 'POST')
  const headers = new Map(request.headers)
  assert.equal(headers.get('authorization'), 'Bearer secret-access-token')
  assert.equal(headers.get('x-request-id'), 'id-1')
  assert.ok(request.body.includes(PERSONAS.CLAIRE))
  assert.ok(request.timeoutMs > 0 && request.timeoutMs <= 3000)
  assert.deepEqual([request.freshConnection, request.signal.aborted], [false, false])
  for (const shown of [inspect(request), JSON.stringify(request)]) {
    assert.ok(!shown.includes('secret') && !shown.includes(PERSONAS.CLAIRE), shown)
  }
})

test('a transport is told when nobody waits any more', async () => {
  for (const end of ['abort', 'timeout']) {
    let told
    const aborted = new Promise((resolve) => {
      told = resolve
    })
    const transport = ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          told()
          reject(signal.reason)
        })
      })
    const controller = new AbortController()
    const limits = end === 'abort' ? { signal: controller.signal } : { timeoutMs: 50 }
    const outcome = failure(bareClient({ transport, retries: 0 }).confirmFunds(someTokens(), check(), limits))
    await new Promise((resolve) => setTimeout(resolve, 20))
    controller.abort()
    assert.equal((await outcome).code, end === 'abort' ? 'cancelled' : 'timeout.total')
    await aborted
  }
})

test('a transport that fails', async () => {
  const broken = new Error('no route')
  const away = cbpii.CbpiiError.of('network.connect', 'The gateway is away.', { requestSent: 'no' })
  const silent = new cbpii.NetworkError('network.disconnected', 'The gateway broke off, and does not say when.')
  const answering = (answer) => () => answer
  const failing = (error) => () => {
    throw error
  }
  for (const [transport, code, sent, cause] of [
    [failing(broken), 'network.transport_failed', 'unknown', broken],
    [failing(away), 'network.connect', 'no', away],
    [failing(silent), 'network.disconnected', 'unknown', silent],
    [answering({ status: 200, headers: [], body: Buffer.alloc(2 ** 20 + 1) }), 'protocol.answer_too_large', 'yes'],
    [answering({ status: 200, headers: [['a b', 'c']], body: Buffer.alloc(0) }), 'protocol.malformed_http', 'yes'],
    [answering(undefined), 'network.transport_failed', 'unknown', /not an object with status/],
    [answering({ status: 99, headers: [], body: Buffer.alloc(0) }), 'network.transport_failed', 'unknown', /status/],
    [
      answering({ status: 200, headers: [['a']], body: Buffer.alloc(0) }),
      'network.transport_failed',
      'unknown',
      /headers/,
    ],
    [answering({ status: 200, headers: {}, body: 'a text' }), 'network.transport_failed', 'unknown', /body/],
  ]) {
    const error = await failure(bareClient({ transport, retries: 0 }).confirmFunds(someTokens(), check()))
    assert.deepEqual([error.code, error.requestSent], [code, sent], error.stack)
    if (cause instanceof RegExp) {
      assert.ok(error.cause instanceof TypeError)
      assert.match(error.cause.message, cause)
    } else {
      assert.equal(error.cause, cause)
    }
  }
})

test('headers of an answer may be pairs, a Map, Headers or an object', async () => {
  const plain = { 'x-correlationid': 'c-1' }
  for (const headers of [plain, Object.entries(plain), new Map(Object.entries(plain)), new Headers(plain)]) {
    const transport = (request) => ({ ...saying()(request), headers })
    assert.equal((await bareClient({ transport }).confirmFunds(someTokens(), check())).correlationId, 'c-1')
  }
})

test('a clock', async () => {
  let now = new Date('2026-11-23T13:00:00Z')
  const client = bareClient({ clock: () => now })
  const pending = client.beginConsent()
  assert.deepEqual(pending.createdAt, now)
  assert.deepEqual((await client.confirmFunds(someTokens(), check())).checkedAt, now)
  const inTenDays = new Date(now.getTime() + 10 * 24 * 3600 * 1000)
  const pool = new cbpii.SessionPool({ client, store: await sealed() })
  const session = await pool.keep('claire', someTokens({ obtainedAt: now, consentExpiresAt: inTenDays }))
  assert.deepEqual([session.state, session.daysLeft], ['renew_soon', 10])
  now = inTenDays
  assert.equal(session.state, 'expired')
  assert.equal((await failure(session.confirmFunds(check()))).code, 'consent.expired')
})

test('a clock goes on while calls are under way', async () => {
  const began = Date.now()
  const client = bareClient({
    clock: () => new Date(began + (Date.now() - began) * 1000),
    transport: async (request) => {
      await new Promise((resolve) => setTimeout(resolve, 100))
      return saying()(request)
    },
  })
  const { checkedAt } = await client.confirmFunds(someTokens(), check())
  assert.ok(checkedAt - began > 50_000, `${checkedAt - began}`)
})

test('a clock that fails fails the call', async () => {
  const broken = new Error('no time')
  let clock = () => new Date()
  const client = bareClient({ clock: () => clock() })
  clock = () => {
    throw broken
  }
  assert.equal(await failure(client.confirmFunds(someTokens(), check())), broken)
  clock = () => new Date(Number.NaN)
  assert.throws(() => client.beginConsent(), { code: 'request.argument' })
})

test('events go to a listener, and hold nothing secret', async () => {
  const events = []
  const client = bank().client({ onEvent: (event) => events.push(event) })
  const tokens = await bank().tokens()
  await bank().fault('funds', 'answer', { status: 503, headers: [], content_type: null, body: '' })
  const answer = await client.confirmFunds(tokens, check())
  await new Promise(setImmediate)
  const [first, second] = events
  assert.deepEqual([first.operation, first.attempt, first.httpStatus], ['confirm_funds', 1, 503])
  assert.deepEqual([first.error, first.bankId, first.requestId], ['bank.unavailable', 'bpce-17515', answer.requestId])
  assert.deepEqual([second.attempt, second.httpStatus, second.error], [2, 200, undefined])
  assert.ok(second.durationMs > 0)
  for (const secret of [tokens.accessToken.expose(), PERSONAS.CLAIRE]) {
    assert.ok(!JSON.stringify(events).includes(secret))
  }
})

test('a listener that fails is a warning, and does not end the call', async () => {
  const warned = new Promise((resolve) => process.once('warning', resolve))
  const onEvent = () => {
    throw new TypeError('not today')
  }
  assert.equal((await bareClient({ onEvent }).confirmFunds(someTokens(), check())).available, true)
  const warning = await warned
  assert.equal(warning.name, 'CbpiiWarning')
  assert.match(warning.message, /onEvent.*not today/s)
})

test('callbacks are functions', () => {
  for (const name of ['clock', 'transport', 'onEvent']) {
    assert.throws(() => bareClient({ [name]: 'no function' }), { code: 'request.argument', message: new RegExp(name) })
  }
})

test('calls go on when the event loop is busy', async () => {
  const client = bareClient()
  const call = client.confirmFunds(someTokens(), check())
  const end = performance.now() + 300
  while (performance.now() < end) {
    // Nothing else runs.
  }
  assert.equal((await call).available, true)
})
