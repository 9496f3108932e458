//! The cardholder's way through the bank's pages: log in, strong authentication, decision, and back to the issuer.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use hyper::Method;

use crate::authorize::{self, ConsentRequest};
use crate::bank::Bank;
use crate::consent_page::{
    BankView, ErrorTitle, Language, LoginError, Page, PersonaChoice, ScaError, render,
};
use crate::exchange::{Answer, Exchange};
use crate::form::{Parameters, with_query};
use crate::grants::unguessable;
use crate::iban;
use crate::lock::Locked as _;
use crate::settings::{ConsentEntry, Settings};

/// How many consents may be under way; the oldest goes first.
const UNDER_WAY: usize = 1_000;

/// Consents under way, by an identifier nobody guesses: whoever has it is the cardholder who opened the page.
#[derive(Default)]
pub(crate) struct Flows(HashMap<String, Flow>);

#[derive(Clone)]
struct Flow {
    request: ConsentRequest,
    opened_at: SystemTime,
    persona: Option<String>,
    /// The one-time code the bank "sent".
    otp: String,
    authenticated: bool,
}

impl Flows {
    fn open(&mut self, request: ConsentRequest, now: SystemTime) -> String {
        if self.0.len() >= UNDER_WAY {
            let oldest = self.0.iter().min_by_key(|(_, flow)| flow.opened_at).map(|(id, _)| id.clone());
            oldest.map(|id| self.0.remove(&id));
        }
        let id = unguessable();
        let digits = uuid::Uuid::new_v4().as_u128() % 1_000_000;
        let otp = format!("{digits:06}");
        self.0.insert(id.clone(), Flow { request, opened_at: now, persona: None, otp, authenticated: false });
        id
    }
}

/// One request to the pages: the flow it is part of and the fields it posts.
struct Visit<'a> {
    bank: &'a Bank,
    settings: &'a Settings,
    exchange: &'a Exchange,
    id: String,
    flow: Flow,
    fields: Parameters,
}

/// Starts a consent: the login page, or the redirect to the bank's app.
pub(crate) fn open(bank: &Bank, settings: &Settings, exchange: &Exchange, request: ConsentRequest) -> Answer {
    let redirect_uri = request.redirect_uri.clone();
    let id = bank.flows.locked().open(request, bank.now());
    match settings.consent_entry {
        ConsentEntry::App => {
            authorize::redirect(302, &with_query("com.lydia-app://openauth", &[("request", &id)]))
        }
        ConsentEntry::Page => login_page(bank, settings, exchange, &id, &redirect_uri, None),
    }
}

/// A page that explains why the cardholder cannot be sent back.
pub(crate) fn error(
    bank: &Bank,
    settings: &Settings,
    exchange: &Exchange,
    title_key: ErrorTitle,
    detail: &str,
) -> Answer {
    let status = if title_key == ErrorTitle::NotFound { 404 } else { 400 };
    show(bank, settings, exchange, status, &Page::Error { title_key, detail }, "")
}

/// The end at a bank that does not send the cardholder back.
pub(crate) fn stay(bank: &Bank, settings: &Settings, exchange: &Exchange) -> Answer {
    show(bank, settings, exchange, 200, &Page::Leaving { target: "" }, "")
}

pub(crate) fn answer(bank: &Bank, settings: &Settings, exchange: &Exchange) -> Answer {
    let source = match exchange.method {
        Method::GET => exchange.query.as_deref().unwrap_or_default().as_bytes(),
        Method::POST => &exchange.body,
        _ => {
            return Answer::new(405, "text/plain", "method not allowed")
                .header("allow", "GET, POST")
                .because("neither GET nor POST");
        }
    };
    let (fields, repeated) = Parameters::parse(source);
    let id = fields.get("flow").unwrap_or_default().to_owned();
    let found = bank.flows.locked().0.get(&id).cloned();
    let step = exchange.path.strip_prefix(bank.paths.pages.as_str()).unwrap_or_default();
    let Some(flow) = found.filter(|_| repeated.is_none()) else {
        return error(bank, settings, exchange, ErrorTitle::NotFound, "no such consent under way")
            .because("unknown flow");
    };
    if bank.now() > flow.opened_at + Duration::from_secs(settings.page_timeout_seconds) {
        let page = Page::TimedOut { issuer_name: &bank.registration.name };
        return show(bank, settings, exchange, 408, &page, "").because("the consent took too long");
    }
    let visit = Visit { bank, settings, exchange, id, flow, fields };
    match (&exchange.method, step) {
        (&Method::GET, "/login") => visit.login_page(None),
        (&Method::POST, "/login") => visit.log_in(),
        (&Method::GET, "/sca") => visit.sca_page(None),
        (&Method::POST, "/sca") => visit.authenticate(),
        (&Method::GET, "/decision") => visit.decision_page(),
        (&Method::POST, "/decision") => visit.decide(),
        _ => error(bank, settings, exchange, ErrorTitle::NotFound, "no such page").because("no such page"),
    }
}

impl Visit<'_> {
    fn login_page(&self, error: Option<LoginError>) -> Answer {
        login_page(self.bank, self.settings, self.exchange, &self.id, &self.flow.request.redirect_uri, error)
    }

    fn log_in(mut self) -> Answer {
        let persona = self.fields.get("persona").unwrap_or_default().to_owned();
        let online = self.bank.customers.locked().get(&persona).map(|found| found.online_access);
        match online {
            None => self.login_page(Some(LoginError::UnknownPersona)).because("unknown persona"),
            Some(false) => self.login_page(Some(LoginError::NoOnlineAccess)).because("no online access"),
            Some(true) => {
                self.flow.persona = Some(persona);
                self.flow.authenticated = false;
                self.advance("sca")
            }
        }
    }

    fn sca_page(&self, error: Option<ScaError>) -> Answer {
        let Some(persona) = &self.flow.persona else { return self.login_page(None) };
        let name = self.bank.customers.locked().get(persona).map(|found| found.display_name.clone());
        let page = Page::Sca {
            flow: &self.id,
            persona_name: name.as_deref().unwrap_or_default(),
            code_hint: &self.flow.otp,
            error,
        };
        self.show(&page)
    }

    fn authenticate(mut self) -> Answer {
        if self.flow.persona.is_none() {
            return self.login_page(None).because("not logged in");
        }
        if self.fields.get("otp").map(str::trim) != Some(self.flow.otp.as_str()) {
            return self.sca_page(Some(ScaError::WrongCode)).because("wrong one-time code");
        }
        self.flow.authenticated = true;
        self.advance("decision")
    }

    fn decision_page(&self) -> Answer {
        let Some(persona) = self.flow.persona.as_ref().filter(|_| self.flow.authenticated) else {
            return self.sca_page(None);
        };
        let account = self.bank.customers.locked().get(persona).map(|found| iban::masked(&found.iban));
        let page = Page::Consent {
            flow: &self.id,
            issuer_name: &self.bank.registration.name,
            organisation_id: &self.bank.registration.organisation_id,
            account_masked: account.as_deref().unwrap_or_default(),
            valid_days: self.settings.consent_lifetime_days,
        };
        self.show(&page)
    }

    /// The decision ends the flow: the same page posted twice finds nothing.
    fn decide(self) -> Answer {
        let Some(persona) = self.flow.persona.as_ref().filter(|_| self.flow.authenticated) else {
            return self.sca_page(None).because("not authenticated");
        };
        let approved = match self.fields.get("decision") {
            Some("approve") => true,
            Some("refuse") => false,
            _ => return self.decision_page().because("neither approve nor refuse"),
        };
        if self.bank.flows.locked().0.remove(&self.id).is_none() {
            let title = ErrorTitle::NotFound;
            return error(self.bank, self.settings, self.exchange, title, "already decided")
                .because("decided twice");
        }
        let request = &self.flow.request;
        let back = if approved {
            Some(authorize::approve(self.bank, self.settings, request, persona))
        } else {
            authorize::refuse(self.settings, request)
        };
        match back {
            Some(redirect) => self.leave(redirect),
            None => stay(self.bank, self.settings, self.exchange).because("refused by the cardholder"),
        }
    }

    /// The redirect to the issuer, with a page for whoever does not follow it.
    fn leave(&self, redirect: Answer) -> Answer {
        let location = redirect.headers.iter().find(|(name, _)| name == "location");
        let target = location.map(|(_, value)| value.clone()).unwrap_or_default();
        let mut answer = self.show(&Page::Leaving { target: &target });
        answer.status = 303;
        answer.set_header("location", target.clone());
        answer.because(redirect.verdict)
    }

    /// Keeps the flow's progress and goes to its next page.
    fn advance(self, step: &str) -> Answer {
        let lang = self.fields_language();
        let base = format!("{}/{step}", self.bank.paths.pages);
        let mut parameters = vec![("flow", self.id.as_str())];
        if let Some(lang) = &lang {
            parameters.push(("lang", lang));
        }
        let location = with_query(&base, &parameters);
        self.bank.flows.locked().0.insert(self.id.clone(), self.flow);
        authorize::redirect(303, &location)
    }

    fn fields_language(&self) -> Option<String> {
        let query = self.exchange.query.as_deref().unwrap_or_default();
        Parameters::parse(query.as_bytes()).0.get("lang").map(str::to_owned)
    }

    fn show(&self, page: &Page<'_>) -> Answer {
        let origin = form_target(&self.flow.request.redirect_uri);
        show(self.bank, self.settings, self.exchange, 200, page, &origin)
    }
}

fn login_page(
    bank: &Bank,
    settings: &Settings,
    exchange: &Exchange,
    id: &str,
    redirect_uri: &str,
    error: Option<LoginError>,
) -> Answer {
    let customers = bank.customers.locked().clone();
    let personas: Vec<PersonaChoice<'_>> = customers
        .all()
        .map(|persona| PersonaChoice {
            id: &persona.id,
            display_name: &persona.display_name,
            hint: &persona.hint,
        })
        .collect();
    let page = Page::Login { flow: id, issuer_name: &bank.registration.name, personas: &personas, error };
    show(bank, settings, exchange, 200, &page, &form_target(redirect_uri))
}

/// What `form-action` must allow beside the bank itself: a browser applies it to the redirect after a form.
fn form_target(redirect_uri: &str) -> String {
    match url::Url::parse(redirect_uri) {
        Ok(url) if url.has_host() && url.scheme().starts_with("http") => url.origin().ascii_serialization(),
        Ok(url) => format!("{}:", url.scheme()),
        Err(_) => String::new(),
    }
}

fn show(
    bank: &Bank,
    settings: &Settings,
    exchange: &Exchange,
    status: u16,
    page: &Page<'_>,
    form_target: &str,
) -> Answer {
    let query = exchange.query.as_deref().unwrap_or_default();
    let (parameters, _) = Parameters::parse(query.as_bytes());
    let accepted = exchange.headers.get("accept-language").and_then(|value| value.to_str().ok());
    let language = Language::negotiate(parameters.get("lang"), accepted);
    let view = BankView { name: &settings.bank_name, brand: &settings.bank_brand };
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self' {form_target}; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    Answer::html(status, render(page, &view, language, &bank.paths.pages))
        .header("cache-control", "no-store")
        .header("referrer-policy", "no-referrer")
        .header("x-content-type-options", "nosniff")
        .header("content-security-policy", policy)
}
