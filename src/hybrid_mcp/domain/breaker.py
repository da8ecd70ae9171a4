"""When to leave a failing model alone, and when to try it again.

closed ──(`threshold` failures in a row, or told to wait)──> open ──(the time is over)──> half-open: one probe
  ^                                                            ^                               │
  │                                                            └──────── the probe fails ──────┤
  └─────────────────────────────────────────────────────────────────── the probe succeeds ─────┘

Times are seconds of a clock that never goes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from statistics import median
from typing import Literal

State = Literal["closed", "open", "half_open"]

MAX_WAIT_S = 3_600.0
"""A server that asks for more is tried again after an hour all the same."""
LATENCY_HISTORY = 10
RECENT_LATENCIES = 3
SLOW_FACTOR = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`threshold` failures in a row open a breaker for `recovery_s` seconds."""

    threshold: int = 3
    recovery_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """One model's state. `generation` grows whenever it opens, so that outcomes from before change nothing."""

    failures: int = 0
    open_until: float | None = None
    probing: bool = False
    generation: int = 0


CLOSED = Breaker()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """An open breaker as other processes are told of it. `until`: in UTC, by the wall clock."""

    failures: int
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a model does. `retry_in_s`: seconds until it is tried again, 0 unless open. `slow`: for its own history.

    `failures`: in a row, 0 when closed. `asked_to_wait`: it is open because its server named a time, not because it
    failed too often.
    """

    state: State
    slow: bool
    retry_in_s: float
    failures: int = 0
    asked_to_wait: bool = False

    @property
    def troubled(self) -> bool:
        return self.state != "closed" or self.slow

    def in_words(self) -> str:
        """What a person should know of a troubled model, to be read after its name."""
        match self.state:
            case "open" if self.asked_to_wait:
                return f"left alone for {ceil(self.retry_in_s):,} s, as its server asked"
            case "open":
                times = "1 failure" if self.failures == 1 else f"{self.failures:,} failures"
                return f"left alone for {ceil(self.retry_in_s):,} s after {times}"
            case "half_open":
                return "half-open: it failed several times, and one request at a time tries whether it is back"
            case "closed":
                return "three times slower than its own history, so others of its kind are asked first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """An attempt that counts against the model. `wait_s`: what the server asked for, None where it did not."""

    wait_s: float | None = None


Outcome = Failed | Literal["succeeded", "neutral"]
"""Neutral: cancelled, or refused as wrong; it says nothing about the model's health."""


def state(breaker: Breaker, now: float) -> State:
    if breaker.open_until is None:
        return "closed"
    return "open" if now < breaker.open_until else "half_open"


def retry_in_s(breaker: Breaker, now: float) -> float:
    """Seconds until an attempt may be admitted; 0 when one may be now."""
    return 0.0 if breaker.open_until is None else max(0.0, breaker.open_until - now)


def admit(breaker: Breaker, now: float) -> Breaker | None:
    """The state with one more attempt under way, whose outcome counts for its `generation`; None: not admitted."""
    match state(breaker, now):
        case "closed":
            return breaker
        case "half_open" if not breaker.probing:
            return replace(breaker, probing=True)
        case _:
            return None


def settle(breaker: Breaker, generation: int, outcome: Outcome, now: float, policy: Policy) -> Breaker:
    """The state after an attempt that was admitted in `generation`."""
    if generation != breaker.generation:
        return breaker
    match outcome:
        case "neutral":
            return replace(breaker, probing=False)
        case "succeeded":
            return Breaker(generation=breaker.generation)
        case Failed():
            return _failed(breaker, outcome, now, policy)


def is_slow(latencies: Sequence[float]) -> bool:
    """Whether each of the last three took over three times the median of those before (three of them at least)."""
    earlier, recent = latencies[:-RECENT_LATENCIES], latencies[-RECENT_LATENCIES:]
    return len(earlier) >= RECENT_LATENCIES and min(recent) > SLOW_FACTOR * median(earlier)


def _failed(breaker: Breaker, failure: Failed, now: float, policy: Policy) -> Breaker:
    failures = breaker.failures + 1
    told_to_wait = failure.wait_s is not None and failure.wait_s > 0
    if breaker.open_until is None and failures < policy.threshold and not told_to_wait:
        return replace(breaker, failures=failures)
    wait_s = min(failure.wait_s or policy.recovery_s, MAX_WAIT_S)
    return Breaker(failures=failures, open_until=now + wait_s, generation=breaker.generation + 1)
