// Written by the macros of napi-rs: do not edit. What the compiled part gives to lib/.

/** A value, or why there is none. */
export type Outcome<T> = T | Failure
/** Nothing yet: an outcome of this type is told to the Settler later. */
export type Soon<T> = { readonly outcome?: T } | undefined
/** Is told outcomes. */
export type SettleFunction = (call: number, outcome: unknown) => unknown
/** Answers the addon's questions. */
export type SignFunction = (question: Signing) => unknown
export type TransportFunction = (told: Exchange | number) => unknown
export type EventFunction = (event: Event) => unknown
/** The bank's yes or no. */
export type Confirmation = readonly [
  available: boolean,
  reference: string,
  requestId: string | undefined,
  correlationId: string | undefined,
  bankId: string,
  checkedAt: number,
  durationMs: number,
  responseSignature: string,
  deprecationWarning: string | undefined,
]
/** The parts of a question. */
export type Question = readonly [
  reference: string,
  account: string | AccountParts,
  amount: string,
  currency: string,
  payee: string | undefined,
  psu: PsuContext | undefined,
  requestId: string | undefined,
]
/** What a call asks: a question that was checked before, or its parts. */
export type Asked = FundsRequest | Question

/** The one-time code of a consent that was given. */
export declare class AuthorizationCode {
  expose(): string
  masked(): string
}

/** Ends the calls it was given to. */
export declare class CancelToken {
  constructor()
  /** Ends every call that runs under this token. */
  cancel(): void
}

/** Many checks: they are sent one by one, and their outcomes come as they end. */
export declare class Checks {
  send(session: Session, request: FundsRequest, number: number): void
  /** No more checks come. */
  finish(): void
  /** Ends what is under way. */
  cancel(): void
  next(call: number): Soon<Ended | null>
  progress(): ProgressFacts
}

/** One issuer at one bank. */
export declare class Client {
  /** Sets the caller's clock, when there is one. */
  setClock(now: number): void
  statistics(): Outcome<TransportStatistics>
  beginConsent(validForMs?: number | undefined | null): Outcome<PendingConsent>
  explain(request: FundsRequest): Outcome<Explanation>
  completeConsent(call: number, pending: PendingConsent, callbackUrl: string, timeoutMs?: number | undefined | null, cancel?: CancelToken | undefined | null): Soon<Tokens>
  exchangeCode(call: number, pending: PendingConsent, code: AuthorizationCode, timeoutMs?: number | undefined | null, cancel?: CancelToken | undefined | null): Soon<Tokens>
  refresh(call: number, tokens: Tokens, timeoutMs?: number | undefined | null, cancel?: CancelToken | undefined | null): Soon<Tokens>
  confirmFunds(call: number, tokens: Tokens, question: Asked, timeoutMs?: number | undefined | null, cancel?: CancelToken | undefined | null): Soon<Confirmation>
  warmUp(call: number, connections: number): Soon<number>
  /** Panics in a call, so that a test can show what becomes of it. */
  panicSoon(call: number): Soon<boolean>
  /** Panics where the promise is settled, on the thread of the event loop. */
  panicLate(call: number): Soon<boolean>
}

/** What a transport is asked to send. */
export declare class Exchange {
  number(): number
  request(): OutgoingRequest
  answered(status: number, headers: Array<Array<string>>, body: Uint8Array): void
  failed(thrown: Thrown): void
}

/** One question to the bank. */
export declare class FundsRequest {}

/** The card issuer. */
export declare class Issuer {
  check(bank: string, now?: number | undefined | null): Outcome<Array<Finding>>
}

/** A consent that is being asked for. */
export declare class PendingConsent {
  facts(): PendingConsentFacts
  url(): string
  state(): string
  complete(callbackUrl: string, now?: number | undefined | null): Outcome<AuthorizationCode>
  serialize(): string
}

/** The sessions of one client. */
export declare class Pool {
  keep(call: number, id: string, tokens: Tokens): Soon<Session>
  open(call: number, id: string): Soon<Session>
  forget(call: number, id: string): Soon<boolean>
}

/** The consents to renew, one by one. */
export declare class RenewalsDue {
  next(call: number): Soon<Renewal | null>
}

/** A store and the keys that seal its records. */
export declare class SealedStore {
  reseal(call: number): Soon<number>
  renewalsDue(before: number): RenewalsDue
}

/** Who signs our requests. */
export declare class SealIdentity {
  subject(): Outcome<string>
  keyId(): string | null
}

/** A secret text. It leaves by `expose` only. */
export declare class Secret {
  constructor(text: string)
  /** The secret itself. */
  expose(): string
  /** A form that may be shown. */
  masked(): string
  /** Whether both are the same, in constant time. */
  equals(other: Secret): boolean
}

/** One cardholder's consent at one bank. */
export declare class Session {
  id(): string
  confirmFunds(call: number, question: Asked, timeoutMs?: number | undefined | null, cancel?: CancelToken | undefined | null): Soon<Confirmation>
  status(): Outcome<Status>
  history(): Outcome<Array<Moment>>
  hasUnsavedTokens(): Outcome<boolean>
  reload(call: number): Soon<Status>
}

/**
 * Tells the package the outcomes of its calls, by the numbers it gave them. It is one for all calls: a deferred of napi
 * would make, and close, a handle of the event loop for each.
 */
export declare class Settler {
  constructor(settle: SettleFunction)
}

/** What a signer is asked to sign. */
export declare class Signing {
  algorithm(): string
  message(): Buffer
  signed(signature: Uint8Array): void
  failed(thrown: Thrown): void
}

/** What a store written in JavaScript is asked to do. */
export declare class Storing {
  operation(): 'load' | 'save' | 'delete' | 'list'
  /** What it is asked with; to be taken once. */
  arguments(): StoreArguments
  loaded(sealed: Uint8Array, dueAt: number, version: number): void
  notThere(): void
  saved(version?: number | undefined | null): void
  deleted(wasThere: boolean): void
  listed(lines: Array<DueLine>): void
  failed(thrown: Thrown): void
}

/** The tokens of one cardholder's consent at one bank. */
export declare class Tokens {
  /** Tokens in it are masked. */
  facts(): TokensFacts
  accessToken(): Secret
  refreshToken(): Secret | null
  isExpired(now?: number | undefined | null): boolean
  equals(other: Tokens): boolean
  serialize(): string
}

/** Who we are to the bank's TLS. */
export declare class TransportIdentity {
  subject(): Outcome<string>
}

/** An account, by its IBAN or by a number of another scheme. */
export interface AccountParts {
  iban?: string
  identification?: string
  scheme?: string
  issuer?: string
  currency?: string
  workspace?: string
}

/** Checks an amount, and gives its value back in the form it is sent in. */
export declare function amountValue(value: string, currency: string): Outcome<string>

export declare function authorizationCode(text: string): Outcome<AuthorizationCode>

export declare function bankBpce(code: string, environment: string): Outcome<string>

export declare function bankById(id: string, environment: string): Outcome<string>

export declare function bankDirectory(environment: string): Outcome<Array<string>>

export declare function bankFromJson(text: string): Outcome<string>

export declare function banksByCode(code: string, environment: string): Outcome<Array<string>>

export declare function banksFound(words: string, environment: string): Outcome<Array<string>>

export declare function banksFromIban(iban: string, environment: string): Outcome<Array<string>>

export declare function bankWithOrigin(bank: string, origin: string): Outcome<string>

export declare function bankWithTrustAnchor(bank: string, pem: string, mode: string): Outcome<string>

/** The whole catalogue, in order of number. */
export declare function catalogue(): Array<CatalogueEntry>

/** One cause of errors. */
export interface CatalogueEntry {
  code: string
  number: number
  kind: string
  advice: string
  summary: string
}

/** How a certificate is looked at. */
export interface CertificateQuestion {
  use?: string
  key?: Uint8Array
  clientId?: string
  acceptPss?: boolean
  now?: number
}

/** Checks an account. */
export declare function checkAccount(account: AccountParts): Outcome<boolean>

export declare function checks(settler: Settler, maxInFlight: number, timeoutMs: number | undefined | null, maxPauseMs: number): Outcome<Checks>

export declare function client(settler: Settler, bank: string, issuer: Issuer, options: ClientOptions, transport?: TransportFunction | undefined | null, onEvent?: EventFunction | undefined | null): Outcome<Client>

/** The options of a client; the package has checked their types. */
export interface ClientOptions {
  timeoutMs?: number
  connectTimeoutMs?: number
  maxIdleConnections?: number
  maxIdleAgeMs?: number
  retries?: number
  proxy?: string
  checkEligibility?: boolean
  maxInFlight: number
  /** The present by a clock of the caller's, when there is one. */
  now?: number
}

/** How many decimals the amounts of a currency have. */
export declare function currencyDecimals(code: string): Outcome<number>

/** A line of the index by due moment. */
export interface DueLine {
  id: string
  dueAt: number
}

/** A check that ended, with an answer or an error. */
export interface Ended {
  number: number
  confirmation?: Confirmation
  error?: ErrorFacts
}

/** An error of the core, as plain facts. */
export interface ErrorFacts {
  code: string
  message: string
  retryAfterMs?: number
  httpStatus?: number
  bankCode?: string
  bankMessage?: string
  requestId?: string
  correlationId?: string
  requestSent: string
  explanation?: Explanation
  /** What a callback threw, in an object. */
  cause?: { thrown: unknown }
}

/** One exchange that ended. */
export interface Event {
  operation: string
  bankId: string
  requestId?: string
  attempt: number
  durationMs: number
  httpStatus?: number
  error?: string
}

/** A request laid open. */
export interface Explanation {
  method: string
  url: string
  headers: Array<Array<string>>
  body: string
  digestInput?: string
  signingString?: string
  keyId?: string
  keyIdSource?: string
  /** The whole, for a person. */
  text: string
}

/** What became of a call that gives back no value. */
export interface Failure {
  /** Why. */
  failure: ErrorFacts
}

/** One thing found about a certificate. */
export interface Finding {
  severity: string
  code: string
  sentence: string
}

/** Checks a question. */
export declare function fundsRequest(question: Question): Outcome<FundsRequest>

export declare function iban(text: string): Outcome<IbanFacts>

/** What there is to say about an IBAN. */
export interface IbanFacts {
  text: string
  masked: string
  country: string
  bankCode?: string
}

/** A report on a certificate, as JSON. */
export declare function inspectCertificate(certificate: Uint8Array, question: CertificateQuestion, password?: Secret | undefined | null): Outcome<string>

export declare function issuer(clientId: string, redirectUri: string, clientSecret?: Secret | undefined | null, transport?: TransportIdentity | undefined | null, seal?: SealIdentity | undefined | null): Outcome<Issuer>

/** One moment of a consent's history. */
export interface Moment {
  at: number
  event: string
  cause?: string
}

/** Opens a store of the core. */
export declare function openSealedStore(call: number, settler: Settler, place: StorePlace, key: Uint8Array, oldKeys: Array<Uint8Array>): Soon<SealedStore>

/** One request, complete. */
export interface OutgoingRequest {
  method: string
  url: string
  headers: Array<Array<string>>
  body: Buffer
  timeoutMs: number
  freshConnection: boolean
}

/** Seals what a store written in JavaScript keeps. */
export declare function ownSealedStore(settler: Settler, ask: (arg: Storing) => unknown, key: Uint8Array, oldKeys: Array<Uint8Array>): Outcome<SealedStore>

/** Panics at once, likewise. */
export declare function panicAtOnce(): Outcome<boolean>

/** Panics outside the core, likewise. */
export declare function panicOutside(): boolean

export declare function pendingConsent(serialized: string): Outcome<PendingConsent>

/** What may be shown of a pending consent. */
export interface PendingConsentFacts {
  bankId: string
  redirectUri: string
  createdAt: number
  expiresAt: number
}

export declare function pool(client: Client, store: SealedStore, refreshMarginMs: number, renewBeforeMs: number, refreshTimeoutMs: number): Outcome<Pool>

/** How far a stream has come. */
export interface ProgressFacts {
  done: number
  yes: number
  no: number
  errors: number
  elapsedMs: number
}

/** The `PSU-*` headers. */
export interface PsuContext {
  ipAddress?: string
  ipPort?: string
  httpMethod?: string
  date?: string
  geoLocation?: string
  userAgent?: string
  referer?: string
  accept?: string
  acceptCharset?: string
  acceptEncoding?: string
  acceptLanguage?: string
  deviceId?: string
}

/** A consent to renew. */
export interface Renewal {
  id: string
  bankId: string
  consentExpiresAt: number
  reason: string
}

export declare function savedTokens(serialized: string): Outcome<Tokens>

export declare function sealIdentity(certificate: Uint8Array, key: Uint8Array, password?: Secret | undefined | null, keyId?: string | undefined | null): Outcome<SealIdentity>

export declare function sealIdentityFromPkcs12(keystore: Uint8Array, password: Secret, keyId?: string | undefined | null): Outcome<SealIdentity>

export declare function sealIdentityWithSigner(certificate: Uint8Array, algorithms: Array<string>, sign: SignFunction, keyId?: string | undefined | null): Outcome<SealIdentity>

/** How a consent stands at one moment. */
export interface Status {
  state: string
  consentExpiresAt: number
  renewFrom: number
  daysLeft: number
  nextAction: string
}

/** What a store is asked with; which of these, depends on the operation. */
export interface StoreArguments {
  id: string
  sealed?: Buffer
  dueAt?: number
  expected?: number
  dueBefore?: number
  after?: DueLine
  limit?: number
}

/** Where a store of the core is. */
export interface StorePlace {
  /** A URL, or the path of a SQLite file. */
  name: string
  isUrl: boolean
  busyTimeoutMs?: number
  readOnly: boolean
}

/** What a callback threw, as the package hands it over. */
export interface Thrown {
  /** Of an error of the package, its code. */
  code?: string
  /** One sentence. */
  message: string
  /** Of an error of the package that states it: `no`, `yes` or `unknown`. */
  requestSent?: string
  /** What was thrown, in an object. */
  cause: { thrown: unknown }
}

export declare function tokens(accessToken: Secret, refreshToken: Secret | undefined | null, obtainedAt: number, expiresAt: number | undefined | null, consentExpiresAt: number): Outcome<Tokens>

/** What may be shown of tokens. */
export interface TokensFacts {
  accessToken: string
  refreshToken?: string
  tokenType: string
  scope?: string
  obtainedAt: number
  expiresAt?: number
  consentExpiresAt: number
}

export declare function transportIdentity(certificate: Uint8Array, key: Uint8Array, password?: Secret | undefined | null): Outcome<TransportIdentity>

export declare function transportIdentityFromPkcs12(keystore: Uint8Array, password: Secret): Outcome<TransportIdentity>

export declare function transportIdentityWithSigner(certificate: Uint8Array, algorithms: Array<string>, sign: SignFunction): Outcome<TransportIdentity>

/** What a client's connections have done so far. */
export interface TransportStatistics {
  connections: number
  resumed: number
  nameLookups: number
}
