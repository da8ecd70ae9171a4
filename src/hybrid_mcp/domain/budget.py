"""Caps, periods, and the life of a reservation.

reserved ──> dispatched ──> settled    the provider answered: the true cost, and the rest is freed
    │             └───────> forfeited  the outcome is unknown: the whole reservation is charged
    └──> voided                        provably never sent: all of it is freed
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from hybrid_mcp.domain.money import ZERO, Usd

PeriodName = Literal["month", "day"]
State = Literal["reserved", "dispatched", "settled", "voided", "forfeited"]
Source = Literal["local", "cloud", "cache"]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What one period holds: settled or forfeited money, and money set aside for calls under way."""

    spent: Usd = ZERO
    reserved: Usd = ZERO

    @property
    def committed(self) -> Usd:
        return self.spent + self.reserved


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

    def month_left_percent(self) -> int:
        """Whole percent of the month's cap that is left, rounded down; 100 without a cap."""
        left, cap = self.remaining("month"), self.caps.month
        if left is None or cap is None:
            return 100
        return left.nanos * 100 // cap.nanos if cap.nanos else 0


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
