/* Steps about consents and tokens. */
#include <stdlib.h>
#include <string.h>

#include "moment.h"
#include "scene.h"

/* Begins a consent, and reads it back from its saved form. */
static cbpii_error *begin(scene *s, int64_t valid_for)
{
    cbpii_pending_consent *begun = NULL;
    cbpii_string *saved = NULL;
    cbpii_error *error = cbpii_client_begin_consent(s->client, valid_for, &begun);

    if (error == NULL)
        error = cbpii_pending_consent_to_json(begun, &saved);
    if (error == NULL) {
        cbpii_pending_consent_free(s->pending);
        s->pending = NULL;
        error = cbpii_pending_consent_from_json(cbpii_string_text(saved), &s->pending);
    }
    if (error == NULL) {
        tell_text(&s->c, "bank_id", cbpii_pending_consent_bank_id(s->pending));
        tell_text(&s->c, "redirect_uri", cbpii_pending_consent_redirect_uri(s->pending));
        tell_moment(&s->c, "created_at", cbpii_pending_consent_created_at(s->pending));
        tell_moment(&s->c, "expires_at", cbpii_pending_consent_expires_at(s->pending));
    }
    cbpii_string_free(saved);
    cbpii_pending_consent_free(begun);
    return error;
}

static cbpii_error *begin_consent(scene *s, json_t *members)
{
    json_int_t seconds = 0;

    if (!take_apart(&s->c, members, "{s?I}", "valid_for_seconds", &seconds))
        return NULL;
    return begin(s, seconds * 1000);
}

/* The names of a query's parameters. */
static json_t *names_of(const char *query)
{
    json_t *names = json_array();

    while (query) {
        const char *pair = query + 1;

        json_array_append_new(names, json_stringn(pair, strcspn(pair, "=&")));
        query = strchr(pair, '&');
    }
    return names;
}

static void go(scene *s, const char *decision, const char *persona)
{
    const char *query;

    free(s->callback);
    s->callback = sandbox_decide(s->bank, cbpii_pending_consent_url(s->pending), decision, persona);
    query = strchr(s->callback, '?');
    tell(&s->c, "returned_to", json_stringn(s->callback, strcspn(s->callback, "?")));
    tell(&s->c, "parameters", names_of(query));
}

static cbpii_error *visit(scene *s, json_t *members)
{
    const char *decision, *persona;

    if (take_apart(&s->c, members, "{ss, ss}", "decision", &decision, "persona", &persona))
        go(s, decision, persona);
    return NULL;
}

static cbpii_error *complete(scene *s, json_t *members)
{
    const char *callback = s->callback;
    cbpii_string *code = NULL;
    cbpii_authorization_code *read = NULL;
    cbpii_error *error;

    if (!take_apart(&s->c, members, "{s?s}", "callback", &callback))
        return NULL;
    error = cbpii_pending_consent_complete(s->pending, callback, present(), &read);
    if (error)
        return error;
    cbpii_authorization_code_free(s->code);
    s->code = read;
    error = cbpii_authorization_code_expose(s->code, &code);
    tell_secret(&s->c, "code", code);
    return error;
}

/* Tokens go through their saved form, as in a program that keeps them. Those that are passed are freed. */
static cbpii_error *take(scene *s, cbpii_error *error, cbpii_tokens *given)
{
    cbpii_string *saved = NULL;
    cbpii_tokens *tokens = NULL;

    if (error == NULL)
        error = cbpii_tokens_to_json(given, &saved);
    if (error == NULL)
        error = cbpii_tokens_from_json(cbpii_string_text(saved), &tokens);
    if (error == NULL) {
        cbpii_tokens_free(s->tokens);
        s->tokens = tokens;
        error = tell_tokens(&s->c, tokens);
    }
    cbpii_string_free(saved);
    cbpii_tokens_free(given);
    return error;
}

static cbpii_error *complete_consent(scene *s, json_t *members)
{
    const char *callback = s->callback;
    cbpii_tokens *given = NULL;
    cbpii_error *error;

    if (!take_apart(&s->c, members, "{s?s}", "callback", &callback))
        return NULL;
    error = cbpii_client_complete_consent(s->client, s->pending, callback, &given);
    return take(s, error, given);
}

static cbpii_error *exchange_code(scene *s, json_t *members)
{
    const char *text = NULL;
    cbpii_tokens *given = NULL;
    cbpii_authorization_code *code = NULL;
    cbpii_error *error = NULL;

    if (!take_apart(&s->c, members, "{s?s}", "code", &text))
        return NULL;
    if (text)
        error = cbpii_authorization_code_new(text, &code);
    if (error)
        return error;
    if (code) {
        cbpii_authorization_code_free(s->code);
        s->code = code;
    }
    error = cbpii_client_exchange_code(s->client, s->pending, s->code, 0, NULL, &given);
    return take(s, error, given);
}

static cbpii_error *consent(scene *s, json_t *members)
{
    const char *persona;
    cbpii_tokens *given = NULL;
    cbpii_error *error;

    if (!take_apart(&s->c, members, "{ss}", "persona", &persona))
        return NULL;
    error = begin(s, 0);
    if (error)
        return error;
    go(s, "approve", persona);
    json_object_clear(s->c.facts);
    error = cbpii_client_complete_consent(s->client, s->pending, s->callback, &given);
    return take(s, error, given);
}

static cbpii_error *tokens(scene *s, json_t *members)
{
    const char *access, *refresh_token = NULL, *obtained, *ends = NULL, *consent_ends;
    int64_t obtained_at, expires_at = 0, consent_expires_at;
    cbpii_tokens *given = NULL;
    cbpii_error *error;

    if (!take_apart(&s->c, members, "{ss, s?s, ss, s?s, ss}", "access_token", &access, "refresh_token", &refresh_token,
                    "obtained_at", &obtained, "expires_at", &ends, "consent_expires_at", &consent_ends)
        || !read_moment(&s->c, obtained, &obtained_at) || !read_moment(&s->c, consent_ends, &consent_expires_at)
        || (ends && !read_moment(&s->c, ends, &expires_at)))
        return NULL;
    error = cbpii_tokens_new(access, refresh_token, obtained_at, ends ? &expires_at : NULL, consent_expires_at, &given);
    return take(s, error, given);
}

static cbpii_error *refresh(scene *s, json_t *members)
{
    json_int_t timeout = 0;
    cbpii_tokens *given = NULL;
    cbpii_error *error;

    if (!take_apart(&s->c, members, "{s?I}", "timeout_ms", &timeout))
        return NULL;
    error = cbpii_client_refresh(s->client, s->tokens, timeout, NULL, &given);
    return take(s, error, given);
}

const step CONSENT_STEPS[] = {
    {"begin_consent", begin_consent},
    {"visit", visit},
    {"complete", complete},
    {"complete_consent", complete_consent},
    {"exchange_code", exchange_code},
    {"consent", consent},
    {"tokens", tokens},
    {"refresh", refresh},
    {NULL, NULL},
};
