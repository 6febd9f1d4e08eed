"""The signed log of verdicts: one line each, each bound to the one before.

The key lies beside the log and is made with it. Whoever can read the key can sign: this shows that
lines were not changed or taken out afterwards by someone who could not.
"""

import fcntl
import hashlib
import hmac
import json
import os
import secrets
import time
from pathlib import Path
from typing import Any

from bise.errors import UserError
from bise.judge.report import Verdict

LOG, KEY = "verdicts.jsonl", "verdicts.key"
KEY_BYTES = 32


def sign(folder: Path, verdict: Verdict) -> str:
    """Write a verdict into the log of a folder; returns its signature. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOG).open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        key = _key(folder)  # which another one may be about to make
        line = {"time_s": int(time.time()), "before": _last_signature(file), **verdict.as_json()}
        signature = _signature(key, line)
        file.write(json.dumps({**line, "signature": signature}).encode() + b"\n")
    return signature


def check_log(folder: Path) -> int:
    """How many verdicts a log holds. Raises `UserError` for the first that was changed."""
    key, before, count = _key(folder), "", 0
    for count, raw in enumerate((folder / LOG).read_bytes().splitlines(), 1):
        try:
            line = json.loads(raw)
            signature = line.pop("signature")
            is_right = hmac.compare_digest(signature, _signature(key, line))
        except (ValueError, KeyError, TypeError, AttributeError):
            is_right, line, signature = False, {}, ""
        if not is_right or line.get("before") != before:
            raise UserError(f"line {count} of the log of verdicts is not as it was signed")
        before = signature
    return count


def _signature(key: bytes, line: dict[str, Any]) -> str:
    text = json.dumps(line, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _last_signature(file: Any) -> str:
    """Of the line before; the whole file is read only if its last line is very long."""
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        return ""
    for back in (1 << 16, size):
        file.seek(max(0, size - back))
        lines = file.read().splitlines()
        if len(lines) > 1 or back >= size:
            break
    try:
        return str(json.loads(lines[-1])["signature"])
    except (ValueError, KeyError, TypeError):
        return "broken"


def _key(folder: Path) -> bytes:
    path = folder / KEY
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = path.read_bytes()
        if len(key) < KEY_BYTES:  # the disk was full: with none, anyone could sign
            raise OSError(f"`{path}` holds no whole key; take it away") from None
        return key
    with os.fdopen(descriptor, "wb") as file:
        key = secrets.token_bytes(KEY_BYTES)
        file.write(key)
    return key
