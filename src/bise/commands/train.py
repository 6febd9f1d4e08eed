"""`bise train`: from a preset and some minutes to weights, and out of the run's own format."""

import gzip
import json
import shutil
import signal
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bise.commands.show import out, waiting
from bise.commands.weights import NANO_TOKENIZER
from bise.errors import NotFound, UserError
from bise.evals import TASKS
from bise.model import preset, save_checkpoint
from bise.model.shards import shard_paths
from bise.model.stored import STEMS
from bise.text.tekken import FILE_NAME
from bise.text.tekken_file import check_file_name
from bise.train.config import TrainConfig, from_dict, override
from bise.train.limits import Limits
from bise.train.log import LOG_NAME
from bise.train.start import start
from bise.train.state import Progress, latest_state, load_tensors, read_run
from bise.train.tokenizer import make_tokenizer
from bise.train.words import choose_words

STORY = "run.json"
"""Where exported weights come from."""


def run_train(
    name: str,
    folder: Path,
    limits: Limits,
    *,
    seed: int | None,
    processes: int,
    device: str,
    makers: int,
    settings: list[str],
    tokenizer: Path | None,
) -> None:
    """Train, or go on with what lies in the folder: what is not said then is as it was saved."""
    preset(name)  # an unknown name is told before a folder is read
    state = latest_state(folder)
    saved = TrainConfig() if state is None else from_dict(read_run(state)[1])
    asked = replace(saved, preset=name.replace("-", "_"), seed=saved.seed if seed is None else seed)
    config = override(asked, settings)
    words = choose_words(folder, tokenizer, NANO_TOKENIZER)
    with leaving_in_order():
        start(
            folder,
            config,
            limits,
            TASKS,
            tokenizer=words,
            processes=processes,
            device=device,
            makers=makers,
        )


@contextmanager
def leaving_in_order() -> Generator[None, None, None]:
    """SIGTERM ends the processes that help as well, as Ctrl-C does; else each would tell at length
    that this one is gone."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def tokenizer(name: str, path: Path, seed: int, texts: int) -> None:
    """Learn the vocabulary a preset has room for."""
    shape = preset(name)
    check_file_name(path)
    with waiting("learning merges"):
        num_merges = make_tokenizer(path, TASKS, shape, seed=seed, texts=texts)
    out().print(f"wrote {num_merges:,} merges to {path}", markup=False)


def export(run: Path, target: Path, tokenizer: Path | None) -> None:
    """Write the newest state of a run as a checkpoint that everything here can read."""
    if not run.is_dir():
        raise NotFound(f"there is no folder `{run}`", hint="pass the `--out` of a training run")
    state = latest_state(run)
    if state is None:
        raise NotFound(f"`{run}` holds no state of a training run")
    need_no_others(target)
    words = choose_words(run, tokenizer, NANO_TOKENIZER)
    progress, values = read_run(state)
    shape = preset(from_dict(values).preset)
    with waiting("writing"):
        weights, _ = load_tensors(state)
        save_checkpoint(target, weights, shape)
    if words.resolve() != (target / FILE_NAME).resolve():
        shutil.copyfile(words, target / FILE_NAME)
    tell_story(run, target, progress, values)
    out().print(f"wrote the weights of step {progress.step} to {target}", markup=False)


def need_no_others(target: Path) -> None:
    """An export takes the place of an earlier one, never that of other weights."""
    has_weights = any(shard_paths(target, stem) for stem in STEMS.values())
    if has_weights and not (target / STORY).is_file():
        raise UserError(
            f"`{target}` has weights that are not from a run", hint="choose a new folder"
        )


def tell_story(run: Path, target: Path, progress: Progress, config: Mapping[str, Any]) -> None:
    """Beside the weights: the config they come from, how far it went, and every step's loss."""
    facts = {
        "step": progress.step,
        "decay_at": progress.decay_at,
        "end": progress.end,
        "elapsed_s": round(progress.elapsed_s),
        "num_tokens": progress.num_tokens,
        "num_trained": progress.num_trained,
        "num_trained_at_512_or_later": progress.num_far,
        "config": config,
    }
    (target / STORY).write_text(f"{json.dumps(facts, indent=1)}\n")
    log = run / LOG_NAME
    if log.exists():
        packed = gzip.compress(log.read_bytes(), mtime=0)
        (target / f"{LOG_NAME}.gz").write_bytes(packed)
