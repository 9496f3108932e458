import CbpiiGenerated
import Foundation

/// Signs with a private key that this library need not see: in the Keychain, the Secure Enclave, an HSM. It is called from
/// threads of the library, several at once. What it throws comes back as the cause of `configuration.signer_failed`.
public protocol Signer: Sendable {
    /// The algorithms this signer offers, the preferred one first. Asked for once.
    var algorithms: [SignatureAlgorithm] { get }

    /// Signs the message (not its hash) with one of the algorithms and returns the bare signature.
    func sign(_ message: Data, with algorithm: SignatureAlgorithm) throws -> Data
}

/// A signer, as the library has it.
final class SignerOfTheApp: RawSigner {
    private let signer: any Signer

    init(_ signer: any Signer) {
        self.signer = signer
    }

    func sign(algorithm: SignatureAlgorithm, message: Data) throws -> Data {
        try asked { try signer.sign(message, with: algorithm) }
    }

    func algorithms() throws -> [SignatureAlgorithm] {
        signer.algorithms
    }
}
