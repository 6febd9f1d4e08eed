"""Declarations made by hand: a challenge, a submission and a library in one table."""

from dataclasses import replace

from olean_writer import Writer

from bise.judge import Constant, Import, Module, Name, Region, Terms
from bise.judge.challenge import read_challenge
from bise.judge.extensions import CSIMP, DECLARATION_RANGES
from bise.judge.library import Library
from bise.judge.side import Side
from bise.judge.terms import (
    APPLY,
    BOUND,
    CONSTANT,
    FORALL,
    SORT,
    SUCC,
    ZERO,
)

INIT = Import(module=("Init",), is_all=False, is_exported=True, is_meta=False)


class Files:
    """A challenge, a submission and a library in one table."""

    def __init__(self) -> None:
        self.terms = Terms()
        self.zero = self.terms.levels.add(ZERO)
        self.one = self.terms.levels.add(SUCC, self.zero)
        self.prop, self.type = self.add(SORT, self.zero), self.add(SORT, self.one)
        self.nat, self.truth = self.use("Nat"), self.use("True")
        made = [
            Constant(name=("Nat",), kind="inductive", universes=(), type=self.type, counts=(0,) * 3,
                     flags=(False, False), together=(("Nat",),)),
            Constant(name=("True",), kind="inductive", universes=(), type=self.prop,
                     counts=(0,) * 3, flags=(False, False), together=(("True",),)),
            self.axiom("trivial", self.truth),
            self.axiom("zero", self.nat),
            self.axiom("propext", self.truth),
            self.axiom("sorryAx", self.add(FORALL, ("α",), self.prop, self.add(BOUND, 0), 0)),
        ]  # fmt: skip
        self.init = Writer(self.terms).module(made)

    def add(self, *node) -> int:
        return self.terms.expressions.add(*node)

    def use(self, word: str, *levels: int) -> int:
        return self.add(CONSTANT, (word,), levels)

    def apply(self, function: int, *arguments: int) -> int:
        for one in arguments:
            function = self.add(APPLY, function, one)
        return function

    def axiom(self, word: str, kind: int) -> Constant:
        return Constant(name=(word,), kind="axiom", universes=(), type=kind)

    def definition(self, word: str, says: int, value: int, **more) -> Constant:
        fields = {"kind": "definition", "universes": (), **more}
        return Constant(name=(word,), type=says, value=value, together=((word,),), **fields)

    def theorem(self, word: str, says: int, value: int, **more) -> Constant:
        return self.definition(word, says, value, kind="theorem", **more)

    def gap(self, kind: int, level: int | None = None) -> int:
        return self.apply(self.use("sorryAx", self.zero if level is None else level), kind)

    def side(
        self, constants: list[Constant], made: tuple[str, ...] = (), replaced: tuple[str, ...] = ()
    ) -> Side:
        """made: words that have no place in a source. replaced: by a lemma, where they run."""
        writer = Writer(self.terms)
        entries = [
            self.range_of(writer, one.name, line)
            for line, one in enumerate(constants, 1)
            if one.name[0] not in made
        ]
        lemmas = [
            writer.constructor(0, writer.constructor(0, *(writer.name((one,)) for _ in range(3))))
            for one in replaced
        ]
        noted = [(DECLARATION_RANGES, entries), (CSIMP, lemmas)]
        raw = writer.module(constants, [INIT], noted)
        module = Module(Region([raw]), self.terms)
        return Side(module, Library(lambda _: [self.init], module.imports, self.terms), self.terms)

    @staticmethod
    def range_of(writer: Writer, name: Name, line: int) -> int:
        place = [
            writer.constructor(0, writer.number(line), writer.number(column)) for column in (0, 9)
        ]
        whole = writer.constructor(0, place[0], writer.number(0), place[1], writer.number(0))
        return writer.constructor(0, writer.name(name), writer.constructor(0, whole, whole))


def asked(files: Files, kind: int, *others: Constant):
    return read_challenge(files.side([*others, files.theorem("t", kind, files.gap(kind))]))


def named(constant: Constant, *words: str | int) -> Constant:
    return replace(constant, name=words, together=(words,))


def made_type(files: Files, name: str, constructors: tuple[str, str], num: int) -> list[Constant]:
    """An inductive type with two constructors, the second of which takes so many numbers."""
    kinds = [files.use(name), files.use(name)]
    for _ in range(num):
        kinds[1] = files.add(FORALL, ("n",), files.nat, kinds[1], 0)
    words = tuple((word,) for word in constructors)
    owner = Constant(
        name=(name,), kind="inductive", universes=(), type=files.type, counts=(0, 0, 0),
        flags=(False, False), together=((name,),), constructors=words,
    )  # fmt: skip
    made = [
        Constant(
            name=word, kind="constructor", universes=(), type=kind, inductive=(name,),
            counts=(0, 0, 0),
        )
        for word, kind in zip(words, kinds, strict=True)
    ]  # fmt: skip
    return [owner, *made]
