"""The operators, functions and methods that exist for a function that a model wrote."""

import ast
import operator
from collections.abc import Callable
from typing import Any

from bise.evals.python.limits import MAX_SIZE, NotAllowed, weigh


def text(value: Any = "") -> str:
    """`str`, of what prints the same on every machine."""
    if not isinstance(value, str | int | float | list | tuple | dict | None):
        raise NotAllowed("str")
    return str(value)


def whole(value: Any = 0) -> int:
    """`int` of a number or a short text."""
    if isinstance(value, str) and len(value) > 80:
        raise NotAllowed("int")
    return int(value)


def ordered(value: Any, *, reverse: Any = False) -> list[Any]:
    return sorted(value, reverse=bool(reverse))


def total(values: Any, start: Any = 0) -> Any:
    """`sum` of numbers: lists would grow without anyone looking."""
    result = start
    for value in values:
        if not isinstance(value, int | float) or not isinstance(start, int | float):
            raise NotAllowed("sum")
        result += value
    return result


def numbers(*ends: int) -> range:
    result = range(*ends)
    if max(map(abs, ends), default=0) > 2**62 or len(result) > MAX_SIZE:
        raise NotAllowed("range")
    return result


def join(separator: str, parts: Any) -> str:
    listed = list(parts)
    if not isinstance(separator, str) or weigh(listed) + len(separator) * len(listed) > MAX_SIZE:
        raise NotAllowed("join")
    return separator.join(listed)


def replace(value: str, old: str, new: str, num: int = -1) -> str:
    if len(value) + (len(value) + 1) * len(new) > 20 * MAX_SIZE:
        raise NotAllowed("replace")
    return value.replace(old, new, num)


def fill(value: str, num: int) -> str:
    if num > MAX_SIZE:
        raise NotAllowed("zfill")
    return value.zfill(num)


def extend(value: list[Any], more: Any) -> None:
    listed = list(more)
    if len(value) + len(listed) > MAX_SIZE:
        raise NotAllowed("extend")
    value.extend(listed)


BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}
UNARY: dict[type, Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
}
COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "all": all,
    "any": any,
    "bool": bool,
    "dict": lambda value=(): dict(value),
    "divmod": divmod,
    "enumerate": enumerate,
    "int": whole,
    "len": len,
    "list": list,
    "max": max,
    "min": min,
    "range": numbers,
    "reversed": reversed,
    "set": set,
    "sorted": ordered,
    "str": text,
    "sum": total,
    "tuple": tuple,
    "zip": zip,
}
TEXT_METHODS = (
    *("capitalize", "count", "endswith", "find", "index", "isalpha", "isdigit", "islower"),
    *("isupper", "lower", "lstrip", "rstrip", "split", "startswith", "strip", "swapcase"),
    *("title", "upper"),
)
LIST_METHODS = ("append", "copy", "count", "index", "insert", "pop", "remove", "reverse")
METHODS: dict[tuple[type, str], Callable[..., Any]] = {
    **{(str, name): getattr(str, name) for name in TEXT_METHODS},
    **{(list, name): getattr(list, name) for name in LIST_METHODS},
    **{(tuple, name): getattr(tuple, name) for name in ("count", "index")},
    **{(dict, name): getattr(dict, name) for name in ("get", "items", "keys", "pop", "values")},
    **{(set, name): getattr(set, name) for name in ("add", "discard", "remove")},
    (str, "join"): join,
    (str, "replace"): replace,
    (str, "zfill"): fill,
    (list, "extend"): extend,
    (list, "sort"): lambda value, reverse=False: value.sort(reverse=bool(reverse)),
    (dict, "setdefault"): lambda value, key, default=None: value.setdefault(key, default),
}
"""By the kind of value and the name of the method."""
