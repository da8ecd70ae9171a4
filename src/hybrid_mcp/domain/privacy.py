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


def stay_local_reason(request: Request, findings: Sequence[Finding]) -> str | None:
    """Why this request may not leave the owner's machines, or None when it may."""
    if request.confidential:
        return "the request is marked confidential"
    return next((f"{finding.where} holds {finding.kind}" for finding in findings), None)
