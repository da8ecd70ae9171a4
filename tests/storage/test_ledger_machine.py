from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from hybrid_mcp.domain.money import ZERO, Usd
from hybrid_mcp.domain.reservation import LOST, Event, Settlement, charge
from hybrid_mcp.storage import memory, sqlite_book
from tests.support_long import LONG
from tests.support_machine import InMemory, Money, OnDisk
from tests.support_twins import Twins

THOROUGH = settings(stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

TestInMemory = InMemory.TestCase
TestInMemory.settings = settings(THOROUGH, max_examples=100 if LONG else 25)
TestOnDisk = OnDisk.TestCase
TestOnDisk.settings = settings(THOROUGH, max_examples=50 if LONG else 12)
TestTwins = Twins.TestCase
TestTwins.settings = settings(THOROUGH, max_examples=20 if LONG else 6)

SEARCH = settings(
    THOROUGH, max_examples=100, derandomize=True, database=None, phases=[Phase.generate], report_multiple_bugs=False
)
"""Finds the same every time, and does not make it small."""


@pytest.mark.parametrize(("lives", "storage"), [(InMemory, memory), (OnDisk, sqlite_book)])
def test_the_lives_show_a_sweep_that_frees_what_was_sent(
    lives: type[Money], storage: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def freed(event: Event, bound: Usd, settlement: Settlement | None) -> Usd:
        return ZERO if settlement is LOST else charge(event, bound, settlement)

    monkeypatch.setattr(storage, "charge", freed)
    with pytest.raises(AssertionError, match=r"billed, \d+ in the book"):
        run_state_machine_as_test(lives, settings=SEARCH)
