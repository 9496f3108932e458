// The catalogue, the classes, and every code that a call from JavaScript can come to.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { inspect } from 'node:util'

import * as cbpii from 'cbpii'

import errors from '../dist/errors.js'
import loader from '../dist/loader.js'
import { locking, setUserVersion } from './other-programs.mjs'
import { bareClient, check, failure, KEY, PERSONAS, Sandbox, sealed, someTokens, useSandbox } from './support.mjs'

const { taken } = errors
const { native } = loader
const bank = useSandbox()
const LONG_AGO = new Date(0)
const OLD_ENCRYPTION = `-----BEGIN RSA PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF

AAAA
-----END RSA PRIVATE KEY-----
`

const folders = []
function folder() {
  const made = mkdtempSync(join(tmpdir(), 'cbpii-errors-'))
  folders.push(made)
  return made
}
after(() => {
  for (const made of folders) {
    rmSync(made, { recursive: true })
  }
})

// What provokes errors.

const sandboxClient = (changes = {}) => bank().client({ retries: 0, ...changes })
const ask = async (client = sandboxClient(), tokens = undefined) =>
  client.confirmFunds(tokens ?? (await bank().tokens()), check())
const withBank = (changes, own = {}) => sandboxClient({ bank: bank().bank().with(changes), ...own })
const withQwac = (variant, own = {}) =>
  sandboxClient({ issuer: bank().ownIssuer({ transport: variant && bank().transport(variant) }), ...own })

/** A check under a fault. */
async function faulty(kind, members = {}, endpoint = 'funds') {
  await bank().fault(endpoint, kind, { times: null, ...members })
  await ask()
}

const answered = (status, body) =>
  faulty('answer', { status, headers: [], content_type: 'application/json', body: JSON.stringify(body) })

/** A check by the persona whose account the bank refuses so. */
async function persona(code) {
  const one = (await bank().control('GET', '/personas')).find(({ refusal }) => refusal?.code === code)
  assert.ok(one, `no persona is refused with ${code}`)
  const tokens = await bank().tokens(one.id)
  await sandboxClient().confirmFunds(tokens, check({ account: one.iban }))
}

function calledBack(parameters) {
  const pending = bank().client().beginConsent()
  pending.complete(`?${parameters.replace('STATE', pending.state)}`)
}

const certificate = (name) => faulty('server_certificate', { certificate: name }, 'connection')
const elsewhere = (origin, own = {}) => ask(sandboxClient({ bank: bank().bank().withOrigin(origin), ...own }))
const qwac = () => readFileSync(bank().issuer.qwac.chain)
const issuer = (changes) =>
  new cbpii.Issuer({ clientId: 'PSDFR-ACPR-12345', redirectUri: 'https://issuer.example/callback', ...changes })

async function poolOver(store, client = bareClient()) {
  return new cbpii.SessionPool({ client, store: await store })
}

const database = (path, options = {}) => cbpii.SealedStore.open(join(path, 'consents.db'), { key: KEY, ...options })

async function failingSigner() {
  const signer = {
    algorithms: ['rsa-pkcs1-sha256'],
    sign() {
      throw new Error('locked')
    },
  }
  const seal = new cbpii.SealIdentity({ certificate: readFileSync(bank().issuer.qsealc.chain), signer })
  await ask(sandboxClient({ issuer: bank().ownIssuer({ seal }) }))
}

async function codeUsedTwice() {
  const client = bank().client()
  const pending = client.beginConsent()
  const code = pending.complete(await bank().approve(pending.url))
  await client.exchangeCode(pending, code)
  await client.exchangeCode(pending, code)
}

async function withdrawn() {
  const tokens = await bank().tokens()
  await bank().revokeConsents('CLAIRE')
  await bank().client().refresh(tokens)
}

async function accessTokenExpired() {
  const tokens = await bank().tokens()
  await bank().expireTokens()
  await ask(sandboxClient(), tokens)
}

async function refreshAnswerLost() {
  const sandbox = await Sandbox.start('--rotation', 'rotated')
  try {
    let now = Date.now()
    const record = sandbox.bank().with({ refreshTokenRotation: 'unknown' })
    const client = new cbpii.Client({ bank: record, issuer: sandbox.ownIssuer(), clock: () => new Date(now) })
    const { accessToken, refreshToken } = await sandbox.tokens()
    const tokens = someTokens({ accessToken, refreshToken, obtainedAt: LONG_AGO, expiresAt: LONG_AGO })
    const session = await (await poolOver(sealed(), client)).keep('claire', tokens)
    await sandbox.fault('token', 'answer_lost')
    assert.ok((await failure(session.confirmFunds(check()))) instanceof cbpii.NetworkError)
    now += 10_000
    await session.confirmFunds(check())
  } finally {
    await sandbox.close()
  }
}

async function consentOver() {
  const tokens = someTokens({ obtainedAt: LONG_AGO, consentExpiresAt: LONG_AGO })
  const session = await (await poolOver(sealed(), bank().client())).keep('claire', tokens)
  await session.confirmFunds(check())
}

const unknownClient = async () =>
  sandboxClient({ issuer: bank().ownIssuer({ clientId: 'PSDFR-ACPR-99999' }) }).refresh(await bank().tokens())

async function unusableTokenAnswer() {
  await bank().fault('token', 'answer_patch', { patch: { access_token: null } })
  await bank()
    .client()
    .refresh(await bank().tokens())
}

async function wronglySigned() {
  const client = withBank({ responseSigningCertificates: [readFileSync(bank().issuer.bank_seal, 'utf8')] })
  assert.equal((await ask(client)).responseSignature, 'verified')
  await bank().fault('funds', 'bad_signature')
  await ask(client)
}

/** Does something while a server on loopback listens; it keeps what connects open until the end. */
async function listening(use, serve = () => {}, make = createServer) {
  const open = []
  const server = make((connection) => {
    open.push(connection.on('error', () => {}))
    serve(connection)
  })
  server.on('tlsClientError', () => {})
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await use(server.address().port)
  } finally {
    for (const connection of open) {
      connection.destroy()
    }
    await new Promise((resolve) => server.close(resolve))
  }
}

async function noAnswer() {
  await bank().fault('funds', 'stall', { times: null })
  await ask(sandboxClient({ timeoutMs: 300 }))
}

const silent = () => listening((port) => elsewhere(`https://127.0.0.1:${port}`, { connectTimeoutMs: 200 }))

async function nobodyListens() {
  let free
  await listening(async (port) => {
    free = port
  })
  await elsewhere(`https://127.0.0.1:${free}`)
}

const refusingProxy = () =>
  listening(
    (port) => elsewhere('https://localhost:1', { proxy: `http://127.0.0.1:${port}` }),
    (connection) =>
      connection.once('data', () => connection.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n')),
  )

/** A server whose certificate is that of an authority, which no server's may be. */
async function serverWithTheCertificateOfAnAuthority() {
  const path = folder()
  const [key, pem] = [join(path, 'bank.key'), join(path, 'bank.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key]
  execFileSync('openssl', ['req', '-x509', ...newKey, ...subject, '-out', pem], { stdio: 'ignore' })
  const [own, ownKey] = [readFileSync(pem, 'utf8'), readFileSync(key)]
  const use = (port) => {
    const record = bank().bank().withOrigin(`https://localhost:${port}`).withTrustAnchor(own, { mode: 'replace' })
    return ask(sandboxClient({ bank: record }))
  }
  await listening(
    use,
    () => {},
    (serve) => createTlsServer({ cert: own, key: ownKey }, serve),
  )
}

const ownStoreFails = (code) => async () => {
  const never = () => assert.fail('not asked')
  const load = () => {
    throw cbpii.CbpiiError.of(code, 'The store failed; look there.')
  }
  const store = { load, save: never, delete: never, list: never }
  await (await poolOver(sealed(store))).open('claire')
}

async function storeLocked() {
  const path = folder()
  const pool = await poolOver(database(path, { busyTimeoutMs: 20 }))
  const release = await locking(join(path, 'consents.db'))
  try {
    await pool.keep('claire', someTokens())
  } finally {
    await release()
  }
}

async function storeReadOnly() {
  const path = folder()
  await database(path)
  await (await poolOver(database(path, { readOnly: true }))).keep('claire', someTokens())
}

async function storeOverwritten() {
  const path = folder()
  writeFileSync(join(path, 'consents.db'), 'Z'.repeat(8192))
  await database(path)
}

async function storeOfANewerRelease() {
  const path = folder()
  await database(path)
  setUserVersion(join(path, 'consents.db'), 9999)
  await database(path)
}

async function consentOfAnotherBank() {
  const store = await sealed()
  await (await poolOver(store)).keep('claire', someTokens())
  await (await poolOver(store, withBank({ id: 'another' }))).open('claire')
}

function tooLate() {
  const pending = bareClient().beginConsent()
  pending.complete(`?code=abc&state=${pending.state}`, { now: pending.expiresAt })
}

const brokenTransport = () => {
  throw new Error('no route')
}

const PROVOKED = {
  'configuration.bank_record': () => cbpii.Bank.fromJSON('[]'),
  'configuration.bank_unknown': () => cbpii.Bank.bpce('99999', 'sandbox'),
  'configuration.endpoint_missing': () => withBank({ fundsUrl: null }),
  'configuration.endpoint_invalid': () => withBank({ fundsUrl: 'http://localhost/funds' }),
  'configuration.redirect_uri': () => issuer({ redirectUri: '/callback' }),
  'configuration.client_id': () => issuer({ clientId: '' }),
  'configuration.client_secret': () => withBank({ clientAuthentication: 'client_secret_post' }),
  'configuration.certificate_unreadable': () =>
    new cbpii.TransportIdentity({ certificate: Buffer.from('hello'), key: KEY }),
  'configuration.key_unreadable': () => new cbpii.TransportIdentity({ certificate: qwac(), key: 'qwac.key' }),
  'configuration.key_password': () =>
    new cbpii.TransportIdentity({
      certificate: qwac(),
      key: readFileSync(bank().issuer.qwac_forms.encrypted_pkcs8_pem),
      password: 'wrong',
    }),
  'configuration.key_unsupported': () =>
    new cbpii.SealIdentity({ certificate: qwac(), key: OLD_ENCRYPTION, password: 'sandbox' }),
  'configuration.key_mismatch': () =>
    new cbpii.SealIdentity({ certificate: qwac(), key: readFileSync(bank().issuer.qsealc.key) }),
  'configuration.seal_missing': () => sandboxClient({ issuer: bank().ownIssuer({ seal: undefined }) }),
  'configuration.trust_anchor': () => bank().bank().withTrustAnchor('no certificate'),
  'configuration.header': () => bank().seal('a"b'),
  'configuration.proxy': () => bareClient({ proxy: 'https://proxy.example:3128', transport: undefined }),
  'configuration.option': () => bareClient({ timeoutMs: 0 }),
  'configuration.signer_failed': failingSigner,
  'eligibility.not_a_cbpii': () => withQwac('no-role'),
  'eligibility.certificate_expired': () => withQwac('expired'),
  'eligibility.certificate_not_yet_valid': () => withQwac('not-yet-valid'),
  'eligibility.certificate_wrong_use': () => withQwac('eseal-as-qwac'),
  'eligibility.certificate_pss': () => withQwac('rsassa-pss'),
  'request.reference': () => new cbpii.FundsRequest(check({ reference: '' })),
  'request.iban': () => new cbpii.Iban('FR7717515900000800358074006'),
  'request.account': () => cbpii.Account.other({ identification: '', scheme: 'CPAN' }),
  'request.amount': () => new cbpii.Amount('-1', 'EUR'),
  'request.currency': () => new cbpii.Amount('1', 'ABC'),
  'request.payee': () => new cbpii.FundsRequest(check({ payee: 'x'.repeat(71) })),
  'request.psu_header': () => new cbpii.FundsRequest(check({ psu: { referer: 'a\nb' } })),
  'request.request_id': () => new cbpii.FundsRequest(check({ requestId: 'a b' })),
  'request.token': () => someTokens({ accessToken: 'access token' }),
  'request.saved_state': () => cbpii.Tokens.deserialize('{}'),
  'request.callback': () => bareClient().beginConsent().complete('hello'),
  'request.consent_id': async () => (await poolOver(sealed())).open(''),
  'request.argument': () => someTokens({ obtainedAt: '2026-01-01' }),
  'consent.access_denied': () => calledBack('error=access_denied&state=STATE'),
  'consent.refused_by_bank': () => calledBack('error=invalid_scope&state=STATE'),
  'consent.pending_expired': tooLate,
  'consent.code_refused': codeUsedTwice,
  'consent.lost': withdrawn,
  'consent.no_refresh_token': () => bareClient().refresh(someTokens({ refreshToken: undefined })),
  'consent.access_token_refused': accessTokenExpired,
  'consent.refresh_answer_lost': refreshAnswerLost,
  'consent.expired': consentOver,
  'consent.unknown': async () => (await poolOver(sealed())).open('nobody'),
  'bank.account_unknown': () => persona('AC01'),
  'bank.account_closed': () => persona('AC04'),
  'bank.account_blocked': () => persona('AC06'),
  'bank.tpp_unknown': () => persona('BE05'),
  'bank.wrong_role': async () => ask(sandboxClient(), await bank().tokens('CLAIRE', 'aisp')),
  'bank.access_not_granted': () => persona('NGAC'),
  'bank.no_eligible_account': () => persona('NAAC'),
  'bank.psu_unknown': () => persona('IPSU'),
  'bank.not_implemented': () => answered(501, { message: 'NIMP: not implemented' }),
  'bank.request_refused': () => answered(400, { message: 'malformed' }),
  'bank.forbidden': () => answered(403, { message: 'forbidden' }),
  'bank.not_found': () => ask(withBank({ fundsUrl: `${bank().endpoints.origin}/stet/psd2/v9/funds-confirmations` })),
  'bank.form_refused': () => answered(415, {}),
  'bank.client_refused': unknownClient,
  'bank.token_request_refused': async () => withBank({ scopeInTokenRequest: true }).refresh(await bank().tokens()),
  'bank.rate_limited': () => persona('TMRQ'),
  'bank.internal_error': () => persona('INTE'),
  'bank.unavailable': () => faulty('html_page', { status: 503 }),
  'consent.bank_unavailable': () => calledBack('error=temporarily_unavailable&state=STATE'),
  'timeout.connect': silent,
  'timeout.total': noAnswer,
  'network.name_lookup': () => elsewhere(`https://${'a'.repeat(70)}.invalid`),
  'network.connect': nobodyListens,
  'network.disconnected': () => faulty('reset_before_reading'),
  'network.proxy': refusingProxy,
  'network.transport_failed': () => bareClient({ transport: brokenTransport }).confirmFunds(someTokens(), check()),
  'tls.unknown_issuer': () => certificate('unknown-issuer'),
  'tls.host_name': () => certificate('other-host'),
  'tls.server_certificate_expired': () => certificate('expired'),
  'tls.server_certificate_invalid': serverWithTheCertificateOfAnAuthority,
  'tls.client_certificate_missing': () => ask(withQwac(undefined, { checkEligibility: false })),
  'tls.client_certificate_refused': () => ask(withQwac('unknown-ca', { checkEligibility: false })),
  'tls.protocol': () => faulty('garbage', {}, 'connection'),
  'consent.state_mismatch': () => calledBack('code=abc&state=other'),
  'consent.issuer_mismatch': () => calledBack('code=abc&state=STATE&iss=https://evil.example'),
  'consent.duplicated_parameter': () => calledBack('code=abc&code=def&state=STATE'),
  'consent.callback_without_answer': () => calledBack('state=STATE'),
  'protocol.not_json': () => faulty('html_page', { status: 200 }),
  'protocol.answer_shape': () => faulty('answer_patch', { patch: { result: null } }),
  'protocol.result_not_boolean': () => faulty('answer_patch', { patch: { result: 'true' } }),
  'protocol.echo_mismatch': () =>
    faulty('answer_patch', { patch: { request: { instructedAmount: { amount: '1.00' } } } }),
  'protocol.redirected': () => faulty('redirect', { status: 307, location: 'https://localhost:1/' }),
  'protocol.unexpected_status': () => answered(202, {}),
  'protocol.digest_mismatch': () => faulty('bad_digest'),
  'protocol.signature_invalid': wronglySigned,
  'protocol.answer_too_large': () => faulty('oversized_body'),
  'protocol.malformed_http': () => faulty('garbage'),
  'protocol.token_answer': unusableTokenAnswer,
  'store.failed': ownStoreFails('store.failed'),
  'store.locked': storeLocked,
  'store.read_only': storeReadOnly,
  'store.full': ownStoreFails('store.full'),
  'store.corrupt': storeOverwritten,
  'store.unreachable': () => database(join(folder(), 'further')),
  'store.schema': storeOfANewerRelease,
  'store.key': () => cbpii.SealedStore.open('memory', { key: KEY.subarray(1) }),
  'store.url': () => cbpii.SealedStore.open('redis://localhost', { key: KEY }),
  'store.bank': consentOfAnotherBank,
  cancelled: async () =>
    bank()
      .client()
      .confirmFunds(await bank().tokens(), check(), { signal: AbortSignal.abort() }),
  // A panic cannot be had through the public API; panic.test.mjs shows what becomes of others.
  internal: () => taken(native.panicAtOnce()),
}

const CLASSES = {
  configuration: cbpii.ConfigurationError,
  eligibility: cbpii.EligibilityError,
  invalid_request: cbpii.InvalidRequestError,
  consent_refused: cbpii.ConsentRefusedError,
  consent_required: cbpii.ConsentRequiredError,
  bank_refused: cbpii.BankRefusedError,
  rate_limited: cbpii.RateLimitedError,
  bank_unavailable: cbpii.BankUnavailableError,
  timeout: cbpii.CallTimeoutError,
  network: cbpii.NetworkError,
  tls: cbpii.TlsError,
  protocol: cbpii.ProtocolError,
  store: cbpii.StoreError,
  cancelled: cbpii.CallCancelledError,
  internal: cbpii.InternalError,
}

test('every code is provoked', () => {
  assert.deepEqual(Object.keys(PROVOKED), [...cbpii.CATALOGUE.keys()])
})

for (const [code, provoke] of Object.entries(PROVOKED)) {
  test(`${code} is provoked`, async () => {
    const error = await failure(async () => provoke())
    assert.equal(error.code, code, error.stack)
    const entry = cbpii.CATALOGUE.get(code)
    assert.equal(error.kind, entry.kind)
    assert.equal(error.advice, error.retryAfterMs === undefined ? entry.advice : 'retry_after')
    assert.equal(error.constructor, CLASSES[entry.kind])
    assert.equal(error.name, CLASSES[entry.kind].name)
    assert.ok(error instanceof cbpii.CbpiiError && error instanceof Error)
    assert.match(error.message, /\.$/)
    assert.ok(error.httpStatus === undefined || error.requestSent === 'yes')
    assert.match(error.stack, /errors\.test\.mjs/, 'the stack leads to the caller')
    const everything = [
      error.stack,
      inspect(error),
      JSON.stringify(error),
      error.explanation,
      inspect(error.explanation),
    ]
    assert.ok(!everything.join('\n').includes(PERSONAS.CLAIRE))
  })
}

test('classes, kinds and codes are those of the core', () => {
  const catalogue = native.catalogue()
  assert.deepEqual([...cbpii.CATALOGUE.values()], catalogue)
  const kinds = [...new Set(catalogue.map(({ kind }) => kind))]
  assert.deepEqual(kinds, Object.keys(CLASSES))
  for (const { code, number, kind, summary } of catalogue) {
    const error = cbpii.CbpiiError.of(code, 'A sentence.')
    assert.equal(error.constructor, CLASSES[kind])
    assert.equal(Math.floor(number / 1000), kinds.indexOf(kind) + 1)
    assert.match(summary, /\.$/)
  }
})

test('the errors are those of the manual', () => {
  const page = readFileSync(new URL('../../core/src/manual/error_catalogue.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `(.+?)`<br>(\d+) `(.+?)` \| (.+?) \| .+ \|$/gm)].map((row) => row.slice(1))
  const entries = [...cbpii.CATALOGUE.values()]
  assert.deepEqual(
    rows,
    entries.map(({ number, code, advice, summary }) => [code, `${number}`, advice, summary]),
  )
  const names = [...page.matchAll(/^\| `(\w+)` \| `[A-Z_]+` \| `(\w+)` \|/gm)].map((row) => row.slice(1))
  assert.deepEqual(
    names,
    Object.entries(CLASSES).map(([kind, Class]) => [kind, Class.name]),
  )
})

test('an error carries its facts', async () => {
  const tokens = await bank().tokens('THEO')
  const error = await failure(
    bank()
      .client()
      .confirmFunds(tokens, check({ account: PERSONAS.THEO })),
  )
  assert.ok(error instanceof cbpii.RateLimitedError)
  assert.equal(error.retryAfterMs, 30_000)
  assert.deepEqual([error.httpStatus, error.bankCode, error.requestSent], [429, 'TMRQ', 'yes'])
  assert.ok(error.requestId && error.correlationId)
  assert.equal(new Map(error.explanation.headers).get('x-request-id'), error.requestId)
  assert.match(String(error.explanation), /Signing string:/)
  assert.deepEqual(JSON.parse(JSON.stringify(error)), {
    name: 'RateLimitedError',
    code: 'bank.rate_limited',
    kind: 'rate_limited',
    message: error.message,
    advice: 'retry_after',
    requestSent: 'yes',
    retryAfterMs: 30_000,
    httpStatus: 429,
    bankCode: 'TMRQ',
    bankMessage: error.bankMessage,
    requestId: error.requestId,
    correlationId: error.correlationId,
  })
  assert.ok(!Object.keys(error).includes('explanation'))
  const own = inspect(await failure(async () => new cbpii.Iban('x')))
  assert.match(own, /InvalidRequestError.*code: 'request\.iban'/s)
  assert.ok(!own.includes('undefined'), own)
})

test("errors of one's own", () => {
  const cause = new Error('refused')
  const error = cbpii.CbpiiError.of('network.connect', 'Away.', { requestSent: 'no', cause })
  assert.ok(error instanceof cbpii.NetworkError)
  assert.deepEqual([error.advice, error.requestSent, error.cause], ['retry', 'no', cause])
  assert.equal(new cbpii.StoreError('store.full', 'No room.').requestSent, 'no')
  assert.ok(!('cause' in new cbpii.StoreError('store.full', 'No room.')))
  for (const wrong of [
    () => cbpii.CbpiiError.of('nothing.known', 'A sentence.'),
    () => new cbpii.NetworkError('store.full', 'A sentence.'),
    () => new cbpii.CbpiiError('store.full', 'A sentence.'),
  ]) {
    assert.throws(wrong, TypeError)
  }
})
