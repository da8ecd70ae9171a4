from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_mcp.domain.alerts import Alert
from hybrid_mcp.domain.budget import Account, Caps
from hybrid_mcp.domain.errors import BudgetExceeded, StorageError
from hybrid_mcp.domain.money import ZERO
from hybrid_mcp.domain.usage import ModelSpend, PeriodReport, UsageRow
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_books import balance, held, plain, refusal, sent
from tests.support_ledger import ME, FakeClock, ended, free, hold, usd

pytestmark = pytest.mark.anyio

FORMAT_1 = Path(__file__).with_name("format_1.sql").read_text("utf-8")
FORMAT_2 = Path(__file__).with_name("format_2.sql").read_text("utf-8")
BEFORE = Account(client="", project="")
"""Format 1 knew no clients and no projects."""
RESERVED, DISPATCHED = "81019a92e02db3f29fb7f3ec493bba35", "69c68901221a5764574339072cd27e97"


@pytest.fixture
def old_book(path: Path) -> Path:
    with plain(path) as connection:
        connection.executescript(FORMAT_1)
    return path


@pytest.fixture
def book_of_2(path: Path) -> Path:
    with plain(path) as connection:
        connection.executescript(FORMAT_2)
    return path


@pytest.fixture
def empty_old_book(path: Path) -> Path:
    with plain(path) as connection:
        connection.executescript("\n".join(line for line in FORMAT_1.splitlines() if not line.startswith("INSERT")))
    return path


async def test_an_old_book_holds_the_same_money_after_it_was_taken_over(old_book: Path, clock: FakeClock) -> None:
    async with aclosing(await SqliteLedger.open(old_book, clock)) as book:
        balances = (await book.view(Caps(), BEFORE)).balances
        assert balances == {
            "day": balance("0.55", "1.40"), "month": balance("1.25", "1.40"),
            "project": balance("1.25", "1.40"), "client": balance("1.55", "1.40"),
        }  # fmt: skip
        with pytest.raises(BudgetExceeded):
            await book.reserve(hold("0.01"), Caps(month=usd("2.65")))
        assert (await book.view(Caps(), ME)).balances["client"] == balance()
        assert await book.check() == []


async def test_an_old_book_reports_the_same_after_it_was_taken_over(old_book: Path, clock: FakeClock) -> None:
    def row(key: str, requests: int, tokens: tuple[int, int], cost: str, saved: str) -> UsageRow:
        return UsageRow(
            key=key,
            requests=requests,
            input_tokens=tokens[0],
            output_tokens=tokens[1],
            cost=usd(cost),
            saved=usd(saved),
        )

    async with aclosing(SqliteLedger(old_book, clock)) as book:
        assert await book.report("day") == PeriodReport(
            period="day",
            key="2026-11-20",
            balance=balance("0.55", "1.40"),
            local_requests=1,
            cloud_requests=1,
            cached_requests=1,
            saved=usd("0.61"),
            by_model=(
                ModelSpend(model="acme:mute", requests=0, cost=usd("0.25")),
                ModelSpend(model="acme:b", requests=1, cost=usd("0.20")),
                ModelSpend(model="acme:a", requests=0, cost=usd("0.10")),
                ModelSpend(model="here:small", requests=1, cost=ZERO),
            ),
        )
        month = await book.report("month")
        assert (month.local_requests, month.cloud_requests, month.cached_requests) == (1, 2, 1)
        assert (month.balance, month.saved) == (balance("1.25", "1.40"), usd("0.71"))
        assert await book.usage("day") == (
            row("2026-11-19", 1, (100, 20), "0.70", "0.10"),
            row("2026-11-20", 3, (409, 80), "0.55", "0.61"),
        )
        assert await book.usage("day", "2026-10") == (row("2026-10-31", 1, (100, 20), "0.30", "0.10"),)
        assert await book.usage("model") == (
            row("acme:large", 2, (100, 20), "0.70", "0.21"),
            row("acme:mute", 0, (100, 20), "0.25", "0"),
            row("acme:b", 1, (100, 20), "0.20", "0.20"),
            row("acme:a", 0, (9, 0), "0.10", "0"),
            row("here:small", 1, (200, 40), "0", "0.30"),
        )
        assert await book.usage("source") == (
            row("cloud", 2, (309, 60), "1.25", "0.30"),
            row("cache", 1, (0, 0), "0", "0.11"),
            row("local", 1, (200, 40), "0", "0.30"),
        )


async def test_a_request_of_an_old_book_can_go_on(old_book: Path, clock: FakeClock) -> None:
    async with aclosing(SqliteLedger(old_book, clock)) as book:
        await book.record(free(ended(baseline="0.50"), request_id="one"))
        report = await book.report("day")
        assert (report.local_requests, report.cloud_requests, report.saved) == (2, 0, usd("0.61"))
        assert await book.check() == []


async def test_what_was_open_in_an_old_book_ends_as_it_should(old_book: Path, clock: FakeClock) -> None:
    async with aclosing(await SqliteLedger.open(old_book, clock)) as book:
        clock.advance(59)
        assert await held(book) == balance("1.25", "1.40")
        clock.advance(1)
        assert await held(book) == balance("2.05")
        assert await book.check() == []


async def test_what_was_open_in_an_old_book_can_be_ended_by_name(old_book: Path, clock: FakeClock) -> None:
    async with aclosing(await SqliteLedger.open(old_book, clock)) as book:
        like = await book.reserve(hold("0"), Caps())
        await book.settle(replace(like, id=DISPATCHED), ended("0.10"))
        await book.void(replace(like, id=RESERVED))
        assert await held(book) == balance("1.35")
        assert await book.check() == []


def schema(path: Path) -> list[object]:
    with plain(path) as connection:
        return [
            connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").fetchall(),
            connection.execute("PRAGMA application_id").fetchone(),
            connection.execute("PRAGMA user_version").fetchone(),
        ]


@pytest.mark.parametrize("script", [FORMAT_1, FORMAT_2], ids=["1", "2"])
async def test_a_book_that_was_taken_over_is_like_a_new_one(
    path: Path, tmp_path: Path, clock: FakeClock, script: str
) -> None:
    new = tmp_path / "new.db"
    with plain(path) as connection:
        connection.executescript(script)
    for one in (path, new):
        await (await SqliteLedger.open(one, clock)).aclose()
    assert schema(path) == schema(new)


async def test_a_book_of_format_2_holds_and_reports_the_same(book_of_2: Path, clock: FakeClock) -> None:
    async with aclosing(await SqliteLedger.open(book_of_2, clock)) as book:
        assert (await book.view(Caps(), ME)).balances == {
            "day": balance("30", "1.40"), "month": balance("30.80", "1.40"),
            "project": balance("30.80", "1.40"), "client": balance("31.10", "1.40"),
        }  # fmt: skip
        assert [(row.key, row.requests, row.cost, row.saved, row.billed) for row in await book.usage("model")] == [
            ("acme:large", 3, usd("30.80"), usd("0.30"), usd("0.60")),
            ("here:small", 1, ZERO, usd("0.30"), None),
        ]
        alert = Alert(scope="month", period="2026-11", percent=50, cap=usd("50"))
        assert await book.raise_alerts([alert]) == ()
        clock.advance(60)
        assert await held(book) == balance("31.60")
        assert await book.check() == []
    with plain(book_of_2) as connection:
        assert connection.execute("SELECT name, proven_entry FROM book").fetchone() == ("8583b6d47e1776b8", 11)


async def test_what_blocks_a_model_in_a_book_of_format_2_can_be_corrected(book_of_2: Path, clock: FakeClock) -> None:
    async with aclosing(await SqliteLedger.open(book_of_2, clock)) as book:
        with pytest.raises(BudgetExceeded, match=r"acme:large cost \$30\.00 where at most \$0\.40 was expected"):
            await book.reserve(hold("0.01"), Caps())
        await book.unblock("acme:large", usd("0.05"))
        assert await held(book) == balance("0.85", "1.40")
        assert await book.check() == []


async def test_taking_over_happens_once_and_survives_the_next_opening(old_book: Path, clock: FakeClock) -> None:
    for _ in range(3):
        async with aclosing(await SqliteLedger.open(old_book, clock)) as book:
            assert await held(book) == balance("1.25", "1.40")
            assert await book.check() == []


async def test_an_empty_old_book_is_taken_over(empty_old_book: Path, clock: FakeClock) -> None:
    async with aclosing(await SqliteLedger.open(empty_old_book, clock)) as book:
        assert await held(book) == balance()
        assert await book.check() == []


def test_an_old_book_that_cannot_be_written_is_refused_and_left_as_it_is(old_book: Path) -> None:
    old_book.chmod(0o444)
    before = old_book.read_bytes()
    assert "may not be written: check the permissions of the file and its folder" in refusal(old_book)
    assert old_book.read_bytes() == before


async def test_a_take_over_that_fails_leaves_the_old_book(old_book: Path, clock: FakeClock) -> None:
    with plain(old_book) as connection:
        connection.execute("INSERT INTO balance VALUES ('client', '', 1, 1)")
    before = schema(old_book)
    with pytest.raises(StorageError, match="refused a change that would break the book; nothing was changed"):
        await SqliteLedger.open(old_book, clock)
    assert schema(old_book) == before


# A program of format 1 that still has the file open

RESERVE = """
    UPDATE balance SET reserved = reserved + 5 WHERE scope = 'month' AND period = '2026-11';
    INSERT INTO reservation (id, created_at, request_id, model, source, day, month, bound, owner, expires_at)
    VALUES ('new', 1, 'r', 'm', 'cloud', '2026-11-20', '2026-11', 5, 'o', 2);
"""
SETTLE = """
    UPDATE reservation SET state = 'settled' WHERE id = '69c68901221a5764574339072cd27e97';
    UPDATE balance SET reserved = reserved - 800000000, spent = spent + 5 WHERE period IN ('2026-11', '2026-11-20');
    INSERT INTO entry (at, reservation, state, day, month, spent_delta, reserved_delta, request_id, model, source,
                       outcome, input_tokens, output_tokens, latency_ms, baseline)
    VALUES (1795176000000000, '69c68901221a5764574339072cd27e97', 'settled', '2026-11-20', '2026-11', 5, -800000000,
            'r', 'm', 'cloud', 'ok', 1, 1, 1, NULL);
"""
RECORD = """
    INSERT INTO entry (at, reservation, state, day, month, spent_delta, reserved_delta, request_id, model, source,
                       outcome, input_tokens, output_tokens, latency_ms, baseline)
    VALUES (1795176000000000, NULL, 'cached', '2026-11-20', '2026-11', 0, 0, 'r', 'm', 'cache', 'ok', 0, 0, 0, 5);
"""


def make(connection: sqlite3.Connection, statements: str) -> None:
    """One transaction of a program of format 1, which was not committed yet."""
    connection.execute("BEGIN IMMEDIATE")
    for statement in statements.split(";"):
        connection.execute(statement)


@pytest.mark.parametrize("statements", [RESERVE, SETTLE, RECORD], ids=["reserve", "settle", "record"])
async def test_an_old_program_that_has_the_file_open_can_write_no_more(
    old_book: Path, clock: FakeClock, statements: str
) -> None:
    with plain(old_book) as old_program:
        make(old_program, statements)
        old_program.execute("ROLLBACK")
        async with aclosing(await SqliteLedger.open(old_book, clock)) as book:
            with pytest.raises(sqlite3.Error, match=r"no column named source|NOT NULL constraint failed: entry.client"):
                make(old_program, statements)
            old_program.execute("ROLLBACK")
            assert await held(book) == balance("1.25", "1.40")
            assert await book.check() == []


# A newer program takes the file over


async def test_a_program_whose_book_a_newer_one_took_over_spends_no_more(path: Path, book: SqliteLedger) -> None:
    reserved, dispatched = await book.reserve(hold("1"), Caps()), await sent(book, "1")
    with plain(path) as newer:
        newer.execute("ALTER TABLE entry RENAME TO record_of_money")
        newer.execute("PRAGMA user_version = 4")
    steps: list[Callable[[], Awaitable[object]]] = [
        lambda: book.reserve(hold("0.10"), Caps()),
        lambda: book.dispatch(reserved),
        lambda: book.settle(dispatched, ended("0.10")),
        lambda: book.record(free(ended())),
        book.beat,
        lambda: book.view(Caps(), ME),
    ]
    for step in steps:
        with pytest.raises(StorageError) as refused:
            await step()
        assert str(refused.value) == (
            f"the ledger {path} was taken over by a newer hybrid-mcp: start the program again, with that one"
        )
    with plain(path) as newer:
        newer.execute("ALTER TABLE record_of_money RENAME TO entry")
        newer.execute("PRAGMA user_version = 3")
    assert await held(book) == balance(reserved="2")
