"""What every weight is called: by us, in Mistral's native files, and in Hugging Face's.

The table below is the only place that knows. A native file keeps every matrix by itself; HF stacks
the experts of a layer, and so do we: the rows of our tensor are the rows of its native *parts*, one
after another. HF also stores query and key rows that are rotated in full with the two halves of all
pairs apart (`turned`); native files and our memory keep the numbers of a pair next to each other.
"""

from dataclasses import dataclass
from math import prod
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from bise.model.config import GroupedAttentionConfig, ModelConfig
from bise.model.eagle import EagleConfig, EagleHead
from bise.model.network import Network

Kind = Literal["plain", "linear", "expert"]
"""`plain` weights are never quantised, `linear` ones in FP8, `expert` ones in FP8 and NVFP4."""

Section = Literal["text", "head", "tower", "projector"]


class Row(NamedTuple):
    """A line of the table; `*` in a native name counts experts, a blank separates two parts."""

    ours: str
    native: str
    hf: str
    kind: Kind = "plain"
    split: int | None = None
    """Axis of our tensor along which it may be cut into pieces for several devices."""
    turned: bool = False


TEXT = (
    Row("embed.weight", "tok_embeddings.weight", "embed_tokens.weight", split=0),
    Row("norm.weight", "norm.weight", "norm.weight"),
)
HEAD = (Row("head.weight", "output.weight", "lm_head.weight", split=0),)
EAGLE = (
    Row("join.weight", "eagle_linear.weight", "eagle_linear.weight", "linear"),
    Row("norm.weight", "norm.weight", "norm.weight"),
)
"""Of a draft head, whose official files are native only."""

NORMS = (
    Row("attention_norm.weight", "attention_norm.weight", "input_layernorm.weight"),
    Row("mlp_norm.weight", "ffn_norm.weight", "post_attention_layernorm.weight"),
)
LATENT = (
    Row("q_down.weight", "wq_a.weight", "q_a_proj.weight", "linear"),
    Row("q_norm.weight", "q_a_norm.weight", "q_a_layernorm.weight"),
    Row("q_up.weight", "wq_b.weight", "q_b_proj.weight", "linear", 0),
    Row("kv_down.weight", "wkv_a_with_mqa.weight", "kv_a_proj_with_mqa.weight", "linear"),
    Row("kv_norm.weight", "kv_a_norm.weight", "kv_a_layernorm.weight"),
    Row("kv_up.weight", "wkv_b.weight", "kv_b_proj.weight", "linear", 0),
    Row("out.weight", "wo.weight", "o_proj.weight", "linear", 1),
)
GROUPED = (
    Row("q.weight", "wq.weight", "q_proj.weight", "linear", 0, turned=True),
    Row("k.weight", "wk.weight", "k_proj.weight", "linear", 0, turned=True),
    Row("v.weight", "wv.weight", "v_proj.weight", "linear", 0),
    Row("out.weight", "wo.weight", "o_proj.weight", "linear", 1),
)
EXPERTS = (
    Row("mlp.router", "gate.weight", "mlp.gate.weight"),
    Row(
        "mlp.gate_up",
        "experts.*.w1.weight experts.*.w3.weight",
        "mlp.experts.gate_up_proj",
        "expert",
        0,
    ),
    Row("mlp.down", "experts.*.w2.weight", "mlp.experts.down_proj", "expert", 0),
)
FEED_FORWARD = (
    Row("gate.weight", "w1.weight", "gate_proj.weight", "linear", 0),
    Row("up.weight", "w3.weight", "up_proj.weight", "linear", 0),
    Row("down.weight", "w2.weight", "down_proj.weight", "linear", 1),
)
TOWER = (
    Row("patch.weight", "patch_conv.weight", "patch_conv.weight"),
    Row("norm.weight", "ln_pre.weight", "ln_pre.weight"),
)
TOWER_NORMS = (
    Row("attention_norm.weight", "attention_norm.weight", "attention_norm.weight"),
    Row("mlp_norm.weight", "ffn_norm.weight", "ffn_norm.weight"),
)
PROJECTOR = (
    Row("norm.weight", "pre_mm_projector_norm.weight", "norm.weight"),
    Row(
        "merge.weight",
        "patch_merger.merging_layer.weight",
        "patch_merger.merging_layer.weight",
    ),
    Row("w_in.weight", "vision_language_adapter.w_in.weight", "linear_1.weight"),
    Row("w_out.weight", "vision_language_adapter.w_out.weight", "linear_2.weight"),
)

SPELLINGS: dict[str, dict[Section, str]] = {
    "published": {
        "text": "language_model.model.",
        "head": "language_model.",
        "tower": "vision_tower.",
        "projector": "multi_modal_projector.",
    },
    "transformers": {
        "text": "model.language_model.",
        "head": "",
        "tower": "model.vision_tower.",
        "projector": "model.multi_modal_projector.",
    },
    "text": {"text": "model.", "head": ""},
}
"""What HF names begin with: in the published files, as transformers 5 has them, without vision."""


@dataclass(frozen=True, slots=True)
class Weight:
    """One parameter of the network and where the official files keep it."""

    name: str
    shape: tuple[int, ...]
    parts: tuple[str, ...]
    """Native names, in the order in which their rows make up ours."""

    part_shape: tuple[int, ...]
    """Of each part, as a file has it."""

    hf: str
    """HF name after the prefix of its section."""

    section: Section
    kind: Kind
    split: int | None
    turned_heads: int
    """Heads whose rows HF stores halves first; 0 where the layouts agree."""

    @property
    def is_stacked(self) -> bool:
        """True for the experts of a layer: one tensor in HF, many in a native file."""
        return self.kind == "expert" and not self.hf.endswith(".weight")

    @property
    def numel(self) -> int:
        return prod(self.shape)

    def rows(self, whole: Tensor, part: int) -> Tensor:
        """The rows of our tensor that are this part, as a view. [rows, ...]"""
        if not self.is_stacked:
            return whole
        return whole.view(len(self.parts), self.part_shape[0], *whole.shape[2:])[part]

    def hf_name(self, spelling: str) -> str:
        return SPELLINGS[spelling][self.section] + self.hf


def weights(config: ModelConfig) -> tuple[Weight, ...]:
    """Every weight of a network, or a draft head, of this shape, which is built without memory."""
    with torch.device("meta"):
        network = EagleHead(config) if isinstance(config, EagleConfig) else Network(config)
    shapes = {name: tuple(weight.shape) for name, weight in network.named_parameters()}
    found = tuple(_weight(line, shapes[line.ours], config) for line in _lines(config))
    assert {weight.name for weight in found} == set(shapes), "the table misses a parameter"
    return found


class _Line(NamedTuple):
    ours: str
    native: str
    hf: str
    row: Row
    section: Section


def _lines(config: ModelConfig) -> list[_Line]:
    """The table written out for this many layers."""
    is_head = isinstance(config, EagleConfig)
    lines = _under("", "", "", EAGLE if is_head else TEXT, "text")
    for layer in range(config.num_layers):
        lines += _block(config, layer)
    if is_head:
        return lines
    lines += _under("", "", "", HEAD, "head")
    if config.vision is None:
        return lines
    lines += _under("eye.tower.", "vision_encoder.", "", TOWER, "tower")
    for layer in range(config.vision.num_layers):
        ours = f"eye.tower.blocks.{layer}."
        hf = f"transformer.layers.{layer}."
        native = f"vision_encoder.{hf}"
        lines += _under(ours, native, hf, TOWER_NORMS, "tower")
        lines += _under(
            f"{ours}attention.", f"{native}attention.", f"{hf}attention.", GROUPED, "tower"
        )
        lines += _under(
            f"{ours}mlp.", f"{native}feed_forward.", f"{hf}feed_forward.", FEED_FORWARD, "tower"
        )
    return lines + _under("eye.projector.", "", "", PROJECTOR, "projector")


def _block(config: ModelConfig, layer: int) -> list[_Line]:
    ours, files = f"blocks.{layer}.", f"layers.{layer}."
    attention = LATENT if config.is_latent else GROUPED
    lines = _under(ours, files, files, NORMS, "text")
    lines += _under(
        f"{ours}attention.", f"{files}attention.", f"{files}self_attn.", attention, "text"
    )
    if config.experts is None:
        dense = f"{files}feed_forward."
        return lines + _under(f"{ours}mlp.", dense, f"{files}mlp.", FEED_FORWARD, "text")
    lines += _under(ours, files, files, EXPERTS, "text")
    if config.experts.num_shared:
        shared = tuple(row._replace(kind="expert") for row in FEED_FORWARD)
        name = "shared_experts."
        lines += _under(
            f"{ours}mlp.shared.", f"{files}{name}", f"{files}mlp.{name}", shared, "text"
        )
    return lines


def _under(ours: str, native: str, hf: str, rows: tuple[Row, ...], section: Section) -> list[_Line]:
    return [
        _Line(
            ours + row.ours,
            " ".join(native + part for part in row.native.split()),
            hf + row.hf,
            row,
            section,
        )
        for row in rows
    ]


def _weight(line: _Line, shape: tuple[int, ...], config: ModelConfig) -> Weight:
    patterns = line.native.split()
    parts, part_shape = (line.native,), shape
    if "*" in line.native:
        parts = tuple(p.replace("*", str(e)) for e in range(shape[0]) for p in patterns)
        part_shape = (shape[1] // len(patterns), shape[2])
    elif line.native == "vision_encoder.patch_conv.weight":
        assert config.vision is not None
        side = config.vision.patch
        part_shape = (shape[0], config.vision.num_channels, side, side)
    return Weight(
        name=line.ours,
        shape=shape,
        parts=parts,
        part_shape=part_shape,
        hf=line.hf,
        section=line.section,
        kind="plain" if line.section == "tower" else line.row.kind,  # pictures stay in bf16
        split=line.row.split,
        turned_heads=_turned_heads(line, config),
    )


def _turned_heads(line: _Line, config: ModelConfig) -> int:
    if not line.row.turned:
        return 0
    if line.section == "tower":
        assert config.vision is not None
        return config.vision.num_heads
    assert isinstance(config.attention, GroupedAttentionConfig)
    return config.attention.num_kv_heads if line.row.ours == "k.weight" else config.num_heads


def pairs_apart(rows: Tensor, heads: int) -> Tensor:
    """Native order of query or key rows to HF's: first numbers of all pairs, then second ones."""
    return rows.unflatten(0, (heads, -1, 2)).transpose(1, 2).flatten(0, 2)


def pairs_together(rows: Tensor, heads: int) -> Tensor:
    """HF's order of query or key rows to the native one and ours."""
    return rows.unflatten(0, (heads, 2, -1)).transpose(1, 2).flatten(0, 2)
