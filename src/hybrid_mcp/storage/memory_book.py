"""The book of a ledger that is kept in memory: all that there is to know, and what each change does to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from hybrid_mcp.domain.alerts import Alert
from hybrid_mcp.domain.budget import SCOPES, Balance, Balances, Keys, Overbilled, Scope
from hybrid_mcp.domain.corrections import Correction, by_model, corrections, together
from hybrid_mcp.domain.errors import StorageError
from hybrid_mcp.domain.money import Usd
from hybrid_mcp.domain.reservation import CORRECTED, Reservation, Settlement, State, imbalance
from hybrid_mcp.domain.usage import Ended, Sums, TallyKey, change


@dataclass(frozen=True, slots=True)
class Held:
    """`settlement`: how its owner ended it."""

    reservation: Reservation
    expires_at: datetime
    state: State = "reserved"
    expired: bool = False
    settlement: Settlement | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    keys: Keys
    spent_delta: int
    reserved_delta: int


@dataclass(slots=True)
class Book:
    """`time`: the book's own; `last`: that of the last entry. Calls that were charged too much by their reservations:
    `overbilled` blocks their models, `lifted` can still be corrected."""

    time: datetime
    last: datetime | None = None
    held: dict[str, Held] = field(default_factory=dict[str, Held])
    open: set[str] = field(default_factory=set[str])
    entries: list[_Entry] = field(default_factory=list[_Entry])
    endings: dict[str, list[Ended]] = field(default_factory=lambda: defaultdict(list))
    balances: dict[tuple[Scope, str], Balance] = field(default_factory=dict[tuple[Scope, str], Balance])
    tallies: dict[TallyKey, Sums] = field(default_factory=lambda: defaultdict(Sums))
    overbilled: dict[str, Overbilled] = field(default_factory=dict[str, Overbilled])
    lifted: dict[str, Overbilled] = field(default_factory=dict[str, Overbilled])
    alerts: set[Alert] = field(default_factory=set[Alert])

    def enter(self, keys: Keys, *, spent: int, reserved: int) -> None:
        """Append an entry, and change the balances of its scopes by as much.

        Raises:
            StorageError: an amount would be one that cannot be. Nothing is changed.
        """
        after: dict[tuple[Scope, str], Balance] = {
            (scope, keys.of(scope)): self._after(scope, keys.of(scope), spent, reserved) for scope in SCOPES
        }
        self.balances.update(after)
        self.entries.append(_Entry(keys, spent, reserved))
        self.last = self.time

    def end(self, request_id: str, key: TallyKey, settlement: Settlement, spent: int) -> None:
        """Count the newest ending of a request."""
        endings = self.endings[request_id]
        endings.append(
            Ended(
                key, settlement.outcome, settlement.input_tokens, settlement.output_tokens, spent,
                _nanos(settlement.baseline), _nanos(settlement.billed), _nanos(settlement.booked),
            )
        )  # fmt: skip
        for one, sums in change(endings).items():
            self.tallies[one] = self.tallies[one].plus(sums)

    def blocked(self) -> dict[str, Overbilled]:
        return by_model(self.overbilled.values())

    def unblock(self, model: str, billed: Usd | None) -> Overbilled | None:
        """See ports.Ledger."""
        calls = _of(self.overbilled, model)
        wrong = calls or ({} if billed is None else _of(self.lifted, model))
        if not wrong:
            return None
        if billed is not None:
            found = corrections(list(wrong.values()), billed)
            for name, correction in zip(wrong, found, strict=True):
                self._correct(self.held[name], correction)
        self.lifted = {name: call for name, call in self.lifted.items() if call.model != model}
        self.overbilled = {name: call for name, call in self.overbilled.items() if call.model != model}
        if billed is None:
            self.lifted.update(calls)
        return together(list(wrong.values()))

    def _correct(self, held: Held, correction: Correction) -> None:
        reservation, ended = held.reservation, held.settlement
        said = correction.said(
            None if ended is None else _nanos(ended.billed), None if ended is None else _nanos(ended.booked)
        )
        self.enter(reservation.keys, spent=correction.spent_delta, reserved=0)
        key = TallyKey(reservation.keys.day, reservation.hold.model, "cloud")
        wrong = Sums(cost=correction.spent_delta, billed=said.billed or 0, booked=said.booked or 0)
        # What was saved stays as it was: the tokens that it was measured with may be as wrong as the cost was.
        self.tallies[key] = self.tallies[key].plus(wrong)
        self.held[reservation.id] = replace(held, state=CORRECTED)

    def check(self) -> Sequence[str]:
        """What is wrong, one line each."""
        found: list[str] = []
        for (scope, key), balance in self.balances.items():
            entries = [entry for entry in self.entries if entry.keys.of(scope) == key]
            sums = (sum(entry.spent_delta for entry in entries), sum(entry.reserved_delta for entry in entries))
            held = (balance.spent.nanos, balance.reserved.nanos)
            if held != sums:
                found.append(imbalance(scope, key, held, sums))
        return found

    def balances_of(self, keys: Keys) -> Balances:
        return MappingProxyType({scope: self.balance(scope, keys.of(scope)) for scope in SCOPES})

    def balance(self, scope: Scope, key: str) -> Balance:
        return self.balances.get((scope, key), Balance())

    def tallies_of(self, key: str) -> dict[TallyKey, Sums]:
        """Of a day or a month."""
        return {one: sums for one, sums in self.tallies.items() if one.day.startswith(key)}

    def _after(self, scope: Scope, key: str, spent: int, reserved: int) -> Balance:
        before = self.balance(scope, key)
        try:
            Usd(before.committed.nanos + spent + reserved)
            return Balance(spent=Usd(before.spent.nanos + spent), reserved=Usd(before.reserved.nanos + reserved))
        except ValueError as error:
            raise StorageError(f"the ledger in memory refused a change that would break the book ({error})") from error


def _of(calls: dict[str, Overbilled], model: str) -> dict[str, Overbilled]:
    return {name: call for name, call in calls.items() if call.model == model}


def _nanos(amount: Usd | None) -> int | None:
    return None if amount is None else amount.nanos
