// The program as it is started on a server, by its environment.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'

import { SealedStore, SessionPool } from 'cbpii'
import type { Sandbox } from 'cbpii/testing'

import { FOLDER } from '../src/pages.js'
import { certificate, ORIGIN, path, startBank } from './support.js'

let bank: Sandbox
let folder: string
let environment: Record<string, string>

before(async () => {
  bank = await startBank()
  folder = mkdtempSync(join(tmpdir(), 'checkout-'))
  const file = (name: string, content: string | Buffer) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  const { cert, key } = await certificate()
  environment = {
    CHECKOUT_ORIGIN: ORIGIN,
    PORT: '0',
    OPERATIONS_PORT: '0',
    TLS_CERTIFICATE: file('tls.pem', cert),
    TLS_KEY: file('tls.key', key),
    CLIENT_ID: bank.issuer.client_id,
    QWAC_CERTIFICATE: bank.issuer.qwac.chain,
    QWAC_KEY: bank.issuer.qwac.key,
    QSEALC_CERTIFICATE: bank.issuer.qsealc.chain,
    QSEALC_KEY: bank.issuer.qsealc.key,
    BANK_RECORD: file('bank.json', JSON.stringify(bank.bank())),
    STORE: join(folder, 'consents.sqlite'),
    STORE_KEY_FILE: file('store.key', randomBytes(32)),
    SESSION_KEY_FILE: file('session.key', randomBytes(32)),
    FUNDS_BUDGET_MS: '20000',
  }
})
after(async () => {
  rmSync(folder, { recursive: true })
  await bank.close()
})

function start(changes: Record<string, string | undefined> = {}): ChildProcess {
  const program = join(FOLDER, 'build', 'src', 'main.js')
  return spawn(process.execPath, [program], { env: { ...environment, ...changes }, stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Reads a log, until a line has what is looked for. */
function reader(program: ChildProcess): (wanted: RegExp) => Promise<string> {
  const lines = createInterface({ input: program.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]()
  return async (wanted) => {
    for (;;) {
      const { value, done } = await lines.next()
      assert.ok(!done, `the program ended before it said ${wanted}`)
      const found = wanted.exec(value)
      if (found !== null) {
        return found[1] ?? found[0]
      }
    }
  }
}

interface Answer {
  readonly status: number
  readonly location: string
  readonly body: string
}

/** A browser for the program: it keeps the session and the token of the form. */
function browser(port: number): (method: string, path: string, fields?: Record<string, string>) => Promise<Answer> {
  let [cookie, csrf] = ['', '']
  return async (method, path, fields = {}) => {
    const sent = request({
      port,
      method,
      path,
      rejectUnauthorized: false,
      agent: false,
      headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
    })
    sent.end(method === 'POST' ? new URLSearchParams({ ...fields, _csrf: csrf }).toString() : undefined)
    const [answer] = await once(sent, 'response')
    const body = (await answer.setEncoding('utf8').toArray()).join('')
    cookie = answer.headers['set-cookie']?.[0].split(';')[0] ?? cookie
    csrf = /name="_csrf" value="([^"]+)"/.exec(body)?.[1] ?? csrf
    return { status: answer.statusCode, location: answer.headers.location, body }
  }
}

test('it serves, and a payment that is under way ends before the program does', async () => {
  const program = start()
  const said = reader(program)
  const visit = browser(Number(await said(/Server listening at https:\/\/127\.0\.0\.1:(\d+)/)))
  await visit('GET', '/card')
  const { location } = await visit('POST', '/card', { iban: 'FR7617515900000800358074006' })
  assert.equal((await visit('GET', path(await bank.approve(location)))).location, '/card')
  await visit('GET', '/')
  const order = (await visit('POST', '/orders', { article: 'lamp' })).location
  await visit('GET', order)

  await bank.fault('funds', 'hold')
  const seen = (await bank.requests()).length
  const paying = visit('POST', `${order}/pay`, { attempt: '1' })
  await bank.requests(seen + 1)
  const ended = once(program, 'exit')
  program.kill('SIGTERM')
  await said(/"ending"/)
  await bank.clearFaults()
  assert.equal((await paying).location, order)
  assert.deepEqual(await ended, [0, null])

  // The consent is in the store, for the next program.
  const { STORE: store = '', STORE_KEY_FILE: keyFile = '' } = environment
  const client = bank.client()
  const pool = new SessionPool({ client, store: await SealedStore.open(store, { key: readFileSync(keyFile) }) })
  const kept = []
  for await (const due of pool.renewalsDue(new Date(Date.now() + 365 * 86_400_000))) {
    kept.push(due.reason)
  }
  assert.deepEqual(kept, ['ending'])
})

test('what is missing or wrong in its environment is said by name', async () => {
  const wrong: [Record<string, string | undefined>, RegExp][] = [
    [{ CLIENT_ID: undefined }, /CLIENT_ID/],
    [{ CHECKOUT_ORIGIN: 'http://issuer.example' }, /CHECKOUT_ORIGIN/],
    [{ FUNDS_BUDGET_MS: 'soon' }, /FUNDS_BUDGET_MS/],
    [{ ACCEPT_WITHOUT_ANSWER_UP_TO: '30,00' }, /"30,00" is not an amount in euro/],
    [{ SESSION_KEY_FILE: environment['TLS_KEY'] }, /tls\.key has \d+ bytes instead of 32/],
    [{ QWAC_KEY: environment['QSEALC_KEY'] }, /private key .* does not belong to the certificate/],
  ]
  for (const [changes, said] of wrong) {
    const program = start(changes)
    const [errors, [code]] = await Promise.all([program.stderr?.setEncoding('utf8').toArray(), once(program, 'exit')])
    assert.equal(code, 1, String(said))
    assert.match(String(errors?.join('')), said)
  }
})
