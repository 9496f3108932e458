// What the package gives for tests of your own code.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { findSandbox, PERSONAS, Sandbox, SandboxMissingError } from 'cbpii/testing'

import { check, failure, useSandbox } from './support.mjs'

const bank = useSandbox()

/** With other environment variables. */
function within(changes, work) {
  const before = { ...process.env }
  Object.assign(process.env, changes)
  try {
    return work()
  } finally {
    for (const name of Object.keys(changes)) {
      process.env[name] = before[name]
      if (before[name] === undefined) {
        delete process.env[name]
      }
    }
  }
}

test('a sandbox that is not there is explained', async () => {
  for (const [environment, message] of [
    [{ CBPII_SANDBOX: '', PATH: '/nowhere' }, /is not on the PATH.*cargo build -p cbpii-sandbox/],
    [{ CBPII_SANDBOX: '/nowhere/bank' }, /is not at \/nowhere\/bank, where CBPII_SANDBOX says it is/],
  ]) {
    const error = await failure(within(environment, () => Sandbox.start()))
    assert.ok(error instanceof SandboxMissingError)
    assert.match(error.message, message)
  }
  const path = findSandbox()
  const folder = path.slice(0, path.lastIndexOf('/'))
  assert.equal(within({ CBPII_SANDBOX: '', PATH: folder }, findSandbox), path)
  assert.match((await failure(Sandbox.start('--nonsense'))).message, /ended before it was ready/)
})

test('a test may do all there is to the bank', async () => {
  const sandbox = bank()
  assert.equal((await sandbox.settings()).pkce, (await sandbox.settings({})).pkce)
  const client = sandbox.client({ retries: 0 })
  const tokens = await sandbox.tokens('LEA')
  assert.equal((await client.confirmFunds(tokens, check({ account: PERSONAS.LEA, amount: '4179' }))).available, true)
  assert.equal((await sandbox.requests(1)).length, 1)
  await sandbox.fault('funds', 'answer', { status: 503, headers: [], content_type: null, body: '' })
  assert.equal((await failure(client.confirmFunds(tokens, check({ account: PERSONAS.LEA })))).code, 'bank.unavailable')
  await sandbox.advanceClock(3_600_000)
  await sandbox.settings({ date_tolerance_seconds: null })
  assert.equal(
    (await client.confirmFunds(await sandbox.tokens('LEA'), check({ account: PERSONAS.LEA }))).available,
    true,
  )
  await sandbox.revokeConsents('LEA')
  assert.equal((await failure(client.refresh(tokens))).code, 'consent.lost')
  await sandbox.reset()
  assert.deepEqual(await sandbox.requests(), [])
  assert.match((await failure(sandbox.control('POST', '/nowhere', {}))).message, /refuses POST \/nowhere with 404/)
  assert.match((await failure(async () => sandbox.transport('blue'))).message, /no variant blue/)
  assert.match((await failure(sandbox.approve(`${sandbox.endpoints.authorize_url}?a=b`))).message, /did not redirect/)
})

test('a bank ends with its close, its dispose, or its process', async () => {
  const sandbox = await Sandbox.start()
  const ca = sandbox.issuer.ca
  assert.ok(readFileSync(ca).length > 0)
  await sandbox[Symbol.asyncDispose]()
  await sandbox.close()
  assert.throws(() => readFileSync(ca))
  const program = `import { Sandbox } from 'cbpii/testing'; const { issuer } = await Sandbox.start(); console.log(issuer.ca)`
  const cwd = new URL('..', import.meta.url)
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd, encoding: 'utf8' })
  const gone = () => readFileSync(said.trim())
  for (let glance = 0; glance < 100; glance += 1) {
    try {
      gone()
    } catch {
      break
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.throws(gone, { code: 'ENOENT' })
})
