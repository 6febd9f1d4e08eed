"""Proofs that a change has broken, made into gaps again; statements stay as they are."""

from bise.errors import UserError
from bise.judge.pool import WarmPool
from bise.prove.bodies import body_start
from bise.prove.budget import Budget
from bise.prove.source import Declaration, Source

ROUNDS = 8
"""Times a file is checked until only gaps are left: a broken proof hides what rests on it."""


def open_broken(text: str, pool: WarmPool, budget: Budget) -> tuple[str, dict[str, str]]:
    """A file with a gap for every proof that fails, and those proofs by the theorem's name.

    Raises `UserError` if something else than a proof is broken.
    """
    lost = dict[str, str]()
    for _ in range(ROUNDS):
        budget.check()
        checked = pool.check(text, with_goals=False)
        budget.checked(checked.cpu_s)
        errors = [one for one in checked.messages if one.severity == "error"]
        if checked.end != "answered":
            raise UserError(
                f"Lean does not come to an end with this file ({checked.end})",
                hint="put `sorry` in place of the proof that takes so long",
            )
        if not errors:
            return text, lost
        source = Source(text)
        first = errors[0]
        broken = source.declaration_at(source.offset(first.start.line, first.start.column))
        at = None if broken is None else _proof_of(source, broken)
        if broken is None or at is None:
            raise UserError(
                f"line {first.start.line}: {' '.join(first.text.split())[:200]}",
                hint="this is no proof; mend it by hand first",
            )
        lost[source.qualified(broken)] = text[at : broken.end].strip()
        rest = text[at : broken.end]
        tail = rest[len(rest.rstrip()) :]
        text = f"{text[:at]}:= sorry{tail}{text[broken.end :]}"
    raise UserError(
        f"after {ROUNDS} rounds something in this file is still broken",
        hint="put `sorry` in place of the proofs that fail",
    )


def _proof_of(source: Source, declaration: Declaration) -> int | None:
    """Where the proof of a theorem begins; None if it is none, or is open already."""
    start = body_start(source, declaration)
    if declaration.kind not in ("theorem", "lemma") or start is None:
        return None
    is_open = source.text[start : declaration.end].split()[1:] in (["sorry"], ["by", "sorry"])
    return None if is_open else start
