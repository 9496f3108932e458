/* The sandbox bank, of which only the certificates are used. It is started when the first is asked for. */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>

#include "suite.h"

/* Paths of an identity, which live until the sandbox stops. */
typedef struct identity {
    const char *chain, *key;
} identity;

/* An identity: "qwac", "qsealc" or a variant. False, and trouble, when the sandbox does not run or has none such. */
bool sandbox_identity(vector_case *c, const char *name, identity *found);

/* Stops the sandbox if it runs. */
void sandbox_stop(void);

#endif
