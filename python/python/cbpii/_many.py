"""Pools of sessions, and many checks at once."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING

from ._cbpii import Client, FundsRequest, RenewalsDue, SealedStore, Session, Tokens, _Checks, _Pool
from ._results import CheckOutcome, FundsCheck, FundsConfirmation, Progress
from .errors import CbpiiError

if TYPE_CHECKING:
    from .aio import AsyncSession


class SessionPool:
    """The sessions of one client: its cardholders' consents in one store. Shared freely between threads.

    - ``refresh_margin``: how long before its end an access token is refreshed; at most half of the token's life is used;
      at most one hour.
    - ``renew_before``: how long before its end a consent should be renewed; at most 3650 days.
    - ``refresh_timeout``: the time a refresh may take, whatever time the check that caused it has; 1 s to 5 minutes.

    Durations are seconds or timedeltas. Raises ``configuration.option`` when one is outside its range. It does not survive
    ``os.fork()``: make another one in the child.
    """

    def __init__(
        self,
        client: Client,
        store: SealedStore,
        *,
        refresh_margin: float | timedelta = 60.0,
        renew_before: float | timedelta = timedelta(days=14),
        refresh_timeout: float | timedelta = 10.0,
    ) -> None:
        self._client = client
        self._store = store
        self._pool = _Pool(client, store, refresh_margin, renew_before, refresh_timeout)

    @property
    def client(self) -> Client:
        """The client."""
        return self._client

    @property
    def store(self) -> SealedStore:
        """The store."""
        return self._store

    def keep(self, id: str, tokens: Tokens) -> Session:
        """Keeps the tokens of a consent that was just given under ``id`` (1 to 255 bytes of UTF-8, stored in clear).

        A consent that was there is replaced: this is also how one is renewed. Sessions that are open go on with the new
        tokens. Raises ``request.consent_id``; of kind ``store``, and then nothing was kept.
        """
        return self._pool.keep(id, tokens)

    def open(self, id: str) -> Session:
        """The consent that is kept under ``id``. Reads the store, unless a session of this id is open
        that was not forgotten.

        Raises ``consent.unknown`` when there is none; ``store.bank`` when it was kept for another bank;
        ``request.consent_id``; of kind ``store``.
        """
        return self._pool.open(id)

    def forget(self, id: str) -> bool:
        """Forgets a consent; False when there was none. Open sessions of it fail with ``consent.unknown`` from now on.

        Raises ``request.consent_id``; of kind ``store``.
        """
        return self._pool.forget(id)

    def renewals_due(self, before: datetime) -> RenewalsDue:
        """The consents to renew; see :meth:`SealedStore.renewals_due`."""
        return self._store.renewals_due(before)

    def confirm_many(
        self,
        checks: Iterable[FundsCheck | tuple[str | Session, FundsRequest]],
        *,
        max_in_flight: int = 16,
        timeout: float | timedelta | None = None,
        max_pause: float | timedelta = 300.0,
    ) -> "ConfirmMany":
        """Asks many questions: a stream of each check with its outcome, in the order in which they end.

        ``checks`` are :class:`FundsCheck` objects or pairs of consent and request, and may never end: they are asked for
        by the thread that walks the stream, a few times ``max_in_flight`` ahead of the answers. A consent that cannot be
        opened is the error of its check. A bank that answers 429 is left alone for as long as it says.

        - ``max_in_flight``: how many checks are under way at most, 1 to 256.
        - ``timeout``: the time each check may take; the client's own by default. Pauses do not count.
        - ``max_pause``: the longest pause that is waited for; while a bank asks for a longer one, its checks fail with
          ``bank.rate_limited`` without being sent.

        Raises ``configuration.option`` when an option is outside its range.
        """
        return ConfirmMany(self, checks, _Checks(max_in_flight, timeout, max_pause), max_in_flight)

    def __repr__(self) -> str:
        return f"SessionPool({self._client!r}, {self._store!r})"


class Tally:
    """Counts outcomes: those of checks that could not start are not the extension's to count."""

    def __init__(self, checks: _Checks) -> None:
        self._checks = checks
        self._unstarted = 0

    def not_started(self) -> None:
        self._unstarted += 1

    def progress(self) -> Progress:
        done, yes, no, errors, elapsed = self._checks.progress()
        return Progress(done + self._unstarted, yes, no, errors + self._unstarted, elapsed)

    def answered(self) -> int:
        """How many checks that were sent have ended."""
        return self._checks.progress()[0]


class ConfirmMany(Iterator[CheckOutcome]):
    """The stream of :meth:`SessionPool.confirm_many`. Leaving it before its end cancels the rest."""

    def __init__(
        self,
        pool: SessionPool,
        checks: Iterable[FundsCheck | tuple[str | Session, FundsRequest]],
        stream: _Checks,
        max_in_flight: int,
    ) -> None:
        self._pool = pool
        self._source = iter(checks)
        self._stream = stream
        self._tally = Tally(stream)
        self._window = Window(max_in_flight)
        self._closed = False

    @property
    def progress(self) -> Progress:
        """How far it has come. May be read from any thread."""
        return self._tally.progress()

    def close(self) -> None:
        """Ends the stream: checks under way are cancelled, and no further one is made."""
        self._closed = True
        self._stream.cancel()

    def __enter__(self) -> "ConfirmMany":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> "ConfirmMany":
        return self

    def __next__(self) -> CheckOutcome:
        """The next check that ended. What the iterable of checks raises comes out here, and ends the stream."""
        if self._closed:
            raise StopIteration
        try:
            return self._next()
        except BaseException:
            self.close()
            raise

    def _next(self) -> CheckOutcome:
        window = self._window
        while window.wants_more and not window.has_answer(self._tally.answered()):
            try:
                check = as_check(next(self._source))
            except StopIteration:
                window.end()
                self._stream.finish()
                break
            try:
                consent = check.consent
                session = self._pool.open(consent) if isinstance(consent, str) else session_of(consent)
            except CbpiiError as error:
                self._tally.not_started()
                return CheckOutcome(check, None, error)
            self._stream.send(session, check.request, check)
            window.sent += 1
        if window.is_done:
            raise StopIteration
        ended = self._stream.next()
        if ended is None:
            raise StopIteration
        window.received += 1
        return as_outcome(ended)


class Window:
    """How far the checks that were sent are ahead of the outcomes that came back."""

    def __init__(self, max_in_flight: int) -> None:
        # Enough that the checks of a bank that asked for a pause do not keep the others' waiting.
        self._limit = 6 * max_in_flight
        self._ended = False
        self.sent = 0
        self.received = 0

    @property
    def wants_more(self) -> bool:
        return not self._ended and self.sent - self.received < self._limit

    @property
    def is_done(self) -> bool:
        return self._ended and self.sent == self.received

    def has_answer(self, answered: int) -> bool:
        return answered > self.received

    def end(self) -> None:
        self._ended = True


def as_check(item: "FundsCheck | tuple[str | Session | AsyncSession, FundsRequest]") -> FundsCheck:
    """A check, as it is or of a pair."""
    return item if isinstance(item, FundsCheck) else FundsCheck(*item)


def session_of(consent: "Session | AsyncSession") -> Session:
    """The session, of either world."""
    return consent if isinstance(consent, Session) else consent._session


def as_outcome(ended: tuple[object, FundsConfirmation | None, Exception | None]) -> CheckOutcome:
    """The outcome of what the extension gives back."""
    check, confirmation, error = ended
    assert isinstance(check, FundsCheck)
    assert error is None or isinstance(error, CbpiiError)
    return CheckOutcome(check, confirmation, error)
