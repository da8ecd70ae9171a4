"""How well a score routes: APGR, CPT(50) and CPT(80), as RouteLLM's evaluator defines them, with bootstrap intervals."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
BINS = 10


def routing(scores: ArrayLike, weak: ArrayLike, strong: ArrayLike, *, seeds: int = 20) -> Floats:
    """APGR, and CPT(50) and CPT(80) in percent; 0.5, 50 and 80 for a random order. Ties are broken at random and averaged.

    APGR is the area under the share of the quality gap that is recovered, over the share of prompts sent to the strong
    model, in 11 points. CPT(q) is the smallest share of strong calls that recovers q of the gap.
    """
    value, low, high = (np.asarray(column, dtype=np.float64) for column in (scores, weak, strong))
    count, base, gap = len(value), low.mean(), high.mean() - low.mean()
    found: list[list[float]] = []
    for seed in range(seeds if len(np.unique(value)) < count else 1):
        order = np.lexsort((np.random.default_rng(seed).random(count), -value))
        quality = np.concatenate([[0.0], np.cumsum((high - low)[order])]) / count + base
        cut = np.round(np.linspace(0, count, BINS + 1)).astype(int)
        share, reached = cut / count, quality[cut]
        area = float(((reached[1:] + reached[:-1]) / 2 * np.diff(share)).sum())
        thresholds = [float(np.interp(part * gap + base, reached, share) * 100) for part in (0.5, 0.8)]
        found.append([(area - base) / gap, *thresholds])
    return np.mean(found, axis=0)


def interval(
    scores: ArrayLike, weak: ArrayLike, strong: ArrayLike, *, draws: int = 200, seed: int = 0
) -> tuple[float, float]:
    """The middle 95 % of APGR over prompts drawn with replacement."""
    value, low, high = (np.asarray(column, dtype=np.float64) for column in (scores, weak, strong))
    dice = np.random.default_rng(seed)
    found: list[float] = []
    for _ in range(draws):
        rows = dice.integers(0, len(value), len(value))
        found.append(float(routing(value[rows] + 1e-9 * dice.random(len(rows)), low[rows], high[rows], seeds=1)[0]))
    return float(np.percentile(found, 2.5)), float(np.percentile(found, 97.5))
