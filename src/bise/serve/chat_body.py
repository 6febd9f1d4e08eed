"""The body of `POST /v1/chat/completions`: which fields there are, and what they mean to us.

Shapes are judged here (422); values where the question is made of them (400, `chat_ask.py`).
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bise.errors import BadRequest
from bise.serve.faults import BodyFault


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
