"""What the router learns from its own user: scores moved by it, calls remembered, reports taken."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

from hybrid_mcp.domain.attempts import Tried, best
from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.errors import StorageError
from hybrid_mcp.domain.learning import Label, Lesson, Local, Reported
from hybrid_mcp.domain.scorer import Complexity, score
from hybrid_mcp.ports import Clock, Observer, Outcomes

T = TypeVar("T")

LEFT_ALONE_S = 60.0
"""So long outcomes that could not be used are not asked for again, so that no call waits for a file that is broken."""


class Experience:
    """Outcomes are only advice: where they cannot be used nothing is learned, and one warning says so."""

    def __init__(self, outcomes: Outcomes, *, observer: Observer, clock: Clock) -> None:
        self.outcomes = outcomes
        self._observer = observer
        self._clock = clock
        self._left_alone_until = 0.0
        self._turn = anyio.Lock()
        self._warned = False

    async def score(self, request: Request) -> Complexity:
        """The score of a request with what this home has learned."""
        return score(request, await self._advised(self.outcomes.learned))

    async def remember(
        self, request_id: str, request: Request, complexity: Complexity, tried: Sequence[Tried], *, premium: bool,
        client: str,
    ) -> None:  # fmt: skip
        """Learn from the judge, and keep what a later report can be learned from; nothing of what is confidential.

        `premium`: the answer is of one of the best models that could be asked. `client`: who asked.
        """
        if request.confidential or best(tried) is None:
            return
        local, verdict = outcome_of(tried)
        if request.response_schema or request.assertions:
            # A demand of the caller's own, which no model might meet.
            verdict = None
        lesson = Lesson(
            request_id=request_id, client=client, prompt=request.prompt, hundredths=complexity.unlearned, local=local,
            premium=premium, verdict=verdict,
        )  # fmt: skip
        await self._advised(lambda: self.outcomes.remember(lesson))

    async def report(self, request_id: str, *, ok: bool, client: str, own_only: bool = False) -> Reported:
        """A user's word on the answer to a request. `own_only`: only one that this client has asked.

        Raises:
            InvalidRequest: no such request is remembered.
            StorageError: it cannot be written down.
        """
        return await self.outcomes.report(request_id, ok=ok, client=client, own_only=own_only)

    async def _advised(self, work: Callable[[], Awaitable[T]]) -> T | None:
        # One at a time, so that only one waits for a file that is locked; the others then leave it alone.
        try:
            async with self._turn:
                return None if self._clock.monotonic() < self._left_alone_until else await work()
        except StorageError as error:
            self._left_alone_until = self._clock.monotonic() + LEFT_ALONE_S
            if not self._warned:
                self._warned = True
                self._observer.alerted(f"nothing is learned now, and scores are as they come: {error}")
            return None


def outcome_of(tried: Sequence[Tried]) -> tuple[Local, Label | None]:
    """Whose answer was returned, and what the judge says of the local one; of one that was cut off nothing."""
    found = best(tried)
    if found is not None and found[0].step.spec.local:
        return "answered", _verdict(found[0])
    doubted = any(one.step.spec.local and _verdict(one) == "doubted" for one in tried)
    return ("doubted", "doubted") if doubted else ("none", None)


def _verdict(one: Tried) -> Label | None:
    if one.completion is None or one.completion.finish == "length":
        return None
    return "accepted" if one.verdict.good else "doubted" if one.verdict.escalate else None
