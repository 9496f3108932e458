//! Room for what Kotlin passes. UniFFI's own function returns a structure by value, which JNA makes by reflection.

use uniffi::RustBuffer;

/// The bytes of a [`RustBuffer`] whose length and capacity are `size`; whoever asked owns it.
#[unsafe(no_mangle)]
extern "C" fn cbpii_mobile_room(size: u64) -> *mut u8 {
    RustBuffer::new_with_size(size).data_pointer().cast_mut()
}
