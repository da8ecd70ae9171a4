"""The entries of the book and the balances that sum them up, as functions over a plain connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from hybrid_mcp.domain.budget import SCOPES, Balance, Balances, Keys, Scope
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.reservation import Settlement, Source

Columns = Mapping[str, str | int | None]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_ENTRY = """
    INSERT INTO entry (at, reservation, state, day, month, client, project, spent_delta, reserved_delta, request_id,
                       model, source, outcome, input_tokens, output_tokens, latency_ms, baseline, billed, booked)
    VALUES (:at, :reservation, :state, :day, :month, :client, :project, :spent, :reserved, :request_id,
            :model, :source, :outcome, :input_tokens, :output_tokens, :latency_ms, :baseline, :billed, :booked)
"""
_NOT_ENDED = dict.fromkeys((
    "request_id", "model", "source", "outcome", "input_tokens", "output_tokens", "latency_ms", "baseline", "billed",
    "booked",
))  # fmt: skip


def write_entry(
    connection: sqlite3.Connection, now: datetime, keys: Keys, *, state: str, reservation: str | None = None,
    spent: int = 0, reserved: int = 0, ending: Columns | None = None,
) -> None:  # fmt: skip
    """Append an entry, and change the balances of its scopes by as much."""
    if spent or reserved:
        connection.executemany(
            "UPDATE balance SET spent = spent + ?, reserved = reserved + ? WHERE scope = ? AND period = ?",
            [(spent, reserved, scope, keys.of(scope)) for scope in SCOPES],
        )
    append_entry(
        connection, now, keys, state=state, reservation=reservation, spent=spent, reserved=reserved, ending=ending
    )


def append_entry(
    connection: sqlite3.Connection, now: datetime, keys: Keys, *, state: str, reservation: str | None, spent: int,
    reserved: int, ending: Columns | None = None,
) -> None:  # fmt: skip
    """The entry alone, where the balances have changed already."""
    values = {
        "at": micros(now), "reservation": reservation, "state": state, "spent": spent, "reserved": reserved,
        **columns(keys), **_NOT_ENDED, **(ending or {}),
    }  # fmt: skip
    connection.execute(_ENTRY, values)


def ending(request_id: str, model: str, source: Source, settlement: Settlement) -> Columns:
    """The columns of an entry that ends an attempt."""
    return {
        "request_id": request_id, "model": model, "source": source, "outcome": settlement.outcome,
        "input_tokens": settlement.input_tokens, "output_tokens": settlement.output_tokens,
        "latency_ms": settlement.latency_ms, "baseline": _nanos(settlement.baseline),
        "billed": _nanos(settlement.billed), "booked": _nanos(settlement.booked),
    }  # fmt: skip


def _nanos(amount: Usd | None) -> int | None:
    return None if amount is None else amount.nanos


def columns(keys: Keys) -> dict[str, str]:
    return {"day": keys.day, "month": keys.month, "client": keys.client, "project": keys.project}


def open_balance(connection: sqlite3.Connection, scope: Scope, period: str) -> None:
    """Where there is none yet, one that holds nothing."""
    connection.execute("INSERT OR IGNORE INTO balance (scope, period) VALUES (?, ?)", (scope, period))


def balances(connection: sqlite3.Connection, keys: Keys) -> Balances:
    """Of the four scopes; one that nothing was ever reserved in is empty."""
    found: dict[Scope, Balance] = {scope: balance_of(connection, scope, keys.of(scope)) for scope in SCOPES}
    return MappingProxyType(found)


def balance_of(connection: sqlite3.Connection, scope: Scope, period: str) -> Balance:
    row = connection.execute(
        "SELECT spent, reserved FROM balance WHERE scope = ? AND period = ?", (scope, period)
    ).fetchone()
    return Balance(spent=Usd(row[0]), reserved=Usd(row[1])) if row else Balance()


def last_entry(connection: sqlite3.Connection) -> int:
    """The number of the newest entry, 0 where there is none."""
    return connection.execute("SELECT coalesce(max(id), 0) FROM entry").fetchone()[0]


def last_time(connection: sqlite3.Connection) -> datetime | None:
    """When the last entry was made; None where there is none."""
    row = connection.execute("SELECT at FROM entry ORDER BY id DESC LIMIT 1").fetchone()
    return None if row is None else time_of(row[0])


def micros(time: datetime) -> int:
    """Microseconds since 1970."""
    return (time - _EPOCH) // timedelta(microseconds=1)


def time_of(since_1970: int) -> datetime:
    """The time of so many microseconds."""
    return _EPOCH + timedelta(microseconds=since_1970)
