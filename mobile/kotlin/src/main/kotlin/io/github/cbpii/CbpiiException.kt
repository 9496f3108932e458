package io.github.cbpii

import kotlin.time.Duration

/**
 * Everything this library fails with: one sentence for a person ([message]) and all [facts] for a program. Nothing in it is secret.
 *
 * There is one class for each [ErrorKind], so that a `when` or a `catch` can decide the flow; [code] names the exact cause.
 * [cause] is the exception of a [Signer], [Transport], [ConsentStore] or clock of yours, when that led to the failure.
 */
public sealed class CbpiiException(
    /** All that is known. */
    public val facts: ErrorFacts,
    cause: Throwable?,
) : RuntimeException(facts.message, cause) {
    /** The group of the cause. */
    public val kind: ErrorKind get() = facts.kind

    /** The exact cause, as stable text, e.g. `consent.state_mismatch`. */
    public val code: String get() = facts.code

    /** The exact cause, as a stable number. */
    public val number: Int get() = facts.number

    /** What to do about it. */
    public val advice: Advice get() = facts.advice

    /** How long the bank asks to wait before the next call (`Retry-After`, RFC 9110 §10.2.3). */
    public val retryAfter: Duration? get() = facts.retryAfter

    /** [retryAfter] in milliseconds, for Java. */
    public val retryAfterMillis: Long? get() = facts.retryAfter?.inWholeMilliseconds

    /** The status of the bank's answer, when there was one. */
    public val httpStatus: Int? get() = facts.httpStatus

    /** The bank's business code (`AC01` …) or OAuth error code (`invalid_grant` …), when it gave one. */
    public val bankCode: String? get() = facts.bankCode

    /** What the bank wrote, masked and cut to at most 512 characters. */
    public val bankMessage: String? get() = facts.bankMessage

    /** The `X-Request-ID` of the failed request: what the bank's support asks for first. */
    public val requestId: String? get() = facts.requestId

    /** The bank's own `X-CorrelationID`, when it gave one. */
    public val correlationId: String? get() = facts.correlationId

    /** Whether the failed request reached the bank: what decides if a call may be repeated blindly. */
    public val requestSent: RequestSent get() = facts.requestSent

    /** What was sent, header by header, secrets masked: made to be pasted in a ticket to the bank. */
    public val explanation: Explanation? get() = facts.explanation

    /** The class, the message and the code. */
    override fun toString(): String = "${javaClass.name}: $message [$code]"

    /** Something given at set-up (bank record, key, certificate, option) cannot be used. */
    public class Configuration internal constructor(facts: ErrorFacts, cause: Throwable?) : CbpiiException(facts, cause)

    /** The issuer's certificates do not entitle it to this product. */
    public class Eligibility internal constructor(facts: ErrorFacts, cause: Throwable?) : CbpiiException(facts, cause)

    /** A value given for this call is not acceptable; nothing was sent. */
    public class InvalidRequest internal constructor(facts: ErrorFacts, cause: Throwable?) : CbpiiException(facts, cause)

    /** The cardholder or the bank said no to the consent. */
    public class ConsentRefused internal constructor(facts: ErrorFacts, cause: Throwable?) : CbpiiException(facts, cause)

    /** There is no usable consent (any more): the cardholder must go to the bank again. */
    public class ConsentRequired internal constructor(facts: ErrorFacts, cause: Throwable?) : CbpiiException(facts, cause)

    /** The bank understood the request and refused it. */
    public class BankRefused internal constructor(facts: ErrorFacts, cause: Throwable?) : CbpiiException(facts, cause)

    /** The bank wants fewer calls. */
    public class RateLimited internal constructor(facts: ErrorFacts, cause: Throwable?) : CbpiiException(facts, cause)

    /** The bank has a problem of its own. */
    public class BankUnavailable internal constructor(facts: ErrorFacts, cause: Throwable?) : CbpiiException(facts, cause)

    /** The time budget ran out. **This is not a "no".** */
    public class Timeout internal constructor(facts: ErrorFacts, cause: Throwable?) : CbpiiException(facts, cause)

    /** The bank could not be reached, or the connection broke. */
    public class Network internal constructor(facts: ErrorFacts, cause: Throwable?) : CbpiiException(facts, cause)

    /** The secure channel could not be made. */
    public class Tls internal constructor(facts: ErrorFacts, cause: Throwable?) : CbpiiException(facts, cause)

    /** The bank answered with something that is not a valid answer. */
    public class Protocol internal constructor(facts: ErrorFacts, cause: Throwable?) : CbpiiException(facts, cause)

    /** The consent store failed. */
    public class Store internal constructor(facts: ErrorFacts, cause: Throwable?) : CbpiiException(facts, cause)

    /** The caller cancelled the call. (A cancelled coroutine ends with a `CancellationException`, as coroutines do.) */
    public class Cancelled internal constructor(facts: ErrorFacts, cause: Throwable?) : CbpiiException(facts, cause)

    /** A defect of this library. */
    public class Internal internal constructor(facts: ErrorFacts, cause: Throwable?) : CbpiiException(facts, cause)

    /** Makes exceptions, for those who implement a [Signer], a [Transport] or a [ConsentStore]. */
    public companion object {
        /** Every error there is, in the order of the numbers. */
        @JvmStatic
        public val catalogue: List<CatalogueEntry> by lazy { errorCatalogue() }

        /**
         * An exception of the catalogue. [message] is one sentence that says what happened and what to do, without any secret;
         * [requestSent] is for transports: what may be repeated depends on it.
         *
         * Throws [IllegalArgumentException] when the catalogue has no such code.
         */
        @JvmStatic
        @JvmOverloads
        public fun of(
            code: String,
            message: String,
            requestSent: RequestSent? = null,
            cause: Throwable? = null,
        ): CbpiiException {
            val entry = requireNotNull(catalogue.find { it.code == code }) { "The catalogue has no error $code." }
            val facts = ErrorFacts(
                kind = entry.kind,
                code = entry.code,
                number = entry.number,
                message = message,
                advice = entry.advice,
                retryAfter = null,
                httpStatus = null,
                bankCode = null,
                bankMessage = null,
                requestId = null,
                correlationId = null,
                requestSent = requestSent ?: RequestSent.NO,
                explanation = null,
            )
            return from(facts, cause).also { it.statedRequestSent = requestSent }
        }

        internal fun from(facts: ErrorFacts, cause: Throwable?): CbpiiException = when (facts.kind) {
            ErrorKind.CONFIGURATION -> Configuration(facts, cause)
            ErrorKind.ELIGIBILITY -> Eligibility(facts, cause)
            ErrorKind.INVALID_REQUEST -> InvalidRequest(facts, cause)
            ErrorKind.CONSENT_REFUSED -> ConsentRefused(facts, cause)
            ErrorKind.CONSENT_REQUIRED -> ConsentRequired(facts, cause)
            ErrorKind.BANK_REFUSED -> BankRefused(facts, cause)
            ErrorKind.RATE_LIMITED -> RateLimited(facts, cause)
            ErrorKind.BANK_UNAVAILABLE -> BankUnavailable(facts, cause)
            ErrorKind.TIMEOUT -> Timeout(facts, cause)
            ErrorKind.NETWORK -> Network(facts, cause)
            ErrorKind.TLS -> Tls(facts, cause)
            ErrorKind.PROTOCOL -> Protocol(facts, cause)
            ErrorKind.STORE -> Store(facts, cause)
            ErrorKind.CANCELLED -> Cancelled(facts, cause)
            ErrorKind.INTERNAL -> Internal(facts, cause)
        }
    }

    /** What [of] was told: none leaves it to the seam. An exception that came from a call states what it knows. */
    internal var statedRequestSent: RequestSent? = facts.requestSent
        private set
}
