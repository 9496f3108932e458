import CbpiiGenerated

/// Does what takes no time; what it throws becomes this package's error.
func direct<T>(_ job: () throws -> T) throws(CbpiiError) -> T {
    do {
        return try job()
    } catch {
        throw converted(error)
    }
}

/// Waits for what nothing can end but itself.
func awaited<T: Sendable>(_ job: @Sendable () async throws -> T) async throws(CbpiiError) -> T {
    do {
        return try await job()
    } catch {
        throw converted(error)
    }
}

/// Makes a call that ends at once, with the code `cancelled`, when the task is cancelled.
func cancellable<T: Sendable>(
    _ job: @Sendable (RawCancelToken) async throws -> T
) async throws(CbpiiError) -> T {
    let token = RawCancelToken()
    return try await awaited {
        try await withTaskCancellationHandler {
            try await job(token)
        } onCancel: {
            token.cancel()
        }
    }
}

private func converted(_ error: any Error) -> CbpiiError {
    switch error {
    case let RawFailure.Failed(facts, thrown):
        return CbpiiError(facts, cause: (thrown as? ThrownError)?.error)
    case let error as CbpiiError:
        return error
    default:
        let message = "The library and its Swift layer do not fit together; take both from the same version."
        return CbpiiError(.internal, message, cause: error)
    }
}
