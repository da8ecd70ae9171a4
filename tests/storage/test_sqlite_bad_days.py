"""An ending that cannot be written at once: the disk is full, or somebody holds the file."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hybrid_mcp.domain.budget import Caps
from hybrid_mcp.domain.errors import BudgetExceeded, StorageError
from hybrid_mcp.domain.reservation import Reservation
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_books import balance, child, held, opened, plain, refusal, sent
from tests.support_ledger import FakeClock, ended, free, hold, usd

pytestmark = pytest.mark.anyio

LOCKED = "is locked by another program: close what holds it, then try again"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_named() -> None:
    assert "the ledger /dev/full cannot grow, because the disk is full: free some space" in refusal(Path("/dev/full"))


# A disk that fills up


class Disk:
    """Bounds the file that is opened next, as a full disk would."""

    def __init__(self) -> None:
        self._opened: list[sqlite3.Connection] = []

    def connect(self, *args: Any, **options: Any) -> sqlite3.Connection:
        self._opened.append(sqlite3.Connection(*args, **options, check_same_thread=False))
        return self._opened[-1]

    def fill(self) -> None:
        (pages,) = self._opened[-1].execute("PRAGMA page_count").fetchone()
        self._limit(pages)

    def free(self) -> None:
        self._limit(1_000_000)

    def _limit(self, pages: int) -> None:
        self._opened[-1].execute(f"PRAGMA max_page_count = {pages}").fetchone()


async def until_full(steps: Sequence[Callable[[], Awaitable[object]]]) -> int:
    """How many of them were made."""
    for made, step in enumerate(steps):
        try:
            await step()
        except StorageError as error:
            if "cannot grow, because the disk is full: free some space" not in str(error):
                raise
            return made
    return len(steps)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    one = Disk()
    monkeypatch.setattr(sqlite3, "connect", one.connect)
    return one


async def test_a_disk_that_fills_up_stops_a_reservation_as_a_whole(path: Path, clock: FakeClock, disk: Disk) -> None:
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        disk.fill()
        granted = await until_full([partial(book.reserve, hold("0.01"), Caps())] * 500)
        assert 0 < granted < 500
        assert (await held(book)).reserved == usd("0.01").times(granted)
        assert await book.check() == []


async def test_what_a_full_disk_kept_from_being_settled_stays_counted_and_is_settled_when_there_is_space(
    path: Path, clock: FakeClock, disk: Disk
) -> None:
    caps = Caps(month=usd("3"))
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        calls = [await sent(book, "0.05", caps) for _ in range(60)]
        disk.fill()
        settled = await until_full([partial(book.settle, call, ended("0.01")) for call in calls])
        assert 0 < settled < 59
        open_now = usd("0.05").times(60 - settled)
        assert (await held(book)).reserved == open_now
        with pytest.raises(StorageError, match="the disk is full"):
            await book.settle(calls[settled + 1], ended("0.02"))
        with pytest.raises((StorageError, BudgetExceeded)):
            await book.reserve(hold("1"), caps)
        assert (await held(book)).reserved == open_now
        disk.free()
        await book.record(free(ended()))
        after = await held(book)
        assert after.reserved == usd("0.05").times(60 - settled - 2)
        assert after.spent == usd("0.01").times(settled + 1) + usd("0.02")
        assert await book.check() == []


LITTLE_SPACE = """
import asyncio, resource, signal, sys
from pathlib import Path
from hybrid_mcp.domain.budget import Caps
from hybrid_mcp.domain.errors import StorageError
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_ledger import ME, FakeClock, ended, hold

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

async def told(step):
    try:
        await step
    except StorageError as error:
        print(error)

async def held(book):
    balance = (await book.view(Caps(), ME)).balances["month"]
    print(balance.spent, balance.reserved)

async def main():
    book = await SqliteLedger.open(Path(sys.argv[1]), FakeClock())
    reservation = await book.reserve(hold("0.20"), Caps())
    await book.dispatch(reservation)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))
    await told(book.settle(reservation, ended("0.05")))
    await told(book.reserve(hold("0.10"), Caps()))
    await held(book)
    if sys.argv[2] == "then there is space":
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await book.aclose()

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits are of another kind")
@pytest.mark.parametrize(
    ("then", "at_once", "later"),
    [
        ("then there is space", balance("0.05"), balance("0.05")),
        ("then there is none", balance(reserved="0.20"), balance("0.20")),
    ],
)
def test_closing_tries_once_more_to_settle_and_what_it_cannot_is_charged_in_full(
    path: Path, then: str, at_once: object, later: object
) -> None:
    settle, reserve, money = child(LITTLE_SPACE, path, then).splitlines()
    for refused in (settle, reserve):
        assert refused.startswith(f"the ledger {path} cannot be read or written: check the disk, its quota and its")
    assert money == "$0.00 $0.20"
    assert opened(path) == at_once
    clock = FakeClock()
    clock.advance(100)
    assert opened(path, clock) == later


# A file that somebody holds

Ending = Callable[[SqliteLedger, Reservation], Awaitable[None]]


async def settle(book: SqliteLedger, reservation: Reservation) -> None:
    await book.settle(reservation, ended("0.05"))


async def forfeit(book: SqliteLedger, reservation: Reservation) -> None:
    await book.forfeit(reservation, ended(outcome="timeout"))


async def void(book: SqliteLedger, reservation: Reservation) -> None:
    await book.void(reservation)


@pytest.mark.parametrize(
    ("dispatched", "end", "after"),
    [(True, settle, balance("0.05")), (True, forfeit, balance("0.20")), (False, void, balance())],
)
@pytest.mark.parametrize("closed", [False, True])
async def test_an_ending_that_a_lock_stopped_is_written_with_the_next_change_or_at_the_end(
    path: Path, clock: FakeClock, *, dispatched: bool, end: Ending, after: object, closed: bool
) -> None:
    book = await SqliteLedger.open(path, clock, busy_timeout_s=0.05)
    reservation = await book.reserve(hold("0.20"), Caps())
    if dispatched:
        await book.dispatch(reservation)
    with plain(path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match=LOCKED):
            await end(book, reservation)
        assert await held(book) == balance(reserved="0.20")
        other.execute("ROLLBACK")
    if not closed:
        await book.beat()
        assert await held(book) == after
    await book.aclose()
    async with aclosing(await SqliteLedger.open(path, clock)) as again:
        assert await held(again) == after


async def test_what_is_owed_goes_before_the_next_change(path: Path, clock: FakeClock) -> None:
    caps = Caps(day=usd("0.20"))
    async with aclosing(await SqliteLedger.open(path, clock, busy_timeout_s=0.05)) as book:
        reservation = await sent(book, "0.20", caps)
        with plain(path) as other:
            other.execute("BEGIN IMMEDIATE")
            for step in (book.settle(reservation, ended("0.05")), book.beat(), book.reserve(hold("0"), Caps())):
                with pytest.raises(StorageError, match=LOCKED):
                    await step
            other.execute("ROLLBACK")
        await book.reserve(hold("0.15"), caps)
        assert await held(book) == balance("0.05", "0.15")


async def test_what_is_owed_and_was_given_up_for_lost_meanwhile_is_still_charged_truly(
    path: Path, clock: FakeClock
) -> None:
    async with aclosing(await SqliteLedger.open(path, clock, busy_timeout_s=0.05)) as book:
        reservation = await sent(book, "0.20", lease_s=50)
        with plain(path) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageError, match=LOCKED):
                await book.settle(reservation, ended("0.05"))
            other.execute("ROLLBACK")
        clock.advance(50)
        async with aclosing(SqliteLedger(path, clock)) as another:
            assert await held(another) == balance("0.20")
        await book.beat()
        assert await held(book) == balance("0.05")
        assert await book.check() == []


async def test_an_ending_that_is_repeated_after_a_lock_is_charged_once(path: Path, clock: FakeClock) -> None:
    async with aclosing(await SqliteLedger.open(path, clock, busy_timeout_s=0.05)) as book:
        reservation = await sent(book, "0.20")
        with plain(path) as other:
            other.execute("BEGIN IMMEDIATE")
            for _ in range(2):
                with pytest.raises(StorageError, match=LOCKED):
                    await book.settle(reservation, ended("0.05"))
            other.execute("ROLLBACK")
        with pytest.raises(StorageError, match="is settled, so it cannot take the step 'settle'"):
            await book.settle(reservation, ended("0.05"))
        assert await held(book) == balance("0.05")


async def test_an_ending_that_the_book_refuses_is_not_owed(book: SqliteLedger) -> None:
    reservation = await book.reserve(hold("0.20"), Caps())
    with pytest.raises(StorageError, match="cannot take the step 'settle'"):
        await book.settle(reservation, ended("0.05"))
    await book.dispatch(reservation)
    await book.beat()
    assert await held(book) == balance(reserved="0.20")


async def test_an_ending_that_the_book_cannot_hold_is_not_made_later(book: SqliteLedger, clock: FakeClock) -> None:
    most = "4000000000"
    lost, other = await sent(book, most, lease_s=10), await sent(book, "0.20")
    clock.advance(10)
    with pytest.raises(StorageError, match="refused a change that would break the book; nothing was changed"):
        await book.settle(other, ended(most))
    await book.settle(lost, ended("0"))
    await book.beat()
    assert await held(book) == balance(reserved="0.20")


async def test_a_reservation_that_a_lock_stopped_is_not_made_later(path: Path, clock: FakeClock) -> None:
    async with aclosing(await SqliteLedger.open(path, clock, busy_timeout_s=0.05)) as book:
        with plain(path) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageError, match=LOCKED):
                await book.reserve(hold("0.20"), Caps())
            other.execute("ROLLBACK")
        await book.beat()
        assert await held(book) == balance()


async def test_a_reservation_of_a_book_that_could_not_be_opened_is_not_made_later(path: Path, clock: FakeClock) -> None:
    async with aclosing(SqliteLedger(path, clock, busy_timeout_s=0.05)) as book:
        await (await SqliteLedger.open(path, clock)).aclose()
        with plain(path) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageError, match=LOCKED):
                await book.reserve(hold("0.20"), Caps())
            other.execute("ROLLBACK")
        await book.beat()
        assert await held(book) == balance()


async def test_a_clock_that_was_far_ahead_is_told(path: Path, clock: FakeClock) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        clock.jump(365 * 86_400)
        await book.void(await book.reserve(hold("0.40"), Caps()))
        assert await book.notices() == ()
        clock.jump(-365 * 86_400)
        (told,) = await book.notices()
    assert told.startswith(
        "the ledger's last entry was made on 2027-11-20 12:00 UTC, and this machine's clock is behind"
    )
    assert "move ledger.db and ledger.mark away to begin a new book" in told
