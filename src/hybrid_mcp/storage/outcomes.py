"""What became of models' answers, in a file that all processes of a home share. It is only advice."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio

from hybrid_mcp.domain.errors import InvalidRequest, StorageError
from hybrid_mcp.domain.learning import (
    PLACES,
    Label,
    Learned,
    Lesson,
    Outcome,
    Reported,
    add,
    label_of,
    parts,
    reported,
    summed,
)
from hybrid_mcp.domain.scorer import traits_of
from hybrid_mcp.domain.traits import unpacked
from hybrid_mcp.ports import Clock
from hybrid_mcp.storage.outcomes_file import (
    OtherVersion,
    begin_anew,
    connect,
    in_words,
    read_secret,
    secret_path,
    secret_print,
)
from hybrid_mcp.storage.sqlite_entries import micros
from hybrid_mcp.storage.sqlite_file import Connection, transaction

T = TypeVar("T")

BUSY_TIMEOUT_S = 0.25
"""So long a call waits for another process at the most; then it goes on without."""
MOST_REPORTS, MOST_VERDICTS, MOST_UNKNOWN = 5_000, 2_000, 2_000
"""So many calls are kept: the user's words, the judge's alone, and those of which nothing is known. The oldest leave
first, and what they taught leaves with them."""
REPORTED_WITHIN = timedelta(days=7)
KEPT_FOR = timedelta(days=180)
MOST_A_DAY, MOST_A_DAY_OF_ALL = 200, 600
"""So many reports of one client, and of all clients, count in 24 hours, and so many of the judge's verdicts on what one
client has asked: no client alone can make a home's mind up."""


@dataclass(slots=True)
class _Open:
    """The open file. `known`: what was read of it, at that change of that epoch; the sums grow in place."""

    connection: Connection
    inode: int
    secret: bytes
    epoch: bytes = b""
    change: int = 0
    sums: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])


class SqliteOutcomes:
    """ports.Outcomes over one file, which is created by the first call that has something to remember."""

    def __init__(self, path: Path, clock: Clock, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self.path = path
        self._clock = clock
        self._busy_timeout_s = busy_timeout_s
        self._opened: _Open | None = None
        self._turn = anyio.Lock()

    async def learned(self) -> Learned | None:
        """See ports.Outcomes."""
        if not self.path.exists():
            return None
        return await self._with(_catch_up)

    async def remember(self, lesson: Lesson) -> None:
        """See ports.Outcomes."""
        await self._with(partial(_remember, lesson=lesson, now=self._now()))

    async def report(self, request_id: str, *, ok: bool, client: str, own_only: bool = False) -> Reported:
        """See ports.Outcomes."""
        if not self.path.exists():
            raise _unknown()
        report = partial(_report, request_id=request_id, ok=ok, client=client, own_only=own_only, now=self._now())
        return await self._with(report)

    async def log(self) -> Sequence[Outcome]:
        """See ports.Outcomes."""
        return await self._with(_log) if self.path.exists() else ()

    async def relearn(self) -> bool:
        """See ports.Outcomes."""
        return await self._with(_relearn) if self.path.exists() else True

    async def reset(self) -> int:
        """See ports.Outcomes."""
        if not self.path.exists():
            return 0
        try:
            return await self._with(_reset)
        except StorageError as error:
            if not isinstance(error, OtherVersion) and not _is_damage(error.__cause__):
                raise
        with in_words(self.path):
            for file in (self.path, *self.path.parent.glob(f"{self.path.name}-*"), secret_path(self.path)):
                file.unlink(missing_ok=True)
        return 0

    async def aclose(self) -> None:
        """Closes the file."""
        async with self._turn:
            await self._close()

    def _now(self) -> int:
        return micros(self._clock.now())

    async def _with(self, work: Callable[[sqlite3.Connection, _Open], T]) -> T:
        with in_words(self.path):
            async with self._turn:
                opened = await self._open_file()
                return await opened.connection.run(lambda connection: work(connection, opened))

    async def _open_file(self) -> _Open:
        """Anew where the file is another one than the one that is open."""
        if self._opened is not None and self._opened.inode == _inode(self.path):
            return self._opened
        await self._close()
        connection = Connection(partial(connect, self.path, self._busy_timeout_s))
        await connection.start()
        try:
            secret = read_secret(secret_path(self.path))
            await connection.run(partial(_check_secret, secret=secret))
            self._opened = _Open(connection, _inode(self.path), secret)
        except BaseException:
            await connection.close()
            raise
        return self._opened

    async def _close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            with anyio.CancelScope(shield=True):
                await opened.connection.close()


def _catch_up(connection: sqlite3.Connection, opened: _Open) -> Learned:
    """Read what has changed since the last time, whoever changed it."""
    with transaction(connection, "DEFERRED"):
        epoch, change = connection.execute("SELECT epoch, changes FROM home").fetchone()
        if epoch != opened.epoch:
            opened.epoch, opened.change, opened.sums = epoch, 0, {}
        if change != opened.change:
            query = "SELECT place, above, weight FROM place WHERE changed > ? LIMIT ?"
            rows = connection.execute(query, (opened.change, PLACES))
            opened.sums = {**opened.sums, **{place: (above, weight) for place, above, weight in rows}}
            opened.change = change
    return Learned(secret=opened.secret, sums=opened.sums)


def _remember(connection: sqlite3.Connection, opened: _Open, *, lesson: Lesson, now: int) -> None:
    traits = traits_of(lesson.prompt, opened.secret)
    with transaction(connection):
        verdict = None if _has_taught_enough(connection, lesson.client, now) else lesson.verdict
        row = (
            lesson.request_id, now, lesson.client, traits.packed(), lesson.hundredths, lesson.local, lesson.premium,
            verdict,
        )  # fmt: skip
        new = connection.execute("INSERT OR IGNORE INTO request VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)", row)
        sums: dict[int, tuple[int, int]] = {}
        if verdict is not None and new.rowcount:
            add(sums, parts(Outcome(traits=traits, hundredths=lesson.hundredths, label=verdict)))
        _write(connection, sums, now)


def _report(
    connection: sqlite3.Connection, opened: _Open, *, request_id: str, ok: bool, client: str, own_only: bool, now: int
) -> Reported:
    with transaction(connection):
        row = connection.execute(
            "SELECT traits, hundredths, local, premium, label, reported_at FROM request WHERE id = ? AND at >= ? "
            "AND (asked_by = ? OR NOT ?)",
            (request_id, now - _micros(REPORTED_WITHIN), client, own_only),
        ).fetchone()
        if row is None:
            raise _unknown()
        data, hundredths, local, premium, before, reported_at = row
        label = label_of(local, ok=ok, premium=bool(premium))
        if reported_at is None and _is_enough(connection, client, now):
            return reported(request_id, _outcomes(connection), enough=True)
        _relabel(connection, Outcome(traits=unpacked(data), hundredths=hundredths, label=label), before, now)
        connection.execute(
            "UPDATE request SET label = ?, reported_at = ?, reported_by = ? WHERE id = ?",
            (label, now if reported_at is None else reported_at, client, request_id),
        )
        return reported(request_id, _outcomes(connection))


def _relabel(connection: sqlite3.Connection, outcome: Outcome, before: Label | None, now: int) -> None:
    sums = parts(outcome)
    if before is not None:
        add(sums, parts(Outcome(traits=outcome.traits, hundredths=outcome.hundredths, label=before)), -1)
    _write(connection, sums, now)


def _write(connection: sqlite3.Connection, sums: dict[int, tuple[int, int]], now: int) -> None:
    """Add to the sums, and take away what the calls taught that are too old or too many."""
    gone = _rows_too_many(connection, now)
    for outcome in _outcomes_of(gone.values()):
        add(sums, parts(outcome), -1)
    connection.executemany("DELETE FROM request WHERE id = ?", [(name,) for name in gone])
    changed = [(place, above, weight) for place, (above, weight) in sums.items() if above or weight]
    if not changed:
        return
    connection.execute("UPDATE home SET changes = changes + 1")
    connection.executemany(
        "INSERT INTO place VALUES (?, ?, ?, (SELECT changes FROM home)) ON CONFLICT DO UPDATE SET "
        "above = above + excluded.above, weight = weight + excluded.weight, changed = excluded.changed",
        changed,
    )


_KINDS = (
    ("reported_at IS NOT NULL", MOST_REPORTS, KEPT_FOR),
    ("reported_at IS NULL AND label IS NOT NULL", MOST_VERDICTS, KEPT_FOR),
    ("reported_at IS NULL AND label IS NULL", MOST_UNKNOWN, REPORTED_WITHIN),
)
_Row = tuple[bytes, int, Label | None]


def _rows_too_many(connection: sqlite3.Connection, now: int) -> Mapping[str, _Row]:
    found: dict[str, _Row] = {}
    for kind, most, age in _KINDS:
        fields = f"SELECT id, traits, hundredths, label FROM request WHERE {kind}"  # noqa: S608 - constants above
        old = connection.execute(f"{fields} AND at < ?", (now - _micros(age),))
        more = connection.execute(f"{fields} ORDER BY at DESC LIMIT -1 OFFSET ?", (most,))
        found |= {name: (data, hundredths, label) for rows in (old, more) for name, data, hundredths, label in rows}
    return found


def _outcomes_of(rows: Iterable[_Row]) -> list[Outcome]:
    return [
        Outcome(traits=unpacked(data), hundredths=hundredths, label=label)
        for data, hundredths, label in rows
        if label is not None
    ]


def _is_enough(connection: sqlite3.Connection, client: str, now: int) -> bool:
    query = "SELECT count(*), coalesce(sum(reported_by = ?), 0) FROM request WHERE reported_at > ?"
    of_all, of_client = connection.execute(query, (client, now - _micros(timedelta(days=1)))).fetchone()
    return of_all >= MOST_A_DAY_OF_ALL or of_client >= MOST_A_DAY


def _has_taught_enough(connection: sqlite3.Connection, client: str, now: int) -> bool:
    query = "SELECT count(*) FROM request WHERE reported_at IS NULL AND at > ? AND asked_by = ? AND label IS NOT NULL"
    return connection.execute(query, (now - _micros(timedelta(days=1)), client)).fetchone()[0] >= MOST_A_DAY


def _outcomes(connection: sqlite3.Connection) -> int:
    return connection.execute("SELECT count(*) FROM request WHERE label IS NOT NULL").fetchone()[0]


def _log(connection: sqlite3.Connection, _: _Open) -> Sequence[Outcome]:
    return _outcomes_of(connection.execute("SELECT traits, hundredths, label FROM request ORDER BY at, rowid"))


def _relearn(connection: sqlite3.Connection, opened: _Open) -> bool:
    """Make the sums anew, and tell whether they were right."""
    with transaction(connection):
        before = {place: (above, weight) for place, above, weight in connection.execute(_PLACES)}
        after = {place: pair for place, pair in summed(_log(connection, opened)).items() if any(pair)}
        connection.execute("UPDATE home SET changes = 0, epoch = randomblob(8)")
        connection.execute("DELETE FROM place")
        rows = [(place, above, weight) for place, (above, weight) in after.items()]
        connection.executemany("INSERT INTO place VALUES (?, ?, ?, 0)", rows)
        connection.execute("UPDATE place SET changed = 1")
        connection.execute("UPDATE home SET changes = 1")
        return before == after


def _reset(connection: sqlite3.Connection, opened: _Open) -> int:
    with transaction(connection):
        count = _outcomes(connection)
        begin_anew(connection, opened.secret)
        return count


_PLACES = "SELECT place, above, weight FROM place WHERE above <> 0 OR weight <> 0"


def _check_secret(connection: sqlite3.Connection, secret: bytes) -> None:
    if connection.execute("SELECT secret_print FROM home").fetchone() != (secret_print(secret),):
        raise ValueError("they were made with another secret")


def _is_damage(error: BaseException | None) -> bool:
    """Not where the file is whole but locked, read-only or none of ours."""
    if isinstance(error, sqlite3.OperationalError):
        return False
    return isinstance(error, sqlite3.DatabaseError | ValueError)


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return -1


def _micros(age: timedelta) -> int:
    return age // timedelta(microseconds=1)


def _unknown() -> InvalidRequest:
    return InvalidRequest(
        f"no such request_id in this home: give that of a route_completion answer of the last {REPORTED_WITHIN.days} "
        "days that was neither cached, planned nor confidential"
    )
