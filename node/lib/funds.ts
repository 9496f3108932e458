/** Accounts, amounts, and the question. */

import { inspect } from 'node:util'

import { needed, optionalText, options, text, wrongType } from './check.js'
import { CbpiiError, taken } from './errors.js'
import { native } from './loader.js'
import type * as Native from './native.js'
import { shown } from './results.js'

/**
 * An International Bank Account Number, checked (ISO 13616: country, length, structure, check digits). Blanks and small
 * letters are accepted.
 *
 * `util.inspect`, `JSON.stringify` and `String()` show it masked: `FR76…4006`. Throws `request.iban`.
 */
export class Iban {
  readonly #facts: Native.IbanFacts

  constructor(iban: string) {
    this.#facts = taken(native.iban(text(iban, 'iban')))
  }

  /** An IBAN as it is, or of its text. */
  static from(iban: Iban | string): Iban {
    if (typeof iban === 'string') {
      return new Iban(iban)
    }
    if (typeof iban === 'object' && iban !== null && #facts in iban) {
      return iban
    }
    throw wrongType(iban, 'iban', 'an Iban or the text of one')
  }

  /** The IBAN in clear, without blanks. Do not log it. */
  get unmasked(): string {
    return this.#facts.text
  }

  /** The country, e.g. `FR`. */
  get country(): string {
    return this.#facts.country
  }

  /** Positions 5 to 9 of a French IBAN, which name the bank. */
  get bankCode(): string | undefined {
    return this.#facts.bankCode
  }

  /** The masked form. */
  toString(): string {
    return this.#facts.masked
  }

  /** The masked form. */
  toJSON(): string {
    return this.#facts.masked
  }

  /** @internal */
  [inspect.custom](): string {
    return `Iban(${inspect(this.#facts.masked)})`
  }
}

/** A currency by its ISO 4217 code, in capitals. Throws `request.currency`. */
export class Currency {
  /** The code, e.g. `EUR`. */
  readonly code: string
  /** How many decimals its amounts have: 2 for `EUR`, 0 for `JPY`. */
  readonly decimals: number

  constructor(code: string) {
    this.code = text(code, 'code')
    this.decimals = taken(native.currencyDecimals(this.code))
    Object.freeze(this)
  }

  /** The code. */
  toString(): string {
    return this.code
  }
}

/** An amount's value, as callers give it. */
function decimalText(value: unknown, name: string): string {
  if (typeof value === 'number') {
    const message =
      'The amount is a number, and most decimal amounts do not exist as one: 0.1 is really 0.1000000000000000055; give ' +
      'text such as "12.50", or a bigint.'
    throw CbpiiError.of('request.amount', message)
  }
  return typeof value === 'bigint' ? value.toString() : text(value, name)
}

/** Whether it is an `Amount`, and not what looks like one. */
let isAmount: (amount: unknown) => amount is Amount

/**
 * A positive amount of a currency, exact.
 *
 * The value is decimal text such as `"12.50"`, or a `bigint`; a `number` is refused, for most decimal amounts do not
 * exist as one. At most 13 digits before the point, and as many decimals as the currency has (ISO 4217: two for `EUR`,
 * none for `JPY`). Throws `request.amount` and `request.currency`.
 */
export class Amount {
  static {
    isAmount = (amount): amount is Amount => typeof amount === 'object' && amount !== null && #checked in amount
  }

  readonly #checked = true
  /** The value, with the decimals it was given with. */
  readonly value: string
  /** The ISO 4217 code. */
  readonly currency: string

  constructor(value: string | bigint, currency: string) {
    this.currency = text(currency, 'currency')
    this.value = taken(native.amountValue(decimalText(value, 'value'), this.currency))
    Object.freeze(this)
  }

  /** `12.50 EUR`. */
  toString(): string {
    return `${this.value} ${this.currency}`
  }
}

/**
 * The scheme of an account that is not named by an IBAN (STET `schemeName`, codes of ISO 20022): `BANK` (the bank's own),
 * `COID` (a country's company identification), `SREN` and `SRET` (SIREN and SIRET numbers), `NIDN` (a national identity
 * number), `OAUT` (an OAuth 2 access token), `CPAN` (a card number), `MPAN` (a masked card number).
 */
export type AccountScheme = 'BANK' | 'COID' | 'SREN' | 'SRET' | 'NIDN' | 'OAUT' | 'CPAN' | 'MPAN'

/** What may be said of an account besides its number. */
export interface AccountOptions {
  /** The currency the account is held in (ISO 4217): a request in another is then refused before it is sent. */
  readonly currency?: string | undefined
  /** One of several contracts of the same cardholder (STET 1.6), 1 to 32 characters. */
  readonly workspace?: string | undefined
}

/** An account by a number of another scheme than the IBAN. */
export interface OtherAccountOptions extends AccountOptions {
  /** The number itself, 1 to 70 characters. */
  readonly identification: string
  /** The scheme of that number. */
  readonly scheme: AccountScheme
  /** Who issued that number, 1 to 35 characters. */
  readonly issuer?: string | undefined
}

/** An account as the addon takes it; an IBAN is for the addon to check. */
let partsOf: (account: unknown) => string | Native.AccountParts

/**
 * The account a check is about, by its IBAN or, with {@link Account.other}, by a number of another scheme.
 *
 * Throws `request.iban`, `request.currency`, `request.account`.
 */
export class Account {
  static {
    partsOf = (account) => {
      if (typeof account === 'string') {
        return text(account, 'iban')
      }
      const isAccount = typeof account === 'object' && account !== null && #parts in account
      return isAccount ? account.#parts : new Account(account as Iban).#parts
    }
  }

  readonly #parts: Native.AccountParts
  /** The IBAN, when the account is named by one. */
  readonly iban: Iban | undefined
  /** The scheme of another number. */
  readonly scheme: AccountScheme | undefined
  /** Who issued that number. */
  readonly issuer: string | undefined
  /** The currency the account is held in, when stated. */
  readonly currency: string | undefined
  /** The workspace, when stated. */
  readonly workspace: string | undefined

  constructor(iban: Iban | string, given: AccountOptions = {}) {
    const isOther =
      typeof iban === 'object' && iban !== null && !((iban as object) instanceof Account) && 'identification' in iban
    const other = isOther ? (iban as unknown as OtherAccountOptions) : undefined
    const { currency, workspace } = other ?? options<AccountOptions>(given, 'Account', ['currency', 'workspace'])
    this.iban = other ? undefined : Iban.from(iban)
    this.scheme = other?.scheme
    this.issuer = optionalText(other?.issuer, 'issuer')
    this.currency = optionalText(currency, 'currency')
    this.workspace = optionalText(workspace, 'workspace')
    this.#parts = withoutUndefined({
      iban: this.iban?.unmasked,
      identification: other && text(other.identification, 'identification'),
      scheme: other && text(other.scheme, 'scheme'),
      issuer: this.issuer,
      currency: this.currency,
      workspace: this.workspace,
    })
    taken(native.checkAccount(this.#parts))
    Object.freeze(this)
  }

  /** An account by a number of another scheme. */
  static other(given: OtherAccountOptions): Account {
    const known = ['identification', 'scheme', 'issuer', 'currency', 'workspace'] as const
    return new Account(
      needed<OtherAccountOptions>(given, 'Account.other', known, ['identification', 'scheme']) as never,
    )
  }

  /** The number of another scheme, in clear. Do not log it. */
  get identification(): string | undefined {
    return this.#parts.identification
  }

  /** What may be shown. */
  toJSON(): Record<string, unknown> {
    const { iban, scheme, issuer, currency, workspace } = this
    return { iban: iban?.toString(), scheme, issuer, currency, workspace }
  }

  /** What may be shown. */
  toString(): string {
    return this.iban?.toString() ?? `… (${this.scheme})`
  }

  /** @internal */
  [inspect.custom](_: number, options: object): string {
    return shown('Account', this.toJSON(), options)
  }
}

/** The members that are there: an addon takes a missing one for none, and `undefined` for a mistake. */
function withoutUndefined<T extends object>(given: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never
}

/**
 * The `PSU-*` headers of STET: what the issuer knows of the cardholder's own connection.
 *
 * Give them only when the cardholder is really present at the other end. Every value is sent as it is: printable ASCII
 * characters, without blanks at its ends; others are refused with `request.psu_header`.
 */
export interface PsuContext {
  /** `PSU-IP-Address`: the address the cardholder connects from. */
  readonly ipAddress?: string | undefined
  /** `PSU-IP-Port`: the port the cardholder connects from. */
  readonly ipPort?: string | undefined
  /** `PSU-HTTP-Method`: the method of the cardholder's request, e.g. `POST`. */
  readonly httpMethod?: string | undefined
  /** `PSU-Date`: the moment of the cardholder's request, as an HTTP date (RFC 9110 §5.6.7). */
  readonly date?: string | undefined
  /** `PSU-GEO-Location`: where the cardholder is, as `GEO:<latitude>;<longitude>` (RFC 5870). */
  readonly geoLocation?: string | undefined
  /** `PSU-User-Agent`: the browser or app of the cardholder. */
  readonly userAgent?: string | undefined
  /** `PSU-Referer`: the `Referer` the cardholder's browser sent. */
  readonly referer?: string | undefined
  /** `PSU-Accept`: the `Accept` the cardholder's browser sent. */
  readonly accept?: string | undefined
  /** `PSU-Accept-Charset`: the `Accept-Charset` the cardholder's browser sent. */
  readonly acceptCharset?: string | undefined
  /** `PSU-Accept-Encoding`: the `Accept-Encoding` the cardholder's browser sent. */
  readonly acceptEncoding?: string | undefined
  /** `PSU-Accept-Language`: the `Accept-Language` the cardholder's browser sent. */
  readonly acceptLanguage?: string | undefined
  /** `PSU-Device-ID`: a UUID of the cardholder's device or installation. */
  readonly deviceId?: string | undefined
}

const PSU_HEADERS = [
  'ipAddress',
  'ipPort',
  'httpMethod',
  'date',
  'geoLocation',
  'userAgent',
  'referer',
  'accept',
  'acceptCharset',
  'acceptEncoding',
  'acceptLanguage',
  'deviceId',
] as const

function psuContext(given: unknown): PsuContext {
  const headers = options<PsuContext>(given, 'psu', PSU_HEADERS)
  const checked = PSU_HEADERS.map((name) => [name, optionalText(headers[name], `psu.${name}`)] as const)
  return Object.freeze(withoutUndefined(Object.fromEntries(checked)))
}

/** One question to the bank. */
export interface FundsRequestOptions {
  /** The issuer's own reference, 1 to 35 characters; it comes back in the answer. */
  readonly reference: string
  /** The account in question: an {@link Account}, or an IBAN. */
  readonly account: Account | Iban | string
  /** The amount in question: decimal text or a `bigint` with a {@link currency}, or an {@link Amount}. */
  readonly amount: Amount | string | bigint
  /** The currency of the amount (ISO 4217). */
  readonly currency?: string | undefined
  /** The merchant, for the cardholder's information, 1 to 70 characters. */
  readonly payee?: string | undefined
  /** The cardholder's own connection, when the cardholder is present. */
  readonly psu?: PsuContext | undefined
  /** The `X-Request-ID`, 1 to 70 visible ASCII characters; by default a fresh UUID for every call. */
  readonly requestId?: string | undefined
}

/** An amount as callers give it: an `Amount`, or its value and a currency, for the addon to check. */
function givenAmount(amount: unknown, currency: string | undefined): { value: string; currency: string } {
  if (isAmount(amount)) {
    if (currency !== undefined && currency !== amount.currency) {
      throw CbpiiError.of('request.currency', 'The currency differs from the one of the Amount; leave it out.')
    }
    return amount
  }
  if (currency === undefined) {
    throw CbpiiError.of('request.currency', 'The amount has no currency; give one (ISO 4217), or an Amount.')
  }
  return { value: decimalText(amount, 'amount'), currency }
}

const MEMBERS = ['reference', 'account', 'amount', 'currency', 'payee', 'psu', 'requestId'] as const

function givenQuestion(question: unknown): Partial<FundsRequestOptions> {
  return needed<FundsRequestOptions>(question, 'A funds request', MEMBERS, ['reference', 'account', 'amount'])
}

/** The parts of a question as the addon takes them, for it to check all at once. */
function questionOf(given: Partial<FundsRequestOptions>): Native.Question {
  const reference = text(given.reference, 'reference')
  const account = partsOf(given.account)
  const { value, currency } = givenAmount(given.amount, optionalText(given.currency, 'currency'))
  const payee = optionalText(given.payee, 'payee')
  const psu = given.psu && (psuContext(given.psu) as Native.PsuContext)
  const requestId = optionalText(given.requestId, 'requestId')
  return [reference, account, value, currency, payee, psu, requestId]
}

/** @internal What a call gives the addon: a question that was checked before, or the parts of one. */
export let asked: (request: unknown) => Native.Asked

/** @internal A checked question. */
export function nativeRequest(request: unknown): Native.FundsRequest {
  const question = asked(request)
  return 'length' in question ? taken(native.fundsRequest(question)) : question
}

/**
 * One question to the bank: does this account hold this amount at this moment? Nothing is reserved by asking. It is
 * checked when it is made, and may be asked many times; a call also takes the plain options. Throws the errors `request.…`.
 */
export class FundsRequest {
  static {
    asked = (request) =>
      typeof request === 'object' && request !== null && #native in request
        ? request.#native
        : questionOf(givenQuestion(request))
  }

  readonly #native: Native.FundsRequest
  /** The issuer's own reference. */
  readonly reference: string
  /** The account in question. */
  readonly account: Account
  /** The amount in question. */
  readonly amount: Amount
  /** The merchant. */
  readonly payee: string | undefined
  /** The cardholder's own connection. */
  readonly psu: PsuContext | undefined
  /** The `X-Request-ID`, when one was given. */
  readonly requestId: string | undefined

  constructor(question: FundsRequestOptions) {
    const given = givenQuestion(question)
    this.reference = text(given.reference, 'reference')
    this.account = given.account instanceof Account ? given.account : new Account(given.account as Iban | string)
    const amount = givenAmount(given.amount, optionalText(given.currency, 'currency'))
    this.amount = isAmount(amount) ? amount : new Amount(amount.value, amount.currency)
    this.payee = optionalText(given.payee, 'payee')
    this.psu = given.psu && psuContext(given.psu)
    this.requestId = optionalText(given.requestId, 'requestId')
    this.#native = taken(native.fundsRequest(questionOf(this)))
    Object.freeze(this)
  }

  /** What may be shown: the account is masked, the cardholder's connection left out. */
  toJSON(): Record<string, unknown> {
    const { reference, account, amount, payee, requestId } = this
    return { reference, account: account.toString(), amount: amount.toString(), payee, requestId }
  }

  /** @internal */
  [inspect.custom](_: number, options: object): string {
    return shown('FundsRequest', this.toJSON(), options)
  }
}
