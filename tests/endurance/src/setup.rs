//! What a process needs to be the issuer at a bank: it travels as JSON.

use std::path::PathBuf;
use std::{fs, io};

use cbpii::bank::{RefreshTokenRotation, TrustMode};
use cbpii::identity::{SealIdentity, TransportIdentity};
use cbpii::store::{ConsentStore, RecordKey, RecordKeys, SealedStore};
use cbpii::{Bank, Client, ClientBuilder, Environment, Issuer};
use cbpii_sandbox::Sandbox;
use serde::{Deserialize, Serialize};

use crate::Failure;

/// The bank, and the issuer's files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Setup {
    origin: String,
    client_id: String,
    redirect_uri: String,
    rotates: bool,
    ca: PathBuf,
    bank_seal: String,
    qwac_chain: PathBuf,
    qwac_key: PathBuf,
    seal_chain: PathBuf,
    seal_key: PathBuf,
}

impl Setup {
    /// `rotates`: whether the bank replaces refresh tokens.
    pub(crate) fn of(sandbox: &Sandbox, rotates: bool) -> Self {
        let kit = sandbox.issuer();
        Self {
            origin: sandbox.endpoints().origin.clone(),
            client_id: kit.client_id.clone(),
            redirect_uri: kit.redirect_uri.clone(),
            rotates,
            ca: kit.ca.clone(),
            bank_seal: kit.bank_seal_pem.clone(),
            qwac_chain: kit.qwac.chain.clone(),
            qwac_key: kit.qwac.key.clone(),
            seal_chain: kit.qsealc.chain.clone(),
            seal_key: kit.qsealc.key.clone(),
        }
    }

    /// The set-up in this argument of a process.
    pub(crate) fn read(text: &str) -> Result<Self, Failure> {
        Ok(serde_json::from_str(text)?)
    }

    /// As an argument of a process.
    pub(crate) fn text(&self) -> Result<String, Failure> {
        Ok(serde_json::to_string(self)?)
    }

    /// A client that believes signed answers only.
    pub(crate) fn client(
        &self,
        adjust: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Client, Failure> {
        let file = |path: &PathBuf| -> io::Result<Vec<u8>> { fs::read(path) };
        let mut bank = Bank::bpce("17515", Environment::Sandbox)?
            .with_origin(&self.origin)?
            .with_trust_anchor(&String::from_utf8(file(&self.ca)?)?, TrustMode::Replace)?;
        bank.response_signing_certificates.push(self.bank_seal.clone());
        if self.rotates {
            bank.refresh_token_rotation = RefreshTokenRotation::Rotated;
        }
        let qwac = TransportIdentity::from_pem(&file(&self.qwac_chain)?, &file(&self.qwac_key)?, None)?;
        let seal = SealIdentity::from_pem(&file(&self.seal_chain)?, &file(&self.seal_key)?, None)?;
        let issuer = Issuer::new(&self.client_id, &self.redirect_uri)?.with_transport(qwac).with_seal(seal);
        Ok(adjust(Client::builder(bank, issuer)).build()?)
    }
}

/// A store under the key of these runs.
pub(crate) fn sealed(store: impl ConsentStore + 'static) -> SealedStore {
    SealedStore::new(store, RecordKeys::new(RecordKey::new([7; 32])))
}
