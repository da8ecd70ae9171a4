"""How likely does a small local model fail on a request? One score from 0 to 1 and the named signals that make it up.

What the prompt shows is learned from public results (docs/scorer.md). Rules add what those hold no examples of: words
of design, debugging and redesign, code, the task type given, the size of the context, more than 8,000 tokens in all.
Shares are whole hundredths, so that a threshold of 0.60 means exactly 60. Only the prompt's words count, and more
context never lowers the score.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.learning import Learned
from hybrid_mcp.domain.scorer_features import features, scanned, words_of
from hybrid_mcp.domain.scorer_learned import BASE_HUNDREDTHS, learned_shares
from hybrid_mcp.domain.traits import Traits, traits

OUTCOMES = "outcomes"
"""The signal of what this home has learned of its own local models."""
LARGE_CONTEXT_TOKENS = 8_000
"""Above this many estimated tokens a small local context window is used up."""

_CONTEXT = ((0, 0), (10_000, 30))
_EXPLAIN = ((0, 0), (5_000, 30))
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
_COMPLEX_SHARES = (0, 10, 18, 25)
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
_CREATIVE = frozenset(
    {"story", "poem", "poems", "lyrics", "novel", "haiku", "screenplay", "slogan", "limerick", "brainstorm"}
)
_REASONING = frozenset({"why", "prove", "derive", "reason", "reasoning", "calculate", "solve", "deduce"})
_QUESTION_WORDS = frozenset({"what", "who", "when", "where", "which", "how", "is", "are", "does", "do", "can"})
_REVIEW_OF = frozenset({"code", "function", "class", "diff", "patch", "pull", "commit", "module"})

_REASONED = _REASONING | _COMPLEX | _DEBUGGING
_DESIGNED = _REDESIGN | {"architecture", "design"}
_INLINE_VERBS = frozenset({"complete", "finish", "continue"})
_TELLING = _REASONED | _DESIGNED | _SIMPLE | _CREATIVE | _REVIEW_OF | _INLINE_VERBS | {"review", "explain"}
"""All words that a rule asks for: of a usual prompt a handful, which each rule then looks through fast."""

_FENCE = "```"
_DEFINITION = (
    r"[ \t]*+(?=[acdfilpvS#])(?:(?:async )?def \w+\(|class \w+|function \w+\(|fn \w+|func \w+\(|#include\b"
    r"|import \w+|from \w+ import|public \w+|(?:const|let|var) \w+ =|SELECT .{1,200}? FROM )"
)
_STARTS_WITH_CODE = re.compile(_DEFINITION)
_HAS_CODE_BELOW = re.compile(rf"\n{_DEFINITION}")
"""Faster than to look for each line's start."""
_CODE_CHARACTERS = "{}();=<>[]"
_CODE_DENSITY_UNIT = 12
_INLINE = re.compile(
    r"\b(?:complete|finish|continue) (?:this|the|my) (?:next )?(?:line|function|statement|snippet)", re.IGNORECASE
)

_INLINE_STARTS = [f"{verb} {which} " for verb in _INLINE_VERBS for which in ("this", "the", "my")]

_TASK_SHARES: Mapping[str, int] = {
    "question": -10, "simple_completion": -10, "inline_completion": -10, "summarization": -10, "classification": -10,
    "extraction": -10, "code": 10, "coding": 10, "code_generation": 10, "code_review": 10, "debugging": 10,
    "math": 20, "analysis": 20, "planning": 20, "reasoning": 20, "reasoning_tasks": 20, "architecture_design": 20,
    "creative": 20, "creative_writing": 20,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Complexity:
    """`hundredths`: the sum of the signals held to 0..100, then moved by what was learned, which does not leave these
    bounds. `signals`: shares in hundredths, zeros left out.

    `task`: the task type given, else inferred from the prompt, None where neither says one. `inferred`: what the prompt
    says, whatever was given. `tokens`: the estimate.
    """

    hundredths: int
    signals: Mapping[str, int]
    task: str | None
    tokens: int
    inferred: str | None = None

    @property
    def score(self) -> float:
        return self.hundredths / 100

    @property
    def unlearned(self) -> int:
        """Hundredths without what this home has learned."""
        return max(0, min(100, sum(self.signals.values()) - self.signals.get(OUTCOMES, 0)))


def traits_of(prompt: str, secret: bytes) -> Traits:
    """What is kept of a prompt to learn from."""
    text = scanned(prompt)
    spelled = words_of(text)
    words = frozenset(spelled)
    return traits(features(text, english_characters(prompt), spelled, len(words)), spelled, words, secret)


def score(request: Request, learned: Learned | None = None) -> Complexity:
    """The complexity of prompt, context, system prompt and task type; the same in every process.

    `learned`: what this home has learned of its own local models, which moves the score as far as its evidence goes.
    """
    prompt_size = english_characters(request.prompt)
    context_size = english_characters(request.context)
    tokens = (prompt_size + context_size + english_characters(request.system_prompt)) // 4 + 1
    text = scanned(request.prompt)
    spelled = words_of(text)
    words = frozenset(spelled)
    telling = words & _TELLING
    numbers = features(text, prompt_size, spelled, len(words))
    given = _given_task(request.task_type)
    signals = {
        "base": BASE_HUNDREDTHS,
        **learned_shares(numbers, words),
        "complex_words": _COMPLEX_SHARES[min(len(telling & _COMPLEX), 3)],
        "debugging_words": 20 if telling & _DEBUGGING else 0,
        "redesign_words": 30 if telling & _REDESIGN else 0,
        "code_block": 15 if _has_code(request.prompt, text) else 0,
        "task_type": 0 if given is None else _TASK_SHARES.get(given, 0),
        "context_code": min(10, _code_density(request.context)),
        "context_length": _between(context_size, _CONTEXT),
        "explain_large_context": _between(context_size, _EXPLAIN) if "explain" in telling else 0,
        "over_8000_tokens": 40 if tokens > LARGE_CONTEXT_TOKENS else 0,
    }
    unlearned = max(0, min(100, sum(signals.values())))
    signals[OUTCOMES] = shift = 0 if learned is None else learned.shift_of(numbers, spelled, words, unlearned)
    inferred = _inferred_task(request, spelled, telling, prompt_size)
    return Complexity(
        hundredths=unlearned + shift,
        signals={name: share for name, share in signals.items() if share},
        task=given or inferred,
        tokens=tokens,
        inferred=inferred,
    )


def english_characters(text: str) -> int:
    """The text's length in characters of English with as many tokens (four to a token).

    An ASCII character counts 1; one that UTF-8 writes in two bytes (accented Latin, Greek, Cyrillic, Arabic, Hebrew) 2;
    one of three bytes (Chinese, Japanese, Korean, Thai, Devanagari) 4, so about one token each; one of four bytes
    (emoji, rare characters) 8. Dividing characters by four would understate Chinese by a factor of three to four.
    The counts come from the lengths of three encodings, which is fast and never falls when text is added.
    """
    if text.isascii():
        return len(text)
    count = len(text)
    ascii_count = len(text.encode("ascii", "ignore"))
    four = len(text.encode("utf-16-le")) // 2 - count
    three = len(text.encode()) + ascii_count - 2 * count - 2 * four
    two = count - ascii_count - three - four
    return ascii_count + 2 * two + 4 * three + 8 * four


def _between(size: int, points: tuple[tuple[int, int], ...]) -> int:
    for (left, low), (right, high) in itertools.pairwise(points):
        if size < right:
            return low + (size - left) * (high - low) // (right - left)
    return points[-1][1]


def _has_code(prompt: str, text: str) -> bool:
    if _FENCE in prompt or _STARTS_WITH_CODE.match(text) is not None:
        return True
    return "\n" in text and _HAS_CODE_BELOW.search(text) is not None


def _code_density(text: str) -> int:
    return sum(map(text.count, _CODE_CHARACTERS)) // _CODE_DENSITY_UNIT


def _given_task(task_type: str | None) -> str | None:
    return (task_type or "").strip().lower() or None


def _is_question(prompt: str, words: list[str]) -> bool:
    return prompt.rstrip().endswith(("?", "\uff1f")) or (bool(words) and words[0] in _QUESTION_WORDS)


def _asks_to_go_on(text: str) -> bool:
    if text.isascii():
        # Many times faster than the expression, and nearly always enough.
        low = text.lower()
        if not any(start in low for start in _INLINE_STARTS):
            return False
    return _INLINE.search(text) is not None


def _inferred_task(request: Request, spelled: list[str], telling: AbstractSet[str], prompt_size: int) -> str | None:
    """The whitelist's own task types where the prompt shows one plainly, else None."""
    if "review" in telling and (telling & _REVIEW_OF or _FENCE in request.prompt):
        return "code_review"
    if telling & _DESIGNED:
        return "architecture_design"
    if telling & _INLINE_VERBS and _asks_to_go_on(scanned(request.prompt)):
        return "inline_completion"
    if telling & _REASONED:
        return "reasoning_tasks"
    if telling & _CREATIVE:
        return "creative"
    short = prompt_size <= 300 and not request.context
    return "simple_completion" if short and (_is_question(request.prompt, spelled) or telling & _SIMPLE) else None
