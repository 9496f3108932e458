//! The whole journey of a card issuer against the sandbox bank, for a person to read.
//!
//! `make demo`, or `make demo BROWSER=1` to click through the bank's consent page yourself. Ends with 0 only when
//! every step gave what it should.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::ExitCode;
use std::time::Instant;

use anstream::println;
use cbpii::bank::TrustMode;
use cbpii::identity::{CertificateReport, InspectOptions, SealIdentity, TransportIdentity};
use cbpii::{
    Advice, Amount, Bank, Client, Clock, ConsentOptions, Environment, Error, ErrorCode, FundsRequest, Iban,
    Issuer, PendingConsent, SystemClock, Tokens,
};
use cbpii_sandbox::{Sandbox, SandboxOptions};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

const CLAIRE: &str = "FR76 1751 5900 0008 0035 8074 006";

fn main() -> ExitCode {
    let browser = std::env::args().any(|argument| argument == "--browser");
    match journey(browser) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("\n{RED}The demo did not go as it should: {error}{PLAIN}");
            ExitCode::FAILURE
        }
    }
}

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const PLAIN: &str = "\x1b[0m";

fn step(title: &str) {
    println!("\n{BOLD}── {title}{PLAIN}");
}

fn fact(name: &str, value: impl std::fmt::Display) {
    println!("   {DIM}{name:<22}{PLAIN} {value}");
}

fn journey(browser: bool) -> Outcome {
    let callback = if browser { Some(TcpListener::bind("127.0.0.1:0")?) } else { None };
    let mut options = SandboxOptions::default();
    if let Some(listener) = &callback {
        options.redirect_uri = format!("http://{}/callback", listener.local_addr()?);
    }
    let sandbox = Sandbox::start(options)?;
    let client = set_up(&sandbox)?;
    let pending = begin(&client)?;
    let returned = match callback {
        Some(listener) => wait_for_browser(&pending, &listener)?,
        None => approve(&sandbox, &pending)?,
    };
    let tokens = exchange(&client, &pending, &returned)?;
    yes_and_no(&client, &tokens)?;
    explain(&client)?;
    let tokens = refresh(&sandbox, &client, tokens)?;
    lost_consent(&sandbox, &client, &tokens)?;
    blocked_account(&sandbox, &client)?;
    println!("\n{GREEN}Every step gave what it should.{PLAIN}");
    Ok(())
}

fn set_up(sandbox: &Sandbox) -> Outcome<Client> {
    step("The issuer, its certificates and the bank");
    let kit = sandbox.issuer();
    let transport =
        TransportIdentity::from_pem(kit.qwac.chain_pem.as_bytes(), kit.qwac.key_pem.as_bytes(), None)?;
    let report = CertificateReport::of(transport.chain(), &InspectOptions::at(SystemClock.now()));
    let roles: Vec<_> = report.psd2_roles.iter().map(ToString::to_string).collect();
    fact("QWAC", &report.subject.rfc4514);
    fact(
        "organisation, role",
        format!("{} {}", report.organisation_identifier.unwrap_or_default(), roles.join(" ")),
    );
    let seal = SealIdentity::from_pem(kit.qsealc.chain_pem.as_bytes(), kit.qsealc.key_pem.as_bytes(), None)?;
    let issuer = Issuer::new(&kit.client_id, &kit.redirect_uri)?.with_transport(transport).with_seal(seal);
    let mut bank = Bank::bpce("17515", Environment::Sandbox)?
        .with_origin(&sandbox.endpoints().origin)?
        .with_trust_anchor(&kit.ca_pem, TrustMode::Replace)?;
    bank.response_signing_certificates.push(kit.bank_seal_pem.clone());
    fact(
        "bank",
        format!("{} ({}), on this machine at {}", bank.name, bank.standard, sandbox.endpoints().origin),
    );
    let findings = issuer.check(&bank, SystemClock.now());
    fact("eligibility", if findings.is_empty() { "no finding" } else { "see below" });
    for finding in findings {
        fact("", format!("{}: {}", finding.severity, finding.sentence));
    }
    Ok(Client::new(bank, issuer)?)
}

fn begin(client: &Client) -> Outcome<PendingConsent> {
    step("Consent: where the cardholder's browser is sent");
    let pending = client.begin_consent(&ConsentOptions::default())?;
    fact("consent URL", pending.url());
    fact("to be answered until", pending.expires_at());
    Ok(pending)
}

fn approve(sandbox: &Sandbox, pending: &PendingConsent) -> Outcome<String> {
    let returned = sandbox.approve(pending.url(), "CLAIRE")?;
    fact("what the bank asked", "log in, strong authentication, consent for yes/no answers");
    fact("CLAIRE said", "yes");
    Ok(returned)
}

/// Takes the one request the bank's redirect makes the browser send.
fn wait_for_browser(pending: &PendingConsent, listener: &TcpListener) -> Outcome<String> {
    println!(
        "\n   {YELLOW}Open this in a browser (its certificate is the sandbox's own), then choose CLAIRE:{PLAIN}\n   {}",
        pending.url()
    );
    loop {
        let (stream, _) = listener.accept()?;
        let mut line = String::new();
        BufReader::new(&stream).read_line(&mut line)?;
        let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let found = target.starts_with("/callback?");
        let text = if found { "Thank you. Back to the terminal." } else { "Nothing here." };
        let status = if found { "200 OK" } else { "404 Not Found" };
        write!(
            &stream,
            "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
            text.len()
        )?;
        if found {
            return Ok(target);
        }
    }
}

fn exchange(client: &Client, pending: &PendingConsent, returned: &str) -> Outcome<Tokens> {
    let code = pending.complete(returned)?;
    fact("code", code.masked());
    let tokens = client.exchange_code(pending, &code)?;
    show_tokens(&tokens);
    Ok(tokens)
}

fn show_tokens(tokens: &Tokens) {
    let life = tokens.expires_at().map(|end| end.saturating_duration_since(tokens.obtained_at()).as_secs());
    fact("access token", format!("{} for {} s", tokens.access_token().masked(), life.unwrap_or_default()));
    fact("refresh token", tokens.refresh_token().map(cbpii::Secret::masked).unwrap_or_default());
    fact("consent ends", tokens.consent_expires_at());
}

fn question(reference: &str, iban: &str, amount: &str) -> Outcome<FundsRequest> {
    Ok(FundsRequest::new(reference, Iban::parse(iban)?, Amount::new(amount, "EUR")?)?)
}

fn yes_and_no(client: &Client, tokens: &Tokens) -> Outcome {
    step("Are the funds there?");
    for (amount, expected) in [("458.99", true), ("459.01", false)] {
        let request = question("ORDER-4711", CLAIRE, amount)?;
        let answer = client.confirm_funds(tokens, &request)?;
        let shown =
            if answer.available { format!("{GREEN}yes{PLAIN}") } else { format!("{YELLOW}no{PLAIN}") };
        let signature = answer.response_signature.as_str();
        fact(
            &format!("{amount} EUR"),
            format!(
                "{shown}   {} ms, answer's signature {signature}, request {}",
                answer.duration.as_millis(),
                answer.request_id.unwrap_or_default()
            ),
        );
        expect(answer.available == expected, "the bank's answer")?;
    }
    Ok(())
}

fn explain(client: &Client) -> Outcome {
    step("Explain: what a check sends, made to be pasted in a ticket");
    let explanation = client.explain(&question("ORDER-4712", CLAIRE, "12.50")?)?;
    for line in explanation.to_string().lines() {
        println!("   {DIM}│{PLAIN} {line}");
    }
    expect(!explanation.to_string().contains("00080035807"), "the account is masked")
}

fn refused(
    what: &str,
    outcome: Result<impl Sized, Error>,
    code: ErrorCode,
    advice: Advice,
) -> Outcome<Error> {
    let Err(error) = outcome else { return Err(format!("{what} should have failed").into()) };
    fact(what, format!("{RED}{error}{PLAIN}"));
    fact(
        "",
        format!(
            "code {}, advice {}, request {}",
            error.code(),
            error.advice(),
            error.request_id().unwrap_or("-")
        ),
    );
    expect(error.code() == code && error.advice() == advice, what)?;
    Ok(error)
}

fn refresh(sandbox: &Sandbox, client: &Client, tokens: Tokens) -> Outcome<Tokens> {
    step("The access token ends and is refreshed");
    sandbox.control().expire_access_tokens();
    let request = question("ORDER-4713", CLAIRE, "100.00")?;
    let outcome = client.confirm_funds(&tokens, &request);
    refused("100.00 EUR", outcome, ErrorCode::AccessTokenRefused, Advice::RenewConsent)?;
    let started = Instant::now();
    let tokens = client.refresh(&tokens)?;
    fact("refreshed in", format!("{} ms", started.elapsed().as_millis()));
    show_tokens(&tokens);
    let answer = client.confirm_funds(&tokens, &request)?;
    fact("100.00 EUR", format!("{GREEN}yes{PLAIN}"));
    expect(answer.available, "the check after the refresh")?;
    Ok(tokens)
}

fn lost_consent(sandbox: &Sandbox, client: &Client, tokens: &Tokens) -> Outcome {
    step("The cardholder withdraws the consent at the bank");
    sandbox.control().revoke_consents(Some("CLAIRE"));
    let error = refused("refresh", client.refresh(tokens), ErrorCode::ConsentLost, Advice::RenewConsent)?;
    fact("so", "renew the consent");
    expect(error.bank_code() == Some("invalid_grant"), "the bank's own code")
}

fn blocked_account(sandbox: &Sandbox, client: &Client) -> Outcome {
    step("Another cardholder, whose account is blocked");
    let control = sandbox.control();
    let blocked = control
        .personas()
        .into_iter()
        .find(|persona| persona.refusal.as_ref().is_some_and(|refusal| refusal.code == "AC06"));
    let persona = blocked.ok_or("the sandbox has a persona with a blocked account")?;
    let pending = client.begin_consent(&ConsentOptions::default())?;
    let tokens = client.complete_consent(&pending, &sandbox.approve(pending.url(), &persona.id)?)?;
    let request = question("ORDER-4714", &persona.iban, "10.00")?;
    let outcome = client.confirm_funds(&tokens, &request);
    refused("10.00 EUR", outcome, ErrorCode::AccountBlocked, Advice::ContactBank)?;
    Ok(())
}

fn expect(holds: bool, what: &str) -> Outcome {
    if holds { Ok(()) } else { Err(format!("{what} is not what it should be").into()) }
}
