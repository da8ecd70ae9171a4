"""The ledger in a file that many processes share, and that outlives any of them at any instant."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

import anyio
import anyio.lowlevel

from hybrid_mcp.domain.budget import (
    PERIODS,
    BudgetView,
    Caps,
    Event,
    Hold,
    PeriodName,
    PeriodReport,
    Reservation,
    Settlement,
    UsageRow,
    period_key,
    refusal,
    usage_rows,
)
from hybrid_mcp.domain.errors import BudgetExceeded, StorageError
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.ports import Clock
from hybrid_mcp.storage import sqlite_book
from hybrid_mcp.storage.sqlite_file import Connection, connect, guarded, transaction

T = TypeVar("T")

BUSY_TIMEOUT_S = 5.0


class SqliteLedger:
    """ports.Ledger over one file, which is opened, or created, at the first use."""

    def __init__(self, path: Path, clock: Clock, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self._path = path
        self._clock = clock
        self._busy_timeout_s = busy_timeout_s
        self._owner = f"{os.getpid()}-{sqlite_book.micros(clock.now())}-{secrets.token_hex(4)}"
        self._connection: Connection | None = None
        self._closed = False
        self._opening = anyio.Lock()

    @classmethod
    async def open(cls, path: Path, clock: Clock, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> SqliteLedger:
        """The ledger with its file open.

        Raises:
            StorageError: the file cannot be used. It is never replaced.
        """
        ledger = cls(path, clock, busy_timeout_s=busy_timeout_s)
        try:
            await ledger._run(partial(sqlite_book.sweep_if_needed, now=clock.now()))
        except BaseException:
            await ledger.aclose()
            raise
        return ledger

    async def reserve(self, hold: Hold, caps: Caps) -> Reservation:
        """Raises BudgetExceeded, see ports.Ledger."""
        reservation = Reservation(
            id=secrets.token_hex(16),
            hold=hold,
            month=period_key("month", hold.created_at),
            day=period_key("day", hold.created_at),
        )
        work = partial(
            sqlite_book.reserve, reservation=reservation, caps=caps, owner=self._owner, now=self._clock.now()
        )
        refused = await self._run(work)
        if refused:
            raise BudgetExceeded(refusal(hold, refused))
        return reservation

    async def dispatch(self, reservation: Reservation) -> None:
        """Raises StorageError where the lease has ended: nothing may be sent then."""
        await self._move(reservation, "dispatch")

    async def settle(self, reservation: Reservation, settlement: Settlement) -> None:
        """A reservation that the sweep has forfeited stays so."""
        await self._move(reservation, "settle", settlement)

    async def void(self, reservation: Reservation) -> None:
        """See ports.Ledger."""
        await self._move(reservation, "void")

    async def forfeit(self, reservation: Reservation, settlement: Settlement) -> None:
        """See ports.Ledger."""
        await self._move(reservation, "forfeit", settlement)

    async def record_cached(self, request_id: str, model: str, saved: Usd, at: datetime) -> None:
        """See ports.Ledger."""
        await self._run(partial(sqlite_book.record_cached, request_id=request_id, model=model, saved=saved, at=at))

    async def view(self, caps: Caps, now: datetime) -> BudgetView:
        """The balances of the day and the month of `now`."""
        keys: dict[PeriodName, str] = {period: period_key(period, now) for period in PERIODS}
        balances = await self._read(partial(sqlite_book.balances, keys=keys))
        return BudgetView(caps=caps, month=balances["month"], day=balances["day"])

    async def report(self, period: PeriodName, now: datetime) -> PeriodReport:
        """The period of `now`."""
        return await self._read(partial(sqlite_book.report, period=period, now=now))

    async def usage(self, by: Literal["day", "model", "source"], now: datetime) -> Sequence[UsageRow]:
        """The month of `now`."""
        return usage_rows(by, await self._read(partial(sqlite_book.tallies, key=period_key("month", now))))

    async def check(self) -> Sequence[str]:
        """Reads the whole file."""
        return await self._run(sqlite_book.check)

    async def aclose(self) -> None:
        """Waits for what is under way, then closes the file. May be called again."""
        self._closed = True
        with guarded(self._path):
            async with self._opening:
                connection, self._connection = self._connection, None
                if connection is not None:
                    await connection.close()

    async def _move(self, reservation: Reservation, event: Event, settlement: Settlement | None = None) -> None:
        now = self._clock.now()
        moved = await self._run(
            partial(sqlite_book.move, key=reservation.id, event=event, settlement=settlement, now=now)
        )
        if not moved:
            raise StorageError(
                f"the ledger {self._path} does not hold the reservation {reservation.id}: the file was replaced. "
                "Start the program again"
            )

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        now = self._clock.now()

        def swept_first(connection: sqlite3.Connection) -> T:
            sqlite_book.sweep_if_needed(connection, now)
            with transaction(connection, "DEFERRED"):
                return work(connection)

        return await self._run(swept_first)

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """A caller that is cancelled before the work begins leaves at once, later it learns how the work ended."""
        await anyio.lowlevel.checkpoint_if_cancelled()
        with guarded(self._path):
            connection = self._connection or await self._connect()
            return await connection.run(work)

    async def _connect(self) -> Connection:
        async with self._opening:
            if self._closed:
                raise StorageError(f"the ledger {self._path} is closed: open it again")
            if self._connection is None:
                connection = Connection(partial(connect, self._path, self._busy_timeout_s))
                await connection.start()
                self._connection = connection
            return self._connection
