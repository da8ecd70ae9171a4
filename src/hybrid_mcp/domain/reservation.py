"""The life of money that is set aside for one attempt.

reserved ──> dispatched ──> settled    the provider answered: the true cost, and the rest is freed
    │             └───────> forfeited  the outcome is unknown: the whole reservation is charged
    │                           └────> settled   it was given up for lost, and its owner came back with the true cost
    └──> voided                        provably never sent: all of it is freed

A call that was charged more than its bound may become `corrected` in the end: the owner knows what was billed in truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from hybrid_mcp.domain.budget import (
    SCOPE_NAMES,
    SCOPE_SETTINGS,
    SCOPES,
    Account,
    Balance,
    Balances,
    Caps,
    Keys,
    PeriodName,
    Scope,
    period_end,
)
from hybrid_mcp.domain.errors import StorageError
from hybrid_mcp.domain.money import ZERO, Usd

State = Literal["reserved", "dispatched", "settled", "voided", "forfeited", "corrected"]
Event = Literal["dispatch", "settle", "void", "forfeit"]
Source = Literal["local", "cloud", "cache"]

EXPIRED = "expired"
"""The outcome of a reservation that was given up for lost."""
CORRECTED: State = "corrected"
"""The state and the outcome of one that the owner has corrected."""

LEASE_GRACE_S = 30.0
"""A reservation's lease outlives its call's deadline by this much at the most, in seconds."""
BEAT_S = 15.0
SILENCE_S = 60.0
"""A process that holds reservations tells every `BEAT_S` seconds that it lives; when nothing was heard of it for
`SILENCE_S` seconds, it is given up for lost, and its leases end early."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What an attempt asks the ledger for: at most `bound`, for at most `lease_s` seconds."""

    request_id: str
    model: str
    bound: Usd
    lease_s: float
    account: Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A hold that was granted. `keys`: what it counts in, fixed when it was made."""

    id: str
    hold: Hold
    keys: Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How an attempt ended.

    `cost`: what it is charged; a forfeit charges the whole reservation where that is more. `baseline`: what the
    profile's best cloud model would have cost. Where the provider says what it charged, that is `billed`, and `booked`
    is what the price book makes of the same call.
    """

    cost: Usd
    input_tokens: int
    output_tokens: int
    latency_ms: int
    outcome: str
    baseline: Usd | None = None
    billed: Usd | None = None
    booked: Usd | None = None


LOST = Settlement(cost=ZERO, input_tokens=0, output_tokens=0, latency_ms=0, outcome=EXPIRED)
"""How the sweep ends what its owner did not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """An attempt that costs nothing, so nothing was set aside: at a model on this machine, or out of the cache."""

    request_id: str
    model: str
    source: Source
    settlement: Settlement
    account: Account


_MOVES: Mapping[tuple[State, Event], State] = {
    ("reserved", "dispatch"): "dispatched",
    ("reserved", "void"): "voided",
    ("dispatched", "settle"): "settled",
    ("dispatched", "forfeit"): "forfeited",
}
_LATE: Mapping[tuple[State, Event], State | None] = {
    ("voided", "void"): None,
    ("forfeited", "settle"): "settled",
    ("forfeited", "forfeit"): "settled",
}
"""What an owner may still do after the sweep. The true cost replaces the charge, be it lower or higher."""


def next_state(name: str, state: State, event: Event, *, expired: bool) -> State | None:
    """The state after the event; None: nothing is left to do.

    Raises:
        StorageError: out of order. Nothing may change.
    """
    if (state, event) in _MOVES:
        return _MOVES[state, event]
    if expired and (state, event) in _LATE:
        return _LATE[state, event]
    why = " because its lease ended" if expired else ""
    advice = "send nothing, and call again" if event == "dispatch" else "nothing was changed"
    raise StorageError(f"the reservation {name} is {state}{why}, so it cannot take the step '{event}': {advice}")


def swept_state(state: State) -> State:
    """Where a reservation goes when it is given up for lost: what may have been sent is charged."""
    return "forfeited" if state == "dispatched" else "voided"


def charge(event: Event, bound: Usd, settlement: Settlement | None) -> Usd:
    """What the event costs all in all: an unknown outcome at least the bound, and more where more was seen."""
    cost = ZERO if settlement is None else settlement.cost
    match event:
        case "settle":
            return cost
        case "forfeit":
            return max(cost, bound)
        case _:
            return ZERO


def deltas(before: State, after: State, bound: Usd, cost: Usd) -> tuple[int, int]:
    """How spent and reserved change, in nano-dollars. A late settlement takes the charge of the whole bound back."""
    if after == "dispatched":
        return 0, 0
    if before == "forfeited":
        return cost.nanos - bound.nanos, 0
    return cost.nanos, -bound.nanos


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """Why a hold is refused. `passing`: calls that are under way may free enough."""

    reasons: tuple[str, ...]
    passing: bool


def shortfall(hold: Hold, caps: Caps, balances: Balances, now: datetime) -> Shortfall | None:
    """Each cap that the hold does not fit, with its numbers and what to do; None when it may be granted."""
    over: list[Scope] = [scope for scope in SCOPES if not balances[scope].fits(hold.bound, caps.of(scope))]
    reasons = [_reason(scope, caps, balances[scope], now) for scope in over]
    alone = Balance().fits(hold.bound, caps.request)
    if not alone:
        reasons.insert(
            0, f"above the cap of {caps.request} for one request (raise max_cost or ask for fewer output tokens)"
        )
    if not reasons:
        return None
    passing = alone and all(Balance(spent=balances[scope].spent).fits(hold.bound, caps.of(scope)) for scope in over)
    return Shortfall(reasons=tuple(reasons), passing=passing)


def _reason(scope: Scope, caps: Caps, balance: Balance, now: datetime) -> str:
    cap = caps.of(scope) or ZERO
    key, variable = SCOPE_SETTINGS[scope]
    return (
        f"more than is left of {SCOPE_NAMES[scope]} of {cap} ({balance.spent} spent, {balance.reserved} reserved, "
        f"{cap.minus(balance.committed)} left; raise {key} in the profile or {variable}{_or_wait(scope, now)})"
    )


def _or_wait(scope: Scope, now: datetime) -> str:
    if scope == "client":
        return ", or start the server anew"
    period: PeriodName = "day" if scope == "day" else "month"
    return f", or wait until {period_end(period, now):%Y-%m-%d %H:%M} UTC"


def refusal(hold: Hold, reasons: Iterable[str]) -> str:
    """The text of BudgetExceeded."""
    return (
        f"this call to {hold.model} may cost up to {hold.bound}, which is {'; and '.join(reasons)}. "
        "A local model costs nothing and may always be used."
    )


def imbalance(scope: str, period: str, balance: tuple[int, int], entries: tuple[int, int]) -> str:
    """One line of `Ledger.check`; pairs are spent and reserved."""
    return (
        f"{scope} {period}: the balance holds {balance[0]} spent and {balance[1]} reserved, "
        f"its entries sum to {entries[0]} and {entries[1]} nano-dollars"
    )
