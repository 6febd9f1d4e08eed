"""What small functions do with lists: pick, order and sum up, or go through them item by item."""

from dataclasses import replace
from random import Random
from string import ascii_lowercase

from bise.evals.python.ideas import (
    IF_NUMBERS,
    IF_TEXTS,
    NUMBERS,
    TEXT_COUNTS,
    TEXTS,
)
from bise.evals.python.step import Step, step, third
from bise.evals.words import WORDS

ITEM = {"l": ("n", "n", "number"), "w": ("w", "s", "word")}
"""For either list: what its items are called in code, their kind, and their name in words."""

ORDERS = (
    ("sort", "", "sorted({x})", "sort {x} | put {x} in order", sorted),
    (
        *("sort down", "", "sorted({x}, reverse=True)"),
        "sort {x} in descending order | sort {x} from the end",
        lambda x: sorted(x, reverse=True),
    ),
    (
        *("reverse", "", "{x}[::-1]", "reverse {x} | turn {x} around"),
        lambda x: x[::-1],
    ),
    (
        *("first", "j", "{x}[:{k}]", "take the first {k} items of {x} | keep the first {k} items"),
        lambda x, k: x[:k],
    ),
    (
        *("last", "j", "{x}[-{k}:]", "take the last {k} items of {x} | keep the last {k} items"),
        lambda x, k: x[-k:],
    ),
    (
        *("rest", "", "{x}[1:]", "drop the first item of {x} | remove the first item of {x}"),
        lambda x: x[1:],
    ),
    (
        *("but last", "", "{x}[:-1]", "drop the last item of {x} | remove the last item of {x}"),
        lambda x: x[:-1],
    ),
    (
        *("second", "", "{x}[::2]", "take every second item of {x} | keep every second item"),
        lambda x: x[::2],
    ),
    ("twice", "", "{x} + {x}", "repeat {x} twice | put {x} after itself", lambda x: x + x),
    (
        *("different", "", "sorted(set({x}))"),
        "sort {x} without duplicates | remove the duplicates of {x}, sorted",
        lambda x: sorted(set(x)),
    ),
)
"""Both kinds of lists have these."""

LISTS = (
    *(
        step(f"{name} {kind}", f"{kind}>{kind}", params, code, says, run)
        for kind in "lw"
        for name, params, code, says, run in ORDERS
    ),
    step(
        *("append", "l>l", "k", "{x} + [{k}]"),
        "add {k} to the end of {x} | append {k} to {x}",
        lambda x, k: [*x, k],
    ),
    step(
        *("insert", "l>l", "k", "[{k}] + {x}"),
        "add {k} to the front of {x} | put {k} before {x}",
        lambda x, k: [k, *x],
    ),
)

TOTALS = (
    step(
        *("sum", "l>n", "", "sum({x})"),
        "return the sum of {x} | add up {x} | compute the total of {x}",
        sum,
    ),
    step("num", "l>n", "", "len({x})", "count the items of {x} | return the length of {x}", len),
    step(
        "num words", "w>n", "", "len({x})", "count the items of {x} | count the words of {x}", len
    ),
    step(
        *("occurs", "l>n", "k", "{x}.count({k})"),
        "count how often {k} occurs in {x} | count the {k} in {x}",
        lambda x, k: x.count(k),
    ),
    step(
        "has",
        "l>b",
        "k",
        "{k} in {x}",
        "return whether {k} is in {x} | check whether {x} has {k}",
        lambda x, k: k in x,
    ),
    step(
        "has word",
        "w>b",
        "t",
        "{k} in {x}",
        "return whether {k} is in {x} | check whether {x} has {k}",
        lambda x, k: k in x,
    ),
    step(
        "join", "w>s", "", '" ".join({x})', "join {x} with spaces | write {x} as one text", " ".join
    ),
    step("join commas", "w>s", "", '", ".join({x})', "join {x} with commas", ", ".join),
    step(
        "letters",
        "w>n",
        "",
        "sum(len(w) for w in {x})",
        "count the letters of all words | add up the lengths of the words",
        lambda x: len("".join(x)),
    ),
)
"""One value of a whole list, which may be empty."""

PICKS = (
    step(
        "max",
        "l>n",
        "",
        "max({x})",
        "return the largest number of {x} | find the maximum of {x}",
        max,
    ),
    step(
        "min",
        "l>n",
        "",
        "min({x})",
        "return the smallest number of {x} | find the minimum of {x}",
        min,
    ),
    step(
        "head",
        "l>n",
        "",
        "{x}[0]",
        "return the first number of {x} | get the first number of {x}",
        lambda x: x[0],
    ),
    step(
        "back",
        "l>n",
        "",
        "{x}[-1]",
        "return the last number of {x} | get the last number of {x}",
        lambda x: x[-1],
    ),
    step(
        "head word",
        "w>s",
        "",
        "{x}[0]",
        "return the first word of {x} | get the first word of {x}",
        lambda x: x[0],
    ),
    step(
        "back word",
        "w>s",
        "",
        "{x}[-1]",
        "return the last word of {x} | get the last word of {x}",
        lambda x: x[-1],
    ),
    step(
        "spread",
        "l>n",
        "",
        "max({x}) - min({x})",
        "return the largest minus the smallest number of {x}",
        lambda x: max(x) - min(x),
    ),
    step(
        "mean",
        "l>n",
        "",
        "sum({x}) // len({x})",
        "return the average of {x}, rounded down",
        lambda x: sum(x) // len(x),
    ),
    step(
        "runner-up",
        "l>n",
        "",
        "sorted({x})[-2]",
        "return the second number of {x} from the top when sorted",
        lambda x: sorted(x)[-2],
    ),
    step(
        "place of max",
        "l>n",
        "",
        "{x}.index(max({x}))",
        "return the index of the largest number of {x}",
        lambda x: x.index(max(x)),
    ),
)
"""One value of a list that has items."""


def maps() -> list[Step]:
    """Do with every item what can be done with one."""
    made: list[Step] = []
    for kind, ops in (("l", NUMBERS), ("w", TEXTS + TEXT_COUNTS)):
        item, _, thing = ITEM[kind]
        for op in ops:
            gives = "l" if op.gives == "n" else kind
            code = f"[{op.source_template(item)} for {item} in {{x}}]"
            says = tuple(each_of(way, thing) for way in op.says)
            run = lambda x, *params, op=op: [op.run(each, *params) for each in x]  # noqa: E731
            made.append(Step(f"each {op.name}", kind, gives, op.params, code, says, run))
    return made


def each_of(way: str, thing: str) -> str:
    return way.replace("{x}", f"each {thing}")


def filters() -> list[Step]:
    """Keep, count or look for items that have a property."""
    made: list[Step] = []
    for kind, checks in (("l", IF_NUMBERS), ("w", IF_TEXTS)):
        item, _, thing = ITEM[kind]
        for check in checks:
            test, loop = check.source_template(item), f"for {item} in {{x}}"
            keep = lambda x, *params, check=check: [e for e in x if check.run(e, *params)]  # noqa: E731
            those = [f"the {thing}s that {way}" for way in check.says]
            one = [f"{thing} {third(way)}" for way in check.says]
            name, params = check.name, check.params
            made += [
                Step(
                    *(f"keep {name}", kind, kind, params, f"[{item} {loop} if {test}]"),
                    tuple(f"{verb} {way}" for way in those for verb in ("keep", "select")),
                    keep,
                ),
                Step(
                    *(f"num {name}", kind, "n", params, f"len([{item} {loop} if {test}])"),
                    tuple(f"count {way}" for way in those),
                    lambda x, *params, keep=keep: len(keep(x, *params)),
                ),
                Step(
                    *(f"any {name}", kind, "b", params, f"any({test} {loop})"),
                    tuple(f"return whether any {way}" for way in one),
                    lambda x, *params, keep=keep: bool(keep(x, *params)),
                ),
                Step(
                    *(f"all {name}", kind, "b", params, f"all({test} {loop})"),
                    tuple(f"return whether every {way}" for way in one),
                    lambda x, *params, keep=keep: keep(x, *params) == x,
                ),
            ]
    return made


def checks() -> list[Step]:
    """Say whether one value has a property."""
    return [
        replace(
            check,
            name=f"is {check.name}",
            says=tuple(f"return whether {{x}} {third(way)}" for way in check.says),
        )
        for check in IF_NUMBERS + IF_TEXTS
    ]


def draw_params(rng: Random, params: str, high: int) -> tuple[int | str, ...]:
    """Numbers from 2 to `high`, letters or a word."""
    drawn: list[int | str] = []
    for kind in params:
        if kind == "k":
            drawn.append(rng.randint(2, high))
        elif kind == "m":
            drawn.append(drawn[-1] + rng.randint(1, 9))  # type: ignore[operator]
        elif kind in "jp":
            drawn.append(rng.randint(2, 4 if kind == "j" else 8))
        elif kind == "t":
            drawn.append(rng.choice(WORDS))
        else:
            drawn.append(rng.choice([c for c in ascii_lowercase if c not in drawn]))
    return tuple(drawn)
