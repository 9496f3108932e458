/* Whole journeys against the sandbox bank. */
#ifndef JOURNEYS_H
#define JOURNEYS_H

#include <stdbool.h>

/* Runs every journey of the folder `journeys` below this one. True when all is well. */
bool run_journeys(const char *folder);

#endif
