"""Proofs that a challenge is false: of the negation of what was asked for.

The negation is made here from the compiled statement, never by whoever proves it. The proof of
`¬ statement` of a target `a.b` is a theorem `a.not_b`.
"""

from dataclasses import replace

from bise.judge.challenge import Challenge, Unusable
from bise.judge.compare import Comparison, Rejected, deep_recursion, refuse_shadows
from bise.judge.side import Side, other_form, shown
from bise.judge.terms import APPLY, CONSTANT, Name


def negation_name(name: Name) -> Name:
    """The theorem that disproves another one."""
    return (*name[:-1], f"not_{name[-1]}")


def check_disproofs(
    challenge: Challenge, submission: Side, wanted: tuple[str, ...]
) -> tuple[Name, ...]:
    """Find proofs of the negations of some targets; returns their names. Raises `Rejected`.

    A challenge with holes cannot be disproved: the statement depends on what fills them.
    """
    if challenge.holes:
        raise Unusable("disproof_with_holes", "a challenge with holes cannot be disproved")
    refuse_shadows(challenge, submission)
    known = {shown(name): name for name in challenge.targets}
    found = []
    with deep_recursion():
        for word in wanted:
            if word not in known:
                raise Unusable("no_such_target", f"the challenge has no target `{word}`")
            found.append(_check(challenge, submission, known[word]))
    return tuple(found)


def _check(challenge: Challenge, submission: Side, target: Name) -> Name:
    name = negation_name(target)
    terms = submission.terms
    given = submission.module.get(name) or submission.module.get(other_form(name))
    if given is None:
        raise Rejected("target_missing", f"there is no theorem `{shown(name)}`")
    if given.kind != "theorem":
        raise Rejected("target_kind", f"`{shown(name)}` is declared as {given.kind}")
    statement = challenge.side.module[target]
    negation = terms.expressions.add(
        APPLY, terms.expressions.add(CONSTANT, ("Not",), ()), statement.type
    )
    comparison = Comparison(challenge, submission)
    if not comparison.says(replace(statement, type=negation), given):
        raise Rejected("statement_differs", f"`{shown(name)}` is not the negation of the target")
    return given.name
