// Whole journeys of shoppers, in a real browser, from the shop to the sandbox bank and back.

import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'

import type { Sandbox } from 'cbpii/testing'
import type { Browser, Page } from 'playwright-core'

import {
  authenticate,
  beginRegistration,
  decide,
  newPage,
  order,
  PHONE,
  picture,
  press,
  register,
  startBrowser,
} from './browser.js'
import { ORIGIN, PERSONAS, Shop, startBank } from './support.js'

let bank: Sandbox
let shop: Shop
let browser: Browser

before(async () => {
  bank = await startBank()
  shop = await Shop.open(bank)
  browser = await startBrowser(await shop.listen())
})
beforeEach(() => bank.reset())
after(async () => {
  await browser?.close()
  await shop?.close()
  await bank?.close()
})

const heading = (page: Page) => page.getByRole('heading', { level: 1 }).textContent()
const notice = (page: Page) => page.getByRole('alert').getByRole('heading').textContent()
const pay = (page: Page) => page.getByRole('button', { name: /^(Pay|Try again) with/ })

test('a shopper registers a card, and pays with it', async () => {
  const page = await newPage(browser)
  await page.goto(ORIGIN)
  await picture(page, 'shop')
  await order(page, 'reading lamp')
  await picture(page, 'order-without-card')
  await press(page, page.getByRole('link', { name: 'Register your card to pay' }))
  await picture(page, 'card-none')
  await beginRegistration(page)
  await picture(page, 'bank-login')
  await authenticate(page)
  await picture(page, 'bank-decision')
  await decide(page, 'Approve')
  assert.equal(page.url(), `${ORIGIN}/card`)
  assert.equal(await page.getByRole('link', { name: 'Back to your order' }).count(), 1)
  assert.match((await page.getByRole('main').textContent()) ?? '', /Ready to pay\. Your bank answers us until/)
  await picture(page, 'card-registered')
  await order(page, 'armchair')
  await picture(page, 'order-to-pay')
  await press(page, pay(page))
  assert.equal(await heading(page), 'Thank you, your order is paid')
  await picture(page, 'order-paid')
})

test('the bank says no: the shopper is told, and pays on delivery', async () => {
  const page = await newPage(browser)
  await register(page)
  await order(page, 'writing desk')
  await press(page, pay(page))
  assert.equal(await notice(page), 'Your bank says the account does not cover this amount')
  await picture(page, 'order-not-covered')
  await press(page, page.getByRole('button', { name: 'Pay on delivery' }))
  assert.equal(await heading(page), 'Thank you, you pay on delivery')
  await picture(page, 'order-on-delivery')
})

test('on a phone', async () => {
  const page = await newPage(browser, PHONE)
  await page.goto(ORIGIN)
  await picture(page, 'phone-shop')
  await page.goto(`${ORIGIN}/card`)
  await page.getByLabel('Account number (IBAN)').fill('FR76 1751 5900')
  await press(page, page.getByRole('button', { name: 'Continue to your bank' }))
  assert.equal(await notice(page), 'This is not a valid IBAN')
  assert.equal(await page.getByLabel('Account number (IBAN)').inputValue(), 'FR76 1751 5900')
  await picture(page, 'phone-iban-wrong')
  await register(page)
  await picture(page, 'phone-card-registered')
  await order(page, 'reading lamp')
  await picture(page, 'phone-order-to-pay')
  await press(page, pay(page))
  assert.equal(await heading(page), 'Thank you, your order is paid')
  await picture(page, 'phone-order-paid')
})

test('a shopper who refuses at the bank has no card, and may begin again', async () => {
  const page = await newPage(browser)
  await beginRegistration(page)
  await authenticate(page)
  await decide(page, 'Refuse')
  assert.equal(await notice(page), 'You did not agree at your bank')
  await picture(page, 'consent-refused')
  await page.reload()
  assert.equal(await page.getByRole('alert').count(), 0, 'it is said once')
  await register(page)
})

test('back from the bank, and again', async () => {
  const page = await newPage(browser)
  await beginRegistration(page)
  await page.goBack()
  assert.equal(await heading(page), 'Register your card')
  await register(page)
  const decided = await shop.bank.requests()
  // Over the bank's pages, which know nothing of this consent any more, to the form, which has become the card's page.
  await page.goBack()
  await page.goBack()
  await page.goto(`${ORIGIN}/card`)
  assert.equal(await heading(page), 'Your card')
  assert.equal(decided.filter((request) => request['endpoint'] === 'token').length, 1)
})

test('the callback is loaded again: the card is there, and its code is not sent twice', async () => {
  const page = await newPage(browser)
  await beginRegistration(page)
  await authenticate(page)
  const callback = page.waitForRequest((request) => request.url().startsWith(`${ORIGIN}/callback`))
  await decide(page, 'Approve')
  await page.goto((await callback).url())
  assert.equal(page.url(), `${ORIGIN}/card`)
  assert.equal(await heading(page), 'Your card')
  assert.equal(await page.getByRole('alert').count(), 0)
  assert.equal((await bank.requests()).filter((request) => request['endpoint'] === 'token').length, 1)
})

test('a double click is one payment', async () => {
  const page = await newPage(browser)
  await register(page)
  await order(page, 'reading lamp')
  await bank.fault('funds', 'delay', { milliseconds: 400 })
  await pay(page).dblclick()
  await page.getByRole('heading', { name: 'Thank you, your order is paid' }).waitFor()
  assert.equal(await shop.checksSeen(), 1)
  await page.goBack()
  await page.reload()
  assert.equal(await heading(page), 'Thank you, your order is paid')
  assert.equal(await shop.checksSeen(), 1)
})

test('a form that is sent again from the history shows what came of it', async () => {
  const page = await newPage(browser)
  await register(page)
  await order(page, 'writing desk')
  const old = page.url()
  await press(page, pay(page))
  assert.equal(await notice(page), 'Your bank says the account does not cover this amount')
  assert.equal(await page.getByRole('button', { name: 'Try again' }).count(), 1)
  await page.goto(old)
  await page.evaluate(() => {
    const attempt = document.querySelector<HTMLInputElement>('input[name=attempt]')
    attempt?.setAttribute('value', '1')
  })
  await press(page, pay(page))
  assert.equal(await shop.checksSeen(), 1, 'the first attempt was not made again')
  await press(page, pay(page))
  assert.equal(await shop.checksSeen(), 2, 'a second attempt is')
})

test('a shopper who takes too long at the bank is asked to begin again', async (t) => {
  const page = await newPage(browser)
  await beginRegistration(page)
  await authenticate(page)
  shop.advanceClock(15 * 60_000 + 1000)
  t.after(() => shop.advanceClock(-(15 * 60_000 + 1000)))
  await decide(page, 'Approve')
  assert.equal(await notice(page), 'The registration took too long')
  await picture(page, 'consent-too-late')
})

test('a consent that was withdrawn at the bank is asked for again, from the order', async () => {
  const page = await newPage(browser)
  await register(page)
  await bank.revokeConsents()
  await order(page, 'reading lamp')
  const unpaid = page.url()
  await press(page, pay(page))
  assert.equal(await notice(page), 'Your bank needs your agreement again')
  await picture(page, 'consent-over')
  await press(page, page.getByRole('alert').getByRole('link', { name: 'Register your card' }))
  await picture(page, 'card-consent-over')
  await press(page, page.getByRole('button', { name: 'Renew at your bank' }))
  await authenticate(page)
  await decide(page, 'Approve')
  await press(page, page.getByRole('link', { name: 'Back to your order' }))
  assert.equal(page.url(), unpaid)
  await press(page, pay(page))
  assert.equal(await heading(page), 'Thank you, your order is paid')
})

test('an account that the cardholder did not agree for', async () => {
  const page = await newPage(browser)
  await beginRegistration(page, PERSONAS.LEA)
  await authenticate(page, 'CLAIRE')
  await decide(page, 'Approve')
  await order(page, 'reading lamp')
  await press(page, pay(page))
  assert.equal(await notice(page), 'Your bank does not answer for this account number')
  await picture(page, 'other-account')
})

test('the bank does not answer within 300 ms: the order is not paid, and says so', async () => {
  const strict = await Shop.open(bank, { budgetMs: 300 })
  const another = await startBrowser(await strict.listen())
  try {
    const page = await newPage(another)
    await register(page)
    await order(page, 'reading lamp')
    await bank.fault('funds', 'stall', { times: null })
    await press(page, pay(page))
    assert.equal(await notice(page), 'Your bank did not answer in time')
    await picture(page, 'no-answer')
    assert.equal(await page.getByRole('button', { name: 'Try again' }).count(), 1)
  } finally {
    await another.close()
    await strict.close()
  }
})

test('what is not there, and a page that was open for too long', async () => {
  const page = await newPage(browser)
  await page.goto(`${ORIGIN}/nothing`)
  assert.equal(await heading(page), 'There is no such page')
  await picture(page, 'not-found')
  await page.goto(ORIGIN)
  await page.context().clearCookies()
  await press(page, page.getByRole('button', { name: 'Buy the reading lamp' }))
  assert.equal(await notice(page), 'This page was open for too long')
  await picture(page, 'form-too-old')
})
