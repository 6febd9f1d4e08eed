"""Events of a run: told, kept line by line, and a state that is whole or the one before."""

import json
import threading

import pytest

from bise.errors import UserError
from bise.prove.runlog import Event, RunLog, write_whole


def test_events_are_told_and_kept_in_order(tmp_path):
    told: list[Event] = []
    log = RunLog(tmp_path / "deep" / "run", watchers=[told.append])
    log.tell("began", "here we go", file="a.lean")
    log.tell("call", "ask é", tokens=12)
    assert told == log.events and [one.kind for one in told] == ["began", "call"]
    kept = [
        json.loads(line)
        for line in (tmp_path / "deep" / "run" / "events.jsonl").read_text("utf-8").splitlines()
    ]
    assert kept == [one.as_json() for one in log.events]
    assert kept[1]["words"] == "ask é" and kept[1]["tokens"] == 12
    assert 0 <= kept[0]["at_s"] <= kept[1]["at_s"]


def test_a_run_without_a_folder_keeps_nothing_and_can_be_watched():
    told: list[Event] = []
    log = RunLog(watchers=[told.append])
    log.tell("ended", "done")
    log.save({"text": "x"})
    assert len(told) == 1 and log.load() is None


def test_a_run_that_is_taken_up_goes_on_counting(tmp_path):
    log = RunLog(tmp_path)
    log.tell("began", "2 gaps", gaps=2)
    log.tell("closed", "first")
    path = tmp_path / "events.jsonl"
    first, second = path.read_text().splitlines()
    later = json.loads(second) | {"at_s": 60.0}
    path.write_text(f'{first}\n{json.dumps(later)}\n{{"at_s": 61, "ki')  # killed while it wrote
    again = RunLog(tmp_path)
    assert [one.kind for one in again.events] == ["began", "closed"]
    assert again.events[0].facts == {"gaps": 2} and again.before_s == 60.0
    again.tell("ended", "done")
    assert again.events[-1].at_s >= 60.0 and again.seconds >= 60.0
    assert [json.loads(one)["kind"] for one in path.read_text().splitlines()] == [
        "began", "closed", "ended",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["{\n", "[]\n", '{"at_s": 1}\n', '{"at_s": "x", "kind": 1}\n'])
def test_events_that_cannot_be_read_say_what_to_do(tmp_path, text):
    (tmp_path / "events.jsonl").write_text(text)
    with pytest.raises(UserError) as caught:
        RunLog(tmp_path)
    assert "events.jsonl" in caught.value.message and "begin anew" in caught.value.hint


def test_texts_may_hold_other_signs_that_end_a_line(tmp_path):
    log = RunLog(tmp_path)
    log.tell("closed", "a", script="one\u2028two\x85three")
    assert RunLog(tmp_path).events[0].facts == log.events[0].facts


def test_many_threads_write_whole_lines(tmp_path):
    log = RunLog(tmp_path)
    threads = [
        threading.Thread(target=lambda: [log.tell("check", "x" * 500) for _ in range(50)])
        for _ in range(4)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert len(lines) == len(log.events) == 200
    assert all(json.loads(line)["words"] == "x" * 500 for line in lines)


def test_a_state_is_found_again_and_a_later_one_takes_its_place(tmp_path):
    log = RunLog(tmp_path)
    assert log.load() is None
    log.save({"text": "theorem t", "turn": 1})
    log.save({"text": "theorem ⊢", "turn": 2})
    assert RunLog(tmp_path).load() == {"text": "theorem ⊢", "turn": 2}
    assert [one.name for one in tmp_path.iterdir()] == ["state.json"]


@pytest.mark.parametrize("text", ["{", "[1, 2]", "", "\x80"])
def test_a_state_that_cannot_be_read_says_what_to_do(tmp_path, text):
    (tmp_path / "state.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError) as caught:
        RunLog(tmp_path).load()
    assert "state.json" in caught.value.message and "begin anew" in caught.value.hint


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot hold the run"):
        RunLog(tmp_path / "file" / "run")


def test_a_failed_write_leaves_the_old_file_and_no_half(tmp_path):
    path = tmp_path / "state.json"
    write_whole(path, "old")
    with pytest.raises(UserError, match="cannot be written"):
        write_whole(path / "below", "new")
    assert path.read_text() == "old"
    path.unlink()
    path.mkdir()
    (path / "inside").write_text("x")
    with pytest.raises(UserError, match="cannot be written"):
        write_whole(path, "new")
    assert [one.name for one in tmp_path.iterdir()] == ["state.json"]
