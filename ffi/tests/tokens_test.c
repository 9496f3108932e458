/* Tokens: made, saved, read, shown, refreshed. */
#include "kit.h"

#define NOW INT64_C(1767225600000)

static void assert_secret(cbpii_error *(*expose)(const cbpii_tokens *, cbpii_string **), const cbpii_tokens *tokens,
                          const char *expected)
{
    cbpii_string *secret = NULL;
    OK(expose(tokens, &secret));
    if (expected == NULL) {
        assert_null(secret);
    } else {
        assert_string_equal(cbpii_string_text(secret), expected);
        assert_int_equal(cbpii_string_length(secret), strlen(expected));
    }
    cbpii_string_free(secret);
}

static void tokens_of_elsewhere_are_taken_over(void **state)
{
    (void)state;
    cbpii_tokens *tokens = NULL;
    int64_t end = NOW + HOUR, moment = 0;
    OK(cbpii_tokens_new("access-4711", "refresh-0815", NOW, &end, NOW + 90 * DAY, &tokens));
    assert_secret(cbpii_tokens_expose_access_token, tokens, "access-4711");
    assert_secret(cbpii_tokens_expose_refresh_token, tokens, "refresh-0815");
    assert_string_equal(cbpii_tokens_token_type(tokens), "Bearer");
    assert_null(cbpii_tokens_scope(tokens));
    assert_true(cbpii_tokens_has_refresh_token(tokens));
    assert_int_equal(cbpii_tokens_obtained_at(tokens), NOW);
    assert_true(cbpii_tokens_expires_at(tokens, &moment));
    assert_int_equal(moment, end);
    assert_true(cbpii_tokens_expires_at(tokens, NULL));
    assert_int_equal(cbpii_tokens_consent_expires_at(tokens), NOW + 90 * DAY);
    assert_false(cbpii_tokens_is_expired(tokens, end - 1));
    assert_true(cbpii_tokens_is_expired(tokens, end));
    assert_contains_not(cbpii_tokens_text(tokens), "4711");
    assert_contains_not(cbpii_tokens_text(tokens), "0815");
    cbpii_tokens_free(tokens);
}

static void what_the_bank_did_not_say_is_not_there(void **state)
{
    (void)state;
    cbpii_tokens *tokens = NULL;
    int64_t moment = 77;
    OK(cbpii_tokens_new("access", NULL, NOW, NULL, NOW + DAY, &tokens));
    assert_secret(cbpii_tokens_expose_refresh_token, tokens, NULL);
    assert_false(cbpii_tokens_has_refresh_token(tokens));
    assert_false(cbpii_tokens_expires_at(tokens, &moment));
    assert_int_equal(moment, 77);
    assert_false(cbpii_tokens_is_expired(tokens, INT64_MAX));
    cbpii_tokens_free(tokens);
}

static void tokens_that_cannot_be_sent_are_refused(void **state)
{
    (void)state;
    REFUSED(CBPII_ERROR_REQUEST_TOKEN, cbpii_tokens, none, cbpii_tokens_new("", NULL, NOW, NULL, NOW, &none));
    REFUSED(CBPII_ERROR_REQUEST_TOKEN, cbpii_tokens, none, cbpii_tokens_new("a b", NULL, NOW, NULL, NOW, &none));
    REFUSED(CBPII_ERROR_REQUEST_TOKEN, cbpii_tokens, none, cbpii_tokens_new("good", "a\n", NOW, NULL, NOW, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_tokens, none, cbpii_tokens_new(NULL, NULL, NOW, NULL, NOW, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_tokens, none, cbpii_tokens_new(NOT_UTF8, NULL, NOW, NULL, NOW, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_tokens, none, cbpii_tokens_new("good", NOT_UTF8, NOW, NULL, NOW, &none));
    ARGUMENT(cbpii_tokens_new("good", NULL, NOW, NULL, NOW, NULL));
}

static void tokens_are_saved_and_read_back(void **state)
{
    (void)state;
    cbpii_tokens *tokens = kit_made_tokens("refresh", NOW), *again = NULL;
    cbpii_string *json = NULL;
    OK(cbpii_tokens_to_json(tokens, &json));
    OK(cbpii_tokens_from_json(cbpii_string_text(json), &again));
    assert_secret(cbpii_tokens_expose_access_token, again, "access");
    assert_secret(cbpii_tokens_expose_refresh_token, again, "refresh");
    assert_int_equal(cbpii_tokens_consent_expires_at(again), NOW + 180 * DAY);
    cbpii_string_free(json);
    cbpii_tokens_free(again);

    const char *const wrong[] = {"", "{}", "null", "[]", "{\"v\":1}"};
    for (size_t place = 0; place < sizeof wrong / sizeof wrong[0]; place++) {
        REFUSED(CBPII_ERROR_REQUEST_SAVED_STATE, cbpii_tokens, none, cbpii_tokens_from_json(wrong[place], &none));
    }
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_tokens, none, cbpii_tokens_from_json(NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_tokens, none, cbpii_tokens_from_json(NOT_UTF8, &none));
    ARGUMENT(cbpii_tokens_from_json("{}", NULL));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_string, none, cbpii_tokens_to_json(NULL, &none));
    ARGUMENT(cbpii_tokens_to_json(tokens, NULL));
    cbpii_tokens_free(tokens);
}

static void the_bank_refreshes_tokens(void **state)
{
    (void)state;
    cbpii_client *client = kit_client(kit_sandbox, NULL);
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE"), *fresh = NULL;
    OK(cbpii_client_refresh(client, tokens, 0, NULL, &fresh));
    assert_string_equal(cbpii_tokens_scope(fresh), "cbpii");
    assert_true(cbpii_tokens_has_refresh_token(fresh));
    assert_int_equal(cbpii_tokens_consent_expires_at(fresh), cbpii_tokens_consent_expires_at(tokens));
    assert_true(kit_available(client, fresh, "458.99"));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_tokens, none, cbpii_client_refresh(NULL, tokens, 0, NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_tokens, none, cbpii_client_refresh(client, NULL, 0, NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_tokens, none, cbpii_client_refresh(client, tokens, -1, NULL, &none));
    ARGUMENT(cbpii_client_refresh(client, tokens, 0, NULL, NULL));
    sandbox_tell(kit_sandbox, "POST", "/consents/revoke", "{}");
    cbpii_tokens *lost = NULL;
    cbpii_error *error = ERROR(CBPII_ERROR_CONSENT_LOST, cbpii_client_refresh(client, fresh, 0, NULL, &lost));
    assert_string_equal(cbpii_error_bank_code(error), "invalid_grant");
    assert_null(lost);
    cbpii_error_free(error);
    cbpii_tokens_free(fresh);
    cbpii_tokens_free(tokens);
    tokens = kit_made_tokens(NULL, kit_real_now());
    REFUSED(CBPII_ERROR_CONSENT_NO_REFRESH_TOKEN, cbpii_tokens, none,
            cbpii_client_refresh(client, tokens, 0, NULL, &none));
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
}

static void null_has_no_facts(void **state)
{
    (void)state;
    int64_t moment = 77;
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_string, none, cbpii_tokens_expose_access_token(NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_string, none, cbpii_tokens_expose_refresh_token(NULL, &none));
    cbpii_tokens *tokens = kit_made_tokens(NULL, NOW);
    ARGUMENT(cbpii_tokens_expose_access_token(tokens, NULL));
    ARGUMENT(cbpii_tokens_expose_refresh_token(tokens, NULL));
    cbpii_tokens_free(tokens);
    assert_null(cbpii_tokens_token_type(NULL));
    assert_null(cbpii_tokens_scope(NULL));
    assert_null(cbpii_tokens_text(NULL));
    assert_false(cbpii_tokens_has_refresh_token(NULL));
    assert_int_equal(cbpii_tokens_obtained_at(NULL), 0);
    assert_false(cbpii_tokens_expires_at(NULL, &moment));
    assert_int_equal(moment, 77);
    assert_int_equal(cbpii_tokens_consent_expires_at(NULL), 0);
    assert_false(cbpii_tokens_is_expired(NULL, INT64_MAX));
    cbpii_tokens_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(tokens_of_elsewhere_are_taken_over),
        kit_test(what_the_bank_did_not_say_is_not_there),
        kit_test(tokens_that_cannot_be_sent_are_refused),
        kit_test(tokens_are_saved_and_read_back),
        kit_test(the_bank_refreshes_tokens),
        kit_test(null_has_no_facts),
    };
    return kit_run(tests);
}
