#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "outcomes.h"

/* What became of the cases of a file. */
struct tally {
    size_t passed, failed, unsaid;
};

json_t *read_json(const char *folder, const char *name)
{
    char path[4096];
    json_error_t error;
    json_t *value;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    value = json_load_file(path, READ_FLAGS, &error);
    if (value == NULL)
        printf("%s: %s (line %d)\n", name, error.text, error.line);
    return value;
}

static void print_value(const char *before, const json_t *value)
{
    char *text = value ? json_dumps(value, WRITE_FLAGS) : NULL;

    printf("%s%s", before, text ? text : "nothing");
    free(text);
}

size_t compare(const char *file, const char *name, json_t *expected, json_t *seen)
{
    size_t differences = 0;
    const char *fact;
    json_t *value;
    bool failed = json_object_get(seen, "error") != NULL;

    json_object_foreach(expected, fact, value) {
        json_t *found = json_object_get(seen, fact);

        if (found == NULL || !json_equal(value, found)) {
            printf(PLACE "%s", file, name, fact);
            print_value(" should be ", value);
            print_value(", seen ", found ? found : seen);
            printf("%s\n", found ? "" : " without it");
            differences++;
        }
    }
    if (failed && json_object_get(expected, "error") == NULL) {
        printf(PLACE "no error is expected", file, name);
        print_value(", seen ", seen);
        printf("\n");
        differences++;
    }
    return differences;
}

/* Runs a case and says whether it passed. What C cannot say at all must at least be refused elsewhere. */
static void run_case(const vector_file *file, const char *name, json_t *expected, vector_case *c, struct tally *tally)
{
    cbpii_error *error = file->run(c);

    if (error)
        tell_error(c, error);
    if (c->trouble[0] == '\0' && c->unsaid && json_object_get(expected, "error") == NULL)
        trouble(c, "an answer is expected to what C cannot say: %s", c->unsaid);
    if (c->trouble[0] == '\0' && c->unsaid == NULL)
        tell_outcome(file->name, name, c->facts);
    if (c->trouble[0] != '\0') {
        printf("  %s: %s: %s\n", file->name, name, c->trouble);
        tally->failed++;
    } else if (c->unsaid) {
        tell_unsayable(file->name, name, c->unsaid);
        printf("  %s: %s: not run, %s\n", file->name, name, c->unsaid);
        tally->unsaid++;
    } else if (compare(file->name, name, expected, c->facts) == 0) {
        tally->passed++;
    } else {
        tally->failed++;
    }
}

/* Whether there is a number with a fraction in a value: as a double it might come out as another one. */
static bool has_fraction(json_t *value)
{
    const char *member;
    json_t *part;
    size_t place;

    json_object_foreach(value, member, part) {
        if (has_fraction(part))
            return true;
    }
    json_array_foreach(value, place, part) {
        if (has_fraction(part))
            return true;
    }
    return json_is_real(value);
}

/* The members of the file, and over them those of the case. */
static json_t *members_of(json_t *shared, json_t *members)
{
    json_t *input = json_copy(shared);

    json_object_update(input, members);
    json_object_del(input, "name");
    json_object_del(input, "expect");
    return input;
}

static void run_one(const vector_file *file, json_t *shared, json_t *members, json_t *names, struct tally *tally)
{
    const char *name = json_string_value(json_object_get(members, "name"));
    json_t *expected = json_object_get(members, "expect");
    vector_case c = {shared, NULL, NULL, NULL, ""};

    if (name == NULL || !json_is_object(expected) || json_object_size(expected) == 0) {
        printf("  %s: %s: lacks a name or an expectation\n", file->name, name ? name : "a case");
        tally->failed++;
    } else if (json_object_get(names, name)) {
        printf("  %s: %s: is there twice\n", file->name, name);
        tally->failed++;
    } else if (has_fraction(members) || has_fraction(shared)) {
        printf("  %s: %s: a number with a fraction must stand in a text to be kept exactly\n", file->name, name);
        tally->failed++;
    } else {
        json_object_set_new(names, name, json_true());
        c.input = members_of(shared, members);
        c.facts = json_object();
        run_case(file, name, expected, &c, tally);
        json_decref(c.input);
        json_decref(c.facts);
    }
}

/* Says how many cases passed. True when all did, but for what is known not to work in C. */
static bool report(const vector_file *file, const struct tally *tally, size_t cases, json_int_t count)
{
    bool all_there = (json_int_t)cases == count;

    printf("%s: %zu of %zu passed", file->name, tally->passed, cases);
    if (tally->unsaid)
        printf(", %zu cannot be said in C", tally->unsaid);
    printf("\n");
    if (!all_there)
        printf("  %s: %zu cases, but the manifest counts %lld\n", file->name, cases, (long long)count);
    if (tally->unsaid != file->unsaid)
        printf("  %s: %zu cases should not be sayable in C, not %zu\n", file->name, file->unsaid, tally->unsaid);
    return all_there && tally->failed == 0 && tally->unsaid == file->unsaid;
}

bool run_file(const char *folder, const vector_file *file, json_int_t count)
{
    json_t *shared = read_json(folder, file->name);
    json_t *cases = json_incref(json_object_get(shared, "cases"));
    json_t *names = json_object();
    struct tally tally = {0, 0, 0};
    bool readable = json_is_array(cases) && json_is_string(json_object_get(shared, "about"));
    size_t place;
    json_t *members;

    if (readable) {
        json_object_del(shared, "about");
        json_object_del(shared, "cases");
        json_array_foreach(cases, place, members)
            run_one(file, shared, members, names, &tally);
        readable = report(file, &tally, json_array_size(cases), count);
    } else {
        printf("%s: does not say what it is about, or has no cases\n", file->name);
    }
    json_decref(names);
    json_decref(cases);
    json_decref(shared);
    return readable;
}
