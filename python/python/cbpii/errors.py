"""The errors of this package: one base, and one class for each of the fifteen kinds.

Catch a class to decide the flow of a program, and look at :attr:`CbpiiError.code` for the exact cause. **No answer is
never "no funds"**: whatever is not a well-formed yes or no of the bank is raised.
"""

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from . import _cbpii
from .enums import Advice, ErrorKind, RequestSent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Self

    from ._results import Explanation

__all__ = [
    "CATALOGUE",
    "BankRefusedError",
    "BankUnavailableError",
    "CallCancelledError",
    "CallTimeoutError",
    "CatalogueEntry",
    "CbpiiError",
    "ConfigurationError",
    "ConsentRefusedError",
    "ConsentRequiredError",
    "EligibilityError",
    "InternalError",
    "InvalidRequestError",
    "NetworkError",
    "ProtocolError",
    "RateLimitedError",
    "StoreError",
    "TlsError",
]


@dataclass(frozen=True)
class CatalogueEntry:
    """One cause of errors. Code and number are stable."""

    code: str
    """The stable text, e.g. ``consent.state_mismatch``."""
    number: int
    """The stable number; ``number // 1000`` is the kind's place, counted from one."""
    kind: ErrorKind
    """The group this cause belongs to."""
    advice: Advice
    """What to do about it."""
    summary: str
    """What it means, in one sentence."""


CATALOGUE: "Final[Mapping[str, CatalogueEntry]]" = MappingProxyType(
    {
        code: CatalogueEntry(code, number, ErrorKind(kind), Advice(advice), summary)
        for code, number, kind, advice, summary in _cbpii._catalogue()
    }
)
"""Every cause there is, by its code, in order of number."""


class CbpiiError(Exception):
    """What every call of this package raises when it fails: one sentence for a person and all the facts for a program.

    It holds no secret; account numbers and tokens in it are masked.

    ``CbpiiError(code, message)`` makes an error of the class that belongs to the code, for those who write a signer, a
    transport or a store. A code that is not in the catalogue is a ``ValueError``.
    """

    _classes: ClassVar[dict[ErrorKind, type["CbpiiError"]]] = {}
    _kind: ClassVar[ErrorKind | None] = None

    code: str
    """The exact cause: a key of :data:`CATALOGUE`."""
    message: str
    """One sentence that says what happened and what to do."""
    retry_after: timedelta | None
    """How long the bank asks to wait before the next call (``Retry-After``)."""
    http_status: int | None
    """The status of the bank's answer, when there was one."""
    bank_code: str | None
    """The bank's business code (``AC01`` …) or OAuth error code (``invalid_grant`` …), when it gave one."""
    bank_message: str | None
    """What the bank wrote, masked and cut to at most 512 characters."""
    request_id: str | None
    """The ``X-Request-ID`` of the failed request: what the bank's support asks for first."""
    correlation_id: str | None
    """The bank's own ``X-CorrelationID``, when it gave one."""
    explanation: "Explanation | None"
    """What was sent, header by header, secrets masked: made to be pasted in a ticket to the bank."""

    def __init_subclass__(cls, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        if cls._kind is not None:
            cls._classes.setdefault(cls._kind, cls)

    def __new__(cls, code: str, message: str, **_facts: Any) -> "Self":
        entry = CATALOGUE.get(code)
        if entry is None:
            raise ValueError(f"{code!r} is not a code of cbpii.errors.CATALOGUE")
        wanted = cls._classes[entry.kind]
        made = wanted if cls is CbpiiError else cls
        if not issubclass(made, wanted):
            raise ValueError(f"{code!r} is a code of {wanted.__name__}, not of {made.__name__}")
        return cast("Self", super(CbpiiError, made).__new__(made, message))

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retry_after: timedelta | None = None,
        http_status: int | None = None,
        bank_code: str | None = None,
        bank_message: str | None = None,
        request_id: str | None = None,
        correlation_id: str | None = None,
        request_sent: RequestSent | None = None,
        explanation: "Explanation | None" = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.http_status = http_status
        self.bank_code = bank_code
        self.bank_message = bank_message
        self.request_id = request_id
        self.correlation_id = correlation_id
        self._request_sent = None if request_sent is None else RequestSent(request_sent)
        self.explanation = explanation

    @property
    def request_sent(self) -> RequestSent:
        """Whether the failed request reached the bank. An error of your own that does not state it says ``NO``; when a
        transport raises it, the call's error says ``UNKNOWN``."""
        return RequestSent.NO if self._request_sent is None else self._request_sent

    @property
    def kind(self) -> ErrorKind:
        """The group of the cause."""
        return CATALOGUE[self.code].kind

    @property
    def number(self) -> int:
        """The stable number of the cause."""
        return CATALOGUE[self.code].number

    @property
    def advice(self) -> Advice:
        """What to do about it. A pause the bank asked for turns ``RETRY`` into ``RETRY_AFTER``."""
        advice = CATALOGUE[self.code].advice
        if advice is Advice.RETRY and self.retry_after is not None:
            return Advice.RETRY_AFTER
        return advice

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"

    def __repr__(self) -> str:
        facts = [f"code={self.code!r}", f"message={self.message!r}", f"advice={self.advice.value!r}"]
        optional = {
            "retry_after": self.retry_after,
            "http_status": self.http_status,
            "bank_code": self.bank_code,
            "bank_message": self.bank_message,
            "request_id": self.request_id,
        }
        facts += [f"{name}={value!r}" for name, value in optional.items() if value is not None]
        facts.append(f"request_sent={self.request_sent.value!r}")
        return f"{type(self).__name__}({', '.join(facts)})"

    def __reduce__(self) -> "tuple[Callable[..., CbpiiError], tuple[object, ...]]":
        names = (
            "retry_after",
            "http_status",
            "bank_code",
            "bank_message",
            "request_id",
            "correlation_id",
            "explanation",
        )
        facts = {name: getattr(self, name) for name in names}
        facts["request_sent"] = self._request_sent
        return _restore, (type(self), self.code, self.message, facts)


def _restore(cls: type[CbpiiError], code: str, message: str, facts: dict[str, Any]) -> CbpiiError:
    return cls(code, message, **facts)


class ConfigurationError(CbpiiError, ValueError):
    """Something given at set-up (bank record, key, certificate, option) cannot be used."""

    _kind = ErrorKind.CONFIGURATION


class EligibilityError(CbpiiError):
    """The issuer's certificates do not entitle it to this product."""

    _kind = ErrorKind.ELIGIBILITY


class InvalidRequestError(CbpiiError, ValueError):
    """A value given for this call is not acceptable; nothing was sent."""

    _kind = ErrorKind.INVALID_REQUEST


class ConsentRefusedError(CbpiiError):
    """The cardholder or the bank said no to the consent."""

    _kind = ErrorKind.CONSENT_REFUSED


class ConsentRequiredError(CbpiiError):
    """There is no usable consent (any more): the cardholder must go to the bank again."""

    _kind = ErrorKind.CONSENT_REQUIRED


class BankRefusedError(CbpiiError):
    """The bank understood the request and refused it."""

    _kind = ErrorKind.BANK_REFUSED


class RateLimitedError(CbpiiError):
    """The bank wants fewer calls; see ``retry_after``."""

    _kind = ErrorKind.RATE_LIMITED


class BankUnavailableError(CbpiiError):
    """The bank has a problem of its own."""

    _kind = ErrorKind.BANK_UNAVAILABLE


class CallTimeoutError(CbpiiError, TimeoutError):
    """The time budget ran out. **This is not a "no".**"""

    _kind = ErrorKind.TIMEOUT


class NetworkError(CbpiiError, ConnectionError):
    """The bank could not be reached, or the connection broke."""

    _kind = ErrorKind.NETWORK


class TlsError(CbpiiError, ConnectionError):
    """The secure channel could not be made."""

    _kind = ErrorKind.TLS


class ProtocolError(CbpiiError):
    """The bank answered with something that is not a valid answer."""

    _kind = ErrorKind.PROTOCOL


class StoreError(CbpiiError):
    """The consent store failed."""

    _kind = ErrorKind.STORE


class CallCancelledError(CbpiiError):
    """The caller cancelled the call (by a :class:`cbpii.CancelToken`, or by ending a stream of checks)."""

    _kind = ErrorKind.CANCELLED


class InternalError(CbpiiError):
    """A defect of this library; please report it."""

    _kind = ErrorKind.INTERNAL
