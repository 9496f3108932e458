import CbpiiGenerated
import Foundation

/// The consents of one issuer at one bank.
public final class SessionPool: Sendable, CustomStringConvertible {
    private let raw: RawSessionPool

    /// A client and a store.
    ///
    /// - Parameters:
    ///   - refreshMargin: How long before its end an access token is refreshed. Default 60 s; at most one hour.
    ///   - renewBefore: How long before its end a consent should be renewed. Default 14 days; at most 3650.
    ///   - refreshTimeout: The time a refresh may take, whatever time the check that caused it has. Default 10 s; 1 s to 5
    ///     minutes.
    ///
    /// Throws `configuration.option`.
    public init(
        client: Client, store: SealedStore, refreshMargin: Duration? = nil, renewBefore: Duration? = nil,
        refreshTimeout: Duration? = nil
    ) throws(CbpiiError) {
        let settings = RawSessionSettings(
            refreshMargin: refreshMargin, renewBefore: renewBefore, refreshTimeout: refreshTimeout)
        raw = try direct { try RawSessionPool(client: client.raw, store: store.raw, settings: settings) }
    }

    /// Keeps the tokens of a consent that was just given under `id` (1 to 255 bytes; it is stored in clear). A consent that was
    /// there is replaced: this is also how one is renewed.
    ///
    /// Throws `request.consent_id`; of kind `store`, and then nothing was kept.
    @discardableResult
    public func keep(_ tokens: Tokens, as id: String) async throws(CbpiiError) -> Session {
        Session(try await awaited { try await raw.keep(id: id, tokens: tokens.raw) })
    }

    /// The consent that is kept under `id`.
    ///
    /// Throws `consent.unknown`, `store.bank`, `request.consent_id`; of kind `store`.
    public func open(_ id: String) async throws(CbpiiError) -> Session {
        Session(try await awaited { try await raw.open(id: id) })
    }

    /// Forgets a consent; false when there was none.
    ///
    /// Throws `request.consent_id`; of kind `store`.
    @discardableResult
    public func forget(_ id: String) async throws(CbpiiError) -> Bool {
        try await awaited { try await raw.forget(id: id) }
    }

    public var description: String { raw.description }
}

/// One cardholder's consent at one bank, kept alive.
public final class Session: Sendable, CustomStringConvertible {
    private let raw: RawSession

    init(_ raw: RawSession) {
        self.raw = raw
    }

    /// The id the consent is kept under.
    public var id: String { raw.id() }

    /// Asks the bank whether the account covers the amount, with an access token that is refreshed before its end, or once after
    /// the bank refuses it. A refresh that takes longer than the time-out, or whose task is cancelled, goes on without this
    /// call.
    ///
    /// Throws as ``Client/confirmFunds(_:tokens:timeout:)`` and ``Client/refresh(_:timeout:)``; of kind `consentRequired` when
    /// the cardholder has to go to the bank again; of kind `store` when a refresh is due and the store fails before the bank is
    /// asked.
    public func confirmFunds(
        _ request: FundsRequest, timeout: Duration? = nil
    ) async throws(CbpiiError) -> FundsConfirmation {
        try await cancellable { try await raw.confirmFunds(request: request.raw, timeout: timeout, cancel: $0) }
    }

    /// How the consent stands now, as far as this process knows. No I/O.
    public func status() throws(CbpiiError) -> ConsentStatus {
        try direct { try raw.status() }
    }

    /// What happened to the consent, oldest first: its last 16 moments.
    public func history() throws(CbpiiError) -> [ConsentMoment] {
        try direct { try raw.history() }
    }

    /// Reads the consent from the store again.
    ///
    /// Throws `consent.unknown`; of kind `store`.
    @discardableResult
    public func reload() async throws(CbpiiError) -> ConsentStatus {
        try await awaited { try await raw.reload() }
    }

    /// Whether fresh tokens wait in memory because the store could not take them: the process should not end before the store
    /// works again.
    public var hasUnsavedTokens: Bool { raw.hasUnsavedTokens() }

    public var description: String { raw.description }
}
