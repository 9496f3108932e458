import CbpiiGenerated
import Foundation

/// An International Bank Account Number, checked (ISO 13616). An account number is personal data: it prints masked.
public struct Iban: Sendable, Hashable, CustomStringConvertible {
    let raw: RawIban

    /// Reads an IBAN as people and machines write it; blanks and small letters are accepted.
    ///
    /// Throws `request.iban`.
    public init(_ text: String) throws(CbpiiError) {
        raw = try direct { try .parse(text: text) }
    }

    /// The whole number in clear, without blanks. Do not log it.
    public func expose() -> String { raw.expose() }
    /// The country's two letters (ISO 3166-1).
    public var country: String { raw.country() }
    /// The five characters that name the bank in a French IBAN (positions 5 to 9); nil for other countries.
    public var bankCode: String? { raw.bankCode() }

    public static func == (one: Iban, other: Iban) -> Bool { one.expose() == other.expose() }
    public func hash(into hasher: inout Hasher) { hasher.combine(expose()) }
    public var description: String { raw.description }
}

/// The account a check is about. It prints masked.
public struct Account: Sendable, CustomStringConvertible {
    let raw: RawAccount

    /// An account by its IBAN; with the currency it is held in, when stated (ISO 4217), and the workspace (STET 1.6), 1 to 32
    /// characters.
    ///
    /// Throws `request.currency`, `request.account`.
    public init(_ iban: Iban, currency: String? = nil, workspace: String? = nil) throws(CbpiiError) {
        raw = try direct { try .iban(iban: iban.raw, currency: currency, workspace: workspace) }
    }

    /// An account by a number of another scheme: `identification` of 1 to 70 characters, `issuer` of 1 to 35.
    ///
    /// Throws `request.account`, `request.currency`.
    public init(
        _ identification: String, scheme: AccountScheme, issuer: String? = nil, currency: String? = nil,
        workspace: String? = nil
    ) throws(CbpiiError) {
        raw = try direct {
            try .other(
                identification: identification, scheme: scheme, issuer: issuer, currency: currency,
                workspace: workspace)
        }
    }

    public var description: String { raw.description }
}

/// A positive amount of a currency, exact: at most 13 digits before the point, and as many decimals as the currency has.
public struct Amount: Sendable, Hashable, CustomStringConvertible {
    let raw: RawAmount

    /// An amount from decimal text, such as `12.50`, and an ISO 4217 code.
    ///
    /// Throws `request.amount`, `request.currency`.
    public init(_ text: String, _ currency: String) throws(CbpiiError) {
        raw = try direct { try .parse(text: text, currency: currency) }
    }

    /// An amount from a decimal value. Do not write the value as a literal with a point: Swift makes a `Double` of it first.
    ///
    /// Throws `request.amount`, `request.currency`.
    public init(_ value: Decimal, _ currency: String) throws(CbpiiError) {
        raw = try direct { try .fromDecimal(value: value, currency: currency) }
    }

    /// The value.
    public var value: Decimal { raw.value() }
    /// The ISO 4217 code.
    public var currency: String { raw.currency() }

    /// How many decimals an amount of this currency has at most (ISO 4217): 2 for `EUR`, 0 for `JPY`.
    ///
    /// Throws `request.currency`.
    public static func decimals(of currency: String) throws(CbpiiError) -> Int {
        try direct { Int(try currencyDecimals(code: currency)) }
    }

    public static func == (one: Amount, other: Amount) -> Bool {
        one.value == other.value && one.currency == other.currency
    }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(value)
        hasher.combine(currency)
    }
    /// The value with the decimals it was given with, and the currency.
    public var description: String { raw.description }
}

/// One question to the bank: does this account hold this amount at this moment? Nothing is reserved by asking. It prints masked.
public struct FundsRequest: Sendable, CustomStringConvertible {
    let raw: RawFundsRequest

    /// A question.
    ///
    /// - Parameters:
    ///   - reference: The issuer's own, 1 to 35 characters; it comes back in the answer.
    ///   - payee: The merchant, 1 to 70 characters.
    ///   - psu: What is known of the cardholder's connection, only when the cardholder is present.
    ///   - requestId: The `X-Request-ID`, 1 to 70 visible ASCII characters; a fresh UUID when there is none.
    ///
    /// Throws `request.reference`, `request.currency` (the amount is not in the account's), `request.payee`,
    /// `request.psu_header`, `request.request_id`.
    public init(
        reference: String, account: Account, amount: Amount, payee: String? = nil, psu: PsuContext? = nil,
        requestId: String? = nil
    ) throws(CbpiiError) {
        raw = try direct {
            try RawFundsRequest(
                reference: reference, account: account.raw, amount: amount.raw, payee: payee, psu: psu,
                requestId: requestId)
        }
    }

    /// The issuer's own reference.
    public var reference: String { raw.reference() }

    public var description: String { raw.description }
}

/// The text for a ticket to the bank.
extension Explanation: CustomStringConvertible {
    public var description: String { text }
}
