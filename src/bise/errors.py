"""What goes wrong by somebody's hand, told in one line.

Every room may import this file and it imports none of them. A traceback is for our own bugs; a
`UserError` is for a wrong folder, an unknown word, a file that is no image: what we met, what we
expected, and what to do about it.
"""

from collections.abc import Iterable


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


def quoted(words: Iterable[str]) -> str:
    """Join names for a sentence: "`a`, `b` and `c`"."""
    ticked = [f"`{word}`" for word in words]
    if len(ticked) < 2:
        return "".join(ticked)
    return f"{', '.join(ticked[:-1])} and {ticked[-1]}"
