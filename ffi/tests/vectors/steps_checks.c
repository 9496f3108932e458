/* Steps about checks and the sessions they are made by. */
#include <stdlib.h>
#include <string.h>

#include "moment.h"
#include "question.h"
#include "scene.h"

/* The request of a step, and the time the call may take (0: the client's own). */
static cbpii_error *read_question(scene *s, json_t *members, cbpii_funds_request **request, json_int_t *timeout)
{
    json_t *over = NULL, *input;
    cbpii_error *error;

    if (!take_apart(&s->c, members, "{s?o, s?I}", "request", &over, "timeout_ms", timeout))
        return NULL;
    input = input_of(s, "request", over);
    error = question_of(&s->c, input, request);
    json_decref(input);
    return error;
}

static cbpii_error *answered(scene *s, cbpii_error *error, cbpii_funds_confirmation *answer)
{
    if (error == NULL)
        tell_confirmation(&s->c, answer);
    cbpii_funds_confirmation_free(answer);
    return error;
}

static cbpii_error *confirm_funds(scene *s, json_t *members)
{
    cbpii_funds_request *request = NULL;
    cbpii_funds_confirmation *answer = NULL;
    json_int_t timeout = 0;
    cbpii_error *error = read_question(s, members, &request, &timeout);

    if (error == NULL)
        error = cbpii_client_confirm_funds_with(s->client, s->tokens, request, timeout, NULL, &answer);
    cbpii_funds_request_free(request);
    return answered(s, error, answer);
}

static cbpii_error *session_confirm_funds(scene *s, json_t *members)
{
    cbpii_funds_request *request = NULL;
    cbpii_funds_confirmation *answer = NULL;
    json_int_t timeout = 0;
    cbpii_error *error = read_question(s, members, &request, &timeout);

    if (error == NULL)
        error = cbpii_session_confirm_funds_with(s->session, request, timeout, NULL, &answer);
    cbpii_funds_request_free(request);
    return answered(s, error, answer);
}

static void tell_explanation(vector_case *c, const cbpii_explanation *explained)
{
    json_t *headers = json_array();
    size_t place;

    for (place = 0; place < cbpii_explanation_header_count(explained); place++)
        json_array_append_new(headers, json_pack("[ss]", cbpii_explanation_header_name(explained, place),
                                                 cbpii_explanation_header_value(explained, place)));
    tell_text(c, "method", cbpii_explanation_method(explained));
    tell_text(c, "url", cbpii_explanation_url(explained));
    tell(c, "headers", headers);
    tell_text(c, "body", cbpii_explanation_body(explained));
    tell_text(c, "digest_input", cbpii_explanation_digest_input(explained));
    tell_text(c, "signing_string", cbpii_explanation_signing_string(explained));
    tell_text(c, "key_id", cbpii_explanation_key_id(explained));
    tell_text(c, "key_id_source", cbpii_explanation_key_id_source(explained));
}

static cbpii_error *explain(scene *s, json_t *members)
{
    cbpii_funds_request *request = NULL;
    cbpii_explanation *explained = NULL;
    json_int_t timeout = 0;
    cbpii_error *error = read_question(s, members, &request, &timeout);

    if (error == NULL)
        error = cbpii_client_explain(s->client, request, &explained);
    if (error == NULL)
        tell_explanation(&s->c, explained);
    cbpii_explanation_free(explained);
    cbpii_funds_request_free(request);
    return error;
}

/* The bytes of hexadecimal digits; returns how many. */
static size_t bytes_of(const char *digits, uint8_t bytes[64])
{
    size_t length = strlen(digits) / 2, place;

    for (place = 0; place < length && place < 64; place++) {
        char pair[] = {digits[2 * place], digits[2 * place + 1], '\0'};

        bytes[place] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return place;
}

static cbpii_error *make_keys(const char *key, json_t *old_keys, cbpii_record_keys **keys)
{
    uint8_t bytes[64];
    size_t length = bytes_of(key, bytes), place;
    cbpii_error *error = cbpii_record_keys_new(bytes, length, keys);
    json_t *old;

    json_array_foreach(old_keys, place, old) {
        if (error == NULL) {
            length = bytes_of(json_string_value(old), bytes);
            error = cbpii_record_keys_add_old(*keys, bytes, length);
        }
    }
    return error;
}

static cbpii_error *store(scene *s, json_t *members)
{
    const char *url, *key;
    json_t *old_keys = NULL;
    cbpii_record_keys *keys = NULL;
    cbpii_error *error;

    if (!take_apart(&s->c, members, "{ss, ss, s?o}", "url", &url, "key", &key, "old_keys", &old_keys))
        return NULL;
    drop_pool(s);
    cbpii_store_free(s->store);
    s->store = NULL;
    error = make_keys(key, old_keys, &keys);
    if (error == NULL)
        error = cbpii_store_open(url, keys, &s->store);
    cbpii_record_keys_free(keys);
    return error;
}

/* Makes the pool of the present client and store when there is none. */
static cbpii_error *make_pool(scene *s)
{
    json_int_t margin = -1, renew_before = -1, timeout = -1;
    cbpii_session_options *options = NULL;
    cbpii_error *error;

    if (s->pool)
        return NULL;
    take_apart(&s->c, json_object_get(s->journey, "session"), "{s?I, s?I, s?I}", "refresh_margin_seconds", &margin,
               "renew_before_seconds", &renew_before, "refresh_timeout_ms", &timeout);
    error = cbpii_session_options_new(&options);
    if (error == NULL && margin >= 0)
        error = cbpii_session_options_set_refresh_margin(options, margin * 1000);
    if (error == NULL && renew_before >= 0)
        error = cbpii_session_options_set_renew_before(options, renew_before * 1000);
    if (error == NULL && timeout >= 0)
        error = cbpii_session_options_set_refresh_timeout(options, timeout);
    if (error == NULL)
        error = cbpii_session_pool_new(s->client, s->store, options, &s->pool);
    cbpii_session_options_free(options);
    return error;
}

static json_t *history_of(const cbpii_consent_history *history)
{
    json_t *moments = json_array();
    size_t place;

    for (place = 0; place < cbpii_consent_history_length(history); place++) {
        int32_t cause = cbpii_consent_history_cause(history, place);

        json_array_append_new(
            moments, json_pack("[s, o, s?]", cbpii_consent_event_name(cbpii_consent_history_event(history, place)),
                               moment_text(cbpii_consent_history_at(history, place)),
                               cause ? cbpii_error_number_code(cause) : NULL));
    }
    return moments;
}

static cbpii_error *tell_session(vector_case *c, const cbpii_session *session)
{
    cbpii_consent_history *history = NULL;
    cbpii_error *error = cbpii_session_history(session, &history);

    tell_text(c, "id", cbpii_session_id(session));
    tell_text(c, "state", cbpii_consent_state_name(cbpii_session_state(session)));
    tell_text(c, "next_action", cbpii_next_action_name(cbpii_session_next_action(session)));
    tell_moment(c, "consent_expires_at", cbpii_session_consent_expires_at(session));
    tell_moment(c, "renew_from", cbpii_session_renew_from(session));
    tell(c, "days_left", json_integer(cbpii_session_days_left(session)));
    tell(c, "has_unsaved_tokens", json_boolean(cbpii_session_has_unsaved_tokens(session)));
    tell(c, "history", history_of(history));
    cbpii_consent_history_free(history);
    return error;
}

/* Keeps the journey's tokens under an id, or opens what is kept there. */
static cbpii_error *hold(scene *s, json_t *members, bool keeps)
{
    const char *id;
    cbpii_session *session = NULL;
    cbpii_error *error;

    if (!take_apart(&s->c, members, "{ss}", "id", &id))
        return NULL;
    error = make_pool(s);
    if (error == NULL && keeps)
        error = cbpii_session_pool_keep(s->pool, id, s->tokens, &session);
    else if (error == NULL)
        error = cbpii_session_pool_open(s->pool, id, &session);
    if (error)
        return error;
    cbpii_session_free(s->session);
    s->session = session;
    return tell_session(&s->c, session);
}

static cbpii_error *keep(scene *s, json_t *members)
{
    return hold(s, members, true);
}

static cbpii_error *open_session(scene *s, json_t *members)
{
    return hold(s, members, false);
}

static cbpii_error *look(scene *s, json_t *members)
{
    return take_apart(&s->c, members, "{}") ? tell_session(&s->c, s->session) : NULL;
}

static cbpii_error *forget(scene *s, json_t *members)
{
    const char *id;
    bool removed = false;
    cbpii_error *error;

    if (!take_apart(&s->c, members, "{ss}", "id", &id))
        return NULL;
    error = make_pool(s);
    if (error == NULL)
        error = cbpii_session_pool_forget(s->pool, id, &removed);
    tell(&s->c, "forgotten", json_boolean(removed));
    return error;
}

static cbpii_error *renewals_due(scene *s, json_t *members)
{
    const char *text;
    int64_t before;
    json_t *due = json_array();
    cbpii_renewals *renewals = NULL;
    cbpii_renewal *one = NULL;
    cbpii_error *error;

    if (!take_apart(&s->c, members, "{ss}", "before", &text) || !read_moment(&s->c, text, &before))
        return NULL;
    error = cbpii_renewals_due(s->store, before, &renewals);
    while (error == NULL && (error = cbpii_renewals_next(renewals, &one)) == NULL && one) {
        json_array_append_new(due, json_pack("[s, s, o, s]", cbpii_renewal_id(one), cbpii_renewal_bank_id(one),
                                             moment_text(cbpii_renewal_consent_expires_at(one)),
                                             cbpii_renewal_reason_name(cbpii_renewal_reason(one))));
        cbpii_renewal_free(one);
    }
    cbpii_renewals_free(renewals);
    tell(&s->c, "due", due);
    return error;
}

const step CHECK_STEPS[] = {
    {"confirm_funds", confirm_funds},
    {"explain", explain},
    {"store", store},
    {"keep", keep},
    {"open", open_session},
    {"session", look},
    {"session_confirm_funds", session_confirm_funds},
    {"forget", forget},
    {"renewals_due", renewals_due},
    {NULL, NULL},
};
