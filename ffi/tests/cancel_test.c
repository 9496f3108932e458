/* Cancelling calls: before they start, and while they wait. */
#include "kit.h"

static void a_token_is_cancelled_once_and_for_all(void **state)
{
    (void)state;
    cbpii_cancel_token *token = NULL;
    OK(cbpii_cancel_token_new(&token));
    assert_false(cbpii_cancel_token_is_cancelled(token));
    cbpii_cancel_token_cancel(token);
    cbpii_cancel_token_cancel(token);
    assert_true(cbpii_cancel_token_is_cancelled(token));
    cbpii_cancel_token_free(token);
    ARGUMENT(cbpii_cancel_token_new(NULL));
    cbpii_cancel_token_cancel(NULL);
    assert_false(cbpii_cancel_token_is_cancelled(NULL));
    cbpii_cancel_token_free(NULL);
}

static void a_call_under_a_cancelled_token_sends_nothing(void **state)
{
    (void)state;
    cbpii_client *client = kit_client(kit_sandbox, NULL);
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
    cbpii_funds_request *request = kit_request("R", CLAIRE, "1");
    cbpii_cancel_token *token = NULL;
    size_t before = sandbox_connections(kit_sandbox);
    OK(cbpii_cancel_token_new(&token));
    cbpii_cancel_token_cancel(token);
    REFUSED(CBPII_ERROR_CANCELLED, cbpii_funds_confirmation, none,
            cbpii_client_confirm_funds_with(client, tokens, request, 0, token, &none));
    REFUSED(CBPII_ERROR_CANCELLED, cbpii_tokens, none, cbpii_client_refresh(client, tokens, 0, token, &none));
    assert_int_equal(sandbox_connections(kit_sandbox), before);
    cbpii_cancel_token_free(token);
    cbpii_funds_request_free(request);
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
}

static void *cancel_when_asked(void *token)
{
    sandbox_wait_for(kit_sandbox, 1);
    cbpii_cancel_token_cancel(token);
    return NULL;
}

static void a_call_that_waits_is_ended_from_another_thread(void **state)
{
    (void)state;
    cbpii_client *client = kit_client(kit_sandbox, NULL);
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
    cbpii_funds_request *request = kit_request("R", CLAIRE, "1");
    cbpii_cancel_token *token = NULL;
    OK(cbpii_cancel_token_new(&token));
    sandbox_fault(kit_sandbox, "funds", 0, "{\"kind\": \"hold\"}");
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, cancel_when_asked, token), 0);
    cbpii_funds_confirmation *confirmation = NULL;
    cbpii_error *error =
        ERROR(CBPII_ERROR_CANCELLED, cbpii_client_confirm_funds_with(client, tokens, request, 0, token, &confirmation));
    assert_int_equal(cbpii_error_request_sent(error), CBPII_REQUEST_SENT_UNKNOWN);
    assert_null(confirmation);
    cbpii_error_free(error);
    pthread_join(other, NULL);
    sandbox_clear_faults(kit_sandbox);
    assert_true(kit_available(client, tokens, "1"));
    cbpii_cancel_token_free(token);
    cbpii_funds_request_free(request);
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(a_token_is_cancelled_once_and_for_all),
        kit_test(a_call_under_a_cancelled_token_sends_nothing),
        kit_test(a_call_that_waits_is_ended_from_another_thread),
    };
    return kit_run(tests);
}
