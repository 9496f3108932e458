/* The names of enumerations, of the catalogue's numbers, and of the library's versions. */
#include "kit.h"

static void every_constant_has_its_name_and_no_other_number_has_one(void **state)
{
    (void)state;
    NAMES(cbpii_environment_name, "sandbox", "production", "production-legacy");
    NAMES(cbpii_standard_name, "stet-1.4.0", "stet-1.4.2", "stet-1.6");
    NAMES(cbpii_severity_name, "error", "warning", "information");
    NAMES(cbpii_role_name, "PSP_AS", "PSP_PI", "PSP_AI", "PSP_IC");
    NAMES(cbpii_qc_type_name, "esign", "eseal", "web");
    NAMES(cbpii_error_kind_name, "configuration", "eligibility", "invalid_request", "consent_refused", "consent_required",
          "bank_refused", "rate_limited", "bank_unavailable", "timeout", "network", "tls", "protocol", "store", "cancelled",
          "internal");
    NAMES(cbpii_advice_name, "retry", "retry_after", "renew_consent", "fix_request", "fix_configuration", "contact_bank");
    NAMES(cbpii_request_sent_name, "no", "yes", "unknown");
    NAMES(cbpii_operation_name, "exchange_code", "refresh", "confirm_funds");
    NAMES(cbpii_response_signature_name, "verified", "absent", "unverified");
    NAMES(cbpii_consent_state_name, "active", "renew_soon", "expired", "refused", "lost");
    NAMES(cbpii_next_action_name, "none", "refresh", "renew_consent");
    NAMES(cbpii_consent_event_name, "kept", "refresh_started", "refreshed", "refresh_failed", "outcome_unknown", "refused",
          "answered", "lost");
    NAMES(cbpii_renewal_reason_name, "ending", "refused", "lost");
    NAMES(cbpii_algorithm_name, "rsa-pkcs1-sha256", "rsa-pkcs1-sha384", "rsa-pkcs1-sha512", "rsa-pss-sha256",
          "rsa-pss-sha384", "rsa-pss-sha512", "ecdsa-p256-sha256", "ecdsa-p384-sha384");
}

static void the_constants_are_the_numbers_of_the_names(void **state)
{
    (void)state;
    assert_string_equal(cbpii_environment_name(CBPII_ENVIRONMENT_PRODUCTION_LEGACY), "production-legacy");
    assert_string_equal(cbpii_standard_name(CBPII_STANDARD_STET_1_6), "stet-1.6");
    assert_string_equal(cbpii_severity_name(CBPII_SEVERITY_INFORMATION), "information");
    assert_string_equal(cbpii_role_name(CBPII_ROLE_PSP_IC), "PSP_IC");
    assert_string_equal(cbpii_qc_type_name(CBPII_QC_TYPE_WEB), "web");
    assert_string_equal(cbpii_error_kind_name(CBPII_ERROR_KIND_INTERNAL), "internal");
    assert_string_equal(cbpii_advice_name(CBPII_ADVICE_CONTACT_BANK), "contact_bank");
    assert_string_equal(cbpii_request_sent_name(CBPII_REQUEST_SENT_UNKNOWN), "unknown");
    assert_string_equal(cbpii_operation_name(CBPII_OPERATION_CONFIRM_FUNDS), "confirm_funds");
    assert_string_equal(cbpii_response_signature_name(CBPII_RESPONSE_SIGNATURE_UNVERIFIED), "unverified");
    assert_string_equal(cbpii_consent_state_name(CBPII_CONSENT_STATE_LOST), "lost");
    assert_string_equal(cbpii_next_action_name(CBPII_NEXT_ACTION_RENEW_CONSENT), "renew_consent");
    assert_string_equal(cbpii_consent_event_name(CBPII_CONSENT_EVENT_LOST), "lost");
    assert_string_equal(cbpii_renewal_reason_name(CBPII_RENEWAL_LOST), "lost");
    assert_string_equal(cbpii_algorithm_name(CBPII_ALGORITHM_ECDSA_P384_SHA384), "ecdsa-p384-sha384");
}

static void every_number_of_the_catalogue_has_its_code(void **state)
{
    (void)state;
    for (size_t place = 0; place < kit_catalogue_length; place++) {
        assert_int_equal(kit_catalogue[place].number, kit_catalogue[place].stated);
        assert_string_equal(cbpii_error_number_code(kit_catalogue[place].number), kit_catalogue[place].code);
    }
    size_t count = 0;
    for (int32_t number = -1; number < 20000; number++) {
        count += cbpii_error_number_code(number) != NULL;
    }
    assert_int_equal(count, kit_catalogue_length);
    assert_null(cbpii_error_number_code(INT32_MIN));
    assert_null(cbpii_error_number_code(INT32_MAX));
}

static void header_and_library_are_of_one_version(void **state)
{
    (void)state;
    unsigned major, minor, patch;
    assert_int_equal(cbpii_abi_version(), CBPII_ABI_VERSION);
    assert_int_equal(sscanf(cbpii_version(), "%u.%u.%u", &major, &minor, &patch), 3);
    assert_ptr_equal(cbpii_version(), cbpii_version());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_constant_has_its_name_and_no_other_number_has_one),
        cmocka_unit_test(the_constants_are_the_numbers_of_the_names),
        cmocka_unit_test(every_number_of_the_catalogue_has_its_code),
        cmocka_unit_test(header_and_library_are_of_one_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
