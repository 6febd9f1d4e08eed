"""Says whether a Lean proof is one, trusting nobody."""

from bise.judge.axioms import STANDARD_AXIOMS, axioms, reachable
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
from bise.judge.olean import Import, Module, read_module
from bise.judge.region import BadOlean, Header, Region
from bise.judge.sandbox import Limits, NoWall, Ran, run
from bise.judge.terms import Name, Terms, show_name

__all__ = [
    "STANDARD_AXIOMS",
    "BadOlean",
    "Constant",
    "Header",
    "Import",
    "Limits",
    "Module",
    "Name",
    "NoWall",
    "Position",
    "Ran",
    "Range",
    "Region",
    "Replacement",
    "Rule",
    "Terms",
    "axioms",
    "csimp",
    "declaration_ranges",
    "encode_module",
    "extern",
    "implemented_by",
    "noncomputable",
    "original_kinds",
    "reachable",
    "read_module",
    "run",
    "show_name",
]
