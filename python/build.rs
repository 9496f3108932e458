//! Tells the linker where Python is when cargo builds the extension by itself.

fn main() {
    // A wheel must carry no path of the machine that built it; maturin sets this variable.
    println!("cargo:rerun-if-env-changed=PYO3_BUILD_EXTENSION_MODULE");
    if std::env::var_os("PYO3_BUILD_EXTENSION_MODULE").is_none() {
        pyo3_build_config::add_libpython_rpath_link_args();
    }
}
