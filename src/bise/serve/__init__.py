"""Speaks HTTP: requests of several shapes in, streams out. Also what all doors share: `Talker`."""

from bise.serve.app import create_app
from bise.serve.limits import Limits
from bise.serve.loading import (
    LoadedModel,
    OpenModel,
    best_dtype,
    load_model,
    locate_weights,
    open_model,
    read_tokenizer,
)
from bise.serve.served import Manners, Served, serve_model
from bise.serve.talk import Ask, DeadlinePassed, PreparedAsk, Talk, Talker, Usage

__all__ = [
    "Ask",
    "DeadlinePassed",
    "Limits",
    "LoadedModel",
    "Manners",
    "OpenModel",
    "PreparedAsk",
    "Served",
    "Talk",
    "Talker",
    "Usage",
    "best_dtype",
    "create_app",
    "load_model",
    "locate_weights",
    "open_model",
    "read_tokenizer",
    "serve_model",
]
