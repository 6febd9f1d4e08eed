"""Compiled challenges, kept by what they were made from: a challenge is compiled once.

Whoever may write to the folder may change what challenges mean; it belongs to the person's cache.
A file that is not whole is not there.
"""

import hashlib
import os
import struct
import tempfile
from contextlib import suppress
from pathlib import Path

from bise.judge.backend import Parts

MARK = b"bise1"


def key_of(*texts: str) -> str:
    """A name for what was made from some texts."""
    found = hashlib.sha256()
    for text in texts:
        raw = text.encode("utf-8", "surrogatepass")
        found.update(struct.pack("<Q", len(raw)) + raw)
    return found.hexdigest()


def read_kept(folder: Path, key: str) -> Parts | None:
    """The parts of a compiled file, if they were kept."""
    try:
        raw = (folder / key).read_bytes()
    except OSError:
        return None
    head = len(MARK) + 32
    if raw[: len(MARK)] != MARK or hashlib.sha256(raw[head:]).digest() != raw[len(MARK) : head]:
        return None
    parts, at = [], head
    while at < len(raw):
        (size,) = struct.unpack_from("<Q", raw, at)
        parts.append(raw[at + 8 : at + 8 + size])
        at += 8 + size
    return tuple(parts)


def keep(folder: Path, key: str, parts: Parts) -> None:
    """Keep the parts of a compiled file; a full disk or a read-only folder is no fault."""
    body = b"".join(struct.pack("<Q", len(part)) + part for part in parts)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(MARK + hashlib.sha256(body).digest() + body)
            Path(name).replace(folder / key)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
