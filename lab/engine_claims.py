"""What the engine is said to do, measured: gaps, requests a second, overhead, guesses that pay.

`python lab/engine_claims.py [PART ...]`; parts are gaps, rate, overhead, guesses. Torch computes on
one thread for nano, on all for `mid`. Medians of interleaved rounds; the processor is named.
"""

import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from random import Random

import torch

from bise.commands.bench import find_network
from bise.engine import Core, EngineConfig, Request, Sampling, Step, make_core, use_threads_for
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


PARTS = {"gaps": gaps, "rate": rate, "overhead": overhead, "guesses": guesses}

if __name__ == "__main__":
    print(json.dumps({"processor": processor(), "torch": torch.__version__}))
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
