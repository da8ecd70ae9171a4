"""The questions with what both models said to them."""

from __future__ import annotations

from dataclasses import dataclass

from bench.cascade.asking import Said, answers
from bench.cascade.models import STRONG, WEAK, Model
from bench.cascade.questions import Part, Question, all_questions
from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.scorer import score

ONLY_CACHED = "--cached"
"""Given to the commands: look at what was answered already, and ask nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One model's answer to a question, checked. `score`: of the prompt, before the call."""

    question: Question
    score: float
    said: Said
    is_right: bool

    @property
    def confidence(self) -> float:
        confidence = self.said.completion.confidence
        assert confidence is not None
        return confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What both models answered to one question."""

    weak: Answered
    strong: Answered


def answered(model: Model, part: Part, *, only_cached: bool) -> tuple[Answered, ...]:
    """What the model said to each question of a set: from the cache, else asked for now, unless `only_cached`."""
    said = answers(model, only_cached=only_cached)
    return tuple(
        Answered(
            question=question,
            score=score(Request(prompt=question.prompt)).score,
            said=said[question.prompt],
            is_right=question.is_answered_by(said[question.prompt].completion.text),
        )
        for question in all_questions()
        if question.part == part and question.prompt in said
    )


def cases(part: Part, *, only_cached: bool) -> tuple[Case, ...]:
    """The questions of a set that both models answered."""
    weak, strong = (answered(model, part, only_cached=only_cached) for model in (WEAK, STRONG))
    by_prompt = {one.question.prompt: one for one in strong}
    return tuple(
        Case(weak=one, strong=by_prompt[one.question.prompt]) for one in weak if one.question.prompt in by_prompt
    )
