"""Where a client that is a program runs, and what all of them are asked."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients import environments as places

SECRET = "7261"
NOTE = f"the secret is {SECRET}\n"
WORDS = "Grüße, 42"
LIMIT_S = 180

Abilities = dict[str, Callable[[], str | None]]


@dataclass(frozen=True)
class Shell:
    """Where a program runs: a home and a folder of its own, and nothing but this server."""

    url: str
    model: str
    folder: Path
    is_nano: bool = False

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def work(self) -> Path:
        return self.folder / "work"

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def run(self, *command: str, **env: str) -> str:
        """What it prints, both ways."""
        nowhere = "http://127.0.0.1:9"
        shown = {"HOME": str(self.home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8",
                 "HTTP_PROXY": nowhere, "HTTPS_PROXY": nowhere, "NO_PROXY": "127.0.0.1,localhost",
                 "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200"}  # fmt: skip
        done = subprocess.run(
            command, cwd=self.work, env=shown | env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT_S,
        )  # fmt: skip
        if done.returncode:
            raise AssertionError(f"exit {done.returncode}: {done.stdout[-600:]}")
        return done.stdout


def need(claim: Any, met: Any) -> None:
    if not claim:
        raise AssertionError(str(met)[-600:])


def say(shell: Shell) -> str:
    return "What is 17+25?" if shell.is_nano else f"say <<{WORDS}>>"


def has_answer(shell: Shell, text: str) -> bool:
    return bool(text.strip()) if shell.is_nano else WORDS in text


def driver(python: str, name: str) -> Callable[[Shell], Abilities]:
    """A client that is a library: what its driver says."""

    def abilities(shell: Shell) -> Abilities:
        file = places.HERE / "drivers" / f"{name}.py"
        command = (python, "-W", "ignore", str(file))
        if python == "node":
            command = ("node", str(places.NPM / "drivers" / f"{name}.mjs"))
        more = ("nano",) if shell.is_nano else ()
        shown = shell.run(*command, shell.url, shell.model, *more)
        told = [json.loads(line) for line in shown.splitlines() if line.startswith("{")]

        def give(one: dict[str, Any]) -> str:
            need(one["passed"], one["note"])
            return one["note"]

        return {one["ability"]: lambda one=one: give(one) for one in told}

    return abilities
