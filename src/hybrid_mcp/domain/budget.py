"""Caps, periods, and the life of a reservation.

reserved ──> dispatched ──> settled    the provider answered: the true cost, and the rest is freed
    │             └───────> forfeited  the outcome is unknown: the whole reservation is charged
    └──> voided                        provably never sent: all of it is freed
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from hybrid_mcp.domain.errors import StorageError
from hybrid_mcp.domain.money import ZERO, Usd

PeriodName = Literal["month", "day"]
State = Literal["reserved", "dispatched", "settled", "voided", "forfeited"]
Event = Literal["dispatch", "settle", "void", "forfeit"]
Source = Literal["local", "cloud", "cache"]

PERIODS: tuple[PeriodName, ...] = ("day", "month")
ANSWERED = frozenset({"ok", "doubtful"})
"""Outcomes that count as a request; any other attempt counts its money only."""
EXPIRED = "expired"
"""The outcome of a reservation whose lease ended while it was open."""

LEASE_GRACE_S = 30.0
"""A reservation's lease outlives its call's deadline by this much at the most, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """Independent limits; None means no such limit, $0 means never spend."""

    request: Usd | None = None
    day: Usd | None = None
    month: Usd | None = None

    def of(self, period: PeriodName) -> Usd | None:
        return self.month if period == "month" else self.day


def period_key(period: PeriodName, now: datetime) -> str:
    """The period of `now` in UTC: `2026-11` or `2026-11-20`.

    Raises:
        ValueError: `now` has no time zone.
    """
    if now.tzinfo is None:
        raise ValueError("a time needs its time zone")
    return now.astimezone(UTC).strftime("%Y-%m" if period == "month" else "%Y-%m-%d")


def period_end(period: PeriodName, now: datetime) -> datetime:
    """When the period of `now` is over, in UTC."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return today + timedelta(days=1)
    return (today.replace(day=1) + timedelta(days=31)).replace(day=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What one period holds: settled or forfeited money, and money set aside for calls under way."""

    spent: Usd = ZERO
    reserved: Usd = ZERO

    @property
    def committed(self) -> Usd:
        return self.spent + self.reserved

    def fits(self, bound: Usd, cap: Usd | None) -> bool:
        """Whether the bound can be set aside under the cap; $0 always can, also where more than the cap is gone."""
        return cap is None or bound <= cap.minus(self.committed)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetView:
    """A snapshot to decide on. The ledger's own check at the reservation is what holds the cap."""

    caps: Caps
    month: Balance = Balance()
    day: Balance = Balance()

    def remaining(self, period: PeriodName) -> Usd | None:
        """What may still be reserved in the period; None where there is no cap."""
        cap = self.caps.of(period)
        if cap is None:
            return None
        return cap.minus((self.month if period == "month" else self.day).committed)

    def affordable(self) -> Usd | None:
        """The most that one call may cost now: the tightest of the three caps, None where there is none."""
        limits = (self.caps.request, self.remaining("day"), self.remaining("month"))
        return min((limit for limit in limits if limit is not None), default=None)

    def month_left_over(self, percent: int) -> bool:
        """Whether more than this share of the month's cap is left; True without a cap."""
        left, cap = self.remaining("month"), self.caps.month
        return left is None or cap is None or left.nanos * 100 > cap.nanos * percent

    def month_left_under(self, percent: int) -> bool:
        """Whether less than this share of the month's cap is left; False without a cap."""
        left, cap = self.remaining("month"), self.caps.month
        return left is not None and cap is not None and left.nanos * 100 < cap.nanos * percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """An upper bound on the price of a call: a fixed part for the input, and nano-dollars for each output token."""

    input: Usd
    output_token_nanos: int

    def bound(self, output_cap: int) -> Usd:
        return self.input + Usd(self.output_token_nanos * output_cap)

    def largest_output(self, limit: Usd) -> int:
        """The most output tokens whose bound fits the limit; -1 when not even the input fits."""
        if self.input > limit:
            return -1
        if self.output_token_nanos == 0:
            return MAX_OUTPUT
        return limit.minus(self.input).nanos // self.output_token_nanos


FREE = Quote(input=ZERO, output_token_nanos=0)
MAX_OUTPUT = 1 << 40
"""Stands for 'no limit by money' in `Quote.largest_output`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What an attempt asks the ledger for: at most `bound`, until `expires_at` (UTC)."""

    request_id: str
    model: str
    source: Source
    bound: Usd
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A hold that was granted. `periods` are the keys it counts in, fixed when it was made."""

    id: str
    hold: Hold
    month: str
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How an attempt ended: its true cost, and what the profile's best cloud model would have cost (`baseline`)."""

    cost: Usd
    input_tokens: int
    output_tokens: int
    latency_ms: int
    outcome: str
    baseline: Usd | None = None


LOST = Settlement(cost=ZERO, input_tokens=0, output_tokens=0, latency_ms=0, outcome=EXPIRED)
"""How the sweep ends what its owner did not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpend:
    model: str
    requests: int
    cost: Usd


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodReport:
    """One period's sums, for `budget_status`. Requests count answers, not attempts."""

    period: PeriodName
    key: str
    balance: Balance
    local_requests: int = 0
    cloud_requests: int = 0
    cached_requests: int = 0
    saved: Usd = ZERO
    by_model: tuple[ModelSpend, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """One line of `usage --by`: `key` is a day, a model or a source."""

    key: str
    requests: int
    input_tokens: int
    output_tokens: int
    cost: Usd
    saved: Usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The sums over some finished attempts at one model on one day. `requests` counts those that gave an answer."""

    day: str
    model: str
    source: Source
    requests: int
    input_tokens: int
    output_tokens: int
    cost: Usd
    saved: Usd


def shortfalls(hold: Hold, caps: Caps, balances: Mapping[PeriodName, Balance]) -> tuple[str, ...]:
    """Each cap that the hold does not fit, with its numbers and what to do; empty when it may be granted."""
    found: list[str] = []
    if not Balance().fits(hold.bound, caps.request):
        found.append(f"above the cap of {caps.request} for one request (raise max_cost or ask for fewer output tokens)")
    for period in PERIODS:
        cap, balance = caps.of(period), balances[period]
        if cap is not None and not balance.fits(hold.bound, cap):
            found.append(_period_shortfall(period, cap, balance, hold.created_at))
    return tuple(found)


def _period_shortfall(period: PeriodName, cap: Usd, balance: Balance, now: datetime) -> str:
    key, variable = ("monthly_budget", "MONTHLY_BUDGET") if period == "month" else ("daily_budget", "DAILY_BUDGET")
    return (
        f"more than is left of the {period}'s cap of {cap} ({period_key(period, now)}: {balance.spent} spent, "
        f"{balance.reserved} reserved, {cap.minus(balance.committed)} left; raise {key} in the profile or {variable}, "
        f"or wait until {period_end(period, now):%Y-%m-%d %H:%M} UTC)"
    )


def refusal(hold: Hold, reasons: Iterable[str]) -> str:
    """The text of BudgetExceeded."""
    return (
        f"this call to {hold.model} may cost up to {hold.bound}, which is {'; and '.join(reasons)}. "
        "A local model costs nothing and may always be used."
    )


_MOVES: Mapping[tuple[State, Event], State] = {
    ("reserved", "dispatch"): "dispatched",
    ("reserved", "void"): "voided",
    ("dispatched", "settle"): "settled",
    ("dispatched", "forfeit"): "forfeited",
}
_LATE: frozenset[tuple[State, Event]] = frozenset(
    {("voided", "void"), ("forfeited", "settle"), ("forfeited", "forfeit")}
)


def next_state(name: str, state: State, event: Event, *, expired: bool) -> State | None:
    """The state after the event; None: the sweep closed the reservation before, and what it charged stands.

    Raises:
        StorageError: out of order. Nothing may change.
    """
    after = _MOVES.get((state, event))
    if after is None and not (expired and (state, event) in _LATE):
        why = " because its lease ended" if expired else ""
        advice = "send nothing, and call again" if event == "dispatch" else "nothing was changed"
        raise StorageError(f"the reservation {name} is {state}{why}, so it cannot take the step '{event}': {advice}")
    return after


def swept_state(state: State) -> State:
    """Where an open reservation goes when its lease ends: what may have been sent is charged."""
    return "forfeited" if state == "dispatched" else "voided"


def charge(state: State, bound: Usd, settlement: Settlement | None) -> Usd:
    """What a reservation costs when it comes to this state."""
    if state == "settled" and settlement is not None:
        return settlement.cost
    return bound if state == "forfeited" else ZERO


def period_report(period: PeriodName, key: str, balance: Balance, tallies: Iterable[Tally]) -> PeriodReport:
    """The report of one period from its tallies, the dearest model first. Cached answers stand in no model's row."""
    rows = tuple(tallies)
    sums = _grouped((row for row in rows if row.source != "cache"), lambda row: row.model)
    return PeriodReport(
        period=period,
        key=key,
        balance=balance,
        local_requests=_requests(rows, "local"),
        cloud_requests=_requests(rows, "cloud"),
        cached_requests=_requests(rows, "cache"),
        saved=sum((row.saved for row in rows), ZERO),
        by_model=tuple(ModelSpend(model=row.key, requests=row.requests, cost=row.cost) for row in sums),
    )


def usage_rows(by: Literal["day", "model", "source"], tallies: Iterable[Tally]) -> tuple[UsageRow, ...]:
    """One row a day in order of time, or one a model or source, the dearest first."""
    match by:
        case "day":
            return tuple(sorted(_grouped(tallies, lambda row: row.day), key=lambda row: row.key))
        case "model":
            return _grouped(tallies, lambda row: row.model)
        case "source":
            return _grouped(tallies, lambda row: row.source)


def _requests(rows: Iterable[Tally], source: Source) -> int:
    return sum(row.requests for row in rows if row.source == source)


def _grouped(rows: Iterable[Tally], key: Callable[[Tally], str]) -> tuple[UsageRow, ...]:
    groups: dict[str, list[Tally]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    sums = [_sum(name, members) for name, members in groups.items()]
    counted = [row for row in sums if row.requests or row.cost > ZERO]
    return tuple(sorted(counted, key=lambda row: (-row.cost.nanos, -row.requests, row.key)))


def _sum(key: str, rows: Iterable[Tally]) -> UsageRow:
    members = tuple(rows)
    return UsageRow(
        key=key,
        requests=sum(row.requests for row in members),
        input_tokens=sum(row.input_tokens for row in members),
        output_tokens=sum(row.output_tokens for row in members),
        cost=sum((row.cost for row in members), ZERO),
        saved=sum((row.saved for row in members), ZERO),
    )


def imbalance(scope: str, period: str, balance: tuple[int, int], entries: tuple[int, int]) -> str:
    """One line of `Ledger.check`; pairs are spent and reserved."""
    return (
        f"{scope} {period}: the balance holds {balance[0]} spent and {balance[1]} reserved, "
        f"its entries sum to {entries[0]} and {entries[1]} nano-dollars"
    )
