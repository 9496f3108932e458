/* The sandbox bank as a process of its own, for as long as a test needs it. */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <jansson.h>
#include <stddef.h>

typedef struct sandbox sandbox;

/* Starts the program CBPII_SANDBOX names, with further arguments (up to NULL; may be NULL itself). Never NULL: a test that
   has no bank ends here. */
sandbox *sandbox_start(const char *const *arguments);

/* Ends it. NULL is left alone. */
void sandbox_stop(sandbox *bank);

/* A member of its description, by its path: "endpoints.origin", "issuer.qwac.chain". Borrowed; NULL when there is none. */
const json_t *sandbox_member(const sandbox *bank, const char *path);

/* A text of its description, by its path. Borrowed. */
const char *sandbox_text(const sandbox *bank, const char *path);

/* What a file that its description names holds; the caller frees it. A NUL follows the bytes. */
char *sandbox_file(const sandbox *bank, const char *path, size_t *length);

/* A call of the control endpoint, with JSON text as its body (or NULL). The answer belongs to the caller. */
json_t *sandbox_call(const sandbox *bank, const char *method, const char *path, const char *body);

/* The same, when the answer says nothing. */
void sandbox_tell(const sandbox *bank, const char *method, const char *path, const char *body);

/* Everything as at the start. */
void sandbox_reset(const sandbox *bank);

/* A fault as in {"kind": "stall"}, at an endpoint, so many times (0: until they are cleared). */
void sandbox_fault(const sandbox *bank, const char *endpoint, unsigned times, const char *fault);
void sandbox_clear_faults(const sandbox *bank);

/* A merge patch on the settings. */
void sandbox_configure(const sandbox *bank, const char *settings);

/* How many requests an endpoint ("funds", "token") has seen. */
size_t sandbox_seen(const sandbox *bank, const char *endpoint);

/* Waits until so many requests have arrived in all. */
void sandbox_wait_for(const sandbox *bank, unsigned count);

/* A header (lower case) of the last request of an endpoint, or its "body"; the caller frees it. NULL when it is not there. */
char *sandbox_last(const sandbox *bank, const char *endpoint, const char *header);

/* How many connections were opened. */
size_t sandbox_connections(const sandbox *bank);

/* Opens a consent URL as a persona that says "approve" or "refuse"; the callback URL belongs to the caller. */
char *sandbox_decide(const sandbox *bank, const char *consent_url, const char *decision, const char *persona);

#endif
