//! What must hold for any input, tried through the public API on inputs nobody thought of.

use std::sync::LazyLock;

use cbpii::http::{HttpRequest, HttpResponse, Transport, TransportContext};
use cbpii::identity::{CertificateChain, CertificateReport, InspectOptions, KeyStore, PrivateKey};
use cbpii::{
    Amount, AuthorizationCode, Bank, Client, ConsentOptions, Currency, Environment, Error, ErrorCode,
    FundsConfirmation, FundsRequest, Iban, Issuer, PendingConsent, Result, Secret, Timestamp, Tokens,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use url::Url;

const CLIENT_ID: &str = "PSDFR-ACPR-12345";
const REDIRECT_URI: &str = "https://issuer.example/psd2/callback";
const STATE: &str = "Kx0yMmRrbGJfZ1hQbEtqd3ZtTnBRc1R1VnhZejAxMjM";
const IBAN: &str = "FR7617515900000800358074006";
/// Examples of the IBAN registry, and one of the bank's own.
const IBANS: [&str; 8] = [
    IBAN,
    "FR1420041010050500013M02606",
    "DE89370400440532013000",
    "GB29NWBK60161331926819",
    "NO9386011117947",
    "MT84MALT011000012345MTLCAST001S",
    "BE68539007547034",
    "IT60X0542811101000000123456",
];

/// Answers every request with the same bytes.
struct Canned(u16, Vec<u8>);

impl Transport for Canned {
    fn exchange(&self, _: &HttpRequest, _: &TransportContext) -> Result<HttpResponse> {
        HttpResponse::new(self.0, [("Content-Type", "application/json")], self.1.clone())
    }
}

/// 89C3's record without a signature, so that no key is needed.
static BANK: LazyLock<Bank> = LazyLock::new(|| {
    Bank::from_json(r#"{"base": "bpce-17515", "environment": "sandbox", "signature": null}"#).unwrap()
});

fn now() -> Timestamp {
    "2026-11-23T13:05:00Z".parse().unwrap()
}

fn client(status: u16, body: Vec<u8>) -> Client {
    let issuer = Issuer::new(CLIENT_ID, REDIRECT_URI).unwrap();
    Client::builder(BANK.clone(), issuer).transport(Canned(status, body)).build().unwrap()
}

fn pending() -> PendingConsent {
    let saved = format!(
        r#"{{"v":1,"bank_id":"bpce-17515","url":"https://www.17515.sandbox.api.89c3.com/","state":"{STATE}",
            "redirect_uri":"{REDIRECT_URI}","issuer":"https://www.17515.sandbox.api.89c3.com",
            "created_at":"2026-11-23T13:00:00Z","expires_at":"2026-11-23T13:15:00Z"}}"#
    );
    PendingConsent::from_json(&saved).unwrap()
}

fn tokens() -> Tokens {
    let refresh = Some(Secret::new("tGzv3JOkF0XG5Qx2TlKWIA"));
    Tokens::new("2YotnFZFEjr1zCsicMWpAA", refresh, now(), None, now()).unwrap()
}

fn check(status: u16, body: Vec<u8>) -> Result<FundsConfirmation> {
    let amount = Amount::new("12.50", "EUR").unwrap();
    let request = FundsRequest::new("MyCoverage123456", Iban::parse(IBAN).unwrap(), amount).unwrap();
    client(status, body).confirm_funds(&tokens(), &request)
}

fn answer(result: bool) -> Vec<u8> {
    format!(
        r#"{{"request":{{"paymentCoverageRequestId":"MyCoverage123456","instructedAmount":{{"currency":"EUR","amount":"12.50"}},"accountId":{{"iban":"{IBAN}"}}}},"result":{result},"_links":{{"self":{{"href":"v1/funds-confirmations"}}}}}}"#
    )
    .into_bytes()
}

/// One change to a text of bytes.
#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Remove(Index),
    Insert(Index, u8),
    Cut(Index),
    Repeat(Index, Index),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Self::Set(place, byte) => *place.get_mut(bytes) = *byte,
            Self::Remove(place) => drop(bytes.remove(place.index(bytes.len()))),
            Self::Insert(place, byte) => bytes.insert(place.index(bytes.len()), *byte),
            Self::Cut(place) => bytes.truncate(place.index(bytes.len())),
            Self::Repeat(from, to) => {
                let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
                let part = bytes[from.min(to)..from.max(to)].to_vec();
                bytes.splice(to..to, part);
            }
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let telling = prop_oneof![select(&b"\"{}[],:truefalsn0123456789.eE-+ \\\0\xff"[..]), any::<u8>()];
    prop_oneof![
        (any::<Index>(), telling.clone()).prop_map(|(place, byte)| Change::Set(place, byte)),
        any::<Index>().prop_map(Change::Remove),
        (any::<Index>(), telling).prop_map(|(place, byte)| Change::Insert(place, byte)),
        any::<Index>().prop_map(Change::Cut),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Repeat(from, to)),
    ]
}

/// A JSON value of any shape, as text.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<f64>().prop_map(|value| serde_json::Value::from(value).to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<String>().prop_map(|value| serde_json::Value::from(value).to_string()),
        Just("1e999999999".to_owned()),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|values| format!("[{}]", values.join(","))),
            vec((member_name(), inner), 0..4).prop_map(object),
        ]
    })
}

fn object(members: Vec<(String, String)>) -> String {
    let members =
        members.into_iter().map(|(name, value)| format!("{}:{value}", serde_json::Value::from(name)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// Names that mean something somewhere, and others.
fn member_name() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
        "scope",
        "error",
        "error_description",
        "message",
        "code",
        "errorMessage",
        "request",
        "result",
        "_links",
        "paymentCoverageRequestId",
        "instructedAmount",
        "currency",
        "amount",
        "accountId",
        "iban",
        "other",
        "v",
        "state",
        "expires_at",
        "obtained_at",
        "id",
        "name",
        "standard",
        "base",
        "environment",
        "signature",
        "headers",
        "key_id",
        "trust_anchors",
        "pem",
        "extra_headers",
    ];
    prop_oneof![4 => select(KNOWN).prop_map(str::to_owned), 1 => any::<String>()]
}

fn json_object() -> impl Strategy<Value = String> {
    vec((member_name(), json()), 0..6).prop_map(object)
}

/// Every error says something, and no secret of this file.
fn sound(error: &Error) {
    assert!(!error.message().is_empty());
    let shown = format!("{error} {error:?} {}", error.bank_message().unwrap_or_default());
    for secret in [IBAN, "2YotnFZFEjr1zCsicMWpAA", "tGzv3JOkF0XG5Qx2TlKWIA", STATE] {
        assert!(!shown.contains(secret), "{shown}");
    }
    if let Some(explanation) = error.explanation() {
        let shown = explanation.to_string();
        assert!(!shown.contains(IBAN) && !shown.contains("2YotnFZFEjr1zCsicMWpAA"), "{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// What `Issuer::new` takes arrives at the bank as it is.
    #[test]
    fn consent_urls_come_back_as_they_went(
        redirect_uri in prop_oneof![
            "https://issuer\\.example[/?][!-~]{0,60}",
            "[a-zA-Z][a-zA-Z0-9+.-]{1,12}:[!-~]{0,60}",
            "https://[!-~]{1,40}",
            "http://(127\\.0\\.0\\.1|\\[::1\\]|localhost)(:[0-9]{1,5})?/[!-~]{0,40}",
        ],
        client_id in "[!-~]{1,80}",
        pkce: bool,
        response_type: bool,
    ) {
        if let Ok(issuer) = Issuer::new(&client_id, &redirect_uri) {
            let bank = Bank { pkce, response_type, ..BANK.clone() };
            let authorize = bank.authorize_url.clone().unwrap();
            let client = Client::builder(bank, issuer).transport(Canned(500, Vec::new())).build().unwrap();
            let pending = client.begin_consent(&ConsentOptions::default()).unwrap();
            prop_assert_eq!(pending.redirect_uri(), &redirect_uri);
            prop_assert_eq!(pending.url().split('?').next().unwrap(), authorize);
            let url = Url::parse(pending.url()).unwrap();
            prop_assert!(url.fragment().is_none());
            prop_assert_eq!(url.as_str(), pending.url());
            let mut pairs = url.query_pairs();
            let mut next = || pairs.next().map(|(name, value)| (name.into_owned(), value.into_owned())).unwrap_or_default();
            if response_type {
                prop_assert_eq!(next(), ("response_type".to_owned(), "code".to_owned()));
            }
            prop_assert_eq!(next(), ("client_id".to_owned(), client_id));
            prop_assert_eq!(next(), ("redirect_uri".to_owned(), redirect_uri.clone()));
            prop_assert_eq!(next(), ("scope".to_owned(), "cbpii".to_owned()));
            prop_assert_eq!(next(), ("state".to_owned(), pending.state().to_owned()));
            if pkce {
                prop_assert_eq!((next().0, next().1), ("code_challenge".to_owned(), "S256".to_owned()));
            }
            prop_assert_eq!(next(), Default::default());
            let again = PendingConsent::from_json(pending.to_json().expose()).unwrap();
            prop_assert_eq!(again.url(), pending.url());
        }
    }

    /// A code comes back from whatever redirect URI the bank appended it to.
    #[test]
    fn callbacks_give_their_code(code in "[!-~]{1,80}", extra in "[a-z]{3,8}", value in any::<String>()) {
        prop_assume!(!["code", "state", "iss", "error", "error_description"].contains(&extra.as_str()));
        let mut url = Url::parse(REDIRECT_URI).unwrap();
        url.query_pairs_mut().append_pair(&extra, &value).append_pair("code", &code).append_pair("state", STATE);
        for callback in [url.as_str(), &url.as_str()["https://issuer.example".len()..]] {
            let read = pending().complete_at(callback, now()).unwrap();
            prop_assert_eq!(read.expose(), &code);
        }
    }

    #[test]
    fn any_callback_is_answered(text in any::<String>(), code in any::<String>(), place: Index) {
        let mut url = format!("{REDIRECT_URI}?code={code}&state={STATE}");
        let outcomes = [pending().complete_at(&text, now()), pending().complete_at(&url, now())];
        let mut boundary = place.index(url.len());
        while !url.is_char_boundary(boundary) {
            boundary -= 1;
        }
        url.insert_str(boundary, &text);
        for outcome in outcomes.into_iter().chain([pending().complete_at(&url, now())]) {
            match outcome {
                Ok(code) => prop_assert!(code.expose().bytes().all(|byte| byte.is_ascii_graphic())),
                Err(error) => sound(&error),
            }
        }
    }

    #[test]
    fn a_callback_with_another_state_has_no_code(state in "[!-~&&[^&#]]{0,50}", code in "[a-z0-9]{1,20}") {
        prop_assume!(state != STATE);
        let outcome = pending().complete_at(&format!("?code={code}&state={state}"), now());
        prop_assert!(outcome.is_err());
    }

    #[test]
    fn any_token_answer_is_answered(
        status in prop_oneof![3 => Just(200_u16), 1 => 200_u16..600],
        body in prop_oneof![vec(any::<u8>(), 0..300), json_object().prop_map(String::into_bytes), json().prop_map(String::into_bytes)],
    ) {
        let client = client(status, body);
        let code = AuthorizationCode::new("SplxlOBeZQQYbYS6WxSbIA").unwrap();
        for outcome in [client.exchange_code(&pending(), &code), client.refresh(&tokens())] {
            match outcome {
                Ok(tokens) => {
                    prop_assert_eq!(status, 200);
                    prop_assert!(!tokens.access_token().expose().is_empty());
                    prop_assert_eq!(Tokens::from_json(tokens.to_json().expose()).unwrap(), tokens);
                }
                Err(error) => sound(&error),
            }
        }
    }

    #[test]
    fn any_funds_answer_is_answered(
        status in prop_oneof![3 => Just(200_u16), 1 => 200_u16..600],
        body in prop_oneof![vec(any::<u8>(), 0..300), json_object().prop_map(String::into_bytes), json().prop_map(String::into_bytes)],
    ) {
        // Nothing of this has our reference, amount and account.
        sound(&check(status, body).unwrap_err());
    }

    /// No change to a no makes it a yes, and none to a yes makes it a no.
    #[test]
    fn a_damaged_answer_is_never_the_other_answer(changes in vec(change(), 1..3), result: bool) {
        let mut body = answer(result);
        for change in &changes {
            change.apply(&mut body);
        }
        match check(200, body) {
            Ok(confirmation) => prop_assert_eq!(confirmation.available, result),
            Err(error) => {
                sound(&error);
                prop_assert_eq!(error.kind().as_str(), "protocol");
            }
        }
    }

    #[test]
    fn a_status_other_than_200_is_no_answer(status in 201_u16..600, result: bool) {
        sound(&check(status, answer(result)).unwrap_err());
    }

    /// Whatever surrounds it, an account number in a bank's message is masked.
    #[test]
    fn account_numbers_do_not_show(
        iban in select(&IBANS[..]),
        before in "([a-zé ,;:'\"(<=-]{0,600}[ ,;:'\"(<=])?",
        after in "([ ,;:'\")>.][a-zé ,;:'\")>.-]{0,100})?",
        grouped: bool,
    ) {
        let groups: Vec<&str> = iban.as_bytes().chunks(4).map(|group| std::str::from_utf8(group).unwrap()).collect();
        let written = if grouped { groups.join(" ") } else { iban.to_owned() };
        let text = format!("{before}{written}{after}");
        let body = serde_json::json!({ "message": text }).to_string().into_bytes();
        let error = check(403, body).unwrap_err();
        let shown = error.bank_message().unwrap();
        prop_assert!(!shown.replace(' ', "").contains(&iban[4..iban.len() - 4]), "{}", shown);
    }

    #[test]
    fn any_bank_record_is_answered(text in prop_oneof![any::<String>(), json_object(), json()]) {
        if let Ok(bank) = Bank::from_json(&text) {
            prop_assert_eq!(Bank::from_json(&bank.to_json().unwrap()).unwrap(), bank);
        }
    }

    #[test]
    fn any_patch_of_a_bank_record_is_answered(field in member_name(), value in json()) {
        let text = object(vec![
            ("base".to_owned(), "\"bpce-17515\"".to_owned()),
            ("environment".to_owned(), "\"sandbox\"".to_owned()),
            (field, value),
        ]);
        match Bank::from_json(&text) {
            Ok(bank) => prop_assert_eq!(Bank::from_json(&bank.to_json().unwrap()).unwrap(), bank),
            Err(error) => prop_assert_eq!(error.kind().as_str(), "configuration"),
        }
    }

    #[test]
    fn any_saved_state_is_answered(text in prop_oneof![any::<String>(), json_object(), json()]) {
        let pending = PendingConsent::from_json(&text).map(drop);
        let tokens = Tokens::from_json(&text).map(drop);
        for outcome in [pending, tokens] {
            prop_assert!(matches!(outcome.unwrap_err().code(), ErrorCode::SavedState | ErrorCode::Token));
        }
    }

    #[test]
    fn damaged_saved_state_is_answered(changes in vec(change(), 1..4)) {
        for saved in [pending().to_json(), tokens().to_json()] {
            let mut bytes = saved.expose().as_bytes().to_vec();
            for change in &changes {
                change.apply(&mut bytes);
            }
            let text = String::from_utf8_lossy(&bytes);
            for outcome in [PendingConsent::from_json(&text).map(drop), Tokens::from_json(&text).map(drop)] {
                if let Err(error) = outcome {
                    sound(&error);
                }
            }
        }
    }

    #[test]
    fn any_certificate_and_key_is_answered(bytes in vec(any::<u8>(), 0..300), label in "[A-Z ]{0,20}", text in any::<String>()) {
        use base64::Engine;
        let body = base64::prelude::BASE64_STANDARD.encode(&bytes);
        let pem = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
        let known = |label: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n").into_bytes();
        let password = Secret::new("password");
        let inputs = [
            bytes.clone(),
            text.into_bytes(),
            pem.into_bytes(),
            known("CERTIFICATE"),
            known("PRIVATE KEY"),
            known("RSA PRIVATE KEY"),
            known("EC PRIVATE KEY"),
            known("ENCRYPTED PRIVATE KEY"),
        ];
        for input in inputs {
            prop_assert!(CertificateChain::from_bytes(&input).is_err());
            prop_assert!(PrivateKey::from_bytes(&input, Some(&password)).is_err());
            prop_assert!(KeyStore::from_pkcs12(&input, &password).is_err());
        }
    }

    /// A certificate with some other bytes is refused or reported on, and never brings the program down.
    #[test]
    fn damaged_certificates_and_keys_are_answered(changes in vec(change(), 1..4)) {
        let (certificate, key) = &*PAIR;
        let damaged = |original: &[u8]| {
            let mut bytes = original.to_vec();
            changes.iter().for_each(|change| change.apply(&mut bytes));
            bytes
        };
        if let Ok(chain) = CertificateChain::from_bytes(&damaged(certificate)) {
            let report = CertificateReport::of(&chain, &InspectOptions::at(now()).with_client_id(CLIENT_ID));
            prop_assert!(!report.sha256_fingerprint.is_empty());
        }
        let _ = PrivateKey::from_bytes(&damaged(key), None);
    }

    #[test]
    fn amounts_come_back_as_they_went(cents in 1_u64..1_000_000_000_000_000, width in 1_usize..14) {
        let text = format!("{:0width$}.{:02}", cents / 100, cents % 100);
        let amount = Amount::new(&text, "EUR").unwrap();
        prop_assert_eq!(amount.value().mantissa(), i128::from(cents));
        prop_assert_eq!(amount.value().scale(), 2);
        prop_assert_eq!(amount.to_string(), format!("{}.{:02} EUR", cents / 100, cents % 100));
        prop_assert_eq!(Amount::from_decimal(amount.value(), Currency::EUR).unwrap(), amount);
    }

    #[test]
    fn what_is_no_amount_is_refused(text in "[0-9]{0,14}[^0-9.][0-9.]{0,5}") {
        prop_assert_eq!(Amount::new(&text, "EUR").unwrap_err().code(), ErrorCode::Amount);
    }

    #[test]
    fn any_value_is_answered(text in any::<String>(), code in "[A-Z]{3}|[a-zA-Z]{0,5}") {
        let _ = Amount::new(&text, &code);
        let _ = Amount::new("1", &code);
        prop_assert!(Iban::parse(&text).is_err());
        let _ = text.parse::<Timestamp>();
        let _ = Bank::find(&text, Environment::Production);
    }

    #[test]
    fn a_changed_digit_of_an_iban_is_noticed(iban in select(&IBANS[..]), place: Index, step in 1_u8..10) {
        let digits: Vec<usize> = iban.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()).map(|(place, _)| place).collect();
        let place = *place.get(&digits);
        let mut changed = iban.as_bytes().to_vec();
        changed[place] = b'0' + (changed[place] - b'0' + step) % 10;
        let changed = String::from_utf8(changed).unwrap();
        prop_assert_eq!(Iban::parse(&changed).unwrap_err().code(), ErrorCode::Iban);
    }

    #[test]
    fn two_exchanged_digits_of_an_iban_are_noticed(iban in select(&IBANS[..]), place: Index) {
        let differ = |pair: &[u8]| pair[0] != pair[1] && pair.iter().all(u8::is_ascii_digit);
        let pairs: Vec<usize> = (2..iban.len() - 1).filter(|place| differ(&iban.as_bytes()[*place..*place + 2])).collect();
        let place = *place.get(&pairs);
        let mut changed = iban.as_bytes().to_vec();
        changed.swap(place, place + 1);
        let changed = String::from_utf8(changed).unwrap();
        prop_assert_eq!(Iban::parse(&changed).unwrap_err().code(), ErrorCode::Iban);
    }
}

/// A certificate and its key, DER.
static PAIR: LazyLock<(Vec<u8>, Vec<u8>)> = LazyLock::new(|| {
    let pair = rcgen::generate_simple_self_signed(["issuer.example".to_owned()]).unwrap();
    (pair.cert.der().to_vec(), pair.signing_key.serialize_der())
});
