"""`GET /metrics`: the numbers of a running server, under vLLM's names where vLLM has them.

What the engine counts comes from `Pulse` when somebody scrapes; what clients wait for is measured
here, while replies are written. No label carries a word of a user.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from types import TracebackType

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest
from starlette.responses import Response

from bise.engine import Step
from bise.serve.faults import Answer
from bise.serve.pulse import Pulse
from bise.serve.served import Served
from bise.serve.talk import FinishReason, Watch
from bise.serve.visit import Visit

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' text format, which every reader of such numbers takes."""

FIRST_TOKEN_S = (
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    20.0, 40.0, 80.0, 160.0, 640.0, 2560.0,
)  # fmt: skip
NEXT_TOKEN_S = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5,
    5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
)  # fmt: skip
REPLY_S = (
    0.1, 0.2, 0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0,
    120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0,
)  # fmt: skip
"""Upper ends of classes, in seconds. As vLLM has them, and some below for small models."""

REASONS: dict[FinishReason, str] = {"stop": "stop", "tool_calls": "stop", "length": "length"}
"""How vLLM calls the ends of a reply; it adds `abort` and `error`."""


class Metrics:
    """All numbers of one server, in a registry of its own: a process may have several servers."""

    def __init__(self, served: Served):
        self.model_name = served.name
        self.registry = CollectorRegistry()
        self.pulse = Pulse(served.talker.engine, served.name)
        self.registry.register(self.pulse)
        self.first_token = self._histogram(
            "vllm:time_to_first_token_seconds", "From a request to its first token.", FIRST_TOKEN_S
        )
        self.next_token = self._histogram(
            "vllm:inter_token_latency_seconds",
            "Between two steps of a reply; one step may add several tokens.",
            NEXT_TOKEN_S,
        )
        self.whole = self._histogram(
            "vllm:e2e_request_latency_seconds", "From a request to the end of its reply.", REPLY_S
        )
        self.queued = self._histogram(
            "vllm:request_queue_time_seconds", "Until something of it was computed.", REPLY_S
        )
        self.prefill = self._histogram(
            "vllm:request_prefill_time_seconds", "From there to the first token.", REPLY_S
        )
        self.decode = self._histogram(
            "vllm:request_decode_time_seconds", "From the first token to the last.", REPLY_S
        )
        self.each_token = self._histogram(
            "vllm:request_time_per_output_token_seconds",
            "From the first token of a reply to its last, for each token after the first.",
            NEXT_TOKEN_S,
        )
        ended = self._counter("vllm:request_success", "Replies that ended.", "finished_reason")
        self.ended = {
            reason: ended.labels(self.model_name, reason)
            for reason in ("stop", "length", "abort", "error")
        }
        self.cancelled = self._counter(
            "bise:cancelled_requests", "Replies whose client left before their end."
        ).labels(self.model_name)
        self.rejected = self._counter(
            "bise:rejected_requests", "Requests turned away, by the code of the error.", "reason"
        )

        self.repaired = self._counter(
            "bise:request_repairs", "Conversations put in order, by what was wrong.", "kind"
        )

    def watch(self, visit: Visit) -> "ReplyClock":
        """What times one reply to a request."""
        return ReplyClock(self, visit)

    def refuse(self, answer: Answer, visit: Visit) -> Answer:
        """Count a request that is turned away."""
        visit.error = answer.kind.openai_code
        self.count_refusal(answer)
        return answer

    def count_refusal(self, answer: Answer) -> None:
        """Count what never became a request."""
        self.rejected.labels(self.model_name, answer.kind.openai_code).inc()

    def repair(self, kinds: Iterable[str]) -> None:
        """Count a conversation that was put in order."""
        for kind in kinds:
            self.repaired.labels(self.model_name, kind).inc()

    async def page(self) -> Response:
        """Everything, as Prometheus reads it."""
        await self.pulse.look()
        text = await asyncio.to_thread(generate_latest, self)
        return Response(text, media_type=MEDIA_TYPE)

    def collect(self) -> Iterable[Metric]:
        """The registry's numbers but for the moments they were made, which nobody reads."""
        for metric in self.registry.collect():
            metric.samples = [one for one in metric.samples if not one.name.endswith("_created")]
            yield metric

    def _histogram(self, name: str, about: str, ends: Sequence[float]) -> Histogram:
        made = Histogram(name, about, ["model_name"], registry=self.registry, buckets=ends)
        return made.labels(self.model_name)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(name, about, ["model_name", *labels], registry=self.registry)


class ReplyClock(Watch):
    """Times one reply while it is written."""

    def __init__(self, metrics: Metrics, visit: Visit):
        self.metrics = metrics
        self.visit = visit
        self.arrived_s = arrived_s = visit.arrived_s
        self.first_s: float | None = None
        self.last_s = arrived_s
        self.num_tokens = 0
        self.reason: FinishReason | None = None
        self.ids: list[int] = []
        if visit.keeps_ids:
            visit.reply_ids.append(self.ids)

    def saw(self, step: Step, finish_reason: FinishReason | None) -> None:
        self.reason = finish_reason
        self.visit.saw(step)
        if step.queued_s is not None and step.read_s is not None:
            self.metrics.queued.observe(step.queued_s)
            self.metrics.prefill.observe(step.read_s)
        if not step.ids:
            return
        now = time.monotonic()
        if self.visit.keeps_ids:
            self.ids += step.ids
        self.num_tokens += len(step.ids)
        if self.first_s is None:
            self.first_s = now
            self.metrics.first_token.observe(now - self.arrived_s)
        else:
            self.metrics.next_token.observe(now - self.last_s)
        self.last_s = now

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        metrics = self.metrics
        if self.reason is not None:
            self.visit.finish_reasons.append(self.reason)
            metrics.ended[REASONS[self.reason]].inc()
            metrics.whole.observe(time.monotonic() - self.arrived_s)
            if self.first_s is not None:
                lasted_s = self.last_s - self.first_s
                metrics.decode.observe(lasted_s)
                if self.num_tokens > 1:
                    metrics.each_token.observe(lasted_s / (self.num_tokens - 1))
        elif isinstance(error, Exception):
            self.visit.finish_reasons.append("error")
            metrics.ended["error"].inc()
        else:  # the generator was closed, or its task cancelled
            self.visit.finish_reasons.append("abort")
            metrics.ended["abort"].inc()
            metrics.cancelled.inc()
