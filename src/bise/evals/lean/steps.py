"""Steps that use what is known, or what the target brings with it."""

from dataclasses import dataclass
from itertools import pairwise

from bise.evals.lean.scenes import Scene, draw_scene, is_hard
from bise.evals.lean.terms import FALSE, Atom, Bind, Formula, Join, Not, replaced, show


@dataclass(frozen=True, slots=True)
class Step:
    """A goal, its next tactic, and how it is found."""

    goal: str
    tactic: str
    thinking: str
    kind: str = ""


def draw_assumption(scene: Scene) -> Step:
    """What is to be shown is known."""
    rng = scene.rng
    target = scene.compound(1 + is_hard(scene)) if rng.random() < 0.5 else rng.choice(scene.atoms)
    text = show(target)
    if rng.random() < 0.08:
        goal, _ = scene.written([], target)
        goal = goal.replace("\n⊢ ", f"\na✝ : {text}\n⊢ ")
        return Step(goal, "assumption", f"Target: {text}. a✝ : {text} is it, without a name.")
    goal, (name,) = scene.written([target], target)
    return Step(goal, f"exact {name}", f"Target: {text}. {name} : {text} is it.")


def draw_projection(scene: Scene, depth: int = 0) -> Step:
    """A part, perhaps far inside, of what is known."""
    rng = scene.rng
    target = rng.choice(scene.atoms)
    if not depth and rng.random() < 0.15:
        other = rng.choice([one for one in scene.atoms if one != target])
        name, side = "mp", Join("→", target, other)
        whole: Formula = Join("↔", target, other)
        if rng.random() < 0.5:
            name, side = "mpr", Join("→", other, target)
        goal, (fact,) = scene.written([whole], side)
        thought = f"Target: {show(side)}.\n{fact} : {show(whole)}\n{fact}.{name} : {show(side)}"
        return Step(goal, f"exact {fact}.{name}", thought)
    depth = depth or 1 + is_hard(scene) + (rng.random() < 0.2 * scene.reach)
    path, whole, layers = list[str](), target, [target]
    for _ in range(depth):
        others = [one for one in scene.atoms if one not in (target, whole)]
        other = scene.compound(1) if rng.random() < 0.25 * scene.reach else rng.choice(others)
        side = rng.choice("122")
        whole = Join("∧", whole, other) if side == "1" else Join("∧", other, whole)
        path.insert(0, side)
        layers.insert(0, whole)
    goal, (name,) = scene.written([whole], target)
    lines, term = [f"Target: {show(target)}."], name
    for side, layer in zip(["", *path], layers, strict=True):
        term += f".{side}" * bool(side)
        lines.append(f"{term} : {show(layer)}")
    return Step(goal, f"exact {term}", "\n".join(lines))


def draw_intro(scene: Scene) -> Step:
    """The target brings premises or variables with it."""
    rng = scene.rng
    last, *first = scene.some(rng.randint(2, 2 + is_hard(scene)))
    names, taken, needed = list[str](), list[str](), [last]
    target: Formula = last
    if scene.predicates and rng.random() < 0.6:
        target = scene.bound("∀")
        assert isinstance(target, Bind)
        names, taken = [target.name], [f"{target.name} : {scene.type}"]
        left, other = target.body, scene.binder(target.name)
        end = left.right if isinstance(left, Join) else left
        end, more = (replaced(one, target.name, other) for one in (end, left))
        extra = Atom(f"{rng.choice(scene.predicates)} {other}")
        if isinstance(more, Join) and rng.random() < 0.5:
            needed = [Bind("∀", other, scene.type, Join("→", more.left, Join("∧", end, extra)))]
        else:
            needed = [Bind("∀", other, scene.type, Join("∧", extra, end))]
        if isinstance(left, Join):
            names.append(scene.named(left.left, *names))
            taken.append(f"{names[-1]} : {show(left.left)}")
            left = left.right
    else:
        if rng.random() < 0.2:
            target, needed = FALSE, [Not(first[-1])]
        is_not = rng.random() < 0.6 and target == FALSE
        left = target
        for place, one in enumerate(reversed(first)):
            target = Not(one) if is_not and place == 0 else Join("→", one, target)
        for one in first:
            names.append(scene.named(one, *names))
            taken.append(f"{names[-1]} : {show(one)}")
    goal, _ = scene.written(needed, target)
    used = {line.split(" : ")[0] for line in goal.splitlines()}
    if used & set(names):
        return draw_intro(draw_scene(rng, scene.reach))
    thought = f"Target: {show(target)}. Take {', '.join(taken)}. Left: {show(left)}."
    return Step(goal, f"intro {' '.join(names)}", thought)


def draw_apply(scene: Scene) -> Step:
    """Something known gives the target from something else."""
    rng, kind = scene.rng, scene.rng.random()
    if scene.predicates and kind < 0.6:
        return _draw_instance(scene)
    first, second, third = scene.some(3)
    if kind < 0.15:
        is_left = rng.random() < 0.5
        whole = Join("↔", first, second)
        given, target = (first, second) if is_left else (second, first)
        goal, (fact, has) = scene.written([whole, given], target)
        way = "mp" if is_left else "mpr"
        thought = f"{fact} : {show(whole)} gives it from {show(given)}. {has} : {show(given)}."
        return Step(goal, f"exact {fact}.{way} {has}", f"Target: {show(target)}. {thought}")
    if kind < 0.3:
        whole = Join("→", first, Join("→", second, third))
        goal, (fact, one, two) = scene.written([whole, first, second], third)
        thought = f"Target: {show(third)}. {fact} : {show(whole)} gives it.\n"
        thought += f"{one} : {show(first)}. {two} : {show(second)}."
        return Step(goal, f"exact {fact} {one} {two}", thought)
    if kind < 0.4:
        whole = Join("→", Join("∧", first, second), third)
        goal, (fact, one, two) = scene.written([whole, first, second], third)
        thought = f"Target: {show(third)}. {fact} : {show(whole)} gives it.\n"
        thought += f"{one} : {show(first)}. {two} : {show(second)}."
        return Step(goal, f"exact {fact} ⟨{one}, {two}⟩", thought)
    if kind < 0.6:
        return draw_chain(scene, 2)
    whole = Join("→", first, third)
    goal, (fact, has) = scene.written([whole, first], third)
    thought = f"Target: {show(third)}. {fact} : {show(whole)} gives it from {show(first)}."
    return Step(goal, f"exact {fact} {has}", f"{thought}\n{has} : {show(first)} is there.")


def draw_chain(scene: Scene, length: int) -> Step:
    """Implications one after the other; the last comes first."""
    ends = scene.rng.sample(scene.atoms, length + 1)
    arrows = [Join("→", *pair) for pair in pairwise(ends)]
    goal, names = scene.written([ends[0], *arrows], ends[-1], more=[show(e) for e in ends])
    thought = f"Target: {show(ends[-1])}. {names[-1]} : {show(arrows[-1])} gives it."
    thought += f"\n{show(ends[-2])} is not there yet: apply {names[-1]} and show it next."
    return Step(goal, f"apply {names[-1]}", thought)


def _draw_instance(scene: Scene) -> Step:
    """A fact about all elements, for one of them."""
    element, whole = scene.rng.choice(scene.elements), scene.bound("∀")
    assert isinstance(whole, Bind)
    body = replaced(whole.body, whole.name, element)
    if isinstance(body, Join):
        goal, (fact, has) = scene.written([whole, body.left], body.right)
        thought = f"{fact} {element} : {show(body)}\n{has} : {show(body.left)} is there."
        tactic, target = f"exact {fact} {element} {has}", body.right
    else:
        goal, (fact,) = scene.written([whole], body)
        thought, tactic, target = (
            f"{fact} {element} : {show(body)}",
            f"exact {fact} {element}",
            body,
        )
    thought = f"Target: {show(target)}. {fact} : {show(whole)} says it for all.\n{thought}"
    return Step(goal, tactic, thought)
