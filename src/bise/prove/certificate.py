"""A certificate: challenge, submission, verdict and hashes in a folder that can be judged again."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from bise.errors import UserError
from bise.judge import Request, Verdict
from bise.prove.runlog import write_whole

FORMAT = 1
FILES = {
    "challenge": "challenge.lean",
    "submission": "submission.lean",
    "examples": "examples.lean",
}
ABOUT = "certificate.json"
MAX_BYTES = 8 << 20

FAULTS = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,  # a number without an end
    RecursionError,  # lists within lists
)
"""What reading a folder that is no certificate may raise."""


def write_certificate(folder: Path, request: Request, verdict: Verdict) -> None:
    """Write a folder for an accepted submission. Raises `UserError` for any other."""
    if not verdict.is_accepted:
        raise UserError(f"there is no certificate for what is {verdict.verdict}")
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"`{folder}` is not empty", hint="name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    files = dict[str, str]()
    for what, name in FILES.items():
        text = getattr(request, what)
        if text is not None:
            write_whole(folder / name, text)
            files[name] = _digest(text.encode("utf-8", "surrogatepass"))
    about = {
        "format": FORMAT,
        "files": files,
        "disproves": list(request.disproves),
        "allows_predicates": request.allows_predicates,
        "timeout_s": request.timeout_s,
        "verdict": verdict.as_json(),
    }
    about["hash"] = _digest(_plain(about))
    write_whole(folder / ABOUT, json.dumps(about, ensure_ascii=False, indent=1) + "\n")


def check_certificate(folder: Path, judge: Callable[[Request], Verdict]) -> Verdict:
    """Judge a certificate again: every byte as it was, and accepted once more.

    Another Lean may have been used then; the new verdict names its own. Raises `UserError` if the
    folder is no certificate or was changed.
    """
    try:
        about = json.loads(_raw(folder / ABOUT))
        known, files = about.pop("hash"), dict(about["files"])
        if about["format"] != FORMAT or known != _digest(_plain(about)):
            raise UserError(f"`{folder / ABOUT}` was changed after it was written")
        texts = {what: _read(folder / name, files.get(name)) for what, name in FILES.items()}
        challenge, submission = texts["challenge"], texts["submission"]
        if challenge is None or submission is None:
            raise UserError(f"`{folder}` lacks the challenge or the submission")
        request = Request(
            challenge=challenge,
            submission=submission,
            examples=texts["examples"],
            disproves=tuple(map(str, about["disproves"])),
            allows_predicates=bool(about["allows_predicates"]),
            timeout_s=int(about["timeout_s"]),
        )
        claimed = about["verdict"]
        verdict = judge(request)
        same = {name: claimed["hashes"].get(name) for name in ("challenge", "submission")}
    except UserError:
        raise
    except FAULTS as fault:
        raise UserError(f"`{folder}` is no certificate: {fault}") from None
    if verdict.is_accepted and any(verdict.hashes.get(one) != same[one] for one in same):
        raise UserError(f"`{folder}` certifies other files than are in it")
    return verdict


def _read(path: Path, digest: str | None) -> str | None:
    if digest is None:
        return None
    raw = _raw(path)
    if _digest(raw) != digest:
        raise UserError(f"`{path}` was changed after the certificate was written")
    return raw.decode("utf-8")


def _raw(path: Path) -> bytes:
    """A file; of one without an end no more than its beginning."""
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise UserError(f"`{path}` is larger than {MAX_BYTES:,} bytes")
    return raw


def _plain(about: object) -> bytes:
    return json.dumps(about, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
