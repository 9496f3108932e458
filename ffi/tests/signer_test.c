/* Keys the library never sees: OpenSSL stands in for a hardware security module. */
#include "kit.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

typedef enum { HONEST, LOCKED, EMPTY, TOO_LONG, FAR_TOO_LONG, GARBAGE } manner;

typedef struct {
    pthread_mutex_t lock;
    EVP_PKEY *key;
    manner how;
    unsigned calls;
    unsigned ended;
    unsigned mishaps;
    int32_t last_algorithm;
} module;

static void open_module(module *hsm, const char *key_path, manner how)
{
    memset(hsm, 0, sizeof *hsm);
    pthread_mutex_init(&hsm->lock, NULL);
    hsm->how = how;
    FILE *file = fopen(sandbox_text(kit_sandbox, key_path), "r");
    assert_non_null(file);
    hsm->key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    assert_non_null(hsm->key);
}

static void close_module(module *hsm, unsigned ended)
{
    assert_int_equal(hsm->ended, ended);
    assert_int_equal(hsm->mishaps, 0);
    EVP_PKEY_free(hsm->key);
}

static const EVP_MD *hash_of(int32_t algorithm)
{
    switch (algorithm) {
    case CBPII_ALGORITHM_RSA_PKCS1_SHA384:
    case CBPII_ALGORITHM_RSA_PSS_SHA384:
    case CBPII_ALGORITHM_ECDSA_P384_SHA384:
        return EVP_sha384();
    case CBPII_ALGORITHM_RSA_PKCS1_SHA512:
    case CBPII_ALGORITHM_RSA_PSS_SHA512:
        return EVP_sha512();
    default:
        return EVP_sha256();
    }
}

static bool sign_with_key(EVP_PKEY *key, int32_t algorithm, const uint8_t *message, size_t message_length,
                          uint8_t *signature, size_t *length)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters = NULL;
    bool is_pss = algorithm >= CBPII_ALGORITHM_RSA_PSS_SHA256 && algorithm <= CBPII_ALGORITHM_RSA_PSS_SHA512;
    bool done = EVP_DigestSignInit(context, &parameters, hash_of(algorithm), NULL, key) == 1
        && (!is_pss
            || (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1
                && EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1))
        && EVP_DigestSign(context, signature, length, message, message_length) == 1;
    EVP_MD_CTX_free(context);
    return done;
}

static cbpii_error *sign(void *user_data, int32_t algorithm, const uint8_t *message, size_t message_length,
                         uint8_t *signature, size_t capacity, size_t *signature_length)
{
    module *hsm = user_data;
    pthread_mutex_lock(&hsm->lock);
    hsm->calls++;
    hsm->last_algorithm = algorithm;
    hsm->mishaps += message_length == 0 || capacity != 1024 || *signature_length != 0;
    pthread_mutex_unlock(&hsm->lock);
    switch (hsm->how) {
    case LOCKED:
        return cbpii_error_new(CBPII_ERROR_CONFIGURATION_SIGNER_FAILED, "The module is locked; unlock it.");
    case EMPTY:
        return NULL;
    case TOO_LONG:
        *signature_length = capacity + 1;
        return NULL;
    case FAR_TOO_LONG:
        *signature_length = SIZE_MAX;
        return NULL;
    case GARBAGE:
        memset(signature, 7, 256);
        *signature_length = 256;
        return NULL;
    default:
        *signature_length = capacity;
        if (!sign_with_key(hsm->key, algorithm, message, message_length, signature, signature_length)) {
            return cbpii_error_new(CBPII_ERROR_CONFIGURATION_SIGNER_FAILED, "OpenSSL does not sign.");
        }
        return NULL;
    }
}

static void end_module(void *user_data)
{
    module *hsm = user_data;
    pthread_mutex_lock(&hsm->lock);
    hsm->ended++;
    pthread_mutex_unlock(&hsm->lock);
}

static const int32_t PKCS1[] = {CBPII_ALGORITHM_RSA_PKCS1_SHA256};
static const int32_t PSS[] = {CBPII_ALGORITHM_RSA_PSS_SHA384, CBPII_ALGORITHM_RSA_PSS_SHA256};
static const int32_t ECDSA[] = {CBPII_ALGORITHM_ECDSA_P256_SHA256};

static cbpii_signer signer_of(module *hsm, const int32_t *algorithms, size_t count)
{
    cbpii_signer signer = {hsm, sign, algorithms, count, end_module};
    return signer;
}

typedef cbpii_error *(*setter)(cbpii_issuer *, const uint8_t *, size_t, const cbpii_signer *);

static void set(setter how, cbpii_issuer *issuer, const char *chain_path, const cbpii_signer *signer)
{
    size_t length = 0;
    char *chain = sandbox_file(kit_sandbox, chain_path, &length);
    OK(how(issuer, (const uint8_t *)chain, length, signer));
    free(chain);
}

static cbpii_client *client_sealed_by(module *hsm)
{
    cbpii_issuer *issuer = kit_issuer(kit_sandbox);
    cbpii_signer signer = signer_of(hsm, PKCS1, 1);
    set(cbpii_issuer_set_seal_signer, issuer, "issuer.qsealc.chain", &signer);
    /* It was copied. */
    memset(&signer, 0, sizeof signer);
    return kit_client_of(kit_bank(kit_sandbox, NULL), issuer, NULL);
}

static void a_seal_can_be_in_a_module(void **state)
{
    (void)state;
    module hsm;
    open_module(&hsm, "issuer.qsealc.key", HONEST);
    cbpii_client *client = client_sealed_by(&hsm);
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
    assert_int_equal(hsm.calls, 0);
    assert_true(kit_available(client, tokens, "458.99"));
    assert_false(kit_available(client, tokens, "459"));
    assert_int_equal(hsm.calls, 2);
    assert_int_equal(hsm.last_algorithm, CBPII_ALGORITHM_RSA_PKCS1_SHA256);
    assert_int_equal(hsm.ended, 0);
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
    close_module(&hsm, 1);
}

/* That a check works whose TLS key is in a module. */
static void check_tls_key(const char *identity, const int32_t *algorithms, size_t count, int32_t expected)
{
    module hsm;
    char *key = kit_text("issuer.%s.key", identity), *chain = kit_text("issuer.%s.chain", identity);
    open_module(&hsm, key, HONEST);
    cbpii_issuer *issuer = kit_issuer(kit_sandbox);
    cbpii_signer signer = signer_of(&hsm, algorithms, count);
    set(cbpii_issuer_set_transport_signer, issuer, chain, &signer);
    cbpii_client *client = kit_client_of(kit_bank(kit_sandbox, NULL), issuer, NULL);
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
    assert_true(kit_available(client, tokens, "1"));
    assert_true(hsm.calls >= 1);
    assert_int_equal(hsm.last_algorithm, expected);
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
    close_module(&hsm, 1);
    free(key);
    free(chain);
}

static void a_tls_key_can_be_in_a_module(void **state)
{
    (void)state;
    check_tls_key("qwac", PSS, 2, CBPII_ALGORITHM_RSA_PSS_SHA384);
    check_tls_key("qwac", PSS + 1, 1, CBPII_ALGORITHM_RSA_PSS_SHA256);
    check_tls_key("variants.ec-p256", ECDSA, 1, CBPII_ALGORITHM_ECDSA_P256_SHA256);
}

static void a_module_that_does_not_sign_is_the_error_of_the_check(void **state)
{
    (void)state;
    const struct {
        manner how;
        const char *message;
    } wrong[] = {
        {LOCKED, "The module is locked; unlock it."},
        {EMPTY, "0 bytes"},
        {TOO_LONG, "1025 bytes"},
        {FAR_TOO_LONG, "1 to 1024"},
    };
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
    cbpii_funds_request *request = kit_request("R", CLAIRE, "1");
    for (size_t place = 0; place < sizeof wrong / sizeof wrong[0]; place++) {
        module hsm;
        open_module(&hsm, "issuer.qsealc.key", wrong[place].how);
        cbpii_client *client = client_sealed_by(&hsm);
        cbpii_funds_confirmation *answer = NULL;
        cbpii_error *error =
            ERROR(CBPII_ERROR_CONFIGURATION_SIGNER_FAILED, cbpii_client_confirm_funds(client, tokens, request, &answer));
        assert_null(answer);
        assert_contains(cbpii_error_message(error), wrong[place].message);
        assert_int_equal(cbpii_error_request_sent(error), CBPII_REQUEST_SENT_NO);
        cbpii_error_free(error);
        assert_int_equal(hsm.calls, 1);
        cbpii_client_free(client);
        close_module(&hsm, 1);
    }
    assert_int_equal(sandbox_seen(kit_sandbox, "funds"), 0);
    cbpii_funds_request_free(request);
    cbpii_tokens_free(tokens);
}

static void a_module_of_another_key_is_refused_by_the_bank(void **state)
{
    (void)state;
    module hsm;
    open_module(&hsm, "issuer.qsealc.key", GARBAGE);
    cbpii_client *client = client_sealed_by(&hsm);
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
    cbpii_funds_request *request = kit_request("R", CLAIRE, "1");
    REFUSED(CBPII_ERROR_BANK_FORBIDDEN, cbpii_funds_confirmation, none,
            cbpii_client_confirm_funds(client, tokens, request, &none));
    cbpii_client_free(client);
    close_module(&hsm, 1);

    const struct {
        manner how;
        int32_t number;
    } wrong[] = {{LOCKED, CBPII_ERROR_CONFIGURATION_SIGNER_FAILED}, {GARBAGE, CBPII_ERROR_TLS_CLIENT_CERTIFICATE_REFUSED}};
    for (size_t place = 0; place < 2; place++) {
        open_module(&hsm, "issuer.qwac.key", wrong[place].how);
        cbpii_issuer *issuer = kit_issuer(kit_sandbox);
        cbpii_signer signer = signer_of(&hsm, PSS + 1, 1);
        set(cbpii_issuer_set_transport_signer, issuer, "issuer.qwac.chain", &signer);
        client = kit_client_of(kit_bank(kit_sandbox, NULL), issuer, NULL);
        REFUSED(wrong[place].number, cbpii_funds_confirmation, none,
                cbpii_client_confirm_funds(client, tokens, request, &none));
        assert_true(hsm.calls >= 1);
        cbpii_client_free(client);
        close_module(&hsm, 1);
    }
    cbpii_funds_request_free(request);
    cbpii_tokens_free(tokens);
}

static void a_signer_that_is_not_taken_ends_all_the_same(void **state)
{
    (void)state;
    const setter setters[] = {cbpii_issuer_set_transport_signer, cbpii_issuer_set_seal_signer};
    const char *const chains[] = {"issuer.qwac.chain", "issuer.qsealc.chain"};
    for (size_t place = 0; place < 2; place++) {
        setter how = setters[place];
        module hsm;
        size_t length = 0;
        char *chain = sandbox_file(kit_sandbox, chains[place], &length);
        const uint8_t *bytes = (const uint8_t *)chain;
        open_module(&hsm, "issuer.qwac.key", HONEST);
        cbpii_issuer *issuer = kit_bare_issuer(kit_sandbox);
        cbpii_signer signer = signer_of(&hsm, PSS, 2);
        FAILS(CBPII_ERROR_CONFIGURATION_CERTIFICATE_UNREADABLE, how(issuer, (const uint8_t *)"hello", 5, &signer));
        assert_int_equal(hsm.ended, 1);
        ARGUMENT(how(NULL, bytes, length, &signer));
        assert_int_equal(hsm.ended, 2);
        ARGUMENT(how(issuer, NULL, length, &signer));
        assert_int_equal(hsm.ended, 3);
        signer.sign = NULL;
        ARGUMENT(how(issuer, bytes, length, &signer));
        assert_int_equal(hsm.ended, 4);
        signer = signer_of(&hsm, PSS, 0);
        ARGUMENT(how(issuer, bytes, length, &signer));
        assert_int_equal(hsm.ended, 5);
        signer = signer_of(&hsm, NULL, 2);
        ARGUMENT(how(issuer, bytes, length, &signer));
        assert_int_equal(hsm.ended, 6);
        const int32_t unknown[] = {CBPII_ALGORITHM_RSA_PSS_SHA256, 9};
        signer = signer_of(&hsm, unknown, 2);
        ARGUMENT(how(issuer, bytes, length, &signer));
        assert_int_equal(hsm.ended, 7);
        ARGUMENT(how(issuer, bytes, length, NULL));
        assert_int_equal(hsm.calls, 0);
        free(chain);
        cbpii_issuer_free(issuer);
        close_module(&hsm, 7);
    }

    module hsm;
    size_t length = 0;
    char *chain = sandbox_file(kit_sandbox, "issuer.qwac.chain", &length);
    open_module(&hsm, "issuer.qwac.key", HONEST);
    cbpii_issuer *issuer = kit_bare_issuer(kit_sandbox);
    cbpii_signer signer = signer_of(&hsm, PKCS1, 1);
    /* TLS 1.3 has no use for PKCS#1 v1.5. */
    FAILS(CBPII_ERROR_CONFIGURATION_SIGNER_FAILED,
          cbpii_issuer_set_transport_signer(issuer, (const uint8_t *)chain, length, &signer));
    free(chain);
    cbpii_issuer_free(issuer);
    close_module(&hsm, 1);
}

static void a_signer_ends_once_with_the_last_that_needs_it(void **state)
{
    (void)state;
    module first, second;
    open_module(&first, "issuer.qsealc.key", HONEST);
    open_module(&second, "issuer.qsealc.key", HONEST);
    cbpii_issuer *issuer = kit_issuer(kit_sandbox);
    cbpii_signer signer = signer_of(&first, PKCS1, 1);
    set(cbpii_issuer_set_seal_signer, issuer, "issuer.qsealc.chain", &signer);
    signer = signer_of(&second, PKCS1, 1);
    set(cbpii_issuer_set_seal_signer, issuer, "issuer.qsealc.chain", &signer);
    assert_int_equal(first.ended, 1);
    assert_int_equal(second.ended, 0);
    cbpii_client *client = kit_client_of(kit_bank(kit_sandbox, NULL), issuer, NULL);
    assert_int_equal(second.ended, 0);
    cbpii_client_free(client);
    close_module(&first, 1);
    close_module(&second, 1);

    /* Without a destructor. */
    issuer = kit_issuer(kit_sandbox);
    open_module(&first, "issuer.qsealc.key", HONEST);
    signer = signer_of(&first, PKCS1, 1);
    signer.destroy = NULL;
    set(cbpii_issuer_set_seal_signer, issuer, "issuer.qsealc.chain", &signer);
    cbpii_issuer_free(issuer);
    close_module(&first, 0);
}

typedef struct {
    const cbpii_client *client;
    const cbpii_tokens *tokens;
    unsigned right;
} worker;

enum { WORKERS = 4, CHECKS = 5 };

static void *check_several_times(void *user_data)
{
    worker *own = user_data;
    for (int round = 0; round < CHECKS; round++) {
        cbpii_funds_request *request = NULL;
        cbpii_funds_confirmation *answer = NULL;
        char reference[16];
        snprintf(reference, sizeof reference, "R-%d", round);
        cbpii_error *error = cbpii_funds_request_for_iban(reference, CLAIRE, "1", "EUR", &request);
        if (error == NULL) {
            error = cbpii_client_confirm_funds(own->client, own->tokens, request, &answer);
        }
        own->right += error == NULL && cbpii_funds_confirmation_available(answer)
            && strcmp(cbpii_funds_confirmation_reference(answer), reference) == 0;
        cbpii_funds_confirmation_free(answer);
        cbpii_funds_request_free(request);
        cbpii_error_free(error);
    }
    return NULL;
}

static void a_module_serves_several_threads(void **state)
{
    (void)state;
    module hsm;
    open_module(&hsm, "issuer.qsealc.key", HONEST);
    cbpii_client *client = client_sealed_by(&hsm);
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
    pthread_t threads[WORKERS];
    worker workers[WORKERS];
    for (size_t place = 0; place < WORKERS; place++) {
        workers[place] = (worker){client, tokens, 0};
        assert_int_equal(pthread_create(&threads[place], NULL, check_several_times, &workers[place]), 0);
    }
    for (size_t place = 0; place < WORKERS; place++) {
        pthread_join(threads[place], NULL);
        assert_int_equal(workers[place].right, CHECKS);
    }
    assert_int_equal(hsm.calls, WORKERS * CHECKS);
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
    close_module(&hsm, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(a_seal_can_be_in_a_module),
        kit_test(a_tls_key_can_be_in_a_module),
        kit_test(a_module_that_does_not_sign_is_the_error_of_the_check),
        kit_test(a_module_of_another_key_is_refused_by_the_bank),
        kit_test(a_signer_that_is_not_taken_ends_all_the_same),
        kit_test(a_signer_ends_once_with_the_last_that_needs_it),
        kit_test(a_module_serves_several_threads),
    };
    return kit_run(tests);
}
