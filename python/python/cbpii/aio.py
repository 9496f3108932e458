"""The same for asyncio: nothing here blocks the event loop, and cancelling a task cancels its call at the bank.

Works with any loop that follows asyncio's interface, such as uvloop, and under anyio on asyncio.
"""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable
from datetime import datetime, timedelta
from types import TracebackType

from ._bank import Bank
from ._cbpii import (
    AuthorizationCode,
    Client,
    FundsRequest,
    Issuer,
    PendingConsent,
    RenewalsDue,
    SealedStore,
    Session,
    Tokens,
    _Checks,
    _Pool,
    _Workers,
)
from ._many import Tally, Window, as_check, as_outcome, session_of
from ._results import (
    CheckOutcome,
    ConsentMoment,
    ConsentStatus,
    Event,
    Explanation,
    FundsCheck,
    FundsConfirmation,
    HttpRequest,
    HttpResponse,
    Progress,
    RenewalDue,
    TransportStatistics,
)
from .enums import ConsentState, NextAction
from .errors import CbpiiError

__all__ = ["AsyncClient", "AsyncConfirmMany", "AsyncSession", "AsyncSessionPool"]


class AsyncClient:
    """One issuer at one bank, for asyncio. Takes the options of :class:`cbpii.Client`, and besides

    - ``max_in_flight``: how many calls are under way at most, each on a thread of this client's own; further ones wait for
      their turn, and their time-out begins with it. 1 to 1024.

    A transport, clock, signer or listener for events is called on these threads.
    """

    def __init__(
        self,
        bank: Bank,
        issuer: Issuer,
        *,
        max_in_flight: int = 64,
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
    ) -> None:
        self._workers = _Workers(max_in_flight)
        self._client = Client(
            bank,
            issuer,
            timeout=timeout,
            connect_timeout=connect_timeout,
            max_idle_connections=max_idle_connections,
            max_idle_age=max_idle_age,
            retries=retries,
            proxy=proxy,
            clock=clock,
            transport=transport,
            on_event=on_event,
            check_eligibility=check_eligibility,
        )

    @property
    def bank(self) -> Bank:
        """The bank."""
        return self._client.bank

    @property
    def issuer(self) -> Issuer:
        """The issuer."""
        return self._client.issuer

    @property
    def statistics(self) -> TransportStatistics:
        """What the connections have done so far."""
        return self._client.statistics

    def begin_consent(self, *, valid_for: float | timedelta = 900.0) -> PendingConsent:
        """Begins a consent; see :meth:`cbpii.Client.begin_consent`. No I/O, so it is not awaited."""
        return self._client.begin_consent(valid_for=valid_for)

    async def complete_consent(
        self, pending: PendingConsent, callback_url: str, *, timeout: float | timedelta | None = None
    ) -> Tokens:
        """Reads the callback and exchanges its code for tokens; see :meth:`cbpii.Client.complete_consent`."""
        return await self._client._complete_consent(self._workers, pending, callback_url, timeout)

    async def exchange_code(
        self, pending: PendingConsent, code: AuthorizationCode, *, timeout: float | timedelta | None = None
    ) -> Tokens:
        """Exchanges the code for tokens; see :meth:`cbpii.Client.exchange_code`. Cancelled on its way, it may have used
        the code up."""
        return await self._client._exchange_code(self._workers, pending, code, timeout)

    async def refresh(self, tokens: Tokens, *, timeout: float | timedelta | None = None) -> Tokens:
        """Refreshes the tokens; see :meth:`cbpii.Client.refresh`."""
        return await self._client._refresh(self._workers, tokens, timeout)

    async def confirm_funds(
        self, tokens: Tokens, request: FundsRequest, *, timeout: float | timedelta | None = None
    ) -> FundsConfirmation:
        """Asks the bank whether the account covers the amount; see :meth:`cbpii.Client.confirm_funds`."""
        return await self._client._confirm_funds(self._workers, tokens, request, timeout)

    def explain(self, request: FundsRequest) -> Explanation:
        """What :meth:`confirm_funds` would send; see :meth:`cbpii.Client.explain`. No I/O, so it is not awaited."""
        return self._client.explain(request)

    async def warm_up(self, connections: int = 1) -> int:
        """Opens connections to the bank ahead; see :meth:`cbpii.Client.warm_up`."""
        return await self._client._warm_up(self._workers, connections)

    def close(self) -> None:
        """Closes the unused connections; later calls raise ``configuration.option``. Leaving an ``async with`` does this."""
        self._client.close()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Async{self._client!r}"


class AsyncSession:
    """One cardholder's consent at one bank, kept alive; see :class:`cbpii.Session`. Made by an :class:`AsyncSessionPool`."""

    def __init__(self, session: Session, workers: _Workers) -> None:
        self._session = session
        self._workers = workers

    @property
    def id(self) -> str:
        """The id the consent is kept under."""
        return self._session.id

    async def confirm_funds(self, request: FundsRequest, *, timeout: float | timedelta | None = None) -> FundsConfirmation:
        """Asks the bank whether the account covers the amount; see :meth:`cbpii.Session.confirm_funds`.

        A refresh that is under way is not cut short by cancelling.
        """
        return await self._session._confirm_funds(self._workers, request, timeout)

    def status(self) -> ConsentStatus:
        """How the consent stands now, as far as this process knows; no I/O."""
        return self._session.status()

    @property
    def state(self) -> ConsentState:
        """How the consent stands now, in one word."""
        return self._session.state

    @property
    def consent_expires_at(self) -> datetime:
        """When the consent ends, in UTC."""
        return self._session.consent_expires_at

    @property
    def renew_from(self) -> datetime:
        """From when on the consent should be renewed, in UTC."""
        return self._session.renew_from

    @property
    def days_left(self) -> int:
        """The whole days that are left, rounded down."""
        return self._session.days_left

    @property
    def next_action(self) -> NextAction:
        """What is to be done next."""
        return self._session.next_action

    def history(self) -> list[ConsentMoment]:
        """What happened to the consent, oldest first: its last 16 moments."""
        return self._session.history()

    async def reload(self) -> ConsentStatus:
        """Reads the consent from the store again; see :meth:`cbpii.Session.reload`."""
        return await self._session._reload(self._workers)

    @property
    def has_unsaved_tokens(self) -> bool:
        """Whether fresh tokens wait in memory because the store could not take them."""
        return self._session.has_unsaved_tokens

    def __repr__(self) -> str:
        return f"Async{self._session!r}"


class AsyncSessionPool:
    """The sessions of one client, for asyncio. Takes the options of :class:`cbpii.SessionPool`."""

    def __init__(
        self,
        client: AsyncClient,
        store: SealedStore,
        *,
        refresh_margin: float | timedelta = 60.0,
        renew_before: float | timedelta = timedelta(days=14),
        refresh_timeout: float | timedelta = 10.0,
    ) -> None:
        self._client = client
        self._store = store
        self._workers = client._workers
        self._pool = _Pool(client._client, store, refresh_margin, renew_before, refresh_timeout)

    @property
    def client(self) -> AsyncClient:
        """The client."""
        return self._client

    @property
    def store(self) -> SealedStore:
        """The store."""
        return self._store

    async def keep(self, id: str, tokens: Tokens) -> AsyncSession:
        """Keeps the tokens of a consent that was just given; see :meth:`cbpii.SessionPool.keep`."""
        return AsyncSession(await self._pool._keep(self._workers, id, tokens), self._workers)

    async def open(self, id: str) -> AsyncSession:
        """The consent that is kept under ``id``; see :meth:`cbpii.SessionPool.open`."""
        return AsyncSession(await self._pool._open(self._workers, id), self._workers)

    async def forget(self, id: str) -> bool:
        """Forgets a consent; see :meth:`cbpii.SessionPool.forget`."""
        return await self._pool._forget(self._workers, id)

    async def renewals_due(self, before: datetime) -> AsyncIterator[RenewalDue]:
        """The consents to renew; see :meth:`cbpii.SealedStore.renewals_due`. A record that cannot be opened ends it."""
        due: RenewalsDue = self._store.renewals_due(before)
        while (one := await due._next(self._workers)) is not None:
            yield one

    def confirm_many(
        self,
        checks: "Checks",
        *,
        max_in_flight: int = 16,
        timeout: float | timedelta | None = None,
        max_pause: float | timedelta = 300.0,
    ) -> "AsyncConfirmMany":
        """Asks many questions: an asynchronous stream; see :meth:`cbpii.SessionPool.confirm_many`.

        ``checks`` may be an asynchronous iterable, too.
        """
        return AsyncConfirmMany(self, checks, _Checks(max_in_flight, timeout, max_pause), max_in_flight)

    def __repr__(self) -> str:
        return f"AsyncSessionPool({self._client!r}, {self._store!r})"


Check = FundsCheck | tuple[str | Session | AsyncSession, FundsRequest]
Checks = Iterable[Check] | AsyncIterable[Check]


class AsyncConfirmMany(AsyncIterator[CheckOutcome]):
    """The stream of :meth:`AsyncSessionPool.confirm_many`. Leaving it before its end cancels the rest."""

    def __init__(self, pool: AsyncSessionPool, checks: Checks, stream: _Checks, max_in_flight: int) -> None:
        self._pool = pool
        self._source = _walk(checks)
        self._stream = stream
        self._tally = Tally(stream)
        self._window = Window(max_in_flight)
        self._closed = False

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        return self._tally.progress()

    async def aclose(self) -> None:
        """Ends the stream: checks under way are cancelled, and no further one is made."""
        self._close()
        await self._source.aclose()

    def _close(self) -> None:
        self._closed = True
        self._stream.cancel()

    async def __aenter__(self) -> "AsyncConfirmMany":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> "AsyncConfirmMany":
        return self

    async def __anext__(self) -> CheckOutcome:
        """The next check that ended. What the iterable of checks raises comes out here, and ends the stream."""
        if self._closed:
            raise StopAsyncIteration
        try:
            return await self._next()
        except BaseException:
            self._close()
            raise

    async def _next(self) -> CheckOutcome:
        window = self._window
        while window.wants_more and not window.has_answer(self._tally.answered()):
            try:
                item = await anext(self._source)
            except StopAsyncIteration:
                window.end()
                self._stream.finish()
                break
            check = as_check(item)
            try:
                session = await self._session(check.consent)
            except CbpiiError as error:
                self._tally.not_started()
                return CheckOutcome(check, None, error)
            self._stream.send(session, check.request, check)
            window.sent += 1
        if window.is_done:
            raise StopAsyncIteration
        ended = await self._stream._next(self._pool._workers)
        if ended is None:
            raise StopAsyncIteration
        window.received += 1
        return as_outcome(ended)

    async def _session(self, consent: str | Session | AsyncSession) -> Session:
        if isinstance(consent, str):
            consent = await self._pool.open(consent)
        return session_of(consent)


async def _walk(checks: Checks) -> AsyncGenerator[Check, None]:
    if isinstance(checks, AsyncIterable):
        async for check in checks:
            yield check
    else:
        for check in checks:
            yield check
