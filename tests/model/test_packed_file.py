"""Packed weights in a file: the same bits as when they are packed in memory; damage is told."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from model_shapes import SHAPES

from bise.errors import NotFound, UserError
from bise.model import open_checkpoint, save_checkpoint
from bise.model.cache import make_cache
from bise.model.config import ExpertsConfig
from bise.model.packed import PackedNetwork
from bise.model.packed_file import DATA, INDEX, PART, PackedFolder, is_packed, pack_folder
from bise.model.packed_source import FromCheckpoint, FromNetwork, FromRandom
from bise.model.paged import Span
from bise.ops.cpu.look import Pages
from bise.ops.cpu.network import Caches


def read(packed: PackedNetwork) -> torch.Tensor:
    cache = make_cache(packed.config, 4, 16, dtype=torch.float32)
    caches = Caches([Pages(layer, 0) for layer in cache.entries])
    return packed.core.run([5, 9, 30, 7], [Span(0, 4, [2])], caches, range(4)).logits


@pytest.mark.parametrize("kind", ["stored", "int8", "int4"])
def test_a_mapped_network_computes_the_same_bits(config, fill, kind, tmp_path):
    source = FromNetwork(fill(config))
    folder = pack_folder(source, None, tmp_path / "made", kind)
    assert is_packed(tmp_path / "made") and folder.kind == kind
    mapped = folder.network()
    assert mapped.config == config
    assert torch.equal(read(mapped), read(PackedNetwork(source, kind)))
    if config.vision is not None:
        picture = torch.randn(3, 28, 28, generator=torch.Generator().manual_seed(0))
        assert torch.equal(mapped.see([picture]), PackedNetwork(source, kind).see([picture]))


@pytest.mark.parametrize("quant", ["fp8", "nvfp4"])
def test_stored_types_and_their_scales_come_back(fill, quant, tmp_path):
    network = fill(SHAPES["small4-text"])
    made = save_checkpoint(tmp_path / "a", network, network.config, quant=quant)
    (made / "tekken.json").write_text("words")
    source = FromCheckpoint(open_checkpoint(made))
    mapped = pack_folder(source, made, tmp_path / "b").network()
    assert torch.equal(read(mapped), read(PackedNetwork(source)))
    assert (tmp_path / "b" / "tekken.json").read_text() == "words"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "made"
    pack_folder(FromRandom(SHAPES["small4"]), None, made, "int8")
    return made


def test_a_folder_that_is_not_empty_is_left_alone(folder):
    before = (folder / DATA).read_bytes()
    with pytest.raises(UserError, match="not empty"):
        pack_folder(FromRandom(SHAPES["small4"]), None, folder)
    assert (folder / DATA).read_bytes() == before


def test_what_breaks_off_is_no_packed_folder(tmp_path):
    def stop(done: int, total: int) -> None:
        if done > total // 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack_folder(FromRandom(SHAPES["small4"]), None, tmp_path / "made", progress=stop)
    assert not list((tmp_path / "made").iterdir())
    pack_folder(FromRandom(SHAPES["small4"]), None, tmp_path / "made")
    assert is_packed(tmp_path / "made")


def test_the_part_of_a_killed_process_is_written_over(tmp_path):
    (tmp_path / PART).write_bytes(b"half")
    pack_folder(FromRandom(SHAPES["small4"]), None, tmp_path)
    assert is_packed(tmp_path) and not (tmp_path / PART).exists()


def test_an_index_is_whole_or_not_there(tmp_path, monkeypatch):
    def stop(*_, **__):
        raise OSError("no space")

    monkeypatch.setattr(json, "dumps", stop)
    with pytest.raises(OSError, match="no space"):
        pack_folder(FromRandom(SHAPES["small4"]), None, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["stored", "int4"])
def test_a_disk_without_room_is_noticed_before_packing(kind, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(UserError, match="has 1,000 left"):
        pack_folder(FromRandom(SHAPES["small4"]), None, tmp_path, kind)
    assert not list(tmp_path.iterdir())


def test_a_cut_file_is_damaged(folder):
    with (folder / DATA).open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(UserError, match="1,000 bytes"):
        PackedFolder(folder)
    with pytest.raises(NotFound):
        PackedFolder(folder.parent)


@pytest.mark.parametrize(
    "change",
    [
        lambda index: index.update(format=1),
        lambda index: index.update(kind="int3"),
        lambda index: index.update(layout="other"),
        lambda index: index["pieces"].pop("head.weight"),
        lambda index: index["pieces"]["head.weight"].update(outputs=64),
        lambda index: index["pieces"]["head.weight"].update(outputs=64, size=64 * 72),
        lambda index: index["pieces"]["head.weight"].update(offset=index["size"]),
        lambda index: index["pieces"]["head.weight"].update(offset=1),
        lambda index: index["pieces"]["norm.weight"].update(shape=[32], size=128),
        lambda index: index["pieces"]["blocks.0.attention.up"].update(sizes=[1, 2, 3]),
        lambda index: index["pieces"]["head.weight"].update(scale=float("nan")),
        lambda index: index["pieces"]["head.weight"].update(scale=10**400),
        lambda index: index["pieces"]["head.weight"].update(up_scale=float("inf")),
        lambda index: index["pieces"]["norm.weight"].update(shape=[10**30, 0], size=0),
        lambda index: index["pieces"]["norm.weight"].update(shape=["x", 10**12]),
        lambda index: index.update(size=float(index["size"])),
        lambda index: index["config"].update(dim=32),
    ],
)
def test_an_index_that_makes_no_sense_is_refused(folder, change):
    index = json.loads((folder / INDEX).read_text())
    change(index)
    (folder / INDEX).write_text(json.dumps(index))
    with pytest.raises(UserError) as told:
        PackedFolder(folder).network()
    assert len(str(told.value)) < 300, "one line, without what libraries say of themselves"


def test_a_fault_of_the_config_names_the_file_it_is_in(folder):
    index = json.loads((folder / INDEX).read_text())
    del index["config"]["dim"]
    (folder / INDEX).write_text(json.dumps(index))
    with pytest.raises(UserError, match=f"`dim` is missing in `{INDEX}`"):
        PackedFolder(folder)


def test_an_installation_without_the_core_is_no_damage(folder, monkeypatch):
    monkeypatch.setattr("bise.ops.cpu.library.library", lambda: None)
    with pytest.raises(UserError, match=r"^this installation has no C\+\+ core$"):
        PackedFolder(folder)


def test_a_file_that_the_system_does_not_map_is_named(folder, monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("unable to mmap 5 bytes\nfrom somewhere")

    found = PackedFolder(folder)
    monkeypatch.setattr(torch, "from_file", refuse)
    with pytest.raises(UserError, match=f"{DATA}` cannot be mapped into memory: unable to mmap"):
        found.network()


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_value_in_the_index_does_anything_but_read_or_refuse(tmp_path_factory, data):
    made = tmp_path_factory.mktemp("packed") / "made"
    pack_folder(FromRandom(SHAPES["small3-text"]), None, made, "int4")
    index = json.loads((made / INDEX).read_text())
    key = data.draw(st.sampled_from(sorted(index["pieces"])))
    field = data.draw(st.sampled_from(sorted(index["pieces"][key])))
    value = st.one_of(
        st.none(),
        st.integers(-10, 10**12),
        st.floats(),
        st.text(max_size=4),
        st.lists(st.integers()),
    )
    index["pieces"][key][field] = data.draw(value)
    (made / INDEX).write_text(json.dumps(index))
    try:
        found = PackedFolder(made).network()
    except UserError:
        return
    assert found.config.dim == SHAPES["small3-text"].dim


def resident_bytes(folder) -> int:
    """Bytes of the mapped file that are in this process's memory."""
    total, is_ours = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split(" ")[0]:
            is_ours = line.endswith(str(folder / DATA))
        elif is_ours and line.startswith("Rss:"):
            total += int(line.split()[1]) * 1024
    return total


BIG = replace(
    SHAPES["small4-text"],
    dim=256,
    experts=ExpertsConfig(num=16, topk=2, hidden_dim=512),
)
"""Experts of a page and more: half a megabyte each in int8."""


def test_experts_beyond_a_budget_are_read_when_they_are_needed(tmp_path):
    folder = pack_folder(FromRandom(BIG), None, tmp_path / "made", "int8")
    expected = read(PackedNetwork(FromRandom(BIG), "int8"))
    budget = folder.size_bytes // 3
    network = folder.network(budget)
    for _ in range(4):
        assert torch.equal(read(network), expected)
    counts = network.residency.counts()
    assert counts.num_asked > counts.num_found > 0, "some were there, some had to be read"
    assert counts.num_guessed > 0
    assert counts.resident_bytes <= budget
    assert counts.read_bytes > counts.resident_bytes
    assert resident_bytes(tmp_path / "made") < budget + 2**20 < folder.size_bytes


def test_a_budget_that_holds_everything_pages_nothing(tmp_path):
    folder = pack_folder(FromRandom(BIG), None, tmp_path / "made", "int8")
    assert folder.network(folder.size_bytes).residency is None
    assert folder.network().residency is None


def test_where_every_token_needs_everything_a_file_may_be_larger_than_memory(tmp_path, monkeypatch):
    folder = pack_folder(FromRandom(SHAPES["small3-text"]), None, tmp_path / "made")
    monkeypatch.setattr(
        "bise.model.packed_file.available_memory_bytes", lambda: folder.size_bytes // 2
    )
    network = folder.network()
    assert network.residency is None
    assert torch.equal(read(network), read(PackedNetwork(FromRandom(SHAPES["small3-text"]))))
    with pytest.raises(UserError, match=r"needs .* bytes of memory"):
        folder.network(folder.size_bytes // 2)


def test_a_budget_too_small_for_one_token_is_refused(tmp_path):
    folder = pack_folder(FromRandom(BIG), None, tmp_path / "made", "int8")
    with pytest.raises(UserError, match=r"needs .* bytes of memory"):
        folder.network(2**20)


def test_without_room_to_spare_a_budget_is_measured(tmp_path, monkeypatch):
    folder = pack_folder(FromRandom(BIG), None, tmp_path / "made", "int8")
    monkeypatch.setattr(
        "bise.model.packed_file.available_memory_bytes", lambda: folder.size_bytes // 2
    )
    network = folder.network()
    assert torch.equal(read(network), read(PackedNetwork(FromRandom(BIG), "int8")))
    assert network.residency.counts().resident_bytes < folder.size_bytes // 2


@pytest.mark.parametrize("kind", ["stored", "int8", "int4"])
@pytest.mark.parametrize(
    ("quant", "number"), [("none", float("nan")), ("none", float("inf")), ("fp8", float("nan"))]
)
def test_a_number_that_is_not_finite_is_named(fill, kind, quant, number, tmp_path):
    """Packing sees it, and the checkpoint says where it is."""
    network = fill(SHAPES["small4"])
    made = save_checkpoint(tmp_path / "a", network, network.config, quant=quant)
    checkpoint = open_checkpoint(made)
    name = "blocks.1.mlp.shared.up.weight"
    place = checkpoint.entries[name, "codes" if quant == "fp8" else "plain", 0]
    bad = torch.full((1,), number).to(place.dtype).view(torch.uint8).numpy().tobytes()
    with place.path.open("r+b") as file:
        file.seek(place.start + 5 * place.dtype.itemsize)
        file.write(bad)
    with pytest.raises(UserError, match=r"shared_experts\.w3\.weight.*not finite"):
        PackedNetwork(FromCheckpoint(checkpoint), kind)
    with torch.no_grad():
        network.get_parameter("blocks.1.mlp.down")[3, 0, 0] = number
    with pytest.raises(UserError, match=r"blocks\.1\.mlp\.down.*not finite"):
        PackedNetwork(FromNetwork(network), kind)


@pytest.mark.parametrize("quant", ["none", "fp8", "nvfp4"])
def test_a_file_that_shrinks_while_it_is_packed_is_named(fill, quant, tmp_path):
    network = fill(SHAPES["small4-text"])
    made = save_checkpoint(tmp_path / "a", network, network.config, quant=quant)
    checkpoint = open_checkpoint(made)
    path = next(made.glob("*.safetensors"))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size * 2 // 3)
    with pytest.raises(UserError, match=f"`{path.name}` ends in the middle of a tensor"):
        PackedNetwork(FromCheckpoint(checkpoint))
