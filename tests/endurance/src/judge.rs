//! Holds what the library tells against what the bank recorded.

use std::collections::{BTreeMap, HashMap, HashSet};

use cbpii_sandbox::{Endpoint, RequestRecord};
use serde_json::Value;

use crate::checker::Outcome;
use crate::questions::{self, Question};

/// The verdict of a request that the bank dealt with honestly.
const ACCEPTED: &str = "accepted";
/// Faults that leave an answer what it is: a good one, if the request was.
const HARMLESS: [&str; 1] = ["fault: answer_headers"];
/// How many faults of the library are told in full.
const TOLD: usize = 20;

/// What the bank recorded of one request about a check.
#[derive(Debug)]
struct Seen {
    verdict: String,
    status: Option<u16>,
    request_id: Option<String>,
    /// Whether it was the question that the check had to ask.
    as_asked: bool,
}

impl Seen {
    fn is_answered(&self) -> bool {
        self.verdict == ACCEPTED || HARMLESS.contains(&self.verdict.as_str()) && self.status == Some(200)
    }
}

/// Everything that was found out so far.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) judged: u64,
    pub(crate) yes: u64,
    pub(crate) no: u64,
    /// Errors by their code.
    pub(crate) errors: BTreeMap<String, u64>,
    /// Checks that ran out of time though the bank had answered them, as far as it knows.
    pub(crate) late: u64,
    pub(crate) codes_sent: u64,
    pub(crate) refreshes_sent: u64,
    /// What must not be: in words, the first of them.
    pub(crate) wrong: Vec<String>,
    pub(crate) wrong_count: u64,
}

/// The judge of one run.
pub(crate) struct Judge {
    seed: u64,
    seen: HashMap<u64, Vec<Seen>>,
    codes: HashSet<String>,
    ended: Vec<bool>,
    pub(crate) findings: Findings,
}

impl Judge {
    pub(crate) fn new(seed: u64, checks: u64) -> Self {
        let ended = vec![false; usize::try_from(checks).unwrap_or_default()];
        Self { seed, seen: HashMap::new(), codes: HashSet::new(), ended, findings: Findings::default() }
    }

    /// Takes notice of what the bank recorded.
    pub(crate) fn saw(&mut self, record: &RequestRecord) {
        match record.endpoint {
            Endpoint::Funds => self.saw_check(record),
            Endpoint::Token => self.saw_token_request(&record.body_text()),
            _ => {}
        }
    }

    fn saw_check(&mut self, record: &RequestRecord) {
        // A request that was reset before it was read has no body, and the bank does not know what it was.
        let Ok(body) = serde_json::from_slice::<Value>(&record.body) else { return };
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let number = questions::number(text("/paymentCoverageRequestId"));
        let Some(number) = number.filter(|number| !self.has_ended(*number)) else { return };
        let question = Question::new(self.seed, number);
        let as_asked = text("/accountId/iban") == questions::iban(question.cardholder)
            && text("/instructedAmount/amount") == question.amount()
            && text("/instructedAmount/currency") == "EUR";
        self.seen.entry(number).or_default().push(Seen {
            verdict: record.verdict.clone(),
            status: record.status,
            request_id: record.header("x-request-id").map(str::to_owned),
            as_asked,
        });
    }

    fn saw_token_request(&mut self, form: &str) {
        let value = |name: &str| form.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        match value("grant_type") {
            Some("refresh_token") => self.findings.refreshes_sent += 1,
            Some("authorization_code") => {
                self.findings.codes_sent += 1;
                if !self.codes.insert(value("code").unwrap_or_default().to_owned()) {
                    self.wrong("a code was sent twice".to_owned());
                }
            }
            _ => {}
        }
    }

    fn has_ended(&self, number: u64) -> bool {
        usize::try_from(number).ok().and_then(|at| self.ended.get(at)).copied().unwrap_or(true)
    }

    /// Judges a check. Everything the bank recorded of it before it ended has been seen.
    pub(crate) fn ended(&mut self, number: u64, outcome: &Outcome) {
        if self.has_ended(number) {
            self.wrong(format!("check {number} ended twice, or was never asked for"));
            return;
        }
        if let Some(ended) = usize::try_from(number).ok().and_then(|at| self.ended.get_mut(at)) {
            *ended = true;
        }
        let seen = self.seen.remove(&number).unwrap_or_default();
        self.findings.judged += 1;
        let fault = match outcome {
            Outcome::Answered { available, reference, request_id } => {
                *(if *available { &mut self.findings.yes } else { &mut self.findings.no }) += 1;
                self.fault_of_answer(number, *available, reference, request_id.as_deref(), &seen)
            }
            Outcome::Failed { kind, code } => {
                *self.findings.errors.entry(code.clone()).or_default() += 1;
                let was_answered = seen.last().is_some_and(Seen::is_answered);
                self.findings.late += u64::from(was_answered && kind == "timeout");
                (was_answered && kind != "timeout").then(|| format!("the bank's answer became {code}"))
            }
        };
        if let Some(fault) = fault {
            self.wrong(format!("check {number}: {fault}; the bank saw {seen:?}"));
        }
    }

    fn fault_of_answer(
        &self,
        number: u64,
        available: bool,
        reference: &str,
        request_id: Option<&str>,
        seen: &[Seen],
    ) -> Option<String> {
        let question = Question::new(self.seed, number);
        if questions::number(reference) != Some(number) {
            return Some(format!("it got the answer to {reference}"));
        }
        if available != question.is_covered() {
            return Some(format!("a wrong {}", if available { "yes" } else { "no" }));
        }
        match seen.iter().rfind(|seen| request_id.is_some() && seen.request_id.as_deref() == request_id) {
            None => Some("an answer to a request that the bank never saw".to_owned()),
            Some(seen) if !seen.as_asked => Some("the bank was asked another question".to_owned()),
            Some(seen) if !seen.is_answered() => Some("an answer was made of a fault".to_owned()),
            Some(_) => None,
        }
    }

    pub(crate) fn wrong(&mut self, what: String) {
        self.findings.wrong_count += 1;
        if self.findings.wrong.len() < TOLD {
            self.findings.wrong.push(what);
        }
    }

    /// When everything has ended: what is missing?
    pub(crate) fn close(mut self) -> Findings {
        let missing = self.ended.iter().filter(|ended| !**ended).count();
        if missing > 0 {
            self.wrong(format!("{missing} checks never ended"));
        }
        self.findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0b6c0e0f-0000-4000-8000-000000000000";

    fn seen(verdict: &str) -> Seen {
        Seen {
            verdict: verdict.to_owned(),
            status: Some(200),
            request_id: Some(ID.to_owned()),
            as_asked: true,
        }
    }

    fn answer(number: u64, available: bool) -> Outcome {
        Outcome::Answered { available, reference: format!("C-{number}"), request_id: Some(ID.to_owned()) }
    }

    fn wrongs(seen: Vec<Seen>, outcome: &Outcome) -> u64 {
        let mut judge = Judge::new(7, 1);
        judge.seen.insert(0, seen);
        judge.ended(0, outcome);
        judge.close().wrong_count
    }

    #[test]
    fn the_judge_knows_right_from_wrong() {
        let right = Question::new(7, 0).is_covered();
        let failed = |kind: &str| Outcome::Failed { kind: kind.to_owned(), code: "x".to_owned() };
        assert_eq!(wrongs(vec![seen("accepted")], &answer(0, right)), 0);
        assert_eq!(wrongs(vec![seen("fault: stall"), seen("accepted")], &answer(0, right)), 0);
        assert_eq!(wrongs(vec![seen("fault: stall")], &failed("network")), 0);
        assert_eq!(wrongs(vec![seen("accepted")], &failed("timeout")), 0);
        let token_refused = Seen { status: Some(401), ..seen("fault: answer_headers") };
        assert_eq!(wrongs(vec![token_refused], &failed("consent_required")), 0);
        assert_eq!(wrongs(vec![seen("fault: answer_headers")], &failed("consent_required")), 1);
        assert_eq!(wrongs(vec![seen("accepted")], &answer(0, !right)), 1);
        assert_eq!(wrongs(vec![seen("accepted")], &answer(1, right)), 1);
        assert_eq!(wrongs(vec![seen("accepted")], &failed("network")), 1);
        assert_eq!(wrongs(vec![seen("fault: bad_digest")], &answer(0, right)), 1);
        assert_eq!(wrongs(vec![Seen { as_asked: false, ..seen("accepted") }], &answer(0, right)), 1);
        assert_eq!(wrongs(vec![Seen { request_id: None, ..seen("accepted") }], &answer(0, right)), 1);
        assert_eq!(wrongs(Vec::new(), &answer(0, right)), 1);
    }

    #[test]
    fn a_code_sent_twice_and_a_check_that_never_ends_are_wrong() {
        let mut judge = Judge::new(7, 1);
        judge.saw_token_request("grant_type=authorization_code&code=a&client_id=x");
        judge.saw_token_request("grant_type=authorization_code&code=b&client_id=x");
        assert_eq!(judge.findings.wrong_count, 0);
        judge.saw_token_request("grant_type=authorization_code&code=a&client_id=x");
        assert_eq!((judge.findings.codes_sent, judge.findings.wrong_count), (3, 1));
        assert_eq!(judge.close().wrong_count, 2);
    }
}
