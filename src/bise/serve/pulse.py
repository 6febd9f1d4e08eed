"""What the engine counts, for whoever scrapes: asked in a thread, added up over its lives.

A child that is started again counts from nothing; here its counts are added to those before.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from bise.engine import Engine, EngineStats, SupervisedEngine

LIMIT_S = 2.0
"""How long the engine may take to say how it is; its last numbers are shown after that."""

Read = Callable[[EngineStats], float]

Values = Mapping[tuple[str, str], float]
"""By name and label."""


@dataclass(frozen=True, slots=True)
class Family:
    """Numbers under one name; several stand beside each other with a word of ours as label."""

    name: str
    help: str
    parts: Mapping[str, Read]
    label: str = ""


def one(name: str, help_text: str, read: Read) -> Family:
    return Family(name, help_text, {"": read})


UP = one("bise:engine_up", "1 while the engine is able to compute.", lambda _: 0)
RESTARTS = one("bise:engine_restarts", "Times the engine was found started again.", lambda _: 0)

COUNTERS = (
    one("vllm:prompt_tokens", "Tokens of prompts.", lambda s: s.num_prompt_tokens),
    one("vllm:generation_tokens", "Tokens written.", lambda s: s.num_generated_tokens),
    one("vllm:prefix_cache_queries", "Tokens of prompts looked for in the cache.",
        lambda s: s.num_prompt_tokens),
    one("vllm:prefix_cache_hits", "Tokens of prompts the cache had, and nobody computed again.",
        lambda s: s.num_cached_tokens),
    one("vllm:mm_cache_queries", "Pictures looked for in the cache.", lambda s: s.num_images),
    one("vllm:mm_cache_hits", "Pictures the cache had.",
        lambda s: s.num_images - s.num_images_seen),
    one("vllm:num_preemptions", "Times a request lost its pages to another.",
        lambda s: s.num_preemptions),
    Family("bise:cache_page_moves", "Known pages that made way, those of them that went to disk, "
           "and those that came back.", {
        "evicted": lambda s: s.num_evicted,
        "shelved": lambda s: s.num_shelved,
        "fetched": lambda s: s.num_fetched,
    }, "move"),
    one("vllm:spec_decode_num_drafts", "Times tokens were guessed ahead for a request.",
        lambda s: s.num_drafts),
    one("vllm:spec_decode_num_draft_tokens", "Tokens guessed ahead.",
        lambda s: s.num_drafted_tokens),
    one("vllm:spec_decode_num_accepted_tokens", "Guesses that came true.",
        lambda s: s.num_accepted_tokens),
    one("bise:thinking_tokens", "Of the tokens written, those inside thinking.",
        lambda s: s.num_thinking_tokens),
    one("bise:images", "Pictures that requests brought.", lambda s: s.num_images),
    one("bise:images_seen", "Times the eye looked at one.", lambda s: s.num_images_seen),
    one("bise:grammars", "Times rules for answers were compiled.", lambda s: s.num_grammars),
    one("bise:grammar_seconds", "Seconds of that, beside the steps.", lambda s: s.grammar_s),
    one("bise:steps", "Passes through the network.", lambda s: s.num_steps),
    one("bise:step_tokens", "Tokens that went through the network.", lambda s: s.num_step_tokens),
    Family("bise:step_seconds", "Where the time of steps went.", {
        "plan": lambda s: s.plan_s,
        "compute": lambda s: s.compute_s,
        "choose": lambda s: s.choose_s,
        "draft": lambda s: s.draft_s,
    }, "part"),
)  # fmt: skip

GAUGES = (
    one("vllm:num_requests_running", "Requests being computed.", lambda s: s.num_running),
    one("vllm:num_requests_waiting", "Requests that wait for their turn.", lambda s: s.num_waiting),
    one("vllm:kv_cache_usage_perc", "Share of the cache running requests hold; 1 is all of it.",
        lambda s: s.pages_used / max(1, s.pages_total)),
    Family("bise:cache_pages", "Pages held by requests, kept for who begins alike, or free.", {
        "used": lambda s: s.pages_used,
        "known": lambda s: s.pages_known,
        "free": lambda s: s.pages_total - s.pages_used - s.pages_known,
    }, "state"),
    one("bise:cache_bytes", "Memory of the cache.", lambda s: s.cache_bytes),
    one("bise:expert_load_imbalance", "Tokens of a layer's busiest expert over its average one's, "
        "lately, in the mean over layers; 0 if not known.", lambda s: s.expert_imbalance),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """The engine at one moment."""

    stats: EngineStats
    is_up: bool
    life: object
    """The same object for as long as nothing was started again."""

    num_restarts: int
    before: Values
    """What was counted in all lives that have ended."""

    totals: Values
    """And with this one."""


class Pulse:
    """A collector: gives what `look` has seen last."""

    def __init__(self, engine: Engine | SupervisedEngine, model_name: str):
        self.engine = engine
        self.model_name = model_name
        self.seen = follow(None, engine.stats(), life_of(engine), is_up=True)
        self.is_late = False
        """Whether the engine has not said yet how it is."""

        self._thread = ThreadPoolExecutor(1, "bise-pulse")
        self._asking: asyncio.Future[None] | None = None

    async def look(self) -> None:
        """Ask the engine how it is, in a thread; who asks meanwhile waits for the same answer."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.get_running_loop().run_in_executor(self._thread, self._ask)
        done, _ = await asyncio.wait({self._asking}, timeout=LIMIT_S)
        self.is_late = not done
        for one_done in done:
            one_done.result()  # raises our bugs

    def collect(self) -> Iterable[Metric]:
        """The numbers as Prometheus wants them."""
        seen = self.seen
        is_up = seen.is_up and not self.is_late
        yield self._metric(GaugeMetricFamily, UP, {(UP.name, ""): is_up})
        yield self._metric(CounterMetricFamily, RESTARTS, {(RESTARTS.name, ""): seen.num_restarts})
        for family in COUNTERS:
            yield self._metric(CounterMetricFamily, family, seen.totals)
        now = read_all(GAUGES, seen.stats)
        for family in GAUGES:
            yield self._metric(GaugeMetricFamily, family, now)

    def _ask(self) -> None:
        """Look once; runs in the thread, one at a time."""
        life = life_of(self.engine)
        stats, is_up = self.engine.stats(), self.engine.is_well()
        if life_of(self.engine) is not life:
            return  # whose numbers these are cannot be said; the next look will know
        self.seen = follow(self.seen, stats, life, is_up=is_up)

    def _metric(
        self,
        kind: type[CounterMetricFamily] | type[GaugeMetricFamily],
        family: Family,
        values: Values,
    ) -> Metric:
        names = ["model_name", family.label] if family.label else ["model_name"]
        metric = kind(family.name, family.help, labels=names)
        for part in family.parts:
            labels = [self.model_name, part] if part else [self.model_name]
            metric.add_metric(labels, values[family.name, part])
        return metric


def follow(old: Seen | None, stats: EngineStats, life: object, *, is_up: bool) -> Seen:
    """What is known with the next look: counts go on where those of an earlier life ended."""
    before, known, num_restarts = {}, {}, 0
    if old is not None:
        is_new = life is not old.life
        before, known = old.totals if is_new else old.before, old.totals
        num_restarts = old.num_restarts + is_new
    totals = {
        # A picture counts as found until the eye has looked at it: the larger number stays.
        key: max(known.get(key, 0), before.get(key, 0) + count)
        for key, count in read_all(COUNTERS, stats).items()
    }
    return Seen(stats, is_up, life, num_restarts, before, totals)


def read_all(families: Iterable[Family], stats: EngineStats) -> Values:
    return {
        (family.name, part): read(stats)
        for family in families
        for part, read in family.parts.items()
    }


def life_of(engine: Engine | SupervisedEngine) -> object:
    """Something that is another with each child: what it says of itself when it is welcomed."""
    return engine.bounds if isinstance(engine, SupervisedEngine) else engine
