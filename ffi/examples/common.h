/*
 * What full_flow.c, hsm_signer.c and threads.c share: settings, files, and a line about an error. funds.c does without
 * it, and explains the settings.
 */

#ifndef EXAMPLES_COMMON_H
#define EXAMPLES_COMMON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cbpii.h>

/* A setting; NULL, and a line that says what is missing, when it is not set. The library makes an error of the NULL. */
static inline const char *setting(const char *name)
{
    const char *value = getenv(name);
    if (value == NULL)
        fprintf(stderr, "Set %s; the comment at the top of the source says what it means.\n", name);
    return value;
}

static inline int32_t environment_setting(void)
{
    const char *name = getenv("CBPII_ENVIRONMENT");
    bool sandbox = name != NULL && strcmp(name, "sandbox") == 0;
    return sandbox ? CBPII_ENVIRONMENT_SANDBOX : CBPII_ENVIRONMENT_PRODUCTION;
}

/* For errors of the program's own, which then need no second way out. */
static inline cbpii_error *problem(int32_t number, const char *what, const char *name)
{
    char message[512];
    snprintf(message, sizeof message, "%s: %s", name, what);
    return cbpii_error_new(number, message);
}

/* Overwrites what was secret; a compiler may drop a memset before a free. */
static inline void wipe(void *memory, size_t length)
{
    volatile unsigned char *byte = memory;
    while (byte != NULL && length-- > 0)
        *byte++ = 0;
}

/* A file's content and a NUL behind it, in a buffer of `capacity` bytes. */
static inline cbpii_error *read_file(const char *path, char *content, size_t capacity, size_t *length)
{
    FILE *file = path == NULL ? NULL : fopen(path, "rb");
    if (file == NULL)
        return problem(CBPII_ERROR_REQUEST_ARGUMENT, "The file cannot be opened.", path == NULL ? "no path" : path);
    size_t count = fread(content, 1, capacity - 1, file);
    bool whole = feof(file) && !ferror(file);
    fclose(file);
    if (!whole)
        return problem(CBPII_ERROR_REQUEST_ARGUMENT, "The file cannot be read, or is too large.", path);
    content[count] = '\0';
    if (length != NULL)
        *length = count;
    return NULL;
}

/* Sends calls to CBPII_ORIGIN when it is set, for tests; the bank's own addresses stay otherwise. */
static inline cbpii_error *use_origin_setting(cbpii_bank *bank)
{
    const char *origin = getenv("CBPII_ORIGIN");
    if (origin == NULL)
        return NULL;
    char ca[16384];
    cbpii_error *error = read_file(setting("CBPII_CA"), ca, sizeof ca, NULL);
    if (!error)
        error = cbpii_bank_add_trust_anchor(bank, ca, true);
    if (!error)
        error = cbpii_bank_set_origin(bank, origin);
    return error;
}

/* The tokens that were saved in the file CBPII_TOKENS. */
static inline cbpii_error *load_tokens(const char *path, cbpii_tokens **tokens)
{
    char json[16384];
    cbpii_error *error = read_file(path, json, sizeof json, NULL);
    if (!error)
        error = cbpii_tokens_from_json(json, tokens);
    wipe(json, sizeof json);
    return error;
}

static inline void print_error(const cbpii_error *error)
{
    printf("%s\n   code %s, advice %s\n", cbpii_error_message(error), cbpii_error_code(error),
           cbpii_advice_name(cbpii_error_advice(error)));
}

#endif
