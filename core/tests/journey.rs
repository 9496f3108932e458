//! The honest journey of an issuer against the sandbox bank, in every dialect and with every form of key.

// A helper of a test that cannot go on panics, like the test itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use cbpii::bank::{ClientAuthentication, KeyIdSource, RefreshTokenRotation as Rotation};
use cbpii::funds::ResponseSignature;
use cbpii::identity::{
    CertificateChain, KeySigner, PrivateKey, SealIdentity, SignatureAlgorithm, Signer, TransportIdentity,
    signer_from_fn,
};
use cbpii::{
    Account, AccountScheme, Amount, Bank, Client, ConsentOptions, ErrorCode, Explanation, FundsRequest,
    Issuer, PendingConsent, PsuContext, Secret, Tokens,
};
use cbpii_sandbox::{
    Endpoint, IssuerKit, KeyForms, RefreshTokenRotation, RequestRecord, Sandbox, SandboxOptions, Standard,
};
use common::*;
use serde_json::{Value, json};

fn available(client: &Client, tokens: &Tokens, amount: &str) -> bool {
    client.confirm_funds(tokens, &request(CLAIRE, amount)).unwrap().available
}

fn rotating(rotation: RefreshTokenRotation) -> Sandbox {
    let options = SandboxOptions { rotation: Some(rotation), ..SandboxOptions::default() };
    Sandbox::start(options).unwrap()
}

fn last_request(sandbox: &Sandbox, endpoint: Endpoint) -> RequestRecord {
    let seen = sandbox.control().requests();
    let record = seen.into_iter().rfind(|record| record.endpoint == endpoint).unwrap();
    assert_eq!(record.verdict, "accepted", "{}", record.body_text());
    record
}

#[test]
fn the_bank_says_yes_up_to_what_is_there_and_no_beyond() {
    let sandbox = sandbox();
    let client = client(&sandbox);
    let tokens = consent(&sandbox, &client, "CLAIRE");
    assert!(available(&client, &tokens, "458.99"));
    assert!(!available(&client, &tokens, "459.00"));
    assert!(!available(&client, &tokens, "459"));
}

#[test]
fn an_answer_says_which_question_it_answers() {
    let sandbox = sandbox();
    let mut bank = bank(&sandbox);
    bank.response_signing_certificates.push(sandbox.issuer().bank_seal_pem.clone());
    let client = Client::new(bank, issuer(&sandbox)).unwrap();
    let tokens = consent(&sandbox, &client, "CLAIRE");
    let question =
        request(CLAIRE, "12.50").payee("Librairie des Colonnes").unwrap().request_id("my-own-id").unwrap();
    let answer = client.confirm_funds(&tokens, &question).unwrap();
    assert_eq!((answer.reference.as_str(), answer.request_id.as_deref()), ("ORDER-4711", Some("my-own-id")));
    assert_eq!(
        (answer.bank_id.as_str(), answer.response_signature),
        ("bpce-17515", ResponseSignature::Verified)
    );
    assert!(answer.correlation_id.is_some() && answer.deprecation_warning.is_none());
    let sent = last_request(&sandbox, Endpoint::Funds);
    assert_eq!(sent.header("x-request-id"), Some("my-own-id"));
    assert!(sent.body_text().contains(r#""payee":"Librairie des Colonnes""#));
}

#[test]
fn the_signature_of_an_answer_is_unverified_without_the_banks_certificate() {
    let setting = Setting::new();
    assert_eq!(setting.check().unwrap().response_signature, ResponseSignature::Unverified);
    setting.control().configure(&json!({"signed_answers": false})).unwrap();
    assert_eq!(setting.check().unwrap().response_signature, ResponseSignature::Absent);
}

#[test]
fn tokens_know_their_ends() {
    let sandbox = sandbox();
    let client = client(&sandbox);
    let pending = client.begin_consent(&ConsentOptions::default()).unwrap();
    let callback = sandbox.approve(pending.url(), "CLAIRE").unwrap();
    let tokens = client.complete_consent(&pending, &callback).unwrap();
    let hour = Duration::from_secs(3600);
    assert_eq!(tokens.expires_at(), Some(tokens.obtained_at().saturating_add(hour)));
    assert_eq!(tokens.consent_expires_at(), pending.created_at().saturating_add(24 * 180 * hour));
    assert_eq!((tokens.token_type(), tokens.scope()), ("Bearer", Some("cbpii")));
}

#[test]
fn a_consent_begun_without_keys_is_completed_by_whoever_has_them() {
    let sandbox = sandbox();
    let kit = sandbox.issuer();
    let without_keys = Issuer::new(kit.client_id.as_str(), kit.redirect_uri.as_str()).unwrap();
    let pending = PendingConsent::new(&bank(&sandbox), &without_keys, &ConsentOptions::default()).unwrap();
    let callback = sandbox.approve(pending.url(), "CLAIRE").unwrap();
    let client = client(&sandbox);
    let code = pending.complete(&callback).unwrap();
    let carried = PendingConsent::from_json(pending.to_json().expose()).unwrap();
    assert!(available(&client, &client.exchange_code(&carried, &code).unwrap(), "458.99"));
}

#[test]
fn a_refresh_keeps_the_refresh_token_where_the_bank_repeats_it() {
    let sandbox = rotating(RefreshTokenRotation::Same);
    let client = client(&sandbox);
    let old = consent(&sandbox, &client, "CLAIRE");
    let new = client.refresh(&old).unwrap();
    assert_ne!(new.access_token(), old.access_token());
    assert_eq!(new.refresh_token(), old.refresh_token());
    assert_eq!(new.consent_expires_at(), old.consent_expires_at());
    assert!(available(&client, &new, "1"));
    assert_code(client.confirm_funds(&old, &request(CLAIRE, "1")), ErrorCode::AccessTokenRefused);
}

#[test]
fn a_refresh_takes_the_new_refresh_token_where_the_bank_rotates() {
    let sandbox = rotating(RefreshTokenRotation::Rotated);
    let client = client(&sandbox);
    let old = consent(&sandbox, &client, "CLAIRE");
    let new = client.refresh(&old).unwrap();
    assert_ne!(new.refresh_token(), old.refresh_token());
    assert!(available(&client, &client.refresh(&new).unwrap(), "1"));
}

#[test]
fn a_refresh_keeps_the_refresh_token_where_the_bank_leaves_it_out() {
    let sandbox = rotating(RefreshTokenRotation::Absent);
    let client = client(&sandbox);
    let old = consent(&sandbox, &client, "CLAIRE");
    let new = client.refresh(&old).unwrap();
    assert_eq!(new.refresh_token(), old.refresh_token());
    assert!(available(&client, &client.refresh(&new).unwrap(), "1"));
}

#[test]
fn a_pending_consent_and_tokens_survive_being_saved() {
    let sandbox = sandbox();
    let client = client(&sandbox);
    let pending = client.begin_consent(&ConsentOptions::default()).unwrap();
    let callback = sandbox.approve(pending.url(), "CLAIRE").unwrap();
    let pending = cbpii::PendingConsent::from_json(pending.to_json().expose()).unwrap();
    let tokens = client.complete_consent(&pending, &callback).unwrap();
    let restored = Tokens::from_json(tokens.to_json().expose()).unwrap();
    assert_eq!(restored, tokens);
    assert!(available(&client, &restored, "1"));
}

#[test]
fn token_answers_may_take_the_liberties_banks_take() {
    for patch in [
        json!({"expires_in": "string", "granted_scope": "wider"}),
        json!({"expires_in": "missing", "granted_scope": "missing", "token_type": null}),
        json!({"token_type": "bearer"}),
    ] {
        let sandbox = sandbox_with(patch.clone());
        let client = client(&sandbox);
        let tokens = consent(&sandbox, &client, "CLAIRE");
        assert_eq!(tokens.expires_at().is_none(), patch["expires_in"] == "missing");
        assert!(available(&client, &tokens, "1"), "{patch}");
    }
}

#[test]
fn the_callback_may_name_the_bank() {
    let sandbox = sandbox_with(json!({"iss_returned": true}));
    let client = client(&sandbox);
    let tokens = consent(&sandbox, &client, "CLAIRE");
    assert!(available(&client, &tokens, "1"));
}

#[test]
fn a_refused_consent_comes_back_as_access_denied() {
    let sandbox = sandbox();
    let client = client(&sandbox);
    let pending = client.begin_consent(&ConsentOptions::default()).unwrap();
    let callback = sandbox.refuse(pending.url(), "CLAIRE").unwrap().unwrap();
    let error = assert_code(client.complete_consent(&pending, &callback), ErrorCode::AccessDenied);
    assert_eq!(error.bank_code(), Some("access_denied"));
}

/// A bank of another version of the standard, known by its record alone.
fn of_standard(standard: Standard, text: &str) -> (Sandbox, Bank) {
    let sandbox = Sandbox::start(SandboxOptions { standard, ..SandboxOptions::default() }).unwrap();
    let record = json!({"base": "bpce-17515", "environment": "sandbox", "standard": text});
    let own = bank(&sandbox);
    let origin = &sandbox.endpoints().origin;
    let mut bank = Bank::from_json(&record.to_string()).and_then(|bank| bank.with_origin(origin)).unwrap();
    bank.trust_anchors = own.trust_anchors;
    (sandbox, bank)
}

fn body_sent(standard: Standard, text: &str) -> String {
    let (sandbox, bank) = of_standard(standard, text);
    assert_eq!(bank.funds_url.as_deref(), Some(sandbox.endpoints().funds_url.as_str()));
    let client = Client::new(bank, issuer(&sandbox)).unwrap();
    let tokens = consent(&sandbox, &client, "CLAIRE");
    assert!(available(&client, &tokens, "458.90"));
    assert!(!available(&client, &tokens, "459.00"));
    last_request(&sandbox, Endpoint::Funds).body_text()
}

#[test]
fn stet_1_4_0_writes_amounts_as_text() {
    assert!(body_sent(Standard::V1_4_0, "stet-1.4.0").contains(r#""amount":"459.00""#));
}

#[test]
fn stet_1_4_2_writes_amounts_as_text() {
    assert!(body_sent(Standard::V1_4_2, "stet-1.4.2").contains(r#""amount":"459.00""#));
}

#[test]
fn stet_1_6_writes_amounts_as_numbers() {
    assert!(body_sent(Standard::V1_6, "stet-1.6").contains(r#""amount":459.00}"#));
}

#[test]
fn stet_1_6_takes_the_accounts_currency_and_workspace() {
    let (sandbox, bank) = of_standard(Standard::V1_6, "stet-1.6");
    let client = Client::new(bank, issuer(&sandbox)).unwrap();
    let account = Account::iban(CLAIRE.parse().unwrap()).with_currency("EUR".parse().unwrap());
    let account = account.with_workspace("particulier").unwrap();
    let question = FundsRequest::new("W", account, Amount::new("1", "EUR").unwrap()).unwrap();
    assert!(client.confirm_funds(&tokens(&sandbox, "CLAIRE"), &question).unwrap().available);
}

#[test]
fn an_account_may_be_named_otherwise_than_by_its_iban() {
    let setting = Setting::new();
    let account = Account::other(&CLAIRE[4..], AccountScheme::Bank, Some("17515")).unwrap();
    let question = FundsRequest::new("O", account, Amount::new("1", "EUR").unwrap()).unwrap();
    assert!(setting.client.confirm_funds(&setting.tokens, &question).unwrap().available);
    let sent: Value = serde_json::from_slice(&last_request(&setting.sandbox, Endpoint::Funds).body).unwrap();
    let expected =
        json!({"other": {"identification": &CLAIRE[4..], "schemeName": "BANK", "issuer": "17515"}});
    assert_eq!(sent["accountId"], expected);
}

// The forms in which keys and certificates come.

type Forms = fn(&IssuerKit, &KeyForms) -> (CertificateChain, PrivateKey);

fn file(path: &std::path::Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

fn password() -> Secret {
    Secret::from(cbpii_sandbox::KEY_PASSWORD)
}

/// A whole check with both identities in a form.
#[track_caller]
fn works_with(form: Forms) {
    let sandbox = sandbox();
    let kit = sandbox.issuer();
    let (chain, key) = form(kit, &kit.qwac_forms);
    let transport = TransportIdentity::new(chain, key).unwrap();
    let (chain, key) = form(kit, &kit.qsealc_forms);
    let seal = SealIdentity::new(chain, key).unwrap();
    let issuer = bare_issuer(&sandbox).with_transport(transport).with_seal(seal);
    let client = Client::new(bank(&sandbox), issuer).unwrap();
    let tokens = consent(&sandbox, &client, "CLAIRE");
    assert!(available(&client, &tokens, "458.99"));
}

#[test]
fn pem_may_be_in_reversed_order() {
    works_with(|_, forms| {
        let chain = CertificateChain::from_pem(&file(&forms.chain_reversed)).unwrap();
        (chain, PrivateKey::from_der(&file(&forms.pkcs8_der), None).unwrap())
    });
}

#[test]
fn keys_may_be_pkcs1() {
    works_with(|_, forms| {
        let chain = CertificateChain::from_pem(&file(&forms.chain_reversed)).unwrap();
        (chain, PrivateKey::from_pem(&file(&forms.pkcs1_pem), None).unwrap())
    });
    works_with(|_, forms| {
        let chain = CertificateChain::from_pem(&file(&forms.chain_reversed)).unwrap();
        (chain, PrivateKey::from_bytes(&file(&forms.pkcs1_der), None).unwrap())
    });
}

#[test]
fn keys_may_be_encrypted_pkcs8() {
    works_with(|_, forms| {
        let chain = CertificateChain::from_pem(&file(&forms.chain_reversed)).unwrap();
        (chain, PrivateKey::from_pem(&file(&forms.encrypted_pkcs8_pem), Some(&password())).unwrap())
    });
}

#[test]
fn certificates_may_be_der_with_their_intermediate_beside_them() {
    works_with(|kit, forms| {
        use base64::prelude::{BASE64_STANDARD, Engine as _};
        let leaf = file(&forms.certificate_der);
        assert_eq!(
            CertificateChain::from_der(&leaf)
                .unwrap()
                .report(cbpii::Timestamp::from_unix_seconds(0))
                .chain_length,
            1
        );
        let leaf = BASE64_STANDARD.encode(leaf);
        let pem = format!(
            "-----BEGIN CERTIFICATE-----\n{leaf}\n-----END CERTIFICATE-----\n{}",
            kit.intermediate_pem
        );
        let chain = CertificateChain::from_bytes(pem.as_bytes()).unwrap();
        (chain, PrivateKey::from_bytes(&file(&forms.pkcs8_der), None).unwrap())
    });
}

#[test]
fn keystores_may_be_pkcs12_modern_and_legacy() {
    for form in [|forms: &KeyForms| forms.pkcs12.clone(), |forms: &KeyForms| forms.pkcs12_legacy.clone()] {
        let sandbox = sandbox();
        let kit = sandbox.issuer();
        let transport = TransportIdentity::from_pkcs12(&file(&form(&kit.qwac_forms)), &password()).unwrap();
        let seal = SealIdentity::from_pkcs12(&file(&form(&kit.qsealc_forms)), &password()).unwrap();
        let issuer = bare_issuer(&sandbox).with_transport(transport).with_seal(seal);
        let client = Client::new(bank(&sandbox), issuer).unwrap();
        assert!(available(&client, &tokens(&sandbox, "CLAIRE"), "1"));
    }
}

#[test]
fn an_elliptic_qwac_works_as_pkcs8_and_sec1() {
    let sandbox = sandbox();
    let kit = sandbox.issuer();
    let variant = kit.variant("ec-p256").unwrap();
    for key in [variant.key_pem.clone().into_bytes(), file(&kit.ec_sec1_pem)] {
        let transport = TransportIdentity::from_pem(variant.chain_pem.as_bytes(), &key, None).unwrap();
        let issuer = bare_issuer(&sandbox).with_transport(transport).with_seal(seal(&kit.qsealc));
        let client = Client::new(bank(&sandbox), issuer).unwrap();
        assert!(available(&client, &consent(&sandbox, &client, "CLAIRE"), "1"));
    }
}

/// A signer as an HSM would be one: it only takes messages.
fn closure_signer(pem: &str, algorithms: &[SignatureAlgorithm]) -> Arc<dyn Signer> {
    let key = KeySigner::new(&PrivateKey::from_pem(pem.as_bytes(), None).unwrap()).unwrap();
    Arc::new(signer_from_fn(algorithms, move |algorithm, message| key.sign(algorithm, message)))
}

#[test]
fn keys_may_live_behind_closures() {
    let sandbox = sandbox();
    let kit = sandbox.issuer();
    let chain = |pem: &str| CertificateChain::from_pem(pem.as_bytes()).unwrap();
    let qwac = closure_signer(
        &kit.qwac.key_pem,
        &[SignatureAlgorithm::RsaPssSha256, SignatureAlgorithm::RsaPkcs1Sha256],
    );
    let qsealc = closure_signer(&kit.qsealc.key_pem, &[SignatureAlgorithm::RsaPkcs1Sha256]);
    let transport = TransportIdentity::with_signer(chain(&kit.qwac.chain_pem), qwac).unwrap();
    let seal = SealIdentity::with_signer(chain(&kit.qsealc.chain_pem), qsealc);
    let issuer = bare_issuer(&sandbox).with_transport(transport).with_seal(seal);
    for version in ["1.2", "1.3"] {
        sandbox.control().configure(&json!({"tls_versions": version})).unwrap();
        let client = Client::new(bank(&sandbox), issuer.clone()).unwrap();
        assert!(available(&client, &consent(&sandbox, &client, "CLAIRE"), "1"), "{version}");
    }
}

#[test]
fn each_tls_version_will_do() {
    for version in ["1.2", "1.3"] {
        let sandbox = sandbox_with(json!({"tls_versions": version}));
        let client = client(&sandbox);
        let tokens = consent(&sandbox, &client, "CLAIRE");
        assert!(available(&client, &tokens, "1"));
        let sent = last_request(&sandbox, Endpoint::Funds);
        assert_eq!(sent.tls_version, version);
        assert_eq!(sent.organisation.as_deref(), Some("PSDFR-ACPR-12345"));
    }
}

// What differs from bank to bank.

/// A whole journey at a bank whose settings and record differ from the usual.
fn journey_at(settings: Value, change: impl FnOnce(&mut Bank)) -> (Sandbox, Client) {
    let sandbox = sandbox_with(settings);
    let mut bank = bank(&sandbox);
    change(&mut bank);
    let client = Client::new(bank, issuer(&sandbox)).unwrap();
    let tokens = client.refresh(&consent(&sandbox, &client, "CLAIRE")).unwrap();
    assert!(available(&client, &tokens, "458.99"));
    (sandbox, client)
}

#[test]
fn pkce_is_used_where_the_bank_wants_it() {
    journey_at(json!({"pkce": true}), |bank| bank.pkce = true);
}

#[test]
fn the_scope_is_sent_where_the_bank_wants_it() {
    let (sandbox, _) =
        journey_at(json!({"scope_in_token_request": true}), |bank| bank.scope_in_token_request = true);
    assert!(last_request(&sandbox, Endpoint::Token).body_text().contains("scope=cbpii"));
}

#[test]
fn the_client_secret_travels_in_a_basic_header_where_the_bank_wants_it() {
    let (sandbox, _) = journey_at(json!({"client_authentication": "client_secret_basic"}), |bank| {
        bank.client_authentication = ClientAuthentication::ClientSecretBasic;
    });
    let secret = sandbox.issuer().client_secret.clone().unwrap();
    let sent = last_request(&sandbox, Endpoint::Token);
    assert!(sent.header("authorization").unwrap().starts_with("Basic "));
    assert!(!sent.body_text().contains(&secret));
}

#[test]
fn the_client_secret_travels_in_the_form_where_the_bank_wants_it() {
    journey_at(json!({"client_authentication": "client_secret_post"}), |bank| {
        bank.client_authentication = ClientAuthentication::ClientSecretPost;
    });
}

#[test]
fn token_requests_are_not_signed_and_carry_nothing_but_their_form() {
    let (sandbox, _) = journey_at(json!({"refresh_token_rotation": "rotated"}), |bank| {
        bank.refresh_token_rotation = Rotation::Rotated;
    });
    let sent = last_request(&sandbox, Endpoint::Token);
    let names: Vec<String> =
        sent.headers.iter().map(|(name, _)| String::from_utf8_lossy(name).to_lowercase()).collect();
    for name in ["signature", "digest", "authorization", "x-request-id"] {
        assert!(!names.iter().any(|sent| sent == name), "{names:?}");
    }
}

#[test]
fn extra_headers_are_sent_with_their_stand_ins_filled() {
    let setting = Setting::with_bank(|_, bank| {
        bank.extra_headers.insert("Client-Id".into(), "{client_id}".into());
        bank.extra_headers.insert("CorrelationId".into(), "a-{request_id}-z".into());
    });
    let answer = setting.check().unwrap();
    let sent = last_request(&setting.sandbox, Endpoint::Funds);
    assert_eq!(sent.header("client-id"), Some("PSDFR-ACPR-12345"));
    assert_eq!(sent.header("correlationid"), Some(format!("a-{}-z", answer.request_id.unwrap()).as_str()));
}

fn cardholder() -> PsuContext {
    PsuContext {
        ip_address: Some("192.0.2.7".into()),
        user_agent: Some("Mozilla/5.0 (X11; Linux)".into()),
        geo_location: Some("GEO:48.85;2.35".into()),
        ..PsuContext::default()
    }
}

#[test]
fn psu_headers_are_signed_where_the_bank_wants_every_one_present() {
    let setting = Setting::with_bank(|_, bank| bank.signature.as_mut().unwrap().headers.push("psu-*".into()));
    let demanded = ["(request-target)", "date", "digest", "x-request-id", "psu-ip-address", "psu-user-agent"];
    setting.control().configure(&json!({"signed_headers": demanded})).unwrap();
    let question = request(CLAIRE, "1").psu(cardholder()).unwrap();
    assert!(setting.client.confirm_funds(&setting.tokens, &question).unwrap().available);
    let sent = last_request(&setting.sandbox, Endpoint::Funds);
    assert_eq!(sent.header("psu-geo-location"), Some("GEO:48.85;2.35"));
    let signed = "headers=\"(request-target) date digest x-request-id psu-ip-address psu-geo-location psu-user-agent\"";
    assert!(sent.header("signature").unwrap().contains(signed));
}

#[test]
fn a_key_id_may_be_the_certificates_address() {
    let sandbox = sandbox();
    let mut bank = bank(&sandbox);
    bank.signature.as_mut().unwrap().key_id = KeyIdSource::CertificateUrl;
    let own = seal(&sandbox.issuer().qsealc);
    let report = own.chain().report(cbpii::Timestamp::from_unix_seconds(0));
    let address = format!("https://carte-exemple.example/qsealc_{}", report.sha256_fingerprint);
    let issuer = issuer(&sandbox).with_seal(own.with_key_id(&address).unwrap());
    let client = Client::new(bank, issuer).unwrap();
    assert!(available(&client, &tokens(&sandbox, "CLAIRE"), "1"));
    assert!(last_request(&sandbox, Endpoint::Funds).header("signature").unwrap().contains(&address));
}

// What is explained is what is sent.

/// The explained headers, each of which must have been sent with the same value unless it is masked.
#[track_caller]
fn assert_explains(explanation: &Explanation, sent: &RequestRecord, varying: &[&str]) {
    for (name, explained) in &explanation.headers {
        let value = sent.header(name).unwrap_or_else(|| panic!("{name} was not sent"));
        let masked = explained.contains('…') || varying.contains(&name.as_str());
        assert!(masked || explained == value, "{name}: {explained} but sent was {value}");
    }
    for (name, _) in &sent.headers {
        let name = String::from_utf8_lossy(name).to_lowercase();
        let own = explanation.headers.iter().any(|(explained, _)| *explained == name);
        let transports = ["host", "content-length", "user-agent", "accept-encoding"].contains(&name.as_str());
        assert!(own || transports, "{name} was sent and not explained");
    }
}

/// The signing string as the request that arrived gives it.
fn signing_string_of(sent: &RequestRecord) -> String {
    let signature = sent.header("signature").unwrap();
    let names = signature.split_once("headers=\"").unwrap().1.split_once('"').unwrap().0;
    let line = |name: &str| match name {
        "(request-target)" => format!("(request-target): post {}", sent.target),
        name => format!("{name}: {}", sent.header(name).unwrap()),
    };
    names.split(' ').map(line).collect::<Vec<_>>().join("\n")
}

fn question() -> FundsRequest {
    request(CLAIRE, "12.50")
        .request_id("6c0c1ba0-5a4e-4e6c-8a0a-0e5ab4d1b1d5")
        .unwrap()
        .psu(cardholder())
        .unwrap()
}

#[test]
fn an_explanation_is_what_is_then_sent() {
    let setting = Setting::new();
    let explanation = setting.client.explain(&question()).unwrap();
    assert!(setting.control().requests().is_empty());
    setting.client.confirm_funds(&setting.tokens, &question()).unwrap();
    let sent = last_request(&setting.sandbox, Endpoint::Funds);
    assert_explains(&explanation, &sent, &["date", "signature"]);
    let without_date =
        |text: &str| text.lines().filter(|line| !line.starts_with("date: ")).collect::<Vec<_>>().join("\n");
    let explained = explanation.signing_string.unwrap();
    assert_eq!(without_date(&explained), without_date(&signing_string_of(&sent)));
    assert_eq!(
        (explanation.method.as_str(), explanation.url.as_str()),
        ("POST", setting.sandbox.endpoints().funds_url.as_str())
    );
    assert_eq!(explanation.body, sent.body_text().replace(CLAIRE, "FR76…4006"));
    assert_eq!(
        (explanation.key_id.as_deref(), explanation.key_id_source.as_deref()),
        (Some("PSDFR-ACPR-12345"), Some("client_id"))
    );
}

#[test]
fn the_explanation_of_an_error_is_what_was_sent() {
    let setting = Setting::new();
    setting.control().expire_access_tokens();
    let error = assert_code(
        setting.client.confirm_funds(&setting.tokens, &question()),
        ErrorCode::AccessTokenRefused,
    );
    let sent = setting.seen(Endpoint::Funds).remove(0);
    let explanation = error.explanation().unwrap();
    assert_explains(explanation, &sent, &[]);
    assert_eq!(explanation.signing_string.as_deref(), Some(signing_string_of(&sent).as_str()));
    assert!(explanation.digest_input.as_deref().unwrap().contains(sent.header("digest").unwrap()));
    assert_without_secrets(&explanation.to_string(), &secrets_of(&setting.tokens));
}

#[test]
fn two_clients_of_an_issuer_share_its_tokens() {
    let sandbox = sandbox();
    let kit = sandbox.issuer();
    let issuer = Issuer::new(&kit.client_id, &kit.redirect_uri).unwrap();
    let issuer = issuer.with_transport(transport(&kit.qwac)).with_seal(seal(&kit.qsealc));
    let (one, other) =
        (Client::new(bank(&sandbox), issuer.clone()).unwrap(), Client::new(bank(&sandbox), issuer).unwrap());
    let tokens = consent(&sandbox, &one, "CLAIRE");
    assert!(available(&other, &tokens, "1"));
}
