//! Bank records as JSON text.

use serde::Deserialize;
use serde_json::Value;

use super::{Bank, Environment, Standard, directory::directory};
use crate::http::masking::mask_text;
use crate::{Error, ErrorCode, Result};

/// The longest part of a parser's complaint that is passed on, in characters.
const MAX_COMPLAINT: usize = 400;

impl Bank {
    /// Reads a record from JSON and validates it.
    ///
    /// With `"base": "<id>"` and `"environment"`, the record is the directory's of that id and environment,
    /// changed by the other members as a JSON merge patch (RFC 7396): objects are merged, `null` removes, and
    /// everything else replaces. A `standard` given with a base also moves what follows from it (scope, form of
    /// the amount, path).
    ///
    /// Without a base, `id`, `name` and `standard` are needed; scope and form of the amount follow from the
    /// standard, and what else is left out is as STET has it: mutual TLS alone, `response_type` sent, `X-Request-ID`,
    /// strict echo, consents of 180 days, no signature.
    ///
    /// ```
    /// # fn main() -> cbpii::Result<()> {
    /// let bank = cbpii::Bank::from_json(
    ///     r#"{"base": "bpce-17515", "environment": "production", "consent_lifetime_days": 90}"#,
    /// )?;
    /// assert_eq!(bank.consent_lifetime_days, 90);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `configuration.bank_record`, naming the path of the field, for a missing, unknown or ill-typed one;
    /// `configuration.bank_unknown` for an unknown base; otherwise as [`validate`](Self::validate).
    pub fn from_json(text: &str) -> Result<Self> {
        let value = serde_json::from_str(text).map_err(|error| {
            let complaint = mask_text(&error.to_string(), MAX_COMPLAINT);
            refused(&format!("is not JSON: {complaint}"))
        })?;
        let Value::Object(mut patch) = value else {
            return Err(refused("is not a JSON object"));
        };
        let base = patch.remove("base");
        let standard =
            patch.get("standard").map(|value| member::<Standard>("standard", value)).transpose()?;
        let mut record = match base {
            None => directory()?.defaults(standard),
            Some(base) => {
                let base: String = member("base", &base)?;
                let environment = patch.get("environment").unwrap_or(&Value::Null);
                let environment: Environment = member("environment", environment)?;
                directory()?.record(&base, environment, standard)?
            }
        };
        merge(&mut record, Value::Object(patch));
        let bank = read(&record)?;
        bank.validate()?;
        Ok(bank)
    }

    /// The whole record as JSON, which [`from_json`](Self::from_json) reads back.
    ///
    /// # Errors
    /// `internal`, never for any record known.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self).map_err(|_| {
            Error::new(ErrorCode::Internal, "A bank record could not be written as JSON; report it.")
        })
    }
}

/// A record from its JSON value.
pub(super) fn read(value: &Value) -> Result<Bank> {
    // One value a line: the parser says the line.
    let text = serde_json::to_string_pretty(value).map_err(|_| refused("cannot be read"))?;
    serde_json::from_str(&text).map_err(|error| {
        let complaint = error.to_string();
        let complaint = mask_text(complaint.split(" at line ").next().unwrap_or_default(), MAX_COMPLAINT);
        match path_at(&text, error.line()).as_str() {
            "" => refused(&format!("cannot be read: {complaint}")),
            path => refused(&format!("cannot be read at {}: {complaint}", mask_text(path, MAX_COMPLAINT))),
        }
    })
}

/// The path of what stands on a line (from 1) of JSON as serde_json prints it prettily, such as `signature.headers[1]`; empty for
/// the whole.
fn path_at(pretty: &str, line: usize) -> String {
    // What each value that is open at this line is called, and how many elements came before if it is a list.
    let mut names: Vec<String> = Vec::new();
    let mut lists: Vec<Option<usize>> = Vec::new();
    for row in pretty.lines().take(line) {
        let content = row.trim_start_matches(' ');
        let depth = (row.len() - content.len()) / 2;
        names.truncate(depth.saturating_sub(1));
        lists.truncate(depth);
        if content.starts_with(['}', ']']) {
            continue;
        }
        match lists.last_mut() {
            Some(Some(index)) => {
                names.push(format!("[{index}]"));
                *index += 1;
            }
            Some(None) => {
                let point = if names.is_empty() { "" } else { "." };
                let name = serde_json::Deserializer::from_str(content).into_iter::<String>().next();
                names.push(format!("{point}{}", name.and_then(std::result::Result::ok).unwrap_or_default()));
            }
            None => {}
        }
        match content.as_bytes().last() {
            Some(b'{') => lists.push(None),
            Some(b'[') => lists.push(Some(0)),
            _ => {}
        }
    }
    names.concat()
}

/// Applies a JSON merge patch (RFC 7396).
pub(super) fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    if let Value::Object(target) = target {
        for (name, value) in patch {
            if value.is_null() {
                target.remove(&name);
            } else {
                merge(target.entry(name).or_insert(Value::Null), value);
            }
        }
    }
}

fn member<'a, T: Deserialize<'a>>(name: &str, value: &'a Value) -> Result<T> {
    T::deserialize(value).map_err(|error| {
        let complaint = mask_text(&error.to_string(), MAX_COMPLAINT);
        refused(&format!("cannot be read at {name}: {complaint}"))
    })
}

fn refused(what: &str) -> Error {
    Error::new(ErrorCode::BankRecord, format!("The bank record {what}; correct it."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bank::{AmountFormat, KeyIdSource};
    use proptest::prelude::*;

    fn refusal(text: &str) -> String {
        let error = Bank::from_json(text).unwrap_err();
        assert_eq!(error.code(), ErrorCode::BankRecord, "{error}");
        error.message().to_owned()
    }

    #[test]
    fn a_base_is_changed_by_what_is_given() {
        let base = Bank::bpce("17515", Environment::Production).unwrap();
        let same = Bank::from_json(r#"{"base": "bpce-17515", "environment": "production"}"#).unwrap();
        assert_eq!(same, base);
        let changed = Bank::from_json(
            r#"{"base": "bpce-17515", "environment": "production", "id": "mine", "brand": null,
                "signature": {"key_id": {"fixed": "me"}}, "extra_headers": {"x-a": "1"}}"#,
        )
        .unwrap();
        let mut expected = Bank { id: "mine".into(), brand: None, ..base };
        expected.extra_headers.insert("x-a".into(), "1".into());
        expected.signature.as_mut().unwrap().key_id = KeyIdSource::Fixed("me".into());
        assert_eq!(changed, expected);
        let unsigned =
            Bank::from_json(r#"{"base": "bpce-17515", "environment": "sandbox", "signature": null}"#)
                .unwrap();
        assert_eq!(unsigned.signature, None);
    }

    #[test]
    fn another_standard_moves_what_follows_from_it() {
        let of = |standard: &str| {
            let text =
                format!(r#"{{"base": "bpce-17515", "environment": "sandbox", "standard": "{standard}"}}"#);
            Bank::from_json(&text).unwrap()
        };
        let old = of("stet-1.4.0");
        assert_eq!(old.scope, "piisp");
        assert!(old.funds_url.unwrap().ends_with("/stet/psd2/v1/funds-confirmations"));
        let new = of("stet-1.6");
        assert_eq!((new.scope.as_str(), new.amount_format), ("cbpii", AmountFormat::Number));
        assert!(new.funds_url.unwrap().ends_with("/stet/psd2/v1.6.2/funds-confirmations"));
        assert!(new.unverified);
    }

    #[test]
    fn a_record_of_its_own_follows_the_standard() {
        let bank = Bank::from_json(r#"{"id": "mine", "name": "My bank", "standard": "stet-1.4.0"}"#).unwrap();
        assert_eq!((bank.scope.as_str(), bank.amount_format), ("piisp", AmountFormat::String));
        assert_eq!(bank.request_id_header.as_deref(), Some("X-Request-ID"));
        assert_eq!(bank.signature, None);
        assert_eq!(Bank::from_json(&bank.to_json().unwrap()).unwrap(), bank);
    }

    #[test]
    fn every_record_of_the_directory_survives_json() {
        for environment in Environment::ALL {
            for bank in Bank::directory(environment) {
                bank.validate().unwrap();
                assert_eq!(Bank::from_json(&bank.to_json().unwrap()).unwrap(), bank, "{}", bank.id);
            }
        }
    }

    #[test]
    fn a_bad_record_names_the_field() {
        let over = |members: &str| {
            refusal(&format!(r#"{{"base": "bpce-17515", "environment": "sandbox", {members}}}"#))
        };
        for (members, named) in [
            (r#""nickname": "x""#, "unknown field `nickname`"),
            (r#""pkce": "yes""#, "at pkce: "),
            (r#""consent_lifetime_days": 70000"#, "at consent_lifetime_days: "),
            (r#""consent_lifetime_days": 0"#, "consent_lifetime_days "),
            (r#""signature": {"headers": ["date", 7]}"#, "at signature.headers[1]: "),
            (r#""signature": {"headerz": []}"#, "unknown field `headerz`"),
            (r#""signature": {"headers": ["date", "Digest"]}"#, "signature.headers[1] "),
            (r#""signature": {"key_id": "serial"}"#, "at signature.key_id"),
            (r#""trust_anchors": {"mode": "both"}"#, "at trust_anchors.mode"),
            (r#""extra_headers": {"x-a": 1}"#, "at extra_headers.x-a: "),
            (r#""refused_statuses": [409, "x"]"#, "at refused_statuses[1]: "),
            (r#""standard": "stet-9""#, "at standard: "),
            (r#""name": null"#, "missing field `name`"),
        ] {
            let message = over(members);
            assert!(message.contains(named), "{members}: {message}");
        }
    }

    #[test]
    fn a_base_needs_an_environment_and_must_be_known() {
        assert!(refusal(r#"{"base": "bpce-17515"}"#).contains("at environment"));
        assert!(refusal(r#"{"base": "bpce-17515", "environment": "test"}"#).contains("at environment"));
        assert!(refusal(r#"{"base": 17515, "environment": "sandbox"}"#).contains("at base"));
        let error = Bank::from_json(r#"{"base": "nobody", "environment": "sandbox"}"#).unwrap_err();
        assert_eq!(error.code(), ErrorCode::BankUnknown);
        for text in ["", "[]", "null", "{", "\"x\"", "{}"] {
            refusal(text);
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            let name = prop_oneof![
                proptest::sample::select(&["signature", "headers", "key_id", "pem", "mode", "fixed"][..])
                    .prop_map(str::to_owned),
                any::<String>()
            ];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map(name, inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            let _ = Bank::from_json(&text);
        }

        #[test]
        fn any_change_is_answered(place in any::<proptest::sample::Index>(), value in json()) {
            let bank = Bank::bpce("17515", Environment::Sandbox).unwrap();
            let mut record: serde_json::Map<String, Value> =
                serde_json::from_str(&bank.to_json().unwrap()).unwrap();
            let name = record.keys().nth(place.index(record.len())).unwrap().clone();
            record.insert(name, value);
            if let Ok(bank) = Bank::from_json(&Value::Object(record).to_string()) {
                prop_assert_eq!(Bank::from_json(&bank.to_json().unwrap()).unwrap(), bank);
            }
        }
    }
}
