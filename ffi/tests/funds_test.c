/* Accounts, questions, answers, and what a question looks like on its way. */
#include "kit.h"

static cbpii_account *claires_account(void)
{
    cbpii_account *account = NULL;
    OK(cbpii_account_from_iban("FR76 1751 5900 0008 0035 8074 006", &account));
    return account;
}

static void ibans_are_checked(void **state)
{
    (void)state;
    OK(cbpii_iban_check(CLAIRE));
    OK(cbpii_iban_check("DE89 3704 0044 0532 0130 00"));
    FAILS(CBPII_ERROR_REQUEST_IBAN, cbpii_iban_check("FR7717515900000800358074006"));
    FAILS(CBPII_ERROR_REQUEST_IBAN, cbpii_iban_check(""));
    ARGUMENT(cbpii_iban_check(NULL));
    ARGUMENT(cbpii_iban_check(NOT_UTF8));
    REFUSED(CBPII_ERROR_REQUEST_IBAN, cbpii_account, none, cbpii_account_from_iban("FR76", &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_account, none, cbpii_account_from_iban(NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_account, none, cbpii_account_from_iban(NOT_UTF8, &none));
    ARGUMENT(cbpii_account_from_iban(CLAIRE, NULL));
}

static void an_account_can_be_of_another_scheme(void **state)
{
    (void)state;
    cbpii_client *client = kit_client(kit_sandbox, NULL);
    const char *const schemes[] = {"BANK", "COID", "SREN", "SRET", "NIDN", "OAUT", "CPAN", "MPAN"};
    for (size_t place = 0; place < sizeof schemes / sizeof schemes[0]; place++) {
        cbpii_account *account = NULL;
        cbpii_funds_request *request = NULL;
        cbpii_explanation *explanation = NULL;
        OK(cbpii_account_other("4711", schemes[place], place == 0 ? "THE-ISSUER" : NULL, &account));
        assert_null(cbpii_account_country(account));
        assert_null(cbpii_account_bank_code(account));
        assert_null(cbpii_account_masked_iban(account));
        OK(cbpii_funds_request_new("R", account, "1", "EUR", &request));
        cbpii_account_free(account);
        OK(cbpii_client_explain(client, request, &explanation));
        assert_contains(cbpii_explanation_body(explanation), schemes[place]);
        cbpii_explanation_free(explanation);
        cbpii_funds_request_free(request);
    }
    cbpii_client_free(client);
    REFUSED(CBPII_ERROR_REQUEST_ACCOUNT, cbpii_account, none, cbpii_account_other("", "BANK", NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ACCOUNT, cbpii_account, none, cbpii_account_other("1", "BANK", "", &none));
    REFUSED(CBPII_ERROR_REQUEST_ACCOUNT, cbpii_account, none, cbpii_account_other("1", "IBAN", NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ACCOUNT, cbpii_account, none, cbpii_account_other("1", "", NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_account, none, cbpii_account_other(NULL, "BANK", NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_account, none, cbpii_account_other(NOT_UTF8, "BANK", NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_account, none, cbpii_account_other("1", "BANK", NOT_UTF8, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_account, none, cbpii_account_other("1", NULL, NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_account, none, cbpii_account_other("1", NOT_UTF8, NULL, &none));
    ARGUMENT(cbpii_account_other("1", "BANK", NULL, NULL));
}

static void an_account_says_where_it_is(void **state)
{
    (void)state;
    cbpii_account *account = claires_account();
    assert_string_equal(cbpii_account_country(account), "FR");
    assert_string_equal(cbpii_account_bank_code(account), "17515");
    assert_string_equal(cbpii_account_masked_iban(account), "FR76\xe2\x80\xa6" "4006");
    cbpii_account_free(account);
    OK(cbpii_account_from_iban("DE89370400440532013000", &account));
    assert_string_equal(cbpii_account_country(account), "DE");
    assert_null(cbpii_account_bank_code(account));
    cbpii_account_free(account);
    assert_null(cbpii_account_country(NULL));
    assert_null(cbpii_account_bank_code(NULL));
    assert_null(cbpii_account_masked_iban(NULL));
}

static void currencies_have_their_decimals(void **state)
{
    (void)state;
    uint32_t decimals = 77;
    OK(cbpii_currency_decimals("EUR", &decimals));
    assert_int_equal(decimals, 2);
    OK(cbpii_currency_decimals("JPY", &decimals));
    assert_int_equal(decimals, 0);
    OK(cbpii_currency_decimals("KWD", &decimals));
    assert_int_equal(decimals, 3);
    FAILS(CBPII_ERROR_REQUEST_CURRENCY, cbpii_currency_decimals("eur", &decimals));
    ARGUMENT(cbpii_currency_decimals(NULL, &decimals));
    ARGUMENT(cbpii_currency_decimals(NOT_UTF8, &decimals));
    ARGUMENT(cbpii_currency_decimals("EUR", NULL));
    assert_int_equal(decimals, 3);
}

static void an_account_has_a_currency_and_a_workspace(void **state)
{
    (void)state;
    cbpii_account *account = claires_account();
    OK(cbpii_account_set_currency(account, "USD"));
    REFUSED(CBPII_ERROR_REQUEST_CURRENCY, cbpii_funds_request, none,
            cbpii_funds_request_new("R", account, "1", "EUR", &none));
    OK(cbpii_account_set_currency(account, "EUR"));
    FAILS(CBPII_ERROR_REQUEST_CURRENCY, cbpii_account_set_currency(account, "eur"));
    ARGUMENT(cbpii_account_set_currency(account, NULL));
    ARGUMENT(cbpii_account_set_currency(account, NOT_UTF8));
    ARGUMENT(cbpii_account_set_currency(NULL, "EUR"));
    OK(cbpii_account_set_workspace(account, "SHOP-7"));
    FAILS(CBPII_ERROR_REQUEST_ACCOUNT, cbpii_account_set_workspace(account, ""));
    FAILS(CBPII_ERROR_REQUEST_ACCOUNT, cbpii_account_set_workspace(account, "123456789012345678901234567890123"));
    ARGUMENT(cbpii_account_set_workspace(account, NULL));
    ARGUMENT(cbpii_account_set_workspace(account, NOT_UTF8));
    ARGUMENT(cbpii_account_set_workspace(NULL, "SHOP-7"));
    cbpii_funds_request *request = NULL;
    OK(cbpii_funds_request_new("R", account, "1", "EUR", &request));
    cbpii_account_free(account);
    cbpii_client *client = kit_client(kit_sandbox, NULL);
    cbpii_explanation *explanation = NULL;
    OK(cbpii_client_explain(client, request, &explanation));
    assert_contains(cbpii_explanation_body(explanation), "SHOP-7");
    cbpii_explanation_free(explanation);
    cbpii_client_free(client);
    cbpii_funds_request_free(request);
    cbpii_account_free(NULL);
}

#define OVERLONG_REFERENCE "123456789012345678901234567890123456"

static void a_question_must_be_well_formed(void **state)
{
    (void)state;
    cbpii_account *account = claires_account();
    const struct {
        const char *reference, *amount, *currency;
        int32_t number;
    } wrong[] = {
        {"", "1", "EUR", CBPII_ERROR_REQUEST_REFERENCE},       {OVERLONG_REFERENCE, "1", "EUR", CBPII_ERROR_REQUEST_REFERENCE},
        {"a\nb", "1", "EUR", CBPII_ERROR_REQUEST_REFERENCE},   {"R", "0", "EUR", CBPII_ERROR_REQUEST_AMOUNT},
        {"R", "-1", "EUR", CBPII_ERROR_REQUEST_AMOUNT},        {"R", "1.001", "EUR", CBPII_ERROR_REQUEST_AMOUNT},
        {"R", "1,5", "EUR", CBPII_ERROR_REQUEST_AMOUNT},       {"R", "1", "ABC", CBPII_ERROR_REQUEST_CURRENCY},
        {NULL, "1", "EUR", CBPII_ERROR_REQUEST_ARGUMENT},      {"R", NULL, "EUR", CBPII_ERROR_REQUEST_ARGUMENT},
        {"R", "1", NULL, CBPII_ERROR_REQUEST_ARGUMENT},        {NOT_UTF8, "1", "EUR", CBPII_ERROR_REQUEST_ARGUMENT},
        {"R", NOT_UTF8, "EUR", CBPII_ERROR_REQUEST_ARGUMENT},  {"R", "1", NOT_UTF8, CBPII_ERROR_REQUEST_ARGUMENT},
    };
    for (size_t place = 0; place < sizeof wrong / sizeof wrong[0]; place++) {
        REFUSED(wrong[place].number, cbpii_funds_request, none,
                cbpii_funds_request_new(wrong[place].reference, account, wrong[place].amount, wrong[place].currency,
                                        &none));
        REFUSED(wrong[place].number, cbpii_funds_request, none,
                cbpii_funds_request_for_iban(wrong[place].reference, CLAIRE, wrong[place].amount, wrong[place].currency,
                                             &none));
    }
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_funds_request, none,
            cbpii_funds_request_new("R", NULL, "1", "EUR", &none));
    REFUSED(CBPII_ERROR_REQUEST_IBAN, cbpii_funds_request, none,
            cbpii_funds_request_for_iban("R", "FR76", "1", "EUR", &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_funds_request, none,
            cbpii_funds_request_for_iban("R", NULL, "1", "EUR", &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_funds_request, none,
            cbpii_funds_request_for_iban("R", NOT_UTF8, "1", "EUR", &none));
    ARGUMENT(cbpii_funds_request_new("R", account, "1", "EUR", NULL));
    ARGUMENT(cbpii_funds_request_for_iban("R", CLAIRE, "1", "EUR", NULL));
    cbpii_account_free(account);
}

static void what_a_question_may_say_besides_is_checked(void **state)
{
    (void)state;
    cbpii_funds_request *request = kit_request("R", CLAIRE, "1");
    FAILS(CBPII_ERROR_REQUEST_PAYEE, cbpii_funds_request_set_payee(request, ""));
    FAILS(CBPII_ERROR_REQUEST_PAYEE, cbpii_funds_request_set_payee(request, "a\rb"));
    ARGUMENT(cbpii_funds_request_set_payee(request, NULL));
    ARGUMENT(cbpii_funds_request_set_payee(request, NOT_UTF8));
    ARGUMENT(cbpii_funds_request_set_payee(NULL, "Shop"));
    FAILS(CBPII_ERROR_REQUEST_PSU_HEADER, cbpii_funds_request_set_psu_header(request, "PSU-User-Agent", "a\r\nb"));
    FAILS(CBPII_ERROR_REQUEST_PSU_HEADER, cbpii_funds_request_set_psu_header(request, "X-Other", "a"));
    ARGUMENT(cbpii_funds_request_set_psu_header(request, NULL, "a"));
    ARGUMENT(cbpii_funds_request_set_psu_header(request, "PSU-User-Agent", NULL));
    ARGUMENT(cbpii_funds_request_set_psu_header(request, NOT_UTF8, "a"));
    ARGUMENT(cbpii_funds_request_set_psu_header(request, "PSU-User-Agent", NOT_UTF8));
    ARGUMENT(cbpii_funds_request_set_psu_header(NULL, "PSU-User-Agent", "a"));
    FAILS(CBPII_ERROR_REQUEST_REQUEST_ID, cbpii_funds_request_set_request_id(request, "a b"));
    FAILS(CBPII_ERROR_REQUEST_REQUEST_ID, cbpii_funds_request_set_request_id(request, ""));
    ARGUMENT(cbpii_funds_request_set_request_id(request, NULL));
    ARGUMENT(cbpii_funds_request_set_request_id(request, NOT_UTF8));
    ARGUMENT(cbpii_funds_request_set_request_id(NULL, "id"));
    cbpii_funds_request_free(request);
    cbpii_funds_request_free(NULL);
}

static void an_answer_says_which_question_it_answers(void **state)
{
    (void)state;
    char *seal = sandbox_file(kit_sandbox, "issuer.bank_seal", NULL);
    json_t *string = json_string(seal);
    char *quoted = json_dumps(string, JSON_ENCODE_ANY);
    char *members = kit_text("\"response_signing_certificates\": [%s]", quoted);
    cbpii_client *client = kit_client_of(kit_bank(kit_sandbox, members), kit_issuer(kit_sandbox), NULL);
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
    cbpii_funds_request *request = kit_request("ORDER-4711", CLAIRE, "12.50");
    OK(cbpii_funds_request_set_payee(request, "Librairie des Colonnes"));
    OK(cbpii_funds_request_set_request_id(request, "my-own-id"));
    OK(cbpii_funds_request_set_psu_header(request, "PSU-User-Agent", "Browser/7"));
    OK(cbpii_funds_request_set_psu_header(request, "psu-ip-address", "192.0.2.7"));
    int64_t before = kit_real_now();
    cbpii_funds_confirmation *answer = NULL;
    OK(cbpii_client_confirm_funds(client, tokens, request, &answer));
    assert_true(cbpii_funds_confirmation_available(answer));
    assert_string_equal(cbpii_funds_confirmation_reference(answer), "ORDER-4711");
    assert_string_equal(cbpii_funds_confirmation_request_id(answer), "my-own-id");
    assert_non_null(cbpii_funds_confirmation_correlation_id(answer));
    assert_string_equal(cbpii_funds_confirmation_bank_id(answer), "bpce-17515");
    assert_null(cbpii_funds_confirmation_deprecation_warning(answer));
    assert_true(cbpii_funds_confirmation_checked_at(answer) >= before);
    assert_true(cbpii_funds_confirmation_checked_at(answer) <= kit_real_now());
    assert_true(cbpii_funds_confirmation_duration(answer) > 0);
    assert_int_equal(cbpii_funds_confirmation_response_signature(answer), CBPII_RESPONSE_SIGNATURE_VERIFIED);
    cbpii_funds_confirmation_free(answer);
    char *agent = sandbox_last(kit_sandbox, "funds", "psu-user-agent");
    char *address = sandbox_last(kit_sandbox, "funds", "psu-ip-address");
    char *body = sandbox_last(kit_sandbox, "funds", "body");
    assert_string_equal(agent, "Browser/7");
    assert_string_equal(address, "192.0.2.7");
    assert_contains(body, "\"payee\":\"Librairie des Colonnes\"");

    sandbox_fault(kit_sandbox, "funds", 1,
                  "{\"kind\": \"answer_headers\", \"headers\": {\"warning\": \"299 - \\\"ends in 2027\\\"\"}}");
    OK(cbpii_client_confirm_funds(client, tokens, request, &answer));
    assert_contains(cbpii_funds_confirmation_deprecation_warning(answer), "ends in 2027");
    cbpii_funds_confirmation_free(answer);
    free(agent);
    free(address);
    free(body);
    free(members);
    free(quoted);
    free(seal);
    json_decref(string);
    cbpii_funds_request_free(request);
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
}

static int32_t signature_of_an_answer(const cbpii_client *client, const cbpii_tokens *tokens)
{
    cbpii_funds_request *request = kit_request("R", CLAIRE, "1");
    cbpii_funds_confirmation *answer = NULL;
    OK(cbpii_client_confirm_funds_with(client, tokens, request, 100000, NULL, &answer));
    int32_t signature = cbpii_funds_confirmation_response_signature(answer);
    cbpii_funds_confirmation_free(answer);
    cbpii_funds_request_free(request);
    return signature;
}

static void an_answer_may_be_unverified_or_not_signed(void **state)
{
    (void)state;
    cbpii_client *client = kit_client(kit_sandbox, NULL);
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
    assert_int_equal(signature_of_an_answer(client, tokens), CBPII_RESPONSE_SIGNATURE_UNVERIFIED);
    sandbox_configure(kit_sandbox, "{\"signed_answers\": false}");
    assert_int_equal(signature_of_an_answer(client, tokens), CBPII_RESPONSE_SIGNATURE_ABSENT);
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
}

static void a_question_is_explained_without_its_secrets(void **state)
{
    (void)state;
    cbpii_client *client = kit_client(kit_sandbox, NULL);
    cbpii_funds_request *request = kit_request("ORDER-4711", CLAIRE, "12.50");
    cbpii_explanation *explanation = NULL;
    size_t before = sandbox_connections(kit_sandbox);
    OK(cbpii_client_explain(client, request, &explanation));
    assert_int_equal(sandbox_connections(kit_sandbox), before);
    assert_string_equal(cbpii_explanation_method(explanation), "POST");
    assert_string_equal(cbpii_explanation_url(explanation), sandbox_text(kit_sandbox, "endpoints.funds_url"));
    size_t count = cbpii_explanation_header_count(explanation);
    assert_true(count >= 5);
    bool has_digest = false;
    for (size_t place = 0; place < count; place++) {
        assert_non_null(cbpii_explanation_header_value(explanation, place));
        has_digest = has_digest || strcmp(cbpii_explanation_header_name(explanation, place), "digest") == 0;
    }
    assert_true(has_digest);
    assert_null(cbpii_explanation_header_name(explanation, count));
    assert_null(cbpii_explanation_header_value(explanation, count));
    assert_contains(cbpii_explanation_body(explanation), "ORDER-4711");
    assert_contains_not(cbpii_explanation_body(explanation), CLAIRE);
    assert_contains_not(cbpii_explanation_text(explanation), CLAIRE);
    assert_contains(cbpii_explanation_text(explanation), "funds-confirmations");
    assert_non_null(cbpii_explanation_digest_input(explanation));
    assert_contains(cbpii_explanation_signing_string(explanation), "(request-target): post /stet/psd2/");
    assert_string_equal(cbpii_explanation_key_id(explanation), "PSDFR-ACPR-12345");
    assert_string_equal(cbpii_explanation_key_id_source(explanation), "client_id");
    cbpii_explanation_free(explanation);
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_explanation, none, cbpii_client_explain(NULL, request, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_explanation, none, cbpii_client_explain(client, NULL, &none));
    ARGUMENT(cbpii_client_explain(client, request, NULL));
    cbpii_client_free(client);

    kit_memory_bank bank;
    kit_memory_bank_start(&bank);
    client = kit_memory_client("17515", &bank, NULL);
    OK(cbpii_client_explain(client, request, &explanation));
    assert_null(cbpii_explanation_signing_string(explanation));
    assert_null(cbpii_explanation_key_id(explanation));
    assert_null(cbpii_explanation_key_id_source(explanation));
    cbpii_explanation_free(explanation);
    cbpii_client_free(client);

    client = kit_client_of(kit_bank(kit_sandbox, "\"signature\": {\"headers\": [\"(request-target)\", \"x-nothing\"]}"),
                           kit_issuer(kit_sandbox), NULL);
    REFUSED(CBPII_ERROR_CONFIGURATION_BANK_RECORD, cbpii_explanation, none,
            cbpii_client_explain(client, request, &none));
    cbpii_client_free(client);
    cbpii_funds_request_free(request);
}

static void asking_needs_all_its_arguments(void **state)
{
    (void)state;
    cbpii_client *client = kit_client(kit_sandbox, NULL);
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
    cbpii_funds_request *request = kit_request("R", CLAIRE, "1");
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_funds_confirmation, none,
            cbpii_client_confirm_funds(NULL, tokens, request, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_funds_confirmation, none,
            cbpii_client_confirm_funds(client, NULL, request, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_funds_confirmation, none,
            cbpii_client_confirm_funds(client, tokens, NULL, &none));
    ARGUMENT(cbpii_client_confirm_funds(client, tokens, request, NULL));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_funds_confirmation, none,
            cbpii_client_confirm_funds_with(NULL, tokens, request, 0, NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_funds_confirmation, none,
            cbpii_client_confirm_funds_with(client, tokens, request, -1, NULL, &none));
    ARGUMENT(cbpii_client_confirm_funds_with(client, tokens, request, 0, NULL, NULL));
    assert_int_equal(sandbox_seen(kit_sandbox, "funds"), 0);
    cbpii_funds_request_free(request);
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
}

static void null_has_no_facts(void **state)
{
    (void)state;
    assert_false(cbpii_funds_confirmation_available(NULL));
    assert_null(cbpii_funds_confirmation_reference(NULL));
    assert_null(cbpii_funds_confirmation_request_id(NULL));
    assert_null(cbpii_funds_confirmation_correlation_id(NULL));
    assert_null(cbpii_funds_confirmation_bank_id(NULL));
    assert_null(cbpii_funds_confirmation_deprecation_warning(NULL));
    assert_int_equal(cbpii_funds_confirmation_checked_at(NULL), 0);
    assert_int_equal(cbpii_funds_confirmation_duration(NULL), 0);
    assert_int_equal(cbpii_funds_confirmation_response_signature(NULL), 0);
    cbpii_funds_confirmation_free(NULL);
    assert_null(cbpii_explanation_text(NULL));
    assert_null(cbpii_explanation_method(NULL));
    assert_null(cbpii_explanation_url(NULL));
    assert_int_equal(cbpii_explanation_header_count(NULL), 0);
    assert_null(cbpii_explanation_header_name(NULL, 0));
    assert_null(cbpii_explanation_header_value(NULL, 0));
    assert_null(cbpii_explanation_body(NULL));
    assert_null(cbpii_explanation_digest_input(NULL));
    assert_null(cbpii_explanation_signing_string(NULL));
    assert_null(cbpii_explanation_key_id(NULL));
    assert_null(cbpii_explanation_key_id_source(NULL));
    cbpii_explanation_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(ibans_are_checked),
        kit_test(an_account_can_be_of_another_scheme),
        kit_test(an_account_says_where_it_is),
        kit_test(currencies_have_their_decimals),
        kit_test(an_account_has_a_currency_and_a_workspace),
        kit_test(a_question_must_be_well_formed),
        kit_test(what_a_question_may_say_besides_is_checked),
        kit_test(an_answer_says_which_question_it_answers),
        kit_test(an_answer_may_be_unverified_or_not_signed),
        kit_test(a_question_is_explained_without_its_secrets),
        kit_test(asking_needs_all_its_arguments),
        kit_test(null_has_no_facts),
    };
    return kit_run(tests);
}
