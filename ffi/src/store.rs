//! Where consents are kept.

use std::ffi::c_char;
use std::sync::Arc;

use cbpii_core::store::{
    ConsentStore, RecordKey, RecordKeys, SealedStore, SqliteOptions, SqliteStore, open_store,
};

use crate::client_options::duration;
use crate::error::cbpii_error;
use crate::guard;
use crate::handle::{free, given, given_mut, handle, out, wanted};
use crate::text::{bytes, text};

/// The keys that seal consents: the current one, and former ones that only open what they sealed.
pub struct cbpii_record_keys {
    _opaque: [u8; 0],
}

handle!(cbpii_record_keys => RecordKeys);

/// Keys with this current one: 32 random bytes from a key store, never a password.
///
/// Fails with store.key, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_record_keys_new(
    key: *const u8,
    length: usize,
    keys: *mut *mut cbpii_record_keys,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(keys, "keys")?;
        place.put_new(RecordKeys::new(RecordKey::from_slice(unsafe { bytes(key, length, "key") }?)?));
        Ok(())
    })
}

/// Adds a former key: records it sealed can be read, and are sealed with the current key when they are next written.
///
/// Fails with store.key, request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_record_keys_add_old(
    keys: *mut cbpii_record_keys,
    key: *const u8,
    length: usize,
) -> *mut cbpii_error {
    guard::call(|| {
        let keys = unsafe { given_mut(keys, "keys") }?;
        *keys = keys.clone().with_old(RecordKey::from_slice(unsafe { bytes(key, length, "key") }?)?);
        Ok(())
    })
}

/// Overwrites and frees keys; stores that were opened with them go on. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_record_keys_free(keys: *mut cbpii_record_keys) {
    unsafe { free(keys) }
}

/// A store of consents, with the keys that seal them.
pub struct cbpii_store {
    _opaque: [u8; 0],
}

handle!(cbpii_store => SealedStore);

/// Opens the store a URL names: "memory", or "sqlite://" followed by a path (the file is made if it is not there, readable by
/// its owner only; it must not lie on a network file system). Threads and processes of one host share a file.
///
/// Fails with an error of kind store: store.url, store.unreachable, store.corrupt, store.locked, store.read_only,
/// store.full, store.schema; request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_store_open(
    url: *const c_char,
    keys: *const cbpii_record_keys,
    store: *mut *mut cbpii_store,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(store, "store")?;
        let (url, keys) = unsafe { (text(url, "url")?, given(keys, "keys")?) };
        place.put_new(SealedStore::new(open_store(url)?, keys.clone()));
        Ok(())
    })
}

/// Opens a SQLite file with options: how long a call waits while another process writes, in milliseconds (0 for 5 000), and
/// whether an existing file is only read, for reports.
///
/// Fails as `cbpii_store_open` does.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_store_open_sqlite(
    path: *const c_char,
    busy_timeout: i64,
    read_only: bool,
    keys: *const cbpii_record_keys,
    store: *mut *mut cbpii_store,
) -> *mut cbpii_error {
    guard::call(|| {
        let place = out(store, "store")?;
        let (path, keys) = unsafe { (text(path, "path")?, given(keys, "keys")?) };
        let mut options = SqliteOptions::default().read_only(read_only);
        if busy_timeout != 0 {
            options = options.busy_timeout(duration(busy_timeout, "busy_timeout")?);
        }
        let opened: Arc<dyn ConsentStore> = Arc::new(SqliteStore::open_with(path, &options)?);
        place.put_new(SealedStore::new(opened, keys.clone()));
        Ok(())
    })
}

/// Seals every record that is still sealed with a former key with the current one. `rewritten` (may be NULL) is how many
/// those were. Safe while others use the store.
///
/// Fails with an error of kind store; request.argument.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_store_reseal(
    store: *const cbpii_store,
    rewritten: *mut u64,
) -> *mut cbpii_error {
    guard::call(|| {
        let count = unsafe { given(store, "store") }?.reseal()?;
        if let Some(place) = wanted(rewritten) {
            place.put(count);
        }
        Ok(())
    })
}

/// Frees a store; sessions that use it go on. NULL is left alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cbpii_store_free(store: *mut cbpii_store) {
    unsafe { free(store) }
}
