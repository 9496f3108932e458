"""Many checks at once."""

import itertools
import threading
from collections.abc import Iterator

import cbpii
import pytest
from support import LEA, Sandbox, bare_client, check, saying, sealed, some_tokens


def a_pool(sandbox: Sandbox) -> cbpii.SessionPool:
    pool = cbpii.SessionPool(sandbox.client(), sealed())
    pool.keep("claire", sandbox.tokens())
    pool.keep("lea", sandbox.tokens("LEA"))
    return pool


def test_each_check_comes_back_with_its_outcome(sandbox: Sandbox) -> None:
    pool = a_pool(sandbox)
    claire = pool.open("claire")
    checks = [
        cbpii.FundsCheck("claire", check("1"), context="yes"),
        cbpii.FundsCheck(claire, check("459"), context="no"),
        cbpii.FundsCheck("lea", check("1", LEA), context="lea"),
        cbpii.FundsCheck("nobody", check("1"), context="unknown"),
        cbpii.FundsCheck("lea", check("1"), context="another's account"),
    ]
    stream = pool.confirm_many(checks, max_in_flight=3)
    outcomes = {outcome.check.context: outcome for outcome in stream}
    assert outcomes.keys() == {one.context for one in checks}
    assert outcomes["yes"].available is True
    assert outcomes["no"].result().available is False
    assert outcomes["lea"].check is checks[2]
    for context, code in [("unknown", "consent.unknown"), ("another's account", "bank.account_unknown")]:
        outcome = outcomes[context]
        assert outcome.available is None
        assert outcome.error is not None
        assert outcome.error.code == code
        with pytest.raises(type(outcome.error), match=code):
            outcome.result()
    progress = stream.progress
    assert (progress.done, progress.yes, progress.no, progress.errors) == (5, 2, 1, 2)
    assert progress.rate > 0
    assert list(stream) == []


def test_an_endless_source_is_asked_only_a_little_ahead() -> None:
    pool = cbpii.SessionPool(bare_client(), sealed())
    session = pool.keep("claire", some_tokens())
    asked: list[int] = []

    def checks() -> Iterator[tuple[cbpii.Session, cbpii.FundsRequest]]:
        for number in itertools.count():
            asked.append(number)
            yield session, check()

    with pool.confirm_many(checks(), max_in_flight=2) as stream:
        for number, outcome in enumerate(stream):
            assert outcome.available
            assert asked[-1] <= number + 6 * 2
            if number == 200:
                break
    assert next(stream, None) is None


def test_the_source_runs_on_the_thread_that_walks_the_stream() -> None:
    pool = cbpii.SessionPool(bare_client(), sealed())
    pool.keep("claire", some_tokens())
    threads = set()

    def checks() -> Iterator[tuple[str, cbpii.FundsRequest]]:
        for _ in range(20):
            threads.add(threading.get_ident())
            yield "claire", check()

    assert len(list(pool.confirm_many(checks()))) == 20
    assert threads == {threading.get_ident()}


def test_what_the_source_raises_comes_out_and_ends_the_stream() -> None:
    pool = cbpii.SessionPool(bare_client(), sealed())
    pool.keep("claire", some_tokens())

    def checks() -> Iterator[tuple[str, cbpii.FundsRequest]]:
        yield "claire", check()
        raise LookupError("the file ends here")

    stream = pool.confirm_many(checks())
    with pytest.raises(LookupError, match="ends here"):
        list(stream)
    assert list(stream) == []


def test_a_bank_that_asks_for_a_pause_is_left_alone(sandbox: Sandbox) -> None:
    pool = a_pool(sandbox)
    headers = [["retry-after", "1"]]
    sandbox.fault("funds", "answer", status=429, headers=headers, content_type="application/json", body="{}")
    outcomes = list(pool.confirm_many([("claire", check())] * 3, max_in_flight=1))
    assert [outcome.available for outcome in outcomes] == [True] * 3

    headers = [["retry-after", "3600"]]
    sandbox.fault("funds", "answer", status=429, headers=headers, content_type="application/json", body="{}")
    outcomes = list(pool.confirm_many([("claire", check())] * 3, max_in_flight=1, max_pause=60))
    for outcome in outcomes:
        assert isinstance(outcome.error, cbpii.RateLimitedError)
        assert outcome.error.retry_after is not None
    assert len(sandbox.requests()) == 3 + 1 + 1


def test_leaving_the_stream_cancels_the_rest(sandbox: Sandbox) -> None:
    pool = a_pool(sandbox)
    # By the time of the first answer the others are under way.
    sandbox.fault("funds", "delay", milliseconds=300)
    sandbox.fault("funds", "stall", times=None)
    stream = pool.confirm_many(((("claire"), check()) for _ in range(100)), max_in_flight=4)
    assert next(stream).available
    sandbox.requests(wait_for=4)
    stream.close()
    assert list(stream) == []
    assert len(sandbox.requests()) < 10


def test_options_have_ranges() -> None:
    pool = cbpii.SessionPool(bare_client(transport=saying(False)), sealed())
    pool.keep("claire", some_tokens())
    for options in ({"max_in_flight": 0}, {"max_in_flight": 257}, {"max_pause": -1}):
        with pytest.raises(cbpii.ConfigurationError, match=r"configuration\.option"):
            pool.confirm_many([], **options)
    assert [outcome.available for outcome in pool.confirm_many([("claire", check())], timeout=5)] == [False]
