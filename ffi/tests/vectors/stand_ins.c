/* What a journey writes in braces, and what is written in braces for what is random. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"

static char *copy_of(const char *text)
{
    return text ? strcpy(malloc(strlen(text) + 1), text) : NULL;
}

/* The value a stand-in has now, which the caller frees. NULL when there is none. */
static char *value_of(const scene *s, const char *name)
{
    char path[128], *value;
    const char *prefix = strcmp(name, "client_id") == 0 || strcmp(name, "redirect_uri") == 0 ? "issuer" : "endpoints";

    if (strncmp(name, "file:", 5) == 0) {
        snprintf(path, sizeof path, "issuer.%s", name + 5);
        return sandbox_file(s->bank, path, NULL);
    }
    if (strcmp(name, "folder") == 0)
        return copy_of(s->folder);
    if (strcmp(name, "state") == 0)
        return copy_of(cbpii_pending_consent_state(s->pending));
    if (strcmp(name, "callback") == 0)
        return copy_of(s->callback);
    if (strcmp(name, "control") == 0) {
        value = copy_of(sandbox_text(s->bank, "endpoints.control_url"));
        *strstr(value, "/control") = '\0';
        return value;
    }
    snprintf(path, sizeof path, "%s.%s", prefix, name);
    return copy_of(json_string_value(sandbox_member(s->bank, path)));
}

/* A new text of an unlimited length. */
typedef struct text {
    char *bytes;
    size_t length;
} text;

static void append(text *to, const char *bytes, size_t length)
{
    to->bytes = realloc(to->bytes, to->length + length + 1);
    memcpy(to->bytes + to->length, bytes, length);
    to->length += length;
    to->bytes[to->length] = '\0';
}

static json_t *taken(text *from)
{
    json_t *value = json_string(from->bytes);

    free(from->bytes);
    return value;
}

static json_t *filled_text(const scene *s, const char *rest)
{
    text all = {calloc(1, 1), 0};

    while (*rest) {
        size_t length = strcspn(rest, "{");
        const char *open = rest + length, *close = *open ? strpbrk(open + 1, "{}") : NULL;
        char name[96] = "", *value = NULL;

        append(&all, rest, length);
        if (*open == '\0')
            break;
        if (close && *close == '}' && (size_t)(close - open) < sizeof name) {
            memcpy(name, open + 1, (size_t)(close - open - 1));
            value = value_of(s, name);
        }
        append(&all, value ? value : "{", value ? strlen(value) : 1);
        rest = value ? close + 1 : open + 1;
        free(value);
    }
    return taken(&all);
}

json_t *filled(const scene *s, const json_t *value)
{
    json_t *all, *part;
    const char *name, *string = json_string_value(value);
    size_t place;

    if (string && strcmp(string, "{client_secret}") == 0)
        return json_copy((json_t *)sandbox_member(s->bank, "issuer.client_secret"));
    if (string)
        return filled_text(s, string);
    if (json_is_object(value)) {
        all = json_object();
        json_object_foreach((json_t *)value, name, part)
            json_object_set_new(all, name, filled(s, part));
        return all;
    }
    if (json_is_array(value)) {
        all = json_array();
        json_array_foreach((json_t *)value, place, part)
            json_array_append_new(all, filled(s, part));
        return all;
    }
    return json_copy((json_t *)value);
}

json_t *input_of(const scene *s, const char *member, const json_t *over)
{
    json_t *all = json_copy(json_object_get(s->journey, member)), *value;

    json_object_update(all, (json_t *)over);
    value = filled(s, all);
    json_decref(all);
    return value;
}

/* The name of a text: itself when it stands in the journey's file. */
static json_t *name_of(scene *s, const char *string)
{
    size_t place;
    json_t *seen;

    if (strstr(s->text, string))
        return json_string(string);
    json_array_foreach(s->seen, place, seen) {
        if (strcmp(json_string_value(seen), string) == 0)
            return json_sprintf("{%zu}", place + 1);
    }
    json_array_append_new(s->seen, json_string(string));
    return json_sprintf("{%zu}", json_array_size(s->seen));
}

/* A text without the folder's path, and without digits directly behind a name of this machine. */
static json_t *renamed_text(const scene *s, const char *rest)
{
    const char *const hosts[] = {"localhost:", "127.0.0.1:"};
    text all = {calloc(1, 1), 0};
    size_t host, length;

    while (*rest) {
        length = strlen(s->folder);
        if (strncmp(rest, s->folder, length) == 0) {
            append(&all, "{folder}", 8);
            rest += length;
            continue;
        }
        for (host = 0; host < 2 && strncmp(rest, hosts[host], strlen(hosts[host])) != 0;)
            host++;
        length = host < 2 ? strlen(hosts[host]) : 1;
        append(&all, rest, length);
        rest += length;
        if (host < 2 && isdigit((unsigned char)*rest))
            append(&all, "{port}", 6);
        while (host < 2 && isdigit((unsigned char)*rest))
            rest++;
    }
    return taken(&all);
}

static json_t *renamed(const scene *s, json_t *value)
{
    json_t *part;
    const char *name;
    void *next;
    size_t place;

    if (json_is_string(value))
        return renamed_text(s, json_string_value(value));
    json_object_foreach_safe(value, next, name, part)
        json_object_set_new(value, name, renamed(s, part));
    json_array_foreach(value, place, part)
        json_array_set_new(value, place, renamed(s, part));
    return json_incref(value);
}

void name_what_is_random(scene *s)
{
    static const char *const random[] = {"access_token", "refresh_token", "code", "request_id", "correlation_id"};
    size_t place;

    for (place = 0; place < sizeof random / sizeof *random; place++) {
        const char *string = json_string_value(json_object_get(s->c.facts, random[place]));

        if (string)
            json_object_set_new(s->c.facts, random[place], name_of(s, string));
    }
    json_decref(renamed(s, s->c.facts));
}
