"""What the book does inside a transaction, as functions over a plain connection. `now` is the book's own time."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hybrid_mcp.domain.alerts import Alert
from hybrid_mcp.domain.budget import SCOPES, Account, Balance, BudgetView, Caps, Keys, Overbilled, Scope
from hybrid_mcp.domain.errors import BudgetExceeded, StorageError
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.reservation import (
    LOST,
    SILENCE_S,
    Event,
    Free,
    Hold,
    Reservation,
    Settlement,
    State,
    charge,
    deltas,
    next_state,
    refusal,
    shortfall,
    swept_state,
)
from hybrid_mcp.storage.sqlite_entries import (
    append_entry,
    balances,
    columns,
    ending,
    micros,
    open_balance,
    write_entry,
)
from hybrid_mcp.storage.sqlite_overbilled import blocked_models, note_overbilled
from hybrid_mcp.storage.sqlite_tally import add_to_tally

_NEVER = datetime.max.replace(tzinfo=UTC)

_SET_ASIDE = """
    UPDATE balance SET reserved = reserved + :bound
    WHERE scope = :scope AND period = :period
        AND (:bound = 0 OR :cap IS NULL OR spent + reserved + :bound <= :cap)
"""
_RESERVE = """
    INSERT INTO reservation (id, created_at, request_id, model, day, month, client, project, bound, owner, expires_at)
    VALUES (:id, :at, :request_id, :model, :day, :month, :client, :project, :bound, :owner, :expires_at)
"""
_HELD = """
    SELECT id, request_id, model, day, month, client, project, bound, state FROM reservation WHERE id = ?
"""
_LOST = """
    SELECT id, request_id, model, day, month, client, project, bound, state FROM reservation
    WHERE state IN ('reserved', 'dispatched') AND (expires_at <= :now
        OR NOT EXISTS (SELECT 1 FROM owner WHERE owner.id = reservation.owner AND owner.seen_at > :now - :silence))
"""
_WAS_SWEPT = "SELECT EXISTS (SELECT 1 FROM entry WHERE reservation = ? AND outcome = 'expired')"


class _Held(NamedTuple):
    id: str
    request_id: str
    model: str
    day: str
    month: str
    client: str
    project: str
    bound: int
    state: State

    @property
    def keys(self) -> Keys:
        return Keys(day=self.day, month=self.month, client=self.client, project=self.project)


def reserve(
    connection: sqlite3.Connection, now: datetime, *, name: str, hold: Hold, caps: Caps, owner: str
) -> Reservation:
    """Raises BudgetExceeded."""
    blocked = blocked_models(connection).get(hold.model)
    if blocked is not None:
        raise BudgetExceeded(str(blocked))
    keys = Keys.at(hold.account, now)
    if not _set_aside(connection, hold, keys, caps):
        found = shortfall(hold, caps, balances(connection, keys), now)
        raise BudgetExceeded(refusal(hold, found.reasons if found else ()), passing=found is not None and found.passing)
    hear_of(connection, now, owner=owner)
    values = {
        "id": name, "at": micros(now), "request_id": hold.request_id, "model": hold.model, "bound": hold.bound.nanos,
        "owner": owner, "expires_at": micros(now + timedelta(seconds=hold.lease_s)), **columns(keys),
    }  # fmt: skip
    connection.execute(_RESERVE, values)
    append_entry(connection, now, keys, state="reserved", reservation=name, spent=0, reserved=hold.bound.nanos)
    return Reservation(id=name, hold=hold, keys=keys)


def _set_aside(connection: sqlite3.Connection, hold: Hold, keys: Keys, caps: Caps) -> bool:
    """One conditional UPDATE for each scope is the lock. Where one does not fit, nothing is set aside in any."""
    if not Balance().fits(hold.bound, caps.request):
        return False
    connection.execute("SAVEPOINT set_aside")
    granted = all(_set_aside_in(connection, scope, keys.of(scope), hold.bound, caps.of(scope)) for scope in SCOPES)
    if not granted:
        connection.execute("ROLLBACK TO set_aside")
    connection.execute("RELEASE set_aside")
    return granted


def _set_aside_in(connection: sqlite3.Connection, scope: Scope, period: str, bound: Usd, cap: Usd | None) -> bool:
    open_balance(connection, scope, period)
    values = {"scope": scope, "period": period, "bound": bound.nanos, "cap": None if cap is None else cap.nanos}
    return connection.execute(_SET_ASIDE, values).rowcount == 1


def move(
    connection: sqlite3.Connection, now: datetime, *, name: str, event: Event, settlement: Settlement | None = None
) -> None:
    """Raises StorageError where there is no such reservation, or the event is out of order."""
    row = connection.execute(_HELD, (name,)).fetchone()
    if row is None:
        raise StorageError(
            f"the ledger does not hold the reservation {name}: its file was replaced. Start the program again"
        )
    held = _Held(*row)
    expired = bool(connection.execute(_WAS_SWEPT, (name,)).fetchone()[0])
    state = next_state(name, held.state, event, expired=expired)
    if state is not None:
        cost = charge(event, Usd(held.bound), settlement)
        _enter(connection, now, held, state=state, cost=cost, settlement=settlement)


def hear_of(connection: sqlite3.Connection, now: datetime, *, owner: str) -> None:
    """The owner of leases lives."""
    connection.execute(
        "INSERT INTO owner (id, seen_at) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
        (owner, micros(now)),
    )


def lost(connection: sqlite3.Connection, now: datetime) -> list[_Held]:
    """Open reservations whose lease is over, or of whose process nothing was heard for long."""
    values = {"now": micros(now), "silence": round(SILENCE_S * 1_000_000)}
    return [_Held(*row) for row in connection.execute(_LOST, values)]


def sweep(connection: sqlite3.Connection, now: datetime) -> None:
    """Charge what was lost after it may have been sent, and free what never left."""
    _give_up(connection, now, lost(connection, now))


def give_up_all(connection: sqlite3.Connection, now: datetime) -> None:
    """The same for every open reservation: in an older copy of the book, all of them have ended since."""
    _give_up(connection, now, lost(connection, _NEVER))


def _give_up(connection: sqlite3.Connection, now: datetime, held: list[_Held]) -> None:
    for one in held:
        state = swept_state(one.state)
        cost = charge("forfeit" if state == "forfeited" else "void", Usd(one.bound), LOST)
        _enter(connection, now, one, state=state, cost=cost, settlement=LOST)


def _enter(
    connection: sqlite3.Connection,
    now: datetime,
    held: _Held,
    *,
    state: State,
    cost: Usd,
    settlement: Settlement | None,
) -> None:
    """Moves a reservation to its next state: its row, the entry with its balances, and what follows."""
    connection.execute("UPDATE reservation SET state = ? WHERE id = ?", (state, held.id))
    bound = Usd(held.bound)
    spent, reserved = deltas(held.state, state, bound, cost)
    ended = None if settlement is None else ending(held.request_id, held.model, "cloud", settlement)
    write_entry(
        connection, now, held.keys, state=state, reservation=held.id, spent=spent, reserved=reserved, ending=ended
    )
    if settlement is not None:
        add_to_tally(connection, held.request_id)
    if cost > bound:
        note_overbilled(connection, held.id, Overbilled(model=held.model, bound=bound, cost=cost, at=now))


def record(connection: sqlite3.Connection, now: datetime, *, free: Free) -> None:
    ended = ending(free.request_id, free.model, free.source, free.settlement)
    write_entry(connection, now, Keys.at(free.account, now), state="free", ending=ended)
    add_to_tally(connection, free.request_id)


def restore(connection: sqlite3.Connection, now: datetime, *, keys: Keys, amount: int) -> None:
    """Charge again what is known to be missing from a book that is older than it should be."""
    for scope in SCOPES:
        open_balance(connection, scope, keys.of(scope))
    write_entry(connection, now, keys, state="restored", spent=amount)


def view(connection: sqlite3.Connection, now: datetime, *, caps: Caps, account: Account) -> BudgetView:
    keys = Keys.at(account, now)
    return BudgetView(caps=caps, keys=keys, balances=balances(connection, keys), blocked=blocked_models(connection))


def raise_alerts(connection: sqlite3.Connection, now: datetime, *, alerts: tuple[Alert, ...]) -> tuple[Alert, ...]:
    """Those that were not there."""
    return tuple(one for one in alerts if _raise(connection, now, one))


def _raise(connection: sqlite3.Connection, now: datetime, alert: Alert) -> bool:
    values = (alert.scope, alert.period, alert.percent, alert.cap.nanos, micros(now))
    return connection.execute("INSERT OR IGNORE INTO alert VALUES (?, ?, ?, ?, ?)", values).rowcount == 1


def all_raised(connection: sqlite3.Connection, alerts: tuple[Alert, ...]) -> bool:
    """Whether there is nothing to write."""
    query = "SELECT 1 FROM alert WHERE scope = ? AND period = ? AND percent = ? AND cap = ?"
    values = [(alert.scope, alert.period, alert.percent, alert.cap.nanos) for alert in alerts]
    return all(connection.execute(query, one).fetchone() is not None for one in values)
