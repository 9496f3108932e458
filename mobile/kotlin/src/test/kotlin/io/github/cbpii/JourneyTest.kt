package io.github.cbpii

import io.github.cbpii.support.CLAIRE
import io.github.cbpii.support.MapStore
import io.github.cbpii.support.Sandbox
import io.github.cbpii.support.bareClient
import io.github.cbpii.support.json
import io.github.cbpii.support.question
import io.github.cbpii.support.sealed
import io.github.cbpii.support.someTokens
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import java.math.BigDecimal
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNotEquals
import kotlin.test.assertTrue
import kotlin.time.Clock
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Instant

/** The journey of an issuer's app against the sandbox bank. */
class JourneyTest {
    private val sandbox = Sandbox.shared

    @BeforeEach
    fun reset() = sandbox.reset()

    @Test
    fun `the whole journey with keys on the device`() = runBlocking {
        sandbox.client().use { client ->
            val pending = client.beginConsent(validFor = 10.minutes)
            assertEquals(10.minutes, pending.expiresAt - pending.createdAt)
            client.completeConsent(pending, sandbox.approve(pending.url)).use { tokens ->
                assertEquals(1.hours, tokens.expiresAt!! - tokens.obtainedAt)
                assertEquals(180.days, tokens.consentExpiresAt - pending.createdAt)
                assertEquals("Bearer" to "cbpii", tokens.tokenType to tokens.scope)
                val answer = client.confirmFunds(tokens, question("458.99"))
                assertTrue(answer.available)
                assertEquals("ORDER-4711" to "bpce-17515", answer.reference to answer.bankId)
                assertTrue(answer.duration.isPositive() && answer.durationMillis() >= 0)
                assertFalse(client.confirmFunds(tokens, question("459")).available)
            }
        }
    }

    @Test
    fun `an app without keys begins the consent and a server with keys ends it`() = runBlocking {
        // The app.
        val app = Issuer(sandbox.issuer["client_id"].asText(), sandbox.issuer["redirect_uri"].asText())
        val pending = PendingConsent.begin(sandbox.bank(), app)
        val kept = pending.toJson()
        val link = sandbox.approve(pending.url)
        val code = PendingConsent.fromJson(kept).complete(link)
        // The server.
        val tokens = sandbox.client().exchangeCode(PendingConsent.fromJson(kept), AuthorizationCode(code.expose()))
        assertTrue(sandbox.client().confirmFunds(tokens, question()).available)
    }

    @Test
    fun `a cardholder may refuse`() {
        val pending = sandbox.client().beginConsent()
        val failure = assertFailsWith<CbpiiException.ConsentRefused> {
            pending.complete(sandbox.approve(pending.url, auto = "refuse"))
        }
        assertEquals("access_denied" to Advice.RENEW_CONSENT, failure.bankCode to failure.advice)
    }

    @Test
    fun `keys come in every form that is under no password`() = runBlocking {
        val issuer = sandbox.ownIssuer(
            TransportIdentity.fromPem(sandbox.text("qwac", "chain"), sandbox.text("qwac_forms", "pkcs1_pem")),
            SealIdentity.fromPem(sandbox.text("qsealc", "chain"), sandbox.text("qsealc_forms", "pkcs1_pem")),
        )
        assertTrue(sandbox.client(issuer = issuer).confirmFunds(sandbox.tokens(), question()).available)
        assertEquals(emptyList(), issuer.check(sandbox.bank()).filter { it.severity == Severity.ERROR })
    }

    @Test
    fun `tokens are saved, read back and refreshed`() = runBlocking {
        val tokens = Tokens.fromJson(sandbox.tokens().toJson())
        val client = sandbox.client()
        val fresh = client.refresh(tokens)
        assertNotEquals(tokens.exposeAccessToken(), fresh.exposeAccessToken())
        assertEquals(tokens.exposeRefreshToken(), fresh.exposeRefreshToken())
        assertTrue(client.confirmFunds(fresh, question()).available)
    }

    @Test
    fun `a session refreshes once for many coroutines and survives a restart`() = runBlocking {
        val store = MapStore()
        val given = sandbox.tokens()
        val past = Instant.fromEpochMilliseconds(0)
        val ended = someTokens(given.exposeAccessToken(), given.exposeRefreshToken(), past, past)
        SessionPool(sandbox.client(), sealed(store)).use { pool ->
            val session = pool.keep("claire", ended)
            assertEquals(NextAction.REFRESH, session.status.nextAction)
            val answers = List(8) { async { session.confirmFunds(question()) } }.awaitAll()
            assertTrue(answers.all { it.available })
            assertEquals(ConsentState.ACTIVE to NextAction.NONE, session.status.state to session.status.nextAction)
            assertEquals(
                listOf(ConsentEvent.KEPT, ConsentEvent.REFRESH_STARTED, ConsentEvent.REFRESHED),
                session.history.map { it.event },
            )
            assertFalse(session.hasUnsavedTokens)
        }
        assertEquals(1, sandbox.requests().count { it["endpoint"].asText() == "token" })
        val again = SessionPool(sandbox.client(), sealed(store)).open("claire")
        assertTrue(again.confirmFunds(question()).available)
        assertEquals(ConsentState.ACTIVE, again.reload().state)
        val sealed = store.load("claire")!!.sealed.decodeToString()
        assertTrue(given.exposeRefreshToken()!! !in sealed)
    }

    @Test
    fun `consents to renew are listed, and forgotten ones are not`() = runBlocking {
        for (store in listOf(sealed(), SealedStore.inMemory())) {
            val pool = SessionPool(bareClient(), store, SessionOptions(renewBefore = 30.days))
            val soon = Clock.System.now() + 20.days
            assertEquals(ConsentState.RENEW_SOON, pool.keep("soon", someTokens(consentExpiresAt = soon)).status.state)
            pool.keep("later", someTokens())
            val due = store.renewalsDue(Clock.System.now() + 30.days)
            assertEquals(listOf("soon" to RenewalReason.ENDING), due.map { it.id to it.reason })
            assertEquals(listOf(true, false), List(2) { pool.forget("soon") })
            assertEquals(emptyList(), store.renewalsDue(Clock.System.now() + 30.days))
        }
    }

    @Test
    fun `a key can be changed`() = runBlocking {
        val store = MapStore()
        val (old, new) = ByteArray(32) { 1 } to ByteArray(32) { 2 }
        SessionPool(bareClient(), SealedStore(store, old)).keep("claire", someTokens())
        SessionPool(bareClient(), SealedStore(store, new, listOf(old))).open("claire")
        val failure = assertFailsWith<CbpiiException.Store> { SessionPool(bareClient(), SealedStore(store, new)).open("claire") }
        assertEquals("store.key", failure.code)
    }

    @Test
    fun `a request is explained without being sent`() {
        val explanation = sandbox.client().explain(question(payee = "Librairie des Colonnes"))
        assertEquals("POST" to "client_id", explanation.method to explanation.keyIdSource)
        assertTrue(explanation.signingString!!.startsWith("(request-target): post /stet/psd2/"))
        assertTrue(CLAIRE !in explanation.text && "FR76…4006" in explanation.body)
        assertEquals(emptyList(), sandbox.requests())
    }

    @Test
    fun `connections are opened ahead`() = runBlocking { assertEquals(2, sandbox.client().warmUp(2)) }

    @Test
    fun `banks are found`() {
        assertEquals("bpce-17515", Bank.fromIban(Iban(CLAIRE)).first().id)
        assertEquals("Caisse d'Epargne Ile-de-France", Bank.find("caisse epargne ile").first().name)
        assertEquals("Lydia", Bank.byId("lydia").name)
        assertEquals(2, Bank.byCode("13807").size)
        assertTrue(Bank.directory().size >= 34)
        val changed = Bank.fromJson("""{"base": "bpce-17515", "environment": "production", "consent_lifetime_days": 90}""")
        assertEquals(90 to Environment.PRODUCTION, changed.facts.consentLifetimeDays to changed.facts.environment)
        assertEquals(changed.facts, Bank.fromJson(changed.toJson()).facts)
    }

    @Test
    fun `certificates are inspected`() {
        val (certificate, key) = sandbox.file("qwac", "chain").readBytes() to sandbox.file("qsealc", "key").readBytes()
        val options = InspectionOptions(intendedUse = CertificateUse.SEAL)
        val report = Certificates.inspect(certificate, options, key)
        assertEquals("PSDFR-ACPR-12345", report.organisationIdentifier)
        assertEquals(listOf("FR", "ACPR", "12345"), report.run { listOf(organisationCountry, organisationAuthority, organisationNumber) })
        assertTrue("PSP_IC" in report.psd2Roles)
        val codes = report.findings.filter { it.severity == Severity.ERROR }.map { it.code }
        assertEquals(setOf("certificate_wrong_use", "key_mismatch"), codes.toSet())
    }

    @Test
    fun `amounts are exact`() {
        assertEquals(Amount("12.50", "EUR"), Amount(BigDecimal("12.5000"), "EUR"))
        assertEquals(Amount("12.50", "EUR").hashCode(), Amount(BigDecimal("12.5"), "EUR").hashCode())
        assertEquals("1000 JPY", Amount(BigDecimal("1E+3"), "JPY").toString())
        for (wrong in listOf("12.505", "0", "-1", "1E+13", "1E-40", "1" + "0".repeat(40))) {
            val failure = assertFailsWith<CbpiiException.InvalidRequest> { Amount(BigDecimal(wrong), "EUR") }
            assertEquals("request.amount", failure.code)
        }
    }

    @Test
    fun `nothing prints a secret`() = runBlocking {
        val tokens = someTokens("2YotnFZFEjr1zCsicMWpAA", "tGzv3JOkF0XG5Qx2TlKWIA")
        val pending = bareClient().beginConsent()
        val verifier = json.readTree(pending.toJson())["code_verifier"]?.asText() ?: pending.state
        val seen = mutableListOf<String>()
        val transport = Transport { request ->
            seen += listOf(request.toString(), request.headers.toString())
            io.github.cbpii.support.saysYes.exchange(request).also { seen += it.toString() }
        }
        val client = bareClient(transport = transport, proxy = null)
        client.confirmFunds(tokens, question())
        val session = SessionPool(client, sealed()).keep("claire", tokens)
        val values = listOf(
            tokens, pending, AuthorizationCode("SplxlOBeZQQYbYS6WxSbIA"), Iban(CLAIRE), Account(Iban(CLAIRE)), question(),
            sandbox.transport(), sandbox.seal(), sandbox.ownIssuer(), client, session, sealed(), sandbox.bank(),
            Issuer("id", "https://issuer.example/", clientSecret = "a client secret"),
            Account.other("4970101234567890", AccountScheme.CPAN),
        )
        val shown = (values.map { it.toString() } + seen).joinToString("\n")
        assertTrue(shown.contains("FR76…4006") && shown.contains("access token 2Yot…"), shown)
        val secrets = listOf(
            tokens.exposeAccessToken(), tokens.exposeRefreshToken()!!, pending.state, verifier, "SplxlOBeZQQYbYS6WxSbIA",
            CLAIRE, "a client secret", "4970101234567890", "PRIVATE",
        )
        assertEquals(emptyList(), secrets.filter { it in shown }, shown)
    }

    @Test
    fun `what was closed says so`() {
        val iban = Iban(CLAIRE)
        iban.close()
        iban.close()
        assertEquals("Iban(closed)", iban.toString())
        assertFailsWith<IllegalStateException> { iban.expose() }
    }
}
