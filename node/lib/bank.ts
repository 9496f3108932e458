/** Banks: everything that differs from one to another, as data. */

import { inspect, types } from 'node:util'

import { jsonText, options, text, wrongType } from './check.js'
import { taken } from './errors.js'
import { Iban } from './funds.js'
import { native } from './loader.js'

/**
 * Which of a bank's installations is meant: `sandbox` (static test data, no money), `production`, or
 * `production-legacy` (the real accounts, at the hosts older pages name).
 */
export type Environment = 'sandbox' | 'production' | 'production-legacy'

/** The version of the STET definition a bank speaks. It decides the scope and the usual form of an amount. */
export type Standard = 'stet-1.4.0' | 'stet-1.4.2' | 'stet-1.6'

/**
 * How the issuer proves who it is at the token endpoint, always besides mutual TLS: by the TLS certificate alone
 * (RFC 8705 §2.1), or by a secret too (RFC 6749 §2.3.1).
 */
export type ClientAuthentication = 'tls_client_auth' | 'client_secret_basic' | 'client_secret_post'

/** How an amount is written in JSON: `"12.50"` or `12.50`. */
export type AmountFormat = 'string' | 'number'

/** How the IBAN's member of `accountId` is spelled. */
export type AccountMember = 'iban' | 'Iban'

/**
 * How the answer's echo of the request is compared with what was asked: `strict` (reference, amount, currency and
 * account must be there and equal), `reference-and-amount` (the account may be written differently), or `none`.
 */
export type EchoRule = 'strict' | 'reference-and-amount' | 'none'

/** What a refresh does to the refresh token; `unknown` is treated with the care `rotated` needs. */
export type RefreshTokenRotation = 'same' | 'rotated' | 'unknown'

/** The algorithm a bank verifies message signatures with (RFC 8017). */
export type SealAlgorithm = 'rsa-pkcs1-sha256' | 'rsa-pss-sha256'

/** What own root certificates do to the public web's: both are trusted, or only the own ones. */
export type TrustMode = 'add' | 'replace'

/** How the messages to a bank are signed (draft-cavage-http-signatures). */
export interface SignatureDialect {
  /**
   * What is signed, in this order: lower-case header names, `(request-target)`, and at most once the marker `psu-*`, which
   * stands for every `PSU-*` header that is present.
   */
  readonly headers: readonly string[]
  /**
   * What the keyId says: `client_id`, `certificate_url`, `serial_hex`, `issuer_dn`, `serial_and_issuer`, `configured`, or
   * `{ fixed: '…' }`.
   */
  readonly keyId: string | { readonly fixed: string }
  /** How the signature is computed. */
  readonly algorithm: SealAlgorithm
  /** What the `algorithm` parameter says, which need not be the truth. */
  readonly algorithmLabel: string
  /** What stands between the parameters of the `Signature` header: a comma, or a comma and a blank. */
  readonly separator: string
}

/** The root certificates a bank's own TLS certificate may be issued under. */
export interface TrustAnchors {
  /** Whether {@link pem} comes on top of the public web's roots or instead of them. */
  readonly mode: TrustMode
  /** PEM texts of one or more certificates each. */
  readonly pem: readonly string[]
}

/** The fields of a bank's record. */
export interface BankFields {
  /** Stable name of the record, e.g. `bpce-17515`: 1 to 64 of the characters `a-z`, `0-9`, `-`, `_`, `.`. */
  readonly id: string
  /** The bank's name, for people. */
  readonly name: string
  /** The brand the cardholder knows, e.g. `Caisse d'Epargne`. */
  readonly brand: string | null
  /** The bank's five digits in a French IBAN (positions 5 to 9), when one code names it. */
  readonly establishmentCode: string | null
  /** Which installation the endpoints belong to. */
  readonly environment: Environment | null
  /** The version of the STET definition the bank speaks. */
  readonly standard: Standard
  /** Whether something in this record has not been confirmed by the bank's own pages; {@link note} says what. */
  readonly unverified: boolean
  /** What a user of this record should know: what is deduced, chosen or unknown. */
  readonly note: string | null
  /** Where the cardholder's browser is sent for consent: an absolute https URL. */
  readonly authorizeUrl: string | null
  /** Where codes and refresh tokens are changed for tokens: an absolute https URL. */
  readonly tokenUrl: string | null
  /** Where funds are asked for: an absolute https URL. */
  readonly fundsUrl: string | null
  /** The OAuth 2 scope of this role: `cbpii`, or `piisp` for STET 1.4.0. */
  readonly scope: string
  /** Whether the token requests repeat the scope. */
  readonly scopeInTokenRequest: boolean
  /** How the issuer proves who it is at the token endpoint. */
  readonly clientAuthentication: ClientAuthentication
  /** Whether the consent uses PKCE with S256 (RFC 7636). */
  readonly pkce: boolean
  /** Whether the consent URL carries `response_type=code`. */
  readonly responseType: boolean
  /** Whether a refusing cardholder is sent back; if not, a pending consent just ages out. */
  readonly refusalReturns: boolean
  /** How an amount is written in JSON. */
  readonly amountFormat: AmountFormat
  /** Whether `"true"` and `"false"` are accepted as results besides `true` and `false`. */
  readonly acceptsStringResult: boolean
  /** How messages to the bank are signed; null when they are not. */
  readonly signature: SignatureDialect | null
  /** How the IBAN's member of `accountId` is spelled. */
  readonly accountMember: AccountMember
  /** How the answer's echo of the request is compared with what was asked. */
  readonly echo: EchoRule
  /** Whether an answer without `_links` is refused. */
  readonly linksRequired: boolean
  /** The header that carries the request id, usually `X-Request-ID`; null when the bank documents none. */
  readonly requestIdHeader: string | null
  /**
   * Headers the bank wants besides the standard's. The stand-ins `{client_id}` and `{request_id}` in a value are replaced
   * for every call.
   */
  readonly extraHeaders: Readonly<Record<string, string>>
  /** How long a consent lasts from the strong authentication, in days, 1 to 3650: 180, or 90. */
  readonly consentLifetimeDays: number
  /** What a refresh does to the refresh token. */
  readonly refreshTokenRotation: RefreshTokenRotation
  /** Further statuses of a funds answer by which the bank refuses the request, 400 to 599; Lydia's 409. */
  readonly refusedStatuses: readonly number[]
  /** The root certificates the bank's TLS certificate may be issued under. */
  readonly trustAnchors: TrustAnchors
  /** Certificates (PEM) the bank signs its answers with. When there are any, an answer must verify. */
  readonly responseSigningCertificates: readonly string[]
  /** Whether the bank refuses certificates that are themselves signed with RSASSA-PSS. */
  readonly refusesPssCertificates: boolean
}

/** A record in the form all languages share: `snake_case` members. */
type Record_ = Record<string, unknown>

const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** The members of an object under other names. */
function renamed(given: object, rename: (name: string) => string): Record_ {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [rename(name), value]))
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.values(value).forEach(frozen)
    Object.freeze(value)
  }
  return value
}

/** @internal */
export let recordOf: (bank: unknown, name: string) => string

/**
 * Everything that differs from bank to bank.
 *
 * Records come from the compiled-in directory ({@link bpce}, {@link fromIban}, {@link find}) or from JSON
 * ({@link fromJSON}); {@link with} makes a changed one. A record is validated where it is made, and does not change.
 */
export class Bank {
  static {
    recordOf = (bank, name) => {
      if (typeof bank === 'object' && bank !== null && #record in bank) {
        return bank.#record
      }
      throw wrongType(bank, name, 'a Bank')
    }
  }

  /** In the form all languages share. */
  readonly #record: string

  private constructor(record: string) {
    this.#record = record
    const fields = renamed(JSON.parse(record) as Record_, camel)
    const signature = fields['signature']
    if (typeof signature === 'object' && signature !== null) {
      fields['signature'] = renamed(signature, camel)
    }
    Object.assign(this, frozen(fields))
    Object.freeze(this)
  }

  /**
   * The bank of Groupe BPCE's platform 89C3 with this establishment code (positions 5 to 9 of its IBANs).
   *
   * Where two brands share a code (13807, 10907), the main one, a Banque Populaire; {@link byCode} gives both.
   * Throws `configuration.bank_unknown` when the platform has no such code.
   */
  static bpce(code: string, environment: Environment): Bank {
    return new Bank(taken(native.bankBpce(text(code, 'code'), text(environment, 'environment'))))
  }

  /** The bank with this id, e.g. `lydia` or `bpce-17515`. Throws `configuration.bank_unknown`. */
  static byId(id: string, environment: Environment): Bank {
    return new Bank(taken(native.bankById(text(id, 'id'), text(environment, 'environment'))))
  }

  /** Every bank with this establishment code, the main brand first; none when there is none. */
  static byCode(code: string, environment: Environment): Bank[] {
    return several(native.banksByCode(text(code, 'code'), text(environment, 'environment')))
  }

  /**
   * The bank, or the brands of the bank, that hold the account: found by positions 5 to 9 of a French IBAN.
   *
   * Throws `configuration.bank_unknown` when there is none, `request.iban` when it is no IBAN.
   */
  static fromIban(iban: Iban | string, environment: Environment): Bank[] {
    return several(native.banksFromIban(Iban.from(iban).unmasked, text(environment, 'environment')))
  }

  /** The banks a person may mean, best first: every word must be part of the name, the brand or the code. */
  static find(words: string, environment: Environment): Bank[] {
    return several(native.banksFound(text(words, 'words'), text(environment, 'environment')))
  }

  /** Every bank of the directory that exists in this environment. */
  static directory(environment: Environment): Bank[] {
    return several(native.bankDirectory(text(environment, 'environment')))
  }

  /**
   * Reads a record, in the JSON form that all languages share (its members are written `snake_case`), and validates it.
   *
   * With `"base": "<id>"` and `"environment"`, it is the directory's record, changed by the other members as a JSON merge
   * patch (RFC 7396). Without a base, `id`, `name` and `standard` are needed, and the rest is as STET has it. Throws
   * `configuration.bank_record`, naming the path of the field, or another `configuration` error.
   */
  static fromJSON(record: string | Uint8Array | Record<string, unknown>): Bank {
    const isText = typeof record === 'string' || types.isUint8Array(record)
    if (!isText && (typeof record !== 'object' || record === null)) {
      throw wrongType(record, 'record', 'text of JSON, its bytes, or an object')
    }
    const json = isText ? jsonText(record, 'bank record', 'configuration.bank_record') : JSON.stringify(record)
    return new Bank(taken(native.bankFromJson(json)))
  }

  /** The whole record, in the form that {@link fromJSON} reads, in every language. */
  toJSON(): Record<string, unknown> {
    return JSON.parse(this.#record) as Record_
  }

  /** A record with some fields changed, validated. Throws `configuration.bank_record` and its like. */
  with(changes: Partial<BankFields>): Bank {
    const given = options<BankFields>(changes, 'Bank.with', Object.keys(this) as Array<keyof BankFields>)
    const changed = renamed(given, snake)
    const { signature } = given
    if (signature) {
      changed['signature'] = renamed(signature, snake)
    }
    return Bank.fromJSON({ ...this.toJSON(), ...changed })
  }

  /**
   * Moves all endpoints to another origin, e.g. `https://localhost:8443`; their paths stay.
   *
   * Throws `configuration.endpoint_invalid` or `configuration.endpoint_missing`.
   */
  withOrigin(origin: string): Bank {
    return new Bank(taken(native.bankWithOrigin(this.#record, text(origin, 'origin'))))
  }

  /**
   * Adds root certificates (PEM) the bank's TLS certificate may be issued under; with the mode `replace`, only these are
   * trusted. Throws `configuration.trust_anchor` when they cannot be read.
   */
  withTrustAnchor(pem: string | Uint8Array, given: { readonly mode?: TrustMode } = {}): Bank {
    const { mode = 'add' } = options<{ mode: TrustMode }>(given, 'Bank.withTrustAnchor', ['mode'])
    const anchors = jsonText(pem, 'pem', 'configuration.trust_anchor')
    return new Bank(taken(native.bankWithTrustAnchor(this.#record, anchors, text(mode, 'mode'))))
  }

  /** @internal What may be shown in a line. */
  [inspect.custom](_: number, options: object): string {
    const { id, name, environment, standard } = this
    return `Bank ${inspect({ id, name, environment, standard }, options)}`
  }

  /** @internal */
  static of(record: string): Bank {
    return new Bank(record)
  }
}

export interface Bank extends BankFields {}

function several(outcome: ReturnType<typeof native.banksByCode>): Bank[] {
  return taken(outcome).map((record) => Bank.of(record))
}
