package io.github.cbpii

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode
import io.github.cbpii.support.Facts
import io.github.cbpii.support.Sandbox
import io.github.cbpii.support.Unsayable
import io.github.cbpii.support.VECTORS
import io.github.cbpii.support.asFacts
import io.github.cbpii.support.asJson
import io.github.cbpii.support.differences
import io.github.cbpii.support.json
import io.github.cbpii.support.known
import io.github.cbpii.support.orEmpty
import io.github.cbpii.support.requestOf
import io.github.cbpii.support.tell
import io.github.cbpii.support.text
import io.github.cbpii.support.textOrNull
import io.github.cbpii.support.unsayable
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.MethodSource
import java.io.File
import java.net.URI
import java.net.URLDecoder
import java.security.MessageDigest
import java.util.Base64
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import kotlin.time.Clock
import kotlin.time.Instant

private val BEGINNING = Instant.parse("2026-11-23T13:00:00Z")

/** The language-neutral cases of tests/vectors; its README says how they are read. */
class VectorsTest {
    @Test
    fun `every file is counted`() {
        assertEquals(files(), manifest().fieldNames().asSequence().toList())
    }

    @ParameterizedTest
    @MethodSource("files")
    fun cases(name: String) {
        val suite = json.readTree(File(VECTORS, name)) as ObjectNode
        val cases = suite.remove("cases").map { it as ObjectNode }
        assertTrue(suite.remove("about").isTextual)
        assertEquals(manifest()[name].asInt(), cases.size)
        val runner = VectorRunner(Sandbox.shared)
        val (seen, unsaid) = mutableSetOf<String>() to mutableSetOf<String>()
        val suiteName = name.removeSuffix(".json")
        val failures = cases.flatMap { members ->
            val (title, expected) = members.remove("name").asText() to members.remove("expect")
            assertTrue(seen.add(title) && !expected.isEmpty)
            val case = Case(suite, members)
            val actual = try {
                runBlocking { runner.run(name, case) }.also { assertEquals(emptySet(), case.unread, "$title: unknown members") }
            } catch (failure: CbpiiException) {
                failure.asFacts()
            } catch (what: Unsayable) {
                unsaid += title
                tell(suiteName, title, "unsayable", what.reason)
                return@flatMap emptyList()
            }
            tell(suiteName, title, "facts", actual)
            differences(expected, actual.asJson()).map { "$title: $it" }
        }
        assertEquals(emptyList(), failures)
        assertEquals(cases.size, seen.size)
        assertEquals(unsayable(suiteName), unsaid)
    }

    companion object {
        @JvmStatic
        fun files(): List<String> = VECTORS.list().orEmpty().filter { it.endsWith(".json") && it != "manifest.json" }.sorted()

        fun manifest(): JsonNode = json.readTree(File(VECTORS, "manifest.json"))
    }
}

/** A case with the members its file has for all; each member has to be asked for. */
private class Case(val shared: ObjectNode, private val members: ObjectNode) {
    val unread = members.fieldNames().asSequence().toMutableSet()

    fun optional(name: String): JsonNode? {
        unread -= name
        return (members[name] ?: shared[name])?.takeUnless { it.isNull }
    }

    operator fun get(name: String): JsonNode = checkNotNull(optional(name)) { "$name is missing" }

    fun text(name: String): String = get(name).textValue()

    val now: Instant get() = Instant.parse(text("now"))
}

private class FixedClock(private val moment: Instant) : Clock {
    override fun now(): Instant = moment
}

/** Answers from memory and keeps what was sent. */
private class Wire(case: Case) : Transport {
    private val status = case.optional("status")?.asInt() ?: 500
    private val headers = case.optional("headers").orEmpty().map { it[0].textValue() to it[1].textValue() }
    private val body = case.optional("body")?.let(::bytes) ?: ByteArray(0)
    val bodies = mutableListOf<String>()
    val sentHeaders = mutableListOf<List<Pair<String, String>>>()

    private fun bytes(body: JsonNode): ByteArray {
        val (form, value) = body.properties().single()
        return when (form) {
            "json" -> json.writeValueAsBytes(value)
            "text" -> value.textValue().toByteArray()
            "base64" -> Base64.getDecoder().decode(value.textValue())
            "repeated" -> value.joinToString("") { it[0].textValue().repeat(it[1].asInt()) }.toByteArray()
            else -> error("unknown form of a body: $form")
        }
    }

    override suspend fun exchange(request: HttpRequest): HttpResponse {
        bodies += request.body.decodeToString()
        sentHeaders += request.headers.map { it.name to it.value }
        return HttpResponse(status, headers, body)
    }
}

/** Runs cases; what its functions give back are facts. */
private class VectorRunner(private val sandbox: Sandbox) {
    private val seal = sandbox.seal("https://issuer.example/seal")

    suspend fun run(file: String, case: Case): Facts = when (file) {
        "callbacks.json" -> callbacks(case)
        "certificates.json" -> certificates(case)
        "consent_urls.json" -> consentUrls(case)
        "error_bodies.json", "funds_bodies.json" -> fundsBodies(case)
        "requests.json" -> requests(case)
        "token_bodies.json" -> tokenBodies(case)
        else -> error("nothing runs $file")
    }

    private fun client(record: JsonNode, now: Instant, wire: Wire): Client {
        val bank = Bank.fromJson(record.toString())
        val wantsSecret = json.readTree(bank.toJson())["client_authentication"].asText() != "tls_client_auth"
        val issuer = Issuer(
            "PSDFR-ACPR-12345",
            "https://issuer.example/psd2/callback",
            seal = seal,
            clientSecret = "s3cr3t".takeIf { wantsSecret },
        )
        return Client(bank, issuer, options(now, wire))
    }

    private fun options(now: Instant, wire: Wire) =
        ClientOptions(clock = FixedClock(now), transport = wire, checkEligibility = false)

    private fun callbacks(case: Case): Facts {
        val (pending, callback, now) = Triple(case["pending"], case.text("callback"), case.now)
        val saved = if (pending.isTextual) case.shared["pending"][pending.textValue()] else pending
        return mapOf("code" to PendingConsent.fromJson(saved.toString()).complete(callback, now).expose())
    }

    private fun consentUrls(case: Case): Facts {
        val bank = Bank.fromJson(case["bank"].toString())
        val issuer = Issuer(
            case.text("client_id"),
            case.text("redirect_uri"),
            seal = seal,
            clientSecret = case.optional("client_secret")?.textValue(),
        )
        val ofClient = Client(bank, issuer, options(BEGINNING, Wire(case))).beginConsent()
        val withoutKeys = Issuer(issuer.clientId, issuer.redirectUri)
        val facts = consentFacts(ofClient, issuer.redirectUri)
        assertEquals(facts, consentFacts(PendingConsent.begin(bank, withoutKeys, at = BEGINNING), issuer.redirectUri))
        return facts
    }

    private fun consentFacts(pending: PendingConsent, redirectUri: String): Facts {
        assertEquals(redirectUri, pending.redirectUri)
        assertEquals(BEGINNING to 43, pending.createdAt to pending.state.length)
        val (address, query) = pending.url.split("?", limit = 2)
        val uri = URI(address)
        val verifier = json.readTree(pending.toJson()).textOrNull("code_verifier")
        val challenge = verifier?.let {
            val digest = MessageDigest.getInstance("SHA-256").digest(it.toByteArray())
            Base64.getUrlEncoder().withoutPadding().encodeToString(digest)
        }
        return mapOf(
            "origin" to "${uri.scheme}://${uri.rawAuthority}",
            "path" to uri.rawPath,
            "query" to query.split("&").map { pair ->
                val (name, value) = pair.split("=", limit = 2).map { URLDecoder.decode(it, Charsets.UTF_8) }
                val standIn = when {
                    name == "state" && value == pending.state -> "{state}"
                    name == "code_challenge" && value == challenge -> "{code_challenge}"
                    else -> value
                }
                listOf(name, standIn)
            },
        )
    }

    private suspend fun tokenBodies(case: Case): Facts {
        val client = client(case["bank"], case.now, Wire(case))
        val (pending, code, tokens) = Triple(case["pending"], case.text("code"), case["tokens"])
        val given = when (val request = case.text("request")) {
            "exchange" -> client.exchangeCode(PendingConsent.fromJson(pending.toString()), AuthorizationCode(code))
            "refresh" -> client.refresh(Tokens.fromJson(tokens.toString()))
            else -> error("unknown request $request")
        }
        return given.asFacts()
    }

    private suspend fun fundsBodies(case: Case): Facts {
        val client = client(case["bank"], case.now, Wire(case))
        return client.confirmFunds(tokens(case.now), requestOf(case["request"])).asFacts()
    }

    private suspend fun requests(case: Case): Facts {
        val (input, bank, now) = Triple(case["input"], case["bank"], case.now)
        return when (val kind = case.text("kind")) {
            "currency" -> {
                val code = input.known("code")["code"].textValue()
                mapOf("code" to code, "decimals" to Amount.decimals(code))
            }
            "amount" -> {
                input.known("amount", "currency")
                val amount = Amount(input["amount"].textValue(), input["currency"].textValue())
                mapOf("amount" to amount.value.toPlainString(), "currency" to amount.currency)
            }
            "iban" -> {
                val iban = Iban(input.known("iban")["iban"].textValue())
                mapOf(
                    "iban" to iban.expose(),
                    "country" to iban.country,
                    "bank_code" to iban.bankCode,
                    "masked" to iban.toString(),
                )
            }
            "request" -> sent(Wire(case), bank, now, input)
            else -> error("unknown kind $kind")
        }
    }

    private suspend fun sent(wire: Wire, bank: JsonNode, now: Instant, input: JsonNode): Facts {
        val client = client(bank, now, wire)
        val request = requestOf(input)
        try {
            client.confirmFunds(tokens(now), request)
        } catch (failure: CbpiiException) {
            // One before anything is sent is the outcome of the case.
            if (wire.bodies.isEmpty()) throw failure
        }
        val own = setOf("accept", "authorization", "content-type", "date", "digest", "signature")
        val headers = wire.sentHeaders.last().filter { (name) -> name !in own }.map { (name, value) -> listOf(name, value) }
        return mapOf("body" to wire.bodies.last(), "headers" to headers)
    }

    private fun certificates(case: Case): Facts {
        val bank = Bank.fromJson(case["bank"].toString())
        val (name, use, clientId) = Triple(case.text("identity"), case.text("use"), case.text("client_id"))
        val path = if (name in setOf("qwac", "qsealc")) arrayOf(name) else arrayOf("variants", name)
        val refusesPss = json.readTree(bank.toJson())["refuses_pss_certificates"].asBoolean()
        val options = InspectionOptions(
            intendedUse = CertificateUse.valueOf(use.uppercase()),
            clientId = clientId,
            acceptsPss = !refusesPss,
        )
        val report = Certificates.inspect(sandbox.file(*path, "chain").readBytes(), options)
        val qwac = if (use == "transport") path else arrayOf("qwac")
        val qsealc = if (use == "seal") path else arrayOf("qsealc")
        val client = try {
            val transport = TransportIdentity.fromPem(sandbox.text(*qwac, "chain"), sandbox.text(*qwac, "key"))
            val seal = SealIdentity.fromPem(sandbox.text(*qsealc, "chain"), sandbox.text(*qsealc, "key"))
            Client(bank, Issuer(clientId, "https://issuer.example/psd2/callback", transport, seal))
            "ok"
        } catch (failure: CbpiiException) {
            failure.code
        }
        return mapOf(
            "roles" to report.psd2Roles,
            "authority_id" to report.authorityId,
            "qc_types" to report.qcTypes,
            "qualified" to report.qualified,
            "key_type" to report.keyType,
            "key_bits" to report.keyBits,
            "signature_algorithm" to report.signatureAlgorithm,
            "client" to client,
        ) + report.asFacts()
    }

    private fun tokens(now: Instant) = Tokens("2YotnFZFEjr1zCsicMWpAA", null, now, null, Sandbox.FOREVER)
}
