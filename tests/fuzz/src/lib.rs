//! What the fuzz targets share: a bank in memory, second opinions on what it answers, and limits on every input.

pub mod bank_in_memory;
pub mod decimal;
pub mod http;
pub mod input;
pub mod json;
pub mod kit;
pub mod memory;
pub mod query;
pub mod secrets;
pub mod yes;
