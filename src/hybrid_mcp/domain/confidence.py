"""How likely is a local model's answer wrong? Told from its tokens' probabilities and its prompt's score.

A logistic function with weights for each model, which `python -m bench.cascade.fitting` finds on questions with known
answers. docs/benchmarks.md says how well it sends the wrong ones to a stronger model.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

from hybrid_mcp.domain.completion import Completion

LONGEST_COMPARED = 400
"""Characters: longer answers that say the same do so in other words, and comparing words tells nothing."""

_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")
_LETTER = re.compile(r"\s*(?:(?:the )?(?:correct )?answer(?: is)?:?\s*)?[*(]*([A-H])(?:[).:*]|\s*$)", re.IGNORECASE)
_YES_OR_NO = re.compile(r"\s*[*\"']*(yes|no)\b", re.IGNORECASE)
_ARTICLES = "a an the is are was were of in on to for and or it its that this by with as be has have"
_COMMON = frozenset(_ARTICLES.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What was learned of one model. `weights`: a constant, then those of `features`, in their order.

    `doubtful_from`: the doubt from which an answer is worth another model's time.
    """

    weights: tuple[float, float, float]
    doubtful_from: float


CALIBRATIONS: tuple[tuple[re.Pattern[str], Calibration], ...] = (
    # Of 96 answers, 59 of them wrong: few, and they hardly tell wrong from right better than chance.
    (re.compile(r"smollm2135m|^embeddedsmollm2$"), Calibration(weights=(-0.06, 0.67, 0.66), doubtful_from=0.65)),
)
"""By the letters and digits of the model's name, with its provider's before it."""
CONSERVATIVE = Calibration(weights=(-1.5, 3.0, 1.0), doubtful_from=0.5)
"""For a model that was not measured, set by hand: at a score of 0.3 it doubts below a mean log-probability of -0.4.
Of 46 one-line questions Qwen2.5-Coder-1.5B answered 40 with -0.3 and above, 39 of them right."""


def calibration(model: str) -> Calibration:
    """What was learned of the model of that name, in whatever way its provider spells it."""
    plain = "".join(_WORD.findall(model.casefold()))
    return next((found for pattern, found in CALIBRATIONS if pattern.search(plain)), CONSERVATIVE)


def doubt(completion: Completion, *, model: str, score: float) -> float | None:
    """The probability, 0 to 1, that this local answer is wrong; None where its tokens' probabilities are not known.

    `score`: the prompt's, 0 to 1, as it was before the call. Says nothing about an answer that a grammar held to a
    schema: providers give no probabilities there.
    """
    found = features(completion, score)
    if found is None:
        return None
    constant, *weights = calibration(model).weights
    return _logistic(constant + sum(weight * value for weight, value in zip(weights, found, strict=True)))


def is_doubtful(completion: Completion, *, model: str, score: float) -> bool:
    """Whether another model is worth asking; False where nothing is known."""
    found = doubt(completion, model=model, score=score)
    return found is not None and found >= calibration(model).doubtful_from


def features(completion: Completion, score: float) -> tuple[float, ...] | None:
    """What doubt is made of, the larger the worse; None without log-probabilities."""
    mean = completion.mean_logprob
    return None if mean is None else (-mean, score)


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


def _logistic(value: float) -> float:
    # Beyond these ends nothing changes but the risk of an overflow.
    return 1 / (1 + math.exp(-max(-40.0, min(40.0, value))))


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
