/*
 * cbpii: ask a bank "are the funds there?" (PSD2, role CBPII). Version of the binary interface: CBPII_ABI_VERSION.
 *
 * Generated from the sources of the library by cbindgen. Do not edit.
 *
 * CONVENTIONS
 *
 * Names. Everything is cbpii_<thing>_<verb or fact>; constants are CBPII_<GROUP>_<NAME>. A thing is an opaque type: only
 * pointers to it are passed, and each type is a C type of its own, so that the compiler tells them apart. Through untyped
 * pointers (COBOL, Delphi) a wrong one is told by a tag at run time and is the error request.argument.
 *
 * Ownership. What a function puts into an output parameter (cbpii_thing **) belongs to the caller, who frees it with
 * cbpii_thing_free, once. What a function returns as const pointer is borrowed: a string or a handle that lives as long as
 * the handle it was asked from is neither changed nor freed. What is passed in stays the caller's; what the library needs
 * longer it copies. The exceptions are callbacks with a destructor (cbpii_signer, cbpii_transport, listener, clock): they
 * are taken over by the function they are passed to, also when it fails, and their destructor is called once, from whatever
 * thread is the last that needs them: a refresh that goes on may be that thread, shortly after the last handle was freed.
 *
 * Errors. Each function that can fail returns cbpii_error *: NULL is success, anything else is an error that the caller
 * frees with cbpii_error_free. Outputs are written only on success. The comment of a function lists what it fails with.
 * An error of a funds check is no answer, and no answer is not "no funds".
 *
 * NULL. Every cbpii_..._free accepts NULL. Functions that return a fact accept NULL and then return NULL, 0 or false. Functions
 * that can fail return the error request.argument for a NULL that their comment does not allow.
 *
 * Numbers that may be missing. Where 0 is no value, 0 says that there is none (HTTP status). Elsewhere the function returns
 * bool and writes the number only when it is there. Enumerations are int32_t: one of the CBPII_... constants; newer releases
 * may return values that this header does not list. Moments are int64_t milliseconds since 1970-01-01T00:00:00Z.
 *
 * Strings are NUL-terminated UTF-8, in and out; what is not UTF-8 is the error request.argument. Where bytes are meant
 * (certificates, keys, bodies) their length is passed too. Secrets come out only as cbpii_string, which overwrites itself when
 * freed, and only from functions whose name says "expose" or "json".
 *
 * Threads. A handle may be used by several threads at once as long as all use it through const pointers: const is safe to
 * share. A function that takes a pointer without const wants the handle for itself. A handle is freed when nobody uses it any
 * more; parts (a client's bank, a session's pool) are shared by counting and may be freed in any order. After fork(), only
 * handles that the child makes itself may be used in it.
 *
 * Callbacks are called from any thread and several at once unless their comment says otherwise. They must return: neither
 * longjmp nor a C++ exception may leave them. They may call the library, but not free what they are called from. An error
 * that a callback returns (of cbpii_error_new) becomes the error of the call it served.
 *
 * Panics. A defect of the library becomes the error internal; nothing unwinds into the caller. (Where in the library it was
 * also goes to the standard error, for the report.)
 *
 * Versions. Compare cbpii_abi_version() with CBPII_ABI_VERSION at the start of a program. Within one version of the binary
 * interface functions and constants are only added.
 */


#ifndef CBPII_H
#define CBPII_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A result that must be looked at: an error that is ignored is an error that is lost. */
#if defined(__GNUC__)
#define CBPII_MUST_USE __attribute__((warn_unused_result))
#else
#define CBPII_MUST_USE
#endif


// `sandbox`: static test data, no money.
#define CBPII_ENVIRONMENT_SANDBOX 1

// `production`: the real accounts, at the hosts of the bank's current definition.
#define CBPII_ENVIRONMENT_PRODUCTION 2

// `production-legacy`: the real accounts, at the hosts older pages name.
#define CBPII_ENVIRONMENT_PRODUCTION_LEGACY 3

// STET PSD2 API 1.4.0: the role is still called `piisp`.
#define CBPII_STANDARD_STET_1_4_0 1

// STET PSD2 API 1.4.1 and 1.4.2: the role is called `cbpii`.
#define CBPII_STANDARD_STET_1_4_2 2

// STET PSD2 API 1.6.x: amounts are JSON numbers.
#define CBPII_STANDARD_STET_1_6 3

// Mutual TLS with the bank: the QWAC.
#define CBPII_USE_TRANSPORT 1

// Signing requests: the QSealC.
#define CBPII_USE_SEAL 2

// Banks will refuse; no client is built with this certificate.
#define CBPII_SEVERITY_ERROR 1

// Some banks may refuse, or will soon.
#define CBPII_SEVERITY_WARNING 2

// Worth knowing.
#define CBPII_SEVERITY_INFORMATION 3

// `PSP_AS`, account servicing: a bank.
#define CBPII_ROLE_PSP_AS 1

// `PSP_PI`, payment initiation.
#define CBPII_ROLE_PSP_PI 2

// `PSP_AI`, account information.
#define CBPII_ROLE_PSP_AI 3

// `PSP_IC`, issuing of card-based payment instruments: what funds confirmation needs.
#define CBPII_ROLE_PSP_IC 4

// Electronic signatures of a person.
#define CBPII_QC_TYPE_ESIGN 1

// Electronic seals of an organisation: a QSealC.
#define CBPII_QC_TYPE_ESEAL 2

// Website authentication, and in PSD2 both ends of TLS: a QWAC.
#define CBPII_QC_TYPE_WEB 3

// RFC 2253, attributes without a keyword as number and text: `2.5.4.97=PSDFR-ACPR-12345,CN=…`.
#define CBPII_SPELLING_RFC2253 1

// RFC 2253, attributes without a keyword as number and DER in hexadecimal: `2.5.4.97=#0c10…,CN=…`.
#define CBPII_SPELLING_RFC2253_HEX 2

// RFC 4514 with OpenSSL's short names: `organizationIdentifier=PSDFR-ACPR-12345,CN=…`.
#define CBPII_SPELLING_RFC4514 3

// OpenSSL's one line: `/C=FR/O=…/organizationIdentifier=PSDFR-ACPR-12345/CN=…`.
#define CBPII_SPELLING_OPENSSL 4

// Something given at set-up (bank record, key, certificate, option) cannot be used.
#define CBPII_ERROR_KIND_CONFIGURATION 1

// The issuer's certificates do not entitle it to this product.
#define CBPII_ERROR_KIND_ELIGIBILITY 2

// A value given for this call is not acceptable; nothing was sent.
#define CBPII_ERROR_KIND_INVALID_REQUEST 3

// The cardholder or the bank said no to the consent.
#define CBPII_ERROR_KIND_CONSENT_REFUSED 4

// There is no usable consent (any more): the cardholder must go to the bank again.
#define CBPII_ERROR_KIND_CONSENT_REQUIRED 5

// The bank understood the request and refused it.
#define CBPII_ERROR_KIND_BANK_REFUSED 6

// The bank wants fewer calls.
#define CBPII_ERROR_KIND_RATE_LIMITED 7

// The bank has a problem of its own.
#define CBPII_ERROR_KIND_BANK_UNAVAILABLE 8

// The time budget ran out. **This is not a "no".**
#define CBPII_ERROR_KIND_TIMEOUT 9

// The bank could not be reached, or the connection broke.
#define CBPII_ERROR_KIND_NETWORK 10

// The secure channel could not be made.
#define CBPII_ERROR_KIND_TLS 11

// The bank answered with something that is not a valid answer.
#define CBPII_ERROR_KIND_PROTOCOL 12

// The consent store failed.
#define CBPII_ERROR_KIND_STORE 13

// The caller cancelled the call.
#define CBPII_ERROR_KIND_CANCELLED 14

// A defect of this library.
#define CBPII_ERROR_KIND_INTERNAL 15

// Try again; it may well work.
#define CBPII_ADVICE_RETRY 1

// Try again after `cbpii_error_retry_after` (or a pause of your choice when the bank named none).
#define CBPII_ADVICE_RETRY_AFTER 2

// Send the cardholder to the bank for a new consent.
#define CBPII_ADVICE_RENEW_CONSENT 3

// Change what was passed to this call.
#define CBPII_ADVICE_FIX_REQUEST 4

// Change the set-up: bank record, certificates, keys, options.
#define CBPII_ADVICE_FIX_CONFIGURATION 5

// Ask the bank, with the request id and the explanation at hand.
#define CBPII_ADVICE_CONTACT_BANK 6

// Certainly not: no byte of it left this machine.
#define CBPII_REQUEST_SENT_NO 1

// Yes: the bank answered it.
#define CBPII_REQUEST_SENT_YES 2

// It may have: it left, and no answer came.
#define CBPII_REQUEST_SENT_UNKNOWN 3

// configuration.bank_record: A bank record has a field that is missing, unknown or not acceptable; the message names its path.
#define CBPII_ERROR_CONFIGURATION_BANK_RECORD 1001

// configuration.bank_unknown: No bank of the directory matches what was asked for.
#define CBPII_ERROR_CONFIGURATION_BANK_UNKNOWN 1002

// configuration.endpoint_missing: This bank's endpoints are not in the directory and must be supplied by the caller.
#define CBPII_ERROR_CONFIGURATION_ENDPOINT_MISSING 1003

// configuration.endpoint_invalid: A bank endpoint is not an absolute https URL.
#define CBPII_ERROR_CONFIGURATION_ENDPOINT_INVALID 1004

// configuration.redirect_uri: The redirect URI is not an absolute https or app-scheme URI.
#define CBPII_ERROR_CONFIGURATION_REDIRECT_URI 1005

// configuration.client_id: The client_id is empty or has characters that cannot be sent.
#define CBPII_ERROR_CONFIGURATION_CLIENT_ID 1006

// configuration.client_secret: This bank needs a client secret and none usable was given.
#define CBPII_ERROR_CONFIGURATION_CLIENT_SECRET 1007

// configuration.certificate_unreadable: A certificate could not be read.
#define CBPII_ERROR_CONFIGURATION_CERTIFICATE_UNREADABLE 1008

// configuration.key_unreadable: A private key could not be read.
#define CBPII_ERROR_CONFIGURATION_KEY_UNREADABLE 1009

// configuration.key_password: A private key is encrypted and the password is missing or wrong.
#define CBPII_ERROR_CONFIGURATION_KEY_PASSWORD 1010

// configuration.key_unsupported: A private key has a type, size or container that cannot be used.
#define CBPII_ERROR_CONFIGURATION_KEY_UNSUPPORTED 1011

// configuration.key_mismatch: A private key does not belong to its certificate.
#define CBPII_ERROR_CONFIGURATION_KEY_MISMATCH 1012

// configuration.seal_missing: This bank wants signed requests and the issuer has no usable seal.
#define CBPII_ERROR_CONFIGURATION_SEAL_MISSING 1013

// configuration.trust_anchor: A root certificate of the bank could not be read.
#define CBPII_ERROR_CONFIGURATION_TRUST_ANCHOR 1014

// configuration.header: A header name or value has characters that must not be sent.
#define CBPII_ERROR_CONFIGURATION_HEADER 1015

// configuration.proxy: The proxy address cannot be used.
#define CBPII_ERROR_CONFIGURATION_PROXY 1016

// configuration.option: An option has a value outside its range.
#define CBPII_ERROR_CONFIGURATION_OPTION 1017

// configuration.signer_failed: The signer (key, HSM or callback) could not produce a signature.
#define CBPII_ERROR_CONFIGURATION_SIGNER_FAILED 1018

// eligibility.not_a_cbpii: The certificate does not carry the PSD2 role PSP_IC that funds confirmation needs.
#define CBPII_ERROR_ELIGIBILITY_NOT_A_CBPII 2001

// eligibility.certificate_expired: The certificate has expired.
#define CBPII_ERROR_ELIGIBILITY_CERTIFICATE_EXPIRED 2002

// eligibility.certificate_not_yet_valid: The certificate is not valid yet, or this machine's clock is wrong.
#define CBPII_ERROR_ELIGIBILITY_CERTIFICATE_NOT_YET_VALID 2003

// eligibility.certificate_wrong_use: A certificate was given for a use it was not issued for, such as an eSeal as QWAC.
#define CBPII_ERROR_ELIGIBILITY_CERTIFICATE_WRONG_USE 2004

// eligibility.certificate_pss: The certificate is signed with RSASSA-PSS, which this bank refuses.
#define CBPII_ERROR_ELIGIBILITY_CERTIFICATE_PSS 2005

// request.reference: The reference is empty, longer than 35 characters or has control characters.
#define CBPII_ERROR_REQUEST_REFERENCE 3001

// request.iban: The IBAN is malformed or its check digits are wrong.
#define CBPII_ERROR_REQUEST_IBAN 3002

// request.account: An account member other than the IBAN is empty, too long or not one of the allowed values.
#define CBPII_ERROR_REQUEST_ACCOUNT 3003

// request.amount: The amount is not a positive decimal within the currency's decimals and 13 integer digits.
#define CBPII_ERROR_REQUEST_AMOUNT 3004

// request.currency: The currency is not an ISO 4217 code.
#define CBPII_ERROR_REQUEST_CURRENCY 3005

// request.payee: The payee is empty, longer than 70 characters or has control characters.
#define CBPII_ERROR_REQUEST_PAYEE 3006

// request.psu_header: A PSU header has characters that must not be sent.
#define CBPII_ERROR_REQUEST_PSU_HEADER 3007

// request.request_id: The request id is empty, longer than 70 characters or has characters that must not be sent.
#define CBPII_ERROR_REQUEST_REQUEST_ID 3008

// request.token: A token or code has characters that OAuth 2 does not allow.
#define CBPII_ERROR_REQUEST_TOKEN 3009

// request.saved_state: A saved pending consent or token record could not be read back.
#define CBPII_ERROR_REQUEST_SAVED_STATE 3010

// request.callback: The callback is not a URL.
#define CBPII_ERROR_REQUEST_CALLBACK 3011

// request.consent_id: The id of a consent is not 1 to 255 bytes of UTF-8 without control characters.
#define CBPII_ERROR_REQUEST_CONSENT_ID 3012

// request.argument: An argument of a call from another language is missing, not UTF-8, or not what the call takes.
#define CBPII_ERROR_REQUEST_ARGUMENT 3013

// consent.access_denied: The cardholder refused the consent, or interrupted it.
#define CBPII_ERROR_CONSENT_ACCESS_DENIED 4001

// consent.refused_by_bank: The bank refused to ask the cardholder for consent.
#define CBPII_ERROR_CONSENT_REFUSED_BY_BANK 4002

// consent.pending_expired: The cardholder took longer than the pending consent lives.
#define CBPII_ERROR_CONSENT_PENDING_EXPIRED 5001

// consent.code_refused: The bank does not accept the authorization code: used before, too old or not for this issuer.
#define CBPII_ERROR_CONSENT_CODE_REFUSED 5002

// consent.lost: The bank does not accept the refresh token any more: the consent ended or was withdrawn.
#define CBPII_ERROR_CONSENT_LOST 5003

// consent.no_refresh_token: There is no refresh token to refresh with.
#define CBPII_ERROR_CONSENT_NO_REFRESH_TOKEN 5004

// consent.access_token_refused: The bank does not accept the access token, which may simply have ended.
#define CBPII_ERROR_CONSENT_ACCESS_TOKEN_REFUSED 5005

// consent.refresh_answer_lost: The answer to a refresh never came and the bank does not accept the old refresh token any more.
#define CBPII_ERROR_CONSENT_REFRESH_ANSWER_LOST 5006

// consent.expired: The consent has lasted the days the bank gives it.
#define CBPII_ERROR_CONSENT_EXPIRED 5007

// consent.unknown: The store has no consent of this id.
#define CBPII_ERROR_CONSENT_UNKNOWN 5008

// bank.account_unknown: The account number is unknown or incorrect (AC01).
#define CBPII_ERROR_BANK_ACCOUNT_UNKNOWN 6001

// bank.account_closed: The account is closed (AC04).
#define CBPII_ERROR_BANK_ACCOUNT_CLOSED 6002

// bank.account_blocked: The account is blocked (AC06).
#define CBPII_ERROR_BANK_ACCOUNT_BLOCKED 6003

// bank.tpp_unknown: The bank does not know this issuer (BE05).
#define CBPII_ERROR_BANK_TPP_UNKNOWN 6004

// bank.wrong_role: The token was issued for another role (BADS).
#define CBPII_ERROR_BANK_WRONG_ROLE 6005

// bank.access_not_granted: The consent does not cover this account (NGAC).
#define CBPII_ERROR_BANK_ACCESS_NOT_GRANTED 6006

// bank.no_eligible_account: The cardholder has no eligible account (NAAC).
#define CBPII_ERROR_BANK_NO_ELIGIBLE_ACCOUNT 6007

// bank.psu_unknown: The cardholder is unknown to the bank or has no online access (IPSU).
#define CBPII_ERROR_BANK_PSU_UNKNOWN 6008

// bank.not_implemented: The bank does not offer this service (NIMP).
#define CBPII_ERROR_BANK_NOT_IMPLEMENTED 6009

// bank.request_refused: The bank refused the request without a known business code.
#define CBPII_ERROR_BANK_REQUEST_REFUSED 6010

// bank.forbidden: The bank forbids this request.
#define CBPII_ERROR_BANK_FORBIDDEN 6011

// bank.not_found: The bank has nothing at this address.
#define CBPII_ERROR_BANK_NOT_FOUND 6012

// bank.form_refused: The bank refuses the method or media type of the request.
#define CBPII_ERROR_BANK_FORM_REFUSED 6013

// bank.client_refused: The bank does not accept this issuer's registration or client authentication.
#define CBPII_ERROR_BANK_CLIENT_REFUSED 6014

// bank.token_request_refused: The bank refused the token request.
#define CBPII_ERROR_BANK_TOKEN_REQUEST_REFUSED 6015

// bank.rate_limited: The bank wants fewer calls (429, TMRQ).
#define CBPII_ERROR_BANK_RATE_LIMITED 7001

// bank.internal_error: The bank reports an internal error (500, INTE, INTS).
#define CBPII_ERROR_BANK_INTERNAL_ERROR 8001

// bank.unavailable: The bank's service is not available at the moment (408, 502, 503, 504).
#define CBPII_ERROR_BANK_UNAVAILABLE 8002

// consent.bank_unavailable: The bank's consent service is not available at the moment.
#define CBPII_ERROR_CONSENT_BANK_UNAVAILABLE 8003

// timeout.connect: The connection was not made in time.
#define CBPII_ERROR_TIMEOUT_CONNECT 9001

// timeout.total: The answer did not come in time; this is not a "no".
#define CBPII_ERROR_TIMEOUT_TOTAL 9002

// network.name_lookup: The bank's host name could not be resolved.
#define CBPII_ERROR_NETWORK_NAME_LOOKUP 10001

// network.connect: No connection to the bank could be made.
#define CBPII_ERROR_NETWORK_CONNECT 10002

// network.disconnected: The connection broke before the whole answer had come.
#define CBPII_ERROR_NETWORK_DISCONNECTED 10003

// network.proxy: The proxy did not make the connection.
#define CBPII_ERROR_NETWORK_PROXY 10004

// network.transport_failed: The transport supplied by the caller failed.
#define CBPII_ERROR_NETWORK_TRANSPORT_FAILED 10005

// tls.unknown_issuer: The bank's certificate is not issued by a trusted authority.
#define CBPII_ERROR_TLS_UNKNOWN_ISSUER 11001

// tls.host_name: The bank's certificate is for another host.
#define CBPII_ERROR_TLS_HOST_NAME 11002

// tls.server_certificate_expired: The bank's certificate has expired.
#define CBPII_ERROR_TLS_SERVER_CERTIFICATE_EXPIRED 11003

// tls.server_certificate_invalid: The bank's certificate is not valid.
#define CBPII_ERROR_TLS_SERVER_CERTIFICATE_INVALID 11004

// tls.client_certificate_missing: The bank demands a client certificate and got none it could use.
#define CBPII_ERROR_TLS_CLIENT_CERTIFICATE_MISSING 11005

// tls.client_certificate_refused: The bank refuses our client certificate.
#define CBPII_ERROR_TLS_CLIENT_CERTIFICATE_REFUSED 11006

// tls.protocol: The two sides found no common TLS version or cipher, or the TLS exchange broke.
#define CBPII_ERROR_TLS_PROTOCOL 11007

// consent.state_mismatch: The callback does not belong to this pending consent.
#define CBPII_ERROR_CONSENT_STATE_MISMATCH 12001

// consent.issuer_mismatch: The callback names another authorization server (RFC 9207).
#define CBPII_ERROR_CONSENT_ISSUER_MISMATCH 12002

// consent.duplicated_parameter: The callback has a parameter twice.
#define CBPII_ERROR_CONSENT_DUPLICATED_PARAMETER 12003

// consent.callback_without_answer: The callback has neither a code nor an error.
#define CBPII_ERROR_CONSENT_CALLBACK_WITHOUT_ANSWER 12004

// protocol.not_json: The answer is not JSON.
#define CBPII_ERROR_PROTOCOL_NOT_JSON 12005

// protocol.answer_shape: The answer lacks a required member or has one of the wrong type.
#define CBPII_ERROR_PROTOCOL_ANSWER_SHAPE 12006

// protocol.result_not_boolean: The answer's result is not true or false.
#define CBPII_ERROR_PROTOCOL_RESULT_NOT_BOOLEAN 12007

// protocol.echo_mismatch: The answer is about another request than ours.
#define CBPII_ERROR_PROTOCOL_ECHO_MISMATCH 12008

// protocol.redirected: The bank redirected an API request, which is never followed.
#define CBPII_ERROR_PROTOCOL_REDIRECTED 12009

// protocol.unexpected_status: The bank answered with a status that has no meaning here.
#define CBPII_ERROR_PROTOCOL_UNEXPECTED_STATUS 12010

// protocol.digest_mismatch: The answer's body does not match its Digest.
#define CBPII_ERROR_PROTOCOL_DIGEST_MISMATCH 12011

// protocol.signature_invalid: The answer's signature is not the bank's.
#define CBPII_ERROR_PROTOCOL_SIGNATURE_INVALID 12012

// protocol.answer_too_large: The answer is larger than any valid one.
#define CBPII_ERROR_PROTOCOL_ANSWER_TOO_LARGE 12013

// protocol.malformed_http: The answer is not HTTP.
#define CBPII_ERROR_PROTOCOL_MALFORMED_HTTP 12014

// protocol.token_answer: The token answer lacks a usable token.
#define CBPII_ERROR_PROTOCOL_TOKEN_ANSWER 12015

// store.failed: The consent store failed.
#define CBPII_ERROR_STORE_FAILED 13001

// store.locked: Another process kept the consent store locked for too long.
#define CBPII_ERROR_STORE_LOCKED 13002

// store.read_only: The consent store cannot be written to.
#define CBPII_ERROR_STORE_READ_ONLY 13003

// store.full: The disk of the consent store is full.
#define CBPII_ERROR_STORE_FULL 13004

// store.corrupt: The consent store, or a record in it, is damaged.
#define CBPII_ERROR_STORE_CORRUPT 13005

// store.unreachable: The consent store cannot be opened.
#define CBPII_ERROR_STORE_UNREACHABLE 13006

// store.schema: The consent store was written by a newer release.
#define CBPII_ERROR_STORE_SCHEMA 13007

// store.key: The key of the consent store is not 32 bytes, or none that was given opens a record.
#define CBPII_ERROR_STORE_KEY 13008

// store.url: The URL of the consent store names no known kind of store.
#define CBPII_ERROR_STORE_URL 13009

// store.bank: The stored consent belongs to another bank.
#define CBPII_ERROR_STORE_BANK 13010

// cancelled: The caller cancelled the call.
#define CBPII_ERROR_CANCELLED 14001

// internal: A defect of this library; please report it.
#define CBPII_ERROR_INTERNAL 15001

// An authorization code is exchanged for tokens.
#define CBPII_OPERATION_EXCHANGE_CODE 1

// Tokens are refreshed.
#define CBPII_OPERATION_REFRESH 2

// Funds are checked.
#define CBPII_OPERATION_CONFIRM_FUNDS 3

// Signed by the bank, over the body.
#define CBPII_RESPONSE_SIGNATURE_VERIFIED 1

// The answer was not signed.
#define CBPII_RESPONSE_SIGNATURE_ABSENT 2

// Signed, but the bank's certificate is not in its record, so it was not checked.
#define CBPII_RESPONSE_SIGNATURE_UNVERIFIED 3

// Good, and its end is not near.
#define CBPII_CONSENT_STATE_ACTIVE 1

// Good, and `renew_from` has passed.
#define CBPII_CONSENT_STATE_RENEW_SOON 2

// Its days are over, or its access token has ended and the bank gave no refresh token. Checks fail without asking the bank.
#define CBPII_CONSENT_STATE_EXPIRED 3

// The bank still accepts the tokens, and its last word on a check was that this consent does not allow it: another role (`BADS`), no access to the account (`NGAC`), or a token refused right after it was refreshed (401). Checks still ask the bank, and the state ends with the next yes or no.
#define CBPII_CONSENT_STATE_REFUSED 4

// The bank does not accept the refresh token any more. Checks fail without asking the bank.
#define CBPII_CONSENT_STATE_LOST 5

// Nothing.
#define CBPII_NEXT_ACTION_NONE 1

// The access token is at its end, or the outcome of a refresh is unknown. The next check sees to it.
#define CBPII_NEXT_ACTION_REFRESH 2

// Send the cardholder to the bank.
#define CBPII_NEXT_ACTION_RENEW_CONSENT 3

// Its tokens were handed over to be kept.
#define CBPII_CONSENT_EVENT_KEPT 1

// A refresh was recorded as started, before the bank was asked.
#define CBPII_CONSENT_EVENT_REFRESH_STARTED 2

// The bank gave new tokens.
#define CBPII_CONSENT_EVENT_REFRESHED 3

// The bank was not reached, or refused without touching the consent: nothing has changed.
#define CBPII_CONSENT_EVENT_REFRESH_FAILED 4

// No readable answer to a refresh came: it may have been done or not.
#define CBPII_CONSENT_EVENT_OUTCOME_UNKNOWN 5

// The bank says that the consent does not allow the check.
#define CBPII_CONSENT_EVENT_REFUSED 6

// The bank answered a check again.
#define CBPII_CONSENT_EVENT_ANSWERED 7

// The bank does not accept the refresh token any more.
#define CBPII_CONSENT_EVENT_LOST 8

// It ends, or ended, before the moment asked for.
#define CBPII_RENEWAL_ENDING 1

// The bank says that it does not allow checks.
#define CBPII_RENEWAL_REFUSED 2

// The bank does not accept its refresh token any more.
#define CBPII_RENEWAL_LOST 3

// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2): what banks mean by `rsa-sha256`.
#define CBPII_ALGORITHM_RSA_PKCS1_SHA256 1

// RSASSA-PKCS1-v1_5 with SHA-384.
#define CBPII_ALGORITHM_RSA_PKCS1_SHA384 2

// RSASSA-PKCS1-v1_5 with SHA-512.
#define CBPII_ALGORITHM_RSA_PKCS1_SHA512 3

// RSASSA-PSS with SHA-256, MGF1 of the same hash and a salt as long as the hash (RFC 8017 §8.1): what TLS 1.3 uses with RSA keys.
#define CBPII_ALGORITHM_RSA_PSS_SHA256 4

// RSASSA-PSS with SHA-384, likewise.
#define CBPII_ALGORITHM_RSA_PSS_SHA384 5

// RSASSA-PSS with SHA-512, likewise.
#define CBPII_ALGORITHM_RSA_PSS_SHA512 6

// ECDSA on P-256 with SHA-256; the signature is the ASN.1 form of RFC 3279 §2.2.3.
#define CBPII_ALGORITHM_ECDSA_P256_SHA256 7

// ECDSA on P-384 with SHA-384; the signature is the ASN.1 form of RFC 3279 §2.2.3.
#define CBPII_ALGORITHM_ECDSA_P384_SHA384 8

// The version of the binary interface this header describes. It changes only when a program that was compiled with
// an older header could no longer run with a newer library; the library's soname carries it.
#define CBPII_ABI_VERSION 1

// The account a check is about.
typedef struct cbpii_account cbpii_account;

// The one-time code of a consent that was given. It lives for minutes: exchange it at once.
typedef struct cbpii_authorization_code cbpii_authorization_code;

// A bank: everything that differs from bank to bank, as data.
typedef struct cbpii_bank cbpii_bank;

// A list of banks, the best match first.
typedef struct cbpii_bank_list cbpii_bank_list;

// Ends the calls it was given to, from any thread.
typedef struct cbpii_cancel_token cbpii_cancel_token;

// Everything known about a certificate, and what is wrong with it.
typedef struct cbpii_certificate_report cbpii_certificate_report;

// One issuer at one bank. It keeps connections open and resumes TLS sessions, so make one and keep it; all threads share
// it.
typedef struct cbpii_client cbpii_client;

// The settings of a client. Each has a default that suits a checkout server.
typedef struct cbpii_client_options cbpii_client_options;

// What happened to a consent.
typedef struct cbpii_consent_history cbpii_consent_history;

// What went wrong, and what to do about it. It holds no secret: IBANs and tokens in it are masked.
typedef struct cbpii_error cbpii_error;

// One HTTP exchange that ended, well or not; a call that was retried tells more than one. Nothing in it is secret. It
// lives as long as the callback it was given to.
typedef struct cbpii_event cbpii_event;

// A request laid open: header by header, with the exact signing string. Tokens and account numbers are masked, so it
// can be pasted anywhere.
typedef struct cbpii_explanation cbpii_explanation;

// What was found about certificates, the gravest first.
typedef struct cbpii_findings cbpii_findings;

// The bank's yes or no. Nothing is reserved by it, and it is true only for the moment.
typedef struct cbpii_funds_confirmation cbpii_funds_confirmation;

// One question to the bank: does this account hold this amount at this moment?
typedef struct cbpii_funds_request cbpii_funds_request;

// A request that a transport must send, complete: path, headers and body exactly as given, for they have been signed. It
// lives as long as the callback it was given to.
typedef struct cbpii_http_request cbpii_http_request;

// The answer that a transport fills in. It lives as long as the callback it was given to.
typedef struct cbpii_http_response cbpii_http_response;

// What to hold a certificate against.
typedef struct cbpii_inspect_options cbpii_inspect_options;

// The issuer: its registration at the banks, its certificates and its keys.
typedef struct cbpii_issuer cbpii_issuer;

// A consent that is being asked for: send the cardholder to its URL, keep it (as JSON, where only this cardholder's browser
// session leads to), and complete it with the callback.
typedef struct cbpii_pending_consent cbpii_pending_consent;

// The keys that seal consents: the current one, and former ones that only open what they sealed.
typedef struct cbpii_record_keys cbpii_record_keys;

// A consent to renew.
typedef struct cbpii_renewal cbpii_renewal;

// The consents of a store that should be renewed, read page by page while they are walked.
typedef struct cbpii_renewals cbpii_renewals;

// One cardholder's consent, refreshed when it is needed, once for all threads and processes.
typedef struct cbpii_session cbpii_session;

// When consents are refreshed and when they should be renewed.
typedef struct cbpii_session_options cbpii_session_options;

// The consents of one issuer at one bank: a client and a store.
typedef struct cbpii_session_pool cbpii_session_pool;

// A store of consents, with the keys that seal them.
typedef struct cbpii_store cbpii_store;

// A string that belongs to the caller: a secret that was asked for by name, or JSON. It is overwritten when freed.
typedef struct cbpii_string cbpii_string;

// The tokens of one cardholder's consent at one bank. Only functions with "expose" or "json" in their name give them in
// clear.
typedef struct cbpii_tokens cbpii_tokens;

// Sends the request and fills in the whole answer. It must not follow redirects, not retry, not treat a status as an
// error, not read more than 1 MiB of body. Returns NULL, or an error of `cbpii_error_new`, best with
// `CBPII_ERROR_NETWORK_TRANSPORT_FAILED`, which is never repeated, or with `CBPII_ERROR_NETWORK_CONNECT` or another network
// error, and with `cbpii_error_set_request_sent`: what of these is repeated depends on it. Called from any thread, several
// at once.
typedef cbpii_error *(*cbpii_exchange)(void *user_data,
                                       const cbpii_http_request *request,
                                       cbpii_http_response *response);

// Ends the life of a callback's `user_data`.
typedef void (*cbpii_destroy)(void *user_data);

// An HTTP stack of the caller: TLS and the client certificate are then its business. The function that takes a transport
// copies this struct.
typedef struct {
    // Given to the functions below.
    void *user_data;
    // Makes one exchange.
    cbpii_exchange exchange;
    // Called once when `user_data` is needed no more, also when taking the transport failed. May be NULL.
    cbpii_destroy destroy;
} cbpii_transport;

// Called after every HTTP exchange, on the thread that made it. It must be quick.
typedef void (*cbpii_event_listener)(void *user_data, const cbpii_event *event);

// Gives the present time in milliseconds since 1970 (UTC). Called from any thread, several at once.
typedef int64_t (*cbpii_now)(void *user_data);

// Signs `message` (not its hash) with one of the signer's algorithms: writes the bare signature to `signature`, where
// there is room for `capacity` bytes (1024), and its length to `signature_length`. Returns NULL, or an error of
// `cbpii_error_new`, best with `CBPII_ERROR_CONFIGURATION_SIGNER_FAILED`; it becomes the error of the call that needed the
// signature. Called from any thread, several at once.
typedef cbpii_error *(*cbpii_sign)(void *user_data,
                                   int32_t algorithm,
                                   const uint8_t *message,
                                   size_t message_length,
                                   uint8_t *signature,
                                   size_t capacity,
                                   size_t *signature_length);

// A key in an HSM, a smart card, another process: bytes in, signature out. The function that takes a signer copies this
// struct.
typedef struct {
    // Given to the functions below.
    void *user_data;
    // Signs.
    cbpii_sign sign;
    // What it offers, the preferred first: `algorithm_count` of `CBPII_ALGORITHM_…`. A TLS key of type RSA must offer an
    // `RSA_PSS` one (RFC 8446).
    const int32_t *algorithms;
    // How many they are.
    size_t algorithm_count;
    // Called once when `user_data` is needed no more, also when taking the signer failed. May be NULL.
    cbpii_destroy destroy;
} cbpii_signer;

// One check of many. Session and request are borrowed until the function that gave them is called again or returns for good.
typedef struct {
    // The consent to ask with.
    const cbpii_session *session;
    // The question.
    const cbpii_funds_request *request;
    // Anything of the caller's, to match the answer by.
    void *context;
} cbpii_check;

// Gives the next check: fills in `check` and returns true, or returns false behind the last. Called from threads of the
// library, never two at a time, while results are being handed over on the caller's thread.
typedef bool (*cbpii_next_check)(void *user_data, cbpii_check *check);

// Takes a result: exactly one of `confirmation` and `error` is not NULL; both are borrowed for the call. Returns true to go
// on, false to stop. Called on the caller's thread, in the order in which the checks end.
typedef bool (*cbpii_take_result)(void *user_data,
                                  void *context,
                                  const cbpii_funds_confirmation *confirmation,
                                  const cbpii_error *error);

// How far many checks have come.
typedef struct {
    // Checks that ended, well or not.
    uint64_t done;
    // Of these, with "the funds are there".
    uint64_t yes;
    // With "they are not".
    uint64_t no;
    // With an error.
    uint64_t errors;
    // From the start to the last check that ended, in microseconds.
    int64_t elapsed;
} cbpii_progress;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The bank of Groupe BPCE's platform 89C3 with this establishment code (positions 5 to 9 of its IBANs), e.g. "17515".
// `environment` is one of `CBPII_ENVIRONMENT_…`. Where two brands share a code, the main one.
//
// Fails with configuration.bank_unknown, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_bank_bpce(const char *code,
                             int32_t environment,
                             cbpii_bank **bank);

// The bank of the directory with this id, e.g. "bpce-17515" or "lydia".
//
// Fails with configuration.bank_unknown, request.argument.
CBPII_MUST_USE cbpii_error *cbpii_bank_by_id(const char *id, int32_t environment, cbpii_bank **bank);

// A bank from its record as JSON. With "base" and "environment" it is the directory's record of that id, changed by
// the other members (RFC 7396); without a base, "id", "name" and "standard" are needed. Every field of the record can be
// overridden this way; `cbpii_bank_to_json` shows them all.
//
// Fails with configuration.bank_record (naming the path of the field), configuration.bank_unknown,
// configuration.endpoint_invalid, configuration.trust_anchor, configuration.header, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_bank_from_json(const char *json,
                                  cbpii_bank **bank);

// A bank of its own for the caller, for instance out of a list.
//
// Fails with request.argument.
CBPII_MUST_USE cbpii_error *cbpii_bank_clone(const cbpii_bank *original, cbpii_bank **bank);

// The whole record as JSON, which `cbpii_bank_from_json` reads back.
//
// Fails with request.argument.
CBPII_MUST_USE cbpii_error *cbpii_bank_to_json(const cbpii_bank *bank, cbpii_string **json);

// Moves all three addresses to another origin, e.g. "https://localhost:8443"; paths and queries stay.
//
// Fails with configuration.endpoint_invalid, configuration.endpoint_missing, request.argument; the bank is then as it
// was.
CBPII_MUST_USE
cbpii_error *cbpii_bank_set_origin(cbpii_bank *bank,
                                   const char *origin);

// Sets where the cardholder's browser is sent for consent: an absolute https URL.
//
// Fails with configuration.endpoint_invalid, request.argument.
CBPII_MUST_USE cbpii_error *cbpii_bank_set_authorize_url(cbpii_bank *bank, const char *url);

// Sets where codes and refresh tokens are changed for tokens: an absolute https URL.
//
// Fails with configuration.endpoint_invalid, request.argument.
CBPII_MUST_USE cbpii_error *cbpii_bank_set_token_url(cbpii_bank *bank, const char *url);

// Sets where funds are asked for: an absolute https URL.
//
// Fails with configuration.endpoint_invalid, request.argument.
CBPII_MUST_USE cbpii_error *cbpii_bank_set_funds_url(cbpii_bank *bank, const char *url);

// Trusts one or more further root certificates (PEM text) for the bank's TLS. `only` true: these alone, not the public
// web's roots; it holds for all own roots of the bank.
//
// Fails with configuration.trust_anchor, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_bank_add_trust_anchor(cbpii_bank *bank,
                                         const char *pem,
                                         bool only);

// The stable name of the record, e.g. "bpce-17515".
const char *cbpii_bank_id(const cbpii_bank *bank);

// The bank's name, for people.
const char *cbpii_bank_name(const cbpii_bank *bank);

// The brand the cardholder knows. NULL when there is none of its own.
const char *cbpii_bank_brand(const cbpii_bank *bank);

// The bank's five digits in a French IBAN (positions 5 to 9). NULL when no single code names it.
const char *cbpii_bank_establishment_code(const cbpii_bank *bank);

// What a user of this record should know: what is deduced, chosen or unknown. NULL when there is nothing.
const char *cbpii_bank_note(const cbpii_bank *bank);

// Where the cardholder's browser is sent for consent. NULL when the caller must set it.
const char *cbpii_bank_authorize_url(const cbpii_bank *bank);

// Where codes and refresh tokens are changed for tokens. NULL when the caller must set it.
const char *cbpii_bank_token_url(const cbpii_bank *bank);

// Where funds are asked for. NULL when the caller must set it.
const char *cbpii_bank_funds_url(const cbpii_bank *bank);

// The OAuth 2 scope of this role: "cbpii", or "piisp" for STET 1.4.0.
const char *cbpii_bank_scope(const cbpii_bank *bank);

// Which installation the addresses belong to: one of `CBPII_ENVIRONMENT_…`. 0 when the record does not say.
int32_t cbpii_bank_environment(const cbpii_bank *bank);

// The version of the STET definition the bank speaks: one of `CBPII_STANDARD_…`. 0 for NULL.
int32_t cbpii_bank_standard(const cbpii_bank *bank);

// Whether something in the record has not been confirmed by the bank's own pages; the note says what.
bool cbpii_bank_is_unverified(const cbpii_bank *bank);

// How long a consent lasts from the strong authentication, in days: 180, or 90. 0 for NULL.
int32_t cbpii_bank_consent_lifetime_days(const cbpii_bank *bank);

// Whether the issuer needs a client secret at this bank.
bool cbpii_bank_wants_client_secret(const cbpii_bank *bank);

// Whether the bank refuses certificates that are themselves signed with RSASSA-PSS.
bool cbpii_bank_refuses_pss_certificates(const cbpii_bank *bank);

// Frees a bank that the caller owns, not one borrowed from a list. NULL is left alone.
void cbpii_bank_free(cbpii_bank *bank);

// Every bank of the directory in this environment.
//
// Fails with request.argument.
CBPII_MUST_USE cbpii_error *cbpii_bank_list_directory(int32_t environment, cbpii_bank_list **banks);

// The banks a person may mean, best first: every word must be part of the name, the brand or the code, whatever its case
// and accents. The list may be empty.
//
// Fails with request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_bank_list_find(const char *words,
                                  int32_t environment,
                                  cbpii_bank_list **banks);

// The bank, or the brands of the bank, that hold the account: found by positions 5 to 9 of a French IBAN. At least one.
//
// Fails with request.iban, configuration.bank_unknown, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_bank_list_from_iban(const char *iban,
                                       int32_t environment,
                                       cbpii_bank_list **banks);

// Every bank with this establishment code, the main brand first. The list may be empty.
//
// Fails with request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_bank_list_by_code(const char *code,
                                     int32_t environment,
                                     cbpii_bank_list **banks);

// How many banks there are. 0 for NULL.
size_t cbpii_bank_list_length(const cbpii_bank_list *banks);

// A bank of the list, borrowed from it; `cbpii_bank_clone` makes one to keep. NULL beyond the last.
const cbpii_bank *cbpii_bank_list_get(const cbpii_bank_list *banks, size_t place);

// Frees a list and the banks in it. NULL is left alone.
void cbpii_bank_list_free(cbpii_bank_list *banks);

// The stable name of an environment, e.g. "production-legacy". NULL for a number that is none.
const char *cbpii_environment_name(int32_t environment);

// The stable name of a version of STET, e.g. "stet-1.4.2". NULL for a number that is none.
const char *cbpii_standard_name(int32_t standard);

// A token that has not been cancelled.
//
// Fails with request.argument.
CBPII_MUST_USE cbpii_error *cbpii_cancel_token_new(cbpii_cancel_token **token);

// Ends every call that runs under this token with the error `cancelled`, and every later one before it starts. May be
// called from any thread, but not from a signal handler: it takes a lock. NULL is left alone.
void cbpii_cancel_token_cancel(const cbpii_cancel_token *token);

// Whether the token was cancelled.
bool cbpii_cancel_token_is_cancelled(const cbpii_cancel_token *token);

// Frees the token; calls that run under it go on. NULL is left alone.
void cbpii_cancel_token_free(cbpii_cancel_token *token);

// How many findings there are. 0 for NULL.
size_t cbpii_findings_count(const cbpii_findings *findings);

// How grave a finding is: one of `CBPII_SEVERITY_…`. 0 beyond the last.
int32_t cbpii_findings_severity(const cbpii_findings *findings, size_t place);

// What a finding is about: a stable text, e.g. "not_a_cbpii". NULL beyond the last.
const char *cbpii_findings_code(const cbpii_findings *findings, size_t place);

// What was found and what to do, for a person. NULL beyond the last.
const char *cbpii_findings_sentence(const cbpii_findings *findings, size_t place);

// Frees findings that the caller owns, not those borrowed from a report. NULL is left alone.
void cbpii_findings_free(cbpii_findings *findings);

// Options that hold a certificate against the present time only.
//
// Fails with request.argument.
CBPII_MUST_USE cbpii_error *cbpii_inspect_options_new(cbpii_inspect_options **options);

// Sets the moment findings about validity are as of, in milliseconds since 1970 (UTC).
//
// Fails with request.argument.
CBPII_MUST_USE cbpii_error *cbpii_inspect_options_set_now(cbpii_inspect_options *options, int64_t now);

// Also checks that the certificate was issued for this use: one of `CBPII_USE_…`.
//
// Fails with request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_inspect_options_set_use(cbpii_inspect_options *options,
                                           int32_t certificate_use);

// Also checks that this private key (PEM or DER) belongs to the certificate. `password` may be NULL.
//
// Fails with configuration.key_unreadable, configuration.key_password, configuration.key_unsupported, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_inspect_options_set_key(cbpii_inspect_options *options,
                                           const uint8_t *key,
                                           size_t key_length,
                                           const char *password);

// Also compares the organisation identifier with this client_id, if it looks like one.
//
// Fails with request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_inspect_options_set_client_id(cbpii_inspect_options *options,
                                                 const char *client_id);

// States whether the bank takes certificates signed with RSASSA-PSS. The default is that it does not, as Groupe BPCE.
//
// Fails with request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_inspect_options_set_accepts_pss(cbpii_inspect_options *options,
                                                   bool accepts);

// Frees the options. NULL is left alone.
void cbpii_inspect_options_free(cbpii_inspect_options *options);

// Reports on a certificate, PEM (with its chain in any order) or DER. `options` may be NULL.
//
// Fails with configuration.certificate_unreadable, request.argument; what is wrong with it are findings, not errors.
CBPII_MUST_USE
cbpii_error *cbpii_certificate_inspect(const uint8_t *certificate,
                                       size_t length,
                                       const cbpii_inspect_options *options,
                                       cbpii_certificate_report **report);

// Whom the certificate was issued to, in one of `CBPII_SPELLING_…`. NULL for another number.
const char *cbpii_certificate_report_subject(const cbpii_certificate_report *report, int32_t spelling_number);

// Who issued the certificate, in one of `CBPII_SPELLING_…`. NULL for another number.
const char *cbpii_certificate_report_issuer(const cbpii_certificate_report *report, int32_t spelling_number);

// The subject's organizationIdentifier (2.5.4.97) as it stands, e.g. "PSDFR-ACPR-12345". NULL when it has none.
const char *cbpii_certificate_report_organisation_identifier(const cbpii_certificate_report *report);

// The country of its PSD2 authority, e.g. "FR". NULL when the identifier does not follow ETSI TS 119 495.
const char *cbpii_certificate_report_psd2_country(const cbpii_certificate_report *report);

// The PSD2 authority, e.g. "ACPR". NULL as above.
const char *cbpii_certificate_report_psd2_authority(const cbpii_certificate_report *report);

// The authorisation number, e.g. "12345". NULL as above.
const char *cbpii_certificate_report_psd2_number(const cbpii_certificate_report *report);

// The name of the authority that gave the roles. NULL when there is no PSD2 statement.
const char *cbpii_certificate_report_authority_name(const cbpii_certificate_report *report);

// The identifier of that authority, e.g. "FR-ACPR". NULL as above.
const char *cbpii_certificate_report_authority_id(const cbpii_certificate_report *report);

// The serial number in lower-case hexadecimal, two digits a byte.
const char *cbpii_certificate_report_serial_hex(const cbpii_certificate_report *report);

// The serial number in decimal.
const char *cbpii_certificate_report_serial_decimal(const cbpii_certificate_report *report);

// SHA-1 of the DER, lower-case hexadecimal without colons.
const char *cbpii_certificate_report_sha1_fingerprint(const cbpii_certificate_report *report);

// SHA-256 of the DER, lower-case hexadecimal without colons.
const char *cbpii_certificate_report_sha256_fingerprint(const cbpii_certificate_report *report);

// SHA-256 of the DER as JOSE writes it (RFC 7517 §4.9): the value of x5t#S256.
const char *cbpii_certificate_report_x5t_s256(const cbpii_certificate_report *report);

// The type of its public key: "RSA", "EC P-256", ….
const char *cbpii_certificate_report_key_type(const cbpii_certificate_report *report);

// How its issuer signed it, by OpenSSL's name, e.g. "sha256WithRSAEncryption".
const char *cbpii_certificate_report_signature_algorithm(const cbpii_certificate_report *report);

// Whether it carries this PSD2 role: one of `CBPII_ROLE_…`.
bool cbpii_certificate_report_has_role(const cbpii_certificate_report *report, int32_t role);

// Whether it was issued for this purpose, as a qualified certificate states it: one of `CBPII_QC_TYPE_…`.
bool cbpii_certificate_report_has_qc_type(const cbpii_certificate_report *report, int32_t qc_type);

// Whether it states that it is qualified.
bool cbpii_certificate_report_is_qualified(const cbpii_certificate_report *report);

// Whether it states that its key is in a qualified device.
bool cbpii_certificate_report_has_secure_device(const cbpii_certificate_report *report);

// The first moment of its validity, in milliseconds since 1970 (UTC).
int64_t cbpii_certificate_report_not_before(const cbpii_certificate_report *report);

// The last moment of its validity, in milliseconds since 1970 (UTC).
int64_t cbpii_certificate_report_not_after(const cbpii_certificate_report *report);

// Whole days until it ends, rounded down; negative once it has expired.
int64_t cbpii_certificate_report_days_left(const cbpii_certificate_report *report);

// The size of its key in bits. 0 when it is not known.
uint32_t cbpii_certificate_report_key_bits(const cbpii_certificate_report *report);

// How many certificates its chain has, itself included.
size_t cbpii_certificate_report_chain_length(const cbpii_certificate_report *report);

// How many alternative names it has.
size_t cbpii_certificate_report_alternative_name_count(const cbpii_certificate_report *report);

// An alternative name: "DNS:…", "IP:…", "email:…", "URI:…". NULL beyond the last.
const char *cbpii_certificate_report_alternative_name(const cbpii_certificate_report *report, size_t place);

// What is wrong with it or worth knowing, borrowed from the report.
const cbpii_findings *cbpii_certificate_report_findings(const cbpii_certificate_report *report);

// The whole report as JSON.
//
// Fails with request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_certificate_report_to_json(const cbpii_certificate_report *report,
                                              cbpii_string **json);

// Frees a report and the findings in it. NULL is left alone.
void cbpii_certificate_report_free(cbpii_certificate_report *report);

// The stable name of a severity, e.g. "warning". NULL for a number that is none.
const char *cbpii_severity_name(int32_t severity);

// The name of a PSD2 role, e.g. "PSP_IC". NULL for a number that is none.
const char *cbpii_role_name(int32_t role);

// The stable name of a purpose, e.g. "eseal". NULL for a number that is none.
const char *cbpii_qc_type_name(int32_t qc_type);

// A client. Everything is checked, nothing is sent. `options` may be NULL for the defaults; bank, issuer and options can be
// freed afterwards.
//
// Fails with an error of kind configuration when bank record, keys, certificates or options cannot be used, of kind
// eligibility when the certificates do not entitle the issuer; request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_client_new(const cbpii_bank *bank,
                              const cbpii_issuer *issuer,
                              const cbpii_client_options *options,
                              cbpii_client **client);

// Begins a consent: makes the URL to send the cardholder to. Nothing is sent. `valid_for`, in milliseconds, is how long the
// cardholder may take; 0 for 15 minutes.
//
// Fails with request.argument, internal (no randomness).
CBPII_MUST_USE
cbpii_error *cbpii_client_begin_consent(const cbpii_client *client,
                                        int64_t valid_for,
                                        cbpii_pending_consent **pending);

// Reads the callback (the URL the browser was sent back to, whole or from its path or ? on) and exchanges its code for
// tokens, in one step. A code works once, so this is never repeated.
//
// Fails as `cbpii_pending_consent_complete` and `cbpii_client_exchange_code`.
CBPII_MUST_USE
cbpii_error *cbpii_client_complete_consent(const cbpii_client *client,
                                           const cbpii_pending_consent *pending,
                                           const char *callback_url,
                                           cbpii_tokens **tokens);

// Exchanges the code for tokens (RFC 6749 §4.1.3). A code works once, so this is never repeated: after a time-out or a
// broken connection ask the cardholder again. `timeout` in milliseconds, 0 for the client's own; `cancel` may be NULL.
//
// Fails with consent.code_refused, bank.client_refused, request.saved_state (the pending consent is of another bank), any
// error of kind network, tls, timeout, protocol or cancelled; request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_client_exchange_code(const cbpii_client *client,
                                        const cbpii_pending_consent *pending,
                                        const cbpii_authorization_code *code,
                                        int64_t timeout,
                                        const cbpii_cancel_token *cancel,
                                        cbpii_tokens **tokens);

// Refreshes the tokens (RFC 6749 §6). What the bank leaves out of its answer, such as the refresh token, stays as it was.
// `timeout` in milliseconds, 0 for the client's own; `cancel` may be NULL.
//
// Fails with consent.lost, consent.no_refresh_token, any error of kind network, tls, timeout, protocol or cancelled;
// request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_client_refresh(const cbpii_client *client,
                                  const cbpii_tokens *tokens,
                                  int64_t timeout,
                                  const cbpii_cancel_token *cancel,
                                  cbpii_tokens **refreshed);

// Asks the bank whether the account covers the amount. Nothing is reserved. An error is no answer, and no answer is not
// "no funds".
//
// Fails with consent.access_token_refused, an error of kind bank_refused, rate_limited, bank_unavailable, network, tls,
// timeout, protocol; request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_client_confirm_funds(const cbpii_client *client,
                                        const cbpii_tokens *tokens,
                                        const cbpii_funds_request *request,
                                        cbpii_funds_confirmation **confirmation);

// As `cbpii_client_confirm_funds`, with limits of its own: `timeout` in milliseconds, 0 for the client's own; `cancel` may
// be NULL.
//
// Fails as it does; cancelled.
CBPII_MUST_USE
cbpii_error *cbpii_client_confirm_funds_with(const cbpii_client *client,
                                             const cbpii_tokens *tokens,
                                             const cbpii_funds_request *request,
                                             int64_t timeout,
                                             const cbpii_cancel_token *cancel,
                                             cbpii_funds_confirmation **confirmation);

// What `cbpii_client_confirm_funds` would send, header by header, with the exact signing string. Nothing is sent and no
// key is used.
//
// Fails as far as a check fails before it is sent; request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_client_explain(const cbpii_client *client,
                                  const cbpii_funds_request *request,
                                  cbpii_explanation **explanation);

// Opens connections to the bank and finishes their handshakes ahead, so that the first real calls cost what later ones do.
// `ready` (may be NULL) is how many are: 0 with a transport of the caller's own.
//
// Fails when not one could be opened: an error of kind network, tls or timeout; configuration.option for more than 256;
// request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_client_warm_up(const cbpii_client *client,
                                  size_t connections,
                                  size_t *ready);

// How many TCP connections the client has opened so far.
uint64_t cbpii_client_connections(const cbpii_client *client);

// How many of these resumed an earlier TLS session.
uint64_t cbpii_client_resumed_connections(const cbpii_client *client);

// How often the client has looked up a host name so far.
uint64_t cbpii_client_name_lookups(const cbpii_client *client);

// Frees a client when no call of it is under way; sessions that were made with it go on. NULL is left alone.
void cbpii_client_free(cbpii_client *client);

// The defaults.
//
// Fails with request.argument.
CBPII_MUST_USE cbpii_error *cbpii_client_options_new(cbpii_client_options **options);

// Sets the time a whole call may take, retries included, in milliseconds: 1 to 3 600 000, default 10 000.
//
// Fails with request.argument; the range is checked when the client is made.
CBPII_MUST_USE
cbpii_error *cbpii_client_options_set_timeout(cbpii_client_options *options,
                                              int64_t milliseconds);

// Sets the time one connection, TLS handshake included, may take, in milliseconds: 1 to 3 600 000, default 5 000.
//
// Fails with request.argument; the range is checked when the client is made.
CBPII_MUST_USE
cbpii_error *cbpii_client_options_set_connect_timeout(cbpii_client_options *options,
                                                      int64_t milliseconds);

// Sets how many unused connections are kept open per host. Default 32; 0 keeps none.
//
// Fails with request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_client_options_set_max_idle_connections(cbpii_client_options *options,
                                                           size_t count);

// Sets how long an unused connection is kept open, in milliseconds. Default 60 000.
//
// Fails with request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_client_options_set_max_idle_age(cbpii_client_options *options,
                                                   int64_t milliseconds);

// Sets how often a funds check is sent again after a failure of the connection or a 502, 503 or 504: 0 to 5, default 1. It
// never applies to a code exchange.
//
// Fails with request.argument; the range is checked when the client is made.
CBPII_MUST_USE
cbpii_error *cbpii_client_options_set_retries(cbpii_client_options *options,
                                              uint32_t count);

// Sets an http proxy that offers CONNECT, e.g. "http://user:password@proxy:3128". The environment's proxy is never used.
//
// Fails with request.argument; the address is checked when the client is made.
CBPII_MUST_USE
cbpii_error *cbpii_client_options_set_proxy(cbpii_client_options *options,
                                            const char *url);

// Sets whether certificates that make the issuer ineligible (no PSP_IC, expired, …) keep the client from being made.
// Default true. Banks refuse such certificates anyway.
//
// Fails with request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_client_options_set_check_eligibility(cbpii_client_options *options,
                                                        bool check);

// Sets the caller's own HTTP stack. The transport is copied and taken over, also when this fails.
//
// Fails with request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_client_options_set_transport(cbpii_client_options *options,
                                                const cbpii_transport *transport);

// Sets who is told about every HTTP exchange. `destroy` (may be NULL) is called once when `user_data` is needed no more,
// also when this fails.
//
// Fails with request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_client_options_set_event_listener(cbpii_client_options *options,
                                                     cbpii_event_listener listener,
                                                     void *user_data,
                                                     cbpii_destroy destroy);

// Sets another source of the present, for tests. `destroy` (may be NULL) is called once when `user_data` is needed no
// more, also when this fails.
//
// Fails with request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_client_options_set_clock(cbpii_client_options *options,
                                            cbpii_now now,
                                            void *user_data,
                                            cbpii_destroy destroy);

// Frees the options; clients that were made with them go on. NULL is left alone.
void cbpii_client_options_free(cbpii_client_options *options);

// A pending consent from its saved form.
//
// Fails with request.saved_state, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_pending_consent_from_json(const char *json,
                                             cbpii_pending_consent **pending);

// The saved form: a secret, for it holds the `state` and the PKCE verifier.
//
// Fails with request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_pending_consent_to_json(const cbpii_pending_consent *pending,
                                           cbpii_string **json);

// Reads the callback: the URL the browser was sent back to, whole or from its path or ? on. Needs no key and no network.
// `now` in milliseconds since 1970 (UTC), 0 for the system's clock.
//
// Fails with request.callback, consent.state_mismatch, consent.issuer_mismatch, consent.duplicated_parameter,
// consent.callback_without_answer, consent.pending_expired, consent.access_denied, consent.refused_by_bank,
// consent.bank_unavailable, request.token, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_pending_consent_complete(const cbpii_pending_consent *pending,
                                            const char *callback_url,
                                            int64_t now,
                                            cbpii_authorization_code **code);

// Where to send the cardholder's browser. On a phone it opens the bank's app.
const char *cbpii_pending_consent_url(const cbpii_pending_consent *pending);

// The id of the bank it is asked from.
const char *cbpii_pending_consent_bank_id(const cbpii_pending_consent *pending);

// The `state` parameter: an unguessable text that ties the callback to this consent.
const char *cbpii_pending_consent_state(const cbpii_pending_consent *pending);

// The redirect URI, byte for byte as registered.
const char *cbpii_pending_consent_redirect_uri(const cbpii_pending_consent *pending);

// When it began, in milliseconds since 1970 (UTC).
int64_t cbpii_pending_consent_created_at(const cbpii_pending_consent *pending);

// When it is no longer accepted, in milliseconds since 1970 (UTC).
int64_t cbpii_pending_consent_expires_at(const cbpii_pending_consent *pending);

// Frees a pending consent. NULL is left alone.
void cbpii_pending_consent_free(cbpii_pending_consent *pending);

// A code that reached the issuer on another way than a callback URL.
//
// Fails with request.token, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_authorization_code_new(const char *text_of_code,
                                          cbpii_authorization_code **code);

// The code in clear: a secret.
//
// Fails with request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_authorization_code_expose(const cbpii_authorization_code *code,
                                             cbpii_string **secret);

// Overwrites and frees a code. NULL is left alone.
void cbpii_authorization_code_free(cbpii_authorization_code *code);

// Makes an error, for a callback to return. `number` is one of `CBPII_ERROR_…`; `message` is one sentence that says
// what happened and what to do, without any secret. A number that is none becomes `CBPII_ERROR_INTERNAL`, and a message
// that is NULL or not UTF-8 the code's own sentence. Never NULL.
cbpii_error *cbpii_error_new(int32_t number,
                             const char *message);

// States whether the failed request reached the bank, for a transport: one of `CBPII_REQUEST_SENT_…`. What may be
// repeated depends on it; without it the library takes it that the request may have reached the bank.
//
// Fails with request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_error_set_request_sent(cbpii_error *error,
                                          int32_t sent);

// Frees an error. NULL is left alone.
void cbpii_error_free(cbpii_error *error);

// The stable number of the cause: one of `CBPII_ERROR_…`. 0 for NULL.
int32_t cbpii_error_number(const cbpii_error *error);

// The stable text of the cause, e.g. "consent.state_mismatch".
const char *cbpii_error_code(const cbpii_error *error);

// The group of the cause: one of `CBPII_ERROR_KIND_…`. 0 for NULL.
int32_t cbpii_error_kind(const cbpii_error *error);

// What to do: one of `CBPII_ADVICE_…`. 0 for NULL.
int32_t cbpii_error_advice(const cbpii_error *error);

// One sentence for a person: what happened and what to do.
const char *cbpii_error_message(const cbpii_error *error);

// How long the bank asks to wait before the next call, in milliseconds. False when it does not.
bool cbpii_error_retry_after(const cbpii_error *error, int64_t *milliseconds);

// The HTTP status of the bank's answer. 0 when there was none.
int32_t cbpii_error_http_status(const cbpii_error *error);

// The bank's business code ("AC01", …) or OAuth error code ("invalid_grant", …). NULL when it gave none.
const char *cbpii_error_bank_code(const cbpii_error *error);

// What the bank wrote, masked and cut to 512 characters. NULL when it wrote nothing.
const char *cbpii_error_bank_message(const cbpii_error *error);

// The X-Request-ID of the failed request: what the bank's support asks for first. NULL when there was none.
const char *cbpii_error_request_id(const cbpii_error *error);

// The bank's own X-CorrelationID. NULL when it gave none.
const char *cbpii_error_correlation_id(const cbpii_error *error);

// Whether the failed request reached the bank: one of `CBPII_REQUEST_SENT_…`. 0 for NULL.
int32_t cbpii_error_request_sent(const cbpii_error *error);

// The failed request laid open, to be pasted in a ticket to the bank; borrowed from the error. NULL when none was built.
const cbpii_explanation *cbpii_error_explanation(const cbpii_error *error);

// The stable text of a number of the catalogue, e.g. "bank.account_closed" for `CBPII_ERROR_BANK_ACCOUNT_CLOSED`. NULL
// for a number that is none.
const char *cbpii_error_number_code(int32_t number);

// The stable name of a kind of error, e.g. "bank_refused". NULL for a number that is none.
const char *cbpii_error_kind_name(int32_t kind);

// The stable name of an advice, e.g. "renew_consent". NULL for a number that is none.
const char *cbpii_advice_name(int32_t advice);

// The stable name of an answer to "did it reach the bank?": "no", "yes", "unknown". NULL for a number that is none.
const char *cbpii_request_sent_name(int32_t sent);

// What was being done: one of `CBPII_OPERATION_…`.
int32_t cbpii_event_operation(const cbpii_event *event);

// At which bank: its id.
const char *cbpii_event_bank_id(const cbpii_event *event);

// The X-Request-ID. NULL when the request had none.
const char *cbpii_event_request_id(const cbpii_event *event);

// Counts the attempts of one call, from 1.
uint32_t cbpii_event_attempt(const cbpii_event *event);

// How long the exchange took, in microseconds.
int64_t cbpii_event_duration(const cbpii_event *event);

// The HTTP status. 0 when no answer came.
int32_t cbpii_event_http_status(const cbpii_event *event);

// Why it failed: one of `CBPII_ERROR_…`. 0 when it did not.
int32_t cbpii_event_error_number(const cbpii_event *event);

// All of it as one line, for a log.
const char *cbpii_event_text(const cbpii_event *event);

// The stable name of an operation, e.g. "confirm_funds". NULL for a number that is none.
const char *cbpii_operation_name(int32_t operation);

// All of it as one text, for a person.
const char *cbpii_explanation_text(const cbpii_explanation *explanation);

// The method: "POST".
const char *cbpii_explanation_method(const cbpii_explanation *explanation);

// The whole URL.
const char *cbpii_explanation_url(const cbpii_explanation *explanation);

// How many headers there are.
size_t cbpii_explanation_header_count(const cbpii_explanation *explanation);

// The name of a header, in the order of sending. NULL beyond the last.
const char *cbpii_explanation_header_name(const cbpii_explanation *explanation, size_t place);

// The masked value of a header. NULL beyond the last.
const char *cbpii_explanation_header_value(const cbpii_explanation *explanation, size_t place);

// The body, account numbers masked.
const char *cbpii_explanation_body(const cbpii_explanation *explanation);

// The input of the digest in words. NULL when there is no digest.
const char *cbpii_explanation_digest_input(const cbpii_explanation *explanation);

// The exact lines that are signed, secrets masked. NULL when nothing is signed.
const char *cbpii_explanation_signing_string(const cbpii_explanation *explanation);

// The keyId as written. NULL when nothing is signed.
const char *cbpii_explanation_key_id(const cbpii_explanation *explanation);

// Where the keyId comes from: "seal" when the issuer stated it, else the source the bank's record names. NULL when
// nothing is signed.
const char *cbpii_explanation_key_id_source(const cbpii_explanation *explanation);

// Frees an explanation that the caller owns, not one borrowed from an error. NULL is left alone.
void cbpii_explanation_free(cbpii_explanation *explanation);

// Checks an IBAN: structure of its country, and check digits.
//
// Fails with request.iban, request.argument.
CBPII_MUST_USE cbpii_error *cbpii_iban_check(const char *iban);

// How many decimals an amount of a currency (ISO 4217, e.g. "EUR") has at most: what to divide minor units by.
//
// Fails with request.currency, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_currency_decimals(const char *currency,
                                     uint32_t *decimals);

// An account by its IBAN; blanks are dropped.
//
// Fails with request.iban, request.argument.
CBPII_MUST_USE cbpii_error *cbpii_account_from_iban(const char *iban, cbpii_account **account);

// An account by a number of another scheme: "BANK", "COID", "SREN", "SRET", "NIDN", "OAUT", "CPAN" or "MPAN" (STET). Its
// `identification` has 1 to 70 characters, `issuer` 1 to 35, or is NULL.
//
// Fails with request.account, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_account_other(const char *identification,
                                 const char *scheme,
                                 const char *issuer,
                                 cbpii_account **account);

// States the currency the account is held in, e.g. "EUR"; a request in another one is then refused before it is sent.
//
// Fails with request.currency, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_account_set_currency(cbpii_account *account,
                                        const char *currency);

// States the workspace (STET 1.6: one of several contracts of the same cardholder), 1 to 32 characters.
//
// Fails with request.account, request.argument.
CBPII_MUST_USE cbpii_error *cbpii_account_set_workspace(cbpii_account *account, const char *workspace);

// The country of the account's IBAN, e.g. "FR". NULL when it has none.
const char *cbpii_account_country(const cbpii_account *account);

// The five characters that name the bank in a French IBAN. NULL for other countries, and when the account has no IBAN.
const char *cbpii_account_bank_code(const cbpii_account *account);

// The account's IBAN as it may be shown, e.g. "FR76…4006". NULL when it has none.
const char *cbpii_account_masked_iban(const cbpii_account *account);

// Frees an account; requests that were made with it go on. NULL is left alone.
void cbpii_account_free(cbpii_account *account);

// A question. `reference` is the issuer's own, 1 to 35 characters, and comes back in the answer. `amount` is positive
// decimal text such as "12.50", with at most the decimals of `currency` (ISO 4217, e.g. "EUR").
//
// Fails with request.reference, request.amount, request.currency, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_funds_request_new(const char *reference,
                                     const cbpii_account *account,
                                     const char *amount,
                                     const char *currency,
                                     cbpii_funds_request **request);

// As `cbpii_funds_request_new`, for the account of an IBAN.
//
// Fails as it does; request.iban.
CBPII_MUST_USE
cbpii_error *cbpii_funds_request_for_iban(const char *reference,
                                          const char *iban,
                                          const char *amount,
                                          const char *currency,
                                          cbpii_funds_request **request);

// Names the merchant, for the cardholder's information: 1 to 70 characters.
//
// Fails with request.payee, request.argument.
CBPII_MUST_USE cbpii_error *cbpii_funds_request_set_payee(cbpii_funds_request *request, const char *payee);

// Tells the bank about the cardholder's own connection, when the cardholder is present: one of STET's headers
// PSU-IP-Address, PSU-IP-Port, PSU-HTTP-Method, PSU-Date, PSU-GEO-Location, PSU-User-Agent, PSU-Referer, PSU-Accept,
// PSU-Accept-Charset, PSU-Accept-Encoding, PSU-Accept-Language, PSU-Device-ID, with printable ASCII.
//
// Fails with request.psu_header, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_funds_request_set_psu_header(cbpii_funds_request *request,
                                                const char *name,
                                                const char *value);

// Sets the X-Request-ID of the call, 1 to 70 visible ASCII characters; without it each call makes a fresh UUID.
//
// Fails with request.request_id, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_funds_request_set_request_id(cbpii_funds_request *request,
                                                const char *id);

// Frees a request. NULL is left alone.
void cbpii_funds_request_free(cbpii_funds_request *request);

// Whether the account covers the amount. False for NULL, which is no answer.
bool cbpii_funds_confirmation_available(const cbpii_funds_confirmation *confirmation);

// The issuer's own reference, as asked.
const char *cbpii_funds_confirmation_reference(const cbpii_funds_confirmation *confirmation);

// The X-Request-ID that was sent: what the bank's support asks for first. NULL at a bank that takes none.
const char *cbpii_funds_confirmation_request_id(const cbpii_funds_confirmation *confirmation);

// The bank's own X-CorrelationID. NULL when it gave none.
const char *cbpii_funds_confirmation_correlation_id(const cbpii_funds_confirmation *confirmation);

// The id of the bank that answered.
const char *cbpii_funds_confirmation_bank_id(const cbpii_funds_confirmation *confirmation);

// The bank's announcement that this version of its API will end (HTTP Warning: 299). NULL when there is none.
const char *cbpii_funds_confirmation_deprecation_warning(const cbpii_funds_confirmation *confirmation);

// When the answer came, in milliseconds since 1970 (UTC).
int64_t cbpii_funds_confirmation_checked_at(const cbpii_funds_confirmation *confirmation);

// How long the call took, retries included, in microseconds.
int64_t cbpii_funds_confirmation_duration(const cbpii_funds_confirmation *confirmation);

// What is known of the answer's signature: one of `CBPII_RESPONSE_SIGNATURE_…`. 0 for NULL.
int32_t cbpii_funds_confirmation_response_signature(const cbpii_funds_confirmation *confirmation);

// Frees a confirmation. NULL is left alone.
void cbpii_funds_confirmation_free(cbpii_funds_confirmation *confirmation);

// The stable name of what is known of a signature, e.g. "verified". NULL for a number that is none.
const char *cbpii_response_signature_name(int32_t response_signature);

// An issuer by its `client_id` (the organisation identifier such as "PSDFR-ACPR-12345", or what the bank's registration
// returned) and its redirect URI, which is kept and sent byte for byte.
//
// Fails with configuration.client_id, configuration.redirect_uri, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_issuer_new(const char *client_id,
                              const char *redirect_uri,
                              cbpii_issuer **issuer);

// Sets the client secret that some banks want besides the certificate.
//
// Fails with configuration.client_secret, request.argument.
CBPII_MUST_USE cbpii_error *cbpii_issuer_set_client_secret(cbpii_issuer *issuer, const char *secret);

// Sets the QWAC for mutual TLS: certificates (PEM in any order, or DER) and their key (PEM or DER: PKCS#8, PKCS#1, SEC 1,
// encrypted PKCS#8). `password` may be NULL.
//
// Fails with configuration.certificate_unreadable, configuration.key_unreadable, configuration.key_password,
// configuration.key_unsupported, configuration.key_mismatch, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_issuer_set_transport(cbpii_issuer *issuer,
                                        const uint8_t *chain,
                                        size_t chain_length,
                                        const uint8_t *key,
                                        size_t key_length,
                                        const char *password);

// As `cbpii_issuer_set_transport`, from two files.
//
// Fails as it does; a file that cannot be read is configuration.certificate_unreadable or configuration.key_unreadable.
CBPII_MUST_USE
cbpii_error *cbpii_issuer_set_transport_files(cbpii_issuer *issuer,
                                              const char *chain_path,
                                              const char *key_path,
                                              const char *password);

// Sets the QWAC from a PKCS#12 keystore (.p12, .pfx).
//
// Fails as `cbpii_issuer_set_transport` does.
CBPII_MUST_USE
cbpii_error *cbpii_issuer_set_transport_pkcs12(cbpii_issuer *issuer,
                                               const uint8_t *keystore,
                                               size_t length,
                                               const char *password);

// Sets the QWAC with a key that this library never sees. The signer is copied and taken over, also when this fails.
//
// Fails with configuration.certificate_unreadable, configuration.key_unsupported, configuration.signer_failed (it offers
// no algorithm that TLS 1.3 can use), request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_issuer_set_transport_signer(cbpii_issuer *issuer,
                                               const uint8_t *chain,
                                               size_t chain_length,
                                               const cbpii_signer *signer);

// Sets the QSealC for signed requests, in the forms of `cbpii_issuer_set_transport`.
//
// Fails as it does.
CBPII_MUST_USE
cbpii_error *cbpii_issuer_set_seal(cbpii_issuer *issuer,
                                   const uint8_t *chain,
                                   size_t chain_length,
                                   const uint8_t *key,
                                   size_t key_length,
                                   const char *password);

// As `cbpii_issuer_set_seal`, from two files.
//
// Fails as `cbpii_issuer_set_transport_files` does.
CBPII_MUST_USE
cbpii_error *cbpii_issuer_set_seal_files(cbpii_issuer *issuer,
                                         const char *chain_path,
                                         const char *key_path,
                                         const char *password);

// Sets the QSealC from a PKCS#12 keystore (.p12, .pfx).
//
// Fails as `cbpii_issuer_set_transport` does.
CBPII_MUST_USE
cbpii_error *cbpii_issuer_set_seal_pkcs12(cbpii_issuer *issuer,
                                          const uint8_t *keystore,
                                          size_t length,
                                          const char *password);

// Sets the QSealC with a key that this library never sees. The signer is copied and taken over, also when this fails; it
// is not tried here.
//
// Fails with configuration.certificate_unreadable, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_issuer_set_seal_signer(cbpii_issuer *issuer,
                                          const uint8_t *chain,
                                          size_t chain_length,
                                          const cbpii_signer *signer);

// States the whole keyId to write in signatures, instead of the one the bank's record would make: for instance the URL at
// which the certificate was published. The seal must have been set.
//
// Fails with configuration.seal_missing, configuration.header, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_issuer_set_seal_key_id(cbpii_issuer *issuer,
                                          const char *key_id);

// The client_id.
const char *cbpii_issuer_client_id(const cbpii_issuer *issuer);

// The redirect URI, byte for byte.
const char *cbpii_issuer_redirect_uri(const cbpii_issuer *issuer);

// Checks both certificates for what matters at this bank, now: findings of severity error keep a client from being made.
//
// Fails with request.argument; what is wrong with the certificates are findings, not errors.
CBPII_MUST_USE
cbpii_error *cbpii_issuer_check(const cbpii_issuer *issuer,
                                const cbpii_bank *bank,
                                cbpii_findings **findings);

// Frees an issuer; clients that were made with it go on. NULL is left alone.
void cbpii_issuer_free(cbpii_issuer *issuer);

// Asks many banks many questions and returns when all are answered. At most `max_in_flight` (1 to 256) checks are under
// way, and no more than a few times as many are pulled ahead of their results. A bank that answers 429 is left alone for as
// long as it says.
//
// `timeout` is the time each check may take, in milliseconds, 0 for its client's own; `max_pause` the longest pause of a bank
// that is waited for, 0 for 5 minutes. `cancel` (may be NULL) ends everything: no further check is pulled, those under way
// end with the error `cancelled`, and all that were pulled are still handed over. When `take` returns false the rest is
// cancelled and not handed over. `progress` (may be NULL) is written in the end, also when this fails.
//
// Fails with configuration.option, request.argument (also when `next` gave a check without session or request: the checks
// before it are answered), internal (no thread). Errors of checks are results.
CBPII_MUST_USE
cbpii_error *cbpii_confirm_many(cbpii_next_check next,
                                cbpii_take_result take,
                                void *user_data,
                                size_t max_in_flight,
                                int64_t timeout,
                                int64_t max_pause,
                                const cbpii_cancel_token *cancel,
                                cbpii_progress *progress);

// The defaults.
//
// Fails with request.argument.
CBPII_MUST_USE cbpii_error *cbpii_session_options_new(cbpii_session_options **options);

// Sets how long before its end an access token is refreshed, in milliseconds: at most one hour, default 60 000.
//
// Fails with request.argument; the range is checked when the pool is made.
CBPII_MUST_USE
cbpii_error *cbpii_session_options_set_refresh_margin(cbpii_session_options *options,
                                                      int64_t milliseconds);

// Sets how long before its end a consent should be renewed, in milliseconds: at most 3650 days, default 14 days.
//
// Fails with request.argument; the range is checked when the pool is made.
CBPII_MUST_USE
cbpii_error *cbpii_session_options_set_renew_before(cbpii_session_options *options,
                                                    int64_t milliseconds);

// Sets the time a refresh may take, whatever time the check that caused it has, in milliseconds: 1 000 to 300 000, default
// 10 000.
//
// Fails with request.argument; the range is checked when the pool is made.
CBPII_MUST_USE
cbpii_error *cbpii_session_options_set_refresh_timeout(cbpii_session_options *options,
                                                       int64_t milliseconds);

// Frees the options. NULL is left alone.
void cbpii_session_options_free(cbpii_session_options *options);

// A pool. `options` may be NULL for the defaults; client, store and options can be freed afterwards.
//
// Fails with configuration.option, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_session_pool_new(const cbpii_client *client,
                                    const cbpii_store *store,
                                    const cbpii_session_options *options,
                                    cbpii_session_pool **pool);

// Keeps the tokens of a consent that was just given under `id` (1 to 255 bytes, chosen by the issuer; it is stored in
// clear). A consent that was there is replaced: this is also how one is renewed.
//
// Fails with request.consent_id, an error of kind store (nothing was kept then), request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_session_pool_keep(const cbpii_session_pool *pool,
                                     const char *id,
                                     const cbpii_tokens *tokens,
                                     cbpii_session **session);

// The consent that is kept under `id`.
//
// Fails with consent.unknown, store.bank (it is another bank's), request.consent_id, an error of kind store,
// request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_session_pool_open(const cbpii_session_pool *pool,
                                     const char *id,
                                     cbpii_session **session);

// Forgets a consent, for instance when the cardholder ends the contract. `removed` (may be NULL) is whether there was one.
//
// Fails with request.consent_id, an error of kind store, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_session_pool_forget(const cbpii_session_pool *pool,
                                       const char *id,
                                       bool *removed);

// Frees a pool; its sessions go on. NULL is left alone.
void cbpii_session_pool_free(cbpii_session_pool *pool);

// Asks the bank whether the account covers the amount, with an access token that is refreshed before its end, or once
// after the bank refuses it. An error is no answer, and no answer is not "no funds".
//
// Fails as `cbpii_client_confirm_funds` and `cbpii_client_refresh`; with an error of kind consent_required when the
// cardholder has to go to the bank again; of kind store; request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_session_confirm_funds(const cbpii_session *session,
                                         const cbpii_funds_request *request,
                                         cbpii_funds_confirmation **confirmation);

// As `cbpii_session_confirm_funds`, with limits of its own: `timeout` in milliseconds, 0 for the client's own, covers
// everything; a refresh that takes longer goes on without this call. `cancel` may be NULL.
//
// Fails as it does; cancelled.
CBPII_MUST_USE
cbpii_error *cbpii_session_confirm_funds_with(const cbpii_session *session,
                                              const cbpii_funds_request *request,
                                              int64_t timeout,
                                              const cbpii_cancel_token *cancel,
                                              cbpii_funds_confirmation **confirmation);

// The id the consent is kept under.
const char *cbpii_session_id(const cbpii_session *session);

// How the consent stands now, as far as this process knows: one of `CBPII_CONSENT_STATE_…`. 0 for NULL.
int32_t cbpii_session_state(const cbpii_session *session);

// What is to be done next: one of `CBPII_NEXT_ACTION_…`. 0 for NULL.
int32_t cbpii_session_next_action(const cbpii_session *session);

// When the consent ends, in milliseconds since 1970 (UTC). Refreshing does not move it.
int64_t cbpii_session_consent_expires_at(const cbpii_session *session);

// From when on the consent should be renewed, in milliseconds since 1970 (UTC).
int64_t cbpii_session_renew_from(const cbpii_session *session);

// The whole days that are left, rounded down: 0 on the last day and after the end.
uint32_t cbpii_session_days_left(const cbpii_session *session);

// Whether fresh tokens wait in memory because the store could not take them: the process should not end before the store
// works again.
bool cbpii_session_has_unsaved_tokens(const cbpii_session *session);

// Reads the consent from the store again, to see what other processes did to it.
//
// Fails with consent.unknown, an error of kind store, request.argument.
CBPII_MUST_USE cbpii_error *cbpii_session_reload(const cbpii_session *session);

// What happened to the consent, oldest first: its last 16 moments.
//
// Fails with request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_session_history(const cbpii_session *session,
                                   cbpii_consent_history **history);

// Frees a session; the consent stays in the store. NULL is left alone.
void cbpii_session_free(cbpii_session *session);

// How many moments there are.
size_t cbpii_consent_history_length(const cbpii_consent_history *history);

// What happened: one of `CBPII_CONSENT_EVENT_…`. 0 beyond the last.
int32_t cbpii_consent_history_event(const cbpii_consent_history *history, size_t place);

// When it happened, in milliseconds since 1970 (UTC). 0 beyond the last.
int64_t cbpii_consent_history_at(const cbpii_consent_history *history, size_t place);

// The error that goes with it: one of `CBPII_ERROR_…`. 0 when there is none.
int32_t cbpii_consent_history_cause(const cbpii_consent_history *history, size_t place);

// Frees a history. NULL is left alone.
void cbpii_consent_history_free(cbpii_consent_history *history);

// The consents of every bank that end before `before` (milliseconds since 1970, UTC), or are lost or refused, the earliest
// first. Pass the present plus two weeks every night.
//
// Fails with request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_renewals_due(const cbpii_store *store,
                                int64_t before,
                                cbpii_renewals **renewals);

// The next consent to renew; `renewal` becomes NULL behind the last. A record that cannot be opened is an error in its
// place, and the walk can go on.
//
// Fails with an error of kind store, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_renewals_next(cbpii_renewals *renewals,
                                 cbpii_renewal **renewal);

// Frees a walk. NULL is left alone.
void cbpii_renewals_free(cbpii_renewals *renewals);

// The id the consent is kept under.
const char *cbpii_renewal_id(const cbpii_renewal *renewal);

// The id of its bank.
const char *cbpii_renewal_bank_id(const cbpii_renewal *renewal);

// When it ends or ended, in milliseconds since 1970 (UTC).
int64_t cbpii_renewal_consent_expires_at(const cbpii_renewal *renewal);

// Why it is on the list: one of `CBPII_RENEWAL_…`. 0 for NULL.
int32_t cbpii_renewal_reason(const cbpii_renewal *renewal);

// Frees a renewal. NULL is left alone.
void cbpii_renewal_free(cbpii_renewal *renewal);

// The stable name of a state, e.g. "renew_soon". NULL for a number that is none.
const char *cbpii_consent_state_name(int32_t state);

// The stable name of an action, e.g. "renew_consent". NULL for a number that is none.
const char *cbpii_next_action_name(int32_t action);

// The stable name of what happened, e.g. "refresh_started". NULL for a number that is none.
const char *cbpii_consent_event_name(int32_t event);

// The stable name of a reason, e.g. "ending". NULL for a number that is none.
const char *cbpii_renewal_reason_name(int32_t reason);

// The stable name of an algorithm, e.g. "rsa-pkcs1-sha256". NULL for a number that is none.
const char *cbpii_algorithm_name(int32_t algorithm);

// Keys with this current one: 32 random bytes from a key store, never a password.
//
// Fails with store.key, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_record_keys_new(const uint8_t *key,
                                   size_t length,
                                   cbpii_record_keys **keys);

// Adds a former key: records it sealed can be read, and are sealed with the current key when they are next written.
//
// Fails with store.key, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_record_keys_add_old(cbpii_record_keys *keys,
                                       const uint8_t *key,
                                       size_t length);

// Overwrites and frees keys; stores that were opened with them go on. NULL is left alone.
void cbpii_record_keys_free(cbpii_record_keys *keys);

// Opens the store a URL names: "memory", or "sqlite://" followed by a path (the file is made if it is not there, readable by
// its owner only; it must not lie on a network file system). Threads and processes of one host share a file.
//
// Fails with an error of kind store: store.url, store.unreachable, store.corrupt, store.locked, store.read_only,
// store.full, store.schema; request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_store_open(const char *url,
                              const cbpii_record_keys *keys,
                              cbpii_store **store);

// Opens a SQLite file with options: how long a call waits while another process writes, in milliseconds (0 for 5 000), and
// whether an existing file is only read, for reports.
//
// Fails as `cbpii_store_open` does.
CBPII_MUST_USE
cbpii_error *cbpii_store_open_sqlite(const char *path,
                                     int64_t busy_timeout,
                                     bool read_only,
                                     const cbpii_record_keys *keys,
                                     cbpii_store **store);

// Seals every record that is still sealed with a former key with the current one. `rewritten` (may be NULL) is how many
// those were. Safe while others use the store.
//
// Fails with an error of kind store; request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_store_reseal(const cbpii_store *store,
                                uint64_t *rewritten);

// Frees a store; sessions that use it go on. NULL is left alone.
void cbpii_store_free(cbpii_store *store);

// The text, NUL-terminated UTF-8, borrowed from the string. NULL for NULL.
const char *cbpii_string_text(const cbpii_string *string);

// The length of the text in bytes, its NUL not counted. 0 for NULL.
size_t cbpii_string_length(const cbpii_string *string);

// Overwrites and frees the string. NULL is left alone.
void cbpii_string_free(cbpii_string *string);

// Tokens that were obtained elsewhere, for example by the software this one replaces. `refresh_token` may be NULL. Moments
// are in milliseconds since 1970 (UTC); `expires_at` may be NULL when it is not known.
//
// Fails with request.token, request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_tokens_new(const char *access_token,
                              const char *refresh_token,
                              int64_t obtained_at,
                              const int64_t *expires_at,
                              int64_t consent_expires_at,
                              cbpii_tokens **tokens);

// Tokens from their saved form.
//
// Fails with request.saved_state, request.token, request.argument.
CBPII_MUST_USE cbpii_error *cbpii_tokens_from_json(const char *json, cbpii_tokens **tokens);

// The saved form: a secret, for it holds the tokens in clear. Encrypt it.
//
// Fails with request.argument.
CBPII_MUST_USE cbpii_error *cbpii_tokens_to_json(const cbpii_tokens *tokens, cbpii_string **json);

// The access token in clear: a secret.
//
// Fails with request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_tokens_expose_access_token(const cbpii_tokens *tokens,
                                              cbpii_string **secret);

// The refresh token in clear: a secret. `secret` becomes NULL when the bank gave none.
//
// Fails with request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_tokens_expose_refresh_token(const cbpii_tokens *tokens,
                                               cbpii_string **secret);

// Always "Bearer" (RFC 6750).
const char *cbpii_tokens_token_type(const cbpii_tokens *tokens);

// The scope as the bank stated it. NULL when it did not.
const char *cbpii_tokens_scope(const cbpii_tokens *tokens);

// A masked description, for a person or a log.
const char *cbpii_tokens_text(const cbpii_tokens *tokens);

// Whether the bank gave a refresh token.
bool cbpii_tokens_has_refresh_token(const cbpii_tokens *tokens);

// When the access token was obtained, in milliseconds since 1970 (UTC).
int64_t cbpii_tokens_obtained_at(const cbpii_tokens *tokens);

// When the access token ends, in milliseconds since 1970 (UTC). False when the bank did not say.
bool cbpii_tokens_expires_at(const cbpii_tokens *tokens, int64_t *moment);

// When the consent as a whole ends, in milliseconds since 1970 (UTC): the bank's 90 or 180 days. Refreshing does not move it.
int64_t cbpii_tokens_consent_expires_at(const cbpii_tokens *tokens);

// Whether the access token has ended at `now`, in milliseconds since 1970 (UTC); false when its end is not known.
bool cbpii_tokens_is_expired(const cbpii_tokens *tokens,
                             int64_t now);

// Overwrites and frees tokens. NULL is left alone.
void cbpii_tokens_free(cbpii_tokens *tokens);

// The method: "POST".
const char *cbpii_http_request_method(const cbpii_http_request *request);

// The absolute https URL.
const char *cbpii_http_request_url(const cbpii_http_request *request);

// How many headers there are. Host and Content-Length are not among them: they are the transport's business.
size_t cbpii_http_request_header_count(const cbpii_http_request *request);

// The name of a header, in small letters. NULL beyond the last.
const char *cbpii_http_request_header_name(const cbpii_http_request *request, size_t place);

// The value of a header, which may be a secret: never log it. NULL beyond the last.
const char *cbpii_http_request_header_value(const cbpii_http_request *request, size_t place);

// The body, `cbpii_http_request_body_length` bytes, which may hold secrets: never log it.
const uint8_t *cbpii_http_request_body(const cbpii_http_request *request);

// The length of the body in bytes.
size_t cbpii_http_request_body_length(const cbpii_http_request *request);

// How many milliseconds are left until the whole answer must be there. 0 when the time is over.
int64_t cbpii_http_request_time_left(const cbpii_http_request *request);

// Whether the caller has cancelled the call: a transport that waits should look now and then.
bool cbpii_http_request_is_cancelled(const cbpii_http_request *request);

// Whether the request must not travel on a connection that has been idle: it changes something at the bank, and its fate
// would be unknown if such a connection died under it.
bool cbpii_http_request_wants_fresh_connection(const cbpii_http_request *request);

// Sets the status, 100 to 599.
//
// Fails with request.argument.
CBPII_MUST_USE cbpii_error *cbpii_http_response_set_status(cbpii_http_response *response, int32_t status);

// Adds a header of the answer.
//
// Fails with request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_http_response_add_header(cbpii_http_response *response,
                                            const char *name,
                                            const char *value);

// Sets the body: `length` bytes, which are copied. More than 1 MiB makes the call fail with protocol.answer_too_large.
//
// Fails with request.argument.
CBPII_MUST_USE
cbpii_error *cbpii_http_response_set_body(cbpii_http_response *response,
                                          const uint8_t *body,
                                          size_t length);

// The version of the binary interface of the library that was loaded: equal to `CBPII_ABI_VERSION`, or the program
// must not go on.
uint32_t cbpii_abi_version(void);

// The version of the library that was loaded, e.g. "0.1.0". It lives as long as the program.
const char *cbpii_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* CBPII_H */
