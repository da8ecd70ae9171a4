"""The questions with what both models said to them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from bench.cascade.asking import Said, answers, opinions, others, rejected
from bench.cascade.models import STRONG, WEAK, Model
from bench.cascade.questions import Part, Question, all_questions
from hybrid_mcp.domain.agreement import agreement, has_one_answer
from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.confidence import confirmed
from hybrid_mcp.domain.scorer import score
from hybrid_mcp.domain.second_opinion import SecondOpinion

ONLY_CACHED = "--cached"
"""Given to the commands: look at what was answered already, and ask nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One model's answer to a question, checked.

    `score`: of the prompt, before the call. `others`: what the model says when it is asked again. `opinion`: what the
    stronger model thinks of the answer; where that cannot be told from its own one, `is_rejected`: whether it says no.
    """

    question: Question
    score: float
    said: Said
    others: tuple[str, ...]
    opinion: SecondOpinion | None
    is_rejected: bool
    is_right: bool

    @property
    def confidence(self) -> float:
        confidence = self.said.completion.confidence
        assert confidence is not None
        return confidence

    @property
    def agreed(self) -> float | None:
        """How far the others say the same; None where the program asks for none."""
        prompt, text = self.question.prompt, self.said.text
        if not self.others or not has_one_answer(prompt, text):
            return None
        return fmean(agreement(text, other, prompt) for other in self.others)

    @property
    def confirmed(self) -> float:
        """The confidence after the second look."""
        return self.confidence if self.agreed is None else confirmed(self.confidence, self.agreed)

    @property
    def supported(self) -> float:
        """The confidence after the stronger model's opinion."""
        if self.opinion is None:
            return self.confidence
        return self.confidence + self.opinion.support(self.said.text, self.question.prompt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What both models answered to one question."""

    weak: Answered
    strong: Answered


def answered(model: Model, part: Part, *, only_cached: bool) -> tuple[Answered, ...]:
    """What the model said to each question of a set: from the cache, else asked for now, unless `only_cached`."""
    said = answers(model, only_cached=only_cached)
    again = others(model, only_cached=only_cached) if model is WEAK else {}
    texts = {prompt: one.text for prompt, one in said.items()} if model is WEAK else {}
    thought = opinions(STRONG, texts, only_cached=only_cached)
    wrong = rejected(STRONG, texts, only_cached=only_cached)
    return tuple(
        Answered(
            question=question,
            score=score(Request(prompt=question.prompt)).score,
            said=said[question.prompt],
            others=again.get(question.prompt, ()),
            opinion=thought.get(question.prompt),
            is_rejected=question.prompt in wrong,
            is_right=question.is_answered_by(said[question.prompt].text),
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
