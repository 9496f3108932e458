//! The three requests of the protocol, built for one issuer at one bank.

use ::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE};
use ::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

use super::exchange::{Explained, Prepared, Private};
use crate::bank::{Bank, ClientAuthentication};
use crate::clock::Entropy;
use crate::consent::{AuthorizationCode, PendingConsent, form};
use crate::funds::{AccountIdentifier, FundsRequest};
use crate::http::{HttpRequest, MessageSigner, digest_header};
use crate::identity::Issuer;
use crate::token::is_token_text;
use crate::{Error, ErrorCode, Explanation, Result, Secret, Timestamp};

const DIGEST: HeaderName = HeaderName::from_static("digest");
const SIGNATURE: HeaderName = HeaderName::from_static("signature");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const HAL_OR_JSON: HeaderValue = HeaderValue::from_static("application/hal+json, application/json");

/// Stands for the request id in the value of an extra header.
const REQUEST_ID: &str = "{request_id}";

/// What stays the same from request to request.
pub(super) struct Requests {
    funds: Uri,
    signer: Option<MessageSigner>,
    request_id_header: Option<HeaderName>,
    /// The bank's own headers; `{request_id}` in a value is filled in per request.
    extra_headers: Vec<(HeaderName, String)>,
}

/// The https address as the HTTP library wants it.
pub(super) fn uri(address: &str) -> Result<Uri> {
    address.parse().map_err(|_| {
        Error::new(
            ErrorCode::EndpointInvalid,
            "The bank's endpoint is not an absolute https URL with a host.",
        )
    })
}

impl Requests {
    pub(super) fn new(
        bank: &Bank,
        issuer: &Issuer,
        funds: Uri,
        signer: Option<MessageSigner>,
    ) -> Result<Self> {
        let name = |text: &str| {
            HeaderName::try_from(text).map_err(|_| {
                Error::new(ErrorCode::Header, "The bank record has a header name that must not be sent.")
            })
        };
        let extra = bank
            .extra_headers
            .iter()
            .map(|(header, value)| Ok((name(header)?, value.replace("{client_id}", issuer.client_id()))));
        Ok(Self {
            funds,
            signer,
            request_id_header: bank.request_id_header.as_deref().map(name).transpose()?,
            extra_headers: extra.collect::<Result<_>>()?,
        })
    }

    /// Whether the bank gets to see a request id, in its own header or in an extra one.
    fn sends_request_id(&self) -> bool {
        self.request_id_header.is_some()
            || self.extra_headers.iter().any(|(_, value)| value.contains(REQUEST_ID))
    }

    pub(super) fn funds_uri(&self) -> &Uri {
        &self.funds
    }

    /// `meanwhile` happens before the seal's key is asked for its signature, which may take its time.
    pub(super) fn confirm_funds<'a>(
        &'a self,
        bank: &Bank,
        access_token: &Secret,
        request: &'a FundsRequest,
        now: Timestamp,
        entropy: &dyn Entropy,
        meanwhile: impl FnOnce(),
    ) -> Result<Prepared<'a>> {
        let mut bearer = String::with_capacity(access_token.expose().len() + 7);
        bearer.push_str("Bearer ");
        bearer.push_str(access_token.expose());
        let bearer = HeaderValue::try_from(bearer).map_err(|_| unsendable())?;
        let (mut outgoing, request_id) = self.unsigned(bank, bearer, request, now, entropy)?;
        let mut signing_string = None;
        if let Some(signer) = &self.signer {
            let signature = signer.sign(&outgoing, meanwhile)?;
            outgoing.headers.insert(SIGNATURE, signature.header);
            signing_string = Some(signature.signing_string);
        }
        Ok(Prepared { request: outgoing, request_id, explained: self.explained(request, signing_string) })
    }

    /// As [`confirm_funds`](Self::confirm_funds), without token, key and signature.
    pub(super) fn explain(
        &self,
        bank: &Bank,
        request: &FundsRequest,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<Explanation> {
        let (mut outgoing, request_id) =
            self.unsigned(bank, HeaderValue::from_static("Bearer access-token"), request, now, entropy)?;
        let mut signing_string = None;
        if let Some(signer) = &self.signer {
            let (text, header) = signer.prepare(&outgoing)?;
            outgoing.headers.insert(SIGNATURE, header_value(&format!("{header}...\""))?);
            signing_string = Some(text);
        }
        Ok(Prepared { request: outgoing, request_id, explained: self.explained(request, signing_string) }
            .explanation())
    }

    fn explained<'a>(&'a self, request: &'a FundsRequest, signing_string: Option<String>) -> Explained<'a> {
        let private = match request.account().identifier() {
            AccountIdentifier::Iban(iban) => Private::Iban(iban.as_str()),
            AccountIdentifier::Other(other) => Private::Identification(other.identification()),
        };
        Explained { signing_string, key_id: self.signer.as_ref().map(MessageSigner::key_id), private }
    }

    fn unsigned(
        &self,
        bank: &Bank,
        mut authorization: HeaderValue,
        request: &FundsRequest,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<(HttpRequest, Option<String>)> {
        let request_id = match &request.request_id {
            _ if !self.sends_request_id() => None,
            Some(id) => Some(id.clone()),
            None => Some(fresh_request_id(entropy)?),
        };
        let sent_id = request_id.as_deref().unwrap_or_default();
        let body = request.to_body(bank.amount_format, bank.account_member);
        let mut headers = HeaderMap::with_capacity(16);
        authorization.set_sensitive(true);
        headers.insert(AUTHORIZATION, authorization);
        if let Some(name) = &self.request_id_header {
            headers.insert(name, header_value(sent_id)?);
        }
        if self.signer.is_some() {
            let date = httpdate::fmt_http_date(now.to_system_time());
            headers.insert(DATE, HeaderValue::try_from(date).map_err(|_| unsendable())?);
            let digest = digest_header(body.as_bytes());
            headers.insert(DIGEST, HeaderValue::try_from(digest).map_err(|_| unsendable())?);
        }
        headers.insert(CONTENT_TYPE, JSON);
        headers.insert(ACCEPT, HAL_OR_JSON);
        for (name, value) in request.psu.as_ref().into_iter().flat_map(|psu| psu.headers()) {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Error::new(ErrorCode::Internal, "A PSU header has an impossible name."))?;
            headers.insert(name, header_value(value)?);
        }
        for (name, value) in &self.extra_headers {
            headers.insert(name, header_value(&value.replace(REQUEST_ID, sent_id))?);
        }
        let body = Zeroizing::new(body.into_bytes());
        Ok((HttpRequest { uri: self.funds.clone(), headers, body, fresh_connection: false }, request_id))
    }

    pub(super) fn exchange_code(
        &self,
        bank: &Bank,
        issuer: &Issuer,
        endpoint: &Uri,
        pending: &PendingConsent,
        code: &AuthorizationCode,
    ) -> Result<Prepared<'static>> {
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", pending.redirect_uri()),
        ];
        pairs.extend(pending.code_verifier().map(|verifier| ("code_verifier", verifier)));
        token_request(bank, issuer, endpoint, pairs)
    }

    pub(super) fn refresh(
        &self,
        bank: &Bank,
        issuer: &Issuer,
        endpoint: &Uri,
        refresh_token: &Secret,
    ) -> Result<Prepared<'static>> {
        token_request(
            bank,
            issuer,
            endpoint,
            vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())],
        )
    }
}

/// Not signed; authenticated by the client certificate, and by a secret where the bank wants one.
fn token_request<'a>(
    bank: &'a Bank,
    issuer: &'a Issuer,
    endpoint: &Uri,
    mut pairs: Vec<(&'a str, &'a str)>,
) -> Result<Prepared<'static>> {
    debug_assert!(
        pairs.iter().all(|(_, value)| is_token_text(value)),
        "checked when the token or code was made"
    );
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(CONTENT_TYPE, FORM);
    headers.insert(ACCEPT, JSON);
    pairs.push(("client_id", issuer.client_id()));
    if bank.scope_in_token_request {
        pairs.push(("scope", &bank.scope));
    }
    match (bank.client_authentication, issuer.client_secret()) {
        (ClientAuthentication::ClientSecretPost, Some(secret)) => {
            pairs.push(("client_secret", secret.expose()))
        }
        (ClientAuthentication::ClientSecretBasic, Some(secret)) => {
            let mut value = header_value(&basic(issuer.client_id(), secret))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        _ => {}
    }
    let request = HttpRequest { uri: endpoint.clone(), headers, body: form(&pairs), fresh_connection: true };
    Ok(Prepared {
        request,
        request_id: None,
        explained: Explained { signing_string: None, key_id: None, private: Private::Form },
    })
}

/// RFC 6749 §2.3.1: both parts form-encoded before they are joined.
fn basic(client_id: &str, secret: &Secret) -> Zeroizing<String> {
    let encode = |text: &str| Zeroizing::new(byte_serialize(text.as_bytes()).collect::<String>());
    let joined = Zeroizing::new(format!("{}:{}", *encode(client_id), *encode(secret.expose())));
    Zeroizing::new(format!("Basic {}", BASE64_STANDARD.encode(joined.as_bytes())))
}

fn fresh_request_id(entropy: &dyn Entropy) -> Result<String> {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
}

fn header_value(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text).map_err(|_| unsendable())
}

fn unsendable() -> Error {
    Error::new(ErrorCode::Header, "A header value has control characters that must not be sent.")
}
