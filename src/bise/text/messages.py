"""What a conversation is made of, after JSON and before tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from PIL import Image

Role = Literal["system", "user", "assistant", "tool"]
Detail = Literal["low", "auto", "high", "original"]
ImageSource = Image.Image | bytes | Path | str


@dataclass(frozen=True, slots=True)
class TextPart:
    """Plain text; it never becomes a control token."""

    text: str


@dataclass(frozen=True, slots=True)
class ImagePart:
    """A picture, opened only when it is encoded.

    A string is a data URL or bare base64, never a path: strings come from strangers.
    """

    image: ImageSource = field(repr=False)
    detail: Detail = "auto"
    """`low` reduces the longer side to 512 pixels first; the other words change nothing."""


@dataclass(frozen=True, slots=True)
class ThinkPart:
    """Thinking of the assistant. One that is not `closed` is to be continued."""

    text: str
    closed: bool = True


Part = TextPart | ImagePart | ThinkPart


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the assistant made. The id ties the result to it; the model never sees it."""

    id: str
    name: str
    arguments: str
    """JSON, as the model wrote it."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function offered to the model."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """JSON Schema (Draft 7) of the arguments."""

    strict: bool = False
    """Whether arguments must follow the schema; the model is not told."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    parts: tuple[Part, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    """Of a tool's message: the call it answers."""

    name: str | None = None
    prefix: bool = False
    """Of a final assistant message: the model goes on from here, in the same turn."""

    @classmethod
    def of(cls, role: Role, *contents: "str | Part", **fields: Any) -> "Message":
        """A message from strings and parts: `Message.of("user", "What is this?", picture)`."""
        parts = tuple(TextPart(part) if isinstance(part, str) else part for part in contents)
        return cls(role, parts, **fields)
