"""Which models there are now: the profile's list, and what is found on this machine."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

import anyio

from hybrid_mcp.domain.memory import is_split
from hybrid_mcp.domain.profile import ModelName, ModelSpec, Profile, ProviderSpec
from hybrid_mcp.ports import Clock, Listed, Progress, Provider
from hybrid_mcp.providers.discovery import HERE_S, discover, size_key
from hybrid_mcp.providers.guarded import Breakers
from hybrid_mcp.providers.turns import Turns

FOUND_FOR_S = 10.0
"""What was found on this machine is believed for so long, in seconds: a server that was just started is soon seen."""


@runtime_checkable
class _KnowsItsAbsence(Protocol):
    """The embedded provider: it may have no wheel on this platform, or no file while airgap is on."""

    def unavailable_reason(self) -> str | None: ...


@dataclass(slots=True, kw_only=True)
class ProfileCatalog:
    """Implements `Catalog`. Providers are opened when first needed and closed together.

    `has_key`: a provider has what it needs. `answers`: a local server is there. `ollama_model` keeps
    Ollama to one model. `machine_bytes`: the memory of this machine, None where unknown. `thresholds`: of confidence,
    as they were calibrated, by the names of models; they go before what a provider knows of its model.
    """

    profile: Profile
    has_key: Callable[[ProviderSpec], bool]
    answers: Callable[[ProviderSpec], Awaitable[bool]]
    open_provider: Callable[[ProviderSpec], Provider]
    breakers: Breakers
    clock: Clock
    ollama_model: str | None = None
    machine_bytes: int | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict[str, float])
    _opened: dict[str, Provider] = field(default_factory=dict[str, Provider])
    _found: tuple[ModelSpec, ...] = ()
    _found_at: float | None = None
    _looking: anyio.Lock = field(default_factory=anyio.Lock)
    _turns: Turns = field(init=False)

    def __post_init__(self) -> None:
        self._turns = Turns(self.breakers)

    async def listed(self, patience_s: float = math.inf) -> Sequence[Listed]:
        """Local models from fast to best, then the profile's cloud models in its order."""
        rules = self.profile.rules
        found = await self._found_now(patience_s)
        if rules.local_models:
            local = [self._entry(_as_listed(self._named(name), found)) for name in rules.local_models]
        else:
            local = [self._discovered(spec) for spec in [*self._absent_embedded(found), *found]]
        return [*local, *(self._entry(self._named(name)) for name in rules.cloud_models)]

    def _absent_embedded(self, found: Sequence[ModelSpec]) -> list[ModelSpec]:
        """The embedded model where it cannot run now, so that a caller is told why."""
        here = {spec.provider.name for spec in found}
        missing = [one for one in self.profile.providers if one.kind == "embedded" and one.name not in here]
        return [ModelSpec(provider=one, model=one.default_model or one.name) for one in missing]

    def _discovered(self, spec: ModelSpec) -> Listed:
        entry = self._entry(spec)
        return replace(entry, last_resort=True) if spec.provider.kind == "embedded" else entry

    def entry(self, spec: ModelSpec) -> Listed:
        """The state of a model that the profile does not list."""
        return self._entry(spec)

    def provider(self, spec: ModelSpec) -> Provider:
        return self.provider_of(spec.provider)

    def turn(self, spec: ModelSpec, progress: Progress) -> AbstractAsyncContextManager[None]:
        """A place among the calls that its provider serves at once; waits for it, and says so.

        Raises:
            ProviderUnavailable: on entering: the model is left alone after failures; nothing was sent.
        """
        return self._turns.turn(spec, progress)

    def provider_of(self, spec: ProviderSpec) -> Provider:
        if spec.name not in self._opened:
            self._opened[spec.name] = self.open_provider(spec)
        return self._opened[spec.name]

    async def aclose(self) -> None:
        for provider in self._opened.values():
            await provider.aclose()
        self._opened.clear()

    async def _found_now(self, patience_s: float) -> tuple[ModelSpec, ...]:
        async with self._looking:
            now = self.clock.monotonic()
            if self._found_at is None or now - self._found_at > FOUND_FOR_S:
                self._found = tuple(sorted(await self._look(patience_s), key=size_key))
                # Who had less patience than a server may need has not found that it is absent.
                self._found_at = now if patience_s >= HERE_S else None
        return self._found

    async def _look(self, patience_s: float) -> list[ModelSpec]:
        names = {model.provider for model in self.profile.rules.local_models}
        local = [spec for spec in self.profile.providers if spec.local and (not names or spec.name in names)]
        over_http = [spec for spec in local if spec.kind != "embedded"]
        found = await discover(over_http, self.answers, self.provider_of, patience_s)
        for spec in local:
            if spec.kind == "embedded":
                found.extend(await self.provider_of(spec).models())
        return [spec for spec in found if self._wanted(spec)]

    def _wanted(self, spec: ModelSpec) -> bool:
        only = self.ollama_model
        return only is None or spec.provider.kind != "ollama" or spec.model in {only, f"{only}:latest"}

    def _named(self, name: ModelName) -> ModelSpec:
        provider = self.profile.provider(name.provider)
        if provider is None:
            raise LookupError(f"the profile lists {name} without its provider")
        return ModelSpec(provider=provider, model=name.model, tier=name.tier, context_tokens=provider.context_tokens)

    def _entry(self, spec: ModelSpec) -> Listed:
        spec = replace(spec, confidence_floor=self.thresholds.get(spec.name, spec.confidence_floor))
        health = self.breakers.health(spec.name)
        provider = self._opened.get(spec.provider.name)
        absent = provider.unavailable_reason() if isinstance(provider, _KnowsItsAbsence) else None
        return Listed(
            spec=spec,
            has_key=self.has_key(spec.provider),
            absent=absent,
            breaker=health.state,
            retry_in_s=health.retry_in_s,
            slow=health.slow,
            loaded=spec.resident is not None,
            split=is_split(spec.resident),
            memory_bytes=self._memory_for(spec),
        )

    def _memory_for(self, spec: ModelSpec) -> int | None:
        """What the owner declares holds always. This machine's own memory is a guess: graphics cards may have more, and
        a model that is loaded has shown that it fits."""
        provider = spec.provider
        if provider.memory_bytes is not None:
            return provider.memory_bytes
        here = provider.local and provider.loopback
        return self.machine_bytes if here and spec.resident is None else None


def _as_listed(spec: ModelSpec, found: Sequence[ModelSpec]) -> ModelSpec:
    """The listed model with what its server tells of it, where it is found."""
    names = {spec.name, f"{spec.name}:latest"}
    return next((replace(known, model=spec.model, tier=spec.tier) for known in found if known.name in names), spec)
