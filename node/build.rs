//! Gives the addon the link arguments that Node wants.

fn main() {
    napi_build::setup();
}
