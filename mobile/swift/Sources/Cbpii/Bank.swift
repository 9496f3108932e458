import CbpiiGenerated
import Foundation

/// Everything that differs from bank to bank, as data. What the record says is read from it directly: `bank.name`.
@dynamicMemberLookup
public struct Bank: Sendable, CustomStringConvertible {
    let raw: RawBank
    /// What the record says, as far as an app shows it or decides by it.
    public let facts: BankFacts

    init(_ raw: RawBank) {
        self.raw = raw
        self.facts = raw.facts()
    }

    public subscript<Value>(dynamicMember fact: KeyPath<BankFacts, Value>) -> Value { facts[keyPath: fact] }

    /// Every bank of the directory that exists in this environment.
    public static func directory(_ environment: Environment) throws(CbpiiError) -> [Bank] {
        try direct { try bankDirectory(environment: environment).map(Bank.init) }
    }

    /// The banks a person may mean, best first: every word must be part of the name, the brand or the code, whatever its case and
    /// accents. No words find nothing.
    public static func find(_ words: String, _ environment: Environment) throws(CbpiiError) -> [Bank] {
        try direct { try banksFound(words: words, environment: environment).map(Bank.init) }
    }

    /// The bank, or the brands of the bank, that hold the account: found by positions 5 to 9 of a French IBAN.
    ///
    /// Throws `configuration.bank_unknown`.
    public static func holding(_ iban: Iban, _ environment: Environment) throws(CbpiiError) -> [Bank] {
        try direct { try banksFromIban(iban: iban.raw, environment: environment).map(Bank.init) }
    }

    /// Every bank with this establishment code (positions 5 to 9 of its IBANs), the main brand first; none when the directory
    /// has no such code.
    public static func withCode(_ code: String, _ environment: Environment) throws(CbpiiError) -> [Bank] {
        try direct { try banksByCode(code: code, environment: environment).map(Bank.init) }
    }

    /// The bank of Groupe BPCE's platform 89C3 with this establishment code. Where two brands share a code, the main one.
    ///
    /// Throws `configuration.bank_unknown`.
    public static func bpce(_ code: String, _ environment: Environment) throws(CbpiiError) -> Bank {
        try direct { Bank(try RawBank.bpce(code: code, environment: environment)) }
    }

    /// The bank with this id, such as `lydia` or `bpce-17515`.
    ///
    /// Throws `configuration.bank_unknown`.
    public init(id: String, _ environment: Environment) throws(CbpiiError) {
        self.init(try direct { try RawBank.byId(id: id, environment: environment) })
    }

    /// A record from JSON, whole or as changes (RFC 7396) to one of the directory: `{"base": "bpce-17515", "environment":
    /// "production", "consent_lifetime_days": 90}`.
    ///
    /// Throws `configuration.bank_record`, naming the path of the field; `configuration.bank_unknown`;
    /// `configuration.endpoint_invalid`; `configuration.trust_anchor`; `configuration.header`.
    public init(json: String) throws(CbpiiError) {
        self.init(try direct { try RawBank.fromJson(json: json) })
    }

    /// The whole record as JSON, which ``init(json:)`` reads back.
    public func json() throws(CbpiiError) -> String {
        try direct { try raw.toJson() }
    }

    /// The same bank with all three addresses moved to another origin, such as `https://localhost:8443`; paths and queries stay.
    ///
    /// Throws `configuration.endpoint_invalid`, `configuration.endpoint_missing`.
    public func withOrigin(_ origin: String) throws(CbpiiError) -> Bank {
        try direct { Bank(try raw.withOrigin(origin: origin)) }
    }

    /// The same bank that also trusts these root certificates (PEM), or only these.
    ///
    /// Throws `configuration.trust_anchor`.
    public func withTrustAnchor(_ pem: String, _ mode: TrustMode = .add) throws(CbpiiError) -> Bank {
        try direct { Bank(try raw.withTrustAnchor(pem: pem, mode: mode)) }
    }

    public var description: String { raw.description }
}
