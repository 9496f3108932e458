//! The regulated party that asks.

use std::ffi::c_char;
use std::ptr;
use std::time::SystemTime;

use cbpii_core::identity::{CertificateChain, PrivateKey, SealIdentity, TransportIdentity};
use cbpii_core::{Issuer, Result, Secret, Timestamp};

use crate::bank::cbpii_bank;
use crate::certificate::{cbpii_findings, findings_of};
use crate::error::cbpii_error;
use crate::guard;
use crate::handle::{fact, free, given, given_mut, handle, out};
use crate::signer::{self, cbpii_signer};
use crate::text::{Texts, bytes, optional_secret, text};

/// The issuer: its registration at the banks, its certificates and its keys.
pub struct cbpii_issuer {
    _opaque: [u8; 0],
}

handle!(cbpii_issuer => IssuerFacts);

/// An issuer with its strings.
pub struct IssuerFacts {
    pub(crate) issuer: Issuer,
    texts: Texts<2>,
}

/// An issuer by its `client_id` (the organisation identifier such as "PSDFR-ACPR-12345", or what the bank's registration
/// returned) and its redirect URI, which is kept and sent byte for byte.
///
/// Fails with configuration.client_id, configuration.redirect_uri, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_issuer_new(
    client_id: *const c_char,
    redirect_uri: *const c_char,
    issuer: *mut *mut cbpii_issuer,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(issuer, "issuer")?;
        let (client_id, redirect_uri) =
            unsafe { (text(client_id, "client_id")?, text(redirect_uri, "redirect_uri")?) };
        let texts = Texts::of([Some(client_id), Some(redirect_uri)]);
        place.put_new(IssuerFacts { issuer: Issuer::new(client_id, redirect_uri)?, texts });
        Ok(())
    })
}

unsafe fn change(issuer: *mut cbpii_issuer, how: impl FnOnce(Issuer) -> Result<Issuer>) -> *mut cbpii_error {
    guard::call(|| {
        let facts = unsafe { given_mut(issuer, "issuer") }?;
        facts.issuer = how(facts.issuer.clone())?;
        Ok(())
    })
}

/// Sets the client secret that some banks want besides the certificate.
///
/// Fails with configuration.client_secret, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_issuer_set_client_secret(
    issuer: *mut cbpii_issuer,
    secret: *const c_char,
) -> *mut cbpii_error {
    unsafe { change(issuer, |issuer| issuer.with_client_secret(text(secret, "secret")?)) }
}

/// A chain and a key in memory, each PEM or DER.
unsafe fn pair(
    (chain, chain_length): (*const u8, usize),
    (key, key_length): (*const u8, usize),
    password: *const c_char,
) -> Result<(CertificateChain, PrivateKey)> {
    unsafe {
        let password = optional_secret(password, "password")?;
        let chain = CertificateChain::from_bytes(bytes(chain, chain_length, "chain")?)?;
        Ok((chain, PrivateKey::from_bytes(bytes(key, key_length, "key")?, password.as_ref())?))
    }
}

/// The paths of a chain and of its key.
unsafe fn files<'a>(
    chain_path: *const c_char,
    key_path: *const c_char,
    password: *const c_char,
) -> Result<(&'a str, &'a str, Option<Secret>)> {
    unsafe {
        let (chain, key) = (text(chain_path, "chain_path")?, text(key_path, "key_path")?);
        Ok((chain, key, optional_secret(password, "password")?))
    }
}

/// A keystore in memory, and its password.
unsafe fn pkcs12<'a>(
    keystore: *const u8,
    length: usize,
    password: *const c_char,
) -> Result<(&'a [u8], Secret)> {
    unsafe {
        let password = Secret::from(text(password, "password")?);
        Ok((bytes(keystore, length, "keystore")?, password))
    }
}

/// Sets the QWAC for mutual TLS: certificates (PEM in any order, or DER) and their key (PEM or DER: PKCS#8, PKCS#1, SEC 1,
/// encrypted PKCS#8). `password` may be NULL.
///
/// Fails with configuration.certificate_unreadable, configuration.key_unreadable, configuration.key_password,
/// configuration.key_unsupported, configuration.key_mismatch, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_issuer_set_transport(
    issuer: *mut cbpii_issuer,
    chain: *const u8,
    chain_length: usize,
    key: *const u8,
    key_length: usize,
    password: *const c_char,
) -> *mut cbpii_error {
    unsafe {
        change(issuer, |issuer| {
            let (chain, key) = pair((chain, chain_length), (key, key_length), password)?;
            Ok(issuer.with_transport(TransportIdentity::new(chain, key)?))
        })
    }
}

/// As `cbpii_issuer_set_transport`, from two files.
///
/// Fails as it does; a file that cannot be read is configuration.certificate_unreadable or configuration.key_unreadable.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_issuer_set_transport_files(
    issuer: *mut cbpii_issuer,
    chain_path: *const c_char,
    key_path: *const c_char,
    password: *const c_char,
) -> *mut cbpii_error {
    unsafe {
        change(issuer, |issuer| {
            let (chain, key, password) = files(chain_path, key_path, password)?;
            Ok(issuer.with_transport(TransportIdentity::from_files(chain, key, password.as_ref())?))
        })
    }
}

/// Sets the QWAC from a PKCS#12 keystore (.p12, .pfx).
///
/// Fails as `cbpii_issuer_set_transport` does.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_issuer_set_transport_pkcs12(
    issuer: *mut cbpii_issuer,
    keystore: *const u8,
    length: usize,
    password: *const c_char,
) -> *mut cbpii_error {
    unsafe {
        change(issuer, |issuer| {
            let (keystore, password) = pkcs12(keystore, length, password)?;
            Ok(issuer.with_transport(TransportIdentity::from_pkcs12(keystore, &password)?))
        })
    }
}

/// Sets the QWAC with a key that this library never sees. The signer is copied and taken over, also when this fails.
///
/// Fails with configuration.certificate_unreadable, configuration.key_unsupported, configuration.signer_failed (it offers
/// no algorithm that TLS 1.3 can use), request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_issuer_set_transport_signer(
    issuer: *mut cbpii_issuer,
    chain: *const u8,
    chain_length: usize,
    signer: *const cbpii_signer,
) -> *mut cbpii_error {
    guard::call(|| unsafe {
        let signer = signer::taken(signer)?;
        let facts = given_mut(issuer, "issuer")?;
        let chain = CertificateChain::from_bytes(bytes(chain, chain_length, "chain")?)?;
        facts.issuer = facts.issuer.clone().with_transport(TransportIdentity::with_signer(chain, signer)?);
        Ok(())
    })
}

/// Sets the QSealC for signed requests, in the forms of `cbpii_issuer_set_transport`.
///
/// Fails as it does.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_issuer_set_seal(
    issuer: *mut cbpii_issuer,
    chain: *const u8,
    chain_length: usize,
    key: *const u8,
    key_length: usize,
    password: *const c_char,
) -> *mut cbpii_error {
    unsafe {
        change(issuer, |issuer| {
            let (chain, key) = pair((chain, chain_length), (key, key_length), password)?;
            Ok(issuer.with_seal(SealIdentity::new(chain, key)?))
        })
    }
}

/// As `cbpii_issuer_set_seal`, from two files.
///
/// Fails as `cbpii_issuer_set_transport_files` does.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_issuer_set_seal_files(
    issuer: *mut cbpii_issuer,
    chain_path: *const c_char,
    key_path: *const c_char,
    password: *const c_char,
) -> *mut cbpii_error {
    unsafe {
        change(issuer, |issuer| {
            let (chain, key, password) = files(chain_path, key_path, password)?;
            Ok(issuer.with_seal(SealIdentity::from_files(chain, key, password.as_ref())?))
        })
    }
}

/// Sets the QSealC from a PKCS#12 keystore (.p12, .pfx).
///
/// Fails as `cbpii_issuer_set_transport` does.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_issuer_set_seal_pkcs12(
    issuer: *mut cbpii_issuer,
    keystore: *const u8,
    length: usize,
    password: *const c_char,
) -> *mut cbpii_error {
    unsafe {
        change(issuer, |issuer| {
            let (keystore, password) = pkcs12(keystore, length, password)?;
            Ok(issuer.with_seal(SealIdentity::from_pkcs12(keystore, &password)?))
        })
    }
}

/// Sets the QSealC with a key that this library never sees. The signer is copied and taken over, also when this fails; it
/// is not tried here.
///
/// Fails with configuration.certificate_unreadable, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_issuer_set_seal_signer(
    issuer: *mut cbpii_issuer,
    chain: *const u8,
    chain_length: usize,
    signer: *const cbpii_signer,
) -> *mut cbpii_error {
    guard::call(|| unsafe {
        let signer = signer::taken(signer)?;
        let facts = given_mut(issuer, "issuer")?;
        let chain = CertificateChain::from_bytes(bytes(chain, chain_length, "chain")?)?;
        facts.issuer = facts.issuer.clone().with_seal(SealIdentity::with_signer(chain, signer));
        Ok(())
    })
}

/// States the whole keyId to write in signatures, instead of the one the bank's record would make: for instance the URL at
/// which the certificate was published. The seal must have been set.
///
/// Fails with configuration.seal_missing, configuration.header, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_issuer_set_seal_key_id(
    issuer: *mut cbpii_issuer,
    key_id: *const c_char,
) -> *mut cbpii_error {
    unsafe {
        change(issuer, |issuer| {
            let key_id = text(key_id, "key_id")?;
            let seal = issuer.seal().cloned().ok_or_else(|| {
                let message = "The issuer has no seal to state the keyId of; set the seal first.";
                cbpii_core::Error::new(cbpii_core::ErrorCode::SealMissing, message)
            })?;
            Ok(issuer.with_seal(seal.with_key_id(key_id)?))
        })
    }
}

/// The client_id.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_issuer_client_id(issuer: *const cbpii_issuer) -> *const c_char {
    unsafe { fact(issuer, ptr::null(), |facts| facts.texts.get(0)) }
}

/// The redirect URI, byte for byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_issuer_redirect_uri(issuer: *const cbpii_issuer) -> *const c_char {
    unsafe { fact(issuer, ptr::null(), |facts| facts.texts.get(1)) }
}

/// Checks both certificates for what matters at this bank, now: findings of severity error keep a client from being made.
///
/// Fails with request.argument; what is wrong with the certificates are findings, not errors.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_issuer_check(
    issuer: *const cbpii_issuer,
    bank: *const cbpii_bank,
    findings: *mut *mut cbpii_findings,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(findings, "findings")?;
        let (issuer, bank) = unsafe { (given(issuer, "issuer")?, given(bank, "bank")?) };
        let now = Timestamp::from(SystemTime::now());
        place.put_new(findings_of(&issuer.issuer.check(&bank.bank, now)));
        Ok(())
    })
}

/// Frees an issuer; clients that were made with it go on. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_issuer_free(issuer: *mut cbpii_issuer) {
    unsafe { free(issuer) }
}
