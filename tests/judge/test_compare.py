"""Forged and monstrous declarations, made by hand: no compiler writes them, a stranger might."""

from dataclasses import replace

import pytest
from made_files import Files, asked, made_type, named
from olean_writer import Writer

from bise.judge import Constant, Module, Region, Rejected
from bise.judge.challenge import Unusable, read_challenge, yields_predicate
from bise.judge.compare import compare
from bise.judge.disproof import check_disproofs
from bise.judge.running import check_running
from bise.judge.side import Side
from bise.judge.terms import (
    FORALL,
    LAMBDA,
    LEVEL_PARAM,
    LITERAL,
    MAX,
    SORT,
)


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


def test_nothing_may_be_named_like_what_lean_has_code_for():
    """By a name of its own, Lean runs its own function, imported or not."""
    files = Files()
    hole = files.definition("f", files.nat, files.use("zero"))
    side = files.side([hole, files.definition("g", files.nat, files.use("zero"))])
    check_running(side, (), {("g",)}.__contains__)
    check_running(side, (("f",),), {("h",)}.__contains__)
    with pytest.raises(Rejected, match="`g` runs as what Lean has by that name") as fault:
        check_running(side, (("f",),), {("g",)}.__contains__)
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
