"""Finds what the library has for a goal, a pattern or a few words, without Lean and offline.

    premises = open_premises(lean)              # made once, a minute; then 0.3 s
    premises.search("length of append")         # words and names
    premises.search("List.length (_ ++ _)")     # a pattern: `_` is anything, `?a` the same anything
    premises.search("⊢ xs.reverse.length = n")  # a goal or a statement

A goal is compared with statements by the constants they have in common, weighted by how rare they
are. What a statement has beyond that counts against it, the less the more often it is seen together
with what the goal has. Which function is applied to which counts too, and how the statement ends.
"""

import re
import zipfile
import zlib
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from bise.judge.backend import LeanBackend
from bise.judge.constants import KINDS
from bise.judge.install import lean_home
from bise.prove.leanings import (
    BEHIND,
    COMING,
    EXPECTED,
    GIVEN,
    GOAL_SHARE,
    GOAL_SLACK,
    GOAL_SUM,
    KIN,
    NUMBERS,
    OF_KIND,
    SHORT,
    SYNONYMS,
    TYPED,
    UNKNOWN,
    UNSEEN,
    WEIGHTS,
    WORKHORSE,
    prior_of,
    workhorses,
)
from bise.prove.library_index import (
    BLOCK,
    DEPRECATED,
    GRIND,
    SIMP,
    VERSION,
    Told,
    build,
    save,
    words_of,
)
from bise.prove.queries import Query, Tree, matches, read_context, read_query

NOT_WHOLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile)
"""What reading a file of arrays can end in."""

LONGEST_QUERY = 20_000
"""Characters; what follows is not read."""

MAX_MATCHED = 3_000
"""Statements that a pattern is held against."""

FEW = 400
"""The best by features, which are then compared more closely."""

PATTERN = re.compile(r"(?<![\w'!?.])(?:_(?![\w'])|\?[a-z_]\w*)")
"""A query with a hole in it is a pattern."""

SYMBOLS = re.compile(r"[^\w\s.'!?«»]")
"""A query with anything else than names in it is a goal."""


@dataclass(frozen=True, slots=True)
class Premise:
    """A declaration of the library."""

    name: str
    type: str
    """As `#check` would say it, behind the name; long ones are cut."""

    module: str
    kind: str


def open_premises(
    lean: LeanBackend, *, home: Path | None = None, told: Told = lambda _done, _all: None
) -> "Premises":
    """The index of a Lean's library; made, which takes a minute, if it is not in the cache yet.

    home: the folder that the index is kept in. told: hears modules done and modules in all.
    """
    path = index_of(lean, home)
    try:
        return Premises(path)
    except NOT_WHOLE:  # or not there: it is only a cache
        save(path, build(lean, told))
        for other in path.parent.glob("premises-*.npz"):
            if other != path:  # of a Lean that was here before, or of an older form
                other.unlink(missing_ok=True)
        return Premises(path)


def index_of(lean: LeanBackend, home: Path | None = None) -> Path:
    """The file that the index of a Lean's library is in, or will be."""
    return (home or lean_home()) / f"premises-{lean.identity.library[:16]}-{VERSION}.npz"


class Premises:
    """An index, ready to be asked. Threads may share one."""

    def __init__(self, path: Path):
        """Raises one of `NOT_WHOLE` if the file is not there or not as it was written."""
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
        self._names_blob = arrays["names"].tobytes()
        self._modules = _lines(arrays["modules"])
        self._kinds, self._homes, self._marks = (arrays[one] for one in ("kinds", "homes", "marks"))
        self._terms = {word: at for at, word in enumerate(_lines(arrays["terms"]))}
        self._forward, self._starts = arrays["forward"], arrays["starts"]
        self._postings, self._ends = arrays["postings"], arrays["ends"]
        self._types, self._blocks = arrays["types"], arrays["blocks"]
        counts = np.diff(self._ends, prepend=0)
        self._idf = np.log1p(len(self) / np.maximum(counts, 1)).astype(np.float32)
        self._prior = self._priors()

    def __len__(self) -> int:
        return len(self._homes)

    def search(self, query: str, limit: int = 20, *, context: str = "") -> list[Premise]:
        """The most promising declarations, best first; none if nothing in the query is known.

        context: definitions that a goal rests on; what they are made of is looked for too.
        """
        return [self.premise(int(row)) for row in self.order(query, context)[:limit]]

    def order(self, query: str, context: str = "") -> np.ndarray:
        """Numbers of declarations, the most promising first."""
        text = query[:LONGEST_QUERY].strip()
        if not text:
            return np.zeros(0, np.int64)
        if PATTERN.search(text):
            return self._by_pattern(text)
        if SYMBOLS.search(text):
            return self._by_goal(read_query(text), read_context(context[:LONGEST_QUERY]))
        return self._by_words(text)

    def kind(self, name: str) -> str | None:
        """What a declaration is, if there is one of that name."""
        row = self._row_of.get(name)
        return None if row is None else KINDS[self._kinds[row]]

    def premise(self, row: int) -> Premise:
        """A declaration by its number in the index."""
        return Premise(
            name=self.names[row],
            type=self._type(row),
            module=self._modules[self._homes[row]],
            kind=KINDS[self._kinds[row]],
        )

    @cached_property
    def names(self) -> list[str]:
        """All names, in the order of the index."""
        return self._names_blob.decode().split("\n")

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.names)}

    def _type(self, row: int) -> str:
        block, at = divmod(row, BLOCK)
        packed = self._types[self._blocks[block] : self._blocks[block + 1]]
        return zlib.decompress(packed.tobytes()).decode().split("\n")[at]

    # Words

    def _by_words(self, text: str) -> np.ndarray:
        """Words of names, then words of what types speak of; names written out come first."""
        scores = np.zeros(len(self), np.float32)
        lengths = np.zeros(len(self), np.float32)
        for word in dict.fromkeys(words_of(text)):
            for one, weight in ((word, 1.0), (SYNONYMS.get(word, ""), 1.0)):
                at = self._terms.get(f"n:{one}")
                if at is not None:
                    scores[self._rows(at)] += weight * self._idf[at]
                at = self._terms.get(f"t:{one}")
                if at is not None:
                    lengths[self._rows(at)] += 0.3 * weight * self._idf[at]
        scores = scores * np.sqrt(scores / (self._name_weight + 4.0)) + lengths
        scores *= self._prior
        for name in text.split():
            rows = self._named(name)
            if len(rows):
                scores[rows] += 50.0 * self._prior[rows]
        return _best(scores, FEW)

    def _named(self, name: str) -> np.ndarray:
        """Declarations that are called so, or begin so, or have it as their last words."""
        wanted = name.lower()
        if len(wanted) < 3 or ("." not in wanted and "_" not in wanted):
            return np.zeros(0, np.int64)
        blob, starts = self._lower
        found, at = [], blob.find(wanted)
        while at >= 0 and len(found) < FEW:
            found.append(bisect_right(starts, at) - 1)
            at = blob.find(wanted, at + 1)
        return np.unique(np.array(found, np.int64))

    @cached_property
    def _lower(self) -> tuple[str, list[int]]:
        """All names in small letters as one text, and where each begins in it."""
        lowered = [one.lower() for one in self.names]
        starts = np.cumsum([0, *(len(one) + 1 for one in lowered[:-1])])
        return "\n".join(lowered), starts.tolist()

    # Goals

    def _by_goal(self, query: Query, context: tuple[Tree, ...]) -> np.ndarray:
        wanted = self._wanted(query, context)
        shared = np.zeros(len(self), np.float32)
        for at, weight in wanted.items():
            shared[self._rows(at)] += weight * self._idf[at]
        rough = _score(shared, self._weight, self._prior)
        best = _best(rough, FEW)
        scores = _score(shared[best], self._sizes(best, wanted), self._prior[best])
        return best[np.argsort(-scores, kind="stable")]

    def _sizes(self, rows: np.ndarray, wanted: dict[int, float]) -> np.ndarray:
        """What statements weigh; less where it is often seen together with what is wanted."""
        weights = self._term_weight * (1.0 - KIN * self._kin(wanted))
        spans = (self._forward[self._starts[row] : self._starts[row + 1]] for row in rows)
        return np.array([weights[one].sum() for one in spans], np.float32)

    def _kin(self, wanted: dict[int, float]) -> np.ndarray:
        """How often each feature is seen where features of the query are: 0 never, 1 always."""
        kin = np.zeros(len(self._ends), np.float32)
        for at in wanted:
            rows = self._rows(at)
            if not 3 <= len(rows) <= MAX_MATCHED:
                continue
            spans = [self._forward[self._starts[one] : self._starts[one + 1]] for one in rows]
            counts = np.bincount(np.concatenate(spans), minlength=len(kin))
            np.maximum(kin, (counts / len(rows)).astype(np.float32), out=kin)
        kin[list(wanted)] = 0.0
        return kin

    def _wanted(self, query: Query, context: tuple[Tree, ...]) -> dict[int, float]:
        """Features of a goal, weighted."""
        kinds = self._kinds_in(query)
        found: dict[int, float] = {}

        def want(feature: str, weight: float) -> None:
            at = self._terms.get(feature)
            if at is not None:
                found[at] = max(found.get(at, 0.0), weight * WEIGHTS[feature[0]])

        weighted = [(query.target, 1.0), *((one, GIVEN) for one in query.given)]
        weighted += [(one, BEHIND) for one in context]
        for tree, weight in weighted:
            for node in tree.walk():
                for name in self._constants(node, query, kinds):
                    want(f"c:{name}", weight)
                    for kind in kinds:
                        want(f"c:{name}@{kind}", weight * TYPED)
                for part in node.parts:
                    want(f"p:{_last(node)}>{_last(part)}", weight)
        for root in context:  # what the function's equations have at their right
            for name in self._constants(root, query, kinds):
                want(f"p:Eq>{_last(root)}", BEHIND)
                want(f"h:Eq {name}", BEHIND)
        if not context:  # what functions do is not known: they may well decide something
            for feature in UNKNOWN:
                want(feature, COMING)
        for kind in kinds:
            for name in EXPECTED.get(kind, ()):
                want(f"c:{name}", COMING)
                want(f"c:{name}@{kind}", COMING * TYPED)
        for head in self._constants(query.target, query, kinds):
            want(f"h:{head}", 1.0)
            for part in query.target.parts[-2:]:
                for name in self._constants(part, query, kinds):
                    want(f"h:{head} {name}", 1.0)
        return found

    def _kinds_in(self, query: Query) -> list[str]:
        """The types that a goal speaks of; numbers are natural ones unless it says otherwise."""
        heads = {node.head for node in query.walk()}
        kinds = [one for one in sorted(heads) if one in self._used_at]
        if not NUMBERS & set(kinds):
            kinds.append("Nat")
        if "List" not in kinds and heads & {"List.cons", "List.nil", "HAppend.hAppend"}:
            kinds.append("List")
        return kinds

    def _constants(self, node: Tree, query: Query, kinds: list[str]) -> list[str]:
        """The constants of the library that a node's head may mean."""
        head = SHORT.get(node.head, node.head)
        if not head.startswith("."):
            if head in query.bound:
                return []
            if f"c:{head}" in self._terms:
                return [head]
            return [name for kind in kinds if f"c:{(name := f'{kind}.{head}')}" in self._terms][:2]
        word = head[1:]
        fitting = [name for kind in kinds if f"c:{(name := f'{kind}.{word}')}" in self._terms]
        return fitting or self._by_last.get(word, [])[:2]

    # Patterns

    def _by_pattern(self, text: str) -> np.ndarray:
        """Statements that a pattern fits, or something in them; best first."""
        is_whole = text.startswith(("⊢", "|-"))
        query = read_query(text)
        pattern = query.target
        rows: np.ndarray | None = None
        for node in pattern.walk():
            if node.is_hole or node.head in ("∀", "→", "fun", ":"):
                continue
            names = self._alternatives(node)
            if not names:
                continue
            some = np.unique(np.concatenate([self._rows(self._terms[f"c:{one}"]) for one in names]))
            rows = some if rows is None else np.intersect1d(rows, some, assume_unique=True)
        if rows is None or not len(rows):
            return np.zeros(0, np.int64)
        scores = np.zeros(len(self), np.float32)
        scores[rows] = self._prior[rows] / (self._weight[rows] + GOAL_SLACK)
        fitting = [
            row
            for row in _best(scores, MAX_MATCHED)
            if matches(pattern, read_query(self._type(row)), only_target=is_whole)
        ]
        return np.array(fitting, np.int64)

    def _alternatives(self, node: Tree) -> list[str]:
        head = SHORT.get(node.head, node.head)
        if head.startswith("."):
            return self._by_last.get(head[1:], [])
        return [head] if f"c:{head}" in self._terms else self._by_last.get(node.last, [])

    # What is worked out once

    def _rows(self, at: int) -> np.ndarray:
        start = self._ends[at - 1] if at else 0
        return self._postings[start : self._ends[at]]

    @cached_property
    def _term_weight(self) -> np.ndarray:
        """What a feature weighs in a statement that is compared with a goal."""
        weights = [
            0.0 if one in UNSEEN else WEIGHTS[one[0]] * (TYPED if "@" in one else 1.0)
            for one in self._terms
        ]
        return np.array(weights, np.float32) * self._idf

    @cached_property
    def _weight(self) -> np.ndarray:
        return np.add.reduceat(self._term_weight[self._forward], self._starts[:-1])

    @cached_property
    def _name_weight(self) -> np.ndarray:
        is_word = np.array([one.startswith("n:") for one in self._terms], np.float32)
        return np.add.reduceat((is_word * self._idf)[self._forward], self._starts[:-1])

    @cached_property
    def _used_at(self) -> frozenset[str]:
        """Types that classes are used at."""
        return frozenset(one.partition("@")[2] for one in self._terms if "@" in one)

    @cached_property
    def _by_last(self) -> dict[str, list[str]]:
        """Constants by the last word of their names, those used most first."""
        found: dict[str, list[tuple[int, str]]] = {}
        for term, at in self._terms.items():
            if term.startswith("c:") and "@" not in term:
                name = term[2:]
                found.setdefault(name.rpartition(".")[2], []).append((-len(self._rows(at)), name))
        return {word: [name for _, name in sorted(names)] for word, names in found.items()}

    def _priors(self) -> np.ndarray:
        """How likely a declaration is wanted at all."""
        of_module = np.array([prior_of(one) for one in self._modules], np.float32)
        of_kind = np.array([OF_KIND.get(one, 0.5) for one in KINDS], np.float32)
        prior = of_module[self._homes] * of_kind[self._kinds]
        prior[(self._marks & SIMP) > 0] *= 1.1
        prior[(self._marks & GRIND) > 0] *= 1.05
        prior[(self._marks & DEPRECATED) > 0] *= 0.3
        known = set(workhorses())
        rows = [row for row, name in enumerate(self.names) if name in known]
        prior[rows] *= WORKHORSE
        return prior


def _score(shared: np.ndarray, sizes: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """How promising statements are that share so much with a goal and weigh so much."""
    return shared**GOAL_SUM * (shared / (sizes + GOAL_SLACK)) ** GOAL_SHARE * prior


def _last(node: Tree) -> str:
    return SHORT.get(node.head, node.head).rpartition(".")[2]


def _best(scores: np.ndarray, count: int) -> np.ndarray:
    """Rows with the highest scores above nothing, best first; ties in the order of the index."""
    count = min(count, len(scores))
    rows = np.argpartition(-scores, count - 1)[:count] if count else np.zeros(0, np.int64)
    rows = rows[scores[rows] > 0]
    return rows[np.lexsort((rows, -scores[rows]))]


def _lines(blob: np.ndarray) -> list[str]:
    return blob.tobytes().decode().split("\n")
