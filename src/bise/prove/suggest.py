"""A small model of tactics beside automation: a goal in, ranked tactics out, searched best first.

Anything that suggests tactics for a goal plugs in here. Each suggestion is shown to Lean; what is
left to be shown afterwards is the next goal, and the likeliest way on is tried first. Only what
ends in no goal at all fills a gap.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

from bise.judge.pool import WarmPool
from bise.prove import prompts
from bise.prove.budget import Budget
from bise.prove.conversation import Conversation
from bise.prove.endpoint import Endpoint
from bise.prove.filling import Closed, Spot, Swept, Trial, fill_gaps
from bise.prove.source import GAP_WORD
from bise.prove.workspace import Workspace

WIDTH = 8
"""Tactics asked for at each goal."""

FINISHES = ("simp_all", "omega", "grind")
"""Tried after what is suggested: a model need not know when automation is enough."""

MOST_STATES = 64
"""Goals looked at for one gap,"""

DEEPEST = 16
"""and tactics one after another."""

STEP, RANK, GOAL = 1.0, 0.5, 0.5
"""What makes a way costly: each tactic, each place down in its ranking, each goal more."""

LONGEST_TACTIC = 400
MOST_TOKENS = 512
"""Of an answer."""

SAMPLES = 7
"""Further answers, drawn warm, of a model that gives one tactic at a time."""

MARK = re.compile(r"^\s*(?:[-*]\s+|\d+[.):]\s+)?`*(?P<tactic>.*?)`*\s*$")
FORBIDDEN = re.compile(rf"\b(?:{GAP_WORD}|admit|native_decide)\b")


class Suggester(Protocol):
    """Knows what to try at a goal."""

    def suggest(self, goal: str, count: int) -> Sequence[str]:
        """Up to `count` tactics for a goal as Lean prints it, the likeliest first.

        Raises `Spent` if the budget has no room for it, `UserError` if it cannot answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class ModelSuggester:
    """A model behind an address that speaks chat completions."""

    endpoint: Endpoint
    budget: Budget

    def suggest(self, goal: str, count: int) -> Sequence[str]:
        """As `Suggester`; a line of the answer is a tactic.

        A model that gives just one, as small ones are trained to, is asked again for others.
        """
        found = dict.fromkeys(self._answer(goal, count, temperature=0.0))
        if len(found) == 1:
            for _ in range(min(SAMPLES, count - 1)):
                found |= dict.fromkeys(self._answer(goal, count, temperature=1.0))
        return list(found)[:count]

    def _answer(self, goal: str, count: int, *, temperature: float) -> list[str]:
        talk = Conversation(
            [
                {"role": "system", "content": prompts.TACTICS.format(count=count)},
                {"role": "user", "content": goal},
            ]
        )
        answer = talk.ask(
            self.endpoint, self.budget, temperature=temperature, max_tokens=MOST_TOKENS
        )
        return tactics_of(answer.text)


def tactics_of(text: str) -> list[str]:
    """The tactics of an answer, a line each; numbers, bullets and quotes around them go."""
    found = list[str]()
    for line in text.splitlines():
        match = MARK.match(line)
        tactic = "" if match is None else match["tactic"].strip()
        is_fence = line.lstrip().startswith("```")
        if tactic and not is_fence and len(tactic) <= LONGEST_TACTIC:
            found.append(tactic)
    return [one for one in dict.fromkeys(found) if not FORBIDDEN.search(one)]


def walk(
    work: Workspace,
    pool: WarmPool,
    budget: Budget,
    suggester: Suggester,
    *,
    cpu_s: float = 60.0,
    told: Callable[[Closed], None] = lambda _: None,
    asked: Callable[[str, Sequence[str]], None] = lambda _goal, _tactics: None,
) -> Swept:
    """Fill what suggestions lead to; see `fill_gaps`. asked: hears of goals and suggestions."""

    def close(spot: Spot, trial: Trial) -> str | None:
        return _close(spot, trial, suggester, asked)

    return fill_gaps(work, pool, budget, close, cpu_s=cpu_s, told=told)


@dataclass(order=True, slots=True)
class _State:
    """A script so far, and the goals it leaves."""

    cost: float
    number: int
    """Of two that cost the same the older one goes first."""

    script: tuple[str, ...] = field(compare=False)
    goals: tuple[str, ...] = field(compare=False)


def _close(
    spot: Spot,
    trial: Trial,
    suggester: Suggester,
    asked: Callable[[str, Sequence[str]], None],
) -> str | None:
    """The first script found that leaves no goal, likely ways first."""
    trial.budget.check()
    goals = tuple(spot.goals(trial.pool))
    numbers = count()
    waiting, known = [_State(0.0, next(numbers), (), goals)], {goals}
    for _ in range(MOST_STATES):
        if not waiting or not waiting[0].goals or trial.is_over:
            return None
        state = heappop(waiting)
        suggested = suggester.suggest(state.goals[0], WIDTH)
        asked(state.goals[0], suggested)
        for rank, tactic in enumerate(dict.fromkeys([*suggested, *FINISHES])):
            if trial.is_over:
                return None
            script = (*state.script, tactic)
            left = spot.left("\n".join(script), trial)
            if left == ():
                return "\n".join(script)
            if left is None or left in known or len(script) >= DEEPEST:
                continue
            known.add(left)
            more = max(0, len(left) - len(state.goals))
            cost = state.cost + STEP + RANK * rank + GOAL * more
            heappush(waiting, _State(cost, next(numbers), script, left))
    return None
