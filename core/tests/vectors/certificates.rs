use cbpii::identity::{
    CertificateChain, CertificateReport, CertificateUse, Finding, InspectOptions, SealIdentity, TransportIdentity,
};
use cbpii::{Bank, Client, Clock, Issuer, Result, SystemClock};
use cbpii_sandbox::Identity;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::suite::{Facts, facts};
use crate::wire::{REDIRECT_URI, bank, kit};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shared {
    bank: Value,
    client_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    identity: String,
    #[serde(rename = "use")]
    intended_use: Use,
    bank: Option<Value>,
    client_id: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Use {
    Transport,
    Seal,
}

impl From<Use> for CertificateUse {
    fn from(intended_use: Use) -> Self {
        match intended_use {
            Use::Transport => Self::Transport,
            Use::Seal => Self::Seal,
        }
    }
}

pub(crate) fn run(shared: &Shared, case: Case) -> Result<Facts> {
    let bank = bank(case.bank.as_ref().unwrap_or(&shared.bank))?;
    let client_id = case.client_id.as_ref().unwrap_or(&shared.client_id);
    let identity = match case.identity.as_str() {
        "qwac" => &kit().qwac,
        "qsealc" => &kit().qsealc,
        variant => kit().variant(variant).unwrap_or_else(|| panic!("the sandbox has no identity {variant}")),
    };
    let options = InspectOptions::at(SystemClock.now())
        .for_use(case.intended_use.into())
        .with_client_id(client_id)
        .accepting_pss(!bank.refuses_pss_certificates);
    let chain = CertificateChain::from_pem(identity.chain_pem.as_bytes())?;
    let report = CertificateReport::of(&chain, &options);
    let client = match client(bank, client_id, identity, case.intended_use) {
        Ok(_) => "ok",
        Err(error) => error.code().as_str(),
    };
    Ok(facts(json!({
        "roles": report.psd2_roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
        "organisation_identifier": report.organisation_identifier,
        "authority_id": report.authority_id,
        "qc_types": report.qc_types.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
        "qualified": report.qualified,
        "key_type": report.key_type,
        "key_bits": report.key_bits,
        "signature_algorithm": report.signature_algorithm,
        "chain_length": report.chain_length,
        "findings": findings(&report),
        "client": client,
    })))
}

/// Severity and code of each finding.
pub(crate) fn findings(report: &CertificateReport) -> Vec<Value> {
    let pair = |finding: &Finding| json!([finding.severity.as_str(), finding.code.as_str()]);
    report.findings.iter().map(pair).collect()
}

/// A client with this identity for its use, and the right one for the other.
fn client(bank: Bank, client_id: &str, identity: &Identity, intended_use: Use) -> Result<Client> {
    let side = |wanted: Use, own: &'static Identity| if intended_use == wanted { identity } else { own };
    let (qwac, qsealc) = (side(Use::Transport, &kit().qwac), side(Use::Seal, &kit().qsealc));
    let transport = TransportIdentity::from_pem(qwac.chain_pem.as_bytes(), qwac.key_pem.as_bytes(), None)?;
    let seal = SealIdentity::from_pem(qsealc.chain_pem.as_bytes(), qsealc.key_pem.as_bytes(), None)?;
    Client::new(bank, Issuer::new(client_id, REDIRECT_URI)?.with_transport(transport).with_seal(seal))
}
