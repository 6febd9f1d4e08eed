"""Turns token ids into more token ids, for many requests at once."""

from bise.engine.bounds import Bounds
from bise.engine.core import Core, run_all
from bise.engine.engine import Engine, EngineClosed, EngineFailed, QueueFull
from bise.engine.grammars import Vocabulary
from bise.engine.requests import (
    EngineStats,
    FinishReason,
    Grammar,
    Request,
    Sampling,
    Step,
    TokenLogprobs,
)
from bise.engine.runner import ExactRunner, Runner, cache_room
from bise.engine.scripted import Script, ScriptedCore
from bise.engine.setup import (
    Backend,
    EngineConfig,
    freeze_heap,
    is_small,
    make_core,
    make_runner,
    open_network,
    use_threads_for,
    uses_core,
)
from bise.engine.streams import Stream
from bise.engine.supervised import EngineDown, Patience, SupervisedEngine
from bise.engine.wire import Plan

__all__ = [
    "Backend",
    "Bounds",
    "Core",
    "Engine",
    "EngineClosed",
    "EngineConfig",
    "EngineDown",
    "EngineFailed",
    "EngineStats",
    "ExactRunner",
    "FinishReason",
    "Grammar",
    "Patience",
    "Plan",
    "QueueFull",
    "Request",
    "Runner",
    "Sampling",
    "Script",
    "ScriptedCore",
    "Step",
    "Stream",
    "SupervisedEngine",
    "TokenLogprobs",
    "Vocabulary",
    "cache_room",
    "freeze_heap",
    "is_small",
    "make_core",
    "make_runner",
    "open_network",
    "run_all",
    "use_threads_for",
    "uses_core",
]
