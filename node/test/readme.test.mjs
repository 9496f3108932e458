// The README: its code runs, its tables are complete.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import * as cbpii from 'cbpii'
import { PERSONAS, Sandbox } from 'cbpii/testing'

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const BLOCKS = [...README.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => code)
const [firstCheck, session, many, checkout, ownTests] = BLOCKS

const folder = mkdtempSync(join(tmpdir(), 'cbpii-readme-'))
let sandbox
before(async () => {
  sandbox = await Sandbox.start(
    '--redirect-uri',
    'https://issuer.example/callback',
    '--organisation-id',
    'PSDFR-ACPR-12345',
  )
  for (const name of ['qwac', 'qsealc']) {
    copyFileSync(sandbox.issuer[name].chain, join(folder, `${name}.pem`))
    copyFileSync(sandbox.issuer[name].key, join(folder, `${name}.key`))
  }
  writeFileSync(join(folder, 'store.key'), `${randomBytes(32).toString('hex')}\n`)
})
after(async () => {
  await sandbox.close()
  rmSync(folder, { recursive: true })
})

/** Runs the README's code in its folder, with the sandbox's bank; what it imports comes from this package. */
function started(name, ...codes) {
  const record = JSON.stringify(sandbox.bank())
  const path = join(folder, name)
  const code = codes.join('\n').replace("Bank.bpce('17515', 'production')", `Bank.fromJSON(${JSON.stringify(record)})`)
  const from = (module) => `'${new URL(`../dist/${module}.mjs`, import.meta.url)}'`
  writeFileSync(path, code.replaceAll("'cbpii/testing'", from('testing')).replaceAll("'cbpii'", from('index')))
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env
  const env = { ...inherited, COOKIE_KEY: 'a key for cookies' }
  return spawn(process.execPath, [path], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'], env })
}

/** Answers what the first check asks, as a person would. */
async function answerLikeAPerson(program) {
  let said = ''
  for await (const chunk of program.stdout) {
    said += chunk
    const url = /Send the cardholder to (\S+)\nThe address/.exec(said)?.[1]
    if (url && !program.stdin.writableEnded) {
      program.stdin.end(`${await sandbox.approve(url)}\n`)
    }
    if (said.includes('LISTENING')) {
      break
    }
  }
  return said
}

test('every block is run here', () => {
  assert.equal(BLOCKS.length, 5)
  const lines = firstCheck.split('\n').filter((line) => line && !/^(import|\/\/)/.test(line))
  assert.ok(lines.length <= 16, `the first check has ${lines.length} lines`)
})

test('the first check, a session, and many', async () => {
  const said = await answerLikeAPerson(started('first.mjs', firstCheck, session, many))
  assert.match(said, /Funds available: true\ntrue 1[78]\d days left\n1 true\n$/)
})

test('the checkout', async () => {
  const listening = checkout.replace(
    'server.listen(8080)',
    "server.listen(0, () => console.log('LISTENING', server.address().port))",
  )
  const program = started('checkout.mjs', firstCheck, session, listening)
  program.stdout.setEncoding('utf8')
  const origin = `http://127.0.0.1:${/LISTENING (\d+)/.exec(await answerLikeAPerson(program))[1]}`
  const headers = { 'x-customer': 'customer-77' }
  const ask = (path, more = {}) => fetch(origin + path, { headers: { ...headers, ...more }, redirect: 'manual' })
  const pay = (amount) => ask(`/pay?reference=P-1&iban=${PERSONAS.CLAIRE}&amount=${amount}`)

  assert.deepEqual([(await pay('59.90')).status, (await ask('/callback?code=a&state=b')).status], [409, 400])
  const begun = await ask('/consent')
  const cookie = begun.headers.get('set-cookie').split(';')[0]
  const callback = new URL(await sandbox.approve(begun.headers.get('location')))
  const forged = await ask(callback.pathname + callback.search, { cookie: `${cookie.slice(0, -2)}AA` })
  assert.equal(forged.status, 400)
  const kept = await ask(callback.pathname + callback.search, { cookie })
  assert.deepEqual(await kept.json(), { consent: 'kept' })

  assert.deepEqual(await (await pay('458.99')).json(), { pay: 'accepted' })
  assert.deepEqual(await (await pay('459')).json(), { pay: 'declined' })
  assert.equal((await pay('a lot')).status, 400)
  await sandbox.fault('funds', 'stall', { times: 2 })
  assert.deepEqual(await (await pay('29.99')).json(), { pay: 'accepted', because: 'timeout.total' })
  assert.deepEqual(await (await pay('59.90')).json(), { pay: 'declined', because: 'timeout.total' })

  const blocked = await (await ask(`/pay?reference=P-1&iban=${PERSONAS.BRUNO}&amount=1`)).json()
  assert.equal(blocked.pay, 'declined', 'what the bank refuses is not a matter of time')

  const again = await ask('/consent')
  const refusal = new URL(await sandbox.approve(again.headers.get('location'), 'CLAIRE', 'refuse'))
  const refused = await ask(refusal.pathname + refusal.search, {
    cookie: again.headers.get('set-cookie').split(';')[0],
  })
  assert.deepEqual(await refused.json(), { consent: 'refused' })
  program.kill()
  await once(program, 'exit')
})

test('the tests of your own code', async () => {
  const program = started('own.test.mjs', ownTests)
  program.stdin.end()
  const said = (await program.stdout.toArray()).join('')
  assert.match(said, /# pass 2\n# fail 0/)
})

test('the tables are complete', () => {
  const rows = [...README.matchAll(/^\| `(\w+Error)` \|/gm)].map(([, name]) => name)
  const classes = Object.entries(cbpii).filter(([, value]) => value.prototype instanceof cbpii.CbpiiError)
  assert.deepEqual(rows.sort(), classes.map(([name]) => name).sort())
  for (const { advice } of cbpii.CATALOGUE.values()) {
    assert.ok(README.includes(`\`${advice}\``), advice)
  }
})

test('the version is that of the whole', () => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url)))
  const [, version] = /^version = "(.*)"$/m.exec(readFileSync(new URL('../../Cargo.toml', import.meta.url), 'utf8'))
  assert.equal(manifest.version, version)
})
