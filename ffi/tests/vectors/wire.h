/* A client whose bank is a case: answers are given from memory, the last request is kept, time stands still. */
#ifndef WIRE_H
#define WIRE_H

#include "suite.h"

/* The example of every case but those of the consent URLs. */
#define CLIENT_ID "PSDFR-ACPR-12345"
#define REDIRECT_URI "https://issuer.example/psd2/callback"

struct wire {
    /* What the bank answers, whatever it is asked. */
    int status;
    json_t *headers; /* Borrowed, NULL for none. */
    unsigned char *body;
    size_t body_length;
    /* The last request: headers as a list of name and value, and the body. */
    json_t *sent_headers;
    json_t *sent_body;
    /* The present, in milliseconds since 1970. */
    int64_t now;
};

/* Sets the answer: headers and body as a case has them, NULL where it has none. */
void wire_answer(vector_case *c, struct wire *wire, int status, json_t *headers, json_t *body);

/* Frees what the wire holds. */
void wire_clear(struct wire *wire);

/* The bank of a record, which is passed on as it is. */
cbpii_error *bank_of(json_t *record, cbpii_bank **bank);

/* A fact of a bank's record that has no function of its own. The value belongs to the caller. */
cbpii_error *bank_member(const cbpii_bank *bank, const char *member, json_t **value);

/* An issuer with the sandbox's seal. */
cbpii_error *issuer_of(const char *client_id, const char *redirect_uri, cbpii_issuer **issuer);

/* A client whose bank is the wire. Certificates are judged by certificates.json alone: they are made afresh. */
cbpii_error *client_over(struct wire *wire, const cbpii_bank *bank, const cbpii_issuer *issuer, cbpii_client **client);

/* The client of most cases: bank of the record, issuer of the example, with a secret where the bank wants one. */
cbpii_error *client_of(struct wire *wire, json_t *record, cbpii_client **client);

/* A JSON value as text, which the caller frees. */
char *text_of(const json_t *value);

#endif
