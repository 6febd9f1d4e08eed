"""Marks replies to questions with tools: calls by their meaning, words by what they have to say."""

import json
import re
from collections.abc import Iterable
from typing import Any, cast

from bise.evals.self_fills import FILLS
from bise.evals.task import Example, calls_text
from bise.evals.tools.jobs import JOBS, UNSEEN_JOBS
from bise.evals.tools.results import CHOICES
from bise.text.messages import TextPart

CALL = re.compile(r"^[ \t]*([\w-]{1,64})[ \t]*(?=\{)", re.MULTILINE)
NUMBER = re.compile(r"(?:(?<![\w)])-)?\d+(?:\.\d+)?")
"""A dash behind a digit is no sign."""

NOT = frozenset(("not", "no", "never", "cannot"))
FAILED = NOT | {"failed", "error", "sorry", "wrong"}
DONE = frozenset(
    """done ok okay worked success successful successfully completed finished set sent added saved
    played playing started booked ordered deleted removed opened closed locked unlocked turned
    switched changed moved renamed created made invited paid logged reserved""".split()  # noqa: SIM905
)
REFUSALS = re.compile(
    r"\bno (tool|function)|\bnone of|\bcan ?not\b|\bcan't|\bnot able|\bunable|\bnot have"
    r"|\bdon't have|\bnot possible"
)
GUESSES = CHOICES | {name.lower() for name in FILLS["name"]}
GOALS = frozenset(job.goal for job in JOBS + UNSEEN_JOBS)
"""Whoever says that no tool does another of these has not understood the question."""

MAX_REPLY_CHARS = 300
SMALL_WORDS = frozenset(("is", "to", "the", "a", "of", "this", "do"))


def mark_calls(example: Example, reply: str) -> float:
    """1.0 for the same calls in any order, their arguments equal as JSON values."""
    wanted = read_calls(calls_text(example.calls))
    found = read_calls(reply)
    if wanted is None or found is None or len(wanted) != len(found):
        return 0.0
    for name, arguments in found:
        place = next(
            (i for i, (n, a) in enumerate(wanted) if n == name and is_same(a, arguments)), None
        )
        if place is None:
            return 0.0
        del wanted[place]
    return 1.0


def read_calls(reply: str) -> list[tuple[str, dict[str, Any]]] | None:
    """The calls in a reply; None if one is no JSON object."""
    calls: list[tuple[str, dict[str, Any]]] = []
    decoder, place = json.JSONDecoder(), 0
    while found := CALL.search(reply, place):
        try:
            value, place = decoder.raw_decode(reply, found.end())
        except (ValueError, RecursionError):
            return None
        calls.append((found[1], value))
    return calls


def is_same(one: Any, two: Any) -> bool:
    """Equal as JSON: 2 is 2.0, but true is not 1; a sum may have other spaces."""
    if isinstance(one, bool) or isinstance(two, bool):
        return one is two
    if isinstance(one, dict) and isinstance(two, dict):
        ours, theirs = cast(dict[str, Any], one), cast(dict[str, Any], two)
        return ours.keys() == theirs.keys() and all(is_same(ours[k], theirs[k]) for k in ours)
    if isinstance(one, list) and isinstance(two, list):
        mine, other = cast(list[Any], one), cast(list[Any], two)
        return len(mine) == len(other) and all(map(is_same, mine, other))
    if isinstance(one, str) and isinstance(two, str) and re.fullmatch(r"[-+*/\d. ]+", one):
        return one.replace(" ", "") == two.replace(" ", "")
    return one == two


def mark_words(example: Example, reply: str) -> float:
    """1.0 for a short reply without calls that says what the result says, or that no tool fits."""
    if CALL.search(reply) or len(reply) > MAX_REPLY_CHARS:
        return 0.0
    result = result_of(example)
    if not result:
        said = reply.lower()
        is_other = any(goal in said and goal not in example.answer for goal in GOALS)
        is_refused = bool(REFUSALS.search(said)) and not is_other
        return float(is_refused and numbers(reply) <= numbers(example.question))
    error = error_in(result)
    if error is not None:
        needed = words(error) - SMALL_WORDS
        return float(needed <= words(reply) and not (words(reply) - words(error)) & {"done", "ok"})
    return float(says(example, reply, result))


def says(example: Example, reply: str, result: dict[str, Any]) -> bool:
    """Whether the values of the right answer are said, and no others."""
    asked, answer = example.question, example.answer
    called = " ".join(calls_text(message.tool_calls) for message in example.given)
    known = numbers(asked) | numbers(answer) | numbers(called)
    if not numbers(reply) <= known:
        return False
    values = list(result.values())
    if is_done(result):
        new = {value for value in numbers(answer) if value not in numbers(asked)}
        is_told = bool(words(reply) & DONE) and not words(reply) & FAILED
        return is_told and new <= numbers(reply)
    needed = [value for value in values if is_said(value, answer)]
    others = [value for value in values if value not in needed and not is_said(value, asked)]
    guesses = (words(reply) & GUESSES) - words(answer) - words(asked)
    is_denied = bool(words(reply) & NOT - words(answer))
    return (
        all(is_said(value, reply) for value in needed)
        and not any(is_said(value, reply) for value in others)
        and not guesses
        and not is_denied
    )


def result_of(example: Example) -> dict[str, Any]:
    """What the function gave back last."""
    for message in reversed(example.given):
        for part in message.parts:
            if message.role == "tool" and isinstance(part, TextPart):
                return json.loads(part.text)
    return {}


def error_in(result: dict[str, Any]) -> str | None:
    """What went wrong, if something did."""
    return next((result[key] for key in ("error", "failed", "message") if key in result), None)


def is_done(result: dict[str, Any]) -> bool:
    """Whether a result only reports that something is done."""
    first = next(iter(result.values()))
    return first is True or (isinstance(first, str) and first in ("ok", "done"))


def is_said(value: str | float, text: str) -> bool:
    """Whether a value stands in a text by itself."""
    if isinstance(value, str):
        value = re.sub(r"^0(?=\d:)", "0?", re.escape(value.lower()))  # 7:30 is 07:30
        return bool(re.search(rf"(?<!\w){value}(?!\w)", text.lower()))
    return float(value) in numbers(text)


def numbers(text: str) -> set[float]:
    return set(map(float, NUMBER.findall(re.sub(r"(?<=\d),(?=\d{3}\b)", "", text))))


def words(text: str) -> set[str]:
    found: Iterable[str] = re.findall(r"\w+", text.lower().replace("n't", " not"))
    return set(found)
