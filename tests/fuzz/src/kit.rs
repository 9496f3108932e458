//! Certificates and keys of the sandbox bank, made when the targets are run.

use std::path::PathBuf;
use std::sync::LazyLock;

/// PEM texts of one identity.
pub struct Pair {
    pub certificate: Vec<u8>,
    pub chain: Vec<u8>,
    pub key: Vec<u8>,
}

/// The QSealC of the sandbox's issuer.
pub static QSEALC: LazyLock<Pair> = LazyLock::new(|| pair("qsealc"));
/// The QWAC of the sandbox's issuer.
pub static QWAC: LazyLock<Pair> = LazyLock::new(|| pair("qwac"));

fn pair(name: &str) -> Pair {
    let file = |part: &str| read(&format!("{name}.{part}.pem"));
    Pair { certificate: file("leaf"), chain: file("chain"), key: file("key") }
}

/// A file of the kit.
///
/// # Panics
/// When there is none: `run` makes it and names the folder in CBPII_FUZZ_KIT.
#[must_use]
pub fn read(name: &str) -> Vec<u8> {
    let folder =
        std::env::var_os("CBPII_FUZZ_KIT").map(PathBuf::from).expect("CBPII_FUZZ_KIT: use tests/fuzz/run");
    std::fs::read(folder.join(name)).expect("a file of the kit")
}
