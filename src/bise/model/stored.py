"""Which tensors a checkpoint of some shape, layout and quantisation consists of.

Derived from the table in `names.py`. Reading checks a folder against this list before anything is
computed, and writing follows it, so a checkpoint we write is one we read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch

from bise.errors import UserError, quoted
from bise.model.names import SPELLINGS, Weight
from bise.model.quant import GROUP
from bise.model.shards import DTYPE_NAMES, Entry

Layout = Literal["native", "hf"]
Quant = Literal["none", "fp8", "nvfp4"]
Role = Literal[
    "plain", "codes", "scale", "activation", "packed", "groups", "divisor", "activation_divisor"
]
"""What a tensor says of its weight: its numbers as they are; FP8 codes, their scale and that of
what they are multiplied with; or the four tensors of an NVFP4 matrix."""

LAYOUTS: tuple[Layout, ...] = ("native", "hf")
STEMS: dict[Layout, str] = {"native": "consolidated", "hf": "model"}
"""What the names of weight files begin with."""

WIDE = (torch.bfloat16, torch.float32, torch.float16)
ROLE_DTYPES: dict[Role, tuple[torch.dtype, ...]] = {
    "plain": WIDE,
    "codes": (torch.float8_e4m3fn,),
    "scale": WIDE,
    "activation": WIDE,
    "packed": (torch.uint8,),
    "groups": (torch.float8_e4m3fn,),
    "divisor": WIDE,
    "activation_divisor": WIDE,
}

OPTIONAL: tuple[Role, ...] = ("activation", "activation_divisor")
"""Scales of what a matrix is multiplied with. We do not use them, so a file may lack them."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One tensor of a file: whose weight it describes, how, and its shape."""

    name: str
    weight: Weight
    role: Role
    shape: tuple[int, ...]
    part: int | None
    """Which part of the weight; None for all of them, one after another."""


def quant_of(weight: Weight, quant: Quant) -> Quant:
    """How this weight is stored in a checkpoint with that quantisation."""
    if quant == "nvfp4" and weight.kind == "expert":
        return "nvfp4"
    if quant == "fp8" and weight.kind != "plain":
        return "fp8"
    return "none"


def stored(
    table: tuple[Weight, ...], layout: Layout, quant: Quant, spelling: str
) -> Iterator[Stored]:
    """Every tensor of such a checkpoint, in the order of the network."""
    for weight in table:
        if layout == "native":
            for part, name in enumerate(weight.parts):
                yield from _native(weight, part, name, quant_of(weight, quant))
        else:
            yield from _hf(weight, weight.hf_name(spelling), quant_of(weight, quant))


def _native(weight: Weight, part: int, name: str, quant: Quant) -> Iterator[Stored]:
    base = name.removesuffix(".weight")
    shape = weight.part_shape
    if quant == "none":
        yield Stored(name, weight, "plain", shape, part)
    elif quant == "fp8":
        yield Stored(name, weight, "codes", shape, part)
        yield Stored(f"{base}.qscale_weight", weight, "scale", (), part)
        yield Stored(f"{base}.qscale_act", weight, "activation", (), part)
    else:
        rows, columns = shape
        yield Stored(f"{base}.weight_packed", weight, "packed", (rows, columns // 2), part)
        yield Stored(f"{base}.weight_scale", weight, "groups", (rows, columns // GROUP), part)
        yield Stored(f"{base}.weight_global_scale", weight, "divisor", (1,), part)
        yield Stored(f"{base}.input_global_scale", weight, "activation_divisor", (1,), part)


def _hf(weight: Weight, name: str, quant: Quant) -> Iterator[Stored]:
    assert quant != "nvfp4", "NVFP4 comes in native files only"
    if weight.is_stacked:
        yield Stored(name, weight, "codes" if quant == "fp8" else "plain", weight.shape, None)
        if quant == "fp8":
            num = weight.shape[0]
            yield Stored(f"{name}_scale_inv", weight, "scale", (num, 1, 1), None)
            yield Stored(f"{name}_activation_scale", weight, "activation", (num,), None)
        return
    yield Stored(name, weight, "codes" if quant == "fp8" else "plain", weight.part_shape, 0)
    if quant == "fp8":
        base = name.removesuffix(".weight")
        yield Stored(f"{base}.weight_scale_inv", weight, "scale", (), 0)
        yield Stored(f"{base}.activation_scale", weight, "activation", (), 0)


def spelling_of(names: set[str], folder: str) -> str:
    """How the HF names of a folder are spelled."""
    for spelling, sections in SPELLINGS.items():
        if f"{sections['text']}embed_tokens.weight" in names:
            return spelling
    known = quoted(f"{sections['text']}embed_tokens.weight" for sections in SPELLINGS.values())
    raise UserError(f"`{folder}` has no embedding: none of {known} is there")


def check(found: dict[str, Entry], expected: dict[str, Stored], folder: str) -> None:
    """Refuse a folder whose tensors are not exactly the expected ones."""
    needed = (name for name, one in expected.items() if one.role not in OPTIONAL)
    missing = [name for name in needed if name not in found]
    if missing:
        raise UserError(f"`{folder}` lacks tensor `{missing[0]}`{_more(missing)}")
    surplus = [name for name in found if name not in expected and not _is_known_extra(name)]
    if surplus:
        raise UserError(f"`{folder}` has an unknown tensor `{surplus[0]}`{_more(surplus)}")
    for name, entry in found.items():
        want = expected.get(name)
        if want is None:
            continue
        if entry.shape != want.shape and not _both_scalar(entry.shape, want):
            raise UserError(
                f"tensor `{name}` in `{folder}` has shape {list(entry.shape)},"
                f" expected {list(want.shape)}"
            )
        allowed = ROLE_DTYPES[want.role]
        if entry.dtype not in allowed:
            expected_names = quoted(DTYPE_NAMES[dtype] for dtype in allowed)
            raise UserError(
                f"tensor `{name}` in `{folder}` is {entry.dtype_name}, expected {expected_names}",
                hint="the config's quantisation may not be that of the weights",
            )


def _more(names: list[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""


def _both_scalar(shape: tuple[int, ...], want: Stored) -> bool:
    """A scale a matrix may be written as [], [1] or [1, 1]; one an expert with or without ones."""
    if want.role not in ("scale", "activation", "divisor", "activation_divisor"):
        return False
    return [n for n in shape if n != 1] == [n for n in want.shape if n != 1]


def _is_known_extra(name: str) -> bool:
    """Scales of a quantised cache, which some readers know; we have no use for them."""
    return name.endswith(".qscale_act") and "_fake_quantizer" in name
