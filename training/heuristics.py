"""Two published rules of thumb for the complexity of a prompt: baselines of `training.evaluate`. Prompt only, no context."""

from __future__ import annotations

import re

_REDESIGN = ("refactor", "redesign", "architect")
_DEBUGGING = ("debug", "fix", "error", "bug")
_COMPLEX = ("analyze", "design", "implement", "refactor")
_SIMPLE = ("what is", "list", "summarize")
_CREATIVE = ("story", "poem", "creative", "imagine")
_CODE = re.compile(r"```|^\s*(?:def|class|function|import) \w+", re.MULTILINE)
_QUESTION = ("what", "who", "when", "where", "which", "how", "why", "is", "are", "does", "do", "can")


def heuristic_a(prompt: str) -> int:
    """Length above 1,000 characters, words of redesign and of debugging, more than 8,000 tokens; words as substrings."""
    text = prompt.lower()
    score = 20 if len(prompt) > 1_000 else 0
    score += 30 if any(word in text for word in _REDESIGN) else 0
    score += 20 if any(word in text for word in _DEBUGGING) else 0
    score += 40 if len(prompt) / 4 > 8_000 else 0
    return min(score, 100)


def heuristic_b(prompt: str) -> int:
    """Three steps of length, complex and simple words, code, and questions against creative tasks.

    What is published gives ranges and examples; a complex word counts a tenth, up to three of them.
    """
    text = prompt.lower()
    score = 10 if len(prompt) < 100 else 30 if len(prompt) <= 500 else 50
    score += min(30, 10 * sum(word in text for word in _COMPLEX))
    score -= 10 if any(word in text for word in _SIMPLE) else 0
    score += 30 if _CODE.search(prompt) else 0
    score += 20 if any(word in text for word in _CREATIVE) else -10 if _is_question(text) else 0
    return max(0, min(score, 100))


def _is_question(text: str) -> bool:
    return text.rstrip().endswith("?") or text.lstrip().startswith(_QUESTION)
