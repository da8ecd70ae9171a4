"""Plain truths about numbers that a short prompt asks for: yes or no, or which of two it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction

from hybrid_mcp.domain.answer_text import Exchange
from hybrid_mcp.domain.answer_values import amount, spells_a_number
from hybrid_mcp.domain.answer_wish import matched

_N = r"-?(?:\d{1,3}(?:,\d{3})+|\d{1,9})(?:\.\d{1,9})?(?:/\d{1,6})?"
_INT = r"\d{1,9}"
_THE_NUMBER = r"(?:the (?:number|integer) )?"
_MORE = r"(?:greater|larger|bigger|more|higher)"
_LESS = r"(?:less|smaller|lower|fewer)"
_CONDITIONS: tuple[tuple[str, Callable[[re.Match[str]], bool | None]], ...] = (
    (rf"(?P<prime>{_INT}) (?:is )?(?:a )?prime(?: number)?", lambda found: _is_prime(int(found["prime"]))),
    (rf"(?P<even>{_INT}) (?:is )?(?:an )?even(?: number)?", lambda found: int(found["even"]) % 2 == 0),
    (rf"(?P<odd>{_INT}) (?:is )?(?:an )?odd(?: number)?", lambda found: int(found["odd"]) % 2 == 1),
    (
        rf"(?P<whole>{_INT}) (?:is )?(?:evenly )?(?:divisible by|a multiple of) (?P<part>{_INT})",
        lambda found: _divides(found["part"], found["whole"]),
    ),
    (
        rf"(?P<factor>{_INT}) (?:is )?a (?:factor|divisor) of (?P<product>{_INT})",
        lambda found: _divides(found["factor"], found["product"]),
    ),
    (rf"(?P<more>{_N}) (?:is )?{_MORE} than (?P<than>{_N})", lambda found: _is_more(found["more"], found["than"])),
    (rf"(?P<less>{_N}) (?:is )?{_LESS} than (?P<then>{_N})", lambda found: _is_more(found["then"], found["less"])),
    (
        rf"(?P<square>{_INT}) (?:is )?a (?:perfect )?square(?: number)?",
        lambda found: round(int(found["square"]) ** 0.5) ** 2 == int(found["square"]),
    ),
)
_QUESTIONS = tuple(
    (re.compile(rf"is {_THE_NUMBER}{pattern}(?:[?,.]? ?\(?(?:yes or no|true or false)\)?)?", re.IGNORECASE), truth)
    for pattern, truth in _CONDITIONS
)
_RULES = tuple(
    (
        re.compile(
            (
                rf"if {_THE_NUMBER}{pattern},? (?:then )?(?P<verb>reply|say|output|print|answer|write|respond)"
                r"(?: with)? (?P<then_word>['\"]?[a-z]{1,20}['\"]?)[,.;]? "
                r"(?:and )?(?:otherwise|else|if not),? (?:(?:reply|say|output|print|answer|write|respond)"
                r"(?: with)? )?(?P<else_word>['\"]?[a-z]{1,20}['\"]?)"
            ),
            re.IGNORECASE,
        ),
        truth,
    )
    for pattern, truth in _CONDITIONS
)
_EVEN_OR_ODD = re.compile(
    rf"is {_THE_NUMBER}(?P<n>{_INT}) (?:an? )?(?:even or odd|odd or even)(?: number)?", re.IGNORECASE
)
_LARGE = r"(?P<large>larger|bigger|greater|higher|largest|biggest|greatest|highest|more)"
_SMALL = r"(?:smaller|lower|smallest|lowest|less|least)"
_ITEM = r"-?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d{1,9})(?:\.\d{1,9}|/\d{1,6})?"
_ITEMS = rf"(?P<items>{_ITEM}(?:, {_ITEM}){{0,9}}(?:,? (?:or|and) |, ){_ITEM})"
_WHICH = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        (
            r"(?:which|what)(?: of (?:these|the following|the two))?(?: (?:number|fraction|decimal|value"
            rf"|one|numbers|fractions|decimals))?(?: is| are)?(?: the)? (?:{_LARGE}|{_SMALL})(?: (?:number"
            rf"|fraction|decimal|value))?[:,?]? {_ITEMS}"
        ),
        (
            rf"(?:the )?(?:{_LARGE}|{_SMALL})(?: (?:number|fraction|decimal|value|one))? (?:of|in|from"
            r"|among)(?: (?:these|the following|the list|the)(?: numbers| values| fractions|"
            rf" decimals)?)?[:?]? {_ITEMS}"
        ),
        (
            rf"{_ITEMS}[:,.;?] (?:which|what)(?: of (?:these|the two))?(?: (?:number|one|fraction))? is "
            rf"(?:the )?(?:{_LARGE}|{_SMALL})(?: (?:number|one|fraction))?"
        ),
    )
)
_NO = re.compile(r"\b(?:no|nope|false)\b|\bnot\b|n['’]t\b", re.IGNORECASE)
_YES = re.compile(r"\b(?:yes|yeah|yep|true|correct)\b", re.IGNORECASE)
_PLACES = re.compile(r"\b(?:first|second|third|last|former|latter|both|same|equal|neither|left|right)\b", re.IGNORECASE)
_MOST_NAMED = 40


_MAY_ASK = re.compile(r"\d")
"""What none of the wishes is without."""


def tells_an_untruth(given: Exchange) -> bool:
    """Whether all that the prompt asks for is a plain truth about numbers, and the answer says the other."""
    if not _MAY_ASK.search(given.bare) or len(given.text) > len(given.said):
        return False
    for pattern, truth in _QUESTIONS:
        found = pattern.fullmatch(given.bare)
        if found is not None:
            right = truth(found)
            return right is not None and says_otherwise(given.said, right=right)
    return _is_even_or_odd(given) or _breaks_the_rule(given) or _names_another(given)


def says_otherwise(said: str, *, right: bool) -> bool:
    """Whether it begins with a plain yes or no that is wrong, and never says the other."""
    first = re.match(r"\W*(yes|no|true|false)\b", said, re.IGNORECASE)
    if first is None or (first[1].casefold() in {"yes", "true"}) == right:
        return False
    return not (_YES if right else _NO).search(said[first.end() :])


def _is_prime(number: int) -> bool | None:
    if number > 10**6:
        return None
    return number > 1 and all(number % part for part in range(2, int(number**0.5) + 1))


def _divides(part: str, whole: str) -> bool | None:
    return int(whole) % int(part) == 0 if int(part) else None


def _is_more(one: str, other: str) -> bool | None:
    first, second = amount(one), amount(other)
    return None if first is None or second is None or first == second else first > second


def _is_even_or_odd(given: Exchange) -> bool:
    found = _EVEN_OR_ODD.fullmatch(given.bare)
    if found is None:
        return False
    right, wrong = ("odd", "even") if int(found["n"]) % 2 else ("even", "odd")
    said = given.said.casefold()
    return (
        right not in said and wrong in said and not re.search(rf"\bnot (?:an? )?{wrong}|n['’]t (?:an? )?{wrong}", said)
    )


def _breaks_the_rule(given: Exchange) -> bool:
    """`If 14 is even, reply BLUE, otherwise reply RED`."""
    for pattern, truth in _RULES:
        found = pattern.fullmatch(given.bare)
        if found is None:
            continue
        right = truth(found)
        words = [found[name].strip("'\"").casefold() for name in ("then_word", "else_word")]
        if right is None or words[0] == words[1]:
            return False
        said = re.findall(r"[a-z]+", given.said.casefold())
        return words[0 if right else 1] not in said
    return False


def _names_another(given: Exchange) -> bool:
    """Of numbers of which one is the largest or smallest."""
    found = matched(_WHICH, given.bare)
    if found is None:
        return False
    items = re.findall(_ITEM, found["items"])
    values = [amount(item) for item in items]
    if (
        None in values
        or len(set(values)) < len(values)
        or (found["items"].count(",") and re.search(r"\d,\d", found["items"]))
    ):
        return False
    sizes = [value or Fraction(0) for value in values]
    right = sizes.index(max(sizes) if found["large"] else min(sizes))
    named = [one for one in re.findall(_ITEM, given.said) if one in items][:_MOST_NAMED]
    if not named:
        return not (re.search(r"\d", given.said) or _PLACES.search(given.said) or spells_a_number(given.said))
    return items[right] not in {named[0], named[-1]} and named.count(items[right]) < max(map(named.count, named))
