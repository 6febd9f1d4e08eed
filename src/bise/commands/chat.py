"""`bise chat`: a conversation in a terminal, or one question through a pipe."""

import json
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from bise.commands.show import err, out, tell_error
from bise.errors import BadRequest, NotFound, UserError
from bise.face import Model, Piece, pieces_of
from bise.model.hub import at_home
from bise.serve.talk import Talk
from bise.text import ImagePart, Message, TextPart, ThinkPart, open_image, resolve_effort
from bise.text.messages import Part

HELP = """\
/effort high     think before answering (none: answer at once)
/image PATH      show a picture with the next question
/reset           forget the conversation
/help            this
/quit            leave (so does Ctrl-D; Ctrl-C stops an answer, twice leaves)"""


@dataclass
class Settings:
    """What a conversation is held with."""

    effort: str = "none"
    system: str = ""
    temperature: float | None = None
    max_tokens: int | None = None
    seed: int | None = None
    schema: dict[str, Any] | bool | None = None
    """What answers follow."""


@dataclass
class Conversation:
    """What was said so far, and pictures for the next question."""

    model: Model
    settings: Settings
    messages: list[Message] = field(default_factory=list[Message])
    images: list[ImagePart] = field(default_factory=list[ImagePart])

    def ask(self, question: str) -> Talk:
        """Put the next question; raises what is wrong with it and then forgets it."""
        settings = self.settings
        if not question.strip() and not self.images:
            raise BadRequest("the question is empty", hint="ask something, or pass an image")
        asked = Message("user", (*self.images, TextPart(question)))
        system = [Message.of("system", settings.system)] if settings.system else []
        talk = self.model.begin(
            [*system, *self.messages, asked],
            effort=settings.effort,
            temperature=settings.temperature,
            max_tokens=settings.max_tokens,
            seed=settings.seed,
            schema=settings.schema,
        )
        self.messages.append(asked)
        self.images = []
        return talk

    def keep(self, pieces: list[Piece]) -> None:
        """Remember the answer; without one, forget the question too."""
        texts = {kind: "".join(p.text for p in pieces if p.kind == kind) for kind in KINDS}
        calls = tuple(piece.tool_call for piece in pieces if piece.tool_call is not None)
        if not texts["answer"] and not calls:
            self.messages.pop()
            return
        parts: list[Part] = [TextPart(texts["answer"])] if texts["answer"] else []
        if texts["thinking"]:
            parts.insert(0, ThinkPart(texts["thinking"]))
        self.messages.append(Message("assistant", tuple(parts), calls))

    def add_image(self, path: str) -> ImagePart:
        """A picture for the next question, looked at now so that a wrong path is told now."""
        part = ImagePart(at_home(path))
        open_image(part.image)
        self.images.append(part)
        return part


def read_schema(path: Path) -> dict[str, Any] | bool:
    """The JSON Schema in a file."""
    try:
        schema: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise NotFound(f"`{path}` cannot be read: {fault.strerror}") from None
    except (ValueError, RecursionError):
        raise UserError(f"`{path}` is no JSON", hint="name a file that holds a schema") from None
    if not isinstance(schema, dict | bool):
        raise UserError(f"`{path}` is no schema, expected an object")
    return schema


KINDS = ("thinking", "answer")


class Screen:
    """Shows pieces of a reply: thinking dimmed, the answer plain."""

    def __init__(self, answers: Console, thoughts: Console):
        self.answers = answers
        self.thoughts = thoughts
        self.last = ""

    def show(self, piece: Piece) -> None:
        if self.last == "thinking" and piece.kind != "thinking":
            self.thoughts.print("\n")
        self.last = piece.kind
        if piece.kind == "thinking":
            self.thoughts.print(Text(clean(piece.text), style="dim italic"), end="")
        elif piece.kind == "answer":
            self.answers.print(Text(clean(piece.text)), end="")
        elif piece.tool_call is not None:
            call = piece.tool_call
            self.answers.print(Text(clean(f"{call.name}({call.arguments})"), style="yellow"))

    def end(self) -> None:
        """Finish the last line."""
        console = self.thoughts if self.last == "thinking" else self.answers
        console.print("")
        self.last = ""


def clean(text: str) -> str:
    """Text of a model without the characters that could steer a terminal."""
    return "".join(one if one.isprintable() or one in "\n\t" else "\ufffd" for one in text)


def show_reply(talk: Talk, screen: Screen) -> tuple[list[Piece], bool]:
    """Show a reply as it comes; its pieces, and whether Ctrl-C stopped it."""
    pieces: list[Piece] = []
    try:
        with closing(talk.__iter__()) as rounds:
            for deltas in rounds:
                for piece in pieces_of(deltas):
                    pieces.append(piece)
                    screen.show(piece)
    except KeyboardInterrupt:
        return pieces, True
    finally:
        screen.end()
    return pieces, False


def answer_once(conversation: Conversation, question: str) -> None:
    """A question from a pipe: the answer alone on stdout, thinking on stderr."""
    is_shared = sys.stdout.isatty()
    screen = Screen(out(), out() if is_shared else err())
    show_reply(conversation.ask(question), screen)


def talk_in_terminal(conversation: Conversation) -> None:
    """Questions and answers until somebody leaves."""
    console = out()
    screen = Screen(console, console)
    is_leaving = False
    while True:
        try:
            line = read_line(console).strip()
        except EOFError:
            console.print("")
            return
        except UnicodeDecodeError:
            tell_error(UserError("what was typed is not UTF-8"))
            continue
        except KeyboardInterrupt:
            if is_leaving:
                console.print("")
                return
            is_leaving = True
            console.print(Text("\nCtrl-C again leaves", style="dim"))
            continue
        is_leaving = False
        try:
            if line.startswith("/"):
                if obey(line, conversation, console):
                    return
            elif line or conversation.images:
                is_leaving = converse(line, conversation, screen, console)
        except UserError as error:
            tell_error(chat_error(error))


def converse(line: str, conversation: Conversation, screen: Screen, console: Console) -> bool:
    """One question and its answer; whether Ctrl-C stopped it."""
    began = time.monotonic()
    talk = conversation.ask(line)
    console.print("")
    pieces, is_stopped = show_reply(talk, screen)
    conversation.keep(pieces)
    console.print(Text(footer(talk, time.monotonic() - began, is_stopped), style="dim"))
    console.print("")
    return is_stopped


def footer(talk: Talk, seconds: float, is_stopped: bool) -> str:
    """What an answer took."""
    usage = talk.usage
    parts = [f"{usage.completion_tokens} tokens"]
    if usage.reasoning_tokens:
        parts.append(f"{usage.reasoning_tokens} of them thinking")
    parts.append(f"{usage.completion_tokens / max(seconds, 1e-9):.0f} a second")
    if is_stopped:
        parts.append("stopped")
    elif talk.finish_reason == "length":
        parts.append("cut for its length")
    return " · ".join(parts)


def chat_error(error: UserError) -> UserError:
    """A conversation that is too long has a way out here."""
    if "maximum context length" in error.message:
        return UserError(error.message, hint="forget the conversation with /reset")
    return error


def obey(line: str, conversation: Conversation, console: Console) -> bool:
    """Do what a command says; whether it says to leave."""
    word, _, rest = line.partition(" ")
    rest = rest.strip()
    settings = conversation.settings
    say: Callable[[str], None] = lambda text: console.print(Text(text, style="dim"))  # noqa: E731
    if word in ("/quit", "/exit"):
        return True
    if word == "/effort":
        tekken = conversation.model.talker.chat.tekken
        effort = resolve_effort(rest or None, tekken.efforts, settings.effort)
        conversation.settings = replace(settings, effort=effort)
        say(f"effort is {effort}")
    elif word == "/image" and rest:
        part = conversation.add_image(rest)
        say(f"{part.image} goes with the next question")
    elif word == "/reset":
        conversation.messages, conversation.images = [], []
        say("the conversation is forgotten")
    elif word == "/help":
        say(HELP)
    else:
        raise UserError(f"`{word}` is no command here", hint="/help lists them")
    return False


def read_line(console: Console) -> str:
    """One line from the keyboard, with history and editing where Python has them."""
    with suppress(ImportError):
        import_module("readline")  # gives `input` its editing
    if console.is_terminal and not console.no_color:
        return input("\001\033[1;36m\002❯\001\033[0m\002 ")  # \001 and \002: takes no width
    return input("> ")


def read_question() -> str:
    """All of stdin, as text; none if it is closed."""
    if sys.stdin is None:
        return ""
    try:
        return sys.stdin.buffer.read().decode("utf-8").strip()
    except UnicodeDecodeError:
        raise UserError("the question on stdin is not UTF-8") from None
