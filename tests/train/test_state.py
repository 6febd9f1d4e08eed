"""Saving never costs a state that was whole."""

import shutil
from pathlib import Path

import pytest
import torch

from bise.errors import UserError
from bise.train.config import TrainConfig, to_dict
from bise.train.ranks import Ranks
from bise.train.state import Progress, latest_state, load_tensors, read_run, save_state

WEIGHTS = {"weight": torch.zeros(2)}


def _save(folder: Path, step: int, *, elapsed_s: float = 0.0) -> None:
    progress = Progress(step=step, elapsed_s=elapsed_s)
    save_state(folder, progress, WEIGHTS, {"m.a": torch.ones(1)}, to_dict(TrainConfig()), Ranks())


def _names(folder: Path) -> list[str]:
    return sorted(one.name for one in (folder / "state").glob("step-*"))


def test_failed_saves_of_later_steps_cost_no_complete_state(tmp_path: Path):
    _save(tmp_path, 5)
    for step in (10, 20):  # the disk was full, once before and once after `run.json`
        failed = tmp_path / "state" / f"step-{step:08d}"
        failed.mkdir()
    shutil.copy(tmp_path / "state" / "step-00000005" / "run.json", failed)
    _save(tmp_path, 7)
    assert _names(tmp_path) == ["step-00000005", "step-00000007"]
    state = latest_state(tmp_path)
    assert state is not None
    assert read_run(state)[0].step == 7
    _save(tmp_path, 9)
    assert _names(tmp_path) == ["step-00000007", "step-00000009"]


def test_going_back_to_an_earlier_state_costs_neither_it_nor_the_later_ones(tmp_path: Path):
    for step in (10, 20):
        _save(tmp_path, step)
    (tmp_path / "state" / "latest").write_text("step-00000010")
    _save(tmp_path, 12)
    assert _names(tmp_path) == ["step-00000010", "step-00000012", "step-00000020"]


def test_a_save_that_fails_leaves_the_state_of_the_same_step_as_it_was(tmp_path: Path):
    _save(tmp_path, 5, elapsed_s=1.0)
    with pytest.raises(TypeError):  # `run.json` is the last file of a state
        save_state(tmp_path, Progress(step=5), WEIGHTS, {}, {"unwritable": object()}, Ranks())
    state = latest_state(tmp_path)
    assert state is not None
    assert read_run(state)[0].elapsed_s == 1.0
    assert "m.a" in load_tensors(state)[1]
    _save(tmp_path, 5, elapsed_s=2.0)
    assert _names(tmp_path) == ["step-00000005"]
    assert read_run(state)[0].elapsed_s == 2.0


def test_a_state_saved_again_keeps_nothing_of_ranks_that_are_gone(tmp_path: Path):
    _save(tmp_path, 5)
    state = tmp_path / "state" / "step-00000005"
    shutil.copy(state / "rank-0.safetensors", state / "rank-1.safetensors")
    _save(tmp_path, 5)
    assert [one.name for one in sorted(state.glob("rank-*"))] == ["rank-0.safetensors"]


def test_a_state_is_found_when_the_process_ended_between_two_renames(tmp_path: Path):
    _save(tmp_path, 5)
    state = tmp_path / "state" / "step-00000005"
    state.rename(state.with_suffix(".replaced"))
    found = latest_state(tmp_path)
    assert found is not None
    assert read_run(found)[0].step == 5
    _save(tmp_path, 6)
    assert _names(tmp_path) == ["step-00000006"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("run.json", b""),
        ("run.json", b"{}"),
        ("rank-0.safetensors", None),
        ("rank-0.safetensors", b"cut"),
        ("weights.safetensors", b"cut"),
    ],
)
def test_a_damaged_state_is_told_with_a_way_on(tmp_path: Path, name: str, content: bytes | None):
    _save(tmp_path, 5)
    state = tmp_path / "state" / "step-00000005"
    (state / name).unlink()
    if content is not None:
        (state / name).write_bytes(content)
    with pytest.raises(UserError, match=f"`{name}` of the state .* is missing or damaged"):
        read_run(state)
        load_tensors(state)
