"""An open implementation of Mistral Small 4: `model = bise.load("nano")`, then `model.ask(...)`.

The names below are looked up when first used, so that importing one room does not load them all.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bise.errors import UserError
    from bise.face import Model, Piece, Reply, Usage, load
    from bise.text import Message, Tool, ToolCall

__version__ = "0.1.0"

__all__ = [
    "Message",
    "Model",
    "Piece",
    "Reply",
    "Tool",
    "ToolCall",
    "Usage",
    "UserError",
    "load",
]

HOMES = {"UserError": "errors", "Message": "text", "Tool": "text", "ToolCall": "text"}
"""Rooms of the names that are not the face's own."""


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module `bise` has no attribute `{name}`")
    return getattr(import_module(f"bise.{HOMES.get(name, 'face')}"), name)
