"""The Python face: load a model, ask it, stream its answer, or look at its logits."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

import torch
from PIL.Image import Image
from torch import Tensor

from bise.engine import EngineConfig, Sampling
from bise.errors import BadRequest, UserError, WrongType, quoted
from bise.model.convert import Progress
from bise.model.hub import at_home
from bise.model.packed import WeightKind
from bise.serve.loading import LoadedModel, load_model
from bise.serve.talk import Ask, FinishReason, Talk, Talker, Usage
from bise.settings import MOST_GIB
from bise.text import (
    Delta,
    Form,
    ImagePart,
    ImageSettings,
    Message,
    Tool,
    ToolCall,
    calls_of,
    choice_form,
    json_form,
    parse_messages,
    parse_tools,
    pattern_form,
    prepare_image,
    resolve_effort,
)

ImageLike = str | Path | bytes | Image
"""A path, the bytes of a file, a `data:` URL or a Pillow image."""

Question = str | Sequence[Message | Mapping[str, Any]]
"""A question, or a conversation whose last turn is to be answered."""

TEMPERATURES = {"none": 0.0, "high": 0.7}
"""What is meant by no temperature: the likeliest answer at once, or thinking with some freedom."""


class Options(TypedDict, total=False):
    """What `ask` and `stream` may be told besides the question."""

    effort: object
    """`none` (the default) answers at once, `high` thinks first; clients' other words will do."""

    images: Sequence[ImageLike]
    """Go with the question, or with the last turn of a conversation."""

    tools: Sequence[Tool | Mapping[str, Any]]
    """Functions the model may call, as objects or as the JSON of either API."""

    max_tokens: int | None
    """Thinking included; None goes on to the end of the context."""

    temperature: float | None
    """None is 0.7 with effort high, and 0 (the likeliest token) with none."""

    top_p: float | None
    seed: int | None
    """The same seed gives the same reply, whatever else is asked meanwhile."""

    schema: Mapping[str, Any] | bool | None
    """The JSON Schema the answer follows; `True` is any JSON."""

    pattern: str | None
    """A regular expression the answer matches as a whole."""

    choices: Sequence[str] | None
    """Texts of which the answer is one."""


KINDS: dict[str, tuple[type, str]] = {
    "images": (Sequence, "a list"),
    "tools": (Sequence, "a list"),
    "max_tokens": (Integral, "a whole number"),
    "temperature": (Real, "a number"),
    "top_p": (Real, "a number"),
    "seed": (Integral, "a whole number"),
    "pattern": (str, "a string"),
    "choices": (Sequence, "a list"),
}
"""What the values of options are, where nobody else looks. All may be None."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a reply, as it is written."""

    kind: Literal["thinking", "answer", "tool_call"]
    text: str = ""
    tool_call: ToolCall | None = None
    """A whole call, with kind `tool_call`."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply."""

    text: str
    thinking: str
    tool_calls: tuple[ToolCall, ...]
    usage: Usage
    finish_reason: FinishReason
    """`stop`, `tool_calls`, or `length` when it was cut."""

    def __str__(self) -> str:
        return self.text


class Model:
    """A model in memory. Several threads may ask at once: they share the work of each step."""

    def __init__(self, loaded: LoadedModel, engine: EngineConfig | None = None):
        """engine: how it works; of the kind that `loaded` was loaded for"""
        self.loaded = loaded
        self.engine = engine or EngineConfig()
        self._lock = threading.Lock()
        self._talker: Talker | None = None
        self._is_closed = False

    @property
    def name(self) -> str:
        return self.loaded.name

    @property
    def config(self):
        """The shape of the network."""
        return self.loaded.config

    @property
    def talker(self) -> Talker:
        """The engine behind `ask` and `stream`, started when first needed."""
        with self._lock:
            if self._is_closed:
                raise UserError("this model is closed", hint="load it again")
            if self._talker is None:
                self._talker = self.loaded.talker(self.engine)
            return self._talker

    def ask(self, question: Question, **options: Unpack[Options]) -> Reply:
        """Answer, and return when the answer is complete."""
        talk = self.begin(question, **options)
        pieces = [piece for deltas in talk for piece in pieces_of(deltas)]
        return collect(talk, pieces)

    def stream(self, question: Question, **options: Unpack[Options]) -> Iterator[Piece]:
        """Answer piece by piece; leaving the loop stops the model."""
        return stream_pieces(self.begin(question, **options))

    def begin(self, question: Question, **options: Unpack[Options]) -> Talk:
        """The reply as an object with usage and finish reason; what is wrong is raised here."""
        check_options(options)
        talker = self.talker
        tekken = talker.chat.tekken
        effort = resolve_effort(options.get("effort", "none"), tekken.efforts)
        temperature, top_p = options.get("temperature"), options.get("top_p")
        if temperature is None:
            temperature = TEMPERATURES.get(effort, 0.7)
        max_tokens = options.get("max_tokens")
        if max_tokens is not None and max_tokens < 0:
            raise BadRequest(f"`max_tokens` is {max_tokens}, expected 0 or more")
        tools = offered(options.get("tools") or ())
        ask = Ask(
            messages=conversation(question, options.get("images") or ()),
            tools=tools,
            calls=calls_of(tools),
            form=form_of(options),
            effort=effort,
            sampling=Sampling(
                temperature=temperature,
                top_p=1.0 if top_p is None else top_p,
                seed=options.get("seed"),
            ),
            max_tokens=max_tokens,
        )
        return talker.begin(talker.prepare(ask))

    def logits(
        self, token_ids: Sequence[int], images: Sequence[ImageLike | Tensor] | None = None
    ) -> Tensor:
        """The network itself, no sampling: logits of what follows each token, [seq, vocab] fp32.

        An image is like those of `ask`, or pixels [channels, height, width] ready for the eye; the
        ids must have its tokens already. No tokenizer is needed.
        """
        ids = torch.tensor(list(token_ids), dtype=torch.int64)
        vocab_size = self.config.vocab_size
        if ids.ndim != 1 or not len(ids) or int(ids.min()) < 0 or int(ids.max()) >= vocab_size:
            raise BadRequest(f"`token_ids` must hold ids from 0 to {vocab_size - 1}")
        network = self.loaded.network
        pixels = [self._pixels(image).to(network.embed.weight.dtype) for image in images or ()]
        return network.read(ids, pixels)

    @cached_property
    def _image_settings(self) -> ImageSettings:
        eye = self.config.vision
        if eye is None:
            raise BadRequest("this model reads no images")
        return ImageSettings(patch_size=eye.patch, merge=eye.merge, max_size=eye.image_size)

    def _pixels(self, image: ImageLike | Tensor) -> Tensor:
        if isinstance(image, Tensor):
            return image
        resize = "hf" if self.loaded.layout == "hf" else "native"
        prepared = prepare_image(image_part(image), self._image_settings, resize=resize)
        return torch.as_tensor(prepared.pixels)

    def close(self) -> None:
        """Stop what still runs. Closing twice is no error."""
        with self._lock:
            self._is_closed = True
            talker, self._talker = self._talker, None
        if talker is not None:
            talker.close()

    def __enter__(self) -> "Model":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def load(
    name: str | Path,
    *,
    dtype: str | None = None,
    weights: WeightKind = "stored",
    memory_gib: float = 0.0,
    max_running: int = 8,
    eagle: str | Path | None = None,
    progress: Progress | None = None,
) -> Model:
    """Load a model: one that ships (`nano`), a checkpoint's folder, or a hub id (`org/name`).

    dtype         `bfloat16` or `float32`; None takes bfloat16 where the processor multiplies it
    weights       what the C++ core keeps matrices in: as `stored`, `bf16`, `int8` or `int4`
    memory_gib    for a packed folder: experts beyond so much are read from disk; 0 is what is free
    max_running   replies computed at once; more wait
    eagle         the folder of a draft head, which guesses ahead and changes no answer
    progress      called with the bytes of weights read so far, and in all
    """
    if not 0 <= memory_gib <= MOST_GIB:
        raise UserError(f"`memory_gib` is {memory_gib:g}, expected 0 to {MOST_GIB:,}")
    engine = EngineConfig(
        max_running=max_running, weights=weights, memory_bytes=int(memory_gib * 2**30)
    )
    return Model(load_model(name, dtype, eagle, engine, progress), engine)


def stream_pieces(talk: Talk) -> Iterator[Piece]:
    """The pieces of a reply under way."""
    with closing(talk.__iter__()) as rounds:
        for deltas in rounds:
            yield from pieces_of(deltas)


def pieces_of(deltas: Sequence[Delta]) -> Iterator[Piece]:
    """Pieces as the face gives them: calls come whole."""
    for delta in deltas:
        if delta.kind != "tool_call":
            yield Piece(delta.kind, delta.text)
        elif delta.tool_call is not None and delta.tool_call.call is not None:
            yield Piece("tool_call", tool_call=delta.tool_call.call)


def collect(talk: Talk, pieces: Sequence[Piece]) -> Reply:
    """A finished reply from all its pieces."""
    assert talk.finish_reason is not None, "the reply is not finished"
    return Reply(
        text="".join(piece.text for piece in pieces if piece.kind == "answer"),
        thinking="".join(piece.text for piece in pieces if piece.kind == "thinking"),
        tool_calls=tuple(piece.tool_call for piece in pieces if piece.tool_call is not None),
        usage=talk.usage,
        finish_reason=talk.finish_reason,
    )


def check_options(options: Mapping[str, Any]) -> None:
    """Refuse options nobody knows, and values of a wrong type."""
    known = Options.__annotations__
    for name, value in options.items():
        if name not in known:
            raise WrongType(f"`{name}` is no option", hint=f"there are {quoted(known)}")
        if value is None or name not in KINDS:
            continue
        kind, words = KINDS[name]
        others = (bool,) if kind is str else (bool, str, bytes)  # to Python they are lists, too
        if not isinstance(value, kind) or isinstance(value, others):
            raise WrongType(f"`{name}` is of type `{type(value).__name__}`, expected {words}")


def conversation(question: Question, images: Sequence[ImageLike] = ()) -> list[Message]:
    """Messages from a question or from a conversation; images go with its last turn."""
    if isinstance(question, str):
        if not question.strip() and not images:
            raise BadRequest("the question is empty", hint="ask something, or pass an image")
        messages = [Message.of("user", question)]
    elif not isinstance(question, Sequence) or isinstance(question, bytes):
        raise WrongType(
            f"the question is of type `{type(question).__name__}`, expected a string or a list of "
            "messages"
        )
    else:
        messages = [
            one if isinstance(one, Message) else parse_messages([one])[0] for one in question
        ]
    if images:
        if not messages or messages[-1].role != "user":
            raise BadRequest("images go with a question, but the last message is not the user's")
        parts = tuple(image_part(image) for image in images)
        messages[-1] = replace(messages[-1], parts=(*parts, *messages[-1].parts))
    return messages


def form_of(options: Options) -> Form | None:
    """What the answer has to be, if anything."""
    makers: dict[str, Callable[[Any], Form]] = {
        "schema": json_form,
        "pattern": pattern_form,
        "choices": choice_form,
    }
    asked = [name for name in makers if options.get(name) is not None]
    if len(asked) > 1:
        raise BadRequest(f"{quoted(asked)} each say what the answer is", hint="pass one of them")
    for name in asked:
        form = makers[name](options.get(name))
        if form.dropped:
            raise BadRequest(
                f"{quoted(form.dropped[:5])} cannot be enforced",
                hint="leave them out, and check the answer for them",
            )
        return form
    return None


def image_part(image: object) -> ImagePart:
    """An image as a part of a message. Here, unlike in requests of strangers, strings are paths."""
    if isinstance(image, bytes | Path | Image):
        return ImagePart(image)
    if isinstance(image, str):
        return ImagePart(image if image.startswith("data:") else at_home(image))
    raise WrongType(
        f"an image is of type `{type(image).__name__}`, expected a path, bytes, a data URL or a "
        "Pillow image"
    )


def offered(tools: Sequence[Tool | Mapping[str, Any]]) -> list[Tool]:
    """Tools as objects, or as the JSON of either API."""
    return [tool if isinstance(tool, Tool) else parse_tools([tool])[0] for tool in tools]
