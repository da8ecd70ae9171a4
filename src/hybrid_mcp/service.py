"""The one use case, in one straight line: look, remember, decide, try, judge, return."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import anyio
from anyio import to_thread

from hybrid_mcp.attempting import Attempting, Terms
from hybrid_mcp.candidates import Candidates
from hybrid_mcp.discretion import Discretion
from hybrid_mcp.domain.answer import Answer
from hybrid_mcp.domain.attempts import (
    Tried,
    best,
    best_begun,
    is_held_up,
    is_weaker,
    next_repair,
    no_answer,
    not_tried,
    sent,
    told,
)
from hybrid_mcp.domain.budget import Account, BudgetView
from hybrid_mcp.domain.completion import Completion, Request
from hybrid_mcp.domain.eligibility import Candidate, Situation
from hybrid_mcp.domain.errors import StorageError
from hybrid_mcp.domain.money import ZERO
from hybrid_mcp.domain.profile import ModelSpec, Profile
from hybrid_mcp.domain.redaction import Outgoing
from hybrid_mcp.domain.reservation import Free, Settlement
from hybrid_mcp.domain.routing import Decision, decide, is_premium
from hybrid_mcp.domain.scorer import Complexity
from hybrid_mcp.domain.whitelist import Whitelist
from hybrid_mcp.experience import Experience
from hybrid_mcp.ports import (
    Cache,
    CachedAnswer,
    Clock,
    Ledger,
    Observer,
    Progress,
)
from hybrid_mcp.purse import Purse
from hybrid_mcp.second_look import SecondLook
from hybrid_mcp.structured import check_schema

HELD_UP_S = 0.2
"""So often is looked whether calls under way have freed money, in seconds; a look costs about a millisecond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Answers a request with the cheapest model that can do it.

    `scope` goes into the cache's fingerprint: everything of the configuration that can change an answer.
    """

    profile: Profile
    whitelist: Callable[[], Whitelist]
    candidates: Candidates
    attempting: Attempting
    second_look: SecondLook
    purse: Purse
    ledger: Ledger
    cache: Cache
    discretion: Discretion
    experience: Experience
    observer: Observer
    clock: Clock
    new_id: Callable[[], str]
    scope: str = ""

    async def complete(
        self, request: Request, progress: Progress, account: Account, request_id: str | None = None,
        attempt_s: float = math.inf,
    ) -> Answer:  # fmt: skip
        """The answer, or the plan alone for a `dry_run`.

        `request_id`: None for a new one. `attempt_s`: the seconds that one model has while another could be asked, also
        where half of what is left of the deadline is more.

        Raises:
            HybridError: no model may run, or every one failed; the message holds every reason and what to do.
        """
        call = _Call(
            request=request, id=request_id or self.new_id(), account=account, started=self.clock.monotonic(),
            complexity=await self.experience.score(request), attempt_s=attempt_s,
        )  # fmt: skip
        if request.response_schema:
            await to_thread.run_sync(check_schema, request.response_schema)
        look = self.discretion.look(request)

        fingerprint = request.fingerprint(self.scope)
        if not request.dry_run and request.is_repeatable and (kept := await self.cache.get(fingerprint)) is not None:
            return await self._from_cache(call, kept)

        candidates, preferred = await self.candidates.of(request, look.outgoing.request)
        situation = Situation(
            request=request, complexity=call.complexity, sensitive=look.sensitive, profile=self.profile,
            whitelist=self.whitelist(), budget=await self.purse.view(request, account), preferred=preferred,
        )  # fmt: skip
        decision = decide(situation, candidates)
        if request.dry_run:
            return await self._planned(call, decision)

        routed = _Routed(
            decision=decision, outgoing=look.outgoing, budget=situation.budget, rungs=_rungs(candidates),
            baseline=self.candidates.baseline(),
        )  # fmt: skip
        tried = await self._try_in_order(call, routed, (), progress)
        while is_held_up(routed.decision, tried) and await self._waited_for_money(call, progress):
            situation = replace(situation, budget=await self.purse.view(request, account))
            decision = decide(situation, not_tried(candidates, tried))
            routed = replace(routed, decision=decision, budget=situation.budget)
            tried = await self._try_in_order(call, routed, sent(tried), progress)
        routed = replace(routed, budget=await self.purse.view_after(request, account, routed.budget))
        alerts = await self.purse.alerts(tried, routed.budget)
        found = best(tried) or best_begun(tried)
        if found is None:
            raise no_answer(routed.decision, tried, request.deadline_s, alerts)

        chosen, completion = found
        why = partial(told, routed.decision, tried, chosen, preferred, look.outgoing.note)
        answer = replace(
            self._completed(call, routed, tried, found), reason=why(), gist=why(beside_attempts=True), alerts=alerts
        )
        if request.is_repeatable and _is_worth_keeping(chosen, tried, preferred):
            await self.cache.put(fingerprint, _to_keep(answer, completion))
        await self.experience.remember(
            call.id, request, call.complexity, tried,
            premium=is_premium(chosen.step.spec.name, candidates, routed.decision), client=account.client,
        )  # fmt: skip
        self.observer.answered(answer)
        return answer

    async def _try_in_order(
        self, call: _Call, routed: _Routed, before: Sequence[Tried], progress: Progress
    ) -> list[Tried]:
        """Try the steps until an answer is good enough; nobody weaker is asked after an answer was doubted."""
        tried = list(before)
        waiting = list(routed.decision.steps)
        waited = False
        while waiting and (left_s := self._left_s(call)) > 0:
            step = waiting.pop(0)
            if is_weaker(step, tried, routed.rungs):
                continue
            terms = Terms(
                request=call.request, score=call.complexity.unlearned / 100, outgoing=routed.outgoing,
                request_id=call.id, account=call.account,
                limit_s=min(left_s / 2, call.attempt_s) if waiting else left_s,
                caps=self.purse.caps_left(call.request, tried), baseline=routed.baseline,
            )  # fmt: skip
            one = await self.attempting.attempt(step, terms, progress)
            if any(not is_weaker(other, (*tried, one), routed.rungs) for other in waiting):
                one = await self.second_look.at(one, replace(terms, limit_s=self._left_s(call)), progress)
            tried.append(one)
            self.observer.attempted(call.id, one.attempt)
            if one.completion is not None and not one.verdict.escalate:
                break
            if (repair := next_repair(step, one)) is not None:
                waiting.insert(0, self.candidates.mended(step, repair, routed.outgoing.request))
            if not waiting and not waited and one.retry_after_s is not None and one.retry_after_s < self._left_s(call):
                progress.status(f"{step.spec.name} asks to wait {one.retry_after_s:.0f} s")
                await anyio.sleep(one.retry_after_s)
                waited = True
                waiting.append(step)
        return tried

    async def _waited_for_money(self, call: _Call, progress: Progress) -> bool:
        """Wait a moment for calls under way to free what they do not need; False where no time is left for it."""
        if self._left_s(call) <= HELD_UP_S:
            return False
        progress.status("waiting for money that other calls have set aside")
        await anyio.sleep(HELD_UP_S)
        return True

    def _left_s(self, call: _Call) -> float:
        return call.request.deadline_s - (self.clock.monotonic() - call.started)

    def _since_ms(self, call: _Call) -> int:
        return round((self.clock.monotonic() - call.started) * 1000)

    async def _planned(self, call: _Call, decision: Decision) -> Answer:
        return Answer(
            request_id=call.id, status="planned", complexity=call.complexity, reason=decision.reason,
            plan=decision.steps, excluded=decision.excluded, budget=await self.purse.view(call.request, call.account),
            latency_ms=self._since_ms(call),
        )  # fmt: skip

    def _completed(
        self, call: _Call, routed: _Routed, tried: Sequence[Tried], found: tuple[Tried, Completion]
    ) -> Answer:
        chosen, completion = found
        cost = sum((one.attempt.cost for one in tried), ZERO)
        would_cost = self.attempting.baseline_cost(routed.baseline, completion.usage)
        spec = chosen.step.spec
        return Answer(
            request_id=call.id, status="completed", complexity=call.complexity, reason=routed.decision.reason,
            budget=routed.budget, text=completion.text, reasoning=completion.reasoning,
            model=spec.name, provider=spec.provider.name, local=spec.local,
            escalated=any(one.verdict.escalate for one in tried if one.attempt.model != chosen.attempt.model),
            plan=routed.decision.steps, excluded=routed.decision.excluded,
            attempts=tuple(one.attempt for one in tried), usage=completion.usage, cost=cost,
            judged="good" if chosen.verdict.good else "doubtful", judging_ms=sum(one.judging_ms for one in tried),
            saved=would_cost.minus(cost) if would_cost else ZERO, latency_ms=self._since_ms(call),
        )  # fmt: skip

    async def _from_cache(self, call: _Call, kept: CachedAnswer) -> Answer:
        await self._count_cached(call, kept)
        answer = Answer(
            request_id=call.id, status="completed", complexity=call.complexity, reason="the same request was answered "
            f"well by {kept.model} less than a day ago", budget=await self.purse.view(call.request, call.account),
            text=kept.completion.text, reasoning=kept.completion.reasoning, model=kept.model, provider=kept.provider,
            local=kept.local, cached=True, judged="good", usage=kept.completion.usage, saved=kept.value,
            latency_ms=self._since_ms(call),
        )  # fmt: skip
        self.observer.answered(answer)
        return answer

    async def _count_cached(self, call: _Call, kept: CachedAnswer) -> None:
        ending = Settlement(cost=ZERO, input_tokens=0, output_tokens=0, latency_ms=0, outcome="ok", baseline=kept.value)
        free = Free(request_id=call.id, model=kept.model, source="cache", settlement=ending, account=call.account)
        # An answer that is there is worth more than its line in a report.
        with suppress(StorageError):
            await self.ledger.record(free)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    request: Request
    id: str
    account: Account
    started: float
    complexity: Complexity
    attempt_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Routed:
    """`budget`: as last seen. `rungs`: local models by name, the weakest is 0.

    `baseline`: the model that savings are measured against.
    """

    decision: Decision
    outgoing: Outgoing
    budget: BudgetView
    rungs: dict[str, int]
    baseline: ModelSpec | None


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
