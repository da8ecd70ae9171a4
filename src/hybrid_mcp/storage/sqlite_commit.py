"""Changes of many callers in one durable transaction, and what is looked at before each."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

from hybrid_mcp.domain.errors import StorageError
from hybrid_mcp.domain.high_water import HighWater
from hybrid_mcp.storage.book_clock import BookClock
from hybrid_mcp.storage.sqlite_book import lost, sweep
from hybrid_mcp.storage.sqlite_entries import last_entry, last_time
from hybrid_mcp.storage.sqlite_file import SCHEMA_VERSION, transaction
from hybrid_mcp.storage.sqlite_mark import is_behind, is_copy, mark_of, note_copy, read_mark, recover, write_mark
from hybrid_mcp.storage.sqlite_proof import proof_is_due, prove, unproven

T = TypeVar("T")
Work = Callable[[sqlite3.Connection, datetime], T]
"""Works inside a transaction, at the book's own time."""


class Change(Generic[T]):
    """One caller's part of a transaction: it succeeds or fails alone, unless the whole transaction fails.

    `ending`: it ends a reservation, so it must not get lost.
    """

    def __init__(self, work: Work[T], *, ending: bool = False) -> None:
        self._work = work
        self._ending = ending
        self._result: list[T] = []
        self._error: Exception | None = None

    @property
    def done(self) -> bool:
        return bool(self._result) or self._error is not None

    def make(self, connection: sqlite3.Connection, now: datetime) -> None:
        """Raises what SQLite gave up the whole transaction for."""
        connection.execute("SAVEPOINT change")
        try:
            result, error = [self._work(connection, now)], None
        except Exception as failure:
            # Its caller is told. The others have nothing to do with it.
            if not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO change")
            result, error = [], failure
        connection.execute("RELEASE change")
        self._result, self._error = result, error

    def fail(self, error: Exception) -> None:
        self._result, self._error = [], error

    def result(self) -> T:
        """Raises what the change failed with."""
        if self._error is not None:
            raise self._error
        return self._result[0]

    @property
    def is_owed(self) -> bool:
        """Whether to try again: the disk or a lock stood in the way of an ending, and not the book itself."""
        at_fault = isinstance(self._error, sqlite3.Error) and not isinstance(self._error, sqlite3.IntegrityError)
        return self._ending and at_fault


@dataclass(slots=True, kw_only=True)
class Witness:
    """Which file this process has open, how far its entries had come, and its time.

    `outdated`: a mark from before the file was opened, which could not be replaced.
    """

    path: Path
    identity: tuple[int, int] | None
    entry: int
    clock: BookClock
    outdated: HighWater | None = None

    def check(self, connection: sqlite3.Connection, mark: HighWater | None) -> None:
        """Look whether this is still the file that others look at.

        `mark`: as it was before the transaction began; a later one may know of entries that this one cannot see.

        Raises:
            StorageError: spending here would not be seen there.
        """
        if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
            raise StorageError(
                f"the ledger {self.path} was taken over by a newer hybrid-mcp: start the program again, with that one"
            )
        if _identity(self.path) != self.identity or self._is_behind(connection, mark):
            raise StorageError(f"the ledger {self.path} was replaced or removed: start the program again")

    def _is_behind(self, connection: sqlite3.Connection, mark: HighWater | None) -> bool:
        return last_entry(connection) < self.entry or (mark != self.outdated and is_behind(connection, mark))

    def now(self, connection: sqlite3.Connection) -> datetime:
        """The book's own time."""
        return self.clock.now(last_time(connection))

    def remember(self, mark: HighWater) -> None:
        """Write the high-water mark, but never over that of a later entry.

        Also where the sums are the same: what was only reserved in an older copy may have been paid since.
        """
        self.entry = mark.entry
        there = read_mark(mark_path(self.path))
        if there is None or there.book != mark.book or there.entry < mark.entry:
            write_mark(mark_path(self.path), mark)


def mark_path(path: Path) -> Path:
    return path.with_suffix(".mark")


def begin(connection: sqlite3.Connection, path: Path, clock: BookClock) -> Witness:
    """Prove the sums, and charge again what an older copy in the file's place has forgotten, or say that it may have.

    Raises:
        StorageError: a balance is not the sum of its entries.
    """
    witness = Witness(path=path, identity=_identity(path), entry=0, clock=clock)
    with transaction(connection, "DEFERRED"):
        wrong = unproven(connection, witness.now(connection))
        behind = is_behind(connection, read_mark(mark_path(path)))
        to_write = behind or is_copy(connection, mark_path(path)) or proof_is_due(connection)
        witness.entry = last_entry(connection)
    _refuse_what_does_not_add_up(wrong, path)
    if to_write and not _is_read_only(connection):
        _mend(connection, witness)
    witness.outdated = read_mark(mark_path(path))
    return witness


def _refuse_what_does_not_add_up(wrong: Sequence[str], path: Path) -> None:
    if wrong:
        raise StorageError(
            f"the ledger {path} does not add up, so nothing is paid with it ({'; '.join(wrong[:3])}): restore a copy, "
            "or move it away to begin a new book"
        )


def _mend(connection: sqlite3.Connection, witness: Witness) -> None:
    path = mark_path(witness.path)
    with transaction(connection):
        # Read again: another process may have done it all while this one waited.
        mark, copied, now = read_mark(path), is_copy(connection, path), witness.now(connection)
        behind = recover(connection, now, mark)
        if copied:
            note_copy(connection, now)
        if not unproven(connection, now):
            prove(connection)
        held = mark_of(connection, now)
    if behind or copied:
        write_mark(path, held)
    witness.remember(held)


def commit_all(connection: sqlite3.Connection, changes: Sequence[Change[Any]], witness: Witness) -> None:
    """All changes that can be made, durably; each of the others knows why it could not.

    From time to time the sums are proven, so that whoever opens the file next has little to add up.

    Raises:
        StorageError: none was made.
        sqlite3.Error: none was made.
    """
    before = connection.total_changes
    mark, there = None, read_mark(mark_path(witness.path))
    with transaction(connection):
        witness.check(connection, there)
        now = witness.now(connection)
        sweep(connection, now)
        for change in changes:
            change.make(connection, now)
        witness.clock.saw(last_time(connection))
        if proof_is_due(connection):
            _refuse_what_does_not_add_up(unproven(connection, now), witness.path)
            prove(connection)
        if connection.total_changes != before:
            mark = mark_of(connection, now)
    if mark is not None:
        witness.remember(mark)


def commit_or_fail(connection: sqlite3.Connection, changes: Sequence[Change[Any]], witness: Witness) -> None:
    """The same, but where none was made, each of the changes knows why."""
    try:
        commit_all(connection, changes, witness)
    except Exception as error:  # noqa: BLE001 - each of the callers is told
        for change in changes:
            change.fail(error)


def read(connection: sqlite3.Connection, work: Work[T], witness: Witness) -> T:
    """One state of the book. The write lock is only waited for where a lost reservation has to be closed first."""
    there = read_mark(mark_path(witness.path))
    with transaction(connection, "DEFERRED"):
        witness.check(connection, there)
        now = witness.now(connection)
        if _is_read_only(connection) or not lost(connection, now):
            return work(connection, now)
    commit_all(connection, (), witness)
    with transaction(connection, "DEFERRED"):
        return work(connection, witness.now(connection))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _is_read_only(connection: sqlite3.Connection) -> bool:
    # SQLite tells it in no pragma; what it knows is how the file was opened.
    return bool(connection.execute("PRAGMA query_only").fetchone()[0])
