"""Text to token ids and back.

Tekken is byte-level BPE: a pattern cuts text into pieces, and inside a piece the pair of byte
strings with the lowest rank is joined until no pair is known. Any text can be written, and no text
can become a control token, because those are never in the table of merges.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import chain, groupby, pairwise
from pathlib import Path

import tiktoken

from bise.errors import BadRequest, NotFound, UserError
from bise.text.special import ControlIds, control_markers
from bise.text.tekken_file import (
    SPLIT_PATTERN,
    ImageSettings,
    TekkenFile,
    official_tekken,
    read_tekken,
    write_tekken,
)

FILE_NAME = "tekken.json"
MAX_BLANK = 500_000  # characters; near a million blanks in a row, tiktoken's regex engine dies
BLANK = re.compile(r"\s+")


class Tekken:
    """A vocabulary: plain text to ids, ids to bytes, and the ids of the control tokens."""

    def __init__(self, file: TekkenFile):
        self.markers = tuple(file.markers)
        self.num_special = len(self.markers)
        self.vocab_size = self.num_special + len(file.tokens)
        self.special = ControlIds.from_markers(self.markers)
        self.efforts = file.efforts
        self.default_effort = file.default_effort
        self.image = file.image
        self.pattern = file.pattern
        self._tokens = file.tokens
        ranks = {token: rank for rank, token in enumerate(file.tokens)}
        try:
            self._bpe = tiktoken.Encoding(
                "tekken", pat_str=file.pattern, mergeable_ranks=ranks, special_tokens={}
            )
        except ValueError as fault:
            raise UserError(f"the split pattern of the tokenizer is broken: {fault}") from None

    @classmethod
    def from_file(cls, path: str | Path) -> "Tekken":
        """Read a version 15 `tekken.json`."""
        return cls(read_tekken(Path(path)))

    @classmethod
    def official(cls) -> "Tekken":
        """The 131,072 ids of Mistral Small 4, from the installed mistral-common package."""
        return cls(official_tekken())

    @classmethod
    def from_folder(cls, folder: str | Path) -> "Tekken":
        """The tokenizer of a model's folder; a folder without one has the official one."""
        folder = Path(folder)
        if not folder.is_dir():
            raise NotFound(f"`{folder}` is no folder", hint="name the folder that holds the model")
        path = folder / FILE_NAME
        return cls.from_file(path) if path.exists() else cls.official()

    def encode(self, text: str) -> list[int]:
        """Token ids of plain text. Control tokens spelled out in it stay text."""
        ranks = chain.from_iterable(map(self._bpe.encode_ordinary, cut_blanks(text)))
        return [rank + self.num_special for rank in ranks]

    def is_control(self, token: int) -> bool:
        """Whether an id is a control token."""
        return self.check_id(token) < self.num_special

    def token_bytes(self, token: int) -> bytes:
        """The bytes a text token stands for; none for a control token."""
        rank = self.check_id(token) - self.num_special
        return self._tokens[rank] if rank >= 0 else b""

    def token_text(self, token: int) -> str:
        """One token for people: a control token by its name, half a character as U+FFFD."""
        return self.decode([token], show_control=True)

    def decode(self, ids: Iterable[int], *, show_control: bool = False) -> str:
        """The text of ids. Control tokens are left out, or written by name if asked for."""
        parts: list[str] = []
        for is_control, run in groupby(ids, self.is_control):
            if not is_control:
                parts.append(b"".join(map(self.token_bytes, run)).decode(errors="replace"))
            elif show_control:
                parts.extend(self.markers[token] for token in run)
        return "".join(parts)

    def check_id(self, token: int) -> int:
        """An id of this vocabulary, or a `BadRequest`."""
        if not 0 <= token < self.vocab_size:
            raise BadRequest(
                f"there is no token {token}", hint=f"ids run from 0 to {self.vocab_size - 1}"
            )
        return token


def cut_blanks(text: str) -> list[str]:
    """Text in pieces, cut only inside blanks longer than any tokenizer was ever meant to read."""
    if len(text) <= MAX_BLANK:
        return [text]
    cuts = [0, len(text)]
    for blank in BLANK.finditer(text):
        cuts += range(blank.start() + MAX_BLANK, blank.end(), MAX_BLANK)
    return [text[start:end] for start, end in pairwise(sorted(cuts))]


def save_tekken(
    path: str | Path,
    merges: Sequence[bytes],
    *,
    num_special: int = 128,
    pattern: str = SPLIT_PATTERN,
    efforts: tuple[str, ...] = ("none", "high"),
    default_effort: str = "none",
    image: ImageSettings | None = None,
) -> None:
    """Write a version 15 file: `num_special` control ids, 256 bytes, then `merges` by rank.

    Control tokens have the same ids as in the official file.
    """
    tokens = [*(bytes([value]) for value in range(256)), *merges]
    if len(set(tokens)) != len(tokens) or any(len(merge) < 2 for merge in merges):
        raise UserError("merges must be distinct and at least two bytes long")
    file = TekkenFile(
        pattern=pattern,
        tokens=tokens,
        markers=control_markers(num_special),
        efforts=efforts,
        default_effort=default_effort,
        image=image,
    )
    write_tekken(Path(path), file)
