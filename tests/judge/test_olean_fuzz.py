"""Whatever a compiled file holds, reading it ends soon, in a result or in `BadOlean`."""

import resource
import time
from random import Random

import pytest
from compiled import PATHS, parts_of
from olean_writer import Writer, random_constants

from bise.judge import BadOlean, Module, Region, Terms, axioms, declaration_ranges
from bise.judge.extensions import csimp, extern, implemented_by, noncomputable, original_kinds
from bise.judge.region import BASE_AT

MAX_S, MAX_BYTES = 2.0, 1 << 30


def read_everything(parts: list[bytes]) -> Module:
    """All that a judge asks of a compiled file."""
    terms = Terms()
    module = Module(Region(parts), terms)
    declared = dict(module)
    for ask in (declaration_ranges, noncomputable, implemented_by, extern, csimp, original_kinds):
        ask(module)
    axioms(declared, declared, lambda _: "axiom", terms)
    return module


def mutated(file: bytes, rng: Random) -> bytes:
    """A file with a few faults: flipped bits, odd words, stray pointers, circles, a missing end."""
    image = bytearray(file)
    base = int.from_bytes(file[BASE_AT : BASE_AT + 4], "little")
    for _ in range(rng.choice((1, 1, 2, 8, 40))):
        at = rng.randrange(80, len(image) - 8) // 4 * 4
        match rng.randrange(7):
            case 0:
                image[rng.randrange(len(image))] ^= 1 << rng.randrange(8)
            case 1:
                image[at : at + 4] = rng.randbytes(4)
            case 2:
                other = rng.randrange(80, len(image) - 8) // 4 * 4
                image[at : at + 4] = image[other : other + 4]
            case 3:
                image[at : at + 4] = rng.choice((b"\0" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f"))
            case 4:
                del image[rng.randrange(96, len(image)) :]
                image += bytes(96)
            case 5:  # a pointer to itself, or to what comes later
                later = base + rng.randrange(at, len(image)) // 4 * 4
                image[at : at + 4] = (later & 0xFFFFFFFF).to_bytes(4, "little")
            case _:
                near = int.from_bytes(image[at : at + 4], "little") + 4 * rng.randrange(-9, 9)
                image[at : at + 4] = (near & 0xFFFFFFFF).to_bytes(4, "little")
    return bytes(image)


def sources() -> list[list[bytes]]:
    """Modules to spoil: written here in both word sizes, and compiled by Lean."""
    made = []
    for word in (4, 8):
        terms = Terms()
        made.append([Writer(terms, word).module(random_constants(Random(word), terms, 40))])
    assert PATHS, "files compiled by Lean belong into tests/judge/data"
    return made + [parts_of(path) for path in PATHS]


def fuzz(count: int, seed: int) -> tuple[int, int]:
    """How many spoiled modules were read, and how many refused."""
    rng, read, refused = Random(seed), 0, 0
    from_start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    modules = sources()
    for number in range(count):
        parts = list(modules[number % len(modules)])
        which = rng.randrange(len(parts))
        parts[which] = mutated(parts[which], rng)
        start = time.process_time()
        try:
            read_everything(parts)
            read += 1
        except BadOlean:
            refused += 1
        assert time.process_time() - start < MAX_S, f"module {number} of seed {seed} took long"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - from_start
    assert grown * 1024 < MAX_BYTES
    return read, refused


def test_the_modules_to_spoil_are_whole():
    for parts in sources():
        assert len(read_everything(parts)) > 0


def test_spoiled_modules_are_read_or_refused():
    read, refused = fuzz(400, seed=0)
    assert read > 20 and refused > 100


@pytest.mark.full
def test_ten_thousand_spoiled_modules_are_read_or_refused():
    read, refused = fuzz(10_000, seed=1)
    assert read > 500 and refused > 2500
