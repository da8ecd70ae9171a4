"""Twins that need no file: a ledger that is forgotten at the end of the program, and the cache of answers."""

from __future__ import annotations

import secrets
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from hybrid_mcp.domain.alerts import Alert
from hybrid_mcp.domain.budget import (
    SCOPES,
    Account,
    Balance,
    Balances,
    BudgetView,
    Caps,
    Keys,
    Overbilled,
    PeriodName,
    Scope,
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
    imbalance,
    next_state,
    refusal,
    shortfall,
    swept_state,
)
from hybrid_mcp.domain.usage import (
    By,
    Ended,
    PeriodReport,
    Sums,
    TallyKey,
    UsageRow,
    change,
    drifts,
    period_report,
    usage_rows,
)
from hybrid_mcp.ports import CachedAnswer, Clock
from hybrid_mcp.storage.book_clock import BookClock


@dataclass(frozen=True, slots=True)
class _Held:
    reservation: Reservation
    expires_at: datetime
    state: State = "reserved"
    expired: bool = False


@dataclass(frozen=True, slots=True)
class _Entry:
    keys: Keys
    spent_delta: int
    reserved_delta: int


@dataclass(slots=True)
class _Book:
    """All that there is to know. `time`: the book's own; `last`: that of the last entry."""

    time: datetime
    last: datetime | None = None
    held: dict[str, _Held] = field(default_factory=dict[str, _Held])
    open: set[str] = field(default_factory=set[str])
    entries: list[_Entry] = field(default_factory=list[_Entry])
    endings: dict[str, list[Ended]] = field(default_factory=lambda: defaultdict(list))
    balances: dict[tuple[Scope, str], Balance] = field(default_factory=dict[tuple[Scope, str], Balance])
    tallies: dict[TallyKey, Sums] = field(default_factory=lambda: defaultdict(Sums))
    blocked: dict[str, Overbilled] = field(default_factory=dict[str, Overbilled])
    alerts: set[Alert] = field(default_factory=set[Alert])


class MemoryLedger:
    """ports.Ledger for one process and one run."""

    def __init__(self, clock: Clock) -> None:
        self._clock = BookClock(clock)
        self._book = _Book(time=clock.now())
        self._closed = False

    async def reserve(self, hold: Hold, caps: Caps) -> Reservation:
        """Raises BudgetExceeded, see ports.Ledger."""
        book = self._begin()
        if hold.model in book.blocked:
            raise BudgetExceeded(str(book.blocked[hold.model]))
        keys = Keys.at(hold.account, book.time)
        refused = shortfall(hold, caps, self._balances(keys), book.time)
        if refused is not None:
            raise BudgetExceeded(refusal(hold, refused.reasons), passing=refused.passing)
        reservation = Reservation(id=secrets.token_hex(16), hold=hold, keys=keys)
        self._enter(keys, spent=0, reserved=hold.bound.nanos)
        book.held[reservation.id] = _Held(reservation, book.time + timedelta(seconds=hold.lease_s))
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
        self._end(free.request_id, TallyKey(keys.day, free.model, free.source), free.settlement, 0)
        self._touch()

    async def view(self, caps: Caps, account: Account) -> BudgetView:
        """The balances now."""
        book = self._begin()
        keys = Keys.at(account, book.time)
        return BudgetView(caps=caps, keys=keys, balances=self._balances(keys), blocked=dict(book.blocked))

    async def raise_alerts(self, alerts: Sequence[Alert]) -> Sequence[Alert]:
        """See ports.Ledger."""
        book = self._begin()
        fresh = tuple(alert for alert in alerts if alert not in book.alerts)
        book.alerts.update(fresh)
        return fresh

    async def unblock(self, model: str) -> bool:
        """See ports.Ledger."""
        return self._begin().blocked.pop(model, None) is not None

    async def report(self, period: PeriodName) -> PeriodReport:
        """See ports.Ledger."""
        book = self._begin()
        key = period_key(period, book.time)
        return period_report(period, key, self._balance(period, key), self._tallies(key))

    async def usage(self, by: By, month: str | None = None) -> Sequence[UsageRow]:
        """See ports.Ledger."""
        now = self._begin().time
        return usage_rows(by, self._tallies(month or period_key("month", now)))

    async def notices(self) -> Sequence[str]:
        """See ports.Ledger."""
        return drifts(self._tallies(period_key("month", self._begin().time)))

    async def check(self) -> Sequence[str]:
        """See ports.Ledger."""
        book = self._begin()
        found: list[str] = []
        for (scope, key), balance in book.balances.items():
            entries = [entry for entry in book.entries if entry.keys.of(scope) == key]
            sums = (sum(entry.spent_delta for entry in entries), sum(entry.reserved_delta for entry in entries))
            held = (balance.spent.nanos, balance.reserved.nanos)
            if held != sums:
                found.append(imbalance(scope, key, held, sums))
        return found

    async def aclose(self) -> None:
        """Forgets everything."""
        self._closed = True

    def _begin(self) -> _Book:
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

    def _change(self, held: _Held, state: State, event: Event, settlement: Settlement | None, *, expired: bool) -> None:
        reservation, hold, book = held.reservation, held.reservation.hold, self._book
        cost = charge(event, hold.bound, settlement)
        spent, reserved = deltas(held.state, state, hold.bound, cost)
        self._enter(reservation.keys, spent=spent, reserved=reserved)
        if settlement is not None:
            key = TallyKey(reservation.keys.day, hold.model, "cloud")
            self._end(hold.request_id, key, settlement, spent)
        if cost > hold.bound:
            book.blocked[hold.model] = Overbilled(model=hold.model, bound=hold.bound, cost=cost, at=book.time)
        if state != "dispatched":
            book.open.discard(reservation.id)
        book.held[reservation.id] = replace(held, state=state, expired=expired)

    def _end(self, request_id: str, key: TallyKey, settlement: Settlement, spent: int) -> None:
        endings = self._book.endings[request_id]
        endings.append(
            Ended(
                key, settlement.outcome, settlement.input_tokens, settlement.output_tokens, spent,
                _nanos(settlement.baseline), _nanos(settlement.billed), _nanos(settlement.booked),
            )
        )  # fmt: skip
        for one, sums in change(endings).items():
            self._book.tallies[one] = self._book.tallies[one].plus(sums)

    def _enter(self, keys: Keys, *, spent: int, reserved: int) -> None:
        after: dict[tuple[Scope, str], Balance] = {
            (scope, keys.of(scope)): self._after(scope, keys.of(scope), spent, reserved) for scope in SCOPES
        }
        self._book.balances.update(after)
        self._book.entries.append(_Entry(keys, spent, reserved))
        self._touch()

    def _touch(self) -> None:
        self._book.last = self._book.time
        self._clock.saw(self._book.last)

    def _after(self, scope: Scope, key: str, spent: int, reserved: int) -> Balance:
        before = self._balance(scope, key)
        try:
            Usd(before.committed.nanos + spent + reserved)
            return Balance(spent=Usd(before.spent.nanos + spent), reserved=Usd(before.reserved.nanos + reserved))
        except ValueError as error:
            raise StorageError(f"the ledger in memory refused a change that would break the book ({error})") from error

    def _balances(self, keys: Keys) -> Balances:
        return MappingProxyType({scope: self._balance(scope, keys.of(scope)) for scope in SCOPES})

    def _balance(self, scope: Scope, key: str) -> Balance:
        return self._book.balances.get((scope, key), Balance())

    def _tallies(self, key: str) -> dict[TallyKey, Sums]:
        return {one: sums for one, sums in self._book.tallies.items() if one.day.startswith(key)}


def _nanos(amount: Usd | None) -> int | None:
    return None if amount is None else amount.nanos


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
