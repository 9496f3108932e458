//! The compiled part of the Python package `cbpii`: it converts, releases the GIL, and speaks Python's idiom.
//!
//! Two rules keep it free of deadlocks. Whatever asks the core for more than a value runs without the GIL, because the core
//! may wait for a lock while another thread that holds it waits for the GIL (to call a clock, a store, a logger written in
//! Python).
//! And the few locks of this crate that are needed in a child after `os.fork()` are taken with the GIL only: the
//! forking thread has it, so nobody else can hold them at that moment.

mod bank;
mod call;
mod client;
mod consent;
mod convert;
mod error;
mod fork;
mod funds;
mod gate;
mod identity;
mod logging;
mod many;
mod process;
mod secret;
mod session;
mod store;
mod transport;
mod workers;

use pyo3::prelude::*;

/// The compiled part of `cbpii`.
#[pymodule(gil_used = true)]
mod _cbpii {
    use super::*;

    #[pymodule_export]
    use super::{
        bank::{
            bank_bpce, bank_by_id, bank_directory, bank_from_json, bank_with_origin, bank_with_trust_anchor,
            banks_by_code, banks_found, banks_from_iban,
        },
        call::panic,
        client::{CancelToken, Client},
        consent::{AuthorizationCode, PendingConsent, Tokens},
        error::catalogue,
        funds::{Account, Amount, Currency, FundsRequest, Iban},
        identity::{Issuer, SealIdentity, TransportIdentity, inspect_certificate},
        many::Checks,
        secret::Secret,
        session::{Pool, Session},
        store::{RenewalsDue, SealedStore},
        workers::Workers,
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        logging::forward();
        gate::set_up(module)?;
        fork::set_up(module)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
