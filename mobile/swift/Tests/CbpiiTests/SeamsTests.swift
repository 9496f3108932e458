import Cbpii
import Foundation
import XCTest

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// What is implemented in Swift: signers, transports, stores, clocks, listeners.
final class SeamsTests: XCTestCase {
    private struct Locked: Error {
        let secret = "s3cr3t"
    }

    private struct FailingSigner: Signer {
        let error: any Error
        let algorithms: [SignatureAlgorithm] = [.rsaPkcs1Sha256]
        func sign(_ message: Data, with algorithm: SignatureAlgorithm) throws -> Data { throw error }
    }

    private struct FailingStore: ConsentStore {
        let error: any Error
        func load(_ id: String) throws -> StoredRecord? { throw error }
        func save(_ id: String, sealed: Data, dueAt: Date, expected: Int64?) throws -> Int64? { throw error }
        func delete(_ id: String) throws -> Bool { throw error }
        func list(dueBefore: Date, after: DueRecord?, limit: Int) throws -> [DueRecord] { throw error }
    }

    private func expectLocked(_ error: CbpiiError, _ code: ErrorCode, line: UInt = #line) {
        XCTAssertEqual(error.code, code, line: line)
        XCTAssertTrue(error.cause is Locked, "\(String(describing: error.cause))", line: line)
        XCTAssertTrue(error.message.contains("Locked"), error.message, line: line)
        XCTAssertFalse("\(error) \(String(reflecting: error))".contains("s3cr3t"), line: line)
    }

    // Signers

    func testKeysThatStayInOpenSSL() async throws {
        let sandbox = try await Sandbox.started()
        let (qwac, qsealc) = (sandbox.issuer["qwac"], sandbox.issuer["qsealc"])
        let transport = try TransportIdentity(
            chain: sandbox.bytes(qwac["chain"]), signer: OpenSSLSigner(key: sandbox.path(qwac["key"])))
        let seal = try SealIdentity(
            chain: sandbox.bytes(qsealc["chain"]), signer: OpenSSLSigner(key: sandbox.path(qsealc["key"])))
        let client = try Client(bank: sandbox.bank(), issuer: sandbox.ownIssuer(transport: transport, seal: seal))
        let answer = try await client.confirmFunds(check(), tokens: sandbox.tokens())
        XCTAssertTrue(answer.available)
    }

    func testASignerThatFails() async throws {
        let sandbox = try await Sandbox.started()
        let chain = try sandbox.bytes(sandbox.issuer["qsealc"]["chain"])
        func ask(_ error: any Error) async throws -> CbpiiError {
            let seal = try SealIdentity(chain: chain, signer: FailingSigner(error: error))
            let client = try Client(bank: sandbox.bank(), issuer: sandbox.ownIssuer(seal: seal))
            let tokens = try await sandbox.tokens()
            return try await failure { try await client.confirmFunds(check(), tokens: tokens) }
        }
        let error = try await ask(Locked())
        expectLocked(error, .configurationSignerFailed)
        XCTAssertEqual(error.requestSent, .no)
        let own = try await ask(CbpiiError(.configurationKeyPassword, "Unlock the phone.", cause: Locked()))
        XCTAssertEqual(own.code, .configurationKeyPassword)
        XCTAssertEqual(own.message, "Unlock the phone.")
        XCTAssertTrue(own.cause is Locked)
    }

    func testASignerThatSignsWrongly() async throws {
        struct Wrong: Signer {
            let algorithms: [SignatureAlgorithm] = [.rsaPkcs1Sha256]
            func sign(_ message: Data, with algorithm: SignatureAlgorithm) throws -> Data { Data(count: 256) }
        }
        let sandbox = try await Sandbox.started()
        let seal = try SealIdentity(chain: sandbox.bytes(sandbox.issuer["qsealc"]["chain"]), signer: Wrong())
        let client = try Client(bank: sandbox.bank(), issuer: sandbox.ownIssuer(seal: seal))
        let tokens = try await sandbox.tokens()
        _ = try await failure { try await client.confirmFunds(check(), tokens: tokens) }
    }

    // Transports

    func testATransportThatFails() async throws {
        let error = try await failure {
            try await bareClient(Saying { _ in throw Locked() }).confirmFunds(check(), tokens: someTokens())
        }
        expectLocked(error, .networkTransportFailed)
        XCTAssertEqual(error.requestSent, .unknown)
        let own = try await failure {
            let away = CbpiiError(.networkConnect, "Away.", requestSent: .no)
            return try await bareClient(Saying { _ in throw away }).confirmFunds(check(), tokens: someTokens())
        }
        XCTAssertEqual(own.code, .networkConnect)
        XCTAssertEqual(own.requestSent, .no)
        XCTAssertEqual((own.cause as? CbpiiError)?.message, "Away.")
    }

    func testATransportSeesTheWholeRequest() async throws {
        let heard = Shared<[HttpRequest]>([])
        let client = try bareClient(
            Saying { request in
                heard.with { $0.append(request) }
                return try await Saying.yes(request)
            })
        _ = try await client.confirmFunds(check(), tokens: someTokens())
        let request = try XCTUnwrap(heard.value.first)
        XCTAssertEqual(request.method, "POST")
        XCTAssertTrue(request.url.hasPrefix("https://"))
        XCTAssertTrue(
            request.exposeHeaders().contains { $0.name == "authorization" && $0.value == "Bearer secret-access-token" })
        XCTAssertEqual(try Json.read(request.exposeBody())["paymentCoverageRequestId"], "ORDER-1")
        XCTAssertGreaterThan(request.timeLeft, .zero)
        XCTAssertFalse(request.wantsFreshConnection)
        XCTAssertFalse("\(request)".contains("secret-access-token"))
    }

    func testAnAnswerThatIsNoHttp() async throws {
        let error = try await failure {
            let none = Saying { _ in try HttpResponse(status: 7, headers: [], body: Data()) }
            return try await bareClient(none).confirmFunds(check(), tokens: someTokens())
        }
        XCTAssertEqual(error.code, .protocolMalformedHttp)
        XCTAssertEqual(error.requestSent, .yes)
    }

    func testURLSessionBehindAGatewayThatHoldsTheQWAC() async throws {
        let sandbox = try await Sandbox.started()
        let (folder, kit) = (try temporaryFolder(), sandbox.issuer)
        let own = try OwnCertificate(in: folder)
        let qwac = folder.appendingPathComponent("qwac.pem")
        try Data((sandbox.file(kit["qwac"]["key"]) + sandbox.file(kit["qwac"]["chain"])).utf8).write(to: qwac)
        let port = try XCTUnwrap(URL(string: sandbox.origin)?.port)
        let ca = try sandbox.path(kit["ca"])
        let gateway = try Server(own, to: "OPENSSL:localhost:\(port),cert=\(qwac.path),cafile=\(ca)")
        try Sandbox.trust(own.certificate)
        let bank = try sandbox.bank().withOrigin("https://localhost:\(gateway.port)")
        let issuer = try sandbox.ownIssuer(transport: .some(nil))
        let client = try Client(bank: bank, issuer: issuer, retries: 0, transport: URLSessionTransport())
        let tokens = try await sandbox.tokens()
        for amount in ["458.99", "459"] {
            let answer = try await client.confirmFunds(check(amount), tokens: tokens)
            XCTAssertEqual(answer.available, amount == "458.99")
        }
        // A refresh must have a connection of its own.
        _ = try await client.refresh(tokens)
        try await sandbox.fault("funds", "redirect", ["status": 307, "location": "https://localhost:1/"])
        let redirected = try await failure { try await client.confirmFunds(check(), tokens: tokens) }
        XCTAssertEqual(redirected.code, .protocolRedirected)
        try await sandbox.fault("funds", "reset_before_reading")
        let reset = try await failure { try await client.confirmFunds(check(), tokens: tokens) }
        XCTAssertTrue(reset.cause is URLError, "\(reset)")
        XCTAssertEqual(reset.requestSent, .unknown)
        // Last: on Linux URLSession works off for seconds what it has received of an endless body, cancelled or not.
        try await sandbox.fault("funds", "oversized_body")
        let oversized = try await failure { try await client.confirmFunds(check(), tokens: tokens) }
        XCTAssertEqual(oversized.code, .protocolAnswerTooLarge)
    }

    func testURLSessionWithoutACertificate() async throws {
        let sandbox = try await Sandbox.started()
        let issuer = try sandbox.ownIssuer(transport: .some(nil))
        func ask(_ bank: Bank) async throws -> CbpiiError {
            let client = try Client(bank: bank, issuer: issuer, retries: 0, transport: URLSessionTransport())
            let tokens = try await sandbox.tokens()
            return try await failure { try await client.confirmFunds(check(), tokens: tokens) }
        }
        let missing = try await ask(sandbox.bank())
        XCTAssertEqual(missing.code, .tlsClientCertificateMissing)
        let nobody = try await ask(sandbox.bank().withOrigin("https://127.0.0.1:\(Listener.unusedPort())"))
        XCTAssertEqual(nobody.code, .networkTransportFailed)
        XCTAssertTrue(nobody.cause is URLError, "\(nobody)")
        XCTAssertEqual(nobody.requestSent, .unknown)
    }

    // Stores, clocks, listeners

    func testAStoreThatFails() async throws {
        let pool = try SessionPool(
            client: bareClient(), store: SealedStore(FailingStore(error: Locked()), key: Data(count: 32)))
        expectLocked(try await failure { try await pool.open("claire") }, .storeFailed)
        expectLocked(try await failure { try await pool.keep(someTokens(), as: "claire") }, .storeFailed)
        expectLocked(try await failure { try await pool.forget("claire") }, .storeFailed)
        let store = try SealedStore(FailingStore(error: Locked()), key: Data(count: 32))
        expectLocked(try await failure { try await store.renewalsDue(before: .now) }, .storeFailed)
    }

    func testEveryCodeCanComeFromAnOwnStore() async throws {
        for code in ErrorCode.allCases {
            let store = FailingStore(error: CbpiiError(code, "A sentence."))
            let pool = try SessionPool(client: bareClient(), store: SealedStore(store, key: Data(count: 32)))
            let error = try await failure { try await pool.open("claire") }
            XCTAssertEqual(error.code, code)
            XCTAssertEqual(error.message, "A sentence.")
            XCTAssertEqual((error.cause as? CbpiiError)?.code, code)
        }
    }

    func testAClockOfTheApp() async throws {
        let now = Date(timeIntervalSince1970: 1_795_438_800)
        let client = try bareClient(clock: { now })
        let pending = try client.beginConsent()
        XCTAssertEqual(pending.createdAt, now)
        let answer = try await client.confirmFunds(check(), tokens: someTokens(obtainedAt: now))
        XCTAssertEqual(answer.checkedAt, now)
        let broken = try bareClient(clock: { throw Locked() })
        expectLocked(try await failure { try broken.beginConsent() }, .configurationOption)
        expectLocked(
            try await failure { try await broken.confirmFunds(check(), tokens: someTokens()) }, .configurationOption)
    }

    func testAListenerIsToldOfEveryExchange() async throws {
        let events = Shared<[Event]>([])
        let bad = Saying { _ in try HttpResponse(status: 503, headers: [], body: Data()) }
        let client = try bareClient(bad, onEvent: { event in events.with { $0.append(event) } })
        let error = try await failure { try await client.confirmFunds(check(), tokens: someTokens()) }
        XCTAssertEqual(error.code, .bankUnavailable)
        XCTAssertEqual(events.value.map(\.attempt), [1, 2])
        XCTAssertEqual(events.value.map(\.operation), [.confirmFunds, .confirmFunds])
        XCTAssertEqual(events.value.map(\.httpStatus), [503, 503])
        XCTAssertEqual(events.value.last?.error, "bank.unavailable")
        XCTAssertEqual(events.value.first?.bankId, "bpce-17515")
        XCTAssertEqual(events.value.first?.requestId, error.requestId)
    }
}
