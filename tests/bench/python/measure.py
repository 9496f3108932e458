"""Measures the package beside the same work by hand on requests, httpx and aiohttp, and prints a table.

``tests/bench/python/run`` builds everything and calls::

    measure.py CBPII_BENCH JSON_FILE

CBPII_BENCH is the program that measures the Rust core, whose CPU time per call stands beside the package's.
"""

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from cbpii.testing import Sandbox

from bank import connections_opened, constant_part, setup, variables
from rounds import AIOHTTP, CBPII, HTTPX, NOTHING, REQUESTS, REQUESTS_FILES, Run, Runner, Runs, RustCore, Side
from table import AtLeast, AtMost, Row, table
from works import REHEARSALS

Target = AtMost | AtLeast


def main(cbpii_bench: str, json_file: str) -> None:
    with Sandbox() as sandbox, tempfile.TemporaryDirectory() as folder:
        sandbox.settings(recording=False, signed_answers=False)
        facts = setup(sandbox)
        setup_file = Path(folder, "setup.json")
        setup_file.write_text(json.dumps(facts))
        core = RustCore("the Rust core", (cbpii_bench, "work", str(setup_file)))
        rows = everything(sandbox, Runner(variables(facts)), core)
    Path(json_file).write_text(json.dumps([row.to_json() for row in rows], indent=2))
    print(f"\n{table(rows)}")


def everything(sandbox: Sandbox, runner: Runner, core: Side) -> list[Row]:
    same_requests(sandbox, runner)
    rows: list[Row] = []
    kept_alive(rows, runner, core)
    in_memory(rows, runner)
    new_connections(rows, sandbox, runner)
    of_8_threads = throughput(rows, runner, core)
    start(rows, runner)
    memory(rows, runner, of_8_threads)
    return rows


def note(what: str) -> None:
    """Says what is being measured, while it is."""
    print(f"measuring: Python: {what}", file=sys.stderr)


def beside(
    rows: list[Row],
    what: str,
    unit: str,
    runs: Runs,
    figure: Callable[[Run], float],
    targets: Mapping[Side, Target | None],
) -> None:
    """A row for each side the package is compared with; the first one names what is measured."""
    cbpii = runs.figures(CBPII, figure)
    for place, (side, target) in enumerate(targets.items()):
        name = f"Python (baseline: {side.name}): {what}" if place == 0 else f"  beside {side.name}"
        rows.append(Row(name, unit, runs.figures(side, figure), cbpii, target))


def same_requests(sandbox: Sandbox, runner: Runner) -> None:
    """All must send the same, or their comparison means nothing."""
    note("whether all send the same")
    sandbox.settings(recording=True)
    sandbox.control("DELETE", "/requests")
    for side in (CBPII, REQUESTS, HTTPX, AIOHTTP):
        runner.run(side, "once")
    seen = [constant_part(request) for request in sandbox.requests()]
    sandbox.settings(recording=False)
    if len(seen) != 4 or any(request != seen[0] for request in seen):
        sys.exit("the sides send different requests:\n" + "\n".join(map(str, seen)))


def kept_alive(rows: list[Row], runner: Runner, core: Side) -> None:
    note("CPU time per call on one kept-alive connection")
    runs = runner.rounds(9, [CBPII, core, REQUESTS, HTTPX, AIOHTTP], "kept-alive", 300)
    targets = {core: AtMost(1.15), REQUESTS: AtMost(1 / 2.7), HTTPX: AtMost(1 / 2.2), AIOHTTP: None}
    beside(rows, "CPU per call, kept-alive", "ms", runs, lambda run: run.cpu_per_call, targets)


def in_memory(rows: list[Row], runner: Runner) -> None:
    """Most of it is the RSA operation, the library's own against OpenSSL's; what a call takes besides is HTTP and TLS."""
    note("CPU time per call without the network")
    runs = runner.rounds(9, [CBPII, REQUESTS], "in-memory", 300)
    by_hand, cbpii = (runs.figures(side, lambda run: run.cpu_per_call) for side in (REQUESTS, CBPII))
    rows.append(Row("  without the network (baseline: cryptography)", "ms", by_hand, cbpii))


def new_connections(rows: list[Row], sandbox: Sandbox, runner: Runner) -> None:
    note("a new connection per call")
    sandbox.settings(tls_versions="1.3")
    opened = connections_opened(sandbox)

    def check(side: Side, run: Run) -> None:
        """Every call on a new connection, and the package resumes all but its first; else the sides do different work."""
        nonlocal opened
        before, opened = opened, connections_opened(sandbox)
        resumed = run.measured["resumed"]
        if opened - before != run.calls + REHEARSALS or (side == CBPII and resumed != run.calls + REHEARSALS - 1):
            sys.exit(f"{side.name}: not all connections are new and resumed: {opened - before} opened, {resumed} resumed")

    runs = runner.rounds(7, [CBPII, REQUESTS, HTTPX, AIOHTTP, REQUESTS_FILES], "new-connection", 100, check=check)
    targets = {REQUESTS: AtMost(1 / 3), HTTPX: AtMost(1 / 3), AIOHTTP: None, REQUESTS_FILES: None}
    beside(rows, "a call on a new connection", "ms", runs, lambda run: run.time_per_call, targets)
    sandbox.settings(tls_versions="1.2+1.3")


def throughput(rows: list[Row], runner: Runner, core: Side) -> Runs:
    """Gives the runs with 8 threads. The bank has its share of the processor: what the Rust core reaches is the ceiling."""
    of_threads = {}
    for threads, target in ((8, AtLeast(4)), (32, AtLeast(5))):
        note(f"throughput of {threads} threads and tasks")
        calls = 2_400 // threads
        of_threads[threads] = runs = runner.rounds(7, [CBPII, core, REQUESTS, HTTPX], "threads", threads, calls)
        targets = {REQUESTS: target, HTTPX: None, core: None}
        beside(rows, f"throughput, {threads} threads", "calls/s", runs, lambda run: run.throughput, targets)
        runs = runner.rounds(7, [CBPII, AIOHTTP], "tasks", threads, calls)
        beside(rows, f"throughput, {threads} tasks", "calls/s", runs, lambda run: run.throughput, {AIOHTTP: None})
    return of_threads[8]


def start(rows: list[Row], runner: Runner) -> None:
    note("process start to first confirmation")
    runs = runner.rounds(21, [CBPII, REQUESTS, HTTPX, AIOHTTP, NOTHING], "once")
    targets = {REQUESTS: AtMost(1 / 5), HTTPX: None, AIOHTTP: None, NOTHING: None}
    beside(rows, "import and first confirmation", "ms", runs, lambda run: run.lived * 1e3, targets)


def memory(rows: list[Row], runner: Runner, of_threads: Runs) -> None:
    note("memory")
    runs = runner.rounds(3, [CBPII, REQUESTS, HTTPX, AIOHTTP, NOTHING], "kept-alive", 200 - REHEARSALS)
    half = AtMost(1 / 2)
    targets = {REQUESTS: half, HTTPX: half, AIOHTTP: None, NOTHING: None}
    beside(rows, "peak memory, 200 calls", "MiB", runs, lambda run: run.memory, targets)
    beside(rows, "peak memory, 8 threads", "MiB", of_threads, lambda run: run.memory, {REQUESTS: half, HTTPX: half})


if __name__ == "__main__":
    main(*sys.argv[1:])
