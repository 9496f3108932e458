//! What an opaque C type stands for. Every handle starts with a tag of its type, so that a pointer to something
//! else, as languages without typed pointers pass it, is an error instead of a crash.

use std::ptr::{self, NonNull};

use cbpii_core::{Error, ErrorCode, Result};

use crate::guard;

/// An opaque type of the header.
pub(crate) trait Handle: 'static {
    /// What is behind it.
    type Value;
    /// Its name in C.
    const NAME: &'static str;
    /// What tells it from the others.
    const TAG: u64;
}

/// Declares what an opaque type stands for.
macro_rules! handle {
    ($name:ident => $value:ty) => {
        impl $crate::handle::Handle for $name {
            type Value = $value;
            const NAME: &'static str = stringify!($name);
            const TAG: u64 = $crate::handle::tag_of(stringify!($name));
        }
    };
}
pub(crate) use handle;

/// FNV-1a of the name: any number will do that differs from type to type.
pub(crate) const fn tag_of(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let (mut hash, mut place) = (0xcbf2_9ce4_8422_2325_u64, 0);
    while place < bytes.len() {
        hash = (hash ^ bytes[place] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        place += 1;
    }
    hash
}

/// What a pointer to an opaque type really points at.
#[repr(C)]
pub(crate) struct Tagged<H: Handle> {
    tag: u64,
    /// Whether C owns it and may free it; parts of other handles are only lent.
    owned: bool,
    value: H::Value,
}

impl<H: Handle> Tagged<H> {
    /// A handle that is lent to C.
    pub(crate) fn new(value: H::Value) -> Self {
        Self { tag: H::TAG, owned: false, value }
    }

    /// A pointer that lives as long as this value stays where it is.
    pub(crate) fn as_ptr(&self) -> *const H {
        ptr::from_ref(self).cast()
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut H {
        ptr::from_mut(self).cast()
    }

    pub(crate) fn into_value(self) -> H::Value {
        self.value
    }
}

/// A new handle, owned by C.
pub(crate) fn into_raw<H: Handle>(value: H::Value) -> *mut H {
    Box::into_raw(Box::new(Tagged::<H> { tag: H::TAG, owned: true, value })).cast()
}

/// Whether a pointer is a handle of this tag.
unsafe fn is_handle(pointer: *const (), tag: u64) -> bool {
    let start = pointer.cast::<u64>();
    // SAFETY: the caller passes a handle; only its first eight bytes are looked at before its type is sure.
    !start.is_null() && start.is_aligned() && unsafe { start.read() } == tag
}

#[cold]
fn no_handle(pointer: *const (), argument: &str, name: &str) -> Error {
    if pointer.is_null() {
        return missing(argument);
    }
    let message =
        format!("The argument {argument} is not a {name}, or it was freed; pass what the library gave.");
    Error::new(ErrorCode::Argument, message)
}

/// A handle that must be there.
pub(crate) unsafe fn given<'a, H: Handle>(pointer: *const H, argument: &str) -> Result<&'a H::Value> {
    // SAFETY: when the tag is right, this is a handle that the library made.
    unsafe {
        match is_handle(pointer.cast(), H::TAG) {
            true => Ok(&(*pointer.cast::<Tagged<H>>()).value),
            false => Err(no_handle(pointer.cast(), argument, H::NAME)),
        }
    }
}

/// A handle that must be there, to be changed.
pub(crate) unsafe fn given_mut<'a, H: Handle>(pointer: *mut H, argument: &str) -> Result<&'a mut H::Value> {
    // SAFETY: as in `given`; the header asks that nobody else uses a handle that is being changed.
    unsafe {
        match is_handle(pointer.cast(), H::TAG) {
            true => Ok(&mut (*pointer.cast::<Tagged<H>>()).value),
            false => Err(no_handle(pointer.cast(), argument, H::NAME)),
        }
    }
}

/// A handle that may be left out.
pub(crate) unsafe fn optional<'a, H: Handle>(
    pointer: *const H,
    argument: &str,
) -> Result<Option<&'a H::Value>> {
    // SAFETY: as in `given`.
    if pointer.is_null() { Ok(None) } else { unsafe { given(pointer, argument).map(Some) } }
}

/// One fact of a handle: `absent` when the pointer is NULL or something else.
pub(crate) unsafe fn fact<H: Handle, T>(
    pointer: *const H,
    absent: T,
    read: impl FnOnce(&H::Value) -> T,
) -> T {
    // SAFETY: when the tag is right, this is a handle that the library made.
    unsafe {
        match is_handle(pointer.cast(), H::TAG) {
            true => guard::or(absent, || Some(read(&(*pointer.cast::<Tagged<H>>()).value))),
            false => absent,
        }
    }
}

/// Takes a handle back from C; none when the pointer is NULL, lent or something else.
pub(crate) unsafe fn take<H: Handle>(pointer: *mut H) -> Option<H::Value> {
    let place = pointer.cast::<Tagged<H>>();
    // SAFETY: when the tag is right, the library made it, by `into_raw` if it is owned, and C gives it back.
    unsafe {
        if !is_handle(pointer.cast(), H::TAG) || !(*place).owned {
            return None;
        }
        // A second free of the same handle, or a use after it, meets a wrong tag as long as the memory is not reused.
        (&raw mut (*place).tag).write_volatile(0);
        Some(Box::from_raw(place).into_value())
    }
}

/// Frees a handle. NULL, what is lent and what is no such handle are left alone.
pub(crate) unsafe fn free<H: Handle>(pointer: *mut H) {
    // SAFETY: as in `take`.
    guard::or((), || unsafe { take(pointer) }.map(drop));
}

/// Where a result goes; it is written only on success.
pub(crate) struct Out<T>(NonNull<T>);

/// The place for a result, which must be there.
pub(crate) fn out<T>(pointer: *mut T, argument: &str) -> Result<Out<T>> {
    wanted(pointer).ok_or_else(|| missing(argument))
}

/// The place for a result that may not be wanted.
pub(crate) fn wanted<T>(pointer: *mut T) -> Option<Out<T>> {
    NonNull::new(pointer).map(Out)
}

impl<T> Out<T> {
    pub(crate) fn put(self, value: T) {
        // SAFETY: the caller passes a place it may be written to, if only a packed one.
        unsafe { self.0.write_unaligned(value) }
    }
}

impl<H: Handle> Out<*mut H> {
    pub(crate) fn put_new(self, value: H::Value) {
        self.put(into_raw(value));
    }
}

/// Writes a number that may be missing and says whether it is there.
pub(crate) unsafe fn put_if_some<T>(pointer: *mut T, value: Option<T>) -> bool {
    let Some(value) = value else { return false };
    if let Some(place) = wanted(pointer) {
        place.put(value);
    }
    true
}

pub(crate) fn missing(argument: &str) -> Error {
    Error::new(ErrorCode::Argument, format!("The argument {argument} is NULL; pass a valid pointer."))
}
