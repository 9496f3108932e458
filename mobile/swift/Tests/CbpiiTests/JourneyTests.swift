import Cbpii
import Foundation
import XCTest

/// From the consent to the answer, as an app goes.
final class JourneyTests: XCTestCase {
    func testFromConsentToAnswer() async throws {
        let sandbox = try await Sandbox.started()
        let client = try sandbox.client()
        let pending = try client.beginConsent()
        // The app may be ended while the cardholder is at the bank.
        let restored = try PendingConsent(json: pending.json())
        XCTAssertEqual(restored.url, pending.url)
        let tokens = try await client.completeConsent(restored, callback: sandbox.answer(pending.url))
        XCTAssertGreaterThan(tokens.consentExpiresAt, .now + 179 * 86_400)
        let yes = try await client.confirmFunds(check("458.99"), tokens: tokens)
        XCTAssertTrue(yes.available)
        XCTAssertEqual(yes.reference, "ORDER-1")
        XCTAssertEqual(yes.bankId, "bpce-17515")
        XCTAssertEqual(yes.responseSignature, .unverified)
        XCTAssertGreaterThan(yes.duration, .zero)
        let no = try await client.confirmFunds(check("459"), tokens: Tokens(json: tokens.json()))
        XCTAssertFalse(no.available)
        let refreshed = try await client.refresh(tokens)
        XCTAssertNotEqual(refreshed.exposeAccessToken(), tokens.exposeAccessToken())
    }

    func testAConsentWithoutAnyKey() async throws {
        let sandbox = try await Sandbox.started()
        let issuer = try sandbox.ownIssuer(transport: .some(nil), seal: .some(nil))
        let pending = try PendingConsent(bank: sandbox.bank(), issuer: issuer, validFor: .seconds(60))
        XCTAssertEqual(pending.expiresAt.timeIntervalSince(pending.createdAt), 60, accuracy: 0.001)
        let callback = try await sandbox.answer(pending.url)
        let code = try pending.complete(callback)
        // The issuer's server does the rest.
        let tokens = try await sandbox.client().exchangeCode(AuthorizationCode(code.expose()), of: pending)
        let answer = try await sandbox.client().confirmFunds(check(), tokens: tokens)
        XCTAssertTrue(answer.available)
    }

    func testARefusingCardholder() async throws {
        let sandbox = try await Sandbox.started()
        let pending = try sandbox.client().beginConsent()
        let callback = try await sandbox.answer(pending.url, "refuse")
        let error = try await failure { try pending.complete(callback) }
        XCTAssertEqual(error.code, .consentAccessDenied)
        XCTAssertEqual(error.kind, .consentRefused)
    }

    func testASessionRefreshesAndIsKept() async throws {
        let sandbox = try await Sandbox.started()
        let (store, key) = (OwnStore(), Data(0..<32))
        let sealed = try SealedStore(store, key: key)
        let pool = try SessionPool(client: sandbox.client(), store: sealed, renewBefore: .seconds(3600))
        let tokens = try await sandbox.tokens(expiresAt: .now)
        let session = try await pool.keep(tokens, as: "claire")
        let answer = try await session.confirmFunds(check())
        XCTAssertTrue(answer.available)
        XCTAssertEqual(try session.history().map(\.event), [.kept, .refreshStarted, .refreshed])
        XCTAssertEqual(try session.status().state, .active)
        XCTAssertFalse(session.hasUnsavedTokens)
        XCTAssertEqual(session.id, "claire")

        // Another process with the same store and a newer key.
        let other = try SealedStore(store, key: Data(32..<64), oldKeys: [key])
        let reopened = try await SessionPool(client: sandbox.client(), store: other).open("claire")
        let status = try await reopened.reload()
        XCTAssertEqual(status.nextAction, .none)
        XCTAssertEqual(status.consentExpiresAt, Sandbox.forever)
        let due = try await other.renewalsDue(before: Sandbox.forever + 1)
        XCTAssertEqual(due.map(\.id), ["claire"])
        XCTAssertEqual(due.map(\.reason), [.ending])
        for secret in [tokens.exposeAccessToken(), tokens.exposeRefreshToken() ?? ""] {
            XCTAssertTrue(store.sealed.allSatisfy { $0.range(of: Data(secret.utf8)) == nil })
        }
        let (first, second) = (try await pool.forget("claire"), try await pool.forget("claire"))
        XCTAssertEqual([first, second], [true, false])
    }

    func testManyTasksUseOneClient() async throws {
        let sandbox = try await Sandbox.started()
        let (client, tokens) = (try sandbox.client(), try await sandbox.tokens())
        let ready = try await client.warmUp(connections: 2)
        XCTAssertEqual(ready, 2)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for amount in 440..<480 {
                group.addTask {
                    try await client.confirmFunds(check("\(amount)"), tokens: tokens).available == (amount < 459)
                }
            }
            for try await right in group { XCTAssertTrue(right) }
        }
    }

    func testBanksAreFound() throws {
        XCTAssertEqual(try Bank.bpce("17515", .production).id, "bpce-17515")
        XCTAssertTrue(try Bank.find("caisse épargne ile", .production).contains { $0.id == "bpce-17515" })
        XCTAssertEqual(try Bank.holding(Iban(Sandbox.claire), .sandbox).first?.establishmentCode, "17515")
        XCTAssertEqual(try Bank.withCode("17515", .sandbox).first?.environment, .sandbox)
        XCTAssertEqual(try Bank.withCode("00000", .sandbox).count, 0)
        XCTAssertGreaterThan(try Bank.directory(.production).count, 30)
        XCTAssertEqual(try Bank(id: "lydia", .production).name, try Bank(json: Bank(id: "lydia", .production).json()).name)
    }

    func testCertificatesAreReportedOn() async throws {
        let sandbox = try await Sandbox.started()
        let (qwac, other) = (sandbox.issuer["qwac"], sandbox.issuer["qsealc"])
        let certificate = try sandbox.bytes(qwac["chain"])
        let good = try CertificateReport(of: certificate, key: sandbox.bytes(qwac["key"]), for: .transport)
        XCTAssertEqual(good.findings, [])
        XCTAssertEqual(good.psd2Roles, ["PSP_IC"])
        XCTAssertEqual(good.organisationAuthority, "ACPR")
        let bad = try CertificateReport(of: certificate, key: sandbox.bytes(other["key"]))
        XCTAssertTrue(bad.findings.contains { $0.code == "key_mismatch" && $0.severity == .error }, "\(bad.findings)")
        let late = try CertificateReport(of: certificate, at: Sandbox.forever)
        XCTAssertLessThan(late.daysLeft, 0)
        let issuer = try sandbox.ownIssuer(transport: sandbox.transport("no-role"))
        XCTAssertTrue(try issuer.check(for: sandbox.bank()).contains { $0.code == "not_a_cbpii" })
    }

    func testKeysInEveryFormThatIsUnderNoPassword() async throws {
        let sandbox = try await Sandbox.started()
        let kit = sandbox.issuer
        let transport = try TransportIdentity(
            chain: sandbox.file(kit["qwac"]["chain"]), key: sandbox.file(kit["qwac_forms"]["pkcs1_pem"]))
        let seal = try SealIdentity(
            chain: sandbox.file(kit["qsealc"]["chain"]), key: sandbox.file(kit["qsealc_forms"]["pkcs1_pem"]))
        let client = try Client(bank: sandbox.bank(), issuer: sandbox.ownIssuer(transport: transport, seal: seal))
        let answer = try await client.confirmFunds(check(), tokens: sandbox.tokens())
        XCTAssertTrue(answer.available)
    }

    func testARequestIsExplained() async throws {
        let sandbox = try await Sandbox.started()
        let explanation = try sandbox.client().explain(check(requestId: "r-1"))
        XCTAssertEqual(explanation.method, "POST")
        XCTAssertTrue(explanation.headers.contains { $0.name == "x-request-id" && $0.value == "r-1" })
        XCTAssertNotNil(explanation.signingString)
        XCTAssertEqual("\(explanation)", explanation.text)
        XCTAssertFalse(explanation.text.contains(Sandbox.claire))
    }
}
