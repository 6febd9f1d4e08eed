"""Questions are answered within limits, by whatever process stands at the other end."""

import pytest
from test_sandbox import PYTHON, SYSTEM, python

from bise.judge.dialogue import Dialogue
from bise.judge.sandbox import Boxed, Limits, NoWall

ECHO = """
import sys
for line in sys.stdin:
    what = line.strip()
    print("noise", file=sys.stderr, flush=True)
    if what == "end": break
    while what == "loop": pass
    while what == "sleep": import time; time.sleep(9)
    while what == "print": print("x" * 1000)
    print("said", what, end="", flush=True)
    print("", flush=True)
    print("WORD done", flush=True)
"""


@pytest.fixture(scope="module", autouse=True)
def _walls(tmp_path_factory):
    try:
        python("pass", tmp_path_factory.mktemp("walls"))
    except NoWall as missing:
        pytest.skip(missing.message)


@pytest.fixture
def boxed(tmp_path):
    command = [str(PYTHON), "-I", "-S", "-c", ECHO]
    limits = Limits(output_bytes=100_000)
    made = Boxed(command, tmp_path, read_only=SYSTEM, limits=limits, takes_input=True)
    yield made
    made.close()


def ask(dialogue: Dialogue, line: str, **limits):
    return dialogue.ask(line, b"WORD ", **{"cpu_s": 5.0, "wall_s": 20.0, **limits})


def test_one_question_after_another(boxed):
    dialogue = Dialogue(boxed)
    for word in ("one", "two", "three"):
        answer = ask(dialogue, word)
        assert answer.end == "answered"
        assert answer.lines == (f"said {word}".encode(), b"WORD done")
    assert b"noise" in dialogue.last_errors
    boxed.close()
    boxed.check_walls("")


@pytest.mark.parametrize(
    ("line", "limits", "end"),
    [
        ("end", {}, "exited"),
        ("loop", {"cpu_s": 0.5}, "cpu"),
        ("sleep", {"wall_s": 0.5}, "wall"),
        ("print", {}, "output"),
    ],
)
def test_whatever_does_not_answer_is_given_up(boxed, line, limits, end):
    answer = ask(Dialogue(boxed), line, **limits)
    assert answer.end == end


def test_a_process_that_has_ended_is_noticed(boxed):
    dialogue = Dialogue(boxed)
    ask(dialogue, "end")
    assert ask(dialogue, "more").end == "exited"
    assert boxed.has_ended()
    boxed.close()
    assert boxed.has_ended()


def test_a_missing_wall_is_told_after_closing(tmp_path):
    missing = [tmp_path / "there is no such folder"]
    boxed = Boxed([str(PYTHON)], tmp_path, read_only=missing, limits=Limits(), takes_input=True)
    assert ask(Dialogue(boxed), "hello").end == "exited"
    boxed.close()
    with pytest.raises(NoWall, match="a wall of the sandbox is missing"):
        boxed.check_walls("")
