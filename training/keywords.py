"""The first version of the score, keyword rules alone: a baseline of `training.evaluate`. Prompt only, no context."""

from __future__ import annotations

import itertools
import re

from hybrid_mcp.domain.scorer import english_characters

_LENGTH = ((0, 0), (50, 10), (300, 30), (800, 50))
"""Points (characters of English, hundredths); straight lines between them."""

_COMPLEX = frozenset(
    {
        "analyze",
        "analyse",
        "analysis",
        "design",
        "implement",
        "optimize",
        "optimise",
        "prove",
        "proof",
        "derive",
        "compare",
        "evaluate",
        "architecture",
        "algorithm",
        "concurrency",
        "distributed",
        "integrate",
        "integration",
        "strategy",
        "tradeoff",
        "tradeoffs",
        "synthesize",
        "investigate",
    }
)
_COMPLEX_SHARES = (0, 15, 25, 30)
_REDESIGN = frozenset({"refactor", "refactoring", "redesign", "architect", "rearchitect", "restructure"})
_DEBUGGING = frozenset(
    {
        "debug",
        "debugging",
        "fix",
        "error",
        "errors",
        "bug",
        "bugs",
        "crash",
        "crashes",
        "traceback",
        "deadlock",
        "segfault",
    }
)
_SIMPLE = frozenset({"list", "summarize", "summarise", "define", "translate", "spell", "name"})
_SIMPLE_PHRASES = (
    " what is ",
    " what s ",
    " what are ",
    " what was ",
    " who is ",
    " who was ",
    " when is ",
    " when was ",
    " where is ",
)
_CREATIVE = frozenset(
    {"story", "poem", "poems", "lyrics", "novel", "haiku", "screenplay", "slogan", "limerick", "brainstorm"}
)
_QUESTION_WORDS = frozenset({"what", "who", "when", "where", "which", "how", "is", "are", "does", "do", "can"})
_SEPARATORS = bytes(code if code > 127 or chr(code).isalnum() else 32 for code in range(256))
"""What ends a word: every ASCII byte that is no letter or digit. Bytes, because that is many times faster."""
_TYPOGRAPHIC = "\u2018\u2019\u201c\u201d\u2013\u2014\u2026"
_WORD_SCAN_CHARS = 32_768
"""Words are looked for in this many characters at the start and at the end of the prompt."""
_FENCE = "```"
_DEFINITION = re.compile(
    r"^[ \t]*(?:(?:async )?def \w+\(|class \w+|function \w+\(|fn \w+|func \w+\(|#include\b|import \w+|from \w+ import"
    r"|public \w+|(?:const|let|var) \w+ =|SELECT .{1,200}? FROM )",
    re.MULTILINE,
)
_CODE_CHARACTERS = "{}();=<>[]"
_CODE_DENSITY_UNIT = 12


def keywords(prompt: str) -> int:
    """Hundredths, not held to 0..100, so that the order of long prompts is kept."""
    spelled = _words(prompt)
    words = set(spelled)
    return sum(
        (
            _between(english_characters(prompt), _LENGTH),
            _COMPLEX_SHARES[min(len(words & _COMPLEX), 3)],
            -10 if words & _SIMPLE or (words & _QUESTION_WORDS and _has_phrase(spelled)) else 0,
            _code_share(prompt),
            _prompt_kind(prompt, spelled),
            20 if words & _DEBUGGING else 0,
            30 if words & _REDESIGN else 0,
            40 if english_characters(prompt) >= 32_000 else 0,
        )
    )


def _words(prompt: str) -> list[str]:
    scanned = prompt
    if len(prompt) > 2 * _WORD_SCAN_CHARS:
        scanned = f"{prompt[:_WORD_SCAN_CHARS]} {prompt[-_WORD_SCAN_CHARS:]}"
    if not scanned.isascii():
        for mark in _TYPOGRAPHIC:
            scanned = scanned.replace(mark, " ")
    return scanned.encode().lower().translate(_SEPARATORS).decode().split()


def _has_phrase(words: list[str]) -> bool:
    text = f" {' '.join(words)} "
    return any(phrase in text for phrase in _SIMPLE_PHRASES)


def _between(size: int, points: tuple[tuple[int, int], ...]) -> int:
    for (left, low), (right, high) in itertools.pairwise(points):
        if size < right:
            return low + (size - left) * (high - low) // (right - left)
    return points[-1][1]


def _code_share(prompt: str) -> int:
    if _FENCE in prompt:
        return 30
    defined = 20 if _DEFINITION.search(prompt[:_WORD_SCAN_CHARS]) else 0
    return min(30, defined + min(10, _code_density(prompt)))


def _code_density(text: str) -> int:
    return sum(map(text.count, _CODE_CHARACTERS)) // _CODE_DENSITY_UNIT


def _prompt_kind(prompt: str, words: list[str]) -> int:
    if not _CREATIVE.isdisjoint(words):
        return 20
    return -10 if _is_question(prompt, words) else 0


def _is_question(prompt: str, words: list[str]) -> bool:
    return prompt.rstrip().endswith(("?", "\uff1f")) or (bool(words) and words[0] in _QUESTION_WORDS)
