"""`bise verify` from the shell: one object on stdout and its exit code, whatever it is given."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from recorded import CASES, challenge_of, read, submission_of
from test_verdict import KEYS

from bise.cli import main
from bise.judge.backend import NoLean
from bise.judge.install import installed

ASKED = {
    *("verdict", "reason", "targets", "holes", "axioms", "warnings", "backend", "kernel"),
    *("hashes", "seconds"),
}
"""What whoever calls it may rely on."""

EXITS = {"accepted": 0, "rejected": 1, "unusable": 2, "failed": 3}


@pytest.fixture
def judged(capsys, monkeypatch) -> Callable[..., dict]:
    """What `bise verify --json` says; home: where Lean would be installed."""

    def judge(*arguments: object, home: Path | None = None) -> dict:
        if home is not None:
            monkeypatch.setenv("BISE_LEAN_HOME", str(home))
        with pytest.raises(SystemExit) as ended:
            main(["verify", *map(str, arguments), "--json"])
        return checked(capsys.readouterr().out, ended.value.code)

    return judge


def checked(output: str, status: object) -> dict:
    """One object with all keys, and the exit code that belongs to it."""
    (line,) = output.splitlines()
    told = json.loads(line)
    assert line.isascii() and set(told) == KEYS and set(told) >= ASKED
    assert status == EXITS[told["verdict"]]
    assert bool(told["message"]) == (told["verdict"] != "accepted")
    return told


def outcome(told: dict) -> tuple[str, str]:
    return told["verdict"], told["reason"]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """A challenge, a submission, and what cannot be read as either."""
    folder = tmp_path_factory.mktemp("verify")
    (folder / "asked.lean").write_text(challenge_of("honest/plain"))
    (folder / "given.lean").write_text(submission_of("honest/plain"))
    (folder / "binary.lean").write_bytes(b"\x7fELF\xff\xfe\0")
    (folder / "huge.lean").write_bytes(b"-" * (5 << 20))
    (folder / "folder").mkdir()
    (folder / "nowhere.lean").symlink_to(folder / "gone")
    return folder


@pytest.mark.parametrize(
    "odd", ["missing.lean", "binary.lean", "huge.lean", "folder", "nowhere.lean"]
)
def test_what_cannot_be_read_is_unusable(judged, files, odd):
    for pair in ((odd, "given.lean"), ("asked.lean", odd)):
        told = judged(*(files / one for one in pair), home=files)
        assert outcome(told) == ("unusable", "unreadable_file") and told["seconds"] == 0
        assert told["targets"] == told["axioms"] == [] and told["hashes"] == {}


def test_a_call_that_names_too_little_is_unusable(judged, files):
    for arguments in ((), (files / "asked.lean",)):
        assert outcome(judged(*arguments, home=files)) == ("unusable", "unreadable_file")
    odd = judged(files / "asked.lean", files / "given.lean", "--examples", files / "folder")
    assert outcome(odd) == ("unusable", "unreadable_file")


def test_something_without_an_end_is_too_large(judged, files):
    told = judged("/dev/zero", files / "given.lean", home=files)
    assert outcome(told) == ("unusable", "unreadable_file") and "larger" in told["message"]


def test_a_pipe_is_read_like_a_file(judged, files, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(challenge_of("honest/plain"),))
    writer.start()
    told = judged(pipe, files / "given.lean", home=tmp_path)
    writer.join()
    assert outcome(told) == ("failed", "no_backend")


def test_without_lean_the_judge_fails(judged, files, tmp_path):
    told = judged(files / "asked.lean", files / "given.lean", home=tmp_path)
    assert outcome(told) == ("failed", "no_backend") and told["backend"] == ""


def test_a_shell_gets_the_same(files, tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "bise.cli", "verify", files / "asked.lean", tmp_path, "--json"],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        timeout=100,
        check=False,
    )
    told = checked(ran.stdout.decode(), ran.returncode)
    assert outcome(told) == ("unusable", "unreadable_file") and not ran.stderr


@pytest.mark.slow
def test_all_outcomes_with_lean(judged, files, tmp_path):
    """Accepted, rejected for a gap and for a time-out, unusable; and names that are no ASCII."""
    try:
        installed()
    except NoLean:
        pytest.skip("Lean not installed: bise prove setup")
    told = judged(files / "asked.lean", files / "given.lean")
    assert outcome(told) == ("accepted", "") and told["targets"] == ["double_even"]
    assert told["backend"] == "wasm" and "4.28" in told["kernel"] and told["seconds"] > 0
    assert all(len(one) == 64 for one in told["hashes"].values())
    told = judged(files / "asked.lean", files / "asked.lean")  # both the same file
    assert outcome(told) == ("rejected", "forbidden_axiom") and told["axioms"] == ["sorryAx"]
    endless = CASES / "endless" / "printing.lean"
    (tmp_path / "endless.lean").write_text(read(endless))
    told = judged(files / "asked.lean", tmp_path / "endless.lean", "--timeout-s", 8)
    assert told["verdict"] == "rejected"
    assert told["reason"] in ("time_out", "memory_limit", "output_limit", "crashed")
    (tmp_path / "wide.lean").write_text("theorem μεγα (n : Nat) : n ≤ n := Nat.le.refl\n")
    told = judged(tmp_path / "wide.lean", tmp_path / "wide.lean")
    assert outcome(told) == ("unusable", "no_targets")
