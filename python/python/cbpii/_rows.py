"""Many checks that come as rows of plain values: of a dataframe or of a file."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ._cbpii import FundsRequest, Session
from ._many import SessionPool
from ._results import CheckOutcome, FundsCheck
from .errors import CbpiiError, InvalidRequestError

Pools = SessionPool | Mapping[str, SessionPool]
"""The pool of every row, or one for each value of the column that names the bank."""


@dataclass(frozen=True)
class Row:
    """One check as plain values; None is a value that is missing."""

    place: int
    """Which row it is, counted from zero."""
    consent: Any
    iban: Any
    amount: Any
    currency: Any
    reference: Any
    bank: Any = None


@dataclass(frozen=True)
class RowResult:
    """What a row gets."""

    available: bool | None = None
    error_code: str | None = None
    advice: str | None = None
    request_id: str | None = None
    checked_at: datetime | None = None


RESULT_NAMES = ("available", "error_code", "advice", "request_id", "checked_at")


def ask_rows(
    rows: Iterable[Row],
    open_session: Callable[[Row], Session],
    pool: SessionPool,
    *,
    max_in_flight: int,
    timeout: float | timedelta | None,
) -> Iterator[tuple[Row, RowResult]]:
    """Asks the rows' questions and gives each row with its result, in the order in which they end.

    A row that cannot be asked gets the error as its result.
    """
    not_asked: list[tuple[Row, RowResult]] = []

    def checks() -> Iterator[FundsCheck]:
        for row in rows:
            check = _check(row, open_session)
            if isinstance(check, FundsCheck):
                yield check
            else:
                not_asked.append((row, check))

    with pool.confirm_many(checks(), max_in_flight=max_in_flight, timeout=timeout) as stream:
        for outcome in stream:
            yield from _drained(not_asked)
            yield outcome.check.context, _result(outcome)
    yield from _drained(not_asked)


def opener(pools: Pools) -> Callable[[Row], Session]:
    """Opens the session of a row."""

    def of_row(row: Row) -> Session:
        pool = pools if isinstance(pools, SessionPool) else pools.get(str(row.bank))
        if pool is None:
            raise CbpiiError("configuration.bank_unknown", f"No pool was given for the bank {row.bank!r}.")
        return pool.open(consent_id(row))

    return of_row


def consent_id(row: Row) -> str:
    """The id the row's consent is kept under."""
    return _text(row.consent, "consent", "request.consent_id")


def _check(row: Row, open_session: Callable[[Row], Session]) -> FundsCheck | RowResult:
    try:
        return FundsCheck(open_session(row), _request(row), row)
    except CbpiiError as error:
        return _failed(error)


def _request(row: Row) -> FundsRequest:
    if row.amount is None:
        raise InvalidRequestError("request.amount", "The row has no amount.")
    try:
        return FundsRequest(
            reference=_text(row.reference, "reference", "request.reference"),
            account=_text(row.iban, "IBAN", "request.iban"),
            amount=row.amount,
            currency=_text(row.currency, "currency", "request.currency"),
        )
    except TypeError as error:
        raise InvalidRequestError("request.amount", f"The amount cannot be used: {error}.") from error


def _text(value: Any, what: str, code: str) -> str:
    if value is None:
        raise InvalidRequestError(code, f"The row has no {what}.")
    return value if isinstance(value, str) else str(value)


def _result(outcome: CheckOutcome) -> RowResult:
    answer = outcome.confirmation
    if answer is None:
        assert outcome.error is not None
        return _failed(outcome.error)
    return RowResult(available=answer.available, request_id=answer.request_id, checked_at=answer.checked_at)


def _failed(error: CbpiiError) -> RowResult:
    return RowResult(error_code=error.code, advice=error.advice.value, request_id=error.request_id)


def _drained(results: list[tuple[Row, RowResult]]) -> Iterator[tuple[Row, RowResult]]:
    while results:
        yield results.pop(0)
