// What the tests share.

import { randomBytes } from 'node:crypto'
import { after, before, beforeEach } from 'node:test'

import { Bank, Client, Issuer, SealedStore, Tokens } from 'cbpii'
import { PERSONAS, Sandbox } from 'cbpii/testing'

export const FOREVER = new Date('2100-01-01T00:00:00Z')
export const KEY = randomBytes(32)

/** One bank for the tests of a file, as at its start for each. */
export function useSandbox() {
  let sandbox
  before(async () => {
    sandbox = await Sandbox.start()
  })
  beforeEach(() => sandbox.reset())
  after(() => sandbox.close())
  return () => sandbox
}

/** A question. */
export function check(changes = {}) {
  return { reference: 'ORDER-1', account: PERSONAS.CLAIRE, amount: '59.90', currency: 'EUR', ...changes }
}

/** A transport in memory whose bank always says the same. */
export function saying(available = true, heard = undefined) {
  return (request) => {
    heard?.push(request)
    const asked = JSON.parse(request.body)
    const body = JSON.stringify({ request: asked, result: available, _links: { self: { href: '/' } } })
    return { status: 200, headers: { 'content-type': 'application/hal+json' }, body: Buffer.from(body) }
  }
}

/** A client that needs no certificates: of a bank that wants no signature, over a transport in memory. */
export function bareClient(changes = {}) {
  const bank = Bank.bpce('17515', 'sandbox').with({ signature: null })
  const issuer = new Issuer({ clientId: 'PSDFR-ACPR-12345', redirectUri: 'https://issuer.example/callback' })
  return new Client({ bank, issuer, transport: saying(), ...changes })
}

export function someTokens(changes = {}) {
  return new Tokens({
    accessToken: 'secret-access-token',
    refreshToken: 'secret-refresh-token',
    obtainedAt: new Date(),
    consentExpiresAt: FOREVER,
    ...changes,
  })
}

export function sealed(store = 'memory') {
  return SealedStore.open(store, { key: KEY })
}

/** A store in memory that is written in JavaScript. */
export class OwnStore {
  records = new Map()
  #version = 0

  async load(id) {
    return this.records.get(id)
  }

  async save(id, sealed, dueAt, expected) {
    if ((this.records.get(id)?.version ?? null) !== expected) {
      return null
    }
    this.#version += 1
    this.records.set(id, { sealed, dueAt, version: this.#version })
    return this.#version
  }

  async delete(id) {
    return this.records.delete(id)
  }

  async list(dueBefore, after, limit) {
    const order = (a, b) => a.dueAt - b.dueAt || Buffer.compare(Buffer.from(a.id), Buffer.from(b.id))
    return [...this.records]
      .map(([id, { dueAt }]) => ({ id, dueAt }))
      .filter((line) => line.dueAt < dueBefore && (after === null || order(line, after) > 0))
      .sort(order)
      .slice(0, limit)
  }
}

/**
 * The least of what is measured, until it is below a bound: a busy machine is late now and then, what blocks is late every
 * time.
 */
export async function atBest(bound, measure, times = 8) {
  let least = Number.POSITIVE_INFINITY
  for (let time = 0; time < times && least >= bound; time += 1) {
    least = Math.min(least, await measure())
  }
  return least
}

/** How long something takes, in milliseconds. */
export async function lasting(work) {
  const began = performance.now()
  await work()
  return performance.now() - began
}

/** The error that something fails with. */
export async function failure(work) {
  try {
    await (typeof work === 'function' ? work() : work)
  } catch (error) {
    return error
  }
  throw new Error('it did not fail')
}

export { PERSONAS, Sandbox }
