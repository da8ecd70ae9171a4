"""What another model thinks of an answer: its own one in short, and whether it holds the answer to be right.

A model that is asked for a verdict alone says yes too readily; shown its own answer it does so less. What is made of
both was measured with a judge ten times as large as the model it judges: docs/benchmarks.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, log

from hybrid_mcp.domain.agreement import borne_out
from hybrid_mcp.domain.completion import Completion, Message
from hybrid_mcp.domain.confidence import mean_of_one

LONGEST_JUDGED = 300
"""Characters of an answer that is compared with another one: what it turns on stands at the beginning."""
SHARE_OF_REFERENCE, TYPICAL_REFERENCE = 6.0, 0.5
"""How much surer an answer counts for each point by which the judge's own one bears it out (0 to 1) above what tells
nothing. These and the next two are rounded from a logistic regression on 124 answers."""
SHARE_OF_ODDS, TYPICAL_ODDS = 1.0, 2.0
"""The same for each natural logarithm of the judge's odds of a yes: it says yes too often."""
YES_ODDS, NO_ODDS = 2.0, -1.0
"""What a yes and a no count as where the judge tells no probabilities: about the means of those that told them."""
MOST_ODDS = 4.0
"""However sure of a yes a judge is, its own answer can still outweigh that: the other answer may talk it into one."""

PLAIN_SYSTEM_PROMPT = (
    "You check the work of others. Say `no` if the answer is wrong, beside the point or incomplete, else `yes`. Reply "
    "with that one word."
)
_SYSTEM_PROMPT = (
    "You check answers. The expected answer may itself be wrong. Reply with one word: yes if the answer is correct, no "
    "if it is wrong."
)
_EXAMPLES = (
    ("What is the capital of Italy?", "Rome", "The capital of Italy is Rome.", "yes"),
    ("How many days has a leap year?", "366", "A leap year has 365 days.", "no"),
    ("Write the plural of `mouse`.", "mice", "mouses", "no"),
    ("Is 17 a prime number?", "Yes", "Yes, 17 is a prime number: only 1 and 17 divide it.", "yes"),
)
_SAYS_NO = re.compile(
    r"\A\W*no\b(?!,? (?:mistakes?|errors?|issues?|problems?|doubt)\b)|\b(?<!not )(?:incorrect|not correct)\b"
    r"|\b(?:it is|it's|that is|answer is|answer:|is) wrong\b",
    re.IGNORECASE,
)
_APPROVES = re.compile(r"\A\W*yes\b|\bnothing (?:here |there )?is wrong\b", re.IGNORECASE)
_ONE_WORD = re.compile(r"\W*(yes|no)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondOpinion:
    """`reference`: what the judge itself answers in short. `odds`: the natural logarithm of its odds that the other
    answer is right; None where it said neither yes nor no."""

    reference: str
    odds: float | None

    def support(self, text: str, prompt: str) -> float:
        """How much surer than its model is of it an answer is to be held for, in units of confidence; 0 for not at
        all."""
        borne = borne_out(text, self.reference, prompt)
        surer = 0.0 if borne is None else SHARE_OF_REFERENCE * (borne - TYPICAL_REFERENCE)
        return surer if self.odds is None else surer + SHARE_OF_ODDS * (self.odds - TYPICAL_ODDS)


def verdict_asked(question: str, reference: str, text: str) -> tuple[Message, ...]:
    """The chat that asks the judge for one word on an answer, beside its own one."""
    return (Message("system", _SYSTEM_PROMPT), *_examples(), Message("user", _asked(question, reference, text)))


def plain_verdict_asked(question: str, text: str) -> tuple[Message, ...]:
    """The chat that asks the judge for one word on an answer that cannot be compared with another one."""
    asked = f"Question:\n{question}\n\nAnswer:\n{text}\n\nIs the answer right and complete?"
    return (Message("system", PLAIN_SYSTEM_PROMPT), Message("user", asked))


def says_no(said: str) -> bool:
    """Whether the judge's words reject the answer, and do nothing else."""
    return _SAYS_NO.search(said) is not None and _APPROVES.search(said) is None


def odds_of_yes(said: Completion) -> float | None:
    """The natural logarithm of the odds that the judge, held to one token, gives a yes; None where it says neither."""
    word = _ONE_WORD.match(said.text)
    if word is None:
        return None
    is_yes = word.group(1).casefold() == "yes"
    if said.confidence is None:
        return YES_ODDS if is_yes else NO_ODDS
    # Both words have several spellings, so that the one that was chosen may well have less than half.
    chosen = max(exp(mean_of_one(said.confidence)), 0.5)
    odds = MOST_ODDS if chosen >= 1 else min(log(chosen / (1 - chosen)), MOST_ODDS)
    return odds if is_yes else -odds


def _examples() -> Iterator[Message]:
    for question, reference, text, verdict in _EXAMPLES:
        yield Message("user", _asked(question, reference, text))
        yield Message("assistant", verdict)


def _asked(question: str, reference: str, text: str) -> str:
    return f"Question: {question}\nExpected: {reference}\nAnswer: {text}\nIs the answer correct?"
