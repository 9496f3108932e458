"""The compiled part of :mod:`cbpii`. Import what it offers from there."""

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Any, Literal, final

from ._bank import Bank
from ._certificate import Finding
from ._results import (
    ConsentMoment,
    ConsentStatus,
    Event,
    Explanation,
    FundsConfirmation,
    HttpRequest,
    HttpResponse,
    PsuContext,
    RenewalDue,
    TransportStatistics,
)
from ._store import ConsentStore
from .enums import (
    AccountScheme,
    CertificateUse,
    ConsentState,
    Environment,
    NextAction,
    SignatureAlgorithm,
    TrustMode,
)

__all__ = [
    "Account",
    "Amount",
    "AuthorizationCode",
    "CancelToken",
    "Client",
    "Currency",
    "FundsRequest",
    "Iban",
    "Issuer",
    "PendingConsent",
    "RenewalsDue",
    "SealIdentity",
    "SealedStore",
    "Secret",
    "Session",
    "Tokens",
    "TransportIdentity",
    "_Checks",
    "_Pool",
    "_Workers",
    "__version__",
    "_bank_bpce",
    "_bank_by_id",
    "_bank_directory",
    "_bank_from_json",
    "_bank_with_origin",
    "_bank_with_trust_anchor",
    "_banks_by_code",
    "_banks_found",
    "_banks_from_iban",
    "_catalogue",
    "_inspect_certificate",
    "_panic",
]

__version__: str

@final
class Secret:
    """A secret text: a token, a client secret. It shows only that there is one, never pickles, and leaves by expose."""

    def __new__(cls, text: str) -> Secret: ...
    def expose(self) -> str:
        """The secret itself. Never log what this returns."""

    @property
    def masked(self) -> str:
        """A form that may be shown: the first four characters of a long secret, then an ellipsis."""

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    __hash__: None  # type: ignore[assignment]
    def __reduce__(self) -> Any: ...

@final
class Iban:
    """An International Bank Account Number, checked (ISO 13616: country, length, structure, check digits).

    Blanks and small letters are accepted. ``str()`` and ``repr()`` mask it: ``FR76…4006``. Raises ``request.iban``.
    """

    def __new__(cls, text: str) -> Iban: ...
    @property
    def unmasked(self) -> str:
        """The IBAN in clear, without blanks. Do not log it."""

    @property
    def country(self) -> str:
        """The country, e.g. ``FR``."""

    @property
    def bank_code(self) -> str | None:
        """Positions 5 to 9 of a French IBAN, which name the bank; None for another country's."""

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[type[Iban], tuple[str]]: ...

@final
class Currency:
    """A currency by its ISO 4217 code, in capitals. Raises ``request.currency``."""

    def __new__(cls, code: str) -> Currency: ...
    @property
    def code(self) -> str:
        """The code, e.g. ``EUR``."""

    @property
    def decimals(self) -> int:
        """How many decimals its amounts have: 2 for ``EUR``, 0 for ``JPY``."""

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[type[Currency], tuple[str]]: ...

@final
class Amount:
    """A positive amount of a currency, exact.

    ``value`` is a Decimal, an int, or decimal text such as ``"12.50"``; a float is refused, for most decimal amounts
    do not exist as one. At most 13 digits before the point, and as many decimals as the currency has. ``currency`` is an
    ISO 4217 code. Raises ``request.amount`` and ``request.currency``.
    """

    def __new__(cls, value: Decimal | int | str, currency: str) -> Amount: ...
    @property
    def value(self) -> Decimal:
        """The value, with the decimals it was given with."""

    @property
    def currency(self) -> str:
        """The ISO 4217 code."""

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __reduce__(self) -> tuple[type[Amount], tuple[str, str]]: ...

@final
class Account:
    """The account a check is about, by its IBAN.

    ``currency`` (ISO 4217) is the one the account is held in: a request in another is then refused before it is sent.
    ``workspace`` (STET 1.6) is one of several contracts of the same cardholder, 1 to 32 characters.
    Raises ``request.iban``, ``request.currency``, ``request.account``.
    """

    def __new__(cls, iban: Iban | str, *, currency: str | None = None, workspace: str | None = None) -> Account: ...
    @staticmethod
    def other(
        identification: str,
        scheme: AccountScheme | str,
        *,
        issuer: str | None = None,
        currency: str | None = None,
        workspace: str | None = None,
    ) -> Account:
        """An account by a number of another scheme: ``identification`` of 1 to 70 characters, ``issuer`` of 1 to 35."""

    @property
    def iban(self) -> Iban | None:
        """The IBAN, when the account is named by one."""

    @property
    def identification(self) -> str | None:
        """The number of another scheme, in clear. Do not log it."""

    @property
    def scheme(self) -> AccountScheme | None:
        """The scheme of that number."""

    @property
    def issuer(self) -> str | None:
        """Who issued that number."""

    @property
    def currency(self) -> str | None:
        """The currency the account is held in, when stated."""

    @property
    def workspace(self) -> str | None:
        """The workspace, when stated."""

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class FundsRequest:
    """One question to the bank: does this account hold this amount at this moment? Nothing is reserved by asking.

    - ``reference``: the issuer's own, 1 to 35 characters; it comes back in the answer.
    - ``account``: an :class:`Account`, or an IBAN.
    - ``amount``: an :class:`Amount`; or a Decimal, an int or decimal text, and then ``currency`` (ISO 4217) is needed.
    - ``payee``: the merchant, for the cardholder's information, 1 to 70 characters.
    - ``psu``: the cardholder's own connection, when the cardholder is present.
    - ``request_id``: the ``X-Request-ID``, 1 to 70 visible ASCII characters; by default a fresh UUID for every call.

    Raises the errors ``request.…``.
    """

    def __new__(
        cls,
        *,
        reference: str,
        account: Account | Iban | str,
        amount: Amount | Decimal | int | str,
        currency: str | None = None,
        payee: str | None = None,
        psu: PsuContext | None = None,
        request_id: str | None = None,
    ) -> FundsRequest: ...
    @property
    def reference(self) -> str:
        """The issuer's own reference."""

    @property
    def account(self) -> Account:
        """The account in question."""

    @property
    def amount(self) -> Amount:
        """The amount in question."""

    @property
    def payee(self) -> str | None:
        """The merchant."""

    @property
    def psu(self) -> PsuContext | None:
        """The cardholder's own connection."""

    @property
    def request_id(self) -> str | None:
        """The ``X-Request-ID``, when one was given."""

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    __hash__: None  # type: ignore[assignment]

@final
class AuthorizationCode:
    """The one-time code of a consent that was given. It lives for minutes: exchange it at once.

    Raises ``request.token`` when it is empty or has characters no code has.
    """

    def __new__(cls, code: str) -> AuthorizationCode: ...
    def expose(self) -> str:
        """The code itself. Never log what this returns."""

    @property
    def masked(self) -> str:
        """A form that may be shown."""

    def __reduce__(self) -> Any: ...

@final
class PendingConsent:
    """A consent that is being asked for: send the cardholder to :attr:`url`, keep this (as :meth:`to_json`) where only the
    cardholder's browser session leads to, and complete it with the callback. It does not pickle."""

    @property
    def url(self) -> str:
        """Where to send the cardholder's browser. On a phone it opens the bank's app."""

    @property
    def bank_id(self) -> str:
        """The bank this consent is asked from."""

    @property
    def state(self) -> str:
        """An unguessable text that ties the callback to this consent: a key under which a server can keep it."""

    @property
    def redirect_uri(self) -> str:
        """The redirect URI, byte for byte as registered."""

    @property
    def created_at(self) -> datetime:
        """When it began, in UTC."""

    @property
    def expires_at(self) -> datetime:
        """When it is no longer accepted, in UTC."""

    def complete(self, callback_url: str, *, now: datetime | None = None) -> AuthorizationCode:
        """Reads the callback: the URL the browser was sent back to, whole, or from its path or ``?`` on.

        Needs no key and no network. Raises ``consent.access_denied`` when the cardholder refused,
        ``consent.refused_by_bank``, ``consent.bank_unavailable``, ``consent.pending_expired``,
        ``consent.state_mismatch``, ``consent.issuer_mismatch``, ``consent.duplicated_parameter``,
        ``consent.callback_without_answer``, ``request.callback``, ``request.token``.
        """

    def to_json(self) -> str:
        """The saved form. It holds the ``state`` and the PKCE verifier."""

    @staticmethod
    def from_json(text: str | bytes) -> PendingConsent:
        """Reads the saved form back. Raises ``request.saved_state``."""

    def __reduce__(self) -> Any: ...

@final
class Tokens:
    """The tokens of one cardholder's consent at one bank. They neither print nor pickle: keep them by :meth:`to_json`.

    The constructor is for tokens that were obtained elsewhere. Moments are aware datetimes. Raises ``request.token`` when
    a token is empty or has blanks, control or non-ASCII characters.
    """

    def __new__(
        cls,
        *,
        access_token: str | Secret,
        refresh_token: str | Secret | None = None,
        obtained_at: datetime,
        expires_at: datetime | None = None,
        consent_expires_at: datetime,
    ) -> Tokens: ...
    @property
    def access_token(self) -> Secret:
        """The access token."""

    @property
    def refresh_token(self) -> Secret | None:
        """The refresh token, if the bank gave one."""

    @property
    def token_type(self) -> str:
        """Always ``Bearer``."""

    @property
    def scope(self) -> str | None:
        """The scope as the bank stated it; it may be wider than what was asked for."""

    @property
    def obtained_at(self) -> datetime:
        """When the bank issued the access token, in UTC."""

    @property
    def expires_at(self) -> datetime | None:
        """When the access token ends, in UTC; None when the bank did not say."""

    @property
    def consent_expires_at(self) -> datetime:
        """When the consent as a whole ends, in UTC. Refreshing does not move it."""

    def is_expired(self, now: datetime | None = None) -> bool:
        """Whether the access token has ended, by default at present; False when its end is not known."""

    def to_json(self) -> str:
        """The saved form. It holds the tokens in clear: encrypt it."""

    @staticmethod
    def from_json(text: str | bytes) -> Tokens:
        """Reads the saved form back. Raises ``request.saved_state`` or ``request.token``."""

    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    __hash__: None  # type: ignore[assignment]
    def __reduce__(self) -> Any: ...

@final
class TransportIdentity:
    """Who we are to the bank's TLS: the QWAC's certificate chain and its key.

    Each is given as the path (``pathlib.Path``) of a PEM or DER file, or as its contents: PEM as text or bytes, DER as
    bytes. A ``str`` is always PEM text, never a path. Certificates may come in any order.

    Raises ``configuration.certificate_unreadable``, ``configuration.key_unreadable``, ``configuration.key_password``,
    ``configuration.key_unsupported``, ``configuration.key_mismatch``.
    """

    def __new__(
        cls,
        certificate: str | bytes | os.PathLike[str],
        key: str | bytes | os.PathLike[str],
        *,
        password: str | Secret | None = None,
    ) -> TransportIdentity: ...
    @staticmethod
    def from_pkcs12(keystore: bytes | os.PathLike[str], *, password: str | Secret) -> TransportIdentity:
        """From a PKCS#12 keystore (``.p12``, ``.pfx``) or the path of one."""

    @staticmethod
    def with_signer(
        certificate: str | bytes | os.PathLike[str],
        sign: Callable[[SignatureAlgorithm, bytes], bytes],
        algorithms: Iterable[SignatureAlgorithm | str],
    ) -> TransportIdentity:
        """With a key in an HSM or KMS: ``sign(algorithm, message)`` returns the bare signature of the message (not of
        its hash). It is called from any thread. An RSA key must offer ``rsa-pss-sha256`` for TLS 1.3.

        What it raises becomes ``configuration.signer_failed``.
        """

    @property
    def subject(self) -> str:
        """The subject of the certificate (RFC 4514)."""

@final
class SealIdentity:
    """Who signs our requests: the QSealC's certificate chain and its key. Takes what :class:`TransportIdentity` takes.

    ``key_id`` states the whole ``keyId`` of signatures, instead of the one the bank's record would make: for instance the
    URL at which the certificate was published. Raises ``configuration.header`` when it cannot be sent.
    """

    def __new__(
        cls,
        certificate: str | bytes | os.PathLike[str],
        key: str | bytes | os.PathLike[str],
        *,
        password: str | Secret | None = None,
        key_id: str | None = None,
    ) -> SealIdentity: ...
    @staticmethod
    def from_pkcs12(
        keystore: bytes | os.PathLike[str], *, password: str | Secret, key_id: str | None = None
    ) -> SealIdentity:
        """From a PKCS#12 keystore (``.p12``, ``.pfx``) or the path of one."""

    @staticmethod
    def with_signer(
        certificate: str | bytes | os.PathLike[str],
        sign: Callable[[SignatureAlgorithm, bytes], bytes],
        algorithms: Iterable[SignatureAlgorithm | str],
        *,
        key_id: str | None = None,
    ) -> SealIdentity:
        """With a key in an HSM or KMS: ``sign(algorithm, message)`` returns the bare signature of the message (not of
        its hash). It is called from any thread. What it raises becomes ``configuration.signer_failed``."""

    @property
    def subject(self) -> str:
        """The subject of the certificate (RFC 4514)."""

    @property
    def key_id(self) -> str | None:
        """The ``keyId`` that was stated, if any."""

@final
class Issuer:
    """The card issuer: the regulated party that asks.

    - ``client_id``: as registered at the bank, usually the organisation identifier ``PSDFR-ACPR-12345``.
    - ``redirect_uri``: where the bank sends the cardholder back, kept byte for byte.
    - ``client_secret``: for the banks that want one.
    - ``transport``: the QWAC, for mutual TLS.
    - ``seal``: the QSealC, for signed requests.

    Raises ``configuration.client_id``, ``configuration.redirect_uri``, ``configuration.client_secret``.
    """

    def __new__(
        cls,
        *,
        client_id: str,
        redirect_uri: str,
        client_secret: str | Secret | None = None,
        transport: TransportIdentity | None = None,
        seal: SealIdentity | None = None,
    ) -> Issuer: ...
    @property
    def client_id(self) -> str:
        """The client_id."""

    @property
    def redirect_uri(self) -> str:
        """The redirect URI, byte for byte."""

    def check(self, bank: Bank, *, now: datetime | None = None) -> list[Finding]:
        """The eligibility check of the product's prerequisites at ``now``, by default the present: every finding of both
        certificates that matters at this bank. Those of severity ``error`` keep a client from being built."""

@final
class CancelToken:
    """Ends the calls it was given to, from any thread. Once cancelled it stays so. Ctrl-C cancels the token of its call."""

    def __new__(cls) -> CancelToken: ...
    def cancel(self) -> None:
        """Ends every call that runs under this token, and every later one before it starts."""

    @property
    def cancelled(self) -> bool:
        """Whether :meth:`cancel` was called."""

@final
class Client:
    """One issuer at one bank. Shared freely between threads; does no I/O until it is asked to.

    It keeps connections open and resumes TLS sessions, so make one and keep it. A call releases the GIL, and Ctrl-C
    interrupts it. After ``os.fork()`` it goes on in the child with connections of its own.

    Options (durations are seconds or timedeltas):

    - ``timeout``: the time a whole call may take, retries included; from 1 ms to one hour.
    - ``connect_timeout``: the time one connection, TLS handshake included, may take; likewise.
    - ``max_idle_connections``: how many unused connections are kept open per host; 0 keeps none.
    - ``max_idle_age``: how long an unused connection is kept open.
    - ``retries``: how often a funds check is sent again after a failure of the connection or a 502, 503 or 504; 0 to 5.
      It never applies to a code exchange.
    - ``proxy``: an http proxy that offers CONNECT, ``http://user:password@host:3128``. The environment's is never used.
    - ``clock``: another source of the present: returns an aware datetime.
    - ``transport``: another way to send a request: TLS and the client certificate are then its business. It must not follow
      redirects, not retry and not treat a status as an error; what it raises becomes ``network.transport_failed``, or stays
      as it is when it is a :class:`cbpii.CbpiiError`.
    - ``on_event``: called after every HTTP exchange, on the thread that made it. It must be quick. The same goes to the
      logger ``cbpii`` at DEBUG.
    - ``check_eligibility``: whether certificates that make the issuer ineligible keep the client from being built.

    Raises errors of the kinds ``configuration`` and ``eligibility``.
    """

    def __new__(
        cls,
        bank: Bank,
        issuer: Issuer,
        *,
        timeout: float | timedelta = 10.0,
        connect_timeout: float | timedelta = 5.0,
        max_idle_connections: int = 32,
        max_idle_age: float | timedelta = 60.0,
        retries: int = 1,
        proxy: str | None = None,
        clock: Callable[[], datetime] | None = None,
        transport: Callable[[HttpRequest], HttpResponse] | None = None,
        on_event: Callable[[Event], object] | None = None,
        check_eligibility: bool = True,
    ) -> Client: ...
    @property
    def bank(self) -> Bank:
        """The bank."""

    @property
    def issuer(self) -> Issuer:
        """The issuer."""

    @property
    def statistics(self) -> TransportStatistics:
        """What the connections have done so far."""

    def begin_consent(self, *, valid_for: float | timedelta = 900.0) -> PendingConsent:
        """Begins a consent: builds the URL to send the cardholder to. No I/O.

        ``valid_for`` is how long the cardholder may take at the bank; some banks never send the cardholder back.
        """

    def complete_consent(
        self,
        pending: PendingConsent,
        callback_url: str,
        *,
        timeout: float | timedelta | None = None,
        cancel: CancelToken | None = None,
    ) -> Tokens:
        """Reads the callback and exchanges its code for tokens, in one step.

        Raises what :meth:`PendingConsent.complete` and :meth:`exchange_code` raise.
        """

    def exchange_code(
        self,
        pending: PendingConsent,
        code: AuthorizationCode,
        *,
        timeout: float | timedelta | None = None,
        cancel: CancelToken | None = None,
    ) -> Tokens:
        """Exchanges the code for tokens. A code works once, so this is never re-sent: after a time-out or a broken
        connection ask the cardholder again.

        Raises ``consent.code_refused``, ``bank.client_refused``, and any error of network, TLS, time and protocol.
        """

    def refresh(
        self,
        tokens: Tokens,
        *,
        timeout: float | timedelta | None = None,
        cancel: CancelToken | None = None,
    ) -> Tokens:
        """Refreshes the tokens. What the bank leaves out of its answer stays as it was. A :class:`Session` does this by
        itself.

        Raises ``consent.lost``, ``consent.no_refresh_token``, and any error of network, TLS, time and protocol.
        """

    def confirm_funds(
        self,
        tokens: Tokens,
        request: FundsRequest,
        *,
        timeout: float | timedelta | None = None,
        cancel: CancelToken | None = None,
    ) -> FundsConfirmation:
        """Asks the bank whether the account covers the amount. Nothing is reserved.

        **No answer is not "no funds"**: anything but a well-formed yes or no to exactly this request is raised.
        ``consent.access_token_refused`` when the access token is no longer good, ``bank.…`` when the bank refuses, and
        any error of network, TLS, time and protocol.
        """

    def explain(self, request: FundsRequest) -> Explanation:
        """What :meth:`confirm_funds` would send, header by header, with the exact signing string. Nothing is sent."""

    def warm_up(self, connections: int = 1) -> int:
        """Opens connections (at most 256) to the bank ahead, so that the first calls cost what later ones do.

        Returns how many are ready. Raises when not one could be opened.
        """

    def close(self) -> None:
        """Closes the unused connections; later calls raise ``configuration.option``. Leaving a ``with`` does this."""

    def __enter__(self) -> Client: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...
    def _complete_consent(
        self, workers: _Workers, pending: PendingConsent, callback_url: str, timeout: float | timedelta | None
    ) -> asyncio.Future[Tokens]: ...
    def _exchange_code(
        self,
        workers: _Workers,
        pending: PendingConsent,
        code: AuthorizationCode,
        timeout: float | timedelta | None,
    ) -> asyncio.Future[Tokens]: ...
    def _refresh(self, workers: _Workers, tokens: Tokens, timeout: float | timedelta | None) -> asyncio.Future[Tokens]: ...
    def _confirm_funds(
        self, workers: _Workers, tokens: Tokens, request: FundsRequest, timeout: float | timedelta | None
    ) -> asyncio.Future[FundsConfirmation]: ...
    def _warm_up(self, workers: _Workers, connections: int) -> asyncio.Future[int]: ...

@final
class SealedStore:
    """A store of consents and the key that seals them.

    ``store`` is the path of a SQLite file (made when it is missing), ``memory``, a URL (``sqlite:///path``), or a
    :class:`ConsentStore` of your own. A str that is ``memory``, has ``://`` or begins with ``sqlite:`` is never a path.
    ``key`` is 32 random bytes from a key store, never a password; ``old_keys`` only open what was sealed before. Closed when
    it is collected. It does not survive ``os.fork()``: open it again in the child.

    Raises errors of the kind ``store``, such as ``store.key``, ``store.url``, ``store.unreachable``.
    """

    def __new__(
        cls,
        store: str | os.PathLike[str] | ConsentStore,
        *,
        key: bytes,
        old_keys: Iterable[bytes] = (),
        busy_timeout: float | timedelta = 5.0,
        read_only: bool = False,
    ) -> SealedStore: ...
    def reseal(self) -> int:
        """Seals every record that is still sealed with an old key with the current one, and returns how many those were.

        Raises ``store.key`` when a record needs a key that was not given, ``store.corrupt`` when one cannot be opened.
        """

    def renewals_due(self, before: datetime) -> RenewalsDue:
        """The consents of every bank that end before ``before``, or are lost or refused since before it, the earliest
        first. Pass the present plus two weeks every night."""

@final
class RenewalsDue(Iterator[RenewalDue]):
    """The consents to renew, read page by page.

    A record that cannot be opened raises in its place; asking on with ``next()`` goes on behind it.
    """

    def __iter__(self) -> RenewalsDue: ...
    def __next__(self) -> RenewalDue: ...
    def _next(self, workers: _Workers) -> asyncio.Future[RenewalDue | None]: ...

@final
class Session:
    """One cardholder's consent at one bank, kept alive: access tokens are refreshed in time, exactly once across threads
    and processes. Made by a :class:`SessionPool`; shared freely between threads."""

    @property
    def id(self) -> str:
        """The id the consent is kept under."""

    def confirm_funds(
        self,
        request: FundsRequest,
        *,
        timeout: float | timedelta | None = None,
        cancel: CancelToken | None = None,
    ) -> FundsConfirmation:
        """Asks the bank whether the account covers the amount, with an access token that is refreshed before its end, or
        once after the bank refuses it. The time-out covers everything.

        **No answer is not "no funds"**: raises what :meth:`Client.confirm_funds` and :meth:`Client.refresh` raise;
        ``consent.expired``, ``consent.lost``, ``consent.refresh_answer_lost``, ``consent.no_refresh_token`` or
        ``consent.unknown`` when the cardholder has to go to the bank again; and ``store.…``.
        """

    def status(self) -> ConsentStatus:
        """How the consent stands now, as far as this process knows; no I/O."""

    @property
    def state(self) -> ConsentState:
        """How the consent stands now, in one word."""

    @property
    def consent_expires_at(self) -> datetime:
        """When the consent ends, in UTC."""

    @property
    def renew_from(self) -> datetime:
        """From when on the consent should be renewed, in UTC."""

    @property
    def days_left(self) -> int:
        """The whole days that are left, rounded down."""

    @property
    def next_action(self) -> NextAction:
        """What is to be done next."""

    def history(self) -> list[ConsentMoment]:
        """What happened to the consent, oldest first: its last 16 moments."""

    def reload(self) -> ConsentStatus:
        """Reads the consent from the store again, to see what other processes did to it.

        Raises ``consent.unknown`` when it is there no more; ``store.…``.
        """

    @property
    def has_unsaved_tokens(self) -> bool:
        """Whether fresh tokens wait in memory because the store could not take them: the process should not end yet."""

    def _confirm_funds(
        self, workers: _Workers, request: FundsRequest, timeout: float | timedelta | None
    ) -> asyncio.Future[FundsConfirmation]: ...
    def _reload(self, workers: _Workers) -> asyncio.Future[ConsentStatus]: ...

@final
class _Pool:
    def __new__(
        cls,
        client: Client,
        store: SealedStore,
        refresh_margin: float | timedelta,
        renew_before: float | timedelta,
        refresh_timeout: float | timedelta,
    ) -> _Pool: ...
    def keep(self, id: str, tokens: Tokens) -> Session: ...
    def open(self, id: str) -> Session: ...
    def forget(self, id: str) -> bool: ...
    def _keep(self, workers: _Workers, id: str, tokens: Tokens) -> asyncio.Future[Session]: ...
    def _open(self, workers: _Workers, id: str) -> asyncio.Future[Session]: ...
    def _forget(self, workers: _Workers, id: str) -> asyncio.Future[bool]: ...

@final
class _Workers:
    def __new__(cls, max_in_flight: int) -> _Workers: ...

@final
class _Checks:
    def __new__(cls, max_in_flight: int, timeout: float | timedelta | None, max_pause: float | timedelta) -> _Checks: ...
    def send(self, session: Session, request: FundsRequest, context: object) -> None: ...
    def finish(self) -> None: ...
    def cancel(self) -> None: ...
    def next(self) -> tuple[object, FundsConfirmation | None, Exception | None] | None: ...
    def _next(
        self, workers: _Workers
    ) -> asyncio.Future[tuple[object, FundsConfirmation | None, Exception | None] | None]: ...
    def progress(self) -> tuple[int, int, int, int, timedelta]: ...

def _catalogue() -> list[tuple[str, int, str, str, str]]: ...
def _bank_bpce(code: str, environment: Environment | str) -> str: ...
def _bank_by_id(id: str, environment: Environment | str) -> str: ...
def _banks_by_code(code: str, environment: Environment | str) -> list[str]: ...
def _banks_from_iban(iban: Iban | str, environment: Environment | str) -> list[str]: ...
def _banks_found(words: str, environment: Environment | str) -> list[str]: ...
def _bank_directory(environment: Environment | str) -> list[str]: ...
def _bank_from_json(text: str | bytes) -> str: ...
def _bank_with_origin(bank: str, origin: str) -> str: ...
def _bank_with_trust_anchor(bank: str, pem: str | bytes, mode: TrustMode | str) -> str: ...
def _inspect_certificate(
    certificate: str | bytes | os.PathLike[str],
    use: CertificateUse | str | None,
    key: str | bytes | os.PathLike[str] | None,
    password: str | Secret | None,
    client_id: str | None,
    accept_pss: bool,
    now: datetime | None,
) -> str: ...
def _panic(how: Literal["blocking", "direct"]) -> None: ...
