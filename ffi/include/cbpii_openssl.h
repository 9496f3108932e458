#ifndef CBPII_OPENSSL_H
#define CBPII_OPENSSL_H

/*
 * A key that OpenSSL holds as a signer of cbpii: for programs that use OpenSSL (1.1.1 or newer) anyway. The key may come
 * from a file, from an engine or from a provider (an HSM through PKCS#11, a TPM), and OpenSSL makes the signatures.
 *
 *     cbpii_signer signer;
 *     cbpii_error *error = cbpii_openssl_signer(key, &signer);
 *     if (!error)
 *         error = cbpii_issuer_set_seal_signer(issuer, chain, chain_length, &signer);
 *
 * The library libcbpii does not know OpenSSL: this header is compiled into the program, which links libcrypto itself.
 */

#include <cbpii.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What each algorithm of cbpii is in OpenSSL; NULL for one that is none of them. */
static inline const EVP_MD *cbpii_openssl_digest(int32_t algorithm)
{
    switch (algorithm) {
    case CBPII_ALGORITHM_RSA_PKCS1_SHA256:
    case CBPII_ALGORITHM_RSA_PSS_SHA256:
    case CBPII_ALGORITHM_ECDSA_P256_SHA256:
        return EVP_sha256();
    case CBPII_ALGORITHM_RSA_PKCS1_SHA384:
    case CBPII_ALGORITHM_RSA_PSS_SHA384:
    case CBPII_ALGORITHM_ECDSA_P384_SHA384:
        return EVP_sha384();
    case CBPII_ALGORITHM_RSA_PKCS1_SHA512:
    case CBPII_ALGORITHM_RSA_PSS_SHA512:
        return EVP_sha512();
    default:
        return NULL;
    }
}

/* RSASSA-PSS as cbpii means it: a salt as long as the hash (RFC 8017 section 8.1), which is also what TLS 1.3 asks for. */
static inline int cbpii_openssl_set_padding(EVP_PKEY_CTX *context, int32_t algorithm)
{
    switch (algorithm) {
    case CBPII_ALGORITHM_RSA_PSS_SHA256:
    case CBPII_ALGORITHM_RSA_PSS_SHA384:
    case CBPII_ALGORITHM_RSA_PSS_SHA512:
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0
               && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) > 0;
    default:
        return 1;
    }
}

/* The error of what OpenSSL refused last, with its reason. */
static inline cbpii_error *cbpii_openssl_failure(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    char message[256];

    snprintf(message, sizeof message,
             "OpenSSL could not sign (%s); check the key, and the engine or provider that holds it.",
             reason != NULL ? reason : "no reason given");
    ERR_clear_error();
    return cbpii_error_new(CBPII_ERROR_CONFIGURATION_SIGNER_FAILED, message);
}

/* The `sign` of the signer. OpenSSL allows it from any thread, several at once. */
static inline cbpii_error *cbpii_openssl_sign(void *user_data, int32_t algorithm, const uint8_t *message, size_t message_length,
                                              uint8_t *signature, size_t capacity, size_t *signature_length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_context = NULL;
    size_t length = capacity;
    int done = context != NULL
               && EVP_DigestSignInit(context, &key_context, cbpii_openssl_digest(algorithm), NULL, (EVP_PKEY *)user_data) == 1
               && cbpii_openssl_set_padding(key_context, algorithm)
               && EVP_DigestSign(context, signature, &length, message, message_length) == 1;

    EVP_MD_CTX_free(context);
    if (!done)
        return cbpii_openssl_failure();
    *signature_length = length;
    return NULL;
}

/* The `destroy` of the signer. */
static inline void cbpii_openssl_destroy(void *user_data)
{
    EVP_PKEY_free((EVP_PKEY *)user_data);
}

/* The algorithms of a key, the preferred first; NULL for a key that no bank takes (RSA, P-256 and P-384 are taken). */
static inline const int32_t *cbpii_openssl_algorithms(const EVP_PKEY *key, size_t *count)
{
    static const int32_t rsa[] = {CBPII_ALGORITHM_RSA_PKCS1_SHA256, CBPII_ALGORITHM_RSA_PSS_SHA256,
                                  CBPII_ALGORITHM_RSA_PSS_SHA384,   CBPII_ALGORITHM_RSA_PSS_SHA512,
                                  CBPII_ALGORITHM_RSA_PKCS1_SHA384, CBPII_ALGORITHM_RSA_PKCS1_SHA512};
    static const int32_t p256[] = {CBPII_ALGORITHM_ECDSA_P256_SHA256};
    static const int32_t p384[] = {CBPII_ALGORITHM_ECDSA_P384_SHA384};
    const int kind = EVP_PKEY_base_id(key), bits = EVP_PKEY_bits(key);

    if (kind == EVP_PKEY_RSA) {
        *count = sizeof rsa / sizeof rsa[0];
        return rsa;
    }
    *count = 1;
    if (kind == EVP_PKEY_EC && bits == 256)
        return p256;
    return kind == EVP_PKEY_EC && bits == 384 ? p384 : NULL;
}

/*
 * Makes a signer of a private key. The signer keeps a reference of its own to the key, so free yours when you like; the
 * function of cbpii that takes the signer takes the reference over, also when it fails.
 *
 * Fails with request.argument (NULL) and configuration.key_unsupported (neither RSA nor P-256 nor P-384); `signer` is then
 * left as it was.
 */
static inline cbpii_error *cbpii_openssl_signer(EVP_PKEY *key, cbpii_signer *signer)
{
    cbpii_signer made;

    if (key == NULL || signer == NULL)
        return cbpii_error_new(CBPII_ERROR_REQUEST_ARGUMENT,
                               "The key or the signer of cbpii_openssl_signer is NULL; give both.");
    made.algorithms = cbpii_openssl_algorithms(key, &made.algorithm_count);
    if (made.algorithms == NULL)
        return cbpii_error_new(CBPII_ERROR_CONFIGURATION_KEY_UNSUPPORTED,
                               "The key in OpenSSL is none that banks take; use RSA, P-256 or P-384.");
    if (EVP_PKEY_up_ref(key) != 1)
        return cbpii_openssl_failure();
    made.user_data = key;
    made.sign = cbpii_openssl_sign;
    made.destroy = cbpii_openssl_destroy;
    *signer = made;
    return NULL;
}

#ifdef __cplusplus
}
#endif

#endif
