"""The high-water mark of a ledger, in a small file beside it."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

from hybrid_mcp.domain.budget import Keys, period_key
from hybrid_mcp.domain.high_water import HighWater, missing
from hybrid_mcp.domain.money import MAX_NANOS
from hybrid_mcp.storage.file_time import UNKNOWN, made_ns
from hybrid_mcp.storage.sqlite_book import give_up_all, restore
from hybrid_mcp.storage.sqlite_entries import last_entry

_OF_PROJECTS = """
    SELECT period, spent + reserved FROM balance WHERE scope = 'project' AND period >= ? || ' ' AND period < ? || '!'
"""
_NOTED = "SELECT 1 FROM entry WHERE state = 'restored' AND month = ? AND spent_delta = 0"

_UNREADABLE = (OSError, ValueError, TypeError, AttributeError, RecursionError)


def read_mark(path: Path) -> HighWater | None:
    """None where there is none that can be read: the mark is a second witness, not the book."""
    with suppress(*_UNREADABLE), path.open(encoding="utf-8") as file:
        return _parsed(file)[0]
    return None


def is_copy(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the mark in this file is one of this book that was copied: then nobody knows what came after it.

    It says itself when its file was made, and a copy is made later.
    """
    with suppress(*_UNREADABLE), path.open(encoding="utf-8") as file:
        # Asked of the open file: another process may put a new one in its place at any time.
        mark, said = _parsed(file)
        made = made_ns(file.fileno())
        return mark.book == _name(connection) and UNKNOWN not in {made, said} and made != said
    return False


def _parsed(file: IO[str]) -> tuple[HighWater, int]:
    """The mark, and when its file was made. Raises one of `_UNREADABLE`."""
    found = cast("dict[str, Any]", json.load(file))
    made = found.pop("made", UNKNOWN)
    return _checked(HighWater(**found)), made


def _checked(mark: HighWater) -> HighWater:
    """Raises ValueError, TypeError or AttributeError."""
    numbers = (mark.entry, mark.of_day, *mark.projects.values())
    if not all(type(text) is str for text in (mark.book, mark.day, mark.month)):
        raise TypeError("not a text")
    if not all(type(number) is int and 0 <= number <= MAX_NANOS for number in numbers):
        raise ValueError("not an amount")
    return mark


def write_mark(path: Path, mark: HighWater) -> None:
    """In one step, and not synced: after a power failure an older one may stand there, which asks for less."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    values = {name: getattr(mark, name) for name in HighWater.__slots__}
    with suppress(OSError):
        try:
            with draft.open("w", encoding="utf-8") as file:
                file.write(json.dumps({**values, "made": made_ns(file.fileno())}))
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


def mark_of(connection: sqlite3.Connection, now: datetime) -> HighWater:
    """What the book holds of this day and this month."""
    day, month = period_key("day", now), period_key("month", now)
    return HighWater(
        book=_name(connection), entry=last_entry(connection), day=day, month=month, of_day=_of_day(connection, day),
        projects=_of_projects(connection, month),
    )  # fmt: skip


def is_behind(connection: sqlite3.Connection, mark: HighWater | None) -> bool:
    """Whether this is an older copy of the book that the mark was taken of."""
    return mark is not None and mark.book == _name(connection) and mark.entry > last_entry(connection)


def recover(connection: sqlite3.Connection, now: datetime, mark: HighWater | None) -> bool:
    """Charge again what an older copy has forgotten; False where this is none."""
    if mark is None or not is_behind(connection, mark):
        return False
    give_up_all(connection, now)
    of_day, projects = _of_day(connection, mark.day), _of_projects(connection, mark.month)
    for one in missing(mark, of_day=of_day, projects=projects):
        keys = Keys(day=one.day, month=one.month, client="", project=one.project)
        restore(connection, now, keys=keys, amount=one.nanos)
    return True


def note_copy(connection: sqlite3.Connection, now: datetime) -> None:
    """An entry of no amount, once a month, keeps it for `notices`."""
    day, month = period_key("day", now), period_key("month", now)
    if connection.execute(_NOTED, (month,)).fetchone() is None:
        restore(connection, now, keys=Keys(day=day, month=month, client="", project=f"{month} "), amount=0)


def _name(connection: sqlite3.Connection) -> str:
    return connection.execute("SELECT name FROM book").fetchone()[0]


def _of_day(connection: sqlite3.Connection, day: str) -> int:
    row = connection.execute(
        "SELECT spent + reserved FROM balance WHERE scope = 'day' AND period = ?", (day,)
    ).fetchone()
    return row[0] if row else 0


def _of_projects(connection: sqlite3.Connection, month: str) -> dict[str, int]:
    return dict(connection.execute(_OF_PROJECTS, (month, month)).fetchall())
