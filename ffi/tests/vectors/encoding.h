/* What C's library lacks: base64, SHA-256, and the parts of a URL. */
#ifndef ENCODING_H
#define ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* The length a base64 text has in bytes at most. */
#define DECODED_LENGTH(length) ((length) / 4 * 3 + 3)

/* Decodes base64 with its padding (RFC 4648 §4). False when it is none. */
bool base64_decode(const char *text, unsigned char *bytes, size_t *length);

/* The S256 of a PKCE verifier (RFC 7636 §4.2): 43 characters and NUL. */
void code_challenge(const char *verifier, char challenge[44]);

/* SHA-256 (FIPS 180-4). */
void sha256(const unsigned char *message, size_t length, unsigned char digest[32]);

/* The parts of an absolute URL without fragment: origin and path, and the names and values of its query, decoded, as a
 * list of pairs. False when it is none. */
bool url_parts(const char *url, json_t **origin, json_t **path, json_t **query);

#endif
