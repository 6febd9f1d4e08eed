"""Packing loses no sample, trains the right tokens, and goes on where it stopped."""

from random import Random

import pytest
import torch

from bise.errors import UserError
from bise.train.batches import PAD, Cursor, Packer, Sample, collate


def _draw(index: int, step: int) -> Sample:
    rng = Random(f"{index}/{step}")
    length = rng.randint(3, 60)
    ids = [1000 + index] * length
    return Sample(ids, [i >= length // 2 for i in range(length)], start=rng.choice([0, 900]))


def test_targets_are_the_next_written_ids():
    sample = Sample([5, 6, 7, 8], [False, False, True, True], start=3)
    batch = collate([[sample, sample], [sample]], 10)
    assert batch.targets.tolist() == [7, 8] * 3
    assert batch.ids[batch.picked].tolist() == [6, 7] * 3
    assert batch.positions.view(2, 10)[0].tolist() == [3, 4, 5, 6, 3, 4, 5, 6, 0, 0]
    assert batch.samples[1].tolist() == [0] * 4 + [-1] * 6
    assert batch.ids[-1] == PAD


def test_every_sample_is_packed_once_and_none_waits_for_ever():
    packer = Packer(_draw)
    seen: list[int] = []
    for step in range(40):
        batch = packer.batch(step, 256, (32, 64))
        rows = batch.ids.view(batch.samples.shape)
        for row, owners in zip(rows, batch.samples, strict=True):
            seen += [int(row[owners == one][0]) - 1000 for one in owners[owners >= 0].unique()]
    assert len(seen) == len(set(seen))
    waiting = {index for index, _ in packer.cursor.waiting}
    assert set(seen) | waiting == set(range(packer.cursor.next_index))
    assert min(waiting) > packer.cursor.next_index - 150


def test_rows_are_nearly_full():
    packer = Packer(_draw)
    batches = [packer.batch(step, 1024, (128,)) for step in range(30)]
    filled = torch.stack([(batch.samples >= 0).float().mean() for batch in batches])
    assert filled.mean() > 0.95


def test_a_cursor_goes_on_just_as_if_nobody_had_stopped():
    packer = Packer(_draw)
    for step in range(5):
        packer.batch(step, 256, (32, 64))
    kept = Cursor(packer.cursor.next_index, list(packer.cursor.waiting))
    later = Packer(_draw, kept)
    for step in range(5, 8):
        one, other = packer.batch(step, 256, (32, 64)), later.batch(step, 256, (32, 64))
        assert torch.equal(one.ids, other.ids)
        assert torch.equal(one.targets, other.targets)
        assert torch.equal(one.positions, other.positions)


def test_rows_that_nothing_fits_are_told_and_not_drawn_for_for_ever():
    with pytest.raises(UserError, match="hardly any conversation fits into rows of 2 tokens"):
        Packer(_draw).batch(0, 256, (2, 64))
