"""Small 4 against its dense predecessor on our own engine: the announcement's two claims.

Completion time is 512 tokens in and 128 out, alone. Requests a second are of so many streams that
are always busy: reading at the speed of a full pass, writing at the speed of so many streams.
"""

from dataclasses import dataclass

from bise.model.config import ModelConfig
from bise.model.packed import WeightKind
from bise.model.packed_source import FromRandom
from bise.model.presets import preset
from bise.peers.compare import Comparison, ComparisonConfig, Progress, compare, title
from bise.peers.floors import expected_touched, step_bytes, token_operations
from bise.peers.peer import WEIGHT_BITS, Ours, count_weights

TOKENS_IN, TOKENS_OUT = 512, 128
STREAMS = (1, 16, 64, 256)
MODELS = ("small4_mini", "small3_mini")


@dataclass(frozen=True, slots=True)
class Pair:
    """A number of both models: Small 4's and Small 3's."""

    small4: float
    small3: float

    @property
    def ratio(self) -> float:
        return self.small4 / self.small3


@dataclass(frozen=True, slots=True)
class Generations:
    """Small 4 beside Small 3."""

    completion_s: Pair
    requests: dict[int, Pair]
    """Requests a second by streams."""

    bounds: dict[int, Pair]
    """What bytes and operations allow."""

    memory_bytes: dict[int, Pair]
    """Weights, and the cache of so many streams."""

    comparison: Comparison


def compare_generations(kind: WeightKind, rounds: int, progress: Progress) -> Generations:
    peers = [Ours(name, kind, name) for name in MODELS]
    config = ComparisonConfig(
        prompt_tokens=(TOKENS_IN, 2048),
        streams=STREAMS,
        context_tokens=TOKENS_IN + TOKENS_OUT // 2,
        new_tokens=12,
        rounds=rounds,
        positions=0,
    )
    found = compare(FromRandom(preset(MODELS[0])), peers, [], config, progress)
    speeds = {title(peer): _Speeds(found, title(peer)) for peer in peers}
    small4, small3 = speeds.values()
    bandwidth, peak = (
        max(found.machine(title(peers[0]), "bandwidth")),
        found.machine(title(peers[0]), "peak")[0],
    )

    def bound(name: str, streams: int) -> float:
        return 1.0 / request_bound_s(preset(name), kind, streams, bandwidth, peak)

    return Generations(
        completion_s=Pair(small4.request_s(1), small3.request_s(1)),
        requests={n: Pair(1.0 / small4.request_s(n), 1.0 / small3.request_s(n)) for n in STREAMS},
        bounds={n: Pair(*(bound(name, n) for name in MODELS)) for n in STREAMS},
        memory_bytes={n: Pair(*(memory_bytes(name, kind, n) for name in MODELS)) for n in STREAMS},
        comparison=found,
    )


def memory_bytes(name: str, kind: WeightKind, streams: int) -> float:
    config = preset(name)
    cache = 2 * config.cache_numbers_per_token * streams * (TOKENS_IN + TOKENS_OUT)
    return count_weights(FromRandom(config)) * WEIGHT_BITS[kind] / 8 + cache


@dataclass(frozen=True, slots=True)
class _Speeds:
    found: Comparison
    engine: str

    def request_s(self, streams: int) -> float:
        """Seconds of the machine that a request takes among so many."""
        read = self._speed("prefill", TOKENS_IN if streams == 1 else 2048)
        return TOKENS_IN / read + TOKENS_OUT / self._speed("decode", streams)

    def _speed(self, part: str, size: int) -> float:
        cell = next(one for one in self.found.cells if (one.part, one.size) == (part, size))
        return self.found.speed(self.engine, cell)


def request_bound_s(
    config: ModelConfig, kind: WeightKind, streams: int, bandwidth: float, peak: float
) -> float:
    """Seconds that a request cannot take less than, by bytes or operations."""
    reading = TOKENS_IN * token_operations(config, TOKENS_IN / 2) / peak
    context = TOKENS_IN + TOKENS_OUT // 2
    read = step_bytes(config, kind, streams, context, expected_touched(config, streams))
    head = 2.0 * config.dim * config.vocab_size
    computed = streams * (token_operations(config, context) + head)
    return reading + TOKENS_OUT * max(read / bandwidth, computed / peak) / streams
