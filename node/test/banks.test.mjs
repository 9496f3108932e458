// Banks and certificates.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { Bank, Issuer, inspectCertificate, SealIdentity, TransportIdentity } from 'cbpii'

import { PERSONAS, useSandbox } from './support.mjs'

const bank = useSandbox()

test('banks are found', () => {
  const own = Bank.bpce('17515', 'production')
  assert.deepEqual([own.id, own.establishmentCode, own.environment], ['bpce-17515', '17515', 'production'])
  assert.equal(Bank.byId('bpce-17515', 'production').name, own.name)
  assert.deepEqual(
    Bank.fromIban(PERSONAS.CLAIRE, 'sandbox').map(({ id }) => id),
    ['bpce-17515'],
  )
  assert.equal(Bank.byCode('13807', 'sandbox').length, 2)
  assert.deepEqual(Bank.byCode('99999', 'sandbox'), [])
  assert.ok(Bank.find('caisse epargne ile', 'production').some(({ id }) => id === 'bpce-17515'))
  assert.ok(Bank.directory('production').length > 33)
  for (const [work, code] of [
    [() => Bank.byId('nowhere', 'sandbox'), 'configuration.bank_unknown'],
    [() => Bank.bpce('17515', 'moon'), 'configuration.option'],
    [() => Bank.fromIban('DE89370400440532013000', 'sandbox'), 'configuration.bank_unknown'],
  ]) {
    assert.throws(work, { code })
  }
})

test('a record is data, and does not change', () => {
  const own = Bank.bpce('17515', 'sandbox')
  assert.ok(Object.isFrozen(own) && Object.isFrozen(own.signature) && Object.isFrozen(own.signature.headers))
  assert.deepEqual(Bank.fromJSON(JSON.stringify(own)), own)
  assert.deepEqual(Bank.fromJSON(own.toJSON()), own)
  assert.deepEqual(Bank.fromJSON(Buffer.from(JSON.stringify(own))), own)
  const based = Bank.fromJSON({ base: 'bpce-17515', environment: 'sandbox', consent_lifetime_days: 90 })
  assert.equal(based.consentLifetimeDays, 90)

  const changed = own.with({ consentLifetimeDays: 90, signature: { ...own.signature, algorithmLabel: 'hs2019' } })
  assert.deepEqual([changed.consentLifetimeDays, changed.signature.algorithmLabel], [90, 'hs2019'])
  assert.equal(own.consentLifetimeDays, 180)
  assert.deepEqual(own.with({ signature: null, extraHeaders: { 'X-Own': 'a' } }).extraHeaders, { 'X-Own': 'a' })
  assert.throws(() => own.with({ consentLifetimeDays: 0 }), {
    code: 'configuration.bank_record',
    message: /consent_lifetime_days/,
  })
  assert.throws(() => own.with({ consentLifetime: 90 }), { code: 'request.argument' })
  assert.throws(() => Bank.fromJSON(5), { code: 'request.argument' })

  assert.equal(new URL(own.withOrigin('https://localhost:8443').fundsUrl).origin, 'https://localhost:8443')
  const anchored = own.withTrustAnchor(readFileSync(bank().issuer.ca), { mode: 'replace' })
  assert.deepEqual([anchored.trustAnchors.mode, anchored.trustAnchors.pem.length], ['replace', 1])
  assert.throws(() => own.withTrustAnchor('-', { mode: 'both' }), { code: 'configuration.option' })
})

test('a certificate is reported on', () => {
  const { qwac, client_id: clientId, variants } = bank().issuer
  const report = inspectCertificate(readFileSync(qwac.chain, 'utf8'), {
    use: 'transport',
    key: readFileSync(qwac.key, 'utf8'),
    clientId,
  })
  assert.deepEqual(report.psd2Roles, ['PSP_IC'])
  assert.equal(report.organisationIdentifier, clientId)
  assert.deepEqual([report.psd2Identifier.country, report.psd2Identifier.authority], ['FR', 'ACPR'])
  assert.ok(report.notBefore < new Date() && report.notAfter > new Date() && report.daysLeft > 0)
  assert.match(report.subject.rfc2253Hex, /2\.5\.4\.97=#/)
  assert.match(report.x5tS256, /^[\w-]{43}$/)
  assert.ok(!report.findings.some(({ severity }) => severity === 'error'))

  const expired = inspectCertificate(readFileSync(variants.expired.chain))
  assert.equal(expired.findings[0].severity, 'error')
  const later = inspectCertificate(readFileSync(qwac.chain), { now: new Date('2099-01-01') })
  assert.match(later.findings[0].sentence, /expired/)
  const other = inspectCertificate(readFileSync(qwac.chain), { key: readFileSync(bank().issuer.qsealc.key) })
  assert.ok(
    other.findings.some(({ code }) => code === 'key_mismatch'),
    JSON.stringify(other.findings),
  )
  assert.throws(() => inspectCertificate('qwac.pem'), {
    code: 'configuration.certificate_unreadable',
    message: /readFileSync/,
  })
  assert.throws(() => inspectCertificate(readFileSync(qwac.chain), { use: 'both' }), { code: 'configuration.option' })
})

test('keys and certificates in every form', () => {
  const { qwac, qwac_forms: forms, key_password: password } = bank().issuer
  const certificate = readFileSync(qwac.chain)
  const certificates = ['certificate_der', 'chain_reversed']
  for (const [form, path] of Object.entries(forms)) {
    const bytes = readFileSync(path)
    let identity
    if (form.startsWith('pkcs12')) {
      identity = TransportIdentity.fromPkcs12(bytes, { password })
    } else if (certificates.includes(form)) {
      identity = new TransportIdentity({ certificate: bytes, key: readFileSync(qwac.key) })
    } else {
      identity = new TransportIdentity({ certificate, key: bytes, password })
    }
    assert.match(identity.subject, /organizationIdentifier=PSDFR-ACPR-12345/, form)
  }
  const keystore = readFileSync(forms.pkcs12)
  const seal = SealIdentity.fromPkcs12(keystore, { password, keyId: 'https://issuer.example/seal' })
  assert.equal(seal.keyId, 'https://issuer.example/seal')
  assert.throws(() => SealIdentity.fromPkcs12(keystore, { password: 'wrong' }), { code: 'configuration.key_password' })
  assert.throws(() => TransportIdentity.fromPkcs12(keystore, {}), { code: 'request.argument' })
  assert.throws(() => new TransportIdentity({ certificate }), {
    code: 'request.argument',
    message: /either a key or a signer/,
  })
})

test('the eligibility of an issuer', () => {
  const record = bank().bank()
  const codes = (issuer, given) => issuer.check(record, given).map(({ severity, code }) => `${severity} ${code}`)
  assert.ok(!codes(bank().ownIssuer()).some((finding) => finding.startsWith('error')))
  assert.ok(codes(bank().ownIssuer({ transport: bank().transport('no-role') })).includes('error not_a_cbpii'))
  assert.ok(codes(bank().ownIssuer(), { now: new Date('2099-01-01') }).some((finding) => finding.startsWith('error')))
  const issuer = new Issuer({ clientId: 'a', redirectUri: 'https://a.example/b', transport: bank().transport() })
  assert.equal(issuer.transport.subject, bank().transport().subject)
})
