import Cbpii
import Foundation
import XCTest

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// The sandbox bank as a process of its own, on free ports of this machine; it ends with its object.
final class Sandbox: @unchecked Sendable {
    static let claire = "FR7617515900000800358074006"
    static let forever = Date(timeIntervalSince1970: 4_102_444_800)
    private static let one = Result { try Sandbox() }

    /// The bank that most tests share, as at its start.
    static func started() async throws -> Sandbox {
        let bank = try one.get()
        try trust(bank.path(bank.issuer["ca"]))
        try await bank.reset()
        return bank
    }

    /// As at its start, and every open connection closed.
    func reset() async throws {
        try await control("POST", "/reset", [:])
        try await control("DELETE", "/connections")
    }

    let endpoints: Json
    let issuer: Json
    private let process = Process()
    private let input = Pipe()

    init(_ arguments: [String] = []) throws {
        let program = try XCTUnwrap(
            ProcessInfo.processInfo.environment["CBPII_SANDBOX"], "CBPII_SANDBOX must name the sandbox bank's binary")
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = ["--quiet"] + arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        let facts = try Json.read(try Program.line(of: output.fileHandleForReading) { _ in true })
        endpoints = facts["endpoints"]
        issuer = facts["issuer"]
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// Makes URLSession trust these roots. On Linux it reads them from a file, and run-tests gives the tests one of their own.
    static func trust(_ roots: String) throws {
        let trusted = try XCTUnwrap(ProcessInfo.processInfo.environment["CBPII_TRUSTED"])
        try Data(contentsOf: URL(fileURLWithPath: roots)).write(to: URL(fileURLWithPath: trusted))
    }

    var origin: String { endpoints["origin"].string ?? "" }

    @discardableResult
    func control(_ method: String, _ path: String, _ body: Json? = nil) async throws -> Json {
        var request = URLRequest(url: try XCTUnwrap(URL(string: (endpoints["control_url"].string ?? "") + path)))
        request.httpMethod = method
        request.httpBody = body?.data
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        let (data, response) = try await URLSession.shared.data(for: request)
        let status = (response as? HTTPURLResponse)?.statusCode ?? 0
        guard (200..<300).contains(status) else {
            throw Failed("\(method) \(path): \(status) \(String(decoding: data, as: UTF8.self))")
        }
        return data.isEmpty ? .null : try Json.read(data)
    }

    func settings(_ changes: Json) async throws { try await control("PATCH", "/settings", changes) }

    /// Makes something go wrong; `times` is null for always.
    func fault(_ endpoint: String, _ kind: String, times: Json = 1, _ members: [String: Json] = [:]) async throws {
        let fault = Json.object(members.merging(["kind": .string(kind)]) { $1 })
        try await control("POST", "/faults", ["endpoint": .string(endpoint), "times": times, "fault": fault])
    }

    /// The requests the bank has seen, once so many have arrived.
    func requests(waitingFor count: Int) async throws -> [Json] {
        let seen = try await control("GET", "/requests?wait_for=\(count)&timeout_ms=10000").array ?? []
        XCTAssertGreaterThanOrEqual(seen.count, count)
        return seen
    }

    /// Where a browser is sent when the persona approves (or refuses) at the consent URL.
    func answer(_ url: URL, _ auto: String = "approve", persona: String = "CLAIRE") async throws -> URL {
        let page = try XCTUnwrap(URL(string: "\(url.absoluteString)&auto=\(auto)&persona=\(persona)"))
        var visit = URLRequest(url: page)
        // See URLSessionTransport: no session goes with an open connection.
        visit.setValue("close", forHTTPHeaderField: "Connection")
        let browser = Browser()
        let session = URLSession(configuration: .ephemeral, delegate: browser, delegateQueue: nil)
        defer { session.finishTasksAndInvalidate() }
        return try await browser.redirect(session.dataTask(with: visit))
    }

    /// Tokens as if the persona had just consented.
    func tokens(_ persona: String = "CLAIRE", scope: String? = nil, obtainedAt: Date = .now, expiresAt: Date? = nil)
        async throws -> Tokens
    {
        var wanted: [String: Json] = ["persona": .string(persona)]
        wanted["scope"] = scope.map(Json.string)
        let given = try await control("POST", "/tokens", .object(wanted))
        return try Tokens(
            accessToken: given["access_token"].string ?? "", refreshToken: given["refresh_token"].string,
            obtainedAt: obtainedAt, expiresAt: expiresAt, consentExpiresAt: Self.forever)
    }

    // What an issuer has.

    func file(_ name: Json) throws -> String { try String(contentsOfFile: try path(name), encoding: .utf8) }
    func bytes(_ name: Json) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: try path(name))) }
    func path(_ name: Json) throws -> String { try XCTUnwrap(name.string) }

    func transport(_ variant: String? = nil) throws -> TransportIdentity {
        let files = variant.map { issuer["variants"][$0] } ?? issuer["qwac"]
        return try TransportIdentity(chain: file(files["chain"]), key: file(files["key"]))
    }

    func seal(keyId: String? = nil) throws -> SealIdentity {
        let files = issuer["qsealc"]
        return try SealIdentity(chain: file(files["chain"]), key: file(files["key"]), keyId: keyId)
    }

    func ownIssuer(transport: TransportIdentity?? = .none, seal: SealIdentity?? = .none, clientId: String? = nil) throws
        -> Issuer
    {
        try Issuer(
            clientId: try clientId ?? path(issuer["client_id"]), redirectUri: try path(issuer["redirect_uri"]),
            transport: try transport ?? self.transport(), seal: try seal ?? self.seal())
    }

    /// The bank's record, changed as said.
    func bank(_ changes: [String: Json] = [:]) throws -> Bank {
        let bank = try Bank.bpce("17515", .sandbox).withOrigin(origin)
            .withTrustAnchor(file(issuer["ca"]), .replace)
        return try changes.isEmpty ? bank : changed(bank, changes)
    }

    func client(_ changes: [String: Json] = [:], retries: Int = 0) throws -> Client {
        try Client(bank: bank(changes), issuer: ownIssuer(), retries: retries)
    }
}

/// Goes to a page and tells where it is sent from there, without going.
private final class Browser: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    private var outcome: CheckedContinuation<URL, any Error>?

    func redirect(_ task: URLSessionTask) async throws -> URL {
        try await withCheckedThrowingContinuation { outcome in
            self.outcome = outcome
            task.resume()
        }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        let location = (task.response as? HTTPURLResponse)?.value(forHTTPHeaderField: "Location")
        let failed = error ?? Failed("the consent page did not redirect")
        outcome?.resume(with: location.flatMap(URL.init(string:)).map(Result.success) ?? .failure(failed))
    }
}
