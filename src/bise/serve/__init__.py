"""Speaks HTTP: requests of several shapes in, streams out. Also what all doors share: `Talker`."""

from bise.serve.access_log import AccessLog
from bise.serve.app import create_app
from bise.serve.budgets import Ledger, usage_file
from bise.serve.drain import Drain
from bise.serve.http_server import HttpServer
from bise.serve.judging import Judging
from bise.serve.keys import Key, KeyRing, add_key, digest_of, read_keys, revoke_key
from bise.serve.limits import Limits, with_sizes
from bise.serve.loading import (
    LoadedModel,
    OpenModel,
    best_dtype,
    load_model,
    locate_weights,
    open_model,
    read_tokenizer,
)
from bise.serve.picture_urls import PictureFetching
from bise.serve.served import Manners, Served, serve_model, within
from bise.serve.talk import Ask, DeadlinePassed, PreparedAsk, Talk, Talker, Usage
from bise.serve.tracing import OtelTracer

__all__ = [
    "AccessLog",
    "Ask",
    "DeadlinePassed",
    "Drain",
    "HttpServer",
    "Judging",
    "Key",
    "KeyRing",
    "Ledger",
    "Limits",
    "LoadedModel",
    "Manners",
    "OpenModel",
    "OtelTracer",
    "PictureFetching",
    "PreparedAsk",
    "Served",
    "Talk",
    "Talker",
    "Usage",
    "add_key",
    "best_dtype",
    "create_app",
    "digest_of",
    "load_model",
    "locate_weights",
    "open_model",
    "read_keys",
    "read_tokenizer",
    "revoke_key",
    "serve_model",
    "usage_file",
    "with_sizes",
    "within",
]
