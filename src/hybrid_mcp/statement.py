"""The budget in words for a person: what `hybrid-mcp budget` prints."""

from __future__ import annotations

from collections.abc import Iterator

from hybrid_mcp.domain.budget import SCOPE_NAMES, Balance, Scope
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.profile import Profile
from hybrid_mcp.reports import BudgetStatus
from hybrid_mcp.tables import print_table

SCOPE_COLUMNS = ("scope", "cap_usd", "spent_usd", "reserved_usd", "remaining_usd")


def scope_rows(status: BudgetStatus) -> list[tuple[Scope, Usd | None, Usd, Usd, Usd | None]]:
    """The period that was asked for, and each cap that is set: cap, spent, reserved and remaining."""
    rows: list[tuple[Scope, Usd | None, Usd, Usd, Usd | None]] = []
    if status.cap is None:
        rows.append((status.report.period, None, *_amounts(status.report.balance), None))
    rows.extend((one.scope, one.cap, *_amounts(one.balance), one.remaining) for one in status.caps)
    return rows


def print_statement(status: BudgetStatus, *, profile: Profile, project: str) -> None:
    """Caps, what else fits under them, who answered, what that saved, and what is alarming."""
    names = {"month": "this month", "day": "today", "project": f"project {project}", "client": "this client"}
    rows = [(names[scope], cap or "no cap", spent, held, left) for scope, cap, spent, held, left in scope_rows(status)]
    print_table(("UTC", "cap", "spent", "reserved", "left"), rows)
    for line in _lines(status, profile):
        print(line)
    if status.report.by_model:
        models = [(one.model, one.requests, one.cost) for one in status.report.by_model]
        print_table(("model", "answers", "cost"), models)
    for alert in status.alerts:
        print(f"! {alert}")


def _amounts(balance: Balance) -> tuple[Usd, Usd]:
    return balance.spent, balance.reserved


def _lines(status: BudgetStatus, profile: Profile) -> Iterator[str]:
    report, period = status.report, "this month" if status.report.period == "month" else "today"
    never = [one for one in status.caps if one.cap.nanos == 0]
    yield from (f"{SCOPE_NAMES[one.scope]} is $0: no paid model may run, local ones answer" for one in never)
    if profile.client_budget is not None:
        yield (
            f"each server process may spend {profile.client_budget} (client_budget): its own tool budget_status says "
            "what is left of that"
        )
    if status.affordable_calls is not None and not never:
        yield _affordable(status.affordable_calls, period)
    if not (report.local_requests or report.cloud_requests or report.cached_requests):
        yield f"nothing was answered {period}"
        return
    counts = f"{report.local_requests} local, {report.cloud_requests} cloud, {report.cached_requests} from the cache"
    yield f"answers: {counts}"
    yield _savings(status)


def _affordable(calls: int, period: str) -> str:
    if calls == 0:
        return f"you cannot afford one more call like {period}'s paid ones; local models cost nothing"
    return f"you can afford about {calls} more call{'' if calls == 1 else 's'} like {period}'s paid ones"


def _savings(status: BudgetStatus) -> str:
    if status.baseline is None:
        return "savings are not measured: the profile lists no cloud model whose price is known"
    return (
        f"saved: {status.report.saved}, against what {status.baseline}, the profile's best cloud model by price, would "
        "have cost for the same tokens"
    )
