package io.github.cbpii

import io.github.cbpii.support.CLAIRE
import io.github.cbpii.support.KEY
import io.github.cbpii.support.MapStore
import io.github.cbpii.support.Sandbox
import io.github.cbpii.support.Testing
import io.github.cbpii.support.bareClient
import io.github.cbpii.support.question
import io.github.cbpii.support.sealed
import io.github.cbpii.support.someTokens
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.MethodSource
import java.io.IOException
import java.net.ServerSocket
import java.net.Socket
import java.nio.file.Files
import java.security.KeyStore
import java.util.concurrent.CopyOnWriteArrayList
import javax.net.ssl.KeyManagerFactory
import javax.net.ssl.SSLContext
import javax.net.ssl.SSLSocket
import kotlin.concurrent.thread
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertNotNull
import kotlin.test.assertNull
import kotlin.test.assertTrue
import kotlin.time.Clock
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.Instant

private val LONG_AGO = Instant.fromEpochMilliseconds(0)

private val sandbox get() = Sandbox.shared

/** What provokes each code of the catalogue, in its order. */
private val PROVOKED: Map<String, suspend () -> Any?> = mapOf(
    "configuration.bank_record" to { Bank.fromJson("[]") },
    "configuration.bank_unknown" to { Bank.bpce("99999") },
    "configuration.endpoint_missing" to { sandbox.client(bank = sandbox.bank { it.putNull("funds_url") }) },
    "configuration.endpoint_invalid" to { sandbox.bank().withOrigin("http://localhost") },
    "configuration.redirect_uri" to { Issuer("PSDFR-ACPR-12345", "/callback") },
    "configuration.client_id" to { Issuer("", "https://issuer.example/callback") },
    "configuration.client_secret" to {
        sandbox.client(bank = sandbox.bank { it.put("client_authentication", "client_secret_post") })
    },
    "configuration.certificate_unreadable" to { TransportIdentity.fromPem("hello", sandbox.text("qwac", "key")) },
    "configuration.key_unreadable" to { TransportIdentity.fromPem(sandbox.text("qwac", "chain"), "hello") },
    // Only the app's own signer can say so.
    "configuration.key_password" to { failingSigner(CbpiiException.of("configuration.key_password", "Unlock the phone.")) },
    "configuration.key_unsupported" to {
        SealIdentity.fromPem(sandbox.text("qsealc", "chain"), sandbox.text("qsealc_forms", "encrypted_pkcs8_pem"))
    },
    "configuration.key_mismatch" to { SealIdentity.fromPem(sandbox.text("qwac", "chain"), sandbox.text("qsealc", "key")) },
    "configuration.seal_missing" to { sandbox.client(issuer = sandbox.ownIssuer(seal = null)) },
    "configuration.trust_anchor" to { sandbox.bank().withTrustAnchor("no certificate") },
    "configuration.header" to { sandbox.seal(keyId = "a\"b") },
    "configuration.proxy" to { bareClient(proxy = "https://proxy.example:3128", transport = null) },
    "configuration.option" to { bareClient(timeout = 0.seconds) },
    "configuration.signer_failed" to { failingSigner() },
    "eligibility.not_a_cbpii" to { withQwac("no-role") },
    "eligibility.certificate_expired" to { withQwac("expired") },
    "eligibility.certificate_not_yet_valid" to { withQwac("not-yet-valid") },
    "eligibility.certificate_wrong_use" to { withQwac("eseal-as-qwac") },
    "eligibility.certificate_pss" to { withQwac("rsassa-pss") },
    "request.reference" to { FundsRequest("", Account(Iban(CLAIRE)), Amount("1", "EUR")) },
    "request.iban" to { Iban("FR7717515900000800358074006") },
    "request.account" to { Account.other("", AccountScheme.CPAN) },
    "request.amount" to { Amount("-1", "EUR") },
    "request.currency" to { Amount("1", "ABC") },
    "request.payee" to { question(payee = "x".repeat(71)) },
    "request.psu_header" to {
        FundsRequest("1", Account(Iban(CLAIRE)), Amount("1", "EUR"), psu = PsuContext(referer = "a\nb"))
    },
    "request.request_id" to { question(requestId = "a b") },
    "request.token" to { someTokens(access = "access token") },
    "request.saved_state" to { Tokens.fromJson("{}") },
    "request.callback" to { bareClient().beginConsent().complete("hello") },
    "request.consent_id" to { SessionPool(bareClient(), sealed()).open("") },
    // No argument of a Kotlin caller is ever of another type; a store may still say so.
    "request.argument" to { ownStoreFails("request.argument") },
    "consent.access_denied" to { calledBack("error=access_denied&state=STATE") },
    "consent.refused_by_bank" to { calledBack("error=invalid_scope&state=STATE") },
    "consent.pending_expired" to {
        val pending = bareClient().beginConsent()
        pending.complete("?code=abc&state=${pending.state}", pending.expiresAt)
    },
    "consent.code_refused" to ::codeUsedTwice,
    "consent.lost" to {
        val tokens = sandbox.tokens()
        sandbox.control("POST", "/consents/revoke", """{"persona": "CLAIRE"}""")
        sandbox.client().refresh(tokens)
    },
    "consent.no_refresh_token" to { bareClient().refresh(someTokens(refresh = null)) },
    "consent.access_token_refused" to {
        val tokens = sandbox.tokens()
        sandbox.control("POST", "/tokens/expire", "{}")
        ask(tokens = tokens)
    },
    "consent.refresh_answer_lost" to ::refreshAnswerLost,
    "consent.expired" to {
        val tokens = someTokens(obtainedAt = LONG_AGO, consentExpiresAt = LONG_AGO)
        SessionPool(bareClient(), sealed()).keep("claire", tokens).confirmFunds(question())
    },
    "consent.unknown" to { SessionPool(bareClient(), SealedStore.inMemory()).open("nobody") },
    "bank.account_unknown" to { persona("AC01") },
    "bank.account_closed" to { persona("AC04") },
    "bank.account_blocked" to { persona("AC06") },
    "bank.tpp_unknown" to { persona("BE05") },
    "bank.wrong_role" to { ask(tokens = sandbox.tokens(scope = "aisp")) },
    "bank.access_not_granted" to { persona("NGAC") },
    "bank.no_eligible_account" to { persona("NAAC") },
    "bank.psu_unknown" to { persona("IPSU") },
    "bank.not_implemented" to { answered(501, """{"message": "NIMP: not implemented"}""") },
    "bank.request_refused" to { answered(400, """{"message": "malformed"}""") },
    "bank.forbidden" to { answered(403, """{"message": "forbidden"}""") },
    "bank.not_found" to {
        ask(withBank { it.put("funds_url", sandbox.origin + "/stet/psd2/v9/funds-confirmations") })
    },
    "bank.form_refused" to { answered(415, "{}") },
    "bank.client_refused" to {
        sandbox.client(issuer = sandbox.ownIssuer(clientId = "PSDFR-ACPR-99999")).refresh(sandbox.tokens())
    },
    "bank.token_request_refused" to { withBank { it.put("scope_in_token_request", true) }.refresh(sandbox.tokens()) },
    "bank.rate_limited" to { persona("TMRQ") },
    "bank.internal_error" to { persona("INTE") },
    "bank.unavailable" to { faulty("html_page", """{"status": 503}""") },
    "consent.bank_unavailable" to { calledBack("error=temporarily_unavailable&state=STATE") },
    "timeout.connect" to { Listener().use { elsewhere("https://${it.host}", ClientOptions(connectTimeout = 200.milliseconds)) } },
    "timeout.total" to {
        sandbox.fault("funds", "stall", times = null)
        ask(sandbox.client(ClientOptions(timeout = 300.milliseconds)))
    },
    "network.name_lookup" to { elsewhere("https://${"a".repeat(70)}.invalid") },
    "network.connect" to { elsewhere("https://127.0.0.1:${ServerSocket(0).use { it.localPort }}") },
    "network.disconnected" to { faulty("reset_before_reading") },
    "network.proxy" to {
        val refuse: (Socket) -> Unit = {
            it.getInputStream().read(ByteArray(1000))
            it.getOutputStream().write("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n".toByteArray())
        }
        Listener(refuse).use { elsewhere("https://localhost:1", ClientOptions(proxy = "http://${it.host}")) }
    },
    "network.transport_failed" to {
        ask(bareClient(transport = { throw IOException("with a secret: s3cr3t") }), someTokens())
    },
    "tls.unknown_issuer" to { certificate("unknown-issuer") },
    "tls.host_name" to { certificate("other-host") },
    "tls.server_certificate_expired" to { certificate("expired") },
    "tls.server_certificate_invalid" to ::serverOfTheFuture,
    "tls.client_certificate_missing" to { ask(withQwac(null, check = false)) },
    "tls.client_certificate_refused" to { ask(withQwac("unknown-ca", check = false)) },
    "tls.protocol" to { faulty("garbage", endpoint = "connection") },
    "consent.state_mismatch" to { calledBack("code=abc&state=other") },
    "consent.issuer_mismatch" to { calledBack("code=abc&state=STATE&iss=https://evil.example") },
    "consent.duplicated_parameter" to { calledBack("code=abc&code=def&state=STATE") },
    "consent.callback_without_answer" to { calledBack("state=STATE") },
    "protocol.not_json" to { faulty("html_page", """{"status": 200}""") },
    "protocol.answer_shape" to { faulty("answer_patch", """{"patch": {"result": null}}""") },
    "protocol.result_not_boolean" to { faulty("answer_patch", """{"patch": {"result": "true"}}""") },
    "protocol.echo_mismatch" to {
        faulty("answer_patch", """{"patch": {"request": {"instructedAmount": {"amount": "1.00"}}}}""")
    },
    "protocol.redirected" to { faulty("redirect", """{"status": 307, "location": "https://localhost:1/"}""") },
    "protocol.unexpected_status" to { answered(202, "{}") },
    "protocol.digest_mismatch" to { faulty("bad_digest") },
    "protocol.signature_invalid" to {
        val client = withBank { it.putArray("response_signing_certificates").add(sandbox.text("bank_seal")) }
        ask(client)
        sandbox.fault("funds", "bad_signature")
        ask(client)
    },
    "protocol.answer_too_large" to { faulty("oversized_body") },
    "protocol.malformed_http" to { faulty("garbage") },
    "protocol.token_answer" to {
        sandbox.fault("token", "answer_patch", """{"patch": {"access_token": null}}""")
        sandbox.client().refresh(sandbox.tokens())
    },
    "store.failed" to { SessionPool(bareClient(), sealed(FailingStore { throw IOException("s3cr3t") })).open("claire") },
    // What befalls a database is said by the app's own store.
    "store.locked" to { ownStoreFails("store.locked") },
    "store.read_only" to { ownStoreFails("store.read_only") },
    "store.full" to { ownStoreFails("store.full") },
    "store.corrupt" to {
        val store = MapStore()
        val pool = SessionPool(bareClient(), sealed(store))
        pool.keep("claire", someTokens()).close()
        store.save("nobody", store.load("claire")!!.sealed, LONG_AGO, null)
        pool.open("nobody")
    },
    "store.unreachable" to { ownStoreFails("store.unreachable") },
    "store.schema" to { ownStoreFails("store.schema") },
    "store.key" to { SealedStore(MapStore(), KEY.copyOf(31)) },
    "store.url" to { ownStoreFails("store.url") },
    "store.bank" to {
        val store = sealed()
        SessionPool(bareClient(), store).keep("claire", someTokens())
        SessionPool(bareClient(id = "another"), store).open("claire")
    },
    "cancelled" to { ownStoreFails("cancelled") },
    "internal" to {
        Testing.arm()
        Bank.bpce("17515")
    },
)

private suspend fun ask(client: Client? = null, tokens: Tokens? = null) {
    val asking = client ?: sandbox.client(ClientOptions(retries = 0))
    asking.confirmFunds(tokens ?: sandbox.tokens(), question())
}

private suspend fun faulty(kind: String, members: String = "{}", endpoint: String = "funds") {
    sandbox.fault(endpoint, kind, members, times = null)
    ask()
}

private suspend fun answered(status: Int, body: String) {
    val members = io.github.cbpii.support.json.createObjectNode().put("status", status).put("body", body)
    members.put("content_type", "application/json").putArray("headers")
    faulty("answer", members.toString())
}

private suspend fun certificate(name: String) = faulty("server_certificate", """{"certificate": "$name"}""", "connection")

private fun withBank(changes: (com.fasterxml.jackson.databind.node.ObjectNode) -> Unit): Client =
    sandbox.client(ClientOptions(retries = 0), sandbox.bank(changes))

private fun withQwac(variant: String?, check: Boolean = true): Client = sandbox.client(
    ClientOptions(checkEligibility = check, retries = 0),
    issuer = sandbox.ownIssuer(transport = variant?.let(sandbox::transport)),
)

private suspend fun persona(code: String) {
    val persona = sandbox.control("GET", "/personas").first { it["refusal"]?.get("code")?.textValue() == code }
    val client = sandbox.client(ClientOptions(retries = 0))
    client.confirmFunds(sandbox.tokens(persona["id"].asText()), question(iban = persona["iban"].asText()))
}

private fun calledBack(parameters: String) {
    val pending = sandbox.client().beginConsent()
    pending.complete("?" + parameters.replace("STATE", pending.state))
}

private suspend fun elsewhere(origin: String, options: ClientOptions = ClientOptions()) {
    val (connect, proxy) = options.connectTimeout to options.proxy
    ask(sandbox.client(ClientOptions(connectTimeout = connect, proxy = proxy, retries = 0), sandbox.bank().withOrigin(origin)))
}

private suspend fun failingSigner(failure: Exception = IOException("s3cr3t")) {
    val signer = object : Signer {
        override val algorithms = listOf(SignatureAlgorithm.RSA_PKCS1_SHA256)

        override fun sign(algorithm: SignatureAlgorithm, message: ByteArray): ByteArray = throw failure
    }
    val seal = SealIdentity.withSigner(sandbox.file("qsealc", "chain").readBytes(), signer)
    ask(sandbox.client(issuer = sandbox.ownIssuer(seal = seal)))
}

private suspend fun codeUsedTwice() {
    val client = sandbox.client()
    val pending = client.beginConsent()
    val code = pending.complete(sandbox.approve(pending.url))
    client.exchangeCode(pending, code)
    client.exchangeCode(pending, code)
}

private suspend fun refreshAnswerLost() = Sandbox("--rotation", "rotated").use { bank ->
    var now = Clock.System.now()
    val clock = object : Clock {
        override fun now(): Instant = now
    }
    val client = bank.client(ClientOptions(clock = clock), bank.bank { it.put("refresh_token_rotation", "unknown") })
    val given = bank.tokens()
    val tokens = someTokens(given.exposeAccessToken(), given.exposeRefreshToken(), LONG_AGO, LONG_AGO)
    val session = SessionPool(client, sealed()).keep("claire", tokens)
    bank.fault("token", "answer_lost")
    assertFailsWith<CbpiiException.Network> { session.confirmFunds(question()) }
    now += 10.seconds
    session.confirmFunds(question())
}

private class FailingStore(private val fail: () -> Nothing) : ConsentStore {
    override fun load(id: String): StoredRecord? = fail()

    override fun save(id: String, sealed: ByteArray, dueAt: Instant, expected: Long?): Long? = fail()

    override fun delete(id: String): Boolean = fail()

    override fun list(dueBefore: Instant, after: DueRecord?, limit: Int): List<DueRecord> = fail()
}

private suspend fun ownStoreFails(code: String) {
    val store = FailingStore { throw CbpiiException.of(code, "The store failed; look there.") }
    SessionPool(bareClient(), sealed(store)).open("claire")
}

/** A server on loopback; it keeps what connects open until it is closed. */
private class Listener(private val serve: (Socket) -> Unit = {}) : AutoCloseable {
    private val listener = ServerSocket(0, 50, java.net.InetAddress.getLoopbackAddress())
    private val connections = CopyOnWriteArrayList<Socket>()
    val port: Int get() = listener.localPort
    val host: String get() = "127.0.0.1:$port"

    init {
        thread(isDaemon = true) {
            try {
                while (true) serve(listener.accept().also(connections::add))
            } catch (_: IOException) {
                // Closed.
            }
        }
    }

    override fun close() {
        listener.close()
        connections.forEach(Socket::close)
    }
}

private suspend fun serverOfTheFuture() {
    val folder = Files.createTempDirectory("cbpii")
    val keystore = folder.resolve("bank.p12").toString()
    val keytool = System.getProperty("java.home") + "/bin/keytool"
    fun keytool(vararg arguments: String) {
        val all = listOf(keytool, *arguments, "-keystore", keystore, "-storepass", "sandbox", "-alias", "bank")
        val process = ProcessBuilder(all).redirectErrorStream(true).start()
        assertEquals(0, process.waitFor(), process.inputReader().readText())
    }
    keytool(
        "-genkeypair", "-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=localhost", "-ext", "san=dns:localhost",
        "-startdate", "2100/01/01 00:00:00", "-validity", "365", "-storetype", "PKCS12",
    )
    keytool("-exportcert", "-rfc", "-file", "$keystore.pem")
    val store = KeyStore.getInstance("PKCS12").apply { Files.newInputStream(folder.resolve("bank.p12")).use { load(it, "sandbox".toCharArray()) } }
    val keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm()).apply { init(store, "sandbox".toCharArray()) }
    val tls = SSLContext.getInstance("TLS").apply { init(keys.keyManagers, null, null) }
    val shakeHands: (Socket) -> Unit = { connection ->
        runCatching {
            (tls.socketFactory.createSocket(connection, "localhost", connection.port, true) as SSLSocket).run {
                useClientMode = false
                startHandshake()
            }
        }
    }
    Listener(shakeHands).use {
        val bank = sandbox.bank().withOrigin("https://localhost:${it.port}")
        val pem = Files.readString(folder.resolve("bank.p12.pem"))
        ask(sandbox.client(ClientOptions(retries = 0), bank.withTrustAnchor(pem, TrustMode.REPLACE)))
    }
}

/** The catalogue, the classes, and every code that a call from Kotlin can come to. */
class ErrorsTest {
    @BeforeEach
    fun reset() = sandbox.reset()

    @Test
    fun `every code is provoked`() = assertEquals(CbpiiException.catalogue.map { it.code }, PROVOKED.keys.toList())

    @ParameterizedTest
    @MethodSource("codes")
    fun provoked(code: String) {
        val entry = CbpiiException.catalogue.single { it.code == code }
        val failure = assertFailsWith<CbpiiException> { runBlocking { PROVOKED.getValue(code)() } }
        assertEquals(code, failure.code, failure.message)
        assertEquals(Triple(entry.kind, entry.number, code), Triple(failure.kind, failure.number, failure.facts.code))
        assertEquals(if (failure.retryAfter != null) Advice.RETRY_AFTER else entry.advice, failure.advice)
        assertEquals(entry.kind.name.replace("_", ""), failure.javaClass.simpleName.uppercase())
        assertEquals("${failure.javaClass.name}: ${failure.message} [$code]", failure.toString())
        assertTrue(failure.message!!.endsWith("."), failure.message)
        assertTrue(failure.httpStatus == null || failure.requestSent == RequestSent.YES)
        val shown = failure.toString() + failure.facts + failure.explanation?.text
        assertTrue(CLAIRE !in shown && "s3cr3t" !in shown && "\tat " !in shown, shown)
    }

    @Test
    fun `there is one class for each kind`() {
        for ((place, kind) in ErrorKind.entries.withIndex()) {
            val entries = CbpiiException.catalogue.filter { it.kind == kind }
            assertTrue(entries.isNotEmpty() && entries.all { it.number / 1000 == place + 1 })
            val failure = CbpiiException.of(entries.first().code, "A sentence.")
            assertEquals(kind.name.replace("_", ""), failure.javaClass.simpleName.uppercase())
        }
        val classes = CbpiiException::class.java.declaredClasses.filter { CbpiiException::class.java.isAssignableFrom(it) }
        assertEquals(ErrorKind.entries.size, classes.size)
        assertTrue(CbpiiException.catalogue.all { it.summary.endsWith(".") })
    }

    @Test
    fun `an error carries its facts`() {
        val failure = assertFailsWith<CbpiiException.RateLimited> { runBlocking { persona("TMRQ") } }
        assertEquals(30.seconds to 30_000L, failure.retryAfter to failure.retryAfterMillis)
        assertEquals(Triple(429, "TMRQ", RequestSent.YES), Triple(failure.httpStatus, failure.bankCode, failure.requestSent))
        assertNotNull(failure.bankMessage)
        assertNotNull(failure.correlationId)
        val explanation = assertNotNull(failure.explanation)
        assertEquals(failure.requestId, explanation.headers.single { it.name == "x-request-id" }.value)
        assertTrue(explanation.signingString!!.contains("(request-target)") && explanation.text.contains("Signing string"))
    }

    @Test
    fun `what a seam threw is the cause`() {
        val signing = assertFailsWith<CbpiiException.Configuration> { runBlocking { failingSigner() } }
        assertEquals("s3cr3t", assertIs<IOException>(signing.cause).message)
        assertTrue("IOException" in signing.message!!, signing.message)
        val own = CbpiiException.of("store.full", "No room; make some.")
        val pool = SessionPool(bareClient(), sealed(FailingStore { throw own }))
        val stored = assertFailsWith<CbpiiException.Store> { runBlocking { pool.open("claire") } }
        assertEquals("No room; make some." to own, stored.message to stored.cause)
        val error = FailingStore { throw StackOverflowError() }
        val failed = assertFailsWith<CbpiiException.Store> { runBlocking { SessionPool(bareClient(), sealed(error)).open("claire") } }
        assertIs<StackOverflowError>(failed.cause)
    }

    @Test
    fun `errors of one's own are of the catalogue`() {
        val cause = IOException()
        val own = CbpiiException.of("network.connect", "Away.", RequestSent.UNKNOWN, cause)
        assertIs<CbpiiException.Network>(own)
        assertEquals(Triple(Advice.RETRY, RequestSent.UNKNOWN, cause), Triple(own.advice, own.requestSent, own.cause))
        assertNull(own.explanation)
        assertFailsWith<IllegalArgumentException> { CbpiiException.of("nothing.known", "A sentence.") }
    }

    @Test
    fun `a panic is the internal error, wherever it happens`() {
        val pending = bareClient().beginConsent()
        val calls = listOf<suspend () -> Any?>(
            { Iban(CLAIRE) },
            { pending.complete("?code=a") },
            { bareClient().let { client -> Testing.arm(); client.confirmFunds(someTokens(), question()) } },
        )
        for (call in calls) {
            Testing.arm()
            val failure = assertFailsWith<CbpiiException.Internal> { runBlocking { call() } }
            assertTrue("s3cr3t" !in failure.toString())
        }
        runBlocking { assertTrue(bareClient().confirmFunds(someTokens(), question()).available) }
    }

    companion object {
        @JvmStatic
        fun codes(): Set<String> = PROVOKED.keys
    }
}
