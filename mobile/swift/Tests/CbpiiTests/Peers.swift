import Cbpii
import Foundation
import XCTest

/// A port of loopback on which this process listens; connections wait unless they are answered.
final class Listener: @unchecked Sendable {
    let port: UInt16
    private let socket: Int32

    init() throws {
        socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { [socket] in
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && listen(socket, 8) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        guard bound else { throw Failed("no port of loopback could be had") }
    }

    deinit { close(socket) }

    /// Reads the head of the next connection's request and answers with this text.
    func answer(_ text: String) {
        Thread.detachNewThread { [self] in
            let connection = accept(socket, nil, nil)
            var (head, byte) = ([UInt8](), UInt8(0))
            while head.suffix(4) != Array("\r\n\r\n".utf8), recv(connection, &byte, 1, 0) == 1 { head.append(byte) }
            _ = send(connection, text, text.utf8.count, Int32(MSG_NOSIGNAL))
            close(connection)
        }
    }

    /// A port on which nobody listens.
    static func unusedPort() throws -> UInt16 { try Listener().port }
}

/// A TLS server on a port of its own, until this object goes: what comes is passed on to another address of socat's.
final class Server {
    let port: Int
    private let process = Process()

    init(_ own: OwnCertificate, to address: String) throws {
        let said = Pipe()
        let listening = "OPENSSL-LISTEN:0,bind=127.0.0.1,fork,verify=0,cert=\(own.certificate),key=\(own.key)"
        process.executableURL = URL(fileURLWithPath: "/usr/bin/socat")
        process.arguments = ["-d", "-d", listening, address]
        process.standardError = said
        try process.run()
        let line = try Program.line(of: said.fileHandleForReading) { $0.contains("listening on") }
        port = try XCTUnwrap(Int(line.split(separator: ":").last ?? ""), line)
        // What it says further must not fill the pipe.
        Thread.detachNewThread { _ = try? said.fileHandleForReading.readToEnd() }
    }

    deinit {
        // SIGTERM is blocked in what a thread of Swift's pool starts.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}

/// A certificate for localhost and its key, signed by itself.
struct OwnCertificate {
    let certificate: String
    let key: String

    init(in folder: URL, from begin: String? = nil, to end: String? = nil) throws {
        certificate = folder.appendingPathComponent("server.pem").path
        key = folder.appendingPathComponent("server.key").path
        var arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-subj", "/CN=localhost",
            "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate,
        ]
        if let begin, let end { arguments += ["-not_before", begin, "-not_after", end] }
        _ = try Program.output("/usr/bin/openssl", arguments)
    }
}

/// Signs with a key in a file that only OpenSSL reads.
struct OpenSSLSigner: Signer {
    let key: String
    var algorithms: [SignatureAlgorithm] = [.rsaPkcs1Sha256, .rsaPssSha256]

    func sign(_ message: Data, with algorithm: SignatureAlgorithm) throws -> Data {
        let padding =
            switch algorithm {
            case .rsaPkcs1Sha256: [String]()
            case .rsaPssSha256: ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]
            default: throw Failed("\(algorithm) was not offered")
            }
        return try Program.output("/usr/bin/openssl", ["dgst", "-sha256", "-sign", key] + padding, input: message)
    }
}

/// A store in memory, as an app would have one.
final class OwnStore: ConsentStore {
    private struct State {
        var records: [String: StoredRecord] = [:]
        var versions: Int64 = 0
    }

    private let state = Shared(State())

    var sealed: [Data] { state.value.records.values.map(\.sealed) }

    func load(_ id: String) throws -> StoredRecord? { state.value.records[id] }

    func save(_ id: String, sealed: Data, dueAt: Date, expected: Int64?) throws -> Int64? {
        state.with { state in
            guard state.records[id]?.version == expected else { return nil }
            state.versions += 1
            state.records[id] = StoredRecord(sealed: sealed, dueAt: dueAt, version: state.versions)
            return state.versions
        }
    }

    func delete(_ id: String) throws -> Bool { state.with { $0.records.removeValue(forKey: id) != nil } }

    func list(dueBefore: Date, after: DueRecord?, limit: Int) throws -> [DueRecord] {
        func key(_ line: DueRecord) -> (Date, String) { (line.dueAt, line.id) }
        let lines = state.value.records.map { DueRecord(id: $0, dueAt: $1.dueAt) }
            .filter { line in line.dueAt < dueBefore && after.map { key(line) > key($0) } ?? true }
            .sorted { key($0) < key($1) }
        return Array(lines.prefix(limit))
    }
}
