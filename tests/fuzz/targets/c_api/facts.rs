//! Everything that a handle says, read to its end.

use std::ffi::{CStr, c_char};
use std::hint::black_box;

use cbpii_ffi::bank::*;
use cbpii_ffi::cancel::*;
use cbpii_ffi::certificate::*;
use cbpii_ffi::client::*;
use cbpii_ffi::client_options::cbpii_client_options;
use cbpii_ffi::consent::*;
use cbpii_ffi::error::*;
use cbpii_ffi::explanation::*;
use cbpii_ffi::funds::*;
use cbpii_ffi::issuer::*;
use cbpii_ffi::session::*;
use cbpii_ffi::store::*;
use cbpii_ffi::string::*;
use cbpii_ffi::tokens::*;

/// Reads a text to its end; NULL is none.
pub unsafe fn read_text(text: *const c_char) {
    if !text.is_null() {
        // SAFETY: what the library gives ends with NUL.
        assert!(unsafe { CStr::from_ptr(text) }.to_str().is_ok(), "no UTF-8");
    }
}

/// A type of handles.
pub trait Facts {
    /// Reads what a handle says. It may be NULL or of another type.
    unsafe fn read(handle: *const Self);
}

/// Texts, and other facts that are only asked for.
macro_rules! facts {
    ($($handle:ident: [$($text:ident),*] [$($fact:ident),*];)*) => {
        $(impl Facts for $handle {
            unsafe fn read(handle: *const Self) {
                let _ = handle;
                $(unsafe { read_text($text(handle)) };)*
                $(black_box(unsafe { $fact(handle) });)*
            }
        })*
    };
}

facts! {
    cbpii_bank: [cbpii_bank_id, cbpii_bank_name, cbpii_bank_brand, cbpii_bank_establishment_code, cbpii_bank_note,
        cbpii_bank_authorize_url, cbpii_bank_token_url, cbpii_bank_funds_url, cbpii_bank_scope]
        [cbpii_bank_environment, cbpii_bank_standard, cbpii_bank_is_unverified, cbpii_bank_consent_lifetime_days,
        cbpii_bank_wants_client_secret, cbpii_bank_refuses_pss_certificates];
    cbpii_issuer: [cbpii_issuer_client_id, cbpii_issuer_redirect_uri] [];
    cbpii_client: [] [cbpii_client_connections, cbpii_client_resumed_connections, cbpii_client_name_lookups];
    cbpii_client_options: [] [];
    cbpii_inspect_options: [] [];
    cbpii_session_options: [] [];
    cbpii_record_keys: [] [];
    cbpii_store: [] [];
    cbpii_session_pool: [] [];
    cbpii_renewals: [] [];
    cbpii_authorization_code: [] [];
    cbpii_funds_request: [] [];
    cbpii_cancel_token: [] [cbpii_cancel_token_is_cancelled];
    cbpii_pending_consent: [cbpii_pending_consent_url, cbpii_pending_consent_bank_id, cbpii_pending_consent_state,
        cbpii_pending_consent_redirect_uri] [cbpii_pending_consent_created_at, cbpii_pending_consent_expires_at];
    cbpii_tokens: [cbpii_tokens_token_type, cbpii_tokens_scope, cbpii_tokens_text]
        [cbpii_tokens_has_refresh_token, cbpii_tokens_obtained_at, cbpii_tokens_consent_expires_at];
    cbpii_account: [cbpii_account_country, cbpii_account_bank_code, cbpii_account_masked_iban] [];
    cbpii_funds_confirmation: [cbpii_funds_confirmation_reference, cbpii_funds_confirmation_request_id,
        cbpii_funds_confirmation_correlation_id, cbpii_funds_confirmation_bank_id,
        cbpii_funds_confirmation_deprecation_warning] [cbpii_funds_confirmation_available,
        cbpii_funds_confirmation_checked_at, cbpii_funds_confirmation_duration,
        cbpii_funds_confirmation_response_signature];
    cbpii_session: [cbpii_session_id] [cbpii_session_state, cbpii_session_next_action,
        cbpii_session_consent_expires_at, cbpii_session_renew_from, cbpii_session_days_left,
        cbpii_session_has_unsaved_tokens];
    cbpii_renewal: [cbpii_renewal_id, cbpii_renewal_bank_id]
        [cbpii_renewal_consent_expires_at, cbpii_renewal_reason];
}

impl Facts for cbpii_error {
    unsafe fn read(error: *const Self) {
        unsafe {
            for text in [
                cbpii_error_code,
                cbpii_error_message,
                cbpii_error_bank_code,
                cbpii_error_bank_message,
                cbpii_error_request_id,
                cbpii_error_correlation_id,
            ] {
                read_text(text(error));
            }
            black_box((cbpii_error_kind(error), cbpii_error_advice(error), cbpii_error_http_status(error)));
            black_box((cbpii_error_request_sent(error), cbpii_error_retry_after(error, &mut 0)));
            cbpii_explanation::read(cbpii_error_explanation(error));
        }
    }
}

impl Facts for cbpii_explanation {
    unsafe fn read(explanation: *const Self) {
        unsafe {
            for text in [
                cbpii_explanation_text,
                cbpii_explanation_method,
                cbpii_explanation_url,
                cbpii_explanation_body,
                cbpii_explanation_digest_input,
                cbpii_explanation_signing_string,
                cbpii_explanation_key_id,
                cbpii_explanation_key_id_source,
            ] {
                read_text(text(explanation));
            }
            for place in 0..=cbpii_explanation_header_count(explanation) {
                read_text(cbpii_explanation_header_name(explanation, place));
                read_text(cbpii_explanation_header_value(explanation, place));
            }
        }
    }
}

impl Facts for cbpii_string {
    unsafe fn read(string: *const Self) {
        unsafe {
            let text = cbpii_string_text(string);
            read_text(text);
            let length = if text.is_null() { 0 } else { CStr::from_ptr(text).to_bytes().len() };
            assert!(length <= cbpii_string_length(string));
        }
    }
}

impl Facts for cbpii_bank_list {
    unsafe fn read(banks: *const Self) {
        unsafe {
            let length = cbpii_bank_list_length(banks);
            assert!(cbpii_bank_list_get(banks, length).is_null());
            (0..length).for_each(|place| cbpii_bank::read(cbpii_bank_list_get(banks, place)));
        }
    }
}

impl Facts for cbpii_findings {
    unsafe fn read(findings: *const Self) {
        unsafe {
            for place in 0..=cbpii_findings_count(findings) {
                read_text(cbpii_findings_code(findings, place));
                read_text(cbpii_findings_sentence(findings, place));
                black_box(cbpii_findings_severity(findings, place));
            }
        }
    }
}

impl Facts for cbpii_certificate_report {
    unsafe fn read(report: *const Self) {
        unsafe {
            for text in [
                cbpii_certificate_report_organisation_identifier,
                cbpii_certificate_report_psd2_authority,
                cbpii_certificate_report_serial_decimal,
                cbpii_certificate_report_x5t_s256,
                cbpii_certificate_report_key_type,
                cbpii_certificate_report_signature_algorithm,
            ] {
                read_text(text(report));
            }
            (-1..5).for_each(|spelling| read_text(cbpii_certificate_report_subject(report, spelling)));
            cbpii_findings::read(cbpii_certificate_report_findings(report));
        }
    }
}

impl Facts for cbpii_consent_history {
    unsafe fn read(history: *const Self) {
        unsafe {
            for place in 0..=cbpii_consent_history_length(history) {
                black_box((
                    cbpii_consent_history_event(history, place),
                    cbpii_consent_history_at(history, place),
                ));
                black_box(cbpii_consent_history_cause(history, place));
            }
        }
    }
}
