package io.github.cbpii

import java.security.NoSuchAlgorithmException
import java.security.PrivateKey
import java.security.Signature
import java.security.spec.MGF1ParameterSpec
import java.security.spec.PSSParameterSpec

/**
 * A [Signer] with a key of `java.security`: one of the Android Keystore, of a PKCS#11 provider, of a `KeyStore`.
 *
 * [algorithms] must be those the key was made for; a QWAC's RSA key needs [SignatureAlgorithm.RSA_PSS_SHA256], for TLS 1.3 allows
 * nothing else (RFC 8446 §4.2.3), and a QSealC's [SignatureAlgorithm.RSA_PKCS1_SHA256], which is what banks verify.
 */
public class JcaSigner(
    private val key: PrivateKey,
    override val algorithms: List<SignatureAlgorithm>,
) : Signer {
    /** Signs with the provider of the key. */
    override fun sign(algorithm: SignatureAlgorithm, message: ByteArray): ByteArray {
        val signature = algorithm.instance()
        signature.initSign(key)
        signature.update(message)
        return signature.sign()
    }

    private fun SignatureAlgorithm.instance(): Signature = when (this) {
        SignatureAlgorithm.RSA_PKCS1_SHA256 -> Signature.getInstance("SHA256withRSA")
        SignatureAlgorithm.RSA_PKCS1_SHA384 -> Signature.getInstance("SHA384withRSA")
        SignatureAlgorithm.RSA_PKCS1_SHA512 -> Signature.getInstance("SHA512withRSA")
        SignatureAlgorithm.RSA_PSS_SHA256 -> pss(256)
        SignatureAlgorithm.RSA_PSS_SHA384 -> pss(384)
        SignatureAlgorithm.RSA_PSS_SHA512 -> pss(512)
        SignatureAlgorithm.ECDSA_P256_SHA256 -> Signature.getInstance("SHA256withECDSA")
        SignatureAlgorithm.ECDSA_P384_SHA384 -> Signature.getInstance("SHA384withECDSA")
    }

    /** The JDK's name takes parameters; Android's says it all. */
    private fun pss(bits: Int): Signature =
        try {
            Signature.getInstance("RSASSA-PSS").apply {
                setParameter(PSSParameterSpec("SHA-$bits", "MGF1", MGF1ParameterSpec("SHA-$bits"), bits / 8, 1))
            }
        } catch (_: NoSuchAlgorithmException) {
            Signature.getInstance("SHA${bits}withRSA/PSS")
        }
}
