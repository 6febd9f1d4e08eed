"""The whole search for one file: automation first, then a model, and the judge has the last word.

Nothing is called proved here but what the judge accepted. A candidate that only compiles is worth
as much as none; how many there were is counted, since it measures cheating.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bise.errors import UserError
from bise.judge import Verdict
from bise.judge.pool import WarmPool
from bise.prove.agent import COMPACT_TOKENS, Agent, State
from bise.prove.attempts import Attempt, Tries, attempt_many
from bise.prove.budget import Budget, Spent, Usage
from bise.prove.endpoint import Endpoint
from bise.prove.feedback import shorten
from bise.prove.filling import Closed, Swept, Trial
from bise.prove.portfolio import Tried, sweep, sweep_deeper
from bise.prove.premises import Premises
from bise.prove.refute import refute
from bise.prove.runlog import Event, RunLog
from bise.prove.suggest import Suggester, walk
from bise.prove.tidy import tidy
from bise.prove.tools import Tools
from bise.prove.workspace import Workspace

Outcome = Literal["proved", "disproved", "open"]
Stage = Literal["portfolio", "refute", "explore", "tactics", "attempts", "agent"]
STAGES: tuple[Stage, ...] = ("portfolio", "refute", "explore", "tactics", "attempts", "agent")

FIRST_SHARE = 0.5
"""Of automation's CPU seconds, for scripts alone; what they leave is for what comes after."""

TIDY_CPU_S = 10.0
"""For taking out what a finished proof does not need."""


@dataclass(kw_only=True, slots=True)
class Plan:
    """How to search."""

    endpoint: Endpoint | None = None
    """None: automation only."""

    suggester: Suggester | None = None
    """What suggests tactics where automation is at its end."""

    stages: tuple[Stage, ...] = STAGES
    num_attempts: int = 8
    at_once: int = 4
    portfolio_cpu_s: float = 60.0
    compact_tokens: int = COMPACT_TOKENS


@dataclass(kw_only=True, slots=True)
class Found:
    """What a search came to."""

    outcome: Outcome
    text: str
    """The submission: whole if proved, as far as it got if open."""

    verdict: Verdict | None
    ended_by: str
    """`accepted`, `disproved`, the limit that was met, or why there was nothing more to try."""

    stage: str
    swept: Swept | None = None
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    num_compiled: int = 0
    """Candidates Lean was content with,"""

    num_rejected: int = 0
    """and of those the ones the judge was not."""

    used: Usage = field(default_factory=Usage)
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        swept = self.swept
        return {
            "outcome": self.outcome,
            "ended_by": self.ended_by,
            "stage": self.stage,
            "verdict": None if self.verdict is None else self.verdict.as_json(),
            "portfolio": None
            if swept is None
            else {
                "closed": {one.name: one.script for one in swept.closed},
                "open": swept.open,
                "tried": swept.num_tried,
                "cpu_s": round(swept.cpu_s, 3),
            },
            "attempts": len(self.attempts),
            "compiled": self.num_compiled,
            "rejected": self.num_rejected,
            "used": self.used.as_json(),
            "seconds": round(self.seconds, 3),
        }


class Search:
    """One file, one budget."""

    def __init__(
        self,
        work: Workspace,
        pool: WarmPool,
        judge: Callable[[Workspace], Verdict],
        premises: Callable[[], Premises],
        plan: Plan,
        budget: Budget,
        log: RunLog,
    ):
        """judge: the verdict on a workspace as it is; premises: read when first needed."""
        self.work, self.pool, self.plan, self.budget, self.log = work, pool, plan, budget, log
        self._premises = premises
        self._judge_plainly = judge
        self._done = list[str]()
        """Stages that have ended, and are not repeated when a run goes on."""

        self._tried: Tried = set()
        self._lemmas = list[str]()
        """That nobody had stated, put into the text."""

        self._found = Found(outcome="open", text=work.text, verdict=None, ended_by="", stage="")

    def run(self) -> Found:
        """Search; never raises for what a model, a file or Lean does."""
        found, saved = self._found, self.log.load()
        self.log.tell("began", f"{len(self.work.gaps)} gaps", gaps=len(self.work.gaps))
        try:
            if saved is not None:
                self._take_up(saved)
            if saved is not None and "agent" in saved:
                self._resume(saved)
            else:
                self._all_stages()
        except Spent as spent:
            found.ended_by = f"budget: {spent.limit}"
        found.used, found.seconds = self.budget.used, self.log.seconds
        found.text = self.work.text
        self.log.tell("ended", f"{found.outcome}: {found.ended_by}", **found.as_json())
        return found

    def _all_stages(self) -> None:
        plan = self.plan
        lacking = {"tactics"} if plan.suggester is None else set[Stage]()
        if plan.endpoint is None:
            lacking |= {"attempts", "agent"}
        steps = {
            "portfolio": self._portfolio,
            "refute": self._refute,
            "explore": self._explore,
            "tactics": self._tactics,
            "attempts": self._attempts,
            "agent": self._agent,
        }
        for stage in plan.stages:
            if stage in lacking or stage in self._done:
                continue
            self._found.stage = stage
            self.log.tell("stage", stage)
            steps[stage]()
            if self._found.outcome != "open":
                return
            self._done.append(stage)
            self._save()
        self._found.ended_by = self._found.ended_by or "nothing more to try"

    def _portfolio(self) -> None:
        share = FIRST_SHARE if "explore" in self.plan.stages else 1.0
        self._found.swept = sweep(
            self.work,
            self.pool,
            self.budget,
            cpu_s=self.plan.portfolio_cpu_s * share,
            told=self._closed,
            tried=self._tried,
        )
        self._accept_if_filled()

    def _explore(self) -> None:
        """With lemmas of the file and the library, in what automation has not used yet."""
        cpu_s = self.plan.portfolio_cpu_s - self.budget.used.check_cpu_s
        if not self._tried or cpu_s <= 0:  # nothing here that a lemma could be of use for
            return
        self._add(
            sweep_deeper(
                self.work,
                self.pool,
                self.budget,
                self._tried,
                self._premises,
                cpu_s=cpu_s,
                told=self._closed,
                explored=self._explored,
            )
        )
        self._accept_if_filled()

    def _accept_if_filled(self) -> None:
        if not self.work.gaps:
            self._tidy()
            self._accept(self._judge(self.work))

    def _tidy(self) -> None:
        """Lemmas that were found and are of no use go again."""
        left_s = self.plan.portfolio_cpu_s - self.budget.used.check_cpu_s
        swept = Swept()
        trial = Trial(self.pool, self.budget, swept, min(left_s, TIDY_CPU_S))
        if dropped := tidy(self.work, trial, self._lemmas):
            self.log.tell("explored", f"not needed: {', '.join(dropped)}", dropped=dropped)
            self._lemmas = [one for one in self._lemmas if one not in dropped]
        self._add(swept)

    def _add(self, swept: Swept) -> None:
        before = self._found.swept
        self._found.swept = swept if before is None else before.followed_by(swept)

    def _tactics(self) -> None:
        """A small model goes on where automation is at its end."""
        assert self.plan.suggester is not None, "the stage is left out without one"
        cpu_s = self.plan.portfolio_cpu_s
        try:
            self._add(
                walk(
                    self.work,
                    self.pool,
                    self.budget,
                    self.plan.suggester,
                    cpu_s=cpu_s,
                    told=self._closed,
                    asked=self._suggested,
                )
            )
        except UserError as fault:
            self.log.tell("suggested", f"no more: {fault.message}")
        self._accept_if_filled()

    def _suggested(self, goal: str, tactics: Sequence[str]) -> None:
        target = shorten(" ".join(goal.rpartition("⊢")[2].split()), 120)
        self.log.tell("suggested", f"{', '.join(tactics) or 'nothing'} for {target}")

    def _explored(self, lemmas: Sequence[str]) -> None:
        self.log.tell("explored", f"lemmas found: {', '.join(lemmas)}", names=list(lemmas))
        self._lemmas += lemmas
        self._save()

    def _closed(self, one: Closed) -> None:
        """A gap was filled: told, and kept."""
        words = " ".join(one.script.split())
        self.log.tell("closed", f"{one.name}: {words}", name=one.name, script=one.script)
        self._save()

    def _refute(self) -> None:
        if not self.work.gaps or self.work.text != self.work.challenge:
            return
        if refute(self.work, self.pool, self.budget):
            self._accept(self._judge(self.work))

    def _attempts(self) -> None:
        plan, endpoint = self.plan, self.plan.endpoint
        assert endpoint is not None, "stages with a model are left out without one"
        tries = Tries(
            challenge=self.work.challenge,
            endpoint=endpoint,
            pool=self.pool,
            judge=self._judge,
            budget=self.budget,
            log=self.log,
        )
        found = self._found
        self.log.watchers.append(self._keep_calls)
        try:
            found.attempts = attempt_many(tries, plan.num_attempts, at_once=plan.at_once)
        finally:
            self.log.watchers.remove(self._keep_calls)
        for one in found.attempts:
            if one.verdict is not None and one.verdict.is_accepted:
                self.work.replace(one.text)
                self._accept(one.verdict)
                return
        self.budget.need_time()

    def _keep_calls(self, event: Event) -> None:
        """What a call took counts even if this process is killed before the next stage."""
        if event.kind == "call":
            self._save()

    def _agent(self) -> None:
        self._run(Agent(state=State(text=self.work.text), **self._agent_parts()))

    def _take_up(self, saved: dict[str, Any]) -> None:
        """A run that was ended goes on: with its text, and what it has used counts."""
        try:
            disproves, used = tuple(saved["disproves"]), Usage(**saved["used"])
            text = str(saved.get("agent", saved)["text"])
            done, lemmas = list(saved.get("done", ())), list(saved.get("lemmas", ()))
            if "agent" in saved:
                State(**saved["agent"])
        except (KeyError, TypeError, AttributeError):
            raise UserError(
                f"the state in `{self.log.folder}` is not that of a run",
                hint="delete that folder to begin anew",
            ) from None
        self.work.disproves = disproves
        if not self.work.is_free and self.work.lost_in(text) is not None:
            raise UserError(
                f"the run in `{self.log.folder}` began with another challenge",
                hint="delete that folder to begin anew, or name another one",
            )
        self.work.text = text
        self._done, self._lemmas = done, lemmas
        self.budget.used.add(used)
        self.budget.before_s = self.log.before_s

    def _save(self) -> None:
        """Keep how far the stages before the agent got; that one keeps itself."""
        self.log.save(
            {
                "text": self.work.text,
                "disproves": list(self.work.disproves),
                "done": self._done,
                "lemmas": self._lemmas,
                "used": self.budget.used.as_json(),
            }
        )

    def _resume(self, saved: dict[str, Any]) -> None:
        """Go on with the agent of a run that was ended."""
        if self.plan.endpoint is None:
            raise UserError("this run needs its model to go on", hint="name it with --model")
        self._found.stage = "agent"
        self.log.tell("stage", "agent, resumed")
        self._run(Agent.resumed(saved["agent"], **self._agent_parts()))

    def _agent_parts(self) -> dict[str, Any]:
        tools = Tools(self.work, self.pool, self._premises(), self._judge, self.budget)
        return {
            "tools": tools,
            "endpoint": self.plan.endpoint,
            "budget": self.budget,
            "log": self.log,
            "compact_tokens": self.plan.compact_tokens,
        }

    def _run(self, agent: Agent) -> None:
        ending, verdict = agent.run()
        self._found.ended_by = ending
        if verdict is not None:
            self._accept(verdict)

    def _judge(self, work: Workspace) -> Verdict:
        """The judge's word on a candidate, counted."""
        self._found.num_compiled += 1
        verdict = self._judge_plainly(work)
        self._found.num_rejected += not verdict.is_accepted
        words = verdict.verdict if not verdict.reason else f"{verdict.verdict}: {verdict.reason}"
        self.log.tell("verdict", words, **verdict.as_json())
        return verdict

    def _accept(self, verdict: Verdict) -> None:
        """Close with a verdict, if it is one that proves something."""
        found = self._found
        found.verdict = verdict
        if verdict.is_accepted:
            found.outcome = "disproved" if verdict.disproved else "proved"
            found.ended_by = "disproved" if verdict.disproved else "accepted"
