//! Starting and stopping a bank.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use crate::bank::{Bank, Endpoints, Opening, Paths};
use crate::browser;
use crate::control::Control;
use crate::control_http;
use crate::error::SandboxError;
use crate::exchange::Endpoint;
use crate::issuer::{IssuerKit, Registration};
use crate::pki::Pki;
use crate::record::{Log, Recorder};
use crate::secrets::Secrets;
use crate::server;
use crate::settings::{Dialect, RefreshTokenRotation, Settings, Standard};

/// How a bank is opened.
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// Whose dialect it speaks.
    pub dialect: Dialect,
    /// The version of STET it implements; Lydia has its own.
    pub standard: Standard,
    /// What a refresh does to the refresh token; none leaves it to the dialect.
    pub rotation: Option<RefreshTokenRotation>,
    /// The port of the (first) origin; 0 takes a free one.
    pub port: u16,
    /// The port of the control endpoint; 0 takes a free one.
    pub control_port: u16,
    /// The redirect URI the issuer registered.
    pub redirect_uri: String,
    /// The issuer's `organizationIdentifier`.
    pub organisation_id: String,
    /// The issuer's name on the consent page.
    pub issuer_name: String,
    /// A JSON merge patch on the dialect's [`Settings`].
    pub settings: Option<Value>,
    /// Where each request's verdict is logged.
    pub log: Log,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            dialect: Dialect::default(),
            standard: Standard::default(),
            rotation: None,
            port: 0,
            control_port: 0,
            redirect_uri: "https://carte-exemple.example/psd2/callback".to_owned(),
            organisation_id: "PSDFR-ACPR-12345".to_owned(),
            issuer_name: "Carte Exemple".to_owned(),
            settings: None,
            log: Log::Off,
        }
    }
}

/// A running bank; dropping it closes the bank and removes its files.
pub struct Sandbox {
    control: Control,
    runtime: Option<Runtime>,
    _folder: TempDir,
}

/// The endpoints behind each port of the three-origin bank.
const THREE_ORIGINS: [&[Endpoint]; 3] =
    [&[Endpoint::Authorize, Endpoint::Consent], &[Endpoint::Token], &[Endpoint::Funds]];

/// Every endpoint behind one port.
const ONE_ORIGIN: [&[Endpoint]; 1] = [&[]];

impl Sandbox {
    /// Opens a bank. It serves from threads of its own until it is dropped.
    pub fn start(options: SandboxOptions) -> Result<Self, SandboxError> {
        let mut settings = Settings::of(options.dialect, options.standard);
        if let Some(rotation) = options.rotation {
            settings.refresh_token_rotation = rotation;
        }
        if let Some(patch) = &options.settings {
            settings = settings.patched(patch)?;
        }
        let groups: &[&'static [Endpoint]] = match options.dialect {
            Dialect::Bpce => &ONE_ORIGIN,
            Dialect::Lydia => &THREE_ORIGINS,
        };
        let listeners = bind_all(options.port, groups.len())?;
        let control_listener = bind(options.control_port)?;
        let paths = Paths::of(options.dialect, options.standard);
        let endpoints = endpoints(&paths, &listeners, &control_listener)?;
        let registration = register(&options, &settings);
        let pki = Pki::issue(&registration.organisation_id)?;
        let folder = tempfile::Builder::new().prefix("cbpii-sandbox-").tempdir()?;
        let kit = IssuerKit::write(&pki, &registration, folder.path())?;
        let recorder = Recorder::new(&options.log)?;
        let secrets = Secrets::from_environment()?;
        let opening = Opening { settings, pki, paths, endpoints, kit, registration, recorder, secrets };
        let bank = Arc::new(Bank::open(opening)?);
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("cbpii-sandbox")
            .enable_all()
            .build()?;
        let guard = runtime.enter();
        for (listener, serves) in listeners.into_iter().zip(groups.iter().copied()) {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            runtime.spawn(server::listen(Arc::clone(&bank), listener, serves));
        }
        let control = Control { bank };
        let listener = tokio::net::TcpListener::from_std(control_listener)?;
        runtime.spawn(control_http::listen(control.clone(), listener));
        drop(guard);
        Ok(Self { control, runtime: Some(runtime), _folder: folder })
    }

    /// Where the bank listens.
    pub fn endpoints(&self) -> &Endpoints {
        &self.control.bank.endpoints
    }

    /// What the bank handed to the issuer.
    pub fn issuer(&self) -> &IssuerKit {
        &self.control.bank.kit
    }

    /// The handle that moves the clock, sets faults and shows what was seen.
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Opens a consent URL as `persona` who approves; gives the callback URL without following it.
    pub fn approve(&self, consent_url: &str, persona: &str) -> Result<String, SandboxError> {
        let answer = browser::decide(&self.control.bank, consent_url, "approve", persona)?;
        answer.location.ok_or_else(|| {
            SandboxError::Consent(format!("no redirect but status {}: {}", answer.status, answer.body))
        })
    }

    /// Opens a consent URL as `persona` who refuses; gives the callback URL, or none at a bank that does not return.
    pub fn refuse(&self, consent_url: &str, persona: &str) -> Result<Option<String>, SandboxError> {
        Ok(browser::decide(&self.control.bank, consent_url, "refuse", persona)?.location)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn register(options: &SandboxOptions, settings: &Settings) -> Registration {
    use crate::settings::ClientAuthentication::TlsClientAuth;
    let assigned = crate::signature::fingerprint(options.organisation_id.as_bytes());
    let secret = (settings.client_authentication != TlsClientAuth || options.dialect == Dialect::Lydia)
        .then(crate::grants::unguessable);
    Registration {
        client_id: match options.dialect {
            Dialect::Bpce => options.organisation_id.clone(),
            Dialect::Lydia => assigned,
        },
        client_secret: secret,
        redirect_uri: options.redirect_uri.clone(),
        organisation_id: options.organisation_id.clone(),
        name: options.issuer_name.clone(),
    }
}

fn bind(port: u16) -> Result<TcpListener, SandboxError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The first on the port asked for, the others wherever there is room.
fn bind_all(port: u16, count: usize) -> Result<Vec<TcpListener>, SandboxError> {
    (0..count).map(|position| bind(if position == 0 { port } else { 0 })).collect()
}

fn endpoints(
    paths: &Paths,
    listeners: &[TcpListener],
    control: &TcpListener,
) -> Result<Endpoints, SandboxError> {
    let origins = listeners
        .iter()
        .map(|listener| {
            listener.local_addr().map(|address: SocketAddr| format!("https://localhost:{}", address.port()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let origin = |position: usize| origins.get(position).or(origins.first()).cloned().unwrap_or_default();
    Ok(Endpoints {
        origin: origin(0),
        authorize_url: format!("{}{}", origin(0), paths.authorize),
        token_url: format!("{}{}", origin(1), paths.token),
        funds_url: format!("{}{}", origin(2), paths.funds),
        control_url: format!("http://{}/control", control.local_addr()?),
    })
}
