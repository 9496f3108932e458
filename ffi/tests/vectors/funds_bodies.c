/* funds_bodies.json and error_bodies.json: status, headers and body to yes, no, or what an error says. */
#include "moment.h"
#include "question.h"

void tell_confirmation(vector_case *c, const cbpii_funds_confirmation *answer)
{
    int32_t signature = cbpii_funds_confirmation_response_signature(answer);

    tell(c, "available", json_boolean(cbpii_funds_confirmation_available(answer)));
    tell_text(c, "reference", cbpii_funds_confirmation_reference(answer));
    tell_text(c, "request_id", cbpii_funds_confirmation_request_id(answer));
    tell_text(c, "correlation_id", cbpii_funds_confirmation_correlation_id(answer));
    tell_text(c, "bank_id", cbpii_funds_confirmation_bank_id(answer));
    tell_moment(c, "checked_at", cbpii_funds_confirmation_checked_at(answer));
    tell_text(c, "response_signature", cbpii_response_signature_name(signature));
    tell_text(c, "deprecation_warning", cbpii_funds_confirmation_deprecation_warning(answer));
}

static cbpii_error *ask(vector_case *c, struct wire *wire, json_t *record, json_t *input)
{
    cbpii_client *client = NULL;
    cbpii_funds_request *request = NULL;
    cbpii_funds_confirmation *answer = NULL;
    cbpii_error *error = client_of(wire, record, &client);

    if (error == NULL)
        error = question_of(c, input, &request);
    if (error == NULL && request)
        error = ask_funds(client, wire, request, &answer);
    if (error == NULL && answer)
        tell_confirmation(c, answer);
    cbpii_funds_confirmation_free(answer);
    cbpii_funds_request_free(request);
    cbpii_client_free(client);
    return error;
}

cbpii_error *run_funds_body(vector_case *c)
{
    struct wire wire = {0, NULL, NULL, 0, NULL, NULL, 0};
    json_t *record, *request, *headers = NULL, *body = NULL;
    const char *moment;
    int status;
    cbpii_error *error = NULL;

    if (!take_apart(c, c->input, "{so, ss, so, si, s?o, s?o}", "bank", &record, "now", &moment, "request", &request,
                    "status", &status, "headers", &headers, "body", &body)
        || !read_moment(c, moment, &wire.now))
        return NULL;
    wire_answer(c, &wire, status, headers, body);
    if (c->trouble[0] == '\0')
        error = ask(c, &wire, record, request);
    wire_clear(&wire);
    return error;
}
