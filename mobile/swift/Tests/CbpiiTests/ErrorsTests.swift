import Cbpii
import CbpiiGenerated
import Foundation
import XCTest

/// The catalogue, and every code that a call from Swift can come to.
final class ErrorsTests: XCTestCase {
    func testEveryCodeIsProvoked() async throws {
        let world = World(try await Sandbox.started())
        var provoked = Set<ErrorCode>()
        for (code, provoke) in World.provoked {
            world.sandbox = try await Sandbox.started()
            do {
                let error = try await failure { try await provoke(world) }
                XCTAssertEqual(error.code, code, "\(error)")
                checkFacts(of: error)
            } catch {
                XCTFail("\(code): \(error)")
            }
            XCTAssertTrue(provoked.insert(code).inserted, "\(code) is there twice")
        }
        // The stores that come to these are SQLite's, which is not on phones; see testEveryCodeCanComeFromAnOwnStore.
        let ofOtherStores: Set<ErrorCode> = [
            .storeLocked, .storeReadOnly, .storeFull, .storeUnreachable, .storeSchema, .storeUrl,
        ]
        // Wrong types do not compile in Swift.
        let ofOtherLanguages: Set<ErrorCode> = [.requestArgument]
        XCTAssertEqual(provoked.union(ofOtherStores).union(ofOtherLanguages), Set(ErrorCode.allCases))
        XCTAssertTrue(provoked.isDisjoint(with: ofOtherStores.union(ofOtherLanguages)))
        print("\(provoked.count) codes provoked")
    }

    private func checkFacts(of error: CbpiiError) {
        let code = error.code
        XCTAssertEqual(error.kind, code.kind)
        XCTAssertEqual(error.number, code.number)
        XCTAssertEqual(error.advice, error.retryAfter == nil ? code.advice : .retryAfter)
        XCTAssertEqual(error.localizedDescription, error.message)
        XCTAssertEqual("\(error)", "\(error.message) [\(code.rawValue)]")
        XCTAssertTrue(error.message.hasSuffix("."), error.message)
        XCTAssertTrue(error.httpStatus == nil || error.requestSent == .yes, "\(code)")
        let shown = "\(error) \(String(reflecting: error)) \(String(describing: error.explanation))"
        XCTAssertFalse(shown.contains(Sandbox.claire), shown)
    }

    func testTheCodesAreTheLibrarysOwn() {
        XCTAssertEqual(ErrorCode.allCases.map(\.rawValue), errorCatalogue().map(\.code))
        for (code, entry) in zip(ErrorCode.allCases, errorCatalogue()) {
            XCTAssertEqual(code.number, Int(entry.number))
            XCTAssertEqual(code.kind, entry.kind)
            XCTAssertEqual(code.advice, entry.advice)
            XCTAssertEqual(code.summary, entry.summary)
        }
    }

    func testAnErrorCarriesItsFacts() async throws {
        let sandbox = try await Sandbox.started()
        let tokens = try await sandbox.tokens("THEO")
        let error = try await failure {
            try await sandbox.client().confirmFunds(check(iban: "FR7617515006000000441070713"), tokens: tokens)
        }
        XCTAssertEqual(error.kind, .rateLimited)
        XCTAssertEqual(error.retryAfter, .seconds(30))
        XCTAssertEqual(error.httpStatus, 429)
        XCTAssertEqual(error.bankCode, "TMRQ")
        XCTAssertNotNil(error.bankMessage)
        XCTAssertNotNil(error.correlationId)
        XCTAssertEqual(error.requestSent, .yes)
        XCTAssertNil(error.cause)
        let sent = error.explanation?.headers.first { $0.name == "x-request-id" }?.value
        XCTAssertEqual(sent, error.requestId)
        XCTAssertNotNil(error.requestId)
        XCTAssertTrue(String(reflecting: error).contains("bank_code=TMRQ"))
        let bridged = error as NSError
        XCTAssertEqual(bridged.domain, "cbpii")
        XCTAssertEqual(bridged.code, error.number)
        XCTAssertEqual(bridged.localizedDescription, error.message)
    }

    func testErrorsOfOnesOwn() {
        let error = CbpiiError(.networkConnect, "Away.", requestSent: .unknown)
        XCTAssertEqual(error.kind, .network)
        XCTAssertEqual(error.advice, .retry)
        XCTAssertEqual(error.requestSent, .unknown)
        XCTAssertEqual(CbpiiError(.storeFull, "No room.").requestSent, .no)
    }
}

/// A bank, for what provokes an error.
private final class World: @unchecked Sendable {
    typealias Provoke = @Sendable (World) async throws -> Void
    var sandbox: Sandbox

    init(_ sandbox: Sandbox) { self.sandbox = sandbox }

    func ask(_ client: Client? = nil, _ tokens: Tokens? = nil, timeout: Duration? = nil) async throws {
        let tokens = if let tokens { tokens } else { try await sandbox.tokens() }
        _ = try await (client ?? sandbox.client()).confirmFunds(check(), tokens: tokens, timeout: timeout)
    }

    func faulty(_ kind: String, at endpoint: String = "funds", _ members: [String: Json] = [:]) async throws {
        try await sandbox.fault(endpoint, kind, times: nil, members)
        try await ask()
    }

    func answered(_ status: Int, _ body: Json) async throws {
        try await faulty(
            "answer",
            [
                "status": Json(status), "headers": [], "content_type": "application/json", "body": .string(body.text),
            ])
    }

    func withQwac(_ variant: String?, checkEligibility: Bool = true) throws -> Client {
        let transport = try variant.map(sandbox.transport)
        return try Client(
            bank: sandbox.bank(), issuer: sandbox.ownIssuer(transport: .some(transport)), retries: 0,
            checkEligibility: checkEligibility)
    }

    /// A check by the persona whose account the bank refuses so.
    func persona(_ code: String) async throws {
        let personas = try await sandbox.control("GET", "/personas").array ?? []
        let one = try XCTUnwrap(personas.first { $0["refusal"]["code"].string == code }, code)
        let tokens = try await sandbox.tokens(sandbox.path(one["id"]))
        _ = try await sandbox.client().confirmFunds(check(iban: sandbox.path(one["iban"])), tokens: tokens)
    }

    func calledBack(_ parameters: String) throws {
        let pending = try sandbox.client().beginConsent()
        _ = try pending.complete("?" + parameters.replacingOccurrences(of: "STATE", with: pending.state))
    }

    func elsewhere(_ origin: String, connectTimeout: Duration? = nil, proxy: String? = nil) async throws {
        let client = try Client(
            bank: sandbox.bank().withOrigin(origin), issuer: sandbox.ownIssuer(), connectTimeout: connectTimeout,
            retries: 0, proxy: proxy)
        try await ask(client)
    }

    var chain: String { get throws { try sandbox.file(sandbox.issuer["qwac"]["chain"]) } }
    func key(_ form: String) throws -> String { try sandbox.file(sandbox.issuer["qwac_forms"][form]) }

    func pool(_ client: Client? = nil, _ store: SealedStore? = nil) throws -> SessionPool {
        try SessionPool(client: client ?? bareClient(), store: store ?? SealedStore.inMemory())
    }
}

extension World {
    static let provoked: [(ErrorCode, Provoke)] = setUp + values + consents + refusals + ways + answers + others

    private static let setUp: [(ErrorCode, Provoke)] = [
        (.configurationBankRecord, { _ in _ = try Bank(json: "[]") }),
        (.configurationBankUnknown, { _ in _ = try Bank.bpce("99999", .sandbox) }),
        (.configurationEndpointMissing, { _ = try $0.sandbox.client(["funds_url": nil]) }),
        (.configurationEndpointInvalid, { _ = try $0.sandbox.client(["funds_url": "http://localhost/funds"]) }),
        (.configurationRedirectUri, { _ in _ = try Issuer(clientId: "PSDFR-ACPR-12345", redirectUri: "/callback") }),
        (.configurationClientId, { _ in _ = try Issuer(clientId: "", redirectUri: "https://issuer.example/callback") }),
        (.configurationClientSecret, { _ = try $0.sandbox.client(["client_authentication": "client_secret_post"]) }),
        (
            .configurationCertificateUnreadable,
            { _ = try TransportIdentity(chain: "hello", key: $0.key("pkcs1_pem")) }
        ),
        (.configurationKeyUnreadable, { _ = try TransportIdentity(chain: $0.chain, key: "hello") }),
        (
            .configurationKeyPassword,
            // Only the app's own signer can say so.
            { try await $0.signerFails(CbpiiError(.configurationKeyPassword, "Unlock the phone.")) }
        ),
        (
            .configurationKeyUnsupported,
            { _ = try SealIdentity(chain: $0.chain, key: $0.key("encrypted_pkcs8_pem")) }
        ),
        (
            .configurationKeyMismatch,
            { _ = try SealIdentity(chain: $0.chain, key: $0.sandbox.file($0.sandbox.issuer["qsealc"]["key"])) }
        ),
        (
            .configurationSealMissing,
            { _ = try Client(bank: $0.sandbox.bank(), issuer: $0.sandbox.ownIssuer(seal: .some(nil))) }
        ),
        (.configurationTrustAnchor, { _ = try $0.sandbox.bank().withTrustAnchor("no certificate") }),
        (.configurationHeader, { _ = try $0.sandbox.seal(keyId: "a\"b") }),
        (.configurationProxy, { try await $0.elsewhere("https://localhost:1", proxy: "https://proxy.example:3128") }),
        (.configurationOption, { _ in _ = try bareClient(timeout: .zero) }),
        (.configurationSignerFailed, { try await $0.signerFails() }),
        (.eligibilityNotACbpii, { _ = try $0.withQwac("no-role") }),
        (.eligibilityCertificateExpired, { _ = try $0.withQwac("expired") }),
        (.eligibilityCertificateNotYetValid, { _ = try $0.withQwac("not-yet-valid") }),
        (.eligibilityCertificateWrongUse, { _ = try $0.withQwac("eseal-as-qwac") }),
        (.eligibilityCertificatePss, { _ = try $0.withQwac("rsassa-pss") }),
    ]

    private static let values: [(ErrorCode, Provoke)] = [
        (
            .requestReference,
            { _ in
                _ = try FundsRequest(reference: "", account: Account(Iban(Sandbox.claire)), amount: Amount(1, "EUR"))
            }
        ),
        (.requestIban, { _ in _ = try Iban("FR7717515900000800358074006") }),
        (.requestAccount, { _ in _ = try Account("", scheme: .cpan) }),
        (.requestAmount, { _ in _ = try Amount("-1", "EUR") }),
        (.requestCurrency, { _ in _ = try Amount("1", "ABC") }),
        (.requestPayee, { _ in _ = try check(payee: String(repeating: "x", count: 71)) }),
        (.requestPsuHeader, { _ in _ = try check(psu: PsuContext(referer: "a\nb")) }),
        (.requestRequestId, { _ in _ = try check(requestId: "a b") }),
        (.requestToken, { _ in _ = try someTokens(access: "access token") }),
        (.requestSavedState, { _ in _ = try Tokens(json: "{}") }),
        (.requestCallback, { _ in _ = try bareClient().beginConsent().complete("hello") }),
        (.requestConsentId, { _ = try await $0.pool().open("") }),
    ]

    private static let consents: [(ErrorCode, Provoke)] = [
        (.consentAccessDenied, { try $0.calledBack("error=access_denied&state=STATE") }),
        (.consentRefusedByBank, { try $0.calledBack("error=invalid_scope&state=STATE") }),
        (.consentBankUnavailable, { try $0.calledBack("error=temporarily_unavailable&state=STATE") }),
        (.consentStateMismatch, { try $0.calledBack("code=abc&state=other") }),
        (.consentIssuerMismatch, { try $0.calledBack("code=abc&state=STATE&iss=https://evil.example") }),
        (.consentDuplicatedParameter, { try $0.calledBack("code=abc&code=def&state=STATE") }),
        (.consentCallbackWithoutAnswer, { try $0.calledBack("state=STATE") }),
        (
            .consentPendingExpired,
            { _ in
                let pending = try bareClient().beginConsent()
                _ = try pending.complete("?code=abc&state=\(pending.state)", at: pending.expiresAt)
            }
        ),
        (.consentCodeRefused, { try await $0.codeUsedTwice() }),
        (
            .consentLost,
            {
                let tokens = try await $0.sandbox.tokens()
                try await $0.sandbox.control("POST", "/consents/revoke", ["persona": "CLAIRE"])
                _ = try await $0.sandbox.client().refresh(tokens)
            }
        ),
        (.consentNoRefreshToken, { _ in _ = try await bareClient().refresh(someTokens(refresh: nil)) }),
        (
            .consentAccessTokenRefused,
            {
                let tokens = try await $0.sandbox.tokens()
                try await $0.sandbox.control("POST", "/tokens/expire", [:])
                try await $0.ask(nil, tokens)
            }
        ),
        (.consentRefreshAnswerLost, { try await $0.refreshAnswerLost() }),
        (
            .consentExpired,
            {
                let ago = Date(timeIntervalSince1970: 0)
                let tokens = try someTokens(obtainedAt: ago, consentExpiresAt: ago)
                _ = try await $0.pool($0.sandbox.client()).keep(tokens, as: "claire").confirmFunds(check())
            }
        ),
        (.consentUnknown, { _ = try await $0.pool().open("nobody") }),
    ]

    private static let refusals: [(ErrorCode, Provoke)] = [
        (.bankAccountUnknown, { try await $0.persona("AC01") }),
        (.bankAccountClosed, { try await $0.persona("AC04") }),
        (.bankAccountBlocked, { try await $0.persona("AC06") }),
        (.bankTppUnknown, { try await $0.persona("BE05") }),
        (.bankWrongRole, { try await $0.ask(nil, $0.sandbox.tokens(scope: "aisp")) }),
        (.bankAccessNotGranted, { try await $0.persona("NGAC") }),
        (.bankNoEligibleAccount, { try await $0.persona("NAAC") }),
        (.bankPsuUnknown, { try await $0.persona("IPSU") }),
        (.bankNotImplemented, { try await $0.answered(501, ["message": "NIMP: not implemented"]) }),
        (.bankRequestRefused, { try await $0.answered(400, ["message": "malformed"]) }),
        (.bankForbidden, { try await $0.answered(403, ["message": "forbidden"]) }),
        (
            .bankNotFound,
            {
                let url = $0.sandbox.origin + "/stet/psd2/v9/funds-confirmations"
                try await $0.ask($0.sandbox.client(["funds_url": .string(url)]))
            }
        ),
        (.bankFormRefused, { try await $0.answered(415, [:]) }),
        (
            .bankClientRefused,
            {
                let issuer = try $0.sandbox.ownIssuer(clientId: "PSDFR-ACPR-99999")
                _ = try await Client(bank: $0.sandbox.bank(), issuer: issuer).refresh($0.sandbox.tokens())
            }
        ),
        (
            .bankTokenRequestRefused,
            { _ = try await $0.sandbox.client(["scope_in_token_request": true]).refresh($0.sandbox.tokens()) }
        ),
        (.bankRateLimited, { try await $0.persona("TMRQ") }),
        (.bankInternalError, { try await $0.persona("INTE") }),
        (.bankUnavailable, { try await $0.faulty("html_page", ["status": 503]) }),
    ]

    private static let ways: [(ErrorCode, Provoke)] = [
        (
            .timeoutConnect,
            {
                let silent = try Listener()
                try await $0.elsewhere("https://127.0.0.1:\(silent.port)", connectTimeout: .milliseconds(200))
            }
        ),
        (
            .timeoutTotal,
            {
                try await $0.sandbox.fault("funds", "stall", times: nil)
                try await $0.ask(timeout: .milliseconds(300))
            }
        ),
        (.networkNameLookup, { try await $0.elsewhere("https://\(String(repeating: "a", count: 70)).invalid") }),
        (.networkConnect, { try await $0.elsewhere("https://127.0.0.1:\(Listener.unusedPort())") }),
        (.networkDisconnected, { try await $0.faulty("reset_before_reading") }),
        (
            .networkProxy,
            {
                let proxy = try Listener()
                proxy.answer("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
                try await $0.elsewhere("https://localhost:1", proxy: "http://127.0.0.1:\(proxy.port)")
            }
        ),
        (
            .networkTransportFailed,
            { _ in
                let broken = Saying { _ in throw Failed("broken") }
                _ = try await bareClient(broken).confirmFunds(check(), tokens: someTokens())
            }
        ),
        (.tlsUnknownIssuer, { try await $0.serverCertificate("unknown-issuer") }),
        (.tlsHostName, { try await $0.serverCertificate("other-host") }),
        (.tlsServerCertificateExpired, { try await $0.serverCertificate("expired") }),
        (.tlsServerCertificateInvalid, { try await $0.serverOfTheFuture() }),
        (.tlsClientCertificateMissing, { try await $0.ask($0.withQwac(nil, checkEligibility: false)) }),
        (.tlsClientCertificateRefused, { try await $0.ask($0.withQwac("unknown-ca", checkEligibility: false)) }),
        (.tlsProtocol, { try await $0.faulty("garbage", at: "connection") }),
    ]

    private static let answers: [(ErrorCode, Provoke)] = [
        (.protocolNotJson, { try await $0.faulty("html_page", ["status": 200]) }),
        (.protocolAnswerShape, { try await $0.faulty("answer_patch", ["patch": ["result": nil]]) }),
        (.protocolResultNotBoolean, { try await $0.faulty("answer_patch", ["patch": ["result": "true"]]) }),
        (
            .protocolEchoMismatch,
            {
                let other: Json = ["request": ["instructedAmount": ["amount": "1.00"]]]
                try await $0.faulty("answer_patch", ["patch": other])
            }
        ),
        (
            .protocolRedirected,
            { try await $0.faulty("redirect", ["status": 307, "location": "https://localhost:1/"]) }
        ),
        (.protocolUnexpectedStatus, { try await $0.answered(202, [:]) }),
        (.protocolDigestMismatch, { try await $0.faulty("bad_digest") }),
        (
            .protocolSignatureInvalid,
            {
                let seal = Json.string(try $0.sandbox.file($0.sandbox.issuer["bank_seal"]))
                let client = try $0.sandbox.client(["response_signing_certificates": [seal]])
                try await $0.ask(client)
                try await $0.sandbox.fault("funds", "bad_signature")
                try await $0.ask(client)
            }
        ),
        (.protocolAnswerTooLarge, { try await $0.faulty("oversized_body") }),
        (.protocolMalformedHttp, { try await $0.faulty("garbage") }),
        (
            .protocolTokenAnswer,
            {
                try await $0.sandbox.fault("token", "answer_patch", ["patch": ["access_token": nil]])
                _ = try await $0.sandbox.client().refresh($0.sandbox.tokens())
            }
        ),
    ]

    private static let others: [(ErrorCode, Provoke)] = [
        (
            .storeFailed,
            { _ in
                struct Broken: ConsentStore {
                    func load(_ id: String) throws -> StoredRecord? { throw Failed("broken") }
                    func save(_ id: String, sealed: Data, dueAt: Date, expected: Int64?) throws -> Int64? { nil }
                    func delete(_ id: String) throws -> Bool { false }
                    func list(dueBefore: Date, after: DueRecord?, limit: Int) throws -> [DueRecord] { [] }
                }
                let store = try SealedStore(Broken(), key: Data(count: 32))
                _ = try await SessionPool(client: bareClient(), store: store).open("claire")
            }
        ),
        (.storeCorrupt, { try await $0.storedGarbage() }),
        (.storeKey, { _ in _ = try SealedStore(OwnStore(), key: Data(count: 31)) }),
        (
            .storeBank,
            {
                let store = try SealedStore.inMemory()
                try await $0.pool(bareClient(), store).keep(someTokens(), as: "claire")
                _ = try await $0.pool($0.sandbox.client(["id": "another"]), store).open("claire")
            }
        ),
        (
            .cancelled,
            { world in
                let (client, tokens) = (try world.sandbox.client(), try await world.sandbox.tokens())
                let task = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    _ = try await client.confirmFunds(check(), tokens: tokens)
                }
                try await task.value
            }
        ),
        (
            .internal,
            { _ in
                Testing.arm()
                _ = try Iban(Sandbox.claire)
            }
        ),
    ]
}

extension World {
    fileprivate func serverCertificate(_ name: String) async throws {
        try await faulty("server_certificate", at: "connection", ["certificate": .string(name)])
    }

    fileprivate func signerFails(_ failure: any Error = Failed("locked")) async throws {
        struct Broken: Signer {
            let failure: any Error
            let algorithms: [SignatureAlgorithm] = [.rsaPkcs1Sha256]
            func sign(_ message: Data, with algorithm: SignatureAlgorithm) throws -> Data { throw failure }
        }
        let signer = Broken(failure: failure)
        let seal = try SealIdentity(chain: sandbox.bytes(sandbox.issuer["qsealc"]["chain"]), signer: signer)
        try await ask(Client(bank: sandbox.bank(), issuer: sandbox.ownIssuer(seal: seal)))
    }

    fileprivate func codeUsedTwice() async throws {
        let client = try sandbox.client()
        let pending = try client.beginConsent()
        let code = try pending.complete(try await sandbox.answer(pending.url))
        _ = try await client.exchangeCode(code, of: pending)
        _ = try await client.exchangeCode(code, of: pending)
    }

    fileprivate func refreshAnswerLost() async throws {
        let (bank, now) = (try Sandbox(["--rotation", "rotated"]), Shared(Date.now))
        let client = try Client(
            bank: bank.bank(["refresh_token_rotation": "unknown"]), issuer: bank.ownIssuer(), clock: { now.value })
        let ago = Date(timeIntervalSince1970: 0)
        let session = try await pool(client).keep(bank.tokens(obtainedAt: ago, expiresAt: ago), as: "claire")
        try await bank.fault("token", "answer_lost")
        let first = try await failure { try await session.confirmFunds(check()) }
        XCTAssertEqual(first.kind, .network)
        now.with { $0 += 10 }
        _ = try await session.confirmFunds(check())
    }

    fileprivate func serverOfTheFuture() async throws {
        let own = try OwnCertificate(in: temporaryFolder(), from: "21000101000000Z", to: "21010101000000Z")
        let server = try Server(own, to: "/dev/null")
        let pem = try String(contentsOfFile: own.certificate, encoding: .utf8)
        let bank = try sandbox.bank().withOrigin("https://localhost:\(server.port)").withTrustAnchor(pem, .replace)
        try await ask(Client(bank: bank, issuer: sandbox.ownIssuer(), retries: 0))
    }

    fileprivate func storedGarbage() async throws {
        let store = OwnStore()
        _ = try store.save("claire", sealed: Data("garbage".utf8), dueAt: .now, expected: nil)
        _ = try await pool(bareClient(), SealedStore(store, key: Data(count: 32))).open("claire")
    }
}
