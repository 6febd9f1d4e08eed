"""Forged and monstrous declarations, made by hand: no compiler writes them, a stranger might."""

import sys
import time
from dataclasses import replace

import pytest
from olean_writer import Writer

from bise.judge import BadOlean, Constant, Import, Module, Name, Region, Rejected, Terms
from bise.judge.axioms import reachable
from bise.judge.challenge import Unusable, read_challenge, yields_predicate
from bise.judge.compare import MAX_DEPTH, compare, deep_recursion
from bise.judge.disproof import check_disproofs
from bise.judge.extensions import CSIMP, DECLARATION_RANGES
from bise.judge.library import Library
from bise.judge.running import check_running
from bise.judge.side import Side
from bise.judge.terms import (
    APPLY,
    BOUND,
    CONSTANT,
    FORALL,
    LAMBDA,
    LEVEL_PARAM,
    LITERAL,
    MAX,
    PROJECT,
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


def test_a_proof_of_what_was_asked_passes():
    files = Files()
    given = files.theorem("t", files.truth, files.use("trivial"))
    compare(asked(files, files.truth), files.side([given]))


def test_a_name_of_the_library_cannot_be_declared_anew():
    files = Files()
    given = files.theorem("t", files.truth, files.use("trivial"))
    for word in ("True", "propext", "Nat"):
        forged = files.side([given, files.axiom(word, files.prop)])
        with pytest.raises(Rejected, match="is declared anew") as fault:
            compare(asked(files, files.truth), forged)
        assert fault.value.reason == "shadows_library"


def named(constant: Constant, *words: str | int) -> Constant:
    return replace(constant, name=words, together=(words,))


def test_a_name_that_kernels_compute_by_cannot_be_given_another_meaning():
    """Where the library lacks it: `Nat.gcd 2 2` would be 2 to a kernel, and 1 by its definition."""
    files = Files()
    given = files.theorem("t", files.truth, files.use("trivial"))
    gcd = named(files.definition("gcd", files.nat, files.use("zero")), "Nat", "gcd")
    other = replace(gcd, value=files.apply(files.use("zero"), files.use("zero")))
    with pytest.raises(Rejected, match="kernel computes it") as fault:
        compare(asked(files, files.truth), files.side([gcd, given]))
    assert fault.value.reason == "shadows_library"
    compare(asked(files, files.truth, gcd), files.side([gcd, given]))
    with pytest.raises(Rejected) as fault:  # though the statement does not speak of it
        compare(asked(files, files.truth, gcd), files.side([other, given]))
    assert fault.value.reason == "fixed_changed"
    hole = replace(gcd, value=files.gap(files.nat, files.one))
    with pytest.raises(Rejected, match="kernel computes it"):
        compare(asked(files, files.truth, hole), files.side([gcd, given]))


def test_what_lean_made_is_known_by_its_content_whatever_its_name():
    files = Files()
    kind = files.apply(files.use("match_1"), files.nat)
    body = files.add(LAMBDA, ("n",), files.type, files.truth, 0)
    other = files.add(
        LAMBDA, ("m",), files.type, files.add(FORALL, ("x",), files.nat, files.truth, 0), 0
    )
    shape = files.add(FORALL, ("n",), files.type, files.prop, 0)
    ours = files.side(
        [files.definition("match_1", shape, body), files.theorem("t", kind, files.gap(kind))],
        made=("match_1",),
    )
    challenge = read_challenge(ours)
    renamed = files.apply(files.use("helper"), files.nat)
    for value, is_same in ((body, True), (other, False)):
        helper = files.definition("helper", shape, value)
        theirs = files.side([helper, files.theorem("t", renamed, files.use("trivial"))])
        if is_same:
            compare(challenge, theirs)
        else:
            with pytest.raises(Rejected, match="does not say"):
                compare(challenge, theirs)


def test_two_alike_opaque_constants_are_not_one():
    """`a = b` of two that Lean made, about which nothing is known, is not `a = a`."""
    files = Files()
    shape = files.add(FORALL, ("n",), files.nat, files.prop, 0)
    shape = files.add(FORALL, ("n",), files.nat, shape, 0)
    same = files.definition(
        "same",
        shape,
        files.add(
            LAMBDA, ("n",), files.nat, files.add(LAMBDA, ("m",), files.nat, files.truth, 0), 0
        ),
    )

    def side(kind: str, words: str, first: str, second: str, *, is_asked: bool) -> Side:
        made = [files.definition(one, files.nat, files.use("zero"), kind=kind) for one in words]
        says = files.apply(files.use("same"), files.use(first), files.use(second))
        proof = files.gap(says) if is_asked else files.use("trivial")
        return files.side([same, *made, files.theorem("t", says, proof)], made=tuple(words))

    for kind in ("opaque", "definition"):
        challenge = read_challenge(side(kind, "ab", "a", "b", is_asked=True))
        compare(challenge, side(kind, "cd", "d", "c", is_asked=False))
        if kind == "definition":
            compare(challenge, side(kind, "cd", "c", "c", is_asked=False))
            continue
        with pytest.raises(Rejected, match="does not say"):
            compare(challenge, side(kind, "cd", "c", "c", is_asked=False))
        challenge = read_challenge(side(kind, "ab", "a", "a", is_asked=True))
        with pytest.raises(Rejected, match="does not say"):
            compare(challenge, side(kind, "cd", "c", "d", is_asked=False))


def test_only_of_the_librarys_panic_the_lines_do_not_count():
    """A challenge without that library may have something else by its name."""
    files = Files()
    shape = files.prop
    for _ in range(6):
        shape = files.add(FORALL, ("n",), files.nat, shape, 0)
    panic = files.axiom("panicWithPos", shape)
    body = files.truth
    for _ in range(6):
        body = files.add(LAMBDA, ("n",), files.nat, body, 0)
    own = files.definition("panicWithPos", shape, body)

    def kind(line: int) -> int:
        arguments = [files.add(LITERAL, one) for one in (0, 0, 0, line, 0, 0)]
        return files.apply(files.use("panicWithPos"), *arguments)

    given = files.theorem("t", kind(7), files.use("trivial"))
    with pytest.raises(Rejected, match="does not say"):
        compare(asked(files, kind(3), own), files.side([own, given]))
    files.init = Writer(files.terms).module(
        [*Module(Region([files.init]), files.terms).values(), panic]
    )
    compare(asked(files, kind(3)), files.side([given]))


def test_a_negation_may_be_public_where_the_target_is_private_and_the_other_way_round():
    files = Files()
    says = files.definition("Not", files.add(FORALL, ("p",), files.prop, files.prop, 0), files.prop)
    files.init = Writer(files.terms).module(
        [
            *Module(Region([files.init]), files.terms).values(),
            replace(says, value=None, kind="axiom"),
        ]
    )
    hidden = ("_private", "Judged", 0)
    kind = files.apply(files.use("Not"), files.truth)
    for before, behind in ((hidden, ()), ((), hidden)):
        target = files.theorem("t", files.truth, files.gap(files.truth))
        ours = read_challenge(files.side([named(target, *before, "t")]))
        given = files.theorem("not_t", kind, files.use("trivial"))
        found = check_disproofs(ours, files.side([named(given, *behind, "not_t")]), ("t",))
        assert found == ((*behind, "not_t"),)


def test_a_hole_whose_type_turns_out_to_be_that_of_propositions_is_found():
    """By cases, by recursion, and behind a quotient: whoever fills it says what theorems mean."""
    files = Files()
    motive = files.add(FORALL, ("n",), files.nat, files.type, 0)
    shape = files.add(FORALL, ("n",), files.nat, files.type, 0)
    for _ in range(2):
        shape = files.add(FORALL, ("case",), files.type, shape, 0)
    cases = Constant(
        name=("cases",), kind="recursor", universes=(), counts=(0, 0, 1, 2), flags=(False,),
        type=files.add(FORALL, ("m",), motive, shape, 0),
    )  # fmt: skip
    classes = Constant(
        name=("Classes",), kind="quotient", universes=(), counts=(0,),
        type=files.add(FORALL, ("α",), files.type, files.type, 0),
    )  # fmt: skip
    files.init = Writer(files.terms).module(
        [*Module(Region([files.init]), files.terms).values(), cases, classes]
    )

    def by_cases(one: int, other: int) -> int:
        of = files.add(LAMBDA, ("n",), files.nat, files.type, 0)
        return files.apply(files.use("cases"), of, one, other, files.use("zero"))

    later = files.add(LAMBDA, ("h",), files.nat, files.prop, 0)
    for kind, is_found in (
        (by_cases(files.nat, files.nat), False),
        (by_cases(files.nat, files.prop), True),
        (by_cases(later, files.nat), True),
        (files.add(FORALL, ("n",), files.nat, by_cases(files.prop, files.nat), 0), True),
        (files.apply(files.use("Classes"), files.nat), False),
        (files.apply(files.use("Classes"), files.prop), True),
    ):
        side = files.side([files.definition("f", kind, files.gap(kind, files.one))])
        assert yields_predicate(side, kind) is is_found


def test_proofs_are_alike_and_data_is_not():
    files = Files()
    shape = files.add(FORALL, ("h",), files.truth, files.prop, 0)
    other_shape = files.add(FORALL, ("n",), files.nat, files.prop, 0)
    body = files.add(LAMBDA, ("h",), files.truth, files.truth, 0)
    other_body = files.add(LAMBDA, ("n",), files.nat, files.truth, 0)
    holds, is_nice = (
        files.definition("holds", shape, body),
        files.definition("nice", other_shape, other_body),
    )
    helper = files.theorem("helper", files.truth, files.use("trivial"))
    more = files.definition("more", files.nat, files.use("zero"))
    for word, first, second, is_same in (
        ("holds", "trivial", "helper", True),
        ("nice", "zero", "more", False),
    ):
        challenge = asked(files, files.apply(files.use(word), files.use(first)), holds, is_nice)
        kind = files.apply(files.use(word), files.use(second))
        given = files.theorem("t", kind, files.use("trivial"))
        theirs = files.side([holds, is_nice, helper, more, given])
        if is_same:
            compare(challenge, theirs)
        else:
            with pytest.raises(Rejected, match="does not say"):
                compare(challenge, theirs)


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


def test_what_was_found_alike_while_something_else_was_assumed_is_looked_at_again():
    """Two types differ; where only proofs rest on them that is no matter, where data does it is."""
    files = Files()
    shape = files.add(FORALL, ("x",), files.nat, files.prop, 0)
    shape = files.add(FORALL, ("h",), files.truth, shape, 0)
    says = files.axiom("says", shape)
    files.init = Writer(files.terms).module(
        [*Module(Region([files.init]), files.terms).values(), says]
    )
    shows = files.theorem(
        "shows",
        files.add(FORALL, ("t",), files.type, files.truth, 0),
        files.add(LAMBDA, ("t",), files.type, files.use("trivial"), 0),
    )

    def side(words: tuple[str, str, str], num: int, last: str, proof: int | None) -> Side:
        held = made_type(files, words[0], words[1:], num)
        proved = files.apply(files.use("shows"), files.use(words[0]))
        kind = files.apply(files.use("says"), proved, files.use(last))
        given = files.theorem("t", kind, files.gap(kind) if proof is None else proof)
        return files.side([shows, *held, given], made=words)

    one, other, proof = ("I", "c", "e"), ("J", "d", "f"), files.use("trivial")
    compare(
        read_challenge(side(one, 0, "zero", None)),
        side(other, 1, "zero", proof),
    )
    challenge = read_challenge(side(one, 0, "c", None))
    with pytest.raises(Rejected, match="does not say"):
        compare(challenge, side(other, 1, "d", proof))


def test_universe_names_do_not_count_but_their_use_does():
    files = Files()

    def statement(name: str, order: tuple[str, str]) -> dict:
        levels = [files.terms.levels.add(LEVEL_PARAM, (one,)) for one in order]
        level = files.terms.levels.add(MAX, *levels)
        kind = files.add(FORALL, ("α",), files.add(SORT, level), files.truth, 0)
        return {"kind": kind, "universes": ((name,), ("w",))}

    first = statement("u", ("u", "w"))
    ours = files.side(
        [files.theorem("t", first["kind"], files.gap(files.truth), universes=first["universes"])]
    )
    challenge = read_challenge(ours)
    for order, is_same in ((("v", "w"), True), (("w", "v"), False)):
        given = statement("v", order)
        theirs = files.side(
            [files.theorem("t", given["kind"], files.use("trivial"), universes=given["universes"])]
        )
        if is_same:
            compare(challenge, theirs)
        else:
            with pytest.raises(Rejected, match="does not say"):
                compare(challenge, theirs)


def test_gaps_of_proofs_and_of_data_are_told_apart_by_their_universe():
    files = Files()
    shape = files.add(FORALL, ("h",), files.truth, files.nat, 0)
    body = files.add(LAMBDA, ("h",), files.truth, files.use("zero"), 0)
    constant = files.definition("g", shape, body)
    target = files.theorem("t", files.truth, files.gap(files.truth))
    for level, is_fair in ((files.zero, True), (files.one, False)):
        value = files.apply(files.use("g"), files.gap(files.truth, level))
        side = files.side([constant, files.definition("d", files.nat, value), target])
        if is_fair:
            assert read_challenge(side).holes == ()
        else:
            with pytest.raises(Unusable, match="and it is no proof"):
                read_challenge(side)


def test_terms_of_any_depth_are_compared_or_refused():
    files = Files()
    kind = files.truth
    for _ in range(30_000):
        kind = files.add(FORALL, ("x",), files.nat, kind, 0)
    other = files.truth
    for number in range(30_000):
        other = files.add(FORALL, ("y", number), files.nat, other, 0)
    challenge = asked(files, kind)
    start = time.monotonic()
    try:
        compare(challenge, files.side([files.theorem("t", other, files.use("trivial"))]))
    except Rejected as fault:
        assert fault.reason == "too_complex"
    assert time.monotonic() - start < 20


def test_nothing_may_replace_what_a_library_has_where_definitions_are_filled():
    """Lean puts the library's own code in, so no term has to speak of what is replaced."""
    files = Files()
    hole = files.definition("f", files.nat, files.use("zero"))
    other = files.definition("g", files.nat, files.use("zero"))
    check_running(files.side([hole, other]), (("f",),))
    check_running(files.side([hole, other], replaced=("g",)), (("f",),))  # which it does not use
    check_running(files.side([hole, other], replaced=("propext",)), ())
    with pytest.raises(Rejected, match="`propext` is replaced") as fault:
        check_running(files.side([hole, other], replaced=("propext",)), (("f",),))
    assert fault.value.reason == "run_time_code"


def test_nothing_may_be_named_like_a_part_of_running_code():
    """Lean compiles a `fun` within `f` as `f._lam_0`; of two by that name the later one runs."""
    files = Files()
    hole = files.definition("f", files.nat, files.use("zero"))
    part = files.definition("part", files.nat, files.use("zero"))
    hidden = ("_private", "Judged", 0)
    for words, is_fine in (
        (("f", "_lam_0"), False),
        ((*hidden, "f", "_lam_0"), False),
        (("f", "_at_", "g", "spec_0"), False),
        (("lam_0",), True),
        (("_lam_0",), True),
        (("f", "lam_0"), True),
        (("Nat", "_lam_0"), True),  # a type has no code
        (("f", "_@", "Judged", 7, "_hyg", 3), True),
    ):
        side = files.side([hole, named(part, *words)])
        if is_fine:
            check_running(side, (("f",),))
        else:
            with pytest.raises(Rejected, match="named like what Lean makes") as fault:
                check_running(side, (("f",),))
            assert fault.value.reason == "run_time_code"


def test_the_limit_of_recursion_holds_until_the_last_is_done():
    before = sys.getrecursionlimit()
    one, other = deep_recursion(), deep_recursion()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert sys.getrecursionlimit() >= MAX_DEPTH
    other.__exit__(None, None, None)
    assert sys.getrecursionlimit() == before


def test_a_field_of_any_number_is_not_sought():
    files = Files()
    owner, made = made_type(files, "S", ("mk", "other"), 0)[:2]
    owner = replace(owner, constructors=(("mk",),))
    shape = files.add(FORALL, ("h",), files.truth, files.prop, 0)
    body = files.add(LAMBDA, ("h",), files.truth, files.truth, 0)
    holds = files.definition("holds", shape, body)
    challenge = asked(files, files.apply(files.use("holds"), files.use("trivial")), holds)
    field = files.add(PROJECT, ("S",), 10**7, files.use("mk"))
    kind = files.apply(files.use("holds"), field)
    theirs = files.side([owner, made, holds, files.theorem("t", kind, files.use("trivial"))])
    start = time.process_time()
    with pytest.raises(Rejected, match="does not say"):
        compare(challenge, theirs)
    assert time.process_time() - start < 1


def test_terms_that_many_declarations_share_are_not_gone_through_without_end(monkeypatch):
    files = Files()
    large = files.use("zero")
    for _ in range(100):
        large = files.apply(files.use("zero"), large)
    made = [files.definition(f"d{number}", files.nat, large) for number in range(100)]
    side = files.side([*made, files.theorem("t", files.truth, files.use("trivial"))])
    names = [one.name for one in made]
    assert len(reachable(names, side.module, files.terms)) > 100
    monkeypatch.setattr("bise.judge.terms.MAX_WALKED", files.terms._walked + 5_000)
    with pytest.raises(BadOlean, match="takes too long"):
        reachable(names, side.module, files.terms)


def test_what_doubles_at_every_step_is_given_up():
    files = Files()
    term = files.add(BOUND, 64)  # the outermost variable, so that no part is closed
    for number in range(64):
        parts = [files.add(LAMBDA, (word, number), files.nat, term, 0) for word in "ab"]
        term = files.apply(files.use("zero"), *parts)
    hole = files.definition("f", files.nat, files.add(LAMBDA, ("x",), files.nat, term, 0))
    start = time.monotonic()
    with pytest.raises(Rejected) as fault:
        check_running(files.side([hole]), (("f",),))
    assert fault.value.reason == "too_complex" and time.monotonic() - start < 60


def test_a_large_type_is_computed_once_for_each_of_its_universes():
    """A definition may be unfolded at every place of another one; walking it each time adds up."""
    files = Files()
    sort = files.add(
        SORT, files.terms.levels.add(SUCC, files.terms.levels.add(LEVEL_PARAM, ("u",)))
    )
    large = sort
    for number in range(4_000):
        step = files.add(LAMBDA, ("y", number), sort, files.add(BOUND, 0), 0)
        large = files.apply(step, large)
    unused = files.add(LAMBDA, ("w",), sort, files.add(BOUND, 1), 0)
    value = files.add(LAMBDA, ("x",), sort, files.apply(unused, large), 0)
    big = files.definition(
        "big", files.add(FORALL, ("x",), sort, sort, 0), value, universes=(("u",),)
    )
    kind = files.apply(files.use("big", files.zero), files.nat)
    made = files.add(FORALL, ("n",), files.nat, kind, 0)
    took = files.add(FORALL, ("n",), kind, made, 0)
    body = files.apply(files.use("make"), files.use("zero"))
    for number in range(400):
        body = files.apply(files.use("take"), body, files.add(LITERAL, number))
    one = files.add(LAMBDA, ("n",), files.nat, files.add(BOUND, 0), 0)
    two = files.add(LAMBDA, ("n",), kind, one, 0)
    side = files.side(
        [big, files.definition("make", made, one), files.definition("take", took, two),
         files.definition("f", kind, body)]
    )  # fmt: skip
    start = time.process_time()
    check_running(side, (("f",),))
    assert time.process_time() - start < 8
