"""What the tests of the ledger share: balances at a glance, books on disk, and other processes that use them."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import aclosing, contextmanager
from pathlib import Path

import pytest

from hybrid_mcp.domain.budget import Account, Balance, Caps
from hybrid_mcp.domain.errors import StorageError
from hybrid_mcp.domain.reservation import Reservation
from hybrid_mcp.ports import Ledger
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_ledger import ME, FakeClock, ended, hold, usd

ROOT = Path(__file__).parents[1]


def fast_folder() -> Path:
    """In memory where there is such a place, because every commit waits for a disk."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))


def balance(spent: str = "0", reserved: str = "0") -> Balance:
    return Balance(spent=usd(spent), reserved=usd(reserved))


async def held(ledger: Ledger, account: Account = ME) -> Balance:
    """Of the month. In a book of one account, one project and one day, all scopes hold the same."""
    return (await ledger.view(Caps(), account)).balances["month"]


async def sent(ledger: Ledger, bound: str, caps: Caps | None = None, *, lease_s: float = 80.0) -> Reservation:
    """A call that is under way."""
    reservation = await ledger.reserve(hold(bound, lease_s=lease_s), caps or Caps())
    await ledger.dispatch(reservation)
    return reservation


async def pay(ledger: Ledger, cost: str) -> None:
    await ledger.settle(await sent(ledger, cost), ended(cost))


def spend(path: Path, cost: str, clock: FakeClock | None = None) -> None:
    """A book with this much more spent in it, closed again."""

    async def steps() -> None:
        async with aclosing(SqliteLedger(path, clock or FakeClock())) as book:
            await pay(book, cost)

    asyncio.run(steps())


def opened(path: Path, clock: FakeClock | None = None) -> Balance:
    """The month, read from a book that is opened and closed for it, and found in order."""

    async def steps() -> Balance:
        async with aclosing(await SqliteLedger.open(path, clock or FakeClock(), busy_timeout_s=0.1)) as book:
            assert await book.check() == []
            return await held(book)

    return asyncio.run(steps())


def refusal(path: Path) -> str:
    """Why the book cannot be opened."""
    with pytest.raises(StorageError) as refused:
        opened(path)
    return str(refused.value)


@contextmanager
def plain(path: Path) -> Generator[sqlite3.Connection]:
    """The file as any program may open it; each statement is committed at once."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=1)
    try:
        yield connection
    finally:
        connection.close()


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def child(script: str, *arguments: object) -> str:
    """What it prints, errors too."""
    return start(script, *arguments).communicate(timeout=30)[0]
