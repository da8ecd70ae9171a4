"""Outcomes of a home in which nothing is learned."""

from __future__ import annotations

from collections.abc import Sequence

from hybrid_mcp.domain.errors import InvalidRequest
from hybrid_mcp.domain.learning import Learned, Lesson, Outcome, Reported


class Forgetful:
    """Implements `Outcomes`."""

    async def learned(self) -> Learned | None:
        return None

    async def remember(self, lesson: Lesson) -> None:
        assert lesson.request_id

    async def report(self, request_id: str, *, ok: bool, client: str, own_only: bool = False) -> Reported:
        raise InvalidRequest(f"{request_id} is not remembered, whether {ok} or not, by {client} ({own_only})")

    async def log(self) -> Sequence[Outcome]:
        return ()

    async def relearn(self) -> bool:
        return True

    async def reset(self) -> int:
        return 0

    async def aclose(self) -> None:
        pass
