import CbpiiGenerated
import Foundation

/// One HTTP exchange over mutual TLS by the platform's own stack, which then does the TLS, client certificate included.
///
/// A transport must not follow redirects, not retry, not treat a status as an error, not read more than 1 MiB of body, and must
/// send path, headers and body exactly as given. ``URLSessionTransport`` is one.
public protocol Transport: Sendable {
    /// Sends the request and returns the whole answer. Its task is cancelled when the call is, and when its time is over. What
    /// it throws comes back as the cause of `network.transport_failed`; a ``CbpiiError`` keeps its code.
    func exchange(_ request: HttpRequest) async throws -> HttpResponse
}

/// One request, complete. It prints masked.
public struct HttpRequest: Sendable, CustomStringConvertible {
    let raw: RawHttpRequest

    /// The method: everything this protocol sends is a `POST`.
    public var method: String { raw.method() }
    /// The absolute https URL.
    public var url: String { raw.url() }
    /// Names and values in order, in clear: the token is one of them. `Host` and `Content-Length` are the transport's business.
    public func exposeHeaders() -> [(name: String, value: String)] {
        raw.headerNames().map { ($0, raw.exposeHeader(name: $0)) }
    }
    /// The body as it must be sent, byte for byte: it has been digested and signed.
    public func exposeBody() -> Data { raw.exposeBody() }
    /// The time that is left for the whole exchange.
    public var timeLeft: Duration { raw.timeLeft() }
    /// Whether this request must not travel on a connection that has been idle: it changes something at the bank, and an idle
    /// connection may die under it and leave its fate unknown.
    public var wantsFreshConnection: Bool { raw.wantsFreshConnection() }

    public var description: String { raw.description }
}

/// One whole answer. It prints masked.
public struct HttpResponse: Sendable, CustomStringConvertible {
    let raw: RawHttpResponse

    /// An answer: the status, the headers and the body of at most 1 MiB.
    ///
    /// Throws `protocol.malformed_http`, `protocol.answer_too_large`.
    public init(status: Int, headers: [(name: String, value: String)], body: Data) throws(CbpiiError) {
        raw = try direct {
            try RawHttpResponse(
                status: Int32(clamping: status), headerNames: headers.map(\.name), headerValues: headers.map(\.value),
                body: body)
        }
    }

    public var description: String { raw.description }
}

/// A transport, as the library has it.
final class TransportOfTheApp: RawTransport {
    private let transport: any Transport

    init(_ transport: any Transport) {
        self.transport = transport
    }

    func exchange(request: RawHttpRequest) async throws -> RawHttpResponse {
        do {
            return try await transport.exchange(HttpRequest(raw: request)).raw
        } catch {
            throw seamFailure(error)
        }
    }
}
