import CbpiiGenerated
import Foundation

/// The certificate chain and the key with which the issuer authenticates in mutual TLS: the QWAC.
public struct TransportIdentity: Sendable, CustomStringConvertible {
    let raw: RawTransportIdentity

    /// From PEM: the certificates in any order, and the key (PKCS#8, PKCS#1, SEC1), not encrypted. What is
    /// under a password, such as PKCS#12, is opened by the platform (`SecPKCS12Import`) and used through a ``Signer``.
    ///
    /// Throws `configuration.certificate_unreadable`, `configuration.key_…`.
    public init(chain: String, key: String) throws(CbpiiError) {
        raw = try direct { try .fromPem(chain: chain, key: key) }
    }

    /// With a key that stays where it is. `chain` is PEM or DER. TLS 1.3 wants RSASSA-PSS of an RSA key.
    ///
    /// Throws `configuration.certificate_unreadable`, `configuration.key_unsupported`, `configuration.signer_failed` when the
    /// signer offers nothing that TLS 1.3 can use with this certificate.
    public init(chain: Data, signer: some Signer) throws(CbpiiError) {
        raw = try direct { try .withSigner(chain: chain, signer: SignerOfTheApp(signer)) }
    }

    public var description: String { raw.description }
}

/// The certificate chain and the key that signs requests: the QSealC. `keyId` is the whole keyId to write, instead of the one
/// the bank's record would make.
public struct SealIdentity: Sendable, CustomStringConvertible {
    let raw: RawSealIdentity

    /// From PEM, as for the QWAC.
    ///
    /// Throws `configuration.certificate_unreadable`, `configuration.key_…`, `configuration.header`.
    public init(chain: String, key: String, keyId: String? = nil) throws(CbpiiError) {
        raw = try direct { try .fromPem(chain: chain, key: key, keyId: keyId) }
    }

    /// With a key that stays where it is. `chain` is PEM or DER. The signer is not tried here.
    ///
    /// Throws `configuration.certificate_unreadable`, `configuration.signer_failed`, `configuration.header`.
    public init(chain: Data, signer: some Signer, keyId: String? = nil) throws(CbpiiError) {
        raw = try direct { try .withSigner(chain: chain, signer: SignerOfTheApp(signer), keyId: keyId) }
    }

    public var description: String { raw.description }
}

/// A card issuer in the PSD2 role CBPII, as the banks know it.
public struct Issuer: Sendable, CustomStringConvertible {
    let raw: RawIssuer

    /// An issuer by its `client_id` and its redirect URI, which is kept byte for byte; with the client secret that some banks
    /// want, and its certificates, where they are on this device at all.
    ///
    /// Throws `configuration.client_id`, `configuration.redirect_uri`, `configuration.client_secret`.
    public init(
        clientId: String, redirectUri: String, clientSecret: String? = nil, transport: TransportIdentity? = nil,
        seal: SealIdentity? = nil
    ) throws(CbpiiError) {
        raw = try direct {
            try RawIssuer(
                clientId: clientId, redirectUri: redirectUri, clientSecret: clientSecret, transport: transport?.raw,
                seal: seal?.raw)
        }
    }

    /// The client_id.
    public var clientId: String { raw.clientId() }
    /// The redirect URI, byte for byte.
    public var redirectUri: String { raw.redirectUri() }

    /// Every finding of both certificates that matters at this bank, at this moment.
    public func check(for bank: Bank, at moment: Date = .now) throws(CbpiiError) -> [Finding] {
        try direct { try raw.check(bank: bank.raw, at: moment) }
    }

    public var description: String { raw.description }
}

extension CertificateReport {
    /// Reports on a certificate, PEM (with its chain in any order) or DER; with a key (PEM or DER, not encrypted), also on
    /// whether the two belong together.
    ///
    /// - Parameters:
    ///   - moment: The present.
    ///   - use: Also checks that the certificate was issued for this use.
    ///   - clientId: Also compares the organisation identifier with it, if it looks like one.
    ///   - acceptsPss: Whether the bank takes certificates signed with RSASSA-PSS; Groupe BPCE does not.
    ///
    /// Throws `configuration.certificate_unreadable`, `configuration.key_…`.
    public init(
        of certificate: Data, key: Data? = nil, at moment: Date = .now,
        for use: CertificateUse? = nil, clientId: String? = nil, acceptsPss: Bool = false
    ) throws(CbpiiError) {
        let options = InspectionOptions(
            at: moment, intendedUse: use, clientId: clientId, acceptsPss: acceptsPss)
        self = try direct {
            try inspectCertificate(certificate: certificate, options: options, key: key)
        }
    }
}
