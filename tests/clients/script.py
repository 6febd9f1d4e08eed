"""What the scripted engine says: it reads ids, finds an order in the user's words, and obeys.

    say <<TEXT>>            answers TEXT
    call NAME <<JSON>>      calls a tool, and answers with what the tool said
    look                    tells how many pictures it was shown, and how large the last was
    count to N              writes the numbers from 1, which is long

With effort `high` it thinks first, and after a tool's answer says whether what it thought before
has come back. Agents wrap their user's words in pages of their own; the last
order in the last turn that has one is what counts.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bise.engine import Request
from bise.text import Tekken
from bise.text.decode import is_json

THOUGHT = "Let me think about this, one step after the other."
REMEMBERED = "I remember what I thought."
UNASKED = "The answer is 42."
"""Said where there is no order."""

ORDER = re.compile(
    r"say <<(?P<say>.*?)>>|call (?P<name>[\w-]+) <<(?P<arguments>.*?)>>"
    r"|\b(?P<look>look)\b|count to (?P<count>\d+)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Turn:
    """A part of a prompt, told apart by its marker."""

    kind: str
    """`user`, `result`, `tools`, `settings` or something else."""

    text: str
    pictures: tuple[int, ...] = ()
    """Rows of each picture."""


def read(tekken: Tekken, ids: list[int]) -> list[Turn]:
    """A prompt as turns."""
    special = tekken.special
    kinds = {
        special.inst: "user",
        special.results: "result",
        special.tools: "tools",
        special.settings: "settings",
        special.think: "thought",
    }
    turns: list[Turn] = []
    kind, words, rows, pictures = "other", b"", 0, list[int]()
    for token in [*ids, special.eos]:
        if token in (special.image_break, special.image_end):
            rows += 1
            if token == special.image_end:
                pictures.append(rows)
                rows, words = 0, words + b" "
        elif not tekken.is_control(token):
            words += tekken.token_bytes(token)
        elif token != special.image:
            turns.append(Turn(kind, words.decode(errors="replace"), tuple(pictures)))
            kind, words, pictures = kinds.get(token, "other"), b"", []
    return turns


def after_tools(turns: list[Turn]) -> str:
    """What is said when tools have answered."""
    shown = "".join(turn.text for turn in turns if turn.kind == "result")[-4000:]
    pictures = [rows for turn in turns if turn.kind == "result" for rows in turn.pictures]
    seen = f" It showed {len(pictures)} picture(s)." if pictures else ""
    thought = any(turn.kind == "thought" and THOUGHT in turn.text for turn in turns)
    return f"The tool said: {shown}{seen}{' ' + REMEMBERED if thought else ''}"


class Obedient:
    """A script: prompt in, reply out, as ids."""

    def __init__(self, tekken: Tekken):
        self.tekken = tekken

    def __call__(self, request: Request) -> Iterator[int]:
        special = self.tekken.special
        turns = read(self.tekken, list(request.prompt_ids))
        settings = " ".join(turn.text for turn in turns if turn.kind == "settings")
        if '"high"' in settings and not request.in_thinking:
            yield special.think
            yield from self.tekken.encode(THOUGHT)
            yield special.end_think
        elif request.in_thinking:
            yield special.end_think
        yield from self.answer(turns)

    def answer(self, turns: list[Turn]) -> Iterator[int]:
        """What is said after thinking."""
        found = [(at, list(ORDER.finditer(turn.text))) for at, turn in enumerate(turns)
                 if turn.kind == "user"]  # fmt: skip
        ordered = [(at, orders[-1]) for at, orders in found if orders]
        if not ordered:
            return self.say(UNASKED)
        place, order = ordered[-1]
        if order["name"] is not None:
            results = [turn for turn in turns[place:] if turn.kind == "result"]
            if results:
                return self.say(after_tools(turns[place:]))
            return self.call(order["name"], order["arguments"], turns)
        if order["look"] is not None:
            pictures = [rows for turn in turns for rows in turn.pictures]
            return self.say(f"I see {len(pictures)} picture(s), {sum(pictures[-1:])} rows.")
        if order["count"] is not None:
            return self.say(" ".join(map(str, range(1, int(order["count"]) + 1))))
        return self.say(order["say"])

    def say(self, text: str) -> Iterator[int]:
        yield from self.tekken.encode(text)

    def call(self, name: str, arguments: str, turns: list[Turn]) -> Iterator[int]:
        """A call, if there is such a tool."""
        listed = next((turn.text for turn in turns if turn.kind == "tools"), "[]")
        names = [tool["function"]["name"] for tool in json.loads(listed)]
        fitting = [one for one in names if one == name or one.endswith(f"__{name}")]
        if not fitting:
            yield from self.say(f"There is no tool {name}, only {', '.join(names) or 'none'}.")
            return
        yield self.tekken.special.calls
        yield from self.tekken.encode(fitting[0])
        yield self.tekken.special.args
        if not is_json(arguments):  # an agent has quoted its user's words
            arguments = arguments.replace('\\"', '"')
        yield from self.tekken.encode(arguments)
