"""A core that computes nothing: a script says what follows each prompt, one id a step.

For whoever measures what stands around an engine, and for trying clients whose prompts no small
model understands. Everything else is the real `Engine`: its thread, its streams, its cancelling.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count

from bise.engine.bounds import Bounds, waited_too_long
from bise.engine.core import LOOK_S
from bise.engine.requests import (
    END_THINK,
    THINK,
    EngineStats,
    FinishReason,
    Request,
    Step,
    TokenLogprobs,
)
from bise.errors import BadRequest, NotFound

Script = Callable[[Request], Iterator[int]]
"""The ids of a reply, one by one; when there are no more, the first stop id follows by itself."""

CERTAIN = 0.0
"""The logarithm of the likelihood of whatever a script says."""


@dataclass(slots=True)
class Telling:
    """A reply under way."""

    request: Request
    ids: Iterator[int]
    room: int
    deadline: float | None
    is_thinking: bool
    added_s: float = field(default_factory=time.perf_counter)
    num_told: int = 0
    num_thought: int = 0
    must_stop_thinking: bool = False
    is_held: bool = False


class ScriptedCore:
    """Says what a script tells it, one token of every running reply at each step."""

    def __init__(self, script: Script, bounds: Bounds, *, max_running: int = 64, step_s: float = 0):
        """step_s: how long a step takes."""
        self.script = script
        self.bounds = bounds
        self.max_running = max_running
        self.step_s = step_s
        self.failed: dict[int, Exception] = {}
        self._numbers = count()
        self._members: dict[int, Telling] = {}  # in the order of their coming
        self._num_steps = self._num_finished = self._num_cancelled = 0
        self._num_prompt_tokens = self._num_told = self._num_thought = 0

    def check(self, request: Request) -> int:
        """Refuse what cannot be computed; says how many tokens there is room for."""
        return self.bounds.check(request)

    def add(self, request: Request) -> int:
        """Let a request wait; returns the number it is known by."""
        room, number = self.check(request), next(self._numbers)
        wanted = room if request.max_tokens is None else min(request.max_tokens, room)
        deadline = None if request.deadline_s is None else time.monotonic() + request.deadline_s
        end = min(request.stop_ids, default=-1)
        ids = chain(self.script(request), [end] if end >= 0 else [])
        self._members[number] = Telling(request, ids, wanted, deadline, request.in_thinking)
        self._num_prompt_tokens += len(request.prompt_ids)
        return number

    def cancel(self, number: int) -> None:
        """Forget a request; one that is gone already is no error."""
        if self._members.pop(number, None) is not None:
            self._num_cancelled += 1

    def hold(self, number: int, *, is_on: bool) -> None:
        """Leave a reply out of steps until its reader has caught up."""
        if number in self._members:
            self._members[number].is_held = is_on

    def stop_thinking(self, number: int) -> None:
        """Let a request close its thinking with its next token."""
        one = self._members.get(number)
        if one is None:
            raise NotFound(f"request {number} is not running")
        if not one.is_thinking:
            raise BadRequest(f"request {number} is not thinking")
        one.must_stop_thinking = True

    @property
    def is_idle(self) -> bool:
        return not self._members

    @property
    def num_waiting(self) -> int:
        return max(0, len(self._members) - self.max_running)

    def step(self) -> dict[int, Step]:
        """One more token for everybody; what came of it, by request number."""
        if self.step_s:
            time.sleep(self.step_s)
        self._num_steps += 1
        numbers = list(self._members)
        for number in numbers[self.max_running :]:
            self._turn_away(number)
        numbers = numbers[: self.max_running]
        going = [(number, one) for number in numbers if not (one := self._members[number]).is_held]
        if not going:
            time.sleep(LOOK_S)
        steps = {number: self._tell(one) for number, one in going}
        for number, step in steps.items():
            if step.finish_reason is not None:
                del self._members[number]
                self._num_finished += 1
        return steps

    def stats(self) -> EngineStats:
        num_running = len(self._members) - self.num_waiting
        counted = {
            "num_running": num_running,
            "num_waiting": self.num_waiting,
            "num_finished": self._num_finished,
            "num_cancelled": self._num_cancelled,
            "num_prompt_tokens": self._num_prompt_tokens,
            "num_generated_tokens": self._num_told,
            "num_thinking_tokens": self._num_thought,
            "num_steps": self._num_steps,
            "num_step_tokens": self._num_told,
        }
        nothing: dict[str, int] = dict.fromkeys(EngineStats.__dataclass_fields__, 0)
        return EngineStats(**(nothing | counted))

    def close(self) -> None:
        """There is nothing to end."""

    def _turn_away(self, number: int) -> None:
        """End one that waits, if it has waited too long."""
        one = self._members[number]
        limit_s = one.request.queue_s
        if limit_s is not None and time.perf_counter() - one.added_s > limit_s:
            del self._members[number]
            self.failed[number] = waited_too_long(limit_s)

    def _tell(self, one: Telling) -> Step:
        """The next token of one reply, and whether it was the last."""
        if one.deadline is not None and time.monotonic() > one.deadline:
            return Step((), finish_reason="deadline")
        waited_s = read_s = None
        read: tuple[TokenLogprobs, ...] = ()
        if one.num_told == 0:
            waited_s, read_s = time.perf_counter() - one.added_s, 0.0
            asked = one.request
            read = self._certain(asked.prompt_ids[1:], asked.want_prompt_logprobs)
        if one.num_told >= one.room:  # nothing was asked for
            return Step((), (), read, "length", queued_s=waited_s, read_s=read_s)
        token = self._next(one)
        one.num_told += 1
        self._num_told += 1
        reason: FinishReason | None = "stop" if token in one.request.stop_ids else None
        if reason is None and one.num_told == one.room:
            reason = "length"
        logprobs = self._certain([token], one.request.want_logprobs)
        return Step(
            (token,),
            logprobs,
            read,
            reason,
            num_computed=1,
            queued_s=waited_s,
            read_s=read_s,
        )

    def _next(self, one: Telling) -> int:
        """What the script says, unless thinking has to end."""
        budget = one.request.thinking_budget
        is_spent = budget is not None and one.num_thought >= budget
        if one.is_thinking and (one.must_stop_thinking or is_spent):
            for token in one.ids:  # what is left of the thought is left out
                if token == END_THINK:
                    break
            token = END_THINK
        else:
            token = next(one.ids)
        one.is_thinking = (one.is_thinking or token == THINK) and token != END_THINK
        one.num_thought += one.is_thinking and token != THINK
        self._num_thought += one.is_thinking
        return token

    @staticmethod
    def _certain(tokens: Sequence[int], wanted: int | None) -> tuple[TokenLogprobs, ...]:
        """That tokens were certain, if anybody wants to know."""
        if wanted is None:
            return ()
        return tuple(
            TokenLogprobs(CERTAIN, ((token, CERTAIN),) if wanted else ()) for token in tokens
        )
