import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file

from bise.errors import UserError
from bise.model.shard_writer import Spec, plan_shards, write_index, write_shard
from bise.model.shards import DTYPES, read_header, read_shards

TENSORS = {
    "wide": torch.arange(6.0).view(2, 3),
    "half": torch.arange(4.0).bfloat16(),
    "codes": torch.arange(5.0).to(torch.float8_e4m3fn),
    "scale": torch.tensor(0.5).bfloat16(),
    "bytes": torch.arange(7, dtype=torch.uint8),
    "none": torch.zeros(0, 4),
}


def write(path: Path, tensors: dict[str, torch.Tensor]) -> str:
    specs = {name: Spec(tensor.dtype, tuple(tensor.shape)) for name, tensor in tensors.items()}
    return write_shard(path, specs, lambda name: [tensors[name]])


def same(ours: torch.Tensor, theirs: torch.Tensor) -> bool:
    return ours.dtype == theirs.dtype and torch.equal(ours.float(), theirs.float())


def test_the_official_reader_reads_what_we_write(tmp_path):
    write(tmp_path / "a.safetensors", TENSORS)
    with safe_open(tmp_path / "a.safetensors", "pt") as file:
        assert set(file.keys()) == set(TENSORS)
        assert all(same(file.get_tensor(name), tensor) for name, tensor in TENSORS.items())


def test_we_read_what_the_official_writer_writes(tmp_path):
    save_file(TENSORS, tmp_path / "a.safetensors", metadata={"format": "pt"})
    entries = read_header(tmp_path / "a.safetensors")
    assert set(entries) == set(TENSORS)
    assert all(same(entries[name].read(), tensor) for name, tensor in TENSORS.items())


def test_a_piece_of_a_tensor_is_read_without_the_rest(tmp_path):
    write(tmp_path / "a.safetensors", TENSORS)
    entry = read_header(tmp_path / "a.safetensors")["wide"]
    assert entry.read(skip=2, shape=(1, 3)).tolist() == [[2.0, 3.0, 4.0]]


def test_writing_leaves_no_partial_file_and_hashes_what_is_there(tmp_path):
    import hashlib

    digest = write(tmp_path / "a.safetensors", TENSORS)
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]
    assert hashlib.sha256((tmp_path / "a.safetensors").read_bytes()).hexdigest() == digest


def header(claims: object, data: bytes = b"\0" * 8) -> bytes:
    raw = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return len(raw).to_bytes(8, "little") + raw + data


def claim(start: object, end: object, shape: object = (2,), dtype: object = "F32") -> dict:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


BROKEN = {
    "empty": (b"", "claims 0 bytes"),
    "short": (b"\1\0\0", "claims 1 bytes"),
    "long header": ((1 << 40).to_bytes(8, "little") + b"{}", "claims 1099511627776 bytes"),
    "no JSON": (header(b"{nope"), "no JSON"),
    "no text": (header(b"\xff\xfe{}"), "no JSON"),
    "a list": (header([1]), "no JSON object"),
    "double": (header(b'{"a":{},"a":{}}'), "`a` appears twice"),
    "entry": (header({"a": 3}), "tensor `a` is malformed"),
    "fields": (header({"a": {"dtype": "F32"}}), "tensor `a` is malformed"),
    "dtype": (header({"a": claim(0, 8, dtype="F4")}), "tensor `a` has the unknown dtype `F4`"),
    "dtype list": (header({"a": claim(0, 8, dtype=[])}), "tensor `a` is malformed"),
    "deep": (header(b"[" * 200_000), "no JSON"),
    "shape": (header({"a": claim(0, 8, shape=[-2])}), "tensor `a` is malformed"),
    "offsets": (header({"a": claim("0", 8)}), "tensor `a` is malformed"),
    "truncated": (header({"a": claim(0, 8)}, b"\0" * 5), "lies at bytes 0 to 8, the file has 5"),
    "backwards": (header({"a": claim(8, 0)}), "lies at bytes 8 to 0"),
    "size": (header({"a": claim(0, 8, shape=[3])}), "has 8 bytes, its shape needs 12"),
    "overlap": (
        header({"a": claim(0, 8), "b": claim(4, 8, shape=[1])}),
        "tensor `b` overlaps the one before it",
    ),
    "gap": (header({"a": claim(4, 8, shape=[1])}), "4 stray bytes before tensor `a`"),
    "tail": (header({"a": claim(0, 8)}, b"\0" * 9), "1 stray bytes after the last tensor"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_damaged_file_is_refused_in_one_line_that_names_it(name, tmp_path):
    content, expected = BROKEN[name]
    (tmp_path / "bad.safetensors").write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_header(tmp_path / "bad.safetensors")
    assert expected in caught.value.message and "`bad.safetensors`" in caught.value.message
    assert "\n" not in caught.value.message and caught.value.hint


@settings(max_examples=150, deadline=None)
@given(position=st.integers(0, 10_000), value=st.integers(0, 255), cut=st.integers(0, 400))
def test_no_flipped_byte_or_cut_file_does_anything_but_read_or_refuse(
    tmp_path_factory, position, value, cut
):
    folder = tmp_path_factory.mktemp("fuzz")
    write(folder / "a.safetensors", TENSORS)
    raw = bytearray((folder / "a.safetensors").read_bytes())
    raw[position % len(raw)] = value
    (folder / "a.safetensors").write_bytes(raw[: len(raw) - cut])
    try:
        for entry in read_header(folder / "a.safetensors").values():
            entry.read()
    except UserError as error:
        assert "\n" not in str(error)


def test_a_file_that_shrinks_while_open_is_noticed(tmp_path):
    path = tmp_path / "a.safetensors"
    write(path, TENSORS)
    entries = read_header(path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(UserError, match="shrank"):
        for entry in entries.values():
            entry.read()


def sharded(folder: Path) -> dict[str, list[str]]:
    specs = {name: Spec(tensor.dtype, tuple(tensor.shape)) for name, tensor in TENSORS.items()}
    plan = plan_shards(specs, 20, "model")
    for file, names in plan.items():
        write(folder / file, {name: TENSORS[name] for name in names})
    write_index(folder, "model", plan, sum(spec.size_bytes for spec in specs.values()))
    return plan


def test_shards_hold_at_most_the_given_size_and_read_as_one(tmp_path):
    plan = sharded(tmp_path)
    assert len(plan) == 3 and next(iter(plan)) == "model-00001-of-00003.safetensors"
    entries = read_shards(tmp_path, "model")
    assert all(same(entries[name].read(), tensor) for name, tensor in TENSORS.items())
    (tmp_path / "model.safetensors.index.json").unlink()
    assert set(read_shards(tmp_path, "model")) == set(TENSORS)


def refused(folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        read_shards(folder, "model")
    assert "\n" not in caught.value.message
    return caught.value.message


def test_a_missing_shard_is_named(tmp_path):
    plan = sharded(tmp_path)
    (tmp_path / list(plan)[1]).unlink()
    assert f"lists `{list(plan)[1]}`" in refused(tmp_path)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"weight_map": 3}', '{"weight_map": {"a": []}}']
)
def test_an_index_that_is_none_is_refused(content, tmp_path):
    (tmp_path / "model.safetensors.index.json").write_text(content)
    assert "is no index" in refused(tmp_path)


def test_an_index_cannot_point_out_of_its_folder(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    write(tmp_path / "secret.safetensors", TENSORS)
    places = dict.fromkeys(TENSORS, "../secret.safetensors")
    (inner / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    assert "`../secret.safetensors`, which is not in" in refused(inner)


def test_an_index_and_its_shards_must_agree(tmp_path):
    sharded(tmp_path)
    path = tmp_path / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    file = index["weight_map"].pop("half")
    path.write_text(json.dumps(index))
    assert "has tensor `half`, which" in refused(tmp_path)
    index["weight_map"] |= {"half": file, "more": file}
    path.write_text(json.dumps(index))
    assert "places tensor `more`" in refused(tmp_path)


def test_a_tensor_in_two_files_without_an_index_is_refused(tmp_path):
    write(tmp_path / "model.safetensors", TENSORS)
    write(tmp_path / "model-00001-of-00002.safetensors", {"half": TENSORS["half"]})
    assert "tensor `half` lies in" in refused(tmp_path)


def test_every_dtype_we_name_is_one_the_official_writer_names_alike(tmp_path):
    for name, dtype in DTYPES.items():
        save_file({"a": torch.zeros(2).to(dtype)}, tmp_path / "a.safetensors")
        assert read_header(tmp_path / "a.safetensors")["a"].dtype_name == name
