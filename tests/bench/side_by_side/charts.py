"""The charts, as SVG: readable on a light and on a dark page, for each brings its own ground."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sides import DOOR, FLOOR

mpl.rcParams |= {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "cbpii",  # the same figures give the same file
    "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans"],
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9aa4ae",
    "text.color": "#1f2933",
    "axes.labelcolor": "#1f2933",
    "xtick.color": "#52606d",
    "ytick.color": "#1f2933",
}

COLOURS = {DOOR: "#1b7f79", FLOOR: "#9aa4ae", "peer": "#d9822b"}
LEGEND = {DOOR: "cbpii", FLOOR: "bare loop: hand-written, the floor", "peer": "what there is today"}
FAMILIES = {"rust": "Rust", "c": "C", "python": "Python", "node": "Node", "jvm": "JVM"}

MOST_RATIO = 2.0
"""What costs more than so many times the median is a number in the chart of growth: the first calls of all."""

PeerFigures = Mapping[str, Mapping[str, Any]]


def save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="svg", facecolor="white", metadata={"Date": None, "Creator": None})
    # Text editors and reviewers prefer lines that end where their text ends.
    path.write_text("".join(f"{line.rstrip()}\n" for line in path.read_text().splitlines()))


def draw_peers(figures: PeerFigures, machine: str, path: Path) -> None:
    """CPU per call and the time of a call on a new connection, each language's doors above what it has today."""
    names = [name for family in FAMILIES for name in figures if figures[name]["family"] == family]
    places: list[float] = []
    for before, name in zip([names[0], *names], names, strict=False):
        gap = 0.6 if figures[name]["family"] != figures[before]["family"] else 0
        places.append(places[-1] + 1 + gap if places else 0)
    figure = Figure(figsize=(10, 0.29 * len(names) + 1.7), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    bars(left, figures, names, places, "cpu_us", "CPU per call, µs: less is better")
    bars(right, figures, names, places, "reconnect_us", "a call on a new connection, µs")
    left.set_yticks(places, names)
    left.set_ylim(places[-1] + 0.7, -0.7)
    left.tick_params(axis="y", length=0)
    right.tick_params(axis="y", length=0)
    handles = [mpl.patches.Patch(color=COLOURS[kind], label=LEGEND[kind]) for kind in LEGEND]
    figure.legend(handles=handles, loc="outside upper left", ncols=3, frameon=False)
    figure.supxlabel(f"One signed funds check over mutual TLS to nginx. {machine}", fontsize=8, color="#52606d")
    save(figure, path)


def bars(axes: Axes, figures: PeerFigures, names: list[str], places: list[float], figure: str, title: str) -> None:
    values = [figures[name][figure] for name in names]
    drawn = axes.barh(places, values, height=0.78, color=[COLOURS[figures[name]["kind"]] for name in names])
    axes.bar_label(drawn, [f"{value:,.0f}".replace(",", " ") for value in values], padding=3, fontsize=8)
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlim(0, max(values) * 1.13)
    axes.spines.left.set_visible(False)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(5))


def draw_growth(series: Mapping[str, Mapping[str, Any]], machine: str, path: Path) -> None:
    """The cost of a call beside how much there already is, each line relative to its own median."""
    panels: dict[str, list[str]] = {}
    for name, one in series.items():
        panels.setdefault(one["of"], []).append(name)
    figure = Figure(figsize=(10, 3.5), layout="constrained")
    all_axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    colours = ["#1b7f79", "#d9822b", "#5b5fc7"]
    for axes, (of, names) in zip(all_axes, panels.items(), strict=True):
        for line, (colour, name) in enumerate(zip(colours, names, strict=False)):
            counts, ratios = series[name]["counts"], series[name]["ratios"]
            label = f"{series[name]['name']}: {shown(series[name]['median_us'])} µs"
            axes.plot(counts, ratios, marker="o", markersize=4, color=colour, label=label)
            for count, ratio in zip(counts, ratios, strict=True):
                if ratio > MOST_RATIO:
                    axes.text(count, 0.25 + 0.15 * line, f" × {ratio:.1f}", color=colour, fontsize=8, va="top")
        axes.axhline(1, color="#9aa4ae", linewidth=0.8, zorder=0)
        axes.set_xscale("log")
        axes.set_xticks(counts, [f"{count:,}".replace(",", " ") for count in counts], fontsize=8, rotation=30)
        axes.minorticks_off()
        axes.set_ylim(0, MOST_RATIO)
        axes.yaxis.set_major_locator(mpl.ticker.MultipleLocator(0.5))
        axes.set_title(of, loc="left", fontsize=10)
        axes.legend(frameon=False, fontsize=8, loc="upper right")
    all_axes[0].set_ylabel("CPU per call / median of the line")
    figure.supxlabel(f"Flat is what is wanted. {machine}", fontsize=8, color="#52606d")
    save(figure, path)


def shown(microseconds: float) -> str:
    return f"{microseconds:.0f}" if microseconds >= 20 else f"{microseconds:.1f}"
