/* Reports on certificates: facts, findings, and what they are held against. */
#define _POSIX_C_SOURCE 200809L

#include "kit.h"

static cbpii_certificate_report *report_on(const char *path, const cbpii_inspect_options *options)
{
    size_t length = 0;
    char *bytes = sandbox_file(kit_sandbox, path, &length);
    cbpii_certificate_report *report = NULL;
    OK(cbpii_certificate_inspect((const uint8_t *)bytes, length, options, &report));
    free(bytes);
    return report;
}

/* Whether there is a finding of this code. */
static bool found(const cbpii_certificate_report *report, const char *code)
{
    const cbpii_findings *findings = cbpii_certificate_report_findings(report);
    for (size_t place = 0; place < cbpii_findings_count(findings); place++) {
        if (strcmp(cbpii_findings_code(findings, place), code) == 0) {
            return true;
        }
    }
    return false;
}

static cbpii_inspect_options *options(void)
{
    cbpii_inspect_options *made = NULL;
    OK(cbpii_inspect_options_new(&made));
    return made;
}

/* What a command prints, its line end left out. */
static void assert_command(const char *expected, const char *format, const char *path)
{
    char line[4096] = "";
    char *command = kit_text(format, sandbox_text(kit_sandbox, path));
    FILE *output = popen(command, "r");
    assert_non_null(output);
    assert_non_null(fgets(line, sizeof line, output));
    pclose(output);
    line[strcspn(line, "\n")] = '\0';
    assert_string_equal(line, expected);
    free(command);
}

static void a_report_says_what_is_in_the_certificate(void **state)
{
    (void)state;
    cbpii_certificate_report *report = report_on("issuer.qwac.chain", NULL);
    assert_string_equal(cbpii_certificate_report_organisation_identifier(report), "PSDFR-ACPR-12345");
    assert_string_equal(cbpii_certificate_report_psd2_country(report), "FR");
    assert_string_equal(cbpii_certificate_report_psd2_authority(report), "ACPR");
    assert_string_equal(cbpii_certificate_report_psd2_number(report), "12345");
    assert_non_null(cbpii_certificate_report_authority_name(report));
    assert_string_equal(cbpii_certificate_report_authority_id(report), "FR-ACPR");
    assert_string_equal(cbpii_certificate_report_key_type(report), "RSA");
    assert_int_equal(cbpii_certificate_report_key_bits(report), 2048);
    assert_string_equal(cbpii_certificate_report_signature_algorithm(report), "sha256WithRSAEncryption");
    assert_true(cbpii_certificate_report_has_role(report, CBPII_ROLE_PSP_IC));
    assert_false(cbpii_certificate_report_has_role(report, CBPII_ROLE_PSP_AS));
    assert_false(cbpii_certificate_report_has_role(report, 0));
    assert_true(cbpii_certificate_report_has_qc_type(report, CBPII_QC_TYPE_WEB));
    assert_false(cbpii_certificate_report_has_qc_type(report, CBPII_QC_TYPE_ESEAL));
    assert_false(cbpii_certificate_report_has_qc_type(report, 99));
    assert_true(cbpii_certificate_report_is_qualified(report));
    (void)cbpii_certificate_report_has_secure_device(report);
    int64_t now = kit_real_now();
    assert_true(cbpii_certificate_report_not_before(report) < now);
    assert_true(cbpii_certificate_report_not_after(report) > now);
    assert_int_equal(cbpii_certificate_report_days_left(report), (cbpii_certificate_report_not_after(report) - now) / DAY);
    assert_int_equal(cbpii_certificate_report_chain_length(report), 2);
    assert_int_equal(strlen(cbpii_certificate_report_x5t_s256(report)), 43);
    assert_contains(cbpii_certificate_report_subject(report, CBPII_SPELLING_RFC2253), "2.5.4.97=PSDFR-ACPR-12345");
    assert_contains(cbpii_certificate_report_subject(report, CBPII_SPELLING_RFC2253_HEX), "2.5.4.97=#0c10");
    assert_contains(cbpii_certificate_report_subject(report, CBPII_SPELLING_RFC4514), "organizationIdentifier=");
    assert_contains(cbpii_certificate_report_subject(report, CBPII_SPELLING_OPENSSL), "/organizationIdentifier=PSDFR");
    assert_null(cbpii_certificate_report_subject(report, 0));
    assert_null(cbpii_certificate_report_subject(report, 5));
    assert_contains(cbpii_certificate_report_issuer(report, CBPII_SPELLING_RFC4514), "CN=");
    assert_null(cbpii_certificate_report_issuer(report, -1));
    size_t names = cbpii_certificate_report_alternative_name_count(report);
    for (size_t place = 0; place < names; place++) {
        assert_non_null(strchr(cbpii_certificate_report_alternative_name(report, place), ':'));
    }
    assert_null(cbpii_certificate_report_alternative_name(report, names));
    cbpii_string *json = NULL;
    OK(cbpii_certificate_report_to_json(report, &json));
    json_t *parsed = json_loads(cbpii_string_text(json), 0, NULL);
    assert_non_null(parsed);
    json_decref(parsed);
    assert_contains(cbpii_string_text(json), "PSDFR-ACPR-12345");
    cbpii_string_free(json);
    ARGUMENT(cbpii_certificate_report_to_json(report, NULL));
    cbpii_certificate_report_free(report);
}

static void openssl_says_the_same(void **state)
{
    (void)state;
    cbpii_certificate_report *report = report_on("issuer.qwac.certificate", NULL);
    assert_int_equal(cbpii_certificate_report_chain_length(report), 1);
    assert_command(cbpii_certificate_report_sha1_fingerprint(report),
                   "openssl x509 -in '%s' -noout -fingerprint -sha1 | sed 's/.*=//; s/://g' | tr A-F a-f",
                   "issuer.qwac.certificate");
    assert_command(cbpii_certificate_report_sha256_fingerprint(report),
                   "openssl x509 -in '%s' -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr A-F a-f",
                   "issuer.qwac.certificate");
    assert_command(cbpii_certificate_report_serial_hex(report),
                   "openssl x509 -in '%s' -noout -serial | sed 's/.*=//' | tr A-F a-f", "issuer.qwac.certificate");
    assert_true(strlen(cbpii_certificate_report_serial_decimal(report)) > 1);
    assert_int_equal(strspn(cbpii_certificate_report_serial_decimal(report), "0123456789"),
                     strlen(cbpii_certificate_report_serial_decimal(report)));
    cbpii_certificate_report_free(report);
}

static void findings_tell_what_is_wrong_the_gravest_first(void **state)
{
    (void)state;
    cbpii_certificate_report *report = report_on("issuer.variants.expired.chain", NULL);
    const cbpii_findings *findings = cbpii_certificate_report_findings(report);
    size_t count = cbpii_findings_count(findings);
    assert_true(count > 0);
    assert_int_equal(cbpii_findings_severity(findings, 0), CBPII_SEVERITY_ERROR);
    for (size_t place = 1; place < count; place++) {
        assert_true(cbpii_findings_severity(findings, place) >= cbpii_findings_severity(findings, place - 1));
    }
    assert_true(cbpii_certificate_report_days_left(report) < 0);
    assert_int_equal(cbpii_findings_severity(findings, count), 0);
    assert_null(cbpii_findings_code(findings, count));
    assert_null(cbpii_findings_sentence(findings, count));
    /* They are lent, so this does nothing. */
    cbpii_findings_free((cbpii_findings *)findings);
    assert_int_equal(cbpii_findings_count(findings), count);
    cbpii_certificate_report_free(report);
}

static void a_certificate_is_held_against_the_options(void **state)
{
    (void)state;
    cbpii_inspect_options *against = options();
    OK(cbpii_inspect_options_set_use(against, CBPII_USE_SEAL));
    cbpii_certificate_report *report = report_on("issuer.qwac.chain", against);
    const cbpii_findings *findings = cbpii_certificate_report_findings(report);
    assert_int_equal(cbpii_findings_severity(findings, 0), CBPII_SEVERITY_ERROR);
    cbpii_certificate_report_free(report);
    OK(cbpii_inspect_options_set_use(against, CBPII_USE_TRANSPORT));
    report = report_on("issuer.qwac.chain", against);
    findings = cbpii_certificate_report_findings(report);
    assert_int_not_equal(cbpii_findings_severity(findings, 0), CBPII_SEVERITY_ERROR);
    int64_t after = cbpii_certificate_report_not_after(report) + DAY;
    cbpii_certificate_report_free(report);

    OK(cbpii_inspect_options_set_now(against, after));
    report = report_on("issuer.qwac.chain", against);
    assert_int_equal(cbpii_certificate_report_days_left(report), -1);
    assert_int_equal(cbpii_findings_severity(cbpii_certificate_report_findings(report), 0), CBPII_SEVERITY_ERROR);
    cbpii_certificate_report_free(report);
    cbpii_inspect_options_free(against);

    against = options();
    size_t length = 0;
    char *key = sandbox_file(kit_sandbox, "issuer.qsealc.key", &length);
    OK(cbpii_inspect_options_set_key(against, (const uint8_t *)key, length, NULL));
    report = report_on("issuer.qwac.chain", against);
    assert_true(found(report, "key_mismatch"));
    cbpii_certificate_report_free(report);
    report = report_on("issuer.qsealc.chain", against);
    assert_false(found(report, "key_mismatch"));
    cbpii_certificate_report_free(report);
    free(key);
    cbpii_inspect_options_free(against);

    against = options();
    OK(cbpii_inspect_options_set_client_id(against, "PSDFR-ACPR-99999"));
    report = report_on("issuer.qwac.chain", against);
    cbpii_certificate_report *plain = report_on("issuer.qwac.chain", NULL);
    assert_true(cbpii_findings_count(cbpii_certificate_report_findings(report))
                > cbpii_findings_count(cbpii_certificate_report_findings(plain)));
    cbpii_certificate_report_free(plain);
    cbpii_certificate_report_free(report);
    cbpii_inspect_options_free(against);

    against = options();
    report = report_on("issuer.variants.rsassa-pss.chain", against);
    size_t refused = cbpii_findings_count(cbpii_certificate_report_findings(report));
    assert_int_equal(cbpii_findings_severity(cbpii_certificate_report_findings(report), 0), CBPII_SEVERITY_ERROR);
    cbpii_certificate_report_free(report);
    OK(cbpii_inspect_options_set_accepts_pss(against, true));
    report = report_on("issuer.variants.rsassa-pss.chain", against);
    const cbpii_findings *accepted = cbpii_certificate_report_findings(report);
    assert_true(cbpii_findings_count(accepted) < refused
                || cbpii_findings_severity(accepted, 0) != CBPII_SEVERITY_ERROR);
    cbpii_certificate_report_free(report);
    cbpii_inspect_options_free(against);
}

static void wrong_options_are_refused(void **state)
{
    (void)state;
    cbpii_inspect_options *against = options();
    size_t length = 0;
    char *key = sandbox_file(kit_sandbox, "issuer.qwac_forms.encrypted_pkcs8_pem", &length);
    const uint8_t *bytes = (const uint8_t *)key;
    ARGUMENT(cbpii_inspect_options_new(NULL));
    ARGUMENT(cbpii_inspect_options_set_now(NULL, 0));
    ARGUMENT(cbpii_inspect_options_set_use(NULL, CBPII_USE_SEAL));
    ARGUMENT(cbpii_inspect_options_set_use(against, 0));
    ARGUMENT(cbpii_inspect_options_set_use(against, 3));
    ARGUMENT(cbpii_inspect_options_set_key(NULL, bytes, length, "sandbox"));
    ARGUMENT(cbpii_inspect_options_set_key(against, NULL, length, "sandbox"));
    ARGUMENT(cbpii_inspect_options_set_key(against, bytes, length, NOT_UTF8));
    FAILS(CBPII_ERROR_CONFIGURATION_KEY_PASSWORD, cbpii_inspect_options_set_key(against, bytes, length, NULL));
    FAILS(CBPII_ERROR_CONFIGURATION_KEY_PASSWORD, cbpii_inspect_options_set_key(against, bytes, length, "wrong"));
    FAILS(CBPII_ERROR_CONFIGURATION_KEY_UNREADABLE, cbpii_inspect_options_set_key(against, bytes, 9, NULL));
    OK(cbpii_inspect_options_set_key(against, bytes, length, "sandbox"));
    ARGUMENT(cbpii_inspect_options_set_client_id(NULL, "id"));
    ARGUMENT(cbpii_inspect_options_set_client_id(against, NULL));
    ARGUMENT(cbpii_inspect_options_set_client_id(against, NOT_UTF8));
    ARGUMENT(cbpii_inspect_options_set_accepts_pss(NULL, true));
    cbpii_inspect_options_free(against);
    cbpii_inspect_options_free(NULL);
    free(key);
}

static void what_is_no_certificate_is_refused(void **state)
{
    (void)state;
    const uint8_t *hello = (const uint8_t *)"hello";
    REFUSED(CBPII_ERROR_CONFIGURATION_CERTIFICATE_UNREADABLE, cbpii_certificate_report, none,
            cbpii_certificate_inspect(hello, 5, NULL, &none));
    REFUSED(CBPII_ERROR_CONFIGURATION_CERTIFICATE_UNREADABLE, cbpii_certificate_report, none,
            cbpii_certificate_inspect(NULL, 0, NULL, &none));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_certificate_report, none,
            cbpii_certificate_inspect(NULL, 5, NULL, &none));
    ARGUMENT(cbpii_certificate_inspect(hello, 5, NULL, NULL));
}

static void null_has_no_facts(void **state)
{
    (void)state;
    assert_null(cbpii_certificate_report_subject(NULL, CBPII_SPELLING_RFC2253));
    assert_null(cbpii_certificate_report_issuer(NULL, CBPII_SPELLING_RFC2253));
    assert_null(cbpii_certificate_report_organisation_identifier(NULL));
    assert_null(cbpii_certificate_report_psd2_country(NULL));
    assert_null(cbpii_certificate_report_psd2_authority(NULL));
    assert_null(cbpii_certificate_report_psd2_number(NULL));
    assert_null(cbpii_certificate_report_authority_name(NULL));
    assert_null(cbpii_certificate_report_authority_id(NULL));
    assert_null(cbpii_certificate_report_serial_hex(NULL));
    assert_null(cbpii_certificate_report_serial_decimal(NULL));
    assert_null(cbpii_certificate_report_sha1_fingerprint(NULL));
    assert_null(cbpii_certificate_report_sha256_fingerprint(NULL));
    assert_null(cbpii_certificate_report_x5t_s256(NULL));
    assert_null(cbpii_certificate_report_key_type(NULL));
    assert_null(cbpii_certificate_report_signature_algorithm(NULL));
    assert_false(cbpii_certificate_report_has_role(NULL, CBPII_ROLE_PSP_IC));
    assert_false(cbpii_certificate_report_has_qc_type(NULL, CBPII_QC_TYPE_WEB));
    assert_false(cbpii_certificate_report_is_qualified(NULL));
    assert_false(cbpii_certificate_report_has_secure_device(NULL));
    assert_int_equal(cbpii_certificate_report_not_before(NULL), 0);
    assert_int_equal(cbpii_certificate_report_not_after(NULL), 0);
    assert_int_equal(cbpii_certificate_report_days_left(NULL), 0);
    assert_int_equal(cbpii_certificate_report_key_bits(NULL), 0);
    assert_int_equal(cbpii_certificate_report_chain_length(NULL), 0);
    assert_int_equal(cbpii_certificate_report_alternative_name_count(NULL), 0);
    assert_null(cbpii_certificate_report_alternative_name(NULL, 0));
    assert_null(cbpii_certificate_report_findings(NULL));
    REFUSED(CBPII_ERROR_REQUEST_ARGUMENT, cbpii_string, none, cbpii_certificate_report_to_json(NULL, &none));
    cbpii_certificate_report_free(NULL);
    assert_int_equal(cbpii_findings_count(NULL), 0);
    assert_int_equal(cbpii_findings_severity(NULL, 0), 0);
    assert_null(cbpii_findings_code(NULL, 0));
    assert_null(cbpii_findings_sentence(NULL, 0));
    cbpii_findings_free(NULL);
}

static void a_certificate_without_psd2_has_no_such_facts(void **state)
{
    (void)state;
    cbpii_certificate_report *report = report_on("issuer.ca", NULL);
    assert_null(cbpii_certificate_report_organisation_identifier(report));
    assert_null(cbpii_certificate_report_psd2_country(report));
    assert_null(cbpii_certificate_report_psd2_authority(report));
    assert_null(cbpii_certificate_report_psd2_number(report));
    assert_null(cbpii_certificate_report_authority_name(report));
    assert_null(cbpii_certificate_report_authority_id(report));
    assert_false(cbpii_certificate_report_has_role(report, CBPII_ROLE_PSP_IC));
    assert_false(cbpii_certificate_report_is_qualified(report));
    cbpii_certificate_report_free(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        kit_test(a_report_says_what_is_in_the_certificate),
        kit_test(openssl_says_the_same),
        kit_test(findings_tell_what_is_wrong_the_gravest_first),
        kit_test(a_certificate_is_held_against_the_options),
        kit_test(wrong_options_are_refused),
        kit_test(what_is_no_certificate_is_refused),
        kit_test(null_has_no_facts),
        kit_test(a_certificate_without_psd2_has_no_such_facts),
    };
    return kit_run(tests);
}
