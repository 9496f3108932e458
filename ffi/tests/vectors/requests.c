/* requests.json: currencies, amounts, IBANs and whole requests to their normal form, and to what is sent.
 *
 * C has no functions for the normal form of a currency, an amount or an IBAN: it is read off a request, as it is sent
 * and as it is explained.
 */
#include <stdio.h>
#include <string.h>

#include "moment.h"
#include "question.h"

#define ANY_IBAN "FR7617515900000800358074006"

/* Headers that every request has, or that depend on the key. */
static const char *const OWN_HEADERS[] = {"accept", "authorization", "content-type", "date", "digest", "signature"};

static bool is_own_header(const char *name)
{
    size_t place = 0, count = sizeof OWN_HEADERS / sizeof OWN_HEADERS[0];

    while (place < count && strcmp(OWN_HEADERS[place], name) != 0)
        place++;
    return place < count;
}

/* Sends the request; that the bank answers 500 is no error here, anything else is. */
static cbpii_error *send_request(vector_case *c, struct wire *wire, const cbpii_client *client,
                                 const cbpii_funds_request *request)
{
    cbpii_funds_confirmation *answer = NULL;
    cbpii_error *error = ask_funds(client, wire, request, &answer);

    if (error == NULL) {
        trouble(c, "the bank says no, and the library takes it for an answer");
        cbpii_funds_confirmation_free(answer);
    } else if (wire->sent_body && cbpii_error_http_status(error) == 500) {
        cbpii_error_free(error);
        error = NULL;
    }
    return error;
}

/* What left for the bank. */
static void tell_sent(vector_case *c, struct wire *wire)
{
    json_t *headers = json_array(), *header;
    size_t place;

    json_array_foreach(wire->sent_headers, place, header) {
        if (!is_own_header(json_string_value(json_array_get(header, 0))))
            json_array_append(headers, header);
    }
    tell(c, "body", json_incref(wire->sent_body));
    tell(c, "headers", headers);
}

static cbpii_error *run_whole(vector_case *c, struct wire *wire, const cbpii_client *client, json_t *input)
{
    cbpii_funds_request *request = NULL;
    cbpii_error *error = question_of(c, input, &request);

    if (error == NULL && request)
        error = send_request(c, wire, client, request);
    if (error == NULL && wire->sent_body)
        tell_sent(c, wire);
    cbpii_funds_request_free(request);
    return error;
}

/* A fact that is a member of a member of a body. */
static void tell_member(vector_case *c, const char *fact, const char *body, const char *object, const char *member)
{
    json_t *parsed = json_loads(body ? body : "", READ_FLAGS, NULL);
    json_t *value = json_object_get(json_object_get(parsed, object), member);

    if (value == NULL)
        trouble(c, "the body has no %s of %s", member, object);
    else
        tell(c, fact, json_incref(value));
    json_decref(parsed);
}

static void tell_sent_member(vector_case *c, const struct wire *wire, const char *fact, const char *object,
                             const char *member)
{
    tell_member(c, fact, json_string_value(wire->sent_body), object, member);
}

/* Sends an amount of a currency. */
static cbpii_error *send_amount(vector_case *c, struct wire *wire, const cbpii_client *client, const char *amount,
                                const char *currency)
{
    cbpii_funds_request *request = NULL;
    cbpii_error *error = cbpii_funds_request_for_iban("1", ANY_IBAN, amount, currency, &request);

    if (error == NULL)
        error = send_request(c, wire, client, request);
    cbpii_funds_request_free(request);
    return error;
}

static cbpii_error *run_currency(vector_case *c, struct wire *wire, const cbpii_client *client, json_t *input)
{
    const char *code;
    uint32_t decimals;
    cbpii_error *error;

    if (!take_apart(c, input, "{ss}", "code", &code) || !sayable(c, input))
        return NULL;
    error = cbpii_currency_decimals(code, &decimals);
    if (error == NULL)
        error = send_amount(c, wire, client, "1", code);
    if (error == NULL) {
        tell_sent_member(c, wire, "code", "instructedAmount", "currency");
        tell(c, "decimals", json_integer(decimals));
    }
    return error;
}

static cbpii_error *run_amount(vector_case *c, struct wire *wire, const cbpii_client *client, json_t *input)
{
    const char *amount, *currency;
    cbpii_error *error;

    if (!take_apart(c, input, "{ss, ss}", "amount", &amount, "currency", &currency) || !sayable(c, input))
        return NULL;
    error = send_amount(c, wire, client, amount, currency);
    if (error == NULL) {
        tell_sent_member(c, wire, "amount", "instructedAmount", "amount");
        tell_sent_member(c, wire, "currency", "instructedAmount", "currency");
    }
    return error;
}

static void tell_iban(vector_case *c, const cbpii_account *account)
{
    tell_text(c, "country", cbpii_account_country(account));
    tell_text(c, "bank_code", cbpii_account_bank_code(account));
    tell_text(c, "masked", cbpii_account_masked_iban(account));
}

static cbpii_error *run_iban(vector_case *c, struct wire *wire, const cbpii_client *client, json_t *input)
{
    const char *iban;
    cbpii_account *account = NULL;
    cbpii_funds_request *request = NULL;
    cbpii_error *error;

    if (!take_apart(c, input, "{ss}", "iban", &iban) || !sayable(c, input))
        return NULL;
    error = cbpii_iban_check(iban);
    if (error == NULL)
        error = cbpii_account_from_iban(iban, &account);
    if (error == NULL)
        error = cbpii_funds_request_new("1", account, "1", "EUR", &request);
    if (error == NULL)
        error = send_request(c, wire, client, request);
    if (error == NULL) {
        tell_sent_member(c, wire, "iban", "accountId", "iban");
        tell_iban(c, account);
    }
    cbpii_account_free(account);
    cbpii_funds_request_free(request);
    return error;
}

static cbpii_error *run_kind(vector_case *c, struct wire *wire, const cbpii_client *client, json_t *input,
                             const char *kind)
{
    if (strcmp(kind, "currency") == 0)
        return run_currency(c, wire, client, input);
    if (strcmp(kind, "amount") == 0)
        return run_amount(c, wire, client, input);
    if (strcmp(kind, "iban") == 0)
        return run_iban(c, wire, client, input);
    if (strcmp(kind, "request") == 0)
        return run_whole(c, wire, client, input);
    trouble(c, "%s is no known kind", kind);
    return NULL;
}

cbpii_error *run_request(vector_case *c)
{
    struct wire wire = {500, NULL, NULL, 0, NULL, NULL, 0};
    cbpii_client *client = NULL;
    json_t *record, *input;
    const char *moment, *kind;
    cbpii_error *error;

    if (!take_apart(c, c->input, "{so, ss, ss, so}", "bank", &record, "now", &moment, "kind", &kind, "input", &input)
        || !read_moment(c, moment, &wire.now))
        return NULL;
    error = client_of(&wire, record, &client);
    if (error == NULL)
        error = run_kind(c, &wire, client, input, kind);
    cbpii_client_free(client);
    wire_clear(&wire);
    return error;
}
