package io.github.cbpii.support

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.ObjectMapper
import com.fasterxml.jackson.databind.node.ObjectNode
import io.github.cbpii.Bank
import io.github.cbpii.Client
import io.github.cbpii.ClientOptions
import io.github.cbpii.Environment
import io.github.cbpii.Issuer
import io.github.cbpii.SealIdentity
import io.github.cbpii.Tokens
import io.github.cbpii.TransportIdentity
import io.github.cbpii.TrustMode
import java.io.File
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse.BodyHandlers
import java.security.KeyStore
import java.security.cert.CertificateFactory
import java.util.concurrent.TimeUnit
import javax.net.ssl.SSLContext
import javax.net.ssl.TrustManagerFactory
import javax.net.ssl.X509TrustManager
import kotlin.time.Clock
import kotlin.time.Instant

val json = ObjectMapper()

/** The sandbox bank, as a process of its own on free ports of this machine. */
class Sandbox(vararg arguments: String) : AutoCloseable {
    private val process: Process
    private val facts: JsonNode

    init {
        val program = checkNotNull(System.getenv("CBPII_SANDBOX")) { "CBPII_SANDBOX names the sandbox bank's program" }
        process = ProcessBuilder(program, "--quiet", *arguments).redirectError(ProcessBuilder.Redirect.INHERIT).start()
        facts = json.readTree(checkNotNull(process.inputReader().readLine()) { "the sandbox bank did not start" })
    }

    val issuer: JsonNode get() = facts["issuer"]
    val endpoints: JsonNode get() = facts["endpoints"]
    val origin: String get() = endpoints["origin"].asText()

    private val trust: X509TrustManager by lazy {
        val ca = file("ca").inputStream().use { CertificateFactory.getInstance("X.509").generateCertificate(it) }
        val store = KeyStore.getInstance("PKCS12").apply { load(null, null); setCertificateEntry("ca", ca) }
        val factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm()).apply { init(store) }
        factory.trustManagers.filterIsInstance<X509TrustManager>().single()
    }

    /** TLS to this bank, without or with the QWAC. */
    fun tls(qwac: Boolean): Pair<SSLContext, X509TrustManager> {
        val keys = if (qwac) keyManagers(file("qwac_forms", "pkcs12")) else null
        return SSLContext.getInstance("TLS").apply { init(keys, arrayOf(trust), null) } to trust
    }

    private fun keyManagers(keystore: File) =
        javax.net.ssl.KeyManagerFactory.getInstance(javax.net.ssl.KeyManagerFactory.getDefaultAlgorithm()).run {
            init(keyStore(keystore), password.toCharArray())
            keyManagers
        }

    val password: String get() = issuer["key_password"].asText()

    fun keyStore(file: File): KeyStore =
        KeyStore.getInstance("PKCS12").apply { file.inputStream().use { load(it, password.toCharArray()) } }

    private val plain = HttpClient.newHttpClient()
    private val browser by lazy { HttpClient.newBuilder().sslContext(tls(false).first).build() }

    /** A call of the control endpoint. */
    fun control(method: String, path: String, body: String? = null): JsonNode {
        val publisher = body?.let(HttpRequest.BodyPublishers::ofString) ?: HttpRequest.BodyPublishers.noBody()
        val url = endpoints["control_url"].asText() + path
        val request = HttpRequest.newBuilder(URI(url)).method(method, publisher).header("content-type", "application/json")
        val answer = plain.send(request.build(), BodyHandlers.ofString())
        check(answer.statusCode() < 400) { "$method $path: ${answer.body()}" }
        return if (answer.body().isEmpty()) json.nullNode() else json.readTree(answer.body())
    }

    fun reset() {
        control("POST", "/reset", "{}")
        control("DELETE", "/connections")
    }

    fun settings(patch: String) = control("PATCH", "/settings", patch)

    /** Makes something go wrong; [members] are further members of the fault. */
    fun fault(endpoint: String, kind: String, members: String = "{}", times: Int? = 1) {
        val rule = json.createObjectNode().put("endpoint", endpoint).put("after", 0)
        if (times == null) rule.putNull("times") else rule.put("times", times)
        rule.set<JsonNode>("fault", (json.readTree(members) as ObjectNode).put("kind", kind))
        control("POST", "/faults", rule.toString())
    }

    /** The requests seen; with [waitFor], once so many have arrived. */
    fun requests(waitFor: Int? = null): List<JsonNode> {
        val seen = control("GET", "/requests" + (waitFor?.let { "?wait_for=$it&timeout_ms=10000" } ?: "")).toList()
        check(waitFor == null || seen.size >= waitFor) { "the bank has seen ${seen.size} requests, not $waitFor" }
        return seen
    }

    /** The callback that a browser is sent to. */
    fun approve(url: String, persona: String = "CLAIRE", auto: String = "approve"): String {
        val request = HttpRequest.newBuilder(URI("$url&auto=$auto&persona=$persona")).build()
        return browser.send(request, BodyHandlers.discarding()).headers().firstValue("location").orElseThrow()
    }

    /** Tokens as if the persona had just consented. */
    fun tokens(persona: String = "CLAIRE", scope: String? = null): Tokens {
        val body = json.createObjectNode().put("persona", persona).apply { scope?.let { put("scope", it) } }
        val answer = control("POST", "/tokens", body.toString())
        val (access, refresh) = listOf("access_token", "refresh_token").map { answer[it]?.textValue() }
        return Tokens(access!!, refresh, Clock.System.now(), null, FOREVER)
    }

    fun file(vararg path: String): File = File(path.fold(issuer) { node, name -> node[name] }.asText())

    fun text(vararg path: String): String = file(*path).readText()

    fun transport(variant: String? = null): TransportIdentity {
        val path = variant?.let { arrayOf("variants", it) } ?: arrayOf("qwac")
        return TransportIdentity.fromPem(text(*path, "chain"), text(*path, "key"))
    }

    fun seal(keyId: String? = null): SealIdentity =
        SealIdentity.fromPem(text("qsealc", "chain"), text("qsealc", "key"), keyId = keyId)

    fun ownIssuer(
        transport: TransportIdentity? = transport(),
        seal: SealIdentity? = seal(),
        clientId: String = issuer["client_id"].asText(),
    ): Issuer = Issuer(clientId, issuer["redirect_uri"].asText(), transport, seal)

    fun bank(): Bank =
        Bank.bpce("17515", Environment.SANDBOX).withOrigin(origin).withTrustAnchor(text("ca"), TrustMode.REPLACE)

    /** The bank with some members of its record changed. */
    fun bank(changes: (ObjectNode) -> Unit): Bank = bank().changed(changes)

    fun client(options: ClientOptions = ClientOptions(), bank: Bank = bank(), issuer: Issuer = ownIssuer()): Client =
        Client(bank, issuer, options)

    override fun close() {
        process.outputStream.close()
        check(process.waitFor(10, TimeUnit.SECONDS))
    }

    companion object {
        val FOREVER: Instant = Instant.parse("2100-01-01T00:00:00Z")

        /** The bank that most tests share; it ends with the JVM. */
        val shared: Sandbox by lazy { Sandbox().also { bank -> Runtime.getRuntime().addShutdownHook(Thread(bank::close)) } }
    }
}

/** A bank with some members of its record changed. */
fun Bank.changed(changes: (ObjectNode) -> Unit): Bank =
    Bank.fromJson((json.readTree(toJson()) as ObjectNode).apply(changes).toString())
