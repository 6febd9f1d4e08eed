"""From the body of a chat request to the question it asks, every value checked."""

from collections.abc import Sequence
from dataclasses import replace

from bise.errors import BadRequest, WrongType
from bise.serve.chat_body import ChatBody, Reasoning
from bise.serve.limits import Limits, need_at_most
from bise.serve.sampling_ask import (
    ending_of,
    not_negative,
    prompt_top_of,
    sampling_of,
    top_of,
)
from bise.serve.structured_ask import calls_in, form_of
from bise.serve.talk import Ask
from bise.text import (
    Message,
    Tekken,
    TextPart,
    ThinkPart,
    parse_messages,
    parse_tools,
    resolve_effort,
)
from bise.text.parse import an_object, listed, optional, typed

# Ref: docs.mistral.ai "Guardrailing": the sentence `safe_prompt` puts before the system prompt.
SAFE_PROMPT = (
    "Always assist with care, respect, and truth. Respond with utmost utility yet securely. "
    "Avoid harmful, unethical, prejudiced, or negative content. "
    "Ensure replies promote fairness and positivity."
)


EFFORT_BUDGETS = {"low": 1024, "medium": 8192}
"""Thinking tokens at most, for words the model does not tell apart."""


def to_ask(
    body: ChatBody,
    messages: Sequence[Message],
    tekken: Tekken,
    limits: Limits,
    *,
    has_effort_budgets: bool = False,
) -> Ask:
    """The question a body asks; its messages have been read already, and maybe repaired."""
    refuse_unserved(body)
    tools, is_parallel = parse_tools(body.tools), body.parallel_tool_calls is not False
    wanted = body.max_completion_tokens
    max_tokens = body.max_tokens if wanted is None else wanted
    top = top_of("top_logprobs", body.top_logprobs or 0, limits)
    effort = said_effort(body)
    return Ask(
        messages=messages,
        tools=tools,
        calls=calls_in(body.tool_choice, tools, limits, is_parallel=is_parallel),
        form=form_of(body, limits),
        effort=resolve_effort(effort, tekken.efforts, tekken.default_effort),
        sampling=sampling_of(body, tekken, limits),
        max_tokens=None if max_tokens is None else not_negative("max_tokens", max_tokens),
        thinking_budget=budget_of(body, effort if has_effort_budgets else None),
        want_logprobs=top if body.logprobs else None,
        want_prompt_logprobs=prompt_top_of(body, limits),
        **ending_of(body, tekken, limits),
    )


def refuse_unserved(body: ChatBody) -> None:
    """Refuse what would be wrong to ignore."""
    if body.guardrails:
        raise BadRequest("`guardrails` is not supported here", hint="leave it out")
    if set(body.modalities or ()) - {"text"}:
        raise BadRequest("`modalities` has more than `text`, which is all this model writes")
    if body.prediction is not None and (body.n or 1) > 1:
        raise BadRequest("`prediction` goes with one reply only", hint="leave out `n`")
    if body.prompt_mode not in (None, "reasoning"):
        raise WrongType(f"`prompt_mode` is `{body.prompt_mode}`, expected `reasoning`")


def prediction_of(body: ChatBody) -> str:
    """What the answer may turn out to be; empty if nobody says."""
    if body.prediction is None:
        return ""
    kind = typed(body.prediction.get("type"), str, "prediction.type")
    if kind != "content":
        raise WrongType(f"`prediction.type` is `{kind[:100]}`, expected `content`")
    content = body.prediction.get("content")
    if isinstance(content, str):
        return content
    where = "prediction.content"
    parts = [an_object(part, where) for part in listed(content, where)]
    return "".join(typed(part.get("text"), str, f"{where}.text") for part in parts)


def messages_of(body: ChatBody, limits: Limits) -> list[Message]:
    """The conversation as the client tells it."""
    need_at_most("messages", len(body.messages), limits.messages)
    given = list(body.messages)
    if body.continue_final_message and given and isinstance(given[-1], dict):
        given[-1] = {**given[-1], "prefix": True}  # vLLM's switch for the same thing
    messages = parse_messages(given)
    if body.strip_reasoning:
        messages = [without_thinking(message) for message in messages]
    if body.safe_prompt:
        messages = guarded(messages)
    return messages


def without_thinking(message: Message) -> Message:
    """A message without its past thinking; thinking to be continued stays."""
    kept = (part for part in message.parts if not (isinstance(part, ThinkPart) and part.closed))
    return replace(message, parts=tuple(kept))


def guarded(messages: Sequence[Message]) -> list[Message]:
    """The conversation with Mistral's sentence before the system prompt."""
    guard = TextPart(SAFE_PROMPT)
    if messages and messages[0].role == "system":
        first = replace(messages[0], parts=(guard, TextPart("\n\n"), *messages[0].parts))
        return [first, *messages[1:]]
    return [Message("system", (guard,)), *messages]


def said_effort(body: ChatBody) -> object:
    """How much to think, from the first of the many fields clients say it in."""
    reasoning, kwargs = body.reasoning or Reasoning(), body.chat_template_kwargs or {}
    thinking = optional(body.thinking or {}, "type", str, "thinking")
    is_off = thinking == "disabled"  # some send an effort for the rest of the work beside it
    switches = {"enabled": "high", "adaptive": "high", "disabled": "none"}
    said = (
        body.reasoning_effort,
        reasoning.effort,
        reasoning.enabled,
        "high" if (reasoning.max_tokens or 0) > 0 else None,
        "none" if is_off else None,
        (body.output_config or {}).get("effort"),
        None if thinking is None else switches.get(thinking, thinking),
        body.enable_thinking,
        kwargs.get("reasoning_effort"),
        kwargs.get("enable_thinking"),
        kwargs.get("thinking"),
        "high" if body.prompt_mode == "reasoning" else None,
    )
    return next((one for one in said if one is not None), None)


def budget_of(body: ChatBody, effort: object) -> int | None:
    """Thinking tokens at most; if nobody says, what the word for the effort allows."""
    reasoning = body.reasoning or Reasoning()
    said = {
        "thinking_token_budget": body.thinking_token_budget,
        "reasoning.max_tokens": reasoning.max_tokens,
        "thinking.budget_tokens": optional(body.thinking or {}, "budget_tokens", int, "thinking"),
    }
    for name, budget in said.items():
        if budget is not None:
            return not_negative(name, budget)
    return EFFORT_BUDGETS.get(effort) if isinstance(effort, str) else None
