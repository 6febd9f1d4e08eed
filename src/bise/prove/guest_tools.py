"""The tools as other agents see them: on files given by path or as text, each call by itself.

Four more answer to the names and arguments of lean-lsp-mcp, so that an agent that knows those finds
its way. Its `lean_verify` has no counterpart: it reads what a file prints, ours asks a judge.
Files are read within one folder only. Nothing here writes.
Ref: https://github.com/oOo0oOo/lean-lsp-mcp
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from bise.errors import UserError
from bise.judge import Request, Verdict
from bise.judge.extensions import Position
from bise.judge.messages import Message
from bise.judge.pool import WarmPool
from bise.judge.verdict import MAX_SOURCE_BYTES
from bise.prove.feedback import shorten
from bise.prove.source import Source
from bise.prove.tools import (
    LINE,
    MOST_FOUND,
    MOST_TACTICS,
    TOOLS,
    TRY_CPU_S,
    Fault,
    Finds,
    Tool,
    Tools,
    place_in,
    read_arguments,
    tell,
    tell_verdict,
)
from bise.prove.workspace import Workspace, fill

Made = TypeVar("Made")

TEXT = {"type": "string"}
ON_FILE = {
    "path": {**TEXT, "description": "A Lean file, absolute or from the server's folder."},
    "text": {**TEXT, "description": "The file's text, instead of a path."},
}
ON_CHALLENGE = {
    "challenge_path": {**TEXT, "description": "The file with the statements and `sorry`."},
    "challenge": {**TEXT, "description": "Its text, instead of a path."},
    "path": {**TEXT, "description": "The submission: the whole file again, with proofs."},
    "text": {**TEXT, "description": "Its text, instead of a path."},
    "examples": {**TEXT, "description": "Lines `#guard …` that filled-in definitions must pass."},
    "disproves": {
        "type": "array",
        "items": {"type": "string"},
        "description": "Targets whose negation `not_TARGET` the submission proves instead.",
    },
}
FILE_PATH = {**TEXT, "description": "A Lean file, absolute or from the server's folder."}
FROM_ONE = {"type": "integer", "minimum": 1, "description": "From 1."}
SEVERITIES = {"error": "error", "warning": "warning", "information": "info"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a call comes to."""

    text: str
    is_error: bool = False
    data: dict[str, Any] | None = None
    """The same as plain values, for the tools that have a form of it."""


class Guests:
    """Everything another agent may call."""

    def __init__(
        self,
        folder: Path,
        pool: Callable[[], WarmPool],
        premises: Callable[[], Finds],
        judge: Callable[[Request], Verdict],
    ):
        """folder: where files may be read; the others are made when a call first needs them."""
        self._folder = folder.resolve()
        self._making = threading.Lock()
        self._pool, self._premises = self._once(pool), self._once(premises)
        self._judge = judge
        self.tools: Mapping[str, Tool] = {one.name: one for one in [*_own(), *ALIASES]}

    def call(self, name: str, arguments: Mapping[str, Any]) -> Reply:
        """Carry out a call; whatever is wrong with it is a reply."""
        tool = self.tools.get(name)
        try:
            if tool is None:
                raise Fault(f"there is no tool `{shorten(name, 80)}`, only {', '.join(self.tools)}")
            given = read_arguments(tool, arguments)
            if name == "verify":
                return self._verify(given)
            if name in TOOLS:
                return self._on_file(name, given)
            return getattr(self, f"_{name}")(given)
        except UserError as fault:
            return Reply(tell(fault), is_error=True)

    def _once(self, make: Callable[[], Made]) -> Callable[[], Made]:
        """Calls run in threads: what the first one makes, the others wait for."""

        def made() -> Made:
            with self._making:
                return make()

        return made

    def _on_file(self, name: str, given: dict[str, Any]) -> Reply:
        has_file = "path" in given or "text" in given
        text = self._text(given) if has_file or name != "search" else ""
        for one in ON_FILE:
            given.pop(one, None)
        pool, premises = _Later(self._pool), _Later(self._premises)
        tools = Tools(Workspace(text), cast(WarmPool, pool), cast(Finds, premises), _no_judge)
        said = tools.use(name, given)
        return Reply(said, is_error=said.startswith("error: "))

    def _verify(self, given: dict[str, Any]) -> Reply:
        challenge = {
            "path": given.get("challenge_path"),
            "text": given.get("challenge"),
        }
        request = Request(
            challenge=self._text({k: v for k, v in challenge.items() if v}, "challenge"),
            submission=self._text(given, "submission"),
            examples=given.get("examples"),
            disproves=tuple(given.get("disproves", ())),
        )
        verdict = self._judge(request)
        return Reply(tell_verdict(verdict), data=verdict.as_json())

    def _lean_goal(self, given: dict[str, Any]) -> Reply:
        source = Source(self._read(given["file_path"]))
        line = given["line"]
        first = place_in(source, line)
        gaps = [one for one in source.gaps if one.line == line]
        if gaps:
            first = Position(line, gaps[0].column)
        words = source.text.split("\n")[line - 1]
        if "column" in given:
            place = place_in(source, line, given["column"] - 1)
            goals = self._goals(source.text, place)
            status = "goals" if goals else "no_goal_at_position"
            return _as_json({"line_context": words, "goals": goals, "status": status})
        return _as_json(
            {
                "line_context": words,
                "goals_before": self._goals(source.text, first),
                "goals_after": self._goals(source.text, Position(line, len(words))),
            }
        )

    def _lean_diagnostic_messages(self, given: dict[str, Any]) -> Reply:
        source = Source(self._read(given["file_path"]))
        start, end = given.get("start_line", 1), given.get("end_line", 1 << 30)
        if "declaration_name" in given:
            start, end = _lines_of(source, given["declaration_name"])
        checked = self._pool().check(source.text, with_goals=False)
        items = [
            _diagnostic(one)
            for one in checked.messages
            if start <= one.start.line <= end
            and given.get("severity") in (None, SEVERITIES[one.severity])
        ]
        return _as_json(
            {
                "success": not checked.has_errors,
                "timed_out": checked.end in ("cpu", "wall"),
                "partial": checked.end != "answered",
                "items": items,
            }
        )

    def _lean_multi_attempt(self, given: dict[str, Any]) -> Reply:
        source = Source(self._read(given["file_path"]))
        snippets = given["snippets"]
        if not 1 <= len(snippets) <= MOST_TACTICS:
            raise Fault(f"{len(snippets)} snippets, expected 1 to {MOST_TACTICS}")
        line, column = given["line"], given.get("column")
        place = place_in(source, line, None if column is None else column - 1)
        return _as_json({"items": [self._attempt(source, place, one) for one in snippets]})

    def _attempt(self, source: Source, place: Position, snippet: str) -> dict[str, Any]:
        """A snippet at a place: in the gap there, or instead of all that follows."""
        at = source.offset(place.line, place.column)
        gaps = [one for one in source.gaps if one.line == place.line and one.end > at]
        if gaps:
            text = fill(source.text[: gaps[0].end], gaps[0], snippet)
        else:
            indented = snippet.strip().replace("\n", "\n" + " " * place.column)
            text = source.text[:at] + indented
        text += "\n"
        checked = self._pool().check(text, with_goals=False, cpu_s=TRY_CPU_S)
        end = text.rstrip().count("\n") + 1, len(text.rstrip().rpartition("\n")[2])
        goals = self._goals(text, Position(*end)) if checked.end == "answered" else []
        return {
            "snippet": snippet,
            "goals": goals,
            "diagnostics": [
                _diagnostic(one) for one in checked.messages if one.start.line >= place.line
            ],
            "timed_out": checked.end in ("cpu", "wall"),
        }

    def _lean_local_search(self, given: dict[str, Any]) -> Reply:
        found = self._premises().search(given["query"], min(given.get("limit", 10), MOST_FOUND))
        kinds = {"definition": "def", "inductive": "inductive", "constructor": "ctor"}
        items = [
            {
                "name": one.name,
                "kind": kinds.get(one.kind, one.kind),
                "file": one.module.replace(".", "/") + ".lean",
            }
            for one in found
        ]
        return _as_json({"items": items})

    def _goals(self, text: str, place: Position) -> list[str]:
        return [one.text for one in self._pool().goals(text, place)]

    def _text(self, given: Mapping[str, Any], what: str = "file") -> str:
        """A file's text, however it was given. Raises `Fault`."""
        path, text = given.get("path"), given.get("text")
        if (path is None) == (text is None):
            both = "both" if path is not None else "neither"
            raise Fault(f"the {what} has {both} path and text, expected one of them")
        return text if text is not None else self._read(str(path))

    def _read(self, name: str) -> str:
        """A Lean file within the server's folder. Raises `Fault`."""
        try:
            path = (self._folder / Path(name).expanduser()).resolve()
            if not path.is_relative_to(self._folder):
                raise Fault(
                    f"`{name}` is outside of `{self._folder}`",
                    hint="start the server in the file's folder, or pass its text",
                )
            if path.suffix != ".lean":
                raise Fault(f"`{name}` is no Lean file", hint="its name ends with `.lean`")
            if path.exists() and not path.is_file():
                raise Fault(f"`{name}` is no file")
            if path.stat().st_size > MAX_SOURCE_BYTES:
                raise Fault(f"`{name}` is larger than {MAX_SOURCE_BYTES:,} bytes")
            return path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise Fault(f"`{name}` is no UTF-8 text") from None
        except (OSError, RuntimeError, ValueError) as fault:
            if isinstance(fault, Fault):
                raise
            raise Fault(f"`{name}` cannot be read: {fault}") from None


class _Later:
    """Something that is made when it is first asked for anything."""

    def __init__(self, make: Callable[[], Any]):
        self._make = make

    def __getattr__(self, name: str) -> Any:
        return getattr(self._make(), name)


def _no_judge(_: Workspace) -> Verdict:
    raise AssertionError("`verify` of guests asks the judge itself")


def _own() -> list[Tool]:
    """The tools for guests, with the file they are about among their arguments."""
    found = []
    for one in TOOLS.values():
        if one.is_for_guests:
            file = ON_CHALLENGE if one.name == "verify" else ON_FILE
            found.append(
                Tool(
                    name=one.name,
                    description=one.description,
                    properties={**file, **one.properties},
                    required=one.required,
                    run=one.run,
                )
            )
    return found


def _alias(
    name: str, description: str, required: tuple[str, ...], properties: Mapping[str, Any]
) -> Tool:
    return Tool(
        name=name,
        description=description,
        properties=properties,
        required=required,
        run=lambda _tools, _given: "",
    )


ALIASES = (
    _alias(
        "lean_goal",
        "Goals at a place of a file; without a column those before and after the line.",
        ("file_path", "line"),
        {
            "file_path": FILE_PATH,
            "line": LINE,
            "column": FROM_ONE,
            "format": {**TEXT, "enum": ["text"], "description": "Text is the only one."},
            "timeout_s": {**FROM_ONE, "description": "Taken for compatibility; limits are ours."},
        },
    ),
    _alias(
        "lean_multi_attempt",
        "Several tactics at a line of a file, and the goals that each leaves.",
        ("file_path", "line", "snippets"),
        {
            "file_path": FILE_PATH,
            "line": LINE,
            "snippets": {
                "type": "array",
                "items": {"type": "string"},
                "description": f"Up to {MOST_TACTICS} tactics.",
            },
            "column": FROM_ONE,
        },
    ),
    _alias(
        "lean_local_search",
        "Declarations of Lean's library by name, words, pattern or goal.",
        ("query",),
        {
            "query": TEXT,
            "limit": {**FROM_ONE, "description": "10 by default."},
            "project_root": {**TEXT, "description": "Taken for compatibility; not used."},
        },
    ),
    _alias(
        "lean_diagnostic_messages",
        "Lean's errors, warnings and infos about a file.",
        ("file_path",),
        {
            "file_path": FILE_PATH,
            "start_line": FROM_ONE,
            "end_line": FROM_ONE,
            "declaration_name": TEXT,
            "interactive": {"type": "boolean", "description": "Taken; messages are plain text."},
            "timeout_s": {**FROM_ONE, "description": "Taken for compatibility; limits are ours."},
            "severity": {**TEXT, "enum": ["error", "warning", "info", "hint"]},
        },
    ),
)


def _lines_of(source: Source, name: str) -> tuple[int, int]:
    """First and last line of a declaration. Raises `Fault`."""
    for one in source.declarations:
        if one.name and name in (one.name, source.qualified(one)):
            last = source.place(max(one.start, one.end - 1))[0]
            return one.line, last
    raise Fault(f"no declaration `{shorten(name, 80)}` in the file")


def _diagnostic(message: Message) -> dict[str, Any]:
    return {
        "severity": SEVERITIES[message.severity],
        "message": shorten(message.text, 2_000),
        "line": message.start.line,
        "column": message.start.column + 1,
    }


def _as_json(data: dict[str, Any]) -> Reply:
    return Reply(json.dumps(data, ensure_ascii=False), data=data)
