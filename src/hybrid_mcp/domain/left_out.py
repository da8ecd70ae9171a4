"""Models that were left out, in few words: what to do about it is told once, and not for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING

from hybrid_mcp.domain.brevity import cost, cut, few, fitting

if TYPE_CHECKING:
    from hybrid_mcp.domain.eligibility import Cause, Excluded

FACT_TOKENS, REMEDY_TOKENS, DIFFERING_TOKENS, CAUSES_TOKENS = 50, 40, 30, 24
"""The most that one cause may take, what differs in it from model to model, and causes alone."""
FEWEST_NAMES_TOKENS = 12
"""What the names of models with one cause may take where there are many causes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Models that are left out for the same cause."""

    cause: Cause
    models: tuple[str, ...]
    reason: str


def one_by_one(excluded: Sequence[Excluded]) -> list[Excluded]:
    """All of them; a remedy stands with the first model that it is for."""
    told: set[str] = set()
    found: list[Excluded] = []
    for one in excluded:
        found.append(replace(one, remedy="") if one.remedy in told else one)
        told.add(one.remedy)
    return found


def by_cause(excluded: Sequence[Excluded]) -> list[Group]:
    """All of them by cause, the most important cause of each model; what differs stands in one row."""
    causes: dict[Cause, list[Excluded]] = {}
    for one in excluded:
        causes.setdefault(one.cause, []).append(one)
    return [
        Group(cause=cause, models=tuple(one.model for one in group), reason=_reason(group))
        for cause, group in causes.items()
    ]


def in_a_row(excluded: Sequence[Excluded], most: int) -> str:
    """The models with their reasons as a text: one by one where that costs no more than `most`, else by cause."""
    whole = "; ".join(f"{one.model}: {one.reason}" for one in one_by_one(excluded))
    if cost(whole) <= most:
        return whole
    groups = by_cause(excluded)
    names = max(FEWEST_NAMES_TOKENS, most // (2 * len(groups)))
    told = fitting((f"{few(one.models, names)}: {one.reason}" for one in groups), most - CAUSES_TOKENS)
    rest = groups[len(told) :]
    if rest:
        told.append(f"{sum(len(one.models) for one in rest)} more ({causes(rest)})")
    return "; ".join(told) + " (`hybrid-mcp ask --dry-run` lists all)"


def causes(groups: Sequence[Group]) -> str:
    """The causes alone, in a word each."""
    return few([one.cause for one in groups], CAUSES_TOKENS)


def _reason(group: Sequence[Excluded]) -> str:
    fact = cut(_together([one.fact for one in group]), FACT_TOKENS)
    remedies = [one.remedy for one in group if one.remedy]
    return f"{fact}: {cut(_together(remedies), REMEDY_TOKENS)}" if remedies else fact


def _together(texts: Sequence[str]) -> str:
    """Several texts as one: their first and last words that are the same in all, and between them what differs."""
    rows = [text.split(" ") for text in dict.fromkeys(texts)]
    if len(rows) == 1:
        return texts[0]
    shortest = min(map(len, rows))
    head = _same(rows, shortest)
    tail = _same([row[::-1] for row in rows], shortest - head)
    differing = [" ".join(row[head : len(row) - tail]) for row in rows]
    return " ".join((*rows[0][:head], few(differing, DIFFERING_TOKENS), *rows[0][len(rows[0]) - tail :]))


def _same(rows: Sequence[Sequence[str]], most: int) -> int:
    """How many of their first words are the same, up to `most`."""
    columns = zip(*(row[:most] for row in rows), strict=True)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
