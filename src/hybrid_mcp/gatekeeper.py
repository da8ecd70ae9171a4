"""The whitelist as its users meet it: what is allowed, who may add to it, and what waits for the owner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
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
from hybrid_mcp.ports import ApprovalRequest, Approvals

MAX_REASON_CHARACTERS = 500
MAX_PENDING = 20
"""More questions than that would train the owner to say yes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """What became of a wish to add an entry. `request` is set while it waits for the owner."""

    status: Literal["added", "already_allowed", "pending_approval", "denied"]
    request: ApprovalRequest | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gatekeeper:
    """`add_entry` writes one checked entry and takes effect at once.

    `declined`: what the owner refused while this process runs; asking again and again would train them to say yes.
    """

    whitelist: Callable[[], Whitelist]
    add_entry: Callable[[ResourceType, str], bool]
    approvals: Approvals
    mode: ApprovalMode
    new_id: Callable[[], str]
    declined: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def check(self, resource_type: str, name: str) -> Verdict:
        """Whether a resource is allowed now.

        Raises:
            ConfigError: the whitelist file is broken.
        """
        return self.whitelist().check(resource_type, name)

    def question(self, resource_type: str, name: str, *, reason: str, client: str) -> str | None:
        """What to ask the owner through the client, None where there is nothing to ask or this is not the way to ask.

        Raises:
            InvalidRequest: an unknown type, or an entry that would cover more than it says.
            ConfigError: the whitelist file is broken.
        """
        request = self._request(resource_type, name, reason=reason, client=client)
        if self.mode != "ask" or self._is_declined(request) or self._is_allowed(request):
            return None
        return (
            f"{request.client} asks to allow {request.resource_name} ({request.resource_type}). This opens: "
            f"{what_it_opens(request)}. Reason given: {request.reason or 'none'}. Allow it only if you expected this."
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
        if self._is_allowed(request):
            return Requested(status="already_allowed")
        if self.mode == "deny" or self._is_declined(request):
            await to_thread.run_sync(self.approvals.record, "denied", request)
            return Requested(status="denied")
        if self.mode == "allow":
            await to_thread.run_sync(self._add, "added", request)
            return Requested(status="added")
        if self.mode == "ask" and consent is not None:
            return await to_thread.run_sync(self._answered, request, consent)
        return Requested(status="pending_approval", request=await to_thread.run_sync(self._file, request))

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
            id=self.new_id(), resource_type=kind, resource_name=entry, reason=_one_line(reason, MAX_REASON_CHARACTERS),
            client=_one_line(client, 100),
        )  # fmt: skip

    def _is_declined(self, request: ApprovalRequest) -> bool:
        return (request.resource_type, request.resource_name) in self.declined

    def _is_allowed(self, request: ApprovalRequest) -> bool:
        return self.check(request.resource_type, request.resource_name).allowed

    def _answered(self, request: ApprovalRequest, consent: bool) -> Requested:
        if not consent:
            self.declined.add((request.resource_type, request.resource_name))
            self.approvals.record("refused", request)
            return Requested(status="denied")
        self._add("granted", request)
        return Requested(status="added")

    def _add(self, event: Literal["added", "granted"], request: ApprovalRequest) -> None:
        kind, entry = _checked(request.resource_type, request.resource_name)
        self.add_entry(kind, entry)
        self.approvals.record(event, request)

    def _file(self, request: ApprovalRequest) -> ApprovalRequest:
        """File it, or join the request for the same entry that is waiting already."""
        same = (request.resource_type, request.resource_name)
        pending = self.approvals.pending()
        for waiting in pending:
            if (waiting.resource_type, waiting.resource_name) == same:
                return waiting
        if len(pending) >= MAX_PENDING:
            raise InvalidRequest(
                f"{MAX_PENDING} requests wait for the owner already: they must run `hybrid-mcp approve` first"
            )
        self.approvals.record("requested", request)
        return request


def what_it_opens(request: ApprovalRequest) -> str:
    """One sentence for the owner."""
    name = request.resource_name
    match request.resource_type:
        case "cloud_apis" | "domains":
            reach = "" if is_address(name) or is_single_label(name) else " and all of its subdomains"
            return f"requests, with their prompts, may be sent to {name}{reach}"
        case "allowed_for_cloud":
            return f"tasks of the type {name} may be answered by cloud models"
        case _:
            return f"the MCP server {name} counts as allowed"


def _one_line(text: str, limit: int) -> str:
    """Foreign text as the owner may see it: nothing in it moves the cursor or fakes a line."""
    return "".join(character if character.isprintable() else "?" for character in text.strip()[:limit])


def _checked(resource_type: str, name: str) -> tuple[ResourceType, str]:
    kind = RESOURCE_TYPES.get(resource_type.strip().lower())
    if kind is None:
        raise InvalidRequest(unknown_type_reason())
    try:
        return kind, checked_entry(kind, name.strip(), is_public_suffix)
    except ValueError as error:
        raise InvalidRequest(f"resource_name cannot be an entry of {kind}: {error}") from None
