"""What somebody searches for, read as a tree: a goal, a statement, or a pattern with holes.

It is Lean's notation read without Lean, so names stay as they are written: nothing is resolved, and
`xs.length` is `.length` of `xs`, whatever `xs` is. What cannot be read is passed over; a query is
never refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from bise.judge.terms import show_name
from bise.prove.goals import read_goal
from bise.prove.pretty import OPERATORS

OTHERS = {
    "→": ("→", 25, 26, 25),
    "∈": ("Membership.mem", 50, 51, 51),
    "∉": ("Membership.mem", 50, 51, 51),
    "<|": ("<|", 10, 11, 10),
    "|>": ("|>", 10, 10, 11),
}
"""Infixes that stand for no function, or for one with its arguments the other way around."""

SPELLINGS = {
    "->": "→",
    "<=": "≤",
    ">=": "≥",
    "<->": "↔",
    "/\\": "∧",
    "\\/": "∨",
    "|-": "⊢",
    "λ": "fun",
    "↦": "=>",
    "$": "<|",
}
INFIXES = {
    one.sign: (show_name(name), one.level, one.left, one.right) for name, one in OPERATORS.items()
} | OTHERS
PREFIXES = {"¬": ("Not", 40), "!": ("Bool.not", 100), "-": ("Neg.neg", 75), "↑": ("Nat.cast", 100)}
PUNCTUATION = (
    "⊢",
    ":=",
    "=>",
    ":",
    ",",
    ";",
    "|",
    "¬",
    "∀",
    "∃",
    "↑",
    "@",
    "·",
    "Σ",
    "∅",
    "!",
    "∃!",
)
BRACKETS = {"(": ")", "{": "}", "[": "]", "⟨": "⟩", "⦃": "⦄", "#[": "]"}
ENDINGS = frozenset({"then", "else", "in", "do", "with", "from", "by", "where", "at"})
EDGES = frozenset({*BRACKETS.values(), ",", ":", ":=", "=>", ";", "|", "⊢", *ENDINGS})
"""Where a term ends."""

SIGNS = sorted(
    {*INFIXES, *SPELLINGS, *PUNCTUATION, *BRACKETS, *BRACKETS.values()} - {"λ"},
    key=len,
    reverse=True,
)
TOKEN = re.compile(
    r"\s+|--[^\n]*"
    r'|(?P<text>"(?:\\.|[^"\\])*")'
    r"|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<hole>\?[^\W\d]\w*|\?_|_(?![\w']))"
    r"|(?P<name>(?:«[^»\n]*»|[^\W\d][\w'!?✝]*)(?:\.(?:«[^»\n]*»|[\w'!?✝]+))*)"
    r"|(?P<field>\.(?:[^\W\d][\w'!?]*|\d+)(?:\.[\w'!?]+)*)"
    r"|(?P<sign>" + "|".join(map(re.escape, SIGNS)) + r")"
    r"|(?P<other>.)",
    re.DOTALL,
)
HEADS = ("theorem", "lemma", "example", "def", "instance", "abbrev")
BINDING = ("∀", "∃", "∃!", "fun", "Σ")
MAX_TOKENS = 4_000
MAX_DEPTH = 60


@dataclass(frozen=True, slots=True)
class Tree:
    """A function and what it is applied to."""

    head: str
    """A constant as it is written, `.field`, a variable, `_`, `?a`, a number, or one of `∀ ∃ fun
    → : list` for what is no function."""

    parts: tuple["Tree", ...] = ()

    def walk(self) -> Iterator["Tree"]:
        """It and everything in it."""
        waiting: list[Tree] = [self]
        while waiting:
            one = waiting.pop()
            yield one
            waiting += one.parts

    @property
    def last(self) -> str:
        """The last word of its head."""
        return self.head.rpartition(".")[2] or self.head

    @property
    def is_hole(self) -> bool:
        """Whether anything may stand here."""
        return self.head == "_" or self.head.startswith("?")


@dataclass(frozen=True, slots=True)
class Query:
    """A goal or a statement: what is given and what is to be shown."""

    given: tuple[Tree, ...]
    target: Tree
    bound: frozenset[str] = field(default_factory=frozenset)
    """Names of variables."""

    def walk(self) -> Iterator[Tree]:
        """Everything in it."""
        for one in (*self.given, self.target):
            yield from one.walk()


def read_query(text: str) -> Query:
    """A goal with `⊢`, a statement with binders or a term."""
    text = text.replace("|-", "⊢")
    if "⊢" in text and text.split("⊢", 1)[0].strip():
        goal = read_goal(text)
        readers = [_Reader(one.type) for one in goal.hypotheses]
        given = tuple(one.term() for one in readers)
        reader = _Reader(goal.target)
        target = reader.term()
        names = {one.name for one in goal.hypotheses}.union(
            reader.bound, *[r.bound for r in readers]
        )
        return _flat(Query(given, target, frozenset(names)))
    reader = _Reader(text.replace("⊢", " "))
    return _flat(reader.statement())


def read_context(text: str) -> tuple[Tree, ...]:
    """Definitions, roughly: every piece of them that reads as a term."""
    reader = _Reader(text)
    found: list[Tree] = []
    while reader.at < len(reader.tokens):
        before = reader.at
        found.append(reader.term())
        if reader.at == before:
            reader.take()
    return tuple(one for one in found if one.parts)


def _flat(query: Query) -> Query:
    """With the target's own assumptions among what is given."""
    given, target = list(query.given), query.target
    for _ in range(MAX_DEPTH):
        if target.head in ("∀", "→") and target.parts:
            given += target.parts[:-1]
            target = target.parts[-1]
    return Query(tuple(given), target, query.bound)


def matches(pattern: Tree, statement: Query, *, only_target: bool = False) -> bool:
    """Whether a pattern fits a statement, or something within it."""
    where = [statement.target] if only_target else statement.walk()
    return any(_fits(pattern, one, {}) for one in where)


def _fits(pattern: Tree, tree: Tree, known: dict[str, Tree]) -> bool:
    if pattern.head == "_":
        return not pattern.parts or _fit_all(pattern.parts, tree.parts, known)
    if pattern.head.startswith("?") and not pattern.parts:
        return known.setdefault(pattern.head, tree) == tree
    if pattern.head == "∀" and pattern.parts:  # what is bound has types of no interest
        return _fits(pattern.parts[-1], tree, known)
    if pattern.last != tree.last or (pattern.parts and len(pattern.parts) > len(tree.parts)):
        return False
    if "." in pattern.head[1:] and "." in tree.head[1:] and pattern.head != tree.head:
        return False
    return not pattern.parts or _fit_all(pattern.parts, tree.parts, known)


def _fit_all(patterns: tuple[Tree, ...], trees: tuple[Tree, ...], known: dict[str, Tree]) -> bool:
    """Arguments from the right: what is implicit stands at the left, and is not written."""
    if len(patterns) > len(trees):
        return False
    pairs = zip(patterns, trees[len(trees) - len(patterns) :], strict=True)
    return all(_fits(one, other, known) for one, other in pairs)


class _Reader:
    """A parser by levels that never fails."""

    def __init__(self, text: str):
        self.tokens: list[tuple[str, str, bool]] = []
        """Kind, text, whether it stands directly behind the one before."""

        self.at = self.depth = 0
        self.bound: set[str] = set()
        is_close = False
        for found in TOKEN.finditer(text):
            kind = found.lastgroup
            if kind is None:
                is_close = False
                continue
            word = SPELLINGS.get(found[0], found[0])
            kind = "sign" if word in BINDING and kind == "name" else kind
            self.tokens.append((kind, word, is_close))
            is_close = True
            if len(self.tokens) >= MAX_TOKENS:
                break

    def peek(self) -> str:
        """The next token's text, or nothing."""
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def kind(self) -> str:
        """The next token's kind."""
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def _behind(self) -> str:
        """The token after the next one."""
        return self.tokens[self.at + 1][1] if self.at + 1 < len(self.tokens) else ""

    def take(self) -> str:
        """The next token."""
        self.at += 1
        return self.tokens[self.at - 1][1]

    def statement(self) -> Query:
        """Binders, a colon, a type; or a term."""
        if self.peek() in HEADS:
            word = self.take()
            if self.kind() == "name" and word != "example":
                self.take()
        start = self.at
        given: list[Tree] = []
        while self.peek() in ("(", "{", "[", "⦃"):
            before = self.at
            kind = self._binder()
            if kind is None:
                self.at = before
                break
            given.append(kind)
        if self.peek() == ":":
            self.take()
            return Query(tuple(given), self.term(), frozenset(self.bound))
        self.at = start
        return Query((), self.term(), frozenset(self.bound))

    def term(self, level: int = 0) -> Tree:
        """A term whose operators bind at least so tight."""
        self.depth += 1
        try:
            if self.depth > MAX_DEPTH:
                self.at = len(self.tokens)
                return Tree("_")
            left = self._beginning()
            while self.at < len(self.tokens):
                sign = self.peek()
                if self.kind() != "sign" or sign not in INFIXES:
                    break
                name, own, _, right = INFIXES[sign]
                if own < level:
                    break
                self.take()
                left = _joined(sign, name, left, self.term(right))
            return left
        finally:
            self.depth -= 1

    def _beginning(self) -> Tree:
        sign = self.peek()
        if self.kind() == "sign" and sign in PREFIXES:
            self.take()
            name, level = PREFIXES[sign]
            return Tree(name, (self.term(level),))
        if sign in BINDING:
            return self._bind()
        if sign == "if":
            return self._choice()
        if sign == "let" or sign == "have":
            return self._let()
        return self._application()

    def _bind(self) -> Tree:
        """`∀ x y : T, …`, `∃ x ∈ l, …`, `fun x => …`."""
        sign = self.take()
        kinds: list[Tree] = []
        while self.at < len(self.tokens) and self.peek() not in (",", "=>"):
            if self.peek() in ("(", "{", "[", "⦃"):
                kind = self._binder()
                if kind is not None:
                    kinds.append(kind)
            elif self.peek() == ":":
                self.take()
                kinds.append(self.term())
            elif self.kind() == "sign" and self.peek() in INFIXES:
                name, _, _, right = INFIXES[self.take()]
                kinds.append(Tree(name, (Tree("_"), self.term(right))))
            else:
                if self.kind() == "name":
                    self.bound.add(self.peek())
                self.take()
        if self.at < len(self.tokens):
            self.take()
        body = self.term()
        head = {"∃": "Exists", "∃!": "Exists"}.get(sign, sign)
        return Tree(head, (*kinds, body))

    def _binder(self) -> Tree | None:
        """`(x y : T)` and its kin; nothing if it is none."""
        close = BRACKETS[self.take()]
        names: list[str] = []
        while self.kind() in ("name", "hole"):
            names.append(self.take())
        if self.peek() == ":":
            self.take()
            self.bound.update(names)
            kind = self.term()
        elif close == "]" or (close in ("}", "⦄") and self.peek() != "//"):
            self.at -= len(names)
            kind = self.term() if close == "]" else Tree("_")
        else:
            return None
        self._close(close)
        return kind

    def _close(self, close: str) -> None:
        """Past a closing bracket, whatever stands before it."""
        depth = 0
        while self.at < len(self.tokens):
            token = self.take()
            if token == close and depth == 0:
                return
            depth += (token in BRACKETS) - (token in BRACKETS.values())

    def _choice(self) -> Tree:
        parts: list[Tree] = []
        head = "ite"
        for _ in ("if", "then", "else"):
            if self.at < len(self.tokens):
                self.take()
            if self.kind() == "name" and self._behind() == ":":
                self.at += 2
                head = "dite"
            parts.append(self.term())
        return Tree(head, tuple(parts))

    def _let(self) -> Tree:
        while self.at < len(self.tokens) and self.peek() != ":=":
            self.take()
        if self.at < len(self.tokens):
            self.take()
        value = self.term()
        if self.peek() == ";":
            self.take()
        return Tree("let", (value, self.term()))

    def _application(self) -> Tree:
        head = self._atom()
        if head is None:
            if self.peek() and self.peek() not in EDGES:
                self.take()
            return Tree("_")
        parts: list[Tree] = []
        while True:
            if self.peek() == "fun":
                parts.append(self._bind())
                continue
            part = self._atom()
            if part is None:
                break
            parts.append(part)
        return Tree(head.head, (*head.parts, *parts)) if parts else head

    def _atom(self) -> Tree | None:
        """One argument, with what hangs on it."""
        kind, word = self.kind(), self.peek()
        if kind == "name":
            if word in ENDINGS or word in HEADS or word in ("if", "let", "have", "match"):
                return None
            self.take()
            tree = _name(word)
        elif kind in ("number", "text", "hole"):
            tree = Tree(self.take())
        elif word in ("@", "·", "∅", "↑"):
            self.take()
            if word == "@":
                return self._atom()
            tree = Tree({"·": "_", "∅": "EmptyCollection.emptyCollection"}.get(word, "Nat.cast"))
        elif word in BRACKETS:
            tree = self._bracket()
        else:
            return None
        return self._hanging(tree)

    def _hanging(self, tree: Tree) -> Tree:
        """`.field` and `[i]` directly behind something."""
        while self.at < len(self.tokens) and self.tokens[self.at][2]:
            if self.kind() == "field":
                for word in self.take()[1:].split("."):
                    tree = Tree(f".{word}", (tree,))
            elif self.peek() == "[":
                self.take()
                index = self.term()
                self._close("]")
                name = "GetElem.getElem"
                if self.peek() in ("?", "!") and self.tokens[self.at][2]:
                    name = f"GetElem?.getElem{self.take()}"
                tree = Tree(name, (tree, index))
            else:
                break
        return tree

    def _bracket(self) -> Tree:
        opening = self.take()
        close = BRACKETS[opening]
        parts: list[Tree] = []
        while self.at < len(self.tokens) and self.peek() != close:
            before = self.at
            parts.append(self.term())
            if self.peek() == ":":  # a type ascription, or what a set is drawn from
                self.take()
                parts.append(Tree(":", (self.term(),)))
            if self.peek() in (",", ";", "|", ":="):
                self.take()
            if self.at == before:
                self.take()
        if self.at < len(self.tokens):
            self.take()
        if opening == "(" and parts:
            if len(parts) > 1 and parts[1].head != ":":
                return Tree("Prod.mk", tuple(parts))
            return parts[0]
        if opening == "[":
            ending = Tree("List.nil")
            for one in reversed(parts):
                ending = Tree("List.cons", (one, ending))
            return ending
        return Tree({"⟨": "⟨⟩", "{": "{}"}.get(opening, "List.toArray"), tuple(parts))


def _joined(sign: str, name: str, left: Tree, right: Tree) -> Tree:
    if sign == "∉":
        return Tree("Not", (Tree(name, (left, right)),))
    if sign == "<|":
        return Tree(left.head, (*left.parts, right))
    if sign == "|>":
        return Tree(right.head, (*right.parts, left))
    return Tree(name, (left, right))


def _name(word: str) -> Tree:
    """A name; what begins with a small letter and has dots is a variable with fields."""
    first, *fields = word.split(".")
    if not fields or not first[:1].islower() or first in ("α", "β", "γ"):
        return Tree(word)
    tree = Tree(first)
    for one in fields:
        tree = Tree(f".{one}", (tree,))
    return tree
