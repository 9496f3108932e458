//! The regulated party that asks: its registration at the banks, its certificates and its keys.

use std::fmt;

use super::{CertificateReport, CertificateUse, Finding, InspectOptions, SealIdentity, TransportIdentity};
use crate::address::Address;
use crate::bank::Bank;
use crate::{Error, ErrorCode, Result, Secret, Timestamp};

/// A card issuer in the PSD2 role CBPII, as the banks know it.
#[derive(Clone)]
pub struct Issuer {
    client_id: String,
    client_secret: Option<Secret>,
    redirect_uri: String,
    transport: Option<TransportIdentity>,
    seal: Option<SealIdentity>,
}

impl Issuer {
    /// An issuer by its `client_id` (an opaque text: the organisation identifier, or what the bank's registration
    /// returned) and its redirect URI, which is kept and sent byte for byte.
    ///
    /// # Errors
    /// `configuration.client_id` when it is empty or has spaces, control or non-ASCII characters (RFC 6749
    /// appendix A.1); `configuration.redirect_uri` when it is not an absolute https URI, a URI of an app's own
    /// scheme, or an http URI of this very machine (RFC 8252 §7).
    pub fn new(client_id: impl Into<String>, redirect_uri: impl Into<String>) -> Result<Self> {
        let (client_id, redirect_uri) = (client_id.into(), redirect_uri.into());
        if client_id.is_empty() || !client_id.bytes().all(|byte| byte.is_ascii_graphic()) {
            let message = "The client_id is empty or has spaces, control or non-ASCII characters; pass it as the bank gave it.";
            return Err(Error::new(ErrorCode::ClientId, message));
        }
        check_redirect_uri(&redirect_uri)?;
        Ok(Self { client_id, client_secret: None, redirect_uri, transport: None, seal: None })
    }

    /// Adds the client secret that some banks want besides the certificate.
    ///
    /// # Errors
    /// `configuration.client_secret` when it is empty or has control or non-ASCII characters (RFC 6749 appendix A.2).
    pub fn with_client_secret(mut self, secret: impl Into<Secret>) -> Result<Self> {
        let secret = secret.into();
        if secret.expose().is_empty() || !secret.expose().bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            let message = "The client secret is empty or has control or non-ASCII characters; pass it as the bank gave it.";
            return Err(Error::new(ErrorCode::ClientSecret, message));
        }
        self.client_secret = Some(secret);
        Ok(self)
    }

    /// Adds the QWAC and its key, for mutual TLS.
    #[must_use]
    pub fn with_transport(mut self, identity: TransportIdentity) -> Self {
        self.transport = Some(identity);
        self
    }

    /// Adds the QSealC and its key or signer, for signed requests.
    #[must_use]
    pub fn with_seal(mut self, identity: SealIdentity) -> Self {
        self.seal = Some(identity);
        self
    }

    /// The client_id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The client secret, if there is one.
    #[must_use]
    pub fn client_secret(&self) -> Option<&Secret> {
        self.client_secret.as_ref()
    }

    /// The redirect URI, byte for byte.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// The QWAC side.
    #[must_use]
    pub fn transport(&self) -> Option<&TransportIdentity> {
        self.transport.as_ref()
    }

    /// The QSealC side.
    #[must_use]
    pub fn seal(&self) -> Option<&SealIdentity> {
        self.seal.as_ref()
    }

    /// The eligibility check of the product's prerequisites at `now`: every finding of both certificates that
    /// matters at this bank. Findings of severity `error` keep a client from being built.
    #[must_use]
    pub fn check(&self, bank: &Bank, now: Timestamp) -> Vec<Finding> {
        let options = |certificate_use| {
            InspectOptions::at(now)
                .for_use(certificate_use)
                .with_client_id(self.client_id.as_str())
                .accepting_pss(!bank.refuses_pss_certificates)
        };
        let mut findings = Vec::new();
        if let Some(transport) = &self.transport {
            findings.extend(
                CertificateReport::of(transport.chain(), &options(CertificateUse::Transport)).findings,
            );
        }
        if let (Some(seal), Some(_)) = (&self.seal, &bank.signature) {
            findings.extend(CertificateReport::of(seal.chain(), &options(CertificateUse::Seal)).findings);
        }
        findings
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("client_id", &self.client_id)
            .field("redirect_uri", &self.redirect_uri)
            .field("transport", &self.transport.is_some())
            .field("seal", &self.seal.is_some())
            .finish_non_exhaustive()
    }
}

fn check_redirect_uri(text: &str) -> Result<()> {
    let refused = |why: &str| {
        let message = format!(
            "The redirect URI {why}; give the registered one: an absolute https URI or one of an app's own scheme."
        );
        Err(Error::new(ErrorCode::RedirectUri, message))
    };
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refused("has spaces, control or non-ASCII characters");
    }
    let Some(uri) = Address::parse(text) else { return refused("is not absolute") };
    if uri.has_fragment() {
        return refused("has a fragment, which RFC 6749 forbids");
    }
    match &*uri.scheme() {
        "https" if uri.host().is_none() => refused("has no host"),
        "https" => Ok(()),
        "http" if uri.is_loopback() => Ok(()),
        "http" => refused("is not https"),
        "about" | "blob" | "data" | "file" | "ftp" | "javascript" | "ws" | "wss" => {
            refused("has a scheme no callback can have")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REDIRECT: &str = "https://issuer.example/callback";

    #[test]
    fn redirect_uris_are_kept_byte_for_byte() {
        for good in [
            REDIRECT,
            "https://issuer.example",
            "com.issuer.app:/callback",
            "com.issuer.app://done?x=1",
            "http://127.0.0.1:8080/cb",
            "HTTPS://Issuer.example/%7ecb",
        ] {
            assert_eq!(Issuer::new("id", good).unwrap().redirect_uri(), good);
        }
        for bad in [
            "",
            "/callback",
            "issuer.example/cb",
            "http://issuer.example/cb",
            "https://issuer.example/#x",
            "https://a b",
            "https://a\n",
            "javascript:alert(1)",
            "https://",
        ] {
            assert_eq!(Issuer::new("id", bad).unwrap_err().code(), ErrorCode::RedirectUri, "{bad}");
        }
    }

    #[test]
    fn registration_values_are_checked() {
        for bad in ["", "a b", "a\r\n", "é"] {
            assert_eq!(Issuer::new(bad, REDIRECT).unwrap_err().code(), ErrorCode::ClientId, "{bad}");
            if bad != "a b" {
                let issuer = Issuer::new("id", REDIRECT).unwrap();
                assert_eq!(
                    issuer.with_client_secret(bad).unwrap_err().code(),
                    ErrorCode::ClientSecret,
                    "{bad}"
                );
            }
        }
        let issuer = Issuer::new("PSDFR-ACPR-12345", REDIRECT).unwrap().with_client_secret("s3cr3t").unwrap();
        assert!(!format!("{issuer:?}").contains("s3cr3t"));
    }
}
