"""An open implementation of Mistral Small 4: `model = bise.load("nano")`, then `model.ask(...)`."""

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
