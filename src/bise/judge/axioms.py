"""What a proof takes on trust: every axiom it rests on, however far away.

Types count as much as values, and nothing hides what is behind it: opaque constants, instances,
recursors and the other types of a mutual block are followed like everything else. What a file
does not declare itself comes from the library, which is trusted: its axioms are reported, its
proofs not gone through (exported modules come without them, and their theorems look like axioms:
ask `original_kinds`).
"""

from collections.abc import Callable, Iterable, Mapping

from bise.judge.constants import Constant, Kind
from bise.judge.region import BadOlean
from bise.judge.terms import Name, Terms, show_name

STANDARD_AXIOMS = frozenset({("propext",), ("Classical", "choice"), ("Quot", "sound")})
"""The three that Lean's mathematics is built on; a verdict allows no others."""

TRUST_IN_CODE: Name = ("Lean", "trustCompiler")
COMPUTED_BY_CODE = (("Lean", "reduceBool"), ("Lean", "reduceNat"))
"""A kernel runs code for these. In the library they rest on that axiom, which a library without
proofs does not show."""


def reachable(
    roots: Iterable[Name], declared: Mapping[Name, Constant], terms: Terms
) -> dict[Name, Constant | None]:
    """Everything some constants rest on, themselves included; None for what is not declared."""
    waiting = list(dict.fromkeys(roots))
    found: dict[Name, Constant | None] = dict.fromkeys(waiting)
    while waiting:
        constant = declared.get(waiting.pop())
        if constant is None:
            continue
        found[constant.name] = constant
        for name in {*terms.constants(*constant.expressions()), *rests_on(constant)}:
            if name not in found:
                found[name] = None
                waiting.append(name)
    return found


def rests_on(constant: Constant) -> tuple[Name, ...]:
    """Constants that one rests on besides those in its type and value.

    A definition or a proof that was written in a mutual block does not rest on its neighbours.
    """
    return () if constant.value is not None else constant.named()


def axioms(
    roots: Iterable[Name],
    declared: Mapping[Name, Constant],
    library: Callable[[Name], Kind | None],
    terms: Terms,
) -> frozenset[Name]:
    """The axioms that constants rest on, wherever they are declared.

    declared: what the file under test declares. library: as what everything else was declared.
    A name that neither knows raises `BadOlean`: nobody can say what it stands for.
    """
    found = set()
    for name, constant in reachable(roots, declared, terms).items():
        kind = library(name) if constant is None else constant.kind
        if kind is None:
            raise BadOlean(f"`{show_name(name)}` is used, but declared nowhere")
        if kind == "axiom":
            found.add(name)
        elif constant is None and name in COMPUTED_BY_CODE:
            found.add(TRUST_IN_CODE)
    return frozenset(found)
