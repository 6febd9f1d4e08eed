"""Memory on huge pages."""

import pytest
import torch

from bise.ops.cpu import arena


@pytest.mark.parametrize("shape", [(3, 5), (7, 1000, 300), (0, 4)])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.uint8, torch.float32])
def test_zeros_are_torchs_however_large(shape, dtype):
    made = arena.zeros(shape, dtype)
    assert made.dtype == dtype and made.is_contiguous()
    assert torch.equal(made, torch.zeros(shape, dtype=dtype))
    made.fill_(1)
    assert made.float().sum() == made.numel()


def test_what_is_taken_is_aligned_and_apart():
    room = arena.Arena(piece_bytes=4096)
    taken = [room.take(count) for count in (10, 5000, 64, 1)]
    for i, one in enumerate(taken):
        one.fill_(i)
    assert [len(one) for one in taken] == [10, 5000, 64, 1]
    assert all(one.data_ptr() % arena.ALIGNMENT == 0 for one in taken)
    assert all((one == i).all() for i, one in enumerate(taken))
