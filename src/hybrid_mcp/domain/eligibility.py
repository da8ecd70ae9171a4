"""Which models may run at all: each check gives its reason as data.

The order of the checks is the order of importance: the first reason found is the one that is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hybrid_mcp.domain.budget import SCOPE_NAMES, SCOPES, BudgetView, Quote, Scope
from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.memory import misfit
from hybrid_mcp.domain.money import ZERO, Usd
from hybrid_mcp.domain.profile import ModelSpec, Profile
from hybrid_mcp.domain.scorer import Complexity
from hybrid_mcp.domain.whitelist import Whitelist

BANDS = (30, 60, 80)
"""Lower edges, in hundredths of the score, of the bands above the first."""
MIN_OUTPUT_TOKENS = 256
"""An output cap is never shrunk below this (or below what was asked for, where that is less)."""
SCHEMA_CHARACTERS_PER_TOKEN = 2
"""JSON has about three, and some servers read a schema once more than it stands in the messages."""
LIFT_ABOVE_PERCENT = 20
"""`quality="high"` lifts the score only while more than this share of the month's budget is left."""

Breaker = Literal["closed", "half_open", "open"]
Cause = Literal[
    "absent", "forced", "sensitive", "airgap", "task", "whitelist", "key", "memory", "context", "price", "threshold",
    "blocked", "ledger", "budget", "reserved", "breaker",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model as it stands now.

    `absent`: why it cannot be had on this machine. `quote` and `blended_nanos` (list price of three tokens in and one
    out) are None where no price is known.
    `last_resort`: the embedded model that nobody listed; above the first band it serves only when nothing else may run.
    `loaded`: it lies in memory already. `split`: not as a whole on the graphics card. `memory_bytes`: what is there for
    it, None where unknown or beyond doubt.
    """

    spec: ModelSpec
    quote: Quote | None
    blended_nanos: int | None = None
    has_key: bool = True
    absent: str | None = None
    breaker: Breaker = "closed"
    retry_in_s: float = 0.0
    slow: bool = False
    last_resort: bool = False
    loaded: bool = False
    split: bool = False
    memory_bytes: int | None = None

    @property
    def unhealthy(self) -> bool:
        """Whether others of its kind are asked first. One that is half-open is not: nobody else would try it again."""
        return self.slow or self.split


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """A model that may not run. `fact`: why. `remedy`: what to do about it, where the fact does not say."""

    model: str
    cause: Cause
    fact: str
    remedy: str = ""

    @property
    def reason(self) -> str:
        return f"{self.fact}: {self.remedy}" if self.remedy else self.fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a decision rests on besides the candidates.

    `sensitive`: why the request must stay local, or None. `preferred`: names of the models the caller asked for.
    """

    request: Request
    complexity: Complexity
    sensitive: str | None
    profile: Profile
    whitelist: Whitelist
    budget: BudgetView
    preferred: frozenset[str] = frozenset()

    @property
    def level(self) -> int:
        """The score in hundredths after `quality` has lifted or dropped it by a band."""
        score, quality = self.complexity.hundredths, self.request.quality
        if quality == "high" and self.budget.month_left_over(LIFT_ABOVE_PERCENT):
            return next((edge for edge in BANDS if score < edge), score)
        if quality == "low":
            return next((edge - 1 for edge in reversed(BANDS) if score >= edge), score)
        return score

    @property
    def task(self) -> str | None:
        """The task type that counts for `allowed_for_cloud`: an inferred one only when the call forces nothing.

        A given one that the list does not know says nothing, so it is no way around what the prompt shows.
        """
        given = (self.request.task_type or "").strip() or None
        if self.request.forces or (given is not None and self.whitelist.answer_for_task(given) is not None):
            return given
        return self.complexity.inferred

    @property
    def threshold_met(self) -> bool:
        return self.level >= self.profile.rules.threshold


def exclusion(situation: Situation, candidate: Candidate) -> Excluded | None:
    """Why this model may not run, or None when it may."""
    for check in _CHECKS:
        found = check(situation, candidate)
        if found is not None:
            return Excluded(model=candidate.spec.name, cause=found[0], fact=found[1], remedy=found[2])
    return None


_Found = tuple[Cause, str, str] | None


def _check_absent(_: Situation, candidate: Candidate) -> _Found:
    return None if candidate.absent is None else ("absent", candidate.absent, "")


def _check_forced(situation: Situation, candidate: Candidate) -> _Found:
    if situation.request.force_local and not candidate.spec.local:
        return "forced", "force_local keeps the call on local models", ""
    if situation.request.force_cloud and candidate.spec.local:
        return "forced", "force_cloud asks for a paid model", ""
    return None


def _check_sensitive(situation: Situation, candidate: Candidate) -> _Found:
    if situation.sensitive is None or candidate.spec.local:
        return None
    return "sensitive", f"{situation.sensitive}, so it must stay on this machine", ""


def _check_airgap(situation: Situation, candidate: Candidate) -> _Found:
    provider = candidate.spec.provider
    if not situation.profile.airgap or provider.kind == "embedded" or (provider.local and provider.loopback):
        return None
    return "airgap", "airgap is on", "only models on this machine may run (AIRGAP_MODE, profile key `airgap`)"


def _check_task(situation: Situation, candidate: Candidate) -> _Found:
    task = situation.task
    if candidate.spec.local or task is None or not situation.whitelist.keeps_local(task):
        return None
    return "task", f"the whitelist keeps {task} local (allowed_for_cloud)", ""


def _check_whitelist(situation: Situation, candidate: Candidate) -> _Found:
    provider = candidate.spec.provider
    if not provider.must_be_whitelisted:
        return None
    verdict = situation.whitelist.check_host(provider.host or "")
    if verdict.allowed:
        return None
    return "whitelist", verdict.reason, "ask with add_to_whitelist"


def _check_key(_: Situation, candidate: Candidate) -> _Found:
    if candidate.has_key:
        return None
    return "key", "no API key", f"set {' or '.join(candidate.spec.provider.api_key_env)}"


def _check_memory(_: Situation, candidate: Candidate) -> _Found:
    reason = misfit(candidate.spec, candidate.memory_bytes)
    return None if reason is None else ("memory", reason, "")


def _check_context(situation: Situation, candidate: Candidate) -> _Found:
    limit, tokens = candidate.spec.context_tokens, situation.complexity.tokens
    least = least_output(situation.request)
    if limit is None or room(situation, candidate) >= least:
        return None
    fact = f"about {tokens:,} tokens and at least {least:,} for the answer do not fit its context window of {limit:,}"
    return "context", fact, "send less context, or a model with a larger window"


def _check_price(_: Situation, candidate: Candidate) -> _Found:
    if candidate.spec.local or candidate.quote is not None:
        return None
    declare = "declare `price: {input_per_mtok: ..., output_per_mtok: ...}` for its provider in the profile"
    return "price", "its price is unknown", declare


def _check_threshold(situation: Situation, candidate: Candidate) -> _Found:
    name = candidate.spec.name
    if candidate.spec.local or situation.threshold_met or situation.request.force_cloud or name in situation.preferred:
        return None
    threshold = f"{situation.profile.rules.threshold / 100:.2f}"
    return "threshold", f"score {situation.level / 100:.2f} is below the profile's complexity_threshold {threshold}", ""


def _check_ledger(situation: Situation, candidate: Candidate) -> _Found:
    if candidate.spec.local or situation.budget.unreadable is None:
        return None
    return "ledger", f"nothing can be paid, because {situation.budget.unreadable}", ""


def _check_budget(situation: Situation, candidate: Candidate) -> _Found:
    limit, quote = situation.budget.affordable(), candidate.quote
    if candidate.spec.local or limit is None or quote is None:
        return None
    least = quote.bound(least_output(situation.request))
    if least <= limit:
        return None
    waiting_helps = least <= (situation.budget.if_all_were_settled().affordable() or ZERO)
    words = tightest(situation.budget)
    reason = words if limit == ZERO else f"needs up to {least} and {limit} may be spent now ({words})"
    return "reserved" if waiting_helps else "budget", reason, ""


def _check_blocked(situation: Situation, candidate: Candidate) -> _Found:
    blocked = situation.budget.blocked.get(candidate.spec.name)
    return None if blocked is None else ("blocked", blocked.what, blocked.remedy)


def _check_breaker(_: Situation, candidate: Candidate) -> _Found:
    if candidate.breaker != "open":
        return None
    fact = f"it failed several times in a row or asked for a pause, and is tried again in {candidate.retry_in_s:.0f} s"
    return "breaker", fact, ""


_CHECKS: tuple[Callable[[Situation, Candidate], _Found], ...] = (
    _check_forced, _check_absent, _check_sensitive, _check_airgap, _check_task, _check_whitelist, _check_key,
    _check_memory, _check_context, _check_price, _check_threshold, _check_ledger, _check_blocked, _check_budget,
    _check_breaker,
)  # fmt: skip


def least_output(request: Request) -> int:
    """The shortest answer, in tokens, that is worth paying for."""
    return min(request.max_output_tokens, MIN_OUTPUT_TOKENS)


def room(situation: Situation, candidate: Candidate) -> int:
    """Output tokens that still fit the context window beside the request."""
    limit, schema = candidate.spec.context_tokens, situation.request.response_schema
    if limit is None:
        return situation.request.max_output_tokens
    return limit - situation.complexity.tokens - len(schema) // SCHEMA_CHARACTERS_PER_TOKEN


def tightest(budget: BudgetView) -> str:
    """The cap that leaves the least, in words. At least one must be set."""
    left: list[tuple[Usd | None, Scope]] = [(budget.remaining(scope), scope) for scope in SCOPES]
    limits = [(amount, _words_of(budget, scope, amount)) for amount, scope in left if amount is not None]
    if budget.caps.request is not None:
        limits.append((budget.caps.request, f"max_cost is {budget.caps.request}"))
    return min(limits)[1]


def _words_of(budget: BudgetView, scope: Scope, left: Usd) -> str:
    name, cap, spent = SCOPE_NAMES[scope], budget.caps.of(scope), budget.balances[scope].spent
    if left > ZERO:
        return f"{left} is left of {name} of {cap}"
    if cap == ZERO:
        return f"{name} is $0.00"
    return f"{name} of {cap} is spent{'' if spent >= (cap or ZERO) else ' or set aside for calls under way'}"
