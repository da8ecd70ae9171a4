"""The numbers that a text names: digits as several languages write them, fractions, powers of ten, English words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice

NUMBER = r"\d{1,15}+(?:[.,]\d{1,15}+){0,4}"
NUMBERS = re.compile(NUMBER)
GROUPING = re.compile(r"(?:[ \u00a0\u202f_'’](?<=\d.)|\{,\}(?<=\d.{3})|\\,(?<=\d..))(?=\d{3}(?!\d))")
"""What begins with a sign is found faster than what looks behind first."""
MOST_NUMBERS = 100
_MOST_IN_WORDS = 60
_MOST_READINGS = 400

_DIGIT = re.compile(r"\d")
_BARE_DECIMAL = re.compile(r"[.,](?<![\d.,].)(\d{1,15})")
_FRACTION = re.compile(
    r"(?:(?<![\d.,/])(\d{1,6})(?: and |[ -]))?(?:\\d?frac\{(\d{1,9})\}\{(\d{1,9})\}|(?<![\d.,/])"
    r"(\d{1,9}) ?[/⁄] ?(\d{1,9})(?![\d/]))"
)
_SIGNS = {
    "½": Fraction(1, 2),
    "¼": Fraction(1, 4),
    "¾": Fraction(3, 4),
    "⅓": Fraction(1, 3),
    "⅔": Fraction(2, 3),
    "⅕": Fraction(1, 5),
    "⅖": Fraction(2, 5),
    "⅗": Fraction(3, 5),
    "⅘": Fraction(4, 5),
    "⅛": Fraction(1, 8),
    "⅜": Fraction(3, 8),
    "⅝": Fraction(5, 8),
    "⅞": Fraction(7, 8),
}
_MINUSES = "-−–"
_WITH_SIGN = re.compile(rf"(\d{{0,6}}) ?([{''.join(_SIGNS)}])")
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_POWER = re.compile(
    r"(?:(\d{1,6}(?:[.,]\d{1,12})?) ?(?:[x×*·⋅]|\\times|\\cdot) ?)?(?<!\d)10 ?(?:\^"
    r"|\*\*)? ?\{?([-−]?\d{1,3}|[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]{1,4})\}?"
    r"|(\d{1,6}(?:\.\d{1,12})?)[eE]([+-]?\d{1,3})(?!\d)"
)
_MOST_POWER = 60
_SCALED = re.compile(
    (
        r"(\d{1,6}(?:[.,]\d{1,6})?) (hundred|thousand|million|billion|trillion|dozen|pi\b|π)|(\d{1,9}"
        r"(?:\.\d{1,6})?) ?(?:\\pi|π)"
    ),
    re.IGNORECASE,
)
_OF_PI = re.compile(r"(?<![\w)])(?:π|\\pi|pi)(?![^\W_])(?: ?/ ?(\d{1,4}))?", re.IGNORECASE)
PI = Fraction(3141592653589793, 10**15)

_UNITS = {
    word: number
    for number, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
} | {"a": 1, "an": 1, "both": 2, "pair": 2, "couple": 2, "twice": 2, "trio": 3, "octet": 8}
_TENS = {
    word: 10 * n
    for n, word in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2)
}
_BELOW_100 = {**_UNITS, **_TENS}
_SCALES = {"hundred": 100, "dozen": 12, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_PARTS = {
    "half": 2,
    "halves": 2,
    "third": 3,
    "thirds": 3,
    "quarter": 4,
    "quarters": 4,
    "fourth": 4,
    "fourths": 4,
    "fifth": 5,
    "fifths": 5,
    "sixth": 6,
    "sixths": 6,
    "eighth": 8,
    "eighths": 8,
    "tenth": 10,
    "tenths": 10,
}
_AND_A_PART = (["and", "a", "half"], ["and", "a", "quarter"])
_NOTHING = frozenset(("no", "none", "nothing", "nil", "nought"))
_WORD = re.compile(r"[a-z]+", re.IGNORECASE)


def plain(number: str) -> Fraction | None:
    """`1,200.50` as English writes it; None where it could be read in another way."""
    if number.isdecimal():
        return Fraction(int(number))
    if re.fullmatch(r"\d+(?:\.\d+)?", number):
        return Fraction(number)
    return Fraction(number.replace(",", "")) if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", number) else None


def amount(text: str) -> Fraction | None:
    """`3 1/2`, `3 / 4`, `2½`, `.5`, `-1,200.5`; None where it could be read in another way."""
    text = text.strip()
    sign = -1 if text.startswith(tuple(_MINUSES)) else 1
    text = text.lstrip(_MINUSES)
    if text.endswith(("½", "¼", "¾")):
        units = plain(text[:-1].strip() or "0")
        return None if units is None else sign * (units + _SIGNS[text[-1]])
    text = text.replace(" /", "/").replace("/ ", "/")
    whole, _, part = text.replace(" and ", " ").replace("-", " ").rpartition(" ")
    above, _, below = part.partition("/")
    top, bottom, more = plain(above if above[:1] != "." else f"0{above}"), plain(below or "1"), plain(whole or "0")
    return None if top is None or not bottom or more is None else sign * (more + top / bottom)


def value_of(text: str) -> Fraction:
    """The amount; 0 where it could be read in several ways."""
    return amount(text) or Fraction(0)


_GROUPED = re.compile(r"[1-9]\d{0,2}(?:[.,]\d{2,3})*[.,]\d{3}")


def readings(number: str) -> Iterator[tuple[Fraction, int]]:
    """Every number that it may stand for, with the count of its decimals: `1.200,5`, `1,200.5`, `1,200`, `1.200`."""
    number = number.rstrip(".,")
    if number.isdecimal() or _GROUPED.fullmatch(number):
        yield Fraction(re.sub(r"[.,]", "", number)), 0
    at = max(number.rfind("."), number.rfind(","))
    if at > 0:
        whole, decimals = re.sub(r"[.,]", "", number[:at]), number[at + 1 :]
        yield Fraction(f"{whole}.{decimals}"), len(decimals)
    if number.count(",") > 1:
        yield from ((Fraction(one), 0) for one in number.split(",") if one.isdecimal())  # a list without spaces


def fractions_in(text: str) -> list[Fraction]:
    """`3/4`, `1 1/2`, `\\frac{3}{4}`, `¾` and `three quarters`."""
    in_words = (value for value in numbers_in_words(text) if value.denominator > 1)
    return [*_fractions_in_digits(text), *_fractions_in_signs(text), *in_words]


def _fractions_in_digits(text: str) -> Iterator[Fraction]:
    if "/" in text or "⁄" in text or "frac" in text:
        for whole, above, below, top, bottom in islice(_FRACTION.findall(text), MOST_NUMBERS):
            if int(below or bottom):
                yield int(whole or 0) + Fraction(int(above or top), int(below or bottom))


def _fractions_in_signs(text: str) -> Iterator[Fraction]:
    if text.isascii():
        return
    for whole, sign in islice(_WITH_SIGN.findall(text), MOST_NUMBERS):
        yield int(whole or 0) + _SIGNS[sign]


def _in_powers(text: str) -> Iterator[Fraction]:
    for factor, power, other, exponent in islice(_POWER.findall(text), MOST_NUMBERS):
        by = int((power or exponent).translate(_SUPERSCRIPT).replace("−", "-"))
        if abs(by) <= _MOST_POWER:
            yield Fraction((factor or other or "1").replace(",", ".")) * Fraction(10) ** by


def _of_pi(text: str) -> Iterator[Fraction]:
    if "π" in text or "pi" in text.lower():
        for part in islice(_OF_PI.findall(text), MOST_NUMBERS):
            yield PI / (int(part or 1) or 1)


def _scaled(text: str) -> Iterator[Fraction]:
    for number, scale, of_pi in islice(_SCALED.findall(text), MOST_NUMBERS):
        yield Fraction((number or of_pi).replace(",", ".")) * _SCALES.get(scale.casefold(), PI)


def numbers_in_words(text: str) -> list[Fraction]:
    """`twenty-one`, `a hundred and five`, `two and a half`, `an hour and a half`, `three point five`, `none`."""
    words = [word.casefold() for word in _WORD.findall(text)]
    found: list[Fraction] = []
    at = 0
    while at < len(words) and len(found) < _MOST_IN_WORDS:
        if words[at] in _NOTHING:
            found.append(Fraction(0))
        if words[at] in _UNITS or words[at] in _TENS or words[at] in _PARTS:
            end, values = _one_in_words(words, at)
            found += values
            if values and words[end + 2 : end + 5] in _AND_A_PART:
                found.append(values[-1] + Fraction(1, _PARTS[words[end + 4]]))
            at = end
        at += 1
    return found


_NO_NUMBERS = re.compile(r"\b(?:an?|no|none|nothing|one|second|third)\b", re.IGNORECASE)


def spells_a_number(text: str) -> bool:
    """Whether it does so in a word that means nothing else."""
    return bool(numbers_in_words(_NO_NUMBERS.sub(" ", text)))


def _one_in_words(words: Sequence[str], at: int) -> tuple[int, list[Fraction]]:
    """Where it ends, and what it may stand for: with its last part and without."""
    total, part, values = 0, 0, list[Fraction]()
    end = min(len(words), at + 16)
    while at < end and not _begins_another(words[at], part):
        word = words[at]
        if word in _SCALES and _SCALES[word] >= 1_000:
            total, part = total + max(part, 1) * _SCALES[word], 0
        elif word in _SCALES:
            part = max(part, 1) * _SCALES[word]
        elif word in _BELOW_100:
            part += _BELOW_100[word]
        elif word in _PARTS:
            values.append(Fraction(max(part, 1), _PARTS[word]))
        elif word == "point" and at + 1 < end and words[at + 1] in _UNITS:
            return _after_point(words, at + 1, total + part)
        elif word != "and":
            return at - 1, values
        if word != "and":
            values.append(Fraction(total + part))
        elif at + 2 < end and words[at + 2] in _PARTS and words[at + 1] in _UNITS:
            values.append(total + part + Fraction(_UNITS[words[at + 1]], _PARTS[words[at + 2]]))
        at += 1
    return at - 1, values


def _begins_another(word: str, part: int) -> bool:
    return (word in _UNITS and part % 10 > 0) or (word in _TENS and part % 100 > 0)


def _after_point(words: Sequence[str], at: int, whole: int) -> tuple[int, list[Fraction]]:
    digits = ""
    while at < len(words) and len(digits) < 12 and _UNITS.get(words[at], 10) < 10:
        digits += str(_UNITS[words[at]])
        at += 1
    return at - 1, [Fraction(f"{whole}.{digits}")]


def names_value(text: str, wanted: Sequence[Fraction], slack: Fraction = Fraction(0)) -> bool:
    """Whether the text names one of the numbers, rounded to as many decimals as it shows, or off by the slack at most.

    `slack`: a part of the number. Signs do not count. True too where there are too many numbers to look at.
    """
    said = _in_digits(text) if _DIGIT.search(text) else []
    if said is None:
        return True
    said += [(value, 15) for value in {*_fractions_in_signs(text), *_of_pi(text), *numbers_in_words(text)}]
    return any(_is_near(read, decimals, abs(value), slack) for value in wanted for read, decimals in said)


def _in_digits(text: str) -> list[tuple[Fraction, int]] | None:
    """With the count of its decimals. None: too many to look at."""
    joined = GROUPING.sub("", text)
    numbers = NUMBERS.findall(text)
    more = numbers if joined == text else NUMBERS.findall(joined)
    if len(numbers) + len(more) > 2 * MOST_NUMBERS:
        return None
    pairs = [*islice((pair for number in {*numbers, *more} for pair in readings(number)), _MOST_READINGS)]
    if len(pairs) == _MOST_READINGS:
        return None
    bare = {*_BARE_DECIMAL.findall(text)[:MOST_NUMBERS]}
    exact = {*_fractions_in_digits(text), *_in_powers(text), *_scaled(text)}
    return [*pairs, *((Fraction(f"0.{digits}"), len(digits)) for digits in bare), *((value, 15) for value in exact)]


def _is_near(read: Fraction, decimals: int, value: Fraction, slack: Fraction) -> bool:
    # In whole numbers: a fraction is reduced at each step, which takes ten times as long.
    (top, bottom), (above, below) = read.as_integer_ratio(), value.as_integer_ratio()
    off, whole = abs(top * below - above * bottom), bottom * below
    if off * slack.denominator <= slack.numerator * above * bottom:
        return True
    return below != 1 and (decimals > 0 or above >= below) and off * 10**decimals < whole
