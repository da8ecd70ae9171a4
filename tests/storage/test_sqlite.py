from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from hybrid_mcp.domain.budget import Balance, Caps, Reservation
from hybrid_mcp.domain.errors import BudgetExceeded, StorageError
from hybrid_mcp.storage import sqlite_book, sqlite_file
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_ledger import NOON, FakeClock, ended, hold, usd

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
CAPS = Caps(month=usd("1"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def ledger(path: Path, clock: FakeClock) -> AsyncIterator[SqliteLedger]:
    book = await SqliteLedger.open(path, clock, busy_timeout_s=0.1)
    yield book
    await book.aclose()


async def month(ledger: SqliteLedger) -> Balance:
    return (await ledger.view(Caps(), NOON)).month


def spend(path: Path, cost: str) -> None:
    """A book with this much spent in it, closed again."""

    async def steps() -> None:
        async with aclosing(SqliteLedger(path, FakeClock())) as book:
            reservation = await book.reserve(hold(cost), Caps())
            await book.dispatch(reservation)
            await book.settle(reservation, ended(cost))

    asyncio.run(steps())


def opened(path: Path, clock: FakeClock | None = None) -> Balance:
    """The month, read from a book that is opened and closed for it."""

    async def steps() -> Balance:
        async with aclosing(await SqliteLedger.open(path, clock or FakeClock(), busy_timeout_s=0.1)) as book:
            assert await book.check() == []
            return await month(book)

    return asyncio.run(steps())


def refusal(path: Path) -> str:
    with pytest.raises(StorageError) as refused:
        opened(path)
    return str(refused.value)


# The file


@pytest.mark.parametrize(
    ("version", "mode"),
    [
        ((3, 40, 1), "delete"),
        ((3, 44, 5), "delete"),
        ((3, 44, 6), "wal"),
        ((3, 45, 0), "delete"),
        ((3, 50, 6), "delete"),
        ((3, 50, 7), "wal"),
        ((3, 51, 0), "delete"),
        ((3, 51, 2), "delete"),
        ((3, 51, 3), "wal"),
        ((3, 52, 0), "wal"),
        ((4, 0, 0), "wal"),
    ],
)
def test_a_write_ahead_log_needs_an_sqlite_that_resets_it_safely(version: tuple[int, int, int], mode: str) -> None:
    assert sqlite_file.journal_mode(version) == mode


@pytest.fixture
def old_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))


@pytest.fixture
def new_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 3))


def pragma(path: Path, name: str) -> object:
    """As the ledger's own connection has it."""
    connection = sqlite_file.connect(path, 0.1)
    try:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]
    finally:
        connection.close()


@pytest.mark.usefixtures("old_sqlite")
def test_an_old_sqlite_commits_through_a_rollback_journal_that_is_synced(path: Path) -> None:
    assert pragma(path, "journal_mode") == "truncate"
    assert pragma(path, "synchronous") == 2


@pytest.mark.usefixtures("new_sqlite")
def test_a_new_sqlite_gives_a_new_file_a_write_ahead_log_that_is_synced(path: Path) -> None:
    assert pragma(path, "journal_mode") == "wal"
    assert pragma(path, "journal_mode") == "wal"
    assert pragma(path, "synchronous") == 2


def test_a_new_sqlite_leaves_a_rollback_journal_because_an_old_one_may_be_using_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    spend(path, "0.40")
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 3))
    assert pragma(path, "journal_mode") == "truncate"


def test_an_old_sqlite_turns_a_write_ahead_log_back_and_keeps_the_money(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 3))
    spend(path, "0.40")
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    assert pragma(path, "journal_mode") == "truncate"
    assert opened(path) == Balance(spent=usd("0.40"))


def test_an_old_sqlite_does_not_share_a_write_ahead_log(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 3))
    newer_program = sqlite_file.connect(path, 0.1)
    sqlite_book.balances(newer_program, {"month": "2026-11"})
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    assert "end that program and start this one once" in refusal(path)
    newer_program.close()


def test_an_sqlite_without_strict_tables_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))
    assert "needs SQLite 3.37 or newer" in refusal(path)
    assert not path.exists()


def test_nothing_is_created_before_the_first_use(path: Path) -> None:
    asyncio.run(SqliteLedger(path, FakeClock()).aclose())
    assert not path.exists()


def test_the_folder_is_created_with_the_book(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b" / "ledger.db"
    assert opened(deep) == Balance()
    assert deep.exists()


def test_an_emptied_file_is_refused_because_no_book_is_ever_empty(path: Path) -> None:
    spend(path, "0.40")
    path.write_bytes(b"")
    with pytest.raises(StorageError, match="is empty, which no ledger ever is: restore a copy, or delete it"):
        opened(path)
    assert path.read_bytes() == b""


def test_a_new_book_is_put_in_place_whole_and_nothing_is_left_beside_it(path: Path) -> None:
    assert opened(path) == Balance()
    assert {file.name for file in path.parent.iterdir()} <= {"ledger.db", "ledger.db-journal"}


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are of another kind")
def test_a_superuser_does_not_write_a_book_that_is_marked_read_only(path: Path) -> None:
    spend(path, "0.40")
    path.chmod(0o444)
    assert opened(path).spent == usd("0.40")
    with pytest.raises(StorageError, match="may not be written"):
        spend(path, "0.10")


def text(path: Path) -> None:
    path.write_text("not a database, but somebody wants it\n" * 200)


def of_another_program(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE recipe (name TEXT)")
    connection.close()


def of_another_program_and_empty(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA application_id = 7")
    connection.close()


def newer(path: Path) -> None:
    spend(path, "0.40")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()


def damaged(path: Path) -> None:
    spend(path, "0.40")
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xa5" * 3996
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (text, "is not a ledger, and was left as it is: move it away to begin a new book"),
        (of_another_program, "is a database of another program, and was left as it is"),
        (of_another_program_and_empty, "is a database of another program, and was left as it is"),
        (newer, "has format 2, this program knows format 1: install the newest hybrid-mcp"),
        (damaged, "is damaged, and was left as it is: restore a copy"),
    ],
)
def test_a_file_that_is_no_usable_book_is_refused_and_left_as_it_is(
    path: Path, make: Callable[[Path], None], message: str
) -> None:
    make(path)
    before = path.read_bytes()
    refused = refusal(path)
    assert refused.startswith(f"the ledger {path} {message}")
    assert path.read_bytes() == before


def test_a_path_that_is_a_folder_is_refused(path: Path) -> None:
    path.mkdir()
    assert f"the ledger {path} cannot be opened: it must be a file" in refusal(path)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    path = tmp_path / "home" / "ledger.db"
    assert f"the ledger {path} cannot be created: check its folder" in refusal(path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_named() -> None:
    assert "the ledger /dev/full cannot grow, because the disk is full: free some space" in refusal(Path("/dev/full"))


def test_a_disk_that_fills_up_stops_a_reservation_as_a_whole(path: Path) -> None:
    connection = sqlite_file.connect(path, 0.1)
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    granted = 0

    async def fill() -> None:
        nonlocal granted
        with sqlite_file.guarded(path):
            for number in range(500):
                asked = Reservation(id=f"id-{number}", hold=hold("0.01"), month="2026-11", day="2026-11-20")
                sqlite_book.reserve(connection, asked, Caps(), "owner", NOON)
                granted += 1

    with pytest.raises(StorageError, match="cannot grow, because the disk is full"):
        asyncio.run(fill())
    assert 0 < granted < 500
    assert sqlite_book.balances(connection, {"month": "2026-11"}) == {
        "month": Balance(reserved=usd("0.01").times(granted))
    }
    assert sqlite_book.check(connection) == []
    connection.close()


READ_ONLY = """
import asyncio, os, sys
from pathlib import Path
from hybrid_mcp.domain.budget import Caps
from hybrid_mcp.domain.errors import StorageError
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_ledger import FakeClock, hold

if os.geteuid() == 0:
    os.seteuid(65534)


async def main():
    book = SqliteLedger(Path(sys.argv[1]), FakeClock())
    try:
        print((await book.view(Caps(), FakeClock().now())).month.spent)
        await book.reserve(hold("0"), Caps())
    except StorageError as error:
        print(error)
    await book.aclose()

asyncio.run(main())
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user may enter."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are of another kind")
@pytest.mark.parametrize("file_mode", [0o444, 0o666])
def test_a_book_that_may_not_be_written_can_be_read_and_grants_nothing(open_folder: Path, file_mode: int) -> None:
    path = open_folder / "ledger.db"
    spend(path, "0.40")
    path.chmod(file_mode)
    (open_folder / "ledger.db-journal").unlink(missing_ok=True)
    open_folder.chmod(0o555)
    spent, refused = child(READ_ONLY, path).splitlines()
    assert spent == "$0.40"
    assert refused.startswith(f"the ledger {path} may not be written: check the permissions of the file and its folder")


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are of another kind")
def test_a_folder_that_may_not_be_written_is_refused(open_folder: Path) -> None:
    open_folder.chmod(0o555)
    path = open_folder / "ledger.db"
    assert f"the ledger {path} cannot be opened: it must be a file in a folder that may be" in child(READ_ONLY, path)
    assert not path.exists()


async def test_a_book_that_stays_locked_is_an_error_and_works_again_afterwards(
    path: Path, ledger: SqliteLedger
) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StorageError, match="is locked by another program: close what holds it, then try again"):
        await ledger.reserve(hold("0.40"), CAPS)
    with pytest.raises(StorageError, match="is locked by another program"):
        await ledger.view(CAPS, NOON)
    other.execute("ROLLBACK")
    other.close()
    assert await ledger.reserve(hold("0.40"), CAPS)
    assert await month(ledger) == Balance(reserved=usd("0.40"))


# The book


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET spent_delta = 0",
        "DELETE FROM entry",
        "UPDATE reservation SET bound = 0",
        "UPDATE reservation SET day = '2026-11-19'",
        "UPDATE reservation SET state = 'reserved'",
        "UPDATE balance SET spent = -1",
        "UPDATE balance SET reserved = -1",
        "UPDATE balance SET spent = 'much'",
        "UPDATE balance SET spent = 4611686018427387905",
    ],
)
def test_the_file_itself_refuses_what_would_falsify_the_book(path: Path, statement: str) -> None:
    spend(path, "0.40")
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)
    connection.close()


GHOST = """
    INSERT INTO reservation (id, created_at, request_id, model, source, day, month, bound, owner, expires_at)
    VALUES ('ghost', 0, 'r', 'm', 'cloud', '2026-11-20', '2026-11', 5, 'o', 0)
"""


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "UPDATE balance SET spent = spent - 1 WHERE scope = 'month'",
            (
                "month 2026-11: the balance holds 399999999 spent and 0 reserved, its entries sum to 400000000 and 0 "
                "nano-dollars"
            ),
        ),
        (
            "DELETE FROM balance WHERE scope = 'day'",
            "day 2026-11-20: the balance holds 0 spent and 0 reserved, its entries sum to 400000000 and 0 nano-dollars",
        ),
        (
            "INSERT INTO balance (scope, period, spent) VALUES ('day', '2026-11-19', 5)",
            "day 2026-11-19: the balance holds 5 spent and 0 reserved, its entries sum to 0 and 0 nano-dollars",
        ),
        ("DELETE FROM reservation", "is missing, its entries say settled"),
        (
            GHOST,
            "the reservation ghost is reserved, its entries say nothing",
        ),
    ],
)
def test_the_check_finds_a_book_that_was_tampered_with(path: Path, statement: str, message: str) -> None:
    spend(path, "0.40")
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()
    connection = sqlite_file.connect(path, 0.1)
    (found,) = sqlite_book.check(connection)
    assert found.endswith(message)
    connection.close()


async def test_the_check_finds_a_state_without_its_entry(path: Path, ledger: SqliteLedger) -> None:
    reservation = await ledger.reserve(hold("0.40"), CAPS)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE reservation SET state = 'dispatched'")
    connection.close()
    assert await ledger.check() == [f"the reservation {reservation.id} is dispatched, its entries say reserved"]


async def test_money_that_the_book_cannot_count_is_refused(ledger: SqliteLedger) -> None:
    most = hold("4000000000")
    await ledger.reserve(most, Caps())
    with pytest.raises(StorageError, match="refused a change that would break the book"):
        await ledger.reserve(most, Caps())
    assert await month(ledger) == Balance(reserved=most.bound)


async def test_what_was_written_is_there_after_the_book_is_opened_again(
    path: Path, ledger: SqliteLedger, clock: FakeClock
) -> None:
    reservation = await ledger.reserve(hold("0.40"), CAPS)
    await ledger.dispatch(reservation)
    await ledger.aclose()
    again = await SqliteLedger.open(path, clock)
    await again.settle(reservation, ended("0.30"))
    assert await month(again) == Balance(spent=usd("0.30"))
    await again.aclose()


# Many at once


async def test_two_connections_share_the_cap(path: Path, clock: FakeClock) -> None:
    books = [SqliteLedger(path, clock), SqliteLedger(path, clock)]
    outcomes: list[bool] = []

    async def attempt(book: SqliteLedger) -> None:
        try:
            await book.reserve(hold("0.10"), CAPS)
            outcomes.append(True)
        except BudgetExceeded:
            outcomes.append(False)

    async with anyio.create_task_group() as tasks:
        for number in range(30):
            tasks.start_soon(attempt, books[number % 2])
    assert outcomes.count(True) == 10
    assert [await month(book) for book in books] == [Balance(reserved=usd("1"))] * 2
    for book in books:
        await book.aclose()


async def test_a_caller_that_is_cancelled_leaves_nothing_or_all_of_it(path: Path, clock: FakeClock) -> None:
    book = SqliteLedger(path, clock)
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
        assert await month(book) == Balance(reserved=usd("0.01").times(granted))
    assert 0 < granted < 30
    assert await book.check() == []
    await book.aclose()


async def test_a_task_that_is_thrown_out_by_asyncio_leaves_nothing_or_all_of_it(path: Path, clock: FakeClock) -> None:
    book = SqliteLedger(path, clock)
    for turns in range(30):
        task = asyncio.create_task(book.reserve(hold("0.01"), Caps()))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await book.check() == []
    clock.advance(80)
    assert await month(book) == Balance()
    await book.aclose()


async def test_settling_in_a_shielded_scope_survives_the_cancellation(ledger: SqliteLedger) -> None:
    reservation = await ledger.reserve(hold("0.40"), CAPS)
    await ledger.dispatch(reservation)
    with anyio.CancelScope() as outer:
        outer.cancel()
        with anyio.CancelScope(shield=True):
            await ledger.settle(reservation, ended("0.30"))
    assert await month(ledger) == Balance(spent=usd("0.30"))


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
    again = await SqliteLedger.open(path, clock)
    assert await month(again) == Balance(reserved=usd("0.05"))
    await again.aclose()


# Other processes


def child(script: str, *arguments: object) -> str:
    """What it prints, errors too."""
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=30,
        check=False,
    )
    return done.stdout


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


RACE = """
import asyncio, sys
from pathlib import Path
from hybrid_mcp.domain.budget import Caps
from hybrid_mcp.domain.errors import BudgetExceeded
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_ledger import FakeClock, hold, usd

async def attempt(book):
    try:
        await book.reserve(hold("0.10"), Caps(month=usd("1")))
    except BudgetExceeded:
        return 0
    return 1

async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    book = SqliteLedger(Path(sys.argv[1]), FakeClock())
    print(sum(await asyncio.gather(*(attempt(book) for _ in range(8)))))
    await book.aclose()

asyncio.run(main())
"""


def test_processes_that_create_one_book_at_once_never_pass_its_cap(path: Path) -> None:
    racers = [start(RACE, path) for _ in range(3)]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    granted = [int(racer.communicate(timeout=30)[0]) for racer in racers]
    assert sum(granted) == 10
    assert opened(path) == Balance(reserved=usd("1"))


VICTIM = """
import asyncio, sys
from pathlib import Path
from hybrid_mcp.domain.budget import Caps
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_ledger import FakeClock, hold

async def main():
    book = SqliteLedger(Path(sys.argv[1]), FakeClock())
    await book.reserve(hold("0.10"), Caps())
    await book.dispatch(await book.reserve(hold("0.30"), Caps()))
    print("sent", flush=True)
    sys.stdin.readline()

asyncio.run(main())
"""


async def test_a_process_killed_after_it_sent_a_call_has_it_charged_when_its_lease_ends(
    path: Path, clock: FakeClock
) -> None:
    victim = start(VICTIM, path)
    assert victim.stdout is not None
    assert victim.stdout.readline() == "sent\n"
    victim.kill()
    victim.communicate(timeout=30)
    book = SqliteLedger(path, clock)
    assert await month(book) == Balance(reserved=usd("0.40"))
    clock.advance(80)
    assert await month(book) == Balance(spent=usd("0.30"))
    assert await book.check() == []
    await book.aclose()


async def test_opening_the_book_closes_the_leases_that_ended(path: Path, clock: FakeClock) -> None:
    book = SqliteLedger(path, clock)
    await book.dispatch(await book.reserve(hold("0.30"), CAPS))
    await book.aclose()
    clock.advance(80)
    await (await SqliteLedger.open(path, clock)).aclose()
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT state FROM reservation").fetchall() == [("forfeited",)]
    connection.close()


SPENDER = """
import asyncio, os, sys
from pathlib import Path
from hybrid_mcp.domain.budget import Caps
from hybrid_mcp.domain.errors import BudgetExceeded
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_ledger import FakeClock, ended, hold, usd

async def main():
    book = SqliteLedger(Path(sys.argv[1]), FakeClock())
    provider = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def spend():
        for _ in range(1000):
            try:
                reservation = await book.reserve(hold("0.01"), Caps(month=usd("1")))
            except BudgetExceeded:
                return
            await book.dispatch(reservation)
            os.write(provider, b".")
            await book.settle(reservation, ended("0.01"))

    await asyncio.gather(spend(), spend(), spend())

asyncio.run(main())
"""


def test_what_the_provider_billed_is_never_above_the_cap_or_the_book_after_kills(path: Path) -> None:
    bill = path.with_name("bill")
    bill.touch()
    for kill_at in (5, 13, 29, 47, 71):
        spender = start(SPENDER, path, bill)
        for _ in range(20_000):
            if bill.stat().st_size >= kill_at or spender.poll() is not None:
                break
            time.sleep(0.001)
        spender.kill()
        spender.communicate(timeout=30)
    last = start(SPENDER, path, bill)
    assert last.communicate(timeout=30)[0] == ""
    balance = opened(path, FakeClock(NOON + timedelta(seconds=80)))
    assert usd("0.01").times(bill.stat().st_size) <= balance.spent <= usd("1")
    assert bill.stat().st_size >= 71
    assert balance.reserved == usd("0")


UNCLOSED = """
import asyncio, sys
from pathlib import Path
from hybrid_mcp.domain.budget import Caps
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_ledger import FakeClock, hold

book = SqliteLedger(Path(sys.argv[1]), FakeClock())
asyncio.run(book.reserve(hold("0.10"), Caps()))
print("end")
"""


def test_a_book_that_nobody_closed_does_not_keep_the_program_from_ending(path: Path) -> None:
    assert child(UNCLOSED, path) == "end\n"


INTERRUPTED = """
import asyncio, sys
from contextlib import aclosing
from pathlib import Path
from hybrid_mcp.domain.budget import Caps
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_ledger import FakeClock, hold

async def main():
    async with aclosing(SqliteLedger(Path(sys.argv[1]), FakeClock())) as book:
        await book.view(Caps(), FakeClock().now())
        print("open", flush=True)
        for _ in range(100_000):
            await book.reserve(hold("0.10"), Caps())

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of another kind")
def test_an_interrupted_program_ends_quietly_in_the_middle_of_its_work(path: Path) -> None:
    program = start(INTERRUPTED, path)
    assert program.stdout is not None
    assert program.stdout.readline() == "open\n"
    program.send_signal(signal.SIGINT)
    assert program.communicate(timeout=30)[0] == "interrupted\n"
    assert opened(path).spent == usd("0")
