import Cbpii
import Foundation
import XCTest

/// What comes out of a case of tests/vectors; its README says how it is compared.
typealias Facts = [String: Json]

/// What Swift has no words for, and why.
struct Unsayable: Error {
    let reason: String
}

/// The language-neutral cases, and what happens to them.
enum Cases {
    private static let tests = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../../tests").standardized
    static let folder = tests.appendingPathComponent("vectors")

    static func read(_ name: String) throws -> Json {
        try Json.read(try Data(contentsOf: folder.appendingPathComponent(name)))
    }

    /// The names of the JSON files in this folder.
    static func files(in folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }.sorted()
    }

    /// Those of a suite that Swift cannot say.
    static func unsayable(_ suite: String) throws -> Set<String> {
        let stated = try Json.read(Data(contentsOf: tests.appendingPathComponent("conformance/unsayable.json")))
        let own = try XCTUnwrap(stated["cases"].array).filter {
            $0["suite"].string == suite && $0["languages"].array?.contains("swift") == true
        }
        return Set(own.compactMap(\.["case"].string))
    }

    /// Appends a case, with its facts or why it cannot be said, to the file that the environment names, if it names one.
    static func tell(_ suite: String, _ name: String, _ what: String, _ outcome: Json) throws {
        guard let path = ProcessInfo.processInfo.environment["CBPII_OUTCOMES"], !path.isEmpty else { return }
        let line: Json = .object(["suite": .string(suite), "case": .string(name), what: outcome])
        let file = try XCTUnwrap(FileHandle(forWritingAtPath: path), path)
        try file.seekToEnd()
        try file.write(contentsOf: Data((line.text + "\n").utf8))
        try file.close()
    }

    /// Every expected fact must be there and equal; an error must be expected.
    static func compare(_ title: String, _ expected: Facts, _ actual: Facts) {
        for (fact, value) in expected {
            guard let given = actual[fact] else {
                XCTFail("\(title): \(fact) is not there (it should be \(value.text)), but \(Json.object(actual).text)")
                continue
            }
            XCTAssertTrue(value == given, "\(title): \(fact) is \(given.text), not \(value.text)")
        }
        if let error = actual["error"], expected["error"] == nil {
            XCTFail("\(title): fails with \(error.text)")
        }
    }
}

/// The name of a case, as the vectors write it.
func snake(_ value: some Any) -> String {
    "\(value)".reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : String($1) }
}

/// The object, which must have no other members.
@discardableResult
func known(_ given: Json, _ names: Set<String>) throws -> Json {
    let others = Set(try XCTUnwrap(given.object).keys).subtracting(names)
    XCTAssertEqual(others, [])
    return given
}

private let secondsOnly = Date.ISO8601FormatStyle()
private let withFraction = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

func moment(_ text: String) throws -> Date {
    try text.contains(".") ? withFraction.parse(text) : secondsOnly.parse(text)
}

/// A moment as the cases write it.
func written(_ moment: Date?) -> Json {
    guard let moment else { return .null }
    let milliseconds = Int64((moment.timeIntervalSince1970 * 1000).rounded())
    let (seconds, rest) = (milliseconds / 1000, milliseconds % 1000)
    let text = secondsOnly.format(Date(timeIntervalSince1970: Double(seconds)))
    guard rest != 0 else { return .string(text) }
    let fraction = String(String(1000 + rest).dropFirst())
    let digits = String(fraction.reversed().drop { $0 == "0" }.reversed())
    return .string("\(text.dropLast()).\(digits)Z")
}

/// A funds request as a case writes it.
enum Question {
    static func request(_ given: Json) throws -> FundsRequest {
        try known(given, ["reference", "account", "amount", "currency", "payee", "request_id", "psu"])
        let amount = try Amount(XCTUnwrap(given["amount"].string), XCTUnwrap(given["currency"].string))
        return try FundsRequest(
            reference: XCTUnwrap(given["reference"].string), account: account(given["account"]), amount: amount,
            payee: given["payee"].string, psu: psu(given["psu"]), requestId: given["request_id"].string)
    }

    private static func account(_ given: Json) throws -> Account {
        let named = try known(given, ["iban", "other", "currency", "workspace"])
        let (currency, workspace) = (named["currency"].string, named["workspace"].string)
        if let iban = named["iban"].string {
            XCTAssertTrue(named["other"].isNull)
            return try Account(Iban(iban), currency: currency, workspace: workspace)
        }
        let other = try known(named["other"], ["identification", "scheme", "issuer"])
        let schemes: [String: AccountScheme] = [
            "BANK": .bank, "COID": .coid, "SREN": .sren, "SRET": .sret, "NIDN": .nidn, "OAUT": .oaut, "CPAN": .cpan,
            "MPAN": .mpan,
        ]
        guard let scheme = schemes[try XCTUnwrap(other["scheme"].string)] else {
            throw Unsayable(reason: "a scheme that is none: there is an enum of them")
        }
        return try Account(
            XCTUnwrap(other["identification"].string), scheme: scheme, issuer: other["issuer"].string,
            currency: currency, workspace: workspace)
    }

    private static func psu(_ given: Json) throws -> PsuContext? {
        guard !given.isNull else { return nil }
        let names: Set = [
            "ip_address", "ip_port", "http_method", "date", "geo_location", "user_agent", "referer", "accept",
            "accept_charset", "accept_encoding", "accept_language", "device_id",
        ]
        let known = try known(given, names)
        func text(_ name: String) -> String? { known[name].string }
        return PsuContext(
            ipAddress: text("ip_address"), ipPort: text("ip_port"), httpMethod: text("http_method"), date: text("date"),
            geoLocation: text("geo_location"), userAgent: text("user_agent"), referer: text("referer"),
            accept: text("accept"), acceptCharset: text("accept_charset"), acceptEncoding: text("accept_encoding"),
            acceptLanguage: text("accept_language"), deviceId: text("device_id"))
    }
}

/// All but how long it took.
func facts(of answer: FundsConfirmation) -> Facts {
    [
        "available": .bool(answer.available), "reference": .string(answer.reference),
        "request_id": Json(answer.requestId), "correlation_id": Json(answer.correlationId),
        "bank_id": .string(answer.bankId), "checked_at": written(answer.checkedAt),
        "response_signature": .string(snake(answer.responseSignature)),
        "deprecation_warning": Json(answer.deprecationWarning),
    ]
}

func facts(of tokens: Tokens) -> Facts {
    [
        "access_token": .string(tokens.exposeAccessToken()), "refresh_token": Json(tokens.exposeRefreshToken()),
        "token_type": .string(tokens.tokenType), "scope": Json(tokens.scope),
        "obtained_at": written(tokens.obtainedAt), "expires_at": written(tokens.expiresAt),
        "consent_expires_at": written(tokens.consentExpiresAt),
    ]
}

func facts(of session: Session) throws -> Facts {
    let status = try session.status()
    let history = try session.history().map { one in
        Json.array([.string(snake(one.event)), written(one.at), Json(one.cause)])
    }
    return [
        "id": .string(session.id), "state": .string(snake(status.state)),
        "next_action": .string(snake(status.nextAction)), "consent_expires_at": written(status.consentExpiresAt),
        "renew_from": written(status.renewFrom), "days_left": Json(Int(status.daysLeft)),
        "has_unsaved_tokens": .bool(session.hasUnsavedTokens), "history": .array(history),
    ]
}

func facts(of explanation: Explanation) -> Facts {
    [
        "method": .string(explanation.method), "url": .string(explanation.url),
        "headers": .array(explanation.headers.map { [.string($0.name), .string($0.value)] }),
        "body": .string(explanation.body), "digest_input": Json(explanation.digestInput),
        "signing_string": Json(explanation.signingString), "key_id": Json(explanation.keyId),
        "key_id_source": Json(explanation.keyIdSource),
    ]
}

/// What was found, and in what.
func facts(of report: CertificateReport) -> Facts {
    [
        "organisation_identifier": Json(report.organisationIdentifier), "chain_length": Json(Int(report.chainLength)),
        "findings": .array(report.findings.map { [.string(snake($0.severity)), .string($0.code)] }),
    ]
}

func facts(of error: CbpiiError) -> Facts {
    [
        "error": .string(error.code.rawValue), "number": Json(error.number), "kind": .string(snake(error.kind)),
        "advice": .string(snake(error.advice)), "message": .string(error.message), "bank_code": Json(error.bankCode),
        "bank_message": Json(error.bankMessage), "http_status": Json(error.httpStatus),
        "retry_after_seconds": Json(error.retryAfter.map { Int($0.components.seconds) }),
        "request_id": Json(error.requestId), "correlation_id": Json(error.correlationId),
        "request_sent": .string(snake(error.requestSent)),
    ]
}
