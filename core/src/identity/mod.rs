//! Who we are: certificates and their diagnosis, private keys, signers.
