from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hybrid_mcp.domain.budget import Caps
from hybrid_mcp.domain.errors import BudgetExceeded, StorageError
from hybrid_mcp.domain.reservation import SILENCE_S
from hybrid_mcp.ports import Ledger
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_books import balance, held, sent
from tests.support_ledger import ME, NOON, FakeClock, ended, free, hold, usd

pytestmark = pytest.mark.anyio

LEASE_S = 50.0
CAPS = Caps(day=usd("5"), month=usd("20"))


async def test_a_lease_that_ends_before_the_call_was_sent_frees_the_money(ledger: Ledger, clock: FakeClock) -> None:
    reservation = await ledger.reserve(hold("5", lease_s=LEASE_S), CAPS)
    clock.advance(LEASE_S - 0.001)
    assert await held(ledger) == balance(reserved="5")
    clock.advance(0.001)
    assert await held(ledger) == balance()
    with pytest.raises(StorageError) as refused:
        await ledger.dispatch(reservation)
    assert str(refused.value) == (
        f"the reservation {reservation.id} is voided because its lease ended, so it cannot take the step 'dispatch': "
        "send nothing, and call again"
    )


async def test_a_lease_that_ends_after_the_call_was_sent_charges_the_money(ledger: Ledger, clock: FakeClock) -> None:
    await sent(ledger, "4", lease_s=LEASE_S)
    clock.advance(LEASE_S)
    assert await held(ledger) == balance(spent="4")
    with pytest.raises(BudgetExceeded):
        await ledger.reserve(hold("1.01"), CAPS)


async def test_a_lease_that_ends_frees_its_money_for_the_very_next_call(ledger: Ledger, clock: FakeClock) -> None:
    await ledger.reserve(hold("5", lease_s=LEASE_S), CAPS)
    clock.advance(LEASE_S)
    assert await ledger.reserve(hold("5"), CAPS)


async def test_a_refused_call_still_closes_the_leases_that_ended(ledger: Ledger, clock: FakeClock) -> None:
    await sent(ledger, "4", lease_s=LEASE_S)
    clock.advance(LEASE_S)
    with pytest.raises(BudgetExceeded):
        await ledger.reserve(hold("2"), CAPS)
    assert await held(ledger) == balance(spent="4")


# The owner comes back after the sweep


@pytest.mark.parametrize("cost", ["0", "1.50", "4", "4.50"])
async def test_the_true_cost_replaces_what_the_sweep_has_charged(ledger: Ledger, clock: FakeClock, cost: str) -> None:
    reservation = await sent(ledger, "4", lease_s=LEASE_S)
    clock.advance(LEASE_S)
    assert await held(ledger) == balance(spent="4")
    await ledger.settle(reservation, ended(cost))
    assert await held(ledger) == balance(spent=cost)
    (row,) = await ledger.usage("model")
    assert (row.requests, row.cost) == (1, usd(cost))
    with pytest.raises(StorageError, match="is settled because its lease ended, so it cannot take the step 'settle'"):
        await ledger.settle(reservation, ended(cost))
    assert await held(ledger) == balance(spent=cost)


@pytest.mark.parametrize(("seen", "charged"), [("0", "4"), ("4.50", "4.50")])
async def test_an_outcome_that_stays_unknown_leaves_the_charge_of_the_sweep(
    ledger: Ledger, clock: FakeClock, seen: str, charged: str
) -> None:
    reservation = await sent(ledger, "4", lease_s=LEASE_S)
    clock.advance(LEASE_S)
    await ledger.forfeit(reservation, ended(seen, "timeout"))
    assert await held(ledger) == balance(spent=charged)


async def test_what_the_sweep_has_freed_is_not_freed_again(ledger: Ledger, clock: FakeClock) -> None:
    reservation = await ledger.reserve(hold("4", lease_s=LEASE_S), CAPS)
    clock.advance(LEASE_S)
    await ledger.reserve(hold("4"), CAPS)
    await ledger.void(reservation)
    await ledger.void(reservation)
    assert await held(ledger) == balance(reserved="4")


# Days and months


async def test_a_call_counts_in_the_day_and_the_month_that_it_was_reserved_in(ledger: Ledger, clock: FakeClock) -> None:
    clock.advance((datetime(2026, 11, 30, 23, 59, 50, tzinfo=UTC) - NOON).total_seconds())
    reservation = await sent(ledger, "5", CAPS)
    clock.advance(20)
    view = await ledger.view(CAPS, ME)
    assert (view.keys.day, view.keys.month, view.keys.project) == ("2026-12-01", "2026-12", "2026-12 project-1")
    assert {scope: view.balances[scope] for scope in ("day", "month", "project")} == {
        "day": balance(), "month": balance(), "project": balance(),
    }  # fmt: skip
    assert view.balances["client"] == balance(reserved="5")
    await sent(ledger, "5", CAPS)
    await ledger.settle(reservation, ended("4"))
    assert await held(ledger) == balance(reserved="5")
    assert [row.cost for row in await ledger.usage("day", "2026-11")] == [usd("4")]
    assert (await ledger.view(CAPS, ME)).balances["client"] == balance(spent="4", reserved="5")


async def test_an_ended_lease_counts_in_the_period_it_was_reserved_in(ledger: Ledger, clock: FakeClock) -> None:
    await sent(ledger, "4")
    clock.advance(40 * 86_400)
    assert await held(ledger) == balance()
    assert [(row.key, row.cost) for row in await ledger.usage("day", "2026-11")] == [("2026-11-20", usd("4"))]


async def test_periods_are_counted_in_utc(ledger: Ledger, clock: FakeClock) -> None:
    clock.advance((datetime.fromisoformat("2026-11-30T22:30:00-05:00") - NOON).total_seconds())
    reservation = await ledger.reserve(hold("0.40"), CAPS)
    assert (reservation.keys.month, reservation.keys.day) == ("2026-12", "2026-12-01")


@pytest.mark.parametrize(
    ("day", "until"),
    [("2026-11-30", "2026-12-01"), ("2026-12-01", "2027-01-01"), ("2027-02-28", "2027-03-01")],
)
async def test_a_refusal_says_when_the_next_month_begins(
    ledger: Ledger, clock: FakeClock, day: str, until: str
) -> None:
    clock.advance((datetime.fromisoformat(f"{day}T23:59:59Z") - NOON).total_seconds())
    with pytest.raises(BudgetExceeded, match=f"or wait until {until} 00:00 UTC"):
        await ledger.reserve(hold("0.50"), Caps(month=usd("0")))


# The clock is set back

BACK = {
    "by an hour": -3_600.0,
    "to another day": -86_400.0,
    "to another month": -35 * 86_400.0,
    "to 1970": (datetime(1970, 1, 1, tzinfo=UTC) - NOON).total_seconds(),
}


@pytest.fixture(params=BACK.values(), ids=list(BACK))
def back_s(request: pytest.FixtureRequest) -> float:
    return request.param


async def test_a_clock_that_is_set_back_does_not_begin_a_budget_afresh(
    ledger: Ledger, clock: FakeClock, back_s: float
) -> None:
    await ledger.settle(await sent(ledger, "4"), ended("4"))
    clock.jump(back_s)
    with pytest.raises(BudgetExceeded):
        await ledger.reserve(hold("1.01"), CAPS)
    assert (await sent(ledger, "1", CAPS)).keys.day == "2026-11-20"
    assert await held(ledger) == balance(spent="4", reserved="1")


async def test_leases_hold_and_end_while_the_clock_is_behind(ledger: Ledger, clock: FakeClock, back_s: float) -> None:
    before = await ledger.reserve(hold("1", lease_s=LEASE_S), CAPS)
    clock.jump(back_s)
    await ledger.dispatch(before)
    await ledger.reserve(hold("2", lease_s=LEASE_S), CAPS)
    clock.advance(LEASE_S - 1)
    assert await held(ledger) == balance(reserved="3")
    clock.advance(LEASE_S + 1)
    assert await held(ledger) == balance(spent="1")


async def test_a_lease_of_a_time_when_the_clock_is_behind_ends_though_nobody_looks(
    ledger: Ledger, clock: FakeClock, back_s: float
) -> None:
    await ledger.record(free(ended()))
    clock.jump(back_s)
    assert await held(ledger) == balance()
    clock.advance(10)
    await ledger.reserve(hold("1", lease_s=LEASE_S), CAPS)
    clock.advance(2 * LEASE_S)
    assert await held(ledger) == balance()


async def test_all_is_well_when_the_clock_is_right_again(ledger: Ledger, clock: FakeClock, back_s: float) -> None:
    reservation = await sent(ledger, "1", CAPS)
    clock.jump(back_s)
    clock.advance(10)
    await ledger.settle(reservation, ended("0.50"))
    await sent(ledger, "1", CAPS, lease_s=LEASE_S)
    clock.jump(-back_s)
    clock.advance(LEASE_S - 11)
    assert await held(ledger) == balance(spent="0.50", reserved="1")
    clock.advance(86_400)
    view = await ledger.view(CAPS, ME)
    assert (view.keys.day, view.balances["day"], view.balances["month"]) == (
        "2026-11-21", balance(), balance(spent="1.50"),
    )  # fmt: skip


async def test_a_clock_that_was_ahead_when_it_is_put_right_catches_up_with_the_book(
    ledger: Ledger, clock: FakeClock
) -> None:
    clock.jump(86_400)
    await ledger.settle(await sent(ledger, "5", CAPS), ended("5"))
    clock.jump(-86_400)
    with pytest.raises(BudgetExceeded):
        await ledger.reserve(hold("1"), CAPS)
    clock.advance(86_400)
    assert (await ledger.view(CAPS, ME)).keys.day == "2026-11-22"
    clock.advance(86_400)
    assert (await ledger.view(CAPS, ME)).keys.day == "2026-11-22"
    clock.advance(86_400)
    assert (await ledger.view(CAPS, ME)).keys.day == "2026-11-23"


async def test_a_book_that_is_opened_anew_keeps_its_time(path: Path, clock: FakeClock, back_s: float) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        await book.settle(await sent(book, "5"), ended("5"))
    clock.jump(back_s)
    async with aclosing(SqliteLedger(path, clock)) as book:
        with pytest.raises(BudgetExceeded):
            await book.reserve(hold("0.01"), CAPS)


# Owners that are silent


@pytest.fixture
async def other(path: Path, clock: FakeClock):
    """Another process with the same book."""
    async with aclosing(SqliteLedger(path, clock)) as one:
        yield one


async def test_a_silent_owner_is_given_up_for_lost_before_its_lease_ends(
    book: SqliteLedger, other: SqliteLedger, clock: FakeClock
) -> None:
    await sent(book, "1", lease_s=3_600)
    await book.reserve(hold("2", lease_s=3_600), CAPS)
    clock.advance(SILENCE_S - 0.001)
    assert await held(other) == balance(reserved="3")
    clock.advance(0.001)
    assert await held(other) == balance(spent="1")


async def test_an_owner_that_is_heard_of_keeps_its_leases_until_they_end(
    book: SqliteLedger, other: SqliteLedger, clock: FakeClock
) -> None:
    reservation = await sent(book, "1", lease_s=300)
    for _ in range(5):
        clock.advance(SILENCE_S - 1)
        await book.beat()
        assert await held(other) == balance(reserved="1")
    clock.advance(5)
    assert await held(other) == balance(spent="1")
    await book.settle(reservation, ended("0.25"))
    assert await held(other) == balance(spent="0.25")


async def test_one_owner_does_not_speak_for_another(book: SqliteLedger, other: SqliteLedger, clock: FakeClock) -> None:
    await sent(book, "1", lease_s=3_600)
    await sent(other, "2", lease_s=3_600)
    clock.advance(SILENCE_S - 1)
    await other.beat()
    clock.advance(1)
    assert await held(other) == balance(spent="1", reserved="2")


async def test_owners_stay_apart_while_the_clock_is_behind(
    book: SqliteLedger, other: SqliteLedger, clock: FakeClock
) -> None:
    await sent(book, "1", lease_s=3_600)
    clock.jump(-86_400)
    reservation = await sent(other, "2", lease_s=3_600)
    for _ in range(8):
        clock.advance(SILENCE_S / 4)
        await other.beat()
    assert await held(other) == balance(spent="1", reserved="2")
    await other.settle(reservation, ended("2"))


async def test_opening_the_book_closes_the_leases_that_ended(path: Path, clock: FakeClock) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        await sent(book, "0.30")
    clock.advance(80)
    async with aclosing(await SqliteLedger.open(path, clock)):
        pass
    clock.jump(-80)
    async with aclosing(SqliteLedger(path, clock)) as book:
        assert await held(book) == balance(spent="0.30")
