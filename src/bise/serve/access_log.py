"""One line of JSON for each request that has ended: what it cost, and never what it said.

With `keeps_ids` (`bise serve --log-prompts`) a list of prompts and one of replies are in it too, as
the model saw them.
"""

import json
import logging
import os
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from bise.errors import UserError
from bise.serve.visit import Visit
from bise.text import Tekken

log = logging.getLogger(__name__)

PATH_CHARS = 200
FILE_MODE = 0o640
"""Of a new file: its group may ship logs, nobody else has to read them."""


class AccessLog:
    """Writes lines to a file, which may be moved away and is made again; or to stderr."""

    def __init__(self, target: str, *, keeps_ids: bool = False):
        """target: a path, or `-` for stderr; keeps_ids: prompts and replies are written too"""
        self.path = None if target == "-" else Path(target)
        self.keeps_ids = keeps_ids
        self._lock = threading.Lock()
        self._out: TextIO = sys.stderr
        self._inode = 0
        self._open()

    def tell(self, visit: Visit, model: str, dialect: str, tekken: Tekken) -> None:
        """A request has ended."""
        fields = fields_of(visit, model, dialect)
        if self.keeps_ids and visit.num_replies:
            for name, each in (("prompt", visit.prompt_ids), ("reply", visit.reply_ids)):
                fields[name] = [tekken.decode(ids, show_control=True) for ids in each]
        line = json.dumps(fields, ensure_ascii=False) + "\n"
        with self._lock:
            self._follow()
            try:
                self._out.write(line)
                self._out.flush()
            except OSError as fault:  # a full disk is no reason to stop serving
                log.warning("a line of the access log is lost: %s", fault.strerror)

    def close(self) -> None:
        if self.path is not None:
            shut(self._out)

    def _open(self) -> None:
        if self.path is None:
            return
        try:
            opened = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, FILE_MODE)
            self._inode = os.fstat(opened).st_ino
            self._out = os.fdopen(opened, "a", encoding="utf-8", errors="backslashreplace")
        except OSError as fault:
            reason = (fault.strerror or str(fault)).lower()
            raise UserError(
                f"cannot write the log `{self.path}`: {reason}", hint="name another `--access-log`"
            ) from None

    def _follow(self) -> None:
        """Begin a new file if somebody has moved this one away, as logrotate does."""
        if self.path is None:
            return
        try:
            is_same = self.path.stat().st_ino == self._inode
        except OSError:
            is_same = False
        if is_same:
            return
        old = self._out
        try:
            self._open()
        except UserError as fault:  # what is written to the old file is not lost yet
            log.warning("%s", fault.message)
        else:
            shut(old)


def shut(out: TextIO) -> None:
    """Close a file. What a full disk did not take was told to be lost already."""
    with suppress(OSError):
        out.close()


def fields_of(visit: Visit, model: str, dialect: str) -> dict[str, Any]:
    """What a line says; what there is nothing to say of is left out."""
    found: dict[str, Any] = {
        "time": datetime.fromtimestamp(visit.began_ns / 1e9, UTC).isoformat(
            timespec="milliseconds"
        ),
        "request_id": visit.request_id,
        "client": visit.client,
        "key": visit.key_name,
        "method": visit.method,
        "path": visit.path[:PATH_CHARS],
        "status": visit.status,
        "error": visit.error,
        "seconds": round(visit.lasted_s, 4),
        "trace_id": visit.trace.trace_id if visit.trace is not None else "",
    }
    if visit.num_replies:
        found |= {
            "model": model,
            "dialect": dialect,
            "replies": visit.num_replies,
            "prompt_tokens": visit.prompt_tokens,
            "cached_tokens": visit.cached_tokens,
            "completion_tokens": visit.completion_tokens,
            "queue_seconds": rounded(visit.queued_s),
            "first_token_seconds": rounded(visit.first_token_s),
            "finish_reasons": list(visit.finish_reasons),
        }
    return {name: value for name, value in found.items() if value not in ("", None)}


def rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)
