/** A real browser, Debian's Chromium, and how a cardholder goes through the pages with it. */

import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'

import axe from 'axe-core'
import type { Persona } from 'cbpii/testing'
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core'

import { FOLDER } from '../src/pages.js'
import { ORIGIN, PERSONAS } from './support.js'

const SCREENSHOTS = `${FOLDER}/build/screenshots`

/** Starts a browser that finds the shop at a port of this machine, and nothing else but the bank. */
export async function startBrowser(port: number): Promise<Browser> {
  mkdirSync(SCREENSHOTS, { recursive: true })
  const rules = `MAP issuer.example 127.0.0.1:${port}, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1`
  return chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    // Chromium refuses to run as root with its sandbox, as in a container of CI.
    args: [`--host-resolver-rules=${rules}`, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
  })
}

export const DESKTOP: BrowserContextOptions = { viewport: { width: 1100, height: 800 } }
export const PHONE: BrowserContextOptions = {
  viewport: { width: 375, height: 740 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
}

/** A page of a browser that nobody used before. Both certificates were made just now, so nobody vouches for them. */
export async function newPage(browser: Browser, options: BrowserContextOptions = DESKTOP): Promise<Page> {
  const context = await browser.newContext({ ...options, locale: 'en-GB', ignoreHTTPSErrors: true })
  return context.newPage()
}

/** Keeps a picture of a page of ours, and checks that it is fit for everybody: WCAG 2.2, and no scrolling sideways. */
export async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${SCREENSHOTS}/${name}.png`, fullPage: true })
  if (!page.url().startsWith(ORIGIN)) {
    return
  }
  await page.evaluate(axe.source)
  const found = (await page.evaluate('axe.run()')) as axe.AxeResults
  assert.deepEqual(
    found.violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
    [],
    name,
  )
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
  assert.ok(
    content !== undefined && window !== undefined && content <= window,
    `${name} is ${content} wide in ${window}`,
  )
}

/** Presses what leads to another page, and waits for that. */
export async function press(page: Page, button: Locator): Promise<void> {
  await Promise.all([page.waitForEvent('load'), button.click()])
}

/** From the shop to the bank's first page. */
export async function beginRegistration(page: Page, iban: string = PERSONAS.CLAIRE): Promise<void> {
  await page.goto(`${ORIGIN}/card`)
  await page.getByLabel('Account number (IBAN)').fill(iban)
  await page.getByRole('button', { name: 'Continue to your bank' }).click()
  await page.getByRole('group', { name: 'Who are you today' }).waitFor()
}

/** Through the bank's pages, up to the decision. */
export async function authenticate(page: Page, persona: Persona = 'CLAIRE'): Promise<void> {
  await page.locator(`input[value=${persona}] + label`).click()
  await page.getByRole('button', { name: 'Continue' }).click()
  const code = (await page.locator('#otp-help code').textContent()) ?? ''
  await page.getByLabel('Security code').fill(code)
  await page.getByRole('button', { name: 'Confirm' }).click()
  await page.getByRole('button', { name: 'Approve' }).waitFor()
}

export async function decide(page: Page, decision: 'Approve' | 'Refuse'): Promise<void> {
  await press(page, page.getByRole('button', { name: decision, exact: true }))
  await page.waitForURL(`${ORIGIN}/**`)
}

/** Registers a card, from the first page to the last. */
export async function register(page: Page, persona: Persona = 'CLAIRE'): Promise<void> {
  await beginRegistration(page, PERSONAS[persona])
  await authenticate(page, persona)
  await decide(page, 'Approve')
  await page.getByRole('heading', { name: 'Your card' }).waitFor()
}

/** Orders an article. */
export async function order(page: Page, article: string): Promise<void> {
  await page.goto(ORIGIN)
  await press(page, page.getByRole('button', { name: `Buy the ${article}` }))
  await page.waitForURL(`${ORIGIN}/orders/*`)
}
