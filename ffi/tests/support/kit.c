#define _XOPEN_SOURCE 700

#include "kit.h"

#include <ftw.h>
#include <time.h>
#include <unistd.h>

char kit_untouched;
sandbox *kit_sandbox;

/* Errors */

static const kit_catalogue_entry *entry_of(int32_t number)
{
    for (size_t place = 0; place < kit_catalogue_length; place++) {
        if (kit_catalogue[place].number == number) {
            return &kit_catalogue[place];
        }
    }
    return NULL;
}

/* One sentence for a person: not empty, ended by one full stop, on one line. */
static bool is_sentence(const char *text)
{
    size_t length = text != NULL ? strlen(text) : 0;
    return length > 1 && text[0] != ' ' && text[length - 1] == '.' && strstr(text, ". ") == NULL
        && strchr(text, '\n') == NULL;
}

void kit_check(const cbpii_error *error, int32_t number, const char *call, const char *file, int line)
{
    const kit_catalogue_entry *entry = entry_of(number);
    if (error == NULL) {
        print_error("%s\nsucceeded, and should have failed with %s\n", call, entry->code);
        _fail(file, line);
    }
    int32_t advice = cbpii_error_retry_after(error, NULL) ? CBPII_ADVICE_RETRY_AFTER : entry->advice;
    bool right = cbpii_error_number(error) == number && strcmp(cbpii_error_code(error), entry->code) == 0
        && cbpii_error_kind(error) == entry->kind && cbpii_error_advice(error) == advice
        && is_sentence(cbpii_error_message(error));
    if (!right) {
        print_error("%s\nshould have failed with %s, and says %s (%s, %s): %s\n", call, entry->code,
                    cbpii_error_code(error), cbpii_error_kind_name(cbpii_error_kind(error)),
                    cbpii_advice_name(cbpii_error_advice(error)), cbpii_error_message(error));
        _fail(file, line);
    }
}

void kit_ok(cbpii_error *error, const char *call, const char *file, int line)
{
    if (error != NULL) {
        print_error("%s\nfailed with %s: %s\n", call, cbpii_error_code(error), cbpii_error_message(error));
        cbpii_error_free(error);
        _fail(file, line);
    }
}

cbpii_error *kit_error(cbpii_error *error, int32_t number, const char *call, const char *file, int line)
{
    kit_check(error, number, call, file, line);
    return error;
}

void kit_names(const char *(*name)(int32_t), const char *const *expected, const char *function)
{
    int32_t number = 1;
    for (; *expected != NULL; expected++, number++) {
        const char *given = name(number);
        if (given == NULL || strcmp(given, *expected) != 0) {
            fail_msg("%s(%d) is %s, not %s", function, (int)number, given, *expected);
        }
    }
    const int32_t others[] = {number, 0, -1, INT32_MAX, INT32_MIN};
    for (size_t place = 0; place < sizeof others / sizeof others[0]; place++) {
        assert_null(name(others[place]));
    }
}

void kit_contains(const char *text, const char *part, bool expected, const char *file, int line)
{
    if (text == NULL || (strstr(text, part) != NULL) != expected) {
        print_error("%s\nis %s in\n%s\n", part, expected ? "not" : "found", text != NULL ? text : "NULL");
        _fail(file, line);
    }
}

/* Time */

int64_t kit_briefly(void)
{
    const char *factor = getenv("CBPII_TEST_SLOWNESS");
    return 150 * (factor != NULL ? atoi(factor) : 1);
}

int64_t kit_real_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void kit_clock_start(kit_clock *clock, int64_t now)
{
    memset(clock, 0, sizeof *clock);
    pthread_mutex_init(&clock->lock, NULL);
    pthread_cond_init(&clock->ended, NULL);
    clock->now = now;
}

void kit_clock_set(kit_clock *clock, int64_t now)
{
    pthread_mutex_lock(&clock->lock);
    clock->now = now;
    pthread_mutex_unlock(&clock->lock);
}

static int64_t clock_now(void *user_data)
{
    kit_clock *clock = user_data;
    pthread_mutex_lock(&clock->lock);
    int64_t now = clock->now;
    pthread_mutex_unlock(&clock->lock);
    return now;
}

/* Counts the end of something that others may be waiting for. */
static void count_end(pthread_mutex_t *lock, pthread_cond_t *ended, unsigned *destroyed)
{
    pthread_mutex_lock(lock);
    ++*destroyed;
    pthread_cond_broadcast(ended);
    pthread_mutex_unlock(lock);
}

static void await_end(pthread_mutex_t *lock, pthread_cond_t *ended, const unsigned *destroyed)
{
    struct timespec patience;
    clock_gettime(CLOCK_REALTIME, &patience);
    patience.tv_sec += 60;
    int waited = 0;
    pthread_mutex_lock(lock);
    while (*destroyed == 0 && waited == 0) {
        waited = pthread_cond_timedwait(ended, lock, &patience);
    }
    unsigned count = *destroyed;
    pthread_mutex_unlock(lock);
    assert_int_equal(count, 1);
}

static void clock_destroy(void *user_data)
{
    kit_clock *clock = user_data;
    count_end(&clock->lock, &clock->ended, &clock->destroyed);
}

void kit_clock_await_end(kit_clock *clock)
{
    await_end(&clock->lock, &clock->ended, &clock->destroyed);
}

void kit_clock_give(kit_clock *clock, cbpii_client_options *options)
{
    OK(cbpii_client_options_set_clock(options, clock_now, clock, clock_destroy));
}

/* The sandbox bank */

/* JSON text as a string in JSON. */
static char *quoted(const char *text)
{
    json_t *string = json_string(text);
    char *quoted_text = json_dumps(string, JSON_ENCODE_ANY);
    json_decref(string);
    return quoted_text;
}

cbpii_bank *kit_bank(const sandbox *bank, const char *members)
{
    char *ca = sandbox_file(bank, "issuer.ca", NULL), *root = quoted(ca);
    char *json = kit_text("{\"base\": \"bpce-17515\", \"environment\": \"sandbox\", "
                          "\"authorize_url\": \"%s\", \"token_url\": \"%s\", \"funds_url\": \"%s\", "
                          "\"trust_anchors\": {\"mode\": \"replace\", \"pem\": [%s]}%s%s}",
                          sandbox_text(bank, "endpoints.authorize_url"), sandbox_text(bank, "endpoints.token_url"),
                          sandbox_text(bank, "endpoints.funds_url"), root, members != NULL ? ", " : "",
                          members != NULL ? members : "");
    cbpii_bank *record = NULL;
    OK(cbpii_bank_from_json(json, &record));
    free(json);
    free(root);
    free(ca);
    return record;
}

cbpii_issuer *kit_bare_issuer(const sandbox *bank)
{
    cbpii_issuer *issuer = NULL;
    OK(cbpii_issuer_new(sandbox_text(bank, "issuer.client_id"), sandbox_text(bank, "issuer.redirect_uri"), &issuer));
    return issuer;
}

cbpii_issuer *kit_issuer(const sandbox *bank)
{
    cbpii_issuer *issuer = kit_bare_issuer(bank);
    OK(cbpii_issuer_set_transport_files(issuer, sandbox_text(bank, "issuer.qwac.chain"),
                                        sandbox_text(bank, "issuer.qwac.key"), NULL));
    OK(cbpii_issuer_set_seal_files(issuer, sandbox_text(bank, "issuer.qsealc.chain"),
                                   sandbox_text(bank, "issuer.qsealc.key"), NULL));
    return issuer;
}

cbpii_issuer *kit_issuer_variant(const sandbox *bank, const char *variant)
{
    cbpii_issuer *issuer = kit_issuer(bank);
    char *chain = kit_text("issuer.variants.%s.chain", variant), *key = kit_text("issuer.variants.%s.key", variant);
    OK(cbpii_issuer_set_transport_files(issuer, sandbox_text(bank, chain), sandbox_text(bank, key), NULL));
    free(chain);
    free(key);
    return issuer;
}

cbpii_client_options *kit_options(void)
{
    cbpii_client_options *options = NULL;
    OK(cbpii_client_options_new(&options));
    OK(cbpii_client_options_set_timeout(options, 120000));
    OK(cbpii_client_options_set_connect_timeout(options, 60000));
    OK(cbpii_client_options_set_retries(options, 0));
    return options;
}

cbpii_client *kit_client_of(cbpii_bank *bank, cbpii_issuer *issuer, cbpii_client_options *options)
{
    cbpii_client_options *settings = options != NULL ? options : kit_options();
    cbpii_client *client = NULL;
    OK(cbpii_client_new(bank, issuer, settings, &client));
    cbpii_client_options_free(settings);
    cbpii_issuer_free(issuer);
    cbpii_bank_free(bank);
    return client;
}

cbpii_client *kit_client(const sandbox *bank, cbpii_client_options *options)
{
    return kit_client_of(kit_bank(bank, NULL), kit_issuer(bank), options);
}

cbpii_tokens *kit_tokens_at(const sandbox *bank, const char *persona, const char *scope, int64_t now)
{
    char *body = scope != NULL ? kit_text("{\"persona\": \"%s\", \"scope\": \"%s\"}", persona, scope)
                               : kit_text("{\"persona\": \"%s\"}", persona);
    json_t *answer = sandbox_call(bank, "POST", "/tokens", body);
    int64_t end = now + HOUR;
    cbpii_tokens *tokens = NULL;
    OK(cbpii_tokens_new(json_string_value(json_object_get(answer, "access_token")),
                        json_string_value(json_object_get(answer, "refresh_token")), now, &end, now + 180 * DAY,
                        &tokens));
    json_decref(answer);
    free(body);
    return tokens;
}

cbpii_tokens *kit_tokens(const sandbox *bank, const char *persona)
{
    return kit_tokens_at(bank, persona, NULL, kit_real_now());
}

cbpii_funds_request *kit_request(const char *reference, const char *iban, const char *amount)
{
    cbpii_funds_request *request = NULL;
    OK(cbpii_funds_request_for_iban(reference, iban, amount, "EUR", &request));
    return request;
}

bool kit_available(const cbpii_client *client, const cbpii_tokens *tokens, const char *amount)
{
    cbpii_funds_request *request = kit_request("ORDER-4711", CLAIRE, amount);
    cbpii_funds_confirmation *confirmation = NULL;
    OK(cbpii_client_confirm_funds(client, tokens, request, &confirmation));
    bool available = cbpii_funds_confirmation_available(confirmation);
    cbpii_funds_confirmation_free(confirmation);
    cbpii_funds_request_free(request);
    return available;
}

/* The bank in memory */

void kit_memory_bank_start(kit_memory_bank *bank)
{
    memset(bank, 0, sizeof *bank);
    pthread_mutex_init(&bank->lock, NULL);
    pthread_cond_init(&bank->ended, NULL);
}

cbpii_error *kit_answer(cbpii_http_response *response, int32_t status, const char *body)
{
    cbpii_error *error = cbpii_http_response_set_status(response, status);
    if (error == NULL) {
        error = cbpii_http_response_add_header(response, "content-type", "application/json");
    }
    if (error == NULL) {
        error = cbpii_http_response_set_body(response, (const uint8_t *)body, strlen(body));
    }
    return error;
}

static cbpii_error *memory_exchange(void *user_data, const cbpii_http_request *request, cbpii_http_response *response)
{
    kit_memory_bank *bank = user_data;
    const char *url = cbpii_http_request_url(request);
    size_t length = strlen(url), asked = cbpii_http_request_body_length(request);
    bool is_token = length > 6 && strcmp(url + length - 6, "/token") == 0;
    cbpii_error *error = NULL;
    bool answered = false;
    pthread_mutex_lock(&bank->lock);
    *(is_token ? &bank->refreshes : &bank->checks) += 1;
    if (bank->answer != NULL) {
        answered = bank->answer(bank, request, response, &error);
    }
    pthread_mutex_unlock(&bank->lock);
    if (answered) {
        return error;
    }
    if (is_token) {
        return kit_answer(response, 200,
                          "{\"access_token\":\"fresh\",\"token_type\":\"Bearer\",\"expires_in\":3600,"
                          "\"refresh_token\":\"next\"}");
    }
    char *body = kit_text("{\"request\":%.*s,\"result\":true,\"_links\":{\"self\":{\"href\":\"v1/x\"}}}", (int)asked,
                          (const char *)cbpii_http_request_body(request));
    error = kit_answer(response, 200, body);
    free(body);
    return error;
}

static void memory_destroy(void *user_data)
{
    kit_memory_bank *bank = user_data;
    count_end(&bank->lock, &bank->ended, &bank->destroyed);
}

void kit_memory_bank_await_end(kit_memory_bank *bank)
{
    await_end(&bank->lock, &bank->ended, &bank->destroyed);
}

cbpii_transport kit_memory_transport(kit_memory_bank *bank)
{
    cbpii_transport transport = {bank, memory_exchange, memory_destroy};
    return transport;
}

cbpii_bank *kit_memory_record(const char *code)
{
    char *json = kit_text("{\"base\": \"bpce-%s\", \"environment\": \"sandbox\", \"signature\": null, "
                          "\"refresh_token_rotation\": \"unknown\"}",
                          code);
    cbpii_bank *record = NULL;
    OK(cbpii_bank_from_json(json, &record));
    free(json);
    return record;
}

cbpii_client *kit_memory_client(const char *code, kit_memory_bank *bank, kit_clock *clock)
{
    cbpii_client_options *options = kit_options();
    cbpii_transport transport = kit_memory_transport(bank);
    OK(cbpii_client_options_set_check_eligibility(options, false));
    OK(cbpii_client_options_set_transport(options, &transport));
    if (clock != NULL) {
        kit_clock_give(clock, options);
    }
    cbpii_issuer *issuer = NULL;
    OK(cbpii_issuer_new("PSDFR-ACPR-12345", "https://issuer.example/callback", &issuer));
    return kit_client_of(kit_memory_record(code), issuer, options);
}

cbpii_tokens *kit_made_tokens(const char *refresh_token, int64_t now)
{
    cbpii_tokens *tokens = NULL;
    int64_t end = now + HOUR;
    OK(cbpii_tokens_new("access", refresh_token, now, &end, now + 180 * DAY, &tokens));
    return tokens;
}

cbpii_record_keys *kit_keys(unsigned char value)
{
    uint8_t key[32];
    memset(key, value, sizeof key);
    cbpii_record_keys *keys = NULL;
    OK(cbpii_record_keys_new(key, sizeof key, &keys));
    return keys;
}

cbpii_store *kit_store(const char *url)
{
    cbpii_record_keys *keys = kit_keys(7);
    cbpii_store *store = NULL;
    OK(cbpii_store_open(url, keys, &store));
    cbpii_record_keys_free(keys);
    return store;
}

cbpii_session_pool *kit_pool(const cbpii_client *client, const cbpii_store *store)
{
    cbpii_session_options *options = NULL;
    cbpii_session_pool *pool = NULL;
    OK(cbpii_session_options_new(&options));
    OK(cbpii_session_options_set_refresh_timeout(options, 300000));
    OK(cbpii_session_pool_new(client, store, options, &pool));
    cbpii_session_options_free(options);
    return pool;
}

/* Texts and files */

char *kit_text(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = malloc((size_t)length + 1);
    if (text == NULL) {
        abort();
    }
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

char *kit_folder_new(void)
{
    const char *place = getenv("TMPDIR");
    char *folder = kit_text("%s/cbpii-test-XXXXXX", place != NULL ? place : "/tmp");
    assert_non_null(mkdtemp(folder));
    return folder;
}

static int remove_it(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

void kit_folder_free(char *folder)
{
    nftw(folder, remove_it, 8, FTW_DEPTH | FTW_PHYS);
    free(folder);
}

/* The group */

int kit_group_start(void **state)
{
    (void)state;
    kit_sandbox = sandbox_start(NULL);
    return 0;
}

int kit_group_end(void **state)
{
    (void)state;
    sandbox_stop(kit_sandbox);
    return 0;
}

int kit_reset(void **state)
{
    (void)state;
    sandbox_reset(kit_sandbox);
    return 0;
}
