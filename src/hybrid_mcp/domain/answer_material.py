"""How a short prompt names the text that something is to be made of."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Sequence

QUOTED = (
    r"(?:\"(?P<a>[^\"\n]{1,120})\"|“(?P<b>[^“”\n]{1,120})”|(?<![^\W_])['‘]"
    r"(?P<d>[^\"\n‘]{1,120}?)['’](?![^\W_]))"
)
NOUN = (
    r"(?:(?:the|this|that|these|my|following|single|quoted|given|sentence|phrase|words?|string|text"
    r"|name|names|list|items|expression"
    r"|title|line|quote|quotation|number|variable|in (?:the )?(?:quotation marks|quotes)|below) ?)*"
)
ONE_WORD = r"(?:(?<=word )|(?<=string ))(?P<e>[^\W_]{1,30})"
AFTER_COLON = r"(?:,? please)?: ?(?P<bare>[^\"“”`:]{1,160})"
THING = (
    rf"(?:{NOUN}:? ?(?:{QUOTED}|{ONE_WORD})|{NOUN}(?: and (?:return|give|write|output) (?:it"
    rf"|the (?:rest|result|sentence))(?: back)?)?{AFTER_COLON})"
)
PIECE = r"['\"‘“`]?(?P<{0}>[^\s'\"‘’“”`]{{1,24}})['\"’”`]?"
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
ORDINAL = rf"(?P<place>{'|'.join(ORDINALS)}|last|final|\d{{1,2}}(?:st|nd|rd|th))"
NAMES_TEXT = re.compile(
    r"\b(?:sentence|phrase|string|text|word|line|list|quotation|quote|count|following|these)\b", re.IGNORECASE
)
"""`'Ulysses'` alone may mean the book."""
Wanted = Sequence[str | int | re.Pattern[str]]
"""Every form that is right: as text without regard to case, as a number, or as an expression that is to be found."""


def words_of(text: str) -> list[str]:
    return [word.strip(string.punctuation + "“”‘’") for word in text.split() if word.strip(string.punctuation + "“”‘’")]


def at_place(found: re.Match[str], things: Sequence[str]) -> str | None:
    place = found["place"].casefold()
    if place in {"last", "final"}:
        return things[-1] if things else None
    at = ORDINALS.index(place) if place in ORDINALS else int(re.sub(r"\D", "", place)) - 1
    return things[at] if 0 <= at < len(things) else None


def alone(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_]){re.escape(text)}(?![^\W_])", re.IGNORECASE)


VOWELS = "aeiouàáâäèéêëìíîïòóôöùúûü"
ALSO = (
    r"(?: and (?:write |say |output |return |give |reply with |answer with )?(?:it|nothing else"
    r"|an? (?:digit|number)|the (?:number|result)))?"
)
PUT = r"(?:write|convert|rewrite|put|change|turn|give|express|format|spell|output|print|type|transform)"


Row = tuple[str, Callable[[re.Match[str], str], Wanted]]
"""The whole wish, and what is made of the text then."""
