import CbpiiGenerated
import Foundation

/// Where records are kept: the Keychain, a file, a database. It is called from threads of the library, several at once, and
/// never sees a token: records are sealed above it. What it throws comes back as the cause of `store.failed`.
public protocol ConsentStore: Sendable {
    /// The record of this id, or nil.
    func load(_ id: String) throws -> StoredRecord?

    /// Saves a record, if it is still at the version `expected` (nil: if there is no record of this id), and returns its new
    /// version; nil when the record is at another version, and then nothing was changed. Comparison and writing are one step.
    /// The versions a store gives only grow, also for an id that was deleted and came back.
    func save(_ id: String, sealed: Data, dueAt: Date, expected: Int64?) throws -> Int64?

    /// Removes a record; false when there was none.
    func delete(_ id: String) throws -> Bool

    /// At most `limit` records that fall due before `dueBefore`, in the order of `dueAt`, then of the id's bytes, from the one
    /// behind `after` on.
    func list(dueBefore: Date, after: DueRecord?, limit: Int) throws -> [DueRecord]
}

/// A store and the keys that seal its records.
public final class SealedStore: Sendable, CustomStringConvertible {
    let raw: RawSealedStore

    private init(_ raw: RawSealedStore) {
        self.raw = raw
    }

    /// A store of the app's, sealed with a key of 32 random bytes from the Keychain. Records that a former key sealed can be
    /// read with `oldKeys`, and are sealed with `key` when they are next written.
    ///
    /// Throws `store.key`.
    public init(_ store: some ConsentStore, key: Data, oldKeys: [Data] = []) throws(CbpiiError) {
        raw = try direct { try RawSealedStore(store: StoreOfTheApp(store), key: key, oldKeys: oldKeys) }
    }

    /// A store that ends with the process, sealed with a key of its own.
    public static func inMemory() throws(CbpiiError) -> SealedStore {
        SealedStore(try direct { try RawSealedStore.inMemory() })
    }

    /// The consents of every bank that end before a moment, or are lost or refused since a moment before it, the earliest first.
    ///
    /// Throws of kind `store`.
    public func renewalsDue(before moment: Date) async throws(CbpiiError) -> [RenewalDue] {
        try await awaited { try await raw.renewalsDue(before: moment) }
    }

    public var description: String { raw.description }
}

/// A store, as the library has it.
private final class StoreOfTheApp: RawConsentStore {
    private let store: any ConsentStore

    init(_ store: any ConsentStore) {
        self.store = store
    }

    func load(id: String) throws -> StoredRecord? {
        try asked { try store.load(id) }
    }

    func save(id: String, sealed: Data, dueAt: Date, expected: Int64?) throws -> Int64? {
        try asked { try store.save(id, sealed: sealed, dueAt: dueAt, expected: expected) }
    }

    func delete(id: String) throws -> Bool {
        try asked { try store.delete(id) }
    }

    func list(dueBefore: Date, after: DueRecord?, limit: Int32) throws -> [DueRecord] {
        try asked { try store.list(dueBefore: dueBefore, after: after, limit: Int(limit)) }
    }
}
