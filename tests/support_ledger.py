"""What the tests of money share: a clock that stands still, and short ways to write amounts, holds and endings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

from hybrid_mcp.domain.budget import Account
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.reservation import Free, Hold, Settlement, Source

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

    def jump(self, seconds: float) -> None:
        """Somebody sets the clock; no time passes."""
        self._now += timedelta(seconds=seconds)


def usd(dollars: str) -> Usd:
    return Usd.limit(dollars)


_NUMBERS = count(1)


ME = Account(client="client-1", project="project-1")


def hold(
    bound: str,
    *,
    lease_s: float = 80.0,
    model: str = "acme:large",
    request_id: str | None = None,
    account: Account = ME,
) -> Hold:
    return Hold(
        request_id=request_id or f"request-{next(_NUMBERS)}",
        model=model,
        bound=usd(bound),
        lease_s=lease_s,
        account=account,
    )


def free(
    settlement: Settlement, *, model: str = "here:small", source: Source = "local", request_id: str | None = None
) -> Free:
    return Free(
        request_id=request_id or f"request-{next(_NUMBERS)}",
        model=model,
        source=source,
        settlement=settlement,
        account=ME,
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
