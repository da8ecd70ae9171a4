"""Random lives of a book of money, watched by a provider that keeps its own accounts."""

from __future__ import annotations

import asyncio
import shutil
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar, cast

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from hybrid_mcp.domain.budget import SCOPES, Account, BudgetView, Caps, Overbilled, PeriodName, Scope, period_end
from hybrid_mcp.domain.corrections import corrections
from hybrid_mcp.domain.errors import BudgetExceeded, InvalidRequest, StorageError
from hybrid_mcp.domain.money import ZERO, Usd
from hybrid_mcp.domain.reservation import Reservation, Settlement
from hybrid_mcp.ports import Ledger
from hybrid_mcp.storage.memory import MemoryLedger
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_books import fast_folder
from tests.support_ledger import ME, NOON, FakeClock, ended, free, hold

T = TypeVar("T")

AMOUNTS = st.integers(min_value=0, max_value=100).map(lambda cents: Usd(cents * 10_000_000))
LIMITS = st.sampled_from([None, Usd(0), Usd.limit("0.50"), Usd.limit(2), Usd.limit(4), Usd.limit(20)])
ACCOUNTS = (ME, Account(client="client-1", project="project-2"), Account(client="client-2", project="project-1"))
MODELS = ("acme:large", "acme:small")
PROCESSES = st.integers(min_value=0, max_value=1)
PERIODS: tuple[PeriodName, ...] = ("day", "month")
HOUR_S, DAY_S = 3_600.0, 86_400.0
END_S = 100 * DAY_S


@dataclass(eq=False, slots=True)
class Call:
    """One attempt, as its process sees it. `ledger`: that of the process."""

    ledger: Ledger
    reservation: Reservation


class Money(RuleBasedStateMachine):
    """Two processes, or one where the book is in memory; a crash leaves its reservations to the other one.

    What is promised at every step: no cap is passed as long as every bill stays within its bound, and then nothing more
    is granted; what the provider billed is never more than what the book holds; every sum is that of its entries.
    """

    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = fast_folder()
        self.clock = FakeClock()
        self.wrong_s = 0.0
        self.ledgers = self.start()
        self.caps = Caps(day=Usd.limit(3), month=Usd.limit(5), client=Usd.limit(6), project=Usd.limit(4))
        self.made: dict[str, Reservation] = {}
        self.billed: dict[str, int] = {}
        self.above: dict[tuple[Scope, str], int] = defaultdict(int)
        self.most: dict[tuple[Scope, str], int | None] = {}
        self.blocked: dict[str, list[str]] = {}
        self.lifted: dict[str, list[str]] = {}

    def start(self) -> list[Ledger]:
        raise NotImplementedError

    def run(self, step: Awaitable[T]) -> T:
        return self.runner.run(cast("Coroutine[Any, Any, T]", step))

    def ledger(self, process: int) -> Ledger:
        return self.ledgers[process % len(self.ledgers)]

    # Money

    @rule(
        target=calls, process=PROCESSES, account=st.sampled_from(ACCOUNTS), model=st.sampled_from(MODELS),
        bound=AMOUNTS, lease_s=st.sampled_from([5.0, 80.0, HOUR_S]),
    )  # fmt: skip
    def reserve(self, process: int, account: Account, model: str, bound: Usd, lease_s: float) -> object:
        ledger = self.ledger(process)
        asked = replace(hold("0", model=model, lease_s=lease_s, account=account), bound=bound)
        try:
            reservation = self.run(ledger.reserve(asked, self.caps))
        except BudgetExceeded:
            view = self.run(ledger.view(self.caps, account))
            assert model in self.blocked or any(
                not view.balances[scope].fits(bound, self.caps.of(scope)) for scope in SCOPES
            ), "refused although it fits"
            return cast("object", multiple())
        self.granted(ledger, reservation)
        return Call(ledger, reservation)

    def granted(self, ledger: Ledger, reservation: Reservation) -> None:
        asked = reservation.hold
        view = self.run(ledger.view(self.caps, asked.account))
        assert view.keys == reservation.keys
        assert asked.model not in self.blocked, "a blocked model was paid"
        for scope in SCOPES:
            cap = self.caps.of(scope)
            key: tuple[Scope, str] = scope, view.keys.of(scope)
            assert asked.bound == ZERO or cap is None or view.balances[scope].committed <= cap, f"{scope}: over the cap"
            if cap is None or self.most.get(key, 0) is None:
                self.most[key] = None
            elif asked.bound > ZERO:
                self.most[key] = max(self.most.get(key) or 0, cap.nanos)
        self.made[reservation.id] = reservation

    @rule(call=calls)
    def dispatch(self, call: Call) -> None:
        """From now on the provider may charge all of it, and until it says otherwise we take it to do so."""
        if self.done(call.ledger.dispatch(call.reservation)):
            assert call.reservation.id not in self.billed, "sent twice"
            self.billed[call.reservation.id] = call.reservation.hold.bound.nanos

    @rule(target=calls, process=PROCESSES, account=st.sampled_from(ACCOUNTS), bound=AMOUNTS)
    def send(self, process: int, account: Account, bound: Usd) -> object:
        call = self.reserve(process, account, MODELS[0], bound, 80.0)
        if isinstance(call, Call):
            self.dispatch(call)
        return call

    @rule(call=calls, percent=st.sampled_from([0, 33, 100]))
    def settle(self, call: Call, percent: int) -> None:
        cost = Usd(call.reservation.hold.bound.nanos * percent // 100)
        self.end(call, call.ledger.settle, replace(ended(baseline="2"), cost=cost))

    @rule(call=calls, more=AMOUNTS)
    def settle_above_the_bound(self, call: Call, more: Usd) -> None:
        cost = call.reservation.hold.bound + more + Usd(1)
        self.end(call, call.ledger.settle, replace(ended(), cost=cost))

    @rule(call=calls)
    def void(self, call: Call) -> None:
        if self.done(call.ledger.void(call.reservation)):
            assert call.reservation.id not in self.billed, "what was sent was voided"

    @rule(call=calls, seen=AMOUNTS)
    def forfeit(self, call: Call, seen: Usd) -> None:
        self.end(call, call.ledger.forfeit, replace(ended(outcome="timeout"), cost=seen))

    def end(
        self, call: Call, step: Callable[[Reservation, Settlement], Awaitable[None]], settlement: Settlement
    ) -> None:
        if not self.done(step(call.reservation, settlement)):
            return
        reservation, cost = call.reservation, settlement.cost.nanos
        bound = reservation.hold.bound.nanos
        assert reservation.id in self.billed, "charged, but never sent"
        known = settlement.outcome == "ok"
        self.billed[reservation.id] = cost if known else max(cost, bound)
        if cost > bound:
            self.blocked.setdefault(reservation.hold.model, []).append(reservation.id)
            self.is_above(reservation, cost - bound)

    def is_above(self, reservation: Reservation, change: int) -> None:
        for scope in SCOPES:
            self.above[scope, reservation.keys.of(scope)] += change

    @rule(process=PROCESSES)
    def record(self, process: int) -> None:
        self.run(self.ledger(process).record(free(ended(baseline="1"))))

    @rule(process=PROCESSES, model=st.sampled_from(MODELS))
    def unblock(self, process: int, model: str) -> None:
        found = self.run(self.ledger(process).unblock(model))
        assert (found is not None) is (model in self.blocked)
        if found is not None:
            self.lifted[model] = self.blocked.pop(model)

    @rule(process=PROCESSES, model=st.sampled_from(MODELS), percent=st.sampled_from([0, 1, 100]))
    def unblock_with_a_bill(self, process: int, model: str, percent: int) -> None:
        """The provider never charged what it said that it did."""
        ledger, names = self.ledger(process), self.blocked.pop(model, self.lifted.get(model, []))
        self.lifted.pop(model, None)
        total = Usd(sum(self.billed[name] for name in names))
        if names:
            with pytest.raises(InvalidRequest, match="that was charged for"):
                self.run(ledger.unblock(model, total + Usd(1)))
        billed = Usd(total.nanos * percent // 100)
        found = self.run(ledger.unblock(model, billed))
        assert (None if found is None else (found.cost, found.calls)) == ((total, len(names)) if names else None)
        calls = [Overbilled(model=model, bound=ZERO, cost=Usd(self.billed[name]), at=NOON) for name in names]
        for name, correction in zip(names, corrections(calls, billed) if names else (), strict=True):
            reservation, bound = self.made[name], self.made[name].hold.bound.nanos
            self.is_above(reservation, max(0, correction.billed.nanos - bound) - (self.billed[name] - bound))
            self.billed[name] = correction.billed.nanos

    @rule(day=LIMITS, month=LIMITS, client=LIMITS, project=LIMITS)
    def the_caps_change(self, day: Usd | None, month: Usd | None, client: Usd | None, project: Usd | None) -> None:
        self.caps = Caps(day=day, month=month, client=client, project=project)

    def done(self, step: Awaitable[None]) -> bool:
        """False where it was out of order, or came too late."""
        try:
            self.run(step)
        except StorageError as error:
            if self.may_refuse(str(error)):
                return False
            raise
        return True

    def may_refuse(self, why: str) -> bool:
        return "so it cannot take the step" in why

    # Time and processes

    @rule(process=PROCESSES)
    def beat(self, process: int) -> None:
        self.run(self.ledger(process).beat())

    @rule(seconds=st.sampled_from([1.0, 4.0, 30.0, 61.0, 100.0, 2 * HOUR_S]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(period=st.sampled_from(PERIODS), seconds=st.sampled_from([-2.0, 0.0]))
    def a_period_ends(self, period: PeriodName, seconds: float) -> None:
        end = period_end(period, self.clock.now()) + timedelta(seconds=seconds)
        self.clock.advance(max(0.0, (end - self.clock.now()).total_seconds()))

    @rule(wrong_s=st.sampled_from([0.0, 0.0, -HOUR_S, -30 * DAY_S, -20_000 * DAY_S, HOUR_S, 2 * DAY_S]))
    def somebody_sets_the_clock(self, wrong_s: float) -> None:
        self.clock.jump(wrong_s - self.wrong_s)
        self.wrong_s = wrong_s

    # Promises

    @invariant()
    def no_cap_is_passed_and_the_book_holds_what_was_billed(self) -> None:
        for account in ACCOUNTS:
            view = self.run(self.ledger(0).view(self.caps, account))
            for scope in SCOPES:
                self.look_at(scope, view)
            assert set(view.blocked) == set(self.blocked)

    def look_at(self, scope: Scope, view: BudgetView) -> None:
        """The client's scope holds all that it was ever billed."""
        key, committed = view.keys.of(scope), view.balances[scope].committed.nanos
        billed = sum(cost for name, cost in self.billed.items() if self.made[name].keys.of(scope) == key)
        assert billed <= committed, f"{scope} {key}: {billed} billed, {committed} in the book"
        most = self.most.get((scope, key), 0)
        assert most is None or committed <= most + self.above[scope, key], f"{scope} {key}: {committed} over the cap"

    @invariant()
    def every_sum_is_that_of_its_entries(self) -> None:
        assert self.run(self.ledger(0).check()) == []

    def teardown(self) -> None:
        try:
            self.nothing_stays_open()
        finally:
            for ledger in self.ledgers:
                self.run(ledger.aclose())
            self.runner.close()
            shutil.rmtree(self.folder)

    def nothing_stays_open(self) -> None:
        """Long after the last lease just what was billed is charged, in the days in which it was reserved."""
        self.somebody_sets_the_clock(0.0)
        self.clock.advance(END_S)
        charged: dict[str, int] = defaultdict(int)
        for month in {reservation.keys.month for reservation in self.made.values()}:
            for row in self.run(self.ledger(0).usage("day", month)):
                charged[row.key] += row.cost.nanos
        billed: dict[str, int] = defaultdict(int)
        for name, cost in self.billed.items():
            billed[self.made[name].keys.day] += cost
        for day in charged.keys() | billed.keys():
            assert billed[day] == charged[day], f"{day}: {billed[day]} billed, {charged[day]} in the book"
        for account in ACCOUNTS:
            balances = self.run(self.ledger(0).view(self.caps, account)).balances
            assert all(balance.reserved == ZERO for balance in balances.values())
        assert self.run(self.ledger(0).check()) == []


class InMemory(Money):
    def start(self) -> list[Ledger]:
        return [MemoryLedger(self.clock)]


class OnDisk(Money):
    def start(self) -> list[Ledger]:
        return [self.process(), self.process()]

    def process(self) -> SqliteLedger:
        return SqliteLedger(self.folder / "ledger.db", self.clock)

    @rule(process=PROCESSES)
    def a_process_dies(self, process: int) -> None:
        """It never comes back to its calls; the operating system closes its file."""
        self.run(self.ledgers[process].aclose())
        self.ledgers[process] = self.process()

    def may_refuse(self, why: str) -> bool:
        return super().may_refuse(why) or "is closed: open it again" in why
