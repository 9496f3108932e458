/// The exact cause of an error, as stable text. Every code there is, in the order of their numbers.
public enum ErrorCode: String, CaseIterable, Sendable {
    /// A bank record has a field that is missing, unknown or not acceptable; the message names its path.
    case configurationBankRecord = "configuration.bank_record"
    /// No bank of the directory matches what was asked for.
    case configurationBankUnknown = "configuration.bank_unknown"
    /// This bank's endpoints are not in the directory and must be supplied by the caller.
    case configurationEndpointMissing = "configuration.endpoint_missing"
    /// A bank endpoint is not an absolute https URL.
    case configurationEndpointInvalid = "configuration.endpoint_invalid"
    /// The redirect URI is not an absolute https or app-scheme URI.
    case configurationRedirectUri = "configuration.redirect_uri"
    /// The client_id is empty or has characters that cannot be sent.
    case configurationClientId = "configuration.client_id"
    /// This bank needs a client secret and none usable was given.
    case configurationClientSecret = "configuration.client_secret"
    /// A certificate could not be read.
    case configurationCertificateUnreadable = "configuration.certificate_unreadable"
    /// A private key could not be read.
    case configurationKeyUnreadable = "configuration.key_unreadable"
    /// A private key is encrypted and the password is missing or wrong.
    case configurationKeyPassword = "configuration.key_password"
    /// A private key has a type, size or container that cannot be used.
    case configurationKeyUnsupported = "configuration.key_unsupported"
    /// A private key does not belong to its certificate.
    case configurationKeyMismatch = "configuration.key_mismatch"
    /// This bank wants signed requests and the issuer has no usable seal.
    case configurationSealMissing = "configuration.seal_missing"
    /// A root certificate of the bank could not be read.
    case configurationTrustAnchor = "configuration.trust_anchor"
    /// A header name or value has characters that must not be sent.
    case configurationHeader = "configuration.header"
    /// The proxy address cannot be used.
    case configurationProxy = "configuration.proxy"
    /// An option has a value outside its range.
    case configurationOption = "configuration.option"
    /// The signer (key, HSM or callback) could not produce a signature.
    case configurationSignerFailed = "configuration.signer_failed"
    /// The certificate does not carry the PSD2 role PSP_IC that funds confirmation needs.
    case eligibilityNotACbpii = "eligibility.not_a_cbpii"
    /// The certificate has expired.
    case eligibilityCertificateExpired = "eligibility.certificate_expired"
    /// The certificate is not valid yet, or this machine's clock is wrong.
    case eligibilityCertificateNotYetValid = "eligibility.certificate_not_yet_valid"
    /// A certificate was given for a use it was not issued for, such as an eSeal as QWAC.
    case eligibilityCertificateWrongUse = "eligibility.certificate_wrong_use"
    /// The certificate is signed with RSASSA-PSS, which this bank refuses.
    case eligibilityCertificatePss = "eligibility.certificate_pss"
    /// The reference is empty, longer than 35 characters or has control characters.
    case requestReference = "request.reference"
    /// The IBAN is malformed or its check digits are wrong.
    case requestIban = "request.iban"
    /// An account member other than the IBAN is empty, too long or not one of the allowed values.
    case requestAccount = "request.account"
    /// The amount is not a positive decimal within the currency's decimals and 13 integer digits.
    case requestAmount = "request.amount"
    /// The currency is not an ISO 4217 code.
    case requestCurrency = "request.currency"
    /// The payee is empty, longer than 70 characters or has control characters.
    case requestPayee = "request.payee"
    /// A PSU header has characters that must not be sent.
    case requestPsuHeader = "request.psu_header"
    /// The request id is empty, longer than 70 characters or has characters that must not be sent.
    case requestRequestId = "request.request_id"
    /// A token or code has characters that OAuth 2 does not allow.
    case requestToken = "request.token"
    /// A saved pending consent or token record could not be read back.
    case requestSavedState = "request.saved_state"
    /// The callback is not a URL.
    case requestCallback = "request.callback"
    /// The id of a consent is not 1 to 255 bytes of UTF-8 without control characters.
    case requestConsentId = "request.consent_id"
    /// An argument of a call from another language is missing, not UTF-8, or not what the call takes.
    case requestArgument = "request.argument"
    /// The cardholder refused the consent, or interrupted it.
    case consentAccessDenied = "consent.access_denied"
    /// The bank refused to ask the cardholder for consent.
    case consentRefusedByBank = "consent.refused_by_bank"
    /// The cardholder took longer than the pending consent lives.
    case consentPendingExpired = "consent.pending_expired"
    /// The bank does not accept the authorization code: used before, too old or not for this issuer.
    case consentCodeRefused = "consent.code_refused"
    /// The bank does not accept the refresh token any more: the consent ended or was withdrawn.
    case consentLost = "consent.lost"
    /// There is no refresh token to refresh with.
    case consentNoRefreshToken = "consent.no_refresh_token"
    /// The bank does not accept the access token, which may simply have ended.
    case consentAccessTokenRefused = "consent.access_token_refused"
    /// The answer to a refresh never came and the bank does not accept the old refresh token any more.
    case consentRefreshAnswerLost = "consent.refresh_answer_lost"
    /// The consent has lasted the days the bank gives it.
    case consentExpired = "consent.expired"
    /// The store has no consent of this id.
    case consentUnknown = "consent.unknown"
    /// The account number is unknown or incorrect (AC01).
    case bankAccountUnknown = "bank.account_unknown"
    /// The account is closed (AC04).
    case bankAccountClosed = "bank.account_closed"
    /// The account is blocked (AC06).
    case bankAccountBlocked = "bank.account_blocked"
    /// The bank does not know this issuer (BE05).
    case bankTppUnknown = "bank.tpp_unknown"
    /// The token was issued for another role (BADS).
    case bankWrongRole = "bank.wrong_role"
    /// The consent does not cover this account (NGAC).
    case bankAccessNotGranted = "bank.access_not_granted"
    /// The cardholder has no eligible account (NAAC).
    case bankNoEligibleAccount = "bank.no_eligible_account"
    /// The cardholder is unknown to the bank or has no online access (IPSU).
    case bankPsuUnknown = "bank.psu_unknown"
    /// The bank does not offer this service (NIMP).
    case bankNotImplemented = "bank.not_implemented"
    /// The bank refused the request without a known business code.
    case bankRequestRefused = "bank.request_refused"
    /// The bank forbids this request.
    case bankForbidden = "bank.forbidden"
    /// The bank has nothing at this address.
    case bankNotFound = "bank.not_found"
    /// The bank refuses the method or media type of the request.
    case bankFormRefused = "bank.form_refused"
    /// The bank does not accept this issuer's registration or client authentication.
    case bankClientRefused = "bank.client_refused"
    /// The bank refused the token request.
    case bankTokenRequestRefused = "bank.token_request_refused"
    /// The bank wants fewer calls (429, TMRQ).
    case bankRateLimited = "bank.rate_limited"
    /// The bank reports an internal error (500, INTE, INTS).
    case bankInternalError = "bank.internal_error"
    /// The bank's service is not available at the moment (408, 502, 503, 504).
    case bankUnavailable = "bank.unavailable"
    /// The bank's consent service is not available at the moment.
    case consentBankUnavailable = "consent.bank_unavailable"
    /// The connection was not made in time.
    case timeoutConnect = "timeout.connect"
    /// The answer did not come in time; this is not a "no".
    case timeoutTotal = "timeout.total"
    /// The bank's host name could not be resolved.
    case networkNameLookup = "network.name_lookup"
    /// No connection to the bank could be made.
    case networkConnect = "network.connect"
    /// The connection broke before the whole answer had come.
    case networkDisconnected = "network.disconnected"
    /// The proxy did not make the connection.
    case networkProxy = "network.proxy"
    /// The transport supplied by the caller failed.
    case networkTransportFailed = "network.transport_failed"
    /// The bank's certificate is not issued by a trusted authority.
    case tlsUnknownIssuer = "tls.unknown_issuer"
    /// The bank's certificate is for another host.
    case tlsHostName = "tls.host_name"
    /// The bank's certificate has expired.
    case tlsServerCertificateExpired = "tls.server_certificate_expired"
    /// The bank's certificate is not valid.
    case tlsServerCertificateInvalid = "tls.server_certificate_invalid"
    /// The bank demands a client certificate and got none it could use.
    case tlsClientCertificateMissing = "tls.client_certificate_missing"
    /// The bank refuses our client certificate.
    case tlsClientCertificateRefused = "tls.client_certificate_refused"
    /// The two sides found no common TLS version or cipher, or the TLS exchange broke.
    case tlsProtocol = "tls.protocol"
    /// The callback does not belong to this pending consent.
    case consentStateMismatch = "consent.state_mismatch"
    /// The callback names another authorization server (RFC 9207).
    case consentIssuerMismatch = "consent.issuer_mismatch"
    /// The callback has a parameter twice.
    case consentDuplicatedParameter = "consent.duplicated_parameter"
    /// The callback has neither a code nor an error.
    case consentCallbackWithoutAnswer = "consent.callback_without_answer"
    /// The answer is not JSON.
    case protocolNotJson = "protocol.not_json"
    /// The answer lacks a required member or has one of the wrong type.
    case protocolAnswerShape = "protocol.answer_shape"
    /// The answer's result is not true or false.
    case protocolResultNotBoolean = "protocol.result_not_boolean"
    /// The answer is about another request than ours.
    case protocolEchoMismatch = "protocol.echo_mismatch"
    /// The bank redirected an API request, which is never followed.
    case protocolRedirected = "protocol.redirected"
    /// The bank answered with a status that has no meaning here.
    case protocolUnexpectedStatus = "protocol.unexpected_status"
    /// The answer's body does not match its Digest.
    case protocolDigestMismatch = "protocol.digest_mismatch"
    /// The answer's signature is not the bank's.
    case protocolSignatureInvalid = "protocol.signature_invalid"
    /// The answer is larger than any valid one.
    case protocolAnswerTooLarge = "protocol.answer_too_large"
    /// The answer is not HTTP.
    case protocolMalformedHttp = "protocol.malformed_http"
    /// The token answer lacks a usable token.
    case protocolTokenAnswer = "protocol.token_answer"
    /// The consent store failed.
    case storeFailed = "store.failed"
    /// Another process kept the consent store locked for too long.
    case storeLocked = "store.locked"
    /// The consent store cannot be written to.
    case storeReadOnly = "store.read_only"
    /// The disk of the consent store is full.
    case storeFull = "store.full"
    /// The consent store, or a record in it, is damaged.
    case storeCorrupt = "store.corrupt"
    /// The consent store cannot be opened.
    case storeUnreachable = "store.unreachable"
    /// The consent store was written by a newer release.
    case storeSchema = "store.schema"
    /// The key of the consent store is not 32 bytes, or none that was given opens a record.
    case storeKey = "store.key"
    /// The URL of the consent store names no known kind of store.
    case storeUrl = "store.url"
    /// The stored consent belongs to another bank.
    case storeBank = "store.bank"
    /// The caller cancelled the call.
    case cancelled
    /// A defect of this library; please report it.
    case `internal`
}
