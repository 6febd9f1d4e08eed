"""Asks questions, marks answers, draws score against length."""

from bise.evals.chain import Chain
from bise.evals.read import Read
from bise.evals.self_tasks import Self
from bise.evals.task import Example, HoldOut, Task, is_held_out
from bise.evals.text_tasks import Text

TASKS: dict[str, Task] = {task.name: task for task in (Chain(), Read(), Text(), Self())}
"""The skills of `nano`, by name."""

__all__ = [
    "TASKS",
    "Chain",
    "Example",
    "HoldOut",
    "Read",
    "Self",
    "Task",
    "Text",
    "is_held_out",
]
