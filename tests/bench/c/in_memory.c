/*
 * What a confirmation costs through the library's C header, without the network:
 *
 *     in_memory memory CALLS      the bank's answer is made inside the library, as the bench in Rust makes it
 *     in_memory transport CALLS   the answer comes from a `cbpii_transport` of this program
 *
 * The seal gives a ready-made signature, as in the bench in Rust, so that the RSA operation does not hide the rest. Prints
 * the calls and seconds of the quickest of several batches, and the allocations of one call.
 */
#define _POSIX_C_SOURCE 200809L

#include <cbpii.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCHES = 301, MOST_FILE = 64 * 1024 };

/* Only in a library that was built for tests: see ffi/src/testing.rs. */
extern cbpii_error *cbpii_testing_answer_in_memory(cbpii_client_options *options);

/*
 * Counts every allocation of this process, the library's too: the dynamic linker finds these functions before those of
 * the C library, to whose own names they pass on. The measured part has one thread.
 */
static unsigned long allocations;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    allocations++;
    return __libc_realloc(memory, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    allocations++;
    *memory = __libc_memalign(alignment, size);
    return *memory == NULL ? ENOMEM : 0;
}

static const char BODY[] =
    "{\"request\":{\"paymentCoverageRequestId\":\"MyCoverage123456\",\"instructedAmount\":{\"currency\":\"EUR\","
    "\"amount\":\"12.50\"},\"accountId\":{\"iban\":\"FR7617515900000800358074006\"}},\"result\":true,\"_links\":{\"self\":{"
    "\"href\":\"v1/funds-confirmations\"}}}";

/* Takes an error over; says whether there was none. */
static int succeeded(cbpii_error *error)
{
    if (error == NULL)
        return 1;
    fprintf(stderr, "in_memory: %s: %s\n", cbpii_error_code(error), cbpii_error_message(error));
    cbpii_error_free(error);
    return 0;
}

static cbpii_error *sign(void *user_data, int32_t algorithm, const uint8_t *message, size_t message_length,
                         uint8_t *signature, size_t capacity, size_t *signature_length)
{
    (void)user_data;
    (void)algorithm;
    (void)message;
    (void)message_length;
    (void)capacity;
    memset(signature, 7, 256);
    *signature_length = 256;
    return NULL;
}

/* What a bank answers, with the headers banks send; the same as src/in_memory.rs. */
static cbpii_error *exchange(void *user_data, const cbpii_http_request *request, cbpii_http_response *response)
{
    static const char *const headers[][2] = {
        {"content-type", "application/hal+json; charset=utf-8"},
        {"x-correlationid", "5f0c7a52-3f5e-4d0f-8a53-0123456789ab"},
        {"date", "Mon, 23 Nov 2026 13:11:00 GMT"},
        {"content-length", "231"},
    };
    const size_t count = cbpii_http_request_header_count(request);
    const char *id = "";
    cbpii_error *error;
    size_t i;

    (void)user_data;
    for (i = 0; i < count; i++) {
        if (strcmp(cbpii_http_request_header_name(request, i), "x-request-id") == 0)
            id = cbpii_http_request_header_value(request, i);
    }
    error = cbpii_http_response_set_status(response, 200);
    if (error == NULL)
        error = cbpii_http_response_add_header(response, "x-request-id", id);
    for (i = 0; error == NULL && i < sizeof headers / sizeof *headers; i++)
        error = cbpii_http_response_add_header(response, headers[i][0], headers[i][1]);
    if (error == NULL)
        error = cbpii_http_response_set_body(response, (const uint8_t *)BODY, sizeof BODY - 1);
    return error;
}

struct call {
    cbpii_client *client;
    cbpii_tokens *tokens;
    cbpii_funds_request *request;
};

static int call_open(struct call *call, const char *seal_chain, int in_c)
{
    static const int32_t algorithms[] = {CBPII_ALGORITHM_RSA_PKCS1_SHA256};
    const cbpii_signer signer = {NULL, sign, algorithms, 1, NULL};
    const cbpii_transport transport = {NULL, exchange, NULL};
    const int64_t now = (int64_t)time(NULL) * 1000;
    static uint8_t chain[MOST_FILE];
    size_t length = 0;
    FILE *file = fopen(seal_chain, "r");
    cbpii_bank *bank = NULL;
    cbpii_issuer *issuer = NULL;
    cbpii_client_options *options = NULL;
    int done;

    if (file != NULL) {
        length = fread(chain, 1, sizeof chain, file);
        fclose(file);
    }
    done = succeeded(cbpii_bank_bpce("17515", CBPII_ENVIRONMENT_SANDBOX, &bank))
           && succeeded(cbpii_issuer_new("PSDFR-ACPR-12345", "https://issuer.example/callback", &issuer))
           && succeeded(cbpii_issuer_set_seal_signer(issuer, chain, length, &signer))
           && succeeded(cbpii_client_options_new(&options))
           && succeeded(cbpii_client_options_set_check_eligibility(options, false))
           && succeeded(in_c ? cbpii_client_options_set_transport(options, &transport)
                             : cbpii_testing_answer_in_memory(options))
           && succeeded(cbpii_client_new(bank, issuer, options, &call->client))
           && succeeded(cbpii_tokens_new("2YotnFZFEjr1zCsicMWpAA2YotnFZFEjr1zCsicMWpAA", NULL, now, NULL, now,
                                         &call->tokens))
           && succeeded(cbpii_funds_request_for_iban("MyCoverage123456", "FR7617515900000800358074006", "12.50",
                                                     "EUR", &call->request));
    cbpii_client_options_free(options);
    cbpii_issuer_free(issuer);
    cbpii_bank_free(bank);
    return done;
}

static int call_make(const struct call *call)
{
    cbpii_funds_confirmation *confirmation = NULL;
    int available;

    if (!succeeded(cbpii_client_confirm_funds(call->client, call->tokens, call->request, &confirmation)))
        return 0;
    available = cbpii_funds_confirmation_available(confirmation);
    cbpii_funds_confirmation_free(confirmation);
    return available;
}

static void call_close(const struct call *call)
{
    cbpii_funds_request_free(call->request);
    cbpii_tokens_free(call->tokens);
    cbpii_client_free(call->client);
}

static double now_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Seconds of the quickest batch; negative when a call failed. */
static double quickest(const struct call *call, unsigned long calls)
{
    double best = -1, seconds;
    unsigned long i;
    int batch;

    for (batch = 0; batch < BATCHES; batch++) {
        seconds = now_seconds();
        for (i = 0; i < calls; i++) {
            if (!call_make(call))
                return -1;
        }
        seconds = now_seconds() - seconds;
        if (best < 0 || seconds < best)
            best = seconds;
    }
    return best;
}

int main(int argc, char **argv)
{
    struct call call = {NULL, NULL, NULL};
    const char *seal_chain = getenv("BENCH_SEAL_CHAIN");
    const unsigned long calls = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    const int in_c = argc == 3 && strcmp(argv[1], "transport") == 0;
    unsigned long before, per_call = 0;
    double seconds = -1;

    if (calls == 0 || seal_chain == NULL || (!in_c && strcmp(argv[1], "memory") != 0)) {
        fprintf(stderr, "usage: BENCH_SEAL_CHAIN=FILE %s memory|transport CALLS\n", argv[0]);
        return EXIT_FAILURE;
    }
    if (call_open(&call, seal_chain, in_c) && call_make(&call)) {
        before = allocations;
        if (call_make(&call)) {
            per_call = allocations - before;
            seconds = quickest(&call, calls);
        }
    }
    call_close(&call);
    if (seconds < 0)
        return EXIT_FAILURE;
    printf("{\"calls\":%lu,\"wall_seconds\":%.9f,\"allocations\":%lu}\n", calls, seconds, per_call);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
