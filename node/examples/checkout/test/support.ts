/** What the tests share: the shop beside a sandbox bank, and somebody who visits it. */

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { type Event, SealedStore, SessionPool } from 'cbpii'
import { PERSONAS, type Persona, Sandbox } from 'cbpii/testing'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { generate } from 'selfsigned'

import { Metrics } from '../src/metrics.js'
import { operations } from '../src/operations.js'
import { checkout } from '../src/server.js'

export { PERSONAS, Sandbox }

/** Where shoppers find the shop. Browsers of the tests are told which port of this machine that is. */
export const ORIGIN = 'https://issuer.example'

export interface Rules {
  readonly budgetMs?: number
  readonly acceptWithoutAnswerUpTo?: number
}

export const startBank = () => Sandbox.start('--redirect-uri', `${ORIGIN}/callback`)

export const certificate = async () => {
  const made = await generate([{ name: 'commonName', value: 'issuer.example' }], { keyType: 'ec', algorithm: 'sha256' })
  return { cert: made.cert, key: made.private }
}

/** A shop that is open, with a store of its own. */
export class Shop {
  readonly bank: Sandbox
  readonly app: FastifyInstance
  readonly operations: FastifyInstance
  readonly pool: SessionPool
  /** The lines of the log. */
  readonly log: string[]
  /** Tells of every exchange with the bank. */
  readonly events: EventEmitter
  readonly #clock: { ahead: number }
  readonly #folder: string

  private constructor(
    parts: Pick<Shop, 'bank' | 'app' | 'operations' | 'pool' | 'log' | 'events'>,
    clock: { ahead: number },
    folder: string,
  ) {
    this.bank = parts.bank
    this.app = parts.app
    this.operations = parts.operations
    this.pool = parts.pool
    this.log = parts.log
    this.events = parts.events
    this.#clock = clock
    this.#folder = folder
  }

  static async open(bank: Sandbox, { budgetMs = 20_000, acceptWithoutAnswerUpTo = 0 }: Rules = {}): Promise<Shop> {
    const folder = mkdtempSync(join(tmpdir(), 'checkout-'))
    const [log, events, clock, metrics] = [[] as string[], new EventEmitter(), { ahead: 0 }, new Metrics()]
    const onEvent = (event: Event) => {
      metrics.exchange(event)
      events.emit('exchange', event)
    }
    const client = bank.client({ onEvent, clock: () => new Date(Date.now() + clock.ahead) })
    const store = await SealedStore.open(join(folder, 'consents.sqlite'), { key: randomBytes(32) })
    const pool = new SessionPool({ client, store })
    const app = await checkout({
      pool,
      metrics,
      rules: { payee: 'Maison Exemple', budgetMs, acceptWithoutAnswerUpTo },
      consentValidForMs: 15 * 60_000,
      sessionKeys: [randomBytes(32)],
      tls: await certificate(),
      log: { write: (line) => void log.push(line) },
    })
    return new Shop({ bank, app, operations: operations(pool, metrics), pool, log, events }, clock, folder)
  }

  /** Opens the door; gives back the port. */
  async listen(): Promise<number> {
    await this.app.listen({ host: '127.0.0.1', port: 0 })
    return (this.app.server.address() as AddressInfo).port
  }

  /** Moves the clock of the shop, and not the bank's. */
  advanceClock(millis: number): void {
    this.#clock.ahead += millis
  }

  /** The next exchange with the bank that ends. */
  async nextExchange(): Promise<Event> {
    const [event] = (await once(this.events, 'exchange')) as [Event]
    return event
  }

  /** How many funds checks the bank has seen. */
  async checksSeen(): Promise<number> {
    const seen = await this.bank.requests()
    return seen.filter((request) => request['endpoint'] === 'funds').length
  }

  async close(): Promise<void> {
    await this.app.close()
    await this.operations.close()
    rmSync(this.#folder, { recursive: true })
  }
}

type Fields = Readonly<Record<string, string>>

/** Somebody with a browser that knows cookies and forms, and nothing else. */
export class Visitor {
  readonly #app: FastifyInstance
  cookie: string | undefined
  #csrf = ''

  constructor(app: FastifyInstance) {
    this.#app = app
  }

  async get(url: string): Promise<LightMyRequestResponse> {
    return this.#seen(await this.#app.inject({ method: 'GET', url, headers: this.#headers() }))
  }

  /** Sends a form of the page that was seen last. */
  async submit(url: string, fields: Fields = {}): Promise<LightMyRequestResponse> {
    const [headers, payload] = [this.formHeaders(), this.form(fields)]
    return this.#seen(await this.#app.inject({ method: 'POST', url, headers, payload }))
  }

  /** The body of a form of the page that was seen last. */
  form(fields: Fields): string {
    return new URLSearchParams({ ...fields, _csrf: this.#csrf }).toString()
  }

  formHeaders(): Record<string, string> {
    return { ...this.#headers(), 'content-type': 'application/x-www-form-urlencoded' }
  }

  /** As if no page had been seen. */
  forgetForm(): void {
    this.#csrf = ''
  }

  /** Begins to register a card; gives back the bank's URL. */
  async begin(iban: string = PERSONAS.CLAIRE): Promise<string> {
    await this.get('/card')
    const answer = await this.submit('/card', { iban })
    assert.equal(answer.statusCode, 303, answer.body)
    return String(answer.headers.location)
  }

  /** Registers a card; gives back the page at the end. */
  async register(bank: Sandbox, persona: Persona = 'CLAIRE', iban: string = PERSONAS[persona]): Promise<string> {
    const back = await bank.approve(await this.begin(iban), persona)
    return this.follow(await this.get(path(back)))
  }

  /** Orders an article; gives back the path of the order. */
  async order(article: string): Promise<string> {
    await this.get('/')
    const placed = String((await this.submit('/orders', { article })).headers.location)
    await this.get(placed)
    return placed
  }

  /** Pays an order with the card; gives back the page at the end. */
  async pay(order: string, attempt = 1): Promise<string> {
    return this.follow(await this.submit(`${order}/pay`, { attempt: String(attempt) }))
  }

  async follow(answer: LightMyRequestResponse): Promise<string> {
    assert.equal(answer.statusCode, 303, answer.body)
    return (await this.get(String(answer.headers.location))).body
  }

  #headers(): Record<string, string> {
    return {
      'user-agent': 'a visitor',
      ...(this.cookie && { cookie: `__Host-session=${encodeURIComponent(this.cookie)}` }),
    }
  }

  #seen(answer: LightMyRequestResponse): LightMyRequestResponse {
    const session = answer.cookies.find(({ name }) => name === '__Host-session')
    this.cookie = session?.value ?? this.cookie
    this.#csrf = /name="_csrf" value="([^"]+)"/.exec(answer.body)?.[1] ?? this.#csrf
    return answer
  }
}

/** A URL of the shop without its origin. */
export function path(url: string): string {
  assert.ok(url.startsWith(`${ORIGIN}/`), url)
  return url.slice(ORIGIN.length)
}
