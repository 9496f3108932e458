//! The bank's customers and what their accounts answer.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A refusal the bank gives for a persona's own account, whatever is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The business code, for instance `AC04`.
    pub code: String,
    /// The sentence that follows the code.
    pub message: String,
}

/// A customer of the bank, with one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Persona {
    /// What `persona=` names.
    pub id: String,
    /// The name on the pages.
    pub display_name: String,
    /// What is particular about the persona.
    #[serde(default)]
    pub hint: String,
    /// The persona's account.
    pub iban: String,
    /// What is available, as a decimal text: an amount up to and including it is answered with true.
    #[serde(serialize_with = "write_decimal", deserialize_with = "read_decimal")]
    pub available: Decimal,
    /// Whether the persona can still log in on the pages; `auto=approve` asks no one.
    #[serde(default = "yes")]
    pub online_access: bool,
    /// The refusal every check on the account gets.
    #[serde(default)]
    pub refusal: Option<Refusal>,
}

fn write_decimal<S: Serializer>(amount: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(amount)
}

fn read_decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

fn yes() -> bool {
    true
}

/// The bank's customers by identifier, in the order of the pages.
#[derive(Clone, Debug)]
pub(crate) struct Customers {
    order: Vec<String>,
    by_id: BTreeMap<String, Persona>,
}

/// One persona per business code: identifier, name, IBAN, status, code and sentence.
type RefusedPersona = (&'static str, &'static str, &'static str, u16, &'static str, &'static str);

const REFUSED: [RefusedPersona; 10] = [
    ("ALICE", "Alice Fermet", "FR7617515006000000441010185", 403, "AC04", "Account closed"),
    ("BRUNO", "Bruno Blocus", "FR7613807008040000441020238", 403, "AC06", "Account blocked"),
    (
        "UMA",
        "Uma Inconnue",
        "FR7612579004000000441030345",
        404,
        "AC01",
        "Account number unknown or incorrect",
    ),
    (
        "NINA",
        "Nina Nonacces",
        "FR7617515006000000441040449",
        403,
        "NGAC",
        "Access to that account not granted",
    ),
    ("NOAH", "Noah Sanscompte", "FR7613807008040000441050502", 403, "NAAC", "No eligible account"),
    ("IRIS", "Iris Absente", "FR7612579004000000441060609", 403, "IPSU", "Unknown PSU or no online access"),
    ("THEO", "Theo Tropvite", "FR7617515006000000441070713", 429, "TMRQ", "Too many requests"),
    ("INES", "Ines Interne", "FR7613807008040000441080863", 500, "INTE", "Internal error"),
    ("IGOR", "Igor Interne", "FR7612579004000000441090970", 500, "INTS", "Internal server error"),
    ("MONA", "Mona Monnaie", "FR7617515006000000441111162", 403, "BE05", "Unknown TPP for this account"),
];

impl Default for Customers {
    fn default() -> Self {
        let mut customers = Self { order: Vec::new(), by_id: BTreeMap::new() };
        let solvent = [
            ("CLAIRE", "Claire Martin", "FR7617515900000800358074006", Decimal::new(45_899, 2), "458.99 EUR"),
            ("LEA", "Lea Bernard", "FR7613807008043001965405158", Decimal::new(417_900, 2), "4179.00 EUR"),
            ("GEORGES", "Georges Petit", "FR7612579004000000441002118", Decimal::new(0, 2), "0.00 EUR"),
        ];
        for (id, name, iban, available, hint) in solvent {
            customers.put(Persona {
                id: id.to_owned(),
                display_name: name.to_owned(),
                hint: hint.to_owned(),
                iban: iban.to_owned(),
                available,
                online_access: true,
                refusal: None,
            });
        }
        for (id, name, iban, status, code, message) in REFUSED {
            customers.put(Persona {
                id: id.to_owned(),
                display_name: name.to_owned(),
                hint: format!("{code}: {message}"),
                iban: iban.to_owned(),
                available: Decimal::new(100_000, 2),
                online_access: code != "IPSU",
                refusal: Some(Refusal { status, code: code.to_owned(), message: message.to_owned() }),
            });
        }
        customers
    }
}

impl Customers {
    /// Adds a persona, or replaces the one of the same identifier.
    pub(crate) fn put(&mut self, persona: Persona) {
        if !self.by_id.contains_key(&persona.id) {
            self.order.push(persona.id.clone());
        }
        self.by_id.insert(persona.id.clone(), persona);
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Persona> {
        self.by_id.get(id)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Persona> {
        self.order.iter().filter_map(|id| self.by_id.get(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iban;

    #[test]
    fn every_persona_has_an_iban_of_its_own_that_holds() {
        let customers = Customers::default();
        let ibans: std::collections::BTreeSet<_> = customers.all().map(|persona| &persona.iban).collect();
        assert_eq!(ibans.len(), customers.all().count());
        assert!(ibans.iter().all(|text| iban::is_valid(text)), "{ibans:?}");
    }
}
