/* Stores: in memory and in a file, their keys, what is to be renewed, and two processes at one file. */
#define _XOPEN_SOURCE 700

#include "kit.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define START INT64_C(1767225600000)

static char *folder;
static char *path;
static char *url;

static int start(void **state)
{
    (void)state;
    folder = kit_folder_new();
    path = kit_text("%s/consents.db", folder);
    url = kit_text("sqlite://%s", path);
    return 0;
}

static int end(void **state)
{
    (void)state;
    free(path);
    free(url);
    kit_folder_free(folder);
    return 0;
}

/* A pool of a bank in memory, with the caller's clock. */
static cbpii_session_pool *pool_of(kit_memory_bank *bank, kit_clock *hand, const cbpii_store *store)
{
    cbpii_client *client = kit_memory_client("17515", bank, hand);
    cbpii_session_pool *pool = NULL;
    pool = kit_pool(client, store);
    cbpii_client_free(client);
    return pool;
}

static void keep(const cbpii_session_pool *pool, const char *id, int64_t given)
{
    cbpii_tokens *tokens = kit_made_tokens("refresh", given);
    cbpii_session *session = NULL;
    OK(cbpii_session_pool_keep(pool, id, tokens, &session));
    cbpii_session_free(session);
    cbpii_tokens_free(tokens);
}

static void keys_are_of_32_bytes(void **state)
{
    (void)state;
    uint8_t key[33] = {7};
    cbpii_record_keys *keys = NULL;
    OK(cbpii_record_keys_new(key, 32, &keys));
    OK(cbpii_record_keys_add_old(keys, key, 32));
    const size_t wrong[] = {0, 31, 33};
    for (size_t place = 0; place < 3; place++) {
        REFUSED(CBPII_ERROR_STORE_KEY, cbpii_record_keys, none, cbpii_record_keys_new(key, wrong[place], &none));
        FAILS(CBPII_ERROR_STORE_KEY, cbpii_record_keys_add_old(keys, key, wrong[place]));
    }
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_record_keys, none, cbpii_record_keys_new(NULL, 32, &none));
    ARGUMENT(cbpii_record_keys_new(key, 32, NULL));
    ARGUMENT(cbpii_record_keys_add_old(NULL, key, 32));
    ARGUMENT(cbpii_record_keys_add_old(keys, NULL, 32));
    cbpii_record_keys_free(keys);
    cbpii_record_keys_free(NULL);
}

static void stores_are_opened_by_url_or_by_path(void **state)
{
    (void)state;
    cbpii_record_keys *keys = kit_keys(7);
    cbpii_store *store = NULL;
    OK(cbpii_store_open("memory", keys, &store));
    cbpii_store_free(store);
    OK(cbpii_store_open(url, keys, &store));
    cbpii_store_free(store);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    OK(cbpii_store_open_sqlite(path, 0, false, keys, &store));
    cbpii_store_free(store);
    OK(cbpii_store_open_sqlite(path, 100, true, keys, &store));
    cbpii_store_free(store);
    cbpii_store_free(NULL);

    char *deeper = kit_text("%s/further/consents.db", folder);
    REFUSED(CBPII_ERROR_STORE_URL, cbpii_store, none, cbpii_store_open("redis://localhost", keys, &none));
    REFUSED(CBPII_ERROR_STORE_UNREACHABLE, cbpii_store, none, cbpii_store_open_sqlite(deeper, 0, false, keys, &none));
    free(deeper);
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_store, none, cbpii_store_open(NULL, keys, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_store, none, cbpii_store_open(NOT_UTF8, keys, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_store, none, cbpii_store_open("memory", NULL, &none));
    ARGUMENT(cbpii_store_open("memory", keys, NULL));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_store, none, cbpii_store_open_sqlite(NULL, 0, false, keys, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_store, none, cbpii_store_open_sqlite(NOT_UTF8, 0, false, keys, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_store, none, cbpii_store_open_sqlite(path, -1, false, keys, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_store, none, cbpii_store_open_sqlite(path, 0, false, NULL, &none));
    ARGUMENT(cbpii_store_open_sqlite(path, 0, false, keys, NULL));

    FILE *file = fopen(path, "wb");
    char rubbish[8192];
    memset(rubbish, 0x5a, sizeof rubbish);
    assert_int_equal(fwrite(rubbish, 1, sizeof rubbish, file), sizeof rubbish);
    fclose(file);
    REFUSED(CBPII_ERROR_STORE_CORRUPT, cbpii_store, none, cbpii_store_open(url, keys, &none));
    cbpii_record_keys_free(keys);
}

static void a_store_opened_to_read_is_not_written(void **state)
{
    (void)state;
    static kit_memory_bank bank;
    static kit_clock hand;
    kit_memory_bank_start(&bank);
    kit_clock_start(&hand, START);
    cbpii_store *store = kit_store(url);
    cbpii_session_pool *pool = pool_of(&bank, &hand, store);
    keep(pool, "claire", START);
    cbpii_session_pool_free(pool);
    cbpii_store_free(store);

    cbpii_record_keys *keys = kit_keys(7);
    OK(cbpii_store_open_sqlite(path, 0, true, keys, &store));
    cbpii_record_keys_free(keys);
    pool = pool_of(&bank, &hand, store);
    cbpii_session *session = NULL;
    OK(cbpii_session_pool_open(pool, "claire", &session));
    assert_int_equal(cbpii_session_state(session), CBPII_CONSENT_STATE_ACTIVE);
    cbpii_session_free(session);
    cbpii_tokens *tokens = kit_made_tokens("refresh", START);
    REFUSED(CBPII_ERROR_STORE_READ_ONLY, cbpii_session, none, cbpii_session_pool_keep(pool, "lea", tokens, &none));
    FAILS(CBPII_ERROR_STORE_READ_ONLY, cbpii_session_pool_forget(pool, "claire", NULL));
    cbpii_tokens_free(tokens);
    cbpii_session_pool_free(pool);
    cbpii_store_free(store);
}

static void records_open_with_an_old_key_until_they_are_sealed_again(void **state)
{
    (void)state;
    static kit_memory_bank bank;
    static kit_clock hand;
    kit_memory_bank_start(&bank);
    kit_clock_start(&hand, START);
    cbpii_store *store = kit_store(url);
    cbpii_session_pool *pool = pool_of(&bank, &hand, store);
    keep(pool, "claire", START);
    keep(pool, "lea", START);
    cbpii_session_pool_free(pool);
    cbpii_store_free(store);

    /* Another key alone opens nothing. */
    cbpii_record_keys *keys = kit_keys(8);
    OK(cbpii_store_open(url, keys, &store));
    pool = pool_of(&bank, &hand, store);
    REFUSED(CBPII_ERROR_STORE_KEY, cbpii_session, none, cbpii_session_pool_open(pool, "claire", &none));
    uint64_t rewritten = 77;
    FAILS(CBPII_ERROR_STORE_KEY, cbpii_store_reseal(store, &rewritten));
    assert_int_equal(rewritten, 77);
    cbpii_session_pool_free(pool);
    cbpii_store_free(store);

    uint8_t old[32];
    memset(old, 7, sizeof old);
    OK(cbpii_record_keys_add_old(keys, old, sizeof old));
    OK(cbpii_store_open(url, keys, &store));
    cbpii_record_keys_free(keys);
    OK(cbpii_store_reseal(store, &rewritten));
    assert_int_equal(rewritten, 2);
    OK(cbpii_store_reseal(store, &rewritten));
    assert_int_equal(rewritten, 0);
    OK(cbpii_store_reseal(store, NULL));
    ARGUMENT(cbpii_store_reseal(NULL, &rewritten));
    cbpii_store_free(store);

    keys = kit_keys(8);
    OK(cbpii_store_open(url, keys, &store));
    cbpii_record_keys_free(keys);
    pool = pool_of(&bank, &hand, store);
    cbpii_session *session = NULL;
    OK(cbpii_session_pool_open(pool, "lea", &session));
    cbpii_session_free(session);
    cbpii_session_pool_free(pool);
    cbpii_store_free(store);
}

static bool refuse_refresh(kit_memory_bank *memory, const cbpii_http_request *sent, cbpii_http_response *response,
                           cbpii_error **error)
{
    (void)memory;
    if (strstr(cbpii_http_request_url(sent), "/token") == NULL) {
        *error = kit_answer(response, 403, "{\"message\":\"NGAC\"}");
    } else {
        *error = kit_answer(response, 400, "{\"error\":\"invalid_grant\"}");
    }
    return true;
}

static void fail_a_check(const cbpii_session_pool *pool, const char *id, int32_t number)
{
    cbpii_session *session = NULL;
    cbpii_funds_request *request = kit_request("R", CLAIRE, "1");
    OK(cbpii_session_pool_open(pool, id, &session));
    REFUSED(number, cbpii_funds_confirmation, none, cbpii_session_confirm_funds(session, request, &none));
    cbpii_funds_request_free(request);
    cbpii_session_free(session);
}

static void check_renewals(const char *where)
{
    static kit_memory_bank bank;
    static kit_clock hand;
    kit_memory_bank_start(&bank);
    kit_clock_start(&hand, START);
    bank.answer = refuse_refresh;
    cbpii_store *store = kit_store(where);
    cbpii_session_pool *pool = pool_of(&bank, &hand, store);
    keep(pool, "refused", START);
    fail_a_check(pool, "refused", CBPII_ERROR_BANK_ACCESS_NOT_GRANTED);
    keep(pool, "late", START + 2 * DAY);
    keep(pool, "early", START - 10 * DAY);
    keep(pool, "lost", START - DAY);
    fail_a_check(pool, "lost", CBPII_ERROR_CONSENT_LOST);

    const struct {
        const char *id;
        int32_t reason;
        int64_t end;
    } due[] = {
        {"early", CBPII_RENEWAL_ENDING, START + 170 * DAY},
        {"lost", CBPII_RENEWAL_LOST, START + 179 * DAY},
        {"refused", CBPII_RENEWAL_REFUSED, START + 180 * DAY},
    };
    cbpii_renewals *renewals = NULL;
    cbpii_renewal *renewal = NULL;
    bool seen[3] = {false, false, false};
    OK(cbpii_renewals_due(store, START + 171 * DAY, &renewals));
    for (size_t count = 0; count < 3; count++) {
        OK(cbpii_renewals_next(renewals, &renewal));
        assert_non_null(renewal);
        for (size_t place = 0; place < 3; place++) {
            if (strcmp(cbpii_renewal_id(renewal), due[place].id) == 0) {
                seen[place] = true;
                assert_int_equal(cbpii_renewal_reason(renewal), due[place].reason);
                assert_int_equal(cbpii_renewal_consent_expires_at(renewal), due[place].end);
            }
        }
        assert_string_equal(cbpii_renewal_bank_id(renewal), "bpce-17515");
        cbpii_renewal_free(renewal);
    }
    assert_true(seen[0] && seen[1] && seen[2]);
    OK(cbpii_renewals_next(renewals, &renewal));
    assert_null(renewal);
    OK(cbpii_renewals_next(renewals, &renewal));
    assert_null(renewal);
    ARGUMENT(cbpii_renewals_next(renewals, NULL));
    cbpii_renewals_free(renewals);
    OK(cbpii_renewals_due(store, START, &renewals));
    cbpii_renewals_free(renewals);
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_renewals, none, cbpii_renewals_due(NULL, START, &none));
    ARGUMENT(cbpii_renewals_due(store, START, NULL));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_renewal, none, cbpii_renewals_next(NULL, &none));
    cbpii_session_pool_free(pool);
    cbpii_store_free(store);
    cbpii_renewals_free(NULL);
    cbpii_renewal_free(NULL);
}

static void what_is_to_be_renewed_is_walked(void **state)
{
    (void)state;
    check_renewals("memory");
    check_renewals(url);
}

static void a_record_that_does_not_open_is_an_error_in_its_place(void **state)
{
    (void)state;
    static kit_memory_bank bank;
    static kit_clock hand;
    kit_memory_bank_start(&bank);
    kit_clock_start(&hand, START);
    const unsigned char values[] = {7, 8, 7};
    const char *const ids[] = {"first", "second", "third"};
    for (size_t place = 0; place < 3; place++) {
        cbpii_record_keys *keys = kit_keys(values[place]);
        cbpii_store *store = NULL;
        OK(cbpii_store_open(url, keys, &store));
        cbpii_session_pool *pool = pool_of(&bank, &hand, store);
        keep(pool, ids[place], START + (int64_t)place * DAY);
        cbpii_session_pool_free(pool);
        cbpii_store_free(store);
        cbpii_record_keys_free(keys);
    }
    cbpii_store *store = kit_store(url);
    cbpii_renewals *renewals = NULL;
    cbpii_renewal *renewal = NULL;
    OK(cbpii_renewals_due(store, START + 200 * DAY, &renewals));
    OK(cbpii_renewals_next(renewals, &renewal));
    assert_string_equal(cbpii_renewal_id(renewal), "first");
    cbpii_renewal_free(renewal);
    REFUSED(CBPII_ERROR_STORE_KEY, cbpii_renewal, none, cbpii_renewals_next(renewals, &none));
    OK(cbpii_renewals_next(renewals, &renewal));
    assert_string_equal(cbpii_renewal_id(renewal), "third");
    cbpii_renewal_free(renewal);
    OK(cbpii_renewals_next(renewals, &renewal));
    assert_null(renewal);
    cbpii_renewals_free(renewals);
    cbpii_store_free(store);
}

/* One process: opens the consent the other kept, checks, and says how it went. */
static int check_in_another_process(int go, const char *id)
{
    char signal = 0;
    if (read(go, &signal, 1) != 1) {
        return 10;
    }
    cbpii_client_options *options = NULL;
    cbpii_record_keys *keys = NULL;
    cbpii_store *store = NULL;
    cbpii_session_pool *pool = NULL;
    cbpii_session *session = NULL;
    cbpii_funds_request *request = NULL;
    cbpii_funds_confirmation *answer = NULL;
    cbpii_client *client = NULL;
    cbpii_error *error = NULL;
    uint8_t key[32];
    memset(key, 7, sizeof key);
    client = kit_client(kit_sandbox, options);
    error = cbpii_record_keys_new(key, sizeof key, &keys);
    if (error == NULL) {
        error = cbpii_store_open(url, keys, &store);
    }
    if (error == NULL) {
        pool = kit_pool(client, store);
    }
    if (error == NULL) {
        error = cbpii_session_pool_open(pool, id, &session);
    }
    if (error == NULL) {
        error = cbpii_funds_request_for_iban("R", CLAIRE, "1", "EUR", &request);
    }
    if (error == NULL) {
        error = cbpii_session_confirm_funds(session, request, &answer);
    }
    if (error != NULL) {
        fprintf(stderr, "another process: %s: %s\n", cbpii_error_code(error), cbpii_error_message(error));
    }
    int result = error == NULL && cbpii_funds_confirmation_available(answer) ? 0 : 11;
    cbpii_error_free(error);
    cbpii_funds_confirmation_free(answer);
    cbpii_funds_request_free(request);
    cbpii_session_free(session);
    cbpii_session_pool_free(pool);
    cbpii_store_free(store);
    cbpii_record_keys_free(keys);
    cbpii_client_free(client);
    return result;
}

/* Makes the store and keeps a consent whose token has ended; in a process of its own, so that the others fork before the
   library is used. */
static int keep_in_another_process(const char *id)
{
    cbpii_client *client = kit_client(kit_sandbox, NULL);
    cbpii_store *store = kit_store(url);
    cbpii_session_pool *pool = NULL;
    cbpii_session *session = NULL;
    cbpii_tokens *tokens = kit_tokens_at(kit_sandbox, "CLAIRE", NULL, kit_real_now() - 2 * HOUR);
    pool = kit_pool(client, store);
    OK(cbpii_session_pool_keep(pool, id, tokens, &session));
    cbpii_session_free(session);
    cbpii_session_pool_free(pool);
    cbpii_tokens_free(tokens);
    cbpii_store_free(store);
    cbpii_client_free(client);
    return 0;
}

static void await(pid_t process)
{
    int status = -1;
    assert_int_equal(waitpid(process, &status, 0), process);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* This must be the first test of the program: it forks before the library is used. */
static void two_processes_at_one_file_refresh_once(void **state)
{
    (void)state;
    enum { PROCESSES = 3 };
    pid_t processes[PROCESSES];
    sandbox_configure(kit_sandbox, "{\"refresh_token_rotation\": \"rotated\"}");
    fflush(NULL);
    pid_t keeper = fork();
    if (keeper == 0) {
        _exit(keep_in_another_process("claire"));
    }
    await(keeper);
    int go[2];
    assert_int_equal(pipe(go), 0);
    for (size_t place = 0; place < PROCESSES; place++) {
        processes[place] = fork();
        if (processes[place] == 0) {
            _exit(check_in_another_process(go[0], "claire"));
        }
    }
    assert_int_equal(write(go[1], "123", PROCESSES), PROCESSES);
    for (size_t place = 0; place < PROCESSES; place++) {
        await(processes[place]);
    }
    close(go[0]);
    close(go[1]);
    assert_int_equal(sandbox_seen(kit_sandbox, "token"), 1);
    assert_int_equal(sandbox_seen(kit_sandbox, "funds"), PROCESSES);
}

static int start_live(void **state)
{
    kit_reset(state);
    return start(state);
}

#define with_folder(function) cmocka_unit_test_setup_teardown(function, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(two_processes_at_one_file_refresh_once, start_live, end),
        cmocka_unit_test(keys_are_of_32_bytes),
        with_folder(stores_are_opened_by_url_or_by_path),
        with_folder(a_store_opened_to_read_is_not_written),
        with_folder(records_open_with_an_old_key_until_they_are_sealed_again),
        with_folder(what_is_to_be_renewed_is_walked),
        with_folder(a_record_that_does_not_open_is_an_error_in_its_place),
    };
    return kit_run(tests);
}
