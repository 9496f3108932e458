//! The one error model: a stable [`ErrorCode`] per cause, grouped into [`ErrorKind`]s, each with the
//! [`Advice`] that says what to do next. Every door's error classes are tested to equal this catalogue.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::Explanation;

/// The result of every fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in fifteen groups. Match on this to decide the flow of a program, on [`ErrorCode`]
/// for the exact cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Something given at set-up (bank record, key, certificate, option) cannot be used.
    Configuration,
    /// The issuer's certificates do not entitle it to this product.
    Eligibility,
    /// A value given for this call is not acceptable; nothing was sent.
    InvalidRequest,
    /// The cardholder or the bank said no to the consent.
    ConsentRefused,
    /// There is no usable consent (any more): the cardholder must go to the bank again.
    ConsentRequired,
    /// The bank understood the request and refused it.
    BankRefused,
    /// The bank wants fewer calls.
    RateLimited,
    /// The bank has a problem of its own.
    BankUnavailable,
    /// The time budget ran out. **This is not a "no".**
    Timeout,
    /// The bank could not be reached, or the connection broke.
    Network,
    /// The secure channel could not be made.
    Tls,
    /// The bank answered with something that is not a valid answer.
    Protocol,
    /// The consent store failed.
    Store,
    /// The caller cancelled the call.
    Cancelled,
    /// A defect of this library.
    Internal,
}

impl ErrorKind {
    /// Every kind, in the order of the catalogue.
    pub const ALL: [Self; 15] = [
        Self::Configuration,
        Self::Eligibility,
        Self::InvalidRequest,
        Self::ConsentRefused,
        Self::ConsentRequired,
        Self::BankRefused,
        Self::RateLimited,
        Self::BankUnavailable,
        Self::Timeout,
        Self::Network,
        Self::Tls,
        Self::Protocol,
        Self::Store,
        Self::Cancelled,
        Self::Internal,
    ];

    /// Stable lower-case name, e.g. `bank_refused`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Eligibility => "eligibility",
            Self::InvalidRequest => "invalid_request",
            Self::ConsentRefused => "consent_refused",
            Self::ConsentRequired => "consent_required",
            Self::BankRefused => "bank_refused",
            Self::RateLimited => "rate_limited",
            Self::BankUnavailable => "bank_unavailable",
            Self::Timeout => "timeout",
            Self::Network => "network",
            Self::Tls => "tls",
            Self::Protocol => "protocol",
            Self::Store => "store",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Advice {
    /// Try again; it may well work.
    Retry,
    /// Try again after [`Error::retry_after`] (or a pause of your choice when the bank named none).
    RetryAfter,
    /// Send the cardholder to the bank for a new consent.
    RenewConsent,
    /// Change what was passed to this call.
    FixRequest,
    /// Change the set-up: bank record, certificates, keys, options.
    FixConfiguration,
    /// Ask the bank, with the request id and the explanation at hand.
    ContactBank,
}

impl Advice {
    /// Every advice.
    pub const ALL: [Self; 6] = [
        Self::Retry,
        Self::RetryAfter,
        Self::RenewConsent,
        Self::FixRequest,
        Self::FixConfiguration,
        Self::ContactBank,
    ];

    /// Stable lower-case name, e.g. `renew_consent`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::RetryAfter => "retry_after",
            Self::RenewConsent => "renew_consent",
            Self::FixRequest => "fix_request",
            Self::FixConfiguration => "fix_configuration",
            Self::ContactBank => "contact_bank",
        }
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether the failed request reached the bank: what decides if a call may be repeated blindly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestSent {
    /// Certainly not: no byte of it left this machine.
    No,
    /// Yes: the bank answered it.
    Yes,
    /// It may have: it left, and no answer came.
    Unknown,
}

impl RequestSent {
    /// Every answer to that question.
    pub const ALL: [Self; 3] = [Self::No, Self::Yes, Self::Unknown];

    /// Stable lower-case name: `no`, `yes` or `unknown`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Yes => "yes",
            Self::Unknown => "unknown",
        }
    }
}

macro_rules! catalogue {
    ($( $kind:ident { $( $variant:ident = $number:literal, $code:literal, $advice:ident, $summary:literal, $remedy:literal; )* } )*) => {
        /// The exact cause of an error: one entry of the catalogue. Text and number are stable; new
        /// entries are appended, numbers of retired ones are never used again.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u16)]
        pub enum ErrorCode {
            $($(
                #[doc = concat!($summary, "\n\n", $remedy)]
                $variant = $number,
            )*)*
        }

        impl ErrorCode {
            /// The whole catalogue, in order of number.
            pub const ALL: &'static [Self] = &[ $($( Self::$variant, )*)* ];

            /// The stable text, e.g. `consent.state_mismatch`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($( Self::$variant => $code, )*)* }
            }

            /// The group this cause belongs to.
            #[must_use]
            pub const fn kind(self) -> ErrorKind {
                match self { $($( Self::$variant => ErrorKind::$kind, )*)* }
            }

            /// What to do about it.
            #[must_use]
            pub const fn advice(self) -> Advice {
                match self { $($( Self::$variant => Advice::$advice, )*)* }
            }

            /// What the cause means, in one sentence.
            #[must_use]
            pub const fn summary(self) -> &'static str {
                match self { $($( Self::$variant => $summary, )*)* }
            }

            /// What to do about it, for the person who looks the code up. The message of an error is about the case at
            /// hand and says more.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $($( Self::$variant => $remedy, )*)* }
            }
        }
    };
}

catalogue! {
    Configuration {
        BankRecord = 1001, "configuration.bank_record", FixConfiguration, "A bank record has a field that is missing, unknown or not acceptable; the message names its path.",
            "Correct the member at that path; begin with a record of the directory and change only what differs.";
        BankUnknown = 1002, "configuration.bank_unknown", FixConfiguration, "No bank of the directory matches what was asked for.",
            "Check the code, IBAN or name and the environment; a bank that is not in the directory is made from a record of your own.";
        EndpointMissing = 1003, "configuration.endpoint_missing", FixConfiguration, "This bank's endpoints are not in the directory and must be supplied by the caller.",
            "Ask the bank for its addresses and set them in its record.";
        EndpointInvalid = 1004, "configuration.endpoint_invalid", FixConfiguration, "A bank endpoint is not an absolute https URL.",
            "Correct the address: https, a host, neither user name nor fragment.";
        RedirectUri = 1005, "configuration.redirect_uri", FixConfiguration, "The redirect URI is not an absolute https or app-scheme URI.",
            "Give the redirect URI that is registered at the bank, byte for byte.";
        ClientId = 1006, "configuration.client_id", FixConfiguration, "The client_id is empty or has characters that cannot be sent.",
            "Give the client_id the bank assigned, or the organisation identifier of the certificates where the bank uses that.";
        ClientSecret = 1007, "configuration.client_secret", FixConfiguration, "This bank needs a client secret and none usable was given.",
            "Give the issuer the secret this bank assigned.";
        CertificateUnreadable = 1008, "configuration.certificate_unreadable", FixConfiguration, "A certificate could not be read.",
            "Give the certificate as PEM or DER, whole; the message says which form was found, and how to convert it.";
        KeyUnreadable = 1009, "configuration.key_unreadable", FixConfiguration, "A private key could not be read.",
            "Give the key as PEM or DER, whole; the message says which form was found, and how to convert it.";
        KeyPassword = 1010, "configuration.key_password", FixConfiguration, "A private key is encrypted and the password is missing or wrong.",
            "Give the password the key was encrypted with.";
        KeyUnsupported = 1011, "configuration.key_unsupported", FixConfiguration, "A private key has a type, size or container that cannot be used.",
            "Use RSA of 2048 to 4096 bits, for TLS also EC P-256 or P-384; the message says how to convert a container.";
        KeyMismatch = 1012, "configuration.key_mismatch", FixConfiguration, "A private key does not belong to its certificate.",
            "Give the key the certificate was issued for.";
        SealMissing = 1013, "configuration.seal_missing", FixConfiguration, "This bank wants signed requests and the issuer has no usable seal.",
            "Give the issuer its QSealC with an RSA key or a signer.";
        TrustAnchor = 1014, "configuration.trust_anchor", FixConfiguration, "A root certificate of the bank could not be read.",
            "Copy the bank's root again, whole, as PEM.";
        Header = 1015, "configuration.header", FixConfiguration, "A header name or value has characters that must not be sent.",
            "Take control characters and names that the library sets itself out of the bank's extra headers.";
        Proxy = 1016, "configuration.proxy", FixConfiguration, "The proxy address cannot be used.",
            "Give an http proxy that offers CONNECT, such as `http://user:password@host:3128`.";
        OptionValue = 1017, "configuration.option", FixConfiguration, "An option has a value outside its range.",
            "Correct the option the message names.";
        SignerFailed = 1018, "configuration.signer_failed", FixConfiguration, "The signer (key, HSM or callback) could not produce a signature.",
            "Look at the HSM or the signer: its own error is the cause of this one. Nothing was sent.";
    }
    Eligibility {
        NotACbpii = 2001, "eligibility.not_a_cbpii", FixConfiguration, "The certificate does not carry the PSD2 role PSP_IC that funds confirmation needs.",
            "Ask your trust service provider for a certificate with PSP_IC, and the authority for the role.";
        CertificateExpired = 2002, "eligibility.certificate_expired", FixConfiguration, "The certificate has expired.",
            "Put the new certificate in place; register it at the bank first.";
        CertificateNotYetValid = 2003, "eligibility.certificate_not_yet_valid", FixConfiguration, "The certificate is not valid yet, or this machine's clock is wrong.",
            "Check this machine's clock; otherwise wait, or go on with the certificate before.";
        CertificateWrongUse = 2004, "eligibility.certificate_wrong_use", FixConfiguration, "A certificate was given for a use it was not issued for, such as an eSeal as QWAC.",
            "Give the QWAC for TLS and the QSealC for the seal; they were probably swapped.";
        CertificatePss = 2005, "eligibility.certificate_pss", FixConfiguration, "The certificate is signed with RSASSA-PSS, which this bank refuses.",
            "Ask your trust service provider for a certificate signed with RSA PKCS#1 v1.5.";
    }
    InvalidRequest {
        Reference = 3001, "request.reference", FixRequest, "The reference is empty, longer than 35 characters or has control characters.",
            "Give 1 to 35 characters.";
        Iban = 3002, "request.iban", FixRequest, "The IBAN is malformed or its check digits are wrong.",
            "Ask the cardholder for the IBAN again.";
        Account = 3003, "request.account", FixRequest, "An account member other than the IBAN is empty, too long or not one of the allowed values.",
            "Correct the member the message names.";
        Amount = 3004, "request.amount", FixRequest, "The amount is not a positive decimal within the currency's decimals and 13 integer digits.",
            "Give a positive decimal, in euro with at most two decimals.";
        Currency = 3005, "request.currency", FixRequest, "The currency is not an ISO 4217 code.",
            "Give three capital letters, such as EUR, and the currency the account is held in.";
        Payee = 3006, "request.payee", FixRequest, "The payee is empty, longer than 70 characters or has control characters.",
            "Give 1 to 70 characters, or leave it out.";
        PsuHeader = 3007, "request.psu_header", FixRequest, "A PSU header has characters that must not be sent.",
            "Pass the cardholder's headers as the browser sent them, or leave the bad one out.";
        RequestId = 3008, "request.request_id", FixRequest, "The request id is empty, longer than 70 characters or has characters that must not be sent.",
            "Leave it out, for a fresh UUID, or give 1 to 70 visible ASCII characters.";
        Token = 3009, "request.token", FixRequest, "A token or code has characters that OAuth 2 does not allow.",
            "Pass the callback, code or token as it came; what was stored has been damaged or cut.";
        SavedState = 3010, "request.saved_state", FixRequest, "A saved pending consent or token record could not be read back.",
            "Pass what was saved, whole, to the same bank and redirect URI; otherwise begin a new consent.";
        Callback = 3011, "request.callback", FixRequest, "The callback is not a URL.",
            "Pass the URL as the browser asked for it, from its scheme, path or `?` on.";
        ConsentId = 3012, "request.consent_id", FixRequest, "The id of a consent is not 1 to 255 bytes of UTF-8 without control characters.",
            "Choose an id of 1 to 255 bytes.";
        Argument = 3013, "request.argument", FixRequest, "An argument of a call from another language is missing, not UTF-8, or not what the call takes.",
            "Correct the call; the message names the argument.";
    }
    ConsentRefused {
        AccessDenied = 4001, "consent.access_denied", RenewConsent, "The cardholder refused the consent, or interrupted it.",
            "Tell the cardholder that the card cannot be checked; ask again only if they want to.";
        ConsentRefusedByBank = 4002, "consent.refused_by_bank", FixConfiguration, "The bank refused to ask the cardholder for consent.",
            "Check client_id, redirect URI, scope and registration; the bank's words are in the error.";
    }
    ConsentRequired {
        PendingConsentExpired = 5001, "consent.pending_expired", RenewConsent, "The cardholder took longer than the pending consent lives.",
            "Begin a new consent.";
        CodeRefused = 5002, "consent.code_refused", RenewConsent, "The bank does not accept the authorization code: used before, too old or not for this issuer.",
            "Begin a new consent; see that a callback that is loaded twice is completed once.";
        ConsentLost = 5003, "consent.lost", RenewConsent, "The bank does not accept the refresh token any more: the consent ended or was withdrawn.",
            "Send the cardholder to the bank for a new consent.";
        NoRefreshToken = 5004, "consent.no_refresh_token", RenewConsent, "There is no refresh token to refresh with.",
            "Send the cardholder to the bank for a new consent.";
        AccessTokenRefused = 5005, "consent.access_token_refused", RenewConsent, "The bank does not accept the access token, which may simply have ended.",
            "Refresh and ask again; a session does so by itself. If a fresh token is refused too, begin a new consent.";
        RefreshAnswerLost = 5006, "consent.refresh_answer_lost", RenewConsent, "The answer to a refresh never came and the bank does not accept the old refresh token any more.",
            "Send the cardholder to the bank for a new consent; the time line in the message is for the bank's support.";
        ConsentExpired = 5007, "consent.expired", RenewConsent, "The consent has lasted the days the bank gives it.",
            "Send the cardholder to the bank for a new consent; next time earlier, see the renewals that are due.";
        ConsentUnknown = 5008, "consent.unknown", RenewConsent, "The store has no consent of this id.",
            "Check the id; for a cardholder who never consented, begin a consent.";
    }
    BankRefused {
        AccountUnknown = 6001, "bank.account_unknown", FixRequest, "The account number is unknown or incorrect (AC01).",
            "Check the IBAN with the cardholder, and that the consent was given at this bank.";
        AccountClosed = 6002, "bank.account_closed", RenewConsent, "The account is closed (AC04).",
            "Ask the cardholder for another account and a consent for it.";
        AccountBlocked = 6003, "bank.account_blocked", ContactBank, "The account is blocked (AC06).",
            "Decline; only the cardholder can settle it with the bank.";
        TppUnknown = 6004, "bank.tpp_unknown", FixConfiguration, "The bank does not know this issuer (BE05).",
            "Check that the certificates are registered at this bank, and that the organisation identifier is the registered one.";
        WrongRole = 6005, "bank.wrong_role", RenewConsent, "The token was issued for another role (BADS).",
            "Begin a new consent; check that the bank's record asks for the scope of funds confirmation.";
        AccessNotGranted = 6006, "bank.access_not_granted", RenewConsent, "The consent does not cover this account (NGAC).",
            "Begin a new consent for this account.";
        NoEligibleAccount = 6007, "bank.no_eligible_account", ContactBank, "The cardholder has no eligible account (NAAC).",
            "Ask the bank which accounts it answers for; a payment account reachable online is needed.";
        PsuUnknown = 6008, "bank.psu_unknown", ContactBank, "The cardholder is unknown to the bank or has no online access (IPSU).",
            "Ask the cardholder to activate online access at the bank.";
        NotImplemented = 6009, "bank.not_implemented", FixConfiguration, "The bank does not offer this service (NIMP).",
            "Check the bank's address and STET version in its record.";
        RequestRefused = 6010, "bank.request_refused", FixRequest, "The bank refused the request without a known business code.",
            "Read the bank's words in the error, and the request in its explanation.";
        Forbidden = 6011, "bank.forbidden", ContactBank, "The bank forbids this request.",
            "Ask the bank, with the request id and the explanation; often it is the registration or the signature.";
        NotFound = 6012, "bank.not_found", FixConfiguration, "The bank has nothing at this address.",
            "Check the bank's address and STET version in its record.";
        FormRefused = 6013, "bank.form_refused", FixConfiguration, "The bank refuses the method or media type of the request.",
            "Check the bank's address and STET version in its record.";
        ClientRefused = 6014, "bank.client_refused", FixConfiguration, "The bank does not accept this issuer's registration or client authentication.",
            "Check client_id, secret, the QWAC and its registration at this bank.";
        TokenRequestRefused = 6015, "bank.token_request_refused", FixConfiguration, "The bank refused the token request.",
            "Check redirect URI, scope and client authentication in the bank's record; the bank's words are in the error.";
    }
    RateLimited {
        RateLimited = 7001, "bank.rate_limited", RetryAfter, "The bank wants fewer calls (429, TMRQ).",
            "Wait as long as the bank says, then ask again; slow the job down.";
    }
    BankUnavailable {
        BankInternalError = 8001, "bank.internal_error", Retry, "The bank reports an internal error (500, INTE, INTS).",
            "Ask again later; if it stays, tell the bank.";
        BankUnavailable = 8002, "bank.unavailable", Retry, "The bank's service is not available at the moment (408, 502, 503, 504).",
            "Ask again later, after the pause the bank asked for if there is one.";
        ConsentServiceUnavailable = 8003, "consent.bank_unavailable", Retry, "The bank's consent service is not available at the moment.",
            "Begin a new consent later.";
    }
    Timeout {
        ConnectTimeout = 9001, "timeout.connect", Retry, "The connection was not made in time.",
            "Ask again; if it stays, check network and firewall.";
        TotalTimeout = 9002, "timeout.total", Retry, "The answer did not come in time; this is not a \"no\".",
            "Ask again, or decide by your rule for \"no answer\"; give the call more time if the bank is often slower.";
    }
    Network {
        NameLookup = 10001, "network.name_lookup", Retry, "The bank's host name could not be resolved.",
            "Check the bank's address and this machine's name service.";
        Connect = 10002, "network.connect", Retry, "No connection to the bank could be made.",
            "Check the bank's address, network, firewall and proxy.";
        Disconnected = 10003, "network.disconnected", Retry, "The connection broke before the whole answer had come.",
            "Ask again; `request_sent` says whether the bank may have seen the request.";
        ProxyFailed = 10004, "network.proxy", FixConfiguration, "The proxy did not make the connection.",
            "Check the proxy's address, credentials and rules.";
        TransportFailed = 10005, "network.transport_failed", Retry, "The transport supplied by the caller failed.",
            "Look at your transport: its own error is the cause of this one.";
    }
    Tls {
        TlsUnknownIssuer = 11001, "tls.unknown_issuer", FixConfiguration, "The bank's certificate is not issued by a trusted authority.",
            "Add the bank's root to its trust anchors, when the bank names one; otherwise somebody is in between.";
        TlsHostName = 11002, "tls.host_name", FixConfiguration, "The bank's certificate is for another host.",
            "Check the bank's address.";
        TlsServerCertificateExpired = 11003, "tls.server_certificate_expired", ContactBank, "The bank's certificate has expired.",
            "Check this machine's clock, then tell the bank.";
        TlsServerCertificateInvalid = 11004, "tls.server_certificate_invalid", ContactBank, "The bank's certificate is not valid.",
            "Tell the bank.";
        TlsClientCertificateMissing = 11005, "tls.client_certificate_missing", FixConfiguration, "The bank demands a client certificate and got none it could use.",
            "Give the issuer its QWAC.";
        TlsClientCertificateRefused = 11006, "tls.client_certificate_refused", FixConfiguration, "The bank refuses our client certificate.",
            "Look at the QWAC's report (expired, chain incomplete, role), then at its registration at the bank.";
        TlsProtocol = 11007, "tls.protocol", ContactBank, "The two sides found no common TLS version or cipher, or the TLS exchange broke.",
            "Ask the bank which TLS versions and ciphers it speaks; TLS 1.2 is the least.";
    }
    Protocol {
        StateMismatch = 12001, "consent.state_mismatch", RenewConsent, "The callback does not belong to this pending consent.",
            "Let the cardholder begin again from your page; many of them at once may be an attack.";
        IssuerMismatch = 12002, "consent.issuer_mismatch", RenewConsent, "The callback names another authorization server (RFC 9207).",
            "Begin a new consent; if it stays, check the bank's record. It may be an attack.";
        DuplicatedParameter = 12003, "consent.duplicated_parameter", RenewConsent, "The callback has a parameter twice.",
            "Begin a new consent; if it stays, tell the bank.";
        CallbackWithoutAnswer = 12004, "consent.callback_without_answer", RenewConsent, "The callback has neither a code nor an error.",
            "Begin a new consent; if it stays, check that the redirect URI passes the query on.";
        NotJson = 12005, "protocol.not_json", ContactBank, "The answer is not JSON.",
            "Ask the bank, with the request id; a page of a firewall or a proxy in between is common.";
        AnswerShape = 12006, "protocol.answer_shape", ContactBank, "The answer lacks a required member or has one of the wrong type.",
            "Ask the bank, with the request id and the explanation.";
        ResultNotBoolean = 12007, "protocol.result_not_boolean", ContactBank, "The answer's result is not true or false.",
            "It is not a yes. Ask the bank, with the request id.";
        EchoMismatch = 12008, "protocol.echo_mismatch", ContactBank, "The answer is about another request than ours.",
            "It is not a yes. Ask the bank, with the request id.";
        Redirected = 12009, "protocol.redirected", ContactBank, "The bank redirected an API request, which is never followed.",
            "Check the bank's address, then ask the bank.";
        UnexpectedStatus = 12010, "protocol.unexpected_status", ContactBank, "The bank answered with a status that has no meaning here.",
            "Ask the bank, with the request id and the explanation.";
        DigestMismatch = 12011, "protocol.digest_mismatch", ContactBank, "The answer's body does not match its Digest.",
            "Ask again; if it stays, something in between changes answers: tell the bank.";
        SignatureInvalid = 12012, "protocol.signature_invalid", ContactBank, "The answer's signature is not the bank's.",
            "If the bank has changed its certificate, update `response_signing_certificates` in its record; otherwise tell the bank.";
        AnswerTooLarge = 12013, "protocol.answer_too_large", ContactBank, "The answer is larger than any valid one.",
            "Check the bank's address, then ask the bank.";
        MalformedHttp = 12014, "protocol.malformed_http", ContactBank, "The answer is not HTTP.",
            "Check the bank's address and port, then ask the bank.";
        TokenAnswer = 12015, "protocol.token_answer", ContactBank, "The token answer lacks a usable token.",
            "Begin a new consent; if it stays, ask the bank.";
    }
    Store {
        StoreFailed = 13001, "store.failed", Retry, "The consent store failed.",
            "Ask again; if it stays, look at the store: its own error is the cause of this one.";
        StoreLocked = 13002, "store.locked", Retry, "Another process kept the consent store locked for too long.",
            "Ask again; look for a process that holds the database, such as a backup.";
        StoreReadOnly = 13003, "store.read_only", FixConfiguration, "The consent store cannot be written to.",
            "Give the process the right to write to the file and its folder.";
        StoreFull = 13004, "store.full", FixConfiguration, "The disk of the consent store is full.",
            "Make room. Tokens that could not be saved are kept in memory until then: do not end the process.";
        StoreCorrupt = 13005, "store.corrupt", FixConfiguration, "The consent store, or a record in it, is damaged.",
            "Go back to a backup; consents refreshed since may have to be renewed.";
        StoreUnreachable = 13006, "store.unreachable", FixConfiguration, "The consent store cannot be opened.",
            "Check the path, its folder and their rights.";
        StoreSchema = 13007, "store.schema", FixConfiguration, "The consent store was written by a newer release.",
            "Use the newer release again; nothing was changed.";
        StoreKey = 13008, "store.key", FixConfiguration, "The key of the consent store is not 32 bytes, or none that was given opens a record.",
            "Give the key the records were sealed with, as the new or an old one: 32 bytes.";
        StoreUrl = 13009, "store.url", FixConfiguration, "The URL of the consent store names no known kind of store.",
            "Use `memory`, or `sqlite://` with a path.";
        StoreBank = 13010, "store.bank", FixRequest, "The stored consent belongs to another bank.",
            "Open the consent with the pool of its own bank.";
    }
    Cancelled {
        Cancelled = 14001, "cancelled", Retry, "The caller cancelled the call.",
            "Nothing; you asked for it. `request_sent` says whether the bank may have seen the request.";
    }
    Internal {
        Internal = 15001, "internal", ContactBank, "A defect of this library; please report it.",
            "Report it, with the message. The process can go on.";
    }
}

impl ErrorCode {
    /// The stable number, for languages that prefer one. `number() / 1000` is the kind's place in
    /// [`ErrorKind::ALL`], counted from one.
    #[must_use]
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The catalogue entry with this stable text.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What every fallible call returns when it fails: one sentence for a person and all the facts for a
/// program. Holds no secret; an IBAN or a token in it is masked.
#[derive(Clone)]
pub struct Error(Box<Facts>);

#[derive(Clone)]
struct Facts {
    code: ErrorCode,
    message: String,
    retry_after: Option<Duration>,
    http_status: Option<u16>,
    bank_code: Option<String>,
    bank_message: Option<String>,
    request_id: Option<String>,
    correlation_id: Option<String>,
    /// None when nobody stated it: nothing had been built that could be sent.
    request_sent: Option<RequestSent>,
    explanation: Option<Explanation>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of this crate's catalogue, for those who implement a `Signer`, a `Transport` or another
    /// seam. `message` is one sentence that says what happened and what to do, without any secret.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Box::new(Facts {
            code,
            message: message.into(),
            retry_after: None,
            http_status: None,
            bank_code: None,
            bank_message: None,
            request_id: None,
            correlation_id: None,
            request_sent: None,
            explanation: None,
            source: None,
        }))
    }

    /// The exact cause.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The group of the cause.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.code.kind()
    }

    /// What to do about it. A pause the bank asked for turns [`Advice::Retry`] into [`Advice::RetryAfter`].
    #[must_use]
    pub fn advice(&self) -> Advice {
        match self.0.code.advice() {
            Advice::Retry if self.0.retry_after.is_some() => Advice::RetryAfter,
            advice => advice,
        }
    }

    /// One sentence that says what happened and what to do.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// How long the bank asks to wait before the next call (`Retry-After`, RFC 9110 §10.2.3).
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The status of the bank's answer, when there was one.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.0.http_status
    }

    /// The bank's business code (`AC01` …) or OAuth error code (`invalid_grant` …), when it gave one.
    #[must_use]
    pub fn bank_code(&self) -> Option<&str> {
        self.0.bank_code.as_deref()
    }

    /// What the bank wrote, masked and cut to at most 512 characters.
    #[must_use]
    pub fn bank_message(&self) -> Option<&str> {
        self.0.bank_message.as_deref()
    }

    /// The `X-Request-ID` of the failed request: what the bank's support asks for first.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// The bank's own `X-CorrelationID`, when it gave one.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.0.correlation_id.as_deref()
    }

    /// Whether the failed request reached the bank.
    #[must_use]
    pub fn request_sent(&self) -> RequestSent {
        self.0.request_sent.unwrap_or(RequestSent::No)
    }

    /// What was sent, header by header, secrets masked: made to be pasted in a ticket to the bank.
    /// Present on errors of requests that were built.
    #[must_use]
    pub fn explanation(&self) -> Option<&Explanation> {
        self.0.explanation.as_ref()
    }
}

/// How the parts of the crate fill in facts.
impl Error {
    pub(crate) fn with_retry_after(mut self, pause: Option<Duration>) -> Self {
        self.0.retry_after = pause;
        self
    }

    pub(crate) fn with_http_status(mut self, status: u16) -> Self {
        self.0.http_status = Some(status);
        self
    }

    pub(crate) fn with_bank_code(mut self, code: Option<String>) -> Self {
        self.0.bank_code = code;
        self
    }

    pub(crate) fn with_bank_message(mut self, message: Option<String>) -> Self {
        self.0.bank_message = message;
        self
    }

    pub(crate) fn with_request_id(mut self, id: Option<String>) -> Self {
        self.0.request_id = id;
        self
    }

    pub(crate) fn with_correlation_id(mut self, id: Option<String>) -> Self {
        self.0.correlation_id = id;
        self
    }

    /// States whether the request reached the bank, for those who implement a `Transport`. A transport's error that
    /// does not state it counts as [`RequestSent::Unknown`].
    #[must_use]
    pub fn with_request_sent(mut self, sent: RequestSent) -> Self {
        self.0.request_sent = Some(sent);
        self
    }

    /// States what led to this error, for those who implement a seam: it comes back as the
    /// [`source`](std::error::Error::source). It is not written by `Display` and `Debug`, for it may hold secrets.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// The same, where it was not stated yet.
    pub(crate) fn or_request_sent(mut self, sent: RequestSent) -> Self {
        self.0.request_sent.get_or_insert(sent);
        self
    }

    pub(crate) fn with_explanation(mut self, explanation: Explanation) -> Self {
        self.0.explanation = Some(explanation);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Facts {
            code,
            message,
            retry_after,
            http_status,
            bank_code,
            bank_message,
            request_id,
            correlation_id,
            request_sent: _,
            explanation: _,
            source: _,
        } = &*self.0;
        f.debug_struct("Error")
            .field("code", &code.as_str())
            .field("message", message)
            .field("retry_after", retry_after)
            .field("http_status", http_status)
            .field("bank_code", bank_code)
            .field("bank_message", bank_message)
            .field("request_id", request_id)
            .field("correlation_id", correlation_id)
            .field("request_sent", &self.request_sent())
            .finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn numbers_and_texts_are_unique_and_name_their_kind() {
        let mut texts = HashSet::new();
        let mut numbers = HashSet::new();
        for code in ErrorCode::ALL {
            assert!(texts.insert(code.as_str()), "{code} is there twice");
            assert!(numbers.insert(code.number()), "{} is there twice", code.number());
            let place = usize::from(code.number() / 1000) - 1;
            assert_eq!(ErrorKind::ALL[place], code.kind(), "{code}");
            assert_eq!(ErrorCode::from_text(code.as_str()), Some(*code));
            assert!(code.summary().ends_with('.'), "{code}: a summary is a sentence");
        }
    }

    #[test]
    fn what_led_to_an_error_goes_with_it_and_is_not_written() {
        use std::error::Error as _;

        let error = Error::new(ErrorCode::StoreFailed, "failed").with_source(std::io::Error::other("secret"));
        assert_eq!(error.clone().source().unwrap().to_string(), "secret");
        assert!(!format!("{error} {error:?}").contains("secret"));
        assert!(Error::new(ErrorCode::StoreFailed, "failed").source().is_none());
    }

    #[test]
    fn a_pause_turns_retry_into_retry_after() {
        let error = Error::new(ErrorCode::BankUnavailable, "down");
        assert_eq!(error.advice(), Advice::Retry);
        assert_eq!(error.with_retry_after(Some(Duration::from_secs(3))).advice(), Advice::RetryAfter);
    }
}
