"""What the book does inside a transaction, as functions over a plain connection. `now` is the book's own time."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from hybrid_mcp.domain.alerts import Alert
from hybrid_mcp.domain.budget import SCOPES, Account, Balance, Balances, BudgetView, Caps, Keys, Overbilled, Scope
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
    Source,
    State,
    charge,
    deltas,
    next_state,
    refusal,
    shortfall,
    swept_state,
)
from hybrid_mcp.storage.sqlite_tally import add_to_tally

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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


def last_time(connection: sqlite3.Connection) -> datetime | None:
    """When the last entry was made; None where there is none."""
    row = connection.execute("SELECT at FROM entry ORDER BY id DESC LIMIT 1").fetchone()
    return None if row is None else _EPOCH + timedelta(microseconds=row[0])


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
        "owner": owner, "expires_at": micros(now + timedelta(seconds=hold.lease_s)), **_columns(keys),
    }  # fmt: skip
    connection.execute(_RESERVE, values)
    _record(connection, now, keys, state="reserved", reservation=name, reserved=hold.bound.nanos)
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
    values = {"scope": scope, "period": period, "bound": bound.nanos, "cap": None if cap is None else cap.nanos}
    connection.execute("INSERT OR IGNORE INTO balance (scope, period) VALUES (:scope, :period)", values)
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
    """Moves a reservation to its next state: its row, the balances it was reserved in, the entry, and what follows."""
    connection.execute("UPDATE reservation SET state = ? WHERE id = ?", (state, held.id))
    bound = Usd(held.bound)
    spent, reserved = deltas(held.state, state, bound, cost)
    _change_balances(connection, held.keys, spent, reserved)
    ending = {} if settlement is None else _ending(held.request_id, held.model, "cloud", settlement)
    _record(connection, now, held.keys, state=state, reservation=held.id, spent=spent, reserved=reserved, ending=ending)
    if settlement is not None:
        add_to_tally(connection, held.request_id)
    if cost > bound:
        connection.execute(
            "INSERT OR REPLACE INTO blocked (model, bound, cost, at) VALUES (?, ?, ?, ?)",
            (held.model, bound.nanos, cost.nanos, micros(now)),
        )


def _change_balances(connection: sqlite3.Connection, keys: Keys, spent: int, reserved: int) -> None:
    if spent or reserved:
        connection.executemany(
            "UPDATE balance SET spent = spent + ?, reserved = reserved + ? WHERE scope = ? AND period = ?",
            [(spent, reserved, scope, keys.of(scope)) for scope in SCOPES],
        )


def record(connection: sqlite3.Connection, now: datetime, *, free: Free) -> None:
    ending = _ending(free.request_id, free.model, free.source, free.settlement)
    _record(connection, now, Keys.at(free.account, now), state="free", ending=ending)
    add_to_tally(connection, free.request_id)


def restore(connection: sqlite3.Connection, now: datetime, *, keys: Keys, amount: int) -> None:
    """Charge again what is known to be missing from a book that is older than it should be."""
    for scope in SCOPES:
        connection.execute("INSERT OR IGNORE INTO balance (scope, period) VALUES (?, ?)", (scope, keys.of(scope)))
    _change_balances(connection, keys, amount, 0)
    _record(connection, now, keys, state="restored", spent=amount)


def _record(
    connection: sqlite3.Connection, now: datetime, keys: Keys, *, state: str, reservation: str | None = None,
    spent: int = 0, reserved: int = 0, ending: dict[str, str | int | None] | None = None,
) -> None:  # fmt: skip
    values = {
        "at": micros(now), "reservation": reservation, "state": state, "spent": spent, "reserved": reserved,
        **_columns(keys), **_NOT_ENDED, **(ending or {}),
    }  # fmt: skip
    connection.execute(_ENTRY, values)


def _columns(keys: Keys) -> dict[str, str]:
    return {"day": keys.day, "month": keys.month, "client": keys.client, "project": keys.project}


def _ending(request_id: str, model: str, source: Source, settlement: Settlement) -> dict[str, str | int | None]:
    return {
        "request_id": request_id, "model": model, "source": source, "outcome": settlement.outcome,
        "input_tokens": settlement.input_tokens, "output_tokens": settlement.output_tokens,
        "latency_ms": settlement.latency_ms, "baseline": _nanos(settlement.baseline),
        "billed": _nanos(settlement.billed), "booked": _nanos(settlement.booked),
    }  # fmt: skip


def _nanos(amount: Usd | None) -> int | None:
    return None if amount is None else amount.nanos


def balances(connection: sqlite3.Connection, keys: Keys) -> Balances:
    """Of the four scopes; one that nothing was ever reserved in is empty."""
    found: dict[Scope, Balance] = {scope: _balance(connection, scope, keys.of(scope)) for scope in SCOPES}
    return MappingProxyType(found)


def _balance(connection: sqlite3.Connection, scope: Scope, period: str) -> Balance:
    row = connection.execute(
        "SELECT spent, reserved FROM balance WHERE scope = ? AND period = ?", (scope, period)
    ).fetchone()
    return Balance(spent=Usd(row[0]), reserved=Usd(row[1])) if row else Balance()


def view(connection: sqlite3.Connection, now: datetime, *, caps: Caps, account: Account) -> BudgetView:
    keys = Keys.at(account, now)
    return BudgetView(caps=caps, keys=keys, balances=balances(connection, keys), blocked=blocked_models(connection))


def blocked_models(connection: sqlite3.Connection) -> dict[str, Overbilled]:
    return {
        model: Overbilled(model=model, bound=Usd(bound), cost=Usd(cost), at=_EPOCH + timedelta(microseconds=at))
        for model, bound, cost, at in connection.execute("SELECT model, bound, cost, at FROM blocked ORDER BY model")
    }


def unblock(connection: sqlite3.Connection, _: datetime, *, model: str) -> bool:
    return connection.execute("DELETE FROM blocked WHERE model = ?", (model,)).rowcount > 0


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


def micros(time: datetime) -> int:
    """Microseconds since 1970."""
    return (time - _EPOCH) // timedelta(microseconds=1)
