#define _POSIX_C_SOURCE 200809L

#include "sandbox.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_ARGUMENTS = 16 };

struct sandbox {
    pid_t process;
    /* The bank serves until this is closed, which also happens when the test dies. */
    int its_input;
    json_t *description;
};

/* A test without its bank proves nothing. */
static void give_up(const char *what, const char *detail)
{
    fprintf(stderr, "the sandbox bank: %s: %s\n", what, detail);
    exit(2);
}

static void *checked(void *pointer)
{
    if (pointer == NULL) {
        give_up("no memory", "");
    }
    return pointer;
}

/* The first line of a file descriptor. */
static char *read_line(int file)
{
    size_t capacity = 1 << 16, length = 0;
    char *line = checked(malloc(capacity));
    while (length + 1 < capacity) {
        ssize_t count = read(file, line + length, 1);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count != 1 || line[length] == '\n') {
            break;
        }
        length++;
    }
    line[length] = '\0';
    return line;
}

static void run(const char *program, const char *const *arguments, int input, int output)
{
    const char *all[MOST_ARGUMENTS] = {program, "--quiet"};
    size_t count = 2;
    for (; arguments != NULL && *arguments != NULL && count + 1 < MOST_ARGUMENTS; arguments++) {
        all[count++] = *arguments;
    }
    if (dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0) {
        execv(program, (char *const *)all);
    }
    _exit(127);
}

sandbox *sandbox_start(const char *const *arguments)
{
    const char *program = getenv("CBPII_SANDBOX");
    if (program == NULL) {
        give_up("CBPII_SANDBOX", "names no program");
    }
    int input[2], output[2];
    if (pipe(input) != 0 || pipe(output) != 0) {
        give_up("pipe", strerror(errno));
    }
    /* Another bank that is started later must not keep this one alive. */
    fcntl(input[1], F_SETFD, FD_CLOEXEC);
    fcntl(output[0], F_SETFD, FD_CLOEXEC);
    sandbox *bank = checked(calloc(1, sizeof *bank));
    bank->process = fork();
    if (bank->process < 0) {
        give_up("fork", strerror(errno));
    }
    if (bank->process == 0) {
        run(program, arguments, input[0], output[1]);
    }
    close(input[0]);
    close(output[1]);
    bank->its_input = input[1];
    char *line = read_line(output[0]);
    close(output[0]);
    bank->description = json_loads(line, 0, NULL);
    if (bank->description == NULL) {
        give_up("it did not start", program);
    }
    free(line);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return bank;
}

void sandbox_stop(sandbox *bank)
{
    if (bank == NULL) {
        return;
    }
    close(bank->its_input);
    while (waitpid(bank->process, NULL, 0) < 0 && errno == EINTR) {
    }
    json_decref(bank->description);
    free(bank);
    curl_global_cleanup();
}

const json_t *sandbox_member(const sandbox *bank, const char *path)
{
    const json_t *node = bank->description;
    char name[64];
    for (const char *part = path; node != NULL && part != NULL;) {
        const char *point = strchr(part, '.');
        size_t length = point != NULL ? (size_t)(point - part) : strlen(part);
        snprintf(name, sizeof name, "%.*s", (int)length, part);
        node = json_object_get(node, name);
        part = point != NULL ? point + 1 : NULL;
    }
    return node;
}

const char *sandbox_text(const sandbox *bank, const char *path)
{
    const json_t *node = sandbox_member(bank, path);
    if (!json_is_string(node)) {
        give_up("its description has no", path);
    }
    return json_string_value(node);
}

char *sandbox_file(const sandbox *bank, const char *path, size_t *length)
{
    FILE *file = fopen(sandbox_text(bank, path), "rb");
    size_t capacity = 1 << 18;
    char *bytes = checked(malloc(capacity));
    if (file == NULL) {
        give_up("cannot read", path);
    }
    size_t count = fread(bytes, 1, capacity - 1, file);
    fclose(file);
    bytes[count] = '\0';
    if (length != NULL) {
        *length = count;
    }
    return bytes;
}

typedef struct {
    char *bytes;
    size_t length;
} buffer;

static size_t append(char *data, size_t size, size_t count, void *user_data)
{
    buffer *all = user_data;
    all->bytes = checked(realloc(all->bytes, all->length + size * count + 1));
    memcpy(all->bytes + all->length, data, size * count);
    all->length += size * count;
    all->bytes[all->length] = '\0';
    return size * count;
}

static char *formatted(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = checked(malloc((size_t)length + 1));
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

static CURL *request_to(const char *url, buffer *answer)
{
    CURL *curl = checked(curl_easy_init());
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    return curl;
}

json_t *sandbox_call(const sandbox *bank, const char *method, const char *path, const char *body)
{
    buffer answer = {NULL, 0};
    char *url = formatted("%s%s", sandbox_text(bank, "endpoints.control_url"), path);
    CURL *curl = request_to(url, &answer);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    struct curl_slist *headers = curl_slist_append(NULL, "content-type: application/json");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    CURLcode code = curl_easy_perform(curl);
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK || status >= 400) {
        give_up(path, code != CURLE_OK ? curl_easy_strerror(code) : answer.bytes);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    json_t *value = answer.bytes != NULL ? json_loads(answer.bytes, JSON_DECODE_ANY, NULL) : NULL;
    free(answer.bytes);
    free(url);
    return value;
}

void sandbox_tell(const sandbox *bank, const char *method, const char *path, const char *body)
{
    json_decref(sandbox_call(bank, method, path, body));
}

void sandbox_reset(const sandbox *bank)
{
    sandbox_tell(bank, "POST", "/reset", NULL);
}

void sandbox_fault(const sandbox *bank, const char *endpoint, unsigned times, const char *fault)
{
    char *count = times == 0 ? formatted("null") : formatted("%u", times);
    char *rule = formatted("{\"endpoint\": \"%s\", \"times\": %s, \"after\": 0, \"fault\": %s}", endpoint, count, fault);
    sandbox_tell(bank, "POST", "/faults", rule);
    free(rule);
    free(count);
}

void sandbox_clear_faults(const sandbox *bank)
{
    sandbox_tell(bank, "DELETE", "/faults", NULL);
}

void sandbox_configure(const sandbox *bank, const char *settings)
{
    sandbox_tell(bank, "PATCH", "/settings", settings);
}

size_t sandbox_seen(const sandbox *bank, const char *endpoint)
{
    json_t *requests = sandbox_call(bank, "GET", "/requests", NULL), *request;
    size_t place, count = 0;
    json_array_foreach(requests, place, request) {
        count += strcmp(json_string_value(json_object_get(request, "endpoint")), endpoint) == 0;
    }
    json_decref(requests);
    return count;
}

void sandbox_wait_for(const sandbox *bank, unsigned count)
{
    char *path = formatted("/requests?wait_for=%u&timeout_ms=60000", count);
    json_t *requests = sandbox_call(bank, "GET", path, NULL);
    if (json_array_size(requests) < count) {
        give_up("not enough requests came", path);
    }
    json_decref(requests);
    free(path);
}

/* A text of a record that is kept as text, or as an array of bytes. */
static char *text_of(const json_t *value)
{
    if (json_is_string(value)) {
        return formatted("%s", json_string_value(value));
    }
    size_t length = json_array_size(value);
    char *text = checked(calloc(length + 1, 1));
    for (size_t place = 0; place < length; place++) {
        text[place] = (char)json_integer_value(json_array_get(value, place));
    }
    return text;
}

static char *header_of(const json_t *request, const char *name)
{
    if (strcmp(name, "body") == 0) {
        return text_of(json_object_get(request, "body"));
    }
    const json_t *headers = json_object_get(request, "headers");
    for (size_t place = 0; place < json_array_size(headers); place++) {
        const json_t *header = json_array_get(headers, place);
        char *found = text_of(json_array_get(header, 0));
        int same = strcmp(found, name) == 0;
        free(found);
        if (same) {
            return text_of(json_array_get(header, 1));
        }
    }
    return NULL;
}

char *sandbox_last(const sandbox *bank, const char *endpoint, const char *header)
{
    json_t *requests = sandbox_call(bank, "GET", "/requests", NULL);
    char *found = NULL;
    for (size_t place = json_array_size(requests); place > 0; place--) {
        const json_t *request = json_array_get(requests, place - 1);
        if (strcmp(json_string_value(json_object_get(request, "endpoint")), endpoint) == 0) {
            found = header_of(request, header);
            break;
        }
    }
    json_decref(requests);
    return found;
}

size_t sandbox_connections(const sandbox *bank)
{
    json_t *connections = sandbox_call(bank, "GET", "/connections", NULL);
    size_t opened = (size_t)json_integer_value(json_object_get(connections, "opened"));
    json_decref(connections);
    return opened;
}

char *sandbox_decide(const sandbox *bank, const char *consent_url, const char *decision, const char *persona)
{
    buffer answer = {NULL, 0};
    char *url = formatted("%s&auto=%s&persona=%s", consent_url, decision, persona);
    CURL *curl = request_to(url, &answer);
    curl_easy_setopt(curl, CURLOPT_CAINFO, sandbox_text(bank, "issuer.ca"));
    /* Under valgrind the first handshake may take longer than the bank waits. */
    CURLcode code = curl_easy_perform(curl);
    for (int attempt = 1; code != CURLE_OK && attempt < 5; attempt++) {
        code = curl_easy_perform(curl);
    }
    char *location = NULL;
    curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &location);
    if (code != CURLE_OK || location == NULL) {
        give_up("no redirect of the consent URL", code != CURLE_OK ? curl_easy_strerror(code) : answer.bytes);
    }
    char *callback = formatted("%s", location);
    curl_easy_cleanup(curl);
    free(answer.bytes);
    free(url);
    return callback;
}
