/* The bank and the issuer of a case. */
#include <stdlib.h>

#include "shared_bank.h"
#include "wire.h"

char *text_of(const json_t *value)
{
    return json_dumps(value, WRITE_FLAGS);
}

cbpii_error *bank_of(json_t *record, cbpii_bank **bank)
{
    char *text = text_of(record);
    cbpii_error *error = cbpii_bank_from_json(text, bank);

    free(text);
    return error;
}

cbpii_error *bank_member(const cbpii_bank *bank, const char *member, json_t **value)
{
    cbpii_string *text = NULL;
    cbpii_error *error = cbpii_bank_to_json(bank, &text);
    json_t *record = json_loads(text ? cbpii_string_text(text) : "", READ_FLAGS, NULL);

    *value = json_incref(json_object_get(record, member));
    json_decref(record);
    cbpii_string_free(text);
    return error;
}

cbpii_error *issuer_of(const char *client_id, const char *redirect_uri, cbpii_issuer **issuer)
{
    identity seal = shared_identity("qsealc");
    cbpii_error *error = cbpii_issuer_new(client_id, redirect_uri, issuer);

    if (error == NULL)
        error = cbpii_issuer_set_seal_files(*issuer, seal.chain, seal.key, NULL);
    if (error == NULL)
        error = cbpii_issuer_set_seal_key_id(*issuer, "https://issuer.example/seal");
    return error;
}
