"""The journeys of tests/vectors; the end of its README says how they are read."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cbpii
import pytest
from facts import FOLDER, Json, differences, facts_of_error, known, moment, read, tell
from scene import Names, Scene, Steps
from support import Sandbox

DEFAULTS = read("journeys/defaults.json")
JOURNEYS = sorted(path.stem for path in (FOLDER / "journeys").glob("*.json") if path.stem != "defaults")


def laid_over(base: Json, own: Json) -> Json:
    """The members of both: objects member by member, everything else as a whole."""
    both = {name: {**base[name], **own[name]} for name in base.keys() & own.keys() if isinstance(base[name], dict)}
    return {**base, **own, **both}


@contextmanager
def bank_of(journey: Json, shared: Sandbox) -> Iterator[Sandbox]:
    """The bank of all journeys, or one that starts as this journey wants it."""
    if "sandbox" not in journey:
        yield shared
        return
    options = known(journey["sandbox"], "bank", "stet", "settings").items()
    texts = [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in options]
    with Sandbox(*(f"--{name}={text}" for name, text in texts)) as bank:
        yield bank


@pytest.mark.parametrize("name", JOURNEYS)
def test_journeys(name: str, sandbox: Sandbox, tmp_path: Path) -> None:
    text = (FOLDER / "journeys" / f"{name}.json").read_text(encoding="utf-8")
    journey = known(laid_over(DEFAULTS, json.loads(text)), *DEFAULTS, "sandbox", "steps")
    names, outcomes, failures = Names(text, tmp_path), [], []
    with bank_of(journey, sandbox) as bank:
        scene = Scene(journey, bank, tmp_path, moment(journey["now"]))
        bank.reset()
        bank.control("POST", "/clock", {"set": int(scene.now.timestamp())})
        for place, step in enumerate(journey["steps"], 1):
            what, expected = step["do"], step.get("expect", {})
            members = {name: value for name, value in step.items() if name not in ("do", "expect")}
            try:
                facts = getattr(Steps(scene), what)(**scene.filled(members))
            except cbpii.CbpiiError as error:
                facts = facts_of_error(error)
            outcomes.append(names.give(facts))
            failures += [f"step {place} ({what}): {difference}" for difference in differences(expected, outcomes[-1])]
    tell("journeys", name, {"steps": outcomes})
    assert failures == []
