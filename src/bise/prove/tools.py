"""The few tools a model works with on a file, each a function of one workspace.

One table makes what function calling offers, what `bise prove mcp` offers and what the docs list.
An answer is short text in a stable form. A caller's fault is an answer too, one clear line: a model
reads it and goes on.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bise.errors import UserError
from bise.judge import Verdict
from bise.judge.extensions import Position
from bise.judge.pool import WarmPool
from bise.judge.warm import Checked
from bise.prove.budget import Budget
from bise.prove.feedback import ENDS, feedback, shorten
from bise.prove.premises import Premise
from bise.prove.source import GAP_WORD, Gap, Source
from bise.prove.workspace import Workspace, fill

LONGEST_ANSWER = 6_000
"""Characters."""

LONGEST_TYPE = 240
LONGEST_GOAL = 1_200
LONGEST_ERROR = 500
MOST_LINES = 400
MOST_TACTICS = 16
MOST_FOUND = 50
TRY_CPU_S = 10.0
"""CPU seconds of one tactic: one that does not end costs the others nothing."""

DEFINED = ("def", "abbrev", "inductive", "structure", "class", "instance")
NAME = re.compile(r"[^\W\d][\w'!?]*")

LINE = {"type": "integer", "minimum": 1, "description": "From 1."}
COLUMN = {
    "type": "integer",
    "minimum": 0,
    "description": "From 0, as Lean counts. Left out: the gap in the line, or its first letter.",
}


class Fault(UserError):
    """A call that cannot be carried out."""


class Finds(Protocol):
    """What `search` asks."""

    def search(self, query: str, limit: int = 20, *, context: str = "") -> list[Premise]:
        """Declarations, the most promising first."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool:
    """A tool: what a model is told of it, and what it does."""

    name: str
    description: str
    properties: Mapping[str, Mapping[str, Any]]
    """Arguments, as JSON Schema has them."""

    required: tuple[str, ...] = ()
    run: Callable[["Tools", dict[str, Any]], str]
    is_for_guests: bool = True
    """Whether other agents get it by MCP: they read and edit files by themselves."""

    @property
    def schema(self) -> dict[str, Any]:
        """Its arguments as a JSON Schema."""
        return {
            "type": "object",
            "properties": {name: dict(one) for name, one in self.properties.items()},
            "required": list(self.required),
            "additionalProperties": False,
        }


@dataclass
class Tools:
    """The tools on one workspace. `use` carries a call out."""

    work: Workspace
    pool: WarmPool
    premises: Finds
    judge: Callable[[Workspace], Verdict]
    budget: Budget = field(default_factory=Budget)
    verdict: Verdict | None = None
    """The judge's last word on the text as it is; None after an edit."""

    checked: Checked | None = None
    """Lean's last word on the text as it is; None after an edit."""

    _warned: str | None = None
    """The text that was not judged because Lean finds errors in it."""

    @property
    def functions(self) -> list[dict[str, Any]]:
        """All of them, as chat completions want them."""
        return [
            {
                "type": "function",
                "function": {
                    "name": one.name,
                    "description": one.description,
                    "parameters": one.schema,
                },
            }
            for one in TOOLS.values()
        ]

    def use(self, name: str, arguments: str | Mapping[str, Any]) -> str:
        """Carry out a call; arguments are a model's JSON. Raises `Spent`, and nothing else."""
        try:
            tool = TOOLS.get(name)
            if tool is None:
                raise Fault(f"there is no tool `{shorten(name, 80)}`, only {', '.join(TOOLS)}")
            return shorten(tool.run(self, read_arguments(tool, arguments)), LONGEST_ANSWER)
        except UserError as fault:
            return tell(fault)

    def check(self) -> str:
        """What Lean says about the file."""
        self.budget.check()
        self.checked = self.pool.check(self.work.text)
        self.budget.checked(self.checked.cpu_s)
        return feedback(self.checked)

    def goal(self, line: int, column: int | None = None) -> str:
        """The goals at a place."""
        source = self.work.source
        place = place_in(source, line, column)
        gaps = [one for one in source.gaps if one.line == line]
        if column is None and len(gaps) == 1:  # nobody asks for the `theorem` before it
            place = Position(line, gaps[0].column)
        self.budget.check()
        goals = self.pool.goals(source.text, place)
        if not goals:
            return f"no goal at line {place.line}, column {place.column}"
        return "\n\n".join(shorten(one.text, LONGEST_GOAL) for one in goals)

    def try_many(self, line: int, tactics: list[str], column: int | None = None) -> str:
        """Each of some tactics at a gap."""
        if not 1 <= len(tactics) <= MOST_TACTICS:
            raise Fault(f"{len(tactics)} tactics, expected 1 to {MOST_TACTICS}")
        source = self.work.source
        gap = gap_at(source, line, column)
        at = source.declaration_at(gap.start)
        others = (
            [] if at is None else [one for one in source.gaps if at.start <= one.start < at.end]
        )
        parts = []
        for number, tactic in enumerate(tactics, 1):
            self.budget.check()
            tried = try_tactic(self.pool, source, gap, tactic)
            self.budget.checked(tried.cpu_s)
            words = shorten(" ".join(tactic.split()), 100)
            is_whole = len(others) <= 1 or GAP_WORD in tactic
            parts.append(f"{number}. {words}\n   {_outcome(tried, is_whole)}")
        return "\n".join(parts)

    def search(self, query: str, limit: int = 20) -> str:
        """What the library has."""
        if not query.strip():
            raise Fault("the query is empty", hint="words, a pattern with `_`, or a goal")
        context = definitions_behind(self.work.source, query)
        found = self.premises.search(query, min(limit, MOST_FOUND), context=context)
        return tell_premises(found) or "nothing found"

    def read(self, start: int = 1, end: int | None = None) -> str:
        """Numbered lines."""
        lines = self.work.text.split("\n")
        end = len(lines) if end is None else min(end, len(lines))
        if start > end:
            raise Fault(f"lines {start} to {end} of a file of {len(lines)} lines")
        shown = lines[start - 1 : min(end, start - 1 + MOST_LINES)]
        text = "\n".join(f"{number:>4}  {one}" for number, one in enumerate(shown, start))
        if start - 1 + len(shown) < end:
            text += f"\n… read on from line {start + len(shown)}"
        return text

    def edit(self, old: str, new: str) -> str:
        """Put one passage in place of another."""
        line = self.work.text[: self.work.text.find(old)].count("\n") + 1 if old else 1
        self.work.edit(old, new)
        self.verdict = self.checked = None
        last = line + new.count("\n")
        where = f"line {line}" if last == line else f"lines {line} to {last}"
        return f"edited {where}; {_gaps(self.work.gaps)}"

    def outline(self) -> str:
        """Declarations by line."""
        source = self.work.source
        gaps = [gap.start for gap in source.gaps]
        lines = []
        for one in source.declarations:
            num_open = sum(one.start <= at < one.end for at in gaps)
            mark = f"  ({num_open} open)" if num_open else ""
            lines.append(f"{one.line:>4}  {one.kind} {one.name}".rstrip() + mark)
        return "\n".join([*lines, _gaps(source.gaps)])

    def verify(self) -> str:
        """The judge's verdict."""
        work = self.work
        if work.gaps and not work.disproves:
            return f"not judged: {_gaps(work.gaps)}"
        if self.checked is None:
            self.check()
        checked = self.checked
        if checked is not None and checked.has_errors and self._warned != work.text:
            self._warned = work.text
            return f"not judged, call again to have it judged all the same\n{feedback(checked)}"
        self.budget.check()
        self.verdict = self.judge(work)
        return tell_verdict(self.verdict)


def read_arguments(tool: Tool, arguments: str | Mapping[str, Any]) -> dict[str, Any]:
    """A model's arguments, checked against the tool's schema. Raises `Fault`."""
    given: Any = arguments
    if isinstance(arguments, str):
        try:
            given = json.loads(arguments) if arguments.strip() else {}
        except (ValueError, RecursionError) as fault:
            raise Fault(f"the arguments of `{tool.name}` are no JSON: {fault}") from None
    if not isinstance(given, Mapping):
        raise Fault(f"the arguments of `{tool.name}` are no JSON object")
    try:
        json.dumps(dict(given), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Fault(
            f"the arguments of `{tool.name}` have half of a surrogate pair",
            hint="write the character itself",
        ) from None
    left = {name: value for name, value in given.items() if value is not None}
    for name in left:
        if name not in tool.properties:
            known = ", ".join(tool.properties) or "none"
            raise Fault(f"`{tool.name}` has no argument `{shorten(name, 80)}`, only {known}")
    for name in tool.required:
        if name not in left:
            raise Fault(f"`{tool.name}` needs `{name}`")
    return {name: _value(name, value, tool.properties[name]) for name, value in left.items()}


def _value(name: str, value: Any, schema: Mapping[str, Any]) -> Any:
    """A value of the type a schema asks for; numbers may come as text."""
    wanted = schema["type"]
    if wanted == "integer":
        if isinstance(value, str) and re.fullmatch(r"\d{1,9}", value.strip()):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise Fault(f"`{name}` is {shorten(repr(value), 80)}, expected a whole number")
        if value < schema.get("minimum", value):
            raise Fault(f"`{name}` is {value}, expected at least {schema['minimum']}")
    elif wanted == "string":
        if not isinstance(value, str):
            raise Fault(f"`{name}` is {shorten(repr(value), 80)}, expected text")
    elif wanted == "boolean":
        if not isinstance(value, bool):
            raise Fault(f"`{name}` is {shorten(repr(value), 80)}, expected true or false")
    elif not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Fault(f"`{name}` is {shorten(repr(value), 80)}, expected a list of texts")
    if isinstance(value, str) and "enum" in schema and value not in schema["enum"]:
        raise Fault(f"`{name}` is `{shorten(value, 80)}`, expected one of {schema['enum']}")
    return value


def place_in(source: Source, line: int, column: int | None = None) -> Position:
    """A place that is in a source; by default the first letter of a line. Raises `Fault`."""
    lines = source.text.split("\n")
    if not 1 <= line <= len(lines):
        raise Fault(f"line {line} of a file of {len(lines)} lines")
    text = lines[line - 1]
    if column is None:
        return Position(line, len(text) - len(text.lstrip()))
    if not 0 <= column <= len(text):
        raise Fault(f"column {column} of a line of {len(text)} characters")
    return Position(line, column)


def gap_at(source: Source, line: int, column: int | None = None) -> Gap:
    """The gap in a line, or the one at a column of it. Raises `Fault`."""
    found = [one for one in source.gaps if one.line == line]
    if column is not None and len(found) > 1:
        at = source.offset(line, column)
        found = [one for one in found if one.start <= at <= one.end] or found
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{one.line}:{one.column}" for one in source.gaps[:20]) or "none"
    which = "no gap" if not found else f"{len(found)} gaps"
    raise Fault(f"{which} in line {line}; gaps (line:column): {known}")


def try_tactic(pool: WarmPool, source: Source, gap: Gap, tactic: str) -> Checked:
    """What Lean says with a gap filled; what follows its declaration is left out."""
    declaration = source.declaration_at(gap.start)
    end = len(source.text) if declaration is None else declaration.end
    text = fill(source.text[:end], gap, tactic)
    start = gap.start if declaration is None else declaration.start
    before = source.text[:start].count("\n") + 1
    checked = pool.check(text, with_goals=False, cpu_s=TRY_CPU_S)
    messages = tuple(one for one in checked.messages if one.start.line >= before)
    return Checked(
        end=checked.end,
        messages=messages,
        goals=checked.goals,
        seconds=checked.seconds,
        cpu_s=checked.cpu_s,
        is_cached=checked.is_cached,
    )


def definitions_behind(source: Source, text: str) -> str:
    """The definitions of a source that a text names, and those that these name."""
    known = {
        one.name.rpartition(".")[2]: source.text[one.start : one.end]
        for one in source.declarations
        if one.kind in DEFINED and one.name
    }
    found: dict[str, None] = {}
    waiting = [text]
    while waiting:
        for word in NAME.findall(waiting.pop()):
            if word in known and word not in found:
                found[word] = None
                waiting.append(known[word])
    return "\n".join(known[word] for word in found)


def tell(fault: UserError) -> str:
    """A fault in a line."""
    return f"error: {fault.message}" + (f" ({fault.hint})" if fault.hint else "")


def tell_premises(found: list[Premise]) -> str:
    """A line for each: kind, name, type."""
    short = {"theorem": "", "definition": "def ", "inductive": "type ", "constructor": "ctor "}
    lines = []
    for one in found:
        kind = short.get(one.kind, f"{one.kind} ")
        lines.append(f"{kind}{one.name} {shorten(one.type, LONGEST_TYPE)}".replace("\n", " "))
    return "\n".join(lines)


def tell_verdict(verdict: Verdict) -> str:
    """What the judge says, with its reason."""
    words = verdict.verdict if not verdict.reason else f"{verdict.verdict}: {verdict.reason}"
    lines = [words]
    if verdict.message:
        lines.append(shorten(verdict.message, LONGEST_GOAL))
    for what, names in (
        ("theorems", verdict.targets),
        ("definitions", verdict.holes),
        ("disproved", verdict.disproved),
        ("axioms", verdict.axioms),
    ):
        if names:
            lines.append(f"{what}: {', '.join(names)}")
    lines += [f"warning: {one.code}: {one.message}" for one in verdict.warnings]
    if verdict.kernel:
        lines.append(f"kernel: {verdict.kernel} ({verdict.backend})")
    return "\n".join(lines)


def _outcome(tried: Checked, is_whole: bool) -> str:
    """What became of a tactic, in a line or the first error.

    is_whole: whether a gap that is left is the tactic's own.
    """
    errors = [one for one in tried.messages if one.severity == "error"]
    if tried.end != "answered":
        return f"stopped: {ENDS.get(tried.end, tried.end)}"
    if errors:
        return shorten(errors[0].text, LONGEST_ERROR).replace("\n", "\n   ")
    if tried.has_gaps:
        return "leaves a gap" if is_whole else "closes it; other gaps of the declaration are open"
    return "closes it"


def _gaps(gaps: list[Gap]) -> str:
    if not gaps:
        return "no gaps left"
    where = ", ".join(f"{one.line}:{one.column}" for one in gaps[:20])
    return f"{len(gaps)} gap{'s' * (len(gaps) > 1)} left, at {where}"


TOOLS: Mapping[str, Tool] = {
    one.name: one
    for one in (
        Tool(
            name="check",
            description="Lean's word on the file: the first error, and the goal at each `sorry`.",
            properties={},
            run=lambda tools, _: tools.check(),
        ),
        Tool(
            name="goal",
            description="The goals at a place in a proof, with everything that is known there.",
            properties={"line": LINE, "column": COLUMN},
            required=("line",),
            run=lambda tools, given: tools.goal(**given),
        ),
        Tool(
            name="try_many",
            description="Try several tactics (or blocks of them) in place of the `sorry` in a line"
            " and say what becomes of each. The file stays as it is.",
            properties={
                "line": LINE,
                "tactics": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": f"Up to {MOST_TACTICS}, independent of each other.",
                },
                "column": COLUMN,
            },
            required=("line", "tactics"),
            run=lambda tools, given: tools.try_many(**given),
        ),
        Tool(
            name="search",
            description="Search Lean's library. Words (`length append`), a part of a name"
            " (`List.length_`), a pattern (`List.length (_ ++ _)`, `?a + ?b = ?b + ?a`,"
            " `⊢ _ ∣ _ + _` for conclusions), or a goal or statement as it is.",
            properties={
                "query": {"type": "string", "description": "What to look for."},
                "limit": {
                    "type": "integer",
                    "minimum": 1,
                    "description": f"20 by default, at most {MOST_FOUND}.",
                },
            },
            required=("query",),
            run=lambda tools, given: tools.search(**given),
        ),
        Tool(
            name="read",
            description="The file, or some lines of it, with their numbers.",
            properties={
                "start": {**LINE, "description": "First line, from 1."},
                "end": {**LINE, "description": "Last line."},
            },
            run=lambda tools, given: tools.read(**given),
            is_for_guests=False,
        ),
        Tool(
            name="edit",
            description="Replace a passage that occurs exactly once. Only gaps may be filled, and"
            " lemmas added before the declaration that needs them.",
            properties={
                "old": {"type": "string", "description": "The passage, copied to the letter."},
                "new": {"type": "string", "description": "What stands there afterwards."},
            },
            required=("old", "new"),
            run=lambda tools, given: tools.edit(**given),
            is_for_guests=False,
        ),
        Tool(
            name="outline",
            description="Every declaration with its line, and where gaps are.",
            properties={},
            run=lambda tools, _: tools.outline(),
            is_for_guests=False,
        ),
        Tool(
            name="verify",
            description="The independent judge: compiles, compares every statement with the"
            " challenge, traces axioms, and has a fresh kernel check everything. Takes half a"
            " minute. Only `accepted` means proved.",
            properties={},
            run=lambda tools, _: tools.verify(),
        ),
    )
}
"""In the order models see them."""
