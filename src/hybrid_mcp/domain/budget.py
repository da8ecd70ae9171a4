"""Caps and what is left of them, and the upper bound of a call's price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Literal

from hybrid_mcp.domain.money import ZERO, Usd

PeriodName = Literal["month", "day"]
Scope = Literal["day", "month", "client", "project"]

SCOPES: tuple[Scope, ...] = ("day", "month", "client", "project")
SCOPE_NAMES: Mapping[Scope, str] = MappingProxyType({
    "day": "the daily budget", "month": "the monthly budget", "client": "this client's budget",
    "project": "this project's monthly budget",
})  # fmt: skip
SCOPE_SETTINGS: Mapping[Scope, tuple[str, str]] = MappingProxyType({
    "day": ("daily_budget", "DAILY_BUDGET"), "month": ("monthly_budget", "MONTHLY_BUDGET"),
    "client": ("client_budget", "CLIENT_BUDGET"), "project": ("project_budget", "PROJECT_BUDGET"),
})  # fmt: skip
"""Where each cap is set: the profile's key and the environment variable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whose calls these are. `client`: one server process, or one HTTP token. `project`: a folder or a name."""

    client: str = ""
    project: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """Independent limits; None means no such limit, $0 means never spend.

    `client` holds for as long as the client lives, `project` for a month.
    """

    request: Usd | None = None
    day: Usd | None = None
    month: Usd | None = None
    client: Usd | None = None
    project: Usd | None = None

    def of(self, scope: Scope) -> Usd | None:
        match scope:
            case "day":
                return self.day
            case "month":
                return self.month
            case "client":
                return self.client
            case "project":
                return self.project


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
class Keys:
    """What an amount counts in: its day, its month, its client, and its project in that month."""

    day: str
    month: str
    client: str
    project: str

    @classmethod
    def at(cls, account: Account, now: datetime) -> Keys:
        """Raises ValueError where `now` has no time zone."""
        day, month = period_key("day", now), period_key("month", now)
        return cls(day=day, month=month, client=account.client, project=f"{month} {account.project}")

    def of(self, scope: Scope) -> str:
        match scope:
            case "day":
                return self.day
            case "month":
                return self.month
            case "client":
                return self.client
            case "project":
                return self.project


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What one scope holds: settled or forfeited money, and money set aside for calls under way."""

    spent: Usd = ZERO
    reserved: Usd = ZERO

    @property
    def committed(self) -> Usd:
        return self.spent + self.reserved

    def fits(self, bound: Usd, cap: Usd | None) -> bool:
        """Whether the bound can be set aside under the cap; $0 always can, also where more than the cap is gone."""
        return cap is None or bound <= cap.minus(self.committed)


Balances = Mapping[Scope, Balance]
EMPTY: Balances = MappingProxyType(dict.fromkeys(SCOPES, Balance()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Overbilled:
    """A model's provider charged more than the bound that was set aside for the call, or for `calls` of them together.

    `at`: when the last of them was charged.
    """

    model: str
    bound: Usd
    cost: Usd
    at: datetime
    calls: int = 1

    def __str__(self) -> str:
        return f"{self.model} {self.reason}"

    @property
    def reason(self) -> str:
        return f"{self.what}: {self.remedy}"

    @property
    def remedy(self) -> str:
        return (
            "it gets no paid call until the owner has looked at its price and runs "
            f"`hybrid-mcp models unblock {self.model}`, with `--billed USD` where the provider's own bill says less"
        )

    @property
    def what(self) -> str:
        """What happened, to be put after the model's name."""
        calls = "" if self.calls == 1 else f" in {self.calls} calls"
        return f"cost {self.cost}{calls} where at most {self.bound} was expected ({self.at:%Y-%m-%d %H:%M} UTC)"


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetView:
    """A snapshot to decide on. The ledger's own check at the reservation is what holds the cap.

    `blocked`: models that charged more than was set aside, by name. `unreadable`: why the ledger cannot be used; then
    nothing is known of what is left, and nothing may be paid.
    """

    caps: Caps
    keys: Keys = Keys(day="", month="", client="", project="")
    balances: Balances = field(default_factory=lambda: EMPTY)
    blocked: Mapping[str, Overbilled] = field(default_factory=lambda: MappingProxyType({}))
    unreadable: str | None = None

    def remaining(self, scope: Scope) -> Usd | None:
        """What may still be reserved in the scope; None where there is no cap."""
        cap = self.caps.of(scope)
        return None if cap is None else cap.minus(self.balances[scope].committed)

    def affordable(self) -> Usd | None:
        """The most that one call may cost now: the tightest of the caps, None where there is none."""
        limits = (self.caps.request, *(self.remaining(scope) for scope in SCOPES))
        return min((limit for limit in limits if limit is not None), default=None)

    def if_all_were_settled(self) -> BudgetView:
        """The view if all that is reserved came back unspent: what waiting could bring at the most."""
        freed = {scope: replace(balance, reserved=ZERO) for scope, balance in self.balances.items()}
        return replace(self, balances=freed)

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
