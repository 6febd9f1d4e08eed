"""What premise search leans on beforehand: weights, likely places, words and what they stand for.

The numbers were chosen with `lab/prove/premises.py`, and are good within wide limits.
"""

from pathlib import Path

SYNONYMS = {
    "addition": "add",
    "sum": "add",
    "plus": "add",
    "subtraction": "sub",
    "minus": "sub",
    "multiplication": "mul",
    "times": "mul",
    "product": "mul",
    "division": "div",
    "divides": "dvd",
    "divisible": "dvd",
    "remainder": "mod",
    "modulo": "mod",
    "power": "pow",
    "commutative": "comm",
    "commutativity": "comm",
    "commutes": "comm",
    "associative": "assoc",
    "associativity": "assoc",
    "distributive": "distrib",
    "distributes": "distrib",
    "transitive": "trans",
    "transitivity": "trans",
    "symmetric": "symm",
    "reflexive": "refl",
    "injective": "inj",
    "membership": "mem",
    "member": "mem",
    "element": "mem",
    "concatenation": "append",
    "successor": "succ",
    "less": "lt",
    "equal": "eq",
    "equals": "eq",
    "size": "length",
    "reversed": "reverse",
    "sorted": "pairwise",
    "permutation": "perm",
    "negation": "not",
    "conjunction": "and",
    "disjunction": "or",
    "existential": "exists",
}
"""What people say, and what names in the library say instead."""

PRIORS = (
    (("Init.Grind", "Init.Omega", "Init.Internal", "Init.Meta", "Init.Tactics"), 0.35),
    (("Init.Data.List", "Init.Data.Nat", "Init.Core", "Init.Prelude"), 1.0),
    (("Init.SimpLemmas", "Init.PropLemmas", "Init.ByCases", "Init.Classical"), 1.0),
    (("Init.Data.Int", "Init.Data.Option", "Init.Data.Bool", "Init.WF", "Init.Data.Prod"), 0.97),
    (("Init.Data.Array", "Init.Data.String", "Init.Data.Fin", "Init.Data.Char"), 0.92),
    (("Init",), 0.85),
    (("Std.Data",), 0.75),
    (("Std",), 0.5),
    (("Lean", "Lake"), 0.3),
)
"""How near to everyday mathematics a part of the library is: the first that fits counts."""

SHORT = {
    "some": "Option.some",
    "none": "Option.none",
    "true": "Bool.true",
    "false": "Bool.false",
    "||": "Bool.or",
    "&&": "Bool.and",
}
NUMBERS = {"Nat", "Int", "Fin", "Rat", "UInt8", "UInt16", "UInt32", "UInt64", "BitVec"}

WEIGHTS = {"c": 1.0, "p": 0.5, "h": 0.5, "n": 0.0, "t": 0.0}
"""What kinds of features count in a comparison with a goal."""

UNSEEN = {f"c:{one}" for one in ("Decidable", "DecidableEq", "DecidablePred", "DecidableRel")}
"""What no goal shows in print."""

WORKHORSES = Path(__file__).with_name("workhorses.txt")
WORKHORSE = 3.0
"""How much likelier those are wanted than others that fit as well."""

EXPECTED = {
    "List": ("List.cons", "List.nil", "List.length", "Membership.mem", "HAppend.hAppend"),
    "Nat": ("HAdd.hAdd", "LE.le", "LT.lt", "Nat.succ"),
    "Int": ("HAdd.hAdd", "LE.le", "LT.lt"),
    "Bool": ("Bool.true", "Bool.false"),
    "Option": ("Option.some", "Option.none"),
}
"""What is in sight as soon as a proof takes something of a type apart."""

UNKNOWN = ("c:ite", "c:dite", "c:Not", "p:Eq>ite", "h:Eq ite")
"""Features of what functions do that nothing is known of."""

TYPED, GIVEN, BEHIND, COMING = 0.5, 0.7, 0.6, 0.3
"""What a feature counts that has a type beside it; what one counts within assumptions, within
definitions, and where it is only to be expected. One of the goal itself counts 1."""

GOAL_SLACK, GOAL_SUM, GOAL_SHARE, KIN = 1.0, 0.25, 1.0, 0.5
"""Chosen by `lab/prove/premises.py`: statements are not punished for less than the slack; how much
what is shared counts by itself, and as a share of the statement; what kinship takes off."""

OF_KIND = {"theorem": 1.0, "axiom": 0.9, "inductive": 0.8, "definition": 0.75, "constructor": 0.6}


def workhorses() -> list[str]:
    """Theorems that proofs rest on again and again."""
    lines = WORKHORSES.read_text(encoding="utf-8").splitlines()
    return [name for line in lines if not line.startswith("#") for name in line.split()]


def prior_of(module: str) -> float:
    """How likely something from a module is wanted."""
    for parts, value in PRIORS:
        if any(module == one or module.startswith(f"{one}.") for one in parts):
            return value
    return 0.3
