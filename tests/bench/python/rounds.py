"""All sides in turns, so that a noisy moment hits each of them; every measurement is a process of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Side:
    """Whose calls a process makes."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict, hash=False)

    def line(self, *work: str | int) -> list[str]:
        """The command line of a work of ``works.py``."""
        return [*self.command, *map(str, work)]


class RustCore(Side):
    """The library in Rust, by ``cbpii-bench``."""

    def line(self, *work: str | int) -> list[str]:
        match work:
            case ["kept-alive", calls]:
                return [*self.command, "cbpii", "kept", "1", str(calls)]
            case ["threads", threads, calls]:
                return [*self.command, "cbpii", "kept", str(threads), str(calls)]
            case _:
                raise ValueError(f"not compared with the Rust core: {work}")


def program(name: str, file: str, **environment: str) -> Side:
    """One of the programs beside this file."""
    return Side(name, (sys.executable, str(HERE / file)), environment)


CBPII = program("cbpii", "with_cbpii.py")
REQUESTS = program("requests", "by_hand_requests.py")
REQUESTS_FILES = program("requests that reads its files each time", "by_hand_requests.py", BENCH_TLS_FILES="1")
HTTPX = program("httpx", "by_hand_httpx.py")
AIOHTTP = program("aiohttp", "by_hand_aiohttp.py")
NOTHING = program("the interpreter alone", "nothing.py")


@dataclass(frozen=True)
class Run:
    """What one process told, and how long it lived."""

    measured: dict[str, Any]
    lived: float

    @property
    def calls(self) -> int:
        return self.measured["calls"]

    @property
    def cpu_per_call(self) -> float:
        """Milliseconds."""
        return self.measured["cpu_seconds"] * 1e3 / self.calls

    @property
    def time_per_call(self) -> float:
        """Milliseconds."""
        return self.measured["wall_seconds"] * 1e3 / self.calls

    @property
    def throughput(self) -> float:
        """Calls per second."""
        return self.calls / self.measured["wall_seconds"]

    @property
    def memory(self) -> float:
        """The most that was resident, in MiB."""
        return self.measured["memory_peak"] / 1024


class Runs:
    """The processes of all sides, round by round."""

    def __init__(self) -> None:
        self._runs: dict[Side, list[Run]] = {}

    def add(self, side: Side, run: Run) -> None:
        self._runs.setdefault(side, []).append(run)

    def figures(self, side: Side, figure: Callable[[Run], float]) -> list[float]:
        return [figure(run) for run in self._runs[side]]


class Runner:
    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        # For a trial: figures of so few rounds say little.
        self._most_rounds = int(os.environ.get("BENCH_ROUNDS", "1000"))

    def run(self, side: Side, *work: str | int) -> Run:
        environment = {**os.environ, **self._environment, **side.environment}
        started = time.perf_counter()
        ended = subprocess.run(side.line(*work), env=environment, stdout=subprocess.PIPE, check=False)
        lived = time.perf_counter() - started
        if ended.returncode != 0:
            sys.exit(f"{side.name}, {work}: the process ended with {ended.returncode}")
        return Run(json.loads(ended.stdout), lived)

    def rounds(
        self,
        count: int,
        sides: list[Side],
        *work: str | int,
        check: Callable[[Side, Run], None] | None = None,
    ) -> Runs:
        """Who goes first changes from round to round."""
        runs = Runs()
        for place in range(min(count, self._most_rounds)):
            first = place % len(sides)
            for side in sides[first:] + sides[:first]:
                run = self.run(side, *work)
                if check is not None:
                    check(side, run)
                runs.add(side, run)
        return runs
