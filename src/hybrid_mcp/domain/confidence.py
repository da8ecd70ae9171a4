"""How sure is a model of its answer? By the probabilities of its tokens, and by how far two of its answers agree.

docs/benchmarks.md says how well that tells wrong answers from right ones.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from math import fsum

from hybrid_mcp.domain.profile import ModelSpec

FIRST_TOKENS, SHARE_OF_LEAST = 16, 0.4
"""The answer to a question stands at the beginning, and one token that might as well have been another makes it another
answer. Both numbers were chosen with the embedded model; docs/benchmarks.md says how far they can be believed."""

TYPICAL_SCORE = 0.27
"""Of the prompts that the thresholds were chosen on, the mean."""

LONGEST_COMPARED = 400
"""Characters: longer answers that say the same do so in other words, and comparing words tells nothing."""

_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")
_LETTER = re.compile(r"\s*(?:(?:the )?(?:correct )?answer(?: is)?:?\s*)?[*(]*([A-H])(?:[).:*]|\s*$)", re.IGNORECASE)
_YES_OR_NO = re.compile(r"\s*[*\"']*(yes|no)\b", re.IGNORECASE)
_ARTICLES = "a an the is are was were of in on to for and or it its that this by with as be has have"
_COMMON = frozenset(_ARTICLES.split())

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
    return min(floor + score - TYPICAL_SCORE, floor / 2)


def typical(confidence: float, score: float) -> float:
    """What the confidence on a prompt of that score would be worth on a typical one: it is below a threshold exactly
    where the confidence itself is below `floor_at` of it. No threshold reaches 0, so nothing above 0 is told apart."""
    return min(max(confidence - (score - TYPICAL_SCORE), 2 * confidence), 0.0)


def agreement(one: str, other: str) -> float | None:
    """How far two answers to the same question say the same, 0 to 1; None where they are too long to compare.

    What is compared is what such answers turn on: yes or no, the letter of a choice, the last number; else the words.
    """
    if max(len(one), len(other)) > LONGEST_COMPARED:
        return None
    for said in (_yes_or_no, _letter, _last_number):
        first, second = said(one), said(other)
        if first is not None and second is not None:
            return float(first == second)
    return _overlap(_words(one), _words(other))


def _yes_or_no(text: str) -> str | None:
    found = _YES_OR_NO.match(text)
    return found.group(1).casefold() if found else None


def _letter(text: str) -> str | None:
    found = _LETTER.match(text)
    return found.group(1).casefold() if found else None


def _last_number(text: str) -> float | None:
    numbers = _NUMBER.findall(text)
    return float(numbers[-1].replace(",", "")) if numbers else None


def _words(text: str) -> Counter[str]:
    words = _WORD.findall(text.casefold())
    return Counter([word for word in words if word not in _COMMON] or words)


def _overlap(one: Counter[str], other: Counter[str]) -> float:
    """Sørensen's and Dice's coefficient of the words, each as often as it stands there."""
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 1.0
