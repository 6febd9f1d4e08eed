"""Goals that need induction, cases of a truth value, or a rule of the library."""

from random import Random

from bise.evals.lean.numbers import scene_before, written
from bise.evals.lean.scenes import LISTS, NUMBERS
from bise.evals.lean.steps import Step


def draw_induction(rng: Random, reach: float) -> Step:
    """One truth value after the other, a rule of the library, `simp`, or induction."""
    kind = rng.random()
    if kind < 0.25:
        return _draw_truth(rng, reach)
    if kind < 0.5:
        return _draw_list(rng, reach)
    if kind < 0.7:
        return _draw_rule(rng, reach)
    scene = scene_before(rng, reach)
    n, *others = rng.choice(NUMBERS)
    scene.declare([n], "Nat")
    predicate = rng.choice([p for p in "PQRpqST" if p != n])
    step = rng.choice(others)
    if kind < 0.85:
        scene.declare([predicate], "Nat → Prop")
        needed = [
            f"{predicate} 0",
            f"∀ ({step} : Nat), {predicate} {step} → {predicate} ({step} + 1)",
        ]
        goal, (zero, succ) = written(scene, needed, f"{predicate} {n}")
        k, ih = scene.fresh(rng.choice("kmn")), scene.fresh("ih")
        ends = f"| zero => exact {zero} | succ {k} {ih} => exact {succ} {k} {ih}"
    else:
        function = rng.choice([f for f in "fgFst" if f not in (n, step)])
        scene.declare([function], "Nat → Nat")
        add = rng.randint(1, 9)
        needed = [
            f"{function} 0 = 0",
            f"∀ ({step} : Nat), {function} ({step} + 1) = {function} {step} + {add}",
        ]
        goal, (zero, succ) = written(scene, needed, f"{function} {n} = {add} * {n}")
        k, ih = scene.fresh(rng.choice("kmn")), scene.fresh("ih")
        ends = f"| zero => rw [{zero}] | succ {k} {ih} => rw [{succ}, {ih}]; omega"
    target = goal.rpartition("⊢ ")[2]
    thought = f"Target: {target}. By induction on {n}:\n{zero} : {needed[0]}\n{succ} : {needed[1]}"
    return Step(goal, f"induction {n} with {ends}", thought, "induction")


def _draw_truth(rng: Random, reach: float) -> Step:
    scene = scene_before(rng, reach)
    a, b = rng.sample("abcdxyuv", 2)
    scene.declare([a, b], "Bool")
    target, num = rng.choice(
        (
            (f"(!!{a}) = {a}", 1),
            (f"({a} && {a}) = {a}", 1),
            (f"({a} || {a}) = {a}", 1),
            (f"({a} || !{a}) = true", 1),
            (f"({a} && !{a}) = false", 1),
            (f"({a} && true) = {a}", 1),
            (f"({a} || false) = {a}", 1),
            (f"({a} && {b}) = ({b} && {a})", 2),
            (f"({a} || {b}) = ({b} || {a})", 2),
            (f"(!({a} && {b})) = (!{a} || !{b})", 2),
            (f"(!({a} || {b})) = (!{a} && !{b})", 2),
            (f"({a} && ({a} || {b})) = {a}", 2),
            (f"({a} || {a} && {b}) = {a}", 2),
        )
    )
    goal, _ = scene.written([], target)
    used = (a, b)[:num]
    tactic = " <;> ".join([*(f"cases {one}" for one in used), "rfl"])
    thought = (
        f"Target: {target}. Try true and false for {' and '.join(used)}; then both sides compute."
    )
    return Step(goal, tactic, thought, "truth")


def _draw_list(rng: Random, reach: float) -> Step:
    scene = scene_before(rng, reach)
    xs, ys = rng.sample(LISTS, 2)
    scene.declare([xs, ys], "List Nat")
    n = rng.choice("nmkabi")
    scene.declare([n], "Nat")
    target = rng.choice(
        (
            f"{xs} ++ [] = {xs}",
            f"{xs}.reverse.reverse = {xs}",
            f"({xs} ++ {ys}).length = {xs}.length + {ys}.length",
            f"{xs}.reverse.length = {xs}.length",
            f"List.map id {xs} = {xs}",
            f"({xs} ++ {ys}).reverse = {ys}.reverse ++ {xs}.reverse",
            f"(List.replicate {n} {rng.randint(0, 9)}).length = {n}",
            f"{n} ∈ {n} :: {xs}",
            f"({n} :: {xs}).reverse = {xs}.reverse ++ [{n}]",
            f"({xs} ++ [{n}]).length = {xs}.length + 1",
            f"{n} ∈ {xs} ++ [{n}]",
            f"List.take 0 {xs} = []",
            f"List.drop 0 {xs} = {xs}",
            f"{xs}.length = 0 ↔ {xs} = []",
            f"{xs} ++ {ys} = [] ↔ {xs} = [] ∧ {ys} = []",
        )
    )
    goal, _ = scene.written([], target)
    return Step(
        goal, "simp", f"Target: {target}. A rule of the library about lists: simplify.", "list"
    )


def _draw_rule(rng: Random, reach: float) -> Step:
    """Products of variables, which `omega` does not know."""
    scene = scene_before(rng, reach)
    names = list(rng.choice(NUMBERS))
    scene.declare(names, "Nat")
    a, b, c = rng.sample(names, 3)
    target, rule, why = rng.choice(
        (
            (f"{a} * {b} = {b} * {a}", f"mul_comm {a} {b}", "The factors change places"),
            (f"{a} * {b} * {c} = {a} * ({b} * {c})", f"mul_assoc {a} {b} {c}", "Other brackets"),
            (
                f"{a} * ({b} + {c}) = {a} * {b} + {a} * {c}",
                f"mul_add {a} {b} {c}",
                "A factor times a sum",
            ),
            (
                f"({a} + {b}) * {c} = {a} * {c} + {b} * {c}",
                f"add_mul {a} {b} {c}",
                "A sum times a factor",
            ),
        )
    )
    goal, _ = scene.written([], target)
    return Step(goal, f"exact Nat.{rule}", f"Target: {target}. {why}: Nat.{rule}.", "rule")
