"""Which declarations a kernel is shown, in what order, and what its answer means.

A kernel adds declarations one after another, each after all it rests on; an inductive type comes
with its whole block and its constructors, its recursors behind it. Types and constructors the file
made up differently from the kernel's own are told, too.
"""

import re
from collections.abc import Iterable, Sequence

from bise.judge.constants import Constant
from bise.judge.region import BadOlean
from bise.judge.terms import Name, Terms, name_order, show_name

FAULTS = {
    "kernel": "the kernel refuses `{}`",
    "missing": "`{}` is something else to the kernel",
    "differs": "`{}` is not what the kernel makes of its type",
    "axiom": "`{}` is an axiom",
    "unsafe": "`{}` is unsafe",
    "shape": "the block of `{}` is not whole",
}
"""What the checker's words say, with the name they are about."""


def in_order(constants: Iterable[Constant], terms: Terms) -> list[Constant]:
    """Safe declarations so that each comes after what it rests on.

    Unsafe and partial ones are left out: no kernel lets a safe one rest on them.
    Raises `BadOlean` for a circle, and for a block of types that is not whole.
    """
    known = {one.name: one for one in constants if one.safety == "safe"}
    blocks = {name: _block(one, known) for name, one in known.items()}
    needs = {block: _needs(block, known, terms) for block in dict.fromkeys(blocks.values())}
    ordered: list[Constant] = []
    done: dict[tuple[Name, ...], bool] = {}  # False while what it rests on is being written
    for start in needs:
        waiting = [start]
        while waiting:
            block = waiting[-1]
            if done.get(block):
                waiting.pop()
                continue
            missing = [blocks[name] for name in needs[block] if name in blocks]
            missing = [one for one in missing if one != block and not done.get(one)]
            if missing and block in done:
                raise BadOlean(f"`{show_name(block[0])}` rests on itself")
            done[block] = not missing
            if missing:
                waiting += dict.fromkeys(missing)
            else:
                ordered += [known[name] for name in block]
    return ordered


def _block(constant: Constant, known: dict[Name, Constant]) -> tuple[Name, ...]:
    """What is declared together: the types of a mutual block, then all their constructors."""
    if constant.kind == "constructor":
        owner = known.get(constant.inductive)
        if owner is None or owner.kind != "inductive" or constant.name not in owner.constructors:
            raise BadOlean(f"`{show_name(constant.name)}` is a constructor of nothing")
        constant = owner
    if constant.kind != "inductive":
        return (constant.name,)
    types = constant.together
    if constant.name not in types:
        raise BadOlean(f"`{show_name(constant.name)}` is not in its own block")
    members = list(types)
    for name in types:
        one = known.get(name)
        if one is None or one.kind != "inductive" or one.together != types:
            raise BadOlean(f"the block of `{show_name(constant.name)}` is not whole")
        members += one.constructors
    if len(set(members)) != len(members) or not all(name in known for name in members):
        raise BadOlean(f"the block of `{show_name(constant.name)}` is not whole")
    return tuple(members)


def _needs(block: tuple[Name, ...], known: dict[Name, Constant], terms: Terms) -> list[Name]:
    found: set[Name] = set()
    for name in block:
        one = known[name]
        if one.kind == "recursor":  # its rules mention itself; the kernel makes them anew
            found |= {*terms.constants(one.type), *one.named()}
        else:
            found |= terms.constants(*one.expressions())
    return sorted(found - set(block), key=name_order)


def read_answer(line: bytes, word: str, sent: Sequence[Constant]) -> str | None:
    """What the line a checker ended with says about the declarations it was sent.

    word: what it must begin with. Returns a fault, or nothing if all were accepted.
    """
    found = re.fullmatch(rb"(\w+) (\w+) (\d{1,9})", line)
    if found is None or found[1] != word.encode():
        return "the kernel gave an answer that is none"
    told, number = found[2].decode(), int(found[3])
    if told == "accepted" and number == len(sent):
        return None
    if told not in FAULTS or number >= len(sent):
        return f"the kernel answered `{told} {number}`"
    return FAULTS[told].format(show_name(sent[number].name))
