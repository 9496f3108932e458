import Cbpii
import Foundation
import XCTest

/// How calls run and end: cancellation, panics, memory, masks.
final class RunningTests: XCTestCase {
    // Cancellation

    func testACancelledTaskEndsTheWaitAtOnce() async throws {
        let sandbox = try await Sandbox.started()
        let (client, tokens) = (try sandbox.client(), try await sandbox.tokens())
        try await sandbox.fault("funds", "stall", times: nil)
        let task = Task { try await client.confirmFunds(check(), tokens: tokens) }
        _ = try await sandbox.requests(waitingFor: 1)
        let began = ContinuousClock.now
        task.cancel()
        let error = try await failure { try await task.value }
        XCTAssertLessThan(ContinuousClock.now - began, .seconds(2))
        XCTAssertEqual(error.kind, .cancelled)
        XCTAssertEqual(error.requestSent, .unknown)
    }

    func testACancelledTaskSendsNothing() async throws {
        let sandbox = try await Sandbox.started()
        let (client, tokens) = (try sandbox.client(), try await sandbox.tokens())
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await client.confirmFunds(check(), tokens: tokens)
        }
        let error = try await failure { try await task.value }
        XCTAssertEqual(error.code, .cancelled)
        XCTAssertEqual(error.requestSent, .no)
        let seen = try await sandbox.requests(waitingFor: 0)
        XCTAssertEqual(seen.count, 0)
    }

    func testACancelledCallCancelsTheOwnTransport() async throws {
        let (begun, ended) = (expectation(description: "begun"), expectation(description: "ended"))
        let slow = Saying { _ in
            begun.fulfill()
            defer { ended.fulfill() }
            try await Task.sleep(for: .seconds(3600))
            throw Failed("slept through")
        }
        let client = try bareClient(slow)
        let task = Task { try await client.confirmFunds(check(), tokens: someTokens()) }
        await fulfillment(of: [begun], timeout: 10)
        task.cancel()
        await fulfillment(of: [ended], timeout: 10)
        let error = try await failure { try await task.value }
        XCTAssertEqual(error.code, .cancelled)
    }

    func testATransportThatIsTooSlowIsCancelled() async throws {
        let ended = expectation(description: "ended")
        let slow = Saying { _ in
            defer { ended.fulfill() }
            try await Task.sleep(for: .seconds(3600))
            throw Failed("slept through")
        }
        let error = try await failure {
            try await bareClient(slow).confirmFunds(check(), tokens: someTokens(), timeout: .milliseconds(100))
        }
        XCTAssertEqual(error.code, .timeoutTotal)
        await fulfillment(of: [ended], timeout: 10)
    }

    func testATaskGroupGivesUpTheSlowerCalls() async throws {
        let sandbox = try await Sandbox.started()
        let (client, tokens) = (try sandbox.client(), try await sandbox.tokens())
        try await sandbox.fault("funds", "stall", times: nil)
        let kinds = try await withThrowingTaskGroup(of: ErrorKind.self) { group in
            for _ in 0..<8 {
                group.addTask { try await failure { try await client.confirmFunds(check(), tokens: tokens) }.kind }
            }
            _ = try await sandbox.requests(waitingFor: 8)
            group.cancelAll()
            return try await group.reduce(into: [ErrorKind]()) { $0.append($1) }
        }
        XCTAssertEqual(kinds, Array(repeating: .cancelled, count: 8))
    }

    // Panics

    func testAPanicIsAnErrorInEveryKindOfCall() async throws {
        let sandbox = try await Sandbox.started()
        let (client, tokens, pool) = (
            try bareClient(), try someTokens(), try SessionPool(client: bareClient(), store: SealedStore.inMemory())
        )
        let session = try await pool.keep(tokens, as: "claire")
        let (request, pending, qwac) = (try check(), try client.beginConsent(), sandbox.issuer["qwac"])
        let (chain, key) = (try sandbox.file(qwac["chain"]), try sandbox.file(qwac["key"]))
        let calls: [@Sendable () async throws -> Void] = [
            { _ = try Bank.directory(.sandbox) },
            { _ = try Bank(json: "{}") },
            { _ = try Amount("1", "EUR") },
            { _ = try TransportIdentity(chain: chain, key: key) },
            { _ = try Issuer(clientId: "a", redirectUri: "https://issuer.example/") },
            { _ = try client.explain(request) },
            { _ = try client.beginConsent() },
            { _ = try pending.complete("?code=abc") },
            { _ = try HttpResponse(status: 200, headers: [], body: Data()) },
            { _ = try CertificateReport(of: Data(chain.utf8)) },
            { _ = try session.status() },
            { _ = try session.history() },
            { _ = try await client.confirmFunds(request, tokens: tokens) },
            { _ = try await client.refresh(tokens) },
            { _ = try await client.exchangeCode(AuthorizationCode("abc"), of: pending) },
            { _ = try await session.confirmFunds(request) },
            { _ = try await session.reload() },
            { _ = try await pool.open("claire") },
        ]
        for (place, call) in calls.enumerated() {
            Testing.arm()
            let error = try await failure(of: call)
            XCTAssertEqual(error.code, .internal, "call \(place)")
            XCTAssertFalse(String(reflecting: error).contains("s3cr3t"))
        }
        let answer = try await session.confirmFunds(request)
        XCTAssertTrue(answer.available)
    }

    // Memory

    func testThousandsOfObjectsAreFreed() async throws {
        let sandbox = try await Sandbox.started()
        let (chain, key) = (try sandbox.bytes(sandbox.issuer["qsealc"]["chain"]), Data(count: 32))
        try await settle(at: Testing.alive)
        let before = Testing.alive
        for round in 0..<1000 {
            let client = try bareClient(clock: { .now }, onEvent: { _ in })
            let (tokens, pending) = (try someTokens(), try client.beginConsent())
            let code = try pending.complete("?code=abc&state=\(pending.state)")
            let pool = try SessionPool(client: client, store: SealedStore(OwnStore(), key: key))
            let session = try await pool.keep(tokens, as: "claire")
            let answer = try await session.confirmFunds(check())
            XCTAssertTrue(answer.available)
            _ = try await failure { try await client.exchangeCode(code, of: pending) }
            if round % 100 == 0 { _ = try SealIdentity(chain: chain, signer: OpenSSLSigner(key: "")) }
            XCTAssertGreaterThan(Testing.alive, before)
        }
        try await settle(at: before)
    }

    func testWhatTheAppImplementsIsFreed() async throws {
        weak var (store, transport): (OwnStore?, Counted?)
        weak var cause: Thrown?
        func use() async throws {
            let (own, counted, thrown) = (OwnStore(), Counted(), Thrown())
            (store, transport, cause) = (own, counted, thrown)
            counted.error = Carrying(thrown: thrown)
            let client = try bareClient(counted, bank: ["signature": nil])
            let pool = try SessionPool(client: client, store: SealedStore(own, key: Data(count: 32)))
            let session = try await pool.keep(someTokens(), as: "claire")
            let error = try await failure { try await session.confirmFunds(check()) }
            XCTAssertTrue((error.cause as? Carrying)?.thrown === thrown)
        }
        try await use()
        for _ in 0..<500 where store != nil || transport != nil || cause != nil { try await Task.sleep(for: .milliseconds(10)) }
        XCTAssertNil(store)
        XCTAssertNil(transport)
        XCTAssertNil(cause)
    }

    /// Waits until no more objects are alive: the last may go on a thread of the library.
    private func settle(at count: Int64) async throws {
        for _ in 0..<500 where Testing.alive > count { try await Task.sleep(for: .milliseconds(10)) }
        XCTAssertLessThanOrEqual(Testing.alive, count)
    }

    // Masks

    func testNothingSecretPrints() async throws {
        let sandbox = try await Sandbox.started()
        let secrets = ["secret-access-token", "secret-refresh-token", "s3cr3t-code", "c1i3nt-s3cr3t", Sandbox.claire, "PRIVATE"]
        let client = try sandbox.client()
        let pending = try client.beginConsent()
        let code = try pending.complete("?code=s3cr3t-code&state=\(pending.state)")
        let pool = try SessionPool(client: bareClient(), store: SealedStore.inMemory())
        let session = try await pool.keep(someTokens(), as: "claire")
        let heard = Shared<[any Sendable]>([])
        let listening = Saying { request in
            let answer = try await Saying.yes(request)
            heard.with { $0 += [request, answer] }
            return answer
        }
        _ = try await bareClient(listening).confirmFunds(check(), tokens: someTokens())
        let issuer = try Issuer(
            clientId: "PSDFR-ACPR-12345", redirectUri: "https://issuer.example/", clientSecret: "c1i3nt-s3cr3t")
        let objects: [any Sendable] = try [
            someTokens(), code, Iban(Sandbox.claire), Account(Iban(Sandbox.claire)), check(), sandbox.transport(),
            sandbox.seal(), issuer, client, pool, session, SealedStore.inMemory(), sandbox.bank(), Amount("1", "EUR"),
        ]
        for object in objects + heard.value + [pending] {
            var dumped = ""
            dump(object, to: &dumped)
            let shown = "\(object) \(String(reflecting: object)) \(dumped)"
            for secret in secrets { XCTAssertFalse(shown.contains(secret), "\(type(of: object)) shows \(secret): \(shown)") }
        }
        XCTAssertFalse("\(pending)".contains(pending.state))
        XCTAssertEqual("\(try Iban(Sandbox.claire))", "FR76…4006")
    }
}

private final class Thrown: Sendable {}

private struct Carrying: Error {
    let thrown: Thrown
}

private final class Counted: Transport, @unchecked Sendable {
    var error: (any Error)?
    func exchange(_ request: HttpRequest) async throws -> HttpResponse {
        if let error { throw error }
        return try await Saying.yes(request)
    }
}
