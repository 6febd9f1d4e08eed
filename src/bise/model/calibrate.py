"""How large the inputs of each matrix get on some texts, for the activation scales of FP8.

The texts go through the network layer by layer, and only one layer is in memory at a time.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bise.errors import UserError
from bise.model.checkpoint import Checkpoint, place
from bise.model.experts import Experts, route
from bise.model.layers import Linear
from bise.model.network import Block
from bise.model.quant import FP8_MAX
from bise.model.rotation import Rotation
from bise.model.sight import PackedRows
from bise.model.stored import quant_of
from bise.ops.experts import swiglu


@torch.no_grad()
def measure_activations(
    checkpoint: Checkpoint, texts: Sequence[Tensor], dtype: torch.dtype = torch.bfloat16
) -> dict[str, float]:
    """Native name of every matrix that FP8 quantises -> scale of what it is multiplied with.

    texts are token ids, [seq] each. An expert that no token reached gets the largest scale of its
    layer, which is what engines that keep one scale a layer would use.
    """
    config = checkpoint.config
    _need_ids(texts, config.vocab_size)
    table = checkpoint.tensor("embed.weight", dtype)
    streams = [F.embedding(ids, table) for ids in texts]  # [seq, dim] each
    del table
    rotation = Rotation(config)
    turns = [rotation(torch.arange(len(ids))) for ids in texts]
    scales: dict[str, float] = {}
    for layer in range(config.num_layers):
        block = _read_block(checkpoint, layer, dtype)
        peaks = _Peaks(block)
        for index, turn in enumerate(turns):
            sight = PackedRows(1, len(streams[index]))
            streams[index] = block(streams[index], turn, sight, None)
        scales |= _scales(checkpoint, layer, peaks.found)
    return scales


def _need_ids(texts: Sequence[Tensor], vocab_size: int) -> None:
    if not any(len(ids) for ids in texts):
        raise UserError("there is no text to measure activations with")
    largest = max(int(ids.max()) for ids in texts if len(ids))
    if largest >= vocab_size:
        raise UserError(
            f"a text to measure with has token id {largest}, the model knows {vocab_size}",
            hint="encode it with the tokenizer of this model",
        )


def _read_block(checkpoint: Checkpoint, layer: int, dtype: torch.dtype) -> Block:
    with torch.device("meta"):
        block = Block(checkpoint.config, layer)
    prefix = f"blocks.{layer}."
    for name in checkpoint.table:
        if name.startswith(prefix):
            place(block, name.removeprefix(prefix), checkpoint.tensor(name, dtype))
    return block


class _Peaks:
    """Watches a block: the largest input of every matrix, [] or [experts], by our name."""

    def __init__(self, block: Block):
        self.found: dict[str, Tensor] = {}
        for name, module in block.named_modules():
            if isinstance(module, Linear):
                module.register_forward_pre_hook(self._watch_input(f"{name}.weight"))
            elif isinstance(module, Experts):
                module.register_forward_pre_hook(self._watch_experts)
        latent_norm = getattr(block.attention, "kv_norm", None)
        if latent_norm is not None:  # attention multiplies by `kv_up` without calling it
            latent_norm.register_forward_hook(self._watch_latent)

    def _watch_input(self, name: str):
        def hook(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            self._raise(name, inputs[0].abs().amax())

        return hook

    def _watch_latent(self, _: nn.Module, __: tuple[Tensor, ...], latent: Tensor) -> None:
        self._raise("attention.kv_up.weight", latent.abs().amax())

    def _watch_experts(self, experts: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(experts, Experts)
        hidden = inputs[0]
        _, choice, _ = route(hidden, experts.router, experts.topk)
        outer, inner = torch.zeros(2, len(experts.router))
        for expert in choice.unique().tolist():
            rows = hidden[(choice == expert).any(-1)]
            outer[expert] = rows.abs().amax()
            inner[expert] = swiglu(F.linear(rows, experts.gate_up[expert])).abs().amax()
        self._raise("mlp.gate_up", outer)
        self._raise("mlp.down", inner)

    def _raise(self, name: str, peak: Tensor) -> None:
        peak = peak.float()
        self.found[name] = torch.maximum(self.found[name], peak) if name in self.found else peak


def _scales(checkpoint: Checkpoint, layer: int, peaks: dict[str, Tensor]) -> dict[str, float]:
    found: dict[str, float] = {}
    prefix = f"blocks.{layer}."
    for name, weight in checkpoint.table.items():
        if not name.startswith(prefix) or quant_of(weight, "fp8") == "none":
            continue
        peak = peaks[name.removeprefix(prefix)]
        peak = torch.where(peak > 0, peak, peak.amax()).clamp(min=1e-6) / FP8_MAX
        each = len(weight.parts) // max(peak.numel(), 1)
        for part, native in enumerate(weight.parts):
            found[native] = float(peak.flatten()[part // each])
    return found
