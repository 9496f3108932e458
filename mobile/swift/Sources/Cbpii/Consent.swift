import CbpiiGenerated
import Foundation

/// A consent that is being asked for: open its URL, keep it, and complete it with the callback. It prints without its secrets.
public struct PendingConsent: Sendable, CustomStringConvertible {
    let raw: RawPendingConsent
    /// Where to send the cardholder. Opened as a universal link, it starts the bank's app.
    public let url: URL

    init(_ raw: RawPendingConsent) throws(CbpiiError) {
        guard let url = URL(string: raw.url()) else {
            throw CbpiiError(.configurationEndpointInvalid, "The bank's authorize_url is none that this device opens.")
        }
        self.raw = raw
        self.url = url
    }

    /// Begins a consent without a client, and so without certificate and key. `validFor` is how long the cardholder may take at
    /// the bank.
    ///
    /// Throws `configuration.endpoint_missing`, `configuration.option`, and what a bank record can fail with.
    public init(
        bank: Bank, issuer: Issuer, validFor: Duration = .seconds(900), at moment: Date = .now
    ) throws(CbpiiError) {
        try self.init(
            direct { try RawPendingConsent.begin(bank: bank.raw, issuer: issuer.raw, validFor: validFor, at: moment) })
    }

    /// Reads the saved form back.
    ///
    /// Throws `request.saved_state`.
    public init(json: String) throws(CbpiiError) {
        try self.init(direct { try RawPendingConsent.fromJson(json: json) })
    }

    /// The saved form. It holds the `state` and the PKCE verifier: keep it in the Keychain, or in the app's protected storage.
    public func json() -> String { raw.toJson() }

    /// The id of the bank this consent is asked from.
    public var bankId: String { raw.bankId() }
    /// The `state` parameter: it ties the callback to this consent, and can serve as the key under which this is kept.
    public var state: String { raw.state() }
    /// The redirect URI, byte for byte as registered.
    public var redirectUri: String { raw.redirectUri() }
    /// When it began.
    public var createdAt: Date { raw.createdAt() }
    /// When it is no longer accepted.
    public var expiresAt: Date { raw.expiresAt() }

    /// Reads the callback, that is the URL the app was opened with. No I/O, no key.
    ///
    /// Throws `request.callback`, `consent.state_mismatch`, `consent.issuer_mismatch`, `consent.duplicated_parameter`,
    /// `consent.callback_without_answer`, `consent.pending_expired`, `consent.access_denied`, `consent.refused_by_bank`,
    /// `consent.bank_unavailable`, `request.token`.
    public func complete(_ callback: URL, at moment: Date = .now) throws(CbpiiError) -> AuthorizationCode {
        try complete(callback.absoluteString, at: moment)
    }

    /// The same with the callback as text, as a server has it.
    public func complete(_ callback: String, at moment: Date = .now) throws(CbpiiError) -> AuthorizationCode {
        try direct { AuthorizationCode(try raw.complete(callbackUrl: callback, at: moment)) }
    }

    public var description: String { raw.description }
}

/// The one-time code of a consent that was given. It lives for minutes: exchange it at once. It prints masked.
public struct AuthorizationCode: Sendable, CustomStringConvertible {
    let raw: RawAuthorizationCode

    init(_ raw: RawAuthorizationCode) {
        self.raw = raw
    }

    /// A code that came on another way than a callback URL.
    ///
    /// Throws `request.token`.
    public init(_ code: String) throws(CbpiiError) {
        raw = try direct { try RawAuthorizationCode(code: code) }
    }

    /// The code itself, for the issuer's server. Never log what this returns.
    public func expose() -> String { raw.expose() }

    public var description: String { raw.description }
}

/// The tokens of one cardholder's consent at one bank. They print masked and are overwritten when the last copy goes.
public struct Tokens: Sendable, CustomStringConvertible {
    let raw: RawTokens

    init(_ raw: RawTokens) {
        self.raw = raw
    }

    /// Tokens that were obtained elsewhere. `expiresAt` is the access token's end, when known.
    ///
    /// Throws `request.token`.
    public init(
        accessToken: String, refreshToken: String? = nil, obtainedAt: Date, expiresAt: Date? = nil, consentExpiresAt: Date
    ) throws(CbpiiError) {
        raw = try direct {
            try RawTokens(
                accessToken: accessToken, refreshToken: refreshToken, obtainedAt: obtainedAt, expiresAt: expiresAt,
                consentExpiresAt: consentExpiresAt)
        }
    }

    /// Reads the saved form back.
    ///
    /// Throws `request.saved_state`, `request.token`.
    public init(json: String) throws(CbpiiError) {
        raw = try direct { try .fromJson(json: json) }
    }

    /// The saved form. It holds the tokens in clear: encrypt it.
    public func json() -> String { raw.toJson() }

    /// The access token. Never log what this returns.
    public func exposeAccessToken() -> String { raw.exposeAccessToken() }
    /// The refresh token, if the bank gave one. Never log what this returns.
    public func exposeRefreshToken() -> String? { raw.exposeRefreshToken() }
    /// Always `Bearer` (RFC 6750): nothing else is accepted.
    public var tokenType: String { raw.tokenType() }
    /// The scope as the bank stated it.
    public var scope: String? { raw.scope() }
    /// When the bank issued the access token.
    public var obtainedAt: Date { raw.obtainedAt() }
    /// When the access token ends; nil when the bank did not say.
    public var expiresAt: Date? { raw.expiresAt() }
    /// When the consent as a whole ends. Refreshing does not move it.
    public var consentExpiresAt: Date { raw.consentExpiresAt() }

    public var description: String { raw.description }
}
