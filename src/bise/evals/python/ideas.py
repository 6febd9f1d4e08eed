"""What small functions do with one number or one text."""

from bise.evals.python.step import step

NUMBERS = (
    step(
        "add", "n>n", "k", "{x} + {k}", "add {k} to {x} | increase {x} by {k}", lambda x, k: x + k
    ),
    step(
        *("subtract", "n>n", "k", "{x} - {k}"),
        "subtract {k} from {x} | decrease {x} by {k} | take {k} away from {x}",
        lambda x, k: x - k,
    ),
    step("times", "n>n", "k", "{x} * {k}", "multiply {x} by {k}", lambda x, k: x * k),
    step("double", "n>n", "", "{x} * 2", "double {x} | multiply {x} by two", lambda x: x * 2),
    step("triple", "n>n", "", "{x} * 3", "triple {x} | multiply {x} by three", lambda x: x * 3),
    step("square", "n>n", "", "{x} ** 2", "square {x} | compute the square of {x}", lambda x: x**2),
    step("cube", "n>n", "", "{x} ** 3", "cube {x} | compute the cube of {x}", lambda x: x**3),
    step("negate", "n>n", "", "-{x}", "negate {x} | flip the sign of {x}", lambda x: -x),
    step(
        *("absolute", "n>n", "", "abs({x})"),
        "take the absolute value of {x} | remove the sign of {x}",
        abs,
    ),
    step(
        *("remainder", "n>n", "k", "{x} % {k}"),
        "take the remainder of {x} divided by {k} | take {x} modulo {k}",
        lambda x, k: x % k,
    ),
    step(
        *("divide", "n>n", "k", "{x} // {k}"),
        "divide {x} by {k}, rounding down | divide {x} by {k} without remainder",
        lambda x, k: x // k,
    ),
    step("half", "n>n", "", "{x} // 2", "halve {x}, rounding down", lambda x: x // 2),
    step("from", "n>n", "k", "{k} - {x}", "subtract {x} from {k}", lambda x, k: k - x),
    step(
        *("floor", "n>n", "k", "max({x}, {k})"),
        "take the larger of {x} and {k} | raise {x} to at least {k}",
        max,
    ),
    step(
        *("cap", "n>n", "k", "min({x}, {k})"),
        "take the smaller of {x} and {k} | limit {x} to at most {k}",
        min,
    ),
    step(
        *("clamp", "n>n", "km", "max({k}, min({x}, {m}))"),
        "clamp {x} between {k} and {m} | limit {x} to the range from {k} to {m}",
        lambda x, k, m: max(k, min(x, m)),
    ),
    step(
        *("distance", "n>n", "k", "abs({x} - {k})"),
        "take the distance between {x} and {k} | compute how far {x} is from {k}",
        lambda x, k: abs(x - k),
    ),
    step(
        *("digits", "n>n", "", "len(str(abs({x})))"),
        "count the digits of {x} | compute how many digits {x} has",
        lambda x: len(str(abs(x))),
    ),
    step(
        *("last digit", "n>n", "", "abs({x}) % 10"),
        "take the last digit of {x} | return the last digit of {x}",
        lambda x: abs(x) % 10,
    ),
    step(
        *("digit sum", "n>n", "", "sum(int(d) for d in str(abs({x})))"),
        "add up the digits of {x} | compute the sum of the digits of {x}",
        lambda x: sum(int(d) for d in str(abs(x))),
    ),
)

IF_NUMBERS = (
    step("even", "n>b", "", "{x} % 2 == 0", "are even", lambda x: x % 2 == 0),
    step("odd", "n>b", "", "{x} % 2 == 1", "are odd", lambda x: x % 2 == 1),
    step("positive", "n>b", "", "{x} > 0", "are positive | are above zero", lambda x: x > 0),
    step("negative", "n>b", "", "{x} < 0", "are negative | are below zero", lambda x: x < 0),
    step(
        *("above", "n>b", "k", "{x} > {k}"),
        "are greater than {k} | are larger than {k} | are above {k} | are more than {k}",
        lambda x, k: x > k,
    ),
    step(
        *("below", "n>b", "k", "{x} < {k}"),
        "are less than {k} | are smaller than {k} | are below {k}",
        lambda x, k: x < k,
    ),
    step(
        "least", "n>b", "k", "{x} >= {k}", "are at least {k} | are {k} or more", lambda x, k: x >= k
    ),
    step(
        "most", "n>b", "k", "{x} <= {k}", "are at most {k} | are {k} or less", lambda x, k: x <= k
    ),
    step(
        *("multiple", "n>b", "k", "{x} % {k} == 0"),
        "are divisible by {k} | are multiples of {k}",
        lambda x, k: x % k == 0,
    ),
    step("equal", "n>b", "k", "{x} == {k}", "are equal to {k} | are {k}", lambda x, k: x == k),
    step(
        "other", "n>b", "k", "{x} != {k}", "are not {k} | are not equal to {k}", lambda x, k: x != k
    ),
    step(
        "within",
        "n>b",
        "km",
        "{k} <= {x} <= {m}",
        "are between {k} and {m} | are from {k} to {m}",
        lambda x, k, m: k <= x <= m,
    ),
)

TEXTS = (
    step(
        *("upper", "s>s", "", "{x}.upper()"),
        "write {x} in capitals | turn {x} into upper case | convert {x} to upper case",
        str.upper,
    ),
    step(
        *("lower", "s>s", "", "{x}.lower()"),
        "write {x} in small letters | turn {x} into lower case | convert {x} to lower case",
        str.lower,
    ),
    step("capital", "s>s", "", "{x}.capitalize()", "capitalize {x}", str.capitalize),
    step(
        *("backwards", "s>s", "", "{x}[::-1]"),
        "reverse {x} | write {x} backwards | spell {x} backwards",
        lambda x: x[::-1],
    ),
    step(
        *("start", "s>s", "j", "{x}[:{k}]"),
        "take the first {k} letters of {x} | return the first {k} characters of {x}",
        lambda x, k: x[:k],
    ),
    step(
        *("end", "s>s", "j", "{x}[-{k}:]"),
        "take the last {k} letters of {x} | return the last {k} characters of {x}",
        lambda x, k: x[-k:],
    ),
    step(
        *("tail", "s>s", "", "{x}[1:]"),
        "remove the first letter of {x} | drop the first letter of {x}",
        lambda x: x[1:],
    ),
    step(
        *("body", "s>s", "", "{x}[:-1]"),
        "remove the last letter of {x} | drop the last letter of {x}",
        lambda x: x[:-1],
    ),
    step("repeat", "s>s", "j", "{x} * {k}", "repeat {x} {k} times", lambda x, k: x * k),
    step(
        *("suffix", "s>s", "t", "{x} + {k}"),
        "add {k} to the end of {x} | append {k} to {x} | put {k} after {x}",
        lambda x, k: x + k,
    ),
    step(
        *("prefix", "s>s", "t", "{k} + {x}"),
        "add {k} to the front of {x} | put {k} before {x}",
        lambda x, k: k + x,
    ),
    step(
        *("replace", "s>s", "cd", "{x}.replace({k}, {m})"),
        "replace {k} by {m} in {x} | replace every {k} with {m} in {x} | change {k} to {m} in {x}",
        lambda x, k, m: x.replace(k, m),
    ),
    step(
        *("remove", "s>s", "c", '{x}.replace({k}, "")'),
        "remove every {k} from {x} | delete all {k} in {x}",
        lambda x, k: x.replace(k, ""),
    ),
    step("alternate", "s>s", "", "{x}[::2]", "take every second letter of {x}", lambda x: x[::2]),
    step(
        *("dashes", "s>s", "", '"-".join({x})'),
        "put a dash between the letters of {x} | join the letters of {x} with dashes",
        "-".join,
    ),
)

TEXT_COUNTS = (
    step(
        *("length", "s>n", "", "len({x})"),
        "return the length of {x} | count the letters of {x} | compute how long {x} is",
        len,
    ),
    step(
        *("count", "s>n", "c", "{x}.count({k})"),
        "count the letter {k} in {x} | count how often {k} occurs in {x}",
        lambda x, k: x.count(k),
    ),
    step(
        *("find", "s>n", "c", "{x}.find({k})"),
        "find the index of {k} in {x}, or -1 | return where {k} first occurs in {x}, or -1",
        lambda x, k: x.find(k),
    ),
    step(
        *("vowels", "s>n", "", 'sum(1 for c in {x} if c in "aeiou")'),
        "count the vowels of {x} | count the vowels in {x}",
        lambda x: sum(1 for c in x if c in "aeiou"),
    ),
)

TEXT_PARTS = (
    step("first letter", "s>s", "", "{x}[0]", "return the first letter of {x}", lambda x: x[0]),
    step("split", "s>w", "", "{x}.split()", "split {x} into words", str.split),
    step("last letter", "s>s", "", "{x}[-1]", "return the last letter of {x}", lambda x: x[-1]),
)

IF_TEXTS = (
    step(
        "starting",
        "s>b",
        "c",
        "{x}.startswith({k})",
        "start with {k} | begin with {k}",
        str.startswith,
    ),
    step("ending", "s>b", "c", "{x}.endswith({k})", "end with {k} | end in {k}", str.endswith),
    step(
        "holding",
        "s>b",
        "c",
        "{k} in {x}",
        "contain {k} | contain the letter {k}",
        lambda x, k: k in x,
    ),
    step(
        "lacking",
        "s>b",
        "c",
        "{k} not in {x}",
        "lack {k} | lack the letter {k}",
        lambda x, k: k not in x,
    ),
    step(
        "longer",
        "s>b",
        "p",
        "len({x}) > {k}",
        "have more than {k} letters | are longer than {k} letters",
        lambda x, k: len(x) > k,
    ),
    step(
        "shorter",
        "s>b",
        "p",
        "len({x}) < {k}",
        "have fewer than {k} letters | are shorter than {k} letters",
        lambda x, k: len(x) < k,
    ),
    step(
        "sized",
        "s>b",
        "p",
        "len({x}) == {k}",
        "have exactly {k} letters | have {k} letters",
        lambda x, k: len(x) == k,
    ),
    step(
        "palindrome",
        "s>b",
        "",
        "{x} == {x}[::-1]",
        "read the same backwards",
        lambda x: x == x[::-1],
    ),
)
