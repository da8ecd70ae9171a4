from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from hybrid_mcp.domain.budget import Caps
from hybrid_mcp.domain.errors import StorageError
from hybrid_mcp.storage import sqlite_file
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_books import balance, child, held, opened, plain, refusal, sent, spend
from tests.support_ledger import ME, FakeClock, hold, usd

CAPS = Caps(month=usd("1"))


# The journal


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


OLD, NEW = (3, 40, 1), (3, 51, 3)


@pytest.fixture
def sqlite_is(monkeypatch: pytest.MonkeyPatch) -> Callable[[tuple[int, int, int]], None]:
    return lambda version: monkeypatch.setattr(sqlite3, "sqlite_version_info", version)


def pragma(path: Path, name: str) -> object:
    """As the ledger's own connection has it."""
    connection = sqlite_file.connect(path, 0.1)
    try:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]
    finally:
        connection.close()


SqliteIs = Callable[[tuple[int, int, int]], None]


def test_an_old_sqlite_commits_through_a_rollback_journal_that_is_synced(path: Path, sqlite_is: SqliteIs) -> None:
    sqlite_is(OLD)
    assert pragma(path, "journal_mode") == "truncate"
    assert pragma(path, "synchronous") == 2


def test_a_new_sqlite_gives_a_new_file_a_write_ahead_log_that_is_synced(path: Path, sqlite_is: SqliteIs) -> None:
    sqlite_is(NEW)
    assert pragma(path, "journal_mode") == "wal"
    assert pragma(path, "journal_mode") == "wal"
    assert pragma(path, "synchronous") == 2


def test_a_new_sqlite_leaves_a_rollback_journal_because_an_old_one_may_be_using_it(
    path: Path, sqlite_is: SqliteIs
) -> None:
    sqlite_is(OLD)
    spend(path, "0.40")
    sqlite_is(NEW)
    assert pragma(path, "journal_mode") == "truncate"


def test_an_old_sqlite_turns_a_write_ahead_log_back_and_keeps_the_money(path: Path, sqlite_is: SqliteIs) -> None:
    sqlite_is(NEW)
    spend(path, "0.40")
    sqlite_is(OLD)
    assert pragma(path, "journal_mode") == "truncate"
    assert opened(path) == balance("0.40")


def test_an_old_sqlite_does_not_share_a_write_ahead_log(path: Path, sqlite_is: SqliteIs) -> None:
    sqlite_is(NEW)
    newer_program = sqlite_file.connect(path, 0.1)
    newer_program.execute("SELECT count(*) FROM entry").fetchone()
    sqlite_is(OLD)
    assert "end that program and start this one once" in refusal(path)
    newer_program.close()


def test_an_sqlite_without_strict_tables_is_refused(path: Path, sqlite_is: SqliteIs) -> None:
    sqlite_is((3, 36, 0))
    assert "needs SQLite 3.37 or newer" in refusal(path)
    assert not path.exists()


# Where it lies, and what is there


def test_nothing_is_created_before_the_first_use(path: Path) -> None:
    asyncio.run(SqliteLedger(path, FakeClock()).aclose())
    assert not path.exists()


def test_the_folder_is_created_with_the_book(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b" / "ledger.db"
    assert opened(deep) == balance()
    assert deep.exists()


def test_a_new_book_is_put_in_place_whole_and_nothing_is_left_beside_it(path: Path) -> None:
    assert opened(path) == balance()
    assert {file.name for file in path.parent.iterdir()} <= {"ledger.db", "ledger.db-journal"}


def test_beside_a_book_that_was_used_there_is_its_mark_and_nothing_else(path: Path) -> None:
    spend(path, "0.40")
    assert {file.name for file in path.parent.iterdir()} <= {"ledger.db", "ledger.db-journal", "ledger.mark"}


@pytest.mark.parametrize("exists", [True, False])
def test_a_file_that_other_machines_may_have_open_is_refused_and_not_touched(
    path: Path, monkeypatch: pytest.MonkeyPatch, *, exists: bool
) -> None:
    if exists:
        spend(path, "0.40")
    before = path.read_bytes() if exists else None
    asked: list[Path] = []

    def network(file: Path) -> str:
        asked.append(file)
        return "nfs4"

    monkeypatch.setattr(sqlite_file, "network_file_system", network)
    assert refusal(path) == (
        f"the ledger {path} is on a network file system (nfs4), where locks cannot be trusted and a budget could be "
        "overspent: set HYBRID_MCP_HOME to a folder on a local disk"
    )
    assert asked == [path]
    assert (path.read_bytes() if path.exists() else None) == before


def test_no_folder_is_made_on_a_network_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def network(_: Path) -> str:
        return "nfs4"

    monkeypatch.setattr(sqlite_file, "network_file_system", network)
    assert "on a network file system" in refusal(tmp_path / "home" / "ledger.db")
    assert list(tmp_path.iterdir()) == []


def test_an_emptied_file_is_refused_because_no_book_is_ever_empty(path: Path) -> None:
    spend(path, "0.40")
    path.write_bytes(b"")
    assert "is empty, which no ledger ever is: restore a copy, or delete it" in refusal(path)
    assert path.read_bytes() == b""


def text(path: Path) -> None:
    path.write_text("not a database, but somebody wants it\n" * 200)


def of_another_program(path: Path) -> None:
    with plain(path) as connection:
        connection.execute("CREATE TABLE recipe (name TEXT)")


def of_another_program_and_empty(path: Path) -> None:
    with plain(path) as connection:
        connection.execute("PRAGMA application_id = 7")


def newer(path: Path) -> None:
    spend(path, "0.40")
    with plain(path) as connection:
        connection.execute("PRAGMA user_version = 4")


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
        (newer, "has format 4, this program knows format 3: install the newest hybrid-mcp. The file was left as it is"),
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


# Permissions and locks


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are of another kind")
def test_a_superuser_does_not_write_a_book_that_is_marked_read_only(path: Path) -> None:
    spend(path, "0.40")
    path.chmod(0o444)
    assert opened(path) == balance("0.40")
    with pytest.raises(StorageError, match="may not be written"):
        spend(path, "0.10")


def test_a_book_that_is_marked_read_only_can_be_read_also_where_a_lease_has_ended(path: Path, clock: FakeClock) -> None:
    async def leave_open() -> None:
        async with aclosing(SqliteLedger(path, clock)) as book:
            await sent(book, "0.40")

    asyncio.run(leave_open())
    path.chmod(0o444)
    clock.advance(100)
    assert opened(path, clock) == balance(reserved="0.40")


READ_ONLY = """
import asyncio, os, sys
from pathlib import Path
from hybrid_mcp.domain.budget import Caps
from hybrid_mcp.domain.errors import StorageError
from hybrid_mcp.storage.sqlite import SqliteLedger
from tests.support_ledger import ME, FakeClock, hold
import psutil  # before another user may not read it any more

if os.geteuid() == 0:
    os.seteuid(65534)


async def main():
    book = SqliteLedger(Path(sys.argv[1]), FakeClock())
    try:
        print((await book.view(Caps(), ME)).balances["month"].spent)
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


@pytest.mark.anyio
async def test_a_book_that_stays_locked_is_an_error_and_works_again_afterwards(path: Path, book: SqliteLedger) -> None:
    with plain(path) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StorageError, match="is locked by another program: close what holds it, then try again"):
            await book.reserve(hold("0.40"), CAPS)
        with pytest.raises(StorageError, match="is locked by another program"):
            await book.view(CAPS, ME)
        other.execute("ROLLBACK")
    assert await book.reserve(hold("0.40"), CAPS)
    assert await held(book) == balance(reserved="0.40")


@pytest.mark.anyio
async def test_a_report_does_not_wait_for_somebody_who_writes(path: Path, book: SqliteLedger) -> None:
    await book.reserve(hold("0.40"), CAPS)
    with plain(path) as other:
        other.execute("BEGIN IMMEDIATE")
        assert await held(book) == balance(reserved="0.40")
        other.execute("ROLLBACK")


@pytest.mark.anyio
async def test_what_was_written_is_there_after_the_book_is_opened_again(path: Path, clock: FakeClock) -> None:
    async with aclosing(SqliteLedger(path, clock)) as book:
        reservation = await book.reserve(hold("0.40"), CAPS)
        await book.dispatch(reservation)
    async with aclosing(await SqliteLedger.open(path, clock)) as again:
        assert await held(again) == balance(reserved="0.40")
        await again.void(await again.reserve(hold("0.10"), CAPS))
