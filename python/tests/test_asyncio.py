"""The asynchronous world."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import anyio
import cbpii
import pytest
import uvloop
from support import Sandbox, bare_client, check, sealed, some_tokens

Runner = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Runner:
    """Runs a coroutine on a loop of either kind."""
    return asyncio.run if request.param == "asyncio" else uvloop.run


def test_the_loop_runs_on_during_calls(sandbox: Sandbox, run: Runner) -> None:
    async def test() -> None:
        sandbox.fault("funds", "delay", milliseconds=400, times=None)
        async with sandbox.async_client() as client:
            tokens = sandbox.tokens()
            calls = asyncio.gather(*(client.confirm_funds(tokens, check()) for _ in range(10)))
            ticks, longest, last = 0, 0.0, time.monotonic()
            while not calls.done():
                await asyncio.sleep(0.005)
                now = time.monotonic()
                ticks, longest, last = ticks + 1, max(longest, now - last), now
            assert all(answer.available for answer in await calls)
        assert ticks > 30
        assert longest < 0.3

    run(test())


def test_cancelling_a_task_cancels_its_call(sandbox: Sandbox, run: Runner) -> None:
    async def test() -> None:
        sandbox.fault("funds", "stall", times=None)
        # With one thread, the next call shows that the cancelled one has let go of it.
        async with sandbox.async_client(max_in_flight=1, timeout=60) as client:
            tokens = sandbox.tokens()
            task = asyncio.create_task(client.confirm_funds(tokens, check()))
            await asyncio.to_thread(sandbox.requests, 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            sandbox.control("DELETE", "/faults")
            started = time.monotonic()
            assert (await client.confirm_funds(tokens, check())).available
            assert time.monotonic() - started < 5

    run(test())


def test_a_call_that_waits_for_its_turn_can_be_cancelled(sandbox: Sandbox, run: Runner) -> None:
    async def test() -> None:
        sandbox.fault("funds", "hold")
        async with sandbox.async_client(max_in_flight=1) as client:
            tokens = sandbox.tokens()
            first = asyncio.create_task(client.confirm_funds(tokens, check()))
            await asyncio.to_thread(sandbox.requests, 1)
            second = asyncio.create_task(client.confirm_funds(tokens, check()))
            await asyncio.sleep(0)
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            sandbox.control("DELETE", "/faults")
            assert (await first).available
            assert (await client.confirm_funds(tokens, check())).available
        assert len(sandbox.requests()) == 2

    run(test())


def test_errors_arrive_whole(sandbox: Sandbox, run: Runner) -> None:
    async def test() -> None:
        async with sandbox.async_client() as client:
            tokens = sandbox.tokens("ALICE")
            with pytest.raises(cbpii.BankRefusedError) as refusal:
                await client.confirm_funds(tokens, check(iban="FR7617515006000000441010185"))
            assert (refusal.value.code, refusal.value.bank_code) == ("bank.account_closed", "AC04")
            sandbox.fault("funds", "stall", times=2)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.confirm_funds(tokens, check()), 0.2)
            with pytest.raises(cbpii.CallTimeoutError):
                await client.confirm_funds(tokens, check(), timeout=0.2)

    run(test())


@pytest.mark.parametrize("uvloop_too", [False, True])
def test_under_anyio(sandbox: Sandbox, uvloop_too: bool) -> None:
    async def test() -> None:
        async with sandbox.async_client() as client:
            tokens = sandbox.tokens()
            answers = []

            async def ask() -> None:
                answers.append((await client.confirm_funds(tokens, check())).available)

            async with anyio.create_task_group() as group:
                for _ in range(5):
                    group.start_soon(ask)
            assert answers == [True] * 5
            sandbox.fault("funds", "stall", times=None)
            with anyio.move_on_after(0.2) as scope:
                await client.confirm_funds(tokens, check())
            assert scope.cancelled_caught
            sandbox.control("DELETE", "/faults")
            assert (await client.confirm_funds(tokens, check())).available

    anyio.run(test, backend="asyncio", backend_options={"use_uvloop": uvloop_too})


def test_without_a_loop_there_is_no_call() -> None:
    workers = cbpii._cbpii._Workers(1)
    with pytest.raises(RuntimeError, match="running event loop"):
        bare_client()._confirm_funds(workers, some_tokens(), check(), None)


@pytest.mark.parametrize("count", [0, 1025])
def test_the_number_of_calls_in_flight_has_a_range(sandbox: Sandbox, count: int) -> None:
    with pytest.raises(cbpii.ConfigurationError, match="max_in_flight"):
        sandbox.async_client(max_in_flight=count)


def test_a_stream_of_an_async_generator(sandbox: Sandbox, run: Runner) -> None:
    async def test() -> None:
        async with sandbox.async_client() as client:
            pool = cbpii.AsyncSessionPool(client, sealed())
            session = await pool.keep("claire", sandbox.tokens())

            async def checks() -> AsyncIterator[cbpii.FundsCheck]:
                consents: list[str | cbpii.AsyncSession] = [session, "claire", "nobody"]
                for number in range(30):
                    await asyncio.sleep(0)
                    yield cbpii.FundsCheck(consents[number % 3], check(), context=number)

            stream = pool.confirm_many(checks(), max_in_flight=4)
            outcomes = [outcome async for outcome in stream]
            assert sorted(outcome.check.context for outcome in outcomes) == list(range(30))
            for outcome in outcomes:
                assert outcome.available is (None if outcome.check.context % 3 == 2 else True)
            progress = stream.progress
            assert (progress.done, progress.yes, progress.no, progress.errors) == (30, 20, 0, 10)

    run(test())


def test_a_stream_that_is_left_early_ends(sandbox: Sandbox, run: Runner) -> None:
    async def test() -> None:
        async with sandbox.async_client() as client:
            pool = cbpii.AsyncSessionPool(client, sealed())
            await pool.keep("claire", sandbox.tokens())
            async with pool.confirm_many((("claire", check()) for _ in range(10_000)), max_in_flight=2) as stream:
                async for outcome in stream:
                    assert outcome.result().available
                    break
            with pytest.raises(StopAsyncIteration):
                await anext(stream)
            assert len(sandbox.requests()) < 100

    run(test())


def test_what_the_source_raises_comes_out(sandbox: Sandbox, run: Runner) -> None:
    async def test() -> None:
        async with sandbox.async_client() as client:
            pool = cbpii.AsyncSessionPool(client, sealed())
            await pool.keep("claire", sandbox.tokens())

            async def checks() -> AsyncIterator[tuple[str, cbpii.FundsRequest]]:
                yield "claire", check()
                raise LookupError("the file ends here")

            with pytest.raises(LookupError, match="ends here"):
                async for _ in pool.confirm_many(checks(), max_in_flight=1):
                    pass

    run(test())
