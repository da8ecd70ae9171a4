from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.money import MAX_NANOS, ZERO, Usd

amounts = st.integers(0, MAX_NANOS // 2).map(Usd)


def test_a_cost_rounds_up_and_a_limit_rounds_down():
    assert Usd.cost(Decimal("0.0000000001")) == Usd(1)
    assert Usd.limit("0.0000000019") == Usd(1)
    assert Usd.limit(0.1) == Usd(100_000_000)


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "-inf", "ten", "", "1e30", "5000000000"])
def test_a_limit_that_is_no_amount_of_money_is_refused(text: str):
    with pytest.raises(ValueError, match="money"):
        Usd.limit(text)


@pytest.mark.parametrize(
    ("nanos", "shown"),
    [(0, "$0.00"), (1, "$0.000000001"), (1_500_000_000, "$1.50"), (1_234_567 * 10**9, "$1,234,567.00")],
)
def test_amounts_are_shown_in_dollars(nanos: int, shown: str):
    assert str(Usd(nanos)) == shown


@given(left=amounts, right=amounts)
def test_arithmetic_is_exact_and_never_negative(left: Usd, right: Usd):
    assert (left + right).minus(right) == left
    assert left.minus(left + right) == ZERO
