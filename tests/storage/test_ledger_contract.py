from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import anyio
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, precondition, rule

from hybrid_mcp.domain.budget import (
    Balance,
    Caps,
    ModelSpend,
    PeriodReport,
    Reservation,
    Settlement,
    Source,
    UsageRow,
)
from hybrid_mcp.domain.errors import BudgetExceeded, StorageError
from hybrid_mcp.domain.money import ZERO, Usd
from hybrid_mcp.ports import Ledger
from hybrid_mcp.storage.memory import MemoryLedger
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_ledger import NOON, FakeClock, ended, hold, usd

pytestmark = pytest.mark.anyio

CAPS = Caps(request=usd("10"), day=usd("5"), month=usd("20"))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["memory", "sqlite"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> AsyncIterator[Ledger]:
    book: Ledger = MemoryLedger(clock) if request.param == "memory" else SqliteLedger(tmp_path / "ledger.db", clock)
    yield book
    with suppress(StorageError):
        assert await book.check() == []
    await book.aclose()


async def balances(ledger: Ledger, now: datetime = NOON) -> tuple[Balance, Balance]:
    """Of the day and the month, which must not differ from what the report says."""
    view = await ledger.view(CAPS, now)
    assert (await ledger.report("day", now)).balance == view.day
    assert (await ledger.report("month", now)).balance == view.month
    return view.day, view.month


def both(spent: str = "0", reserved: str = "0") -> tuple[Balance, Balance]:
    balance = Balance(spent=usd(spent), reserved=usd(reserved))
    return balance, balance


async def test_a_new_book_is_empty(ledger: Ledger) -> None:
    assert await balances(ledger) == both()
    assert await ledger.usage("model", NOON) == ()
    assert await ledger.check() == []


async def test_a_reservation_is_set_aside_in_its_day_and_its_month(ledger: Ledger) -> None:
    asked = hold("0.40")
    reservation = await ledger.reserve(asked, CAPS)
    assert reservation == Reservation(id=reservation.id, hold=asked, month="2026-11", day="2026-11-20")
    assert await balances(ledger) == both(reserved="0.40")


async def test_settling_charges_the_true_cost_and_frees_the_rest(ledger: Ledger) -> None:
    reservation = await ledger.reserve(hold("0.40"), CAPS)
    await ledger.dispatch(reservation)
    assert await balances(ledger) == both(reserved="0.40")
    await ledger.settle(reservation, ended("0.15"))
    assert await balances(ledger) == both(spent="0.15")


async def test_a_cost_above_the_bound_and_the_cap_is_recorded_in_full_and_blocks_the_next_call(ledger: Ledger) -> None:
    reservation = await ledger.reserve(hold("4"), CAPS)
    await ledger.dispatch(reservation)
    await ledger.settle(reservation, ended("30"))
    assert await balances(ledger) == both(spent="30")
    with pytest.raises(BudgetExceeded):
        await ledger.reserve(hold("0.000000001"), CAPS)


async def test_voiding_frees_all_of_it(ledger: Ledger) -> None:
    await ledger.void(await ledger.reserve(hold("0.40"), CAPS))
    assert await balances(ledger) == both()


async def test_forfeiting_charges_all_of_it(ledger: Ledger) -> None:
    reservation = await ledger.reserve(hold("0.40"), CAPS)
    await ledger.dispatch(reservation)
    await ledger.forfeit(reservation, ended("0.01", "timeout"))
    assert await balances(ledger) == both(spent="0.40")


async def test_a_cap_may_be_filled_exactly_and_not_by_one_more_nano_dollar(ledger: Ledger) -> None:
    caps = Caps(month=usd("1"))
    await ledger.reserve(hold("0.999999999"), caps)
    await ledger.reserve(hold("0.000000001"), caps)
    with pytest.raises(BudgetExceeded):
        await ledger.reserve(hold("0.000000001"), caps)
    assert await balances(ledger) == both(reserved="1")


async def test_a_refusal_names_the_month_its_numbers_and_what_to_do(ledger: Ledger) -> None:
    reservation = await ledger.reserve(hold("3"), Caps())
    await ledger.dispatch(reservation)
    await ledger.settle(reservation, ended("2.50"))
    await ledger.reserve(hold("1.25"), Caps())
    with pytest.raises(BudgetExceeded) as refused:
        await ledger.reserve(hold("0.50"), Caps(month=usd("4")))
    assert str(refused.value) == (
        "this call to acme:large may cost up to $0.50, which is more than is left of the month's cap of $4.00 "
        "(2026-11: $2.50 spent, $1.25 reserved, $0.25 left; raise monthly_budget in the profile or MONTHLY_BUDGET, "
        "or wait until 2026-12-01 00:00 UTC). A local model costs nothing and may always be used."
    )


@pytest.mark.parametrize(
    ("day", "until"),
    [("2026-10-31", "2026-11-01"), ("2026-12-01", "2027-01-01"), ("2027-02-28", "2027-03-01")],
)
async def test_a_refusal_says_when_the_next_month_begins(ledger: Ledger, day: str, until: str) -> None:
    with pytest.raises(BudgetExceeded, match=f"or wait until {until} 00:00 UTC"):
        await ledger.reserve(hold("0.50", at=datetime.fromisoformat(f"{day}T23:59:59Z")), Caps(month=ZERO))


async def test_a_refusal_names_every_cap_that_does_not_hold_it(ledger: Ledger) -> None:
    with pytest.raises(BudgetExceeded) as refused:
        await ledger.reserve(hold("0.50"), Caps(request=usd("0.10"), day=usd("0.20")))
    assert str(refused.value) == (
        "this call to acme:large may cost up to $0.50, which is above the cap of $0.10 for one request (raise max_cost "
        "or ask for fewer output tokens); and more than is left of the day's cap of $0.20 (2026-11-20: $0.00 spent, "
        "$0.00 reserved, $0.20 left; raise daily_budget in the profile or DAILY_BUDGET, or wait until 2026-11-21 00:00 "
        "UTC). A local model costs nothing and may always be used."
    )


@pytest.mark.parametrize(
    "caps",
    [Caps(request=usd("0.30")), Caps(day=usd("0.30")), Caps(month=usd("0.30")), Caps(day=usd("9"), month=usd("0.3"))],
)
async def test_a_refused_hold_leaves_nothing_behind_in_any_period(ledger: Ledger, caps: Caps) -> None:
    with pytest.raises(BudgetExceeded):
        await ledger.reserve(hold("0.40"), caps)
    assert await balances(ledger) == both()
    assert await ledger.reserve(hold("0.30"), caps)


@pytest.mark.parametrize("caps", [Caps(request=ZERO), Caps(day=ZERO), Caps(month=ZERO)])
async def test_a_cap_of_zero_refuses_any_cost_and_no_free_call(ledger: Ledger, caps: Caps) -> None:
    with pytest.raises(BudgetExceeded):
        await ledger.reserve(hold("0.000000001"), caps)
    assert await ledger.reserve(hold("0", source="local"), caps)


async def test_a_free_call_passes_where_the_cap_was_lowered_below_what_is_spent(ledger: Ledger) -> None:
    reservation = await ledger.reserve(hold("3"), CAPS)
    await ledger.dispatch(reservation)
    await ledger.settle(reservation, ended("3"))
    free = await ledger.reserve(hold("0", source="local"), Caps(day=usd("1"), month=usd("1")))
    await ledger.dispatch(free)
    await ledger.settle(free, ended("0"))
    assert await balances(ledger) == both(spent="3")


async def test_a_call_counts_in_the_day_and_the_month_that_it_was_reserved_in(ledger: Ledger, clock: FakeClock) -> None:
    before_midnight = datetime(2026, 11, 30, 23, 59, 50, tzinfo=UTC)
    reservation = await ledger.reserve(hold("0.40", at=before_midnight, lease_s=1e9), CAPS)
    clock.advance((before_midnight - NOON).total_seconds() + 20)
    await ledger.dispatch(reservation)
    await ledger.settle(reservation, ended("0.40"))
    assert await balances(ledger, before_midnight) == both(spent="0.40")
    assert await balances(ledger, clock.now()) == both()


async def test_periods_are_counted_in_utc(ledger: Ledger) -> None:
    eastern = datetime.fromisoformat("2026-11-30T22:30:00-05:00")
    reservation = await ledger.reserve(hold("0.40", at=eastern, lease_s=1e9), CAPS)
    assert (reservation.month, reservation.day) == ("2026-12", "2026-12-01")


Step = Callable[[Ledger, Reservation], Awaitable[None]]


async def dispatch(ledger: Ledger, reservation: Reservation) -> None:
    await ledger.dispatch(reservation)


async def settle(ledger: Ledger, reservation: Reservation) -> None:
    await ledger.settle(reservation, ended("0.10"))


async def void(ledger: Ledger, reservation: Reservation) -> None:
    await ledger.void(reservation)


async def forfeit(ledger: Ledger, reservation: Reservation) -> None:
    await ledger.forfeit(reservation, ended(outcome="failed"))


@pytest.mark.parametrize(
    ("before", "wrong", "message"),
    [
        ((), settle, "is reserved, so it cannot take the step 'settle': nothing was changed"),
        ((), forfeit, "is reserved, so it cannot take the step 'forfeit': nothing was changed"),
        ((dispatch,), dispatch, "is dispatched, so it cannot take the step 'dispatch': send nothing, and call again"),
        ((dispatch,), void, "is dispatched, so it cannot take the step 'void': nothing was changed"),
        ((dispatch, settle), settle, "is settled, so it cannot take the step 'settle': nothing was changed"),
        ((dispatch, settle), forfeit, "is settled, so it cannot take the step 'forfeit': nothing was changed"),
        ((dispatch, settle), void, "is settled, so it cannot take the step 'void': nothing was changed"),
        ((dispatch, forfeit), settle, "is forfeited, so it cannot take the step 'settle': nothing was changed"),
        ((dispatch, forfeit), forfeit, "is forfeited, so it cannot take the step 'forfeit': nothing was changed"),
        ((void,), dispatch, "is voided, so it cannot take the step 'dispatch': send nothing, and call again"),
        ((void,), void, "is voided, so it cannot take the step 'void': nothing was changed"),
    ],
)
async def test_a_step_out_of_order_is_refused_and_moves_no_money(
    ledger: Ledger, before: tuple[Step, ...], wrong: Step, message: str
) -> None:
    reservation = await ledger.reserve(hold("0.40"), CAPS)
    for step in before:
        await step(ledger, reservation)
    held = await balances(ledger)
    with pytest.raises(StorageError) as refused:
        await wrong(ledger, reservation)
    assert str(refused.value) == f"the reservation {reservation.id} {message}"
    assert await balances(ledger) == held


async def test_a_reservation_of_another_book_is_refused(ledger: Ledger, clock: FakeClock) -> None:
    stranger = await MemoryLedger(clock).reserve(hold("0.40"), CAPS)
    with pytest.raises(StorageError, match="does not hold the reservation"):
        await ledger.dispatch(stranger)


async def test_a_lease_that_ends_before_the_call_was_sent_frees_the_money(ledger: Ledger, clock: FakeClock) -> None:
    reservation = await ledger.reserve(hold("5", lease_s=80), CAPS)
    clock.advance(79.999)
    assert await balances(ledger) == both(reserved="5")
    clock.advance(0.001)
    assert await balances(ledger) == both()
    with pytest.raises(StorageError, match="is voided because its lease ended, so it cannot take the step 'dispatch'"):
        await ledger.dispatch(reservation)


async def test_a_lease_that_ends_after_the_call_was_sent_charges_the_money(ledger: Ledger, clock: FakeClock) -> None:
    reservation = await ledger.reserve(hold("4"), CAPS)
    await ledger.dispatch(reservation)
    clock.advance(80)
    assert await balances(ledger) == both(spent="4")
    with pytest.raises(BudgetExceeded):
        await ledger.reserve(hold("1.01", at=clock.now()), CAPS)


async def test_a_lease_that_ends_frees_its_money_for_the_very_next_call(ledger: Ledger, clock: FakeClock) -> None:
    await ledger.reserve(hold("5"), CAPS)
    clock.advance(80)
    assert await ledger.reserve(hold("5", at=clock.now()), CAPS)


async def test_a_refused_call_still_closes_the_leases_that_ended(ledger: Ledger, clock: FakeClock) -> None:
    reservation = await ledger.reserve(hold("4"), CAPS)
    await ledger.dispatch(reservation)
    clock.advance(80)
    with pytest.raises(BudgetExceeded):
        await ledger.reserve(hold("2", at=clock.now()), CAPS)
    assert await balances(ledger) == both(spent="4")


@pytest.mark.parametrize("late", [settle, forfeit])
async def test_what_the_sweep_has_charged_stands_when_the_owner_comes_late(
    ledger: Ledger, clock: FakeClock, late: Step
) -> None:
    reservation = await ledger.reserve(hold("4"), CAPS)
    await ledger.dispatch(reservation)
    clock.advance(80)
    assert await balances(ledger) == both(spent="4")
    await late(ledger, reservation)
    await late(ledger, reservation)
    assert await balances(ledger) == both(spent="4")


async def test_what_the_sweep_has_freed_is_not_freed_again(ledger: Ledger, clock: FakeClock) -> None:
    reservation = await ledger.reserve(hold("4"), CAPS)
    clock.advance(80)
    other = await ledger.reserve(hold("4", at=clock.now()), CAPS)
    await ledger.void(reservation)
    assert await balances(ledger) == both(reserved="4")
    await ledger.void(other)


async def test_an_ended_lease_counts_in_the_period_it_was_reserved_in(ledger: Ledger, clock: FakeClock) -> None:
    reservation = await ledger.reserve(hold("4"), CAPS)
    await ledger.dispatch(reservation)
    clock.advance(40 * 86_400)
    assert await balances(ledger, clock.now()) == both()
    assert await balances(ledger, NOON) == both(spent="4")


async def test_of_fifty_calls_at_once_only_those_that_fit_are_granted(ledger: Ledger) -> None:
    granted: list[Reservation] = []
    refused: list[str] = []

    async def attempt() -> None:
        try:
            granted.append(await ledger.reserve(hold("0.10"), Caps(day=usd("1"))))
        except BudgetExceeded as error:
            refused.append(str(error))

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(attempt)
    assert (len(granted), len(refused)) == (10, 40)
    assert await balances(ledger) == both(reserved="1")


async def finish(ledger: Ledger, settlement: Settlement, **asked: str) -> None:
    model = asked.get("model", "acme:large")
    source = "local" if model.startswith("ollama:") else "cloud"
    reservation = await ledger.reserve(hold(asked.get("bound", "0"), model=model, source=source), Caps())
    await ledger.dispatch(reservation)
    await ledger.settle(reservation, settlement)


async def fill(ledger: Ledger) -> None:
    await finish(ledger, ended(baseline="0.30"), model="ollama:small")
    await finish(ledger, ended("0.20", baseline="0.30"), bound="0.50")
    await finish(ledger, ended("0.20", "doubtful", baseline="0.05"), bound="0.50")
    await finish(ledger, ended("0.01", "failed", baseline="0.30", tokens=(9, 0)), model="acme:flaky", bound="0.50")
    await finish(ledger, ended("0", "failed", tokens=(9, 0)), model="ollama:broken")
    unknown = await ledger.reserve(hold("0.25", model="acme:mute"), Caps())
    await ledger.dispatch(unknown)
    await ledger.forfeit(unknown, ended("0", "ok", baseline="1"))
    await ledger.void(await ledger.reserve(hold("0.25"), Caps()))
    await ledger.record_cached("request-2", "acme:large", usd("0.11"), NOON)


async def test_a_report_counts_answers_and_sums_all_money(ledger: Ledger) -> None:
    await fill(ledger)
    assert await ledger.report("month", NOON) == PeriodReport(
        period="month",
        key="2026-11",
        balance=Balance(spent=usd("0.66")),
        local_requests=1,
        cloud_requests=3,
        cached_requests=1,
        saved=usd("1.26"),
        by_model=(
            ModelSpend(model="acme:large", requests=2, cost=usd("0.40")),
            ModelSpend(model="acme:mute", requests=1, cost=usd("0.25")),
            ModelSpend(model="acme:flaky", requests=0, cost=usd("0.01")),
            ModelSpend(model="ollama:small", requests=1, cost=ZERO),
        ),
    )


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

    assert await ledger.usage("day", NOON) == (row("2026-11-20", 5, (418, 80), "0.66", "1.26"),)
    assert await ledger.usage("source", NOON) == (
        row("cloud", 3, (309, 60), "0.66", "0.85"),
        row("cache", 1, (0, 0), "0", "0.11"),
        row("local", 1, (109, 20), "0", "0.30"),
    )
    assert await ledger.usage("model", NOON) == (
        row("acme:large", 3, (200, 40), "0.40", "0.21"),
        row("acme:mute", 1, (100, 20), "0.25", "0.75"),
        row("acme:flaky", 0, (9, 0), "0.01", "0"),
        row("ollama:small", 1, (100, 20), "0", "0.30"),
    )


async def test_days_are_listed_in_order_and_other_months_are_left_out(ledger: Ledger, clock: FakeClock) -> None:
    for days in (3, 1, 40):
        await ledger.record_cached(f"request-{days}", "acme:large", usd("0.10"), NOON + timedelta(days=days))
    assert [row.key for row in await ledger.usage("day", NOON)] == ["2026-11-21", "2026-11-23"]
    assert (await ledger.report("month", NOON)).cached_requests == 2
    assert (await ledger.report("day", NOON + timedelta(days=3))).cached_requests == 1
    assert (await ledger.report("day", NOON)).cached_requests == 0


async def test_a_closed_book_says_so(ledger: Ledger) -> None:
    reservation = await ledger.reserve(hold("0.40"), CAPS)
    await ledger.aclose()
    await ledger.aclose()
    steps: list[Callable[[], Awaitable[object]]] = [
        lambda: ledger.reserve(hold("0.40"), CAPS),
        lambda: ledger.dispatch(reservation),
        lambda: ledger.void(reservation),
        lambda: ledger.view(CAPS, NOON),
        lambda: ledger.report("day", NOON),
        lambda: ledger.usage("day", NOON),
        lambda: ledger.record_cached("request-1", "acme:large", ZERO, NOON),
        ledger.check,
    ]
    for step in steps:
        with pytest.raises(StorageError, match="is closed: open it again"):
            await step()


AMOUNTS = st.integers(min_value=0, max_value=400).map(lambda cents: Usd(cents * 10_000_000))
LIMITS = st.none() | AMOUNTS


class Twins(RuleBasedStateMachine):
    """The same steps on both ledgers: they agree, balance, keep the caps, and hold what a provider may have billed."""

    reservations = Bundle("reservations")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
        self.folder = tempfile.mkdtemp(dir=memory)
        self.clock = FakeClock()
        self.ledgers: tuple[Ledger, Ledger] = (
            MemoryLedger(self.clock),
            SqliteLedger(Path(self.folder) / "ledger.db", self.clock),
        )
        self.caps = Caps(day=usd("3"), month=usd("5"))
        self.within_caps = True
        self.billed: dict[str, int] = {}
        self.months: dict[str, datetime] = {}

    def teardown(self) -> None:
        found = [self.runner.run(ledger.check()) for ledger in self.ledgers]
        for ledger in self.ledgers:
            self.runner.run(ledger.aclose())
        self.runner.close()
        shutil.rmtree(self.folder)
        assert found == [[], []]

    def twice(self, step: Callable[[int, Ledger], Awaitable[object]]) -> list[object]:
        """The two results, ids left out."""

        async def one(number: int, ledger: Ledger) -> object:
            try:
                return await step(number, ledger)
            except BudgetExceeded as error:
                return f"refused: {error}"
            except StorageError as error:
                return f"out of order: {str(error).partition(' is ')[2]}"

        return [self.runner.run(one(number, ledger)) for number, ledger in enumerate(self.ledgers)]

    @rule(target=reservations, bound=AMOUNTS, lease_s=st.sampled_from([5.0, 80.0]))
    def reserve(self, bound: Usd, lease_s: float) -> object:
        asked = replace(hold("0", at=self.clock.now(), lease_s=lease_s), bound=bound)
        memory, sqlite = self.twice(lambda _, ledger: ledger.reserve(asked, self.caps))
        if isinstance(memory, Reservation) and isinstance(sqlite, Reservation):
            assert replace(memory, id="") == replace(sqlite, id="")
            self.months[memory.month] = self.clock.now()
            return (memory, sqlite)
        assert isinstance(memory, str)
        assert memory == sqlite
        assert bound > ZERO
        return cast("object", multiple())

    @rule(pair=reservations)
    def dispatch(self, pair: tuple[Reservation, Reservation]) -> None:
        memory, sqlite = self.twice(lambda number, ledger: ledger.dispatch(pair[number]))
        assert memory == sqlite
        if memory is None:
            self.billed[pair[0].id] = pair[0].hold.bound.nanos

    @rule(pair=consumes(reservations))
    def dispatch_and_settle_below_the_bound(self, pair: tuple[Reservation, Reservation]) -> None:
        below = replace(ended(), cost=Usd(pair[0].hold.bound.nanos // 3))
        self.dispatch(pair)
        memory, sqlite = self.twice(lambda number, ledger: ledger.settle(pair[number], below))
        assert memory == sqlite
        if memory is None:
            self.billed[pair[0].id] = below.cost.nanos

    @rule(pair=reservations, cost=AMOUNTS)
    def settle(self, pair: tuple[Reservation, Reservation], cost: Usd) -> None:
        true_cost = replace(ended(baseline="2"), cost=cost)
        memory, sqlite = self.twice(lambda number, ledger: ledger.settle(pair[number], true_cost))
        assert memory == sqlite
        if memory is None:
            self.billed[pair[0].id] = min(cost, pair[0].hold.bound).nanos
            self.within_caps = self.within_caps and cost <= pair[0].hold.bound

    @rule(pair=reservations)
    def void(self, pair: tuple[Reservation, Reservation]) -> None:
        memory, sqlite = self.twice(lambda number, ledger: ledger.void(pair[number]))
        assert memory == sqlite

    @rule(pair=reservations)
    def forfeit(self, pair: tuple[Reservation, Reservation]) -> None:
        unknown = ended(outcome="timeout")
        memory, sqlite = self.twice(lambda number, ledger: ledger.forfeit(pair[number], unknown))
        assert memory == sqlite

    @rule(saved=AMOUNTS)
    def record_cached(self, saved: Usd) -> None:
        self.twice(lambda _, ledger: ledger.record_cached("request-1", "acme:large", saved, self.clock.now()))

    @rule(seconds=st.sampled_from([1.0, 4.0, 60.0, 43_200.0, 86_400.0, 20 * 86_400.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(day=LIMITS, month=LIMITS, request=LIMITS)
    def caps_change(self, day: Usd | None, month: Usd | None, request: Usd | None) -> None:
        self.caps = Caps(day=day, month=month, request=request)
        view = self.runner.run(self.ledgers[0].view(self.caps, self.clock.now()))
        self.within_caps = all(
            cap is None or balance.committed <= cap for cap, balance in ((day, view.day), (month, view.month))
        )

    @invariant()
    def they_agree(self) -> None:
        for period in ("day", "month"):
            memory, sqlite = self.twice(lambda _, ledger, period=period: ledger.report(period, self.clock.now()))
            assert memory == sqlite
        memory, sqlite = self.twice(lambda _, ledger: ledger.usage("model", self.clock.now()))
        assert memory == sqlite

    @invariant()
    def the_book_holds_what_may_have_been_billed(self) -> None:
        for ledger in self.ledgers:
            months = [self.runner.run(ledger.report("month", now)) for now in self.months.values()]
            assert sum(self.billed.values()) <= sum(month.balance.committed.nanos for month in months)

    @precondition(lambda self: self.within_caps)
    @invariant()
    def no_cap_is_passed(self) -> None:
        for ledger in self.ledgers:
            view = self.runner.run(ledger.view(self.caps, self.clock.now()))
            assert self.caps.day is None or view.day.committed <= self.caps.day
            assert self.caps.month is None or view.month.committed <= self.caps.month


TestTwins = Twins.TestCase
TestTwins.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


async def test_a_request_counts_once_at_its_last_answer_and_saves_what_all_attempts_left(ledger: Ledger):
    async def attempt(model: str, source: Source, cost: str, outcome: str) -> None:
        reservation = await ledger.reserve(hold("1", model=model, source=source, request_id="one"), Caps())
        await ledger.dispatch(reservation)
        await ledger.settle(reservation, ended(cost, outcome, baseline="0.5"))

    await attempt("here:small", "local", "0", "doubtful")
    await attempt("cloud:a", "cloud", "0.1", "failed")
    await attempt("cloud:b", "cloud", "0.2", "ok")
    report = await ledger.report("month", NOON)
    assert (report.local_requests, report.cloud_requests, report.saved) == (0, 1, usd("0.2"))
    assert {(row.model, row.requests, row.cost) for row in report.by_model} == {
        ("cloud:a", 0, usd("0.1")), ("cloud:b", 1, usd("0.2")),
    }  # fmt: skip
