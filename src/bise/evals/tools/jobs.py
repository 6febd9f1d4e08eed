"""Functions a user may offer: what each is for, what it takes, and how people ask for it."""

from dataclasses import dataclass
from functools import cached_property

from bise.evals.tools.slots import SLOTS


@dataclass(frozen=True)
class Job:
    """One function, under whatever name it is offered."""

    thing: str
    """With a verb it makes the name."""

    verbs: tuple[str, ...]
    goal: str
    """What it does, to be read after `I need to`."""

    needs: tuple[str, ...]
    """Required parameters, by their key in `SLOTS`."""

    clauses: dict[str, str]
    """Optional parameters, and the words that add each to a request."""

    orders: tuple[str, ...]
    asks: tuple[str, ...]
    """Requests as imperatives, and as questions without their mark."""

    @cached_property
    def key(self) -> str:
        """Its plainest name, which no other job has."""
        return f"{self.verbs[0]}_{self.thing}"

    @cached_property
    def types(self) -> frozenset[str]:
        """The JSON types of required parameters."""
        return frozenset(SLOTS[key].type for key in self.needs)


def read_jobs(table: str) -> tuple[Job, ...]:
    """Jobs from lines `verbs thing | goal | needs | clauses | orders | asks`."""
    jobs: list[Job] = []
    for line in table.strip().replace("\\\n", "").splitlines():
        name, goal, needs, clauses, orders, asks = (each.strip() for each in line.split("|"))
        verbs, thing = name.split(" ", 1)
        clause_of = dict(each.split(":", 1) for each in split(clauses))
        jobs.append(
            Job(
                thing=thing.replace(" ", "_"),
                verbs=tuple(verbs.split("/")),
                goal=goal,
                needs=tuple(needs.split()),
                clauses={key: f" {words.strip()}" for key, words in clause_of.items()},
                orders=split(orders),
                asks=split(asks),
            )
        )
    return tuple(jobs)


def split(text: str) -> tuple[str, ...]:
    return tuple(each.strip() for each in text.split(";") if each.strip())


JOBS = read_jobs(r"""
get/check/fetch weather | get the weather in a city | city | day: on {day}; degree_unit: in {degree_unit} | show me the weather in {city}; check the weather in {city}; tell me how the weather is in {city} | what is the weather in {city}; how is the weather in {city}
get/find/show local time | get the time in a city | city | | tell me the time in {city}; check what time it is in {city} | what time is it in {city}; what is the time in {city}
get/find sunrise | get the sunrise in a city | city | date: on {date} | tell me when the sun rises in {city}; look up the sunrise in {city} | when does the sun rise in {city}; when is sunrise in {city}
get/count population | get the population of a city | city | | look up the population of {city}; tell me the population of {city} | how many people live in {city}; what is the population of {city}
search/find/scan notes | search the notes | query | limit: and show at most {limit} | search my notes for {query}; look for {query} in my notes; find {query} in my notes | what do my notes say about {query}
search/query web | search the web | query | limit: and show the first {limit} pages | search the web for {query}; look for {query} on the web | what does the web say about {query}
get/read/fetch news | get news on a topic | topic | limit: with at most {limit} stories; day: from {day} | show me the news about {topic}; get the news on {topic} | what is the news about {topic}; what is new about {topic}
play/start song | play a song | title | artist: by {artist}; volume: at volume {volume} | play the song {title}; put on the song {title} |
play/show/start film | play a film | title | language: in {language} | play the film {title}; show me the film {title}; start the film {title} |
send/write message | send a message | to text | time: at {time} | send {to} the message {text}; send a message to {to} saying {text}; message {to} {text} |
send/write mail | send a mail | to title | text: and the text {text} | send a mail to {to} with the subject {title}; mail {to} with the subject {title} |
read/open/list mails | read mails of a person | person | limit: but at most {limit}; day: from {day} | read me the mails of {person}; show the mails from {person} | which mails did {person} send
call/phone/dial person | call a person | person | | call {person}; phone {person}; give {person} a call |
translate/convert text | translate a text | text language | | translate {text} into {language}; put {text} into {language} | how do you say {text} in {language}; what is {text} in {language}
define/explain word | explain a word | word | | explain the word {word}; define {word}; tell me the meaning of {word} | what does {word} mean; what is the meaning of {word}
check/test spelling | check how a word is spelled | word | | check the spelling of {word}; see if {word} is spelled right | is {word} spelled right
count/get rhymes | find rhymes of a word | word | limit: but at most {limit} | find rhymes for {word}; find words that rhyme with {word} | what rhymes with {word}; which words rhyme with {word}
set/start timer | set a timer | minutes | label: called {label} | set a timer for {minutes} minutes; start a timer of {minutes} minutes |
set/add alarm | set an alarm | time | day: on {day}; label: called {label} | set an alarm for {time}; set an alarm at {time}; wake me at {time} |
start/run countdown | start a countdown | seconds | | start a countdown of {seconds} seconds; count down from {seconds} seconds |
add/create/make event | add an event to the calendar | title date | time: at {time}; city: in {city} | add the event {title} on {date}; put {title} in my calendar on {date} |
delete/remove/cancel event | delete an event | title | | delete the event {title}; cancel the event {title}; remove the event {title} |
list/show/get events | list the events of a date | date | | list my events on {date}; show my calendar of {date} | what is in my calendar on {date}; which events do I have on {date}
add/create task | add a task | title | date: by {date}; priority: with {priority} priority | add the task {title}; put the task {title} on my list |
finish/close/complete task | mark a task as done | title | | mark the task {title} as done; tick off the task {title}; finish the task {title} |
add/set reminder | set a reminder | text time | day: on {day} | remind me of {text} at {time}; set a reminder {text} for {time} |
save/write/create note | save a note | text | label: with the label {label} | save the note {text}; write down {text}; note down {text} |
read/show/open note | read a note | title | | read me the note {title}; show me the note {title} | what is in the note {title}
add/put/append shopping list | put things on the shopping list | items | shop: for the shop {shop} | put {items} on the shopping list; add {items} to the shopping list |
convert/change units | convert a length | amount unit new_unit | | convert {amount} {unit} to {new_unit}; turn {amount} {unit} into {new_unit} | how many {new_unit} are {amount} {unit}; how much is {amount} {unit} in {new_unit}
convert/exchange money | convert money | amount coin new_coin | | convert {amount} {coin} to {new_coin}; change {amount} {coin} into {new_coin} | how much is {amount} {coin} in {new_coin}; how many {new_coin} do I get for {amount} {coin}
set/switch/turn light | turn a light on or off | room on | | turn {on} the light in the {room}; switch {on} the light in the {room}; switch the {room} light {on} |
dim/set brightness | dim a light | room percent | | dim the light in the {room} to {percent} percent; set the {room} light to {percent} percent |
set/change heating | set the heating of a room | room degrees | time: at {time} | set the heating in the {room} to {degrees} degrees; heat the {room} to {degrees} degrees |
set/change door lock | lock or unlock a door | door locked | | {locked} the {door} door; {locked} the {door} door for me |
set/move window | open or close a window | room open | | {open} the window in the {room}; {open} the {room} window |
clean/vacuum floor | clean the floor of a room | room | time: at {time} | clean the floor in the {room}; vacuum the {room} |
set/change volume | set the volume | volume | | set the volume to {volume}; turn the volume to {volume}; put the volume at {volume} |
set/change wifi | turn the wifi on or off | on | minutes: for {minutes} minutes | turn {on} the wifi; switch the wifi {on}; turn the wifi {on} |
set/switch alarm system | turn the house alarm on or off | on | | turn {on} the house alarm; switch the house alarm {on} |
book/reserve table | book a table | guests time | city: in {city}; person: for {person} | book a table for {guests} at {time}; reserve a table for {guests} people at {time} |
book/reserve/find hotel | book a hotel | city nights | date: from {date}; guests: for {guests} people | book a hotel in {city} for {nights} nights; find me a hotel in {city} for {nights} nights |
find/search/list flights | find flights | start end | date: on {date}; limit: and show at most {limit} | find flights from {start} to {end}; look for a flight from {start} to {end} | which flights go from {start} to {end}
find/search/list trains | find trains | start end | time: after {time}; day: on {day} | find a train from {start} to {end}; look for trains from {start} to {end} | which trains go from {start} to {end}
find/plan/get route | find the way between two cities | start end | mode: by {mode} | find the way from {start} to {end}; plan the way from {start} to {end} | how do I get from {start} to {end}; how far is it from {start} to {end}
call/order taxi | order a taxi | city time | guests: for {guests} people | order a taxi in {city} at {time}; get me a taxi in {city} for {time} |
get/check/find price | get the price of a product | product | shop: in the shop {shop}; currency: in {currency} | check the price of the {product}; tell me the price of the {product} | what does the {product} cost; how much is the {product}
order/buy product | order a product | product count | color: in {color}; date: for {date} | order {count} pieces of {product}; buy {count} pieces of {product} |
order/make pizza | order a pizza | items | size: in size {size}; time: for {time} | order a pizza with {items}; get me a pizza with {items} |
get/find recipe | get a recipe | dish | guests: for {guests} people | show me the recipe for {dish}; find a recipe for {dish} | how do I cook {dish}; how do I make {dish}
find/check shop hours | find when a shop is open | shop | day: on {day} | tell me when the shop {shop} is open; look up the hours of the shop {shop} | when is the shop {shop} open; what are the hours of the shop {shop}
get/fetch stock | get the price of a share | code | | tell me the price of the share {code}; check the share {code} | what is the share {code} worth; how much is the share {code}
pay/send payment | send money to a person | to amount | currency: in {currency}; text: with the note {text} | pay {to} {amount}; send {amount} to {to} as a payment |
get/check balance | get the balance of an account | account | | check the balance of the {account} account; tell me the balance of my {account} account | how much money is in the {account} account
open/load file | open a file | file | page: at page {page} | open the file {file}; open {file} |
delete/remove file | delete a file | file | | delete the file {file}; remove the file {file}; delete {file} |
rename/move file | rename a file | old new | | rename {old} to {new}; rename the file {old} to {new} |
create/make folder | make a folder | folder | color: in {color} | make a folder called {folder}; create the folder {folder} |
count/number words | count the words of a text | text | | count the words in {text}; count the words of {text} | how many words are in {text}
draw/pick random number | pick a random number | low high | | pick a random number between {low} and {high}; choose a number from {low} to {high} by chance |
roll/throw dice | roll dice | count | sides: with {sides} sides | roll {count} dice; throw {count} dice |
draw/paint shape | draw a shape | shape color | count: {count} times | draw a {shape} in {color}; paint a {shape} in {color} |
find/get contact | find the phone number of a person | person | | find the phone number of {person}; look up the number of {person} | what is the phone number of {person}; what number does {person} have
add/save contact | save the phone number of a person | person phone | | save the number {phone} for {person}; add {person} with the number {phone} |
create/start poll | start a poll | title options | | start a poll {title} with the options {options}; make a poll {title} with {options} |
invite/ask guests | invite people | people | date: on {date}; time: at {time} | invite {people}; send an invitation to {people} |
get/compute average | get the average of numbers | numbers | | find the average of {numbers}; compute the average of {numbers} | what is the average of {numbers}
get/find largest | find the largest of many numbers | numbers | | find the largest of {numbers} | which is the largest of {numbers}; what is the largest number of {numbers}
plot/draw chart | draw a chart of numbers | numbers | color: in {color}; title: called {title} | draw a chart of {numbers}; plot {numbers} |
find/search book | find a book | title | author: by {author} | find the book {title}; look for the book {title} | do you have the book {title}; where is the book {title}
log/record/add run | log a run | distance | minutes: in {minutes} minutes; date: on {date} | log a run of {distance} km; write down that I ran {distance} km |
translate/convert roman number | write a number in roman letters | count | | write {count} in roman letters; turn {count} into roman letters | what is {count} in roman letters
""")  # noqa: E501

UNSEEN_JOBS = read_jobs(r"""
track/locate parcel | track a parcel | code | | track the parcel {code}; find my parcel {code} | where is my parcel {code}
water/sprinkle plant | water a plant | plant minutes | | water the {plant} for {minutes} minutes |
feed/nourish pet | feed a pet | person grams | time: at {time} | feed {person} with {grams} grams; give my pet {person} {grams} grams of food |
rate/judge movie | rate a movie | title stars | | give the movie {title} {stars} stars; rate the movie {title} with {stars} stars |
brew/prepare coffee | make coffee | count | size: in size {size} | make {count} cups of coffee; brew {count} cups of coffee |
rent/hire bicycle | rent a bicycle | city | day: on {day}; color: in {color} | rent a bicycle in {city}; get me a bicycle in {city} |
print/copy pages | print a file | file | count: {count} times | print the file {file}; print {file} |
charge/load battery | charge the car | percent | time: until {time} | charge the car to {percent} percent; load the car to {percent} percent |
""")  # noqa: E501
"""Never trained, neither as functions nor as requests."""

BROAD = ("web",)
"""Could do almost anything, so never offered beside another function."""
