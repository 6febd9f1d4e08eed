"""The body of `POST /v1/chat/completions`: which fields there are, and what they mean to us.

Shapes are judged here (422); values are judged where they are used (400).
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bise.engine import Sampling
from bise.errors import BadRequest, WrongType
from bise.serve.faults import BodyFault
from bise.serve.limits import Limits, need_at_most
from bise.serve.talk import Ask
from bise.text import Tekken, parse_messages, parse_tools, resolve_effort


class Shape(BaseModel):
    """JSON as it is: no number from a string, no string from a number; unknown fields are kept."""

    model_config = ConfigDict(strict=True, extra="allow")


class StreamOptions(Shape):
    include_usage: bool | None = None
    stream_tool_calls: bool | None = None
    """Send calls in pieces, as they are written, instead of whole."""

    continuous_usage_stats: bool | None = None


class Reasoning(Shape):
    effort: Any = None
    enabled: bool | None = None
    max_tokens: int | None = None
    exclude: bool | None = None


class ChatBody(Shape):
    """What OpenAI's and Mistral's clients send. Null means absent, everywhere."""

    messages: list[Any]
    model: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    min_tokens: int | None = None
    stop: str | list[str] | None = None
    stop_token_ids: list[int] | None = None
    ignore_eos: bool | None = None
    include_stop_str_in_output: bool | None = None
    seed: int | None = None
    random_seed: int | None = None
    n: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repetition_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: list[Any] | None = None
    tool_choice: str | dict[str, Any] | None = None
    reasoning_effort: Any = None
    reasoning: Reasoning | None = None
    thinking: dict[str, Any] | None = None
    enable_thinking: bool | None = None
    prompt_mode: str | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    output_config: dict[str, Any] | None = None
    thinking_token_budget: int | None = None
    include_reasoning: bool | None = None
    continue_final_message: bool | None = None
    response_format: dict[str, Any] | None = None
    prediction: dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    modalities: list[str] | None = None
    safe_prompt: bool | None = None
    guardrails: list[Any] | None = None
    priority: int | None = None
    cache_salt: str | None = None
    prompt_cache_key: str | None = None
    timeout: float | None = None
    """Seconds after which the reply is cut."""

    @property
    def ignored(self) -> list[str]:
        """Fields that were sent and are not used, for the header that says so."""
        extra = set(self.model_extra or ())
        unused = {"prediction", "parallel_tool_calls", "prompt_cache_key"}
        return sorted(extra | (unused & self.model_fields_set))

    @property
    def has_stream(self) -> bool:
        return bool(self.stream)


REFUSED = {
    "functions": "describe them in `tools`",
    "function_call": "use `tool_choice`",
    "structured_outputs": "leave it out; constrained output is not served yet",
    "guided_json": "leave it out; constrained output is not served yet",
    "guided_regex": "leave it out; constrained output is not served yet",
    "guided_choice": "leave it out; constrained output is not served yet",
    "guided_grammar": "leave it out; constrained output is not served yet",
    "chat_template": "the model has one format only, and the server applies it",
    "audio": "this model reads text and images and writes text",
    "lora": "no adapters are served yet",
    "adapter": "no adapters are served yet",
}
"""Fields that change what an answer means: to ignore one would be worse than to refuse it."""


def read_body(fields: Mapping[str, Any]) -> ChatBody:
    """Check the shape of a body."""
    for name, hint in REFUSED.items():
        if name in fields:
            raise BadRequest(f"`{name}` is not supported here", hint=hint)
    try:
        return ChatBody.model_validate(fields)
    except ValidationError as fault:
        raise body_fault(fault) from None


def body_fault(fault: ValidationError) -> BodyFault:
    """Pydantic's complaints as ours: the first in words, all of them in `detail`."""
    detail: list[dict[str, Any]] = []
    for one in fault.errors(include_url=False, include_context=False):
        shown = repr(one["input"])
        secret = "base64" in shown or one["type"] == "missing"
        kept = {} if secret else {"input": shown[:200]}
        detail.append({"type": one["type"], "loc": ["body", *one["loc"]], "msg": one["msg"]} | kept)
    first = fault.errors()[0]
    where = ".".join(str(place) for place in first["loc"])
    words = first["msg"].removeprefix("Input should be ").removeprefix("Field ").lower()
    verb = "is" if first["type"] == "missing" else "should be"
    return BodyFault(f"`{where}` {verb} {'missing' if verb == 'is' else words}", detail)


def to_ask(body: ChatBody, tekken: Tekken, limits: Limits) -> Ask:
    """The question a body asks."""
    refuse_unserved(body)
    tools = parse_tools(body.tools)
    wanted = body.max_completion_tokens
    max_tokens = body.max_tokens if wanted is None else wanted
    return Ask(
        messages=parse_messages(with_prefix(body)),
        tools=tools,
        may_call=may_call(body.tool_choice),
        effort=effort_of(body, tekken),
        sampling=sampling_of(body, tekken, limits),
        max_tokens=None if max_tokens is None else not_negative("max_tokens", max_tokens),
        stop=stops_of(body, limits),
        keeps_stop=bool(body.include_stop_str_in_output),
        stop_ids=frozenset(tekken.check_id(token) for token in body.stop_token_ids or ()),
        ignores_end=bool(body.ignore_eos),
        thinking_budget=budget_of(body),
        priority=body.priority or 0,
        cache_salt=body.cache_salt or "",
        deadline_s=body.timeout,
        want_logprobs=logprobs_of(body, limits),
    )


def refuse_unserved(body: ChatBody) -> None:
    """Refuse what would be wrong to ignore."""
    form = (body.response_format or {}).get("type", "text")
    if form != "text":
        raise BadRequest(
            f"`response_format` is `{form}`, but only `text` is served yet",
            hint="ask for JSON in words, and check what comes",
        )
    if body.guardrails:
        raise BadRequest("`guardrails` is not supported here", hint="leave it out")
    if body.safe_prompt:
        raise BadRequest(
            "`safe_prompt` is not supported here", hint="say it in a system message of your own"
        )
    if set(body.modalities or ()) - {"text"}:
        raise BadRequest("`modalities` has more than `text`, which is all this model writes")
    if body.timeout is not None and body.timeout <= 0:
        raise BadRequest(f"`timeout` is {body.timeout:g}, expected a number above 0")


def with_prefix(body: ChatBody) -> list[Any]:
    """The messages; vLLM's switch to continue the last one is our `prefix` on it."""
    messages = list(body.messages)
    if body.continue_final_message and messages and isinstance(messages[-1], dict):
        messages[-1] = {**messages[-1], "prefix": True}
    return messages


def may_call(choice: str | Mapping[str, Any] | None) -> bool:
    """Whether tools may be called. To force a call needs a grammar."""
    if choice is None or choice == "auto":
        return True
    if choice == "none":
        return False
    if isinstance(choice, str) and choice not in ("any", "required"):
        raise WrongType(f"`tool_choice` is `{choice}`, expected `auto`, `none`, `any`, `required`")
    shown = f"`{choice}`" if isinstance(choice, str) else "an object"
    raise BadRequest(
        f"`tool_choice` is {shown}, but only `auto` and `none` are served yet",
        hint="pass `auto` and say in the message which tool to use",
    )


def effort_of(body: ChatBody, tekken: Tekken) -> str:
    """How much to think, from the first of the many fields clients say it in."""
    reasoning, kwargs = body.reasoning or Reasoning(), body.chat_template_kwargs or {}
    thinking = (body.thinking or {}).get("type")
    switches = {"enabled": "high", "adaptive": "high", "disabled": "none"}
    said = (
        body.reasoning_effort,
        reasoning.effort,
        reasoning.enabled,
        (body.output_config or {}).get("effort"),
        switches.get(thinking, thinking) if isinstance(thinking, str) else None,
        body.enable_thinking,
        kwargs.get("reasoning_effort"),
        kwargs.get("enable_thinking"),
        kwargs.get("thinking"),
        "high" if body.prompt_mode == "reasoning" else None,
    )
    first = next((one for one in said if one is not None), None)
    return resolve_effort(first, tekken.efforts, tekken.default_effort)


def budget_of(body: ChatBody) -> int | None:
    """Thinking tokens at most."""
    budget = body.thinking_token_budget
    if budget is None and body.reasoning is not None:
        budget = body.reasoning.max_tokens
    return None if budget is None else not_negative("thinking_token_budget", budget)


def sampling_of(body: ChatBody, tekken: Tekken, limits: Limits) -> Sampling:
    """How to choose tokens; the engine's own defaults where nothing is said."""
    seed = body.random_seed if body.seed is None else body.seed
    given = {
        "temperature": body.temperature,
        "top_p": body.top_p,
        "top_k": None if body.top_k is None else max(body.top_k, 0),
        "min_p": body.min_p,
        "presence_penalty": body.presence_penalty,
        "frequency_penalty": body.frequency_penalty,
        "repetition_penalty": body.repetition_penalty,
        "min_tokens": body.min_tokens,
        "seed": seed,
        "logit_bias": biases_of(body.logit_bias or {}, tekken, limits),
    }
    return Sampling(**{name: value for name, value in given.items() if value is not None})


def biases_of(biases: Mapping[str, float], tekken: Tekken, limits: Limits) -> dict[int, float]:
    """Ids and what to add to their logits."""
    need_at_most("logit_bias", len(biases), limits.biases)
    for name, value in biases.items():
        if not name.isascii() or not name.isdigit():
            raise BadRequest(f"`logit_bias` has the key `{name[:20]}`, expected a token id")
        if not -100 <= value <= 100:
            raise BadRequest(f"`logit_bias` of {name} is {value:g}, expected -100 to 100")
        if tekken.is_control(int(name)):
            raise BadRequest(f"`logit_bias` names {name}, which is a control token")
    return {int(name): value for name, value in biases.items()}


def stops_of(body: ChatBody, limits: Limits) -> tuple[str, ...]:
    """The stop strings."""
    stops = (body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ())
    need_at_most("stop", len(stops), limits.stops)
    if any(not 1 <= len(stop) <= limits.stop_chars for stop in stops):
        raise BadRequest(
            f"`stop` has a string that is empty or longer than {limits.stop_chars} characters"
        )
    return stops


def logprobs_of(body: ChatBody, limits: Limits) -> int | None:
    """How many alternatives to report; None reports nothing."""
    count = body.top_logprobs or 0
    if not 0 <= count <= limits.top_logprobs:
        raise BadRequest(f"`top_logprobs` is {count}, expected 0 to {limits.top_logprobs}")
    return count if body.logprobs else None


def replies_of(body: ChatBody, limits: Limits) -> int:
    """How many replies to make."""
    count = 1 if body.n is None else body.n
    if not 1 <= count <= limits.replies:
        raise BadRequest(f"`n` is {count}, expected 1 to {limits.replies}")
    return count


def not_negative(name: str, value: int) -> int:
    if value < 0:
        raise BadRequest(f"`{name}` is {value}, expected 0 or more")
    return value
