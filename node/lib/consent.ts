/** A consent and its tokens. */

import { inspect } from 'node:util'

import { jsonText, moment, needed, optionalMoment, options, text, wrongType } from './check.js'
import { taken } from './errors.js'
import { native } from './loader.js'
import type * as Native from './native.js'
import { shown } from './results.js'
import { nativeSecret, optionalSecret, type Secret, secretOf } from './secret.js'

/** @internal */
export let nativeCode: (code: unknown) => Native.AuthorizationCode

/**
 * The one-time code of a consent that was given. It lives for minutes: exchange it at once.
 *
 * Throws `request.token` when it is empty or has characters no code has.
 */
export class AuthorizationCode {
  static {
    nativeCode = (code) => {
      if (typeof code === 'object' && code !== null && #native in code) {
        return code.#native
      }
      throw wrongType(code, 'code', 'an AuthorizationCode')
    }
  }

  readonly #native: Native.AuthorizationCode

  constructor(code: string) {
    const isNative = (code as unknown) instanceof native.AuthorizationCode
    this.#native = isNative ? (code as never) : taken(native.authorizationCode(text(code, 'code')))
  }

  /** The code itself. Never log what this returns. */
  expose(): string {
    return this.#native.expose()
  }

  /** A form that may be shown. */
  get masked(): string {
    return this.#native.masked()
  }

  /** The masked form. */
  toString(): string {
    return this.masked
  }

  /** The masked form. */
  toJSON(): string {
    return this.masked
  }

  /** @internal */
  [inspect.custom](): string {
    return `AuthorizationCode(${inspect(this.masked)})`
  }
}

/** @internal */
export let nativePending: (pending: unknown) => Native.PendingConsent

/** @internal */
export let pendingOf: (pending: Native.PendingConsent) => PendingConsent

/**
 * A consent that is being asked for: send the cardholder to {@link url}, keep this (as {@link serialize} writes it) where
 * only the cardholder's browser session leads to, and complete it with the callback.
 */
export class PendingConsent {
  static {
    nativePending = (pending) => {
      if (typeof pending === 'object' && pending !== null && #native in pending) {
        return pending.#native
      }
      throw wrongType(pending, 'pending', 'a PendingConsent')
    }
    pendingOf = (pending) => new PendingConsent(pending)
  }

  readonly #native: Native.PendingConsent
  /** The bank this consent is asked from. */
  readonly bankId: string
  /** The redirect URI, byte for byte as registered. */
  readonly redirectUri: string
  /** When it began. */
  readonly createdAt: Date
  /** When it is no longer accepted. */
  readonly expiresAt: Date

  private constructor(pending: Native.PendingConsent) {
    this.#native = pending
    const facts = pending.facts()
    this.bankId = facts.bankId
    this.redirectUri = facts.redirectUri
    this.createdAt = new Date(facts.createdAt)
    this.expiresAt = new Date(facts.expiresAt)
    Object.freeze(this)
  }

  /** Where to send the cardholder's browser. On a phone it opens the bank's app. It holds the {@link state}. */
  get url(): string {
    return this.#native.url()
  }

  /** An unguessable text that ties the callback to this consent: a key under which a server can keep it. */
  get state(): string {
    return this.#native.state()
  }

  /**
   * Reads the callback: the URL the browser was sent back to, whole, or from its path or `?` on. `now` is the present, unless
   * another moment is given.
   *
   * Needs no key and no network. Throws `consent.access_denied` when the cardholder refused, `consent.refused_by_bank`,
   * `consent.bank_unavailable`, `consent.pending_expired`, `consent.state_mismatch`, `consent.issuer_mismatch`,
   * `consent.duplicated_parameter`, `consent.callback_without_answer`, `request.callback`, `request.token`.
   */
  complete(callbackUrl: string, given: { readonly now?: Date } = {}): AuthorizationCode {
    const { now } = options<{ now: Date }>(given, 'PendingConsent.complete', ['now'])
    const code = this.#native.complete(text(callbackUrl, 'callbackUrl'), optionalMoment(now, 'now'))
    return new AuthorizationCode(taken(code) as never)
  }

  /**
   * The saved form, which {@link deserialize} reads. It holds the `state` and the PKCE verifier: keep it where only the
   * cardholder's browser session leads to, such as a cookie that is sealed or signed, `HttpOnly` and `Secure`.
   */
  serialize(): string {
    return this.#native.serialize()
  }

  /** Reads the saved form back, also one that another language wrote. Throws `request.saved_state`. */
  static deserialize(serialized: string | Uint8Array): PendingConsent {
    return new PendingConsent(
      taken(native.pendingConsent(jsonText(serialized, 'saved pending consent', 'request.saved_state'))),
    )
  }

  /** What may be shown: neither the `state` nor the verifier. */
  toJSON(): Record<string, unknown> {
    const { bankId, redirectUri, createdAt, expiresAt } = this
    return { bankId, redirectUri, createdAt, expiresAt }
  }

  /** @internal */
  [inspect.custom](_: number, options: object): string {
    return shown('PendingConsent', this.toJSON(), options)
  }
}

/** Tokens that were obtained elsewhere. */
export interface TokensOptions {
  /** The access token. */
  readonly accessToken: string | Secret
  /** The refresh token, if there is one. */
  readonly refreshToken?: string | Secret | undefined
  /** When the bank issued the access token. */
  readonly obtainedAt: Date
  /** When the access token ends, if that is known. */
  readonly expiresAt?: Date | undefined
  /** When the consent as a whole ends. */
  readonly consentExpiresAt: Date
}

/** @internal */
export let nativeTokens: (tokens: unknown) => Native.Tokens

/** @internal */
export let tokensOf: (tokens: Native.Tokens) => Tokens

/**
 * The tokens of one cardholder's consent at one bank. They do not show: keep them by {@link serialize}, or in a session.
 *
 * The constructor is for tokens that were obtained elsewhere. Throws `request.token` when a token is empty or has blanks,
 * control or non-ASCII characters.
 */
export class Tokens {
  static {
    nativeTokens = (tokens) => {
      if (typeof tokens === 'object' && tokens !== null && #native in tokens) {
        return tokens.#native
      }
      throw wrongType(tokens, 'tokens', 'Tokens')
    }
    tokensOf = (tokens) => new Tokens(tokens as never)
  }

  readonly #native: Native.Tokens
  /** Always `Bearer`. */
  readonly tokenType: string
  /** The scope as the bank stated it; it may be wider than what was asked for. */
  readonly scope: string | undefined
  /** When the bank issued the access token. */
  readonly obtainedAt: Date
  /** When the access token ends; undefined when the bank did not say. */
  readonly expiresAt: Date | undefined
  /** When the consent as a whole ends. Refreshing does not move it. */
  readonly consentExpiresAt: Date

  constructor(tokens: TokensOptions) {
    this.#native = tokens instanceof native.Tokens ? tokens : obtained(tokens)
    const facts = this.#native.facts()
    this.tokenType = facts.tokenType
    this.scope = facts.scope
    this.obtainedAt = new Date(facts.obtainedAt)
    this.expiresAt = facts.expiresAt === undefined ? undefined : new Date(facts.expiresAt)
    this.consentExpiresAt = new Date(facts.consentExpiresAt)
    Object.freeze(this)
  }

  /** The access token. */
  get accessToken(): Secret {
    return secretOf(this.#native.accessToken())
  }

  /** The refresh token, if the bank gave one. */
  get refreshToken(): Secret | undefined {
    const token = this.#native.refreshToken()
    return token === null ? undefined : secretOf(token)
  }

  /** Whether the access token has ended at `now`, by default the present; false when its end is not known. */
  isExpired(now?: Date): boolean {
    return this.#native.isExpired(optionalMoment(now, 'now'))
  }

  /** Whether both are the same. */
  equals(other: Tokens): boolean {
    return this.#native.equals(nativeTokens(other))
  }

  /** The saved form, which {@link deserialize} reads. It holds the tokens in clear: encrypt it. */
  serialize(): string {
    return this.#native.serialize()
  }

  /** Reads the saved form back, also one that another language wrote. Throws `request.saved_state` or `request.token`. */
  static deserialize(serialized: string | Uint8Array): Tokens {
    return tokensOf(taken(native.savedTokens(jsonText(serialized, 'saved tokens', 'request.saved_state'))))
  }

  /** What may be shown: the tokens are masked. */
  toJSON(): Record<string, unknown> {
    const { accessToken, refreshToken } = this.#native.facts()
    const { tokenType, scope, obtainedAt, expiresAt, consentExpiresAt } = this
    return { accessToken, refreshToken, tokenType, scope, obtainedAt, expiresAt, consentExpiresAt }
  }

  /** @internal */
  [inspect.custom](_: number, options: object): string {
    return shown('Tokens', this.toJSON(), options)
  }
}

function obtained(tokens: TokensOptions): Native.Tokens {
  const known = ['accessToken', 'refreshToken', 'obtainedAt', 'expiresAt', 'consentExpiresAt'] as const
  const given = needed<TokensOptions>(tokens, 'Tokens', known, ['accessToken', 'obtainedAt', 'consentExpiresAt'])
  return taken(
    native.tokens(
      nativeSecret(given.accessToken, 'accessToken'),
      optionalSecret(given.refreshToken, 'refreshToken'),
      moment(given.obtainedAt, 'obtainedAt'),
      optionalMoment(given.expiresAt, 'expiresAt'),
      moment(given.consentExpiresAt, 'consentExpiresAt'),
    ),
  )
}
