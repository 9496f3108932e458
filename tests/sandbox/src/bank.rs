//! The bank itself: its settings, customers and grants, and which part of it answers a request.

use std::sync::{Arc, Mutex, RwLock, Weak};
use std::time::SystemTime;

use serde::Serialize;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;

use crate::authorize;
use crate::clock::Clock;
use crate::connection::{Ending, Line};
use crate::eligibility::Presented;
use crate::error::SandboxError;
use crate::exchange::{Answer, Endpoint, Exchange, Refused};
use crate::faults::Faults;
use crate::funds;
use crate::grants::Grants;
use crate::issuer::{IssuerKit, Registration};
use crate::lock::{Locked as _, Shared as _};
use crate::pages::{self, Flows};
use crate::personas::Customers;
use crate::pki::Pki;
use crate::record::Recorder;
use crate::secrets::Secrets;
use crate::settings::{Dialect, Settings, Standard};
use crate::signature::{BankSeal, RegisteredSeal};
use crate::tls;
use crate::token;

/// Where the bank listens. Every port is on loopback.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Endpoints {
    /// The origin of the authorize endpoint; of everything, at a bank with one origin.
    pub origin: String,
    /// The consent URL without its query.
    pub authorize_url: String,
    /// The token endpoint.
    pub token_url: String,
    /// The funds confirmation.
    pub funds_url: String,
    /// The control endpoint, plain HTTP.
    pub control_url: String,
}

/// The paths of a dialect.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    pub(crate) authorize: String,
    /// What the pages' forms start with.
    pub(crate) pages: String,
    pub(crate) token: String,
    pub(crate) funds: String,
}

impl Paths {
    pub(crate) fn of(dialect: Dialect, standard: Standard) -> Self {
        let version = match standard {
            Standard::V1_4_0 => "v1",
            Standard::V1_4_2 => "v1.4.2",
            Standard::V1_6 => "v1.6.2",
        };
        match dialect {
            Dialect::Bpce => Self {
                authorize: "/stet/psd2/oauth/authorize".to_owned(),
                pages: "/stet/psd2/oauth/consent".to_owned(),
                token: "/stet/psd2/oauth/token".to_owned(),
                funds: format!("/stet/psd2/{version}/funds-confirmations"),
            },
            Dialect::Lydia => Self {
                authorize: "/authorization/login".to_owned(),
                pages: "/authorization/consent".to_owned(),
                token: "/openbanking/oauth/v2/token".to_owned(),
                funds: "/cbpii/funds-confirmations".to_owned(),
            },
        }
    }

    /// The part of the bank a path belongs to.
    pub(crate) fn endpoint(&self, path: &str) -> Endpoint {
        let is_page = path.strip_prefix(self.pages.as_str()).is_some_and(|rest| rest.starts_with('/'));
        match path {
            _ if path == self.authorize => Endpoint::Authorize,
            _ if path == self.token => Endpoint::Token,
            _ if path == self.funds => Endpoint::Funds,
            _ if is_page => Endpoint::Consent,
            _ => Endpoint::Other,
        }
    }
}

/// A bank. Shared by its listeners and its control.
pub(crate) struct Bank {
    pub(crate) initial: Settings,
    settings: RwLock<Arc<Settings>>,
    tls: RwLock<Arc<ServerConfig>>,
    pub(crate) verifier: Arc<dyn ClientCertVerifier>,
    pub(crate) pki: Pki,
    pub(crate) paths: Paths,
    pub(crate) endpoints: Endpoints,
    pub(crate) kit: IssuerKit,
    pub(crate) registration: Registration,
    pub(crate) seal: RegisteredSeal,
    pub(crate) bank_seal: BankSeal,
    pub(crate) clock: Clock,
    pub(crate) customers: Mutex<Customers>,
    pub(crate) grants: Mutex<Grants>,
    pub(crate) flows: Mutex<Flows>,
    pub(crate) faults: Faults,
    pub(crate) recorder: Recorder,
    pub(crate) secrets: Secrets,
    /// The connections that may still be open.
    lines: Mutex<Vec<Weak<Line>>>,
}

/// What a bank is made of when it opens.
pub(crate) struct Opening {
    pub(crate) settings: Settings,
    pub(crate) pki: Pki,
    pub(crate) paths: Paths,
    pub(crate) endpoints: Endpoints,
    pub(crate) kit: IssuerKit,
    pub(crate) registration: Registration,
    pub(crate) recorder: Recorder,
    pub(crate) secrets: Secrets,
}

impl Bank {
    pub(crate) fn open(opening: Opening) -> Result<Self, SandboxError> {
        let Opening { settings, pki, paths, endpoints, kit, registration, recorder, secrets } = opening;
        secrets.tell_kit(&kit);
        let verifier = tls::strict_verifier(&pki)?;
        Ok(Self {
            tls: RwLock::new(tls::server_config(&pki, &settings, &verifier)?),
            verifier,
            seal: RegisteredSeal::new(&registration.client_id, pki.qsealc.leaf())?,
            bank_seal: BankSeal::new(&pki.bank_seal.key, pki.bank_seal.leaf(), &endpoints.origin)?,
            pki,
            paths,
            endpoints,
            kit,
            registration,
            settings: RwLock::new(Arc::new(settings.clone())),
            initial: settings,
            clock: Clock::default(),
            customers: Mutex::default(),
            grants: Mutex::default(),
            flows: Mutex::default(),
            faults: Faults::default(),
            recorder,
            secrets,
            lines: Mutex::default(),
        })
    }

    /// Keeps sight of a connection for as long as it lives.
    pub(crate) fn connected(&self, line: &Arc<Line>) {
        let mut lines = self.lines.locked();
        lines.retain(|line| line.strong_count() > 0);
        lines.push(Arc::downgrade(line));
    }

    /// Closes every connection, whatever it is doing.
    pub(crate) fn hang_up(&self) {
        let lines = std::mem::take(&mut *self.lines.locked());
        lines.iter().filter_map(Weak::upgrade).for_each(|line| line.hang_up(Ending::Close));
    }

    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.reading())
    }

    /// Puts settings in force; a change of TLS applies to the connections to come.
    pub(crate) fn apply(&self, settings: Settings) -> Result<(), SandboxError> {
        let before = self.settings();
        let same_tls = before.server_certificate == settings.server_certificate
            && before.tls_versions == settings.tls_versions
            && before.client_certificate_refusal == settings.client_certificate_refusal;
        if !same_tls {
            *self.tls.writing() = tls::server_config(&self.pki, &settings, &self.verifier)?;
        }
        *self.settings.writing() = Arc::new(settings);
        Ok(())
    }

    pub(crate) fn tls(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.tls.reading())
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// Everything as it was when the bank opened.
    pub(crate) fn reset(&self) -> Result<(), SandboxError> {
        self.faults.clear();
        self.clock.reset();
        *self.customers.locked() = Customers::default();
        *self.grants.locked() = Grants::default();
        *self.flows.locked() = Flows::default();
        self.recorder.forget();
        self.apply(self.initial.clone())
    }

    /// The honest answer to a request.
    pub(crate) fn answer(&self, exchange: &Exchange) -> Answer {
        let settings = self.settings();
        match exchange.endpoint {
            Endpoint::Authorize => authorize::answer(self, &settings, exchange),
            Endpoint::Consent => pages::answer(self, &settings, exchange),
            Endpoint::Token => self
                .admit(&settings, exchange)
                .map_or_else(|refusal| refusal, |()| token::answer(self, &settings, exchange)),
            Endpoint::Funds => self
                .admit(&settings, exchange)
                .map_or_else(|refusal| refusal, |()| funds::answer(self, &settings, exchange)),
            Endpoint::Other | Endpoint::Connection => {
                Refused::new(404, "no such path").answer(&settings, &exchange.path, self.now())
            }
        }
    }

    /// Lets the registered CBPII in and nobody else.
    fn admit(&self, settings: &Settings, exchange: &Exchange) -> Result<(), Answer> {
        match &*exchange.connection.client {
            Presented::Nothing => {
                Err(nginx_page("No required SSL certificate was sent")
                    .because("no client certificate was sent"))
            }
            Presented::Untrusted(reason) => Err(nginx_page("The SSL certificate error")
                .because(format!("the client certificate is not trusted: {reason}"))),
            Presented::Trusted(tpp) => tpp
                .admit(&self.registration.organisation_id)
                .map_err(|refused| refused.answer(settings, &exchange.path, self.now())),
        }
    }
}

/// The page nginx answers with when it refuses a client certificate.
fn nginx_page(what: &str) -> Answer {
    let title = if what.starts_with("No") {
        "400 No required SSL certificate was sent"
    } else {
        "400 The SSL certificate error"
    };
    let body = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n\
         <center>{what}</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    );
    Answer::new(400, "text/html", body).header("server", "nginx").header("connection", "close")
}
