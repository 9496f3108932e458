//! The token endpoint: codes and refresh tokens become access tokens.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::bank::Bank;
use crate::exchange::{Answer, Exchange};
use crate::form::Parameters;
use crate::grants::Issued;
use crate::lock::Locked as _;
use crate::settings::{ClientAuthentication, ErrorStyle, ExpiresIn, GrantedScope, Settings};

/// An error answer of RFC 6749, 5.2.
struct OAuthError {
    status: u16,
    error: &'static str,
    description: String,
}

impl OAuthError {
    fn request(description: impl Into<String>) -> Self {
        Self { status: 400, error: "invalid_request", description: description.into() }
    }

    fn client(description: impl Into<String>) -> Self {
        Self { status: 401, error: "invalid_client", description: description.into() }
    }

    fn grant(description: impl Into<String>) -> Self {
        Self { status: 400, error: "invalid_grant", description: description.into() }
    }

    fn answer(&self, settings: &Settings) -> Answer {
        let body = json!({"error": self.error, "error_description": self.description});
        let answer = match (self.status, settings.error_style) {
            // Lydia documents a 401 without a body.
            (401, ErrorStyle::OAuth) => {
                Answer { status: 401, headers: Vec::new(), body: Vec::new(), verdict: String::new() }
            }
            (status, _) => Answer::json(status, &body),
        };
        answer.because(format!("{}: {}", self.error, self.description))
    }
}

pub(crate) fn answer(bank: &Bank, settings: &Settings, exchange: &Exchange) -> Answer {
    let answer = if exchange.method == hyper::Method::POST {
        match issue(bank, settings, exchange) {
            Ok(issued) => Answer::json(200, &Value::Object(body(settings, &issued))),
            Err(error) => error.answer(settings),
        }
    } else {
        let error = OAuthError { status: 405, ..OAuthError::request("the token endpoint takes a POST") };
        error.answer(settings).header("allow", "POST")
    };
    answer.header("cache-control", "no-store").header("pragma", "no-cache")
}

fn issue(bank: &Bank, settings: &Settings, exchange: &Exchange) -> Result<Issued, OAuthError> {
    let parameters = read(exchange)?;
    authenticate(bank, settings, exchange, &parameters)?;
    match parameters.get("grant_type") {
        None => Err(OAuthError::request("missing parameter grant_type")),
        Some("authorization_code") => exchange_code(bank, settings, &parameters),
        Some("refresh_token") => refresh(bank, settings, &parameters),
        Some(_) => Err(OAuthError {
            status: 400,
            error: "unsupported_grant_type",
            description: "grant_type is authorization_code or refresh_token".to_owned(),
        }),
    }
}

fn read(exchange: &Exchange) -> Result<Parameters, OAuthError> {
    if exchange.query.is_some() {
        return Err(OAuthError::request("parameters belong into the body"));
    }
    let content_type = exchange.single("content-type").map_err(OAuthError::request)?.unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(OAuthError::request("Content-Type is not application/x-www-form-urlencoded"));
    }
    if std::str::from_utf8(&exchange.body).is_err() {
        return Err(OAuthError::request("the form is not UTF-8"));
    }
    match Parameters::parse(&exchange.body) {
        (parameters, None) => Ok(parameters),
        (_, Some(name)) => Err(OAuthError::request(format!("parameter {name} sent twice"))),
    }
}

/// The client, beyond its certificate, which has been checked already.
fn authenticate(
    bank: &Bank,
    settings: &Settings,
    exchange: &Exchange,
    parameters: &Parameters,
) -> Result<(), OAuthError> {
    let registered = &bank.registration;
    let authorization = exchange.single("authorization").map_err(OAuthError::request)?;
    let is_basic = settings.client_authentication == ClientAuthentication::ClientSecretBasic;
    if authorization.is_some() && !is_basic {
        return Err(OAuthError::request("this bank does not take an Authorization header here"));
    }
    match parameters.get("client_id") {
        Some(id) if id == registered.client_id => {}
        Some(_) => return Err(OAuthError::client("unknown client_id")),
        None if is_basic => {}
        None => return Err(OAuthError::request("missing parameter client_id")),
    }
    let secret = registered.client_secret.as_deref().unwrap_or_default();
    match settings.client_authentication {
        ClientAuthentication::TlsClientAuth => Ok(()),
        ClientAuthentication::ClientSecretPost => match parameters.get("client_secret") {
            Some(sent) if sent == secret => Ok(()),
            Some(_) => Err(OAuthError::client("wrong client_secret")),
            None => Err(OAuthError::client("missing parameter client_secret")),
        },
        ClientAuthentication::ClientSecretBasic => {
            let encode =
                |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = format!("{}:{}", encode(&registered.client_id), encode(secret));
            let expected = format!("Basic {}", STANDARD.encode(pair));
            let matches = authorization == Some(expected.as_str());
            matches.then_some(()).ok_or_else(|| OAuthError::client("wrong Authorization header"))
        }
    }
}

/// Parameters of any grant at this bank, and `more` of this one.
fn only(settings: &Settings, parameters: &Parameters, more: &[&str]) -> Result<(), OAuthError> {
    let mut known = vec!["grant_type", "client_id"];
    known.extend(more);
    if settings.client_authentication == ClientAuthentication::ClientSecretPost {
        known.push("client_secret");
    }
    if settings.scope_in_token_request {
        known.push("scope");
        if parameters.get("scope") != Some(settings.scope.as_str()) {
            return Err(OAuthError {
                status: 400,
                error: "invalid_scope",
                description: format!("scope is not {}", settings.scope),
            });
        }
    }
    match parameters.unknown(&known) {
        None => Ok(()),
        Some("scope") => Err(OAuthError::request("scope must not be sent to the token endpoint")),
        Some(name) => Err(OAuthError::request(format!("unknown parameter {name}"))),
    }
}

fn required<'a>(parameters: &'a Parameters, name: &str) -> Result<&'a str, OAuthError> {
    parameters.get(name).ok_or_else(|| OAuthError::request(format!("missing parameter {name}")))
}

fn exchange_code(bank: &Bank, settings: &Settings, parameters: &Parameters) -> Result<Issued, OAuthError> {
    let mut known = vec!["code", "redirect_uri"];
    if settings.pkce {
        known.push("code_verifier");
    }
    only(settings, parameters, &known)?;
    let code = required(parameters, "code")?;
    let mut grants = bank.grants.locked();
    if let Some(given) = grants.code(code) {
        let sent = match parameters.get("redirect_uri") {
            None if settings.redirect_uri_in_exchange => {
                return Err(OAuthError::request("missing parameter redirect_uri"));
            }
            other => other,
        };
        if sent.is_some_and(|uri| uri != given.redirect_uri) {
            return Err(OAuthError::grant("redirect_uri is not the one of the consent URL"));
        }
        if let Some(challenge) = &given.challenge {
            let verifier = required(parameters, "code_verifier")?;
            if URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())) != *challenge {
                return Err(OAuthError::grant("code_verifier does not match the challenge"));
            }
        }
    }
    grants.spend(code, settings, bank.now()).map_err(OAuthError::grant)
}

fn refresh(bank: &Bank, settings: &Settings, parameters: &Parameters) -> Result<Issued, OAuthError> {
    only(settings, parameters, &["refresh_token"])?;
    let token = required(parameters, "refresh_token")?;
    bank.grants.locked().refresh(token, settings, bank.now()).map_err(OAuthError::grant)
}

/// The token answer as this bank writes it.
pub(crate) fn body(settings: &Settings, issued: &Issued) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("access_token".to_owned(), json!(issued.access));
    if let Some(kind) = &settings.token_type {
        body.insert("token_type".to_owned(), json!(kind));
    }
    match settings.expires_in {
        ExpiresIn::Number => {
            body.insert("expires_in".to_owned(), json!(settings.access_token_seconds));
        }
        ExpiresIn::String => {
            body.insert("expires_in".to_owned(), json!(settings.access_token_seconds.to_string()));
        }
        ExpiresIn::Missing => {}
    }
    if let Some(token) = &issued.refresh {
        body.insert("refresh_token".to_owned(), json!(token));
    }
    match settings.granted_scope {
        GrantedScope::Exact => {
            body.insert("scope".to_owned(), json!(issued.scope));
        }
        GrantedScope::Wider => {
            body.insert("scope".to_owned(), json!(format!("{} extended_transaction_history", issued.scope)));
        }
        GrantedScope::Missing => {}
    }
    body
}
