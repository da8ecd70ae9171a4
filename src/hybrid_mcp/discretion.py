"""What of a request may leave this machine: all of it, none of it, or a copy without what was found in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hybrid_mcp.domain.brevity import few
from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.errors import InvalidRequest
from hybrid_mcp.domain.privacy import Finding, stay_local_reason
from hybrid_mcp.domain.profile import Profile
from hybrid_mcp.domain.redaction import Outgoing, redact
from hybrid_mcp.ports import SecretScanner

KINDS_TOKENS = 40
"""What naming that which was found may take."""
_NAMES = frozenset({"task_type", "preferred_model"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """`sensitive`: why the request must stay on this machine, None where `outgoing` may leave it."""

    sensitive: str | None
    outgoing: Outgoing


@dataclass(frozen=True, slots=True, kw_only=True)
class Discretion:
    profile: Profile
    scanner: SecretScanner

    def look(self, request: Request) -> Look:
        """Scan the request; where the owner wants so, take out what was found instead of keeping the request here.

        Raises:
            InvalidRequest: a name holds a secret or personal data; names are sent, and written to ledger and log.
        """
        found = self.scanner.scan(request)
        _refuse_in_names(found)
        findings = self._that_count(found)
        sensitive = stay_local_reason(request, findings)
        kept = Look(sensitive=sensitive, outgoing=Outgoing(request=request))
        if sensitive is None or self.profile.privacy != "redact":
            return kept
        outgoing = redact(request, findings, lambda clean: self._that_count(self.scanner.scan(clean)))
        if outgoing is None:
            return kept
        kinds = few(list(dict.fromkeys(f"{one.kind} in {one.where}" for one in findings)), KINDS_TOKENS)
        note = f"placeholders were sent in place of what was found ({kinds})"
        return Look(sensitive=None, outgoing=replace(outgoing, note=note))

    def _that_count(self, found: Sequence[Finding]) -> Sequence[Finding]:
        """A profile may relax personal data, never secrets."""
        if self.profile.personal_data_stays_local:
            return found
        return [one for one in found if one.category != "personal"]


def _refuse_in_names(found: Sequence[Finding]) -> None:
    for one in found:
        if one.where in _NAMES and one.category != "private":
            raise InvalidRequest(f"{one.where} holds {one.kind}: give a plain name, because names are sent and logged")
