/* Steps about clients, consents and tokens. */
#include <stdlib.h>
#include <string.h>

#include "moment.h"
#include "scene.h"
#include "wire.h"

static int64_t tell_time(void *user_data)
{
    (void)user_data;
    return present();
}

/* Sets one side's certificates and key, given as PEM text; null is none. */
static cbpii_error *set_identity(scene *s, cbpii_issuer *issuer, json_t *pair, bool is_seal)
{
    const char *chain, *key, *password = NULL, *key_id = NULL;
    cbpii_error *error;

    if (json_is_null(pair)
        || !take_apart(&s->c, pair, "{ss, ss, s?s, s?s}", "chain", &chain, "key", &key, "password", &password,
                       "key_id", &key_id))
        return NULL;
    if (is_seal)
        error = cbpii_issuer_set_seal(issuer, (const uint8_t *)chain, strlen(chain), (const uint8_t *)key, strlen(key),
                                      password);
    else
        error = cbpii_issuer_set_transport(issuer, (const uint8_t *)chain, strlen(chain), (const uint8_t *)key,
                                           strlen(key), password);
    if (error == NULL && key_id)
        error = cbpii_issuer_set_seal_key_id(issuer, key_id);
    return error;
}

static cbpii_error *make_issuer(scene *s, json_t *input, cbpii_issuer **issuer)
{
    const char *client_id, *redirect_uri;
    json_t *secret, *transport, *seal;
    cbpii_error *error;

    if (!take_apart(&s->c, input, "{ss, so, ss, so, so}", "client_id", &client_id, "client_secret", &secret,
                    "redirect_uri", &redirect_uri, "transport", &transport, "seal", &seal))
        return NULL;
    error = cbpii_issuer_new(client_id, redirect_uri, issuer);
    if (error == NULL && json_is_string(secret))
        error = cbpii_issuer_set_client_secret(*issuer, json_string_value(secret));
    if (error == NULL)
        error = set_identity(s, *issuer, transport, false);
    if (error == NULL)
        error = set_identity(s, *issuer, seal, true);
    return error;
}

static cbpii_error *make_options(scene *s, json_t *input, cbpii_client_options **options)
{
    json_int_t timeout = -1, connect_timeout = -1, idle = -1, retries = -1;
    const char *proxy = NULL;
    cbpii_error *error = cbpii_client_options_new(options);

    take_apart(&s->c, input, "{s?I, s?I, s?I, s?I, s?s}", "timeout_ms", &timeout, "connect_timeout_ms",
               &connect_timeout, "max_idle_connections", &idle, "retries", &retries, "proxy", &proxy);
    if (error == NULL)
        error = cbpii_client_options_set_clock(*options, tell_time, NULL, NULL);
    if (error == NULL)
        error = cbpii_client_options_set_check_eligibility(*options, false);
    if (error == NULL && timeout >= 0)
        error = cbpii_client_options_set_timeout(*options, timeout);
    if (error == NULL && connect_timeout >= 0)
        error = cbpii_client_options_set_connect_timeout(*options, connect_timeout);
    if (error == NULL && idle >= 0)
        error = cbpii_client_options_set_max_idle_connections(*options, (size_t)idle);
    if (error == NULL && retries >= 0)
        error = cbpii_client_options_set_retries(*options, (uint32_t)retries);
    if (error == NULL && proxy)
        error = cbpii_client_options_set_proxy(*options, proxy);
    return error;
}

static cbpii_error *client(scene *s, json_t *members)
{
    json_t *bank_members = NULL, *issuer_members = NULL, *option_members = NULL, *record, *issuer_input, *option_input;
    cbpii_bank *bank = NULL;
    cbpii_issuer *issuer = NULL;
    cbpii_client_options *options = NULL;
    cbpii_error *error;

    if (!take_apart(&s->c, members, "{s?o, s?o, s?o}", "bank", &bank_members, "issuer", &issuer_members, "client",
                    &option_members))
        return NULL;
    drop_client(s);
    record = input_of(s, "bank", bank_members);
    issuer_input = input_of(s, "issuer", issuer_members);
    option_input = input_of(s, "client", option_members);
    error = make_issuer(s, issuer_input, &issuer);
    if (error == NULL)
        error = bank_of(record, &bank);
    if (error == NULL)
        error = make_options(s, option_input, &options);
    if (error == NULL)
        error = cbpii_client_new(bank, issuer, options, &s->client);
    if (error == NULL)
        tell_text(&s->c, "bank_id", cbpii_bank_id(bank));
    cbpii_client_options_free(options);
    cbpii_issuer_free(issuer);
    cbpii_bank_free(bank);
    json_decref(option_input);
    json_decref(issuer_input);
    json_decref(record);
    return error;
}

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
    {"client", client},
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
