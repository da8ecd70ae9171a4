"""A logistic regression, for what is learned on the tuning set."""

from __future__ import annotations

import math
from collections.abc import Sequence

RIDGE = 1.0
"""Keeps the weights of 292 questions small; the features are of about the same size."""
STEPS = 30

Row = Sequence[float]


def fitted(rows: Sequence[Row], wrong: Sequence[bool], *, ridge: float = RIDGE) -> list[float]:
    """Weights of a logistic regression, the constant first, by Newton's method."""
    table = [(1.0, *row) for row in rows]
    size = len(table[0])
    weights = [0.0] * size
    for _ in range(STEPS):
        slope = [0.0] + [-ridge * weight for weight in weights[1:]]
        bend = [[ridge if at == to and at else 0.0 for to in range(size)] for at in range(size)]
        for row, is_wrong in zip(table, wrong, strict=True):
            likely = _logistic(sum(map(_times, weights, row)))
            for at in range(size):
                slope[at] += (is_wrong - likely) * row[at]
                for to in range(size):
                    bend[at][to] += likely * (1 - likely) * row[at] * row[to]
        weights = [weight + step for weight, step in zip(weights, _solved(bend, slope), strict=True)]
    return weights


def chance(weights: Sequence[float], row: Row) -> float:
    """The probability that the fitted weights give to a row."""
    return _logistic(sum(map(_times, weights, (1.0, *row))))


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def _times(one: float, other: float) -> float:
    return one * other


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Gaussian elimination; the matrix is positive definite, so no pivot is zero."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for at, pivot in enumerate(rows):
        for below in rows[at + 1 :]:
            part = below[at] / pivot[at]
            below[at:] = [value - part * above for value, above in zip(below[at:], pivot[at:], strict=True)]
    found = [0.0] * len(rows)
    for at in reversed(range(len(rows))):
        rest = sum(map(_times, rows[at][at + 1 : -1], found[at + 1 :]))
        found[at] = (rows[at][-1] - rest) / rows[at][at]
    return found
