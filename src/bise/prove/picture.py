"""Score against dollars: a prover's own, and beside it what others have published elsewhere."""

import json
from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bise.prove.benchmark import Record, pass_rates

PUBLISHED = Path(__file__).with_name("published.json")
INK, MUTED = "#222222", "#777777"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Of runs, told apart by those who see few colours too. Ref: Okabe, Ito (2008)."""


def published() -> dict[str, Any]:
    """What others report, as data."""
    return json.loads(PUBLISHED.read_text(encoding="utf-8"))


def draw(runs: Mapping[str, Sequence[Record]], path: Path) -> Path:
    """A PNG of several runs by name: our set on the left, the published one on the right."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    ours, theirs = figure.subplots(1, 2)
    for colour, (name, records) in zip(cycle(COLOURS), runs.items(), strict=False):
        _draw_run(ours, name, records, colour)
    if ours.get_legend_handles_labels()[0]:
        below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.14)}
        ours.legend(**below, ncols=3, frameon=False, fontsize=8)
    ours.set_title("this set, judged by a kernel", loc="left")
    _frame(ours, "US dollars for k attempts over the whole set")
    _draw_published(theirs)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
    return path


def _draw_run(axes: Axes, name: str, records: Sequence[Record], colour: str) -> None:
    run = [one for one in records if one.num_attempts]
    rates = pass_rates(run)
    if not rates:
        return
    whole = sum(float(one.usage["dollars"]) for one in run)
    each = whole / max(one.num_attempts for one in run)
    x = [each * k for k in rates]
    y = [100 * middle for middle, _, _ in rates.values()]
    low = [100 * (middle - low) for middle, low, _ in rates.values()]
    high = [100 * (high - middle) for middle, _, high in rates.values()]
    axes.errorbar(x, y, yerr=[low, high], marker="o", color=colour, capsize=2, label=name)
    for k, at, score in zip(rates, x, y, strict=True):
        axes.annotate(f"@{k}", (at, score), xytext=(5, 5), textcoords="offset points", fontsize=8)


def _draw_published(axes: Axes) -> None:
    known = published()
    rows = [one for one in known["rows"] if "dollars" in one]
    middle = sum(one["score"] for one in rows) / len(rows)
    for one in rows:
        axes.plot(one["dollars"], one["score"], "o", color=MUTED)
        axes.annotate(
            f"{one['model']} @{one['k']}",
            (one["dollars"], one["score"]),
            xytext=(5, 5 if one["score"] > middle else -12),
            textcoords="offset points",
            fontsize=8,
        )
    axes.set_xscale("log")
    axes.set_title(f"{known['benchmark']}: published, other tasks", loc="left", color=INK)
    _frame(axes, "US dollars")


def _frame(axes: Axes, label: str) -> None:
    axes.set_xlabel(label)
    axes.set_ylabel("solved, %")
    axes.set_ylim(0, 104)  # room for a label at 100
    axes.set_yticks(range(0, 101, 20))
    axes.grid(alpha=0.2)
    axes.spines[["top", "right"]].set_visible(False)
