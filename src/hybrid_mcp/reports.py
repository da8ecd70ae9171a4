"""What was spent, what is left and what was saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hybrid_mcp.candidates import Candidates
from hybrid_mcp.domain.budget import PeriodName, PeriodReport, UsageRow
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.profile import Profile
from hybrid_mcp.ports import Clock, Ledger

ALERT_PERCENTS = (95, 80, 50)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetStatus:
    """`remaining` is None where there is no cap. `baseline`: the model that savings are measured against."""

    report: PeriodReport
    cap: Usd | None
    remaining: Usd | None
    baseline: str | None
    alerts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    profile: Profile
    ledger: Ledger
    candidates: Candidates
    clock: Clock

    async def budget(self, period: PeriodName) -> BudgetStatus:
        """This day or month in UTC.

        Raises:
            StorageError: the ledger cannot be read.
        """
        report = await self.ledger.report(period, self.clock.now())
        baseline = self.candidates.baseline()
        cap = self.profile.monthly_budget if period == "month" else self.profile.daily_budget
        return BudgetStatus(
            report=report, cap=cap, remaining=None if cap is None else cap.minus(report.balance.committed),
            baseline=baseline.name if baseline else None, alerts=_alerts(period, report.balance.committed, cap),
        )  # fmt: skip

    async def usage(self, by: Literal["day", "model", "source"]) -> Sequence[UsageRow]:
        """This month's answers in UTC, grouped."""
        return await self.ledger.usage(by, self.clock.now())


def _alerts(period: PeriodName, committed: Usd, cap: Usd | None) -> tuple[str, ...]:
    if cap is None or cap.nanos == 0:
        return ()
    if committed.nanos >= cap.nanos:
        word = "spent" if committed == cap else "exceeded"
        return (f"this {period}'s budget of {cap} is {word} ({committed}): paid models wait, local ones answer",)
    passed = next((percent for percent in ALERT_PERCENTS if committed.nanos * 100 >= cap.nanos * percent), None)
    return () if passed is None else (f"{passed} % of this {period}'s budget of {cap} is used ({committed})",)
