//! A strict bank.
