//! Listening, the TLS handshake and its faults, and HTTP on top.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{HandshakeKind, ProtocolVersion, ServerConfig, ServerConnection};
use tokio_rustls::server::TlsStream;

use crate::bank::Bank;
use crate::connection::{ConnectionFacts, Ending, Line, Socket, Wire};
use crate::eligibility::Presented;
use crate::error::SandboxError;
use crate::exchange::Endpoint;
use crate::faults::Fault;
use crate::record::ConnectionRecord;
use crate::service::{GARBAGE, Service};
use crate::tls;

/// How long a client may take for its handshake, and to hang up after a refused one.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes connections for as long as the bank is open.
pub(crate) async fn listen(bank: Arc<Bank>, listener: TcpListener, serves: &'static [Endpoint]) {
    loop {
        // An error concerns one connection that has gone already, or a lack of descriptors that will pass.
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(welcome(Arc::clone(&bank), stream, serves));
            }
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

async fn welcome(bank: Arc<Bank>, stream: TcpStream, serves: &'static [Endpoint]) {
    let number = bank.recorder.next_connection();
    // Without it small answers wait for acknowledgements; a socket that refuses the option is gone.
    let _ = stream.set_nodelay(true);
    let line = Arc::new(Line::default());
    let socket = Socket::new(stream, Arc::clone(&line));
    let mut record =
        ConnectionRecord { number, tls_version: None, resumed: false, organisation: None, failure: None };
    let taken = bank.faults.take(Endpoint::Connection);
    let config = match taken.map(|taken| taken.fault) {
        None => Ok(bank.tls()),
        Some(fault @ (Fault::ServerCertificate { .. } | Fault::TlsVersions { .. })) => {
            other_tls(&bank, &fault)
        }
        Some(fault) => {
            record.failure = Some(format!("fault: {}", fault.kind()));
            bank.recorder.connected(record);
            return break_off(socket, &line, &fault).await;
        }
    };
    let handshake = match config {
        Ok(config) => shake_hands(config, socket, &bank).await,
        Err(error) => Err(error.to_string()),
    };
    match handshake {
        Ok(stream) => {
            let facts = facts(&bank, number, stream.get_ref().1);
            record.tls_version = Some(facts.tls_version.to_owned());
            record.resumed = facts.resumed;
            record.organisation = facts.client.organisation().map(str::to_owned);
            bank.recorder.connected(record);
            bank.connected(&line);
            speak_http(Service { bank, serves, line, facts }, stream).await;
        }
        Err(reason) => {
            record.failure = Some(reason);
            bank.recorder.connected(record);
        }
    }
}

/// The configuration a connection fault asks for.
fn other_tls(bank: &Bank, fault: &Fault) -> Result<Arc<ServerConfig>, SandboxError> {
    let mut settings = (*bank.settings()).clone();
    match fault {
        Fault::ServerCertificate { certificate } => settings.server_certificate = *certificate,
        Fault::TlsVersions { versions } => settings.tls_versions = *versions,
        _ => {}
    }
    tls::server_config(&bank.pki, &settings, &bank.verifier)
}

/// Breaks a connection off before TLS.
async fn break_off(mut socket: Socket, line: &Line, fault: &Fault) {
    match fault {
        Fault::ResetBeforeReading => line.hang_up(Ending::Reset),
        Fault::Garbage => {
            // The client may have gone, which ends the fault as well.
            let _ = socket.write_all(GARBAGE).await;
            hang_up_gently(socket).await;
        }
        _ => drain(&mut socket).await,
    }
}

/// Reads until the client leaves.
async fn drain(socket: &mut Socket) {
    let mut buffer = [0; 4096];
    while matches!(socket.read(&mut buffer).await, Ok(read) if read > 0) {}
}

/// Closes our side and waits for the client's, so that what was sent last is read before any reset.
async fn hang_up_gently(mut socket: Socket) {
    let _ = socket.shutdown().await;
    let _ = tokio::time::timeout(PATIENCE, drain(&mut socket)).await;
}

async fn shake_hands(
    config: Arc<ServerConfig>,
    socket: Socket,
    bank: &Arc<Bank>,
) -> Result<TlsStream<Socket>, String> {
    let accept = TlsAcceptor::from(config).accept(socket).into_fallible();
    match tokio::time::timeout(PATIENCE, accept).await {
        Err(_) => Err("handshake timed out".to_owned()),
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err((error, socket))) => {
            if bank.settings().lingering_close && error.kind() != io::ErrorKind::UnexpectedEof {
                tokio::spawn(hang_up_gently(socket));
            }
            Err(format!("handshake: {error}"))
        }
    }
}

fn facts(bank: &Bank, number: u64, session: &ServerConnection) -> ConnectionFacts {
    ConnectionFacts {
        number,
        tls_version: match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "1.2",
            _ => "1.3",
        },
        resumed: session.handshake_kind() == Some(HandshakeKind::Resumed),
        client: Arc::new(Presented::judge(session.peer_certificates(), &*bank.verifier)),
    }
}

async fn speak_http(service: Service, stream: TlsStream<Socket>) {
    let line = Arc::clone(&service.line);
    let wire = Wire::new(stream, Arc::clone(&line));
    let service = Arc::new(service);
    let connection = http1::Builder::new()
        .keep_alive(true)
        .title_case_headers(false)
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .serve_connection(
            TokioIo::new(wire),
            service_fn(move |request| {
                let service = Arc::clone(&service);
                async move { service.handle(request).await }
            }),
        );
    tokio::select! {
        // A connection that is to end answers no further request.
        biased;
        () = line.ended() => {}
        // How a client leaves is its own affair.
        _ = connection => {}
    }
}
