/* The sandbox bank that the cases share. It is started when it is first asked for. */
#ifndef SHARED_BANK_H
#define SHARED_BANK_H

#include "../support/sandbox.h"

/* The bank, which CBPII_SANDBOX names: the runner ends when it does not start. */
const sandbox *shared_bank(void);

/* Stops it if it runs. */
void stop_shared_bank(void);

/* Paths of an identity, which live until the bank stops. */
typedef struct identity {
    const char *chain, *key;
} identity;

/* An identity: "qwac", "qsealc" or a variant. The runner ends when there is none such. */
identity shared_identity(const char *name);

#endif
