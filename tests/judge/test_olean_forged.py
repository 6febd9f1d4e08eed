"""Forged and damaged compiled files end in one kind of error, soon."""

import struct
import time
from collections.abc import Callable
from random import Random

import pytest
from olean_writer import Writer, random_constants

from bise.judge import BadOlean, Module, Region, Terms
from bise.judge.encode import NOTHING
from bise.judge.region import ARRAY, BIG_NUMBER, STRING
from bise.judge.terms import BOUND, MAX_NAME_WORDS, Reader

BOTH = pytest.mark.parametrize("word", [4, 8])


def read_all(file: bytes) -> Module:
    """Decode everything a module has."""
    module = Module(Region([file]), Terms())
    list(module.values())
    module.extra_names()
    return module


def reader_of(writer: Writer, root: int) -> tuple[Reader, int]:
    region = Region([writer.finish(root)])
    return Reader(region, Terms()), region.roots[0]


def honest(word: int) -> bytes:
    terms = Terms()
    return Writer(terms, word).module(random_constants(Random(0), terms, 16))


@BOTH
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda _: b"", "does not begin with `olean`"),
        (lambda file: b"ELF" + file, "does not begin with `olean`"),
        (lambda file: file[:60], "ends after 60 bytes, within its header"),
        (lambda file: file[:5] + b"\1" + file[6:], "version 1, expected 2"),
        (lambda file: file[:80] + bytes(16) + file[96:], "root does not point into it"),
        (lambda file: file[: len(file) // 2], "root does not point into it"),
    ],
)
def test_a_damaged_header_is_told(word: int, damage: Callable[[bytes], bytes], words: str):
    with pytest.raises(BadOlean, match=words):
        Region([damage(honest(word))])


def test_no_parts_and_too_large_parts_are_refused():
    with pytest.raises(BadOlean, match="without files"):
        Region([])
    with pytest.raises(BadOlean, match="larger than 100 bytes"):
        Region([honest(4)], max_bytes=100)
    with pytest.raises(BadOlean, match="written by different programs"):
        Region([honest(4), honest(4).replace(b"0123abcd", b"4567abcd")])
    with pytest.raises(BadOlean, match="ends after 80 bytes"):
        Region([honest(8), honest(8)[:80]])


@BOTH
def test_a_pointer_to_itself_is_refused(word: int):
    writer = Writer(word=word)
    own = writer.base + len(writer.image)
    reader, root = reader_of(writer, writer.constructor(5, own, own, scalars=bytes(8)))
    with pytest.raises(BadOlean, match="points forward"):
        reader.expression(root)


@BOTH
def test_a_pointer_to_a_later_object_is_refused(word: int):
    writer = Writer(word=word)
    later = writer.base + len(writer.image) + 24
    writer.constructor(1, later, scalars=bytes(8))
    root = writer.constructor(1, writer.name(("x",)), scalars=bytes(8))
    region = Region([writer.finish(root)])
    with pytest.raises(BadOlean, match="points forward"):
        region.constructor(writer.base + 80 + 2 * word)


@BOTH
@pytest.mark.parametrize("where", [-8, 1 << 20, 84])
def test_a_pointer_out_of_the_file_or_into_its_header_is_refused(word: int, where: int):
    writer = Writer(word=word)
    target = (writer.base + where) // word * word
    if where == 84:
        target = writer.base + 72
    region = Region([writer.finish(writer.array([]))])
    with pytest.raises(BadOlean, match="points outside"):
        region.constructor(target)


def test_an_odd_place_is_refused():
    region = Region([honest(8)])
    with pytest.raises(BadOlean, match="points outside"):
        region.constructor(region.header.base + 100)


@BOTH
def test_sizes_that_reach_out_of_the_file_are_refused(word: int):
    for tag, read in ((ARRAY, "array"), (STRING, "text"), (BIG_NUMBER, "number")):
        writer = Writer(word=word)
        huge = 1 << (8 * word - 3)
        root = writer.add(tag, 0, 1, writer.pack(huge, huge, huge) + b"abc\0")
        region = Region([writer.finish(root)])
        with pytest.raises(BadOlean, match="out of its file"):
            getattr(region, read)(region.roots[0])


@BOTH
def test_an_object_without_room_for_its_fields_is_refused(word: int):
    for size, fields in ((8, 1), (8 + 3 * word, 4), (60_000, 2)):
        writer = Writer(word=word)
        root = writer.add(0, fields, size, writer.pack(1, 1, 1))
        region = Region([writer.finish(root)])
        with pytest.raises(BadOlean, match=f"no room for its {fields} fields"):
            region.constructor(region.roots[0])


def test_texts_must_be_what_they_say():
    for body, words in (
        (b"\xff\0", "no UTF-8"),
        (b"\xed\xa0\x80\0", "no UTF-8"),
        (b"ab", "does not end"),
        (b"abc\0", "has 3 letters, not 1"),
    ):
        writer = Writer()
        root = writer.add(STRING, 0, 1, writer.pack(len(body), len(body), 1) + body)
        region = Region([writer.finish(root)])
        with pytest.raises(BadOlean, match=words):
            region.text(region.roots[0])


def test_a_negative_number_is_refused():
    for uses_gmp, head in ((False, (1, 1, 0)), (True, (1, -1, 0))):
        writer = Writer(uses_gmp=uses_gmp)
        root = writer.add(BIG_NUMBER, 0, 1, writer.pack(*head) + bytes(8))
        region = Region([writer.finish(root)])
        with pytest.raises(BadOlean, match="negative"):
            region.number(region.roots[0])


def test_the_wrong_kind_of_object_is_told():
    writer = Writer()
    text, array = writer.text("x"), writer.array([])
    number = writer.number(1 << 40)
    region = Region([writer.finish(writer.array([text, array, number]))])
    for read, address in (
        (region.number, text),
        (region.text, array),
        (region.array, number),
        (region.constructor, text),
    ):
        with pytest.raises(BadOlean, match=r"expected an? "):
            read(address)


@pytest.mark.parametrize(
    ("make", "read"),
    [
        (lambda w: w.constructor(12, scalars=bytes(8)), "expression"),
        (lambda w: w.constructor(5, 1, scalars=bytes(8)), "expression"),
        (lambda w: w.constructor(0, 3), "expression"),
        (lambda w: w.constructor(9, w.constructor(2, 3), scalars=bytes(8)), "expression"),
        (lambda w: w.constructor(3, w.constructor(6, 1), scalars=bytes(8)), "expression"),
        (lambda w: w.constructor(1, 3, scalars=bytes(8)), "level"),
        (lambda w: w.constructor(3, 1, w.text("x")), "name"),
        (lambda w: w.constructor(1, 3, w.text("x")), "name"),
        (lambda w: w.constructor(1, 1, 3), "names"),
        (lambda w: w.constructor(1, w.name(("x",)), 3), "names"),
    ],
)
def test_shapes_that_nothing_has_are_refused(make: Callable[[Writer], int], read: str):
    writer = Writer()
    reader, root = reader_of(writer, make(writer))
    with pytest.raises(BadOlean):
        getattr(reader, read)(root)


def test_a_binder_of_an_unknown_kind_is_refused():
    writer = Writer()
    sort = writer.constructor(3, 1, scalars=bytes(8))
    for tag, count in ((6, 2), (7, 2), (8, 3)):
        root = writer.constructor(tag, 1, *[sort] * count, scalars=bytes(8) + b"\4")
        reader, root = reader_of(writer, root)
        with pytest.raises(BadOlean, match="neither a binder's kind nor a flag"):
            reader.expression(root)


def test_a_name_listed_for_another_declaration_is_refused():
    terms = Terms()
    one, two = random_constants(Random(0), terms, 2)
    writer = Writer(terms)
    names = writer.array([writer.name(two.name)])
    constants = writer.array([writer.constant(one)])
    empty = writer.array([])
    root = writer.constructor(0, empty, names, constants, empty, empty, scalars=b"\0")
    with pytest.raises(BadOlean, match="is listed, but is"):
        read_all(writer.finish(root))


def test_lists_of_names_must_fit_their_declarations():
    terms = Terms()
    one, two = random_constants(Random(0), terms, 2)
    with pytest.raises(BadOlean, match="declares a name twice"):
        read_all(Writer(terms).module([one, one]))
    writer = Writer(terms)
    names, empty = writer.array([writer.name(two.name)]), writer.array([])
    root = writer.constructor(0, empty, names, empty, empty, empty, scalars=b"\0")
    with pytest.raises(BadOlean, match="lists 1 names for 0 declarations"):
        read_all(writer.finish(root))


def test_names_that_count_too_far_and_long_complaints_are_cut_short():
    writer = Writer()
    number = writer.number(10**6000)
    reader, root = reader_of(writer, writer.constructor(2, 1, number, scalars=bytes(8)))
    with pytest.raises(BadOlean, match="a number of 19,932 bits"):
        reader.name(root)
    assert len(BadOlean("x" * 10_000).message) < 500


def test_a_long_word_in_many_names_is_paid_for():
    writer = Writer()
    name, word = NOTHING, writer.text("x" * 100_000)
    for _ in range(MAX_NAME_WORDS):
        name = writer.constructor(1, name, word, scalars=bytes(8))
    reader, root = reader_of(writer, name)
    with pytest.raises(BadOlean, match="more work than its size"):
        reader.name(root)


def test_variables_that_are_bound_too_far_away_are_refused():
    """A number of a megabyte would be counted down by one at each binder around it."""
    for number, is_fine in ((1 << 19, True), (1 << 20, False), (1 << 4_000, False)):
        writer = Writer()
        made = writer.constructor(BOUND, writer.number(number), scalars=bytes(8))
        reader, root = reader_of(writer, made)
        if is_fine:
            reader.expression(root)
        else:
            with pytest.raises(BadOlean, match="further away"):
                reader.expression(root)


def test_deep_names_are_refused():
    writer = Writer()
    name = NOTHING
    for _ in range(MAX_NAME_WORDS + 1):
        name = writer.constructor(1, name, writer.text("x"), scalars=bytes(8))
    reader, root = reader_of(writer, name)
    with pytest.raises(BadOlean, match=f"more than {MAX_NAME_WORDS} words"):
        reader.name(root)


def test_overlapping_objects_are_paid_for():
    """Ten thousand lists that are ends of one list, as many arrays within each other."""
    writer = Writer()
    cell, cells = NOTHING, []
    for _ in range(10_000):
        cell = writer.constructor(1, NOTHING, cell)
        cells.append(cell)
    reader, root = reader_of(writer, writer.array(cells))
    start = time.process_time()
    with pytest.raises(BadOlean, match="more work than its size"):
        for one in reader.region.array(root):
            reader.names(one)
    assert time.process_time() - start < 2

    writer = Writer()
    starts = []
    for number in range(10_000):
        starts.append(writer.base + len(writer.image))
        left = max(1, 4 * (10_000 - number) - 5)  # to the end; odd, as both header words are
        writer.image += struct.pack("<IHBB", 1, 1, 0, ARRAY) + writer.pack(left, left)
    region = Region([writer.finish(writer.array([1] * 40_000))])
    with pytest.raises(BadOlean, match="more work"):
        for one in starts:
            region.array(one)
