/* Where a journey takes place: the bank, the clock, and what the steps so far have led to. */
#ifndef SCENE_H
#define SCENE_H

#include "shared_bank.h"
#include "suite.h"

typedef struct scene {
    vector_case c;     /* The step: its facts, and what is wrong with it. */
    json_t *journey;   /* The journey over its defaults. */
    char *text;        /* Its file: what stands there is not random. */
    json_t *seen;      /* The random texts, in the order of their appearance. */
    char folder[64];   /* A folder of its own. */
    const sandbox *bank;
    sandbox *own_bank; /* The same, if it is this journey's own. */
    char *callback;
    cbpii_client *client;
    cbpii_pending_consent *pending;
    cbpii_authorization_code *code;
    cbpii_tokens *tokens;
    cbpii_store *store;
    cbpii_session_pool *pool;
    cbpii_session *session;
} scene;

/* The present of every client, in milliseconds since 1970: a thread of a refresh may ask for it when its journey is over. */
int64_t present(void);
void set_present(int64_t moment);

/* Opens the scene of a journey, its bank as at its start. False, and a line about it, when that cannot be done. */
bool scene_open(scene *s, const char *folder, const char *name);

/* Ends it. */
void scene_close(scene *s);

/* What a journey writes, with its stand-ins filled; a new value. */
json_t *filled(const scene *s, const json_t *value);

/* A member of the journey, with those of a step (may be NULL) over it, filled; a new value. */
json_t *input_of(const scene *s, const char *member, const json_t *over);

/* Gives names to what is random in the facts of a step, to ports and to the folder. */
void name_what_is_random(scene *s);

/* Drops what depends on a client, or on a store. */
void drop_client(scene *s);
void drop_pool(scene *s);

/* The steps: they take their members and fill in the facts, or return the error they come to. */
typedef struct step {
    const char *name;
    cbpii_error *(*run)(scene *s, json_t *members);
} step;

/* Those about who asks; about consents and tokens; about checks and sessions; and about the bank. Each list ends with a
 * NULL. */
extern const step IDENTITY_STEPS[], CONSENT_STEPS[], CHECK_STEPS[], BANK_STEPS[];

#endif
