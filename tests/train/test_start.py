"""A run goes on as it was begun, and what cannot be trained is told before anything is written."""

import dataclasses
import fcntl
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bise.commands.train import export, run_train
from bise.errors import UserError
from bise.evals import TASKS
from bise.train.config import TrainConfig
from bise.train.conversations import MixConfig
from bise.train.limits import Limits
from bise.train.start import start
from bise.train.state import latest_state, read_run

TOKENIZER = Path(__file__).parents[2] / "src" / "bise" / "assets" / "nano" / "tekken.json"
CONFIG = TrainConfig(
    preset="pico",
    seed=5,
    parts=1,
    part_tokens=1024,
    row_tokens=(256, 512),
    long_row_tokens=(1024,),
    eval_every=0,
)
HERE = Limits(stop_at=0)
"""Set up, save and stop."""


def _start(
    folder: Path, config: TrainConfig = CONFIG, *, tokenizer: Path = TOKENIZER, processes: int = 1
) -> None:
    start(folder, config, HERE, TASKS, tokenizer=tokenizer, processes=processes, is_quiet=True)


def _run(
    folder: Path,
    *,
    preset: str = "pico",
    seed: int | None = None,
    settings: tuple[str, ...] = (),
    tokenizer: Path | None = None,
) -> None:
    run_train(
        preset,
        folder,
        HERE,
        seed=seed,
        processes=1,
        device="cpu",
        makers=0,
        settings=list(settings),
        tokenizer=tokenizer,
    )


@pytest.fixture
def other_words(tmp_path: Path) -> Path:
    """As many ids as nano's, another merge."""
    file = json.loads(TOKENIZER.read_text())
    file["vocab"][-1]["token_bytes"] = "UVFRUVFR"
    words = tmp_path / "other.json"
    words.write_text(json.dumps(file))
    return words


@pytest.fixture
def short_words(tmp_path: Path) -> Path:
    """One id less than nano's."""
    file = json.loads(TOKENIZER.read_text())
    file["vocab"].pop()
    file["config"]["default_vocab_size"] -= 1
    words = tmp_path / "short.json"
    words.write_text(json.dumps(file))
    return words


def test_a_run_keeps_its_tokenizer_and_gives_it_to_its_weights(tmp_path: Path, other_words: Path):
    folder, made = tmp_path / "run", tmp_path / "made"
    _run(folder, tokenizer=other_words)
    content = other_words.read_bytes()
    assert (folder / "tekken.json").read_bytes() == content
    other_words.unlink()
    _run(folder)
    export(folder, made, None)
    assert (made / "tekken.json").read_bytes() == content


def test_an_export_replaces_an_earlier_one_and_no_other_weights(tmp_path: Path):
    _start(tmp_path / "run")
    for _ in range(2):
        export(tmp_path / "run", tmp_path / "out", None)
    (tmp_path / "out" / "run.json").unlink()
    with pytest.raises(UserError, match="weights that are not from a run"):
        export(tmp_path / "run", tmp_path / "out", None)


def test_another_tokenizer_is_refused_by_its_content(tmp_path: Path, other_words: Path):
    folder = tmp_path / "run"
    _run(folder, tokenizer=other_words)
    for attempt in (
        lambda: _run(folder, tokenizer=TOKENIZER),
        lambda: _start(folder, TrainConfig(preset="pico")),
        lambda: export(folder, tmp_path / "made", TOKENIZER),
    ):
        with pytest.raises(UserError, match="is not the tokenizer that the run in"):
            attempt()
    assert not (tmp_path / "made").exists()
    copy = tmp_path / "copy.json"
    copy.write_bytes(other_words.read_bytes())
    _run(folder, tokenizer=copy)


def test_a_run_without_a_kept_tokenizer_still_opens(tmp_path: Path):
    _start(tmp_path / "run")
    (tmp_path / "run" / "tekken.json").unlink()
    export(tmp_path / "run", tmp_path / "made", None)
    _run(tmp_path / "run")
    assert (tmp_path / "run" / "tekken.json").read_bytes() == TOKENIZER.read_bytes()


def test_a_vocabulary_of_another_size_is_refused(tmp_path: Path, short_words: Path):
    with pytest.raises(UserError, match="2,047 ids, the preset 2,048"):
        _start(tmp_path / "run", tokenizer=short_words)
    assert not (tmp_path / "run").exists()


def test_a_plain_resume_takes_what_was_saved(tmp_path: Path):
    _start(tmp_path)
    _run(tmp_path)
    _run(tmp_path, seed=5, settings=("parts=1",))
    state = latest_state(tmp_path)
    assert state is not None
    assert read_run(state)[1]["seed"] == 5


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"preset": "nano"}, "another `preset`: `preset` is `pico` there, and `nano`"),
        ({"seed": 6}, "another `seed`: `seed` is `5` there, and `6`"),
        ({"seed": 0}, "another `seed`: `seed` is `5` there, and `0`"),
        (
            {"settings": ("optimiser.peak_rate=1e-3", "mix.shares.chain=0.5")},
            "another `mix.shares.chain` and `optimiser.peak_rate`",
        ),
    ],
)
def test_a_resume_that_asks_for_another_config_is_refused(tmp_path: Path, changed, complaint: str):
    _start(tmp_path)
    before = sorted((one, one.stat().st_mtime_ns) for one in tmp_path.rglob("*"))
    with pytest.raises(UserError, match=complaint):
        _run(tmp_path, **changed)
    assert sorted((one, one.stat().st_mtime_ns) for one in tmp_path.rglob("*")) == before


def test_from_python_too_another_config_is_refused(tmp_path: Path):
    _start(tmp_path)
    with pytest.raises(UserError, match="another `seed`"):
        _start(tmp_path, dataclasses.replace(CONFIG, seed=1))


@pytest.mark.parametrize(
    ("preset", "complaint"),
    [
        ("mid", "`mid` sees no pictures, and the mix has some, in `read`"),
        ("small3_mini", "`small3_mini` has no experts"),
        ("mid_text", "2,048 ids, the preset 32,768"),
    ],
)
def test_a_preset_that_cannot_be_trained_is_refused_before_anything_is_written(
    tmp_path: Path, preset: str, complaint: str
):
    config = TrainConfig(preset=preset.removesuffix("_text"))
    if preset == "mid_text":
        config = dataclasses.replace(config, mix=MixConfig(shares={"chain": 1.0, "read": 0.0}))
    with pytest.raises(UserError, match=complaint):
        _start(tmp_path / "run", config)
    assert not (tmp_path / "run").exists()


def test_parts_that_cannot_be_shared_are_refused_before_anything_is_written(tmp_path: Path):
    with pytest.raises(UserError, match="1 parts a step cannot be shared by 2 processes"):
        _start(tmp_path / "run", processes=2)
    assert not (tmp_path / "run").exists()


def test_a_folder_is_trained_in_by_one_process_at_a_time(tmp_path: Path):
    _start(tmp_path)
    with (tmp_path / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="another process is training in"):
            _start(tmp_path)
    _start(tmp_path)


@pytest.mark.slow
def test_a_run_that_is_told_to_end_says_nothing_at_length(tmp_path: Path):
    words = "train pico --processes 2 --max-minutes 5 --set parts=2 --set eval_every=0"
    words += " --set save_every_s=0 --set part_tokens=2048"
    command = [sys.executable, "-m", "bise", *words.split(), "--out", str(tmp_path / "run")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 120
        while not (tmp_path / "run" / "state" / "latest").exists():
            assert time.monotonic() < end and process.poll() is None
            time.sleep(0.2)
        process.terminate()
        _, said = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "Traceback" not in said
    assert latest_state(tmp_path / "run") is not None
