from __future__ import annotations

import sqlite3
from contextlib import aclosing
from pathlib import Path

import pytest

from hybrid_mcp.domain.budget import Caps
from hybrid_mcp.domain.errors import StorageError
from hybrid_mcp.storage import sqlite_commit, sqlite_tally
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_books import balance, held, pay, plain, refusal, spend
from tests.support_ledger import ME, FakeClock, hold

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
    monkeypatch.setattr(sqlite_tally, "PROVE_EVERY", 9)
    return 9


@pytest.fixture
def proofs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One for each that was written down."""
    done: list[str] = []

    def prove(connection: sqlite3.Connection) -> None:
        done.append("proof")
        sqlite_tally.prove(connection)

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
