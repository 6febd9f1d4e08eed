"""Compiles the cases with the installed Lean and keeps what it made.

Run as `python tests/judge/record.py`. Sources that were compiled before are not compiled again.
With a number as argument it compiles so many of the others and leaves; without, all of them, and
then the part of the library they need.
"""

import io
import json
import sys
import tarfile
from pathlib import Path
from typing import ClassVar

sys.path.insert(0, str(Path(__file__).parent))

from olean_writer import Writer
from recorded import (
    ARCHIVE,
    RecordedLean,
    archive,
    challenge_of,
    digest,
    index,
    request_of,
    submission_of,
)

from bise.judge import (
    Constant,
    Header,
    Limits,
    Module,
    Name,
    Region,
    Request,
    Terms,
    WasmLean,
    encode_module,
    verify,
)
from bise.judge import library as library_room
from bise.judge import verdict as verdict_room
from bise.judge.extensions import ENUMERATED, NONCOMPUTABLE, ORIGINAL_KINDS, Position
from bise.judge.header import insert_line
from bise.judge.library import Library
from bise.judge.messages import Message
from bise.judge.olean import Import
from bise.judge.verdict import NO_EVALUATION, is_only_here

INIT, LEAN = ("Init",), ("Lean",)
HEADER = Header(
    lean_version="4.28.0-pre", commit="0" * 40, uses_gmp=False, word_bytes=4, base=7 << 16
)

NEVER_COMPILED = ("code_while_compiling", "imports_differ")
"""Reasons for which a submission is rejected before Lean sees it."""


def sources() -> list[str]:
    """Every source of the cases, once."""
    found = {}
    for case, about in index().items():
        found[challenge_of(case)] = True
        if not about.get("live") and about.get("reason") not in NEVER_COMPILED:
            found[submission_of(case)] = True
    return list(found)


def compile_all(kept: dict[str, bytes], most: int) -> dict[str, bytes]:
    """What Lean makes of each source, old results taken over; at most so many are new."""
    made = {name: raw for name, raw in kept.items() if name.startswith("library/")}
    for number, source in enumerate(sources(), 1):
        key = digest(source)
        names = [name for name in kept if name.startswith(f"{key}/")]
        if names:
            made |= {name: kept[name] for name in names}
            again = insert_line(source, NO_EVALUATION + "\n").text
            known = {name: kept[name] for name in kept if name.startswith(digest(again))}
            if not known and is_tried_again(json.loads(kept[f"{key}/how.json"])["errors"]):
                known = compile_one(again)
            made |= known
            continue
        most -= 1
        if most < 0:
            continue
        sys.stderr.write(f"{number}: {source.splitlines()[0]}\n")
        made |= compile_one(source)
    return made


def is_tried_again(errors: list[str]) -> bool:
    """Whether the judge would compile once more, without evaluation."""
    place = Position(1, 0)
    found = [Message(severity="error", text=text, start=place) for text in errors]
    return bool(found) and all(map(is_only_here, found))


def compile_one(source: str) -> dict[str, bytes]:
    """What Lean makes of a source; without evaluation too, where the judge would try that."""
    key = digest(source)
    compiled = WasmLean().compile(source, limits=Limits(cpu_s=120, wall_s=600))
    errors = [one for one in compiled.messages if one.severity == "error"]
    texts = [one.text for one in errors]
    sys.stderr.write(f"  {compiled.status} {texts[:2]}\n")
    how = {
        "parts": len(compiled.parts),
        "end": compiled.end,
        "status": compiled.status,
        "errors": texts,
    }
    made = {f"{key}/{at}": part for at, part in enumerate(compiled.parts)}
    made[f"{key}/how.json"] = json.dumps(how).encode()
    if is_tried_again(texts):
        made |= compile_one(insert_line(source, NO_EVALUATION + "\n").text)
    return made


class Recording(Library):
    """A library that notes what it is asked for."""

    asked: ClassVar[dict[Name, tuple]] = {}
    marked: ClassVar[set[Name]] = set()
    first: ClassVar[dict[Name, bool]] = {}

    def get(self, name):
        found = super().get(name)
        if found is not None:
            self.note(name)
        return found

    def kind(self, name):
        if name in self:
            self.note(name)
        return super().kind(name)

    def note(self, name):
        if name not in self.asked:
            self.asked[name] = ()
            self.asked[name] = (Library.get(self, name), Library.kind(self, name), self._terms)
            if name in self.noncomputable:
                self.marked.add(name)
            self.first[name] = name in self.init()

    def init(self):
        return INIT_ONLY


INIT_ONLY: set[Name] = set()


class Known(RecordedLean):
    """Recorded sources, and the real library."""

    def library_parts(self, module):
        return WasmLean().library_parts(module)


def write(made: dict[str, bytes]) -> None:
    """The archive anew: what is alike stands together, and is compressed as one."""
    with tarfile.open(ARCHIVE, "w:xz", preset=9) as held:
        for name in sorted(made, key=lambda name: (name.rpartition("/")[2], name)):
            about = tarfile.TarInfo(name)
            about.size = len(made[name])
            held.addfile(about, io.BytesIO(made[name]))
    archive.cache_clear()


def judge_all() -> None:
    """Every case and problem once, all with one table and one library for each set of imports."""
    terms = Terms()
    libraries: dict[frozenset[Name], Recording] = {}

    def library(parts, imports, _) -> Recording:
        key = frozenset(one.module for one in imports)
        if key not in libraries:
            libraries[key] = Recording(parts, imports, terms)
        return libraries[key]

    verdict_room.Library, verdict_room.Terms = library, lambda: terms
    try:
        for case, about in index().items():
            if not about.get("live"):
                verify(request_of(case), Known)
        for source in {challenge_of(case) for case in index()}:  # each is put to itself, too
            verify(Request(challenge=source, submission=source), Known)
    finally:
        verdict_room.Library, verdict_room.Terms = library_room.Library, Terms


def record_library(made: dict[str, bytes]) -> None:
    """The part of the library that judging the cases asks for."""
    init = Library(WasmLean().library_parts, [_import(INIT)], Terms())
    INIT_ONLY.update(init._home)
    judge_all()
    for module, imports in ((INIT, ()), (LEAN, (_import(INIT),))):
        names = [name for name, is_first in Recording.first.items() if is_first == (module == INIT)]
        made[f"library/{module[0]}.olean"] = _module(names, imports)
    write(made)


def _module(names: list[Name], imports) -> bytes:
    terms = Terms()
    writer = Writer(terms)
    constants = [_moved(*Recording.asked[name][::2], terms) for name in names]
    kinds, marks = [], []
    for name in names:
        constant, kind, _ = Recording.asked[name]
        if kind != constant.kind:
            number = writer.number(ENUMERATED.index(kind))
            kinds.append(writer.constructor(0, writer.name(name), number))
        if name in Recording.marked:
            marks.append(writer.name(name))
    entries = ((ORIGINAL_KINDS[0], kinds), (NONCOMPUTABLE, marks))
    return writer.module(constants, imports, entries)


def _moved(constant: Constant, terms: Terms, into: Terms) -> Constant:
    """A declaration in another table."""
    raw = encode_module(HEADER, [], [constant], terms)
    return Module(Region([raw]), into)[constant.name]


def _import(module: Name) -> Import:
    return Import(module=module, is_all=False, is_exported=True, is_meta=False)


if __name__ == "__main__":
    before = archive() if ARCHIVE.is_file() else {}
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    results = compile_all(before, most)
    write(results)
    if len(sys.argv) == 1:
        record_library(results)
    sys.stderr.write(f"{ARCHIVE.stat().st_size:,} bytes\n")
