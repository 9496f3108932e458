//! Who we are: certificates and their diagnosis, private keys, signers.

mod certificate;
mod certificate_chain;
mod distinguished_name;
mod ec_private_key;
mod finding;
mod issuer;
mod organisation_identifier;
mod pem;
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
pub use pkcs12::KeyStore;
pub use private_key::{KeyType, PrivateKey};
pub use qc_statement::{Psd2Role, QcType};
pub use report::{CertificateReport, CertificateUse, InspectOptions};
pub(crate) use seal_identity::KeyIdValues;
pub use seal_identity::SealIdentity;
pub use signer::{FnSigner, KeySigner, SignatureAlgorithm, Signer, signer_from_fn};
pub use transport_identity::TransportIdentity;
