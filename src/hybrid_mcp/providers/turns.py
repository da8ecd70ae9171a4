"""Who may ask a provider now: how many of its calls run at once, and who is next."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

import anyio
from anyio.lowlevel import checkpoint

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
        self._places: dict[str, _Places] = {}

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
        await places.enter(progress)
        try:
            self._breakers.check(spec.name)
            yield
        finally:
            places.leave()

    def _places_of(self, spec: ProviderSpec) -> _Places:
        if spec.name not in self._places:
            limit = spec.concurrency or (LOCAL_CONCURRENCY if spec.local else CLOUD_CONCURRENCY)
            self._places[spec.name] = _Places(spec.name, limit)
        return self._places[spec.name]


class _Waiting:
    """One caller in the queue. `granted`: a place is his."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.granted = anyio.Event()


class _Places:
    """So many places of one provider. Each who waits is told how many are before him, again whenever that changes."""

    def __init__(self, name: str, limit: int) -> None:
        self._name = name
        self._limit = limit
        self._running = 0
        self._queue: deque[_Waiting] = deque()

    async def enter(self, progress: Progress) -> None:
        """Take a place, or wait for one. Whoever gives up has left the queue when this returns."""
        await checkpoint()
        if self._running < self._limit:
            self._running += 1
            return
        one = _Waiting(progress)
        self._queue.append(one)
        self._tell(one, before=len(self._queue) - 1)
        try:
            await one.granted.wait()
        except anyio.get_cancelled_exc_class():
            if one.granted.is_set():
                self.leave()
            else:
                self._forget(one)
            raise

    def leave(self) -> None:
        """Hand the place over to whoever has waited longest."""
        if not self._queue:
            self._running -= 1
            return
        self._queue.popleft().granted.set()
        self._tell_from(0)

    def _forget(self, one: _Waiting) -> None:
        position = self._queue.index(one)
        del self._queue[position]
        self._tell_from(position)

    def _tell_from(self, position: int) -> None:
        for before, one in enumerate(self._queue):
            if before >= position:
                self._tell(one, before=before)

    def _tell(self, one: _Waiting, *, before: int) -> None:
        there = "1 request runs there" if self._running == 1 else f"{self._running} requests run there"
        waits = "1 waits" if before == 1 else f"{before} wait"
        ahead = f"{waits} before this one" if before else "this one is next"
        one.progress.status(f"waiting for {self._name}: {there}, {ahead}")
