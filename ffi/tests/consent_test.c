/* Consents: from the URL for the cardholder to tokens, and every way a callback can be wrong. */
#include "kit.h"

static cbpii_client *client;

static int start(void **state)
{
    kit_reset(state);
    client = kit_client(kit_sandbox, NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    cbpii_client_free(client);
    return 0;
}

static cbpii_pending_consent *begun(void)
{
    cbpii_pending_consent *pending = NULL;
    OK(cbpii_client_begin_consent(client, 0, &pending));
    return pending;
}

/* A callback with these parameters besides the right state. */
static char *called_back(const cbpii_pending_consent *pending, const char *parameters)
{
    return kit_text("%s?state=%s%s", cbpii_pending_consent_redirect_uri(pending), cbpii_pending_consent_state(pending),
                    parameters);
}

static void a_consent_is_begun_given_and_exchanged_in_one_step(void **state)
{
    (void)state;
    cbpii_pending_consent *pending = begun();
    assert_contains(cbpii_pending_consent_url(pending), "response_type=code");
    assert_contains(cbpii_pending_consent_url(pending), cbpii_pending_consent_state(pending));
    assert_string_equal(cbpii_pending_consent_bank_id(pending), "bpce-17515");
    assert_true(strlen(cbpii_pending_consent_state(pending)) >= 22);
    assert_string_equal(cbpii_pending_consent_redirect_uri(pending), sandbox_text(kit_sandbox, "issuer.redirect_uri"));
    int64_t created = cbpii_pending_consent_created_at(pending);
    assert_true(created <= kit_real_now() && created > kit_real_now() - HOUR);
    assert_int_equal(cbpii_pending_consent_expires_at(pending), created + 15 * 60000);

    char *callback = sandbox_decide(kit_sandbox, cbpii_pending_consent_url(pending), "approve", "CLAIRE");
    cbpii_tokens *tokens = NULL;
    OK(cbpii_client_complete_consent(client, pending, callback, &tokens));
    assert_int_equal(cbpii_tokens_consent_expires_at(tokens), created + 180 * DAY);
    assert_true(kit_available(client, tokens, "458.99"));
    assert_false(kit_available(client, tokens, "459"));
    cbpii_tokens_free(tokens);
    REFUSED(CBPII_ERROR_CONSENT_CODE_REFUSED, cbpii_tokens, none,
            cbpii_client_complete_consent(client, pending, callback, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_tokens, none,
            cbpii_client_complete_consent(NULL, pending, callback, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_tokens, none,
            cbpii_client_complete_consent(client, NULL, callback, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_tokens, none, cbpii_client_complete_consent(client, pending, NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_tokens, none,
            cbpii_client_complete_consent(client, pending, NOT_UTF8, &none));
    ARGUMENT(cbpii_client_complete_consent(client, pending, callback, NULL));
    free(callback);
    cbpii_pending_consent_free(pending);
}

static void a_consent_survives_being_saved_and_is_exchanged_in_two_steps(void **state)
{
    (void)state;
    cbpii_pending_consent *pending = begun(), *restored = NULL;
    cbpii_string *json = NULL, *secret = NULL;
    OK(cbpii_pending_consent_to_json(pending, &json));
    OK(cbpii_pending_consent_from_json(cbpii_string_text(json), &restored));
    assert_string_equal(cbpii_pending_consent_state(restored), cbpii_pending_consent_state(pending));
    assert_string_equal(cbpii_pending_consent_url(restored), cbpii_pending_consent_url(pending));
    cbpii_string_free(json);
    char *callback = sandbox_decide(kit_sandbox, cbpii_pending_consent_url(pending), "approve", "CLAIRE");
    cbpii_pending_consent_free(pending);
    cbpii_authorization_code *code = NULL;
    /* From its question mark on is enough. */
    OK(cbpii_pending_consent_complete(restored, strchr(callback, '?'), 0, &code));
    OK(cbpii_authorization_code_expose(code, &secret));
    assert_contains(callback, cbpii_string_text(secret));
    cbpii_string_free(secret);
    cbpii_tokens *tokens = NULL;
    OK(cbpii_client_exchange_code(client, restored, code, 0, NULL, &tokens));
    assert_true(kit_available(client, tokens, "1"));
    cbpii_tokens_free(tokens);
    cbpii_tokens *none = NULL;
    cbpii_error *error =
        ERROR(CBPII_ERROR_CONSENT_CODE_REFUSED, cbpii_client_exchange_code(client, restored, code, 0, NULL, &none));
    assert_null(none);
    assert_string_equal(cbpii_error_bank_code(error), "invalid_grant");
    assert_int_equal(cbpii_error_http_status(error), 400);
    assert_null(cbpii_error_request_id(error));
    cbpii_error_free(error);
    cbpii_authorization_code_free(code);
    cbpii_pending_consent_free(restored);
    free(callback);
}

static void exchanging_needs_all_its_arguments(void **state)
{
    (void)state;
    cbpii_pending_consent *pending = begun();
    cbpii_authorization_code *code = NULL;
    size_t before = sandbox_connections(kit_sandbox);
    OK(cbpii_authorization_code_new("made-up", &code));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_tokens, none,
            cbpii_client_exchange_code(NULL, pending, code, 0, NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_tokens, none,
            cbpii_client_exchange_code(client, NULL, code, 0, NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_tokens, none,
            cbpii_client_exchange_code(client, pending, NULL, 0, NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_tokens, none,
            cbpii_client_exchange_code(client, pending, code, -5, NULL, &none));
    ARGUMENT(cbpii_client_exchange_code(client, pending, code, 0, NULL, NULL));
    assert_int_equal(sandbox_connections(kit_sandbox), before);

    cbpii_client *other = kit_client_of(kit_bank(kit_sandbox, "\"id\": \"another\""), kit_issuer(kit_sandbox), NULL);
    REFUSED(CBPII_ERROR_REQUEST_SAVED_STATE, cbpii_tokens, none,
            cbpii_client_exchange_code(other, pending, code, 0, NULL, &none));
    cbpii_client_free(other);
    cbpii_authorization_code_free(code);
    cbpii_pending_consent_free(pending);
}

static void beginning_takes_a_span_and_no_nonsense(void **state)
{
    (void)state;
    cbpii_pending_consent *pending = NULL;
    OK(cbpii_client_begin_consent(client, 60000, &pending));
    assert_int_equal(cbpii_pending_consent_expires_at(pending), cbpii_pending_consent_created_at(pending) + 60000);
    cbpii_pending_consent_free(pending);
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_pending_consent, none, cbpii_client_begin_consent(client, -1, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_pending_consent, none, cbpii_client_begin_consent(NULL, 0, &none));
    ARGUMENT(cbpii_client_begin_consent(client, 0, NULL));
}

static void a_callback_is_read_with_suspicion(void **state)
{
    (void)state;
    cbpii_pending_consent *pending = begun();
    const struct {
        const char *parameters;
        int32_t number;
    } wrong[] = {
        {"&error=access_denied", CBPII_ERROR_CONSENT_ACCESS_DENIED},
        {"&error=invalid_scope", CBPII_ERROR_CONSENT_REFUSED_BY_BANK},
        {"&error=temporarily_unavailable", CBPII_ERROR_CONSENT_BANK_UNAVAILABLE},
        {"&code=a&code=b", CBPII_ERROR_CONSENT_DUPLICATED_PARAMETER},
        {"&code=a&iss=https%3A%2F%2Fevil.example", CBPII_ERROR_CONSENT_ISSUER_MISMATCH},
        {"", CBPII_ERROR_CONSENT_CALLBACK_WITHOUT_ANSWER},
        {"&code=a%20b", CBPII_ERROR_REQUEST_TOKEN},
    };
    for (size_t place = 0; place < sizeof wrong / sizeof wrong[0]; place++) {
        char *callback = called_back(pending, wrong[place].parameters);
        REFUSED(wrong[place].number, cbpii_authorization_code, none,
                cbpii_pending_consent_complete(pending, callback, 0, &none));
        free(callback);
    }
    REFUSED(CBPII_ERROR_CONSENT_STATE_MISMATCH, cbpii_authorization_code, none,
            cbpii_pending_consent_complete(pending, "/callback?code=abc&state=other", 0, &none));
    REFUSED(CBPII_ERROR_REQUEST_CALLBACK, cbpii_authorization_code, none,
            cbpii_pending_consent_complete(pending, "hello", 0, &none));

    char *callback = called_back(pending, "&code=abc");
    int64_t last = cbpii_pending_consent_expires_at(pending);
    cbpii_authorization_code *code = NULL;
    OK(cbpii_pending_consent_complete(pending, callback, last - 1, &code));
    cbpii_authorization_code_free(code);
    REFUSED(CBPII_ERROR_CONSENT_PENDING_EXPIRED, cbpii_authorization_code, none,
            cbpii_pending_consent_complete(pending, callback, last + 1, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_authorization_code, none,
            cbpii_pending_consent_complete(NULL, callback, 0, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_authorization_code, none,
            cbpii_pending_consent_complete(pending, NULL, 0, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_authorization_code, none,
            cbpii_pending_consent_complete(pending, NOT_UTF8, 0, &none));
    ARGUMENT(cbpii_pending_consent_complete(pending, callback, 0, NULL));
    free(callback);
    cbpii_pending_consent_free(pending);
}

static void a_refusal_at_the_bank_is_the_cardholders(void **state)
{
    (void)state;
    cbpii_pending_consent *pending = begun();
    char *callback = sandbox_decide(kit_sandbox, cbpii_pending_consent_url(pending), "refuse", "CLAIRE");
    cbpii_tokens *tokens = NULL;
    cbpii_error *error =
        ERROR(CBPII_ERROR_CONSENT_ACCESS_DENIED, cbpii_client_complete_consent(client, pending, callback, &tokens));
    assert_string_equal(cbpii_error_bank_code(error), "access_denied");
    assert_contains(cbpii_error_bank_message(error), "refused");
    cbpii_error_free(error);
    assert_null(tokens);
    assert_int_equal(sandbox_seen(kit_sandbox, "token"), 0);
    free(callback);
    cbpii_pending_consent_free(pending);
}

static void saved_state_must_be_whole(void **state)
{
    (void)state;
    cbpii_pending_consent *pending = begun();
    const char *const wrong[] = {"", "{}", "null", "[]"};
    for (size_t place = 0; place < sizeof wrong / sizeof wrong[0]; place++) {
        REFUSED(CBPII_ERROR_REQUEST_SAVED_STATE, cbpii_pending_consent, none,
                cbpii_pending_consent_from_json(wrong[place], &none));
    }
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_pending_consent, none, cbpii_pending_consent_from_json(NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_pending_consent, none, cbpii_pending_consent_from_json(NOT_UTF8, &none));
    ARGUMENT(cbpii_pending_consent_from_json("{}", NULL));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_string, none, cbpii_pending_consent_to_json(NULL, &none));
    ARGUMENT(cbpii_pending_consent_to_json(pending, NULL));
    cbpii_pending_consent_free(pending);
}

static void a_code_of_another_way_must_be_sendable(void **state)
{
    (void)state;
    cbpii_authorization_code *code = NULL;
    OK(cbpii_authorization_code_new("abc", &code));
    ARGUMENT(cbpii_authorization_code_expose(code, NULL));
    cbpii_authorization_code_free(code);
    REFUSED(CBPII_ERROR_REQUEST_TOKEN, cbpii_authorization_code, none, cbpii_authorization_code_new("a b", &none));
    REFUSED(CBPII_ERROR_REQUEST_TOKEN, cbpii_authorization_code, none, cbpii_authorization_code_new("", &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_authorization_code, none, cbpii_authorization_code_new(NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_authorization_code, none, cbpii_authorization_code_new(NOT_UTF8, &none));
    ARGUMENT(cbpii_authorization_code_new("abc", NULL));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_string, none, cbpii_authorization_code_expose(NULL, &none));
}

static void null_has_no_facts(void **state)
{
    (void)state;
    assert_null(cbpii_pending_consent_url(NULL));
    assert_null(cbpii_pending_consent_bank_id(NULL));
    assert_null(cbpii_pending_consent_state(NULL));
    assert_null(cbpii_pending_consent_redirect_uri(NULL));
    assert_int_equal(cbpii_pending_consent_created_at(NULL), 0);
    assert_int_equal(cbpii_pending_consent_expires_at(NULL), 0);
    cbpii_pending_consent_free(NULL);
    cbpii_authorization_code_free(NULL);
}

#define with_client(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_client(a_consent_is_begun_given_and_exchanged_in_one_step),
        with_client(a_consent_survives_being_saved_and_is_exchanged_in_two_steps),
        with_client(exchanging_needs_all_its_arguments),
        with_client(beginning_takes_a_span_and_no_nonsense),
        with_client(a_callback_is_read_with_suspicion),
        with_client(a_refusal_at_the_bank_is_the_cardholders),
        with_client(saved_state_must_be_whole),
        with_client(a_code_of_another_way_must_be_sendable),
        with_client(null_has_no_facts),
    };
    return kit_run(tests);
}
