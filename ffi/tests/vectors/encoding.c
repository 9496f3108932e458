#include "encoding.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/* The value of a letter of base64 with these two last ones; -1 for any other. */
static int value_of(char letter, const char *last)
{
    const char *found = letter ? strchr(LETTERS, letter) : NULL;

    if (found)
        return (int)(found - LETTERS);
    return letter && letter == last[0] ? 62 : letter && letter == last[1] ? 63 : -1;
}

bool base64_decode(const char *text, unsigned char *bytes, size_t *length)
{
    size_t letters = strcspn(text, "="), padding = strspn(text + letters, "="), i;
    uint32_t bits = 0;

    *length = 0;
    if (padding > 2 || (letters + padding) % 4 != 0 || text[letters + padding] != '\0')
        return false;
    for (i = 0; i < letters; i++) {
        int value = value_of(text[i], "+/");

        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 != 0)
            bytes[(*length)++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
    }
    return true;
}

void code_challenge(const char *verifier, char challenge[44])
{
    unsigned char digest[33];
    size_t i;

    sha256((const unsigned char *)verifier, strlen(verifier), digest);
    digest[32] = 0;
    for (i = 0; i < 43; i++) {
        unsigned two = (unsigned)digest[i * 6 / 8] << 8 | (i * 6 / 8 < 32 ? digest[i * 6 / 8 + 1] : 0u);
        unsigned value = two >> (10 - i * 6 % 8) & 63;

        challenge[i] = value < 62 ? LETTERS[value] : value == 62 ? '-' : '_';
    }
    challenge[43] = '\0';
}

/* A text of application/x-www-form-urlencoded, decoded. NULL when that is not UTF-8. */
static json_t *decoded(const char *text, size_t length)
{
    char *plain = malloc(length + 1), pair[3] = "";
    size_t from, to = 0;
    json_t *value;

    for (from = 0; plain && from < length; from++) {
        char letter = text[from] == '+' ? ' ' : text[from];

        if (letter == '%' && from + 2 < length && isxdigit((unsigned char)text[from + 1])) {
            memcpy(pair, text + from + 1, 2);
            letter = (char)strtol(pair, NULL, 16);
            from += 2;
        }
        plain[to++] = letter;
    }
    value = plain ? json_stringn(plain, to) : NULL;
    free(plain);
    return value;
}

static json_t *pairs_of(const char *query)
{
    json_t *pairs = json_array();

    while (*query) {
        size_t length = strcspn(query, "&"), name = strcspn(query, "=&");
        size_t value = name < length ? name + 1 : length;
        json_t *pair = json_array();

        json_array_append_new(pair, decoded(query, name));
        json_array_append_new(pair, decoded(query + value, length - value));
        json_array_append_new(pairs, pair);
        query += length + (query[length] == '&');
    }
    return pairs;
}

bool url_parts(const char *url, json_t **origin, json_t **path, json_t **query)
{
    const char *host = strstr(url, "://");
    size_t before, length;

    if (host == NULL || strchr(url, '#') != NULL)
        return false;
    before = (size_t)(host - url) + 3 + strcspn(host + 3, "/?");
    length = strcspn(url + before, "?");
    *origin = json_stringn(url, before);
    *path = json_stringn(url + before, length);
    *query = pairs_of(url + before + length + (url[before + length] == '?'));
    return true;
}
