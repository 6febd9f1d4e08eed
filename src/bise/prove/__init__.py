"""Searches for Lean proofs, and calls proved only what the judge accepted."""

from bise.prove.budget import Budget, Price, Spent, Usage
from bise.prove.certificate import check_certificate, write_certificate
from bise.prove.endpoint import Endpoint, ModelFailed
from bise.prove.hand import Hand
from bise.prove.premises import Premises, open_premises
from bise.prove.problems import Problem, load_problems
from bise.prove.runlog import Event, RunLog
from bise.prove.search import Found, Plan, Search
from bise.prove.suggest import ModelSuggester, Suggester
from bise.prove.tools import Tools
from bise.prove.workspace import Protected, Workspace

__all__ = [
    "Budget",
    "Endpoint",
    "Event",
    "Found",
    "Hand",
    "ModelFailed",
    "ModelSuggester",
    "Plan",
    "Premises",
    "Price",
    "Problem",
    "Protected",
    "RunLog",
    "Search",
    "Spent",
    "Suggester",
    "Tools",
    "Usage",
    "Workspace",
    "check_certificate",
    "load_problems",
    "open_premises",
    "write_certificate",
]
