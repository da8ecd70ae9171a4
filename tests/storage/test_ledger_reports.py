from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import anyio
import pytest

from hybrid_mcp.domain.alerts import Alert, due
from hybrid_mcp.domain.budget import Caps, Overbilled
from hybrid_mcp.domain.errors import BudgetExceeded
from hybrid_mcp.domain.money import ZERO
from hybrid_mcp.domain.reservation import Settlement
from hybrid_mcp.domain.usage import ModelSpend, PeriodReport, UsageRow
from hybrid_mcp.ports import Ledger
from tests.support_books import balance, held, pay, sent
from tests.support_ledger import ME, NOON, FakeClock, ended, free, hold, usd

pytestmark = pytest.mark.anyio


async def finish(
    ledger: Ledger, settlement: Settlement, *, model: str = "acme:large", request_id: str | None = None
) -> None:
    reservation = await ledger.reserve(hold("0.50", model=model, request_id=request_id), Caps())
    await ledger.dispatch(reservation)
    await ledger.settle(reservation, settlement)


async def fill(ledger: Ledger) -> None:
    await ledger.record(free(ended(baseline="0.30")))
    await finish(ledger, ended("0.20", baseline="0.30"))
    await finish(ledger, ended("0.20", "doubtful", baseline="0.05"))
    await finish(ledger, ended("0.01", "failed", baseline="0.30", tokens=(9, 0)), model="acme:flaky")
    await ledger.record(free(ended("0", "failed", tokens=(9, 0)), model="here:broken"))
    unknown = await ledger.reserve(hold("0.25", model="acme:mute"), Caps())
    await ledger.dispatch(unknown)
    await ledger.forfeit(unknown, ended("0", "ok", baseline="1"))
    await ledger.void(await ledger.reserve(hold("0.25"), Caps()))
    await ledger.record(free(ended(baseline="0.11", tokens=(0, 0)), model="acme:large", source="cache"))


async def test_a_report_counts_answers_and_sums_all_money(ledger: Ledger) -> None:
    await fill(ledger)
    expected = PeriodReport(
        period="month",
        key="2026-11",
        balance=balance("0.66"),
        local_requests=1,
        cloud_requests=3,
        cached_requests=1,
        saved=usd("1.26"),
        by_model=(
            ModelSpend(model="acme:large", requests=2, cost=usd("0.40")),
            ModelSpend(model="acme:mute", requests=1, cost=usd("0.25")),
            ModelSpend(model="acme:flaky", requests=0, cost=usd("0.01")),
            ModelSpend(model="here:small", requests=1, cost=ZERO),
        ),
    )
    assert await ledger.report("month") == expected
    assert await ledger.report("day") == replace(expected, period="day", key="2026-11-20")


async def test_usage_is_grouped_by_day_model_or_source(ledger: Ledger) -> None:
    await fill(ledger)

    def row(key: str, requests: int, tokens: tuple[int, int], cost: str, saved: str) -> UsageRow:
        return UsageRow(
            key=key,
            requests=requests,
            input_tokens=tokens[0],
            output_tokens=tokens[1],
            cost=usd(cost),
            saved=usd(saved),
        )

    assert await ledger.usage("day") == (row("2026-11-20", 5, (418, 80), "0.66", "1.26"),)
    assert await ledger.usage("source") == (
        row("cloud", 3, (309, 60), "0.66", "0.85"),
        row("cache", 1, (0, 0), "0", "0.11"),
        row("local", 1, (109, 20), "0", "0.30"),
    )
    assert await ledger.usage("model") == (
        row("acme:large", 3, (200, 40), "0.40", "0.21"),
        row("acme:mute", 1, (100, 20), "0.25", "0.75"),
        row("acme:flaky", 0, (9, 0), "0.01", "0"),
        row("here:small", 1, (100, 20), "0", "0.30"),
    )


async def test_days_are_listed_in_order_and_months_are_kept_apart(ledger: Ledger, clock: FakeClock) -> None:
    for days in (1, 2, 37):
        clock.advance(days * 86_400)
        await ledger.record(free(ended(baseline="0.10"), model="acme:large", source="cache"))
    assert clock.now() == NOON + timedelta(days=40)
    assert [row.key for row in await ledger.usage("day")] == ["2026-12-30"]
    assert [row.key for row in await ledger.usage("day", "2026-11")] == ["2026-11-21", "2026-11-23"]
    assert await ledger.usage("day", "2026-10") == ()
    assert (await ledger.report("month")).cached_requests == 1
    clock.advance(86_400)
    assert (await ledger.report("month")).cached_requests == 1
    assert (await ledger.report("day")).cached_requests == 0


async def test_a_request_counts_once_at_its_last_answer_and_saves_what_all_attempts_left(ledger: Ledger) -> None:
    await ledger.record(free(ended("0", "doubtful", baseline="0.5"), request_id="one"))
    report = await ledger.report("month")
    assert (report.local_requests, report.saved) == (1, usd("0.5"))
    await finish(ledger, ended("0.1", "failed", baseline="0.5"), model="acme:a", request_id="one")
    assert (await ledger.report("month")).saved == usd("0.4")
    await finish(ledger, ended("0.2", "ok", baseline="0.5"), model="acme:b", request_id="one")
    report = await ledger.report("month")
    assert (report.local_requests, report.cloud_requests, report.saved) == (0, 1, usd("0.2"))
    assert {(row.model, row.requests, row.cost) for row in report.by_model} == {
        ("acme:a", 0, usd("0.1")), ("acme:b", 1, usd("0.2")),
    }  # fmt: skip


async def test_a_late_bill_changes_what_its_request_saved(ledger: Ledger, clock: FakeClock) -> None:
    reservation = await sent(ledger, "0.50", lease_s=50)
    clock.advance(50)
    (row,) = await ledger.usage("model")
    assert (row.requests, row.cost, row.saved) == (0, usd("0.50"), ZERO)
    await ledger.settle(reservation, ended("0.20", baseline="0.60"))
    (row,) = await ledger.usage("model")
    assert (row.requests, row.cost, row.saved) == (1, usd("0.20"), usd("0.40"))


# Alerts


async def test_each_alert_is_raised_once(ledger: Ledger, clock: FakeClock) -> None:
    caps = Caps(month=usd("1"), client=usd("2"))
    await pay(ledger, "0.80")
    view = await ledger.view(caps, ME)
    reached = due(view)
    assert reached == (
        Alert(scope="month", period="2026-11", percent=50, cap=usd("1")),
        Alert(scope="month", period="2026-11", percent=80, cap=usd("1")),
    )
    assert await ledger.raise_alerts(reached) == reached
    assert await ledger.raise_alerts(reached) == ()
    await pay(ledger, "0.20")
    rest = due(await ledger.view(caps, ME))
    assert {(one.scope, one.percent) for one in await ledger.raise_alerts(rest)} == {
        ("month", 95), ("month", 100), ("client", 50),
    }  # fmt: skip
    clock.advance(20 * 86_400)
    await pay(ledger, "0.50")
    again = due(await ledger.view(caps, ME))
    assert {(one.period, one.percent) for one in await ledger.raise_alerts(again)} == {("2026-12", 50)}


async def test_a_cap_that_was_changed_warns_anew(ledger: Ledger) -> None:
    await pay(ledger, "0.80")
    for cap in ("1", "1.50"):
        reached = due(await ledger.view(Caps(day=usd(cap)), ME))
        assert await ledger.raise_alerts(reached) == reached


async def test_of_many_who_raise_an_alert_at_once_one_is_given_it(ledger: Ledger) -> None:
    alert = Alert(scope="month", period="2026-11", percent=50, cap=usd("1"))
    given: list[Alert] = []

    async def ask() -> None:
        given.extend(await ledger.raise_alerts([alert]))

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(ask)
    assert given == [alert]


# Bills that are higher than they may be


async def test_a_model_that_charged_above_its_bound_is_charged_in_full_and_gets_no_paid_call(
    ledger: Ledger, clock: FakeClock
) -> None:
    reservation = await sent(ledger, "0.40")
    clock.advance(10)
    await ledger.settle(reservation, ended("30"))
    assert await held(ledger) == balance(spent="30")
    blocked = Overbilled(model="acme:large", bound=usd("0.40"), cost=usd("30"), at=NOON + timedelta(seconds=10))
    assert (await ledger.view(Caps(), ME)).blocked == {"acme:large": blocked}
    with pytest.raises(BudgetExceeded) as refused:
        await ledger.reserve(hold("0.01"), Caps())
    assert str(refused.value) == (
        "acme:large cost $30.00 where at most $0.40 was expected (2026-11-20 12:00 UTC): it gets no paid call until "
        "the owner has looked at its price and runs `hybrid-mcp models unblock acme:large`, with `--billed USD` where "
        "the provider's own bill says less"
    )
    assert await ledger.reserve(hold("0.01", model="acme:small"), Caps())


async def test_a_model_can_be_unblocked(ledger: Ledger) -> None:
    assert await ledger.unblock("acme:large") is None
    await ledger.settle(await sent(ledger, "0.40"), ended("0.41"))
    assert await ledger.unblock("acme:small") is None
    assert await ledger.unblock("acme:large") == Overbilled(
        model="acme:large", bound=usd("0.40"), cost=usd("0.41"), at=NOON
    )
    assert await ledger.unblock("acme:large") is None
    assert await held(ledger) == balance("0.41")
    assert (await ledger.view(Caps(), ME)).blocked == {}
    assert await ledger.reserve(hold("0.01"), Caps())


async def test_a_bill_at_its_bound_blocks_nothing(ledger: Ledger) -> None:
    await ledger.settle(await sent(ledger, "0.40"), ended("0.40"))
    assert (await ledger.view(Caps(), ME)).blocked == {}


async def test_calls_under_way_at_a_model_that_gets_blocked_are_still_charged(ledger: Ledger) -> None:
    first, second = await sent(ledger, "0.40"), await sent(ledger, "0.40")
    await ledger.settle(first, ended("1"))
    await ledger.settle(second, ended("0.30"))
    assert await held(ledger) == balance(spent="1.30")


async def test_a_late_bill_above_the_bound_blocks_too(ledger: Ledger, clock: FakeClock) -> None:
    reservation = await sent(ledger, "0.40", lease_s=50)
    clock.advance(50)
    await ledger.settle(reservation, ended("0.50"))
    assert list((await ledger.view(Caps(), ME)).blocked) == ["acme:large"]


@pytest.mark.parametrize(("billed", "told"), [("1.05", False), ("1.06", True), ("0.95", False), ("0.94", True)])
async def test_a_provider_that_charges_other_prices_than_the_book_is_told(
    ledger: Ledger, clock: FakeClock, billed: str, *, told: bool
) -> None:
    await finish(ledger, replace(ended("0.01"), billed=usd(billed), booked=usd("1")))
    await finish(ledger, replace(ended("0.01"), booked=None), model="acme:silent")
    expected = (
        f"acme:large says that it charged {usd(billed)} for calls that are worth $1.00 by its price: check the price "
        "(the higher of the two was charged to the budget, call by call)"
    )
    assert await ledger.notices() == ((expected,) if told else ())
    rows = {row.key: row.billed for row in await ledger.usage("model")}
    assert rows == {"acme:large": usd(billed), "acme:silent": None}
    clock.advance(30 * 86_400)
    assert await ledger.notices() == ()
