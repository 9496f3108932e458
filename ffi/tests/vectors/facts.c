/* What a case notes while it runs. */
#include "suite.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void trouble(vector_case *c, const char *format, ...)
{
    va_list arguments;

    if (c->trouble[0] != '\0')
        return;
    va_start(arguments, format);
    vsnprintf(c->trouble, sizeof c->trouble, format, arguments);
    va_end(arguments);
}

bool take_apart(vector_case *c, json_t *object, const char *format, ...)
{
    va_list arguments;
    json_error_t error;
    int failed;

    va_start(arguments, format);
    failed = json_vunpack_ex(object, &error, JSON_STRICT, format, arguments);
    va_end(arguments);
    if (failed)
        trouble(c, "cannot be run: %s", error.text);
    return !failed;
}

bool sayable(vector_case *c, json_t *input)
{
    const char *member;
    json_t *value;

    if (json_is_string(input) && strlen(json_string_value(input)) != json_string_length(input))
        c->unsaid = "a text with NUL in it would end there";
    json_object_foreach(input, member, value)
        sayable(c, value);
    return c->unsaid == NULL;
}

void tell(vector_case *c, const char *fact, json_t *value)
{
    if (json_object_set_new(c->facts, fact, value) != 0)
        trouble(c, "the fact %s is not UTF-8", fact);
}

void tell_text(vector_case *c, const char *fact, const char *text)
{
    tell(c, fact, text ? json_string(text) : json_null());
}

void tell_secret(vector_case *c, const char *fact, cbpii_string *secret)
{
    const char *text = cbpii_string_text(secret);

    if (text && strlen(text) != cbpii_string_length(secret))
        trouble(c, "the length of the fact %s is wrong", fact);
    tell_text(c, fact, text);
    cbpii_string_free(secret);
}

/* The number of an error must say the same as its code. */
static void check_number(vector_case *c, const cbpii_error *error)
{
    const char *code = cbpii_error_number_code(cbpii_error_number(error));

    if (code == NULL || strcmp(code, cbpii_error_code(error)) != 0)
        trouble(c, "the number of the error %s means %s", cbpii_error_code(error), code ? code : "nothing");
}

void tell_error(vector_case *c, cbpii_error *error)
{
    int32_t status = cbpii_error_http_status(error);
    int64_t pause = 0;
    bool has_pause = cbpii_error_retry_after(error, &pause);

    check_number(c, error);
    json_object_clear(c->facts);
    tell_text(c, "error", cbpii_error_code(error));
    tell(c, "number", json_integer(cbpii_error_number(error)));
    tell_text(c, "kind", cbpii_error_kind_name(cbpii_error_kind(error)));
    tell_text(c, "advice", cbpii_advice_name(cbpii_error_advice(error)));
    tell_text(c, "message", cbpii_error_message(error));
    tell_text(c, "bank_code", cbpii_error_bank_code(error));
    tell_text(c, "bank_message", cbpii_error_bank_message(error));
    tell(c, "http_status", status ? json_integer(status) : json_null());
    tell(c, "retry_after_seconds", has_pause ? json_integer(pause / 1000) : json_null());
    tell_text(c, "request_id", cbpii_error_request_id(error));
    tell_text(c, "correlation_id", cbpii_error_correlation_id(error));
    tell_text(c, "request_sent", cbpii_request_sent_name(cbpii_error_request_sent(error)));
    cbpii_error_free(error);
}
