"""From the body of a chat request to the question it asks, every value checked."""

from collections.abc import Mapping
from typing import Any

from bise.engine import Sampling
from bise.errors import BadRequest, WrongType
from bise.serve.chat_body import ChatBody, Reasoning
from bise.serve.limits import Limits, need_at_most
from bise.serve.talk import Ask
from bise.text import Tekken, parse_messages, parse_tools, resolve_effort


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
    given: dict[str, Any] = {
        "temperature": body.temperature,
        "top_p": body.top_p,
        "top_k": None if body.top_k is None else max(body.top_k, 0),
        "min_p": body.min_p,
        "presence_penalty": body.presence_penalty,
        "frequency_penalty": body.frequency_penalty,
        "repetition_penalty": body.repetition_penalty,
        "min_tokens": not_negative("min_tokens", body.min_tokens or 0),
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
