"""What the core remembers of the requests it computes, and of what they say in one step."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from bise.engine.grammars import Held
from bise.engine.guesses import Ahead
from bise.engine.pictures import Picture
from bise.engine.requests import FinishReason, Request, TokenLogprobs
from bise.engine.sampling import Draws
from bise.engine.scheduler import Track
from bise.errors import UserError


@dataclass(slots=True, eq=False)
class Running:
    """A request and how far it has come."""

    request: Request
    track: Track
    draws: Draws
    max_tokens: int
    deadline: float | None
    pictures: Sequence[Picture]
    ahead: Ahead | None
    """None where nobody guesses."""

    held: Held | None = None
    """What its rules say next; None for a free reply, and until they are compiled."""

    is_thinking: bool = False
    num_thought: int = 0
    must_stop_thinking: bool = False
    is_held: bool = False
    """Whether its reader lags."""

    num_computed: int = 0
    """Tokens computed since the last step that was reported."""

    num_rated: int = 0
    """Tokens of the prompt, from its second on, whose likelihoods have been told."""

    routing: list[Tensor] = field(default_factory=list[Tensor])
    added_s: float = field(default_factory=time.perf_counter)
    begun_s: float | None = None
    """When the first pass with something of it began."""

    @property
    def number(self) -> int:
        return self.track.number


@dataclass(slots=True)
class Saying:
    """What one request says in one step: a token, and more where a draft came true."""

    member: Running
    row: int
    """Of the pass's logits, what follows the last sure token; its guesses' rows come next."""

    ids: list[int] = field(default_factory=list[int])
    logprobs: list[TokenLogprobs] = field(default_factory=list[TokenLogprobs])
    reason: FinishReason | None = None
    fault: UserError | None = None
    """Why the request cannot go on."""

    @property
    def wants_logprobs(self) -> bool:
        return self.member.request.want_logprobs is not None

    @property
    def goes_on(self) -> bool:
        """Whether the last token was just what the draft had guessed."""
        num_said, track = len(self.ids), self.member.track
        is_over = self.reason is not None or self.fault is not None
        if is_over or num_said > track.num_draft:
            return False
        return track.tokens[len(track.tokens) - track.num_draft + num_said - 1] == self.ids[-1]


@dataclass(slots=True)
class EngineCounts:
    """What has happened since the engine began, in the words of `EngineStats`."""

    num_finished: int = 0
    num_cancelled: int = 0
    num_prompt_tokens: int = 0
    num_cached_tokens: int = 0
    num_generated_tokens: int = 0
    num_drafts: int = 0
    num_drafted_tokens: int = 0
    num_accepted_tokens: int = 0
    num_thinking_tokens: int = 0
    num_steps: int = 0
    num_step_tokens: int = 0
    plan_s: float = 0.0
    compute_s: float = 0.0
    choose_s: float = 0.0
    draft_s: float = 0.0

    def add_draft(self, num_guessed: int, num_true: int) -> None:
        """Some tokens were guessed ahead for a request."""
        self.num_drafts += 1
        self.num_drafted_tokens += num_guessed
        self.num_accepted_tokens += num_true
