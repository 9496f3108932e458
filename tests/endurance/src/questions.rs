//! The questions of a load, and their right answers: both sides work them out from the seed.

use cbpii::{Amount, FundsRequest, Iban};

use crate::Failure;

/// How many cardholders there are, each with an account and a consent.
pub(crate) const CARDHOLDERS: u64 = 64;

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) number: u64,
    pub(crate) cardholder: u64,
    cents: u64,
}

/// What is on a cardholder's account, in cents.
pub(crate) fn available_cents(cardholder: u64) -> u64 {
    10_000 + cardholder * 137
}

/// What the bank calls a cardholder.
pub(crate) fn persona(cardholder: u64) -> String {
    format!("P-{cardholder}")
}

/// A French IBAN for the account of this cardholder.
pub(crate) fn iban(cardholder: u64) -> String {
    let bban = format!("1751500000{cardholder:011}00");
    let rest =
        format!("{bban}152700").bytes().fold(0, |rest, digit| (rest * 10 + u64::from(digit - b'0')) % 97);
    format!("FR{:02}{bban}", 98 - rest)
}

/// Euros and cents, with a point.
pub(crate) fn euros(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

impl Question {
    /// Check number `number` of a run. Its amount lies around what is on the account: every fourth is the last that is
    /// there, or the first that is not.
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let cardholder = random.u64(0..CARDHOLDERS);
        let above = if random.u8(0..4) == 0 { random.u64(0..2) + 300 } else { random.u64(0..600) };
        Self { number, cardholder, cents: available_cents(cardholder) + above - 300 }
    }

    pub(crate) fn is_covered(&self) -> bool {
        self.cents <= available_cents(self.cardholder)
    }

    pub(crate) fn amount(&self) -> String {
        euros(self.cents)
    }

    pub(crate) fn request(&self) -> Result<FundsRequest, Failure> {
        let account = Iban::parse(&iban(self.cardholder))?;
        Ok(FundsRequest::new(&reference(self.number), account, Amount::new(&self.amount(), "EUR")?)?)
    }
}

fn reference(number: u64) -> String {
    format!("C-{number}")
}

/// The number of the check with this reference.
pub(crate) fn number(reference: &str) -> Option<u64> {
    reference.strip_prefix("C-")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_lie_on_both_sides_of_what_is_there() {
        let questions: Vec<_> = (0..1_000).map(|number| Question::new(7, number)).collect();
        assert_eq!(Question::new(7, 5), questions[5]);
        assert!(questions.iter().all(|one| one.request().is_ok()));
        let covered = questions.iter().filter(|one| one.is_covered()).count();
        assert!((300..700).contains(&covered), "{covered}");
        let exact = questions.iter().filter(|one| one.cents == available_cents(one.cardholder)).count();
        assert!(exact > 50, "{exact}");
    }
}
