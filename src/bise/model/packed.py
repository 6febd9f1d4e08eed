"""A network whose weights lie as the C++ core likes them.

Weights are read part by part from a checkpoint, or from a network in memory, quantised if wanted,
and packed: a second copy of them never exists. What it computes is `network.py`, faster.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Literal, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from bise.errors import UserError
from bise.model.config import GroupedAttentionConfig, LatentAttentionConfig, ModelConfig
from bise.model.convert import Progress
from bise.model.names import weights
from bise.model.network import BLIND, splice
from bise.model.packed_eye import open_eye, pack_eye
from bise.model.packed_source import Counted, Parts, Rows, Source
from bise.model.rotation import frequencies, softmax_scale
from bise.model.stored import Quant, quant_of
from bise.ops.cpu.arena import Arena
from bise.ops.cpu.look import LatentUp, pack_latent_up
from bise.ops.cpu.matrix import (
    Gated,
    Matrix,
    Mixture,
    NotFinite,
    Unsound,
    WeightType,
    pack,
    product,
)
from bise.ops.cpu.network import CoreNetwork
from bise.ops.cpu.network_weights import GroupedWeights, LatentWeights, LayerWeights, Shape
from bise.ops.cpu.residency import Residency

WeightKind = Literal["stored", "bf16", "int8", "int4"]
"""How matrices are kept: as the checkpoint has them, or in so many bits."""

TYPES = {"bf16": WeightType.BF16, "int8": WeightType.INT8, "int4": WeightType.INT4}
STORED_TYPES: dict[Quant, WeightType] = {
    "none": WeightType.BF16,
    "fp8": WeightType.FP8,
    "nvfp4": WeightType.NVFP4,
}


class Keeper(Protocol):
    """Where packed pieces are kept, each under a key of its own."""

    def room(self, count: int) -> Tensor:
        """Memory for a matrix about to be packed, [bytes] uint8 aligned to 64."""
        ...

    def tensor(self, key: str, make: Callable[[], Tensor]) -> Tensor: ...

    def matrix(self, key: str, make: Callable[[], Matrix]) -> Matrix: ...

    def up(self, key: str, make: Callable[[], LatentUp]) -> LatentUp: ...


class InMemory:
    """Keeps nothing back: a piece is made, its matrices on huge pages, and handed on."""

    def __init__(self):
        self.room = Arena().take

    def tensor(self, key: str, make: Callable[[], Tensor]) -> Tensor:  # noqa: ARG002
        return make()

    def matrix(self, key: str, make: Callable[[], Matrix]) -> Matrix:  # noqa: ARG002
        return make()

    def up(self, key: str, make: Callable[[], LatentUp]) -> LatentUp:  # noqa: ARG002
        return make()


class PackedNetwork:
    """A network in the core's form, which lends its embedding and its head as `Network` does."""

    def __init__(
        self, source: Source, kind: WeightKind = "stored", progress: Progress | None = None
    ):
        """progress: called with the bytes read so far, and those of all weights"""
        counted = source if progress is None else Counted(source, progress)
        self._fill(_Packer(source.config, counted, kind, InMemory()))

    @classmethod
    def kept(cls, config: ModelConfig, kind: WeightKind, keep: Keeper) -> "PackedNetwork":
        """From pieces that were packed before."""
        network = cls.__new__(cls)
        network._fill(_Packer(config, None, kind, keep))
        return network

    residency: Residency | None = None
    """What keeps experts of a file within a budget of memory; None: all are in memory."""

    def _fill(self, packer: "_Packer") -> None:
        self.config, self.kind = packer.config, packer.kind
        self.embedding = packer.embedding()
        self.head = packer.head()
        self.eye = open_eye(packer)
        self.core = CoreNetwork(
            shape_of(self.config),
            [packer.layer(number) for number in range(self.config.num_layers)],
            embedding=self.embedding,
            norm=packer.vector("norm.weight"),
            head=self.head,
            frequencies=frequencies(self.config.rope, self.config.attention.rope).float(),
        )

    def see(self, images: Sequence[Tensor], *, is_exact: bool = False) -> Tensor:
        """Vectors for all image tokens of these pictures, in order. [image tokens, dim] fp32

        is_exact: a picture gets the same bits in any company
        """
        if self.eye is None:
            raise UserError(BLIND)
        return self.eye.see(images, is_exact=is_exact)

    def embed(self, ids: Tensor) -> Tensor:
        """[tokens] -> [tokens, dim] fp32"""
        return F.embedding(ids, self.embedding).float()

    def splice(self, ids: Tensor, hidden: Tensor, image_vectors: Tensor) -> Tensor:
        """As `Network.splice`."""
        return splice(ids, hidden, image_vectors, self.config.image_token)

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


def fitting(matrix: Matrix, shape: Sequence[int]) -> Matrix:
    """A matrix that came from a file may be another one than the config asks for."""
    found = (matrix.outputs, matrix.inputs)
    if found != tuple(shape):
        raise ValueError(f"a matrix is {found}, expected {tuple(shape)}")
    return matrix


def pack_all(source: Source, kind: WeightKind, keep: Keeper) -> None:
    """Hand every piece of a network to a keeper, layer by layer."""
    packer = _Packer(source.config, source, kind, keep)
    packer.embedding()
    packer.head()
    pack_eye(packer)
    packer.vector("norm.weight")
    for number in range(source.config.num_layers):
        packer.layer(number)


def _plain(rows: Rows) -> Rows:
    return rows.contiguous() if isinstance(rows, Tensor) else rows


class _Packer:
    """Turns a source's parts into the core's pieces, one after another.

    Without a source every piece has been kept already.
    """

    def __init__(self, config: ModelConfig, source: Source | None, kind: WeightKind, keep: Keeper):
        self.config = config
        self.kind: WeightKind = kind
        self.keep = keep
        self._source = source
        self.table = {weight.name: weight for weight in weights(config)}

    @property
    def source(self) -> Source:
        assert self._source is not None, "a piece was not kept"
        return self._source

    def rows(self, name: str) -> Tensor:
        return self.source.part(self.table[name], 0)

    def embedding(self) -> Tensor:
        name = "embed.weight"
        return self._tensor(name, lambda: self.rows(name).to(torch.bfloat16).contiguous())

    def vector(self, name: str) -> Tensor:
        return self._tensor(name, lambda: self.rows(name).float().contiguous())

    def _tensor(self, name: str, make: Callable[[], Tensor]) -> Tensor:
        made = self.keep.tensor(name, make)
        if made.shape != self.table[name].shape:
            raise ValueError(f"`{name}` is {tuple(made.shape)}, expected {self.table[name].shape}")
        return made

    def kind_of(self, name: str) -> WeightKind:
        """In 4 bits head and eye would be the largest errors of all, so they keep 8."""
        is_fine = name == "head.weight" or name.startswith("eye.")
        return "int8" if is_fine and self.kind == "int4" else self.kind

    def head(self) -> Matrix:
        return self.matrix("head.weight")

    def matrix(self, name: str, part: int | None = None) -> Matrix:
        """One part of a weight."""
        key = name if part is None else f"{name}.{part}"
        made = self.keep.matrix(key, lambda: self._sound([(name, part or 0)]))
        rows, *columns = self.table[name].part_shape
        return fitting(made, (rows, prod(columns)))

    def _sound(self, named: Sequence[tuple[str, int]]) -> Matrix:
        """Of a part, or the halves of a SwiGLU; if it is not sound, the one to blame is named."""
        parts = [(self.table[name], part) for name, part in named]
        try:
            return self._pack(parts)
        except Unsound as error:
            for one in parts:
                self.source.part(*one)  # a checkpoint looks at what it reads here
            names = " and ".join(name for name, _ in named)
            is_read = isinstance(error, NotFinite)
            why = "has a number that is not finite" if is_read else "could not be read"
            raise UserError(f"`{names}` {why}") from None

    def _pack(self, parts: Parts) -> Matrix:
        weight, is_gated = parts[0][0], len(parts) == 2
        kind, quant = self.kind_of(weight.name), quant_of(weight, self.source.quant)
        room = self.keep.room
        if kind != "stored" or quant == "none":
            values, wanted = self.source.stack(parts), TYPES.get(kind, WeightType.BF16)
            return pack(_plain(values), wanted, is_gated=is_gated, room=room)
        groups = None
        if quant == "fp8":
            codes, scales = self.source.codes(parts)
        else:
            codes, groups, scales = self.source.packed(parts)
        return pack(
            _plain(codes),
            STORED_TYPES[quant],
            scales=groups,
            scale=scales[0],
            up_scale=scales[1] if is_gated else None,
            is_gated=is_gated,
            room=room,
        )

    def gate_up(self, key: str, parts: Sequence[tuple[str, int]]) -> Matrix:
        """The two halves of a SwiGLU, beside each other."""
        rows, columns = self.table[parts[0][0]].part_shape
        made = self.keep.matrix(key, lambda: self._sound(parts))
        return fitting(made, (2 * rows, columns))

    def layer(self, number: int) -> LayerWeights:
        config, name = self.config, f"blocks.{number}."
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
        shape = self.config.attention
        assert isinstance(shape, LatentAttentionConfig)
        return LatentWeights(
            q_down=self.matrix(f"{name}q_down.weight"),
            kv_down=self.matrix(f"{name}kv_down.weight"),
            q_up=self.matrix(f"{name}q_up.weight"),
            q_norm=self.vector(f"{name}q_norm.weight"),
            kv_norm=self.vector(f"{name}kv_norm.weight"),
            up=self._up(name, shape),
        )

    def _up(self, name: str, shape: LatentAttentionConfig) -> LatentUp:
        def make() -> LatentUp:
            rows = self.rows(f"{name}kv_up.weight").contiguous()
            heads = rows.unflatten(0, (self.config.num_heads, -1))
            return pack_latent_up(heads, nope=shape.nope, rope=shape.rope)

        made = self.keep.up(f"{name}up", make)
        sizes = (self.config.num_heads, shape.nope, shape.rope, shape.value, shape.kv_latent)
        if made.shape != sizes:
            raise ValueError(f"`{name}up` is {made.shape}, expected {sizes}")
        return made

    def _grouped(self, name: str) -> GroupedWeights:
        assert isinstance(self.config.attention, GroupedAttentionConfig)
        q, k, v = (self.matrix(f"{name}{one}.weight") for one in ("q", "k", "v"))
        return GroupedWeights(q=q, k=k, v=v)

    def _dense(self, name: str) -> Gated:
        return Gated(
            self.gate_up(f"{name}gate_up", [(f"{name}gate.weight", 0), (f"{name}up.weight", 0)]),
            self.matrix(f"{name}down.weight"),
        )

    def _experts(self, name: str) -> Mixture:
        experts = self.config.experts
        assert experts is not None
        stacked = f"{name}gate_up"
        every = [
            Gated(
                self.gate_up(f"{stacked}.{e}", [(stacked, 2 * e), (stacked, 2 * e + 1)]),
                self.matrix(f"{name}down", e),
            )
            for e in range(experts.num)
        ]
        return Mixture(every, self._dense(f"{name}shared.") if experts.num_shared else None)
