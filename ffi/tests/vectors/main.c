/* Runs the language-neutral cases of tests/vectors through the C API. Their README says how they are read.
 *
 * Usage: vectors FOLDER [FILE | journeys]... Without one all are run; the folder is checked in any case. The environment
 * variable CBPII_SANDBOX names the sandbox bank's program, and CBPII_OUTCOMES a file for the outcomes, if they are wanted.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journeys.h"
#include "shared_bank.h"
#include "suite.h"

#define MANIFEST "manifest.json"

/* Not sayable: a text with NUL in it. */
static const vector_file FILES[] = {
    {"callbacks.json", run_callback, 0},
    {"certificates.json", run_certificate, 0},
    {"consent_urls.json", run_consent_url, 1},
    {"error_bodies.json", run_funds_body, 0},
    {"funds_bodies.json", run_funds_body, 0},
    {"requests.json", run_request, 5},
    {"token_bodies.json", run_token_body, 0},
};
static const size_t FILE_COUNT = sizeof FILES / sizeof FILES[0];

static bool has_runner(const char *name)
{
    size_t place = 0;

    while (place < FILE_COUNT && strcmp(FILES[place].name, name) != 0)
        place++;
    return place < FILE_COUNT;
}

static bool is_json(const char *name)
{
    size_t length = strlen(name);

    return length > 5 && strcmp(name + length - 5, ".json") == 0;
}

/* Each file of the folder must be known here and counted in the manifest. */
static bool check_folder(const char *folder, json_t *manifest)
{
    DIR *entries = opendir(folder);
    struct dirent *entry;
    bool good = entries != NULL;

    while (entries && (entry = readdir(entries)) != NULL) {
        if (!is_json(entry->d_name) || strcmp(entry->d_name, MANIFEST) == 0)
            continue;
        if (!has_runner(entry->d_name) || json_object_get(manifest, entry->d_name) == NULL) {
            printf("%s: is not listed in %s, or has no runner\n", entry->d_name, MANIFEST);
            good = false;
        }
    }
    if (entries)
        closedir(entries);
    return good;
}

/* Each file of the manifest must be known here. */
static bool check_manifest(json_t *manifest)
{
    bool good = json_is_object(manifest);
    const char *name;
    json_t *count;

    json_object_foreach(manifest, name, count) {
        if (!has_runner(name) || !json_is_integer(count)) {
            printf("%s: is listed in %s, but has no runner or no count\n", name, MANIFEST);
            good = false;
        }
    }
    return good;
}

/* Whether a file was asked for; all are when none is named. */
static bool is_wanted(const char *name, char **wanted)
{
    if (*wanted == NULL)
        return true;
    while (*wanted && strcmp(*wanted, name) != 0)
        wanted++;
    return *wanted != NULL;
}

/* Runs the files that are wanted. True when all is well. */
static bool run_files(const char *folder, json_t *manifest, char **wanted)
{
    bool good = true;
    size_t place;

    for (place = 0; place < FILE_COUNT; place++) {
        const vector_file *file = &FILES[place];
        json_int_t count = json_integer_value(json_object_get(manifest, file->name));

        if (is_wanted(file->name, wanted) && !run_file(folder, file, count))
            good = false;
    }
    return good;
}

int main(int argument_count, char **arguments)
{
    json_t *manifest;
    bool good;

    if (argument_count < 2 || getenv("CBPII_SANDBOX") == NULL) {
        fprintf(stderr, "usage: CBPII_SANDBOX=PROGRAM %s FOLDER [FILE | journeys]...\n", arguments[0]);
        return 2;
    }
    if (cbpii_abi_version() != CBPII_ABI_VERSION) {
        fprintf(stderr, "The library has another binary interface than the header.\n");
        return 2;
    }
    manifest = read_json(arguments[1], MANIFEST);
    good = check_manifest(manifest);
    good = check_folder(arguments[1], manifest) && good;
    good = run_files(arguments[1], manifest, arguments + 2) && good;
    if (is_wanted("journeys", arguments + 2))
        good = run_journeys(arguments[1]) && good;
    json_decref(manifest);
    stop_shared_bank();
    printf("%s\n", good ? "All is well." : "FAILED");
    return good ? 0 : 1;
}
