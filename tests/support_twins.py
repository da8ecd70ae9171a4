"""Both ledgers side by side: whatever is done to them, they say the same."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from hybrid_mcp.domain.alerts import Alert
from hybrid_mcp.domain.budget import Account, BudgetView, Caps, Overbilled, PeriodName
from hybrid_mcp.domain.errors import BudgetExceeded, HybridError, InvalidRequest, StorageError
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.reservation import SILENCE_S, Free, Hold, Reservation, Settlement
from hybrid_mcp.domain.usage import By, PeriodReport, UsageRow
from hybrid_mcp.ports import Ledger
from hybrid_mcp.storage.memory import MemoryLedger
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_machine import PERIODS, Money

T = TypeVar("T")


class Pair:
    """Both ledgers as one, which must not differ in anything that they say. Leases end before silence matters."""

    def __init__(self, memory: Ledger, disk: Ledger) -> None:
        self._both = (memory, disk)
        self._on_disk: dict[str, Reservation] = {}

    async def reserve(self, hold: Hold, caps: Caps) -> Reservation:
        asked = replace(hold, lease_s=min(hold.lease_s, SILENCE_S - 10))
        memory, disk = await self._twice(lambda _, one: one.reserve(asked, caps))
        assert replace(memory, id="") == replace(disk, id="")
        self._on_disk[memory.id] = disk
        return memory

    async def dispatch(self, reservation: Reservation) -> None:
        await self._twice(lambda name, one: one.dispatch(name(reservation)))

    async def beat(self) -> None:
        await self._twice(lambda _, one: one.beat())

    async def settle(self, reservation: Reservation, settlement: Settlement) -> None:
        await self._twice(lambda name, one: one.settle(name(reservation), settlement))

    async def void(self, reservation: Reservation) -> None:
        await self._twice(lambda name, one: one.void(name(reservation)))

    async def forfeit(self, reservation: Reservation, settlement: Settlement) -> None:
        await self._twice(lambda name, one: one.forfeit(name(reservation), settlement))

    async def record(self, free: Free) -> None:
        await self._twice(lambda _, one: one.record(free))

    async def view(self, caps: Caps, account: Account) -> BudgetView:
        for period in PERIODS:
            await self.report(period)
        return await self._same(lambda one: one.view(caps, account))

    async def raise_alerts(self, alerts: Sequence[Alert]) -> Sequence[Alert]:
        return await self._same(lambda one: one.raise_alerts(alerts))

    async def unblock(self, model: str, billed: Usd | None = None) -> Overbilled | None:
        return await self._same(lambda one: one.unblock(model, billed))

    async def report(self, period: PeriodName) -> PeriodReport:
        return await self._same(lambda one: one.report(period))

    async def usage(self, by: By, month: str | None = None) -> Sequence[UsageRow]:
        return await self._same(lambda one: one.usage(by, month))

    async def notices(self) -> Sequence[str]:
        return await self._same(lambda one: one.notices())

    async def check(self) -> Sequence[str]:
        return await self._same(lambda one: one.check())

    async def aclose(self) -> None:
        for one in self._both:
            await one.aclose()

    async def _same(self, step: Callable[[Ledger], Awaitable[T]]) -> T:
        memory, disk = await self._twice(lambda _, one: step(one))
        assert memory == disk
        return memory

    async def _twice(self, step: Callable[[Callable[[Reservation], Reservation], Ledger], Awaitable[T]]) -> tuple[T, T]:
        """Raises what both of them raise."""
        results: list[T] = []
        errors: list[HybridError] = []
        for one, name in zip(self._both, (_as_it_is, self._of_disk), strict=True):
            try:
                results.append(await step(name, one))
            except (BudgetExceeded, InvalidRequest, StorageError) as error:
                errors.append(error)
        if errors:
            assert len({_without_names(error) for error in errors}) == 1, errors
            assert not results, errors
            raise errors[0]
        return results[0], results[1]

    def _of_disk(self, reservation: Reservation) -> Reservation:
        return self._on_disk[reservation.id]


def _as_it_is(reservation: Reservation) -> Reservation:
    return reservation


def _without_names(error: HybridError) -> tuple[str, bool | None]:
    text = re.sub("reservation [0-9a-f]{32}", "reservation", str(error))
    return text, error.passing if isinstance(error, BudgetExceeded) else None


class Twins(Money):
    def start(self) -> list[Ledger]:
        return [Pair(MemoryLedger(self.clock), SqliteLedger(self.folder / "ledger.db", self.clock))]
