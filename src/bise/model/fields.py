"""Reading a JSON object of settings so that nothing in it goes unnoticed.

Whoever reads a config takes each field by name; what is left at the end is unknown, and refused.
A field that is quietly ignored is how a checkpoint gets computed wrongly without an error.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

from bise.errors import UserError

Value = TypeVar("Value", int, float, bool, str)
_MISSING: Any = object()


class Fields:
    """One object of a config file, and which of its fields have been understood."""

    def __init__(self, values: object, file: str, path: str = ""):
        if not isinstance(values, dict):
            where = f"`{path.rstrip('.')}` in `{file}`" if path else f"`{file}`"
            raise UserError(f"{where} is {_shown(values)}, expected an object")
        self.values: dict[str, Any] = values
        self.file = file
        self.path = path
        self._left = set(values)

    def has(self, name: str) -> bool:
        """True if the field is there and not null."""
        return self.values.get(name) is not None

    def take(self, name: str, kind: type[Value], default: Value | None = _MISSING) -> Value:
        """The value of a field, checked; null counts as missing."""
        self._left.discard(name)
        value = self.values.get(name)
        if value is None:
            if default is _MISSING:
                raise UserError(f"`{self.path}{name}` is missing in `{self.file}`")
            return default  # type: ignore[return-value] - callers that pass None know
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            if abs(value) >= 2**1000:
                raise self.refused(name, "expected a number that can be computed with")
            value = float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self.refused(name, f"expected {_article(kind)}")
        return value

    def inner(self, name: str) -> "Fields":
        """A field that is itself an object."""
        self._left.discard(name)
        if not self.has(name):
            raise UserError(f"`{self.path}{name}` is missing in `{self.file}`")
        return Fields(self.values[name], self.file, f"{self.path}{name}.")

    def expect(self, name: str, *allowed: object, why: str = "") -> None:
        """Refuse the field unless it is missing, null or one of these."""
        self._left.discard(name)
        value = self.values.get(name)
        if value is None or any(value == one and _alike(value, one) for one in allowed):
            return
        expected = " or ".join(f"`{_shown(one)}`" for one in allowed) or "null"
        raise self.refused(name, f"expected {expected}{why and ': '}{why}")

    def need(self, name: str, *allowed: object, why: str = "") -> None:
        """Like `expect`, but the field must be there."""
        if name not in self.values:
            raise UserError(f"`{self.path}{name}` is missing in `{self.file}`{why and ': '}{why}")
        self.expect(name, *allowed, why=why)

    def ignore(self, names: Iterable[str]) -> None:
        """Fields known to change nothing that is computed here."""
        self._left.difference_update(names)

    def done(self) -> None:
        """Refuse whatever has not been taken, expected or ignored."""
        if self._left:
            name = min(self._left)
            raise UserError(
                f"`{self.path}{name}` in `{self.file}` is an unknown field",
                hint="it may belong to another architecture; remove it if it changes nothing",
            )

    def refused(self, name: str, expectation: str) -> UserError:
        value = _shown(self.values.get(name))
        return UserError(f"`{self.path}{name}` is `{value}` in `{self.file}`, {expectation}")


def _alike(value: object, allowed: object) -> bool:
    """True is 1 to Python, and not to a config."""
    return isinstance(value, bool) == isinstance(allowed, bool)


def _shown(value: object) -> str:
    names = {None: "null", True: "true", False: "false"}
    if value is None or isinstance(value, bool):
        return names[value]
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _article(kind: type) -> str:
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a string"}
    return names[kind]
