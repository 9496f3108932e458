//! The numbers of the error catalogue and of its kinds, advices and answers. A test compares them with the core.

// What went wrong, in groups.

/// Something given at set-up (bank record, key, certificate, option) cannot be used.
pub const CBPII_ERROR_KIND_CONFIGURATION: i32 = 1;
/// The issuer's certificates do not entitle it to this product.
pub const CBPII_ERROR_KIND_ELIGIBILITY: i32 = 2;
/// A value given for this call is not acceptable; nothing was sent.
pub const CBPII_ERROR_KIND_INVALID_REQUEST: i32 = 3;
/// The cardholder or the bank said no to the consent.
pub const CBPII_ERROR_KIND_CONSENT_REFUSED: i32 = 4;
/// There is no usable consent (any more): the cardholder must go to the bank again.
pub const CBPII_ERROR_KIND_CONSENT_REQUIRED: i32 = 5;
/// The bank understood the request and refused it.
pub const CBPII_ERROR_KIND_BANK_REFUSED: i32 = 6;
/// The bank wants fewer calls.
pub const CBPII_ERROR_KIND_RATE_LIMITED: i32 = 7;
/// The bank has a problem of its own.
pub const CBPII_ERROR_KIND_BANK_UNAVAILABLE: i32 = 8;
/// The time budget ran out. **This is not a "no".**
pub const CBPII_ERROR_KIND_TIMEOUT: i32 = 9;
/// The bank could not be reached, or the connection broke.
pub const CBPII_ERROR_KIND_NETWORK: i32 = 10;
/// The secure channel could not be made.
pub const CBPII_ERROR_KIND_TLS: i32 = 11;
/// The bank answered with something that is not a valid answer.
pub const CBPII_ERROR_KIND_PROTOCOL: i32 = 12;
/// The consent store failed.
pub const CBPII_ERROR_KIND_STORE: i32 = 13;
/// The caller cancelled the call.
pub const CBPII_ERROR_KIND_CANCELLED: i32 = 14;
/// A defect of this library.
pub const CBPII_ERROR_KIND_INTERNAL: i32 = 15;

// What to do about an error.

/// Try again; it may well work.
pub const CBPII_ADVICE_RETRY: i32 = 1;
/// Try again after `cbpii_error_retry_after` (or a pause of your choice when the bank named none).
pub const CBPII_ADVICE_RETRY_AFTER: i32 = 2;
/// Send the cardholder to the bank for a new consent.
pub const CBPII_ADVICE_RENEW_CONSENT: i32 = 3;
/// Change what was passed to this call.
pub const CBPII_ADVICE_FIX_REQUEST: i32 = 4;
/// Change the set-up: bank record, certificates, keys, options.
pub const CBPII_ADVICE_FIX_CONFIGURATION: i32 = 5;
/// Ask the bank, with the request id and the explanation at hand.
pub const CBPII_ADVICE_CONTACT_BANK: i32 = 6;

// Whether a failed request reached the bank.

/// Certainly not: no byte of it left this machine.
pub const CBPII_REQUEST_SENT_NO: i32 = 1;
/// Yes: the bank answered it.
pub const CBPII_REQUEST_SENT_YES: i32 = 2;
/// It may have: it left, and no answer came.
pub const CBPII_REQUEST_SENT_UNKNOWN: i32 = 3;

// The exact causes. Numbers are stable; those of retired causes are never used again.

/// configuration.bank_record: A bank record has a field that is missing, unknown or not acceptable; the message names its path.
pub const CBPII_ERROR_CONFIGURATION_BANK_RECORD: i32 = 1001;
/// configuration.bank_unknown: No bank of the directory matches what was asked for.
pub const CBPII_ERROR_CONFIGURATION_BANK_UNKNOWN: i32 = 1002;
/// configuration.endpoint_missing: This bank's endpoints are not in the directory and must be supplied by the caller.
pub const CBPII_ERROR_CONFIGURATION_ENDPOINT_MISSING: i32 = 1003;
/// configuration.endpoint_invalid: A bank endpoint is not an absolute https URL.
pub const CBPII_ERROR_CONFIGURATION_ENDPOINT_INVALID: i32 = 1004;
/// configuration.redirect_uri: The redirect URI is not an absolute https or app-scheme URI.
pub const CBPII_ERROR_CONFIGURATION_REDIRECT_URI: i32 = 1005;
/// configuration.client_id: The client_id is empty or has characters that cannot be sent.
pub const CBPII_ERROR_CONFIGURATION_CLIENT_ID: i32 = 1006;
/// configuration.client_secret: This bank needs a client secret and none usable was given.
pub const CBPII_ERROR_CONFIGURATION_CLIENT_SECRET: i32 = 1007;
/// configuration.certificate_unreadable: A certificate could not be read.
pub const CBPII_ERROR_CONFIGURATION_CERTIFICATE_UNREADABLE: i32 = 1008;
/// configuration.key_unreadable: A private key could not be read.
pub const CBPII_ERROR_CONFIGURATION_KEY_UNREADABLE: i32 = 1009;
/// configuration.key_password: A private key is encrypted and the password is missing or wrong.
pub const CBPII_ERROR_CONFIGURATION_KEY_PASSWORD: i32 = 1010;
/// configuration.key_unsupported: A private key has a type, size or container that cannot be used.
pub const CBPII_ERROR_CONFIGURATION_KEY_UNSUPPORTED: i32 = 1011;
/// configuration.key_mismatch: A private key does not belong to its certificate.
pub const CBPII_ERROR_CONFIGURATION_KEY_MISMATCH: i32 = 1012;
/// configuration.seal_missing: This bank wants signed requests and the issuer has no usable seal.
pub const CBPII_ERROR_CONFIGURATION_SEAL_MISSING: i32 = 1013;
/// configuration.trust_anchor: A root certificate of the bank could not be read.
pub const CBPII_ERROR_CONFIGURATION_TRUST_ANCHOR: i32 = 1014;
/// configuration.header: A header name or value has characters that must not be sent.
pub const CBPII_ERROR_CONFIGURATION_HEADER: i32 = 1015;
/// configuration.proxy: The proxy address cannot be used.
pub const CBPII_ERROR_CONFIGURATION_PROXY: i32 = 1016;
/// configuration.option: An option has a value outside its range.
pub const CBPII_ERROR_CONFIGURATION_OPTION: i32 = 1017;
/// configuration.signer_failed: The signer (key, HSM or callback) could not produce a signature.
pub const CBPII_ERROR_CONFIGURATION_SIGNER_FAILED: i32 = 1018;
/// eligibility.not_a_cbpii: The certificate does not carry the PSD2 role PSP_IC that funds confirmation needs.
pub const CBPII_ERROR_ELIGIBILITY_NOT_A_CBPII: i32 = 2001;
/// eligibility.certificate_expired: The certificate has expired.
pub const CBPII_ERROR_ELIGIBILITY_CERTIFICATE_EXPIRED: i32 = 2002;
/// eligibility.certificate_not_yet_valid: The certificate is not valid yet, or this machine's clock is wrong.
pub const CBPII_ERROR_ELIGIBILITY_CERTIFICATE_NOT_YET_VALID: i32 = 2003;
/// eligibility.certificate_wrong_use: A certificate was given for a use it was not issued for, such as an eSeal as QWAC.
pub const CBPII_ERROR_ELIGIBILITY_CERTIFICATE_WRONG_USE: i32 = 2004;
/// eligibility.certificate_pss: The certificate is signed with RSASSA-PSS, which this bank refuses.
pub const CBPII_ERROR_ELIGIBILITY_CERTIFICATE_PSS: i32 = 2005;
/// request.reference: The reference is empty, longer than 35 characters or has control characters.
pub const CBPII_ERROR_REQUEST_REFERENCE: i32 = 3001;
/// request.iban: The IBAN is malformed or its check digits are wrong.
pub const CBPII_ERROR_REQUEST_IBAN: i32 = 3002;
/// request.account: An account member other than the IBAN is empty, too long or not one of the allowed values.
pub const CBPII_ERROR_REQUEST_ACCOUNT: i32 = 3003;
/// request.amount: The amount is not a positive decimal within the currency's decimals and 13 integer digits.
pub const CBPII_ERROR_REQUEST_AMOUNT: i32 = 3004;
/// request.currency: The currency is not an ISO 4217 code.
pub const CBPII_ERROR_REQUEST_CURRENCY: i32 = 3005;
/// request.payee: The payee is empty, longer than 70 characters or has control characters.
pub const CBPII_ERROR_REQUEST_PAYEE: i32 = 3006;
/// request.psu_header: A PSU header has characters that must not be sent.
pub const CBPII_ERROR_REQUEST_PSU_HEADER: i32 = 3007;
/// request.request_id: The request id is empty, longer than 70 characters or has characters that must not be sent.
pub const CBPII_ERROR_REQUEST_REQUEST_ID: i32 = 3008;
/// request.token: A token or code has characters that OAuth 2 does not allow.
pub const CBPII_ERROR_REQUEST_TOKEN: i32 = 3009;
/// request.saved_state: A saved pending consent or token record could not be read back.
pub const CBPII_ERROR_REQUEST_SAVED_STATE: i32 = 3010;
/// request.callback: The callback is not a URL.
pub const CBPII_ERROR_REQUEST_CALLBACK: i32 = 3011;
/// request.consent_id: The id of a consent is not 1 to 255 bytes of UTF-8 without control characters.
pub const CBPII_ERROR_REQUEST_CONSENT_ID: i32 = 3012;
/// request.argument: An argument of a call from another language is missing, not UTF-8, or not what the call takes.
pub const CBPII_ERROR_REQUEST_ARGUMENT: i32 = 3013;
/// consent.access_denied: The cardholder refused the consent, or interrupted it.
pub const CBPII_ERROR_CONSENT_ACCESS_DENIED: i32 = 4001;
/// consent.refused_by_bank: The bank refused to ask the cardholder for consent.
pub const CBPII_ERROR_CONSENT_REFUSED_BY_BANK: i32 = 4002;
/// consent.pending_expired: The cardholder took longer than the pending consent lives.
pub const CBPII_ERROR_CONSENT_PENDING_EXPIRED: i32 = 5001;
/// consent.code_refused: The bank does not accept the authorization code: used before, too old or not for this issuer.
pub const CBPII_ERROR_CONSENT_CODE_REFUSED: i32 = 5002;
/// consent.lost: The bank does not accept the refresh token any more: the consent ended or was withdrawn.
pub const CBPII_ERROR_CONSENT_LOST: i32 = 5003;
/// consent.no_refresh_token: There is no refresh token to refresh with.
pub const CBPII_ERROR_CONSENT_NO_REFRESH_TOKEN: i32 = 5004;
/// consent.access_token_refused: The bank does not accept the access token, which may simply have ended.
pub const CBPII_ERROR_CONSENT_ACCESS_TOKEN_REFUSED: i32 = 5005;
/// consent.refresh_answer_lost: The answer to a refresh never came and the bank does not accept the old refresh token any more.
pub const CBPII_ERROR_CONSENT_REFRESH_ANSWER_LOST: i32 = 5006;
/// consent.expired: The consent has lasted the days the bank gives it.
pub const CBPII_ERROR_CONSENT_EXPIRED: i32 = 5007;
/// consent.unknown: The store has no consent of this id.
pub const CBPII_ERROR_CONSENT_UNKNOWN: i32 = 5008;
/// bank.account_unknown: The account number is unknown or incorrect (AC01).
pub const CBPII_ERROR_BANK_ACCOUNT_UNKNOWN: i32 = 6001;
/// bank.account_closed: The account is closed (AC04).
pub const CBPII_ERROR_BANK_ACCOUNT_CLOSED: i32 = 6002;
/// bank.account_blocked: The account is blocked (AC06).
pub const CBPII_ERROR_BANK_ACCOUNT_BLOCKED: i32 = 6003;
/// bank.tpp_unknown: The bank does not know this issuer (BE05).
pub const CBPII_ERROR_BANK_TPP_UNKNOWN: i32 = 6004;
/// bank.wrong_role: The token was issued for another role (BADS).
pub const CBPII_ERROR_BANK_WRONG_ROLE: i32 = 6005;
/// bank.access_not_granted: The consent does not cover this account (NGAC).
pub const CBPII_ERROR_BANK_ACCESS_NOT_GRANTED: i32 = 6006;
/// bank.no_eligible_account: The cardholder has no eligible account (NAAC).
pub const CBPII_ERROR_BANK_NO_ELIGIBLE_ACCOUNT: i32 = 6007;
/// bank.psu_unknown: The cardholder is unknown to the bank or has no online access (IPSU).
pub const CBPII_ERROR_BANK_PSU_UNKNOWN: i32 = 6008;
/// bank.not_implemented: The bank does not offer this service (NIMP).
pub const CBPII_ERROR_BANK_NOT_IMPLEMENTED: i32 = 6009;
/// bank.request_refused: The bank refused the request without a known business code.
pub const CBPII_ERROR_BANK_REQUEST_REFUSED: i32 = 6010;
/// bank.forbidden: The bank forbids this request.
pub const CBPII_ERROR_BANK_FORBIDDEN: i32 = 6011;
/// bank.not_found: The bank has nothing at this address.
pub const CBPII_ERROR_BANK_NOT_FOUND: i32 = 6012;
/// bank.form_refused: The bank refuses the method or media type of the request.
pub const CBPII_ERROR_BANK_FORM_REFUSED: i32 = 6013;
/// bank.client_refused: The bank does not accept this issuer's registration or client authentication.
pub const CBPII_ERROR_BANK_CLIENT_REFUSED: i32 = 6014;
/// bank.token_request_refused: The bank refused the token request.
pub const CBPII_ERROR_BANK_TOKEN_REQUEST_REFUSED: i32 = 6015;
/// bank.rate_limited: The bank wants fewer calls (429, TMRQ).
pub const CBPII_ERROR_BANK_RATE_LIMITED: i32 = 7001;
/// bank.internal_error: The bank reports an internal error (500, INTE, INTS).
pub const CBPII_ERROR_BANK_INTERNAL_ERROR: i32 = 8001;
/// bank.unavailable: The bank's service is not available at the moment (408, 502, 503, 504).
pub const CBPII_ERROR_BANK_UNAVAILABLE: i32 = 8002;
/// consent.bank_unavailable: The bank's consent service is not available at the moment.
pub const CBPII_ERROR_CONSENT_BANK_UNAVAILABLE: i32 = 8003;
/// timeout.connect: The connection was not made in time.
pub const CBPII_ERROR_TIMEOUT_CONNECT: i32 = 9001;
/// timeout.total: The answer did not come in time; this is not a "no".
pub const CBPII_ERROR_TIMEOUT_TOTAL: i32 = 9002;
/// network.name_lookup: The bank's host name could not be resolved.
pub const CBPII_ERROR_NETWORK_NAME_LOOKUP: i32 = 10001;
/// network.connect: No connection to the bank could be made.
pub const CBPII_ERROR_NETWORK_CONNECT: i32 = 10002;
/// network.disconnected: The connection broke before the whole answer had come.
pub const CBPII_ERROR_NETWORK_DISCONNECTED: i32 = 10003;
/// network.proxy: The proxy did not make the connection.
pub const CBPII_ERROR_NETWORK_PROXY: i32 = 10004;
/// network.transport_failed: The transport supplied by the caller failed.
pub const CBPII_ERROR_NETWORK_TRANSPORT_FAILED: i32 = 10005;
/// tls.unknown_issuer: The bank's certificate is not issued by a trusted authority.
pub const CBPII_ERROR_TLS_UNKNOWN_ISSUER: i32 = 11001;
/// tls.host_name: The bank's certificate is for another host.
pub const CBPII_ERROR_TLS_HOST_NAME: i32 = 11002;
/// tls.server_certificate_expired: The bank's certificate has expired.
pub const CBPII_ERROR_TLS_SERVER_CERTIFICATE_EXPIRED: i32 = 11003;
/// tls.server_certificate_invalid: The bank's certificate is not valid.
pub const CBPII_ERROR_TLS_SERVER_CERTIFICATE_INVALID: i32 = 11004;
/// tls.client_certificate_missing: The bank demands a client certificate and got none it could use.
pub const CBPII_ERROR_TLS_CLIENT_CERTIFICATE_MISSING: i32 = 11005;
/// tls.client_certificate_refused: The bank refuses our client certificate.
pub const CBPII_ERROR_TLS_CLIENT_CERTIFICATE_REFUSED: i32 = 11006;
/// tls.protocol: The two sides found no common TLS version or cipher, or the TLS exchange broke.
pub const CBPII_ERROR_TLS_PROTOCOL: i32 = 11007;
/// consent.state_mismatch: The callback does not belong to this pending consent.
pub const CBPII_ERROR_CONSENT_STATE_MISMATCH: i32 = 12001;
/// consent.issuer_mismatch: The callback names another authorization server (RFC 9207).
pub const CBPII_ERROR_CONSENT_ISSUER_MISMATCH: i32 = 12002;
/// consent.duplicated_parameter: The callback has a parameter twice.
pub const CBPII_ERROR_CONSENT_DUPLICATED_PARAMETER: i32 = 12003;
/// consent.callback_without_answer: The callback has neither a code nor an error.
pub const CBPII_ERROR_CONSENT_CALLBACK_WITHOUT_ANSWER: i32 = 12004;
/// protocol.not_json: The answer is not JSON.
pub const CBPII_ERROR_PROTOCOL_NOT_JSON: i32 = 12005;
/// protocol.answer_shape: The answer lacks a required member or has one of the wrong type.
pub const CBPII_ERROR_PROTOCOL_ANSWER_SHAPE: i32 = 12006;
/// protocol.result_not_boolean: The answer's result is not true or false.
pub const CBPII_ERROR_PROTOCOL_RESULT_NOT_BOOLEAN: i32 = 12007;
/// protocol.echo_mismatch: The answer is about another request than ours.
pub const CBPII_ERROR_PROTOCOL_ECHO_MISMATCH: i32 = 12008;
/// protocol.redirected: The bank redirected an API request, which is never followed.
pub const CBPII_ERROR_PROTOCOL_REDIRECTED: i32 = 12009;
/// protocol.unexpected_status: The bank answered with a status that has no meaning here.
pub const CBPII_ERROR_PROTOCOL_UNEXPECTED_STATUS: i32 = 12010;
/// protocol.digest_mismatch: The answer's body does not match its Digest.
pub const CBPII_ERROR_PROTOCOL_DIGEST_MISMATCH: i32 = 12011;
/// protocol.signature_invalid: The answer's signature is not the bank's.
pub const CBPII_ERROR_PROTOCOL_SIGNATURE_INVALID: i32 = 12012;
/// protocol.answer_too_large: The answer is larger than any valid one.
pub const CBPII_ERROR_PROTOCOL_ANSWER_TOO_LARGE: i32 = 12013;
/// protocol.malformed_http: The answer is not HTTP.
pub const CBPII_ERROR_PROTOCOL_MALFORMED_HTTP: i32 = 12014;
/// protocol.token_answer: The token answer lacks a usable token.
pub const CBPII_ERROR_PROTOCOL_TOKEN_ANSWER: i32 = 12015;
/// store.failed: The consent store failed.
pub const CBPII_ERROR_STORE_FAILED: i32 = 13001;
/// store.locked: Another process kept the consent store locked for too long.
pub const CBPII_ERROR_STORE_LOCKED: i32 = 13002;
/// store.read_only: The consent store cannot be written to.
pub const CBPII_ERROR_STORE_READ_ONLY: i32 = 13003;
/// store.full: The disk of the consent store is full.
pub const CBPII_ERROR_STORE_FULL: i32 = 13004;
/// store.corrupt: The consent store, or a record in it, is damaged.
pub const CBPII_ERROR_STORE_CORRUPT: i32 = 13005;
/// store.unreachable: The consent store cannot be opened.
pub const CBPII_ERROR_STORE_UNREACHABLE: i32 = 13006;
/// store.schema: The consent store was written by a newer release.
pub const CBPII_ERROR_STORE_SCHEMA: i32 = 13007;
/// store.key: The key of the consent store is not 32 bytes, or none that was given opens a record.
pub const CBPII_ERROR_STORE_KEY: i32 = 13008;
/// store.url: The URL of the consent store names no known kind of store.
pub const CBPII_ERROR_STORE_URL: i32 = 13009;
/// store.bank: The stored consent belongs to another bank.
pub const CBPII_ERROR_STORE_BANK: i32 = 13010;
/// cancelled: The caller cancelled the call.
pub const CBPII_ERROR_CANCELLED: i32 = 14001;
/// internal: A defect of this library; please report it.
pub const CBPII_ERROR_INTERNAL: i32 = 15001;
