"""How often premise search finds a lemma that a reference proof names.

    .venv/bin/python lab/prove/premises.py [--with-definitions] [--show] [FOLDER]

For each theorem of a folder with proofs: the query is its statement alone, found is a library
theorem that its proof names, among the first 20. A proof that names none does not count.
"""

import argparse
import re
import statistics
import time
from pathlib import Path
from typing import NamedTuple

from bise.judge import WasmLean
from bise.prove.premises import Premises, open_premises
from bise.prove.source import Declaration, Source
from bise.prove.tools import definitions_behind

PROOFS = Path(__file__).parents[2] / "tests" / "prove" / "proofs"
FIRST = (1, 5, 20)
FAR = 100


class Measured(NamedTuple):
    """What came of it."""

    ranks: list[list[int]]
    """Of each proof, the places of the theorems it names; those not found are far away."""

    seconds: list[float]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=PROOFS)
    parser.add_argument("--with-definitions", action="store_true", help="that a statement names")
    parser.add_argument("--show", action="store_true", help="each proof, with its lemmas' places")
    flags = parser.parse_args()
    measured = measure(
        open_premises(WasmLean()),
        flags.folder,
        with_definitions=flags.with_definitions,
        show=flags.show,
    )
    print_table(*measured)


def measure(
    premises: Premises, folder: Path, *, with_definitions: bool = False, show: bool = False
) -> Measured:
    """Search for every proof of a folder."""
    ranks: list[list[int]] = []
    seconds: list[float] = []
    for path in sorted(folder.glob("**/*.lean")):
        source = Source(path.read_text())
        for one in source.declarations:
            if one.kind not in ("theorem", "lemma"):
                continue
            statement, proof = parts(source, one)
            wanted = lemmas(proof, premises)
            if not wanted:
                continue
            context = definitions_behind(source, statement) if with_definitions else ""
            start = time.perf_counter()
            found = premises.search(statement, limit=FAR, context=context)
            seconds.append(time.perf_counter() - start)
            order = {premise.name: place for place, premise in enumerate(found, 1)}
            ranks.append([order.get(name, 10 * FAR) for name in wanted])
            if show:
                places = ", ".join(f"{name} {order.get(name, '-')}" for name in wanted)
                mark = "+" if min(ranks[-1]) <= 20 else " "
                print(f"{mark} {path.stem}: {one.name}: {places}")
    return Measured(ranks, seconds)


def print_table(ranks: list[list[int]], seconds: list[float]) -> None:
    """Shares of proofs of which one lemma was found, and of all lemmas that were."""
    print(f"{len(ranks)} proofs that name a library theorem, {sum(map(len, ranks))} names")
    print("among the first   proofs with one found   lemmas found")
    for first in FIRST:
        one = sum(min(places) <= first for places in ranks)
        every = sum(place <= first for places in ranks for place in places)
        print(f"{first:>15}   {one / len(ranks):>21.0%}   {every / sum(map(len, ranks)):>12.0%}")
    print(f"a search takes {statistics.median(seconds) * 1000:.0f} ms (median)")


def parts(source: Source, one: Declaration) -> tuple[str, str]:
    """A theorem's statement and its proof."""
    text = source.text[one.start : one.end]
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter in "([{⟨⦃") - (letter in ")]}⟩⦄")
        if depth == 0 and (text.startswith(":=", at) or text.startswith("\n  |", at)):
            return text[:at], text[at:]
    return text, ""


def lemmas(proof: str, premises: Premises) -> list[str]:
    """Library theorems that a proof names; `List.mem_cons.mp` names `List.mem_cons`."""
    proof = re.sub(r"--[^\n]*|/-.*?-/", " ", proof, flags=re.DOTALL)
    found: dict[str, None] = {}
    for word in re.findall(r"[^\W\d][\w'!?.]*", proof):
        name = word.rstrip(".")
        while name:
            if premises.kind(name) == "theorem":
                found[name] = None
                break
            name = name.rpartition(".")[0]
    return list(found)


if __name__ == "__main__":
    main()
