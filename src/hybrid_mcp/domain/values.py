"""Where a value begins and ends: at its quote, at the end of its line, or at the next space."""

from __future__ import annotations

import re
from typing import NamedTuple

_MAX_CHARACTERS = 2_048
_QUOTED = re.compile(
    r"(?:[A-Za-z]{1,2}(?=[\"'])|@(?=\"))?"
    r"(?:(?P<escape>\\{1,3})(?P<inner>[\"'`])(?P<escaped>(?:(?!(?P=escape)(?P=inner))\S){6,300}?)(?P=escape)(?P=inner)"
    r"|(?P<quote>\"(?:\"\")?|'(?:'')?|`{1,3})"
    r"(?P<quoted>(?:[^\s\\\"'`]++|\\.|(?!(?P=quote))[\"'`])++)(?P=quote)"
    # Where a backslash stands for itself, one before the last quote is no escape.
    r"|(?P<raw>[\"'])(?P<literal>(?:(?!(?P=raw))\S){6,300})(?P=raw))"
    r"(?![^\s,;:)\]}>.+*%#&|?\\/<~-])"
)
_BARE = re.compile(r"(?:[^\s\\]++|\\(?![rn]))+")
_DELIMITER = re.compile(r"[<>,;()\[\]{}&|\"'`]")
_NEXT_PAIR = re.compile(r"[,;&|][\"']?[A-Za-z][\w.-]{2,40}[\"']?[ \t]?[=:]")
_LINE_END = re.compile(r"[ \t]*(?:\r?\n|\\[rn]|\Z)")
_AFTER_LINES = frozenset(",;")
_AFTER_QUOTES = ",;:)]}>.\\+<"
_AFTER_WORDS = ".,:;!?*_"
_CLOSING = frozenset(")]}>\"'`.,:;!?*_")
_QUOTES = frozenset("\"'`")


class Value(NamedTuple):
    """`core`: where it ends if no bracket, quote, comma, `;`, `&` or `|` belongs to it, or no `;name=` after it.

    `exact`: nothing of it lies after `end`, and nothing else before. `quoted`: quotes say where it ends.
    `last`: nothing but the line's end comes after it.
    """

    start: int
    end: int
    core: int
    exact: bool
    quoted: bool = False
    last: bool = False


def value_at(text: str, place: int, *, until: str = "", whole: bool = False) -> Value | None:
    """The value that begins at `place`. `until`: what ends it, such as the quote before its name.

    `whole`: all up to the next space is its own, as in an environment line.
    """
    limit = min(len(text), place + _MAX_CHARACTERS)
    found = _QUOTED.match(text, place, limit)
    if found and found.lastgroup and not (whole and text[place].isalpha()):
        start, end = found.span(found.lastgroup)
        while end - start > 1 and text[start] == text[end - 1] and text[start] in _QUOTES:
            start, end = start + 1, end - 1
        after = text[found.end() : found.end() + 1]
        return Value(start, end, end, exact=after.isspace() or after in _AFTER_QUOTES, quoted=True)
    found = _BARE.match(text, place, limit)
    return _bare(text, place, found.end(), until=until, whole=whole) if found else None


def _bare(text: str, start: int, end: int, *, until: str, whole: bool) -> Value:
    if until and (closed := text.find(until, start, end)) >= 0:
        return Value(start, closed, closed, exact=True, quoted=until in _QUOTES, last=True)
    last = _LINE_END.match(text, end) is not None
    kept = end - (text[end - 1] in _AFTER_LINES)
    if not whole and not last:
        kept = start + len(text[start:end].rstrip(_AFTER_WORDS))
    at_space = kept == len(text) or text[kept].isspace()
    if whole:
        return Value(start, kept, kept, exact=at_space, last=last)
    delimiter = _DELIMITER.search(text, start, kept)
    core = delimiter.start() if delimiter else kept
    pair = _NEXT_PAIR.search(text, core, kept) if delimiter else None
    exact = at_space and not pair and kept - start < _MAX_CHARACTERS and text[kept - 1] not in _CLOSING
    return Value(start, kept, pair.start() if pair else core, exact=exact, last=last)
