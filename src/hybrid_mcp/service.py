"""The one use case, in one straight line: look, remember, decide, try, judge, return."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

import anyio
from anyio.lowlevel import checkpoint

from hybrid_mcp.domain.answer import Answer
from hybrid_mcp.domain.attempts import (
    Tried,
    all_failed,
    answered,
    best,
    broken_off,
    failed,
    is_weaker,
    never_sent,
    told,
)
from hybrid_mcp.domain.budget import FREE, LEASE_GRACE_S, BudgetView, Caps, Hold, Reservation, Settlement
from hybrid_mcp.domain.completion import Completion, Request, Usage
from hybrid_mcp.domain.eligibility import Candidate, Situation
from hybrid_mcp.domain.errors import (
    BudgetExceeded,
    ContextTooLong,
    EgressDenied,
    ProviderError,
    ProviderTimeout,
    StorageError,
)
from hybrid_mcp.domain.judging import believable
from hybrid_mcp.domain.money import ZERO, Usd
from hybrid_mcp.domain.naming import preferred_models
from hybrid_mcp.domain.privacy import stay_local_reason
from hybrid_mcp.domain.profile import ModelSpec, Profile
from hybrid_mcp.domain.routing import Decision, Step, decide, refusal
from hybrid_mcp.domain.scorer import Complexity, score
from hybrid_mcp.domain.whitelist import Whitelist
from hybrid_mcp.ports import (
    Cache,
    CachedAnswer,
    Catalog,
    Clock,
    Ledger,
    Listed,
    Observer,
    PriceBook,
    Progress,
    ProviderCall,
    SecretScanner,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Answers a request with the cheapest model that can do it.

    `scope` goes into the cache's fingerprint: everything of the configuration that can change an answer.
    """

    profile: Profile
    whitelist: Callable[[], Whitelist]
    ledger: Ledger
    catalog: Catalog
    prices: PriceBook
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

        candidates, preferred = await self._candidates(request)
        situation = Situation(
            request=request, complexity=call.complexity, sensitive=sensitive, profile=self.profile,
            whitelist=self.whitelist(), budget=await self._budget(request), preferred=preferred,
        )  # fmt: skip
        decision = decide(situation, candidates)
        if request.dry_run:
            return await self._planned(call, decision)
        if not decision.steps:
            raise refusal(decision)

        routed = _Routed(decision=decision, rungs=_rungs(candidates), baseline=self._baseline(candidates))
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
            terms = _Terms(
                limit_s=left_s / 2 if waiting else left_s, caps=self._caps_left(call.request, tried),
                baseline=routed.baseline,
            )  # fmt: skip
            one = await self._attempt(call, step, terms, progress)
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

    async def _attempt(self, call: _Call, step: Step, terms: _Terms, progress: Progress) -> Tried:
        """Reserve, dispatch, call, settle: whatever happens in between, the reservation is closed."""
        try:
            reservation = await _shielded(self.ledger.reserve(self._hold(call, step, terms.limit_s), terms.caps))
        except BudgetExceeded as error:
            return never_sent(step, "refused", str(error))

        started = self.clock.monotonic()
        watched = _Watched(progress)
        one = never_sent(step, "cancelled")
        try:
            await checkpoint()
            await _shielded(self.ledger.dispatch(reservation))
            one = broken_off(step)
            watched.status(f"asking {step.spec.name}")
            with anyio.fail_after(terms.limit_s):
                completion = await self.catalog.provider(step.spec).complete(_to_send(call.request, step), watched)
            one = answered(
                step,
                completion,
                self._cost(call.request, step, completion),
                asked_tokens=call.request.max_output_tokens,
            )
        except TimeoutError:
            one = failed(step, ProviderTimeout(f"no answer within {terms.limit_s:.0f} s (last: {watched.last})"))
        except (ProviderError, ContextTooLong) as error:
            one = failed(step, error)
        except EgressDenied as error:
            one = failed(step, error)
            raise
        finally:
            one = one.lasting(round((self.clock.monotonic() - started) * 1000))
            one = await _shielded(self._closed(reservation, one, terms.baseline))
        return one

    async def _closed(self, reservation: Reservation, one: Tried, baseline: ModelSpec | None) -> Tried:
        """Close the reservation. Where the ledger cannot, an answer that was paid for is not lost with it."""
        try:
            await self._close(reservation, one, baseline)
        except StorageError as error:
            return replace(one, trouble=f"the ledger keeps the whole reservation, because {error}")
        return one

    async def _close(self, reservation: Reservation, one: Tried, baseline: ModelSpec | None) -> None:
        usage = one.completion.usage if one.completion is not None else None
        settlement = Settlement(
            cost=one.attempt.cost, outcome=one.attempt.outcome, latency_ms=one.attempt.latency_ms,
            input_tokens=usage.input_tokens if usage else 0, output_tokens=usage.output_tokens if usage else 0,
            baseline=self._baseline_cost(baseline, usage),
        )  # fmt: skip
        match one.ending:
            case "void":
                await self.ledger.void(reservation)
            case "settle":
                await self.ledger.settle(reservation, settlement)
            case "forfeit":
                await self.ledger.forfeit(reservation, settlement)

    def _cost(self, request: Request, step: Step, completion: Completion) -> Usd | None:
        if step.spec.local:
            return ZERO
        usage = completion.usage
        if usage is None or not believable(usage, text=completion.text, request_bytes=request.size_bytes):
            return None
        return self.prices.cost(step.spec, usage, self.clock.now())

    def _baseline(self, candidates: Sequence[Candidate]) -> ModelSpec | None:
        """The dearest of the profile's own cloud models, whatever the caller asked for."""
        listed = {str(model) for model in self.profile.rules.cloud_models}
        priced = [one for one in candidates if one.blended_nanos is not None and one.spec.name in listed]
        return max(priced, key=lambda candidate: candidate.blended_nanos or 0).spec if priced else None

    def _baseline_cost(self, baseline: ModelSpec | None, usage: Usage | None) -> Usd | None:
        if baseline is None or usage is None:
            return None
        return self.prices.cost(baseline, usage, self.clock.now())

    async def _candidates(self, request: Request) -> tuple[list[Candidate], frozenset[str]]:
        listed = list(await self.catalog.listed())
        if request.preferred_model is None:
            return [self._candidate(entry, request) for entry in listed], frozenset()
        specs = [entry.spec for entry in listed]
        meant = preferred_models(request.preferred_model, specs, self.profile, self._has_price)
        listed.extend(self.catalog.entry(spec) for spec in meant if spec not in specs)
        return [self._candidate(entry, request) for entry in listed], frozenset(spec.name for spec in meant)

    def _candidate(self, entry: Listed, request: Request) -> Candidate:
        state = Candidate(
            spec=entry.spec, quote=FREE, has_key=entry.has_key, absent=entry.absent, breaker=entry.breaker,
            retry_in_s=entry.retry_in_s, slow=entry.slow, last_resort=entry.last_resort,
        )  # fmt: skip
        if entry.spec.local:
            return state
        now = self.clock.now()
        facts = self.prices.facts(entry.spec, now)
        if facts is None:
            return replace(state, quote=None)
        spec = replace(entry.spec, context_tokens=entry.spec.context_tokens or facts.context_tokens)
        quote = self.prices.quote(spec, _bytes_to_send(request), now, now + timedelta(seconds=request.deadline_s))
        return replace(state, spec=spec, quote=quote, blended_nanos=facts.blended_nanos)

    def _has_price(self, spec: ModelSpec) -> bool:
        return self.prices.facts(spec, self.clock.now()) is not None

    def _hold(self, call: _Call, step: Step, limit_s: float) -> Hold:
        now = self.clock.now()
        return Hold(
            request_id=call.id, model=step.spec.name, source="local" if step.spec.local else "cloud", bound=step.bound,
            created_at=now, expires_at=now + timedelta(seconds=limit_s + LEASE_GRACE_S),
        )  # fmt: skip

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
        would_cost = self._baseline_cost(routed.baseline, completion.usage)
        spec = chosen.step.spec
        return Answer(
            request_id=call.id, status="completed", complexity=call.complexity, reason=routed.decision.reason,
            budget=await self._budget(call.request), text=completion.text, model=spec.name,
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
    """`rungs`: local models by name, the weakest is 0. `baseline`: the model that savings are measured against."""

    decision: Decision
    rungs: dict[str, int]
    baseline: ModelSpec | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """What one attempt may take."""

    limit_s: float
    caps: Caps
    baseline: ModelSpec | None


class _Watched:
    """Passes progress on and remembers the last words, so that a time-out can say what was being waited for."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.last = "nothing"

    def delta(self, text: str) -> None:
        self.last = "the answer was being written"
        self._progress.delta(text)

    def status(self, text: str) -> None:
        self.last = text
        self._progress.status(text)


_T = TypeVar("_T")


async def _shielded(work: Awaitable[_T]) -> _T:
    """The result of a step that must not be torn apart: a cancellation is felt after it."""
    done: list[_T] = []
    with anyio.CancelScope(shield=True):
        done.append(await work)
    return done[0]


def _to_send(request: Request, step: Step) -> ProviderCall:
    messages = request.messages(step_by_step=step.step_by_step)
    return ProviderCall(model=step.spec.model, messages=messages, max_output_tokens=step.output_cap)


def _bytes_to_send(request: Request) -> int:
    return sum(len(message.content.encode()) for message in request.messages(step_by_step=True))


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
