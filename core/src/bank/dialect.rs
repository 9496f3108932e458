//! The points at which banks differ, each a small closed choice.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorCode, Result};

/// Which of a bank's installations is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Environment {
    /// `sandbox`: static test data, no money.
    Sandbox,
    /// `production`: the real accounts, at the hosts of the bank's current definition.
    Production,
    /// `production-legacy`: the real accounts, at the hosts older pages name.
    ProductionLegacy,
}

impl Environment {
    /// Every environment.
    pub const ALL: [Self; 3] = [Self::Sandbox, Self::Production, Self::ProductionLegacy];

    /// The stable text, as it is written in a bank record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Production => "production",
            Self::ProductionLegacy => "production-legacy",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Environment {
    type Err = Error;

    /// Reads the stable text; anything else is `configuration.option`.
    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|environment| environment.as_str() == text).ok_or_else(|| {
            Error::new(
                ErrorCode::OptionValue,
                "The environment is none of sandbox, production and production-legacy; use one of them.",
            )
        })
    }
}

/// The version of the STET definition a bank speaks. It decides the scope and the usual form of an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Standard {
    /// STET PSD2 API 1.4.0: the role is still called `piisp`.
    #[serde(rename = "stet-1.4.0")]
    Stet140,
    /// STET PSD2 API 1.4.1 and 1.4.2: the role is called `cbpii`.
    #[serde(rename = "stet-1.4.2")]
    Stet142,
    /// STET PSD2 API 1.6.x: amounts are JSON numbers.
    #[serde(rename = "stet-1.6")]
    Stet16,
}

impl Standard {
    /// Every version, the oldest first.
    pub const ALL: [Self; 3] = [Self::Stet140, Self::Stet142, Self::Stet16];

    /// The stable text, as it is written in a bank record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stet140 => "stet-1.4.0",
            Self::Stet142 => "stet-1.4.2",
            Self::Stet16 => "stet-1.6",
        }
    }
}

impl fmt::Display for Standard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How the issuer proves who it is at the token endpoint, always besides mutual TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// `tls_client_auth` (RFC 8705 §2.1): the TLS certificate alone; `client_id` travels in the form.
    TlsClientAuth,
    /// `client_secret_basic` (RFC 6749 §2.3.1): client id and secret in an HTTP Basic header.
    ClientSecretBasic,
    /// `client_secret_post` (RFC 6749 §2.3.1): client id and secret in the form.
    ClientSecretPost,
}

/// How an amount is written in JSON. It is decimal text in either case, never a binary fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmountFormat {
    /// `"12.50"`: STET up to 1.4.1, and the samples of 89C3.
    String,
    /// `12.50`: STET from 1.4.2.17 on.
    Number,
}

/// How the IBAN's member of `accountId` is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AccountMember {
    /// `iban`, as STET has it.
    #[serde(rename = "iban")]
    Iban,
    /// `Iban`, with a capital.
    #[serde(rename = "Iban")]
    CapitalIban,
}

impl AccountMember {
    /// The member's name as sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Iban => "iban",
            Self::CapitalIban => "Iban",
        }
    }
}

/// How the answer's echo of the request is compared with what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EchoRule {
    /// Reference, amount, currency and account must be there and equal.
    Strict,
    /// Reference, amount and currency must be equal; the account may be written differently.
    ReferenceAndAmount,
    /// The bank echoes nothing that can be compared.
    None,
}

/// What a refresh does to the refresh token. It decides whether a refresh of unknown outcome may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefreshTokenRotation {
    /// The same refresh token stays valid.
    Same,
    /// Each refresh ends the old refresh token and brings a new one.
    Rotated,
    /// Not known; treated with the care [`Rotated`](Self::Rotated) needs.
    Unknown,
}

/// How the messages to a bank are signed (draft-cavage-http-signatures).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureDialect {
    /// What is signed, in this order: lower-case header names, `(request-target)`, and at most once the
    /// marker `psu-*`, which stands for every `PSU-*` header that is present.
    pub headers: Vec<String>,
    /// What the `keyId` says.
    pub key_id: KeyIdSource,
    /// How the signature is computed.
    pub algorithm: SealAlgorithm,
    /// What the `algorithm` parameter says, which need not be the truth: `rsa-sha256`, `SHA256withRSA`.
    pub algorithm_label: String,
    /// What stands between the parameters of the `Signature` header: a comma, or a comma and a blank.
    pub separator: String,
}

/// Where the `keyId` of a signature comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeyIdSource {
    /// The issuer's `client_id`.
    ClientId,
    /// The URL at which the bank finds the seal's certificate; it ends in `_` and the certificate's SHA-256.
    CertificateUrl,
    /// The serial number of the seal's certificate, in hexadecimal.
    SerialHex,
    /// The distinguished name of who issued the seal's certificate.
    IssuerDn,
    /// `SN=<serial>,CA=<issuer's distinguished name>`.
    SerialAndIssuer,
    /// This text.
    Fixed(String),
    /// Whatever the issuer's seal was given as key id, whole.
    Configured,
}

/// The algorithm a bank verifies message signatures with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SealAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2).
    RsaPkcs1Sha256,
    /// RSASSA-PSS with SHA-256 (RFC 8017 §8.1).
    RsaPssSha256,
}

/// The root certificates a bank's own TLS certificate may be issued under.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustAnchors {
    /// Whether `pem` comes on top of the public web's roots or instead of them.
    pub mode: TrustMode,
    /// PEM texts of one or more certificates each.
    pub pem: Vec<String>,
}

/// What own root certificates do to the public web's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrustMode {
    /// Both are trusted.
    #[default]
    Add,
    /// Only the own ones are trusted.
    Replace,
}
