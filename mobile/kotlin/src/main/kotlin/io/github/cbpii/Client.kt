package io.github.cbpii

import kotlin.time.Clock
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toKotlinDuration

/** The settings of a [Client]. */
public class ClientOptions(
    /** The time a whole call may take, retries included: from 1 ms to one hour. */
    public val timeout: Duration = 10.seconds,
    /** The time one connection, TLS handshake included, may take: from 1 ms to one hour. */
    public val connectTimeout: Duration = 5.seconds,
    /** How many unused connections are kept open per host. */
    public val maxIdleConnections: Int = 2,
    /** How long an unused connection is kept open. */
    public val maxIdleAge: Duration = 60.seconds,
    /** How often a funds check is sent again after a failure of the connection or a 502, 503 or 504: at most 5. */
    public val retries: Int = 1,
    /** Whether certificates that make the issuer ineligible (no PSP_IC, expired, …) keep the client from being built. */
    public val checkEligibility: Boolean = true,
    /** An http proxy that offers CONNECT, e.g. `http://user:password@proxy:3128`. The system's proxy is never used. */
    public val proxy: String? = null,
    /** An HTTP stack of yours: TLS, client certificate, connections and proxy are then its business. */
    public val transport: Transport? = null,
    /** Another source of the present. When it throws, the call fails with it as the cause, before anything is sent. */
    public val clock: Clock? = null,
    /** Told of every HTTP exchange. */
    public val listener: EventListener? = null,
) {
    /** Makes options in Java. */
    public class Builder {
        private var timeout = 10.seconds
        private var connectTimeout = 5.seconds
        private var maxIdleConnections = 2
        private var maxIdleAge = 60.seconds
        private var retries = 1
        private var checkEligibility = true
        private var proxy: String? = null
        private var transport: Transport? = null
        private var clock: Clock? = null
        private var listener: EventListener? = null

        /** Sets [ClientOptions.timeout]. */
        public fun timeout(timeout: java.time.Duration): Builder = apply { this.timeout = timeout.toKotlinDuration() }

        /** Sets [ClientOptions.connectTimeout]. */
        public fun connectTimeout(timeout: java.time.Duration): Builder =
            apply { connectTimeout = timeout.toKotlinDuration() }

        /** Sets [ClientOptions.maxIdleConnections]. */
        public fun maxIdleConnections(count: Int): Builder = apply { maxIdleConnections = count }

        /** Sets [ClientOptions.maxIdleAge]. */
        public fun maxIdleAge(age: java.time.Duration): Builder = apply { maxIdleAge = age.toKotlinDuration() }

        /** Sets [ClientOptions.retries]. */
        public fun retries(count: Int): Builder = apply { retries = count }

        /** Sets [ClientOptions.checkEligibility]. */
        public fun checkEligibility(check: Boolean): Builder = apply { checkEligibility = check }

        /** Sets [ClientOptions.proxy]. */
        public fun proxy(url: String): Builder = apply { proxy = url }

        /** Sets [ClientOptions.transport]. */
        public fun transport(transport: Transport): Builder = apply { this.transport = transport }

        /** Sets [ClientOptions.clock]. */
        public fun clock(clock: Clock): Builder = apply { this.clock = clock }

        /** Sets [ClientOptions.listener]. */
        public fun listener(listener: EventListener): Builder = apply { this.listener = listener }

        /** The options. */
        public fun build(): ClientOptions = ClientOptions(
            timeout,
            connectTimeout,
            maxIdleConnections,
            maxIdleAge,
            retries,
            checkEligibility,
            proxy,
            transport,
            clock,
            listener,
        )
    }
}

private fun rawClient(bank: Bank, issuer: Issuer, options: ClientOptions): RawClient = RawClient(
    bank.raw,
    issuer.raw,
    RawClientSettings(
        options.timeout,
        options.connectTimeout,
        options.maxIdleConnections,
        options.maxIdleAge,
        options.retries,
        options.checkEligibility,
    ),
    options.proxy,
    options.transport?.let(::TransportAdapter),
    options.clock?.let(::ClockAdapter),
    options.listener?.let(::EventListenerAdapter),
)

/**
 * One issuer at one bank. Make one and keep it: it keeps connections open and resumes TLS sessions. It does no I/O until it is asked
 * to, and may be used by any number of coroutines and threads.
 *
 * Cancelling the coroutine of a call ends its wait for the network at once. The `suspend` functions take a `timeout` of their own;
 * without one, [ClientOptions.timeout] holds.
 */
public class Client internal constructor(internal val raw: RawClient) : NativeObject(raw) {
    /** Checks everything and makes the client. No I/O. Throws of kind `configuration` and `eligibility`. */
    @JvmOverloads
    public constructor(bank: Bank, issuer: Issuer, options: ClientOptions = ClientOptions()) :
        this(calling { rawClient(bank, issuer, options) })

    /**
     * Begins a consent; [validFor] is how long the cardholder may take at the bank. No I/O.
     *
     * Throws `configuration.option`.
     */
    @JvmSynthetic
    public fun beginConsent(validFor: Duration = 15.minutes): PendingConsent =
        PendingConsent(calling { raw.beginConsent(validFor) })

    /** Begins a consent that gives the cardholder 15 minutes, for Java. */
    public fun beginConsent(): PendingConsent = beginConsent(15.minutes)

    /**
     * Reads the callback and exchanges its code for tokens, in one step.
     *
     * Throws as [PendingConsent.complete] and [exchangeCode].
     */
    public suspend fun completeConsent(
        pending: PendingConsent,
        callbackUrl: String,
        timeout: Duration? = null,
    ): Tokens = Tokens(calling { raw.completeConsent(pending.raw, callbackUrl, timeout, null) })

    /**
     * Exchanges the code for tokens. A code works once, so this is **never re-sent**: after a time-out, a broken connection or a
     * cancellation ask the cardholder again.
     *
     * Throws `consent.code_refused`, `bank.client_refused`, and any error of network, TLS, time and protocol.
     */
    public suspend fun exchangeCode(
        pending: PendingConsent,
        code: AuthorizationCode,
        timeout: Duration? = null,
    ): Tokens = Tokens(calling { raw.exchangeCode(pending.raw, code.raw, timeout, null) })

    /**
     * Refreshes the tokens; what the bank leaves out of its answer stays as it was. A [Session] does this by itself.
     *
     * Throws `consent.lost`, `consent.no_refresh_token`, and any error of network, TLS, time and protocol.
     */
    public suspend fun refresh(tokens: Tokens, timeout: Duration? = null): Tokens =
        Tokens(calling { raw.refresh(tokens.raw, timeout, null) })

    /**
     * Asks the bank whether the account covers the amount. Nothing is reserved.
     *
     * **No answer is not "no funds"**: anything but a well-formed yes or no to exactly this request is thrown.
     * `consent.access_token_refused` when the access token is no longer good; `bank.…` when the bank refuses; and any error of
     * network, TLS, time and protocol.
     */
    public suspend fun confirmFunds(tokens: Tokens, request: FundsRequest, timeout: Duration? = null): FundsConfirmation =
        calling { raw.confirmFunds(tokens.raw, request.raw, timeout, null) }

    /**
     * What [confirmFunds] would send, header by header, with the exact signing string. Nothing is sent and no key is used.
     *
     * Throws as far as [confirmFunds] fails before it sends.
     */
    public fun explain(request: FundsRequest): Explanation = calling { raw.explain(request.raw) }

    /**
     * Opens [connections] (at most 256) to the bank ahead, so that the first calls cost what later ones do. Returns how many are
     * ready. Throws when not one could be opened.
     */
    public suspend fun warmUp(connections: Int = 1): Int = calling { raw.warmUp(connections) }
}
