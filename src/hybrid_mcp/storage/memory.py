"""Twins that need no file: a ledger that is forgotten at the end of the program, and the cache of answers."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from hybrid_mcp.domain.budget import (
    ANSWERED,
    LOST,
    PERIODS,
    Balance,
    BudgetView,
    Caps,
    Event,
    Hold,
    PeriodName,
    PeriodReport,
    Reservation,
    Settlement,
    Source,
    State,
    Tally,
    UsageRow,
    charge,
    imbalance,
    next_state,
    period_key,
    period_report,
    refusal,
    shortfalls,
    swept_state,
    usage_rows,
)
from hybrid_mcp.domain.errors import BudgetExceeded, StorageError
from hybrid_mcp.domain.money import ZERO, Usd
from hybrid_mcp.ports import CachedAnswer, Clock


@dataclass(frozen=True, slots=True)
class _Held:
    reservation: Reservation
    state: State = "reserved"
    expired: bool = False


@dataclass(frozen=True, slots=True)
class _Entry:
    reservation: Reservation
    spent_delta: int
    reserved_delta: int


@dataclass(frozen=True, slots=True)
class _Finished:
    request_id: str
    day: str
    model: str
    source: Source
    cost: Usd
    settlement: Settlement

    def tally(self, *, is_answer: bool, spent: Usd) -> Tally:
        baseline = self.settlement.baseline or ZERO
        return Tally(
            day=self.day,
            model=self.model,
            source=self.source,
            requests=int(is_answer),
            input_tokens=self.settlement.input_tokens,
            output_tokens=self.settlement.output_tokens,
            cost=self.cost,
            saved=baseline.minus(spent) if is_answer else ZERO,
        )


class MemoryLedger:
    """ports.Ledger for one process and one run."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._open: dict[str, datetime] = {}
        self._entries: list[_Entry] = []
        self._finished: list[_Finished] = []
        self._balances: dict[tuple[PeriodName, str], Balance] = {}
        self._closed = False

    async def reserve(self, hold: Hold, caps: Caps) -> Reservation:
        """Raises BudgetExceeded, see ports.Ledger."""
        self._begin()
        reservation = Reservation(
            id=secrets.token_hex(16),
            hold=hold,
            month=period_key("month", hold.created_at),
            day=period_key("day", hold.created_at),
        )
        balances: dict[PeriodName, Balance] = {
            period: self._balance(period, _key(reservation, period)) for period in PERIODS
        }
        refused = shortfalls(hold, caps, balances)
        if refused:
            raise BudgetExceeded(refusal(hold, refused))
        self._enter(reservation, spent=0, reserved=hold.bound.nanos)
        self._held[reservation.id] = _Held(reservation)
        self._open[reservation.id] = hold.expires_at
        return reservation

    async def dispatch(self, reservation: Reservation) -> None:
        """Raises StorageError where the lease has ended: nothing may be sent then."""
        self._move(reservation, "dispatch")

    async def settle(self, reservation: Reservation, settlement: Settlement) -> None:
        """A reservation that the sweep has forfeited stays so."""
        self._move(reservation, "settle", settlement)

    async def void(self, reservation: Reservation) -> None:
        """See ports.Ledger."""
        self._move(reservation, "void")

    async def forfeit(self, reservation: Reservation, settlement: Settlement) -> None:
        """See ports.Ledger."""
        self._move(reservation, "forfeit", settlement)

    async def record_cached(self, request_id: str, model: str, saved: Usd, at: datetime) -> None:
        """See ports.Ledger."""
        self._begin()
        answer = Settlement(cost=ZERO, input_tokens=0, output_tokens=0, latency_ms=0, outcome="ok", baseline=saved)
        self._finished.append(_Finished(request_id, period_key("day", at), model, "cache", ZERO, answer))

    async def view(self, caps: Caps, now: datetime) -> BudgetView:
        """The balances of the day and the month of `now`."""
        self._begin()
        day, month = (self._balance(period, period_key(period, now)) for period in PERIODS)
        return BudgetView(caps=caps, month=month, day=day)

    async def report(self, period: PeriodName, now: datetime) -> PeriodReport:
        """The period of `now`."""
        self._begin()
        key = period_key(period, now)
        return period_report(period, key, self._balance(period, key), self._tallies_of(key))

    async def usage(self, by: Literal["day", "model", "source"], now: datetime) -> Sequence[UsageRow]:
        """The month of `now`."""
        self._begin()
        return usage_rows(by, self._tallies_of(period_key("month", now)))

    async def check(self) -> Sequence[str]:
        """See ports.Ledger."""
        self._begin()
        found: list[str] = []
        for (period, key), balance in self._balances.items():
            entries = [entry for entry in self._entries if _key(entry.reservation, period) == key]
            sums = (sum(entry.spent_delta for entry in entries), sum(entry.reserved_delta for entry in entries))
            held = (balance.spent.nanos, balance.reserved.nanos)
            if held != sums:
                found.append(imbalance(period, key, held, sums))
        return found

    async def aclose(self) -> None:
        """Forgets everything."""
        self._closed = True

    def _begin(self) -> None:
        if self._closed:
            raise StorageError("the ledger in memory is closed: open it again")
        now = self._clock.now()
        for key in [key for key, expires_at in self._open.items() if expires_at <= now]:
            held = self._held[key]
            self._change(held, swept_state(held.state), LOST, expired=True)

    def _move(self, reservation: Reservation, event: Event, settlement: Settlement | None = None) -> None:
        if self._closed:
            raise StorageError("the ledger in memory is closed: open it again")
        held = self._held.get(reservation.id)
        if held is None:
            raise StorageError(f"the ledger in memory does not hold the reservation {reservation.id}")
        state = next_state(reservation.id, held.state, event, expired=held.expired)
        if state is not None:
            self._change(held, state, settlement)

    def _change(self, held: _Held, state: State, settlement: Settlement | None, *, expired: bool = False) -> None:
        reservation = held.reservation
        cost = charge(state, reservation.hold.bound, settlement)
        if state != "dispatched":
            self._enter(reservation, spent=cost.nanos, reserved=-reservation.hold.bound.nanos)
            del self._open[reservation.id]
        if settlement is not None:
            hold = reservation.hold
            self._finished.append(
                _Finished(hold.request_id, reservation.day, hold.model, hold.source, cost, settlement)
            )
        self._held[reservation.id] = replace(held, state=state, expired=expired)

    def _enter(self, reservation: Reservation, *, spent: int, reserved: int) -> None:
        after: dict[tuple[PeriodName, str], Balance] = {
            (period, _key(reservation, period)): self._after(period, reservation, spent, reserved) for period in PERIODS
        }
        self._balances.update(after)
        self._entries.append(_Entry(reservation, spent, reserved))

    def _after(self, period: PeriodName, reservation: Reservation, spent: int, reserved: int) -> Balance:
        before = self._balance(period, _key(reservation, period))
        try:
            Usd(before.committed.nanos + spent + reserved)
            return Balance(spent=Usd(before.spent.nanos + spent), reserved=Usd(before.reserved.nanos + reserved))
        except ValueError as error:
            raise StorageError(f"the ledger in memory refused a change that would break the book ({error})") from error

    def _balance(self, period: PeriodName, key: str) -> Balance:
        return self._balances.get((period, key), Balance())

    def _tallies_of(self, key: str) -> list[Tally]:
        return _tallies([one for one in self._finished if one.day.startswith(key)])


def _key(reservation: Reservation, period: PeriodName) -> str:
    return reservation.month if period == "month" else reservation.day


def _tallies(finished: Sequence[_Finished]) -> list[Tally]:
    """One for each attempt. A request counts once, at its last answer, and saves what all of its attempts left."""
    answers = {one.request_id: number for number, one in enumerate(finished) if one.settlement.outcome in ANSWERED}
    spent: dict[str, Usd] = {}
    for one in finished:
        spent[one.request_id] = spent.get(one.request_id, ZERO) + one.cost
    return [
        one.tally(is_answer=answers.get(one.request_id) == number, spent=spent[one.request_id])
        for number, one in enumerate(finished)
    ]


CACHE_ENTRIES = 1_000
CACHE_BYTES = 32 * 1024 * 1024
CACHE_TTL_S = 24 * 3_600.0


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: CachedAnswer
    size_bytes: int
    until: float


class MemoryCache:
    """ports.Cache for the answers used last, bounded in number and in bytes of text, each kept for `ttl_s` seconds."""

    def __init__(
        self,
        clock: Clock,
        *,
        max_entries: int = CACHE_ENTRIES,
        max_bytes: int = CACHE_BYTES,
        ttl_s: float = CACHE_TTL_S,
    ) -> None:
        self._clock = clock
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._ttl_s = ttl_s
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0

    async def get(self, fingerprint: str) -> CachedAnswer | None:
        """The answer, which counts as used now; None where there is none or it is too old."""
        kept = self._kept.get(fingerprint)
        if kept is None:
            return None
        if self._clock.monotonic() >= kept.until:
            self._drop(fingerprint)
            return None
        self._kept.move_to_end(fingerprint)
        return kept.answer

    async def put(self, fingerprint: str, answer: CachedAnswer) -> None:
        """Keeps the answer in place of an older one. One larger than the whole cache is not kept."""
        self._drop(fingerprint)
        size = len(answer.completion.text.encode("utf-8", "surrogatepass"))
        if size > self._max_bytes:
            return
        self._kept[fingerprint] = _Kept(answer, size, self._clock.monotonic() + self._ttl_s)
        self._bytes += size
        while len(self._kept) > self._max_entries or self._bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, fingerprint: str) -> None:
        kept = self._kept.pop(fingerprint, None)
        if kept is not None:
            self._bytes -= kept.size_bytes
