"""The high-water mark of a ledger, in a small file beside it."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from hybrid_mcp.domain.budget import Keys, period_key
from hybrid_mcp.domain.high_water import HighWater, missing
from hybrid_mcp.domain.money import MAX_NANOS
from hybrid_mcp.storage.sqlite_book import give_up_all, restore

_OF_PROJECTS = """
    SELECT period, spent + reserved FROM balance WHERE scope = 'project' AND period >= ? || ' ' AND period < ? || '!'
"""


def read_mark(path: Path) -> HighWater | None:
    """None where there is none that can be read: the mark is a second witness, not the book."""
    with suppress(OSError, ValueError, TypeError, AttributeError, RecursionError):
        return _checked(HighWater(**cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))))
    return None


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
    text = json.dumps({name: getattr(mark, name) for name in HighWater.__slots__})
    with suppress(OSError):
        try:
            draft.write_text(text, encoding="utf-8")
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


def mark_of(connection: sqlite3.Connection, now: datetime) -> HighWater:
    """What the book holds of this day and this month."""
    (name,) = connection.execute("SELECT name FROM book").fetchone()
    day, month = period_key("day", now), period_key("month", now)
    return HighWater(
        book=name, entry=last_entry(connection), day=day, month=month, of_day=_of_day(connection, day),
        projects=_of_projects(connection, month),
    )  # fmt: skip


def is_behind(connection: sqlite3.Connection, mark: HighWater | None) -> bool:
    """Whether this is an older copy of the book that the mark was taken of."""
    (name,) = connection.execute("SELECT name FROM book").fetchone()
    return mark is not None and mark.book == name and mark.entry > last_entry(connection)


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


def last_entry(connection: sqlite3.Connection) -> int:
    """The number of the newest entry, 0 where there is none."""
    return connection.execute("SELECT coalesce(max(id), 0) FROM entry").fetchone()[0]


def _of_day(connection: sqlite3.Connection, day: str) -> int:
    row = connection.execute(
        "SELECT spent + reserved FROM balance WHERE scope = 'day' AND period = ?", (day,)
    ).fetchone()
    return row[0] if row else 0


def _of_projects(connection: sqlite3.Connection, month: str) -> dict[str, int]:
    return dict(connection.execute(_OF_PROJECTS, (month, month)).fetchall())
