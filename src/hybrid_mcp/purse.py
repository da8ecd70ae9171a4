"""The owner's money as one request meets it: which caps hold, what is left, and who is warned."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from hybrid_mcp.domain.alerts import due, in_words
from hybrid_mcp.domain.attempts import Tried, overbilled
from hybrid_mcp.domain.budget import Account, BudgetView, Caps, Keys
from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.errors import StorageError
from hybrid_mcp.domain.money import ZERO
from hybrid_mcp.domain.profile import Profile
from hybrid_mcp.ports import Clock, Ledger, Observer


def caps_of(profile: Profile) -> Caps:
    """The profile's budgets. Its cap for one request is left out."""
    return Caps(
        day=profile.daily_budget, month=profile.monthly_budget, client=profile.client_budget,
        project=profile.project_budget,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    profile: Profile
    ledger: Ledger
    observer: Observer
    clock: Clock

    def caps(self, request: Request) -> Caps:
        """The profile's caps, and the lower of its cap for one request and the request's own."""
        asked = (cap for cap in (self.profile.max_cost, request.max_cost) if cap is not None)
        return replace(caps_of(self.profile), request=min(asked, default=None))

    def caps_left(self, request: Request, tried: Sequence[Tried]) -> Caps:
        """The caps for one more attempt: what earlier ones cost counts against the cap of the request."""
        caps = self.caps(request)
        spent = sum((one.attempt.cost for one in tried), ZERO)
        return replace(caps, request=None if caps.request is None else caps.request.minus(spent))

    async def view(self, request: Request, account: Account) -> BudgetView:
        """The budget now. Without a ledger nothing can be paid, and models on this machine answer all the same."""
        try:
            return await self.ledger.view(self.caps(request), account)
        except StorageError as error:
            keys = Keys.at(account, self.clock.now())
            return BudgetView(caps=Caps(), keys=keys, unreadable=str(error))

    async def view_after(self, request: Request, account: Account, before: BudgetView) -> BudgetView:
        """The budget now; where the ledger cannot be read, what was known before."""
        now = before if before.unreadable else await self.view(request, account)
        return before if now.unreadable else now

    async def alerts(self, tried: Sequence[Tried], budget: BudgetView) -> tuple[str, ...]:
        """What a provider dared to charge for these attempts, and what the budgets have come to: by them, or by others
        that were broken off and could tell nobody. Each is told and logged once."""
        alerts = [str(one) for one in overbilled(tried, self.clock.now())]
        if reached := due(budget):
            with suppress(StorageError):
                alerts.extend(in_words(await self.ledger.raise_alerts(reached), budget))
        for alert in alerts:
            self.observer.alerted(alert)
        return tuple(alerts)
