/* Callbacks of the caller's own: an HTTP stack, an event listener, a clock. */
#include "kit.h"

static void count(void *user_data)
{
    ++*(unsigned *)user_data;
}

/* The transport */

static kit_memory_bank bank;
static cbpii_client *client;
static cbpii_tokens *tokens;
static cbpii_funds_request *request;

static cbpii_client *client_with_retries(uint32_t retries)
{
    cbpii_client_options *options = kit_options();
    cbpii_transport transport = kit_memory_transport(&bank);
    OK(cbpii_client_options_set_check_eligibility(options, false));
    OK(cbpii_client_options_set_transport(options, &transport));
    OK(cbpii_client_options_set_retries(options, retries));
    cbpii_issuer *issuer = NULL;
    OK(cbpii_issuer_new("PSDFR-ACPR-12345", "https://issuer.example/callback", &issuer));
    return kit_client_of(kit_memory_record("17515"), issuer, options);
}

static int start(void **state)
{
    (void)state;
    kit_memory_bank_start(&bank);
    client = client_with_retries(1);
    tokens = kit_made_tokens("refresh", kit_real_now());
    request = kit_request("ORDER-4711", CLAIRE, "12.50");
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

/* Counts what is not as it should be. Checks of cmocka must not be made in a callback. */
#define EXPECT(condition) (memory->mishaps += (condition) ? 0 : 1)

static bool header_is(const cbpii_http_request *sent, const char *name, const char *value)
{
    for (size_t place = 0; place < cbpii_http_request_header_count(sent); place++) {
        if (strcmp(cbpii_http_request_header_name(sent, place), name) == 0) {
            return strstr(cbpii_http_request_header_value(sent, place), value) != NULL;
        }
    }
    return false;
}

static bool look_at_check(kit_memory_bank *memory, const cbpii_http_request *sent, cbpii_http_response *response,
                          cbpii_error **error)
{
    (void)response, (void)error;
    size_t headers = cbpii_http_request_header_count(sent);
    EXPECT(strcmp(cbpii_http_request_method(sent), "POST") == 0);
    EXPECT(strncmp(cbpii_http_request_url(sent), "https://www.17515.sandbox.api.89c3.com/", 39) == 0);
    EXPECT(header_is(sent, "authorization", "Bearer access"));
    EXPECT(header_is(sent, "content-type", "application/json"));
    EXPECT(header_is(sent, "x-request-id", "-"));
    EXPECT(!header_is(sent, "host", "") && !header_is(sent, "content-length", ""));
    EXPECT(cbpii_http_request_header_name(sent, headers) == NULL);
    EXPECT(cbpii_http_request_header_value(sent, headers) == NULL);
    EXPECT(cbpii_http_request_body_length(sent) > 20);
    EXPECT(cbpii_http_request_body(sent)[0] == '{');
    EXPECT(cbpii_http_request_time_left(sent) > 0 && cbpii_http_request_time_left(sent) <= 120000);
    EXPECT(!cbpii_http_request_is_cancelled(sent));
    EXPECT(!cbpii_http_request_wants_fresh_connection(sent));
    memory->seen = sent;
    return false;
}

static bool look_at_refresh(kit_memory_bank *memory, const cbpii_http_request *sent, cbpii_http_response *response,
                            cbpii_error **error)
{
    (void)response, (void)error;
    EXPECT(strstr(cbpii_http_request_url(sent), "/token") != NULL);
    EXPECT(header_is(sent, "content-type", "application/x-www-form-urlencoded"));
    EXPECT(cbpii_http_request_wants_fresh_connection(sent));
    return false;
}

static void a_transport_sees_the_whole_request_and_gives_the_whole_answer(void **state)
{
    (void)state;
    cbpii_funds_confirmation *answer = NULL;
    bank.answer = look_at_check;
    OK(cbpii_client_confirm_funds(client, tokens, request, &answer));
    assert_true(cbpii_funds_confirmation_available(answer));
    assert_string_equal(cbpii_funds_confirmation_reference(answer), "ORDER-4711");
    cbpii_funds_confirmation_free(answer);
    assert_non_null(bank.seen);
    bank.answer = look_at_refresh;
    cbpii_tokens *fresh = NULL;
    OK(cbpii_client_refresh(client, tokens, 0, NULL, &fresh));
    cbpii_tokens_free(fresh);
    assert_int_equal(bank.mishaps, 0);
    assert_int_equal(bank.checks, 1);
    assert_int_equal(bank.refreshes, 1);
    assert_int_equal(cbpii_client_connections(client), 0);
    size_t ready = 77;
    OK(cbpii_client_warm_up(client, 2, &ready));
    assert_int_equal(ready, 0);
}

/* How the transport fails, and what it says of whether the request was sent: 0 to say nothing. */
static int32_t failure;

static bool fail_it(kit_memory_bank *memory, const cbpii_http_request *sent, cbpii_http_response *response, cbpii_error **error)
{
    (void)sent, (void)response;
    *error = cbpii_error_new(failure, "The gateway is away; try again.");
    if (memory->number != 0) {
        EXPECT(cbpii_error_set_request_sent(*error, (int32_t)memory->number) == NULL);
    }
    return true;
}

static void what_may_be_repeated_depends_on_what_a_failing_transport_states(void **state)
{
    (void)state;
    const struct {
        int32_t number, stated, told;
        unsigned refreshes, checks;
    } cases[] = {
        {CBPII_ERROR_NETWORK_CONNECT, CBPII_REQUEST_SENT_NO, CBPII_REQUEST_SENT_NO, 2, 2},
        {CBPII_ERROR_NETWORK_DISCONNECTED, CBPII_REQUEST_SENT_UNKNOWN, CBPII_REQUEST_SENT_UNKNOWN, 1, 2},
        {CBPII_ERROR_NETWORK_DISCONNECTED, 0, CBPII_REQUEST_SENT_UNKNOWN, 1, 2},
        /* Whether this one passes, only the caller knows. */
        {CBPII_ERROR_NETWORK_TRANSPORT_FAILED, CBPII_REQUEST_SENT_NO, CBPII_REQUEST_SENT_NO, 1, 1},
        {CBPII_ERROR_NETWORK_TRANSPORT_FAILED, 0, CBPII_REQUEST_SENT_UNKNOWN, 1, 1},
    };
    bank.answer = fail_it;
    for (size_t place = 0; place < sizeof cases / sizeof cases[0]; place++) {
        failure = cases[place].number;
        bank.number = cases[place].stated;
        bank.refreshes = bank.checks = 0;
        cbpii_tokens *fresh = NULL;
        cbpii_error *error = ERROR(failure, cbpii_client_refresh(client, tokens, 0, NULL, &fresh));
        assert_null(fresh);
        assert_string_equal(cbpii_error_message(error), "The gateway is away; try again.");
        assert_int_equal(cbpii_error_request_sent(error), cases[place].told);
        assert_non_null(cbpii_error_explanation(error));
        assert_int_equal(bank.refreshes, cases[place].refreshes);
        cbpii_error_free(error);
        REFUSED(failure, cbpii_funds_confirmation, none, cbpii_client_confirm_funds(client, tokens, request, &none));
        assert_int_equal(bank.checks, cases[place].checks);
    }
    assert_int_equal(bank.mishaps, 0);
}

static bool leave_status_out(kit_memory_bank *memory, const cbpii_http_request *sent, cbpii_http_response *response,
                             cbpii_error **error)
{
    (void)sent;
    EXPECT(cbpii_http_response_set_body(response, (const uint8_t *)"{}", 2) == NULL);
    *error = NULL;
    return true;
}

static bool give_bad_header(kit_memory_bank *memory, const cbpii_http_request *sent, cbpii_http_response *response,
                            cbpii_error **error)
{
    (void)sent;
    EXPECT(cbpii_http_response_set_status(response, 200) == NULL);
    EXPECT(cbpii_http_response_add_header(response, "a b", "c") == NULL);
    *error = NULL;
    return true;
}

static bool give_too_much(kit_memory_bank *memory, const cbpii_http_request *sent, cbpii_http_response *response,
                          cbpii_error **error)
{
    (void)sent;
    size_t length = (1 << 20) + 1;
    uint8_t *body = calloc(length, 1);
    EXPECT(cbpii_http_response_set_status(response, 200) == NULL);
    EXPECT(cbpii_http_response_set_body(response, body, length) == NULL);
    free(body);
    *error = NULL;
    return true;
}

static bool is_argument(cbpii_error *error)
{
    bool is = cbpii_error_number(error) == CBPII_ERROR_REQUEST_ARGUMENT;
    cbpii_error_free(error);
    return is;
}

static bool give_wrong_arguments(kit_memory_bank *memory, const cbpii_http_request *sent, cbpii_http_response *response,
                                 cbpii_error **error)
{
    (void)sent, (void)error;
    const int32_t statuses[] = {0, 99, 600, -1, INT32_MAX};
    for (size_t place = 0; place < sizeof statuses / sizeof statuses[0]; place++) {
        EXPECT(is_argument(cbpii_http_response_set_status(response, statuses[place])));
    }
    EXPECT(is_argument(cbpii_http_response_set_status(NULL, 200)));
    EXPECT(is_argument(cbpii_http_response_add_header(NULL, "a", "b")));
    EXPECT(is_argument(cbpii_http_response_add_header(response, NULL, "b")));
    EXPECT(is_argument(cbpii_http_response_add_header(response, "a", NULL)));
    EXPECT(is_argument(cbpii_http_response_add_header(response, NOT_UTF8, "b")));
    EXPECT(is_argument(cbpii_http_response_add_header(response, "a", NOT_UTF8)));
    EXPECT(is_argument(cbpii_http_response_set_body(NULL, (const uint8_t *)"a", 1)));
    EXPECT(is_argument(cbpii_http_response_set_body(response, NULL, 1)));
    EXPECT(cbpii_http_response_set_body(response, NULL, 0) == NULL);
    /* The honest answer replaces what was set before. */
    return false;
}

static bool return_no_error(kit_memory_bank *memory, const cbpii_http_request *sent, cbpii_http_response *response,
                            cbpii_error **error)
{
    (void)memory, (void)response;
    /* Another handle of the library's, which it lends. */
    *error = (cbpii_error *)(void *)(uintptr_t)sent;
    return true;
}

static void answers_that_are_none_are_errors(void **state)
{
    (void)state;
    const struct {
        bool (*answer)(kit_memory_bank *, const cbpii_http_request *, cbpii_http_response *, cbpii_error **);
        int32_t number, sent;
    } wrong[] = {
        {leave_status_out, CBPII_ERROR_PROTOCOL_MALFORMED_HTTP, CBPII_REQUEST_SENT_YES},
        {give_bad_header, CBPII_ERROR_PROTOCOL_MALFORMED_HTTP, CBPII_REQUEST_SENT_YES},
        {give_too_much, CBPII_ERROR_PROTOCOL_ANSWER_TOO_LARGE, CBPII_REQUEST_SENT_YES},
        {return_no_error, CBPII_ERROR_REQUEST_ARGUMENT, CBPII_REQUEST_SENT_UNKNOWN},
    };
    for (size_t place = 0; place < sizeof wrong / sizeof wrong[0]; place++) {
        bank.answer = wrong[place].answer;
        cbpii_funds_confirmation *answer = NULL;
        cbpii_error *error = ERROR(wrong[place].number, cbpii_client_confirm_funds(client, tokens, request, &answer));
        assert_null(answer);
        assert_int_equal(cbpii_error_request_sent(error), wrong[place].sent);
        cbpii_error_free(error);
    }
    bank.answer = give_wrong_arguments;
    assert_true(kit_available(client, tokens, "1"));
    assert_int_equal(bank.mishaps, 0);
}

static cbpii_cancel_token *pressed;

static bool wait_until_cancelled(kit_memory_bank *memory, const cbpii_http_request *sent, cbpii_http_response *response,
                                 cbpii_error **error)
{
    (void)response;
    EXPECT(!cbpii_http_request_is_cancelled(sent));
    cbpii_cancel_token_cancel(pressed);
    EXPECT(cbpii_http_request_is_cancelled(sent));
    *error = cbpii_error_new(CBPII_ERROR_CANCELLED, NULL);
    return true;
}

static void a_transport_can_see_that_its_call_was_cancelled(void **state)
{
    (void)state;
    OK(cbpii_cancel_token_new(&pressed));
    bank.answer = wait_until_cancelled;
    REFUSED(CBPII_ERROR_CANCELLED, cbpii_funds_confirmation, none,
            cbpii_client_confirm_funds_with(client, tokens, request, 0, pressed, &none));
    assert_int_equal(bank.mishaps, 0);
    assert_int_equal(bank.checks, 1);
    cbpii_cancel_token_free(pressed);
}

static cbpii_error *never_called(void *user_data, const cbpii_http_request *sent, cbpii_http_response *response)
{
    (void)sent, (void)response;
    *(unsigned *)user_data += 1000;
    return NULL;
}

static void a_transport_ends_once(void **state)
{
    (void)state;
    assert_int_equal(bank.destroyed, 0);
    unsigned ended = 0;
    cbpii_client_options *options = kit_options();
    cbpii_transport transport = {&ended, never_called, count};
    OK(cbpii_client_options_set_transport(options, &transport));
    assert_int_equal(ended, 0);
    cbpii_client_options_free(options);
    assert_int_equal(ended, 1);
    /* Also when it is not taken. */
    ARGUMENT(cbpii_client_options_set_transport(NULL, &transport));
    assert_int_equal(ended, 2);
    options = kit_options();
    transport.exchange = NULL;
    ARGUMENT(cbpii_client_options_set_transport(options, &transport));
    assert_int_equal(ended, 3);
    ARGUMENT(cbpii_client_options_set_transport(options, NULL));
    transport.exchange = never_called;
    transport.destroy = NULL;
    OK(cbpii_client_options_set_transport(options, &transport));
    cbpii_client_options_free(options);
    assert_int_equal(ended, 3);

    /* It lives as long as the last that needs it: here a session. */
    cbpii_store *store = kit_store("memory");
    cbpii_session_pool *pool = NULL;
    cbpii_session *session = NULL;
    pool = kit_pool(client, store);
    OK(cbpii_session_pool_keep(pool, "claire", tokens, &session));
    cbpii_client_free(client);
    client = NULL;
    cbpii_store_free(store);
    cbpii_session_pool_free(pool);
    assert_int_equal(bank.destroyed, 0);
    cbpii_funds_confirmation *answer = NULL;
    OK(cbpii_session_confirm_funds(session, request, &answer));
    cbpii_funds_confirmation_free(answer);
    cbpii_session_free(session);
    assert_int_equal(bank.destroyed, 1);
}

static void null_has_no_facts(void **state)
{
    (void)state;
    assert_null(cbpii_http_request_method(NULL));
    assert_null(cbpii_http_request_url(NULL));
    assert_int_equal(cbpii_http_request_header_count(NULL), 0);
    assert_null(cbpii_http_request_header_name(NULL, 0));
    assert_null(cbpii_http_request_header_value(NULL, 0));
    assert_null(cbpii_http_request_body(NULL));
    assert_int_equal(cbpii_http_request_body_length(NULL), 0);
    assert_int_equal(cbpii_http_request_time_left(NULL), 0);
    assert_false(cbpii_http_request_is_cancelled(NULL));
    assert_false(cbpii_http_request_wants_fresh_connection(NULL));
    assert_int_equal(cbpii_event_operation(NULL), 0);
    assert_null(cbpii_event_bank_id(NULL));
    assert_null(cbpii_event_request_id(NULL));
    assert_int_equal(cbpii_event_attempt(NULL), 0);
    assert_int_equal(cbpii_event_duration(NULL), 0);
    assert_int_equal(cbpii_event_http_status(NULL), 0);
    assert_int_equal(cbpii_event_error_number(NULL), 0);
    assert_null(cbpii_event_text(NULL));
}

/* The event listener */

typedef struct {
    unsigned events;
    unsigned ended;
    struct {
        int32_t operation, status, number;
        uint32_t attempt;
        int64_t duration;
        char bank_id[32], request_id[80], text[512];
        bool has_request_id;
        pthread_t thread;
    } seen[4];
} diary;

static void note(void *user_data, const cbpii_event *event)
{
    diary *notes = user_data;
    if (notes->events < 4) {
        notes->seen[notes->events].operation = cbpii_event_operation(event);
        notes->seen[notes->events].status = cbpii_event_http_status(event);
        notes->seen[notes->events].number = cbpii_event_error_number(event);
        notes->seen[notes->events].attempt = cbpii_event_attempt(event);
        notes->seen[notes->events].duration = cbpii_event_duration(event);
        notes->seen[notes->events].thread = pthread_self();
        const char *id = cbpii_event_request_id(event);
        notes->seen[notes->events].has_request_id = id != NULL;
        snprintf(notes->seen[notes->events].request_id, 80, "%s", id != NULL ? id : "");
        snprintf(notes->seen[notes->events].bank_id, 32, "%s", cbpii_event_bank_id(event));
        snprintf(notes->seen[notes->events].text, 512, "%s", cbpii_event_text(event));
    }
    notes->events++;
}

static void end_diary(void *user_data)
{
    ((diary *)user_data)->ended++;
}

static void every_exchange_is_told_on_its_own_thread(void **state)
{
    (void)state;
    diary notes;
    memset(&notes, 0, sizeof notes);
    cbpii_client_options *options = kit_options();
    OK(cbpii_client_options_set_retries(options, 1));
    OK(cbpii_client_options_set_event_listener(options, note, &notes, end_diary));
    cbpii_client *heard = kit_client(kit_sandbox, options);
    cbpii_tokens *claires = kit_tokens(kit_sandbox, "CLAIRE"), *fresh = NULL;
    cbpii_funds_request *question = kit_request("R", CLAIRE, "1");
    OK(cbpii_funds_request_set_request_id(question, "id-of-the-request"));
    sandbox_fault(kit_sandbox, "funds", 1, "{\"kind\": \"answer\", \"status\": 503, \"headers\": [], \"body\": \"\"}");
    cbpii_funds_confirmation *answer = NULL;
    OK(cbpii_client_confirm_funds(heard, claires, question, &answer));
    OK(cbpii_client_refresh(heard, claires, 0, NULL, &fresh));
    assert_int_equal(notes.events, 3);
    for (unsigned place = 0; place < 3; place++) {
        assert_int_equal(notes.seen[place].operation, place < 2 ? CBPII_OPERATION_CONFIRM_FUNDS : CBPII_OPERATION_REFRESH);
        assert_int_equal(notes.seen[place].status, place == 0 ? 503 : 200);
        assert_int_equal(notes.seen[place].number, place == 0 ? CBPII_ERROR_BANK_UNAVAILABLE : 0);
        assert_int_equal(notes.seen[place].attempt, place == 1 ? 2 : 1);
        assert_true(notes.seen[place].duration > 0);
        assert_true(pthread_equal(notes.seen[place].thread, pthread_self()));
        assert_string_equal(notes.seen[place].bank_id, "bpce-17515");
        assert_int_equal(notes.seen[place].has_request_id, place < 2);
        assert_string_equal(notes.seen[place].request_id, place < 2 ? "id-of-the-request" : "");
        assert_contains(notes.seen[place].text, place < 2 ? "confirm_funds" : "refresh");
        assert_contains_not(notes.seen[place].text, CLAIRE);
    }
    assert_int_equal(notes.ended, 0);
    cbpii_funds_confirmation_free(answer);
    cbpii_funds_request_free(question);
    cbpii_tokens_free(fresh);
    cbpii_tokens_free(claires);
    cbpii_client_free(heard);
    assert_int_equal(notes.ended, 1);
}

static void a_listener_ends_once(void **state)
{
    (void)state;
    diary notes;
    memset(&notes, 0, sizeof notes);
    ARGUMENT(cbpii_client_options_set_event_listener(NULL, note, &notes, end_diary));
    assert_int_equal(notes.ended, 1);
    cbpii_client_options *options = kit_options();
    ARGUMENT(cbpii_client_options_set_event_listener(options, NULL, &notes, end_diary));
    assert_int_equal(notes.ended, 2);
    OK(cbpii_client_options_set_event_listener(options, note, &notes, NULL));
    OK(cbpii_client_options_set_event_listener(options, note, &notes, end_diary));
    cbpii_client_options_free(options);
    assert_int_equal(notes.ended, 3);
}

/* The clock */

static int64_t year_2027(void *user_data)
{
    (void)user_data;
    return INT64_C(1798761600000);
}

static void a_clock_says_what_the_time_is(void **state)
{
    (void)state;
    unsigned ended = 0;
    cbpii_client_options *options = kit_options();
    cbpii_transport transport = kit_memory_transport(&bank);
    OK(cbpii_client_options_set_clock(options, year_2027, &ended, count));
    OK(cbpii_client_options_set_transport(options, &transport));
    OK(cbpii_client_options_set_check_eligibility(options, false));
    cbpii_issuer *issuer = NULL;
    OK(cbpii_issuer_new("PSDFR-ACPR-12345", "https://issuer.example/callback", &issuer));
    cbpii_client *timed = kit_client_of(kit_memory_record("17515"), issuer, options);
    cbpii_pending_consent *pending = NULL;
    OK(cbpii_client_begin_consent(timed, 0, &pending));
    assert_int_equal(cbpii_pending_consent_created_at(pending), year_2027(NULL));
    cbpii_pending_consent_free(pending);
    cbpii_funds_confirmation *answer = NULL;
    OK(cbpii_client_confirm_funds(timed, tokens, request, &answer));
    assert_int_equal(cbpii_funds_confirmation_checked_at(answer), year_2027(NULL));
    cbpii_funds_confirmation_free(answer);
    assert_int_equal(ended, 0);
    cbpii_client_free(timed);
    assert_int_equal(ended, 1);
    ARGUMENT(cbpii_client_options_set_clock(NULL, year_2027, &ended, count));
    assert_int_equal(ended, 2);
    options = kit_options();
    ARGUMENT(cbpii_client_options_set_clock(options, NULL, &ended, count));
    assert_int_equal(ended, 3);
    OK(cbpii_client_options_set_clock(options, year_2027, NULL, NULL));
    cbpii_client_options_free(options);
    assert_int_equal(ended, 3);
}

#define in_memory(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_memory(a_transport_sees_the_whole_request_and_gives_the_whole_answer),
        in_memory(what_may_be_repeated_depends_on_what_a_failing_transport_states),
        in_memory(answers_that_are_none_are_errors),
        in_memory(a_transport_can_see_that_its_call_was_cancelled),
        in_memory(a_transport_ends_once),
        in_memory(a_clock_says_what_the_time_is),
        kit_test(every_exchange_is_told_on_its_own_thread),
        cmocka_unit_test(a_listener_ends_once),
        cmocka_unit_test(null_has_no_facts),
    };
    return kit_run(tests);
}
