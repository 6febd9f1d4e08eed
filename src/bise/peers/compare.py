"""Engines side by side: same weights, same ids, taking turns.

While one is measured the others stand still. Where memory holds all of them they stay, and every
cell is measured by each in turn; else each starts, is measured and ends, round by round. A window
in which other processes used the machine is measured again, a few times, and else marked.
"""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory, gettempdir

import torch
from torch import Tensor

from bise.errors import UserError
from bise.model.packed import PackedNetwork
from bise.model.packed_source import FromRandom, Source
from bise.peers.accuracy import WINDOW_TOKENS, Accuracy, compare_logits, texts, write_reference
from bise.peers.peer import Peer
from bise.peers.talk import Answer, Process

WARM_STEPS = 4
"""Steps of writing before the timed ones."""

MAX_TRIES = 3
"""Times a window is measured until it is quiet."""

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparisonConfig:
    prompt_tokens: tuple[int, ...] = (512, 2048)
    """Lengths of prompts whose reading is timed."""

    streams: tuple[int, ...] = (1, 4, 16)
    """How many texts are written at once."""

    context_tokens: int = 512
    """Prompt before the timed writing."""

    new_tokens: int = 48
    rounds: int = 3
    positions: int = 2000
    """Where predictions are compared; 0 leaves that out."""

    seed: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """Something that is measured: a command, and how many tokens it is about."""

    part: str
    """"prefill", "decode", "bandwidth", "peak" or "logits"."""

    size: int
    """Tokens of the prompt, or streams."""

    tokens: int
    words: tuple[object, ...] = ()
    """The command."""


@dataclass(slots=True)
class Measured:
    """What one engine did in one cell."""

    answers: list[Answer] = field(default_factory=list)

    def numbers(self, at: int = 0) -> list[float]:
        return [answer.numbers[at] for answer in self.answers]

    @property
    def is_quiet(self) -> bool:
        return all(answer.is_quiet for answer in self.answers)

    def speed(self, tokens: int) -> float:
        """Tokens a second, the median of all rounds."""
        return tokens / median(self.numbers())


@dataclass(slots=True)
class Comparison:
    """Everything that was measured."""

    cells: list[Cell]
    measured: dict[tuple[str, str, int], Measured]
    """By engine, part and size."""

    accuracy: dict[str, Accuracy]
    about: dict[str, str]
    """What each engine says of itself."""

    stayed: bool
    """Whether all engines were in memory at once."""

    rounds: int = 0
    """That were measured whole; fewer than asked for if somebody had enough (Ctrl-C)."""

    def speed(self, engine: str, cell: Cell) -> float:
        return self.measured[engine, cell.part, cell.size].speed(cell.tokens)

    def machine(self, engine: str, part: str) -> tuple[float, ...]:
        """Bytes or operations a second, medians; by an engine that can measure them."""
        found = self.measured[engine, part, 0]
        return tuple(median(found.numbers(at)) for at in range(1, len(found.answers[0].numbers)))


def title(peer: Peer) -> str:
    return f"{peer.name} {peer.format}"


def compare(
    source: Source,
    ours: Sequence[Peer],
    others: Sequence[Peer],
    config: ComparisonConfig,
    progress: Progress = lambda _: None,
) -> Comparison:
    """Measure; Ctrl-C after the first round ends it with what there is.

    ours: engines that can measure the machine too, the first does
    """
    peers = [*ours, *others]
    need_names(peers)
    need_lengths(source.config.max_positions, config)
    for peer in peers:
        peer.check(source)
    need_room(source, peers)
    with TemporaryDirectory(prefix="bise-against-") as name:
        folder = Path(name)
        return _Comparing(source, peers, config, folder, progress).run()


def need_names(peers: Sequence[Peer]) -> None:
    """Refuse two engines that results could not tell apart."""
    titles = list(map(title, peers))
    for one in titles:
        if titles.count(one) > 1:
            raise UserError(
                f"`{one}` is named twice, and its numbers would be taken for one engine's",
                hint="compare one build after the other",
            )


def need_lengths(longest: int, config: ComparisonConfig) -> None:
    """Refuse what is longer than the network reaches."""
    written = WARM_STEPS + config.new_tokens
    if written >= longest:
        raise UserError(
            f"`--new-tokens` is {config.new_tokens:,}, but this network reaches {longest:,} tokens",
            hint=f"give at most {longest - WARM_STEPS - 1:,}",
        )
    if min(config.prompt_tokens) > longest:
        raise UserError(
            f"no `--prompt` is within the {longest:,} tokens that this network reaches",
            hint="give a shorter one",
        )


def need_room(source: Source, peers: Sequence[Peer], folder: Path | None = None) -> None:
    """Refuse before anything is written."""
    place = Path(gettempdir()) if folder is None else folder
    twins = {peer.twin: peer.disk_bytes(source) for peer in peers}
    disk, free = sum(twins.values()) + 2**30, shutil.disk_usage(place).free
    if disk > free:
        raise UserError(
            f"`{place}` has {free / 1e9:.1f} GB free, twins of the weights need {disk / 1e9:.1f}",
            hint="point `TMPDIR` at a larger disk",
        )
    memory, room = max(peer.memory_bytes(source) for peer in peers), available_bytes()
    if memory > room:
        raise UserError(
            f"{room / 1e9:.1f} GB of memory are free, the largest engine needs {memory / 1e9:.1f}",
            hint="compare in fewer bits",
        )


def available_bytes() -> int:
    """Memory that programs could have, by Linux; plenty elsewhere."""
    path = Path("/proc/meminfo")
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.startswith("MemAvailable"):
            return int(line.split()[1]) * 1024
    return 2**40


class _Comparing:
    """One comparison at work in a folder."""

    def __init__(
        self,
        source: Source,
        peers: Sequence[Peer],
        config: ComparisonConfig,
        folder: Path,
        progress: Progress,
    ):
        self.source, self.peers, self.config = source, peers, config
        self.folder, self.progress = folder, progress
        self.texts: Tensor | None = None
        self.twins: dict[str, Path | None] = {}

    def run(self) -> Comparison:
        memory = sum(peer.memory_bytes(self.source) for peer in self.peers)
        stays = memory + 2**31 < available_bytes()
        cells = self._cells()
        self._write_texts()
        for peer in self.peers:
            self.progress(f"making the twin for {title(peer)}")
            self.twins[title(peer)] = peer.prepare(self.source, self.folder)
        found = Comparison([c for c in cells if c.tokens], {}, {}, {}, stays)
        try:
            for number, peer, process, cell in self._turns(cells, stays):
                self.progress(f"round {number + 1}: {title(peer)}, {cell.part} {cell.size or ''}")
                found.about[title(peer)] = process.about
                self._measure(found, peer, process, cell)
                found.rounds = number
        except KeyboardInterrupt:
            if not found.rounds:
                raise
            return found
        found.rounds = self.config.rounds
        return found

    def _measure(self, found: Comparison, peer: Peer, process: Process, cell: Cell) -> None:
        if cell.part == "logits":
            found.accuracy[title(peer)] = self._accuracy(process)
            return
        key = (title(peer), cell.part, cell.size)
        found.measured.setdefault(key, Measured()).answers.append(self._ask(process, cell))

    def _ask(self, process: Process, cell: Cell) -> Answer:
        tries = list[Answer]()
        while len(tries) < MAX_TRIES and not (tries and tries[-1].is_quiet):
            tries.append(process.ask(*cell.words))
        process.rest()
        return min(tries, key=lambda answer: answer.others)

    def _turns(
        self, cells: Sequence[Cell], stays: bool
    ) -> Iterator[tuple[int, Peer, Process, Cell]]:
        if not stays:
            for number in range(self.config.rounds):
                for peer in self.peers:
                    with self._start(peer) as process:
                        for cell in self._wanted(cells, number, peer):
                            yield number, peer, process, cell
            return
        with ExitStack() as stack:
            processes = {title(peer): stack.enter_context(self._start(peer)) for peer in self.peers}
            for number in range(self.config.rounds):
                for cell in cells:
                    for peer in self.peers:
                        if cell in self._wanted(cells, number, peer):
                            yield number, peer, processes[title(peer)], cell

    def _wanted(self, cells: Sequence[Cell], number: int, peer: Peer) -> list[Cell]:
        """The machine is measured by ours, and predictions once."""
        is_first = peer is self.peers[0]
        return [
            cell
            for cell in cells
            if cell.tokens or (is_first if cell.part != "logits" else number == 0)
        ]

    def _start(self, peer: Peer) -> Process:
        self.progress(f"starting {title(peer)}")
        log = self.folder / f"{title(peer).replace(' ', '-')}.log"
        process = Process(title(peer), peer.command(self.twins[title(peer)], self.folder), log)
        process.rest()
        return process

    def _cells(self) -> list[Cell]:
        config = self.config
        longest = self.source.config.max_positions
        cells = [Cell("bandwidth", 0, 0, ("bandwidth",)), Cell("peak", 0, 0, ("peak",))]
        for count in (count for count in config.prompt_tokens if count <= longest):
            path = self._ids(f"prompt-{count}", 1, count)
            cells.append(Cell("prefill", count, count, ("prefill", path, count)))
        context = min(config.context_tokens, longest - WARM_STEPS - config.new_tokens)
        for streams in config.streams:
            length = context + WARM_STEPS + config.new_tokens
            path = self._ids(f"streams-{streams}", streams, length)
            words = ("decode", path, streams, context, WARM_STEPS, config.new_tokens)
            cells.append(Cell("decode", streams, streams * config.new_tokens, words))
        return [*cells, Cell("logits", 0, 0)] if config.positions else cells

    def _ids(self, name: str, *shape: int) -> Path:
        """Random ids in a file; every stream has its own."""
        size = self.source.config.vocab_size
        generator = torch.Generator().manual_seed(self.config.seed)
        ids = torch.randint(min(1000, size // 2), size, shape, generator=generator)
        return self._write(name, ids)

    def _write(self, name: str, ids: Tensor) -> Path:
        path = self.folder / f"{name}.ids"
        ids.int().numpy().tofile(path)
        return path

    def _write_texts(self) -> None:
        """What predictions are compared on, and what the weights really predict."""
        if not self.config.positions:
            return
        self.progress("computing the reference")
        writer = None
        if not isinstance(self.source, FromRandom):
            writer = PackedNetwork(self.source, "bf16")
        count = max(1, round(self.config.positions / WINDOW_TOKENS))
        self.texts = texts(self.source, writer, count, self.config.seed)
        self._write("texts", self.texts)
        write_reference(self.source, self.texts, self.folder / "reference.logits")

    def _accuracy(self, process: Process) -> Accuracy:
        assert self.texts is not None
        windows, length = self.texts.shape
        made = self.folder / "found.logits"
        process.ask("logits", self.folder / "texts.ids", windows, length, made)
        process.rest()
        vocab = self.source.config.vocab_size
        reference = self.folder / "reference.logits"
        accuracy = compare_logits(made, reference, length, vocab)
        made.unlink()
        return accuracy
