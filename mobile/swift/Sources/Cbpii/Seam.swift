import CbpiiGenerated

/// An error of Swift on its way through the library and back.
final class ThrownError: Thrown {
    let error: any Error

    init(_ error: any Error) {
        self.error = error
    }

    /// Never its description, which may hold a secret.
    func kind() -> String {
        String(describing: type(of: error))
    }
}

/// Asks an implementation of the app's; what it throws comes back to the caller as the cause of an error.
func asked<T>(_ job: () throws -> T) throws -> T {
    do {
        return try job()
    } catch {
        throw seamFailure(error)
    }
}

func seamFailure(_ error: any Error) -> SeamFailure {
    guard let own = error as? CbpiiError else {
        return .Other(thrown: ThrownError(error))
    }
    return .Own(
        code: own.code.rawValue, sentence: own.message, requestSent: own.stated, thrown: ThrownError(own.cause ?? own))
}
