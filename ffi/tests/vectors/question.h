/* A question as a case writes it, and how it is asked. */
#ifndef QUESTION_H
#define QUESTION_H

#include "wire.h"

/* The request of a case. NULL in `request`, without an error, when there is trouble or C cannot say it. */
cbpii_error *question_of(vector_case *c, json_t *input, cbpii_funds_request **request);

/* Asks, with a token that lasts. */
cbpii_error *ask_funds(const cbpii_client *client, const struct wire *wire, const cbpii_funds_request *request,
                       cbpii_funds_confirmation **confirmation);

#endif
