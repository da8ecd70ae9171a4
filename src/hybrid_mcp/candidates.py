"""The catalog's models as candidates for one request: with a price bound, and with what the caller prefers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from hybrid_mcp.domain.budget import FREE, Quote
from hybrid_mcp.domain.completion import Message, Request, largest_bytes
from hybrid_mcp.domain.eligibility import Candidate
from hybrid_mcp.domain.naming import preferred_models
from hybrid_mcp.domain.profile import ModelSpec, Profile
from hybrid_mcp.domain.routing import Repair, Step
from hybrid_mcp.ports import Catalog, Clock, Listed, PriceBook

CLOCK_ERROR = timedelta(hours=1)
"""This clock and the one by which a provider changes its prices may differ by so much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    profile: Profile
    catalog: Catalog
    prices: PriceBook
    clock: Clock

    async def of(self, request: Request, outgoing: Request) -> tuple[list[Candidate], frozenset[str]]:
        """All candidates in profile order, and the names of those that the caller prefers.

        `outgoing`: the request as models elsewhere see it, for their price bounds.

        Raises:
            InvalidRequest: nothing knows the preferred model.
        """
        listed = list(await self.catalog.listed(request.deadline_s / 4))
        size = _bytes_to_send(outgoing)
        if request.preferred_model is None:
            return [self._candidate(entry, request, size) for entry in listed], frozenset()
        specs = [entry.spec for entry in listed]
        meant = preferred_models(request.preferred_model, specs, self.profile, self._has_price)
        listed.extend(self.catalog.entry(spec) for spec in meant if spec not in specs)
        return [self._candidate(entry, request, size) for entry in listed], frozenset(spec.name for spec in meant)

    def mended(self, step: Step, repair: Repair, outgoing: Request) -> Step:
        """The same model once more, asked to mend its answer, at the price bound of the longer chat."""
        step = replace(step, repair=repair)
        if step.spec.local:
            return step
        quote = self._quote(step.spec, _bytes_to_send(outgoing, repair.messages()), outgoing.deadline_s)
        return step if quote is None else replace(step, quote=quote, bound=quote.bound(step.output_cap))

    def baseline(self) -> ModelSpec | None:
        """What savings are measured against: the dearest of the profile's own cloud models, whatever a caller asks."""
        now, dearest, found = self.clock.now(), -1, None
        for listed in self.profile.rules.cloud_models:
            provider = self.profile.provider(listed.provider)
            spec = None if provider is None else ModelSpec(provider=provider, model=listed.model)
            facts = None if spec is None or spec.local else self.prices.facts(spec, now)
            if facts is not None and facts.blended_nanos > dearest:
                dearest, found = facts.blended_nanos, spec
        return found

    def _candidate(self, entry: Listed, request: Request, size_bytes: int) -> Candidate:
        state = Candidate(
            spec=entry.spec, quote=FREE, has_key=entry.has_key, absent=entry.absent, breaker=entry.breaker,
            retry_in_s=entry.retry_in_s, slow=entry.slow, last_resort=entry.last_resort, loaded=entry.loaded,
            split=entry.split, memory_bytes=entry.memory_bytes,
        )  # fmt: skip
        if entry.spec.local:
            return state
        now = self.clock.now()
        facts = self.prices.facts(entry.spec, now)
        if facts is None:
            return replace(state, quote=None)
        spec = replace(entry.spec, context_tokens=entry.spec.context_tokens or facts.context_tokens)
        quote = self._quote(spec, size_bytes, request.deadline_s)
        return replace(state, spec=spec, quote=quote, blended_nanos=facts.blended_nanos)

    def _quote(self, spec: ModelSpec, size_bytes: int, deadline_s: float) -> Quote | None:
        now = self.clock.now()
        until = now + timedelta(seconds=deadline_s)
        return self.prices.quote(spec, size_bytes, now - CLOCK_ERROR, until + CLOCK_ERROR)

    def _has_price(self, spec: ModelSpec) -> bool:
        return self.prices.facts(spec, self.clock.now()) is not None


def _bytes_to_send(request: Request, more: Sequence[Message] = ()) -> int:
    """A schema counts twice: it stands in the messages, and a server that is held to it reads it once more."""
    contents = (message.content for message in (*request.messages(step_by_step=True), *more))
    return largest_bytes((*contents, request.response_schema))
