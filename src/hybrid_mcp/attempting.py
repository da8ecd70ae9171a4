"""One attempt at one model, in one visible block: reserve, dispatch, call, settle."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

import anyio
from anyio.lowlevel import checkpoint

from hybrid_mcp.domain.attempts import Tried, answered, broken_off, failed, never_sent
from hybrid_mcp.domain.budget import LEASE_GRACE_S, Caps, Hold, Reservation, Settlement
from hybrid_mcp.domain.completion import Completion, Request, Usage
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
from hybrid_mcp.domain.profile import ModelSpec
from hybrid_mcp.domain.routing import Step
from hybrid_mcp.ports import Catalog, Clock, Ledger, PriceBook, Progress, ProviderCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What one attempt may take, and what it is for. `baseline`: the model that savings are measured against."""

    request: Request
    request_id: str
    limit_s: float
    caps: Caps
    baseline: ModelSpec | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempting:
    """Makes attempts. Nothing that an attempt reserves is left open, however it ends."""

    ledger: Ledger
    catalog: Catalog
    prices: PriceBook
    clock: Clock

    async def attempt(self, step: Step, terms: Terms, progress: Progress) -> Tried:
        """Try one model.

        Raises:
            EgressDenied: its host may not be contacted; never a reason to try the next one.
            StorageError: the ledger cannot be used, so nothing was sent.
        """
        try:
            reservation = await _shielded(self.ledger.reserve(self._hold(step, terms), terms.caps))
        except BudgetExceeded as error:
            return never_sent(step, "refused", str(error))

        started = self.clock.monotonic()
        watched = _Watched(progress)
        one = never_sent(step, "cancelled")
        try:
            await checkpoint()
            await _shielded(self.ledger.dispatch(reservation))
            one = broken_off(step)
            watched.asking(step.spec.name)
            with anyio.fail_after(terms.limit_s):
                completion = await self.catalog.provider(step.spec).complete(_to_send(terms.request, step), watched)
            one = answered(
                step,
                completion,
                self._cost(terms.request, step, completion),
                asked_tokens=terms.request.max_output_tokens,
            )
        except TimeoutError:
            waited = f"no answer within {terms.limit_s:.0f} s (last: {watched.last})"
            one = failed(step, ProviderTimeout(f"{waited}: call again, or give a larger deadline_s"))
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
            baseline=self.baseline_cost(baseline, usage),
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

    def baseline_cost(self, baseline: ModelSpec | None, usage: Usage | None) -> Usd | None:
        """What the same tokens would have cost at the baseline model; None where either is unknown."""
        if baseline is None or usage is None:
            return None
        return self.prices.cost(baseline, usage, self.clock.now())

    def _hold(self, step: Step, terms: Terms) -> Hold:
        now = self.clock.now()
        return Hold(
            request_id=terms.request_id, model=step.spec.name, source="local" if step.spec.local else "cloud",
            bound=step.bound, created_at=now, expires_at=now + timedelta(seconds=terms.limit_s + LEASE_GRACE_S),
        )  # fmt: skip


class _Watched:
    """Passes progress on and remembers the last words, so that a time-out can say what was being waited for."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.last = "nothing"

    def asking(self, model: str) -> None:
        self.last = f"asking {model}"
        self._progress.asking(model)

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
