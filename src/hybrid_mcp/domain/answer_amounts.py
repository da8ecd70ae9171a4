"""One operation that a short prompt asks for in words: a root, an average, a share, an area, an equation."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from hybrid_mcp.domain.answer_shapes import SHAPES
from hybrid_mcp.domain.answer_shares import SHARES
from hybrid_mcp.domain.answer_terms import LIST, A, B, Row, Values, number
from hybrid_mcp.domain.answer_text import Exchange
from hybrid_mcp.domain.answer_values import amount, fractions_in, names_value, numbers_in_words, value_of
from hybrid_mcp.domain.arithmetic import worked_out

_THESE = (
    r"(?:of|between|for)(?: (?:these|the|the following|two|all))*(?: "
    r"(?:numbers?|values?|integers?|scores?|data|data set))?:? "
)
_MOST = 10**12
_MAY_ASK = re.compile(r"\d|\bways\b|\borders\b")
"""What none of the wishes is without."""


def misses_the_result(given: Exchange) -> bool:
    """Whether all that the prompt asks for is one operation, and no number of the answer is its result."""
    if not _MAY_ASK.search(given.bare) or len(given.text) > len(given.said):
        return False
    for pattern, result in _ASKED:
        found = pattern.fullmatch(given.bare)
        if found is not None:
            values = () if _may_mean_more(found, given) else result(found)
            if any(value.denominator > 1 for value in values) and _HAS_ROOT.search(given.said):
                return False  # `5√2` may be the result
            return bool(values) and not names_value(given.said, [*values])
    return _misses_the_fraction(given)


_OPERATE = re.compile(r"\W{0,9}(?:please )?(?:calculate|compute|find|work out)\b", re.IGNORECASE)
_SAYS_WHETHER = re.compile(r"\W{0,9}(?:yes|no|true|false)\b", re.IGNORECASE)


def _may_mean_more(found: re.Match[str], given: Exchange) -> bool:
    """What tells 404 from 410, or whether 5 is less than 3."""
    if (found.groupdict().get("what") or "").casefold() == "difference":
        return not _OPERATE.match(given.prompt)
    return " than " in found[0] and _SAYS_WHETHER.match(given.said) is not None


_HAS_ROOT = re.compile("√|sqrt")
_WITH_FRACTIONS = re.compile(
    r"(?P<sum>\d{1,4} ?/ ?\d{1,4}(?: ?[-+*×−] ?\d{1,4} ?/ ?\d{1,4}){1,3})(?: as an? (?:fraction|decimal))?"
)


def _misses_the_fraction(given: Exchange) -> bool:
    """A sum of fractions, whose result may be one too."""
    found = _WITH_FRACTIONS.fullmatch(given.bare)
    value = worked_out(found["sum"]) if found else None
    if value is None:
        return False
    return abs(value) not in fractions_in(given.said) and not names_value(
        re.sub(r"(?<!\d)\d+ ?/ ?\d+", " ", given.said), [value]
    )


def _listed(found: re.Match[str]) -> list[Fraction]:
    if re.search(r"\d,\d{3}(?!\d)", found["list"]):
        return []  # `1,200` may be two numbers, or one
    return [value_of(one) for one in re.findall(r"[-−–]?\d+(?:\.\d+)?", found["list"])]


def _root(value: Fraction, degree: int = 2) -> Values:
    """Where it is no fraction, as near as a decimal shows."""
    if value < 0 or value > _MOST:
        return ()
    near = round(float(value) ** (1 / degree))
    if near**degree == value:
        return (Fraction(near),)
    return (Fraction(float(value) ** (1 / degree)).limit_denominator(10**9),)


def _power(base: Fraction, exponent: Fraction) -> Values:
    if exponent.denominator != 1 or not 0 <= exponent <= 40 or abs(base) > 1_000:
        return ()
    value = base ** int(exponent)
    return (value,) if abs(value) < 10**15 else ()


def _median(values: Sequence[Fraction]) -> Values:
    ranked = sorted(values)
    if not ranked:
        return ()
    middle = len(ranked) // 2
    return (ranked[middle],) if len(ranked) % 2 else ((ranked[middle - 1] + ranked[middle]) / 2,)


def _of_list(found: re.Match[str]) -> Values:
    values, what = _listed(found), found["what"].casefold().removeprefix("arithmetic ")
    if len(values) < 2:
        return ()
    result = _OF_LISTS.get(what)
    return result(values) if result else _of_divisors(what, values)


_OF_LISTS: Mapping[str, Callable[[Sequence[Fraction]], Values]] = {
    **dict.fromkeys(("average", "mean"), lambda values: (sum(values, Fraction(0)) / len(values),)),
    **dict.fromkeys(("sum", "total"), lambda values: (sum(values, Fraction(0)),)),
    **dict.fromkeys(("median", "middle value", "middle number"), _median),
    "product": lambda values: (Fraction(math.prod(values)),) if len(values) < 6 else (),
    "difference": lambda values: (values[0] - values[1],) if len(values) == 2 else (),
    "range": lambda values: (max(values) - min(values),),
}


def _of_divisors(what: str, values: Sequence[Fraction]) -> Values:
    if any(value.denominator != 1 or value <= 0 for value in values):
        return ()
    whole = [int(value) for value in values]
    return (Fraction(math.lcm(*whole) if "multiple" in what or what == "lcm" else math.gcd(*whole)),)


_PLACES: Mapping[str, Fraction] = {
    "whole number": Fraction(1),
    "integer": Fraction(1),
    "unit": Fraction(1),
    "one": Fraction(1),
    "ten": Fraction(10),
    "hundred": Fraction(100),
    "thousand": Fraction(1_000),
    "million": Fraction(10**6),
    "tenth": Fraction(1, 10),
    "hundredth": Fraction(1, 100),
    "thousandth": Fraction(1, 1_000),
    "dollar": Fraction(1),
    "cent": Fraction(1, 100),
}
_COUNTS = {"a": 1, "one": 1, "two": 2, "three": 3, "four": 4}


def _rounded(found: re.Match[str]) -> Values:
    """Of a half in the middle either way is right."""
    if found["places"]:
        step = Fraction(1, 10 ** (_COUNTS.get(found["places"].casefold()) or int(found["places"])))
    else:
        step = _PLACES[found["place"].casefold().removesuffix("s")]
    steps = number(found) / step
    return [
        Fraction(steps.__floor__() + up) * step
        for up in (0, 1)
        if abs(steps.__floor__() + up - steps) <= Fraction(1, 2)
    ]


_POWERS = ("second", "third", "fourth", "fifth", "sixth")


def _remainder(found: re.Match[str]) -> Values:
    whole, part = next((found[f"whole{at}"], found[f"part{at}"]) for at in ("", "2", "3") if found[f"part{at}"])
    return (Fraction(int(whole) % int(part)),) if int(part) else ()


def _linear(found: re.Match[str]) -> Values:
    """The unknown of `3y - 7 = 20`."""
    by = amount(found["by"] or "1") or Fraction(0)
    more = amount(found["more"] or "0") or Fraction(0)
    by = 1 / by if found["over"] and by else by
    if found["minus"] and found["minus"] != "+":
        more = -more
    if not by or found.groupdict().get("first", found["unknown"]) != found["unknown"]:
        return ()
    return ((number(found, "total") - more) / by,)


def _factorial(found: re.Match[str]) -> Values:
    written: str = found["a"] or found["c"] or found["d"]
    count = int(numbers_in_words(written)[0]) if written.isalpha() else int(written)
    return (Fraction(math.factorial(count)),) if count <= 17 else ()


def _sum_of_range(found: re.Match[str]) -> Values:
    low, high = int(found["low"]), int(found["high"])
    numbers = range(low, high + 1)
    if low >= high or high > 100_000:
        return ()
    kind = (found["kind"] or "").casefold()
    return (Fraction(sum(n for n in numbers if not kind or n % 2 == (kind == "odd"))),)


_WHAT = (
    r"(?P<what>average|(?:arithmetic )?mean|median|sum|total|product|difference|range|middle "
    r"(?:value|number)"
    r"|gcd|lcm|gcf|hcf|greatest common (?:divisor|factor)|highest common (?:divisor|factor)|"
    r"(?:least|lowest) common multiple)"
)
_NOUNS_OF = r"(?:[a-z]{3,14} ){0,2}"
_UNKNOWN = r"(?P<unknown>[a-z])"
_EQUATION = (
    rf"(?:(?P<by>\d{{1,6}}(?:\.\d{{1,4}})?) ?[*×·]? ?)?{_UNKNOWN}(?: ?(?P<minus>[-+−–])"
    r" ?(?P<more>\d{1,9}(?:\.\d{1,6})?))? ?= ?"
    r"(?P<total>[-−–]?\d{1,9}(?:\.\d{1,6})?)(?P<over>)"
)
_DIVIDED = (
    r"(?P<unknown>[a-z]) ?(?P<over>[/÷]) ?(?P<by>\d{1,6})(?P<minus>)(?P<more>) ?= ?(?P<total>\d{1,9}(?:\.\d{1,6})?)"
)


def _equations(equation: str) -> str:
    return (
        rf"(?:solve|solve (?:the )?equation|(?:solve for )?[a-z](?=:))?:? ?{equation}(?:,? (?:for|find"
        r"|what is|what's|solve for) (?P=unknown))?"
    )


def _known(equation: str) -> str:
    return (
        rf"(?:if|given(?: that)?|when|suppose) {equation}[,.:;]? (?:then )?(?:(?:what is|what's|what"
        r" does|find|how much is|solve for|what must)"
        r" (?:the value of )?)?(?P=unknown)(?: equal| be)?"
    )


def _for_unknown(equation: str) -> str:
    return rf"(?:(?:value of )?{_UNKNOWN.replace('unknown', 'first')} (?:if|when|in) {equation})"


_TABLE: tuple[Row, ...] = (
    (rf"(?:square root of |sqrt ?(?:of )?\(?|√ ?){A}\)?", lambda found: _root(number(found))),
    (rf"(?:cube root of |cbrt ?\(?|∛ ?){A}\)?", lambda found: _root(number(found), 3)),
    (
        rf"{A} (?:to the power(?: of)?|raised to(?: the power(?: of)?)?|to the) {B}(?:th power)?",
        lambda found: _power(number(found), number(found, "b")),
    ),
    (rf"(?:square of |square (?=\d)){A}", lambda found: _power(number(found), Fraction(2))),
    (rf"(?:cube of |cube (?=\d)){A}", lambda found: _power(number(found), Fraction(3))),
    (
        (
            rf"number (?:times|multiplied by) itself (?:gives|is|equals|makes) {A}|what number squared "
            rf"(?:gives|is|equals) {A.replace('<a>', '<aa>')}"
            rf"|what number times itself (?:gives|is|equals|makes) {A.replace('<a>', '<ab>')}"
        ),
        lambda found: _root(number(found, next(name for name in ("a", "aa", "ab") if found[name]))),
    ),
    (rf"{_NOUNS_OF}{_WHAT} {_THESE}{LIST}(?: when sorted)?", _of_list),
    (rf"(?P<what>gcd|lcm|gcf|hcf) ?\({LIST}\)", _of_list),
    (
        rf"(?:add|add up|sum(?: up)?)(?: (?:these|the following|the) numbers:?)? {LIST}(?P<what>)",
        lambda found: (sum(_listed(found), Fraction(0)),) if len(_listed(found)) > 2 else (),
    ),
    (
        (
            r"sum of (?:all )?(?:the )?(?:(?:whole|natural|positive) )?(?:(?P<kind>odd|even) )?(?:numbers"
            r"|integers|whole numbers)?(?: from| between)?"
            r" ?(?P<low>\d{1,5}) (?:to|through|up to) (?P<high>\d{1,6})"
        ),
        _sum_of_range,
    ),
    (
        (
            rf"round {A}(?: off| up or down)? to (?:(?:the )?nearest (?P<place>whole number|integer|unit"
            r"|one|ten|hundred|thousand|million|tenth"
            r"|hundredth|thousandth|dollar|cent)s?|(?P<places>one|two|three|four|a|[1-6]) (?:decimal"
            r" places?|decimals?|decimal digits?|dp|d\.p\.)"
            r"|(?:an? )(?P<never>integer))"
        ),
        lambda found: _rounded(found) if not found["never"] else (),
    ),
    *((form(equation), _linear) for equation in (_EQUATION, _DIVIDED) for form in (_equations, _known, _for_unknown)),
    (
        rf"{A} to the (?P<power>second|third|fourth|fifth|sixth) power",
        lambda found: _power(number(found), Fraction(_POWERS.index(found["power"].casefold()) + 2)),
    ),
    (
        (
            r"(?P<whole>\d{1,9}) (?:mod|modulo) (?P<part>\d{1,9})|remainder of (?P<whole2>\d{1,9}) "
            r"(?:divided by|/|÷) (?P<part2>\d{1,9})"
            r"|(?P<whole3>\d{1,9}) (?:divided by|/|÷) (?P<part3>\d{1,9})[,:;.] (?:what is |what's )?(?:the"
            r" )?remainder"
        ),
        _remainder,
    ),
    (rf"(?:what number is |which number is )?{A} more than {B}", lambda found: (number(found) + number(found, "b"),)),
    (
        rf"(?:what number is |which number is )?{A} (?:less|fewer) than {B}",
        lambda found: (number(found, "b") - number(found),),
    ),
    (
        rf"(?:what number is |number )?(?:halfway|midway|exactly halfway) between {A} and {B}",
        lambda found: ((number(found) + number(found, "b")) / 2,),
    ),
    (rf"absolute value of {A}", lambda found: (abs(number(found)),)),
    (
        (
            r"(?:in )?how many (?:different )?(?:ways|orders)(?: can| could)?(?: you)? (?:can |could"
            r" )?(?:arrange )?(?P<a>\d|two|three|four|five|six|seven|eight) (?:different )?[a-z]{3,12}(?: "
            r"(?:can )?(?:be arranged|stand|sit|line up|be ordered|be lined up))?"
            r" (?:on|in) (?:an? )?(?:shelf|row|line|queue)(?P<c>)(?P<d>)"
        ),
        _factorial,
    ),
    (r"(?P<a>\d{1,2}) ?!|(?P<c>\d{1,2}) factorial|factorial of (?P<d>\d{1,2})", _factorial),
    *SHAPES,
    *SHARES,
)
_ASKED = tuple((re.compile(pattern, re.IGNORECASE), result) for pattern, result in _TABLE)
"""Each the whole wish."""
