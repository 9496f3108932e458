/* What the C programs of the bench share: their configuration, the works and how they are measured. */
#ifndef CBPII_BENCH_WORKS_H
#define CBPII_BENCH_WORKS_H

/* From the environment, see works.c. The strings live as long as the process. */
struct config {
    const char *origin;
    const char *funds_url;
    const char *client_id;
    const char *redirect_uri;
    const char *access_token;
    const char *iban;
    const char *amount;
    const char *reference;
    const char *ca;
    const char *qwac_chain;
    const char *qwac_key;
    const char *seal_chain;
    const char *seal_key;
};

/* Connections so far, and how many of them resumed a TLS session. */
struct counts {
    unsigned long connections;
    unsigned long resumed;
};

/* Each program brings these. A function that fails says why with `complain` and gives 0 or NULL. */

/* What one thread calls with. */
struct caller;

/* Makes ready what all threads share. Without `keeps`, each call takes a new connection. */
int side_open(const struct config *config, int keeps);
struct caller *caller_new(void);
/* One funds check that must be answered by yes. */
int caller_call(struct caller *caller);
/* Adds what this caller counted. */
void caller_count(const struct caller *caller, struct counts *counts);
void caller_free(struct caller *caller);
/* Adds what all callers share, then frees it. */
void side_close(struct counts *counts);

/* Writes one line to the standard error. */
void complain(const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 1, 2)))
#endif
    ;

#endif
