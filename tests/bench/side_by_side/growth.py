"""Measures whether a call costs more the more there already is, and draws it.

``tests/bench/peers growth`` builds everything and calls::

    growth.py CBPII_BENCH FOLDER CHARTS

CBPII_BENCH is the program that grows (its ``src/growth.rs``); the figures go to FOLDER, the chart to CHARTS.
"""

import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from bank import AMOUNT, REFERENCE, setup
from cbpii.testing import PERSONAS, Sandbox

from charts import draw_growth
from machine import Load, described
from measure import note, question
from server import Nginx
from sides import ATTEMPTS

SERIES = ("calls", "calls-in-memory", "consents-asked", "consents-opened", "consents-held", "banks")


def main(program: str, folder: str, charts: str) -> None:
    load = Load()
    grown: dict[str, Any] = {}
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sandbox = stack.enter_context(Sandbox())
        facts = {**setup(sandbox), "iban": PERSONAS["CLAIRE"], "amount": AMOUNT, "reference": REFERENCE}
        nginx = stack.enter_context(Nginx(work, facts, question()))
        here = {**facts, "origin": nginx.origin, "funds_url": nginx.funds_url, "ca": str(nginx.ca)}
        (work / "setup.json").write_text(json.dumps(here))
        for name in SERIES:
            note(f"growth: {name}")
            grown[name] = series(program, name, work / "setup.json")
    others = load.others()
    print(f"\n{described()}; other programs took {others:.0%} of the processor.\n")
    for one in grown.values():
        print(told(one))
    figures = {"machine": described(), "others": others, "series": grown}
    Path(folder, "bench-growth.json").write_text(json.dumps(figures, indent=2))
    draw_growth(grown, described(), Path(charts, "growth.svg"))
    print(f"\nfigures: {folder}/bench-growth.json; chart: {charts}/growth.svg")


def series(program: str, name: str, setup_file: Path) -> dict[str, Any]:
    """A process that fails, because the machine stood still for longer than a call may take, is started again."""
    for _ in range(ATTEMPTS):
        ended = subprocess.run([program, "growth", name, str(setup_file)], stdout=subprocess.PIPE, text=True, check=False)
        if ended.returncode == 0:
            one = json.loads(ended.stdout)
            costs = [median(batches) for batches in one["cpu_us"]]
            return {**one, "median_us": median(costs), "ratios": [cost / median(costs) for cost in costs]}
        note(f"growth of {name} failed")
    sys.exit(f"growth of {name} failed {ATTEMPTS} times")


def told(one: dict[str, Any]) -> str:
    """As text: at each step the CPU time of a call, and what is resident."""
    lines = [f"{one['of']}, {one['name']}: CPU per call, and resident"]
    for count, batches, resident in zip(one["counts"], one["cpu_us"], one["resident_kib"], strict=True):
        lines.append(f"  {count:>9,}  {median(batches):>9.2f} µs  {resident / 1024:>7.1f} MiB".replace(",", " "))
    first, last = one["ratios"][0], one["ratios"][-1]
    return "\n".join([*lines, f"  the last over the median: {last:.2f}; the first over the median: {first:.2f}"])


if __name__ == "__main__":
    main(*sys.argv[1:])
