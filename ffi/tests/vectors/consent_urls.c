/* consent_urls.json: bank record, client_id and redirect URI to the consent URL. */
#include <string.h>

#include "encoding.h"
#include "wire.h"

#define NOW INT64_C(1795438800000)

/* The verifier of a pending consent, as its saved form has it. NULL when there is none. */
static cbpii_error *verifier_of(const cbpii_pending_consent *pending, json_t **verifier)
{
    cbpii_string *text = NULL;
    cbpii_error *error = cbpii_pending_consent_to_json(pending, &text);
    json_t *saved = json_loads(text ? cbpii_string_text(text) : "", READ_FLAGS, NULL);

    *verifier = json_incref(json_object_get(saved, "code_verifier"));
    json_decref(saved);
    cbpii_string_free(text);
    return error;
}

/* Puts the stand-in in the place of a value of the query that is different each time. */
static void stand_in(json_t *query, const char *name, const char *value, const char *name_in_braces)
{
    size_t place;
    json_t *pair;

    json_array_foreach(query, place, pair) {
        const char *own_name = json_string_value(json_array_get(pair, 0));
        const char *own = json_string_value(json_array_get(pair, 1));

        if (own && own_name && strcmp(own_name, name) == 0 && strcmp(own, value) == 0)
            json_array_set_new(pair, 1, json_string(name_in_braces));
    }
}

static cbpii_error *tell_url(vector_case *c, const cbpii_pending_consent *pending)
{
    json_t *origin, *path, *query, *verifier = NULL;
    char challenge[44];
    cbpii_error *error = verifier_of(pending, &verifier);

    if (error == NULL && url_parts(cbpii_pending_consent_url(pending), &origin, &path, &query)) {
        stand_in(query, "state", cbpii_pending_consent_state(pending), "{state}");
        if (verifier) {
            code_challenge(json_string_value(verifier), challenge);
            stand_in(query, "code_challenge", challenge, "{code_challenge}");
        }
        tell(c, "origin", origin);
        tell(c, "path", path);
        tell(c, "query", query);
    } else if (error == NULL) {
        trouble(c, "%s is no URL without fragment", cbpii_pending_consent_url(pending));
    }
    json_decref(verifier);
    return error;
}

/* What holds for every pending consent. */
static void check(vector_case *c, const cbpii_pending_consent *pending, const char *redirect_uri)
{
    if (strcmp(cbpii_pending_consent_redirect_uri(pending), redirect_uri) != 0)
        trouble(c, "the redirect URI is %s", cbpii_pending_consent_redirect_uri(pending));
    if (strlen(cbpii_pending_consent_state(pending)) != 43)
        trouble(c, "the state is %s", cbpii_pending_consent_state(pending));
    if (cbpii_pending_consent_created_at(pending) != NOW)
        trouble(c, "the consent did not begin now");
}

static cbpii_error *begin(vector_case *c, const cbpii_bank *bank, const cbpii_issuer *issuer)
{
    struct wire wire = {500, NULL, NULL, 0, NULL, NULL, NOW};
    cbpii_client *client = NULL;
    cbpii_pending_consent *pending = NULL;
    cbpii_error *error = client_over(&wire, bank, issuer, &client);

    if (error == NULL)
        error = cbpii_client_begin_consent(client, 0, &pending);
    if (error == NULL)
        error = tell_url(c, pending);
    if (pending)
        check(c, pending, cbpii_issuer_redirect_uri(issuer));
    cbpii_pending_consent_free(pending);
    cbpii_client_free(client);
    wire_clear(&wire);
    return error;
}

cbpii_error *run_consent_url(vector_case *c)
{
    json_t *record;
    const char *client_id, *redirect_uri, *secret = NULL;
    cbpii_bank *bank = NULL;
    cbpii_issuer *issuer = NULL;
    cbpii_error *error;

    if (!take_apart(c, c->input, "{so, ss, ss, s?s}", "bank", &record, "client_id", &client_id, "redirect_uri",
                    &redirect_uri, "client_secret", &secret)
        || !sayable(c, json_object_get(c->input, "client_id"))
        || !sayable(c, json_object_get(c->input, "redirect_uri"))
        || !sayable(c, json_object_get(c->input, "client_secret")))
        return NULL;
    error = bank_of(record, &bank);
    if (error == NULL)
        error = issuer_of(client_id, redirect_uri, &issuer);
    if (error == NULL && secret)
        error = cbpii_issuer_set_client_secret(issuer, secret);
    if (error == NULL)
        error = begin(c, bank, issuer);
    cbpii_issuer_free(issuer);
    cbpii_bank_free(bank);
    return error;
}
