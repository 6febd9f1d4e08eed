"""Matrices that are read from files while they are packed, against the same ones from memory."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from bise.ops.cpu.library import library
from bise.ops.cpu.matrix import InFiles, NotFinite, NotRead, Span, WeightType, pack

if library() is None:
    pytest.skip("built without the core", allow_module_level=True)

SOURCES = {
    WeightType.BF16: torch.float32,
    WeightType.INT8: torch.bfloat16,
    WeightType.INT4: torch.float32,
    WeightType.FP8: torch.float8_e4m3fn,
    WeightType.NVFP4: torch.uint8,
}


def values_for(type: WeightType, rows: int, columns: int) -> Tensor:
    """[rows, columns] of any numbers, [rows, columns / 2] of any codes"""
    random = torch.Generator().manual_seed(rows * 100 + columns)
    if type == WeightType.NVFP4:
        return torch.randint(256, (rows, columns // 2), generator=random).to(torch.uint8)
    return torch.randn(rows, columns, generator=random).to(SOURCES[type])


def written(folder: Path, values: Tensor, heights: list[int]) -> InFiles:
    """The same rows in a file for each height, behind and before other bytes."""
    spans = list[Span]()
    for number, rows in enumerate(values.view(torch.uint8).split(heights)):
        path, gap = folder / f"{number % 2}.bin", b"?" * (number + 3)
        with path.open("ab") as file:
            start = file.tell() + len(gap)
            file.write(gap + rows.numpy().tobytes() + gap)
        spans.append(Span(path, start, (len(rows), values.shape[1])))
    return InFiles(values.dtype, tuple(spans))


@given(
    type=st.sampled_from(list(WeightType)),
    heights=st.lists(st.integers(1, 70), min_size=1, max_size=4),
    columns=st.integers(1, 8).map(lambda count: 16 * count),
    is_gated=st.booleans(),
)
def test_rows_in_files_are_packed_like_those_in_memory(
    type, heights, columns, is_gated, tmp_path_factory
):
    if is_gated:
        heights = [*heights, *heights]
    rows = sum(heights)
    values = values_for(type, rows, columns)
    scales = torch.full((rows, columns // 16), 0x38, dtype=torch.uint8)
    options = {"is_gated": is_gated, "scales": scales if type == WeightType.NVFP4 else None}
    found = pack(written(tmp_path_factory.mktemp("rows"), values, heights), type, **options)
    expected = pack(values, type, **options)
    assert (found.outputs, found.inputs) == (expected.outputs, expected.inputs)
    assert torch.equal(found.packed, expected.packed)


@pytest.mark.parametrize("type", list(WeightType))
def test_a_file_that_ends_too_early_is_refused(type, tmp_path):
    there = written(tmp_path, values_for(type, 70, 64), [40, 30])
    path = there.spans[1].path
    with path.open("r+b") as file:
        file.truncate(there.spans[1].start + 5)
    scales = torch.full((70, 4), 0x38, dtype=torch.uint8)
    with pytest.raises(NotRead):
        pack(there, type, scales=scales if type == WeightType.NVFP4 else None)


@pytest.mark.parametrize("type", [WeightType.BF16, WeightType.INT8, WeightType.INT4])
def test_a_number_in_a_file_that_is_not_finite_is_refused(type, tmp_path):
    values = values_for(type, 70, 64)
    values[69, 63] = float("inf")
    with pytest.raises(NotFinite):
        pack(written(tmp_path, values, [69, 1]), type)


def test_what_cannot_be_packed_is_refused_before_it_is_read(tmp_path):
    nowhere = tmp_path / "nowhere"
    two = (Span(nowhere, 0, (2, 64)), Span(nowhere, 0, (2, 32)))
    with pytest.raises(ValueError, match="one width"):
        InFiles(torch.float32, two)
    with pytest.raises(ValueError, match="not packed as INT8"):
        pack(InFiles(torch.float16, two[:1]), WeightType.INT8)
    with pytest.raises(FileNotFoundError):
        pack(InFiles(torch.float32, two[:1]), WeightType.INT8)
