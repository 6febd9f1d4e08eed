import torch

from bise.model.config import ModelConfig
from bise.model.inspect import count_active
from bise.model.names import pairs_apart, pairs_together, weights
from bise.model.network import Network
from bise.model.presets import preset, small3, small3_mini, small4, small4_mini
from bise.model.stored import Stored, stored


def count(config: ModelConfig) -> int:
    return sum(weight.numel for weight in weights(config))


def published_names(listing: dict, layout: str, *, experts: int, layers: int) -> dict[str, list]:
    """Every tensor of the reference listing, written out: name -> shape."""
    found = {}
    scales = "native_scales" if layout == "native" else "hf_scales"
    rows = [(row, 1) for row in listing["global"] + listing["vision"]]
    rows += [(row, layers) for row in listing["per_layer"]]
    for row, times in rows:
        for number in range(24 if "{N}" in row["native"] else times):
            fill = {"L": number, "N": number}
            found[row[layout].format(**fill)] = row["shape"]
            for name in row.get(scales, {}).values():
                found[name.format(**fill)] = []
    stacks = listing["per_layer_routed_experts"][layout]
    for layer in range(layers):
        for row in stacks:
            for expert in range(experts if layout == "native" else 1):
                found[row["name"].format(L=layer, E=expert)] = row["shape"]
                for name in row.get("scales", []):
                    found[name.format(L=layer, E=expert)] = []
    return found


def test_full_size_fp8_tensors_are_those_of_the_published_listing(reference):
    listing, table = reference("weights.json"), weights(small4())
    for layout, total in (("native", 42_741), ("hf", 1485)):
        ours = {one.name: list(one.shape) for one in stored(table, layout, "fp8", "published")}
        assert ours == published_names(listing, layout, experts=128, layers=36)
        assert len(ours) == total


def test_full_size_has_the_published_number_of_parameters():
    assert count(small4()) == 119_401_298_944
    text = [weight for weight in weights(small4()) if not weight.name.startswith("eye.")]
    assert sum(weight.numel for weight in text) == 118_972_826_624
    projector = [w.numel for w in weights(small4()) if w.name.startswith("eye.projector.")]
    assert sum(projector) == 25_166_848


def nvfp4_bytes(one: Stored) -> int:
    if one.role == "activation_divisor":
        return 4 if one.weight.is_stacked else 2
    size = {"plain": 2, "packed": 1, "groups": 1, "divisor": 4}[one.role]
    return size * torch.Size(one.shape).numel()


def test_full_size_nvfp4_has_the_published_bytes_in_every_part():
    tensors = list(stored(weights(small4()), "native", "nvfp4", ""))
    matrices = [one for one in tensors if one.role != "activation_divisor"]

    def total(*parts: str, without: str = "%") -> int:
        return sum(
            nvfp4_bytes(one)
            for one in matrices
            if any(part in one.name for part in parts) and without not in one.name
        )

    assert len(tensors) == 56_313
    assert sum(one.role == "packed" for one in tensors) == 13_932
    assert total(".experts.") == 65_229_871_104
    assert total(".shared_experts.") == 509_608_368
    assert total(".attention.", without="vision") == 2_019_649_536
    assert total("tok_embeddings") == total("output.") == 1_073_741_824
    assert total("vision_", "patch_merger", "pre_mm") == 856_944_640
    routers = (".gate.", "_norm.weight", "norm.weight")
    attention = total(".attention.q_a", ".attention.kv_a")
    eyes = sum(
        nvfp4_bytes(one)
        for one in matrices
        if one.name.startswith(("vision", "pre_mm")) and "norm.weight" in one.name
    )
    assert total(*routers) - attention - eyes == 38_346_752
    divisors = [one for one in tensors if one.role == "activation_divisor"]
    assert sum(map(nvfp4_bytes, divisors)) == 55_512
    assert sum(map(nvfp4_bytes, tensors)) == 70_801_959_560


def test_small3_has_the_published_number_of_parameters_with_and_without_its_eye():
    table = weights(small3())
    assert sum(weight.numel for weight in table) == 24_011_361_280
    text = [weight.numel for weight in table if not weight.name.startswith("eye.")]
    assert sum(text) == 23_572_403_200


def test_active_parameters_are_counted_four_ways():
    active = count_active(small4(), weights(small4()))
    assert active.layers == 5_558_842_368
    assert active.with_head == 6_095_717_376
    assert active.with_embedding == 6_632_588_288
    assert active.with_vision == 7_061_060_608


def test_the_mini_pair_keeps_the_ratio_of_layer_weights():
    big, small = (count_active(c, weights(c)).layers for c in (small3_mini(), small4_mini()))
    assert round(big / small, 1) == 4.0


def test_the_kv_cache_takes_the_published_bytes():
    assert 2 * small4().cache_numbers_per_token == 23_040
    assert 2 * small3().cache_numbers_per_token == 163_840


def test_every_preset_has_each_weight_once(config):
    for shape in (config, preset("nano"), preset("pico")):
        table = weights(shape)
        with torch.device("meta"):
            ours = {name: tuple(w.shape) for name, w in Network(shape).named_parameters()}
        assert {weight.name: weight.shape for weight in table} == ours
        assert len(table) == len(ours)


def test_split_axes_exist(config):
    for weight in weights(config):
        assert weight.split is None or weight.split < len(weight.shape)


def test_pairs_apart_and_together_undo_each_other():
    rows = torch.arange(24.0).view(12, 2)
    apart = pairs_apart(rows, heads=2)  # heads of 6 rows: 0 2 4 1 3 5
    assert apart[:, 0].tolist() == [0, 4, 8, 2, 6, 10, 12, 16, 20, 14, 18, 22]
    assert torch.equal(pairs_together(apart, heads=2), rows)
