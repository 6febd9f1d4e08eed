"""Pages of the cache: who holds which, and which texts they already know.

The cache is cut into pages of a few tokens. A page that is full goes into a tree, keyed by its
parent and by the very tokens in it, so a later request with the same beginning walks down the tree
and computes nothing twice; comparing tokens instead of hashes, it can never be fooled. Pages nobody
uses stay known until their room is needed, least recently used first, leaves before trunks.

Nothing here is a tensor: pages are numbers, and so every policy can be tested with integers.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from bise.engine.shelf import Keeper

PAGE_TOKENS = 16

MOST_ROOTS = 4096
"""Tenants without a known page are forgotten beyond so many."""


@dataclass(slots=True, eq=False)
class Node:
    """A full page that others may use."""

    page: int
    """Where it is in memory; -1 on the shelf, and for a root."""

    parent: "Node | None"
    tokens: tuple[int, ...]
    slot: int = -1
    """Where it is on the shelf; -1 in memory."""

    num_users: int = 0
    """Running requests that read this page."""

    num_children: int = 0
    """Of those in memory."""

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

    pages: list[int] = field(default_factory=list)
    """All of them: of `nodes`, then `own`."""

    @property
    def num_known(self) -> int:
        """Tokens in shared pages: computed, and safe."""
        return len(self.nodes) * PAGE_TOKENS


class OutOfPages(Exception):
    """Every page is in use by somebody running."""


class PagePool:
    """All pages there are."""

    def __init__(self, num_pages: int, *, shares: bool = True, shelf: Keeper | None = None):
        """shares: keep full pages for later requests; without it nothing is ever found again.
        shelf: where pages go that memory has no room for; without one they are forgotten."""
        self.num_pages = num_pages
        self.shares = shares
        self.shelf = shelf
        self.shelved: OrderedDict[int, Node] = OrderedDict()
        """By slot, the one that was put away first in front."""

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
            if child is None or (child.slot >= 0 and not self._fetch(child)):
                break
            self._use(child)
            holding.nodes.append(child)
            holding.pages.append(child.page)
            node = child
        return holding.num_known - start

    def next_key(self, holding: Holding, tokens: Sequence[int]) -> tuple[int, tuple[int, ...]]:
        """What the next page to be computed will be known by."""
        node = holding.nodes[-1] if holding.nodes else self._root(holding.salt)
        at = holding.num_known
        return id(node), tuple(tokens[at : at + PAGE_TOKENS])

    def reserve(self, holding: Holding, num_tokens: int) -> bool:
        """Own pages for so many tokens in all; False, and nothing taken, if there are too few."""
        missing = -(-num_tokens // PAGE_TOKENS) - len(holding.pages)
        if missing <= 0:
            return True
        if missing > self.num_available:
            return False
        taken = [self._take() for _ in range(missing)]
        holding.own += taken
        holding.pages += taken
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
            elif node.slot >= 0:  # on the shelf: the page at hand is as good, and quicker
                self._unshelve(node, page)
                self._use(node)
            else:
                self.free.append(page)
                self._use(node)
            holding.pages[len(holding.nodes)] = node.page
            holding.nodes.append(node)

    def release(self, holding: Holding) -> None:
        """Give everything back; what is full stays known until its room is needed."""
        self.free += holding.own
        holding.own, holding.pages = [], []
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
            if len(self.roots) >= MOST_ROOTS:
                self.roots = {name: root for name, root in self.roots.items() if root.children}
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
        """Free the page of the leaf that was used longest ago: onto the shelf, or forgotten."""
        while self.idle:
            entry = heappop(self.idle)
            if not self._is_current(entry):
                continue
            node, page = entry[2], entry[2].page
            parent = node.parent
            assert parent is not None
            parent.num_children -= 1
            self.num_idle -= 1
            self.num_evicted += 1
            if not self._put_away(node):
                self._forget(node)
            if parent.parent is not None and parent.num_users == 0 and parent.num_children == 0:
                self._offer(parent)
            return page
        raise OutOfPages

    def _put_away(self, node: Node) -> bool:
        """Onto the shelf, in place of what has lain there longest if it is full."""
        if self.shelf is None:
            return False
        slot = self.shelf.put(node.page)
        if slot is None and self.shelved:
            _, oldest = self.shelved.popitem(last=False)
            self._forget(oldest)
            slot = self.shelf.put(node.page)
        if slot is None:
            return False
        node.page, node.slot = -1, slot
        self.shelved[slot] = node
        return True

    def _forget(self, node: Node) -> None:
        """Out of the tree, with everything on the shelf that begins with it."""
        stack = [node]
        while stack:
            one = stack.pop()
            stack += one.children.values()
            if one.slot >= 0 and self.shelf is not None:
                self.shelved.pop(one.slot, None)
                self.shelf.drop(one.slot)
            one.slot = -1
            if one.parent is not None:
                one.parent.children.pop(one.tokens, None)
            one.parent, one.page = None, -1
            one.children = {}

    def _fetch(self, node: Node) -> bool:
        """From the shelf back to memory, if there is a page for it."""
        assert self.shelf is not None
        if self.num_available == 0:
            return False
        self.shelved.pop(
            node.slot
        )  # what is being fetched must not be dropped for what it displaces
        page = self._take()
        self.shelf.fetch(node.slot, page)
        self._place(node, page)
        return True

    def _unshelve(self, node: Node, page: int) -> None:
        """Known again by a page that was computed anew."""
        assert self.shelf is not None
        self.shelved.pop(node.slot)
        self.shelf.drop(node.slot)
        self._place(node, page)

    def _place(self, node: Node, page: int) -> None:
        """In memory, and nobody's yet."""
        node.page, node.slot = page, -1
        self.num_idle += 1
        assert node.parent is not None
        node.parent.num_children += 1
