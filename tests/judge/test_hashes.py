"""The words that Lean caches are computed as Lean does, and what is written anew reads the same."""

from random import Random

import pytest
from compiled import PATHS, parts_of
from olean_writer import Writer, random_constants, random_terms

from bise.judge import BadOlean, Module, Region, Terms, encode_module
from bise.judge.hashes import Hashes, mix, text_hash
from bise.judge.terms import BOUND, FORALL, LAMBDA, LET, LITERAL


def cached(region: Region, address: int) -> int:
    """The eight bytes behind the fields of a name, a level or an expression."""
    return int.from_bytes(region.constructor(address).scalars[:8], "little")


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_cached_word_of_a_file_that_lean_wrote_is_the_one_we_compute(path):
    terms = Terms()
    module = Module(Region(parts_of(path)), terms)
    list(module.values())
    reader, hashes = module.reader, Hashes(terms)
    seen = 0
    for found, hashed in (
        (reader.names_at, hashes.name),
        (reader.levels_at, hashes.level),
        (reader.expressions_at, hashes.expression),
    ):
        for address, one in found.items():
            if not address & 1:
                assert cached(module.region, address) == hashed(one)
                seen += 1
    assert seen > 300


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_what_lean_wrote_and_we_write_anew_reads_the_same(path):
    terms = Terms()
    module = Module(Region(parts_of(path)), terms)
    constants = list(module.values())
    size = len(terms.expressions)
    file = encode_module(module.header, module.imports, constants, terms)
    again = Module(Region([file]), terms)
    assert list(again.values()) == constants and len(terms.expressions) == size
    assert again.imports == module.imports and again.header == module.header
    assert again.extensions() == () == tuple(again.extra_names())


@pytest.mark.parametrize("word", [4, 8])
def test_words_of_random_terms_are_read_back(word):
    terms = Terms()
    some = random_terms(Random(5), terms, 300)
    writer = Writer(terms, word)
    file = writer.finish(writer.array([writer.expression(one) for one in some]))
    region, hashes = Region([file]), Hashes(terms)
    for address, one in zip(region.array(region.roots[0]), some, strict=True):
        assert cached(region, address) == hashes.expression(one)


COLLIDE = (LAMBDA, FORALL, LET, LITERAL)
"""Lean's hashes leave out binder names and kinds, and what a number has beyond 64 bits."""


def test_hashes_differ_where_terms_do():
    terms = Terms()
    hashes = Hashes(terms)
    some = set(random_terms(Random(6), terms, 400))
    low = {hashes.expression(one) for one in some if terms.expressions[one][0] not in COLLIDE}
    assert len(low) == sum(terms.expressions[one][0] not in COLLIDE for one in some)
    assert len({hashes.name(name) for name in (("a", "b"), ("a.b",), ("b", "a"), ("a", 0))}) == 4
    assert text_hash("") != text_hash("\0") and mix(1, 2) != mix(2, 1)


def test_terms_that_lean_could_not_hold_are_refused():
    for make in (
        lambda terms: terms.expressions.add(BOUND, 1 << 20),
        lambda terms: terms.expressions.add(LITERAL, 1 << 600_000),
    ):
        terms = Terms()
        writer = Writer(terms)
        number = make(terms)
        with pytest.raises(BadOlean, match=r"too deep|more than Lean"):
            writer.expression(number)


def test_a_module_written_anew_keeps_its_order():
    terms = Terms()
    constants = random_constants(Random(7), terms, 24)
    header = Writer(terms, 8)
    file = header.module(constants)
    module = Module(Region([file]), terms)
    assert list(Module(Region([encode_module(module.header, (), constants, terms)]), terms)) == [
        one.name for one in constants
    ]
