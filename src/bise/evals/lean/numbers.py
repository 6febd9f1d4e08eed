"""Goals about numbers: computed, linear, or turned by an equation."""

from random import Random

from bise.evals.lean.scenes import LISTS, NUMBERS, Scene, draw_scene
from bise.evals.lean.steps import Step
from bise.evals.lean.terms import WORD, Atom


def draw_compute(rng: Random, reach: float) -> Step:
    """Nothing unknown in it, or the same on both sides: `rfl` for equal sides, else `decide`."""
    scene = _some_scene(rng, reach)
    most = 9 if rng.random() > reach else 40
    one, other = rng.randint(0, most), rng.randint(0, most)
    kind = rng.random()
    if kind < 0.25:
        return _relation(scene, one, other)
    if kind < 0.7:
        left, value = _ground(rng, one, other)
        goal, _ = scene.written([], f"{left} = {value}")
        thought = f"Target: {left} = {value}. Compute the left side: {value}. Both are the same."
        return Step(goal, "rfl", thought, "ground")
    name = rng.choice(
        [name for names, kind in scene.lines if kind in ("Nat", "List Nat") for name in names]
        or [str(one)]
    )
    is_list = any(name in names and kind == "List Nat" for names, kind in scene.lines)
    sides = (
        (
            (f"[] ++ {name}", name),
            (f"({one} :: {name}).length", f"{name}.length + 1"),
            (f"[{one}] ++ {name}", f"{one} :: {name}"),
            (name, name),
        )
        if is_list
        else (
            (f"{name} + 0", name),
            (f"{name} * 0", "0"),
            (f"{name} + {one}", f"{name} + {one}"),
            (f"max {name} {one}", f"max {name} {one}"),
            (f"({name}, {one}).fst", name),
            (f"{name} - 0", name),
            (name, name),
        )
    )
    left, right = rng.choice(sides)
    goal, _ = scene.written([], f"{left} = {right}")
    is_same = left == right
    why = "Both sides are the same" if is_same else f"The left side is {right} by definition"
    return Step(goal, "rfl", f"Target: {left} = {right}. {why}.", "defined")


def _relation(scene: Scene, one: int, other: int) -> Step:
    """A true statement that two numbers are so to one another, or are not."""
    holds = {
        "<": one < other,
        "≤": one <= other,
        "≠": one != other,
        ">": one > other,
        "≥": one >= other,
    }
    signs = [sign if is_so else f"¬{sign}" for sign, is_so in holds.items() if is_so or sign != "≠"]
    sign = scene.rng.choice(signs)
    target = "¬" * (len(sign) - 1) + f"{one} {sign[-1]} {other}"
    goal, _ = scene.written([], target)
    return Step(goal, "decide", f"Target: {target}. Only numbers, and true: compute.", "decided")


def _ground(rng: Random, one: int, other: int) -> tuple[str, str]:
    """A term without variables, and its value."""
    few = [str(rng.randint(0, 9)) for _ in range(rng.randint(1, 3))]
    more = [str(rng.randint(0, 9)) for _ in range(rng.randint(1, 2))]
    digit = rng.randint(1, 9)
    truth, second = rng.random() < 0.5, rng.random() < 0.5
    words = [str(each).lower() for each in (truth, second, truth and second, truth or second)]
    return rng.choice(
        (
            (f"{one} + {other}", str(one + other)),
            (f"{one} * {digit}", str(one * digit)),
            (f"{one} - {other}", str(max(0, one - other))),
            (f"{one} % {digit}", str(one % digit)),
            (f"{one} / {digit}", str(one // digit)),
            (f"{one} + {digit} * {other}", str(one + digit * other)),
            (f"max {one} {other}", str(max(one, other))),
            (f"min {one} {other}", str(min(one, other))),
            (f"[{', '.join(few)}].length", str(len(few))),
            (f"[{', '.join(few)}] ++ [{', '.join(more)}]", f"[{', '.join(few + more)}]"),
            (f"[{', '.join(few)}].reverse", f"[{', '.join(few[::-1])}]"),
            (f"({words[0]} && {words[1]})", words[2]),
            (f"({words[0]} || {words[1]})", words[3]),
            (f"(!{words[0]})", str(not truth).lower()),
        )
    )


def draw_omega(rng: Random, reach: float) -> Step:
    """Linear facts about numbers."""
    scene = scene_before(rng, reach)
    kind = "Nat" if rng.random() < 0.75 else "Int"
    names = list(rng.choice(NUMBERS))
    scene.declare(names, kind)
    a, b, c = rng.sample(names, 3)
    i, j = rng.randint(1, 9 + round(20 * reach)), rng.randint(1, 9)
    needed, target = rng.choice(
        (
            ([f"{a} < {b}", f"{b} < {c}"], f"{a} < {c}"),
            ([f"{a} ≤ {b}", f"{b} < {c}"], f"{a} < {c}"),
            ([f"{a} ≤ {b}", f"{b} ≤ {a}"], f"{a} = {b}"),
            ([f"{a} < {b}"], f"{a} + {i} < {b} + {i}"),
            ([f"{a} < {b}"], f"{a} + 1 ≤ {b}"),
            ([f"{a} < {b}"], f"¬{b} ≤ {a}"),
            ([f"{a} < {b}"], f"{a} ≠ {b}"),
            ([f"{a} + {i} = {i + j}"], f"{a} = {j}"),
            ([f"{j + 1} * {a} = {(j + 1) * i}"], f"{a} = {i}"),
            ([f"{a} + {b} = {i + j}", f"{a} = {i}"], f"{b} = {j}"),
            ([f"{a} = {b} + {i}", f"{b} = {c} + {j}"], f"{a} = {c} + {i + j}"),
            ([f"{a} ≤ {i}"], f"{a} < {i + j}"),
            ([f"{i + j} ≤ {a}"], f"{a} > {i - 1}"),
            ([f"{a} > {i + j}"], f"{a} ≥ {i}"),
            ([f"¬{a} < {i}"], f"{i} ≤ {a}"),
            ([f"{a} % 2 = 1"], f"{a} ≠ 0"),
            ([f"{a} + {b} < {c}", f"{i} ≤ {a}", f"0 ≤ {b}"], f"{i} < {c}"),
            ([f"{a} = 2 * {b}"], f"{a} % 2 = 0"),
            ([], f"{a} + {b} = {b} + {a}"),
            ([], f"{a} + {b} + {c} = {c} + {b} + {a}"),
            ([], f"{a} * 2 = {a} + {a}"),
            ([], f"{a} + {i} + {j} = {a} + {i + j}"),
            ([], f"{i} * {a} + {j} * {a} = {i + j} * {a}"),
            ([], f"{a} < {a} + {i}"),
            ([], f"{a} - {a} = 0"),
            ([f"{a} < {b}", f"{b} < {a}"], "False"),
            ([f"{a} = {b} + {i}"], f"{a} ≠ {b}"),
        )
    )
    goal, facts = written(scene, needed, target)
    used = ", ".join(f"{name} : {text}" for name, text in zip(facts, needed, strict=True))
    thought = (
        f"Target: {target}. Linear, over {kind}. {f'Given {used}.' if used else 'No facts needed.'}"
    )
    return Step(goal, "omega", thought, "linear")


def draw_rewrite(rng: Random, reach: float) -> Step:
    """An equation says what to put in place of what."""
    scene = scene_before(rng, reach)
    names, function = list(rng.choice(NUMBERS)), rng.choice("fgφFst")
    if function in names or function in scene.taken:
        return draw_rewrite(rng, reach)
    scene.declare(names, "Nat")
    scene.declare([function], "Nat → Nat")
    a, b, c = rng.sample(names, 3)
    i = rng.randint(1, 9)
    left = rng.choice((a, f"{function} {a}", f"{a} + {i}", f"{function} {c}"))
    kind = rng.random()
    if kind < 0.25:
        needed, target = [f"{left} = {b}"], f"{b} = {left}"
        goal, (fact,) = written(scene, needed, target)
        thought = f"Target: {target}. {fact} : {needed[0]} is the same, turned around."
        return Step(goal, f"exact {fact}.symm", thought, "symm")
    if kind < 0.45:
        middle = rng.choice((f"{function} {b}", b))
        last = c if c not in WORD.findall(left) else str(i)
        needed, target = [f"{left} = {middle}", f"{middle} = {last}"], f"{left} = {last}"
        goal, (one, two) = written(scene, needed, target)
        thought = f"Target: {target}. {one} : {needed[0]}\n{two} : {needed[1]}"
        return Step(goal, f"rw [{one}, {two}]", f"{thought}\nOne after the other.", "chain")
    if kind < 0.6:
        scene.declare(["P"], "Nat → Prop")
        old, new = (a, b) if rng.random() < 0.5 else (b, a)
        needed, target = [f"{a} = {b}", f"P {old}"], f"P {new}"
        goal, (fact, has) = written(scene, needed, target)
        thought = f"Target: {target}. {has} : P {old}\n{fact} : {a} = {b} makes one of the other."
        turn = fact if old == a else f"{fact}.symm"
        return Step(goal, f"exact {turn} ▸ {has}", thought, "transport")
    d = str(rng.randint(0, 9)) if rng.random() < 0.5 else c
    make = rng.choice(
        (
            f"{function} {{}}",
            f"{{}} + {d}",
            f"{d} + {{}}",
            f"{{}} * {d}",
            f"{d} * {{}}",
            f"{{}} - {d}",
        )
    )
    inner, outer = f"{a}", f"{b}"
    if "{} " not in make and make.startswith(function):
        inner, outer = rng.choice(((a, b), (f"({function} {a})", b)))
    one, other = inner.strip("()"), outer
    if rng.random() < 0.3:
        one, other, inner, outer = other, one, outer, inner
    needed, target = [f"{one} = {other}"], f"{make.format(inner)} = {make.format(outer)}"
    goal, (fact,) = written(scene, needed, target)
    becomes = f"{make.format(outer)} = {make.format(outer)}"
    thought = f"Target: {target}. {fact} : {needed[0]} turns it into {becomes}."
    return Step(goal, f"rw [{fact}]", thought, "rewrite")


def _some_scene(rng: Random, reach: float) -> Scene:
    """Anything, more often with a number or a list."""
    scene = draw_scene(rng, reach) if rng.random() < 0.6 * reach else scene_before(rng, reach)
    if not scene.predicates and rng.random() < 0.8:
        names = [one for one in rng.choice(NUMBERS) if one not in scene.taken]
        scene.declare(names[: rng.randint(1, 3)], "Nat")
    if rng.random() < 0.4 and not scene.taken & set(LISTS):
        scene.declare([rng.choice(LISTS[:4])], "List Nat")
    return scene


def scene_before(rng: Random, reach: float) -> Scene:
    """With statements that have nothing to do with it, or empty."""
    if rng.random() > 0.6 * reach:
        return Scene(rng, reach)
    scene = Scene(rng, reach)
    family = rng.choice(("φψχθ", "αβγδ", "HKLM", "ABCD"))
    names = sorted(rng.sample(family, rng.randint(1, 2)), key=family.index)
    scene.declare(names, "Prop")
    scene.atoms = [Atom(one) for one in names]
    return scene


def written(scene: Scene, needed: list[str], target: str) -> tuple[str, list[str]]:
    """As `Scene.written`, from words."""
    return scene.written([Atom(one) for one in needed], target)
