/* Sessions: consents that are kept, refreshed in time, and end at their second. The clock is set by hand. */
#include "kit.h"

#define START INT64_C(1767225600000)

static kit_memory_bank bank;
static kit_clock hand;
static cbpii_client *client;
static cbpii_store *store;
static cbpii_session_pool *pool;
static cbpii_session *session;

static int start(void **state)
{
    (void)state;
    kit_memory_bank_start(&bank);
    kit_clock_start(&hand, START);
    client = kit_memory_client("17515", &bank, &hand);
    store = kit_store("memory");
    pool = kit_pool(client, store);
    cbpii_tokens *tokens = kit_made_tokens("refresh", START);
    OK(cbpii_session_pool_keep(pool, "claire", tokens, &session));
    cbpii_tokens_free(tokens);
    return 0;
}

static int end(void **state)
{
    (void)state;
    cbpii_session_free(session);
    cbpii_session_pool_free(pool);
    cbpii_store_free(store);
    cbpii_client_free(client);
    kit_clock_await_end(&hand);
    kit_memory_bank_await_end(&bank);
    assert_int_equal(bank.mishaps, 0);
    return 0;
}

/* A check that must be answered with yes. */
static void check(const cbpii_session *asked)
{
    cbpii_funds_request *request = kit_request("ORDER-4711", CLAIRE, "1");
    cbpii_funds_confirmation *answer = NULL;
    OK(cbpii_session_confirm_funds(asked, request, &answer));
    assert_true(cbpii_funds_confirmation_available(answer));
    assert_string_equal(cbpii_funds_confirmation_reference(answer), "ORDER-4711");
    cbpii_funds_confirmation_free(answer);
    cbpii_funds_request_free(request);
}

/* The error of a check that must fail with this number. */
static cbpii_error *failed(const cbpii_session *asked, int32_t number)
{
    cbpii_funds_request *request = kit_request("ORDER-4711", CLAIRE, "1");
    cbpii_funds_confirmation *answer = (cbpii_funds_confirmation *)(void *)&kit_untouched;
    cbpii_error *error = ERROR(number, cbpii_session_confirm_funds(asked, request, &answer));
    assert_ptr_equal(answer, &kit_untouched);
    cbpii_funds_request_free(request);
    return error;
}

static void assert_stands(const cbpii_session *asked, int32_t state, int32_t action)
{
    assert_string_equal(cbpii_consent_state_name(cbpii_session_state(asked)), cbpii_consent_state_name(state));
    assert_string_equal(cbpii_next_action_name(cbpii_session_next_action(asked)), cbpii_next_action_name(action));
}

/* What happened must be these events, ended by 0; the cause of the last is compared. */
static void assert_history(const cbpii_session *asked, const int32_t *events, int32_t cause)
{
    cbpii_consent_history *history = NULL;
    OK(cbpii_session_history(asked, &history));
    size_t length = 0;
    for (; events[length] != 0; length++) {
        const char *name = cbpii_consent_event_name(cbpii_consent_history_event(history, length));
        assert_string_equal(name != NULL ? name : "nothing", cbpii_consent_event_name(events[length]));
        assert_true(cbpii_consent_history_at(history, length) >= START);
    }
    assert_int_equal(cbpii_consent_history_length(history), length);
    assert_int_equal(cbpii_consent_history_cause(history, length - 1), cause);
    assert_int_equal(cbpii_consent_history_event(history, length), 0);
    assert_int_equal(cbpii_consent_history_at(history, length), 0);
    assert_int_equal(cbpii_consent_history_cause(history, SIZE_MAX), 0);
    cbpii_consent_history_free(history);
}

#define HISTORY(asked, cause, ...) assert_history(asked, (const int32_t[]){__VA_ARGS__, 0}, cause)

static void a_consent_goes_from_active_to_renew_soon_to_expired_at_its_seconds(void **state)
{
    (void)state;
    int64_t last = START + 180 * DAY;
    assert_string_equal(cbpii_session_id(session), "claire");
    assert_int_equal(cbpii_session_consent_expires_at(session), last);
    assert_int_equal(cbpii_session_renew_from(session), last - 14 * DAY);
    assert_false(cbpii_session_has_unsaved_tokens(session));
    check(session);
    const struct {
        int64_t now;
        int32_t state, action;
        uint32_t days;
    } moments[] = {
        {START, CBPII_CONSENT_STATE_ACTIVE, CBPII_NEXT_ACTION_NONE, 180},
        {START + 1000, CBPII_CONSENT_STATE_ACTIVE, CBPII_NEXT_ACTION_NONE, 179},
        {START + HOUR - 60001, CBPII_CONSENT_STATE_ACTIVE, CBPII_NEXT_ACTION_NONE, 179},
        {START + HOUR - 60000, CBPII_CONSENT_STATE_ACTIVE, CBPII_NEXT_ACTION_REFRESH, 179},
        {last - 14 * DAY - 1000, CBPII_CONSENT_STATE_ACTIVE, CBPII_NEXT_ACTION_REFRESH, 14},
        {last - 14 * DAY, CBPII_CONSENT_STATE_RENEW_SOON, CBPII_NEXT_ACTION_RENEW_CONSENT, 14},
        {last - 1000, CBPII_CONSENT_STATE_RENEW_SOON, CBPII_NEXT_ACTION_RENEW_CONSENT, 0},
        {last, CBPII_CONSENT_STATE_EXPIRED, CBPII_NEXT_ACTION_RENEW_CONSENT, 0},
    };
    for (size_t place = 0; place < sizeof moments / sizeof moments[0]; place++) {
        kit_clock_set(&hand, moments[place].now);
        assert_stands(session, moments[place].state, moments[place].action);
        assert_int_equal(cbpii_session_days_left(session), moments[place].days);
    }
    unsigned checks = bank.checks, refreshes = bank.refreshes;
    cbpii_error_free(failed(session, CBPII_ERROR_CONSENT_EXPIRED));
    assert_int_equal(bank.checks, checks);
    assert_int_equal(bank.refreshes, refreshes);
}

static void a_token_is_refreshed_when_it_is_due_and_once(void **state)
{
    (void)state;
    check(session);
    assert_int_equal(bank.refreshes, 0);
    kit_clock_set(&hand, START + HOUR - 60000);
    check(session);
    check(session);
    assert_int_equal(bank.refreshes, 1);
    assert_int_equal(bank.checks, 3);
    assert_int_equal(cbpii_session_consent_expires_at(session), START + 180 * DAY);
    assert_stands(session, CBPII_CONSENT_STATE_ACTIVE, CBPII_NEXT_ACTION_NONE);
    HISTORY(session, 0, CBPII_CONSENT_EVENT_KEPT, CBPII_CONSENT_EVENT_REFRESH_STARTED, CBPII_CONSENT_EVENT_REFRESHED);
}

/* Answers a token request with the status `number`; "invalid_grant" goes with 400. */
static bool refuse_refresh(kit_memory_bank *memory, const cbpii_http_request *sent, cbpii_http_response *response,
                           cbpii_error **error)
{
    if (strstr(cbpii_http_request_url(sent), "/token") == NULL) {
        return false;
    }
    *error = kit_answer(response, (int32_t)memory->number, memory->number == 400 ? "{\"error\":\"invalid_grant\"}" : "");
    return true;
}

static void a_consent_the_bank_ended_is_lost(void **state)
{
    (void)state;
    bank.answer = refuse_refresh;
    bank.number = 400;
    kit_clock_set(&hand, START + HOUR);
    cbpii_error *error = failed(session, CBPII_ERROR_CONSENT_LOST);
    assert_string_equal(cbpii_error_bank_code(error), "invalid_grant");
    cbpii_error_free(error);
    assert_stands(session, CBPII_CONSENT_STATE_LOST, CBPII_NEXT_ACTION_RENEW_CONSENT);
    cbpii_error_free(failed(session, CBPII_ERROR_CONSENT_LOST));
    assert_int_equal(bank.refreshes, 1);
    assert_int_equal(bank.checks, 0);
    HISTORY(session, CBPII_ERROR_CONSENT_LOST, CBPII_CONSENT_EVENT_KEPT, CBPII_CONSENT_EVENT_REFRESH_STARTED,
            CBPII_CONSENT_EVENT_LOST);

    /* A new consent under the same id makes all its sessions good again. */
    bank.answer = NULL;
    cbpii_tokens *tokens = kit_made_tokens("renewed", START + HOUR);
    cbpii_session *renewed = NULL;
    OK(cbpii_session_pool_keep(pool, "claire", tokens, &renewed));
    check(renewed);
    check(session);
    assert_stands(session, CBPII_CONSENT_STATE_ACTIVE, CBPII_NEXT_ACTION_NONE);
    cbpii_session_free(renewed);
    cbpii_tokens_free(tokens);
}

static void a_refresh_that_fails_for_a_while_changes_nothing(void **state)
{
    (void)state;
    bank.answer = refuse_refresh;
    bank.number = 429;
    kit_clock_set(&hand, START + HOUR);
    cbpii_error_free(failed(session, CBPII_ERROR_BANK_RATE_LIMITED));
    HISTORY(session, CBPII_ERROR_BANK_RATE_LIMITED, CBPII_CONSENT_EVENT_KEPT, CBPII_CONSENT_EVENT_REFRESH_STARTED,
            CBPII_CONSENT_EVENT_REFRESH_FAILED);
    bank.number = 503;
    kit_clock_set(&hand, START + HOUR + 60000);
    cbpii_error_free(failed(session, CBPII_ERROR_BANK_UNAVAILABLE));
    assert_stands(session, CBPII_CONSENT_STATE_ACTIVE, CBPII_NEXT_ACTION_REFRESH);
    HISTORY(session, CBPII_ERROR_BANK_UNAVAILABLE, CBPII_CONSENT_EVENT_KEPT, CBPII_CONSENT_EVENT_REFRESH_STARTED,
            CBPII_CONSENT_EVENT_REFRESH_FAILED, CBPII_CONSENT_EVENT_REFRESH_STARTED, CBPII_CONSENT_EVENT_OUTCOME_UNKNOWN);
    bank.answer = NULL;
    kit_clock_set(&hand, START + HOUR + 120000);
    check(session);
}

static void an_answer_lost_at_a_bank_that_rotates_ends_the_consent(void **state)
{
    (void)state;
    bank.answer = refuse_refresh;
    bank.number = 503;
    kit_clock_set(&hand, START + HOUR);
    cbpii_error_free(failed(session, CBPII_ERROR_BANK_UNAVAILABLE));
    bank.number = 400;
    kit_clock_set(&hand, START + HOUR + 60000);
    cbpii_error_free(failed(session, CBPII_ERROR_CONSENT_REFRESH_ANSWER_LOST));
    assert_stands(session, CBPII_CONSENT_STATE_LOST, CBPII_NEXT_ACTION_RENEW_CONSENT);
}

static void a_token_without_refresh_token_ends_its_consent(void **state)
{
    (void)state;
    cbpii_tokens *tokens = kit_made_tokens(NULL, START);
    cbpii_session *brief = NULL;
    OK(cbpii_session_pool_keep(pool, "brief", tokens, &brief));
    check(brief);
    kit_clock_set(&hand, START + HOUR);
    assert_stands(brief, CBPII_CONSENT_STATE_EXPIRED, CBPII_NEXT_ACTION_RENEW_CONSENT);
    cbpii_error_free(failed(brief, CBPII_ERROR_CONSENT_NO_REFRESH_TOKEN));
    cbpii_session_free(brief);
    cbpii_tokens_free(tokens);
}

static bool refuse_check(kit_memory_bank *memory, const cbpii_http_request *sent, cbpii_http_response *response,
                         cbpii_error **error)
{
    (void)memory, (void)sent;
    *error = kit_answer(response, 403, "{\"message\":\"NGAC\"}");
    return true;
}

static void a_refusal_of_the_consent_is_its_state_until_the_next_answer(void **state)
{
    (void)state;
    bank.answer = refuse_check;
    cbpii_error_free(failed(session, CBPII_ERROR_BANK_ACCESS_NOT_GRANTED));
    assert_stands(session, CBPII_CONSENT_STATE_REFUSED, CBPII_NEXT_ACTION_RENEW_CONSENT);
    HISTORY(session, CBPII_ERROR_BANK_ACCESS_NOT_GRANTED, CBPII_CONSENT_EVENT_KEPT, CBPII_CONSENT_EVENT_REFUSED);
    bank.answer = NULL;
    check(session);
    assert_stands(session, CBPII_CONSENT_STATE_ACTIVE, CBPII_NEXT_ACTION_NONE);
}

static void consents_are_opened_and_forgotten(void **state)
{
    (void)state;
    cbpii_session *again = NULL;
    bool removed = false;
    OK(cbpii_session_pool_open(pool, "claire", &again));
    assert_string_equal(cbpii_session_id(again), "claire");
    check(again);
    OK(cbpii_session_reload(again));
    OK(cbpii_session_pool_forget(pool, "claire", &removed));
    assert_true(removed);
    OK(cbpii_session_pool_forget(pool, "claire", &removed));
    assert_false(removed);
    OK(cbpii_session_pool_forget(pool, "claire", NULL));
    FAILS(CBPII_ERROR_CONSENT_UNKNOWN, cbpii_session_reload(again));
    cbpii_error_free(failed(again, CBPII_ERROR_CONSENT_UNKNOWN));
    REFUSED(CBPII_ERROR_CONSENT_UNKNOWN, cbpii_session, none, cbpii_session_pool_open(pool, "claire", &none));
    cbpii_session_free(again);
}

static void a_consent_of_another_bank_is_not_opened(void **state)
{
    (void)state;
    kit_memory_bank other_bank;
    kit_memory_bank_start(&other_bank);
    cbpii_client *other = kit_memory_client("13807", &other_bank, NULL);
    cbpii_session_pool *other_pool = NULL;
    other_pool = kit_pool(other, store);
    cbpii_client_free(other);
    REFUSED(CBPII_ERROR_STORE_BANK, cbpii_session, none, cbpii_session_pool_open(other_pool, "claire", &none));
    cbpii_session_pool_free(other_pool);
    kit_memory_bank_await_end(&other_bank);
}

static void sessions_need_all_their_arguments(void **state)
{
    (void)state;
    cbpii_tokens *tokens = kit_made_tokens("refresh", START);
    cbpii_funds_request *request = kit_request("R", CLAIRE, "1");
    char overlong[257];
    memset(overlong, 'x', 256);
    overlong[256] = '\0';
    const char *const ids[] = {"", "a\n", overlong};
    for (size_t place = 0; place < 3; place++) {
        REFUSED(CBPII_ERROR_REQUEST_CONSENT_ID, cbpii_session, none,
                cbpii_session_pool_keep(pool, ids[place], tokens, &none));
        REFUSED(CBPII_ERROR_REQUEST_CONSENT_ID, cbpii_session, none, cbpii_session_pool_open(pool, ids[place], &none));
        FAILS(CBPII_ERROR_REQUEST_CONSENT_ID, cbpii_session_pool_forget(pool, ids[place], NULL));
    }
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_session_pool, none, cbpii_session_pool_new(NULL, store, NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_session_pool, none, cbpii_session_pool_new(client, NULL, NULL, &none));
    ARGUMENT(cbpii_session_pool_new(client, store, NULL, NULL));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_session, none, cbpii_session_pool_keep(NULL, "a", tokens, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_session, none, cbpii_session_pool_keep(pool, NULL, tokens, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_session, none, cbpii_session_pool_keep(pool, NOT_UTF8, tokens, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_session, none, cbpii_session_pool_keep(pool, "a", NULL, &none));
    ARGUMENT(cbpii_session_pool_keep(pool, "a", tokens, NULL));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_session, none, cbpii_session_pool_open(NULL, "a", &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_session, none, cbpii_session_pool_open(pool, NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_session, none, cbpii_session_pool_open(pool, NOT_UTF8, &none));
    ARGUMENT(cbpii_session_pool_open(pool, "claire", NULL));
    bool removed = true;
    ARGUMENT(cbpii_session_pool_forget(NULL, "claire", &removed));
    ARGUMENT(cbpii_session_pool_forget(pool, NULL, &removed));
    ARGUMENT(cbpii_session_pool_forget(pool, NOT_UTF8, &removed));
    assert_true(removed);
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_funds_confirmation, none,
            cbpii_session_confirm_funds(NULL, request, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_funds_confirmation, none,
            cbpii_session_confirm_funds(session, NULL, &none));
    ARGUMENT(cbpii_session_confirm_funds(session, request, NULL));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_funds_confirmation, none,
            cbpii_session_confirm_funds_with(NULL, request, 0, NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_funds_confirmation, none,
            cbpii_session_confirm_funds_with(session, request, -1, NULL, &none));
    ARGUMENT(cbpii_session_confirm_funds_with(session, request, 0, NULL, NULL));
    ARGUMENT(cbpii_session_reload(NULL));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_consent_history, none, cbpii_session_history(NULL, &none));
    ARGUMENT(cbpii_session_history(session, NULL));
    assert_int_equal(bank.checks, 0);
    cbpii_funds_request_free(request);
    cbpii_tokens_free(tokens);
}

static void a_check_of_a_session_has_limits_of_its_own(void **state)
{
    (void)state;
    cbpii_funds_request *request = kit_request("R", CLAIRE, "1");
    cbpii_funds_confirmation *answer = NULL;
    cbpii_cancel_token *token = NULL;
    OK(cbpii_cancel_token_new(&token));
    OK(cbpii_session_confirm_funds_with(session, request, 60000, token, &answer));
    assert_true(cbpii_funds_confirmation_available(answer));
    cbpii_funds_confirmation_free(answer);
    cbpii_cancel_token_cancel(token);
    REFUSED(CBPII_ERROR_CANCELLED, cbpii_funds_confirmation, none,
            cbpii_session_confirm_funds_with(session, request, 0, token, &none));
    assert_int_equal(bank.checks, 1);
    cbpii_cancel_token_free(token);
    cbpii_funds_request_free(request);
}

#define UNUSABLE(setting)                                                                                \
    do {                                                                                                 \
        cbpii_session_options *options = NULL;                                                           \
        OK(cbpii_session_options_new(&options));                                                         \
        OK(setting);                                                                                     \
        REFUSED(CBPII_ERROR_CONFIGURATION_OPTION, cbpii_session_pool, none,                              \
                cbpii_session_pool_new(client, store, options, &none));                                  \
        cbpii_session_options_free(options);                                                             \
    } while (0)

static void options_have_ranges_and_effects(void **state)
{
    (void)state;
    UNUSABLE(cbpii_session_options_set_refresh_margin(options, HOUR + 1));
    UNUSABLE(cbpii_session_options_set_renew_before(options, 3650 * DAY + 1));
    UNUSABLE(cbpii_session_options_set_refresh_timeout(options, 999));
    UNUSABLE(cbpii_session_options_set_refresh_timeout(options, 300001));
    cbpii_session_options *options = NULL;
    OK(cbpii_session_options_new(&options));
    ARGUMENT(cbpii_session_options_new(NULL));
    ARGUMENT(cbpii_session_options_set_refresh_margin(NULL, 1));
    ARGUMENT(cbpii_session_options_set_refresh_margin(options, -1));
    ARGUMENT(cbpii_session_options_set_renew_before(NULL, 1));
    ARGUMENT(cbpii_session_options_set_renew_before(options, -1));
    ARGUMENT(cbpii_session_options_set_refresh_timeout(NULL, 1000));
    ARGUMENT(cbpii_session_options_set_refresh_timeout(options, -1));
    OK(cbpii_session_options_set_refresh_margin(options, 10 * 60000));
    OK(cbpii_session_options_set_renew_before(options, 7 * DAY));
    OK(cbpii_session_options_set_refresh_timeout(options, 60000));
    cbpii_session_pool *other = NULL;
    cbpii_session *early = NULL;
    OK(cbpii_session_pool_new(client, store, options, &other));
    cbpii_session_options_free(options);
    cbpii_session_options_free(NULL);
    OK(cbpii_session_pool_open(other, "claire", &early));
    cbpii_session_pool_free(other);
    assert_int_equal(cbpii_session_renew_from(early), START + 173 * DAY);
    kit_clock_set(&hand, START + HOUR - 10 * 60000);
    assert_stands(early, CBPII_CONSENT_STATE_ACTIVE, CBPII_NEXT_ACTION_REFRESH);
    check(early);
    assert_int_equal(bank.refreshes, 1);
    cbpii_session_free(early);
}

static void null_has_no_facts(void **state)
{
    (void)state;
    assert_null(cbpii_session_id(NULL));
    assert_int_equal(cbpii_session_state(NULL), 0);
    assert_int_equal(cbpii_session_next_action(NULL), 0);
    assert_int_equal(cbpii_session_consent_expires_at(NULL), 0);
    assert_int_equal(cbpii_session_renew_from(NULL), 0);
    assert_int_equal(cbpii_session_days_left(NULL), 0);
    assert_false(cbpii_session_has_unsaved_tokens(NULL));
    assert_int_equal(cbpii_consent_history_length(NULL), 0);
    assert_int_equal(cbpii_consent_history_event(NULL, 0), 0);
    assert_int_equal(cbpii_consent_history_at(NULL, 0), 0);
    assert_int_equal(cbpii_consent_history_cause(NULL, 0), 0);
    assert_null(cbpii_renewal_id(NULL));
    assert_null(cbpii_renewal_bank_id(NULL));
    assert_int_equal(cbpii_renewal_consent_expires_at(NULL), 0);
    assert_int_equal(cbpii_renewal_reason(NULL), 0);
}

static void a_live_bank_refreshes_a_token_it_refused(void **state)
{
    (void)state;
    cbpii_client *live = kit_client(kit_sandbox, NULL);
    cbpii_session_pool *live_pool = NULL;
    cbpii_session *one = NULL;
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
    live_pool = kit_pool(live, store);
    OK(cbpii_session_pool_keep(live_pool, "live", tokens, &one));
    check(one);
    sandbox_tell(kit_sandbox, "POST", "/tokens/expire", "{}");
    check(one);
    assert_int_equal(sandbox_seen(kit_sandbox, "token"), 1);
    HISTORY(one, 0, CBPII_CONSENT_EVENT_KEPT, CBPII_CONSENT_EVENT_REFRESH_STARTED, CBPII_CONSENT_EVENT_REFRESHED);
    sandbox_tell(kit_sandbox, "POST", "/consents/revoke", "{}");
    cbpii_error_free(failed(one, CBPII_ERROR_CONSENT_LOST));
    cbpii_session_free(one);
    cbpii_session_pool_free(live_pool);
    cbpii_tokens_free(tokens);
    cbpii_client_free(live);
}

static int start_live(void **state)
{
    kit_reset(state);
    return start(state);
}

#define with_session(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_session(a_consent_goes_from_active_to_renew_soon_to_expired_at_its_seconds),
        with_session(a_token_is_refreshed_when_it_is_due_and_once),
        with_session(a_consent_the_bank_ended_is_lost),
        with_session(a_refresh_that_fails_for_a_while_changes_nothing),
        with_session(an_answer_lost_at_a_bank_that_rotates_ends_the_consent),
        with_session(a_token_without_refresh_token_ends_its_consent),
        with_session(a_refusal_of_the_consent_is_its_state_until_the_next_answer),
        with_session(consents_are_opened_and_forgotten),
        with_session(a_consent_of_another_bank_is_not_opened),
        with_session(sessions_need_all_their_arguments),
        with_session(a_check_of_a_session_has_limits_of_its_own),
        with_session(options_have_ranges_and_effects),
        cmocka_unit_test(null_has_no_facts),
        cmocka_unit_test_setup_teardown(a_live_bank_refreshes_a_token_it_refused, start_live, end),
    };
    return kit_run(tests);
}
