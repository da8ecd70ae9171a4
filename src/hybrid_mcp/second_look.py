"""A second look at a local answer against which nothing is plain, while a better model could still be asked.

It costs time and no money: everything that it asks runs on this machine. Where it comes to nothing, the verdict stays
as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import anyio

from hybrid_mcp.attempting import Terms
from hybrid_mcp.domain.agreement import agreement, briefly, has_one_answer
from hybrid_mcp.domain.attempts import Tried
from hybrid_mcp.domain.completion import Completion, Message, Request
from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.domain.judging import Verdict, asking_again_may_tell, judge_again, judge_by, rejected_by
from hybrid_mcp.domain.profile import ModelSpec
from hybrid_mcp.domain.reasoning import answer_alone
from hybrid_mcp.domain.routing import Step
from hybrid_mcp.domain.second_opinion import (
    LONGEST_JUDGED,
    SecondOpinion,
    odds_of_yes,
    plain_verdict_asked,
    says_no,
    verdict_asked,
)
from hybrid_mcp.ports import Catalog, Clock, Progress, ProviderCall
from hybrid_mcp.watched import Watched

MOST_S = 15.0
"""A judge that has to be loaded takes some seconds; the better model waits meanwhile."""
LAST_S = 0.05
"""What is left to come to a verdict without the judge's own."""
NO_TIME = "had no time to judge it"
SAYS_NOTHING = "gave no verdict on it: `hybrid-mcp models` shows what there is; one that thinks first cannot judge"
JUDGES = "judges the answer"
NOTHING_SAID = Completion(text="", finish="other", usage=None)
VERDICT_TOKENS, PLAIN_VERDICT_TOKENS = 1, 8
BRIEF_TOKENS, SAMPLE_TOKENS, SAMPLE_TEMPERATURE = 32, 48, 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondLook:
    """`judge`: the local model that judges the answers of the others, None where the owner named none."""

    catalog: Catalog
    clock: Clock
    judge: ModelSpec | None = None

    async def at(self, one: Tried, terms: Terms, progress: Progress) -> Tried:
        """The same attempt, with its verdict and the time that this took.

        `terms.limit_s`: what is left for everything; a quarter of it, and `MOST_S` seconds, are the most that is taken.
        """
        completion, verdict = one.completion, one.verdict
        if completion is None or not one.step.spec.local or one.proof is not None or terms.request.response_schema:
            return one
        if not (verdict.good or verdict.unsure):
            return one
        started = self.clock.monotonic()
        found, said = None, NO_TIME
        with anyio.move_on_after(min(terms.limit_s / 4, MOST_S)):
            watched = Watched(progress, self.clock.now())
            watched.held = True  # nothing of this is the answer
            found, said = await self._verdict(one, completion, terms, watched)
        one = replace(one, judging_ms=one.judging_ms + round((self.clock.monotonic() - started) * 1000))
        if found is not None:
            return one.judged(found)
        return one if self.judge is None or said is None else replace(one, trouble=f"{self.judge.name} {said}")

    async def _verdict(
        self, one: Tried, completion: Completion, terms: Terms, progress: Progress
    ) -> tuple[Verdict | None, str | None]:
        """Another verdict, None where the first one stays; and why the judge said nothing."""
        if self.judge is not None and self.judge.name != one.step.spec.name:
            return await self._judged(self.judge, one, completion, terms, progress)
        spec, score = one.step.spec, terms.score
        if not asking_again_may_tell(terms.request.prompt, completion, spec, score):
            return None, None
        agreed = await self._agreed(one.step, completion, terms, progress)
        return (None if agreed is None else judge_again(completion, spec, score, agreed)), None

    async def _judged(
        self, judge: ModelSpec, one: Tried, completion: Completion, terms: Terms, progress: Progress
    ) -> tuple[Verdict | None, str | None]:
        prompt, text = terms.request.prompt, completion.text
        if has_one_answer(prompt, text):
            opinion = await self._opinion(judge, text, terms, progress)
            if opinion is None:
                return None, SAYS_NOTHING
            spec = one.step.spec
            return judge_by(completion, spec, terms.score, opinion, prompt=prompt, judge=judge.name), None
        if not one.verdict.good:
            return None, None
        call = _question(judge, plain_verdict_asked(_question_of(terms.request), text), PLAIN_VERDICT_TOKENS)
        said = (await self._asked(judge, call, JUDGES, progress)).text
        if not said.strip():
            return None, SAYS_NOTHING
        return (rejected_by(judge.name) if says_no(said) else None), None

    async def _opinion(
        self, judge: ModelSpec, text: str, terms: Terms, progress: Progress
    ) -> SecondOpinion | None:  # fmt: skip
        """What the judge answers itself, and what it thinks of the answer beside that; None where it says nothing."""
        brief = _question(judge, briefly(terms.request.messages()), BRIEF_TOKENS)
        own = await self._asked(judge, brief, JUDGES, progress)
        reference = own.text.strip()
        # What does not end in so few tokens is no answer in short, but perhaps thoughts that nothing marks as such.
        if not reference or own.finish == "length":
            return None
        asked = verdict_asked(_question_of(terms.request), reference, text[:LONGEST_JUDGED])
        verdict = NOTHING_SAID
        # Its own answer tells much alone: it is not to be lost with a verdict that comes too late.
        with anyio.CancelScope(deadline=anyio.current_effective_deadline() - LAST_S):
            verdict = await self._asked(judge, _question(judge, asked, VERDICT_TOKENS), JUDGES, progress)
        return SecondOpinion(reference=reference, odds=odds_of_yes(verdict))

    async def _agreed(self, step: Step, completion: Completion, terms: Terms, progress: Progress) -> float | None:
        """How far the same model's other answers agree, in the mean; None where there are none."""
        messages = step.messages(terms.request)
        sample = ProviderCall(
            model=step.spec.model, messages=messages, stop=terms.request.stop,
            max_output_tokens=min(step.output_cap, SAMPLE_TOKENS), temperature=SAMPLE_TEMPERATURE,
            counts=False,
        )  # fmt: skip
        brief = replace(sample, messages=briefly(messages), max_output_tokens=BRIEF_TOKENS, temperature=0.0)
        # Behind examples a long context would have to be read once more.
        calls = (sample,) if terms.request.context or step.step_by_step else (brief, sample)
        others = [(await self._asked(step.spec, call, "is asked again", progress)).text for call in calls]
        prompt = terms.request.prompt
        return _mean([agreement(completion.text, other, prompt) for other in others if other.strip()])

    async def _asked(self, spec: ModelSpec, call: ProviderCall, what: str, progress: Progress) -> Completion:
        """What it says; nothing where it fails. It waits for its turn like every call."""
        progress.status(f"{spec.name} {what}")
        try:
            async with self.catalog.turn(spec, progress):
                return answer_alone(await self.catalog.provider(spec).complete(call, progress))
        except HybridError:
            return NOTHING_SAID


def _question(judge: ModelSpec, messages: tuple[Message, ...], most_tokens: int) -> ProviderCall:
    """Thoughts would take all the tokens that there are."""
    return ProviderCall(
        model=judge.model, messages=messages, max_output_tokens=most_tokens, reasoning_effort="low", counts=False
    )


def _question_of(request: Request) -> str:
    return "\n\n".join(message.content for message in request.messages() if message.role == "user")


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
