"""Measures every door beside the bare loop and what its users have today, all against nginx; prints the tables.

``tests/bench/peers`` builds everything and calls this. All sides go in turns, and each measurement is a process of its own.
"""

import argparse
import json
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bank import AMOUNT, REFERENCE, constant_part, setup
from cbpii.testing import PERSONAS, Sandbox
from table import AtLeast, AtMost, Row, middle_half, table

from charts import draw_peers
from figures import Figures, figures_table
from lines import LINES, MORE_IS_BETTER, WHAT, Line
from machine import Load, described
from server import Nginx
from sides import DOOR, FAMILIES, FLOOR, Built, Run, Runner, Side, Work, all_sides

KEPT = Work(calls=400)
OF_8 = Work(calls=1_200, together=8)
OF_32 = Work(calls=1_200, together=32)
FRESH = Work(calls=60, keeps=False)
ONCE = Work(calls=1, once=True)
MOST_SECONDS = 100
"""After which no further round of a measurement begins."""
FLOOR_NAME = "bare loop (ring)"
AGAIN = f"{FLOOR_NAME}, again"
"""The same program as another side: what differs is the machine's noise."""


def main() -> None:
    options = arguments()
    sides = [side for side in all_sides(options.built) if side.kind == FLOOR or side.family in options.families]
    load = Load()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sandbox = stack.enter_context(Sandbox())
        facts = {**setup(sandbox), "iban": PERSONAS["CLAIRE"], "amount": AMOUNT, "reference": REFERENCE}
        same_requests(sandbox, Runner(facts, folder / "sandbox.json"), sides)
        nginx = stack.enter_context(Nginx(folder, facts, question()))
        here = {**facts, "origin": nginx.origin, "funds_url": nginx.funds_url, "ca": str(nginx.ca)}
        measured = everything(Runner(here, folder / "nginx.json"), nginx, sides, options.rounds)
    report(measured, load.others(), options)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in Built.__dataclass_fields__:
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, required=True, help="where the figures go")
    parser.add_argument("--charts", type=Path, required=True, help="where the chart goes, when all sides were measured")
    parser.add_argument("families", nargs="*", choices=[*FAMILIES, []])
    options = parser.parse_args()
    options.built = Built(**{name: getattr(options, name) for name in Built.__dataclass_fields__})
    options.families = options.families or list(FAMILIES)
    return options


def question() -> dict[str, Any]:
    """What every side asks; the answer repeats it."""
    return {
        "paymentCoverageRequestId": REFERENCE,
        "instructedAmount": {"currency": "EUR", "amount": AMOUNT},
        "accountId": {"iban": PERSONAS["CLAIRE"]},
    }


def note(what: str) -> None:
    """Says what is being measured, while it is."""
    print(f"measuring: {what}", file=sys.stderr)


def same_requests(sandbox: Sandbox, runner: Runner, sides: list[Side]) -> None:
    """All must send the same, which the sandbox bank accepts, or their comparison means nothing."""
    note("whether all send the same")
    besides = {"connection", "accept-language", "sec-fetch-mode"}  # what some libraries cannot be told to leave out
    sandbox.settings(recording=True, signed_answers=False)
    seen: dict[str, object] = {}
    for side in sides:
        sandbox.control("DELETE", "/requests")
        runner.run(side, ONCE)
        [request] = sandbox.requests()
        headers, body = constant_part(request)
        seen[side.name] = ([header for header in headers if header[0] not in besides], body)
    wanted = seen[FLOOR_NAME]
    others = [f"{name}: {what}" for name, what in seen.items() if what != wanted]
    if others:
        sys.exit("\n".join([f"not the same as the bare loop's {wanted}:", *others]))


def everything(runner: Runner, nginx: Nginx, sides: list[Side], rounds: int) -> dict[str, Figures]:
    """The figures of all sides; among them the first side once more, under another name."""
    measured = {side.name: Figures(side) for side in sides}
    measured[AGAIN] = Figures(sides[0])

    def in_turns(what: str, work: Work, times: int) -> None:
        note(what)
        names, started = list(measured), time.monotonic()
        for place in range(times):
            if time.monotonic() - started > MOST_SECONDS:
                note(f"no more than {place} of {times} rounds: the time is up")
                return
            first = place % len(names)
            for name in names[first:] + names[:first]:
                nginx.connections()
                run = runner.run(measured[name].side, work)
                measured[name].add(**figures_of(work, run, measured[name].side, nginx))

    in_turns("one call after the other", KEPT, rounds)
    in_turns("8 calls in flight", OF_8, rounds)
    in_turns("32 calls in flight", OF_32, rounds)
    in_turns("a new connection per call", FRESH, rounds)
    in_turns("start to first answer", ONCE, 2 * rounds)
    return measured


def figures_of(work: Work, run: Run, side: Side, nginx: Nginx) -> dict[str, float]:
    connections = nginx.connections()
    if work.once:
        return {"first_answer_ms": run.until_told * 1e3}
    told = run.told
    per_call = 1e6 / told["calls"]
    if not work.keeps:
        if len(connections) < work.calls + side.rehearsed(work):
            sys.exit(f"{side.name}: {len(connections)} connections, not one for each call")
        return {
            "reconnect_us": told["p50_seconds"] * 1e6,
            "reconnect_cpu_us": told["cpu_seconds"] * per_call,
            "reconnect_resumed": sum(connection.resumed for connection in connections) / len(connections),
        }
    rate = {f"rps_{work.together}": told["calls"] / told["wall_seconds"]}
    if work.together == 1:
        times = {"p50_us": told["p50_seconds"] * 1e6, "p99_us": told["p99_seconds"] * 1e6}
        return {"cpu_us": told["cpu_seconds"] * per_call, **times, **rate, "connections_1": len(connections)}
    if work == OF_32:
        peak = told["memory_peak"] * 1024 / 1e6
        return {**rate, "p99_us_32": told["p99_seconds"] * 1e6, "peak_mb": peak, "connections": len(connections)}
    return rate


def rows(measured: dict[str, Figures]) -> list[Row]:
    """The ratios of all lines whose sides were measured."""

    def row(line: Line) -> Row:
        beside, door = (measured[name].rounds[line.figure] for name in (line.beside, line.door))
        more = line.figure in MORE_IS_BETTER
        target = None if line.limit is None else (AtLeast if more else AtMost)(line.limit)
        return Row(f"{WHAT[line.figure]}: {line.door} beside {line.beside}", "" if more else "µs", beside, door, target)

    return [row(line) for line in LINES if line.door in measured and line.beside in measured]


def noise(measured: dict[str, Figures]) -> dict[str, tuple[float, float]]:
    """The bare loop beside itself: for each figure the middle half of the rounds' ratios."""
    ones, others = measured[FLOOR_NAME].rounds, measured[AGAIN].rounds
    ratios = {
        what: [one / other for one, other in zip(ones[name], others[name], strict=True)] for name, what in WHAT.items()
    }
    return {what: middle_half(values) for what, values in ratios.items()}


def report(measured: dict[str, Figures], others: float, options: argparse.Namespace) -> None:
    shown = [figures for name, figures in measured.items() if name != AGAIN]
    ratios, spread = rows(measured), noise(measured)
    doors = [figures for figures in shown if figures.side.kind == DOOR]
    told_noise = ", ".join(f"{what} {low:.2f} to {high:.2f}" for what, (low, high) in spread.items())
    print(f"\n{described()}; {options.rounds} rounds, medians.")
    print(f"Noise: the bare loop over itself, middle half: {told_noise}.")
    print(f"Other programs took {others:.0%} of the processor.\n")
    print(f"{figures_table(shown)}\n\n{table(ratios)}")
    missed = [row.what for row in ratios if row.met is False]
    print(f"\n{len(doors)} doors; lines missed: {len(missed)} of {sum(row.target is not None for row in ratios)}")
    by_name = {figures.side.name: figures.to_json() for figures in shown}
    (options.folder / "bench-peers.json").write_text(json.dumps(by_name, indent=2, ensure_ascii=False))
    facts = {"machine": described(), "rounds": options.rounds, "noise": spread, "others": others}
    whole = {**facts, "lines": [row.to_json() for row in ratios]}
    (options.folder / "bench-peers-lines.json").write_text(json.dumps(whole, indent=2, ensure_ascii=False))
    print(f"figures: {options.folder}/bench-peers.json, {options.folder}/bench-peers-lines.json")
    if set(options.families) == set(FAMILIES):
        draw_peers(by_name, described(), options.charts / "peers.svg")
        print(f"chart: {options.charts}/peers.svg")


if __name__ == "__main__":
    main()
