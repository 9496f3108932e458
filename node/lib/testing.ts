/**
 * The sandbox bank for tests of your own code: a strict bank on loopback, with pages, personas, faults and a clock.
 *
 * ```js
 * const sandbox = await Sandbox.start()
 * const client = sandbox.client()
 * const tokens = await sandbox.tokens('CLAIRE')
 * ```
 *
 * The bank is the program `cbpii-sandbox`; its own documentation lists every persona, fault and setting.
 *
 * @packageDocumentation
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { get } from 'node:https'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

import {
  Bank,
  Client,
  type ClientOptions,
  Issuer,
  type IssuerOptions,
  SealIdentity,
  Tokens,
  TransportIdentity,
} from './index.js'

/**
 * The bank's invented cardholders and their IBANs. CLAIRE has 458.99 EUR, LEA 4179.00 EUR, GEORGES nothing; the others'
 * accounts are refused: closed, blocked, unknown, ….
 */
export const PERSONAS = Object.freeze({
  CLAIRE: 'FR7617515900000800358074006',
  LEA: 'FR7613807008043001965405158',
  GEORGES: 'FR7612579004000000441002118',
  ALICE: 'FR7617515006000000441010185',
  BRUNO: 'FR7613807008040000441020238',
  UMA: 'FR7612579004000000441030345',
  NINA: 'FR7617515006000000441040449',
  NOAH: 'FR7613807008040000441050502',
  IRIS: 'FR7612579004000000441060609',
  THEO: 'FR7617515006000000441070713',
  INES: 'FR7613807008040000441080863',
  IGOR: 'FR7612579004000000441090970',
  MONA: 'FR7617515006000000441111162',
})

/** The name of one of the {@link PERSONAS}. */
export type Persona = keyof typeof PERSONAS

/** Where the bank listens. */
export interface SandboxEndpoints {
  readonly origin: string
  readonly authorize_url: string
  readonly token_url: string
  readonly funds_url: string
  readonly control_url: string
}

/** The paths of a certificate, of its chain and of its key. */
export interface SandboxFiles {
  readonly certificate: string
  readonly chain: string
  readonly key: string
}

/** What an issuer that is registered at the bank has. */
export interface SandboxIssuer {
  readonly client_id: string
  readonly redirect_uri: string
  /** The path of the bank's root certificate. */
  readonly ca: string
  readonly qwac: SandboxFiles
  readonly qsealc: SandboxFiles
  /** The QWAC with something wrong: `expired`, `no-role`, …. */
  readonly variants: Readonly<Record<string, SandboxFiles>>
  /** The paths of the QWAC and its key in other forms: `encrypted_pkcs8_pem`, `pkcs12`, …. */
  readonly qwac_forms: Readonly<Record<string, string>>
  /** The password of the encrypted ones. */
  readonly key_password: string
  /** The path of the certificate the bank signs its answers with. */
  readonly bank_seal: string
}

/** Something that goes wrong at an endpoint. */
export interface SandboxFault {
  /** How often; null until {@link Sandbox.clearFaults}. Once by default. */
  readonly times?: number | null
  /** So many requests pass first. */
  readonly after?: number
  /** What the kind of fault takes. */
  readonly [member: string]: unknown
}

/** One request that the bank has seen. */
export interface SandboxRequest {
  readonly [member: string]: unknown
}

/** The program of the sandbox bank was not found. */
export class SandboxMissingError extends Error {
  constructor(named: string | undefined) {
    const where = named ? `is not at ${named}, where CBPII_SANDBOX says it is` : 'is not on the PATH'
    super(
      `The sandbox bank, the program cbpii-sandbox, ${where}. Build it with 'cargo build -p cbpii-sandbox' in the sources of ` +
        'cbpii, and put it on the PATH or its path in the environment variable CBPII_SANDBOX.',
    )
    this.name = 'SandboxMissingError'
  }
}

/**
 * The path of the sandbox bank: what `CBPII_SANDBOX` says, else `cbpii-sandbox` on the `PATH`. Throws
 * {@link SandboxMissingError}.
 */
export function findSandbox(): string {
  const named = process.env['CBPII_SANDBOX'] || undefined
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean)
  const candidates = named ? [named] : folders.map((folder) => join(folder, 'cbpii-sandbox'))
  const found = candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
  if (found === undefined) {
    throw new SandboxMissingError(named)
  }
  return found
}

const FOREVER = new Date('2100-01-01T00:00:00Z')

interface Unref {
  unref?(): void
}

/** The sandbox bank as a process of its own on free ports of this machine. It ends with this process at the latest. */
export class Sandbox {
  readonly #process: ChildProcess
  readonly #ca: string
  /** Where it listens. */
  readonly endpoints: SandboxEndpoints
  /** What an issuer has. */
  readonly issuer: SandboxIssuer

  private constructor(running: ChildProcess, facts: { endpoints: SandboxEndpoints; issuer: SandboxIssuer }) {
    this.#process = running
    this.endpoints = facts.endpoints
    this.issuer = facts.issuer
    this.#ca = readFileSync(facts.issuer.ca, 'utf8')
  }

  /**
   * Starts a bank; it takes a second or two to make its keys. `args` go to the program, for instance `'--rotation',
   * 'rotated'`. Fails with {@link SandboxMissingError}.
   */
  static async start(...args: string[]): Promise<Sandbox> {
    const running = spawn(findSandbox(), ['--quiet', ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: running.stdout as Readable })
    const first = await new Promise<string | undefined>((resolve, reject) => {
      running.once('error', reject)
      lines.once('line', resolve)
      lines.once('close', () => resolve(undefined))
    })
    lines.close()
    if (first === undefined) {
      throw new Error('The sandbox bank ended before it was ready; its standard error says why.')
    }
    // Its end is that of its standard input, so it need not keep this process alive.
    running.unref()
    ;(running.stdin as Unref).unref?.()
    ;(running.stdout as Unref).unref?.()
    return new Sandbox(running, JSON.parse(first))
  }

  /** Ends the bank; its files are removed. */
  async close(): Promise<void> {
    if (this.#process.exitCode === null) {
      const ended = new Promise((resolve) => this.#process.once('exit', resolve))
      this.#process.ref()
      ;(this.#process.stdin as Writable).end()
      await ended
    }
  }

  /** Ends the bank. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // What a test does to the bank.

  /** A call of the bank's control endpoint: `path` such as `/settings`, `body` as JSON. Gives back its answer. */
  // biome-ignore lint/suspicious/noExplicitAny: it depends on the path.
  async control(method: string, path: string, body?: unknown): Promise<any> {
    const answer = await fetch(this.endpoints.control_url + path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const said = await answer.text()
    if (!answer.ok) {
      throw new Error(`The sandbox bank refuses ${method} ${path} with ${answer.status}: ${said}`)
    }
    return said ? JSON.parse(said) : undefined
  }

  /** Everything as at the start, and every open connection closed. */
  async reset(): Promise<void> {
    await this.control('POST', '/reset', {})
    await this.control('DELETE', '/connections')
  }

  /** Changes some of the bank's settings, and gives back all of them. */
  settings(changes?: Record<string, unknown>): Promise<Record<string, unknown>> {
    return changes ? this.control('PATCH', '/settings', changes) : this.control('GET', '/settings')
  }

  /**
   * Makes something go wrong: `sandbox.fault('funds', 'answer_lost')`.
   *
   * `endpoint` is `authorize`, `consent`, `token`, `funds`, `other`, or `connection`; `kind` is `answer`, `delay`, `stall`,
   * `hold`, `reset_mid_answer`, ….
   */
  async fault(endpoint: string, kind: string, given: SandboxFault = {}): Promise<void> {
    const { times = 1, after = 0, ...members } = given
    await this.control('POST', '/faults', { endpoint, times, after, fault: { kind, ...members } })
  }

  /** Nothing goes wrong any more, and requests that are held go on. */
  async clearFaults(): Promise<void> {
    await this.control('DELETE', '/faults')
  }

  /** The requests the bank has seen, oldest first; with `waitFor`, once so many have arrived (within ten seconds). */
  async requests(waitFor?: number): Promise<SandboxRequest[]> {
    const seen = await this.control(
      'GET',
      `/requests${waitFor === undefined ? '' : `?wait_for=${waitFor}&timeout_ms=10000`}`,
    )
    if (waitFor !== undefined && seen.length < waitFor) {
      throw new Error(`The bank has seen ${seen.length} requests, not ${waitFor}.`)
    }
    return seen
  }

  /**
   * Moves the bank's clock. It accepts dates of at most 300 seconds from it, so move the client's `clock` too, or say
   * `sandbox.settings({ date_tolerance_seconds: null })`.
   */
  async advanceClock(millis: number): Promise<void> {
    await this.control('POST', '/clock', { advance_seconds: Math.trunc(millis / 1000) })
  }

  /** Every access token ends now; refresh tokens stay good. */
  async expireTokens(): Promise<void> {
    await this.control('POST', '/tokens/expire', {})
  }

  /** The consents of one persona, or of all, are withdrawn at the bank. */
  async revokeConsents(persona?: Persona): Promise<void> {
    await this.control('POST', '/consents/revoke', persona === undefined ? {} : { persona })
  }

  /** The callback URL a browser is sent to when the persona approves at the consent URL, or refuses. */
  approve(url: string, persona: Persona = 'CLAIRE', auto: 'approve' | 'refuse' = 'approve'): Promise<string> {
    return new Promise((resolve, reject) => {
      const request = get(`${url}&auto=${auto}&persona=${persona}`, { ca: this.#ca, agent: false }, (answer) => {
        answer.resume()
        const { location } = answer.headers
        location === undefined
          ? reject(new Error('The consent page did not redirect; is this the URL of a pending consent?'))
          : resolve(location)
      })
      request.once('error', reject)
    })
  }

  /** Tokens as if the persona had just consented; the consent ends in 2100. */
  async tokens(persona: Persona = 'CLAIRE', scope?: string): Promise<Tokens> {
    const answer = await this.control('POST', '/tokens', { persona, ...(scope !== undefined && { scope }) })
    return new Tokens({
      accessToken: answer.access_token,
      refreshToken: answer.refresh_token,
      obtainedAt: new Date(),
      consentExpiresAt: FOREVER,
    })
  }

  // What an issuer has.

  /** The QWAC, or one of its variants with something wrong: `expired`, `no-role`, …. */
  transport(variant?: string): TransportIdentity {
    const files = variant === undefined ? this.issuer.qwac : this.issuer.variants[variant]
    if (files === undefined) {
      throw new Error(`The sandbox bank has no variant ${variant} of the QWAC.`)
    }
    return new TransportIdentity({ certificate: readFileSync(files.chain), key: readFileSync(files.key) })
  }

  /** The QSealC. */
  seal(keyId?: string): SealIdentity {
    const files = this.issuer.qsealc
    const material = { certificate: readFileSync(files.chain), key: readFileSync(files.key) }
    return new SealIdentity({ ...material, ...(keyId !== undefined && { keyId }) })
  }

  /** The issuer that is registered at this bank; `changes` replace options of {@link Issuer}. */
  ownIssuer(changes: Partial<IssuerOptions> = {}): Issuer {
    const { client_id: clientId, redirect_uri: redirectUri } = this.issuer
    return new Issuer({ clientId, redirectUri, transport: this.transport(), seal: this.seal(), ...changes })
  }

  /** The bank's record: establishment 17515 of Groupe BPCE's platform, at this bank's endpoints. */
  bank(): Bank {
    return Bank.bpce('17515', 'sandbox')
      .withOrigin(this.endpoints.origin)
      .withTrustAnchor(this.#ca, { mode: 'replace' })
  }

  /** A client for this bank; `changes` are options of {@link Client}. */
  client(changes: Partial<ClientOptions> = {}): Client {
    return new Client({ bank: this.bank(), issuer: this.ownIssuer(), ...changes })
  }
}
