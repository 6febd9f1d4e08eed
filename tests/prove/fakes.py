"""A Lean that is none: a proof is right if it says so, so that a search can be watched without one.

A declaration's proof is right if the word `magic` is in it, open where `sorry` is, else an error.
"""

from collections.abc import Sequence

from bise.judge import Position, Request, Verdict
from bise.judge.messages import Message
from bise.judge.warm import Checked, Goal
from bise.prove.refute import statement_of
from bise.prove.source import Source
from bise.prove.workspace import Workspace

PROVED = ("theorem", "lemma")


class FakePool:
    """Answers like a `WarmPool`."""

    def __init__(self, right: str = "magic"):
        self.right = right
        self.checked: list[str] = []

    def check(self, source: str, *, with_goals: bool = True, cpu_s: float | None = None) -> Checked:
        self.checked.append(source)
        seen, messages, goals = Source(source), list[Message](), list[Goal]()
        if "loops" in source:
            return Checked(end="cpu", cpu_s=cpu_s or 30.0)
        for one in seen.declarations:
            if one.kind not in PROVED:
                continue
            text = source[one.start : one.end]
            start = Position(one.line, 0)
            open_here = [gap for gap in seen.gaps if one.start <= gap.start < one.end]
            if open_here:
                messages.append(
                    Message(severity="warning", text="uses `sorry`", start=start, kind="hasSorry")
                )
                goals += [
                    Goal(place=Position(gap.line, gap.column), text=f"n : Nat\n⊢ {one.name}")
                    for gap in open_here
                ]
            elif self.right not in text:
                messages.append(
                    Message(severity="error", text=f"unsolved goals in {one.name}", start=start)
                )
        return Checked(
            end="answered",
            messages=tuple(messages),
            goals=tuple(goals) if with_goals else (),
            cpu_s=0.1,
        )

    def goals(self, source: str, place: Position) -> tuple[Goal, ...]:
        seen = Source(source)
        one = seen.declaration_at(seen.offset(place.line, place.column))
        statement = None if one is None else statement_of(seen, one)
        return (Goal(place=place, text=f"⊢ {statement}"),)

    def try_many(
        self, source: str, place: Position, texts: Sequence[str], *, cpu_s: float | None = None
    ) -> list[Checked]:
        at = Source(source).offset(place.line, place.column)
        return [
            self.check(source[:at] + one + source[at + 5 :], with_goals=False, cpu_s=cpu_s)
            for one in texts
        ]


class NoPremises:
    """A library in which nothing is found."""

    def search(self, query, limit=20, *, context=""):
        del query, limit, context
        return []


def fake_judge(pool: FakePool, request: Request) -> Verdict:
    """Accepts what keeps the challenge and has no error, gap or `axiom`."""
    work = Workspace(request.challenge, disproves=request.disproves)
    checked = pool.check(request.submission)
    hashes = {
        "challenge": str(hash(request.challenge)),
        "submission": str(hash(request.submission)),
    }
    made = Verdict(verdict="rejected", reason="statement_differs", hashes=hashes)
    if work.lost_in(request.submission) is None:
        made.reason = "forbidden_axiom" if "axiom" in request.submission else "compile_failed"
        gaps = checked.has_gaps and not request.disproves
        if made.reason != "forbidden_axiom" and not checked.has_errors and not gaps:
            made.verdict, made.reason = "accepted", ""
            made.disproved = list(request.disproves)
    made.message = made.reason
    return made
