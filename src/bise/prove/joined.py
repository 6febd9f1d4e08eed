"""Modules of a project as one file, so that a Lean without the project can take it.

What a file imports from beside it is put in its place, each module in a section of its own, as far
as what is opened, bound or set in it reaches. Imports of libraries stay.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bise.errors import UserError
from bise.judge.header import read_header
from bise.judge.terms import Name, show_name
from bise.prove.source import Source

MOST_MODULES = 500


def read_text(path: Path) -> str:
    """A file. Raises `UserError` if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise UserError(f"`{path}` cannot be read: {fault}") from None


def read_json(path: Path) -> Mapping[str, Any]:
    """An object. Raises `UserError`."""
    try:
        found = json.loads(read_text(path))
    except ValueError as fault:
        raise UserError(f"`{path}` is no JSON: {fault}") from None
    if not isinstance(found, dict):
        raise UserError(f"`{path}` is no object of JSON")
    return found


def files_beneath(where: Path, pattern: str) -> list[Path]:
    """Files of a folder, without what tools have put there."""
    found = sorted(where.rglob(pattern)) if where.is_dir() else []
    return [one for one in found if ".lake" not in one.parts and one.is_file()]


def described(challenge: str, words: str) -> str:
    """A challenge with what it is about before it, as a comment."""
    if not words.strip():
        return challenge
    return f"/-\n{words.strip().replace('-/', '- /').replace('/-', '/ -')}\n-/\n{challenge}"


def join_modules(paths: Sequence[Path], root: Path) -> str:
    """Files and what they import from the folder `root`, in the order in which Lean needs them.

    A file of Lean's newer module system stays whole, with its imports: what it hides would not be
    hidden in a joined one. Raises `UserError` for imports that go in a circle.
    """
    texts = {path: read_text(path) for path in paths}
    if any(_is_apart(text) for text in texts.values()):
        return "\n".join(texts.values())
    order, outside = dict[Path, str](), dict[Name, None]()
    for path in paths:
        _gather(path, root, order, outside, ())
    if len(order) == 1:
        return texts[paths[0]]
    *first, last = order.values()
    imports = "".join(f"import {show_name(one)}\n" for one in outside if one != ("Init",))
    return imports + "".join(_section(text) for text in first) + f"\n{_body(last)}\n"


def _gather(
    path: Path,
    root: Path,
    order: dict[Path, str],
    outside: dict[Name, None],
    above: tuple[Path, ...],
) -> None:
    if path in above:
        circle = " → ".join(one.stem for one in (*above[above.index(path) :], path))
        raise UserError(f"`{root}` has modules that import each other: {circle}")
    if path in order:
        return
    text = read_text(path)
    for name in read_header(text).modules:
        found = root.joinpath(*map(str, name)).with_suffix(".lean")
        is_inside = found.resolve().is_relative_to(root.resolve())
        if is_inside and found.is_file() and not _is_apart(read_text(found)):
            _gather(found, root, order, outside, (*above, path))
        else:
            outside[name] = None
    if len(order) == MOST_MODULES:
        raise UserError(f"`{path}` needs more than {MOST_MODULES} modules of `{root}`")
    order[path] = text


def _is_apart(text: str) -> bool:
    return "module" in read_header(text).words[:1]


def _body(text: str) -> str:
    return text[read_header(text).end :].strip("\n")


def _section(text: str) -> str:
    """A module without its imports, closed."""
    body = _body(text)
    return f"\nsection\n\n{body}\n{_ends(body)}\nend\n" if body.strip() else ""


def _ends(body: str) -> str:
    """Ends of what a file leaves open, as Lean lets it."""
    spaces = list[str]()
    for one in Source(body).declarations:
        if one.kind in ("namespace", "section", "mutual"):
            spaces += one.name.split(".")
        elif one.kind == "end":
            for _ in one.name.split("."):
                if spaces:
                    spaces.pop()
    return "".join(f"\nend {name}".rstrip() + "\n" for name in reversed(spaces))
