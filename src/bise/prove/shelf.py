"""Searches of a server on disk, so that they are there again after it was stopped.

A folder for each: what was wanted, the events and the state of the search as `RunLog` keeps them,
and at the end all there was to see. One without an end was interrupted. No key is ever kept.
"""

import fcntl
import json
import logging
import re
import shutil
from pathlib import Path

from bise.errors import UserError
from bise.prove.run import Run, Wanted
from bise.prove.runlog import write_whole
from bise.prove.workspace import Workspace

log = logging.getLogger(__name__)

FORMAT = 1
WANTED, ENDED, LOCK = "wanted.json", "ended.json", "lock"
NAME = re.compile(r"[\w-]{22}", re.ASCII)
"""Of a run, and so of its folder."""


class Shelf:
    """The folder of a server's searches. Only one process has it at a time."""

    def __init__(self, folder: Path):
        """Raises `UserError` if it cannot be written, or another server has it."""
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = (folder / LOCK).open("w")
        except OSError as fault:
            raise UserError(
                f"`{folder}` cannot keep searches: {fault}", hint="name another with `searches`"
            ) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise UserError(
                f"another server keeps its searches in `{folder}`",
                hint="name another folder with `searches`",
            ) from None

    def close(self) -> None:
        """Let others have it."""
        self._lock.close()

    def folder_of(self, name: str) -> Path:
        return self._folder / name

    def begin(self, run: Run) -> None:
        """Write down what is wanted. Raises `UserError`."""
        wanted = run.wanted
        about = {
            "format": FORMAT,
            "owner": run.owner,
            "began": run.began,
            "name": wanted.name,
            "minutes": wanted.minutes,
            "tokens": wanted.tokens,
            "attempts": wanted.attempts,
            "model": wanted.model,
            "source": wanted.work.challenge,
        }
        write_whole(self.folder_of(run.id) / WANTED, json.dumps(about))

    def end(self, run: Run) -> None:
        """Write down what it came to. Raises `UserError`."""
        path = self.folder_of(run.id) / ENDED
        write_whole(path, json.dumps(run.seen(0), ensure_ascii=False))

    def forget(self, name: str) -> None:
        """Take a run away; if that fails it is told, and the run is there again one day."""
        try:
            shutil.rmtree(self.folder_of(name))
        except OSError as fault:
            log.warning("the search in `%s` stays: %s", self.folder_of(name), fault)

    def found(self) -> list[Run]:
        """The runs of earlier servers, the oldest first; what cannot be read is told and left."""
        runs = list[Run]()
        for path in self._folder.glob(f"*/{WANTED}"):
            if not NAME.fullmatch(path.parent.name):
                continue
            try:
                runs.append(_read(path.parent))
            except (OSError, ValueError, KeyError, TypeError) as fault:
                log.warning("the search in `%s` cannot be read: %s", path.parent, fault)
        return sorted(runs, key=lambda one: one.began)


def _read(folder: Path) -> Run:
    """A run as it was when its server ended."""
    about = json.loads((folder / WANTED).read_text(encoding="utf-8"))
    if about["format"] != FORMAT:
        raise UserError(f"it has format {about['format']}, expected {FORMAT}")
    wanted = Wanted(
        work=Workspace(about["source"]),
        name=str(about["name"]),
        minutes=float(about["minutes"]),
        tokens=int(about["tokens"]),
        attempts=int(about["attempts"]),
        model=about["model"],
    )
    run = Run(
        id=folder.name,
        owner=str(about["owner"]),
        wanted=wanted,
        folder=folder,
        began=float(about["began"]),
    )
    ended = folder / ENDED
    if ended.exists():
        run.restore(json.loads(ended.read_text(encoding="utf-8")))
    else:
        run.interrupt()
    return run
