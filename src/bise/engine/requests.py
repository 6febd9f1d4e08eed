"""What goes into the engine and what comes out: numbers only, no text, no JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

from bise.errors import BadRequest

MIN_TEMPERATURE = 1e-5

MOST_PROMPT_TOP = 128
"""Alternatives reported with a token of the prompt: many tokens are rated in one step."""

THINK, END_THINK = 34, 35
"""Ids of the markers around thinking, the same in every Tekken v15 file."""

FinishReason = Literal["stop", "length", "deadline", "cancelled"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sampling:
    """How the next token is chosen from its logits."""

    temperature: float = 0.7
    """0 takes the likeliest token, exactly."""

    top_p: float = 1.0
    """Keep the likeliest tokens that together have this probability; 0 is greedy."""

    top_k: int = 0
    """Keep so many of the likeliest tokens; 0 keeps all."""

    min_p: float = 0.0
    """Keep tokens at least this likely, relative to the likeliest."""

    presence_penalty: float = 0.0
    """Taken from the logit of every token generated before."""

    frequency_penalty: float = 0.0
    """Taken once for each time a token was generated."""

    repetition_penalty: float = 1.0
    """Divides (or multiplies, below zero) logits of tokens in prompt or output."""

    logit_bias: Mapping[int, float] = field(default_factory=dict[int, float])
    seed: int | None = None
    """The same seed gives the same tokens, whatever else is running; None draws one."""

    min_tokens: int = 0
    """No stop id before so many tokens."""

    def __post_init__(self) -> None:
        _within("temperature", self.temperature, 0.0, 2.0)
        _within("top_p", self.top_p, 0.0, 1.0)
        _within("min_p", self.min_p, 0.0, 1.0)
        _within("presence_penalty", self.presence_penalty, -2.0, 2.0)
        _within("frequency_penalty", self.frequency_penalty, -2.0, 2.0)
        _within("repetition_penalty", self.repetition_penalty, 1e-6, 2.0)

    @property
    def is_greedy(self) -> bool:
        """So little freedom that the likeliest token is meant; dividing by less would overflow."""
        return self.temperature < MIN_TEMPERATURE or self.top_p == 0.0


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # also refuses nan
        raise BadRequest(f"`{name}` is {value}, expected a number from {low:g} to {high:g}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Grammar:
    """What a reply must be. Thinking before it is free."""

    rules: str
    """In the language of llguidance: over bytes and, as in `<[9]>`, over ids."""

    may_think: bool = False
    """Whether the reply may begin with thinking; the rules begin behind it."""

    begun: tuple[int, ...] = ()
    """Ids at the end of the prompt with which the rules begin."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One text to go on with."""

    prompt_ids: Sequence[int]
    images: Sequence[Tensor] = ()
    """Pixels, fp32 [channels, height, width], in the order of their tokens in the prompt."""

    sampling: Sampling = field(default_factory=Sampling)
    max_tokens: int | None = None
    """None: as long as the positions reach."""

    stop_ids: frozenset[int] = frozenset({2})
    """Ids that end the reply; the one that did is the last id returned."""

    barred_ids: frozenset[int] = frozenset()
    """Ids that may not be said while there is anything else: an end that is to be ignored."""

    priority: int = 0
    """Lower goes first among those waiting."""

    cache_salt: str = ""
    """Requests of different salts never share cached prefixes."""

    deadline_s: float | None = None
    """Seconds from now after which the reply is cut."""

    queue_s: float | None = None
    """Seconds from now after which it is turned away, if nothing of it has been computed."""

    grammar: Grammar | None = None
    thinking_budget: int | None = None
    """Thinking tokens after which the closing marker is forced."""

    in_thinking: bool = False
    """Whether the prompt ends inside thinking that is to be continued."""

    prediction_ids: tuple[int, ...] = ()
    """What the reply is expected to be, or much like it: guesses are copied from there too."""

    adapter: str | None = None
    want_logprobs: int | None = None
    """How many of the likeliest alternatives to report with each token; None reports nothing."""

    want_prompt_logprobs: int | None = None
    """The same for each token of the prompt but the first, which are all computed for that."""

    want_routing: bool = False
    """Report which experts each token went to."""


@dataclass(frozen=True, slots=True)
class TokenLogprobs:
    """How likely a token was, and the likeliest ones beside it."""

    logprob: float
    top: tuple[tuple[int, float], ...]
    """(id, logprob), likeliest first"""


@dataclass(slots=True)  # not frozen: many are made in every step
class Step:
    """What one pass added to a request."""

    ids: tuple[int, ...]
    """None, where only more of the prompt was rated."""

    logprobs: tuple[TokenLogprobs, ...] = ()
    prompt_logprobs: tuple[TokenLogprobs, ...] = ()
    """Of the prompt's next tokens, from its second on."""

    finish_reason: FinishReason | None = None
    foretold: tuple[int, int] = (0, 0)
    """Guesses from the request's prediction that came true in this pass, and that did not."""

    num_cached: int = 0
    """Prompt tokens that were not computed because the cache had them."""

    num_computed: int = 0
    """Tokens computed for this request in this pass."""

    queued_s: float | None = None
    """With a request's first step: how long it waited before anything of it was computed,"""

    read_s: float | None = None
    """and from there to this step."""

    routing: Tensor | None = None
    """[computed tokens, layers, topk]"""


@dataclass(frozen=True, slots=True)
class EngineStats:
    """A moment of the engine, as numbers."""

    num_running: int
    num_waiting: int
    num_finished: int
    num_cancelled: int
    num_preemptions: int
    """Times a request lost its pages to an older or more important one."""

    num_prompt_tokens: int
    num_cached_tokens: int
    """Prompt tokens that were not computed because the cache had them."""

    num_generated_tokens: int
    num_drafts: int
    """Times some tokens were guessed ahead for a request."""

    num_drafted_tokens: int
    """Tokens guessed ahead."""

    num_accepted_tokens: int
    """Guesses that came true."""

    num_thinking_tokens: int
    """Of the generated ones, those inside thinking."""

    num_images: int
    """Pictures that requests brought."""

    num_images_seen: int
    """Times the eye looked at one; the others were known already."""

    num_steps: int
    num_step_tokens: int
    """Tokens that went through the network, over all steps."""

    plan_s: float
    """Seconds spent so far on saying what is computed,"""

    compute_s: float
    """on computing it,"""

    choose_s: float
    """on choosing and settling the next tokens,"""

    draft_s: float
    """and on guessing ahead."""

    num_grammars: int
    """Times rules were compiled, beside the steps,"""

    grammar_s: float
    """and seconds spent on it."""

    pages_total: int
    pages_used: int
    """Pages running requests hold."""

    pages_known: int
    """Pages nobody uses now, kept for whoever begins alike."""

    num_evicted: int
    """Times a known page had to make way,"""

    num_shelved: int
    """went to disk instead of being forgotten,"""

    num_fetched: int
    """and came back from there."""

    cache_bytes: int
    expert_imbalance: float
    """Tokens of a layer's busiest expert over those of its average one, of late, in the mean over
    layers: 1 is even; 0 where there are no experts, or nothing is known yet."""
