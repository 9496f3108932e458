import Foundation

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// A transport over URLSession: with the device's proxy settings, VPN and trust, and with a client certificate of the Keychain.
///
/// TLS is URLSession's business. A bank that demands the QWAC gets it from `challenge`, on Apple's platforms only: elsewhere
/// URLSession has no client certificates. The trust anchors of the bank's record do not count; `challenge` can see to them.
public final class URLSessionTransport: Transport {
    /// Answers a challenge, such as the bank's demand for a client certificate.
    public typealias Challenge =
        @Sendable (URLAuthenticationChallenge) -> (URLSession.AuthChallengeDisposition, URLCredential?)

    private let session: URLSession
    private let exchanges: Exchanges

    /// `configuration` is copied; cookies, caches and stored credentials are left out of it. Without a `challenge`, the system
    /// decides.
    public init(configuration: URLSessionConfiguration = .ephemeral, challenge: Challenge? = nil) {
        exchanges = Exchanges(challenge)
        session = Self.session(like: configuration, delegate: exchanges)
    }

    deinit {
        session.finishTasksAndInvalidate()
    }

    private static func session(like configuration: URLSessionConfiguration, delegate: Exchanges) -> URLSession {
        let own = configuration.copy() as? URLSessionConfiguration ?? .ephemeral
        own.httpCookieStorage = nil
        own.httpShouldSetCookies = false
        own.urlCache = nil
        own.urlCredentialStorage = nil
        own.requestCachePolicy = .reloadIgnoringLocalCacheData
        return URLSession(configuration: own, delegate: delegate, delegateQueue: nil)
    }

    public func exchange(_ request: HttpRequest) async throws -> HttpResponse {
        guard request.wantsFreshConnection else {
            return try await exchanges.run(request, in: session)
        }
        let fresh = Self.session(like: session.configuration, delegate: exchanges)
        defer { fresh.finishTasksAndInvalidate() }
        return try await exchanges.run(request, in: fresh)
    }
}

/// The exchanges under way.
private final class Exchanges: NSObject, URLSessionDataDelegate, @unchecked Sendable {
    private struct Exchange {
        let outcome: CheckedContinuation<HttpResponse, any Error>
        var body = Data()
    }

    private static let largestBody = 1 << 20
    private let challenge: URLSessionTransport.Challenge?
    // Held for every use of what is under way.
    private let lock = NSLock()
    private var underWay: [URLSessionTask: Exchange] = [:]

    init(_ challenge: URLSessionTransport.Challenge?) {
        self.challenge = challenge
    }

    func run(_ request: HttpRequest, in session: URLSession) async throws -> HttpResponse {
        let task = session.dataTask(with: try Self.urlRequest(request))
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { outcome in
                lock.withLock { underWay[task] = Exchange(outcome: outcome) }
                task.resume()
            }
        } onCancel: {
            task.cancel()
        }
    }

    private static func urlRequest(_ request: HttpRequest) throws -> URLRequest {
        guard let url = URL(string: request.url) else { throw URLError(.badURL) }
        var made = URLRequest(url: url)
        made.httpMethod = request.method
        // A compressed answer would be unpacked, and its digest no longer fit.
        made.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        for (name, value) in request.exposeHeaders() {
            made.setValue(value, forHTTPHeaderField: name)
        }
        #if canImport(FoundationNetworking)
        // On Linux a session that goes while it keeps a connection open ends the process.
        made.setValue("close", forHTTPHeaderField: "Connection")
        #endif
        made.httpBody = request.exposeBody()
        made.timeoutInterval = max(request.timeLeft / .seconds(1), 0.001)
        return made
    }

    private func end(_ task: URLSessionTask, _ outcome: (Exchange) throws -> HttpResponse) {
        guard let exchange = lock.withLock({ underWay.removeValue(forKey: task) }) else { return }
        exchange.outcome.resume(with: Result { try outcome(exchange) })
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didReceive challenge: URLAuthenticationChallenge,
        completionHandler: @escaping (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
    ) {
        let (disposition, credential) = self.challenge?(challenge) ?? (.performDefaultHandling, nil)
        completionHandler(disposition, credential)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let size = lock.withLock {
            underWay[dataTask]?.body.append(data)
            return underWay[dataTask]?.body.count ?? 0
        }
        if size > Self.largestBody {
            // What is too large is for the library to say.
            end(dataTask) { try Self.answer(dataTask, body: $0.body) }
            dataTask.cancel()
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        end(task) { exchange in
            if let error { throw Self.explained(error) }
            return try Self.answer(task, body: exchange.body)
        }
    }

    private static func answer(_ task: URLSessionTask, body: Data) throws -> HttpResponse {
        guard let response = task.response as? HTTPURLResponse else { throw URLError(.badServerResponse) }
        let headers = response.allHeaderFields.map { (name: "\($0.key)", value: "\($0.value)") }
        return try HttpResponse(status: response.statusCode, headers: headers, body: body)
    }

    /// What URLSession is sure of, in the words of the catalogue. The rest stays as it is: on Linux `cannotConnectToHost` is also
    /// said of a connection that broke after the request.
    private static func explained(_ error: any Error) -> any Error {
        func known(_ code: ErrorCode, _ sent: RequestSent) -> CbpiiError {
            CbpiiError(code, "\(code.summary) URLSession says so.", requestSent: sent, cause: error)
        }
        switch (error as? URLError)?.code {
        case .cannotFindHost?, .dnsLookupFailed?: return known(.networkNameLookup, .no)
        case .notConnectedToInternet?: return known(.networkConnect, .no)
        case .serverCertificateUntrusted?, .serverCertificateHasUnknownRoot?: return known(.tlsUnknownIssuer, .no)
        case .serverCertificateHasBadDate?: return known(.tlsServerCertificateExpired, .no)
        case .clientCertificateRequired?: return known(.tlsClientCertificateMissing, .no)
        case .clientCertificateRejected?: return known(.tlsClientCertificateRefused, .no)
        case .timedOut?: return known(.timeoutTotal, .unknown)
        default: return error
        }
    }
}
