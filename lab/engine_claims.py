"""What the engine is said to do, measured: gaps, requests a second, overhead, guesses that pay.

`python lab/engine_claims.py [PART ...]`; parts are gaps, rate, overhead, guesses, code. Torch
computes on one thread for nano, on all for `mid`. Medians of interleaved rounds, beside the
processor's name.
"""

import bisect
import configparser
import csv
import fnmatch
import heapq
import inspect
import json
import json.decoder
import json.encoder
import re
import shlex
import statistics
import sys
import textwrap
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from keyword import kwlist
from random import Random
from typing import Any

import torch
from torch import Tensor

from bise.commands.bench import find_network
from bise.engine import (
    Core,
    EngineConfig,
    Request,
    Sampling,
    Step,
    freeze_heap,
    make_core,
    make_runner,
    use_threads_for,
)
from bise.engine.runner import StepRunner, Work
from bise.evals import TASKS
from bise.evals.asking import Asker
from bise.face import load
from bise.train.start import processor


def random_request(rng: Random, prompt: int, new: int, vocab: int) -> Request:
    ids = rng.choices(range(min(1000, vocab // 2), vocab), k=prompt)
    sampling = Sampling(temperature=1.0, seed=rng.randrange(1 << 30))
    return Request(prompt_ids=ids, max_tokens=new, sampling=sampling, stop_ids=frozenset())


def steps_of(core: Core) -> Iterator[tuple[dict[int, Step], float]]:
    """Step until nothing is left: what was said, and when."""
    while not core.is_idle:
        told = core.step()
        yield told, time.perf_counter()


def run_down(core: Core) -> float:
    """Seconds until nothing is left."""
    started = time.perf_counter()
    for _ in steps_of(core):
        pass
    return time.perf_counter() - started


def gaps() -> None:
    """128 streams on nano; half of them come while the others talk, with long prompts."""
    network, _ = find_network("nano", None, EngineConfig())
    use_threads_for(network.config)
    for late_prompt in (64, 400):
        core, rng = make_core(network, EngineConfig(max_running=128), seed=0), Random(0)
        freeze_heap()
        last, waits = dict[int, float](), defaultdict[int, list[float]](list)
        late = [random_request(rng, late_prompt, 64, 2048) for _ in range(64)]
        for _ in range(64):
            core.add(random_request(rng, 64, 96, 2048))
        for told, at in steps_of(core):
            for number, step in told.items():
                if step.ids and number in last:
                    waits[number].append((at - last[number]) / len(step.ids))
                if step.ids:
                    last[number] = at
            if late and len(last) >= 64:
                core.add(late.pop())
        median = statistics.median(gap for row in waits.values() for gap in row)
        worst = max(max(row) for row in waits.values())
        print(
            f"gaps, late prompts of {late_prompt}: {len(waits)} streams, median "
            f"{median * 1e3:.1f} ms, largest {worst * 1e3:.1f} ms = {worst / median:.1f} x"
        )


def rate(name: str = "nano") -> None:
    """Requests a second of a steady crowd against what the cost of its steps predicts."""
    network, _ = find_network(name, None, EngineConfig())
    use_threads_for(network.config)
    vocab, streams, prompt, new, total = network.config.vocab_size, 16, 64, 48, 96
    ratios = []
    for round_ in range(3):
        plain = EngineConfig(max_running=streams, speculates=False)
        core, rng = make_core(network, plain, seed=0), Random(round_)
        costs = defaultdict[int, list[float]](list)
        for _ in range(streams):
            core.add(random_request(rng, prompt, new, vocab))
        while not core.is_idle:
            before = core.stats()
            at = time.perf_counter()
            core.step()
            after = core.stats()
            costs[after.num_step_tokens - before.num_step_tokens].append(time.perf_counter() - at)
        talk_s = statistics.median(costs[streams])
        read_s = max((sum(v), k) for k, v in costs.items() if k > 4 * streams)[0] / (
            streams * prompt
        )
        predicted = total / (total * prompt * read_s + total * (new - 1) / streams * talk_s)
        for _ in range(total):
            core.add(random_request(rng, prompt, new, vocab))
        found = total / run_down(core)
        ratios.append(found / predicted)
        print(
            f"rate: {found:.2f} requests/s, predicted {predicted:.2f}, "
            f"ratio {found / predicted:.3f}"
        )
    print(f"rate: median ratio {statistics.median(ratios):.3f}")


def overhead(name: str = "mid") -> None:
    """Share of a step that is not the network, at 64 streams."""
    network, dtype = find_network(name, None, EngineConfig())
    use_threads_for(network.config)
    core, rng = make_core(network, EngineConfig(max_running=64), seed=0), Random(0)
    for _ in range(64):
        core.add(random_request(rng, 64, 40, network.config.vocab_size))
    while any(one.num_missing > 16 for one in core.scheduler.running) or core.scheduler.waiting:
        core.step()
    before = core.stats()
    run_down(core)
    after = core.stats()
    parts = {
        part: getattr(after, f"{part}_s") - getattr(before, f"{part}_s")
        for part in ("plan", "compute", "choose", "draft")
    }
    whole, steps = sum(parts.values()), after.num_steps - before.num_steps
    shares = ", ".join(f"{part} {100 * took / whole:.2f} %" for part, took in parts.items())
    print(f"overhead on {name} {dtype}, 64 streams, {whole / steps * 1e3:.1f} ms a step: {shares}")


def guesses() -> None:
    """nano's skills with and without guessing ahead, interleaved."""
    model = load("nano")
    use_threads_for(model.config)
    asker = Asker(model.loaded.network, model.loaded.chat)
    kinds = {
        "text copy": ("text", ("copy", "replace", "long copy"), "none"),
        "text thinking": ("text", ("copy", "replace", "reverse", "sort"), "high"),
        "chain": ("chain", None, "high"),
        "self": ("self", None, "none"),
        "random": (None, None, "none"),
    }
    for label, (task, levels, effort) in kinds.items():
        rng, requests = Random(1), list[Request]()
        for number in range(24):
            if task is None:
                requests.append(random_request(rng, 64, 64, 2048))
                continue
            chosen = levels[number % len(levels)] if levels else None
            example = TASKS[task].sample(
                rng, chosen or list(TASKS[task].levels)[number % 3], "held_out"
            )
            requests.append(asker.request(example, effort))
        for streams in (1, 8):
            took, per_step = {True: list[float](), False: list[float]()}, dict[bool, float]()
            for _ in range(3):
                for is_on in (True, False):
                    config = EngineConfig(max_running=streams, speculates=is_on)
                    core = make_core(model.loaded.network, config, seed=0)
                    for one in requests:
                        core.add(one)
                    before = time.process_time()  # of one thread: neighbours do not count
                    run_down(core)
                    took[is_on].append(time.process_time() - before)
                    stats = core.stats()
                    per_step[is_on] = stats.num_generated_tokens / stats.num_steps
            speed = statistics.median(took[False]) / statistics.median(took[True])
            more = per_step[True] / per_step[False]
            print(
                f"guesses, {label}, {streams} streams: {more:.2f} x tokens a step, "
                f"{speed:.2f} x speed"
            )


EDITED = (textwrap, heapq, csv, bisect, fnmatch, json.decoder, json.encoder, configparser, shlex)
"""Modules whose functions are edited."""


def edits(rng: Random, count: int) -> list[tuple[str, str]]:
    """Functions before and after an edit: a name changed, a line in, a line out."""
    found = list[tuple[str, str]]()
    for module in EDITED:
        for _, one in inspect.getmembers(module, inspect.isfunction):
            before = inspect.getsource(one)
            lines = before.splitlines(keepends=True)
            if not 12 <= len(lines) <= 60:
                continue
            at = rng.randrange(2, len(lines) - 1)
            indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
            names = sorted(set(re.findall(r"\b[a-z_]{4,}\b", before)) - set(kwlist))
            found += [
                (before, re.sub(rf"\b{rng.choice(names)}\b", "renamed_value", before)),
                (before, "".join([*lines[:at], f"{indent}count += 1\n", *lines[at:]])),
                (before, "".join([*lines[:at], *lines[at + 1 :]])),
            ]
    return rng.sample(found, count)


class Scripted:
    """A runner that computes what it must, and then says what a script says."""

    def __init__(self, runner: StepRunner, texts: Sequence[list[int]], stop: int):
        """texts: prompts and replies, whole"""
        self._runner, self._texts, self._stop = runner, texts, stop
        self._by_page = dict[int, list[int]]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runner, name)

    @torch.inference_mode()
    def compute(self, works: Sequence[Work], *asked: list[Tensor] | None) -> Tensor:
        logits = self._runner.compute(works, *asked)
        said = list[int]()
        for work in works:
            page = work.pages[0]
            if work.start == 0:
                begun = list(work.ids)
                self._by_page[page] = next(
                    text for text in self._texts if text[: len(begun)] == begun
                )
            text = [*self._by_page[page], self._stop]
            end = work.start + len(work.ids)
            wanted = range(end - work.num_wanted + 1, end + 1)
            said += [text[min(place, len(text) - 1)] for place in wanted]
        return logits.zero_().scatter_(1, torch.tensor(said)[:, None], 9.0)


def code() -> None:
    """Edits of code with and without guessing ahead: nano's cost, a script's words."""
    model = load("nano")
    use_threads_for(model.config)
    tokenizer = model.loaded.chat.tekken
    stop = model.config.vocab_size - 1
    asked, texts = list[Request](), list[list[int]]()
    for number, (before, after) in enumerate(edits(Random(2), 24)):
        prompt = tokenizer.encode(f"{number}. Edit this function.\n```python\n{before}```\n")
        reply = tokenizer.encode(f"```python\n{after}```\n")
        if len(prompt) + len(reply) > model.config.max_positions:
            continue
        sampling = Sampling(temperature=0.0)
        asked.append(
            Request(
                prompt_ids=prompt,
                max_tokens=len(reply) + 1,
                sampling=sampling,
                stop_ids=frozenset({stop}),
            )
        )
        texts.append(prompt + reply)
    for streams in (1, 8):
        took, per_step = {True: list[float](), False: list[float]()}, dict[bool, float]()
        for _ in range(3):
            for is_on in (True, False):
                config = EngineConfig(max_running=streams, speculates=is_on, shares_prefixes=False)
                runner = Scripted(make_runner(model.loaded.network, config), texts, stop)
                core = Core(runner, streams, shares_prefixes=False, speculates=is_on)
                for one in asked:
                    core.add(one)
                before_s = time.process_time()
                run_down(core)
                took[is_on].append(time.process_time() - before_s)
                stats = core.stats()
                per_step[is_on] = stats.num_generated_tokens / stats.num_steps
        speed = statistics.median(took[False]) / statistics.median(took[True])
        print(
            f"code edits, {len(asked)} functions, {streams} streams: "
            f"{per_step[True] / per_step[False]:.2f} x tokens a step, {speed:.2f} x speed"
        )


PARTS = {"gaps": gaps, "rate": rate, "overhead": overhead, "guesses": guesses, "code": code}

if __name__ == "__main__":
    print(json.dumps({"processor": processor(), "torch": torch.__version__}))
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
