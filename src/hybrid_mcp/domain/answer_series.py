"""What comes next: in a plain series of numbers, after some days or hours; dates and times in another form."""

from __future__ import annotations

import re
from calendar import isleap, monthrange
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise

from hybrid_mcp.domain.answer_text import Exchange
from hybrid_mcp.domain.answer_truths import says_otherwise
from hybrid_mcp.domain.answer_values import names_value, numbers_in_words, spells_a_number
from hybrid_mcp.domain.answer_wish import Look, matched, misses

_FEWEST_TERMS = 4
_NUMBER = r"[-−–]?\d{1,9}(?:\.\d{1,4})?"
_GAP = r"(?:\?|_{1,4}|\.{3}|…|\[ ?\?? ?\]|x)"
_LIST = rf"(?P<list>{_NUMBER}(?:(?:, ?| |; ?){_NUMBER}){{3,14}})"
_OPEN_END = rf"(?:,? ?(?:and )?{_GAP}){{0,3}}"
_SERIES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        (
            r"(?:(?:what|which) )?(?:number |term )?(?:comes |is |should come )?(?:the )?next(?: (?:number"
            r"|term|value|element))?"
            r"(?: (?:in|of) (?:the |this )?(?:number |following )?(?:series|sequence|pattern))?(?: of"
            rf" numbers)?[:,?]? {_LIST}{_OPEN_END}"
        ),
        (
            r"(?:continue|complete|extend) (?:the |this )?(?:number |following )?(?:series|sequence"
            rf"|pattern)(?: with (?:one|the next)(?: more)? (?:number|term))?: {_LIST}{_OPEN_END}"
        ),
        (
            rf"{_LIST},? ?{_GAP}(?:[,.]? ?{_GAP}){{0,2}}(?: \((?:give|what is|find) the (?:missing|next) "
            r"(?:number|term)\))?"
        ),
        (
            rf"{_LIST}{_OPEN_END}[.:?]? ?(?:what(?:'s| is| comes)(?: the)? next(?: (?:number|term))?|"
            r"(?:which|what) number (?:comes|is) next|next(?: (?:number|term))?)"
        ),
    )
)

_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_DAY = rf"(?P<day>{'|'.join(_DAYS)})"
_COUNT_WORDS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|a"
_COUNT = rf"(?P<count>\d{{1,4}}|{_COUNT_WORDS})"
_DAYS_ON = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        (
            rf"(?:if )?(?:today|it) is (?:a )?{_DAY}[,.;:]? (?:then )?(?:what|which) (?:day|weekday)(?: of"
            rf" the week)? (?:will it be|is it|will it be in|is)? ?(?:in|after)? ?{_COUNT} (?P<unit>day"
            r"|week)s?(?: from (?:now|today)| later)?"
        ),
        (
            r"(?:what |which )?(?:day|weekday)(?: of the week)? (?:is|comes|will it be|falls)"
            rf"(?: it)? {_COUNT} (?P<unit>day|week)s? (?P<way>after|from|before|past) {_DAY}"
        ),
        (
            rf"{_COUNT} (?P<unit>day|week)s? (?P<way>after|from|before|past) {_DAY}(?: is (?:what|which) "
            r"(?:day|weekday))?"
        ),
        (
            rf"today is {_DAY}[,.;:] (?:what|which) (?:day|weekday)(?: of the week)? was it {_COUNT} "
            r"(?P<unit>day|week)s? (?P<way>ago)"
        ),
        (
            r"(?:what |which )?day (?:of the week )?(?:comes|is) (?:right |immediately |directly"
            rf" )?(?P<way>after|before) {_DAY}(?P<count>)(?P<unit>)"
        ),
    )
)
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)}|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)"
_PLACES = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
]
_DAYS_IN_MONTH = re.compile(
    (
        rf"how many days (?:are (?:there )?in|does|in|has|are in) (?:the month of )?{_MONTH}(?: have|"
        r" has)?(?: (?:in )?(?:the year )?(?P<year>\d{4}))?"
        rf"|number of days in {_MONTH.replace('month', 'other')}"
    ),
    re.IGNORECASE,
)
_LEAP = re.compile(
    r"(?:is|was|will) (?:the year )?(?P<year>[12]\d{3}) (?:be )?a leap year(?:[?,.] (?:answer )?yes or no)?",
    re.IGNORECASE,
)
_DATE = (
    rf"(?:(?P<d>\d{{1,2}})(?:st|nd|rd|th)? (?:of )?{_MONTH},? (?P<y>\d{{4}})"
    rf"|{_MONTH.replace('month', 'm2')} (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y2>\d{{4}})"
    r"|(?P<d3>\d{1,2})[/.](?P<m3>\d{1,2})[/.](?P<y3>\d{4})(?P<order> \(?(?:day/month/year"
    r"|dd/mm/yyyy|month/day/year|mm/dd/yyyy)\)?)?)"
)
_TO_ISO = re.compile(
    (
        r"(?:(?:convert|write|rewrite|format|express|put|change|turn|give) )?(?:the )?(?:date"
        rf" )?{_DATE} (?:written )?(?:in(?:to)?|to|as) (?:the )?"
        r"(?:iso(?: 8601)?|yyyy-mm-dd)(?: (?:format|date|form|notation))?(?: \(yyyy-mm-dd\))?"
    ),
    re.IGNORECASE,
)

_CLOCK = r"(?P<{0}hour>\d{{1,2}})(?:[:.](?P<{0}minute>\d{{2}}))?(?: ?(?P<{0}half>[ap])\.?m\.?)?"
_AT, _TILL = _CLOCK.format(""), _CLOCK.format("to_")
_LATER = (
    rf"(?:(?P<hours>\d{{1,3}}|{_COUNT_WORDS}|half an) ?(?:hours?|hrs?|h)(?P<more> and a"
    rf" half)?)?(?:,? ?(?:and )?)(?:(?P<minutes>\d{{1,4}}|{_COUNT_WORDS}) ?(?:minutes?|mins?|min))?"
)
_SUBJECT = r"(?:(?:an?|the|my|our|this) )?(?:[a-z]+ ){1,3}?"
_CLOCK_SUMS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        (
            rf"(?:what |which )?(?:time is |time will it be |time was )?(?:it )?{_LATER} (?P<way>after"
            rf"|before|past|from) {_AT}"
        ),
        (
            rf"(?:if )?(?:it is|it's) (?:now )?{_AT}(?: now)?[,.;] (?:then )?what time (?:will it be|is it"
            rf"|was it) (?:in )?{_LATER}(?: (?P<way>ago|later|from now|earlier))?"
        ),
        (
            rf"{_SUBJECT}(?:starts?|begins?|leaves?|departs?|opens?) at {_AT} and (?:lasts|runs|takes|goes"
            r" on|is|continues|(?:the|my) (?:trip|ride|drive|journey|flight|walk) (?:takes|lasts|is))"
            rf"(?: for)? {_LATER}(?: long)?\. "
            r"(?:when|(?:at )?what (?:time|hour)(?: \([ap]m\))?) (?:does|will|do|is) (?:it|i|we|he|she) "
            r"(?:end|finish|arrive|be over|over|close|get there)(?P<way>)"
        ),
    )
)
_BETWEEN = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        (
            r"how (?:many (?P<unit>minutes|hours)|long)(?: (?:are|is it|is|is there|pass|are"
            rf" there))?(?: there)? (?:between|from) {_AT} (?:and|to|until|till) {_TILL}(?: in "
            r"(?P<in>minutes|hours))?"
        ),
        (
            rf"{_SUBJECT}(?:leaves|starts|begins|departs|opens)(?: [a-z]+)? at {_AT} and (?:arrives|ends"
            rf"|finishes|closes)(?: [a-z]+)? at {_TILL}\. how (?:long|many (?P<unit>minutes|hours)) "
            r"(?:is|does|was|will) (?:the |it )?[a-z ]{0,20}?(?: in (?P<in>minutes|hours))?"
        ),
    )
)


_MAY_ASK = re.compile(r"\d|day|month|series|sequence|next|year|days in|[a-z], [a-z]", re.IGNORECASE)
"""What none of the wishes is without."""


def misses_what_comes_next(given: Exchange) -> bool:
    """Whether a short prompt asks for nothing but a series' next number, a day, a date or a time: and it lacks it."""
    if not _MAY_ASK.search(given.bare) or len(given.text) > len(given.said):
        return False
    return misses(_LOOKS, given.bare, given.said)


def _next_number(wish: str, said: str) -> bool | None:
    found = matched(_SERIES, wish)
    if found is None:
        return None
    terms = [
        Fraction(one.translate(_MINUS))
        for one in re.findall(_NUMBER, re.sub(r"(?<=\d)[-−–](?=\d)", " ", found["list"]))
    ]
    nexts = {rule(terms) for rule in _RULES} - {None}
    if len(nexts) != 1 or (len(terms) == _FEWEST_TERMS and _by_sum(terms) is not None):
        return False
    wanted = nexts.pop()
    # That the series holds it already says nothing of what it was continued with.
    rest = said.replace(found["list"], " ")
    return wanted is not None and not names_value(said if wanted in terms else rest, [wanted])


_MINUS = str.maketrans("−–", "--")


_LETTERS = re.compile(
    (
        r"(?:(?:what|which) (?:letter )?(?:comes|is) next(?: in (?:the |this )?(?:series|sequence"
        r"|pattern))?|next letter|continue the (?:series|sequence|pattern))[:,?]? "
        r"(?P<letters>[a-z](?:, ?[a-z]){3,8})(?:,? ?(?:\?|_+|\.\.\.))?"
    ),
    re.IGNORECASE,
)
_MISSING = re.compile(
    (
        r"(?:(?:fill in|find|give|what is|which is|what's)? ?(?:the )?|which )?(?:missing (?:number"
        r"|term|value)|number is missing)(?: (?:in|of) (?:the |this )?(?:series|sequence"
        r"|pattern))?[:,?]? "
        rf"(?P<list>{_NUMBER}(?:, ?(?:{_NUMBER}|\?|_+)){{3,9}})"
    ),
    re.IGNORECASE,
)


def _next_letter(wish: str, said: str) -> bool | None:
    found = _LETTERS.fullmatch(wish)
    if found is None:
        return None
    at = [ord(one) - ord("a") for one in re.findall("[a-z]", found["letters"].casefold())]
    steps = {after - before for before, after in pairwise(at)}
    wanted = at[-1] + steps.pop() if len(steps) == 1 else -1
    return 0 <= wanted < 26 and re.search(rf"(?<![^\W_]){chr(ord('a') + wanted)}(?![^\W_])", said.casefold()) is None


def _missing_number(wish: str, said: str) -> bool | None:
    """One gap within a series of even steps."""
    found = _MISSING.fullmatch(wish)
    if found is None:
        return None
    terms = [Fraction(one.strip().translate(_MINUS)) if one.strip(" ?_") else None for one in found["list"].split(",")]
    gap = terms.index(None) if terms.count(None) == 1 else -1
    before, after = (terms[gap - 1], terms[gap + 1]) if 0 < gap < len(terms) - 1 else (None, None)
    if before is None or after is None:
        return False
    middle = (before + after) / 2
    filled = [middle if term is None else term for term in terms]
    return _by_difference(filled) is not None and not names_value(said, [middle])


def _by_difference(terms: Sequence[Fraction]) -> Fraction | None:
    steps = [after - before for before, after in pairwise(terms)]
    return terms[-1] + steps[-1] if len(set(steps)) == 1 and steps[0] else None


def _by_ratio(terms: Sequence[Fraction]) -> Fraction | None:
    if 0 in terms:
        return None
    ratios = {after / before for before, after in pairwise(terms)}
    return terms[-1] * ratios.pop() if len(ratios) == 1 and terms[0] != terms[1] else None


def _by_sum(terms: Sequence[Fraction]) -> Fraction | None:
    if any(terms[at] != terms[at - 1] + terms[at - 2] for at in range(2, len(terms))):
        return None
    return terms[-1] + terms[-2]


def _by_growing_steps(terms: Sequence[Fraction]) -> Fraction | None:
    """Squares, triangles and the like: the steps' steps are the same."""
    steps = [after - before for before, after in pairwise(terms)]
    growths = {after - before for before, after in pairwise(steps)}
    return terms[-1] + steps[-1] + growths.pop() if len(growths) == 1 else None


_RULES = (_by_difference, _by_ratio, _by_sum, _by_growing_steps)


def _count(word: str | None) -> int:
    if not word:
        return 0
    return int(word) if word.isdecimal() else int(numbers_in_words(word)[0])


_NAMED_DAYS = {"the day before yesterday": -2, "yesterday": -1, "today": 0, "tomorrow": 1, "the day after tomorrow": 2}
_NAMED_DAY = "|".join(_NAMED_DAYS)
_OF_TODAY = re.compile(
    (
        rf"if (?P<one>{_NAMED_DAY}) (?:is|was|will be) (?:a )?{_DAY}, (?:then )?(?:what|which) (?:day"
        rf"|weekday)(?: of the week)? (?:is|was|will) (?P<other>{_NAMED_DAY})(?: be)?"
    ),
    re.IGNORECASE,
)


def _day_beside(wish: str, said: str) -> bool | None:
    found = _OF_TODAY.fullmatch(wish)
    if found is None:
        return None
    away = _NAMED_DAYS[found["other"].casefold()] - _NAMED_DAYS[found["one"].casefold()]
    return _DAYS[(_DAYS.index(found["day"].casefold()) + away) % 7][:3] not in said.casefold()


def _day_on(wish: str, said: str) -> bool | None:
    found = matched(_DAYS_ON, wish)
    if found is None:
        return None
    days = _count(found["count"] or "1") * (7 if (found["unit"] or "").casefold() == "week" else 1)
    back = (found.groupdict().get("way") or "").casefold() in {"before", "ago"}
    wanted = _DAYS[(_DAYS.index(found["day"].casefold()) + (-days if back else days)) % 7]
    return re.search(rf"\b{wanted[:3]}(?:{wanted[3:]}s?|s|rs?|n?es)?\b", said.casefold()) is None


def _month(name: str) -> int:
    return next(at for at, month in enumerate(_MONTHS, start=1) if month.startswith(name.casefold()[:3]))


_MONTH_BESIDE = re.compile(
    (
        r"(?:what|which) month (?:comes|is|follows) ?(?:right |directly |immediately )?(?P<way>after"
        rf"|before|) ?{_MONTH}|(?:what|which) month is the (?P<place>{'|'.join(_PLACES)}) month(?: of"
        r" the year)?"
        rf"|(?P<place2>{'|'.join(_PLACES)}) month of the year"
    ),
    re.IGNORECASE,
)


def _month_beside(wish: str, said: str) -> bool | None:
    found = _MONTH_BESIDE.fullmatch(wish)
    if found is None:
        return None
    place = found["place"] or found["place2"]
    at = (
        _PLACES.index(place.casefold())
        if place
        else _month(found["month"]) - 1 + (-1 if found["way"] == "before" else 1)
    )
    return re.search(rf"\b{_MONTHS[at % 12][:3]}", said.casefold()) is None


def _days_in_month(wish: str, said: str) -> bool | None:
    found = _DAYS_IN_MONTH.fullmatch(wish)
    if found is None:
        return None
    month, year = _month(found["month"] or found["other"]), found["year"]
    years = (int(year),) if year and int(year) else (2023, 2024)
    return not names_value(said, [Fraction(monthrange(one, month)[1]) for one in years])


def _leap_year(wish: str, said: str) -> bool | None:
    found = _LEAP.fullmatch(wish)
    return None if found is None else says_otherwise(said, right=isleap(int(found["year"])))


def _iso_date(wish: str, said: str) -> bool | None:
    found = _TO_ISO.fullmatch(wish)
    if found is None:
        return None
    day, month, year = (
        found["d"] or found["d2"] or found["d3"],
        found["month"] or found["m2"],
        found["y"] or found["y2"] or found["y3"],
    )
    days = (int(day), _month(month) if month else int(found["m3"]))
    if not month and found["order"] and found["order"].strip(" (").casefold().startswith("m"):
        days = days[::-1]
    if not month and not found["order"] and days[0] <= 12 and days[1] <= 12:
        return False  # which is the day cannot be told
    try:
        wanted = date(int(year), *(days[::-1] if days[1] <= 12 else days))
    except ValueError:
        return False
    return not any(form in re.sub(r"[‐‑–−]", "-", said) for form in (wanted.isoformat(), f"{wanted:%Y%m%d}"))


def _minutes(found: re.Match[str], prefix: str = "") -> int | None:
    hour, minute, half = int(found[f"{prefix}hour"]), int(found[f"{prefix}minute"] or 0), found[f"{prefix}half"]
    if hour > (12 if half else 24) or minute > 59 or (half and not hour):
        return None
    if not half and found[f"{prefix}minute"] is None:
        return None
    hour = hour % 12 + (12 if half.casefold() == "p" else 0) if half else hour
    return 60 * hour + minute


def _time_after(wish: str, said: str) -> bool | None:
    found = matched(_CLOCK_SUMS, wish)
    start = _minutes(found) if found else None
    if found is None or start is None or not (found["hours"] or found["minutes"]):
        return None
    hours = (
        30
        if (found["hours"] or "").casefold() == "half an"
        else 60 * _count(found["hours"]) + (30 if found["more"] else 0)
    )
    away = hours + _count(found["minutes"])
    back = (found["way"] or "").casefold() in {"before", "ago", "earlier"}
    end = (start + (-away if back else away)) % 1440
    return not _names_time(said, end)


def _names_time(said: str, minutes: int) -> bool:
    """On a clock of 12 or 24 hours; spelled out is not looked at."""
    hour, minute = divmod(minutes, 60)
    hours = "|".join(
        {
            str(hour),
            f"{hour:02}",
            str((hour + 11) % 12 + 1),
            f"{(hour + 11) % 12 + 1:02}",
            *(("24",) if not hour else ()),
        }
    )
    bare = "" if minute else rf"|(?<![\d:.])(?:{hours})(?![\d:])"
    if re.search(rf"(?<![\d:])(?:{hours})[ :.h]{{0,2}}{minute:02}(?!\d){bare}", said):
        return True
    return bool(
        re.search(r"\b(?:half|quarter|past|o['’]clock|noon|midnight|midday)\b", said, re.IGNORECASE)
        or spells_a_number(said)
    )


def _time_between(wish: str, said: str) -> bool | None:
    found = matched(_BETWEEN, wish)
    start, end = (_minutes(found), _minutes(found, "to_")) if found else (None, None)
    if found is None or start is None or end is None or end <= start:
        return None
    away = Fraction(end - start)
    hour, minute = divmod(end - start, 60)
    both = not minute or names_value(said, [Fraction(minute)])
    return not (names_value(said, [away, away / 60]) or (hour and both and names_value(said, [Fraction(hour)])))


_LOOKS: tuple[Look, ...] = (
    Look(("next", "continue", "complete", "extend", "?", "_", "...", "…", "[", "x"), _next_number),
    Look(("next", "continue"), _next_letter),
    Look(("missing",), _missing_number),
    Look(("month",), _month_beside),
    Look(("day",), _day_beside),
    Look(("day",), _day_on),
    Look(("days",), _days_in_month),
    Look(("leap year",), _leap_year),
    Look(("iso", "yyyy"), _iso_date),
    Look(("after", "before", "past", "from", "time", "hour", "when"), _time_after),
    Look(("how ",), _time_between),
)
