"""Pages of the cache: who holds which, and which texts they already know.

The cache is cut into pages of a few tokens. A page that is full goes into a tree, keyed by its
parent and by the very tokens in it, so a later request with the same beginning walks down the tree
and computes nothing twice; comparing tokens instead of hashes, it can never be fooled. Pages nobody
uses stay known until their room is needed, least recently used first, leaves before trunks.

Nothing here is a tensor: pages are numbers, and so every policy can be tested with integers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

PAGE_TOKENS = 16


@dataclass(slots=True, eq=False)
class Node:
    """A full page that others may use."""

    page: int
    parent: "Node | None"
    tokens: tuple[int, ...]
    num_users: int = 0
    """Running requests that read this page."""

    num_children: int = 0
    last_used: int = 0
    children: dict[tuple[int, ...], "Node"] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Holding:
    """The pages of one request, in the order of its tokens."""

    salt: str
    nodes: list[Node] = field(default_factory=list)
    """Full pages, shared with whoever begins alike."""

    own: list[int] = field(default_factory=list)
    """Pages after those, written by this request alone."""

    @property
    def pages(self) -> list[int]:
        return [node.page for node in self.nodes] + self.own

    @property
    def num_known(self) -> int:
        """Tokens in shared pages: computed, and safe."""
        return len(self.nodes) * PAGE_TOKENS


class OutOfPages(Exception):
    """Every page is in use by somebody running."""


class PagePool:
    """All pages there are."""

    def __init__(self, num_pages: int, *, shares: bool = True):
        """shares: keep full pages for later requests; without it nothing is ever found again."""
        self.num_pages = num_pages
        self.shares = shares
        self.free = list(range(num_pages))[::-1]
        self.roots: dict[str, Node] = {}
        self.idle: list[tuple[int, int, Node]] = []
        """Heap of (last used, tie breaker, node) of leaves nobody uses; entries may be stale."""

        self.clock = 0
        self.num_idle = 0
        self.num_evicted = 0

    @property
    def num_available(self) -> int:
        """Pages that can be had at once, free or forgettable."""
        return len(self.free) + self.num_idle

    @property
    def num_used(self) -> int:
        """Pages running requests hold."""
        return self.num_pages - self.num_available

    def find(self, holding: Holding, tokens: Sequence[int], num_limit: int) -> int:
        """Take over known pages that go on where the holding ends; how many tokens that adds.

        tokens: of the whole request; num_limit: tokens that may be taken over at most.
        """
        if not self.shares or holding.own:
            return 0
        start = holding.num_known
        node = holding.nodes[-1] if holding.nodes else self._root(holding.salt)
        while holding.num_known + PAGE_TOKENS <= num_limit:
            at = holding.num_known
            child = node.children.get(tuple(tokens[at : at + PAGE_TOKENS]))
            if child is None:
                break
            self._use(child)
            holding.nodes.append(child)
            node = child
        return holding.num_known - start

    def next_key(self, holding: Holding, tokens: Sequence[int]) -> tuple[int, tuple[int, ...]]:
        """What the next page to be computed will be known by."""
        node = holding.nodes[-1] if holding.nodes else self._root(holding.salt)
        at = holding.num_known
        return id(node), tuple(tokens[at : at + PAGE_TOKENS])

    def reserve(self, holding: Holding, num_tokens: int) -> bool:
        """Own pages for so many tokens in all; False, and nothing taken, if there are too few."""
        missing = -(-num_tokens // PAGE_TOKENS) - len(holding.nodes) - len(holding.own)
        if missing > self.num_available:
            return False
        holding.own += [self._take() for _ in range(missing)]
        return True

    def share(self, holding: Holding, tokens: Sequence[int], num_computed: int) -> None:
        """Let others find the own pages that are full by now.

        If somebody was faster with the very same page, theirs is used and ours given back.
        """
        while self.shares and holding.own and holding.num_known + PAGE_TOKENS <= num_computed:
            parent = holding.nodes[-1] if holding.nodes else self._root(holding.salt)
            at = holding.num_known
            key = tuple(tokens[at : at + PAGE_TOKENS])
            page = holding.own.pop(0)
            node = parent.children.get(key)
            if node is None:
                node = Node(page, parent, key)
                parent.children[key] = node
                parent.num_children += 1
                node.num_users = 1
                self._touch(node)
            else:
                self.free.append(page)
                self._use(node)
            holding.nodes.append(node)

    def release(self, holding: Holding) -> None:
        """Give everything back; what is full stays known until its room is needed."""
        self.free += holding.own
        holding.own = []
        for node in reversed(holding.nodes):
            node.num_users -= 1
            self._touch(node)
            self._note_idle(node)
        holding.nodes = []

    def forget_all(self) -> None:
        """Drop every page nobody uses."""
        while self.num_idle:
            self.free.append(self._evict())

    def _root(self, salt: str) -> Node:
        """Where the texts of one tenant begin; a root has no page and is never evicted."""
        if salt not in self.roots:
            self.roots[salt] = Node(-1, None, ())
        return self.roots[salt]

    def _use(self, node: Node) -> None:
        if node.num_users == 0:
            self.num_idle -= 1
        node.num_users += 1
        self._touch(node)

    def _touch(self, node: Node) -> None:
        self.clock += 1
        node.last_used = self.clock

    def _note_idle(self, node: Node) -> None:
        if node.num_users == 0:
            self.num_idle += 1
            if node.num_children == 0:
                self._offer(node)

    def _offer(self, node: Node) -> None:
        heappush(self.idle, (node.last_used, node.page, node))
        if len(self.idle) > 4 * self.num_pages + 64:  # mostly stale entries by now
            self.idle = [entry for entry in self.idle if self._is_current(entry)]
            heapify(self.idle)

    @staticmethod
    def _is_current(entry: tuple[int, int, Node]) -> bool:
        last_used, _, node = entry
        is_idle_leaf = node.num_users == 0 and node.num_children == 0
        return is_idle_leaf and node.last_used == last_used and node.parent is not None

    def _take(self) -> int:
        return self.free.pop() if self.free else self._evict()

    def _evict(self) -> int:
        """Forget the leaf that was used longest ago; its page is free."""
        while self.idle:
            entry = heappop(self.idle)
            if not self._is_current(entry):
                continue
            node = entry[2]
            parent = node.parent
            assert parent is not None
            del parent.children[node.tokens]
            parent.num_children -= 1
            node.parent = None
            self.num_idle -= 1
            self.num_evicted += 1
            if parent.parent is not None and parent.num_users == 0 and parent.num_children == 0:
                self._offer(parent)
            return node.page
        raise OutOfPages
