"""The parent's end of one child: a process, a socket, and a thread that writes to it."""

import os
import queue
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

from bise.engine.wire import Bye, Inbox, Message, encode

READ_BYTES = 2**20


class Link:
    """A child that was started, for as long as it lives."""

    def __init__(self, refuse: Callable[[Message, Exception], None]):
        """refuse: told of a message that cannot be sent. Start it from a thread that stays: Linux
        takes the end of the thread that started a process for the end of its parent."""
        self.refuse = refuse
        self.is_ready = False
        """Whether it has said `hello`."""

        self._line, theirs = socket.socketpair()
        words = [str(theirs.fileno()), str(os.getpid())]
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "bise.engine.child", *words],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C in a terminal is for the parent
            )
        self._inbox = Inbox()
        self._ready = selectors.DefaultSelector()
        self._ready.register(self._line, selectors.EVENT_READ)
        self._outgoing: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="bise-link", daemon=True)
        self._writer.start()

    def send(self, message: Message) -> None:
        """Put a message on its way; never waits."""
        self._outgoing.put(message)

    def receive(self, timeout_s: float) -> Iterator[Message]:
        """What the child said within that time. Raises `EOFError` when it has hung up."""
        if not self._ready.select(timeout_s):
            return
        try:
            piece = self._line.recv(READ_BYTES)
        except ConnectionError:
            piece = b""
        if not piece:
            self._inbox.end()
            raise EOFError("the child hung up")
        yield from self._inbox.feed(piece)

    def end(self, leave_s: float) -> str:
        """See the child off, by force if it takes longer; says how it ended."""
        if leave_s:
            self.send(Bye())
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(leave_s)
        if self.process.poll() is None:
            self.process.kill()
        status = self.process.wait()
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)  # frees a writer that waits for room
        self._outgoing.put(None)
        self._writer.join()
        self._ready.close()
        self._line.close()
        return f"killed by {signal_name(-status)}" if status < 0 else f"exit status {status}"

    def _write(self) -> None:
        while (message := self._outgoing.get()) is not None:
            try:
                pieces = encode(message)
            except Exception as error:  # whoever asked hears of it; others go on
                self.refuse(message, error)
                continue
            try:
                for piece in pieces:
                    self._line.sendall(piece)
            except OSError:  # the reader sees the end of the line, too, and ends everything
                return


def signal_name(number: int) -> str:
    """`SIGKILL` for 9."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
