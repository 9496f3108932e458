#include "shared_bank.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static sandbox *bank;

const sandbox *shared_bank(void)
{
    if (bank == NULL)
        bank = sandbox_start(NULL);
    return bank;
}

void stop_shared_bank(void)
{
    sandbox_stop(bank);
    bank = NULL;
}

static const char *path_of(const char *name, const char *file)
{
    bool own = strcmp(name, "qwac") == 0 || strcmp(name, "qsealc") == 0;
    char path[128];

    snprintf(path, sizeof path, "issuer.%s%s.%s", own ? "" : "variants.", name, file);
    return sandbox_text(shared_bank(), path);
}

identity shared_identity(const char *name)
{
    return (identity){path_of(name, "chain"), path_of(name, "key")};
}
