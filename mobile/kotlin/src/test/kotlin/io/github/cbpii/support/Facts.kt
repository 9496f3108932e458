package io.github.cbpii.support

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode
import io.github.cbpii.Account
import io.github.cbpii.AccountScheme
import io.github.cbpii.Amount
import io.github.cbpii.CbpiiException
import io.github.cbpii.CertificateReport
import io.github.cbpii.Explanation
import io.github.cbpii.FundsConfirmation
import io.github.cbpii.FundsRequest
import io.github.cbpii.Iban
import io.github.cbpii.PsuContext
import io.github.cbpii.Session
import io.github.cbpii.Tokens
import java.io.File
import kotlin.time.Instant

/** The language-neutral cases; their README says how they are read. */
val VECTORS = File("../../tests/vectors")

typealias Facts = Map<String, Any?>

/** What goes in cannot be said in Kotlin, and why. */
class Unsayable(val reason: String) : Exception(reason)

/** The cases of a suite that Kotlin cannot say. */
fun unsayable(suite: String): Set<String> =
    json.readTree(VECTORS.resolve("../conformance/unsayable.json"))["cases"]
        .filter { case -> case["suite"].textValue() == suite && case["languages"].any { it.textValue() == "kotlin" } }
        .map { it["case"].textValue() }
        .toSet()

/** Appends a case, with its facts or why it cannot be said, to the file that the environment names, if it names one. */
fun tell(suite: String, case: String, what: String, outcome: Any) {
    val path = System.getenv("CBPII_OUTCOMES").orEmpty().ifEmpty { return }
    val line = mapOf("suite" to suite, "case" to case, what to outcome)
    File(path).appendText(json.writeValueAsString(line) + "\n")
}

/** Facts as JSON that was read, so that numbers of one value are equal. */
fun Facts.asJson(): ObjectNode = json.readTree(json.writeValueAsString(this)) as ObjectNode

/** Every expected fact must be there and equal; an error must be expected. */
fun differences(expected: JsonNode, actual: JsonNode): List<String> {
    val facts = expected.properties().mapNotNull { (fact, value) ->
        "$fact is ${actual[fact]}, not $value".takeIf { actual[fact] != value }
    }
    val failed = "fails with ${actual["error"]}".takeIf { actual.has("error") && !expected.has("error") }
    return facts + listOfNotNull(failed)
}

/** A moment as the cases write it. */
fun written(moment: Instant?): String? = moment?.toString()?.replace(Regex("""(\.[0-9]*[1-9])0+Z"""), "$1Z")

/** The object, which must have no other members. */
fun JsonNode.known(vararg names: String): JsonNode = apply {
    val further = fieldNames().asSequence().toSet() - names.toSet()
    check(further.isEmpty()) { "unknown members $further" }
}

fun JsonNode?.orEmpty(): List<JsonNode> = this?.toList() ?: emptyList()

fun JsonNode.textOrNull(name: String): String? = get(name)?.takeUnless { it.isNull }?.textValue()

fun JsonNode.text(name: String): String = checkNotNull(textOrNull(name)) { "$name is missing" }

fun requestOf(given: JsonNode): FundsRequest {
    given.known("reference", "account", "amount", "currency", "payee", "request_id", "psu")
    val amount = Amount(given.text("amount"), given.text("currency"))
    return FundsRequest(
        given.text("reference"),
        accountOf(given["account"]),
        amount,
        given.textOrNull("payee"),
        given["psu"]?.let(::psuOf),
        given.textOrNull("request_id"),
    )
}

private fun accountOf(given: JsonNode): Account {
    val named = given.known("iban", "other", "currency", "workspace")
    val (currency, workspace) = named.textOrNull("currency") to named.textOrNull("workspace")
    val other = named["other"]?.known("identification", "scheme", "issuer")
        ?: return Account(Iban(named.text("iban")), currency, workspace)
    check(!named.has("iban"))
    val scheme = AccountScheme.entries.find { it.name == other.text("scheme") }
        ?: throw Unsayable("a scheme that is none: there is an enum of them")
    return Account.other(other.text("identification"), scheme, other.textOrNull("issuer"), currency, workspace)
}

private fun psuOf(given: JsonNode): PsuContext {
    val names = listOf(
        "ip_address", "ip_port", "http_method", "date", "geo_location", "user_agent", "referer", "accept",
        "accept_charset", "accept_encoding", "accept_language", "device_id",
    )
    given.known(*names.toTypedArray())
    val values = names.map { given.textOrNull(it) }
    return PsuContext(
        values[0], values[1], values[2], values[3], values[4], values[5], values[6], values[7], values[8], values[9],
        values[10], values[11],
    )
}

/** All but how long it took. */
fun FundsConfirmation.asFacts(): Facts = mapOf(
    "available" to available,
    "reference" to reference,
    "request_id" to requestId,
    "correlation_id" to correlationId,
    "bank_id" to bankId,
    "checked_at" to written(checkedAt),
    "response_signature" to responseSignature.name.lowercase(),
    "deprecation_warning" to deprecationWarning,
)

fun Tokens.asFacts(): Facts = mapOf(
    "access_token" to exposeAccessToken(),
    "refresh_token" to exposeRefreshToken(),
    "token_type" to tokenType,
    "scope" to scope,
    "obtained_at" to written(obtainedAt),
    "expires_at" to written(expiresAt),
    "consent_expires_at" to written(consentExpiresAt),
)

fun Session.asFacts(): Facts {
    val status = status
    return mapOf(
        "id" to id,
        "state" to status.state.name.lowercase(),
        "next_action" to status.nextAction.name.lowercase(),
        "consent_expires_at" to written(status.consentExpiresAt),
        "renew_from" to written(status.renewFrom),
        "days_left" to status.daysLeft,
        "has_unsaved_tokens" to hasUnsavedTokens,
        "history" to history.map { listOf(it.event.name.lowercase(), written(it.at), it.cause) },
    )
}

fun Explanation.asFacts(): Facts = mapOf(
    "method" to method,
    "url" to url,
    "headers" to headers.map { listOf(it.name, it.value) },
    "body" to body,
    "digest_input" to digestInput,
    "signing_string" to signingString,
    "key_id" to keyId,
    "key_id_source" to keyIdSource,
)

/** What was found, and in what. */
fun CertificateReport.asFacts(): Facts = mapOf(
    "organisation_identifier" to organisationIdentifier,
    "chain_length" to chainLength,
    "findings" to findings.map { listOf(it.severity.name.lowercase(), it.code) },
)

fun CbpiiException.asFacts(): Facts = mapOf(
    "error" to code,
    "number" to number,
    "kind" to kind.name.lowercase(),
    "advice" to advice.name.lowercase(),
    "message" to message,
    "bank_code" to bankCode,
    "bank_message" to bankMessage,
    "http_status" to httpStatus,
    "retry_after_seconds" to retryAfter?.inWholeSeconds,
    "request_id" to requestId,
    "correlation_id" to correlationId,
    "request_sent" to requestSent.name.lowercase(),
)
