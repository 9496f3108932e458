//! The funds check: amount, account, request, confirmation.
