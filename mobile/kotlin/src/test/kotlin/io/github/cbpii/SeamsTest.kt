package io.github.cbpii

import io.github.cbpii.support.KEY
import io.github.cbpii.support.Sandbox
import io.github.cbpii.support.bareClient
import io.github.cbpii.support.question
import io.github.cbpii.support.saysYes
import io.github.cbpii.support.sealed
import io.github.cbpii.support.someTokens
import kotlinx.coroutines.runBlocking
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.RequestBody.Companion.toRequestBody
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import java.io.IOException
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse.BodyHandlers
import java.security.PrivateKey
import java.security.cert.X509Certificate
import java.time.Duration
import java.util.Collections
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertIs
import kotlin.test.assertSame
import kotlin.test.assertTrue
import kotlin.time.Clock
import kotlin.time.Duration.Companion.days
import kotlin.time.Instant
import kotlin.time.toJavaDuration

/** A transport on OkHttp, as an Android app would write one. */
class OkHttpTransport(private val http: OkHttpClient) : BlockingTransport {
    override fun exchange(request: HttpRequest): HttpResponse {
        // Without a type of its own: the one among the headers holds.
        val sent = Request.Builder().url(request.url).post(request.body.toRequestBody(null))
        request.headers.forEach { sent.header(it.name, it.value) }
        val call = http.newCall(sent.build())
        call.timeout().timeout(request.timeLeftMillis, java.util.concurrent.TimeUnit.MILLISECONDS)
        call.execute().use { answer ->
            return HttpResponse(answer.code, answer.headers.toList(), answer.body.bytes())
        }
    }
}

/** A transport on the JDK's client. */
class JdkTransport(private val http: HttpClient) : BlockingTransport {
    override fun exchange(request: HttpRequest): HttpResponse {
        val sent = java.net.http.HttpRequest.newBuilder(URI(request.url))
            .timeout(request.timeLeft.toJavaDuration())
            .POST(BodyPublishers.ofByteArray(request.body))
        request.headers.forEach { sent.header(it.name, it.value) }
        val answer = http.send(sent.build(), BodyHandlers.ofByteArray())
        val headers = answer.headers().map().filterKeys { !it.startsWith(":") }
        return HttpResponse(answer.statusCode(), headers.flatMap { (name, all) -> all.map { name to it } }, answer.body())
    }
}

/** Implementations in Kotlin of what the library asks for. */
class SeamsTest {
    private val sandbox = Sandbox.shared

    @BeforeEach
    fun reset() = sandbox.reset()

    /** Chain in DER is the leaf alone; the chain of the store as PEM. */
    private fun held(form: String): Pair<ByteArray, PrivateKey> {
        val store = sandbox.keyStore(sandbox.file(form, "pkcs12"))
        val alias = store.aliases().asSequence().first(store::isKeyEntry)
        val pem = store.getCertificateChain(alias).joinToString("\n") {
            val encoded = java.util.Base64.getMimeEncoder().encodeToString((it as X509Certificate).encoded)
            "-----BEGIN CERTIFICATE-----\n$encoded\n-----END CERTIFICATE-----"
        }
        return pem.toByteArray() to store.getKey(alias, sandbox.password.toCharArray()) as PrivateKey
    }

    @Test
    fun `keys that stay in java security sign TLS and messages`() = runBlocking {
        val (qwac, transportKey) = held("qwac_forms")
        val (qsealc, sealKey) = held("qsealc_forms")
        val tls = listOf(SignatureAlgorithm.RSA_PSS_SHA256, SignatureAlgorithm.RSA_PSS_SHA384, SignatureAlgorithm.RSA_PSS_SHA512)
        val pkcs1 = SignatureAlgorithm.entries.filter { it.name.startsWith("RSA_PKCS1") }
        val issuer = sandbox.ownIssuer(
            TransportIdentity.withSigner(qwac, JcaSigner(transportKey, tls)),
            SealIdentity.withSigner(qsealc, JcaSigner(sealKey, pkcs1)),
        )
        sandbox.client(issuer = issuer).use { client ->
            val pending = client.beginConsent()
            val tokens = client.completeConsent(pending, sandbox.approve(pending.url))
            assertTrue(client.confirmFunds(tokens, question()).available)
        }
        assertEquals(setOf("accepted"), sandbox.requests().map { it["verdict"].asText() }.toSet() - "page")
    }

    @Test
    fun `every algorithm of java security is one the library means`() {
        val rsa = java.security.KeyPairGenerator.getInstance("RSA").apply { initialize(2048) }.generateKeyPair()
        val curves = mapOf(SignatureAlgorithm.ECDSA_P256_SHA256 to "secp256r1", SignatureAlgorithm.ECDSA_P384_SHA384 to "secp384r1")
        for (algorithm in SignatureAlgorithm.entries) {
            val pair = curves[algorithm]?.let { curve ->
                val spec = java.security.spec.ECGenParameterSpec(curve)
                java.security.KeyPairGenerator.getInstance("EC").apply { initialize(spec) }.generateKeyPair()
            } ?: rsa
            val signature = JcaSigner(pair.private, listOf(algorithm)).sign(algorithm, byteArrayOf(1, 2, 3))
            assertTrue(signature.size >= if (algorithm in curves) 64 else 256, algorithm.name)
        }
    }

    @Test
    fun `a signer for TLS must offer what TLS takes`() {
        val (qwac, key) = held("qwac_forms")
        val failure = assertFailsWith<CbpiiException.Configuration> {
            TransportIdentity.withSigner(qwac, JcaSigner(key, listOf(SignatureAlgorithm.RSA_PKCS1_SHA256)))
        }
        assertEquals("configuration.signer_failed", failure.code)
    }

    private suspend fun throughATransport(transport: BlockingTransport) {
        val client = sandbox.client(ClientOptions(transport = Transport.blocking(transport)))
        val pending = client.beginConsent()
        val tokens = client.completeConsent(pending, sandbox.approve(pending.url))
        assertTrue(client.confirmFunds(tokens, question()).available)
        val fresh = client.refresh(tokens)
        assertTrue(client.confirmFunds(fresh, question("458.99")).available)
        val unknown = question(iban = "FR7612579004000000441030345")
        val failure = assertFailsWith<CbpiiException.BankRefused> { client.confirmFunds(fresh, unknown) }
        assertEquals("AC01" to RequestSent.YES, failure.bankCode to failure.requestSent)
    }

    @Test
    fun `OkHttp carries the requests`() = runBlocking {
        val (tls, trust) = sandbox.tls(qwac = true)
        val http = OkHttpClient.Builder().sslSocketFactory(tls.socketFactory, trust).followRedirects(false)
            .retryOnConnectionFailure(false).build()
        throughATransport(OkHttpTransport(http))
    }

    @Test
    fun `the JDK's client carries the requests`() = runBlocking {
        val http = HttpClient.newBuilder().sslContext(sandbox.tls(qwac = true).first).version(HttpClient.Version.HTTP_1_1)
        throughATransport(JdkTransport(http.connectTimeout(Duration.ofSeconds(5)).build()))
    }

    @Test
    fun `a transport that fails leaves open what it does not state`() = runBlocking {
        val thrown = IOException("s3cr3t")
        val unstated = assertFailsWith<CbpiiException.Network> {
            bareClient(transport = { throw thrown }).confirmFunds(someTokens(), question())
        }
        assertEquals(RequestSent.UNKNOWN, unstated.requestSent)
        assertSame(thrown, unstated.cause)
        var tries = 0
        val stated = assertFailsWith<CbpiiException.Network> {
            val transport = Transport {
                tries++
                throw CbpiiException.of("network.connect", "Nobody is there.", RequestSent.NO)
            }
            bareClient(transport = transport).refresh(someTokens())
        }
        assertEquals(Triple("network.connect", RequestSent.NO, 2), Triple(stated.code, stated.requestSent, tries))
        val impossible = assertFailsWith<CbpiiException.Protocol> {
            bareClient(transport = { HttpResponse(200, listOf("a b" to "c"), ByteArray(0)) }).confirmFunds(someTokens(), question())
        }
        assertEquals("protocol.malformed_http", impossible.code)
        val tooLarge = assertFailsWith<CbpiiException.Protocol> {
            bareClient(transport = { HttpResponse(200, emptyList(), ByteArray(1_048_577)) }).confirmFunds(someTokens(), question())
        }
        assertEquals("protocol.answer_too_large", tooLarge.code)
    }

    @Test
    fun `a request says all that a transport needs`() = runBlocking {
        val seen = mutableListOf<HttpRequest>()
        val fresh = mutableListOf<Boolean>()
        val transport = Transport { request ->
            seen += request
            fresh += request.wantsFreshConnection
            assertEquals("POST" to true, request.method to request.url.startsWith("https://"))
            assertTrue(request.timeLeftMillis in 1..10_000)
            val names = request.headers.map { it.name }
            assertTrue("authorization" in names || "content-type" in names, names.toString())
            if (request.url.endsWith("/funds-confirmations")) saysYes.exchange(request)
            else HttpResponse(200, emptyList(), """{"access_token": "new"}""".toByteArray())
        }
        val client = bareClient(transport = transport)
        client.confirmFunds(client.refresh(someTokens()), question())
        assertEquals(listOf(true, false), fresh)
        // They end with the exchange.
        assertTrue(seen.all { it.toString() == "HttpRequest(closed)" })
    }

    private class MovingClock(var moment: Instant) : Clock {
        var failure: Exception? = null

        override fun now(): Instant = failure?.let { throw it } ?: moment
    }

    @Test
    fun `a clock of one's own decides`() = runBlocking {
        val clock = MovingClock(Instant.parse("2026-11-23T13:00:00Z"))
        val client = bareClient(clock = clock)
        val pending = client.beginConsent()
        assertEquals(clock.moment, pending.createdAt)
        val session = SessionPool(client, sealed()).keep("claire", someTokens(consentExpiresAt = clock.moment + 90.days))
        assertEquals(90, session.status.daysLeft)
        clock.moment += 80.days
        assertEquals(10 to ConsentState.RENEW_SOON, session.status.daysLeft to session.status.state)
        assertEquals(clock.moment, session.confirmFunds(question()).checkedAt)
    }

    @Test
    fun `a clock that fails fails the call before anything is sent`() = runBlocking {
        val clock = MovingClock(Instant.parse("2026-11-23T13:00:00Z"))
        var sent = 0
        val transport = Transport { request -> sent++; saysYes.exchange(request) }
        val client = bareClient(transport = transport, clock = clock)
        val session = SessionPool(client, sealed()).keep("claire", someTokens())
        val thrown = IllegalStateException("s3cr3t").also { clock.failure = it }
        val calls = listOf<suspend () -> Any?>(
            { client.beginConsent() }, { client.explain(question()) }, { client.confirmFunds(someTokens(), question()) },
            { client.refresh(someTokens()) }, { session.confirmFunds(question()) }, { session.status },
        )
        for (call in calls) {
            val failure = assertFailsWith<CbpiiException.Configuration> { call() }
            assertSame(thrown, failure.cause)
            assertTrue("IllegalStateException" in failure.message!! && "s3cr3t" !in failure.message!!, failure.message)
        }
        assertEquals(0, sent)
    }

    @Test
    fun `a listener hears every exchange and cannot spoil one`() = runBlocking {
        val heard = Collections.synchronizedList(mutableListOf<Event>())
        val client = sandbox.client(ClientOptions(listener = { event -> heard += event; error("spoilt") }))
        sandbox.fault("funds", "html_page", """{"status": 503}""")
        assertTrue(client.confirmFunds(sandbox.tokens(), question()).available)
        assertEquals(listOf(1 to 503, 2 to 200), heard.map { it.attempt to it.httpStatus })
        assertEquals(listOf("bank.unavailable", null), heard.map { it.error })
        assertTrue(heard.all { it.operation == Operation.CONFIRM_FUNDS && it.requestId != null && it.durationMillis() >= 0 })
    }

    @Test
    fun `a store that gives nonsense is told so`() = runBlocking {
        val store = object : ConsentStore by io.github.cbpii.support.MapStore() {
            override fun save(id: String, sealed: ByteArray, dueAt: Instant, expected: Long?): Long? = -1
        }
        val failure = assertFailsWith<CbpiiException.Store> { SessionPool(bareClient(), SealedStore(store, KEY)).keep("a", someTokens()) }
        assertIs<CbpiiException.Store>(failure)
        assertTrue("negative version" in failure.message!!)
    }
}
