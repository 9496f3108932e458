import Cbpii
import Foundation
import XCTest

extension Json {
    /// The value with every text changed.
    func withTexts(_ change: (String) throws -> Json) rethrows -> Json {
        switch self {
        case .string(let text): try change(text)
        case .array(let parts): .array(try parts.map { try $0.withTexts(change) })
        case .object(let members): .object(try members.mapValues { try $0.withTexts(change) })
        default: self
        }
    }

    fileprivate func text(_ name: String) throws -> String { try XCTUnwrap(self[name].string, name) }
    fileprivate func seconds(_ name: String) -> Duration? { self[name].int.map { .seconds($0) } }
    fileprivate func milliseconds(_ name: String) -> Duration? { self[name].int.map { .milliseconds($0) } }
}

/// Where a journey takes place: the bank, the clock, what the steps so far have led to; and what its steps do.
final class Scene {
    private let journey: Json
    private let bank: Sandbox
    private let folder: String
    private let now: Shared<Date>
    private var client: Client?
    private var pending: PendingConsent?
    private var callback: String?
    private var code: AuthorizationCode?
    private var tokens: Tokens?
    private var store: SealedStore?
    private var pool: SessionPool?
    private var session: Session?

    init(_ journey: Json, at bank: Sandbox, in folder: String) throws {
        (self.journey, self.bank, self.folder) = (journey, bank, folder)
        now = Shared(try moment(journey.text("now")))
    }

    /// The bank as at its start, at the journey's moment.
    func open() async throws {
        try await bank.reset()
        try await bank.control("POST", "/clock", ["set": Json(Int(now.value.timeIntervalSince1970))])
    }

    /// What a journey writes, with its stand-ins filled.
    func filled(_ value: Json) throws -> Json {
        try value.withTexts { text in
            guard text != "{client_secret}" else { return bank.issuer["client_secret"] }
            let filled = try text.replacing(/\{([a-z_]+)(?::([^}]+))?\}/) { found in
                try standIn(String(found.1), found.2) ?? String(found.0)
            }
            return .string(filled)
        }
    }

    private func standIn(_ name: String, _ path: Substring?) throws -> String? {
        switch name {
        case "file": try bank.file((path ?? "").split(separator: ".").reduce(bank.issuer) { $0[String($1)] })
        case "control": try bank.endpoints.text("control_url").replacing("/control", with: "")
        case "client_id", "redirect_uri": try bank.issuer.text(name)
        case "folder": folder
        case "state": pending?.state
        case "callback": callback
        default: bank.endpoints[name].string
        }
    }

    /// A member of the journey, with those of a step over it.
    private func input(_ name: String, _ over: Json = .null) throws -> Json {
        try filled(.object(XCTUnwrap(journey[name].object).merging(over.object ?? [:]) { $1 }))
    }

    /// Does a step; what comes back are its facts.
    func step(_ what: String, _ given: Json) async throws -> Facts {
        switch what {
        case "client": try makeClient(known(given, ["bank", "issuer", "client"]))
        case "begin_consent": try beginConsent(known(given, ["valid_for_seconds"]).seconds("valid_for_seconds"))
        case "visit": try await visit(known(given, ["decision", "persona"]).text("decision"), given.text("persona"))
        case "complete": try complete(stated(given))
        case "exchange_code": try await exchangeCode(known(given, ["code"])["code"].string)
        case "complete_consent": try await completeConsent(stated(given))
        case "consent": try await consent(known(given, ["persona"]).text("persona"))
        case "tokens": try take(tokensOf(given))
        case "refresh": try await refresh(known(given, ["timeout_ms"]).milliseconds("timeout_ms"))
        case "confirm_funds": try await confirmFunds(known(given, ["request", "timeout_ms"]))
        case "explain": try facts(of: there(client).explain(request(known(given, ["request"]))))
        case "store": try openStore(known(given, ["url", "key", "old_keys"]))
        case "keep": try hold(await openPool().keep(there(tokens), as: known(given, ["id"]).text("id")))
        case "open": try hold(await openPool().open(known(given, ["id"]).text("id")))
        case "session": try factsOfSession(known(given, []))
        case "session_confirm_funds": try await sessionConfirmFunds(known(given, ["request", "timeout_ms"]))
        case "forget": ["forgotten": .bool(try await openPool().forget(known(given, ["id"]).text("id")))]
        case "renewals_due": try await renewalsDue(moment(known(given, ["before"]).text("before")))
        case "advance_clock": try await advanceClock(known(given, ["seconds", "only"]))
        case "control": try await control(known(given, ["call", "body"]))
        case "requests_seen": try await requestsSeen(known(given, []))
        case "inspect": try inspect(given)
        case "write_file": try writeFile(known(given, ["path", "base64"]))
        default: throw Failed("nothing does \(what)")
        }
    }

    /// What an earlier step must have led to.
    private func there<Thing>(_ thing: Thing?) throws -> Thing { try XCTUnwrap(thing) }

    private func makeClient(_ given: Json) throws -> Facts {
        (client, pool, session) = (nil, nil, nil)
        let issuer = try issuer(input("issuer", given["issuer"]))
        let names: Set = ["timeout_ms", "connect_timeout_ms", "max_idle_connections", "retries", "proxy"]
        let options = try known(input("client", given["client"]), names)
        let bank = try Bank(json: input("bank", given["bank"]).text)
        client = try Client(
            bank: bank, issuer: issuer, timeout: options.milliseconds("timeout_ms"),
            connectTimeout: options.milliseconds("connect_timeout_ms"),
            maxIdleConnections: options["max_idle_connections"].int, retries: options["retries"].int,
            checkEligibility: false, proxy: options["proxy"].string, clock: { [now] in now.value })
        return ["bank_id": .string(bank.id)]
    }

    private func issuer(_ given: Json) throws -> Issuer {
        try known(given, ["client_id", "client_secret", "redirect_uri", "transport", "seal"])
        let (transport, seal) = (given["transport"], given["seal"])
        guard transport["password"].isNull, seal["password"].isNull else {
            throw Unsayable(reason: "keys under a password")
        }
        let qwac = try transport.isNull ? nil : known(transport, ["chain", "key"])
        let qsealc = try seal.isNull ? nil : known(seal, ["chain", "key", "key_id"])
        return try Issuer(
            clientId: given.text("client_id"), redirectUri: given.text("redirect_uri"),
            clientSecret: given["client_secret"].string,
            transport: qwac.map { try TransportIdentity(chain: $0.text("chain"), key: $0.text("key")) },
            seal: qsealc.map {
                try SealIdentity(chain: $0.text("chain"), key: $0.text("key"), keyId: $0["key_id"].string)
            })
    }

    private func beginConsent(_ validFor: Duration?) throws -> Facts {
        let client = try there(client)
        let begun = try validFor.map { try client.beginConsent(validFor: $0) } ?? client.beginConsent()
        let read = try PendingConsent(json: begun.json())
        pending = read
        return [
            "bank_id": .string(read.bankId), "redirect_uri": .string(read.redirectUri),
            "created_at": written(read.createdAt), "expires_at": written(read.expiresAt),
        ]
    }

    private func visit(_ decision: String, _ persona: String) async throws -> Facts {
        let answer = try await bank.answer(there(pending).url, decision, persona: persona).absoluteString
        callback = answer
        let halves = answer.split(separator: "?")
        let names = halves[1].split(separator: "&").map { Json.string(String($0.prefix { $0 != "=" })) }
        return ["returned_to": .string(String(halves[0])), "parameters": .array(names)]
    }

    /// The callback that a step states, or the one the bank gave.
    private func stated(_ given: Json) throws -> String {
        try known(given, ["callback"])["callback"].string ?? there(callback)
    }

    private func complete(_ callback: String) throws -> Facts {
        let read = try there(pending).complete(callback, at: now.value)
        code = read
        return ["code": .string(read.expose())]
    }

    private func exchangeCode(_ stated: String?) async throws -> Facts {
        if let stated { code = try AuthorizationCode(stated) }
        return try take(await there(client).exchangeCode(there(code), of: there(pending)))
    }

    private func completeConsent(_ callback: String) async throws -> Facts {
        let url = try XCTUnwrap(URL(string: callback), callback)
        return try take(await there(client).completeConsent(there(pending), callback: url))
    }

    private func consent(_ persona: String) async throws -> Facts {
        _ = try beginConsent(nil)
        _ = try await visit("approve", persona)
        return try await completeConsent(there(callback))
    }

    private func tokensOf(_ given: Json) throws -> Tokens {
        try known(given, ["access_token", "refresh_token", "obtained_at", "expires_at", "consent_expires_at"])
        return try Tokens(
            accessToken: given.text("access_token"), refreshToken: given["refresh_token"].string,
            obtainedAt: moment(given.text("obtained_at")), expiresAt: given["expires_at"].string.map(moment),
            consentExpiresAt: moment(given.text("consent_expires_at")))
    }

    /// Tokens go through their saved form, as in a program that keeps them.
    private func take(_ given: Tokens) throws -> Facts {
        let read = try Tokens(json: given.json())
        tokens = read
        return facts(of: read)
    }

    private func refresh(_ timeout: Duration?) async throws -> Facts {
        try take(await there(client).refresh(there(tokens), timeout: timeout))
    }

    private func request(_ given: Json) throws -> FundsRequest { try Question.request(input("request", given["request"])) }

    private func confirmFunds(_ given: Json) async throws -> Facts {
        let (request, timeout) = (try request(given), given.milliseconds("timeout_ms"))
        return facts(of: try await there(client).confirmFunds(request, tokens: there(tokens), timeout: timeout))
    }

    private func sessionConfirmFunds(_ given: Json) async throws -> Facts {
        let (request, timeout) = (try request(given), given.milliseconds("timeout_ms"))
        return facts(of: try await there(session).confirmFunds(request, timeout: timeout))
    }

    private func openStore(_ given: Json) throws -> Facts {
        (store, pool, session) = (nil, nil, nil)
        guard try given.text("url") == "memory" else {
            throw Unsayable(reason: "a store is an object of the app's own: it has no address")
        }
        let old = try given["old_keys"].array?.map { try bytes(XCTUnwrap($0.string)) } ?? []
        store = try SealedStore(OwnStore(), key: bytes(given.text("key")), oldKeys: old)
        return [:]
    }

    /// Hexadecimal digits.
    private func bytes(_ digits: String) throws -> Data {
        let digits = Array(digits)
        return Data(
            try stride(from: 0, to: digits.count, by: 2).map { place in
                try XCTUnwrap(UInt8(String(digits[place..<place + 2]), radix: 16))
            })
    }

    /// The pool of the present client and store.
    private func openPool() throws -> SessionPool {
        if let pool { return pool }
        let names: Set = ["refresh_margin_seconds", "renew_before_seconds", "refresh_timeout_ms"]
        let given = try known(input("session"), names)
        let made = try SessionPool(
            client: there(client), store: there(store), refreshMargin: given.seconds("refresh_margin_seconds"),
            renewBefore: given.seconds("renew_before_seconds"), refreshTimeout: given.milliseconds("refresh_timeout_ms"))
        pool = made
        return made
    }

    private func hold(_ kept: Session) throws -> Facts {
        session = kept
        return try facts(of: kept)
    }

    private func factsOfSession(_: Json) throws -> Facts { try facts(of: there(session)) }

    private func renewalsDue(_ before: Date) async throws -> Facts {
        let due = try await there(store).renewalsDue(before: before).map { one in
            Json.array([
                .string(one.id), .string(one.bankId), written(one.consentExpiresAt), .string(snake(one.reason)),
            ])
        }
        return ["due": .array(due)]
    }

    private func advanceClock(_ given: Json) async throws -> Facts {
        let (seconds, only) = (try XCTUnwrap(given["seconds"].int), given["only"].string)
        XCTAssertTrue([nil, "bank", "client"].contains(only))
        if only != "bank" { now.with { $0 += TimeInterval(seconds) } }
        if only != "client" { try await bank.control("POST", "/clock", ["advance_seconds": Json(seconds)]) }
        return [:]
    }

    private func control(_ given: Json) async throws -> Facts {
        let words = try given.text("call").split(separator: " ").map(String.init)
        try await bank.control(words[0], words[1], given["body"].isNull ? nil : given["body"])
        return [:]
    }

    private func requestsSeen(_: Json) async throws -> Facts {
        let seen = try XCTUnwrap(try await bank.control("GET", "/requests").array)
        try await bank.control("DELETE", "/requests")
        return ["requests": .array(seen.map { $0["endpoint"] })]
    }

    private func inspect(_ given: Json) throws -> Facts {
        guard given["password"].isNull else { throw Unsayable(reason: "keys under a password") }
        try known(given, ["chain", "key", "use", "client_id"])
        let uses: [String: CertificateUse] = ["transport": .transport, "seal": .seal]
        let report = try CertificateReport(
            of: Data(given.text("chain").utf8), key: given["key"].string.map { Data($0.utf8) },
            for: given["use"].string.map { try XCTUnwrap(uses[$0]) }, clientId: given["client_id"].string)
        return facts(of: report)
    }

    private func writeFile(_ given: Json) throws -> Facts {
        let content = try XCTUnwrap(Data(base64Encoded: given.text("base64")))
        try content.write(to: URL(fileURLWithPath: given.text("path")))
        return [:]
    }
}
