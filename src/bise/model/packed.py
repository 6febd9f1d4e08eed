"""A network whose weights lie as the C++ core likes them.

Weights are read part by part from a checkpoint, or from a network in memory, quantised if wanted,
and packed: a second copy of them never exists. What it computes is `network.py`, faster.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from bise.model.checkpoint import Checkpoint, empty_network, place
from bise.model.config import GroupedAttentionConfig, LatentAttentionConfig, ModelConfig
from bise.model.names import Weight, weights
from bise.model.network import Network
from bise.model.quant import Packed
from bise.model.random_weights import RandomSource
from bise.model.rotation import frequencies, softmax_scale
from bise.model.stored import Quant, quant_of
from bise.ops.cpu.look import LatentUp, pack_latent_up
from bise.ops.cpu.matrix import Gated, Matrix, Mixture, WeightType, pack, product
from bise.ops.cpu.network import CoreNetwork, GroupedWeights, LatentWeights, LayerWeights, Shape

WeightKind = Literal["stored", "bf16", "int8", "int4"]
"""How matrices are kept: as the checkpoint has them, or in so many bits."""

TYPES = {"bf16": WeightType.BF16, "int8": WeightType.INT8, "int4": WeightType.INT4}
STORED_TYPES: dict[Quant, WeightType] = {
    "none": WeightType.BF16,
    "fp8": WeightType.FP8,
    "nvfp4": WeightType.NVFP4,
}


class Source(Protocol):
    """Where weights come from, a part of one at a time."""

    @property
    def config(self) -> ModelConfig: ...

    @property
    def quant(self) -> Quant: ...

    def part(self, weight: Weight, part: int) -> Tensor:
        """[rows, columns] fp32 or bf16"""
        ...

    def codes(self, weight: Weight, part: int) -> tuple[Tensor, float]:
        """FP8 codes, and their scale."""
        ...

    def packed(self, weight: Weight, part: int) -> Packed:
        """The NVFP4 tensors."""
        ...

    def eye(self) -> Network:
        """A network without text weights, whose eye works if it has one."""
        ...


class FromCheckpoint:
    """Reads from files, each part when it is packed."""

    def __init__(self, checkpoint: Checkpoint, eye_dtype: torch.dtype):
        self.checkpoint = checkpoint
        self.config = checkpoint.config
        self.quant = checkpoint.quant
        self.eye_dtype = eye_dtype

    def part(self, weight: Weight, part: int) -> Tensor:
        values = self.checkpoint.part(weight, part)
        return values if values.dtype in (torch.float32, torch.bfloat16) else values.float()

    def codes(self, weight: Weight, part: int) -> tuple[Tensor, float]:
        scale = self.checkpoint.scale(weight, "scale", part)
        return self.checkpoint.codes(weight, part), float(scale)

    def packed(self, weight: Weight, part: int) -> Packed:
        return self.checkpoint.packed(weight, part)

    def eye(self) -> Network:
        network = empty_network(self.config)
        for name in self.checkpoint.table:
            if name.startswith("eye."):
                place(network, name, self.checkpoint.tensor(name, self.eye_dtype))
        return network.eval()


class FromRandom:
    """Draws the weights `bise random` would write, without a file."""

    quant: Quant = "none"

    def __init__(self, config: ModelConfig, seed: int = 0):
        self.config = config
        self.random = RandomSource(seed)

    def part(self, weight: Weight, part: int) -> Tensor:
        return self.random.part(weight, part)

    def codes(self, weight: Weight, part: int) -> tuple[Tensor, float]:
        raise AssertionError(f"{weight.name} {part} is drawn and has no codes")

    def packed(self, weight: Weight, part: int) -> Packed:
        raise AssertionError(f"{weight.name} {part} is drawn and has no codes")

    def eye(self) -> Network:
        network = empty_network(self.config)
        for weight in weights(self.config):
            if weight.name.startswith("eye."):
                place(network, weight.name, self.random.part(weight, 0).view(weight.shape))
        return network.eval()


class FromNetwork:
    """Takes the weights of a network in memory."""

    quant: Quant = "none"

    def __init__(self, network: Network):
        self.network = network
        self.config = network.config
        self.parameters = dict(network.named_parameters())

    def part(self, weight: Weight, part: int) -> Tensor:
        values = weight.rows(self.parameters[weight.name].detach(), part)
        return values.contiguous() if values.dtype == torch.bfloat16 else values.float()

    def codes(self, weight: Weight, part: int) -> tuple[Tensor, float]:
        raise AssertionError(f"{weight.name} {part} is in memory and has no codes")

    def packed(self, weight: Weight, part: int) -> Packed:
        raise AssertionError(f"{weight.name} {part} is in memory and has no codes")

    def eye(self) -> Network:
        return self.network


class PackedNetwork:
    """A network in the core's form, which lends its embedding and its head as `Network` does."""

    def __init__(self, source: Source, kind: WeightKind = "stored"):
        self.config = source.config
        self.kind = kind
        packer = _Packer(source, kind)
        self.embedding = packer.rows("embed.weight").to(torch.bfloat16)
        self.head = packer.head()
        self.eye = source.eye()
        layers = [packer.layer(number) for number in range(self.config.num_layers)]
        self.core = CoreNetwork(
            shape_of(self.config),
            layers,
            embedding=self.embedding,
            norm=packer.vector("norm.weight"),
            head=self.head,
            frequencies=frequencies(self.config.rope, self.config.attention.rope).float(),
        )

    def see(self, images: Sequence[Tensor]) -> Tensor:
        """Vectors for all image tokens of these pictures, in order. [image tokens, dim]"""
        dtype = next(iter(self.eye.eye.parameters())).dtype if self.eye.eye else torch.float32
        return self.eye.see([image.to(dtype) for image in images]).float()

    def embed(self, ids: Tensor) -> Tensor:
        """[tokens] -> [tokens, dim] fp32"""
        return F.embedding(ids, self.embedding).float()

    def splice(self, ids: Tensor, hidden: Tensor, image_vectors: Tensor) -> Tensor:
        """As `Network.splice`."""
        return self.eye.splice(ids, hidden, image_vectors)

    def logits(self, hidden: Tensor) -> Tensor:
        """[tokens, dim] -> [tokens, vocab] fp32"""
        return product(hidden.float(), self.head)


def shape_of(config: ModelConfig) -> Shape:
    """A config as the core knows it."""
    attention, growth = config.attention, config.query_scale
    is_latent = isinstance(attention, LatentAttentionConfig)
    return Shape(
        dim=config.dim,
        vocab_size=config.vocab_size,
        num_heads=config.num_heads,
        norm_eps=config.norm_eps,
        softmax_scale=softmax_scale(config),
        q_latent=attention.q_latent if is_latent else 0,
        nope=attention.nope if is_latent else 0,
        value=attention.value if is_latent else attention.head_dim,
        kv_latent=attention.kv_latent if is_latent else 0,
        rope=attention.rope,
        num_kv_heads=0 if is_latent else attention.num_kv_heads,
        topk=config.experts.topk if config.experts is not None else 0,
        query_growth=growth.beta if growth is not None else 0.0,
        growth_step=float(growth.original) if growth is not None else 1.0,
    )


class _Packer:
    """Turns a source's parts into the core's matrices, one after another."""

    def __init__(self, source: Source, kind: WeightKind):
        self.source = source
        self.kind = kind
        self.table = {weight.name: weight for weight in weights(source.config)}

    def rows(self, name: str) -> Tensor:
        return self.source.part(self.table[name], 0)

    def vector(self, name: str) -> Tensor:
        return self.rows(name).float().contiguous()

    def head(self) -> Matrix:
        """In 4 bits the head would be the largest error of all, so it keeps 8."""
        if self.kind == "int4":
            return pack(self.rows("head.weight").contiguous(), WeightType.INT8)
        return self.matrix("head.weight")

    def matrix(self, name: str, part: int = 0) -> Matrix:
        """One part of a weight."""
        weight = self.table[name]
        quant = quant_of(weight, self.source.quant)
        if self.kind != "stored" or quant == "none":
            wanted = TYPES.get(self.kind, WeightType.BF16)
            return pack(self.source.part(weight, part).contiguous(), wanted)
        if quant == "fp8":
            codes, scale = self.source.codes(weight, part)
            return pack(codes.contiguous(), WeightType.FP8, scale=scale)
        found = self.source.packed(weight, part)
        scale = 1.0 / float(found.divisor)
        return pack(found.codes, WeightType.NVFP4, scales=found.scales, scale=scale)

    def gate_up(self, parts: Sequence[tuple[str, int]]) -> Matrix:
        """The two halves of a SwiGLU, beside each other."""
        gate, up = (self.table[name] for name, _ in parts)
        numbers = [part for _, part in parts]
        quant = quant_of(gate, self.source.quant)
        halves = list(zip((gate, up), numbers, strict=True))
        if self.kind != "stored" or quant == "none":
            values = torch.cat([self.source.part(*half) for half in halves])
            return pack(values, TYPES.get(self.kind, WeightType.BF16), is_gated=True)
        if quant == "fp8":
            (first, one), (second, other) = (self.source.codes(*half) for half in halves)
            codes = torch.cat((first.view(torch.uint8), second.view(torch.uint8)))
            return pack(codes, WeightType.FP8, scale=one, up_scale=other, is_gated=True)
        first, second = (self.source.packed(*half) for half in halves)
        return pack(
            torch.cat((first.codes, second.codes)),
            WeightType.NVFP4,
            scales=torch.cat((first.scales.view(torch.uint8), second.scales.view(torch.uint8))),
            scale=1.0 / float(first.divisor),
            up_scale=1.0 / float(second.divisor),
            is_gated=True,
        )

    def layer(self, number: int) -> LayerWeights:
        config, name = self.source.config, f"blocks.{number}."
        attend = self._latent if config.is_latent else self._grouped
        router = self.vector(f"{name}mlp.router") if config.experts is not None else None
        return LayerWeights(
            attention_norm=self.vector(f"{name}attention_norm.weight"),
            mlp_norm=self.vector(f"{name}mlp_norm.weight"),
            attention=attend(f"{name}attention."),
            out=self.matrix(f"{name}attention.out.weight"),
            mlp=self._dense(f"{name}mlp.") if router is None else self._experts(f"{name}mlp."),
            router=router,
        )

    def _latent(self, name: str) -> LatentWeights:
        shape = self.source.config.attention
        assert isinstance(shape, LatentAttentionConfig)
        up = self.source.part(self.table[f"{name}kv_up.weight"], 0)
        return LatentWeights(
            q_down=self.matrix(f"{name}q_down.weight"),
            kv_down=self.matrix(f"{name}kv_down.weight"),
            q_up=self.matrix(f"{name}q_up.weight"),
            q_norm=self.vector(f"{name}q_norm.weight"),
            kv_norm=self.vector(f"{name}kv_norm.weight"),
            up=self._up(up, shape),
        )

    def _up(self, up: Tensor, shape: LatentAttentionConfig) -> LatentUp:
        heads = up.contiguous().unflatten(0, (self.source.config.num_heads, -1))
        return pack_latent_up(heads, nope=shape.nope, rope=shape.rope)

    def _grouped(self, name: str) -> GroupedWeights:
        assert isinstance(self.source.config.attention, GroupedAttentionConfig)
        q, k, v = (self.matrix(f"{name}{one}.weight") for one in ("q", "k", "v"))
        return GroupedWeights(q=q, k=k, v=v)

    def _dense(self, name: str) -> Gated:
        return Gated(
            self.gate_up([(f"{name}gate.weight", 0), (f"{name}up.weight", 0)]),
            self.matrix(f"{name}down.weight"),
        )

    def _experts(self, name: str) -> Mixture:
        experts = self.source.config.experts
        assert experts is not None
        every = [
            Gated(
                self.gate_up([(f"{name}gate_up", 2 * e), (f"{name}gate_up", 2 * e + 1)]),
                self.matrix(f"{name}down", e),
            )
            for e in range(experts.num)
        ]
        return Mixture(every, self._dense(f"{name}shared.") if experts.num_shared else None)
