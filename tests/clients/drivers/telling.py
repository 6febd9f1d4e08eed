"""What the drivers share: what is asked, and how a driver tells what its client could do.

A driver runs in its client's own environment, so it knows nothing of the server but its address:
`python DRIVER URL MODEL [nano]`. It prints a line of JSON for each ability.
"""

import base64
import json
import struct
import sys
import traceback
import zlib
from collections.abc import Callable
from typing import Any

URL, MODEL, *MORE = sys.argv[1:]
IS_NANO = "nano" in MORE
"""A real model of 4,096 positions, which says what it likes; else a script, which obeys."""

HELLO = 'Grüße, 42 — héllo 👋🏽 {"a": [1]} </s> [TOOL_CALLS]'
SAY = "What is 17+25?" if IS_NANO else f"say <<{HELLO}>>"
CALL = 'call add <<{"a": 17, "b": 25}>>'
LOOK = "What is this?" if IS_NANO else "look"
THOUGHT = "one step after the other"
MAX_TOKENS = 600 if IS_NANO else 4000

PARAMETERS = {
    "type": "object",
    "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
    "required": ["a", "b"],
}


def picture(side: int = 56) -> str:
    """A red square as a data URL."""
    rows = b"".join(b"\0" + b"\xff\0\0" * side for _ in range(side))

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + parts).decode()


def need(claim: Any, met: Any) -> None:
    """Fail with what was met unless the claim holds."""
    if not claim:
        raise AssertionError(repr(met)[:600])


def need_answer(text: Any) -> None:
    """The answer to `SAY`."""
    need(isinstance(text, str) and (text.strip() if IS_NANO else text == HELLO), text)


def need_thought(text: Any) -> None:
    """A trace that was not lost."""
    need(isinstance(text, str) and text and (IS_NANO or THOUGHT in text), text)


def need_seen(text: Any) -> None:
    """The answer to `LOOK` with `picture()`."""
    need(isinstance(text, str) and (text.strip() if IS_NANO else "1 picture(s), 2 rows" in text),
         text)  # fmt: skip


def tell(**abilities: Callable[[], Any]) -> None:
    """Try each ability; what a function returns is a note. Under nano tools are not tried."""
    for ability, attempt in abilities.items():
        if IS_NANO and ability == "tools":
            continue
        try:
            note, passed = attempt() or "", True
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            note, passed = f"{type(error).__name__}: {error} ({last.name})", False
        told = {"ability": ability, "passed": passed, "note": str(note)}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
