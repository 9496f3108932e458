/* token_bodies.json: status, headers and body of the token endpoint to tokens. */
#include <stdlib.h>
#include <string.h>

#include "moment.h"
#include "wire.h"

static cbpii_error *exchange_code(const cbpii_client *client, json_t *saved, const char *text, cbpii_tokens **tokens)
{
    cbpii_pending_consent *pending = NULL;
    cbpii_authorization_code *code = NULL;
    char *json = text_of(saved);
    cbpii_error *error = cbpii_pending_consent_from_json(json, &pending);

    if (error == NULL)
        error = cbpii_authorization_code_new(text, &code);
    if (error == NULL)
        error = cbpii_client_exchange_code(client, pending, code, 0, NULL, tokens);
    cbpii_authorization_code_free(code);
    cbpii_pending_consent_free(pending);
    free(json);
    return error;
}

static cbpii_error *refresh(const cbpii_client *client, json_t *saved, cbpii_tokens **tokens)
{
    cbpii_tokens *old = NULL;
    char *json = text_of(saved);
    cbpii_error *error = cbpii_tokens_from_json(json, &old);

    if (error == NULL)
        error = cbpii_client_refresh(client, old, 0, NULL, tokens);
    cbpii_tokens_free(old);
    free(json);
    return error;
}

cbpii_error *tell_tokens(vector_case *c, const cbpii_tokens *tokens)
{
    cbpii_string *access = NULL, *refresh_token = NULL;
    int64_t end;
    cbpii_error *error = cbpii_tokens_expose_access_token(tokens, &access);

    if (error == NULL)
        error = cbpii_tokens_expose_refresh_token(tokens, &refresh_token);
    if ((refresh_token != NULL) != cbpii_tokens_has_refresh_token(tokens))
        trouble(c, "has_refresh_token and expose_refresh_token differ");
    tell_secret(c, "access_token", access);
    tell_secret(c, "refresh_token", refresh_token);
    tell_text(c, "token_type", cbpii_tokens_token_type(tokens));
    tell_text(c, "scope", cbpii_tokens_scope(tokens));
    tell_moment(c, "obtained_at", cbpii_tokens_obtained_at(tokens));
    tell_moment(c, "consent_expires_at", cbpii_tokens_consent_expires_at(tokens));
    if (cbpii_tokens_expires_at(tokens, &end))
        tell_moment(c, "expires_at", end);
    else
        tell(c, "expires_at", json_null());
    return error;
}

/* What a case asks the token endpoint for. */
typedef struct question {
    const char *kind, *code;
    json_t *pending, *tokens;
} question;

static cbpii_error *ask(vector_case *c, struct wire *wire, json_t *record, const question *asked)
{
    cbpii_client *client = NULL;
    cbpii_tokens *tokens = NULL;
    cbpii_error *error = client_of(wire, record, &client);

    if (error == NULL && strcmp(asked->kind, "exchange") == 0)
        error = exchange_code(client, asked->pending, asked->code, &tokens);
    else if (error == NULL && strcmp(asked->kind, "refresh") == 0)
        error = refresh(client, asked->tokens, &tokens);
    else if (error == NULL)
        trouble(c, "%s is no known request", asked->kind);
    if (error == NULL && tokens)
        error = tell_tokens(c, tokens);
    cbpii_tokens_free(tokens);
    cbpii_client_free(client);
    return error;
}

cbpii_error *run_token_body(vector_case *c)
{
    struct wire wire = {0, NULL, NULL, 0, NULL, NULL, 0};
    question asked;
    json_t *record, *headers = NULL, *body = NULL;
    const char *moment;
    int status;
    cbpii_error *error = NULL;

    if (!take_apart(c, c->input, "{so, ss, so, ss, so, ss, si, s?o, s?o}", "bank", &record, "now", &moment, "pending",
                    &asked.pending, "code", &asked.code, "tokens", &asked.tokens, "request", &asked.kind, "status",
                    &status, "headers", &headers, "body", &body)
        || !sayable(c, json_object_get(c->input, "code")) || !read_moment(c, moment, &wire.now))
        return NULL;
    wire_answer(c, &wire, status, headers, body);
    if (c->trouble[0] == '\0')
        error = ask(c, &wire, record, &asked);
    wire_clear(&wire);
    return error;
}
