/* Many checks at once: order, counting, pauses, stopping, and what goes wrong. */
#include "kit.h"

#define START INT64_C(1767225600000)

enum { MOST = 200 };

typedef struct {
    const cbpii_session *sessions[2];
    cbpii_funds_request *requests[MOST];
    unsigned count;
    /* At this place the source gives a check without a session (or, with `no_request`, without a request). */
    unsigned broken_at;
    bool no_request;
    /* The source: never two at a time. */
    pthread_mutex_t pulling;
    unsigned pulled, overlaps;
    /* The sink, on the caller's thread. */
    pthread_t caller;
    unsigned taken, yes, no, errors, wrong;
    bool seen[MOST];
    int32_t error_number;
    unsigned stop_after;
    cbpii_cancel_token *cancel_after;
} work;

static kit_memory_bank bank;
static kit_clock hand;
static cbpii_client *client;
static cbpii_store *store;
static cbpii_session_pool *pool;
static cbpii_session *session;
static work job;

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
    memset(&job, 0, sizeof job);
    pthread_mutex_init(&job.pulling, NULL);
    job.sessions[0] = job.sessions[1] = session;
    job.caller = pthread_self();
    job.broken_at = UINT32_MAX;
    for (unsigned place = 0; place < MOST; place++) {
        char *reference = kit_text("R-%u", place);
        job.requests[place] = kit_request(reference, CLAIRE, "1");
        free(reference);
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (unsigned place = 0; place < MOST; place++) {
        cbpii_funds_request_free(job.requests[place]);
    }
    cbpii_session_free(session);
    cbpii_session_pool_free(pool);
    cbpii_store_free(store);
    cbpii_client_free(client);
    kit_memory_bank_await_end(&bank);
    kit_clock_await_end(&hand);
    return 0;
}

static bool next(void *user_data, cbpii_check *check)
{
    work *own = user_data;
    if (pthread_mutex_trylock(&own->pulling) != 0) {
        own->overlaps++;
        return false;
    }
    bool goes_on = own->pulled < own->count;
    if (goes_on) {
        unsigned place = own->pulled++;
        bool broken = place == own->broken_at;
        check->session = broken && !own->no_request ? NULL : own->sessions[place % 2];
        check->request = broken && own->no_request ? NULL : own->requests[place];
        check->context = &own->requests[place];
    }
    pthread_mutex_unlock(&own->pulling);
    return goes_on;
}

static bool take(void *user_data, void *context, const cbpii_funds_confirmation *confirmation, const cbpii_error *error)
{
    work *own = user_data;
    size_t place = (size_t)((cbpii_funds_request **)context - own->requests);
    own->wrong += !pthread_equal(own->caller, pthread_self()) || place >= own->count || own->seen[place]
        || (confirmation == NULL) == (error == NULL);
    own->seen[place] = true;
    own->taken++;
    if (confirmation != NULL) {
        char reference[16];
        snprintf(reference, sizeof reference, "R-%u", (unsigned)place);
        own->wrong += strcmp(cbpii_funds_confirmation_reference(confirmation), reference) != 0;
        bool available = cbpii_funds_confirmation_available(confirmation);
        own->yes += available;
        own->no += !available;
        /* It is lent, so this does nothing. */
        cbpii_funds_confirmation_free((cbpii_funds_confirmation *)confirmation);
    } else {
        own->errors++;
        own->error_number = cbpii_error_number(error);
        cbpii_error_free((cbpii_error *)error);
        own->wrong += cbpii_error_number(error) != own->error_number;
        if (cbpii_error_kind(error) == CBPII_ERROR_KIND_NETWORK || cbpii_error_kind(error) == CBPII_ERROR_KIND_TLS) {
            fprintf(stderr, "%s: %s\n", cbpii_error_code(error), cbpii_error_message(error));
        }
    }
    if (own->cancel_after != NULL && own->taken == own->stop_after) {
        cbpii_cancel_token_cancel(own->cancel_after);
        return true;
    }
    return own->cancel_after != NULL || own->stop_after == 0 || own->taken < own->stop_after;
}

static bool some_are_no_and_some_are_errors(kit_memory_bank *memory, const cbpii_http_request *sent,
                                            cbpii_http_response *response, cbpii_error **error)
{
    (void)memory;
    char *body = kit_text("%.*s", (int)cbpii_http_request_body_length(sent), (const char *)cbpii_http_request_body(sent));
    bool is_no = strstr(body, "R-7\"") != NULL, is_error = strstr(body, "R-13\"") != NULL;
    if (is_no) {
        char *answer = kit_text("{\"request\":%s,\"result\":false,\"_links\":{\"self\":{\"href\":\"v1/x\"}}}", body);
        *error = kit_answer(response, 200, answer);
        free(answer);
    } else if (is_error) {
        *error = kit_answer(response, 403, "{\"message\":\"AC06\"}");
    }
    free(body);
    return is_no || is_error;
}

static void every_check_comes_out_once_with_its_own_answer_and_is_counted(void **state)
{
    (void)state;
    cbpii_progress progress;
    memset(&progress, 0xff, sizeof progress);
    bank.answer = some_are_no_and_some_are_errors;
    job.count = MOST;
    OK(cbpii_confirm_many(next, take, &job, 8, 0, 0, NULL, &progress));
    assert_int_equal(job.taken, MOST);
    assert_int_equal(job.pulled, MOST);
    assert_int_equal(job.wrong, 0);
    assert_int_equal(job.overlaps, 0);
    assert_int_equal(job.yes, MOST - 2);
    assert_int_equal(job.no, 1);
    assert_int_equal(job.errors, 1);
    assert_int_equal(job.error_number, CBPII_ERROR_BANK_ACCOUNT_BLOCKED);
    assert_int_equal(progress.done, MOST);
    assert_int_equal(progress.yes, MOST - 2);
    assert_int_equal(progress.no, 1);
    assert_int_equal(progress.errors, 1);
    assert_true(progress.elapsed > 0);
    assert_int_equal(bank.checks, MOST);
}

static void one_at_a_time_keeps_the_order(void **state)
{
    (void)state;
    job.count = 3;
    OK(cbpii_confirm_many(next, take, &job, 1, 60000, 1000, NULL, NULL));
    assert_int_equal(job.taken, 3);
    assert_int_equal(job.yes, 3);
    job.pulled = job.taken = job.count = 0;
    OK(cbpii_confirm_many(next, take, &job, 256, 0, 0, NULL, NULL));
    assert_int_equal(job.taken, 0);
}

static void the_caller_can_stop(void **state)
{
    (void)state;
    cbpii_progress progress;
    job.count = MOST;
    job.stop_after = 5;
    OK(cbpii_confirm_many(next, take, &job, 2, 0, 0, NULL, &progress));
    assert_int_equal(job.taken, 5);
    assert_int_equal(job.wrong, 0);
    assert_true(progress.done >= 5);
    /* No more than a few were pulled ahead. */
    assert_true(job.pulled < 50);
}

static void a_token_ends_everything_and_all_that_was_pulled_is_handed_over(void **state)
{
    (void)state;
    cbpii_progress progress;
    OK(cbpii_cancel_token_new(&job.cancel_after));
    job.count = MOST;
    job.stop_after = 5;
    OK(cbpii_confirm_many(next, take, &job, 4, 0, 0, job.cancel_after, &progress));
    assert_int_equal(job.taken, job.pulled);
    assert_true(job.taken >= 5 && job.taken < MOST);
    assert_int_equal(job.wrong, 0);
    assert_int_equal(progress.done, job.taken);
    if (job.errors > 0) {
        assert_int_equal(job.error_number, CBPII_ERROR_CANCELLED);
    }
    cbpii_cancel_token_free(job.cancel_after);
}

static void a_check_without_session_or_request_ends_the_source(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) {
        cbpii_progress progress;
        memset(job.seen, 0, sizeof job.seen);
        job.pulled = job.taken = job.yes = 0;
        job.count = 20;
        job.broken_at = 6;
        job.no_request = round == 1;
        memset(&progress, 0xff, sizeof progress);
        cbpii_error *error =
            ERROR(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_confirm_many(next, take, &job, 2, 0, 0, NULL, &progress));
        assert_contains(cbpii_error_message(error), round == 1 ? "check->request" : "check->session");
        cbpii_error_free(error);
        assert_int_equal(job.taken, 6);
        assert_int_equal(job.yes, 6);
        assert_int_equal(progress.done, 6);
        assert_int_equal(job.wrong, 0);
    }
}

static bool limit_it(kit_memory_bank *memory, const cbpii_http_request *sent, cbpii_http_response *response,
                     cbpii_error **error)
{
    (void)memory, (void)sent;
    *error = cbpii_http_response_add_header(response, "retry-after", "3600");
    if (*error == NULL) {
        *error = kit_answer(response, 429, "");
    }
    return true;
}

static void a_pause_that_is_too_long_is_an_error_and_nothing_is_sent_meanwhile(void **state)
{
    (void)state;
    bank.answer = limit_it;
    job.count = 5;
    OK(cbpii_confirm_many(next, take, &job, 1, 0, 60000, NULL, NULL));
    assert_int_equal(job.errors, 5);
    assert_int_equal(job.error_number, CBPII_ERROR_BANK_RATE_LIMITED);
    assert_int_equal(bank.checks, 1);
}

static void wrong_arguments_are_refused_before_anything_is_asked(void **state)
{
    (void)state;
    cbpii_progress progress = {77, 77, 77, 77, 77};
    job.count = 5;
    FAILS(CBPII_ERROR_CONFIGURATION_OPTION, cbpii_confirm_many(next, take, &job, 0, 0, 0, NULL, &progress));
    FAILS(CBPII_ERROR_CONFIGURATION_OPTION, cbpii_confirm_many(next, take, &job, 257, 0, 0, NULL, &progress));
    ARGUMENT(cbpii_confirm_many(NULL, take, &job, 1, 0, 0, NULL, &progress));
    ARGUMENT(cbpii_confirm_many(next, NULL, &job, 1, 0, 0, NULL, &progress));
    ARGUMENT(cbpii_confirm_many(next, take, &job, 1, -1, 0, NULL, &progress));
    ARGUMENT(cbpii_confirm_many(next, take, &job, 1, 0, -1, NULL, &progress));
    ARGUMENT(cbpii_confirm_many(next, take, &job, 1, 0, 0, (cbpii_cancel_token *)(void *)session, &progress));
    assert_int_equal(job.pulled, 0);
    assert_int_equal(job.taken, 0);
}

static void checks_at_a_live_bank_match_their_answers(void **state)
{
    (void)state;
    cbpii_client *live = kit_client(kit_sandbox, NULL);
    cbpii_session_pool *live_pool = NULL;
    cbpii_session *sessions[2] = {NULL, NULL};
    const char *const personas[] = {"CLAIRE", "LEA"};
    live_pool = kit_pool(live, store);
    for (size_t place = 0; place < 2; place++) {
        cbpii_tokens *tokens = kit_tokens_at(kit_sandbox, personas[place], NULL, kit_real_now());
        OK(cbpii_session_pool_keep(live_pool, personas[place], tokens, &sessions[place]));
        job.sessions[place] = sessions[place];
        cbpii_tokens_free(tokens);
    }
    /* LEA's consent is for another account than CLAIRE's: AC01. */
    job.count = 20;
    OK(cbpii_confirm_many(next, take, &job, 4, 0, 0, NULL, NULL));
    assert_int_equal(job.yes, 10);
    assert_int_equal(job.errors, 10);
    assert_int_equal(job.error_number, CBPII_ERROR_BANK_ACCOUNT_UNKNOWN);
    assert_int_equal(job.wrong, 0);
    for (size_t place = 0; place < 2; place++) {
        cbpii_session_free(sessions[place]);
    }
    cbpii_session_pool_free(live_pool);
    cbpii_client_free(live);
}

static int start_live(void **state)
{
    kit_reset(state);
    return start(state);
}

#define with_job(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_job(every_check_comes_out_once_with_its_own_answer_and_is_counted),
        with_job(one_at_a_time_keeps_the_order),
        with_job(the_caller_can_stop),
        with_job(a_token_ends_everything_and_all_that_was_pulled_is_handed_over),
        with_job(a_check_without_session_or_request_ends_the_source),
        with_job(a_pause_that_is_too_long_is_an_error_and_nothing_is_sent_meanwhile),
        with_job(wrong_arguments_are_refused_before_anything_is_asked),
        cmocka_unit_test_setup_teardown(checks_at_a_live_bank_match_their_answers, start_live, end),
    };
    return kit_run(tests);
}
