"""`bise random`, `inspect` and `convert`: folders of weights, without running them."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from random import Random

import torch
from torch import Tensor

from bise.commands.outputs import need_folder
from bise.commands.show import loading_bar, out, progress_bar, waiting
from bise.errors import UserError
from bise.evals import TASKS
from bise.model import (
    ModelConfig,
    convert,
    inspect,
    open_checkpoint,
    preset,
    write_random,
    write_random_eagle,
)
from bise.model.hub import ASSETS, at_home
from bise.model.names import weights
from bise.model.packed import WeightKind
from bise.model.packed_file import PackedFolder, is_packed, pack_folder
from bise.model.packed_source import FromCheckpoint, FromRandom
from bise.model.presets import PRESETS
from bise.model.stored import Layout, Quant
from bise.serve.loading import locate_weights, read_tokenizer
from bise.text import ChatFormat, Message, TextPart, ThinkPart
from bise.text.tekken import FILE_NAME

NANO_TOKENIZER = ASSETS / "nano" / FILE_NAME
CALIBRATION_TOKENS = 512


def make_random(
    name: str, target: Path, seed: int, layout: Layout, quant: Quant, *, is_head: bool = False
) -> None:
    """Write random weights of a preset's shape, with a tokenizer if we have one for it.

    is_head: those of a draft head for it instead
    """
    shape = preset(name)
    need_folder(target)
    if target.exists() and any(target.iterdir() if target.is_dir() else [target]):
        raise UserError(f"`{target}` is not empty", hint="choose a new folder")
    if is_head and layout != "native":
        raise UserError("draft heads have the native layout only")
    with waiting(f"writing {name}"):
        if is_head:
            write_random_eagle(shape, target, seed=seed, quant=quant)
            out().print(f"wrote a draft head for {name} to {target}", markup=False)
            return
        write_random(shape, target, seed=seed, layout=layout, quant=quant)
    give_words(shape, target)
    count = inspect(target).num_parameters
    out().print(f"wrote {count:,} random parameters to {target}", markup=False)


def give_words(shape: ModelConfig, target: Path) -> None:
    """nano's tokenizer beside random weights where it fits, so that they can be talked with."""
    if shape.vocab_size == preset("nano").vocab_size:
        shutil.copyfile(NANO_TOKENIZER, target / FILE_NAME)


def run_pack(source: str, target: Path, kind: WeightKind) -> None:
    """Pack a checkpoint's weights, or a preset's random ones, with a bar."""
    need_folder(target)
    if source.replace("-", "_") in PRESETS and not (ASSETS / source).is_dir():
        made, folder, layout = FromRandom(preset(source)), None, "native"
    else:
        folder = unpacked(source)
        checkpoint = open_checkpoint(folder)
        made, layout = FromCheckpoint(checkpoint), checkpoint.layout
    with loading_bar("packing") as done:
        packed = pack_folder(made, folder, target, kind, layout=layout, progress=done)
    if folder is None:
        give_words(packed.config, target)
    out().print(f"wrote {packed.size_bytes:,} bytes of {kind} weights to {target}", markup=False)


def unpacked(source: str) -> Path:
    """The folder of a checkpoint; what is packed cannot be told apart into tensors again."""
    folder = locate_weights(source)
    if is_packed(folder):
        raise UserError(
            f"`{source}` is packed for the core already", hint="name what it was packed from"
        )
    return folder


def show_inspection(name: str, *, as_json: bool) -> None:
    """What a folder or a preset is."""
    path = at_home(name)
    if is_packed(path):
        show_packed(PackedFolder(path), as_json=as_json)
        return
    is_folder = path.is_dir()
    has_weights = (ASSETS / name).is_dir() and any((ASSETS / name).glob("*.safetensors"))
    is_shape = name.replace("-", "_") in PRESETS and not is_folder and not has_weights
    report = inspect(name if is_shape else locate_weights(name))
    console = out()
    if as_json:
        console.print(json.dumps(report.json(), indent=1), markup=False)
    else:
        for line in report.lines():
            console.print(line, markup=False)


def show_packed(found: PackedFolder, *, as_json: bool) -> None:
    """What packed weights are."""
    count = sum(weight.numel for weight in weights(found.config))
    about = {"kind": found.kind, "parameters": count, "bytes": found.size_bytes}
    if as_json:
        about["config"] = asdict(found.config)
        out().print(json.dumps(about, indent=1), markup=False)
        return
    words = (
        f"packed for the C++ core: {count:,} parameters as {found.kind}, {found.size_bytes:,} bytes"
    )
    out().print(words, markup=False)


def run_convert(source: str, target: Path, to: Layout, quant: Quant, calibrate: str | None) -> None:
    """Convert a folder, with a bar; the same command goes on after a crash."""
    need_folder(target)
    folder = unpacked(source)
    texts = calibration(folder, quant, calibrate)
    with progress_bar("converting", 100, unit="%") as done:
        converted = convert(
            folder,
            target,
            to=to,
            quant=quant,
            calibration=texts,
            progress=lambda part, whole: done(100 * part // max(whole, 1)),
        )
    kept = f", {converted.num_kept} were there already" if converted.num_kept else ""
    out().print(
        f"wrote {converted.size_bytes:,} bytes in {converted.num_written} shards to "
        f"{converted.folder}{kept}",
        markup=False,
    )


def calibration(folder: Path, quant: Quant, calibrate: str | None) -> list[Tensor] | None:
    """Ids to measure activations with: of a file, of our own problems, or none."""
    if quant != "fp8" or calibrate == "none":
        if calibrate not in (None, "none"):
            raise UserError(
                f"`--calibrate` goes with `--quant fp8`, not with `{quant}`", hint="leave it out"
            )
        return None
    checkpoint = open_checkpoint(folder)
    if calibrate is None and checkpoint.quant == "fp8":
        return None  # it has scales of its own
    try:
        tekken = read_tokenizer(folder, checkpoint.config.vocab_size)
    except UserError as fault:
        raise UserError(
            fault.message, hint="or pass `--calibrate none`, for scales of 1.0"
        ) from None
    if calibrate is None:
        return problem_ids(ChatFormat(tekken))
    try:
        text = at_home(calibrate).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        reason = getattr(fault, "strerror", None) or "it is no text"
        raise UserError(f"cannot read `{calibrate}`: {reason.lower()}") from None
    ids = tekken.encode(text)[:CALIBRATION_TOKENS]
    if not ids:
        raise UserError(f"`{calibrate}` is empty", hint="pass a file with some text")
    return [torch.tensor(ids)]


def problem_ids(chat: ChatFormat) -> list[Tensor]:
    """Some 512 tokens of our own problems with their solutions, as the model reads them."""
    rng, texts = Random("calibration"), list[Tensor]()
    skills = [task for task in TASKS.values() if task.sample(Random(0)).image is None]
    while sum(map(len, texts)) < CALIBRATION_TOKENS:
        example = skills[len(texts) % len(skills)].sample(rng)
        answer = (ThinkPart(example.thinking), TextPart(example.answer))
        messages = [Message.of("user", example.question), Message("assistant", answer)]
        texts.append(torch.tensor(chat.encode(messages, effort="high", finished=True).ids))
    return texts
