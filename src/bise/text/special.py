"""The control tokens: which marker has which id, and under which name the code speaks of it.

A control token is an id that no text can become: it is written by the chat format or by the model
itself. Ids below 1000 (below 128 in small files) are reserved for them; the ones nobody has named
yet are called `<SPECIAL_n>`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bise.errors import UserError

# Checked against: the released encodings of Mistral Small 4 (ids 1-10, 17, 18, 32, 34-37) and the
# defaults of mistral-common for the rest.
CONTROL_TOKENS: tuple[tuple[str, str, int], ...] = (
    ("unk", "<unk>", 0),
    ("bos", "<s>", 1),
    ("eos", "</s>", 2),
    ("inst", "[INST]", 3),
    ("end_inst", "[/INST]", 4),
    ("tools", "[AVAILABLE_TOOLS]", 5),
    ("end_tools", "[/AVAILABLE_TOOLS]", 6),
    ("results", "[TOOL_RESULTS]", 7),
    ("end_results", "[/TOOL_RESULTS]", 8),
    ("calls", "[TOOL_CALLS]", 9),
    ("image", "[IMG]", 10),
    ("pad", "<pad>", 11),
    ("image_break", "[IMG_BREAK]", 12),
    ("image_end", "[IMG_END]", 13),
    ("prefix", "[PREFIX]", 14),
    ("middle", "[MIDDLE]", 15),
    ("suffix", "[SUFFIX]", 16),
    ("system", "[SYSTEM_PROMPT]", 17),
    ("end_system", "[/SYSTEM_PROMPT]", 18),
    ("tool_content", "[TOOL_CONTENT]", 19),
    ("audio", "[AUDIO]", 24),
    ("begin_audio", "[BEGIN_AUDIO]", 25),
    ("args", "[ARGS]", 32),
    ("call_id", "[CALL_ID]", 33),
    ("think", "[THINK]", 34),
    ("end_think", "[/THINK]", 35),
    ("settings", "[MODEL_SETTINGS]", 36),
    ("end_settings", "[/MODEL_SETTINGS]", 37),
)

MIN_CONTROL_TOKENS = max(number for _, _, number in CONTROL_TOKENS) + 1


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlIds:
    """The ids the chat format uses, by name. Read from the file, so they may sit elsewhere."""

    unk: int
    bos: int
    eos: int
    """Ends the model's turn; the only id at which generation stops."""
    pad: int
    system: int
    end_system: int
    tools: int
    end_tools: int
    settings: int
    end_settings: int
    inst: int
    end_inst: int
    think: int
    end_think: int
    calls: int
    args: int
    results: int
    end_results: int
    image: int
    """One merged patch of a picture; its embedding is replaced by the vision encoder's."""
    image_break: int
    """Ends a row of a picture."""
    image_end: int
    """Ends the last row."""

    @classmethod
    def from_markers(cls, markers: Sequence[str]) -> "ControlIds":
        """Find every marker the chat format needs in a file's list (its place there is its id)."""
        place = {marker: number for number, marker in enumerate(markers)}
        wanted = {name: marker for name, marker, _ in CONTROL_TOKENS if name in cls.__slots__}
        missing = [marker for marker in wanted.values() if marker not in place]
        if missing:
            raise UserError(
                f"the tokenizer has no control token `{missing[0]}`",
                hint="it must carry every marker of a version 15 chat",
            )
        return cls(**{name: place[marker] for name, marker in wanted.items()})


def control_markers(count: int) -> list[str]:
    """The markers with ids 0 to `count - 1`, as the official file lists them."""
    if count < MIN_CONTROL_TOKENS:
        raise UserError(
            f"{count} control tokens are too few", hint=f"reserve at least {MIN_CONTROL_TOKENS}"
        )
    named = {number: marker for _, marker, number in CONTROL_TOKENS}
    return [named.get(number, f"<SPECIAL_{number}>") for number in range(count)]
