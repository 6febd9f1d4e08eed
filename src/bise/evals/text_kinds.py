"""How each small job on a text is made and worked out, item by item."""

from dataclasses import dataclass
from random import Random
from string import ascii_lowercase

from bise.evals.chain import draw_chain, pick, solve, write
from bise.evals.phrasing import phrase
from bise.evals.words import WORDS

COPY = (
    "Copy this: {text}",
    "Copy: {text}",
    "Repeat: {text}",
    "Repeat after me: {text}",
    "Repeat this exactly: {text}",
    "Say {text}",
    "Say exactly this: {text}",
    "Write {text}",
    "Write this again: {text}",
    "Please copy {text}",
    "Please repeat {text}",
    "Give me back: {text}",
    "Echo {text}",
    "Type this: {text}",
)
PICK = (
    "What is the {place} word of {text}?",
    "What is the {place} word in {text}?",
    "Which word is the {place} one in {text}?",
    "Which word comes {place}: {text}?",
    "Give me the {place} word: {text}",
    "The {place} word of {text}?",
    "Take the {place} word of {text}.",
    "Find the {place} word in: {text}",
    "Tell me the {place} word of {text}.",
    "In the list {text}, what is the {place} word?",
)
REPLACE = (
    "Replace {old} by {new} in {text}",
    "Replace {old} with {new}: {text}",
    "Put {new} in place of {old}: {text}",
    "In {text}, replace {old} by {new}.",
    "Change {old} to {new} in {text}",
    "Change {old} into {new}: {text}",
    "Write {text} with {new} instead of {old}.",
    "Swap {old} for {new} in {text}",
)
COUNT = (
    "How many times does the letter {letter} occur in {text}?",
    "How many times does {letter} appear in {text}?",
    "How many {letter} are in {text}?",
    "How many letters {letter} does {text} have?",
    "How often does {letter} come up in {text}?",
    "How often is the letter {letter} in {text}?",
    "Count the letter {letter} in {text}.",
    "Count the {letter} in {text}.",
    "Number of {letter} in {text}?",
    "In the word {text}, how many times is there a {letter}?",
)
REVERSE = (
    "Reverse {text}.",
    "Reverse: {text}",
    "Reverse the word {text}.",
    "Reverse the letters of {text}.",
    "Spell {text} backwards.",
    "Write {text} backwards.",
    "What is {text} backwards?",
    "What is {text} spelled backwards?",
    "Please write {text} from back to front.",
    "Turn around the letters of {text}.",
)
TURN = (
    "Write these words in the opposite order: {text}",
    "Reverse the order of these words: {text}",
    "Reverse the list: {text}",
    "List these from last to first: {text}",
    "Turn this list around: {text}",
    "Say these words from the last to the first: {text}",
    "What is this list in reverse order? {text}",
    "Put the last word first and so on: {text}",
)
SORT = (
    "Sort: {text}",
    "Sort this: {text}",
    "Sort {text}.",
    "Sort these {things}: {text}",
    "Sort the {things} {text}.",
    "Please sort {text}.",
    "Put these {things} in order: {text}",
    "Put in order: {text}",
    "Can you sort these {things}? {text}",
    "Order these {things}: {text}",
    "What is the right order of {text}?",
)
SORT_WORDS = (
    *SORT,
    "Sort from a to z: {text}",
    "Put these words in alphabetical order: {text}",
    "Which order do these words have in a dictionary? {text}",
)
SORT_UP = (
    *SORT,
    "Sort from small to large: {text}",
    "Sort the numbers, smallest first: {text}",
    "Order from the smallest to the largest: {text}",
)
SORT_DOWN = (
    "Sort from large to small: {text}",
    "Sort the numbers, largest first: {text}",
    "Order from the largest to the smallest: {text}",
    "Sort down: {text}",
)
MAX_ITEMS = 6
"""Trained lists have two to so many items; more make a longer text than any trained."""

PLACES = ("first", "second", "third", "fourth", "fifth", "sixth")


@dataclass(frozen=True, slots=True)
class Draft:
    """A question on a text, its answer and how to get there; `form` is its content alone."""

    question: str
    answer: str
    thinking: str
    form: str
    system: str = ""


def draw_words(rng: Random, num: int) -> list[str]:
    """Different words; now and then strings of letters no dictionary has."""
    if rng.random() < 0.8:
        return rng.sample(WORDS, num)
    words: dict[str, None] = {}
    while len(words) < num:
        words[draw_letters(rng, rng.randint(2, 5))] = None
    return list(words)


def draw_letters(rng: Random, num: int) -> str:
    return "".join(rng.choices(ascii_lowercase, k=num))


def draw_length(rng: Random, num: int, size: int) -> int:
    """A length of up to `size` for each of `num` items, or past all trained ones if they are."""
    return rng.randint(num if num <= MAX_ITEMS else MAX_ITEMS * size + 1, num * size)


def draw_separator(rng: Random) -> str:
    return rng.choice((" ", " ", ", "))


def draw_copy(rng: Random, num: int) -> Draft:
    """Words, letters, digits or a sum: the last up to twice as long as any trained to be solved."""
    kind = rng.random()
    if kind < 0.25:
        text = draw_separator(rng).join(draw_words(rng, num))
    elif kind < 0.4:
        text = draw_letters(rng, draw_length(rng, num, 2))
    elif kind < 0.65:
        text = "".join(rng.choices("0123456789", k=draw_length(rng, num, 5)))
    else:
        text = write(draw_sum(rng, num))
    return Draft(phrase(rng, COPY, text=text), text, f"Again: {text}", text)


def draw_sum(rng: Random, num: int) -> list[int | str]:
    """A chain of arithmetic: with six items up to 18 terms, where 8 are trained to be solved."""
    return draw_chain(rng, draw_length(rng, num, 3), small_share=0.2)


def draw_pick(rng: Random, num: int) -> Draft:
    words = draw_words(rng, num)
    place = rng.randrange(num)
    name = "last" if place == num - 1 and rng.random() < 0.7 else PLACES[place]
    text = draw_separator(rng).join(words)
    thinking = f"{numbered(words)}: {name} is {words[place]}"
    return Draft(phrase(rng, PICK, text=text, place=name), words[place], thinking, f"{name} {text}")


def numbered(words: list[str]) -> str:
    return ", ".join(f"{place} {word}" for place, word in enumerate(words, start=1))


def draw_replace(rng: Random, num: int) -> Draft:
    """Put another word, or the result of one step of a sum, in its place."""
    if rng.random() < 0.4:
        words = draw_words(rng, num)
        old, new = rng.choice(words), rng.choice(WORDS)
        join = draw_separator(rng).join
        text, answer = join(words), join(new if word == old else word for word in words)
        thinking = join(f"[{old} -> {new}]" if word == old else word for word in words)
    else:
        text, old, new, before, after = draw_step(rng, num)
        answer, thinking = f"{before}{new}{after}", f"{before}[{old} -> {new}]{after}"
    question = phrase(rng, REPLACE, text=text, old=old, new=new)
    return Draft(question, answer, thinking, f"{old} {new} {text}")


def draw_step(rng: Random, num: int) -> tuple[str, str, str, str, str]:
    """A sum whose next step is found in only one place: the sum, the step, its result and what
    stands before and after it."""
    while True:
        tokens = draw_sum(rng, num)
        start, stop, *_ = pick(tokens)
        text, old = write(tokens), write(tokens[start:stop])
        if text.count(old) == 1:
            new = solve(tokens[start:stop])[0][-1]
            return text, old, new, write(tokens[:start]), write(tokens[stop:])


def draw_count(rng: Random, num: int) -> Draft:
    """A word, or letters of a small alphabet so that many are equal."""
    if rng.random() < 0.5:
        word = rng.choice(WORDS)
    else:
        word = "".join(rng.choices(rng.sample(ascii_lowercase, 4), k=rng.randint(3, 4 + num)))
    letter = rng.choice(word) if rng.random() < 0.85 else rng.choice(ascii_lowercase)
    count, spelled = 0, list[str]()
    for each in word:
        count += each == letter
        spelled.append(f"{each} {count}" if each == letter else each)
    question = phrase(rng, COUNT, text=word, letter=letter)
    return Draft(question, str(count), f"{', '.join(spelled)}: {count}", f"{letter} {word}")


def draw_reverse(rng: Random, num: int) -> Draft:
    """Spell a word, then spell it from the end."""
    if num <= MAX_ITEMS and rng.random() < 0.6:
        word = rng.choice(WORDS)
    else:
        word = draw_letters(rng, rng.randint(3, 7) if num <= MAX_ITEMS else num + 2)
    thinking = f"{' '.join(word)}\n{' '.join(word[::-1])}"
    return Draft(phrase(rng, REVERSE, text=word), word[::-1], thinking, word)


def draw_turn(rng: Random, num: int) -> Draft:
    """The last word first: what is done and what is left, line by line."""
    words, separator = draw_words(rng, num), draw_separator(rng)
    text = separator.join(words)
    thinking = moved(words, words[::-1])
    return Draft(phrase(rng, TURN, text=text), separator.join(words[::-1]), thinking, text)


def draw_sort(rng: Random, num: int) -> Draft:
    """Words from a to z, or numbers."""
    is_down = False
    if rng.random() < 0.65:
        items, templates = draw_words(rng, num), SORT_WORDS
        ordered = sorted(items)
    else:
        is_down = rng.random() < 0.3
        templates = SORT_DOWN if is_down else SORT_UP
        items = [str(rng.randint(1, rng.choice((9, 99, 199)))) for _ in range(num)]
        ordered = sorted(items, key=int, reverse=is_down)
    separator = draw_separator(rng)
    text, things = separator.join(items), "words" if items[0].isalpha() else "numbers"
    question = phrase(rng, templates, text=text, things=things)
    form = f"{'down' if is_down else 'up'} {text}"
    return Draft(question, separator.join(ordered), chosen(items, ordered), form)


def moved(items: list[str], ordered: list[str]) -> str:
    """Move one item after the other to the left of a bar; each line carries all that is left."""
    left, lines = list(items), [" ".join(items)]
    for done, item in enumerate(ordered, start=1):
        left.remove(item)
        lines.append(" ".join([*ordered[:done], *(["|", *left] if left else [])]))
    return "\n".join(lines)


def chosen(items: list[str], ordered: list[str]) -> str:
    """A line for each item: all that are left, behind each the first in order so far; then all.

    Two are compared at a time; which of six comes first is more than a small model sees at once.
    """
    left, lines = list(items), list[str]()
    for item in ordered[:-1]:
        first = left[0]
        line = [first]
        for each in left[1:]:
            first = min(first, each, key=ordered.index)
            line.append(f"{each}: {first}")
        lines.append(", ".join(line))
        left.remove(item)
    return "\n".join([*lines, *left, " ".join(ordered)])
