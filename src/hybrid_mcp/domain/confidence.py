"""How sure is a model of its answer?"""

from __future__ import annotations

import re

SAMPLE_TOKENS = 48
SAMPLE_TEMPERATURE = 0.8
_COMPARED_CHARACTERS = 300
"""Two longer texts say the same in other words, and nothing follows from that."""
_WORD = re.compile(r"[^\W_]+", re.UNICODE)


def is_comparable(text: str) -> bool:
    return 0 < len(text.strip()) <= _COMPARED_CHARACTERS


def agreement(one: str, other: str) -> float:
    """The share of words, 0 to 1, that two short answers have in common."""
    words, others = (set(_WORD.findall(text.casefold())) for text in (one, other))
    return len(words & others) / max(1, min(len(words), len(others)))
