package io.github.cbpii.support

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode
import io.github.cbpii.AuthorizationCode
import io.github.cbpii.Bank
import io.github.cbpii.CertificateUse
import io.github.cbpii.Certificates
import io.github.cbpii.Client
import io.github.cbpii.ClientOptions
import io.github.cbpii.FundsRequest
import io.github.cbpii.InspectionOptions
import io.github.cbpii.Issuer
import io.github.cbpii.PendingConsent
import io.github.cbpii.SealIdentity
import io.github.cbpii.SealedStore
import io.github.cbpii.Session
import io.github.cbpii.SessionOptions
import io.github.cbpii.SessionPool
import io.github.cbpii.Tokens
import io.github.cbpii.TransportIdentity
import java.io.File
import java.util.Base64
import kotlin.time.Clock
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.Instant
import kotlin.time.toJavaDuration

/** The value with every text changed. */
fun JsonNode.withTexts(change: (String) -> String?): JsonNode = when {
    isTextual -> json.valueToTree(change(textValue()))
    isArray -> json.createArrayNode().also { all -> forEach { all.add(it.withTexts(change)) } }
    isObject -> json.createObjectNode().also { all -> properties().forEach { (name, one) -> all.set<JsonNode>(name, one.withTexts(change)) } }
    else -> this
}

private fun JsonNode.millis(name: String): Duration? = get(name)?.asLong()?.milliseconds

private fun JsonNode.seconds(name: String): Duration? = get(name)?.asLong()?.seconds

private fun JsonNode.moment(name: String): Instant? = textOrNull(name)?.let(Instant::parse)

/** Where a journey takes place: the bank, the clock, what the steps so far have led to; and what its steps do. */
class Scene(private val journey: ObjectNode, private val bank: Sandbox, private val folder: String) {
    private var now = Instant.parse(journey.text("now"))
    private var client: Client? = null
    private var pending: PendingConsent? = null
    private var callback: String? = null
    private var code: AuthorizationCode? = null
    private var tokens: Tokens? = null
    private var store: SealedStore? = null
    private var pool: SessionPool? = null
    private var session: Session? = null

    /** The bank as at its start, at the journey's moment. */
    fun open() {
        bank.reset()
        bank.control("POST", "/clock", """{"set": ${now.epochSeconds}}""")
    }

    /** What a journey writes, with its stand-ins filled. */
    fun filled(value: JsonNode): JsonNode = value.withTexts { text ->
        if (text == "{client_secret}") {
            bank.issuer.textOrNull("client_secret")
        } else {
            Regex("""\{([a-z_]+)(?::([^}]+))?}""").replace(text) { found ->
                standIn(found.groupValues[1], found.groupValues[2]) ?: found.value
            }
        }
    }

    private fun standIn(name: String, path: String): String? = when (name) {
        "file" -> bank.text(*path.split(".").toTypedArray())
        "control" -> bank.endpoints.text("control_url").removeSuffix("/control")
        "client_id", "redirect_uri" -> bank.issuer.text(name)
        "folder" -> folder
        "state" -> pending?.state
        "callback" -> callback
        else -> bank.endpoints.textOrNull(name)
    }

    /** A member of the journey, with those of a step over it. */
    private fun input(name: String, over: JsonNode?): JsonNode =
        filled((journey[name] as ObjectNode).deepCopy().setAll<ObjectNode>(over as ObjectNode? ?: json.createObjectNode()))

    /** Does a step; what comes back are its facts. */
    suspend fun step(what: String, given: JsonNode): Facts = when (what) {
        "client" -> client(given.known("bank", "issuer", "client"))
        "begin_consent" -> beginConsent(given.known("valid_for_seconds").seconds("valid_for_seconds"))
        "visit" -> given.known("decision", "persona").run { visit(text("decision"), text("persona")) }
        "complete" -> complete(given.known("callback").textOrNull("callback") ?: callback!!)
        "exchange_code" -> exchangeCode(given.known("code").textOrNull("code"))
        "complete_consent" -> completeConsent(given.known("callback").textOrNull("callback") ?: callback!!)
        "consent" -> consent(given.known("persona").text("persona"))
        "tokens" -> take(tokensOf(given))
        "refresh" -> take(client!!.refresh(tokens!!, given.known("timeout_ms").millis("timeout_ms")))
        "confirm_funds" -> asked(given) { request, timeout -> client!!.confirmFunds(tokens!!, request, timeout).asFacts() }
        "explain" -> client!!.explain(request(given.known("request"))).asFacts()
        "store" -> open(given.known("url", "key", "old_keys"))
        "keep" -> hold(pool().keep(given.known("id").text("id"), tokens!!))
        "open" -> hold(pool().open(given.known("id").text("id")))
        "session" -> given.known().let { session!!.asFacts() }
        "session_confirm_funds" -> asked(given) { request, timeout -> session!!.confirmFunds(request, timeout).asFacts() }
        "forget" -> mapOf("forgotten" to pool().forget(given.known("id").text("id")))
        "renewals_due" -> renewalsDue(given.known("before").moment("before")!!)
        "advance_clock" -> advanceClock(given.known("seconds", "only"))
        "control" -> control(given.known("call", "body"))
        "requests_seen" -> given.known().let { requestsSeen() }
        "inspect" -> inspect(given)
        "write_file" -> writeFile(given.known("path", "base64"))
        else -> error("nothing does $what")
    }

    private fun client(given: JsonNode): Facts {
        client = null
        pool = null
        session = null
        val issuer = issuerOf(input("issuer", given["issuer"]))
        val options = optionsOf(input("client", given["client"]))
        val bank = Bank.fromJson(input("bank", given["bank"]).toString())
        client = Client(bank, issuer, options)
        return mapOf("bank_id" to bank.facts.id)
    }

    private fun optionsOf(given: JsonNode): ClientOptions {
        given.known("timeout_ms", "connect_timeout_ms", "max_idle_connections", "retries", "proxy")
        val clock = object : Clock {
            override fun now(): Instant = now
        }
        val options = ClientOptions.Builder().clock(clock).checkEligibility(false)
        given.millis("timeout_ms")?.let { options.timeout(it.toJavaDuration()) }
        given.millis("connect_timeout_ms")?.let { options.connectTimeout(it.toJavaDuration()) }
        given["max_idle_connections"]?.let { options.maxIdleConnections(it.intValue()) }
        given["retries"]?.let { options.retries(it.intValue()) }
        given.textOrNull("proxy")?.let(options::proxy)
        return options.build()
    }

    private fun issuerOf(given: JsonNode): Issuer {
        given.known("client_id", "client_secret", "redirect_uri", "transport", "seal")
        val (transport, seal) = listOf("transport", "seal").map { name -> given[name]?.takeUnless { it.isNull } }
        if (listOfNotNull(transport, seal).any { it.has("password") }) throw Unsayable("keys under a password")
        return Issuer(
            given.text("client_id"),
            given.text("redirect_uri"),
            transport?.known("chain", "key")?.run { TransportIdentity.fromPem(text("chain"), text("key")) },
            seal?.known("chain", "key", "key_id")
                ?.run { SealIdentity.fromPem(text("chain"), text("key"), keyId = textOrNull("key_id")) },
            given.textOrNull("client_secret"),
        )
    }

    private fun beginConsent(validFor: Duration?): Facts {
        val begun = if (validFor == null) client!!.beginConsent() else client!!.beginConsent(validFor)
        return PendingConsent.fromJson(begun.toJson()).also { pending = it }.run {
            mapOf(
                "bank_id" to bankId,
                "redirect_uri" to redirectUri,
                "created_at" to written(createdAt),
                "expires_at" to written(expiresAt),
            )
        }
    }

    private fun visit(decision: String, persona: String): Facts {
        val (returnedTo, query) = bank.approve(pending!!.url, persona, decision).also { callback = it }.split("?")
        return mapOf("returned_to" to returnedTo, "parameters" to query.split("&").map { it.substringBefore("=") })
    }

    private fun complete(callback: String): Facts =
        mapOf("code" to pending!!.complete(callback, now).also { code = it }.expose())

    private suspend fun exchangeCode(stated: String?): Facts {
        stated?.let { code = AuthorizationCode(it) }
        return take(client!!.exchangeCode(pending!!, code!!))
    }

    private suspend fun completeConsent(callback: String): Facts = take(client!!.completeConsent(pending!!, callback))

    private suspend fun consent(persona: String): Facts {
        beginConsent(null)
        visit("approve", persona)
        return completeConsent(callback!!)
    }

    private fun tokensOf(given: JsonNode): Tokens {
        given.known("access_token", "refresh_token", "obtained_at", "expires_at", "consent_expires_at")
        val (obtained, expires) = given.moment("obtained_at")!! to given.moment("expires_at")
        val refresh = given.textOrNull("refresh_token")
        return Tokens(given.text("access_token"), refresh, obtained, expires, given.moment("consent_expires_at")!!)
    }

    /** Tokens go through their saved form, as in a program that keeps them. */
    private fun take(given: Tokens): Facts = Tokens.fromJson(given.toJson()).also { tokens = it }.asFacts()

    private fun request(given: JsonNode): FundsRequest = requestOf(input("request", given["request"]))

    private suspend fun asked(given: JsonNode, ask: suspend (FundsRequest, Duration?) -> Facts): Facts =
        ask(request(given.known("request", "timeout_ms")), given.millis("timeout_ms"))

    private fun open(given: JsonNode): Facts {
        store = null
        pool = null
        session = null
        if (given.text("url") != "memory") throw Unsayable("a store is an object of the app's own: it has no address")
        val old = given["old_keys"].orEmpty().map { it.textValue().hexToByteArray() }
        store = SealedStore(MapStore(), given.text("key").hexToByteArray(), old)
        return emptyMap()
    }

    /** The pool of the present client and store. */
    private fun pool(): SessionPool = pool ?: SessionPool(client!!, store!!, sessionOptions()).also { pool = it }

    private fun sessionOptions(): SessionOptions {
        val given = input("session", null).known("refresh_margin_seconds", "renew_before_seconds", "refresh_timeout_ms")
        val options = SessionOptions.Builder()
        given.seconds("refresh_margin_seconds")?.let { options.refreshMargin(it.toJavaDuration()) }
        given.seconds("renew_before_seconds")?.let { options.renewBefore(it.toJavaDuration()) }
        given.millis("refresh_timeout_ms")?.let { options.refreshTimeout(it.toJavaDuration()) }
        return options.build()
    }

    private fun hold(kept: Session): Facts = kept.also { session = it }.asFacts()

    private suspend fun renewalsDue(before: Instant): Facts {
        val due = store!!.renewalsDue(before)
        return mapOf("due" to due.map { listOf(it.id, it.bankId, written(it.consentExpiresAt), it.reason.name.lowercase()) })
    }

    private fun advanceClock(given: JsonNode): Facts {
        val (seconds, only) = given["seconds"].longValue() to given.textOrNull("only")
        check(only in setOf(null, "bank", "client"))
        if (only != "bank") now += seconds.seconds
        if (only != "client") bank.control("POST", "/clock", """{"advance_seconds": $seconds}""")
        return emptyMap()
    }

    private fun control(given: JsonNode): Facts {
        val (method, path) = given.text("call").split(" ")
        bank.control(method, path, given["body"]?.toString())
        return emptyMap()
    }

    private fun requestsSeen(): Facts {
        val seen = bank.requests()
        bank.control("DELETE", "/requests")
        return mapOf("requests" to seen.map { it.text("endpoint") })
    }

    private fun inspect(given: JsonNode): Facts {
        if (given.has("password")) throw Unsayable("keys under a password")
        given.known("chain", "key", "use", "client_id")
        val use = given.textOrNull("use")?.let { CertificateUse.valueOf(it.uppercase()) }
        val options = InspectionOptions(intendedUse = use, clientId = given.textOrNull("client_id"))
        return Certificates.inspect(given.text("chain").toByteArray(), options, given.textOrNull("key")?.toByteArray()).asFacts()
    }

    private fun writeFile(given: JsonNode): Facts {
        File(given.text("path")).writeBytes(Base64.getDecoder().decode(given.text("base64")))
        return emptyMap()
    }
}
