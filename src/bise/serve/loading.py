"""Opens a model for use: its shape, its words, and an engine to run many replies at once.

The command line, the Python face and the server all begin here. A server only opens a model, and
leaves its weights to a process of their own; the others load them.
"""

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Literal
from weakref import finalize

import torch

from bise.engine import (
    Engine,
    EngineConfig,
    Plan,
    SupervisedEngine,
    Vocabulary,
    is_small,
    make_core,
    open_network,
    uses_core,
)
from bise.errors import UserError, WrongType, quoted
from bise.model import ModelConfig, Network, inspect, load_eagle, load_network, locate, open_eagle
from bise.model.convert import Progress
from bise.model.inspect import need_fit
from bise.model.packed import PackedNetwork
from bise.model.packed_file import PackedFolder, is_packed
from bise.model.presets import PRESETS
from bise.model.stored import Layout, Quant
from bise.serve.talk import Talker
from bise.text import ChatFormat, Tekken
from bise.text.tekken import FILE_NAME
from bise.text.tekken_file import OFFICIAL_VOCAB_SIZE

DType = Literal["bfloat16", "float32"]

DTYPES: dict[DType, torch.dtype] = {"bfloat16": torch.bfloat16, "float32": torch.float32}
SHORT_NAMES = {"bfloat16": "bf16", "float32": "fp32"}
BFLOAT16_FLAGS = frozenset(("avx512_bf16", "amx_bf16"))
"""What Linux calls a processor's own products of bfloat16 numbers."""


@dataclass
class OpenModel:
    """A folder whose weights have been looked at and not read."""

    name: str
    """What the user called it, without the path."""

    folder: Path
    layout: Layout
    quant: Quant
    dtype: DType
    config: ModelConfig
    eagle: Path | None
    """The folder of a draft head that guesses ahead for it."""

    @cached_property
    def chat(self) -> ChatFormat:
        """How this model is talked to. Read at first use: logits need no tokenizer."""
        tekken = read_tokenizer(self.folder, self.config.vocab_size)
        return ChatFormat(tekken, resize="hf" if self.layout == "hf" else "native")

    def talker(
        self,
        config: EngineConfig | None = None,
        *,
        max_waiting: int = 512,
        progress: Progress | None = None,
    ) -> Talker:
        """An engine in a process of its own, which reads the weights; close it when done.

        progress: called with the bytes read so far and in all
        """
        chat = self.chat  # first: a folder without a tokenizer is refused before weights are read
        plan = Plan(
            folder=str(self.folder),
            layout=self.layout,
            dtype=self.dtype,
            engine=config or EngineConfig(),
            eagle=None if self.eagle is None else str(self.eagle),
            vocabulary=vocabulary_of(chat.tekken),
        )
        engine = SupervisedEngine(plan, max_waiting=max_waiting, progress=progress)
        return Talker(engine, chat, config=self.config, bounds=engine.bounds)


@dataclass
class LoadedModel(OpenModel):
    """Weights in memory, and the folder they came from."""

    computing: Network | PackedNetwork
    """What an engine computes with."""

    @cached_property
    def network(self) -> Network:
        """The plain definition in torch, read when somebody first asks for it."""
        if isinstance(self.computing, Network):
            return self.computing
        if is_packed(self.folder):
            raise UserError(
                f"`{self.folder}` holds packed weights, not those of the plain network",
                hint="use the checkpoint it was packed from",
            )
        return load_network(self.folder, DTYPES[self.dtype], self.layout)

    def talker(
        self,
        config: EngineConfig | None = None,
        *,
        max_waiting: int = 512,
        progress: Progress | None = None,  # noqa: ARG002 - its weights have been read
    ) -> Talker:
        """An engine of its own around this network, in this process; close it when done."""
        chat = self.chat  # first: a folder without a tokenizer is refused before threads begin
        head = None
        if self.eagle is not None:
            head = load_eagle(self.eagle, self.config, DTYPES[self.dtype])
        core = make_core(
            self.computing,
            config or EngineConfig(),
            head=head,
            vocabulary=vocabulary_of(chat.tekken),
        )
        engine = Engine(core, max_waiting=max_waiting)
        talker = Talker(engine, chat, config=self.config, bounds=engine.core.bounds)
        finalize(talker, engine.abandon).atexit = False  # else its thread would hold the weights
        return talker


def open_model(
    name: str | Path,
    dtype: str | None = None,
    eagle: str | Path | None = None,
    config: EngineConfig | None = None,
) -> OpenModel:
    """Find a model that ships, a folder, or what a hub has under an id such as `org/name`.

    eagle: the folder of a draft head; config: of the engine that will compute with the weights
    """
    if dtype is not None and dtype not in DTYPES:
        raise WrongType(f"`dtype` is `{dtype}`, expected one of {quoted(DTYPES)}")
    folder = locate_weights(str(name))
    engine = config or EngineConfig()
    if is_packed(folder):
        packed = PackedFolder(folder)
        shape, layout = packed.config, packed.layout
        quant: Quant = "none"
        need_same_weights(folder, packed.kind, engine)
        dtype = best_dtype(shape) if dtype is None else dtype
    else:
        report = inspect(folder)
        assert report.layout is not None, "a folder has a layout"
        shape, layout, quant = report.config, report.layout, report.quant
        dtype = best_dtype(shape) if dtype is None else dtype
        need_fit(report, engine.weights if uses_core(engine) else SHORT_NAMES[dtype])
    short = Path(str(name)).name
    if short in ("", ".", ".."):
        short = folder.resolve().name
    head = None
    if eagle is not None:
        head = locate(str(eagle))
        open_eagle(head, shape)
    return OpenModel(short, folder, layout, quant, dtype, shape, head)


def need_same_weights(folder: Path, kind: str, engine: EngineConfig) -> None:
    """Packed weights are what they are, and only the core computes with them."""
    if engine.weights not in ("stored", kind):
        raise UserError(
            f"`{folder}` holds {kind} weights, and {engine.weights} was asked for",
            hint="pack the checkpoint again, or leave `--weights` out",
        )
    if not uses_core(engine):
        raise UserError(
            f"`{folder}` holds packed weights, which only the C++ core computes with",
            hint="use the checkpoint it was packed from",
        )


def load_model(
    name: str | Path,
    dtype: str | None = None,
    eagle: str | Path | None = None,
    config: EngineConfig | None = None,
    progress: Progress | None = None,
) -> LoadedModel:
    """Open a model, and read its weights into the memory of this process.

    config: of the engine that will compute with them; progress: called with the bytes read so far
    and in all
    """
    opened = open_model(name, dtype, eagle, config)
    chosen = config or EngineConfig()
    network = open_network(opened.folder, opened.layout, DTYPES[opened.dtype], chosen, progress)
    found = {one.name: getattr(opened, one.name) for one in fields(opened)}
    return LoadedModel(**found, computing=network)


def locate_weights(name: str) -> Path:
    """The folder of a model; a shape we know by name but have no weights of is explained."""
    try:
        return locate(name)
    except UserError:
        if name.replace("-", "_") not in PRESETS:
            raise
        raise UserError(
            f"`{name}` is a preset without weights here",
            hint=f"make some: `bise random {name} FOLDER`, or `bise train {name} --out FOLDER`",
        ) from None


def read_tokenizer(folder: Path, vocab_size: int) -> Tekken:
    """The tokenizer of a folder; without one, the official one if its vocabulary fits."""
    has_own = (folder / FILE_NAME).is_file()
    if not has_own and vocab_size != OFFICIAL_VOCAB_SIZE:
        raise UserError(
            f"`{folder}` has no `{FILE_NAME}`, and the official one has {OFFICIAL_VOCAB_SIZE:,} "
            f"ids where this model has {vocab_size:,}",
            hint="put the tokenizer it was trained with beside the weights",
        )
    tekken = Tekken.from_folder(folder)
    if tekken.vocab_size != vocab_size:
        raise UserError(
            f"`{folder / FILE_NAME}` has {tekken.vocab_size:,} ids, the network {vocab_size:,}",
            hint="put the tokenizer it was trained with beside the weights",
        )
    return tekken


def vocabulary_of(tekken: Tekken) -> Vocabulary:
    """What the ids of a tokenizer stand for, as the engine takes it."""
    ids = range(tekken.num_special, tekken.vocab_size)
    return Vocabulary.of(
        [tekken.token_bytes(token) for token in ids],
        num_control=tekken.num_special,
        end_id=tekken.special.eos,
        pattern=tekken.pattern,
    )


def best_dtype(config: ModelConfig, cpuinfo: Path = Path("/proc/cpuinfo")) -> DType:
    """bfloat16 where the processor multiplies it by itself and weights are what a step waits for.

    Elsewhere float32 is faster, and so it is for a network as small as nano: its products take less
    time than being called.
    """
    if is_small(config) or not cpuinfo.is_file():
        return "float32"
    lines = cpuinfo.read_text(errors="replace").splitlines()
    flags = next((line for line in lines if line.startswith("flags")), "")
    return "bfloat16" if BFLOAT16_FLAGS & set(flags.split()) else "float32"
