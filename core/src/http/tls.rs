//! The TLS set-up of one issuer at one bank, and what TLS failures mean.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::CertificateDer;
use rustls::sign::SingleCertAndKey;
use rustls::{AlertDescription as Alert, CertificateError, ClientConfig, RootCertStore};

use crate::bank::{TrustAnchors, TrustMode};
use crate::identity::{CertificateChain, TransportIdentity};
use crate::{Error, ErrorCode, Result, crypto};

/// Everything wrong with the identity or the roots is an error here; nothing is skipped silently.
pub(super) fn client_config(
    identity: Option<&TransportIdentity>,
    anchors: &TrustAnchors,
) -> Result<Arc<ClientConfig>> {
    let provider = crypto::provider();
    let verifier = WebPkiServerVerifier::builder_with_provider(
        Arc::new(root_store(anchors)?),
        Arc::clone(&provider),
    )
    .build()
    .map_err(|_| {
        Error::new(
            ErrorCode::TrustAnchor,
            "The bank has no root certificate to be trusted by; add one or let the web's roots be used too.",
        )
    })?;
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|_| {
            Error::new(
                ErrorCode::Internal,
                "The TLS library offers neither TLS 1.2 nor 1.3; please report it.",
            )
        })?
        .with_webpki_verifier(verifier);
    let mut config = match identity {
        Some(identity) => {
            let key = identity.certified_key(&provider)?;
            builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key)))
        }
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn root_store(anchors: &TrustAnchors) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    if anchors.mode == TrustMode::Add {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for (place, pem) in anchors.pem.iter().enumerate() {
        let unusable = || {
            let message =
                format!("trust_anchors.pem[{place}] holds no readable root certificate; give it as PEM.");
            Error::new(ErrorCode::TrustAnchor, message)
        };
        let chain = CertificateChain::from_pem(pem.as_bytes()).map_err(|_| unusable())?;
        for der in chain.ders() {
            roots.add(CertificateDer::from(der)).map_err(|_| unusable())?;
        }
    }
    Ok(roots)
}

/// The error of this crate's catalogue that a TLS failure is.
pub(super) fn classify(error: &rustls::Error, client_certificate: bool) -> Error {
    match error {
        rustls::Error::InvalidCertificate(cause) => classify_server_certificate(cause),
        rustls::Error::AlertReceived(alert) => classify_alert(*alert, client_certificate),
        rustls::Error::Other(cause) => signer_failure(cause.0.as_ref()),
        other => Error::new(
            ErrorCode::TlsProtocol,
            format!(
                "The TLS exchange with the bank failed ({other}); ask the bank which TLS versions it speaks."
            ),
        ),
    }
}

/// Only a signer that holds the transport key puts an error of its own into the handshake.
fn signer_failure(cause: &(dyn std::error::Error + Send + Sync + 'static)) -> Error {
    match cause.downcast_ref::<Error>() {
        Some(ours) => ours.clone(),
        None => Error::new(
            ErrorCode::SignerFailed,
            format!("The key of the QWAC could not sign the TLS handshake ({cause})."),
        ),
    }
}

fn classify_server_certificate(cause: &CertificateError) -> Error {
    use CertificateError as C;
    match cause {
        C::UnknownIssuer => Error::new(
            ErrorCode::TlsUnknownIssuer,
            "The bank's certificate is not issued by a trusted authority; add the bank's root to its trust anchors.",
        ),
        C::NotValidForName | C::NotValidForNameContext { .. } => Error::new(
            ErrorCode::TlsHostName,
            "The bank's certificate is for another host; check the bank's endpoint.",
        ),
        C::Expired | C::ExpiredContext { .. } => Error::new(
            ErrorCode::TlsServerCertificateExpired,
            "The bank's certificate has expired; check this machine's clock, then tell the bank.",
        ),
        other => Error::new(
            ErrorCode::TlsServerCertificateInvalid,
            format!("The bank's certificate is not valid ({other}); tell the bank."),
        ),
    }
}

fn classify_alert(alert: Alert, client_certificate: bool) -> Error {
    match alert {
        Alert::CertificateRequired => missing_certificate(),
        Alert::HandshakeFailure if !client_certificate => missing_certificate(),
        Alert::CertificateExpired
        | Alert::BadCertificate
        | Alert::UnknownCA
        | Alert::CertificateRevoked
        | Alert::CertificateUnknown
        | Alert::UnsupportedCertificate
        | Alert::AccessDenied
        | Alert::DecryptError => Error::new(
            ErrorCode::TlsClientCertificateRefused,
            format!(
                "The bank refuses our client certificate ({alert:?}); check the QWAC with its certificate report and its registration at the bank."
            ),
        ),
        other => Error::new(
            ErrorCode::TlsProtocol,
            format!(
                "The bank ended the TLS handshake ({other:?}); ask it which TLS versions and ciphers it speaks."
            ),
        ),
    }
}

fn missing_certificate() -> Error {
    Error::new(
        ErrorCode::TlsClientCertificateMissing,
        "The bank demands a client certificate and got none it could use; give the issuer its QWAC.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_map_to_their_codes() {
        use rustls::Error as R;
        let cases = [
            (R::InvalidCertificate(CertificateError::UnknownIssuer), "tls.unknown_issuer"),
            (R::InvalidCertificate(CertificateError::NotValidForName), "tls.host_name"),
            (R::InvalidCertificate(CertificateError::Expired), "tls.server_certificate_expired"),
            (R::InvalidCertificate(CertificateError::NotValidYet), "tls.server_certificate_invalid"),
            (R::AlertReceived(Alert::CertificateRequired), "tls.client_certificate_missing"),
            (R::AlertReceived(Alert::UnknownCA), "tls.client_certificate_refused"),
            (R::AlertReceived(Alert::HandshakeFailure), "tls.protocol"),
            (R::AlertReceived(Alert::ProtocolVersion), "tls.protocol"),
        ];
        for (error, code) in cases {
            assert_eq!(classify(&error, true).code().as_str(), code);
        }
        let without = classify(&R::AlertReceived(Alert::HandshakeFailure), false);
        assert_eq!(without.code(), ErrorCode::TlsClientCertificateMissing);
    }
}
