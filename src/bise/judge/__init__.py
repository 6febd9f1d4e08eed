"""Says whether a Lean proof is one, trusting nobody."""

from bise.judge.axioms import STANDARD_AXIOMS, axioms, reachable
from bise.judge.backend import (
    Compiled,
    Identity,
    LeanBackend,
    NeedsNative,
    NoLean,
    Replayed,
)
from bise.judge.challenge import Unusable
from bise.judge.compare import Rejected
from bise.judge.constants import Constant, Rule
from bise.judge.encode import encode_module
from bise.judge.extensions import (
    Position,
    Range,
    Replacement,
    csimp,
    declaration_ranges,
    extern,
    implemented_by,
    noncomputable,
    original_kinds,
)
from bise.judge.install import Installation, install, installed, lean_home
from bise.judge.messages import Message
from bise.judge.native import NativeLean
from bise.judge.olean import Import, Module, read_module
from bise.judge.pool import PoolLimits, WarmPool
from bise.judge.region import BadOlean, Header, Region
from bise.judge.report import Verdict
from bise.judge.runlog import check_log
from bise.judge.sandbox import Limits, NoWall, Ran, run
from bise.judge.terms import Name, Terms, show_name
from bise.judge.verdict import Request, refusal, verify
from bise.judge.warm import Checked, Goal
from bise.judge.wasm import WasmLean

__all__ = [
    "STANDARD_AXIOMS",
    "BadOlean",
    "Checked",
    "Compiled",
    "Constant",
    "Goal",
    "Header",
    "Identity",
    "Import",
    "Installation",
    "LeanBackend",
    "Limits",
    "Message",
    "Module",
    "Name",
    "NativeLean",
    "NeedsNative",
    "NoLean",
    "NoWall",
    "PoolLimits",
    "Position",
    "Ran",
    "Range",
    "Region",
    "Rejected",
    "Replacement",
    "Replayed",
    "Request",
    "Rule",
    "Terms",
    "Unusable",
    "Verdict",
    "WarmPool",
    "WasmLean",
    "axioms",
    "check_log",
    "csimp",
    "declaration_ranges",
    "encode_module",
    "extern",
    "implemented_by",
    "install",
    "installed",
    "lean_home",
    "noncomputable",
    "original_kinds",
    "reachable",
    "read_module",
    "refusal",
    "run",
    "show_name",
    "verify",
]
