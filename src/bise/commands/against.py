"""`bise bench MODEL --against PEER`: other engines, or Small 3's network, beside ours."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from bise.commands.show import err, out
from bise.errors import UserError
from bise.model.config import ModelConfig
from bise.model.packed import WeightKind
from bise.peers.compare import Cell, Comparison, ComparisonConfig, Progress, compare, title
from bise.peers.floors import step_bytes, token_operations
from bise.peers.ours import open_source
from bise.peers.peer import Ours, Peer, parse_peer
from bise.peers.small3 import Generations, compare_generations
from bise.train.start import commit, processor


def run_against(
    model: str,
    against: Sequence[str],
    *,
    weights: WeightKind,
    prompt_tokens: Sequence[int],
    streams: Sequence[int],
    new_tokens: int,
    rounds: int,
    positions: int,
    as_json: bool,
) -> None:
    """Measure, and print tables or JSON."""
    kind: WeightKind = "bf16" if weights == "stored" else weights
    with err().status("comparing") as status:

        def told(words: str) -> None:
            status.update(Text(words, style="dim"))

        if "small3" in against:
            if len(against) > 1:
                raise UserError("`small3` is compared alone", hint="leave the other peers out")
            found = compare_generations(kind, rounds, told)
        else:
            plan = ComparisonConfig(new_tokens=new_tokens, rounds=rounds, positions=positions)
            if prompt_tokens:
                plan = dataclasses.replace(plan, prompt_tokens=tuple(sorted(prompt_tokens)))
            if streams:
                plan = dataclasses.replace(plan, streams=tuple(sorted(streams)))
            peers = [parse_peer(text, kind) for text in against]
            found = _Report(*_compared(model, kind, peers, plan, told))
    facts = {"model": model, "processor": processor(), "commit": commit()}
    if as_json:
        rows = _generation_rows(found) if isinstance(found, Generations) else found.rows()
        out().print(json.dumps({**facts, **rows}, indent=1), markup=False)
        return
    caption = ", ".join(value for value in facts.values() if value)
    if isinstance(found, Generations):
        show_generations(found, caption)
    else:
        found.show(caption)


def _compared(
    model: str, kind: WeightKind, peers: Sequence[Peer], plan: ComparisonConfig, told: Progress
) -> tuple[Comparison, ModelConfig, ComparisonConfig, list[Peer]]:
    source, ours = open_source(model), Ours(model, kind)
    found = compare(source, [ours], peers, plan, told)
    return found, source.config, plan, [ours, *peers]


class _Report:
    """What came of a comparison, ours first."""

    def __init__(
        self,
        found: Comparison,
        config: ModelConfig,
        plan: ComparisonConfig,
        peers: Sequence[Peer],
    ):
        self.found, self.config, self.plan, self.peers = found, config, plan, peers
        self.ours = title(peers[0])
        self.bandwidth = found.machine(self.ours, "bandwidth")
        self.peak = found.machine(self.ours, "peak")[0]

    def floor(self, peer: Peer, cell: Cell) -> float:
        """Tokens a second that the machine allows: operations for reading, bytes for writing."""
        if cell.part == "prefill":
            return self.peak / token_operations(self.config, cell.size / 2)
        touched = self.found.measured[self.ours, cell.part, cell.size].numbers(1)
        context = self.plan.context_tokens + self.plan.new_tokens // 2
        read = step_bytes(self.config, peer.format, cell.size, context, touched[0])
        return cell.size * max(self.bandwidth) / read

    def rows(self) -> dict[str, Any]:
        """For JSON."""
        cells = [
            {
                "part": cell.part,
                "size": cell.size,
                "engine": title(peer),
                "tokens_per_s": self.found.speed(title(peer), cell),
                "rounds": [cell.tokens / taken for taken in measured.numbers()],
                "floor": self.floor(peer, cell),
                "is_quiet": measured.is_quiet,
                "others": [answer.others for answer in measured.answers],
            }
            for cell in self.found.cells
            for peer in self.peers
            for measured in [self.found.measured[title(peer), cell.part, cell.size]]
        ]
        return {
            "engines": self.found.about,
            "bytes_per_s": {"plain": self.bandwidth[0], "product": self.bandwidth[1]},
            "operations_per_s": self.peak,
            "all_in_memory": self.found.stayed,
            "plan": dataclasses.asdict(self.plan),
            "whole_rounds": self.found.rounds,
            "cells": cells,
            "accuracy": {
                engine: dataclasses.asdict(one) for engine, one in self.found.accuracy.items()
            },
        }

    def show(self, caption: str) -> None:
        plain, product = (value / 1e9 for value in self.bandwidth)
        lines = [caption, *(f"{name}: {about}" for name, about in self.found.about.items())]
        lines += [
            f"reading {plain:.1f} GB/s plainly, {product:.1f} as a product;"
            f" {self.peak / 1e12:.2f} T operations/s in 512 rows",
            f"medians of {self.found.rounds} rounds; * others used the processors meanwhile",
        ]
        table = Table(box=None, pad_edge=False, caption="\n".join(lines), caption_justify="left")
        table.add_column("tokens/s", no_wrap=True)
        for peer in self.peers:
            table.add_column(title(peer), justify="right")
            table.add_column("of floor", justify="right")
        for peer in self.peers[1:]:
            table.add_column(f"to {title(peer)}", justify="right")
        for cell in self.found.cells:
            table.add_row(*self._row(cell))
        for name, words in (
            ("KL", "{0.divergence:.5f}"),
            ("same first choice", "{0.agreement:.2%}"),
        ):
            if self.found.accuracy:
                values = (words.format(self.found.accuracy[title(peer)]) for peer in self.peers)
                table.add_row(name, *(part for value in values for part in (value, "")))
        out().print(table)

    def _row(self, cell: Cell) -> list[str]:
        speeds, row = list[float](), [f"{cell.part} {cell.size}"]
        for peer in self.peers:
            speed = self.found.speed(title(peer), cell)
            measured = self.found.measured[title(peer), cell.part, cell.size]
            speeds.append(speed)
            row += [
                f"{speed:,.1f}{'' if measured.is_quiet else '*'}",
                f"{speed / self.floor(peer, cell):.0%}",
            ]
        return [*row, *(f"{speeds[0] / speed:.2f}x" for speed in speeds[1:])]


def _generation_rows(found: Generations) -> dict[str, Any]:
    streams = [
        {
            "streams": num,
            "requests_per_s": dataclasses.asdict(found.requests[num]),
            "bound": dataclasses.asdict(found.bounds[num]),
            "memory_bytes": dataclasses.asdict(found.memory_bytes[num]),
        }
        for num in found.requests
    ]
    is_quiet = all(one.is_quiet for one in found.comparison.measured.values())
    return {
        "completion_s": dataclasses.asdict(found.completion_s),
        "streams": streams,
        "engines": found.comparison.about,
        "is_quiet": is_quiet,
    }


def show_generations(found: Generations, caption: str) -> None:
    lines = [caption, *(f"{name}: {about}" for name, about in found.comparison.about.items())]
    if not all(one.is_quiet for one in found.comparison.measured.values()):
        lines.append("others used the processors meanwhile")
    table = Table(box=None, pad_edge=False, caption="\n".join(lines), caption_justify="left")
    for name in ("", "small4_mini", "small3_mini", "ratio", "bound of ratio"):
        table.add_column(name, justify="right" if name else "left")
    done = found.completion_s
    table.add_row(
        "512 in, 128 out, alone: s", f"{done.small4:.2f}", f"{done.small3:.2f}", f"{done.ratio:.2f}"
    )
    for num, pair in found.requests.items():
        numbers = (f"{pair.small4:.3f}", f"{pair.small3:.3f}", f"{pair.ratio:.2f}")
        table.add_row(f"requests/s, {num} streams", *numbers, f"{found.bounds[num].ratio:.2f}")
    num, pair = max(found.memory_bytes.items())
    sizes = (f"{size / 1e9:.1f}" for size in (pair.small4, pair.small3))
    table.add_row(f"weights and cache, {num} streams: GB", *sizes, f"{pair.ratio:.2f}")
    out().print(table)
