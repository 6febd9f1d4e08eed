"""Types of library declarations as Lean would print them, from expressions alone.

Close to what `#check` says: operators, implicit arguments left out, `xs.length` for
`List.length xs`, binders before a colon. It is for people, models and a search; nothing parses it
back into a proof, so a shadowed name or a missing coercion arrow costs nothing.
"""

from collections.abc import Mapping
from typing import NamedTuple

from bise.judge.terms import (
    APPLY,
    BOUND,
    CONSTANT,
    FORALL,
    LAMBDA,
    LET,
    LEVEL_PARAM,
    LITERAL,
    MAX,
    NOTE,
    PROJECT,
    SORT,
    SUCC,
    ZERO,
    Name,
    Terms,
    show_name,
)

EXPLICIT, IMPLICIT, STRICT, INSTANCE = range(4)
BRACKETS = {EXPLICIT: "()", IMPLICIT: "{}", STRICT: "⦃⦄", INSTANCE: "[]"}
MAX_LEVEL, ARROW_LEVEL, LOW = 1024, 25, 0
MAX_DEPTH = 48
"""Terms deeper than this end in `…`; no statement that a person wrote comes near it."""

CUT = "…"


class Signature(NamedTuple):
    """How a constant is applied."""

    binders: bytes
    """The kind of each argument."""

    field: int
    """The argument that `x.name` puts first, or -1."""


class Operator(NamedTuple):
    """An infix: its sign, how many arguments the function has, and how tight it binds."""

    sign: str
    num_arguments: int
    level: int
    left: int
    right: int


def _infix(sign: str, num_arguments: int, level: int, side: str = "") -> Operator:
    left = level if side == "l" else level + 1
    right = level if side == "r" else level + 1
    return Operator(sign, num_arguments, level, left, right)


OPERATORS: Mapping[Name, Operator] = {
    ("HAdd", "hAdd"): _infix("+", 6, 65, "l"),
    ("HSub", "hSub"): _infix("-", 6, 65, "l"),
    ("HMul", "hMul"): _infix("*", 6, 70, "l"),
    ("HDiv", "hDiv"): _infix("/", 6, 70, "l"),
    ("HMod", "hMod"): _infix("%", 6, 70, "l"),
    ("HPow", "hPow"): _infix("^", 6, 75, "r"),
    ("HAppend", "hAppend"): _infix("++", 6, 65, "l"),
    ("HShiftLeft", "hShiftLeft"): _infix("<<<", 6, 75, "l"),
    ("HShiftRight", "hShiftRight"): _infix(">>>", 6, 75, "l"),
    ("HAnd", "hAnd"): _infix("&&&", 6, 60, "l"),
    ("HXor", "hXor"): _infix("^^^", 6, 58, "l"),
    ("HOr", "hOr"): _infix("|||", 6, 55, "l"),
    ("List", "cons"): _infix("::", 3, 67, "r"),
    ("And",): _infix("∧", 2, 35, "r"),
    ("Or",): _infix("∨", 2, 30, "r"),
    ("Iff",): _infix("↔", 2, 20),
    ("Eq",): _infix("=", 3, 50),
    ("Ne",): _infix("≠", 3, 50),
    ("HEq",): _infix("≍", 4, 50),
    ("BEq", "beq"): _infix("==", 4, 50),
    ("bne",): _infix("!=", 4, 50),
    ("LT", "lt"): _infix("<", 4, 50),
    ("LE", "le"): _infix("≤", 4, 50),
    ("GT", "gt"): _infix(">", 4, 50),
    ("GE", "ge"): _infix("≥", 4, 50),
    ("Dvd", "dvd"): _infix("∣", 4, 50),
    ("HasEquiv", "Equiv"): _infix("≈", 4, 50),
    ("HasSubset", "Subset"): _infix("⊆", 4, 50),
    ("List", "Perm"): _infix("~", 3, 50),
    ("List", "Sublist"): _infix("<+", 3, 50),
    ("List", "IsPrefix"): _infix("<+:", 3, 50),
    ("List", "IsSuffix"): _infix("<:+", 3, 50),
    ("List", "IsInfix"): _infix("<:+:", 3, 50),
    ("Union", "union"): _infix("∪", 4, 65, "l"),
    ("Inter", "inter"): _infix("∩", 4, 70, "l"),
    ("SDiff", "sdiff"): _infix("\\", 4, 70, "l"),
    ("Prod",): _infix("×", 2, 35, "r"),
    ("Sum",): _infix("⊕", 2, 30, "r"),
    ("Bool", "and"): _infix("&&", 2, 35, "l"),
    ("Bool", "or"): _infix("||", 2, 30, "l"),
    ("Bool", "xor"): _infix("^^", 2, 33, "l"),
    ("Function", "comp"): _infix("∘", 5, 90, "r"),
    ("Bind", "bind"): _infix(">>=", 6, 55, "l"),
    ("Functor", "map"): _infix("<$>", 6, 100, "r"),
}
PREFIXES: Mapping[Name, tuple[str, int, int]] = {
    ("Not",): ("¬", 1, MAX_LEVEL),
    ("Bool", "not"): ("!", 1, MAX_LEVEL),
    ("Neg", "neg"): ("-", 3, 75),
    ("Complement", "complement"): ("~~~", 3, MAX_LEVEL),
    ("Nat", "cast"): ("↑", 3, MAX_LEVEL),
    ("Int", "cast"): ("↑", 3, MAX_LEVEL),
}
"""Sign, number of arguments, how tight its operand must bind."""

WHOLE: Mapping[Name, str] = {
    ("List", "nil"): "[]",
    ("EmptyCollection", "emptyCollection"): "∅",
    ("Unit", "unit"): "()",
    ("PUnit", "unit"): "()",
    ("Bool", "true"): "true",
    ("Bool", "false"): "false",
    ("Option", "some"): "some",
    ("Option", "none"): "none",
}
ELEMENT: Mapping[Name, tuple[int, str]] = {
    ("GetElem", "getElem"): (8, ""),
    ("GetElem?", "getElem?"): (7, "?"),
    ("GetElem?", "getElem!"): (8, "!"),
}
"""`xs[i]` and its kin: number of arguments, what stands behind the bracket."""

SEEN_THROUGH = (("outParam",), ("optParam",), ("autoParam",), ("semiOutParam",))


class Printer:
    """Prints expressions of one table."""

    def __init__(self, terms: Terms, signatures: Mapping[Name, Signature], max_chars: int = 600):
        self.terms = terms
        self.signatures = signatures
        self.max_chars = max_chars

    def statement(self, number: int) -> str:
        """A type with its binders first: `(as bs : List α) : as ++ bs = …`."""
        groups: list[tuple[list[str], str, int]] = []
        context: list[str] = []
        node = self._node(number)
        while node[0] == FORALL:
            _, name, kind, body, binder = node
            word = self._binder_word(name, context)
            shown = self._show(kind, context, LOW, 0)
            if binder == EXPLICIT and _is_unnamed(name) and not self._uses(body):
                break  # an arrow: it belongs to what follows the colon
            is_shown = binder != INSTANCE or not _is_unnamed(name)
            if groups and is_shown and groups[-1][1:] == (shown, binder) and groups[-1][0]:
                groups[-1][0].append(word)
            else:
                groups.append(([word] if is_shown else [], shown, binder))
            context.append(word)
            number, node = body, self._node(body)
        parts = [_binder(words, kind, binder) for words, kind, binder in groups]
        text = " ".join([*parts, ":", self._show(number, context, LOW, 0)])
        return text if len(text) <= self.max_chars else text[: self.max_chars - 1] + CUT

    def _node(self, number: int) -> tuple:
        """An expression, seen through notes and default values."""
        node = self.terms.expressions[number]
        while True:
            if node[0] == NOTE:
                node = self.terms.expressions[node[1]]
                continue
            if node[0] == APPLY:
                head, arguments = self.spine(node)
                inner = self.terms.expressions[head]
                if inner[0] == CONSTANT and inner[1] in SEEN_THROUGH:
                    node = self.terms.expressions[arguments[0]]
                    continue
            return node

    def spine(self, node: tuple) -> tuple[int, list[int]]:
        """The function at the head of an application, and its arguments."""
        arguments: list[int] = []
        head = -1
        while node[0] == APPLY:
            head = node[1]
            arguments.append(node[2])
            node = self.terms.expressions[head]
        arguments.reverse()
        return head, arguments

    def _show(self, number: int, context: list[str], level: int, depth: int) -> str:
        if depth > MAX_DEPTH:
            return CUT
        node = self._node(number)
        tag = node[0]
        if tag == BOUND:
            at = len(context) - 1 - node[1]
            return context[at] if at >= 0 else f"#{node[1]}"
        if tag == APPLY:
            return self._application(node, context, level, depth + 1)
        if tag == CONSTANT:
            return WHOLE.get(node[1]) or show_name(node[1])
        if tag == SORT:
            return _within(self._sort(node[1]), level, MAX_LEVEL)
        if tag == LITERAL:
            return str(node[1]) if isinstance(node[1], int) else f'"{node[1]}"'
        if tag == PROJECT:
            return f"{self._show(node[3], context, MAX_LEVEL, depth + 1)}.{node[2] + 1}"
        if tag == FORALL:
            return self._forall(node, context, level, depth + 1)
        if tag == LAMBDA:
            words, body, inner = self._lambdas(node, context)
            text = f"fun {' '.join(words)} => {self._show(body, inner, LOW, depth + 1)}"
            return _within(text, level, LOW)
        if tag == LET:
            word = self._binder_word(node[1], context)
            value = self._show(node[3], context, LOW, depth + 1)
            rest = self._show(node[4], [*context, word], LOW, depth + 1)
            return _within(f"let {word} := {value}; {rest}", level, LOW)
        return "?_"

    def _lambdas(self, node: tuple, context: list[str]) -> tuple[list[str], int, list[str]]:
        words: list[str] = []
        body = -1
        while node[0] == LAMBDA:
            words.append(self._binder_word(node[1], context))
            context = [*context, words[-1]]
            body = node[3]
            node = self._node(body)
        return words, body, context

    def _forall(self, node: tuple, context: list[str], level: int, depth: int) -> str:
        _, name, kind, body, binder = node
        word = self._binder_word(name, context)
        inner = [*context, word]
        if binder == EXPLICIT and not self._uses(body):
            left = self._show(kind, context, ARROW_LEVEL + 1, depth)
            right = self._show(body, inner, ARROW_LEVEL, depth)
            return _within(f"{left} → {right}", level, ARROW_LEVEL)
        shown = self._show(kind, context, LOW, depth)
        words = [] if binder == INSTANCE and _is_unnamed(name) else [word]
        rest = self._show(body, inner, LOW, depth)
        if rest.startswith("∀ "):  # one sign for all that follow each other
            rest = rest[2:]
            return _within(f"∀ {_binder(words, shown, binder)} {rest}", level, LOW)
        return _within(f"∀ {_binder(words, shown, binder)}, {rest}", level, LOW)

    def _application(self, node: tuple, context: list[str], level: int, depth: int) -> str:
        head, arguments = self.spine(node)
        inner = self._node(head)
        if inner[0] == CONSTANT:
            special = self._special(inner[1], arguments, context, level, depth)
            if special is not None:
                return special
            return self._call(inner[1], arguments, context, level, depth)
        shown = [self._show(one, context, MAX_LEVEL, depth) for one in (head, *arguments)]
        return _within(" ".join(shown), level, MAX_LEVEL - 1)

    def _call(
        self, name: Name, arguments: list[int], context: list[str], level: int, depth: int
    ) -> str:
        signature = self.signatures.get(name)
        kinds = signature.binders if signature else b""
        explicit = [at for at in range(len(arguments)) if at >= len(kinds) or kinds[at] == EXPLICIT]
        field = signature.field if signature else -1
        if field in explicit:
            target = self._show(arguments[field], context, MAX_LEVEL, depth)
            if CUT in target or not target[0].isdigit():
                rest = [one for one in explicit if one != field]
                word = f"{target}.{show_name(name[-1:])}"
                if not rest:
                    return word
                shown = [self._show(arguments[one], context, MAX_LEVEL, depth) for one in rest]
                return _within(" ".join([word, *shown]), level, MAX_LEVEL - 1)
        word = WHOLE.get(name) or show_name(name)
        if not explicit:
            return word
        shown = [self._show(arguments[one], context, MAX_LEVEL, depth) for one in explicit]
        return _within(" ".join([word, *shown]), level, MAX_LEVEL - 1)

    def _special(
        self, name: Name, arguments: list[int], context: list[str], level: int, depth: int
    ) -> str | None:
        """What has a notation of its own, if it is applied as that needs."""
        count = len(arguments)

        def show(at: int, tight: int) -> str:
            return self._show(arguments[at], context, tight, depth)

        operator = OPERATORS.get(name)
        if operator is not None and count == operator.num_arguments:
            if name == ("List", "cons") and (items := self._items(arguments)) is not None:
                return f"[{', '.join(self._show(one, context, LOW, depth) for one in items)}]"
            left, right = show(-2, operator.left), show(-1, operator.right)
            return _within(f"{left} {operator.sign} {right}", level, operator.level)
        if name in PREFIXES and count == PREFIXES[name][1]:
            sign, _, tight = PREFIXES[name]
            return _within(f"{sign}{show(-1, tight)}", level, min(tight, MAX_LEVEL - 1))
        if name == ("OfNat", "ofNat") and count == 3:
            return show(1, MAX_LEVEL)
        if name == ("Membership", "mem") and count == 5:
            return _within(f"{show(4, 51)} ∈ {show(3, 51)}", level, 50)
        if name in ELEMENT and count == ELEMENT[name][0]:
            at = count - 2 if ELEMENT[name][1] != "!" and count == 7 else 5
            return f"{show(at, MAX_LEVEL)}[{show(at + 1, LOW)}]{ELEMENT[name][1]}"
        if name == ("Prod", "mk") and count == 4:
            return f"({show(2, LOW)}, {show(3, LOW)})"
        if name in (("ite",), ("dite",)) and count == 5:
            return self._choice(name, arguments, context, level, depth)
        if name in (("Exists",), ("Subtype",)) and count == 2:
            return self._binding(name, arguments, context, level, depth)
        return None

    def _choice(
        self, name: Name, arguments: list[int], context: list[str], level: int, depth: int
    ) -> str:
        """`if c then a else b`; with a name for `c` where the branches use it."""
        word, branches = "", []
        for number in arguments[3:5]:
            node, inner = self._node(number), context
            if name == ("dite",) and node[0] == LAMBDA:
                word = self._binder_word(node[1], context)
                number, inner = node[3], [*context, word]
            branches.append(self._show(number, inner, LOW, depth))
        condition = self._show(arguments[1], context, LOW, depth)
        if word:
            condition = f"{word} : {condition}"
        return _within(f"if {condition} then {branches[0]} else {branches[1]}", level, LOW)

    def _binding(
        self, name: Name, arguments: list[int], context: list[str], level: int, depth: int
    ) -> str | None:
        body = self._node(arguments[1])
        if body[0] != LAMBDA:
            return None
        word = self._binder_word(body[1], context)
        inner = self._show(body[3], [*context, word], LOW, depth)
        if name == ("Subtype",):
            return f"{{ {word} // {inner} }}"
        return _within(f"∃ {word}, {inner}", level, LOW)

    def _items(self, arguments: list[int]) -> list[int] | None:
        """The elements of a list written out."""
        items = [arguments[1]]
        rest = arguments[2]
        while len(items) < 64:
            node = self._node(rest)
            if node[0] != APPLY:
                return None
            head, inner = self.spine(node)
            name = self.terms.expressions[head][1:2]
            if name == (("List", "nil"),):
                return items
            if name != (("List", "cons"),) or len(inner) != 3:
                return None
            items.append(inner[1])
            rest = inner[2]
        return None

    def _sort(self, level: int) -> str:
        node = self.terms.levels[level]
        if node[0] == ZERO:
            return "Prop"
        if node[0] == SUCC:
            inner = self._universe(node[1])
            return "Type" if inner == "0" else f"Type {inner}"
        return f"Sort {self._universe(level)}"

    def _universe(self, level: int) -> str:
        added, node = 0, self.terms.levels[level]
        while node[0] == SUCC:
            added, node = added + 1, self.terms.levels[node[1]]
        if node[0] == ZERO:
            return str(added)
        if node[0] == LEVEL_PARAM:
            word = show_name(node[1])
            return f"({word}+{added})" if added else word
        word = "max" if node[0] == MAX else "imax"
        text = f"({word} {self._universe(node[1])} {self._universe(node[2])})"
        return f"({text}+{added})" if added else text

    def _uses(self, body: int) -> bool:
        """Whether the variable bound just outside of a body occurs in it."""
        waiting, seen = [(body, 0)], set[tuple[int, int]]()
        while waiting:
            number, index = one = waiting.pop()
            if one in seen:
                continue
            seen.add(one)
            node = self.terms.expressions[number]
            tag = node[0]
            if tag == BOUND:
                if node[1] == index:
                    return True
            elif tag == APPLY:
                waiting += [(node[1], index), (node[2], index)]
            elif tag in (LAMBDA, FORALL):
                waiting += [(node[2], index), (node[3], index + 1)]
            elif tag == LET:
                waiting += [(node[2], index), (node[3], index), (node[4], index + 1)]
            elif tag == NOTE:
                waiting.append((node[1], index))
            elif tag == PROJECT:
                waiting.append((node[3], index))
        return False

    @staticmethod
    def _binder_word(name: Name, context: list[str]) -> str:
        """A binder's name, with a mark if one of that name is in sight already."""
        words = [one for one in name if isinstance(one, str)]
        word = words[0] if words else "a"
        if word.startswith("_") and len(words) > 1:
            word = "a"
        while word in context:
            word += "'"
        return word


def signature_of(name: Name, terms: Terms, type_: int) -> Signature:
    """How a constant is applied, from its type."""
    kinds, field = bytearray(), -1
    node = terms.expressions[type_]
    while node[0] in (FORALL, NOTE):
        if node[0] == NOTE:
            node = terms.expressions[node[1]]
            continue
        if field < 0 and node[4] == EXPLICIT and len(name) > 1:
            head = terms.expressions[node[2]]
            while head[0] in (APPLY, NOTE):
                head = terms.expressions[head[1]]
            field = len(kinds) if head[0] == CONSTANT and head[1] == name[:-1] else -2
        kinds.append(node[4])
        node = terms.expressions[node[3]]
    return Signature(bytes(kinds), max(field, -1))


def _is_unnamed(name: Name) -> bool:
    """Whether Lean made the name up: it then has marks that nobody can write."""
    return len(name) != 1 or str(name[0]).startswith(("inst✝", "a✝"))


def _binder(words: list[str], kind: str, binder: int) -> str:
    left, right = BRACKETS[binder]
    inner = f"{' '.join(words)} : {kind}" if words else kind
    return f"{left}{inner}{right}"


def _within(text: str, wanted: int, level: int) -> str:
    """In parentheses if it binds less tight than its place wants."""
    return f"({text})" if level < wanted else text
