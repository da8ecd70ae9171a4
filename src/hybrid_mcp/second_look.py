"""A second look at a local answer that seems good, while a better model could still be asked.

It costs time and no money: everything that it asks runs on this machine. Where it comes to nothing, the answer stays
good.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import anyio

from hybrid_mcp.attempting import Terms
from hybrid_mcp.domain.answer_echo import is_closed_question
from hybrid_mcp.domain.attempts import Tried
from hybrid_mcp.domain.completion import Completion, Message
from hybrid_mcp.domain.confidence import agreement, threshold_of
from hybrid_mcp.domain.errors import HybridError
from hybrid_mcp.domain.judging import Verdict
from hybrid_mcp.domain.profile import ModelSpec
from hybrid_mcp.domain.routing import Step
from hybrid_mcp.ports import Catalog, Clock, Progress, ProviderCall
from hybrid_mcp.watched import Watched

MOST_S = 15.0
"""A judge that has to be loaded takes some seconds; the better model waits meanwhile."""
NO_TIME = "had no time to judge it"
VERDICT_TOKENS = 8
SAMPLE_TOKENS, SAMPLE_TEMPERATURE = 48, 0.8
AGREES = 0.5
"""Agreement below which two short answers are two answers."""
_SAYS_NO = re.compile(r"\A\W*no\b|\b(?:in|not )correct\b|\b(?:is|it's|answer:?) wrong\b", re.IGNORECASE)
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
        completion = one.completion
        if completion is None or not one.step.spec.local or not one.verdict.good or one.proof is not None:
            return one
        if terms.request.response_schema:
            return one
        started = self.clock.monotonic()
        reason, said = None, NO_TIME
        with anyio.move_on_after(min(terms.limit_s / 4, MOST_S)):
            watched = Watched(progress, self.clock.now())
            watched.held = True  # nothing of this is the answer
            reason, said = await self._doubt(one.step, completion, terms, watched)
        one = replace(one, judging_ms=one.judging_ms + round((self.clock.monotonic() - started) * 1000))
        if reason is not None:
            return one.doubted(Verdict(reasons=(reason,), escalate=True))
        return one if self.judge is None or said is None else replace(one, trouble=f"{self.judge.name} {said}")

    async def _doubt(
        self, step: Step, completion: Completion, terms: Terms, progress: Progress
    ) -> tuple[str | None, str | None]:
        """Why it is doubtful, and why the judge said nothing."""
        if self.judge is not None and self.judge.name != step.spec.name:
            return await self._judged(self.judge, completion, terms, progress)
        tells_nothing = completion.confidence is None or threshold_of(step.spec) is None
        if tells_nothing and is_closed_question(terms.request.prompt):
            return await self._sampled_again(step, completion, terms, progress), None
        return None, None

    async def _judged(
        self, judge: ModelSpec, completion: Completion, terms: Terms, progress: Progress
    ) -> tuple[str | None, str | None]:
        question = "\n\n".join(message.content for message in terms.request.messages() if message.role == "user")
        asked = f"Question:\n{question}\n\nAnswer:\n{completion.text}\n\nIs the answer right and complete?"
        call = ProviderCall(
            model=judge.model, max_output_tokens=VERDICT_TOKENS,
            messages=(Message("system", JUDGE_SYSTEM_PROMPT), Message("user", asked)),
        )  # fmt: skip
        said = await self._asked(judge, call, progress)
        if not said.strip():
            return None, "gave no verdict on it: `hybrid-mcp models` shows what there is"
        return (f"{judge.name} judges it to be wrong" if _SAYS_NO.search(said) else None), None

    async def _sampled_again(self, step: Step, completion: Completion, terms: Terms, progress: Progress) -> str | None:
        call = ProviderCall(
            model=step.spec.model, messages=step.messages(terms.request), stop=terms.request.stop,
            max_output_tokens=min(step.output_cap, SAMPLE_TOKENS), temperature=SAMPLE_TEMPERATURE,
        )  # fmt: skip
        other = await self._asked(step.spec, call, progress)
        agreed = agreement(completion.text, other) if other.strip() else None
        return None if agreed is None or agreed >= AGREES else "asked once more, the model says something else"

    async def _asked(self, spec: ModelSpec, call: ProviderCall, progress: Progress) -> str:
        """What it says; nothing where it fails. It waits for its turn like every call."""
        progress.status(f"{spec.name} judges the answer")
        try:
            async with self.catalog.turn(spec, progress):
                return (await self.catalog.provider(spec).complete(call, progress)).text
        except HybridError:
            return ""
