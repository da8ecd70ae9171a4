"""Names and titles in the style that a short prompt asks for: snake_case, camelCase, capitals."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hybrid_mcp.domain.answer_material import (
    AFTER_COLON,
    ALSO,
    NAMES_TEXT,
    NOUN,
    PUT,
    QUOTED,
    THING,
    Row,
    Wanted,
)

_STYLE = (
    r"(?:the )?(?P<style>(?:lower )?camel[- ]?case|(?:upper camel|pascal)[- ]?case|snake[_ -]?case|"
    r"(?:screaming|upper|constant)[_ -]snake[_ -]?case"
    r"|kebab[- ]?case|title[- ]?case|(?:all )?(?:upper|lower)[- ]?case(?: letters)?|(?:all"
    r" )?(?:capital letters|capitals|caps)|small letters)"
)
_MINOR = frozenset(
    [
        "a",
        "an",
        "and",
        "as",
        "at",
        "but",
        "by",
        "for",
        "from",
        "in",
        "into",
        "is",
        "it",
        "nor",
        "of",
        "on",
        "onto",
        "or",
        "over",
        "the",
        "to",
        "up",
        "via",
        "with",
    ]
)
_BY_CODE = re.compile(r"(?:convert|change|turn|transform|format)\b", re.IGNORECASE)


_SEVERAL = re.compile(r"\b(?:these|those|each|all|both|them)\b", re.IGNORECASE)
"""Names, of which each has its own form."""


def _in_style(found: re.Match[str], text: str) -> Wanted:
    style = re.sub(r"[^a-z]", "", found["style"].casefold())
    if _SEVERAL.search(found[0]) or (found.groupdict().get("g") and _BY_CODE.match(found[0])):
        return ()
    words = [
        word for part in re.split(r"[\s_-]+", text) for word in re.findall(r"[^\W\d_]+?(?=[A-Z][a-z])|[^\W_]+", part)
    ]
    if not words or not all(word.isascii() and word.isalnum() for word in words):
        return ()
    if len(words) == 1 and _BY_CODE.match(found[0]) and not NAMES_TEXT.search(found[0].replace(text, " ")):
        return ()  # it may be a column or a variable
    if "title" in style:
        return (_title(text),)
    name = _name_in(style, [word.lower() for word in words])
    if name is None:
        return (re.compile(re.escape(text.lower() if "lower" in style or "small" in style else text.upper())),)
    return (
        (name, re.compile(rf"(?<![^\W_]){name}(?![^\W_])"))
        if "-" in name or "_" in name
        else (re.compile(rf"(?<![^\W_]){name}(?![^\W_])"),)
    )


def _name_in(style: str, words: Sequence[str]) -> str | None:
    if "snake" in style or "kebab" in style:
        return ("_" if "snake" in style else "-").join(words)
    if "camel" not in style and "pascal" not in style:
        return None
    first = words[0] if "camel" in style and "upper" not in style else words[0].capitalize()
    return first + "".join(word.capitalize() for word in words[1:])


def _title(text: str) -> re.Pattern[str]:
    """Of short words either case is right."""
    forms = [
        rf"(?:{re.escape(word)}|{re.escape(word.capitalize())})"
        if word.casefold() in _MINOR and at
        else re.escape(word[:1].upper() + word[1:])
        for at, word in enumerate(text.split())
    ]
    return re.compile(r"\s+".join(forms))


def _titled(_found: re.Match[str], text: str) -> Wanted:
    return (_title(text),)


STYLES: tuple[Row, ...] = (
    (rf"{_STYLE}{AFTER_COLON}", _in_style),
    (
        (
            rf"(?:{PUT} )?(?:{THING}|(?P<g>(?-i:[A-Za-z][a-z]{{0,19}}(?:[A-Z][a-z]{{1,20}}){{1,4}})"
            rf"|[A-Za-z]{{1,20}}(?:[_-][A-Za-z]{{1,20}}){{1,4}})) (?:in(?:to)?|to|as|using) {_STYLE}{ALSO}"
        ),
        _in_style,
    ),
    (rf"(?:{PUT} )?(?:{NOUN})(?:in(?:to)?|to|as|using) {_STYLE}{AFTER_COLON}", _in_style),
    (
        (
            rf"{_STYLE} (?:version|form|spelling|name)? ?(?:of|for)(?: {NOUN})?(?:{AFTER_COLON}"
            rf"|:? ?{QUOTED})"
        ),
        _in_style,
    ),
    (rf"(?:{PUT} )?{THING} with (?:each|every) word (?:starting|beginning) with a capital(?: letter)?", _titled),
    (rf"capitali[sz]e (?:the )?first letter of (?:each|every) word (?:in|of) {THING}", _titled),
)
