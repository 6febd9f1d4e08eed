"""What the engine does in a second: latency, throughput, reading speed, what is not computed twice.

Prompts are random ids, every stream its own: streams that say the same thing choose the same
experts, and flatter any engine. Every number is a median with its extremes: machines are noisy.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from bise.engine.core import Core
from bise.engine.requests import Request, Sampling

FIRST_PLAIN_ID = 1000
"""Ids below may be markers; a vocabulary smaller than twice this begins at 128."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the report."""

    part: str
    """What was measured: "prefill", "decode", "latency", "sharing", …"""

    setting: str
    """Under which condition: "512 tokens", "16 streams", …"""

    unit: str
    median: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class BenchConfig:
    prompt_tokens: tuple[int, ...] = (128, 512, 2048)
    """Lengths of prompts whose reading is timed."""

    streams: tuple[int, ...] = (1, 4, 16)
    """How many replies are written at once."""

    context_tokens: int = 256
    """Prompt before the timed writing."""

    new_tokens: int = 48
    repeats: int = 3
    seed: int = 0


def bench(
    make_core: Callable[[int], Core],
    config: BenchConfig,
    progress: Callable[[str], None] = lambda _: None,
) -> Iterator[Measure]:
    """Measure part by part. make_core: a fresh engine core that runs so many at once."""
    room = make_core(1).bounds.max_positions
    for length in (n for n in config.prompt_tokens if n + config.new_tokens < room):
        progress(f"reading {length} tokens")
        yield _prefill(make_core, config, length)
    for num in config.streams:
        progress(f"writing {num} streams")
        yield from _decode(make_core, config, num, min(config.context_tokens, room // 2))
    progress("one beginning, many requests")
    yield from _sharing(make_core, config, min(512, room // 2))


def _prompts(core: Core, rng: Random, num: int, length: int) -> list[list[int]]:
    first = FIRST_PLAIN_ID if core.vocab_size >= 2 * FIRST_PLAIN_ID else 128
    ids = range(min(first, core.vocab_size // 2), core.vocab_size)
    return [rng.choices(ids, k=length) for _ in range(num)]


def _request(prompt: Sequence[int], new_tokens: int) -> Request:
    """Sampled warmly, so that random weights do not fall into a loop that is easy to guess."""
    sampling = Sampling(temperature=1.0, seed=0)
    return Request(
        prompt_ids=prompt, max_tokens=new_tokens, sampling=sampling, stop_ids=frozenset()
    )


def _measure(part: str, setting: str, unit: str, values: Sequence[float]) -> Measure:
    return Measure(part, setting, unit, statistics.median(values), min(values), max(values))


def _prefill(make_core: Callable[[int], Core], config: BenchConfig, length: int) -> Measure:
    """Tokens of a prompt read in a second; the first round warms up and does not count."""
    core, rng = make_core(1), Random(config.seed)
    speeds = list[float]()
    for prompt in _prompts(core, rng, config.repeats + 1, length):
        core.add(_request(prompt, 1))
        started = time.perf_counter()
        while not core.is_idle:
            core.step()
        speeds.append(length / (time.perf_counter() - started))
    return _measure("prefill", f"{length} tokens", "tokens/s", speeds[1:])


def _decode(
    make_core: Callable[[int], Core], config: BenchConfig, num: int, context: int
) -> Iterator[Measure]:
    """Writing by several streams at once: tokens in a second, and the wait between two tokens.

    Nobody is done before the clock stops: who was read first would else be gone when it starts.
    """
    speeds, gaps, firsts = list[float](), list[float](), list[float]()
    for repeat in range(config.repeats + 1):
        core, rng = make_core(num), Random(config.seed + repeat)
        room = core.bounds.max_positions - context
        started = time.perf_counter()
        numbers = [core.add(_request(prompt, room)) for prompt in _prompts(core, rng, num, context)]
        spoken = set[int]()
        while len(spoken) < num:  # until everybody has said a first token
            spoken |= core.step().keys()
        first_s, written = time.perf_counter() - started, 0
        writing = time.perf_counter()
        while written < num * (config.new_tokens - 1) and not core.is_idle:
            before = time.perf_counter()
            written += sum(len(step.ids) for step in core.step().values())
            if repeat:
                gaps.append((time.perf_counter() - before) * 1e3)
        if repeat:
            firsts.append(first_s * 1e3)
            speeds.append(written / (time.perf_counter() - writing))
        for number in numbers:
            core.cancel(number)
    setting = f"{num} streams" if num > 1 else "1 stream"
    yield _measure("decode", setting, "tokens/s", speeds)
    yield _measure("step", setting, "ms", gaps)
    yield _measure("first token", f"{setting}, {context} tokens each", "ms", firsts)


def _sharing(
    make_core: Callable[[int], Core], config: BenchConfig, length: int
) -> Iterator[Measure]:
    """Requests with one beginning: what share of their prompts is not computed."""
    core, rng = make_core(16), Random(config.seed)
    (beginning,) = _prompts(core, rng, 1, length)
    for ending in _prompts(core, rng, 64, 4):
        core.add(_request([*beginning, *ending], 1))
    started = time.perf_counter()
    while not core.is_idle:
        core.step()
    taken_s, stats = time.perf_counter() - started, core.stats()
    share = 100.0 * stats.num_cached_tokens / max(1, stats.num_prompt_tokens)
    setting = f"64 requests, {length} tokens in common"
    yield _measure("prompt tokens not computed", setting, "%", [share])
    yield _measure("sharing", setting, "requests/s", [64 / taken_s])
