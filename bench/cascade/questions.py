"""Two sets of questions with answers that can be checked, of the same kinds and with no question in both.

Facts and the like stand in `facts.tsv` (kind, prompt, right answers, wrong ones); `templates` makes the rest.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal

from bench.cascade import templates
from bench.cascade.checking import check

Part = Literal["tuning", "evaluation"]
Kind = Literal[
    "fact", "yesno", "choice", "translation", "classify", "arithmetic", "word problem", "text", "code", "extraction"
]
TUNING_SHARE = 0.42
FACTS = Path(__file__).with_name("facts.tsv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`right`: answers of which one must be given. `wrong`: answers that must not stand beside it."""

    part: Part
    kind: str
    prompt: str
    right: tuple[str, ...]
    wrong: tuple[str, ...] = ()

    def is_answered_by(self, text: str) -> bool:
        return check(self.kind, self.prompt, text, self.right, self.wrong)


def all_questions() -> tuple[Question, ...]:
    """Both sets, always the same."""
    return (*_written(), *_made("tuning"), *_made("evaluation"))


def _written() -> list[Question]:
    rows = [line.split("\t") for line in FACTS.read_text("utf-8").splitlines()]
    found: list[Question] = []
    for kind, group in groupby(rows, key=lambda row: row[0]):
        of_kind = list(group)
        random.Random(kind).shuffle(of_kind)  # noqa: S311 - the same order each time is what is wanted
        tuning = round(TUNING_SHARE * len(of_kind))
        for place, (_, prompt, right, *wrong) in enumerate(of_kind):
            found.append(
                Question(
                    part="tuning" if place < tuning else "evaluation", kind=kind, prompt=prompt,
                    right=tuple(right.split("|")), wrong=tuple(wrong[0].split("|")) if wrong else (),
                )
            )  # fmt: skip
    return found


def _made(part: Part) -> list[Question]:
    return [
        Question(part=part, kind=kind, prompt=prompt, right=(right,))
        for kind, prompt, right in templates.made(part == "tuning")
    ]
