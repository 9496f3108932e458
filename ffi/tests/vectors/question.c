#include "question.h"

#include <string.h>

#define LENGTH(list) (sizeof(list) / sizeof(list)[0])

/* What a case calls a PSU header, and its name. */
static const char *const PSU_HEADERS[][2] = {
    {"ip_address", "PSU-IP-Address"},         {"ip_port", "PSU-IP-Port"},
    {"http_method", "PSU-HTTP-Method"},       {"date", "PSU-Date"},
    {"geo_location", "PSU-GEO-Location"},     {"user_agent", "PSU-User-Agent"},
    {"referer", "PSU-Referer"},               {"accept", "PSU-Accept"},
    {"accept_charset", "PSU-Accept-Charset"}, {"accept_encoding", "PSU-Accept-Encoding"},
    {"accept_language", "PSU-Accept-Language"}, {"device_id", "PSU-Device-ID"},
};

static const char *psu_header(const char *member)
{
    size_t place = 0;

    while (place < LENGTH(PSU_HEADERS) && strcmp(PSU_HEADERS[place][0], member) != 0)
        place++;
    return place < LENGTH(PSU_HEADERS) ? PSU_HEADERS[place][1] : NULL;
}

static cbpii_error *set_psu_headers(vector_case *c, json_t *psu, cbpii_funds_request *request)
{
    cbpii_error *error = NULL;
    const char *member;
    json_t *value;

    json_object_foreach(psu, member, value) {
        const char *name = psu_header(member);

        if (name == NULL || !json_is_string(value))
            trouble(c, "%s is no known PSU header, or not a text", member);
        else if (error == NULL)
            error = cbpii_funds_request_set_psu_header(request, name, json_string_value(value));
    }
    return error;
}

/* The number of an account scheme. 0 when there is none of this name. */
static int32_t scheme_of(const char *name)
{
    int32_t scheme = 1;

    while (cbpii_scheme_name(scheme) && strcmp(cbpii_scheme_name(scheme), name) != 0)
        scheme++;
    return cbpii_scheme_name(scheme) ? scheme : 0;
}

static cbpii_error *other_account(vector_case *c, json_t *other, cbpii_account **account)
{
    const char *identification, *scheme, *issuer = NULL;

    if (!take_apart(c, other, "{ss, ss, s?s}", "identification", &identification, "scheme", &scheme, "issuer",
                    &issuer))
        return NULL;
    if (scheme_of(scheme) == 0) {
        c->unsaid = "schemes are numbers, and none is for this one";
        return NULL;
    }
    return cbpii_account_other(identification, scheme_of(scheme), issuer, account);
}

static cbpii_error *account_of(vector_case *c, json_t *input, cbpii_account **account)
{
    const char *iban = NULL, *currency = NULL, *workspace = NULL;
    json_t *other = NULL;
    cbpii_error *error = NULL;

    if (!take_apart(c, input, "{s?s, s?o, s?s, s?s}", "iban", &iban, "other", &other, "currency", &currency,
                    "workspace", &workspace))
        return NULL;
    if ((iban != NULL) == (other != NULL))
        trouble(c, "an account has either an IBAN or another identification");
    else if (iban)
        error = cbpii_account_from_iban(iban, account);
    else
        error = other_account(c, other, account);
    if (error == NULL && *account && currency)
        error = cbpii_account_set_currency(*account, currency);
    if (error == NULL && *account && workspace)
        error = cbpii_account_set_workspace(*account, workspace);
    return error;
}

cbpii_error *question_of(vector_case *c, json_t *input, cbpii_funds_request **request)
{
    const char *reference, *amount, *currency, *payee = NULL, *id = NULL;
    json_t *whose, *psu = NULL;
    cbpii_account *account = NULL;
    cbpii_error *error;

    if (!take_apart(c, input, "{ss, so, ss, ss, s?s, s?s, s?o}", "reference", &reference, "account", &whose, "amount",
                    &amount, "currency", &currency, "payee", &payee, "request_id", &id, "psu", &psu)
        || !sayable(c, input))
        return NULL;
    error = account_of(c, whose, &account);
    if (error == NULL && account)
        error = cbpii_funds_request_new(reference, account, amount, currency, request);
    if (error == NULL && *request && payee)
        error = cbpii_funds_request_set_payee(*request, payee);
    if (error == NULL && *request && id)
        error = cbpii_funds_request_set_request_id(*request, id);
    if (error == NULL && *request && psu)
        error = set_psu_headers(c, psu, *request);
    cbpii_account_free(account);
    return error;
}

cbpii_error *ask_funds(const cbpii_client *client, const struct wire *wire, const cbpii_funds_request *request,
                       cbpii_funds_confirmation **confirmation)
{
    cbpii_tokens *tokens = NULL;
    cbpii_error *error = cbpii_tokens_new("2YotnFZFEjr1zCsicMWpAA", NULL, wire->now, NULL,
                                          wire->now + INT64_C(86400000), &tokens);

    if (error == NULL)
        error = cbpii_client_confirm_funds(client, tokens, request, confirmation);
    cbpii_tokens_free(tokens);
    return error;
}
