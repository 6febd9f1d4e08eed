"""A library of a dozen declarations, compiled as Lean compiles, for an index to be made of."""

from tests.judge.olean_writer import Writer

from bise.judge import Constant, Import, Name, Terms
from bise.judge.backend import Identity, NeedsNative, Parts
from bise.judge.constants import Kind
from bise.judge.extensions import ENUMERATED, ORIGINAL_KINDS
from bise.judge.terms import APPLY, BOUND, CONSTANT, FORALL, SORT, SUCC, ZERO

EXPLICIT, IMPLICIT, STRICT, INSTANCE = range(4)


class Builder:
    """Expressions of one table, written short."""

    def __init__(self) -> None:
        self.terms = Terms()
        zero = self.terms.levels.add(ZERO)
        self.prop = self.terms.expressions.add(SORT, zero)
        self.type = self.terms.expressions.add(SORT, self.terms.levels.add(SUCC, zero))

    def call(self, name: str, *arguments: int) -> int:
        """A constant with arguments."""
        made = self.terms.expressions.add(CONSTANT, tuple(name.split(".")), ())
        for one in arguments:
            made = self.terms.expressions.add(APPLY, made, one)
        return made

    def var(self, index: int) -> int:
        """The variable bound so many binders further out."""
        return self.terms.expressions.add(BOUND, index)

    def over(self, *binders: tuple[str, int, int], body: int) -> int:
        """`∀` over names with types and kinds, the first one outermost."""
        for name, kind, binder in reversed(binders):
            body = self.terms.expressions.add(FORALL, (name,), kind, body, binder)
        return body

    def append(self, kind: int, one: int, other: int) -> int:
        lists = self.call("List", kind)
        instance = self.call("instHAppend", lists)
        return self.call("HAppend.hAppend", lists, lists, lists, instance, one, other)

    def add(self, one: int, other: int) -> int:
        nat = self.call("Nat")
        return self.call("HAdd.hAdd", nat, nat, nat, self.call("instHAdd", nat), one, other)


def declarations(make: Builder) -> dict[str, tuple[Kind, int]]:
    """Kind and type of each."""
    nat, var = make.call("Nat"), make.var
    alpha = ("α", make.type, IMPLICIT)
    three = tuple((one, make.type, IMPLICIT) for one in ("α", "β", "γ"))
    instance = ("inst", make.call("HAdd", var(2), var(1), var(0)), INSTANCE)
    operator = make.over(*three, instance, ("a", var(3), 0), ("b", var(3), 0), body=var(3))
    a_list, length = make.call("List", var(0)), make.call("List.length", var(2), var(1))
    two = (("as", a_list, IMPLICIT), ("bs", make.call("List", var(1)), IMPLICIT))
    sum_ = make.add(length, make.call("List.length", var(2), var(0)))
    joined = make.call("List.length", var(2), make.append(var(2), var(1), var(0)))
    reversed_ = make.call("List.length", var(1), make.call("List.reverse", var(1), var(0)))
    plain = make.call("List.length", var(1), var(0))
    none = make.call("List.nil", var(1))
    lists = make.call("List", var(1))
    length_append = make.over(alpha, *two, body=make.call("Eq", nat, joined, sum_))
    return {
        "Nat": ("inductive", make.type),
        "Eq": ("inductive", make.over(alpha, ("a", var(0), 0), ("b", var(1), 0), body=make.prop)),
        "List": ("inductive", make.over(("α", make.type, 0), body=make.type)),
        "List.nil": ("constructor", make.over(alpha, body=a_list)),
        "List.length": ("definition", make.over(alpha, ("as", a_list, 0), body=nat)),
        "List.reverse": ("definition", make.over(alpha, ("as", a_list, 0), body=lists)),
        "HAdd.hAdd": ("definition", operator),
        "HAppend.hAppend": ("definition", operator),
        "List.length_append": ("theorem", length_append),
        "List.length_append._simp_1": ("theorem", length_append),
        "List.length.eq_1": ("theorem", length_append),
        "List.rec": ("recursor", length_append),
        "List.length_reverse": (
            "theorem",
            make.over(alpha, ("as", a_list, 0), body=make.call("Eq", nat, reversed_, plain)),
        ),
        "List.append_nil": (
            "theorem",
            make.over(
                alpha,
                ("as", a_list, 0),
                body=make.call("Eq", lists, make.append(var(1), var(0), none), var(0)),
            ),
        ),
        "Nat.add_comm": (
            "theorem",
            make.over(
                ("n", nat, 0),
                ("m", nat, 0),
                body=make.call("Eq", nat, make.add(var(1), var(0)), make.add(var(0), var(1))),
            ),
        ),
        "Nat.old_comm": (
            "theorem",
            make.over(
                ("n", nat, 0),
                ("m", nat, 0),
                body=make.call("Eq", nat, make.add(var(1), var(0)), make.add(var(0), var(1))),
            ),
        ),
    }


class SmallLean:
    """A `LeanBackend` as far as an index asks it; `Init` imports `Init.Data.List`."""

    def __init__(self) -> None:
        self.num_read = 0
        self._parts: dict[Name, Parts] = {}
        made = Builder()
        writer = Writer(made.terms)
        found = declarations(made)
        constants = [
            Constant(name=tuple(name.split(".")), kind="axiom", universes=(), type=type_)
            for name, (_, type_) in found.items()
        ]
        private = Constant(
            name=("_private", "Init", 0, "secret"), kind="axiom", universes=(), type=made.prop
        )
        kinds = [
            writer.constructor(
                0, writer.name(tuple(name.split("."))), writer.number(ENUMERATED.index(kind))
            )
            for name, (kind, _) in found.items()
        ]
        old = writer.constructor(0, writer.name(("Nat", "old_comm")), writer.number(0))
        entries = [(ORIGINAL_KINDS[0], kinds), (("Lean", "Linter", "deprecatedAttr"), [old])]
        self._parts["Init", "Data", "List"] = (writer.module([*constants, private], (), entries),)
        module = Import(
            module=("Init", "Data", "List"), is_all=False, is_exported=True, is_meta=False
        )
        self._parts["Init",] = (Writer().module([], [module]),)

    @property
    def identity(self) -> Identity:
        return Identity(backend="small", version="0", library="5ma11" * 8)

    def has_module(self, module: Name) -> bool:
        return module in self._parts

    def has_code(self, name: Name) -> bool:
        """It has none."""
        del name
        return False

    def library_parts(self, module: Name) -> Parts:
        self.num_read += 1
        if module not in self._parts:
            raise NeedsNative(module)
        return self._parts[module]
