package io.github.cbpii.support

import com.fasterxml.jackson.databind.node.ObjectNode
import com.sun.jna.NativeLibrary
import io.github.cbpii.Account
import io.github.cbpii.Amount
import io.github.cbpii.Bank
import io.github.cbpii.Client
import io.github.cbpii.ClientOptions
import io.github.cbpii.ConsentStore
import io.github.cbpii.DueRecord
import io.github.cbpii.Environment
import io.github.cbpii.FundsRequest
import io.github.cbpii.HttpResponse
import io.github.cbpii.Iban
import io.github.cbpii.Issuer
import io.github.cbpii.SealedStore
import io.github.cbpii.StoredRecord
import io.github.cbpii.Tokens
import io.github.cbpii.Transport
import java.util.concurrent.locks.LockSupport
import kotlin.time.Clock
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.Instant

const val CLAIRE = "FR7617515900000800358074006"
val KEY = ByteArray(32) { it.toByte() }

fun question(amount: String = "59.90", iban: String = CLAIRE, payee: String? = null, requestId: String? = null) =
    FundsRequest("ORDER-4711", Account(Iban(iban)), Amount(amount, "EUR"), payee = payee, requestId = requestId)

fun someTokens(
    access: String = "secret-access-token",
    refresh: String? = "secret-refresh-token",
    obtainedAt: Instant = Clock.System.now(),
    expiresAt: Instant? = null,
    consentExpiresAt: Instant = Sandbox.FOREVER,
) = Tokens(access, refresh, obtainedAt, expiresAt, consentExpiresAt)

/** A transport in memory whose bank always says yes. */
val saysYes = Transport { request ->
    val body = json.createObjectNode().put("result", true)
    body.set<ObjectNode>("request", json.readTree(request.body))
    body.putObject("_links").putObject("self").put("href", "/")
    HttpResponse(200, listOf("content-type" to "application/hal+json"), body.toString().toByteArray())
}

/** A client that needs no certificates: of a bank that wants no signature, over a transport in memory. */
fun bareClient(
    timeout: Duration = 10.seconds,
    transport: Transport? = saysYes,
    clock: Clock? = null,
    proxy: String? = null,
    id: String = "bpce-17515",
): Client {
    val bank = Bank.bpce("17515", Environment.SANDBOX).changed { it.putNull("signature").put("id", id) }
    val issuer = Issuer("PSDFR-ACPR-12345", "https://issuer.example/callback")
    return Client(bank, issuer, ClientOptions(timeout = timeout, transport = transport, clock = clock, proxy = proxy))
}

/** A store as an app would write one, over a map. */
class MapStore : ConsentStore {
    private val records = sortedMapOf<String, StoredRecord>()
    private var versions = 0L

    @Synchronized
    override fun load(id: String): StoredRecord? = records[id]

    @Synchronized
    override fun save(id: String, sealed: ByteArray, dueAt: Instant, expected: Long?): Long? {
        if (records[id]?.version != expected) return null
        records[id] = StoredRecord(sealed, dueAt, ++versions)
        return versions
    }

    @Synchronized
    override fun delete(id: String): Boolean = records.remove(id) != null

    @Synchronized
    override fun list(dueBefore: Instant, after: DueRecord?, limit: Int): List<DueRecord> =
        records.map { (id, record) -> DueRecord(id, record.dueAt) }
            .filter { it.dueAt < dueBefore && (after == null || ORDER.compare(it, after) > 0) }
            .sortedWith(ORDER)
            .take(limit)

    private companion object {
        val ORDER = compareBy<DueRecord>({ it.dueAt }, { it.id })
    }
}

fun sealed(store: ConsentStore = MapStore()): SealedStore = SealedStore(store, KEY)

/** What the library built for tests tells about itself. */
object Testing {
    // Found under the same options as the generated code finds it, or it would be loaded a second time.
    private val library = NativeLibrary.getInstance("cbpii_mobile", Bank::class.java.classLoader)

    /** Makes the next call that can fail panic. */
    fun arm(): Unit = library.getFunction("cbpii_mobile_testing_arm").invokeVoid(emptyArray())

    /** How many objects are alive in the library. */
    fun alive(): Long = library.getFunction("cbpii_mobile_testing_alive").invokeLong(emptyArray())

    /** How many are, once what can be collected was and [enough] is satisfied, or after some tries. */
    fun settled(enough: (Long) -> Boolean): Long {
        repeat(200) {
            System.gc()
            if (enough(alive())) return alive()
            LockSupport.parkNanos(10_000_000)
        }
        return alive()
    }
}
