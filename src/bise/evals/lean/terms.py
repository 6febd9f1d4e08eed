"""Formulas and goals of Lean: written as Lean prints them, and read again.

Bound variables are named by how many binders stand inside of theirs, `#0` for the innermost, so
that formulas that differ only in such names are equal, and putting a term in captures nothing.
"""

import re
from dataclasses import dataclass

LEVELS = {"∧": 35, "∨": 30, "→": 25, "↔": 20}
"""How tight a sign binds."""

OPERAND = 40
"""What stands behind `¬` binds at least so tight."""

WORD = re.compile(r"#?[\w✝'₀-₉]+")
SIGNS = re.compile(r"[¬∧∨→↔∀∃]")
OPEN, CLOSE = "([⟨", ")]⟩"


@dataclass(frozen=True, slots=True)
class Atom:
    """A statement not looked into: `p`, `P x`, `n < m`, `False`."""

    text: str


@dataclass(frozen=True, slots=True)
class Not:
    """It does not hold."""

    body: "Formula"


@dataclass(frozen=True, slots=True)
class Join:
    """Two formulas and the sign between them."""

    sign: str
    left: "Formula"
    right: "Formula"


@dataclass(frozen=True, slots=True)
class Bind:
    """`∀` or `∃`; `name` is a proper one while printing is all that is asked."""

    sign: str
    name: str
    kind: str
    body: "Formula"


Formula = Atom | Not | Join | Bind

FALSE = Atom("False")


def show(formula: Formula, level: int = 0) -> str:
    """As Lean prints it where something at least so tight is wanted."""
    match formula:
        case Atom(text):
            return text
        case Not(body):
            return f"¬{show(body, OPERAND)}"
        case Join(sign, left, right):
            own = LEVELS[sign]
            shown = show(left, own + 1)
            if ends_open(left) and shown == show(left):
                shown = f"({shown})"  # the binder would take what follows
            text = f"{shown} {sign} {show(right, own + (sign == '↔'))}"
            return f"({text})" if own < level else text
        case Bind(sign, name, kind, body):
            names = [name]
            while isinstance(body, Bind) and (body.sign, body.kind) == (sign, kind):
                names.append(body.name)
                body = body.body
            bound = " ".join(names)
            shown = show(body)
            return f"∀ ({bound} : {kind}), {shown}" if sign == "∀" else f"∃ {bound}, {shown}"


def ends_open(formula: Formula) -> bool:
    """Whether its text ends in the body of a binder."""
    while not isinstance(formula, Bind):
        match formula:
            case Not(body):
                formula = body
            case Join(_, _, right):
                formula = right
            case _:
                return False
    return True


def replaced(formula: Formula, name: str, term: str) -> Formula:
    """The formula with a term in place of a name."""
    match formula:
        case Atom(text):
            return Atom(replace_word(text, name, term))
        case Not(body):
            return Not(replaced(body, name, term))
        case Join(sign, left, right):
            return Join(sign, replaced(left, name, term), replaced(right, name, term))
        case Bind(sign, own, kind, body):
            return Bind(sign, own, kind, replaced(body, name, term))


def replace_word(text: str, name: str, term: str) -> str:
    """A text with a term in place of every whole word that is this name."""
    return WORD.sub(lambda found: term if found[0] == name else found[0], text)


def read(text: str) -> Formula:
    """A formula from Lean's words, bound variables renamed. Raises `ValueError`."""
    formula, at = _read(text, 0, 0)
    if text[at:].strip():
        raise ValueError(f"more than a formula: {text}")
    return renamed(formula)


def renamed(formula: Formula) -> Formula:
    """Bound variables named by how many binders stand inside of theirs."""
    return _renamed(formula)[0]


def _renamed(formula: Formula) -> tuple[Formula, int]:
    match formula:
        case Not(body):
            body, height = _renamed(body)
            return Not(body), height
        case Join(sign, left, right):
            (left, first), (right, second) = _renamed(left), _renamed(right)
            return Join(sign, left, right), max(first, second)
        case Bind(sign, name, _, body):
            body, height = _renamed(body)
            return Bind(sign, f"#{height}", "", replaced(body, name, f"#{height}")), height + 1
        case Atom(text):
            unequal = text.split(" ≠ ")
            return (Not(Atom(" = ".join(unequal))) if len(unequal) == 2 else formula), 0


def _read(text: str, at: int, level: int) -> tuple[Formula, int]:
    """What begins at a place, up to a sign that binds less than `level`."""
    left, at = _read_one(text, _skip(text, at))
    while True:
        at = _skip(text, at)
        sign = text[at : at + 1]
        own = LEVELS.get(sign, -1)
        if own < level:
            return left, at
        right, at = _read(text, at + 1, own + (sign == "↔"))
        left = Join(sign, left, right)


def _read_one(text: str, at: int) -> tuple[Formula, int]:
    sign = text[at : at + 1]
    if sign == "¬":
        body, at = _read(text, at + 1, OPERAND)
        return Not(body), at
    if sign in ("∀", "∃"):
        comma = text.index(",", at)
        names, _, kind = text[at + 1 : comma].strip(" ()").partition(" : ")
        body, at = _read(text, comma + 1, 0)
        for name in reversed(names.split()):
            body = Bind(sign, name, kind, body)
        return body, at
    if sign == "(":
        end = closing(text, at)
        if SIGNS.search(text, at, end):
            body, stop = _read(text[: end - 1], at + 1, 0)
            if stop != end - 1:
                raise ValueError(f"not a formula: {text}")
            return body, end
    stop = at
    while stop < len(text) and text[stop] not in "∧∨→↔,)]⟩":
        stop = closing(text, stop) if text[stop] in OPEN else stop + 1
    if not text[at:stop].strip():
        raise ValueError(f"not a formula: {text}")
    return Atom(text[at:stop].strip()), stop


def closing(text: str, at: int) -> int:
    """The place behind the bracket that closes the one at a place. Raises `ValueError`."""
    depth = 0
    for place in range(at, len(text)):
        depth += (text[place] in OPEN) - (text[place] in CLOSE)
        if depth == 0:
            return place + 1
    raise ValueError(f"a bracket stays open: {text}")


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] == " ":
        at += 1
    return at


@dataclass(frozen=True, slots=True)
class Sequent:
    """What is known, by name, and what is to be shown."""

    known: dict[str, Formula]
    terms: dict[str, str]
    """Variables, with their types as Lean prints them."""

    target: Formula


def read_goal(text: str) -> Sequent:
    """A goal as Lean prints it, hypotheses apart from variables. Raises `ValueError`."""
    before, _, target = text.partition("⊢ ")
    kinds = dict[str, str]()
    for line in before.splitlines():
        names, is_typed, kind = line.partition(" : ")
        if is_typed:
            kinds |= dict.fromkeys(names.split(), kind)
    is_term = {name: is_type(kind, kinds) for name, kind in kinds.items()}
    known = {name: read(kind) for name, kind in kinds.items() if not is_term[name]}
    terms = {name: kind for name, kind in kinds.items() if is_term[name]}
    return Sequent(known, terms, read(target.strip()))


def is_type(kind: str, kinds: dict[str, str]) -> bool:
    """Whether this is what a variable has, and not a statement."""
    words = kind.replace("→", " ").split()
    return all(word in DATA or kinds.get(word) == "Type" for word in words)


DATA = ("Prop", "Type", "Nat", "Int", "Bool", "List", "Option")
