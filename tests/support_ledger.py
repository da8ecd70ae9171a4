"""What the tests of money share: a clock that stands still, and short ways to write amounts, holds and endings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

from hybrid_mcp.domain.budget import Hold, Settlement, Source
from hybrid_mcp.domain.money import Usd

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class FakeClock:
    def __init__(self, now: datetime = NOON) -> None:
        self._now = now
        self._seconds = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._seconds

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._seconds += seconds


def usd(dollars: str) -> Usd:
    return Usd.limit(dollars)


_NUMBERS = count(1)


def hold(
    bound: str,
    *,
    at: datetime = NOON,
    lease_s: float = 80.0,
    model: str = "acme:large",
    source: Source = "cloud",
    request_id: str | None = None,
) -> Hold:
    return Hold(
        request_id=request_id or f"request-{next(_NUMBERS)}",
        model=model,
        source=source,
        bound=usd(bound),
        created_at=at,
        expires_at=at + timedelta(seconds=lease_s),
    )


def ended(
    cost: str = "0", outcome: str = "ok", *, baseline: str | None = None, tokens: tuple[int, int] = (100, 20)
) -> Settlement:
    return Settlement(
        cost=usd(cost),
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        latency_ms=7,
        outcome=outcome,
        baseline=None if baseline is None else usd(baseline),
    )
