//! Who we are: certificates and their diagnosis, private keys, signers.
//!
//! ```no_run
//! use cbpii::Secret;
//! use cbpii::identity::{CertificateReport, CertificateUse, InspectOptions, SealIdentity, TransportIdentity};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (chain, key) = (std::fs::read("qwac.pem")?, std::fs::read("qwac.key")?);
//! let transport = TransportIdentity::from_pem(&chain, &key, Some(&Secret::new("password")))?;
//! let seal = SealIdentity::from_pkcs12(&std::fs::read("qsealc.p12")?, &Secret::new("password"))?;
//!
//! let now = std::time::SystemTime::now().into();
//! let options = InspectOptions::at(now).for_use(CertificateUse::Seal);
//! for finding in CertificateReport::of(seal.chain(), &options).findings {
//!     println!("{}: {}", finding.severity, finding.sentence);
//! }
//! # let _ = transport;
//! # Ok(())
//! # }
//! ```

mod certificate;
mod certificate_chain;
mod distinguished_name;
mod ec_private_key;
#[cfg(feature = "encrypted-keys")]
mod encrypted_key;
mod files;
mod finding;
mod issuer;
mod organisation_identifier;
mod pem;
#[cfg(feature = "encrypted-keys")]
mod pkcs12;
mod private_key;
mod qc_statement;
mod report;
mod seal_identity;
mod signer;
#[cfg(test)]
mod test_support;
mod tls_key;
mod transport_identity;

pub use certificate_chain::CertificateChain;
pub use distinguished_name::DistinguishedName;
pub use finding::{Finding, FindingCode, Severity};
pub use issuer::Issuer;
pub use organisation_identifier::OrganisationIdentifier;
#[cfg(feature = "encrypted-keys")]
pub use pkcs12::KeyStore;
pub use private_key::{KeyType, PrivateKey};
pub use qc_statement::{Psd2Role, QcType};
pub use report::{CertificateReport, CertificateUse, InspectOptions};
pub use seal_identity::SealIdentity;
pub use signer::{FnSigner, KeySigner, SignatureAlgorithm, Signer, signer_from_fn};
pub use transport_identity::TransportIdentity;
