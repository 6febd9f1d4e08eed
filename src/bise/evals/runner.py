"""Asks a model the questions of some tasks and keeps one record of every reply."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random

from bise.errors import UserError
from bise.evals.task import Example, Task


@dataclass(frozen=True, slots=True)
class Replied:
    """What a model wrote for one question."""

    answer: str
    thinking: str
    is_well_formed: bool
    """Whether the tokens were in order: thinking only where asked for, closed, ended by itself."""

    num_tokens: int
    """Tokens written, thinking included."""

    finish_reason: str
    """`stop` when the model ended by itself, `length` when it was cut."""


@dataclass(frozen=True, slots=True)
class Record:
    """One question, one reply, one mark. All reports can be computed from these."""

    task: str
    level: str
    is_shape: bool
    """Whether the level is longer or larger than anything trained."""

    effort: str
    seed: int
    place: int
    """Which example of the level; the same for all efforts, so that they can be paired."""

    question: str
    expected: str
    answer: str
    thinking_chars: int
    answer_chars: int
    num_tokens: int
    score: float
    is_well_formed: bool
    finish_reason: str

    @property
    def written_chars(self) -> int:
        return self.thinking_chars + self.answer_chars


Ask = Callable[[list[tuple[Example, str]]], Sequence[Replied]]
"""Puts questions, each with an effort, to a model. How it samples is its own business."""


@dataclass(frozen=True, slots=True)
class Question:
    """An example and where it stands in a run."""

    example: Example
    is_shape: bool
    seed: int
    place: int


def evaluate(
    ask: Ask,
    tasks: Iterable[Task],
    num_per_task: int,
    efforts: Sequence[str] = ("none", "high"),
    seed: int = 0,
    shapes: bool = True,
) -> list[Record]:
    """Ask every task's held-out questions at every effort, and mark the replies.

    The levels of a task get equal shares of `num_per_task`; each shape level gets as many more.
    The same questions are asked at all efforts.
    """
    records: list[Record] = []
    for task in tasks:
        questions = draw_questions(task, num_per_task, seed, shapes)
        asked = [(question, effort) for effort in efforts for question in questions]
        replies = ask([(question.example, effort) for question, effort in asked])
        assert len(replies) == len(asked), "one reply is needed for every question"
        for (question, effort), replied in zip(asked, replies, strict=True):
            records.append(make_record(task, question, effort, replied))
    return records


def draw_questions(task: Task, num: int, seed: int, shapes: bool) -> list[Question]:
    """Draw held-out questions; a level's do not depend on which others are drawn."""
    if num < len(task.levels):
        raise UserError(
            f"{num} questions cannot be shared among {len(task.levels)} levels of `{task.name}`",
            hint="ask at least one question a level",
        )
    each, more = divmod(num, len(task.levels))
    nums = {level: each + (place < more) for place, level in enumerate(task.levels)}
    nums |= dict.fromkeys(task.shape_levels if shapes else (), each)
    questions: list[Question] = []
    for level, count in nums.items():
        rng = Random(f"{seed} {task.name} {level}")
        for place in range(count):
            example = task.sample(rng, level, split="held_out")
            questions.append(Question(example, level in task.shape_levels, seed, place))
    return questions


def make_record(task: Task, question: Question, effort: str, replied: Replied) -> Record:
    """Mark one reply. A malformed one is marked as well: its answer may be empty, not excused."""
    example = question.example
    return Record(
        task=example.task,
        level=example.level,
        is_shape=question.is_shape,
        effort=effort,
        seed=question.seed,
        place=question.place,
        question=example.question,
        expected=example.answer,
        answer=replied.answer,
        thinking_chars=len(replied.thinking),
        answer_chars=len(replied.answer),
        num_tokens=replied.num_tokens,
        score=task.grade(example, replied.answer),
        is_well_formed=replied.is_well_formed,
        finish_reason=replied.finish_reason,
    )
