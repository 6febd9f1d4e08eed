"""Small jobs on words, letters and digits: copy, count, sort, follow a rule.

Copying and replacing reach over strings twice as long as a trained chain of arithmetic. The pilot
failed on longer chains in the copy, not in the sum, so this is where length is learned.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from bise.evals.task import Example, HoldOut, Task
from bise.evals.text_formats import draw_format
from bise.evals.text_kinds import (
    MAX_ITEMS,
    Draft,
    draw_copy,
    draw_count,
    draw_pick,
    draw_replace,
    draw_reverse,
    draw_sort,
    draw_turn,
)

KINDS: dict[str, Callable[[Random, int], Draft]] = {
    "copy": draw_copy,
    "pick": draw_pick,
    "replace": draw_replace,
    "format": draw_format,
    "count": draw_count,
    "reverse": draw_reverse,
    "turn": draw_turn,
    "sort": draw_sort,
}
"""What draws each level, given how many items (words, or terms of a sum) there are."""


@dataclass(frozen=True, slots=True)
class Text(Task):
    """Do something small and exact with a text."""

    name = "text"
    levels = tuple(KINDS)
    shape_levels = ("long copy", "long reverse", "long sort")

    def draw(self, rng: Random, level: str, reach: float) -> Example:
        if level in self.shape_levels:
            num_items = rng.randint(MAX_ITEMS + 1, MAX_ITEMS + 3)
        else:
            num_items = rng.randint(2, 2 + round((MAX_ITEMS - 2) * min(1.0, 0.25 + reach)))
        kind = level.removeprefix("long ")
        draft = KINDS[kind](rng, num_items)
        return Example(
            task=self.name,
            level=level,
            question=draft.question,
            answer=draft.answer,
            thinking=draft.thinking,
            form=f"{kind}: {draft.form}",
            system=draft.system,
        )

    def grade(self, example: Example, reply: str) -> float:
        """1.0 for the exact text; a count may stand in a sentence."""
        if example.level == "count":
            return float(re.findall(r"\d+", reply)[-1:] == [example.answer])
        reply = reply.strip()
        if not example.answer.endswith("."):
            reply = reply.removesuffix(".")
        return float(reply == example.answer)

    def hold_outs(self) -> dict[str, HoldOut]:
        # Pairs of five hundred words alone are a quarter of a million forms; letters of five
        # hundred words with five hundred letter strings of each length more than ten thousand.
        kinds = {level: HoldOut("content", 250_000) for level in self.levels}
        return kinds | {level: HoldOut("shape", 10**9) for level in self.shape_levels}

    def answer_class(self, example: Example) -> str:
        if example.level == "count":
            return f"count {example.answer}"
        return " ".join(example.form.split(":")[:2]) if example.level == "format" else example.level
