"""What the model wrote, told apart while it writes: thinking, answer and tool calls.

A state machine over token ids. Markers are known by id alone, so the same words typed out as text
stay text. It forgives what models do wrong (a marker repeated, missing or in the wrong place) and
keeps a list of it, so that training can reward doing it right.
"""

import json
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from random import Random, SystemRandom
from string import ascii_letters, digits
from typing import Literal

from bise.text.messages import ToolCall
from bise.text.tekken import Tekken

CALL_ID_CHARS = 9
UNCLOSED = "thinking is not closed"

DeltaKind = Literal["thinking", "answer", "tool_call"]
State = Literal["answer", "thinking", "name", "arguments", "done"]


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a tool call. The first piece has the name, the last the complete call."""

    index: int
    """Which call of the reply, from 0."""

    id: str
    name: str = ""
    """The whole name, in the first piece only."""

    arguments: str = ""
    """The next characters of the arguments."""

    call: ToolCall | None = None
    """The complete call, in the last piece only. A call that was cut off has no last piece."""


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of a reply."""

    kind: DeltaKind
    text: str = ""
    tool_call: ToolCallDelta | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply."""

    text: str
    thinking: str
    tool_calls: tuple[ToolCall, ...]
    faults: tuple[str, ...] = ()
    """What the model did wrong in form, in plain words."""

    is_ended: bool = False
    """Whether the model ended its turn itself."""

    @property
    def is_well_formed(self) -> bool:
        """One thinking block at most, first, closed and not empty; proper calls; nothing stray."""
        return not self.faults

    @property
    def is_thinking_closed(self) -> bool:
        """Whether no thinking was left open; a reply that never thought has none."""
        return UNCLOSED not in self.faults


def random_call_id(rng: Random | None = None) -> str:
    """A new id for a call: nine letters and digits, as Mistral's API has them."""
    return "".join((rng or SystemRandom()).choices(ascii_letters + digits, k=CALL_ID_CHARS))


class ReplyDecoder:
    """Turns ids into pieces of a reply, as they come."""

    def __init__(
        self,
        tekken: Tekken,
        *,
        in_thinking: bool = False,
        new_call_id: Callable[[], str] = random_call_id,
    ):
        """`in_thinking` says that the prompt ended inside thinking (`Prompt.in_thinking`)."""
        self.tekken = tekken
        self.new_call_id = new_call_id
        self.faults: list[str] = []
        self.state: State = "thinking" if in_thinking else "answer"
        self.is_ended = False
        self.is_cut_in_thinking = False
        """Whether the reply ended in the middle of its thinking."""

        self._may_think = not in_thinking  # the block comes first and once
        self._is_think_empty = not in_thinking
        self._characters = getincrementaldecoder("utf-8")("replace")
        self._num_calls = 0
        self._call_id = self._name = ""
        self._arguments: list[str] = []
        self._deltas: list[Delta] = []

    def feed(self, ids: Iterable[int]) -> list[Delta]:
        """Take the next ids; gives what can be shown. Half a character waits for its rest."""
        special = self.tekken.special
        for token in ids:
            if self.state == "done":
                self.blame("tokens after the end")
            elif not self.tekken.is_control(token):
                self.write(self._characters.decode(self.tekken.token_bytes(token)))
            elif token == special.eos:
                self.is_ended = True
                self.close()
            elif token == special.think:
                self.open_thinking()
            elif token == special.end_think:
                self.close_thinking()
            elif token == special.calls:
                self.open_call()
            elif token == special.args and self.state == "name":
                self.open_arguments()
            else:
                self.blame(f"stray {self.tekken.markers[token]}")
        return self.take()

    def finish(self) -> list[Delta]:
        """Say that no more ids come; gives what was held back.

        A call that is cut off, so that its arguments are no JSON, is not completed.
        """
        if self.state != "done":
            self.close()
        return self.take()

    def close(self) -> None:
        """End whatever is open."""
        self.flush()
        if self.state == "thinking":
            self.is_cut_in_thinking = True
            self.blame(UNCLOSED)
        self.close_call(is_cut=not self.is_ended)
        self.state = "done"

    def write(self, text: str) -> None:
        """Append text to whatever is open."""
        if not text:
            return
        if self.state == "name":
            self.write_name(text)
        elif self.state == "arguments":
            self._arguments.append(text)
            self.emit_call(arguments=text)
        elif self.state == "thinking":
            self._is_think_empty = False
            self._deltas.append(Delta("thinking", text))
        elif self.state == "answer":
            self._may_think = False
            self._deltas.append(Delta("answer", text))

    def flush(self) -> None:
        """Give up on half a character: a marker has cut it, or the reply is over."""
        self.write(self._characters.decode(b"", final=True))

    def open_thinking(self) -> None:
        """Begin thinking. A second marker inside it changes nothing, nor does one in a call."""
        self.flush()
        if not self._may_think or self.state != "answer":
            self.blame("stray [THINK]")
        if self.state == "answer":
            self.state = "thinking"
            self._may_think = False
            self._is_think_empty = True

    def close_thinking(self) -> None:
        """End thinking, if there is any to end."""
        self.flush()
        if self.state != "thinking":
            self.blame("stray [/THINK]")
            return
        if self._is_think_empty:
            self.blame("thinking is empty")
        self.state = "answer"

    def open_call(self) -> None:
        """Begin a call, from thinking too; it ends the one before."""
        self.flush()
        if self.state == "thinking":
            self.blame(UNCLOSED)
        self.close_call(is_cut=False)
        self.state = "name"
        self._may_think = False
        self._call_id, self._name, self._arguments = self.new_call_id(), "", []

    def write_name(self, text: str) -> None:
        """Append to the name; a brace says that the marker before the arguments is missing."""
        name, brace, rest = text.partition("{")
        self._name += name
        if brace:
            self.blame("missing [ARGS]")
            self.begin_arguments()
            self.write(brace + rest)

    def open_arguments(self) -> None:
        """The marker between name and arguments."""
        self.flush()
        if self.state == "name":  # else the half character was a brace's
            self.begin_arguments()

    def begin_arguments(self) -> None:
        """The name is whole: show it."""
        self._name = self._name.strip()
        self.state = "arguments"
        self.emit_call(name=self._name)

    def close_call(self, *, is_cut: bool) -> None:
        """Complete the open call, if there is one and it was not cut off."""
        if self.state not in ("name", "arguments"):
            return
        is_proper = self._name.strip() != "" and is_json("".join(self._arguments))
        if not is_proper:
            self.blame("a call is cut off" if is_cut else "a call has no name or no JSON")
        if self.state == "name" and not is_cut and self._name.strip():
            self.begin_arguments()
        if self.state == "name" or (is_cut and not is_proper):
            return
        if not self._arguments:
            self.write("{}")
        arguments = "".join(self._arguments)
        self.emit_call(call=ToolCall(self._call_id, self._name, arguments))
        self._num_calls += 1

    def emit_call(
        self, *, name: str = "", arguments: str = "", call: ToolCall | None = None
    ) -> None:
        """Show a piece of the open call."""
        piece = ToolCallDelta(self._num_calls, self._call_id, name, arguments, call)
        self._deltas.append(Delta("tool_call", tool_call=piece))

    def blame(self, fault: str) -> None:
        """Note what the model did wrong."""
        if fault not in self.faults:
            self.faults.append(fault)

    def take(self) -> list[Delta]:
        """What has gathered since last time, neighbouring texts joined."""
        joined: list[Delta] = []
        for delta in self._deltas:
            last = joined[-1] if joined else None
            if last and last.kind == delta.kind and not delta.tool_call:
                joined[-1] = replace(last, text=last.text + delta.text)
            else:
                joined.append(delta)
        self._deltas = []
        return joined


def decode_reply(
    tekken: Tekken,
    ids: Iterable[int],
    *,
    in_thinking: bool = False,
    new_call_id: Callable[[], str] = random_call_id,
) -> Reply:
    """Decode a whole reply at once."""
    decoder = ReplyDecoder(tekken, in_thinking=in_thinking, new_call_id=new_call_id)
    return collect_reply(decoder, [*decoder.feed(ids), *decoder.finish()])


def collect_reply(decoder: ReplyDecoder, deltas: Iterable[Delta]) -> Reply:
    """Put a reply together from all that a finished decoder gave."""
    texts: dict[DeltaKind, list[str]] = {"answer": [], "thinking": [], "tool_call": []}
    calls: list[ToolCall] = []
    for delta in deltas:
        texts[delta.kind].append(delta.text)
        if delta.tool_call and delta.tool_call.call:
            calls.append(delta.tool_call.call)
    return Reply(
        text="".join(texts["answer"]),
        thinking="".join(texts["thinking"]),
        tool_calls=tuple(calls),
        faults=tuple(decoder.faults),
        is_ended=decoder.is_ended,
    )


def is_json(text: str) -> bool:
    """Whether text is JSON."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
