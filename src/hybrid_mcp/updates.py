"""Which resources a call has changed: clients that listen to them are told, and read them again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hybrid_mcp.resources import HEALTH, PERIODS, USAGE, WHITELIST

_SPENDING = tuple(USAGE.format(period=period) for period in PERIODS)


def changed_by(tool: str, result: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The addresses of what one call of a tool has changed. `result`: its object, None where it failed.

    What changes without a call, such as a grant in a terminal, is not told of.
    """
    match tool, result:
        case "route_completion" | "get_completion", None:
            # It may have failed after models were asked, and paid.
            return (*_SPENDING, HEALTH)
        case "route_completion" | "get_completion", {"status": "completed", "attempts": attempts}:
            well = all(attempt["outcome"] in {"ok", "doubtful"} for attempt in attempts)
            return _SPENDING if well else (*_SPENDING, HEALTH)
        case "add_to_whitelist", {"status": "added"}:
            return (WHITELIST, HEALTH)
        case _:
            return ()
