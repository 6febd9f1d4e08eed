"""Every case is judged right: from recorded files always, with Lean where there is one."""

import json
import time
from pathlib import Path

import pytest
from recorded import (
    CASES,
    PROBLEMS,
    RecordedLean,
    archive,
    challenge_of,
    digest,
    expected,
    index,
    read,
    request_of,
    submission_of,
)

from bise.judge import Request, Verdict, WasmLean, verify
from bise.judge.backend import NoLean

LAB = Path(__file__).parents[2] / "lab" / "judge" / "cases.json"
ONE_A_FAMILY = (
    "honest/without_the_where_lemma",
    "gap/behind_a_macro",
    "axiom/with_a_look_alike_name",
    "compiler/native_decide_of_something_false",
    "kernel/switched_off",
    "elaboration/ends_early",
    "meaning/notation",
    "replaced/function",
    "statement/added_hypothesis",
    "imports/one_more",
    "hole/implemented_by",
    "endless/printing",
    "unusable/partial_hole",
)
PROBLEM_INDEX = json.loads((PROBLEMS / "index.json").read_text())["problems"]
CHALLENGES = [one for one in sorted(PROBLEMS.glob("*.lean")) if ".examples" not in one.stem]
"""The others are what their definitions must do, and nothing alone."""

RECORDED_PROBLEMS = [
    path
    for path in sorted(PROBLEMS.glob("*.lean"))
    if f"{digest(read(path))}/how.json" in archive()
]
RECORDED = [case for case, about in index().items() if not about.get("live")]


def judged(case: str, lean=RecordedLean, **more) -> Verdict:
    return verify(request_of(case, **more), lean)


def is_installed() -> bool:
    try:
        WasmLean()
    except NoLean:
        return False
    return True


@pytest.mark.parametrize("case", RECORDED)
def test_a_case_is_judged_right_from_what_lean_made_of_it(case):
    """The kernel is not asked here: what only it can find out comes through."""
    verdict, (outcome, reasons) = judged(case), expected(case)
    if reasons == ["kernel_refused"]:
        outcome, reasons = "accepted", [""]
    assert verdict.verdict == outcome and verdict.reason in reasons, verdict.message
    assert verdict.exit_code == {"accepted": 0, "rejected": 1, "unusable": 2}[verdict.verdict]
    assert bool(verdict.message) != verdict.is_accepted


def test_the_set_is_as_large_as_it_should_be():
    """At least two cases a family, and as many honest ones as a family has cheats."""
    families: dict[str, int] = {}
    for case in index():
        families[case.partition("/")[0]] = families.get(case.partition("/")[0], 0) + 1
    assert min(families.values()) >= 2 and sum(families.values()) >= 60
    assert families["honest"] >= 20
    assert {case.partition("/")[0] for case in ONE_A_FAMILY} == set(families)


def test_every_file_of_the_set_is_used():
    used = {f"{case}.lean" for case in index()}
    used |= {f"challenges/{about['challenge']}.lean" for about in index().values()}
    there = {str(path.relative_to(CASES)) for path in CASES.rglob("*.lean")}
    assert there <= used


def test_a_challenge_is_no_proof_of_itself():
    for case in RECORDED:
        if index()[case]["verdict"] != "accepted" or "disproves" in index()[case]:
            continue
        source = challenge_of(case)
        verdict = verify(Request(challenge=source, submission=source), RecordedLean)
        assert (verdict.verdict, verdict.reason) == ("rejected", "forbidden_axiom"), case


def check_that_it_does_not_prove_itself(problem: Path, lean) -> None:
    """It can be judged by, with the targets and holes that its index names."""
    source = read(problem)
    verdict = verify(Request(challenge=source, submission=source), lean)
    assert (verdict.verdict, verdict.reason) == ("rejected", "forbidden_axiom")
    (entry,) = (one for one in PROBLEM_INDEX if one["file"] == problem.name)
    assert sorted(verdict.targets) == sorted(entry["theorems"])
    assert sorted(verdict.holes) == sorted(entry["definition_holes"])


@pytest.mark.parametrize("problem", RECORDED_PROBLEMS, ids=lambda path: path.stem)
def test_no_problem_proves_itself(problem):
    check_that_it_does_not_prove_itself(problem, RecordedLean)


def test_problems_were_recorded():
    assert len(RECORDED_PROBLEMS) >= 12


@pytest.mark.full
@pytest.mark.skipif(not is_installed(), reason="Lean is not installed: `bise prove setup`")
@pytest.mark.parametrize("problem", CHALLENGES, ids=lambda path: path.stem)
def test_no_problem_proves_itself_to_lean(problem):
    check_that_it_does_not_prove_itself(problem, WasmLean)


def test_a_submission_is_judged_by_its_own_challenge_only():
    """Proofs of one challenge prove no other one."""
    honest = [case for case in RECORDED if case.startswith("honest/")]
    for case in honest:
        for other in ("wrong", "choose"):
            source = (CASES / "challenges" / f"{other}.lean").read_text()
            request = Request(challenge=source, submission=submission_of(case))
            assert verify(request, RecordedLean).verdict == "rejected", (case, other)


@pytest.mark.slow
@pytest.mark.skipif(not is_installed(), reason="Lean is not installed: `bise prove setup`")
@pytest.mark.parametrize("case", ONE_A_FAMILY)
def test_one_case_of_each_family_with_lean(case, tmp_path_factory):
    cache = tmp_path_factory.getbasetemp() / "challenges"
    outcome, reasons = expected(case)
    timeout_s = 15 if case.startswith("endless/") else 60
    verdict = verify(request_of(case, timeout_s=timeout_s), cache=cache)
    assert verdict.verdict == outcome and verdict.reason in reasons, verdict.message


@pytest.mark.full
@pytest.mark.skipif(not is_installed(), reason="Lean is not installed: `bise prove setup`")
def test_every_case_with_lean(tmp_path):
    """Goes on where it was broken off, unless the judge has changed; the result is kept in lab/."""
    held = json.loads(LAB.read_text()) if LAB.is_file() else {}
    wrong = []
    for case in index():
        request, (outcome, reasons) = request_of(case, timeout_s=60), expected(case)
        before = held.get(case, {})
        if before.get("hashes") != bound(request):
            start = time.monotonic()
            verdict = verify(request, cache=tmp_path)
            held[case] = {
                "verdict": verdict.verdict,
                "reason": verdict.reason,
                "seconds": round(time.monotonic() - start, 1),
                "hashes": bound(request),
            }
            LAB.parent.mkdir(parents=True, exist_ok=True)
            LAB.write_text(json.dumps(held, indent=1) + "\n")
        told = held[case]["verdict"], held[case]["reason"]
        if told[0] != outcome or told[1] not in reasons:
            wrong.append((case, *told))
    assert not wrong


def bound(request: Request) -> list[str]:
    """What a result depends on: both sources and the judge."""
    from bise.judge.verdict import checker_hash, digest

    return [digest(request.challenge)[:16], digest(request.submission)[:16], checker_hash()[:16]]
