"""Is an answer good enough to return, and can the usage it came with be believed?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hybrid_mcp.domain.agreement import has_one_answer
from hybrid_mcp.domain.completion import REFUSED, Completion, Message, Request
from hybrid_mcp.domain.confidence import TYPICAL_SCORE, can_turn, confirmed, floor_at, threshold_of
from hybrid_mcp.domain.profile import ModelSpec
from hybrid_mcp.domain.second_opinion import SecondOpinion
from hybrid_mcp.domain.tokens import can_be

CUT_OFF = "cut off at the output limit"
AGREES = 0.25
"""Agreement, in the mean of the other answers, below which a model says something else when it is asked again."""
SAYS_ELSE, SAYS_SAME = "asked again, the model says something else", "asked again, the model says much the same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`reasons`: why the answer is doubtful, none where it is good. `escalate`: another model may well do better.

    `unsure`: the model's low confidence is all that speaks against it.
    """

    reasons: tuple[str, ...] = ()
    escalate: bool = False
    unsure: bool = False

    @property
    def reason(self) -> str | None:
        return "; ".join(self.reasons) or None

    @property
    def good(self) -> bool:
        return not self.reasons


GOOD = Verdict()


def judge(
    request: Request, completion: Completion, spec: ModelSpec, *, shrunk: bool, score: float = TYPICAL_SCORE
) -> Verdict:  # fmt: skip
    """Look at an answer that is not empty: in a few milliseconds, whatever it is, and without raising.

    Only the first look of a process takes longer: it reads what it looks for.

    `shrunk`: its output cap was lower than the caller's. `score`: the prompt's, without what was learned: that comes
    from this judge too, which must not confirm itself. A paid model's answer is worth another one only where it is
    surely bad.
    """
    # What it looks for takes longer to read than the server may take to start, and no start needs it.
    from hybrid_mcp.domain.answer_signs import signs  # noqa: PLC0415

    if completion.finish == "refusal":
        return Verdict(reasons=(REFUSED,), escalate=True)
    is_cut = completion.finish == "length"
    # What was cut off is not whole, so that only what is sure says more of it.
    found = tuple(sign for sign in signs(request, completion.text) if sign.sure or not is_cut)
    told = tuple(sign.reason for sign in found)
    worth_another = any(spec.local or sign.sure for sign in found)
    if is_cut:
        # A paid model stopped by the caller's own limit would be stopped there again by the next one, for more money.
        return Verdict(reasons=(CUT_OFF, *told), escalate=worth_another or spec.local or shrunk)
    floor, confidence = _floor(spec, score), completion.confidence
    if floor is not None and confidence is not None and confidence < floor:
        unsure = f"confidence {confidence:.2f} is below the threshold {floor:.2f}"
        return Verdict(reasons=(*told, unsure), escalate=True, unsure=not told)
    return Verdict(reasons=told, escalate=worth_another)


def asking_again_may_tell(prompt: str, completion: Completion, spec: ModelSpec, score: float) -> bool:
    """Whether other answers of the same model can change the verdict on one against which no sign speaks."""
    if not has_one_answer(prompt, completion.text):
        return False
    floor, confidence = _floor(spec, score), completion.confidence
    return floor is None or confidence is None or can_turn(confidence, floor)


def judge_again(completion: Completion, spec: ModelSpec, score: float, agreed: float) -> Verdict:
    """The verdict once the same model was asked again. `agreed`: how far its other answers say the same, 0 to 1."""
    floor, confidence = _floor(spec, score), completion.confidence
    if floor is None or confidence is None:
        return GOOD if agreed >= AGREES else Verdict(reasons=(SAYS_ELSE,), escalate=True, unsure=True)
    sure = confirmed(confidence, agreed)
    if sure >= floor:
        return GOOD
    says = SAYS_SAME if agreed >= AGREES else SAYS_ELSE
    return Verdict(
        reasons=(f"confidence {sure:.2f} is below the threshold {floor:.2f}; {says}",), escalate=True, unsure=True
    )


def judge_by(
    completion: Completion, spec: ModelSpec, score: float, opinion: SecondOpinion, *, prompt: str, judge: str
) -> Verdict:  # fmt: skip
    """The verdict once another model, named `judge`, was asked for its opinion."""
    floor, confidence = _floor(spec, score), completion.confidence
    support = opinion.support(completion.text, prompt)
    if floor is None or confidence is None:
        return GOOD if support >= 0 else rejected_by(judge)
    sure = confidence + support
    if sure >= floor:
        return GOOD
    if support < 0:
        return rejected_by(judge)
    unsure = f"confidence {sure:.2f} is below the threshold {floor:.2f}; {judge} does not make it surer"
    return Verdict(reasons=(unsure,), escalate=True, unsure=True)


def rejected_by(judge: str) -> Verdict:
    """The verdict on an answer that the model of this name holds to be wrong."""
    return Verdict(reasons=(f"{judge} judges it to be wrong",), escalate=True)


def _floor(spec: ModelSpec, score: float) -> float | None:
    threshold = threshold_of(spec)
    return None if threshold is None else floor_at(threshold, score)


def believable(completion: Completion, *, sent: Sequence[Message], output_cap: int) -> bool:
    """Whether reported token counts can be true for what was sent and written; too low counts as not reported.

    An answer that was cut at its cap has as many tokens as that, shown or not; some servers leave a few out.
    """
    usage = completion.usage
    if usage is None or not usage.input_tokens or not usage.output_tokens:
        return False
    if completion.finish == "length" and 2 * usage.output_tokens < output_cap:
        return False
    text = "\n".join(message.content for message in sent)
    return completion.written.can_be(usage.output_tokens) and can_be(text, usage.input_tokens)
