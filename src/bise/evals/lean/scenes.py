"""What a goal talks about: variables, statements made of them, and names for what is known."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from bise.evals.lean.terms import WORD, Atom, Bind, Formula, Join, Not, renamed, show

PROPS = ("pqrst", "abcde", "ABCDE", "PQRST", "φψχθ", "uvwxy", "xyzuv", "αβγδ", "rstuv", "HKLMN")
PREDICATES = ("PQS", "AB", "FGH", "pqr", "UV", "φψ", "STU", "MNK")
TYPES = ("α", "α", "α", "β", "X", "T", "γ", "ι", "σ", "D")
ELEMENTS = ("abc", "xyz", "uvw", "ijk", "cde", "mno")
BOUND = ("x", "y", "z", "w", "t", "i", "j", "e", "x'", "a")
NUMBERS = ("nmk", "abc", "xyz", "ijk", "mnl", "kln", "uvw", "stu")
LISTS = ("xs", "ys", "zs", "l", "as", "l₁")
HYPOTHESES = ("h", "h", "h", "H", "hyp", "k", "g", "f", "this", "key", "ha", "hx", "e", "w")
SEVERAL = ("h{}", "h{}", "h{}", "H{}", "hyp{}", "a{}", "e{}", "ih{}")
LOW_DIGITS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(slots=True)
class Scene:
    """Draws formulas over a few variables, then writes the goal."""

    rng: Random
    reach: float
    lines: list[tuple[list[str], str]] = field(default_factory=list[tuple[list[str], str]])
    """Variables with their types."""

    atoms: list[Formula] = field(default_factory=list[Formula])
    predicates: list[str] = field(default_factory=list[str])
    elements: list[str] = field(default_factory=list[str])
    type: str = ""
    taken: set[str] = field(default_factory=set[str])

    def declare(self, names: Sequence[str], kind: str) -> None:
        """Add variables; those of the type before them stand on its line, as in Lean."""
        assert not self.taken & set(names), f"`{names}` are not all new"
        if self.lines and self.lines[-1][1] == kind:
            self.lines[-1][0].extend(names)
        elif names:
            self.lines.append((list(names), kind))
        self.taken.update(names)

    def some(self, num: int) -> list[Formula]:
        """Different statements, mostly atoms."""
        found = self.rng.sample(self.atoms, num)
        if self.rng.random() < 0.35 * self.reach:
            for place in range(num):
                if self.rng.random() < 0.5:
                    made = self.compound(1)
                    if made not in found:
                        found[place] = made
        return found

    def compound(self, depth: int) -> Formula:
        """A statement put together of atoms."""
        rng = self.rng
        kind = rng.random()
        if kind < 0.15:
            return Not(self.inner(depth))
        if self.predicates and kind < 0.4:
            return self.bound(rng.choice("∀∃"))
        sign = rng.choices("∧∨→↔", (4, 3, 4, 1))[0]
        left, right = self.inner(depth), self.inner(depth)
        if left == right:
            return Not(left)
        return Join(sign, left, right)

    def inner(self, depth: int) -> Formula:
        """What stands inside of a compound statement."""
        if depth > 1 and self.rng.random() < 0.5:
            return self.compound(depth - 1)
        return self.rng.choice(self.atoms)

    def bound(self, sign: str) -> Formula:
        """About all or some elements of the type."""
        name = self.binder()
        one = Atom(f"{self.rng.choice(self.predicates)} {name}")
        other = Atom(f"{self.rng.choice(self.predicates)} {name}")
        is_single = one == other or self.rng.random() < 0.4
        body = one if is_single else Join("→" if sign == "∀" else "∧", one, other)
        return Bind(sign, name, self.type, body)

    def binder(self, *others: str) -> str:
        """A name for a bound variable, not in use."""
        return self.rng.choice(
            [one for one in BOUND if one not in self.taken and one not in others]
        )

    def fresh(self, wanted: str, *others: str) -> str:
        """A name like the wanted one that is free."""
        name, count = wanted, 0
        while name in self.taken or name in others:
            count += 1
            name = f"{wanted}{count}"
        return name

    def named(self, formula: Formula, *others: str) -> str:
        """What a person calls a proof of it: `hp` for `p`, `hpq` for `p → q`."""
        return self.fresh(short_name(formula), *others)

    def written(
        self, needed: Sequence[Formula], target: Formula | str, *, more: Sequence[str] = ()
    ) -> tuple[str, list[str]]:
        """The goal as Lean prints it, with hypotheses nobody needs, and the names of the needed.

        more: texts that no other hypothesis may have. None is said twice with other bound names,
        because Lean would write two of a kind on one line, and none is plainly denied."""
        rng = self.rng
        shown = [show(one) for one in needed]
        target = target if isinstance(target, str) else show(target)
        texts = list(shown)
        said = {renamed(one) for one in needed}
        for _ in range(rng.randint(0, 1 + round(3 * self.reach)) if self.atoms else 0):
            is_small = rng.random() < 0.45
            one = rng.choice(self.atoms) if is_small else self.compound(1 + is_hard(self))
            text, plain = show(one), renamed(one)
            opposite = plain.body if isinstance(plain, Not) else Not(plain)
            if not {plain, opposite} & said and text != target and text not in more:
                texts.append(text)
                said.add(plain)
        rng.shuffle(texts)
        names = self.names(texts)
        lines = [f"{' '.join(group)} : {kind}" for group, kind in self.lines]
        lines += [f"{name} : {text}" for name, text in zip(names, texts, strict=True)]
        return "\n".join([*lines, f"⊢ {target}"]), [names[texts.index(one)] for one in shown]

    def names(self, texts: Sequence[str]) -> list[str]:
        """A name for each hypothesis, in one of the ways people have."""
        rng, way, found = self.rng, self.rng.random(), list[str]()
        pattern = rng.choice(SEVERAL)
        is_low, start = rng.random() < 0.3, rng.randint(0, 1)
        for number, text in enumerate(texts, start=start):
            if way < 0.4:
                wanted = name_of(text)
            elif way < 0.75 and len(texts) > 1:
                digits = str(number).translate(LOW_DIGITS) if is_low else str(number)
                wanted = pattern.format(digits)
            else:
                wanted = rng.choice(HYPOTHESES)
            found.append(self.fresh(wanted))
            self.taken.add(found[-1])
        return found


def is_hard(scene: Scene) -> bool:
    """Whether something may be deeper, more often later."""
    return scene.rng.random() < 0.5 * scene.reach


def short_name(formula: Formula) -> str:
    """A name for a proof of it."""
    return name_of(show(formula))


def name_of(text: str) -> str:
    """`h` and the letters it is about, at most three."""
    words = [one for one in WORD.findall(text) if one not in ("fun", "true", "false", "Nat")]
    if len(words) == 2 and " ".join(words) == text:
        words = words[1:]  # a predicate: named for what it is about
    short = "".join(one for one in words if one.isalpha() and len(one) == 1).lower()
    return f"h{short}" if 1 <= len(short) <= 3 else "h"


def draw_scene(rng: Random, reach: float, kind: str = "") -> Scene:
    """Variables to talk about: statements, a type with predicates, or numbers and lists."""
    scene = Scene(rng, reach)
    kind = kind or rng.choices(("props", "predicates", "numbers"), (6, 2 * reach, 2 * reach))[0]
    if kind == "props":
        family = rng.choice(PROPS)
        names = sorted(
            rng.sample(family, rng.randint(3, 3 + round(2 * reach)) if len(family) > 4 else 3),
            key=family.index,
        )
        scene.declare(names, "Prop")
        scene.atoms = [Atom(one) for one in names]
    elif kind == "predicates":
        scene.type = rng.choice(TYPES)
        scene.declare([scene.type], "Type")
        scene.predicates = [one for one in rng.choice(PREDICATES) if one != scene.type][
            : rng.randint(2, 3)
        ]
        scene.declare(scene.predicates, f"{scene.type} → Prop")
        letters = rng.choice(ELEMENTS)
        scene.elements = [one for one in letters if one not in scene.taken][: rng.randint(2, 3)]
        scene.declare(scene.elements, scene.type)
        scene.atoms = [Atom(f"{p} {a}") for p in scene.predicates for a in scene.elements]
        if rng.random() < 0.2:
            scene.declare(["C"], "Prop")
            scene.atoms.append(Atom("C"))
    else:
        numbers = rng.choice(NUMBERS)
        lists = rng.sample([one for one in LISTS if one not in numbers], 2)
        scene.declare(list(numbers), "Nat")
        one, other, last = numbers
        texts = [f"{one} < {other}", f"{other} = {last}", f"{one} ≤ {rng.randint(1, 99)}"]
        texts += [f"{last} = {rng.randint(0, 99)}", f"{one} ≠ {last}"]
        if rng.random() < 0.5:
            scene.declare(lists, "List Nat")
            texts += [f"{one} ∈ {lists[0]}", f"{last} ∈ {lists[1]}", f"{lists[0]} = {lists[1]}"]
        scene.atoms = [Atom(text) for text in rng.sample(texts, 4)]
    return scene
