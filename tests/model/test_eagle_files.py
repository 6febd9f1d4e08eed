"""The draft head in files: official names, FP8, what is refused."""

import json
import math
from pathlib import Path

import pytest
import torch
from model_shapes import EAGLE_TARGET, SHAPES, dense, fill_head, latent
from safetensors.torch import load_file, save_file
from torch import Tensor

from bise.errors import NotFound, UserError
from bise.model import (
    EagleHead,
    eagle_config,
    load_eagle,
    load_network,
    open_eagle,
    save_checkpoint,
    save_eagle,
    write_random_eagle,
)
from bise.model.config import ModelConfig
from bise.model.names import weights
from bise.model.presets import small4 as small4_at_full_size
from bise.model.quant import decode_fp8
from bise.model.sight import PackedRows
from bise.model.stored import stored


def test_at_full_size_it_has_as_many_weights_as_published():
    with torch.device("meta"):
        head = EagleHead(eagle_config(small4_at_full_size()))
    assert sum(weight.numel() for weight in head.parameters()) == 391_666_176


def test_its_table_is_the_published_listing(reference):
    listing = reference("weights.json")["eagle_repo"]
    published = {one["native"]: tuple(one["shape"]) for one in listing["tensors"]}
    table = {w.parts[0]: w.part_shape for w in weights(eagle_config(small4_at_full_size()))}
    assert published.items() <= table.items()
    assert table["layers.1.feed_forward.w1.weight"] == (12_288, 4096)
    assert table["layers.1.feed_forward.w2.weight"] == (4096, 12_288)
    layers = {"attention_norm", "ffn_norm", "feed_forward.w1", "feed_forward.w2", "feed_forward.w3"}
    names = "wq_a q_a_norm wq_b wkv_a_with_mqa kv_a_norm wkv_b wo"
    layers |= {f"attention.{name}" for name in names.split()}
    expected = {f"layers.{n}.{name}.weight" for n in (0, 1) for name in layers}
    assert set(table) == expected | set(published)


def params(folder: Path, **changes) -> None:
    """Change fields of a folder's config; None takes one out."""
    path = folder / "params.json"
    values = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({k: v for k, v in values.items() if v is not None}))


@pytest.mark.parametrize("target", [EAGLE_TARGET, SHAPES["small4"], dense()])
def test_a_saved_head_loads_bit_by_bit(target, tmp_path):
    head = fill_head(target)
    save_eagle(tmp_path, head, dtype=torch.float32)
    loaded = load_eagle(tmp_path, target, torch.float32)
    assert loaded.config == head.config and not loaded.training
    for name, weight in head.named_parameters():
        assert torch.equal(loaded.get_parameter(name), weight)
    x, positions = torch.randn(2, 20, target.dim), torch.arange(20)
    sight = PackedRows(1, 20)
    assert torch.equal(head(*x, positions, sight), loaded(*x, positions, sight))


def test_a_head_is_saved_as_bf16_by_default(tmp_path):
    head = fill_head()
    save_eagle(tmp_path, head)
    loaded = load_eagle(tmp_path, EAGLE_TARGET)
    for name, weight in head.named_parameters():
        assert loaded.get_parameter(name).dtype == torch.bfloat16
        assert torch.equal(loaded.get_parameter(name), weight.bfloat16())


def test_fp8_is_code_times_scale_in_the_official_tensors(tmp_path):
    head = fill_head()
    save_eagle(tmp_path, head, quant="fp8")
    tensors = load_file(tmp_path / "consolidated.safetensors")
    loaded = load_eagle(tmp_path, EAGLE_TARGET, torch.float32)
    for name, part in ((w.name, w.parts[0]) for w in weights(head.config)):
        found, codes = loaded.get_parameter(name), tensors.pop(part)
        if codes.dtype == torch.float8_e4m3fn:
            base = part.removesuffix("weight")
            scale = tensors.pop(f"{base}qscale_weight")
            assert scale.shape == tensors.pop(f"{base}qscale_act").shape == ()
            assert torch.equal(found, decode_fp8(codes, scale))
            torch.testing.assert_close(found, head.get_parameter(name), rtol=0.07, atol=0.01)
        else:
            assert part.endswith("norm.weight")
            assert torch.equal(found, codes.float())
    assert not tensors


def test_fp8_works_with_scales_of_other_types_and_without_those_of_activations(tmp_path):
    write_random_eagle(EAGLE_TARGET, tmp_path, quant="fp8")
    before = load_eagle(tmp_path, EAGLE_TARGET).join.weight

    def change(tensors: dict[str, Tensor]) -> None:
        tensors["eagle_linear.qscale_weight"] = tensors["eagle_linear.qscale_weight"].float()[None]
        del tensors["eagle_linear.qscale_act"], tensors["layers.1.attention.wo.qscale_act"]

    edit(tmp_path, change)
    assert torch.equal(load_eagle(tmp_path, EAGLE_TARGET).join.weight, before)


def test_random_heads_follow_their_seed(tmp_path):
    heads = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_random_eagle(EAGLE_TARGET, tmp_path / name, seed=seed, num_layers=1)
        heads.append(load_eagle(tmp_path / name, EAGLE_TARGET))
    assert torch.equal(heads[0].join.weight, heads[1].join.weight)
    assert not torch.equal(heads[0].join.weight, heads[2].join.weight)
    assert len(heads[0].blocks) == 1


def test_what_the_config_leaves_out_is_as_in_the_target(tmp_path):
    head = fill_head()
    save_eagle(tmp_path, head, dtype=torch.float32)
    for absent in ("yarn", "llama_4_scaling"):
        params(tmp_path, **{absent: None})
    assert load_eagle(tmp_path, EAGLE_TARGET).config == head.config
    values = json.loads((tmp_path / "params.json").read_text())
    (tmp_path / "params.json").write_text(json.dumps(values | {"yarn": None, "moe": None}))
    assert load_eagle(tmp_path, EAGLE_TARGET).config == head.config


def test_what_the_config_says_differs_from_the_target(tmp_path):
    save_eagle(tmp_path, fill_head())
    scale = {"original_max_position_embeddings": 32, "beta": 0.3}
    params(tmp_path, llama_4_scaling=scale, max_position_embeddings=64, norm_eps=1e-5)
    config = load_eagle(tmp_path, EAGLE_TARGET).config
    assert (config.query_scale.beta, config.query_scale.original) == (0.3, 32)
    assert (config.max_positions, config.norm_eps) == (64, 1e-5)
    assert config.rope == EAGLE_TARGET.rope


PUBLISHED = {
    "dim": 4096, "n_layers": 2, "head_dim": 128, "hidden_dim": 12288, "n_heads": 32,
    "n_kv_heads": 32, "rope_theta": 10000.0, "norm_eps": 1e-06, "vocab_size": 131072,
    "q_lora_rank": 1024, "kv_lora_rank": 256, "qk_nope_head_dim": 64, "qk_rope_head_dim": 64,
    "v_head_dim": 128, "max_position_embeddings": 1048576, "moe": None,
    "quantization": {"qformat_weight": "fp8_e4m3", "qscheme_act": "TENSOR"},
}  # fmt: skip
"""The head's `params.json`, as far as it is known: sizes follow from the number of bytes."""


def test_a_full_size_folder_opens(tmp_path):
    """A file with a real header and holes where the numbers were."""
    config = eagle_config(small4_at_full_size())
    types = {"codes": ("F8_E4M3", 1), "plain": ("BF16", 2)}
    header, end = {}, 0
    for one in stored(weights(config), "native", "fp8", ""):
        dtype, size = types.get(one.role, ("BF16", 2))
        start, end = end, end + size * math.prod(one.shape)
        header[one.name] = {"dtype": dtype, "shape": one.shape, "data_offsets": [start, end]}
    raw = json.dumps(header).encode()
    with (tmp_path / "consolidated.safetensors").open("wb") as out:
        out.write(len(raw).to_bytes(8, "little") + raw)
        out.truncate(8 + len(raw) + end)
    (tmp_path / "params.json").write_text(json.dumps(PUBLISHED))
    checkpoint = open_eagle(tmp_path, small4_at_full_size())
    assert checkpoint.config == config
    assert checkpoint.num_tensors == 60
    assert 391.66e6 < checkpoint.size_bytes < 391.75e6


def refused(folder: Path, target: ModelConfig = EAGLE_TARGET) -> str:
    with pytest.raises(UserError) as caught:
        load_eagle(folder, target)
    assert "\n" not in caught.value.message
    return caught.value.message


def edit(folder: Path, change) -> None:
    """Rewrite the weights of a folder after `change` had a go at them."""
    path = folder / "consolidated.safetensors"
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_random_eagle(EAGLE_TARGET, tmp_path / "head", quant="fp8")


def test_missing_surplus_and_misshapen_tensors_are_named(folder):
    whole = load_file(folder / "consolidated.safetensors")
    edit(folder, lambda tensors: tensors.pop("eagle_linear.qscale_weight"))
    assert "lacks tensor `eagle_linear.qscale_weight`" in refused(folder)
    save_file(whole | {"output.weight": torch.zeros(1)}, folder / "consolidated.safetensors")
    assert "unknown tensor `output.weight`" in refused(folder)
    save_file(whole | {"norm.weight": torch.zeros(65)}, folder / "consolidated.safetensors")
    assert "`norm.weight`" in refused(folder) and "[65], expected [64]" in refused(folder)
    wide = {"eagle_linear.weight": whole["eagle_linear.weight"].float()}
    save_file(whole | wide, folder / "consolidated.safetensors")
    assert "is F32, expected `F8_E4M3`" in refused(folder)


@pytest.mark.parametrize("name", ["eagle_linear.weight", "norm.weight", "layers.1.ffn_norm.weight"])
def test_a_number_that_is_not_finite_is_found(name, folder):
    def change(tensors):
        wide = tensors[name].float()
        wide.view(-1)[-1] = float("nan")
        tensors[name] = wide.to(tensors[name].dtype)

    edit(folder, change)
    open_eagle(folder, EAGLE_TARGET)  # headers say nothing of it
    assert f"tensor `{name}`" in refused(folder) and "not finite" in refused(folder)


def test_a_scale_that_cannot_be_is_refused(folder):
    edit(folder, lambda t: t.update({"eagle_linear.qscale_weight": torch.tensor(0.0)}))
    assert "scale of `eagle_linear.weight` is 0.0" in refused(folder)


def test_a_file_that_was_cut_is_damaged(folder):
    path = folder / "consolidated.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    assert "`consolidated.safetensors` is damaged" in refused(folder)


def test_folders_and_configs_that_are_no_head_are_refused(folder, tmp_path, fill):
    assert "a `dim` of 64, its target one of 48" in refused(folder, dense())
    assert "a `vocab_size` of 128, its target one of 99" in refused(folder, latent(vocab_size=99))
    params(folder, first_layers=3)
    assert "`first_layers` in `params.json` is an unknown field" in refused(folder)
    with pytest.raises(UserError, match="of a draft head has a block `moe`"):
        load_eagle(write_model(tmp_path / "model", fill), EAGLE_TARGET)
    with pytest.raises(UserError, match=r"lacks tensor `tok_embeddings.weight`"):
        load_network(write_random_eagle(EAGLE_TARGET, tmp_path / "other"))
    with pytest.raises(NotFound, match="there is no folder"):
        load_eagle(tmp_path / "nowhere", EAGLE_TARGET)
    with pytest.raises(UserError, match="no weights in the `native` layout, which draft heads"):
        load_eagle(write_model(tmp_path / "hf", fill, layout="hf"), EAGLE_TARGET)


def write_model(folder: Path, fill, **options) -> Path:
    return save_checkpoint(folder, fill(EAGLE_TARGET), EAGLE_TARGET, **options)


def test_nvfp4_is_not_for_heads(tmp_path):
    with pytest.raises(UserError, match="NVFP4 is for experts"):
        save_eagle(tmp_path, fill_head(), quant="nvfp4")
    assert not list(tmp_path.iterdir())
