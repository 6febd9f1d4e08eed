"""One request from its first byte to its last: what limits, the log and the trace know of it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from bise.engine import Step
from bise.serve.backlog import IMAGE_WEIGHT, Backlog, BodyRoom
from bise.serve.budgets import Account
from bise.serve.trace_context import TraceContext
from bise.text import Prompt


@dataclass(slots=True)
class Visit:
    """Filled in while a request is served; nothing in it is a prompt, an answer or a key, but for
    `prompt_ids` and `reply_ids`, which stay empty unless the server is told to log them."""

    request_id: str
    method: str
    path: str
    """Without a prefix for a dialect, and without what comes after a question mark."""

    client: str = ""
    trace: TraceContext | None = None
    keeps_ids: bool = False
    """Whether prompts and replies are logged."""

    account: Account | None = None
    """Of the key it came with; None where nobody needs one."""

    has_entered: bool = False
    """Whether it counts among the requests the key has running."""

    arrived_s: float = field(default_factory=time.monotonic)
    began_ns: int = field(default_factory=time.time_ns)
    status: int = 0
    error: str = ""
    """OpenAI's code of what went wrong."""

    num_replies: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    first_token_s: float | None = None
    """Seconds from its arrival."""

    queued_s: float | None = None
    finish_reasons: list[str] = field(default_factory=list[str])
    bodies: BodyRoom = field(default_factory=BodyRoom)
    """Where room for its body is taken from,"""

    body_bytes: int = 0
    """and how much of it."""

    waits_in: Backlog | None = None
    weight: int = 0
    """Of its prompts, in the backlog."""

    prompt_ids: list[Sequence[int]] = field(default_factory=list[Sequence[int]])
    reply_ids: list[list[int]] = field(default_factory=list[list[int]])
    """Of each reply; those to the first prompt come first."""

    @property
    def key_name(self) -> str:
        return self.account.key.name if self.account is not None else ""

    def admit(
        self, prompts: Sequence[Prompt], num_replies: int, backlog: Backlog | None = None
    ) -> None:
        """Let prompts through to the engine; refuses what there is no room or no budget for.

        num_replies: to all of them together
        """
        num_tokens = sum(len(prompt.ids) for prompt in prompts)
        if backlog is not None:
            images = (image for prompt in prompts for image in prompt.images)
            weight = num_tokens + IMAGE_WEIGHT * sum(image.num_tokens for image in images)
            backlog.enter(weight)
            self.waits_in, self.weight = backlog, weight
        if self.account is not None:
            self.account.need(num_tokens, time.monotonic(), time.time())
        self.num_replies += num_replies
        self.prompt_tokens += num_tokens
        if self.keeps_ids:
            self.prompt_ids += [prompt.ids for prompt in prompts]

    def take_body(self, num_bytes: int) -> None:
        """More of its body has come; refused if those of others leave no room."""
        self.bodies.take(num_bytes, self.body_bytes)
        self.body_bytes += num_bytes

    def drop_body(self) -> None:
        """It has ended, and its body is gone: until then messages and pictures are kept."""
        self.bodies.give_back(self.body_bytes)
        self.body_bytes = 0

    def leave_backlog(self) -> None:
        """It waits no more: its turn has come, or it has ended."""
        if self.waits_in is not None:
            self.waits_in.leave(self.weight)
            self.waits_in = None

    def saw(self, step: Step) -> None:
        """The engine has added something to one of its replies."""
        if step.queued_s is not None and self.queued_s is None:
            self.queued_s = step.queued_s
            self.cached_tokens = step.num_cached
            self.leave_backlog()
        if not step.ids:
            return
        if self.first_token_s is None:
            self.first_token_s = time.monotonic() - self.arrived_s
        self.completion_tokens += len(step.ids)
        if self.account is not None:
            self.account.spend(len(step.ids), time.time())

    @property
    def lasted_s(self) -> float:
        return time.monotonic() - self.arrived_s
