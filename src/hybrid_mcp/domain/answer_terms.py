"""Pieces of the expressions for sums in words, shared by all that are worked out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction

from hybrid_mcp.domain.answer_values import value_of

MONEY = r"[$€£]?"
N = r"\d{1,3}(?:,\d{3})+(?:\.\d{1,9})?|\d{1,12}(?:\.\d{1,9})?"
A, B = rf"{MONEY}(?P<a>[-−–]?(?:{N}))", rf"{MONEY}(?P<b>[-−–]?(?:{N}))"
COIN = r"(?: ?(?:dollars?|euros?|pounds?|usd|eur|gbp|€|\$|£))?"
UNIT = r"(?: ?(?P<unit>[a-z]{1,12})\b)?"
SAME = r"(?: ?(?P<other>[a-z]{1,12})\b)?"
SQUARED_UNIT = r"(?:,? in (?:square |cubic )?[a-z]{1,14})?"
LIST = (
    rf"(?P<list>(?:{MONEY}[-−–]?\d{{1,9}}(?:\.\d{{1,6}})?)(?:(?:, ?and |, ?| and | &"
    rf" )[-−–]?{MONEY}\d{{1,9}}(?:\.\d{{1,6}})?){{1,14}})"
)

Values = Sequence[Fraction]
"""Every right answer."""
Row = tuple[str, Callable[[re.Match[str]], Values]]
"""The whole wish, and what it comes to."""


def number(found: re.Match[str], name: str = "a") -> Fraction:
    """What stands in a group; 0 where that could be read in several ways."""
    return value_of(found[name])
