"""What was found in a request, and whether it must stay on this machine. The detectors stand behind a port."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from hybrid_mcp.domain.completion import Request

Category = Literal["secret", "personal", "private"]
"""`private`: what one of the owner's own patterns matches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A kind of sensitive data and the argument it was found in; never the value.

    `spans`: start and end of each place in that argument, in characters; empty where it cannot be cut out exactly.
    """

    kind: str
    category: Category
    where: str
    spans: tuple[tuple[int, int], ...] = field(default=(), compare=False)


def stay_local_reason(request: Request, findings: Sequence[Finding], *, personal_data_stays_local: bool) -> str | None:
    """Why this request may not leave the owner's machines, or None when it may.

    A profile may relax personal data (`personal_data_stays_local=False`), never secrets.
    """
    if request.confidential:
        return "the request is marked confidential"
    for finding in findings:
        if finding.category != "personal" or personal_data_stays_local:
            return f"{finding.where} holds {finding.kind}"
    return None
