import Cbpii
import Foundation
import XCTest

/// The language-neutral cases of tests/vectors; its README says how they are read.
final class VectorsTests: XCTestCase {
    func testEveryFileIsCountedAndRun() throws {
        let files = try Cases.files(in: Cases.folder).filter { $0 != "manifest.json" }
        XCTAssertEqual(Set(files), Set(try Cases.read("manifest.json").object?.keys.map { $0 } ?? []))
        XCTAssertEqual(Set(files), Set(Runner.files.keys))
    }

    func testCallbacks() async throws { try await run("callbacks.json") }
    func testCertificates() async throws { try await run("certificates.json") }
    func testConsentUrls() async throws { try await run("consent_urls.json") }
    func testErrorBodies() async throws { try await run("error_bodies.json") }
    func testFundsBodies() async throws { try await run("funds_bodies.json") }
    func testTokenBodies() async throws { try await run("token_bodies.json") }
    func testRequests() async throws { try await run("requests.json") }

    private func run(_ name: String) async throws {
        let suite = String(name.dropLast(5))
        var shared = try XCTUnwrap(Cases.read(name).object)
        let cases = try XCTUnwrap(shared.removeValue(forKey: "cases")?.array)
        XCTAssertNotNil(shared.removeValue(forKey: "about")?.string)
        XCTAssertEqual(cases.count, try Cases.read("manifest.json")[name].int)
        let (runner, job) = (Runner(try await Sandbox.started()), try XCTUnwrap(Runner.files[name]))
        var (seen, unsaid) = (Set<String>(), Set<String>())
        for one in cases {
            var members = try XCTUnwrap(one.object)
            let title = try XCTUnwrap(members.removeValue(forKey: "name")?.string)
            let expected = try XCTUnwrap(members.removeValue(forKey: "expect")?.object)
            XCTAssertTrue(seen.insert(title).inserted, title)
            XCTAssertFalse(expected.isEmpty, title)
            let one = Case(shared: shared, members)
            do {
                let actual = try await outcome(of: one, job(runner), title)
                try Cases.tell(suite, title, "facts", .object(actual))
                Cases.compare(title, expected, actual)
            } catch let what as Unsayable {
                try Cases.tell(suite, title, "unsayable", .string(what.reason))
                unsaid.insert(title)
            }
        }
        XCTAssertEqual(unsaid, try Cases.unsayable(suite))
        print("\(name): \(cases.count - unsaid.count) cases run, \(unsaid.count) cannot be said in Swift")
    }

    private func outcome(of one: Case, _ job: (Case) async throws -> Facts, _ title: String) async throws -> Facts {
        do {
            let actual = try await job(one)
            XCTAssertEqual(one.unread, [], "\(title): unknown members")
            return actual
        } catch let error as CbpiiError {
            return facts(of: error)
        }
    }
}

/// A case with the members its file has for all; each member has to be asked for.
private final class Case {
    let shared: [String: Json]
    private let members: [String: Json]
    private(set) var unread: Set<String>

    init(shared: [String: Json], _ own: [String: Json]) {
        self.shared = shared
        members = shared.merging(own) { $1 }
        unread = Set(own.keys)
    }

    subscript(name: String) -> Json {
        unread.remove(name)
        return members[name] ?? .null
    }

    func text(_ name: String) throws -> String { try XCTUnwrap(self[name].string, name) }
}

/// Answers from memory and keeps what was sent.
private final class Wire: Transport {
    let sent = Shared<[HttpRequest]>([])
    private let answer: Result<HttpResponse, CbpiiError>

    init(_ one: Case) throws {
        let headers = try (one["headers"].array ?? []).map { header in
            (name: try XCTUnwrap(header.array?.first?.string), value: try XCTUnwrap(header.array?.last?.string))
        }
        let (status, body) = (one["status"].int ?? 500, try Self.body(one["body"]))
        do throws(CbpiiError) {
            answer = .success(try HttpResponse(status: status, headers: headers, body: body))
        } catch {
            answer = .failure(error)
        }
    }

    private static func body(_ body: Json) throws -> Data {
        guard let (form, value) = body.object?.first else { return Data() }
        switch form {
        case "json": return value.data
        case "text": return Data(try XCTUnwrap(value.string).utf8)
        case "base64": return try XCTUnwrap(Data(base64Encoded: try XCTUnwrap(value.string)))
        case "repeated":
            let parts = try XCTUnwrap(value.array).map { part in
                String(repeating: try XCTUnwrap(part.array?.first?.string), count: try XCTUnwrap(part.array?.last?.int))
            }
            return Data(parts.joined().utf8)
        default: throw Failed("unknown form of body \(form)")
        }
    }

    func exchange(_ request: HttpRequest) async throws -> HttpResponse {
        sent.with { $0.append(request) }
        return try answer.get()
    }
}

/// Runs cases; what its methods give back are facts.
private struct Runner {
    typealias Job = (Runner) -> (Case) async throws -> Facts
    static var files: [String: Job] {
        [
            "callbacks.json": callbacks, "certificates.json": certificates, "consent_urls.json": consentUrls,
            "error_bodies.json": fundsBodies, "funds_bodies.json": fundsBodies, "requests.json": requests,
            "token_bodies.json": tokenBodies,
        ]
    }

    let sandbox: Sandbox

    init(_ sandbox: Sandbox) { self.sandbox = sandbox }

    private func client(_ record: Json, _ now: Date, _ wire: Wire) throws -> Client {
        let bank = try Bank(json: record.text)
        let wantsSecret = try Json.read(bank.json())["client_authentication"] != "tls_client_auth"
        let issuer = try Issuer(
            clientId: "PSDFR-ACPR-12345", redirectUri: "https://issuer.example/psd2/callback",
            clientSecret: wantsSecret ? "s3cr3t" : nil, seal: sandbox.seal(keyId: "https://issuer.example/seal"))
        return try Client(bank: bank, issuer: issuer, checkEligibility: false, transport: wire, clock: { now })
    }

    private func callbacks(_ one: Case) throws -> Facts {
        let (pending, callback, now) = (one["pending"], try one.text("callback"), try moment(one.text("now")))
        let saved = pending.string.map { one.shared["pending"]?[$0] ?? .null } ?? pending
        return ["code": .string(try PendingConsent(json: saved.text).complete(callback, at: now).expose())]
    }

    private func consentUrls(_ one: Case) async throws -> Facts {
        let (record, clientId, uri) = (one["bank"], try one.text("client_id"), try one.text("redirect_uri"))
        let secret = one["client_secret"].string
        let beginning = Date(timeIntervalSince1970: 1_795_438_800)
        let bank = try Bank(json: record.text)
        let issuer = try Issuer(
            clientId: clientId, redirectUri: uri, clientSecret: secret,
            seal: sandbox.seal(keyId: "https://issuer.example/seal"))
        let wire = try Wire(Case(shared: [:], [:]))
        let client = try Client(bank: bank, issuer: issuer, checkEligibility: false, transport: wire, clock: { beginning })
        let pending = try client.beginConsent()
        XCTAssertEqual(Array(pending.redirectUri.utf8), Array(uri.utf8))
        XCTAssertEqual(pending.createdAt, beginning)
        XCTAssertEqual(pending.state.count, 43)
        return try Self.parts(of: pending)
    }

    private static func parts(of pending: PendingConsent) throws -> Facts {
        let saved = try Json.read(pending.json())
        let url = pending.url.absoluteString
        XCTAssertEqual(Json.string(url), saved["url"])
        let challenge = try saved["code_verifier"].string.map { verifier in
            try Program.output("/usr/bin/openssl", ["dgst", "-sha256", "-binary"], input: Data(verifier.utf8))
                .base64EncodedString().replacingOccurrences(of: "+", with: "-")
                .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
        }
        XCTAssertFalse(url.contains("#"))
        let cut = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let address = cut[0].split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        let query = try cut[1].split(separator: "&", omittingEmptySubsequences: false).map { pair in
            let halves = try pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                try XCTUnwrap($0.replacingOccurrences(of: "+", with: " ").removingPercentEncoding)
            }
            let value =
                switch (halves[0], halves[1]) {
                case ("state", pending.state): "{state}"
                case ("code_challenge", challenge): "{code_challenge}"
                default: halves[1]
                }
            return Json.array([.string(halves[0]), .string(value)])
        }
        return [
            "origin": .string("\(address[0])//\(address[2])"), "path": .string("/\(address.count > 3 ? address[3] : "")"),
            "query": .array(query),
        ]
    }

    private func tokenBodies(_ one: Case) async throws -> Facts {
        let client = try client(one["bank"], moment(one.text("now")), Wire(one))
        let (request, pending, code, tokens) = (
            try one.text("request"), one["pending"], try one.text("code"), one["tokens"]
        )
        let given: Tokens
        if request == "exchange" {
            given = try await client.exchangeCode(AuthorizationCode(code), of: PendingConsent(json: pending.text))
        } else {
            XCTAssertEqual(request, "refresh")
            given = try await client.refresh(Tokens(json: tokens.text))
        }
        return facts(of: given)
    }

    private func fundsBodies(_ one: Case) async throws -> Facts {
        let now = try moment(one.text("now"))
        let client = try client(one["bank"], now, Wire(one))
        return facts(of: try await client.confirmFunds(Question.request(one["request"]), tokens: Self.tokens(now)))
    }

    private func requests(_ one: Case) async throws -> Facts {
        let (kind, given, record, now) = (try one.text("kind"), one["input"], one["bank"], one["now"])
        func text(_ name: String) throws -> String { try XCTUnwrap(given[name].string) }
        switch kind {
        case "currency":
            try known(given, ["code"])
            return ["code": given["code"], "decimals": Json(try Amount.decimals(of: text("code")))]
        case "amount":
            try known(given, ["amount", "currency"])
            let amount = try Amount(text("amount"), text("currency"))
            let shown = amount.description.split(separator: " ")
            XCTAssertEqual(Decimal(string: String(shown[0])), amount.value)
            return ["amount": .string(String(shown[0])), "currency": .string(amount.currency)]
        case "iban":
            let iban = try Iban(try XCTUnwrap(known(given, ["iban"])["iban"].string))
            return [
                "iban": .string(iban.expose()), "country": .string(iban.country), "bank_code": Json(iban.bankCode),
                "masked": .string(iban.description),
            ]
        default:
            XCTAssertEqual(kind, "request")
            return try await sent(given, record, moment(XCTUnwrap(now.string)), Wire(one))
        }
    }

    private func sent(_ given: Json, _ record: Json, _ now: Date, _ wire: Wire) async throws -> Facts {
        let client = try client(record, now, wire)
        let request = try Question.request(given)
        // An error before anything is sent is the outcome of the case.
        do {
            _ = try await client.confirmFunds(request, tokens: Self.tokens(now))
        } catch let error as CbpiiError where error.kind == .bankUnavailable {
        }
        let sent = try XCTUnwrap(wire.sent.value.last)
        let own = ["accept", "authorization", "content-type", "date", "digest", "signature"]
        let headers = sent.exposeHeaders().filter { !own.contains($0.name) }
        return [
            "body": .string(String(decoding: sent.exposeBody(), as: UTF8.self)),
            "headers": .array(headers.map { [.string($0.name), .string($0.value)] }),
        ]
    }

    private func certificates(_ one: Case) throws -> Facts {
        let bank = try Bank(json: one["bank"].text)
        let (name, seal, clientId) = (try one.text("identity"), try one.text("use") == "seal", try one.text("client_id"))
        let kit = sandbox.issuer
        let files = ["qwac", "qsealc"].contains(name) ? kit[name] : kit["variants"][name]
        let refusesPss = try Json.read(bank.json())["refuses_pss_certificates"]
        let report = try CertificateReport(
            of: sandbox.bytes(files["chain"]), for: seal ? .seal : .transport, clientId: clientId,
            acceptsPss: refusesPss == false)
        let (qwac, qsealc) = seal ? (kit["qwac"], files) : (files, kit["qsealc"])
        return [
            "roles": .array(report.psd2Roles.map { .string($0) }),
            "authority_id": Json(report.authorityId),
            "qc_types": .array(report.qcTypes.map { .string($0) }), "qualified": .bool(report.qualified),
            "key_type": .string(report.keyType), "key_bits": Json(report.keyBits.map(Int.init)),
            "signature_algorithm": .string(report.signatureAlgorithm),
            "client": .string(try outcome(bank, clientId, qwac: qwac, qsealc: qsealc)),
        ].merging(facts(of: report)) { $1 }
    }

    private func outcome(_ bank: Bank, _ clientId: String, qwac: Json, qsealc: Json) throws -> String {
        do {
            let issuer = try Issuer(
                clientId: clientId, redirectUri: "https://issuer.example/psd2/callback",
                transport: TransportIdentity(chain: sandbox.file(qwac["chain"]), key: sandbox.file(qwac["key"])),
                seal: SealIdentity(chain: sandbox.file(qsealc["chain"]), key: sandbox.file(qsealc["key"])))
            _ = try Client(bank: bank, issuer: issuer)
            return "ok"
        } catch let error as CbpiiError {
            return error.code.rawValue
        }
    }

    private static func tokens(_ now: Date) throws -> Tokens {
        try someTokens(access: "2YotnFZFEjr1zCsicMWpAA", refresh: nil, obtainedAt: now)
    }
}
