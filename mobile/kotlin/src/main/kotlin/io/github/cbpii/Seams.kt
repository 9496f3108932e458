package io.github.cbpii

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runInterruptible
import kotlin.time.Clock
import kotlin.time.Duration
import kotlin.time.Instant

/**
 * Signs with a private key that this library need not see: in the Android Keystore, an HSM. Called from threads of the library,
 * several at once. What it throws becomes the cause of the failure of the call that needed the signature.
 */
public interface Signer {
    /** The algorithms this signer offers, the preferred one first. Asked for once. */
    public val algorithms: List<SignatureAlgorithm>

    /** Signs [message] (not its hash) with one of the [algorithms] and returns the bare signature. */
    public fun sign(algorithm: SignatureAlgorithm, message: ByteArray): ByteArray
}

/** A header of a request; it prints without its value, which may be a token. */
public class HttpHeader internal constructor(
    /** The name. */
    public val name: String,
    /** The value, in clear. */
    public val value: String,
) {
    /** The name alone. */
    override fun toString(): String = "$name: …"
}

/** One request, complete. It prints masked. */
public class HttpRequest internal constructor(private val raw: RawHttpRequest) : NativeObject(raw) {
    /** The method: everything this protocol sends is a `POST`. */
    public val method: String get() = raw.method()

    /** The absolute https URL. */
    public val url: String get() = raw.url()

    /** Names and values in order. `Host` and `Content-Length` are the transport's business. */
    public val headers: List<HttpHeader> get() = raw.headerNames().map { HttpHeader(it, raw.exposeHeader(it)) }

    /** The body as it must be sent, byte for byte: it has been digested and signed. Do not log it. */
    public val body: ByteArray get() = raw.exposeBody()

    /** The time that is left for the whole exchange. The library ends the wait when it is over. */
    public val timeLeft: Duration get() = raw.timeLeft()

    /** [timeLeft] in milliseconds, for Java. */
    public val timeLeftMillis: Long get() = timeLeft.inWholeMilliseconds

    /**
     * Whether this request must not travel on a connection that has been idle: it changes something at the bank, and an idle
     * connection may die under it and leave its fate unknown.
     */
    public val wantsFreshConnection: Boolean get() = raw.wantsFreshConnection()
}

/** One whole answer. It prints masked. */
public class HttpResponse internal constructor(internal val raw: RawHttpResponse) : NativeObject(raw) {
    /**
     * An answer: the status, the headers as pairs of name and value, and the body of at most 1 MiB.
     *
     * Throws `protocol.malformed_http`, `protocol.answer_too_large`.
     */
    public constructor(status: Int, headers: List<Pair<String, String>>, body: ByteArray) :
        this(calling { RawHttpResponse(status, headers.map { it.first }, headers.map { it.second }, body) })
}

/**
 * One HTTP exchange over mutual TLS by an HTTP stack of yours, which then does the TLS, client certificate included.
 *
 * A transport must not follow redirects, not retry, not treat a status as an error, not read more than 1 MiB of body, and must send
 * path, headers and body exactly as given. What it throws becomes the cause of `network.transport_failed`; better are exceptions made
 * by [CbpiiException.of] with `requestSent`, for what may be repeated depends on it.
 */
public fun interface Transport {
    /** Sends the request and returns the whole answer. It is cancelled when the call is, and when its time is over. */
    public suspend fun exchange(request: HttpRequest): HttpResponse

    /** Transports that wait. */
    public companion object {
        /** A transport that blocks: it runs on `Dispatchers.IO` and is interrupted when the call is cancelled. */
        @JvmStatic
        public fun blocking(transport: BlockingTransport): Transport =
            Transport { request -> runInterruptible(Dispatchers.IO) { transport.exchange(request) } }
    }
}

/** A [Transport] that blocks the thread it is called on; see [Transport.blocking]. */
public fun interface BlockingTransport {
    /** Sends the request and returns the whole answer. */
    @Throws(Exception::class)
    public fun exchange(request: HttpRequest): HttpResponse
}

/**
 * Where records of consents are kept: encrypted preferences, a database. Records are sealed before they come here. Called from
 * threads of the library, several at once; what it throws becomes the cause of `store.failed`, and must have changed nothing.
 */
public interface ConsentStore {
    /** The record of this id, or none. */
    public fun load(id: String): StoredRecord?

    /**
     * Saves a record, if it is still at the version [expected] (none: if there is no record of this id), and returns its new version;
     * none when the record is at another version, and then nothing was changed. Comparison and writing are one step. The versions a
     * store gives only grow, also for an id that was deleted and came back.
     */
    public fun save(id: String, sealed: ByteArray, dueAt: Instant, expected: Long?): Long?

    /** Removes a record; false when there was none. */
    public fun delete(id: String): Boolean

    /**
     * At most [limit] records that fall due before [dueBefore], in the order of the moment, then of the id's bytes, from the one
     * behind [after] on.
     */
    public fun list(dueBefore: Instant, after: DueRecord?, limit: Int): List<DueRecord>
}

/**
 * Told of every HTTP exchange, on the thread that made it. It must be quick. It is told what has happened already, so what it throws
 * changes nothing.
 */
public fun interface EventListener {
    /** An exchange ended. */
    public fun onEvent(event: Event)
}

internal class SignerAdapter(private val signer: Signer) : RawSigner {
    override fun sign(algorithm: SignatureAlgorithm, message: ByteArray): ByteArray =
        serving { signer.sign(algorithm, message) }

    override fun algorithms(): List<SignatureAlgorithm> = serving { signer.algorithms }
}

internal class TransportAdapter(private val transport: Transport) : RawTransport {
    override suspend fun exchange(request: RawHttpRequest): RawHttpResponse =
        serving { HttpRequest(request).use { transport.exchange(it).raw } }
}

internal class ConsentStoreAdapter(private val store: ConsentStore) : RawConsentStore {
    override fun load(id: String): StoredRecord? = serving { store.load(id) }

    override fun save(id: String, sealed: ByteArray, dueAt: Instant, expected: Long?): Long? =
        serving { store.save(id, sealed, dueAt, expected) }

    override fun delete(id: String): Boolean = serving { store.delete(id) }

    override fun list(dueBefore: Instant, after: DueRecord?, limit: Int): List<DueRecord> =
        serving { store.list(dueBefore, after, limit) }
}

internal class ClockAdapter(private val clock: Clock) : RawClock {
    override fun now(): Instant = serving { clock.now() }
}

internal class EventListenerAdapter(private val listener: EventListener) : RawEventListener {
    override fun onEvent(event: Event): Unit = serving { listener.onEvent(event) }
}
