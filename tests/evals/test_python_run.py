"""A model's function runs as in Python, or not at all, and never for long."""

import copy
import time
import tracemalloc
from random import Random
from typing import Any

import pytest

from bise.evals.python.limits import NotAllowed
from bise.evals.python.parse import parse
from bise.evals.python.run import call
from bise.evals.python.tasks import Python, code_of


def run(code: str, *args: Any) -> Any:
    functions = parse(code)
    return call(functions, list(functions)[-1], args)


def returns(expression: str, *args: Any) -> Any:
    return run(f"def f(x=0):\n    return {expression}".replace("x=0", "x" if args else ""), *args)


@pytest.mark.parametrize(
    "expression",
    [
        "1 + 2 * 3 - 4 // 3 % 2 ** 2",
        "-7 // 2, -7 % 3, 7 / 2, 1 << 4 | 3 & 1 ^ 2, ~5",
        "[i * j for i in range(3) for j in range(i) if i != j]",
        "{c: i for i, c in enumerate('abc')}",
        "sorted({3, 1, 2}, reverse=True)",
        "'-'.join(reversed('abc')) + f'{1 + 1} is {[2]}'",
        "'Ab,c'.lower().split(','), 'ab'.upper()[::-1], 'x'.zfill(3)",
        "any(n > 2 for n in [1, 2, 3]) and not all([1, 0])",
        "max(3, 7), min([4, 2]), sum([1, 2], 3), abs(-2), divmod(7, 2)",
        "(1 < 2 < 3) is True, 1 in (1, 2), 'z' not in 'abc', None is None",
        "list(zip([1, 2], 'ab')), dict([(1, 2)]), tuple('ab'), set([1, 1])",
        "'yes' if 3 > 2 else 'no'",
        "[1, 2, 3][-2:], 'hello'[1:4:2], {'a': 1}['a'], {'a': 1}.get('b', 0)",
        "int('12') + int(3.7) + len(str(True))",
    ],
)
def test_expressions_are_worth_what_python_says(expression):
    assert returns(expression) == eval(expression)


PROGRAMS = {
    "loops": """
def f(n):
    total, seen = 0, []
    for i in range(n):
        if i % 2 == 0:
            continue
        if i > 7:
            break
        total += i
        seen.append(i)
    else:
        seen = None
    while total > 3:
        total -= 2
    return total, seen
""",
    "dictionaries": """
def f(n):
    counts = {}
    for c in str(n) * 2:
        counts[c] = counts.get(c, 0) + 1
    for key, value in counts.items():
        counts[key] += value
    return sorted(counts.keys()), counts
""",
    "calls of its own": """
def g(n: int) -> int:
    \"\"\"Factorial.\"\"\"
    if n < 2:
        return 1
    return n * g(n - 1)

def f(n):
    return [g(i) for i in range(n)]
""",
    "swapping": """
def f(n):
    a, b = 0, 1
    items = [3, 1, 2]
    items[0], items[1] = items[1], items[0]
    items += [n]
    items.sort()
    for _ in range(n):
        a, b = b, a + b
    return a, items, items.pop(), items.index(2)
""",
}


@pytest.mark.parametrize("name", list(PROGRAMS))
@pytest.mark.parametrize("number", [0, 1, 4, 11])
def test_programs_return_what_they_return_in_python(name, number):
    names: dict[str, Any] = {}
    exec(PROGRAMS[name], names)
    assert run(PROGRAMS[name], number) == names["f"](number)


def test_the_arguments_of_a_call_stay_as_they_are():
    items = [2, 1]
    assert run("def f(x):\n    x.sort()\n    x.append(3)\n    return x", items) == [1, 2, 3]
    assert items == [2, 1]


def random_value(rng: Random, name: str) -> Any:
    if name in ("n", "x", "number", "value", "num", "m", "count"):
        return rng.randint(-30, 30)
    return [rng.randint(-9, 20) for _ in range(rng.randint(0, 6))]


def test_all_answers_run_as_in_python_over_random_arguments():
    task, rng = Python(), Random(4)
    levels = [level for level in task.levels if level != "trace"]
    for number in range(900):
        level = levels[number % len(levels)]
        code = code_of(task.sample(rng, level).answer)
        names: dict[str, Any] = {}
        exec(code, names)
        functions = parse(code)
        name = next(iter(functions))
        places = [arg.arg for arg in functions[name].args.args]
        for turn in range(4):
            args: list[Any] = [random_value(rng, place) for place in places]
            if turn % 2:
                args = ["".join(rng.choices("abc dEo", k=rng.randint(0, 7))) for _ in places]
            if turn == 3:
                args = [list(arg) for arg in args]
            try:
                wanted = names[name](*copy.deepcopy(args))
            except Exception:
                with pytest.raises(NotAllowed):
                    call(functions, name, tuple(args))
                continue
            if len(repr(wanted)) < 5_000:
                assert call(functions, name, tuple(args)) == wanted


BODIES = (
    "while True: pass",
    "while True:\n        n = n + 1",
    "return 9**9**9",
    "return (2 ** 200) * (2 ** 200)",
    "return 1 << 10**9",
    "return 'a'*10**9",
    "return ['a']*10**9",
    "return [[0] * 9999 for i in range(9999)]",
    "return ['a' * 9999 for i in range(9999)]",
    "x = 'a'\n    while True:\n        x = x + x",
    "x = [1]\n    while True:\n        x += x",
    "x = [1]\n    while True:\n        x.extend(x)",
    "x = [1]\n    for i in x:\n        x.append(i)",
    "x = [0]\n    for i in range(99):\n        x = [x, x]\n    return x == [x, x]",
    "x = [0]\n    for i in range(99):\n        x = [x, x]\n    return str(x)",
    "x = [0]\n    x.append(x)\n    return x == [x, x]",
    "x = ('a' * 9999).replace('a', 'b' * 9999)\n    return x",
    "return ('a' * 9999).join('b' * 9999)",
    "return '%999999999d' % 1",
    "return f'{1:999999999}'",
    "return '{:999999999}'.format(1)",
    "return 'a'.zfill(999999999) + 'a'.ljust(999999999)",
    "return list(range(10**12))",
    "return range(10**30)",
    "return sum(range(10**9))",
    "return sum([[1] * 999] * 999, [])",
    "return __import__('os').system('true')",
    "return ().__class__.__bases__[0].__subclasses__()",
    "return n.__class__",
    "return open('/etc/passwd').read()",
    "return eval('1')",
    "return exec('1')",
    "return globals()",
    "return getattr(n, 'real')",
    "return (lambda: (lambda: 1)())()",
    "f = lambda f: f(f)\n    return f(f)",
    "return sorted([2, 1], key=lambda a: a)",
    "return f(n)",
    "return f(n + 1) + f(n + 1)",
    "return [f(n) for i in range(9)]",
    "import os\n    return os",
    "global f\n    f = 1",
    "yield 1",
    "break",
    "try:\n        return f(n)\n    except:\n        return 1",
    "with n as m:\n        return m",
    "raise ValueError",
    "del n",
    "assert n",
    "class A: pass",
    "return " + "(" * 150 + "1" + ")" * 150,
    "return " + "-" * 1500 + "1",
    "return " + "not " * 400 + "1",
    "return " + "1 + " * 450 + "1",
    "return " + "[" * 180 + "]" * 180,
    "return " + "9" * 1900,
    "return 1e999999 + 1j",
    "return b'a' * 9",
    "return ...",
    "x = n\n    for i in range(3000):\n        x = (x, x)\n    return x",
    "x = [1]\n    for i in range(3000):\n        x = enumerate(x)\n    return list(x)",
    "x = [1]\n    for i in range(3000):\n        x = (y for y in x)\n    return list(x)",
    "return {i: list(range(9999)) for i in range(9999)}",
    "return int('9' * 9999)",
    "return max(i for i in range(9999) for j in range(9999))",
    "return any(i < 0 for i in range(9999) for j in range(9999))",
    "return '\\d'",
    "return 1if n else 2",
    "return n" + "[0]" * 400,
    "return *n",
    "return x",
    "return None + 1",
    "return 1 / 0",
    "return [][0]",
    "return {}[[]]",
    "n()",
)


@pytest.mark.parametrize("body", BODIES)
def test_hostile_functions_end_soon_and_small(body):
    code = f"def f(n):\n    {body}"
    example = Python().sample(Random(1), "number")
    name = example.answer.split("def ")[1].split("(")[0]
    reply = code.replace("f(n", f"{name}(n")
    tracemalloc.start()
    start = time.process_time()  # others on the machine do not count
    try:
        assert Python().grade(example, reply) == 0.0
        assert Python().grade(example, f"```python\n{reply}\n```") == 0.0
        took_s = time.process_time() - start
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()
    assert took_s < 3  # with the tracing of memory; mostly far below


NO_FUNCTIONS = (
    *("", "def", "x = 1", "import os", "@f\ndef f(): pass", "def f(*a): 1", "class f: pass"),
    *("def f(n):\n return n\0", "é" * 9, "1" * 5000, "async def f(n): return n", "(" * 1500),
    *("lambda n: n", "def f(n=1): return n", "for i in range(9): pass"),
)


@pytest.mark.parametrize("code", NO_FUNCTIONS)
def test_texts_that_are_no_plain_functions_are_refused(code):
    with pytest.raises((NotAllowed, IndexError)):
        run(code, 1)
