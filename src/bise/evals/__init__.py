"""Asks questions, marks answers, draws score against length."""

from bise.evals.chain import Chain
from bise.evals.lean.tasks import Lean
from bise.evals.python.tasks import Python
from bise.evals.read import Read
from bise.evals.records import load_records, replace_scores, save_records, update_page
from bise.evals.report import Summary, report_markdown, summarise, table_lines
from bise.evals.runner import Record, Replied, evaluate
from bise.evals.self_tasks import Self
from bise.evals.task import Example, HoldOut, Split, Task, is_held_out
from bise.evals.text_tasks import Text
from bise.evals.tools.tasks import Tools

TASKS: dict[str, Task] = {
    task.name: task for task in (Chain(), Read(), Text(), Self(), Tools(), Python(), Lean())
}
"""The skills of `nano`, by name."""

__all__ = [
    "TASKS",
    "Chain",
    "Example",
    "HoldOut",
    "Lean",
    "Python",
    "Read",
    "Record",
    "Replied",
    "Self",
    "Split",
    "Summary",
    "Task",
    "Text",
    "Tools",
    "evaluate",
    "is_held_out",
    "load_records",
    "replace_scores",
    "report_markdown",
    "save_records",
    "summarise",
    "table_lines",
    "update_page",
]
