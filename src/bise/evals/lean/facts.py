"""Goals which automation or one rule closes, and which other tactics close them too."""

import re
from collections.abc import Callable
from random import Random

from bise.evals.lean.induction import draw_induction
from bise.evals.lean.numbers import draw_compute, draw_omega, draw_rewrite
from bise.evals.lean.steps import Step
from bise.evals.lean.terms import WORD

FACTS: dict[str, Callable[[Random, float], Step]] = {
    "compute": draw_compute,
    "omega": draw_omega,
    "rewrite": draw_rewrite,
    "induction": draw_induction,
}
"""What draws each level whose right tactics are known by its kind."""

OTHERS = {
    "ground": ("decide", "simp", "trivial"),
    "defined": ("simp", "trivial"),
    "decided": ("simp", "omega", "trivial"),
    "linear": ("grind",),
    "symm": ("rw [{0}]", "simp [{0}]", "grind", "omega", "exact Eq.symm {0}", "symm; exact {0}"),
    "chain": ("exact {0}.trans {1}", "exact Eq.trans {0} {1}", "rw [{0}]", "grind"),
    "transport": ("grind",),
    "rewrite": ("rw [← {0}]", "simp [{0}]", "grind"),
    "truth": ("cases {0}",),
    "list": (),
    "rule": ("rw [Nat.{0}]", "simp [Nat.{0}]", "grind"),
    "induction": ("induction {0}",),
}
"""Other tactics that are right wherever the kind's own is, with the names it uses."""


def is_known(kind: str, answer: str, tactic: str) -> bool:
    """Whether a tactic is the answer, but for names it invents, or one known to do as well."""
    tactic = " ".join(tactic.split())
    return tactic in (answer, *others(kind, answer)) or _with_other_names(answer, tactic)


def others(kind: str, answer: str) -> list[str]:
    """What else is right."""
    used = [one for one in WORD.findall(answer) if one not in NO_NAMES]
    return [one.format(*used) for one in OTHERS[kind]]


NO_NAMES = ("exact", "rw", "cases", "rfl", "symm", "Nat", "induction", "with", "simp", "omega")

INVENTED = re.compile(r"succ (\w+) (\w+) =>")


def _with_other_names(answer: str, tactic: str) -> bool:
    """Whether only the names that `induction` gives differ."""
    wanted, found = INVENTED.search(answer), INVENTED.search(tactic)
    if wanted is None or found is None or found[1] == found[2]:
        return False
    inner = answer[wanted.start() :]
    for old, new in zip(wanted.groups(), found.groups(), strict=True):
        inner = re.sub(rf"\b{old}\b", f"#{new}", inner)
    return tactic == answer[: wanted.start()] + inner.replace("#", "")
