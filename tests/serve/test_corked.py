"""What one turn of the loop writes goes out together, in order, and never late."""

import asyncio

from bise.serve.corked import MOST_BYTES, Corked


class Inner(asyncio.Transport):
    def __init__(self):
        super().__init__()
        self.sent: list[bytes] = []
        self.ends: list[str] = []

    def write(self, data):
        self.sent.append(bytes(data))

    def close(self):
        self.ends.append("close")

    def abort(self):
        self.ends.append("abort")

    def get_write_buffer_size(self):
        return 5


def test_writes_of_a_turn_are_one():
    async def go() -> None:
        inner = Inner()
        corked = Corked(inner, asyncio.get_running_loop())
        for data in (b"a", b"", bytearray(b"b"), memoryview(b"c")):
            corked.write(data)
        assert inner.sent == [] and corked.get_write_buffer_size() == 8
        await asyncio.sleep(0)
        assert inner.sent == [b"abc"] and corked.get_write_buffer_size() == 5
        corked.write(b"d")
        await asyncio.sleep(0)
        corked.write(b"e" * MOST_BYTES)
        assert inner.sent[1:] == [b"d", b"e" * MOST_BYTES]

    asyncio.run(go())


def test_closing_sends_what_is_left_and_aborting_does_not():
    async def go() -> None:
        for end in ("close", "abort"):
            inner = Inner()
            corked = Corked(inner, asyncio.get_running_loop())
            corked.write(b"last")
            getattr(corked, end)()
            await asyncio.sleep(0)
            assert inner.sent == ([b"last"] if end == "close" else []) and inner.ends == [end]

    asyncio.run(go())
