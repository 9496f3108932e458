// The installed package, as an ES module: a journey against the sandbox bank. Run by check-package.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

import { CbpiiError, SealedStore, SessionPool } from 'cbpii'
import { PERSONAS, Sandbox } from 'cbpii/testing'

const sandbox = await Sandbox.start()
const client = sandbox.client()
const pending = client.beginConsent()
const tokens = await client.completeConsent(pending, await sandbox.approve(pending.url))
const store = await SealedStore.open('memory', { key: new Uint8Array(32) })
const session = await new SessionPool({ client, store }).keep('claire', tokens)
const question = { reference: '1', account: PERSONAS.CLAIRE, amount: '458.99', currency: 'EUR' }
assert.equal((await session.confirmFunds(question)).available, true)
assert.equal((await client.confirmFunds(tokens, { ...question, amount: '459' })).available, false)

const require = createRequire(import.meta.url)
assert.throws(() => new (require('cbpii').Iban)('x'), CbpiiError)
assert.deepEqual(require('./smoke.cjs'), ['bpce-17515', true])
await sandbox.close()
console.log(`the package works on Node ${process.versions.node}`)
