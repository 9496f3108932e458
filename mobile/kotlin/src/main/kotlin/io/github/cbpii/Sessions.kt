package io.github.cbpii

import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.seconds
import kotlin.time.Instant
import kotlin.time.toKotlinDuration

/** A [ConsentStore] and the keys that seal its records. */
public class SealedStore internal constructor(internal val raw: RawSealedStore) : NativeObject(raw) {
    /**
     * A store of yours, sealed with a [key] of 32 random bytes from the platform's key store. Records that a former key sealed can be
     * read with [oldKeys], and are sealed with [key] when they are next written.
     *
     * Throws `store.key`.
     */
    @JvmOverloads
    public constructor(store: ConsentStore, key: ByteArray, oldKeys: List<ByteArray> = emptyList()) :
        this(calling { RawSealedStore(ConsentStoreAdapter(store), key, oldKeys) })

    /**
     * The consents of every bank that end before [before], or are lost or refused since a moment before it, the earliest first.
     *
     * Throws of kind `store`.
     */
    public suspend fun renewalsDue(before: Instant): List<RenewalDue> = calling { raw.renewalsDue(before) }

    /** Stores that are here already. */
    public companion object {
        /** A store that ends with the process, sealed with a key of its own. */
        @JvmStatic
        public fun inMemory(): SealedStore = SealedStore(calling { RawSealedStore.inMemory() })
    }
}

/** When a consent is refreshed and when it should be renewed. */
public class SessionOptions(
    /** How long before its end an access token is refreshed: at most one hour, and at most half of the token's life is used. */
    public val refreshMargin: Duration = 60.seconds,
    /** How long before its end a consent should be renewed: at most 3650 days. */
    public val renewBefore: Duration = 14.days,
    /** The time a refresh may take, whatever time the check that caused it has: 1 s to 5 minutes. */
    public val refreshTimeout: Duration = 10.seconds,
) {
    /** Makes options in Java. */
    public class Builder {
        private var refreshMargin = 60.seconds
        private var renewBefore = 14.days
        private var refreshTimeout = 10.seconds

        /** Sets [SessionOptions.refreshMargin]. */
        public fun refreshMargin(margin: java.time.Duration): Builder =
            apply { refreshMargin = margin.toKotlinDuration() }

        /** Sets [SessionOptions.renewBefore]. */
        public fun renewBefore(before: java.time.Duration): Builder = apply { renewBefore = before.toKotlinDuration() }

        /** Sets [SessionOptions.refreshTimeout]. */
        public fun refreshTimeout(timeout: java.time.Duration): Builder =
            apply { refreshTimeout = timeout.toKotlinDuration() }

        /** The options. */
        public fun build(): SessionOptions = SessionOptions(refreshMargin, renewBefore, refreshTimeout)
    }
}

/**
 * The consents of one issuer at one bank, in one store. Sessions of one id share their tokens and their refresh as long as one of
 * them is held.
 */
public class SessionPool internal constructor(private val raw: RawSessionPool) : NativeObject(raw) {
    /** A client and a store. Throws `configuration.option`. */
    @JvmOverloads
    public constructor(client: Client, store: SealedStore, options: SessionOptions = SessionOptions()) : this(
        calling {
            val settings = RawSessionSettings(options.refreshMargin, options.renewBefore, options.refreshTimeout)
            RawSessionPool(client.raw, store.raw, settings)
        },
    )

    /**
     * Keeps the tokens of a consent that was just given under [id] (1 to 255 bytes, chosen by the issuer; it is stored in clear). A
     * consent that was there is replaced: this is also how one is renewed.
     *
     * Throws `request.consent_id`; of kind `store`, and then nothing was kept.
     */
    public suspend fun keep(id: String, tokens: Tokens): Session = Session(calling { raw.keep(id, tokens.raw) })

    /** The consent that is kept under [id]. Throws `consent.unknown`, `store.bank`, `request.consent_id`; of kind `store`. */
    public suspend fun open(id: String): Session = Session(calling { raw.open(id) })

    /** Forgets a consent; false when there was none. Throws `request.consent_id`; of kind `store`. */
    public suspend fun forget(id: String): Boolean = calling { raw.forget(id) }
}

/** One cardholder's consent at one bank, kept alive: refreshed in time, once, by whoever needs it first. */
public class Session internal constructor(private val raw: RawSession) : NativeObject(raw) {
    /** The id the consent is kept under. */
    public val id: String get() = raw.id()

    /**
     * Asks the bank whether the account covers the amount, with an access token that is refreshed before its end, or once after the
     * bank refuses it. A refresh that takes longer than the [timeout], or whose caller is cancelled, goes on without this call.
     *
     * Throws as [Client.confirmFunds] and [Client.refresh]; of kind `consent_required` when the cardholder has to go to the bank
     * again; of kind `store` when a refresh is due and the store fails before the bank is asked.
     */
    public suspend fun confirmFunds(request: FundsRequest, timeout: Duration? = null): FundsConfirmation =
        calling { raw.confirmFunds(request.raw, timeout, null) }

    /** How the consent stands now, as far as this process knows. No I/O. */
    public val status: ConsentStatus get() = calling { raw.status() }

    /** What happened to the consent, oldest first: its last 16 moments. */
    public val history: List<ConsentMoment> get() = calling { raw.history() }

    /** Reads the consent from the store again. Throws `consent.unknown`; of kind `store`. */
    public suspend fun reload(): ConsentStatus = calling { raw.reload() }

    /**
     * Whether fresh tokens wait in memory because the store could not take them: the process should not end before the store works
     * again.
     */
    public val hasUnsavedTokens: Boolean get() = raw.hasUnsavedTokens()
}
