"""What a book is known to have held, kept beside it, so that an older copy in its place does not forget spending."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hybrid_mcp.domain.money import Usd

COPIED = (
    "the ledger is a copy, or was restored this month: what was spent after the copy was made is not known here. Lower "
    "the caps for the rest of the month if that may be much"
)
"""What the owner should know where even the high-water mark is a copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HighWater:
    """`entry`: the number of the book's last entry. Amounts are spent plus reserved, in nano-dollars.

    `projects` holds those of the month by their key.
    """

    book: str
    entry: int
    day: str
    month: str
    of_day: int
    projects: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """An amount that the book has lost, and the day and the project that it counts in."""

    day: str
    month: str
    project: str
    nanos: int


def missing(mark: HighWater, *, of_day: int, projects: Mapping[str, int]) -> tuple[Missing, ...]:
    """What the book held at its high-water mark and does not hold now, given what it holds now of the same scopes.

    What was not of the mark's day is put on the first day of its month. What the day alone lacks is put on no project.
    """
    found: list[Missing] = []
    today = max(0, mark.of_day - of_day)
    for project, held in mark.projects.items():
        lost = max(0, held - projects.get(project, 0))
        part = min(lost, today)
        today -= part
        found.append(Missing(day=mark.day, month=mark.month, project=project, nanos=part))
        found.append(Missing(day=f"{mark.month}-01", month=mark.month, project=project, nanos=lost - part))
    found.append(Missing(day=mark.day, month=mark.month, project=f"{mark.month} ", nanos=today))
    return tuple(one for one in found if one.nanos)


def restored_words(amount: Usd) -> str:
    """What the owner should know where an amount was charged again."""
    return (
        f"the ledger was replaced by an older copy this month: {amount} that was known to be spent or reserved "
        "after it was charged again, without the details"
    )
