// The server without a browser: what keeps it safe, and what happens in moments a browser does not show.

import assert from 'node:assert/strict'
import { request } from 'node:https'
import { after, before, beforeEach, test } from 'node:test'

import type { Sandbox } from 'cbpii/testing'

import { PERSONAS, path, type Rules, Shop, startBank, Visitor } from './support.js'

let bank: Sandbox
const open: Shop[] = []

before(async () => {
  bank = await startBank()
})
beforeEach(() => bank.reset())
after(async () => {
  await Promise.all(open.map((shop) => shop.close()))
  await bank?.close()
})

async function openShop(rules: Rules = {}): Promise<Shop> {
  const shop = await Shop.open(bank, rules)
  open.push(shop)
  return shop
}

const PAID = /Thank you, your order is paid/

test('every page says what a browser may do with it', async () => {
  const shop = await openShop()
  for (const url of ['/', '/card', '/nothing']) {
    const { headers } = await new Visitor(shop.app).get(url)
    const policy = String(headers['content-security-policy'])
    assert.ok(policy.startsWith("default-src 'none';style-src 'self';form-action 'self' https://localhost:"), policy)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['x-frame-options'], 'DENY')
    assert.equal(headers['referrer-policy'], 'no-referrer')
    assert.match(String(headers['strict-transport-security']), /max-age=\d{7,}/)
    assert.equal(headers['cache-control'], 'no-store')
  }
})

test('the session is a cookie that only the server reads', async () => {
  const shop = await openShop()
  const visitor = new Visitor(shop.app)
  const bankUrl = new URL(await visitor.begin())
  const answer = await visitor.get('/card')
  const kept = Buffer.from(String(visitor.cookie), 'base64').toString('latin1')
  for (const secret of [PERSONAS.CLAIRE, String(bankUrl.searchParams.get('state'))]) {
    assert.ok(!kept.includes(secret) && !String(visitor.cookie).includes(secret), 'it is sealed')
  }
  const set = (await new Visitor(shop.app).get('/')).headers['set-cookie']
  assert.match(String(set), /^__Host-session=.*; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  assert.ok(!answer.body.includes(PERSONAS.CLAIRE))
})

test('a session that somebody changed is none', async () => {
  const shop = await openShop()
  const visitor = new Visitor(shop.app)
  await visitor.register(bank)
  const cookie = String(visitor.cookie)
  const place = 10
  visitor.cookie = `${cookie.slice(0, place)}${cookie[place] === 'A' ? 'B' : 'A'}${cookie.slice(place + 1)}`
  assert.match((await visitor.get('/card')).body, /Register your card/)
})

test('a form that is not ours changes nothing', async () => {
  const shop = await openShop()
  const visitor = new Visitor(shop.app)
  await visitor.register(bank)
  const order = await visitor.order('lamp')
  const stranger = new Visitor(shop.app)
  stranger.cookie = visitor.cookie
  for (const url of [`${order}/pay`, `${order}/pay-on-delivery`, '/card', '/card/renew', '/card/remove', '/orders']) {
    const answer = await stranger.submit(url, { attempt: '1', iban: PERSONAS.CLAIRE, article: 'lamp' })
    assert.equal(answer.statusCode, 403, url)
    assert.match(answer.body, /This page was open for too long/)
    // The page shown has a token for this browser, which a stranger's page never sees.
    stranger.forgetForm()
  }
  assert.equal(await shop.checksSeen(), 0)
  assert.match((await visitor.get(order)).body, /Pay your order/)
  assert.match((await visitor.get('/card')).body, /Ready to pay/)
})

test('a callback with the state of another browser registers nothing, and spoils nothing', async () => {
  const shop = await openShop()
  const [victim, attacker] = [new Visitor(shop.app), new Visitor(shop.app)]
  const ownCallback = await bank.approve(await victim.begin())
  const foreign = await bank.approve(await attacker.begin(PERSONAS.LEA), 'LEA')
  assert.match(await victim.follow(await victim.get(path(foreign))), /does not belong to this browser/)
  assert.match(await victim.follow(await victim.get(path(ownCallback))), /Ready to pay/)
  const nobody = new Visitor(shop.app)
  assert.match(await nobody.follow(await nobody.get(path(foreign))), /does not belong to this browser/)
})

test('a callback that comes twice at once is one exchange of its code', async () => {
  const shop = await openShop()
  const visitor = new Visitor(shop.app)
  const callback = path(await bank.approve(await visitor.begin()))
  const [first, second] = await Promise.all([visitor.get(callback), visitor.get(callback)])
  assert.deepEqual([first.headers.location, second.headers.location], ['/card', '/card'])
  assert.match((await visitor.get('/card')).body, /Ready to pay/)
  const exchanges = (await bank.requests()).filter(({ endpoint }) => endpoint === 'token')
  assert.equal(exchanges.length, 1)
})

test('the bank sends the shopper back with something else', async () => {
  const shop = await openShop()
  const answers = {
    'error=server_error': /Your bank cannot be reached at the moment/,
    'error=temporarily_unavailable': /Your bank cannot be reached at the moment/,
    'error=invalid_scope': /Something went wrong on our side/,
    'code=a&code=b': /Your bank did not complete the registration/,
    '': /Your bank did not complete the registration/,
    'code=never-given': /Your bank did not complete the registration/,
  }
  for (const [answer, told] of Object.entries(answers)) {
    const visitor = new Visitor(shop.app)
    const state = new URL(await visitor.begin()).searchParams.get('state')
    const page = await visitor.follow(await visitor.get(`/callback?${answer}&state=${state}`))
    assert.match(page, told, answer)
    assert.match(page, /No card was registered|Nothing was debited/)
  }
})

test('the bank is away when its code is to be exchanged', async () => {
  const shop = await openShop()
  const visitor = new Visitor(shop.app)
  await bank.fault('token', 'html_page', { status: 503 })
  assert.match(await visitor.register(bank), /Your bank cannot be reached at the moment/)
  assert.match(await visitor.register(bank), /Ready to pay/)
})

test('nobody is sent to another site', async () => {
  const shop = await openShop()
  const visitor = new Visitor(shop.app)
  for (const url of [
    '//evil.example',
    '/orders//evil.example',
    '/callback?next=https://evil.example',
    '/%2f%2fevil.example',
  ]) {
    const answer = await visitor.get(url)
    const { location } = answer.headers
    assert.ok(answer.statusCode === 404 || location === '/card', `${url}: ${answer.statusCode} ${location}`)
  }
})

test('the orders of others are not there', async () => {
  const shop = await openShop()
  const order = await new Visitor(shop.app).order('lamp')
  const other = new Visitor(shop.app)
  await other.order('cups')
  assert.equal((await other.get(order)).statusCode, 404)
  assert.equal((await other.submit(`${order}/pay`, { attempt: '1' })).statusCode, 404)
})

test('a form with something else in it', async () => {
  const shop = await openShop()
  const visitor = new Visitor(shop.app)
  const order = await visitor.order('lamp')
  for (const [url, fields] of [
    ['/orders', { article: 'yacht' }],
    [`${order}/pay`, { attempt: 'first' }],
    ['/card', {}],
  ] as const) {
    const answer = await visitor.submit(url, fields)
    assert.equal(answer.statusCode, 400, url)
    assert.match(answer.body, /We did not understand this/)
  }
  const wrong = await visitor.submit('/card', { iban: '"><script>alert(1)</script>' })
  assert.equal(wrong.statusCode, 422)
  assert.match(wrong.body, /This is not a valid IBAN/)
  assert.ok(!wrong.body.includes('<script>'), 'it is escaped')
})

test('a payment that is sent twice at once is one question, and one outcome', async () => {
  const shop = await openShop()
  const visitor = new Visitor(shop.app)
  await visitor.register(bank)
  const order = await visitor.order('lamp')
  await bank.fault('funds', 'hold')
  const seen = (await bank.requests()).length
  const both = [visitor.submit(`${order}/pay`, { attempt: '1' }), visitor.submit(`${order}/pay`, { attempt: '1' })]
  await bank.requests(seen + 1)
  await bank.clearFaults()
  for (const answer of await Promise.all(both)) {
    assert.equal(answer.headers.location, order)
  }
  assert.match((await visitor.get(order)).body, PAID)
  assert.equal(await shop.checksSeen(), 1)
  assert.match(await visitor.pay(order, 2), PAID)
  assert.equal(await shop.checksSeen(), 1, 'a paid order is not asked about again')
})

test('a shopper who leaves ends the question, and may come back', async () => {
  const shop = await openShop()
  const port = await shop.listen()
  const visitor = new Visitor(shop.app)
  await visitor.register(bank)
  const order = await visitor.order('lamp')
  await bank.fault('funds', 'stall', { times: null })
  const seen = (await bank.requests()).length
  const leaving = request({
    port,
    method: 'POST',
    path: `${order}/pay`,
    rejectUnauthorized: false,
    headers: visitor.formHeaders(),
  })
  leaving.on('error', () => {})
  leaving.end(visitor.form({ attempt: '1' }))
  await bank.requests(seen + 1)
  const ended = shop.nextExchange()
  leaving.destroy()
  assert.equal((await ended).error, 'cancelled')
  await bank.clearFaults()
  assert.match((await visitor.get(order)).body, /Pay your order/)
  assert.match(await visitor.pay(order), PAID)
})

test('no answer is no "no": the policy decides', async () => {
  const shop = await openShop({ acceptWithoutAnswerUpTo: 30_00 })
  const visitor = new Visitor(shop.app)
  await visitor.register(bank)
  const silences = { html_page: { status: 503 }, reset_mid_answer: {}, answer_lost: {} }
  for (const [kind, members] of Object.entries(silences)) {
    await bank.fault('funds', kind, { times: null, ...members })
    assert.match(await visitor.pay(await visitor.order('cups')), /For this small amount we trust you/, kind)
    const lamp = await visitor.order('lamp')
    assert.match(await visitor.pay(lamp), /Your bank did not answer in time/, kind)
    await bank.clearFaults()
    assert.match(await visitor.pay(lamp, 2), PAID)
  }
  const { body } = await shop.operations.inject('/metrics')
  assert.match(body, /checkout_accepted_without_answer_total 3/)
})

test('an answer that is none of ours, a refusal, or a no is never accepted by the policy', async () => {
  const shop = await openShop({ acceptWithoutAnswerUpTo: 1_000_00 })
  const visitor = new Visitor(shop.app)
  await visitor.register(bank)
  await bank.fault('funds', 'answer_patch', { set: { '/result': 'true' } })
  assert.match(await visitor.pay(await visitor.order('cups')), /Something went wrong on our side/)
  assert.match(await visitor.pay(await visitor.order('desk')), /does not cover this amount/)
  await bank.revokeConsents()
  assert.match(await visitor.pay(await visitor.order('cups')), /Your bank needs your agreement again/)
})

test('what the bank says about accounts, in words', async () => {
  const shop = await openShop()
  const told = {
    ALICE: /Your bank says this account cannot be used/,
    BRUNO: /Your bank says this account cannot be used/,
    UMA: /Your bank does not answer for this account number/,
    NINA: /Your bank does not answer for this account number/,
    NOAH: /Your bank says this account cannot be used/,
    THEO: /Your bank did not answer in time/,
    INES: /Your bank did not answer in time/,
    MONA: /Something went wrong on our side/,
  } as const
  for (const [persona, words] of Object.entries(told)) {
    const visitor = new Visitor(shop.app)
    await visitor.register(bank, persona as keyof typeof told)
    assert.match(await visitor.pay(await visitor.order('cups')), words, persona)
  }
})

test('a card that is removed is forgotten, also in the store', async () => {
  const shop = await openShop()
  const visitor = new Visitor(shop.app)
  await visitor.register(bank)
  const order = await visitor.order('lamp')
  await visitor.get('/card')
  const kept = String(visitor.cookie)
  assert.match(await visitor.follow(await visitor.submit('/card/remove')), /Register your card/)
  assert.match(await visitor.pay(order), /Register your card first/)
  // Even with the old cookie.
  visitor.cookie = kept
  assert.match(await visitor.pay(order), /Your bank needs your agreement again/)
})

test('the log says what happened, and no secret', async () => {
  const shop = await openShop()
  const visitor = new Visitor(shop.app)
  const callback = new URL(await bank.approve(await visitor.begin()))
  await visitor.get(path(callback.href))
  await bank.fault('funds', 'html_page', { status: 503, times: null })
  const order = await visitor.order('lamp')
  await visitor.pay(order)
  const log = shop.log.join('')
  assert.match(log, /"path":"\/callback"/)
  assert.match(log, /"code":"bank.unavailable"/)
  const secrets = [
    PERSONAS.CLAIRE,
    String(callback.searchParams.get('code')),
    String(callback.searchParams.get('state')),
    String(visitor.cookie),
  ]
  for (const secret of secrets) {
    assert.ok(secret.length > 8 && !log.includes(secret), secret)
  }
})

test('health, readiness and metrics are apart from the shop', async () => {
  const shop = await openShop()
  const visitor = new Visitor(shop.app)
  await visitor.register(bank)
  await visitor.pay(await visitor.order('lamp'))
  await visitor.pay(await visitor.order('desk'))
  for (const url of ['/health', '/ready']) {
    assert.deepEqual((await shop.operations.inject(url)).json(), { status: 'ok' })
    assert.equal((await visitor.get(url)).statusCode, 404)
  }
  const { body } = await shop.operations.inject('/metrics')
  for (const line of [
    'checkout_funds_check_seconds_count{outcome="yes"} 1',
    'checkout_funds_check_seconds_count{outcome="no"} 1',
    'checkout_registrations_total{outcome="registered"} 1',
    'checkout_bank_exchange_seconds_count{operation="confirm_funds",result="200"} 2',
    'nodejs_eventloop_lag_p99_seconds',
  ]) {
    assert.ok(body.includes(line), line)
  }
})

test('without its store it is not ready, and does not say it works', async () => {
  const shop = await openShop()
  await shop.pool.client.close()
  const answer = await shop.operations.inject('/ready')
  assert.equal(answer.statusCode, 503)
  assert.deepEqual(answer.json(), { status: 'not ready', problem: 'configuration.option' })
})
