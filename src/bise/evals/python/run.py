"""Runs small Python functions that a model wrote, without ever handing them to Python.

The text is parsed and walked node by node. Only what is named here exists; time and memory have
budgets, and sizes are checked before anything large is made.
"""

import ast
from collections.abc import Callable
from typing import Any

from bise.evals.python.calls import METHODS
from bise.evals.python.limits import NotAllowed
from bise.evals.python.values import Values, items

FAULTS = (
    *(ArithmeticError, AttributeError, LookupError, RecursionError, MemoryError),
    *(TypeError, ValueError, NameError, StopIteration, RuntimeError),
)
"""What a wrong program may run into."""


class Returned(Exception):
    """A function is done."""

    def __init__(self, value: Any):
        self.value = value


class Left(Exception):
    """A loop is left, or goes on with its next round."""

    def __init__(self, is_break: bool):
        self.is_break = is_break


def call(functions: dict[str, ast.FunctionDef], name: str, args: tuple[Any, ...]) -> Any:
    """What a function returns; `NotAllowed` if it is no such function, fails or does too much."""
    try:
        own = [list(arg) if isinstance(arg, list) else arg for arg in args]
        return Run(functions).call(functions[name], own)
    except FAULTS as error:
        raise NotAllowed(type(error).__name__) from error


class Run(Values):
    """The statements of a function, one after the other."""

    def call(self, node: ast.FunctionDef, args: list[Any]) -> Any:
        if len(args) != len(node.args.args):
            raise NotAllowed("number of arguments")
        self.depth += 5
        names = {arg.arg: value for arg, value in zip(node.args.args, args, strict=True)}
        try:
            self.block(node.body, names)
        except Returned as returned:
            self.depth -= 5
            return returned.value
        except Left as left:
            raise NotAllowed("no loop to leave") from left
        self.depth -= 5
        return None

    def block(self, body: list[ast.stmt], names: dict[str, Any]) -> None:
        for node in body:
            self.pay(1)
            does = STATEMENTS.get(type(node))
            if does is None:
                raise NotAllowed(type(node).__name__)
            does(self, node, names)

    def loop(self, node: ast.For, names: dict[str, Any]) -> None:
        for item in items(self.value(node.iter, names)):
            self.pay(1)
            self.assign(node.target, item, names)
            if not self.round(node.body, names):
                return
        self.block(node.orelse, names)

    def loop_while(self, node: ast.While, names: dict[str, Any]) -> None:
        while self.value(node.test, names):
            if not self.round(node.body, names):
                return
        self.block(node.orelse, names)

    def round(self, body: list[ast.stmt], names: dict[str, Any]) -> bool:
        """Go through a loop's body; False if it was left."""
        try:
            self.block(body, names)
        except Left as left:
            return not left.is_break
        return True

    def augment(self, node: ast.AugAssign, names: dict[str, Any]) -> None:
        if not isinstance(node.target, ast.Name | ast.Subscript):
            raise NotAllowed("assignment")
        place: Any = ast.Name(node.target.id) if isinstance(node.target, ast.Name) else node.target
        left, right = self.value(place, names), self.value(node.value, names)
        if isinstance(left, list) and isinstance(node.op, ast.Add):
            METHODS[list, "extend"](left, right)
            self.weigh(left)
        else:
            self.assign(node.target, self.binary(type(node.op), left, right), names)

    def expression(self, node: ast.Expr, names: dict[str, Any]) -> None:
        self.value(node.value, names)

    def give(self, node: ast.Return, names: dict[str, Any]) -> None:
        raise Returned(self.value(node.value, names) if node.value else None)

    def leave(self, node: ast.stmt, names: dict[str, Any]) -> None:  # noqa: ARG002
        raise Left(isinstance(node, ast.Break))

    def branch(self, node: ast.If, names: dict[str, Any]) -> None:
        self.block(node.body if self.value(node.test, names) else node.orelse, names)

    def store(self, node: ast.Assign, names: dict[str, Any]) -> None:
        value = self.value(node.value, names)
        for target in node.targets:
            self.assign(target, value, names)


STATEMENTS: dict[type, Callable[[Run, Any, dict[str, Any]], None]] = {
    ast.Assign: Run.store,
    ast.AugAssign: Run.augment,
    ast.Break: Run.leave,
    ast.Continue: Run.leave,
    ast.Expr: Run.expression,
    ast.For: Run.loop,
    ast.If: Run.branch,
    ast.Pass: lambda run, node, names: None,  # noqa: ARG005
    ast.Return: Run.give,
    ast.While: Run.loop_while,
}
