"""Twins that need no file: a ledger that is forgotten at the end of the program, and the cache of answers."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from hybrid_mcp.domain.alerts import Alert
from hybrid_mcp.domain.budget import (
    Account,
    BudgetView,
    Caps,
    Keys,
    Overbilled,
    PeriodName,
    period_key,
)
from hybrid_mcp.domain.errors import BudgetExceeded, StorageError
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.reservation import (
    LOST,
    Event,
    Free,
    Hold,
    Reservation,
    Settlement,
    State,
    charge,
    deltas,
    next_state,
    refusal,
    shortfall,
    swept_state,
)
from hybrid_mcp.domain.usage import (
    By,
    PeriodReport,
    TallyKey,
    UsageRow,
    drifts,
    period_report,
    usage_rows,
)
from hybrid_mcp.ports import CachedAnswer, Clock
from hybrid_mcp.storage.book_clock import BookClock
from hybrid_mcp.storage.memory_book import Book, Held


class MemoryLedger:
    """ports.Ledger for one process and one run."""

    def __init__(self, clock: Clock) -> None:
        self._clock = BookClock(clock)
        self._book = Book(time=clock.now())
        self._closed = False

    async def reserve(self, hold: Hold, caps: Caps) -> Reservation:
        """Raises BudgetExceeded, see ports.Ledger."""
        book = self._begin()
        if (blocked := book.blocked().get(hold.model)) is not None:
            raise BudgetExceeded(str(blocked))
        keys = Keys.at(hold.account, book.time)
        refused = shortfall(hold, caps, book.balances_of(keys), book.time)
        if refused is not None:
            raise BudgetExceeded(refusal(hold, refused.reasons), passing=refused.passing)
        reservation = Reservation(id=secrets.token_hex(16), hold=hold, keys=keys)
        self._enter(keys, spent=0, reserved=hold.bound.nanos)
        book.held[reservation.id] = Held(reservation, book.time + timedelta(seconds=hold.lease_s))
        book.open.add(reservation.id)
        return reservation

    async def dispatch(self, reservation: Reservation) -> None:
        """Raises StorageError where the lease has ended: nothing may be sent then."""
        self._move(reservation, "dispatch")

    async def beat(self) -> None:
        """Nobody else looks at this book."""
        self._begin()

    async def settle(self, reservation: Reservation, settlement: Settlement) -> None:
        """Where the sweep has charged the whole reservation already, the true cost replaces that."""
        self._move(reservation, "settle", settlement)

    async def void(self, reservation: Reservation) -> None:
        """See ports.Ledger."""
        self._move(reservation, "void")

    async def forfeit(self, reservation: Reservation, settlement: Settlement) -> None:
        """See ports.Ledger."""
        self._move(reservation, "forfeit", settlement)

    async def record(self, free: Free) -> None:
        """See ports.Ledger."""
        keys = Keys.at(free.account, self._begin().time)
        self._book.end(free.request_id, TallyKey(keys.day, free.model, free.source), free.settlement, 0)
        self._touch()

    async def view(self, caps: Caps, account: Account) -> BudgetView:
        """The balances now."""
        book = self._begin()
        keys = Keys.at(account, book.time)
        return BudgetView(caps=caps, keys=keys, balances=book.balances_of(keys), blocked=book.blocked())

    async def raise_alerts(self, alerts: Sequence[Alert]) -> Sequence[Alert]:
        """See ports.Ledger."""
        book = self._begin()
        fresh = tuple(alert for alert in alerts if alert not in book.alerts)
        book.alerts.update(fresh)
        return fresh

    async def unblock(self, model: str, billed: Usd | None = None) -> Overbilled | None:
        """See ports.Ledger."""
        found = self._begin().unblock(model, billed)
        self._clock.saw(self._book.last)
        return found

    async def report(self, period: PeriodName) -> PeriodReport:
        """See ports.Ledger."""
        book = self._begin()
        key = period_key(period, book.time)
        return period_report(period, key, book.balance(period, key), book.tallies_of(key))

    async def usage(self, by: By, month: str | None = None) -> Sequence[UsageRow]:
        """See ports.Ledger."""
        book = self._begin()
        return usage_rows(by, book.tallies_of(month or period_key("month", book.time)))

    async def notices(self) -> Sequence[str]:
        """See ports.Ledger."""
        book = self._begin()
        return drifts(book.tallies_of(period_key("month", book.time)))

    async def check(self) -> Sequence[str]:
        """See ports.Ledger."""
        return self._begin().check()

    async def aclose(self) -> None:
        """Forgets everything."""
        self._closed = True

    def _begin(self) -> Book:
        if self._closed:
            raise StorageError("the ledger in memory is closed: open it again")
        book = self._book
        book.time = self._clock.now(book.last)
        for held in [book.held[name] for name in book.open]:
            if held.expires_at <= book.time:
                event: Event = "forfeit" if held.state == "dispatched" else "void"
                self._change(held, swept_state(held.state), event, LOST, expired=True)
        return book

    def _move(self, reservation: Reservation, event: Event, settlement: Settlement | None = None) -> None:
        held = self._begin().held.get(reservation.id)
        if held is None:
            raise StorageError(f"the ledger in memory does not hold the reservation {reservation.id}")
        state = next_state(reservation.id, held.state, event, expired=held.expired)
        if state is not None:
            self._change(held, state, event, settlement, expired=held.expired)

    def _change(self, held: Held, state: State, event: Event, settlement: Settlement | None, *, expired: bool) -> None:
        reservation, hold, book = held.reservation, held.reservation.hold, self._book
        cost = charge(event, hold.bound, settlement)
        spent, reserved = deltas(held.state, state, hold.bound, cost)
        self._enter(reservation.keys, spent=spent, reserved=reserved)
        if settlement is not None:
            key = TallyKey(reservation.keys.day, hold.model, "cloud")
            book.end(hold.request_id, key, settlement, spent)
        if cost > hold.bound:
            book.overbilled[reservation.id] = Overbilled(model=hold.model, bound=hold.bound, cost=cost, at=book.time)
        if state != "dispatched":
            book.open.discard(reservation.id)
        book.held[reservation.id] = replace(
            held, state=state, expired=expired, settlement=settlement or held.settlement
        )

    def _enter(self, keys: Keys, *, spent: int, reserved: int) -> None:
        self._book.enter(keys, spent=spent, reserved=reserved)
        self._clock.saw(self._book.last)

    def _touch(self) -> None:
        self._book.last = self._book.time
        self._clock.saw(self._book.last)


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
        said = (answer.completion.text, answer.completion.reasoning)
        size = sum(len(text.encode("utf-8", "surrogatepass")) for text in said)
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
