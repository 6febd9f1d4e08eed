"""Call functions that the user offers, and answer from what they give back.

Functions are invented: what has to be called and with what stands in the schema and the question,
and nowhere in the memory of the model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from bise.evals.task import Example, HoldOut, Task, calls_text
from bise.evals.tools.answers import draw_error, draw_none, draw_result
from bise.evals.tools.draft import Draft
from bise.evals.tools.kinds import (
    draw_choice,
    draw_lists,
    draw_one_string,
    draw_options,
    draw_two,
    draw_typed,
    draw_unseen,
)
from bise.evals.tools.marks import mark_calls, mark_words
from bise.evals.tools.sums import draw_sum

KINDS: dict[str, Callable[[Random, float], Draft]] = {
    "one string": draw_one_string,
    "types": draw_typed,
    "choice": draw_choice,
    "results": draw_result,
    "lists": draw_lists,
    "sums": draw_sum,
    "options": draw_options,
    "errors": draw_error,
    "none fits": draw_none,
    "two calls": draw_two,
}
"""What draws each level, given how much of its difficulty is open."""


@dataclass(frozen=True, slots=True)
class Tools(Task):
    """Call what is offered, tell what came back, or say that nothing offered fits."""

    name = "tools"
    levels = tuple(KINDS)
    shape_levels = ("unseen names",)

    def draw(self, rng: Random, level: str, reach: float) -> Example:
        draft = (draw_unseen if level in self.shape_levels else KINDS[level])(rng, reach)
        return Example(
            task=self.name,
            level=level,
            question=draft.question,
            answer=calls_text(draft.calls) if draft.calls else draft.answer,
            thinking=draft.thinking,
            form=f"{level}: {draft.form}",
            tools=draft.tools,
            given=draft.given,
            calls=draft.calls,
        )

    def grade(self, example: Example, reply: str) -> float:
        """1.0 for the right calls, or for the right words and no call."""
        return mark_calls(example, reply) if example.calls else mark_words(example, reply)

    def hold_outs(self) -> dict[str, HoldOut]:
        # A city, name, word or code for each of some functions alone would be few, but notes and
        # songs have up to three of five hundred words: each level has far more than 100,000.
        kinds = {level: HoldOut("content", 100_000) for level in self.levels}
        return kinds | {level: HoldOut("shape", 10**6) for level in self.shape_levels}

    def answer_class(self, example: Example) -> str:
        """The level, and whether a call or words are wanted."""
        return f"{example.level} {'calls' if example.calls else 'says'}"
