/* Moments: RFC 3339 in the cases, milliseconds since 1970 in the C API. */
#ifndef MOMENT_H
#define MOMENT_H

#include "suite.h"

/* Reads a moment; false, and trouble, when it is none. */
bool read_moment(vector_case *c, const char *text, int64_t *moment);

/* A moment as the cases write it. */
json_t *moment_text(int64_t moment);

/* A fact that is a moment. */
void tell_moment(vector_case *c, const char *fact, int64_t moment);

#endif
