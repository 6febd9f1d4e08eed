"""Learning which byte strings deserve a token of their own.

Byte-pair encoding: begin with single bytes, join the pair that occurs most often, and again. Equal
pieces are counted once, and after a join only the pieces that contain it are counted anew, so a
few thousand merges over megabytes of text take seconds.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise

import regex

from bise.errors import UserError
from bise.text.tekken_file import SPLIT_PATTERN


def learn_merges(
    texts: Iterable[str], num_merges: int, pattern: str = SPLIT_PATTERN
) -> list[bytes]:
    """The `num_merges` byte strings to add to the 256 single bytes, most useful first.

    Pairs that spell the same bytes count together, since that is how they are joined in use. Ties
    go to the bytes that sort first, so the same texts always give the same file.
    """
    pieces = Pieces(texts, pattern)
    merges: list[bytes] = []
    while len(merges) < num_merges:
        best = pieces.most_frequent()
        if best is None:
            raise UserError(
                f"the texts yield {len(merges)} merges, but {num_merges} were asked for",
                hint="give more text, or ask for fewer",
            )
        merges.append(best)
        pieces.join(best)
    return merges


class Pieces:
    """The distinct pieces of a text, each a list of tokens, and how often each pair occurs."""

    def __init__(self, texts: Iterable[str], pattern: str):
        splitter = regex.compile(pattern)
        found = Counter(piece for text in texts for piece in splitter.findall(text))
        self.tokens = [[bytes([value]) for value in piece.encode()] for piece in found]
        self.times = list(found.values())
        self.counts: Counter[bytes] = Counter()
        self.places: defaultdict[bytes, set[int]] = defaultdict(set)
        self.joined: set[bytes] = set()
        for number in range(len(self.tokens)):
            self.count(number, self.times[number])
        self.queue = [(-count, pair) for pair, count in self.counts.items()]
        heapq.heapify(self.queue)

    def most_frequent(self) -> bytes | None:
        """The bytes of the commonest pair not joined yet; none when every piece is one token."""
        while self.queue:
            negative, pair = heapq.heappop(self.queue)
            # An entry is stale once its count has changed; the change has queued a new one.
            if self.counts[pair] == -negative > 0 and pair not in self.joined:
                return pair
        return None

    def join(self, pair: bytes) -> None:
        """Join the pair wherever it occurs, and correct the counts of its neighbours."""
        self.joined.add(pair)
        changed: set[bytes] = set()
        for number in sorted(self.places.pop(pair)):
            changed |= self.count(number, -self.times[number])
            self.tokens[number] = join_pair(self.tokens[number], pair)
            changed |= self.count(number, self.times[number])
        for other in changed:
            if other not in self.joined:
                heapq.heappush(self.queue, (-self.counts[other], other))

    def count(self, number: int, times: int) -> set[bytes]:
        """Add (or with negative `times` take back) the pairs of one piece; says which."""
        tokens = self.tokens[number]
        pairs = {left + right for left, right in pairwise(tokens)}
        for left, right in pairwise(tokens):
            self.counts[left + right] += times
        for pair in pairs:
            self.places[pair].add(number)  # may outlive the pair there: joining then finds none
        return pairs


def join_pair(tokens: list[bytes], pair: bytes) -> list[bytes]:
    """Join every two neighbours that spell `pair`, from the left."""
    joined: list[bytes] = []
    for token in tokens:
        if joined and joined[-1] + token == pair:
            joined[-1] = pair
        else:
            joined.append(token)
    return joined
