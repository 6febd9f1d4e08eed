"""`bise verify`: judge a proof, print the verdict, end with its exit code."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from bise.commands.show import err, out
from bise.errors import UserError, one_line
from bise.judge import Request, Unusable, Verdict, lean_home, refusal, verify
from bise.judge.backend import LeanBackend
from bise.judge.leans import open_lean
from bise.judge.verdict import MAX_SOURCE_BYTES


def run_verify(
    challenge: Path | None,
    submission: Path | None,
    *,
    certificate: Path | None,
    examples: Path | None,
    disproves: list[str],
    allows_predicates: bool,
    timeout_s: int,
    backend: str,
    project: Path | None,
    as_json: bool,
) -> int:
    """Judge one submission, or a certificate again; returns the exit code."""

    def lean() -> LeanBackend:
        return open_lean(backend, project)

    def judge(request: Request) -> Verdict:
        if not as_json:
            err().print("compiling and checking; this takes about half a minute …", style="dim")
        home = lean_home()
        return verify(request, lean, cache=home / "challenges", log=home)

    try:
        if certificate is not None:
            verdict = judge_certificate(certificate, judge)
        else:
            texts = read_both(challenge, submission)
            if isinstance(texts, Verdict):
                return show(texts, as_json=as_json)
            request = Request(
                challenge=texts[0],
                submission=texts[1],
                examples=None if examples is None else read_source(examples, "examples"),
                disproves=tuple(disproves),
                allows_predicates=allows_predicates,
                timeout_s=timeout_s,
            )
            verdict = judge(request)
    except Unusable as fault:
        verdict = refusal(fault)
    return show(verdict, as_json=as_json)


def show(verdict: Verdict, *, as_json: bool) -> int:
    """Print it; the exit code."""
    if as_json:
        sys.stdout.write(json.dumps(verdict.as_json()) + "\n")
    else:
        show_verdict(verdict)
    return verdict.exit_code


def read_both(challenge: Path | None, submission: Path | None) -> tuple[str, str] | Verdict:
    """Both sources, files or folders, or a rejection. Raises `Unusable`."""
    if challenge is not None and submission is not None and challenge.is_dir():
        from bise.commands.verify_folders import read_folders

        return read_folders(challenge, submission)
    return read_source(challenge, "challenge"), read_source(submission, "submission")


def judge_certificate(folder: Path, judge: Callable[[Request], Verdict]) -> Verdict:
    """Judge what a certificate holds. Raises `Unusable` if it was changed, or is none."""
    from bise.prove.certificate import check_certificate

    try:
        return check_certificate(folder, judge)
    except UserError as fault:
        raise Unusable("bad_certificate", fault.message) from None


def read_source(path: Path | None, what: str) -> str:
    """A source file. Raises `Unusable` if it cannot be read."""
    if path is None:
        raise Unusable("unreadable_file", f"no {what} is named")
    try:
        with path.open("rb") as file:  # a pipe is fine, something without an end is too large
            raw = file.read(MAX_SOURCE_BYTES + 1)
    except (OSError, ValueError) as fault:
        raise Unusable("unreadable_file", f"the {what} cannot be read: {fault}") from None
    if len(raw) > MAX_SOURCE_BYTES:
        raise Unusable("unreadable_file", f"the {what} is larger than {MAX_SOURCE_BYTES:,} bytes")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Unusable("unreadable_file", f"the {what} is no UTF-8 text") from None


def show_verdict(verdict: Verdict) -> None:
    """A verdict for people."""
    style = "green" if verdict.is_accepted else "red"
    word = verdict.verdict if not verdict.reason else f"{verdict.verdict}: {verdict.reason}"
    out().print(word, style=style, markup=False, highlight=False)
    lines = [verdict.message] if verdict.message else []
    lines += [f"{one.code}: {one.message}" for one in verdict.warnings]
    for what, names in (
        ("theorems", verdict.targets),
        ("definitions", verdict.holes),
        ("axioms", verdict.axioms),
    ):
        if names:
            lines.append(f"{what}: {', '.join(names)}")
    if verdict.kernel:
        lines.append(f"checked by {verdict.kernel} ({verdict.backend})")
    lines.append(f"{verdict.seconds:.1f} s")
    for line in map(one_line, lines):
        out().print(line, markup=False, highlight=False)
