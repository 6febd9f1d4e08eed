"""Text of ids as they come, outside any chat: markers are left out, and nothing is told apart."""

from codecs import getincrementaldecoder
from collections.abc import Iterable
from typing import Literal

from bise.text import Delta, Tekken


class PlainDecoder:
    """What `ReplyDecoder` is to a conversation, this is to a bare text."""

    def __init__(self, tekken: Tekken):
        self.tekken = tekken
        self.state: Literal["answer", "done"] = "answer"
        self.is_cut_in_thinking = False
        self._characters = getincrementaldecoder("utf-8")("replace")

    def feed(self, ids: Iterable[int]) -> list[Delta]:
        """Take the next ids; half a character waits for its rest."""
        return self._show(b"".join(map(self.tekken.token_bytes, ids)))

    def finish(self) -> list[Delta]:
        """Say that no more ids come; gives what was held back."""
        self.state = "done"
        return self._show(b"", final=True)

    def _show(self, data: bytes, *, final: bool = False) -> list[Delta]:
        text = self._characters.decode(data, final=final)
        return [Delta("answer", text)] if text else []
