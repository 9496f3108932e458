/* The issuer: its registration, its certificates and keys in every form. */
#include "kit.h"

#define REDIRECT "https://issuer.example/callback"

/* No key: only the form of such files. */
static const char OLD_ENCRYPTION[] =
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
    "DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";

typedef struct {
    char *bytes;
    size_t length;
} file;

static file read_file(const char *path)
{
    file content = {NULL, 0};
    content.bytes = sandbox_file(kit_sandbox, path, &content.length);
    return content;
}

#define BYTES(content) (const uint8_t *)(content).bytes, (content).length

static void an_issuer_is_its_registration(void **state)
{
    (void)state;
    cbpii_issuer *issuer = NULL;
    OK(cbpii_issuer_new("PSDFR-ACPR-12345", REDIRECT "?b=%41", &issuer));
    assert_string_equal(cbpii_issuer_client_id(issuer), "PSDFR-ACPR-12345");
    assert_string_equal(cbpii_issuer_redirect_uri(issuer), REDIRECT "?b=%41");
    OK(cbpii_issuer_set_client_secret(issuer, "s3cr3t"));
    FAILS(CBPII_ERROR_CONFIGURATION_CLIENT_SECRET, cbpii_issuer_set_client_secret(issuer, ""));
    FAILS(CBPII_ERROR_CONFIGURATION_CLIENT_SECRET, cbpii_issuer_set_client_secret(issuer, "a\n"));
    ARGUMENT(cbpii_issuer_set_client_secret(NULL, "s3cr3t"));
    ARGUMENT(cbpii_issuer_set_client_secret(issuer, NULL));
    ARGUMENT(cbpii_issuer_set_client_secret(issuer, NOT_UTF8));
    cbpii_issuer_free(issuer);

    REFUSED(CBPII_ERROR_CONFIGURATION_CLIENT_ID, cbpii_issuer, none, cbpii_issuer_new("", REDIRECT, &none));
    REFUSED(CBPII_ERROR_CONFIGURATION_CLIENT_ID, cbpii_issuer, none, cbpii_issuer_new("a\n", REDIRECT, &none));
    REFUSED(CBPII_ERROR_CONFIGURATION_REDIRECT_URI, cbpii_issuer, none, cbpii_issuer_new("id", "/callback", &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_issuer, none, cbpii_issuer_new(NULL, REDIRECT, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_issuer, none, cbpii_issuer_new("id", NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_issuer, none, cbpii_issuer_new(NOT_UTF8, REDIRECT, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_issuer, none, cbpii_issuer_new("id", NOT_UTF8, &none));
    ARGUMENT(cbpii_issuer_new("id", REDIRECT, NULL));
    assert_null(cbpii_issuer_client_id(NULL));
    assert_null(cbpii_issuer_redirect_uri(NULL));
    cbpii_issuer_free(NULL);
}

/* Both certificates are set in the same way. */
typedef struct {
    const char *name;
    const char *other;
    cbpii_error *(*set)(cbpii_issuer *, const uint8_t *, size_t, const uint8_t *, size_t, const char *);
    cbpii_error *(*set_files)(cbpii_issuer *, const char *, const char *, const char *);
    cbpii_error *(*set_pkcs12)(cbpii_issuer *, const uint8_t *, size_t, const char *);
} door;

static const door doors[] = {
    {"qwac", "qsealc", cbpii_issuer_set_transport, cbpii_issuer_set_transport_files, cbpii_issuer_set_transport_pkcs12},
    {"qsealc", "qwac", cbpii_issuer_set_seal, cbpii_issuer_set_seal_files, cbpii_issuer_set_seal_pkcs12},
};

static file form_of(const door *one, const char *form)
{
    char *path = kit_text("issuer.%s", one->name), *whole = kit_text("%s%s", path, form);
    file content = read_file(whole);
    free(whole);
    free(path);
    return content;
}

static void keys_and_chains_come_in_every_form(void **state)
{
    (void)state;
    for (size_t place = 0; place < 2; place++) {
        const door *one = &doors[place];
        cbpii_issuer *issuer = kit_bare_issuer(kit_sandbox);
        file chain = form_of(one, ".chain"), reversed = form_of(one, "_forms.chain_reversed");
        file leaf = form_of(one, "_forms.certificate_der");
        const char *const forms[] = {".key", "_forms.pkcs8_der", "_forms.pkcs1_pem", "_forms.pkcs1_der"};
        for (size_t form = 0; form < sizeof forms / sizeof forms[0]; form++) {
            file key = form_of(one, forms[form]);
            OK(one->set(issuer, BYTES(chain), BYTES(key), NULL));
            OK(one->set(issuer, BYTES(reversed), BYTES(key), NULL));
            OK(one->set(issuer, BYTES(leaf), BYTES(key), NULL));
            free(key.bytes);
        }
        file encrypted = form_of(one, "_forms.encrypted_pkcs8_pem");
        OK(one->set(issuer, BYTES(chain), BYTES(encrypted), "sandbox"));
        FAILS(CBPII_ERROR_CONFIGURATION_KEY_PASSWORD, one->set(issuer, BYTES(chain), BYTES(encrypted), NULL));
        FAILS(CBPII_ERROR_CONFIGURATION_KEY_PASSWORD, one->set(issuer, BYTES(chain), BYTES(encrypted), "wrong"));
        file keystore = form_of(one, "_forms.pkcs12"), old_keystore = form_of(one, "_forms.pkcs12_legacy");
        OK(one->set_pkcs12(issuer, BYTES(keystore), "sandbox"));
        OK(one->set_pkcs12(issuer, BYTES(old_keystore), "sandbox"));
        FAILS(CBPII_ERROR_CONFIGURATION_KEY_PASSWORD, one->set_pkcs12(issuer, BYTES(keystore), "wrong"));
        ARGUMENT(one->set_pkcs12(NULL, BYTES(keystore), "sandbox"));
        ARGUMENT(one->set_pkcs12(issuer, NULL, 7, "sandbox"));
        ARGUMENT(one->set_pkcs12(issuer, BYTES(keystore), NOT_UTF8));
        free(keystore.bytes);
        free(old_keystore.bytes);
        free(encrypted.bytes);
        free(leaf.bytes);
        free(reversed.bytes);
        free(chain.bytes);
        cbpii_issuer_free(issuer);
    }
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    for (size_t place = 0; place < 2; place++) {
        const door *one = &doors[place];
        cbpii_issuer *issuer = kit_bare_issuer(kit_sandbox);
        file chain = form_of(one, ".chain"), key = form_of(one, ".key");
        char *other = kit_text("issuer.%s.key", one->other);
        file foreign = read_file(other);
        const uint8_t *hello = (const uint8_t *)"hello", *old = (const uint8_t *)OLD_ENCRYPTION;
        FAILS(CBPII_ERROR_CONFIGURATION_KEY_MISMATCH, one->set(issuer, BYTES(chain), BYTES(foreign), NULL));
        FAILS(CBPII_ERROR_CONFIGURATION_CERTIFICATE_UNREADABLE, one->set(issuer, hello, 5, BYTES(key), NULL));
        FAILS(CBPII_ERROR_CONFIGURATION_KEY_UNREADABLE, one->set(issuer, BYTES(chain), hello, 5, NULL));
        FAILS(CBPII_ERROR_CONFIGURATION_KEY_UNREADABLE, one->set(issuer, BYTES(chain), NULL, 0, NULL));
        FAILS(CBPII_ERROR_CONFIGURATION_KEY_UNSUPPORTED,
              one->set(issuer, BYTES(chain), old, sizeof OLD_ENCRYPTION - 1, "sandbox"));
        ARGUMENT(one->set(NULL, BYTES(chain), BYTES(key), NULL));
        ARGUMENT(one->set(issuer, NULL, 5, BYTES(key), NULL));
        ARGUMENT(one->set(issuer, BYTES(chain), NULL, 5, NULL));
        ARGUMENT(one->set(issuer, BYTES(chain), BYTES(key), NOT_UTF8));

        char *chain_path = kit_text("issuer.%s.chain", one->name), *key_path = kit_text("issuer.%s.key", one->name);
        const char *chain_file = sandbox_text(kit_sandbox, chain_path), *key_file = sandbox_text(kit_sandbox, key_path);
        OK(one->set_files(issuer, chain_file, key_file, NULL));
        FAILS(CBPII_ERROR_CONFIGURATION_CERTIFICATE_UNREADABLE, one->set_files(issuer, "/nowhere", key_file, NULL));
        FAILS(CBPII_ERROR_CONFIGURATION_KEY_UNREADABLE, one->set_files(issuer, chain_file, "/nowhere", NULL));
        FAILS(CBPII_ERROR_CONFIGURATION_KEY_MISMATCH,
              one->set_files(issuer, chain_file, sandbox_text(kit_sandbox, other), NULL));
        ARGUMENT(one->set_files(NULL, chain_file, key_file, NULL));
        ARGUMENT(one->set_files(issuer, NULL, key_file, NULL));
        ARGUMENT(one->set_files(issuer, chain_file, NULL, NULL));
        ARGUMENT(one->set_files(issuer, NOT_UTF8, key_file, NULL));
        ARGUMENT(one->set_files(issuer, chain_file, key_file, NOT_UTF8));
        free(chain_path);
        free(key_path);
        free(other);
        free(foreign.bytes);
        free(key.bytes);
        free(chain.bytes);
        cbpii_issuer_free(issuer);
    }
}

static void the_key_id_of_a_seal_can_be_stated(void **state)
{
    (void)state;
    cbpii_issuer *issuer = kit_bare_issuer(kit_sandbox);
    FAILS(CBPII_ERROR_CONFIGURATION_SEAL_MISSING, cbpii_issuer_set_seal_key_id(issuer, "https://issuer.example/seal"));
    cbpii_issuer_free(issuer);
    issuer = kit_issuer(kit_sandbox);
    FAILS(CBPII_ERROR_CONFIGURATION_HEADER, cbpii_issuer_set_seal_key_id(issuer, "a\r\nb"));
    ARGUMENT(cbpii_issuer_set_seal_key_id(issuer, NULL));
    ARGUMENT(cbpii_issuer_set_seal_key_id(issuer, NOT_UTF8));
    ARGUMENT(cbpii_issuer_set_seal_key_id(NULL, "id"));
    OK(cbpii_issuer_set_seal_key_id(issuer, "https://issuer.example/seal"));
    cbpii_client *client = kit_client_of(kit_bank(kit_sandbox, NULL), issuer, NULL);
    cbpii_funds_request *request = kit_request("R", CLAIRE, "1");
    cbpii_explanation *explanation = NULL;
    OK(cbpii_client_explain(client, request, &explanation));
    assert_string_equal(cbpii_explanation_key_id(explanation), "https://issuer.example/seal");
    assert_string_equal(cbpii_explanation_key_id_source(explanation), "seal");
    cbpii_explanation_free(explanation);
    cbpii_funds_request_free(request);
    cbpii_client_free(client);
}

static void certificates_are_checked_for_a_bank(void **state)
{
    (void)state;
    cbpii_bank *bank = kit_bank(kit_sandbox, NULL);
    const struct {
        const char *variant;
        const char *code;
    } wrong[] = {{"expired", "expired"}, {"other-role", "not_a_cbpii"}, {"expires-soon", "expires_soon"}};
    for (size_t place = 0; place < sizeof wrong / sizeof wrong[0]; place++) {
        cbpii_issuer *issuer = kit_issuer_variant(kit_sandbox, wrong[place].variant);
        cbpii_findings *findings = NULL;
        OK(cbpii_issuer_check(issuer, bank, &findings));
        bool found = false;
        for (size_t one = 0; one < cbpii_findings_count(findings); one++) {
            assert_non_null(cbpii_severity_name(cbpii_findings_severity(findings, one)));
            assert_true(strlen(cbpii_findings_sentence(findings, one)) > 10);
            found = found || strstr(cbpii_findings_code(findings, one), wrong[place].code) != NULL;
        }
        if (!found) {
            fail_msg("%s: no finding %s", wrong[place].variant, wrong[place].code);
        }
        cbpii_findings_free(findings);
        cbpii_issuer_free(issuer);
    }
    cbpii_issuer *issuer = kit_issuer(kit_sandbox);
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_findings, none, cbpii_issuer_check(NULL, bank, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_findings, none, cbpii_issuer_check(issuer, NULL, &none));
    ARGUMENT(cbpii_issuer_check(issuer, bank, NULL));
    cbpii_issuer_free(issuer);
    cbpii_bank_free(bank);
}

static void an_issuer_that_is_not_entitled_gets_no_client(void **state)
{
    (void)state;
    const struct {
        const char *variant;
        int32_t number;
    } wrong[] = {
        {"no-role", CBPII_ERROR_ELIGIBILITY_NOT_A_CBPII},
        {"other-role", CBPII_ERROR_ELIGIBILITY_NOT_A_CBPII},
        {"expired", CBPII_ERROR_ELIGIBILITY_CERTIFICATE_EXPIRED},
        {"not-yet-valid", CBPII_ERROR_ELIGIBILITY_CERTIFICATE_NOT_YET_VALID},
        {"eseal-as-qwac", CBPII_ERROR_ELIGIBILITY_CERTIFICATE_WRONG_USE},
        {"rsassa-pss", CBPII_ERROR_ELIGIBILITY_CERTIFICATE_PSS},
    };
    cbpii_bank *bank = kit_bank(kit_sandbox, NULL);
    for (size_t place = 0; place < sizeof wrong / sizeof wrong[0]; place++) {
        cbpii_issuer *issuer = kit_issuer_variant(kit_sandbox, wrong[place].variant);
        REFUSED(wrong[place].number, cbpii_client, none, cbpii_client_new(bank, issuer, NULL, &none));
        cbpii_issuer_free(issuer);
    }
    cbpii_issuer *issuer = kit_bare_issuer(kit_sandbox);
    OK(cbpii_issuer_set_transport_files(issuer, sandbox_text(kit_sandbox, "issuer.qwac.chain"),
                                        sandbox_text(kit_sandbox, "issuer.qwac.key"), NULL));
    REFUSED(CBPII_ERROR_CONFIGURATION_SEAL_MISSING, cbpii_client, none, cbpii_client_new(bank, issuer, NULL, &none));
    cbpii_issuer_free(issuer);
    cbpii_bank_free(bank);
}

static void an_elliptic_key_works_as_well(void **state)
{
    (void)state;
    cbpii_issuer *issuer = kit_issuer_variant(kit_sandbox, "ec-p256");
    OK(cbpii_issuer_set_transport_files(issuer, sandbox_text(kit_sandbox, "issuer.variants.ec-p256.chain"),
                                        sandbox_text(kit_sandbox, "issuer.ec_sec1_pem"), NULL));
    cbpii_client *client = kit_client_of(kit_bank(kit_sandbox, NULL), issuer, NULL);
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
    assert_true(kit_available(client, tokens, "1"));
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(an_issuer_is_its_registration),
        kit_test(keys_and_chains_come_in_every_form),
        kit_test(what_does_not_fit_is_refused),
        kit_test(the_key_id_of_a_seal_can_be_stated),
        kit_test(certificates_are_checked_for_a_bank),
        kit_test(an_issuer_that_is_not_entitled_gets_no_client),
        kit_test(an_elliptic_key_works_as_well),
    };
    return kit_run(tests);
}
