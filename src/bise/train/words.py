"""The tokenizer of a run: kept in its folder from the first step on, and no other is taken."""

import shutil
from pathlib import Path

from bise.errors import NotFound, UserError
from bise.text import Tekken
from bise.text.tekken import FILE_NAME
from bise.train.state import latest_state


def choose_words(folder: Path, asked: Path | None, default: Path) -> Path:
    """The tokenizer a run or its weights go with: the kept one, else what is asked for.

    Runs of before tokenizers were kept have none, and take what they are given.
    """
    kept = folder / FILE_NAME
    words = asked or (kept if kept.is_file() else default)
    if not words.is_file():
        raise NotFound(f"there is no tokenizer `{words}`", hint="pass a `tekken.json`")
    is_begun = kept.is_file() and latest_state(folder) is not None
    if is_begun and kept.read_bytes() != words.read_bytes():
        raise UserError(
            f"`{words}` is not the tokenizer that the run in `{folder}` is trained with",
            hint="leave `--tokenizer` out to use the run's own",
        )
    return words


def keep_words(folder: Path, words: Path) -> Path:
    """Put a copy into the run's folder, which it then reads; whole, or not at all."""
    kept = folder / FILE_NAME
    if not kept.is_file() or kept.read_bytes() != words.read_bytes():
        partial = kept.with_suffix(".partial")
        shutil.copyfile(words, partial)
        partial.rename(kept)
    return kept


def check_words(words: Path, vocab_size: int) -> None:
    """Refuse a vocabulary that is not the network's: serving the weights would refuse it too."""
    num_ids = Tekken.from_file(words).vocab_size
    if num_ids != vocab_size:
        raise UserError(
            f"`{words}` has {num_ids:,} ids, the preset {vocab_size:,}",
            hint="learn one for the preset: `bise train tokenizer PRESET FILE`",
        )
