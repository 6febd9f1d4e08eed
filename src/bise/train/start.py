"""Set a run up: tokenizer, skills, processes; and a look at held-out questions now and then."""

import fcntl
import platform
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random

import torch

from bise.engine import EngineConfig
from bise.errors import UserError
from bise.evals.asking import Asker
from bise.evals.chain import Chain
from bise.evals.task import Example, Task
from bise.model.presets import preset
from bise.text import ChatFormat, Tekken
from bise.train.checks import check_device, check_processes, check_same, check_skills
from bise.train.config import TrainConfig, from_dict
from bise.train.feed import Recipe
from bise.train.limits import Limits
from bise.train.log import Log
from bise.train.loop import train
from bise.train.ranks import Ranks, launch
from bise.train.run import Run
from bise.train.state import Progress, latest_state, read_run
from bise.train.words import check_words, choose_words, keep_words

EFFORTS = ("none", "high")
LOCK = "lock"
MAX_REPLY_TOKENS = 480


def start(
    folder: Path,
    config: TrainConfig,
    limits: Limits,
    tasks: Mapping[str, Task],
    *,
    tokenizer: Path,
    processes: int,
    device: str = "cpu",
    makers: int = 0,
    is_quiet: bool = False,
) -> None:
    """Train in `folder`, or go on with what lies there, if it was begun with the same config.

    tokenizer: copied into `folder`, and read from there
    processes: that share a step, each with a part of it; a GPU takes one
    makers: processes that make samples ahead of time; 0: those that train do it themselves
    """
    saved = latest_state(folder)
    progress = Progress()
    if saved is not None:
        progress, kept = read_run(saved)
        check_same(from_dict(kept), config)
    if device != "cpu":
        check_device(device, processes)
    check_processes(config, processes, makers)
    check_skills(config, tasks)
    limits.check(progress)
    check_words(choose_words(folder, tokenizer, tokenizer), preset(config.preset).vocab_size)
    folder.mkdir(parents=True, exist_ok=True)
    clean = {**tasks, "chain": Chain(slip_share=0.0)} if "chain" in tasks else dict(tasks)
    with _alone(folder):
        words = keep_words(folder, tokenizer)
        recipe = Recipe(config, words, dict(tasks), clean)
        launch(processes, _work, folder, recipe, limits, device, makers, is_quiet)


@contextmanager
def _alone(folder: Path) -> Generator[None, None, None]:
    """Two that train in one folder would write over each other's states."""
    with (folder / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"another process is training in `{folder}`",
                hint="wait until it is done, or choose another folder with `--out`",
            ) from None
        yield


def _work(
    ranks: Ranks,
    folder: Path,
    recipe: Recipe,
    limits: Limits,
    device: str,
    makers: int,
    is_quiet: bool,
) -> None:
    if device != "cpu":
        torch.set_num_threads(1)  # more would wait for cores that makers hold
    run = Run(folder, recipe, ranks, device=device, makers=makers)
    chat = ChatFormat(Tekken.from_file(recipe.tokenizer))

    def show(line: str) -> None:
        if not is_quiet:
            sys.stderr.write(line)
            sys.stderr.flush()

    def look(run: Run) -> Mapping[str, float]:
        return look_at(run, chat)

    log = Log(folder, show, is_on=ranks.is_first)
    log.begin(run, {"torch": torch.__version__, "processor": processor(), "commit": commit()})
    try:
        train(run, limits, log, look if run.config.eval_every else None)
    finally:
        run.feed.close()


def processor() -> str:
    """The name the machine gives its processor."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def commit() -> str:
    """The commit this code is at, or nothing outside of a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short=12", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def look_at(run: Run, chat: ChatFormat) -> dict[str, float]:
    """Score held-out examples of every skill in both efforts, greedily, shared among the ranks."""
    config, ranks = run.config, run.ranks
    asked: list[tuple[str, Task, Example, str]] = []
    for name in config.mix.shares:
        task = run.recipe.tasks[name]
        for effort in EFFORTS:
            rng = Random(f"look/{config.seed}/{name}")  # the same questions at every look
            for number in range(config.eval_examples):
                level = task.levels[number % len(task.levels)]
                example = task.sample(rng, level, "held_out")
                asked.append((f"{name} {effort}", task, example, effort))
    own = asked[ranks.rank :: ranks.world]
    ask = Asker(
        run.network,
        chat,
        max_tokens=MAX_REPLY_TOKENS,
        thinking_temperature=0.0,
        dtype=run.dtype,
        config=EngineConfig(backend="torch"),  # packing would round what is being trained
    )
    replies = ask([(example, effort) for _, _, example, effort in own])
    right: dict[str, float] = {}
    for (name, task, example, _), reply in zip(own, replies, strict=True):
        right[name] = right.get(name, 0.0) + task.grade(example, reply.answer)
    names = [f"{name} {effort}" for name in config.mix.shares for effort in EFFORTS]
    totals = ranks.sum_(torch.tensor([right.get(name, 0.0) for name in names]))
    return {n: v / config.eval_examples for n, v in zip(names, totals.tolist(), strict=True)}
