"""Does a model say the same when it is asked again? What it does not know, it mostly says in another way each time.

The idea is that of self-consistency (Wang and others, arXiv 2203.11171). Compared is what the answers bring, not what
they repeat of the question; docs/benchmarks.md says how well that tells wrong answers from right ones.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from statistics import fmean

from hybrid_mcp.domain.completion import Message

SHARE_OF_REPEATED = 0.6
"""What agreement counts for where both only repeat words of the prompt: a choice among them may be right, an echo never
is."""
LONGEST_COMPARED, LONGEST_ANSWER = 400, 800
"""Characters. Longer answers that say the same do so in other words, and comparing words tells nothing; what is asked
for in one word stands at the beginning."""
LONGEST_WITHOUT_PLURAL = 3
"""`gas`, `yes`."""
EXAMPLES = (
    ("What is the capital of Italy?", "Rome"),
    ("Is the sun cold?", "No"),
    ("6 + 9", "15"),
    ("What do bees make?", "Honey"),
    ("Is 'run' a noun or a verb in \"I run home\"?", "Verb"),
    ("Who wrote Hamlet?", "William Shakespeare"),
)
"""After these a model answers in a word or two, which is another way to the same answer."""

_OPEN = re.compile(
    r"\b(?:suggest\w*|compos\w+|invent\w*|imagin\w+|stor(?:y|ies)|poems?|haiku|lyrics|jokes?|ideas?|slogans?|draft\w*|essays?"
    r"|explain\w*|describe\w*|discuss\w*|compare|summar\w+|rephrase|paraphrase|improve|refactor\w*|implement\w*"
    r"|brainstorm\w*|examples?|opinions?|you think|feel|recommend\w*|advice|advise|tips?|plans?|should i|why"
    r"|write (?:a|an|me|some|the)|create|generate|design|list|names? for|how (?:do|can|should|would|could|to)\b)\b",
    re.IGNORECASE,
)
"""What may well be answered in many ways."""
_WORD = re.compile(r"[^\W_]+(?:\.\d+)?")
_WITHOUT_BLANKS = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
"""Signs of Chinese, Japanese and Korean, where blanks do not part words: each counts as one."""
_LETTER = re.compile(r"\s*(?:(?:the )?(?:correct )?answer(?: is)?:?\s*)?[*(]*([A-H])(?:[).:*]|\s*$)", re.IGNORECASE)
_YES_OR_NO = re.compile(r"\s*[*\"']*(yes|no)\b", re.IGNORECASE)
_ARTICLES = "a an the is are was were of in on to for and or it its that this by with as be has have had you i not can"
_ADVERBS = "will would there which when from at called answer known type term word what how do does did who where also"
_PRONOUNS = "more most very such so if but than then their them they he she his her we our my your"
_COMMON = frozenset(f"{_ARTICLES} {_ADVERBS} {_PRONOUNS}".split())
_DIGITS = {word: str(number) for number, word in enumerate(
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
)}  # fmt: skip


def has_one_answer(prompt: str, text: str) -> bool:
    """Whether a short prompt, answered by `text`, looks as if one answer to it is right, so that others are not."""
    return len(prompt) <= LONGEST_COMPARED and len(text) <= LONGEST_ANSWER and _OPEN.search(prompt) is None


def briefly(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The same chat with examples before its last message, so that the answer comes in a word or two."""
    pairs = ((Message("user", question), Message("assistant", answer)) for question, answer in EXAMPLES)
    return (*messages[:-1], *chain.from_iterable(pairs), messages[-1])


def agreement(one: str, other: str, prompt: str) -> float:
    """How far two answers to the same prompt say the same, 0 to 1; of each, and of the prompt, only a beginning counts.

    What is compared is what such answers turn on: yes or no, the letter of a choice; else the words that are not the
    prompt's, or all of them where neither has others. Of words it is the coefficient of Szymkiewicz and Simpson: those
    that both have, over all of the one that has fewer, so that a word may stand for a sentence.
    """
    one, other = one[:LONGEST_COMPARED], other[:LONGEST_COMPARED]
    if (same := _same_choice(one, other)) is not None:
        return same
    first, second = (Counter(word for word in _words(text) if word not in _COMMON) for text in (one, other))
    asked = dict.fromkeys(_words(prompt[:LONGEST_COMPARED]))
    brought = [
        Counter({word: count for word, count in words.items() if word not in asked}) for words in (first, second)
    ]
    return _overlap(*brought) if any(brought) else SHARE_OF_REPEATED * _overlap(first, second)


def borne_out(text: str, reference: str, prompt: str) -> float | None:
    """How far a short answer to the same prompt, which may be right, bears a longer one out, 0 to 1; None where the
    short one says nothing. Of each, and of the prompt, only a beginning counts.

    It is the share of the short one's words that the longer one has: of those that are not the prompt's where it has
    such.
    """
    text, reference = text[:LONGEST_COMPARED], reference[:LONGEST_COMPARED]
    if (same := _same_choice(text, reference)) is not None:
        return same
    expected = [word for word in _words(reference) if word not in _COMMON]
    asked = frozenset(_words(prompt[:LONGEST_COMPARED]))
    brought = [word for word in expected if word not in asked]
    said = frozenset(_words(text))
    if brought:
        return fmean(word in said for word in brought)
    return SHARE_OF_REPEATED * fmean(word in said for word in expected) if expected else None


def _same_choice(one: str, other: str) -> float | None:
    for said in (_YES_OR_NO, _LETTER):
        first, second = said.match(one), said.match(other)
        if first and second:
            return float(first.group(1).casefold() == second.group(1).casefold())
    return None


def _words(text: str) -> list[str]:
    """In lower case and without a plural's ending, numbers in digits."""
    words = _WORD.findall(_WITHOUT_BLANKS.sub(r" \g<0> ", text.casefold().replace(",", "")))
    return [_DIGITS.get(word) or _singular(word.removesuffix(".0")) for word in words]


def _singular(word: str) -> str:
    return word[:-1] if len(word) > LONGEST_WITHOUT_PLURAL and word.endswith("s") else word


def _overlap(one: Counter[str], other: Counter[str]) -> float:
    fewer = min(one.total(), other.total())
    return (one & other).total() / fewer if fewer else float(one == other)
