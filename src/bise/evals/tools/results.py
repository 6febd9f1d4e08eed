"""What functions give back, and the questions that one field of it answers."""

from dataclasses import dataclass
from itertools import groupby

from bise.evals.tools.jobs import JOBS, Job, split
from bise.evals.tools.slots import slot
from bise.evals.tools.values import Slot

SKY = "sunny rainy cloudy foggy windy snowy"
HOW = "low normal high"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a result."""

    names: tuple[str, ...]
    slot: Slot
    asks: tuple[str, ...]
    """Questions without their mark that this field answers."""

    answers: tuple[str, ...]
    """Replies; `{x}` is the value."""


def read_fields(table: str) -> dict[str, tuple[Field, ...]]:
    """Fields of each job from lines `job | names | kind | asks | answers`."""
    rows = [[each.strip() for each in line.split("|")] for line in table.strip().splitlines()]
    return {
        job: tuple(
            Field(tuple(names.split()), read_slot(kind), split(asks), split(answers))
            for _, names, kind, asks, answers in group
        )
        for job, group in groupby(rows, key=lambda row: row[0])
    }


def read_slot(text: str) -> Slot:
    """`integer 1 9`, `enum a b`, or a kind of strings."""
    kind, *more = text.split()
    if kind in ("integer", "number"):
        return slot("x", kind, int(more[0]), int(more[1]))
    return slot("x", kind, options=" ".join(more))


FIELDS = read_fields(f"""
get_weather | temperature temp degrees | integer -12 38 | how warm is it in {{city}}; what is the temperature in {{city}}; how cold is it in {{city}} | It is {{x}} degrees in {{city}}.; The temperature in {{city}} is {{x}} degrees.
get_weather | sky weather condition | enum {SKY} | how is the sky in {{city}}; what is the weather in {{city}} like | It is {{x}} in {{city}}.; The weather in {{city}} is {{x}}.
get_weather | wind wind_speed | integer 40 99 | how strong is the wind in {{city}}; how fast is the wind in {{city}} | The wind in {{city}} has a speed of {{x}}.; The wind speed in {{city}} is {{x}}.
get_local_time | time local_time | time | what time is it in {{city}}; how late is it in {{city}} | It is {{x}} in {{city}}.; The time in {{city}} is {{x}}.
get_local_time | date day | date | what is the date in {{city}}; which date is it in {{city}} | The date in {{city}} is {{x}}.
get_population | population people count | integer 20000 9000000 | how many people live in {{city}}; what is the population of {{city}} | {{city}} has {{x}} people.; {{x}} people live in {{city}}.
get_population | mayor mayor_name | name | who is the mayor of {{city}}; what is the name of the mayor of {{city}} | The mayor of {{city}} is {{x}}.
convert_money | value result converted | number 2 9000 | how much is {{amount}} {{coin}} in {{new_coin}}; what are {{amount}} {{coin}} in {{new_coin}} | {{amount}} {{coin}} are {{x}} {{new_coin}}.
book_hotel | price cost total | integer 60 2000 | how much is a hotel in {{city}} for {{nights}} nights; what does a hotel in {{city}} cost for {{nights}} nights | It costs {{x}}.; The hotel costs {{x}}.
book_hotel | hotel hotel_name | title | which hotel in {{city}} can I book for {{nights}} nights; what is a good hotel in {{city}} for {{nights}} nights | The hotel is called {{x}}.; You can stay at {{x}}.
find_flights | price cost | integer 40 900 | what does the flight from {{start}} to {{end}} cost; how much is a flight from {{start}} to {{end}} | The flight costs {{x}}.; A flight from {{start}} to {{end}} costs {{x}}.
find_flights | departure leaves start_time | time | when does the flight from {{start}} to {{end}} leave; when does the plane from {{start}} to {{end}} start | The flight leaves at {{x}}.; It leaves at {{x}}.
find_flights | flight number flight_number | code | what is the number of the flight from {{start}} to {{end}}; which flight goes from {{start}} to {{end}} | The flight is {{x}}.; It is flight {{x}}.
find_trains | departure leaves start_time | time | when does the train from {{start}} to {{end}} leave; when is the train from {{start}} to {{end}} | The train leaves at {{x}}.; It leaves at {{x}}.
find_trains | platform track | integer 1 30 | on which platform is the train from {{start}} to {{end}}; which platform has the train from {{start}} to {{end}} | It leaves from platform {{x}}.; The train is on platform {{x}}.
find_trains | changes transfers | integer 31 60 | how many changes has the train from {{start}} to {{end}}; how often do I change trains from {{start}} to {{end}} | There are {{x}} changes.; You change {{x}} times.
find_route | km distance distance_km | integer 100 3000 | how far is it from {{start}} to {{end}}; how many km are there from {{start}} to {{end}} | It is {{x}} km from {{start}} to {{end}}.
find_route | minutes duration time_minutes | integer 20 99 | how many minutes is it from {{start}} to {{end}}; how long does it take from {{start}} to {{end}} | It takes {{x}} minutes.; From {{start}} to {{end}} it takes {{x}} minutes.
get_price | price cost amount | number 2 900 | what does the {{product}} cost; how much is the {{product}}; what is the price of the {{product}} | The {{product}} costs {{x}}.; The price is {{x}}.
get_price | left in_stock pieces | integer 901 2000 | how many of the {{product}} are left; how many pieces of the {{product}} are there | There are {{x}} left.; {{x}} pieces are left.
get_recipe | minutes time_minutes duration | integer 13 90 | how many minutes does it take to cook {{dish}}; how long do I cook {{dish}} | It takes {{x}} minutes.; You cook it for {{x}} minutes.
get_recipe | main first_item main_item | food | what is the main thing in {{dish}}; what do I need most for {{dish}} | You need {{x}}.; The main thing is {{x}}.
find_shop_hours | opens open_at from | time | when does the shop {{shop}} open; from when is the shop {{shop}} open | It opens at {{x}}.; The shop {{shop}} opens at {{x}}.
find_shop_hours | closes close_at until | time | when does the shop {{shop}} close; until when is the shop {{shop}} open | It closes at {{x}}.; The shop {{shop}} closes at {{x}}.
get_stock | price value worth | number 2 900 | what is the share {{code}} worth; how much is the share {{code}} | The share {{code}} is worth {{x}}.; It is worth {{x}}.
get_stock | risk risk_level | enum {HOW} | how is the risk of the share {{code}}; what risk does the share {{code}} have | The risk is {{x}}.; The share {{code}} has a {{x}} risk.
get_balance | balance amount money | number 2 9000 | how much money is in the {{account}} account; what is the balance of the {{account}} account | There is {{x}} in the {{account}} account.; The balance is {{x}}.
get_balance | owner owner_name | name | who owns the {{account}} account; whose is the {{account}} account | It belongs to {{x}}.; The owner is {{x}}.
draw_random_number | number value result | integer 51 59 | which number between {{low}} and {{high}} comes up; what is a random number between {{low}} and {{high}} | The number is {{x}}.; It is {{x}}.
find_contact | phone phone_number number | phone | what is the phone number of {{person}}; what number does {{person}} have | The number of {{person}} is {{x}}.; {{person}} has the number {{x}}.
find_contact | city town home | city | where does {{person}} live; in which city does {{person}} live | {{person}} lives in {{x}}.
find_contact | birthday born birth_date | date | when is the birthday of {{person}}; when was {{person}} born | The birthday of {{person}} is {{x}}.
find_book | shelf place row | code | where is the book {{title}}; on which shelf is the book {{title}} | It is on shelf {{x}}.; The book is on shelf {{x}}.
find_book | author writer written_by | name | who wrote the book {{title}}; by whom is the book {{title}} | It is by {{x}}.; {{x}} wrote it.
find_book | pages num_pages length | integer 60 900 | how many pages has the book {{title}}; how long is the book {{title}} | It has {{x}} pages.; The book has {{x}} pages.
""")  # noqa: E501
"""Of jobs that find something out; a result has all of a job's fields, a question asks for one."""

FINDERS = tuple(job for job in JOBS if job.key in FIELDS)
DOERS: tuple[Job, ...] = tuple(job for job in JOBS if not job.asks)
"""Jobs that change something, and only report that they have."""

CHOICES = frozenset(f"{SKY} {HOW}".split())
"""Words of enumerations in results: a reply that says another one than the right is wrong."""

ERRORS = (
    *("not found", "no connection", "service is down", "too many requests", "access denied"),
    *("took too long", "wrong key", "not available", "server is busy", "no rights to do this"),
    *("limit reached", "account is closed", "device is off", "battery is empty", "disk is full"),
)
