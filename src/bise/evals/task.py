"""What a skill is: it makes questions, solves them in writing, and marks replies.

Training, evaluation and rewards use the same class, so what is taught is what is measured. What
is never taught is decided here too: a hash of an example's content, or, where a level is too small
for that, of its rendering or phrasing, puts one sixteenth aside.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import ClassVar, Literal

from PIL import Image

from bise.errors import UserError, quoted
from bise.text.messages import ImagePart, Message, TextPart, ThinkPart, Tool, ToolCall

Split = Literal["train", "held_out"]

NUM_SHARES = 16
"""One of so many equal parts of the hash space is never trained on."""

MIN_FORMS = 10_000
"""A level with fewer forms trains all its content, and holds out renderings or phrasings."""


@dataclass(frozen=True, slots=True)
class Example:
    """One question with its right answer, and a worked solution a person can follow."""

    task: str
    level: str
    """Reports are made for each level apart."""

    question: str
    """What the user types."""

    answer: str
    """What a right reply says."""

    thinking: str
    """The worked solution, shown to the model as what to think; never empty."""

    image: Image.Image | None = None
    """Grey or RGB, both sides multiples of 28 pixels."""

    form: str = ""
    """The canonical form of what is asked; its hash decides whether this may be trained on."""

    system: str = ""
    """The system prompt this example wants, such as a rule on how to answer."""

    tools: tuple[Tool, ...] = ()
    """Functions the model is offered in the whole conversation."""

    given: tuple[Message, ...] = ()
    """What already came between question and answer: calls of the model, and their results.

    Calls carry their thinking; without effort it is left out (`asked`)."""

    calls: tuple[ToolCall, ...] = ()
    """What a right reply calls instead of answering; `answer` is then their `calls_text`."""


@dataclass(frozen=True, slots=True)
class HoldOut:
    """How a level keeps examples from training, and how many forms it has."""

    kind: Literal["content", "rendering", "phrasing", "shape"]
    num_forms: int
    """Forms of the content, or a lower bound where they are past counting."""


class Task(ABC):
    """A skill: `sample` makes an example, `grade` marks a reply to it."""

    name: ClassVar[str]
    levels: ClassVar[tuple[str, ...]]
    """What is trained, easy to hard."""

    shape_levels: ClassVar[tuple[str, ...]] = ()
    """Longer or larger than anything trained; evaluated and reported apart."""

    @abstractmethod
    def draw(self, rng: Random, level: str, reach: float) -> Example:
        """Make an example of a level, whichever split it falls into."""

    @abstractmethod
    def grade(self, example: Example, reply: str) -> float:
        """Score the visible reply between 0 and 1. Pure: it serves as a reward as well."""

    @abstractmethod
    def hold_outs(self) -> dict[str, HoldOut]:
        """Say for every level, shapes included, what is kept from training."""

    def answer_class(self, example: Example) -> str:
        """Name the kind of answer; no kind may be missing from training."""
        return example.level

    def is_held_out(self, example: Example) -> bool:
        """Tell whether training must never see this example."""
        return example.level in self.shape_levels or is_held_out(example.form)

    def open_levels(self, reach: float) -> tuple[str, ...]:
        """The levels a curriculum has opened; `reach` 0 opens the first, 1 all."""
        return self.levels[: 1 + int(reach * len(self.levels))]

    def sample(
        self,
        rng: Random,
        level: str | None = None,
        split: Split = "train",
        reach: float = 1.0,
    ) -> Example:
        """Make an example of one split. Without a level the open ones get equal shares."""
        if level is None:
            level = rng.choice(self.open_levels(reach))
        self.check_level(level, split)
        while True:
            example = self.draw(rng, level, reach)
            if self.is_held_out(example) == (split == "held_out"):
                return example

    def check_level(self, level: str, split: Split) -> None:
        """Refuse a level that does not exist, and training on one kept for evaluation."""
        if level not in self.levels + self.shape_levels:
            raise UserError(
                f"`{level}` is no level of the task `{self.name}`",
                hint=f"it has {quoted(self.levels + self.shape_levels)}",
            )
        if split == "train" and level in self.shape_levels:
            raise UserError(
                f"`{level}` of the task `{self.name}` is never trained",
                hint='ask for it with `split="held_out"`',
            )


def asked(example: Example, effort: str) -> list[Message]:
    """What the user asks, and what came before the reply; without effort there is no thinking."""
    picture = () if example.image is None else (ImagePart(example.image),)
    given = example.given
    if effort == "none":
        given = tuple(
            replace(one, parts=tuple(part for part in one.parts if not isinstance(part, ThinkPart)))
            for one in given
        )
    return [Message("user", (*picture, TextPart(example.question))), *given]


def calls_text(calls: Sequence[ToolCall]) -> str:
    """Calls as marking and records see them: a name and its JSON a line."""
    return "\n".join(f"{call.name} {call.arguments}" for call in calls)


def is_held_out(form: str) -> bool:
    """Tell whether a form lies in the sixteenth of the hash space kept from training.

    A true hash: a residue of the text would, for sums, be a function of the digit sum, and whole
    classes of answers would never be trained.
    """
    return hashlib.sha256(form.encode()).digest()[0] < 256 // NUM_SHARES
