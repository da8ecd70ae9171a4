"""Is an answer good enough to return, and can the usage it came with be believed?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hybrid_mcp.domain.completion import Completion, Message
from hybrid_mcp.domain.profile import ModelSpec
from hybrid_mcp.domain.tokens import can_be

_REFUSAL = re.compile(
    r"\s*(?:i(?:'m| am) (?:sorry|afraid)|sorry,|as an ai|i(?: cannot| can't| can not| am unable to|'m unable to)"
    r" (?:help|assist|answer|provide|fulfil|comply|do that))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`reason`: why the answer is doubtful, None where it is good. `escalate`: another model may well do better."""

    reason: str | None = None
    escalate: bool = False

    @property
    def good(self) -> bool:
        return self.reason is None


GOOD = Verdict()


def judge(completion: Completion, spec: ModelSpec, *, shrunk: bool) -> Verdict:
    """Look at an answer that is not empty. `shrunk`: its output cap was lower than the caller's."""
    if completion.finish == "refusal" or _REFUSAL.match(completion.text):
        return Verdict(reason="the model refused", escalate=True)
    if completion.finish == "length":
        # A paid model stopped by the caller's own limit would be stopped there again by the next one, for more money.
        return Verdict(reason="cut off at the output limit", escalate=spec.local or shrunk)
    floor, confidence = spec.confidence_floor, completion.mean_logprob
    if floor is not None and confidence is not None and confidence < floor:
        return Verdict(reason=f"confidence {confidence:.2f} is below the model's threshold {floor:.2f}", escalate=True)
    return GOOD


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
