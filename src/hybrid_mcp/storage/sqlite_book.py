"""What the book does inside one transaction, as functions over a plain connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hybrid_mcp.domain.budget import (
    LOST,
    PERIODS,
    Balance,
    Caps,
    Event,
    PeriodName,
    PeriodReport,
    Reservation,
    Settlement,
    Source,
    State,
    Tally,
    charge,
    imbalance,
    next_state,
    period_key,
    period_report,
    shortfalls,
    swept_state,
)
from hybrid_mcp.domain.money import ZERO, Usd
from hybrid_mcp.storage.sqlite_file import transaction

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_LINES = 20

_SET_ASIDE = """
    UPDATE balance SET reserved = reserved + :bound
    WHERE scope = :scope AND period = :period
        AND (:bound = 0 OR :cap IS NULL OR spent + reserved + :bound <= :cap)
"""
_RESERVE = """
    INSERT INTO reservation (id, created_at, request_id, model, source, day, month, bound, owner, expires_at)
    VALUES (:id, :at, :request_id, :model, :source, :day, :month, :bound, :owner, :expires_at)
"""
_HELD = "SELECT id, request_id, model, source, day, month, bound, state FROM reservation "
_EXPIRED = _HELD + "WHERE state IN ('reserved', 'dispatched') AND expires_at <= ?"
_WAS_SWEPT = """
    SELECT EXISTS (
        SELECT 1 FROM entry
        WHERE reservation = ? AND state IN ('settled', 'voided', 'forfeited') AND outcome = 'expired'
    )
"""
_ENTRY = """
    INSERT INTO entry (at, reservation, state, day, month, spent_delta, reserved_delta, request_id, model, source,
                       outcome, input_tokens, output_tokens, latency_ms, baseline)
    VALUES (:at, :reservation, :state, :day, :month, :spent, :reserved, :request_id, :model, :source,
            :outcome, :input_tokens, :output_tokens, :latency_ms, :baseline)
"""
_TALLIES = """
    SELECT day, model, source, sum(answered), sum(input_tokens), sum(output_tokens), sum(spent_delta),
        sum(CASE WHEN answered AND baseline > spent THEN baseline - spent ELSE 0 END)
    FROM (
        SELECT *,
            id IS max(CASE WHEN outcome IN ('ok', 'doubtful') THEN id END) OVER request AS answered,
            sum(spent_delta) OVER request AS spent
        FROM entry WHERE outcome IS NOT NULL AND day BETWEEN ? AND ?
        WINDOW request AS (PARTITION BY request_id)
    )
    GROUP BY day, model, source
"""
"""A request counts once, at its last answer, and saves what all of its attempts left."""
_IMBALANCES = """
    SELECT scope, period, sum(spent), sum(reserved), sum(spent_entries), sum(reserved_entries) FROM (
        SELECT scope, period, spent, reserved, 0 AS spent_entries, 0 AS reserved_entries FROM balance
        UNION ALL SELECT 'day', day, 0, 0, spent_delta, reserved_delta FROM entry
        UNION ALL SELECT 'month', month, 0, 0, spent_delta, reserved_delta FROM entry
    )
    GROUP BY scope, period HAVING sum(spent) <> sum(spent_entries) OR sum(reserved) <> sum(reserved_entries)
    ORDER BY scope, period LIMIT ?
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


class _Held(NamedTuple):
    id: str
    request_id: str
    model: str
    source: Source
    day: str
    month: str
    bound: int
    state: State


def reserve(
    connection: sqlite3.Connection, reservation: Reservation, caps: Caps, owner: str, now: datetime
) -> tuple[str, ...]:
    """The caps that it does not fit; empty when it was granted."""
    with transaction(connection):
        _sweep(connection, now)
        if not _set_aside(connection, reservation, caps):
            keys: Mapping[PeriodName, str] = {"day": reservation.day, "month": reservation.month}
            return shortfalls(reservation.hold, caps, balances(connection, keys))
        _record_reservation(connection, reservation, owner, now)
    return ()


def _set_aside(connection: sqlite3.Connection, reservation: Reservation, caps: Caps) -> bool:
    if not Balance().fits(reservation.hold.bound, caps.request):
        return False
    connection.execute("SAVEPOINT set_aside")
    granted = all(_set_aside_in(connection, reservation, caps, period) for period in PERIODS)
    if not granted:
        connection.execute("ROLLBACK TO set_aside")
    connection.execute("RELEASE set_aside")
    return granted


def _set_aside_in(connection: sqlite3.Connection, reservation: Reservation, caps: Caps, scope: PeriodName) -> bool:
    cap = caps.of(scope)
    values = {
        "scope": scope,
        "period": reservation.month if scope == "month" else reservation.day,
        "bound": reservation.hold.bound.nanos,
        "cap": None if cap is None else cap.nanos,
    }
    connection.execute("INSERT OR IGNORE INTO balance (scope, period) VALUES (:scope, :period)", values)
    return connection.execute(_SET_ASIDE, values).rowcount == 1


def _record_reservation(connection: sqlite3.Connection, reservation: Reservation, owner: str, now: datetime) -> None:
    hold = reservation.hold
    values = {
        "id": reservation.id,
        "at": micros(hold.created_at),
        "request_id": hold.request_id,
        "model": hold.model,
        "source": hold.source,
        "day": reservation.day,
        "month": reservation.month,
        "bound": hold.bound.nanos,
        "owner": owner,
        "expires_at": micros(hold.expires_at),
    }
    connection.execute(_RESERVE, values)
    held = _Held(*connection.execute(_HELD + "WHERE id = ?", (reservation.id,)).fetchone())
    _record(connection, held, "reserved", None, now)


def move(connection: sqlite3.Connection, key: str, event: Event, settlement: Settlement | None, now: datetime) -> bool:
    """False where there is no such reservation."""
    with transaction(connection):
        row = connection.execute(_HELD + "WHERE id = ?", (key,)).fetchone()
        if row is None:
            return False
        held = _Held(*row)
        expired = bool(connection.execute(_WAS_SWEPT, (key,)).fetchone()[0])
        state = next_state(key, held.state, event, expired=expired)
        if state is not None:
            _enter(connection, held, state, settlement, now)
    return True


def sweep_if_needed(connection: sqlite3.Connection, now: datetime) -> None:
    """Looks without the write lock, so that a mere report does not wait for writers."""
    if connection.execute(_EXPIRED, (micros(now),)).fetchone() is not None:
        with transaction(connection):
            _sweep(connection, now)


def _sweep(connection: sqlite3.Connection, now: datetime) -> None:
    for row in connection.execute(_EXPIRED, (micros(now),)).fetchall():
        held = _Held(*row)
        _enter(connection, held, swept_state(held.state), LOST, now)


def _enter(
    connection: sqlite3.Connection, held: _Held, state: State, settlement: Settlement | None, now: datetime
) -> None:
    """Moves a reservation to its next state: its row, the balances of the periods it was reserved in, and the entry."""
    connection.execute("UPDATE reservation SET state = ? WHERE id = ?", (state, held.id))
    if state != "dispatched":
        spent = charge(state, Usd(held.bound), settlement).nanos
        for scope, period in (("day", held.day), ("month", held.month)):
            connection.execute(
                "UPDATE balance SET reserved = reserved - ?, spent = spent + ? WHERE scope = ? AND period = ?",
                (held.bound, spent, scope, period),
            )
    _record(connection, held, state, settlement, now)


def _record(
    connection: sqlite3.Connection, held: _Held, state: State, settlement: Settlement | None, now: datetime
) -> None:
    reserved = {"reserved": held.bound, "dispatched": 0}.get(state, -held.bound)
    values = {
        "at": micros(now),
        "reservation": held.id,
        "state": state,
        "day": held.day,
        "month": held.month,
        "spent": charge(state, Usd(held.bound), settlement).nanos,
        "reserved": reserved,
    }
    connection.execute(_ENTRY, values | _ending(held.request_id, held.model, held.source, settlement))


def _ending(request_id: str, model: str, source: Source, settlement: Settlement | None) -> dict[str, str | int | None]:
    if settlement is None:
        names = ("request_id", "model", "source", "outcome", "input_tokens", "output_tokens", "latency_ms", "baseline")
        return dict.fromkeys(names)
    return {
        "request_id": request_id,
        "model": model,
        "source": source,
        "outcome": settlement.outcome,
        "input_tokens": settlement.input_tokens,
        "output_tokens": settlement.output_tokens,
        "latency_ms": settlement.latency_ms,
        "baseline": None if settlement.baseline is None else settlement.baseline.nanos,
    }


def record_cached(connection: sqlite3.Connection, request_id: str, model: str, saved: Usd, at: datetime) -> None:
    answer = Settlement(cost=ZERO, input_tokens=0, output_tokens=0, latency_ms=0, outcome="ok", baseline=saved)
    values = {
        "at": micros(at),
        "reservation": None,
        "state": "cached",
        "day": period_key("day", at),
        "month": period_key("month", at),
        "spent": 0,
        "reserved": 0,
    }
    with transaction(connection):
        connection.execute(_ENTRY, values | _ending(request_id, model, "cache", answer))


def balances(connection: sqlite3.Connection, keys: Mapping[PeriodName, str]) -> dict[PeriodName, Balance]:
    found: dict[PeriodName, Balance] = {}
    for scope, period in keys.items():
        row = connection.execute(
            "SELECT spent, reserved FROM balance WHERE scope = ? AND period = ?", (scope, period)
        ).fetchone()
        found[scope] = Balance(spent=Usd(row[0]), reserved=Usd(row[1])) if row else Balance()
    return found


def report(connection: sqlite3.Connection, period: PeriodName, now: datetime) -> PeriodReport:
    key = period_key(period, now)
    return period_report(period, key, balances(connection, {period: key})[period], tallies(connection, key))


def tallies(connection: sqlite3.Connection, key: str) -> list[Tally]:
    """Of a day, or of a month, whose days are the texts that begin with it."""
    return [
        Tally(
            day=day,
            model=model,
            source=source,
            requests=requests,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cost=Usd(cost),
            saved=Usd(saved),
        )
        for day, model, source, requests, input_tokens, output_tokens, cost, saved in connection.execute(
            _TALLIES, (key, f"{key}~")
        )
    ]


def check(connection: sqlite3.Connection) -> list[str]:
    found = [f"the file: {line}" for (line,) in connection.execute("PRAGMA quick_check(20)") if line != "ok"]
    with transaction(connection, "DEFERRED"):
        for scope, period, *sums in connection.execute(_IMBALANCES, (_MOST_LINES,)):
            found.append(imbalance(scope, period, (sums[0], sums[1]), (sums[2], sums[3])))
        for key, state, recorded in connection.execute(_MISSTATED, (_MOST_LINES,)):
            found.append(f"the reservation {key} is {state or 'missing'}, its entries say {recorded or 'nothing'}")
    return found


def micros(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)
