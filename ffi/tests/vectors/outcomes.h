/* What came out of every case, as lines of JSON that other languages' lines are compared with. */
#ifndef OUTCOMES_H
#define OUTCOMES_H

#include <jansson.h>

/* Append a case to the file that the environment names; do nothing when it names none. A suite may be named by its file. */
void tell_outcome(const char *suite, const char *name, json_t *facts);
void tell_unsayable(const char *suite, const char *name, const char *reason);

#endif
