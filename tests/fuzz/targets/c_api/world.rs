//! Everything that a program holds.

use std::collections::HashSet;

use cbpii_ffi::bank::*;
use cbpii_ffi::cancel::*;
use cbpii_ffi::certificate::*;
use cbpii_ffi::client::*;
use cbpii_ffi::client_options::*;
use cbpii_ffi::consent::*;
use cbpii_ffi::error::*;
use cbpii_ffi::explanation::*;
use cbpii_ffi::funds::*;
use cbpii_ffi::issuer::*;
use cbpii_ffi::session::*;
use cbpii_ffi::store::*;
use cbpii_ffi::string::*;
use cbpii_ffi::tokens::*;

use crate::callbacks::assert_destroyed;
use crate::choices::Choices;
use crate::facts::Facts;
use crate::pool::Pool;

macro_rules! world {
    ($($pool:ident: $handle:ident, $free:ident;)*) => {
        /// The handles of each type, and which of them never reach a network.
        pub struct World {
            $(pub $pool: Pool<$handle>,)*
            pub in_memory: HashSet<usize>,
        }

        impl Default for World {
            fn default() -> Self {
                Self { $($pool: Pool::new($free),)* in_memory: HashSet::new() }
            }
        }

        /// Frees a handle of each type, each a call of its own.
        pub static FREE: &[fn(&mut World, &mut Choices<'_>)] = &[$(|world, choices| {
            let freed = world.$pool.free_one(choices).addr();
            world.in_memory.remove(&freed);
        },)*];

        /// Reads a handle of each type, each a call of its own.
        pub static READ: &[fn(&mut World, &mut Choices<'_>)] =
            &[$(|world, choices| world.$pool.read(choices),)*];

        static FREE_ALL: &[fn(&mut World)] = &[$(|world| world.$pool.free_all(),)*];
    };
}

world! {
    banks: cbpii_bank, cbpii_bank_free;
    bank_lists: cbpii_bank_list, cbpii_bank_list_free;
    issuers: cbpii_issuer, cbpii_issuer_free;
    options: cbpii_client_options, cbpii_client_options_free;
    clients: cbpii_client, cbpii_client_free;
    pendings: cbpii_pending_consent, cbpii_pending_consent_free;
    codes: cbpii_authorization_code, cbpii_authorization_code_free;
    tokens: cbpii_tokens, cbpii_tokens_free;
    accounts: cbpii_account, cbpii_account_free;
    requests: cbpii_funds_request, cbpii_funds_request_free;
    confirmations: cbpii_funds_confirmation, cbpii_funds_confirmation_free;
    explanations: cbpii_explanation, cbpii_explanation_free;
    errors: cbpii_error, cbpii_error_free;
    strings: cbpii_string, cbpii_string_free;
    cancels: cbpii_cancel_token, cbpii_cancel_token_free;
    inspects: cbpii_inspect_options, cbpii_inspect_options_free;
    reports: cbpii_certificate_report, cbpii_certificate_report_free;
    findings: cbpii_findings, cbpii_findings_free;
    keys: cbpii_record_keys, cbpii_record_keys_free;
    stores: cbpii_store, cbpii_store_free;
    session_options: cbpii_session_options, cbpii_session_options_free;
    pools: cbpii_session_pool, cbpii_session_pool_free;
    sessions: cbpii_session, cbpii_session_free;
    histories: cbpii_consent_history, cbpii_consent_history_free;
    renewals: cbpii_renewals, cbpii_renewals_free;
    renewal: cbpii_renewal, cbpii_renewal_free;
}

impl World {
    /// Takes what a call came to. An output is written on success, and only then.
    pub fn take<T: Facts>(
        &mut self,
        pool: fn(&mut Self) -> &mut Pool<T>,
        error: *mut cbpii_error,
        made: *mut T,
        optional: bool,
    ) {
        assert!(error.is_null() || made.is_null(), "an error and a result");
        assert!(!error.is_null() || !made.is_null() || optional, "neither an error nor a result");
        self.errors.keep(error);
        pool(self).keep(made);
    }

    /// Takes the error of a call that makes nothing.
    pub fn took(&mut self, error: *mut cbpii_error) -> bool {
        self.errors.keep(error);
        error.is_null()
    }

    /// Frees all that is left, in an order the input chooses.
    pub fn end(mut self, choices: &mut Choices<'_>) {
        let first = usize::from(choices.byte()) % FREE_ALL.len();
        let (late, early) = FREE_ALL.split_at(first);
        early.iter().chain(late).for_each(|free| free(&mut self));
        assert_destroyed();
    }
}
