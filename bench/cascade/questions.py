"""Two sets of questions with answers that can be checked: two people wrote them, neither knew the other's.

Where both asked for the same, the question stays in the evaluation set alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from bench.cascade.checking import Check, is_right

Part = Literal["tuning", "evaluation"]
FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`check`: what a right answer looks like."""

    part: Part
    id: str
    kind: str
    prompt: str
    check: Check

    def is_answered_by(self, text: str) -> bool:
        return is_right(self.check, self.prompt, text)


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    kind: str
    prompt: str
    check: Check


def all_questions() -> tuple[Question, ...]:
    """Both sets, always in the same order."""
    return tuple(question for part in get_args(Part) for question in _read(part))


def _read(part: Part) -> list[Question]:
    lines = (FOLDER / f"{part}.jsonl").read_text("utf-8").splitlines()
    rows = [_Row.model_validate_json(line) for line in lines]
    return [Question(part=part, id=row.id, kind=row.kind, prompt=row.prompt, check=row.check) for row in rows]
