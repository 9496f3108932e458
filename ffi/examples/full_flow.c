/*
 * The whole journey of one cardholder: find the bank, look at our certificates, ask for consent, keep the tokens, ask
 * for funds, understand a refusal, and let a session keep the consent alive.
 *
 *     cc -o full_flow full_flow.c $(pkg-config --cflags --libs cbpii)
 *     ./full_flow
 *
 * It prints the consent URL. Open it in a browser, and paste the URL the browser was sent back to. Ends with 0 when all
 * went well, 1 when the cardholder or the bank refused the consent, 2 after any other error. The settings are those of
 * funds.c, with the bank found by CBPII_IBAN, the tokens written to CBPII_TOKENS, and
 *
 *     CBPII_OTHER_IBAN  an account the consent is not about, to see a refusal; without it that step is left out
 *     CBPII_STORE       where sessions keep consents, e.g. sqlite:///var/lib/cards/consents.db
 *     CBPII_STORE_KEY   a file with 32 random bytes that seals them
 */

#define _POSIX_C_SOURCE 200809L /* mkstemp, fsync, gmtime_r */

#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

static void step(const char *title)
{
    printf("\n== %s\n", title);
}

static void fact(const char *name, const char *value)
{
    printf("   %-20s %s\n", name, value == NULL ? "-" : value);
}

/* Moments are milliseconds since 1970, UTC. */
static void moment(const char *name, int64_t milliseconds)
{
    char text[32] = "-";
    struct tm parts;
    time_t seconds = (time_t)(milliseconds / 1000);
    if (gmtime_r(&seconds, &parts) != NULL)
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
    fact(name, text);
}

/* Where the account is held. A code may belong to several brands; a program asks the cardholder which. */
static cbpii_error *find_bank(const char *iban, cbpii_bank **bank)
{
    step("The bank");
    cbpii_bank_list *banks = NULL;
    cbpii_error *error = cbpii_bank_list_from_iban(iban, environment_setting(), &banks);
    for (size_t place = 0; place < cbpii_bank_list_length(banks); place++)
        fact(cbpii_bank_id(cbpii_bank_list_get(banks, place)), cbpii_bank_name(cbpii_bank_list_get(banks, place)));
    if (!error)
        error = cbpii_bank_clone(cbpii_bank_list_get(banks, 0), bank);
    if (!error)
        error = use_origin_setting(*bank);
    if (!error)
        fact("note", cbpii_bank_note(*bank));
    cbpii_bank_list_free(banks);
    return error;
}

/* What the bank will see in the certificate, and what is wrong with it. */
static cbpii_error *inspect(const char *path)
{
    step("The certificate for TLS (QWAC)");
    char pem[65536];
    size_t length = 0;
    cbpii_certificate_report *report = NULL;
    cbpii_error *error = read_file(path, pem, sizeof pem, &length);
    if (!error)
        error = cbpii_certificate_inspect((const uint8_t *)pem, length, NULL, &report);
    if (!error) {
        fact("subject", cbpii_certificate_report_subject(report, CBPII_SPELLING_RFC4514));
        fact("organisation", cbpii_certificate_report_organisation_identifier(report));
        fact("may ask for funds", cbpii_certificate_report_has_role(report, CBPII_ROLE_PSP_IC) ? "yes" : "no");
        moment("valid until", cbpii_certificate_report_not_after(report));
    }
    cbpii_certificate_report_free(report);
    return error;
}

static cbpii_error *make_client(const cbpii_bank *bank, cbpii_client **client)
{
    step("The issuer at this bank");
    cbpii_issuer *issuer = NULL;
    cbpii_findings *findings = NULL;
    cbpii_error *error = cbpii_issuer_new(setting("CBPII_CLIENT_ID"), setting("CBPII_REDIRECT_URI"), &issuer);
    if (!error)
        error = cbpii_issuer_set_transport_files(issuer, setting("CBPII_QWAC_CHAIN"), setting("CBPII_QWAC_KEY"), NULL);
    if (!error)
        error = cbpii_issuer_set_seal_files(issuer, setting("CBPII_QSEALC_CHAIN"), setting("CBPII_QSEALC_KEY"), NULL);
    if (!error)
        error = cbpii_issuer_check(issuer, bank, &findings);
    if (!error && cbpii_findings_count(findings) == 0)
        fact("findings", "none");
    for (size_t place = 0; place < cbpii_findings_count(findings); place++)
        fact(cbpii_severity_name(cbpii_findings_severity(findings, place)), cbpii_findings_sentence(findings, place));
    if (!error)
        error = cbpii_client_new(bank, issuer, NULL, client);
    cbpii_findings_free(findings);
    cbpii_issuer_free(issuer);
    return error;
}

/*
 * Sends the cardholder to the bank and takes the browser back. A web server does the two halves in two requests: in
 * between it keeps cbpii_pending_consent_to_json where only this cardholder's browser session leads to.
 */
static cbpii_error *ask_for_consent(const cbpii_client *client, cbpii_tokens **tokens)
{
    step("Consent");
    char callback[4096];
    cbpii_pending_consent *pending = NULL;
    cbpii_error *error = cbpii_client_begin_consent(client, 0, &pending);
    if (!error) {
        printf("   Open this in a browser, then paste the URL it was sent back to:\n\n%s\n\n",
               cbpii_pending_consent_url(pending));
        fflush(stdout);
        if (fgets(callback, sizeof callback, stdin) == NULL)
            error = cbpii_error_new(CBPII_ERROR_REQUEST_CALLBACK, "No URL was pasted; run the program again.");
        else
            callback[strcspn(callback, "\r\n")] = '\0';
    }
    if (!error)
        error = cbpii_client_complete_consent(client, pending, callback, tokens);
    if (!error) {
        fact("tokens", cbpii_tokens_text(*tokens)); /* masked */
        moment("consent ends", cbpii_tokens_consent_expires_at(*tokens));
    }
    wipe(callback, sizeof callback); /* it held the code */
    cbpii_pending_consent_free(pending);
    return error;
}

/* Writes the tokens to a file that only its owner can read, whole or not at all. A real system encrypts them. */
static cbpii_error *save(const cbpii_tokens *tokens, const char *path)
{
    char draft[4096];
    if (path == NULL || snprintf(draft, sizeof draft, "%s.XXXXXX", path) >= (int)sizeof draft)
        return cbpii_error_new(CBPII_ERROR_REQUEST_ARGUMENT, "The tokens need a file with a shorter path.");
    cbpii_string *json = NULL;
    cbpii_error *error = cbpii_tokens_to_json(tokens, &json);
    if (error)
        return error;
    int file = mkstemp(draft); /* readable and writable by its owner only */
    FILE *stream = file < 0 ? NULL : fdopen(file, "w");
    bool saved = false;
    if (stream != NULL) {
        setvbuf(stream, NULL, _IONBF, 0); /* a buffer would leave a copy in memory */
        saved = fprintf(stream, "%s\n", cbpii_string_text(json)) > 0 && fsync(file) == 0;
        saved = fclose(stream) == 0 && saved && rename(draft, path) == 0;
    } else if (file >= 0) {
        close(file);
    }
    if (!saved) {
        error = problem(CBPII_ERROR_REQUEST_ARGUMENT, "The tokens cannot be written.", path);
        if (file >= 0)
            unlink(draft);
    }
    cbpii_string_free(json); /* overwrites it */
    return error;
}

static cbpii_error *check(const cbpii_client *client, const cbpii_tokens *tokens, const char *iban)
{
    step("Are the funds there?");
    cbpii_error *error = NULL;
    const char *amounts[] = {"12.50", "99999.99"};
    for (size_t place = 0; !error && place < sizeof amounts / sizeof amounts[0]; place++) {
        cbpii_funds_request *request = NULL;
        cbpii_funds_confirmation *answer = NULL;
        error = cbpii_funds_request_for_iban("ORDER-4711", iban, amounts[place], "EUR", &request);
        if (!error)
            error = cbpii_funds_request_set_payee(request, "Garage du Lac");
        if (!error)
            error = cbpii_client_confirm_funds(client, tokens, request, &answer);
        if (!error)
            printf("   %s EUR: %s, in %.1f ms, request %s\n", amounts[place],
                   cbpii_funds_confirmation_available(answer) ? "yes" : "no",
                   (double)cbpii_funds_confirmation_duration(answer) / 1000.0,
                   cbpii_funds_confirmation_request_id(answer));
        cbpii_funds_confirmation_free(answer);
        cbpii_funds_request_free(request);
    }
    return error;
}

/* Everything an error knows. */
static void explain(const cbpii_error *error)
{
    int64_t wait = 0;
    fact("message", cbpii_error_message(error));
    fact("code", cbpii_error_code(error));
    fact("kind", cbpii_error_kind_name(cbpii_error_kind(error)));
    fact("advice", cbpii_advice_name(cbpii_error_advice(error)));
    if (cbpii_error_retry_after(error, &wait))
        printf("   %-20s %" PRId64 " ms\n", "wait", wait);
    if (cbpii_error_http_status(error) != 0)
        printf("   %-20s %" PRId32 "\n", "HTTP status", cbpii_error_http_status(error));
    fact("bank's code", cbpii_error_bank_code(error));
    fact("bank's message", cbpii_error_bank_message(error));
    fact("request id", cbpii_error_request_id(error));
    fact("correlation id", cbpii_error_correlation_id(error));
    fact("reached the bank", cbpii_request_sent_name(cbpii_error_request_sent(error)));
    const cbpii_explanation *explanation = cbpii_error_explanation(error);
    if (explanation != NULL)
        printf("\n   What was sent, made to be pasted in a ticket to the bank:\n\n%s\n",
               cbpii_explanation_text(explanation));
}

/* A program decides by the advice, and by single codes where it knows better. None of them is a "no". */
static const char *what_to_do(const cbpii_error *error)
{
    switch (cbpii_error_advice(error)) {
    case CBPII_ADVICE_RETRY:
    case CBPII_ADVICE_RETRY_AFTER:
        return "ask again later, or let the payment go another way";
    case CBPII_ADVICE_RENEW_CONSENT:
        return "send the cardholder to the bank again";
    case CBPII_ADVICE_FIX_REQUEST:
        return "correct what was passed";
    case CBPII_ADVICE_FIX_CONFIGURATION:
        return "wake the operator: bank record, certificates or keys are wrong";
    default: /* CBPII_ADVICE_CONTACT_BANK, and what newer releases add */
        return "ask the bank, with the request id";
    }
}

static cbpii_error *be_refused(const cbpii_client *client, const cbpii_tokens *tokens, const char *iban)
{
    step("A refusal: an account that the consent is not about");
    cbpii_funds_request *request = NULL;
    cbpii_funds_confirmation *answer = NULL;
    cbpii_error *error = cbpii_funds_request_for_iban("ORDER-4712", iban, "12.50", "EUR", &request);
    if (!error) {
        cbpii_error *refusal = cbpii_client_confirm_funds(client, tokens, request, &answer);
        if (refusal) {
            explain(refusal);
            fact("so", what_to_do(refusal));
        } else {
            fact("unexpected", "the bank answered");
        }
        cbpii_error_free(refusal);
    }
    cbpii_funds_confirmation_free(answer);
    cbpii_funds_request_free(request);
    return error;
}

/* The consent in a store: refreshed when needed, once for all threads and processes that share it. */
static cbpii_error *keep(const cbpii_client *client, const cbpii_tokens *tokens, const char *iban)
{
    step("A session keeps the consent alive");
    char key[64];
    size_t length = 0;
    cbpii_record_keys *keys = NULL;
    cbpii_store *store = NULL;
    cbpii_session_pool *pool = NULL;
    cbpii_session *session = NULL;
    cbpii_funds_request *request = NULL;
    cbpii_funds_confirmation *answer = NULL;
    cbpii_error *error = read_file(setting("CBPII_STORE_KEY"), key, sizeof key, &length);
    if (!error)
        error = cbpii_record_keys_new((const uint8_t *)key, length, &keys);
    wipe(key, sizeof key);
    if (!error)
        error = cbpii_store_open(setting("CBPII_STORE"), keys, &store);
    if (!error)
        error = cbpii_session_pool_new(client, store, NULL, &pool);
    if (!error)
        error = cbpii_session_pool_keep(pool, "cardholder-42", tokens, &session);
    if (!error)
        error = cbpii_funds_request_for_iban("ORDER-4713", iban, "12.50", "EUR", &request);
    if (!error)
        error = cbpii_session_confirm_funds(session, request, &answer);
    if (!error) {
        fact("12.50 EUR", cbpii_funds_confirmation_available(answer) ? "yes" : "no");
        fact("state", cbpii_consent_state_name(cbpii_session_state(session)));
        fact("next", cbpii_next_action_name(cbpii_session_next_action(session)));
        printf("   %-20s %" PRIu32 "\n", "days left", cbpii_session_days_left(session));
        moment("renew from", cbpii_session_renew_from(session));
    }
    cbpii_funds_confirmation_free(answer);
    cbpii_funds_request_free(request);
    cbpii_session_free(session);
    cbpii_session_pool_free(pool);
    cbpii_store_free(store);
    cbpii_record_keys_free(keys);
    return error;
}

int main(void)
{
    const char *iban = setting("CBPII_IBAN");
    const char *saved = setting("CBPII_TOKENS");
    const char *other = getenv("CBPII_OTHER_IBAN");
    cbpii_bank *bank = NULL;
    cbpii_client *client = NULL;
    cbpii_tokens *tokens = NULL;
    int status = 0;

    if (cbpii_abi_version() != CBPII_ABI_VERSION) {
        fprintf(stderr, "The library that was loaded has another interface than the header; install the right one.\n");
        return 2;
    }
    cbpii_error *error = find_bank(iban, &bank);
    if (!error)
        error = inspect(setting("CBPII_QWAC_CHAIN"));
    if (!error)
        error = make_client(bank, &client);
    if (!error)
        error = ask_for_consent(client, &tokens);
    if (!error)
        error = save(tokens, saved);
    if (!error)
        error = check(client, tokens, iban);
    if (!error && other != NULL)
        error = be_refused(client, tokens, other);
    if (!error)
        error = keep(client, tokens, iban);

    if (error) {
        step("It ended with an error");
        explain(error);
        fact("so", what_to_do(error));
        status = cbpii_error_kind(error) == CBPII_ERROR_KIND_CONSENT_REFUSED ? 1 : 2;
    }
    cbpii_error_free(error);
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
    cbpii_bank_free(bank);
    return status;
}
