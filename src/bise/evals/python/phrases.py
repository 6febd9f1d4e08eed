"""How people ask for a small function."""

import re
from random import Random

from bise.evals.phrasing import loosen, phrase
from bise.evals.python.plans import STEPS, Plan
from bise.evals.python.step import third

THAT = (
    "Write a function {sig} that {does}.",
    "Write a Python function {sig} that {does}.",
    "Write a function named {name} that takes {args} and {does}.",
    "Write a Python function called {name} with the argument {args} that {does}.",
    "Please write a function {sig} that {does}.",
    "Can you write a function {sig} that {does}?",
    "Define a function {sig} that {does}.",
    "I need a Python function {sig} that {does}.",
    "Give me a function {sig} which {does}.",
    "Give me the Python code of {sig}, which {does}.",
    "Code a function {sig} that {does}.",
    "Implement {sig} in Python. It {does}.",
    "Implement a function {name} that takes {args} and {does}.",
    "{sig} is a function that {does}. Write it.",
    "Make a function {sig} that {does}.",
)
"""With what the function does."""

TO = (
    "Write a function {sig} to {do}.",
    "Write {sig} in Python: {do}.",
    "Python function {sig}: {do}.",
    "In Python, how do I {do}? Call the function {name} and its argument {args}.",
    "I want a function {sig} to {do}.",
    "Define {sig}. It should {do}.",
    "Code: {sig} should {do}.",
    "Program {sig} to {do}.",
    "The function {sig} should {do}. Write it in Python.",
    "Help me write {sig}. It must {do}.",
    "def {sig}: {do}",
)
"""With what it shall do."""

COMPLETE = (
    "Complete this function:",
    "Complete the function.",
    "Finish this function:",
    "Fill in the body:",
    "Write the body of this function:",
    "Please complete this Python function:",
    "Here is the start of a function. Write all of it:",
    "Complete this code:",
)
"""Before its first line and what it shall do."""

FREE_THAT = (
    "Write a function that {does}.",
    "Write a Python function that {does}.",
    "Can you write a function that {does}?",
    "Give me a Python function that {does}.",
    "I need a function that {does}.",
    "Show me a function that {does}.",
)
FREE_TO = (
    "Write a function to {do}.",
    "How do I {do} in Python?",
    "Python code to {do}?",
    "Write Python code to {do}.",
)
"""Without a name for it."""

FIX = (
    "Fix this function. It should {do}:",
    "This function should {do}, but it is wrong:",
    "My function {name} should {do}. What is wrong?",
    "Find the mistake. {name} should {do}:",
    "Repair {name}, which should {do}:",
    "Correct this code. It should {do}:",
    "There is a bug in {name}. It should {do}:",
    "Why does this not {do}? Fix it:",
    "{name} is meant to {do}. Put it right:",
    "The tests of {name} fail. It should {do}:",
    "Please fix this code, so that it will {do}:",
    "Debug {name}. It must {do}:",
)
TRACE = (
    "What does {call} return?",
    "What is {call}?",
    "What is the result of {call}?",
    "What comes out of {call}?",
    "What will {call} give?",
    "Work out {call}.",
    "Evaluate {call}.",
    "Run {call} in your head:",
    "Tell me the value of {call}.",
    "Which value does {call} return?",
)
OBJECTS = {
    "n": ("a number", "a given number"),
    "u": ("a number n",),
    "s": ("a text", "a string", "a word"),
    "l": ("a list", "a list of numbers", "the numbers of a list"),
    "w": ("a list", "a list of words", "the words of a list"),
}
THINGS = {"n": "number", "u": "number", "s": "text", "l": "list", "w": "list"}
LATER = ("the result", "the result", "it", "that")
JOINS = (" and then ", ", then ", " and ", ", and then ", "; then ")
QUOTES = ('"', '"', "'")


def wish(rng: Random, plan: Plan, names: list[str], *, is_free: bool = False) -> str:
    """What is asked for, beginning with a verb; steps after the first are about the result."""
    return joined(*clauses_of(rng, plan, names, is_free=is_free))


def clauses_of(
    rng: Random, plan: Plan, names: list[str], *, is_free: bool = False
) -> tuple[list[str], list[str]]:
    """A clause for each step, and what stands between them."""
    x, y, quote = names[0], names[-1], rng.choice(QUOTES)
    kind = plan.takes[0]
    if is_free:
        x = rng.choice(OBJECTS[kind])
    elif len(plan.takes) == 1 and x != THINGS[kind] and rng.random() < 0.2:
        x = f"the {THINGS[kind]} {x}"
    if plan.is_choice:
        return [choice(rng, plan, x, quote)], []
    if plan.is_fused and rng.random() < 0.4:
        return [at_once(rng, plan, quote), "leave out the others"], [rng.choice(JOINS)]
    clauses: list[str] = []
    for does, params in plan.steps:
        clause = does.clause(rng.choice(does.says), x, params, quote, y)
        clauses.append(shorter(clause) if rng.random() < 0.6 else clause)
        x = rng.choice(LATER)
    return clauses, [rng.choice(JOINS) for _ in clauses[1:]]


def at_once(rng: Random, plan: Plan, quote: str) -> str:
    """Change the items that are kept, as in `double the even numbers`."""
    (keep, params), (each, others) = plan.steps
    kept = keep.clause(rng.choice(keep.says), "", params, quote, "")
    those = shorter(kept.split(" ", 1)[1])
    does = STEPS[each.name.removeprefix("each ")]
    if "(" in does.code or rng.random() < 0.5:
        those = f"each of {those}"
    return does.clause(rng.choice(does.says), those, others, quote, "")


def shorter(clause: str) -> str:
    """`the even numbers` for `the numbers that are even`."""
    return PLAIN.sub(r"the \1 numbers", clause)


def choice(rng: Random, plan: Plan, x: str, quote: str) -> str:
    """A condition and what to do in either case, as one request."""
    ways = [(does, params, rng.choice(does.says)) for does, params in plan.steps]
    is_after = rng.random() < 0.5
    it = rng.choice((x, "it")) if is_after else x
    test, then, other = (
        does.clause(way, it if place else x, params, quote, "")
        for place, (does, params, way) in enumerate(ways)
    )
    test, otherwise = third(test), rng.choice(ELSE)
    if is_after or ", " in then:
        look = rng.choice(("check", "see", "test", "find out"))
        return f"{look} if {x} {test}; if so, {then}, {otherwise} {other}"
    return f"{then} if {x} {test}, {otherwise} {other}"


def ask(rng: Random, plan: Plan, name: str, names: list[str]) -> tuple[str, bool]:
    """Ask for a function in one of many ways; tells whether its name is left open."""
    way = rng.random()
    is_free = way < 0.1 and len(plan.takes) == 1
    sig, args = f"{name}({', '.join(names)})", " and ".join(names)
    clauses, joins = clauses_of(rng, plan, names, is_free=is_free)
    do = joined(clauses, joins)
    if 0.1 <= way < 0.3:
        doc = f"{do[0].upper()}{do[1:]}."
        return f"{loosen(rng, rng.choice(COMPLETE))}\n{block(begun(sig, doc))}", False
    if plan.is_choice:
        return phrase(
            rng, FREE_TO if is_free else TO, sig=sig, name=name, args=args, do=do
        ), is_free
    does = joined([third(clause) for clause in clauses], joins)
    templates = FREE_THAT + FREE_TO if is_free else THAT + TO
    return phrase(rng, templates, sig=sig, name=name, args=args, do=do, does=does), is_free


def begun(sig: str, doc: str) -> str:
    """The first lines of a function that says in words what it shall do."""
    mark = "'" * 3 if '"' in doc else '"' * 3
    return f"def {sig}:\n    {mark}{doc}{mark}"


def joined(clauses: list[str], joins: list[str]) -> str:
    return clauses[0] + "".join(map(str.__add__, joins, clauses[1:]))


PLAIN = re.compile(r"the numbers that are (even|odd|positive|negative)$")
ELSE = ("otherwise", "else", "and otherwise", "or else")


def block(code: str) -> str:
    """Code as it stands in a chat."""
    return f"```python\n{code}\n```"
