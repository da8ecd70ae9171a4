"""What became of each try, and what that means for the call: pure, so that every ending can be read here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from hybrid_mcp.domain.answer import Attempt, Outcome
from hybrid_mcp.domain.brevity import cost, cut, cut_inside, few
from hybrid_mcp.domain.budget import Overbilled
from hybrid_mcp.domain.completion import Completion, Request
from hybrid_mcp.domain.eligibility import Candidate
from hybrid_mcp.domain.errors import (
    BudgetExceeded,
    ContextTooLong,
    HybridError,
    NoRoute,
    ProviderError,
    ProviderRateLimited,
    ProviderRejected,
    ProviderTimeout,
)
from hybrid_mcp.domain.judging import GOOD, Verdict, judge
from hybrid_mcp.domain.left_out import in_a_row
from hybrid_mcp.domain.money import ZERO, Usd
from hybrid_mcp.domain.reservation import Settlement
from hybrid_mcp.domain.routing import ERROR_TOKENS, LEFT_OUT_TOKENS, Decision, Repair, Step, refusal, warnings
from hybrid_mcp.domain.tokens import NOTHING, Extent, most_dense_bytes

EARLIER_TOKENS, ATTEMPT_TOKENS, NAME_TOKENS, UNTRIED_TOKENS = 30, 24, 24, 30
"""What each part of a text may take: all of it is paid for in the context of the client's model."""
MISSHAPEN = "it does not match response_schema"

Ending = Literal["void", "settle", "forfeit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One attempt and how its reservation ends. `completion` is None where there is no answer to return.

    `held_up`: it was refused for money that other calls have only set aside. `booked`: what the price book makes of the
    usage, None where that is missing or cannot be true. `trouble`: what the ledger could not write down. `repair`: what
    is to be mended, where the answer has not the shape that was asked for. `begun`: as much of an answer as had come
    when the time was over. `judging_ms`: what a second look at the answer took, beside the attempt itself.
    `proof`: what has shown that the answer is right.
    """

    step: Step
    attempt: Attempt
    ending: Ending
    completion: Completion | None = None
    verdict: Verdict = GOOD
    retry_after_s: float | None = None
    held_up: bool = False
    booked: Usd | None = None
    trouble: str | None = None
    repair: Repair | None = None
    begun: str = ""
    judging_ms: int = 0
    proof: str | None = None

    def judged(self, verdict: Verdict) -> Tried:
        outcome: Outcome = "ok" if verdict.good else "doubtful"
        return replace(
            self, verdict=verdict, attempt=replace(self.attempt, outcome=outcome, reason=verdict.reason or "")
        )

    def lasting(self, latency_ms: int) -> Tried:
        return replace(self, attempt=replace(self.attempt, latency_ms=latency_ms))


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of an answer's cost: how much of it came in, and `told`, what the provider's own words come to."""

    written: Extent = NOTHING
    told: Usd = ZERO

    def least(self, step: Step) -> Usd:
        """What an attempt may have cost whose true usage is unknown: its bound, unless more was told or came in."""
        if self.written.fewest_tokens <= step.output_cap:
            return max(step.bound, self.told)
        # The server ignores its cap. No more than this is read.
        most = min(self.written.bytes, most_dense_bytes(step.output_cap))
        return max(step.quote.bound(most), self.told)


def never_sent(step: Step, outcome: Outcome, reason: str = "") -> Tried:
    return Tried(step=step, attempt=Attempt(model=step.spec.name, outcome=outcome, reason=reason), ending="void")


def held_back(step: Step, error: BudgetExceeded) -> Tried:
    """The ledger did not grant the money."""
    return replace(never_sent(step, "refused", str(error)), held_up=error.passing)


def broken_off(step: Step, seen: Seen) -> Tried:
    """Sent, and what became of it is unknown: at least the whole reservation is charged."""
    return _charged(step, "cancelled", "broken off before it was finished", seen.least(step))


def failed(step: Step, error: HybridError, seen: Seen) -> Tried:
    """The provider failed. Only an error that says that nothing was billed frees the reservation."""
    billed = error.billed if isinstance(error, ProviderError | ContextTooLong) else False
    tried = _charged(step, _outcome(error), str(error), seen.least(step) if billed else seen.told)
    return replace(tried, retry_after_s=error.retry_after_s) if isinstance(error, ProviderRateLimited) else tried


def answered(
    step: Step, completion: Completion, booked: Usd | None, seen: Seen, *, request: Request, score: float,
    repair: Repair | None = None,
) -> Tried:  # fmt: skip
    """The provider answered.

    `score`: the prompt's, without what was learned. `repair`: it did not answer in the shape that was asked for, and
    what is wrong with it.
    `booked`: its usage at the book's price; None: it is missing or not believable, so the reservation is charged. What
    the provider says it charged counts where it is more.
    """
    least = seen.least(step) if booked is None else max(booked, seen.told)
    ending: Ending = "forfeit" if booked is None else "settle"
    attempt = Attempt(model=step.spec.name, outcome="ok", cost=least)
    completion = completion if booked is not None else replace(completion, usage=None)
    if not completion.text.strip():
        empty = Verdict(reasons=("the answer is empty",), escalate=True)
        failed_so = replace(attempt, outcome="failed", reason="the answer is empty")
        return Tried(step=step, attempt=failed_so, ending=ending, verdict=empty, booked=booked)
    shrunk = step.output_cap < request.max_output_tokens
    verdict = judge(request, completion, step.spec, shrunk=shrunk, score=score)
    if verdict.good and repair is not None:
        verdict = Verdict(reasons=(f"{MISSHAPEN}: {repair.what}",), escalate=repair.mendable)
    if verdict.reason is not None:
        attempt = replace(attempt, outcome="doubtful", reason=verdict.reason)
    return Tried(
        step=step, attempt=attempt, ending=ending, completion=completion, verdict=verdict, booked=booked, repair=repair
    )


def settlement(tried: Tried, baseline: Usd | None) -> Settlement:
    """How the ledger writes it down."""
    usage = tried.completion.usage if tried.completion is not None else None
    billed = usage.billed if usage is not None else None
    return Settlement(
        cost=tried.attempt.cost, outcome=tried.attempt.outcome, latency_ms=tried.attempt.latency_ms,
        input_tokens=usage.input_tokens if usage else 0, output_tokens=usage.output_tokens if usage else 0,
        baseline=baseline, billed=billed, booked=tried.booked if billed is not None else None,
    )  # fmt: skip


def overbilled(tried: Sequence[Tried], at: datetime) -> tuple[Overbilled, ...]:
    """Attempts that cost more than was set aside for them."""
    return tuple(
        Overbilled(model=one.attempt.model, bound=one.step.bound, cost=one.attempt.cost, at=at)
        for one in tried
        if one.attempt.cost > one.step.bound
    )


def best(tried: Sequence[Tried]) -> tuple[Tried, Completion] | None:
    """The answer to return: the last one there is, because each escalation goes to a stronger model; one that has the
    shape that was asked for before one that has not."""
    found = [(one, one.completion) for one in reversed(tried) if one.completion is not None]
    return next((pair for pair in found if pair[0].repair is None), found[0] if found else None)


def best_begun(tried: Sequence[Tried]) -> tuple[Tried, Completion] | None:
    """Where no model came to an end: the longest beginning of an answer, which is doubtful."""
    longest = max(tried, key=lambda one: len(one.begun), default=None)
    if longest is None or not longest.begun.strip():
        return None
    doubtful = Verdict(reasons=("cut off at the deadline",), escalate=True)
    return replace(longest, verdict=doubtful), Completion(text=longest.begun, finish="length", usage=None)


def next_repair(step: Step, one: Tried) -> Repair | None:
    """What the same model is asked to mend now: once, and never an answer that was cut off or refused."""
    completion = one.completion
    if step.repair is not None or completion is None or completion.finish in {"length", "refusal"}:
        return None
    return one.repair if one.repair is not None and one.repair.mendable else None


def is_held_up(decision: Decision, tried: Sequence[Tried]) -> bool:
    """Whether no answer came, and money that other calls have only set aside may be all that stands in the way."""
    if any(one.completion is not None for one in tried):
        return False
    return any(one.held_up for one in tried) or any(excluded.cause == "reserved" for excluded in decision.excluded)


def sent(tried: Sequence[Tried]) -> list[Tried]:
    """Without those that waited for money: they may be tried again."""
    return [one for one in tried if not one.held_up]


def not_tried(candidates: Sequence[Candidate], tried: Sequence[Tried]) -> list[Candidate]:
    """Candidates that did not fail yet."""
    names = {one.attempt.model for one in sent(tried)}
    return [candidate for candidate in candidates if candidate.spec.name not in names]


def is_weaker(step: Step, tried: Sequence[Tried], rungs: Mapping[str, int]) -> bool:
    """Whether a local model is not asked after what was answered already (`rungs`: by name, the weakest is 0).

    It is weaker than a local model above it, and than a paid one whose answer has the shape that was asked for.
    """
    if not step.spec.local:
        return False
    answers = [one for one in tried if one.completion is not None]
    if any(not one.step.spec.local and one.repair is None for one in answers):
        return True
    doubted = [rungs[one.step.spec.name] for one in answers if one.step.spec.local]
    return bool(doubted) and rungs[step.spec.name] < max(doubted)


def told(
    decision: Decision, tried: Sequence[Tried], chosen: Tried, preferred: frozenset[str], redaction: str | None = None,
    *, beside_attempts: bool = False,
) -> str:  # fmt: skip
    """Why this answer: the decision's reason, and what happened on the way.

    `redaction`: what was kept from models elsewhere. `beside_attempts`: why each of them failed is told by themselves.
    """
    parts = [decision.reason]
    if redaction is not None and not chosen.step.spec.local:
        parts.append(redaction)
    others = [one for one in tried if one.attempt is not chosen.attempt]
    if beside_attempts:
        named = [f"{_wished(one, preferred)}: {one.attempt.outcome}" for one in others]
        parts.extend([few(named, EARLIER_TOKENS, "; ")] if named else [])
    else:
        parts.extend(f"{_wished(one, preferred)}: {one.attempt.outcome}, {one.attempt.reason}" for one in others)
    if chosen.verdict.reason is not None:
        known = beside_attempts and chosen.verdict.reason == chosen.attempt.reason
        doubt = "" if known else f" ({chosen.verdict.reason})"
        why = "no better model could answer" if chosen.verdict.escalate else "another one would be cut off there too"
        parts.append(f"the answer is doubtful{doubt}, and {why}")
    parts.extend(note for note in (chosen.proof, chosen.step.note, *(one.trouble for one in tried)) if note is not None)
    return "; ".join(parts)


def _wished(one: Tried, preferred: frozenset[str]) -> str:
    name = one.step.spec.name
    return f"preferred {name}" if name in preferred else name


def no_answer(decision: Decision, tried: Sequence[Tried], deadline_s: float, alerts: Sequence[str]) -> HybridError:
    """One error that holds every reason, and what the owner must know of the money that is gone all the same."""
    if not tried and not decision.steps:
        return refusal(decision, alerts)
    untried = [step.spec.name for step in decision.steps if step.spec.name not in {one.attempt.model for one in tried}]
    first = f"no model answered (deadline_s was {deadline_s:g}). Tried: "
    late = f"Not tried for lack of time: {few(untried, UNTRIED_TOKENS)}" if untried else ""
    warned = warnings(alerts)
    room = ERROR_TOKENS - cost(f"{first}{late}. {warned}. Left out: ")
    attempts = [f"{one.attempt.model}: {one.attempt.outcome}, {one.attempt.reason}" for one in tried]
    left_out = in_a_row(decision.excluded, max(LEFT_OUT_TOKENS, room - cost("; ".join(attempts))))
    room -= cost(left_out)
    if cost("; ".join(attempts)) > room:
        attempts = [_in_short(one.attempt, room // len(tried)) for one in tried]
    parts = (f"{first}{few(attempts, room, '; ') or 'none'}", late, f"Left out: {left_out}" if left_out else "", warned)
    return NoRoute(". ".join(filter(None, parts)))


def _in_short(attempt: Attempt, room: int) -> str:
    """`room`: each one's part, where the name and the reason are to have more than the least."""
    name = f"{cut(attempt.model, NAME_TOKENS)}: {attempt.outcome}, "
    reason = attempt.reason.removeprefix(f"{attempt.model} ")
    return name + cut_inside(reason, max(ATTEMPT_TOKENS, room - cost(name) - 1))


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
