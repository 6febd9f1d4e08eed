"""Turns token ids into more token ids, for many requests at once."""

from bise.engine.core import Core, run_all
from bise.engine.engine import Engine, EngineFailed, QueueFull, Stream
from bise.engine.requests import (
    EngineStats,
    FinishReason,
    Request,
    Sampling,
    Step,
    TokenLogprobs,
)
from bise.engine.runner import ExactRunner, Runner, cache_room

__all__ = [
    "Core",
    "Engine",
    "EngineFailed",
    "EngineStats",
    "ExactRunner",
    "FinishReason",
    "QueueFull",
    "Request",
    "Runner",
    "Sampling",
    "Step",
    "Stream",
    "TokenLogprobs",
    "cache_room",
    "run_all",
]
