"""Problems to measure a prover by: ours, or a folder the person names."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bise.judge
from bise.errors import UserError, quoted
from bise.prove.joined import read_text
from bise.prove.loaders import load_outside
from bise.prove.problem import Problem

__all__ = ["CORE", "Problem", "core_problems", "load_problems"]

CORE = Path(bise.judge.__file__).parent / "problems"
EXAMPLES = ".examples.lean"
"""Ends the name of the file with a problem's examples, which lies beside it."""


def load_problems(where: str = "core", only: Sequence[str] = ()) -> list[Problem]:
    """Problems of a set, by level and name. Raises `UserError`.

    where: `core`, `core/KIND` or `core/LEVEL` for a part of it, or a path: a folder of Lean files,
    or one of the benchmarks of others that `loaders.py` knows.
    """
    name, _, part = where.partition("/")
    found = _part_of_core(part) if name == "core" else _from_path(Path(where))
    if only:
        known = {one.name for one in found}
        if unknown := [name for name in only if name not in known]:
            raise UserError(f"no problem is called {quoted(unknown)}")
        found = [one for one in found if one.name in set(only)]
    twice = [name for name, count in Counter(one.name for one in found).items() if count > 1]
    if twice:
        raise UserError(f"`{where}` has more than one problem called {quoted(twice[:3])}")
    return sorted(found, key=lambda one: (one.level, one.name))


def core_problems() -> list[Problem]:
    """Those that come with us."""
    return _indexed(CORE)


def _part_of_core(part: str) -> list[Problem]:
    whole = core_problems()
    found = [one for one in whole if part in ("", one.kind, str(one.level))]
    if not found:
        known = sorted({one.kind for one in whole} | {str(one.level) for one in whole})
        raise UserError(f"`core` has no part `{part}`, expected one of {quoted(known)}")
    return found


def _from_path(path: Path) -> list[Problem]:
    if not path.exists():
        raise UserError(
            f"`{path}` is no folder of problems", hint="name one that exists, or `core`"
        )
    if (outside := load_outside(path)) is not None:
        return outside[1]
    if not path.is_dir():
        raise UserError(f"`{path}` is no folder, and no lines of JSON with problems")
    index = path / "index.json"
    if index.exists():
        return _indexed(path)
    found = [
        Problem(
            name=file.relative_to(path).with_suffix("").as_posix(),
            challenge=text,
            examples=_examples(file),
        )
        for file in sorted(path.rglob("*.lean"))
        if ".lake" not in file.parts and "sorry" in (text := read_text(file))
    ]
    if not found:
        raise UserError(f"no file in `{path}` has a `sorry`")
    return found


def _examples(challenge: Path) -> str | None:
    beside = challenge.with_name(challenge.stem + EXAMPLES)
    return read_text(beside) if beside.exists() else None


def _indexed(folder: Path) -> list[Problem]:
    try:
        index: Any = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        return [
            Problem(
                name=str(one["id"]),
                challenge=(folder / one["file"]).read_text(encoding="utf-8"),
                level=int(one["level"]),
                kind=str(one["kind"]),
                topic=str(one.get("topic", "")),
                examples=_examples(folder / one["file"]),
            )
            for one in index["problems"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise UserError(f"`{folder}` has no index that can be read: {fault}") from None
