//! Gives the shared library the name that programs look for at run time. Its number is `CBPII_ABI_VERSION`.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libcbpii.so.1");
}
