"""What became of each try, and what that means for the call: pure, so that every ending can be read here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from hybrid_mcp.domain.answer import Attempt, Outcome
from hybrid_mcp.domain.completion import Completion
from hybrid_mcp.domain.errors import (
    ContextTooLong,
    HybridError,
    NoRoute,
    ProviderError,
    ProviderRateLimited,
    ProviderRejected,
    ProviderTimeout,
)
from hybrid_mcp.domain.judging import GOOD, Verdict, judge
from hybrid_mcp.domain.money import ZERO, Usd
from hybrid_mcp.domain.routing import Decision, Step

Ending = Literal["void", "settle", "forfeit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One attempt and how its reservation ends. `completion` is None where there is no answer to return.

    `trouble`: why the ledger could not close the reservation, which then stays charged in full.
    """

    step: Step
    attempt: Attempt
    ending: Ending
    completion: Completion | None = None
    verdict: Verdict = GOOD
    retry_after_s: float | None = None
    trouble: str | None = None

    def lasting(self, latency_ms: int) -> Tried:
        return replace(self, attempt=replace(self.attempt, latency_ms=latency_ms))


def never_sent(step: Step, outcome: Outcome, reason: str = "") -> Tried:
    return Tried(step=step, attempt=Attempt(model=step.spec.name, outcome=outcome, reason=reason), ending="void")


def broken_off(step: Step) -> Tried:
    """Sent, and what became of it is unknown: the whole reservation is charged."""
    return _charged(step, "cancelled", "broken off before it was finished", step.bound)


def failed(step: Step, error: HybridError) -> Tried:
    """The provider failed. Only an error that says that nothing was billed frees the reservation."""
    billed = error.billed if isinstance(error, ProviderError | ContextTooLong) else False
    tried = _charged(step, _outcome(error), str(error), step.bound if billed else ZERO)
    return replace(tried, retry_after_s=error.retry_after_s) if isinstance(error, ProviderRateLimited) else tried


def answered(step: Step, completion: Completion, cost: Usd | None, *, asked_tokens: int) -> Tried:
    """The provider answered. `cost` None: the usage is missing or not believable, so the reservation is charged."""
    charge = step.bound if cost is None else cost
    ending: Ending = "settle" if cost is not None else "forfeit"
    attempt = Attempt(model=step.spec.name, outcome="ok", cost=charge)
    if not completion.text.strip():
        empty = Verdict(reason="the answer is empty", escalate=True)
        failed_so = replace(attempt, outcome="failed", reason="the answer is empty")
        return Tried(step=step, attempt=failed_so, ending=ending, verdict=empty)
    verdict = judge(completion, step.spec, shrunk=step.output_cap < asked_tokens)
    if verdict.reason is not None:
        attempt = replace(attempt, outcome="doubtful", reason=verdict.reason)
    return Tried(step=step, attempt=attempt, ending=ending, completion=completion, verdict=verdict)


def best(tried: Sequence[Tried]) -> tuple[Tried, Completion] | None:
    """The answer to return: the last one there is, because each escalation goes to a stronger model."""
    return next(((one, one.completion) for one in reversed(tried) if one.completion is not None), None)


def is_weaker(step: Step, tried: Sequence[Tried], rungs: Mapping[str, int]) -> bool:
    """Whether a local model stands below one whose answer was already doubted (`rungs`: by name, the weakest is 0)."""
    doubted = [rungs[one.step.spec.name] for one in tried if one.completion is not None and one.step.spec.local]
    return bool(doubted) and step.spec.local and rungs[step.spec.name] < max(doubted)


def told(decision: Decision, tried: Sequence[Tried], chosen: Tried, preferred: frozenset[str]) -> str:
    """Why this answer: the decision's reason, and what happened on the way."""
    parts = [decision.reason]
    for one in tried:
        if one is not chosen:
            wished = "preferred " if one.step.spec.name in preferred else ""
            parts.append(f"{wished}{one.attempt.model}: {one.attempt.outcome}, {one.attempt.reason}")
    if chosen.verdict.reason is not None:
        why = "no better model could answer" if chosen.verdict.escalate else "another one would be cut off there too"
        parts.append(f"the answer is doubtful ({chosen.verdict.reason}), and {why}")
    parts.extend(note for note in (chosen.step.note, *(one.trouble for one in tried)) if note is not None)
    return "; ".join(parts)


def all_failed(decision: Decision, tried: Sequence[Tried], deadline_s: float) -> NoRoute:
    """One error that holds every reason."""
    attempts = [f"{one.attempt.model}: {one.attempt.outcome}, {one.attempt.reason}" for one in tried]
    left_out = [f"{excluded.model}: {excluded.reason}" for excluded in decision.excluded]
    untried = [step.spec.name for step in decision.steps if step.spec.name not in {one.attempt.model for one in tried}]
    message = f"no model answered (deadline_s was {deadline_s:g}). Tried: {'; '.join(attempts) or 'none'}"
    if untried:
        message += f". Not tried for lack of time: {', '.join(untried)}"
    return NoRoute(message + (f". Left out: {'; '.join(left_out)}" if left_out else ""))


def _charged(step: Step, outcome: Outcome, reason: str, charge: Usd) -> Tried:
    ending: Ending = "forfeit" if charge.nanos else "settle"
    attempt = Attempt(model=step.spec.name, outcome=outcome, reason=reason, cost=charge)
    return Tried(step=step, attempt=attempt, ending=ending)


def _outcome(error: HybridError) -> Outcome:
    match error:
        case ProviderTimeout():
            return "timeout"
        case ProviderRateLimited():
            return "rate_limited"
        case ProviderRejected():
            return "refused"
        case _:
            return "failed"
