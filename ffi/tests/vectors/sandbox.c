#include "sandbox.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* The sandbox serves until its standard input ends. */
static pid_t process;
static int its_input = -1;
static json_t *issuer;

/* Starts the program with these ends of two pipes. */
static bool spawn(const char *program, const int input[2], const int output[2])
{
    char name[] = "cbpii-sandbox", quiet[] = "--quiet";
    char *arguments[] = {name, quiet, NULL};
    posix_spawn_file_actions_t actions;
    bool started;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, input[1]);
    posix_spawn_file_actions_addclose(&actions, output[0]);
    started = posix_spawn(&process, program, &actions, NULL, arguments, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    return started;
}

/* Reads the one line the sandbox prints. */
static void read_line(int output)
{
    FILE *lines = fdopen(output, "r");
    json_t *line = lines ? json_loadf(lines, READ_FLAGS | JSON_DISABLE_EOF_CHECK, NULL) : NULL;

    issuer = json_incref(json_object_get(line, "issuer"));
    json_decref(line);
    if (lines)
        fclose(lines);
}

/* Is tried once. */
static void start(void)
{
    static bool tried;
    const char *program = getenv("CBPII_SANDBOX");
    int input[2], output[2];

    if (tried || program == NULL)
        return;
    tried = true;
    if (pipe(input) != 0 || pipe(output) != 0)
        return;
    if (!spawn(program, input, output))
        process = 0;
    its_input = input[1];
    close(input[0]);
    close(output[1]);
    if (process)
        read_line(output[0]);
    else
        close(output[0]);
}

bool sandbox_identity(vector_case *c, const char *name, identity *found)
{
    json_t *entry;

    start();
    entry = json_object_get(issuer, name);
    if (entry == NULL)
        entry = json_object_get(json_object_get(issuer, "variants"), name);
    found->chain = json_string_value(json_object_get(entry, "chain"));
    found->key = json_string_value(json_object_get(entry, "key"));
    if (issuer == NULL)
        trouble(c, "the sandbox does not start: does CBPII_SANDBOX name its program?");
    else if (found->chain == NULL || found->key == NULL)
        trouble(c, "the sandbox has no identity %s", name);
    return found->chain && found->key;
}

void sandbox_stop(void)
{
    if (its_input >= 0)
        close(its_input);
    if (process)
        waitpid(process, NULL, 0);
    json_decref(issuer);
    issuer = NULL;
    its_input = -1;
    process = 0;
}
