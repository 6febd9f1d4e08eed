"""Compiled Lean files of either word size for tests to read, and terms to fill them with."""

from collections.abc import Sequence
from random import Random

from bise.judge import Constant, Header, Import, Name, Rule, Terms
from bise.judge.constants import KINDS
from bise.judge.encode import Encoder
from bise.judge.region import GRAIN
from bise.judge.terms import (
    APPLY,
    BOUND,
    CONSTANT,
    FORALL,
    IMAX,
    LAMBDA,
    LET,
    LEVEL_PARAM,
    LITERAL,
    MAX,
    NOTE,
    PROJECT,
    SORT,
    SUCC,
    ZERO,
)


class Writer(Encoder):
    """An encoder of its own, for files that hold more than declarations, or lies."""

    def __init__(
        self,
        terms: Terms | None = None,
        word: int = 4,
        base: int = 7 * GRAIN,
        *,
        uses_gmp: bool = False,
    ):
        header = Header(
            lean_version="4.28.0-pre",
            commit="0123abcd" * 5,
            uses_gmp=uses_gmp,
            word_bytes=word,
            base=base,
        )
        super().__init__(header, terms or Terms())

    def module(
        self,
        constants: Sequence[Constant],
        imports: Sequence[Import] = (),
        entries: Sequence[tuple[Name, Sequence[int]]] = (),
    ) -> bytes:
        """A whole file. entries: of each extension the addresses of what it noted."""
        noted = [
            self.constructor(0, self.name(extension), self.array(values))
            for extension, values in entries
        ]
        fields = [
            self.array([self.add_import(one) for one in imports]),
            self.array([self.name(one.name) for one in constants]),
            self.array([self.constant(one) for one in constants]),
            self.array([self.name(("extra", "_closed_1"))]),
            self.array(noted),
        ]
        return self.finish(self.constructor(0, *fields, scalars=b"\1"))


def random_terms(rng: Random, terms: Terms, count: int) -> list[int]:
    """Numbers of expressions of every form, made from each other."""
    names: list[Name] = [("Nat",), ("List", "map"), ("foo", 3, "«x»"), ("α",), ()]
    level = terms.levels.add(ZERO)
    levels = [level, terms.levels.add(SUCC, level), terms.levels.add(LEVEL_PARAM, ("u",))]
    levels.append(terms.levels.add(IMAX, levels[1], levels[2]))
    levels.append(terms.levels.add(MAX, levels[3], levels[2]))
    found = [terms.expressions.add(SORT, levels[1])]
    literals = ["", "hé", "a\nb", 0, 7, 1 << 31, 1 << 200]
    while len(found) < count:
        one, two, name = rng.choice(found[-20:]), rng.choice(found), rng.choice(names)
        nodes = (
            (APPLY, one, two),
            (LAMBDA, name, one, two, rng.randrange(4)),
            (FORALL, name, one, two, rng.randrange(4)),
            (LET, name, one, two, one, rng.randrange(2)),
            (NOTE, one),
            (PROJECT, name, rng.randrange(5), two),
            (CONSTANT, name, tuple(rng.sample(levels, rng.randrange(3)))),
            (BOUND, rng.randrange(40)),
            (SORT, rng.choice(levels)),
            (LITERAL, rng.choice(literals)),
        )
        found.append(terms.expressions.add(*rng.choice(nodes)))
    return found


def random_constants(rng: Random, terms: Terms, count: int) -> list[Constant]:
    """Declarations of every kind, in turn."""
    some = random_terms(rng, terms, 6 * count)
    more = {
        "axiom": {"safety": "unsafe"},
        "definition": {"unfolding": 70_000, "safety": "partial", "together": (("f",), ("g", 2))},
        "theorem": {"together": (("f",),)},
        "opaque": {"safety": "unsafe"},
        "quotient": {"counts": (2,)},
        "inductive": {"counts": (1, 0, 2), "constructors": (("c", "mk"),), "flags": (True, False)},
        "constructor": {"inductive": ("c",), "counts": (0, 1, 2)},
        "recursor": {
            "counts": (1, 2, 3, 4),
            "flags": (True,),
            "rules": (Rule(constructor=("c", "mk"), num_fields=2, value=some[5]),),
        },
    }
    return [
        Constant(
            name=("made", number, kind),
            kind=kind,
            universes=(("u",), ("v",))[: rng.randrange(3)],
            type=rng.choice(some),
            value=rng.choice(some) if kind in ("definition", "theorem", "opaque") else None,
            **more[kind],
        )
        for number in range(count)
        for kind in [KINDS[number % len(KINDS)]]
    ]
