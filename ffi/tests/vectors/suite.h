/* A file of cases: runs each and compares what came out with what is expected, fact by fact. */
#ifndef SUITE_H
#define SUITE_H

#include <stdbool.h>
#include <stddef.h>

#include <cbpii.h>
#include <jansson.h>

/* How JSON is read: no member twice, texts may hold NUL. A number that does not fit is refused. */
#define READ_FLAGS (JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL)
/* How JSON is written. */
#define WRITE_FLAGS (JSON_COMPACT | JSON_ENCODE_ANY)

/* A case while it runs. */
typedef struct vector_case {
    json_t *shared;      /* The members of the file, for what a case names there. */
    json_t *input;       /* The members of the file, and over them those of the case, without name and expect. */
    json_t *facts;       /* What came out. */
    const char *unsaid;  /* Why C cannot say what goes in; NULL when it can. */
    char trouble[512];   /* Why the case cannot be run, or what is wrong beside the facts; empty when all is well. */
} vector_case;

/* Runs a case: fills in its facts, or returns the error it comes to. */
typedef cbpii_error *(*vector_runner)(vector_case *c);

/* A file of cases. */
typedef struct vector_file {
    const char *name;
    vector_runner run;
    size_t unsaid;  /* How many of its cases C cannot say: exactly so many. */
} vector_file;

/* Reads a file of the folder. NULL (and a line about it) when that fails. */
json_t *read_json(const char *folder, const char *name);

/* Where a case stands, and its name: what is printed before what is wrong with it. */
#define PLACE "  %s: %s: "

/* Every expected fact must be there and equal, and an error must be expected. Prints and counts the differences. */
size_t compare(const char *file, const char *name, json_t *expected, json_t *seen);

/* Runs a file that must have so many cases. True when all is as it should be. */
bool run_file(const char *folder, const vector_file *file, json_int_t count);

/* Notes that the case cannot be run, or has another fault. The first note stays. */
void trouble(vector_case *c, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/* Takes an object apart as json_unpack does; a member that is not named is trouble, and so is one of another type. */
bool take_apart(vector_case *c, json_t *object, const char *format, ...);

/* Whether a text, or each text of an object, can be passed to C; notes it when one cannot. NULL can. */
bool sayable(vector_case *c, json_t *input);

/* A fact that is a text; NULL is nothing. */
void tell_text(vector_case *c, const char *fact, const char *text);

/* A fact that is a secret of the library, which is freed. */
void tell_secret(vector_case *c, const char *fact, cbpii_string *secret);

/* A fact of any kind, taken over. */
void tell(vector_case *c, const char *fact, json_t *value);

/* The facts of an error, which is freed. */
void tell_error(vector_case *c, cbpii_error *error);

/* What is known of an answer: all but how long it took. */
void tell_confirmation(vector_case *c, const cbpii_funds_confirmation *answer);

/* What tokens are. */
cbpii_error *tell_tokens(vector_case *c, const cbpii_tokens *tokens);

/* Severity and code of each finding of a report. */
json_t *findings_of(const cbpii_certificate_report *report);

/* The runners, by file. */
cbpii_error *run_callback(vector_case *c);
cbpii_error *run_certificate(vector_case *c);
cbpii_error *run_consent_url(vector_case *c);
cbpii_error *run_funds_body(vector_case *c);
cbpii_error *run_request(vector_case *c);
cbpii_error *run_token_body(vector_case *c);

#endif
