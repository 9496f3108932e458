"""The closed choices of this package. Every member is a ``str``, equal to its stable name."""

import enum

__all__ = [
    "AccountMember",
    "AccountScheme",
    "Advice",
    "AmountFormat",
    "CertificateUse",
    "ClientAuthentication",
    "ConsentEvent",
    "ConsentState",
    "EchoRule",
    "Environment",
    "ErrorKind",
    "NextAction",
    "Operation",
    "Psd2Role",
    "QcType",
    "RefreshTokenRotation",
    "RenewalReason",
    "RequestSent",
    "ResponseSignature",
    "SealAlgorithm",
    "Severity",
    "SignatureAlgorithm",
    "Standard",
    "TrustMode",
]


class _Name(str, enum.Enum):
    """A choice that is written as its stable name."""

    def __new__(cls, value: str) -> "_Name":
        member = str.__new__(cls, value)
        member._value_ = value
        return member

    def __str__(self) -> str:
        return str(self.value)


class Environment(_Name):
    """Which of a bank's installations is meant."""

    SANDBOX = "sandbox"
    """Static test data, no money."""
    PRODUCTION = "production"
    """The real accounts, at the hosts of the bank's current definition."""
    PRODUCTION_LEGACY = "production-legacy"
    """The real accounts, at the hosts older pages name."""


class Standard(_Name):
    """The version of the STET definition a bank speaks. It decides the scope and the usual form of an amount."""

    STET_1_4_0 = "stet-1.4.0"
    """The role is still called ``piisp``."""
    STET_1_4_2 = "stet-1.4.2"
    """1.4.1 and 1.4.2: the role is called ``cbpii``."""
    STET_1_6 = "stet-1.6"
    """1.6.x: amounts are JSON numbers."""


class ClientAuthentication(_Name):
    """How the issuer proves who it is at the token endpoint, always besides mutual TLS."""

    TLS_CLIENT_AUTH = "tls_client_auth"
    """The TLS certificate alone (RFC 8705 §2.1)."""
    CLIENT_SECRET_BASIC = "client_secret_basic"
    """Client id and secret in an HTTP Basic header (RFC 6749 §2.3.1)."""
    CLIENT_SECRET_POST = "client_secret_post"
    """Client id and secret in the form (RFC 6749 §2.3.1)."""


class AmountFormat(_Name):
    """How an amount is written in JSON: decimal text in either case."""

    STRING = "string"
    """``"12.50"``."""
    NUMBER = "number"
    """``12.50``."""


class AccountMember(_Name):
    """How the IBAN's member of ``accountId`` is spelled."""

    IBAN = "iban"
    """As STET has it."""
    CAPITAL_IBAN = "Iban"
    """With a capital."""


class EchoRule(_Name):
    """How the answer's echo of the request is compared with what was asked."""

    STRICT = "strict"
    """Reference, amount, currency and account must be there and equal."""
    REFERENCE_AND_AMOUNT = "reference-and-amount"
    """The account may be written differently."""
    NONE = "none"
    """The bank echoes nothing that can be compared."""


class RefreshTokenRotation(_Name):
    """What a refresh does to the refresh token."""

    SAME = "same"
    """The same refresh token stays valid."""
    ROTATED = "rotated"
    """Each refresh ends the old refresh token and brings a new one."""
    UNKNOWN = "unknown"
    """Not known; treated with the care ``ROTATED`` needs."""


class SealAlgorithm(_Name):
    """The algorithm a bank verifies message signatures with."""

    RSA_PKCS1_SHA256 = "rsa-pkcs1-sha256"
    """RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2)."""
    RSA_PSS_SHA256 = "rsa-pss-sha256"
    """RSASSA-PSS with SHA-256 (RFC 8017 §8.1)."""


class SignatureAlgorithm(_Name):
    """A way to sign: the kind of key, the padding and the hash."""

    RSA_PKCS1_SHA256 = "rsa-pkcs1-sha256"
    """RSASSA-PKCS1-v1_5 with SHA-256: what banks mean by ``rsa-sha256``."""
    RSA_PKCS1_SHA384 = "rsa-pkcs1-sha384"
    RSA_PKCS1_SHA512 = "rsa-pkcs1-sha512"
    RSA_PSS_SHA256 = "rsa-pss-sha256"
    """RSASSA-PSS with SHA-256, MGF1 of the same hash and a salt as long as the hash: what TLS 1.3 uses with RSA keys."""
    RSA_PSS_SHA384 = "rsa-pss-sha384"
    RSA_PSS_SHA512 = "rsa-pss-sha512"
    ECDSA_P256_SHA256 = "ecdsa-p256-sha256"
    """ECDSA on P-256 with SHA-256; the signature is the ASN.1 form of RFC 3279 §2.2.3."""
    ECDSA_P384_SHA384 = "ecdsa-p384-sha384"
    """ECDSA on P-384 with SHA-384; the signature is the ASN.1 form of RFC 3279 §2.2.3."""


class TrustMode(_Name):
    """What own root certificates do to the public web's."""

    ADD = "add"
    """Both are trusted."""
    REPLACE = "replace"
    """Only the own ones are trusted."""


class AccountScheme(_Name):
    """The scheme of an account that is not named by an IBAN (STET ``schemeName``, codes of ISO 20022)."""

    BANK = "BANK"
    """An identification of the bank's own."""
    COID = "COID"
    """A country's company identification."""
    SREN = "SREN"
    """The SIREN number of a French company."""
    SRET = "SRET"
    """The SIRET number of a French establishment."""
    NIDN = "NIDN"
    """A national identity number."""
    OAUT = "OAUT"
    """An OAuth 2 access token that identifies the cardholder."""
    CPAN = "CPAN"
    """A card number."""
    MPAN = "MPAN"
    """A masked card number."""


class CertificateUse(_Name):
    """What a certificate is given for."""

    TRANSPORT = "transport"
    """Mutual TLS with the bank: the QWAC."""
    SEAL = "seal"
    """Signing requests: the QSealC."""


class Severity(_Name):
    """How grave a finding about a certificate is."""

    ERROR = "error"
    """Banks will refuse; no client is built with this certificate."""
    WARNING = "warning"
    """Some banks may refuse, or will soon."""
    INFORMATION = "information"
    """Worth knowing."""


class Psd2Role(_Name):
    """What a payment service provider is authorised to be (PSD2, ETSI TS 119 495 §5.1)."""

    ACCOUNT_SERVICING = "PSP_AS"
    """A bank."""
    PAYMENT_INITIATION = "PSP_PI"
    ACCOUNT_INFORMATION = "PSP_AI"
    CARD_ISSUING = "PSP_IC"
    """Issuing of card-based payment instruments: what funds confirmation needs."""


class QcType(_Name):
    """What a qualified certificate was issued for (ETSI EN 319 412-5 §4.2.3)."""

    ESIGN = "esign"
    """Electronic signatures of a person."""
    ESEAL = "eseal"
    """Electronic seals of an organisation: a QSealC."""
    WEB = "web"
    """Website authentication, and in PSD2 both ends of TLS: a QWAC."""


class ErrorKind(_Name):
    """What went wrong, in fifteen groups; there is one class of error for each."""

    CONFIGURATION = "configuration"
    """Something given at set-up (bank record, key, certificate, option) cannot be used."""
    ELIGIBILITY = "eligibility"
    """The issuer's certificates do not entitle it to this product."""
    INVALID_REQUEST = "invalid_request"
    """A value given for this call is not acceptable; nothing was sent."""
    CONSENT_REFUSED = "consent_refused"
    """The cardholder or the bank said no to the consent."""
    CONSENT_REQUIRED = "consent_required"
    """There is no usable consent (any more): the cardholder must go to the bank again."""
    BANK_REFUSED = "bank_refused"
    """The bank understood the request and refused it."""
    RATE_LIMITED = "rate_limited"
    """The bank wants fewer calls."""
    BANK_UNAVAILABLE = "bank_unavailable"
    """The bank has a problem of its own."""
    TIMEOUT = "timeout"
    """The time budget ran out. This is not a "no"."""
    NETWORK = "network"
    """The bank could not be reached, or the connection broke."""
    TLS = "tls"
    """The secure channel could not be made."""
    PROTOCOL = "protocol"
    """The bank answered with something that is not a valid answer."""
    STORE = "store"
    """The consent store failed."""
    CANCELLED = "cancelled"
    """The caller cancelled the call."""
    INTERNAL = "internal"
    """A defect of this library."""


class Advice(_Name):
    """What to do about an error."""

    RETRY = "retry"
    """Try again; it may well work."""
    RETRY_AFTER = "retry_after"
    """Try again after ``retry_after`` (or a pause of your choice when the bank named none)."""
    RENEW_CONSENT = "renew_consent"
    """Send the cardholder to the bank for a new consent."""
    FIX_REQUEST = "fix_request"
    """Change what was passed to this call."""
    FIX_CONFIGURATION = "fix_configuration"
    """Change the set-up: bank record, certificates, keys, options."""
    CONTACT_BANK = "contact_bank"
    """Ask the bank, with the request id and the explanation at hand."""


class RequestSent(_Name):
    """Whether a failed request reached the bank: what decides if a call may be repeated blindly."""

    NO = "no"
    """Certainly not: no byte of it left this machine."""
    YES = "yes"
    """Yes: the bank answered it."""
    UNKNOWN = "unknown"
    """It may have: it left, and no answer came."""


class ResponseSignature(_Name):
    """What is known of the signature of the bank's answer. A wrong one is an error."""

    VERIFIED = "verified"
    """Signed by the bank, over the body."""
    ABSENT = "absent"
    """The answer was not signed."""
    UNVERIFIED = "unverified"
    """Signed, but the bank's certificate is not in its record, so it was not checked."""


class ConsentState(_Name):
    """How a consent stands. What a bank says about the account is not a state of the consent."""

    ACTIVE = "active"
    """Good, and its end is not near."""
    RENEW_SOON = "renew_soon"
    """Good, and ``renew_from`` has passed."""
    EXPIRED = "expired"
    """Its days are over, or its access token has ended and the bank gave no refresh token. Checks fail at once."""
    REFUSED = "refused"
    """The bank accepts the tokens, and said last that this consent does not allow the check. Checks still ask the bank."""
    LOST = "lost"
    """The bank does not accept the refresh token any more. Checks fail without asking the bank."""


class NextAction(_Name):
    """What is to be done next about a consent."""

    NONE = "none"
    REFRESH = "refresh"
    """The access token is at its end, or the outcome of a refresh is unknown. The next check sees to it."""
    RENEW_CONSENT = "renew_consent"
    """Send the cardholder to the bank."""


class ConsentEvent(_Name):
    """What happened to a consent."""

    KEPT = "kept"
    """Its tokens were handed over to be kept."""
    REFRESH_STARTED = "refresh_started"
    """A refresh was recorded as started, before the bank was asked."""
    REFRESHED = "refreshed"
    """The bank gave new tokens."""
    REFRESH_FAILED = "refresh_failed"
    """The bank was not reached, or refused without touching the consent: nothing has changed."""
    OUTCOME_UNKNOWN = "outcome_unknown"
    """No readable answer to a refresh came: it may have been done or not."""
    REFUSED = "refused"
    """The bank says that the consent does not allow the check."""
    ANSWERED = "answered"
    """The bank answered a check again."""
    LOST = "lost"
    """The bank does not accept the refresh token any more."""


class RenewalReason(_Name):
    """Why a consent is on the list of renewals."""

    ENDING = "ending"
    """It ends, or ended, before the moment asked for."""
    REFUSED = "refused"
    """The bank says that it does not allow checks."""
    LOST = "lost"
    """The bank does not accept its refresh token any more."""


class Operation(_Name):
    """What was being done in an exchange with a bank."""

    EXCHANGE_CODE = "exchange_code"
    """An authorization code is exchanged for tokens."""
    REFRESH = "refresh"
    """Tokens are refreshed."""
    CONFIRM_FUNDS = "confirm_funds"
    """Funds are checked."""
