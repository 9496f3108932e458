/*
 * What the tests of the C library share. A call that must succeed stands in OK, one that must fail in FAILS or REFUSED,
 * which also check all that the catalogue says of the error.
 *
 * Checks of cmocka leave by longjmp: they must not be made in a callback of the library nor on another thread.
 */
#ifndef KIT_H
#define KIT_H

#include <cbpii.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sandbox.h"

#define CLAIRE "FR7617515900000800358074006"

/* What is not UTF-8. */
#define NOT_UTF8 "a\xff"

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)

/* One line of the catalogue of errors. */
typedef struct {
    int32_t number;
    int32_t stated;
    const char *code;
    int32_t kind;
    int32_t advice;
} kit_catalogue_entry;

extern const kit_catalogue_entry kit_catalogue[];
extern const size_t kit_catalogue_length;

/* What must not have failed. */
#define OK(call) kit_ok((call), #call, __FILE__, __LINE__)

/* What must fail with this number; the error is checked and freed. */
#define FAILS(number, call) cbpii_error_free(kit_error((call), (number), #call, __FILE__, __LINE__))

/* The same, when more is to be asked of the error, which then belongs to the caller. */
#define ERROR(number, call) kit_error((call), (number), #call, __FILE__, __LINE__)

#define ARGUMENT(call) FAILS(CBPII_ERROR_REQUEST_ARGUMENT, call)

/* What must fail and leave its output, a `type *` of this name, as it was. */
#define REFUSED(number, type, name, call)              \
    do {                                               \
        type *name = (type *)(void *)&kit_untouched;   \
        FAILS(number, call);                           \
        assert_ptr_equal(name, &kit_untouched);        \
    } while (0)

extern char kit_untouched;

void kit_ok(cbpii_error *error, const char *call, const char *file, int line);
cbpii_error *kit_error(cbpii_error *error, int32_t number, const char *call, const char *file, int line);

/* Holds what an error says against the catalogue. */
void kit_check(const cbpii_error *error, int32_t number, const char *call, const char *file, int line);

/* What all names of an enumeration must be, from number 1 on, and NULL for every other number. */
#define NAMES(function, ...) kit_names(function, (const char *const[]){__VA_ARGS__, NULL}, #function)
void kit_names(const char *(*name)(int32_t), const char *const *expected, const char *function);

#define assert_contains(text, part) kit_contains((text), (part), true, __FILE__, __LINE__)
#define assert_contains_not(text, part) kit_contains((text), (part), false, __FILE__, __LINE__)
void kit_contains(const char *text, const char *part, bool expected, const char *file, int line);

/* A span that is short, but not too short for a slow machine (valgrind). */
int64_t kit_briefly(void);

/* A clock that stands still until it is set. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    int64_t now;
    unsigned destroyed;
} kit_clock;

int64_t kit_real_now(void);
void kit_clock_start(kit_clock *clock, int64_t now);
void kit_clock_set(kit_clock *clock, int64_t now);
void kit_clock_give(kit_clock *clock, cbpii_client_options *options);

/* Waits until its destructor has run, and checks that it ran once: the thread of a refresh may be the last to need it. */
void kit_clock_await_end(kit_clock *clock);

/* The record of the sandbox bank with further members (JSON text without braces, or NULL). */
cbpii_bank *kit_bank(const sandbox *bank, const char *members);

/* The registered issuer without certificates, and with both. */
cbpii_issuer *kit_bare_issuer(const sandbox *bank);
cbpii_issuer *kit_issuer(const sandbox *bank);

/* The issuer with a variant of its QWAC. */
cbpii_issuer *kit_issuer_variant(const sandbox *bank, const char *variant);

/* Patient options, without retries. */
cbpii_client_options *kit_options(void);

/* A client of the sandbox bank; options (may be NULL) are freed. */
cbpii_client *kit_client(const sandbox *bank, cbpii_client_options *options);
cbpii_client *kit_client_of(cbpii_bank *bank, cbpii_issuer *issuer, cbpii_client_options *options);

/* Tokens as if a persona had just consented. */
cbpii_tokens *kit_tokens(const sandbox *bank, const char *persona);
cbpii_tokens *kit_tokens_at(const sandbox *bank, const char *persona, const char *scope, int64_t now);

/* CLAIRE's account, 1 EUR by default. */
cbpii_funds_request *kit_request(const char *reference, const char *iban, const char *amount);

/* A check that must be answered. */
bool kit_available(const cbpii_client *client, const cbpii_tokens *tokens, const char *amount);

/* A bank in memory, behind a transport of the caller's own: it grants tokens and says yes to every check, unless `answer`
   (may be NULL) answers instead and returns true. `answer` runs under the bank's lock. */
typedef struct kit_memory_bank {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    unsigned checks;
    unsigned refreshes;
    unsigned destroyed;
    bool (*answer)(struct kit_memory_bank *bank, const cbpii_http_request *request, cbpii_http_response *response,
                   cbpii_error **error);
    int64_t number;
    const void *seen;
    /* What the library refused in a callback: 0 when all is well. */
    unsigned mishaps;
} kit_memory_bank;

void kit_memory_bank_start(kit_memory_bank *bank);
void kit_memory_bank_await_end(kit_memory_bank *bank);
cbpii_transport kit_memory_transport(kit_memory_bank *bank);
cbpii_bank *kit_memory_record(const char *code);
cbpii_client *kit_memory_client(const char *code, kit_memory_bank *bank, kit_clock *clock);
cbpii_error *kit_answer(cbpii_http_response *response, int32_t status, const char *body);

/* Tokens that were made up, obtained at `now` for an hour, of a consent of 180 days. */
cbpii_tokens *kit_made_tokens(const char *refresh_token, int64_t now);

/* A store ("memory", or a URL) under a key of 32 bytes of this value. */
cbpii_record_keys *kit_keys(unsigned char value);
cbpii_store *kit_store(const char *url);

/* A pool that gives a refresh all the time there is. */
cbpii_session_pool *kit_pool(const cbpii_client *client, const cbpii_store *store);

/* A path in a folder of its own, which goes with it. */
char *kit_folder_new(void);
void kit_folder_free(char *folder);
char *kit_text(const char *format, ...);

/* One sandbox for all tests of a program, as at its start before each: for cmocka's group and test set-up. */
extern sandbox *kit_sandbox;
int kit_group_start(void **state);
int kit_group_end(void **state);
int kit_reset(void **state);

#define kit_test(function) cmocka_unit_test_setup(function, kit_reset)
#define kit_run(tests) cmocka_run_group_tests(tests, kit_group_start, kit_group_end)

#endif
