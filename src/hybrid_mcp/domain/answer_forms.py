"""The same number in another form, worked out of a short prompt: bases, Roman numerals, fractions, percent, clocks."""

from __future__ import annotations

import re
from fractions import Fraction

from hybrid_mcp.domain.answer_text import Exchange
from hybrid_mcp.domain.answer_values import (
    NUMBERS,
    amount,
    fractions_in,
    names_value,
    numbers_in_words,
    plain,
    readings,
)
from hybrid_mcp.domain.answer_wish import Look, matched, misses

_BASES = {
    "binary": 2,
    "base 2": 2,
    "base-2": 2,
    "octal": 8,
    "base 8": 8,
    "base-8": 8,
    "decimal": 10,
    "base 10": 10,
    "base-10": 10,
    "denary": 10,
    "hexadecimal": 16,
    "hex": 16,
    "base 16": 16,
    "base-16": 16,
}
_BASE = rf"(?:{'|'.join(sorted(_BASES, key=len, reverse=True))})"
_NOUN = r"(?: (?:number|value|numeral|notation|form|system|digits|code|representation|equivalent|integer))?"
_NUMERAL = r"(?:0x|0b|0o|#)?[0-9a-f]{1,16}"
_TO = rf"(?:(?:in(?:to)?|to|as|=|is|equals) (?:what in |\? ?)?(?:an? |the )?(?P<to>{_BASE}){_NOUN})"
_IN_BASE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        (
            r"(?:(?:convert|change|turn|write|express|translate|represent|give|show) )?(?:the"
            rf" )?(?:(?P<of>{_BASE}){_NOUN}:? |number )?"
            rf"(?P<number>{_NUMERAL})(?: (?:is|equals))?,? {_TO}"
        ),
        (
            rf"(?:convert|change|turn|translate) (?:the )?(?:(?P<of2>{_BASE}) )?(?:number |value"
            rf" )?(?P<number>{_NUMERAL}) "
            rf"(?:from|in) (?P<of>{_BASE}){_NOUN} {_TO}"
        ),
        rf"(?P<to>{_BASE}){_NOUN} (?:of|for) (?:the )?(?:(?P<of>{_BASE}){_NOUN} |number )?(?P<number>{_NUMERAL})",
        rf"(?P<of>{_BASE}){_NOUN} (?P<number>{_NUMERAL}) {_TO}",
        rf"what (?P<to>{_BASE}) number is (?:(?P<of>{_BASE}) )?(?P<number>{_NUMERAL})",
    )
)
_ROMAN = r"m{0,3}(?:cm|cd|d?c{0,3})(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})"
_TO_ROMAN = re.compile(
    (
        r"(?:(?:write|convert|express|give|put|turn|change|show) )?(?:the )?(?:number |year"
        r" )?(?P<number>\d{1,4}) "
        r"(?:(?:in|to|into|as|using)) (?:a )?roman(?: numerals?| numbers?)?"
        r"|roman numerals? (?:for|of)(?: the (?:number|year))? (?P<other>\d{1,4})"
    ),
    re.IGNORECASE,
)
_FROM_ROMAN = re.compile(
    (
        r"(?:(?:convert|change|turn|translate|write) )?(?:the )?roman"
        r" numerals? ['\"]?(?P<number>[ivxlcdm]{1,12})['\"]?(?: (?:in(?:to)?|to|as|=|is)"
        r" (?:an? )?(?:ordinary|normal|decimal|arabic|regular|modern"
        r"|hindu-arabic)?(?: ?(?:numbers?|numerals?|digits|form|decimal"
        r"|figures))?| (?:stand for|mean|represent|equal)| is what(?: number)?)?"
        r"|(?:convert |change |write )?['\"]?(?P<other>[ivxlcdm]{1,12})['\"]? (?:in(?:to)?|to|as|from)"
        r" roman numerals? (?:to|in|into|as) .{1,30}"
        r"|(?:what )?number (?:is|does) (?:the )?['\"]?(?P<fifth>[ivxlcdm]{1,12})['\"]? in roman"
        r" numerals|(?:what )?number (?:is|does) (?:the )?roman numeral"
        r" ['\"]?(?P<third>[ivxlcdm]{1,12})['\"]?(?: represent| mean| stand for)?"
        r"|(?:what )?does (?:the )?roman numeral ['\"]?(?P<fourth>[ivxlcdm]{1,12})['\"]? (?:represent"
        r"|mean|stand for|equal)"
    ),
    re.IGNORECASE,
)
_SHAPES = {
    "percent": "percentage|percent|per cent|per-cent|%",
    "decimal": "decimal|decimal number|decimal fraction|decimal form|decimals",
    "fraction": (
        "fraction|fraction in lowest terms|fraction in simplest form|simplified fraction|simple"
        " fraction"
        "|common fraction|reduced fraction"
    ),
}
_SHAPE_NAMES = "|".join(sorted("|".join(_SHAPES.values()).split("|"), key=len, reverse=True))
_RESHAPED = re.compile(
    (
        r"(?:(?:convert|change|turn|write|express|give|put|show|represent) )?(?:the )?(?:fraction "
        r"|decimal |number |value )?"
        r"(?P<number>(?:\d{1,6} )?\d{1,6} ?/ ?\d{1,6}|\d{1,9}(?:\.\d{1,9})?|\.\d{1,9}) ?(?P<percent>%"
        r"|percent|per cent)?"
        rf" (?:written )?(?:in(?:to)?|to|as|is what|=) (?:\? ?)?(?:an? )?(?P<shape>{_SHAPE_NAMES})"
        r"(?: form)?"
    ),
    re.IGNORECASE,
)
_WHICH_SHAPE = re.compile(
    (
        r"what (?P<shape>percentage|percent|fraction|decimal) is (?P<number>\d{1,6} ?/ ?\d{1,6}|\d{1,9}"
        r"(?:\.\d{1,9})?) ?(?P<percent>%|percent)?"
    ),
    re.IGNORECASE,
)
_SIMPLIFIED = re.compile(
    (
        r"(?:(?:simplify|reduce|cancel down)(?: the)?(?: (?:fraction|ratio))?|(?:fraction|ratio)"
        r"(?: of)?) (?P<above>\d{1,9}) ?(?P<sign>[/:]) ?(?P<below>\d{1,9})"
        r"(?: (?:to|in|into) (?:its |the )?(?:lowest|simplest) (?:terms|form))?(?:\. (?:answer|write"
        r" it) in the form \w ?[:/] ?\w)?"
    ),
    re.IGNORECASE,
)
_TIME = r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))? ?(?P<half>[ap])\.?m\.?"
_TO_24 = re.compile(
    (
        rf"(?:(?:convert|write|express|change|turn|give|put|show) )?(?:the time )?{_TIME} (?:in"
        r"(?:to)?|to|as|on|using) (?:the |a )?"
        r"(?:24[- ]?(?:hours?|hr|h)(?:[- ](?:time|format|clock|notation))?|military time|hh:mm"
        r"(?: \(24[- ]hours?\))?)(?: format)?"
    ),
    re.IGNORECASE,
)
_TO_12 = re.compile(
    (
        r"(?:(?:convert|write|express|change|turn|give|put|show) )?(?:the time"
        r" )?(?P<hour>\d{1,2}):(?P<minute>\d{2})(?: hours)? "
        r"(?:in(?:to)?|to|as|on|using) (?:the |a )?(?:12[- ]?(?:hours?|hr|h)(?:[- ](?:time|format|clock"
        r"|notation))?|am/pm|standard time)"
        r"(?: format)?(?: with (?:am/pm|am (?:or|and) pm)| \(am/pm\))?"
    ),
    re.IGNORECASE,
)
_HOURS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_MINUTES = {"quarter": 15, "half": 30, "five": 5, "ten": 10, "twenty": 20, "twenty-five": 25}
_TIME_IN_WORDS = re.compile(
    (
        r"(?:.{3,30} is at )?['\"]?(?:(?P<minutes"
        rf">{'|'.join(sorted(_MINUTES, key=len, reverse=True))}) (?P<way>past|to)"
        rf" )?(?P<hour>{'|'.join(_HOURS)})(?: o['’]clock)?"
        r" (?:in the (?P<when>morning|afternoon|evening)|(?P<noon>am|pm|a\.m\.|p\.m\.))['\"]?(?:,? "
        r"(?:in|as|on)|\. (?:write|give|express) (?:that|it|this|the time) (?:in|as))"
        r" (?:a |the )?(?:24[- ]?(?:hours?|hr|h)(?:[- ](?:time|format|clock"
        r"|notation))?(?: hh:mm)?(?: format)?|hh:mm(?: (?:in|on) .{0,10}24[- ]?hour.{0,15})?)"
    ),
    re.IGNORECASE,
)
_IN_WORDS = re.compile(
    (
        r"(?:write|spell|express|convert|put|say|give)(?: out)? (?:the number )?(?P<number>\d{1,3}"
        r"(?:,\d{3})+|\d{1,9}) (?:out )?(?:in|as|to|into|using|with) (?:english )?words"
    ),
    re.IGNORECASE,
)
_IN_DIGITS = re.compile(
    (
        r"(?:write|express|convert|put|give|show)(?: the"
        r" number)? ['\"]?(?P<words>[a-z -]{3,80}?)['\"]? (?:in|as|to|into|using|with) "
        r"(?:an? )?(?:number|digits|figures|numerals|numeric form)"
    ),
    re.IGNORECASE,
)
_HAS_CLOCK_WORDS = re.compile(r"\b(?:quarter|half|past|o['’]clock|noon|midnight|midday|hundred)\b", re.IGNORECASE)


def misses_the_form(given: Exchange) -> bool:
    """Whether all that the prompt asks for is its number in another form, and the answer does not hold that."""
    if not given.bare or len(given.text) > len(given.said):
        return False
    return misses(_LOOKS, given.bare, given.said)


def _in_base(wish: str, said: str) -> bool | None:
    found = matched(_IN_BASE, wish)
    if found is None:
        return None
    digits = found["number"].casefold()
    of = _BASES[found["of"].casefold()] if found["of"] else {"0x": 16, "0b": 2, "0o": 8}.get(digits[:2], 10)
    to = _BASES[found["to"].casefold()]
    digits = digits.removeprefix("#") if of == 10 else re.sub(r"^(?:0[xbo]|#)", "", digits)
    try:
        value = int(digits, of)
    except ValueError:
        return False
    if of == to:
        return False
    return not _has_digits({2: f"{value:b}", 8: f"{value:o}", 10: str(value), 16: f"{value:x}"}[to], said, value)


def _has_digits(digits: str, said: str, value: int) -> bool:
    """In groups or not, with zeros before it or not."""
    edge = "0-9a-f" if re.search("[a-f]", digits) else "0-9"
    alone = re.compile(rf"(?<![{edge}])0*{digits}(?![{edge}])")
    low = said.casefold()
    joined = re.sub(r"(?<=[0-9a-f])[ _,'\u00a0](?=[0-9a-f])", "", low)
    if any(alone.search(text) for text in (low, joined, low.replace("_", " "))):
        return True
    return not re.search("[a-f]", digits) and digits == str(value) and names_value(said, [Fraction(value)])


def _to_roman(wish: str, said: str) -> bool | None:
    found = _TO_ROMAN.fullmatch(wish)
    if found is None:
        return None
    number = int(found["number"] or found["other"])
    if not 0 < number < 4_000 or re.search("[\u2160-\u2188]", said):
        return False
    return re.search(rf"(?<![a-z]){roman(number)}(?![a-z])", said.casefold()) is None


def roman(number: int) -> str:
    """In lower case, of a number below 4000."""
    written = ""
    signs = zip(
        ["m", "cm", "d", "cd", "c", "xc", "l", "xl", "x", "ix", "v", "iv", "i"],
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        strict=True,
    )
    for sign, size in signs:
        written += sign * (number // size)
        number %= size
    return written


def _from_roman(wish: str, said: str) -> bool | None:
    found = _FROM_ROMAN.fullmatch(wish)
    if found is None:
        return None
    numeral = next(filter(None, found.groups())).casefold()
    if not re.fullmatch(_ROMAN, numeral):
        return False
    return not names_value(said, [Fraction(next(n for n in range(1, 4_000) if roman(n) == numeral))])


def _reshaped(wish: str, said: str) -> bool | None:
    found = _RESHAPED.fullmatch(wish) or _WHICH_SHAPE.fullmatch(wish)
    value = amount(found["number"]) if found else None
    if found is None or value is None:
        return None
    shape = next(name for name, names in _SHAPES.items() if found["shape"].casefold() in names.split("|"))
    if found["percent"]:
        value /= 100
    if shape == "fraction":
        decimals = len(found["number"].partition(".")[2])  # of 0.333 a third is meant
        near = Fraction(1, 10**decimals) if decimals > 1 else Fraction(1, 10**9)
        return value.denominator > 1 and not any(abs(one - value) < near for one in fractions_in(said))
    if shape == "percent":
        return not found["percent"] and not names_value(said, [value * 100])
    return ("/" in found["number"] or bool(found["percent"])) and not names_value(_FRACTION.sub(" ", said), [value])


_FRACTION = re.compile(r"(?<!\d)\d+ ?/ ?\d+|\\d?frac\{\d+\}\{\d+\}")


def _simplified(wish: str, said: str) -> bool | None:
    found = _SIMPLIFIED.fullmatch(wish)
    if found is None or not int(found["below"]) or not int(found["above"]):
        return None
    value = Fraction(int(found["above"]), int(found["below"]))
    if f"{value.denominator}" == found["below"]:
        return False  # it is simple already
    ratio = re.search(
        rf"(?<![\d.:/]){value.numerator} ?(?:[/:⁄∶]|to|over|out of|\}}\{{) ?{value.denominator}(?![\d/:]|\.\d)", said
    )
    return (
        ratio is None
        and value not in fractions_in(said)
        and not (value.denominator == 1 and names_value(said, [value]))
    )


def _on_24(wish: str, said: str) -> bool | None:
    found = _TO_24.fullmatch(wish)
    if found is None:
        return None
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    if not 1 <= hour <= 12 or minute > 59:
        return False
    hour = hour % 12 + (12 if found["half"].casefold() == "p" else 0)
    return not _has_time(hour, minute, said)


def _clock_words(wish: str, said: str) -> bool | None:
    found = _TIME_IN_WORDS.fullmatch(wish.removeprefix("write the time "))
    if found is None:
        return None
    late = (found["when"] or found["noon"]).casefold()[0] in "aep" and not (found["noon"] or "").casefold().startswith(
        "a"
    )
    hour, minute = (
        (_HOURS.index(found["hour"].casefold()) + 1) % 12 + (12 if late else 0),
        _MINUTES[found["minutes"].casefold()] if found["minutes"] else 0,
    )
    total = (60 * hour + (-minute if (found["way"] or "").casefold() == "to" else minute)) % 1440
    clock = re.sub(r"\b(?:half|quarter|past)\b", " ", said, flags=re.IGNORECASE)
    return not _has_time(total // 60, total % 60, clock)


def _in_words(wish: str, said: str) -> bool | None:
    found = _IN_WORDS.fullmatch(wish)
    value = plain(found["number"]) if found else None
    return None if value is None else said.isascii() and value not in numbers_in_words(said)


def _in_digits(wish: str, said: str) -> bool | None:
    found = _IN_DIGITS.fullmatch(wish)
    if found is None:
        return None
    words = found["words"].casefold().replace("-", " ").split()
    values = numbers_in_words(found["words"])
    if not values or not all(
        word == "and" or (word not in {"a", "an"} and numbers_in_words(f"one {word}")[1:]) for word in words
    ):
        return False
    digits = [read for number in NUMBERS.findall(said) for read, _ in readings(number)]
    return values[-1] == max(values) and values[-1] not in digits


def _on_12(wish: str, said: str) -> bool | None:
    found = _TO_12.fullmatch(wish)
    if found is None:
        return None
    hour, minute = int(found["hour"]), int(found["minute"])
    return hour < 24 and minute < 60 and not _has_time((hour + 11) % 12 + 1, minute, said)


def _has_time(hour: int, minute: int, said: str) -> bool:
    hours = rf"0?{hour}" if hour else "(?:0?0|24)"
    bare = rf"|(?<!\d){hours}(?!\d)" if not minute else ""
    return (
        re.search(rf"(?<!\d){hours}[ :.,h]{{0,3}}{minute:02}(?!\d){bare}", said) is not None
        or _HAS_CLOCK_WORDS.search(said) is not None
    )


_LOOKS: tuple[Look, ...] = (
    Look(("binary", "octal", "decimal", "denary", "hex", "base"), _in_base),
    Look(("roman",), _to_roman),
    Look(("roman",), _from_roman),
    Look(("percent", "per cent", "per-cent", "%", "decimal", "fraction"), _reshaped),
    Look(("simplify", "reduce", "cancel", "fraction", "ratio"), _simplified),
    Look(("24", "military", "hh:mm"), _on_24),
    Look(("12", "am/pm", "standard time"), _on_12),
    Look(("24", "hh:mm"), _clock_words),
    Look(("words",), _in_words),
    Look(("number", "digits", "figures", "numerals", "numeric"), _in_digits),
)
