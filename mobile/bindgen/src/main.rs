//! UniFFI's generator of bindings, of the version this library is built with.

fn main() {
    uniffi::uniffi_bindgen_main()
}
