// Where a journey of tests/vectors takes place, and what its steps do.

import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'

import * as cbpii from 'cbpii'

import {
  camel,
  factsOfConfirmation,
  factsOfExplanation,
  factsOfFindings,
  factsOfSession,
  factsOfTokens,
  known,
  requestOf,
  written,
} from './facts.mjs'

/** Does something with every text of a JSON value. */
function withTexts(value, change) {
  if (typeof value === 'string') {
    return change(value)
  }
  if (Array.isArray(value)) {
    return value.map((part) => withTexts(part, change))
  }
  if (typeof value !== 'object' || value === null) {
    return value
  }
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withTexts(member, change)]))
}

/** What may be random, in the order in which it is named. */
const RANDOM = ['access_token', 'refresh_token', 'code', 'request_id', 'correlation_id']

/** Gives names to what is random, so that a journey comes to the same facts everywhere. */
export class Names {
  #seen = []
  #journey
  #folder

  /** `journey` is the text of the file: what stands there is not random. */
  constructor(journey, folder) {
    this.#journey = journey
    this.#folder = folder
  }

  give(facts) {
    const random = RANDOM.filter((fact) => typeof facts[fact] === 'string')
    const named = Object.fromEntries(random.map((fact) => [fact, this.#name(facts[fact])]))
    return withTexts({ ...facts, ...named }, (text) =>
      text.replaceAll(this.#folder, '{folder}').replace(/(localhost:|127\.0\.0\.1:)[0-9]+/g, '$1{port}'),
    )
  }

  #name(text) {
    if (this.#journey.includes(text)) {
      return text
    }
    if (!this.#seen.includes(text)) {
      this.#seen.push(text)
    }
    return `{${this.#seen.indexOf(text) + 1}}`
  }
}

/** The bank, the clock, and what the steps so far have led to. */
export class Scene {
  constructor(journey, bank, folder) {
    Object.assign(this, { journey, bank, folder, now: new Date(journey.now) })
  }

  /** What a journey writes, with its stand-ins filled. */
  filled(value) {
    return withTexts(value, (text) =>
      text === '{client_secret}'
        ? this.bank.issuer.client_secret
        : text.replace(/\{([a-z_]+)(?::([^}]+))?\}/g, (found, name, path) => this.#standIn(name, path) ?? found),
    )
  }

  #standIn(name, path) {
    const { endpoints, issuer } = this.bank
    if (name === 'file') {
      return readFileSync(
        path.split('.').reduce((place, part) => place[part], issuer),
        'utf8',
      )
    }
    const { client_id, redirect_uri } = issuer
    const control = new URL(endpoints.control_url).origin
    const { folder, callback, pending } = this
    return { ...endpoints, control, client_id, redirect_uri, folder, callback, state: pending?.state }[name]
  }

  /** A member of the journey, with those of a step over it. */
  input(name, over = {}) {
    return this.filled({ ...this.journey[name], ...over })
  }

  request(over) {
    return requestOf(this.input('request', over))
  }

  /** Tokens go through their saved form, as in a program that keeps them. */
  take(tokens) {
    this.tokens = cbpii.Tokens.deserialize(tokens.serialize())
    return factsOfTokens(this.tokens)
  }

  hold(session) {
    this.session = session
    return factsOfSession(session)
  }

  /** The pool of the present client and store. */
  opened() {
    if (this.pool === undefined) {
      const names = ['refresh_margin_seconds', 'renew_before_seconds', 'refresh_timeout_ms']
      const options = settings(known(this.input('session'), ...names))
      this.pool = new cbpii.SessionPool({ client: this.client, store: this.store, ...options })
    }
    return this.pool
  }
}

/** Options as JavaScript has them: durations are milliseconds. */
function settings(options) {
  const own = ([name, value]) =>
    name.endsWith('_seconds') ? [camel(name.replace(/seconds$/, 'ms')), value * 1000] : [camel(name), value]
  return Object.fromEntries(Object.entries(options).map(own))
}

const inMs = (seconds) => (seconds === undefined ? undefined : seconds * 1000)

function issuerOf(given) {
  known(given, 'client_id', 'client_secret', 'redirect_uri', 'transport', 'seal')
  const { client_id: clientId, redirect_uri: redirectUri } = given
  const pair = ({ chain, key, password, key_id: keyId, ...others }) => {
    known(others)
    return { certificate: Buffer.from(chain), key: Buffer.from(key), password, ...(keyId !== undefined && { keyId }) }
  }
  return new cbpii.Issuer({
    clientId,
    redirectUri,
    clientSecret: given.client_secret ?? undefined,
    transport: given.transport ? new cbpii.TransportIdentity(pair(given.transport)) : undefined,
    seal: given.seal ? new cbpii.SealIdentity(pair(given.seal)) : undefined,
  })
}

const hex = (digits) => Buffer.from(digits, 'hex')

/** One function for each kind of step: it takes the scene and the step's members, and gives back its facts. */
export const STEPS = {
  client(scene, { bank, issuer, client, ...others }) {
    known(others)
    Object.assign(scene, { client: undefined, pool: undefined, session: undefined })
    const owner = issuerOf(scene.input('issuer', issuer))
    const names = ['timeout_ms', 'connect_timeout_ms', 'max_idle_connections', 'retries', 'proxy']
    scene.client = new cbpii.Client({
      bank: cbpii.Bank.fromJSON(JSON.stringify(scene.input('bank', bank))),
      issuer: owner,
      clock: () => scene.now,
      checkEligibility: false,
      ...settings(known(scene.input('client', client), ...names)),
    })
    return { bank_id: scene.client.bank.id }
  },

  begin_consent(scene, { valid_for_seconds, ...others }) {
    known(others)
    const begun = scene.client.beginConsent({ validForMs: inMs(valid_for_seconds) })
    scene.pending = cbpii.PendingConsent.deserialize(begun.serialize())
    const { bankId, redirectUri, createdAt, expiresAt } = scene.pending
    return {
      bank_id: bankId,
      redirect_uri: redirectUri,
      created_at: written(createdAt),
      expires_at: written(expiresAt),
    }
  },

  async visit(scene, { decision, persona, ...others }) {
    known(others)
    scene.callback = await scene.bank.approve(scene.pending.url, persona, decision)
    const [returned_to, query] = scene.callback.split('?')
    return { returned_to, parameters: [...new URLSearchParams(query).keys()] }
  },

  complete(scene, { callback = scene.callback, ...others }) {
    known(others)
    scene.code = scene.pending.complete(callback, { now: scene.now })
    return { code: scene.code.expose() }
  },

  async exchange_code(scene, { code, ...others }) {
    known(others)
    if (code !== undefined) {
      scene.code = new cbpii.AuthorizationCode(code)
    }
    return scene.take(await scene.client.exchangeCode(scene.pending, scene.code))
  },

  async complete_consent(scene, { callback = scene.callback, ...others }) {
    known(others)
    return scene.take(await scene.client.completeConsent(scene.pending, callback))
  },

  async consent(scene, { persona, ...others }) {
    known(others)
    STEPS.begin_consent(scene, {})
    await STEPS.visit(scene, { decision: 'approve', persona })
    return STEPS.complete_consent(scene, {})
  },

  tokens(scene, { access_token, refresh_token, obtained_at, expires_at, consent_expires_at, ...others }) {
    known(others)
    return scene.take(
      new cbpii.Tokens({
        accessToken: access_token,
        refreshToken: refresh_token,
        obtainedAt: new Date(obtained_at),
        expiresAt: expires_at === undefined ? undefined : new Date(expires_at),
        consentExpiresAt: new Date(consent_expires_at),
      }),
    )
  },

  async refresh(scene, { timeout_ms, ...others }) {
    known(others)
    return scene.take(await scene.client.refresh(scene.tokens, { timeoutMs: timeout_ms }))
  },

  async confirm_funds(scene, { request, timeout_ms, ...others }) {
    known(others)
    const limits = { timeoutMs: timeout_ms }
    return factsOfConfirmation(await scene.client.confirmFunds(scene.tokens, scene.request(request), limits))
  },

  explain(scene, { request, ...others }) {
    known(others)
    return factsOfExplanation(scene.client.explain(scene.request(request)))
  },

  async store(scene, { url, key, old_keys = [], ...others }) {
    known(others)
    Object.assign(scene, { store: undefined, pool: undefined, session: undefined })
    scene.store = await cbpii.SealedStore.open(url, { key: hex(key), oldKeys: old_keys.map(hex) })
    return {}
  },

  async keep(scene, { id, ...others }) {
    known(others)
    return scene.hold(await scene.opened().keep(id, scene.tokens))
  },

  async open(scene, { id, ...others }) {
    known(others)
    return scene.hold(await scene.opened().open(id))
  },

  session(scene, others) {
    known(others)
    return factsOfSession(scene.session)
  },

  async session_confirm_funds(scene, { request, timeout_ms, ...others }) {
    known(others)
    return factsOfConfirmation(await scene.session.confirmFunds(scene.request(request), { timeoutMs: timeout_ms }))
  },

  async forget(scene, { id, ...others }) {
    known(others)
    return { forgotten: await scene.opened().forget(id) }
  },

  async renewals_due(scene, { before, ...others }) {
    known(others)
    const due = []
    for await (const one of scene.store.renewalsDue(new Date(before))) {
      due.push([one.id, one.bankId, written(one.consentExpiresAt), one.reason])
    }
    return { due }
  },

  async advance_clock(scene, { seconds, only, ...others }) {
    known(others)
    assert.ok([undefined, 'bank', 'client'].includes(only))
    if (only !== 'bank') {
      scene.now = new Date(scene.now.getTime() + seconds * 1000)
    }
    if (only !== 'client') {
      await scene.bank.advanceClock(seconds * 1000)
    }
    return {}
  },

  async control(scene, { call, body, ...others }) {
    known(others)
    const [method, path] = call.split(' ')
    await scene.bank.control(method, path, body)
    return {}
  },

  async requests_seen(scene, others) {
    known(others)
    const seen = await scene.bank.requests()
    await scene.bank.control('DELETE', '/requests')
    return { requests: seen.map(({ endpoint }) => endpoint) }
  },

  inspect(_, { chain, key, password, use, client_id, ...others }) {
    known(others)
    const options = { key: key && Buffer.from(key), password, use, clientId: client_id }
    return factsOfFindings(cbpii.inspectCertificate(Buffer.from(chain), options))
  },

  write_file(_, { path, base64, ...others }) {
    known(others)
    writeFileSync(path, Buffer.from(base64, 'base64'))
    return {}
  },
}
