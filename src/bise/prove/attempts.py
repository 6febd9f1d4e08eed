"""Whole files from a model, several at once: each is checked, and repaired on what Lean says."""

import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from bise.judge import Verdict
from bise.judge.pool import WarmPool
from bise.prove import prompts
from bise.prove.budget import Budget, Spent
from bise.prove.conversation import Conversation
from bise.prove.endpoint import Endpoint, ModelFailed
from bise.prove.feedback import feedback
from bise.prove.runlog import RunLog
from bise.prove.workspace import Protected, Workspace

BLOCK = re.compile(r"```(?:lean4?|)[ \t]*\n(.*?)```", re.DOTALL)
REPAIRS = 2
"""Times an attempt may be repaired; two failures at one place mean: begin anew."""


@dataclass(kw_only=True, slots=True)
class Attempt:
    """One independent try."""

    number: int
    text: str = ""
    verdict: Verdict | None = None
    compiles: bool = False
    """Whether Lean was content: if the judge was not, that is what the difference is for."""

    fault: str = ""
    num_rounds: int = 0
    is_lost: bool = False
    """Whether the model's server failed before there was an answer: that says nothing of a model.
    """


@dataclass(kw_only=True, slots=True)
class Tries:
    """Everything attempts share."""

    challenge: str
    endpoint: Endpoint
    pool: WarmPool
    judge: Callable[[Workspace], Verdict]
    budget: Budget
    log: RunLog
    disproves: bool = False
    """Whether the negation of the one target is wanted."""

    stops_early: bool = True
    """Whether the first accepted one ends the others; off to measure how many are right."""


def attempt_many(tries: Tries, count: int, *, at_once: int = 4) -> list[Attempt]:
    """Independent attempts, in the order they ended. `Spent` ends those that are not done yet."""
    done = threading.Event()
    ended = list[Attempt]()
    with ThreadPoolExecutor(min(count, at_once), "bise-attempt") as threads:
        coming = [threads.submit(_attempt, tries, number, done) for number in range(count)]
        for one in as_completed(coming):
            attempt = one.result()
            if attempt is None:
                continue
            ended.append(attempt)
            if attempt.verdict is not None and attempt.verdict.is_accepted and tries.stops_early:
                done.set()
    return ended


def _attempt(tries: Tries, number: int, done: threading.Event) -> Attempt | None:
    """One attempt; None if it was not even begun."""
    if done.is_set():
        return None
    attempt = Attempt(number=number)
    try:
        _go(tries, attempt, done)
    except Spent as spent:
        attempt.fault = str(spent)
    except ModelFailed as fault:
        attempt.fault = fault.message
        attempt.is_lost = attempt.num_rounds == 0
    words = attempt.verdict.verdict if attempt.verdict is not None else attempt.fault
    tries.log.tell("tried", f"attempt {number + 1}: {words}", number=number)
    return attempt


def _go(tries: Tries, attempt: Attempt, done: threading.Event) -> None:
    work = Workspace(tries.challenge)
    ask = f"```lean\n{tries.challenge}\n```\n\n{prompts.WHOLE_FILE}"
    if tries.disproves and (name := work.sole_target) is not None:
        work.begin_disproof(name)
        last = f"not_{name.split('.')[-1]}"
        ask += f"\n\n{prompts.DISPROVE.format(name=name, negation=last)}"
    talk = Conversation(
        [{"role": "system", "content": prompts.SYSTEM}, {"role": "user", "content": ask}]
    )
    for _ in range(1 + REPAIRS):
        if done.is_set():
            attempt.fault = "another attempt was faster"
            return
        answer = talk.ask(tries.endpoint, tries.budget, seed=None)
        tries.log.tell("call", f"attempt {attempt.number + 1}", **answer.usage.as_json())
        attempt.num_rounds += 1
        report = _put(work, answer.text)
        if not report:
            tries.budget.check()
            checked = tries.pool.check(work.text)
            tries.budget.checked(checked.cpu_s)
            attempt.text = work.text
            if checked.seems_done or (work.disproves and not checked.has_errors):
                attempt.compiles = True
                attempt.verdict = tries.judge(work)
                if attempt.verdict.is_accepted:
                    return
                report = f"the judge rejects it: {attempt.verdict.message}"
            else:
                report = feedback(checked)
        attempt.fault = report.split("\n")[0]
        talk.say("user", prompts.REPAIR.format(feedback=report))


def _put(work: Workspace, answer: str) -> str:
    """Take the file from an answer; says what is wrong with it, nothing if all is well."""
    found = blocks_of(answer)
    if not found:
        return "no block with a file in the answer"
    try:
        work.replace(found[-1])
    except Protected as fault:
        return f"{fault.message}; {fault.hint}"
    if work.gaps and not work.disproves:
        return f"`sorry` is still there, in line {work.gaps[0].line}"
    return ""


def blocks_of(answer: str) -> Sequence[str]:
    """The code blocks of an answer."""
    return [one.strip("\n") + "\n" for one in BLOCK.findall(answer)]
