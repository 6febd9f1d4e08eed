"""What Lean wrote is read as it was meant."""

from compiled import DATA

from bise.judge import (
    STANDARD_AXIOMS,
    Constant,
    Import,
    Module,
    Name,
    Replacement,
    Terms,
    axioms,
    csimp,
    declaration_ranges,
    extern,
    implemented_by,
    noncomputable,
    original_kinds,
    read_module,
    show_name,
)
from bise.judge.constants import Kind
from bise.judge.terms import CONSTANT, FORALL, LITERAL, SORT


def classical() -> tuple[Module, Terms]:
    terms = Terms()
    return read_module(DATA / "Classical.olean", terms), terms


def test_the_header_names_the_lean_that_wrote_the_file():
    header = classical()[0].header
    assert header.lean_version == "4.28.0-pre" and header.word_bytes == 4
    assert header.commit == "38f3c0c45b8df6da2652faff6dcaa15afb5a6981" and not header.uses_gmp


def test_imports_have_their_flags():
    module, _ = classical()
    assert module.is_module
    assert all(isinstance(one, Import) and one.module[0] == "Init" for one in module.imports)
    assert any(one.is_exported for one in module.imports)


def test_the_statement_of_excluded_middle_is_there():
    """`theorem Classical.em (p : Prop) : p ∨ ¬p`"""
    module, terms = classical()
    found: Constant = module[("Classical", "em")]
    tag, name, kind, body, binder = terms.expressions[found.type]
    assert (tag, name, binder, found.universes) == (FORALL, ("p",), 0, ())
    assert terms.expressions[kind][0] == SORT
    assert terms.constants(body) == {("Or",), ("Not",)}


def test_theorems_are_told_from_axioms_after_export():
    module, _ = classical()
    kinds = original_kinds(module)
    looks_like = {name for name in module if module[name].kind == "axiom"}
    assert ("Classical", "em") in looks_like and len(looks_like) > 30
    assert {name for name in looks_like if kinds.get(name) != "theorem"} == set()


def test_noncomputable_definitions_are_known():
    names = set(map(show_name, noncomputable(classical()[0])))
    assert {"Classical.choose", "Classical.propDecidable"} <= names


def test_definitions_rest_on_the_axiom_of_choice():
    module, terms = classical()
    kinds = original_kinds(module)
    declared = {name: module[name] for name in module if kinds.get(name) != "theorem"}
    known = {("Classical", "choice"): "axiom"}
    names = ("Classical", "indefiniteDescription"), ("Classical", "choose")
    for name in names:
        found = axioms([name], declared, lambda one: known.get(one, "theorem"), terms)
        assert found == {("Classical", "choice")}


def test_every_constant_an_expression_names_is_a_name():
    module, terms = classical()
    for constant in module.values():
        for number in terms.walk(*constant.expressions()):
            node = terms.expressions[number]
            assert node[0] != CONSTANT or all(isinstance(word, str | int) for word in node[1])


def sample() -> tuple[Module, Terms]:
    terms = Terms()
    return read_module(DATA / "Sample.olean", terms), terms


def kind_in_library(name: Name) -> Kind:
    """As what `Init` declares the constants that the sample uses."""
    return "axiom" if name in STANDARD_AXIOMS or name == ("sorryAx",) else "theorem"


def test_every_kind_of_declaration_is_told_apart():
    module, _ = sample()
    kinds = {
        "axiom": ["trusted"],
        "definition": ["double", "half", "danger", "instInhabitedPoint"],
        "theorem": ["has_gap", "em_again", "double_eq_twice"],
        "opaque": ["hidden", "foreign", "forever"],
        "inductive": ["Tree", "Point", "Even", "Odd", "Rose"],
    }
    for kind, words in kinds.items():
        assert {module[(word,)].kind for word in words} == {kind}
    assert module[("Tree", "node")].kind == "constructor"
    assert module[("Tree", "rec")].kind == "recursor"
    assert module[("danger",)].safety == "unsafe" and module[("half",)].safety == "safe"


def test_inductive_types_know_their_parts():
    module, _ = sample()
    tree, node, even = module[("Tree",)], module[("Tree", "node")], module[("Even",)]
    assert tree.constructors == (("Tree", "leaf"), ("Tree", "node"))
    assert tree.universes == (("u",),) and tree.counts == (1, 0, 0) and tree.flags == (True, False)
    assert node.inductive == ("Tree",) and node.counts == (1, 1, 3)
    assert even.together == (("Even",), ("Odd",)) and even.counts == (0, 1, 0)
    assert module[("Rose",)].counts == (0, 0, 1)
    rules = module[("Tree", "rec")].rules
    assert [(rule.constructor[-1], rule.num_fields) for rule in rules] == [("leaf", 0), ("node", 3)]


def test_what_runs_as_something_else_is_known():
    module, _ = sample()
    assert noncomputable(module) == {("chosen",)} and extern(module) == {("foreign",)}
    assert implemented_by(module) == {("slow",): ("twice",)}
    assert csimp(module) == (Replacement(("double",), ("twice",), ("double_eq_twice",)),)


def test_declarations_stand_where_they_were_written():
    module, _ = sample()
    lines = (DATA / "Sample.lean").read_text().splitlines()
    ranges = declaration_ranges(module)
    for name, words in {
        ("Tree",): "inductive Tree",
        ("double",): "def double",
        ("has_gap",): "theorem has_gap",
        ("Tree", "node"): "  | node",
    }.items():
        start = ranges[name].start
        assert lines[start.line - 1].startswith(words)
        assert start.column == len(words) - len(words.lstrip())
    assert ranges[("rec_lemma",)].holds(ranges[("rec_lemma", "aux")])
    assert not ranges[("has_gap",)].holds(ranges[("has_gap",)])
    assert ("Tree", "rec") not in ranges


def test_gaps_and_axioms_are_found_from_what_rests_on_them():
    module, terms = sample()
    for word, wanted in {
        "has_gap": {("sorryAx",)},
        "uses_gap": {("sorryAx",)},
        "rests_on_it": {("trusted",)},
        "chosen": {("Classical", "choice")},
        "decided": set(),
        "open_secret": set(),
    }.items():
        assert axioms([(word,)], module, kind_in_library, terms) == wanted


def test_the_exported_part_alone_holds_no_proofs():
    terms = Terms()
    module = read_module(DATA / "Sample.olean", terms, with_private=False)
    whole = read_module(DATA / "Sample.olean", terms)
    assert module[("has_gap",)].kind == "axiom" and whole[("has_gap",)].kind == "theorem"
    assert original_kinds(module)[("has_gap",)] == "theorem"
    assert module[("has_gap",)].type == whole[("has_gap",)].type
    assert len(module) < len(whole)


def test_numbers_and_texts_of_a_program_are_read():
    module, terms = sample()
    found = set()
    for word in ("large", "letter"):
        constant = module[(word,)]
        for number in terms.walk(*constant.expressions()):
            if terms.expressions[number][0] == LITERAL:
                found.add(terms.expressions[number][1])
    assert {2, 70, 2**70, "hé\n", 3} <= found
