import pytest
import torch
import torch.nn.functional as F

from bise.errors import UserError
from bise.model.calibrate import measure_activations
from bise.model.checkpoint import open_checkpoint
from bise.model.experts import Experts, Routing
from bise.model.layers import Linear
from bise.model.network import Network
from bise.model.sight import PackedRows
from bise.model.stored import quant_of
from bise.model.write import save_checkpoint
from bise.ops.experts import swiglu

TEXTS = [torch.arange(14, 60), torch.tensor([30, 3, 99, 100])]


def whole_network_peaks(network: Network) -> dict[str, float]:
    """Largest input of every linear and expert, from ordinary passes over the texts."""
    peaks: dict[str, float] = {}

    def raise_to(name: str, value: torch.Tensor) -> None:
        peaks[name] = max(peaks.get(name, 0.0), float(value.abs().amax()) if value.numel() else 0.0)

    def watch(name, module):
        def hook(_, inputs):
            hidden = inputs[0]
            if isinstance(module, Linear):
                return raise_to(f"{name}.weight", hidden)
            logits = F.linear(hidden, module.router)
            chosen = logits.topk(module.topk).indices
            for expert in range(len(module.router)):
                rows = hidden[(chosen == expert).any(-1)]
                inner = swiglu(rows @ module.gate_up[expert].T)
                raise_to(f"{name}.gate_up.{expert}", rows)
                raise_to(f"{name}.down.{expert}", inner)
            return None

        return hook

    for name, module in network.named_modules():
        if isinstance(module, (Linear, Experts)):
            module.register_forward_pre_hook(watch(name, module))
    for ids in TEXTS:
        with torch.no_grad():
            network(ids, torch.arange(len(ids)), PackedRows(1, len(ids)), routing=Routing())
    return peaks


def test_scales_are_the_largest_inputs_over_448(config, fill, tmp_path):
    network = fill(config)
    save_checkpoint(tmp_path, network, config, dtype=torch.float32)
    checkpoint = open_checkpoint(tmp_path)
    found = measure_activations(checkpoint, TEXTS, torch.float32)
    peaks = whole_network_peaks(network)
    quantised = [w for w in checkpoint.table.values() if quant_of(w, "fp8") != "none"]
    assert set(found) == {part for weight in quantised for part in weight.parts}
    for weight in quantised:
        if weight.name.endswith("kv_up.weight"):
            continue
        each = len(weight.parts) // weight.shape[0] if weight.is_stacked else 1
        keys = [
            f"{weight.name}.{part // each}" if weight.is_stacked else weight.name
            for part in range(len(weight.parts))
        ]
        layer_peak = max(peaks[key] for key in keys)
        for key, part in zip(keys, weight.parts, strict=True):
            wanted = (peaks[key] or layer_peak) / 448
            assert found[part] == pytest.approx(wanted, rel=1e-4), part


def test_the_latent_is_what_its_expansion_is_multiplied_with(small4, fill, tmp_path):
    network = fill(small4)
    save_checkpoint(tmp_path, network, small4, dtype=torch.float32)
    seen = []
    norm = network.blocks[0].attention.kv_norm
    norm.register_forward_hook(lambda *args: seen.append(float(args[2].abs().amax())))
    for ids in TEXTS:
        network.read(ids)
    found = measure_activations(open_checkpoint(tmp_path), TEXTS, torch.float32)
    assert found["layers.0.attention.wkv_b.weight"] == pytest.approx(max(seen) / 448, rel=1e-5)


def test_no_texts_and_foreign_ids_are_refused(small4, fill, tmp_path):
    save_checkpoint(tmp_path, fill(small4), small4)
    checkpoint = open_checkpoint(tmp_path)
    with pytest.raises(UserError, match="there is no text"):
        measure_activations(checkpoint, [])
    with pytest.raises(UserError, match="has token id 4000"):
        measure_activations(checkpoint, [torch.tensor([4000])])
