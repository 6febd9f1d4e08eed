"""How the command line speaks: results to stdout, everything else to stderr, colour if wanted."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from bise.errors import UserError


class Told(Console):
    """A console whose reader may leave: that ends the command, and is no failure."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError  # rich would exit with 1


def out() -> Console:
    """Where results go. Made when needed, so that a redirected stdout is seen."""
    return Told(highlight=False, soft_wrap=True, emoji=False)


def err() -> Console:
    """Where progress and errors go."""
    return Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def tell_error(error: UserError) -> None:
    """Two lines: what is wrong, and what to do."""
    console = err()
    lines = [Text.assemble(("error:", "bold red"), f" {error.message}")]
    if error.hint:
        lines.append(Text.assemble(("hint:", "bold"), f" {error.hint}"))
    for line in lines:
        console.print(line)


@contextmanager
def waiting(words: str) -> Generator[None, None, None]:
    """Say what is being waited for, in a terminal; gone when it is done."""
    console = err()
    if not console.is_terminal:
        yield
        return
    with console.status(Text(words, style="dim"), spinner="dots"):
        yield


@contextmanager
def progress_bar(
    words: str, total: int, unit: str = ""
) -> Generator[Callable[[float], None], None, None]:
    """A bar on stderr; call what it gives with the number done so far."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %") if unit == "%" else MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err(), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(words, total=total)
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def loading_bar(words: str, *, unit: str = "") -> Generator[Callable[[int, int], None], None, None]:
    """A bar of bytes on stderr, in a terminal, gone when it is full.

    Call what it gives with the bytes done and those in all; it only moves until then.
    unit: what is counted, if it is not bytes.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}"))
    is_shown = sys.stderr.isatty()
    with Progress(*columns, console=err(), disable=not is_shown, transient=True) as progress:
        task = progress.add_task(words, total=None, count="")

        def tell(done: int, total: int) -> None:
            shown = f"{done / 1e9:.1f} of {total / 1e9:.1f} GB"
            if unit:
                shown = f"{done:,} of {total:,} {unit}"
            progress.update(task, completed=done, total=total, count=shown)

        yield tell
