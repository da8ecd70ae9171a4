"""How much quality an order of escalation recovers: areas below the curve of quality against share escalated."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

DRAWS = 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: how much the weak answer is doubted, and which of the two models answers it right."""

    doubt: float
    weak: bool
    strong: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """`area`: mean quality over all shares escalated. `normalised`: 0 for a random order, 1 for the oracle's.

    The oracle knows which weak answers are wrong, and does not know which strong ones are.
    """

    area: float
    random: float
    oracle: float

    @property
    def normalised(self) -> float:
        return (self.area - self.random) / (self.oracle - self.random)


def recovered(asked: Sequence[Asked]) -> Recovered:
    """Areas for this order, a random one and the oracle's. Equal doubts are escalated in a random order."""
    gains = [(one.doubt, one.strong - one.weak) for one in asked]
    known = [(float(not one.weak), one.strong - one.weak) for one in asked]
    weak, strong = (sum(column) / len(asked) for column in zip(*((one.weak, one.strong) for one in asked), strict=True))
    return Recovered(area=weak + _area(gains), random=(weak + strong) / 2, oracle=weak + _area(known))


def quality_at(asked: Sequence[Asked], share: float) -> float:
    """Quality where this share of the questions, the most doubted ones, is escalated."""
    ranked = sorted(asked, key=lambda one: -one.doubt)
    cut = round(share * len(ranked))
    return sum(one.strong if place < cut else one.weak for place, one in enumerate(ranked)) / len(ranked)


def auc(asked: Iterable[Asked]) -> float:
    """The probability that a wrong weak answer is doubted more than a right one; equal doubts count half."""
    rows = sorted((one.doubt, not one.weak) for one in asked)
    below, won = 0, 0.0
    for _, group in groupby(rows, key=lambda row: row[0]):
        outcomes = [wrong for _, wrong in group]
        wrong = sum(outcomes)
        right = len(outcomes) - wrong
        won += wrong * (below + right / 2)
        below += right
    return won / (below * (len(rows) - below))


def interval(measure: Callable[[Sequence[Asked]], float], asked: Sequence[Asked]) -> tuple[float, float]:
    """The middle 95 % of a figure over questions drawn with replacement."""
    dice = random.Random(0)  # noqa: S311 - the same draws each time are what is wanted
    found = sorted(measure(dice.choices(asked, k=len(asked))) for _ in range(DRAWS))
    return found[round(0.025 * DRAWS)], found[round(0.975 * DRAWS) - 1]


def _area(gains: Sequence[tuple[float, int]]) -> float:
    """The mean gain over all shares: what is escalated first counts over nearly all of them, the last over none."""
    total, before = 0.0, 0
    for _, group in groupby(sorted(gains, key=lambda row: -row[0]), key=lambda row: row[0]):
        found = [gain for _, gain in group]
        # In the expectation over their orders each stands in the middle of its equals.
        total += sum(found) * (1 - (before + len(found) / 2) / len(gains))
        before += len(found)
    return total / len(gains)
