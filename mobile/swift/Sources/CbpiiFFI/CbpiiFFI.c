/* A C target needs a source; what the header declares is in the library that is linked. */
#include "CbpiiFFI.h"
