"""How sure is a model of its answer? By the probabilities of its tokens, and by how far other answers agree with it.

docs/benchmarks.md says how well that tells wrong answers from right ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import fsum

from hybrid_mcp.domain.profile import ModelSpec

FIRST_TOKENS, SHARE_OF_LEAST = 16, 0.4
"""The answer to a question stands at the beginning, and one token that might as well have been another makes it another
answer. Both numbers were chosen with the embedded model; docs/benchmarks.md says how far they can be believed."""

TYPICAL_SCORE = 0.27
"""Of the prompts that the thresholds were chosen on, the mean."""

SHARE_OF_SCORE = 2.0
"""How much surer a model must be for each point (0 to 1) of the score."""
SHARE_OF_AGREEMENT, TYPICAL_AGREEMENT = 2.0, 0.2
"""How much surer an answer counts for each point of agreement above what is typical of the embedded model."""

_WORD = re.compile(r"[^\W_]+")

FLOORS: tuple[tuple[re.Pattern[str], float], ...] = (
    (re.compile(r"smollm2135m"), -1.1),
    (re.compile(r"qwen25coder15b"), -0.65),
)
"""The confidence below which an answer is doubtful, by the letters and digits of the model's name, with its
provider's before it. Models differ, so one that was not measured has none."""


def confidence_of(logprobs: Sequence[float]) -> float | None:
    """The mean natural logarithm of the probability of the tokens that were chosen, and a share of the least one of the
    first; None where there are none."""
    if not logprobs:
        return None
    return fsum(logprobs) / len(logprobs) + SHARE_OF_LEAST * min(logprobs[:FIRST_TOKENS])


def mean_of_one(confidence: float) -> float:
    """The logarithm of the probability of the one token of an answer that has this confidence."""
    return confidence / (1 + SHARE_OF_LEAST)


def floor_of(model: str) -> float | None:
    """The threshold of the model of that name, however its provider spells it; None where it was not measured."""
    plain = "".join(_WORD.findall(model.casefold()))
    return next((floor for pattern, floor in FLOORS if pattern.search(plain)), None)


def threshold_of(spec: ModelSpec) -> float | None:
    """The threshold that holds for a model: what was calibrated, else what was measured for a local one of its name;
    None where its confidence cannot be compared with anything."""
    if spec.confidence_floor is not None:
        return spec.confidence_floor
    return floor_of(spec.name) if spec.local else None


def floor_at(floor: float, score: float) -> float:
    """The threshold for a prompt of that score: the likelier a local model fails on it, the surer it must be.

    At most half as far from certainty as it is for a typical prompt, so that an answer that is sure enough stays good.
    """
    return min(floor + SHARE_OF_SCORE * (score - TYPICAL_SCORE), floor / 2)


def typical(confidence: float, score: float) -> float:
    """What the confidence on a prompt of that score would be worth on a typical one: it is below a threshold exactly
    where the confidence itself is below `floor_at` of it. No threshold reaches 0, so nothing above 0 is told apart."""
    return min(max(confidence - SHARE_OF_SCORE * (score - TYPICAL_SCORE), 2 * confidence), 0.0)


def confirmed(confidence: float, agreement: float) -> float:
    """The confidence of an answer with which others of the same model agree so far (0 to 1)."""
    return confidence + SHARE_OF_AGREEMENT * (agreement - TYPICAL_AGREEMENT)


def can_turn(confidence: float, floor: float) -> bool:
    """Whether any agreement can bring it to the other side of the threshold."""
    return confirmed(confidence, 0.0) < floor <= confirmed(confidence, 1.0)
