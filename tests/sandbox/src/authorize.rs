//! The consent URL: checks who asks and for what, then hands the cardholder to the pages or to a machine's decision.

use crate::bank::Bank;
use crate::consent_page::ErrorTitle;
use crate::exchange::{Answer, Exchange};
use crate::form::{Parameters, with_query};
use crate::lock::Locked as _;
use crate::pages;
use crate::settings::{ConsentEntry, Settings};

/// Parameters for machines: decide at once, as a persona.
const MACHINE: [&str; 2] = ["auto", "persona"];

/// A consent request the bank has nothing against.
#[derive(Clone, Debug)]
pub(crate) struct ConsentRequest {
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    pub(crate) challenge: Option<String>,
}

/// Why a consent request is refused.
enum Objection {
    /// Not to be redirected: the bank does not know where to.
    Stay(ErrorTitle, String),
    /// RFC 6749, 4.1.2.1.
    Return { error: &'static str, description: String },
}

pub(crate) fn answer(bank: &Bank, settings: &Settings, exchange: &Exchange) -> Answer {
    if exchange.method != hyper::Method::GET {
        return Answer::new(405, "text/plain", "method not allowed")
            .header("allow", "GET")
            .because("not a GET");
    }
    let (parameters, repeated) = Parameters::parse(exchange.query.as_deref().unwrap_or_default().as_bytes());
    let request = match trusted(bank, &parameters, repeated.as_deref()) {
        Ok(request) => request,
        Err(objection) => return object(bank, settings, exchange, None, objection),
    };
    match check(settings, &parameters, repeated.as_deref()) {
        Ok(challenge) => {
            let request = ConsentRequest { challenge, ..request };
            go_on(bank, settings, exchange, &parameters, request)
        }
        Err(objection) => object(bank, settings, exchange, Some(&request), objection),
    }
}

/// The client and its redirect URI, byte for byte: without them nobody is redirected anywhere.
fn trusted(
    bank: &Bank,
    parameters: &Parameters,
    repeated: Option<&str>,
) -> Result<ConsentRequest, Objection> {
    if let Some(name @ ("client_id" | "redirect_uri")) = repeated {
        return Err(Objection::Stay(ErrorTitle::BadRequest, format!("parameter {name} sent twice")));
    }
    match parameters.get("client_id") {
        None => {
            return Err(Objection::Stay(ErrorTitle::UnknownIssuer, "missing parameter client_id".to_owned()));
        }
        Some(id) if id != bank.registration.client_id => {
            return Err(Objection::Stay(ErrorTitle::UnknownIssuer, "unknown client_id".to_owned()));
        }
        Some(_) => {}
    }
    match parameters.get("redirect_uri") {
        None => Err(Objection::Stay(ErrorTitle::BadRedirect, "missing parameter redirect_uri".to_owned())),
        Some(uri) if uri != bank.registration.redirect_uri => {
            Err(Objection::Stay(ErrorTitle::BadRedirect, "redirect_uri is not registered".to_owned()))
        }
        Some(uri) => Ok(ConsentRequest {
            redirect_uri: uri.to_owned(),
            state: parameters.get("state").filter(|_| repeated != Some("state")).map(str::to_owned),
            challenge: None,
        }),
    }
}

/// The rest of the request; gives the PKCE challenge.
fn check(
    settings: &Settings,
    parameters: &Parameters,
    repeated: Option<&str>,
) -> Result<Option<String>, Objection> {
    let invalid = |description: String| Objection::Return { error: "invalid_request", description };
    let mut known = vec!["client_id", "redirect_uri", "scope", "state"];
    known.extend(MACHINE);
    if settings.response_type {
        known.push("response_type");
    }
    if settings.pkce {
        known.extend(["code_challenge", "code_challenge_method"]);
    }
    if let Some(name) = repeated {
        return Err(invalid(format!("parameter {name} sent twice")));
    }
    if let Some(name) = parameters.unknown(&known) {
        return Err(invalid(format!("unknown parameter {name}")));
    }
    if settings.response_type {
        match parameters.get("response_type") {
            Some("code") => {}
            None => return Err(invalid("missing parameter response_type".to_owned())),
            Some(_) => {
                let description = "response_type is not code".to_owned();
                return Err(Objection::Return { error: "unsupported_response_type", description });
            }
        }
    }
    match parameters.get("scope") {
        None => return Err(invalid("missing parameter scope".to_owned())),
        Some(scope) if scope != settings.scope => {
            let description = format!("scope is not {}", settings.scope);
            return Err(Objection::Return { error: "invalid_scope", description });
        }
        Some(_) => {}
    }
    if settings.state_required && parameters.get("state").is_none() {
        return Err(invalid("missing parameter state".to_owned()));
    }
    challenge(settings, parameters).map_err(invalid)
}

fn challenge(settings: &Settings, parameters: &Parameters) -> Result<Option<String>, String> {
    if !settings.pkce {
        return Ok(None);
    }
    if parameters.get("code_challenge_method") != Some("S256") {
        return Err("code_challenge_method is not S256".to_owned());
    }
    let challenge = parameters.get("code_challenge").ok_or("missing parameter code_challenge")?;
    let is_sha256 = challenge.len() == 43
        && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if is_sha256 { Ok(Some(challenge.to_owned())) } else { Err("code_challenge is not a SHA-256".to_owned()) }
}

fn object(
    bank: &Bank,
    settings: &Settings,
    exchange: &Exchange,
    request: Option<&ConsentRequest>,
    objection: Objection,
) -> Answer {
    let (title, error, description) = match objection {
        Objection::Stay(title, description) => (title, "invalid_request", description),
        Objection::Return { error, description } => (ErrorTitle::BadRequest, error, description),
    };
    let verdict = format!("{error}: {description}");
    let answer = match request {
        Some(request) if settings.refusal_returns => back_with_error(request, error, &description),
        _ if settings.consent_entry == ConsentEntry::App => Answer::new(400, "text/plain", verdict.clone()),
        _ => pages::error(bank, settings, exchange, title, &description),
    };
    answer.because(verdict)
}

fn go_on(
    bank: &Bank,
    settings: &Settings,
    exchange: &Exchange,
    parameters: &Parameters,
    request: ConsentRequest,
) -> Answer {
    let persona = parameters.get("persona").unwrap_or("CLAIRE");
    let known = bank.customers.locked().get(persona).is_some();
    match parameters.get("auto") {
        Some("approve") if known => approve(bank, settings, &request, persona),
        Some("refuse") if known => refuse(settings, &request)
            .unwrap_or_else(|| pages::stay(bank, settings, exchange).because("refused by the cardholder")),
        Some(_) => {
            let description = "auto is approve or refuse, as a persona of the bank".to_owned();
            object(
                bank,
                settings,
                exchange,
                Some(&request),
                Objection::Stay(ErrorTitle::BadRequest, description),
            )
        }
        None => pages::open(bank, settings, exchange, request),
    }
}

/// The redirect with a code.
pub(crate) fn approve(bank: &Bank, settings: &Settings, request: &ConsentRequest, persona: &str) -> Answer {
    let code =
        bank.grants.locked().give_code(persona, &request.redirect_uri, request.challenge.clone(), bank.now());
    let mut parameters = vec![("code", code.as_str())];
    if let Some(state) = &request.state {
        parameters.push(("state", state));
    }
    if settings.iss_returned {
        parameters.push(("iss", bank.endpoints.origin.as_str()));
    }
    redirect(302, &with_query(&request.redirect_uri, &parameters))
}

/// The redirect after a refusal, at banks that send the cardholder back.
pub(crate) fn refuse(settings: &Settings, request: &ConsentRequest) -> Option<Answer> {
    settings.refusal_returns.then(|| {
        back_with_error(request, "access_denied", "the cardholder refused")
            .because("refused by the cardholder")
    })
}

fn back_with_error(request: &ConsentRequest, error: &str, description: &str) -> Answer {
    let mut parameters = vec![("error", error), ("error_description", description)];
    if let Some(state) = &request.state {
        parameters.push(("state", state));
    }
    redirect(302, &with_query(&request.redirect_uri, &parameters))
}

pub(crate) fn redirect(status: u16, location: &str) -> Answer {
    Answer::html(status, "")
        .header("location", location)
        .header("cache-control", "no-store")
        .header("referrer-policy", "no-referrer")
}
