"""The sums for reports, kept up to date with every entry, and the proof that sums and entries agree."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from hybrid_mcp.domain.budget import Balance, PeriodName, period_key
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.reservation import imbalance
from hybrid_mcp.domain.usage import (
    By,
    Ended,
    PeriodReport,
    Sums,
    TallyKey,
    UsageRow,
    change,
    drifts,
    period_report,
    usage_rows,
)

_MOST_LINES = 20
PROVE_EVERY = 1_000
"""Entries since the last proof from which on the next one begins later, so that opening the book stays fast."""

_ATTEMPTS = """
    SELECT day, model, source, outcome, input_tokens, output_tokens, spent_delta, baseline, billed, booked
    FROM entry WHERE request_id = ? AND outcome IS NOT NULL ORDER BY id
"""
_ADD = """
    INSERT INTO tally VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (day, model, source) DO UPDATE SET
        requests = requests + excluded.requests, input_tokens = input_tokens + excluded.input_tokens,
        output_tokens = output_tokens + excluded.output_tokens, cost = cost + excluded.cost,
        saved = saved + excluded.saved, billed = billed + excluded.billed, booked = booked + excluded.booked
"""
_UNEQUAL = """
    WITH recent AS MATERIALIZED (
        SELECT day, month, client, project, spent_delta AS spent, reserved_delta AS reserved
        FROM entry WHERE id > :since
    )
    SELECT scope, period, sum(spent), sum(reserved), sum(spent_entries), sum(reserved_entries) FROM (
        SELECT scope, period, spent, reserved, 0 AS spent_entries, 0 AS reserved_entries FROM balance
        UNION ALL SELECT scope, period, 0, 0, spent, reserved FROM proven WHERE :since > 0
        UNION ALL SELECT 'day', day, 0, 0, spent, reserved FROM recent
        UNION ALL SELECT 'month', month, 0, 0, spent, reserved FROM recent
        UNION ALL SELECT 'client', client, 0, 0, spent, reserved FROM recent
        UNION ALL SELECT 'project', project, 0, 0, spent, reserved FROM recent
    )
    GROUP BY scope, period HAVING sum(spent) <> sum(spent_entries) OR sum(reserved) <> sum(reserved_entries)
    ORDER BY scope, period LIMIT :lines
"""
_MISSTATED = """
    SELECT coalesce(reservation.id, last.reservation), reservation.state, last.state
    FROM (
        SELECT reservation, state, max(id), sum(reserved_delta) AS held FROM entry
        WHERE reservation IS NOT NULL GROUP BY reservation
        UNION ALL SELECT id, NULL, NULL, NULL FROM reservation WHERE id NOT IN (
            SELECT reservation FROM entry WHERE reservation IS NOT NULL)
    ) AS last LEFT JOIN reservation ON reservation.id = last.reservation
    WHERE reservation.state IS NOT last.state
        OR last.held <> iif(last.state IN ('reserved', 'dispatched'), reservation.bound, 0)
    LIMIT ?
"""
_UNTOLD = """
    SELECT day, model, source, sum(cost), sum(tokens), sum(entry_cost), sum(entry_tokens) FROM (
        SELECT day, model, source, cost, input_tokens + output_tokens AS tokens, 0 AS entry_cost, 0 AS entry_tokens
        FROM tally
        UNION ALL SELECT day, model, source, 0, 0, spent_delta, input_tokens + output_tokens
        FROM entry WHERE outcome IS NOT NULL
    )
    GROUP BY day, model, source HAVING sum(cost) <> sum(entry_cost) OR sum(tokens) <> sum(entry_tokens) LIMIT ?
"""


def add_to_tally(connection: sqlite3.Connection, request_id: str) -> None:
    """Count the newest ending of the request."""
    attempts = [Ended(TallyKey(*row[:3]), *row[3:]) for row in connection.execute(_ATTEMPTS, (request_id,))]
    connection.executemany(_ADD, [(*key, *sums) for key, sums in change(attempts).items()])


def report(connection: sqlite3.Connection, now: datetime, *, period: PeriodName) -> PeriodReport:
    key = period_key(period, now)
    row = connection.execute(
        "SELECT spent, reserved FROM balance WHERE scope = ? AND period = ?", (period, key)
    ).fetchone()
    balance = Balance(spent=Usd(row[0]), reserved=Usd(row[1])) if row else Balance()
    return period_report(period, key, balance, _tallies(connection, key))


def usage(connection: sqlite3.Connection, now: datetime, *, by: By, month: str | None) -> tuple[UsageRow, ...]:
    return usage_rows(by, _tallies(connection, month or period_key("month", now)))


def notices(connection: sqlite3.Connection, now: datetime) -> tuple[str, ...]:
    """Where providers say that they charge other prices, this month; and what was missing in a restored copy."""
    month = period_key("month", now)
    row = connection.execute(
        "SELECT sum(spent_delta), max(at) FROM entry WHERE state = 'restored' AND month = ?", (month,)
    ).fetchone()
    return drifts(_tallies(connection, month)) + (() if row[0] is None else (_restored(Usd(row[0])),))


def _restored(amount: Usd) -> str:
    return (
        f"the ledger was replaced by an older copy this month: {amount} that was known to be spent or reserved "
        "after it was charged again, without the details"
    )


def _tallies(connection: sqlite3.Connection, key: str) -> dict[TallyKey, Sums]:
    """Of a day, or of a month, whose days are the texts that begin with it."""
    rows = connection.execute("SELECT * FROM tally WHERE day BETWEEN ? AND ?", (key, f"{key}~"))
    return {TallyKey(*row[:3]): Sums(*row[3:]) for row in rows}


def check(connection: sqlite3.Connection, _: datetime) -> list[str]:
    """Everything, from the first entry on."""
    found = [f"the file: {line}" for (line,) in connection.execute("PRAGMA quick_check(20)") if line != "ok"]
    found.extend(_unequal(connection, since=0))
    for name, state, recorded in connection.execute(_MISSTATED, (_MOST_LINES,)):
        found.append(f"the reservation {name} is {state or 'missing'}, its entries say {recorded or 'nothing'}")
    for day, model, source, *sums in connection.execute(_UNTOLD, (_MOST_LINES,)):
        found.append(
            f"the report of {day} for {model} ({source}) says {sums[0]} nano-dollars and {sums[1]} tokens, its entries "
            f"sum to {sums[2]} and {sums[3]}"
        )
    return found


def unproven(connection: sqlite3.Connection) -> list[str]:
    """Balances that are not what they were at the last proof plus the entries since then."""
    return _unequal(connection, since=_proven_entry(connection))


def proof_is_due(connection: sqlite3.Connection) -> bool:
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM entry").fetchone()
    return last - _proven_entry(connection) >= PROVE_EVERY


def prove(connection: sqlite3.Connection) -> None:
    """The balances, just found equal to the entries, are where the next proof begins."""
    connection.execute("DELETE FROM proven")
    connection.execute("INSERT INTO proven SELECT scope, period, spent, reserved FROM balance")
    connection.execute("UPDATE book SET proven_entry = (SELECT coalesce(max(id), 0) FROM entry)")


def _proven_entry(connection: sqlite3.Connection) -> int:
    return connection.execute("SELECT proven_entry FROM book").fetchone()[0]


def _unequal(connection: sqlite3.Connection, since: int) -> list[str]:
    rows = connection.execute(_UNEQUAL, {"since": since, "lines": _MOST_LINES})
    return [imbalance(scope, period, (sums[0], sums[1]), (sums[2], sums[3])) for scope, period, *sums in rows]
