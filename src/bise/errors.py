"""What goes wrong by somebody's hand, told in one line.

Every room may import this file and it imports none of them. A traceback is for our own bugs; a
`UserError` is for a wrong folder, an unknown word, a file that is no image: what we met, what we
expected, and what to do about it.
"""

import errno
from collections.abc import Iterable

HINTS = {
    errno.ENOENT: "check the path",
    errno.EEXIST: "choose another path",
    errno.ENOTDIR: "a part of the path is a file; choose another path",
    errno.EISDIR: "it is a folder; choose another path",
    errno.ENOSPC: "free some space, or write to another disk",
    errno.EDQUOT: "free some space, or write to another disk",
    errno.EACCES: "check who may read and write there",
    errno.EPERM: "check who may read and write there",
    errno.EROFS: "choose a path on a disk that can be written",
    errno.EADDRINUSE: "stop what listens there, or choose another port",
}
"""What to do about a refusal of the operating system."""


class UserError(ValueError):
    """A fault the user can mend. The CLI prints two lines and exits 2, the server answers 4xx."""

    def __init__(self, message: str, *, hint: str = ""):
        super().__init__(one_line(message))
        self.message = one_line(message)
        self.hint = one_line(hint)


def one_line(text: str) -> str:
    """Text without line breaks or other characters that move a cursor: errors quote strangers."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else " " for letter in text)


class BadRequest(UserError):
    """A request whose fields have the right types and a value that cannot be served (400)."""


class PromptTooLong(BadRequest):
    """A prompt the model's context has no room for."""


class BadOrder(BadRequest):
    """Messages that follow each other as no conversation does."""


class BadCall(BadRequest):
    """A function's name, or the id of a call, that cannot be one."""


class BadImage(BadRequest):
    """A picture that cannot be used."""


class TooComplex(BadRequest):
    """A schema, a pattern or a grammar that would cost more than it may."""


class WrongType(UserError):
    """A field that is missing, of the wrong type, or a word outside its list (422)."""


class WaitedTooLong(UserError):
    """A request whose turn did not come in time (503)."""


class NotFound(UserError):
    """A model, a file or a request that is not there (404)."""


def refused_by_system(error: OSError) -> UserError:
    """What the operating system refused, told as any other fault."""
    lines = (error.strerror or str(error) or type(error).__name__).splitlines()
    words = lines[0][:1].lower() + lines[0][1:]
    if error.filename is not None:
        name = error.filename
        words = f"`{name.decode(errors='replace') if isinstance(name, bytes) else name}`: {words}"
    return UserError(words, hint=HINTS.get(error.errno or 0, "check the path and its disk"))


def quoted(words: Iterable[str]) -> str:
    """Join names for a sentence: "`a`, `b` and `c`"."""
    ticked = [f"`{word}`" for word in words]
    if len(ticked) < 2:
        return "".join(ticked)
    return f"{', '.join(ticked[:-1])} and {ticked[-1]}"
