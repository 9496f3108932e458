/* mkdtemp and nftw */
#define _XOPEN_SOURCE 700

#include "scene.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "moment.h"
#include "wire.h"

static volatile int64_t now;

int64_t present(void)
{
    return now;
}

void set_present(int64_t moment)
{
    now = moment;
}

/* The content of a file as text, which the caller frees. */
static char *text_of_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = calloc(1, 1 << 20);

    if (file && text)
        text[fread(text, 1, (1 << 20) - 1, file)] = '\0';
    if (file)
        fclose(file);
    return text;
}

/* The members of both: objects member by member, everything else as a whole. */
static void lay_over(json_t *base, json_t *own)
{
    const char *name;
    json_t *value;

    json_object_foreach(own, name, value) {
        json_t *there = json_object_get(base, name);

        if (json_is_object(there) && json_is_object(value))
            json_object_update(there, value);
        else
            json_object_set(base, name, value);
    }
}

/* A bank that starts as a journey wants it: its members are options of the program. */
static sandbox *start_own_bank(const json_t *wanted)
{
    const char *arguments[8] = {NULL}, *name;
    char texts[4][512];
    size_t count = 0;
    json_t *value;

    json_object_foreach((json_t *)wanted, name, value) {
        char *text = json_is_string(value) ? NULL : text_of(value);

        if (count < 4) {
            snprintf(texts[count], sizeof texts[count], "--%s=%s", name, text ? text : json_string_value(value));
            arguments[count] = texts[count];
            count++;
        }
        free(text);
    }
    return sandbox_start(arguments);
}

/* The bank as at its start, at the journey's moment. */
static void prepare_bank(scene *s)
{
    json_t *wanted = json_object_get(s->journey, "sandbox");
    char body[64];

    s->own_bank = wanted ? start_own_bank(wanted) : NULL;
    s->bank = s->own_bank ? s->own_bank : shared_bank();
    sandbox_reset(s->bank);
    sandbox_tell(s->bank, "DELETE", "/connections", NULL);
    snprintf(body, sizeof body, "{\"set\": %lld}", (long long)(present() / 1000));
    sandbox_tell(s->bank, "POST", "/clock", body);
}

bool scene_open(scene *s, const char *folder, const char *name)
{
    json_t *defaults = read_json(folder, "defaults.json"), *own = read_json(folder, name);
    char path[4096];
    int64_t moment = 0;

    memset(s, 0, sizeof *s);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    s->text = text_of_file(path);
    s->seen = json_array();
    s->journey = json_deep_copy(defaults);
    lay_over(s->journey, own);
    json_decref(defaults);
    json_decref(own);
    snprintf(s->folder, sizeof s->folder, "/tmp/cbpii-journey-XXXXXX");
    if (!read_moment(&s->c, json_string_value(json_object_get(s->journey, "now")), &moment)
        || !json_is_array(json_object_get(s->journey, "steps")) || mkdtemp(s->folder) == NULL) {
        printf("%s: is no journey, or has no folder\n", name);
        return false;
    }
    set_present(moment);
    prepare_bank(s);
    return true;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

void drop_pool(scene *s)
{
    cbpii_session_free(s->session);
    cbpii_session_pool_free(s->pool);
    s->session = NULL;
    s->pool = NULL;
}

void drop_client(scene *s)
{
    drop_pool(s);
    cbpii_client_free(s->client);
    s->client = NULL;
}

void scene_close(scene *s)
{
    drop_client(s);
    cbpii_store_free(s->store);
    cbpii_tokens_free(s->tokens);
    cbpii_authorization_code_free(s->code);
    cbpii_pending_consent_free(s->pending);
    sandbox_stop(s->own_bank);
    nftw(s->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(s->callback);
    free(s->text);
    json_decref(s->seen);
    json_decref(s->journey);
}
