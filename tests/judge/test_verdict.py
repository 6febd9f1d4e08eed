"""What the judge says when something is missing, and how its verdicts are kept and signed."""

import fcntl
import json
import threading
from dataclasses import replace

import pytest
from recorded import RecordedLean, challenge_of, request_of, submission_of

from bise.errors import UserError
from bise.judge import NoWall, Request, check_log, verify
from bise.judge.backend import NoLean, Replayed
from bise.judge.challenge import Unusable
from bise.judge.examples import as_definitions
from bise.judge.kept import keep, key_of, read_kept
from bise.judge.report import Verdict
from bise.judge.runlog import KEY, LOG, sign

KEYS = {
    *("verdict", "reason", "message", "targets", "holes", "axioms", "warnings", "backend"),
    *("kernel", "hashes", "seconds", "parts_s", "examples", "recursion", "needs_review"),
    "disproved",
}


def test_an_accepted_proof_has_all_it_was_decided_from():
    verdict = verify(request_of("honest/standard_axioms"), RecordedLean)
    told = verdict.as_json()
    assert set(told) == KEYS and told["verdict"] == "accepted" and verdict.exit_code == 0
    assert told["targets"] == ["double_even", "double_even_twice", "double_add"]
    assert set(told["axioms"]) <= {"propext", "Classical.choice", "Quot.sound"}
    assert set(told["hashes"]) == {"challenge", "submission", "library", "checker"}
    assert told["backend"] == "recorded" and "4.28" in told["kernel"] and told["seconds"] > 0
    assert json.loads(json.dumps(told)) == told


def test_holes_say_how_they_recurse():
    for case, how in {
        "honest/hole": "none",
        "honest/hole_by_match": "structural",
        "honest/hole_with_where": "structural",
        "honest/hole_by_recursion_with_proof": "well-founded",
    }.items():
        verdict = verify(request_of(case), RecordedLean)
        assert (verdict.holes, verdict.recursion) == (["half"], {"half": how}), case


class Missing(RecordedLean):
    """A Lean that cannot be run, in one way or another."""

    def __init__(self, fault: Exception):
        self.fault = fault

    def compile(self, source, **_):  # noqa: ARG002
        raise self.fault


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (NoLean("no Lean"), "no_backend"),
        (NoWall("no wall"), "no_wall"),
        (OSError(28, "disk full"), "machine"),
        (KeyError("a bug"), "internal"),
        (RecursionError(), "internal"),
    ],
)
def test_a_judge_that_cannot_judge_says_failed(fault, reason):
    verdict = verify(request_of("honest/plain"), lambda: Missing(fault))
    assert (verdict.verdict, verdict.reason, verdict.exit_code) == ("failed", reason, 3)
    assert verdict.message and set(verdict.as_json()) == KEYS


def test_without_a_lean_nothing_is_proved():
    def none():
        raise NoLean("Lean is not installed", hint="run `bise prove setup`")

    verdict = verify(request_of("honest/plain"), none)
    assert (verdict.verdict, verdict.reason) == ("failed", "no_backend")


def test_a_module_that_this_lean_lacks_is_named():
    source = f"import Mathlib.Data.Nat.Prime\n\n{challenge_of('honest/plain')}"
    verdict = verify(Request(challenge=source, submission=source), RecordedLean)
    assert (verdict.verdict, verdict.exit_code) == ("failed", 3)
    assert verdict.reason == "needs_native: Mathlib.Data.Nat.Prime"


def test_a_submission_cannot_ask_for_another_lean():
    submission = f"import Mathlib\n\n{submission_of('honest/plain')}"
    request = Request(challenge=challenge_of("honest/plain"), submission=submission)
    verdict = verify(request, RecordedLean)
    assert (verdict.verdict, verdict.reason) == ("rejected", "imports_differ")


def test_predicate_holes_may_be_allowed_and_are_then_reviewed():
    case = "unusable/predicate_hole"
    verdict = verify(request_of(case, allows_predicates=True), RecordedLean)
    assert (verdict.verdict, verdict.reason) == ("rejected", "forbidden_axiom")
    assert verdict.needs_review == ["good"]


def test_what_the_kernel_refuses_is_rejected():
    class Strict(RecordedLean):
        def checker(self, header, imports, **more):
            held = super().checker(header, imports, **more)
            accepted = held.replay

            def refuse(constants, terms):
                return replace(accepted(constants, terms), is_accepted=False, fault="no")

            held.replay = refuse
            return held

    verdict = verify(request_of("honest/plain"), Strict)
    assert (verdict.verdict, verdict.reason) == ("rejected", "kernel_refused")


@pytest.mark.parametrize("is_lasting", [False, True])
def test_a_kernel_that_ends_without_a_word_is_asked_once_more(is_lasting):
    class Mute(RecordedLean):
        def checker(self, header, imports, **more):
            held = super().checker(header, imports, **more)
            held.replay = lambda *_: mute
            return held

        def replay(self, *given, **more):
            return mute if is_lasting else RecordedLean().replay(*given, **more)

    mute = Replayed(
        is_accepted=False, fault="gone", end="killed", seconds=0, cpu_s=0, has_answered=False
    )
    verdict = verify(request_of("honest/plain"), Mute)
    expected = ("rejected", "kernel_no_answer") if is_lasting else ("accepted", "")
    assert (verdict.verdict, verdict.reason) == expected


@pytest.mark.parametrize("cut", [0, 40, 100, 5000])
def test_a_compiled_file_that_is_not_whole_is_rejected(cut):
    class Cut(RecordedLean):
        def compile(self, source, **more):
            made = super().compile(source, **more)
            if source != submission_of("honest/plain"):
                return made
            parts = (*made.parts[:-1], made.parts[-1][:cut])
            return replace(made, parts=parts)

    verdict = verify(request_of("honest/plain"), Cut)
    assert (verdict.verdict, verdict.reason) == ("rejected", "bad_compiled_file")


def test_challenges_are_compiled_once(tmp_path):
    class Counting(RecordedLean):
        compiled: list[str] = []  # noqa: RUF012

        def compile(self, source, **more):
            self.compiled.append(source)
            return super().compile(source, **more)

    for case in ("honest/plain", "honest/helper_lemmas", "honest/plain"):
        assert verify(request_of(case), Counting, cache=tmp_path).is_accepted
    assert len(Counting.compiled) == 4 and len(list(tmp_path.iterdir())) == 1


def test_what_is_kept_is_whole_or_not_there(tmp_path):
    key = key_of("a", "bc")
    assert key != key_of("ab", "c") and read_kept(tmp_path, key) is None
    keep(tmp_path, key, (b"one", b"", b"three"))
    assert read_kept(tmp_path, key) == (b"one", b"", b"three")
    path = tmp_path / key
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    assert read_kept(tmp_path, key) is None
    keep(path / "below a file", key, (b"one",))


def test_a_changed_line_of_the_log_is_found(tmp_path):
    for case in ("honest/plain", "gap/unchanged", "honest/plain"):
        verify(request_of(case), RecordedLean, log=tmp_path)
    assert check_log(tmp_path) == 3
    path = tmp_path / LOG
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + lines[2])
    with pytest.raises(UserError, match="line 2 of the log"):
        check_log(tmp_path)
    path.write_text("".join(lines).replace('"rejected"', '"accepted"'))
    with pytest.raises(UserError, match="line 2 of the log"):
        check_log(tmp_path)


def test_a_verdict_that_cannot_be_logged_is_none(tmp_path):
    (tmp_path / "log").write_text("a file, no folder")
    verdict = verify(request_of("honest/plain"), RecordedLean, log=tmp_path / "log")
    assert (verdict.verdict, verdict.reason) == ("failed", "machine")


def test_signing_goes_on_after_a_broken_line(tmp_path):
    sign(tmp_path, Verdict(verdict="failed"))
    with (tmp_path / LOG).open("a") as file:
        file.write("broken\n")
    sign(tmp_path, Verdict(verdict="failed"))
    with pytest.raises(UserError, match="line 2 "):
        check_log(tmp_path)


def test_two_who_sign_first_at_once_have_one_key(tmp_path):
    """Whoever makes the key holds the log: nobody signs with one that is not written yet."""
    (tmp_path / KEY).touch()
    with (tmp_path / LOG).open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        other = threading.Thread(target=sign, args=(tmp_path, Verdict(verdict="failed")))
        other.start()
        other.join(0.3)
        (tmp_path / KEY).write_bytes(b"k" * 32)
    other.join()
    assert check_log(tmp_path) == 1


def test_a_key_that_a_full_disk_cut_off_signs_nothing(tmp_path):
    (tmp_path / KEY).touch()
    verdict = verify(request_of("honest/plain"), RecordedLean, log=tmp_path)
    assert (verdict.verdict, verdict.reason) == ("failed", "machine")
    assert "no whole key" in verdict.message
    with pytest.raises(OSError, match="no whole key"):
        check_log(tmp_path)


@pytest.mark.parametrize("what", ["challenge", "submission", "examples"])
def test_half_a_letter_is_no_text(what):
    request = replace(request_of("honest/plain"), **{what: "-- \ud800"})
    verdict = verify(request, RecordedLean)
    assert (verdict.verdict, verdict.reason) == ("unusable", "unreadable_file")
    assert what in verdict.message


def test_what_ends_a_line_for_python_alone_ends_no_line_of_an_example():
    text = '#guard f "a\u2028b\x0cc" = 3\r\n#guard f "" = 0\r\n'
    assert '"a\u2028b\x0cc"' in as_definitions(text)
    assert as_definitions(text).count("def judged_example_") == 2


def test_examples_become_definitions():
    text = "-- a comment\nopen Nat\n#guard f 1 = 2\n\n#guard\n  f 2 =\n    3 -- last\n\n"
    made = as_definitions(text)
    assert made.count("def judged_example_") == 2 and "open Nat" in made
    assert "decide (\n  f 1 = 2\n" in made and "f 2 =\n    3 -- last\n" in made


def test_examples_must_be_there():
    with pytest.raises(Unusable, match="has no line"):
        as_definitions("f 1 = 2\n")
