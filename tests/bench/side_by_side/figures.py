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
        """Which side it is, and the medians."""
        whole = {"connections", "connections_resumed"}
        medians = {name: round(self.median(name), 0 if name in whole else 3) for name in self.rounds}
        return {"family": self.side.family, "kind": self.side.kind, "crypto": self.side.crypto, **medians}


COLUMNS = {
    "cpu_us": ("CPU µs", ".0f"),
    "p50_us": ("p50 µs", ".0f"),
    "p99_us": ("p99 µs", ".0f"),
    "rps_1": ("calls/s: 1", ".0f"),
    "rps_8": ("8", ".0f"),
    "rps_32": ("32 in flight", ".0f"),
    "first_answer_ms": ("first answer ms", ".1f"),
    "reconnect_us": ("new connection µs", ".0f"),
    "reconnect_resumed": ("resumed", ".0%"),
    "peak_mb": ("peak MB", ".1f"),
    "connections": ("connections", ".0f"),
}
"""Of the table: the figure, and how it is headed and shown."""


def figures_table(all_figures: list[Figures]) -> str:
    """One line per side."""

    def cells(figures: Figures) -> list[str]:
        return [figures.side.name, *(format(figures.median(name), form) for name, (_, form) in COLUMNS.items())]

    lines = [["", *(heading for heading, _ in COLUMNS.values())], *map(cells, all_figures)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = [
        "  ".join(cell.rjust(width) if place else cell.ljust(width) for place, (cell, width) in enumerate(cells))
        for cells in (zip(line, widths, strict=True) for line in lines)
    ]
    texts.insert(1, "-" * len(texts[0]))
    return "\n".join(texts)
