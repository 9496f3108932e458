/* Keys that OpenSSL holds, through cbpii_openssl.h. */
#include "kit.h"

#include <cbpii_openssl.h>
#include <openssl/pem.h>

static EVP_PKEY *read_key(const char *path)
{
    FILE *file = fopen(sandbox_text(kit_sandbox, path), "r");
    assert_non_null(file);
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    assert_non_null(key);
    return key;
}

static cbpii_signer signer_of(const char *key_path)
{
    cbpii_signer signer;
    EVP_PKEY *key = read_key(key_path);
    OK(cbpii_openssl_signer(key, &signer));
    /* It keeps a reference of its own. */
    EVP_PKEY_free(key);
    return signer;
}

typedef cbpii_error *(*setter)(cbpii_issuer *, const uint8_t *, size_t, const cbpii_signer *);

static void set(setter how, cbpii_issuer *issuer, const char *chain_path, const char *key_path)
{
    size_t length = 0;
    char *chain = sandbox_file(kit_sandbox, chain_path, &length);
    const cbpii_signer signer = signer_of(key_path);
    OK(how(issuer, (const uint8_t *)chain, length, &signer));
    free(chain);
}

static void check(cbpii_issuer *issuer)
{
    cbpii_client *client = kit_client_of(kit_bank(kit_sandbox, NULL), issuer, NULL);
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
    assert_true(kit_available(client, tokens, "458.99"));
    assert_false(kit_available(client, tokens, "459"));
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
}

static void both_keys_can_be_openssls(void **state)
{
    (void)state;
    cbpii_issuer *issuer = kit_bare_issuer(kit_sandbox);
    set(cbpii_issuer_set_transport_signer, issuer, "issuer.qwac.chain", "issuer.qwac.key");
    set(cbpii_issuer_set_seal_signer, issuer, "issuer.qsealc.chain", "issuer.qsealc.key");
    check(issuer);

    issuer = kit_issuer(kit_sandbox);
    set(cbpii_issuer_set_transport_signer, issuer, "issuer.variants.ec-p256.chain", "issuer.variants.ec-p256.key");
    check(issuer);
}

/* Every algorithm that is offered, as OpenSSL itself verifies it. */
static void each_algorithm_is_what_it_says(void **state)
{
    (void)state;
    static const uint8_t message[] = "(request-target): post /funds";
    EVP_PKEY *const keys[] = {read_key("issuer.qsealc.key"), EVP_EC_gen("P-256"), EVP_EC_gen("P-384")};
    static const size_t counts[] = {6, 1, 1};
    for (size_t place = 0; place < 3; place++) {
        cbpii_signer signer;
        OK(cbpii_openssl_signer(keys[place], &signer));
        assert_int_equal(signer.algorithm_count, counts[place]);
        for (size_t offered = 0; offered < signer.algorithm_count; offered++) {
            const int32_t algorithm = signer.algorithms[offered];
            uint8_t signature[1024];
            size_t length = 0;
            OK(signer.sign(signer.user_data, algorithm, message, sizeof message, signature, sizeof signature, &length));
            EVP_MD_CTX *context = EVP_MD_CTX_new();
            EVP_PKEY_CTX *parameters = NULL;
            char name[32];
            snprintf(name, sizeof name, "%s", cbpii_algorithm_name(algorithm));
            assert_int_equal(EVP_DigestVerifyInit_ex(context, &parameters, strchr(name, '\0') - strlen("sha256"), NULL, NULL,
                                                     keys[place], NULL),
                             1);
            if (strstr(name, "pss") != NULL) {
                assert_true(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) > 0);
                assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) > 0);
            }
            assert_int_equal(EVP_DigestVerify(context, signature, length, message, sizeof message), 1);
            EVP_MD_CTX_free(context);
        }
        signer.destroy(signer.user_data);
        EVP_PKEY_free(keys[place]);
    }
}

static void a_key_that_no_bank_takes_is_refused(void **state)
{
    (void)state;
    const cbpii_signer untouched = {&kit_untouched, NULL, NULL, 7, NULL};
    cbpii_signer signer = untouched;
    EVP_PKEY *const keys[] = {EVP_EC_gen("P-521"), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
    for (size_t place = 0; place < 2; place++) {
        FAILS(CBPII_ERROR_CONFIGURATION_KEY_UNSUPPORTED, cbpii_openssl_signer(keys[place], &signer));
        EVP_PKEY_free(keys[place]);
    }
    EVP_PKEY *key = read_key("issuer.qsealc.key");
    ARGUMENT(cbpii_openssl_signer(NULL, &signer));
    ARGUMENT(cbpii_openssl_signer(key, NULL));
    EVP_PKEY_free(key);
    assert_memory_equal(&signer, &untouched, sizeof signer);
}

/* A public key signs nothing; and a signature needs its room. */
static void what_openssl_refuses_is_the_error_of_the_check(void **state)
{
    (void)state;
    EVP_PKEY *key = read_key("issuer.qsealc.key"), *public_key = NULL;
    BIO *memory = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(memory, key), 1);
    public_key = PEM_read_bio_PUBKEY(memory, NULL, NULL, NULL);
    BIO_free(memory);

    cbpii_signer signer;
    OK(cbpii_openssl_signer(public_key, &signer));
    EVP_PKEY_free(public_key);
    size_t length = 0;
    char *chain = sandbox_file(kit_sandbox, "issuer.qsealc.chain", &length);
    cbpii_issuer *issuer = kit_issuer(kit_sandbox);
    OK(cbpii_issuer_set_seal_signer(issuer, (const uint8_t *)chain, length, &signer));
    free(chain);
    cbpii_client *client = kit_client_of(kit_bank(kit_sandbox, NULL), issuer, NULL);
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
    cbpii_funds_request *request = kit_request("R", CLAIRE, "1");
    REFUSED(CBPII_ERROR_CONFIGURATION_SIGNER_FAILED, cbpii_funds_confirmation, none,
            cbpii_client_confirm_funds(client, tokens, request, &none));
    assert_int_equal(sandbox_seen(kit_sandbox, "funds"), 0);
    assert_int_equal(ERR_peek_error(), 0);
    cbpii_funds_request_free(request);
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);

    OK(cbpii_openssl_signer(key, &signer));
    EVP_PKEY_free(key);
    uint8_t small[16];
    length = 0;
    cbpii_error *error = ERROR(CBPII_ERROR_CONFIGURATION_SIGNER_FAILED,
                               signer.sign(signer.user_data, CBPII_ALGORITHM_RSA_PKCS1_SHA256, small, 1, small, sizeof small,
                                           &length));
    assert_contains(cbpii_error_message(error), "OpenSSL could not sign (");
    assert_int_equal(length, 0);
    cbpii_error_free(error);
    FAILS(CBPII_ERROR_CONFIGURATION_SIGNER_FAILED,
          signer.sign(signer.user_data, 99, small, 1, small, sizeof small, &length));
    signer.destroy(signer.user_data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(both_keys_can_be_openssls),
        kit_test(each_algorithm_is_what_it_says),
        kit_test(a_key_that_no_bank_takes_is_refused),
        kit_test(what_openssl_refuses_is_the_error_of_the_check),
    };
    return kit_run(tests);
}
