"""`bise eval`: how good a model is at what nano learns, with and without thinking."""

from pathlib import Path

from bise.commands.outputs import need_folder
from bise.commands.show import out, progress_bar, waiting
from bise.engine import use_threads_for
from bise.errors import NotFound, UserError, quoted
from bise.evals import (
    TASKS,
    Task,
    evaluate,
    load_records,
    replace_scores,
    save_records,
    summarise,
    table_lines,
    update_page,
)
from bise.evals.asking import Asker
from bise.evals.plot import figure
from bise.evals.runner import draw_questions
from bise.serve.loading import load_model, locate_weights

EFFORTS = ("none", "high")
RECORDS_FOLDER = "evals"
"""Beside a model's weights, where the records of its report lie."""


def run_eval(
    name: str, task_names: list[str], num: int, seed: int, folder: Path | None, dtype: str | None
) -> None:
    """Ask, mark, show the table, and keep records and picture."""
    tasks = chosen(task_names)
    if folder is not None:
        need_folder(folder)
    total = sum(len(draw_questions(task, num, seed, True)) for task in tasks) * len(EFFORTS)
    with waiting(f"reading {name}"):
        model = load_model(name, dtype)
    use_threads_for(model.config)
    console = out()
    with progress_bar("asking", total) as done:
        num_done = 0

        def count() -> None:
            nonlocal num_done
            num_done += 1
            done(num_done)

        asker = Asker(model.computing, model.chat, seed=seed, progress=count)
        records = evaluate(asker, tasks, num, EFFORTS, seed)
    for line in table_lines(summarise(records)):
        console.print(line, markup=False)
    if folder is not None:
        save_records(records, folder)
        drawn = figure(records, folder / "score-against-length")
        console.print(f"\nrecords, summary and {drawn[0].name} are in {folder}", markup=False)


def chosen(names: list[str]) -> list[Task]:
    """The tasks of these names; all if none are given."""
    unknown = [name for name in names if name not in TASKS]
    if unknown:
        raise UserError(f"there is no task `{unknown[0]}`", hint=f"there are {quoted(TASKS)}")
    return [TASKS[name] for name in names or TASKS]


def run_report(name: str, page: Path, records: Path | None, *, is_check: bool) -> bool:
    """Bring the numbers of a page up to date; whether they were."""
    folder = records or locate_weights(name) / RECORDS_FOLDER
    if not page.is_file():
        raise NotFound(f"there is no page `{page}`", hint="name it with `--page`")
    try:
        if is_check:
            text = page.read_text(encoding="utf-8")
            is_current = replace_scores(text, summarise(load_records(folder))) == text
        else:
            is_current = not update_page(page, folder)
    except UnicodeDecodeError:
        raise UserError(f"`{page}` is not UTF-8", hint="name a page of text") from None
    stale = "is stale" if is_check else "was brought up to date"
    out().print(f"{page} {'is up to date' if is_current else stale}", markup=False)
    return is_current
