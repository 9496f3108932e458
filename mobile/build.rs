//! Has functions that came out the same, as generic ones do, kept once.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let of = |name| std::env::var(name).unwrap_or_default();
    // Where the linker is LLVM's; GNU's does not know how.
    let (system, machine) = (of("CARGO_CFG_TARGET_OS"), of("CARGO_CFG_TARGET_ARCH"));
    if system == "android" || (system == "linux" && machine == "x86_64") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,--icf=all");
    }
}
