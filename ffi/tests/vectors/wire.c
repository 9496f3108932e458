#include "wire.h"

#include <string.h>

/* The client's clock. */
static int64_t tell_time(void *user_data)
{
    return ((const struct wire *)user_data)->now;
}

/* Keeps what is sent. */
static void keep(struct wire *wire, const cbpii_http_request *request)
{
    size_t count = cbpii_http_request_header_count(request), place;

    json_decref(wire->sent_headers);
    json_decref(wire->sent_body);
    wire->sent_headers = json_array();
    for (place = 0; place < count; place++)
        json_array_append_new(wire->sent_headers,
                              json_pack("[ss]", cbpii_http_request_header_name(request, place),
                                        cbpii_http_request_header_value(request, place)));
    wire->sent_body = json_stringn((const char *)cbpii_http_request_body(request),
                                   cbpii_http_request_body_length(request));
}

static cbpii_error *exchange(void *user_data, const cbpii_http_request *request, cbpii_http_response *response)
{
    struct wire *wire = user_data;
    cbpii_error *error = cbpii_http_response_set_status(response, wire->status);
    size_t place;
    json_t *header;

    keep(wire, request);
    json_array_foreach(wire->headers, place, header) {
        if (error == NULL)
            error = cbpii_http_response_add_header(response, json_string_value(json_array_get(header, 0)),
                                                   json_string_value(json_array_get(header, 1)));
    }
    if (error == NULL)
        error = cbpii_http_response_set_body(response, wire->body, wire->body_length);
    return error;
}

void wire_clear(struct wire *wire)
{
    free(wire->body);
    json_decref(wire->sent_headers);
    json_decref(wire->sent_body);
}

cbpii_error *client_over(struct wire *wire, const cbpii_bank *bank, const cbpii_issuer *issuer, cbpii_client **client)
{
    const cbpii_transport transport = {wire, exchange, NULL};
    cbpii_client_options *options = NULL;
    cbpii_error *error = cbpii_client_options_new(&options);

    if (error == NULL)
        error = cbpii_client_options_set_transport(options, &transport);
    if (error == NULL)
        error = cbpii_client_options_set_clock(options, tell_time, wire, NULL);
    if (error == NULL)
        error = cbpii_client_options_set_check_eligibility(options, false);
    if (error == NULL)
        error = cbpii_client_new(bank, issuer, options, client);
    cbpii_client_options_free(options);
    return error;
}

/* Sets the secret of banks that want one. */
static cbpii_error *set_secret(const cbpii_bank *bank, cbpii_issuer *issuer)
{
    json_t *authentication = NULL;
    cbpii_error *error = bank_member(bank, "client_authentication", &authentication);
    const char *name = json_string_value(authentication);

    if (error == NULL && (name == NULL || strcmp(name, "tls_client_auth") != 0))
        error = cbpii_issuer_set_client_secret(issuer, "s3cr3t");
    json_decref(authentication);
    return error;
}

cbpii_error *client_of(struct wire *wire, json_t *record, cbpii_client **client)
{
    cbpii_bank *bank = NULL;
    cbpii_issuer *issuer = NULL;
    cbpii_error *error = bank_of(record, &bank);

    if (error == NULL)
        error = issuer_of(CLIENT_ID, REDIRECT_URI, &issuer);
    if (error == NULL)
        error = set_secret(bank, issuer);
    if (error == NULL)
        error = client_over(wire, bank, issuer, client);
    cbpii_issuer_free(issuer);
    cbpii_bank_free(bank);
    return error;
}
