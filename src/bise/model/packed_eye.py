"""The eye in the core's form: tower and projector of `vision.py`, packed like other matrices."""

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from bise.model.config import ModelConfig
from bise.model.vision import tower_frequencies
from bise.ops.cpu.matrix import Gated, Matrix
from bise.ops.cpu.vision import CoreEye, EyeShape, EyeWeights, VisionBlockWeights


class Pieces(Protocol):
    """Who hands out packed pieces by name."""

    @property
    def config(self) -> ModelConfig: ...

    def matrix(self, name: str) -> Matrix: ...

    def vector(self, name: str) -> Tensor: ...

    def gate_up(self, key: str, parts: Sequence[tuple[str, int]]) -> Matrix: ...


def open_eye(pieces: Pieces) -> CoreEye | None:
    """The eye of a network; None where it has none."""
    weights, vision = pack_eye(pieces), pieces.config.vision
    if weights is None or vision is None:
        return None
    return CoreEye(eye_shape(pieces.config), weights, tower_frequencies(vision))


def pack_eye(pieces: Pieces) -> EyeWeights | None:
    """All of its pieces."""
    vision, projector = pieces.config.vision, "eye.projector."
    if vision is None:
        return None
    return EyeWeights(
        pixels=pieces.matrix("eye.tower.patch.weight"),
        norm=pieces.vector("eye.tower.norm.weight"),
        blocks=[_block(pieces, f"eye.tower.blocks.{n}.") for n in range(vision.num_layers)],
        projector_norm=pieces.vector(f"{projector}norm.weight"),
        merging=pieces.matrix(f"{projector}merge.weight"),
        w_in=pieces.matrix(f"{projector}w_in.weight"),
        w_out=pieces.matrix(f"{projector}w_out.weight"),
    )


def eye_shape(config: ModelConfig) -> EyeShape:
    """A config as the core knows its eye."""
    vision = config.vision
    assert vision is not None, "a network without an eye has no shape of one"
    return EyeShape(
        dim=vision.dim,
        num_heads=vision.num_heads,
        num_channels=vision.num_channels,
        patch=vision.patch,
        merge=vision.merge,
        vector_dim=config.dim,
        norm_eps=vision.norm_eps,
        projector_norm_eps=vision.projector_norm_eps,
    )


def _block(pieces: Pieces, name: str) -> VisionBlockWeights:
    attention, mlp = f"{name}attention.", f"{name}mlp."
    q, k, v, out = (pieces.matrix(f"{attention}{one}.weight") for one in ("q", "k", "v", "out"))
    halves = [(f"{mlp}gate.weight", 0), (f"{mlp}up.weight", 0)]
    return VisionBlockWeights(
        attention_norm=pieces.vector(f"{name}attention_norm.weight"),
        mlp_norm=pieces.vector(f"{name}mlp_norm.weight"),
        q=q,
        k=k,
        v=v,
        out=out,
        mlp=Gated(pieces.gate_up(f"{mlp}gate_up", halves), pieces.matrix(f"{mlp}down.weight")),
    )
