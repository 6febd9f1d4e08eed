"""`bise bench`: how fast the engine is here, with any model or a preset's random weights."""

import dataclasses
import json
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.table import Table
from rich.text import Text

from bise.commands.outputs import need_file
from bise.commands.show import err, loading_bar, out
from bise.engine import (
    Backend,
    Core,
    EngineConfig,
    freeze_heap,
    make_core,
    use_threads_for,
    uses_core,
)
from bise.engine.bench import BenchConfig, Measure, bench
from bise.errors import UserError, quoted
from bise.model import Network, load_eagle, preset
from bise.model.cache import CacheKind
from bise.model.convert import Progress
from bise.model.hub import is_shape
from bise.model.initial import initialise
from bise.model.packed import PackedNetwork, WeightKind
from bise.model.packed_source import FromRandom
from bise.ops.cpu.library import describe
from bise.ops.cpu.pool import num_workers
from bise.serve.loading import DTYPES, DType, best_dtype, load_model
from bise.train.start import processor

PICTURES = (".png", ".svg", ".pdf")
"""What `--picture` is drawn as."""


def run_bench(
    name: str,
    *,
    dtype: str | None,
    eagle: str | None,
    backend: Backend,
    weights: WeightKind,
    memory_bytes: int,
    prompt_tokens: list[int],
    streams: list[int],
    new_tokens: int,
    repeats: int,
    is_exact: bool,
    cache: CacheKind,
    plain: bool,
    as_json: bool,
    picture: Path | None,
) -> None:
    """Measure, and print a table or JSON."""
    if picture is not None:
        need_picture(picture)
    started = time.perf_counter()
    engine = EngineConfig(
        is_exact=is_exact,
        cache_kind=cache,
        backend=backend,
        weights=weights,
        memory_bytes=memory_bytes,
        shares_prefixes=not plain,
        speculates=not plain,
    )
    with loading_bar(f"reading {name}") as progress:
        network, dtype = find_network(name, dtype, engine, progress)
        head = None if eagle is None else load_eagle(eagle, network.config, DTYPES[dtype])
    use_threads_for(network.config)
    freeze_heap()
    load_s = time.perf_counter() - started
    config = BenchConfig(new_tokens=new_tokens, repeats=repeats)
    if prompt_tokens:
        config = dataclasses.replace(config, prompt_tokens=tuple(sorted(prompt_tokens)))
    if streams:
        config = dataclasses.replace(config, streams=tuple(sorted(streams)))

    def fresh_core(num: int) -> Core:
        return make_core(network, dataclasses.replace(engine, max_running=num), head=head, seed=0)

    console = err()
    lines = [Measure("loading", dtype, "s", load_s, load_s, load_s)]
    with console.status("measuring") as status:
        lines += bench(fresh_core, config, lambda words: status.update(Text(words, style="dim")))
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30
    lines.append(Measure("memory", "at its most", "GiB", peak, peak, peak))
    facts = {
        "model": name,
        "dtype": dtype,
        "processor": processor(),
        "deterministic": is_exact,
        "cache": cache,
        **computed_by(network),
    }
    if as_json:
        rows = [dataclasses.asdict(line) for line in lines]
        out().print(json.dumps({**facts, "measures": rows}, indent=1), markup=False)
    else:
        show_table(lines, ", ".join(f"{key} {value}" for key, value in facts.items()))
    if picture is not None:
        draw(lines, picture, name)


def find_network(
    name: str, dtype: str | None, engine: EngineConfig, progress: Progress | None = None
) -> tuple[Network | PackedNetwork, DType]:
    """A checkpoint's network, or a preset's with random weights if it ships none."""
    if not is_shape(name):
        loaded = load_model(name, dtype, config=engine, progress=progress)
        return loaded.computing, loaded.dtype
    if engine.memory_bytes:
        raise UserError(
            "a budget of memory is for packed weights", hint=f"pack them: `bise pack {name} FOLDER`"
        )
    chosen = best_dtype(preset(name)) if dtype is None else dtype
    if chosen not in DTYPES:
        raise UserError(f"`dtype` is `{chosen}`, expected bfloat16 or float32")
    if uses_core(engine):
        return PackedNetwork(FromRandom(preset(name)), engine.weights, progress), chosen
    network = initialise(Network(preset(name)), seed=0, zero_outputs=False)
    return network.to(DTYPES[chosen]).eval(), chosen


def computed_by(network: Network | PackedNetwork) -> dict[str, str | int]:
    """What executes the steps."""
    if isinstance(network, Network):
        return {"backend": "torch", "threads": torch.get_num_threads()}
    return {"backend": f"core {describe()}", "threads": num_workers(), "weights": network.kind}


def show_table(lines: Sequence[Measure], caption: str) -> None:
    table = Table(box=None, pad_edge=False, caption=caption, caption_justify="left")
    for title in ("", "with", "median", "lowest", "highest", ""):
        table.add_column(
            title, justify="right" if title in ("median", "lowest", "highest") else "left"
        )
    for line in lines:
        numbers = (f"{value:,.1f}" for value in (line.median, line.low, line.high))
        table.add_row(line.part, line.setting, *numbers, line.unit)
    out().print(table)


def need_picture(path: Path) -> None:
    """A file that can be drawn into, by its name too."""
    need_file(path)
    if path.suffix.lower() not in PICTURES:
        raise UserError(
            f"`{path}` is no name for a picture", hint=f"end it with {quoted(PICTURES)}"
        )


def draw(lines: Sequence[Measure], path: Path, name: str) -> None:
    """Two bars charts: reading by length, writing by streams."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    drawn, axes = pyplot.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    for axis, part in zip(axes, ("prefill", "decode"), strict=True):
        rows = [line for line in lines if line.part == part]
        errors = [[r.median - r.low for r in rows], [r.high - r.median for r in rows]]
        axis.bar([r.setting for r in rows], [r.median for r in rows], yerr=errors, capsize=4)
        axis.set_title(f"{name}: {part}, tokens/s")
        axis.spines[["top", "right"]].set_visible(False)
    drawn.savefig(path, dpi=150)
    pyplot.close(drawn)
