import Cbpii
import Foundation
import XCTest

/// The journeys of tests/vectors; the end of its README says how they are read.
final class JourneysTests: XCTestCase {
    private static let suite = "journeys"
    private static let folder = Cases.folder.appendingPathComponent(suite)

    func testJourneys() async throws {
        let defaults = try XCTUnwrap(Cases.read("journeys/defaults.json").object)
        let names = try Cases.files(in: Self.folder).filter { $0 != "defaults.json" }.map { String($0.dropLast(5)) }
        XCTAssertFalse(names.isEmpty)
        var unsaid = Set<String>()
        for name in names {
            let text = try String(contentsOf: Self.folder.appendingPathComponent("\(name).json"), encoding: .utf8)
            let journey = Json.object(Self.laid(try XCTUnwrap(Json.read(text).object), over: defaults))
            try known(journey, Set(defaults.keys).union(["sandbox", "steps"]))
            do {
                try await walk(name, journey, text)
            } catch let what as Unsayable {
                try Cases.tell(Self.suite, name, "unsayable", .string(what.reason))
                unsaid.insert(name)
            }
        }
        XCTAssertEqual(unsaid, try Cases.unsayable(Self.suite))
    }

    /// The members of both: objects member by member, everything else as a whole.
    private static func laid(_ own: Facts, over base: Facts) -> Facts {
        base.merging(own) { base, own in
            guard let base = base.object, let own = own.object else { return own }
            return .object(base.merging(own) { $1 })
        }
    }

    /// Goes through a journey.
    private func walk(_ name: String, _ journey: Json, _ text: String) async throws {
        let folder = try temporaryFolder().path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let bank = try await Self.bank(journey["sandbox"])
        let (scene, names) = (try Scene(journey, at: bank, in: folder), Names(text, folder))
        try await scene.open()
        var steps: [Json] = []
        for step in try XCTUnwrap(journey["steps"].array) {
            var members = try XCTUnwrap(step.object)
            let what = try XCTUnwrap(members.removeValue(forKey: "do")?.string)
            let expected = members.removeValue(forKey: "expect")?.object ?? [:]
            let actual = names.give(try await outcome(scene, what, .object(members)))
            steps.append(.object(actual))
            Cases.compare("\(name), step \(steps.count) (\(what))", expected, actual)
        }
        try Cases.tell(Self.suite, name, "facts", ["steps": .array(steps)])
    }

    /// The bank of all journeys, or one that starts as this one wants it.
    private static func bank(_ options: Json) async throws -> Sandbox {
        guard let given = try options.isNull ? nil : known(options, ["bank", "stet", "settings"]).object else {
            return try await Sandbox.started()
        }
        let own = try Sandbox(given.map { name, value in "--\(name)=\(value.string ?? value.text)" })
        try Sandbox.trust(own.path(own.issuer["ca"]))
        return own
    }

    private func outcome(_ scene: Scene, _ what: String, _ members: Json) async throws -> Facts {
        do {
            return try await scene.step(what, scene.filled(members))
        } catch let error as CbpiiError {
            return facts(of: error)
        }
    }
}

/// Gives names to what is random, so that a journey comes to the same facts everywhere.
private final class Names {
    /// In the order in which it is named.
    private static let random = ["access_token", "refresh_token", "code", "request_id", "correlation_id"]
    private let journey: String
    private let folder: String
    private var seen: [String] = []

    /// The text of the file: what stands there is not random.
    init(_ journey: String, _ folder: String) {
        (self.journey, self.folder) = (journey, folder)
    }

    func give(_ facts: Facts) -> Facts {
        var facts = facts
        for fact in Self.random {
            if let text = facts[fact]?.string { facts[fact] = .string(name(text)) }
        }
        return facts.mapValues { value in
            value.withTexts { text in
                let there = text.replacingOccurrences(of: folder, with: "{folder}")
                return .string(there.replacing(/(localhost:|127\.0\.0\.1:)[0-9]+/) { "\($0.1){port}" })
            }
        }
    }

    private func name(_ text: String) -> String {
        if journey.contains(text) { return text }
        if !seen.contains(text) { seen.append(text) }
        return "{\((seen.firstIndex(of: text) ?? 0) + 1)}"
    }
}
