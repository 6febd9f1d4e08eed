"""Proof terms as people write them, read and checked against what they are to show."""

import re
from dataclasses import dataclass, field, replace

from bise.evals.lean.search import fill, fits, is_reflexive
from bise.evals.lean.terms import FALSE, Atom, Bind, Formula, Join, Not, Sequent, replaced, show

TOKEN = re.compile(r"\s*(fun\b|λ|=>|↦|\?_|▸|[⟨⟩(),]|\.[\w]+|[\w'✝₀-₉]+)")
NAMESPACES = ("And", "Or", "Iff", "False", "Eq", "Exists")


class Wrong(Exception):
    """Not a step that is allowed here."""


@dataclass(frozen=True, slots=True)
class Term:
    """A head with arguments: a name, `fun` (names as arguments, then the body), `⟨⟩`, `▸`, or a
    field such as `.1` (of its first argument)."""

    head: str
    arguments: tuple["Term", ...] = ()

    @property
    def text(self) -> str:
        """As the argument of a predicate."""
        if not self.arguments:
            return self.head
        return f"({' '.join([self.head, *(one.text for one in self.arguments)])})"


def read_term(text: str) -> Term:
    """A term from its words. Raises `Wrong`."""
    tokens, at = list[str](), 0
    while at < len(text.rstrip()):
        found = TOKEN.match(text, at)
        if found is None:
            raise Wrong
        tokens.append(found[1])
        at = found.end()
    reader = _Reader(tokens)
    term = reader.term()
    if reader.tokens:
        raise Wrong
    return term


@dataclass(slots=True)
class _Reader:
    tokens: list[str]

    def take(self, *wanted: str) -> str:
        """The next token, which must be one of these if any are given."""
        if not self.tokens or (wanted and self.tokens[0] not in wanted):
            raise Wrong
        return self.tokens.pop(0)

    def term(self) -> Term:
        """A term up to a bracket or comma."""
        if self.tokens[:1] in (["fun"], ["λ"]):
            self.take()
            names = list[Term]()
            while self.tokens and self.tokens[0] not in ("=>", "↦"):
                names.append(Term(self.take()))
            self.take("=>", "↦")
            return Term("fun", (*names, self.term()))
        parts = list[Term]()
        while self.tokens and self.tokens[0] not in (")", "⟩", ",", "▸", "=>"):
            parts.append(self.term() if self.tokens[0] in ("fun", "λ") else self.one())
        if not parts:
            raise Wrong
        first, *rest = parts
        term = Term(first.head, (*first.arguments, *rest)) if rest else first
        if rest and first.head in ("⟨⟩", "fun", "▸"):
            raise Wrong
        if self.tokens[:1] == ["▸"]:
            self.take()
            return Term("▸", (term, self.term()))
        return term

    def one(self) -> Term:
        """A term that needs no brackets, with its fields."""
        token = self.take()
        if token == "(":
            term = self.term()
            self.take(")")
        elif token == "⟨":
            items = [self.term()]
            while self.take("⟩", ",") == ",":
                items.append(self.term())
            term = Term("⟨⟩", tuple(items))
        elif token.startswith((".", ")", "⟩", ",", "=>", "↦")):
            raise Wrong
        else:
            term = Term(token)
        while self.tokens and self.tokens[0].startswith("."):
            name = self.take()
            is_whole = term.head in NAMESPACES and not term.arguments
            term = Term(term.head + name) if is_whole else Term(name, (term,))
        return term


@dataclass(slots=True)
class Builder:
    """Checks terms in the context of a goal; what `?_` stands for is `left`."""

    goal: Sequent
    left: list[Sequent] = field(default_factory=list[Sequent])

    def introduced(self, name: str) -> Sequent:
        """The goal with the first premise or variable of its target brought in."""
        goal = self.goal
        match goal.target:
            case Join("→", first, rest):
                return replace(goal, known={**goal.known, name: first}, target=rest)
            case Not(body):
                return replace(goal, known={**goal.known, name: body}, target=FALSE)
            case Bind("∀", bound, kind, body) if name not in goal.terms:
                terms = {**goal.terms, name: kind}
                return replace(goal, terms=terms, target=replaced(body, bound, name))
            case _:
                raise Wrong

    def check(self, term: Term, target: Formula) -> None:
        """Whether a term shows a formula; raises `Wrong` if not."""
        arguments = term.arguments
        match term.head, target:
            case "?_", _:
                self.left.append(replace(self.goal, target=target))
            case "fun", _:
                self._check_fun([one.head for one in arguments[:-1]], arguments[-1], target)
            case "⟨⟩" | "Exists.intro", Bind("∃", name, _, body) if len(arguments) > 1:
                if arguments[0].text.strip("()").split(" ")[-1] not in self.goal.terms:
                    raise Wrong
                self.check(_rest(arguments), replaced(body, name, arguments[0].text))
            case "⟨⟩", Join("∧" | "↔", _, _) if len(arguments) > 1:
                self.check(arguments[0], part(target, "1"))
                self.check(_rest(arguments), part(target, "2"))
            case ("And.intro", Join("∧", _, _)) | ("Iff.intro", Join("↔", _, _)):
                self._check_all(arguments, part(target, "1"), part(target, "2"))
            case "Or.inl", Join("∨", left, _):
                self._check_all(arguments, left)
            case "Or.inr", Join("∨", _, right):
                self._check_all(arguments, right)
            case "False.elim", _:
                self._check_all(arguments, FALSE)
            case ".elim", _:
                self._check_elim(arguments, target)
            case "absurd", _ if len(arguments) == 2:
                self.check(arguments[1], Not(self.infer(arguments[0])))
            case "rfl", _ if is_reflexive(target) and not arguments:
                pass
            case _:
                if not fits(self.infer(term), target, {}):
                    raise Wrong

    def _check_all(self, terms: tuple[Term, ...], *targets: Formula) -> None:
        if len(terms) != len(targets):
            raise Wrong
        for term, target in zip(terms, targets, strict=True):
            self.check(term, target)

    def _check_fun(self, names: list[str], body: Term, target: Formula) -> None:
        inner = Builder(replace(self.goal, target=target), self.left)
        for name in names:
            inner.goal = inner.introduced(name)
        inner.check(body, inner.goal.target)

    def _check_elim(self, arguments: tuple[Term, ...], target: Formula) -> None:
        match self.infer(arguments[0]):
            case Atom("False"):
                self._check_all(arguments[1:])
            case Not(body):
                self._check_all(arguments[1:], body)
            case Join("∨", left, right):
                self._check_all(arguments[1:], Join("→", left, target), Join("→", right, target))
            case _:
                raise Wrong

    def infer(self, term: Term) -> Formula:
        """What a term shows, if that does not depend on what it is to show."""
        if term.head in self.goal.known:
            return self._applied(self.goal.known[term.head], term.arguments)
        if term.head in ("And.left", "And.right", "Iff.mp", "Iff.mpr") and term.arguments:
            term = Term(term.head[term.head.index(".") :], term.arguments)
        if term.head == "Eq.symm" and term.arguments:
            term = Term(".symm", term.arguments)
        if not term.head.startswith(".") or not term.arguments:
            raise Wrong
        whole = self.infer(term.arguments[0])
        return self._applied(part(whole, term.head[1:]), term.arguments[1:])

    def _applied(self, fact: Formula, arguments: tuple[Term, ...]) -> Formula:
        """What is left of a fact given arguments; `_` is found out from those behind it."""
        for place, argument in enumerate(arguments):
            match fact:
                case Join("→", left, right) if "#u" in show(left):
                    found = dict[str, str]()
                    if not fits(left, self.infer(argument), found):
                        raise Wrong
                    fact = fill(right, found)
                case Join("→", left, right):
                    self.check(argument, left)
                    fact = right
                case Bind("∀", name, _, body) if argument == Term("_"):
                    fact = replaced(body, name, f"#u{place}")
                case Not(body):
                    self.check(argument, body)
                    fact = FALSE
                case Bind("∀", name, _, body):
                    if argument.head not in self.goal.terms and not argument.head.isdigit():
                        raise Wrong
                    fact = replaced(body, name, argument.text)
                case _:
                    raise Wrong
        return fact


def part(fact: Formula, name: str) -> Formula:
    """What a field of a proof shows. Raises `Wrong`."""
    match fact, name:
        case Join("∧", left, _), "1" | "left":
            return left
        case Join("∧", _, right), "2" | "right":
            return right
        case Join("↔", left, right), "1" | "mp":
            return Join("→", left, right)
        case Join("↔", left, right), "2" | "mpr":
            return Join("→", right, left)
        case Join("↔", left, right), "symm":
            return Join("↔", right, left)
        case Atom(text), "symm" if text.count(" = ") == 1:
            return Atom(" = ".join(reversed(text.split(" = "))))
        case _:
            raise Wrong


def _rest(arguments: tuple[Term, ...]) -> Term:
    """All arguments but the first, as one."""
    return arguments[1] if len(arguments) == 2 else Term("⟨⟩", arguments[1:])
