//! The bank's side of TLS: which certificate it shows, which versions it speaks, and how it asks for the client's.

use std::sync::Arc;

use tokio_rustls::rustls;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{
    DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme,
    SupportedProtocolVersion,
};

use crate::error::SandboxError;
use crate::pki::{Credential, Pki};
use crate::settings::{ClientCertificateRefusal, ServerCertificate, Settings, TlsVersions};

/// How many tickets a TLS 1.3 handshake leaves, so that several connections can resume it.
const TICKETS: usize = 4;

/// The provider every configuration of the sandbox names: no process default is installed or read.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Judges client certificates against the bank's authority.
pub(crate) fn strict_verifier(pki: &Pki) -> Result<Arc<dyn ClientCertVerifier>, SandboxError> {
    let mut roots = RootCertStore::empty();
    roots.add(pki.root.clone())?;
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .clear_root_hint_subjects()
        .build()
        .map_err(|error| SandboxError::Pki(error.to_string()))
}

/// A configuration for the connections to come. Its tickets are its own, so a changed configuration is never
/// hidden by a resumed session.
pub(crate) fn server_config(
    pki: &Pki,
    settings: &Settings,
    strict: &Arc<dyn ClientCertVerifier>,
) -> Result<Arc<ServerConfig>, SandboxError> {
    let verifier: Arc<dyn ClientCertVerifier> = match settings.client_certificate_refusal {
        ClientCertificateRefusal::Alert => Arc::clone(strict),
        ClientCertificateRefusal::Http => {
            Arc::new(AskOnly { algorithms: provider().signature_verification_algorithms })
        }
    };
    let credential = server_credential(pki, settings.server_certificate)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(credential.key.clone()));
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions(settings.tls_versions))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(credential.chain.clone(), key)?;
    config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = TICKETS;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn server_credential(pki: &Pki, which: ServerCertificate) -> Result<&Credential, SandboxError> {
    let name = match which {
        ServerCertificate::Good => "good",
        ServerCertificate::Expired => "expired",
        ServerCertificate::OtherHost => "other-host",
        ServerCertificate::UnknownIssuer => "unknown-issuer",
    };
    let found = pki.servers.iter().find(|credential| credential.name == name);
    found.ok_or_else(|| SandboxError::Pki(format!("no server certificate {name}")))
}

fn versions(which: TlsVersions) -> &'static [&'static SupportedProtocolVersion] {
    static BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
    match which {
        TlsVersions::Both => &BOTH,
        TlsVersions::Only12 => &BOTH[1..],
        TlsVersions::Only13 => &BOTH[..1],
    }
}

/// Asks for a certificate, takes any or none, and leaves the judgement to the HTTP layer, as nginx does with
/// `ssl_verify_client optional_no_ca`. The client still proves that it holds the key.
#[derive(Debug)]
struct AskOnly {
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientCertVerifier for AskOnly {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
