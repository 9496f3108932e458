/* Steps about the bank and the clocks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encoding.h"
#include "scene.h"
#include "wire.h"

static cbpii_error *advance_clock(scene *s, json_t *members)
{
    json_int_t seconds;
    const char *only = "";
    char body[64];

    if (!take_apart(&s->c, members, "{sI, s?s}", "seconds", &seconds, "only", &only))
        return NULL;
    if (*only && strcmp(only, "bank") != 0 && strcmp(only, "client") != 0)
        trouble(&s->c, "%s has no clock", only);
    if (strcmp(only, "bank") != 0)
        set_present(present() + seconds * 1000);
    snprintf(body, sizeof body, "{\"advance_seconds\": %lld}", (long long)seconds);
    if (strcmp(only, "client") != 0)
        sandbox_tell(s->bank, "POST", "/clock", body);
    return NULL;
}

static cbpii_error *control(scene *s, json_t *members)
{
    const char *call, *path;
    char method[16], *text;
    json_t *body = NULL;

    if (!take_apart(&s->c, members, "{ss, s?o}", "call", &call, "body", &body))
        return NULL;
    path = call + strcspn(call, " ");
    snprintf(method, sizeof method, "%.*s", (int)(path - call), call);
    text = body ? text_of(body) : NULL;
    sandbox_tell(s->bank, method, *path ? path + 1 : path, text);
    free(text);
    return NULL;
}

static cbpii_error *requests_seen(scene *s, json_t *members)
{
    json_t *seen, *one, *endpoints = json_array();
    size_t place;

    take_apart(&s->c, members, "{}");
    seen = sandbox_call(s->bank, "GET", "/requests", NULL);
    json_array_foreach(seen, place, one)
        json_array_append(endpoints, json_object_get(one, "endpoint"));
    json_decref(seen);
    sandbox_tell(s->bank, "DELETE", "/requests", NULL);
    tell(&s->c, "requests", endpoints);
    return NULL;
}

static cbpii_error *write_file(scene *s, json_t *members)
{
    const char *path, *base64;
    unsigned char *bytes;
    size_t length = 0;
    FILE *file;

    if (!take_apart(&s->c, members, "{ss, ss}", "path", &path, "base64", &base64))
        return NULL;
    bytes = malloc(DECODED_LENGTH(strlen(base64)));
    file = fopen(path, "w");
    if (bytes == NULL || file == NULL || !base64_decode(base64, bytes, &length)
        || fwrite(bytes, 1, length, file) != length)
        trouble(&s->c, "the file %s cannot be written", path);
    if (file)
        fclose(file);
    free(bytes);
    return NULL;
}

const step BANK_STEPS[] = {
    {"advance_clock", advance_clock},
    {"control", control},
    {"requests_seen", requests_seen},
    {"write_file", write_file},
    {NULL, NULL},
};
