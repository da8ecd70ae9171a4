from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import pytest

from hybrid_mcp.domain.budget import Account, Caps
from hybrid_mcp.domain.errors import StorageError
from hybrid_mcp.storage import sqlite_commit, sqlite_proof
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_books import balance, held, pay, plain, refusal, spend
from tests.support_ledger import ME, NOON, FakeClock, ended, hold

pytestmark = pytest.mark.anyio


def tamper(path: Path, statement: str) -> None:
    with plain(path) as connection:
        connection.execute(statement)


# What the file itself refuses


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET spent_delta = 0",
        "DELETE FROM entry",
        "UPDATE reservation SET bound = 0",
        "UPDATE reservation SET day = '2026-11-19'",
        "UPDATE reservation SET project = '2026-11 other'",
        "UPDATE reservation SET state = 'reserved'",
        "UPDATE reservation SET state = 'voided'",
        "UPDATE reservation SET state = 'forfeited'",
        "UPDATE entry SET state = 'corrected'",
        "UPDATE balance SET spent = -1",
        "UPDATE balance SET reserved = -1",
        "UPDATE balance SET spent = 'much'",
        "UPDATE balance SET spent = 4611686018427387905",
        "INSERT INTO balance (scope, period) VALUES ('week', '2026-47')",
    ],
)
def test_the_file_itself_refuses_what_would_falsify_the_book(path: Path, statement: str) -> None:
    spend(path, "0.40")
    with pytest.raises(sqlite3.IntegrityError):
        tamper(path, statement)


async def test_the_file_itself_refuses_to_free_what_was_sent(path: Path, book: SqliteLedger) -> None:
    await book.dispatch(await book.reserve(hold("0.40"), Caps()))
    with pytest.raises(sqlite3.IntegrityError, match="only moves forward"):
        tamper(path, "UPDATE reservation SET state = 'voided'")


# What is found at the next opening

LESS = "UPDATE balance SET spent = spent - 1 WHERE scope = 'month'"
LESS_FOUND = (
    "month 2026-11: the balance holds 399999999 spent and 0 reserved, its entries sum to 400000000 and 0 nano-dollars"
)
TAMPERED = [
    (LESS, LESS_FOUND),
    (
        "DELETE FROM balance WHERE scope = 'day'",
        "day 2026-11-20: the balance holds 0 spent and 0 reserved, its entries sum to 400000000 and 0 nano-dollars",
    ),
    (
        "UPDATE balance SET reserved = 7 WHERE scope = 'project'",
        (
            "project 2026-11 project-1: the balance holds 400000000 spent and 7 reserved, its entries sum to 400000000 "
            "and 0 nano-dollars"
        ),
    ),
    (
        "UPDATE balance SET spent = 0 WHERE scope = 'client'",
        "client client-1: the balance holds 0 spent and 0 reserved, its entries sum to 400000000 and 0 nano-dollars",
    ),
    (
        "INSERT INTO balance (scope, period, spent) VALUES ('day', '2026-11-19', 5)",
        "day 2026-11-19: the balance holds 5 spent and 0 reserved, its entries sum to 0 and 0 nano-dollars",
    ),
]


@pytest.mark.parametrize(("statement", "found"), TAMPERED)
def test_a_book_whose_balances_were_changed_is_refused(path: Path, statement: str, found: str) -> None:
    spend(path, "0.40")
    tamper(path, statement)
    before = path.read_bytes()
    assert refusal(path) == (
        f"the ledger {path} does not add up, so nothing is paid with it ({found}): restore a copy, or move it away to "
        "begin a new book"
    )
    assert path.read_bytes() == before


GHOST = """
    INSERT INTO reservation (id, created_at, request_id, model, day, month, client, project, bound, owner, expires_at)
    VALUES ('ghost', 0, 'r', 'm', '2026-11-20', '2026-11', '', '2026-11 ', 5, 'o', 9e15)
"""


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        *TAMPERED,
        ("DELETE FROM reservation", "is missing, its entries say settled"),
        (GHOST.replace("9e15", "9000000000000000"), "the reservation ghost is reserved, its entries say nothing"),
        (
            "UPDATE tally SET cost = cost + 1",
            (
                "the report of 2026-11-20 for acme:large (cloud) says 400000001 nano-dollars and 120 tokens, its "
                "entries sum to 400000000 and 120"
            ),
        ),
        (
            "DELETE FROM tally",
            (
                "the report of 2026-11-20 for acme:large (cloud) says 0 nano-dollars and 0 tokens, its entries sum to "
                "400000000 and 120"
            ),
        ),
    ],
)
async def test_the_check_finds_a_book_that_was_tampered_with(
    path: Path, book: SqliteLedger, statement: str, found: str
) -> None:
    await pay(book, "0.40")
    await book.view(Caps(), ME)
    tamper(path, statement)
    if statement.lstrip().startswith("INSERT INTO reservation"):
        tamper(path, "INSERT INTO owner (id, seen_at) VALUES ('o', 9000000000000000)")
    (line,) = await book.check()
    assert line.endswith(found)


async def test_the_check_finds_a_state_without_its_entry(path: Path, book: SqliteLedger) -> None:
    reservation = await book.reserve(hold("0.40"), Caps())
    tamper(path, "UPDATE reservation SET state = 'dispatched'")
    assert await book.check() == [f"the reservation {reservation.id} is dispatched, its entries say reserved"]


# The proof of a long book begins where the last one ended


@pytest.fixture
def prove_every(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sqlite_proof, "PROVE_EVERY", 9)
    return 9


@pytest.fixture
def proofs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One for each that was written down."""
    done: list[str] = []

    def prove(connection: sqlite3.Connection) -> None:
        done.append("proof")
        sqlite_proof.prove(connection)

    monkeypatch.setattr(sqlite_commit, "prove", prove)
    return done


async def test_a_proof_is_written_down_when_so_many_entries_are_new(
    path: Path, clock: FakeClock, prove_every: int, proofs: list[str]
) -> None:
    counts: list[int] = []
    for _ in range(6):
        async with aclosing(SqliteLedger(path, clock)) as book:
            assert await book.check() == []
            await pay(book, "0.40")
        counts.append(len(proofs))
    # Each call makes three entries.
    assert prove_every == 9
    assert counts == [0, 0, 1, 1, 1, 2]
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        assert await held(book) == balance("2.40")


@pytest.mark.usefixtures("prove_every")
@pytest.mark.parametrize("statement", [statement for statement, _ in TAMPERED])
async def test_a_book_that_was_proven_is_still_refused_when_it_was_changed(
    path: Path, clock: FakeClock, proofs: list[str], statement: str
) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        for _ in range(4):
            await pay(book, "0.40")
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        await pay(book, "0.40")
    assert proofs == ["proof"]
    tamper(path, statement)
    with pytest.raises(StorageError, match="does not add up, so nothing is paid with it"):
        await SqliteLedger.open(path, clock)
    assert proofs == ["proof"]


@pytest.mark.usefixtures("prove_every")
async def test_a_long_run_proves_the_book_as_it_goes_and_stops_paying_when_it_was_changed(
    path: Path, clock: FakeClock, proofs: list[str]
) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        for _ in range(6):
            await pay(book, "0.40")
        assert proofs == ["proof", "proof"]
        tamper(path, "UPDATE balance SET spent = spent - 1 WHERE scope = 'day'")
        for _ in range(2):
            await pay(book, "0.40")
        with pytest.raises(StorageError, match="does not add up, so nothing is paid with it"):
            await pay(book, "0.40")


@pytest.mark.usefixtures("prove_every")
async def test_the_check_reads_the_whole_book_also_where_it_was_proven(path: Path, clock: FakeClock) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        for _ in range(4):
            await pay(book, "0.40")
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        assert await held(book) == balance("1.60")
        tamper(path, "UPDATE balance SET spent = spent - 1 WHERE scope = 'day'")
        tamper(path, "UPDATE proven SET spent = spent - 1 WHERE scope = 'day'")
        assert len(await book.check()) == 1


# Nor does it grow with those that are long gone


def silently(path: Path, statement: str) -> None:
    """As a broken disk would do it, which no trigger sees."""
    with plain(path) as connection:
        (trigger,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'balance_is_changed'").fetchone()
        connection.execute("BEGIN")
        connection.execute("DROP TRIGGER balance_is_changed")
        connection.execute(statement)
        connection.execute(trigger)
        connection.execute("COMMIT")


async def long_gone(path: Path, clock: FakeClock, clients: int) -> None:
    """A proven book in which so many clients have spent something last month, and one this month."""
    last_month = FakeClock(NOON - timedelta(days=30))
    async with aclosing(SqliteLedger(path, last_month)) as book:
        for number in range(clients):
            await pay_as(book, f"old-{number}")
    async with aclosing(SqliteLedger(path, clock)) as book:
        await pay(book, "0.40")
    with plain(path) as connection:
        assert sqlite_proof.unproven(connection, NOON) == []
        sqlite_proof.prove(connection)


async def why_not(path: Path, clock: FakeClock) -> str:
    with pytest.raises(StorageError, match="does not add up, so nothing is paid with it") as refused:
        await SqliteLedger.open(path, clock)
    return str(refused.value)


async def pay_as(book: SqliteLedger, client: str) -> None:
    reservation = await book.reserve(hold("0.01", account=Account(client=client, project="project-1")), Caps())
    await book.dispatch(reservation)
    await book.settle(reservation, ended("0.01"))


def steps_of(path: Path, work: Callable[[sqlite3.Connection], object]) -> int:
    """How many instructions SQLite needs for it."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    with plain(path) as connection:
        connection.set_progress_handler(count, 1)
        work(connection)
    return steps


async def test_a_proof_takes_no_longer_with_clients_that_are_long_gone(
    path: Path, tmp_path: Path, clock: FakeClock
) -> None:
    other = tmp_path / "ledger.db"
    await long_gone(path, clock, 5)
    await long_gone(other, clock, 100)

    def unproven(connection: sqlite3.Connection) -> object:
        return sqlite_proof.unproven(connection, NOON)

    works: list[Callable[[sqlite3.Connection], object]] = [unproven, sqlite_proof.prove]
    for work in works:
        few, many = steps_of(path, work), steps_of(other, work)
        assert few <= many < few + 100


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE balance SET spent = 0 WHERE scope = 'client' AND period = 'old-1'",
        "DELETE FROM balance WHERE scope = 'client' AND period = 'old-1'",
        "INSERT INTO balance (scope, period, spent) VALUES ('client', 'never-seen', 5)",
        "UPDATE balance SET spent = 0 WHERE scope = 'month' AND period = '2026-10'",
        "UPDATE balance SET period = 'old-x', spent = 0 WHERE scope = 'client' AND period = 'old-1'",
    ],
)
async def test_a_balance_that_is_long_gone_is_proven_when_somebody_touches_it(
    path: Path, clock: FakeClock, statement: str
) -> None:
    await long_gone(path, clock, 3)
    await (await SqliteLedger.open(path, clock)).aclose()
    tamper(path, statement)
    await why_not(path, clock)


@pytest.mark.parametrize("scope", ["day", "month", "project"])
async def test_a_balance_that_a_cap_holds_for_now_is_always_proven(path: Path, clock: FakeClock, scope: str) -> None:
    await long_gone(path, clock, 3)
    silently(path, f"UPDATE balance SET spent = spent - 1 WHERE scope = '{scope}' AND period >= '2026-11'")  # noqa: S608
    assert f"{scope} 2026-11" in await why_not(path, clock)


async def test_a_client_that_comes_back_is_proven_again(path: Path, clock: FakeClock) -> None:
    await long_gone(path, clock, 3)
    silently(path, "UPDATE balance SET spent = 0 WHERE scope = 'client' AND period = 'old-1'")
    async with aclosing(await SqliteLedger.open(path, clock)) as book:
        assert await book.check() == [
            "client old-1: the balance holds 0 spent and 0 reserved, its entries sum to 10000000 and 0 nano-dollars"
        ]
        await pay_as(book, "old-1")
    assert "client old-1: the balance holds 10000000 spent and 0 reserved" in await why_not(path, clock)


async def test_an_entry_that_no_balance_holds_is_found(path: Path, clock: FakeClock) -> None:
    await long_gone(path, clock, 3)
    tamper(
        path,
        "INSERT INTO entry (at, state, day, month, client, project, spent_delta, reserved_delta) "
        "SELECT at, 'restored', day, month, client, project, 5, 0 FROM entry WHERE id = 1",
    )
    assert "its entries sum to 10000005 and 0 nano-dollars" in await why_not(path, clock)
