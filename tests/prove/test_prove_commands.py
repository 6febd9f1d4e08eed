"""`bise prove …` as people call it, with the real Lean and the real judge, from end to end."""

import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from fcntl import ioctl
from pathlib import Path

import pytest
from scripted_model import ScriptedModel, say

from bise.commands.prove_run import files_of, run_name
from bise.judge.backend import NoLean
from bise.judge.install import installed

pytestmark = pytest.mark.full

ROOT = Path(__file__).parents[2]
SPECIFICATION = """\
namespace Largest

def largest (xs : List Nat) : Nat := sorry

theorem le_largest (xs : List Nat) (x : Nat) (h : x ∈ xs) : x ≤ largest xs := sorry

theorem largest_mem (xs : List Nat) (h : xs ≠ []) : largest xs ∈ xs := sorry

end Largest
"""
PROGRAM = """\
namespace Largest

def largest (xs : List Nat) : Nat :=
  match xs with
  | [] => 0
  | x :: rest => if largest rest ≤ x then x else largest rest

theorem le_largest (xs : List Nat) (x : Nat) (h : x ∈ xs) : x ≤ largest xs := by
  fun_induction largest xs <;> grind [largest]

theorem largest_mem (xs : List Nat) (h : xs ≠ []) : largest xs ∈ xs := by
  fun_induction largest xs <;> grind [largest]

end Largest
"""
EXAMPLES = "#guard Largest.largest [3, 9, 2] == 9\n"
BROKEN = """\
def total : List Nat → Nat
  | [] => 0
  | x :: xs => total xs + x

theorem total_append (xs ys : List Nat) : total (xs ++ ys) = total xs + total ys := by
  induction xs with
  | nil => rfl
  | cons x xs ih => simp [total, ih, Nat.add_assoc]

theorem total_twice (xs : List Nat) : total (xs ++ xs) = 2 * total xs := by
  simp [total_append]; omega
"""
MOCK = "theorem t (n : Nat) : n + 0 = n := sorry\n"


@pytest.fixture(autouse=True, scope="module")
def lean():
    try:
        installed()
    except NoLean as fault:
        pytest.skip(f"{fault.message}: {fault.hint}")


def bise(*words: object, said: str = "", status: int = 0) -> str:
    """What a command prints; it must end with a status."""
    done = subprocess.run(
        [sys.executable, "-m", "bise.cli", *map(str, words)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        input=said,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def verified(folder: Path, status: int = 0) -> dict:
    """A certificate judged again."""
    return json.loads(bise("verify", "--certificate", folder, "--json", status=status))


def block(text: str):
    return say(f"Here it is:\n```lean\n{text}```\n")


def test_a_drafted_specification_is_confirmed_and_its_program_proved(tmp_path):
    output, certificate = tmp_path / "largest.lean", tmp_path / "c"
    words = ["prove", "new", "the largest number of a list", "-o", output, "-k", 1]
    with ScriptedModel([block(SPECIFICATION)]) as model:
        bise(*words, "--model", model.url, said="n\n", status=130)
        assert not output.exists()  # nobody said that it is what was wanted
    with ScriptedModel([block(SPECIFICATION), block(PROGRAM)]) as model:
        told = bise(*words, "--model", model.url, "--certificate", certificate, said="y\n")
        assert "the largest number of a list" in model.asked[0]["messages"][-1]["content"]
    assert "def largest" in told and "proved (accepted)" in told
    assert output.read_text() == SPECIFICATION
    assert output.with_suffix(".proved.lean").read_text() == PROGRAM
    verdict = verified(certificate)
    assert verdict["verdict"] == "accepted" and verdict["holes"] == ["Largest.largest"]
    with ScriptedModel([block("theorem t : wrong := sorry\n")]) as model:
        bise("prove", "new", "x", "-o", tmp_path / "x.lean", "--model", model.url, status=2)
    assert not (tmp_path / "x.lean").exists()


def test_a_specification_in_a_file_is_taken_as_it_is_and_examples_count(tmp_path):
    file, examples = tmp_path / "largest.lean", tmp_path / "examples.lean"
    file.write_text(SPECIFICATION)
    examples.write_text(EXAMPLES)
    with ScriptedModel([block(PROGRAM)]) as model:
        told = bise("prove", "new", file, "-k", 1, "--model", model.url)
    assert "proved (accepted)" in told and file.read_text() == SPECIFICATION
    with ScriptedModel([block(PROGRAM)]) as model:
        words = ["prove", file, "-k", 1, "--examples", examples, "--json"]
        found = json.loads(bise(*words, "--model", model.url))
    assert found["verdict"]["verdict"] == "accepted"
    assert found["verdict"]["examples"]


def test_what_a_change_broke_is_proved_again_and_statements_stay(tmp_path):
    file = tmp_path / "total.lean"
    file.write_text(BROKEN)
    told = bise("prove", "repair", file)
    repaired = file.with_suffix(".proved.lean").read_text()
    assert "proved (accepted)" in told and file.read_text() == BROKEN
    assert "sorry" not in repaired and "simp [total_append]; omega" in repaired
    assert "theorem total_append (xs ys : List Nat) : total (xs ++ ys) =" in repaired
    file.write_text(repaired)
    assert "nothing is broken" in bise("prove", "repair", file)
    file.write_text(BROKEN.replace("total xs + x", "total xs + wrong"))
    bise("prove", "repair", file, status=2)


def test_a_false_statement_is_disproved_with_a_certificate_of_its_own(tmp_path):
    file, certificate = tmp_path / "false.lean", tmp_path / "c"
    file.write_text("theorem wrong (xs ys : List Nat) : xs ++ ys = ys ++ xs := sorry\n")
    told = bise("prove", file, "--certificate", certificate)
    assert "disproved" in told
    assert json.loads((certificate / "certificate.json").read_text())["disproves"] == ["wrong"]
    verdict = verified(certificate)
    assert verdict["verdict"] == "accepted" and verdict["disproved"] == ["wrong"]


def test_one_changed_byte_ends_a_certificate(tmp_path):
    file, folder = tmp_path / "t.lean", tmp_path / "c"
    file.write_text(MOCK)
    bise("prove", file, "--certificate", folder)
    assert verified(folder)["verdict"] == "accepted"
    for one in sorted(folder.iterdir()):
        whole = one.read_bytes()
        spoilt = bytearray(whole)
        spoilt[len(whole) // 2] ^= 1
        one.write_bytes(spoilt)
        told = verified(folder, status=2)
        assert (told["verdict"], told["reason"]) == ("unusable", "bad_certificate"), one.name
        one.write_bytes(whole)
    assert verified(folder)["verdict"] == "accepted"


def test_tactics_that_a_small_model_suggests_close_what_automation_does_not(tmp_path):
    file = tmp_path / "steps.lean"
    file.write_text(
        "theorem steps (p q r s : Prop) (f : p → Nat) (h : (p → q) → r) (g : p → q) (k : r → s) :\n"
        "    ∃ n : Nat, n * n = 1764 ∧ s := sorry\n"
    )
    lines = ["refine ⟨42, ?_, ?_⟩\nexact k (h g)", "rfl\ndecide", "exact k (h g)"]
    with ScriptedModel([say(one) for one in lines]) as model:
        found = json.loads(bise("prove", file, "--tactics", model.url, "--json"))
    assert found["stage"] == "tactics" and found["verdict"]["verdict"] == "accepted"
    assert found["used"]["calls"] >= 1 and "42" in file.with_suffix(".proved.lean").read_text()


def test_watching_draws_the_search_in_a_terminal(tmp_path):
    file = tmp_path / "t.lean"
    file.write_text(MOCK + "\ntheorem u (n m : Nat) : n + m = m + n := sorry\n")
    status, drawn = in_terminal("prove", file, "--watch", "--minutes", 2)
    assert status == 0, drawn
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn)
    assert re.search(r"gaps\s+2 closed of 2", text) and re.search(r"time\s+\d+ of 120 s", text)
    assert re.search(r"stage\s+portfolio", text) and "t.lean" in text
    assert "closed    t: " in text and "accepted" in text
    assert drawn.count("\x1b[1A") > 10  # drawn anew in its place, not below
    assert "\x1b[?25h" in drawn.rpartition("\x1b[?25l")[2]  # the cursor is there again


def in_terminal(*words: object) -> tuple[int, str]:
    """A command in a terminal of 100 columns: its status, and all it wrote."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    command = [sys.executable, "-m", "bise.cli", *map(str, words)]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(
        command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    )
    os.close(theirs)
    drawn, ends = bytearray(), time.monotonic() + 240
    while time.monotonic() < ends:
        ready, _, _ = select.select([ours], [], [], 1.0)
        if not ready:
            continue
        try:
            more = os.read(ours, 1 << 16)
        except OSError:  # the other side has closed it
            break
        if not more:
            break
        drawn += more
    os.close(ours)
    try:
        return process.wait(10), drawn.decode("utf-8", "replace")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_of_a_folder_only_files_of_its_own_are_searched(tmp_path):
    for name in ("A.lean", ".lake/packages/far/B.lean"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("theorem a : 1 = 1 := sorry\n")
    (tmp_path / "C.lean").mkdir()
    assert files_of(tmp_path) == [tmp_path / "A.lean"]


def test_files_of_one_name_in_two_folders_have_a_run_each():
    folder = Path("proofs")
    names = [run_name(folder, folder / part / "Basic.lean") for part in ("A", "B")]
    assert names == [Path("A/Basic"), Path("B/Basic")]
    assert run_name(Path("x/a.lean"), Path("x/a.lean")) == Path("a")
