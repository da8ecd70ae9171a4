"""How an amount in a prompt is read."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.answer_values import amount


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3 1/2", Fraction(7, 2)),
        ("3 / 4", Fraction(3, 4)),
        ("½", Fraction(1, 2)),
        ("2 ½", Fraction(5, 2)),
        ("-2½", Fraction(-5, 2)),
        ("1,000½", Fraction(2001, 2)),
        (".5", Fraction(1, 2)),
        ("-1,200.5", Fraction(-2401, 2)),
        ("- ½", Fraction(-1, 2)),
        ("", None),
        ("-", None),
        ("1,2", None),
        ("2 1½", None),
        ("3/0", None),
    ],
)
def test_an_amount_is_read_as_english_writes_it(text: str, value: Fraction | None):
    assert amount(text) == value


@given(st.text("0123456789 .,/-−–½¼¾²٣a", max_size=12))
def test_whatever_is_written_is_read_or_is_none(text: str):
    value = amount(text)
    assert value is None or isinstance(value, Fraction)
