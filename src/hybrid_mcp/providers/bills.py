"""What a vendor says that it charged, read exactly; whatever cannot be a price counts as not told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import cast

from hybrid_mcp.domain.money import NANOS_PER_USD, ZERO, Usd
from hybrid_mcp.domain.profile import Bill

MOST_DOLLARS = 10_000
"""Forty times the dearest call: a million tokens in and 200,000 out at $150 and $600 a million (o1-pro)."""
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,40})?(?:[eE]-?[0-9]{1,2})?")
_TICKS_PER_NANO = 10  # a tick is 1e-10 dollars


def billed(bill: Bill | None, usage: Mapping[str, object]) -> Usd | None:
    """The charge in an answer's usage, None where it is not told."""
    match bill:
        case "dollars":
            return _dollars(usage.get("cost"))
        case "dollars_and_upstream":
            return _with_upstream(usage)
        case "ticks":
            return _ticks(usage.get("cost_in_usd_ticks"))
        case None:
            return None


def _with_upstream(usage: Mapping[str, object]) -> Usd | None:
    """With a key of one's own at the vendor behind, `cost` is the fee alone, and that vendor's bill stands beside it.

    Without one, `upstream_inference_cost` may be told too, but is then contained in `cost`.
    """
    charged = _dollars(usage.get("cost"))
    details = usage.get("cost_details")
    if charged is None or usage.get("is_byok") is False or not isinstance(details, Mapping):
        return charged
    told = cast("Mapping[str, object]", details).get("upstream_inference_cost")
    upstream = ZERO if told is None else _dollars(told)
    return None if upstream is None else charged + upstream


def _dollars(told: object) -> Usd | None:
    """A number, also in a string. The shortest decimal that reads as a float is the text that the vendor wrote."""
    if isinstance(told, bool) or not isinstance(told, (int, float, str)):
        return None
    text = told if isinstance(told, str) else repr(told)
    if not _NUMBER.fullmatch(text) or not 0 <= (dollars := Decimal(text)) <= MOST_DOLLARS:
        return None
    return Usd.cost(dollars)


def _ticks(told: object) -> Usd | None:
    most = MOST_DOLLARS * NANOS_PER_USD * _TICKS_PER_NANO
    if isinstance(told, bool) or not isinstance(told, int) or not 0 <= told <= most:
        return None
    return Usd(-(-told // _TICKS_PER_NANO))
