"""How calls run: the GIL, Ctrl-C, panics, forks, many threads, memory."""

import gc
import io
import logging
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cbpii
import pytest
from cbpii import _cbpii
from support import LEA, Sandbox, bare_client, check, sealed, some_tokens


def test_other_threads_run_during_a_call(sandbox: Sandbox) -> None:
    sandbox.fault("funds", "delay", milliseconds=500)
    client, tokens = sandbox.client(), sandbox.tokens()
    ticks: list[float] = []
    ended = threading.Event()

    def tick() -> None:
        while not ended.wait(0.002):
            ticks.append(time.monotonic())

    thread = threading.Thread(target=tick)
    thread.start()
    client.confirm_funds(tokens, check())
    ended.set()
    thread.join()
    assert len(ticks) > 50


def test_threads_share_a_client(sandbox: Sandbox) -> None:
    client, tokens = sandbox.client(), sandbox.tokens()
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: client.confirm_funds(tokens, check()).available, range(80)))
    assert answers == [True] * 80
    assert client.statistics.connections <= 8


INTERRUPTED = """
import signal, sys, time, _thread, threading
sys.path.insert(0, sys.argv[1])
from support import LEA, Sandbox, check

signal.signal(signal.SIGINT, signal.default_int_handler)
sandbox = Sandbox()
sandbox.fault("funds", "stall", times=None)
client, tokens = sandbox.client(timeout=60), sandbox.tokens()
if sys.argv[2] == "listener":
    # Such a call is made by another thread.
    client = sandbox.client(timeout=60, on_event=lambda event: None)
if sys.argv[2] == "session":
    import cbpii
    from support import sealed
    session = cbpii.SessionPool(client, sealed()).keep("claire", tokens)
    call = lambda: session.confirm_funds(check())
elif sys.argv[2] == "refresh":
    from datetime import datetime, timedelta, timezone
    import cbpii
    from support import sealed
    sandbox.control("DELETE", "/faults")
    sandbox.fault("token", "delay", milliseconds=1500)
    ended = cbpii.Tokens(
        access_token="ended",
        refresh_token=tokens.refresh_token,
        obtained_at=datetime.now(timezone.utc) - timedelta(hours=1),
        expires_at=datetime.now(timezone.utc) - timedelta(minutes=1),
        consent_expires_at=tokens.consent_expires_at,
    )
    session = cbpii.SessionPool(client, sealed()).keep("claire", ended)
    call = lambda: session.confirm_funds(check())
else:
    call = lambda: client.confirm_funds(tokens, check())
sent = []

def interrupt():
    sandbox.requests(wait_for=1)
    sent.append(time.monotonic())
    signal.raise_signal(signal.SIGINT)

threading.Thread(target=interrupt, daemon=True).start()
try:
    call()
except KeyboardInterrupt:
    print(time.monotonic() - sent[0])
sandbox.control("DELETE", "/faults")
print(call().available)
"""


@pytest.mark.parametrize("what", ["client", "listener", "session", "refresh"])
def test_ctrl_c_interrupts_a_call(what: str) -> None:
    waited, again = said_by(INTERRUPTED, what).split()
    assert float(waited) < 0.2
    assert again == "True"


UNCONNECTED = """
import signal, socket, sys, threading, time
sys.path.insert(0, sys.argv[1])
import cbpii
from support import Sandbox, check

signal.signal(signal.SIGINT, signal.default_int_handler)
sandbox = Sandbox()
listener = socket.create_server(("127.0.0.1", 0), backlog=0)
name = "127.0.0.1:%d" % listener.getsockname()[1]
waiting = []
if sys.argv[2] == "connect":
    # Further connections find no place in the queue and wait.
    for _ in range(8):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(listener.getsockname())
        waiting.append(one)
bank = sandbox.bank().with_origin("https://" + name)
client = cbpii.Client(bank, sandbox.own_issuer(), timeout=60, connect_timeout=60)
tokens, sent = sandbox.tokens(), []

def interrupt():
    time.sleep(0.3)
    sent.append(time.monotonic())
    signal.raise_signal(signal.SIGINT)

threading.Thread(target=interrupt, daemon=True).start()
try:
    client.confirm_funds(tokens, check())
except KeyboardInterrupt:
    print(time.monotonic() - sent[0])
"""


@pytest.mark.parametrize("what", ["connect", "handshake"])
def test_ctrl_c_interrupts_a_connection_that_is_being_made(what: str) -> None:
    assert float(said_by(UNCONNECTED, what)) < 0.2


FIRST_CALL = """
import sys
at_start = set(sys.modules)
import cbpii

def answer(request):
    return cbpii.HttpResponse(200, (), b'{"request":%b,"result":true,"_links":{}}' % request.body)

from datetime import datetime, timezone

bank = cbpii.Bank.from_json('{"base":"bpce-17515","environment":"sandbox","signature":null}')
issuer = cbpii.Issuer(client_id="PSDFR-ACPR-12345", redirect_uri="https://issuer.example/callback")
client = cbpii.Client(bank, issuer, transport=answer, check_eligibility=False)
now = datetime.now(timezone.utc)
tokens = cbpii.Tokens(access_token="2YotnFZFEjr1zCsicMWpAA", obtained_at=now, consent_expires_at=now.replace(year=2100))
request = cbpii.FundsRequest(reference="R", account="FR7617515900000800358074006", amount="1", currency="EUR")
print(client.confirm_funds(tokens, request).available)
print(*sorted(set(sys.modules) - at_start))
"""


def test_a_first_call_imports_no_more_than_it_needs() -> None:
    answer, *imported = said_by(FIRST_CALL).split()
    assert answer == "True"
    needless = {"asyncio", "cbpii.aio", "cbpii.errors", "dataclasses", "inspect", "json", "logging"}
    assert needless.isdisjoint(imported)


def said_by(program: str, *arguments: str) -> str:
    """What a program says in a process of its own."""
    command = [sys.executable, "-c", program, os.path.dirname(__file__), *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60, check=True).stdout


def test_a_signal_handler_that_raises_nothing_lets_the_call_go_on(sandbox: Sandbox) -> None:
    assert threading.current_thread() is threading.main_thread(), "signals are handled by the main thread only"
    heard: list[int] = []

    def send() -> None:
        sandbox.requests(wait_for=1)
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, lambda number, _: heard.append(number))
    try:
        sandbox.fault("funds", "delay", milliseconds=300)
        client, tokens = sandbox.client(), sandbox.tokens()
        threading.Thread(target=send).start()
        assert client.confirm_funds(tokens, check()).available
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert heard == [signal.SIGUSR1]


def test_a_cancel_token_ends_calls_of_other_threads(sandbox: Sandbox) -> None:
    sandbox.fault("funds", "stall", times=None)
    client, tokens, token = sandbox.client(), sandbox.tokens(), cbpii.CancelToken()
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(client.confirm_funds, tokens, check(), cancel=token)
        sandbox.requests(wait_for=1)
        token.cancel()
        with pytest.raises(cbpii.CallCancelledError) as cancelled:
            call.result(5)
    assert token.cancelled
    assert cancelled.value.request_sent is cbpii.RequestSent.UNKNOWN
    with pytest.raises(cbpii.CallCancelledError):
        client.confirm_funds(tokens, check(), cancel=token)


@pytest.mark.parametrize("how", ["attended", "blocking", "direct"])
def test_a_panic_is_the_internal_error(how: Any, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(cbpii.InternalError) as raised:
        _cbpii._panic(how)
    assert raised.value.code == "internal"
    assert bare_client().confirm_funds(some_tokens(), check()).available
    assert "on purpose" in capfd.readouterr().err


def in_a_child(work: Any) -> str:
    """What a child after os.fork() says, within ten seconds."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            try:
                said = str(work())
            except BaseException as error:
                said = repr(error)
            os.write(writer, said.encode())
        finally:
            os._exit(0)
    os.close(writer)
    deadline = threading.Timer(10, os.kill, (child, signal.SIGKILL))
    deadline.start()
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    deadline.cancel()
    os.waitpid(child, 0)
    return said


# Python warns of a fork in a process with threads; here there are some on purpose.
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_client_goes_on_in_a_child(sandbox: Sandbox) -> None:
    client, tokens = sandbox.client(), sandbox.tokens()
    assert client.confirm_funds(tokens, check()).available
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            client.confirm_funds(tokens, check())

    threads = [threading.Thread(target=busy) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            assert in_a_child(lambda: client.confirm_funds(tokens, check()).available) == "True"
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert client.confirm_funds(tokens, check()).available


class SlowStream(io.RawIOBase):
    """Writes when it may."""

    def __init__(self) -> None:
        self.writes, self.may = threading.Event(), threading.Event()

    def writable(self) -> bool:
        return True

    def write(self, text: Any) -> int:
        self.writes.set()
        assert self.may.wait(10)
        return len(text)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_waits_for_what_is_being_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="cbpii")
    stream = SlowStream()
    handler = logging.StreamHandler(io.TextIOWrapper(io.BufferedWriter(stream)))
    client, tokens = bare_client(), some_tokens()
    thread = threading.Thread(target=client.confirm_funds, args=(tokens, check()))
    # Comes before the package's own, and at later forks does nothing more.
    os.register_at_fork(before=stream.may.set)
    logger = logging.getLogger("cbpii")
    logger.addHandler(handler)
    try:
        thread.start()
        assert stream.writes.wait(10)
        # The thread holds the lock of the stream, which Python frees in no child.
        assert in_a_child(lambda: logger.debug("in the child")) == "None"
        assert in_a_child(lambda: client.confirm_funds(tokens, check()).available) == "True"
    finally:
        stream.may.set()
        thread.join()
        logger.removeHandler(handler)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_pools_and_stores_say_that_they_do_not_survive_a_fork(sandbox: Sandbox) -> None:
    client = sandbox.client()
    store = sealed()
    pool = cbpii.SessionPool(client, store)
    session = pool.keep("claire", sandbox.tokens())
    assert session.confirm_funds(check()).available
    uses = [
        lambda: session.confirm_funds(check()),
        lambda: session.state,
        lambda: pool.open("claire"),
        store.reseal,
        lambda: next(pool.confirm_many([("claire", check())])),
    ]
    for use in uses:
        said = in_a_child(use)
        assert "configuration.option" in said
        assert "fork" in said
    assert "parent" in in_a_child(lambda: repr(session))

    def fresh() -> bool:
        pool = cbpii.SessionPool(client, sealed())
        return pool.keep("lea", sandbox.tokens("LEA")).confirm_funds(check(iban=LEA)).available

    assert in_a_child(fresh) == "True"
    assert session.confirm_funds(check()).available


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_an_async_client_goes_on_in_a_child(sandbox: Sandbox) -> None:
    import asyncio

    client, tokens = sandbox.async_client(), sandbox.tokens()

    async def ask() -> bool:
        return (await client.confirm_funds(tokens, check())).available

    assert asyncio.run(ask())
    assert in_a_child(lambda: asyncio.run(ask())) == "True"
    assert asyncio.run(ask())


def test_many_calls_do_not_grow_the_memory(caplog: pytest.LogCaptureFixture) -> None:
    # What pytest keeps of the log is not the package's.
    caplog.set_level(logging.WARNING, logger="cbpii")
    client, tokens = bare_client(), some_tokens()
    session = cbpii.SessionPool(client, sealed()).keep("claire", tokens)

    def calls(count: int) -> None:
        for _ in range(count):
            client.confirm_funds(tokens, check())
            session.confirm_funds(check())
            with pytest.raises(cbpii.InvalidRequestError):
                check("0")

    calls(500)
    gc.collect()
    before = resident()
    calls(10_000)
    gc.collect()
    assert resident() - before < 4 * 1024 * 1024


def resident() -> int:
    """The memory of this process, in bytes."""
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


ENDING = """
import asyncio, signal, sys, threading, time
sys.path.insert(0, sys.argv[1])
import cbpii
from support import bare_client, check, sealed, some_tokens

def transport(request):
    for _ in range(20):
        time.sleep(0.005)
    raise OSError("no route")

client, tokens = bare_client(transport=transport), some_tokens()

def interrupted():
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Timer(0.03, signal.raise_signal, (signal.SIGINT,)).start()
    try:
        client.confirm_funds(tokens, check())
    except KeyboardInterrupt:
        print("ended")

def cancelled():
    async def ask():
        async with cbpii.AsyncClient(client.bank, client.issuer, transport=transport) as asking:
            tasks = [asyncio.create_task(asking.confirm_funds(tokens, check())) for _ in range(20)]
            await asyncio.sleep(0.03)
            for task in tasks:
                task.cancel()
    asyncio.run(ask())
    print("ended")

def left():
    pool = cbpii.SessionPool(client, sealed())
    pool.keep("claire", tokens)
    assert next(pool.confirm_many(("claire", check()) for _ in range(100))).error
    print("ended")

globals()[sys.argv[2]]()
"""


@pytest.mark.parametrize("how", ["interrupted", "cancelled", "left"])
def test_the_interpreter_ends_while_calls_are_under_way(how: str) -> None:
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", ENDING, os.path.dirname(__file__), how], capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "ended\n", "")
