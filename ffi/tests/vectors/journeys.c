#include "journeys.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outcomes.h"
#include "scene.h"

static const step *find(const char *name)
{
    const step *const lists[] = {IDENTITY_STEPS, CONSENT_STEPS, CHECK_STEPS, BANK_STEPS};
    size_t list;

    for (list = 0; list < sizeof lists / sizeof *lists; list++) {
        const step *one = lists[list];

        while (one->name && strcmp(one->name, name) != 0)
            one++;
        if (one->name)
            return one;
    }
    return NULL;
}

/* Runs a step, whose facts are then there. */
static void run_step(scene *s, json_t *written)
{
    const char *what = json_string_value(json_object_get(written, "do"));
    const step *one = what ? find(what) : NULL;
    json_t *members = filled(s, written);
    cbpii_error *error;

    s->c.facts = json_object();
    json_object_del(members, "do");
    json_object_del(members, "expect");
    if (one) {
        error = one->run(s, members);
        if (error)
            tell_error(&s->c, error);
    } else {
        trouble(&s->c, "%s is no known step", what ? what : "nothing");
    }
    name_what_is_random(s);
    json_decref(members);
}

/* Runs the steps, and gathers their facts; counts the differences. */
static size_t run_steps(scene *s, const char *name, json_t *outcomes)
{
    json_t *steps = json_object_get(s->journey, "steps"), *one, *expected;
    size_t place, differences = 0;

    json_array_foreach(steps, place, one) {
        char where[256];

        snprintf(where, sizeof where, "%s, step %zu (%s)", name, place + 1,
                 json_string_value(json_object_get(one, "do")));
        run_step(s, one);
        expected = json_object_get(one, "expect");
        expected = expected ? json_incref(expected) : json_object();
        differences += compare("journeys", where, expected, s->c.facts);
        json_decref(expected);
        json_array_append_new(outcomes, s->c.facts);
        s->c.facts = NULL;
        if (s->c.trouble[0] != '\0') {
            printf(PLACE "%s\n", "journeys", where, s->c.trouble);
            return differences + 1;
        }
    }
    return differences;
}

static bool run_journey(const char *folder, const char *file)
{
    json_t *outcomes = json_array(), *facts = json_pack("{s:O}", "steps", outcomes);
    char name[256];
    scene s;
    bool good = scene_open(&s, folder, file);

    snprintf(name, sizeof name, "%.*s", (int)(strlen(file) - strlen(".json")), file);
    if (good) {
        good = run_steps(&s, name, outcomes) == 0;
        tell_outcome("journeys", name, facts);
    }
    scene_close(&s);
    json_decref(facts);
    json_decref(outcomes);
    return good;
}

static int is_journey(const struct dirent *entry)
{
    const char *extension = strrchr(entry->d_name, '.');

    return extension && strcmp(extension, ".json") == 0 && strcmp(entry->d_name, "defaults.json") != 0;
}

bool run_journeys(const char *folder)
{
    struct dirent **entries = NULL;
    char path[4096];
    int count, place, passed = 0;

    snprintf(path, sizeof path, "%s/journeys", folder);
    count = scandir(path, &entries, is_journey, alphasort);
    for (place = 0; place < count; place++) {
        passed += run_journey(path, entries[place]->d_name);
        free(entries[place]);
    }
    free(entries);
    printf("journeys: %d of %d passed\n", passed, count);
    return count > 0 && passed == count;
}
