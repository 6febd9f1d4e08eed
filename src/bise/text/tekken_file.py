"""Reading and writing `tekken.json`, the file that holds a vocabulary.

Version 15 of the format, as mistral-common reads it: a split pattern, byte strings in order of
rank, control tokens, the reasoning efforts the model was trained with, and the image grid.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from bise.errors import NotFound, UserError
from bise.text.special import control_markers

# Letters by case, one digit at a time, marks with the slash or line break after them, and spaces.
# Checked against: `config.pattern` of the file in the mistral-common wheel.
SPLIT_PATTERN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
VERSION = "v15"
OFFICIAL_VOCAB_SIZE = 131072
OFFICIAL_CONTROL_TOKENS = 1000
OFFICIAL_NAME = "data/tekken_240911.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageSettings:
    """How a picture is cut into tokens."""

    patch_size: int = 14
    """Pixels a side of what the vision encoder sees as one patch."""

    merge: int = 2
    """Patches a side that become one token."""

    max_size: int = 1540
    """Pixels the longer side is reduced to."""

    # Checked against: `DATASET_MEAN` and `DATASET_STD` of mistral-common, the means of CLIP.
    mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)
    """Mean of red, green and blue on a scale of 0 to 1."""

    std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)
    """Their standard deviations."""

    def __post_init__(self):
        for name in ("patch_size", "merge", "max_size"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise UserError(f"`{name}` of the image settings is `{value}`, expected 1 or more")

    @property
    def token_size(self) -> int:
        """Pixels a side that one image token stands for."""
        return self.patch_size * self.merge


@dataclass(frozen=True, kw_only=True, slots=True)
class TekkenFile:
    """What a `tekken.json` says, read and checked."""

    pattern: str
    """Regular expression that splits text into pieces; merges never cross its borders."""

    tokens: list[bytes]
    """Byte strings by rank; a token's id is its rank plus the number of control tokens."""

    markers: list[str]
    """Control tokens by id."""

    efforts: tuple[str, ...] = ("none", "high")
    default_effort: str = "none"
    image: ImageSettings | None = None


def read_tekken(path: Path) -> TekkenFile:
    """Read a version 15 file; anything else is a `UserError` of one line."""
    data = read_json(path)
    try:
        return parse_tekken(data)
    except UserError as fault:
        raise UserError(f"`{path}`: {fault.message}", hint=fault.hint) from None
    except KeyError as fault:
        raise UserError(f"`{path}` has no `{fault.args[0]}`: not a whole tekken file") from None
    except (TypeError, ValueError, AttributeError) as fault:
        raise UserError(f"`{path}` is not a tekken file: {fault}") from None


def parse_tekken(data: Mapping[str, Any]) -> TekkenFile:
    """Check what a file says. Raises what Python raises where a value has the wrong type."""
    config = data["config"]
    version = config.get("version")
    if version != VERSION:
        raise UserError(
            f"a tekken file of version `{version}`, expected `{VERSION}`",
            hint="convert it, or use the tokenizer that came with the model",
        )
    num_control = int(config["default_num_special_tokens"])
    efforts, default_effort = read_efforts(data["model_settings_builder"])
    return TekkenFile(
        pattern=str(config["pattern"]),
        tokens=ranked_bytes(data["vocab"], int(config["default_vocab_size"]) - num_control),
        markers=file_markers(data["special_tokens"], num_control),
        efforts=efforts,
        default_effort=default_effort,
        image=read_image(data["image"]) if data.get("image") else None,
    )


def official_tekken() -> TekkenFile:
    """The tokenizer of Mistral Small 4: its vocabulary comes in the mistral-common package.

    That file is a version 3 file with the same ranks and pattern; control tokens, efforts and the
    image grid of version 15 are laid over it.
    """
    package = find_spec("mistral_common")
    if package is None or not package.submodule_search_locations:
        raise NotFound(
            "the official vocabulary is in the package `mistral-common`, which is not installed",
            hint="pip install mistral-common",
        )
    data = read_json(Path(package.submodule_search_locations[0]) / OFFICIAL_NAME)
    return TekkenFile(
        pattern=data["config"]["pattern"],
        tokens=ranked_bytes(data["vocab"], OFFICIAL_VOCAB_SIZE - OFFICIAL_CONTROL_TOKENS),
        markers=control_markers(OFFICIAL_CONTROL_TOKENS),
        image=ImageSettings(),
    )


def write_tekken(path: Path, file: TekkenFile) -> None:
    """Write a file that this room and mistral-common both load."""
    check_file_name(path)
    data: dict[str, Any] = {
        "config": {
            "pattern": file.pattern,
            "num_vocab_tokens": len(file.tokens),
            "default_vocab_size": len(file.markers) + len(file.tokens),
            "default_num_special_tokens": len(file.markers),
            "version": VERSION,
        },
        "vocab": [token_entry(rank, token) for rank, token in enumerate(file.tokens)],
        "special_tokens": [
            {"rank": rank, "token_str": marker, "is_control": True}
            for rank, marker in enumerate(file.markers)
        ],
        "model_settings_builder": {
            "reasoning_effort": {
                "type": "enum",
                "accepts_none": True,
                "default": file.default_effort,
                "values": list(file.efforts),
            }
        },
    }
    if file.image:
        data["image"] = {
            "image_patch_size": file.image.patch_size,
            "max_image_size": file.image.max_size,
            "spatial_merge_size": file.image.merge,
        }
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def check_file_name(path: Path) -> None:
    """Refuse a name under which mistral-common would not load it."""
    if "tekken" not in path.name or path.suffix != ".json":
        raise UserError(
            f"`{path.name}` is no name for a tokenizer",
            hint="mistral-common wants `tekken` in it, and `.json` at its end",
        )


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object, or say in one line why not."""
    try:
        data = json.loads(path.read_bytes())
    except OSError as fault:
        raise NotFound(f"cannot read `{path}`: {(fault.strerror or str(fault)).lower()}") from None
    except (ValueError, RecursionError):
        raise UserError(f"`{path}` is not JSON, expected a tekken file") from None
    if not isinstance(data, dict):
        raise UserError(f"`{path}` holds no JSON object, expected a tekken file")
    return cast(dict[str, Any], data)


def file_markers(entries: Sequence[Mapping[str, Any]], count: int) -> list[str]:
    """Control tokens in the order of their ids, unnamed places filled up to `count`."""
    markers = [str(entry["token_str"]) for entry in entries]
    if [entry["rank"] for entry in entries] != list(range(len(markers))) or len(markers) > count:
        raise UserError(f"control tokens must be ranked from 0, and at most {count} of them")
    markers += [f"<SPECIAL_{number}>" for number in range(len(markers), count)]
    if len(set(markers)) != count:
        raise UserError("two control tokens have the same name")
    return markers


def ranked_bytes(entries: Sequence[Mapping[str, Any]], count: int) -> list[bytes]:
    """The first `count` byte strings; the first 256 must be the single bytes in order."""
    if not 256 <= count <= len(entries):
        raise UserError(f"the vocabulary has {len(entries)} tokens, but the file promises {count}")
    tokens = [base64.b64decode(entry["token_bytes"]) for entry in entries[:count]]
    if tokens[:256] != [bytes([value]) for value in range(256)] or len(set(tokens)) != count:
        raise UserError("a vocabulary is the 256 single bytes in order, then distinct merges")
    return tokens


def token_entry(rank: int, token: bytes) -> dict[str, Any]:
    """One line of the vocabulary; `token_str` is for people, and null for half a character."""
    try:
        text = token.decode()
    except UnicodeDecodeError:
        text = None
    encoded = base64.b64encode(token).decode("ascii")
    return {"rank": rank, "token_bytes": encoded, "token_str": text}


def read_efforts(builder: Mapping[str, Any]) -> tuple[tuple[str, ...], str]:
    """The efforts a model knows, and the one it takes when none is named."""
    unknown = sorted(key for key, value in builder.items() if value and key != "reasoning_effort")
    if unknown:
        raise UserError(f"the model setting `{unknown[0]}` is not supported here")
    effort = builder["reasoning_effort"]
    efforts, default = tuple(map(str, effort["values"])), str(effort["default"])
    if default not in efforts:
        raise UserError(f"the default effort `{default}` is not among the efforts of the file")
    return efforts, default


def read_image(block: Mapping[str, Any]) -> ImageSettings:
    """The image grid of a file; mean and deviation are the same for the whole family."""
    return ImageSettings(
        patch_size=block["image_patch_size"],
        merge=block.get("spatial_merge_size", 1),
        max_size=block["max_image_size"],
    )
