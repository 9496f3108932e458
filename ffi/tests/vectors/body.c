/* The answer of a case. */
#include <stdlib.h>
#include <string.h>

#include "encoding.h"
#include "wire.h"

static void set_bytes(struct wire *wire, void *bytes, size_t length)
{
    wire->body = bytes;
    wire->body_length = bytes ? length : 0;
}

static void set_text(struct wire *wire, const json_t *text)
{
    size_t length = json_string_length(text);
    char *bytes = malloc(length + 1);

    if (bytes)
        memcpy(bytes, json_string_value(text), length);
    set_bytes(wire, bytes, length);
}

static void set_base64(vector_case *c, struct wire *wire, const char *text)
{
    size_t length = 0;
    unsigned char *bytes = malloc(DECODED_LENGTH(strlen(text)));

    if (bytes == NULL || !base64_decode(text, bytes, &length))
        trouble(c, "the body is not base64");
    set_bytes(wire, bytes, length);
}

/* Appends a text, so many times. False when it is not a text and a number. */
static bool repeat(struct wire *wire, const json_t *part)
{
    const json_t *text = json_array_get(part, 0), *times = json_array_get(part, 1);
    size_t length = json_string_length(text), count = (size_t)json_integer_value(times), i;
    unsigned char *bytes;

    if (json_array_size(part) != 2 || !json_is_string(text) || !json_is_integer(times))
        return false;
    bytes = realloc(wire->body, wire->body_length + length * count + 1);
    if (bytes == NULL)
        return false;
    for (i = 0; i < count; i++)
        memcpy(bytes + wire->body_length + i * length, json_string_value(text), length);
    set_bytes(wire, bytes, wire->body_length + length * count);
    return true;
}

static void set_repeated(vector_case *c, struct wire *wire, json_t *parts)
{
    size_t place;
    json_t *part;

    if (!json_is_array(parts))
        trouble(c, "the repeated body is not a list");
    json_array_foreach(parts, place, part) {
        if (!repeat(wire, part))
            trouble(c, "a part of the repeated body is not a text and a number");
    }
}

static void set_body(vector_case *c, struct wire *wire, json_t *body)
{
    json_t *value = NULL, *text = NULL, *base64 = NULL, *repeated = NULL;
    char *serialised;

    if (!take_apart(c, body, "{s?o, s?o, s?o, s?o}", "json", &value, "text", &text, "base64", &base64, "repeated",
                    &repeated))
        return;
    if (json_object_size(body) != 1 || (text && !json_is_string(text)) || (base64 && !json_is_string(base64)))
        trouble(c, "the body is not one of json, text, base64 and repeated");
    else if (text)
        set_text(wire, text);
    else if (base64)
        set_base64(c, wire, json_string_value(base64));
    else if (repeated)
        set_repeated(c, wire, repeated);
    else if ((serialised = text_of(value)) != NULL)
        set_bytes(wire, serialised, strlen(serialised));
}

void wire_answer(vector_case *c, struct wire *wire, int status, json_t *headers, json_t *body)
{
    size_t place;
    json_t *header;

    wire->status = status;
    wire->headers = headers;
    if (headers && !json_is_array(headers))
        trouble(c, "the headers are not a list");
    json_array_foreach(headers, place, header) {
        const char *name, *value;

        if (!take_apart(c, header, "[ss]", &name, &value))
            break;
    }
    if (body)
        set_body(c, wire, body);
}
