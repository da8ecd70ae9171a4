"""The sums for reports, kept up to date with every entry."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from hybrid_mcp.domain.budget import PeriodName, period_key
from hybrid_mcp.domain.corrections import Correction, Said
from hybrid_mcp.domain.high_water import COPIED, restored_words
from hybrid_mcp.domain.money import Usd
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
from hybrid_mcp.storage.sqlite_entries import balance_of

_ATTEMPTS = """
    SELECT day, model, source, outcome, input_tokens, output_tokens, spent_delta, baseline, billed, booked
    FROM entry WHERE request_id = ? AND outcome IS NOT NULL AND state <> 'corrected' ORDER BY id
"""
_ADD = """
    INSERT INTO tally VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (day, model, source) DO UPDATE SET
        requests = requests + excluded.requests, input_tokens = input_tokens + excluded.input_tokens,
        output_tokens = output_tokens + excluded.output_tokens, cost = cost + excluded.cost,
        saved = saved + excluded.saved, billed = billed + excluded.billed, booked = booked + excluded.booked
"""
_CORRECT = """
    UPDATE tally SET cost = cost + ?, billed = billed + ?, booked = booked + ?
    WHERE day = ? AND model = ? AND source = 'cloud'
"""
_RESTORED = """
    SELECT sum(spent_delta), count(*) FILTER (WHERE spent_delta = 0) FROM entry WHERE state = 'restored' AND month = ?
"""


def add_to_tally(connection: sqlite3.Connection, request_id: str) -> None:
    """Count the newest ending of the request."""
    attempts = [Ended(TallyKey(*row[:3]), *row[3:]) for row in connection.execute(_ATTEMPTS, (request_id,))]
    connection.executemany(_ADD, [(*key, *sums) for key, sums in change(attempts).items()])


def correct_tally(connection: sqlite3.Connection, day: str, model: str, correction: Correction, said: Said) -> None:
    """What was saved stays as it was: the tokens that it was measured with may be as wrong as the cost was."""
    values = (correction.spent_delta, said.billed or 0, said.booked or 0, day, model)
    connection.execute(_CORRECT, values)


def report(connection: sqlite3.Connection, now: datetime, *, period: PeriodName) -> PeriodReport:
    key = period_key(period, now)
    return period_report(period, key, balance_of(connection, period, key), _tallies(connection, key))


def usage(connection: sqlite3.Connection, now: datetime, *, by: By, month: str | None) -> tuple[UsageRow, ...]:
    return usage_rows(by, _tallies(connection, month or period_key("month", now)))


def notices(connection: sqlite3.Connection, now: datetime) -> tuple[str, ...]:
    """Where providers say that they charge other prices, this month; and what became of the book itself."""
    month = period_key("month", now)
    amount, copies = connection.execute(_RESTORED, (month,)).fetchone()
    found = drifts(_tallies(connection, month))
    if amount:
        found += (restored_words(Usd(amount)),)
    return (*found, COPIED) if copies else found


def _tallies(connection: sqlite3.Connection, key: str) -> dict[TallyKey, Sums]:
    """Of a day, or of a month, whose days are the texts that begin with it."""
    rows = connection.execute("SELECT * FROM tally WHERE day BETWEEN ? AND ?", (key, f"{key}~"))
    return {TallyKey(*row[:3]): Sums(*row[3:]) for row in rows}
