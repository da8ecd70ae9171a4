"""A second look at a local answer against which nothing is plain, while a better model could still be asked.

It costs time and no money: everything that it asks runs on this machine. Where it comes to nothing, the verdict stays
as it was.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import anyio

from hybrid_mcp.attempting import Terms
from hybrid_mcp.domain.agreement import agreement, briefly
from hybrid_mcp.domain.attempts import Tried
from hybrid_mcp.domain.completion import Completion, Message
from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.domain.judging import Verdict, asking_again_may_tell, judge_again
from hybrid_mcp.domain.profile import ModelSpec
from hybrid_mcp.domain.reasoning import answer_alone
from hybrid_mcp.domain.routing import Step
from hybrid_mcp.ports import Catalog, Clock, Progress, ProviderCall
from hybrid_mcp.watched import Watched

MOST_S = 15.0
"""A judge that has to be loaded takes some seconds; the better model waits meanwhile."""
NO_TIME = "had no time to judge it"
VERDICT_TOKENS = 8
BRIEF_TOKENS, SAMPLE_TOKENS, SAMPLE_TEMPERATURE = 32, 48, 0.8
_SAYS_NO = re.compile(
    r"\A\W*no\b(?!,? (?:mistakes?|errors?|issues?|problems?|doubt)\b)|\b(?<!not )(?:incorrect|not correct)\b"
    r"|\b(?:it is|it's|that is|answer is|answer:|is) wrong\b",
    re.IGNORECASE,
)
_APPROVES = re.compile(r"\A\W*yes\b|\bnothing (?:here |there )?is wrong\b", re.IGNORECASE)
JUDGE_SYSTEM_PROMPT = (
    "You check the work of others. Say `no` if the answer is wrong, beside the point or incomplete, else `yes`. Reply "
    "with that one word."
)


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
            return await self._judged(self.judge, completion, terms, progress) if one.verdict.good else (None, None)
        spec, score = one.step.spec, terms.score
        if not asking_again_may_tell(terms.request.prompt, completion, spec, score):
            return None, None
        agreed = await self._agreed(one.step, completion, terms, progress)
        return (None if agreed is None else judge_again(completion, spec, score, agreed)), None

    async def _judged(
        self, judge: ModelSpec, completion: Completion, terms: Terms, progress: Progress
    ) -> tuple[Verdict | None, str | None]:
        question = "\n\n".join(message.content for message in terms.request.messages() if message.role == "user")
        asked = f"Question:\n{question}\n\nAnswer:\n{completion.text}\n\nIs the answer right and complete?"
        call = ProviderCall(
            model=judge.model, max_output_tokens=VERDICT_TOKENS, counts=False,
            messages=(Message("system", JUDGE_SYSTEM_PROMPT), Message("user", asked)),
        )  # fmt: skip
        said = await self._asked(judge, call, "judges the answer", progress)
        if not said.strip():
            return None, "gave no verdict on it: `hybrid-mcp models` shows what there is"
        wrong = Verdict(reasons=(f"{judge.name} judges it to be wrong",), escalate=True)
        return (wrong if _SAYS_NO.search(said) and not _APPROVES.search(said) else None), None

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
        others = [await self._asked(step.spec, call, "is asked again", progress) for call in calls]
        prompt = terms.request.prompt
        return _mean([agreement(completion.text, other, prompt) for other in others if other.strip()])

    async def _asked(self, spec: ModelSpec, call: ProviderCall, what: str, progress: Progress) -> str:
        """What it says; nothing where it fails. It waits for its turn like every call."""
        progress.status(f"{spec.name} {what}")
        try:
            async with self.catalog.turn(spec, progress):
                return answer_alone(await self.catalog.provider(spec).complete(call, progress)).text
        except HybridError:
            return ""


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
