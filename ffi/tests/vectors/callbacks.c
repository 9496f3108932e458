/* callbacks.json: saved pending consent, callback and moment to a code. */
#include <stdlib.h>

#include "moment.h"
#include "wire.h"

static cbpii_error *complete(vector_case *c, json_t *saved, const char *callback, int64_t now)
{
    cbpii_pending_consent *pending = NULL;
    cbpii_authorization_code *code = NULL;
    cbpii_string *secret = NULL;
    char *text = text_of(saved);
    cbpii_error *error = cbpii_pending_consent_from_json(text, &pending);

    if (error == NULL)
        error = cbpii_pending_consent_complete(pending, callback, now, &code);
    if (error == NULL)
        error = cbpii_authorization_code_expose(code, &secret);
    if (error == NULL)
        tell_secret(c, "code", secret);
    cbpii_authorization_code_free(code);
    cbpii_pending_consent_free(pending);
    free(text);
    return error;
}

cbpii_error *run_callback(vector_case *c)
{
    json_t *saved, *named = json_object_get(c->shared, "pending");
    const char *callback, *moment;
    int64_t now;

    if (!take_apart(c, c->input, "{so, ss, ss}", "pending", &saved, "callback", &callback, "now", &moment)
        || !sayable(c, json_object_get(c->input, "callback")) || !read_moment(c, moment, &now))
        return NULL;
    if (json_is_string(saved))
        saved = json_object_get(named, json_string_value(saved));
    if (saved == NULL || saved == named) {
        trouble(c, "the case has no pending consent, or names none");
        return NULL;
    }
    return complete(c, saved, callback, now);
}
