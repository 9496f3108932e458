/**
 * Ask a bank "are the funds there?": PSD2 funds confirmation for card issuers (role CBPII).
 *
 * ```js
 * const client = new Client({ bank: Bank.bpce('17515', 'production'), issuer })
 * const pending = client.beginConsent()                              // once per cardholder: send the browser to pending.url
 * const tokens = await client.completeConsent(pending, callbackUrl)  // and take it back
 * const answer = await client.confirmFunds(tokens, { reference, account: iban, amount: '59.90', currency: 'EUR' })
 * console.log(answer.available)                                      // at every payment
 * ```
 *
 * **No answer is never "no funds"**: anything but a well-formed yes or no of the bank is a {@link CbpiiError}. Durations are
 * milliseconds, moments are `Date`, amounts are decimal texts and never numbers; what is secret does not show.
 *
 * @packageDocumentation
 */

export {
  type AccountMember,
  type AmountFormat,
  Bank,
  type BankFields,
  type ClientAuthentication,
  type EchoRule,
  type Environment,
  type RefreshTokenRotation,
  type SealAlgorithm,
  type SignatureDialect,
  type Standard,
  type TrustAnchors,
  type TrustMode,
} from './bank.js'
export type { CallOptions } from './call.js'
export {
  type CertificateReport,
  type CertificateUse,
  type DistinguishedName,
  type InspectOptions,
  inspectCertificate,
  type OrganisationIdentifier,
  type Psd2Role,
  type QcType,
} from './certificate.js'
export { Client, type ClientOptions } from './client.js'
export { AuthorizationCode, PendingConsent, Tokens, type TokensOptions } from './consent.js'
export {
  type Advice,
  BankRefusedError,
  BankUnavailableError,
  CATALOGUE,
  CallCancelledError,
  CallTimeoutError,
  type CatalogueEntry,
  CbpiiError,
  type CbpiiErrorOptions,
  ConfigurationError,
  ConsentRefusedError,
  ConsentRequiredError,
  EligibilityError,
  type ErrorKind,
  InternalError,
  InvalidRequestError,
  NetworkError,
  ProtocolError,
  RateLimitedError,
  type RequestSent,
  StoreError,
  TlsError,
} from './errors.js'
export {
  Account,
  type AccountOptions,
  type AccountScheme,
  Amount,
  Currency,
  FundsRequest,
  type FundsRequestOptions,
  Iban,
  type OtherAccountOptions,
  type PsuContext,
} from './funds.js'
export {
  type Finding,
  type IdentityOptions,
  Issuer,
  type IssuerOptions,
  type Material,
  SealIdentity,
  type SealIdentityOptions,
  type Severity,
  type SignatureAlgorithm,
  type Signer,
  TransportIdentity,
} from './identity.js'
export {
  type CheckOutcome,
  type Checks,
  ConfirmMany,
  type ConfirmManyOptions,
  type FundsCheck,
  type Progress,
} from './many.js'
export {
  type Event,
  Explanation,
  type FundsConfirmation,
  type Operation,
  type ResponseSignature,
  type TransportStatistics,
} from './results.js'
export { Secret } from './secret.js'
export {
  type ConsentEvent,
  type ConsentMoment,
  type ConsentState,
  type ConsentStatus,
  type NextAction,
  Session,
  SessionPool,
  type SessionPoolOptions,
} from './session.js'
export {
  type Awaitable,
  type ConsentStore,
  type DueRecord,
  type RenewalDue,
  SealedStore,
  type SealedStoreOptions,
  type StoredRecord,
} from './store.js'
export type { HttpRequest, HttpResponse, Transport } from './transport.js'
