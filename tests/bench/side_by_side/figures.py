"""What was measured of each side, round by round."""

from dataclasses import dataclass, field
from statistics import median

from sides import Side


@dataclass
class Figures:
    """Of one side: for each figure one value per round."""

    side: Side
    rounds: dict[str, list[float]] = field(default_factory=dict)

    def add(self, **values: float) -> None:
        for name, value in values.items():
            self.rounds.setdefault(name, []).append(value)

    def median(self, name: str) -> float:
        return median(self.rounds[name])

    def to_json(self) -> dict[str, float | str]:
        whole = {"connections", "connections_resumed"}
        medians = {name: round(self.median(name), 0 if name in whole else 3) for name in self.rounds}
        return {"family": self.side.family, "kind": self.side.kind, "crypto": self.side.crypto, **medians}


COLUMNS = {
    "cpu_us": "CPU µs",
    "p50_us": "p50 µs",
    "p99_us": "p99 µs",
    "rps_1": "calls/s: 1",
    "rps_8": "8",
    "rps_32": "32 in flight",
    "first_answer_ms": "first answer ms",
    "reconnect_us": "new connection µs",
    "peak_mb": "peak MB",
    "connections": "connections",
}


def figures_table(all_figures: list[Figures]) -> str:
    """One line per side."""
    lines = [["", *COLUMNS.values()]]
    for figures in all_figures:
        shown = [f"{figures.median(name):.1f}" if name.endswith(("_ms", "_mb")) else f"{figures.median(name):.0f}" for name in COLUMNS]
        lines.append([figures.side.name, *shown])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = [
        "  ".join(cell.rjust(width) if place else cell.ljust(width) for place, (cell, width) in enumerate(cells))
        for cells in (zip(line, widths, strict=True) for line in lines)
    ]
    texts.insert(1, "-" * len(texts[0]))
    return "\n".join(texts)
