"""Small sums, worked out exactly and within bounds: whole numbers and decimals, plus, minus, times, divided, powers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

MOST_CHARACTERS = 100
_MOST_DIGITS = 15
_MOST_POWER = 20
_MOST_BITS = 400
_MOST_DEPTH = 8
_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?)|(\*\*|[-+*/^()]))")
_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "⋅": "*"})


class _NoSum(Exception):
    """The text is no sum, or one too large."""


def worked_out(text: str) -> Fraction | None:
    """The value of `12 * (3 + 4)` and the like, with the usual precedence; None where it is no sum or too large."""
    if len(text) > MOST_CHARACTERS:
        return None
    try:
        return _Reader(_tokens(text.translate(_SIGNS))).whole()
    except (_NoSum, ZeroDivisionError):
        return None


def _tokens(text: str) -> list[str]:
    text, found, at = text.strip(), list[str](), 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or len(match[1] or "") > _MOST_DIGITS:
            raise _NoSum
        found.append(match[1] or match[2])
        at = match.end()
    return found


class _Reader:
    """Reads tokens from left to right, by recursive descent."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Fraction:
        value = self._sum()
        if self._next() is not None:
            raise _NoSum
        return value

    def _next(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self, *signs: str) -> str | None:
        sign = self._next()
        if sign not in signs:
            return None
        self._at += 1
        return sign

    def _sum(self) -> Fraction:
        value = self._product()
        while sign := self._take("+", "-"):
            value = value + self._product() if sign == "+" else value - self._product()
        return value

    def _product(self) -> Fraction:
        value = self._signed()
        while sign := self._take("*", "/"):
            value = value * self._signed() if sign == "*" else value / self._signed()
        return value

    def _signed(self) -> Fraction:
        return -self._power() if self._take("-") else self._power()

    def _power(self) -> Fraction:
        base = self._operand()
        if not self._take("^", "**"):
            return base
        exponent = self._operand()
        if exponent.denominator != 1 or not 0 <= exponent <= _MOST_POWER or self._next() in {"^", "**"}:
            raise _NoSum
        if max(base.numerator.bit_length(), base.denominator.bit_length()) * int(exponent) > _MOST_BITS:
            raise _NoSum
        return base ** int(exponent)

    def _operand(self) -> Fraction:
        if self._take("("):
            self._depth += 1
            if self._depth > _MOST_DEPTH:
                raise _NoSum
            value = self._sum()
            if not self._take(")"):
                raise _NoSum
            self._depth -= 1
            return value
        number = self._next()
        if number is None or not number[0].isdigit():
            raise _NoSum
        self._at += 1
        return Fraction(number)
