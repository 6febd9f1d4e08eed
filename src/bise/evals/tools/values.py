"""What stands in the arguments of calls: cities, names, numbers, times, and how people say them."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from string import ascii_uppercase
from typing import Any

from bise.evals.self_fills import FILLS
from bise.evals.words import WORDS

Value = str | int | float | bool | list[str] | list[int]

CITY_TEXT = """
Oslo Rome Paris London Berlin Madrid Cairo Vienna Geneva Lima Quito Delhi Tokyo Kyoto Seoul
Hanoi Dublin Prague Warsaw Lisbon Porto Athens Milan Turin Naples Lyon Nice Bonn Bremen Dresden
Zurich Basel Bergen Malmo Tampere Riga Tallinn Kyiv Sofia Ankara Izmir Beirut Amman Dubai Doha
Lagos Accra Dakar Nairobi Tunis Rabat Boston Denver Austin Dallas Miami Seattle Toronto Ottawa
Havana Bogota Santiago Sydney Perth Leeds York Bath Ghent Utrecht
"""
CITIES = tuple(CITY_TEXT.split())
FOODS = tuple(
    """almond apple banana bean berry bread butter cabbage cake carrot cheese cherry chocolate corn
    cream egg fig fish fruit garlic ginger grape honey jam juice lemon lentil lime mango melon milk
    mushroom noodle nut oat olive onion orange pasta pea peach pear pepper pie plum potato rice
    salad salt soup spinach sugar tea toast tomato walnut yogurt""".split()  # noqa: SIM905
)
THINGS = tuple(
    """axe bag ball basket bell bike blanket boat book boot bottle bowl box broom brush bucket
    candle cap carpet chair clock coat comb cup curtain desk dress drum fence flute glove guitar
    hammer hat helmet jacket kettle key kite lamp ladder mask mirror net oven pan pen pencil
    piano pillow pipe plate puzzle radio ribbon ring rope rug ruler scarf shirt shoe sofa spade
    spoon stove table tent torch towel toy tray umbrella violin wagon watch wheel whistle""".split()  # noqa: SIM905
)
PLANTS = ("daisy", "fern", "ivy", "lily", "mint", "orchid", "poppy", "rose", "tulip", "palm")
NAMES = FILLS["name"]
PHRASES = (
    *("I am late", "see you soon", "dinner is ready", "happy birthday", "call me back"),
    *("the train is late", "good luck", "I am on my way", "well done", "where are you"),
    *("the door is open", "I am at home", "thank you", "good night", "come at noon"),
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SMALL_TEXT = "zero one two three four five six seven eight nine ten eleven twelve"
SMALL = tuple(SMALL_TEXT.split())
MAX_LIST = 4


@dataclass(frozen=True, slots=True)
class Slot:
    """A parameter: the names it may have in a schema, and what its values are."""

    names: tuple[str, ...]
    kind: str
    """A JSON type, or a sort of strings."""

    options: tuple[str, ...] = ()
    """Of an enumeration; of a boolean: how yes and no are said."""

    low: int = 0
    high: int = 0

    @property
    def type(self) -> str:
        """The JSON type."""
        if self.kind in ("integer", "number", "boolean"):
            return self.kind
        return "array" if self.kind in LISTS else "string"


def draw_word(rng: Random, reach: float) -> str:  # noqa: ARG001
    return rng.choice(WORDS)


def draw_food(rng: Random, reach: float) -> str:  # noqa: ARG001
    return rng.choice(FOODS)


def draw_thing(rng: Random, reach: float) -> str:  # noqa: ARG001
    return rng.choice(THINGS)


def draw_plant(rng: Random, reach: float) -> str:  # noqa: ARG001
    return rng.choice(PLANTS)


def draw_city(rng: Random, reach: float) -> str:  # noqa: ARG001
    return rng.choice(CITIES)


def draw_name(rng: Random, reach: float) -> str:  # noqa: ARG001
    return rng.choice(NAMES)


def draw_title(rng: Random, reach: float) -> str:
    """A few words, such as a song or a note is called by."""
    return " ".join(rng.sample(WORDS, rng.randint(1, 1 + round(2 * reach))))


def draw_text(rng: Random, reach: float) -> str:
    """A short message; mostly words nobody would guess."""
    if rng.random() < 0.3:
        return rng.choice(PHRASES)
    return " ".join(rng.sample(WORDS, rng.randint(2, 2 + round(2 * reach))))


def draw_time(rng: Random, reach: float) -> str:  # noqa: ARG001
    return f"{rng.randrange(24):02}:{5 * rng.randrange(12):02}"


def draw_date(rng: Random, reach: float) -> str:  # noqa: ARG001
    return f"20{rng.randint(25, 39)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


def draw_day(rng: Random, reach: float) -> str:  # noqa: ARG001
    return rng.choice(DAYS)


def draw_code(rng: Random, reach: float) -> str:
    letters = "".join(rng.choices(ascii_uppercase, k=2))
    return letters + "".join(rng.choices("0123456789", k=rng.randint(2, 3 + round(3 * reach))))


def draw_file(rng: Random, reach: float) -> str:  # noqa: ARG001
    return f"{rng.choice(WORDS)}.{rng.choice(('txt', 'pdf', 'png', 'csv', 'md'))}"


def draw_phone(rng: Random, reach: float) -> str:  # noqa: ARG001
    return "0" + "".join(rng.choices("0123456789", k=rng.randint(5, 8)))


STRINGS: dict[str, Callable[[Random, float], str]] = {
    "word": draw_word,
    "food": draw_food,
    "thing": draw_thing,
    "plant": draw_plant,
    "city": draw_city,
    "name": draw_name,
    "title": draw_title,
    "text": draw_text,
    "time": draw_time,
    "date": draw_date,
    "day": draw_day,
    "code": draw_code,
    "file": draw_file,
    "phone": draw_phone,
}
LISTS = ("foods", "names", "numbers")
QUOTED = ("title", "text")
"""Kinds of several words, which people sometimes put in quotes."""


def draw_value(rng: Random, slot: Slot, reach: float) -> Value:
    """A value of a parameter; `reach` makes it longer or larger."""
    match slot.kind:
        case "enum":
            return rng.choice(slot.options)
        case "boolean":
            return rng.random() < 0.5
        case "integer":
            small = slot.low + (slot.high - slot.low) // 4
            return rng.randint(slot.low, slot.high if rng.random() < reach else small)
        case "number":
            whole = rng.randint(slot.low, slot.high)
            return whole if rng.random() < 0.5 else float(f"{whole}.{rng.randint(1, 9)}")
        case "foods":
            return rng.sample(FOODS, draw_length(rng, reach))
        case "names":
            return rng.sample(NAMES, draw_length(rng, reach))
        case "numbers":
            return [rng.randint(1, 99) for _ in range(draw_length(rng, reach) + 1)]
        case kind:
            return STRINGS[kind](rng, reach)


def draw_length(rng: Random, reach: float) -> int:
    return rng.randint(2, 2 + round((MAX_LIST - 2) * reach))


def say(rng: Random, slot: Slot, value: Value, reach: float, *, is_quoted: bool = False) -> str:
    """A value as the user types it. It can always be read back from what is typed."""
    if isinstance(value, bool):
        return slot.options[not value]
    if isinstance(value, int) and value < len(SMALL) and rng.random() < 0.2 * reach:
        return SMALL[value]
    if isinstance(value, list):
        items = list(map(str, value))
        if rng.random() < 0.7:
            return f"{', '.join(items[:-1])} and {items[-1]}"
        return ", ".join(items)
    if slot.kind in QUOTED and (is_quoted or rng.random() < 0.2):
        return f'"{value}"'
    return str(value)


def property_of(slot: Slot) -> dict[str, Any]:
    """The JSON Schema of a parameter."""
    match slot.kind:
        case "enum":
            return {"type": "string", "enum": list(slot.options)}
        case "numbers":
            return {"type": "array", "items": {"type": "integer"}}
        case "foods" | "names":
            return {"type": "array", "items": {"type": "string"}}
        case _:
            return {"type": slot.type}
