"""Column arithmetic, written out so that every next digit depends on few and near ones.

Digits are worked from the last to the first, one equation a column, and all equations are true:

    47+86: 7+6=13, 4+8+1=13, 133            the 1 of 13 is carried
    133-87: 3-7+10=6, 3-8-1+10=4, 1-0-1=0, 46    a column that adds 10 makes the next take 1
    78*4: 8*4=32, 7*4+3=28+3=31, 312         the product first, then the carry
    29-87: -(87-29), 7-9+10=8, 8-2-1=5, -58  otherwise as a plain problem, with its sign

The result is read off the right-hand sides, backwards. Single digits are known by heart.
Numbers reach from -999 to 999; only the first may be negative.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Equation:
    """One column: `left` is everything before the last equals sign."""

    left: str
    right: int

    def __str__(self) -> str:
        return f"{self.left}={self.right}"


@dataclass(frozen=True, slots=True)
class Step:
    """One operation worked out: what is asked, how it is rewritten, its columns, its result."""

    problem: str
    plain: str
    """The same as a problem without a negative number or result; empty if it is one."""

    equations: tuple[Equation, ...]
    result: int

    def line(self, slip: tuple[int, int] | None = None) -> str:
        """Write the step. A `slip` is a column and a wrong value, met and then put right."""
        columns = [str(equation) for equation in self.equations]
        if slip is not None:
            column, wrong = slip
            columns[column] = f"{self.equations[column].left}={wrong}, no, {columns[column]}"
        rewritten = [self.plain] if self.plain else []
        return f"{self.problem}: {', '.join([*rewritten, *columns, str(self.result)])}"


def work_out(first: int, operator: str, second: int) -> Step:
    """Solve `first operator second` in columns."""
    problem = f"{first}{operator}{second}"
    if operator == "*":
        result = first * second
    else:
        result = first + second if operator == "+" else first - second
    if abs(first) < 10 and second < 10:
        return Step(problem, "", (), result)
    if operator == "*":
        return Step(problem, "", multiply(max(first, second), min(first, second)), result)
    top, sign, bottom = plain_problem(first, operator, second)
    columns = add(top, bottom) if sign == "+" else subtract(top, bottom)
    plain = f"{top}{sign}{bottom}"
    if result < 0:
        plain = f"-({plain})"
    return Step(problem, "" if plain == problem else plain, columns, result)


def plain_problem(first: int, operator: str, second: int) -> tuple[int, str, int]:
    """Say what must be added to, or taken from, what, with no negative number and no debt."""
    size = abs(first)
    if (first < 0) == (operator == "-"):
        return size, "+", second
    if first < 0 or size < second:
        return max(size, second), "-", min(size, second)
    return size, "-", second


def add(first: int, second: int) -> tuple[Equation, ...]:
    """Add column by column; the tens of a sum are carried."""
    columns, carry = list[Equation](), 0
    for place in range(max(num_digits(first), num_digits(second))):
        one, other = digit(first, place), digit(second, place)
        left = f"{one}+{other}+{carry}" if carry else f"{one}+{other}"
        total = one + other + carry
        columns.append(Equation(left, total))
        carry = total // 10
    return tuple(columns)


def subtract(first: int, second: int) -> tuple[Equation, ...]:
    """Take a number from one at least as large; a column too small borrows ten."""
    columns, borrow = list[Equation](), 0
    for place in range(num_digits(first)):
        one, other = digit(first, place), digit(second, place)
        left = f"{one}-{other}-{borrow}" if borrow else f"{one}-{other}"
        total = one - other - borrow
        borrow = int(total < 0)
        columns.append(Equation(f"{left}+10" if borrow else left, total + 10 * borrow))
    return tuple(columns)


def multiply(number: int, factor: int) -> tuple[Equation, ...]:
    """Multiply by one digit, column by column. Product and carry are joined in a step of its own:
    otherwise nine hundred cases would have to be known by heart."""
    columns, carry = list[Equation](), 0
    for place in range(num_digits(number)):
        one = digit(number, place)
        product = one * factor
        left = f"{one}*{factor}"
        if carry:
            left = f"{left}+{carry}={product}+{carry}"
        columns.append(Equation(left, product + carry))
        carry = (product + carry) // 10
    return tuple(columns)


def digit(number: int, place: int) -> int:
    """The digit at a place, counted from the last; 0 past the first."""
    return number // 10**place % 10


def num_digits(number: int) -> int:
    return len(str(number))
