"""The shape of a network, as plain numbers.

One `ModelConfig` says everything `model/` needs to build a network and to check a checkpoint
against it. Two attentions exist: Small 4's latent one, and the grouped one of its dense predecessor
Small 3. Presets live in `presets.py`, the official file formats in `config_files.py`.
"""

from dataclasses import dataclass, field

from bise.errors import UserError


def _need(claim: bool, message: str, hint: str = "") -> None:
    if not claim:
        raise UserError(message, hint=hint)


MOST = 2**53
"""Beyond it, numbers are not exact as floats."""

MOST_SIZE = 2**20
"""Of one axis of a matrix; the bytes of three axes then fit into 64 bits."""

MOST_PARTS = 2**17
"""Layers, or experts of all layers: a list of all weights must have an end."""


def _need_positive(where: str, **numbers: float) -> None:
    for name, value in numbers.items():
        _need(value > 0, f"`{where}{name}` is {value}, expected a number above 0")
        _need(value <= MOST, f"`{where}{name}` is {value}, expected at most 2**53")


def _need_sizes(where: str, **sizes: int) -> None:
    _need_positive(where, **sizes)
    for name, value in sizes.items():
        _need(value <= MOST_SIZE, f"`{where}{name}` is {value}, expected at most {MOST_SIZE:,}")


@dataclass(frozen=True, kw_only=True, slots=True)
class LatentAttentionConfig:
    """Multi-head latent attention. Ref: arXiv:2405.04434 §2.1."""

    q_latent: int
    """Width of the narrow vector every query is made from."""

    kv_latent: int
    """Width of the narrow vector keys and values are made from; it is what the cache keeps."""

    nope: int
    """Numbers of a head's query and key that carry no position."""

    rope: int
    """Numbers of a head's query that are rotated; the rotated key is shared by all heads."""

    value: int
    """Width of a head's value."""

    def __post_init__(self) -> None:
        _need_sizes(
            "attention.",
            q_latent=self.q_latent,
            kv_latent=self.kv_latent,
            nope=self.nope,
            rope=self.rope,
            value=self.value,
        )
        _need(self.rope % 2 == 0, f"`attention.rope` is {self.rope}, expected an even number")

    @property
    def cache_width(self) -> int:
        """Numbers kept per token and layer."""
        return self.kv_latent + self.rope

    @property
    def head_dim(self) -> int:
        return self.nope + self.rope


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupedAttentionConfig:
    """Grouped-query attention, as in Small 3. Ref: arXiv:2305.13245."""

    num_kv_heads: int
    """Heads of keys and values; each serves `num_heads / num_kv_heads` query heads."""

    head_dim: int
    """Width of a head's query, key and value; all of it is rotated."""

    def __post_init__(self) -> None:
        _need_sizes("attention.", num_kv_heads=self.num_kv_heads, head_dim=self.head_dim)
        _need(
            self.head_dim % 2 == 0,
            f"`attention.head_dim` is {self.head_dim}, expected an even number",
        )

    @property
    def cache_width(self) -> int:
        """Numbers kept per token and layer: a key and a value for each of the few heads."""
        return 2 * self.num_kv_heads * self.head_dim

    @property
    def rope(self) -> int:
        return self.head_dim


@dataclass(frozen=True, kw_only=True, slots=True)
class YarnConfig:
    """Stretching of the rotation to longer texts. Ref: arXiv:2309.00071."""

    factor: float
    """How many times longer than `original` the positions reach."""

    original: int
    """Positions the unstretched rotation was meant for."""

    beta_fast: float = 32.0
    """Lanes that turn more often than this within `original` keep their frequency."""

    beta_slow: float = 1.0
    """Lanes that turn less often than this are slowed down by `factor`."""

    def __post_init__(self) -> None:
        _need_positive("rope.yarn.", factor=self.factor, original=self.original)
        for name, turns in (("beta_fast", self.beta_fast), ("beta_slow", self.beta_slow)):
            _need(
                1e-9 <= turns <= MOST, f"`rope.yarn.{name}` is {turns}, expected a number above 0"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class RopeConfig:
    theta: float = 10_000.0
    """Base of the geometric series of frequencies."""

    yarn: YarnConfig | None = None
    """None leaves the frequencies as they are."""

    softmax_mscale: bool = False
    """Multiply the softmax scale by YaRN's mscale squared. Wrong for Small 4, whose files say
    `apply_scale: false`; a switch because several engines did it and people want to compare."""

    def __post_init__(self) -> None:
        _need_positive("rope.", theta=self.theta)
        _need(self.theta > 1, f"`rope.theta` is {self.theta}, expected a number above 1")


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryScaleConfig:
    """Queries grow with position: `1 + beta * ln(1 + floor(position / original))`."""

    beta: float = 0.1
    original: int = 8192

    def __post_init__(self) -> None:
        _need_positive("query_scale.", original=self.original)
        _need(
            abs(self.beta) <= MOST, f"`query_scale.beta` is {self.beta}, expected a finite number"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpertsConfig:
    num: int
    """Experts to choose from in each layer."""

    topk: int
    """Experts each token is sent to."""

    hidden_dim: int
    """Width inside one expert."""

    num_shared: int = 1
    """Experts every token passes through besides; they are stored as one wider expert."""

    def __post_init__(self) -> None:
        _need_sizes("experts.", num=self.num, hidden_dim=self.hidden_dim)
        _need(
            1 <= self.topk <= self.num,
            f"`experts.topk` is {self.topk}, but there are {self.num} experts",
            "set it between 1 and `experts.num`",
        )
        _need(
            0 <= self.num_shared <= MOST_SIZE,
            f"`experts.num_shared` is {self.num_shared}, expected 0 to {MOST_SIZE:,}",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class VisionConfig:
    """The Pixtral tower, and the projector that hands its features to the text network."""

    dim: int
    num_layers: int
    num_heads: int
    mlp_dim: int
    patch: int = 14
    """Side of a square patch in pixels."""

    merge: int = 2
    """`merge` x `merge` patches become one image token."""

    image_size: int = 1540
    """Longest side in pixels an image is shrunk to."""

    theta: float = 10_000.0
    norm_eps: float = 1e-5
    projector_norm_eps: float = 1e-6
    """1e-6 as in transformers; the native readers use 1e-5 here. Checked against: goldens."""

    num_channels: int = 3

    def __post_init__(self) -> None:
        _need_sizes(
            "vision.",
            dim=self.dim,
            num_layers=self.num_layers,
            num_heads=self.num_heads,
            mlp_dim=self.mlp_dim,
            patch=self.patch,
            merge=self.merge,
            image_size=self.image_size,
            num_channels=self.num_channels,
        )
        _need_positive("vision.", theta=self.theta)
        _need(
            self.num_layers <= MOST_PARTS,
            f"`vision.num_layers` is {self.num_layers}, expected at most {MOST_PARTS:,}",
        )
        _need(
            self.dim % (4 * self.num_heads) == 0,
            f"`vision.dim` is {self.dim}, which {self.num_heads} heads with two axes of rotated"
            " pairs cannot share evenly",
            "make it a multiple of 4 x `vision.num_heads`",
        )

    @property
    def head_dim(self) -> int:
        return self.dim // self.num_heads

    @property
    def max_patches_per_side(self) -> int:
        return self.image_size // self.patch


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelConfig:
    """Everything about the network that is not a weight."""

    dim: int
    num_layers: int
    num_heads: int
    attention: LatentAttentionConfig | GroupedAttentionConfig
    vocab_size: int
    experts: ExpertsConfig | None = None
    """None makes every layer dense, with a feed-forward of `mlp_dim`."""

    mlp_dim: int | None = None
    """Feed-forward width of dense layers. Small 4's files carry one that no layer uses."""

    rope: RopeConfig = field(default_factory=RopeConfig)
    query_scale: QueryScaleConfig | None = None
    norm_eps: float = 1e-6
    max_positions: int = 32_768
    """Longest text the position encoding was made for, in tokens."""

    vision: VisionConfig | None = None
    image_token: int = 10
    """Id at which one projected image vector replaces the embedding."""

    image_break_token: int = 12
    image_end_token: int = 13

    def __post_init__(self) -> None:
        _need_sizes(
            "",
            dim=self.dim,
            num_layers=self.num_layers,
            num_heads=self.num_heads,
            vocab_size=self.vocab_size,
            **({} if self.mlp_dim is None else {"mlp_dim": self.mlp_dim}),
        )
        _need_positive("", norm_eps=self.norm_eps, max_positions=self.max_positions)
        each = 1 if self.experts is None else self.experts.num
        _need(
            self.num_layers * each <= MOST_PARTS,
            f"`num_layers` is {self.num_layers}, each with {each} feed-forwards to choose from,"
            f" expected at most {MOST_PARTS:,} in all",
        )
        for name in ("image_token", "image_break_token", "image_end_token"):
            id = getattr(self, name)
            _need(
                self.vision is None or 0 <= id < self.vocab_size,
                f"`{name}` is {id}, but the vocabulary has {self.vocab_size} entries",
                "set it to the id of a token",
            )
        _need(
            self.experts is not None or self.mlp_dim is not None,
            "neither `experts` nor `mlp_dim` is given, so the layers have no feed-forward",
            "give one of them",
        )
        if isinstance(self.attention, GroupedAttentionConfig):
            _need(
                self.num_heads % self.attention.num_kv_heads == 0,
                f"{self.num_heads} heads cannot share {self.attention.num_kv_heads} kv heads",
                "make `num_heads` a multiple of `attention.num_kv_heads`",
            )

    @property
    def is_latent(self) -> bool:
        return isinstance(self.attention, LatentAttentionConfig)

    @property
    def cache_numbers_per_token(self) -> int:
        """Numbers the cache keeps for one token over all layers (320 x 36 for Small 4)."""
        return self.num_layers * self.attention.cache_width
