"""What of a request may leave this machine: all of it, none of it, or a copy without what was found in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hybrid_mcp.domain.completion import Request
from hybrid_mcp.domain.privacy import Finding, stay_local_reason
from hybrid_mcp.domain.profile import Profile
from hybrid_mcp.domain.redaction import Outgoing, redact
from hybrid_mcp.ports import SecretScanner


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
        """Scan the request; where the owner wants so, take out what was found instead of keeping the request here."""
        findings = self._findings(request)
        sensitive = stay_local_reason(request, findings)
        unchanged = Outgoing(request=request)
        if sensitive is None or self.profile.privacy != "redact":
            return Look(sensitive=sensitive, outgoing=unchanged)
        redacted = redact(request, findings, self._findings)
        if redacted is None:
            return Look(sensitive=sensitive, outgoing=unchanged)
        clean, restorer = redacted
        kinds = ", ".join(dict.fromkeys(f"{one.kind} in {one.where}" for one in findings))
        note = f"placeholders were sent in place of what was found ({kinds})"
        return Look(sensitive=None, outgoing=Outgoing(request=clean, values=restorer.values, note=note))

    def _findings(self, request: Request) -> Sequence[Finding]:
        """What counts: a profile may relax personal data, never secrets."""
        found = self.scanner.scan(request)
        if self.profile.personal_data_stays_local:
            return found
        return [one for one in found if one.category != "personal"]
