//! What a program can see of results and errors.

use cbpii::{Error, FundsConfirmation};
use serde_json::json;

use crate::suite::{Facts, facts};

pub(crate) fn facts_of_error(error: &Error) -> Facts {
    facts(json!({
        "error": error.code().as_str(),
        "number": error.code().number(),
        "kind": error.kind().as_str(),
        "advice": error.advice().as_str(),
        "message": error.message(),
        "bank_code": error.bank_code(),
        "bank_message": error.bank_message(),
        "http_status": error.http_status(),
        "retry_after_seconds": error.retry_after().map(|pause| pause.as_secs()),
        "request_id": error.request_id(),
        "correlation_id": error.correlation_id(),
        "request_sent": error.request_sent().as_str(),
    }))
}

/// All but how long it took.
pub(crate) fn facts_of_confirmation(answer: &FundsConfirmation) -> Facts {
    facts(json!({
        "available": answer.available,
        "reference": answer.reference,
        "request_id": answer.request_id,
        "correlation_id": answer.correlation_id,
        "bank_id": answer.bank_id,
        "checked_at": answer.checked_at,
        "response_signature": answer.response_signature.as_str(),
        "deprecation_warning": answer.deprecation_warning,
    }))
}

pub(crate) fn facts_of_tokens(tokens: &cbpii::Tokens) -> Facts {
    facts(json!({
        "access_token": tokens.access_token().expose(),
        "refresh_token": tokens.refresh_token().map(cbpii::Secret::expose),
        "token_type": tokens.token_type(),
        "scope": tokens.scope(),
        "obtained_at": tokens.obtained_at(),
        "expires_at": tokens.expires_at(),
        "consent_expires_at": tokens.consent_expires_at(),
    }))
}
