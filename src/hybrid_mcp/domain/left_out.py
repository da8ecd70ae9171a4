"""Models that were left out, in few words: what to do about it is told once, and not for each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from hybrid_mcp.domain.brevity import cost, cut, cut_inside, few, fitting

if TYPE_CHECKING:
    from hybrid_mcp.domain.eligibility import Cause, Excluded

FACT_TOKENS, REMEDY_TOKENS, DIFFERING_TOKENS, CAUSES_TOKENS = 50, 60, 30, 16
"""The most that one cause may take, what differs in it from model to model, and causes alone."""
SHORT_FACT_TOKENS = 16
"""What may be told of the matter, where nothing else says what to do."""
NAMES_TOKENS = (100, 50, 25, 12)
"""What the names of models that are left out for one cause may take: the first of these that fits."""
IMPORTANT: Sequence[Cause] = ("blocked", "budget", "reserved", "key", "whitelist")
"""What costs money or waits for the owner is told before the others, the first of these first."""
LISTED = " (`hybrid-mcp ask --dry-run` lists all)"
_COMMAND = re.compile(r"`hybrid-mcp [^`]+`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Models that are left out for the same cause. `remedy`: what to do about it, where the fact does not say."""

    cause: Cause
    models: tuple[str, ...]
    fact: str
    remedy: str = ""

    @property
    def reason(self) -> str:
        return f"{self.fact}: {self.remedy}" if self.remedy else self.fact

    @property
    def short(self) -> str:
        if not self.remedy:
            return cut_inside(self.fact, SHORT_FACT_TOKENS)
        return f"{self.cause}: {_command(self.remedy) or self.remedy}"


class Row(NamedTuple):
    """As many models as there is room for, and why they are left out."""

    models: str
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
    """All of them by cause, the most important cause first; what differs stands in one row."""
    causes: dict[Cause, list[Excluded]] = {}
    for one in excluded:
        causes.setdefault(one.cause, []).append(one)
    return [
        Group(cause=cause, models=tuple(one.model for one in group), fact=_fact(group), remedy=_remedy(group))
        for cause, group in sorted(causes.items(), key=lambda item: _rank(item[0]))
    ]


def rows(groups: Sequence[Group]) -> Iterator[list[Row]]:
    """All groups in less and less words: fewer names, then of the least important ones only what to do."""
    for most in NAMES_TOKENS:
        yield [Row(few(one.models, most), one.reason) for one in groups]
    for whole in reversed(range(len(groups))):
        yield [
            Row(few(one.models, NAMES_TOKENS[-1]), one.reason if place < whole else one.short)
            for place, one in enumerate(groups)
        ]


def in_a_row(excluded: Sequence[Excluded], most: int) -> str:
    """The models with their reasons as a text: one by one where that costs no more than `most`, else by cause.

    The most important cause is always told, with the name of a model and what to do.
    """
    whole = "; ".join(f"{one.model}: {one.reason}" for one in one_by_one(excluded))
    if cost(whole) <= most:
        return whole
    most -= cost(LISTED)
    groups, texts = by_cause(excluded), [""]
    for found in rows(groups):
        texts = [f"{row.models}: {row.reason}" for row in found]
        if cost("; ".join(texts)) <= most:
            return "; ".join(texts) + LISTED
    told = fitting(texts, most - NAMES_TOKENS[-1] - CAUSES_TOKENS) or texts[:1]
    if len(told) < len(groups):
        names, causes = rest(groups[len(told) :], most)
        told.append(f"{names} ({causes})")
    return "; ".join(told) + LISTED


def rest(groups: Sequence[Group], most: int) -> Row:
    """How many they are, with the first one's name where that costs no more than `most`, and a word for each cause."""
    models = [model for one in groups for model in one.models]
    causes = few([one.cause for one in groups], CAUSES_TOKENS)
    names = few(models, NAMES_TOKENS[-1])
    return Row(names if cost(names + causes) <= most else f"{len(models)} more", causes)


def _rank(cause: Cause) -> int:
    return IMPORTANT.index(cause) if cause in IMPORTANT else len(IMPORTANT)


def _fact(group: Sequence[Excluded]) -> str:
    return cut_inside(_together([one.fact for one in group]), FACT_TOKENS)


def _remedy(group: Sequence[Excluded]) -> str:
    """What to do, for all of them: a command is told whole, with MODEL for their names where these are many or long."""
    remedies = {one.remedy: one.model for one in group if one.remedy}
    together = _together(list(remedies))
    if len(remedies) < 2 and cost(together) <= REMEDY_TOKENS:
        return together
    first, model = next(iter(remedies.items()))
    command = _command(first)
    if not command:
        return cut(together, REMEDY_TOKENS)
    if len(remedies) == 1 and cost(command) <= REMEDY_TOKENS:
        return command
    return command.replace(f" {model}`", " MODEL`") + (" for each" if len(remedies) > 1 else "")


def _command(remedy: str) -> str:
    found = _COMMAND.search(remedy)
    return found[0] if found else ""


def _together(texts: Sequence[str]) -> str:
    """Texts as one: their first and last words that are the same in all, and between them what differs."""
    rows = [text.split(" ") for text in dict.fromkeys(texts)]
    if len(rows) < 2:
        return "".join(texts[:1])
    shortest = min(map(len, rows))
    head = _same(rows, shortest)
    tail = _same([row[::-1] for row in rows], shortest - head)
    differing = [" ".join(row[head : len(row) - tail]) for row in rows]
    return " ".join((*rows[0][:head], few(differing, DIFFERING_TOKENS), *rows[0][len(rows[0]) - tail :]))


def _same(rows: Sequence[Sequence[str]], most: int) -> int:
    """How many of their first words are the same, up to `most`."""
    columns = zip(*(row[:most] for row in rows), strict=True)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
