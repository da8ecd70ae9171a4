"""What was answered, by whom, at what cost: sums of the ledger for people to read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from hybrid_mcp.domain.budget import Balance, PeriodName
from hybrid_mcp.domain.money import ZERO, Usd
from hybrid_mcp.domain.reservation import Source

By = Literal["day", "model", "source"]

ANSWERED = frozenset({"ok", "doubtful"})
"""Outcomes that count as a request; any other attempt counts its money only."""


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
    """One line of `usage --by`: `key` is a day, a model or a source.

    `billed`: what the providers say they charged; None where none of them said so.
    """

    key: str
    requests: int
    input_tokens: int
    output_tokens: int
    cost: Usd
    saved: Usd
    billed: Usd | None = None


class TallyKey(NamedTuple):
    day: str
    model: str
    source: Source


class Sums(NamedTuple):
    """Whole numbers that add up, money in nano-dollars.

    `requests` counts the attempts that gave an answer. `billed` is what providers reported, over the calls where they
    did, and `booked` what the price book makes of the same calls.
    """

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: int = 0
    saved: int = 0
    billed: int = 0
    booked: int = 0

    def plus(self, other: Sums) -> Sums:
        return Sums(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def minus(self, other: Sums) -> Sums:
        return Sums(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))


class Ended(NamedTuple):
    """The end of one attempt as the ledger keeps it; money in nano-dollars, in the order of time."""

    key: TallyKey
    outcome: str
    input_tokens: int
    output_tokens: int
    spent: int
    baseline: int | None
    billed: int | None
    booked: int | None


def request_sums(attempts: Sequence[Ended]) -> dict[TallyKey, Sums]:
    """What one request adds to the tallies: it counts once, at its last answer, and saves what all attempts left."""
    last = max((number for number, one in enumerate(attempts) if one.outcome in ANSWERED), default=None)
    spent = sum(one.spent for one in attempts)
    sums: dict[TallyKey, Sums] = defaultdict(Sums)
    for number, one in enumerate(attempts):
        is_answer = number == last
        sums[one.key] = sums[one.key].plus(
            Sums(
                requests=int(is_answer), input_tokens=one.input_tokens, output_tokens=one.output_tokens, cost=one.spent,
                saved=max(0, (one.baseline or 0) - spent) if is_answer else 0,
                billed=one.billed or 0, booked=one.booked or 0,
            )
        )  # fmt: skip
    return sums


def change(attempts: Sequence[Ended]) -> dict[TallyKey, Sums]:
    """What the last of a request's attempts changes in the tallies."""
    before, after = request_sums(attempts[:-1]), request_sums(attempts)
    return {key: sums.minus(before.get(key, Sums())) for key, sums in after.items()}


def period_report(period: PeriodName, key: str, balance: Balance, tallies: Mapping[TallyKey, Sums]) -> PeriodReport:
    """The report of one period from its tallies, the dearest model first. Cached answers stand in no model's row."""
    rows = _grouped({one: sums for one, sums in tallies.items() if one.source != "cache"}, lambda one: one.model)
    return PeriodReport(
        period=period, key=key, balance=balance,
        local_requests=_requests(tallies, "local"), cloud_requests=_requests(tallies, "cloud"),
        cached_requests=_requests(tallies, "cache"), saved=Usd(sum(sums.saved for sums in tallies.values())),
        by_model=tuple(ModelSpend(model=row.key, requests=row.requests, cost=row.cost) for row in rows),
    )  # fmt: skip


def usage_rows(by: By, tallies: Mapping[TallyKey, Sums]) -> tuple[UsageRow, ...]:
    """One row a day in order of time, or one a model or source, the dearest first."""
    match by:
        case "day":
            return tuple(sorted(_grouped(tallies, lambda one: one.day), key=lambda row: row.key))
        case "model":
            return _grouped(tallies, lambda one: one.model)
        case "source":
            return _grouped(tallies, lambda one: one.source)


def _requests(tallies: Mapping[TallyKey, Sums], source: Source) -> int:
    return sum(sums.requests for key, sums in tallies.items() if key.source == source)


def _grouped(tallies: Mapping[TallyKey, Sums], name: Callable[[TallyKey], str]) -> tuple[UsageRow, ...]:
    groups: dict[str, Sums] = defaultdict(Sums)
    for key, sums in tallies.items():
        groups[name(key)] = groups[name(key)].plus(sums)
    rows = [_row(key, sums) for key, sums in groups.items() if sums.requests or sums.cost]
    return tuple(sorted(rows, key=lambda row: (-row.cost.nanos, -row.requests, row.key)))


def _row(key: str, sums: Sums) -> UsageRow:
    return UsageRow(
        key=key, requests=sums.requests, input_tokens=sums.input_tokens, output_tokens=sums.output_tokens,
        cost=Usd(sums.cost), saved=Usd(sums.saved), billed=Usd(sums.billed) if sums.billed or sums.booked else None,
    )  # fmt: skip


DRIFT_PERCENT = 5
"""Providers' own figures that are further than this above or below the ledger's are worth a look at the prices."""


def drifts(tallies: Mapping[TallyKey, Sums]) -> tuple[str, ...]:
    """Models whose providers say that they charged clearly more or less than the price book makes of the same calls."""
    groups: dict[str, Sums] = defaultdict(Sums)
    for key, sums in tallies.items():
        groups[key.model] = groups[key.model].plus(sums)
    return tuple(
        f"{model} says that it charged {Usd(sums.billed)} for calls that are worth {Usd(sums.booked)} by its price: "
        "check the price (the higher of the two was charged to the budget, call by call)"
        for model, sums in groups.items()
        if sums.billed and abs(sums.billed - sums.booked) * 100 > sums.booked * DRIFT_PERCENT
    )
