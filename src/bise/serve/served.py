"""What a server serves: one model, under some names, within limits."""

import hashlib
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from math import prod
from typing import Any

import torch

from bise.engine import EngineConfig
from bise.errors import UserError, quoted
from bise.model import open_checkpoint, preset
from bise.model.convert import Progress
from bise.model.packed_file import PackedFolder, is_packed
from bise.serve.access_log import AccessLog
from bise.serve.backlog import Backlog, BodyRoom
from bise.serve.budgets import Ledger
from bise.serve.chat_reply import THINKING
from bise.serve.dialect import Dialect
from bise.serve.drain import Drain
from bise.serve.faults import UnknownModel
from bise.serve.judging import Judging
from bise.serve.keys import KeyRing
from bise.serve.limits import Limits
from bise.serve.loading import OpenModel
from bise.serve.picture_urls import PictureFetching
from bise.serve.reply_names import ReplyNames
from bise.serve.seal import Seal
from bise.serve.talk import Talker
from bise.serve.tracing import Tracer

NAME = re.compile(r"[\x21-\x7e]{1,200}")

SMALL4_NAMES = (
    "mistral-small-2603",
    "mistral-small-latest",
    "mistralai/Mistral-Small-4-119B-2603",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Manners:
    """How a server treats its clients."""

    default_dialect: Dialect = "openai"
    """What a chat is answered in when neither path, headers nor body say."""

    thinking_field: str = "both"
    """What OpenAI's dialect calls thinking, if not both of its names."""

    has_effort_budgets: bool = False
    """Whether the middle words for effort limit the thinking."""

    is_strict: bool = False
    """Refuse unknown fields and odd orders of messages, as a header asks for one request."""

    accepts_any_model: bool = False
    """Whatever name is asked for means ours: for tools with a name built in."""

    is_local: bool = True
    """Only this machine reaches the server. Who calls it by another name than this machine's own
    is a page whose name was made to lead here (DNS rebinding), and turned away."""

    request_s: float = 0.0
    """Seconds after which a reply is cut, whatever its request says; 0 is never."""

    queue_s: float = 300.0
    """Seconds a request may wait for its turn; 0 is for ever."""

    @property
    def thinking_fields(self) -> tuple[str, ...]:
        return THINKING if self.thinking_field == "both" else (self.thinking_field,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """A talker and everything a door must know to answer in its name."""

    talker: Talker
    names: Sequence[str]
    """What clients may call the model; the first is what answers call it."""

    fingerprint: str
    dtype: str = ""
    """What the weights are computed in."""

    limits: Limits = field(default_factory=Limits)
    manners: Manners = field(default_factory=Manners)
    seal: Seal = field(default_factory=Seal)
    reply_names: ReplyNames = field(default_factory=ReplyNames)
    ring: KeyRing = field(default_factory=KeyRing)
    """Who may ask; by default everybody."""

    ledger: Ledger = field(default_factory=Ledger)
    backlog: Backlog = field(default_factory=Backlog)
    bodies: BodyRoom = field(default_factory=BodyRoom)
    pictures: PictureFetching | None = None
    """Fetches pictures by their addresses; by default nobody does."""

    heavy: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, "bise-heavy"), repr=False
    )
    """Where large pictures are prepared, one after the other."""

    judging: Judging | None = None
    """Judges Lean proofs at `/v1/verify`; by default nobody does."""

    drain: Drain = field(default_factory=Drain)
    access_log: AccessLog | None = None
    tracer: Tracer | None = None
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def name(self) -> str:
        return self.names[0]

    @property
    def max_positions(self) -> int:
        return self.talker.bounds.max_positions

    def need(self, name: str | None) -> None:
        """Refuse the name of another model; none, and `default`, mean ours."""
        if name is None or name == "default" or self.manners.accepts_any_model:
            return
        if name not in self.names:
            raise UnknownModel(
                f"the model `{name[:100]}` is not served here",
                hint=f"there is {quoted(self.names)}",
            )

    def card(self) -> dict[str, Any]:
        """The model for `GET /v1/models`: Mistral's card, and what clients of vLLM read."""
        config = self.talker.config
        has_vision = config.vision is not None
        return {
            "id": self.name,
            "object": "model",
            "created": self.created,
            "owned_by": "bise",
            "root": self.name,
            "parent": None,
            "type": "base",
            "name": self.name,
            "description": f"{config.num_layers} layers, {config.vocab_size:,} ids",
            "max_context_length": self.max_positions,
            "max_model_len": self.max_positions,
            "aliases": list(self.names[1:]),
            "deprecation": None,
            "deprecation_replacement_model": None,
            "default_model_temperature": 0.7,
            "capabilities": {
                "completion_chat": True,
                "function_calling": True,
                "reasoning": True,
                "vision": has_vision,
                "completion_fim": False,
                "fine_tuning": False,
                "classification": False,
                "ocr": False,
                "moderation": False,
                "audio": False,
            },
            "architecture": {
                "input_modalities": ["text", "image"] if has_vision else ["text"],
                "output_modalities": ["text"],
            },
        }


def serve_model(
    model: OpenModel,
    *,
    names: Sequence[str] = (),
    config: EngineConfig | None = None,
    manners: Manners | None = None,
    progress: Progress | None = None,
) -> Served:
    """Start an engine for a model, to be served under these names, or under its own.

    The engine gets a process of its own, unless the weights are in this one's memory already.
    progress: called with the bytes of weights read so far and in all
    """
    chosen = tuple(names) or default_names(model)
    for name in chosen:
        if not NAME.fullmatch(name):
            raise UserError(
                f"`{name}` cannot be a model's name on the wire",
                hint="pass `--served-model-name` with visible ASCII letters and no blanks",
            )
    mark = fingerprint(model)
    talker = model.talker(config, progress=progress)
    return Served(
        talker=talker,
        names=chosen,
        fingerprint=mark,
        dtype=model.dtype,
        manners=manners or Manners(),
    )


def within(served: Served, limits: Limits) -> Served:
    """The same with other limits."""
    served.talker.chat.limits = limits.image
    return replace(
        served,
        limits=limits,
        backlog=Backlog(limits.waiting_tokens),
        bodies=BodyRoom(limits.bodies_bytes),
    )


def default_names(model: OpenModel) -> tuple[str, ...]:
    """The official ids for a network of Small 4's shape, and the name it was loaded by."""
    shape, official = model.config, preset("small4")
    is_small4 = (shape.dim, shape.num_layers) == (official.dim, official.num_layers)
    names = (*SMALL4_NAMES, model.name) if is_small4 else (model.name,)
    return tuple(dict.fromkeys(names))


def fingerprint(model: OpenModel) -> str:
    """A few letters that change with the weights, their quantisation or their type."""
    about = (asdict(model.config), model.quant, model.dtype)
    digest = hashlib.sha256(repr(about).encode())
    if is_packed(model.folder):
        digest.update(PackedFolder(model.folder).digest.encode())
        return f"bise-{digest.hexdigest()[:12]}"
    checkpoint = open_checkpoint(model.folder, model.layout)
    for name in ("norm.weight", "embed.weight", "head.weight"):
        entry = checkpoint.entries[name, "plain", 0]
        beginning = entry.read(0, (min(prod(entry.shape), 64 * model.config.dim),))
        digest.update(beginning.to(torch.float32).numpy().tobytes())
    return f"bise-{digest.hexdigest()[:12]}"
