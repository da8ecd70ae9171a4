"""What the owner takes back of a charge, because the provider's own bill says less than its answer did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from hybrid_mcp.domain.budget import Overbilled
from hybrid_mcp.domain.errors import InvalidRequest
from hybrid_mcp.domain.money import ZERO, Usd


class Said(NamedTuple):
    """Changes of what the provider said of a call and of what the price book made of it, in nano-dollars."""

    billed: int | None
    booked: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A call that was `charged` too much, and what it was `billed` in truth."""

    charged: Usd
    billed: Usd

    @property
    def spent_delta(self) -> int:
        """In nano-dollars, never above 0."""
        return self.billed.nanos - self.charged.nanos

    def said(self, billed: int | None, booked: int | None) -> Said:
        """Makes both of them the true bill, so that they tell nothing of the price; None where nothing was said."""
        if billed is None:
            return Said(None, None)
        return Said(self.billed.nanos - billed, self.billed.nanos - (booked or 0))


def corrections(calls: Sequence[Overbilled], billed: Usd) -> tuple[Correction, ...]:
    """One for each of the calls, which were billed so much together: in proportion to what each was charged.

    Raises:
        InvalidRequest: it is more than they were charged.
    """
    charged = sum((call.cost for call in calls), ZERO)
    if billed > charged:
        raise InvalidRequest(
            f"{billed} is more than the {charged} that was charged for {_words(len(calls))}: give what the provider's "
            "own bill says. Nothing was changed"
        )
    found: list[Correction] = []
    before = ZERO
    for call in calls:
        after = before + call.cost
        share = _part(billed, after, charged) - _part(billed, before, charged)
        found.append(Correction(charged=call.cost, billed=Usd(share)))
        before = after
    return tuple(found)


def together(calls: Sequence[Overbilled]) -> Overbilled:
    """Calls of one model as one: their bounds and costs, and when the last was charged."""
    return replace(
        calls[-1], calls=sum(call.calls for call in calls), bound=sum((call.bound for call in calls), ZERO),
        cost=sum((call.cost for call in calls), ZERO),
    )  # fmt: skip


def by_model(calls: Iterable[Overbilled]) -> dict[str, Overbilled]:
    """The same for each of the models, in the order of their names."""
    groups: dict[str, list[Overbilled]] = {}
    for call in calls:
        groups.setdefault(call.model, []).append(call)
    return {model: together(groups[model]) for model in sorted(groups)}


def _part(amount: Usd, numerator: Usd, denominator: Usd) -> int:
    return amount.nanos * numerator.nanos // denominator.nanos


def _words(calls: int) -> str:
    return "the call" if calls == 1 else f"the {calls} calls"
