import CbpiiGenerated
import Foundation

/// One issuer at one bank. Make one and keep it: it keeps connections open and resumes TLS sessions.
///
/// Calls run on threads of the library. When the task that waits for one is cancelled, the call ends at once with the code
/// `cancelled`; ``CbpiiError/requestSent`` says whether it may have reached the bank.
public final class Client: Sendable, CustomStringConvertible {
    let raw: RawClient

    /// Checks everything and makes the client. No I/O.
    ///
    /// - Parameters:
    ///   - timeout: The time a whole call may take, retries included. Default 10 s; from 1 ms to one hour.
    ///   - connectTimeout: The time one connection, TLS handshake included, may take. Default 5 s; from 1 ms to one hour.
    ///   - maxIdleConnections: How many unused connections are kept open per host. Default 2.
    ///   - maxIdleAge: How long an unused connection is kept open. Default 60 s.
    ///   - retries: How often a funds check is sent again after a failure of the connection or a 502, 503 or 504. Default 1; at
    ///     most 5.
    ///   - checkEligibility: Whether certificates that make the issuer ineligible keep the client from being built.
    ///   - proxy: An http proxy that offers CONNECT, with its password if it has one.
    ///   - transport: Makes the HTTP exchanges; TLS and connections are then its business.
    ///   - clock: Where the present comes from.
    ///   - onEvent: Told of every HTTP exchange, on the thread that made it. It must be quick.
    ///
    /// Throws of kind `configuration` and `eligibility`.
    public init(
        bank: Bank, issuer: Issuer, timeout: Duration? = nil, connectTimeout: Duration? = nil,
        maxIdleConnections: Int? = nil, maxIdleAge: Duration? = nil, retries: Int? = nil,
        checkEligibility: Bool = true, proxy: String? = nil, transport: (any Transport)? = nil,
        clock: (@Sendable () throws -> Date)? = nil, onEvent: (@Sendable (Event) -> Void)? = nil
    ) throws(CbpiiError) {
        let settings = RawClientSettings(
            timeout: timeout, connectTimeout: connectTimeout,
            maxIdleConnections: maxIdleConnections.map { Int32(clamping: $0) }, maxIdleAge: maxIdleAge,
            retries: retries.map { Int32(clamping: $0) }, checkEligibility: checkEligibility)
        raw = try direct {
            try RawClient(
                bank: bank.raw, issuer: issuer.raw, settings: settings, proxy: proxy,
                transport: transport.map(TransportOfTheApp.init), clock: clock.map(ClockOfTheApp.init),
                listener: onEvent.map(ListenerOfTheApp.init))
        }
    }

    /// Begins a consent; `validFor` is how long the cardholder may take at the bank. No I/O.
    ///
    /// Throws `configuration.option`.
    public func beginConsent(validFor: Duration = .seconds(900)) throws(CbpiiError) -> PendingConsent {
        try PendingConsent(direct { try raw.beginConsent(validFor: validFor) })
    }

    /// Reads the callback, that is the URL the app was opened with, and exchanges its code for tokens, in one step.
    ///
    /// Throws as ``PendingConsent/complete(_:at:)-(URL,_)`` and ``exchangeCode(_:of:timeout:)``.
    public func completeConsent(
        _ pending: PendingConsent, callback: URL, timeout: Duration? = nil
    ) async throws(CbpiiError) -> Tokens {
        Tokens(
            try await cancellable {
                try await raw.completeConsent(
                    pending: pending.raw, callbackUrl: callback.absoluteString, timeout: timeout, cancel: $0)
            })
    }

    /// Exchanges the code for tokens. A code works once, so this is never re-sent: after a time-out or a broken connection ask
    /// the cardholder again.
    ///
    /// Throws `consent.code_refused`, `bank.client_refused`, and any error of network, TLS, time and protocol.
    public func exchangeCode(
        _ code: AuthorizationCode, of pending: PendingConsent, timeout: Duration? = nil
    ) async throws(CbpiiError) -> Tokens {
        Tokens(
            try await cancellable {
                try await raw.exchangeCode(pending: pending.raw, code: code.raw, timeout: timeout, cancel: $0)
            })
    }

    /// Refreshes the tokens. A session does this by itself.
    ///
    /// Throws `consent.lost`, `consent.no_refresh_token`, and any error of network, TLS, time and protocol.
    public func refresh(_ tokens: Tokens, timeout: Duration? = nil) async throws(CbpiiError) -> Tokens {
        Tokens(try await cancellable { try await raw.refresh(tokens: tokens.raw, timeout: timeout, cancel: $0) })
    }

    /// Asks the bank whether the account covers the amount. Nothing is reserved.
    ///
    /// No answer is not "no funds": anything but a well-formed yes or no to exactly this request is thrown.
    /// `consent.access_token_refused` when the access token is no longer good; `bank.…` when the bank refuses; and any error of
    /// network, TLS, time and protocol.
    public func confirmFunds(
        _ request: FundsRequest, tokens: Tokens, timeout: Duration? = nil
    ) async throws(CbpiiError) -> FundsConfirmation {
        try await cancellable {
            try await raw.confirmFunds(tokens: tokens.raw, request: request.raw, timeout: timeout, cancel: $0)
        }
    }

    /// What ``confirmFunds(_:tokens:timeout:)`` would send, header by header, with the exact signing string. Nothing is sent and
    /// no key is used.
    public func explain(_ request: FundsRequest) throws(CbpiiError) -> Explanation {
        try direct { try raw.explain(request: request.raw) }
    }

    /// Opens connections (at most 256) to the bank ahead, so that the first calls cost what later ones do. Returns how many are
    /// ready. It takes no longer than `connectTimeout`, and is not ended by cancelling its task.
    ///
    /// Throws when not one could be opened.
    @discardableResult
    public func warmUp(connections: Int = 1) async throws(CbpiiError) -> Int {
        Int(try await awaited { try await raw.warmUp(connections: Int32(clamping: connections)) })
    }

    public var description: String { raw.description }
}

/// A clock, as the library has it.
private final class ClockOfTheApp: RawClock {
    private let clock: @Sendable () throws -> Date

    init(_ clock: @escaping @Sendable () throws -> Date) {
        self.clock = clock
    }

    func now() throws -> Date { try asked(clock) }
}

/// A listener, as the library has it.
private final class ListenerOfTheApp: RawEventListener {
    private let listener: @Sendable (Event) -> Void

    init(_ listener: @escaping @Sendable (Event) -> Void) {
        self.listener = listener
    }

    func onEvent(event: Event) throws { listener(event) }
}
