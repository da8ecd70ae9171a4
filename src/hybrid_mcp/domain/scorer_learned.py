"""The learned part of the score: how likely a small local model fails on a prompt, in named shares.

The weights are data of the package, made by `training/`; docs/scorer.md is their model card.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import islice, repeat

from hybrid_mcp.domain import scorer_weights
from hybrid_mcp.domain.scorer_features import NAMES, SIGNALS, features

BASE_HUNDREDTHS = scorer_weights.BASE_HUNDREDTHS
_FEATURES = [scorer_weights.FEATURES[name] for name in NAMES]


def learned_shares(text: str, size: int, counts: Mapping[str, int]) -> dict[str, int]:
    """Hundredths by signal, on top of `BASE_HUNDREDTHS`.

    `text`: what is scanned of the prompt. `size`: the whole prompt's, in characters of English. `counts`: how
    often each of the text's words is in it.
    """
    found = map(_share, features(text, size, counts), _FEATURES)
    shares = {signal: round(sum(islice(found, len(names)))) for signal, names in SIGNALS.items()}
    heard = sum(map(word_weights().get, counts, repeat(0)))
    shares["words"] = round(heard * scorer_weights.HUNDREDTHS_PER_WORD_UNIT / divisor(len(counts)))
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


def _share(value: float, weight: tuple[float, float, float, float]) -> float:
    hundredths, low, high, none = weight
    return hundredths * ((low if value < low else high if value > high else value) - none)
