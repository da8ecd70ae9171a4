"""Questions with answers that can be checked, to learn by them how far a model's confidence can be believed."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["fact", "number", "yesno", "label", "choice"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^\W\d_])|\n+")
_LETTER = re.compile(
    r"(?:\A|\banswer(?: is)?:? +|\bis |\*\*|\()\(?([A-D])\b(?=[).:,*]|\s*$|\s*\n)", re.I | re.MULTILINE
)
_SENTENCES = 2
"""The answer to a question of one line stands in the first sentences; what is said after it does not count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`accepted`: of these one must be said. `rejected`: what must not be said instead, or beside it for a `label`."""

    kind: Kind
    prompt: str
    accepted: tuple[str, ...]
    rejected: tuple[str, ...] = ()

    def is_answered_by(self, text: str) -> bool:
        """Whether the text answers it rightly: strict enough that a wrong answer does not pass for its length."""
        match self.kind:
            case "number":
                return _number_said(text) == self.accepted[0]
            case "choice":
                return _letters(text) == {self.accepted[0]}
            case "yesno":
                answer = _plain(text).replace("yes or no", "")  # the question given back is no answer
                said = [word for word in answer.split() if word in {"yes", "no"}]
                return said[:1] == [self.accepted[0]]
            case "label":
                # What stands after it was only named to be denied: "positive, not negative".
                said = _beginning(text).partition(" not ")[0] + " "
                return _says(said, self.accepted) and not _says(said, self.rejected)
            case "fact":
                return _says(_beginning(text), self.accepted)


def parse_questions(table: str) -> tuple[Question, ...]:
    """One question a line: kind, prompt, accepted answers and, where there are any, rejected ones, with tabs between
    them and `|` between answers.

    Raises:
        ValueError: a line is no question.
    """
    return tuple(_question(number, line) for number, line in enumerate(table.splitlines(), start=1))


def _question(number: int, line: str) -> Question:
    kind, prompt, accepted, rejected, *more = (*line.split("\t"), "", "", "")
    if kind not in KINDS or not prompt or not accepted or any(more):
        raise ValueError(f"line {number} is no question")
    return Question(
        kind=kind, prompt=prompt, accepted=tuple(accepted.split("|")),
        rejected=tuple(rejected.split("|")) if rejected else (),
    )  # fmt: skip


def _plain(text: str) -> str:
    """Lower case, no accents, words of letters and digits with one blank between them."""
    bare = "".join(one for one in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(one))
    return " ".join(_WORD.findall(bare))


def _beginning(text: str) -> str:
    parts = [part for part in _SENTENCE.split(text.strip()) if part.strip()]
    return f" {_plain(' '.join(parts[:_SENTENCES]))} "


def _says(plain: str, words: tuple[str, ...]) -> bool:
    return any(f" {_plain(one)} " in plain for one in words)


def _number_said(text: str) -> str | None:
    """The only number of the first sentence, else the last one of all."""
    first = set(_numbers(_SENTENCE.split(text.strip())[0]))
    return first.pop() if len(first) == 1 else next(reversed(_numbers(text)), None)


def _numbers(text: str) -> list[str]:
    return [f"{float(one.replace(',', '')):.10g}" for one in _NUMBER.findall(text)]


def _letters(text: str) -> set[str]:
    return {letter.upper() for letter in _LETTER.findall(text)}
