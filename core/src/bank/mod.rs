//! What differs from bank to bank, as data.
