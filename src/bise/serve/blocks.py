"""A reply as blocks of thinking, text and calls, each begun, gone on with and ended.

Some APIs speak of a reply like that, whole and as a stream of events; this is what they share.
"""

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from bise.serve.events import compact
from bise.serve.talk import Talk
from bise.text import Delta, ToolCall

BlockKind = Literal["thinking", "answer", "call"]


@dataclass(slots=True)
class Block:
    """One part of a reply, as far as it is written."""

    kind: BlockKind
    index: int
    text: str = ""
    """Of a call: its arguments."""

    call_id: str = ""
    name: str = ""
    call: ToolCall | None = None
    """The complete call; one that was cut off has none."""

    is_cut: bool = False
    """There was no room for the rest of it."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a block."""

    kind: Literal["begin", "piece", "end"]
    block: Block
    text: str = ""


@dataclass(slots=True)
class Blocks:
    """Takes the pieces of a reply as they come and says what happens to its blocks."""

    done: list[Block] = field(default_factory=list[Block])
    """All blocks that have ended."""

    current: Block | None = None

    def feed(self, deltas: Iterable[Delta]) -> Iterator[Event]:
        """Take the next pieces."""
        for delta in deltas:
            piece = delta.tool_call
            if piece is None:
                kind: BlockKind = "thinking" if delta.kind == "thinking" else "answer"
                yield from self._write(kind, delta.text)
            elif piece.name:
                yield from self._begin(Block("call", 0, call_id=piece.id, name=piece.name))
            elif piece.arguments:
                yield from self._write("call", piece.arguments)
            elif piece.call is not None and self.current is not None:
                self.current.call = piece.call
                yield from self.finish()

    def finish(self, *, is_cut: bool = False) -> Iterator[Event]:
        """End whatever is open."""
        if self.current is not None:
            block, self.current = self.current, None
            block.is_cut = is_cut
            self.done.append(block)
            yield Event("end", block)

    def _begin(self, block: Block) -> Iterator[Event]:
        yield from self.finish()
        block.index = len(self.done)
        self.current = block
        yield Event("begin", block)

    def _write(self, kind: BlockKind, text: str) -> Iterator[Event]:
        if self.current is None or self.current.kind != kind:
            yield from self._begin(Block(kind, 0))
        assert self.current is not None, "a block has begun"
        self.current.text += text
        yield Event("piece", self.current, text)


def blocks_of(talk: Talk, deltas: Iterable[Delta]) -> list[Block]:
    """The blocks of a whole reply; a call that was cut off is none of them."""
    blocks = Blocks()
    for _ in blocks.feed(deltas):
        pass
    for _ in blocks.finish(is_cut=talk.finish_reason == "length"):
        pass
    return [block for block in blocks.done if block.kind != "call" or block.call is not None]


class BlockForm(Protocol):
    """How an API tells of blocks: each thing told is an object whose `type` names the event."""

    def begin(self, talk: Talk) -> Sequence[dict[str, Any]]: ...

    def tell(self, event: Event) -> Sequence[dict[str, Any]]: ...

    def end(self, talk: Talk, blocks: Sequence[Block]) -> Sequence[dict[str, Any]]: ...


async def block_events(form: BlockForm, talk: Talk) -> AsyncGenerator[bytes, None]:
    """The events of a stream of one reply."""
    blocks, has_begun = Blocks(), False
    async with aclosing(talk.__aiter__()) as rounds:
        async for deltas in rounds:
            told: list[dict[str, Any]] = []
            if not has_begun:
                has_begun = True
                told += form.begin(talk)
            happened = list(blocks.feed(deltas))
            if talk.finish_reason is not None:
                happened += blocks.finish(is_cut=talk.finish_reason == "length")
            for event in happened:
                told += form.tell(event)
            if talk.finish_reason is not None:
                told += form.end(talk, blocks.done)
            if told:
                yield b"".join(map(named_event, told))


def named_event(value: dict[str, Any]) -> bytes:
    """One server-sent event with a name."""
    return f"event: {value['type']}\ndata: {compact(value)}\n\n".encode()
