//! What differs from bank to bank, as data.
//!
//! A [`Bank`] is a plain record: everything the rest of this crate does differently for one bank than for
//! another is decided by a field of it, never by the bank's name. Records come from the compiled-in
//! directory ([`Bank::bpce`], [`Bank::from_iban`], [`Bank::find`]), or from JSON ([`Bank::from_json`]), and
//! every field can be changed afterwards.

mod dialect;
mod directory;
mod endpoints;
mod record;
mod search;
mod validation;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use dialect::{
    AccountMember, AmountFormat, ClientAuthentication, EchoRule, Environment, KeyIdSource,
    RefreshTokenRotation, SealAlgorithm, SignatureDialect, Standard, TrustAnchors, TrustMode,
};
pub use endpoints::Endpoints;

/// Everything that differs from bank to bank.
///
/// ```
/// # fn main() -> cbpii::Result<()> {
/// use cbpii::{Bank, Environment};
///
/// let bank = Bank::bpce("17515", Environment::Sandbox)?;
/// assert_eq!(bank.name, "Caisse d'Epargne Ile-de-France");
/// assert_eq!(
///     bank.funds_url.as_deref(),
///     Some("https://www.17515.sandbox.api.89c3.com/stet/psd2/v1.4.2/funds-confirmations")
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bank {
    /// Stable name of the record, e.g. `bpce-17515`: 1 to 64 of the characters `a-z`, `0-9`, `-`, `_` and `.`.
    pub id: String,
    /// The bank's name, for people.
    pub name: String,
    /// The brand the cardholder knows, e.g. `Caisse d'Epargne`.
    pub brand: Option<String>,
    /// The bank's five digits in a French IBAN (positions 5 to 9), when one code names it.
    pub establishment_code: Option<String>,
    /// Which installation the endpoints belong to.
    pub environment: Option<Environment>,
    /// The version of the STET definition the bank speaks.
    pub standard: Standard,
    /// Whether something in this record has not been confirmed by the bank's own pages; `note` says what.
    pub unverified: bool,
    /// What a user of this record should know: what is deduced, chosen or unknown.
    pub note: Option<String>,
    /// Where the cardholder's browser is sent for consent: an absolute https URL.
    pub authorize_url: Option<String>,
    /// Where codes and refresh tokens are changed for tokens: an absolute https URL.
    pub token_url: Option<String>,
    /// Where funds are asked for: an absolute https URL.
    pub funds_url: Option<String>,
    /// The OAuth 2 scope of this role: `cbpii`, or `piisp` for STET 1.4.0.
    pub scope: String,
    /// Whether the token requests repeat the scope.
    pub scope_in_token_request: bool,
    /// How the issuer proves who it is at the token endpoint.
    pub client_authentication: ClientAuthentication,
    /// Whether the consent uses PKCE with S256 (RFC 7636).
    pub pkce: bool,
    /// Whether the consent URL carries `response_type=code`.
    pub response_type: bool,
    /// Whether a refusing cardholder is sent back; if not, a pending consent just ages out.
    pub refusal_returns: bool,
    /// How an amount is written in JSON.
    pub amount_format: AmountFormat,
    /// Whether `"true"` and `"false"` are accepted as results besides `true` and `false`. Only one known
    /// sandbox needs it.
    pub accepts_string_result: bool,
    /// How messages to the bank are signed; `None` when they are not.
    pub signature: Option<SignatureDialect>,
    /// How the IBAN's member of `accountId` is spelled.
    pub account_member: AccountMember,
    /// How the answer's echo of the request is compared with what was asked.
    pub echo: EchoRule,
    /// Whether an answer without `_links` is refused.
    pub links_required: bool,
    /// The header that carries the request id, usually `X-Request-ID`; `None` when the bank documents none.
    pub request_id_header: Option<String>,
    /// Headers the bank wants besides the standard's, name to value. The stand-ins `{client_id}` and
    /// `{request_id}` in a value are replaced for every call.
    pub extra_headers: BTreeMap<String, String>,
    /// How long a consent lasts from the strong authentication, in days, 1 to 3650: 180, or 90.
    pub consent_lifetime_days: u16,
    /// What a refresh does to the refresh token.
    pub refresh_token_rotation: RefreshTokenRotation,
    /// Further statuses of a funds answer by which the bank refuses the request, 400 to 599; Lydia's 409.
    pub refused_statuses: Vec<u16>,
    /// The root certificates the bank's TLS certificate may be issued under.
    pub trust_anchors: TrustAnchors,
    /// Certificates (PEM) the bank signs its answers with. When there are any, an answer must verify.
    pub response_signing_certificates: Vec<String>,
    /// Whether the bank refuses certificates that are themselves signed with RSASSA-PSS.
    pub refuses_pss_certificates: bool,
}
