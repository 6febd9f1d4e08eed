"""The problems that ship: index and files agree, and each has a proof that does not ship."""

import fnmatch
import json
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import bise
from bise.prove.problems import CORE, EXAMPLES, load_problems
from bise.prove.refute import statement_of
from bise.prove.source import Source

ROOT = Path(__file__).parents[2]
PROOFS = Path(__file__).parent / "proofs"
INDEX: list[dict[str, Any]] = json.loads((CORE / "index.json").read_text())["problems"]
NAMES = [one["id"] for one in INDEX]
AXIOMS = ["propext", "Classical.choice", "Quot.sound"]
TELLING_CHARS = 60
"""A piece of proof this long is no accident where it is found."""


@cache
def challenge(name: str) -> str:
    return (CORE / f"{name}.lean").read_text(encoding="utf-8")


@cache
def proof(name: str) -> str:
    return (PROOFS / f"{name}.lean").read_text(encoding="utf-8")


def spaced(text: str) -> str:
    """A text without what documents it, whose white space does not matter."""
    return " ".join(re.sub(r"/--.*?-/", "", text, flags=re.DOTALL).split())


def declared(source: Source) -> dict[str, str]:
    """What a file declares: kinds by full names."""
    kinds = ("theorem", "def", "abbrev", "inductive", "structure")
    return {source.qualified(one): one.kind for one in source.declarations if one.kind in kinds}


def open_names(source: Source) -> set[str]:
    """Declarations with a gap, by full names."""
    found = (source.declaration_at(gap.start) for gap in source.gaps)
    return {source.qualified(one) for one in found if one is not None}


def stated(text: str) -> list[str]:
    """Pieces of a challenge that a proof has to repeat, one after another."""
    source = Source(text)
    pieces, start = [], 0
    for one in source.declarations:
        pieces.append(text[start : one.start])
        start = one.start
    pieces.append(text[start:])
    return [re.sub(r":= (by )?sorry$", ":=", spaced(piece)) for piece in pieces if piece.strip()]


def test_there_are_eighty_problems_eight_repairs_and_eight_disproofs():
    kinds = [one["kind"] for one in INDEX]
    assert kinds.count("prove") + kinds.count("implement+prove") == 80
    assert (kinds.count("repair"), kinds.count("disprove")) == (8, 8)
    assert len(kinds) == 96


def test_the_index_has_the_files_each_once():
    assert len(set(NAMES)) == len(NAMES)
    files = {path.name for path in CORE.glob("*.lean") if not path.name.endswith(EXAMPLES)}
    assert {one["file"] for one in INDEX} == files
    assert all(one["file"] == f"{one['id']}.lean" for one in INDEX)
    assert [one["level"] for one in INDEX] == sorted(one["level"] for one in INDEX)
    assert {one.name for one in load_problems()} == set(NAMES)


@pytest.mark.parametrize("entry", INDEX, ids=NAMES)
def test_an_entry_says_what_its_file_has(entry):
    source = Source(challenge(entry["id"]))
    names = declared(source)
    targets, holes, fixed = (entry[key] for key in ("theorems", "definition_holes", "fixed"))
    assert source.gaps and targets
    assert open_names(source) == {*targets, *holes}
    assert set(names) == {*targets, *holes, *fixed}
    assert {name for name, kind in names.items() if kind == "theorem"} == set(targets)
    assert bool(holes) == (entry["kind"] == "implement+prove")
    assert entry["permitted_axioms"] == AXIOMS and entry["imports"] == []
    assert 1 <= entry["level"] <= 5 and entry["reference_proof_lines"] >= 1
    assert set(entry.get("changed", ())) <= set(fixed)
    assert ("changed" in entry) == (entry["kind"] == "repair")


def test_no_two_problems_declare_the_same_name():
    names = [name for one in NAMES for name in declared(Source(challenge(one)))]
    assert len(set(names)) == len(names)


def test_programs_to_be_written_have_examples_that_name_them():
    holed = {one["id"]: one["definition_holes"] for one in INDEX if one["definition_holes"]}
    given = {one.name: one.examples for one in load_problems() if one.examples is not None}
    assert given.keys() == holed.keys()
    for name, holes in holed.items():
        assert given[name].count("#guard ") >= 5, name
        used = {given[name][start:end] for start, end in Source(given[name]).words}
        words = {piece for word in used for piece in word.split(".")}
        assert all(hole.split(".")[-1] in words for hole in holes), name
        assert "sorry" not in words


@pytest.mark.parametrize("entry", INDEX, ids=NAMES)
def test_a_proof_has_no_gap_and_says_what_was_asked(entry):
    name = entry["id"]
    text, source = proof(name), Source(proof(name))
    assert not source.gaps
    assert not {"axiom", "partial", "unsafe", "native_decide", "implemented_by", "extern"} & {
        text[start:end] for start, end in source.words
    }
    if entry["kind"] == "disprove":
        says_the_negation(name, entry["theorems"])
        return
    place, whole = 0, spaced(text)
    for piece in stated(challenge(name)):
        place = whole.find(piece, place)
        assert place >= 0, f"the proof of {name} lacks, or has too late: {piece[:200]}"
        place += len(piece)


def says_the_negation(name: str, targets: list[str]) -> None:
    source = Source(challenge(name))
    whole = spaced(proof(name))
    for one in source.declarations:
        full = source.qualified(one)
        if full in targets:
            last = full.split(".")[-1]
            statement = statement_of(source, one)
            assert statement is not None
            assert f"theorem not_{last} : ¬ {spaced(statement)} := by" in whole
        elif one.kind not in ("namespace", "end"):
            assert spaced(source.text[one.start : one.end]) in whole


@pytest.mark.parametrize("entry", [one for one in INDEX if one["kind"] == "repair"], ids=str)
def test_a_repair_shows_what_was_before_and_not_how_to_mend_it(entry):
    text = challenge(entry["id"])
    before = text[text.index("/- Before") :]
    before = before[: before.index("\n-/\n")]
    changed = [name.split(".")[-1] for name in entry["changed"]]
    assert "The proof that fitted it" in before
    for one in changed:
        assert re.search(rf"^(def|abbrev|inductive|structure) {one}\b", before, re.MULTILINE)
    assert [piece for piece in proof_pieces(entry) if piece not in spaced(before)]


def proof_pieces(entry: dict[str, Any]) -> list[str]:
    """What a proof puts in the places of the gaps, and how it proves its lemmas."""
    text, source = proof(entry["id"]), Source(proof(entry["id"]))
    found = []
    for one in source.declarations:
        part = text[one.start : one.end]
        is_ours = one.kind == "theorem" or source.qualified(one) in entry["definition_holes"]
        if is_ours and ":=" in part:
            found.append(spaced(part.split(":=", 1)[1]))
    return found


def test_no_proof_ships():
    about = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert about["packages"]["find"]["where"] == ["src"]
    patterns = about["package-data"]["bise"]
    package = Path(bise.__file__).parent
    assert any(fnmatch.fnmatch("judge/problems/index.json", one) for one in patterns)
    assert not any(".." in one for one in patterns) and not PROOFS.is_relative_to(package)
    texts = {
        path: spaced(path.read_text(encoding="utf-8"))
        for path in package.rglob("*")
        if path.suffix in (".lean", ".py", ".txt", ".json", ".md") and path.is_file()
    }
    for entry in INDEX:
        given = spaced(challenge(entry["id"]))
        for piece in proof_pieces(entry):
            if len(piece) < TELLING_CHARS or (entry["kind"] == "repair" and piece in given):
                continue
            holders = [path for path, text in texts.items() if piece in text]
            assert not holders, f"a proof of {entry['id']} stands in {holders}"
