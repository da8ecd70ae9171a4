"""The proof that balances are the sums of their entries: of what has changed since the last one, or of everything."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from hybrid_mcp.domain.budget import period_key
from hybrid_mcp.domain.reservation import imbalance
from hybrid_mcp.storage.sqlite_entries import last_entry

_MOST_LINES = 20
PROVE_EVERY = 1_000
"""Entries since the last proof from which on the next one begins later, so that opening the book stays fast."""

_UNEQUAL = """
    SELECT scope, period, sum(spent), sum(reserved), sum(spent_entries), sum(reserved_entries) FROM (
        SELECT scope, period, spent, reserved, 0 AS spent_entries, 0 AS reserved_entries FROM balance
        UNION ALL SELECT 'day', day, 0, 0, spent_delta, reserved_delta FROM entry
        UNION ALL SELECT 'month', month, 0, 0, spent_delta, reserved_delta FROM entry
        UNION ALL SELECT 'client', client, 0, 0, spent_delta, reserved_delta FROM entry
        UNION ALL SELECT 'project', project, 0, 0, spent_delta, reserved_delta FROM entry
    )
    GROUP BY scope, period HAVING sum(spent) <> sum(spent_entries) OR sum(reserved) <> sum(reserved_entries)
    ORDER BY scope, period LIMIT :lines
"""
# Of older days and months, and of clients that are long gone, only those that were touched are read.
_UNPROVEN = """
    WITH recent AS MATERIALIZED (
        SELECT day, month, client, project, spent_delta AS spent, reserved_delta AS reserved
        FROM entry WHERE id > (SELECT proven_entry FROM book)
    ),
    moved AS MATERIALIZED (
        SELECT 'day' AS scope, day AS period, sum(spent) AS spent, sum(reserved) AS reserved FROM recent GROUP BY day
        UNION ALL SELECT 'month', month, sum(spent), sum(reserved) FROM recent GROUP BY month
        UNION ALL SELECT 'client', client, sum(spent), sum(reserved) FROM recent GROUP BY client
        UNION ALL SELECT 'project', project, sum(spent), sum(reserved) FROM recent GROUP BY project
    ),
    looked_at AS MATERIALIZED (
        SELECT scope, period FROM touched
        UNION SELECT scope, period FROM moved
        UNION SELECT scope, period FROM balance WHERE scope IN ('day', 'month', 'project') AND period >= :month
        UNION SELECT scope, period FROM proven WHERE scope IN ('day', 'month', 'project') AND period >= :month
    )
    SELECT scope, period, sum(spent), sum(reserved), sum(spent_entries), sum(reserved_entries) FROM (
        SELECT scope, period, spent, reserved, 0 AS spent_entries, 0 AS reserved_entries
        FROM looked_at CROSS JOIN balance USING (scope, period)
        UNION ALL SELECT scope, period, 0, 0, spent, reserved FROM looked_at CROSS JOIN proven USING (scope, period)
        UNION ALL SELECT scope, period, 0, 0, spent, reserved FROM moved
    )
    GROUP BY scope, period HAVING sum(spent) <> sum(spent_entries) OR sum(reserved) <> sum(reserved_entries)
    ORDER BY scope, period LIMIT :lines
"""
_PROVE = """
    INSERT OR REPLACE INTO proven
    SELECT scope, period, spent, reserved FROM touched CROSS JOIN balance USING (scope, period)
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


def check(connection: sqlite3.Connection, _: datetime) -> list[str]:
    """Everything, from the first entry on."""
    found = [f"the file: {line}" for (line,) in connection.execute("PRAGMA quick_check(20)") if line != "ok"]
    found.extend(_lines(connection.execute(_UNEQUAL, {"lines": _MOST_LINES})))
    for name, state, recorded in connection.execute(_MISSTATED, (_MOST_LINES,)):
        found.append(f"the reservation {name} is {state or 'missing'}, its entries say {recorded or 'nothing'}")
    for day, model, source, *sums in connection.execute(_UNTOLD, (_MOST_LINES,)):
        found.append(
            f"the report of {day} for {model} ({source}) says {sums[0]} nano-dollars and {sums[1]} tokens, its entries "
            f"sum to {sums[2]} and {sums[3]}"
        )
    return found


def unproven(connection: sqlite3.Connection, now: datetime) -> list[str]:
    """Balances that are not what they were at the last proof plus the entries since then.

    Read are those that anybody has written to since then, and all that a cap of this day or month holds for.
    """
    return _lines(connection.execute(_UNPROVEN, {"month": period_key("month", now), "lines": _MOST_LINES}))


def proof_is_due(connection: sqlite3.Connection) -> bool:
    (proven_entry,) = connection.execute("SELECT proven_entry FROM book").fetchone()
    return last_entry(connection) - proven_entry >= PROVE_EVERY


def prove(connection: sqlite3.Connection) -> None:
    """The balances, just found equal to the entries, are where the next proof begins."""
    connection.execute(_PROVE)
    connection.execute("DELETE FROM touched")
    connection.execute("UPDATE book SET proven_entry = (SELECT coalesce(max(id), 0) FROM entry)")


def _lines(rows: sqlite3.Cursor) -> list[str]:
    return [imbalance(scope, period, (sums[0], sums[1]), (sums[2], sums[3])) for scope, period, *sums in rows]
