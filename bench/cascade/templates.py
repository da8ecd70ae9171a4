"""Makes the questions whose answers can be computed: the same ones each time, other templates for each set."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator

Made = tuple[str, str]
"""A prompt and its answer."""
Maker = Callable[[random.Random], Made]

_WORDS = (
    "apple banana cherry grape lemon mango olive peach plum pear window garden bottle candle pencil rocket silver "
    "basket button castle desert engine forest guitar hammer island jacket kitten ladder market needle orange pillow "
    "rabbit saddle ticket valley winter yellow anchor bridge copper dragon"
)
_NAMES = "Anna Ben Clara David Emma Felix Greta Hugo Ida Jonas Karl Lena Mia Nora Otto Paul"
_CITIES = "Paris London Madrid Vienna Oslo Lisbon Prague Dublin Athens Warsaw"
WORDS, NAMES, CITIES = _WORDS.split(), _NAMES.split(), _CITIES.split()


def _sum(low: int, high: int, text: str = "What is {a} + {b}?") -> Maker:
    def make(dice: random.Random) -> Made:
        a, b = dice.randint(low, high), dice.randint(low, high)
        return text.format(a=a, b=b), str(a + b)

    return make


def _difference(low: int, high: int, text: str = "What is {a} - {b}?") -> Maker:
    def make(dice: random.Random) -> Made:
        b, a = sorted((dice.randint(low, high), dice.randint(low, high)))
        return text.format(a=a, b=b), str(a - b)

    return make


def _product(low: int, high: int, text: str = "What is {a} * {b}?") -> Maker:
    def make(dice: random.Random) -> Made:
        a, b = dice.randint(low, high), dice.randint(low, high)
        return text.format(a=a, b=b), str(a * b)

    return make


def _quotient(dice: random.Random) -> Made:
    a, b = dice.randint(2, 12), dice.randint(2, 12)
    return f"What is {a * b} divided by {b}?", str(a)


def _nested(dice: random.Random) -> Made:
    a, b, c = dice.randint(2, 20), dice.randint(2, 20), dice.randint(2, 9)
    return f"Calculate ({a} + {b}) * {c}.", str((a + b) * c)


def _chain(dice: random.Random) -> Made:
    a, b, c = dice.randint(2, 12), dice.randint(2, 12), dice.randint(2, 40)
    return f"Compute {a} * {b} + {c}.", str(a * b + c)


def _percent(dice: random.Random) -> Made:
    share, whole = dice.choice((10, 20, 25, 50)), 20 * dice.randint(1, 30)
    return f"What is {share} % of {whole}?", f"{share * whole / 100:g}"


def _square(dice: random.Random) -> Made:
    a = dice.randint(3, 19)
    return f"What is {a} squared?", str(a * a)


def _rest(dice: random.Random) -> Made:
    a, b = dice.randint(20, 99), dice.randint(3, 9)
    return f"What is the remainder when {a} is divided by {b}?", str(a % b)


def _half(dice: random.Random) -> Made:
    a = 2 * dice.randint(5, 200)
    return f"What is half of {a}?", str(a // 2)


def _apples(dice: random.Random) -> Made:
    a, b = dice.randint(3, 30), dice.randint(2, 20)
    return f"{dice.choice(NAMES)} has {a} apples and buys {b} more. How many apples are there now?", str(a + b)


def _pens(dice: random.Random) -> Made:
    a, b = dice.randint(20, 60), dice.randint(2, 19)
    return f"A shop has {a} pens and sells {b} of them. How many pens are left?", str(a - b)


def _boxes(dice: random.Random) -> Made:
    a, b = dice.randint(3, 12), dice.randint(4, 24)
    return f"There are {a} boxes with {b} eggs in each. How many eggs are there in all?", str(a * b)


def _train(dice: random.Random) -> Made:
    speed, hours = 10 * dice.randint(4, 12), dice.randint(2, 6)
    return f"A train travels at {speed} km/h for {hours} hours. How many kilometres does it travel?", str(speed * hours)


def _change(dice: random.Random) -> Made:
    price, count = dice.randint(2, 6), dice.randint(2, 6)
    return (
        f"{dice.choice(NAMES)} buys {count} notebooks for {price} dollars each and pays with a 50-dollar bill. "
        "How many dollars are given back?"
    ), str(50 - price * count)


def _shared(dice: random.Random) -> Made:
    people, each = dice.randint(3, 8), dice.randint(3, 12)
    return f"{people * each} sweets are shared equally among {people} children. How many does each child get?", str(
        each
    )


def _ages(dice: random.Random) -> Made:
    one, two = dice.sample(NAMES, 2)
    age, more = dice.randint(8, 30), dice.randint(2, 9)
    return f"{one} is {age} years old. {two} is {more} years older than {one}. How old is {two}?", str(age + more)


def _bus(dice: random.Random) -> Made:
    a, off, on = dice.randint(20, 40), dice.randint(3, 12), dice.randint(3, 12)
    return f"A bus carries {a} people. {off} get off and {on} get on. How many people are on the bus?", str(
        a - off + on
    )


def _pages(dice: random.Random) -> Made:
    a, days = dice.randint(8, 25), dice.randint(3, 9)
    left = dice.randint(5, 60)
    return (
        f"{dice.choice(NAMES)} reads {a} pages a day. A book has {a * days + left} pages. How many pages are left "
        f"after {days} days?"
    ), str(left)


def _twice(dice: random.Random) -> Made:
    one, two = dice.sample(NAMES, 2)
    a = dice.randint(4, 20)
    return f"{one} has {a} coins and {two} has twice as many. How many coins do they have together?", str(3 * a)


def _area(dice: random.Random) -> Made:
    a, b = dice.randint(3, 15), dice.randint(3, 15)
    return f"A garden is {a} metres long and {b} metres wide. What is its area in square metres?", str(a * b)


def _clock(dice: random.Random) -> Made:
    hour, more = dice.randint(1, 5), dice.randint(1, 6)
    return f"A film begins at {hour} pm and lasts {more} hours. At what hour (pm) does it end?", str(hour + more)


def _upper(dice: random.Random) -> Made:
    word = dice.choice(WORDS)
    return f"Write the word '{word}' in capital letters.", word.upper()


def _backwards(dice: random.Random) -> Made:
    word = dice.choice([word for word in WORDS if len(word) <= 6])
    return f"Spell the word '{word}' backwards.", word[::-1]


def _length(dice: random.Random) -> Made:
    word = dice.choice(WORDS)
    return f"How many letters does the word '{word}' have?", f"#{len(word)}"


def _first(dice: random.Random) -> Made:
    words = dice.sample(WORDS, 4)
    return f"Which of these words comes first in the alphabet: {', '.join(words)}?", min(words)


def _last_word(dice: random.Random) -> Made:
    words = dice.sample(WORDS, 5)
    return f"What is the last word of this list: {', '.join(words)}? Answer with that word only.", words[-1]


def _longest(dice: random.Random) -> Made:
    words = [dice.choice([word for word in WORDS if len(word) == size]) for size in (4, 5)]
    longest = dice.choice(("watermelon", "refrigerator", "photograph", "television", "helicopter"))
    listed = [*words, longest]
    dice.shuffle(listed)
    return f"Which word is the longest: {', '.join(listed)}?", longest


def _sorted_numbers(dice: random.Random) -> Made:
    numbers = dice.sample(range(1, 100), dice.randint(4, 6))
    return (
        f"Sort these numbers from smallest to largest and write only the sorted list: {', '.join(map(str, numbers))}",
        ">" + " ".join(map(str, sorted(numbers))),
    )


def _sorted_words(dice: random.Random) -> Made:
    words = dice.sample(WORDS, 4)
    return f"Put these words into alphabetical order, nothing else: {', '.join(words)}", ">" + " ".join(sorted(words))


def _largest(dice: random.Random) -> Made:
    numbers = dice.sample(range(10, 1000), 5)
    return f"Which is the largest of these numbers: {', '.join(map(str, numbers))}? Answer with the number.", (
        f"#{max(numbers)}"
    )


def _repeat(dice: random.Random) -> Made:
    word = dice.choice(WORDS)
    return f"Repeat this word exactly, and write nothing else: {word}", word


def _print_sum(dice: random.Random) -> Made:
    a, b = dice.randint(2, 40), dice.randint(2, 40)
    return f"What does this Python code print?\n```python\nx = {a}\ny = {b}\nprint(x + y)\n```", f"#{a + b}"


def _print_len(dice: random.Random) -> Made:
    numbers = [dice.randint(1, 9) for _ in range(dice.randint(3, 7))]
    return f"What does `print(len({numbers}))` print in Python?", f"#{len(numbers)}"


def _print_index(dice: random.Random) -> Made:
    words = dice.sample(WORDS, 4)
    place = dice.randint(0, 3)
    return f"What does this Python code print?\n```python\nitems = {words}\nprint(items[{place}])\n```", words[place]


def _print_loop(dice: random.Random) -> Made:
    count = dice.randint(3, 7)
    code = f"total = 0\nfor i in range({count}):\n    total += i\nprint(total)"
    return f"What does this Python code print?\n```python\n{code}\n```", f"#{sum(range(count))}"


def _print_upper(dice: random.Random) -> Made:
    word = dice.choice(WORDS)
    return f'What does `print("{word}".upper())` print in Python?', word.upper()


def _print_rest(dice: random.Random) -> Made:
    a, b = dice.randint(10, 50), dice.randint(3, 7)
    return f"What does `print({a} % {b})` print in Python?", f"#{a % b}"


def _print_floor(dice: random.Random) -> Made:
    a, b = dice.randint(10, 60), dice.randint(3, 9)
    return f"What does `print({a} // {b})` print in Python?", f"#{a // b}"


def _print_branch(dice: random.Random) -> Made:
    limit, value = dice.randint(3, 30), dice.randint(3, 30)
    one, two = dice.sample(WORDS, 2)
    code = f'n = {value}\nif n > {limit}:\n    print("{one}")\nelse:\n    print("{two}")'
    return f"What does this Python code print?\n```python\n{code}\n```", one if value > limit else two


def _print_max(dice: random.Random) -> Made:
    numbers = dice.sample(range(1, 60), 4)
    return f"What does `print(max({numbers}))` print in Python?", f"#{max(numbers)}"


def _print_function(dice: random.Random) -> Made:
    a, b, c = dice.randint(2, 9), dice.randint(2, 9), dice.randint(2, 9)
    code = f"def f(x):\n    return {a} * x + {b}\n\nprint(f({c}))"
    return f"What does this Python code print?\n```python\n{code}\n```", f"#{a * c + b}"


def _person(dice: random.Random) -> Made:
    name, age, city = dice.choice(NAMES), dice.randint(18, 80), dice.choice(CITIES)
    return (
        f'Extract the name and the age as JSON with the keys "name" and "age": {name} is {age} years old and lives in '
        f"{city}."
    ), json.dumps({"name": name, "age": age})


def _order(dice: random.Random) -> Made:
    item, count, price = dice.choice(WORDS), dice.randint(2, 30), dice.randint(2, 90)
    return (
        f'Return JSON with the keys "item" and "quantity" for this order: Please send {count} pieces of {item}, at '
        f"{price} dollars each."
    ), json.dumps({"item": item, "quantity": count})


def _trip(dice: random.Random) -> Made:
    start, end = dice.sample(CITIES, 2)
    return (
        f'Extract "from" and "to" as a JSON object: {dice.choice(NAMES)} wants to fly to {end}, starting in {start}.'
    ), json.dumps({"from": start, "to": end})


def _contact(dice: random.Random) -> Made:
    name, city, room = dice.choice(NAMES), dice.choice(CITIES), dice.randint(100, 400)
    return (
        f'Give the city and the room number as JSON with the keys "city" and "room": The meeting with {name} takes '
        f"place in {city}, room {room}."
    ), json.dumps({"city": city, "room": room})


_BOTH: dict[str, tuple[Maker, ...]] = {
    "arithmetic": (_sum(1, 20), _product(2, 9), _sum(100, 999), _product(11, 99), _difference(10, 99)),
    "word problem": (_apples, _boxes),
    "text": (_upper, _backwards, _sorted_numbers),
    "code": (_print_sum, _print_index),
    "extraction": (_person,),
}
_TUNING: dict[str, tuple[Maker, ...]] = {
    "arithmetic": (_quotient, _nested, _percent, _rest, _sum(1000, 9999, "Add {a} and {b}.")),
    "word problem": (_pens, _train, _ages, _pages, _area),
    "text": (_length, _first, _last_word),
    "code": (_print_len, _print_loop, _print_rest, _print_max),
    "extraction": (_order,),
}
_EVALUATION: dict[str, tuple[Maker, ...]] = {
    "arithmetic": (
        _square, _chain, _half, _difference(100, 999, "Subtract {b} from {a}."), _product(3, 12, "{a} times {b} = ?"),
    ),
    "word problem": (_change, _shared, _bus, _twice, _clock),
    "text": (_sorted_words, _longest, _largest, _repeat),
    "code": (_print_upper, _print_floor, _print_branch, _print_function),
    "extraction": (_trip, _contact),
}  # fmt: skip
_COUNTS = {
    "arithmetic": (40, 56), "word problem": (28, 40), "text": (24, 34), "code": (20, 30), "extraction": (12, 18),
}  # fmt: skip


def made(tuning: bool) -> Iterator[tuple[str, str, str]]:
    """Kind, prompt and answer of the questions of one set. No prompt is in the other set, whatever the dice say."""
    taken: set[str] = set() if tuning else {prompt for _, prompt, _ in made(tuning=True)}
    for kind, (tuned, evaluated) in _COUNTS.items():
        dice = random.Random(f"{kind} {tuning}")  # noqa: S311 - the same ones each time are what is wanted
        makers = _BOTH[kind] + (_TUNING if tuning else _EVALUATION)[kind]
        count = tuned if tuning else evaluated
        for place in range(count):
            prompt, answer = makers[place % len(makers)](dice)
            while prompt in taken:
                prompt, answer = makers[place % len(makers)](dice)
            taken.add(prompt)
            yield kind, prompt, answer
