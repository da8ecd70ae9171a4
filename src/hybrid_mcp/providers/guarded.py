"""A breaker and a memory of latencies around any provider."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Protocol

import anyio

from hybrid_mcp.domain.breaker import (
    CLOSED,
    LATENCY_HISTORY,
    Breaker,
    Failed,
    Health,
    Opening,
    Outcome,
    Policy,
    admit,
    is_slow,
    retry_in_s,
    settle,
    state,
)
from hybrid_mcp.domain.completion import Completion, Usage
from hybrid_mcp.domain.errors import HybridError, ProviderRateLimited, ProviderTimeout, ProviderUnavailable
from hybrid_mcp.domain.profile import ModelSpec, ProviderSpec
from hybrid_mcp.ports import Clock, Progress, Provider, ProviderCall

SILENCE_S = 10.0
"""A healthy model is often silent for some seconds, while it reads the prompt or thinks: a caller who gives it less
says nothing about it."""


class Openings(Protocol):
    """The open breakers of all processes by the name of the model. Neither method raises: it is only advice."""

    def read(self) -> Mapping[str, Opening]:
        """Those that are still in force."""
        ...

    def tell(self, name: str, opening: Opening | None) -> None:
        """Let the others know that one opened, or with None that it closed."""
        ...


class Breakers:
    """The breakers of all models by name (`provider:model`), shared by all callers of one process.

    `shared`: the open ones of other processes are taken over when a breaker is first looked at; what opens or closes
    here is told there.
    """

    def __init__(
        self, *, clock: Clock, threshold: int = 3, recovery_s: float = 60.0, shared: Openings | None = None
    ) -> None:
        self._clock = clock
        self._policy = Policy(threshold=threshold, recovery_s=recovery_s)
        self._shared = shared
        self._known: dict[str, Breaker] | None = None
        self._latencies: dict[str, deque[float]] = {}

    def health(self, name: str) -> Health:
        breaker, now = self._breakers.get(name, CLOSED), self._clock.monotonic()
        stands = state(breaker, now)
        return Health(
            state=stands,
            slow=is_slow(tuple(self._latencies.get(name, ()))),
            retry_in_s=retry_in_s(breaker, now),
            failures=0 if stands == "closed" else breaker.failures,
            asked_to_wait=stands == "open" and breaker.failures < self._policy.threshold,
        )

    def troubled(self) -> Mapping[str, Health]:
        """The models that are left alone, on probation or slow, by name."""
        names = sorted({*self._breakers, *self._latencies})
        return {name: health for name in names if (health := self.health(name)).troubled}

    def check(self, name: str) -> Breaker:
        """The breaker as it will be when an attempt is made now.

        Raises:
            ProviderUnavailable: it is open, or its one probe is under way; nothing was sent.
        """
        breaker, now = self._breakers.get(name, CLOSED), self._clock.monotonic()
        admitted, wait_s = admit(breaker, now), retry_in_s(breaker, now)
        if admitted is not None:
            return admitted
        if wait_s > 0:
            raise ProviderUnavailable(
                f"{name} failed several times or asked to wait; it is tried again in {math.ceil(wait_s):,} s",
                billed=False,
            )
        raise ProviderUnavailable(
            f"{name} failed several times; one request is trying it now, others are not sent", billed=False
        )

    def admit(self, name: str) -> int:
        """Count an attempt in; the result goes back into `settle`.

        Raises:
            ProviderUnavailable: the breaker is open, or its one probe is under way; nothing was sent.
        """
        admitted = self.check(name)
        self._breakers[name] = admitted
        return admitted.generation

    def settle(self, name: str, admission: int, outcome: Outcome) -> None:
        before = self._breakers.get(name, CLOSED)
        after = settle(before, admission, outcome, self._clock.monotonic(), self._policy)
        self._breakers[name] = after
        if after.open_until != before.open_until:
            self._tell(name, after)

    def took(self, name: str, latency_s: float) -> None:
        """Remember the seconds until the first piece of a good answer."""
        self._latencies.setdefault(name, deque(maxlen=LATENCY_HISTORY)).append(latency_s)

    @property
    def _breakers(self) -> dict[str, Breaker]:
        if self._known is None:
            found: Mapping[str, Opening] = {} if self._shared is None else self._shared.read()
            now, at = self._clock.monotonic(), self._clock.now()
            self._known = {
                name: Breaker(failures=opening.failures, open_until=now + (opening.until - at).total_seconds())
                for name, opening in found.items()
            }
        return self._known

    def _tell(self, name: str, breaker: Breaker) -> None:
        if self._shared is None:
            return
        if breaker.open_until is None:
            self._shared.tell(name, None)
            return
        until = self._clock.now() + timedelta(seconds=retry_in_s(breaker, self._clock.monotonic()))
        self._shared.tell(name, Opening(failures=breaker.failures, until=until))


def stumbled(name: str, error: Exception) -> ProviderUnavailable:
    """The error for an answer that our own reading of it could not stand. Of the cause only its type is told."""
    return ProviderUnavailable(
        f"{name} sent an answer that cannot be read ({type(error).__name__}): try again, or another model", billed=True
    )


class Guarded:
    """A provider that is left alone while it fails."""

    def __init__(self, inner: Provider, *, spec: ProviderSpec, breakers: Breakers, clock: Clock) -> None:
        self._inner = inner
        self._spec = spec
        self._breakers = breakers
        self._clock = clock

    async def complete(self, call: ProviderCall, progress: Progress) -> Completion:
        name = f"{self._spec.name}:{call.model}"
        admission = self._breakers.admit(name)
        outcome: Outcome = "neutral"
        deadline = anyio.current_effective_deadline()
        first = _FirstPiece(progress, self._clock)
        try:
            completion = await self._inner.complete(call, first)
            outcome = "succeeded"
        except ProviderRateLimited as error:
            # A 4xx says nothing about health; but a server that names a time is left alone until then.
            outcome = Failed(wait_s=error.retry_after_s) if error.retry_after_s else "neutral"
            raise
        except (ProviderUnavailable, ProviderTimeout):
            outcome = Failed()
            raise
        except HybridError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a far server can provoke must not end the whole call
            outcome = Failed()
            raise stumbled(name, error) from None
        except anyio.get_cancelled_exc_class():
            # A caller's cancellation says nothing; a deadline that passed in long silence is the model's failure.
            outcome = Failed() if first.was_silent_long() and anyio.current_time() >= deadline else "neutral"
            raise
        finally:
            self._breakers.settle(name, admission, outcome if call.counts else "neutral")
        if call.counts:
            self._breakers.took(name, first.latency_s())
        return completion

    async def models(self) -> Sequence[ModelSpec]:
        return await self._inner.models()

    async def aclose(self) -> None:
        await self._inner.aclose()


class _FirstPiece:
    """Passes progress on and notes after how many seconds the first piece came."""

    def __init__(self, progress: Progress, clock: Clock) -> None:
        self._silent = True
        self._after_s: float | None = None
        self._progress = progress
        self._clock = clock
        self._start = clock.monotonic()

    def asking(self, model: str) -> None:
        self._progress.asking(model)

    def delta(self, text: str) -> None:
        self._silent = False
        self.latency_s()
        self._progress.delta(text)

    def aside(self, text: str) -> None:
        self._silent = False
        self._progress.aside(text)

    def told(self, usage: Usage) -> None:
        self._progress.told(usage)

    def status(self, text: str) -> None:
        self._silent = False
        self._progress.status(text)

    def was_silent_long(self) -> bool:
        """Whether not a word came so far, in at least `SILENCE_S` seconds."""
        return self._silent and self._clock.monotonic() - self._start >= SILENCE_S

    def latency_s(self) -> float:
        """Seconds until the first piece; of a whole answer without one, until now."""
        if self._after_s is None:
            self._after_s = self._clock.monotonic() - self._start
        return self._after_s
