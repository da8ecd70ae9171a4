"""The one use case, in one straight line: look, remember, decide, try, judge, return."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import anyio

from hybrid_mcp.attempting import Attempting, Terms
from hybrid_mcp.candidates import Candidates
from hybrid_mcp.domain.answer import Answer
from hybrid_mcp.domain.attempts import (
    Tried,
    all_failed,
    best,
    is_weaker,
    told,
)
from hybrid_mcp.domain.budget import BudgetView, Caps
from hybrid_mcp.domain.completion import Completion, Request
from hybrid_mcp.domain.eligibility import Candidate, Situation
from hybrid_mcp.domain.errors import (
    StorageError,
)
from hybrid_mcp.domain.money import ZERO
from hybrid_mcp.domain.privacy import stay_local_reason
from hybrid_mcp.domain.profile import ModelSpec, Profile
from hybrid_mcp.domain.routing import Decision, decide, refusal
from hybrid_mcp.domain.scorer import Complexity, score
from hybrid_mcp.domain.whitelist import Whitelist
from hybrid_mcp.ports import (
    Cache,
    CachedAnswer,
    Clock,
    Ledger,
    Observer,
    Progress,
    SecretScanner,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Answers a request with the cheapest model that can do it.

    `scope` goes into the cache's fingerprint: everything of the configuration that can change an answer.
    """

    profile: Profile
    whitelist: Callable[[], Whitelist]
    candidates: Candidates
    attempting: Attempting
    ledger: Ledger
    cache: Cache
    scanner: SecretScanner
    observer: Observer
    clock: Clock
    new_id: Callable[[], str]
    scope: str = ""

    async def complete(self, request: Request, progress: Progress) -> Answer:
        """The answer, or the plan alone for a `dry_run`.

        Raises:
            HybridError: no model may run, or every one failed; the message holds every reason and what to do.
        """
        call = _Call(request=request, id=self.new_id(), started=self.clock.monotonic(), complexity=score(request))
        sensitive = stay_local_reason(
            request,
            self.scanner.scan(request),
            personal_data_stays_local=self.profile.personal_data_stays_local,
        )

        fingerprint = request.fingerprint(self.scope)
        if not request.dry_run and (kept := await self.cache.get(fingerprint)) is not None:
            return await self._from_cache(call, kept)

        candidates, preferred = await self.candidates.of(request)
        situation = Situation(
            request=request, complexity=call.complexity, sensitive=sensitive, profile=self.profile,
            whitelist=self.whitelist(), budget=await self._budget(request), preferred=preferred,
        )  # fmt: skip
        decision = decide(situation, candidates)
        if request.dry_run:
            return await self._planned(call, decision)
        if not decision.steps:
            raise refusal(decision)

        routed = _Routed(
            decision=decision, rungs=_rungs(candidates), baseline=self.candidates.baseline(), before=situation.budget
        )
        tried = await self._try_in_order(call, routed, progress)
        found = best(tried)
        if found is None:
            raise all_failed(decision, tried, request.deadline_s)

        chosen, completion = found
        reason = told(decision, tried, chosen, preferred)
        answer = replace(await self._completed(call, routed, tried, found), reason=reason)
        if _is_worth_keeping(chosen, tried, preferred):
            await self.cache.put(fingerprint, _to_keep(answer, completion))
        self.observer.answered(answer)
        return answer

    async def _try_in_order(self, call: _Call, routed: _Routed, progress: Progress) -> list[Tried]:
        """Try the steps until an answer is good enough; nobody weaker is asked after an answer was doubted."""
        tried: list[Tried] = []
        waiting = list(routed.decision.steps)
        waited = False
        while waiting and (left_s := self._left_s(call)) > 0:
            step = waiting.pop(0)
            if is_weaker(step, tried, routed.rungs):
                continue
            terms = Terms(
                request=call.request, request_id=call.id, limit_s=left_s / 2 if waiting else left_s,
                caps=self._caps_left(call.request, tried), baseline=routed.baseline,
            )  # fmt: skip
            one = await self.attempting.attempt(step, terms, progress)
            tried.append(one)
            self.observer.attempted(call.id, one.attempt)
            if one.completion is not None and not one.verdict.escalate:
                break
            if not waiting and not waited and one.retry_after_s is not None and one.retry_after_s < self._left_s(call):
                progress.status(f"{step.spec.name} asks to wait {one.retry_after_s:.0f} s")
                await anyio.sleep(one.retry_after_s)
                waited = True
                waiting.append(step)
        return tried

    def _caps(self, request: Request) -> Caps:
        asked = (cap for cap in (self.profile.max_cost, request.max_cost) if cap is not None)
        return Caps(request=min(asked, default=None), day=self.profile.daily_budget, month=self.profile.monthly_budget)

    def _caps_left(self, request: Request, tried: Sequence[Tried]) -> Caps:
        """The caps for one more attempt: what earlier ones cost counts against the cap of the request."""
        caps = self._caps(request)
        spent = sum((one.attempt.cost for one in tried), ZERO)
        return replace(caps, request=None if caps.request is None else caps.request.minus(spent))

    async def _budget(self, request: Request) -> BudgetView:
        return await self.ledger.view(self._caps(request), self.clock.now())

    async def _budget_after(self, call: _Call, routed: _Routed) -> BudgetView:
        """The budget now; where the ledger can no longer be read, an answer is worth more than a fresh figure."""
        try:
            return await self._budget(call.request)
        except StorageError:
            return routed.before

    def _left_s(self, call: _Call) -> float:
        return call.request.deadline_s - (self.clock.monotonic() - call.started)

    def _since_ms(self, call: _Call) -> int:
        return round((self.clock.monotonic() - call.started) * 1000)

    async def _planned(self, call: _Call, decision: Decision) -> Answer:
        return Answer(
            request_id=call.id, status="planned", complexity=call.complexity, reason=decision.reason,
            plan=decision.steps, excluded=decision.excluded, budget=await self._budget(call.request),
            latency_ms=self._since_ms(call),
        )  # fmt: skip

    async def _completed(
        self, call: _Call, routed: _Routed, tried: Sequence[Tried], found: tuple[Tried, Completion]
    ) -> Answer:
        chosen, completion = found
        cost = sum((one.attempt.cost for one in tried), ZERO)
        would_cost = self.attempting.baseline_cost(routed.baseline, completion.usage)
        spec = chosen.step.spec
        return Answer(
            request_id=call.id, status="completed", complexity=call.complexity, reason=routed.decision.reason,
            budget=await self._budget_after(call, routed), text=completion.text, model=spec.name,
            provider=spec.provider.name, local=spec.local,
            escalated=any(one.verdict.escalate for one in tried if one is not chosen),
            plan=routed.decision.steps, excluded=routed.decision.excluded,
            attempts=tuple(one.attempt for one in tried), usage=completion.usage, cost=cost,
            saved=would_cost.minus(cost) if would_cost else ZERO, latency_ms=self._since_ms(call),
        )  # fmt: skip

    async def _from_cache(self, call: _Call, kept: CachedAnswer) -> Answer:
        await self.ledger.record_cached(call.id, kept.model, kept.value, self.clock.now())
        answer = Answer(
            request_id=call.id, status="completed", complexity=call.complexity, reason="the same request was answered "
            f"well by {kept.model} less than a day ago", budget=await self._budget(call.request),
            text=kept.completion.text, model=kept.model, provider=kept.provider, local=kept.local, cached=True,
            usage=kept.completion.usage, saved=kept.value, latency_ms=self._since_ms(call),
        )  # fmt: skip
        self.observer.answered(answer)
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    request: Request
    id: str
    started: float
    complexity: Complexity


@dataclass(frozen=True, slots=True, kw_only=True)
class _Routed:
    """`rungs`: local models by name, the weakest is 0. `baseline`: the model that savings are measured against.

    `before`: the budget as the decision saw it.
    """

    decision: Decision
    rungs: dict[str, int]
    baseline: ModelSpec | None
    before: BudgetView


def _rungs(candidates: Sequence[Candidate]) -> dict[str, int]:
    local = [candidate for candidate in candidates if candidate.spec.local]
    weakest_first = sorted(local, key=lambda candidate: not candidate.last_resort)
    return {candidate.spec.name: rung for rung, candidate in enumerate(weakest_first)}


def _is_worth_keeping(chosen: Tried, tried: Sequence[Tried], preferred: frozenset[str]) -> bool:
    """Whether the same request would be answered so again: a detour on a bad day must not stay for a whole one."""
    as_wished = not preferred or chosen.step.spec.name in preferred
    return chosen.verdict.good and len(tried) == 1 and chosen.step.note is None and as_wished


def _to_keep(answer: Answer, completion: Completion) -> CachedAnswer:
    return CachedAnswer(
        completion=completion, model=answer.model or "", provider=answer.provider or "", local=answer.local,
        value=answer.cost + answer.saved,
    )  # fmt: skip
