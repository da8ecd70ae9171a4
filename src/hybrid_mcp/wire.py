"""The objects that tools return and `--json` prints: one definition for both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from hybrid_mcp.domain.answer import Judged, Outcome, Status
from hybrid_mcp.domain.budget import Scope

if TYPE_CHECKING:
    from hybrid_mcp.domain.answer import Answer
    from hybrid_mcp.domain.learning import Reported
    from hybrid_mcp.domain.money import Usd
    from hybrid_mcp.domain.scorer import Complexity
    from hybrid_mcp.domain.whitelist import Verdict
    from hybrid_mcp.gatekeeper import Requested
    from hybrid_mcp.recent import RecentCall
    from hybrid_mcp.reports import BudgetStatus

REASONING_CHARACTERS = 600
"""Of the reasoning before an answer, so much of its end is given back."""


class Wire(BaseModel):
    """Base of all results."""

    model_config = ConfigDict(frozen=True)

    def to_json(self) -> str:
        """Compact JSON; the characters of the answer stay as they are."""
        return self.model_dump_json()


class ScoreResult(Wire):
    score: float
    signals: dict[str, float]


class PlanStep(Wire):
    model: str
    local: bool
    bound_usd: float


class ExcludedModel(Wire):
    model: str
    reason: str


class AttemptResult(Wire):
    model: str
    outcome: Outcome
    reason: str
    cost_usd: float
    latency_ms: int


class UsageResult(Wire):
    input_tokens: int
    output_tokens: int


class BudgetLeft(Wire):
    month_remaining_usd: float | None
    day_remaining_usd: float | None
    alerts: list[str]


class CompletionResult(Wire):
    request_id: str
    status: Status
    text: str | None
    reasoning: str | None
    model: str | None
    provider: str | None
    local: bool
    cached: bool
    escalated: bool
    judged: Judged | None
    judging_ms: int
    complexity: ScoreResult
    reason: str
    plan: list[PlanStep]
    excluded: list[ExcludedModel]
    attempts: list[AttemptResult]
    usage: UsageResult
    cost_usd: float
    saved_usd: float
    latency_ms: int
    budget: BudgetLeft


class AllowedResult(Wire):
    allowed: bool
    reason: str
    matched_rule: str | None


class WhitelistResult(Wire):
    status: Literal["added", "already_allowed", "pending_approval", "denied"]
    approval_id: str | None
    how_to_approve: str | None


class ReportResult(Wire):
    request_id: str
    counted: bool
    outcomes: int
    message: str


class ModelCost(Wire):
    model: str
    requests: int
    cost_usd: float


class CapResult(Wire):
    scope: Scope
    cap_usd: float
    remaining_usd: float


class BudgetResult(Wire):
    period: Literal["month", "day"]
    cap_usd: float | None
    spent_usd: float
    reserved_usd: float
    remaining_usd: float | None
    local_requests: int
    cloud_requests: int
    cached_requests: int
    saved_usd: float
    baseline_model: str | None
    by_model: list[ModelCost]
    caps: list[CapResult]
    affordable_calls: int | None
    alerts: list[str]


class RecentResult(Wire):
    """One answer of this process as the page shows it. `at`: ISO 8601 in UTC."""

    at: str
    model: str
    local: bool
    cached: bool
    escalated: bool
    doubtful: bool
    attempts: int
    cost_usd: float
    latency_ms: int
    score: float
    reason: str


def score_result(complexity: Complexity) -> ScoreResult:
    """Shares and score as decimal fractions of two places."""
    signals = {name: share / 100 for name, share in complexity.signals.items()}
    return ScoreResult(score=complexity.score, signals=signals)


def completion_result(answer: Answer) -> CompletionResult:
    usage = answer.usage
    return CompletionResult(
        request_id=answer.request_id, status=answer.status, text=answer.text,
        reasoning=_ending_of(answer.reasoning), model=answer.model, provider=answer.provider, local=answer.local,
        cached=answer.cached, escalated=answer.escalated, judged=answer.judged, judging_ms=answer.judging_ms,
        complexity=score_result(answer.complexity), reason=answer.reason,
        plan=[
            PlanStep(model=step.spec.name, local=step.spec.local, bound_usd=step.bound.dollars) for step in answer.plan
        ],
        excluded=[ExcludedModel(model=one.model, reason=one.reason) for one in answer.excluded],
        attempts=[
            AttemptResult(
                model=one.model, outcome=one.outcome, reason=one.reason, cost_usd=one.cost.dollars,
                latency_ms=one.latency_ms,
            )
            for one in answer.attempts
        ],
        usage=UsageResult(
            input_tokens=usage.input_tokens if usage else 0, output_tokens=usage.output_tokens if usage else 0
        ),
        cost_usd=answer.cost.dollars, saved_usd=answer.saved.dollars, latency_ms=answer.latency_ms,
        budget=BudgetLeft(
            month_remaining_usd=dollars(answer.budget.remaining("month")),
            day_remaining_usd=dollars(answer.budget.remaining("day")),
            alerts=list(answer.alerts),
        ),
    )  # fmt: skip


def _ending_of(reasoning: str) -> str | None:
    """Its last characters, because each one is paid for in the client's context."""
    if len(reasoning) <= REASONING_CHARACTERS:
        return reasoning or None
    return f"...{reasoning[-REASONING_CHARACTERS:]}"


def dollars(amount: Usd | None) -> float | None:
    return None if amount is None else amount.dollars


def allowed_result(verdict: Verdict) -> AllowedResult:
    return AllowedResult(allowed=verdict.allowed, reason=verdict.reason, matched_rule=verdict.matched_rule)


def whitelist_result(requested: Requested) -> WhitelistResult:
    request = requested.request
    return WhitelistResult(
        status=requested.status, approval_id=request.id if request else None,
        how_to_approve=requested.how_to_approve,
    )  # fmt: skip


def report_result(reported: Reported) -> ReportResult:
    return ReportResult(
        request_id=reported.request_id, counted=reported.counted, outcomes=reported.outcomes, message=reported.message
    )


def budget_result(status: BudgetStatus) -> BudgetResult:
    report = status.report
    return BudgetResult(
        period=report.period, cap_usd=dollars(status.cap), spent_usd=report.balance.spent.dollars,
        reserved_usd=report.balance.reserved.dollars, remaining_usd=dollars(status.remaining),
        local_requests=report.local_requests, cloud_requests=report.cloud_requests,
        cached_requests=report.cached_requests, saved_usd=report.saved.dollars, baseline_model=status.baseline,
        by_model=[
            ModelCost(model=one.model, requests=one.requests, cost_usd=one.cost.dollars) for one in report.by_model
        ],
        caps=[
            CapResult(scope=one.scope, cap_usd=one.cap.dollars, remaining_usd=one.remaining.dollars)
            for one in status.caps
        ],
        affordable_calls=status.affordable_calls, alerts=list(status.alerts),
    )  # fmt: skip


def recent_result(call: RecentCall) -> RecentResult:
    return RecentResult(
        at=call.at.isoformat(timespec="seconds"), model=call.model, local=call.local, cached=call.cached,
        escalated=call.escalated, doubtful=call.doubtful, attempts=call.attempts, cost_usd=call.cost.dollars,
        latency_ms=call.latency_ms, score=call.score, reason=call.reason,
    )  # fmt: skip
