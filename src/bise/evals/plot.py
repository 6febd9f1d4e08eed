"""Draws score against length: what a model gains for the characters it writes.

The same plot as the one Small 4 was announced with, for skills instead of models.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, MultipleLocator, NullFormatter
from matplotlib.transforms import Bbox

from bise.evals.report import ALL, Cell, summarise
from bise.evals.runner import Record

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Told apart also by the colour-blind. Ref: Okabe and Ito (2008)."""

GREY = "#666666"
GAP, STEP = 4, 11
"""Points between a bar and its task's name, and by which a name moves on where there is no room."""

MOST_STEPS = 8


def figure(
    records: Iterable[Record], path: Path, title: str = "Score against length"
) -> list[Path]:
    """Draw one line a task, from effort none to high, as PNG and SVG; return the two files."""
    cells = [cell for cell in summarise(records).cells if cell.level == ALL]
    drawing = Figure(figsize=(7.2, 4.6), layout="constrained")
    FigureCanvasAgg(drawing)
    axes = drawing.add_subplot()
    tasks = list(dict.fromkeys(cell.task for cell in cells))
    names: list[tuple[Annotation, Cell]] = []
    for place, task in enumerate(tasks):
        points = sorted(
            (cell for cell in cells if cell.task == task), key=lambda cell: cell.mean_chars
        )
        name = draw_task(axes, task, points, COLOURS[place % len(COLOURS)])
        names.append((name, points[-1]))
    dress(axes, title)
    keep_apart(drawing, axes, names, cells)
    files = [path.with_suffix(".png"), path.with_suffix(".svg")]
    # No date inside: the same records give the same file.
    drawing.savefig(files[0], dpi=160)
    drawing.savefig(files[1], metadata={"Date": None})
    return files


def length(cell: Cell) -> float:
    """Where a cell stands: one that writes nothing at 1, for the scale has no 0."""
    return max(1.0, cell.mean_chars)


def draw_task(axes: Axes, task: str, points: list[Cell], colour: str) -> Annotation:
    """One task: a hollow point without thinking, a full one with it, and their intervals.

    Returns its name, drawn above the last point.
    """
    chars = list(map(length, points))
    scores = [100 * cell.score for cell in points]
    axes.plot(chars, scores, color=colour, linewidth=1.6, alpha=0.7, zorder=2)
    for cell, x, y in zip(points, chars, scores, strict=True):
        axes.errorbar(
            x,
            y,
            yerr=[[y - 100 * cell.low], [100 * cell.high - y]],
            fmt="o",
            color=colour,
            markersize=7,
            markerfacecolor="white" if cell.effort == "none" else colour,
            markeredgewidth=1.6,
            elinewidth=1.2,
            capsize=3,
            zorder=3,
        )
    return axes.annotate(
        task,
        (chars[-1], 100 * points[-1].high),  # above the bar: points of tasks lie side by side
        xytext=(0, GAP),
        textcoords="offset points",
        color=colour,
        fontweight="bold",
        horizontalalignment="center",
        verticalalignment="bottom",
    )


def keep_apart(
    drawing: Figure, axes: Axes, names: list[tuple[Annotation, Cell]], cells: list[Cell]
) -> None:
    """Put each name where it covers no point and no other name."""
    drawing.draw_without_rendering()  # now the layout is known
    taken = [bar_box(axes, cell) for cell in cells]
    for name, cell in sorted(names, key=lambda pair: (pair[1].high, pair[1].mean_chars)):
        for place in places(cell):
            name.xy, offset = (length(cell), 100 * place.score), place.offset
            name.set_position(offset)
            name.set_horizontalalignment("left" if offset[0] else "center")
            name.set_verticalalignment(place.stands_on)
            if not any(name.get_window_extent().overlaps(box) for box in taken):
                break
        taken.append(name.get_window_extent())


@dataclass(frozen=True, slots=True)
class Place:
    """Where a name may stand: so many points from a score, with its foot, middle or head there."""

    score: float
    offset: tuple[float, float]
    stands_on: Literal["bottom", "center", "top"]


def places(cell: Cell) -> Iterator[Place]:
    """Above a bar, right of the point, below the bar; then farther above and below."""
    yield Place(cell.high, (0, GAP), "bottom")
    yield Place(cell.score, (2 * GAP, 0), "center")
    yield Place(cell.low, (0, -GAP), "top")
    for away in range(GAP + STEP, GAP + MOST_STEPS * STEP, STEP):
        yield Place(cell.high, (0, away), "bottom")
        yield Place(cell.low, (0, -away), "top")


def bar_box(axes: Axes, cell: Cell) -> Bbox:
    """Where a point and its interval are drawn."""
    ends = [(length(cell), 100 * score) for score in (cell.low, cell.high)]
    return Bbox(axes.transData.transform(ends)).padded(GAP)


def dress(axes: Axes, title: str) -> None:
    """Scales, grid and words."""
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    low, high = axes.get_xlim()
    axes.set_xlim(low, high * 1.5)  # room for the names
    axes.set_ylim(-3, 119)
    axes.yaxis.set_major_locator(MultipleLocator(20))
    axes.set_xlabel("mean characters written, thinking included")
    axes.set_ylabel("score, %")
    axes.set_title(title, loc="left", fontweight="bold")
    axes.grid(color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.text(
        1,
        1.025,
        "○ effort none   ● effort high   bars: 95 % interval",
        transform=axes.transAxes,
        horizontalalignment="right",
        color=GREY,
        fontsize=8.5,
    )
