/* Handles shared by threads: const is safe to share, parts may be freed in any order. */
#define _POSIX_C_SOURCE 200809L

#include "kit.h"

enum { THREADS = 16, ROUNDS = 4 };

typedef struct {
    const cbpii_client *client;
    const cbpii_tokens *tokens;
    const cbpii_session *session;
    const cbpii_session_pool *pool;
    const cbpii_funds_request *request;
    pthread_barrier_t *together;
    unsigned right;
} worker;

static void run(worker *model, void *(*body)(void *), unsigned expected)
{
    pthread_t threads[THREADS];
    worker workers[THREADS];
    pthread_barrier_t together;
    pthread_barrier_init(&together, NULL, THREADS);
    for (size_t place = 0; place < THREADS; place++) {
        workers[place] = *model;
        workers[place].together = &together;
        workers[place].right = 0;
        assert_int_equal(pthread_create(&threads[place], NULL, body, &workers[place]), 0);
    }
    for (size_t place = 0; place < THREADS; place++) {
        pthread_join(threads[place], NULL);
    }
    for (size_t place = 0; place < THREADS; place++) {
        assert_int_equal(workers[place].right, expected);
    }
    pthread_barrier_destroy(&together);
}

static bool is_yes(cbpii_error *error, cbpii_funds_confirmation *answer)
{
    bool yes = error == NULL && cbpii_funds_confirmation_available(answer);
    if (error != NULL) {
        fprintf(stderr, "%s: %s\n", cbpii_error_code(error), cbpii_error_message(error));
    }
    cbpii_error_free(error);
    cbpii_funds_confirmation_free(answer);
    return yes;
}

static void *check_with_client(void *user_data)
{
    worker *own = user_data;
    pthread_barrier_wait(own->together);
    for (int round = 0; round < ROUNDS; round++) {
        cbpii_funds_confirmation *answer = NULL;
        cbpii_error *error = cbpii_client_confirm_funds(own->client, own->tokens, own->request, &answer);
        own->right += is_yes(error, answer);
    }
    return NULL;
}

static void one_client_serves_sixteen_threads(void **state)
{
    (void)state;
    cbpii_client *client = kit_client(kit_sandbox, NULL);
    cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
    cbpii_funds_request *request = kit_request("R", CLAIRE, "1");
    worker model = {client, tokens, NULL, NULL, request, NULL, 0};
    run(&model, check_with_client, ROUNDS);
    assert_int_equal(sandbox_seen(kit_sandbox, "funds"), THREADS * ROUNDS);
    assert_true(cbpii_client_connections(client) <= THREADS);
    cbpii_funds_request_free(request);
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
}

static void *check_with_session(void *user_data)
{
    worker *own = user_data;
    cbpii_session *opened = NULL;
    pthread_barrier_wait(own->together);
    cbpii_error *error = cbpii_session_pool_open(own->pool, "claire", &opened);
    own->right += error == NULL && strcmp(cbpii_session_id(opened), "claire") == 0;
    cbpii_error_free(error);
    const cbpii_session *sessions[] = {own->session, opened};
    for (int round = 0; round < 2; round++) {
        cbpii_funds_confirmation *answer = NULL;
        error = cbpii_session_confirm_funds(sessions[round], own->request, &answer);
        own->right += is_yes(error, answer);
    }
    own->right += cbpii_session_state(own->session) == CBPII_CONSENT_STATE_ACTIVE;
    cbpii_session_free(opened);
    return NULL;
}

static void sixteen_threads_at_one_consent_refresh_once(void **state)
{
    (void)state;
    sandbox_configure(kit_sandbox, "{\"refresh_token_rotation\": \"rotated\"}");
    cbpii_client *client = kit_client(kit_sandbox, NULL);
    cbpii_store *store = kit_store("memory");
    cbpii_session_pool *pool = NULL;
    cbpii_session *session = NULL;
    cbpii_tokens *tokens = kit_tokens_at(kit_sandbox, "CLAIRE", NULL, kit_real_now() - 2 * HOUR);
    cbpii_funds_request *request = kit_request("R", CLAIRE, "1");
    pool = kit_pool(client, store);
    OK(cbpii_session_pool_keep(pool, "claire", tokens, &session));
    worker model = {NULL, NULL, session, pool, request, NULL, 0};
    run(&model, check_with_session, 4);
    assert_int_equal(sandbox_seen(kit_sandbox, "token"), 1);
    cbpii_funds_request_free(request);
    cbpii_tokens_free(tokens);
    cbpii_session_free(session);
    cbpii_session_pool_free(pool);
    cbpii_store_free(store);
    cbpii_client_free(client);
}

static void *make_everything(void *user_data)
{
    worker *own = user_data;
    pthread_barrier_wait(own->together);
    for (int round = 0; round < ROUNDS; round++) {
        cbpii_bank *bank = NULL;
        cbpii_bank_list *banks = NULL;
        cbpii_string *json = NULL;
        cbpii_error *error = cbpii_bank_bpce("17515", CBPII_ENVIRONMENT_SANDBOX, &bank);
        if (error == NULL) {
            error = cbpii_bank_to_json(bank, &json);
        }
        if (error == NULL) {
            error = cbpii_bank_list_find("caisse", CBPII_ENVIRONMENT_PRODUCTION, &banks);
        }
        own->right += error == NULL && cbpii_bank_list_length(banks) > 3
            && strstr(cbpii_string_text(json), cbpii_bank_id(bank)) != NULL
            && cbpii_error_number_code(CBPII_ERROR_INTERNAL) != NULL;
        cbpii_error_free(error);
        cbpii_string_free(json);
        cbpii_bank_list_free(banks);
        cbpii_bank_free(bank);
    }
    return NULL;
}

static void threads_that_share_nothing_do_not_meet(void **state)
{
    (void)state;
    worker model = {NULL, NULL, NULL, NULL, NULL, NULL, 0};
    run(&model, make_everything, ROUNDS);
}

static void parts_may_be_freed_in_any_order(void **state)
{
    (void)state;
    for (int order = 0; order < 3; order++) {
        cbpii_client *client = kit_client(kit_sandbox, NULL);
        cbpii_store *store = kit_store("memory");
        cbpii_session_pool *pool = NULL;
        cbpii_session *session = NULL;
        cbpii_tokens *tokens = kit_tokens(kit_sandbox, "CLAIRE");
        cbpii_funds_request *request = kit_request("R", CLAIRE, "1");
        pool = kit_pool(client, store);
        OK(cbpii_session_pool_keep(pool, "claire", tokens, &session));
        cbpii_tokens_free(tokens);
        if (order == 0) {
            cbpii_client_free(client);
            cbpii_store_free(store);
            cbpii_session_pool_free(pool);
        } else if (order == 1) {
            cbpii_session_pool_free(pool);
            cbpii_store_free(store);
            cbpii_client_free(client);
        }
        cbpii_funds_confirmation *answer = NULL;
        OK(cbpii_session_confirm_funds(session, request, &answer));
        cbpii_session_free(session);
        cbpii_funds_request_free(request);
        assert_true(cbpii_funds_confirmation_available(answer));
        assert_string_equal(cbpii_funds_confirmation_bank_id(answer), "bpce-17515");
        cbpii_funds_confirmation_free(answer);
        if (order == 2) {
            cbpii_store_free(store);
            cbpii_client_free(client);
            cbpii_session_pool_free(pool);
        }
    }
}

static void *free_it(void *error)
{
    cbpii_error_free(error);
    return NULL;
}

static void a_handle_may_be_freed_on_another_thread(void **state)
{
    (void)state;
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, free_it, cbpii_error_new(CBPII_ERROR_INTERNAL, NULL)), 0);
    assert_int_equal(pthread_join(other, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(one_client_serves_sixteen_threads),
        kit_test(sixteen_threads_at_one_consent_refresh_once),
        kit_test(threads_that_share_nothing_do_not_meet),
        kit_test(parts_may_be_freed_in_any_order),
        kit_test(a_handle_may_be_freed_on_another_thread),
    };
    return kit_run(tests);
}
