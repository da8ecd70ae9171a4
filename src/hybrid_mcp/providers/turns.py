"""Who may ask a provider now: how many of its calls run at once, and who is next."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

import anyio

from hybrid_mcp.domain.profile import ModelSpec, ProviderSpec
from hybrid_mcp.ports import Progress
from hybrid_mcp.providers.guarded import Breakers

LOCAL_CONCURRENCY = 2
"""A local model shares one processor: more answers at once make all of them slow."""
CLOUD_CONCURRENCY = 32


class Turns:
    """The places of each provider by name, shared by all callers of one process; whoever asks first is first."""

    def __init__(self, breakers: Breakers) -> None:
        self._breakers = breakers
        self._places: dict[str, anyio.CapacityLimiter] = {}

    def turn(self, spec: ModelSpec, progress: Progress) -> AbstractAsyncContextManager[None]:
        """A place for one call. The embedded provider queues its callers itself.

        Raises:
            ProviderUnavailable: on entering, before or after the wait: the model is left alone; nothing was sent.
        """
        return nullcontext() if spec.provider.kind == "embedded" else self._place(spec, progress)

    @asynccontextmanager
    async def _place(self, spec: ModelSpec, progress: Progress) -> AsyncGenerator[None]:
        places = self._places_of(spec.provider)
        self._breakers.check(spec.name)
        if places.available_tokens < 1:
            progress.status(f"waiting for {spec.provider.name}: {places.borrowed_tokens} requests are running there")
        async with places:
            self._breakers.check(spec.name)
            yield

    def _places_of(self, spec: ProviderSpec) -> anyio.CapacityLimiter:
        if spec.name not in self._places:
            self._places[spec.name] = anyio.CapacityLimiter(LOCAL_CONCURRENCY if spec.local else CLOUD_CONCURRENCY)
        return self._places[spec.name]
