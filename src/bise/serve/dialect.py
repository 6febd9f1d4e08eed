"""Which of the families of clients a request comes from, so that it is answered in its language.

Mistral's clients lose reasoning that comes as OpenAI sends it, and OpenAI's crash on Mistral's.
"""

from collections.abc import Mapping
from typing import Any, Literal, cast

from starlette.datastructures import Headers

Dialect = Literal["openai", "mistral", "anthropic"]

PREFIXES: dict[str, Dialect] = {"/mistral": "mistral", "/openai": "openai"}
"""A base URL below one of these decides; every path under `/v1` is mounted there too."""

MISTRAL_FIELDS = frozenset(("random_seed", "safe_prompt", "prompt_mode"))
"""Fields only Mistral's clients send."""


def split_path(path: str) -> tuple[Dialect | None, str]:
    """The dialect a path asks for, and the path without that.

    A slash at the end of a path of the API means nothing: a redirect to the path without one would
    lose the dialect.
    """
    asked: Dialect | None = None
    for prefix, dialect in PREFIXES.items():
        if path.startswith(f"{prefix}/v1/"):
            asked, path = dialect, path.removeprefix(prefix)
            break
    return asked, path.rstrip("/") if path.startswith("/v1/") else path


def dialect_of_call(path: str, prefix: Dialect | None, headers: Headers) -> Dialect | None:
    """The dialect that path and headers ask for; None if they leave it to the body."""
    if path == "/v1/messages" or path.startswith("/v1/messages/"):
        return "anthropic"
    if prefix is not None:
        return prefix
    named = headers.get("x-api-dialect", "").lower()
    if named == "mistral" or named == "openai":
        return named
    is_sdk = headers.get("user-agent", "").startswith("mistral-client-")
    return "mistral" if is_sdk else None


def speaks_mistral(fields: Mapping[str, Any]) -> bool:
    """Whether a body has what only Mistral's clients write."""
    if MISTRAL_FIELDS & fields.keys():
        return True
    options, messages = fields.get("stream_options"), fields.get("messages")
    if isinstance(options, dict) and cast(dict[str, Any], options).get("stream_tool_calls"):
        return True
    return isinstance(messages, list) and any(map(has_thinking_list, cast(list[Any], messages)))


def has_thinking_list(message: object) -> bool:
    """Whether a message has a `thinking` part in pieces."""
    content = cast(dict[str, Any], message).get("content") if isinstance(message, dict) else None
    parts = cast(list[Any], content) if isinstance(content, list) else []
    return any(isinstance(one, dict) and isinstance(one.get("thinking"), list) for one in parts)
