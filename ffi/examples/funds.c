/*
 * The shortest check: does this account hold this amount?
 *
 *     cc -o funds funds.c $(pkg-config --cflags --libs cbpii)
 *     ./funds 59.90
 *
 * Ends with 0 for yes, 1 for no, and 2 when there is no answer, which is never a no. Its settings are environment
 * variables:
 *
 *     CBPII_BANK          the bank's id in the directory, e.g. bpce-17515
 *     CBPII_ENVIRONMENT   "sandbox" for the bank's test data; anything else, or nothing, is the real accounts
 *     CBPII_CLIENT_ID     our name at the bank, e.g. PSDFR-ACPR-12345
 *     CBPII_REDIRECT_URI  where the bank sends the cardholder back to, as registered
 *     CBPII_QWAC_CHAIN    PEM files: certificate and key for TLS,
 *     CBPII_QWAC_KEY
 *     CBPII_QSEALC_CHAIN  certificate and key for signing requests
 *     CBPII_QSEALC_KEY
 *     CBPII_TOKENS        the file full_flow.c saved the cardholder's tokens in
 *     CBPII_IBAN          the cardholder's account
 *     CBPII_ORIGIN        another address instead of the bank's, e.g. https://localhost:8443, with
 *     CBPII_CA            the root certificate to trust there; both are for tests
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cbpii.h>

/* A whole text file as a string; false when it cannot be read or does not fit. */
static bool read_text(const char *path, char *text, size_t capacity)
{
    FILE *file = path == NULL ? NULL : fopen(path, "rb");
    if (file == NULL)
        return false;
    size_t length = fread(text, 1, capacity - 1, file);
    bool whole = feof(file) && !ferror(file);
    fclose(file);
    text[length] = '\0';
    return whole;
}

int main(int argc, char **argv)
{
    char tokens_text[16384], ca[16384];
    const char *environment = getenv("CBPII_ENVIRONMENT");
    const char *origin = getenv("CBPII_ORIGIN");

    if (argc != 2) {
        fprintf(stderr, "usage: %s AMOUNT, for example %s 59.90\n", argv[0], argv[0]);
        return 2;
    }
    if (cbpii_abi_version() != CBPII_ABI_VERSION) {
        fprintf(stderr, "The library that was loaded has another interface than the header; install the right one.\n");
        return 2;
    }
    if (!read_text(getenv("CBPII_TOKENS"), tokens_text, sizeof tokens_text)) {
        fprintf(stderr, "The file named by CBPII_TOKENS cannot be read.\n");
        return 2;
    }
    if (origin != NULL && !read_text(getenv("CBPII_CA"), ca, sizeof ca)) {
        fprintf(stderr, "The file named by CBPII_CA cannot be read.\n");
        return 2;
    }

    cbpii_bank *bank = NULL;
    cbpii_issuer *issuer = NULL;
    cbpii_client *client = NULL;
    cbpii_tokens *tokens = NULL;
    cbpii_funds_request *request = NULL;
    cbpii_funds_confirmation *answer = NULL;
    int status = 2;

    /* Each step happens only when all before it went well. */
    bool sandbox = environment != NULL && strcmp(environment, "sandbox") == 0;
    cbpii_error *error = cbpii_bank_by_id(
        getenv("CBPII_BANK"), sandbox ? CBPII_ENVIRONMENT_SANDBOX : CBPII_ENVIRONMENT_PRODUCTION, &bank);
    if (!error && origin != NULL)
        error = cbpii_bank_set_origin(bank, origin);
    if (!error && origin != NULL)
        error = cbpii_bank_add_trust_anchor(bank, ca, true);
    if (!error)
        error = cbpii_issuer_new(getenv("CBPII_CLIENT_ID"), getenv("CBPII_REDIRECT_URI"), &issuer);
    if (!error)
        error = cbpii_issuer_set_transport_files(issuer, getenv("CBPII_QWAC_CHAIN"), getenv("CBPII_QWAC_KEY"), NULL);
    if (!error)
        error = cbpii_issuer_set_seal_files(issuer, getenv("CBPII_QSEALC_CHAIN"), getenv("CBPII_QSEALC_KEY"), NULL);
    if (!error)
        error = cbpii_client_new(bank, issuer, NULL, &client);
    if (!error)
        error = cbpii_tokens_from_json(tokens_text, &tokens);
    if (!error)
        error = cbpii_funds_request_for_iban("ORDER-4711", getenv("CBPII_IBAN"), argv[1], "EUR", &request);
    if (!error)
        error = cbpii_client_confirm_funds(client, tokens, request, &answer);

    if (error) {
        printf("no answer: %s\n", cbpii_error_message(error));
        printf("code %s, advice %s\n", cbpii_error_code(error), cbpii_advice_name(cbpii_error_advice(error)));
    } else {
        bool available = cbpii_funds_confirmation_available(answer);
        printf("%s\n", available ? "yes, the funds are there" : "no, the funds are not there");
        status = available ? 0 : 1;
    }

    cbpii_error_free(error);
    cbpii_funds_confirmation_free(answer);
    cbpii_funds_request_free(request);
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
    cbpii_issuer_free(issuer);
    cbpii_bank_free(bank);
    return status;
}
