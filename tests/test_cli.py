"""The commands, from what is typed to what is printed and the exit status."""

import errno
import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import torch
from PIL import Image
from safetensors import SafetensorError

from bise.cli import main
from bise.model import Network, load_network, preset
from bise.model.initial import initialise
from bise.ops.cpu.library import ISAS
from bise.text import Tekken
from bise.train.config import TrainConfig, to_dict
from bise.train.ranks import Ranks
from bise.train.state import Progress, save_state


class Typed(io.TextIOWrapper):
    """What comes through a pipe."""

    def __init__(self, text: str):
        super().__init__(io.BytesIO(text.encode()), encoding="utf-8")


@pytest.fixture
def run(capsys, monkeypatch):
    """Runs a command in this process; gives its status, stdout and stderr."""
    monkeypatch.setenv("NO_COLOR", "1")

    def call(*args, stdin: str = ""):
        monkeypatch.setattr(sys, "stdin", Typed(stdin))
        with pytest.raises(SystemExit) as left:
            main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        return left.value.code or 0, out, err

    return call


def test_a_piped_question_is_answered_on_stdout_alone(run, thinker):
    status, out, err = run("chat", thinker, "--effort", "high", stdin="What is 4+42?\n")
    assert (status, out) == (0, "46, yes\n")
    assert "so 12" in err and "46" not in err


def test_a_picture_goes_with_a_piped_question(run, thinker, red_square):
    options = ("--image", red_square, "--image", red_square, "--system", "Be brief.")
    assert run("chat", thinker, *options, stdin="what is this")[:2] == (0, "46, yes\n")


def test_a_seed_repeats(run, random_folder):
    options = ("--temperature", "1", "--seed", "5", "--max-tokens", "8")
    first = run("chat", random_folder, *options, stdin="hi")
    assert first[0] == 0 and first[1] == run("chat", random_folder, *options, stdin="hi")[1]


def test_an_answer_follows_the_schema_in_a_file(run, thinker, tmp_path):
    (tmp_path / "a.json").write_text('{"enum": ["red", "blue"]}')
    options = ("--schema", tmp_path / "a.json", "--effort", "high", "--seed", "1")
    status, out, err = run("chat", thinker, *options, stdin="hi")
    assert status == 0 and out in ('"red"\n', '"blue"\n') and "so 12" in err


@pytest.fixture
def wrong(tmp_path):
    """Files that are not what they should be."""
    (tmp_path / "text.png").write_text("no picture")
    Image.new("1", (40_000, 1_700)).save(tmp_path / "huge.png")  # above the limit, in few bytes
    foreign = tmp_path / "llama"
    foreign.mkdir()
    (foreign / "config.json").write_text('{"model_type": "llama"}')
    (foreign / "model.safetensors").write_bytes(b"")
    (tmp_path / "words.json").write_text('"words"')
    (tmp_path / "not.json").write_text('{"not": {}}')
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("x")
    (tmp_path / "two").mkdir()
    for name in ("a.lean", "two/a.lean", "two/b.lean"):
        (tmp_path / name).write_text("theorem a : 1 = 1 := sorry\n")
    return tmp_path


FAULTS = [
    (("chat", "nonesuch"), "hi", "no model `nonesuch`"),
    (("chat", "micro"), "hi", "preset without weights"),
    (("chat", "{wrong}/empty"), "hi", "has no weights"),
    (("chat", "{wrong}/llama"), "hi", "`model_type` is `llama`"),
    (("chat", "{thinker}", "--effort", "extreme"), "hi", "`extreme`"),
    (("chat", "{thinker}"), "", "the question is empty"),
    (("chat", "{thinker}"), "word " * 600, "maximum context length is 512 tokens"),
    (("chat", "{thinker}", "--image", "{wrong}/none.png"), "hi", "no such file"),
    (("chat", "{thinker}", "--image", "{wrong}/text.png"), "hi", "cannot be read"),
    (("chat", "{thinker}", "--image", "{wrong}/huge.png"), "hi", "40000x1700 pixels"),
    (("chat", "{thinker}", "--temperature", "3"), "hi", "`temperature`"),
    (("chat", "{thinker}", "--max-tokens", "many"), "hi", "invalid value for '--max-tokens'"),
    (("chat", "{thinker}", "--dtype", "int3"), "hi", "`int3`"),
    (("chat", "{thinker}", "--schema", "{wrong}/none.json"), "hi", "cannot be read"),
    (("chat", "{thinker}", "--schema", "{wrong}/text.png"), "hi", "is no JSON"),
    (("chat", "{thinker}", "--schema", "{wrong}/words.json"), "hi", "is no schema"),
    (("chat", "{thinker}", "--schema", "{wrong}/not.json"), "hi", "`schema.not`"),
    (("chat", "{thinker}", "--sped", "3"), "hi", "--sped"),
    (("dance",), "", "dance"),
    (("inspect", "nonesuch"), "", "no model `nonesuch`"),
    (("random", "giant", "{wrong}/new"), "", "`giant` is no preset"),
    (("random", "pico", "{wrong}/full"), "", "not empty"),
    (("random", "pico", "{wrong}/new", "--quant", "int4"), "", "`--quant` is `int4`"),
    (("convert", "{thinker}", "{wrong}/new", "--to", "gguf"), "", "`--to` is `gguf`"),
    (("convert", "{thinker}", "{wrong}/new", "--to", "hf", "--calibrate", "x"), "", "--quant fp8"),
    (("train", "giant", "--out", "{wrong}/run", "--max-minutes", "1"), "", "`giant`"),
    (("train", "pico", "--out", "{wrong}/run"), "", "nothing says when to stop"),
    (("train", "pico", "--out", "{wrong}/run", "--max-minutes", "-1"), "", "is -1, expected 0"),
    (("train", "pico", "--out", "{wrong}/run", "--max-minutes", "nan"), "", "is nan, expected 0"),
    (("train", "pico", "--out", "{wrong}/run", "--max-minutes", "1", "--set", "x=1"), "", "x=1"),
    (("train", "export", "{wrong}/empty", "{wrong}/new"), "", "no state"),
    (("eval", "{thinker}", "--task", "cooking"), "", "no task `cooking`"),
    (("eval", "{thinker}", "--num", "1000000000000"), "", "--num"),
    (("eval", "report", "{thinker}", "--page", "{wrong}/none.md"), "", "no page"),
    (("eval", "{thinker}", "--task", "read", "--out", "{wrong}/words.json"), "", "not a folder"),
    (("bench", "{thinker}", "--picture", "{wrong}/none/x.png"), "", "there is no folder"),
    (("bench", "--against", "small3", "--picture", "{wrong}/x.png"), "", "draws one engine"),
    (("bench", "{thinker}", "--streams", "0"), "", "invalid value for '--streams'"),
    (("train", "tokenizer", "pico", "{wrong}/none/x.json"), "", "there is no folder"),
    (("random", "pico", "{wrong}/words.json/new"), "", "not a folder"),
    (("convert", "{thinker}", "{wrong}/words.json", "--to", "hf"), "", "not a folder"),
    (("pack", "{thinker}", "{wrong}/words.json/new"), "", "not a folder"),
    (("inspect", "~nobody-of-that-name/x"), "", "the home of nobody"),
    (("serve", "~nobody-of-that-name/x", "--port", "0"), "", "the home of nobody"),
    (("chat", "{thinker}", "--image", "~nobody-of-that-name/x"), "hi", "the home of nobody"),
    (("serve", "{thinker}", "--host", "0.0.0.0"), "", "--no-auth"),
    (("serve", "{thinker}", "--port", "0", "--served-model-name", "a b"), "", "on the wire"),
    (("serve", "{thinker}", "--port", "99999"), "", "invalid value for '--port'"),
    (("bench", "{thinker}", "--memory-gib", "inf"), "", "invalid value for '--memory-gib'"),
    (("bench", "{thinker}", "--picture", "{wrong}/x.zzz"), "", "is no name for a picture"),
    (("train", "tokenizer", "pico", "{wrong}/new.json"), "", "is no name for a tokenizer"),
    (("eval", "report", "{thinker}", "--page", "{wrong}/huge.png"), "", "is not UTF-8"),
    (("verify", "a.lean", "a.lean", "--lean", "x"), "", "`--lean` is `x`"),
    (("prove", "{wrong}/a.lean", "-o", "{wrong}/empty"), "", "is a folder"),
    (("prove", "{wrong}/a.lean", "--certificate", "{wrong}/full"), "", "is not empty"),
    (("prove", "{wrong}/two", "-o", "{wrong}/new"), "", "2 files with a `sorry`"),
]


@pytest.mark.parametrize(("args", "stdin", "words"), FAULTS, ids=lambda one: str(one)[:50])
def test_faults_are_a_line_and_a_hint_and_exit_two(run, wrong, thinker, args, stdin, words):
    filled = [arg.format(wrong=wrong, thinker=thinker) for arg in args]
    status, out, err = run(*filled, stdin=stdin)
    lines = err.splitlines()
    assert status == 2 and out == "" and words in err, (status, out, err)
    assert lines[0].startswith("error: ") and len(lines) <= 2
    assert all(line.startswith("hint: ") for line in lines[1:])


def test_a_bug_is_a_traceback(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("a bug")

    monkeypatch.setattr("bise.commands.weights.inspect", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        main(["inspect", "pico"])


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (FileExistsError(errno.EEXIST, "File exists", "afile"), "`afile`: file exists"),
        (OSError(errno.ENOSPC, "No space left on device"), "no space left on device"),
        (OSError("cannot identify it"), "cannot identify it"),
        (SafetensorError("I/O error: No space left on device"), "no space left on device"),
    ],
)
def test_what_the_system_refuses_is_two_lines(run, monkeypatch, fault, words):
    def refuse(*_, **__):
        raise fault

    monkeypatch.setattr("bise.commands.weights.inspect", refuse)
    status, out, err = run("inspect", "pico")
    lines = err.splitlines()
    assert status == 2 and out == "" and words in err.lower()
    assert len(lines) == 2 and lines[0].startswith("error: ") and lines[1].startswith("hint: ")


def test_a_reader_who_has_seen_enough_is_no_fault(monkeypatch):
    def hang_up(*_, **__):
        raise BrokenPipeError

    monkeypatch.setattr("bise.commands.weights.inspect", hang_up)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with pytest.raises(SystemExit) as left:
        main(["inspect", "pico"])
    assert left.value.code == 0


def test_a_reader_who_leaves_a_real_pipe_is_no_fault():
    command = [sys.executable, "-m", "bise", "config"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as bise:
        bise.stdout.close()
        assert bise.stderr.read() == b"" and bise.wait(60) == 0


def test_no_command_shows_the_help_and_no_empty_error(run):
    status, out, err = run()
    assert status == 2 and "chat" in out and err == ""


def test_a_closed_stdin_is_an_empty_question(monkeypatch, thinker, capsys):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(SystemExit) as left:
        main(["chat", str(thinker)])
    assert left.value.code == 2 and "the question is empty" in capsys.readouterr().err


def test_inspect_says_it_in_words_and_in_json(run, random_folder):
    status, out, _ = run("inspect", "pico")
    assert status == 0 and "16 experts of which 4 answer" in out
    report = json.loads(run("inspect", random_folder, "--json")[1])
    assert report["config"]["dim"] == 64 and report["layout"] == "native"


def test_random_convert_and_back(run, tmp_path):
    made, hf, fp8 = tmp_path / "made", tmp_path / "hf", tmp_path / "fp8"
    status, out, _ = run("random", "pico", made, "--seed", "3")
    assert status == 0 and "2,546,304 random parameters" in out
    assert (made / "tekken.json").is_file()
    assert run("convert", made, hf, "--to", "hf")[0] == 0
    status, out, _ = run("convert", hf, fp8, "--to", "native", "--quant", "fp8")
    assert status == 0 and "bytes in 1 shards" in out
    assert json.loads((fp8 / "bise.json").read_text())["activation_scales"] == "calibrated"
    text = tmp_path / "text.txt"
    text.write_text("What is 3+4? 7.")
    again = tmp_path / "again"
    options = ("--to", "native", "--quant", "fp8", "--calibrate")
    assert run("convert", made, again, *options, text)[0] == 0
    assert run("chat", again, "--max-tokens", "3", stdin="hi")[0] == 0
    assert run("convert", made, tmp_path / "plain", *options, "none")[0] == 0
    kept = json.loads((tmp_path / "plain" / "bise.json").read_text())
    assert kept["activation_scales"] == "weight-only"


def test_weights_are_packed_looked_at_and_used(run, thinker, tmp_path):
    packed = tmp_path / "packed"
    status, out, _ = run("pack", thinker, packed, "--weights", "int8")
    assert status == 0 and "int8 weights" in out
    assert "as int8" in run("inspect", packed)[1]
    assert json.loads(run("inspect", packed, "--json")[1])["kind"] == "int8"
    status, out, _ = run("chat", packed, stdin="hi")
    assert status == 0 and out.strip().endswith("46, yes")
    status, _, complaint = run("serve", packed, "--weights", "int4")
    assert status == 2 and "int8 weights, and int4 was asked for" in complaint
    status, _, complaint = run("serve", thinker, "--memory-gib", "1", "--in-process")
    assert status == 2 and "bise pack" in complaint
    status, _, complaint = run("pack", thinker, packed)
    assert status == 2 and "not empty" in complaint
    for again in (
        ("pack", packed, tmp_path / "a"),
        ("convert", packed, tmp_path / "a", "--to", "hf"),
    ):
        status, _, complaint = run(*again)
        assert status == 2 and "packed for the core already" in complaint


def test_random_weights_of_nanos_vocabulary_are_packed_with_its_words(run, tmp_path):
    assert run("pack", "pico", tmp_path / "packed", "--weights", "bf16")[0] == 0
    assert run("chat", tmp_path / "packed", "--max-tokens", "3", stdin="hi")[0] == 0


def test_the_doctor_says_what_computes_here(run):
    status, out, _ = run("doctor")
    assert status == 0 and "core" in out and "because" in out
    found = json.loads(run("doctor", "--json")[1])
    assert found["workers"] and found["core"].split(":")[0] in ISAS


def test_a_vocabulary_is_learned_for_a_preset(run, tmp_path):
    made = tmp_path / "tekken.json"
    status, out, _ = run("train", "tokenizer", "pico", made, "--texts", "400")
    assert status == 0 and "merges to" in out
    tekken = Tekken.from_file(made)
    assert tekken.decode(tekken.encode("What is 3+4?")) == "What is 3+4?"
    status, _, complaint = run("train", "tokenizer", "small4", made)
    assert status == 2 and "131,072" in complaint


def test_a_training_run_is_written_out(run, tmp_path):
    shape = preset("pico")
    weights = dict(initialise(Network(shape), seed=3).named_parameters())
    config = to_dict(TrainConfig(preset="pico"))
    save_state(tmp_path / "run", Progress(step=7), weights, {}, config, Ranks())
    status, out, _ = run("train", "export", tmp_path / "run", tmp_path / "made")
    assert status == 0 and "step 7" in out
    made = load_network(tmp_path / "made", torch.float32)
    torch.testing.assert_close(made.norm.weight, weights["norm.weight"].detach())
    assert run("chat", tmp_path / "made", "--max-tokens", "2", stdin="hi")[0] == 0


def test_an_evaluation_prints_keeps_and_reports(run, thinker, tmp_path):
    out_folder, page = tmp_path / "report", tmp_path / "README.md"
    options = ("--task", "read", "--num", "10", "--out", out_folder)
    status, out, _ = run("eval", thinker, *options)
    assert status == 0 and "read" in out and "95 %" in out
    assert (out_folder / "records.jsonl.gz").is_file()
    assert (out_folder / "score-against-length.png").is_file()
    page.write_text("# x\n<!-- nano-scores:start -->\n<!-- nano-scores:end -->\n")
    report = ("eval", "report", thinker, "--page", page, "--records", out_folder)
    assert run(*report, "--check")[0] == 1
    assert run(*report)[0] == 0 and "**read**" in page.read_text()
    assert run(*report, "--check")[0] == 0


def test_a_demo_without_a_terminal_marks_and_ends(monkeypatch, thinker, capsys, tmp_path):
    from bise.commands.demo import demo

    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("BISE_LEAN_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "stdin", Typed(""))
    assert demo(3, str(thinker)) == 1, "46 is not the answer to everything"
    out = capsys.readouterr().out
    for words in ("A quick answer", "thinking first", "A picture", "chain", "read", "text", "self"):
        assert words in out
    assert "✗" in out and "0 of 5" in out and "too few" in out
    assert "no proof here: Lean is not installed" in out and "bise prove setup" in out


STYLE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, *args: str):
        self.parent, child = pty.openpty()
        environment = {**os.environ, "NO_COLOR": "1", "TERM": "xterm", "COLUMNS": "100"}
        command = [sys.executable, "-m", "bise.cli", *args]
        self.process = subprocess.Popen(
            command,
            stdin=child,
            stdout=child,
            stderr=child,
            env=environment,
            start_new_session=True,
        )
        os.close(child)
        self.seen = ""

    def wait_for(self, words: str, timeout_s: float = 30.0) -> str:
        """Everything shown since the last call, up to and with these words."""
        ends = time.monotonic() + timeout_s
        while words not in self.seen:
            assert time.monotonic() < ends, self.seen
            if select.select([self.parent], [], [], 0.1)[0]:
                shown = os.read(self.parent, 4096).decode(errors="replace")
                self.seen = STYLE.sub("", self.seen + shown)
        before, _, self.seen = self.seen.partition(words)
        return before + words

    def type(self, text: str) -> None:
        os.write(self.parent, text.encode())

    def interrupt(self) -> None:
        """What Ctrl-C does."""
        time.sleep(0.3)  # a signal between prompt and waiting is noticed with the next key
        self.process.send_signal(signal.SIGINT)

    def status(self) -> int:
        """The exit status, once it has left by itself."""
        return self.process.wait(20)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.parent)


@pytest.mark.slow
def test_a_conversation_in_a_terminal(thinker, red_square):
    with Terminal("chat", str(thinker), "--effort", "high") as terminal:
        terminal.wait_for("> ")
        terminal.type("What is 4+42?\n")
        shown = terminal.wait_for("a second")
        assert shown.index("so 12") < shown.index("46, yes")
        terminal.type("/effort none\n")
        terminal.wait_for("effort is none")
        terminal.type(f"/image {red_square}\n")
        terminal.wait_for("goes with the next question")
        terminal.type("what is this\n")
        terminal.wait_for("46, yes")
        terminal.type("/image /none.png\n")
        terminal.wait_for("error: cannot read the image")
        terminal.type("/dance\n")
        terminal.wait_for("hint: /help lists them")
        terminal.type("/help\n")
        terminal.wait_for("/quit")
        terminal.type("/reset\n")
        terminal.wait_for("forgotten")
        terminal.type("word " * 250 + "\n")
        terminal.wait_for("46, yes")
        terminal.type("word " * 250 + "\n")
        terminal.wait_for("hint: forget the conversation with /reset")
        terminal.type("/quit\n")
        assert terminal.status() == 0


@pytest.mark.slow
def test_ctrl_c_stops_an_answer_and_twice_leaves(chatterbox):
    with Terminal("chat", str(chatterbox)) as terminal:
        terminal.wait_for("> ")
        terminal.type("count\n")
        terminal.wait_for("12345123")
        terminal.interrupt()
        terminal.wait_for("stopped")
        terminal.wait_for("> ")
        terminal.interrupt()
        assert terminal.status() == 0


@pytest.mark.slow
def test_a_server_starts_answers_and_leaves_when_told(thinker):
    with Terminal("serve", str(thinker), "--port", "0", "--served-model-name", "mine") as terminal:
        shown = terminal.wait_for("Ctrl-C")
        base = re.search(r"base URL +(\S+)", shown)[1]
        body = {"messages": [{"role": "user", "content": "hi"}], "temperature": 0}
        reply = httpx.post(f"{base}/chat/completions", json=body).json()
        assert reply["model"] == "mine" and reply["choices"][0]["message"]["content"] == "46, yes"
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.status() == 0


def test_the_help_in_the_docs_is_current():
    root = Path(__file__).parents[1]
    sys.path.insert(0, str(root / "scripts"))
    try:
        import cli_docs
    finally:
        sys.path.pop(0)
    page = (root / "docs" / "cli.md").read_text()
    assert cli_docs.updated(page) == page, "run `python scripts/cli_docs.py`"
