import CbpiiGenerated
import Foundation

/// What every function of this package throws. Nothing in it is secret: it can be logged and sent to a crash reporter.
public struct CbpiiError: Error, Sendable {
    /// The exact cause.
    public let code: ErrorCode
    /// What an own signer, transport or store threw, when that led to this error.
    public let cause: (any Error)?
    /// Whether the request reached the bank, where that was stated.
    let stated: RequestSent?
    private let facts: ErrorFacts

    /// An error for an own signer, transport or store to throw: it arrives at the caller with this code, this message and itself
    /// as the ``cause``. `message` is one sentence, without any secret; `requestSent` says whether the request reached the bank.
    public init(_ code: ErrorCode, _ message: String, requestSent: RequestSent? = nil, cause: (any Error)? = nil) {
        let entry = Catalogue.entry(of: code)
        self.code = code
        self.cause = cause
        self.stated = requestSent
        self.facts = ErrorFacts(
            kind: entry.kind, code: code.rawValue, number: entry.number, message: message, advice: entry.advice,
            retryAfter: nil, httpStatus: nil, bankCode: nil, bankMessage: nil, requestId: nil, correlationId: nil,
            requestSent: requestSent ?? .no, explanation: nil)
    }

    init(_ facts: ErrorFacts, cause: (any Error)?) {
        self.code = ErrorCode(rawValue: facts.code) ?? .internal
        self.cause = cause
        self.stated = facts.requestSent
        self.facts = facts
    }

    /// The group of the cause.
    public var kind: ErrorKind { facts.kind }
    /// The exact cause, as a stable number.
    public var number: Int { Int(facts.number) }
    /// One sentence that says what happened and what to do.
    public var message: String { facts.message }
    /// What to do about it.
    public var advice: Advice { facts.advice }
    /// How long the bank asks to wait before the next call (`Retry-After`, RFC 9110 §10.2.3).
    public var retryAfter: Duration? { facts.retryAfter }
    /// The status of the bank's answer, when there was one.
    public var httpStatus: Int? { facts.httpStatus.map(Int.init) }
    /// The bank's business code (`AC01` …) or OAuth error code (`invalid_grant` …), when it gave one.
    public var bankCode: String? { facts.bankCode }
    /// What the bank wrote, masked and cut to at most 512 characters.
    public var bankMessage: String? { facts.bankMessage }
    /// The `X-Request-ID` of the failed request: what the bank's support asks for first.
    public var requestId: String? { facts.requestId }
    /// The bank's own `X-CorrelationID`, when it gave one.
    public var correlationId: String? { facts.correlationId }
    /// Whether the failed request reached the bank.
    public var requestSent: RequestSent { facts.requestSent }
    /// What was sent, header by header, secrets masked. Present on errors of requests that were built.
    public var explanation: Explanation? { facts.explanation }
}

extension CbpiiError: CustomStringConvertible, CustomDebugStringConvertible {
    /// The message and the code.
    public var description: String { "\(message) [\(code.rawValue)]" }

    /// The message and every fact that is known, but for the explanation.
    public var debugDescription: String {
        let known: [(String, Any?)] = [
            ("http_status", httpStatus), ("bank_code", bankCode), ("bank_message", bankMessage),
            ("request_id", requestId), ("correlation_id", correlationId), ("request_sent", requestSent),
            ("retry_after", retryAfter), ("cause", cause.map { type(of: $0) }),
        ]
        let shown = known.compactMap { name, value in value.map { "\(name)=\($0)" } }
        return "\(description) (\(shown.joined(separator: ", ")))"
    }
}

extension CbpiiError: LocalizedError, CustomNSError {
    /// The message: it says what happened and what to do, in English.
    public var errorDescription: String? { message }
    /// `cbpii`.
    public static var errorDomain: String { "cbpii" }
    /// The stable number.
    public var errorCode: Int { number }
    /// The message.
    public var errorUserInfo: [String: Any] { [NSLocalizedDescriptionKey: message] }
}

extension ErrorCode {
    /// The group of the cause.
    public var kind: ErrorKind { Catalogue.entry(of: self).kind }
    /// The stable number.
    public var number: Int { Int(Catalogue.entry(of: self).number) }
    /// What to do about it, as a rule; an error may know better.
    public var advice: Advice { Catalogue.entry(of: self).advice }
    /// What it means, in one sentence.
    public var summary: String { Catalogue.entry(of: self).summary }
}

/// The library's table of errors.
enum Catalogue {
    private static let entries = Dictionary(uniqueKeysWithValues: errorCatalogue().map { ($0.code, $0) })

    static func entry(of code: ErrorCode) -> CatalogueEntry {
        entries[code.rawValue]
            ?? CatalogueEntry(
                code: code.rawValue, number: 0, kind: .internal, advice: .contactBank, summary: "Not in the catalogue.")
    }
}
