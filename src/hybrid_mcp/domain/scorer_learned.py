"""The learned part of the score: how likely a small local model fails on a prompt, in named shares.

The weights are data of the package, made by `training/`; docs/scorer.md is their model card.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache
from itertools import islice, repeat

from hybrid_mcp.domain import scorer_weights
from hybrid_mcp.domain.scorer_features import NAMES, SIGNALS

BASE_HUNDREDTHS = scorer_weights.BASE_HUNDREDTHS
_FEATURES = [scorer_weights.FEATURES[name] for name in NAMES]
_COUNTS = [(signal, len(names)) for signal, names in SIGNALS.items()]


def learned_shares(numbers: Iterable[float], words: Collection[str]) -> dict[str, int]:
    """Hundredths by signal, on top of `BASE_HUNDREDTHS`.

    `numbers`: the prompt's features. `words`: its distinct words.
    """
    found = iter(
        [
            hundredths * ((low if value < low else high if value > high else value) - none)
            for value, (hundredths, low, high, none) in zip(numbers, _FEATURES, strict=True)
        ]
    )
    shares = {signal: round(sum(islice(found, count))) for signal, count in _COUNTS}
    heard = sum(map(word_weights().get, words, repeat(0)))
    shares["words"] = round(heard * scorer_weights.HUNDREDTHS_PER_WORD_UNIT / divisor(len(words)))
    return shares


def divisor(distinct_words: int) -> float:
    """What the sum of the words' weights is divided by: less than their number, so that weak hints add up."""
    return float((distinct_words + 3.0) ** 0.7)


@cache
def word_weights() -> dict[str, int]:
    """The word table, read at the first score and not at the program's start."""
    table: dict[str, int] = {}
    for line in scorer_weights.WORDS.splitlines():
        weight, *words = line.split()
        table.update(dict.fromkeys(words, int(weight)))
    return table
