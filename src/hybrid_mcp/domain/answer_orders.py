"""Is the list of a short prompt in the order that is asked for, and that is asked for alone?"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import groupby

from hybrid_mcp.domain.answer_text import Exchange
from hybrid_mcp.domain.answer_values import GROUPING, spells_a_number, value_of

_LIST = re.compile(r"(?P<wish>[^:\n]{4,90}):\s{0,3}(?P<list>[^:;\n]{3,200})")
_THINGS = r"(?:words|numbers|integers|values|names|items|dates|list|cities|countries|animals|fruits?)"
_SORT = (
    r"(?:please )?(?:sort|order|arrange|rank|put|list)(?: (?:these|the following|the|this(?: list"
    rf" of)?|my)(?: {_THINGS})?| {_THINGS})?"
)
_ONLY = (
    r"(?:,? (?:and )?(?:(?:write|give|return|show|answer with|reply with|say) )?(?:me )?"
    r"(?:nothing else|(?:only|just) the (?:sorted )?(?:list|numbers|words)))?"
)
_ORDER = rf"(?: (?:numerical )?order)?(?: please)?{_ONLY}"
_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{1,6})?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_WORD = re.compile(r"[^\W\d_]{1,24}(?:[ -][^\W\d_]{1,24})?")
_SPACED = re.compile(r"-?\d{1,9}(?:\.\d{1,6})?(?: -?\d{1,9}(?:\.\d{1,6})?){2,99}")
_MOST_NAMED = 100


_Key = Callable[[str], str | int | Fraction]
_LARGE, _SMALL = (
    r"(?:largest|biggest|greatest|highest|high|latest|most recent)",
    r"(?:smallest|lowest|least|low|earliest|oldest)",
)
_ORDERS: tuple[tuple[re.Pattern[str], re.Pattern[str], _Key, bool], ...] = tuple(
    (re.compile(f"(?:{wish}){_ORDER}", re.IGNORECASE), item, key, backwards)
    for wish, item, key, backwards in (
        (
            (
                rf"(?:{_SORT} )?(?:(?:in|into) )?(?:numerical )?(?:ascending|increasing|chronological)|{_SORT} "
                rf"(?:from )?(?:the )?{_SMALL} (?:to|first)(?: (?:the )?{_LARGE})?"
            ),
            _NUMBER,
            value_of,
            False,
        ),
        (
            (
                rf"(?:{_SORT} )?(?:(?:in|into) )?(?:numerical )?(?:descending|decreasing)|{_SORT} (?:from"
                rf" )?(?:the )?{_LARGE} (?:to|first)(?: (?:the )?{_SMALL})?"
            ),
            _NUMBER,
            value_of,
            True,
        ),
        (
            (
                rf"(?:{_SORT} )?(?:(?:in|into|by) )?(?:alphabetical(?:ly)?|alphabetic|alphabet|from a to z|a to"
                r" z)"
            ),
            _WORD,
            str.casefold,
            False,
        ),
        (
            rf"(?:{_SORT} )?(?:(?:in|into) )?(?:reverse alphabetical(?:ly)?|from z to a|z to a)",
            _WORD,
            str.casefold,
            True,
        ),
        (
            (
                rf"{_SORT} by (?:word )?length,? (?:from )?(?:the )?shortest(?: (?:word|one))? (?:first|to"
                r" longest)"
            ),
            _WORD,
            len,
            False,
        ),
        (
            (
                rf"{_SORT} by (?:word )?length,? (?:from )?(?:the )?longest(?: (?:word|one))? (?:first|to"
                r" shortest)"
            ),
            _WORD,
            len,
            True,
        ),
        (
            (
                rf"{_SORT}(?: from)?(?: the)? (?:oldest|earliest) (?:first|to (?:the )?(?:newest|latest|most"
                r" recent))"
            ),
            _DATE,
            str,
            False,
        ),
        (
            (
                rf"{_SORT}(?: from)?(?: the)? (?:newest|latest|most recent) (?:first|to (?:the )?(?:oldest"
                r"|earliest))"
            ),
            _DATE,
            str,
            True,
        ),
    )
)


def breaks_the_order(given: Exchange) -> bool:
    """Whether its items nowhere stand in the one order that was asked for."""
    asked = _LIST.fullmatch(given.bare)
    if asked is None or len(given.text) > len(given.said):
        return False
    items = [item.strip(" .?'\"") for item in re.split(r",? and |[,;] ?", asked["list"])]
    if len(items) < 3 and _SPACED.fullmatch(asked["list"]):
        items = asked["list"].split()
    for wish, kind, key, backwards in _ORDERS:
        if wish.fullmatch(asked["wish"]) and all(map(kind.fullmatch, items)):
            return _is_out_of(sorted(items, key=key, reverse=backwards), items, key, given.said)
    return False


def _is_out_of(wanted: Sequence[str], items: Sequence[str], key: _Key, said: str) -> bool:
    if len({key(item) for item in items}) < len(items) or len(items) < 2 or not all(item.isascii() for item in items):
        return False
    is_of_numbers = key is value_of
    if is_of_numbers:
        said = GROUPING.sub("", re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", said)) if max(map(len, items)) > 3 else said
        if spells_a_number(said):
            return False
    low = [item.casefold() for item in wanted]
    longest_first = "|".join(map(re.escape, sorted(low, key=len, reverse=True)))
    named = re.findall(
        rf"(?<![\w.])(?:{longest_first})(?![^\W_]|\.\d|-\d)", _MARKER.sub(" ", said.casefold().translate(_MINUS))
    )[:_MOST_NAMED]
    steps = [item for item, _ in groupby(named)]
    if not steps:
        return list(wanted) != list(items) and not (is_of_numbers and re.search(r"\d", said))
    return not any(steps[at : at + len(low)] == low for at in range(len(steps)))


_MINUS = str.maketrans("−–", "--")
_MARKER = re.compile(r"^[ \t]{0,4}(?:\d{1,2}[.)]|[-*•](?= ))[ \t]", re.MULTILINE)
