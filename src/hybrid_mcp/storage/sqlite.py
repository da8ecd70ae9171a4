"""The ledger in a file that many processes share, and that outlives any of them at any instant."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.lowlevel

from hybrid_mcp.domain.alerts import Alert
from hybrid_mcp.domain.budget import Account, BudgetView, Caps, Overbilled, PeriodName
from hybrid_mcp.domain.errors import StorageError
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.reservation import Event, Free, Hold, Reservation, Settlement
from hybrid_mcp.domain.usage import By, PeriodReport, UsageRow
from hybrid_mcp.ports import Clock
from hybrid_mcp.storage import sqlite_book as book
from hybrid_mcp.storage import sqlite_overbilled, sqlite_proof
from hybrid_mcp.storage import sqlite_tally as tally
from hybrid_mcp.storage.book_clock import BookClock, ahead
from hybrid_mcp.storage.sqlite_commit import Change, Witness, Work, begin, commit_or_fail, read
from hybrid_mcp.storage.sqlite_entries import last_time, micros
from hybrid_mcp.storage.sqlite_file import Connection, connect, guarded

T = TypeVar("T")

BUSY_TIMEOUT_S = 5.0


class SqliteLedger:
    """ports.Ledger over one file, which is opened, or created, at the first use.

    Whoever comes first commits the changes of all who wait, in one durable transaction: under load a reservation costs
    a small part of a disk's sync.
    """

    def __init__(self, path: Path, clock: Clock, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self._path = path
        self._clock = clock
        self._busy_timeout_s = busy_timeout_s
        self._owner = f"{os.getpid()}-{micros(clock.now())}-{secrets.token_hex(4)}"
        self._opened: tuple[Connection, Witness] | None = None
        self._closed = False
        self._opening = anyio.Lock()
        self._turn = anyio.Lock()
        self._waiting: list[Change[Any]] = []
        self._owed: list[Change[Any]] = []

    @classmethod
    async def open(cls, path: Path, clock: Clock, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> SqliteLedger:
        """The ledger with its file open.

        Raises:
            StorageError: the file cannot be used. It is never replaced.
        """
        ledger = cls(path, clock, busy_timeout_s=busy_timeout_s)
        try:
            await ledger.view(Caps(), Account())
        except BaseException:
            await ledger.aclose()
            raise
        return ledger

    async def reserve(self, hold: Hold, caps: Caps) -> Reservation:
        """Raises BudgetExceeded, see ports.Ledger."""
        name = secrets.token_hex(16)
        return await self._change(partial(book.reserve, name=name, hold=hold, caps=caps, owner=self._owner))

    async def dispatch(self, reservation: Reservation) -> None:
        """Raises StorageError where the lease has ended: nothing may be sent then."""
        await self._change(partial(book.move, name=reservation.id, event="dispatch"))

    async def beat(self) -> None:
        """See ports.Ledger."""
        await self._change(partial(book.hear_of, owner=self._owner))

    async def settle(self, reservation: Reservation, settlement: Settlement) -> None:
        """Where the sweep has charged the whole reservation already, the true cost replaces that."""
        await self._end(reservation, "settle", settlement)

    async def void(self, reservation: Reservation) -> None:
        """See ports.Ledger."""
        await self._end(reservation, "void", None)

    async def forfeit(self, reservation: Reservation, settlement: Settlement) -> None:
        """See ports.Ledger."""
        await self._end(reservation, "forfeit", settlement)

    async def record(self, free: Free) -> None:
        """See ports.Ledger."""
        await self._change(partial(book.record, free=free))

    async def view(self, caps: Caps, account: Account) -> BudgetView:
        """The balances now."""
        return await self._read(partial(book.view, caps=caps, account=account))

    async def raise_alerts(self, alerts: Sequence[Alert]) -> Sequence[Alert]:
        """See ports.Ledger. Nothing is written where all of them were raised before."""
        wanted = tuple(alerts)
        if await self._read(lambda connection, _: book.all_raised(connection, wanted)):
            return ()
        return await self._change(partial(book.raise_alerts, alerts=wanted))

    async def unblock(self, model: str, billed: Usd | None = None) -> Overbilled | None:
        """See ports.Ledger."""
        return await self._change(partial(sqlite_overbilled.unblock, model=model, billed=billed))

    async def report(self, period: PeriodName) -> PeriodReport:
        """See ports.Ledger."""
        return await self._read(partial(tally.report, period=period))

    async def usage(self, by: By, month: str | None = None) -> Sequence[UsageRow]:
        """See ports.Ledger."""
        return await self._read(partial(tally.usage, by=by, month=month))

    async def notices(self) -> Sequence[str]:
        """See ports.Ledger."""
        last = await self._read(lambda connection, _: last_time(connection))
        return (*await self._read(tally.notices), *ahead(last, self._clock.now()))

    async def check(self) -> Sequence[str]:
        """Reads the whole file."""
        return await self._read(sqlite_proof.check)

    async def aclose(self) -> None:
        """Waits for what is under way, tries once more what could not be written, then closes the file."""
        with guarded(self._path):
            async with self._turn:
                if self._opened is not None and (self._waiting or self._owed):
                    await self._commit()
                async with self._opening:
                    self._closed = True
                    opened, self._opened = self._opened, None
                    if opened is not None:
                        await opened[0].close()

    async def _end(self, reservation: Reservation, event: Event, settlement: Settlement | None) -> None:
        """An ending that a full disk or a lock keeps from being written is owed, and goes before the next changes."""
        work = partial(book.move, name=reservation.id, event=event, settlement=settlement)
        await self._made(Change[None](work, ending=True))

    async def _change(self, work: Work[T]) -> T:
        return await self._made(Change(work))

    async def _made(self, change: Change[T]) -> T:
        """A caller that is cancelled before the work begins leaves at once, later it learns how the work ended."""
        await anyio.lowlevel.checkpoint_if_cancelled()
        with guarded(self._path):
            self._waiting.append(change)
            async with self._turn:
                if not change.done:
                    await self._commit()
            return change.result()

    async def _commit(self) -> None:
        """Make all changes that wait, and before them those that are owed.

        What was begun goes on where this caller is thrown out, and what was not is left for the next one.
        """
        try:
            connection, witness = await self._open_file()
        except Exception as error:  # noqa: BLE001 - each of the callers is told
            for change in self._taken():
                change.fail(error)
        else:
            await connection.run(partial(self._write, witness=witness, changes=self._taken()))

    def _taken(self) -> list[Change[Any]]:
        changes, self._waiting = self._waiting, []
        return changes

    def _write(self, connection: sqlite3.Connection, *, witness: Witness, changes: list[Change[Any]]) -> None:
        """On the connection's own thread, so that what is owed is known even where nobody waits for it any more."""
        together = [*self._owed, *changes]
        commit_or_fail(connection, together, witness)
        self._owed = [change for change in together if change.is_owed]

    async def _read(self, work: Work[T]) -> T:
        await anyio.lowlevel.checkpoint_if_cancelled()
        with guarded(self._path):
            connection, witness = await self._open_file()
            return await connection.run(partial(read, work=work, witness=witness))

    async def _open_file(self) -> tuple[Connection, Witness]:
        async with self._opening:
            if self._closed:
                raise StorageError(f"the ledger {self._path} is closed: open it again")
            if self._opened is None:
                connection = Connection(partial(connect, self._path, self._busy_timeout_s))
                await connection.start()
                try:
                    witness = await connection.run(partial(begin, path=self._path, clock=BookClock(self._clock)))
                except BaseException:
                    await connection.close()
                    raise
                self._opened = connection, witness
            return self._opened
