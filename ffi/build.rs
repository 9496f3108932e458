//! Gives the shared library the name that programs look for at run time. Its number is `CBPII_ABI_VERSION`.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libcbpii.so.1");
    // What is missing in the library is an error here, and not in the programs that link it.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,defs");
}
