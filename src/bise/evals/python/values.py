"""What an expression in a model's function is worth, found by walking its tree.

Only what is named here exists. Every node costs a step, large values cost more, and sizes are
checked before anything large is made.
"""

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

from bise.evals.python.calls import BINARY, COMPARE, FUNCTIONS, METHODS, UNARY
from bise.evals.python.limits import MAX_BITS, MAX_SIZE, NotAllowed, check, weigh

MAX_STEPS = 10_000
"""Nodes that one call may visit; large values cost more than one."""

MAX_DEPTH = 200
"""Expressions in expressions, and calls in calls."""


class Values(ABC):
    """One run of a function, with its budget."""

    def __init__(self, functions: dict[str, ast.FunctionDef]):
        self.functions = functions
        self.steps_left = MAX_STEPS
        self.depth = 0

    def pay(self, steps: int) -> None:
        self.steps_left -= steps
        if self.steps_left < 0:
            raise NotAllowed("too many steps")

    def weigh(self, *values: Any) -> None:
        """Large values cost steps, so that no work goes unpaid."""
        for value in values:
            if not isinstance(value, int | float):
                self.pay(weigh(value) // 8)

    @abstractmethod
    def call(self, node: ast.FunctionDef, args: list[Any]) -> Any:
        """What one of the functions returns."""

    def assign(self, target: ast.expr, value: Any, names: dict[str, Any]) -> None:
        if isinstance(target, ast.Name):
            names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            parts = list(items(value))
            if len(parts) != len(target.elts):
                raise NotAllowed("unpacking")
            for each, part in zip(target.elts, parts, strict=True):
                self.assign(each, part, names)
        elif isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Slice):
            key = self.value(target.slice, names)
            self.weigh(key)
            self.value(target.value, names)[key] = value
        else:
            raise NotAllowed("assignment")

    def value(self, node: ast.expr, names: dict[str, Any]) -> Any:
        self.pay(1)
        means = EXPRESSIONS.get(type(node))
        if means is None or self.depth > MAX_DEPTH:
            raise NotAllowed(type(node).__name__)
        self.depth += 1
        value = means(self, node, names)
        self.depth -= 1
        return value

    def binary(self, kind: type, left: Any, right: Any) -> Any:
        if isinstance(left, int) and isinstance(right, int):
            num_left, num_right = left.bit_length(), right.bit_length()
            if kind in (ast.Pow, ast.LShift):
                if right < 0 or right > MAX_BITS or max(1, num_left) * right > MAX_BITS:
                    raise NotAllowed("number")
            elif kind is ast.Mult and num_left + num_right > MAX_BITS:
                raise NotAllowed("number")
        elif kind is ast.Mult:
            text, num = (right, left) if isinstance(left, int) else (left, right)
            if isinstance(text, str | list | tuple) and isinstance(num, int):
                self.pay(weigh(text) // 8)
                if len(text) * max(0, num) > MAX_SIZE:
                    raise NotAllowed("size")
        elif isinstance(left, str) and kind is not ast.Add:
            raise NotAllowed("operator on text")
        self.weigh(left, right)
        result = check(BINARY[kind](left, right))
        self.weigh(result)
        return result

    def compare(self, node: ast.Compare, names: dict[str, Any]) -> bool:
        left = self.value(node.left, names)
        for kind, each in zip(node.ops, node.comparators, strict=True):
            right = self.value(each, names)
            self.weigh(left, right)
            if not COMPARE[type(kind)](left, right):
                return False
            left = right
        return True

    def any_of(self, node: ast.BoolOp, names: dict[str, Any]) -> Any:
        is_or, value = isinstance(node.op, ast.Or), None
        for each in node.values:
            value = self.value(each, names)
            if bool(value) == is_or:
                return value
        return value

    def invoke(self, node: ast.Call, names: dict[str, Any]) -> Any:
        args = [self.value(arg, names) for arg in node.args]
        named = {word.arg or "": self.value(word.value, names) for word in node.keywords}
        if isinstance(node.func, ast.Attribute):
            holder = self.value(node.func.value, names)
            does = METHODS.get((type(holder), node.func.attr))
            args.insert(0, holder)
        elif isinstance(node.func, ast.Name) and node.func.id in self.functions and not named:
            return self.call(self.functions[node.func.id], args)
        else:
            does = FUNCTIONS.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if does is None or set(named) - {"reverse"}:
            raise NotAllowed("call")
        self.weigh(*args)
        result = check(does(*args, **named))
        self.weigh(result)
        return result

    def each(self, node: Any, names: dict[str, Any], parts: tuple[ast.expr, ...]) -> Iterator[Any]:
        """The values of a comprehension's parts, lazily, in names of its own."""
        own = dict(names)

        def go(level: int) -> Iterator[Any]:
            if level == len(node.generators):
                self.pay(1)
                yield tuple(self.value(part, own) for part in parts)
                return
            loop = node.generators[level]
            for item in items(self.value(loop.iter, own)):
                self.pay(1)
                self.assign(loop.target, item, own)
                if all(self.value(test, own) for test in loop.ifs):
                    yield from go(level + 1)

        return go(0)

    def firsts(self, node: Any, names: dict[str, Any]) -> Iterator[Any]:
        return (value for (value,) in self.each(node, names, (node.elt,)))

    def name(self, node: ast.Name, names: dict[str, Any]) -> Any:
        return names[node.id]

    def item(self, node: ast.Subscript, names: dict[str, Any]) -> Any:
        holder = self.value(node.value, names)
        if not isinstance(holder, str | list | tuple | dict | range):
            raise NotAllowed("subscript")
        if not isinstance(node.slice, ast.Slice):
            key = self.value(node.slice, names)
            self.weigh(key)
            return holder[key]
        ends = (node.slice.lower, node.slice.upper, node.slice.step)
        self.weigh(holder)
        return holder[slice(*(end and self.value(end, names) for end in ends))]  # type: ignore[index]

    def text(self, node: ast.JoinedStr, names: dict[str, Any]) -> str:
        parts: list[str] = []
        for each in node.values:
            if isinstance(each, ast.FormattedValue):
                if each.format_spec or each.conversion != -1:
                    raise NotAllowed("format")
                value = self.value(each.value, names)
                self.weigh(value)
                parts.append(FUNCTIONS["str"](value))
            else:
                parts.append(self.value(each, names))
        return check("".join(parts))

    def pairs(self, node: ast.Dict, names: dict[str, Any]) -> dict[Any, Any]:
        if None in node.keys:
            raise NotAllowed("dictionary")
        return {
            self.value(key, names): self.value(value, names)  # type: ignore[arg-type]
            for key, value in zip(node.keys, node.values, strict=True)
        }

    def choose(self, node: ast.IfExp, names: dict[str, Any]) -> Any:
        return self.value(node.body if self.value(node.test, names) else node.orelse, names)


def items(value: Any) -> Any:
    """What may be gone through; an iterator only ever comes from such a value."""
    if value is None or isinstance(value, int | float):
        raise NotAllowed("iteration")
    return value


EXPRESSIONS: dict[type, Callable[[Values, Any, dict[str, Any]], Any]] = {
    ast.BinOp: lambda run, node, names: run.binary(
        type(node.op), run.value(node.left, names), run.value(node.right, names)
    ),
    ast.BoolOp: Values.any_of,
    ast.Call: Values.invoke,
    ast.Compare: Values.compare,
    ast.Constant: lambda run, node, names: check(node.value),  # noqa: ARG005
    ast.Dict: Values.pairs,
    ast.DictComp: lambda run, node, names: dict(run.each(node, names, (node.key, node.value))),
    ast.GeneratorExp: Values.firsts,
    ast.IfExp: Values.choose,
    ast.JoinedStr: Values.text,
    ast.List: lambda run, node, names: [run.value(each, names) for each in node.elts],
    ast.ListComp: lambda run, node, names: list(run.firsts(node, names)),
    ast.Name: Values.name,
    ast.Set: lambda run, node, names: {run.value(each, names) for each in node.elts},
    ast.SetComp: lambda run, node, names: set(run.firsts(node, names)),
    ast.Subscript: Values.item,
    ast.Tuple: lambda run, node, names: tuple(run.value(each, names) for each in node.elts),
    ast.UnaryOp: lambda run, node, names: check(
        UNARY[type(node.op)](run.value(node.operand, names))
    ),
}
