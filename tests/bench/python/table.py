"""What was measured, as a table for people and as JSON for machines; of the same form as the one ``cbpii-bench`` prints."""

from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class AtMost:
    limit: float

    def is_met(self, figure: float) -> bool:
        return figure <= self.limit

    def __str__(self) -> str:
        return f"<= {shown(self.limit)}"


@dataclass(frozen=True)
class AtLeast:
    limit: float

    def is_met(self, figure: float) -> bool:
        return figure >= self.limit

    def __str__(self) -> str:
        return f">= {shown(self.limit)}"


@dataclass(frozen=True)
class Row:
    """The figures of both sides, round by round; the target is about their ratio."""

    what: str
    unit: str
    baseline: list[float]
    cbpii: list[float]
    target: AtMost | AtLeast | None = None

    @property
    def ratios(self) -> list[float]:
        """The package over the baseline, round by round."""
        return [cbpii / baseline for cbpii, baseline in zip(self.cbpii, self.baseline, strict=True)]

    @property
    def met(self) -> bool | None:
        return None if self.target is None else self.target.is_met(median(self.ratios))

    def cells(self) -> list[str]:
        low, high = middle_half(self.ratios)
        return [
            self.what,
            self.unit,
            shown(median(self.baseline)),
            shown(median(self.cbpii)),
            f"{median(self.ratios):.2f} ({low:.2f} to {high:.2f})",
            "" if self.target is None else str(self.target),
            {None: "", True: "ok", False: "over"}[self.met],
        ]

    def to_json(self) -> dict[str, Any]:
        target = None if self.target is None else {type(self.target).__name__: self.target.limit}
        return {
            "what": self.what,
            "unit": self.unit,
            "baseline": median(self.baseline),
            "cbpii": median(self.cbpii),
            "ratio": [median(self.ratios), *middle_half(self.ratios)],
            "target": target,
            "met": self.met,
            "rounds": {"baseline": self.baseline, "library": self.cbpii},
        }


def table(rows: list[Row]) -> str:
    head = ["what", "unit", "baseline", "cbpii", "ratio (middle half)", "target", ""]
    lines = [head, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = [
        "  ".join(cell.rjust(width) if place in (2, 3) else cell.ljust(width) for place, (cell, width) in enumerate(cells))
        for cells in (zip(line, widths, strict=True) for line in lines)
    ]
    texts.insert(1, "-" * (sum(widths) + 12))
    return "\n".join(text.rstrip() for text in texts)


def shown(figure: float) -> str:
    """With as many decimals as its size deserves."""
    if abs(figure) >= 1000:
        return f"{figure:,.0f}".replace(",", " ")
    if abs(figure) >= 100 or figure == int(figure):
        return f"{figure:.0f}"
    return f"{figure:.1f}" if abs(figure) >= 10 else f"{figure:.2f}"


def middle_half(figures: list[float]) -> tuple[float, float]:
    """First and third quartile."""
    ordered = sorted(figures)
    return ordered[(len(ordered) - 1) // 4], ordered[(len(ordered) - 1) * 3 // 4]
