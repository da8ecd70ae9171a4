"""The whitelist as its users meet it: what is allowed, who may add to it, and what waits for the owner."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Literal

from anyio import to_thread

from hybrid_mcp.config.public_suffix import is_public_suffix
from hybrid_mcp.domain.errors import InvalidRequest
from hybrid_mcp.domain.profile import ApprovalMode
from hybrid_mcp.domain.whitelist import (
    RESOURCE_TYPES,
    ResourceType,
    Verdict,
    Whitelist,
    checked_entry,
    is_address,
    is_single_label,
    unknown_type_reason,
)
from hybrid_mcp.ports import ApprovalRequest, Approvals, Clock

MAX_REASON_CHARACTERS = 200
MAX_CLIENT_CHARACTERS = 40
MAX_PENDING = 20
"""More questions than that would train the owner to say yes."""
MAX_DIALOGS = 3
DIALOGS_WITHIN_S = 600.0
"""More dialogs in that time would be clicked away; what is asked beyond them waits for the terminal."""
HOW_IN_SPITE_OF_A_NO = (
    "the owner refused this within the last 7 days and is not asked again; they can still add it to whitelist.json "
    "in the home folder themselves"
)

_BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Characters that count as printable and show nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """What became of a wish to add an entry. `request` is set while it waits for the owner."""

    status: Literal["added", "already_allowed", "pending_approval", "denied"]
    request: ApprovalRequest | None = None
    how_to_approve: str | None = None


class Dialogs:
    """The questions that this process has shown through a client: few, and none for the same twice."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._shown_at: list[float] = []
        self._shown: set[tuple[str, str]] = set()
        # Questions are made in threads.
        self._lock = Lock()

    def may_show(self, request: ApprovalRequest, *, again: bool) -> bool:
        """Count it as shown. `again`: the client brings the answer to it, and the question must be the same then."""
        name = (request.resource_type, request.resource_name)
        with self._lock:
            if name in self._shown:
                return again
            now = self._clock.monotonic()
            self._shown_at = [at for at in self._shown_at if now - at < DIALOGS_WITHIN_S]
            if len(self._shown_at) >= MAX_DIALOGS:
                return False
            self._shown_at.append(now)
            self._shown.add(name)
            return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Gatekeeper:
    """`add_entry` writes one checked entry and takes effect at once."""

    whitelist: Callable[[], Whitelist]
    add_entry: Callable[[ResourceType, str], bool]
    approvals: Approvals
    mode: ApprovalMode
    new_id: Callable[[], str]
    dialogs: Dialogs

    def check(self, resource_type: str, name: str) -> Verdict:
        """Whether a resource is allowed now.

        Raises:
            ConfigError: the whitelist file is broken.
        """
        return self.whitelist().check(resource_type, name)

    def question(self, resource_type: str, name: str, *, reason: str, client: str, again: bool = False) -> str | None:
        """What to ask the owner through the client, None where there is nothing to ask or this is not the way to ask.

        `again`: the client brings the answer to this question.

        Raises:
            InvalidRequest: an unknown type, or an entry that would cover more than it says.
            HybridError: the whitelist file is broken, or the audit trail cannot be read.
        """
        request = self._request(resource_type, name, reason=reason, client=client)
        if self.mode != "ask" or self._is_allowed(request) or self.approvals.is_refused(request):
            return None
        if not self.dialogs.may_show(request, again=again):
            return None
        return (
            f"Allow {request.resource_name} ({request.resource_type})? This opens: {what_it_opens(request)}. "
            "Allow it only if you expected this. Who asks and why, in their own words:\n"
            f"| {request.client}\n| {request.reason or 'no reason given'}"
        )

    async def ask(
        self, resource_type: str, name: str, *, reason: str, client: str, consent: bool | None = None
    ) -> Requested:
        """Add an entry if the owner's approval mode lets an agent do so, else file a request or refuse.

        `consent`: what the owner answered to `question`; None where nobody was asked.

        Raises:
            InvalidRequest: an unknown type, or an entry that would cover more than it says.
            HybridError: the whitelist or the audit trail cannot be written.
        """
        request = self._request(resource_type, name, reason=reason, client=client)
        return await to_thread.run_sync(self._asked, request, consent)

    def pending(self) -> Sequence[ApprovalRequest]:
        return self.approvals.pending()

    def grant(self, request: ApprovalRequest) -> None:
        """The owner said yes."""
        self._add("granted", request)

    def refuse(self, request: ApprovalRequest) -> None:
        """The owner said no."""
        self.approvals.record("refused", request)

    def _request(self, resource_type: str, name: str, *, reason: str, client: str) -> ApprovalRequest:
        kind, entry = _checked(resource_type, name)
        return ApprovalRequest(
            id=self.new_id(), resource_type=kind, resource_name=entry, reason=one_line(reason, MAX_REASON_CHARACTERS),
            client=one_line(client, MAX_CLIENT_CHARACTERS) or "unknown",
        )  # fmt: skip

    def _is_allowed(self, request: ApprovalRequest) -> bool:
        return self.check(request.resource_type, request.resource_name).allowed

    def _asked(self, request: ApprovalRequest, consent: bool | None) -> Requested:
        if self._is_allowed(request):
            return Requested(status="already_allowed")
        refused = self.approvals.is_refused(request)
        if self.mode == "deny" or refused:
            self.approvals.record("denied", request)
            return Requested(status="denied", how_to_approve=HOW_IN_SPITE_OF_A_NO if refused else None)
        if self.mode == "allow":
            self._add("added", request)
            return Requested(status="added")
        if self.mode == "ask" and consent is not None:
            return self._answered(request, consent)
        return self._filed(request)

    def _answered(self, request: ApprovalRequest, consent: bool) -> Requested:
        if not consent:
            self.approvals.record("refused", request)
            return Requested(status="denied", how_to_approve=HOW_IN_SPITE_OF_A_NO)
        self._add("granted", request)
        return Requested(status="added")

    def _add(self, event: Literal["added", "granted"], request: ApprovalRequest) -> None:
        """Nothing is opened of which no line can be written first."""
        kind, entry = _checked(request.resource_type, request.resource_name)
        self.approvals.record("opening", request, _state(self.whitelist(), kind, entry))
        self.add_entry(kind, entry)
        self.approvals.record(event, request, _state(self.whitelist(), kind, entry))

    def _filed(self, request: ApprovalRequest) -> Requested:
        """File it, or join the request for the same entry that is waiting already."""
        waiting = self.approvals.file(request, MAX_PENDING)
        if waiting is None:
            raise InvalidRequest(
                f"{MAX_PENDING} requests wait for the owner already: they must run `hybrid-mcp approve` first"
            )
        how = f"the owner runs `hybrid-mcp approve {waiting.id}` in a terminal"
        return Requested(status="pending_approval", request=waiting, how_to_approve=how)


def what_it_opens(request: ApprovalRequest) -> str:
    """One sentence for the owner."""
    name = request.resource_name
    match request.resource_type:
        case "cloud_apis" | "domains":
            reach = "" if is_address(name) else " and all of its subdomains"
            return f"requests, with their prompts, may be sent to {name}{reach}"
        case "allowed_for_cloud":
            return f"tasks of the type {name} may be answered by cloud models"
        case _:
            return f"the MCP server {name} counts as allowed"


def one_line(text: str, limit: int) -> str:
    """Foreign text as the owner may see it: nothing in it moves the cursor, fakes a line, or pushes others away."""
    composed = unicodedata.normalize("NFC", text[: 100 * limit])
    words = " ".join("".join(map(_shown, composed)).split())
    return words if len(words) <= limit else f"{words[: limit - 3].rstrip()}..."


def _shown(character: str) -> str:
    if character.isspace() or character in _BLANKS:
        return " "
    return character if character.isprintable() and not unicodedata.combining(character) else "?"


def _state(whitelist: Whitelist, kind: ResourceType, entry: str) -> str:
    """What the whitelist says before and after a change, for the audit trail."""
    match kind:
        case "allowed_for_cloud":
            answer = whitelist.answer_for_task(entry)
            return "not listed" if answer is None else "true" if answer else "false"
        case "cloud_apis":
            return f"{len(whitelist.cloud_apis)} entries"
        case "domains":
            return f"{len(whitelist.domains)} entries"
        case "mcp_servers":
            return f"{len(whitelist.mcp_servers)} entries"


def _checked(resource_type: str, name: str) -> tuple[ResourceType, str]:
    kind = RESOURCE_TYPES.get(resource_type.strip().lower())
    if kind is None:
        raise InvalidRequest(unknown_type_reason())
    try:
        entry = checked_entry(kind, name.strip(), is_public_suffix)
    except ValueError as error:
        raise InvalidRequest(f"resource_name cannot be an entry of {kind}: {error}") from None
    if kind in {"cloud_apis", "domains"} and is_single_label(entry):
        raise InvalidRequest(
            f"resource_name cannot be an entry of {kind} on an agent's wish: a single label means whatever the local "
            "network says. The owner can add it to whitelist.json themselves, for a provider with `local: true`"
        )
    return kind, entry
