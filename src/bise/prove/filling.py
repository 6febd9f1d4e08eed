"""Gaps of a file filled one after another, by whatever finds a script for one."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bise.judge.extensions import Position
from bise.judge.pool import WarmPool
from bise.judge.warm import Checked
from bise.prove.budget import Budget
from bise.prove.goals import words_of
from bise.prove.source import GAP_WORD, Declaration, Gap, Source
from bise.prove.workspace import Workspace, fill

TRY_CPU_S = 5.0
"""CPU seconds for one script, after which Lean is ended and has to start anew."""

REST = f"all_goals {GAP_WORD}"
"""Behind a script: an error says that the script is wrong, a gap that it is not the end."""

PATIENCE = "set_option maxHeartbeats 20000\n"
"""So that Lean itself gives a script up before that; a tenth of what it would spend."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A gap and the script that fills it."""

    name: str
    script: str
    cpu_s: float


@dataclass(slots=True)
class Swept:
    """What was done to a file."""

    closed: list[Closed] = field(default_factory=list[Closed])
    open: list[str] = field(default_factory=list[str])
    """Declarations whose gap nothing filled."""

    num_tried: int = 0
    cpu_s: float = 0.0

    def followed_by(self, other: "Swept") -> "Swept":
        """Both, one after the other: open is what the later one left open."""
        return Swept(
            [*self.closed, *other.closed],
            other.open,
            self.num_tried + other.num_tried,
            self.cpu_s + other.cpu_s,
        )


@dataclass(frozen=True, slots=True)
class Spot:
    """A gap in its file, without what follows its declaration: that cannot matter, and takes
    time."""

    source: Source
    """The whole file."""

    declaration: Declaration
    text: str
    gap: Gap
    line: int
    """Where the declaration begins in `text`."""

    has_others: bool
    """Whether the declaration has more gaps than this one."""

    @classmethod
    def of(cls, source: Source, declaration: Declaration, gap: Gap) -> "Spot":
        text = source.text[: declaration.start] + PATIENCE
        text += source.text[declaration.start : declaration.end]
        inside = [one for one in source.gaps if declaration.start <= one.start < declaration.end]
        moved = gap.moved(len(PATIENCE))
        return cls(source, declaration, text, moved, declaration.line + 1, len(inside) > 1)

    def goals(self, pool: WarmPool) -> list[str]:
        """What is to be shown there, as Lean prints it."""
        found = pool.goals(self.text, Position(self.gap.line, self.gap.column))
        return [one.text for one in found]

    def filled(self, script: str) -> str:
        """The text with the gap filled."""
        return fill(self.text, self.gap, script)

    def left(self, script: str, trial: "Trial") -> tuple[str, ...] | None:
        """The goals that a script leaves; None if it is wrong. Raises `Spent`."""
        text = self.filled(f"{script}\n{REST}")
        tried = trial.check(text)
        if tried.end != "answered" or any(
            one.severity == "error" and one.start.line >= self.line for one in tried.messages
        ):
            return None
        if not self.has_others and self.is_closed(tried):
            return ()  # nothing was left for the gap behind it
        before = text[: text.rindex(REST)]
        place = Position(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1))
        return tuple(one.text for one in trial.pool.goals(text, place))

    def is_closed(self, checked: Checked) -> bool:
        """Whether a script without `sorry` filled the gap, by what Lean says of it."""
        return is_closed(checked, self.line, has_others=self.has_others)


@dataclass(slots=True)
class Trial:
    """Scripts tried at one gap, within what it may take of Lean."""

    pool: WarmPool
    budget: Budget
    swept: Swept
    end_s: float
    """Of the sweep's CPU seconds."""

    most_s: float = TRY_CPU_S
    """Of one script."""

    @property
    def is_over(self) -> bool:
        return self.swept.cpu_s >= self.end_s

    def check(self, text: str) -> Checked:
        """What Lean says of a text. Raises `Spent`."""
        self.budget.check()
        limit_s = min(self.most_s, max(self.end_s - self.swept.cpu_s, 1.0))
        tried = self.pool.check(text, with_goals=False, cpu_s=limit_s)
        self.swept.num_tried += 1
        if not tried.is_cached:
            self.swept.cpu_s += tried.cpu_s
            self.budget.checked(tried.cpu_s)
        return tried


Close = Callable[[Spot, Trial], str | None]
"""Finds the script for a gap."""


def fill_gaps(
    work: Workspace,
    pool: WarmPool,
    budget: Budget,
    close: Close,
    *,
    cpu_s: float,
    told: Callable[[Closed], None],
) -> Swept:
    """Fill what `close` finds a script for. The workspace keeps what was found.

    cpu_s: of Lean, for the whole file; told: of each gap, as soon as it is filled. Raises `Spent`.
    """
    swept = Swept()
    skipped, holes = 0, set[str]()
    while skipped < len(work.gaps):
        gap, source = work.gaps[skipped], work.source
        declaration = source.declaration_at(gap.start)
        name = source.qualified(declaration) if declaration is not None else "?"
        found = None
        is_theorem = declaration is not None and declaration.kind in ("theorem", "lemma")
        if declaration is not None and not is_theorem:
            holes.add(declaration.name)
        text = "" if declaration is None else work.text[declaration.start : declaration.end]
        # of what has no body nothing can be shown
        if declaration is not None and is_theorem and not holes & words_of(text):
            share = (cpu_s - swept.cpu_s) / (len(work.gaps) - skipped)
            trial = Trial(pool, budget, swept, swept.cpu_s + max(share, 0.0))
            found = close(Spot.of(source, declaration, gap), trial)
        if found is None:
            swept.open.append(name)
            skipped += 1
        else:
            closed = Closed(name, found, swept.cpu_s)
            work.replace(fill(work.text, gap, found))
            swept.closed.append(closed)
            told(closed)
    return swept


def is_closed(checked: Checked, line: int, *, has_others: bool = False) -> bool:
    """Whether a declaration that begins in a line, the last of its file, is proved.

    has_others: it has more gaps, so that only errors tell.
    """
    after = [one for one in checked.messages if one.start.line >= line]
    return checked.end == "answered" and not any(
        one.severity == "error" or (one.kind == "hasSorry" and not has_others) for one in after
    )
