/* certificates.json: an identity of the sandbox bank to what the report says, and whether a client can be built. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared_bank.h"
#include "wire.h"

/* A certificate file is smaller. */
#define LARGEST 65536

static size_t read_file(vector_case *c, const char *path, unsigned char *bytes)
{
    FILE *file = fopen(path, "rb");
    size_t length = file ? fread(bytes, 1, LARGEST, file) : 0;

    if (length == 0 || length == LARGEST)
        trouble(c, "%s cannot be read", path);
    if (file)
        fclose(file);
    return length;
}

/* The names of the numbers, counted from 1, that the report has. */
static json_t *names_in(const cbpii_certificate_report *report,
                        bool (*has)(const cbpii_certificate_report *report, int32_t number),
                        const char *(*name_of)(int32_t number))
{
    json_t *names = json_array();
    int32_t number;

    for (number = 1; name_of(number); number++) {
        if (has(report, number))
            json_array_append_new(names, json_string(name_of(number)));
    }
    return names;
}

json_t *findings_of(const cbpii_certificate_report *report)
{
    const cbpii_findings *findings = cbpii_certificate_report_findings(report);
    json_t *list = json_array();
    size_t count = cbpii_findings_count(findings), place;

    for (place = 0; place < count; place++)
        json_array_append_new(list, json_pack("[ss]", cbpii_severity_name(cbpii_findings_severity(findings, place)),
                                              cbpii_findings_code(findings, place)));
    return list;
}

static void tell_report(vector_case *c, const cbpii_certificate_report *report)
{
    uint32_t bits = cbpii_certificate_report_key_bits(report);

    tell(c, "roles", names_in(report, cbpii_certificate_report_has_role, cbpii_role_name));
    tell_text(c, "organisation_identifier", cbpii_certificate_report_organisation_identifier(report));
    tell_text(c, "authority_id", cbpii_certificate_report_authority_id(report));
    tell(c, "qc_types", names_in(report, cbpii_certificate_report_has_qc_type, cbpii_qc_type_name));
    tell(c, "qualified", json_boolean(cbpii_certificate_report_is_qualified(report)));
    tell_text(c, "key_type", cbpii_certificate_report_key_type(report));
    tell(c, "key_bits", bits ? json_integer(bits) : json_null());
    tell_text(c, "signature_algorithm", cbpii_certificate_report_signature_algorithm(report));
    tell(c, "chain_length", json_integer((json_int_t)cbpii_certificate_report_chain_length(report)));
    tell(c, "findings", findings_of(report));
}

/* What a certificate is held against. */
static cbpii_error *options_of(const cbpii_bank *bank, const char *client_id, int32_t use,
                               cbpii_inspect_options **options)
{
    json_t *refuses_pss = NULL;
    cbpii_error *error = cbpii_inspect_options_new(options);

    if (error == NULL)
        error = cbpii_inspect_options_set_use(*options, use);
    if (error == NULL)
        error = cbpii_inspect_options_set_client_id(*options, client_id);
    if (error == NULL)
        error = bank_member(bank, "refuses_pss_certificates", &refuses_pss);
    if (error == NULL)
        error = cbpii_inspect_options_set_accepts_pss(*options, json_is_false(refuses_pss));
    json_decref(refuses_pss);
    return error;
}

static cbpii_error *inspect(vector_case *c, const cbpii_bank *bank, const char *client_id, int32_t use,
                            const identity *inspected)
{
    static unsigned char chain[LARGEST];
    size_t length = read_file(c, inspected->chain, chain);
    cbpii_inspect_options *options = NULL;
    cbpii_certificate_report *report = NULL;
    cbpii_error *error = options_of(bank, client_id, use, &options);

    if (error == NULL)
        error = cbpii_certificate_inspect(chain, length, options, &report);
    if (error == NULL)
        tell_report(c, report);
    cbpii_certificate_report_free(report);
    cbpii_inspect_options_free(options);
    return error;
}

/* Builds a client with these identities. That it cannot be built is a fact. */
static void tell_client(vector_case *c, const cbpii_bank *bank, const char *client_id, const identity *transport,
                        const identity *seal)
{
    cbpii_issuer *issuer = NULL;
    cbpii_client *client = NULL;
    cbpii_error *error = cbpii_issuer_new(client_id, REDIRECT_URI, &issuer);

    if (error == NULL)
        error = cbpii_issuer_set_transport_files(issuer, transport->chain, transport->key, NULL);
    if (error == NULL)
        error = cbpii_issuer_set_seal_files(issuer, seal->chain, seal->key, NULL);
    if (error == NULL)
        error = cbpii_client_new(bank, issuer, NULL, &client);
    tell_text(c, "client", error ? cbpii_error_code(error) : "ok");
    cbpii_error_free(error);
    cbpii_client_free(client);
    cbpii_issuer_free(issuer);
}

static int32_t use_of(vector_case *c, const char *name)
{
    if (strcmp(name, "transport") == 0)
        return CBPII_USE_TRANSPORT;
    if (strcmp(name, "seal") != 0)
        trouble(c, "%s is no known use", name);
    return CBPII_USE_SEAL;
}

cbpii_error *run_certificate(vector_case *c)
{
    json_t *record;
    const char *client_id, *name, *use_name;
    identity own, qwac, qsealc;
    cbpii_bank *bank = NULL;
    cbpii_error *error;
    int32_t use;

    if (!take_apart(c, c->input, "{so, ss, ss, ss}", "bank", &record, "client_id", &client_id, "identity", &name, "use",
                    &use_name)
        || !sayable(c, json_object_get(c->input, "client_id")))
        return NULL;
    own = shared_identity(name);
    qwac = shared_identity("qwac");
    qsealc = shared_identity("qsealc");
    use = use_of(c, use_name);
    error = bank_of(record, &bank);
    if (error == NULL)
        error = inspect(c, bank, client_id, use, &own);
    if (error == NULL && use == CBPII_USE_TRANSPORT)
        tell_client(c, bank, client_id, &own, &qsealc);
    else if (error == NULL)
        tell_client(c, bank, client_id, &qwac, &own);
    cbpii_bank_free(bank);
    return error;
}
