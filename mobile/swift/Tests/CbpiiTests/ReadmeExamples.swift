import Cbpii
import CbpiiGenerated
import Foundation
import XCTest

// The code of README.md, line by line, so that it is compiled: `core/tests/book` compares. What is Apple's own has a stand-in.

/// The README's code works, and the library's errors are those of the catalogue in the manual.
final class ReadmeExamples: XCTestCase {
    func testOnThePhone() async throws {
        var callback: URL { UIApplication.shared.wayBack }
        let bank = try Bank.bpce("17515", .production)
        let issuer = try Issuer(clientId: "PSDFR-ACPR-12345", redirectUri: "https://issuer.example/callback")

        // On the phone, without any key: send the cardholder to the bank, and read the way back.
        let pending = try PendingConsent(bank: bank, issuer: issuer)
        await UIApplication.shared.open(pending.url)
        let code = try pending.complete(callback)          // the URL the app was opened with
        // Give code.expose() and pending.json() to the issuer's server, which has the keys.
        XCTAssertEqual(code.expose(), "abc")
        XCTAssertEqual(pending.bankId, "bpce-17515")
    }

    func testWhereTheKeysAre() async throws {
        let sandbox = try Sandbox(
            "--redirect-uri", "https://issuer.example/callback", "--organisation-id", "PSDFR-ACPR-12345")
        let (qwac, qsealc) = (sandbox.issuer["qwac"], sandbox.issuer["qsealc"])
        let (qwacChain, qwacKey) = try (sandbox.file(qwac["chain"]), sandbox.file(qwac["key"]))
        let qsealcChain = try sandbox.bytes(qsealc["chain"])
        let mySigner = try OpenSSLSigner(key: sandbox.path(qsealc["key"]))
        try Sandbox.trust(sandbox.path(sandbox.issuer["ca"]))
        let bank = try sandbox.bank()
        let keyless = try Issuer(clientId: "PSDFR-ACPR-12345", redirectUri: "https://issuer.example/callback")
        let pending = try PendingConsent(bank: bank, issuer: keyless)
        let callback = try await sandbox.answer(pending.url)

        let transport = try TransportIdentity(chain: qwacChain, key: qwacKey)
        let seal = try SealIdentity(chain: qsealcChain, signer: mySigner)
        let issuer = try Issuer(
            clientId: "PSDFR-ACPR-12345", redirectUri: "https://issuer.example/callback", transport: transport, seal: seal)
        let client = try Client(bank: bank, issuer: issuer)
        let tokens = try await client.completeConsent(pending, callback: callback)
        let request = try FundsRequest(
            reference: "ORDER-4711", account: Account(Iban("FR76 1751 5900 0008 0035 8074 006")), amount: Amount("59.90", "EUR"))
        let answer = try await client.confirmFunds(request, tokens: tokens)
        print(answer.available)

        XCTAssertTrue(answer.available)
    }

    func testErrors() async throws {
        let sandbox = try await Sandbox.started()
        let pool = try SessionPool(client: sandbox.client(), store: SealedStore(OwnStore(), key: Data(0..<32)))
        let iban = "FR7617515006000000441070713"
        let session = try await pool.keep(sandbox.tokens("THEO"), as: "theo")
        var done = [String]()
        func sendToTheBankAgain() { done.append("consent") }
        func wait(_ pause: Duration) { done.append("\(pause)") }
        func log(_ error: CbpiiError) { done.append("\(error)") }
        let request = try check(iban: iban)

        do {
            print(try await session.confirmFunds(request).available)
        } catch {
            switch error.advice {
            case .renewConsent: sendToTheBankAgain()
            case .retryAfter: wait(error.retryAfter ?? .seconds(30))
            default: log(error)                             // "message [code]", nothing secret
            }
        }

        XCTAssertEqual(done, ["\(Duration.seconds(30))"])
    }

    func testTheErrorsAreThoseOfTheManual() throws {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../../core/src/manual/error_catalogue.md")
        let rows = try String(contentsOf: page, encoding: .utf8)
            .matches(of: /(?m)^\| `([a-z_.]+)`<br>([0-9]+) `([a-z_]+)` \| (.+?) \| .+ \|$/)
        XCTAssertEqual(
            rows.map { "\($0.output.1) \($0.output.2) \($0.output.3.filter { $0 != "_" }) \($0.output.4)" },
            ErrorCode.allCases.map { "\($0.rawValue) \($0.number) \("\($0.advice)".lowercased()) \($0.summary)" })
    }
}

/// Stands in for UIKit's: the bank gives its consent at once.
private final class UIApplication: Sendable {
    static let shared = UIApplication()
    private let back = Shared(URL(fileURLWithPath: "/"))

    var wayBack: URL { back.value }

    func open(_ url: URL) async {
        let query = URLComponents(url: url, resolvingAgainstBaseURL: false)?.queryItems ?? []
        let state = query.first { $0.name == "state" }?.value ?? ""
        let callback = URL(string: "https://issuer.example/callback?code=abc&state=\(state)")
        back.with { $0 = callback ?? $0 }
    }
}
