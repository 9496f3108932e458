// The language-neutral cases of tests/vectors; its README says how they are read.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

import * as cbpii from 'cbpii'

import {
  differences,
  FOLDER,
  factsOfConfirmation,
  factsOfError,
  factsOfFindings,
  factsOfTokens,
  known,
  read,
  requestOf,
  tell,
} from './facts.mjs'
import { useSandbox } from './support.mjs'

const BEGINNING = new Date('2026-11-23T13:00:00Z')
const LASTING = new Date('2100-01-01T00:00:00Z')

/** A case with the members its file has for all; each member has to be asked for. */
class Case {
  constructor(shared, own) {
    this.shared = shared
    this.members = { ...shared, ...own }
    this.unread = new Set(Object.keys(own))
  }

  get(name) {
    this.unread.delete(name)
    return this.members[name]
  }
}

function bodyOf(body) {
  if (body === undefined || body === null) {
    return Buffer.alloc(0)
  }
  const [[form, value]] = Object.entries(body)
  switch (form) {
    case 'json':
      return Buffer.from(JSON.stringify(value))
    case 'text':
      return Buffer.from(value)
    case 'base64':
      return Buffer.from(value, 'base64')
    default:
      assert.equal(form, 'repeated')
      return Buffer.from(value.map(([text, times]) => text.repeat(times)).join(''))
  }
}

/** A transport that answers from memory and keeps what was sent. */
function wire(one) {
  const answer = { status: one.get('status') ?? 500, headers: one.get('headers') ?? [], body: bodyOf(one.get('body')) }
  const sent = []
  const transport = (request) => {
    sent.push(request)
    return answer
  }
  return Object.assign(transport, { sent })
}

const bank = useSandbox()
const seal = () => bank().seal('https://issuer.example/seal')

function clientOf(record, now, transport) {
  const own = cbpii.Bank.fromJSON(JSON.stringify(record))
  const issuer = new cbpii.Issuer({
    clientId: 'PSDFR-ACPR-12345',
    redirectUri: 'https://issuer.example/psd2/callback',
    clientSecret: own.clientAuthentication === 'tls_client_auth' ? undefined : 's3cr3t',
    seal: seal(),
  })
  return new cbpii.Client({ bank: own, issuer, clock: () => now, transport, checkEligibility: false })
}

const tokensAt = (now) =>
  new cbpii.Tokens({ accessToken: '2YotnFZFEjr1zCsicMWpAA', obtainedAt: now, consentExpiresAt: LASTING })

/** How the cases of each file are run; what comes back are facts. */
const RUNNERS = {
  callbacks(one) {
    const [pending, callback, now] = [one.get('pending'), one.get('callback'), new Date(one.get('now'))]
    const saved = typeof pending === 'string' ? one.shared.pending[pending] : pending
    const code = cbpii.PendingConsent.deserialize(JSON.stringify(saved)).complete(callback, { now })
    return { code: code.expose() }
  },

  consent_urls(one) {
    const own = cbpii.Bank.fromJSON(JSON.stringify(one.get('bank')))
    const redirectUri = one.get('redirect_uri')
    const issuer = new cbpii.Issuer({
      clientId: one.get('client_id'),
      redirectUri,
      clientSecret: one.get('client_secret'),
      seal: seal(),
    })
    const settings = { clock: () => BEGINNING, transport: wire(one), checkEligibility: false }
    const pending = new cbpii.Client({ bank: own, issuer, ...settings }).beginConsent()
    assert.equal(pending.redirectUri, redirectUri)
    assert.deepEqual(pending.createdAt, BEGINNING)
    assert.equal(pending.state.length, 43)
    const url = new URL(pending.url)
    assert.equal(url.hash, '')
    const verifier = JSON.parse(pending.serialize()).code_verifier
    const challenge = verifier && createHash('sha256').update(verifier).digest('base64url')
    const standIn = (name, value) => {
      if (name === 'state' && value === pending.state) {
        return '{state}'
      }
      return name === 'code_challenge' && value === challenge ? '{code_challenge}' : value
    }
    const query = [...url.searchParams].map(([name, value]) => [name, standIn(name, value)])
    // As written: URL leaves a standard port out.
    const [, origin, path] = /^([a-z]+:\/\/[^/?]+)([^?]*)/.exec(pending.url)
    return { origin, path, query }
  },

  async token_bodies(one) {
    const client = clientOf(one.get('bank'), new Date(one.get('now')), wire(one))
    const [request, pending, code, tokens] = ['request', 'pending', 'code', 'tokens'].map((name) => one.get(name))
    assert.ok(request === 'exchange' || request === 'refresh')
    const given =
      request === 'exchange'
        ? await client.exchangeCode(
            cbpii.PendingConsent.deserialize(JSON.stringify(pending)),
            new cbpii.AuthorizationCode(code),
          )
        : await client.refresh(cbpii.Tokens.deserialize(JSON.stringify(tokens)))
    return factsOfTokens(given)
  },

  async funds_bodies(one) {
    const now = new Date(one.get('now'))
    const client = clientOf(one.get('bank'), now, wire(one))
    return factsOfConfirmation(await client.confirmFunds(tokensAt(now), requestOf(one.get('request'))))
  },

  error_bodies: (one) => RUNNERS.funds_bodies(one),

  async requests(one) {
    const [kind, given, record, now] = [one.get('kind'), one.get('input'), one.get('bank'), new Date(one.get('now'))]
    switch (kind) {
      case 'currency': {
        const currency = new cbpii.Currency(known(given, 'code').code)
        return { code: currency.code, decimals: currency.decimals }
      }
      case 'amount': {
        const amount = new cbpii.Amount(known(given, 'amount', 'currency').amount, given.currency)
        return { amount: amount.value, currency: amount.currency }
      }
      case 'iban': {
        const iban = new cbpii.Iban(known(given, 'iban').iban)
        return { iban: iban.unmasked, country: iban.country, bank_code: iban.bankCode ?? null, masked: String(iban) }
      }
      default: {
        assert.equal(kind, 'request')
        const transport = wire(one)
        const client = clientOf(record, now, transport)
        try {
          await client.confirmFunds(tokensAt(now), requestOf(given))
        } catch (error) {
          // An error before anything is sent is the outcome of the case.
          if (!(error instanceof cbpii.BankUnavailableError)) {
            throw error
          }
        }
        const sent = transport.sent.at(-1)
        const own = ['accept', 'authorization', 'content-type', 'date', 'digest', 'signature']
        return { body: sent.body.toString(), headers: sent.headers.filter(([name]) => !own.includes(name)) }
      }
    }
  },

  certificates(one) {
    const own = cbpii.Bank.fromJSON(JSON.stringify(one.get('bank')))
    const [name, use, clientId] = [one.get('identity'), one.get('use'), one.get('client_id')]
    const kit = bank().issuer
    const files = kit[name] ?? kit.variants[name]
    const acceptPss = !own.refusesPssCertificates
    const report = cbpii.inspectCertificate(readFileSync(files.chain), { use, clientId, acceptPss })
    const material = ({ chain, key }) => ({ certificate: readFileSync(chain), key: readFileSync(key) })
    let client = 'ok'
    try {
      const transport = new cbpii.TransportIdentity(material(use === 'transport' ? files : kit.qwac))
      const ownSeal = new cbpii.SealIdentity(material(use === 'seal' ? files : kit.qsealc))
      const redirectUri = 'https://issuer.example/psd2/callback'
      new cbpii.Client({ bank: own, issuer: new cbpii.Issuer({ clientId, redirectUri, transport, seal: ownSeal }) })
    } catch (error) {
      client = error.code
    }
    return {
      roles: report.psd2Roles,
      authority_id: report.authorityId,
      qc_types: report.qcTypes,
      qualified: report.qualified,
      key_type: report.keyType,
      key_bits: report.keyBits,
      signature_algorithm: report.signatureAlgorithm,
      ...factsOfFindings(report),
      client,
    }
  },
}

async function outcomeOf(run, one) {
  try {
    return { actual: await run(one), complete: true }
  } catch (error) {
    return { actual: factsOfError(error), complete: false }
  }
}

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json') && name !== 'manifest.json')

test('every file is counted and run', () => {
  assert.deepEqual(files, Object.keys(read('manifest.json')))
  assert.deepEqual(
    files,
    Object.keys(RUNNERS)
      .map((name) => `${name}.json`)
      .sort(),
  )
})

for (const file of files) {
  test(`the cases of ${file}`, async () => {
    const { about, cases, ...shared } = read(file)
    assert.equal(typeof about, 'string')
    assert.equal(cases.length, read('manifest.json')[file])
    const suite = file.replace('.json', '')
    const run = RUNNERS[suite]
    const [seen, failures] = [new Set(), []]
    for (const { name, expect, ...own } of cases) {
      assert.ok(!seen.has(name), name)
      seen.add(name)
      assert.ok(Object.keys(expect).length > 0)
      const one = new Case(shared, own)
      const { actual, complete } = await outcomeOf(run, one)
      tell(suite, name, actual)
      failures.push(...[...differences(expect, actual)].map((difference) => `${name}: ${difference}`))
      if (complete && one.unread.size > 0) {
        failures.push(`${name}: unknown members ${[...one.unread]}`)
      }
    }
    assert.deepEqual(failures, [])
  })
}
