//! The compiled part of the Python package `cbpii`: it converts, releases the GIL, and speaks Python's idiom.

use pyo3::prelude::*;

/// The compiled part of `cbpii`.
#[pymodule(gil_used = true)]
mod _cbpii {
    use super::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
