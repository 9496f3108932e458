/*
 * One measurement in a process of its own, told as a line of JSON:
 *
 *     PROGRAM kept-alive N      N calls on one kept-alive connection
 *     PROGRAM threads T N       T threads with N calls each, one kept-alive connection per thread
 *     PROGRAM new-connection N  N calls, each on a new connection that resumes the TLS session
 *     PROGRAM once              one call, then the end
 *
 * Two calls per thread (or BENCH_REHEARSALS) come before the clock starts, except for `once`.
 */
#define _POSIX_C_SOURCE 200809L

#include "works.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REHEARSALS = 2, MOST_THREADS = 1024 };

struct worker {
    pthread_t thread;
    pthread_barrier_t *ready;
    struct caller *caller;
    unsigned long rehearsals;
    unsigned long calls;
    /* How long each of the calls took. */
    double *times;
    int failed;
};

void complain(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

static double seconds(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int rehearse(const struct worker *worker)
{
    unsigned long made;

    for (made = 0; made < worker->rehearsals; made++) {
        if (!caller_call(worker->caller))
            return 0;
    }
    return 1;
}

static int make_calls(struct worker *worker)
{
    unsigned long made;

    for (made = 0; made < worker->calls; made++) {
        double started = seconds(CLOCK_MONOTONIC);

        if (!caller_call(worker->caller))
            return 0;
        worker->times[made] = seconds(CLOCK_MONOTONIC) - started;
    }
    return 1;
}

static void *work(void *argument)
{
    struct worker *worker = argument;

    worker->failed = !rehearse(worker);
    pthread_barrier_wait(worker->ready);
    if (!worker->failed)
        worker->failed = !make_calls(worker);
    return NULL;
}

/* Wall and CPU seconds from the moment every thread was ready to the last answer. */
static int run_threads(struct worker *workers, size_t threads, double *wall, double *cpu)
{
    pthread_barrier_t ready;
    size_t i;
    int done = 1;

    if (pthread_barrier_init(&ready, NULL, (unsigned)threads + 1) != 0) {
        complain("no barrier for the threads");
        return 0;
    }
    for (i = 0; i < threads; i++) {
        workers[i].ready = &ready;
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0) {
            /* Those that run wait at the barrier for one that never comes: only the end of the process frees them. */
            complain("a thread did not start");
            exit(EXIT_FAILURE);
        }
    }
    pthread_barrier_wait(&ready);
    *wall = seconds(CLOCK_MONOTONIC);
    *cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (i = 0; i < threads; i++) {
        pthread_join(workers[i].thread, NULL);
        done = done && !workers[i].failed;
    }
    *wall = seconds(CLOCK_MONOTONIC) - *wall;
    *cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - *cpu;
    pthread_barrier_destroy(&ready);
    return done;
}

/* The same on this thread, without starting another. */
static int run_alone(struct worker *worker, double *wall, double *cpu)
{
    if (!rehearse(worker))
        return 0;
    *wall = seconds(CLOCK_MONOTONIC);
    *cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    if (!make_calls(worker))
        return 0;
    *wall = seconds(CLOCK_MONOTONIC) - *wall;
    *cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - *cpu;
    return 1;
}

static int read_config(struct config *config)
{
    const struct {
        const char *name;
        const char **value;
    } variables[] = {
        {"BENCH_ORIGIN", &config->origin},
        {"BENCH_FUNDS_URL", &config->funds_url},
        {"BENCH_CLIENT_ID", &config->client_id},
        {"BENCH_REDIRECT_URI", &config->redirect_uri},
        {"BENCH_ACCESS_TOKEN", &config->access_token},
        {"BENCH_IBAN", &config->iban},
        {"BENCH_AMOUNT", &config->amount},
        {"BENCH_REFERENCE", &config->reference},
        {"BENCH_CA", &config->ca},
        {"BENCH_QWAC_CHAIN", &config->qwac_chain},
        {"BENCH_QWAC_KEY", &config->qwac_key},
        {"BENCH_SEAL_CHAIN", &config->seal_chain},
        {"BENCH_SEAL_KEY", &config->seal_key},
    };
    size_t i;

    for (i = 0; i < sizeof variables / sizeof *variables; i++) {
        *variables[i].value = getenv(variables[i].name);
        if (*variables[i].value == NULL) {
            complain("the variable %s is not set", variables[i].name);
            return 0;
        }
    }
    return 1;
}

/* A count of at least one, or 0. */
static unsigned long count_of(const char *text)
{
    char *end;
    unsigned long count = strtoul(text, &end, 10);

    return text[0] >= '0' && text[0] <= '9' && *end == '\0' ? count : 0;
}

/* What is to be done, from the command line. */
struct plan {
    unsigned long threads;
    unsigned long calls;
    unsigned long rehearsals;
    int keeps;
};

static int read_plan(int argc, char **argv, struct plan *plan)
{
    const char *name = argc > 1 ? argv[1] : "";
    const char *rehearsals = getenv("BENCH_REHEARSALS");

    plan->threads = 1;
    plan->calls = 0;
    plan->rehearsals = rehearsals == NULL ? REHEARSALS : count_of(rehearsals);
    plan->keeps = 1;
    if (argc == 3 && strcmp(name, "kept-alive") == 0) {
        plan->calls = count_of(argv[2]);
    } else if (argc == 4 && strcmp(name, "threads") == 0) {
        plan->threads = count_of(argv[2]);
        plan->calls = count_of(argv[3]);
    } else if (argc == 3 && strcmp(name, "new-connection") == 0) {
        plan->calls = count_of(argv[2]);
        plan->keeps = 0;
    } else if (argc == 2 && strcmp(name, "once") == 0) {
        plan->calls = 1;
        plan->rehearsals = 0;
    }
    if (plan->calls == 0 || plan->threads == 0 || plan->threads > MOST_THREADS) {
        complain("usage: %s kept-alive N | threads T N | new-connection N | once", argv[0]);
        return 0;
    }
    return 1;
}

static int compare(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;

    return (a > b) - (a < b);
}

/* The largest resident size so far, in KiB; 0 where it cannot be read. Not `ru_maxrss`: Linux begins it with the parent's. */
static unsigned long peak_memory(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    unsigned long peak = 0;

    while (file != NULL && peak == 0 && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "VmHWM:", 6) == 0)
            peak = strtoul(line + 6, NULL, 10);
    }
    if (file != NULL)
        fclose(file);
    return peak;
}

/* Makes the callers, has them call, and takes the counts. `times` has room for the calls of all. */
static int run(const struct plan *plan, struct worker *workers, double *times, struct counts *counts, double *wall,
               double *cpu)
{
    size_t made;
    int done = 1;

    for (made = 0; done && made < plan->threads; made++) {
        workers[made].rehearsals = plan->rehearsals;
        workers[made].calls = plan->calls;
        workers[made].times = times + made * plan->calls;
        workers[made].caller = caller_new();
        done = workers[made].caller != NULL;
    }
    if (done)
        done = plan->threads > 1 ? run_threads(workers, plan->threads, wall, cpu) : run_alone(workers, wall, cpu);
    while (made > 0) {
        struct caller *caller = workers[--made].caller;

        if (caller != NULL) {
            caller_count(caller, counts);
            caller_free(caller);
        }
    }
    return done;
}

int main(int argc, char **argv)
{
    struct config config;
    struct counts counts = {0, 0};
    struct plan plan;
    struct worker *workers;
    double wall = 0, cpu = 0, *times;
    unsigned long calls;
    int done;

    if (!read_plan(argc, argv, &plan) || !read_config(&config) || !side_open(&config, plan.keeps))
        return EXIT_FAILURE;
    calls = plan.threads * plan.calls;
    workers = calloc(plan.threads, sizeof *workers);
    times = calloc(calls, sizeof *times);
    if (workers == NULL || times == NULL) {
        complain("no memory");
        return EXIT_FAILURE;
    }
    done = run(&plan, workers, times, &counts, &wall, &cpu);
    side_close(&counts);
    if (!done)
        return EXIT_FAILURE;
    qsort(times, calls, sizeof *times, compare);
    printf("{\"calls\":%lu,\"wall_seconds\":%.9f,\"cpu_seconds\":%.9f,\"p50_seconds\":%.9f,\"p99_seconds\":%.9f,"
           "\"connections\":%lu,\"resumed\":%lu,\"memory_peak\":%lu}\n",
           calls, wall, cpu, times[calls * 50 / 100], times[calls * 99 / 100], counts.connections, counts.resumed,
           peak_memory());
    free(times);
    free(workers);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
