"""Reservations through the ledger, against the same number of durable transactions by the bare `sqlite3` module.

Both write to the same disk, with the same journal and synchronous=FULL, in short slices by turns. One triple is
reserve, dispatch and settle; the floor's triple is three transactions that insert one row each.
"""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory

import anyio

from hybrid_mcp.domain.budget import Account, Caps
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.reservation import Hold, Settlement
from hybrid_mcp.observe.clock import SystemClock
from hybrid_mcp.ports import Ledger
from hybrid_mcp.storage.sqlite import SqliteLedger

WAITING = (1, 50, 200)
ROUNDS = 8
SLICE_S = 0.3
CAPS = Caps(month=Usd.limit(1_000_000))
BOUND, COST = Usd.limit("0.01"), Usd.limit("0.004")
DISK = Path(__file__).parent.parent / ".cache"
"""Not the folder for temporary files, which may be in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Medians of triples a second; `ratio` is the median of the rounds' own ratios."""

    ours: float
    floor: float
    ratio: float


def measure() -> list[str]:
    """Lines for the report."""
    lines: list[str] = []
    for waiting in WAITING:
        with on_disk() as folder:
            speed, journal = anyio.run(_compare, folder, waiting)
        lines.append(
            f"reserve, dispatch and settle, {waiting} waiting: {speed.ours:,.0f} triples/s, bare sqlite3 "
            f"{speed.floor:,.0f}, ratio {speed.ratio:.2f} (SQLite {sqlite3.sqlite_version}, {journal}, FULL)"
        )
    return lines


@contextmanager
def on_disk() -> Generator[Path]:
    """A new folder that is deleted after use."""
    DISK.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="bench-", dir=DISK) as folder:
        yield Path(folder)


def journal_of(path: Path) -> str:
    """The journal of a ledger: a write-ahead log, or the rollback journal that is truncated."""
    with sqlite3.connect(path) as connection:
        mode: str = connection.execute("PRAGMA journal_mode").fetchone()[0]
    connection.close()
    return "WAL" if mode == "wal" else "TRUNCATE"


async def _compare(folder: Path, waiting: int) -> tuple[Speed, str]:
    ledger = await SqliteLedger.open(folder / "ledger.db", SystemClock())
    try:
        journal = journal_of(folder / "ledger.db")
        with _floor(folder / "floor.db", journal) as floor:
            pairs = [(await _ours(ledger, waiting), _theirs(floor)) for _ in range(ROUNDS)]
    finally:
        await ledger.aclose()
    ours, floors = zip(*pairs, strict=True)
    ratio = statistics.median(a / b for a, b in pairs)
    return Speed(ours=statistics.median(ours), floor=statistics.median(floors), ratio=ratio), journal


async def _ours(ledger: SqliteLedger, waiting: int) -> float:
    began, done = time.perf_counter(), 0

    async def one_after_another() -> None:
        nonlocal done
        while time.perf_counter() - began < SLICE_S:
            await triple(ledger)
            done += 1

    async with anyio.create_task_group() as group:
        for _ in range(waiting):
            group.start_soon(one_after_another)
    return done / (time.perf_counter() - began)


async def triple(ledger: Ledger) -> None:
    """Set money aside, mark it as sent, and settle it."""
    hold = Hold(request_id=token_hex(6), model="far:model", bound=BOUND, lease_s=80, account=Account())
    settlement = Settlement(cost=COST, input_tokens=100, output_tokens=200, latency_ms=900, outcome="ok")
    reservation = await ledger.reserve(hold, CAPS)
    await ledger.dispatch(reservation)
    await ledger.settle(reservation, settlement)


@contextmanager
def _floor(path: Path, journal: str) -> Generator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA journal_mode = {journal}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE step (id INTEGER PRIMARY KEY, at INTEGER, amount INTEGER)")
    try:
        yield connection
    finally:
        connection.close()


def bare_transactions(path: Path) -> float:
    """Durable one-row transactions a second in a new file, with the journal of a rollback: what this disk can do."""
    with _floor(path, "TRUNCATE") as floor:
        return 3 * statistics.median(_theirs(floor) for _ in range(ROUNDS))


def _theirs(connection: sqlite3.Connection) -> float:
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < SLICE_S:
        for _ in range(3):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO step (at, amount) VALUES (?, ?)", (time.time_ns(), COST.nanos))
            connection.execute("COMMIT")
        done += 1
    return done / (time.perf_counter() - began)
