"""What calls give back, as frozen dataclasses."""

from datetime import datetime, timedelta

from .enums import (
    ConsentEvent,
    ConsentState,
    NextAction,
    Operation,
    RenewalReason,
    ResponseSignature,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import dataclass, field
    from typing import Any

    from ._cbpii import CancelToken, FundsRequest, Session
    from .aio import AsyncSession
    from .errors import CbpiiError
else:
    from ._frozen import dataclass, field


class _Facts:
    """Has the ``__dict__`` that a class below shows only when it is complete."""


_facts = vars(_Facts)["__dict__"].__get__


@dataclass(frozen=True)
class FundsConfirmation(_Facts):
    """The bank's yes or no. Nothing is reserved by it, and it is true only for the moment.

    It has no truth value: ask for :attr:`available`.
    """

    available: bool
    """Whether the account covers the amount."""
    reference: str
    """The issuer's own reference, as asked."""
    request_id: str | None
    """The ``X-Request-ID`` that was sent: what the bank's support asks for first. None at a bank that takes none."""
    correlation_id: str | None
    """The bank's own ``X-CorrelationID``, when it gave one."""
    bank_id: str
    """The bank that answered (:attr:`Bank.id`)."""
    checked_at: datetime
    """When the answer came, in UTC."""
    duration: timedelta
    """How long the call took, retries included."""
    response_signature: ResponseSignature
    """What is known of the answer's signature."""
    deprecation_warning: str | None
    """The bank's announcement that this version of its API will end (HTTP ``Warning: 299``)."""

    def __bool__(self) -> bool:
        raise TypeError("a FundsConfirmation has no truth value; ask for its 'available'")

    if not TYPE_CHECKING:
        # A check is often asked for nothing but its answer, and making the rest takes longer than making the object.

        @property
        def __dict__(self):
            facts = _facts(self)
            rest = facts.get("_rest")
            if rest is not None:
                facts.update(rest())
                # Another thread may have been quicker.
                facts.pop("_rest", None)
            return facts

        def __getstate__(self):
            return self.__dict__

        def __getattr__(self, name):
            try:
                return self.__dict__[name]
            except KeyError:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}") from None


@dataclass(frozen=True)
class Explanation:
    """A request laid open: header by header, with the exact signing string.

    Tokens and account numbers are masked, so it can be pasted anywhere; ``str()`` writes it for that.
    """

    method: str
    """The method: ``POST``."""
    url: str
    """The whole URL."""
    headers: tuple[tuple[str, str], ...]
    """Names and (masked) values in the order of sending."""
    body: str
    """The body, account numbers masked."""
    digest_input: str | None
    """The input of the digest in words: how many bytes, and their SHA-256 in base64."""
    signing_string: str | None
    """The exact lines that were signed (secrets masked), joined by line feeds."""
    key_id: str | None
    """The keyId as written."""
    key_id_source: str | None
    """Where the keyId comes from: ``seal`` when the issuer stated it, else the source the bank's record names."""
    _text: str = field(repr=False, compare=False, default="")

    def __str__(self) -> str:
        return self._text


@dataclass(frozen=True)
class ConsentStatus:
    """How a consent stands at one moment."""

    state: ConsentState
    """In one word."""
    consent_expires_at: datetime
    """When the consent ends, in UTC. Refreshing does not move it. At this very second it has ended."""
    renew_from: datetime
    """From this second on it should be renewed."""
    days_left: int
    """The whole days (24 hours) that are left, rounded down: 0 on the last day and after the end."""
    next_action: NextAction
    """What is to be done."""


@dataclass(frozen=True)
class ConsentMoment:
    """One moment of a consent's history."""

    at: datetime
    """When, by the clock of who recorded it, in UTC."""
    event: ConsentEvent
    """What happened."""
    cause: str | None
    """The code of the error that goes with it, if there is one."""


@dataclass(frozen=True)
class RenewalDue:
    """A consent to renew."""

    id: str
    """The id it is kept under."""
    bank_id: str
    """Its bank (:attr:`Bank.id`)."""
    consent_expires_at: datetime
    """When it ends or ended, in UTC."""
    reason: RenewalReason
    """Why it is on the list."""


@dataclass(frozen=True)
class TransportStatistics:
    """What a client's connections have done so far; counters only grow."""

    connections: int
    """TCP connections opened."""
    resumed: int
    """Of these, how many resumed an earlier TLS session."""
    name_lookups: int
    """Host names looked up."""


@dataclass(frozen=True)
class Event:
    """One HTTP exchange that ended, well or not. A call that was retried tells more than one."""

    operation: Operation
    """What was being done."""
    bank_id: str
    """At which bank."""
    request_id: str | None
    """The ``X-Request-ID``, when the request had one."""
    attempt: int
    """Counts the attempts of one call, from one."""
    duration: timedelta
    """How long this exchange took."""
    http_status: int | None
    """The status, when an answer came."""
    error: str | None
    """The code of the error, when it failed."""


@dataclass(frozen=True)
class Progress:
    """How far a stream of checks has come."""

    done: int
    """Checks that ended, well or not."""
    yes: int
    """… with "the funds are there"."""
    no: int
    """… with "they are not"."""
    errors: int
    """… with an error."""
    elapsed: timedelta
    """From the start to the last check that ended."""

    @property
    def rate(self) -> float:
        """Checks a second over that time."""
        seconds = self.elapsed.total_seconds()
        return self.done / seconds if seconds else 0.0


@dataclass(frozen=True)
class FundsCheck:
    """One check of many. It comes back with its outcome."""

    consent: "str | Session | AsyncSession"
    """The consent to ask with: the id it is kept under in the pool, or its session of either world."""
    request: "FundsRequest"
    """The question."""
    context: "Any" = None
    """Anything of the caller's, to match the answer by: a row, a primary key."""


@dataclass(frozen=True)
class CheckOutcome:
    """A check of many with its answer: either a confirmation or an error."""

    check: FundsCheck
    """What was asked."""
    confirmation: FundsConfirmation | None
    """The bank's yes or no; None when there was an error."""
    error: "CbpiiError | None"
    """Why there is no answer. **This is not a "no".**"""

    @property
    def available(self) -> bool | None:
        """The bank's yes or no; None when there was an error."""
        return None if self.confirmation is None else self.confirmation.available

    def result(self) -> FundsConfirmation:
        """The confirmation; raises the error when there is none."""
        if self.confirmation is None:
            assert self.error is not None
            raise self.error
        return self.confirmation


@dataclass(frozen=True)
class HttpRequest:
    """One request, complete, as a transport has to send it: path, headers in this order, and body byte for byte."""

    method: str
    """Always ``POST``."""
    url: str
    """The absolute https URL."""
    headers: tuple[tuple[str, str], ...]
    """Names and values in order. ``Host`` and ``Content-Length`` are the transport's business."""
    body: bytes
    """The body: it has been digested and signed."""
    timeout: float
    """The seconds that are left for the whole exchange."""
    fresh_connection: bool
    """Whether it must not travel on a connection that has been idle: it changes something at the bank."""
    cancel: "CancelToken | None" = None
    """Tells whether the caller has cancelled the call."""

    def __repr__(self) -> str:
        names = [name for name, _ in self.headers]
        return f"HttpRequest(url={self.url!r}, headers={names!r}, body=<{len(self.body)} bytes>)"


@dataclass(frozen=True)
class HttpResponse:
    """One whole answer of a transport."""

    status: int
    """The status, 100 to 599."""
    headers: tuple[tuple[str, str], ...]
    """Names and values."""
    body: bytes
    """The whole body, at most 1 MiB."""

    def __repr__(self) -> str:
        names = [name for name, _ in self.headers]
        return f"HttpResponse(status={self.status}, headers={names!r}, body=<{len(self.body)} bytes>)"


@dataclass(frozen=True)
class PsuContext:
    """The ``PSU-*`` headers of STET: what the issuer knows of the cardholder's own connection.

    Give them only when the cardholder is really present at the other end. Every value is sent as it is: printable ASCII
    characters, without blanks at its ends; :class:`FundsRequest` refuses others with ``request.psu_header``.
    """

    ip_address: str | None = None
    """``PSU-IP-Address``: the address the cardholder connects from."""
    ip_port: str | None = None
    """``PSU-IP-Port``: the port the cardholder connects from."""
    http_method: str | None = None
    """``PSU-HTTP-Method``: the method of the cardholder's request, e.g. ``POST``."""
    date: str | None = None
    """``PSU-Date``: the moment of the cardholder's request, as an HTTP date (RFC 9110 §5.6.7)."""
    geo_location: str | None = None
    """``PSU-GEO-Location``: where the cardholder is, as ``GEO:<latitude>;<longitude>`` (RFC 5870)."""
    user_agent: str | None = None
    """``PSU-User-Agent``: the browser or app of the cardholder."""
    referer: str | None = None
    """``PSU-Referer``: the ``Referer`` the cardholder's browser sent."""
    accept: str | None = None
    """``PSU-Accept``: the ``Accept`` the cardholder's browser sent."""
    accept_charset: str | None = None
    """``PSU-Accept-Charset``: the ``Accept-Charset`` the cardholder's browser sent."""
    accept_encoding: str | None = None
    """``PSU-Accept-Encoding``: the ``Accept-Encoding`` the cardholder's browser sent."""
    accept_language: str | None = None
    """``PSU-Accept-Language``: the ``Accept-Language`` the cardholder's browser sent."""
    device_id: str | None = None
    """``PSU-Device-ID``: a UUID of the cardholder's device or installation."""
