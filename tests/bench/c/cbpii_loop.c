/*
 * The funds check through the library's C header: one client for all threads. With BENCH_OPENSSL defined, the seal's key
 * is OpenSSL's, through cbpii_openssl.h.
 */
#define _POSIX_C_SOURCE 200809L

#include "works.h"

#include <cbpii.h>
#ifdef BENCH_OPENSSL
#include <cbpii_openssl.h>
#include <openssl/pem.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_FILE = 64 * 1024 };

struct caller {
    char unused;
};

static struct {
    cbpii_client *client;
    cbpii_tokens *tokens;
    cbpii_funds_request *request;
} shared;

/* Takes an error over; says whether there was none. */
static int succeeded(cbpii_error *error)
{
    if (error == NULL)
        return 1;
    complain("cbpii_loop: %s: %s", cbpii_error_code(error), cbpii_error_message(error));
    cbpii_error_free(error);
    return 0;
}

static int read_text(const char *path, char *text, size_t room)
{
    FILE *file = fopen(path, "r");
    size_t length = 0;

    if (file != NULL) {
        length = fread(text, 1, room - 1, file);
        fclose(file);
    }
    text[length] = '\0';
    if (length == 0)
        complain("cbpii_loop: nothing to read in %s", path);
    return length > 0;
}

#ifdef BENCH_OPENSSL
static int set_seal(cbpii_issuer *issuer, const struct config *config)
{
    char chain[MOST_FILE];
    cbpii_signer signer;
    FILE *file = fopen(config->seal_key, "r");
    EVP_PKEY *key = file == NULL ? NULL : PEM_read_PrivateKey(file, NULL, NULL, NULL);
    int done;

    if (file != NULL)
        fclose(file);
    done = read_text(config->seal_chain, chain, sizeof chain) && succeeded(cbpii_openssl_signer(key, &signer))
           && succeeded(cbpii_issuer_set_seal_signer(issuer, (const uint8_t *)chain, strlen(chain), &signer));
    EVP_PKEY_free(key);
    return done;
}
#else
static int set_seal(cbpii_issuer *issuer, const struct config *config)
{
    return succeeded(cbpii_issuer_set_seal_files(issuer, config->seal_chain, config->seal_key, NULL));
}
#endif

int side_open(const struct config *config, int keeps)
{
    const int64_t now = (int64_t)time(NULL) * 1000;
    const int64_t consent_end = now + INT64_C(180) * 24 * 3600 * 1000;
    char root[MOST_FILE];
    cbpii_bank *bank = NULL;
    cbpii_issuer *issuer = NULL;
    cbpii_client_options *options = NULL;
    int done;

    done = read_text(config->ca, root, sizeof root)
           && succeeded(cbpii_bank_bpce("17515", CBPII_ENVIRONMENT_SANDBOX, &bank))
           && succeeded(cbpii_bank_set_origin(bank, config->origin))
           && succeeded(cbpii_bank_add_trust_anchor(bank, root, true))
           && succeeded(cbpii_issuer_new(config->client_id, config->redirect_uri, &issuer))
           && succeeded(cbpii_issuer_set_transport_files(issuer, config->qwac_chain, config->qwac_key, NULL))
           && set_seal(issuer, config)
           && succeeded(cbpii_client_options_new(&options))
           && (keeps || succeeded(cbpii_client_options_set_max_idle_connections(options, 0)))
           && succeeded(cbpii_client_new(bank, issuer, options, &shared.client))
           && succeeded(cbpii_tokens_new(config->access_token, NULL, now, NULL, consent_end, &shared.tokens))
           && succeeded(cbpii_funds_request_for_iban(config->reference, config->iban, config->amount, "EUR",
                                                     &shared.request));
    cbpii_client_options_free(options);
    cbpii_issuer_free(issuer);
    cbpii_bank_free(bank);
    return done;
}

struct caller *caller_new(void)
{
    struct caller *caller = calloc(1, sizeof *caller);

    if (caller == NULL)
        complain("cbpii_loop: no memory");
    return caller;
}

int caller_call(struct caller *caller)
{
    cbpii_funds_confirmation *confirmation = NULL;
    int available;

    (void)caller;
    if (!succeeded(cbpii_client_confirm_funds(shared.client, shared.tokens, shared.request, &confirmation)))
        return 0;
    available = cbpii_funds_confirmation_available(confirmation);
    cbpii_funds_confirmation_free(confirmation);
    if (!available)
        complain("cbpii_loop: not a yes");
    return available;
}

void caller_count(const struct caller *caller, struct counts *counts)
{
    /* The client counts for all of them. */
    (void)caller;
    (void)counts;
}

void caller_free(struct caller *caller)
{
    free(caller);
}

void side_close(struct counts *counts)
{
    counts->connections += (unsigned long)cbpii_client_connections(shared.client);
    counts->resumed += (unsigned long)cbpii_client_resumed_connections(shared.client);
    cbpii_funds_request_free(shared.request);
    cbpii_tokens_free(shared.tokens);
    cbpii_client_free(shared.client);
}
