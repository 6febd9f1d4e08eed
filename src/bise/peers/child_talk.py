"""The other end of `talk.py`, for peers in other Pythons: ids out of a file, an answer a command.

Imports nothing of this project and nothing besides torch; a child has this folder on its path.
"""

import os
import sys
from array import array
from pathlib import Path

import torch
from torch import Tensor


def read_ids(path: str, *shape: int) -> Tensor:
    """Ids as int64 of that shape."""
    ids = array("i")
    ids.frombytes(Path(path).read_bytes())
    return torch.tensor(ids, dtype=torch.int64).view(shape)


class Pipe:
    """Where answers go: the stdout we were given. What an engine prints goes to stderr from now."""

    def __init__(self):
        self._file = os.fdopen(os.dup(sys.stdout.fileno()), "w")
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def say(self, mark: str, words: str) -> None:
        """One line, whatever is in the words."""
        print(mark, *words.split(), file=self._file, flush=True)

    def fail(self, fault: Exception) -> None:
        self.say("error", f"{type(fault).__name__}: {fault}")

    def serve(self, answers: object, about: str) -> None:
        """Answer commands until there are no more. answers: a method for each, seconds back"""
        self.say("ready", about)
        for line in sys.stdin:
            command, *rest = line.split()
            try:
                seconds = getattr(answers, command)(*rest)
            except (OSError, ValueError, RuntimeError) as fault:
                self.fail(fault)
            else:
                self.say("ok", f"{seconds:.9f}")
