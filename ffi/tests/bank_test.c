/* Banks: the directory, records as JSON, changes to them. */
#include "kit.h"

#define SANDBOX CBPII_ENVIRONMENT_SANDBOX
#define PRODUCTION CBPII_ENVIRONMENT_PRODUCTION

/* A record that names no address. */
#define OWN_BANK "{\"id\": \"own\", \"name\": \"Own Bank\", \"standard\": \"stet-1.4.0\"}"

/* A record of the directory with other members. */
#define BASED(members) "{\"base\": \"bpce-17515\", \"environment\": \"sandbox\", " members "}"

static cbpii_bank *ile_de_france(void)
{
    cbpii_bank *bank = NULL;
    OK(cbpii_bank_bpce("17515", SANDBOX, &bank));
    return bank;
}

static void a_bank_is_found_by_its_code(void **state)
{
    (void)state;
    cbpii_bank *bank = ile_de_france();
    assert_string_equal(cbpii_bank_id(bank), "bpce-17515");
    assert_string_equal(cbpii_bank_name(bank), "Caisse d'Epargne Ile-de-France");
    assert_string_equal(cbpii_bank_brand(bank), "Caisse d'Epargne");
    assert_string_equal(cbpii_bank_establishment_code(bank), "17515");
    assert_contains(cbpii_bank_note(bank), "1.4.2");
    assert_contains(cbpii_bank_authorize_url(bank), "https://www.17515.sandbox.api.89c3.com/");
    assert_contains(cbpii_bank_token_url(bank), "/oauth/token");
    assert_contains(cbpii_bank_funds_url(bank), "/v1.4.2/funds-confirmations");
    assert_string_equal(cbpii_bank_scope(bank), "cbpii");
    assert_int_equal(cbpii_bank_environment(bank), SANDBOX);
    assert_int_equal(cbpii_bank_standard(bank), CBPII_STANDARD_STET_1_4_2);
    assert_false(cbpii_bank_is_unverified(bank));
    assert_int_equal(cbpii_bank_consent_lifetime_days(bank), 180);
    assert_false(cbpii_bank_wants_client_secret(bank));
    assert_true(cbpii_bank_refuses_pss_certificates(bank));
    cbpii_bank_free(bank);

    REFUSED(CBPII_ERROR_CONFIGURATION_BANK_UNKNOWN, cbpii_bank, none, cbpii_bank_bpce("99999", SANDBOX, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank, none, cbpii_bank_bpce(NULL, SANDBOX, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank, none, cbpii_bank_bpce(NOT_UTF8, SANDBOX, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank, none, cbpii_bank_bpce("17515", 0, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank, none, cbpii_bank_bpce("17515", 4, &none));
    ARGUMENT(cbpii_bank_bpce("17515", SANDBOX, NULL));
}

static void a_bank_is_found_by_its_id(void **state)
{
    (void)state;
    cbpii_bank *bank = NULL;
    OK(cbpii_bank_by_id("lydia", PRODUCTION, &bank));
    assert_string_equal(cbpii_bank_id(bank), "lydia");
    assert_non_null(cbpii_bank_note(bank));
    assert_int_equal(cbpii_bank_environment(bank), PRODUCTION);
    cbpii_bank_free(bank);
    REFUSED(CBPII_ERROR_CONFIGURATION_BANK_UNKNOWN, cbpii_bank, none, cbpii_bank_by_id("nobody", SANDBOX, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank, none, cbpii_bank_by_id(NULL, SANDBOX, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank, none, cbpii_bank_by_id(NOT_UTF8, SANDBOX, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank, none, cbpii_bank_by_id("lydia", -1, &none));
    ARGUMENT(cbpii_bank_by_id("lydia", SANDBOX, NULL));
}

static void a_record_is_written_and_read_again(void **state)
{
    (void)state;
    cbpii_bank *bank = ile_de_france(), *again = NULL;
    cbpii_string *json = NULL, *second = NULL;
    OK(cbpii_bank_to_json(bank, &json));
    assert_int_equal(cbpii_string_length(json), strlen(cbpii_string_text(json)));
    OK(cbpii_bank_from_json(cbpii_string_text(json), &again));
    OK(cbpii_bank_to_json(again, &second));
    assert_string_equal(cbpii_string_text(json), cbpii_string_text(second));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_string, none, cbpii_bank_to_json(NULL, &none));
    ARGUMENT(cbpii_bank_to_json(bank, NULL));
    cbpii_string_free(json);
    cbpii_string_free(second);
    cbpii_bank_free(bank);
    cbpii_bank_free(again);

    OK(cbpii_bank_from_json(OWN_BANK, &bank));
    assert_string_equal(cbpii_bank_name(bank), "Own Bank");
    assert_string_equal(cbpii_bank_scope(bank), "piisp");
    assert_int_equal(cbpii_bank_environment(bank), 0);
    assert_null(cbpii_bank_brand(bank));
    assert_null(cbpii_bank_establishment_code(bank));
    assert_null(cbpii_bank_note(bank));
    assert_null(cbpii_bank_authorize_url(bank));
    assert_null(cbpii_bank_token_url(bank));
    assert_null(cbpii_bank_funds_url(bank));
    cbpii_bank_free(bank);
    OK(cbpii_bank_from_json(BASED("\"unverified\": true, \"refuses_pss_certificates\": false, "
                                  "\"client_authentication\": \"client_secret_basic\""), &bank));
    assert_true(cbpii_bank_is_unverified(bank));
    assert_true(cbpii_bank_wants_client_secret(bank));
    assert_false(cbpii_bank_refuses_pss_certificates(bank));
    cbpii_bank_free(bank);
}

static void a_wrong_record_is_refused_with_the_path_of_the_field(void **state)
{
    (void)state;
    cbpii_bank *bank = NULL;
    cbpii_error *error =
        ERROR(CBPII_ERROR_CONFIGURATION_BANK_RECORD, cbpii_bank_from_json(BASED("\"signature\": {\"separator\": 7}"), &bank));
    assert_contains(cbpii_error_message(error), "signature.separator");
    cbpii_error_free(error);
    assert_null(bank);
    REFUSED(CBPII_ERROR_CONFIGURATION_BANK_RECORD, cbpii_bank, none, cbpii_bank_from_json("{", &none));
    REFUSED(CBPII_ERROR_CONFIGURATION_BANK_RECORD, cbpii_bank, none, cbpii_bank_from_json("", &none));
    REFUSED(CBPII_ERROR_CONFIGURATION_BANK_RECORD, cbpii_bank, none,
            cbpii_bank_from_json(BASED("\"colour\": \"red\""), &none));
    REFUSED(CBPII_ERROR_CONFIGURATION_BANK_UNKNOWN, cbpii_bank, none,
            cbpii_bank_from_json("{\"base\": \"nobody\", \"environment\": \"sandbox\"}", &none));
    REFUSED(CBPII_ERROR_CONFIGURATION_ENDPOINT_INVALID, cbpii_bank, none,
            cbpii_bank_from_json(BASED("\"funds_url\": \"http://localhost/\""), &none));
    REFUSED(CBPII_ERROR_CONFIGURATION_TRUST_ANCHOR, cbpii_bank, none,
            cbpii_bank_from_json(BASED("\"trust_anchors\": {\"mode\": \"add\", \"pem\": [\"hello\"]}"), &none));
    REFUSED(CBPII_ERROR_CONFIGURATION_HEADER, cbpii_bank, none,
            cbpii_bank_from_json(BASED("\"extra_headers\": {\"client-id\": \"a\\nb\"}"), &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank, none, cbpii_bank_from_json(NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank, none, cbpii_bank_from_json(NOT_UTF8, &none));
    ARGUMENT(cbpii_bank_from_json("{}", NULL));
}

static void addresses_can_be_changed(void **state)
{
    (void)state;
    cbpii_bank *bank = ile_de_france();
    OK(cbpii_bank_set_origin(bank, "https://localhost:8443"));
    assert_string_equal(cbpii_bank_authorize_url(bank), "https://localhost:8443/stet/psd2/oauth/authorize");
    assert_string_equal(cbpii_bank_token_url(bank), "https://localhost:8443/stet/psd2/oauth/token");
    assert_string_equal(cbpii_bank_funds_url(bank), "https://localhost:8443/stet/psd2/v1.4.2/funds-confirmations");
    FAILS(CBPII_ERROR_CONFIGURATION_ENDPOINT_INVALID, cbpii_bank_set_origin(bank, "http://localhost"));
    assert_string_equal(cbpii_bank_token_url(bank), "https://localhost:8443/stet/psd2/oauth/token");
    ARGUMENT(cbpii_bank_set_origin(NULL, "https://localhost"));
    ARGUMENT(cbpii_bank_set_origin(bank, NULL));
    ARGUMENT(cbpii_bank_set_origin(bank, NOT_UTF8));

    cbpii_error *(*const setters[])(cbpii_bank *, const char *) = {cbpii_bank_set_authorize_url, cbpii_bank_set_token_url,
                                                                   cbpii_bank_set_funds_url};
    const char *(*const getters[])(const cbpii_bank *) = {cbpii_bank_authorize_url, cbpii_bank_token_url,
                                                          cbpii_bank_funds_url};
    for (size_t place = 0; place < 3; place++) {
        OK(setters[place](bank, "https://other.example/path"));
        FAILS(CBPII_ERROR_CONFIGURATION_ENDPOINT_INVALID, setters[place](bank, "/path"));
        assert_string_equal(getters[place](bank), "https://other.example/path");
        ARGUMENT(setters[place](NULL, "https://other.example/path"));
        ARGUMENT(setters[place](bank, NULL));
        ARGUMENT(setters[place](bank, NOT_UTF8));
    }
    cbpii_bank_free(bank);

    OK(cbpii_bank_from_json(OWN_BANK, &bank));
    FAILS(CBPII_ERROR_CONFIGURATION_ENDPOINT_MISSING, cbpii_bank_set_origin(bank, "https://localhost"));
    cbpii_bank_free(bank);
}

static void roots_can_be_added(void **state)
{
    (void)state;
    cbpii_bank *bank = ile_de_france();
    cbpii_string *json = NULL;
    char *ca = sandbox_file(kit_sandbox, "issuer.ca", NULL);
    OK(cbpii_bank_add_trust_anchor(bank, ca, true));
    OK(cbpii_bank_to_json(bank, &json));
    assert_contains(cbpii_string_text(json), "\"mode\": \"replace\"");
    assert_contains(cbpii_string_text(json), "BEGIN CERTIFICATE");
    cbpii_string_free(json);
    FAILS(CBPII_ERROR_CONFIGURATION_TRUST_ANCHOR, cbpii_bank_add_trust_anchor(bank, "hello", false));
    ARGUMENT(cbpii_bank_add_trust_anchor(NULL, ca, true));
    ARGUMENT(cbpii_bank_add_trust_anchor(bank, NULL, true));
    ARGUMENT(cbpii_bank_add_trust_anchor(bank, NOT_UTF8, true));
    free(ca);
    cbpii_bank_free(bank);
}

static void a_clone_is_independent(void **state)
{
    (void)state;
    cbpii_bank *bank = ile_de_france(), *copy = NULL;
    OK(cbpii_bank_clone(bank, &copy));
    OK(cbpii_bank_set_origin(bank, "https://localhost"));
    cbpii_bank_free(bank);
    assert_contains(cbpii_bank_token_url(copy), "89c3.com");
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank, none, cbpii_bank_clone(NULL, &none));
    ARGUMENT(cbpii_bank_clone(copy, NULL));
    cbpii_bank_free(copy);
}

static void the_directory_is_a_list(void **state)
{
    (void)state;
    cbpii_bank_list *banks = NULL;
    OK(cbpii_bank_list_directory(PRODUCTION, &banks));
    size_t length = cbpii_bank_list_length(banks);
    assert_true(length > 30);
    for (size_t place = 0; place < length; place++) {
        const cbpii_bank *bank = cbpii_bank_list_get(banks, place);
        assert_true(strlen(cbpii_bank_id(bank)) > 0 && strlen(cbpii_bank_name(bank)) > 0);
        assert_non_null(cbpii_standard_name(cbpii_bank_standard(bank)));
        /* It is lent, so this does nothing. */
        cbpii_bank_free((cbpii_bank *)bank);
    }
    assert_null(cbpii_bank_list_get(banks, length));
    assert_null(cbpii_bank_list_get(banks, SIZE_MAX));
    assert_non_null(cbpii_bank_id(cbpii_bank_list_get(banks, 0)));
    cbpii_bank_list_free(banks);
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank_list, none, cbpii_bank_list_directory(0, &none));
    ARGUMENT(cbpii_bank_list_directory(PRODUCTION, NULL));
}

static void people_find_their_bank_by_words_code_and_iban(void **state)
{
    (void)state;
    cbpii_bank_list *banks = NULL;
    OK(cbpii_bank_list_find("\xc3\x8ele de FRANCE epargne", SANDBOX, &banks));
    assert_true(cbpii_bank_list_length(banks) >= 1);
    assert_string_equal(cbpii_bank_id(cbpii_bank_list_get(banks, 0)), "bpce-17515");
    cbpii_bank_list_free(banks);
    OK(cbpii_bank_list_find("no such bank anywhere", SANDBOX, &banks));
    assert_int_equal(cbpii_bank_list_length(banks), 0);
    cbpii_bank_list_free(banks);
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank_list, none, cbpii_bank_list_find(NULL, SANDBOX, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank_list, none, cbpii_bank_list_find(NOT_UTF8, SANDBOX, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank_list, none, cbpii_bank_list_find("lydia", 9, &none));
    ARGUMENT(cbpii_bank_list_find("lydia", SANDBOX, NULL));

    OK(cbpii_bank_list_by_code("17515", SANDBOX, &banks));
    assert_true(cbpii_bank_list_length(banks) >= 1);
    cbpii_bank_list_free(banks);
    OK(cbpii_bank_list_by_code("00000", SANDBOX, &banks));
    assert_int_equal(cbpii_bank_list_length(banks), 0);
    cbpii_bank_list_free(banks);
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank_list, none, cbpii_bank_list_by_code(NULL, SANDBOX, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank_list, none, cbpii_bank_list_by_code(NOT_UTF8, SANDBOX, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank_list, none, cbpii_bank_list_by_code("17515", 0, &none));
    ARGUMENT(cbpii_bank_list_by_code("17515", SANDBOX, NULL));

    OK(cbpii_bank_list_from_iban(CLAIRE, SANDBOX, &banks));
    assert_string_equal(cbpii_bank_establishment_code(cbpii_bank_list_get(banks, 0)), "17515");
    cbpii_bank_list_free(banks);
    REFUSED(CBPII_ERROR_REQUEST_IBAN, cbpii_bank_list, none, cbpii_bank_list_from_iban("FR76", SANDBOX, &none));
    REFUSED(CBPII_ERROR_CONFIGURATION_BANK_UNKNOWN, cbpii_bank_list, none,
            cbpii_bank_list_from_iban("DE89370400440532013000", SANDBOX, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank_list, none, cbpii_bank_list_from_iban(NULL, SANDBOX, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank_list, none, cbpii_bank_list_from_iban(NOT_UTF8, SANDBOX, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank_list, none, cbpii_bank_list_from_iban(CLAIRE, 0, &none));
    ARGUMENT(cbpii_bank_list_from_iban(CLAIRE, SANDBOX, NULL));
}

static void null_has_no_facts(void **state)
{
    (void)state;
    assert_null(cbpii_bank_id(NULL));
    assert_null(cbpii_bank_name(NULL));
    assert_null(cbpii_bank_brand(NULL));
    assert_null(cbpii_bank_establishment_code(NULL));
    assert_null(cbpii_bank_note(NULL));
    assert_null(cbpii_bank_authorize_url(NULL));
    assert_null(cbpii_bank_token_url(NULL));
    assert_null(cbpii_bank_funds_url(NULL));
    assert_null(cbpii_bank_scope(NULL));
    assert_int_equal(cbpii_bank_environment(NULL), 0);
    assert_int_equal(cbpii_bank_standard(NULL), 0);
    assert_false(cbpii_bank_is_unverified(NULL));
    assert_int_equal(cbpii_bank_consent_lifetime_days(NULL), 0);
    assert_false(cbpii_bank_wants_client_secret(NULL));
    assert_false(cbpii_bank_refuses_pss_certificates(NULL));
    assert_int_equal(cbpii_bank_list_length(NULL), 0);
    assert_null(cbpii_bank_list_get(NULL, 0));
    assert_null(cbpii_string_text(NULL));
    assert_int_equal(cbpii_string_length(NULL), 0);
    cbpii_bank_free(NULL);
    cbpii_bank_list_free(NULL);
    cbpii_string_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(a_bank_is_found_by_its_code),
        kit_test(a_bank_is_found_by_its_id),
        kit_test(a_record_is_written_and_read_again),
        kit_test(a_wrong_record_is_refused_with_the_path_of_the_field),
        kit_test(addresses_can_be_changed),
        kit_test(roots_can_be_added),
        kit_test(a_clone_is_independent),
        kit_test(the_directory_is_a_list),
        kit_test(people_find_their_bank_by_words_code_and_iban),
        kit_test(null_has_no_facts),
    };
    return kit_run(tests);
}
