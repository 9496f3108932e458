/*
 * Threads share one client, as the workers of a payment server do: it keeps the connections, and its handle is
 * only used through const pointers, so no lock is needed.
 *
 *     cc -o threads threads.c $(pkg-config --cflags --libs cbpii) -pthread
 *     ./threads 100
 *
 * The argument is how many checks each of 16 threads makes; a second one is another number of threads. Ends with 0 when
 * each check got a yes or a no, else with 2. The settings are those of funds.c.
 */

#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include <inttypes.h>
#include <pthread.h>
#include <time.h>

#include "common.h"

enum { MOST_THREADS = 64 };

typedef struct {
    /* shared */
    const cbpii_client *client;
    const cbpii_tokens *tokens;
    const char *iban;
    /* of this thread */
    int number;
    long checks, yes, no;
    cbpii_error *error;
} worker;

static cbpii_error *ask_once(worker *self, long number)
{
    char reference[36];
    snprintf(reference, sizeof reference, "ORDER-%d-%ld", self->number, number);
    cbpii_funds_request *request = NULL;
    cbpii_funds_confirmation *answer = NULL;
    cbpii_error *error =
        cbpii_funds_request_for_iban(reference, self->iban, number % 2 == 0 ? "12.50" : "99999.99", "EUR", &request);
    if (!error)
        error = cbpii_client_confirm_funds(self->client, self->tokens, request, &answer);
    if (!error && cbpii_funds_confirmation_available(answer))
        self->yes++;
    else if (!error)
        self->no++;
    cbpii_funds_confirmation_free(answer);
    cbpii_funds_request_free(request);
    return error;
}

/* Stops at the first error and hands it over. */
static void *work(void *argument)
{
    worker *self = argument;
    for (long number = 0; self->error == NULL && number < self->checks; number++)
        self->error = ask_once(self, number);
    return NULL;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool run(const cbpii_client *client, const cbpii_tokens *tokens, long checks, int count)
{
    worker workers[MOST_THREADS];
    pthread_t threads[MOST_THREADS];
    int started = 0;
    long yes = 0, no = 0, errors = 0;
    double start = seconds_now();
    while (started < count) {
        workers[started] = (worker){
            .client = client, .tokens = tokens, .iban = setting("CBPII_IBAN"), .number = started, .checks = checks};
        if (pthread_create(&threads[started], NULL, work, &workers[started]) != 0)
            break;
        started++;
    }
    for (int place = 0; place < started; place++) {
        pthread_join(threads[place], NULL);
        yes += workers[place].yes;
        no += workers[place].no;
        if (workers[place].error) {
            errors++;
            printf("thread %d: ", place);
            print_error(workers[place].error);
            cbpii_error_free(workers[place].error);
        }
    }
    double elapsed = seconds_now() - start;
    printf("%d threads: %ld yes, %ld no, %ld errors in %.2f s, %.0f checks a second over %" PRIu64 " connections\n",
           started, yes, no, errors, elapsed, (double)(yes + no) / elapsed, cbpii_client_connections(client));
    return started == count && errors == 0;
}

int main(int argc, char **argv)
{
    long checks = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    long count = argc > 2 ? strtol(argv[2], NULL, 10) : 16;
    if (argc > 3 || checks < 1 || count < 1 || count > MOST_THREADS) {
        fprintf(stderr, "usage: %s CHECKS [THREADS, at most %d]\n", argv[0], MOST_THREADS);
        return 2;
    }
    const char *tokens_path = setting("CBPII_TOKENS");
    cbpii_bank *bank = NULL;
    cbpii_issuer *issuer = NULL;
    cbpii_client *client = NULL;
    cbpii_tokens *tokens = NULL;
    bool done = false;

    cbpii_error *error = cbpii_bank_by_id(setting("CBPII_BANK"), environment_setting(), &bank);
    if (!error)
        error = use_origin_setting(bank);
    if (!error)
        error = cbpii_issuer_new(setting("CBPII_CLIENT_ID"), setting("CBPII_REDIRECT_URI"), &issuer);
    if (!error)
        error = cbpii_issuer_set_transport_files(issuer, setting("CBPII_QWAC_CHAIN"), setting("CBPII_QWAC_KEY"), NULL);
    if (!error)
        error = cbpii_issuer_set_seal_files(issuer, setting("CBPII_QSEALC_CHAIN"), setting("CBPII_QSEALC_KEY"), NULL);
    if (!error)
        error = cbpii_client_new(bank, issuer, NULL, &client);
    if (!error)
        error = load_tokens(tokens_path, &tokens);
    if (!error)
        done = run(client, tokens, checks, (int)count);
    else
        print_error(error);

    cbpii_error_free(error);
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
    cbpii_issuer_free(issuer);
    cbpii_bank_free(bank);
    return done ? 0 : 2;
}
