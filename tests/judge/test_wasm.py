"""The embedded Lean compiles in its sandbox, and a fresh kernel says yes and no.

Needs the Lean of `bise prove setup`; each test with a process takes a few seconds.
"""

from dataclasses import replace

import pytest

from bise.judge.backend import Compiled, NeedsNative
from bise.judge.extensions import Position
from bise.judge.olean import Module
from bise.judge.region import BadOlean, Region
from bise.judge.sandbox import Limits
from bise.judge.terms import Terms

SOURCE = """import Init
-- a comment
inductive Tree where
  | leaf : Tree
  | node : List Tree → Tree

def size : Tree → Nat
  | .leaf => 1
  | .node _ => 2

structure Pair (α : Type) where
  one : α
  other : α

theorem size_pos (t : Tree) : 0 < size t := by
  cases t <;> simp [size]

theorem two_sizes (p : Pair Tree) : 0 < size p.one + size p.other := by
  have := size_pos p.one; omega

theorem open_end : 1 + 1 = 2 := by
  sorry
theorem wrong : 1 = 1 ∧ True := ⟨rfl, trivial⟩
partial def forever (n : Nat) : Nat := forever (n + 1)
"""


@pytest.fixture(scope="module")
def compiled(lean) -> Compiled:
    return lean.compile(SOURCE)


@pytest.fixture
def module(compiled) -> Module:
    return Module(Region(compiled.parts), Terms())


def test_a_file_is_compiled(compiled, module):
    assert compiled.is_done, compiled
    assert len(compiled.parts) == 3
    (warning,) = compiled.messages
    assert warning.kind == "hasSorry" and warning.severity == "warning"
    assert warning.start == Position(21, 8), "the line put in behind the header is not counted"
    assert compiled.cpu_s > 0.5
    assert any(name[-1] == "two_sizes" for name in module)
    assert module.imports[0].module == ("Init",)


def test_a_fresh_kernel_takes_what_is_true(lean, module):
    said = lean.replay(module.header, module.imports, module.values(), module.reader.terms)
    assert said.is_accepted, said
    assert said.cpu_s > 0.5 and said.end == "exited"


def forged(module, name, **changes):
    """All declarations, one of them changed."""
    return [replace(one, **changes) if one.name[-1] == name else one for one in module.values()]


@pytest.mark.slow
def test_a_fresh_kernel_refuses_what_is_false(lean, module):
    terms = module.reader.terms
    by_word = {str(name[-1]): one for name, one in module.items()}
    false = next((expression for one in module.values() for expression in one.expressions()), None)
    assert false is not None
    with lean.checker(module.header, module.imports) as checker:
        lie = forged(module, "wrong", value=by_word["open_end"].value)
        said = checker.replay(lie, terms)
    assert not said.is_accepted and "the kernel refuses" in said.fault and "wrong" in said.fault
    own = replace(by_word["wrong"], kind="axiom", value=None)
    said = lean.replay(module.header, module.imports, [own], terms)
    assert said.fault.endswith("wrong` is an axiom")


@pytest.mark.slow
def test_types_that_the_kernel_would_make_otherwise_are_told(lean, module):
    terms = module.reader.terms
    changed = forged(module, "Tree", flags=(False, True))
    said = lean.replay(module.header, module.imports, changed, terms)
    assert not said.is_accepted and "is not what the kernel makes of its type" in said.fault
    recursor = next(one for one in module.values() if one.kind == "recursor")
    changed = [replace(one, rules=()) if one is recursor else one for one in module.values()]
    said = lean.replay(module.header, module.imports, changed, terms)
    assert not said.is_accepted and "is not what the kernel makes of its type" in said.fault


def test_a_block_that_is_not_whole_is_refused_before_anything_runs(lean, module):
    less = [one for one in module.values() if one.name[-1] != "leaf"]
    with pytest.raises(BadOlean, match=r"the block of `.*Tree` is not whole"):
        lean.replay(module.header, module.imports, less, module.reader.terms)


def test_a_module_that_is_nowhere_is_told_before_anything_runs(lean):
    with pytest.raises(NeedsNative, match=r"`Mathlib\.Data\.Nat` is not among the modules"):
        lean.compile("import Mathlib.Data.Nat")
    assert lean.has_module(("Std", "Data", "HashMap")) and lean.has_module(("Lean", "Elab"))
    for odd in ((), ("..", "x"), ("Init", "../../x"), ("Init", 1), ("",)):
        assert not lean.has_module(odd)


@pytest.mark.slow
def test_a_file_imports_another_one(lean):
    first = lean.compile(
        "@[expose] public section\ndef one : Nat := 1\ntheorem one_eq : one = 1 := rfl",
        module=("Some", "First"),
    )
    assert first.is_done, first
    second = lean.compile(
        "import Some.First\ntheorem t : one + one = 2 := by simp [one_eq]",
        dependencies={("Some", "First"): first.parts},
    )
    assert second.is_done, second
    module = Module(Region(second.parts), Terms())
    said = lean.replay(
        module.header, module.imports, module.values(), module.reader.terms,
        dependencies={("Some", "First"): first.parts},
    )  # fmt: skip
    assert said.is_accepted, said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "limits", "end"),
    [
        ("partial def f (n : Nat) : Nat := f (n + 1)\n#eval f 0", {"cpu_s": 12}, "cpu"),
        ("#eval (IO.Process.exit 0 : IO Unit)", {}, "exited"),
        (
            'partial def p : IO Unit := do IO.println "x"; p\n#eval p',
            {"cpu_s": 12, "wall_s": 300},
            "cpu",
        ),
    ],
)
def test_hostile_files_come_to_an_end(lean, source, limits, end):
    made = lean.compile(source, limits=Limits(**limits, output_bytes=1 << 20))
    assert made.parts == () and not made.is_done
    assert made.end == end


def test_errors_have_places(lean):
    made = lean.compile("theorem x : 1 = 2 := rfl\n#check nothing")
    assert made.parts == () and made.status == 1 and made.note == ""
    assert {one.start.line for one in made.messages if one.severity == "error"} == {1, 2}


def test_who_answered_is_told(lean):
    identity = lean.identity
    assert identity.backend == "wasm" and "4.28.0" in identity.version
    assert len(identity.library) == 64
