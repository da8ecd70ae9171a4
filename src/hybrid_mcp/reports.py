"""What was spent, what is left and what was saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hybrid_mcp.candidates import Candidates
from hybrid_mcp.domain.alerts import due, in_words
from hybrid_mcp.domain.breaker import Health
from hybrid_mcp.domain.budget import SCOPES, Account, Balance, BudgetView, PeriodName, Scope
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.profile import Profile
from hybrid_mcp.domain.usage import By, PeriodReport, UsageRow
from hybrid_mcp.ports import Ledger
from hybrid_mcp.purse import caps_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CapStatus:
    """One cap of the profile and what it holds."""

    scope: Scope
    cap: Usd
    balance: Balance

    @property
    def remaining(self) -> Usd:
        return self.cap.minus(self.balance.committed)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetStatus:
    """`remaining` is None where there is no cap. `baseline`: the model that savings are measured against.

    `caps`: every cap that is set. `affordable_calls`: about how many more calls, as dear as the paid ones of this
    period are on average, fit under all caps; None where nothing was paid or nothing is capped.
    """

    report: PeriodReport
    cap: Usd | None
    remaining: Usd | None
    baseline: str | None
    caps: tuple[CapStatus, ...]
    affordable_calls: int | None
    alerts: tuple[str, ...]


class Troubles(Protocol):
    def troubled(self) -> Mapping[str, Health]:
        """The models that are left alone, on probation or slow, by name."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    profile: Profile
    ledger: Ledger
    candidates: Candidates
    breakers: Troubles

    async def budget(self, period: PeriodName, account: Account) -> BudgetStatus:
        """This day or month in UTC.

        Raises:
            StorageError: the ledger cannot be read.
        """
        view = await self.ledger.view(caps_of(self.profile), account)
        report = await self.ledger.report(period)
        baseline = self.candidates.baseline()
        return BudgetStatus(
            report=report, cap=view.caps.of(period), remaining=view.remaining(period),
            baseline=baseline.name if baseline else None, caps=_caps_in(view),
            affordable_calls=_affordable_calls(view, report), alerts=await self._alerts(view),
        )  # fmt: skip

    async def usage(self, by: By, month: str | None = None) -> Sequence[UsageRow]:
        """The answers of a month (`2026-11`) in UTC, grouped; None means this month."""
        return await self.ledger.usage(by, month)

    async def _alerts(self, view: BudgetView) -> tuple[str, ...]:
        """The levels that were reached, models that must not be paid, what the owner should know of the book, and
        models that fail or are slow now."""
        troubled = (f"{name}: {health.in_words()}" for name, health in self.breakers.troubled().items())
        return (*in_words(due(view), view), *map(str, view.blocked.values()), *await self.ledger.notices(), *troubled)


def _caps_in(view: BudgetView) -> tuple[CapStatus, ...]:
    caps: list[tuple[Scope, Usd | None]] = [(scope, view.caps.of(scope)) for scope in SCOPES]
    return tuple(
        CapStatus(scope=scope, cap=cap, balance=view.balances[scope]) for scope, cap in caps if cap is not None
    )


def _affordable_calls(view: BudgetView, report: PeriodReport) -> int | None:
    left, spent = view.affordable(), report.balance.spent
    if left is None or report.cloud_requests == 0 or spent.nanos == 0:
        return None
    return left.nanos * report.cloud_requests // spent.nanos
