"""Whatever a submission's compiled file holds, the whole audit ends soon, in a verdict.

Files that Lean wrote for honest submissions are spoiled and judged. Most are refused as damaged or
as something else; of those that pass, a fresh kernel accepts only what says the same as before.
"""

import hashlib
import resource
import time
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest
from recorded import RecordedChecker, RecordedLean, request_of, submission_of
from test_olean_fuzz import MAX_BYTES, MAX_S, mutated

from bise.judge import (
    Constant,
    Module,
    Name,
    Region,
    Terms,
    Verdict,
    WasmLean,
    encode_module,
    reachable,
    verify,
)
from bise.judge.backend import Parts, Replayed
from bise.judge.challenge import read_challenge
from bise.judge.library import Library
from bise.judge.replay import in_order
from bise.judge.side import Side
from bise.judge.terms import APPLY, FORALL, LAMBDA, LET, NOTE, PROJECT

SPOILED = (
    "honest/hole_by_match",
    "honest/hole_by_recursion_with_proof",
    "honest/proof_gaps_closed",
    "honest/shapes",
    "honest/mutual",
    "honest/instance_hole",
)
REASONS = {
    *("bad_compiled_file", "imports_differ", "target_missing", "target_kind", "statement_differs"),
    *("fixed_missing", "fixed_changed", "hole_missing", "hole_kind", "hole_type", "run_time_code"),
    *("shadows_library", "not_computable", "forbidden_axiom", "unsafe_constant", "too_complex"),
}

BINDERS = (LAMBDA, FORALL, LET)
FIRST_PART = {APPLY: 1, LAMBDA: 2, FORALL: 2, LET: 2, PROJECT: 3}
"""Where the expressions within one begin."""


class SpoiledLean(RecordedLean):
    """Gives another compiled file for a submission; notes what a kernel would be shown."""

    def __init__(self, case: str, parts: Parts | None):
        self.source, self.parts, self.image = submission_of(case), parts, b""

    def compile(self, source, **more):
        made = super().compile(source, **more)
        return replace(made, parts=self.parts) if self.parts and source == self.source else made

    def checker(self, header, imports, **_):
        return Noting(self, header, imports)


class Noting(RecordedChecker):
    """Takes down what it is shown, and accepts it."""

    def __init__(self, lean: SpoiledLean, header, imports):
        self.lean, self.header, self.imports = lean, header, imports

    def replay(self, constants, terms):
        ordered = in_order(constants, terms)
        self.lean.image = encode_module(self.header, self.imports, ordered, terms)
        return super().replay(ordered, terms)


class KernelLean(SpoiledLean):
    """The same, with the installed Lean's library and kernel; remembers answers by content."""

    answers: dict[bytes, Replayed] = {}  # noqa: RUF012

    def library_parts(self, module):
        return WasmLean().library_parts(module)

    def checker(self, header, imports, **more):
        held = super().checker(header, imports)

        def ask(constants, terms):
            Noting.replay(held, constants, terms)
            key = hashlib.sha256(self.image).digest()
            if key not in self.answers:
                with WasmLean().checker(header, imports, **more) as checker:
                    self.answers[key] = checker.replay(constants, terms)
            return self.answers[key]

        held.replay = ask
        return held


def compiled(case: str) -> Parts:
    """What Lean made of a case's submission."""
    return RecordedLean().compile(submission_of(case)).parts


def spoiled(seed: int) -> Iterator[tuple[str, Parts]]:
    """Compiled files with a few faults, without end; which case each belongs to."""
    rng = Random(seed)
    while True:
        case = rng.choice(SPOILED)
        parts = list(compiled(case))
        which = rng.choice((len(parts) - 1, rng.randrange(len(parts))))
        parts[which] = mutated(parts[which], rng)
        yield case, tuple(parts)


def audit(case: str, parts: Parts) -> tuple[Verdict, bytes]:
    """All of the judge but the kernel; the verdict, and what a kernel would be shown."""
    lean = SpoiledLean(case, parts)
    verdict = verify(request_of(case), lambda: lean)
    assert verdict.verdict == "accepted" or verdict.verdict == "rejected", verdict.message
    assert not verdict.reason or verdict.reason in REASONS, (verdict.reason, verdict.message)
    return verdict, lean.image


def fuzz(count: int, seed: int) -> tuple[int, int]:
    """How many spoiled files passed the audit, and how many were refused."""
    passed, files = 0, spoiled(seed)
    from_start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(count):
        case, parts = next(files)
        start = time.process_time()
        passed += audit(case, parts)[0].is_accepted
        assert time.process_time() - start < MAX_S, f"file {number} of seed {seed} took long"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - from_start
    assert grown * 1024 < MAX_BYTES
    return passed, count - passed


def meanings(case: str, *files: Parts) -> list[dict[Name, Constant]]:
    """What targets, holes and all they reach are in some compiled files of a case."""
    lean, terms = RecordedLean(), Terms()
    ours = Module(Region(lean.compile(request_of(case).challenge).parts), terms)
    library = Library(lean.library_parts, ours.imports, terms)
    challenge = read_challenge(Side(ours, library, terms))
    roots = (*challenge.targets, *challenge.holes)
    found = [reachable(roots, Module(Region(parts), terms), terms) for parts in files]
    return [{name: bare(one, terms) for name, one in file.items() if one} for file in found]


def bare(constant: Constant, terms: Terms) -> Constant:
    """A declaration without names and kinds of binders, notes, and what only helps speed."""
    done: dict[int, int] = {}
    for number in sorted(terms.walk(*constant.expressions())):  # parts have lower numbers
        node, parts = list(terms.expressions[number]), [done[one] for one in terms.parts(number)]
        if node[0] == NOTE:
            done[number] = parts[0]
            continue
        if node[0] in BINDERS:
            node[1], node[-1] = (), 0
        if node[0] in FIRST_PART:
            node[FIRST_PART[node[0]] : FIRST_PART[node[0]] + len(parts)] = parts
        done[number] = terms.expressions.add(*node)
    return replace(
        constant,
        type=done[constant.type],
        value=None if constant.value is None else done[constant.value],
        rules=tuple(replace(rule, value=done[rule.value]) for rule in constant.rules),
        unfolding="opaque",
        together=(),
    )


def test_spoiled_files_are_audited():
    passed, refused = fuzz(120, seed=0)
    assert passed > 5 and refused > 30


def test_a_whole_file_passes_and_means_what_it_means():
    for case in SPOILED:
        verdict, image = audit(case, compiled(case))
        assert verdict.is_accepted and image
        one, other = meanings(case, compiled(case), compiled(case))
        assert one == other and len(one) > 2


@pytest.mark.full
@pytest.mark.parametrize("seed", range(1, 11))
def test_ten_thousand_spoiled_files_are_audited(seed):
    """A thousand for each seed."""
    passed, refused = fuzz(1_000, seed)
    assert passed > 50 and refused > 300


@pytest.mark.full
@pytest.mark.parametrize("seed", range(11, 15))
def test_a_kernel_accepts_of_two_hundred_that_pass_only_what_means_the_same(lean, seed):  # noqa: ARG001
    """Fifty for each seed. Files that a kernel is shown alike are put to it once."""
    files, passed, accepted = spoiled(seed), 0, 0
    while passed < 50:
        case, parts = next(files)
        if not audit(case, parts)[0].is_accepted:
            continue
        passed += 1
        kernel = KernelLean(case, parts)
        if verify(request_of(case), lambda kernel=kernel: kernel).is_accepted:
            accepted += 1
            one, other = meanings(case, compiled(case), parts)
            assert one == other, f"file {passed} of seed {seed}"
    assert accepted > 5
