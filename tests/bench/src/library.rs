//! The library, set up as an issuer would set it up.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use cbpii::bank::TrustMode;
use cbpii::funds::{Amount, Iban};
use cbpii::identity::{CertificateChain, SealIdentity, TransportIdentity};
use cbpii::store::MemoryStore;
use cbpii::{
    Bank, Client, Clock as _, Environment, FundsRequest, Issuer, Session, SessionPool, SystemClock, Tokens,
};

use crate::Failure;
use crate::bank::{AMOUNT, IBAN, REFERENCE, Setup};
use crate::fleet::sealed;
use crate::in_memory::{Memory, Ready};

/// A client, tokens and a request: all that a call takes.
#[derive(Clone)]
pub(crate) struct Library {
    pub(crate) client: Client,
    tokens: Tokens,
    pub(crate) request: FundsRequest,
}

impl Library {
    pub(crate) fn new(setup: &Setup, keeps: bool) -> Result<Self, Failure> {
        Self::of_bank(Bank::bpce("17515", Environment::Sandbox)?, setup, keeps)
    }

    /// Whichever bank it is, it is where the setup says.
    pub(crate) fn of_bank(bank: Bank, setup: &Setup, keeps: bool) -> Result<Self, Failure> {
        let root = fs::read_to_string(&setup.ca)?;
        let bank = bank.with_origin(&setup.origin)?.with_trust_anchor(&root, TrustMode::Add)?;
        let qwac =
            TransportIdentity::from_pem(&fs::read(&setup.qwac_chain)?, &fs::read(&setup.qwac_key)?, None)?;
        let seal = SealIdentity::from_pem(&fs::read(&setup.seal_chain)?, &fs::read(&setup.seal_key)?, None)?;
        let issuer = Issuer::new(&setup.client_id, &setup.redirect_uri)?.with_transport(qwac).with_seal(seal);
        let builder = Client::builder(bank, issuer);
        let builder = if keeps { builder } else { builder.max_idle_connections(0) };
        Self::with_client(builder.build()?, setup)
    }

    /// Its bank is in memory and its seal has signed already.
    pub(crate) fn in_memory(setup: &Setup) -> Result<Self, Failure> {
        let bank = Bank::bpce("17515", Environment::Sandbox)?;
        let chain = CertificateChain::from_pem(&fs::read(&setup.seal_chain)?)?;
        let seal = SealIdentity::with_signer(chain, Arc::new(Ready));
        let issuer = Issuer::new(&setup.client_id, &setup.redirect_uri)?.with_seal(seal);
        let builder = Client::builder(bank, issuer).check_eligibility(false).transport(Memory);
        Self::with_client(builder.build()?, setup)
    }

    fn with_client(client: Client, setup: &Setup) -> Result<Self, Failure> {
        let now = SystemClock.now();
        let consent_end = now.saturating_add(Duration::from_secs(180 * 24 * 3600));
        let tokens = Tokens::new(setup.access_token.as_str(), None, now, None, consent_end)?;
        let request = FundsRequest::new(REFERENCE, Iban::parse(IBAN)?, Amount::new(AMOUNT, "EUR")?)?;
        Ok(Self { client, tokens, request })
    }

    /// The consent as a session, kept in memory.
    pub(crate) fn session(&self) -> Result<Session, Failure> {
        let pool = SessionPool::new(self.client.clone(), sealed(MemoryStore::new()));
        Ok(pool.keep("measured", &self.tokens)?)
    }

    /// One funds check that must be answered by yes.
    pub(crate) fn call(&self) -> Result<(), Failure> {
        let confirmation = self.client.confirm_funds(&self.tokens, &self.request)?;
        if confirmation.available { Ok(()) } else { Err("not a yes".into()) }
    }
}
