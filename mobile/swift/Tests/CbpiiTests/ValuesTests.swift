import Cbpii
import Foundation
import XCTest

/// Decimals, moments and spans as Swift has them.
final class ValuesTests: XCTestCase {
    func testDecimalsAreExact() throws {
        for text in ["0.01", "12.5", "9007199254740993.01", "0.1", "1.1", "9999999999999.99", "459"] {
            let value = try XCTUnwrap(Decimal(string: text))
            guard text.count < 17 else {
                XCTAssertThrowsError(try Amount(value, "EUR"))
                continue
            }
            XCTAssertEqual(try Amount(value, "EUR").value, value)
            XCTAssertEqual(try Amount(value, "EUR"), try Amount(text, "EUR"))
            XCTAssertEqual("\(try Amount(value, "EUR"))", "\(text) EUR")
        }
    }

    func testWhatIsNoAmount() throws {
        let third: Decimal = 1 / 3
        for value in [Decimal.nan, 0, -1, third, .greatestFiniteMagnitude, .leastFiniteMagnitude, Decimal(string: "0.001")!] {
            XCTAssertThrowsError(try Amount(value, "EUR"), "\(value)") {
                XCTAssertEqual(($0 as? CbpiiError)?.code, .requestAmount, "\(value)")
            }
        }
        XCTAssertEqual(try Amount.decimals(of: "JPY"), 0)
    }

    func testAmountsAndIbansAreEqualByValue() throws {
        XCTAssertEqual(try Amount("12.50", "EUR"), try Amount("12.5", "EUR"))
        XCTAssertNotEqual(try Amount("12.50", "EUR"), try Amount("12.50", "CHF"))
        XCTAssertEqual(Set([try Iban(Sandbox.claire), try Iban("FR76 1751 5900 0008 0035 8074 006")]).count, 1)
        XCTAssertEqual(try Iban(Sandbox.claire).bankCode, "17515")
    }

    func testMomentsTravelToTheMillisecond() throws {
        for seconds in [0, 0.001, 1_795_438_800.123, -62_135_596_800, 253_402_207_199.999] {
            let tokens = try someTokens(consentExpiresAt: Date(timeIntervalSince1970: seconds))
            XCTAssertEqual(tokens.consentExpiresAt.timeIntervalSince1970, seconds, accuracy: 0.0005)
        }
    }

    func testNoMomentAndNoSpanEndsTheProcess() throws {
        let infinite = [Double.infinity, -.infinity, .nan, .greatestFiniteMagnitude].map(Date.init(timeIntervalSince1970:))
        for moment in infinite + [.distantFuture, .distantPast] {
            _ = try? someTokens(consentExpiresAt: moment).json()
            _ = try? bareClient().beginConsent().complete("?code=abc", at: moment)
        }
        for span in [Duration.zero, .seconds(-1), .seconds(Int64.max), .seconds(Int64.min), .nanoseconds(1)] {
            XCTAssertThrowsError(try bareClient(timeout: span)) {
                XCTAssertEqual(($0 as? CbpiiError)?.code, .configurationOption, "\(span)")
            }
        }
    }

    func testNumbersOutOfRangeAreRefused() throws {
        for count in [-1, Int.min, Int.max] {
            let bank = try changed(Bank.bpce("17515", .sandbox), ["signature": nil])
            let issuer = try Issuer(clientId: "PSDFR-ACPR-12345", redirectUri: "https://issuer.example/callback")
            XCTAssertThrowsError(try Client(bank: bank, issuer: issuer, retries: count, transport: Saying()))
        }
    }
}
