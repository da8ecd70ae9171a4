from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from hybrid_mcp.domain.budget import Caps
from hybrid_mcp.domain.errors import BudgetExceeded, StorageError
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.reservation import Reservation
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_books import balance, held, pay, plain, sent
from tests.support_ledger import FakeClock, ended, free, hold, usd

pytestmark = pytest.mark.anyio

CENT = usd("0.01")


@dataclass
class Counter:
    """Counts what every connection that is opened from now on commits."""

    commits: int = 0
    opened: list[sqlite3.Connection] = field(default_factory=list[sqlite3.Connection])

    def trace(self, statement: str) -> None:
        self.commits += statement == "COMMIT"

    def connect(self, open_file: Callable[..., sqlite3.Connection], *args: Any, **options: Any) -> sqlite3.Connection:
        connection = open_file(*args, **options)
        connection.set_trace_callback(self.trace)
        return connection


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Counter:
    counting = Counter()
    monkeypatch.setattr(sqlite3, "connect", partial(counting.connect, sqlite3.connect))
    return counting


@pytest.fixture
async def book(path: Path, clock: FakeClock, counter: Counter) -> AsyncIterator[SqliteLedger]:
    async with aclosing(await SqliteLedger.open(path, clock, busy_timeout_s=5)) as one:
        counter.commits = 0
        yield one
        assert await one.check() == []


async def outcome(step: Awaitable[object]) -> object:
    try:
        return await step
    except (BudgetExceeded, StorageError) as error:
        return error


async def together(path: Path, book: SqliteLedger, steps: list[Awaitable[object]]) -> list[object]:
    """The outcomes of steps that wait for a lock together, so that they are made in one transaction."""
    with plain(path) as other:
        other.execute("BEGIN IMMEDIATE")
        first = asyncio.create_task(book.beat())
        await asyncio.sleep(0.01)
        waiting = [asyncio.create_task(outcome(step)) for step in steps]
        await asyncio.sleep(0.01)
        other.execute("ROLLBACK")
    await first
    return list(await asyncio.gather(*waiting))


# Many at once


async def test_two_hundred_calls_at_once_are_all_right_in_a_few_transactions(
    book: SqliteLedger, counter: Counter
) -> None:
    async def call(number: int) -> None:
        reservation = await book.reserve(hold("0.10"), Caps())
        await book.dispatch(reservation)
        await book.settle(reservation, replace(ended(), cost=Usd(number)))

    async with anyio.create_task_group() as tasks:
        for number in range(200):
            tasks.start_soon(call, number)
    assert await held(book) == replace(balance(), spent=Usd(199 * 200 // 2))
    (row,) = await book.usage("model")
    assert row.requests == 200
    assert counter.commits < 30


async def test_caps_hold_exactly_while_calls_are_granted_and_refused_together(
    path: Path, book: SqliteLedger, counter: Counter
) -> None:
    cap = Caps(day=usd("1"))
    bounds = ["0.30", "0.30", "0.50", "0.40", "0.01", "0"]
    results = await together(path, book, [book.reserve(hold(bound), cap) for bound in bounds])
    granted = [bound for bound, result in zip(bounds, results, strict=True) if isinstance(result, Reservation)]
    assert granted == ["0.30", "0.30", "0.40", "0"]
    refused = [result for result in results if isinstance(result, BudgetExceeded)]
    assert ["$0.60 reserved, $0.40 left" in str(refused[0]), "$0.00 left" in str(refused[1])] == [True, True]
    assert await held(book) == balance(reserved="1")
    assert counter.commits - 2 <= 4


async def test_a_change_that_fails_does_not_undo_the_others_of_its_transaction(
    path: Path, book: SqliteLedger, counter: Counter
) -> None:
    reserved, dispatched = await book.reserve(hold("0.10"), Caps()), await sent(book, "0.20")
    counter.commits = 0
    results = await together(
        path,
        book,
        [
            book.record(free(ended())),
            book.reserve(hold("9"), Caps(day=usd("1"))),
            book.settle(reserved, ended("0.01")),
            book.settle(dispatched, replace(ended("0.01"), input_tokens=2**70)),
            book.settle(dispatched, ended("0.05")),
            book.reserve(hold("4000000000"), Caps()),
            book.reserve(hold("4000000000"), Caps()),
            book.void(reserved),
            book.reserve(hold("0.30"), Caps()),
        ],
    )
    assert counter.commits == 2
    assert [type(result) for result in results] == [
        type(None), BudgetExceeded, StorageError, StorageError, type(None), Reservation, StorageError, type(None),
        Reservation,
    ]  # fmt: skip
    assert "cannot take the step 'settle'" in str(results[2])
    assert "cannot hold a number that large; nothing was changed" in str(results[3])
    assert "refused a change that would break the book; nothing was changed" in str(results[6])
    assert await held(book) == balance("0.05", "4000000000.30")


async def test_a_transaction_that_fails_fails_for_all_and_does_nothing(path: Path, clock: FakeClock) -> None:
    async with aclosing(await SqliteLedger.open(path, clock, busy_timeout_s=0.05)) as book:
        dispatched = await sent(book, "0.20")
        with plain(path) as other:
            other.execute("BEGIN IMMEDIATE")
            results = await asyncio.gather(
                *(outcome(book.reserve(hold("0.10"), Caps())) for _ in range(10)), outcome(book.dispatch(dispatched))
            )
            other.execute("ROLLBACK")
        assert {type(result) for result in results} == {StorageError}
        assert all("is locked by another program: close what holds it, then try again" in str(one) for one in results)
        assert await held(book) == balance(reserved="0.20")
        assert await book.check() == []


async def test_two_connections_share_the_cap(path: Path, clock: FakeClock) -> None:
    outcomes: list[object] = []

    async def attempt(book: SqliteLedger) -> None:
        outcomes.append(await outcome(book.reserve(hold("0.10"), Caps(month=usd("1")))))

    async with aclosing(SqliteLedger(path, clock)) as one, aclosing(SqliteLedger(path, clock)) as other:
        async with anyio.create_task_group() as tasks:
            for number in range(30):
                tasks.start_soon(attempt, (one, other)[number % 2])
        assert sum(isinstance(result, Reservation) for result in outcomes) == 10
        assert sum(isinstance(result, BudgetExceeded) for result in outcomes) == 20
        assert [await held(book) for book in (one, other)] == [balance(reserved="1")] * 2


# Callers that are cancelled


async def test_a_caller_that_is_cancelled_leaves_nothing_or_all_of_it(path: Path, clock: FakeClock) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        granted = 0
        for turns in range(30):
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as tasks:

                    async def reserve() -> None:
                        nonlocal granted
                        await book.reserve(hold("0.01"), Caps())
                        granted += 1

                    tasks.start_soon(reserve)
                    for _ in range(turns):
                        await anyio.lowlevel.checkpoint()
                    scope.cancel()
            assert await held(book) == replace(balance(), reserved=CENT.times(granted))
        assert 0 < granted < 30
        assert await book.check() == []


async def test_a_task_that_is_thrown_out_by_asyncio_leaves_nothing_or_all_of_it(path: Path, clock: FakeClock) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        for turns in range(30):
            task = asyncio.create_task(book.reserve(hold("0.01"), Caps()))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert await book.check() == []
        clock.advance(80)
        assert await held(book) == balance()


@pytest.mark.parametrize("turns", range(8))
async def test_those_who_wait_with_a_caller_that_is_thrown_out_are_served(
    path: Path, clock: FakeClock, turns: int
) -> None:
    """Whoever comes first opens the file and commits for all, and may be thrown out at any moment of that."""
    async with aclosing(SqliteLedger(path, clock)) as book:
        first, *others = [asyncio.create_task(book.reserve(hold("0.01"), Caps())) for _ in range(6)]
        for _ in range(turns):
            await asyncio.sleep(0)
        first.cancel()
        results = await asyncio.gather(*others)
        assert all(isinstance(result, Reservation) for result in results)
        assert (await held(book)).reserved in {CENT.times(5), CENT.times(6)}
        assert await book.check() == []


async def test_those_who_wait_learn_why_nothing_was_done_also_when_the_first_is_thrown_out(
    path: Path, clock: FakeClock
) -> None:
    async with aclosing(await SqliteLedger.open(path, clock, busy_timeout_s=0.05)) as book:
        with plain(path) as other:
            other.execute("BEGIN IMMEDIATE")
            first = asyncio.create_task(book.beat())
            await asyncio.sleep(0)
            second, *others = [asyncio.create_task(book.reserve(hold("0.01"), Caps())) for _ in range(6)]
            with pytest.raises(StorageError, match="is locked by another program"):
                await first
            await asyncio.sleep(0)
            second.cancel()
            results = await asyncio.gather(*others, return_exceptions=True)
            other.execute("ROLLBACK")
        assert {type(result) for result in results} == {StorageError}
        assert await held(book) == balance()


async def test_an_ending_whose_caller_was_thrown_out_is_still_owed(path: Path, clock: FakeClock) -> None:
    async with aclosing(await SqliteLedger.open(path, clock, busy_timeout_s=0.05)) as book:
        reservation = await sent(book, "0.20")
        with plain(path) as other:
            other.execute("BEGIN IMMEDIATE")
            settling = asyncio.create_task(book.settle(reservation, ended("0.05")))
            await asyncio.sleep(0.01)
            settling.cancel()
            await asyncio.gather(settling, return_exceptions=True)
            with pytest.raises(StorageError, match="is locked by another program"):
                await book.beat()
            other.execute("ROLLBACK")
        assert await held(book) == balance(reserved="0.20")
        await book.beat()
        assert await held(book) == balance("0.05")


async def test_settling_in_a_shielded_scope_survives_the_cancellation(book: SqliteLedger) -> None:
    reservation = await sent(book, "0.40")
    with anyio.CancelScope() as outer:
        outer.cancel()
        with anyio.CancelScope(shield=True):
            await book.settle(reservation, ended("0.30"))
    assert await held(book) == balance("0.30")


# Closing


async def test_closing_waits_for_what_is_under_way(path: Path, clock: FakeClock) -> None:
    book = await SqliteLedger.open(path, clock)
    done: list[Reservation] = []

    async def reserve() -> None:
        done.append(await book.reserve(hold("0.01"), Caps()))

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(reserve)
        await anyio.lowlevel.checkpoint()
        await book.aclose()
    assert len(done) == 5
    async with aclosing(await SqliteLedger.open(path, clock)) as again:
        assert await held(again) == balance(reserved="0.05")


async def test_closing_in_the_middle_of_a_cancellation_closes_the_file(path: Path, clock: FakeClock) -> None:
    book = await SqliteLedger.open(path, clock)
    await pay(book, "0.10")
    with anyio.CancelScope() as scope:
        scope.cancel()
        await book.aclose()
    with pytest.raises(StorageError, match="is closed: open it again"):
        await book.beat()
