"""Thinking that clients keep for us between turns: signed, or sealed so that it comes back whole.

The key lives as long as the server: what an earlier one sealed is not opened.
"""

import base64
import hmac
import secrets
import zlib
from dataclasses import dataclass, field

from bise.errors import BadRequest

TAG_BYTES = 16
MAX_CHARS = 4_000_000
"""More than any context holds; a small sealed text could unpack to gigabytes."""


@dataclass(frozen=True, slots=True)
class Seal:
    """Signs and seals with a key of its own."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def sign(self, text: str) -> str:
        """What says that a text was written here."""
        return base64.b64encode(self._tag(text.encode())).decode()

    def close(self, text: str) -> str:
        """A text as letters that mean nothing to others."""
        packed = zlib.compress(text.encode())
        return base64.b64encode(self._tag(packed) + packed).decode()

    def open(self, sealed: str) -> str | None:
        """The text again; None if it was not sealed here."""
        try:
            data = base64.b64decode(sealed, validate=True)
        except ValueError:
            return None
        tag, packed = data[:TAG_BYTES], data[TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(packed)):
            return None
        unpacking = zlib.decompressobj()
        text = unpacking.decompress(packed, MAX_CHARS)
        if unpacking.unconsumed_tail:
            raise BadRequest("sealed thinking is longer than any context")
        return text.decode()

    def _tag(self, data: bytes) -> bytes:
        return hmac.digest(self.key, data, "sha256")[:TAG_BYTES]
