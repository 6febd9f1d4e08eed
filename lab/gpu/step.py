"""What a training step of a preset costs on this machine's card, by batch size, and where it goes.

python lab/gpu/step.py [PRESET] [--device cuda] [--makers 14] [--parts 8,16] [--profile FILE]

For every number of parts: seconds of a step alone (batches kept on the card), seconds with makers
feeding it, and what makers alone could give. One line each, JSON.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import torch

from bise.evals import TASKS
from bise.model.hub import ASSETS
from bise.train.batches import merge
from bise.train.config import TrainConfig
from bise.train.feed import Recipe
from bise.train.ranks import Ranks
from bise.train.run import Run
from bise.train.step import train_step


def main() -> None:
    args = argparse.ArgumentParser()
    args.add_argument("preset", nargs="?", default="nano")
    args.add_argument("--device", default="cuda")
    args.add_argument("--makers", type=int, default=14)
    args.add_argument("--parts", default="8,16")
    args.add_argument("--part-tokens", type=int, default=8192)
    args.add_argument("--seconds", type=float, default=12.0)
    args.add_argument("--tokenizer", type=Path, default=ASSETS / "nano" / "tekken.json")
    args.add_argument("--profile", type=Path)
    given = args.parse_args()
    torch.set_num_threads(1)  # as `start` does on a card
    for parts in map(int, given.parts.split(",")):
        measure(given, parts)


def measure(given: argparse.Namespace, parts: int) -> None:
    config = TrainConfig(
        preset=given.preset, parts=parts, part_tokens=given.part_tokens, eval_every=0
    )
    recipe = Recipe(config, given.tokenizer, TASKS, TASKS)
    run = Run(Path(tempfile.mkdtemp()), recipe, Ranks(), device=given.device, makers=given.makers)
    try:
        run.progress.step = 2000  # full range of difficulty
        kept = [merge(run.feed.take(2000 + i, run.schedule)) for i in range(4)]
        kept = [[batch.to(run.device) for batch in step] for step in kept]
        run.progress.step += 4

        def step_alone(number: int) -> None:
            train_step(
                run.network,
                kept[number % 4],
                run.optimiser,
                config=config.loss,
                dtype=run.dtype,
                rate_factor=0.1,
                step=number,
                ranks=Ranks(),
            )

        alone = timed(step_alone, given.seconds / 2)
        fed = timed(lambda _: run.step(), given.seconds)
        made = timed(
            lambda i: run.feed.take(run.progress.step + i, run.schedule), given.seconds / 2
        )
        tokens = parts * config.part_tokens
        report = {
            "preset": given.preset,
            "step_tokens": tokens,
            "alone_ms": round(1e3 * alone, 1),
            "fed_ms": round(1e3 * fed, 1),
            "made_ms": round(1e3 * made, 1),
            "tokens_per_s": round(tokens / fed),
            "trained_share": round(sum(b.num_trained for b in kept[0]) / tokens, 3),
        }
        if run.device.type == "cuda":
            report["card"] = torch.cuda.get_device_name()
            report["peak_gib"] = round(torch.cuda.max_memory_allocated() / 2**30, 2)
        print(json.dumps(report), flush=True)
        if given.profile is not None:
            given.profile.write_text(profile(step_alone))
            given.profile = None  # once
    finally:
        run.feed.close()


def timed(step, seconds: float) -> float:
    """Mean seconds of a step, the first tenth and a warm-up left out."""
    for number in range(5):
        step(number)
    spent: list[float] = []
    end = time.perf_counter() + seconds
    number = 5
    while time.perf_counter() < end or len(spent) < 3:
        start = time.perf_counter()
        step(number)
        spent.append(time.perf_counter() - start)
        number += 1
    return statistics.fmean(spent[len(spent) // 10 :])


def profile(step) -> str:
    """Three steps by kernel and by call."""
    kinds = [torch.profiler.ProfilerActivity.CPU]
    sort = "self_cpu_time_total"
    if torch.cuda.is_available():
        kinds.append(torch.profiler.ProfilerActivity.CUDA)
        sort = "self_cuda_time_total"
    with torch.profiler.profile(activities=kinds) as seen:
        for number in range(3):
            step(number)
    table = seen.key_averages()
    return str(table.table(sort_by=sort, row_limit=60, max_name_column_width=90)) + str(
        table.table(sort_by="self_cpu_time_total", row_limit=25, max_name_column_width=60)
    )


if __name__ == "__main__":
    main()
