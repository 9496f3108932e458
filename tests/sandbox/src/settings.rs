//! How this bank speaks: every difference between banks, and every switch a test can turn, is a field here.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::SandboxError;

/// Whose dialect the bank speaks when it starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dialect {
    /// Groupe BPCE's platform, 89C3.
    #[default]
    #[serde(rename = "89c3")]
    Bpce,
    /// Lydia (Sumeria).
    #[serde(rename = "lydia")]
    Lydia,
}

/// The version of the STET standard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standard {
    /// Scope `piisp`, path `/v1/`.
    #[serde(rename = "1.4.0")]
    V1_4_0,
    /// Scope `cbpii`, path `/v1.4.2/`.
    #[default]
    #[serde(rename = "1.4.2")]
    V1_4_2,
    /// Scope `cbpii`, path `/v1.6.2/`, amounts as JSON numbers.
    #[serde(rename = "1.6")]
    V1_6,
}

/// How the client proves who it is at the token endpoint, beyond its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// The certificate is enough (RFC 8705).
    TlsClientAuth,
    /// `client_secret` in the form.
    ClientSecretPost,
    /// `Authorization: Basic`.
    ClientSecretBasic,
}

/// What a refresh does to the refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshTokenRotation {
    /// The same one comes back.
    Same,
    /// A new one comes back and the old one dies.
    Rotated,
    /// None comes back; the old one stays valid.
    Absent,
}

/// How `expires_in` is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiresIn {
    /// As a JSON number.
    Number,
    /// As a JSON string.
    String,
    /// Not at all.
    Missing,
}

/// What the token answer says about the scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantedScope {
    /// The scope asked for.
    Exact,
    /// The scope asked for and others.
    Wider,
    /// Nothing.
    Missing,
}

/// How an amount is written in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmountFormat {
    /// `"12.50"`
    String,
    /// `12.50`
    Number,
}

/// How the answer repeats the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EchoedAccount {
    /// As it was sent.
    AsSent,
    /// As `accountId.other.iban`.
    OtherIban,
}

/// The shape of error bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorStyle {
    /// `{timestamp, status, error, message, path}`
    Stet,
    /// `{error, error_description}`
    OAuth,
}

/// What `Retry-After` looks like on a 429.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// A number of seconds.
    Seconds,
    /// A date.
    Date,
    /// The header is left out.
    Missing,
}

/// Where the authorize endpoint sends the cardholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentEntry {
    /// It answers with the login page itself.
    Page,
    /// It redirects to the bank's app; the pages stay reachable by the same flow identifier.
    App,
}

/// How a client certificate is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientCertificateRefusal {
    /// The handshake succeeds and HTTP 400 follows, as behind nginx.
    Http,
    /// The handshake demands a certificate and refuses it with a TLS alert.
    Alert,
}

/// The certificate the bank's server shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerCertificate {
    /// For localhost and 127.0.0.1, from the sandbox's root.
    Good,
    /// It ended ten days ago.
    Expired,
    /// It is for another host.
    OtherHost,
    /// It comes from an authority nobody knows.
    UnknownIssuer,
}

/// The TLS versions the bank offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TlsVersions {
    /// TLS 1.2 and 1.3.
    #[serde(rename = "1.2+1.3")]
    Both,
    /// TLS 1.2 only.
    #[serde(rename = "1.2")]
    Only12,
    /// TLS 1.3 only.
    #[serde(rename = "1.3")]
    Only13,
}

/// Every switch of the bank. Change it with [`Control::configure`](crate::Control::configure).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// The bank's name on its pages.
    pub bank_name: String,
    /// The brand on its pages.
    pub bank_brand: String,
    /// The scope of a CBPII token.
    pub scope: String,
    /// Whether the consent URL carries `response_type=code`; when not, it may not.
    pub response_type: bool,
    /// Whether `state` is mandatory.
    pub state_required: bool,
    /// Whether a refusal or an error comes back to the redirect URI.
    pub refusal_returns: bool,
    /// Whether PKCE with S256 is demanded; when not, its parameters are refused.
    pub pkce: bool,
    /// Whether `iss` (RFC 9207) comes back with the code.
    pub iss_returned: bool,
    /// Where the authorize endpoint leads.
    pub consent_entry: ConsentEntry,
    /// How long a code may be used.
    pub code_lifetime_seconds: u64,
    /// How long the cardholder may take on the pages.
    pub page_timeout_seconds: u64,
    /// How long a consent lasts from the SCA on.
    pub consent_lifetime_days: u32,
    /// Authentication at the token endpoint, in addition to the certificate.
    pub client_authentication: ClientAuthentication,
    /// Whether a code exchange must repeat the redirect URI.
    pub redirect_uri_in_exchange: bool,
    /// Whether `scope` must be sent to the token endpoint; when not, it may not.
    pub scope_in_token_request: bool,
    /// How long an access token lasts.
    pub access_token_seconds: u64,
    /// How `expires_in` is written.
    pub expires_in: ExpiresIn,
    /// The `token_type` of a token answer; none leaves it out.
    pub token_type: Option<String>,
    /// What the token answer says about the scope.
    pub granted_scope: GrantedScope,
    /// What a refresh does to the refresh token.
    pub refresh_token_rotation: RefreshTokenRotation,
    /// Whether `X-Request-ID` is demanded.
    pub request_id_required: bool,
    /// Headers that the request's signature must cover; none means that no signature, digest or date is demanded.
    pub signed_headers: Option<Vec<String>>,
    /// How far `Date` may be from the bank's clock; none switches the check off.
    pub date_tolerance_seconds: Option<u64>,
    /// How amounts are written.
    pub amount_format: AmountFormat,
    /// The member that holds the IBAN.
    pub account_member: String,
    /// Whether an account may carry `currency` and `workspace`.
    pub account_extensions: bool,
    /// How the answer repeats the account.
    pub echoed_account: EchoedAccount,
    /// Whether the answer has `_links`.
    pub links: bool,
    /// Whether answers carry `Digest` and `Signature`.
    pub signed_answers: bool,
    /// The shape of error bodies.
    pub error_style: ErrorStyle,
    /// What `Retry-After` looks like on a 429.
    pub retry_after: RetryAfter,
    /// The delay a 429 asks for.
    pub retry_after_seconds: u64,
    /// How a client certificate is refused.
    pub client_certificate_refusal: ClientCertificateRefusal,
    /// The certificate the server shows to new connections.
    pub server_certificate: ServerCertificate,
    /// The TLS versions offered to new connections.
    pub tls_versions: TlsVersions,
    /// After a refused handshake, whether the bank waits for the client to read the alert.
    pub lingering_close: bool,
    /// Whether requests are recorded.
    pub recording: bool,
}

impl Settings {
    /// The settings a bank starts with.
    pub fn of(dialect: Dialect, standard: Standard) -> Self {
        match dialect {
            Dialect::Bpce => Self::bpce(standard),
            Dialect::Lydia => Self::lydia(),
        }
    }

    fn bpce(standard: Standard) -> Self {
        let signed = ["(request-target)", "date", "digest", "x-request-id"];
        Self {
            bank_name: "Caisse d’Epargne Ile-de-France".to_owned(),
            bank_brand: "caisse-epargne.fr".to_owned(),
            scope: if standard == Standard::V1_4_0 { "piisp" } else { "cbpii" }.to_owned(),
            response_type: true,
            state_required: true,
            refusal_returns: true,
            pkce: false,
            iss_returned: false,
            consent_entry: ConsentEntry::Page,
            code_lifetime_seconds: 60,
            page_timeout_seconds: 240,
            consent_lifetime_days: 180,
            client_authentication: ClientAuthentication::TlsClientAuth,
            redirect_uri_in_exchange: true,
            scope_in_token_request: false,
            access_token_seconds: 3600,
            expires_in: ExpiresIn::Number,
            token_type: Some("Bearer".to_owned()),
            granted_scope: GrantedScope::Exact,
            refresh_token_rotation: RefreshTokenRotation::Same,
            request_id_required: true,
            signed_headers: Some(signed.map(str::to_owned).to_vec()),
            date_tolerance_seconds: Some(300),
            amount_format: match standard {
                Standard::V1_6 => AmountFormat::Number,
                Standard::V1_4_0 | Standard::V1_4_2 => AmountFormat::String,
            },
            account_member: "iban".to_owned(),
            account_extensions: standard == Standard::V1_6,
            echoed_account: EchoedAccount::AsSent,
            links: true,
            signed_answers: true,
            error_style: ErrorStyle::Stet,
            retry_after: RetryAfter::Seconds,
            retry_after_seconds: 30,
            client_certificate_refusal: ClientCertificateRefusal::Http,
            server_certificate: ServerCertificate::Good,
            tls_versions: TlsVersions::Both,
            lingering_close: true,
            recording: true,
        }
    }

    fn lydia() -> Self {
        Self {
            bank_name: "Sumeria".to_owned(),
            bank_brand: "lydia-app.com".to_owned(),
            response_type: false,
            state_required: false,
            refusal_returns: false,
            consent_entry: ConsentEntry::App,
            code_lifetime_seconds: 600,
            client_authentication: ClientAuthentication::ClientSecretPost,
            redirect_uri_in_exchange: false,
            token_type: None,
            request_id_required: false,
            signed_headers: None,
            date_tolerance_seconds: None,
            amount_format: AmountFormat::Number,
            account_member: "Iban".to_owned(),
            echoed_account: EchoedAccount::OtherIban,
            links: false,
            signed_answers: false,
            error_style: ErrorStyle::OAuth,
            ..Self::bpce(Standard::V1_6)
        }
    }

    /// These settings with a JSON merge patch (RFC 7386) applied.
    pub fn patched(&self, patch: &Value) -> Result<Self, SandboxError> {
        let refused = |error: serde_json::Error| SandboxError::Configuration(format!("settings: {error}"));
        let mut value = serde_json::to_value(self).map_err(refused)?;
        crate::merge::merge(&mut value, patch);
        serde_json::from_value(value).map_err(refused)
    }
}
