"""Compiled files are read as they were written, in both word sizes."""

from pathlib import Path
from random import Random

import pytest
from olean_writer import Writer, random_constants, random_terms

from bise.errors import NotFound
from bise.judge import (
    BadOlean,
    Import,
    Module,
    Position,
    Range,
    Region,
    Replacement,
    Terms,
    csimp,
    declaration_ranges,
    extern,
    implemented_by,
    noncomputable,
    original_kinds,
    read_module,
    show_name,
)
from bise.judge.extensions import ORIGINAL_KINDS
from bise.judge.region import GRAIN
from bise.judge.terms import APPLY, CONSTANT, PROJECT, SORT, ZERO, Reader

BOTH = pytest.mark.parametrize("word", [4, 8])


def module_of(file: bytes, terms: Terms | None = None) -> Module:
    return Module(Region([file]), terms or Terms())


@BOTH
@pytest.mark.parametrize("seed", range(4))
def test_every_kind_of_declaration_survives_writing_and_reading(word: int, seed: int):
    terms = Terms()
    constants = random_constants(Random(seed), terms, 40)
    module = module_of(Writer(terms, word).module(constants), terms)
    assert list(module.values()) == constants
    assert [name in module for name in module] == [True] * len(constants)
    assert module.header.word_bytes == word and module.header.lean_version == "4.28.0-pre"
    assert module.is_module and module.extra_names() == {("extra", "_closed_1")}


@BOTH
def test_files_that_share_a_table_agree_about_equal_expressions(word: int):
    terms = Terms()
    first = random_constants(Random(1), terms, 24)
    size = len(terms.expressions)
    file = Writer(terms, word, base=3 * GRAIN).module(first[::-1])
    again = module_of(file, terms)
    assert [again[one.name].type for one in first] == [one.type for one in first]
    assert len(terms.expressions) == size


@BOTH
def test_imports_and_entries_of_extensions_are_read(word: int):
    writer = Writer(word=word)

    def pair(one, two) -> int:
        return writer.constructor(0, one, two)

    position = [pair(writer.number(line), writer.number(2)) for line in (3, 9)]
    whole = writer.constructor(0, position[0], 1, position[1], 1)
    f, g, lemma = (writer.name((one,)) for one in ("f", "g", "f_eq_g"))
    simp = writer.constructor(0, f, g, lemma)
    entries = [
        (("Lean", "declRangeExt"), [pair(f, pair(whole, whole))]),
        (("Lean", "noncomputableExt"), [g]),
        (("Lean", "Compiler", "implementedByAttr"), [pair(f, g)]),
        (("Lean", "externAttr"), [pair(g, 1)]),
        (
            ("Lean", "Compiler", "CSimp", "ext"),
            [writer.constructor(0, simp), writer.constructor(1, f, simp)],
        ),
        (ORIGINAL_KINDS[0], [pair(f, writer.number(1))]),
        (ORIGINAL_KINDS[1], [pair(g, writer.number(7))]),
    ]
    meta = Import(module=("Init", "Data"), is_all=True, is_exported=False, is_meta=True)
    module = module_of(writer.module([], [meta], entries))
    assert module.imports == (meta,)
    assert declaration_ranges(module) == {("f",): Range(Position(3, 2), Position(9, 2))}
    assert noncomputable(module) == {("g",)} == extern(module)
    assert implemented_by(module) == {("f",): ("g",)}
    assert original_kinds(module) == {("f",): "theorem", ("g",): "recursor"}
    assert csimp(module) == (Replacement(("f",), ("g",), ("f_eq_g",)),) * 2


def test_what_no_extension_noted_is_empty():
    module = module_of(Writer().module([]))
    assert not declaration_ranges(module) and not csimp(module) and not implemented_by(module)
    assert not noncomputable(module) and not extern(module) and not original_kinds(module)
    assert module.extensions() == ()


@BOTH
@pytest.mark.parametrize("uses_gmp", [False, True])
def test_numbers_of_any_size_and_texts_are_read(word: int, uses_gmp: bool):
    writer = Writer(word=word, uses_gmp=uses_gmp)
    numbers = [0, 1, (1 << 31) - 1, 1 << 31, 1 << 63, 1 << 64, 3**200]
    texts = ["", "x", "日本 \0 é", "y" * 3000]
    held = [writer.number(one) for one in numbers] + [writer.text(one) for one in texts]
    region = Region([writer.finish(writer.array(held))])
    found = region.array(region.roots[0])
    assert [region.number(one) for one in found[: len(numbers)]] == numbers
    assert [region.text(one) for one in found[len(numbers) :]] == texts


@BOTH
def test_a_base_address_near_the_top_wraps_around(word: int):
    terms = Terms()
    constants = random_constants(Random(2), terms, 400)
    base = (1 << 8 * word) - GRAIN
    file = Writer(terms, word, base=base).module(constants)
    assert len(file) > GRAIN
    assert list(module_of(file, terms).values()) == constants


@BOTH
def test_the_parts_of_a_module_share_their_objects(word: int):
    terms = Terms()
    constants = random_constants(Random(3), terms, 30)
    whole = Writer(terms, word)
    public = whole.module(constants[:8])
    whole.image += bytes(-len(whole.image) % GRAIN)
    start = len(whole.image)
    whole.image += public[:80] + whole.pack(whole.base + start, 0)
    root = whole.constructor(
        0,
        whole.array([]),
        whole.array([whole.name(one.name) for one in constants]),
        whole.array([whole.constant(one) for one in constants]),
        whole.array([]),
        whole.array([]),
        scalars=b"\1",
    )
    whole.image[start + 80 + word : start + 80 + 2 * word] = whole.pack(root)
    private = bytes(whole.image[start:])
    assert list(Module(Region([public, private]), terms).values()) == constants
    with pytest.raises(BadOlean, match="points forward"):
        list(Module(Region([private]), Terms()).values())
    with pytest.raises(BadOlean, match="do not follow each other"):
        Region([public, private[:80] + whole.pack(whole.base) + private[80 + word :]])


def test_a_tree_too_large_to_write_out_costs_no_more_than_its_file():
    terms = Terms()
    number = terms.expressions.add(SORT, terms.levels.add(ZERO))
    level = terms.levels.add(ZERO)
    for _ in range(5000):
        number = terms.expressions.add(APPLY, number, number)
    for _ in range(300):
        level = terms.levels.add(2, level, level)
    writer = Writer(terms)
    file = writer.finish(writer.array([writer.expression(number), writer.level(level)]))
    region, again = Region([file]), Terms()
    reader = Reader(region, again)
    top, deep = region.array(region.roots[0])
    assert reader.expression(top) == len(again.expressions) - 1 == 5000
    assert reader.level(deep) == len(again.levels) - 1 == 300
    assert len(list(again.walk(5000))) == 5001


def test_walking_finds_constants_and_structures_once():
    terms = Terms()
    add = terms.expressions.add
    one = add(CONSTANT, ("List", "map"), ())
    two = add(PROJECT, ("Prod",), 0, add(APPLY, one, one))
    assert terms.constants(two, one) == {("List", "map"), ("Prod",)}
    assert sorted(terms.walk(two, two)) == [one, one + 1, two]


def test_equal_words_are_one_name_and_dots_are_no_borders():
    terms = Terms()
    writer = Writer()
    held = [writer.name(one) for one in (("a", "b"), ("a.b",), ("a", 1), ("a", "1"))]
    region = Region([writer.finish(writer.array(held))])
    reader = Reader(region, terms)
    names = [reader.name(one) for one in region.array(region.roots[0])]
    assert len(set(names)) == 4
    assert list(map(show_name, names)) == ["a.b", "«a.b»", "a.1", "a.«1»"]


def test_names_for_people():
    shown = {
        (): "[anonymous]",
        ("Nat", "rec"): "Nat.rec",
        ("f'", "_proof_1"): "f'._proof_1",
        ("get!", "x?"): "get!.x?",
        ("odd word",): "«odd word»",
        ("α₁",): "α₁",
    }
    assert {name: show_name(name) for name in shown} == shown


def test_random_terms_have_every_form():
    terms = Terms()
    found = random_terms(Random(0), terms, 400)
    assert {terms.expressions[one][0] for one in found} == set(range(12)) - {1, 2}


def test_files_are_read_with_what_lies_beside_them(tmp_path: Path):
    terms = Terms()
    constants = random_constants(Random(4), terms, 16)
    path = tmp_path / "A.olean"
    path.write_bytes(Writer(terms).module(constants))
    assert list(read_module(path, terms).values()) == constants
    with pytest.raises(NotFound, match=r"no compiled file .*B\.olean"):
        read_module(tmp_path / "B.olean", terms)
    with pytest.raises(BadOlean, match="larger than 1,000 bytes"):
        read_module(path, terms, max_bytes=1000)
