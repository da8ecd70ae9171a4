"""The last answers of this process, for a person to look at. No prompt and no answer's text is kept."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hybrid_mcp.domain.answer import Answer, Attempt
from hybrid_mcp.domain.budget import Account
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.ports import Clock, Observer

MOST_CALLS = 50
"""For each client; an older one makes place for the next."""
MOST_CLIENTS = 100
"""The one that was answered the longest ago makes place for the next."""
REASON_CHARACTERS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentCall:
    """One answer. `doubtful`: it was given although the checks doubted it. `attempts`: how many models were tried."""

    at: datetime
    model: str
    local: bool
    cached: bool
    escalated: bool
    doubtful: bool
    attempts: int
    cost: Usd
    latency_ms: int
    score: float
    reason: str


class Recent:
    """Implements `Observer`: remembers the last answers of each client, and passes on what it is told."""

    def __init__(self, observer: Observer, clock: Clock) -> None:
        self._observer = observer
        self._clock = clock
        self._calls: OrderedDict[str, deque[RecentCall]] = OrderedDict()

    def of(self, account: Account) -> Sequence[RecentCall]:
        """The last answers of this client alone, the newest first."""
        return tuple(reversed(self._calls.get(account.client, ())))

    def attempted(self, request_id: str, attempt: Attempt) -> None:
        self._observer.attempted(request_id, attempt)

    def answered(self, answer: Answer) -> None:
        client = answer.budget.keys.client
        self._calls.setdefault(client, deque(maxlen=MOST_CALLS)).append(_call(answer, self._clock.now()))
        self._calls.move_to_end(client)
        if len(self._calls) > MOST_CLIENTS:
            self._calls.popitem(last=False)
        self._observer.answered(answer)

    def alerted(self, alert: str) -> None:
        self._observer.alerted(alert)


def _call(answer: Answer, at: datetime) -> RecentCall:
    reason = answer.reason
    return RecentCall(
        at=at, model=answer.model or "", local=answer.local, cached=answer.cached, escalated=answer.escalated,
        doubtful=not any(one.model == answer.model and one.outcome == "ok" for one in answer.attempts)
        and bool(answer.attempts),
        attempts=len(answer.attempts), cost=answer.cost, latency_ms=answer.latency_ms, score=answer.complexity.score,
        reason=reason if len(reason) <= REASON_CHARACTERS else f"{reason[: REASON_CHARACTERS - 3]}...",
    )  # fmt: skip
