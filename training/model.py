"""The learned score: sign-constrained weights of named features, a small weight for each word, and length. numpy alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hybrid_mcp.domain.scorer import english_characters
from hybrid_mcp.domain.scorer_features import EASIER, NAMES, features, scanned, words_of
from hybrid_mcp.domain.scorer_learned import divisor

Floats = NDArray[np.float64]

RIDGE, FLOOR = 1.0, 0.005
"""Each feature pulls at least FLOOR (share of failures for one standard deviation) its way: what is known beforehand counts
where the sets say nothing. Without the floor words of code and of writing, which hardly occur in them, weigh nothing."""
WORD_RIDGE, WORD_PROMPTS = 4.0, 8
"""A word has a weight if at least WORD_PROMPTS training prompts hold it."""
SHRUNK = 0.5
"""So much of the difference between sets, and between the tasks of the mixed set, is taken out of the target."""
PARTS = (1.0, 0.7, 0.3)
"""How features, length and words are added, each in standard deviations over the training prompts."""
REACH = 3.0
"""Features count up to so many standard deviations from their mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Training rows of one set or task: one line of numbers and the words of each prompt, and its share of failures."""

    numbers: Floats
    words: list[list[str]]
    pairs: list[list[str]]
    fails: Floats
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """`coefficients`: raw score for one unit of each feature between `low` and `high`; `words`: before the division."""

    coefficients: Floats
    low: Floats
    high: Floats
    words: dict[str, float]

    def raw(self, numbers: Floats, words: Sequence[Sequence[str]]) -> Floats:
        """One number for each prompt, the higher the likelier a small model fails; not yet a probability."""
        return self.from_features(numbers) + self.from_words(words)

    def from_features(self, numbers: Floats) -> Floats:
        return np.clip(numbers, self.low, self.high) @ self.coefficients

    def from_words(self, words: Sequence[Sequence[str]]) -> Floats:
        return np.array([sum(self.words.get(word, 0.0) for word in line) / divisor(len(line)) for line in words])


def look_at(prompts: Sequence[str]) -> tuple[Floats, list[list[str]], list[list[str]]]:
    """Of each prompt the features, the distinct words, and the distinct words and pairs of neighbouring words."""
    numbers = np.empty((len(prompts), len(NAMES)))
    words: list[list[str]] = []
    pairs: list[list[str]] = []
    for row, prompt in enumerate(prompts):
        text = scanned(prompt)
        spelled = words_of(text)
        distinct = set(spelled)
        numbers[row] = features(text, english_characters(prompt), spelled, len(distinct))
        words.append(sorted(distinct))
        pairs.append(sorted({*distinct, *map("_".join, pairwise(spelled))}))
    return numbers, words, pairs


def train(groups: Sequence[Group]) -> Model:
    """Deterministic: the same groups make the same model."""
    numbers = np.vstack([group.numbers for group in groups])
    weight = np.concatenate([np.full(len(group.fails), group.weight) for group in groups])
    weight /= weight.sum()
    mean, spread = numbers.mean(axis=0), numbers.std(axis=0) + 1e-6
    low, high = mean - REACH * spread, mean + REACH * spread
    scaled = (np.clip(numbers, low, high) - mean) / spread
    everything = float(np.average(np.concatenate([group.fails for group in groups]), weights=weight))
    moved_rows: list[Floats] = []
    moved_fails: list[Floats] = []
    start = 0
    for group in groups:
        rows = scaled[start : start + len(group.fails)]
        start += len(group.fails)
        moved_rows.append(rows - SHRUNK * rows.mean(axis=0))
        moved_fails.append(group.fails - SHRUNK * (group.fails.mean() - everything) - everything)
    target = np.concatenate(moved_fails)
    signs = np.array([-1.0 if name in EASIER else 1.0 for name in NAMES])
    bent = signs * _constrained(np.vstack(moved_rows) * signs, target, weight)
    words = _word_weights([line for group in groups for line in group.words], target, weight)
    unscaled = Model(coefficients=bent / spread, low=low, high=high, words=words)
    all_words = [line for group in groups for line in group.words]
    by_features, by_words = unscaled.from_features(numbers), unscaled.from_words(all_words)
    length = NAMES.index("length")
    coefficients = PARTS[0] * unscaled.coefficients / by_features.std()
    coefficients[length] += PARTS[1] / spread[length]
    scale = PARTS[2] / by_words.std()
    return Model(
        coefficients=coefficients, low=low, high=high, words={word: value * scale for word, value in words.items()}
    )


def ngram_weights(groups: Sequence[Group]) -> dict[str, float]:
    """A baseline: one weight for each word and pair of neighbours, sorted into buckets, no features, no length."""
    fails = np.concatenate([group.fails for group in groups])
    weight = np.concatenate([np.full(len(group.fails), group.weight) for group in groups])
    return _word_weights([line for group in groups for line in group.pairs], fails, weight / weight.sum())


def _constrained(rows: Floats, target: Floats, weight: Floats) -> Floats:
    """Ridge regression whose coefficients are all at least FLOOR, by coordinate descent."""
    centred, wanted = rows - weight @ rows, target - weight @ target
    matrix = (centred * weight[:, None]).T @ centred + RIDGE * np.eye(rows.shape[1])
    right = (centred * weight[:, None]).T @ wanted
    found = np.zeros(rows.shape[1])
    for _ in range(1_000):
        before = found.copy()
        for place in range(len(found)):
            rest = right[place] - matrix[place] @ found + matrix[place, place] * found[place]
            found[place] = max(FLOOR, rest / matrix[place, place])
        if np.abs(found - before).max() < 1e-8:
            break
    return found


def _word_weights(lines: list[list[str]], target: Floats, weight: Floats) -> dict[str, float]:
    """Ridge regression of the target on which words a prompt holds, by conjugate gradients."""
    seen = Counter(word for line in lines for word in line if word[0].isalpha())
    vocabulary = {word: place for place, word in enumerate(sorted(w for w, n in seen.items() if n >= WORD_PROMPTS))}
    row = np.array([at for at, line in enumerate(lines) for word in line if word in vocabulary])
    column = np.array([vocabulary[word] for line in lines for word in line if word in vocabulary])
    value = np.array([1 / divisor(len(line)) for line in lines])[row]
    scaled = weight / weight.mean()
    mean = np.bincount(column, value * scaled[row], len(vocabulary)) / scaled.sum()

    def forward(vector: Floats) -> Floats:
        return np.bincount(row, value * vector[column], len(lines)) - mean @ vector

    def backward(vector: Floats) -> Floats:
        heavy = scaled * vector
        return np.bincount(column, value * heavy[row], len(vocabulary)) - mean * heavy.sum()

    found = np.zeros(len(vocabulary))
    left = backward(target - np.average(target, weights=scaled))
    step, size = left.copy(), float(left @ left)
    first = size
    for _ in range(200):
        pushed = backward(forward(step)) + WORD_RIDGE * step
        ahead = size / float(step @ pushed)
        found += ahead * step
        left -= ahead * pushed
        after = float(left @ left)
        if after < 1e-8 * first:
            break
        step, size = left + after / size * step, after
    return {word: float(found[place]) for word, place in vocabulary.items()}
