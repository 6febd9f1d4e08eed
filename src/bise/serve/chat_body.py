"""The body of `POST /v1/chat/completions`: which fields there are, and what they mean to us."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeVar, cast

from bise.serve.shapes import SamplingBody, Shape, refuse, shaped

ROLE_FIELDS: dict[str, frozenset[str]] = {
    "assistant": frozenset(("tool_calls", "prefix", "reasoning_content", "reasoning", "refusal")),
    "tool": frozenset(("tool_call_id",)),
    "function": frozenset(("tool_call_id",)),
}
"""Fields of a message beside `role`, `content` and `name`, which every role may have."""


class Reasoning(Shape):
    effort: Any = None
    enabled: bool | None = None
    max_tokens: int | None = None
    exclude: bool | None = None


class ChatBody(SamplingBody):
    """What OpenAI's and Mistral's clients send. Null means absent, everywhere.

    The other chat-shaped doors translate into this one.
    """

    UNUSED: ClassVar[frozenset[str]] = frozenset(
        (
            "prompt_cache_key", "user", "safety_identifier",
            "service_tier", "metadata", "store", "verbosity", "prompt_cache_retention",
            "web_search_options", "add_generation_prompt", "echo", "return_token_ids",
            "return_tokens_as_token_ids", "include_timings", "guided_decoding_backend",
            "guided_whitespace_pattern",
        )
    )  # fmt: skip

    COUNTED: ClassVar[frozenset[str]] = SamplingBody.COUNTED | {"modalities"}

    messages: list[Any]
    max_completion_tokens: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    tools: list[Any] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: Any = None
    reasoning: Reasoning | None = None
    thinking: dict[str, Any] | None = None
    enable_thinking: bool | None = None
    prompt_mode: str | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    output_config: dict[str, Any] | None = None
    thinking_token_budget: int | None = None
    include_reasoning: bool | None = None
    strip_reasoning: bool | None = None
    """Leave past thinking out of the prompt."""

    continue_final_message: bool | None = None
    prediction: dict[str, Any] | None = None
    modalities: list[str] | None = None
    safe_prompt: bool | None = None
    guardrails: list[Any] | None = None
    prompt_cache_key: str | None = None
    user: Any = None
    safety_identifier: Any = None
    service_tier: Any = None
    metadata: Any = None
    store: Any = None
    verbosity: Any = None
    prompt_cache_retention: Any = None
    web_search_options: Any = None
    add_generation_prompt: Any = None
    echo: Any = None
    return_token_ids: Any = None
    return_tokens_as_token_ids: Any = None
    include_timings: Any = None

    @property
    def shows_reasoning(self) -> bool:
        """Whether thinking is shown."""
        is_excluded = self.reasoning is not None and self.reasoning.exclude is True
        return self.include_reasoning is not False and not is_excluded


Chat = TypeVar("Chat", bound=ChatBody)


def read_body(fields: Mapping[str, Any], kind: type[Chat] = ChatBody) -> Chat:
    """Check the shape of a body."""
    refuse(fields)
    return shaped(kind, fields)


def unknown_in(messages: Sequence[Any]) -> Iterator[tuple[int, str, str]]:
    """Fields of messages nobody has heard of: number, role and name. Null means absent here too."""
    for number, message in enumerate(messages):
        if isinstance(message, dict):
            fields = cast(dict[str, Any], message)
            role = str(fields.get("role"))[:20]
            known = ROLE_FIELDS.get(role, frozenset()) | {"role", "content", "name"}
            for name, value in fields.items():
                if name not in known and value is not None:
                    yield number, role, name
