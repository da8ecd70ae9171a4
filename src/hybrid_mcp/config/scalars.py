"""Reads single values from text. Every ValueError says what is wrong and what to write, so a caller only adds where."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal

from hybrid_mcp.domain.money import Usd

SHOWN_CHARACTERS = 40
"""The most that an error repeats of a value."""

_NUMBER = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?")
_MAX_NUMBER_CHARACTERS = 24
"""Decimal's default precision is 28 digits: up to here every product below is exact."""
_MAX_DOLLARS_PER_MTOK = 1_000_000
_MAX_GIGABYTES = 1_000_000
_DURATION = re.compile(r"(?:[0-9]{1,6}h)?(?:[0-9]{1,6}m)?(?:[0-9]{1,6}s)?")
"""Go's notation of a duration, as far as people write it."""
_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})


def shown(text: str) -> str:
    """The value in quotes, shortened, with everything unprintable escaped."""
    return repr(text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 3]}...")


def near(name: str, known: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """Up to `count` known names that look like this one, the nearest first."""
    return tuple(difflib.get_close_matches(name[:64], list(known), n=count, cutoff=0.5))


def suggestion(name: str, known: Iterable[str]) -> str:
    """What to write instead: the near names, or all of them where none is near."""
    names = tuple(known)
    close = near(name, names)
    return f"did you mean {' or '.join(close)}?" if close else f"use one of {', '.join(names)}"


def boolean(text: str) -> bool:
    """true/false, yes/no, on/off, in any case."""
    word = text.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(f"{shown(text)} is neither true nor false; write true or false")


def decimal(text: str) -> Decimal:
    """An exact decimal number, as written."""
    if len(text) > _MAX_NUMBER_CHARACTERS or not _NUMBER.fullmatch(text):
        raise ValueError(f"{shown(text)} is not a number; write one such as 2.50")
    return Decimal(text)


def money(text: str) -> Usd:
    """A cap in dollars, exact, rounded down below a nano-dollar."""
    number = decimal(text)
    if number < 0:
        raise ValueError(f"{shown(text)} is negative; write 0 for 'never spend', or a number of dollars above it")
    return Usd.limit(number)


def hundredths(text: str) -> int:
    """A threshold from 0 to 1 in hundredths, rounded up.

    A score has whole hundredths, so `score >= 0.605` and `score >= 0.61` admit the same scores: rounding up is exact.
    """
    number = decimal(text)
    if not 0 <= number <= 1:
        raise ValueError(f"{shown(text)} is outside 0 to 1; write a score such as 0.6")
    return int((number * 100).to_integral_value(rounding=ROUND_CEILING))


def token_nanos(text: str) -> int:
    """Dollars for a million tokens as nano-dollars for one, rounded up: a price is never understated."""
    number = decimal(text)
    if not 0 <= number <= _MAX_DOLLARS_PER_MTOK:
        raise ValueError(f"{shown(text)} is outside $0 to ${_MAX_DOLLARS_PER_MTOK:,} for a million tokens")
    return int((number * 1000).to_integral_value(rounding=ROUND_CEILING))


def whole(text: str, low: int, high: int) -> int:
    """A whole number in the closed range."""
    if re.fullmatch(r"[0-9]{1,9}", text) and low <= int(text) <= high:
        return int(text)
    raise ValueError(f"{shown(text)} is not a whole number from {low} to {high:,}")


def gigabytes(text: str) -> int:
    """A number of bytes above 0, written in units of 10^9."""
    number = decimal(text)
    size = int(number * 1_000_000_000)
    if not 0 < size <= _MAX_GIGABYTES * 1_000_000_000:
        raise ValueError(
            f"{shown(text)} is not a size in GB above 0 and up to {_MAX_GIGABYTES:,}; write one such as 12"
        )
    return size


def keep_alive(text: str) -> str:
    """How long Ollama keeps a model loaded: a duration of hours, minutes and seconds, 0, or -1 for as long as it
    runs."""
    if text in {"0", "-1"} or (text and _DURATION.fullmatch(text)):
        return text
    raise ValueError(f"{shown(text)} is no such time; write one such as 30m or 1h30m, 0 (unload at once) or -1 (never)")


def seconds(text: str) -> float:
    """A time above 0 and of at most a day."""
    number = decimal(text)
    if not 0 < number <= 86_400:
        raise ValueError(f"{shown(text)} is not a time in seconds above 0 and up to 86,400")
    return float(number)


def model_id(text: str) -> str:
    """A provider's own name of a model."""
    if not text or len(text) > 200 or not text.isprintable() or " " in text:
        raise ValueError(f"{shown(text)} is not a model's name; write it without spaces, such as llama3:8b")
    return text


def is_other_type(text: str) -> bool:
    """Whether a word without quotes reads as a number or a boolean rather than as a name."""
    return bool(_NUMBER.fullmatch(text)) or text.lower() in _TRUE | _FALSE
