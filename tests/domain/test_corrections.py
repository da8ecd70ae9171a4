from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_mcp.domain.budget import Overbilled
from hybrid_mcp.domain.corrections import by_model, corrections, together
from hybrid_mcp.domain.errors import InvalidRequest
from hybrid_mcp.domain.money import MAX_NANOS, Usd
from tests.support_ledger import NOON

COSTS = st.lists(st.integers(min_value=1, max_value=MAX_NANOS // 8), min_size=1, max_size=6)


def calls(costs: list[int], model: str = "m") -> list[Overbilled]:
    return [Overbilled(model=model, bound=Usd(1), cost=Usd(cost), at=NOON) for cost in costs]


@given(COSTS, st.data())
def test_the_bill_is_shared_to_the_last_nano_dollar_and_nobody_pays_more_than_was_charged(
    costs: list[int], data: st.DataObject
) -> None:
    billed = data.draw(st.integers(0, sum(costs)))
    found = corrections(calls(costs), Usd(billed))
    assert [one.charged.nanos for one in found] == costs
    assert sum(one.billed.nanos for one in found) == billed
    assert all(one.billed <= one.charged and one.spent_delta <= 0 for one in found)
    assert sum(costs) + sum(one.spent_delta for one in found) == billed


@given(COSTS)
def test_a_bill_above_the_charge_is_refused(costs: list[int]) -> None:
    with pytest.raises(InvalidRequest, match="Nothing was changed"):
        corrections(calls(costs), Usd(sum(costs) + 1))


def test_calls_are_summed_up_by_model() -> None:
    found = by_model([*calls([5], "z"), *calls([2, 3], "a")])
    assert list(found) == ["a", "z"]
    assert found["a"] == together(calls([2, 3], "a"))
    assert (found["a"].cost, found["a"].bound, found["a"].calls) == (Usd(5), Usd(2), 2)
