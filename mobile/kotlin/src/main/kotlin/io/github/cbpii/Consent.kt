package io.github.cbpii

import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Instant

/**
 * A consent that is being asked for: open its [url], keep it (as JSON, in the app's private, encrypted storage), and [complete] it
 * with the link the app was opened with. No key is needed for that. It prints without its secrets.
 */
public class PendingConsent internal constructor(internal val raw: RawPendingConsent) : NativeObject(raw) {
    /** Where to send the cardholder. Opened as an app link, it starts the bank's app. */
    public val url: String get() = raw.url()

    /** The id of the bank this consent is asked from. */
    public val bankId: String get() = raw.bankId()

    /** The `state` parameter: it ties the callback to this consent, and can serve as the key under which this is kept. */
    public val state: String get() = raw.state()

    /** The redirect URI, byte for byte as registered. */
    public val redirectUri: String get() = raw.redirectUri()

    /** When it began. */
    public val createdAt: Instant get() = raw.createdAt()

    /** When it is no longer accepted. */
    public val expiresAt: Instant get() = raw.expiresAt()

    /**
     * Reads the callback, that is the link the app was opened with. [at] is the present, the device's when none is given.
     *
     * Throws `request.callback`, `consent.state_mismatch`, `consent.issuer_mismatch`, `consent.duplicated_parameter`,
     * `consent.callback_without_answer`, `consent.pending_expired`, `consent.access_denied`, `consent.refused_by_bank`,
     * `consent.bank_unavailable`, `request.token`.
     */
    @JvmOverloads
    public fun complete(callbackUrl: String, at: Instant? = null): AuthorizationCode =
        AuthorizationCode(calling { raw.complete(callbackUrl, at) })

    /** The saved form. It holds the `state` and the PKCE verifier: keep it encrypted, or send it to the issuer's server alone. */
    public fun toJson(): String = raw.toJson()

    /** Where pending consents come from. */
    public companion object {
        /**
         * Begins a consent without a client, and so without certificate and key. [validFor] is how long the cardholder may take at
         * the bank; [at] is the present, the device's when none is given.
         *
         * Throws `configuration.endpoint_missing`, `configuration.option`, and what a bank record can fail with.
         */
        @JvmSynthetic
        public fun begin(
            bank: Bank,
            issuer: Issuer,
            validFor: Duration = 15.minutes,
            at: Instant? = null,
        ): PendingConsent = PendingConsent(calling { RawPendingConsent.begin(bank.raw, issuer.raw, validFor, at) })

        /** Begins a consent that gives the cardholder 15 minutes, for Java. */
        @JvmStatic
        public fun begin(bank: Bank, issuer: Issuer): PendingConsent = begin(bank, issuer, 15.minutes)

        /** Reads the saved form back. Throws `request.saved_state`. */
        @JvmStatic
        public fun fromJson(json: String): PendingConsent = PendingConsent(calling { RawPendingConsent.fromJson(json) })
    }
}

/** The one-time code of a consent that was given. It lives for minutes: exchange it at once. It prints masked. */
public class AuthorizationCode internal constructor(internal val raw: RawAuthorizationCode) : NativeObject(raw) {
    /** A code that came on another way than a callback. Throws `request.token`. */
    public constructor(code: String) : this(calling { RawAuthorizationCode(code) })

    /** The code itself, for the issuer's server. Never log what this returns. */
    public fun expose(): String = raw.expose()
}

/** The tokens of one cardholder's consent at one bank. They print masked, and are overwritten when this is closed. */
public class Tokens internal constructor(internal val raw: RawTokens) : NativeObject(raw) {
    /** Tokens that were obtained elsewhere. [expiresAt] is the access token's end, when known. Throws `request.token`. */
    public constructor(
        accessToken: String,
        refreshToken: String?,
        obtainedAt: Instant,
        expiresAt: Instant?,
        consentExpiresAt: Instant,
    ) : this(calling { RawTokens(accessToken, refreshToken, obtainedAt, expiresAt, consentExpiresAt) })

    /** The access token. Never log what this returns. */
    public fun exposeAccessToken(): String = raw.exposeAccessToken()

    /** The refresh token, if the bank gave one. Never log what this returns. */
    public fun exposeRefreshToken(): String? = raw.exposeRefreshToken()

    /** Always `Bearer` (RFC 6750): nothing else is accepted. */
    public val tokenType: String get() = raw.tokenType()

    /** The scope as the bank stated it; it may be wider than what was asked for. */
    public val scope: String? get() = raw.scope()

    /** When the bank issued the access token. */
    public val obtainedAt: Instant get() = raw.obtainedAt()

    /** When the access token ends; none when the bank did not say. */
    public val expiresAt: Instant? get() = raw.expiresAt()

    /** When the consent as a whole ends. Refreshing does not move it. */
    public val consentExpiresAt: Instant get() = raw.consentExpiresAt()

    /** The saved form. It holds the tokens in clear: encrypt it. */
    public fun toJson(): String = raw.toJson()

    /** Tokens that were saved. */
    public companion object {
        /** Reads the saved form back. Throws `request.saved_state`, `request.token`. */
        @JvmStatic
        public fun fromJson(json: String): Tokens = Tokens(calling { RawTokens.fromJson(json) })
    }
}
