"""A model at work on a file with the few tools: look, edit, check, verify, until the judge accepts.

When checks bring no progress the strategy is changed by force: first with a list of what failed,
then by a sketch whose lemmas are worked on one by one, at last by trying the negation. A long
conversation is cut to the file as it stands and the memory of failures. All of that is state, kept
after every turn: a run that was killed goes on where it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bise.judge import Verdict
from bise.judge.extensions import Position
from bise.judge.warm import Checked
from bise.prove import prompts
from bise.prove.budget import Budget
from bise.prove.conversation import Conversation
from bise.prove.endpoint import Answer, Endpoint, ModelFailed
from bise.prove.feedback import feedback, progress_of, shorten
from bise.prove.portfolio import sweep
from bise.prove.runlog import RunLog
from bise.prove.tools import Tools

COMPACT_TOKENS = 168_000
MOST_TURNS = 400
MOST_SILENT = 3
"""Answers in a row that use no tool."""

PATIENCE = 5
"""Checks without progress until the strategy has to change, each time."""

SWEEP_CPU_S = 20.0
"""For automation on the gaps of a sketch."""

LONGEST_MEMORY = 12
LONGEST_NOTE = 400

Ending = Literal["accepted", "disproved", "stalled", "silent", "turns", "model"]


@dataclass(kw_only=True)
class State:
    """Where an agent is; plain values, so that it can be written down."""

    text: str
    messages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    focus: str = ""
    """The declaration worked on alone, while a sketch is being filled."""

    memory: list[str] = field(default_factory=list[str])
    """What has failed, the latest last."""

    best: list[int] | None = None
    """The fewest errors and gaps seen since the strategy last changed."""

    num_stalled: int = 0
    num_forced: int = 0
    """Times the strategy was changed by force."""

    num_silent: int = 0
    num_turns: int = 0
    num_compacted: int = 0
    num_sketches: int = 0
    is_disproving: bool = False
    is_sketching: bool = False


@dataclass(kw_only=True)
class Agent:
    """One attempt by tools."""

    tools: Tools
    endpoint: Endpoint
    budget: Budget
    log: RunLog
    state: State
    compact_tokens: int = COMPACT_TOKENS
    disproves: bool = True
    """Whether the negation may be tried."""

    _talk: Conversation = field(init=False)

    def __post_init__(self) -> None:
        self.tools.work.text = self.state.text
        if not self.state.messages:
            self._begin_talk(self._task())
        else:
            self._talk = Conversation(self.state.messages, self.tools.functions)

    @classmethod
    def resumed(cls, saved: Mapping[str, Any], **rest: Any) -> "Agent":
        """As it was when its state was saved."""
        return cls(state=State(**saved), **rest)

    def run(self) -> tuple[Ending, Verdict | None]:
        """Work until it is proved, or nothing more is to be hoped for. Raises `Spent`."""
        state = self.state
        while state.num_turns < MOST_TURNS:
            self._compact()
            try:
                answer = self._talk.ask(self.endpoint, self.budget)
            except ModelFailed as fault:
                self.log.tell("stage", fault.message)
                return "model", None
            state.num_turns += 1
            self._note_call(answer)
            ending = self._use(answer) if answer.calls else self._nudge()
            self._save()
            if ending is not None:
                return ending, self.tools.verdict
        return "turns", None

    def _use(self, answer: Answer) -> Ending | None:
        """Do what the model asks for; says if that was the end."""
        self.state.num_silent = 0
        for call in answer.calls:
            report = self.tools.use(call.name, call.arguments)
            self.log.tell("tool", f"{call.name}: {_line(report)}", tool=call.name)
            self._talk.say("tool", report, tool_call_id=call.id, name=call.name)
            verdict = self.tools.verdict
            if verdict is not None and verdict.is_accepted:
                return "disproved" if verdict.disproved else "accepted"
            if call.name in ("check", "verify") and self.tools.checked is not None:
                ending = self._mind_progress(self.tools.checked)
                if ending is not None:
                    return ending
        return None

    def _nudge(self) -> Ending | None:
        """An answer without a tool."""
        self.state.num_silent += 1
        if self.state.num_silent >= MOST_SILENT:
            return "silent"
        self._talk.say("user", prompts.NO_TOOL)
        return None

    def _mind_progress(self, checked: Checked) -> Ending | None:
        """See whether this check was better than those before; change the strategy if not."""
        state = self.state
        errors, gaps = progress_of(checked)
        self.log.tell("check", f"{errors} errors, {gaps} gaps", errors=errors, gaps=gaps)
        if state.is_sketching and errors == 0 and gaps > 0:
            self._fill_sketch()
            return None
        if state.focus and errors == 0 and not self._is_open(state.focus):
            self._next_focus()
            return None
        if errors:
            self._remember(checked)
        if state.best is None or [errors, gaps] < state.best:
            state.best, state.num_stalled = [errors, gaps], 0
            return None
        state.num_stalled += 1
        if state.num_stalled < PATIENCE:
            return None
        return self._force()

    def _force(self) -> Ending | None:
        """Another strategy: what failed, then a sketch, then the negation; after that, the end."""
        state = self.state
        state.num_forced += 1
        state.num_stalled, state.best = 0, None
        words = {1: "another strategy", 2: "a sketch", 3: "the negation"}
        step = state.num_forced
        if step == 3 and not self._can_disprove():
            step = 4
        if step > 3:
            return "stalled"
        self.log.tell("stalled", words[step])
        if step == 1:
            memory = self._memory()
            self._talk.say("user", prompts.STALLED.format(count=PATIENCE, memory=memory))
        elif step == 2:
            state.is_sketching = True
            self._talk.say("user", prompts.SKETCH)
        else:
            self._begin_disproof()
        return None

    def _fill_sketch(self) -> None:
        """A sketch stands: automation takes what it can, the rest is worked on one by one."""
        state = self.state
        state.is_sketching = False
        state.num_sketches += 1
        work = self.tools.work
        self.log.tell("sketch", f"{len(work.gaps)} lemmas to prove", gaps=len(work.gaps))
        swept = sweep(work, self.tools.pool, self.budget, cpu_s=SWEEP_CPU_S)
        for one in swept.closed:
            self.log.tell("closed", f"{one.name}: {_line(one.script)}", name=one.name)
        state.num_forced = 0
        self._next_focus()

    def _next_focus(self) -> None:
        """Begin with the next open declaration, in a conversation of its own."""
        state, source = self.state, self.tools.work.source
        state.best, state.num_stalled = None, 0
        if not source.gaps:
            state.focus = ""
            self._begin_talk(self._task() + "\n\nEverything is filled: check, then verify.")
            return
        gap = source.gaps[0]
        declaration = source.declaration_at(gap.start)
        state.focus = source.qualified(declaration) if declaration is not None else ""
        self.budget.check()
        goals = self.tools.pool.goals(source.text, Position(gap.line, gap.column))
        self.log.tell("focus", f"{state.focus}, line {gap.line}", name=state.focus)
        words = prompts.FOCUS.format(
            name=state.focus or "the gap",
            line=gap.line,
            goal="\n\n".join(one.text for one in goals[:2]),
        )
        self._begin_talk(f"{self._task()}\n\n{words}")

    def _is_open(self, name: str) -> bool:
        source = self.tools.work.source
        found = (source.declaration_at(gap.start) for gap in source.gaps)
        return any(one is not None and source.qualified(one) == name for one in found)

    def _can_disprove(self) -> bool:
        work = self.tools.work
        return self.disproves and not self.state.is_disproving and work.sole_target is not None

    def _begin_disproof(self) -> None:
        work = self.tools.work
        name = work.sole_target
        assert name is not None
        self.state.is_disproving = True
        work.begin_disproof(name)
        words = prompts.DISPROVE.format(name=name, negation=f"not_{name.split('.')[-1]}")
        self._begin_talk(f"{self._task()}\n\n{words}")

    def _remember(self, checked: Checked) -> None:
        """A failure, so that it is not tried again after the conversation was cut."""
        note = shorten(feedback(checked), LONGEST_NOTE).replace("\n", " ")
        place = f"{self.state.focus}: " if self.state.focus else ""
        line = f"- {place}{note}"
        if line not in self.state.memory:
            self.state.memory.append(line)
        del self.state.memory[:-LONGEST_MEMORY]

    def _memory(self) -> str:
        return "\n".join(self.state.memory) or "- nothing yet"

    def _task(self) -> str:
        return f"The file:\n\n```lean\n{self.tools.work.text}\n```"

    def _begin_talk(self, words: str) -> None:
        """A new conversation, which begins with the file as it is."""
        messages = [
            {"role": "system", "content": f"{prompts.SYSTEM}\n\n{prompts.AGENT}"},
            {"role": "user", "content": words},
        ]
        self._talk = Conversation(messages, self.tools.functions)

    def _compact(self) -> None:
        """Cut a conversation that has become long to what matters."""
        is_fresh = len(self._talk.messages) <= 2  # nothing to be cut, however long the file
        if is_fresh or self._talk.num_tokens <= self.compact_tokens:
            return
        self.state.num_compacted += 1
        self.log.tell("compacted", f"at {self._talk.num_tokens:,} tokens at most")
        words = prompts.RESUMED.format(outline=self._task(), memory=self._memory())
        if self.state.focus:
            words += f"\n\nWork on `{self.state.focus}`."
        self._begin_talk(words)

    def _note_call(self, answer: Answer) -> None:
        usage = answer.usage
        self.log.tell(
            "call",
            _line(answer.text) or ", ".join(one.name for one in answer.calls) or "nothing said",
            **usage.as_json(),
        )

    def _save(self) -> None:
        self.state.text = self.tools.work.text
        self.state.messages = self._talk.messages
        self.log.save(
            {"agent": vars(self.state), "used": self.budget.used.as_json()}
            | {"disproves": list(self.tools.work.disproves)}
        )


def _line(text: str) -> str:
    return shorten(" ".join(text.split()), 160).replace("\n", " ")
