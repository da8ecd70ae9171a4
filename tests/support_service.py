"""A service on the in-memory ledger, with scripted models in place of real ones and a clock that stands still."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from hybrid_mcp.attempting import Attempting
from hybrid_mcp.candidates import Candidates
from hybrid_mcp.discretion import Discretion
from hybrid_mcp.domain.answer import Answer, Attempt
from hybrid_mcp.domain.budget import Account, Quote
from hybrid_mcp.domain.completion import Completion, Request, Usage
from hybrid_mcp.domain.detectors import PatternScanner
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.profile import ModelName, ModelSpec, Profile, ProviderSpec, RoutingRules
from hybrid_mcp.experience import Experience
from hybrid_mcp.ports import Listed, ModelFacts, Outcomes, Progress, ProviderCall
from hybrid_mcp.purse import Purse
from hybrid_mcp.second_look import SecondLook
from hybrid_mcp.service import Service
from hybrid_mcp.storage.memory import MemoryCache, MemoryLedger
from tests.support_outcomes import Forgetful
from tests.support_routing import CLOUD, HERE, WHITELIST

NANOS_PER_TOKEN = 1_000_000
"""A tenth of a cent a token, in and out, for every cloud model of these tests."""

ME = Account(client="client-1", project="project-1")

Behaviour = Callable[[ProviderCall, Progress], Awaitable[Completion]]


@dataclass(slots=True)
class StillClock:
    """Moves only when told to."""

    time: datetime = datetime(2026, 11, 20, 12, tzinfo=UTC)
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.time + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


@dataclass(slots=True)
class Notes:
    """Implements `Progress` and `Observer` by writing down what it is told."""

    deltas: list[str] = field(default_factory=list[str])
    asides: list[str] = field(default_factory=list[str])
    words: list[str] = field(default_factory=list[str])
    attempts: list[Attempt] = field(default_factory=list[Attempt])
    answers: list[Answer] = field(default_factory=list[Answer])
    alerts: list[str] = field(default_factory=list[str])

    def asking(self, model: str) -> None:
        assert model

    def delta(self, text: str) -> None:
        self.deltas.append(text)

    def aside(self, text: str) -> None:
        self.asides.append(text)

    def told(self, usage: Usage) -> None:
        pass

    def status(self, text: str) -> None:
        self.words.append(text)

    def attempted(self, request_id: str, attempt: Attempt) -> None:
        assert request_id
        self.attempts.append(attempt)

    def answered(self, answer: Answer) -> None:
        self.answers.append(answer)

    def alerted(self, alert: str) -> None:
        self.alerts.append(alert)


def says(text: str, *, tokens: tuple[int, int] = (10, 5), **changes: object) -> Completion:
    usage = Usage(input_tokens=tokens[0], output_tokens=tokens[1])
    return replace(Completion(text=text, finish="stop", usage=usage), **changes)  # pyright: ignore[reportArgumentType]


@dataclass(slots=True)
class Scripted:
    """Implements `Provider`: for each model a list of what happens at each call, the last one for ever."""

    script: dict[str, list[Completion | Exception | Behaviour]]
    calls: list[ProviderCall] = field(default_factory=list[ProviderCall])

    async def complete(self, call: ProviderCall, progress: Progress) -> Completion:
        self.calls.append(call)
        steps = self.script[call.model]
        step = steps.pop(0) if len(steps) > 1 else steps[0]
        if isinstance(step, Exception):
            raise step
        if isinstance(step, Completion):
            progress.delta(step.text)
            return step
        return await step(call, progress)

    async def models(self) -> Sequence[ModelSpec]:
        return []

    async def aclose(self) -> None:
        pass

    @property
    def called(self) -> list[str]:
        return [call.model for call in self.calls]


@dataclass(frozen=True, slots=True)
class FixedCatalog:
    entries: Sequence[Listed]
    scripted: Scripted

    async def listed(self, patience_s: float = math.inf) -> Sequence[Listed]:
        assert patience_s > 0
        return self.entries

    def entry(self, spec: ModelSpec) -> Listed:
        return Listed(spec=spec)

    def provider(self, spec: ModelSpec) -> Scripted:
        assert spec.name
        return self.scripted

    def turn(self, spec: ModelSpec, progress: Progress) -> AbstractAsyncContextManager[None]:
        assert spec.name, progress
        return nullcontext()


class FlatPrices:
    """Implements `PriceBook` with one price for all, and none for a model called `unknown`."""

    def quote(self, model: ModelSpec, request_bytes: int, start: datetime, end: datetime) -> Quote | None:
        assert start < end
        return Quote(input=Usd(request_bytes * NANOS_PER_TOKEN), output_token_nanos=NANOS_PER_TOKEN)

    def cost(self, model: ModelSpec, usage: Usage, at: datetime) -> Usd | None:
        assert at.tzinfo is not None
        return Usd((usage.input_tokens + usage.output_tokens) * NANOS_PER_TOKEN)

    def facts(self, model: ModelSpec, at: datetime) -> ModelFacts | None:
        if model.model.startswith("unknown"):
            return None
        return ModelFacts(context_tokens=100_000, blended_nanos=4 * NANOS_PER_TOKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    service: Service
    scripted: Scripted
    ledger: MemoryLedger
    clock: StillClock
    notes: Notes

    async def complete(self, request: Request, notes: Notes | None = None) -> Answer:
        return await self.service.complete(request, notes or self.notes, ME)


def bench(
    *, local: Sequence[str] = (), cloud: Sequence[str] = (), profile: Profile | None = None,
    confidence: float | None = None, judge: str | None = None, outcomes: Outcomes | None = None,
    **script: list[Completion | Exception | Behaviour],
) -> Bench:  # fmt: skip
    """Local models from fast to best, cloud models in profile order, and for each what it does.

    `judge`: a local model that judges the others, and does what `judge_` says.
    """
    script = {name.rstrip("_"): steps for name, steps in script.items()}
    clock, notes, scripted = StillClock(), Notes(), Scripted(script)
    entries = [_listed(HERE, name, confidence) for name in local] + [_listed(CLOUD, name, None) for name in cloud]
    ledger, ids = MemoryLedger(clock), count(1)
    names = tuple(ModelName(provider="cloud", model=name) for name in cloud)
    rules = RoutingRules(threshold=0, always_try_local_first=bool(local), cloud_models=names)
    default = Profile(name="t", monthly_budget=Usd.limit(50), rules=rules, providers=(HERE, CLOUD))
    chosen, catalog, prices = profile or default, FixedCatalog(entries, scripted), FlatPrices()
    service = Service(
        profile=chosen, whitelist=lambda: WHITELIST, ledger=ledger, cache=MemoryCache(clock),
        candidates=Candidates(profile=chosen, catalog=catalog, prices=prices, clock=clock),
        purse=Purse(profile=chosen, ledger=ledger, observer=notes, clock=clock),
        attempting=Attempting(ledger=ledger, catalog=catalog, prices=prices, clock=clock),
        second_look=SecondLook(
            catalog=catalog, clock=clock, judge=ModelSpec(provider=HERE, model=judge) if judge else None
        ),
        discretion=Discretion(profile=chosen, scanner=PatternScanner()),
        experience=Experience(outcomes or Forgetful(), observer=notes, clock=clock),
        observer=notes, clock=clock, new_id=lambda: f"r{next(ids)}",
    )  # fmt: skip
    return Bench(service=service, scripted=scripted, ledger=ledger, clock=clock, notes=notes)


def _listed(provider: ProviderSpec, name: str, confidence: float | None) -> Listed:
    return Listed(spec=ModelSpec(provider=provider, model=name, confidence_floor=confidence))
