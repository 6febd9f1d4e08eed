"""The closure of a proof finds axioms wherever they hide, and says when a name is unknown."""

import pytest

from bise.judge import STANDARD_AXIOMS, BadOlean, Constant, Name, Rule, Terms, axioms, reachable
from bise.judge.constants import Kind
from bise.judge.terms import APPLY, CONSTANT, PROJECT, SORT, ZERO

SORRY: Name = ("sorryAx",)


class Files:
    """A file under test and a library, declared name by name."""

    def __init__(self) -> None:
        self.terms = Terms()
        self.declared: dict[Name, Constant] = {}
        self.library: dict[Name, Kind] = {}
        self.prop = self.terms.expressions.add(SORT, self.terms.levels.add(ZERO))
        for name in (*STANDARD_AXIOMS, SORRY, ("Lean", "ofReduceBool")):
            self.library[name] = "axiom"
        self.library[("Nat",)] = "inductive"

    def use(self, name: Name) -> int:
        return self.terms.expressions.add(CONSTANT, name, ())

    def constant(self, name: Name, kind: Kind, **more) -> Constant:
        return Constant(name=name, kind=kind, universes=(), **{"type": self.prop, **more})

    def declare(self, word: str, kind: Kind = "theorem", **more) -> Name:
        self.declared[(word,)] = self.constant((word,), kind, **more)
        return (word,)

    def axioms(self, *roots: Name) -> set[str]:
        found = axioms(roots, self.declared, self.library.get, self.terms)
        return {".".join(map(str, name)) for name in found}


def test_a_proof_without_axioms_has_none():
    files = Files()
    target = files.declare("target", value=files.use(("Nat",)))
    assert files.axioms(target) == set()


@pytest.mark.parametrize("kind", ["theorem", "definition", "opaque"])
def test_axioms_are_found_through_values_of_every_kind(kind: Kind):
    files = Files()
    deep = files.declare("deep", kind, value=files.use(SORRY))
    middle = files.declare("middle", kind, value=files.use(deep))
    target = files.declare("target", value=files.use(middle))
    assert files.axioms(target) == {"sorryAx"}


def test_what_a_kernel_runs_code_for_rests_on_trust_in_it():
    """A library without proofs does not show it; a constant of one's own by that name is one."""
    files = Files()
    for word in ("reduceBool", "reduceNat"):
        name = ("Lean", word)
        files.library[name] = "opaque"
        target = files.declare("target", value=files.use(name))
        assert files.axioms(target) == {"Lean.trustCompiler"}
    files.declared[name] = files.constant(name, "definition", value=files.use(("Nat",)))
    assert files.axioms(target) == set()


def test_axioms_are_found_in_types():
    files = Files()
    odd = files.declare("Odd", "axiom")
    helper = files.declare("helper", "opaque", type=files.use(odd))
    target = files.declare("target", value=files.use(helper))
    assert files.axioms(target) == {"Odd"}


def test_axioms_are_found_through_constructors_recursors_and_mutual_blocks():
    files = Files()
    made = files.declare("mk", "constructor", type=files.use(("propext",)), inductive=("T",))
    files.declare("T", "inductive", constructors=(made,), together=(("T",), ("U",)))
    files.declare("U", "inductive", type=files.use(("Quot", "sound")))
    rule = Rule(constructor=made, num_fields=0, value=files.use(SORRY))
    recursor = files.declare("rec", "recursor", rules=(rule,))
    assert files.axioms(("T",)) == {"propext", "Quot.sound"}
    assert files.axioms(recursor) == {"propext", "Quot.sound", "sorryAx"}


def test_axioms_are_found_behind_projections_and_applications():
    files = Files()
    add = files.terms.expressions.add
    files.declare("S", "inductive", type=files.use(SORRY))
    value = add(PROJECT, ("S",), 0, files.use(("Lean", "ofReduceBool")))
    target = files.declare("target", value=add(APPLY, files.prop, value))
    assert files.axioms(target) == {"sorryAx", "Lean.ofReduceBool"}


def test_a_target_that_is_an_axiom_rests_on_itself():
    files = Files()
    assert files.axioms(files.declare("target", "axiom")) == {"target"}


def test_the_name_of_a_standard_axiom_is_no_excuse():
    files = Files()
    for word in ("propext ", "Classical.choice"):
        target = files.declare("target", value=files.use(files.declare(word, "axiom")))
        found = axioms([target], files.declared, files.library.get, files.terms)
        assert not found & STANDARD_AXIOMS and found == {(word,)}


def test_a_declaration_of_the_file_goes_before_one_of_the_library():
    files = Files()
    files.declare("Nat", "axiom")
    target = files.declare("target", value=files.use(("Nat",)))
    assert files.axioms(target) == {"Nat"}


def test_a_name_declared_nowhere_is_told():
    files = Files()
    target = files.declare("target", value=files.use(("ghost",)))
    with pytest.raises(BadOlean, match="`ghost` is used, but declared nowhere"):
        files.axioms(target)
    with pytest.raises(BadOlean, match="`missing` is used"):
        files.axioms(("missing",))


def test_what_is_reached_is_declared_or_marked_as_not():
    files = Files()
    target = files.declare("target", value=files.use(("Nat",)))
    files.declare("unused", value=files.use(SORRY))
    found = reachable([target, target], files.declared, files.terms)
    assert found == {target: files.declared[target], ("Nat",): None}


def test_circles_end():
    files = Files()
    one, two = ("one",), ("two",)
    files.declare("one", value=files.use(two))
    files.declare("two", value=files.use(one), together=(one, two))
    assert files.axioms(one) == set()
