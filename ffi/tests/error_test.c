/* Errors as objects: made by hand, and provoked at a live bank with all their facts. */
#include "kit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static cbpii_client *client;
static cbpii_tokens *tokens;
static cbpii_funds_request *request;

static int start(void **state)
{
    kit_reset(state);
    client = kit_client(kit_sandbox, NULL);
    tokens = kit_tokens(kit_sandbox, "CLAIRE");
    request = kit_request("ORDER-4711", CLAIRE, "1");
    return 0;
}

static int end(void **state)
{
    (void)state;
    cbpii_funds_request_free(request);
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
    return 0;
}

/* The error of a check that must fail with this number and give no answer. */
static cbpii_error *failed(int32_t number)
{
    cbpii_funds_confirmation *confirmation = (cbpii_funds_confirmation *)(void *)&kit_untouched;
    cbpii_error *error = ERROR(number, cbpii_client_confirm_funds(client, tokens, request, &confirmation));
    assert_ptr_equal(confirmation, &kit_untouched);
    return error;
}

static void every_number_makes_an_error(void **state)
{
    (void)state;
    for (size_t place = 0; place < kit_catalogue_length; place++) {
        cbpii_error *error = ERROR(kit_catalogue[place].number, cbpii_error_new(kit_catalogue[place].number, NULL));
        assert_false(cbpii_error_retry_after(error, NULL));
        assert_int_equal(cbpii_error_http_status(error), 0);
        assert_null(cbpii_error_bank_code(error));
        assert_null(cbpii_error_bank_message(error));
        assert_null(cbpii_error_request_id(error));
        assert_null(cbpii_error_correlation_id(error));
        assert_null(cbpii_error_explanation(error));
        cbpii_error_free(error);
    }
}

static void an_error_made_by_hand_says_what_it_was_given(void **state)
{
    (void)state;
    cbpii_error *error = cbpii_error_new(CBPII_ERROR_NETWORK_TRANSPORT_FAILED, "The gateway is away; try again.");
    assert_string_equal(cbpii_error_message(error), "The gateway is away; try again.");
    assert_int_equal(cbpii_error_request_sent(error), CBPII_REQUEST_SENT_NO);
    OK(cbpii_error_set_request_sent(error, CBPII_REQUEST_SENT_UNKNOWN));
    assert_int_equal(cbpii_error_request_sent(error), CBPII_REQUEST_SENT_UNKNOWN);
    assert_string_equal(cbpii_error_message(error), "The gateway is away; try again.");
    ARGUMENT(cbpii_error_set_request_sent(error, 0));
    ARGUMENT(cbpii_error_set_request_sent(error, 4));
    ARGUMENT(cbpii_error_set_request_sent(NULL, CBPII_REQUEST_SENT_NO));
    cbpii_error_free(error);
    error = ERROR(CBPII_ERROR_INTERNAL, cbpii_error_new(4711, "A number that is none."));
    assert_string_equal(cbpii_error_message(error), "A number that is none.");
    cbpii_error_free(error);
    FAILS(CBPII_ERROR_STORE_FULL, cbpii_error_new(CBPII_ERROR_STORE_FULL, NOT_UTF8));
}

static void null_has_no_facts(void **state)
{
    (void)state;
    int64_t pause = 77;
    assert_int_equal(cbpii_error_number(NULL), 0);
    assert_null(cbpii_error_code(NULL));
    assert_int_equal(cbpii_error_kind(NULL), 0);
    assert_int_equal(cbpii_error_advice(NULL), 0);
    assert_null(cbpii_error_message(NULL));
    assert_false(cbpii_error_retry_after(NULL, &pause));
    assert_int_equal(pause, 77);
    assert_int_equal(cbpii_error_http_status(NULL), 0);
    assert_null(cbpii_error_bank_code(NULL));
    assert_null(cbpii_error_bank_message(NULL));
    assert_null(cbpii_error_request_id(NULL));
    assert_null(cbpii_error_correlation_id(NULL));
    assert_int_equal(cbpii_error_request_sent(NULL), 0);
    assert_null(cbpii_error_explanation(NULL));
    cbpii_error_free(NULL);
}

static void each_refusal_of_the_bank_has_its_number(void **state)
{
    (void)state;
    const struct {
        const char *persona, *iban, *bank_code;
        int32_t number, status;
    } refusals[] = {
        {"ALICE", "FR7617515006000000441010185", "AC04", CBPII_ERROR_BANK_ACCOUNT_CLOSED, 403},
        {"BRUNO", "FR7613807008040000441020238", "AC06", CBPII_ERROR_BANK_ACCOUNT_BLOCKED, 403},
        {"UMA", "FR7612579004000000441030345", "AC01", CBPII_ERROR_BANK_ACCOUNT_UNKNOWN, 404},
        {"NINA", "FR7617515006000000441040449", "NGAC", CBPII_ERROR_BANK_ACCESS_NOT_GRANTED, 403},
        {"NOAH", "FR7613807008040000441050502", "NAAC", CBPII_ERROR_BANK_NO_ELIGIBLE_ACCOUNT, 403},
        {"IRIS", "FR7612579004000000441060609", "IPSU", CBPII_ERROR_BANK_PSU_UNKNOWN, 403},
        {"INES", "FR7613807008040000441080863", "INTE", CBPII_ERROR_BANK_INTERNAL_ERROR, 500},
        {"IGOR", "FR7612579004000000441090970", "INTS", CBPII_ERROR_BANK_INTERNAL_ERROR, 500},
        {"MONA", "FR7617515006000000441111162", "BE05", CBPII_ERROR_BANK_TPP_UNKNOWN, 403},
    };
    for (size_t place = 0; place < sizeof refusals / sizeof refusals[0]; place++) {
        cbpii_tokens_free(tokens);
        cbpii_funds_request_free(request);
        tokens = kit_tokens(kit_sandbox, refusals[place].persona);
        request = kit_request("R", refusals[place].iban, "10.00");
        OK(cbpii_funds_request_set_request_id(request, "id-of-the-request"));
        cbpii_error *error = failed(refusals[place].number);
        assert_int_equal(cbpii_error_http_status(error), refusals[place].status);
        assert_string_equal(cbpii_error_bank_code(error), refusals[place].bank_code);
        assert_non_null(cbpii_error_bank_message(error));
        assert_string_equal(cbpii_error_request_id(error), "id-of-the-request");
        assert_non_null(cbpii_error_correlation_id(error));
        assert_int_equal(cbpii_error_request_sent(error), CBPII_REQUEST_SENT_YES);
        assert_false(cbpii_error_retry_after(error, NULL));
        assert_contains_not(cbpii_error_message(error), refusals[place].iban);
        cbpii_error_free(error);
    }
}

static void a_pause_the_bank_asks_for_is_told(void **state)
{
    (void)state;
    cbpii_tokens_free(tokens);
    cbpii_funds_request_free(request);
    tokens = kit_tokens(kit_sandbox, "THEO");
    request = kit_request("R", "FR7617515006000000441070713", "10.00");
    cbpii_error *error = failed(CBPII_ERROR_BANK_RATE_LIMITED);
    int64_t pause = 0;
    assert_true(cbpii_error_retry_after(error, &pause));
    assert_int_equal(pause, 30000);
    assert_true(cbpii_error_retry_after(error, NULL));
    assert_int_equal(cbpii_error_advice(error), CBPII_ADVICE_RETRY_AFTER);
    assert_int_equal(cbpii_error_http_status(error), 429);
    assert_string_equal(cbpii_error_bank_code(error), "TMRQ");
    cbpii_error_free(error);
    /* Another kind of error becomes "retry after" when the bank says so, and only then. */
    sandbox_fault(kit_sandbox, "funds", 1, "{\"kind\": \"answer\", \"status\": 503, \"headers\": [[\"retry-after\", \"7\"]], \"body\": \"\"}");
    error = failed(CBPII_ERROR_BANK_UNAVAILABLE);
    assert_true(cbpii_error_retry_after(error, &pause));
    assert_int_equal(pause, 7000);
    cbpii_error_free(error);
    sandbox_fault(kit_sandbox, "funds", 1, "{\"kind\": \"answer\", \"status\": 503, \"headers\": [], \"body\": \"\"}");
    error = failed(CBPII_ERROR_BANK_UNAVAILABLE);
    assert_false(cbpii_error_retry_after(error, &pause));
    assert_int_equal(cbpii_error_advice(error), CBPII_ADVICE_RETRY);
    assert_null(cbpii_error_bank_message(error));
    cbpii_error_free(error);
}

static void an_error_lays_the_request_open_without_its_secrets(void **state)
{
    (void)state;
    cbpii_string *secret = NULL;
    OK(cbpii_tokens_expose_access_token(tokens, &secret));
    sandbox_tell(kit_sandbox, "POST", "/tokens/expire", "{}");
    cbpii_error *error = failed(CBPII_ERROR_CONSENT_ACCESS_TOKEN_REFUSED);
    assert_int_equal(cbpii_error_http_status(error), 401);
    const cbpii_explanation *explanation = cbpii_error_explanation(error);
    assert_string_equal(cbpii_explanation_url(explanation), sandbox_text(kit_sandbox, "endpoints.funds_url"));
    assert_contains(cbpii_explanation_text(explanation), cbpii_error_request_id(error));
    assert_contains_not(cbpii_explanation_text(explanation), cbpii_string_text(secret));
    assert_contains_not(cbpii_explanation_text(explanation), CLAIRE);
    assert_contains(cbpii_explanation_signing_string(explanation), "digest: SHA-256=");
    /* It is lent, so this does nothing. */
    cbpii_explanation_free((cbpii_explanation *)explanation);
    assert_string_equal(cbpii_explanation_method(cbpii_error_explanation(error)), "POST");
    cbpii_error_free(error);
    cbpii_string_free(secret);
}

static void what_the_bank_wrote_is_masked(void **state)
{
    (void)state;
    sandbox_fault(kit_sandbox, "funds", 1,
                  "{\"kind\": \"answer\", \"status\": 403, \"headers\": [], \"content_type\": \"application/json\", "
                  "\"body\": \"{\\\"message\\\": \\\"NGAC: compte " CLAIRE " refus\xc3\xa9\\\"}\"}");
    cbpii_error *error = failed(CBPII_ERROR_BANK_ACCESS_NOT_GRANTED);
    assert_string_equal(cbpii_error_bank_message(error), "NGAC: compte FR76\xe2\x80\xa6" "4006 refus\xc3\xa9");
    cbpii_error_free(error);
}

static void answers_that_cannot_be_believed_are_errors(void **state)
{
    (void)state;
    const struct {
        const char *fault;
        int32_t number, status;
    } faults[] = {
        {"{\"kind\": \"html_page\", \"status\": 200}", CBPII_ERROR_PROTOCOL_NOT_JSON, 200},
        {"{\"kind\": \"answer_patch\", \"patch\": {\"result\": \"true\"}}", CBPII_ERROR_PROTOCOL_RESULT_NOT_BOOLEAN, 200},
        {"{\"kind\": \"answer_patch\", \"patch\": {\"result\": null}}", CBPII_ERROR_PROTOCOL_ANSWER_SHAPE, 200},
        {"{\"kind\": \"redirect\", \"status\": 302, \"location\": \"https://localhost/\"}", CBPII_ERROR_PROTOCOL_REDIRECTED, 302},
        {"{\"kind\": \"bad_digest\"}", CBPII_ERROR_PROTOCOL_DIGEST_MISMATCH, 200},
        {"{\"kind\": \"other_request_id\"}", CBPII_ERROR_PROTOCOL_ECHO_MISMATCH, 200},
        {"{\"kind\": \"answer\", \"status\": 202, \"headers\": [], \"body\": \"{}\"}", CBPII_ERROR_PROTOCOL_UNEXPECTED_STATUS, 202},
        {"{\"kind\": \"answer\", \"status\": 400, \"headers\": [], \"body\": \"\"}", CBPII_ERROR_BANK_REQUEST_REFUSED, 400},
        {"{\"kind\": \"answer\", \"status\": 404, \"headers\": [], \"body\": \"\"}", CBPII_ERROR_BANK_NOT_FOUND, 404},
        {"{\"kind\": \"garbage\"}", CBPII_ERROR_PROTOCOL_MALFORMED_HTTP, 0},
        {"{\"kind\": \"oversized_body\"}", CBPII_ERROR_PROTOCOL_ANSWER_TOO_LARGE, 0},
    };
    for (size_t place = 0; place < sizeof faults / sizeof faults[0]; place++) {
        sandbox_fault(kit_sandbox, "funds", 1, faults[place].fault);
        cbpii_error *error = failed(faults[place].number);
        assert_int_equal(cbpii_error_http_status(error), faults[place].status);
        assert_int_equal(cbpii_error_request_sent(error), CBPII_REQUEST_SENT_YES);
        assert_non_null(cbpii_error_explanation(error));
        cbpii_error_free(error);
    }
    assert_true(kit_available(client, tokens, "1"));
}

static void a_broken_connection_leaves_the_outcome_open(void **state)
{
    (void)state;
    const char *const faults[] = {"{\"kind\": \"reset_before_reading\"}", "{\"kind\": \"answer_lost\"}"};
    for (size_t place = 0; place < 2; place++) {
        sandbox_fault(kit_sandbox, "funds", 1, faults[place]);
        cbpii_error *error = failed(CBPII_ERROR_NETWORK_DISCONNECTED);
        assert_int_equal(cbpii_error_request_sent(error), CBPII_REQUEST_SENT_UNKNOWN);
        assert_int_equal(cbpii_error_http_status(error), 0);
        cbpii_error_free(error);
    }
}

static void an_answer_that_never_comes_is_a_timeout_and_no_no(void **state)
{
    (void)state;
    assert_true(kit_available(client, tokens, "1"));
    sandbox_fault(kit_sandbox, "funds", 0, "{\"kind\": \"stall\"}");
    cbpii_funds_confirmation *confirmation = NULL;
    cbpii_error *error = ERROR(CBPII_ERROR_TIMEOUT_TOTAL, cbpii_client_confirm_funds_with(client, tokens, request,
                                                                                       kit_briefly(), NULL, &confirmation));
    assert_null(confirmation);
    assert_int_equal(cbpii_error_request_sent(error), CBPII_REQUEST_SENT_UNKNOWN);
    cbpii_error_free(error);
}

/* A listener that takes connections and never says anything; its origin is the caller's. */
static char *silent_listener(int *listener)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    *listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(*listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(*listener, 8), 0);
    assert_int_equal(getsockname(*listener, (struct sockaddr *)&address, &length), 0);
    return kit_text("https://localhost:%d", ntohs(address.sin_port));
}

/* The error of a check at another origin. */
static cbpii_error *failed_at(const char *origin, int64_t connect_timeout, int32_t number)
{
    cbpii_bank *bank = kit_bank(kit_sandbox, NULL);
    cbpii_client_options *options = kit_options();
    OK(cbpii_bank_set_origin(bank, origin));
    OK(cbpii_client_options_set_connect_timeout(options, connect_timeout));
    cbpii_client_free(client);
    client = kit_client_of(bank, kit_issuer(kit_sandbox), options);
    cbpii_error *error = failed(number);
    assert_int_equal(cbpii_error_request_sent(error), CBPII_REQUEST_SENT_NO);
    assert_int_equal(cbpii_error_http_status(error), 0);
    assert_non_null(cbpii_error_explanation(error));
    return error;
}

static void a_bank_that_is_not_there_is_told_apart_from_a_slow_one(void **state)
{
    (void)state;
    int listener = -1;
    char *origin = silent_listener(&listener);
    cbpii_error_free(failed_at(origin, kit_briefly(), CBPII_ERROR_TIMEOUT_CONNECT));
    close(listener);
    cbpii_error_free(failed_at(origin, 60000, CBPII_ERROR_NETWORK_CONNECT));
    free(origin);
    /* A label that is too long for DNS: no resolver is asked. */
    cbpii_error_free(failed_at("https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.invalid", 60000,
                               CBPII_ERROR_NETWORK_NAME_LOOKUP));
}

static void a_channel_that_is_not_safe_is_refused(void **state)
{
    (void)state;
    const struct {
        const char *certificate;
        int32_t number;
    } certificates[] = {
        {"expired", CBPII_ERROR_TLS_SERVER_CERTIFICATE_EXPIRED},
        {"other-host", CBPII_ERROR_TLS_HOST_NAME},
        {"unknown-issuer", CBPII_ERROR_TLS_UNKNOWN_ISSUER},
    };
    for (size_t place = 0; place < sizeof certificates / sizeof certificates[0]; place++) {
        char *fault = kit_text("{\"kind\": \"server_certificate\", \"certificate\": \"%s\"}", certificates[place].certificate);
        sandbox_fault(kit_sandbox, "connection", 1, fault);
        cbpii_error *error = failed(certificates[place].number);
        assert_int_equal(cbpii_error_request_sent(error), CBPII_REQUEST_SENT_NO);
        cbpii_error_free(error);
        free(fault);
    }
    sandbox_fault(kit_sandbox, "connection", 1, "{\"kind\": \"garbage\"}");
    cbpii_error_free(failed(CBPII_ERROR_TLS_PROTOCOL));
    assert_int_equal(sandbox_seen(kit_sandbox, "funds"), 0);
}

static void a_certificate_the_bank_refuses_is_named(void **state)
{
    (void)state;
    const struct {
        const char *refusal, *variant;
        int32_t number, status;
    } cases[] = {
        {"http", "unknown-ca", CBPII_ERROR_TLS_CLIENT_CERTIFICATE_REFUSED, 400},
        {"alert", "unknown-ca", CBPII_ERROR_TLS_CLIENT_CERTIFICATE_REFUSED, 0},
        {"http", NULL, CBPII_ERROR_TLS_CLIENT_CERTIFICATE_MISSING, 400},
        {"alert", NULL, CBPII_ERROR_TLS_CLIENT_CERTIFICATE_MISSING, 0},
    };
    for (size_t place = 0; place < sizeof cases / sizeof cases[0]; place++) {
        char *settings = kit_text("{\"client_certificate_refusal\": \"%s\"}", cases[place].refusal);
        sandbox_configure(kit_sandbox, settings);
        free(settings);
        cbpii_issuer *issuer = NULL;
        if (cases[place].variant != NULL) {
            issuer = kit_issuer_variant(kit_sandbox, cases[place].variant);
        } else {
            issuer = kit_bare_issuer(kit_sandbox);
            OK(cbpii_issuer_set_seal_files(issuer, sandbox_text(kit_sandbox, "issuer.qsealc.chain"),
                                           sandbox_text(kit_sandbox, "issuer.qsealc.key"), NULL));
        }
        cbpii_client_options *options = kit_options();
        OK(cbpii_client_options_set_check_eligibility(options, false));
        cbpii_client_free(client);
        client = kit_client_of(kit_bank(kit_sandbox, NULL), issuer, options);
        cbpii_error *error = failed(cases[place].number);
        assert_int_equal(cbpii_error_http_status(error), cases[place].status);
        cbpii_error_free(error);
    }
}

static void a_token_of_another_role_is_told(void **state)
{
    (void)state;
    cbpii_tokens_free(tokens);
    tokens = kit_tokens_at(kit_sandbox, "CLAIRE", "aisp", kit_real_now());
    cbpii_error *error = failed(CBPII_ERROR_BANK_WRONG_ROLE);
    assert_string_equal(cbpii_error_bank_code(error), "BADS");
    cbpii_error_free(error);
}

static void an_error_outlives_what_it_came_from(void **state)
{
    (void)state;
    cbpii_tokens_free(tokens);
    tokens = kit_tokens(kit_sandbox, "ALICE");
    cbpii_funds_request_free(request);
    request = kit_request("R", "FR7617515006000000441010185", "1");
    cbpii_error *error = failed(CBPII_ERROR_BANK_ACCOUNT_CLOSED);
    end(state);
    assert_string_equal(cbpii_error_bank_code(error), "AC04");
    assert_non_null(cbpii_explanation_text(cbpii_error_explanation(error)));
    cbpii_error_free(error);
    client = NULL;
    tokens = NULL;
    request = NULL;
}

#define with_client(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_makes_an_error),
        cmocka_unit_test(an_error_made_by_hand_says_what_it_was_given),
        cmocka_unit_test(null_has_no_facts),
        with_client(each_refusal_of_the_bank_has_its_number),
        with_client(a_pause_the_bank_asks_for_is_told),
        with_client(an_error_lays_the_request_open_without_its_secrets),
        with_client(what_the_bank_wrote_is_masked),
        with_client(answers_that_cannot_be_believed_are_errors),
        with_client(a_broken_connection_leaves_the_outcome_open),
        with_client(an_answer_that_never_comes_is_a_timeout_and_no_no),
        with_client(a_bank_that_is_not_there_is_told_apart_from_a_slow_one),
        with_client(a_channel_that_is_not_safe_is_refused),
        with_client(a_certificate_the_bank_refuses_is_named),
        with_client(a_token_of_another_role_is_told),
        with_client(an_error_outlives_what_it_came_from),
    };
    return kit_run(tests);
}
