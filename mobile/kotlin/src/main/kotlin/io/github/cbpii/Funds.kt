package io.github.cbpii

import java.math.BigDecimal

/**
 * An International Bank Account Number, checked (ISO 13616). Blanks and small letters are accepted. An account number is personal
 * data: it prints masked, `FR76…4006`.
 */
public class Iban internal constructor(internal val raw: RawIban) : NativeObject(raw) {
    /** Reads an IBAN. Throws `request.iban`. */
    public constructor(text: String) : this(calling { RawIban.parse(text) })

    /** The whole number in clear, without blanks. Do not log it. */
    public fun expose(): String = raw.expose()

    /** The country's two letters (ISO 3166-1). */
    public val country: String get() = raw.country()

    /** The five characters that name the bank in a French IBAN (positions 5 to 9); none for other countries. */
    public val bankCode: String? get() = raw.bankCode()

    /** Whether the other is the same number. */
    override fun equals(other: Any?): Boolean = other is Iban && other.expose() == expose()

    /** Equal for equal numbers. */
    override fun hashCode(): Int = expose().hashCode()
}

/** The account a check is about. It prints masked. */
public class Account internal constructor(internal val raw: RawAccount) : NativeObject(raw) {
    /**
     * An account by its IBAN; with the [currency] it is held in, when stated (ISO 4217), and the [workspace] (STET 1.6), 1 to 32
     * characters.
     *
     * Throws `request.currency`, `request.account`.
     */
    @JvmOverloads
    public constructor(iban: Iban, currency: String? = null, workspace: String? = null) :
        this(calling { RawAccount.iban(iban.raw, currency, workspace) })

    /** Accounts that are not named by an IBAN. */
    public companion object {
        /**
         * An account by a number of another scheme: [identification] of 1 to 70 characters, [issuer] of 1 to 35.
         *
         * Throws `request.account`, `request.currency`.
         */
        @JvmStatic
        @JvmOverloads
        public fun other(
            identification: String,
            scheme: AccountScheme,
            issuer: String? = null,
            currency: String? = null,
            workspace: String? = null,
        ): Account = Account(calling { RawAccount.other(identification, scheme, issuer, currency, workspace) })
    }
}

/**
 * A positive amount of a currency (ISO 4217), exact: at most 13 digits before the point, and as many decimals as the currency has.
 */
public class Amount internal constructor(internal val raw: RawAmount) : NativeObject(raw) {
    /** An amount from decimal text, such as `12.50`. Throws `request.amount`, `request.currency`. */
    public constructor(text: String, currency: String) : this(calling { RawAmount.parse(text, currency) })

    /**
     * An amount from a decimal value. Decimals that are zero beyond what the currency has are dropped.
     *
     * Throws `request.amount`, `request.currency`.
     */
    public constructor(value: BigDecimal, currency: String) : this(calling { RawAmount.fromDecimal(value, currency) })

    /** The value, with the decimals it was given with. */
    public val value: BigDecimal get() = raw.value()

    /** The ISO 4217 code. */
    public val currency: String get() = raw.currency()

    /** Whether the other is the same value of the same currency: 12.5 equals 12.50. */
    override fun equals(other: Any?): Boolean =
        other is Amount && other.currency == currency && other.value.compareTo(value) == 0

    /** Equal for equal amounts. */
    override fun hashCode(): Int = 31 * value.stripTrailingZeros().hashCode() + currency.hashCode()

    /** What is known of currencies. */
    public companion object {
        /** How many decimals an amount of this currency has at most: 2 for `EUR`, 0 for `JPY`. Throws `request.currency`. */
        @JvmStatic
        public fun decimals(currency: String): Int = calling { currencyDecimals(currency) }
    }
}

/**
 * One question to the bank: does this account hold this amount at this moment? Nothing is reserved by asking. It prints masked.
 */
public class FundsRequest internal constructor(internal val raw: RawFundsRequest) : NativeObject(raw) {
    /**
     * A question: [reference] of 1 to 35 characters, which comes back in the answer; [payee], the merchant, of 1 to 70; [psu] only
     * when the cardholder is present; [requestId], the `X-Request-ID`, of 1 to 70 visible ASCII characters, a fresh UUID when there
     * is none.
     *
     * Throws `request.reference`, `request.currency` (the amount is not in the account's), `request.payee`, `request.psu_header`,
     * `request.request_id`.
     */
    @JvmOverloads
    public constructor(
        reference: String,
        account: Account,
        amount: Amount,
        payee: String? = null,
        psu: PsuContext? = null,
        requestId: String? = null,
    ) : this(calling { RawFundsRequest(reference, account.raw, amount.raw, payee, psu, requestId) })

    /** The issuer's own reference. */
    public val reference: String get() = raw.reference()
}
