/** What the environment says. Every variable is described in the README. */

import { readFileSync } from 'node:fs'

import { Bank, Client, Issuer, SealedStore, SealIdentity, SessionPool, TransportIdentity } from 'cbpii'
import { envSchema } from 'env-schema'

import type { Metrics } from './metrics.js'
import { cents } from './money.js'
import type { CheckoutOptions } from './server.js'

const text = { type: 'string', minLength: 1 } as const
const optional = { type: 'string' } as const
const millis = (standard: number, minimum: number, maximum: number) =>
  ({ type: 'integer', default: standard, minimum, maximum }) as const
const port = (standard: number) => ({ type: 'integer', default: standard, minimum: 0, maximum: 65_535 }) as const

const SCHEMA = {
  type: 'object',
  required: [
    'CHECKOUT_ORIGIN',
    'CLIENT_ID',
    'QWAC_CERTIFICATE',
    'QWAC_KEY',
    'QSEALC_CERTIFICATE',
    'QSEALC_KEY',
    'BANK_RECORD',
    'STORE',
    'STORE_KEY_FILE',
    'SESSION_KEY_FILE',
  ],
  properties: {
    CHECKOUT_ORIGIN: { type: 'string', pattern: '^https://[^/]+$' },
    HOST: { type: 'string', default: '127.0.0.1' },
    PORT: port(8443),
    OPERATIONS_HOST: { type: 'string', default: '127.0.0.1' },
    OPERATIONS_PORT: port(9464),
    TLS_CERTIFICATE: optional,
    TLS_KEY: optional,
    TRUST_PROXY: optional,
    LOG_LEVEL: { type: 'string', default: 'info' },
    CLIENT_ID: text,
    CLIENT_SECRET: optional,
    QWAC_CERTIFICATE: text,
    QWAC_KEY: text,
    QSEALC_CERTIFICATE: text,
    QSEALC_KEY: text,
    BANK_RECORD: text,
    STORE: text,
    STORE_KEY_FILE: text,
    SESSION_KEY_FILE: text,
    OLD_SESSION_KEY_FILE: optional,
    PAYEE: { type: 'string', default: 'Maison Exemple', minLength: 1, maxLength: 70 },
    FUNDS_BUDGET_MS: millis(300, 1, 60_000),
    ACCEPT_WITHOUT_ANSWER_UP_TO: { type: 'string', default: '0' },
    CONSENT_VALID_FOR_MS: millis(15 * 60_000, 1000, 3_600_000),
  },
} as const

interface Environment {
  readonly CHECKOUT_ORIGIN: string
  readonly HOST: string
  readonly PORT: number
  readonly OPERATIONS_HOST: string
  readonly OPERATIONS_PORT: number
  readonly TLS_CERTIFICATE?: string
  readonly TLS_KEY?: string
  readonly TRUST_PROXY?: string
  readonly LOG_LEVEL: string
  readonly CLIENT_ID: string
  readonly CLIENT_SECRET?: string
  readonly QWAC_CERTIFICATE: string
  readonly QWAC_KEY: string
  readonly QSEALC_CERTIFICATE: string
  readonly QSEALC_KEY: string
  readonly BANK_RECORD: string
  readonly STORE: string
  readonly STORE_KEY_FILE: string
  readonly SESSION_KEY_FILE: string
  readonly OLD_SESSION_KEY_FILE?: string
  readonly PAYEE: string
  readonly FUNDS_BUDGET_MS: number
  readonly ACCEPT_WITHOUT_ANSWER_UP_TO: string
  readonly CONSENT_VALID_FOR_MS: number
}

export interface Listening {
  readonly host: string
  readonly port: number
}

/** Everything the program needs. */
export interface Settings {
  readonly checkout: CheckoutOptions
  readonly shop: Listening
  readonly operations: Listening
}

/** A 32-byte key from a file. */
function key(path: string): Buffer {
  const bytes = readFileSync(path)
  if (bytes.length !== 32) {
    throw new Error(`${path} has ${bytes.length} bytes instead of 32; make it with: head -c 32 /dev/urandom > ${path}`)
  }
  return bytes
}

/** The client and the store of consents; no I/O with the bank. */
async function openPool(given: Environment, metrics: Metrics): Promise<SessionPool> {
  const identity = (certificate: string, key: string) => ({
    certificate: readFileSync(certificate),
    key: readFileSync(key),
  })
  const client = new Client({
    bank: Bank.fromJSON(readFileSync(given.BANK_RECORD)),
    issuer: new Issuer({
      clientId: given.CLIENT_ID,
      clientSecret: given.CLIENT_SECRET,
      redirectUri: `${given.CHECKOUT_ORIGIN}/callback`,
      transport: new TransportIdentity(identity(given.QWAC_CERTIFICATE, given.QWAC_KEY)),
      seal: new SealIdentity(identity(given.QSEALC_CERTIFICATE, given.QSEALC_KEY)),
    }),
    onEvent: metrics.exchange,
  })
  return new SessionPool({ client, store: await SealedStore.open(given.STORE, { key: key(given.STORE_KEY_FILE) }) })
}

/** Reads the settings; throws an error that names what is missing or wrong. */
export async function readSettings(environment: NodeJS.ProcessEnv, metrics: Metrics): Promise<Settings> {
  const given = envSchema<Environment>({ schema: SCHEMA, data: environment })
  const keys = [given.SESSION_KEY_FILE, given.OLD_SESSION_KEY_FILE].filter((path) => path !== undefined)
  const { TLS_CERTIFICATE: certificate, TLS_KEY: privateKey } = given
  return {
    checkout: {
      pool: await openPool(given, metrics),
      metrics,
      rules: {
        payee: given.PAYEE,
        budgetMs: given.FUNDS_BUDGET_MS,
        acceptWithoutAnswerUpTo: cents(given.ACCEPT_WITHOUT_ANSWER_UP_TO),
      },
      consentValidForMs: given.CONSENT_VALID_FOR_MS,
      sessionKeys: keys.map(key),
      tls: certificate && privateKey ? { cert: readFileSync(certificate), key: readFileSync(privateKey) } : undefined,
      trustProxy: given.TRUST_PROXY,
      logLevel: given.LOG_LEVEL,
    },
    shop: { host: given.HOST, port: given.PORT },
    operations: { host: given.OPERATIONS_HOST, port: given.OPERATIONS_PORT },
  }
}
