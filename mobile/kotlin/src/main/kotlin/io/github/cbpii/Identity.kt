package io.github.cbpii

import kotlin.time.Instant

/** The certificate chain and the key with which the issuer authenticates in mutual TLS: the QWAC. */
public class TransportIdentity internal constructor(internal val raw: RawTransportIdentity) : NativeObject(raw) {
    /** Where identities come from. */
    public companion object {
        /**
         * From PEM: the certificates in any order, and the key (PKCS#8, PKCS#1, SEC1), not encrypted. What is under a password, such
         * as PKCS#12, is opened by `java.security.KeyStore` and used with [withSigner] and [JcaSigner].
         *
         * Throws `configuration.certificate_unreadable`, `configuration.key_…`.
         */
        @JvmStatic
        public fun fromPem(chain: String, key: String): TransportIdentity =
            TransportIdentity(calling { RawTransportIdentity.fromPem(chain, key) })

        /**
         * With a key that stays where it is. [chain] is PEM or DER.
         *
         * Throws `configuration.certificate_unreadable`, `configuration.key_unsupported`, `configuration.signer_failed` when the
         * signer offers nothing that TLS 1.3 can use with this certificate.
         */
        @JvmStatic
        public fun withSigner(chain: ByteArray, signer: Signer): TransportIdentity =
            TransportIdentity(calling { RawTransportIdentity.withSigner(chain, SignerAdapter(signer)) })
    }
}

/** The certificate chain and the key that signs requests: the QSealC. */
public class SealIdentity internal constructor(internal val raw: RawSealIdentity) : NativeObject(raw) {
    /** Where identities come from; `keyId` is the whole keyId to write, instead of the one the bank's record would make. */
    public companion object {
        /**
         * From PEM, as for the QWAC.
         *
         * Throws `configuration.certificate_unreadable`, `configuration.key_…`, `configuration.header`.
         */
        @JvmStatic
        @JvmOverloads
        public fun fromPem(chain: String, key: String, keyId: String? = null): SealIdentity =
            SealIdentity(calling { RawSealIdentity.fromPem(chain, key, keyId) })

        /**
         * With a key that stays where it is, such as in the Android Keystore. [chain] is PEM or DER. The signer is not tried here.
         *
         * Throws `configuration.certificate_unreadable`, `configuration.signer_failed`, `configuration.header`.
         */
        @JvmStatic
        @JvmOverloads
        public fun withSigner(chain: ByteArray, signer: Signer, keyId: String? = null): SealIdentity =
            SealIdentity(calling { RawSealIdentity.withSigner(chain, SignerAdapter(signer), keyId) })
    }
}

/** A card issuer in the PSD2 role CBPII, as the banks know it. */
public class Issuer internal constructor(internal val raw: RawIssuer) : NativeObject(raw) {
    /**
     * An issuer by its [clientId] and its [redirectUri], which is kept byte for byte; with the client secret that some banks want,
     * and its certificates, where they are on this device at all.
     *
     * Throws `configuration.client_id`, `configuration.redirect_uri`, `configuration.client_secret`.
     */
    @JvmOverloads
    public constructor(
        clientId: String,
        redirectUri: String,
        transport: TransportIdentity? = null,
        seal: SealIdentity? = null,
        clientSecret: String? = null,
    ) : this(calling { RawIssuer(clientId, redirectUri, clientSecret, transport?.raw, seal?.raw) })

    /** The client_id. */
    public val clientId: String get() = raw.clientId()

    /** The redirect URI, byte for byte. */
    public val redirectUri: String get() = raw.redirectUri()

    /** Every finding of both certificates that matters at this bank. [at] is the present, the device's when none is given. */
    @JvmOverloads
    public fun check(bank: Bank, at: Instant? = null): List<Finding> = calling { raw.check(bank.raw, at) }
}

/** The certificate doctor. */
public object Certificates {
    /**
     * Reports on a certificate, PEM (with its chain in any order) or DER; with a key (PEM or DER, not encrypted), also on whether
     * the two belong together.
     *
     * Throws `configuration.certificate_unreadable`, `configuration.key_…`.
     */
    @JvmStatic
    @JvmOverloads
    public fun inspect(
        certificate: ByteArray,
        options: InspectionOptions = InspectionOptions(),
        key: ByteArray? = null,
    ): CertificateReport = calling { inspectCertificate(certificate, options, key) }
}
