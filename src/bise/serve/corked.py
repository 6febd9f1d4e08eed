"""A transport that sends what was written in one turn of the loop together.

A system call for each event takes longer than making the event. Nothing waits for it: what one turn
has written goes out before the next.
"""

import asyncio
from typing import Any, Union

Writable = Union[bytes, bytearray, "memoryview[Any]"]

MOST_BYTES = 64 * 1024
"""More than this is sent at once."""


class Corked(asyncio.Transport):
    """Around a transport that sends everything at once."""

    def __init__(self, inner: asyncio.Transport, loop: asyncio.AbstractEventLoop):
        super().__init__()
        self._inner, self._loop = inner, loop
        self._waiting: list[Writable] = []
        self._num_bytes = 0

    def write(self, data: Writable) -> None:
        """Send it with what else is written in this turn."""
        if not data:
            return
        if not self._waiting:
            self._loop.call_soon(self.flush)
        self._waiting.append(data)
        self._num_bytes += len(data)
        if self._num_bytes >= MOST_BYTES:
            self.flush()

    def flush(self) -> None:
        """Send what has been written."""
        if self._waiting:
            whole = b"".join(self._waiting)
            self._waiting, self._num_bytes = [], 0
            self._inner.write(whole)

    def close(self) -> None:
        self.flush()
        self._inner.close()

    def abort(self) -> None:
        self._waiting, self._num_bytes = [], 0
        self._inner.abort()

    def write_eof(self) -> None:
        self.flush()
        self._inner.write_eof()

    def get_write_buffer_size(self) -> int:
        return self._inner.get_write_buffer_size() + self._num_bytes

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._inner.get_extra_info(name, default)

    def is_closing(self) -> bool:
        return self._inner.is_closing()

    def is_reading(self) -> bool:
        return self._inner.is_reading()

    def pause_reading(self) -> None:
        self._inner.pause_reading()

    def resume_reading(self) -> None:
        self._inner.resume_reading()

    def can_write_eof(self) -> bool:
        return self._inner.can_write_eof()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._inner.set_write_buffer_limits(high, low)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._inner.get_write_buffer_limits()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._inner.set_protocol(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._inner.get_protocol()
