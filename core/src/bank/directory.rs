//! The compiled-in directory of banks.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::record::{merge, read};
use super::{Bank, Environment, Standard, search};
use crate::funds::Iban;
use crate::{Error, ErrorCode, Result};

/// Part of a bank record.
type Layer = Map<String, Value>;

/// `directory.json` as it is written; its own text says how records are made of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Directory {
    #[serde(rename = "about")]
    _about: Vec<String>,
    defaults: Layer,
    standards: BTreeMap<Standard, Layer>,
    platforms: Vec<Platform>,
    banks: Vec<SingleBank>,
}

/// Many establishments behind one interface.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Platform {
    #[serde(rename = "name")]
    _name: String,
    id_prefix: String,
    record: Layer,
    origins: BTreeMap<Environment, Origin>,
    authorize_path: String,
    token_path: String,
    funds_paths: BTreeMap<Standard, FundsPath>,
    brands: Vec<Brand>,
}

/// Where the establishments of a platform are reached. The template may hold `{code}` and `{domain}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Origin {
    template: String,
    /// The codes the bank's pages name; the note is about all others.
    documented_for: Option<Vec<String>>,
    note: Option<String>,
}

/// The path of the funds address in one version; with a note it is deduced.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FundsPath {
    path: String,
    note: Option<String>,
}

/// What the establishments of one brand share.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Brand {
    brand: String,
    /// What people type for the brand.
    short: Option<String>,
    domain: Option<String>,
    standard: Standard,
    note: Option<String>,
    establishments: Vec<Establishment>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Establishment {
    code: String,
    name: String,
    id: Option<String>,
    #[serde(default)]
    unverified: bool,
    note: Option<String>,
}

/// A bank with an interface of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SingleBank {
    id: String,
    name: String,
    brand: Option<String>,
    standard: Standard,
    environments: Vec<Environment>,
    #[serde(default)]
    unverified: bool,
    note: Option<String>,
    record: Layer,
}

static DIRECTORY: LazyLock<Option<Directory>> =
    LazyLock::new(|| serde_json::from_str(include_str!("directory.json")).ok());

/// The parsed directory. It is part of this crate, and a test reads all of it.
pub(super) fn directory() -> Result<&'static Directory> {
    DIRECTORY.as_ref().ok_or_else(|| {
        Error::new(ErrorCode::Internal, "The compiled-in bank directory cannot be read; report it.")
    })
}

/// One bank of the directory, before its record is made.
#[derive(Clone, Copy)]
enum Entry<'a> {
    Establishment(&'a Platform, &'a Brand, &'a Establishment),
    Single(&'a SingleBank),
}

impl Directory {
    /// What holds for any bank, as far as the standard is known.
    pub(super) fn defaults(&self, standard: Option<Standard>) -> Value {
        let mut record = Value::Object(self.defaults.clone());
        if let Some(layer) = standard.and_then(|standard| self.standards.get(&standard)) {
            merge(&mut record, Value::Object(layer.clone()));
        }
        record
    }

    /// The record of the bank with this id, in another standard when one is given.
    pub(super) fn record(
        &self,
        id: &str,
        environment: Environment,
        standard: Option<Standard>,
    ) -> Result<Value> {
        let entry = self.entries(environment).find(|entry| entry.id() == id).ok_or_else(|| {
            let id: String = id.chars().filter(|character| character.is_ascii_graphic()).take(64).collect();
            unknown(format!(
                "The directory has no bank {id} in the {environment} environment; look it up by name or code."
            ))
        })?;
        Ok(self.render(entry, environment, standard))
    }

    /// The banks that exist in the environment, in the directory's order.
    fn entries(&self, environment: Environment) -> impl Iterator<Item = Entry<'_>> {
        let establishments = self.platforms.iter().flat_map(|platform| {
            platform.brands.iter().flat_map(move |brand| {
                brand.establishments.iter().map(move |one| Entry::Establishment(platform, brand, one))
            })
        });
        let all = establishments.chain(self.banks.iter().map(Entry::Single));
        all.filter(move |entry| entry.exists_in(environment))
    }

    fn render(&self, entry: Entry<'_>, environment: Environment, standard: Option<Standard>) -> Value {
        let standard = standard.unwrap_or(entry.standard());
        let mut record = self.defaults(Some(standard));
        let (layer, facts) = match entry {
            Entry::Establishment(platform, brand, one) => {
                (&platform.record, platform.facts(brand, one, environment, standard))
            }
            Entry::Single(bank) => (&bank.record, json!({"unverified": bank.unverified, "note": bank.note})),
        };
        merge(&mut record, Value::Object(layer.clone()));
        merge(&mut record, facts);
        let identity = json!({
            "id": entry.id(),
            "name": entry.name(),
            "brand": entry.brand(),
            "establishment_code": entry.code(),
            "environment": environment,
            "standard": standard,
        });
        merge(&mut record, identity);
        record
    }

    fn banks<'a>(&'a self, entries: impl Iterator<Item = Entry<'a>>, environment: Environment) -> Vec<Bank> {
        entries.filter_map(|entry| read(&self.render(entry, environment, None)).ok()).collect()
    }
}

impl Platform {
    /// What follows from the establishment: its addresses, and what is deduced about them.
    fn facts(
        &self,
        brand: &Brand,
        one: &Establishment,
        environment: Environment,
        standard: Standard,
    ) -> Value {
        let origin = self.origins.get(&environment);
        let funds = self.funds_paths.get(&standard);
        let base = origin.and_then(|origin| origin.of(&one.code, brand.domain.as_deref()));
        let url = |path: Option<&str>| Some(format!("{}{}", base.as_ref()?, path?));
        let guessed_host =
            origin.filter(|o| o.documented_for.as_ref().is_some_and(|codes| !codes.contains(&one.code)));
        let guessed_path = funds.filter(|path| path.note.is_some());
        let notes = [
            brand.note.as_deref(),
            one.note.as_deref(),
            guessed_host.and_then(|origin| origin.note.as_deref()),
            guessed_path.and_then(|path| path.note.as_deref()),
        ];
        let notes: Vec<&str> = notes.into_iter().flatten().collect();
        json!({
            "unverified": one.unverified || guessed_host.is_some() || guessed_path.is_some(),
            "note": if notes.is_empty() { None } else { Some(notes.join(" ")) },
            "authorize_url": url(Some(&self.authorize_path)),
            "token_url": url(Some(&self.token_path)),
            "funds_url": url(funds.map(|funds| funds.path.as_str())),
        })
    }
}

impl Origin {
    /// The origin of an establishment; none when it depends on a domain that is not known.
    fn of(&self, code: &str, domain: Option<&str>) -> Option<String> {
        let with_code = self.template.replace("{code}", code);
        match domain {
            Some(domain) => Some(with_code.replace("{domain}", domain)),
            None if with_code.contains("{domain}") => None,
            None => Some(with_code),
        }
    }
}

impl<'a> Entry<'a> {
    fn id(self) -> String {
        match self {
            Self::Establishment(platform, _, one) => {
                one.id.clone().unwrap_or_else(|| format!("{}{}", platform.id_prefix, one.code))
            }
            Self::Single(bank) => bank.id.clone(),
        }
    }

    fn name(self) -> &'a str {
        match self {
            Self::Establishment(_, _, one) => &one.name,
            Self::Single(bank) => &bank.name,
        }
    }

    fn brand(self) -> Option<&'a str> {
        match self {
            Self::Establishment(_, brand, _) => Some(&brand.brand),
            Self::Single(bank) => bank.brand.as_deref(),
        }
    }

    fn code(self) -> Option<&'a str> {
        match self {
            Self::Establishment(_, _, one) => Some(&one.code),
            Self::Single(_) => None,
        }
    }

    fn standard(self) -> Standard {
        match self {
            Self::Establishment(_, brand, _) => brand.standard,
            Self::Single(bank) => bank.standard,
        }
    }

    fn exists_in(self, environment: Environment) -> bool {
        match self {
            Self::Establishment(platform, ..) => platform.origins.contains_key(&environment),
            Self::Single(bank) => bank.environments.contains(&environment),
        }
    }

    /// All a person may look this bank up by.
    fn words(self) -> Vec<String> {
        let short = match self {
            Self::Establishment(_, brand, _) => brand.short.as_deref(),
            Self::Single(_) => None,
        };
        let texts = [Some(self.name()), self.brand(), short, self.code()];
        texts.into_iter().flatten().flat_map(search::words).collect()
    }
}

impl Bank {
    /// The bank of Groupe BPCE's platform 89C3 with this establishment code (positions 5 to 9 of its IBANs).
    /// Where two brands share a code (13807, 10907), the main one, a Banque Populaire;
    /// [`by_code`](Self::by_code) gives both.
    ///
    /// # Errors
    /// `configuration.bank_unknown` when the platform has no such code.
    pub fn bpce(code: &str, environment: Environment) -> Result<Self> {
        let directory = directory()?;
        let entry = directory.entries(environment).find(|entry| entry.code() == Some(code)).ok_or_else(|| {
            let code: String = code.chars().filter(char::is_ascii_alphanumeric).take(16).collect();
            unknown(format!(
                "No bank of Groupe BPCE has the establishment code {code:?}; give positions 5 to 9 of the IBAN."
            ))
        })?;
        read(&directory.render(entry, environment, None))
    }

    /// Every bank with this establishment code, the main brand first; none when the directory has no such code.
    #[must_use]
    pub fn by_code(code: &str, environment: Environment) -> Vec<Self> {
        Self::select(environment, |entry| entry.code() == Some(code))
    }

    /// The bank with this id, e.g. `lydia` or `bpce-17515`.
    ///
    /// # Errors
    /// `configuration.bank_unknown` when the directory has no such bank in this environment.
    pub fn by_id(id: &str, environment: Environment) -> Result<Self> {
        read(&directory()?.record(id, environment, None)?)
    }

    /// The bank, or the brands of the bank, that hold the account: found by positions 5 to 9 of a French IBAN.
    ///
    /// # Errors
    /// `configuration.bank_unknown`, naming the code, when the directory has no such bank, or naming the
    /// country when the IBAN is not a French one.
    pub fn from_iban(iban: &Iban, environment: Environment) -> Result<Vec<Self>> {
        let code = iban.bank_code().ok_or_else(|| {
            unknown(format!(
                "The IBAN is one of {}, and the directory finds banks by French IBANs only; look the bank up by name.",
                iban.country()
            ))
        })?;
        let banks = Self::by_code(code, environment);
        if banks.is_empty() {
            return Err(unknown(format!(
                "The directory has no bank with the code {code}; look it up by name, or supply its record as JSON."
            )));
        }
        Ok(banks)
    }

    /// The banks a person may mean, best first: every word must be part of the name, the brand or the code,
    /// whatever its case and accents. Whole words count more than beginnings of words, and these more than
    /// parts; equals stay in the directory's order. No words find nothing.
    #[must_use]
    pub fn find(words: &str, environment: Environment) -> Vec<Self> {
        let wanted: Vec<String> = search::words(words).collect();
        let Ok(directory) = directory() else { return Vec::new() };
        let mut found: Vec<(u32, Entry<'_>)> = directory
            .entries(environment)
            .filter_map(|entry| Some((search::score(&wanted, &entry.words())?, entry)))
            .collect();
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        directory.banks(found.into_iter().map(|(_, entry)| entry), environment)
    }

    /// Every bank of the directory that exists in this environment, in the directory's order.
    #[must_use]
    pub fn directory(environment: Environment) -> Vec<Self> {
        Self::select(environment, |_| true)
    }

    fn select(environment: Environment, wanted: impl Fn(&Entry<'_>) -> bool) -> Vec<Self> {
        directory().map_or_else(
            |_| Vec::new(),
            |directory| directory.banks(directory.entries(environment).filter(wanted), environment),
        )
    }
}

fn unknown(message: String) -> Error {
    Error::new(ErrorCode::BankUnknown, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bank::{AccountMember, AmountFormat, ClientAuthentication, EchoRule, KeyIdSource};
    use proptest::prelude::*;
    use std::collections::HashSet;

    const CODES: [&str; 33] = [
        "10207", "10807", "10907", "13507", "13807", "14607", "14707", "16607", "16807", "17807", "18707",
        "11315", "11425", "12135", "13135", "13335", "13485", "13825", "14265", "14445", "14505", "15135",
        "16275", "17515", "18315", "18715", "12579", "30258", "42559", "10548", "40978", "30007", "18919",
    ];

    #[test]
    fn the_directory_is_whole_and_sound() {
        let parsed: Directory = serde_json::from_str(include_str!("directory.json")).unwrap();
        for environment in Environment::ALL {
            let banks = Bank::directory(environment);
            assert_eq!(banks.len(), parsed.entries(environment).count(), "every entry makes a record");
            let ids: HashSet<&str> = banks.iter().map(|bank| bank.id.as_str()).collect();
            assert_eq!(ids.len(), banks.len(), "ids are unique");
            for bank in &banks {
                bank.validate().unwrap();
                assert_eq!(bank.environment, Some(environment));
                assert!(!bank.unverified || bank.note.is_some(), "{} says what is unverified", bank.id);
                assert_eq!(bank.scope, if bank.standard == Standard::Stet140 { "piisp" } else { "cbpii" });
                assert_eq!(&Bank::by_id(&bank.id, environment).unwrap(), bank);
            }
        }
        assert_eq!(Bank::directory(Environment::Production).len(), 33 + 2 + 10);
        assert_eq!(Bank::directory(Environment::ProductionLegacy).len(), 33 + 2);
    }

    /// As another library reads an address.
    fn parsed(address: &str) -> url::Url {
        url::Url::parse(address).unwrap()
    }

    #[test]
    fn all_33_establishments_are_reached_everywhere() {
        for code in CODES {
            for environment in Environment::ALL {
                let bank = Bank::bpce(code, environment).unwrap();
                assert_eq!(bank.id, format!("bpce-{code}"));
                assert_eq!(bank.establishment_code.as_deref(), Some(code));
                let endpoints = bank.endpoints().unwrap();
                let funds = parsed(&endpoints.funds);
                let host = funds.host_str().unwrap();
                assert!(host.starts_with(&format!("www.{code}.")), "{host}");
                assert_eq!(parsed(&endpoints.authorize).path(), "/stet/psd2/oauth/authorize");
                assert_eq!(parsed(&endpoints.token).path(), "/stet/psd2/oauth/token");
                assert_eq!((bank.pkce, bank.scope_in_token_request), (false, false));
                assert!(bank.refuses_pss_certificates);
                let signature = bank.signature.unwrap();
                assert_eq!(signature.headers, ["(request-target)", "date", "digest", "x-request-id"]);
                assert_eq!(signature.key_id, KeyIdSource::ClientId);
            }
        }
    }

    #[test]
    fn hosts_follow_the_environment_and_the_brand() {
        for (code, environment, url) in [
            (
                "17515",
                Environment::Sandbox,
                "https://www.17515.sandbox.api.89c3.com/stet/psd2/v1.4.2/funds-confirmations",
            ),
            (
                "17515",
                Environment::Production,
                "https://www.17515.oba-bad-me-live-api.caisse-epargne.fr/stet/psd2/v1.4.2/funds-confirmations",
            ),
            (
                "13807",
                Environment::ProductionLegacy,
                "https://www.13807.live.api.banquepopulaire.fr/stet/psd2/v1.4.2/funds-confirmations",
            ),
            (
                "30007",
                Environment::Production,
                "https://www.30007.oba-bad-me-live-api.89c3.com/stet/psd2/v1.6.2/funds-confirmations",
            ),
        ] {
            assert_eq!(Bank::bpce(code, environment).unwrap().funds_url.as_deref(), Some(url));
        }
        assert!(!Bank::bpce("17515", Environment::Sandbox).unwrap().unverified);
        assert!(Bank::bpce("18315", Environment::Sandbox).unwrap().unverified);
        assert!(!Bank::bpce("18315", Environment::Production).unwrap().unverified);
    }

    #[test]
    fn shared_codes_give_both_brands() {
        for code in ["13807", "10907"] {
            let banks = Bank::by_code(code, Environment::Production);
            let brands: Vec<_> = banks.iter().filter_map(|bank| bank.brand.as_deref()).collect();
            assert_eq!(brands, ["Banque Populaire", "Crédit Maritime"]);
            assert!(banks[1].unverified);
            assert_eq!(banks[1].endpoints().unwrap_err().code(), ErrorCode::EndpointMissing);
            assert_eq!(Bank::bpce(code, Environment::Production).unwrap(), banks[0]);
        }
        assert!(Bank::by_code("00000", Environment::Production).is_empty());
    }

    #[test]
    fn an_iban_leads_to_its_bank() {
        let find = |iban: &str| Bank::from_iban(&Iban::parse(iban).unwrap(), Environment::Sandbox);
        assert_eq!(find("FR7617515900000800358074006").unwrap()[0].id, "bpce-17515");
        assert_eq!(find("FR7613807008043001965405158").unwrap().len(), 2);
        let error = find("FR1420041010050500013M02606").unwrap_err();
        assert_eq!(error.code(), ErrorCode::BankUnknown);
        assert!(error.message().contains("20041"));
        let error = find("DE89370400440532013000").unwrap_err();
        assert_eq!(error.code(), ErrorCode::BankUnknown);
        assert!(error.message().contains("DE"));
    }

    #[test]
    fn unknown_codes_and_ids_are_named() {
        let error = Bank::bpce("99999", Environment::Sandbox).unwrap_err();
        assert_eq!(error.code(), ErrorCode::BankUnknown);
        assert!(error.message().contains("99999"));
        let error = Bank::by_id("lydia", Environment::Sandbox).unwrap_err();
        assert_eq!(error.code(), ErrorCode::BankUnknown);
        assert!(error.message().contains("lydia in the sandbox"));
    }

    #[test]
    fn lydia_is_pure_data() {
        let lydia = Bank::by_id("lydia", Environment::Production).unwrap();
        let endpoints = lydia.endpoints().unwrap();
        assert_eq!(endpoints.authorize, "https://openauth.lydia-app.com/authorization/login");
        assert_eq!(parsed(&endpoints.token).port(), Some(8082));
        assert_eq!(parsed(&endpoints.funds).port(), Some(8083));
        assert_eq!(lydia.client_authentication, ClientAuthentication::ClientSecretPost);
        assert_eq!((lydia.response_type, lydia.refusal_returns, lydia.links_required), (false, false, false));
        assert_eq!(lydia.amount_format, AmountFormat::Number);
        assert_eq!(lydia.account_member, AccountMember::CapitalIban);
        assert_eq!(lydia.echo, EchoRule::ReferenceAndAmount);
        assert_eq!((&lydia.signature, &lydia.request_id_header), (&None, &None));
        assert_eq!(lydia.refused_statuses, [409]);
        assert!(!lydia.unverified);
    }

    #[test]
    fn other_banks_leave_their_addresses_to_the_caller() {
        for id in [
            "bred",
            "arkea",
            "boursorama",
            "lcl",
            "credit-mutuel-cic",
            "societe-generale",
            "bnp-paribas",
            "la-banque-postale",
            "credit-agricole",
        ] {
            let bank = Bank::by_id(id, Environment::Production).unwrap();
            assert!(bank.unverified && bank.signature.is_some(), "{id}");
            assert_eq!(bank.endpoints().unwrap_err().code(), ErrorCode::EndpointMissing, "{id}");
        }
    }

    #[test]
    fn people_find_banks_by_words() {
        let ids = |words: &str| -> Vec<String> {
            Bank::find(words, Environment::Production).into_iter().map(|bank| bank.id).collect()
        };
        assert_eq!(ids("caisse epargne ile"), ["bpce-17515"]);
        assert_eq!(ids("CAISSE D’ÉPARGNE Île"), ["bpce-17515"]);
        assert_eq!(ids("ce ile de france")[0], "bpce-17515");
        assert_eq!(ids("17515"), ["bpce-17515"]);
        assert_eq!(ids("me\u{301}diterrane\u{301}e"), ["bpce-14607"]);
        assert_eq!(ids("13807"), ["bpce-13807", "bpce-13807-credit-maritime"]);
        assert_eq!(ids("sumeria"), ["lydia"]);
        assert_eq!(ids("bp nord"), ["bpce-13507"]);
        assert_eq!(ids("banque populaire")[..2], ["bpce-10207", "bpce-10807"]);
        assert_eq!(ids("banque populaire"), ids("banque populaire"));
        assert!(ids("").is_empty() && ids(" - ").is_empty() && ids("caisse zebra").is_empty());
    }

    proptest! {
        #[test]
        fn any_words_are_answered(words in any::<String>()) {
            let _ = Bank::find(&words, Environment::Sandbox);
            let _ = Bank::bpce(&words, Environment::Sandbox);
            let _ = Bank::by_id(&words, Environment::Sandbox);
            let _ = Bank::by_code(&words, Environment::Sandbox);
        }
    }
}
