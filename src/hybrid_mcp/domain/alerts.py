"""Words of warning before a budget is gone: each once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hybrid_mcp.domain.brevity import cost, few
from hybrid_mcp.domain.budget import SCOPE_NAMES, SCOPES, BudgetView, Scope
from hybrid_mcp.domain.money import Usd

LEVELS = (50, 80, 95, 100)
"""Percent of a cap."""
_CHARGE, _UNBLOCK = "{model} cost {cost}, {bound} was expected: ", "`hybrid-mcp models unblock {model}`"
_OVERBILLED = re.compile(
    r"(?P<model>.+) cost (?P<cost>.+) where at most (?P<bound>.+) was expected \(.+`hybrid-mcp models unblock .+",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """So much of a cap is spent. `period`: the key of the day, month, client or project that it is about."""

    scope: Scope
    period: str
    percent: int
    cap: Usd

    def words(self, spent: Usd) -> str:
        budget = f"{SCOPE_NAMES[self.scope]} of {self.cap}"
        if self.percent < 100:
            return f"{self.percent} % of {budget} is spent ({spent})"
        word = "spent" if spent == self.cap else "exceeded"
        return f"{budget} is {word} ({spent}): paid models wait, local ones answer"


def due(view: BudgetView) -> tuple[Alert, ...]:
    """Every level that a scope has reached."""
    return tuple(alert for scope in SCOPES for alert in due_in(view, scope))


def due_in(view: BudgetView, scope: Scope) -> tuple[Alert, ...]:
    """The same for one scope. A cap of $0 was never meant to be spent, so it warns of nothing."""
    cap, spent = view.caps.of(scope), view.balances[scope].spent
    if cap is None or cap.nanos == 0:
        return ()
    reached = (level for level in LEVELS if spent.nanos * 100 >= cap.nanos * level)
    return tuple(Alert(scope=scope, period=view.keys.of(scope), percent=level, cap=cap) for level in reached)


def in_words(alerts: Iterable[Alert], view: BudgetView) -> tuple[str, ...]:
    """With what is spent now."""
    return tuple(alert.words(view.balances[alert.scope].spent) for alert in alerts)


def overbilled_first(alerts: Sequence[str], most: int) -> tuple[list[str], list[str]]:
    """Charges above their bounds, each with its command, in few words; and the other alerts as they are.

    Where the charges come to more than `most` tokens, they stand in one: at least the first model is named.
    """
    found = {alert: match for alert in alerts if (match := _OVERBILLED.fullmatch(alert))}
    others = [alert for alert in alerts if alert not in found]
    for told in ("{model}", "MODEL"):
        charges = [(_CHARGE + _UNBLOCK.format(model=told)).format_map(match.groupdict()) for match in found.values()]
        if cost(". ".join(charges)) <= most:
            return charges, others
    names = few([match["model"] for match in found.values()], most // 2)
    each = " for each" if len(found) > 1 else ""
    return [f"{names} cost more than was expected: {_UNBLOCK.format(model='MODEL')}{each}"], others
