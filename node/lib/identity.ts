/** Who the issuer is: certificates, keys, signers. */

import { inspect } from 'node:util'

import { type Bank, recordOf } from './bank.js'
import { answer } from './callbacks.js'
import { bytes, needed, optionalMoment, optionalText, options, text, wrongType } from './check.js'
import { CbpiiError, taken } from './errors.js'
import { native } from './loader.js'
import type * as Native from './native.js'
import { nativeSecret, optionalSecret, type Secret } from './secret.js'

/**
 * A way to sign: the kind of key, the padding and the hash. `rsa-pkcs1-sha256` (RSASSA-PKCS1-v1_5) is what banks mean by
 * `rsa-sha256`; `rsa-pss-…` (MGF1 of the same hash, a salt as long as the hash) is what TLS 1.3 uses with RSA keys; the
 * signature of `ecdsa-…` is the ASN.1 form of RFC 3279 §2.2.3.
 */
export type SignatureAlgorithm =
  | 'rsa-pkcs1-sha256'
  | 'rsa-pkcs1-sha384'
  | 'rsa-pkcs1-sha512'
  | 'rsa-pss-sha256'
  | 'rsa-pss-sha384'
  | 'rsa-pss-sha512'
  | 'ecdsa-p256-sha256'
  | 'ecdsa-p384-sha384'

/** A certificate, key or keystore: PEM as text or bytes, or DER as bytes. */
export type Material = string | Uint8Array

/**
 * Signs with a key that this library need not see: in an HSM or KMS. It is asked by the client's threads, on the event
 * loop, several times at once; the call waits for it, as long as its time-out allows. What it throws becomes the error of
 * the call: a {@link CbpiiError} as it is, anything else as `configuration.signer_failed` with what was thrown as `cause`.
 */
export interface Signer {
  /** The algorithms it offers, the preferred one first. An RSA key must offer `rsa-pss-sha256` for TLS 1.3. */
  readonly algorithms: readonly SignatureAlgorithm[]
  /** The bare signature of the message (not of its hash). */
  sign(algorithm: SignatureAlgorithm, message: Buffer): Uint8Array | Promise<Uint8Array>
}

/** Bytes of material that is public. */
function publicBytes(given: unknown, name: string): Uint8Array {
  return typeof given === 'string'
    ? Buffer.from(pem(given, name, 'configuration.certificate_unreadable'))
    : bytes(given, name)
}

/** Does something with the bytes of a key or keystore, and overwrites the copy that was made for it. */
function withKey<T>(given: unknown, name: string, use: (bytes: Uint8Array) => T): T {
  if (typeof given !== 'string') {
    return use(bytes(given, name))
  }
  const copy = Buffer.from(pem(given, name, 'configuration.key_unreadable'))
  try {
    return use(copy)
  } finally {
    copy.fill(0)
  }
}

/** A text that is no PEM is most likely meant as a path. */
function pem(given: string, name: string, code: string): string {
  if (!given.includes('-----BEGIN')) {
    const message = `The argument ${name} is a string and not PEM text; give fs.readFileSync(path) for a file, or a Buffer for DER.`
    throw CbpiiError.of(code, message)
  }
  return text(given, name)
}

/** The function that answers the addon's questions with a signer. */
function signing(signer: Signer): (question: Native.Signing) => unknown {
  return (question) =>
    answer<unknown>(
      question,
      'signer',
      () => signer.sign(question.algorithm() as SignatureAlgorithm, question.message()),
      (signature) => question.signed(bytes(signature, 'that the signer returned')),
    )
}

function algorithmsOf(signer: unknown): string[] {
  const given = signer as Partial<Signer> | undefined
  if (
    typeof given !== 'object' ||
    given === null ||
    typeof given.sign !== 'function' ||
    !Array.isArray(given.algorithms)
  ) {
    throw wrongType(signer, 'signer', 'an object with algorithms and a function sign')
  }
  return given.algorithms.map((algorithm) => text(algorithm, 'algorithms of the signer'))
}

/** Certificate and key, or a signer for the certificate's key. */
export interface IdentityOptions {
  /** The certificate, with its chain in any order. */
  readonly certificate: Material
  /** Its key; or give a {@link signer}. */
  readonly key?: Material | undefined
  /** The password of an encrypted key. */
  readonly password?: string | Secret | undefined
  /** Signs in place of a {@link key}. */
  readonly signer?: Signer | undefined
}

/** The same for a seal. */
export interface SealIdentityOptions extends IdentityOptions {
  /**
   * The whole `keyId` of signatures, instead of the one the bank's record would make: for instance the URL at which the
   * certificate was published.
   */
  readonly keyId?: string | undefined
}

const IDENTITY = ['certificate', 'key', 'password', 'signer'] as const

function keyOrSigner(given: Partial<IdentityOptions>, of: string): 'key' | 'signer' {
  if ((given.key === undefined) === (given.signer === undefined)) {
    throw CbpiiError.of('request.argument', `${of} takes either a key or a signer; give one of them.`)
  }
  return given.key === undefined ? 'signer' : 'key'
}

/** @internal */
export let nativeTransport: (identity: unknown) => Native.TransportIdentity

/**
 * Who we are to the bank's TLS: the QWAC's certificate chain, and its key or a signer.
 *
 * Throws `configuration.certificate_unreadable`, `configuration.key_unreadable`, `configuration.key_password`,
 * `configuration.key_unsupported`, `configuration.key_mismatch`.
 */
export class TransportIdentity {
  static {
    nativeTransport = (identity) => {
      if (typeof identity === 'object' && identity !== null && #native in identity) {
        return identity.#native
      }
      throw wrongType(identity, 'transport', 'a TransportIdentity')
    }
  }

  readonly #native: Native.TransportIdentity

  constructor(identity: IdentityOptions) {
    this.#native = (identity as unknown) instanceof native.TransportIdentity ? (identity as never) : made(identity)
  }

  /** From a PKCS#12 keystore (`.p12`, `.pfx`). */
  static fromPkcs12(keystore: Uint8Array, given: { readonly password: string | Secret }): TransportIdentity {
    const { password } = needed<{ password: string }>(given, 'fromPkcs12', ['password'], ['password'])
    const secret = nativeSecret(password, 'password')
    return new TransportIdentity(
      taken(native.transportIdentityFromPkcs12(bytes(keystore, 'keystore'), secret)) as never,
    )
  }

  /** The subject of the certificate (RFC 4514). */
  get subject(): string {
    return taken(this.#native.subject())
  }

  /** What may be shown. */
  toJSON(): Record<string, unknown> {
    return { subject: this.subject }
  }

  /** @internal */
  [inspect.custom](): string {
    return `TransportIdentity(${inspect(this.subject)})`
  }
}

function made(identity: IdentityOptions): Native.TransportIdentity {
  const given = needed<IdentityOptions>(identity, 'A TransportIdentity', IDENTITY, ['certificate'])
  const certificate = publicBytes(given.certificate, 'certificate')
  if (keyOrSigner(given, 'A TransportIdentity') === 'signer') {
    const algorithms = algorithmsOf(given.signer)
    return taken(native.transportIdentityWithSigner(certificate, algorithms, signing(given.signer as Signer)))
  }
  const password = optionalSecret(given.password, 'password')
  return taken(withKey(given.key, 'key', (key) => native.transportIdentity(certificate, key, password)))
}

/** @internal */
export let nativeSeal: (identity: unknown) => Native.SealIdentity

/**
 * Who signs our requests: the QSealC's certificate chain, and its key or a signer. Takes and throws what
 * {@link TransportIdentity} does, and `configuration.header` when the `keyId` cannot be sent.
 */
export class SealIdentity {
  static {
    nativeSeal = (identity) => {
      if (typeof identity === 'object' && identity !== null && #native in identity) {
        return identity.#native
      }
      throw wrongType(identity, 'seal', 'a SealIdentity')
    }
  }

  readonly #native: Native.SealIdentity

  constructor(identity: SealIdentityOptions) {
    this.#native = (identity as unknown) instanceof native.SealIdentity ? (identity as never) : madeSeal(identity)
  }

  /** From a PKCS#12 keystore (`.p12`, `.pfx`). */
  static fromPkcs12(
    keystore: Uint8Array,
    given: { readonly password: string | Secret; readonly keyId?: string | undefined },
  ): SealIdentity {
    type Given = { password: string; keyId: string }
    const { password, keyId } = needed<Given>(given, 'fromPkcs12', ['password', 'keyId'], ['password'])
    const secret = nativeSecret(password, 'password')
    const identity = native.sealIdentityFromPkcs12(bytes(keystore, 'keystore'), secret, optionalText(keyId, 'keyId'))
    return new SealIdentity(taken(identity) as never)
  }

  /** The subject of the certificate (RFC 4514). */
  get subject(): string {
    return taken(this.#native.subject())
  }

  /** The `keyId` that was stated, if any. */
  get keyId(): string | undefined {
    return this.#native.keyId() ?? undefined
  }

  /** What may be shown. */
  toJSON(): Record<string, unknown> {
    return { subject: this.subject, keyId: this.keyId }
  }

  /** @internal */
  [inspect.custom](): string {
    return `SealIdentity(${inspect(this.subject)})`
  }
}

function madeSeal(identity: SealIdentityOptions): Native.SealIdentity {
  const given = needed<SealIdentityOptions>(identity, 'A SealIdentity', [...IDENTITY, 'keyId'], ['certificate'])
  const certificate = publicBytes(given.certificate, 'certificate')
  const keyId = optionalText(given.keyId, 'keyId')
  if (keyOrSigner(given, 'A SealIdentity') === 'signer') {
    const algorithms = algorithmsOf(given.signer)
    return taken(native.sealIdentityWithSigner(certificate, algorithms, signing(given.signer as Signer), keyId))
  }
  const password = optionalSecret(given.password, 'password')
  return taken(withKey(given.key, 'key', (key) => native.sealIdentity(certificate, key, password, keyId)))
}

/**
 * How grave a finding about a certificate is: with an `error` banks will refuse, and no client is built; with a `warning`
 * some may, or will soon; `information` is worth knowing.
 */
export type Severity = 'error' | 'warning' | 'information'

/** One thing that is wrong with a certificate, or worth knowing. */
export interface Finding {
  /** How grave it is. */
  readonly severity: Severity
  /** What it is about, e.g. `not_a_cbpii`; stable. */
  readonly code: string
  /** What was found and what to do, for a person. */
  readonly sentence: string
}

/** The card issuer. */
export interface IssuerOptions {
  /** As registered at the bank, usually the organisation identifier `PSDFR-ACPR-12345`. */
  readonly clientId: string
  /** Where the bank sends the cardholder back, kept byte for byte. */
  readonly redirectUri: string
  /** For the banks that want one. */
  readonly clientSecret?: string | Secret | undefined
  /** The QWAC, for mutual TLS. */
  readonly transport?: TransportIdentity | undefined
  /** The QSealC, for signed requests. */
  readonly seal?: SealIdentity | undefined
}

/** @internal */
export let nativeIssuer: (issuer: unknown) => Native.Issuer

/**
 * The card issuer: the regulated party that asks.
 *
 * Throws `configuration.client_id`, `configuration.redirect_uri`, `configuration.client_secret`.
 */
export class Issuer {
  static {
    nativeIssuer = (issuer) => {
      if (typeof issuer === 'object' && issuer !== null && #native in issuer) {
        return issuer.#native
      }
      throw wrongType(issuer, 'issuer', 'an Issuer')
    }
  }

  readonly #native: Native.Issuer
  /** The client_id. */
  readonly clientId: string
  /** The redirect URI, byte for byte. */
  readonly redirectUri: string
  /** The QWAC. */
  readonly transport: TransportIdentity | undefined
  /** The QSealC. */
  readonly seal: SealIdentity | undefined

  constructor(issuer: IssuerOptions) {
    const known = ['clientId', 'redirectUri', 'clientSecret', 'transport', 'seal'] as const
    const given = needed<IssuerOptions>(issuer, 'An Issuer', known, ['clientId', 'redirectUri'])
    this.clientId = text(given.clientId, 'clientId')
    this.redirectUri = text(given.redirectUri, 'redirectUri')
    this.transport = given.transport
    this.seal = given.seal
    this.#native = taken(
      native.issuer(
        this.clientId,
        this.redirectUri,
        optionalSecret(given.clientSecret, 'clientSecret'),
        given.transport && nativeTransport(given.transport),
        given.seal && nativeSeal(given.seal),
      ),
    )
    Object.freeze(this)
  }

  /**
   * The eligibility check of the product's prerequisites at `now`, by default the present: every finding of both
   * certificates that matters at this bank. Those of severity `error` keep a client from being built.
   */
  check(bank: Bank, given: { readonly now?: Date } = {}): Finding[] {
    const { now } = options<{ now: Date }>(given, 'Issuer.check', ['now'])
    return taken(this.#native.check(recordOf(bank, 'bank'), optionalMoment(now, 'now'))).map(finding)
  }
}

/** @internal */
export function finding(one: Native.Finding): Finding {
  return Object.freeze({ severity: one.severity as Severity, code: one.code, sentence: one.sentence })
}

/** @internal */
export { publicBytes, withKey }
