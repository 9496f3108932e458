//! The pages a cardholder sees at the sandbox bank, from logging in to approving or refusing.
//!
//! Plain HTML with one inline style sheet and no script: they work under the policy
//! `default-src 'none'; style-src 'unsafe-inline'; form-action …`. A browser applies `form-action` to the
//! redirect that answers a form too, so the policy of the consent page names the issuer's origin.
//!
//! A form is posted to `{base}/login`, `{base}/sca` or `{base}/decision`. The same path asked with
//! `GET …?flow=…&lang=…` draws the page again: this is where the link to the other language leads. Every
//! address ends in `lang=…`, so a cardholder keeps the language from page to page.

mod language;
#[cfg(test)]
mod tests;

use askama::Template;

pub(crate) use language::Language;

/// The bank as its pages present it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BankView<'a> {
    /// The bank's own name.
    pub name: &'a str,
    /// The brand, or the brand's domain, the bank trades under.
    pub brand: &'a str,
}

/// One of the invented cardholders the sandbox lets a visitor be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PersonaChoice<'a> {
    /// What the form posts as `persona`.
    pub id: &'a str,
    /// The name on the page.
    pub display_name: &'a str,
    /// What is particular about the persona, in a few words.
    pub hint: &'a str,
}

/// Why the bank asks to log in again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoginError {
    /// No persona was chosen, or one the bank does not know.
    UnknownPersona,
    /// The persona exists but cannot use online banking.
    NoOnlineAccess,
}

/// Why the bank asks for the code again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScaError {
    /// The code is not the one the bank sent.
    WrongCode,
}

/// What went wrong before the bank could trust the issuer enough to send the cardholder back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorTitle {
    /// The `client_id` is not registered.
    UnknownIssuer,
    /// The `redirect_uri` is not one the issuer registered.
    BadRedirect,
    /// A parameter is missing or wrong.
    BadRequest,
    /// There is nothing at this address, or nothing any more.
    NotFound,
}

/// A page and what it shows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Page<'a> {
    /// Choosing a persona; posts `flow` and `persona` to `{base}/login`.
    Login {
        /// The consent under way.
        flow: &'a str,
        /// Who asks.
        issuer_name: &'a str,
        /// Who the visitor can be.
        personas: &'a [PersonaChoice<'a>],
        /// Why the previous try failed.
        error: Option<LoginError>,
    },
    /// Strong customer authentication; posts `flow` and `otp` to `{base}/sca`.
    Sca {
        /// The consent under way.
        flow: &'a str,
        /// Who logged in.
        persona_name: &'a str,
        /// The code the sandbox expects, which it shows because it sends no message.
        code_hint: &'a str,
        /// Why the previous try failed.
        error: Option<ScaError>,
    },
    /// The question itself; posts `flow` and `decision` (`approve` or `refuse`) to `{base}/decision`.
    Consent {
        /// The consent under way.
        flow: &'a str,
        /// Who asks.
        issuer_name: &'a str,
        /// The issuer's `organizationIdentifier`.
        organisation_id: &'a str,
        /// The account, with all but its last digits hidden.
        account_masked: &'a str,
        /// For how many days the consent is given.
        valid_days: u32,
    },
    /// The cardholder did not answer in time.
    TimedOut {
        /// Who asked.
        issuer_name: &'a str,
    },
    /// The request cannot go on, nor back to the issuer.
    Error {
        /// What went wrong.
        title_key: ErrorTitle,
        /// The same for a developer; may be empty.
        detail: &'a str,
    },
    /// The last page, at banks that do not redirect by themselves.
    Leaving {
        /// The issuer's address; empty after a refusal that returns nowhere.
        target: &'a str,
    },
}

/// The HTML document of `page`, whose forms and links start with `base`.
pub(crate) fn render(page: &Page<'_>, bank: &BankView<'_>, language: Language, base: &str) -> String {
    let document = Document { page, bank, language, base };
    // Writing to a `String` does not fail and no filter in use does.
    document.render().unwrap_or_default()
}

#[derive(Template)]
#[template(path = "page.html")]
struct Document<'a> {
    page: &'a Page<'a>,
    bank: &'a BankView<'a>,
    language: Language,
    base: &'a str,
}

impl Document<'_> {
    fn heading(&self) -> &'static str {
        let (french, english) = match self.page {
            Page::Login { .. } => ("Identifiez-vous", "Log in"),
            Page::Sca { .. } => ("Confirmez que c’est bien vous", "Confirm that it is you"),
            Page::Consent { .. } => {
                ("Autorisez-vous la vérification de vos fonds\u{a0}?", "Do you allow checks on your funds?")
            }
            Page::TimedOut { .. } => ("La demande a expiré", "The request has expired"),
            Page::Error { title_key, .. } => title_key.heading(),
            Page::Leaving { target: "" } => ("Votre refus est enregistré", "Your refusal is recorded"),
            Page::Leaving { .. } => ("Votre réponse est enregistrée", "Your answer is recorded"),
        };
        self.language.pick(french, english)
    }

    /// Whether the page repeats a question because the previous answer was wrong.
    fn is_retry(&self) -> bool {
        matches!(self.page, Page::Login { error: Some(_), .. } | Page::Sca { error: Some(_), .. })
    }

    fn step_names(&self) -> [&'static str; 3] {
        match self.language {
            Language::French => ["Identification", "Authentification forte", "Consentement"],
            Language::English => ["Log in", "Strong authentication", "Consent"],
        }
    }
}

impl ErrorTitle {
    fn heading(self) -> (&'static str, &'static str) {
        match self {
            Self::UnknownIssuer => ("Ce prestataire n’est pas reconnu", "This provider is not recognised"),
            Self::BadRedirect => {
                ("L’adresse de retour n’est pas admise", "The return address is not allowed")
            }
            Self::BadRequest => ("Cette demande est incorrecte", "This request is not valid"),
            Self::NotFound => ("Cette page n’existe pas", "This page does not exist"),
        }
    }
}

/// One of the questions of the journey: its rank, the path its form posts to and the consent under way.
struct Step<'a> {
    number: usize,
    path: &'static str,
    flow: &'a str,
}

impl<'a> Page<'a> {
    fn step(&self) -> Option<Step<'a>> {
        match *self {
            Page::Login { flow, .. } => Some(Step { number: 1, path: "login", flow }),
            Page::Sca { flow, .. } => Some(Step { number: 2, path: "sca", flow }),
            Page::Consent { flow, .. } => Some(Step { number: 3, path: "decision", flow }),
            Page::TimedOut { .. } | Page::Error { .. } | Page::Leaving { .. } => None,
        }
    }
}
