"""The ledger's file: opening it safely, its transactions, and its errors in words."""

from __future__ import annotations

import os
import secrets
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Literal, TypeVar

import aiosqlite
import anyio
import anyio.to_thread

from hybrid_mcp.domain.errors import StorageError
from hybrid_mcp.storage.filesystem import network_file_system

T = TypeVar("T")
Version = tuple[int, int, int]

APPLICATION_ID = 0x48594D43
"""Marks the file as this program's ("HYMC")."""
SCHEMA_VERSION = 3
MIGRATIONS = (1, 2)
"""Older formats that are taken over when they are opened."""
OLDEST_SQLITE: Version = (3, 37, 0)
"""The first with STRICT tables."""
_RETRY_S = 0.05

_ADVICE: Mapping[int, str] = {
    sqlite3.SQLITE_BUSY: "is locked by another program: close what holds it, then try again",
    sqlite3.SQLITE_READONLY: "may not be written: check the permissions of the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: it must be a file in a folder that may be written",
    sqlite3.SQLITE_NOTADB: "is not a ledger, and was left as it is: move it away to begin a new book",
    sqlite3.SQLITE_CORRUPT: "is damaged, and was left as it is: restore a copy, or move it away to begin a new book",
    sqlite3.SQLITE_FULL: "cannot grow, because the disk is full: free some space, then try again",
    sqlite3.SQLITE_IOERR: "cannot be read or written: check the disk, its quota and its free space",
    sqlite3.SQLITE_CONSTRAINT: "refused a change that would break the book; nothing was changed",
}


def journal_mode(version: Version) -> Literal["wal", "delete"]:
    """The journal that is safe with this SQLite when several processes write: a write-ahead log, or a rollback journal.

    Up to 3.51.2 a write-ahead log may lose commits when it is reset (https://sqlite.org/wal.html#walresetbug); the fix
    was also made in 3.50.7 and 3.44.6.
    """
    fixed = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51, 0) or (3, 44, 6) <= version < (3, 45, 0)
    return "wal" if fixed else "delete"


class Connection(aiosqlite.Connection):
    """A thread that runs whole transactions, one at a time: cancelling the caller never leaves half of one."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        # Without this, a ledger that nobody closed would keep the program from ending.
        self._thread.daemon = True

    async def start(self) -> None:
        """Opens the file. Raises what the connector raises."""
        try:
            await self
        except BaseException:
            # aiosqlite leaves its thread to end alone, which must not be later than the event loop.
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self._thread.join)
            raise

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The result of `work`, called on the connection's own thread."""
        # aiosqlite has no public way to run a whole function on its thread, and no types on this one.
        return await self._execute(work, self._conn)  # pyright: ignore[reportUnknownMemberType]


@contextmanager
def guarded(path: Path) -> Generator[None]:
    """Lets nobody cancel the block, and raises StorageError with the file, what is wrong, and what to do."""
    with anyio.CancelScope(shield=True):
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            advice = _ADVICE.get(code, "cannot be used: see what SQLite says of it")
            raise StorageError(f"the ledger {path} {advice} (SQLite: {error})") from error
        except OverflowError as error:
            raise StorageError(f"the ledger {path} cannot hold a number that large; nothing was changed") from error
        except OSError as error:
            why = error.strerror or str(error)
            raise StorageError(f"the ledger {path} cannot be created: check its folder ({why})") from error


@contextmanager
def transaction(
    connection: sqlite3.Connection, kind: Literal["IMMEDIATE", "DEFERRED"] = "IMMEDIATE"
) -> Generator[None]:
    """All of the block, durably, or nothing. IMMEDIATE may write; DEFERRED reads one state of the book."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back by itself after some errors, such as a full disk.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def connect(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """Opens the file, or creates it, safe against another process doing the same at this moment.

    Raises:
        StorageError: not a ledger of this version, or this SQLite cannot keep it safely. The file is left as it is.
        sqlite3.Error: anything else that is wrong with it.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise StorageError(
            f"the ledger {path} needs SQLite 3.37 or newer, this Python has {sqlite3.sqlite_version}: use a newer one"
        )
    shared = network_file_system(path)
    if shared is not None:
        raise StorageError(
            f"the ledger {path} is on a network file system ({shared}), where locks cannot be trusted and a budget "
            "could be overspent: set HYBRID_MCP_HOME to a folder on a local disk"
        )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        _create_whole(path, busy_timeout_s)
    return _open(path, path, _access(path), busy_timeout_s)


def _open(file: Path, told: Path, access: Literal["ro", "rw", "rwc"], busy_timeout_s: float) -> sqlite3.Connection:
    address = f"{file.absolute().as_uri()}?mode={access}"
    connection = sqlite3.connect(address, timeout=busy_timeout_s, isolation_level=None, uri=True)
    try:
        _prepare(connection, told, busy_timeout_s)
        connection.execute(f"PRAGMA query_only = {int(access == 'ro')}")
    except BaseException:
        connection.close()
        raise
    return connection


def _access(path: Path) -> Literal["ro", "rw"]:
    """How an existing file may be opened. A superuser may write what is marked read-only, and is not meant to."""
    status = path.stat()
    if status.st_size == 0 and stat.S_ISREG(status.st_mode):
        raise StorageError(
            f"the ledger {path} is empty, which no ledger ever is: restore a copy, or delete it to begin a new book"
        )
    return "rw" if status.st_mode & 0o222 else "ro"


def _create_whole(path: Path, busy_timeout_s: float) -> None:
    """Make the file elsewhere and put it in place in one step, so that a crash never leaves an empty one there."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        _open(draft, path, "rwc", busy_timeout_s).close()
        _put_in_place(draft, path)
    finally:
        for leftover in (draft, *draft.parent.glob(f"{draft.name}-*")):
            leftover.unlink(missing_ok=True)


def _put_in_place(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        # Another process was faster, and its book is as good.
        return
    except OSError:
        # A file system without hard links.
        draft.rename(path)
    if sys.platform != "win32":
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def _prepare(connection: sqlite3.Connection, path: Path, busy_timeout_s: float) -> None:
    safe = journal_mode(sqlite3.sqlite_version_info)
    connection.execute("PRAGMA synchronous = FULL")
    # Only a new file gets a write-ahead log: an older SQLite may be using an existing one at this moment.
    if _is_empty(connection) and safe == "wal":
        # Where another process is creating the file just now, the rollback journal does as well.
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")
    with transaction(connection):
        if _is_empty(connection):
            _create(connection)
        elif _pragma(connection, "application_id") == APPLICATION_ID:
            _take_over(connection)
        _check_format(connection, path)
    if safe == "delete" or _pragma(connection, "journal_mode") != "wal":
        _use_rollback_journal(connection, path, busy_timeout_s)


def _use_rollback_journal(connection: sqlite3.Connection, path: Path, busy_timeout_s: float) -> None:
    """Leaving a write-ahead log needs the file alone, and SQLite does not wait for that by itself.

    TRUNCATE is the rollback journal whose end is synced too; a deleted one may come back after a power failure and undo
    the last commit.
    """
    give_up = time.monotonic() + busy_timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = TRUNCATE")
        except sqlite3.OperationalError as error:
            if time.monotonic() > give_up:
                raise StorageError(
                    f"the ledger {path} is in use by a program with a newer SQLite, in a mode (WAL) that "
                    f"SQLite {sqlite3.sqlite_version} of this Python cannot share safely: end that program and start "
                    "this one once, or use the same Python for both"
                ) from error
            time.sleep(_RETRY_S)
        else:
            return


def _check_format(connection: sqlite3.Connection, path: Path) -> None:
    if _pragma(connection, "application_id") != APPLICATION_ID:
        raise StorageError(
            f"the ledger {path} is a database of another program, and was left as it is: move it away, or set another "
            "home folder"
        )
    version = _pragma(connection, "user_version")
    if version != SCHEMA_VERSION:
        raise StorageError(
            f"the ledger {path} has format {version}, this program knows format {SCHEMA_VERSION}: install the newest "
            "hybrid-mcp. The file was left as it is"
        )


def _is_empty(connection: sqlite3.Connection) -> bool:
    tables: int = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    return tables == 0 and _pragma(connection, "application_id") == 0 and _pragma(connection, "user_version") == 0


def _create(connection: sqlite3.Connection) -> None:
    _execute(connection, "schema.sql")
    connection.execute("INSERT INTO book (name, proven_entry) VALUES (?, 0)", (secrets.token_hex(8),))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _take_over(connection: sqlite3.Connection) -> None:
    """Bring a book of an older format into the present one; a program that knows only the older can write no more."""
    version = _pragma(connection, "user_version")
    if version in MIGRATIONS:
        _execute(connection, f"migrations/{version}_set_aside.sql")
        _create(connection)
        _execute(connection, f"migrations/{version}_take_over.sql")


def _execute(connection: sqlite3.Connection, script: str) -> None:
    # Not executescript(), which would commit the transaction that this runs in.
    for statement in _statements(files("hybrid_mcp.storage").joinpath(script).read_text("utf-8")):
        connection.execute(statement)


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _pragma(connection: sqlite3.Connection, name: str) -> int | str:
    return connection.execute(f"PRAGMA {name}").fetchone()[0]
