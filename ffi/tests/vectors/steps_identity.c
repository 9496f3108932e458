/* Steps about who asks: clients and their certificates. */
#include <string.h>

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

static int32_t use_of(vector_case *c, const char *name)
{
    if (strcmp(name, "transport") != 0 && strcmp(name, "seal") != 0)
        trouble(c, "%s is no known use", name);
    return strcmp(name, "seal") == 0 ? CBPII_USE_SEAL : CBPII_USE_TRANSPORT;
}

/* A report by the present time. */
static cbpii_error *inspect(scene *s, json_t *members)
{
    const char *chain, *key = NULL, *password = NULL, *use = NULL, *client_id = NULL;
    cbpii_inspect_options *options = NULL;
    cbpii_certificate_report *report = NULL;
    cbpii_error *error;

    if (!take_apart(&s->c, members, "{ss, s?s, s?s, s?s, s?s}", "chain", &chain, "key", &key, "password", &password,
                    "use", &use, "client_id", &client_id))
        return NULL;
    error = cbpii_inspect_options_new(&options);
    if (error == NULL && use)
        error = cbpii_inspect_options_set_use(options, use_of(&s->c, use));
    if (error == NULL && key)
        error = cbpii_inspect_options_set_key(options, (const uint8_t *)key, strlen(key), password);
    if (error == NULL && client_id)
        error = cbpii_inspect_options_set_client_id(options, client_id);
    if (error == NULL)
        error = cbpii_certificate_inspect((const uint8_t *)chain, strlen(chain), options, &report);
    if (error == NULL) {
        tell_text(&s->c, "organisation_identifier", cbpii_certificate_report_organisation_identifier(report));
        tell(&s->c, "chain_length", json_integer((json_int_t)cbpii_certificate_report_chain_length(report)));
        tell(&s->c, "findings", findings_of(report));
    }
    cbpii_certificate_report_free(report);
    cbpii_inspect_options_free(options);
    return error;
}

const step IDENTITY_STEPS[] = {
    {"client", client},
    {"inspect", inspect},
    {NULL, NULL},
};
