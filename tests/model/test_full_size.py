"""The published folders at their full size, as files with real headers and nothing in them."""

import json
import time
from pathlib import Path

import pytest

from bise.errors import UserError
from bise.model.checkpoint import CONFIG_FILES, open_checkpoint
from bise.model.config_write import write_hf, write_native
from bise.model.inspect import inspect
from bise.model.names import weights
from bise.model.presets import small3, small4
from bise.model.shards import DTYPE_NAMES
from bise.model.stored import ROLE_DTYPES, STEMS, Layout, Quant, Stored, stored

pytestmark = pytest.mark.slow

pytestmark = pytest.mark.slow

NUM_FP8 = 36 * (28_050_688 - 1024 - 256 + 129 * 25_165_824)
"""Attention without its norms, and all experts."""

FP8_BYTES = NUM_FP8 + 2 * (119_401_298_944 - NUM_FP8)


def dtype_name(one: Stored) -> str:
    if one.role == "divisor" or (one.role == "activation_divisor" and one.weight.is_stacked):
        return "F32"
    return DTYPE_NAMES[ROLE_DTYPES[one.role][0]]


def hollow(folder: Path, layout: Layout, quant: Quant, config=None, num_shards: int = 7) -> Path:
    """A checkpoint whose shards have all their headers, and holes where the numbers were."""
    config = config or small4()
    folder.mkdir(parents=True, exist_ok=True)
    tensors = list(stored(weights(config), layout, quant, "published"))
    places = {}
    for number in range(num_shards):
        file = f"{STEMS[layout]}-{number + 1:05d}-of-{num_shards:05d}.safetensors"
        header, end = {}, 0
        for one in tensors[number::num_shards]:
            size = {"BF16": 2, "F32": 4}.get(dtype_name(one), 1)
            start = end
            for axis in one.shape:
                size *= axis
            end = start + size
            shape = list(one.shape)
            header[one.name] = {
                "dtype": dtype_name(one), "shape": shape, "data_offsets": [start, end]
            }  # fmt: skip
            places[one.name] = file
        raw = json.dumps(header).encode()
        with (folder / file).open("wb") as out:
            out.write(len(raw).to_bytes(8, "little") + raw)
            out.truncate(8 + len(raw) + end)
    index = folder / f"{STEMS[layout]}.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    values = (write_native if layout == "native" else write_hf)(config, quant)
    (folder / CONFIG_FILES[layout]).write_text(json.dumps(values))
    return folder


@pytest.mark.parametrize(
    ("layout", "quant", "num_tensors", "size_bytes"),
    [
        ("native", "fp8", 42_741, FP8_BYTES + 2 * 28_224),
        ("hf", "fp8", 1485, FP8_BYTES + 2 * 19_008),
        ("native", "nvfp4", 56_313, 70_801_959_560),
    ],
)
def test_a_full_size_folder_opens_in_seconds(layout, quant, num_tensors, size_bytes, tmp_path):
    start = time.monotonic()
    report = inspect(hollow(tmp_path, layout, quant))
    assert report.num_tensors == num_tensors
    assert report.size_bytes == size_bytes
    assert report.num_parameters == 119_401_298_944
    assert report.config == small4()
    assert time.monotonic() - start < 30


def test_a_full_size_folder_with_both_layouts_opens(tmp_path):
    hollow(tmp_path, "hf", "fp8")
    hollow(tmp_path, "native", "fp8")
    assert open_checkpoint(tmp_path).layouts == ("native", "hf")
    assert open_checkpoint(tmp_path, "hf").num_tensors == 1485


def test_a_full_size_dense_folder_opens(tmp_path):
    for layout in ("native", "hf"):
        report = inspect(hollow(tmp_path / layout, layout, "none", small3()))
        assert report.size_bytes == 2 * 24_011_361_280


def test_a_full_size_shard_that_was_cut_is_named(tmp_path):
    hollow(tmp_path, "native", "fp8")
    shard = tmp_path / "consolidated-00003-of-00007.safetensors"
    with shard.open("r+b") as file:
        file.truncate(shard.stat().st_size - 1)
    with pytest.raises(UserError, match=r"`consolidated-00003-of-00007.safetensors` is damaged"):
        open_checkpoint(tmp_path)
