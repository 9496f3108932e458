package io.github.cbpii

/**
 * Everything that differs from bank to bank, as data: from the directory, or from JSON of your own.
 *
 * ```
 * val bank = Bank.fromIban(Iban("FR76 1751 5900 0008 0035 8074 006")).first()
 * ```
 */
public class Bank internal constructor(internal val raw: RawBank) : NativeObject(raw) {
    /** What the record says, as far as an app shows it or decides by it. */
    public val facts: BankFacts by lazy { raw.facts() }

    /** Stable name of the record, e.g. `bpce-17515`. */
    public val id: String get() = facts.id

    /** The bank's name, for people. */
    public val name: String get() = facts.name

    /** The whole record as JSON, which [fromJson] reads back. */
    public fun toJson(): String = calling { raw.toJson() }

    /**
     * The same bank with all three addresses moved to another origin, e.g. `https://localhost:8443`.
     *
     * Throws `configuration.endpoint_invalid`, `configuration.endpoint_missing`.
     */
    public fun withOrigin(origin: String): Bank = Bank(calling { raw.withOrigin(origin) })

    /** The same bank that also trusts these root certificates (PEM). Throws `configuration.trust_anchor`. */
    @JvmOverloads
    public fun withTrustAnchor(pem: String, mode: TrustMode = TrustMode.ADD): Bank =
        Bank(calling { raw.withTrustAnchor(pem, mode) })

    /** Where banks come from. */
    public companion object {
        /** Every bank of the directory that exists in this environment. */
        @JvmStatic
        @JvmOverloads
        public fun directory(environment: Environment = Environment.PRODUCTION): List<Bank> =
            calling { bankDirectory(environment) }.map(::Bank)

        /**
         * The banks a person may mean, best first: every word must be part of the name, the brand or the code, whatever its case
         * and accents.
         */
        @JvmStatic
        @JvmOverloads
        public fun find(words: String, environment: Environment = Environment.PRODUCTION): List<Bank> =
            calling { banksFound(words, environment) }.map(::Bank)

        /**
         * The bank, or the brands of the bank, that hold the account: found by positions 5 to 9 of a French IBAN.
         *
         * Throws `configuration.bank_unknown`.
         */
        @JvmStatic
        @JvmOverloads
        public fun fromIban(iban: Iban, environment: Environment = Environment.PRODUCTION): List<Bank> =
            calling { banksFromIban(iban.raw, environment) }.map(::Bank)

        /** Every bank with this establishment code, the main brand first; none when the directory has no such code. */
        @JvmStatic
        @JvmOverloads
        public fun byCode(code: String, environment: Environment = Environment.PRODUCTION): List<Bank> =
            calling { banksByCode(code, environment) }.map(::Bank)

        /** The bank of Groupe BPCE's platform 89C3 with this establishment code. Throws `configuration.bank_unknown`. */
        @JvmStatic
        @JvmOverloads
        public fun bpce(code: String, environment: Environment = Environment.PRODUCTION): Bank =
            Bank(calling { RawBank.bpce(code, environment) })

        /** The bank with this id, e.g. `lydia` or `bpce-17515`. Throws `configuration.bank_unknown`. */
        @JvmStatic
        @JvmOverloads
        public fun byId(id: String, environment: Environment = Environment.PRODUCTION): Bank =
            Bank(calling { RawBank.byId(id, environment) })

        /**
         * A record from JSON, whole or as changes (RFC 7396) to one of the directory:
         * `{"base": "bpce-17515", "environment": "production", "consent_lifetime_days": 90}`.
         *
         * Throws `configuration.bank_record`, naming the path of the field; `configuration.bank_unknown`;
         * `configuration.endpoint_invalid`; `configuration.trust_anchor`; `configuration.header`.
         */
        @JvmStatic
        public fun fromJson(json: String): Bank = Bank(calling { RawBank.fromJson(json) })
    }
}
