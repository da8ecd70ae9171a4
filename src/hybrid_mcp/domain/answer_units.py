"""Is the number right where a short prompt asks for nothing but an amount in another unit?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import product

from hybrid_mcp.domain.answer_text import Exchange
from hybrid_mcp.domain.answer_values import amount, fractions_in, names_value, numbers_in_words
from hybrid_mcp.domain.answer_wish import matched

_SLACK = Fraction(2, 100)
"""School factors differ by as much: 1.6 km a mile, 2.2 lb a kilogram."""
_SLACK_OF_PARTS = Fraction(8, 100)
"""Of an inch: 3 mm are called an eighth."""
_AFTER_NUMBER = re.compile(r"\d ?([a-zμµ]{1,12}[²³]?)")
_LOOKED_AT = 400

_SIZES: tuple[tuple[str, str], ...] = (
    (
        "length in metres",
        (
            "nanometre|nm 1/1000000000; micrometre|micron|μm|µm 1/1000000; millimetre|mm 1/1000; centimetre"
            "|cm 1/100;"
            " decimetre|dm 1/10; metre|m 1; decametre 10; kilometre|km 1000; inch|in 0.0254; foot|feet|ft"
            " 0.3048;"
            " yard|yd 0.9144; mile|mi 1609.344; nautical mile|nmi 1852; furlong 201.168; fathom 1.8288"
        ),
    ),
    (
        "mass in grams",
        (
            "microgram|μg|µg|mcg 1/1000000; milligram|mg 1/1000; gram|gramme|g 1; kilogram|kilo|kg 1000;"
            " tonne|metric ton|metric tonne|t 1000000; ton 1000000,907184.74,1016046.9; ounce|oz"
            " 28.349523,31.1034768;"
            " pound|lb|pound-mass 453.59237; stone|st 6350.29; carat 0.2"
        ),
    ),
    (
        "volume in millilitres",
        (
            "millilitre|ml|cubic centimetre|cc|cm³|cm3 1; centilitre|cl 10; decilitre|dl 100; litre|l|cubic"
            " decimetre|dm³ 1000;"
            " hectolitre 100000; cubic metre|m³|m3 1000000; teaspoon|tsp 4.9289,5; tablespoon|tbsp"
            " 14.787,15,20;"
            " fluid ounce|fl oz|fl. oz|fl. oz.|ounce|oz 29.5735,28.4131; cup 236.588,250,240,284.13;"
            " us cup 236.588,240; metric cup 250; pint|pt 473.176,568.261; us pint 473.176; imperial pint"
            "|uk pint 568.261;"
            " quart|qt 946.353,1136.52; us quart 946.353; imperial quart|uk quart 1136.52; gallon|gal"
            " 3785.41,4546.09;"
            " us gallon|u.s. gallon|american gallon 3785.41; imperial gallon|uk gallon|british gallon"
            " 4546.09;"
            " cubic inch 16.387064; cubic foot|cubic feet 28316.8466"
        ),
    ),
    (
        "time in seconds",
        (
            "nanosecond|ns 1/1000000000; microsecond|μs|µs 1/1000000; millisecond|ms 1/1000; second|sec|s"
            " 1; minute|min 60;"
            " hour|hr|h 3600; day 86400; week 604800; fortnight 1209600"
        ),
    ),
    ("time in months", "month 1; quarter 3; year 12; decade 120; century|centuries 1200; millennium|millennia 12000"),
    (
        "time in days",
        (
            "day 1; hour 1/24; minute 1/1440; second 1/86400; week 7; year 365,366,364; leap year 366;"
            " decade 3652.5;"
            " common year|non-leap year 365; century 36524.25"
        ),
    ),
    (
        "area in square metres",
        (
            "square millimetre|mm²|mm2 1/1000000; square centimetre|cm²|cm2|sq cm 1/10000; square decimetre"
            " 1/100;"
            " square metre|m²|m2|sq m|sqm 1; hectare|ha 10000; square kilometre|km²|km2|sq km 1000000;"
            " square inch|sq in 0.00064516; square foot|square feet|sq ft|ft² 0.09290304; square yard|sq yd"
            " 0.83612736;"
            " acre 4046.8564224; square mile|sq mi 2589988.11"
        ),
    ),
    (
        "speed in metres a second",
        (
            "metre per second|metres per second|meters per second|meter per second|m/s 1;"
            " kilometre per hour|kilometres per hour|kilometers per hour|km/h|kmh|kph|km per hour 5/18;"
            " mile per hour|miles per hour|mph 0.44704; knot 0.514444; feet per second|ft/s 0.3048"
        ),
    ),
    (
        "data in bytes",
        (
            "bit 1/8; nibble 1/2; byte 1; kilobyte|kb 1000,1024; megabyte|mb 1000000,1048576,1024000;"
            " gigabyte|gb|gig 1000000000,1073741824,1024000000; terabyte|tb 1000000000000,1099511627776;"
            " petabyte|pb 1000000000000000,1125899906842624; kibibyte|kib 1024; mebibyte|mib 1048576;"
            " gibibyte|gib 1073741824; tebibyte|tib 1099511627776; kilobit 125,128; megabit 125000,131072;"
            " gigabit 125000000,134217728"
        ),
    ),
    (
        "angle in degrees",
        (
            "degree|deg|° 1; radian|rad 57.29577951308232; right angle 90; full turn|full circle 360;"
            " arcminute|minute of arc 1/60; arcsecond|second of arc 1/3600; gradian|gon 0.9"
        ),
    ),
    (
        "energy in joules",
        (
            "joule|j 1; kilojoule|kj 1000; megajoule|mj 1000000; kilocalorie|kcal 4184; watt-hour|watt hour"
            "|wh"
            " 3600; kilowatt-hour|kilowatt hour|kwh 3600000; calorie|cal 4.184,4184"
        ),
    ),
    ("power in watts", "milliwatt 1/1000; watt|w 1; kilowatt|kw 1000; megawatt|mw 1000000; horsepower|hp 745.7,735.5"),
    (
        "pressure in pascals",
        (
            "pascal|pa 1; hectopascal|hpa 100; kilopascal|kpa 1000; millibar|mbar 100; bar 100000; psi"
            " 6894.757; atmosphere|atm 101325"
        ),
    ),
    ("frequency in hertz", "hertz|hz 1; kilohertz|khz 1000; megahertz|mhz 1000000; gigahertz|ghz 1000000000"),
    ("money in cents", "cent|penny|pennies 1; nickel 5; dime 10; quarter 25; dollar|us dollar 100"),
    ("money in euro cents", "cent|euro cent 1; euro 100"),
    ("money in pence", "penny|pennies|pence 1; pound|pound sterling 100"),
    ("pieces", "dozen 12; gross 144; score 20; pair 2; piece|item|thing|egg|unit 1"),
)


def _sizes(table: str) -> dict[str, tuple[Fraction, ...]]:
    found: dict[str, tuple[Fraction, ...]] = {}
    for row in table.split(";"):
        names, _, sizes = row.strip().rpartition(" ")
        for name in names.split("|"):
            found[name] = tuple(Fraction(size) for size in sizes.split(","))
    return found


_KINDS: tuple[Mapping[str, tuple[Fraction, ...]], ...] = tuple(_sizes(table) for _, table in _SIZES)
_TEMPERATURES: Mapping[str, tuple[Fraction, Fraction]] = {
    "c": (Fraction(1), Fraction("273.15")),
    "f": (Fraction(5, 9), Fraction("459.67") * 5 / 9),
    "k": (Fraction(1), Fraction(0)),
}
"""What a degree is in kelvins, and where zero lies."""
_WARM = re.compile(r"(?:°|º|degrees? )? ?(?P<scale>celsius|centigrade|fahrenheit|kelvins?|[cfk])(?: degrees)?")

_NUMBER = (
    r"[-−–]?(?:\d{1,3}(?:,\d{3})+(?:\.\d{1,9})?|\d{1,12}(?:\.\d{1,9})?(?:(?: | and "
    r"|-)\d{1,3}/\d{1,3}|/\d{1,3})?"
    r"|\d{0,4}[½¼¾])"
)
_ONE_WORD = (
    r"(?:half|quarters?|thirds?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|thirteen|fourteen|fifteen"
    r"|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
    r"|hundred|thousand|million)"
)
_IN_WORDS = rf"(?:an? )?{_ONE_WORD}(?:[ -](?:and )?(?:an? )?{_ONE_WORD}){{0,5}}(?: of)?(?: an?)?"
_UNIT = (
    r"(?!(?:and|half) )[a-zμµ°º](?:(?! (?:are|is|in|into|to|an?|one|makes?|fit|there|equals?)"
    r" )[a-zμµ°º/².³ 23-]){0,24}"
)
_UNIT_LAZY = f"{_UNIT}?"
_ABOUT = r"(?:(?:about|approximately|roughly|around|equal to|the same as|exactly) )?"
_HOW_MANY = rf"how many (?P<to>{_UNIT_LAZY})"
_FROM = rf"(?:(?P<number>{_NUMBER}) ?|(?P<words>{_IN_WORDS}) )?(?P<unit>{_UNIT_LAZY})"
_SOME = _FROM.replace(")?(?P<unit>", ")(?P<unit>")
_HALF_MORE = r"(?P<half> and a half)?"
_ASKED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        (
            rf"{_HOW_MANY} (?:(?:are|is|make|makes|does|do|fit|go|equals?|=)(?: there|"
            rf" up)? {_ABOUT})?(?:(?:in|into|to|per|for) )?"
            rf"{_FROM}{_HALF_MORE}(?: (?:make|have|has|contain|equal|hold|be|last))?"
        ),
        (
            r"(?:convert|change|turn|express|give|write|transform|translate|put|switch)"
            rf" {_SOME}{_HALF_MORE}"
            rf" (?:in)?(?:to|in|as) (?P<to>{_UNIT})"
        ),
        (
            rf"{_SOME}{_HALF_MORE} ?(?:to|in|into|as|=|equals?|is|are|makes?|converted to|expressed in|is"
            rf" equal to) {_ABOUT}"
            rf"(?:what in |how much in |how many |\? ?)?(?P<to>{_UNIT})"
        ),
        (
            r"how (?:much|long|far|hot|warm|cold|heavy|big|large|fast|tall|high) (?:is|are)"
            rf" {_SOME}{_HALF_MORE} in (?P<to>{_UNIT})"
        ),
    )
)
"""The whole wish."""
_OF_THAT = re.compile(
    (
        rf"(?P<before>[^.?!\d]{{5,80}} )(?P<number>{_NUMBER}) ?(?P<unit>{_UNIT_LAZY})(?P<after>"
        r"(?: [a-z' -]{2,60})?)[.,;] "
        rf"(?:how many (?P<to>{_UNIT_LAZY})(?: (?:is|are) (?:that|it|this))?|(?:what is|what's|how much"
        rf" is) (?:that|it|this) in (?P<to2>{_UNIT}))"
    ),
    re.IGNORECASE,
)
"""One amount in a sentence, and the question in another one."""
_ELSEWHERE = re.compile(
    (
        r"\b(?:each|every|per|a day|a week|daily|half|twice|double|third|quarter|of (?:it|them)"
        r"|used?|left|more|less|than|other|both|per cent|one|two|three|four"
        r"|five|six|seven|eight|nine|ten)\b|%"
    ),
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"(?:an?|one|the|every|each|single) ")

_RATE = re.compile(
    (
        r"(?:(?:at (?:a|the|an exchange) rate of|if|when|with|given that|given|suppose|assuming"
        r"(?: that)?) )?(?:1|one|an?) "
        rf"(?P<one>[a-z]{{2,20}}) (?:=|is|equals|costs|buys|is worth|is equal to) (?P<rate>{_NUMBER}) "
        r"(?P<other>[a-z]{2,20})"
        r"[,.;:?]? (?:then )?(?:(?:how many|how much in) (?P<wanted>[a-z]{2,20})"
        r"(?: (?:do|would|will|can) (?:i|you|we) (?:get|have|receive|need|pay)| are| is| would be|"
        r" make)?(?: in| for| from)?"
        rf"|(?:what is|convert|what are)) (?P<count>{_NUMBER}) (?P<source>[a-z]{{2,20}})"
        r"(?: (?:in(?:to)?|to) (?P<target>[a-z]{2,20}))?(?: worth)?"
    ),
    re.IGNORECASE,
)


_MAY_ASK = re.compile(
    (
        r"\d|[½¼¾]|how many|\bwh(?:ich|at) (?:is|lasts|weighs|holds|takes)\b|convert|\bone\b|\b(?:in|to"
        r"|=)\b"
    ),
    re.IGNORECASE,
)
"""What none of the wishes is without."""


def misses_the_amount(given: Exchange) -> bool:
    """Whether all that the prompt asks for is an amount in another unit, and no number of the answer comes near it."""
    if not _MAY_ASK.search(given.bare) or len(given.text) > len(given.said):
        return False
    wanted = set(_wanted(given.bare))
    if not wanted or names_value(given.said, sorted(wanted), _SLACK) or _names_another_unit(given):
        return False
    said = fractions_in(given.said) if "inch" in given.bare else []
    return not any(abs(part - value) <= _SLACK_OF_PARTS * value for part in said for value in wanted)


def _names_another_unit(given: Exchange) -> bool:
    """One of the same kind as that asked for: 14 ounces, and not a part of a pound."""
    found = matched(_ASKED, given.bare)
    named = {_unit(name) for name in _AFTER_NUMBER.findall(given.said[:_LOOKED_AT].casefold())} if found else set[str]()
    if found is None or not named:
        return False
    known = (_unit(found["unit"].casefold()), _unit(found["to"]))
    return any(
        all(_sizes_of(kind, name) not in {(), _sizes_of(kind, one)} for one in known)
        for kind in _KINDS
        if all(_sizes_of(kind, one) for one in known)
        for name in named
    )


def _wanted(wish: str) -> Iterator[Fraction]:
    """Every right answer: units of one name differ from place to place."""
    at_rate = _RATE.fullmatch(wish)
    if at_rate is not None:
        yield from _at_rate(at_rate)
    of_that = _OF_THAT.fullmatch(wish)
    if of_that is not None and not _ELSEWHERE.search(of_that["before"] + of_that["after"]):
        value = amount(of_that["number"])
        yield from (
            () if value is None else _converted(value, _unit(of_that["unit"]), _unit(of_that["to"] or of_that["to2"]))
        )
    for pattern in _ASKED:
        found = pattern.fullmatch(wish)
        if found is not None:
            parts = found.groupdict()
            for number, unit in _amounts(found):
                yield from _converted(number + (Fraction(1, 2) if parts["half"] else 0), unit, _unit(parts["to"]))


def _amounts(found: re.Match[str]) -> Iterator[tuple[Fraction, str]]:
    number, words, unit = found["number"], found["words"], found["unit"].casefold()
    if number:
        value = amount(number)
        if value is not None:
            yield value, _unit(unit)
    elif not words or words.casefold() in {"a", "an", "one", "the", "every", "each"}:
        yield Fraction(1), _unit(f"{words or ''} {unit}".strip())
    else:
        yield from ((value, _unit(unit)) for value in _counted(words.casefold()))


def _counted(words: str) -> Iterator[Fraction]:
    """`two and a half`, `half an`, `three quarters of a`, `twenty-five`."""
    words = re.sub(r"(?: of)?(?: an?)?$", "", words)
    whole, _, half = words.rpartition(" and a ")
    values = numbers_in_words(whole or words)
    if not values or half not in {"half", "quarter"}:
        yield from [min(values)] if re.search("quarter|third|half", words) else values[-1:]
    else:
        yield values[-1] + (Fraction(1, 2) if half == "half" else Fraction(1, 4))


def _unit(name: str | None) -> str:
    """In one spelling, in the singular where that is only a letter less."""
    name = _ARTICLE.sub("", (name or "").casefold().strip(" .").replace("liter", "litre").replace("meter", "metre"))
    return name.replace("inches", "inch").replace("metres per", "metre per").replace("miles per", "mile per")


def _sizes_of(kind: Mapping[str, tuple[Fraction, ...]], unit: str) -> tuple[Fraction, ...]:
    return kind.get(unit) or kind.get(unit.removesuffix("s")) or ()


def _converted(number: Fraction, unit: str, to: str) -> Iterator[Fraction]:
    one, other = _WARM.fullmatch(unit), _WARM.fullmatch(to)
    if one is not None and other is not None and (one["scale"][0] != other["scale"][0]):
        (degree, zero), (other_degree, other_zero) = _TEMPERATURES[one["scale"][0]], _TEMPERATURES[other["scale"][0]]
        yield (number * degree + zero - other_zero) / other_degree
        return
    for kind in _KINDS:
        for here, there in product(_sizes_of(kind, unit), _sizes_of(kind, to)):
            if unit != to and number > 0:
                yield number * here / there


_LONGER = {
    "longer": 1,
    "heavier": 1,
    "bigger": 1,
    "larger": 1,
    "greater": 1,
    "more": 1,
    "faster": 1,
    "shorter": -1,
    "lighter": -1,
    "smaller": -1,
    "less": -1,
    "slower": -1,
}
_WHICH = re.compile(
    (
        rf"(?:which|what) (?:is|lasts|weighs|holds|takes) (?P<way>{'|'.join(_LONGER)})(?: time)?[,:?]? "
        rf"(?P<one>an? {_UNIT}) or (?P<other>an? {_UNIT})"
    ),
    re.IGNORECASE,
)


def names_the_wrong_unit(given: Exchange) -> bool:
    """Whether the larger or smaller of two units was asked for, and the answer says that the other one is it."""
    found = _WHICH.fullmatch(given.bare)
    if found is None or len(given.text) > len(given.said):
        return False
    one, other = _unit(found["one"]), _unit(found["other"])
    ratios = [here / there for kind in _KINDS for here, there in product(_sizes_of(kind, one), _sizes_of(kind, other))]
    if not ratios or any((ratio > 1) != (ratios[0] > 1) or ratio == 1 for ratio in ratios):
        return False
    right, wrong = (one, other) if (ratios[0] > 1) == (_LONGER[found["way"].casefold()] > 0) else (other, one)
    said, way = given.said.casefold().replace("meter", "metre").replace("liter", "litre"), found["way"].casefold()
    claim = rf"\b{re.escape(wrong)}s? (?:is|lasts|weighs|holds|takes|are)(?: (?:a|an|the|much|far))* {way}\b"
    return re.search(claim, said) is not None or (wrong in said.replace(right, " ") and right not in said)


def _at_rate(found: re.Match[str]) -> Iterator[Fraction]:
    one, other, source = (found[name].casefold().removesuffix("s") for name in ("one", "other", "source"))
    wanted = (found["wanted"] or found["target"] or "").casefold().removesuffix("s")
    rate, count = amount(found["rate"]), amount(found["count"])
    if not rate or count is None or {wanted, source} != {one, other} or one == other:
        return
    yield count * rate if source == one else count / rate
