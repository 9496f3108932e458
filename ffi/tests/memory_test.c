/*
 * What is left of secrets in the memory of the process when everything has been freed: nothing.
 *
 * The process searches all of its own memory that can be written: heaps, stacks (those of threads that have ended too) and
 * data. What is searched for is kept with every bit turned over, so that the search does not find itself.
 */
#define _XOPEN_SOURCE 700

#include "kit.h"

#include <fcntl.h>
#include <unistd.h>

enum { LONGEST = 128, MOST_REGIONS = 4096 };

/* A secret, turned over. */
typedef struct {
    unsigned char turned[LONGEST];
    size_t length;
} needle;

typedef struct {
    uintptr_t start;
    uintptr_t end;
} region;

/* Overwrites what the compiler believes nobody reads any more. */
static void wipe(void *memory, size_t length)
{
    volatile unsigned char *bytes = memory;
    for (size_t place = 0; place < length; place++) {
        bytes[place] = 0;
    }
}

/* Reads the secret where it stands, byte by byte: no copy is made of it. */
static void needle_take(needle *wanted, const char *secret)
{
    wanted->length = 0;
    for (; secret[wanted->length] != '\0' && wanted->length < LONGEST; wanted->length++) {
        wanted->turned[wanted->length] = (unsigned char)~(unsigned char)secret[wanted->length];
    }
    assert_true(wanted->length >= 20 && wanted->length < LONGEST);
}

/* The parts of the address space that can be read and written, as the kernel tells them. */
static size_t regions(region *all)
{
    /* Large enough for its whole text, and read at once: the heap does not change meanwhile. */
    static char text[1 << 20];
    int file = open("/proc/self/maps", O_RDONLY);
    size_t length = 0;
    for (ssize_t count = 1; count > 0 && length < sizeof text - 1; length += count > 0 ? (size_t)count : 0) {
        count = read(file, text + length, sizeof text - 1 - length);
    }
    close(file);
    text[length] = '\0';
    size_t count = 0;
    for (char *line = text; *line != '\0' && count < MOST_REGIONS; line = strchr(line, '\n') + 1) {
        char *rest = NULL;
        all[count].start = (uintptr_t)strtoull(line, &rest, 16);
        all[count].end = (uintptr_t)strtoull(rest + 1, &rest, 16);
        count += strncmp(rest, " rw", 3) == 0;
    }
    assert_true(count > 4 && count < MOST_REGIONS);
    return count;
}

static bool stands_at(const unsigned char *bytes, const needle *wanted)
{
    size_t same = 0;
    while (same < wanted->length && (bytes[same] ^ wanted->turned[same]) == 0xff) {
        same++;
    }
    return same == wanted->length;
}

/* How often the secret stands in a part of memory, which is read through the kernel in portions that overlap: nothing that
   the part holds can then make the search fail. */
static size_t found_in(int memory, const region *part, const needle *wanted)
{
    static unsigned char portion[1 << 16];
    const uintptr_t window = (uintptr_t)portion, step = sizeof portion - LONGEST;
    size_t times = 0;
    for (uintptr_t start = part->start; start < part->end; start += step) {
        size_t length = part->end - start < sizeof portion ? part->end - start : sizeof portion;
        ssize_t count = pread(memory, portion, length, (off_t)start);
        for (size_t place = 0; place < step && (ssize_t)(place + wanted->length) <= count; place++) {
            /* What is in the window itself was counted where it came from. */
            bool own = start + place >= window && start + place < window + sizeof portion;
            times += !own && stands_at(portion + place, wanted);
        }
        wipe(portion, sizeof portion);
    }
    return times;
}

static size_t found(const needle *wanted)
{
    static region all[MOST_REGIONS];
    size_t count = regions(all), times = 0;
    int memory = open("/proc/self/mem", O_RDONLY);
    assert_true(memory >= 0);
    for (size_t place = 0; place < count; place++) {
        times += found_in(memory, &all[place], wanted);
    }
    close(memory);
    return times;
}

static void expose(needle *wanted, cbpii_error *error, cbpii_string *secret)
{
    assert_null(error);
    needle_take(wanted, cbpii_string_text(secret));
    cbpii_string_free(secret);
}

static void take_tokens(const cbpii_tokens *tokens, needle *access, needle *refresh)
{
    cbpii_string *secret = NULL;
    cbpii_error *error = cbpii_tokens_expose_access_token(tokens, &secret);
    expose(access, error, secret);
    error = cbpii_tokens_expose_refresh_token(tokens, &secret);
    expose(refresh, error, secret);
}

/* A piece of the middle of the seal's private key, from its DER file. */
static void take_key(needle *key)
{
    int file = open(sandbox_text(kit_sandbox, "issuer.qsealc_forms.pkcs8_der"), O_RDONLY);
    key->length = 64;
    assert_int_equal(pread(file, key->turned, key->length, 500), (ssize_t)key->length);
    for (size_t place = 0; place < key->length; place++) {
        key->turned[place] = (unsigned char)~key->turned[place];
    }
    close(file);
}

/* The tokens of a consent that is given now. */
static cbpii_tokens *consent(const cbpii_client *client)
{
    cbpii_pending_consent *pending = NULL;
    OK(cbpii_client_begin_consent(client, 0, &pending));
    char *callback = sandbox_decide(kit_sandbox, cbpii_pending_consent_url(pending), "approve", "CLAIRE");
    cbpii_tokens *tokens = NULL;
    OK(cbpii_client_complete_consent(client, pending, callback, &tokens));
    free(callback);
    cbpii_pending_consent_free(pending);
    return tokens;
}

/* One check by a session, whose store is in a file. */
static void check_in_a_session(const cbpii_client *client, const cbpii_tokens *tokens)
{
    char *folder = kit_folder_new(), *url = kit_text("sqlite:///%s/consents.db", folder);
    cbpii_store *store = kit_store(url);
    cbpii_session_pool *pool = kit_pool(client, store);
    cbpii_session *session = NULL;
    cbpii_funds_request *request = kit_request("ORDER-4711", CLAIRE, "1");
    cbpii_funds_confirmation *confirmation = NULL;
    OK(cbpii_session_pool_keep(pool, "claire", tokens, &session));
    OK(cbpii_session_confirm_funds(session, request, &confirmation));
    cbpii_funds_confirmation_free(confirmation);
    cbpii_funds_request_free(request);
    cbpii_session_free(session);
    cbpii_session_pool_free(pool);
    cbpii_store_free(store);
    free(url);
    kit_folder_free(folder);
}

static void after_a_whole_journey_no_secret_of_it_is_left(void **state)
{
    (void)state;
    enum { KEY, GIVEN, GIVEN_REFRESH, LATER, LATER_REFRESH, SECRETS };
    needle secrets[SECRETS];
    take_key(&secrets[KEY]);
    cbpii_client *client = kit_client(kit_sandbox, NULL);
    cbpii_tokens *given = consent(client), *later = NULL;
    assert_true(kit_available(client, given, "1"));
    OK(cbpii_client_refresh(client, given, 0, NULL, &later));
    check_in_a_session(client, later);
    take_tokens(given, &secrets[GIVEN], &secrets[GIVEN_REFRESH]);
    take_tokens(later, &secrets[LATER], &secrets[LATER_REFRESH]);
    /* Keys are held in another form than their file's, so only tokens show that the search finds what is there. */
    for (size_t place = GIVEN; place < SECRETS; place++) {
        assert_true(found(&secrets[place]) > 0);
    }
    cbpii_tokens_free(given);
    cbpii_tokens_free(later);
    cbpii_client_free(client);
    for (size_t place = 0; place < SECRETS; place++) {
        assert_int_equal(found(&secrets[place]), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(after_a_whole_journey_no_secret_of_it_is_left),
    };
    return kit_run(tests);
}
