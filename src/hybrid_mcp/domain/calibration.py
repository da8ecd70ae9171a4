"""Where does a model's confidence tell its wrong answers from its right ones? Found by answers that were checked."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from hybrid_mcp.domain.confidence import typical

LEAST_OF_EACH = 8
"""Right answers, and wrong ones: with fewer, one that is moved by chance moves the threshold from end to end."""
LEAST_AUC = 0.6
"""Below it confidence says hardly more than a coin would, and a threshold on it would doubt for nothing."""
LOWEST, HIGHEST = -50.0, -0.001
"""Of thresholds: beyond them every answer would be believed, or every one be doubted that is not certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An answer whose worth is known. `score`: of its prompt, 0 to 1."""

    confidence: float
    score: float
    right: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What was found. `auc`: how likely a right answer is surer than a wrong one; None where one kind is missing.

    `threshold`: None where none can be chosen, and `why_none` says why. `doubted_right` and `doubted_wrong`: the shares
    of them that are below it.
    """

    asked: int
    right: int
    auc: float | None = None
    threshold: float | None = None
    doubted_right: float | None = None
    doubted_wrong: float | None = None

    @property
    def why_none(self) -> str | None:
        if self.threshold is not None:
            return None
        if min(self.right, self.asked - self.right) < LEAST_OF_EACH:
            least = f"at least {LEAST_OF_EACH} right and {LEAST_OF_EACH} wrong answers are needed"
            return f"not enough to tell: {self.right} of {self.asked} right, and {least}"
        if self.auc is not None and self.auc >= LEAST_AUC:
            return f"no threshold from {LOWEST:g} to {HIGHEST:g} lies between its right answers and its wrong ones"
        return (
            f"its confidence does not tell right answers from wrong ones (AUC {self.auc:.2f}, {LEAST_AUC:g} is needed)"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """A threshold as it is kept for a model, and what it rests on. `at`: in UTC.

    Raises:
        ValueError: on construction: no calibration comes to that.
    """

    threshold: float
    asked: int
    right: int
    auc: float
    at: datetime

    def __post_init__(self) -> None:
        if not LOWEST <= self.threshold <= HIGHEST:
            raise ValueError(f"threshold must be a number from {LOWEST:g} to {HIGHEST:g}")
        if min(self.right, self.asked - self.right) < LEAST_OF_EACH:
            raise ValueError(f"right must be at least {LEAST_OF_EACH}, and at least {LEAST_OF_EACH} less than asked")
        if not 0 <= self.auc <= 1:
            raise ValueError("auc must be a number from 0 to 1")
        if self.at.utcoffset() != timedelta(0):
            raise ValueError("at must be a time with its zone, such as 2026-11-20T12:00:00+00:00")


def calibrate(answers: Sequence[Checked]) -> Calibration:
    """The threshold that tells wrong answers from right ones best, in whatever order they come, and without raising.

    That is the one with the largest index of Youden (Cancer 3, 1950, pages 32 to 35): the share of the wrong ones that
    it doubts less that of the right ones. It lies midway between two answers, or as near to that as `LOWEST` and
    `HIGHEST` allow; of several that are as good it is the lowest, which doubts the fewest. Confidence is compared as
    `judging.judge` does it, corrected by the score.
    """
    right = sorted(typical(one.confidence, one.score) for one in answers if one.right)
    wrong = sorted(typical(one.confidence, one.score) for one in answers if not one.right)
    found = Calibration(asked=len(answers), right=len(right), auc=_auc(right, wrong))
    if min(len(right), len(wrong)) < LEAST_OF_EACH or found.auc is None or found.auc < LEAST_AUC:
        return found
    thresholds = _between(sorted({*right, *wrong}))
    threshold = max(thresholds, key=lambda at: (_youden(right, wrong, at), -at), default=None)
    if threshold is None:
        return found
    return Calibration(
        asked=found.asked, right=found.right, auc=found.auc, threshold=threshold,
        doubted_right=bisect_left(right, threshold) / len(right),
        doubted_wrong=bisect_left(wrong, threshold) / len(wrong),
    )  # fmt: skip


def _auc(right: Sequence[float], wrong: Sequence[float]) -> float | None:
    """The area under the receiver's curve, as the share of pairs in which the right answer is the surer one; of a tie
    half (Hanley and McNeil, Radiology 143, 1982, pages 29 to 36)."""
    if not right or not wrong:
        return None
    halves = sum(bisect_left(wrong, one) + bisect_right(wrong, one) for one in right)
    return halves / (2 * len(right) * len(wrong))


def _youden(right: Sequence[float], wrong: Sequence[float], threshold: float) -> int:
    """The index times the number of all pairs: whole, so that ties are ties."""
    return bisect_left(wrong, threshold) * len(right) - bisect_left(right, threshold) * len(wrong)


def _between(values: Sequence[float]) -> list[float]:
    """Midway between neighbours as far as a threshold may, in rising order; none where none is between two."""
    return [at for low, high in pairwise(values) if low < (at := min(max((low + high) / 2, LOWEST), HIGHEST)) < high]
