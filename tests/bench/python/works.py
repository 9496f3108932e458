"""What the measured programs share: their configuration, the works and how they are measured.

One measurement in a process of its own, told as a line of JSON::

    PROGRAM kept-alive N      N calls on one kept-alive connection
    PROGRAM threads T N       T threads with N calls each, one kept-alive connection per thread
    PROGRAM tasks T N         the same with T tasks of asyncio
    PROGRAM new-connection N  N calls, each on a new connection
    PROGRAM once              one call, then the end
    PROGRAM in-memory N       N calls whose answer is made on the spot, without the network

Two calls per thread or task (or ``BENCH_REHEARSALS``) come before the clock starts, except for ``once``. Nothing is imported
here that every program would not load anyway, for ``once`` is measured from the start of the process to its end.
"""

import json
import os
import sys
import time
from collections.abc import Awaitable, Callable

REHEARSALS = int(os.environ.get("BENCH_REHEARSALS", "2"))

YES = b'{"request":%b,"result":true,"_links":{"self":{"href":"/"}}}'
"""What a bank answers, with the body of the request in it."""

Call = Callable[[], object]
"""One funds check that must be answered by yes."""
AsyncCall = Callable[[], Awaitable[None]]


class Config:
    """From the environment. Certificates and keys are paths of PEM files."""

    def __init__(self) -> None:
        self.origin = os.environ["BENCH_ORIGIN"]
        self.funds_url = os.environ["BENCH_FUNDS_URL"]
        self.client_id = os.environ["BENCH_CLIENT_ID"]
        self.redirect_uri = os.environ["BENCH_REDIRECT_URI"]
        self.access_token = os.environ["BENCH_ACCESS_TOKEN"]
        self.iban = os.environ["BENCH_IBAN"]
        self.amount = os.environ["BENCH_AMOUNT"]
        self.reference = os.environ["BENCH_REFERENCE"]
        self.ca = os.environ["BENCH_CA"]
        self.qwac_chain = os.environ["BENCH_QWAC_CHAIN"]
        self.qwac_key = os.environ["BENCH_QWAC_KEY"]
        self.seal_chain = os.environ["BENCH_SEAL_CHAIN"]
        self.seal_key = os.environ["BENCH_SEAL_KEY"]


class Side:
    """Whose calls are measured. Each program makes one of these, with what all of its threads share."""

    def __init__(self, config: Config, keeps: bool) -> None:
        """Without ``keeps``, each call takes a new connection."""
        raise NotImplementedError

    def caller(self) -> Call:
        """What one thread calls with."""
        raise NotImplementedError

    def caller_in_memory(self) -> Call:
        """The same without the network: the answer is a yes to whatever is asked."""
        raise NotImplementedError

    async def async_caller(self) -> AsyncCall:
        """What one task calls with."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Ends what the tasks shared."""

    def resumed(self) -> int | None:
        """How many connections resumed a TLS session, where that is counted."""
        return None


MakeSide = Callable[[Config, bool], Side]


Spent = dict[str, float]
"""Seconds: wall and CPU time of all calls, and of a single one the median and what one in a hundred exceeds."""


class Clocks:
    """Wall and CPU time (of all threads, user and system) since this was made, and the times of single calls."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> Spent:
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        times = sorted(self.times)
        p50, p99 = (times[len(times) * percent // 100] for percent in (50, 99))
        return {"wall_seconds": wall, "cpu_seconds": cpu, "p50_seconds": p50, "p99_seconds": p99}

    def measure(self, call: Call, calls: int) -> None:
        """Makes the calls and keeps their times; by several threads at once, too."""
        for _ in range(calls):
            started = time.perf_counter()
            call()
            self.times.append(time.perf_counter() - started)

    async def measure_async(self, call: AsyncCall, calls: int) -> None:
        for _ in range(calls):
            started = time.perf_counter()
            await call()
            self.times.append(time.perf_counter() - started)


def alone(call: Call, rehearsals: int, calls: int) -> Spent:
    for _ in range(rehearsals):
        call()
    clocks = Clocks()
    clocks.measure(call, calls)
    return clocks.read()


def in_threads(side: Side, threads: int, calls: int) -> Spent:
    import threading

    clocks: list[Clocks] = []
    failures: list[BaseException] = []
    # The last thread that gets ready starts the clock: another one might have to wait for the GIL first.
    ready = threading.Barrier(threads, action=lambda: clocks.append(Clocks()))

    def work(call: Call) -> None:
        try:
            for _ in range(REHEARSALS):
                call()
            ready.wait()
            clocks[0].measure(call, calls)
        except BaseException as failure:
            failures.append(failure)
            ready.abort()

    workers = [threading.Thread(target=work, args=(side.caller(),)) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failures:
        raise failures[0]
    return clocks[0].read()


async def in_tasks(side: Side, tasks: int, rehearsals: int, calls: int) -> Spent:
    import asyncio

    callers = [await side.async_caller() for _ in range(tasks)]
    await asyncio.gather(*(Clocks().measure_async(call, rehearsals) for call in callers))
    clocks = Clocks()
    await asyncio.gather(*(clocks.measure_async(call, calls) for call in callers))
    spent = clocks.read()
    await side.aclose()
    return spent


def peak_memory() -> int:
    """The largest resident size so far, in KiB.

    Not ``ru_maxrss``: Linux lets a process begin with its parent's.
    """
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def in_event_loop(make: MakeSide, keeps: bool, tasks: int, rehearsals: int, calls: int) -> tuple[Side, Spent]:
    import asyncio

    async def everything() -> tuple[Side, Spent]:
        side = make(Config(), keeps)
        return side, await in_tasks(side, tasks, rehearsals, calls)

    return asyncio.run(everything())


def measure(make: MakeSide, only_async: bool, work: list[str]) -> tuple[Side, int, Spent]:
    """The side, how many calls it made, and what they took."""

    def one(rehearsals: int, calls: int, keeps: bool) -> tuple[Side, int, Spent]:
        if only_async:
            side, spent = in_event_loop(make, keeps, 1, rehearsals, calls)
        else:
            side = make(Config(), keeps)
            spent = alone(side.caller(), rehearsals, calls)
        return side, calls, spent

    match work:
        case ["kept-alive", calls]:
            return one(REHEARSALS, int(calls), True)
        case ["new-connection", calls]:
            return one(REHEARSALS, int(calls), False)
        case ["once"]:
            return one(0, 1, True)
        case ["threads", threads, calls] if not only_async:
            side = make(Config(), True)
            return side, int(threads) * int(calls), in_threads(side, int(threads), int(calls))
        case ["tasks", tasks, calls]:
            side, spent = in_event_loop(make, True, int(tasks), REHEARSALS, int(calls))
            return side, int(tasks) * int(calls), spent
        case ["in-memory", calls] if not only_async:
            side = make(Config(), True)
            return side, int(calls), alone(side.caller_in_memory(), REHEARSALS, int(calls))
    sys.exit(__doc__)


def main(make: MakeSide, *, only_async: bool = False) -> None:
    side, calls, spent = measure(make, only_async, sys.argv[1:])
    measured = {"calls": calls, **spent, "memory_peak": peak_memory(), "resumed": side.resumed()}
    print(json.dumps(measured))
