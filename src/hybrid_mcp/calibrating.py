"""Asks local models questions whose answers are known, to learn where their confidence can be believed.

It costs time and no money, and nothing is sent where a call could not go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import anyio

from hybrid_mcp.candidates import Candidates
from hybrid_mcp.config import packaged
from hybrid_mcp.config.scalars import shown
from hybrid_mcp.config.text_file import read_text
from hybrid_mcp.domain.budget import BudgetView, Caps
from hybrid_mcp.domain.calibration import Calibration, Checked, calibrate
from hybrid_mcp.domain.completion import Completion, Request
from hybrid_mcp.domain.confidence import threshold_of
from hybrid_mcp.domain.eligibility import Candidate, Excluded, Situation, exclusion
from hybrid_mcp.domain.errors import HybridError, InvalidRequest
from hybrid_mcp.domain.profile import ModelSpec, Profile
from hybrid_mcp.domain.questions import Question, parse_questions
from hybrid_mcp.domain.reasoning import answer_alone
from hybrid_mcp.domain.scorer import score
from hybrid_mcp.domain.whitelist import Whitelist
from hybrid_mcp.ports import Catalog, Progress, ProviderCall

ANSWER_TOKENS = 64
LONGEST_WAIT_S = 180.0
"""For one answer: a large model may have to be loaded first."""
SMALLEST = Request(prompt="?")
"""Stands for all questions where it is asked which models may run."""
MOST_EMPTY = 5
INSTEAD = (
    "for every short prompt that looks as if one answer to it is right, two other answers of the same model are "
    "compared with its answer instead; where routing_rules of the profile name a `judge`, that one looks at all of them"
)
"""What becomes of answers whose confidence can be compared with nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrating:
    """`wait_s`: for one answer, in seconds."""

    profile: Profile
    whitelist: Callable[[], Whitelist]
    candidates: Candidates
    catalog: Catalog
    questions: Sequence[Question]
    wait_s: float = LONGEST_WAIT_S

    async def named(self, names: Sequence[str]) -> list[ModelSpec]:
        """The local models of these names, each once.

        Raises:
            InvalidRequest: nothing knows one of them, or it is not local.
            HybridError: one may not run; the message says why.
        """
        found: dict[str, ModelSpec] = {}
        for name in names:
            for candidate in await self._meant(name):
                if not candidate.spec.local:
                    raise InvalidRequest(
                        f"{candidate.spec.name} is no local model: all questions would be paid for; name a local one, "
                        "`hybrid-mcp models` lists them"
                    )
                if (why := self._why_not(candidate)) is not None:
                    raise HybridError(f"{why.model} may not run: {why.reason}")
                found[candidate.spec.name] = candidate.spec
        return list(found.values())

    async def all_local(self) -> tuple[list[ModelSpec], list[Excluded]]:
        """Every local model of the profile that may run now, and those that may not."""
        candidates, _ = await self.candidates.of(SMALLEST, SMALLEST)
        local = [(one.spec, self._why_not(one)) for one in candidates if one.spec.local]
        return [spec for spec, why in local if why is None], [why for _, why in local if why is not None]

    async def measure(self, spec: ModelSpec, progress: Progress) -> Calibration | None:
        """Ask all questions, one after the other at temperature 0; None where the model tells no log-probabilities.

        Raises:
            HybridError: an answer failed, or too many were empty.
        """
        checked, empty = list[Checked](), 0
        for number, question in enumerate(self.questions, start=1):
            waiting = _Waiting(progress, f"{spec.name}: question {number} of {len(self.questions)}")
            request = Request(prompt=question.prompt)
            completion = await self._asked(spec, request, waiting)
            if not completion.text.strip():
                empty += 1
                if empty == MOST_EMPTY:
                    raise HybridError(f"{waiting.where}: {_says_nothing(number)}")
            elif completion.confidence is not None:
                checked.append(_checked(question, request, completion.text, completion.confidence))
            elif not checked:
                return None
        return calibrate(checked)

    async def _asked(self, spec: ModelSpec, request: Request, waiting: _Waiting) -> Completion:
        waiting.status("")
        call = ProviderCall(
            model=spec.model, messages=request.messages(), max_output_tokens=ANSWER_TOKENS, temperature=0.0
        )
        try:
            with anyio.fail_after(self.wait_s):
                async with self.catalog.turn(spec, waiting):
                    completion = await self.catalog.provider(spec).complete(call, waiting)
        except TimeoutError:
            why = f"no answer within {self.wait_s:g} s: is the model larger than this machine can run?"
            raise HybridError(f"{waiting.where}: {why}") from None
        except HybridError as error:
            raise HybridError(f"{waiting.where}: {error}") from None
        return answer_alone(completion)

    async def _meant(self, name: str) -> list[Candidate]:
        try:
            request = replace(SMALLEST, preferred_model=name)
            candidates, meant = await self.candidates.of(request, request)
        except InvalidRequest:
            here = [spec.name for spec in (await self.all_local())[0]]
            raise InvalidRequest(
                f"no model {shown(name)} is known; local models that are here: {', '.join(here) or 'none'}"
            ) from None
        return [one for one in candidates if one.spec.name in meant]

    def _why_not(self, candidate: Candidate) -> Excluded | None:
        """As for any call."""
        situation = Situation(
            request=SMALLEST, complexity=score(SMALLEST), sensitive=None, profile=self.profile,
            whitelist=self.whitelist(), budget=BudgetView(caps=Caps()),
        )  # fmt: skip
        return exclusion(situation, candidate)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Implements `Progress`: passes on which question is asked and what is being waited for; nobody reads answers."""

    progress: Progress
    where: str

    def asking(self, model: str) -> None: ...

    def delta(self, text: str) -> None: ...

    def aside(self, text: str) -> None: ...

    def told(self, usage: object) -> None: ...

    def status(self, text: str) -> None:
        self.progress.status(f"{self.where} ({text})" if text else self.where)


def load_questions() -> tuple[Question, ...]:
    """Those that come with the program."""
    return parse_questions(read_text(packaged("calibration.tsv")))


def without_threshold(calibration: Calibration | None, spec: ModelSpec) -> str | None:
    """Why a model has got no threshold, and what becomes of its answers; None where it has got one."""
    why = "it gives no log-probabilities" if calibration is None else calibration.why_none
    known = None if calibration is None else threshold_of(spec)
    instead = INSTEAD if known is None else f"the threshold {known:g} that is built in for its name stays"
    return None if why is None else f"{why}; {instead}"


def _checked(question: Question, request: Request, text: str, confidence: float) -> Checked:
    # Without what was learned, as the judge sees it.
    return Checked(confidence=confidence, score=score(request).unlearned / 100, right=question.is_answered_by(text))


def _says_nothing(asked: int) -> str:
    return (
        f"{MOST_EMPTY} of its first {asked} answers are empty: a model that thinks before it answers comes to nothing "
        f"within {ANSWER_TOKENS} tokens, so calibrate it with thinking switched off"
    )
