/* What is not the handle a function asks for: NULL, another type, a lent one, a crooked pointer. */
#include "kit.h"

static cbpii_bank *some_bank(void)
{
    cbpii_bank *bank = NULL;
    OK(cbpii_bank_bpce("17515", CBPII_ENVIRONMENT_SANDBOX, &bank));
    return bank;
}

static void every_free_accepts_null(void **state)
{
    (void)state;
    cbpii_account_free(NULL);
    cbpii_authorization_code_free(NULL);
    cbpii_bank_free(NULL);
    cbpii_bank_list_free(NULL);
    cbpii_cancel_token_free(NULL);
    cbpii_certificate_report_free(NULL);
    cbpii_client_free(NULL);
    cbpii_client_options_free(NULL);
    cbpii_consent_history_free(NULL);
    cbpii_error_free(NULL);
    cbpii_explanation_free(NULL);
    cbpii_findings_free(NULL);
    cbpii_funds_confirmation_free(NULL);
    cbpii_funds_request_free(NULL);
    cbpii_inspect_options_free(NULL);
    cbpii_issuer_free(NULL);
    cbpii_pending_consent_free(NULL);
    cbpii_record_keys_free(NULL);
    cbpii_renewal_free(NULL);
    cbpii_renewals_free(NULL);
    cbpii_session_free(NULL);
    cbpii_session_options_free(NULL);
    cbpii_session_pool_free(NULL);
    cbpii_store_free(NULL);
    cbpii_string_free(NULL);
    cbpii_tokens_free(NULL);
}

static void a_handle_of_another_type_is_told_apart(void **state)
{
    (void)state;
    cbpii_bank *bank = some_bank();
    cbpii_string *json = NULL;
    OK(cbpii_bank_to_json(bank, &json));
    cbpii_bank *wrong = (cbpii_bank *)json;
    cbpii_bank *copy = (cbpii_bank *)(void *)&kit_untouched;
    cbpii_error *error = ERROR(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank_clone(wrong, &copy));
    assert_contains(cbpii_error_message(error), "original is not a cbpii_bank");
    assert_ptr_equal(copy, &kit_untouched);
    cbpii_error_free(error);
    ARGUMENT(cbpii_bank_set_origin(wrong, "https://localhost"));
    assert_null(cbpii_bank_name(wrong));
    assert_int_equal(cbpii_bank_standard(wrong), 0);
    assert_false(cbpii_bank_is_unverified(wrong));
    /* The wrong function frees nothing. */
    cbpii_bank_free(wrong);
    assert_contains(cbpii_string_text(json), "bpce-17515");
    cbpii_string_free(json);
    cbpii_bank_free(bank);
}

static void what_is_no_handle_at_all_is_told_apart(void **state)
{
    (void)state;
    uint64_t memory[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    cbpii_tokens *wrong = (cbpii_tokens *)(void *)memory;
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_string, none, cbpii_tokens_to_json(wrong, &none));
    assert_null(cbpii_tokens_text(wrong));
    cbpii_tokens_free(wrong);
    assert_int_equal(memory[0], 1);
}

static void a_crooked_pointer_is_told_apart(void **state)
{
    (void)state;
    cbpii_bank *bank = some_bank();
    cbpii_bank *crooked = (cbpii_bank *)(void *)((char *)bank + 1);
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank, none, cbpii_bank_clone(crooked, &none));
    assert_null(cbpii_bank_name(crooked));
    cbpii_bank_free(crooked);
    /* An output may lie anywhere, as in the packed records of COBOL. */
    char place[2 * sizeof(void *)] = {0};
    cbpii_bank *copy = NULL;
    OK(cbpii_bank_clone(bank, (cbpii_bank **)(void *)(place + 1)));
    memcpy(&copy, place + 1, sizeof copy);
    assert_string_equal(cbpii_bank_id(copy), cbpii_bank_id(bank));
    cbpii_bank_free(copy);
    cbpii_bank_free(bank);
}

static void what_is_lent_is_not_freed(void **state)
{
    (void)state;
    cbpii_bank_list *banks = NULL;
    OK(cbpii_bank_list_directory(CBPII_ENVIRONMENT_SANDBOX, &banks));
    const cbpii_bank *lent = cbpii_bank_list_get(banks, 0);
    cbpii_bank_free((cbpii_bank *)lent);
    assert_non_null(cbpii_bank_name(lent));
    assert_ptr_equal(cbpii_bank_list_get(banks, 0), lent);
    cbpii_bank *own = NULL;
    OK(cbpii_bank_clone(lent, &own));
    cbpii_bank_list_free(banks);
    assert_non_null(cbpii_bank_name(own));
    cbpii_bank_free(own);
}

static void an_argument_that_is_not_utf8_is_named_with_its_place(void **state)
{
    (void)state;
    cbpii_bank *bank = NULL;
    cbpii_error *error =
        ERROR(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank_by_id("lyd\xefia", CBPII_ENVIRONMENT_SANDBOX, &bank));
    assert_contains(cbpii_error_message(error), "id is not UTF-8 (at byte 3)");
    cbpii_error_free(error);
    error = ERROR(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank_by_id(NULL, CBPII_ENVIRONMENT_SANDBOX, &bank));
    assert_contains(cbpii_error_message(error), "id is NULL");
    cbpii_error_free(error);
    error = ERROR(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_bank_by_id("lydia", 17, &bank));
    assert_contains(cbpii_error_message(error), "environment is 17");
    assert_contains(cbpii_error_message(error), "production-legacy");
    cbpii_error_free(error);
    assert_null(bank);
}

static void a_length_beyond_memory_is_refused(void **state)
{
    (void)state;
    const uint8_t byte = 7;
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_record_keys, none, cbpii_record_keys_new(&byte, SIZE_MAX, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_certificate_report, none,
            cbpii_certificate_inspect(&byte, SIZE_MAX, NULL, &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_free_accepts_null),
        cmocka_unit_test(a_handle_of_another_type_is_told_apart),
        cmocka_unit_test(what_is_no_handle_at_all_is_told_apart),
        cmocka_unit_test(a_crooked_pointer_is_told_apart),
        cmocka_unit_test(what_is_lent_is_not_freed),
        cmocka_unit_test(an_argument_that_is_not_utf8_is_named_with_its_place),
        cmocka_unit_test(a_length_beyond_memory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
