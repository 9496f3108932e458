"""What calls give back: frozen dataclasses, whatever is asked of them first."""

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

import cbpii
import pytest
from support import bare_client, check, some_tokens

NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
STATUS = cbpii.ConsentStatus(cbpii.ConsentState.ACTIVE, NOW, NOW, 3, cbpii.NextAction.NONE)


def explanation(**changes: Any) -> cbpii.Explanation:
    facts: dict[str, Any] = {
        "method": "POST",
        "url": "https://bank.example",
        "headers": (),
        "body": "",
        "digest_input": None,
        "signing_string": None,
        "key_id": None,
        "key_id_source": None,
    }
    return cbpii.Explanation(**{**facts, **changes})


def test_they_compare_and_hash_by_their_fields() -> None:
    same = cbpii.ConsentStatus(
        state=cbpii.ConsentState.ACTIVE,
        consent_expires_at=NOW,
        renew_from=NOW,
        days_left=3,
        next_action=cbpii.NextAction.NONE,
    )
    assert (STATUS, hash(STATUS)) == (same, hash(same))
    assert dataclasses.replace(STATUS, days_left=4) != STATUS
    other: object = dataclasses.astuple(STATUS)
    assert other != STATUS
    assert explanation(_text="a") == explanation(_text="b")
    assert explanation(url="https://other.example") != explanation()


def test_they_show_their_fields() -> None:
    assert repr(STATUS).startswith("ConsentStatus(state=<ConsentState.ACTIVE: 'active'>, consent_expires_at=")
    assert "_text" not in repr(explanation(_text="a"))
    assert str(explanation(_text="a")) == "a"
    assert repr(cbpii.HttpResponse(200, (), b"body")) == "HttpResponse(status=200, headers=[], body=<4 bytes>)"


def test_they_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'days_left'"):
        STATUS.days_left = 4  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'days_left'"):
        del STATUS.days_left


def test_dataclasses_knows_them() -> None:
    assert dataclasses.asdict(cbpii.Progress(2, 1, 1, 0, timedelta(seconds=1)))["done"] == 2
    names = [field.name for field in dataclasses.fields(cbpii.TrustAnchors)]
    assert names == ["mode", "pem"]
    assert cbpii.TrustAnchors().mode is cbpii.TrustMode.ADD
    assert dataclasses.asdict(cbpii.Bank.bpce("17515", "sandbox"))["id"] == "bpce-17515"
    assert list(inspect.signature(cbpii.HttpResponse).parameters) == ["status", "headers", "body"]


def test_they_match_pickle_and_copy() -> None:
    match STATUS:
        case cbpii.ConsentStatus(cbpii.ConsentState.ACTIVE, days_left=days):
            assert days == 3
        case _:
            pytest.fail("it did not match")
    assert pickle.loads(pickle.dumps(STATUS)) == copy.copy(STATUS) == copy.deepcopy(STATUS) == STATUS


@pytest.mark.parametrize(
    ("values", "named", "why"),
    [
        ((200, ()), {}, "missing 1 required positional argument: 'body'"),
        ((200, (), b"", 1), {}, "takes 4 positional arguments but 5 were given"),
        ((200, ()), {"status": 200}, "multiple values for argument 'status'"),
        ((200, ()), {"colour": 1}, "unexpected keyword argument 'colour'"),
    ],
)
def test_wrong_arguments_are_refused(values: Any, named: Any, why: str) -> None:
    with pytest.raises(TypeError, match=why):
        cbpii.HttpResponse(*values, **named)


def answered() -> cbpii.FundsConfirmation:
    """A new one, which has not been asked for anything."""
    return bare_client().confirm_funds(some_tokens(), check())


def test_an_answer_is_what_its_class_makes_of_its_fields() -> None:
    answer = answered()
    fields = {field.name: getattr(answer, field.name) for field in dataclasses.fields(answer)}
    made = cbpii.FundsConfirmation(**fields)
    assert (answer, hash(answer), repr(answer)) == (made, hash(made), repr(made))
    assert answer.response_signature is cbpii.ResponseSignature.ABSENT
    with pytest.raises(dataclasses.FrozenInstanceError):
        answer.available = False  # type: ignore[misc]
    with pytest.raises(AttributeError, match="'FundsConfirmation' object has no attribute 'answer'"):
        _ = answer.answer  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "ask",
    [
        vars,
        dataclasses.asdict,
        lambda answer: vars(copy.copy(answer)),
        lambda answer: vars(copy.deepcopy(answer)),
        lambda answer: vars(pickle.loads(pickle.dumps(answer))),
        lambda answer: vars(dataclasses.replace(answer)),
    ],
)
def test_an_answer_is_whole_whatever_is_asked_first(ask: Callable[[cbpii.FundsConfirmation], dict[str, Any]]) -> None:
    names = [field.name for field in dataclasses.fields(cbpii.FundsConfirmation)]
    assert list(ask(answered())) == names
    assert all(hasattr(answered(), name) and name in dir(answered()) for name in names)


def test_threads_that_ask_together_are_told_the_same() -> None:
    answers = [answered() for _ in range(50)]
    with ThreadPoolExecutor(8) as threads:
        told = [threads.map(lambda _, answer=answer: (answer.reference, answer.checked_at), range(8)) for answer in answers]
        assert all(len(set(each)) == 1 for each in told)


@pytest.mark.parametrize("moment", [datetime.min, datetime(1969, 12, 31, 23, 59, 59, 999_000), datetime.max])
def test_every_moment_comes_back_to_the_millisecond(moment: datetime) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=timezone.utc)
    kept = some_tokens(obtained_at=moment).obtained_at
    assert (kept, kept.tzinfo) == (moment, timezone.utc)


# In a process of its own, so that each thing is the first that is asked of the class.
@pytest.mark.parametrize(
    "first",
    [
        "thing == cbpii.HttpResponse(200, (), b'') and thing != cbpii.HttpResponse(404, (), b'')",
        "hash(thing) == hash(cbpii.HttpResponse(200, (), b''))",
        "__import__('dataclasses').is_dataclass(thing)",
        "__import__('dataclasses').replace(thing, status=404).status == 404",
        "list(__import__('inspect').signature(cbpii.HttpResponse).parameters) == ['status', 'headers', 'body']",
        "cbpii.FundsCheck('id', None).context is None and repr(cbpii.FundsCheck('id', None)).startswith('FundsCheck(')",
    ],
)
def test_whatever_is_asked_first(first: str) -> None:
    program = f"import cbpii; thing = cbpii.HttpResponse(200, (), b''); assert {first}"
    subprocess.run([sys.executable, "-c", program], check=True)
