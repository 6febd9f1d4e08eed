"""Whether a goal can be shown by logic alone: a small search, backwards from the target."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from bise.evals.lean.terms import FALSE, WORD, Atom, Bind, Formula, Join, Not, Sequent, replaced

FUEL = 5
"""How many steps that choose may follow one another,"""

MOST_GOALS = 1000
"""and how many goals are looked at; what takes more counts as not provable."""


def provable(goal: Sequent) -> bool:
    """Whether the search finds a proof; it finds all that the levels ask for."""
    search = _Search(tuple(goal.terms))
    return search.prove(frozenset(goal.known.values()), goal.target, FUEL)


@dataclass(slots=True)
class _Search:
    terms: tuple[str, ...]
    left: int = MOST_GOALS
    open: set[tuple[frozenset[Formula], Formula]] = field(
        default_factory=set[tuple[frozenset[Formula], Formula]]
    )
    """What is being shown already: a proof that needs itself is none."""

    def prove(self, facts: frozenset[Formula], target: Formula, fuel: int) -> bool:
        """Whether the facts give the target in so many steps that choose."""
        facts = self._opened(facts)
        self.left -= 1
        if target in facts or FALSE in facts or is_reflexive(target):
            return True
        key = (facts, target)
        if fuel < 0 or self.left < 0 or key in self.open:
            return False
        match target:
            case Join("∧", left, right):
                return self.prove(facts, left, fuel) and self.prove(facts, right, fuel)
            case Join("↔", left, right):
                return self.prove(facts | {left}, right, fuel) and self.prove(
                    facts | {right}, left, fuel
                )
            case Join("→", left, right):
                return self.prove(facts | {left}, right, fuel)
            case Not(body):
                return self.prove(facts | {body}, FALSE, fuel)
            case Bind("∀", name, _, body):
                self.terms = (*self.terms, f"new{self.left}")
                return self.prove(facts, replaced(body, name, self.terms[-1]), fuel)
            case _:
                pass
        self.open.add(key)
        try:
            return self._choose(facts, target, fuel - 1)
        finally:
            self.open.discard(key)

    def _opened(self, facts: frozenset[Formula]) -> frozenset[Formula]:
        """Facts with the parts of `∧` and `↔`, and witnesses of `∃`."""
        found, waiting = set[Formula](), list(facts)
        while waiting:
            fact = waiting.pop()
            match fact:
                case Join("∧", left, right):
                    waiting += [left, right]
                case Join("↔", left, right):
                    waiting += [Join("→", left, right), Join("→", right, left)]
                case Bind("∃", name, _, body):
                    self.terms = (*self.terms, f"some{self.left}n{len(self.terms)}")
                    waiting.append(replaced(body, name, self.terms[-1]))
                case _:
                    pass
            if not isinstance(fact, Bind) or fact.sign == "∀":
                found.add(fact)
        return frozenset(found)

    def _choose(self, facts: frozenset[Formula], target: Formula, fuel: int) -> bool:
        match target:
            case Join("∨", left, right):
                if self.prove(facts, left, fuel) or self.prove(facts, right, fuel):
                    return True
            case Bind("∃", name, _, body):
                if any(self.prove(facts, replaced(body, name, one), fuel) for one in self.terms):
                    return True
            case _:
                pass
        for fact in facts:
            if isinstance(fact, Join) and fact.sign == "∨":
                less = facts - {fact}
                if all(self.prove(less | {side}, target, fuel) for side in (fact.left, fact.right)):
                    return True
            for premises in backwards(fact, target):
                if premises and self._all(facts, premises, fuel):
                    return True
        return target != FALSE and self.prove(facts, FALSE, fuel)

    def _all(self, facts: frozenset[Formula], premises: list[Formula], fuel: int) -> bool:
        """Whether all can be shown, for some choice of what is still unknown in them."""
        unknown = next((one for each in premises if (one := _unknown(each))), "")
        if not unknown:
            return all(self.prove(facts, each, fuel) for each in premises)
        return any(
            self._all(facts, [replaced(each, unknown, one) for each in premises], fuel)
            for one in self.terms
        )


def backwards(fact: Formula, target: Formula) -> Iterator[list[Formula]]:
    """What would have to be shown for a fact to give a target, each time one more premise."""
    premises, count = list[Formula](), 0
    while True:
        found = dict[str, str]()
        if fits(fact, target, found):
            yield [fill(each, found) for each in premises]
        match fact:
            case Join("→", left, right):
                premises, fact = [*premises, left], right
            case Not(body):
                premises, fact = [*premises, body], FALSE
            case Bind("∀", name, _, body):
                fact, count = replaced(body, name, f"#u{count}"), count + 1
            case _:
                return


def fits(pattern: Formula, formula: Formula, found: dict[str, str]) -> bool:
    """Whether they are equal for some choice of what is unknown, kept in `found`."""
    match pattern, formula:
        case Atom(one), Atom(other):
            first, second = one.split(" "), other.split(" ")
            return len(first) == len(second) and all(
                _word_fits(*pair, found) for pair in zip(first, second, strict=True)
            )
        case Not(one), Not(other):
            return fits(one, other, found)
        case Join(sign, left, right), Join(same, first, second) if sign == same:
            return fits(left, first, found) and fits(right, second, found)
        case Bind(sign, name, _, one), Bind(same, twin, _, other):
            return (sign, name) == (same, twin) and fits(one, other, found)
        case _:
            return False


def _word_fits(pattern: str, word: str, found: dict[str, str]) -> bool:
    if not pattern.startswith("#u"):
        return pattern == word
    return found.setdefault(pattern, word) == word


def fill(formula: Formula, found: dict[str, str]) -> Formula:
    """A formula with what was found put in."""
    for name, term in found.items():
        formula = replaced(formula, name, term)
    return formula


def _unknown(formula: Formula) -> str:
    """Something not yet chosen in a formula."""
    match formula:
        case Atom(text):
            return next((word for word in WORD.findall(text) if word.startswith("#u")), "")
        case Not(body) | Bind(_, _, _, body):
            return _unknown(body)
        case Join(_, left, right):
            return _unknown(left) or _unknown(right)


def is_reflexive(formula: Formula) -> bool:
    """Whether `rfl` or `trivial` shows it without computing."""
    match formula:
        case Atom(text):
            left, is_equal, right = text.partition(" = ")
            return text == "True" or bool(is_equal and left == right)
        case Join("↔", left, right):
            return left == right
        case _:
            return False
