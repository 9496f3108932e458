//! Certificates, versions, resumption and alerts.

use cbpii_sandbox::{Fault, FaultRule, Sandbox, SandboxOptions};
use serde_json::{Value, json};
use tokio_rustls::rustls;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{AlertDescription, CertificateError, Error, SupportedProtocolVersion};

use crate::client::*;

type Versions = [&'static SupportedProtocolVersion];

fn bank(settings: Value) -> Sandbox {
    Sandbox::start(SandboxOptions { settings: Some(settings), ..Default::default() }).unwrap()
}

/// The TLS error inside a failed call.
#[track_caller]
fn tls_error(result: std::io::Result<Reply>) -> Error {
    let error = result.expect_err("the call should fail");
    let inner = error.get_ref().unwrap_or_else(|| panic!("not a TLS error: {error:?}"));
    inner.downcast_ref::<Error>().unwrap_or_else(|| panic!("not a TLS error: {inner:?}")).clone()
}

fn fields(bank: &Sandbox) -> [(&str, &str); 3] {
    [("grant_type", "refresh_token"), ("refresh_token", "x"), ("client_id", bank.issuer().client_id.as_str())]
}

#[test]
fn a_refused_certificate_is_an_html_page_as_behind_nginx() {
    let bank = bank(json!({}));
    for versions in [&[&TLS12] as &Versions, &[&TLS13]] {
        for (name, sentence) in [
            (None, "No required SSL certificate was sent"),
            (Some("expired"), "The SSL certificate error"),
            (Some("not-yet-valid"), "The SSL certificate error"),
            (Some("unknown-ca"), "The SSL certificate error"),
        ] {
            let identity = name.map(|name| bank.issuer().variant(name).unwrap());
            let mut client = Client::with(&bank, identity, versions);
            let reply = client.form(&bank.endpoints().token_url, &fields(&bank)).unwrap();
            assert_eq!(reply.status, 400, "{name:?}");
            assert!(reply.text().contains(sentence), "{name:?}: {}", reply.text());
            assert_eq!(reply.header("content-type"), Some("text/html"));
            let funds = Funds::new(&bank, "x", &coverage("1", CLAIRE)).send(&mut client).unwrap();
            assert!(funds.text().contains(sentence));
            assert_eq!((funds.header("signature"), funds.header("x-request-id")), (None, None));
        }
    }
}

#[test]
fn a_leaf_without_its_chain_is_refused() {
    let bank = bank(json!({}));
    let mut leaf_only = bank.issuer().qwac.clone();
    leaf_only.chain_pem.clone_from(&leaf_only.certificate_pem);
    let mut client = Client::with(&bank, Some(&leaf_only), rustls::ALL_VERSIONS);
    let reply = client.form(&bank.endpoints().token_url, &fields(&bank)).unwrap();
    assert!(reply.text().contains("The SSL certificate error"), "{}", reply.text());
}

#[test]
fn whoever_is_not_the_registered_cbpii_is_be05() {
    let bank = bank(json!({}));
    for (name, word) in [
        ("no-role", "PSP_IC"),
        ("other-role", "PSP_IC"),
        ("other-organisation", "organisation"),
        ("eseal-as-qwac", "QWAC"),
        ("rsassa-pss", "RSASSA-PSS"),
    ] {
        let mut client = Client::with(&bank, bank.issuer().variant(name), rustls::ALL_VERSIONS);
        let reply = client.form(&bank.endpoints().token_url, &fields(&bank)).unwrap();
        let body = reply.json();
        let message = body["message"].as_str().unwrap();
        assert_eq!(reply.status, 403, "{name}: {body}");
        assert!(message.starts_with("BE05") && message.contains(word), "{name}: {message}");
    }
    for name in ["several-roles", "expires-soon", "ec-p256"] {
        let mut client = Client::with(&bank, bank.issuer().variant(name), rustls::ALL_VERSIONS);
        let reply = client.form(&bank.endpoints().token_url, &fields(&bank)).unwrap();
        assert_eq!(reply.json()["error"], "invalid_grant", "{name} gets as far as the grant");
    }
}

#[test]
fn the_handshake_itself_can_refuse_a_certificate() {
    let bank = bank(json!({"client_certificate_refusal": "alert"}));
    for (name, alert12, alert13) in [
        (None, AlertDescription::CertificateRequired, AlertDescription::CertificateRequired),
        (Some("expired"), AlertDescription::CertificateExpired, AlertDescription::CertificateExpired),
        (Some("unknown-ca"), AlertDescription::UnknownCA, AlertDescription::UnknownCA),
    ] {
        for (versions, alert) in [(&[&TLS12] as &Versions, alert12), (&[&TLS13], alert13)] {
            let identity = name.map(|name| bank.issuer().variant(name).unwrap());
            let mut client = Client::with(&bank, identity, versions);
            let error = tls_error(client.form(&bank.endpoints().token_url, &fields(&bank)));
            assert_eq!(error, Error::AlertReceived(alert), "{name:?} {versions:?}");
        }
    }
    assert_eq!(ask(&bank, &mut Client::new(&bank), "CLAIRE", "1", CLAIRE).status, 200);
    assert!(bank.control().connections().iter().filter(|seen| seen.failure.is_some()).count() == 6);
}

#[test]
fn the_server_certificate_can_be_wrong_for_new_connections() {
    let bank = bank(json!({}));
    let expected = |name: &str, error: Error| match (name, error) {
        ("expired", Error::InvalidCertificate(CertificateError::ExpiredContext { .. })) => {}
        ("other-host", Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. })) => {}
        ("unknown-issuer", Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {}
        (name, error) => panic!("{name}: {error:?}"),
    };
    for name in ["expired", "other-host", "unknown-issuer"] {
        let mut client = Client::new(&bank);
        assert_eq!(ask(&bank, &mut client, "CLAIRE", "1", CLAIRE).status, 200);
        bank.control().configure(&json!({"server_certificate": name})).unwrap();
        assert_eq!(ask(&bank, &mut client, "CLAIRE", "1", CLAIRE).status, 200, "the connection goes on");
        client.hang_up();
        expected(name, tls_error(client.form(&bank.endpoints().token_url, &fields(&bank))));
        bank.control().configure(&json!({"server_certificate": "good"})).unwrap();
        let rule = json!({"endpoint": "connection", "times": 1, "fault": {"kind": "server_certificate", "certificate": name}});
        bank.control().set_fault(serde_json::from_value(rule).unwrap()).unwrap();
        expected(name, tls_error(client.form(&bank.endpoints().token_url, &fields(&bank))));
        assert_eq!(ask(&bank, &mut client, "CLAIRE", "1", CLAIRE).status, 200);
    }
}

#[test]
fn the_bank_speaks_the_versions_it_is_told_to() {
    let bank = bank(json!({}));
    for (setting, only, other) in [("1.2", &TLS12, &TLS13), ("1.3", &TLS13, &TLS12)] {
        bank.control().configure(&json!({"tls_versions": setting})).unwrap();
        let mut refused = Client::with(&bank, Some(&bank.issuer().qwac), &[other]);
        let error = tls_error(refused.form(&bank.endpoints().token_url, &fields(&bank)));
        assert_eq!(error, Error::AlertReceived(AlertDescription::ProtocolVersion));
        let mut client = Client::with(&bank, Some(&bank.issuer().qwac), &[only]);
        assert_eq!(ask(&bank, &mut client, "CLAIRE", "1", CLAIRE).status, 200);
        assert_eq!(bank.control().requests().pop().unwrap().tls_version, setting);
    }
    bank.control().configure(&json!({"tls_versions": "1.2+1.3"})).unwrap();
    let versions = cbpii_sandbox::TlsVersions::Only12;
    bank.control()
        .set_fault(FaultRule::once(cbpii_sandbox::Endpoint::Connection, Fault::TlsVersions { versions }))
        .unwrap();
    assert_eq!(ask(&bank, &mut Client::new(&bank), "CLAIRE", "1", CLAIRE).status, 200);
    assert_eq!(bank.control().requests().pop().unwrap().tls_version, "1.2");
}

#[test]
fn sessions_resume_with_tickets_and_keep_the_client_certificate() {
    for versions in [&[&TLS12] as &Versions, &[&TLS13]] {
        let bank = bank(json!({}));
        let mut client = Client::with(&bank, Some(&bank.issuer().qwac), versions);
        for _ in 0..3 {
            client.hang_up();
            assert_eq!(ask(&bank, &mut client, "CLAIRE", "1", CLAIRE).status, 200);
        }
        let seen = bank.control().requests();
        let resumed: Vec<bool> = seen.iter().map(|request| request.resumed).collect();
        assert_eq!(resumed, [false, true, true], "{versions:?}");
        assert!(seen.iter().all(|request| request.organisation.as_deref() == Some("PSDFR-ACPR-12345")));
        assert_eq!(bank.control().connections_opened(), 3);
    }
}

#[test]
fn one_connection_carries_thousands_of_requests() {
    let bank = bank(json!({"signed_answers": false, "recording": false}));
    let mut client = Client::new(&bank);
    let funds = Funds::new(&bank, &token(&bank, "CLAIRE"), &coverage("1", CLAIRE));
    let funds = Funds { signature: Some(funds.signature_header()), ..funds };
    for _ in 0..2_000 {
        assert_eq!(funds.send(&mut client).unwrap().status, 200);
    }
    assert_eq!(bank.control().connections_opened(), 1);
    assert!(bank.control().requests().is_empty());
}
