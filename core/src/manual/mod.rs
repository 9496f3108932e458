//! How-to pages.
//!
//! | page | when you |
//! |---|---|
//! | [protocol] | want to know what goes over the wire, and by which rule |
//! | [certificates] | hold a QWAC and a QSealC and want to know whether a bank will take them |
//! | [consent_on_a_web_server] | send cardholders to their bank and take them back |
//! | [errors_and_retries] | decide what to do when the answer is neither yes nor no |
//! | [error_catalogue] | look a code up |
//! | [timeouts] | have 300 ms at a checkout |
//! | [hsm_signer] | keep the private keys in an HSM, a KMS or a secure element |
//! | [logging] | want logs and metrics without a secret in them |
//! | [running_a_fleet] | keep thousands of consents alive on several processes |
//! | [operations] | run it: before going live, by the calendar, when something happens |
//! | [decisions] | wonder why it is so |

#[doc = include_str!("protocol.md")]
pub mod protocol {}

#[doc = include_str!("certificates.md")]
pub mod certificates {}

#[doc = include_str!("consent_on_a_web_server.md")]
pub mod consent_on_a_web_server {}

#[doc = include_str!("errors_and_retries.md")]
pub mod errors_and_retries {}

#[doc = include_str!("error_catalogue.md")]
pub mod error_catalogue {}

#[doc = include_str!("timeouts.md")]
pub mod timeouts {}

#[doc = include_str!("hsm_signer.md")]
pub mod hsm_signer {}

#[doc = include_str!("logging.md")]
pub mod logging {}

#[doc = include_str!("running_a_fleet.md")]
pub mod running_a_fleet {}

#[doc = include_str!("operations.md")]
pub mod operations {}

#[doc = include_str!("decisions.md")]
pub mod decisions {}
