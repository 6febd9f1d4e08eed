"""Steps on `∧`, `∨`, `∃` and `False`: making them, choosing, taking them apart."""

from bise.evals.lean.scenes import Scene, draw_scene
from bise.evals.lean.steps import Step
from bise.evals.lean.terms import FALSE, Atom, Bind, Formula, Join, Not, replaced, show


def draw_split(scene: Scene) -> Step:
    """Both of two, from what is known or one after the other."""
    rng, kind = scene.rng, scene.rng.random()
    if kind < 0.15:
        first, second, third = scene.some(3)
        there, back = Join("→", first, second), Join("→", second, first)
        target = Join("↔", first, second)
        if rng.random() < 0.5:
            goal, (one, two) = scene.written([there, back], target)
            thought = f"Both ways are there:\n{one} : {show(there)}\n{two} : {show(back)}"
            return Step(goal, f"exact ⟨{one}, {two}⟩", f"Target: {show(target)}. {thought}")
        goal, _ = scene.written([first, second], target)
        thought = f"Show {show(there)}, then {show(back)}."
        return Step(goal, "constructor", f"Target: {show(target)}. {thought}")
    if kind < 0.3:
        first, second = scene.some(2)
        whole, target = Join("∧", first, second), Join("∧", second, first)
        goal, (fact,) = scene.written([whole], target)
        thought = f"{fact} : {show(whole)} has both.\n{fact}.2 : {show(second)}"
        thought = f"Target: {show(target)}. {thought}\n{fact}.1 : {show(first)}"
        return Step(goal, f"exact ⟨{fact}.2, {fact}.1⟩", thought)
    if kind < 0.55:
        first, second, third = scene.some(3)
        sides = [first, second]
        rng.shuffle(sides)
        target, whole = Join("∧", *sides), Join("→", third, second)
        more = [show(second)]
        goal, (one, *_) = scene.written([first, third, whole], target, more=more)
        thought = f"{one} : {show(first)}, but {show(second)} is not there yet: split."
        return Step(goal, "constructor", f"Target: {show(target)}. {thought}")
    parts = scene.some(2 + (rng.random() < 0.4 * scene.reach))
    target: Formula = parts[-1]
    for one in reversed(parts[:-1]):
        target = Join("∧", one, target)
    flat = flattened(target)
    if len(flat) != len(parts):
        return draw_split(scene)
    goal, names = scene.written(parts, target)
    lines = [f"{name} : {show(one)}" for name, one in zip(names, parts, strict=True)]
    thought = "\n".join([f"Target: {show(target)}. All parts are there:", *lines])
    return Step(goal, f"exact ⟨{', '.join(names)}⟩", thought)


def flattened(formula: Formula) -> list[Formula]:
    """The parts that one pair of `⟨⟩` lists."""
    if isinstance(formula, Join) and formula.sign == "∧":
        return [formula.left, *flattened(formula.right)]
    return [formula]


def draw_choose(scene: Scene) -> Step:
    """One side of two, or an element that has it."""
    rng, kind = scene.rng, scene.rng.random()
    if scene.predicates and kind < 0.6:
        return _draw_witness(scene)
    first, second, third = scene.some(3)
    if kind < 0.3:
        is_left = rng.random() < 0.5
        target = Join("∨", first, second) if is_left else Join("∨", second, first)
        whole = Join("→", third, first) if rng.random() < 0.6 else Join("∧", third, first)
        more = [show(first), show(second)]
        goal, (fact, *_) = scene.written([whole, third], target, more=more)
        side = "left" if is_left else "right"
        thought = f"{fact} : {show(whole)} leads to {show(first)}, the {side} side."
        return Step(goal, side, f"Target: {show(target)}. {thought}")
    if kind < 0.45:
        target = Join("∨", second, Join("∨", first, third))
        goal, (fact,) = scene.written([first], target, more=[show(second), show(third)])
        thought = f"{fact} : {show(first)} is in the middle:\nright: "
        thought += f"{show(target.right)}\nleft: {show(first)}"
        return Step(goal, f"exact Or.inr (Or.inl {fact})", f"Target: {show(target)}. {thought}")
    is_left = rng.random() < 0.5
    target = Join("∨", first, second) if is_left else Join("∨", second, first)
    goal, (fact,) = scene.written([first], target, more=[show(second)])
    side, way = ("left", "inl") if is_left else ("right", "inr")
    thought = f"{fact} : {show(first)} is the {side} side."
    return Step(goal, f"exact Or.{way} {fact}", f"Target: {show(target)}. {thought}")


def _draw_witness(scene: Scene) -> Step:
    """Some element has it: one of which it is known."""
    element, target = scene.rng.choice(scene.elements), scene.bound("∃")
    assert isinstance(target, Bind)
    parts = flattened(replaced(target.body, target.name, element))
    goal, names = scene.written(parts, target)
    lines = [f"{name} : {show(one)}" for name, one in zip(names, parts, strict=True)]
    thought = "\n".join([f"Target: {show(target)}. It holds for {element}:", *lines])
    return Step(goal, f"exact ⟨{', '.join([element, *names])}⟩", thought)


def draw_cases(scene: Scene) -> Step:
    """What is known leaves two cases, or hides an element."""
    rng, kind = scene.rng, scene.rng.random()
    if scene.predicates and kind < 0.6:
        return _draw_opened(scene)
    first, second, third = scene.some(3)
    whole: Formula = Join("∨", first, second)
    if kind < 0.25:
        target: Formula = Join("∨", second, first)
        needed = [whole]
    elif kind < 0.4:
        whole, target = Join("∧", third, Join("∨", first, second)), Join("∨", first, second)
        target = Join("∨", second, first)
        names = [scene.named(third), ""]
        names[1] = scene.named(whole.right, names[0])
        goal, (fact,) = scene.written([whole], target)
        if set(names) & {line.split(" : ")[0] for line in goal.splitlines()}:
            return draw_cases(draw_scene(rng, scene.reach))
        thought = f"Target: {show(target)}. {fact} : {show(whole)} has two parts: take them apart."
        return Step(goal, f"obtain ⟨{names[0]}, {names[1]}⟩ := {fact}", thought)
    else:
        target = third
        needed = [whole, Join("→", first, third), Join("→", second, third)]
    more = [show(one) for one in (first, second)]
    goal, (fact, *_) = scene.written(needed, target, more=more)
    one, other = scene.named(first), scene.named(second)
    if one == other or rng.random() < 0.2:
        one = other = fact
    thought = f"Target: {show(target)}. {fact} : {show(whole)}: two cases,\n"
    thought += f"{one} : {show(first)}, or {other} : {show(second)}."
    return Step(goal, f"rcases {fact} with {one} | {other}", thought)


def _draw_opened(scene: Scene) -> Step:
    """Some element has it: give it a name."""
    whole, inner = scene.bound("∃"), scene.binder()
    assert isinstance(whole, Bind)
    needed: list[Formula] = [whole]
    parts = flattened(whole.body)
    if len(parts) > 1:
        target: Formula = Bind("∃", whole.name, scene.type, Join("∧", parts[1], parts[0]))
    else:
        target = Atom(scene.rng.choice([show(one) for one in scene.atoms]))
        body = Join("→", replaced(whole.body, whole.name, inner), target)
        needed.append(Bind("∀", inner, scene.type, body))
    goal, (fact, *_) = scene.written(needed, target)
    names = [scene.fresh(whole.name)]
    for one in parts:
        names.append(scene.named(replaced(one, whole.name, names[0]), *names))
    lines = [
        f"{name} : {show(replaced(one, whole.name, names[0]))}"
        for name, one in zip(names[1:], parts, strict=True)
    ]
    thought = f"Target: {show(target)}. {fact} : {show(whole)} gives\n{names[0]} : {scene.type}"
    thought = "\n".join([thought, *lines])
    return Step(goal, f"obtain ⟨{', '.join(names)}⟩ := {fact}", thought)


def draw_contradiction(scene: Scene) -> Step:
    """What is known cannot be."""
    kind = scene.rng.random()
    first, second = scene.some(2)
    if kind < 0.15:
        goal, (fact,) = scene.written([FALSE], second)
        return Step(
            goal, f"exact {fact}.elim", f"Target: {show(second)}. {fact} : False gives all."
        )
    if kind < 0.3:
        one = Atom(_impossible(scene))
        goal, (fact,) = scene.written([one], second)
        thought = f"Target: {show(second)}. {fact} : {show(one)} cannot be."
        return Step(goal, "contradiction", thought)
    if isinstance(first, Atom) and " ≠ " in first.text:
        opposite: Formula = Atom(first.text.replace("≠", "="))
        has, lacks = opposite, first
    else:
        has, lacks = first, Not(first)
    target = FALSE if kind < 0.65 else second
    goal, (fact, denial) = scene.written([has, lacks], target)
    thought = f"Target: {show(target)}. {fact} : {show(has)}, but {denial} : {show(lacks)}."
    tactic = f"exact {denial} {fact}" if target == FALSE else f"exact absurd {fact} {denial}"
    return Step(goal, tactic, thought)


def _impossible(scene: Scene) -> str:
    rng = scene.rng
    kind = rng.random()
    if kind < 0.5:
        one, other = rng.sample(range(30), 2)
        return f"{one} = {other}"
    number = rng.randint(0, 99)
    return rng.choice(
        ("true = false", "false = true", f"some {number} = none", f"none = some {number}")
    )
