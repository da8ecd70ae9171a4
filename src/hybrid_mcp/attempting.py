"""One attempt at one model, in one visible block: take a turn, reserve, dispatch, call, settle."""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import TypeVar

import anyio
from anyio import to_thread
from anyio.lowlevel import checkpoint

from hybrid_mcp.asserting import with_assertions
from hybrid_mcp.domain.attempts import (
    Seen,
    Tried,
    answered,
    broken_off,
    failed,
    held_back,
    never_sent,
    settlement,
)
from hybrid_mcp.domain.budget import Account, Caps
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
from hybrid_mcp.domain.reasoning import separated
from hybrid_mcp.domain.redaction import Outgoing
from hybrid_mcp.domain.reservation import BEAT_S, LEASE_GRACE_S, Free, Hold, Reservation
from hybrid_mcp.domain.routing import Repair, Step, shortened
from hybrid_mcp.ports import Catalog, Clock, CodeRunner, Ledger, PriceBook, Progress, ProviderCall
from hybrid_mcp.read_ahead import while_the_judge_reads
from hybrid_mcp.structured import json_in, mismatch
from hybrid_mcp.watched import Watched


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What one attempt may take, and what it is for.

    `score`: the prompt's, without what was learned. `outgoing`: the request as models elsewhere see it. `baseline`: the
    model that savings are measured against.
    """

    request: Request
    score: float
    outgoing: Outgoing
    request_id: str
    account: Account
    limit_s: float
    caps: Caps
    baseline: ModelSpec | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempting:
    """Makes attempts. Nothing that an attempt reserves is left open, however it ends.

    `code_runner`: None where the owner wants no code to be run.
    """

    ledger: Ledger
    catalog: Catalog
    prices: PriceBook
    clock: Clock
    code_runner: CodeRunner | None = None

    async def attempt(self, step: Step, terms: Terms, progress: Progress) -> Tried:
        """Try one model.

        Raises:
            EgressDenied: its host may not be contacted; never a reason to try the next one.
        """
        watched, started = Watched(progress, self.clock.now()), self.clock.monotonic()
        async with AsyncExitStack() as turn:
            try:
                with anyio.fail_after(terms.limit_s):
                    await turn.enter_async_context(self.catalog.turn(step.spec, watched))
            except TimeoutError:
                waited = f"no turn within {_seconds(terms.limit_s)} s (last: {watched.last})"
                return never_sent(step, "timeout", f"{waited}: call again, or give a larger deadline_s")
            except ProviderError as error:
                return never_sent(step, "failed", str(error))
            left = replace(terms, limit_s=terms.limit_s - (self.clock.monotonic() - started))
            ask = self._free if step.spec.local else self._paid
            one = await ask(step, left, watched, turn)
        # Here the money is settled and the model is free for others.
        answered_at = self.clock.monotonic()
        left_s = terms.limit_s - (answered_at - started)
        one = await with_assertions(one, terms.request.assertions, self.code_runner, left_s, progress)
        return replace(one, judging_ms=self._since_ms(answered_at))

    async def _paid(self, step: Step, terms: Terms, watched: Watched, turn: AsyncExitStack) -> Tried:
        begun = self.clock.monotonic()
        try:
            step, reservation = await _shielded(self._reserved(step, terms))
        except BudgetExceeded as error:
            return held_back(step, error)
        except StorageError as error:
            return never_sent(step, "failed", f"nothing was sent, because {error}")

        started = self.clock.monotonic()
        one: Tried | None = never_sent(step, "cancelled")
        try:
            await checkpoint()
            left_s = terms.limit_s - (self.clock.monotonic() - begun)
            if left_s > 0:
                await _shielded(self.ledger.dispatch(reservation))
                one = None
                one = await self._asked(step, replace(terms, limit_s=left_s), watched)
            else:
                one = never_sent(step, "timeout", "nothing was sent, because setting the money aside took all the time")
        except StorageError as error:
            one = never_sent(step, "failed", f"nothing was sent, because {error}")
        except EgressDenied as error:
            one = failed(step, error, self._seen(step, watched))
            raise
        finally:
            one = one or broken_off(step, self._seen(step, watched))
            one = one.lasting(self._since_ms(started))
            await _shielded(turn.aclose())  # the next call need not wait for a disk
            one = await _shielded(self._closed(reservation, one, terms))
        return one

    async def _reserved(self, step: Step, terms: Terms) -> tuple[Step, Reservation]:
        """Set the bound aside. Where less is left than when it was decided, ask for a shorter answer."""
        try:
            return step, await self.ledger.reserve(_hold(step, terms), terms.caps)
        except BudgetExceeded:
            view = await self.ledger.view(terms.caps, terms.account)
            shorter = shortened(step, view.affordable(), terms.request)
            if shorter is None:
                raise
            return shorter, await self.ledger.reserve(_hold(shorter, terms), terms.caps)

    async def _free(self, step: Step, terms: Terms, watched: Watched, turn: AsyncExitStack) -> Tried:
        """A model on this machine costs nothing, so nothing is set aside: it answers without a ledger too."""
        started, one = self.clock.monotonic(), broken_off(step, Seen())
        try:
            one = await self._asked(step, terms, watched)
        finally:
            one = one.lasting(self._since_ms(started))
            await _shielded(turn.aclose())  # the next call need not wait for a disk
            one = await _shielded(self._recorded(one, terms))
        return one

    async def _asked(self, step: Step, terms: Terms, watched: Watched) -> Tried:
        watched.asking(step.spec.name)
        watched.sent_at = self.clock.now()
        sent = Outgoing(request=terms.request) if step.spec.local else terms.outgoing
        watched.held = bool(sent.values) or step.step_by_step
        try:
            completion = await while_the_judge_reads(self._in_time(step, sent.request, watched, terms.limit_s))
        except TimeoutError:
            waited = f"no answer within {_seconds(terms.limit_s)} s (last: {watched.last})"
            error = ProviderTimeout(f"{waited}: call again, or give a larger deadline_s")
            # Half a JSON value is worth nothing.
            begun = "" if terms.request.response_schema else sent.restored(watched.text).text
            return replace(failed(step, error, self._seen(step, watched)), begun=begun)
        except (ProviderError, ContextTooLong) as error:
            return failed(step, error, self._seen(step, watched))
        booked, seen = self._booked(sent.request, step, completion, watched), self._seen(step, watched, completion)
        completion = separated(completion, step_by_step=step.step_by_step)
        completion, repair = await _shaped(completion, terms.request.response_schema)
        restored = sent.restored(completion.text, as_json=bool(terms.request.response_schema) and repair is None)
        if watched.held and restored.text:
            watched.show(restored.text)
        step, completion = _noted(step, restored.note), replace(completion, text=restored.text)
        return answered(step, completion, booked, seen, request=terms.request, score=terms.score, repair=repair)

    async def _in_time(self, step: Step, request: Request, watched: Watched, limit_s: float) -> Completion:
        """Only the model's own time counts: an answer that came is never lost."""
        with anyio.fail_after(limit_s):
            return await self._while_heard_of(step, _to_send(request, step), watched)

    async def _while_heard_of(self, step: Step, call: ProviderCall, progress: Progress) -> Completion:
        """Ask the model. Meanwhile other processes hear that this one lives, so that they leave its money alone."""
        if step.spec.local:
            return await self.catalog.provider(step.spec).complete(call, progress)
        ended: list[Completion | Exception] = []
        async with anyio.create_task_group() as group:
            group.start_soon(self._beat)
            try:
                ended.append(await self.catalog.provider(step.spec).complete(call, progress))
            except (ProviderError, ContextTooLong, EgressDenied) as error:
                # Raised inside the group it would come out as a group of errors.
                ended.append(error)
            group.cancel_scope.cancel()
        if isinstance(ended[0], Exception):
            raise ended[0]
        return ended[0]

    async def _beat(self) -> None:
        while True:
            await anyio.sleep(BEAT_S)
            try:
                await _shielded(self.ledger.beat())
            except StorageError:
                # The lease itself still stands.
                continue

    async def _closed(self, reservation: Reservation, one: Tried, terms: Terms) -> Tried:
        """Close the reservation. Where the ledger cannot, an answer that was paid for is not lost with it."""
        try:
            ending = settlement(one, self._baseline_of(one, terms))
            match one.ending:
                case "void":
                    await self.ledger.void(reservation)
                case "settle":
                    await self.ledger.settle(reservation, ending)
                case "forfeit":
                    await self.ledger.forfeit(reservation, ending)
        except StorageError as error:
            return replace(one, trouble=f"the whole reservation stays charged until the ledger works, because {error}")
        return one

    async def _recorded(self, one: Tried, terms: Terms) -> Tried:
        free = Free(
            request_id=terms.request_id, model=one.attempt.model, source="local", account=terms.account,
            settlement=settlement(one, self._baseline_of(one, terms)),
        )  # fmt: skip
        try:
            await self.ledger.record(free)
        except StorageError as error:
            return replace(one, trouble=f"this answer stands in no report, because {error}")
        return one

    def _booked(self, request: Request, step: Step, completion: Completion, watched: Watched) -> Usd | None:
        if step.spec.local:
            return ZERO
        usage = completion.usage
        sent = step.messages(request)
        if usage is None or not believable(completion, sent=sent, output_cap=step.output_cap):
            return None
        return self._cost(step, usage, watched)

    def _cost(self, step: Step, usage: Usage, watched: Watched) -> Usd | None:
        """At the dearer price of those when it was sent and now: which of them a vendor bills is its own choice."""
        costs = [self.prices.cost(step.spec, usage, at) for at in (watched.sent_at, self.clock.now())]
        known = [cost for cost in costs if cost is not None]
        return max(known) if len(known) == len(costs) else None

    def _seen(self, step: Step, watched: Watched, completion: Completion | None = None) -> Seen:
        """What is known of the cost, of a broken answer too: all that came in, and what was told of it."""
        if step.spec.local:
            return Seen()
        written = watched.written.extent if completion is None else completion.written
        usages = [one for one in (watched.usage, completion and completion.usage) if one is not None]
        costs = [self._cost(step, one, watched) or ZERO for one in usages]
        bills = [one.billed for one in usages if one.billed is not None]
        return Seen(written, max([*costs, *bills], default=ZERO))

    def _baseline_of(self, one: Tried, terms: Terms) -> Usd | None:
        return self.baseline_cost(terms.baseline, one.completion.usage if one.completion is not None else None)

    def baseline_cost(self, baseline: ModelSpec | None, usage: Usage | None) -> Usd | None:
        """What the same tokens would have cost at the baseline model; None where either is unknown."""
        if baseline is None or usage is None:
            return None
        return self.prices.cost(baseline, usage, self.clock.now())

    def _since_ms(self, started: float) -> int:
        return round((self.clock.monotonic() - started) * 1000)


_T = TypeVar("_T")


async def _shielded(work: Awaitable[_T]) -> _T:
    """The result of a step that must not be torn apart: a cancellation is felt after it."""
    done: list[_T] = []
    with anyio.CancelScope(shield=True):
        done.append(await work)
    return done[0]


def _seconds(limit_s: float) -> str:
    """Rounded: what is left after waiting for a turn is no round number."""
    return f"{round(limit_s, 1 if limit_s >= 0.95 else 2):g}"


def _noted(step: Step, note: str | None) -> Step:
    return step if note is None else replace(step, note="; ".join(filter(None, (step.note, note))))


def _hold(step: Step, terms: Terms) -> Hold:
    return Hold(
        request_id=terms.request_id, model=step.spec.name, bound=step.bound, lease_s=terms.limit_s + LEASE_GRACE_S,
        account=terms.account,
    )  # fmt: skip


def _to_send(request: Request, step: Step) -> ProviderCall:
    return ProviderCall(
        model=step.spec.model, messages=step.messages(request), max_output_tokens=step.output_cap,
        response_schema=request.response_schema, temperature=request.temperature, stop=request.stop,
        reasoning_effort=request.reasoning_effort,
    )  # fmt: skip


async def _shaped(completion: Completion, schema: str) -> tuple[Completion, Repair | None]:
    """The answer as plain JSON, and what is to be mended in it: as the model wrote it, with nothing put back into it,
    because what is told of it goes to that model again."""
    if not schema:
        return completion, None
    text = json_in(completion.text)
    # In a thread, because a schema can be made to take a second.
    wrong = await to_thread.run_sync(mismatch, text, schema)
    if wrong is None:
        return replace(completion, text=text), None
    repair = Repair(answer=completion.text, what=wrong.what, place=wrong.place, mendable=wrong.mendable)
    return replace(completion, text=text), repair
