"""What a call gives back: the answer, how it came about and what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hybrid_mcp.domain.money import ZERO, Usd

if TYPE_CHECKING:
    from hybrid_mcp.domain.budget import BudgetView
    from hybrid_mcp.domain.completion import Usage
    from hybrid_mcp.domain.eligibility import Excluded
    from hybrid_mcp.domain.routing import Step
    from hybrid_mcp.domain.scorer import Complexity

Status = Literal["completed", "planned", "running"]
Judged = Literal["good", "doubtful"]
Outcome = Literal["ok", "doubtful", "failed", "timeout", "rate_limited", "refused", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try at one model. `cost` is what the ledger was charged."""

    model: str
    outcome: Outcome
    reason: str = ""
    cost: Usd = ZERO
    latency_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The whole result. `text`, `model` and `provider` are None where nothing was called (`status` "planned"), or no
    answer has come yet ("running").

    `gist`: `reason` without what `attempts` tells, None where that is all of it.
    `judged`: None where there is no answer. `judging_ms`: what second looks at answers took; they cost no money.
    `reasoning`: what the model wrote to come to the answer, where that was told apart from it.
    `cost` is the sum over all attempts; `saved` is what the profile's dearest cloud model would have cost more.
    `alerts`: budgets that came to a level with this call, and providers that charged more than they may; each is told
    once.
    """

    request_id: str
    status: Status
    complexity: Complexity
    reason: str
    budget: BudgetView
    gist: str | None = None
    text: str | None = None
    reasoning: str = ""
    model: str | None = None
    provider: str | None = None
    local: bool = False
    cached: bool = False
    escalated: bool = False
    plan: tuple[Step, ...] = ()
    excluded: tuple[Excluded, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    usage: Usage | None = None
    cost: Usd = ZERO
    saved: Usd = ZERO
    latency_ms: int = 0
    alerts: tuple[str, ...] = ()
    judged: Judged | None = None
    judging_ms: int = 0
