import Cbpii
import Foundation
import XCTest

struct Failed: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

func changed(_ bank: Bank, _ changes: [String: Json]) throws -> Bank {
    let record = try Json.read(bank.json()).object ?? [:]
    return try Bank(json: Json.object(record.merging(changes) { $1 }).text)
}

/// A question.
func check(
    _ amount: String = "59.90", iban: String = Sandbox.claire, payee: String? = nil, psu: PsuContext? = nil,
    requestId: String? = nil
) throws -> FundsRequest {
    try FundsRequest(
        reference: "ORDER-1", account: Account(Iban(iban)), amount: Amount(amount, "EUR"), payee: payee, psu: psu,
        requestId: requestId)
}

func someTokens(
    access: String = "secret-access-token", refresh: String? = "secret-refresh-token", obtainedAt: Date = .now,
    consentExpiresAt: Date = Sandbox.forever
) throws -> Tokens {
    try Tokens(
        accessToken: access, refreshToken: refresh, obtainedAt: obtainedAt, consentExpiresAt: consentExpiresAt)
}

/// A transport in memory.
struct Saying: Transport {
    let answer: @Sendable (HttpRequest) async throws -> HttpResponse

    init(_ answer: @escaping @Sendable (HttpRequest) async throws -> HttpResponse = Saying.yes) {
        self.answer = answer
    }

    func exchange(_ request: HttpRequest) async throws -> HttpResponse { try await answer(request) }

    @Sendable static func yes(_ request: HttpRequest) async throws -> HttpResponse {
        let asked = try Json.read(request.exposeBody())
        let body: Json = ["request": asked, "result": true, "_links": ["self": ["href": "/"]]]
        return try HttpResponse(status: 200, headers: [("content-type", "application/hal+json")], body: body.data)
    }
}

/// A client that needs no certificates: of a bank that wants no signature, over a transport in memory.
func bareClient(
    _ transport: any Transport = Saying(), bank changes: [String: Json] = [:], timeout: Duration? = nil,
    clock: (@Sendable () throws -> Date)? = nil, onEvent: (@Sendable (Event) -> Void)? = nil
) throws -> Client {
    let bank = try changed(Bank.bpce("17515", .sandbox), changes.merging(["signature": nil]) { one, _ in one })
    let issuer = try Issuer(clientId: "PSDFR-ACPR-12345", redirectUri: "https://issuer.example/callback")
    return try Client(
        bank: bank, issuer: issuer, timeout: timeout, transport: transport, clock: clock, onEvent: onEvent)
}

/// What a call throws; a failure of the test when it throws nothing or something else.
func failure<T>(
    file: StaticString = #filePath, line: UInt = #line, of call: () async throws -> T
) async throws -> CbpiiError {
    do {
        let given = try await call()
        XCTFail("no error but \(given)", file: file, line: line)
    } catch let error as CbpiiError {
        return error
    }
    throw Failed("no error")
}

/// A value that several threads use.
final class Shared<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var inner: Value
    init(_ value: Value) { inner = value }
    var value: Value { lock.withLock { inner } }
    @discardableResult
    func with<T>(_ job: (inout Value) throws -> T) rethrows -> T { try lock.withLock { try job(&inner) } }
}

/// Other programs.
enum Program {
    /// What a program answers to its input.
    static func output(_ path: String, _ arguments: [String], input: Data = Data()) throws -> Data {
        let (process, stdin, stdout, stderr) = (Process(), Pipe(), Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        (process.standardInput, process.standardOutput, process.standardError) = (stdin, stdout, stderr)
        try process.run()
        try stdin.fileHandleForWriting.write(contentsOf: input)
        try stdin.fileHandleForWriting.close()
        let output = try stdout.fileHandleForReading.readToEnd() ?? Data()
        let said = try stderr.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failed(String(decoding: said, as: UTF8.self)) }
        return output
    }

    /// The first line of this kind.
    static func line(of handle: FileHandle, where wanted: (String) -> Bool) throws -> String {
        var line = Data()
        while let byte = try handle.read(upToCount: 1), !byte.isEmpty {
            if byte != Data("\n".utf8) {
                line.append(byte)
            } else if wanted(String(decoding: line, as: UTF8.self)) {
                return String(decoding: line, as: UTF8.self)
            } else {
                line = Data()
            }
        }
        throw Failed("a program ended before it was ready")
    }
}

/// A folder of its own for a test.
func temporaryFolder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
}
