//! The calls that a program may make, each with arguments that the input chooses.

use std::ptr;

use cbpii_ffi::bank::*;
use cbpii_ffi::cancel::*;
use cbpii_ffi::certificate::*;
use cbpii_ffi::client::*;
use cbpii_ffi::client_options::*;
use cbpii_ffi::consent::*;
use cbpii_ffi::error::*;
use cbpii_ffi::funds::*;
use cbpii_ffi::issuer::*;
use cbpii_ffi::session::*;
use cbpii_ffi::store::*;
use cbpii_ffi::tokens::*;

use crate::callbacks::{clock, held, listener, transport};
use crate::choices::Choices;
use crate::facts::Facts;
use crate::pool::Pool;
use crate::world::{FREE, READ, World};

/// One call.
pub type Call = fn(&mut World, &mut Choices<'_>);

/// A call that makes a handle, here and there without a place for it.
fn make<T: Facts>(
    world: &mut World,
    choices: &mut Choices<'_>,
    pool: fn(&mut World) -> &mut Pool<T>,
    optional: bool,
    call: impl FnOnce(&mut World, &mut Choices<'_>, *mut *mut T) -> *mut cbpii_error,
) -> *mut T {
    let mut made = ptr::null_mut();
    let nowhere = choices.byte() == 255;
    let place = if nowhere { ptr::null_mut() } else { &raw mut made };
    let error = call(world, choices, place);
    assert!(!nowhere || !error.is_null(), "a result without a place for it");
    world.take(pool, error, made, optional);
    made
}

/// `pool = function(arguments)`: what the function makes goes to the pool; `w` and `c` are the world and the choices.
macro_rules! calls {
    ($name:ident, $w:ident, $c:ident: $($pool:ident = $function:ident($($argument:expr),*);)*) => {
        static $name: &[Call] = &[$(|world, choices| {
            make(world, choices, |world| &mut world.$pool, false, |$w, $c, place| unsafe {
                let _ = (&$w, &$c);
                $function($($argument,)* place)
            });
        },)*];
    };
}

/// `function(arguments)`: a call that changes something, or only tells.
macro_rules! changes {
    ($name:ident, $w:ident, $c:ident: $($function:ident($($argument:expr),*);)*) => {
        static $name: &[Call] = &[$(|$w, $c| {
            let error = unsafe { $function($($argument),*) };
            $w.took(error);
        },)*];
    };
}

calls! { MAKING, w, c:
    banks = cbpii_bank_bpce(c.text(), c.constant());
    banks = cbpii_bank_by_id(c.text(), c.constant());
    banks = cbpii_bank_from_json(c.text());
    banks = cbpii_bank_clone(w.banks.given(c));
    strings = cbpii_bank_to_json(w.banks.given(c));
    bank_lists = cbpii_bank_list_find(c.text(), c.constant());
    bank_lists = cbpii_bank_list_from_iban(c.text(), c.constant());
    bank_lists = cbpii_bank_list_by_code(c.text(), c.constant());
    issuers = cbpii_issuer_new(c.text(), c.text());
    options = cbpii_client_options_new();
    pendings = cbpii_client_begin_consent(w.clients.given(c), c.duration());
    pendings = cbpii_pending_consent_from_json(c.text());
    strings = cbpii_pending_consent_to_json(w.pendings.given(c));
    codes = cbpii_pending_consent_complete(w.pendings.given(c), c.text(), c.moment());
    codes = cbpii_authorization_code_new(c.text());
    strings = cbpii_authorization_code_expose(w.codes.given(c));
    tokens = cbpii_tokens_new(c.text(), c.text(), c.moment(), ptr::null(), c.moment());
    tokens = cbpii_tokens_from_json(c.text());
    strings = cbpii_tokens_to_json(w.tokens.given(c));
    strings = cbpii_tokens_expose_access_token(w.tokens.given(c));
    accounts = cbpii_account_from_iban(c.text());
    accounts = cbpii_account_other(c.text(), c.text(), c.text());
    requests = cbpii_funds_request_new(c.text(), w.accounts.given(c), c.text(), c.text());
    requests = cbpii_funds_request_for_iban(c.text(), c.text(), c.text(), c.text());
    explanations = cbpii_client_explain(w.clients.given(c), w.requests.given(c));
    cancels = cbpii_cancel_token_new();
    inspects = cbpii_inspect_options_new();
    findings = cbpii_issuer_check(w.issuers.given(c), w.banks.given(c));
    strings = cbpii_certificate_report_to_json(w.reports.given(c));
    stores = cbpii_store_open(c.text(), w.keys.given(c));
    session_options = cbpii_session_options_new();
    sessions = cbpii_session_pool_keep(w.pools.given(c), c.text(), w.tokens.given(c));
    sessions = cbpii_session_pool_open(w.pools.given(c), c.text());
    confirmations = cbpii_session_confirm_funds(w.sessions.given(c), w.requests.given(c));
    histories = cbpii_session_history(w.sessions.given(c));
    renewals = cbpii_renewals_due(w.stores.given(c), c.moment());
}

changes! { CHANGING, w, c:
    cbpii_bank_set_origin(w.banks.given(c), c.text());
    cbpii_bank_set_authorize_url(w.banks.given(c), c.text());
    cbpii_bank_set_token_url(w.banks.given(c), c.text());
    cbpii_bank_set_funds_url(w.banks.given(c), c.text());
    cbpii_bank_add_trust_anchor(w.banks.given(c), c.text(), c.yes());
    cbpii_issuer_set_client_secret(w.issuers.given(c), c.text());
    cbpii_issuer_set_seal_key_id(w.issuers.given(c), c.text());
    cbpii_client_options_set_timeout(w.options.given(c), c.duration());
    cbpii_client_options_set_retries(w.options.given(c), c.constant().unsigned_abs());
    cbpii_client_options_set_max_idle_connections(w.options.given(c), usize::from(c.byte()));
    cbpii_client_options_set_proxy(w.options.given(c), c.text());
    cbpii_client_options_set_check_eligibility(w.options.given(c), c.yes());
    cbpii_iban_check(c.text());
    cbpii_currency_decimals(c.text(), &mut 0);
    cbpii_account_set_currency(w.accounts.given(c), c.text());
    cbpii_account_set_workspace(w.accounts.given(c), c.text());
    cbpii_funds_request_set_payee(w.requests.given(c), c.text());
    cbpii_funds_request_set_psu_header(w.requests.given(c), c.text(), c.text());
    cbpii_funds_request_set_request_id(w.requests.given(c), c.text());
    cbpii_inspect_options_set_now(w.inspects.given(c), c.moment());
    cbpii_inspect_options_set_use(w.inspects.given(c), c.constant());
    cbpii_inspect_options_set_client_id(w.inspects.given(c), c.text());
    cbpii_error_set_request_sent(w.errors.given(c), c.constant());
    cbpii_session_options_set_refresh_margin(w.session_options.given(c), c.duration());
    cbpii_session_options_set_renew_before(w.session_options.given(c), c.duration());
    cbpii_session_reload(w.sessions.given(c));
    cbpii_session_pool_forget(w.pools.given(c), c.text(), &mut false);
    cbpii_store_reseal(w.stores.given(c), &mut 0);
}

static OTHER: &[Call] = &[
    files_of_an_issuer,
    certificate,
    keys,
    settings_with_callbacks,
    client,
    consent,
    funds,
    pool,
    renewal,
    optional_token,
    program,
    program,
    |world, choices| unsafe { cbpii_cancel_token_cancel(world.cancels.given(choices)) },
    |world, choices| world.errors.keep(unsafe { cbpii_error_new(choices.constant(), choices.text()) }),
];

/// Every kind of call, as often as it should come.
pub static ALL: &[Call] = &[
    one_of_making,
    one_of_making,
    one_of_changing,
    one_of_the_others,
    one_of_the_others,
    one_of_reading,
    one_of_freeing,
];

fn one_of_making(world: &mut World, choices: &mut Choices<'_>) {
    run(MAKING, world, choices);
}

fn one_of_changing(world: &mut World, choices: &mut Choices<'_>) {
    run(CHANGING, world, choices);
}

fn one_of_the_others(world: &mut World, choices: &mut Choices<'_>) {
    run(OTHER, world, choices);
}

fn one_of_reading(world: &mut World, choices: &mut Choices<'_>) {
    run(READ, world, choices);
}

fn one_of_freeing(world: &mut World, choices: &mut Choices<'_>) {
    run(FREE, world, choices);
}

fn run(calls: &[Call], world: &mut World, choices: &mut Choices<'_>) {
    if let Some(call) = choices.one_of(calls) {
        call(world, choices);
    }
}

fn files_of_an_issuer(world: &mut World, choices: &mut Choices<'_>) {
    let issuer = world.issuers.given(choices);
    let ((chain, chain_length), (key, key_length)) = (choices.file(), choices.file());
    let password = choices.text();
    let error = unsafe {
        match choices.byte() % 4 {
            0 => cbpii_issuer_set_transport(issuer, chain, chain_length, key, key_length, password),
            1 => cbpii_issuer_set_transport_pkcs12(issuer, chain, chain_length, password),
            2 => cbpii_issuer_set_seal_pkcs12(issuer, chain, chain_length, password),
            _ => cbpii_issuer_set_seal(issuer, chain, chain_length, key, key_length, password),
        }
    };
    world.took(error);
}

fn certificate(world: &mut World, choices: &mut Choices<'_>) {
    let options = world.inspects.given(choices);
    let ((key, key_length), password) = (choices.file(), choices.text());
    if choices.yes() {
        let error = unsafe { cbpii_inspect_options_set_key(options, key, key_length, password) };
        world.took(error);
    }
    make(
        world,
        choices,
        |world| &mut world.reports,
        false,
        |_, choices, place| {
            let (bytes, length) = choices.file();
            unsafe { cbpii_certificate_inspect(bytes, length, options, place) }
        },
    );
}

fn keys(world: &mut World, choices: &mut Choices<'_>) {
    let made = make(
        world,
        choices,
        |world| &mut world.keys,
        false,
        |_, choices, place| {
            let (key, length) = choices.key();
            unsafe { cbpii_record_keys_new(key, length, place) }
        },
    );
    if choices.yes() {
        let (old, length) = choices.key();
        let error = unsafe { cbpii_record_keys_add_old(made, old, length) };
        world.took(error);
    }
}

fn settings_with_callbacks(world: &mut World, choices: &mut Choices<'_>) {
    let options = world.options.given(choices);
    let taken = match choices.byte() % 4 {
        0 => {
            let (user_data, destroy) = held();
            unsafe { cbpii_client_options_set_event_listener(options, Some(listener), user_data, destroy) }
        }
        1 => {
            let (user_data, destroy) = held();
            unsafe { cbpii_client_options_set_clock(options, Some(clock), user_data, destroy) }
        }
        _ => return set_transport(world, choices, options),
    };
    world.took(taken);
}

fn set_transport(world: &mut World, choices: &mut Choices<'_>, options: *mut cbpii_client_options) {
    let transport = transport(choices);
    let error = unsafe { cbpii_client_options_set_transport(options, &transport) };
    if world.took(error) {
        world.in_memory.insert(options.addr());
    }
}

fn client(world: &mut World, choices: &mut Choices<'_>) {
    let options = world.options.given(choices);
    let made = make(
        world,
        choices,
        |world| &mut world.clients,
        false,
        |world, choices, place| unsafe {
            cbpii_client_new(world.banks.given(choices), world.issuers.given(choices), options, place)
        },
    );
    if !made.is_null() && world.in_memory.contains(&options.addr()) {
        world.in_memory.insert(made.addr());
    }
}

/// A client that never reaches a network, or none.
fn client_in_memory(world: &World, choices: &mut Choices<'_>) -> *mut cbpii_client {
    let client = world.clients.given(choices);
    if world.clients.holds(client) && !world.in_memory.contains(&client.addr()) {
        ptr::null_mut()
    } else {
        client
    }
}

fn consent(world: &mut World, choices: &mut Choices<'_>) {
    let client = client_in_memory(world, choices);
    make(
        world,
        choices,
        |world| &mut world.tokens,
        false,
        |world, choices, place| unsafe {
            let pending = world.pendings.given(choices);
            match choices.byte() % 3 {
                0 => cbpii_client_complete_consent(client, pending, choices.text(), place),
                1 => {
                    let (code, cancel) = (world.codes.given(choices), world.cancels.given(choices));
                    cbpii_client_exchange_code(client, pending, code, choices.duration(), cancel, place)
                }
                _ => {
                    let (tokens, cancel) = (world.tokens.given(choices), world.cancels.given(choices));
                    cbpii_client_refresh(client, tokens, choices.duration(), cancel, place)
                }
            }
        },
    );
}

pub fn funds(world: &mut World, choices: &mut Choices<'_>) {
    let client = client_in_memory(world, choices);
    make(
        world,
        choices,
        |world| &mut world.confirmations,
        false,
        |world, choices, place| unsafe {
            let (tokens, request) = (world.tokens.given(choices), world.requests.given(choices));
            let cancel = world.cancels.given(choices);
            match choices.byte() % 3 {
                0 => cbpii_client_confirm_funds(client, tokens, request, place),
                1 => cbpii_client_confirm_funds_with(
                    client,
                    tokens,
                    request,
                    choices.duration(),
                    cancel,
                    place,
                ),
                _ => {
                    let session = world.sessions.given(choices);
                    cbpii_session_confirm_funds_with(session, request, choices.duration(), cancel, place)
                }
            }
        },
    );
}

fn pool(world: &mut World, choices: &mut Choices<'_>) {
    let client = client_in_memory(world, choices);
    make(
        world,
        choices,
        |world| &mut world.pools,
        false,
        |world, choices, place| unsafe {
            cbpii_session_pool_new(
                client,
                world.stores.given(choices),
                world.session_options.given(choices),
                place,
            )
        },
    );
}

fn renewal(world: &mut World, choices: &mut Choices<'_>) {
    let walk = world.renewals.given(choices);
    make(
        world,
        choices,
        |world| &mut world.renewal,
        true,
        |_, _, place| unsafe { cbpii_renewals_next(walk, place) },
    );
}

fn optional_token(world: &mut World, choices: &mut Choices<'_>) {
    let tokens = world.tokens.given(choices);
    make(
        world,
        choices,
        |world| &mut world.strings,
        true,
        |_, _, place| unsafe { cbpii_tokens_expose_refresh_token(tokens, place) },
    );
}

/// The beginning of every program, whole: no input would find it by chance.
pub fn program(world: &mut World, choices: &mut Choices<'_>) {
    let (mut bank, mut issuer, mut options) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    let (mut client, mut tokens, mut request) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    let record = c"{\"base\":\"bpce-17515\",\"environment\":\"sandbox\",\"signature\":null}";
    unsafe {
        let mut errors = vec![
            cbpii_bank_from_json(record.as_ptr(), &mut bank),
            cbpii_issuer_new(c"PSDFR-ACPR-12345".as_ptr(), c"https://issuer.example/".as_ptr(), &mut issuer),
            cbpii_client_options_new(&mut options),
        ];
        world.banks.keep(bank);
        world.issuers.keep(issuer);
        world.options.keep(options);
        errors.push(cbpii_client_options_set_check_eligibility(options, false));
        set_transport(world, choices, options);
        errors.push(cbpii_client_new(bank, issuer, options, &mut client));
        errors.push(cbpii_tokens_new(
            c"access".as_ptr(),
            c"refresh".as_ptr(),
            0,
            ptr::null(),
            i64::MAX,
            &mut tokens,
        ));
        let (reference, iban) = (c"ORDER-4711".as_ptr(), c"FR7617515900000800358074006".as_ptr());
        let (amount, currency) = (c"12.50".as_ptr(), c"EUR".as_ptr());
        errors.push(cbpii_funds_request_for_iban(reference, iban, amount, currency, &mut request));
        world.tokens.keep(tokens);
        world.requests.keep(request);
        world.clients.keep(client);
        for error in errors {
            world.took(error);
        }
    }
    if world.in_memory.contains(&options.addr()) {
        world.in_memory.insert(client.addr());
    }
}
