"""The judge: is this file a proof of exactly that challenge?

Both files are compiled within the sandbox, read as data, and compared; then axioms are traced, and
a fresh kernel is shown every declaration that counts. Only if all of that holds is anything called
accepted. Whatever goes wrong in between is a rejection, or a failure of the judge, never a proof.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bise.errors import UserError, quoted
from bise.judge.axioms import STANDARD_AXIOMS, axioms, reachable
from bise.judge.backend import (
    MODULE,
    Checking,
    Compiled,
    LeanBackend,
    NeedsNative,
    NoLean,
    Replayed,
)
from bise.judge.challenge import Challenge, Unusable, read_challenge
from bise.judge.compare import Comparison, Rejected, compare
from bise.judge.constants import Constant
from bise.judge.disproof import check_disproofs
from bise.judge.examples import Examples, as_definitions
from bise.judge.header import insert_line, read_header
from bise.judge.kept import keep, key_of, read_kept
from bise.judge.library import Library
from bise.judge.meddling import meddling_word
from bise.judge.messages import Message
from bise.judge.olean import Module
from bise.judge.region import BadOlean, Region
from bise.judge.report import Outcome, Verdict, Warning_
from bise.judge.runlog import sign
from bise.judge.running import check_running, recursion
from bise.judge.sandbox import Limits, NoWall
from bise.judge.side import Side, renamings, shown
from bise.judge.terms import Name, Terms, show_name
from bise.judge.types import Unknown
from bise.judge.wasm import WasmLean

LOG = logging.getLogger(__name__)
HEADER_WORDS = ("module", "prelude")
MAX_SOURCE_BYTES = 4 << 20
MAX_AXIOMS = 100
"""That are listed."""

NO_EVALUATION = "".join(
    f"\nmacro (priority := high) {form} => {made}"
    for form, made in (
        ('"#eval" term : command', "`(section end)"),
        ('"#eval!" term : command', "`(section end)"),
        ('"#guard" term : command', "`(section end)"),
        ('"#print" "axioms" ident : command', "`(section end)"),
        (
            '(docComment)? "#guard_msgs" ("(" (ident <|> ",")* ")")? "in" c:command : command',
            "return c",
        ),
    )
)
"""Put behind the header for a second try: commands that would run code, or ask a `module` what it
cannot tell, do nothing then."""

ONLY_HERE = (
    "._redArg",
    "._boxed",
    "compiler IR check failed",
    "has no executable code",
    "could not find IR",
    "has not been implemented",
    "cannot use `#print axioms` in a `module`",
    "on `#guard_msgs` does not match generated message",
)
"""In errors that come from the backend and say nothing of a proof: the library's code is missing in
WebAssembly, and every file is a `module`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What is to be judged: sources as text."""

    challenge: str
    submission: str
    examples: str | None = None
    """Lines `#guard …` that what fills the holes must agree with."""

    disproves: tuple[str, ...] = ()
    """Targets whose negation is to be proved instead, as `not_` and the target's last word."""

    allows_predicates: bool = False
    """Whether a hole may yield a proposition or a type; the verdict then wants a review."""

    timeout_s: int = 120
    """CPU seconds for each process that is started."""


def verify(
    request: Request,
    lean: Callable[[], LeanBackend] = WasmLean,
    *,
    cache: Path | None = None,
    log: Path | None = None,
) -> Verdict:
    """Judge a submission. Never raises for anything that files or Lean could do.

    lean: makes the Lean to ask; may raise `NoLean`. cache: a folder for compiled challenges.
    log: a folder for the signed log of verdicts.
    """
    start = time.monotonic()
    run = _Run(request, cache)
    try:
        asked = asked_of(request)
        run.judge(lean(), asked)
    except Unusable as fault:
        run.end("unusable", fault.reason, fault)
    except Rejected as fault:
        run.end("rejected", fault.reason, fault)
    except NeedsNative as fault:
        run.end("failed", f"needs_native: {show_name(fault.module)}", fault)
    except NoLean as fault:
        run.end("failed", "no_backend", fault)
    except NoWall as fault:
        run.end("failed", "no_wall", fault)
    except BadOlean as fault:
        run.end("rejected", "bad_compiled_file", fault)
    except Unknown as fault:
        run.end("rejected", "too_complex", fault)
    except OSError as fault:
        run.end("failed", "machine", UserError(f"the judge could not go on: {fault}"))
    except Exception as fault:  # a bug of ours must not look like a verdict
        LOG.exception("the judge broke off")
        run.end("failed", "internal", UserError(f"the judge broke off: {fault!r}"))
    run.verdict.seconds = time.monotonic() - start
    if log is not None:
        try:
            sign(log, run.verdict)
        except OSError as fault:
            run.end("failed", "machine", UserError(f"the verdict could not be logged: {fault}"))
    return run.verdict


def asked_of(request: Request) -> str:
    """The challenge with its examples behind it. Raises `Unusable`, for what is no text, too."""
    for what in ("challenge", "submission", "examples"):
        try:
            (getattr(request, what) or "").encode()
        except UnicodeEncodeError as fault:
            raise Unusable("unreadable_file", f"the {what} is no UTF-8 text: {fault}") from None
    if request.examples is None:
        return request.challenge
    return f"{request.challenge.rstrip()}\n\n{as_definitions(request.examples)}"


def refusal(fault: Unusable) -> Verdict:
    """The verdict on a call that could not even begin."""
    return Verdict(verdict="unusable", reason=fault.reason, message=fault.message)


@dataclass(slots=True)
class _Run:
    """One judgement as it goes on."""

    request: Request
    cache: Path | None
    verdict: Verdict = field(default_factory=lambda: Verdict(verdict="failed", reason="machine"))

    def end(self, outcome: Outcome, reason: str, fault: UserError) -> None:
        """Close with something else than acceptance."""
        self.verdict.verdict, self.verdict.reason = outcome, reason
        self.verdict.message = fault.message

    def judge(self, lean: LeanBackend, asked: str) -> None:
        """All steps, in order. Whatever is not reached is not proved."""
        self._note(lean)
        request, terms = self.request, Terms()
        with self._timed("challenge"):
            ours = self._read_challenge(lean, asked, terms)
            challenge = read_challenge(ours, allows_predicates=request.allows_predicates)
        self.verdict.targets = list(map(shown, challenge.targets))
        self.verdict.holes = list(map(shown, challenge.holes))
        self.verdict.needs_review = list(map(shown, challenge.needs_review))
        self._check_headers()
        if challenge.holes:
            self._refuse_meddling()
        module = ours.module
        with lean.checker(module.header, module.imports, limits=self._limits()) as checker:
            with self._timed("submission"):  # meanwhile the checker imports the header
                compiled = self._compile_submission(lean)
            with self._timed("comparison"):
                theirs = self._read_submission(compiled, ours, terms)
                roots, comparison = self._compare(lean, challenge, theirs)
            with self._timed("replay"):
                self._replay(lean, checker, theirs, roots)
        if request.examples is not None and comparison is not None:
            with self._timed("examples"):
                self._try_examples(lean, challenge, theirs, comparison)
        if self.verdict.needs_review:
            names = quoted(self.verdict.needs_review)
            self._warn("needs_review", f"{names} must be read by a person: the theorems rest on it")
        self.verdict.verdict, self.verdict.reason, self.verdict.message = "accepted", "", ""
        if self.request.disproves:
            self.verdict.disproved = list(self.request.disproves)
            self.verdict.reason = "disproved"

    def _note(self, lean: LeanBackend) -> None:
        """What the verdict is bound to."""
        identity, request, verdict = lean.identity, self.request, self.verdict
        verdict.backend, verdict.kernel = identity.backend, identity.version
        verdict.hashes = {
            "challenge": digest(request.challenge),
            "submission": digest(request.submission),
            "library": identity.library,
            "checker": checker_hash(),
        }
        if request.examples is not None:
            verdict.hashes["examples"] = digest(request.examples)

    def _limits(self) -> Limits:
        return Limits(cpu_s=self.request.timeout_s, wall_s=4.0 * self.request.timeout_s + 60)

    def _challenge_parts(self, lean: LeanBackend, source: str) -> tuple[bytes, ...]:
        """The compiled challenge, from the cache if it was compiled before."""
        identity = lean.identity
        key = key_of(source, identity.backend, identity.version, identity.library, str(MODULE))
        if self.cache is not None and (kept := read_kept(self.cache, key)):
            return kept
        compiled = self._compile(lean, source)
        if not compiled.is_done:
            reason = "challenge_fails" if compiled.end == "exited" else "challenge_limit"
            raise Unusable(reason, f"the challenge does not compile: {_why(compiled)}")
        if self.cache is not None:
            keep(self.cache, key, compiled.parts)
        return compiled.parts

    def _read_challenge(self, lean: LeanBackend, source: str, terms: Terms) -> Side:
        parts = self._challenge_parts(lean, source)
        try:
            module = Module(Region(parts), terms)
        except BadOlean as fault:
            raise Unusable("challenge_fails", f"what Lean made of it: {fault.message}") from None
        return Side(module, Library(lean.library_parts, module.imports, terms), terms)

    def _check_headers(self) -> None:
        """Before anything of the submission runs: it must begin as the challenge does."""
        ours, theirs = read_header(self.request.challenge), read_header(self.request.submission)
        words = [[one for one in head.words if one in HEADER_WORDS] for head in (ours, theirs)]
        if words[0] != words[1] or set(ours.modules) != set(theirs.modules):
            raise Rejected("imports_differ", "the submission does not begin as the challenge does")

    def _refuse_meddling(self) -> None:
        """What runs is noted by the process that compiles: nothing else may have a say in it."""
        if word := meddling_word(self.request.submission, self.request.challenge):
            raise Rejected(
                "code_while_compiling",
                f"`{word[:100]}` could run code while the submission compiles, and change what is "
                "noted of its definitions",
                hint="fill definitions without it; macros that only quote are fine",
            )

    def _compile(self, lean: LeanBackend, source: str) -> Compiled:
        """Compile; once more without evaluation if only that may have failed."""
        compiled = lean.compile(source, limits=self._limits())
        errors = [one for one in compiled.messages if one.severity == "error"]
        if compiled.is_done or not errors or not all(map(is_only_here, errors)):
            return compiled
        made = insert_line(source, NO_EVALUATION + "\n")
        again = lean.compile(made.text, limits=self._limits())
        if again.is_done:
            self._warn("not_generated", f"some commands were left out: {errors[0].text[:200]}")
        return again

    def _compile_submission(self, lean: LeanBackend) -> Compiled:
        compiled = self._compile(lean, self.request.submission)
        if compiled.is_done:
            return compiled
        if compiled.end == "exited":
            reason = "compile_failed" if compiled.status else "no_compiled_file"
        else:
            reason = {"cpu": "time_out", "wall": "time_out"}.get(
                compiled.end, "crashed" if compiled.end == "killed" else f"{compiled.end}_limit"
            )
        raise Rejected(reason, f"the submission does not compile: {_why(compiled)}")

    def _read_submission(self, compiled: Compiled, ours: Side, terms: Terms) -> Side:
        module = Module(Region(compiled.parts), terms)
        one, other = ours.module.header, module.header
        fields = ("lean_version", "commit", "uses_gmp", "word_bytes")
        if any(getattr(one, name) != getattr(other, name) for name in fields):
            raise Rejected("bad_compiled_file", "another Lean wrote the submission's compiled file")
        imports = [set(side.imports) for side in (ours.module, module)]
        if imports[0] != imports[1] or ours.module.is_module != module.is_module:
            raise Rejected("imports_differ", "the submission imports something else")
        if renamed := renamings(ours.module, module):
            module = Module(Region(compiled.parts), terms, renamed)
        return Side(module, ours.library, terms)

    def _compare(
        self, lean: LeanBackend, challenge: Challenge, theirs: Side
    ) -> tuple[tuple[Name, ...], Comparison | None]:
        """Everything that is decided from data; returns what a kernel has to be shown."""
        comparison = None
        if self.request.disproves:
            roots = check_disproofs(challenge, theirs, self.request.disproves)
        else:
            comparison = compare(challenge, theirs)
            roots = (*challenge.targets, *challenge.holes)
            for name in challenge.holes:
                self.verdict.recursion[shown(name)] = recursion(theirs, name)
        found = axioms(roots, theirs.module, theirs.library.kind, theirs.terms)
        self.verdict.axioms = sorted(map(shown, found))[:MAX_AXIOMS]
        allowed = {one for one in STANDARD_AXIOMS if one in theirs.library}
        if forbidden := sorted(map(shown, found - allowed)):
            raise Rejected("forbidden_axiom", f"the proof rests on {quoted(forbidden[:5])}")
        if comparison is not None:
            given = challenge.side.module
            check_running(
                theirs, challenge.holes, lambda name: name not in given and lean.has_code(name)
            )
        return roots, comparison

    def _replay(
        self, lean: LeanBackend, checker: Checking, theirs: Side, roots: tuple[Name, ...]
    ) -> None:
        """Show a fresh kernel all that targets and holes rest on."""
        closure = [one for one in reachable(roots, theirs.module, theirs.terms).values() if one]
        for one in closure:
            if one.safety != "safe":
                raise Rejected("unsafe_constant", f"`{shown(one.name)}` is {one.safety}")
        answer = checker.replay(closure, theirs.terms)
        if not answer.has_answered and answer.end in ("exited", "killed"):
            # a process that waits can be ended by the machine: one more, which does not wait
            answer = self._fresh_replay(lean, theirs, closure)
        if not answer.is_accepted:
            reason = "kernel_refused" if answer.end == "exited" else "kernel_limit"
            if not answer.has_answered and answer.end in ("exited", "killed"):
                reason = "kernel_no_answer"
            raise Rejected(reason, answer.fault or "the kernel did not accept the declarations")

    def _fresh_replay(
        self, lean: LeanBackend, theirs: Side, constants: Sequence[Constant]
    ) -> Replayed:
        """Ask a kernel of its own."""
        module = theirs.module
        return lean.replay(
            module.header, module.imports, constants, theirs.terms, limits=self._limits()
        )

    def _try_examples(
        self, lean: LeanBackend, challenge: Challenge, theirs: Side, comparison: Comparison
    ) -> None:
        examples = Examples(challenge, theirs, comparison)
        try:
            examples.check(lambda constants: self._fresh_replay(lean, theirs, constants))
        finally:
            self.verdict.examples = {
                "given": len(examples.names),
                "true": len(examples.true),
                "not_evaluated": len(examples.unknown),
            }
        if examples.unknown:
            self._warn(
                "example_not_evaluated",
                f"{len(examples.unknown)} of {len(examples.names)} examples could not be "
                "evaluated by the kernel",
            )

    def _warn(self, code: str, message: str) -> None:
        self.verdict.warnings.append(Warning_(code, message))

    @contextmanager
    def _timed(self, part: str) -> Generator[None, None, None]:
        start = time.monotonic()
        try:
            yield
        finally:
            self.verdict.parts_s[part] = time.monotonic() - start


def checker_hash() -> str:
    """SHA-256 of the judge itself: every file of this room."""
    found = hashlib.sha256()
    room = Path(__file__).parent
    for path in sorted([*room.glob("*.py"), *room.glob("lean/*")]):
        with suppress(OSError):
            found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def digest(text: str) -> str:
    """SHA-256 of a text, in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _why(compiled: Compiled) -> str:
    """The first error, or how it ended; for people."""
    for one in compiled.messages:
        if one.severity == "error":
            return f"line {one.start.line}: {one.text[:300]}"
    if compiled.end != "exited":
        return f"it met its limit of {compiled.end}" if compiled.end != "killed" else "it crashed"
    return compiled.note or "Lean ended without a compiled file"


def is_only_here(message: Message) -> bool:
    """Whether an error may be the backend's, and none of the file."""
    return any(words in message.text for words in ONLY_HERE)
